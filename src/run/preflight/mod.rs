//! Checks before anything is changed: quotas, names, the network, the database, models, permissions.
//!
//! Each is something that would otherwise be found minutes into a run, with half a stack standing. They only read, ask
//! only about what the plan creates, changes or deletes, and go out together. A check that may not be made (no
//! permission to read quotas, say) is left out and said in a note; it never stops a plan that AWS might accept.
//! docs/preflight.md has a section for each code.

mod account;
mod artifacts;
mod database;
mod inside;
mod machine_learning;
mod network;
mod parameters;
mod permissions;
mod roles;

use crate::aws::{Aws, During, Failure};
use crate::stack::Stack;
use auroraml_core::base::{Id, Observed};
use auroraml_core::model::{Code, Preflight};
use auroraml_core::plan::{Plan, Step};
use auroraml_core::resource::{Action, Graph};
use auroraml_core::spec::Spec;
use futures_util::future::join_all;
use std::pin::Pin;

/// Pages of a listing. No quota that is compared with a count is near what so many hold.
const PAGES_MAX: usize = 50;

/// What the checks found.
#[derive(Debug, Default)]
pub struct Findings {
    pub problems: Vec<Preflight>,
    pub notes: Vec<String>,
}

impl Findings {
    fn problem(
        &mut self,
        code: Code,
        what: impl Into<String>,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(Preflight { code, what: what.into(), why: why.into(), hint: hint.into() });
    }

    /// Keeps the answer; turns a refusal to answer into a note.
    fn take<T>(&mut self, what: &str, answer: Result<T, Failure>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.notes.push(format!("{what} could not be checked: {failure}"));
                None
            }
        }
    }
}

/// What is checked, and against what.
#[derive(Clone, Copy)]
struct Check<'a> {
    aws: &'a Aws,
    spec: &'a Spec,
    graph: &'a Graph,
    plan: &'a Plan,
    observed: &'a Observed,
}

type Part<'a> = Pin<Box<dyn Future<Output = Findings> + Send + 'a>>;

/// Looks at what the plan would create, change or delete. Asks AWS nothing when it does none of what is checked.
pub async fn check(stack: &Stack, graph: &Graph, plan: &Plan, observed: &Observed) -> Findings {
    let of = Check { aws: &stack.aws, spec: &stack.spec, graph, plan, observed };
    let parts: Vec<Part<'_>> = vec![
        Box::pin(network::quotas(of)),
        Box::pin(network::rules(of)),
        Box::pin(inside::inside(of)),
        Box::pin(account::quotas(of)),
        Box::pin(database::names(of)),
        Box::pin(database::goes(of)),
        Box::pin(parameters::parameters(of)),
        Box::pin(machine_learning::instances(of)),
        Box::pin(machine_learning::totals(of)),
        Box::pin(artifacts::artifacts(of)),
        Box::pin(artifacts::images(of)),
        Box::pin(artifacts::rows(of)),
        Box::pin(roles::names(of)),
        Box::pin(roles::policies(of)),
        Box::pin(roles::of_others(of)),
        Box::pin(roles::room(of)),
        Box::pin(permissions::permissions(of)),
    ];
    let mut all = Findings::default();
    for findings in join_all(parts).await {
        all.problems.extend(findings.problems);
        all.notes.extend(findings.notes);
    }
    all
}

impl<'a> Check<'a> {
    /// The steps that make an object of this kind.
    fn creates(self, kind: &'static str) -> impl Iterator<Item = &'a Step> {
        let makes = |step: &&Step| matches!(step.action, Action::Create | Action::Run);
        self.plan.work().filter(move |step| step.id.kind == kind).filter(makes)
    }

    /// The steps that make an object of this kind, or change one of these properties.
    fn writes(self, kind: &'static str, paths: &'static [&'static str]) -> impl Iterator<Item = &'a Step> {
        self.plan.work().filter(move |step| step.id.kind == kind).filter(move |step| match step.action {
            Action::Create | Action::Run | Action::Recreate => true,
            Action::Update => {
                step.changes.iter().any(|change| paths.iter().any(|path| change.concerns(path)))
            }
            _ => false,
        })
    }

    /// What is wanted of the object of a step.
    fn wanted<P: serde::de::DeserializeOwned>(self, step: &Step) -> Option<P> {
        serde_json::from_value(self.graph.resources.get(&step.id)?.props.clone()).ok()
    }

    /// What is wanted of the objects of this kind that the plan makes.
    fn created<P: serde::de::DeserializeOwned>(self, kind: &'static str) -> Vec<(String, P)> {
        self.creates(kind).filter_map(|step| Some((step.id.to_string(), self.wanted(step)?))).collect()
    }

    /// AWS's own id of an object that is there.
    fn live_id(self, id: &Id) -> Option<&'a str> {
        let live = self.observed.get(id).filter(|live| live.owned && !live.state.is_leaving())?;
        live.output("id").filter(|id| !id.is_empty())
    }

    fn region(self) -> &'a str {
        &self.aws.place.region
    }
}

/// The value of a quota in this account and region; as good as none where AWS gives it no value.
async fn quota(aws: &Aws, service: &str, code: &str) -> Result<f64, Failure> {
    let request = aws.servicequotas.get_service_quota().service_code(service).quota_code(code);
    let answer = request.send().await.during("GetServiceQuota")?;
    Ok(answer.quota().and_then(|quota| quota.value()).unwrap_or(f64::MAX))
}

/// What to do about a quota that is reached.
fn raise(code: &str) -> String {
    format!("delete unused ones, or raise the quota {code} in Service Quotas")
}
