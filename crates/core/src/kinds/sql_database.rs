//! A database in the cluster. It is made if it is not there, and stays: what is in it is not ours alone.

use super::Kind;
use super::unseen::accept_unseen;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct SqlDatabase;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Props {
    /// Why nobody looked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    pub name: String,
}

impl Kind for SqlDatabase {
    const NAME: &'static str = "sql_database";
    const RULES: Rules = Rules {
        after: &["cluster", "instance", "parameter_sync", "secret_attachment", "cluster_role"],
        dies_with: Some("cluster"),
        holds_data: true,
        accept: accept_unseen,
        ..PLAIN
    };
    type Props = Props;
}
