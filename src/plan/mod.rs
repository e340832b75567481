//! Graph and live state to a [`Plan`]: a value that says everything the executor will do. Pure.
//!
//! **Invariant.** The plan makes every choice: which steps, in which order, with which options. The
//! executor carries it out and decides nothing that a reader of the plan could not foresee.

mod deletions;
mod diff;
mod impact;
pub mod restart;
mod sync;

pub use diff::{Change, To, diff};
pub use impact::{Effect, Impact, Interruption, Permit, Seconds};

use crate::model::graph::{Graph, Id, Live, Observed, Outputs, State, resolve};
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
    /// It is a member of the cluster: its output `id` is the member's name.
    pub is_member: bool,
    /// It restarts members until all run the current parameters: its property `topology` is the cluster's.
    pub restarts_members: bool,
    /// Adapts the desired properties to a live object that satisfies them in another form (a version
    /// prefix, a value AWS fills in).
    pub accept: fn(want: &mut Value, live: &Value),
    /// What this action, with these changes to the live properties, does to the members of the cluster.
    pub effect: fn(action: Action, changes: &[Change], live: &Value) -> Effect,
    /// Whether a look may still show these members as they were before they were interrupted.
    pub still_shows: fn(live: &Value, members: &[String]) -> bool,
    /// Seconds before the first change of a run in which nothing may move: what AWS does by itself, and what an
    /// earlier run has asked for, shows within them.
    pub patience_seconds: fn(live: &Value) -> u64,
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
    is_member: false,
    restarts_members: false,
    accept: |_, _| {},
    effect: |_, _, _| Effect::None,
    still_shows: |_, _| false,
    patience_seconds: |_| 0,
    poll_seconds: 1,
    limit_minutes: 10,
    effect_lag_seconds: 10,
    stable_looks: 1,
    typical_seconds: 1,
};

pub type Catalog = BTreeMap<&'static str, Rules>;

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
    /// The worst of its interruptions, or loss of data.
    pub impact: Impact,
    /// What those who use the database will notice, in the order in which it happens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interruptions: Vec<Interruption>,
    /// Why it is not carried out now although it ought to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
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

impl Step {
    /// A step that says nothing but what is done to what.
    pub fn new(id: Id, action: Action) -> Step {
        Step {
            id,
            action,
            changes: Vec::new(),
            reason: None,
            impact: Impact::None,
            interruptions: Vec::new(),
            held: None,
            predicted: Outputs::new(),
            needs: BTreeSet::new(),
            options: BTreeMap::new(),
        }
    }

    fn interrupts(&mut self, interruptions: Vec<Interruption>) {
        self.impact = interruptions.iter().map(|i| i.impact).max().unwrap_or_default().max(self.impact);
        self.interruptions = interruptions;
    }
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
    /// Nothing to do now and nothing in the way.
    pub fn is_empty(&self) -> bool {
        self.blocked.is_empty() && self.work().next().is_none()
    }
    /// The steps that do or await something when the plan is carried out.
    pub fn work(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::NoOp && step.held.is_none())
    }
    /// The steps that ought to be done and are not done now.
    pub fn held(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.held.is_some())
    }
    pub fn count(&self, action: Action) -> usize {
        self.work().filter(|step| step.action == action).count()
    }
    /// Everything that is interrupted when the plan is carried out, in order.
    pub fn interruptions(&self) -> impl Iterator<Item = &Interruption> {
        self.work().flat_map(|step| &step.interruptions)
    }
    /// Interruptions that go beyond a limit.
    pub fn beyond(&self, limit: Impact) -> impl Iterator<Item = &Interruption> {
        self.interruptions().filter(move |interruption| interruption.impact > limit)
    }
    /// Permission for exactly what this plan announces. `closes`: when the window closes, in milliseconds since
    /// the Unix epoch.
    pub fn permit(&self, catalog: &Catalog, closes: Option<u64>) -> Permit {
        let made =
            self.work().filter(|step| step.action == Action::Create && catalog[step.id.kind].is_member);
        let fresh = made.filter_map(|step| step.predicted.get("id").cloned());
        // A cluster whose members are not to run anything any more goes as a whole.
        let whole = !self.steps.iter().any(|step| catalog[step.id.kind].restarts_members);
        Permit::new(self.interruptions().cloned().collect(), fresh.collect(), whole, closes)
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
    let topology = sync::cluster(graph, observed, catalog);
    let leaving = sync::leaving(&going, observed, catalog);
    let mut effects: BTreeMap<Id, Effect> = active
        .iter()
        .map(|id| (id.clone(), (catalog[id.kind].effect)(Action::Delete, &[], &observed[id].props)))
        .collect();
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
                Some(other) => (Action::Recheck, Some(format!("{other} changes"))),
                None => (Action::NoOp, None),
            },
        };
        if let Some(live) = live {
            block(&mut plan, live, action, &changes, rules);
        }
        let effect = (rules.effect)(action, &changes, live.map_or(&Value::Null, |live| &live.props));
        known.insert(id.clone(), outputs);
        let needs = graph.needs(&id);
        let mut step =
            Step { predicted: resource.predicted.clone(), needs, changes, reason, ..Step::new(id, action) };
        if live.is_some()
            && let Some(topology) = &topology
        {
            match rules.restarts_members {
                true => {
                    let mut topology = topology.clone();
                    topology.members.retain(|m| !leaving.values().flatten().any(|name| *name == m.name));
                    step.needs.extend(leaving.keys().map(|id| (*id).clone()));
                    sync::check_writer(&mut plan, &step.id, &topology, &graph.policy);
                    sync::restarts(&mut step, &topology, &graph.policy, &resource.recheck_after, &effects);
                }
                false => sync::disturbs(&mut step, topology, &graph.policy, effect),
            }
        }
        // What is held changes nothing that others would have to heed.
        if step.action != Action::NoOp && step.held.is_none() {
            active.insert(step.id.clone());
            effects.insert(step.id.clone(), effect);
        }
        plan.steps.push(step);
    }
    deletions::deletions(&mut plan, graph, observed, catalog, &going, topology.as_ref());
    sync::hold_back(&mut plan, &graph.policy, catalog);
    sync::one_at_a_time(&mut plan, catalog);
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
