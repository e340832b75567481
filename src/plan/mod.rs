//! Graph and live state to a [`Plan`]: a value that says everything the executor will do. Pure.
//!
//! **Invariant.** The plan makes every choice: which steps, in which order, with which options. The
//! executor carries it out and decides nothing that a reader of the plan could not foresee.

mod diff;
pub mod restart;

pub use diff::{Change, To, diff};

use crate::model::graph::{Deletion, Graph, Id, Live, Observed, Outputs, State, resolve};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the planner and the executor must know of a kind. Constants of the kind's file.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Kinds whose objects must outlive this kind's: what it refers to.
    pub after: &'static [&'static str],
    /// Deleted by AWS together with the object of this kind.
    pub dies_with: Option<&'static str>,
    /// Property paths that AWS cannot change in place, each with the reason. A path covers what is below it.
    pub immutable: &'static [(&'static str, &'static str)],
    /// Why AWS will not make this change although it makes others of the same property, if so: what depends
    /// on the direction, as in "can grow, never shrink".
    pub blocked: fn(change: &Change) -> Option<&'static str>,
    /// Deleting one loses data that nothing else has: only a destroy does that.
    pub holds_data: bool,
    /// Why this object must not be deleted with these options, if so.
    pub protected: fn(live: &Value, options: &BTreeMap<String, String>) -> Option<Protected>,
    /// A statement about other objects: there is nothing to delete.
    pub is_condition: bool,
    /// AWS creates it without a client token, so what a killed run made may appear late beside what this one
    /// makes (fact book, section 5.3): the last look waits for it.
    pub appears_late: bool,
    /// What can follow when something changes that this waits for, in words for the plan.
    pub consequence: Option<&'static str>,
    /// Adapts the desired properties to a live object that satisfies them in another form (a version
    /// prefix, a value AWS fills in).
    pub accept: fn(want: &mut Value, live: &Value),
    /// What a change of these properties interrupts.
    pub impact: fn(changes: &[Change]) -> Impact,
    /// Seconds between two looks while waiting.
    pub poll_seconds: u64,
    /// Minutes after which waiting for AWS is given up.
    pub limit_minutes: u64,
    /// Seconds during which a look may still show the state from before a change (fact book, section 1.6).
    pub effect_lag_seconds: u64,
    /// Equal good looks wanted after a change before it is believed.
    pub stable_looks: u32,
    /// Seconds that creating one usually takes (fact book, section 8.2), for estimates.
    pub typical_seconds: u64,
}

/// A reason against a deletion, and what lifts it.
pub type Protected = (&'static str, &'static str);

/// A kind that refers to nothing, changes in place and is quick.
pub const PLAIN: Rules = Rules {
    after: &[],
    dies_with: None,
    immutable: &[],
    blocked: |_| None,
    holds_data: false,
    protected: |_, _| None,
    is_condition: false,
    appears_late: false,
    consequence: None,
    accept: |_, _| {},
    impact: |_| Impact::None,
    poll_seconds: 1,
    limit_minutes: 10,
    effect_lag_seconds: 10,
    stable_looks: 1,
    typical_seconds: 1,
};

pub type Catalog = BTreeMap<&'static str, Rules>;

/// What a step interrupts or destroys, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    #[default]
    None,
    /// Readers restart, one at a time.
    Readers,
    /// The writer's role moves to a reader; connections to the writer drop.
    Failover,
    /// The writer restarts in place.
    Restart,
    DataLoss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    NoOp,
    /// Nothing differs, but it is still on its way, or something that it depends on changes.
    Recheck,
    Update,
    Create,
    /// Delete, then create again: only for what is broken and holds nothing.
    Recreate,
    Delete,
    /// AWS deletes it together with something else; the step waits until it is gone.
    Vanish,
}

/// One thing to do, or to wait for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    #[schemars(with = "String")]
    pub id: Id,
    pub action: Action,
    pub changes: Vec<Change>,
    /// Why, when the changes do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub impact: Impact,
    /// Names and ARNs that are known before the object exists.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub predicted: Outputs,
    /// Steps that must be finished first.
    #[schemars(with = "BTreeSet<String>")]
    pub needs: BTreeSet<Id>,
    /// Options of a deletion.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// Something that must not or cannot be done; a plan with any of these is not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Blocked {
    #[schemars(with = "String")]
    pub id: Id,
    pub why: String,
    pub hint: String,
}

/// Everything that an apply or destroy will do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[must_use = "a plan changes nothing until it is carried out"]
pub struct Plan {
    /// In an order in which they could be carried out one by one.
    pub steps: Vec<Step>,
    pub blocked: Vec<Blocked>,
    /// What a reader should know beside the steps.
    pub notes: Vec<String>,
}

impl Plan {
    /// Nothing to do and nothing in the way.
    pub fn is_empty(&self) -> bool {
        self.blocked.is_empty() && self.work().next().is_none()
    }
    /// The steps that do or await something.
    pub fn work(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::NoOp)
    }
    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.action == action).count()
    }
    /// The worst that any step does.
    pub fn impact(&self) -> Impact {
        self.steps.iter().map(|step| step.impact).max().unwrap_or_default()
    }
}

/// Compares what ought to be with what is.
///
/// # Panics
/// When the graph holds a kind that the catalog lacks: a bug.
pub fn plan(graph: &Graph, observed: &Observed, catalog: &Catalog) -> Plan {
    let mut plan = Plan { notes: graph.notes.clone(), ..Plan::default() };
    let mut known: BTreeMap<Id, Outputs> = BTreeMap::new();
    let order = graph.order();
    let going: BTreeSet<&Id> = observed.keys().filter(|id| !graph.resources.contains_key(id)).collect();
    let mut active: BTreeSet<Id> =
        going.iter().filter(|id| !catalog[id.kind].is_condition).map(|id| (*id).clone()).collect();
    for id in order {
        let resource = &graph.resources[&id];
        let rules = &catalog[id.kind];
        // What is on its way out is made anew once it is gone; its id and its properties say nothing.
        let live = observed.get(&id).filter(|live| live.state != State::Busy("deleting".into()));
        let mut outputs = resource.predicted.clone();
        outputs.extend(live.map(|live| live.outputs.clone()).unwrap_or_default());
        let want = wanted(&resource.props, &known, live, rules);
        let changes = diff(&want, live.map_or(&Value::Null, |live| &live.props));
        let touched = resource.recheck_after.iter().find(|other| active.contains(*other));
        let (action, reason) = match live {
            None => (Action::Create, None),
            Some(Live { state: State::Broken(why), .. }) => (Action::Recreate, Some(why.clone())),
            Some(Live { state: State::Failed(why), .. }) if changes.is_empty() => {
                (Action::Recheck, Some(why.clone()))
            }
            Some(_) if !changes.is_empty() => (Action::Update, None),
            Some(Live { state: State::Busy(status), .. }) => (Action::Recheck, Some(status.clone())),
            Some(_) => match touched {
                Some(other) => {
                    let consequence = rules.consequence.map(|text| format!("; {text}")).unwrap_or_default();
                    (Action::Recheck, Some(format!("{other} changes{consequence}")))
                }
                None => (Action::NoOp, None),
            },
        };
        if let Some(live) = live {
            block(&mut plan, live, action, &changes, rules);
        }
        let impact = if live.is_some() { (rules.impact)(&changes) } else { Impact::None };
        known.insert(id.clone(), outputs);
        if action != Action::NoOp {
            active.insert(id.clone());
        }
        let needs = graph.needs(&id);
        let (predicted, options) = (resource.predicted.clone(), BTreeMap::new());
        plan.steps.push(Step { id, action, changes, reason, impact, predicted, needs, options });
    }
    plan_deletions(&mut plan, graph, observed, catalog, &going);
    let ids: BTreeSet<Id> = plan.work().map(|step| step.id.clone()).collect();
    for step in &mut plan.steps {
        step.needs.retain(|id| ids.contains(id));
    }
    plan
}

/// The desired properties with every known reference filled in, adapted to the live object.
pub fn wanted(props: &Value, known: &BTreeMap<Id, Outputs>, live: Option<&Live>, rules: &Rules) -> Value {
    let mut want = resolve(props, known);
    if let Some(live) = live {
        (rules.accept)(&mut want, &live.props);
    }
    want
}

/// The reason why this change cannot be made in place, if it cannot.
pub fn immutable_reason(rules: &Rules, change: &Change) -> Option<&'static str> {
    rules
        .immutable
        .iter()
        .find(|(path, _)| change.path == *path || change.path.starts_with(&format!("{path}.")))
        .map(|(_, reason)| *reason)
        .or_else(|| (rules.blocked)(change))
}

fn block(plan: &mut Plan, live: &Live, action: Action, changes: &[Change], rules: &Rules) {
    if !live.owned && matches!(action, Action::Update | Action::Recreate) {
        plan.blocked.push(Blocked {
            id: live.id.clone(),
            why: "an object of this name exists and is not tagged as this stack's".into(),
            hint: "choose another stack name, or delete or tag the object if it is yours to change".into(),
        });
        return;
    }
    if action == Action::Recreate && rules.holds_data {
        plan.blocked.push(Blocked {
            id: live.id.clone(),
            why: "it has failed, and replacing it would lose data".into(),
            hint: "repair it in the AWS console, then run again".into(),
        });
    }
    if action == Action::Update {
        for change in changes {
            if let Some(reason) = immutable_reason(rules, change) {
                let to = match &change.to {
                    To::Value(value) => value.to_string(),
                    To::KnownAfterApply(_) => "another object".into(),
                };
                plan.blocked.push(Blocked {
                    id: live.id.clone(),
                    why: format!("{} cannot change from {} to {to}: {reason}", change.path, change.from),
                    hint: format!(
                        "put {} back in the spec, or use another stack for the new value",
                        change.path
                    ),
                });
            }
        }
    }
}

fn plan_deletions(
    plan: &mut Plan,
    graph: &Graph,
    observed: &Observed,
    catalog: &Catalog,
    going: &BTreeSet<&Id>,
) {
    let mut deletions: Vec<Step> = Vec::new();
    let mut kept: BTreeSet<&'static str> = BTreeSet::new();
    for id in going {
        let rules = &catalog[id.kind];
        if rules.is_condition || !observed[*id].owned {
            continue;
        }
        let options = match graph.deletions.get(*id) {
            Some(Deletion::Keep) => {
                plan.notes.push(format!("{id} is kept, as the spec says"));
                kept.insert(id.kind);
                continue;
            }
            Some(Deletion::Delete(options)) => options.clone(),
            None if rules.holds_data => {
                plan.blocked.push(Blocked {
                    id: (*id).clone(),
                    why: "the spec no longer has it, and deleting it would lose data".into(),
                    hint: "put it back in the spec, or delete the whole stack with `auroraml destroy`".into(),
                });
                continue;
            }
            None => BTreeMap::new(),
        };
        if let Some((why, hint)) = (rules.protected)(&observed[*id].props, &options) {
            plan.blocked.push(Blocked { id: (*id).clone(), why: why.into(), hint: hint.into() });
        }
        let impact = if rules.holds_data { Impact::DataLoss } else { Impact::None };
        deletions.push(Step {
            id: (*id).clone(),
            action: Action::Delete,
            changes: Vec::new(),
            reason: None,
            impact,
            predicted: Outputs::new(),
            needs: BTreeSet::new(),
            options,
        });
    }
    // What lives inside a thing that is kept is kept with it.
    deletions.retain(|step| catalog[step.id.kind].dies_with.is_none_or(|parent| !kept.contains(parent)));
    let deleted_kinds: BTreeSet<&str> = deletions.iter().map(|step| step.id.kind).collect();
    for step in &mut deletions {
        if let Some(parent) = catalog[step.id.kind].dies_with
            && deleted_kinds.contains(parent)
        {
            step.action = Action::Vanish;
        }
    }
    let all: Vec<(Id, Action, BTreeSet<Id>)> = plan
        .work()
        .map(|step| {
            let waits = graph.resources.get(&step.id).map(|r| r.recheck_after.clone()).unwrap_or_default();
            (step.id.clone(), step.action, waits)
        })
        .chain(deletions.iter().map(|step| (step.id.clone(), step.action, BTreeSet::new())))
        .collect();
    for step in &mut deletions {
        let parent = catalog[step.id.kind].dies_with;
        step.needs = all
            .iter()
            .filter(|(other, action, waits)| {
                if *other == step.id || waits.contains(&step.id) {
                    return false;
                }
                if step.action == Action::Vanish && Some(other.kind) == parent {
                    return *action == Action::Delete;
                }
                // A dependent kind's step comes first, unless it merely vanishes with this one.
                let dependent = catalog[other.kind].after.contains(&step.id.kind);
                dependent
                    && !(*action == Action::Vanish && catalog[other.kind].dies_with == Some(step.id.kind))
            })
            .map(|(other, _, _)| other.clone())
            .collect();
    }
    deletions.sort_by_key(|step| step.id.clone());
    // Listed so that they could be carried out one by one.
    let mut listed: BTreeSet<Id> = BTreeSet::new();
    while !deletions.is_empty() {
        let waiting: BTreeSet<Id> = deletions.iter().map(|step| step.id.clone()).collect();
        let position = deletions
            .iter()
            .position(|step| step.needs.iter().all(|id| !waiting.contains(id) || listed.contains(id)))
            .unwrap_or_else(|| panic!("deletions wait for each other: {waiting:?}"));
        let step = deletions.remove(position);
        listed.insert(step.id.clone());
        plan.steps.push(step);
    }
}
