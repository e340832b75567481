//! From MySQL's language to SQLite's. Names are looked up here, so that MySQL's own errors come of what does not exist,
//! and every expression has its MySQL type, which decides how it compares and what the Data API answers.

mod aggregates;
mod calls;

mod expressions;
mod functions;
mod operators;
mod select;

pub(crate) use calls::{returns, steps};

use super::catalog::{Catalog, Table};
use super::errors::{SqlError, no_column, no_database, no_table, none_selected};
use super::privileges;
use super::session::{Ask, Parameters, Session};
use super::types::{Kind, Type};
use rusqlite::types::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How deep functions may call one another.
const CALLS_MAX: usize = 16;
/// Bytes of SQL for SQLite: functions are put in where they are called.
const TEXT_MAX: usize = 1 << 20;

/// SQL for SQLite, and the MySQL type of what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub sql: String,
    pub kind: Type,
}

impl Typed {
    fn new(sql: impl Into<String>, kind: Kind) -> Typed {
        Typed { sql: sql.into(), kind: Type::new(kind) }
    }
    fn of(sql: impl Into<String>, kind: Type) -> Typed {
        Typed { sql: sql.into(), kind }
    }
}

/// A column of a result.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub label: String,
    /// The column's own name.
    pub name: String,
    pub kind: Type,
    pub schema: String,
    pub table: String,
    pub nullable: bool,
    pub numbered: bool,
}

impl Output {
    pub fn plain(label: &str, kind: Type) -> Output {
        Output {
            label: label.into(),
            name: label.into(),
            kind,
            schema: String::new(),
            table: String::new(),
            nullable: true,
            numbered: false,
        }
    }
}

/// A query for SQLite.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub sql: String,
    pub columns: Vec<Output>,
}

/// One table of a FROM, or a query in its place.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub alias: String,
    pub columns: Vec<Output>,
    /// Columns that USING has joined to those of a source before it.
    pub joined: BTreeSet<String>,
}

#[derive(Default)]
pub(crate) struct Frame {
    pub sources: Vec<Source>,
    /// What names of the select list stand for, once it is translated.
    pub labels: Vec<(String, Typed)>,
}

pub(crate) struct Translator<'a> {
    pub catalog: &'a Catalog,
    pub session: Session,
    pub parameters: &'a Parameters,
    /// Values of the placeholders, from 1.
    pub binds: Vec<Value>,
    /// What services are asked: the function of number N is `ask_N`.
    pub asks: Vec<Ask>,
    /// Tables of the system that are asked for.
    pub system: BTreeSet<(String, String)>,
    pub(crate) frames: Vec<Frame>,
    /// Queries with a name of their own (WITH).
    pub(super) named: Vec<(String, Vec<Output>)>,
    /// Arguments and variables of the functions that are being put in.
    pub(super) locals: Vec<BTreeMap<String, Typed>>,
    pub(crate) clause: &'static str,
    depth: usize,
    size: usize,
}

pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn literal(text: &str) -> String {
    // SQLite's text ends at a zero byte.
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

pub(crate) fn is_system(database: &str) -> bool {
    ["information_schema", "mysql", "performance_schema", "sys"]
        .contains(&database.to_ascii_lowercase().as_str())
}

impl<'a> Translator<'a> {
    pub fn new(catalog: &'a Catalog, session: &Session, parameters: &'a Parameters) -> Translator<'a> {
        Translator {
            catalog,
            session: session.clone(),
            parameters,
            binds: Vec::new(),
            asks: Vec::new(),
            system: BTreeSet::new(),
            frames: Vec::new(),
            named: Vec::new(),
            locals: Vec::new(),
            clause: "field list",
            depth: 0,
            size: 0,
        }
    }

    /// The database that a name without one is in.
    pub fn database(&self, given: Option<&str>) -> Result<String, SqlError> {
        let name = given.or(self.session.database.as_deref()).ok_or_else(none_selected)?;
        Ok(name.to_string())
    }

    /// A user's table.
    ///
    /// # Errors
    /// 1046, 1049, 1146
    pub fn table(&self, database: Option<&str>, name: &str) -> Result<(String, &'a Table), SqlError> {
        let database = self.database(database)?;
        let schema = match self.catalog.databases.get(&database) {
            Some(schema) => schema,
            None if is_system(&database) => return Err(no_table(&database, name)),
            None => return Err(no_database(&database)),
        };
        match schema.tables.get(name) {
            Some(table) => Ok((database, table)),
            None => Err(no_table(&database, name)),
        }
    }

    pub(super) fn grown(&mut self, typed: Typed) -> Result<Typed, SqlError> {
        self.size = self.size.max(typed.sql.len());
        if self.size > TEXT_MAX {
            return Err(SqlError::new(1153, "Got a packet bigger than 'max_allowed_packet' bytes"));
        }
        Ok(typed)
    }

    pub(super) fn enter(&mut self) -> Result<(), SqlError> {
        self.depth += 1;
        if self.depth > CALLS_MAX {
            return Err(SqlError::new(1424, "Recursive stored functions and triggers are not allowed."));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// A value that comes from outside: bound, never written into the text.
    pub(super) fn bind(&mut self, value: Value) -> String {
        self.binds.push(value);
        format!("?{}", self.binds.len())
    }

    /// The name of the function that asks a service.
    pub(super) fn ask(&mut self, ask: Ask) -> String {
        let at = self.asks.iter().position(|known| *known == ask).unwrap_or_else(|| {
            self.asks.push(ask);
            self.asks.len() - 1
        });
        format!("ask_{at}")
    }

    /// `value` as a variable of this type holds it.
    pub fn stored(&self, value: &Typed, kind: &Type, name: &str, row: u64) -> Result<Typed, SqlError> {
        let described =
            serde_json::to_string(kind).map_err(|error| SqlError::new(1105, error.to_string()))?;
        let strict = i32::from(self.session.strict());
        let sql =
            format!("my_store({}, {}, {}, {row}, {strict})", value.sql, literal(&described), literal(name));
        Ok(Typed::of(sql, kind.clone()))
    }

    /// A column by its name, in the innermost query that has one.
    pub(super) fn column(&self, table: Option<&str>, name: &str) -> Result<Typed, SqlError> {
        if table.is_none() {
            for locals in self.locals.iter().rev().take(1) {
                if let Some(found) = locals.get(&name.to_ascii_lowercase()) {
                    return Ok(found.clone());
                }
            }
        }
        for frame in self.frames.iter().rev() {
            let mut found = None;
            for source in &frame.sources {
                if table.is_some_and(|table| !source.alias.eq_ignore_ascii_case(table)) {
                    continue;
                }
                let Some(column) =
                    source.columns.iter().find(|column| column.label.eq_ignore_ascii_case(name))
                else {
                    continue;
                };
                if table.is_none() && source.joined.contains(&name.to_ascii_lowercase()) {
                    continue;
                }
                if found.is_some() {
                    return Err(SqlError::new(
                        1052,
                        format!("Column '{name}' in {} is ambiguous", self.clause),
                    ));
                }
                let sql = format!("{}.{}", quote(&source.alias), quote(&column.label));
                found = Some(Typed::of(sql, column.kind.clone()));
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let full = table.map_or_else(|| name.to_string(), |table| format!("{table}.{name}"));
        Err(no_column(&full, self.clause))
    }

    /// A user's table as a source, which the session must be allowed to read.
    pub(crate) fn source(
        &mut self,
        database: Option<&str>,
        name: &str,
        alias: &str,
        privilege: &str,
    ) -> Result<(String, Source), SqlError> {
        let (database, table) = self.table(database, name)?;
        privileges::table(self.catalog, &self.session, privilege, &database, name)?;
        let columns = table.columns.iter().map(|column| Output {
            label: column.name.clone(),
            name: column.name.clone(),
            kind: column.kind.clone(),
            schema: database.clone(),
            table: name.to_string(),
            nullable: column.nullable,
            numbered: column.numbered,
        });
        let source = Source { alias: alias.into(), columns: columns.collect(), joined: BTreeSet::new() };
        Ok((format!("main.{} AS {}", quote(&table.physical), quote(alias)), source))
    }
}

/// The type of what can be one or the other.
pub(super) fn merged(a: &Type, b: &Type) -> Type {
    let kind = match (a, b) {
        (a, b) if a.kind == Kind::Null => return b.clone(),
        (a, b) if b.kind == Kind::Null || a == b => return a.clone(),
        (a, b) if a.is_whole() && b.is_whole() => Kind::BigInt,
        (a, b) if a.is_number() && b.is_number() => match [a.kind, b.kind] {
            kinds if kinds.contains(&Kind::Double) || kinds.contains(&Kind::Float) => Kind::Double,
            _ => return Type::decimal(65, a.scale.max(b.scale)),
        },
        (a, b) if a.is_time() && a.kind == b.kind => a.kind,
        _ => Kind::Varchar,
    };
    Type::new(kind)
}
