//! The whole binary: what it prints where, and its exit codes.

#[cfg(unix)]
use crate::process::Process;
use crate::support::{config, golden, golden_at};
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A folder of its own, and an environment that knows no AWS account.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auroraml"));
        command.args(args).current_dir(self.0.path()).env_clear();
        command.env("HOME", self.0.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

pub const SPEC: &str = "\
stack: shop
region: us-east-1
aurora: { existing: orders }
machine_learning: { comprehend: true }
";

/// A place with a spec for a cluster of others, `orders`, and a sandbox that has it.
pub async fn with_orders(members: usize) -> Place {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    orders(file.sandbox(), members).await;
    file.close().unwrap();
    place
}

async fn orders(sandbox: &Sandbox, members: usize) {
    sandbox.with(|world| {
        // A cluster that was there before: how its network was made is not the question here.
        world.regions.entry("us-east-1".into()).or_default().rds.lenient = true;
    });
    let rds = aws_sdk_rds::Client::new(&config(sandbox));
    let make = rds.create_db_cluster().db_cluster_identifier("orders").engine("aurora-mysql");
    make.master_username("admin").master_user_password("correct horse").send().await.unwrap();
    sandbox.clock().sleep(Duration::from_secs(120)).await;
    for member in 1..=members {
        let make = rds.create_db_instance().db_instance_identifier(format!("orders-{member}"));
        let make = make.db_cluster_identifier("orders").engine("aurora-mysql");
        make.db_instance_class("db.r6g.large").send().await.unwrap();
        sandbox.clock().sleep(Duration::from_secs(1_200)).await;
    }
}

const SANDBOX: [&str; 3] = ["--sandbox=world.json", "--sandbox-speed", "max"];

pub fn in_sandbox<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().copied().chain(SANDBOX).collect()
}

/// What a destroy leaves because the spec says so is named, and no other note of its plan.
#[test]
fn destroy_says_what_it_keeps() {
    let place = Place::new();
    place.write("shop.yaml", "stack: shop\nregion: us-east-1\nbucket: { on_destroy: keep }\n");
    for (command, expected) in [("apply", "bucket"), ("destroy", "  bucket.main is kept, as the spec says\n")]
    {
        let ran = place.run(&[command, "shop.yaml", "--yes", "--sandbox", "--sandbox-speed", "max"]);
        assert!(ran.code == 0 && ran.out.contains(expected), "{ran:?}");
    }
}

/// What AWS may accept is told, and the spec is good all the same.
#[test]
fn validate_warns_of_what_it_does_not_know() {
    let place = Place::new();
    place.write(
        "shop.yaml",
        "stack: shop\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24, 10.0.1.0/24] }\n\
         aurora: { instances: [{ class: db.r6g.large }], parameters: { aurora_pq_force: 1 } }\n",
    );
    let ran = place.run(&["validate", "shop.yaml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("shop.yaml:4:") && ran.err.contains("warning: `aurora_pq_force`"), "{ran:?}");
    assert!(ran.err.contains("valid (stack shop)"), "{ran:?}");
}

/// The time that a run took includes its last looks, of which nothing is told.
#[test]
fn the_time_of_a_run_counts_everything() {
    let place = Place::new();
    place.write(
        "net.yaml",
        "stack: net\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24] }\n",
    );
    let sandbox = ["--sandbox", "--sandbox-speed", "max"];
    for command in ["apply", "destroy"] {
        let before = log(&place).len();
        let ran = place.run(&[&[command, "net.yaml", "--yes"][..], &sandbox].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let ended = if command == "apply" { "\nDone in " } else { "\nDestroyed in " };
        let told = ran.err.split(ended).last().unwrap().split(':').next().unwrap().to_string();
        let seconds: u64 = told
            .split(' ')
            .map(|part| match part.strip_suffix('m') {
                Some(minutes) => minutes.parse::<u64>().unwrap() * 60,
                None => part.trim_end_matches('s').parse::<u64>().unwrap(),
            })
            .sum();
        let log = log(&place);
        let times: Vec<u64> = log[before..].iter().map(|entry| entry["at"].as_u64().unwrap()).collect();
        let first = log[before..].iter().find(|entry| entry["mutating"] == true).unwrap();
        let passed = (times.iter().max().unwrap() - first["at"].as_u64().unwrap()) / 1000;
        assert!(seconds >= passed, "{command}: {told} were told, {passed} s passed");
    }
}

/// The requests that the sandbox of a place has seen.
fn log(place: &Place) -> Vec<serde_json::Value> {
    if !place.path(".auroraml/sandbox.json").exists() {
        return Vec::new();
    }
    let world: serde_json::Value = serde_json::from_str(&place.read(".auroraml/sandbox.json")).unwrap();
    let world = world.get("world").unwrap_or(&world);
    world["log"].as_array().unwrap().clone()
}

#[test]
fn version_and_mistakes_of_usage() {
    let place = Place::new();
    let version = place.run(&["--version"]);
    assert_eq!(
        (version.code, version.out.as_str()),
        (0, concat!("auroraml ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    // What there is none of yet is refused by name; some flags make sense with another only.
    for args in [
        &["bogus"][..],
        &["pause", "x"],
        &["drift", "x"],
        &["cost", "x"],
        &["plan"],
        &["plan", "x", "--unprotect"],
        &["sandbox", "--reset", "--bare"],
        &["sandbox"],
        &[],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {ran:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}: {ran:?}");
    }
    for speed in ["0", "101", "fast"] {
        let ran = place.run(&["plan", "x", "--sandbox", "--sandbox-speed", speed]);
        assert!(ran.code == 1 && ran.err.contains("a number from 0.1 to 100, or `max`"), "{ran:?}");
    }
    let lost = place.run(&["plan", "x.yaml", "--sandbox-speed", "3"]);
    assert!(lost.code == 1 && lost.err.contains("add --sandbox"), "{lost:?}");
}

#[test]
fn help_of_every_command() {
    let place = Place::new();
    let help = place.run(&["--help"]).out;
    golden("help.txt", &help);
    // Indented by two, and by more where a description goes on.
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() >= 14, "{names:?}");
    for name in names {
        golden(&format!("help-{name}.txt"), &place.run(&[name, "--help"]).out);
    }
    for name in ["load", "unload"] {
        golden(&format!("help-data-{name}.txt"), &place.run(&["data", name, "--help"]).out);
    }
}

#[test]
fn validate_names_every_place() {
    let place = Place::new();
    place.write("good.yaml", SPEC);
    place.write("bad.yaml", "stack: shop\nregion: us-east-1\nauroora: { existing: orders }\n");
    let good = place.run(&["validate", "good.yaml"]);
    assert!(good.code == 0 && good.out.is_empty(), "{good:?}");
    let both = place.run(&["validate", "good.yaml", "bad.yaml"]);
    assert_eq!(both.code, 1);
    assert!(both.out.starts_with("bad.yaml:3:1: "), "{both:?}");
    assert!(both.out.contains("aurora"), "{both:?}");
    // Other commands need the same spec and say the same, as talk.
    let plan = place.run(&["plan", "bad.yaml", "--sandbox"]);
    assert!(plan.code == 1 && plan.err.starts_with("bad.yaml:3:1: ") && plan.out.is_empty(), "{plan:?}");
    let missing = place.run(&["validate", "goood.yaml"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("there is no such file") && missing.err.contains("did you mean good.yaml?"),
        "{missing:?}"
    );
    assert_eq!(missing.err.matches("error:").count(), 1);
    // A folder is the specs in it, by name.
    std::fs::create_dir(place.path("stacks")).unwrap();
    place.write("stacks/b.yml", SPEC);
    place.write("stacks/a.yaml", "stack: shop\n");
    place.write("stacks/README.md", "no spec");
    let folder = place.run(&["validate", "stacks", "good.yaml"]);
    assert!(folder.code == 1 && folder.out.starts_with("stacks/a.yaml:1:1: "), "{folder:?}");
    let valid: Vec<&str> = folder.err.lines().collect();
    assert_eq!(valid, ["stacks/b.yml: valid (stack shop)", "good.yaml: valid (stack shop)"]);
}

#[test]
fn init_never_overwrites() {
    let place = Place::new();
    assert_eq!(place.run(&["init"]).code, 0);
    assert_eq!(place.read("auroraml.yaml"), auroraml_core::spec::STARTER);
    assert_eq!(place.run(&["validate", "auroraml.yaml"]).code, 0);
    place.write("auroraml.yaml", "mine");
    let again = place.run(&["init"]);
    assert!(again.code == 1 && again.err.contains("already exists"), "{again:?}");
    assert_eq!(place.read("auroraml.yaml"), "mine");
}

#[test]
fn schemas_are_the_committed_ones() {
    let place = Place::new();
    for (name, file) in [
        ("spec", "schema/spec.schema.json"),
        ("plan", "schema/plan.schema.json"),
        ("drift", "schema/drift.schema.json"),
    ] {
        let ran = place.run(&["schema", name]);
        assert_eq!(ran.code, 0);
        golden_at(file, &ran.out);
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let place = Place::new();
    let mut child = place.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads: the first write fails.
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn without_credentials_there_is_a_way_on() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let ran = place.run(&["status", "shop.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no AWS credentials found") && ran.err.contains("aws sso login"), "{ran:?}");
    assert!(ran.err.contains("--sandbox"), "{ran:?}");
}

#[test]
fn completions_for_a_shell() {
    let ran = Place::new().run(&["completions", "bash"]);
    assert!(ran.code == 0 && ran.out.contains("auroraml") && ran.out.contains("--sandbox-speed"));
}

#[test]
fn what_is_not_there_is_a_preflight_failure() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    for command in ["plan", "apply"] {
        let ran = place.run(&[command, "shop.yaml", "--sandbox", "--sandbox-speed", "max"]);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(
            ran.err.contains("error: aurora.existing [cluster-missing]: DB cluster orders does not exist"),
            "{ran:?}"
        );
        assert!(ran.err.contains("  help: "), "{ran:?}");
    }
    // Nobody asked `status` for a change: it shows what there is.
    let status = place.run(&["status", "shop.yaml", "--sandbox"]);
    let warning =
        "warning: cannot tell what is missing or differs: aurora.existing: DB cluster orders does not exist";
    assert!(status.code == 0 && status.err.contains(warning), "{status:?}");
    assert_eq!(place.read(".auroraml/.gitignore"), "*\n");
    let reset = place.run(&["sandbox", "--reset"]);
    assert!(reset.code == 0 && !place.path(".auroraml/sandbox.json").exists(), "{reset:?}");
    // A file that is no sandbox is not deleted.
    place.write("mine.json", "{}");
    let reset = place.run(&["sandbox", "--reset", "--sandbox=mine.json"]);
    assert!(reset.code == 1 && place.read("mine.json") == "{}", "{reset:?}");
    assert!(reset.err.contains("mine.json: not a sandbox file: nothing was deleted"), "{reset:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_comes_up_and_goes() {
    let place = with_orders(2).await;
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--detailed-exitcode"]));
    assert_eq!(plan.code, 2, "{plan:?}");
    assert!(plan.out.contains("+ create role.comprehend"), "{}", plan.out);
    assert!(plan.out.contains("Plan: "), "{}", plan.out);
    let refused = place.run(&in_sandbox(&["apply", "shop.yaml", "--allow", "failover"]));
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("cannot ask for confirmation: there is no terminal")
            && !refused.err.contains("--yes"),
        "{refused:?}"
    );

    // Nobody allowed an interruption of the writer: nothing is called.
    let before = mutations(&place);
    let refused = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("this needs --allow failover"), "{refused:?}");
    assert_eq!(mutations(&place), before);

    let apply = ["apply", "shop.yaml", "--yes", "--allow", "failover", "--events", "events.jsonl"];
    let apply = place.run(&in_sandbox(&apply));
    assert_eq!(apply.code, 0, "{}", apply.err);
    assert!(apply.err.contains("+ role.comprehend: created after"), "{}", apply.err);
    assert!(apply.err.contains("\nDone in "), "{}", apply.err);
    let events = place.read("events.jsonl");
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "planned");
    assert!(events.iter().all(|event| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok()));
    assert!(events.iter().any(|event| event["event"] == "finished" && event["id"] == "parameter_sync.main"));

    let again = place.run(&in_sandbox(&["plan", "shop.yaml", "--detailed-exitcode"]));
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.out.contains("Nothing to do"), "{again:?}");
    let status = place.run(&in_sandbox(&["status", "shop.yaml"]));
    assert_eq!(status.code, 0, "{status:?}");
    assert!(status.out.contains("arn:aws:iam::111122223333:role/auroraml/shop/us-east-1/"), "{}", status.out);
    assert_eq!(status.out.matches("parameters in-sync").count(), 2, "{}", status.out);
    let json = place.run(&in_sandbox(&["status", "shop.yaml", "--format", "json", "-q"]));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["members"][0]["parameter_status"], "in-sync");

    let destroy = place.run(&in_sandbox(&["destroy", "shop.yaml", "--yes", "--allow", "failover", "-q"]));
    assert!(destroy.code == 0 && destroy.err.is_empty(), "{destroy:?}");
    let left = place.run(&in_sandbox(&["plan", "shop.yaml", "--destroy", "--detailed-exitcode"]));
    assert_eq!(left.code, 0, "nothing is left: {left:?}");
    // That a group came back is nothing that stays.
    assert!(!destroy.out.contains("Still there"), "{destroy:?}");
    let after = place.run(&in_sandbox(&["destroy", "shop.yaml"]));
    assert!(after.code == 0 && after.err.contains("nothing of this stack is left to delete"), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn verify_fails_until_the_wiring_is_there() {
    let place = with_orders(1).await;
    let before = mutations(&place);
    let verify = place.run(&in_sandbox(&["verify", "shop.yaml"]));
    assert_eq!(verify.code, 1, "{verify:?}");
    assert!(
        verify.out.contains("FAILED       comprehend parameter  parameter group default."),
        "{}",
        verify.out
    );
    assert!(verify.out.contains("\n             fix: auroraml apply"), "{}", verify.out);
    // How its network was made is not known to EC2 here.
    assert!(verify.out.contains("not checked  comprehend network"), "{}", verify.out);
    assert_eq!(mutations(&place), before);
    assert_eq!(place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "restart"])).code, 0);
    let verify = place.run(&in_sandbox(&["verify", "shop.yaml", "-q"]));
    assert!(verify.code == 0 && verify.err.is_empty(), "{verify:?}");
    assert!(verify.out.contains("ok           comprehend association"), "{}", verify.out);
    let deep = place.run(&in_sandbox(&["verify", "shop.yaml", "--deep", "--format", "json"]));
    assert!(deep.code == 0 && deep.err.contains("wakes a paused cluster"), "{deep:?}");
    let json: serde_json::Value = serde_json::from_str(&deep.out).unwrap();
    let database = json.as_array().unwrap().iter().find(|check| check["check"] == "database").unwrap();
    assert_eq!(database["outcome"], "not_checked");
    assert!(database["fix"].as_str().unwrap().contains("aws rds enable-http-endpoint"), "{database}");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_carried_out_only_while_it_is_true() {
    let place = with_orders(2).await;
    let saved = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "plan.json"]));
    assert_eq!(saved.code, 0, "{saved:?}");
    place.write("other.yaml", &SPEC.replace("comprehend: true", "comprehend: true, s3: false"));
    let apply = |spec: &str| {
        let args = ["apply", spec, "--plan", "plan.json", "--yes", "--allow", "failover"];
        place.run(&in_sandbox(&args))
    };
    let stale = apply("other.yaml");
    assert!(stale.code == 3 && stale.err.contains("`machine_learning.s3` in the spec changed"), "{stale:?}");
    place.write("other.json", "{ \"format\": 1 }");
    for other in ["shop.yaml", "other.json"] {
        let none = place.run(&in_sandbox(&["apply", "shop.yaml", "--plan", other, "--yes"]));
        assert!(none.code == 1 && none.err.contains("not a saved plan"), "{none:?}");
    }
    let done = apply("shop.yaml");
    assert_eq!(done.code, 0, "{}", done.err);
    let stale = apply("shop.yaml");
    assert!(stale.code == 3 && stale.err.contains("changed since the plan was saved"), "{stale:?}");
}

/// A destroy is planned, saved and reviewed like an apply; each is carried out by its own command.
#[tokio::test(start_paused = true)]
async fn a_saved_plan_to_destroy() {
    let place = with_orders(2).await;
    let saved = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "apply.json"]));
    assert_eq!(saved.code, 0, "{saved:?}");
    let wrong = place.run(&in_sandbox(&["destroy", "shop.yaml", "--plan", "apply.json", "--yes"]));
    assert!(wrong.code == 1 && wrong.err.contains("it is not a plan to destroy"), "{wrong:?}");
    let args = ["apply", "shop.yaml", "--plan", "apply.json", "--yes", "--allow", "failover"];
    let done = place.run(&in_sandbox(&args));
    assert_eq!(done.code, 0, "{}", done.err);

    let saved = place.run(&in_sandbox(&["plan", "shop.yaml", "--destroy", "--out", "destroy.json"]));
    assert!(saved.code == 0 && saved.out.contains("delete"), "{saved:?}");
    assert!(saved.err.contains("auroraml destroy shop.yaml --plan destroy.json"), "{saved:?}");
    let wrong = place.run(&in_sandbox(&["apply", "shop.yaml", "--plan", "destroy.json", "--yes"]));
    assert!(wrong.code == 1 && wrong.err.contains("it is a plan to destroy"), "{wrong:?}");
    let args = ["destroy", "shop.yaml", "--plan", "destroy.json", "--yes", "--allow", "failover"];
    let done = place.run(&in_sandbox(&args));
    assert_eq!(done.code, 0, "{}", done.err);
    let stale = place.run(&in_sandbox(&args));
    assert!(stale.code == 3 && stale.err.contains("changed since the plan was saved"), "{stale:?}");
}

/// `never`: everything but the restarts is done, and said; only `--accept-pending` makes that a success.
#[tokio::test(start_paused = true)]
async fn members_that_stay_pending() {
    let place = with_orders(2).await;
    place.write("shop.yaml", &SPEC.replace("existing: orders", "existing: orders, restart: never"));
    let apply = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes"]));
    assert_eq!(apply.code, 7, "{apply:?}");
    assert!(apply.err.contains("`restart: never` leaves orders-1, orders-2 pending-reboot"), "{apply:?}");
    assert!(apply.err.contains("--accept-pending makes this exit with 0"), "{apply:?}");
    for (more, expected) in [(&[][..], 7), (&["--accept-pending"][..], 0)] {
        let again = ["apply", "shop.yaml", "--yes"].iter().chain(more).copied().collect::<Vec<_>>();
        let again = place.run(&in_sandbox(&again));
        assert_eq!(again.code, expected, "{again:?}");
        assert!(again.err.contains("Nothing to do now: the rest is on hold."), "{again:?}");
    }
    let plan = ["plan", "shop.yaml", "--detailed-exitcode"];
    let told = place.run(&in_sandbox(&plan));
    assert!(told.code == 2 && told.out.contains("On hold, not done now:"), "{told:?}");
    let plan = [&plan[..], &["--accept-pending"]].concat();
    assert_eq!(place.run(&in_sandbox(&plan)).code, 0);
    let status = place.run(&in_sandbox(&["status", "shop.yaml"]));
    assert!(
        status.out.contains("left pending, as the spec's `restart` says: orders-1, orders-2"),
        "{status:?}"
    );
    // Without that word in the spec they are restarted.
    place.write("shop.yaml", SPEC);
    let apply = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "failover"]));
    assert_eq!(apply.code, 0, "{apply:?}");
    assert!(apply.err.contains("Interruptions: 2 announced, 2 made"), "{}", apply.err);
    assert!(apply.err.contains("! parameter_sync.main: fail over from orders-"), "{}", apply.err);
}

/// A window that opens on the other side of the week in which the simulated account begins.
pub fn closed_window() -> String {
    let now = jiff::Timestamp::from_millisecond(auroraml_sandbox::World::new(1, Mood::Calm).now as i64)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC);
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = days[(now.weekday().to_monday_zero_offset() as usize + 3) % 7];
    format!("{day}:03:00-{day}:04:00")
}

/// The spec's limit is the last word, and a plan that was reviewed while its window was closed is still the same
/// in it.
#[tokio::test(start_paused = true)]
async fn limits_and_windows_of_the_spec() {
    let place = with_orders(1).await;
    let with =
        |restart: &str| SPEC.replace("existing: orders", &format!("existing: orders, restart: {restart}"));
    place.write("shop.yaml", &with("{ allow: failover }"));
    let refused = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "restart"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("the spec's `allow: failover` forbids restart"), "{refused:?}");
    // Who asks for less than the spec allows gets less.
    place.write("shop.yaml", &with("{ allow: restart }"));
    let refused = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "readers"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("currently only reader restarts are allowed"), "{refused:?}");
    place.write("shop.yaml", &with(&format!("{{ allow: restart, window: \"{}\" }}", closed_window())));
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "plan.json"]));
    assert!(plan.code == 0 && plan.out.contains("is closed; it opens at"), "{plan:?}");
    let apply = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--plan", "plan.json", "--now"]));
    assert_eq!(apply.code, 0, "{apply:?}");
    assert!(apply.err.contains("Interruptions: 1 announced, 1 made"), "{}", apply.err);
}

async fn change(place: &Place, change: impl AsyncFnOnce(&Sandbox)) {
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    change(file.sandbox()).await;
    file.close().unwrap();
}

fn mutations(place: &Place) -> usize {
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    file.sandbox().with(|world| world.mutations().count())
}

#[tokio::test(start_paused = true)]
async fn a_blocked_plan_changes_nothing() {
    let place = with_orders(1).await;
    change(&place, async |sandbox| {
        let rds = aws_sdk_rds::Client::new(&config(sandbox));
        let make = rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name("shop");
        make.db_parameter_group_family("aurora-mysql8.0").description("another's").send().await.unwrap();
    })
    .await;
    let before = mutations(&place);
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "plan.json"]));
    assert!(
        plan.code == 6 && plan.out.contains("Blocked by parameter_group.main: nothing will be changed."),
        "{plan:?}"
    );
    assert!(
        !place.path("plan.json").exists() && plan.err.contains("is blocked and was not saved"),
        "{plan:?}"
    );
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--detailed-exitcode"]));
    assert!(
        plan.code == 6 && plan.out.contains("Blocked by parameter_group.main: nothing will be changed."),
        "{plan:?}"
    );
    let apply = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes"]));
    assert_eq!(apply.code, 6, "{apply:?}");
    assert!(apply.err.contains("error: parameter_group.main: an object with this name exists"), "{apply:?}");
    let remedy = "  help: if it belongs to this stack, tag shop with auroraml:stack = shop and auroraml:resource = \
                  parameter_group.main, then run again; otherwise choose another stack name";
    assert!(apply.err.contains(remedy), "{apply:?}");
    assert_eq!(mutations(&place), before);
    // Nor is anything done when a name was mistyped.
    for command in ["plan", "apply", "destroy"] {
        let mistyped = place.run(&in_sandbox(&[command, "shop.yaml", "--delete", "notebok.main"]));
        assert_eq!(mistyped.code, 6, "{mistyped:?}");
        let told = "error: --delete notebok.main: it is not KIND.NAME of a known kind; nothing was changed";
        assert!(mistyped.err.contains(told), "{mistyped:?}");
    }
    assert_eq!(mutations(&place), before);
    // A destroy may not delete it, and does not call that nothing.
    let destroy = place.run(&in_sandbox(&["destroy", "shop.yaml", "--yes"]));
    assert_eq!(destroy.code, 7, "{destroy:?}");
    assert!(!destroy.err.contains("nothing of this stack is left"), "{destroy:?}");
    let left = "error: parameter_group.main: not deleted: it has this stack's name but not its tags";
    assert!(destroy.err.contains(left), "{destroy:?}");
    assert_eq!(mutations(&place), before);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_once_and_what_is_left_is_listed() {
    let place = with_orders(1).await;
    // Whoever may not ask what they may hears of it from the change that is refused.
    let denied =
        r#"{"Effect":"Deny","Action":["iam:CreateRole","iam:SimulatePrincipalPolicy"],"Resource":"*"}"#;
    let allowed = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    place.write("policy.json", &format!(r#"{{"Version":"2012-10-17","Statement":[{allowed},{denied}]}}"#));
    let enforced = ["apply", "shop.yaml", "--yes", "--allow", "restart", "--enforce-policy", "policy.json"];
    let apply = place.run(&in_sandbox(&enforced));
    assert_eq!(apply.code, 7, "{apply:?}");
    assert_eq!(apply.err.matches("error: ").count(), 1, "{}", apply.err);
    assert!(apply.err.contains("error: role.comprehend (does not exist): "), "{}", apply.err);
    assert!(apply.err.contains("role.comprehend: failed after "), "{}", apply.err);
    assert!(apply.err.contains("Left to do:\n"), "{}", apply.err);
}

#[tokio::test(start_paused = true)]
async fn colour_only_when_wanted() {
    let place = with_orders(1).await;
    let plain = place.run(&in_sandbox(&["plan", "shop.yaml"]));
    let always = place.run(&in_sandbox(&["plan", "shop.yaml", "--color", "always"]));
    assert!(!plain.out.contains('\u{1b}') && always.out.contains("\u{1b}[1m"), "{always:?}");
    assert_eq!(anstream::adapter::strip_str(&always.out).to_string(), plain.out);
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    let locked = place.run(&in_sandbox(&["plan", "shop.yaml"]));
    assert!(locked.code == 1 && locked.err.contains("in use by another process"), "{locked:?}");
    drop(file);
}

/// Ctrl-C at a sandbox that runs slowly enough to be interrupted.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn stopped_half_way_and_run_again() {
    // A terminal that is closed, and a service manager, end a run as Ctrl-C does.
    for signal in ["-TERM", "-HUP"] {
        stopped_by(signal).await;
    }
}

/// Whoever stops a run between two restarts is told which one was made.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn stopped_between_two_restarts() {
    let place = with_orders(2).await;
    let apply = ["apply", "shop.yaml", "--yes", "--allow", "restart", "--sandbox=world.json"];
    let mut process = Process::start(&mut place.command(&[&apply[..], &["--sandbox-speed", "20"]].concat()));
    process.says_until("! parameter_sync.main: restart reader orders-2");
    process.signal("-INT");
    let (code, said) = process.end();
    assert_eq!(code, 7, "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let made = "announced, 1 made: restart reader orders-2 (tier 1, db.r6g.large, us-east-1b); not made: fail over from orders-1";
    assert!(said.contains("Stopped in ") && said.contains(made), "{said}");
    let again = place.run(&in_sandbox(&apply[..5]));
    assert_eq!(again.code, 0, "{}", again.err);
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--detailed-exitcode"]));
    assert_eq!(plan.code, 0, "{plan:?}");
}

#[cfg(unix)]
async fn stopped_by(signal: &str) {
    let place = with_orders(2).await;
    let mut child = place
        .command(&[
            "apply",
            "shop.yaml",
            "--yes",
            "--allow",
            "restart",
            "--sandbox=world.json",
            "--sandbox-speed",
            "5",
        ])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        seen.push_str(&line);
        if line.contains("role.comprehend: creating") {
            break;
        }
    }
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let rest = rest.join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(7), "{seen}\n{rest}");
    for text in ["stopping: no new steps start", "Stopped in ", "Left to do:", "run the same command again"] {
        assert!(rest.contains(text), "no {text:?} in {rest}");
    }
    let again = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "restart"]));
    assert_eq!(again.code, 0, "{}", again.err);
    let plan = place.run(&in_sandbox(&["plan", "shop.yaml", "--detailed-exitcode"]));
    assert_eq!(plan.code, 0, "{plan:?}");
}

#[cfg(unix)]
#[test]
fn the_sandbox_listens() {
    let place = Place::new();
    let mut child = place
        .command(&["sandbox", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("export AWS_ENDPOINT_URL=http://").unwrap().to_string();
    let rest: Vec<String> = lines.by_ref().take(3).map(|line| line.unwrap()).collect();
    assert!(rest.iter().all(|line| line.starts_with("export AWS_")), "{rest:?}");
    // auroraml itself is an AWS client like any other.
    place.write("shop.yaml", SPEC);
    let mut plan = place.command(&["plan", "shop.yaml"]);
    plan.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    plan.env("AWS_ACCESS_KEY_ID", "AKIDSANDBOX").env("AWS_SECRET_ACCESS_KEY", "sandbox");
    let plan = plan.output().unwrap();
    let text = String::from_utf8_lossy(&plan.stderr).into_owned();
    assert!(plan.status.code() == Some(5) && text.contains("DB cluster orders does not exist"), "{text}");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(err.contains("POST us-east-1 sts:GetCallerIdentity 200"), "{err}");
    assert!(err.contains("its clock runs 25 times as fast as real time"), "as --help says: {err}");
    let max = place.run(&["sandbox", "--listen", "127.0.0.1:0", "--sandbox-speed", "max"]);
    assert!(max.code == 1 && max.err.contains("a running clock"), "{max:?}");
}
