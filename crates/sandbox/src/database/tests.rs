//! Statements, without a cluster around them.

use super::engine::only_looks;
use super::server::{Answer, Asked, Entry, Server};
use super::session::{Address, Ask, Model, Outside, Parameter, Parameters, Source};
use super::types::{Kind, Type};
use super::{Outcome, SqlError, as_text, written};
use crate::s3::Content;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

mod accounts;
mod files;
mod queries;
mod second_opinion;
mod transactions;

/// S3 and the services, as far as statements need them.
#[derive(Default)]
pub(super) struct Imagined {
    pub objects: BTreeMap<String, Vec<u8>>,
    pub refuses: Option<SqlError>,
    pub slowness: f64,
}

impl Outside for Imagined {
    fn slowness(&self) -> f64 {
        self.slowness.max(1.0)
    }
    fn model(&self, ask: &Ask) -> Result<Model, SqlError> {
        if let Some(error) = &self.refuses {
            return Err(error.clone());
        }
        let name = format!("{ask:?}");
        Ok(Arc::new(move |row: &[Value]| {
            let first = row.first().map(as_text).unwrap_or_default();
            Ok(Value::Text(if name.contains("Endpoint") { format!("{}", first.len()) } else { name.clone() }))
        }))
    }
    fn read(&self, address: &Address, prefix: bool) -> Result<Vec<Source>, SqlError> {
        let found = self.objects.iter().filter(|(key, _)| match prefix {
            true => key.starts_with(&address.key),
            false => **key == address.key,
        });
        let found: Vec<Source> = found
            .map(|(key, bytes)| Source {
                key: key.clone(),
                version: String::new(),
                content: Content::new(bytes.clone()),
            })
            .collect();
        if found.is_empty() { Err(super::s3_error("NoSuchKey")) } else { Ok(found) }
    }
    fn exists(&self, address: &Address) -> Result<bool, SqlError> {
        Ok(self.objects.keys().any(|key| key.starts_with(&format!("{}.part_", address.key))))
    }
    fn clear(&mut self, address: &Address) -> Result<(), SqlError> {
        self.objects.retain(|key, _| !key.starts_with(&format!("{}.part_", address.key)));
        Ok(())
    }
    fn write(&mut self, _: &Address, key: &str, content: Vec<u8>) -> Result<(), SqlError> {
        self.objects.insert(key.into(), content);
        Ok(())
    }
}

/// A server and who talks to it.
pub(super) struct Fixture {
    pub server: Server,
    pub outside: Imagined,
    pub variables: BTreeMap<String, String>,
    pub now: u64,
    pub user: &'static str,
    pub database: Option<&'static str>,
    pub transaction: Option<String>,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture {
            server: Server::default(),
            outside: Imagined::default(),
            variables: BTreeMap::new(),
            now: crate::BIRTH_MS,
            user: "admin",
            database: Some("shop"),
            transaction: None,
        }
    }

    pub fn with_tables() -> Fixture {
        let mut f = Fixture::new();
        f.ok("CREATE TABLE customer (id bigint(20) NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(20), plan varchar(10) DEFAULT 'no', mins double, spent decimal(8,2))");
        f.ok("INSERT INTO customer (name, plan, mins, spent) VALUES ('Ann', 'yes', 10.5, 1.1), ('bob', 'no', 2, 20), ('Cy', NULL, NULL, 3.333)");
        f
    }

    pub fn answer(&mut self, sql: &str, parameters: &Parameters, continues: bool) -> Answer {
        self.server.settle(self.now, &mut self.outside);
        let entry = Entry {
            user: self.user,
            host: "%".into(),
            master: "admin",
            initial: Some("shop"),
            variables: Arc::new(self.variables.clone()),
        };
        let asked = Asked {
            sql,
            parameters,
            database: self.database,
            transaction: self.transaction.as_deref(),
            continues,
            now: self.now,
            seed: 7,
        };
        self.server.execute(&entry, &asked, &mut self.outside)
    }

    pub fn run(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        match self.answer(sql, &Parameters::new(), false) {
            Answer::Done(outcome) => Ok(outcome),
            Answer::Failed(error) => Err(error),
            Answer::TooLong => panic!("{sql}: too long"),
            Answer::NoTransaction => panic!("{sql}: no transaction"),
        }
    }

    pub fn ok(&mut self, sql: &str) -> Outcome {
        self.run(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The number of the error, and its text.
    pub fn no(&mut self, sql: &str) -> (u16, String) {
        match self.run(sql) {
            Ok(outcome) => panic!("{sql}: {:?}", outcome.rows),
            Err(error) => (error.number, error.text),
        }
    }

    /// The cells of all rows, as MySQL writes them.
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let outcome = self.ok(sql);
        let cells = |row: &Vec<Value>| {
            row.iter()
                .zip(&outcome.columns)
                .map(|(value, column)| as_text(&written(value.clone(), &column.kind)))
                .collect()
        };
        outcome.rows.iter().map(cells).collect()
    }

    /// The one cell of a result.
    pub fn one(&mut self, sql: &str) -> String {
        self.rows(sql).pop().and_then(|mut row| row.pop()).unwrap_or_else(|| panic!("{sql}: nothing"))
    }

    /// The cells of the first column.
    pub fn first(&mut self, sql: &str) -> Vec<String> {
        self.rows(sql).into_iter().map(|row| row[0].clone()).collect()
    }
}

#[test]
fn what_only_looks_is_known_before_it_runs() {
    for looks in [
        "select 1",
        "(SELECT 1)",
        "SHOW TABLES",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "set role all",
        "desc t",
    ] {
        assert!(only_looks(looks), "{looks}");
    }
    for changes in [
        "INSERT INTO t VALUES (1)",
        "SELECT * INTO OUTFILE S3 's3://b/k' FROM t",
        "GRANT a TO b",
        "DROP TABLE t",
    ] {
        assert!(!only_looks(changes), "{changes}");
    }
}

#[test]
fn parameters_are_values_and_never_text() {
    let mut f = Fixture::with_tables();
    let parameter = |value: Value, kind: Kind| Parameter { value, kind: Type::new(kind) };
    let given = Parameters::from([
        ("name".to_string(), parameter(Value::Text("' OR 1=1 -- ".into()), Kind::Varchar)),
        ("least".to_string(), parameter(Value::Integer(2), Kind::BigInt)),
    ]);
    let Answer::Done(outcome) =
        f.answer("SELECT name FROM customer WHERE id >= :least LIMIT :least", &given, false)
    else {
        panic!("failed")
    };
    assert_eq!(outcome.rows.len(), 2);
    let Answer::Done(outcome) = f.answer("SELECT name FROM customer WHERE name = :name", &given, false)
    else {
        panic!("failed")
    };
    assert!(outcome.rows.is_empty());
    let answer = f.answer("SELECT :other", &given, false);
    assert!(matches!(answer, Answer::Failed(error) if error.number == 1210));
}
