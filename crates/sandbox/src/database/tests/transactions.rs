//! Transactions of the Data API.

use super::{Answer, Arc, Entry, Fixture, Parameters};

impl Fixture {
    fn begin(&mut self, id: &str) {
        let entry = Entry {
            user: self.user,
            host: "%".into(),
            master: "admin",
            initial: Some("shop"),
            variables: Arc::new(self.variables.clone()),
        };
        self.server.begin(&entry, id.into(), Some("shop"), self.now).unwrap();
    }

    fn count(&mut self, transaction: Option<&str>) -> String {
        self.transaction = transaction.map(String::from);
        let found = self.one("SELECT COUNT(*) FROM customer");
        self.transaction = None;
        found
    }

    fn add(&mut self, transaction: Option<&str>) {
        self.transaction = transaction.map(String::from);
        self.ok("INSERT INTO customer (name) VALUES ('x')");
        self.transaction = None;
    }
}

#[test]
fn a_transaction_is_seen_when_it_commits() {
    let mut f = Fixture::with_tables();
    f.begin("a");
    f.begin("b");
    f.add(Some("a"));
    assert_eq!((f.count(None), f.count(Some("a")), f.count(Some("b"))), ("3".into(), "4".into(), "3".into()));
    f.add(None);
    let saved = serde_json::to_string(&f.server).unwrap();
    f.server = serde_json::from_str(&saved).unwrap();
    assert!(f.server.end("a", true, &mut f.outside).unwrap().is_ok());
    assert_eq!(f.count(None), "5");
    f.add(Some("b"));
    assert!(f.server.end("b", false, &mut f.outside).unwrap().is_ok());
    assert_eq!(f.count(None), "5");
    assert!(f.server.end("b", false, &mut f.outside).is_none());
}

#[test]
fn a_session_lasts_as_long_as_its_transaction() {
    let mut f = Fixture::with_tables();
    f.ok("GRANT AWS_COMPREHEND_ACCESS TO admin");
    f.ok("SET ROLE ALL");
    assert_eq!(
        f.one("SELECT CURRENT_ROLE()"),
        "`rds_superuser_role`@`%`",
        "each call has a connection of its own"
    );
    f.begin("a");
    f.transaction = Some("a".into());
    f.ok("SET ROLE ALL");
    assert!(f.one("SELECT CURRENT_ROLE()").contains("AWS_COMPREHEND_ACCESS"));
    assert_eq!(f.one("SELECT aws_comprehend_detect_sentiment('x', 'en')"), "Sentiment");
    // A definition commits.
    f.ok("INSERT INTO customer (name) VALUES ('x')");
    f.ok("CREATE TABLE made (a int)");
    assert!(f.server.end("a", false, &mut f.outside).is_some());
    f.transaction = None;
    assert_eq!(f.first("SHOW TABLES"), ["customer", "made"]);
    assert_eq!(f.one("SELECT COUNT(*) FROM customer"), "4");
}

#[test]
fn a_transaction_that_nobody_uses_ends() {
    let mut f = Fixture::with_tables();
    f.begin("a");
    f.add(Some("a"));
    f.now += 170_000;
    assert_eq!(f.count(Some("a")), "4");
    f.now += 170_000;
    assert_eq!(f.count(Some("a")), "4", "each call counts");
    f.now += 181_000;
    f.transaction = Some("a".into());
    assert!(matches!(f.answer("SELECT 1", &Parameters::new(), false), Answer::NoTransaction));
    f.begin("b");
    f.server.interrupted(f.now + 1);
    f.transaction = Some("b".into());
    assert!(matches!(f.answer("SELECT 1", &Parameters::new(), false), Answer::NoTransaction));
}
