//! LOAD DATA FROM S3.
//!
//! Facts: Aurora User Guide, "Loading data into an Amazon Aurora MySQL DB cluster from text files in an Amazon S3
//! bucket"; fact book, section 2.4.

use super::catalog::Load;
use super::engine::{Outcome, Run};
use super::errors::{SqlError, unsupported};
use super::lines::{Field, Format};
use super::privileges;
use super::reader::Reader;
use super::schema::catalog;
use super::session::{Address, Parameters, Source};
use super::translate::Translator;
use super::write::{Duplicates, WRITTEN_PER_SECOND, Writer, number};
use rusqlite::types::Value;
use sqlparser::tokenizer::Token;
use std::sync::Arc;

/// Files of a manifest or with one prefix.
const FILES_MAX: usize = 10_000;

struct Asked {
    address: Address,
    kind: Kind,
    duplicates: Duplicates,
    database: Option<String>,
    table: String,
    format: Format,
    skip: u64,
    /// Columns, and variables that nobody reads.
    columns: Vec<Option<String>>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    File,
    Prefix,
    Manifest,
}

fn read(reader: &mut Reader<'_>) -> Result<Asked, SqlError> {
    reader.expect("LOAD")?;
    if reader.word("XML") {
        return Err(unsupported("LOAD XML"));
    }
    reader.expect("DATA")?;
    let _ = reader.word("LOW_PRIORITY") || reader.word("CONCURRENT");
    if reader.word("LOCAL") || reader.is_word("INFILE") {
        // No client has a file there, and the server's own are nobody's.
        return Err(SqlError::new(1148, "The used command is not allowed with this MySQL version"));
    }
    reader.word("FROM");
    reader.expect("S3")?;
    let kind = if reader.word("PREFIX") {
        Kind::Prefix
    } else if reader.word("MANIFEST") {
        Kind::Manifest
    } else {
        reader.word("FILE");
        Kind::File
    };
    let address = Address::read(&reader.string()?)?;
    let duplicates = if reader.word("REPLACE") {
        Duplicates::Replace
    } else if reader.word("IGNORE") {
        Duplicates::Ignore
    } else {
        Duplicates::Refuse
    };
    reader.expect("INTO TABLE")?;
    let (database, table) = reader.name()?;
    if reader.is_word("PARTITION") {
        return Err(unsupported("PARTITION"));
    }
    if reader.words("CHARACTER SET") || reader.word("CHARSET") {
        reader.text()?;
    }
    let mut format = Format::default();
    format.read(reader)?;
    let mut skip = 0;
    if reader.word("IGNORE") {
        skip = reader.number()?;
        if !reader.word("LINES") {
            reader.expect("ROWS")?;
        }
    }
    let mut columns = Vec::new();
    if reader.token(&Token::LParen) {
        columns = reader.list(|reader| {
            if reader.token(&Token::AtSign) {
                reader.identifier()?;
                return Ok(None);
            }
            let name = reader.identifier()?;
            Ok(if name.starts_with('@') { None } else { Some(name) })
        })?;
        reader.expect_token(&Token::RParen)?;
    }
    if reader.is_word("SET") {
        return Err(unsupported("LOAD DATA … SET"));
    }
    reader.end()?;
    Ok(Asked { address, kind, duplicates, database, table, format, skip, columns })
}

pub(super) fn run(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let asked = read(&mut reader)?;
    privileges::feature(&r.data.catalog, r.session, "AWS_LOAD_S3_ACCESS")?;
    let before = Arc::clone(&r.data.catalog);
    let none = Parameters::new();
    let translator = Translator::new(&before, r.session, &none);
    let (database, table) = translator.table(asked.database.as_deref(), &asked.table)?;
    privileges::table(&before, r.session, "INSERT", &database, &asked.table)?;
    let named: Vec<String> = asked.columns.iter().flatten().cloned().collect();
    if asked.columns.len() != named.len() && named.is_empty() {
        return Err(unsupported("LOAD DATA into variables alone"));
    }
    let mut writer = Writer::new(r, &asked.table, table, &named, asked.duplicates)?;
    let sources = sources(r, &asked)?;
    let strict = r.session.strict() && asked.duplicates != Duplicates::Ignore;
    let (mut row, mut updated) = (0, 0);
    r.data.rows.write(|connection| {
        let mut insert = connection.prepare(&writer.statement())?;
        for (source, _) in sources.iter().filter(|(_, is_data)| *is_data) {
            let bytes = source.content.bytes();
            let (mut at, mut line) = (0, 0);
            while let Some((fields, next)) = asked.format.line(bytes, at) {
                at = next;
                line += 1;
                if line <= asked.skip {
                    continue;
                }
                row += 1;
                let values = values(fields, &asked.columns, writer.width(), row, strict)?;
                updated += writer.write(&mut insert, values, row)?;
            }
        }
        Ok(())
    })?;
    let next = writer.next_number;
    let now = r.session.now;
    let loads = sources.into_iter().map(|(source, _)| Load {
        prefix: asked.address.text.clone(),
        file: file_name(&asked.address, &source.key),
        version: source.version.clone(),
        bytes: source.content.bytes().len() as u64,
        at: now,
    });
    let loads: Vec<Load> = loads.collect();
    number(r, &database, &asked.table, next);
    catalog(r).loads.extend(loads);
    Ok(Outcome { seconds: 0.3 + row as f64 / WRITTEN_PER_SECOND, ..Outcome::done(updated) })
}

/// The file's address, written as the statement's is.
fn file_name(address: &Address, key: &str) -> String {
    let scheme = address.text.split("://").next().unwrap_or("s3");
    format!("{scheme}://{}/{key}", address.bucket)
}

/// What is read, and whether it is data: a manifest is listed in the history, too.
fn sources(r: &Run<'_>, asked: &Asked) -> Result<Vec<(Source, bool)>, SqlError> {
    let found = r.outside.read(&asked.address, asked.kind == Kind::Prefix)?;
    if asked.kind != Kind::Manifest {
        return Ok(found.into_iter().map(|source| (source, true)).collect());
    }
    let malformed = || SqlError::new(1871, "S3 API returned error: the manifest is not valid JSON");
    let mut all = Vec::new();
    for manifest in found {
        let parsed: serde_json::Value =
            serde_json::from_slice(manifest.content.bytes()).map_err(|_| malformed())?;
        let entries = parsed["entries"].as_array().ok_or_else(malformed)?;
        if entries.len() > FILES_MAX {
            return Err(unsupported("a manifest with so many files"));
        }
        for entry in entries {
            let address = Address::read(entry["url"].as_str().ok_or_else(malformed)?)?;
            match r.outside.read(&address, false) {
                Ok(sources) => all.extend(sources.into_iter().map(|source| (source, true))),
                // "If a file specified by url with mandatory set to true isn't found, the load ends with an error."
                Err(error) if entry["mandatory"].as_bool().unwrap_or(false) => return Err(error),
                Err(_) => {}
            }
        }
        all.push((manifest, false));
    }
    Ok(all)
}

/// A line's values for the columns that are named. A line that is too short or too long is an error in strict mode.
fn values(
    fields: Vec<Field>,
    columns: &[Option<String>],
    width: usize,
    row: u64,
    strict: bool,
) -> Result<Vec<Value>, SqlError> {
    let wanted = if columns.is_empty() { width } else { columns.len() };
    if strict && fields.len() < wanted {
        return Err(SqlError {
            state: "01000".into(),
            ..SqlError::new(1261, format!("Row {row} doesn't contain data for all columns"))
        });
    }
    if strict && fields.len() > wanted {
        let text = format!("Row {row} was truncated; it contained more data than there were input columns");
        return Err(SqlError { state: "01000".into(), ..SqlError::new(1262, text) });
    }
    let mut found = fields.into_iter();
    let mut values = Vec::with_capacity(width);
    for at in 0..wanted {
        let field = found.next();
        if columns.get(at).is_some_and(Option::is_none) {
            continue;
        }
        values.push(match field {
            // A column that the line has nothing for is set to its type's own.
            None => Value::Text(String::new()),
            Some(None) => Value::Null,
            Some(Some(bytes)) => Value::Text(
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            ),
        });
    }
    Ok(values)
}
