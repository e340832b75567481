//! SHOW and DESCRIBE.
//!
//! Facts: MySQL 8.0 Reference, "SHOW Statements". How Aurora prints a function that has an alias in the place of a body
//! is published nowhere: **believed** to be the head as MySQL prints it and the clauses as its grammar has them.

use super::catalog::{Body, Column, Preset, Routine, Scope, Table, account, quoted};
use super::engine::{Outcome, Run};
use super::errors::{SqlError, no_column, none_selected, unsupported};
use super::moments::datetime;
use super::plain::like;
use super::privileges::{self, has, sees};
use super::reader::Reader;
use super::session::Parameters;
use super::system::{self, extra, key, text};
use super::translate::{Output, Translator};
use super::types::{Kind, Type, as_text};
use rusqlite::types::Value;
use sqlparser::tokenizer::Token;

fn head(names: &[&str]) -> Vec<Output> {
    names.iter().map(|name| Output::plain(name, Type::new(Kind::Varchar))).collect()
}

pub(super) fn show(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    let full = reader.word("FULL");
    if reader.word("DATABASES") || reader.word("SCHEMAS") {
        let rows =
            system::databases(&r.data.catalog, r.session).into_iter().map(|name| vec![text(name)]).collect();
        return shown(reader, head(&["Database"]), rows);
    }
    if reader.word("TABLES") {
        return tables(r, reader, full);
    }
    if reader.word("COLUMNS") || reader.word("FIELDS") {
        reader.expect("FROM")?;
        let (database, name) = reader.name()?;
        let database = if reader.word("FROM") { Some(reader.identifier()?) } else { database };
        let rows = columns(r, database.as_deref(), &name)?;
        return shown(reader, head(&["Field", "Type", "Null", "Key", "Default", "Extra"]), rows);
    }
    if reader.word("CREATE") {
        return create(r, reader);
    }
    if reader.words("FUNCTION STATUS") {
        return functions(r, reader);
    }
    if reader.words("PROCEDURE STATUS") {
        return shown(reader, head(&STATUS), Vec::new());
    }
    if reader.word("GRANTS") {
        return grants(r, reader);
    }
    let global = reader.word("GLOBAL");
    if !global {
        let _ = reader.word("SESSION") || reader.word("LOCAL");
    }
    if reader.word("VARIABLES") {
        let rows = r.session.variables.iter().map(|(name, value)| vec![text(name), text(value)]).collect();
        return shown(reader, head(&["Variable_name", "Value"]), rows);
    }
    if reader.word("STATUS") {
        let rows = status(r);
        return shown(reader, head(&["Variable_name", "Value"]), rows);
    }
    if reader.word("WARNINGS") || reader.word("ERRORS") {
        return shown(reader, head(&["Level", "Code", "Message"]), Vec::new());
    }
    if reader.is_word("PROCESSLIST") {
        reader.next();
        // Without FULL the first 100 characters (MySQL 8.0 Reference, "SHOW PROCESSLIST").
        let most = if full { usize::MAX } else { 100 };
        let rows = r.session.processes.iter().enumerate().map(|(n, (began, sql))| {
            let seconds = r.session.now.saturating_sub(*began) / 1_000;
            let (id, time) = ((n + 10).to_string(), seconds.to_string());
            let info: String = sql.chars().take(most).collect();
            let user = r.session.user.as_str();
            [id.as_str(), user, "rdsdata", "", "Query", time.as_str(), "executing", info.as_str()]
                .map(text)
                .to_vec()
        });
        let rows = rows.collect();
        return shown(reader, head(&["Id", "User", "Host", "db", "Command", "Time", "State", "Info"]), rows);
    }
    match reader.peek() {
        Token::Word(word) if word.quote_style.is_none() => Err(unsupported(format!("SHOW {}", word.value))),
        _ => Err(reader.wrong()),
    }
}

/// Rows that LIKE lets through, on their first column; `WHERE column = 'text'`, or LIKE in its place, on any.
fn shown(
    mut reader: Reader<'_>,
    columns: Vec<Output>,
    mut rows: Vec<Vec<Value>>,
) -> Result<Outcome, SqlError> {
    let mut at = 0;
    let mut pattern = None;
    if reader.word("LIKE") {
        pattern = Some((reader.string()?, true));
    } else if reader.word("WHERE") {
        let name = reader.identifier()?;
        let found = columns.iter().position(|column| column.label.eq_ignore_ascii_case(&name));
        at = found.ok_or_else(|| no_column(&name, "where clause"))?;
        let is_pattern = reader.word("LIKE");
        if !is_pattern {
            reader.expect_token(&Token::Eq)?;
        }
        pattern = Some((reader.string()?, is_pattern));
        if reader.is_word("AND") || reader.is_word("OR") {
            return Err(unsupported("SHOW … WHERE with more than one condition"));
        }
    }
    reader.end()?;
    if let Some((pattern, is_pattern)) = pattern {
        let pattern = pattern.to_lowercase();
        rows.retain(|row| {
            let found = as_text(&row[at]).to_lowercase();
            if is_pattern {
                like(found.as_bytes(), pattern.as_bytes(), Some(b'\\'))
            } else {
                found == pattern
            }
        });
    }
    Ok(Outcome::table(columns, rows))
}

fn tables(r: &mut Run<'_>, mut reader: Reader<'_>, full: bool) -> Result<Outcome, SqlError> {
    let given = if reader.word("FROM") || reader.word("IN") { Some(reader.identifier()?) } else { None };
    let database = given.or_else(|| r.session.database.clone()).ok_or_else(none_selected)?;
    if super::translate::is_system(&database) {
        return Err(unsupported(format!("SHOW TABLES FROM {database}")));
    }
    let catalog = &r.data.catalog;
    let schema = catalog.databases.get(&database).ok_or_else(|| super::errors::no_database(&database))?;
    if !sees(catalog, r.session, &Scope::Database(database.clone())) {
        return Err(super::errors::denied_database(&r.session.user, &r.session.host, &database));
    }
    let names = schema
        .tables
        .keys()
        .filter(|name| sees(catalog, r.session, &Scope::Table(database.clone(), (*name).clone())));
    let rows = names
        .map(|name| if full { vec![text(name), text("BASE TABLE")] } else { vec![text(name)] })
        .collect();
    let title = format!("Tables_in_{database}");
    let both = [title.as_str(), "Table_type"];
    shown(reader, head(if full { &both } else { &both[..1] }), rows)
}

/// The rows of DESCRIBE.
fn columns(r: &Run<'_>, database: Option<&str>, name: &str) -> Result<Vec<Vec<Value>>, SqlError> {
    let none = Parameters::new();
    let translator = Translator::new(&r.data.catalog, r.session, &none);
    let (database, table) = translator.table(database, name)?;
    if !sees(&r.data.catalog, r.session, &Scope::Table(database, name.to_string())) {
        return Err(super::errors::denied_table("SELECT", &r.session.user, "rdsdataapi", name));
    }
    let rows = table.columns.iter().map(|column| {
        vec![
            text(&column.name),
            text(column.kind.to_string()),
            text(if column.nullable { "YES" } else { "NO" }),
            text(key(table, column)),
            system::preset(column),
            text(extra(column)),
        ]
    });
    Ok(rows.collect())
}

pub(super) fn describe(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    let (database, name) = reader.name()?;
    reader.end()?;
    let rows = columns(r, database.as_deref(), &name)?;
    Ok(Outcome::table(head(&["Field", "Type", "Null", "Key", "Default", "Extra"]), rows))
}

fn create(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    if reader.word("DATABASE") || reader.word("SCHEMA") {
        let name = reader.identifier()?;
        reader.end()?;
        if !r.data.catalog.databases.contains_key(&name) {
            return Err(super::errors::no_database(&name));
        }
        let sql = format!(
            "CREATE DATABASE `{name}` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */"
        );
        return Ok(Outcome::table(head(&["Database", "Create Database"]), vec![vec![text(name), text(sql)]]));
    }
    if reader.word("TABLE") {
        let (database, name) = reader.name()?;
        reader.end()?;
        let none = Parameters::new();
        let translator = Translator::new(&r.data.catalog, r.session, &none);
        let (database, table) = translator.table(database.as_deref(), &name)?;
        privileges::table(&r.data.catalog, r.session, "SELECT", &database, &name)?;
        let rows = vec![vec![text(&name), text(create_table(&name, table))]];
        return Ok(Outcome::table(head(&["Table", "Create Table"]), rows));
    }
    reader.expect("FUNCTION")?;
    let (database, name) = reader.name()?;
    reader.end()?;
    let database = database.or_else(|| r.session.database.clone()).ok_or_else(none_selected)?;
    let routine = r.data.catalog.routine(&database, &name);
    let on = Scope::Function(database, name.to_ascii_lowercase());
    // Who has no privilege there is told the same as where there is none.
    let routine = routine.filter(|_| sees(&r.data.catalog, r.session, &on));
    let routine = routine.ok_or_else(|| SqlError::new(1305, format!("FUNCTION {name} does not exist")))?;
    // The text is for the definer, and for who may read everything or change routines (MySQL 8.0.20).
    let whole = routine.definer == r.session.account()
        || has(&r.data.catalog, r.session, "SELECT", &Scope::Everything)
        || has(&r.data.catalog, r.session, "ALTER ROUTINE", &on)
        || has(&r.data.catalog, r.session, "CREATE ROUTINE", &on);
    let row = vec![
        text(&routine.name),
        text(r.session.variable("sql_mode").unwrap_or_default()),
        if whole { text(create_function(routine)) } else { Value::Null },
        text("utf8mb4"),
        text("utf8mb4_0900_ai_ci"),
        text("utf8mb4_0900_ai_ci"),
    ];
    let names = [
        "Function",
        "sql_mode",
        "Create Function",
        "character_set_client",
        "collation_connection",
        "Database Collation",
    ];
    Ok(Outcome::table(head(&names), vec![row]))
}

fn create_table(name: &str, table: &Table) -> String {
    let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(",");
    let mut lines: Vec<String> = table.columns.iter().map(column_line).collect();
    if !table.primary.is_empty() {
        lines.push(format!("  PRIMARY KEY ({})", list(&table.primary)));
    }
    for index in &table.indexes {
        let word = if index.unique { "UNIQUE KEY" } else { "KEY" };
        lines.push(format!("  {word} `{}` ({})", index.name, list(&index.columns)));
    }
    let number = if table.next_number > 1 && table.columns.iter().any(|column| column.numbered) {
        format!(" AUTO_INCREMENT={}", table.next_number)
    } else {
        String::new()
    };
    format!(
        "CREATE TABLE `{name}` (\n{}\n) ENGINE=InnoDB{number} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci",
        lines.join(",\n")
    )
}

fn column_line(column: &Column) -> String {
    let mut line = format!("  `{}` {}", column.name, column.kind);
    if let Some(set) = column.kind.charset.as_deref().filter(|set| *set != "utf8mb4") {
        line.push_str(&format!(" CHARACTER SET {set}"));
    }
    if !column.nullable {
        line.push_str(" NOT NULL");
    } else if matches!(column.kind.kind, Kind::Timestamp) {
        line.push_str(" NULL");
    }
    match &column.default {
        Some(Preset::Null) => line.push_str(" DEFAULT NULL"),
        None if column.nullable
            && column.kind.capacity().is_none_or(|_| {
                matches!(column.kind.kind, Kind::Varchar | Kind::Char | Kind::Varbinary | Kind::Binary)
            }) =>
        {
            line.push_str(" DEFAULT NULL");
        }
        None => {}
        Some(Preset::Text(text) | Preset::Number(text)) => line.push_str(&format!(" DEFAULT '{text}'")),
        Some(Preset::Now) => line.push_str(" DEFAULT CURRENT_TIMESTAMP"),
    }
    if column.touched {
        line.push_str(" ON UPDATE CURRENT_TIMESTAMP");
    }
    if column.numbered {
        line.push_str(" AUTO_INCREMENT");
    }
    if !column.comment.is_empty() {
        line.push_str(&format!(" COMMENT '{}'", column.comment));
    }
    line
}

/// As MySQL prints it; what stands for the body of one with an alias is believed.
pub(crate) fn create_function(routine: &Routine) -> String {
    let set = match (&routine.returns.charset, routine.returns.is_text()) {
        (Some(set), true) => format!(" CHARSET {set}"),
        (None, true) => " CHARSET utf8mb4".into(),
        _ => String::new(),
    };
    let mut sql = format!(
        "CREATE DEFINER={} FUNCTION `{}`({}) RETURNS {}{set}\n",
        quoted(&routine.definer),
        routine.name,
        routine.written,
        routine.returns
    );
    if routine.access != "CONTAINS SQL" {
        sql.push_str(&format!("    {}\n", routine.access));
    }
    if routine.deterministic {
        sql.push_str("    DETERMINISTIC\n");
    }
    if routine.invoker {
        sql.push_str("    SQL SECURITY INVOKER\n");
    }
    if !routine.comment.is_empty() {
        sql.push_str(&format!("    COMMENT '{}'\n", routine.comment.replace('\'', "''")));
    }
    match &routine.body {
        Body::Sql(body) => sql.push_str(body),
        Body::SageMaker { endpoint, batch } => {
            sql.push_str(&format!("ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT\nENDPOINT NAME '{endpoint}'"));
            if let Some(batch) = batch {
                sql.push_str(&format!("\nMAX_BATCH_SIZE {batch}"));
            }
        }
        Body::Bedrock { model, content_type, accept, timeout_ms } => {
            sql.push_str(&format!("ALIAS AWS_BEDROCK_INVOKE_MODEL\nMODEL ID '{model}'"));
            for (word, value) in [("CONTENT_TYPE", content_type), ("ACCEPT", accept)] {
                if let Some(value) = value {
                    sql.push_str(&format!("\n{word} '{value}'"));
                }
            }
            if let Some(timeout) = timeout_ms {
                sql.push_str(&format!("\nTIMEOUT_MS {timeout}"));
            }
        }
    }
    sql
}

const STATUS: [&str; 11] = [
    "Db",
    "Name",
    "Type",
    "Definer",
    "Modified",
    "Created",
    "Security_type",
    "Comment",
    "character_set_client",
    "collation_connection",
    "Database Collation",
];

fn functions(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let mut rows = Vec::new();
    for (database, schema) in &r.data.catalog.databases {
        for (lower, routine) in &schema.routines {
            if !sees(&r.data.catalog, r.session, &Scope::Function(database.clone(), lower.clone())) {
                continue;
            }
            rows.push(vec![
                text(database),
                text(&routine.name),
                text("FUNCTION"),
                text(&routine.definer),
                text(datetime(routine.created)),
                text(datetime(routine.created)),
                text(if routine.invoker { "INVOKER" } else { "DEFINER" }),
                text(&routine.comment),
                text("utf8mb4"),
                text("utf8mb4_0900_ai_ci"),
                text("utf8mb4_0900_ai_ci"),
            ]);
        }
    }
    // LIKE is about the name.
    if reader.word("LIKE") {
        let pattern = reader.string()?.to_lowercase();
        rows.retain(|row| like(as_text(&row[1]).to_lowercase().as_bytes(), pattern.as_bytes(), Some(b'\\')));
    }
    shown(reader, head(&STATUS), rows)
}

fn grants(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let current = r.session.account();
    let own = !reader.word("FOR");
    let key = if own { current.clone() } else { reader.account(&current)? };
    let mut using: Vec<String> = if own { r.session.roles.iter().cloned().collect() } else { Vec::new() };
    if reader.word("USING") {
        using = reader.list(|reader| reader.account(&current))?;
    }
    reader.end()?;
    if key != current {
        privileges::table(&r.data.catalog, r.session, "SELECT", "mysql", "user")?;
    }
    if !r.data.catalog.accounts.contains_key(&key) {
        let (user, host) = super::catalog::parts(&key);
        return Err(SqlError::new(
            1141,
            format!("There is no such grant defined for user '{user}' on host '{host}'"),
        ));
    }
    let (user, host) = super::catalog::parts(&key);
    let title = format!("Grants for {}", account(user, host));
    let lines = privileges::shown(&r.data.catalog, &key, &using);
    Ok(Outcome::table(head(&[&title]), lines.into_iter().map(|line| vec![text(line)]).collect()))
}

/// Aurora User Guide, "Monitoring Aurora machine learning".
fn status(r: &Run<'_>) -> Vec<Vec<Value>> {
    let requests = r.data.catalog.requests.to_string();
    let counted = [
        ("Aurora_ml_actual_request_cnt", requests.as_str()),
        ("Aurora_ml_actual_response_cnt", requests.as_str()),
        ("Aurora_ml_cache_hit_cnt", "0"),
        ("Aurora_ml_logical_request_cnt", requests.as_str()),
        ("Aurora_ml_logical_response_cnt", requests.as_str()),
        ("Aurora_ml_retry_request_cnt", "0"),
        ("Aurora_ml_single_request_cnt", "0"),
    ];
    counted.map(|(name, value)| vec![text(name), text(value)]).into()
}
