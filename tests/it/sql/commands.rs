//! The commands, as people type them.

use crate::cli::Place;

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
