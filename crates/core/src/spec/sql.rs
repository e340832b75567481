//! What is in the database: tables, functions, grants, and what is moved to S3.

use super::fields::fields;
use super::form::{Form, choices, mismatch, scalar};
use super::node::{Node, Value};
use super::reader::Reader;
use crate::sql::column;
use crate::sql::function::DEFAULT_CONTENT;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use std::borrow::Cow;

fields! {
    /// A table, created if it does not exist; never altered or dropped.
    pub struct SqlTable in "tables" (hint: "write `columns: { state: varchar(2), calls: bigint }` under it") {
        /// The columns, in the order of the file that is loaded: `name: type`.
        columns: Columns {
            required: "write `columns: { state: varchar(2), calls: bigint }`",
            changed: "blocked: a table is never altered",
            meaning: "`name: type`, in the table's order; after the type `not null`, `primary key`, `unique`, `auto_increment`, `default VALUE`. The table may have more columns",
        }
        /// A file to load into it, once.
        load: Option<TableLoad> {
            changed: "another file is loaded too, with `append: true`",
            meaning: "a file to load once into an empty table, in S3 or beside the spec",
        }
    }
}

fields! {
    pub struct TableLoad in "tables.load" (hint: "write `load: { from: \"s3://BUCKET/KEY\" }`, or `load: { from: data/FILE.csv }`") {
        /// `s3://bucket/key` of the file, or the path of one beside the spec.
        from: String {
            required: "write `from: \"s3://BUCKET/KEY\"`, or `from: data/FILE.csv`",
            meaning: "`s3://bucket/key`, `s3-REGION://bucket/key` for another region, or a file in the spec's folder or below it, which is copied through the stack's bucket. Not compressed",
        }
        /// Whether the first line names the columns.
        header: bool {
            meaning: "whether the first line names the columns; it is skipped",
        }
        /// Separator between values.
        separator: String {
            default: ",".to_owned(),
            meaning: "separator between values",
        }
        /// Quote around values; empty for none.
        quote: String {
            default: "\"".to_owned(),
            meaning: "quote around values; `\"\"` for none",
        }
        /// Line ends of the file.
        line_end: LineEnd {
            meaning: "line ends of the file",
        }
        /// Whether to load it even if the table has rows.
        append: bool {
            meaning: "load it even if the table has rows, unless Aurora has already loaded this file",
        }
    }
}

impl TableLoad {
    /// The path of a file beside the spec.
    pub fn local(&self) -> Option<&str> {
        (!self.from.contains("://")).then_some(self.from.as_str())
    }
}

choices!(LineEnd, SqlRole);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// Carriage return and line feed, as on Windows and in RFC 4180.
    Crlf,
}

impl LineEnd {
    pub fn text(self) -> &'static str {
        match self {
            LineEnd::Lf => "\n",
            LineEnd::Crlf => "\r\n",
        }
    }
}

fields! {
    /// Rows to write to S3 once, as CSV, for example to train a model.
    pub struct Unload in "unloads" (hint: "write `table: NAME` or `query: \"SELECT …\"` under it") {
        /// The query that selects the rows.
        query: Option<String> {
            default_is: "this or `table`",
            changed: "another unload; the files of the old one stay",
            meaning: "`SELECT …` in the stack's database, without `INTO`",
        }
        /// All rows of one of `tables`.
        table: Option<String> {
            default_is: "this or `query`",
            changed: "as above",
            meaning: "all rows of one of `tables`, with the columns in the spec's order",
        }
        /// Folder in S3, in which the unload gets its own folder.
        to: Option<String> {
            default_is: "`unloads` in the stack's bucket",
            changed: "as above",
            meaning: "`s3://bucket/folder`; the files are put into a folder in it, named after the unload and a hash of its settings",
        }
        /// Whether the first line of each file names the columns.
        header: bool {
            changed: "as above",
            meaning: "whether the first line names the columns; Autopilot requires it, XGBoost does not allow it",
        }
    }
}

fields! {
    /// A stored function that calls an endpoint, a foundation model, or is plain SQL.
    pub struct SqlFunction in "functions" (hint: "write `endpoint:`, `arguments:` and `returns:` under it") {
        /// Name of the endpoint to call, one of `endpoints`.
        endpoint: Option<String> {
            default_is: "this, `bedrock` or `sql`",
            changed: "dropped and created again",
            meaning: "calls one of `endpoints`",
        }
        /// Foundation model to call.
        bedrock: Option<String> {
            default_is: "this, `endpoint` or `sql`",
            changed: "as above",
            meaning: "calls this foundation model, one of `machine_learning.bedrock.models`",
        }
        /// The value that it returns, in SQL.
        sql: Option<String> {
            default_is: "this, `endpoint` or `bedrock`",
            changed: "as above",
            meaning: "an expression of its arguments: `IF(int_plan = 'no', 1, 0)`",
        }
        /// Name and type of each argument: `state varchar(2048)`.
        arguments: Columns {
            type: "list of `name type`",
            changed: "as above",
            meaning: "in the order that the model expects; numbers and `varchar` for an endpoint, one text for Bedrock",
        }
        /// Type of what it returns.
        returns: String {
            required: "write `returns: float`, or another type",
            changed: "as above",
            meaning: "a number or `varchar(…)`; for Bedrock also `text`",
        }
        /// Maximum number of rows in one request to the endpoint.
        max_batch_size: Option<u32> {
            default_is: "10000, by Aurora",
            changed: "as above",
            meaning: "maximum number of rows in one request to the endpoint",
        }
        /// MIME type of the request to the foundation model.
        content_type: String {
            default: DEFAULT_CONTENT.to_owned(),
            changed: "as above",
            meaning: "content type of the request to Bedrock",
        }
        /// MIME type of the foundation model's response.
        accept: String {
            default: DEFAULT_CONTENT.to_owned(),
            changed: "as above",
            meaning: "content type of Bedrock's response",
        }
        /// Time limit for the foundation model, in milliseconds.
        timeout_ms: Option<u32> {
            default_is: "`aurora_ml_inference_timeout`",
            changed: "as above",
            meaning: "time limit for Bedrock, in milliseconds",
        }
    }
}

fields! {
    /// What a database user may call. The user must exist: auroraml does not create users.
    pub struct Grant in "grants" (hint: "write `roles: [comprehend]` or `execute: [FUNCTION]` under it") {
        /// The host part of the user's name.
        host: String {
            default: "%".to_owned(),
            changed: "another user; the old one keeps its grants",
            meaning: "host part of the user's name",
        }
        /// Services that the user may call from SQL.
        roles: Vec<SqlRole> {
            type: "list of `sagemaker`, `comprehend`, `load_s3`, `select_s3`, `bedrock`",
            changed: "in place",
            meaning: "Aurora's roles that the user gets, active at each login",
        }
        /// Functions that the user may call.
        execute: Vec<String> {
            type: "list of names from `functions`",
            changed: "in place",
            meaning: "functions that the user may call",
        }
    }
}

/// A service that SQL can call, or one half of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlRole {
    Sagemaker,
    Comprehend,
    /// `LOAD DATA FROM S3`
    LoadS3,
    /// `SELECT … INTO OUTFILE S3`
    SelectS3,
    Bedrock,
}

impl SqlRole {
    /// As a spec names it.
    pub fn key(self) -> &'static str {
        match self {
            SqlRole::Sagemaker => "sagemaker",
            SqlRole::Comprehend => "comprehend",
            SqlRole::LoadS3 => "load_s3",
            SqlRole::SelectS3 => "select_s3",
            SqlRole::Bedrock => "bedrock",
        }
    }
}

/// A name and the text of its type, as the spec has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAndType {
    pub name: String,
    pub of: String,
}

/// Columns or arguments, in order: in YAML a mapping `name: type` or a list of `name type`, with serde the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub Vec<NameAndType>);

impl Columns {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| column.name.as_str())
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Columns {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(all: I) -> Columns {
        Columns(all.into_iter().map(|(name, of)| NameAndType { name: name.into(), of: of.into() }).collect())
    }
}

impl Form for Columns {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Columns> {
        const HINT: &str = "write `name: type`, one a line, indented; or a list of `name type`";
        let mut all = Vec::new();
        let mut good = true;
        match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    match scalar(&entry.value) {
                        Some(of) => all.push(NameAndType { name: entry.key.clone(), of }),
                        None => {
                            good = false;
                            let path = super::reader::join(path, &entry.key);
                            let _ =
                                mismatch::<()>(&entry.value, &path, reader, "a type", "write `name: bigint`");
                        }
                    }
                }
            }
            Value::List(items) => {
                for (n, item) in items.iter().enumerate() {
                    let path = format!("{path}[{n}]");
                    match scalar(item).map(|text| column::split(&text)) {
                        Some(Ok((name, of))) => all.push(NameAndType { name, of }),
                        Some(Err(why)) => {
                            good = false;
                            let hint = "write `name type`, such as `state varchar(2)`".to_owned();
                            reader.refuse(&path, format!("this {why}"), Some(hint));
                        }
                        None => {
                            good = false;
                            let _ = mismatch::<()>(item, &path, reader, "text", "write `name type`");
                        }
                    }
                }
            }
            _ => return mismatch(node, path, reader, "a mapping or a list", HINT),
        }
        good.then_some(Columns(all))
    }
    fn in_words() -> String {
        "mapping of types".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Columns>()
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        found.extend((0..self.0.len()).map(|n| format!("{path}[{n}]")));
        found.extend(self.names().map(|name| super::reader::join(path, name)));
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = |name: &str| !name.contains(|c: char| c.is_whitespace() || c == '`');
        let text = |column: &NameAndType| match plain(&column.name) {
            true => format!("{} {}", column.name, column.of),
            false => format!("`{}` {}", column.name, column.of),
        };
        serializer.collect_seq(self.0.iter().map(text))
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Columns, D::Error> {
        let all = Vec::<String>::deserialize(deserializer)?;
        let split =
            |text: String| column::split(&text).map_err(|why| D::Error::custom(format!("`{text}` {why}")));
        let all: Result<Vec<(String, String)>, D::Error> = all.into_iter().map(split).collect();
        Ok(all?.into_iter().collect())
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> Cow<'static, str> {
        "Columns".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Columns or arguments in their order: `name: type`, or a list of `name type`.",
            "anyOf": [
                { "type": "object", "additionalProperties": json!({ "type": "string" }) },
                { "type": "array", "items": json!({ "type": "string" }) },
            ],
        })
    }
}
