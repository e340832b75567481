//! A file in S3 that is loaded into a table once.

use super::Kind;
use super::unseen::accept_unseen;
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct DataLoad;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Props {
    pub database: String,
    pub table: String,
    /// As the spec and then Aurora's history of loads has it.
    pub from: String,
    pub header: bool,
    pub separator: String,
    pub quote: String,
    pub line_end: String,
    /// Whether rows that are there already are no reason to leave it.
    pub append: bool,
    /// Columns of the file, in order.
    pub columns: Vec<String>,
}

impl Kind for DataLoad {
    const NAME: &'static str = "data_load";
    const RULES: Rules = Rules {
        nature: Nature::Task,
        after: &[
            "sql_database",
            "cluster",
            "instance",
            "parameter_sync",
            "secret_attachment",
            "cluster_role",
            "sql_table",
            "sql_grant",
            "bucket",
        ],
        dies_with: Some("cluster"),
        accept: accept_unseen,
        poll_seconds: 5,
        // A load of some hundred GB takes hours.
        limit_minutes: 12 * 60,
        typical_seconds: 60,
        ..PLAIN
    };
    type Props = Props;
}
