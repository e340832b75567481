//! LOAD DATA FROM S3 and SELECT … INTO OUTFILE S3.

use super::{Answer, Fixture, Parameters};

fn fixture() -> Fixture {
    let mut f = Fixture::with_tables();
    f.variables.insert("activate_all_roles_on_login".into(), "ON".into());
    f.ok("CREATE TABLE t (a bigint, b varchar(10), c double)");
    f
}

#[test]
fn files_are_loaded() {
    let mut f = fixture();
    f.outside.objects.insert("data.csv".into(), b"a,b,c\n1,\"x,y\",1.5\n2,,\n".to_vec());
    let load = "LOAD DATA FROM S3 's3-us-east-1://bucket/data.csv' INTO TABLE t FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\n'";
    assert_eq!(f.ok(&format!("{load} IGNORE 1 LINES")).updated, 2);
    assert_eq!(f.rows("SELECT * FROM t"), [["1", "x,y", "1.5"], ["2", "", "0"]]);
    assert_eq!(
        f.rows("SELECT load_prefix, bytes_loaded FROM mysql.aurora_s3_load_history"),
        [["s3-us-east-1://bucket/data.csv", "22"]]
    );
    f.ok(load);
    assert_eq!(f.one("SELECT a FROM t WHERE b = 'b'"), "0", "a header is a row for who does not skip it");
    f.variables.insert("sql_mode".into(), "STRICT_TRANS_TABLES".into());
    assert_eq!(f.no(load).0, 1366);
    assert_eq!(f.no("LOAD DATA FROM S3 's3://bucket/none' INTO TABLE t").0, 63985);
    assert_eq!(f.no("LOAD DATA FROM S3 'bucket/none' INTO TABLE t").0, 63985);
    assert_eq!(f.no("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").0, 1148);
    f.outside.objects.insert("data.csv2".into(), b"7\tz\n".to_vec());
    f.ok("TRUNCATE t");
    assert_eq!(f.ok("LOAD DATA FROM S3 FILE 's3://bucket/data.csv2' INTO TABLE t (a, @skipped) ").updated, 1);
    assert_eq!(f.rows("SELECT * FROM t"), [["7", "NULL", "NULL"]]);
    f.variables.remove("activate_all_roles_on_login");
    assert_eq!(f.no(load).0, 1227);
}

#[test]
fn prefixes_and_manifests_name_files() {
    let mut f = fixture();
    for (key, text) in [("part.1", "1\ta\t1\n"), ("part.2", "2\tb\t2\n"), ("other", "3\tc\t3\n")] {
        f.outside.objects.insert(key.into(), text.into());
    }
    assert_eq!(f.ok("LOAD DATA FROM S3 PREFIX 's3://bucket/part' REPLACE INTO TABLE t").updated, 2);
    let manifest =
        r#"{"entries": [{"url": "s3://bucket/other", "mandatory": true}, {"url": "s3://bucket/none"}]}"#;
    f.outside.objects.insert("m".into(), manifest.into());
    assert_eq!(f.ok("LOAD DATA FROM S3 MANIFEST 's3://bucket/m' INTO TABLE t").updated, 1);
    assert_eq!(f.one("SELECT COUNT(*) FROM mysql.aurora_s3_load_history"), "4");
}

#[test]
fn results_are_unloaded() {
    let mut f = fixture();
    let unload = "SELECT id, name, spent FROM customer ORDER BY id INTO OUTFILE S3 's3-us-east-1://bucket/out' FORMAT CSV HEADER";
    assert_eq!(f.ok(unload).updated, 4);
    assert_eq!(f.outside.objects["out.part_00000"], b"id,name,spent\n1,Ann,1.10\n2,bob,20.00\n3,Cy,3.33\n");
    assert_eq!(f.no(unload).0, 1086);
    assert_eq!(f.ok(&format!("{unload} OVERWRITE ON MANIFEST ON")).updated, 4);
    assert!(f.outside.objects.contains_key("out.manifest"));
    let other =
        "SELECT plan INTO OUTFILE S3 's3://bucket/text' FIELDS TERMINATED BY ';' FROM customer WHERE id <> 2";
    assert_eq!(f.ok(other).updated, 2);
    assert_eq!(f.outside.objects["text.part_00000"], b"yes\n\\N\n");
    assert_eq!(f.no("SELECT 1 INTO OUTFILE '/tmp/x'").0, 1227);
    f.variables.clear();
    assert_eq!(f.no(&format!("{unload} OVERWRITE ON")).0, 1227);
}

#[test]
fn what_takes_too_long_goes_on_or_is_taken_back() {
    let mut f = fixture();
    let rows: String = (0..100).map(|n| format!("{n}\n")).collect();
    f.outside.objects.insert("many".into(), rows.into_bytes());
    f.outside.slowness = 200.0;
    f.ok("CREATE TABLE one (a int)");
    let load = "LOAD DATA FROM S3 's3://bucket/many' INTO TABLE one";
    assert!(matches!(f.answer(load, &Parameters::new(), false), Answer::TooLong));
    f.now += 3_600_000;
    assert_eq!(f.one("SELECT COUNT(*) FROM one"), "0");
    assert!(matches!(f.answer(load, &Parameters::new(), true), Answer::TooLong));
    assert_eq!(f.one("SELECT COUNT(*) FROM one"), "0", "not yet");
    f.ok("INSERT INTO one VALUES (-1)");
    f.now += 70_000;
    assert_eq!(f.one("SELECT COUNT(*) FROM one"), "101", "beside what others did meanwhile");
    assert_eq!(f.one("SELECT COUNT(*) FROM mysql.aurora_s3_load_history"), "1");
}
