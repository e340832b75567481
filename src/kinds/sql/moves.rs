//! Moves of data between a table and S3: one statement, and counts on both sides of it.

use crate::aws::{Aws, Class, During, Failure, Sent, Sql};
use auroraml_core::base::counted;
use auroraml_core::kinds::data_load;
use auroraml_core::sql::records::Records;
use auroraml_core::sql::statements::{self, Format, address};

/// Bytes in S3 that are read to count the records in them: more is not worth the transfer.
const COUNTED_MAX: i64 = 256 * 1024 * 1024;
/// Objects of one move.
const FILES_MAX: usize = 10_000;

/// What a move came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Rows, as the database says; none while the statement still runs.
    pub rows: Option<u64>,
    /// Records in S3, without the headers; none where they could not be counted.
    pub records: Option<u64>,
    /// Why not, if so.
    pub uncounted: Option<String>,
    /// Files in S3.
    pub files: usize,
    /// Whether the statement goes on after the limit of the Data API.
    pub is_running: bool,
    /// What it was: `the file`, `the query`.
    what: &'static str,
}

impl Moved {
    /// Success where both sides say the same, as far as both could be asked.
    ///
    /// # Errors
    /// When they do not.
    pub fn checked(&self) -> Result<(), Failure> {
        match (self.rows, self.records) {
            (Some(rows), Some(records)) if rows != records => Err(Failure::refused(
                self.what,
                match self.what {
                    "LOAD DATA" => format!(
                        "the file has {}, but the table got {}, which stay in it: check separator, quote and line_end",
                        counted(records, "record"),
                        counted(rows, "row")
                    ),
                    _ => format!(
                        "the query returned {}, but S3 has {}",
                        counted(rows, "row"),
                        counted(records, "record")
                    ),
                },
            )),
            _ => Ok(()),
        }
    }
}

/// Loads a file.
///
/// # Errors
/// What the Data API or the database says.
pub async fn load(aws: &Aws, sql: &Sql, props: &data_load::Props) -> Result<Moved, Failure> {
    let format = Format {
        header: props.header,
        separator: props.separator.clone(),
        quote: props.quote.clone(),
        line_end: props.line_end.clone(),
    };
    let statement = statements::load(&props.from, &props.database, &props.table, &props.columns, &format);
    let mut moved = Moved { what: "LOAD DATA", files: 1, ..Moved::default() };
    match sql.change(aws, &statement).await? {
        Sent::Running => moved.is_running = true,
        Sent::Done(rows) => {
            moved.rows = Some(rows.updated);
            let Some((bucket, key)) = address(&props.from) else { return Ok(moved) };
            // Only RFC 4180's quotes hide a line end; with others a record is a line, as near as can be told.
            match count(aws, bucket, &[(key.to_string(), 0)]).await {
                Ok(records) => moved.records = Some(records.saturating_sub(u64::from(props.header))),
                Err(why) => moved.uncounted = Some(why),
            }
        }
    }
    Ok(moved)
}

/// Writes the rows of a query. `to` is the address that the statement names.
///
/// # Errors
/// What the Data API or the database says.
pub async fn unload(
    aws: &Aws,
    sql: &Sql,
    query: &str,
    to: &str,
    header: bool,
    overwrite: bool,
) -> Result<Moved, Failure> {
    let mut moved = Moved { what: "SELECT INTO OUTFILE S3", ..Moved::default() };
    match sql.change(aws, &statements::unload(query, to, header, overwrite)).await? {
        Sent::Running => moved.is_running = true,
        Sent::Done(rows) => count_unloaded(aws, to, header, Some(rows.updated), &mut moved).await?,
    }
    Ok(moved)
}

/// Counts what an unload has written. `updated` is what the database said, which counts the headers (the first article's
/// client shows 5001 rows for 5000 and a header).
pub async fn count_unloaded(
    aws: &Aws,
    to: &str,
    header: bool,
    updated: Option<u64>,
    moved: &mut Moved,
) -> Result<(), Failure> {
    let Some((bucket, key)) = address(to) else { return Ok(()) };
    let files = files(aws, bucket, key).await?;
    moved.files = files.parts.len();
    moved.is_running = false;
    let headers = if header { u64::try_from(moved.files).unwrap_or(0) } else { 0 };
    let counted = count(aws, bucket, &files.parts).await;
    match counted {
        Ok(lines) => {
            moved.records = Some(lines.saturating_sub(headers));
            moved.rows = updated.map(|updated| match updated == lines {
                true => lines.saturating_sub(headers),
                false => updated,
            });
        }
        Err(why) => {
            moved.rows = updated;
            moved.uncounted = Some(why);
        }
    }
    Ok(())
}

/// The files of an unload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Keys and sizes of the data files.
    pub parts: Vec<(String, i64)>,
    /// Whether the manifest is there.
    pub is_whole: bool,
}

/// What is there of an unload to this key.
///
/// # Errors
/// When S3 cannot be asked. A bucket that is not there has no files.
pub async fn files(aws: &Aws, bucket: &str, key: &str) -> Result<Files, Failure> {
    let (part, manifest) = (statements::part_prefix(key), statements::manifest(key));
    let mut found = Files::default();
    let mut pages = aws.s3.list_objects_v2().bucket(bucket).prefix(format!("{key}.")).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = match page.during("ListObjectsV2") {
            Ok(page) => page,
            Err(failure) if failure.is(Class::NotFound) => break,
            Err(failure) => return Err(failure),
        };
        for object in page.contents() {
            let name = object.key().unwrap_or_default();
            found.is_whole |= name == manifest;
            if name.starts_with(&part) {
                found.parts.push((name.to_string(), object.size().unwrap_or_default()));
            }
        }
        if found.parts.len() > FILES_MAX {
            let why = format!("s3://{bucket}/{key} has more than {FILES_MAX} files, which no unload writes");
            return Err(Failure::refused("ListObjectsV2", why));
        }
    }
    Ok(found)
}

/// Deletes what an earlier attempt has left.
///
/// # Errors
/// When S3 cannot be asked, or what is there is whole.
pub async fn clear(aws: &Aws, bucket: &str, key: &str) -> Result<(), Failure> {
    let found = files(aws, bucket, key).await?;
    if found.is_whole {
        return Err(Failure::busy(
            "SELECT INTO OUTFILE S3",
            "it already exists: another run created it first",
        ));
    }
    for (part, _) in found.parts {
        aws.s3.delete_object().bucket(bucket).key(part).send().await.during("DeleteObject")?;
    }
    Ok(())
}

/// Records in these objects, counted as they arrive; or why they could not be counted.
async fn count(aws: &Aws, bucket: &str, keys: &[(String, i64)]) -> Result<u64, String> {
    let size: i64 = keys.iter().map(|(_, size)| size).sum();
    let too_large = |size: i64| (size > COUNTED_MAX).then(|| format!("{size} bytes are too many to count"));
    if let Some(why) = too_large(size) {
        return Err(why);
    }
    let mut all = 0;
    for (key, _) in keys {
        let answer = aws.s3.get_object().bucket(bucket).key(key).send().await.during("GetObject");
        let mut object = answer.map_err(|failure| failure.to_string())?;
        if let Some(why) = too_large(object.content_length().unwrap_or_default()) {
            return Err(why);
        }
        let mut records = Records::default();
        while let Some(bytes) = object.body.next().await {
            records.take(&bytes.map_err(|error| format!("s3://{bucket}/{key} ended too early: {error}"))?);
        }
        all += records.count();
    }
    Ok(all)
}

/// Whether a statement, as the list of processes shows it, loads this file.
pub fn is_load_of(statement: &str, from: &str) -> bool {
    begins(statement, "load") && statement.contains(from)
}

/// Whether a statement writes to this key.
pub fn is_unload_to(statement: &str, key: &str) -> bool {
    !begins(statement, "load") && statement.contains(&format!("/{key}'"))
}

fn begins(statement: &str, word: &str) -> bool {
    statement.trim_start().get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_say_the_same() {
        let moved = |rows, records| Moved { rows, records, what: "LOAD DATA", ..Moved::default() };
        assert!(moved(Some(5), Some(5)).checked().is_ok());
        assert!(moved(Some(5), None).checked().is_ok(), "nobody could count");
        assert!(moved(None, None).checked().is_ok(), "it still runs");
        let why = moved(Some(4), Some(5)).checked().unwrap_err().to_string();
        assert!(why.contains("5 records, but the table got 4 rows"), "{why}");
    }

    #[test]
    fn what_runs_is_known_by_its_address() {
        let load = statements::load(
            "s3://b/k.csv",
            "d",
            "t",
            &[],
            &Format { header: false, separator: ",".into(), quote: String::new(), line_end: "\n".into() },
        );
        assert!(is_load_of(&load, "s3://b/k.csv") && !is_load_of(&load, "s3://b/other"));
        let unload = statements::unload("SELECT 1", "s3://b/unloads/x-1/data", false, false);
        assert!(is_unload_to(&unload, "unloads/x-1/data") && !is_unload_to(&unload, "unloads/x-1/dat"));
        assert!(!is_unload_to(&load, "k.csv"));
    }
}
