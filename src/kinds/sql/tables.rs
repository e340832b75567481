//! The tables in the stack's database, what Aurora has loaded into them, and what is being moved now.

use super::{ByName, looked, scope};
use crate::aws::{Aws, Failure, Look, Rows, Sql};
use auroraml_core::kinds::data_load;
use auroraml_core::sql::quote;
use auroraml_core::sql::types::SqlType;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is in the database, of what the spec names.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Whether the database itself is there.
    pub database: bool,
    pub by_name: ByName<Table>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Types by name, both in the form in which they are compared.
    pub columns: BTreeMap<String, String>,
    /// When it was made, as the database writes times.
    pub created: String,
    /// Whether it has any; asked only of tables into which something is to be loaded.
    pub has_rows: bool,
}

/// The tables of the spec that are there.
pub async fn tables(look: Look<'_>) -> Result<Result<Tables, String>, Failure> {
    let found: Arc<Result<Tables, String>> = look
        .shared("SQL tables", Box::pin(looked(look, |sql| async move { all(look.aws, &sql).await })))
        .await?;
    Ok(found.as_ref().clone())
}

/// A list of strings for IN.
fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    texts.into_iter().map(|text| quote::text(text)).collect::<Vec<_>>().join(", ")
}

async fn all(aws: &Aws, sql: &Sql) -> Result<Tables, Failure> {
    let scope = scope(aws)?;
    let database = quote::text(&scope.database);
    let there = format!("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {database}");
    let mut found = Tables { database: sql.ask(aws, &there).await?.value().is_some(), ..Tables::default() };
    if !found.database || scope.tables.is_empty() {
        return Ok(found);
    }
    let which = format!("TABLE_SCHEMA = {database} AND TABLE_NAME IN ({})", list(&scope.tables));
    let columns = format!(
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS WHERE {which} ORDER BY TABLE_NAME, ORDINAL_POSITION"
    );
    let created = format!("SELECT TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE {which}");
    let (columns, created) = tokio::join!(sql.ask(aws, &columns), async {
        // Only a load asks since when there is a table.
        if scope.loads.is_empty() { Ok(Default::default()) } else { sql.ask(aws, &created).await }
    });
    for [table, column, of] in columns?.texts() {
        let table = found.by_name.entry(table.to_string()).or_default();
        table.columns.insert(column.to_lowercase(), SqlType::canonical(of));
    }
    for [table, created] in created?.texts() {
        if let Some(table) = found.by_name.get_mut(table) {
            table.created = created.to_string();
        }
    }
    let filled = scope.loads.iter().filter(|(_, load)| found.by_name.contains_key(&load.table));
    let asks: Vec<String> = filled
        .map(|(_, load)| {
            let name = quote::text(&load.table);
            format!("SELECT {name}, EXISTS(SELECT 1 FROM {})", quote::of(&scope.database, &load.table))
        })
        .collect();
    if !asks.is_empty() {
        for [table, has_rows] in sql.ask(aws, &asks.join("\nUNION ALL ")).await?.texts() {
            if let Some(table) = found.by_name.get_mut(table) {
                table.has_rows = has_rows == "1";
            }
        }
    }
    Ok(found)
}

/// The latest time at which Aurora has loaded each file, as the database writes times.
#[derive(Clone, Debug, Default)]
pub struct Histories(BTreeMap<String, String>);

impl Histories {
    /// Whether Aurora has loaded the file into this table. Its history names files and no tables (User Guide, "Verifying
    /// loaded files using the aurora_s3_load_history table"): what was loaded before the table was made was loaded into
    /// another one.
    pub fn has(&self, load: &data_load::Props, table: Option<&Table>) -> bool {
        let mut times = self.0.iter().filter(|(file, _)| load.is_from(file)).map(|(_, at)| at);
        table.is_some_and(|table| times.any(|at| *at >= table.created))
    }
}

/// What Aurora has loaded of what the spec names.
pub async fn histories(look: Look<'_>) -> Result<Result<Histories, String>, Failure> {
    let aws = look.aws;
    if aws.scope.sql.as_ref().is_none_or(|scope| scope.loads.is_empty()) {
        return Ok(Ok(Histories::default()));
    }
    let asked = looked(look, |sql| async move {
        let loads = || scope(aws).map(|scope| scope.loads.iter().map(|(_, load)| load));
        let files: Vec<&String> = loads()?.filter(|load| !load.is_local()).map(|load| &load.from).collect();
        let mut found = Vec::new();
        if !files.is_empty() {
            found.push(format!("load_prefix IN ({})", list(files)));
        }
        if loads()?.any(data_load::Props::is_local) {
            found.push(format!(
                "load_prefix LIKE {}",
                quote::containing(&format!("{}/auroraml/", aws.bucket()))
            ));
        }
        let ask = format!(
            "SELECT load_prefix, MAX(load_timestamp) FROM mysql.aurora_s3_load_history WHERE {} GROUP BY load_prefix",
            found.join(" OR ")
        );
        let answer = sql.ask(aws, &ask).await?;
        Ok(Histories(answer.texts().map(|[file, at]| (file.to_string(), at.to_string())).collect()))
    });
    let found: Arc<Result<Histories, String>> = look.shared("SQL loads", Box::pin(asked)).await?;
    Ok(found.as_ref().clone())
}

/// The statement that lists what is carried out now (MySQL 8.0 Reference Manual, 13.7.7.29). The table of the same in
/// information_schema is on its way out.
pub const PROCESSES: &str = "SHOW FULL PROCESSLIST";

/// The statements in it: its eighth column. Its own is among them.
pub fn statements(processes: &Rows) -> Vec<String> {
    processes.texts::<8>().map(|row| row[7].to_string()).filter(|statement| !statement.is_empty()).collect()
}

/// The moves that are under way now: what outlives the Data API's limit, or the run that began it.
pub async fn running(look: Look<'_>) -> Result<Result<Vec<String>, String>, Failure> {
    let aws = look.aws;
    let asked = looked(look, |sql| async move { Ok(statements(&sql.ask(aws, PROCESSES).await?)) });
    let found: Arc<Result<Vec<String>, String>> = look.shared("SQL processes", Box::pin(asked)).await?;
    Ok(found.as_ref().clone())
}
