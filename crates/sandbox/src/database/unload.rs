//! SELECT … INTO OUTFILE S3.
//!
//! Facts: Aurora User Guide, "Saving data from an Amazon Aurora MySQL DB cluster into text files in an Amazon S3
//! bucket"; fact book, section 2.4. A header counts as a row (first article: 5001 rows of 5000).

use super::engine::{Outcome, Run, each};
use super::errors::{SqlError, unsupported};
use super::lines::Format;
use super::privileges;
use super::reader::{Reader, tokens};
use super::session::Address;
use super::translate::Translator;
use super::types::{Kind, Type, as_text};
use crate::s3::OBJECT_BYTES_MAX;
use rusqlite::types::Value;
use sqlparser::tokenizer::{Token, TokenWithSpan};
use std::sync::Arc;

/// Rows that are sent in a second. An estimate.
const SENT_PER_SECOND: f64 = 40_000.0;
/// Bytes of one file. Aurora's are six gigabytes; the sandbox's S3 holds smaller ones.
const FILE_MAX: usize = OBJECT_BYTES_MAX / 2;

/// What is said of the file, and the query without it.
pub(super) struct Clause {
    address: Address,
    format: Format,
    header: bool,
    manifest: bool,
    overwrite: bool,
    query: Vec<TokenWithSpan>,
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// The clause, if the statement has one.
pub(super) fn clause(sql: &str) -> Result<Option<Clause>, SqlError> {
    let all: Vec<TokenWithSpan> =
        tokens(sql)?.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut depth = 0;
    let found = all.windows(2).position(|pair| {
        match pair[0].token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        depth == 0
            && is_word(&pair[0].token, "INTO")
            && (is_word(&pair[1].token, "OUTFILE") || is_word(&pair[1].token, "DUMPFILE"))
    });
    let Some(from) = found else { return Ok(None) };
    let mut reader = Reader::of(sql, all[from..].to_vec());
    reader.expect("INTO")?;
    reader.expect("OUTFILE")?;
    if !reader.word("S3") {
        // The server's own files are nobody's.
        return Err(super::errors::needs("FILE"));
    }
    let address = Address::read(&reader.string()?)?;
    if reader.words("CHARACTER SET") || reader.word("CHARSET") {
        reader.text()?;
    }
    let (mut format, mut header) = (Format::default(), false);
    if reader.word("FORMAT") {
        if reader.word("CSV") {
            format = Format::csv();
        } else {
            reader.expect("TEXT")?;
        }
        header = reader.word("HEADER");
    }
    format.read(&mut reader)?;
    let (mut manifest, mut overwrite) = (false, false);
    loop {
        let on = |reader: &mut Reader<'_>| {
            let on = reader.word("ON");
            if on { Ok(true) } else { reader.expect("OFF").map(|()| false) }
        };
        if reader.word("MANIFEST") {
            manifest = on(&mut reader)?;
        } else if reader.word("OVERWRITE") {
            overwrite = on(&mut reader)?;
        } else if reader.word("ENCRYPTION") {
            return Err(unsupported("ENCRYPTION"));
        } else {
            break;
        }
    }
    let rest = all.len() - reader.remaining();
    let query = all[..from].iter().chain(&all[rest..]).cloned().collect();
    Ok(Some(Clause { address, format, header, manifest, overwrite, query }))
}

pub(super) fn run(r: &mut Run<'_>, clause: Clause) -> Result<Outcome, SqlError> {
    let Clause { address, format, header, manifest, overwrite, query } = clause;
    let mut reader = Reader::of(r.sql, query);
    let query = reader.query()?;
    reader.end()?;
    privileges::feature(&r.data.catalog, r.session, "AWS_SELECT_S3_ACCESS")?;
    let catalog = Arc::clone(&r.data.catalog);
    let mut translator = Translator::new(&catalog, r.session, r.parameters);
    let query = translator.query(&query)?;
    if r.outside.exists(&address)? {
        if !overwrite {
            return Err(SqlError::new(1086, format!("File '{}' already exists", address.text)));
        }
        r.outside.clear(&address)?;
    }
    let kinds: Vec<Type> = query.columns.iter().map(|column| column.kind.clone()).collect();
    let texts: Vec<bool> = kinds.iter().map(|kind| !kind.is_number()).collect();
    let mut files: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rows = 0_u64;
    if header {
        let names: Vec<Value> =
            query.columns.iter().map(|column| Value::Text(column.label.clone())).collect();
        format.write(&mut files[0], &names, &vec![true; names.len()]);
        rows += 1;
    }
    let asked = each(r, &translator, &query, |row| {
        rows += 1;
        let row: Vec<Value> = row.into_iter().zip(&kinds).map(|(value, kind)| written(value, kind)).collect();
        if files.last().is_none_or(|file| file.len() >= FILE_MAX) {
            files.push(Vec::new());
        }
        if let Some(file) = files.last_mut() {
            format.write(file, &row, &texts);
        }
        Ok(true)
    })?;
    let mut entries = Vec::new();
    for (at, content) in files.into_iter().enumerate() {
        let key = format!("{}.part_{at:05}", address.key);
        entries.push(serde_json::json!({"url": format!("s3-{}://{}/{key}", address.region.as_deref().unwrap_or("region"), address.bucket)}));
        r.outside.write(&address, &key, content)?;
    }
    if manifest {
        let content = serde_json::json!({"entries": entries}).to_string().into_bytes();
        r.outside.write(&address, &format!("{}.manifest", address.key), content)?;
    }
    Ok(Outcome { seconds: 0.3 + rows as f64 / SENT_PER_SECOND + asked, ..Outcome::done(rows) })
}

/// A value as MySQL writes it for its type: a DECIMAL with all its digits.
pub(crate) fn written(value: Value, kind: &Type) -> Value {
    match (&value, kind.kind) {
        (Value::Integer(_) | Value::Real(_), Kind::Decimal) => {
            let number = super::plain::number(&value);
            Value::Text(format!("{number:.*}", kind.scale as usize))
        }
        (Value::Integer(_) | Value::Real(_), _) if kind.is_text() => Value::Text(as_text(&value)),
        _ => value,
    }
}
