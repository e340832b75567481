//! The spec: what a YAML file says, with defaults filled in and everything checked that needs no AWS.
//!
//! Pure: no files, no environment, no clock.

mod address;
mod another;
mod aurora;
mod belongs;
mod bucket;
mod check;
mod endpoints;
mod fields;
mod form;
mod hyperparameters;
mod images;
mod indentation;
mod machine_learning;
mod network;
mod node;
mod notebook;
mod problem;
mod reader;
mod references;
mod restart;
mod roles;
mod schema;
mod secret;
mod sql;
mod stack;
mod statement;
mod table;
mod taken_over;
mod template_stack;
mod training;
mod variables;
mod window;
mod written;

pub use address::Address;
pub use aurora::{Aurora, Cluster, ClusterOnDestroy, ExistingCluster, Instance, Serverless, Storage};
pub use bucket::{Bucket, BucketOnDestroy};
pub use check::WITHOUT_MACHINE_LEARNING;
pub use endpoints::{Container, Endpoint, EndpointManager, Model, ServerlessEndpoint};
pub use hyperparameters::{goal as metric_goal, is_whole as whole_hyperparameter};
pub use images::{XGBOOST_VERSIONS, xgboost_accounts, xgboost_image};
pub use machine_learning::{BedrockAccess, MachineLearning, S3Access, S3Buckets, SagemakerAccess};
pub use network::{ExistingNetwork, Nat, Network, OwnNetwork, ServiceEndpoint};
pub use notebook::{Notebook, NotebookSubnet};
pub(crate) use problem::nearest;
pub use problem::{Problem, Problems};
pub use references::{OUTPUT_PLACES, OWN, Own, Piece, Reference, is_reference, pieces, references};
pub use restart::{Allow, Restart, Strategy};
pub use roles::Roles;
pub use schema::json_schema;
pub use secret::{Secret, SecretManager};
pub use sql::{Columns, Grant, LineEnd, NameAndType, SqlFunction, SqlRole, SqlTable, TableLoad, Unload};
pub use stack::Spec;
pub use statement::Statement;
pub use table::{Table, tables};
pub use taken_over::TakenOver;
pub use template_stack::{Capability, FromEnvironment, ParameterValue, TemplateStack};
pub use training::{
    Autopilot, AutopilotMode, Goal, Problem as AutopilotProblem, Range, Training, Tuning, seconds,
};
pub use variables::{Environment, Given, Variable};
pub use window::Window;
pub use written::written;

use crate::engine::{AURORA_MYSQL, Engine};

/// The engine of every cluster: a spec cannot name another one yet.
const ENGINE: &Engine = &AURORA_MYSQL;

/// The spec that `auroraml init` writes.
pub const STARTER: &str = include_str!("starter.yaml");

/// Bytes that a spec may have. A caller should not read a larger file at all.
pub const MAX_SIZE: usize = 1024 * 1024;

/// Reads and checks a spec.
///
/// # Errors
/// All problems of the file at once; of what is not YAML at all, the first.
pub fn parse(source: &[u8]) -> Result<Spec, Problems> {
    parse_with_warnings(source).map(|(spec, _)| spec)
}

/// As [`parse`], with values of the spec's variables.
///
/// # Errors
/// The same.
pub fn parse_given(source: &[u8], given: &Given<'_>) -> Result<Spec, Problems> {
    read(source, given).map(|(spec, _)| spec)
}

/// As [`parse`], with what may be a mistake although the spec is good.
///
/// # Errors
/// All problems and warnings of the file at once; of what is not YAML at all, the first.
pub fn parse_with_warnings(source: &[u8]) -> Result<(Spec, Problems), Problems> {
    read(source, &Given::default())
}

/// As [`parse_with_warnings`], with values of the spec's variables.
///
/// # Errors
/// The same.
pub fn read(source: &[u8], given: &Given<'_>) -> Result<(Spec, Problems), Problems> {
    let source = text(source)?;
    let (mut root, mut found) = match another::file(source) {
        Some(problem) => return Err(problem),
        None => node::tree(source)?,
    };
    let in_force = variables::resolve(&mut root, given, &mut found);
    let mut reader = reader::Reader::new(&root, found);
    let mut spec = stack::read(&root, &mut reader);
    if let Some(spec) = &mut spec {
        spec.variables = in_force;
    }
    if let Some(spec) = &spec {
        check::check(spec, &mut reader);
    }
    let problems = reader.finish();
    match spec {
        Some(spec) if problems.is_good() => Ok((spec, problems)),
        _ => Err(problems),
    }
}

/// DB cluster parameter group family of an engine version as the spec writes it, such as
/// `aurora-mysql8.0`; `None` for one that `parse` refuses.
pub fn family(engine_version: &str) -> Option<&'static str> {
    (ENGINE.asked)(engine_version).ok().map(|asked| asked.family)
}

/// The file as text, unless its size or its bytes already show that it is no spec.
fn text(source: &[u8]) -> Result<&str, Problems> {
    if source.len() > MAX_SIZE {
        // Whoever reads stops behind the limit: how large the file is in the end is not known here.
        let message =
            format!("the file is too large: a spec has at most {} MiB ({MAX_SIZE} bytes)", MAX_SIZE >> 20);
        return Err(Problems::of_file(1, 1, &message, Some("is this the right file?")));
    }
    let place = |before: &[u8]| {
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
    };
    let text = std::str::from_utf8(source).map_err(|error| {
        let (line, column) = place(&source[..error.valid_up_to()]);
        Problems::of_file(line, column, "the file is not UTF-8 text", Some("save it as UTF-8"))
    })?;
    if let Some(at) = source.iter().position(|byte| *byte == 0) {
        let (line, column) = place(&source[..at]);
        let hint = "is this the right file? Save it as UTF-8";
        return Err(Problems::of_file(
            line,
            column,
            "the file contains a NUL byte: it is not text",
            Some(hint),
        ));
    }
    Ok(text)
}

/// The hint for a mapping whose keys need no example.
const INDENTED: &str = "write `key: value` lines below it, indented";
