//! What a difference is about, which is what a reader wants sorted first.

use schemars::JsonSchema;
use serde::Serialize;

/// The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Who may do or reach what, and what protects data.
    Security,
    /// Calls from SQL may fail.
    Wiring,
    /// What is paid for.
    Cost,
    /// Anything else that the spec or auroraml sets.
    Settings,
    Tags,
}

impl Severity {
    pub const ALL: [Severity; 5] =
        [Severity::Security, Severity::Wiring, Severity::Cost, Severity::Settings, Severity::Tags];

    /// Of a property of a kind, or of an object as a whole where the path is empty.
    pub fn of(kind: &str, path: &str) -> Severity {
        let is =
            |name: &str| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        match kind {
            _ if is("tags") => Severity::Tags,
            "role" | "security_group" | "secret" | "secret_attachment" | "sql_grant" => Severity::Security,
            "bucket" if is("policy") || is("public_access_blocked") => Severity::Security,
            "cluster" if is("deletion_protection") || is("security_groups") || is("managed_secret") => {
                Severity::Security
            }
            "notebook" if is("direct_internet_access") || is("role") || is("metadata_version") => {
                Severity::Security
            }
            "cluster" if is("parameter_group") || is("data_api") || is("port") || is("subnet_group") => {
                Severity::Wiring
            }
            "cluster" if is("serverless") || is("storage") => Severity::Cost,
            "instance" if path.is_empty() || is("class") => Severity::Cost,
            "notebook" if path.is_empty() || is("instance") || is("volume") || is("running") => {
                Severity::Cost
            }
            "nat_gateway" | "elastic_ip" if path.is_empty() => Severity::Cost,
            "endpoint_config" if is("instance") || is("count") || is("memory") || is("max_concurrency") => {
                Severity::Cost
            }
            "cluster" | "cluster_role" | "group_attachment" | "group_parameters" | "parameter_group"
            | "parameter_sync" | "endpoint" | "endpoint_config" | "model" | "route_table" | "vpc"
            | "subnet" | "internet_gateway" | "nat_gateway" | "vpc_endpoint" | "subnet_group"
            | "sql_function" | "sql_database" => Severity::Wiring,
            "stack" if is("stack_tags") => Severity::Tags,
            "stack" if is("termination_protection") => Severity::Security,
            _ => Severity::Settings,
        }
    }

    /// As it stands in a report.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Security => "security",
            Severity::Wiring => "wiring",
            Severity::Cost => "cost",
            Severity::Settings => "settings",
            Severity::Tags => "tags",
        }
    }
}
