//! Graph and live state to a [`Plan`]: a value that says everything the executor will do. Pure.
//!
//! **Invariant.** The plan makes every choice: which steps, in which order, with which options. The
//! executor carries it out and decides nothing that a reader of the plan could not foresee.

mod deletions;
mod estimate;
mod naming;
mod sync;

pub use estimate::estimate;
pub use naming::{Misnamed, misnamed};

use crate::base::names::STACK_TAG;
use crate::base::{
    Change, Id, Live, Observed, Outputs, Predicted, State, TAKEN_OVER, To, counted, diff, outputs,
    references, resolve,
};
use crate::cost::Bill;
use crate::members::{Effect, Impact, Interruption, Permit};
use crate::resource::{Action, Catalog, Graph, Nature, Refusal, Resource, Rules};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    pub predicted: Predicted,
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
            predicted: Predicted::new(),
            needs: BTreeSet::new(),
            options: BTreeMap::new(),
        }
    }

    /// Whether it is on hold only because of another step that is.
    pub fn waits(&self) -> bool {
        self.held.as_ref().is_some_and(|why| why.starts_with(sync::WAITS_FOR))
    }

    /// Whether the spec itself leaves it undone: members that stay pending are then as it says.
    pub fn is_left_by_spec(&self) -> bool {
        self.held.as_ref().is_some_and(|why| why.starts_with(sync::SPEC_LEAVES))
    }

    /// Whether a later step on the same object does nothing that this one does not.
    fn covers(&self, later: &Step) -> bool {
        use Action::{Create, Delete, Recheck, Recreate, Run, Stop, Update, Vanish};
        let known = |change: &Change| self.changes.iter().any(|known| change.concerns(&known.path));
        match (self.action, later.action) {
            // What is made becomes what the spec says, in however many steps.
            (Create | Recreate | Run, Create | Recreate | Run | Update) => true,
            (Update, Update) => later.changes.iter().all(known),
            (Delete | Vanish | Stop, Delete | Vanish | Stop) => true,
            // Who restarts is what was reviewed of it, and has a limit of its own.
            (Recheck, Update) => !self.interruptions.is_empty(),
            _ => false,
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

/// Something that bears the stack's name or its tags, and is not touched.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LeftAlone {
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
    /// What looks like the stack's and stays, because nothing proves that it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<LeftAlone>,
    /// What a reader should know beside the steps.
    pub notes: Vec<String>,
    /// What it does to the bill, by the built-in prices; nothing where nothing costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Bill>,
    /// What stays although the spec no longer wants it; each is also in a note.
    #[serde(skip)]
    pub kept: Vec<Id>,
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
    /// What goes when the plan is carried out.
    pub fn leaving(&self) -> BTreeSet<Id> {
        let goes = |step: &&Step| matches!(step.action, Action::Delete | Action::Vanish);
        self.work().filter(goes).map(|step| step.id.clone()).collect()
    }
    pub fn count(&self, action: Action) -> usize {
        self.work().filter(|step| step.action == action).count()
    }
    /// Everything that is interrupted when the plan is carried out, in order.
    pub fn interruptions(&self) -> impl Iterator<Item = &Interruption> {
        self.work().flat_map(|step| &step.interruptions)
    }
    /// Steps that create, change or delete something that a reviewed plan does not.
    pub fn unreviewed<'p>(&'p self, reviewed: &'p Plan) -> impl Iterator<Item = &'p Step> {
        self.work().filter(|step| {
            let known = reviewed.work().find(|known| known.id == step.id);
            step.action != Action::Recheck && !known.is_some_and(|known| known.covers(step))
        })
    }
    /// Interruptions that go beyond a limit.
    pub fn beyond(&self, limit: Impact) -> impl Iterator<Item = &Interruption> {
        self.interruptions().filter(move |interruption| interruption.impact > limit)
    }
    /// Permission for exactly what this plan of `graph` announces. `closes`: when the window closes, in
    /// milliseconds since the Unix epoch.
    pub fn permit(&self, graph: &Graph, catalog: &Catalog, closes: Option<u64>) -> Permit {
        let comes = |step: &&Step| {
            (catalog[step.id.kind].effect)(step.action, &step.changes, &Value::Null) == Effect::MemberComes
        };
        let fresh = self.work().filter(comes).filter_map(|step| step.predicted.get("id").cloned());
        // A cluster whose members are not to run anything any more goes as a whole.
        let whole = graph.restarts.is_none();
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
    let is_meant = |id: &Id| graph.goes.as_ref().is_none_or(|kinds| kinds.contains(id.kind));
    let is_gone = |id: &&Id| !graph.resources.contains_key(id) && is_meant(id);
    let going: BTreeSet<&Id> = observed.keys().filter(is_gone).collect();
    let goes = |id: &Id| deletions::goes(catalog, observed, id) && deletions::may_go(graph, &observed[id]);
    let mut active: BTreeSet<Id> = going.iter().filter(|id| goes(id)).map(|id| (*id).clone()).collect();
    let members = sync::Members::of(graph, observed);
    let mut effects: BTreeMap<Id, Effect> = active
        .iter()
        .map(|id| (id.clone(), (catalog[id.kind].effect)(Action::Delete, &[], &observed[id].props)))
        .collect();
    let members_leaving = sync::leaving(&effects, observed);
    let leaving: BTreeSet<&str> =
        observed.values().filter(|live| live.state.is_leaving()).map(|live| live.id.kind).collect();
    for id in order {
        let resource = &graph.resources[&id];
        let rules = &catalog[id.kind];
        // What is on its way out is made anew once it is gone, and with it what goes with it; their ids and their
        // properties say nothing.
        let parent_leaves = rules.dies_with.is_some_and(|parent| leaving.contains(parent));
        let live = observed.get(&id).filter(|live| !live.state.is_leaving() && !parent_leaves);
        let changes = changes(resource, &known, live, rules);
        let touched = resource.recheck_after.iter().find(|other| active.contains(*other));
        let (action, reason) = action(rules, live, &changes, touched);
        let effect = (rules.effect)(action, &changes, live.map_or(&Value::Null, |live| &live.props));
        let changes = shown(&id, changes, rules);
        let is_let_go = graph.let_go.contains(&id.to_string());
        let mut told = outputs(&resource.predicted, live.map(|live| &live.outputs));
        let mut impact = Impact::None;
        if let Some(live) = live {
            block(&mut plan, resource, live, action, &changes, rules, is_let_go);
            if action == Action::Update {
                let unsettled = (rules.unsettles)(&resource.props, &changes, live);
                told.retain(|name, _| !unsettled.contains(name));
                impact = at_stake(&mut plan, resource, live, &changes, rules, is_let_go);
            } else if action == Action::Recreate && rules.holds_data_of(live) {
                impact = Impact::DataLoss;
            }
        }
        known.insert(id.clone(), told);
        let needs = graph.needs(&id);
        let mut step = Step {
            predicted: resource.predicted.clone(),
            needs,
            changes,
            reason,
            impact,
            ..Step::new(id, action)
        };
        if let Some(members) = &members {
            match members.restarts.by == step.id {
                true => {
                    step.needs.extend(members_leaving.keys().map(|id| (*id).clone()));
                    let members = members.without(members_leaving.values().flatten());
                    members.check_writer(&mut plan, &step.id);
                    members.restart(&mut step, &resource.recheck_after, &effects);
                }
                false => members.suffer(&mut step, effect, None),
            }
        }
        // What is held changes nothing that others would have to heed.
        if step.action != Action::NoOp && step.held.is_none() {
            let tags_only = step.action == Action::Update && step.changes.iter().all(|c| c.concerns("tags"));
            // Tags change nothing that others are made of.
            if !tags_only {
                active.insert(step.id.clone());
            }
            effects.insert(step.id.clone(), effect);
        }
        plan.steps.push(step);
    }
    deletions::deletions(&mut plan, graph, observed, catalog, &going, members.as_ref());
    if let Some(restarts) = &graph.restarts {
        sync::hold_back(&mut plan, restarts);
        sync::one_at_a_time(&mut plan, restarts, &effects);
    }
    let ids: BTreeSet<Id> = plan.work().map(|step| step.id.clone()).collect();
    for step in &mut plan.steps {
        step.needs.retain(|id| ids.contains(id));
    }
    plan.steps = in_order(plan.steps);
    plan
}

/// The steps so that each comes after those that it needs, and otherwise as they were.
fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    let mut waiting: BTreeSet<Id> = steps.iter().map(|step| step.id.clone()).collect();
    let mut order = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let ready = steps.iter().position(|step| step.needs.is_disjoint(&waiting));
        let step = steps.remove(ready.unwrap_or_else(|| panic!("steps wait for each other: {waiting:?}")));
        waiting.remove(&step.id);
        order.push(step);
    }
    order
}

/// What must change for the live object to become the desired one.
fn changes(
    resource: &Resource,
    known: &BTreeMap<Id, Outputs>,
    live: Option<&Live>,
    rules: &Rules,
) -> Vec<Change> {
    // A task is known by its inputs: one of this name is as wanted.
    if let (Nature::Task, Some(_)) = (rules.nature, live) {
        return Vec::new();
    }
    let want = wanted(resource, known, live, rules);
    diff(&want, live.map_or(&Value::Null, |live| &live.props))
}

/// What a plan shows of changes: of what may hold a secret a hash, by which a reader and a saved plan see that it is
/// another one.
fn shown(id: &Id, changes: Vec<Change>, rules: &Rules) -> Vec<Change> {
    let hide = |change: Change| match rules.sensitive.iter().any(|path| change.concerns(path)) {
        true => change.hidden(&id.to_string()),
        false => change,
    };
    changes.into_iter().map(hide).collect()
}

/// What is done with one resource, and why, where the changes do not say it.
fn action(
    rules: &Rules,
    live: Option<&Live>,
    changes: &[Change],
    touched: Option<&Id>,
) -> (Action, Option<String>) {
    let Some(live) = live else {
        return (if rules.nature == Nature::Task { Action::Run } else { Action::Create }, None);
    };
    match (&live.state, touched) {
        (State::Broken(why) | State::Failed(why), _) if rules.nature == Nature::Task => {
            (Action::Run, Some(format!("it failed ({why}); {}", repeats(rules))))
        }
        (State::Broken(why), _) => (Action::Recreate, Some(why.clone())),
        (State::Failed(why), _) if changes.is_empty() => (Action::Recheck, Some(why.clone())),
        _ if !changes.is_empty() && live.output(TAKEN_OVER).is_some() => {
            let stack = live.output(TAKEN_OVER).unwrap_or_default();
            (Action::Update, Some(format!("created by the CloudFormation stack {stack}")))
        }
        _ if !changes.is_empty() && live.has_lost_its_tags() => {
            (Action::Update, Some("it lost its tags, but belongs to this stack".into()))
        }
        _ if !changes.is_empty() => (Action::Update, None),
        (State::Busy(status), _) => (Action::Recheck, Some(status.clone())),
        // What a task was given is in its name: nothing that changes beside it concerns it.
        (_, Some(other)) if rules.nature != Nature::Task => {
            (Action::Recheck, Some(format!("{other} changes")))
        }
        _ => (Action::NoOp, None),
    }
}

/// What running a task once more comes to, in words.
pub fn repeats(rules: &Rules) -> String {
    let minutes = rules.typical_seconds.div_ceil(60);
    format!("running it again starts from the beginning, usually {}", counted(minutes, "minute"))
}

/// The desired properties with every known reference filled in, adapted to the live object.
pub fn wanted(
    resource: &Resource,
    known: &BTreeMap<Id, Outputs>,
    live: Option<&Live>,
    rules: &Rules,
) -> Value {
    let mut want = resolve(&resource.over(live), known);
    if let Some(live) = live {
        (rules.accept)(&mut want, &live.props);
    }
    want
}

fn block(
    plan: &mut Plan,
    resource: &Resource,
    live: &Live,
    action: Action,
    changes: &[Change],
    rules: &Rules,
    is_let_go: bool,
) {
    if !live.owned && matches!(action, Action::Update | Action::Recreate) {
        if let Some((why, hint)) = rules.foreign {
            plan.blocked.push(Blocked { id: live.id.clone(), why: why.into(), hint: hint.into() });
            return;
        }
        plan.blocked.push(Blocked {
            id: live.id.clone(),
            why: match live.props["tags"][STACK_TAG].as_str() {
                Some(stack) => format!("an object with this name exists and belongs to the stack {stack}"),
                None => "an object with this name exists but does not have this stack's tags".into(),
            },
            hint: format!(
                "if it belongs to this stack, {}; otherwise choose another stack name",
                deletions::tagging(live, resource.props["tags"][STACK_TAG].as_str())
            ),
        });
        return;
    }
    if action == Action::Recreate && rules.holds_data_of(live) && (rules.holds_data || !is_let_go) {
        let by_hand = "repair it in the AWS console, then run again";
        plan.blocked.push(Blocked {
            id: live.id.clone(),
            why: match &live.state {
                State::Broken(why) if !rules.holds_data => format!("{why}; replacing it would lose data"),
                _ => "it failed, and replacing it would lose data".into(),
            },
            hint: match rules.holds_data {
                true => by_hand.into(),
                false => format!("{by_hand}; to delete it with its data, add --delete {}", live.id),
            },
        });
    }
    if action == Action::Update {
        // What a stack of a template gives is known after it; if it is another object then, the step says so.
        for change in changes.iter().filter(|change| !awaits_output(change)) {
            if let Some(Refusal { why: reason, hint }) = rules.refusal(change, &live.props) {
                let to = match &change.to {
                    To::Value(value) => value.to_string(),
                    To::KnownAfterApply(_) => "another object".into(),
                };
                plan.blocked.push(Blocked {
                    id: live.id.clone(),
                    why: format!("{} cannot change from {} to {to}: {reason}", change.path, change.from),
                    hint: hint.map_or_else(
                        || {
                            format!(
                                "restore {} in the spec, or use another stack for the new value",
                                change.path
                            )
                        },
                        String::from,
                    ),
                });
            }
        }
    }
}

/// Whether a property that is there waits for what another resource's update may make of its output.
fn awaits_output(change: &Change) -> bool {
    let To::KnownAfterApply(value) = &change.to else { return false };
    let mut names = BTreeSet::new();
    references(value, &mut names);
    !change.from.is_null() && names.iter().all(|name| name.starts_with("stack."))
}

/// Refuses an update that loses data, unless a person names the object; then it is told what it comes to.
fn at_stake(
    plan: &mut Plan,
    resource: &Resource,
    live: &Live,
    changes: &[Change],
    rules: &Rules,
    is_let_go: bool,
) -> Impact {
    let losses = (rules.loses)(&resource.props, changes, live);
    if losses.is_empty() {
        return Impact::None;
    }
    if !is_let_go {
        plan.blocked.push(Blocked {
            id: live.id.clone(),
            why: losses.join("; "),
            hint: format!(
                "keep it in the template as it is; to delete it with its data, add --delete {}",
                live.id
            ),
        });
    }
    Impact::DataLoss
}
