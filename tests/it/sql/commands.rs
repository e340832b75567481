//! The commands, as people type them.

use crate::cli::Place;
#[cfg(unix)]
use crate::process::Process;
#[cfg(unix)]
use auroraml_sandbox::file::FileSandbox;
#[cfg(unix)]
use auroraml_sandbox::random::Mood;

const SPEC: &str = "\
stack: shop
region: us-east-1
network: { cidr: 10.0.0.0/16, public_subnets: [10.0.0.0/24], private_subnets: [10.0.1.0/24, 10.0.2.0/24], nat: single }
bucket: { on_destroy: empty }
aurora:
  instances: [{ class: db.r6g.large }]
  database: orders
  data_api: true
  on_destroy: delete
machine_learning: { comprehend: true, s3: true }
tables: { numbers: { columns: { n: int } } }
unloads: { all: { table: numbers } }
";
const IN: [&str; 2] = ["--sandbox=world.json", "--sandbox-speed=max"];

#[test]
fn rows_go_out_and_come_back() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let run = |args: &[&str]| place.run(&[args, &IN].concat());
    let applied = run(&["apply", "shop.yaml", "--yes", "--quiet"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let plan = run(&["plan", "shop.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let to = "s3://shop-sagemaker-111122223333-us-east-1/out/three";
    let query = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3";
    let out = run(&["data", "unload", "shop.yaml", "--query", query, "--to", to, "--header"]);
    assert_eq!(
        (out.code, out.out.as_str()),
        (0, format!("{to}: 3 rows written in 1 file; the counts in database and S3 match\n").as_str()),
        "{out:?}"
    );
    assert!(out.err.contains(&format!("writing to {to}.part_")), "{out:?}");
    let again = run(&["data", "unload", "shop.yaml", "--query", query, "--to", to, "--header"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains(&format!("error: {to}: the prefix already has 1 file")), "{again:?}");
    let from = format!("{to}.part_00000");
    let load = ["data", "load", "shop.yaml", "numbers", "--from", &from, "--header"];
    let loaded = run(&load);
    assert_eq!(
        (loaded.code, loaded.out.as_str()),
        (0, "orders.numbers: 3 rows loaded; the counts in database and S3 match\n"),
        "{loaded:?}"
    );
    let twice = run(&load);
    assert!(twice.code == 1 && twice.err.contains("would duplicate its rows"), "{twice:?}");
    let asked = run(&["verify", "shop.yaml", "--query", "SELECT SUM(n) AS total FROM numbers", "--quiet"]);
    assert!(asked.code == 0 && asked.out.contains("total = 6 ("), "{asked:?}");
    let refused = run(&["verify", "shop.yaml", "--query", "DELETE FROM numbers"]);
    assert!(refused.code == 1 && refused.err.contains("DELETE may change something"), "{refused:?}");
    assert!(!refused.err.contains("wakes a paused cluster"), "nothing was begun: {refused:?}");
    let sentiment = run(&["verify", "shop.yaml", "--query", "--quiet"]);
    assert!(sentiment.code == 0 && sentiment.out.contains("sentiment = POSITIVE"), "{sentiment:?}");
    let unknown = run(&["data", "unload", "shop.yaml", "some", "--to", to]);
    assert!(
        unknown.err.contains("no unload with this name") && unknown.err.contains("there are all"),
        "{unknown:?}"
    );
    let destroyed = run(&["destroy", "shop.yaml", "--yes", "--quiet"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
}

/// Ctrl-C while the database works: the run ends and gives its lease back, and the database goes on with its statement.
#[cfg(unix)]
#[test]
fn a_move_that_is_interrupted() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let run = |args: &[&str]| place.run(&[args, &IN].concat());
    let applied = run(&["apply", "shop.yaml", "--yes", "--quiet"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let to = "s3://shop-sagemaker-111122223333-us-east-1/out/one";
    let written = run(&["data", "unload", "shop.yaml", "--query", "SELECT 1 AS n", "--to", to]);
    assert_eq!(written.code, 0, "{written:?}");
    let world = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    // A load or unload takes ten minutes, a dozen times what the Data API waits.
    world.sandbox().with(|world| world.regions.get_mut("us-east-1").unwrap().rds.slow_statements = 2_000);
    world.close().unwrap();

    let from = format!("{to}.part_00000");
    let load = ["data", "load", "shop.yaml", "numbers", "--from", &from];
    let elsewhere = "s3://shop-sagemaker-111122223333-us-east-1/out/two";
    let unload = ["data", "unload", "shop.yaml", "--query", "SELECT 2 AS n", "--to", elsewhere];
    for (command, twice) in [
        (&load[..], format!("a load of {from} is already running")),
        (&unload[..], format!("an unload to {elsewhere} is already running")),
    ] {
        let slowly = ["--sandbox=world.json", "--sandbox-speed=20", "--lease=lease.json"];
        let mut process = Process::start(&mut place.command(&[command, &slowly].concat()));
        let said = process.says_until("still running after");
        process.signal("-INT");
        let (code, rest) = process.end();
        assert_eq!(code, 7, "{said}{rest}");
        for text in ["interrupted: if the statement was sent", "SHOW FULL PROCESSLIST"] {
            assert!(rest.contains(text), "no {text:?} in {rest}");
        }
        // Nobody holds the lease, and what is at work is seen.
        let again = place.run(&[command, &["--lease=lease.json"], &IN].concat());
        assert!(again.code == 1 && again.err.contains(&twice), "{again:?}");
    }
}
