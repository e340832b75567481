//! Many rows.

use super::Cloud;
use serde_json::json;

/// 100,000 rows of the first article's table: loaded, counted, unloaded.
#[test]
fn many_rows_come_and_go() {
    let mut c = Cloud::new();
    let names = "state:varchar(20) acc_length:bigint area_code:bigint int_plan:varchar(20) phone:varchar(20) \
                 vmail_plan:varchar(20) vmail_msg:bigint day_mins:double day_calls:bigint day_charge:double \
                 eve_mins:double eve_calls:bigint eve_charge:double night_mins:double night_calls:bigint \
                 night_charge:double int_mins:double int_calls:bigint int_charge:double cust_service_calls:bigint \
                 Churn:varchar(20)";
    let columns: Vec<String> = names.split_whitespace().map(|one| one.replacen(':', " ", 1)).collect();
    c.ok(&format!("CREATE TABLE churn ({})", columns.join(", ")));
    let mut text = String::new();
    for row in 0..100_000_u32 {
        let n = row.wrapping_mul(2_654_435_761) >> 8;
        let line = format!(
            "KS,{},415,no,382-{:04},yes,{},{}.5,{},45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,{},False.\n",
            n % 200,
            n % 10_000,
            n % 40,
            n % 300,
            n % 160,
            n % 9
        );
        text.push_str(&line);
    }
    let bytes = text.len();
    assert!(c.world.global.s3.put_object(
        "data-bucket",
        "churn.csv",
        text.into_bytes(),
        c.now,
        &mut c.world.global.random
    ));
    let load = "LOAD DATA FROM S3 's3://data-bucket/churn.csv' INTO TABLE churn FIELDS TERMINATED BY ','";
    assert_eq!(c.ok(load)["numberOfRecordsUpdated"], 100_000);
    assert_eq!(c.ok("SELECT COUNT(*) FROM churn")["records"], json!([[{"longValue": 100_000}]]));
    let answer = c.ok("SELECT area_code, COUNT(*), ROUND(AVG(day_mins), 1) FROM churn GROUP BY area_code");
    assert_eq!(answer["records"][0][1]["longValue"], 100_000);
    let unload = "SELECT * INTO OUTFILE S3 's3://data-bucket/all' FORMAT CSV HEADER FROM churn";
    assert_eq!(c.ok(unload)["numberOfRecordsUpdated"], 100_001);
    let unloaded = c.world.global.s3.object("data-bucket", "all.part_00000").unwrap();
    assert_eq!(unloaded.iter().filter(|byte| **byte == b'\n').count(), 100_001);
    assert!(unloaded.len() > bytes / 2);
}
