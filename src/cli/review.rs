//! Whether a plan that was saved and reviewed is still true.

use super::change_sets;
use super::exit::{Error, Exit};
use super::files::SavedPlan;
use super::session::{Session, no_plan};
use auroraml::run::reconcile::{PrepareError, Prepared, prepare, survey};
use auroraml_core::base::Observed;
use auroraml_core::model::Order;
use auroraml_core::model::facts::Facts;
use auroraml_core::plan::Plan;
use auroraml_core::render::Subject;
use auroraml_core::render::json::{self, Document};

/// Plans anew, and compares with the saved plan, if there is one: whatever it rests on has moved comes before whatever else
/// may be in the way now.
///
/// # Errors
/// When it is no longer true (exit code 3), and when there is no plan.
pub async fn prepared(
    session: &Session,
    subject: &Subject,
    order: Order,
    saved: Option<&SavedPlan>,
) -> Result<(Prepared, Document), Error> {
    if let Some(saved) = saved {
        let now = session.resting_on(subject, &Observed::new(), &Facts::default(), &Plan::default());
        told(json::moved_before_a_look(&saved.plan, &now.to_value()))?;
        told(change_sets::stale(session, saved).await?)?;
    }
    let prepared = match (prepare(&session.stack, order).await, saved) {
        (Ok(prepared), _) => prepared,
        // Something may have moved so that there is no plan any more.
        (Err(error @ PrepareError::Preflight(_)), Some(saved)) => {
            let seen = survey(&session.stack, order).await.map_err(no_plan)?;
            let now = session.resting_on(subject, &seen.observed, &seen.facts, &Plan::default());
            told(json::moved(&saved.plan, &now.to_value()))?;
            return Err(no_plan(error));
        }
        (Err(error), _) => return Err(no_plan(error)),
    };
    let document = session.document(subject, &prepared);
    if let Some(saved) = saved {
        told(json::difference(&saved.plan, &document.to_value()))?;
    }
    session.check_let_go(&prepared)?;
    Ok((prepared, document))
}

fn told(difference: Option<String>) -> Result<(), Error> {
    let Some(difference) = difference else { return Ok(()) };
    let help = "nothing was changed; save a new plan and review it";
    Err(Error::new("saved plan", format!("it is stale: {difference}"), help).with(Exit::Stale))
}
