//! What a check is, and how the parts of the judgement say what they found. Pure.

use super::facts::Facts;
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `sagemaker role`.
    pub check: String,
    /// The object that it was checked on.
    pub object: String,
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What puts it right, or makes it possible to check it.
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    /// AWS did not say.
    NotChecked,
    /// Nothing is wrong with it, and one should know.
    Note,
}

/// Whether any check failed.
pub fn failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.outcome == Outcome::Failed)
}

/// Says what a check found.
pub(super) struct Judge<'f> {
    pub facts: &'f Facts,
    pub checks: Vec<Check>,
}

impl Judge<'_> {
    pub fn ok(&mut self, check: impl Into<String>, object: impl Into<String>, found: impl Into<String>) {
        self.add(check.into(), object.into(), Outcome::Ok, found.into(), None);
    }
    pub fn note(&mut self, check: impl Into<String>, object: impl Into<String>, found: impl Into<String>) {
        self.add(check.into(), object.into(), Outcome::Note, found.into(), None);
    }
    pub fn failed(
        &mut self,
        check: impl Into<String>,
        object: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(check.into(), object.into(), Outcome::Failed, found.into(), Some(fix.into()));
    }
    pub fn unknown(&mut self, check: impl Into<String>, object: impl Into<String>, why: impl Into<String>) {
        self.add(check.into(), object.into(), Outcome::NotChecked, why.into(), None);
    }
    pub fn add(
        &mut self,
        check: String,
        object: String,
        outcome: Outcome,
        found: String,
        fix: Option<String>,
    ) {
        self.checks.push(Check { check, object, outcome, found, fix });
    }
}
