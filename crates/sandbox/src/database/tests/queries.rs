//! Tables, queries, functions.

use super::Fixture;

#[test]
fn values_compare_and_count_as_in_mysql() {
    let mut f = Fixture::with_tables();
    for (sql, found) in [
        ("SELECT 7 / 2", "3.5000"),
        ("SELECT 7 DIV 2", "3"),
        ("SELECT -7 MOD 3", "-1"),
        ("SELECT 1 / 0", "NULL"),
        ("SELECT 'a' = 'A'", "1"),
        ("SELECT '12abc' + 1", "13"),
        ("SELECT '2' = 2.0", "1"),
        ("SELECT 1 || 0", "1"),
        ("SELECT NULL <=> NULL", "1"),
        ("SELECT CONCAT('a', 1, NULL)", "NULL"),
        ("SELECT CONCAT('a', 1, 'b')", "a1b"),
        ("SELECT IF('no' = 'NO', 1, 0)", "1"),
        ("SELECT ROUND(2.345, 2)", "2.35"),
        ("SELECT ROUND(-2.5)", "-3"),
        ("SELECT CRC32('MySQL')", "3259397556"),
        ("SELECT 'abc' LIKE 'A%C'", "1"),
        ("SELECT 'a_c' LIKE 'a\\\\_c'", "1"),
        ("SELECT 5 BETWEEN 1 AND 5", "1"),
        ("SELECT LEFT('hello', 2)", "he"),
        ("SELECT RIGHT('hello', 2)", "lo"),
        ("SELECT COUNT(*) FROM customer", "3"),
        ("SELECT AVG(id) FROM customer", "2.0000"),
        ("SELECT SUM(spent) FROM customer", "24.43"),
        ("SELECT ROUND(AVG(mins), 2) FROM customer", "6.25"),
        ("SELECT GROUP_CONCAT(name ORDER BY id SEPARATOR '+') FROM customer", "Ann+bob+Cy"),
        ("SELECT name FROM customer WHERE name = 'BOB'", "bob"),
        ("SELECT CAST('12' AS SIGNED) + 1", "13"),
        ("SELECT COALESCE(NULL, NULL, 'x')", "x"),
        ("SELECT DATABASE()", "shop"),
        ("SELECT CURRENT_USER()", "admin@%"),
        ("SELECT CURRENT_ROLE()", "`rds_superuser_role`@`%`"),
        ("SELECT (SELECT max(id) FROM customer)", "3"),
        ("SELECT CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", "b"),
        ("SELECT EXISTS(SELECT 1 FROM customer WHERE id = 9)", "0"),
    ] {
        assert_eq!(f.one(sql), found, "{sql}");
    }
}

#[test]
fn queries_join_group_and_order() {
    let mut f = Fixture::with_tables();
    f.ok("CREATE TABLE message (customer bigint, text varchar(200))");
    f.ok("INSERT INTO message VALUES (1, 'x'), (1, 'y'), (2, 'z')");
    assert_eq!(
        f.rows("SELECT c.name, COUNT(m.text) AS n FROM customer c LEFT JOIN message AS m ON m.customer = c.id GROUP BY c.name HAVING n < 5 ORDER BY n DESC, name"),
        [["Ann", "2"], ["bob", "1"], ["Cy", "0"]]
    );
    assert_eq!(f.first("SELECT name FROM customer ORDER BY name DESC LIMIT 1, 1"), ["bob"]);
    assert_eq!(f.first("SELECT shop.customer.name FROM shop.customer WHERE plan IS NULL"), ["Cy"]);
    assert_eq!(f.rows("SELECT * FROM customer WHERE id = 2"), [["2", "bob", "no", "2", "20.00"]]);
    assert_eq!(f.first("SELECT x.n FROM (SELECT name AS n FROM customer) x WHERE x.n LIKE 'a%'"), ["Ann"]);
    assert_eq!(f.first("WITH a AS (SELECT id FROM customer) SELECT COUNT(*) FROM a"), ["3"]);
    assert_eq!(f.first("SELECT id FROM customer UNION SELECT 9 ORDER BY id DESC"), ["9", "3", "2", "1"]);
    assert_eq!(
        f.no("SELECT nothing FROM customer"),
        (1054, "Unknown column 'nothing' in 'field list'".into())
    );
    assert_eq!(f.no("SELECT 1 FROM customer WHERE x = 1").0, 1054);
    assert_eq!(f.no("SELECT id FROM customer a JOIN customer b ON a.id = b.id").0, 1052);
    assert_eq!(f.no("SELECT 1 FROM nowhere"), (1146, "Table 'shop.nowhere' doesn't exist".into()));
    assert_eq!(f.no("SELECT 1 FROM elsewhere.t"), (1049, "Unknown database 'elsewhere'".into()));
    f.database = None;
    assert_eq!(f.no("SELECT 1 FROM t"), (1046, "No database selected".into()));
}

#[test]
fn a_syntax_error_says_where() {
    let mut f = Fixture::new();
    let (number, text) = f.no("SELECT 1\nFROM x WHERE 1 = = 2");
    assert_eq!(number, 1064);
    assert!(text.contains("near '= 2' at line 2"), "{text}");
    assert_eq!(f.no("SELECT 1; SELECT 2").0, 1064);
    assert_eq!(f.no("").0, 1065);
    assert_eq!(f.no("HELLO WORLD").0, 1064);
    assert_eq!(f.no("OPTIMIZE TABLE x").0, 1064);
}

#[test]
fn tables_hold_what_their_types_hold() {
    let mut f = Fixture::with_tables();
    f.variables.insert("sql_mode".into(), "STRICT_TRANS_TABLES".into());
    assert_eq!(f.no("CREATE TABLE customer (a int)"), (1050, "Table 'customer' already exists".into()));
    f.ok("CREATE TABLE IF NOT EXISTS customer (a int)");
    f.ok("CREATE TABLE t (a tinyint, b varchar(3) NOT NULL, c int UNSIGNED DEFAULT 5, UNIQUE KEY ab (a, b))");
    assert_eq!(
        f.no("INSERT INTO t (a, b) VALUES (1, 'x'), (200, 'y')"),
        (1264, "Out of range value for column 'a' at row 2".into())
    );
    assert_eq!(f.one("SELECT COUNT(*) FROM t"), "0", "all or nothing");
    assert_eq!(f.no("INSERT INTO t (a, b) VALUES (1, 'long')").0, 1406);
    assert_eq!(f.no("INSERT INTO t (a, b) VALUES ('x', 'y')").0, 1366);
    assert_eq!(f.no("INSERT INTO t (a) VALUES (1)"), (1364, "Field 'b' doesn't have a default value".into()));
    assert_eq!(f.no("INSERT INTO t VALUES (1, NULL, 1)"), (1048, "Column 'b' cannot be null".into()));
    assert_eq!(f.no("INSERT INTO t VALUES (1, 'x')").0, 1136);
    assert_eq!(f.ok("INSERT INTO t (a, b) VALUES (1, 'x')").updated, 1);
    assert_eq!(
        f.no("INSERT INTO t (a, b) VALUES (1, 'X')"),
        (1062, "Duplicate entry '1-X' for key 't.ab'".into())
    );
    assert_eq!(f.ok("INSERT IGNORE INTO t (a, b) VALUES (1, 'x')").updated, 0);
    assert_eq!(f.rows("SELECT * FROM t"), [["1", "x", "5"]]);
    assert_eq!(f.no("UPDATE t SET b = NULL").0, 1048);
    assert_eq!(f.no("UPDATE t SET a = 1000").0, 1264);
    assert_eq!(f.ok("UPDATE t SET a = a + 1, b = CONCAT(b, 'y') WHERE a = 1 ORDER BY a LIMIT 1").updated, 1);
    assert_eq!(f.rows("SELECT a, b FROM t"), [["2", "xy"]]);
    assert_eq!(f.ok("REPLACE INTO t (a, b) VALUES (2, 'xy')").updated, 1);
    assert_eq!(f.ok("INSERT INTO t (a, b) SELECT id + 10, 'q' FROM customer").updated, 3);
    assert_eq!(f.ok("INSERT INTO t (a, b) SELECT a + 50, b FROM t").updated, 4);
    assert_eq!(f.ok("DELETE FROM t WHERE a > 50").updated, 4);
    f.ok("TRUNCATE TABLE t");
    assert_eq!(f.one("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(f.ok("INSERT INTO customer (name) VALUES ('new')").generated, Some(4));
    // Without strict mode values are made to fit.
    f.variables.clear();
    f.ok("INSERT INTO t (a, b) VALUES (1000, 'long'), ('x', 'y')");
    assert_eq!(f.rows("SELECT a, b FROM t ORDER BY b"), [["127", "lon"], ["0", "y"]]);
    f.ok("DROP TABLE t");
    assert_eq!(f.no("DROP TABLE t"), (1051, "Unknown table 'shop.t'".into()));
    f.ok("DROP TABLE IF EXISTS t");
    assert_eq!(f.no("CREATE TABLE big (a varchar(20000))").0, 1074);
}

#[test]
fn databases_come_and_go() {
    let mut f = Fixture::with_tables();
    assert_eq!(f.ok("CREATE DATABASE mltest").updated, 1);
    assert_eq!(
        f.no("CREATE DATABASE mltest"),
        (1007, "Can't create database 'mltest'; database exists".into())
    );
    f.ok("CREATE SCHEMA IF NOT EXISTS mltest CHARACTER SET utf8mb4");
    f.ok("CREATE TABLE mltest.Customer (a int)");
    f.ok("CREATE TABLE mltest.customer (a int, b int)");
    assert_eq!(f.first("SHOW TABLES FROM mltest"), ["Customer", "customer"], "names of tables have a case");
    assert_eq!(f.first("SHOW DATABASES LIKE 'm%'"), ["mltest", "mysql"]);
    assert_eq!(
        f.rows("SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = 'shop'"),
        [["customer", "3"]]
    );
    assert_eq!(
        f.rows("SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, EXTRA FROM information_schema.COLUMNS WHERE TABLE_NAME = 'customer' AND TABLE_SCHEMA = DATABASE() ORDER BY ORDINAL_POSITION LIMIT 2"),
        [["id", "bigint", "NO", "PRI", "auto_increment"], ["name", "varchar(20)", "YES", "", ""]]
    );
    assert_eq!(f.rows("DESCRIBE customer")[4], ["spent", "decimal(8,2)", "YES", "", "NULL", ""]);
    let made = f.rows("SHOW CREATE TABLE customer")[0][1].clone();
    assert!(
        made.contains("  `plan` varchar(10) DEFAULT 'no',\n") && made.contains("AUTO_INCREMENT=4"),
        "{made}"
    );
    f.ok("DROP DATABASE mltest");
    assert_eq!(f.no("DROP DATABASE mltest").0, 1008);
    f.database = Some("mltest");
    assert_eq!(f.no("SELECT 1").0, 1049);
}

#[test]
fn functions_with_a_body_are_carried_out() {
    let mut f = Fixture::with_tables();
    f.ok("CREATE FUNCTION IntPlanNo(int_plan varchar(2048)) RETURNS tinyint DETERMINISTIC RETURN IF(int_plan = 'no', 1, 0)");
    assert_eq!(f.first("SELECT IntPlanNo(plan) FROM customer ORDER BY id"), ["0", "1", "0"]);
    assert_eq!(
        f.no("CREATE FUNCTION intplanno(a int) RETURNS int RETURN 1"),
        (1304, "FUNCTION intplanno already exists".into())
    );
    f.ok("CREATE FUNCTION IF NOT EXISTS intplanno(a int) RETURNS int RETURN 1");
    f.ok(
        "CREATE FUNCTION kind(m double) RETURNS varchar(10)\nBEGIN\n  DECLARE k varchar(10) DEFAULT 'none';\n  IF m > 5 THEN SET k = 'many';\n  ELSEIF m > 0 THEN RETURN 'few';\n  END IF;\n  RETURN CONCAT(k, '!');\nEND",
    );
    assert_eq!(f.first("SELECT kind(mins) FROM customer ORDER BY id"), ["many!", "few", "none!"]);
    f.ok("CREATE FUNCTION twice(a int) RETURNS int RETURN (SELECT COUNT(*) FROM customer WHERE id <= a) * 2");
    assert_eq!(f.one("SELECT twice(2)"), "4");
    f.ok("CREATE FUNCTION again(a int) RETURNS int RETURN again(a)");
    assert_eq!(f.no("SELECT again(1)").0, 1424);
    assert_eq!(f.no("SELECT nofunction(1)"), (1305, "FUNCTION shop.nofunction does not exist".into()));
    assert_eq!(f.no("SELECT kind()").0, 1318);
    assert_eq!(f.no("CREATE FUNCTION x() RETURNS int BEGIN END").0, 1320);
    assert_eq!(f.no("DROP FUNCTION nofunction").0, 1305);
    f.ok("DROP FUNCTION IF EXISTS nofunction");
    let made = f.rows("SHOW CREATE FUNCTION IntPlanNo")[0][2].clone();
    assert_eq!(
        made,
        "CREATE DEFINER=`admin`@`%` FUNCTION `IntPlanNo`(int_plan varchar(2048)) RETURNS tinyint\n    DETERMINISTIC\nRETURN IF(int_plan = 'no', 1, 0)"
    );
    assert_eq!(f.first("SHOW FUNCTION STATUS WHERE Db = 'shop'").len(), 4);
    assert_eq!(
        f.one("SELECT routine_name FROM information_schema.routines WHERE routine_name = 'kind'"),
        "kind"
    );
}

#[test]
fn functions_of_aurora_ask_services() {
    let mut f = Fixture::with_tables();
    let head = "CREATE FUNCTION will_churn(name varchar(2048), mins double) RETURNS";
    f.ok(&format!(
        "{head} float alias aws_sagemaker_invoke_endpoint endpoint name 'churn' max_batch_size 100"
    ));
    assert_eq!(
        f.rows("SHOW CREATE FUNCTION will_churn")[0][2],
        "CREATE DEFINER=`admin`@`%` FUNCTION `will_churn`(name varchar(2048), mins double) RETURNS float\nALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT\nENDPOINT NAME 'churn'\nMAX_BATCH_SIZE 100"
    );
    for refused in ["JSON", "BLOB", "TEXT", "DATE", "BIT"] {
        let sql = format!(
            "CREATE FUNCTION x() RETURNS {refused} ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT ENDPOINT NAME 'e'"
        );
        assert_eq!(f.no(&sql).0, 1235, "{refused}");
    }
    assert_eq!(f.no("CREATE FUNCTION x() RETURNS int READS SQL DATA ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT ENDPOINT NAME 'e'").0, 1235);
    assert_eq!(f.no("CREATE FUNCTION x() RETURNS int ALIAS AWS_OTHER ENDPOINT NAME 'e'").0, 1064);
    f.ok("CREATE FUNCTION titan(body TEXT) RETURNS TEXT ALIAS AWS_BEDROCK_INVOKE_MODEL MODEL ID 'm' CONTENT_TYPE 'application/json' TIMEOUT_MS 5000");
    let (number, text) = f.no("SELECT will_churn(name, mins) FROM customer");
    assert_eq!((number, text.contains("INVOKE SAGEMAKER")), (1227, true));
    f.ok("GRANT AWS_SAGEMAKER_ACCESS, AWS_COMPREHEND_ACCESS, AWS_BEDROCK_ACCESS TO admin");
    assert_eq!(f.no("SELECT will_churn(name, mins) FROM customer").0, 1227, "granted, and not active");
    f.variables.insert("activate_all_roles_on_login".into(), "ON".into());
    assert_eq!(f.first("SELECT will_churn(name, mins) FROM customer ORDER BY id"), ["3", "3", "2"]);
    assert_eq!(f.one("SELECT aws_comprehend_detect_sentiment('x', 'en')"), "Sentiment");
    assert!(f.one("SELECT titan('{}')").starts_with("Bedrock"));
    assert_eq!(
        f.rows("SHOW STATUS LIKE 'Aurora_ml_actual_request%'"),
        [["Aurora_ml_actual_request_cnt", "5"]]
    );
    f.outside.refuses = Some(super::super::s3_error("no"));
    assert_eq!(f.no("SELECT will_churn(name, mins) FROM customer").0, 63985);
    assert_eq!(
        f.rows("SELECT will_churn(name, mins) FROM customer WHERE id > 5").len(),
        0,
        "nobody is asked for no row"
    );
}
