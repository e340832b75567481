//! What CloudFormation keeps: stacks, their resources and events, what is under way, and change sets.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The stacks of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CloudFormation {
    /// Status of each stack by its name, such as `UPDATE_COMPLETE`; set by tests that want no more of a stack.
    pub stacks: BTreeMap<String, String>,
    /// Stacks that requests made, also those that were deleted, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) made: BTreeMap<String, Stack>,
}

/// Pairs, and no map: a world is searched for objects by the tags that they have.
pub(super) type Tags = Vec<(String, String)>;

/// What a request says that a stack is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Byte for byte as it came.
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: Tags,
    pub capabilities: Vec<String>,
    pub notifications: Vec<String>,
    pub role: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stack {
    pub id: String,
    pub name: String,
    pub created: u64,
    pub updated: Option<u64>,
    pub deleted: Option<u64>,
    pub status: String,
    pub reason: Option<String>,
    pub source: Source,
    /// What to do when a creation fails: `ROLLBACK`, `DO_NOTHING` or `DELETE`.
    pub on_failure: String,
    /// Whether what a creation made goes when that is undone, whatever its policy says (`RetainExceptOnCreate`).
    #[serde(default)]
    pub undoes_all: bool,
    pub timeout_minutes: Option<u64>,
    pub protected: bool,
    pub resources: BTreeMap<String, Resource>,
    pub outputs: Vec<Output>,
    /// Names of exports of others that it uses.
    pub imports: Vec<String>,
    pub events: Vec<Event>,
    pub operation: Option<Operation>,
    /// The token of the request that asked for what is, or was last, under way.
    pub token: Option<String>,
    pub change_sets: BTreeMap<String, ChangeSet>,
    /// Ids of the stack that it is a resource of, and of the outermost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Above>,
    /// The stack policy, as it was given.
    #[serde(default)]
    pub policy: Option<String>,
}

/// What stands above a stack or a change set within another: ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Above {
    pub parent: String,
    pub root: String,
}

impl Stack {
    pub(super) fn is_busy(&self) -> bool {
        self.status.ends_with("_IN_PROGRESS") && self.status != "REVIEW_IN_PROGRESS"
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub kind: String,
    /// What Ref gives; empty before anything was made.
    pub physical: String,
    pub attributes: BTreeMap<String, String>,
    /// As they were asked for last, all functions carried out, dynamic references still as they are written.
    pub properties: Value,
    pub metadata: Value,
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    /// Logical ids that it needs.
    pub needs: Vec<String>,
    pub status: String,
    pub reason: Option<String>,
    pub changed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub export: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    pub at: u64,
    pub logical: String,
    pub physical: String,
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
    pub properties: Option<String>,
    pub token: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Makes and changes what the template asks for.
    Apply,
    /// Deletes what an update left over.
    Cleanup,
    /// Deletes what a failed creation made.
    Rollback,
    /// Takes a failed update back.
    Undo,
    /// Deletes what a failed update made.
    UndoCleanup,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    Create,
    Update,
    Import,
    Delete,
}

/// What is under way in a stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub goal: Goal,
    pub phase: Phase,
    pub jobs: Vec<Job>,
    pub started: u64,
    /// When there is something to do next; never, while somebody has to say how it goes on.
    pub wake: u64,
    /// What the stack is to be.
    pub target: Source,
    /// What it was.
    pub before: Source,
    pub before_resources: BTreeMap<String, Resource>,
    /// Objects that no resource of the stack stands for any more.
    pub leftovers: Vec<(String, Resource)>,
    /// Logical ids that a deletion leaves alone.
    pub retained: Vec<String>,
    /// Identifiers of the objects that an import takes in.
    pub imported: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether a failure is taken back.
    pub rolls_back: bool,
    /// Change sets of the stacks within, by logical id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nested: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Whatever the comparison with what is there asks for.
    Apply,
    Create,
    Replace,
    Update,
    Import,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Waiting,
    Running { stage: u32, since: u64, next: u64 },
    Done,
    Failed,
}

/// One resource's part in an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub logical: String,
    pub action: Action,
    pub progress: Progress,
    /// Jobs that come first, by logical id.
    pub after: Vec<String>,
    /// The object as the job changes it.
    pub resource: Resource,
    /// The properties that it had.
    pub from: Value,
    /// Whether anything was asked of a service.
    pub touched: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    pub id: String,
    pub name: String,
    pub created: u64,
    /// When it is ready.
    pub ready: u64,
    pub kind: String,
    pub description: Option<String>,
    pub source: Source,
    /// `AVAILABLE`, `UNAVAILABLE`, `OBSOLETE`, `EXECUTE_IN_PROGRESS`, …
    pub execution: String,
    pub failure: Option<String>,
    pub changes: Vec<Value>,
    pub imported: BTreeMap<String, BTreeMap<String, String>>,
    pub on_failure: Option<String>,
    /// Whether those of the stacks within were made too (`IncludeNestedStacks`).
    #[serde(default)]
    pub includes_nested: bool,
    /// Change sets of the stacks within, by logical id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nested: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Above>,
}

impl ChangeSet {
    pub(super) fn status(&self, now: u64) -> &'static str {
        match (now < self.ready, &self.failure) {
            (true, _) => "CREATE_IN_PROGRESS",
            (false, Some(_)) => "FAILED",
            (false, None) => "CREATE_COMPLETE",
        }
    }
}
