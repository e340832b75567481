//! Databases and tables.

use super::catalog::{Catalog, Column, Index, Preset, Schema, Scope, Table};
use super::engine::{Outcome, Run};
use super::errors::{SqlError, no_database, none_selected, unsupported};
use super::privileges;
use super::reader::{Reader, two};
use super::translate::{is_system, quote};
use super::types::{Kind, Type};
use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, Expr, IndexColumn, Statement, TableConstraint, UnaryOperator, Value,
};
use std::sync::Arc;

/// MySQL 8.0 Reference, "Identifier Length Limits".
pub(super) const NAME_MAX: usize = 64;
/// "Limits on Table Column Count and Row Size".
const COLUMNS_MAX: usize = 1_017;

pub(super) fn check_name(name: &str) -> Result<(), SqlError> {
    if name.chars().count() > NAME_MAX {
        return Err(SqlError {
            state: "42000".into(),
            ..SqlError::new(1059, format!("Identifier name '{name}' is too long"))
        });
    }
    Ok(())
}

pub(super) fn create_database(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let lenient = reader.if_not_exists();
    let name = reader.identifier()?;
    // CHARACTER SET, COLLATE, ENCRYPTION: all texts are utf8mb4 here.
    while !reader.at_end() {
        reader.next();
    }
    check_name(&name)?;
    privileges::database(&r.data.catalog, r.session, "CREATE", &name)?;
    if r.data.catalog.databases.contains_key(&name) || is_system(&name) {
        if lenient {
            return Ok(Outcome { updated: 1, ..Outcome::defined() });
        }
        return Err(SqlError::new(1007, format!("Can't create database '{name}'; database exists")));
    }
    catalog(r).databases.insert(name, Schema::default());
    Ok(Outcome { updated: 1, ..Outcome::defined() })
}

pub(super) fn drop_database(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let lenient = reader.if_exists();
    let name = reader.identifier()?;
    reader.end()?;
    privileges::database(&r.data.catalog, r.session, "DROP", &name)?;
    if is_system(&name) {
        return Err(privileges::database(
            &r.data.catalog,
            &super::session::Session::default(),
            "DROP",
            &name,
        )
        .err()
        .unwrap_or_else(|| no_database(&name)));
    }
    let Some(schema) = r.data.catalog.databases.get(&name).cloned() else {
        if lenient {
            return Ok(Outcome::defined());
        }
        return Err(SqlError::new(1008, format!("Can't drop database '{name}'; database doesn't exist")));
    };
    r.data.rows.write(|connection| {
        for table in schema.tables.values() {
            connection.execute_batch(&format!("DROP TABLE main.{}", quote(&table.physical)))?;
        }
        Ok(())
    })?;
    let catalog = catalog(r);
    catalog.databases.remove(&name);
    if r.session.database.as_deref() == Some(&name) {
        r.session.database = None;
    }
    Ok(Outcome { updated: schema.tables.len() as u64, ..Outcome::defined() })
}

pub(super) fn catalog<'r>(r: &'r mut Run<'_>) -> &'r mut Catalog {
    Arc::make_mut(&mut r.data.catalog)
}

/// The database of a new object, which must be there and be a user's.
pub(super) fn home(r: &Run<'_>, given: Option<String>) -> Result<String, SqlError> {
    let name = given.or_else(|| r.session.database.clone()).ok_or_else(none_selected)?;
    if is_system(&name) {
        return Err(super::errors::denied_database(&r.session.user, &r.session.host, &name));
    }
    if !r.data.catalog.databases.contains_key(&name) {
        return Err(no_database(&name));
    }
    Ok(name)
}

pub(super) fn create_table(r: &mut Run<'_>) -> Result<Outcome, SqlError> {
    let mut reader = Reader::new(r.sql)?;
    let Statement::CreateTable(found) = reader.statement()? else { return Err(unsupported(r.sql)) };
    reader.end()?;
    let (database, name) = two(&found.name)?;
    check_name(&name)?;
    let database = match database.clone().or_else(|| r.session.database.clone()) {
        Some(database) => database,
        None => return Err(none_selected()),
    };
    let on = Scope::Table(database.clone(), name.clone());
    if !privileges::has(&r.data.catalog, r.session, "CREATE", &on) {
        return Err(super::errors::denied_table("CREATE", &r.session.user, "rdsdataapi", &name));
    }
    let database = home(r, Some(database))?;
    if r.data.catalog.databases[&database].tables.contains_key(&name) {
        if found.if_not_exists {
            return Ok(Outcome::defined());
        }
        return Err(SqlError::new(1050, format!("Table '{name}' already exists")));
    }
    if found.query.is_some() || found.like.is_some() || found.temporary || found.partition_by.is_some() {
        return Err(unsupported("CREATE TABLE with SELECT, LIKE, TEMPORARY or PARTITION"));
    }
    let table = read_table(r, &found)?;
    make(r, &table)?;
    let catalog = catalog(r);
    catalog.next += 1;
    if let Some(schema) = catalog.databases.get_mut(&database) {
        schema.tables.insert(name, table);
    }
    Ok(Outcome::defined())
}

fn make(r: &mut Run<'_>, table: &Table) -> Result<(), SqlError> {
    let mut parts: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("{} {}", quote(&column.name), column.kind.affinity()))
        .collect();
    let list = |names: &[String]| names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    if !table.primary.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", list(&table.primary)));
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        parts.push(format!("UNIQUE ({})", list(&index.columns)));
    }
    let sql = format!("CREATE TABLE main.{} ({})", quote(&table.physical), parts.join(", "));
    r.data.rows.write(|connection| Ok(connection.execute_batch(&sql)?))
}

fn read_table(r: &Run<'_>, found: &CreateTable) -> Result<Table, SqlError> {
    let mut table = Table {
        physical: format!("t{}", r.data.catalog.next),
        columns: Vec::new(),
        primary: Vec::new(),
        indexes: Vec::new(),
        created: r.session.now,
        next_number: 1,
        comment: String::new(),
    };
    if found.columns.is_empty() {
        return Err(SqlError {
            state: "42000".into(),
            ..SqlError::new(1113, "A table must have at least 1 column")
        });
    }
    if found.columns.len() > COLUMNS_MAX {
        return Err(SqlError::new(1117, "Too many columns"));
    }
    for definition in &found.columns {
        let column = read_column(definition, &mut table)?;
        if table.column(&column.name).is_some() {
            return Err(SqlError::new(1060, format!("Duplicate column name '{}'", column.name)));
        }
        table.columns.push(column);
    }
    for constraint in &found.constraints {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                if !table.primary.is_empty() {
                    return Err(SqlError {
                        state: "42000".into(),
                        ..SqlError::new(1068, "Multiple primary key defined")
                    });
                }
                table.primary = key_columns(&table, &key.columns)?;
            }
            TableConstraint::Unique(key) => {
                let columns = key_columns(&table, &key.columns)?;
                let name = key.index_name.as_ref().or(key.name.as_ref()).map(|name| name.value.clone());
                table.indexes.push(Index {
                    name: name.unwrap_or_else(|| columns[0].clone()),
                    unique: true,
                    columns,
                });
            }
            TableConstraint::Index(key) => {
                let columns = key_columns(&table, &key.columns)?;
                let name = key.name.as_ref().map(|name| name.value.clone());
                table.indexes.push(Index {
                    name: name.unwrap_or_else(|| columns[0].clone()),
                    unique: false,
                    columns,
                });
            }
            other => return Err(unsupported(other)),
        }
    }
    for name in table.primary.clone() {
        for column in table.columns.iter_mut().filter(|column| column.name == name) {
            column.nullable = false;
        }
    }
    check_size(&table)?;
    Ok(table)
}

/// The longest VARCHAR, and the largest row: 65,535 bytes, of four for each character of utf8mb4.
fn check_size(table: &Table) -> Result<(), SqlError> {
    let mut row = 0;
    for column in &table.columns {
        let bytes = match column.kind.kind {
            Kind::Varchar => {
                let length = column.kind.length.unwrap_or(0);
                let wide = if column.kind.charset.as_deref() == Some("latin1") { 1 } else { 4 };
                if length * wide > 65_535 {
                    let text = format!(
                        "Column length too big for column '{}' (max = {}); use BLOB or TEXT instead",
                        column.name,
                        65_535 / wide
                    );
                    return Err(SqlError::new(1074, text));
                }
                length * wide + 2
            }
            Kind::Char => column.kind.length.unwrap_or(1) * 4,
            Kind::Varbinary | Kind::Binary => column.kind.length.unwrap_or(1) + 2,
            _ => 9,
        };
        row += bytes;
    }
    if row > 65_535 {
        let text = "Row size too large. The maximum row size for the used table type, not counting BLOBs, is 65535. \
                    This includes storage overhead, check the manual. You have to change some columns to TEXT or BLOBs";
        return Err(SqlError { state: "42000".into(), ..SqlError::new(1118, text) });
    }
    Ok(())
}

fn key_columns(table: &Table, given: &[IndexColumn]) -> Result<Vec<String>, SqlError> {
    given
        .iter()
        .map(|one| {
            let name = match &one.column.expr {
                Expr::Identifier(name) => name.value.clone(),
                other => return Err(unsupported(other)),
            };
            match table.column(&name) {
                Some(column) => Ok(column.name.clone()),
                None => Err(SqlError::new(1072, format!("Key column '{name}' doesn't exist in table"))),
            }
        })
        .collect()
}

fn read_column(found: &ColumnDef, table: &mut Table) -> Result<Column, SqlError> {
    let name = found.name.value.clone();
    check_name(&name)?;
    let mut kind = Type::read(&found.data_type)?;
    if kind.kind == Kind::Varchar && kind.length.is_none() {
        return Err(super::errors::syntax("", 1));
    }
    let mut column = Column {
        name: name.clone(),
        kind: Type::new(Kind::Null),
        nullable: true,
        default: None,
        numbered: false,
        touched: false,
        comment: String::new(),
    };
    for option in &found.options {
        match &option.option {
            ColumnOption::Null => column.nullable = true,
            ColumnOption::NotNull => column.nullable = false,
            ColumnOption::Default(expr) => column.default = Some(read_preset(expr, &kind, &name)?),
            ColumnOption::PrimaryKey(_) => {
                table.primary = vec![name.clone()];
                column.nullable = false;
            }
            ColumnOption::Unique(_) => {
                table.indexes.push(Index { name: name.clone(), unique: true, columns: vec![name.clone()] });
            }
            ColumnOption::Comment(text) => column.comment = text.clone(),
            ColumnOption::CharacterSet(set) => kind.charset = Some(set.to_string().to_ascii_lowercase()),
            ColumnOption::Collation(_) => {}
            ColumnOption::OnUpdate(_) => column.touched = true,
            ColumnOption::DialectSpecific(tokens) => {
                let text = tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                match text.to_ascii_uppercase().as_str() {
                    "AUTO_INCREMENT" => {
                        column.numbered = true;
                        column.nullable = false;
                    }
                    _ => return Err(unsupported(text)),
                }
            }
            other => return Err(unsupported(other)),
        }
    }
    column.kind = kind;
    Ok(column)
}

fn read_preset(expr: &Expr, kind: &Type, name: &str) -> Result<Preset, SqlError> {
    let invalid = || SqlError {
        state: "42000".into(),
        ..SqlError::new(1067, format!("Invalid default value for '{name}'"))
    };
    if matches!(
        kind.kind,
        Kind::Text | Kind::Blob | Kind::Json | Kind::LongText | Kind::MediumText | Kind::TinyText
    ) && !matches!(expr, Expr::Value(value) if value.value == Value::Null)
    {
        return Err(SqlError::new(
            1101,
            format!("BLOB, TEXT, GEOMETRY or JSON column '{name}' can't have a default value"),
        ));
    }
    let preset = match expr {
        Expr::Value(value) => match &value.value {
            Value::Null => return Ok(Preset::Null),
            Value::Number(number, _) => Preset::Number(number.clone()),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Preset::Text(text.clone()),
            Value::Boolean(truth) => Preset::Number(u8::from(*truth).to_string()),
            _ => return Err(invalid()),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Preset::Number(format!("-{expr}")),
        Expr::Function(call)
            if call.name.to_string().to_ascii_uppercase().contains("CURRENT_TIMESTAMP")
                || call.name.to_string().eq_ignore_ascii_case("now") =>
        {
            if !matches!(kind.kind, Kind::Datetime | Kind::Timestamp) {
                return Err(invalid());
            }
            return Ok(Preset::Now);
        }
        other => return Err(unsupported(other)),
    };
    let (Preset::Number(text) | Preset::Text(text)) = &preset else { return Ok(preset) };
    let store = super::store::Store { column: name, row: 1, strict: true };
    store.put(kind, rusqlite::types::Value::Text(text.clone())).map_err(|_| invalid())?;
    Ok(preset)
}

pub(super) fn drop_table(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let lenient = reader.if_exists();
    let names = reader.list(Reader::name)?;
    reader.end()?;
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for (database, name) in names {
        let database = database.or_else(|| r.session.database.clone()).ok_or_else(none_selected)?;
        privileges::table(&r.data.catalog, r.session, "DROP", &database, &name)?;
        if is_system(&database) {
            return Err(super::errors::denied_table("DROP", &r.session.user, "rdsdataapi", &name));
        }
        let schema = r.data.catalog.databases.get(&database);
        match schema.and_then(|schema| schema.tables.get(&name)) {
            Some(table) => found.push((database, name, table.physical.clone())),
            None => missing.push(format!("{database}.{name}")),
        }
    }
    if !missing.is_empty() && !lenient {
        return Err(SqlError::new(1051, format!("Unknown table '{}'", missing.join(","))));
    }
    if !found.is_empty() {
        r.data.rows.write(|connection| {
            for (.., physical) in &found {
                connection.execute_batch(&format!("DROP TABLE main.{}", quote(physical)))?;
            }
            Ok(())
        })?;
        for (database, name, _) in found {
            if let Some(schema) = catalog(r).databases.get_mut(&database) {
                schema.tables.remove(&name);
            }
        }
    }
    Ok(Outcome::defined())
}
