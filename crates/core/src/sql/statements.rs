//! Databases, tables, and moves of data between a table and S3.

use super::quote;

/// Whether a statement only asks. What nobody can tell changes something.
pub fn only_asks(sql: &str) -> bool {
    let text = sql.trim_start().to_ascii_uppercase();
    let asks = ["SELECT", "SHOW", "EXPLAIN", "DESCRIBE"].iter().any(|verb| text.starts_with(verb));
    asks && !text.contains("INTO ")
}

/// Makes a database, if it is not there.
pub fn create_database(name: &str) -> String {
    format!("CREATE DATABASE IF NOT EXISTS {}", quote::name(name))
}

/// Makes a table, if it is not there. `columns` are as [`super::column::Column::declared`] writes them.
pub fn create_table(database: &str, name: &str, columns: &[String]) -> String {
    format!("CREATE TABLE IF NOT EXISTS {} (\n  {}\n)", quote::of(database, name), columns.join(",\n  "))
}

/// How a file of rows is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Whether the first line names the columns.
    pub header: bool,
    pub separator: String,
    /// Quote around values; empty for none.
    pub quote: String,
    pub line_end: String,
}

/// Loads a file into a table. `columns` are those of the file, in order; none for those of the table.
pub fn load(from: &str, database: &str, table: &str, columns: &[String], format: &Format) -> String {
    let mut sql = format!(
        "LOAD DATA FROM S3 {}\nINTO TABLE {}\nFIELDS TERMINATED BY {}",
        quote::text(from),
        quote::of(database, table),
        quote::escaped(&format.separator)
    );
    if !format.quote.is_empty() {
        sql += &format!(" OPTIONALLY ENCLOSED BY {}", quote::escaped(&format.quote));
    }
    sql += &format!("\nLINES TERMINATED BY {}", quote::escaped(&format.line_end));
    if format.header {
        sql += "\nIGNORE 1 LINES";
    }
    if !columns.is_empty() {
        let columns: Vec<String> = columns.iter().map(|column| quote::name(column)).collect();
        sql += &format!("\n({})", columns.join(", "));
    }
    sql
}

/// Writes the rows of a query to S3 as CSV. The manifest is written after all data files (User Guide, "Saving data …",
/// parameters): it is how one sees that the rest is whole.
pub fn unload(query: &str, to: &str, header: bool, overwrite: bool) -> String {
    format!(
        "{}\nINTO OUTFILE S3 {}\nFORMAT CSV{}\nMANIFEST ON\nOVERWRITE {}",
        // What ends in a comment goes on in the next line.
        query.trim().trim_end_matches(';'),
        quote::text(to),
        if header { " HEADER" } else { "" },
        if overwrite { "ON" } else { "OFF" }
    )
}

/// All rows of a table: its columns by name, where they are known.
pub fn select(database: &str, table: &str, columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quote::name(column)).collect();
    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
    format!("SELECT {columns} FROM {}", quote::of(database, table))
}

/// Counts the rows of a query.
pub fn count(query: &str) -> String {
    format!("SELECT COUNT(*) FROM (\n{}\n) AS counted", query.trim().trim_end_matches(';'))
}

/// Key of a data file, of the manifest, and what all data files begin with, as Aurora makes them of the address that a
/// statement names (User Guide, "Saving data …", "Specifying a path").
pub fn part_prefix(to: &str) -> String {
    format!("{to}.part_")
}
pub fn manifest(to: &str) -> String {
    format!("{to}.manifest")
}

/// Bucket and key of `s3://bucket/key` or `s3-region://bucket/key`.
pub fn address(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let known = scheme == "s3" || scheme.strip_prefix("s3-").is_some_and(|region| !region.is_empty());
    rest.split_once('/').filter(|(bucket, key)| known && !bucket.is_empty() && !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::column::Column;

    fn csv(header: bool) -> Format {
        Format { header, separator: ",".into(), quote: "\"".into(), line_end: "\r\n".into() }
    }

    #[test]
    fn statements() {
        let columns = [("a`", "int not null"), ("b", "text")];
        let columns = columns.map(|(name, of)| Column::parse(name, of).unwrap().declared());
        assert_eq!(
            create_table("d", "t", &columns),
            "CREATE TABLE IF NOT EXISTS `d`.`t` (\n  `a``` int NOT NULL,\n  `b` text\n)"
        );
        assert_eq!(
            load("s3://b/it's", "d", "t", &["a".into(), "b".into()], &csv(true)),
            "LOAD DATA FROM S3 's3://b/it''s'\nINTO TABLE `d`.`t`\nFIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'\nLINES TERMINATED BY '\\r\\n'\nIGNORE 1 LINES\n(`a`, `b`)"
        );
        let bare = Format { quote: String::new(), ..csv(false) };
        assert_eq!(
            load("s3://b/k", "d", "t", &[], &bare),
            "LOAD DATA FROM S3 's3://b/k'\nINTO TABLE `d`.`t`\nFIELDS TERMINATED BY ','\nLINES TERMINATED BY '\\r\\n'"
        );
        assert_eq!(
            unload("SELECT 1 -- one;\n;", "s3://b/p", true, false),
            "SELECT 1 -- one;\n\nINTO OUTFILE S3 's3://b/p'\nFORMAT CSV HEADER\nMANIFEST ON\nOVERWRITE OFF"
        );
        assert_eq!(select("d", "t", &["a".into()]), "SELECT `a` FROM `d`.`t`");
        assert_eq!(count("SELECT 1;"), "SELECT COUNT(*) FROM (\nSELECT 1\n) AS counted");
    }

    #[test]
    fn addresses() {
        assert_eq!(address("s3://b/k/l"), Some(("b", "k/l")));
        assert_eq!(address("s3-us-east-1://b/k"), Some(("b", "k")));
        for text in ["b/k", "s3://b", "s3://b/", "s3:///k", "http://b/k", "s3-://b/k"] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
