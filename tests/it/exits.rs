//! How the whole binary ends where it is told no, cannot write, or may not go on: the exit code, and that nothing was
//! changed.

use crate::cli::{Place, Ran, SPEC, in_sandbox, with_orders};
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

fn mutations(place: &Place) -> usize {
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    file.sandbox().with(|world| world.mutations().count())
}

/// Runs it with `input` on stdin.
fn fed(mut command: Command, input: &str) -> Ran {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Types `answer` at a terminal in which `args` were started; all that was shown is in `out`.
#[cfg(target_os = "linux")]
fn answered(place: &Place, args: &str, variables: &[(&str, &str)], answer: &str) -> Ran {
    // script(1) of util-linux gives the command a terminal.
    let line = format!("{} {args} --sandbox=world.json --sandbox-speed max", env!("CARGO_BIN_EXE_auroraml"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.path("")).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").envs(variables.iter().copied());
    fed(command, &format!("{answer}\n"))
}

/// Only the whole word is a yes; where the spec has the last word, nobody is asked.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn an_answer_at_a_terminal() {
    let place = with_orders(2).await;
    let before = mutations(&place);
    let bold = "\u{1b}[1m";
    for (args, variables, answer) in [
        ("apply shop.yaml", &[][..], "no"),
        ("apply shop.yaml", &[("NO_COLOR", "1")], "y"),
        ("apply shop.yaml --color never", &[], "ye"),
        // Nobody can say yes to what they have not seen.
        ("apply shop.yaml --quiet --allow failover", &[], "yes please"),
    ] {
        let ran = answered(&place, args, variables, answer);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.out.contains("role.comprehend") && ran.out.contains("Type yes to continue: "), "{ran:?}");
        assert!(ran.out.contains("nothing was changed: the answer was not yes"), "{ran:?}");
        let is_wanted = variables.is_empty() && !args.contains("never");
        assert_eq!(ran.out.contains(bold), is_wanted, "colour on a terminal alone: {ran:?}");
    }
    // A yes beforehand was said to nothing in particular.
    let refused = answered(&place, "apply shop.yaml --yes", &[], "yes");
    assert!(refused.code == 6 && refused.out.contains("this needs --allow failover"), "{refused:?}");
    // Who cannot be asked is not: the spec comes from where the answer would.
    let piped = fed(place.command(&in_sandbox(&["apply", "-", "--allow", "failover"])), SPEC);
    let from_stdin = "cannot ask for confirmation: the spec came from stdin";
    assert!(piped.code == 1 && piped.err.contains(from_stdin), "{piped:?}");
    let help = "give the spec in a file: `auroraml apply FILE --allow failover --sandbox=world.json";
    assert!(piped.err.contains(help) && !piped.err.contains("--yes"), "{piped:?}");
    // Nor who has just typed the spec: the end of it is the end of what can be read.
    let typed = answered(&place, "apply - --allow failover", &[], &format!("{SPEC}\u{4}yes"));
    assert!(typed.code == 1 && typed.out.contains(from_stdin), "{typed:?}");
    let spec = SPEC.replace("existing: orders", "existing: orders, restart: { allow: readers }");
    place.write("shop.yaml", &spec);
    let refused = answered(&place, "apply shop.yaml", &[], "yes");
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.out.contains("the spec's `allow: readers` forbids failover"), "{refused:?}");
    assert!(!refused.out.contains("Type yes"), "{refused:?}");
    assert_eq!(mutations(&place), before);
}

/// What cannot be written is told before anything is changed, or, where it shows later, does not stop the run.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn files_that_cannot_be_written() {
    let place = with_orders(1).await;
    let before = mutations(&place);
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "missing/plan.json"]));
    assert!(plan.code == 1 && plan.err.contains("missing/plan.json: cannot be written"), "{plan:?}");
    let apply = ["apply", "shop.yaml", "--yes", "--allow", "restart", "--events"];
    let refused = place.run(&in_sandbox(&[&apply[..], &["missing/events.jsonl"]].concat()));
    assert!(refused.code == 1 && refused.err.contains("give --events another file"), "{refused:?}");
    assert_eq!(mutations(&place), before);
    let done = place.run(&in_sandbox(&[&apply[..], &["/dev/full"]].concat()));
    assert!(done.code == 0 && done.err.contains("warning: events are missing from the file"), "{done:?}");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.command(&["schema"]).stdout(full).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("cannot write to stdout"), "{text}");
}

/// What cannot be read is told by its name, with what to do about it.
#[cfg(target_os = "linux")]
#[test]
fn files_that_cannot_be_read() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    for (args, told, help) in [
        (&["status", "."][..], "error: .: it is a folder", "give one spec in it"),
        (
            &["apply", "shop.yaml", "--plan", "missing.json", "--yes", "--sandbox"],
            "error: missing.json: there is no such file",
            "save one with: auroraml plan SPEC --out FILE",
        ),
        (
            &["apply", "shop.yaml", "--plan", ".", "--yes", "--sandbox"],
            "it is not a regular file",
            "save one with: auroraml plan SPEC --out FILE",
        ),
        (
            &["plan", "shop.yaml", "--sandbox=/proc/nothing/world.json"],
            "error: /proc/nothing: cannot create it: ",
            "use another file: --sandbox=FILE",
        ),
        (
            &["init", "missing/new.yaml"],
            "error: missing/new.yaml: cannot be written: ",
            "choose another folder",
        ),
    ] {
        let ran = place.run(args);
        assert!(ran.code == 1 && ran.err.contains(told) && ran.err.contains(help), "{args:?}: {ran:?}");
    }
}

/// Every command that takes a spec takes it from stdin.
#[test]
fn a_spec_on_stdin() {
    let place = Place::new();
    let spec =
        "stack: net\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24] }\n";
    let run = |args: &[&str]| fed(place.command(&in_sandbox(args)), spec);
    assert_eq!(fed(place.command(&["validate", "-"]), spec).code, 0);
    // A pipe is as good as a file: `auroraml validate <(…)`.
    assert_eq!(fed(place.command(&["validate", "/dev/stdin"]), spec).code, 0);
    let wrong = fed(place.command(&["validate", "-"]), "stack: net\n");
    assert!(wrong.code == 1 && wrong.out.starts_with("stdin:1:1: "), "{wrong:?}");
    assert_eq!(run(&["plan", "-", "--detailed-exitcode"]).code, 2);
    // What could be typed next would find no spec there.
    let saved = run(&["plan", "-", "--out", "plan.json"]);
    assert!(saved.err.contains("Carry it out with: auroraml apply SPEC --plan plan.json"), "{saved:?}");
    let applied = run(&["apply", "-", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert!(!format!("{}{}", applied.out, applied.err).contains("auroraml destroy"), "{applied:?}");
    assert_eq!(run(&["plan", "-", "--detailed-exitcode"]).code, 0);
    assert_eq!(run(&["status", "-"]).code, 0);
    // Of another spec, what is missing and what differs.
    let larger = spec.replace("10.0.0.0/24]", "10.0.0.0/24, 10.0.1.0/24]");
    let status = fed(place.command(&in_sandbox(&["status", "-"])), &larger);
    assert!(status.code == 0 && status.out.contains("subnet.private-2     missing\n"), "{status:?}");
    assert!(status.out.contains("route_table.private  differs  rtb-"), "{status:?}");
    // There is no cluster whose wiring could be verified.
    let verify = run(&["verify", "-"]);
    assert!(verify.code == 1 && verify.err.contains("the spec has no cluster"), "{verify:?}");
    assert_eq!(run(&["destroy", "-", "--yes"]).code, 0);
}

/// What is random in a sandbox follows from its seed, which it keeps.
#[test]
fn a_sandbox_follows_its_seed() {
    let spec = "stack: net\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16 }\n";
    let vpc = |place: &Place, seed: &str| {
        place.write("net.yaml", spec);
        let ran = place.run(&in_sandbox(&["apply", "net.yaml", "--yes", "--sandbox-seed", seed]));
        assert_eq!(ran.code, 0, "{ran:?}");
        let world = place.read("world.json");
        let ids = world.match_indices("\"vpc-0").map(|(at, _)| world[at + 1..].chars().take(21).collect());
        let ids: BTreeSet<String> = ids.collect();
        assert!(!ids.is_empty(), "no VPC is in the file");
        (ids, ran.err)
    };
    let place = Place::new();
    let (seven, told) = vpc(&place, "7");
    assert!(!told.contains("keeps the seed"), "{told}");
    assert_eq!(vpc(&Place::new(), "7").0, seven);
    assert_ne!(vpc(&Place::new(), "8").0, seven);
    let (kept, told) = vpc(&place, "8");
    assert!(kept == seven && told.contains("keeps the seed that it was created with"), "{told}");
}

/// `on_destroy: protect` is heeded by `destroy` and by its plan, until `--unprotect` lifts it.
#[test]
fn a_protected_cluster_stays() {
    let place = Place::new();
    let spec = "stack: safe\nregion: us-east-1\n\
                network: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24, 10.0.1.0/24] }\n\
                aurora: { instances: [{ class: db.r6g.large }], on_destroy: protect }\n";
    place.write("safe.yaml", spec);
    let run = |args: &[&str]| place.run(&in_sandbox(args));
    let applied = run(&["apply", "safe.yaml", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let before = mutations(&place);
    let destroy = run(&["destroy", "safe.yaml", "--yes"]);
    assert!(destroy.code == 6 && destroy.err.contains("add --unprotect"), "{destroy:?}");
    assert_eq!(run(&["plan", "safe.yaml", "--destroy", "--out", "plan.json"]).code, 6);
    assert_eq!(mutations(&place), before, "nothing is called");
    let plan = run(&["plan", "safe.yaml", "--destroy", "--unprotect", "--out", "plan.json"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let gone = run(&["destroy", "safe.yaml", "--unprotect", "--plan", "plan.json", "--yes"]);
    assert!(gone.code == 0 && gone.out.contains("the final snapshot safe-final-"), "{gone:?}");
}
