//! SQL through the RDS Data API: one statement, one answer.
//!
//! **Invariant.** A statement that changes something is sent once. What became of one whose answer was lost, or that
//! outlived the Data API's limit of 45 s, is seen by looking (Aurora User Guide, "Using the Amazon RDS Data API",
//! limitations: "the statement continues to run").

use super::{Aws, During, Failure};
use aws_sdk_rdsdata::types::Field;
use std::time::Duration;

/// A paused cluster resumes in about 15 s, after a day's pause in 30 s or more (fact book, section 1.10).
const RESUME_LIMIT: Duration = Duration::from_secs(120);
const RESUME_POLL: Duration = Duration::from_secs(5);
/// A writer that restarts, or whose role moves, is back within a few minutes (fact book, table 8.2).
const UNAVAILABLE_LIMIT: Duration = Duration::from_secs(300);

/// A cluster, a user and a database.
#[derive(Clone, Debug)]
pub struct Sql {
    pub cluster_arn: String,
    pub secret_arn: String,
    /// The database in which names are looked for that say none; it must be there.
    pub database: Option<String>,
}

/// What a statement answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns, where they were asked for.
    pub columns: Vec<String>,
    /// Values as text; none for NULL.
    pub rows: Vec<Vec<Option<String>>>,
    pub updated: u64,
}

impl Rows {
    /// The first value of the first row.
    pub fn value(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    /// Each row as so many texts, empty for NULL and for what is missing.
    pub fn texts<const N: usize>(&self) -> impl Iterator<Item = [&str; N]> {
        self.rows
            .iter()
            .map(|row| std::array::from_fn(|n| row.get(n).and_then(|v| v.as_deref()).unwrap_or_default()))
    }
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    Done(Rows),
    /// It goes on after the limit of the Data API.
    Running,
}

impl Sql {
    /// The same in another database, or in none.
    #[must_use]
    pub fn within(&self, database: Option<&str>) -> Sql {
        Sql { database: database.map(String::from), ..self.clone() }
    }

    /// Asks something. Waits until a paused cluster has resumed or a writer is back, and asks again: asking changes nothing.
    ///
    /// # Errors
    /// What the Data API or the database says.
    pub async fn ask(&self, aws: &Aws, sql: &str) -> Result<Rows, Failure> {
        let began = aws.clock.now_ms();
        loop {
            match self.send(aws, sql, false).await {
                Ok(Sent::Done(rows)) => return Ok(rows),
                Ok(Sent::Running) => {
                    return Err(Failure::refused(
                        "ExecuteStatement",
                        "the query took longer than the Data API's 45 s",
                    ));
                }
                Err(failure) => {
                    let limit = match failure.code.as_str() {
                        "DatabaseResumingException" => RESUME_LIMIT,
                        "DatabaseUnavailableException" => UNAVAILABLE_LIMIT,
                        _ => return Err(failure),
                    };
                    let waited = Duration::from_millis(aws.clock.now_ms().saturating_sub(began));
                    if waited + RESUME_POLL > limit {
                        return Err(failure);
                    }
                    aws.clock.sleep(RESUME_POLL).await;
                }
            }
        }
    }

    /// Changes something, once. It goes on where it takes longer than the Data API waits.
    ///
    /// # Errors
    /// What the Data API or the database says.
    pub async fn change(&self, aws: &Aws, sql: &str) -> Result<Sent, Failure> {
        self.send(aws, sql, true).await
    }

    async fn send(&self, aws: &Aws, sql: &str, goes_on: bool) -> Result<Sent, Failure> {
        let request = aws
            .rdsdata
            .execute_statement()
            .resource_arn(&self.cluster_arn)
            .secret_arn(&self.secret_arn)
            .set_database(self.database.clone())
            .include_result_metadata(true)
            .continue_after_timeout(goes_on)
            .sql(sql);
        match request.send().await.during("ExecuteStatement") {
            Ok(answer) => {
                let name = |column: &aws_sdk_rdsdata::types::ColumnMetadata| {
                    column.label().or(column.name()).unwrap_or_default().to_string()
                };
                Ok(Sent::Done(Rows {
                    columns: answer.column_metadata().iter().map(name).collect(),
                    rows: answer.records().iter().map(|row| row.iter().map(text).collect()).collect(),
                    updated: u64::try_from(answer.number_of_records_updated()).unwrap_or(0),
                }))
            }
            // botocore's model of rds-data: "The execution of the SQL statement timed out"; with continueAfterTimeout it
            // goes on.
            Err(failure) if failure.code == "StatementTimeoutException" && goes_on => Ok(Sent::Running),
            Err(failure) => Err(failure),
        }
    }
}

/// A value as a client shows it.
fn text(field: &Field) -> Option<String> {
    match field {
        Field::StringValue(text) => Some(text.clone()),
        Field::LongValue(number) => Some(number.to_string()),
        Field::DoubleValue(number) => Some(number.to_string()),
        Field::BooleanValue(value) => Some(u8::from(*value).to_string()),
        Field::BlobValue(bytes) => Some(String::from_utf8_lossy(bytes.as_ref()).into_owned()),
        _ => None,
    }
}

/// The error number of MySQL in an answer of the Data API: `Database error code: 1305. Message: …`.
pub fn error_number(failure: &Failure) -> Option<u32> {
    auroraml_core::sql::error_number(&failure.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_s_own_number_is_found() {
        let failure = |message: &str| {
            Failure::answered("ExecuteStatement", "BadRequestException".into(), message.into())
        };
        assert_eq!(
            error_number(&failure("Database error code: 1305. Message: FUNCTION d.f does not exist")),
            Some(1305)
        );
        assert_eq!(
            error_number(&failure("Database error code: 1146, SQLState: 42S02; no table")),
            Some(1146)
        );
        assert_eq!(error_number(&failure("HttpEndpoint is not enabled")), None);
    }

    #[test]
    fn rows_are_texts() {
        let rows = Rows { rows: vec![vec![Some("a".into()), None], vec![]], ..Rows::default() };
        assert_eq!(rows.texts::<2>().collect::<Vec<_>>(), [["a", ""], ["", ""]]);
        assert_eq!(rows.value(), Some("a"));
        assert_eq!(Rows::default().value(), None);
    }
}
