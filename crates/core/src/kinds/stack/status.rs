//! AWS's statuses of a CloudFormation stack, and the one thing that is next in each. Pure.

use crate::base::State;

macro_rules! statuses {
    ($($name:ident = $text:literal,)*) => {
        /// Every status that there is (botocore's model of CloudFormation, StackStatus).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Status {
            $($name,)*
        }

        impl Status {
            pub const ALL: &[Status] = &[$(Status::$name,)*];

            /// AWS's own word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Status::$name => $text,)*
                }
            }
        }
    };
}

statuses! {
    CreateInProgress = "CREATE_IN_PROGRESS",
    CreateFailed = "CREATE_FAILED",
    CreateComplete = "CREATE_COMPLETE",
    RollbackInProgress = "ROLLBACK_IN_PROGRESS",
    RollbackFailed = "ROLLBACK_FAILED",
    RollbackComplete = "ROLLBACK_COMPLETE",
    DeleteInProgress = "DELETE_IN_PROGRESS",
    DeleteFailed = "DELETE_FAILED",
    DeleteComplete = "DELETE_COMPLETE",
    UpdateInProgress = "UPDATE_IN_PROGRESS",
    UpdateCompleteCleanupInProgress = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateComplete = "UPDATE_COMPLETE",
    UpdateFailed = "UPDATE_FAILED",
    UpdateRollbackInProgress = "UPDATE_ROLLBACK_IN_PROGRESS",
    UpdateRollbackFailed = "UPDATE_ROLLBACK_FAILED",
    UpdateRollbackCompleteCleanupInProgress = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    UpdateRollbackComplete = "UPDATE_ROLLBACK_COMPLETE",
    ReviewInProgress = "REVIEW_IN_PROGRESS",
    ImportInProgress = "IMPORT_IN_PROGRESS",
    ImportComplete = "IMPORT_COMPLETE",
    ImportRollbackInProgress = "IMPORT_ROLLBACK_IN_PROGRESS",
    ImportRollbackFailed = "IMPORT_ROLLBACK_FAILED",
    ImportRollbackComplete = "IMPORT_ROLLBACK_COMPLETE",
}

/// The status of this word.
pub fn status(word: &str) -> Option<Status> {
    Status::ALL.iter().copied().find(|status| status.word() == word)
}

impl Status {
    /// Whether CloudFormation is at work on the stack.
    pub fn is_busy(self) -> bool {
        self.word().ends_with("_IN_PROGRESS") && self != Status::ReviewInProgress
    }

    /// Whether there is a failure among the events that says why.
    pub fn has_cause(self) -> bool {
        let undone =
            [Status::RollbackComplete, Status::UpdateRollbackComplete, Status::ImportRollbackComplete];
        self.word().ends_with("_FAILED") || self.is_going_back() || undone.contains(&self)
    }

    fn is_going_back(self) -> bool {
        self.is_busy() && self.word().contains("ROLLBACK")
    }

    /// What is seen while CloudFormation is at work. `inside`: how far the resources are.
    pub fn progress(self, cause: Option<&str>, inside: Option<&str>) -> String {
        let doing = match self {
            Status::CreateInProgress => "creating",
            Status::DeleteInProgress => "deleting",
            Status::UpdateInProgress => "updating",
            Status::ImportInProgress => "importing",
            Status::UpdateCompleteCleanupInProgress => "cleaning up after the update",
            _ => "rolling back",
        };
        let parts =
            [Some(doing.to_owned()), cause.map(|cause| format!("because {cause}")), inside.map(String::from)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What the stack is like, and what is next. `name` is its name at CloudFormation; `cause` what failed first.
    pub fn state(self, name: &str, cause: Option<&str>, inside: Option<&str>) -> State {
        let because = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        let word = self.word();
        match self {
            // What others read as a thing that goes away.
            Status::DeleteInProgress => State::Busy("deleting".into()),
            status if status.is_busy() => State::Busy(self.progress(cause, inside)),
            Status::CreateComplete
            | Status::UpdateComplete
            | Status::UpdateRollbackComplete
            | Status::ImportComplete
            | Status::ImportRollbackComplete
            // Nothing is in it yet: the change set that made it is executed, or it goes.
            | Status::ReviewInProgress
            | Status::DeleteComplete => State::Ready,
            Status::RollbackComplete => State::Broken(format!(
                "{word}: its creation failed and was undone, so it is empty; apply deletes it and creates it again{because}"
            )),
            Status::RollbackFailed => State::Broken(format!(
                "{word}: its creation failed, and so did the rollback; apply deletes it and creates it again{because}"
            )),
            Status::CreateFailed => State::Broken(format!(
                "{word}: its creation failed and was not undone; it can only be deleted and made again{because}"
            )),
            Status::DeleteFailed => State::Broken(format!(
                "{word}: CloudFormation could not delete all of it{because}; remove what is in the way and run again, or leave that behind: aws cloudformation delete-stack --stack-name {name} --retain-resources LOGICAL-ID"
            )),
            Status::UpdateRollbackFailed => State::Failed(format!(
                "{word}: an update failed, and so did the rollback{because}; remove the cause, then: aws cloudformation continue-update-rollback --stack-name {name} (with --resources-to-skip LOGICAL-ID for what cannot be undone), and run again"
            )),
            Status::UpdateFailed => State::Failed(format!(
                "{word}: an update failed and was not undone{because}; aws cloudformation rollback-stack --stack-name {name}, then run again"
            )),
            Status::ImportRollbackFailed => State::Failed(format!(
                "{word}: an import failed, and so did the rollback{because}; remove the cause, then: aws cloudformation rollback-stack --stack-name {name}, and run again"
            )),
            _ => State::Busy(word.to_owned()),
        }
    }
}

/// One of a stack's events, as CloudFormation tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackEvent {
    pub logical_id: String,
    pub kind: String,
    pub physical_id: String,
    pub status: String,
    pub reason: String,
    /// Whether it is about the stack itself.
    pub is_stack: bool,
}

/// The failure that began the last operation's trouble, the newest event first: what was cancelled because of it says
/// nothing.
pub fn first_cause(events: &[StackEvent]) -> Option<&StackEvent> {
    let end = events.iter().position(StackEvent::begins).unwrap_or(events.len());
    let failed = events[..end].iter().filter(|event| event.status.ends_with("_FAILED"));
    let mut failed: Vec<&StackEvent> = failed.collect();
    failed.reverse();
    let is_told =
        |event: &&&StackEvent| !event.is_stack && !event.reason.to_ascii_lowercase().contains("cancelled");
    failed.iter().find(is_told).or(failed.first()).copied()
}

/// The same of the last operation in which anything failed.
pub fn last_cause(events: &[StackEvent]) -> Option<&StackEvent> {
    let mut rest = events;
    loop {
        if let Some(cause) = first_cause(rest) {
            return Some(cause);
        }
        let end = rest.iter().position(StackEvent::begins)?;
        rest = &rest[end + 1..];
    }
}

impl StackEvent {
    /// Whether an operation on the stack begins with it.
    fn begins(&self) -> bool {
        let begun = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];
        self.is_stack && begun.contains(&self.status.as_str())
    }

    /// As a sentence's part.
    pub fn words(&self) -> String {
        let reason = self.reason.trim().trim_end_matches('.');
        let what = format!("{} ({}) {}", self.logical_id, self.kind, self.status);
        if reason.is_empty() { what } else { format!("{what}: {reason}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            logical_id: id.into(),
            kind: if id == "churn-net" { "AWS::CloudFormation::Stack" } else { "AWS::EC2::VPC" }.into(),
            physical_id: String::new(),
            status: status.into(),
            reason: reason.into(),
            is_stack: id == "churn-net",
        }
    }

    #[test]
    fn there_are_twenty_three_and_each_has_one_next_thing() {
        assert_eq!(Status::ALL.len(), 23);
        for known in Status::ALL {
            assert_eq!(status(known.word()), Some(*known));
            let state = known.state("churn-net", Some("Vpc FAILED: no"), Some("2/5 done"));
            let (text, is_told) = match &state {
                State::Ready => (String::new(), true),
                State::Busy(text) => (text.clone(), known.is_busy()),
                State::Broken(text) | State::Failed(text) => (text.clone(), text.contains("Vpc FAILED: no")),
            };
            assert!(is_told, "{known:?}: {text}");
            assert_eq!(known.is_busy(), matches!(state, State::Busy(_)), "{known:?}");
            if matches!(state, State::Failed(_)) {
                assert!(
                    text.contains("aws cloudformation ") && text.contains("run again"),
                    "{known:?}: {text}"
                );
            }
            if matches!(state, State::Failed(_) | State::Broken(_)) {
                assert!(known.has_cause() && text.starts_with(known.word()), "{known:?}: {text}");
            }
        }
        assert_eq!(status("SOMETHING_NEW"), None);
        assert!(Status::DeleteInProgress.state("x", None, None).is_leaving());
    }

    #[test]
    fn what_goes_on_is_told() {
        assert_eq!(
            Status::CreateInProgress.progress(None, Some("3/9 done; running: Db")),
            "creating, 3/9 done; running: Db"
        );
        assert_eq!(
            Status::RollbackInProgress.progress(Some("Vpc FAILED"), None),
            "rolling back, because Vpc FAILED"
        );
    }

    #[test]
    fn the_first_cause_is_of_the_last_operation_and_no_cancellation() {
        let events = [
            event(
                "churn-net",
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Gateway, Vpc].",
            ),
            event("Gateway", "CREATE_FAILED", "Resource creation cancelled"),
            event("Vpc", "CREATE_FAILED", "The maximum number of VPCs has been reached."),
            event("Gateway", "CREATE_IN_PROGRESS", ""),
            event("churn-net", "CREATE_IN_PROGRESS", "User Initiated"),
            event("Old", "DELETE_FAILED", "of another life"),
        ];
        let cause = first_cause(&events).expect("there is one");
        assert_eq!(
            cause.words(),
            "Vpc (AWS::EC2::VPC) CREATE_FAILED: The maximum number of VPCs has been reached"
        );
        assert_eq!(first_cause(&events[4..]), None);
        let deleted = [event("churn-net", "DELETE_IN_PROGRESS", "User Initiated")];
        let deleted: Vec<StackEvent> = deleted.into_iter().chain(events.clone()).collect();
        assert_eq!((first_cause(&deleted), last_cause(&deleted)), (None, Some(&events[2])));
        assert_eq!(last_cause(&deleted[..1]), None);
        let cancelled = [events[1].clone(), events[4].clone()];
        assert_eq!(first_cause(&cancelled), Some(&events[1]), "better than nothing");
    }
}
