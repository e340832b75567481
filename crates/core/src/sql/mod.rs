//! SQL as text: names and strings quoted in one place, types and what they mean, the statements that auroraml sends, and
//! what MySQL shows of functions and grants. Pure.
//!
//! Facts: fact book, section 2, and the Aurora User Guide's pages "Using Amazon Aurora machine learning with Aurora
//! MySQL", "Loading data … from text files in an Amazon S3 bucket" and "Saving data … into text files".

pub mod column;
pub mod function;
pub mod grants;
pub mod quote;
pub mod reading;
pub mod records;
pub mod roles;
pub mod statements;
pub mod tokens;
pub mod types;

/// Characters of the name of a table, column or function (MySQL 8.0 Reference Manual, 9.2.1).
pub const NAME_MAX: usize = 64;
/// Characters of the name of a user, and of its host (the same, 6.2.1).
pub const USER_MAX: usize = 32;
pub const HOST_MAX: usize = 255;
/// Columns of an InnoDB table, and bytes of a row (the same, 8.4.7).
pub const COLUMNS_MAX: usize = 1017;
pub const ROW_MAX: u64 = 65_535;
/// Functions that Aurora has already.
pub const BUILT_IN: [&str; 2] =
    ["aws_comprehend_detect_sentiment", "aws_comprehend_detect_sentiment_confidence"];

/// The error number of MySQL in what the Data API says: `Database error code: 1305. Message: …`.
pub fn error_number(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let (_, after) = lower.split_once("error code: ")?;
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Whether the server keeps a user for itself: `mysql.sys`.
pub fn is_system_user(name: &str) -> bool {
    name.starts_with("mysql.")
}

/// Whether something can be called so without quotes in every statement: letters, digits and underscores, not only
/// digits.
pub fn plain_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Words that MySQL 8.0 reserves and that people choose as names: who uses such a one must quote it in every query.
pub const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "analyze",
    "and",
    "as",
    "asc",
    "between",
    "both",
    "by",
    "call",
    "case",
    "change",
    "check",
    "column",
    "condition",
    "convert",
    "create",
    "cross",
    "cube",
    "current_user",
    "database",
    "databases",
    "default",
    "delete",
    "desc",
    "describe",
    "distinct",
    "div",
    "drop",
    "each",
    "else",
    "empty",
    "except",
    "exists",
    "explain",
    "false",
    "first_value",
    "float",
    "for",
    "from",
    "function",
    "group",
    "grouping",
    "groups",
    "having",
    "if",
    "ignore",
    "in",
    "index",
    "insert",
    "int",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "keys",
    "kill",
    "lag",
    "last_value",
    "lead",
    "leave",
    "left",
    "like",
    "limit",
    "lines",
    "load",
    "lock",
    "loop",
    "match",
    "mod",
    "not",
    "null",
    "of",
    "on",
    "option",
    "or",
    "order",
    "out",
    "outer",
    "over",
    "partition",
    "primary",
    "procedure",
    "rank",
    "range",
    "read",
    "recursive",
    "references",
    "release",
    "rename",
    "repeat",
    "replace",
    "return",
    "right",
    "row",
    "rows",
    "row_number",
    "schema",
    "select",
    "set",
    "show",
    "signal",
    "sql",
    "starting",
    "system",
    "table",
    "then",
    "to",
    "trigger",
    "true",
    "union",
    "unique",
    "update",
    "usage",
    "use",
    "using",
    "values",
    "when",
    "where",
    "while",
    "window",
    "with",
    "write",
    "xor",
];

/// Whether a name is such a word.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word))
}
