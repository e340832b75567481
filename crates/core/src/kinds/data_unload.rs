//! Rows of a query that are written to S3 once, as CSV.

use super::Kind;
use super::sql_database::{FIND_SECRET, READ_MANAGED_SECRET, READ_SECRET, SEND};
use super::unseen::accept_unseen;
use crate::resource::permission::Permission;
use crate::resource::{Nature, PLAIN, Rules};
use crate::sql::statements;
use serde::{Deserialize, Serialize};

pub struct DataUnload;

/// Output that says what all data files begin with, and no manifest: what SageMaker is given.
pub const URI: &str = "uri";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Props {
    pub database: String,
    pub query: String,
    pub header: bool,
    /// None for the stack's own.
    pub bucket: Option<String>,
    /// What all files begin with.
    pub key: String,
    /// `s3`, or `s3-REGION` where the bucket is in another region.
    pub scheme: String,
}

impl Props {
    /// The address that the statement names; `own` is the name of the stack's bucket.
    pub fn address(&self, own: &str) -> String {
        format!("{}://{}/{}", self.scheme, self.bucket.as_deref().unwrap_or(own), self.key)
    }
    /// What the addresses of all data files begin with, as S3 and SageMaker have it.
    pub fn uri(&self, own: &str) -> String {
        let key = statements::part_prefix(&self.key);
        format!("s3://{}/{key}", self.bucket.as_deref().unwrap_or(own))
    }
}

impl Kind for DataUnload {
    const NAME: &'static str = "data_unload";
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
            "data_load",
        ],
        dies_with: Some("cluster"),
        accept: accept_unseen,
        poll_seconds: 5,
        limit_minutes: 12 * 60,
        typical_seconds: 60,
        permissions: &[
            FIND_SECRET,
            SEND,
            READ_SECRET,
            READ_MANAGED_SECRET,
            Permission::look(&["s3:ListBucket"], &["s3:{unloaded_bucket}"]),
            Permission::create(&["s3:ListBucket"], &["s3:{unloaded_bucket}"]),
            // To count what was written, and to remove what an attempt that was cut short has left.
            Permission::create(&["s3:GetObject", "s3:DeleteObject"], &["s3:{unloaded}"]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
