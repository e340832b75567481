//! Tables and unloads.

use super::functions::{suggest, unknown};
use super::{column_names, column_path, needs_s3, object_name, s3};
use crate::spec::check::sagemaker::{base, not_beside};
use crate::spec::reader::{Reader, join};
use crate::spec::{Spec, SqlTable, TableLoad, Unload};
use crate::sql::column::Column;
use crate::sql::statements::address;
use crate::sql::tokens::tokens;
use crate::sql::{COLUMNS_MAX, ROW_MAX};

/// Bytes of a query.
const QUERY_MAX: usize = 64 * 1024;

pub fn tables(spec: &Spec, reader: &mut Reader) {
    for (name, table) in &spec.tables {
        let path = join("tables", name);
        object_name("table", &path, name, spec.tables.keys(), reader);
        columns(table, &join(&path, "columns"), reader);
        if let Some(load) = &table.load {
            let path = join(&path, "load");
            match load.local() {
                Some(local) => beside(spec, local, &join(&path, "from"), reader),
                None if needs_s3(spec, &path, "a load", reader) => {
                    s3(spec, &load.from, &join(&path, "from"), reader);
                }
                None => {}
            }
            file(load, &path, reader);
            // Aurora's own history, by which a load is known to be made, names files and no tables.
            let twin = spec
                .tables
                .range::<String, _>(..name)
                .find(|(_, other)| other.load.as_ref().is_some_and(|other| other.from == load.from));
            if let Some((twin, _)) = twin {
                let message = format!(
                    "this file is also loaded into `{twin}`, and Aurora cannot tell the two loads apart"
                );
                let hint = "copy the file, or fill one of the tables with `INSERT … SELECT`";
                reader.report(&join(&path, "from"), message, hint);
            }
        }
    }
}

/// A file beside the spec that is loaded: it goes through the stack's bucket.
fn beside(spec: &Spec, file: &str, path: &str, reader: &mut Reader) {
    if let Some((message, hint)) = not_beside(file) {
        return reader.report(path, message, hint);
    }
    if spec.bucket.is_none() && reader.sound("bucket") {
        let message = "the file is copied through the stack's bucket, but the stack has none";
        return reader.report(path, message, "add `bucket: {}`");
    }
    if needs_s3(spec, path, "a load", reader)
        && let Some(other) = spec.files().iter().find(|other| **other != file && base(other) == base(file))
    {
        let message = format!("`{other}` is also called `{}` and would overwrite it", base(file));
        reader.report(path, message, "rename one of them");
    }
}

fn columns(table: &SqlTable, path: &str, reader: &mut Reader) {
    let all = &table.columns;
    if all.0.is_empty() {
        let hint = "write `columns: { state: varchar(2), calls: bigint }`";
        reader.report(path, "a table has at least one column", hint);
    }
    column_names("column", path, all, COLUMNS_MAX, reader);
    let (mut bytes, mut keys) = (0, 0);
    for (n, column) in all.0.iter().enumerate() {
        let at = column_path(path, all, n, reader);
        match Column::parse(&column.name, &column.of) {
            Ok(known) => {
                bytes += known.of.row_bytes();
                keys += usize::from(known.attributes.contains("PRIMARY KEY"));
            }
            Err(why) => {
                reader.report(&at, format!("`{}` {why}", column.name), suggest(&column.of));
            }
        }
    }
    if bytes > ROW_MAX {
        let message = format!("a row could have {bytes} bytes, and at most {ROW_MAX} are allowed");
        reader.report(path, message, "use smaller `varchar` sizes, or `text`, which counts only 10 bytes");
    }
    if keys > 1 {
        reader.report(path, "a table can have only one primary key", "write `unique` for the others");
    }
}

fn file(load: &TableLoad, path: &str, reader: &mut Reader) {
    if load.separator.is_empty() || load.separator.len() > 16 {
        reader.report(
            &join(path, "separator"),
            "`separator` must have 1 to 16 bytes",
            "write `separator: \",\"`, or `\"\\t\"`",
        );
    }
    if load.quote.chars().count() > 1 {
        reader.report(
            &join(path, "quote"),
            "`quote` must be one character",
            "write `quote: '\"'`, or `\"\"` for none",
        );
    }
}

pub fn unloads(spec: &Spec, reader: &mut Reader) {
    for (name, unload) in &spec.unloads {
        let path = join("unloads", name);
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if name.is_empty() || name.len() > 64 || !plain {
            let hint =
                "use 1 to 64 letters, digits, hyphens and underscores: the name is part of an S3 address";
            reader.report_key(&path, format!("invalid unload name `{name}`"), hint);
        }
        rows(spec, unload, &path, reader);
        if needs_s3(spec, &path, "an unload", reader) {
            goes(spec, unload, &path, reader);
        }
    }
}

fn rows(spec: &Spec, unload: &Unload, path: &str, reader: &mut Reader) {
    match (&unload.query, &unload.table) {
        (Some(_), Some(_)) => {
            let message = "`table` cannot be combined with `query`";
            reader.report_key(&join(path, "table"), message, "remove one of the two");
        }
        (None, None) if reader.given(&join(path, "query")) || reader.given(&join(path, "table")) => {}
        (None, None) => {
            let hint = "add `table: NAME`, or `query: \"SELECT …\"`";
            reader.report_key(path, "the unload has neither `table` nor `query`", hint);
        }
        (Some(query), None) => self::query(query, &join(path, "query"), reader),
        (None, Some(table)) => {
            if !spec.tables.contains_key(table) && !reader.given(&join("tables", table)) {
                unknown(table, &join(path, "table"), "tables", spec.tables.keys(), reader);
            }
        }
    }
}

/// One query that writes nothing by itself.
fn query(query: &str, at: &str, reader: &mut Reader) {
    let hint = "write one `SELECT …`, without `INTO`";
    let found = match tokens(query) {
        Err(why) => return reader.report(at, format!("invalid query: {why}"), hint),
        Ok(found) => found,
    };
    let last = found.iter().rposition(|token| !token.is_sign(';')).map_or(0, |last| last + 1);
    let begins =
        found.first().is_some_and(|token| token.is("select") || token.is("with") || token.is_sign('('));
    if !begins {
        reader.report(at, "this is not a query", hint);
    } else if found[..last].iter().any(|token| token.is_sign(';')) {
        reader.report(at, "there is more than one statement", hint);
    } else if found.iter().any(|token| token.is("into")) {
        reader.report(at, "the query contains `INTO`, which auroraml adds itself", hint);
    } else if query.len() > QUERY_MAX {
        let message = format!("the query has {} bytes, and at most {QUERY_MAX} are allowed", query.len());
        reader.report(at, message, "create a view, and write `SELECT * FROM …`");
    }
}

fn goes(spec: &Spec, unload: &Unload, path: &str, reader: &mut Reader) {
    match &unload.to {
        Some(to) => {
            // A folder, with or without a slash at its end.
            let whole = format!("{}/x", to.trim_end_matches('/'));
            if address(&whole).is_none() {
                let hint = "write `s3://BUCKET/FOLDER`";
                return reader.report(&join(path, "to"), format!("invalid S3 address `{to}`"), hint);
            }
            s3(spec, &whole, &join(path, "to"), reader);
        }
        None if spec.bucket.is_none() && reader.sound("bucket") => {
            let hint = "add `bucket: {}`, or give a place: `to: \"s3://BUCKET/FOLDER\"`";
            reader.report_key(
                path,
                "the unload is written to the stack's bucket, but the stack has none",
                hint,
            );
        }
        None => {}
    }
}
