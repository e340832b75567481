//! INSERT, REPLACE, UPDATE, DELETE, TRUNCATE.

use super::catalog::{Preset, Table};
use super::engine::{Outcome, Run, prepare_asks};
use super::errors::{SqlError, no_column, unsupported};
use super::moments;
use super::privileges;
use super::reader::{Reader, two};
use super::schema::catalog;
use super::store::Store;
use super::system;
use super::translate::{Frame, Query, Source, Translator, literal, quote};
use super::types::as_text;
use rusqlite::types::Value;
use rusqlite::{Statement as Prepared, params_from_iter};
use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, OrderByExpr, Statement, TableFactor,
    TableObject, TableWithJoins, Update,
};
use std::sync::Arc;

/// Rows that are written in a second. An estimate.
pub(super) const WRITTEN_PER_SECOND: f64 = 20_000.0;

/// What happens to a row whose key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duplicates {
    Refuse,
    Replace,
    Ignore,
}

/// Puts rows into a table.
pub(super) struct Writer<'t> {
    name: &'t str,
    table: &'t Table,
    /// The columns that values come for, by their places.
    given: Vec<usize>,
    strict: bool,
    now: u64,
    duplicates: Duplicates,
    pub next_number: i64,
    pub first: Option<i64>,
}

impl<'t> Writer<'t> {
    pub fn new(
        r: &Run<'_>,
        name: &'t str,
        table: &'t Table,
        columns: &[String],
        duplicates: Duplicates,
    ) -> Result<Writer<'t>, SqlError> {
        let mut given = Vec::new();
        for column in columns {
            let at = table.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column));
            let at = at.ok_or_else(|| no_column(column, "field list"))?;
            if given.contains(&at) {
                let text = format!("Column '{column}' specified twice");
                return Err(SqlError { state: "42000".into(), ..SqlError::new(1110, text) });
            }
            given.push(at);
        }
        Ok(Writer {
            name,
            table,
            given: if columns.is_empty() { (0..table.columns.len()).collect() } else { given },
            strict: r.session.strict() && duplicates != Duplicates::Ignore,
            now: r.session.now,
            duplicates,
            next_number: table.next_number,
            first: None,
        })
    }

    pub fn width(&self) -> usize {
        self.given.len()
    }

    pub fn statement(&self) -> String {
        let names: Vec<String> = self.table.columns.iter().map(|column| quote(&column.name)).collect();
        let places = vec!["?"; names.len()].join(", ");
        let or = match self.duplicates {
            Duplicates::Refuse => "",
            Duplicates::Replace => " OR REPLACE",
            Duplicates::Ignore => " OR IGNORE",
        };
        format!(
            "INSERT{or} INTO main.{} ({}) VALUES ({places})",
            quote(&self.table.physical),
            names.join(", ")
        )
    }

    /// Writes one row; how many it changed.
    pub fn write(
        &mut self,
        insert: &mut Prepared<'_>,
        values: Vec<Value>,
        row: u64,
    ) -> Result<u64, SqlError> {
        let mut whole: Vec<Option<Value>> = vec![None; self.table.columns.len()];
        for (at, value) in self.given.iter().zip(values) {
            whole[*at] = Some(value);
        }
        let mut cells = Vec::with_capacity(whole.len());
        for (column, value) in self.table.columns.iter().zip(whole) {
            let store = Store { column: &column.name, row, strict: self.strict };
            let said = value.is_some();
            let value = match value {
                Some(value) => store.put(&column.kind, value)?,
                None => match &column.default {
                    Some(Preset::Now) => Value::Text(moments::datetime(self.now)),
                    Some(Preset::Text(text) | Preset::Number(text)) => {
                        store.put(&column.kind, Value::Text(text.clone()))?
                    }
                    Some(Preset::Null) | None => Value::Null,
                },
            };
            let value = match value {
                Value::Null | Value::Integer(0) if column.numbered => {
                    self.first.get_or_insert(self.next_number);
                    self.next_number += 1;
                    Value::Integer(self.next_number - 1)
                }
                Value::Integer(number) if column.numbered => {
                    self.next_number = self.next_number.max(number.saturating_add(1));
                    Value::Integer(number)
                }
                Value::Null if !column.nullable && said && self.duplicates != Duplicates::Ignore => {
                    return Err(SqlError::new(1048, format!("Column '{}' cannot be null", column.name)));
                }
                Value::Null if !column.nullable && self.strict => {
                    return Err(SqlError {
                        state: "HY000".into(),
                        ..SqlError::new(1364, format!("Field '{}' doesn't have a default value", column.name))
                    });
                }
                // What is not strict takes the type's own: nothing, or zero.
                Value::Null if !column.nullable => {
                    Store { strict: false, ..store }.put(&column.kind, Value::Text(String::new()))?
                }
                value => value,
            };
            cells.push(value);
        }
        match insert.execute(params_from_iter(&cells)) {
            Ok(changed) => Ok(changed as u64),
            Err(error) => Err(self.duplicate(&error, &cells).unwrap_or_else(|| error.into())),
        }
    }

    /// MySQL's error for a key that is there.
    fn duplicate(&self, error: &rusqlite::Error, cells: &[Value]) -> Option<SqlError> {
        let text = error.to_string();
        let (_, columns) = text.split_once("UNIQUE constraint failed: ")?;
        let names: Vec<&str> =
            columns.split(", ").filter_map(|one| one.split_once('.').map(|(_, name)| name)).collect();
        let key = match self.table.indexes.iter().find(|index| index.unique && index.columns == names) {
            Some(index) if self.table.primary != names => index.name.as_str(),
            _ => "PRIMARY",
        };
        let entry: Vec<String> = names
            .iter()
            .filter_map(|name| self.table.columns.iter().position(|column| column.name == *name))
            .filter_map(|at| cells.get(at).map(as_text))
            .collect();
        Some(SqlError::new(
            1062,
            format!("Duplicate entry '{}' for key '{}.{key}'", entry.join("-"), self.name),
        ))
    }
}

pub(super) fn insert(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let Statement::Insert(found) = reader.statement()? else { return Err(unsupported(r.sql)) };
    reader.end()?;
    let Insert { table: TableObject::TableName(name), on: None, returning: None, table_alias: None, .. } =
        &found
    else {
        return Err(unsupported("INSERT … ON DUPLICATE KEY UPDATE, RETURNING or an alias"));
    };
    let (database, name) = two(name)?;
    let catalog_before = Arc::clone(&r.data.catalog);
    let mut translator = Translator::new(&catalog_before, r.session, r.parameters);
    let (database, table) = translator.table(database.as_deref(), &name)?;
    privileges::table(&catalog_before, r.session, "INSERT", &database, &name)?;
    let duplicates = match (found.replace_into, found.ignore) {
        (true, _) => Duplicates::Replace,
        (_, true) => Duplicates::Ignore,
        _ => Duplicates::Refuse,
    };
    if duplicates == Duplicates::Replace {
        privileges::table(&catalog_before, r.session, "DELETE", &database, &name)?;
    }
    let mut columns: Vec<String> = Vec::new();
    for column in &found.columns {
        columns.push(two(column)?.1);
    }
    let query = match &found.source {
        Some(source) => translator.query(source)?,
        None => {
            let mut cells = Vec::new();
            translator.frames.push(Frame::default());
            for assignment in &found.assignments {
                columns.push(target(assignment)?);
                cells.push(translator.expression(&assignment.value)?);
            }
            translator.frames.pop();
            let sql = cells.iter().map(|cell| cell.sql.as_str()).collect::<Vec<_>>().join(", ");
            let outputs = cells.iter().map(|cell| super::translate::Output::plain("", cell.kind.clone()));
            Query { sql: format!("SELECT {sql}"), columns: outputs.collect() }
        }
    };
    let mut writer = Writer::new(r, &name, table, &columns, duplicates)?;
    if query.columns.len() != writer.width() {
        return Err(SqlError::new(1136, "Column count doesn't match value count at row 1"));
    }
    let asks = prepare_asks(r, &translator)?;
    let filled = system::tables(r, &translator)?;
    // What is read must not be what is being written.
    let apart = !query.sql.contains(&quote(&table.physical));
    let (mut updated, mut row) = (0, 0_u64);
    r.data.rows.write(|connection| {
        asks.register(connection)?;
        filled.fill(connection)?;
        {
            let mut insert = connection.prepare(&writer.statement())?;
            let mut select = connection.prepare(&query.sql)?;
            let mut rows = select.query(params_from_iter(&translator.binds))?;
            let mut waiting = Vec::new();
            while let Some(found) = rows.next()? {
                let values: Result<Vec<Value>, rusqlite::Error> =
                    (0..query.columns.len()).map(|at| found.get(at)).collect();
                row += 1;
                match apart {
                    true => updated += writer.write(&mut insert, values?, row)?,
                    false => waiting.push(values?),
                }
            }
            for (at, values) in waiting.into_iter().enumerate() {
                updated += writer.write(&mut insert, values, at as u64 + 1)?;
            }
        }
        filled.drop(connection)
    })?;
    let (next, first) = (writer.next_number, writer.first);
    let seconds = Outcome::done(0).seconds + row as f64 / WRITTEN_PER_SECOND + asks.taken(r);
    number(r, &database, &name, next);
    Ok(Outcome { generated: first, seconds, ..Outcome::done(updated) })
}

/// Keeps the next number of a table.
pub(super) fn number(r: &mut Run<'_>, database: &str, name: &str, next: i64) {
    let known = r.data.catalog.databases.get(database).and_then(|schema| schema.tables.get(name));
    if known.is_some_and(|table| table.next_number != next)
        && let Some(table) =
            catalog(r).databases.get_mut(database).and_then(|schema| schema.tables.get_mut(name))
    {
        table.next_number = next;
    }
}

fn target(assignment: &Assignment) -> Result<String, SqlError> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => match super::reader::parts_of(name)?.last() {
            Some(name) => Ok(name.value.clone()),
            None => Err(unsupported(name)),
        },
        other => Err(unsupported(other)),
    }
}

/// The one table of an UPDATE or DELETE, with its alias.
fn single(table: &TableWithJoins) -> Result<(Option<String>, String, String), SqlError> {
    match &table.relation {
        TableFactor::Table { name, alias, .. } if table.joins.is_empty() => {
            let (database, name) = two(name)?;
            let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| alias.name.value.clone());
            Ok((database, name, alias))
        }
        _ => Err(unsupported("UPDATE and DELETE of several tables")),
    }
}

/// The rows that a statement is about, as a condition on the table.
fn condition(
    translator: &mut Translator<'_>,
    from: &str,
    selection: Option<&Expr>,
    order: &[OrderByExpr],
    limit: Option<&Expr>,
    alias: &str,
) -> Result<String, SqlError> {
    translator.clause = "where clause";
    let clause = match selection {
        Some(condition) => format!(" WHERE {}", translator.expression(condition)?.sql),
        None => String::new(),
    };
    let Some(limit) = limit else { return Ok(clause) };
    let order = if order.is_empty() { String::new() } else { translator.ordered(order)? };
    let limit = translator.count(limit)?;
    let row = format!("{}._rowid_", quote(alias));
    Ok(format!(" WHERE _rowid_ IN (SELECT {row} FROM {from}{clause}{order} LIMIT {limit})"))
}

pub(super) fn update(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let Statement::Update(Update { table, assignments, from: None, selection, order_by, limit, .. }) =
        reader.statement()?
    else {
        return Err(unsupported(r.sql));
    };
    reader.end()?;
    let (database, name, alias) = single(&table)?;
    let catalog_before = Arc::clone(&r.data.catalog);
    let mut translator = Translator::new(&catalog_before, r.session, r.parameters);
    let (from, source) = translator.source(database.as_deref(), &name, &alias, "UPDATE")?;
    let (_, table) = translator.table(database.as_deref(), &name)?;
    reading(&mut translator, source);
    let mut sets = Vec::new();
    for assignment in &assignments {
        let column = target(assignment)?;
        let column = table.column(&column).ok_or_else(|| no_column(&column, "field list"))?;
        translator.clause = "field list";
        let value = translator.expression(&assignment.value)?;
        let mut stored = translator.stored(&value, &column.kind, &column.name, 1)?.sql;
        if !column.nullable {
            let error = SqlError::new(1048, format!("Column '{}' cannot be null", column.name));
            stored = format!("coalesce({stored}, my_fail({}))", literal(&error.carried()));
        }
        sets.push(format!("{} = {stored}", quote(&column.name)));
    }
    for column in table.columns.iter().filter(|column| column.touched) {
        sets.push(format!("{} = {}", quote(&column.name), literal(&moments::datetime(r.session.now))));
    }
    let rows = condition(&mut translator, &from, selection.as_ref(), &order_by, limit.as_ref(), &alias)?;
    change(r, &translator, &format!("UPDATE {from} SET {}{rows}", sets.join(", ")))
}

/// Makes the table the one that columns are looked up in.
fn reading(translator: &mut Translator<'_>, source: Source) {
    translator.frames.push(Frame { sources: vec![source], labels: Vec::new() });
}

fn change(r: &mut Run<'_>, translator: &Translator<'_>, sql: &str) -> Result<Outcome, SqlError> {
    let asks = prepare_asks(r, translator)?;
    let filled = system::tables(r, translator)?;
    let updated = r.data.rows.write(|connection| {
        asks.register(connection)?;
        filled.fill(connection)?;
        let changed = connection.execute(sql, params_from_iter(&translator.binds))?;
        filled.drop(connection)?;
        Ok(changed as u64)
    })?;
    let seconds = Outcome::done(0).seconds + updated as f64 / WRITTEN_PER_SECOND + asks.taken(r);
    Ok(Outcome { seconds, ..Outcome::done(updated) })
}

pub(super) fn delete(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let Statement::Delete(Delete { tables, from, using: None, selection, order_by, limit, .. }) =
        reader.statement()?
    else {
        return Err(unsupported(r.sql));
    };
    reader.end()?;
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &from;
    let ([one], true) = (from.as_slice(), tables.is_empty()) else {
        return Err(unsupported("DELETE of several tables"));
    };
    let (database, name, alias) = single(one)?;
    let catalog_before = Arc::clone(&r.data.catalog);
    let mut translator = Translator::new(&catalog_before, r.session, r.parameters);
    let (from, source) = translator.source(database.as_deref(), &name, &alias, "DELETE")?;
    reading(&mut translator, source);
    let rows = condition(&mut translator, &from, selection.as_ref(), &order_by, limit.as_ref(), &alias)?;
    change(r, &translator, &format!("DELETE FROM {from}{rows}"))
}

pub(super) fn truncate(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    reader.word("TABLE");
    let (database, name) = reader.name()?;
    reader.end()?;
    let no_parameters = super::session::Parameters::new();
    let catalog_before = Arc::clone(&r.data.catalog);
    let translator = Translator::new(&catalog_before, r.session, &no_parameters);
    let (database, table) = translator.table(database.as_deref(), &name)?;
    privileges::table(&catalog_before, r.session, "DROP", &database, &name)?;
    let sql = format!("DELETE FROM main.{}", quote(&table.physical));
    r.data.rows.write(|connection| Ok(connection.execute_batch(&sql)?))?;
    number(r, &database, &name, 1);
    Ok(Outcome::defined())
}
