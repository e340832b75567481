//! Users, roles, grants.

use super::Fixture;

fn fixture() -> Fixture {
    let mut f = Fixture::with_tables();
    f.ok("CREATE USER analyst IDENTIFIED BY 'secret'");
    f
}

#[test]
fn a_user_may_what_is_granted() {
    let mut f = fixture();
    assert_eq!(
        f.no("CREATE USER 'analyst'@'%' IDENTIFIED BY 'x'"),
        (1396, "Operation CREATE USER failed for 'analyst'@'%'".into())
    );
    f.ok("CREATE FUNCTION one() RETURNS int RETURN 1");
    f.user = "analyst";
    assert_eq!(
        f.no("SELECT * FROM customer"),
        (1142, "SELECT command denied to user 'analyst'@'rdsdataapi' for table 'customer'".into())
    );
    assert_eq!(
        f.no("SELECT one()"),
        (1370, "execute command denied to user 'analyst'@'%' for routine 'shop.one'".into())
    );
    assert_eq!(f.no("CREATE DATABASE x").0, 1044);
    assert_eq!(f.no("CREATE USER x").0, 1227);
    assert_eq!(f.rows("SHOW GRANTS"), [["GRANT USAGE ON *.* TO `analyst`@`%`"]]);
    assert_eq!(f.first("SHOW DATABASES"), ["information_schema", "performance_schema"]);
    f.user = "admin";
    f.ok("GRANT SELECT, INSERT ON shop.customer TO 'analyst'@'%'");
    f.ok("GRANT EXECUTE ON FUNCTION shop.one TO analyst");
    assert_eq!(f.no("GRANT EXECUTE ON FUNCTION shop.two TO analyst").0, 1305);
    assert_eq!(f.no("GRANT SELECT ON shop.* TO nobody").0, 1410);
    f.user = "analyst";
    assert_eq!(f.one("SELECT COUNT(*) FROM customer"), "3");
    assert_eq!(f.one("SELECT one()"), "1");
    assert_eq!(f.no("DELETE FROM customer").0, 1142);
    assert_eq!(f.no("GRANT SELECT ON shop.customer TO analyst").0, 1142);
    assert_eq!(
        f.first("SHOW GRANTS"),
        [
            "GRANT USAGE ON *.* TO `analyst`@`%`",
            "GRANT SELECT, INSERT ON `shop`.`customer` TO `analyst`@`%`",
            "GRANT EXECUTE ON FUNCTION `shop`.`one` TO `analyst`@`%`",
        ]
    );
    f.user = "admin";
    f.ok("REVOKE INSERT ON shop.customer FROM analyst");
    assert_eq!(f.no("REVOKE SELECT ON shop.other FROM analyst").0, 1147);
    f.user = "analyst";
    assert_eq!(f.no("INSERT INTO customer (name) VALUES ('x')").0, 1142);
    f.user = "admin";
    f.ok("DROP USER analyst");
    assert_eq!(f.no("SHOW GRANTS FOR analyst").0, 1141);
    assert_eq!(f.no("DROP USER analyst").0, 1396);
}

#[test]
fn a_role_counts_when_it_is_active() {
    let mut f = fixture();
    f.ok("CREATE ROLE reader");
    f.ok("GRANT SELECT ON shop.* TO reader");
    f.ok("GRANT reader, AWS_LOAD_S3_ACCESS TO analyst");
    assert_eq!(f.no("GRANT nowhere TO analyst").0, 3523);
    f.user = "analyst";
    assert_eq!(f.one("SELECT CURRENT_ROLE()"), "NONE");
    assert_eq!(f.no("SELECT * FROM customer").0, 1142);
    assert_eq!(f.no("SET ROLE nowhere").0, 3530);
    f.ok("SET DEFAULT ROLE reader TO analyst");
    assert_eq!(f.rows("SELECT * FROM customer").len(), 3);
    assert_eq!(f.one("SELECT CURRENT_ROLE()"), "`reader`@`%`");
    f.ok("SET DEFAULT ROLE NONE TO CURRENT_USER");
    assert_eq!(f.no("SELECT * FROM customer").0, 1142);
    f.variables.insert("activate_all_roles_on_login".into(), "ON".into());
    assert_eq!(f.rows("SELECT * FROM customer").len(), 3);
    f.user = "admin";
    assert_eq!(
        f.rows("SELECT FROM_USER, TO_USER FROM mysql.role_edges WHERE TO_USER = 'analyst'"),
        [["AWS_LOAD_S3_ACCESS", "analyst"], ["reader", "analyst"]]
    );
    assert!(
        f.first("SHOW GRANTS FOR 'analyst'@'%'")
            .contains(&"GRANT `AWS_LOAD_S3_ACCESS`@`%`,`reader`@`%` TO `analyst`@`%`".to_string())
    );
    assert!(
        f.first("SHOW GRANTS FOR analyst USING reader")
            .iter()
            .any(|line| line.contains("GRANT SELECT ON `shop`.*"))
    );
    f.ok("REVOKE reader FROM analyst");
    f.user = "analyst";
    assert_eq!(f.no("SELECT * FROM customer").0, 1142);
}

#[test]
fn passwords_let_in() {
    let mut f = fixture();
    let known = super::super::hashed("master");
    let login = |f: &Fixture, user: &str, password: &str| {
        f.server.login("admin", user, password, Some(&known)).is_some()
    };
    assert!(login(&f, "admin", "master") && !login(&f, "admin", "other"));
    assert!(login(&f, "analyst", "secret") && !login(&f, "analyst", "master"));
    assert!(!login(&f, "reader", "") && !login(&f, "AWS_LOAD_S3_ACCESS", ""));
    f.ok("ALTER USER analyst IDENTIFIED BY 'new'");
    assert!(login(&f, "analyst", "new") && !login(&f, "analyst", "secret"));
    f.ok("CREATE USER 'local'@'localhost' IDENTIFIED BY 'x'");
    assert!(!login(&f, "local", "x"));
}
