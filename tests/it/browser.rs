//! Pages and pictures of the whole binary, looked at in a real browser (`tests/clients/pages.py`). Without a browser their
//! text is looked at all the same, and the test says what it did not see.

use crate::cli::{Place, in_sandbox, with_orders};
use crate::harness::{copy_files, spec};
use crate::support::skipped;
use auroraml_core::render::html::{Page, Tone, Trouble};
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// For a run to begin.
const BEGIN: Duration = Duration::from_secs(60);

/// The browser, where the distribution has one: what `tests/clients/browser.py` takes.
fn has_browser() -> bool {
    let named = std::env::var_os("AURORAML_TEST_BROWSER");
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &OsStr| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    match named {
        Some(name) => Path::new(&name).is_file() || is_there(&name),
        None => names.into_iter().any(|name| is_there(name.as_ref())),
    }
}

/// The Python that drives the browser, where there are both.
fn python() -> Option<OsString> {
    let python = std::env::var_os("AURORAML_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let works = Command::new(&python).arg("--version").output().is_ok_and(|found| found.status.success());
    (has_browser() && works).then_some(python)
}

/// Has a browser look at every page of the folder; `expected` says what a reader must see on each.
fn look(folder: &Path, expected: &Value) {
    for (name, texts) in expected.as_object().unwrap() {
        let page = std::fs::read_to_string(folder.join(name)).unwrap();
        for text in texts.as_array().unwrap() {
            let text = text.as_str().unwrap();
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let escaped = escaped.replace('\'', "&#39;").replace('"', "&quot;");
            assert!(page.contains(&escaped), "{name} does not say {text}: {page}");
        }
        assert!(!page.contains("<script"), "{name}");
    }
    let Some(python) = python() else {
        return skipped("there is no browser for the pages (chromium, or AURORAML_TEST_BROWSER)");
    };
    std::fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/pages.py");
    let looked = Command::new(python).arg(script).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(looked.status.success(), "{said}\n{}", String::from_utf8_lossy(&looked.stderr));
    println!("{}", said.trim_end());
}

/// A plan, its run with restarts, what is there, what it costs, and the end of it.
#[tokio::test(start_paused = true)]
async fn pages_of_a_life_are_looked_at_in_a_browser() {
    let place = with_orders(2).await;
    std::fs::create_dir(place.path("pages")).unwrap();
    let run = |args: &[&str], code: i32| {
        let ran = place.run(&in_sandbox(args));
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        ran
    };
    run(&["plan", "shop.yaml", "--html", "pages/plan.html"], 0);
    run(&["apply", "shop.yaml", "--yes", "--html", "pages/refused.html"], 6);
    run(&["apply", "shop.yaml", "--yes", "--allow", "failover", "--html", "pages/run.html"], 0);
    run(&["status", "shop.yaml", "--html", "pages/status.html"], 0);
    run(&["cost", "shop.yaml", "--html", "pages/cost.html"], 0);
    run(&["cost", "shop.yaml", "--offline", "--html", "pages/offline.html"], 0);
    let drawn = run(&["graph", "shop.yaml", "--format", "svg"], 0).out;
    place.write("pages/graph.svg", &drawn);
    run(&["destroy", "shop.yaml", "--yes", "--allow", "failover", "--html", "pages/destroy.html"], 0);
    let run_page = place.read("pages/run.html");
    assert_eq!(run_page.matches("class=\"cut own\"").count(), 2, "one mark for each restart: {run_page}");
    let members = ["orders-1", "orders-2"];
    look(
        &place.path("pages"),
        &json!({
            "plan.html": ["shop", "role.comprehend", "create"],
            "refused.html": ["Nothing was changed.", "refused"],
            "run.html": ["role.comprehend", "Interruptions that were made", members[0], members[1], "Done"],
            "status.html": ["resources", "role.comprehend"],
            "cost.html": ["USD", "Total"],
            "offline.html": ["what exists now is unknown", "Total"],
            "graph.svg": ["Stack shop in us-east-1", "Roles"],
            "destroy.html": ["Destroyed", "role.comprehend"],
        }),
    );
}

/// The whole of a large stack, and names that would like to be more than names.
#[test]
fn large_and_ill_pages_are_looked_at_in_a_browser() {
    let place = Place::new();
    std::fs::create_dir(place.path("pages")).unwrap();
    for name in ["everything", "production"] {
        let text =
            ["tests/data", "specs"].map(|folder| std::fs::read_to_string(format!("{folder}/{name}.yaml")));
        let text = text.into_iter().find_map(Result::ok).unwrap();
        place.write(&format!("{name}.yaml"), &text);
        copy_files(&spec(&text), &place.path(""));
        let file = format!("{name}.yaml");
        let drawn = place.run(&["graph", &file, "--offline", "--format", "svg"]);
        assert_eq!(drawn.code, 0, "{drawn:?}");
        place.write(&format!("pages/{name}.svg"), &drawn.out);
        let mermaid = place.run(&["graph", &file, "--offline"]);
        assert!(mermaid.code == 0 && mermaid.out.starts_with("flowchart LR\n"), "{mermaid:?}");
    }
    let planned = place.run(&[
        "plan",
        "everything.yaml",
        "--sandbox",
        "--sandbox-speed",
        "max",
        "--html",
        "pages/everything.html",
    ]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let ill = "<script>document.title = 'taken'; console.log(1)</script></style><img src=x onerror=alert(1)>";
    let long = "long".repeat(200);
    let page = Page {
        what: ill.into(),
        stack: ill.into(),
        account: Some(long.clone()),
        region: ill.into(),
        made: ill.into(),
        tone: Tone::Bad,
        headline: ill.into(),
        troubles: vec![Trouble { object: Some(long), why: ill.into(), help: Some(ill.into()) }],
        ..Page::default()
    };
    place.write("pages/ill.html", &page.to_html());
    look(
        &place.path("pages"),
        &json!({
            "everything.svg": ["Machine learning", "parameter sync", "Storage"],
            "production.svg": ["Machine learning", "Network"],
            "everything.html": ["cluster.main", "Cost", "will be created"],
            "ill.html": [ill],
        }),
    );
}

/// What `graph` prints is read and drawn by Mermaid itself (`tests/clients/mermaid.sh` fetches it): what Mermaid refuses is no
/// picture on GitHub either.
#[test]
fn graphs_are_drawn_by_mermaid() {
    let place = Place::new();
    std::fs::create_dir(place.path("graphs")).unwrap();
    let drawn = place.path("graphs");
    for file in std::fs::read_dir("tests/data/pictures").unwrap() {
        let path = file.unwrap().path();
        if path.extension() == Some(OsStr::new("mmd")) {
            std::fs::copy(&path, drawn.join(path.file_name().unwrap())).unwrap();
        }
    }
    // And what the program prints of a plan, of what is there, and of what goes.
    place.write("minimal.yaml", &std::fs::read_to_string("specs/minimal.yaml").unwrap());
    for (name, args) in [
        ("planned", &["graph", "minimal.yaml"][..]),
        ("applied", &["apply", "minimal.yaml", "--yes"]),
        ("settled", &["graph", "minimal.yaml"]),
    ] {
        let ran = place.run(&in_sandbox(args));
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        if args[0] == "graph" {
            assert!(ran.out.starts_with("flowchart LR\n"), "{ran:?}");
            place.write(&format!("graphs/{name}.mmd"), &ran.out);
        }
    }
    let mermaid = std::env::var_os("AURORAML_TEST_MERMAID").map(std::path::PathBuf::from);
    let (Some(python), Some(mermaid)) = (python(), mermaid.filter(|script| script.is_file())) else {
        return skipped("there is no Mermaid, or no browser for it (npm; AURORAML_TEST_MERMAID)");
    };
    std::fs::copy(mermaid, drawn.join("mermaid.min.js")).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/mermaid.py");
    let looked = Command::new(python).arg(script).arg(&drawn).output().unwrap();
    let said = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(looked.status.success(), "{said}\n{}", String::from_utf8_lossy(&looked.stderr));
    println!("{}", said.trim_end());
}

/// What a run did is on its page also when it fails half way, or is stopped.
#[test]
fn a_run_that_ends_badly_leaves_its_page() {
    let place = Place::new();
    std::fs::create_dir(place.path("pages")).unwrap();
    let text = std::fs::read_to_string("specs/minimal.yaml").unwrap();
    place.write("minimal.yaml", &text);
    // Whatever it asks it may, but for one thing, of which nobody knows beforehand.
    let statements = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "rds:CreateDBCluster", "Resource": "*" },
    ]);
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    place.write("policy.json", &policy.to_string());
    let failed = place.run(&[
        "apply",
        "minimal.yaml",
        "--yes",
        "--sandbox",
        "--sandbox-speed",
        "max",
        "--enforce-policy",
        "policy.json",
        "--html",
        "pages/failed.html",
    ]);
    assert_eq!(failed.code, 7, "{failed:?}");
    // Somebody interrupts another one, which goes on from there.
    let args = [
        "apply",
        "minimal.yaml",
        "--yes",
        "--sandbox",
        "--sandbox-speed",
        "20",
        "--html",
        "pages/stopped.html",
    ];
    let child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = crate::support::stopwatch();
    await_begin(&place, begun);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    look(
        &place.path("pages"),
        &json!({
            "failed.html": ["Stopped in", "What went wrong", "cluster.main", "failed", "What is left to do"],
            "stopped.html": ["Stopped in", "asked to stop", "the run was stopped", "What is left to do"],
        }),
    );
}

/// Waits until the run has begun: its page says so.
#[expect(clippy::disallowed_methods, reason = "another process takes real time")]
fn await_begin(place: &Place, begun: Instant) {
    loop {
        let page = std::fs::read_to_string(place.path("pages/stopped.html")).unwrap_or_default();
        if page.contains("The run has started") {
            break;
        }
        assert!(begun.elapsed() < BEGIN, "the run does not begin: {page}");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Some of it is to be done.
    std::thread::sleep(Duration::from_millis(1_500));
}

/// Of several stacks each has a page of its own, and a page that cannot be written stops a run before it begins.
#[test]
fn pages_of_several_stacks_and_of_none() {
    let place = Place::new();
    std::fs::create_dir(place.path("stacks")).unwrap();
    for name in ["one", "two"] {
        place.write(
            &format!("stacks/{name}.yaml"),
            &format!("stack: {name}\nregion: us-east-1\nbucket: {{}}\n"),
        );
    }
    let sandbox = ["--sandbox", "--sandbox-speed", "max"];
    for (command, flags) in
        [("plan", &[][..]), ("apply", &["--yes"]), ("cost", &[]), ("cost", &["--offline"])]
    {
        let args = [&[command, "stacks", "--html", "pages"][..], flags];
        let mut args = args.concat();
        if !flags.contains(&"--offline") {
            args.extend(sandbox);
        }
        let ran = place.run(&args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        for name in ["one", "two"] {
            let page = place.read(&format!("pages/{name}.us-east-1.html"));
            assert!(page.contains(&format!("<h1>{name}</h1>")) && page.contains("bucket.main"), "{page}");
            std::fs::remove_file(place.path(&format!("pages/{name}.us-east-1.html"))).unwrap();
        }
    }
    place.write("new.yaml", "stack: new\nregion: us-east-1\nbucket: {}\n");
    let args = [&["apply", "new.yaml", "--yes", "--html", "nowhere/page.html"][..], &sandbox].concat();
    let ran = place.run(&args);
    assert!(ran.code == 1 && ran.err.contains("nowhere/page.html: cannot be written"), "{ran:?}");
    let status = place.run(&[&["status", "new.yaml"][..], &sandbox].concat());
    assert!(status.out.contains("Nothing of this stack exists"), "{status:?}");
}
