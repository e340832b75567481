//! What the command line tells is true: its hints do what they say, and what failed is told as what it is.

use crate::cli::{Place, Ran, SPEC, in_sandbox, with_orders};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The command that a message suggests, as a person copies it: from `auroraml` to the end of the line.
fn hint(message: &str) -> &str {
    let line = message.lines().rev().find(|line| line.contains("auroraml ")).expect(message);
    &line[line.find("auroraml ").unwrap()..]
}

/// Follows an answer that there is nobody to ask: saves the plan that it names, and gives back how to carry that out.
fn reviewed(place: &Place, message: &str) -> String {
    assert!(!message.contains("--yes"), "nobody is handed a command that does not ask: {message}");
    let help = message.lines().rev().find(|line| line.starts_with("  help: ")).expect(message);
    let commands: Vec<&str> = help.split('`').filter(|part| part.starts_with("auroraml ")).collect();
    let [plan, carry_out, help] = commands[..] else { panic!("{message}") };
    let saved = type_in(place, plan);
    assert_eq!(saved.code, 0, "{plan}: {saved:?}");
    assert!(type_in(place, help).out.contains("Needed without a terminal"), "{help}");
    carry_out.to_string()
}

/// Types a line into a shell that has auroraml on its path.
fn type_in(place: &Place, line: &str) -> Ran {
    let folder = Path::new(env!("CARGO_BIN_EXE_auroraml")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(place.path("")).env_clear().stdin(Stdio::null());
    ran(shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).output().unwrap())
}

/// Whoever follows the hints gets there, in the same sandbox: without its flags they would work in a real account.
#[tokio::test(start_paused = true)]
async fn hints_repeat_the_flags() {
    let place = with_orders(2).await;
    let refused = place.run(&in_sandbox(&["apply", "shop.yaml", "--events", "all events.jsonl"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(hint(&refused.err).contains("--allow failover"), "{refused:?}");
    let asked = type_in(&place, hint(&refused.err));
    assert!(asked.code == 1 && asked.err.contains("cannot ask for confirmation"), "{asked:?}");
    let carry_out = reviewed(&place, &asked.err);
    assert!(
        type_in(&place, &carry_out).err.contains("cannot ask for confirmation"),
        "a plan confirms nothing"
    );
    let done = type_in(&place, &format!("{carry_out} --yes"));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(place.read("all events.jsonl").contains("parameter_sync.main"));
    // The other way: from nothing but `destroy`.
    let refused = place.run(&in_sandbox(&["destroy", "shop.yaml"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    let asked = type_in(&place, hint(&refused.err));
    assert_eq!(asked.code, 1, "{asked:?}");
    let destroy = type_in(&place, &format!("{} --yes", reviewed(&place, &asked.err)));
    assert_eq!(destroy.code, 0, "{destroy:?}");
    // A plan says how to carry it out, and a new spec how to look at it.
    let saved = place.run(&in_sandbox(&["plan", "shop.yaml", "--out", "plan.json", "--allow", "failover"]));
    let carry_out = format!("{} --yes", hint(&saved.err));
    let done = type_in(&place, &carry_out);
    assert_eq!(done.code, 0, "{carry_out}: {done:?}");
    let init = place.run(&["init", "new.yaml", "--sandbox=other.json"]);
    let plan = type_in(&place, hint(&init.err));
    assert!(plan.code == 0 && place.path("other.json").exists(), "{plan:?}");
    let init = place.run(&["init", "newer.yaml"]);
    assert_eq!(hint(&init.err), "auroraml plan newer.yaml --sandbox");
}

/// At a terminal the plan says that it needs a yes, and the question says what that allows.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_yes_allows_what_it_says() {
    let place = with_orders(2).await;
    let command = format!(
        "{} apply shop.yaml --sandbox=world.json --sandbox-speed max",
        env!("CARGO_BIN_EXE_auroraml")
    );
    // script(1) of util-linux gives the command a terminal.
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script(1)");
    child.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.out);
    let asked = "It interrupts the writer: failover; yes allows that once. Type yes to continue:";
    // Wherever the terminal's lines end.
    let text = anstream::adapter::strip_str(&ran.out).to_string();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Needs your confirmation, or --allow failover; currently"), "{}", ran.out);
    assert!(!words.contains("Not allowed") && words.contains(asked), "{}", ran.out);
}

/// What comes next: what is missing is made before it is looked at or taken away, and the cluster of others never goes.
#[tokio::test(start_paused = true)]
async fn the_next_commands_are_of_use() {
    let place = with_orders(2).await;
    let next = |spec: &str| {
        let status = place.run(&in_sandbox(&["status", spec]));
        assert_eq!(status.code, 0, "{status:?}");
        let (_, next) = status.out.split_once("\nNext\n").unwrap_or_else(|| panic!("{status:?}"));
        let lines =
            next.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_string());
        lines.collect::<Vec<_>>()
    };
    let first = next("shop.yaml");
    assert!(first.len() == 2 && first[0].starts_with("auroraml apply shop.yaml --sandbox"), "{first:?}");
    assert_eq!(first[1], "create what is missing");
    let done = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "failover"]));
    assert_eq!(done.code, 0, "{done:?}");
    let then = next("shop.yaml");
    assert!(then[0].starts_with("auroraml verify") && then[2].starts_with("auroraml destroy"), "{then:?}");
    assert_eq!(then[3], "remove what auroraml added; the cluster stays");
    // Of what is the stack's own as well.
    place.write("minimal.yaml", include_str!("../../specs/minimal.yaml"));
    let own = next("minimal.yaml");
    assert!(own.len() == 2 && own[0].starts_with("auroraml apply minimal.yaml"), "{own:?}");
    // Of a stack of which only the bucket was kept: there is no cluster to check.
    let minimal = include_str!("../../specs/minimal.yaml");
    place.write("kept.yaml", &(minimal.to_string() + "bucket: { on_destroy: keep }\n"));
    for command in ["apply", "destroy"] {
        let done = place.run(&in_sandbox(&[command, "kept.yaml", "--yes"]));
        assert_eq!(done.code, 0, "{done:?}");
    }
    let kept = next("kept.yaml");
    assert!(kept.len() == 4 && kept[2].starts_with("auroraml destroy kept.yaml"), "{kept:?}");
    let gone = place.run(&in_sandbox(&["destroy", "shop.yaml", "--yes", "--allow", "failover"]));
    assert!(gone.out.ends_with("Nothing of this stack costs money any more.\n"), "{gone:?}");
}

/// The same as the JSON, without tags of Rust's enums, and with quotes where a bare word would be no string.
#[test]
fn yaml_is_the_same_document() {
    let place = Place::new();
    place.write("stack.yaml", include_str!("../../specs/minimal.yaml"));
    let plan = |format| place.run(&in_sandbox(&["plan", "stack.yaml", "--format", format])).out;
    let (json, yaml) = (plan("json"), plan("yaml"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let value: serde_yaml::Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    assert!(!yaml.contains(": !") && !yaml.contains("- !"), "{yaml}");
    // A date to PyYAML where it stands bare.
    assert!(yaml.contains("\"2012-10-17\""), "{yaml}");
}

/// The address of something that gives this answer to whatever it is asked.
fn answering(answer: &'static str) -> &'static str {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut asked);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Box::leak(address.into_boxed_str())
}

/// Something else than our sandbox serves there.
#[test]
fn a_listener_that_is_no_sandbox() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let other = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
    let ran = place.run(&["plan", "shop.yaml", &format!("--sandbox={other}")]);
    assert!(ran.code == 1 && ran.err.contains(&format!("error: {other}: ")), "{ran:?}");
    assert!(ran.err.contains("use other AWS simulators through AWS_ENDPOINT_URL"), "{ran:?}");
}

/// What keeps a first request from AWS, told as what it is.
#[test]
fn what_is_in_the_way_to_aws() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    std::fs::create_dir(place.path(".aws")).unwrap();
    place.write(
        ".aws/config",
        "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dev\n\
         [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
         [profile broken]\ncredential_process = /nonexistent/command\n[profile empty]\noutput = json\n\
         [profile via]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = empty\n",
    );
    place.write(".aws/credentials", "[key]\naws_access_key_id = AKID\n[half]\naws_secret_access_key = x\n");
    let keys: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let with = |more: &[(&'static str, &'static str)]| [keys, more].concat();
    // Nothing listens on a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let free: &'static str = Box::leak(format!("http://{free}").into_boxed_str());
    let refusing = answering(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n<ErrorResponse><Error>\
         <Code>InvalidClientTokenId</Code><Message>The security token is invalid.</Message></Error></ErrorResponse>",
    );
    const NOTHING: &str = "profile `empty` has no credentials: no keys, SSO or role";
    // Environment, flags, part of the error, part of the advice.
    type Case<'c> = (Vec<(&'c str, &'c str)>, &'c [&'c str], &'c str, &'c str);
    let cases: [Case<'_>; 18] = [
        (vec![], &[], "AWS: no AWS credentials found", "aws sso login"),
        (
            vec![("AWS_PROFILE", "nobody")],
            &[],
            "profile `nobody` not found in ~/.aws/config or ~/.aws/credentials",
            "choose one of these with --profile: broken, dev, empty, half, key, via",
        ),
        // As in the AWS CLI, the profile that was asked for wins over keys in the environment.
        (with(&[]), &["--profile", "nobody"], "profile `nobody` not found in ~/.aws/config", "--profile"),
        (vec![], &["--profile", "deb"], "profile `deb` not found in ~/.aws/config", "did you mean `dev`?"),
        // The SDK itself goes on where no file has any profile.
        (
            vec![
                ("AWS_PROFILE", "nobody"),
                ("AWS_CONFIG_FILE", "/none"),
                ("AWS_SHARED_CREDENTIALS_FILE", "/none2"),
            ],
            &[],
            "profile `nobody` not found in /none or /none2",
            "aws configure sso --profile nobody",
        ),
        (
            vec![("AWS_PROFILE", "dev")],
            &[],
            "the SSO session of profile `dev` has expired or does not exist",
            "aws sso login --profile dev",
        ),
        (
            vec![("AWS_ACCESS_KEY_ID", "AKID")],
            &[],
            "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not",
            "set AWS_SECRET_ACCESS_KEY",
        ),
        (
            vec![("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_ACCESS_KEY_ID", " ")],
            &[],
            "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not",
            "set AWS_ACCESS_KEY_ID",
        ),
        (
            vec![],
            &["--profile", "key"],
            "profile `key` has no aws_secret_access_key",
            "aws configure --profile key",
        ),
        (vec![], &["--profile", "half"], "profile `half` has no aws_access_key_id", "~/.aws/credentials"),
        (vec![("AWS_PROFILE", "empty")], &[], NOTHING, "aws configure sso --profile empty"),
        (vec![], &["--profile", "empty"], NOTHING, "aws configure sso --profile empty"),
        // The profile that is to be mended, not the one that names it.
        (vec![], &["--profile", "via"], NOTHING, "aws configure sso --profile empty"),
        (
            vec![],
            &["--profile", "dev"],
            "the SSO session of profile `dev` has expired or does not exist",
            "aws sso login --profile dev",
        ),
        (vec![], &["--profile", "broken"], "/nonexistent/command", "aws sts get-caller-identity"),
        (with(&[("AWS_ENDPOINT_URL", "nonsense")]), &[], "`nonsense` is not an endpoint URL", "https://HOST"),
        (with(&[("AWS_ENDPOINT_URL", free)]), &[], "cannot connect: ", "AWS_ENDPOINT_URL"),
        (
            with(&[("AWS_ENDPOINT_URL", refusing)]),
            &[],
            "InvalidClientTokenId: The security token is invalid",
            "aws sso login",
        ),
    ];
    for (environment, flags, why, help) in cases {
        let mut command = place.command(&["status", "shop.yaml"]);
        let ran = ran(command.args(flags).envs(environment).output().unwrap());
        let (error, advice) = ran.err.split_once("\n  help: ").unwrap_or_else(|| panic!("{ran:?}"));
        assert!(ran.code == 1 && error.contains(why) && advice.contains(help), "{why}: {ran:?}");
        assert!(ran.err.starts_with("error: ") && !ran.err.contains("\nerror: "), "once: {ran:?}");
    }
}

/// A file of the spec is no matter of AWS's, and no reason not to destroy.
#[test]
fn a_notebook_file_that_cannot_be_read() {
    let place = Place::new();
    let spec = include_str!("../../specs/churn-as-published.yaml");
    place.write("stack.yaml", spec);
    let plan = place.run(&in_sandbox(&["plan", "stack.yaml"]));
    assert_eq!(plan.code, 5, "{plan:?}");
    assert!(plan.err.contains("error: notebook.files [file-unreadable]: "), "{plan:?}");
    assert!(plan.err.contains("cannot read ") && plan.err.contains("the spec's folder"), "{plan:?}");
    let destroy = place.run(&in_sandbox(&["destroy", "stack.yaml", "--yes"]));
    assert_eq!(destroy.code, 0, "{destroy:?}");
}
