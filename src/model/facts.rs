//! What the model must know of the world beside the spec. Plain values, gathered by `run`.

use super::engine::Offered;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Names of the region's availability zones, sorted.
    pub zones: Vec<String>,
    /// Aurora MySQL versions on offer; empty when the live cluster makes asking unnecessary.
    pub engine_versions: Vec<Offered>,
    /// Version of the live cluster, the stack's own or the existing one.
    pub live_engine_version: Option<String>,
    /// The existing cluster, where the spec names one and it is there.
    pub existing: Option<ExistingFacts>,
    /// SHA-256 of each local file that the spec names, in hexadecimal.
    pub files: BTreeMap<String, String>,
    /// `YYYY-MM-DD`
    pub today: String,
    /// `YYYYMMDD-HHMMSS`, for names that must be unique.
    pub timestamp: String,
}

/// A cluster that others own.
#[derive(Clone, Debug, PartialEq)]
pub struct ExistingFacts {
    /// The parameter group that it has now.
    pub parameter_group: String,
    /// Where our group is attached: the group that it had before, as our group's tag says.
    pub original_group: Option<String>,
    /// Members of the cluster.
    pub members: Vec<String>,
    /// Roles associated by others.
    pub foreign_roles: usize,
    /// The CloudFormation stack that made the cluster, and its status.
    pub cloudformation: Option<(String, String)>,
}
