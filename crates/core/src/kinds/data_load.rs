//! A file in S3 that is loaded into a table once.

use super::Kind;
use super::sql_database::{FIND_SECRET, READ_MANAGED_SECRET, READ_SECRET, SEND};
use super::unseen::accept_unseen;
use crate::resource::permission::Permission;
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct DataLoad;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Props {
    pub database: String,
    pub table: String,
    /// Its address in S3, as Aurora's history of loads has it; before that is known, the path of a file beside the spec.
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

impl Props {
    /// Whether it is a file beside the spec, which goes through the stack's bucket.
    pub fn is_local(&self) -> bool {
        !self.from.contains("://")
    }

    /// Whether what was loaded from this address is this file: the same address, or, of a file beside the spec, the
    /// place that it has in the stack's bucket, whatever was in it then.
    pub fn is_from(&self, address: &str) -> bool {
        if !self.is_local() {
            return address == self.from;
        }
        let Some((folder, name)) = address.rsplit_once('/') else { return false };
        let is_ours = folder.rsplit_once('/').is_some_and(|(folder, _)| folder.ends_with("/auroraml"));
        is_ours && self.from.rsplit('/').next() == Some(name)
    }
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
            "bucket_object",
        ],
        dies_with: Some("cluster"),
        accept: |want, live| {
            accept_unseen(want, live);
            // Found by its name, whatever hash its address has.
            if live["from"].as_str().is_some_and(|from| !from.contains("://")) {
                want["from"] = live["from"].clone();
            }
        },
        poll_seconds: 5,
        // A load of some hundred GB takes hours.
        limit_minutes: 12 * 60,
        typical_seconds: 60,
        permissions: &[
            FIND_SECRET,
            SEND,
            READ_SECRET,
            READ_MANAGED_SECRET,
            Permission::create(&["s3:GetObject"], &["s3:{loaded}"]),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_the_spec_is_known_by_its_place_in_the_bucket() {
        let load = |from: &str| Props {
            database: "telecom".into(),
            table: "churn".into(),
            from: from.into(),
            header: true,
            separator: ",".into(),
            quote: "\"".into(),
            line_end: "\n".into(),
            append: false,
            columns: Vec::new(),
        };
        let local = load("data/churn.csv");
        assert!(local.is_local() && local.is_from("s3://bucket/auroraml/0123abcd/churn.csv"));
        for other in ["s3://bucket/churn.csv", "s3://bucket/auroraml/0123abcd/other.csv", "churn.csv"] {
            assert!(!local.is_from(other), "{other}");
        }
        let address = "s3://bucket/auroraml/0123abcd/churn.csv";
        assert!(load(address).is_from(address) && !load(address).is_local());
        assert!(!load(address).is_from("s3://bucket/auroraml/89abcdef/churn.csv"));
    }
}
