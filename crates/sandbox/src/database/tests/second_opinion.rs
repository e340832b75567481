//! A real server as a second opinion: what is not Aurora's own is also carried out by MariaDB, and must end alike.
//!
//! MariaDB differs from MySQL 8.0 where it says of roles (they have no host, and other error numbers), of the names of
//! expressions, of privileges, and of a table in a database that is not there (MySQL: 1049, MariaDB: 1146); such
//! statements are not here.

use super::Fixture;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server of the test's own, which ends with it.
struct Server {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn skipped(why: &str) {
    println!("skipped: {why}");
    let Some(file) = std::env::var_os("AURORAML_TEST_SKIPPED") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(format!("{why}\n").as_bytes()).unwrap();
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

impl Server {
    fn start() -> Option<Server> {
        let program = ["mariadbd", "/usr/sbin/mariadbd"].into_iter().find(|program| is_there(program))?;
        if !is_there("mariadb") || !is_there("mariadb-install-db") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        // A root may only say so.
        let user = format!("--user={}", if is_root() { "root" } else { "mysql" });
        let mut make = Command::new("mariadb-install-db");
        make.args(["--no-defaults", &data, "--auth-root-authentication-method=normal", "--skip-test-db"]);
        if is_root() {
            make.arg(&user);
        }
        let made = make.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut run = Command::new(program);
        let socket = format!("--socket={}", folder.path().join("socket").display());
        // Aurora's sql_mode is empty unless somebody sets it.
        run.args([
            "--no-defaults",
            &data,
            &socket,
            "--skip-networking",
            "--sql-mode=",
            "--lower-case-table-names=0",
        ]);
        if is_root() {
            run.arg(&user);
        }
        let process = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server { process, folder };
        for _ in 0..300 {
            if server.ask("root", "SELECT 1").is_ok() {
                return Some(server);
            }
            Command::new("sleep").arg("0.1").status().unwrap();
        }
        panic!("MariaDB did not start within 30 s");
    }

    fn socket(&self) -> String {
        format!("--socket={}", Path::new(self.folder.path()).join("socket").display())
    }

    /// The cells of all rows, or the error's number.
    fn ask(&self, user: &str, sql: &str) -> Result<Vec<Vec<String>>, u16> {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", &self.socket(), "--batch", "--skip-column-names", "--raw"]);
        client.arg(format!("--user={user}"));
        if user != "root" {
            client.arg("--password=secret");
        }
        if sql != "CREATE DATABASE shop" && sql != "SELECT 1" {
            client.arg("--database=shop");
        }
        let found = client.arg("--execute").arg(sql).output().unwrap();
        if found.status.success() {
            let text = String::from_utf8_lossy(&found.stdout).into_owned();
            return Ok(text.lines().map(|line| line.split('\t').map(String::from).collect()).collect());
        }
        let text = String::from_utf8_lossy(&found.stderr).into_owned();
        let number =
            text.split("ERROR ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|n| n.parse().ok());
        Err(number.unwrap_or_else(|| panic!("{sql}: {text}")))
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|found| found.stdout.starts_with(b"0"))
}

/// Who says it, and what: in this order.
const STATEMENTS: &[(&str, &str)] = &[
    ("admin", "CREATE DATABASE mltest"),
    ("admin", "CREATE DATABASE mltest"),
    ("admin", "CREATE DATABASE IF NOT EXISTS mltest"),
    ("admin", "DROP DATABASE nowhere"),
    (
        "admin",
        "CREATE TABLE `churn` (`state` varchar(2048) DEFAULT NULL, `acc_length` bigint(20) DEFAULT NULL, `phone` varchar(1000) NOT NULL, `day_mins` double DEFAULT NULL, `Churn` varchar(20))",
    ),
    ("admin", "CREATE TABLE churn (a int)"),
    ("admin", "CREATE TABLE IF NOT EXISTS churn (a int)"),
    (
        "admin",
        "INSERT INTO churn VALUES ('KS', 128, '382-4657', 265.1, 'False.'), ('OH', 107, '371-7191', 161.6, 'True.'), (NULL, 137, '358-1921', 243.4, 'false.')",
    ),
    ("admin", "INSERT INTO churn VALUES (1, 2)"),
    ("admin", "INSERT INTO churn (nothing) VALUES (1)"),
    ("admin", "INSERT INTO churn (phone) VALUES (NULL)"),
    ("admin", "SELECT * FROM churn ORDER BY acc_length"),
    ("admin", "SELECT COUNT(*), SUM(acc_length), AVG(acc_length), MIN(state), MAX(day_mins) FROM churn"),
    ("admin", "SELECT Churn, COUNT(*) FROM churn GROUP BY Churn ORDER BY 2 DESC"),
    ("admin", "SELECT state FROM churn WHERE state = 'ks' OR state IS NULL ORDER BY state"),
    (
        "admin",
        "SELECT acc_length / 7, acc_length DIV 7, acc_length % 7, MOD(acc_length, 10) FROM churn ORDER BY 1",
    ),
    ("admin", "SELECT 7 / 2, 1 / 3, 10 / 4.0, 2 * 1.50, 1.5 + 2, 1 / 0"),
    ("admin", "SELECT '3' + 4, 'abc' + 1, '2' = 2.0, 'a' = 'A', 'a' < 'B', NULL = NULL, NULL <=> NULL"),
    (
        "admin",
        "SELECT IF(1 > 2, 'a', 'b'), IFNULL(NULL, 3), COALESCE(NULL, NULL, 5), NULLIF(1, 1), CASE 2 WHEN 1 THEN 'x' WHEN 2 THEN 'y' END",
    ),
    (
        "admin",
        "SELECT CONCAT('a', 1, 2.5), CONCAT('a', NULL), CONCAT_WS('-', 'a', NULL, 'b'), UPPER('x'), LENGTH('abc'), REPLACE('abc', 'b', 'x')",
    ),
    (
        "admin",
        "SELECT ROUND(2.5), ROUND(-2.5), ROUND(2.345, 2), ROUND(1234, -2), TRUNCATE(1.999, 1), FLOOR(-1.5), CEIL(1.2), ABS(-3)",
    ),
    (
        "admin",
        "SELECT CRC32('MySQL'), MD5('a'), SHA2('a', 256), LEFT('hello', 2), RIGHT('hello', 3), SUBSTRING('hello', 2, 3), LOCATE('l', 'hello'), INSTR('hello', 'L')",
    ),
    ("admin", "SELECT ROUND(RAND(3), 9), ROUND(RAND(42), 9)"),
    (
        "admin",
        "SELECT 'abc' LIKE 'A%', 'a_c' LIKE 'a\\_c', 'abc' LIKE 'a\\_c', 5 IN (1, 5), 5 BETWEEN 6 AND 7, 1 XOR 1, NOT 0, !1",
    ),
    (
        "admin",
        "SELECT a.state, b.state FROM churn a JOIN churn b ON a.acc_length > b.acc_length ORDER BY 1, 2",
    ),
    ("admin", "SELECT state FROM churn a LEFT JOIN churn b USING (state) ORDER BY state"),
    ("admin", "SELECT state FROM churn, churn"),
    ("admin", "SELECT phone FROM churn a, churn b"),
    ("admin", "SELECT x FROM churn"),
    ("admin", "SELECT 1 FROM nowhere"),
    ("admin", "SELECT FROM churn"),
    ("admin", "SELEC 1"),
    ("admin", "SELECT (SELECT state, phone FROM churn)"),
    ("admin", "SELECT state FROM churn UNION ALL SELECT 'x' ORDER BY state"),
    ("admin", "SELECT state, 1 FROM churn UNION SELECT 'x'"),
    ("admin", "UPDATE churn SET day_mins = day_mins + 1 WHERE state = 'KS'"),
    ("admin", "SELECT day_mins FROM churn WHERE state = 'KS'"),
    ("admin", "UPDATE churn SET nothing = 1"),
    ("admin", "DELETE FROM churn WHERE state IS NULL"),
    ("admin", "SELECT COUNT(*) FROM churn"),
    (
        "admin",
        "CREATE TABLE keyed (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(3), UNIQUE KEY n (name))",
    ),
    ("admin", "INSERT INTO keyed (name) VALUES ('a'), ('b')"),
    ("admin", "INSERT INTO keyed (name) VALUES ('A')"),
    ("admin", "INSERT IGNORE INTO keyed (name) VALUES ('A'), ('c')"),
    ("admin", "INSERT INTO keyed (id, name) VALUES (10, 'long'), ('11x', 'd')"),
    ("admin", "SELECT name FROM keyed WHERE id >= 10 ORDER BY id"),
    ("admin", "CREATE TABLE twice (a int, a int)"),
    ("admin", "CREATE TABLE bad (a int, KEY k (b))"),
    (
        "admin",
        "CREATE FUNCTION IntPlanNo(int_plan varchar(2048)) RETURNS tinyint DETERMINISTIC RETURN IF(int_plan = 'no', 1, 0)",
    ),
    ("admin", "CREATE FUNCTION IntPlanNo(a int) RETURNS int DETERMINISTIC RETURN 1"),
    ("admin", "SELECT IntPlanNo('no'), IntPlanNo('yes'), IntPlanNo(NULL)"),
    ("admin", "SELECT IntPlanNo()"),
    ("admin", "SELECT NoSuchFunction(1)"),
    ("admin", "SELECT mltest.IntPlanNo('no')"),
    ("admin", "DROP FUNCTION NoSuchFunction"),
    ("admin", "DROP FUNCTION IF EXISTS NoSuchFunction"),
    ("admin", "CREATE FUNCTION empty_one() RETURNS int DETERMINISTIC BEGIN END"),
    ("admin", "CREATE USER analyst IDENTIFIED BY 'secret'"),
    ("admin", "CREATE USER analyst IDENTIFIED BY 'secret'"),
    ("admin", "GRANT SELECT ON shop.keyed TO analyst"),
    ("analyst", "SELECT COUNT(*) FROM keyed"),
    ("analyst", "SELECT COUNT(*) FROM churn"),
    ("analyst", "DELETE FROM keyed"),
    ("analyst", "SELECT shop.IntPlanNo('no')"),
    ("analyst", "CREATE TABLE mine (a int)"),
    ("analyst", "CREATE DATABASE mine"),
    ("analyst", "DROP TABLE keyed"),
    ("analyst", "CREATE USER another"),
    ("admin", "GRANT EXECUTE ON FUNCTION shop.IntPlanNo TO analyst"),
    ("admin", "GRANT EXECUTE ON FUNCTION shop.nosuch TO analyst"),
    ("analyst", "SELECT shop.IntPlanNo('no')"),
    ("admin", "CREATE ROLE reader"),
    ("admin", "GRANT SELECT ON shop.* TO reader"),
    ("admin", "GRANT reader TO analyst"),
    ("analyst", "SELECT COUNT(*) FROM churn"),
    ("analyst", "SET ROLE reader"),
    ("analyst", "SET ROLE NONE"),
    ("admin", "REVOKE SELECT ON shop.keyed FROM analyst"),
    ("admin", "REVOKE SELECT ON shop.keyed FROM analyst"),
    ("analyst", "SELECT COUNT(*) FROM keyed"),
    ("admin", "DROP ROLE reader"),
    ("admin", "DROP USER analyst"),
    ("admin", "DROP USER analyst"),
    ("admin", "DROP TABLE keyed, churn"),
    ("admin", "DROP TABLE keyed"),
    ("admin", "DROP TABLE IF EXISTS keyed"),
    ("admin", "DROP DATABASE mltest"),
];

#[test]
fn mariadb_says_the_same() {
    let Some(server) = Server::start() else {
        skipped("MariaDB: no mariadbd is installed, so the sandbox's SQL was held against no real server");
        return;
    };
    server.ask("root", "CREATE DATABASE shop").unwrap();
    let mut f = Fixture::new();
    let mut differences = Vec::new();
    for (user, sql) in STATEMENTS {
        f.user = user;
        let real = server.ask(if *user == "admin" { "root" } else { user }, sql);
        let ours = match f.run(sql) {
            Ok(outcome) if outcome.columns.is_empty() => Ok(Vec::new()),
            Ok(_) => Ok(f.rows(sql)),
            Err(error) => Err(error.number),
        };
        if real != ours {
            differences.push(format!("{user}: {sql}\n  MariaDB {real:?}\n  sandbox {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
