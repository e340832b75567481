//! Change sets of CloudFormation: whether a plan makes them, and that none is left.

use super::exit::Error;
use super::session::{Session, no_plan};
use auroraml::kinds::change_set::ChangeSets;
use auroraml::run::change_sets::clear;
use auroraml::run::reconcile::PrepareError;
use clap::Args;
use std::sync::Arc;

/// Whether CloudFormation is asked what it would do.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Wanted {
    /// Let CloudFormation say what it would replace in the stacks of templates: makes change sets, and removes them.
    #[arg(long, help_heading = "CloudFormation")]
    pub change_sets: bool,
}

/// From now on plans of this stack make change sets, if they are wanted.
pub fn ask(session: &mut Session, wanted: Wanted) {
    session.stack.change_sets = wanted.change_sets.then(|| Arc::new(ChangeSets::default()));
}

/// What came of a command, once its change sets are gone.
pub async fn cleared<T>(session: &Session, result: Result<T, Error>) -> Result<T, Error> {
    let gone = clear(&session.stack).await.map_err(|failure| no_plan(PrepareError::Aws(failure)));
    // Why the command failed comes first.
    result.and_then(|result| gone.map(|()| result))
}
