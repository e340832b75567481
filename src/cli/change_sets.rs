//! Change sets of CloudFormation: whether a plan makes them, and that none is left.

use super::exit::Error;
use super::files::SavedPlan;
use super::session::{Session, no_plan};
use auroraml::kinds::change_set::{ChangeSets, stale as stale_set};
use auroraml::run::change_sets::clear;
use auroraml::run::reconcile::PrepareError;
use auroraml_core::render::json;
use clap::Args;
use std::sync::Arc;

/// Whether CloudFormation is asked what it would do.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Wanted {
    /// Ask CloudFormation what it would replace in stacks of templates. Creates change sets, and deletes them again.
    #[arg(long, help_heading = "CloudFormation")]
    pub change_sets: bool,
}

/// From now on plans of this stack make change sets, if they are wanted.
pub fn ask(session: &mut Session, wanted: Wanted) {
    session.stack.change_sets = wanted.change_sets.then(|| Arc::new(ChangeSets::default()));
}

/// A saved plan is carried out with the change sets that it was reviewed with.
pub fn reviewed(session: &mut Session, saved: Option<&SavedPlan>) {
    let sets = saved.map(|saved| json::change_sets(&saved.plan)).unwrap_or_default();
    if !sets.is_empty() {
        session.stack.change_sets = Some(Arc::new(ChangeSets::of_review(sets)));
    }
}

/// Why one of them can no longer be executed, if so.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn stale(session: &Session, saved: &SavedPlan) -> Result<Option<String>, Error> {
    for (id, arn) in json::change_sets(&saved.plan) {
        let why = stale_set(&session.stack.aws, &arn).await;
        if let Some(why) = why.map_err(|failure| no_plan(PrepareError::Aws(failure)))? {
            return Ok(Some(format!("the change set of {id} {why}")));
        }
    }
    Ok(None)
}

/// What came of a command, once its change sets are gone.
pub async fn cleared<T>(session: &Session, result: Result<T, Error>) -> Result<T, Error> {
    let gone = clear(&session.stack).await.map_err(|failure| no_plan(PrepareError::Aws(failure)));
    // Why the command failed comes first.
    result.and_then(|result| gone.map(|()| result))
}
