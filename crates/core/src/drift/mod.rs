//! What is there and not as the spec says, and what others hung on what is ours. Pure.
//!
//! What a plan would change is drift, and comes from the plan itself. [`Beyond`] is what a plan does not ask for
//! (docs/decisions/0005): the content of what cannot change, settings that no field of a spec is about, and things of
//! others. [`settings`] is the table of those settings.

pub mod settings;
mod severity;

pub use severity::Severity;

use crate::base::{Change, Id, Live, Observed, Outputs, State, To, diff, has_reference, outputs, resolve};
use crate::plan::{Plan, Step};
use crate::resource::{Action, Catalog, Graph, Rules};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen beyond what a plan is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beyond {
    /// Properties of objects whose content a plan takes for granted, in the shape of their kind.
    pub whole: BTreeMap<Id, Value>,
    /// Settings of [`settings::SETTINGS`], by object.
    pub settings: BTreeMap<Id, BTreeMap<&'static str, Value>>,
    pub foreign: Vec<Foreign>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// Something that others made, and that hangs on an object of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// The stack's own object.
    pub on: Id,
    /// What it is, with AWS's own name of it: `subnet subnet-1`.
    pub what: String,
    pub severity: Severity,
    /// What it does there.
    pub why: String,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Unread {
    pub what: String,
    pub why: String,
}

/// What sort of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The spec wants it and it is not there.
    Missing,
    /// It is there, and AWS reports it failed or stopped.
    Failed,
    /// A property is not what the spec says.
    Changed,
    /// It is there, and the spec does not have it.
    Foreign,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// The object of the stack that it is about.
    #[schemars(with = "String")]
    pub id: Id,
    /// AWS's own id of it, its ARN or its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub sort: Sort,
    pub severity: Severity,
    /// The property, its parts joined by dots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the spec says; null where it says that there is nothing.
    pub spec: Value,
    /// What is there. Of what may hold a secret, here and above, a hash.
    pub found: Value,
    /// The difference in words.
    pub what: String,
    /// The last change of the object by somebody else, as CloudTrail tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
}

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct By {
    /// AWS's name of the event, such as `ModifyDBCluster`.
    pub event: String,
    /// RFC 3339.
    pub at: String,
    /// ARN of the caller, or his name where the event has no ARN.
    pub who: String,
}

/// All differences, the worst first.
pub fn judge(
    graph: &Graph,
    observed: &Observed,
    plan: &Plan,
    catalog: &Catalog,
    beyond: &Beyond,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for step in &plan.steps {
        of_step(step, observed, &mut found);
    }
    for blocked in &plan.blocked {
        // Most say why a difference that has been named is not mended.
        if found.iter().all(|finding| finding.id != blocked.id) {
            let finding = Finding {
                what: blocked.why.clone(),
                ..Finding::new(&blocked.id, Sort::Foreign, Severity::Settings, observed)
            };
            found.push(finding);
        }
    }
    for left in &plan.left_alone {
        let finding = Finding {
            what: left.why.clone(),
            ..Finding::new(&left.id, Sort::Foreign, Severity::Tags, observed)
        };
        found.push(finding);
    }
    let known = known(graph, observed);
    for (id, live) in &beyond.whole {
        let Some(resource) = graph.resources.get(id) else { continue };
        // The spec has the last word on all of it: what it does not have is not to be there.
        let mut want = resolve(&resource.props, &known);
        if let Some(want) = want.as_object_mut() {
            want.retain(|_, value| !value.is_null());
        }
        let changes = diff(&want, live);
        // Tags are the plan's.
        let told = changes.into_iter().filter(|change| !change.concerns("tags") && is_known(change));
        found.extend(told.flat_map(|change| of_change(id, change, &catalog[id.kind], observed)));
    }
    for (id, settings) in beyond.settings.iter().filter(|(id, _)| graph.resources.contains_key(id)) {
        found.extend(settings.iter().filter_map(|(path, live)| {
            let setting = settings::SETTINGS.iter().find(|one| one.kind == id.kind && one.path == *path)?;
            let want = setting.want();
            let finding = Finding {
                path: Some((*path).to_string()),
                what: setting.why.to_string(),
                spec: want.clone(),
                found: live.clone(),
                ..Finding::new(id, Sort::Changed, setting.severity, observed)
            };
            (want != *live).then_some(finding)
        }));
    }
    found.extend(beyond.foreign.iter().map(|foreign| Finding {
        found: foreign.what.clone().into(),
        what: format!("{}: {}", foreign.what, foreign.why),
        ..Finding::new(&foreign.on, Sort::Foreign, foreign.severity, observed)
    }));
    let key = |finding: &Finding| {
        (finding.severity, finding.id.clone(), finding.sort, finding.path.clone(), finding.what.clone())
    };
    found.sort_by_key(key);
    found.dedup();
    found
}

impl Finding {
    fn new(id: &Id, sort: Sort, severity: Severity, observed: &Observed) -> Finding {
        let live = observed.get(id);
        let object = live.and_then(|live| ["id", "arn", "name"].iter().find_map(|name| live.output(name)));
        Finding {
            id: id.clone(),
            object: object.map(String::from),
            sort,
            severity,
            path: None,
            spec: Value::Null,
            found: Value::Null,
            what: String::new(),
            by: None,
        }
    }
}

/// Outputs of everything that is there, and those that follow from names.
fn known(graph: &Graph, observed: &Observed) -> BTreeMap<Id, Outputs> {
    let outputs = |(id, resource): (&Id, &crate::resource::Resource)| {
        (id.clone(), outputs(&resource.predicted, observed.get(id).map(|live| &live.outputs)))
    };
    graph.resources.iter().map(outputs).collect()
}

/// Whether it is known what the spec wants: what refers to an object that is not there is told of that object.
fn is_known(change: &Change) -> bool {
    match &change.to {
        To::Value(value) => !has_reference(value),
        To::KnownAfterApply(_) => false,
    }
}

/// What a step of the plan says.
fn of_step(step: &Step, observed: &Observed, found: &mut Vec<Finding>) {
    let live = observed.get(&step.id);
    let one =
        |sort, severity, what: String| Finding { what, ..Finding::new(&step.id, sort, severity, observed) };
    let severity = || Severity::of(step.id.kind, "");
    // Nobody has rights by what is not there: calls fail.
    let absent = || match severity() {
        Severity::Security => Severity::Wiring,
        other => other,
    };
    match step.action {
        Action::NoOp => {}
        // What AWS has begun and will end is no drift.
        Action::Recheck => {
            if let Some(Live { state: State::Failed(why) | State::Broken(why), .. }) = live {
                found.push(one(Sort::Failed, severity(), why.clone()));
            }
        }
        Action::Create => found.push(one(Sort::Missing, absent(), "it does not exist".into())),
        Action::Run if live.is_none() => {
            found.push(one(Sort::Missing, absent(), "it has never run".into()));
        }
        Action::Run | Action::Recreate => {
            let why = step.reason.clone().unwrap_or_else(|| "it failed".into());
            found.push(one(Sort::Failed, severity(), why));
        }
        Action::Delete | Action::Vanish | Action::Stop => {
            let why = "the spec does not have it".to_string();
            found.push(one(Sort::Foreign, severity(), why));
        }
        Action::Update => {
            let is_meant = |change: &Change| change.path == "pending" && step.is_left_by_spec();
            let changes =
                step.changes.iter().filter(|change| !waits(change, step, observed) && !is_meant(change));
            for change in changes {
                found.extend(of_shown(&step.id, change.clone(), observed));
            }
        }
    }
}

/// Whether a property only waits for an object that is not there, which is told of that object.
fn waits(change: &Change, step: &Step, observed: &Observed) -> bool {
    let To::KnownAfterApply(value) = &change.to else { return false };
    let mut names = BTreeSet::new();
    crate::base::references(value, &mut names);
    observed.contains_key(&step.id)
        && names.iter().all(|name| !observed.keys().any(|id| id.to_string() == *name))
}

/// A change, its values hidden where they may hold a secret.
fn of_change(id: &Id, change: Change, rules: &Rules, observed: &Observed) -> Vec<Finding> {
    match rules.sensitive.iter().any(|path| change.concerns(path)) {
        true => of_shown(id, change.hidden(&id.to_string()), observed),
        false => of_shown(id, change, observed),
    }
}

/// A change as a plan shows it. Of lists each item that came or went is one finding: lists are sets.
fn of_shown(id: &Id, change: Change, observed: &Observed) -> Vec<Finding> {
    let (To::Value(want) | To::KnownAfterApply(want)) = change.to;
    let severity = Severity::of(id.kind, &change.path);
    let base =
        |sort| Finding { path: Some(change.path.clone()), ..Finding::new(id, sort, severity, observed) };
    let name = name(&change.path);
    if let (Value::Array(want), Some(live)) = (&want, list(&change.from)) {
        let missing = want.iter().filter(|item| !live.contains(item)).map(|item| Finding {
            spec: item.clone(),
            what: format!("{name} lacks {}", text(item)),
            ..base(Sort::Changed)
        });
        let extra = live.iter().filter(|item| !want.contains(item)).map(|item| Finding {
            found: item.clone(),
            what: match change.path.as_str() {
                "pending" => {
                    format!("{} is pending-reboot: it does not run the current parameters", text(item))
                }
                _ => format!("{name} has {}, which the spec does not have", text(item)),
            },
            ..base(Sort::Foreign)
        });
        let all: Vec<Finding> = missing.chain(extra).collect();
        if !all.is_empty() {
            return all;
        }
    }
    let (sort, what) = match (&want, &change.from) {
        (Value::Null, live) => (Sort::Foreign, format!("{name} is {}, but the spec has none", text(live))),
        (want, Value::Null) => {
            (Sort::Changed, format!("{name} is not set, but the spec says {}", text(want)))
        }
        (want, live) => {
            (Sort::Changed, format!("{name} is {}, but the spec says {}", text(live), text(want)))
        }
    };
    vec![Finding { spec: want, found: change.from, what, ..base(sort) }]
}

/// A list, where there may be none.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn name(path: &str) -> &str {
    if path.is_empty() { "it" } else { path }
}

/// Characters of a value in a sentence; JSON has all of it.
const TEXT_MAX: usize = 160;

fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "empty".to_string(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
