//! The tables of `information_schema` and `mysql` that the sandbox knows, filled when somebody asks.
//!
//! Facts: MySQL 8.0 Reference, chapter 28 "INFORMATION_SCHEMA Tables"; `mysql.aurora_s3_load_history`: Aurora User
//! Guide, "Verifying loaded files using the aurora_s3_load_history table".

use super::catalog::{Body, Catalog, Column, Preset, Scope, Table, parts};
use super::engine::Run;
use super::errors::SqlError;
use super::moments::datetime;
use super::privileges::{has, sees};
use super::session::Session;
use super::translate::{Translator, quote};
use super::types::Kind;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

type Columns = &'static [(&'static str, Kind)];

const V: Kind = Kind::Varchar;
const N: Kind = Kind::BigInt;
const D: Kind = Kind::Datetime;

/// The columns of a table of the system.
pub(crate) fn columns(database: &str, name: &str) -> Option<Columns> {
    Some(match (database, name) {
        ("information_schema", "schemata") => &[
            ("CATALOG_NAME", V),
            ("SCHEMA_NAME", V),
            ("DEFAULT_CHARACTER_SET_NAME", V),
            ("DEFAULT_COLLATION_NAME", V),
            ("SQL_PATH", V),
            ("DEFAULT_ENCRYPTION", V),
        ],
        ("information_schema", "tables") => &[
            ("TABLE_CATALOG", V),
            ("TABLE_SCHEMA", V),
            ("TABLE_NAME", V),
            ("TABLE_TYPE", V),
            ("ENGINE", V),
            ("TABLE_ROWS", N),
            ("CREATE_TIME", D),
            ("TABLE_COLLATION", V),
            ("TABLE_COMMENT", V),
        ],
        ("information_schema", "columns") => &[
            ("TABLE_CATALOG", V),
            ("TABLE_SCHEMA", V),
            ("TABLE_NAME", V),
            ("COLUMN_NAME", V),
            ("ORDINAL_POSITION", N),
            ("COLUMN_DEFAULT", V),
            ("IS_NULLABLE", V),
            ("DATA_TYPE", V),
            ("CHARACTER_MAXIMUM_LENGTH", N),
            ("NUMERIC_PRECISION", N),
            ("NUMERIC_SCALE", N),
            ("CHARACTER_SET_NAME", V),
            ("COLLATION_NAME", V),
            ("COLUMN_TYPE", V),
            ("COLUMN_KEY", V),
            ("EXTRA", V),
            ("COLUMN_COMMENT", V),
        ],
        ("information_schema", "routines") => &[
            ("SPECIFIC_NAME", V),
            ("ROUTINE_CATALOG", V),
            ("ROUTINE_SCHEMA", V),
            ("ROUTINE_NAME", V),
            ("ROUTINE_TYPE", V),
            ("DATA_TYPE", V),
            ("CHARACTER_MAXIMUM_LENGTH", N),
            ("DTD_IDENTIFIER", V),
            ("ROUTINE_BODY", V),
            ("ROUTINE_DEFINITION", V),
            ("IS_DETERMINISTIC", V),
            ("SQL_DATA_ACCESS", V),
            ("SECURITY_TYPE", V),
            ("CREATED", D),
            ("LAST_ALTERED", D),
            ("ROUTINE_COMMENT", V),
            ("DEFINER", V),
        ],
        ("information_schema", "parameters") => &[
            ("SPECIFIC_SCHEMA", V),
            ("SPECIFIC_NAME", V),
            ("ORDINAL_POSITION", N),
            ("PARAMETER_MODE", V),
            ("PARAMETER_NAME", V),
            ("DATA_TYPE", V),
            ("CHARACTER_MAXIMUM_LENGTH", N),
            ("DTD_IDENTIFIER", V),
            ("ROUTINE_TYPE", V),
        ],
        ("mysql", "user") => &[("Host", V), ("User", V), ("account_locked", V)],
        ("mysql", "role_edges") => {
            &[("FROM_HOST", V), ("FROM_USER", V), ("TO_HOST", V), ("TO_USER", V), ("WITH_ADMIN_OPTION", V)]
        }
        ("mysql", "default_roles") => {
            &[("HOST", V), ("USER", V), ("DEFAULT_ROLE_HOST", V), ("DEFAULT_ROLE_USER", V)]
        }
        ("mysql", "aurora_s3_load_history") => &[
            ("load_prefix", V),
            ("file_name", V),
            ("version_number", V),
            ("bytes_loaded", N),
            ("load_timestamp", D),
        ],
        _ => return None,
    })
}

/// Tables of the system with their rows, for one query.
pub(crate) struct Filled(Vec<(String, Columns, Vec<Vec<Value>>)>);

/// The tables that a query asks for, with the rows that the session may see.
pub(crate) fn tables(r: &Run<'_>, translator: &Translator<'_>) -> Result<Filled, SqlError> {
    let mut filled = Vec::new();
    for (database, name) in &translator.system {
        if let Some(found) = columns(database, name) {
            filled.push((format!("{database}.{name}"), found, rows(r, database, name)?));
        }
    }
    Ok(Filled(filled))
}

impl Filled {
    pub fn fill(&self, connection: &Connection) -> Result<(), SqlError> {
        for (name, columns, rows) in &self.0 {
            let described = columns.iter().map(|(name, kind)| {
                let kind = super::types::Type::new(*kind);
                format!("{} {}", quote(name), kind.affinity())
            });
            let name = quote(name);
            let described: Vec<String> = described.collect();
            connection.execute_batch(&format!(
                "DROP TABLE IF EXISTS temp.{name}; CREATE TEMP TABLE {name} ({})",
                described.join(", ")
            ))?;
            let places = vec!["?"; columns.len()].join(", ");
            let mut insert = connection.prepare(&format!("INSERT INTO temp.{name} VALUES ({places})"))?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        Ok(())
    }

    pub fn drop(&self, connection: &Connection) -> Result<(), SqlError> {
        for (name, ..) in &self.0 {
            connection.execute_batch(&format!("DROP TABLE IF EXISTS temp.{}", quote(name)))?;
        }
        Ok(())
    }
}

pub(super) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn rows(r: &Run<'_>, database: &str, name: &str) -> Result<Vec<Vec<Value>>, SqlError> {
    let (catalog, session) = (&*r.data.catalog, &*r.session);
    Ok(match (database, name) {
        ("information_schema", "schemata") => databases(catalog, session)
            .into_iter()
            .map(|name| {
                let fixed = ["utf8mb4", "utf8mb4_0900_ai_ci"].map(text);
                [vec![text("def"), text(name)], fixed.to_vec(), vec![Value::Null, text("NO")]].concat()
            })
            .collect(),
        ("information_schema", "tables") => {
            let mut found = Vec::new();
            for (schema, name, table) in all_tables(catalog, session) {
                let rows = r.data.rows.read(|connection| {
                    let sql = format!("SELECT count(*) FROM main.{}", quote(&table.physical));
                    Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))?)
                })?;
                found.push(vec![
                    text("def"),
                    text(schema),
                    text(name),
                    text("BASE TABLE"),
                    text("InnoDB"),
                    Value::Integer(rows),
                    text(datetime(table.created)),
                    text("utf8mb4_0900_ai_ci"),
                    text(&table.comment),
                ]);
            }
            found
        }
        ("information_schema", "columns") => {
            let all = all_tables(catalog, session).into_iter();
            all.flat_map(|(schema, name, table)| {
                let columns = table.columns.iter().enumerate();
                columns.map(move |(at, column)| described(schema, name, table, at, column))
            })
            .collect()
        }
        ("information_schema", "routines") => routines(catalog, session),
        ("information_schema", "parameters") => arguments(catalog, session),
        ("mysql", "user") => {
            let all = catalog.accounts.iter();
            all.map(|(key, account)| {
                let (user, host) = parts(key);
                vec![text(host), text(user), text(if account.is_role { "Y" } else { "N" })]
            })
            .collect()
        }
        ("mysql", "role_edges") => {
            let all = catalog.accounts.iter().flat_map(|(to, account)| {
                account.roles.iter().map(move |(from, admin)| {
                    let ((user, host), (role, at)) = (parts(to), parts(from));
                    vec![text(at), text(role), text(host), text(user), text(if *admin { "Y" } else { "N" })]
                })
            });
            all.collect()
        }
        ("mysql", "default_roles") => {
            let all = catalog.accounts.iter().flat_map(|(key, account)| {
                account.default_roles.iter().map(move |role| {
                    let ((user, host), (role, at)) = (parts(key), parts(role));
                    vec![text(host), text(user), text(at), text(role)]
                })
            });
            all.collect()
        }
        ("mysql", "aurora_s3_load_history") => {
            let all = catalog.loads.iter().map(|load| {
                vec![
                    text(&load.prefix),
                    text(&load.file),
                    text(&load.version),
                    number(load.bytes),
                    text(datetime(load.at)),
                ]
            });
            all.collect()
        }
        _ => Vec::new(),
    })
}

/// The databases that the session sees, the system's among them.
pub(super) fn databases(catalog: &Catalog, session: &Session) -> Vec<String> {
    let all = has(catalog, session, "SHOW DATABASES", &Scope::Everything);
    let mut names = vec!["information_schema".to_string(), "performance_schema".to_string()];
    if all {
        names.extend(["mysql".to_string(), "sys".to_string()]);
    }
    let own = catalog
        .databases
        .keys()
        .filter(|name| all || sees(catalog, session, &Scope::Database((*name).clone())));
    names.extend(own.cloned());
    names.sort();
    names
}

fn all_tables<'c>(catalog: &'c Catalog, session: &Session) -> Vec<(&'c str, &'c str, &'c Table)> {
    let all = catalog.databases.iter().flat_map(|(schema, found)| {
        found.tables.iter().map(move |(name, table)| (schema.as_str(), name.as_str(), table))
    });
    all.filter(|(schema, name, _)| {
        sees(catalog, session, &Scope::Table((*schema).to_string(), (*name).to_string()))
    })
    .collect()
}

/// `PRI`, `UNI`, `MUL` or nothing.
pub(super) fn key(table: &Table, column: &Column) -> &'static str {
    if table.primary.contains(&column.name) {
        return "PRI";
    }
    let first = table.indexes.iter().filter(|index| index.columns.first() == Some(&column.name));
    first
        .map(|index| if index.unique && index.columns.len() == 1 { "UNI" } else { "MUL" })
        .max()
        .unwrap_or("")
}

pub(super) fn preset(column: &Column) -> Value {
    match &column.default {
        None | Some(Preset::Null) => Value::Null,
        Some(Preset::Text(given) | Preset::Number(given)) => text(given),
        Some(Preset::Now) => text("CURRENT_TIMESTAMP"),
    }
}

pub(super) fn extra(column: &Column) -> &'static str {
    match (column.numbered, &column.default, column.touched) {
        (true, ..) => "auto_increment",
        (_, Some(Preset::Now), true) => "DEFAULT_GENERATED on update CURRENT_TIMESTAMP",
        (_, Some(Preset::Now), false) => "DEFAULT_GENERATED",
        _ => "",
    }
}

fn described(schema: &str, name: &str, table: &Table, at: usize, column: &Column) -> Vec<Value> {
    let kind = &column.kind;
    let set = kind.is_text() && kind.kind != Kind::Json;
    let digits = match kind.kind {
        Kind::TinyInt => Some(3),
        Kind::SmallInt => Some(5),
        Kind::MediumInt => Some(7),
        Kind::Int => Some(10),
        Kind::BigInt => Some(if kind.unsigned { 20 } else { 19 }),
        Kind::Float => Some(12),
        Kind::Double => Some(22),
        Kind::Decimal => Some(kind.length.unwrap_or(10)),
        _ => None,
    };
    let scale = match kind.kind {
        Kind::Decimal => number(u64::from(kind.scale)),
        _ if kind.is_whole() => number(0),
        _ => Value::Null,
    };
    vec![
        text("def"),
        text(schema),
        text(name),
        text(&column.name),
        number(at as u64 + 1),
        preset(column),
        text(if column.nullable { "YES" } else { "NO" }),
        text(kind.name()),
        kind.capacity().map_or(Value::Null, number),
        digits.map_or(Value::Null, number),
        scale,
        if set { text("utf8mb4") } else { Value::Null },
        if set { text("utf8mb4_0900_ai_ci") } else { Value::Null },
        text(kind.to_string()),
        text(key(table, column)),
        text(extra(column)),
        text(&column.comment),
    ]
}

fn routines(catalog: &Catalog, session: &Session) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for (schema, database) in &catalog.databases {
        for (lower, routine) in &database.routines {
            if !sees(catalog, session, &Scope::Function(schema.clone(), lower.clone())) {
                continue;
            }
            // What Aurora shows for a function that has an alias in the place of a body: believed to be empty.
            let body = match &routine.body {
                Body::Sql(body) => text(body),
                _ => text(""),
            };
            found.push(vec![
                text(&routine.name),
                text("def"),
                text(schema),
                text(&routine.name),
                text("FUNCTION"),
                text(routine.returns.name()),
                routine.returns.capacity().map_or(Value::Null, number),
                text(routine.returns.to_string()),
                text("SQL"),
                body,
                text(if routine.deterministic { "YES" } else { "NO" }),
                text(&routine.access),
                text(if routine.invoker { "INVOKER" } else { "DEFINER" }),
                text(datetime(routine.created)),
                text(datetime(routine.created)),
                text(&routine.comment),
                text(&routine.definer),
            ]);
        }
    }
    found
}

fn arguments(catalog: &Catalog, session: &Session) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for (schema, database) in &catalog.databases {
        for (lower, routine) in &database.routines {
            if !sees(catalog, session, &Scope::Function(schema.clone(), lower.clone())) {
                continue;
            }
            let all = [(None, &routine.returns)]
                .into_iter()
                .chain(routine.arguments.iter().map(|(name, kind)| (Some(name), kind)));
            for (at, (name, kind)) in all.enumerate() {
                found.push(vec![
                    text(schema),
                    text(&routine.name),
                    number(at as u64),
                    name.map_or(Value::Null, |_| text("IN")),
                    name.map_or(Value::Null, text),
                    text(kind.name()),
                    kind.capacity().map_or(Value::Null, number),
                    text(kind.to_string()),
                    text("FUNCTION"),
                ]);
            }
        }
    }
    found
}
