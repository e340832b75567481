//! Errors of MySQL and of Aurora: their numbers, SQL states and texts, all in this place.
//!
//! Sources. MySQL's own: MySQL 8.0 Reference, "Server Error Message Reference". S3: Aurora User Guide, "Enabling network
//! communication from Amazon Aurora to other AWS services" (1871, 1815), and public threads where version 3 answers 63985
//! with the texts of 1871 (aurora "Missing Credentials: Cannot instantiate S3 Client" where parameter or association are
//! missing; "Unable to initialize S3Stream" where the policy does not allow). For SageMaker, Comprehend and Bedrock no
//! text is published: they are **believed**, after those of S3 and Lambda.

use std::fmt;

/// What a statement that fails ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlError {
    pub number: u16,
    /// SQLSTATE, five characters.
    pub state: String,
    pub text: String,
}

/// What the text of an SQLite error begins with that carries one of ours.
const CARRIED: &str = "\u{1}sql:";

impl SqlError {
    pub fn new(number: u16, text: impl Into<String>) -> SqlError {
        SqlError { number, state: state(number).into(), text: text.into() }
    }

    /// As a text that goes through SQLite and comes back as what it was ([`SqlError::from`]).
    pub fn carried(&self) -> String {
        format!("{CARRIED}{}:{}", self.number, self.text)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; Error code: {}; SQLState: {}", self.text, self.number, self.state)
    }
}

impl std::error::Error for SqlError {}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> SqlError {
        let text = match &error {
            rusqlite::Error::UserFunctionError(inner) => inner.to_string(),
            other => other.to_string(),
        };
        if let Some(at) = text.find(CARRIED)
            && let Some((number, text)) = text[at + CARRIED.len()..].split_once(':')
            && let Ok(number) = number.parse()
        {
            return SqlError::new(number, text);
        }
        if text.contains("UNIQUE constraint failed") {
            // The value is not known here: whoever writes looks for it beforehand where it can.
            return SqlError::new(1062, "Duplicate entry for key 'PRIMARY'");
        }
        if text.contains("too big") || text.contains("interrupted") {
            return SqlError::new(1317, "Query execution was interrupted");
        }
        SqlError::new(1105, format!("Unknown error: the sandbox's database says: {text}"))
    }
}

fn state(number: u16) -> &'static str {
    match number {
        1044 | 1049 | 1064 | 1065 | 1072 | 1074 | 1101 | 1141 | 1142 | 1143 | 1145 | 1147 | 1148 | 1149
        | 1177 | 1203 | 1227 | 1304 | 1305 | 1318 | 1320 | 1370 | 1403 => "42000",
        1045 => "28000",
        1046 => "3D000",
        1048 | 1052 | 1062 | 1364 => "23000",
        1050 => "42S01",
        1051 | 1146 => "42S02",
        1054 => "42S22",
        1060 => "42S21",
        1066 => "42000",
        1136 | 1058 => "21S01",
        1205 => "HY000",
        1213 => "40001",
        1222 => "21000",
        1241 | 1242 => "21000",
        1264 | 1406 => "22003",
        1265 | 1366 => "HY000",
        1235 => "42000",
        1317 => "70100",
        1410 => "42000",
        1582 => "42000",
        1690 => "22003",
        3530 | 3523 => "HY000",
        _ => "HY000",
    }
}

/// What the sandbox's database does not understand although MySQL might.
pub(crate) fn unsupported(what: impl fmt::Display) -> SqlError {
    SqlError::new(1235, format!("The sandbox's database doesn't yet support '{what}'"))
}

pub(crate) fn syntax(near: &str, line: u64) -> SqlError {
    let near: String = near.chars().take(80).collect();
    SqlError::new(
        1064,
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for \
             the right syntax to use near '{near}' at line {line}"
        ),
    )
}

pub(crate) fn no_table(database: &str, table: &str) -> SqlError {
    SqlError::new(1146, format!("Table '{database}.{table}' doesn't exist"))
}

pub(crate) fn no_database(name: &str) -> SqlError {
    SqlError::new(1049, format!("Unknown database '{name}'"))
}

pub(crate) fn none_selected() -> SqlError {
    SqlError::new(1046, "No database selected")
}

pub(crate) fn no_routine(database: &str, name: &str) -> SqlError {
    SqlError::new(1305, format!("FUNCTION {database}.{name} does not exist"))
}

pub(crate) fn no_column(name: &str, clause: &str) -> SqlError {
    SqlError::new(1054, format!("Unknown column '{name}' in '{clause}'"))
}

pub(crate) fn denied_table(command: &str, user: &str, host: &str, table: &str) -> SqlError {
    SqlError::new(1142, format!("{command} command denied to user '{user}'@'{host}' for table '{table}'"))
}

pub(crate) fn denied_database(user: &str, host: &str, database: &str) -> SqlError {
    SqlError::new(1044, format!("Access denied for user '{user}'@'{host}' to database '{database}'"))
}

pub(crate) fn denied_routine(command: &str, user: &str, host: &str, routine: &str) -> SqlError {
    SqlError::new(1370, format!("{command} command denied to user '{user}'@'{host}' for routine '{routine}'"))
}

/// The privilege's name as the server has it in its message.
pub(crate) fn needs(privilege: &str) -> SqlError {
    SqlError::new(
        1227,
        format!("Access denied; you need (at least one of) the {privilege} privilege(s) for this operation"),
    )
}

pub(crate) fn login(user: &str) -> SqlError {
    SqlError::new(1045, format!("Access denied for user '{user}'@'rdsdataapi' (using password: YES)"))
}

/// S3's failures as Aurora MySQL version 3 tells them.
pub(crate) fn s3(text: impl fmt::Display) -> SqlError {
    SqlError::new(63985, format!("S3 API returned error: {text}"))
}

/// Aurora User Guide: one of the texts where the S3 service cannot be reached or does not let the role in.
pub(crate) fn s3_stream() -> SqlError {
    SqlError::new(1815, "Internal error: Unable to initialize S3Stream")
}

/// Failures of the machine learning services; number and form are believed.
pub(crate) fn machine_learning(service: &str, text: impl fmt::Display) -> SqlError {
    SqlError::new(1871, format!("{service} API returned error: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_its_way_through_sqlite() {
        let error = no_table("a", "b:c");
        let inside = rusqlite::Error::UserFunctionError(error.carried().into());
        assert_eq!(SqlError::from(inside), error);
        assert_eq!(error.to_string(), "Table 'a.b:c' doesn't exist; Error code: 1146; SQLState: 42S02");
    }
}
