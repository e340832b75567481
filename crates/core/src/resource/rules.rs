//! What the planner and the executor must know of a kind: constants of the kind's own file. Pure.

use super::judge::{Sight, Verdict, by_difference};
use super::permission::Permission;
use crate::base::{Change, Live};
use crate::members::Effect;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub nature: Nature,
    /// Kinds whose objects must outlive this kind's: what it refers to.
    pub after: &'static [&'static str],
    /// Deleted by AWS together with the object of this kind.
    pub dies_with: Option<&'static str>,
    /// What goes with it, in words: its own deletion deletes it beside the object, and the plan says so.
    pub takes_along: Option<&'static str>,
    /// Property paths that AWS cannot change in place, each with the reason. A path covers what is below it.
    pub immutable: &'static [(&'static str, &'static str)],
    /// Property paths that may hold a secret, with all that is below them: a plan shows a hash of the value.
    pub sensitive: &'static [&'static str],
    /// Property paths, and outputs as `outputs.NAME`, that change by themselves, with all that is below them: a saved
    /// plan stays true when they do. What they come to for its steps is in the steps.
    pub passing: &'static [&'static str],
    /// Why AWS or auroraml will not do what is asked, where that depends on more than the property: the direction
    /// of a change, as in "can grow, never shrink", or what protects an object from deletion.
    pub refuses: fn(asked: Asked<'_>) -> Option<Refusal>,
    /// What is said where an object of this name exists and is not the stack's, and what to do then; without it, that
    /// it lacks the stack's tags.
    pub foreign: Option<(&'static str, &'static str)>,
    /// Deleting one loses data that nothing else has: only a destroy does that.
    pub holds_data: bool,
    /// The same of one object, where it depends on what is in it.
    pub holds: fn(live: &Live) -> bool,
    /// The data that an update deletes or may delete, as sentences: it is made only where a person names the object.
    /// `want` is what the resource says, before it is adapted to the live object.
    pub loses: fn(want: &Value, changes: &[Change], live: &Live) -> Vec<String>,
    /// The outputs that an update may make others: who refers to them knows them after it only.
    pub unsettles: fn(want: &Value, changes: &[Change], live: &Live) -> BTreeSet<String>,
    /// Whether anything of the stack may stand on it: it goes last, unless the graph says that it goes first.
    pub outlives_all: bool,
    /// AWS creates it without a client token, so what a killed run made may appear late beside what this one
    /// makes (fact book, section 5.3): the last look waits for it.
    pub appears_late: bool,
    /// AWS refuses a second one like it in its VPC, so that the create of the next run meets what a killed run made,
    /// whether listings show that or not.
    pub made_once: bool,
    /// Adapts the desired properties to a live object that satisfies them in another form (a version
    /// prefix, a value AWS fills in).
    pub accept: fn(want: &mut Value, live: &Value),
    /// What this action, with these changes to the live properties, does to the members of the cluster. The plan
    /// announces it, and the executor asks for permission by it.
    pub effect: fn(action: Action, changes: &[Change], live: &Value) -> Effect,
    /// What a look at the object comes to while a step waits for it.
    pub judge: fn(sight: &Sight<'_>) -> Verdict,
    /// Property paths whose change AWS at times accepts and does not make: it is asked for again.
    pub may_be_ignored: &'static [&'static str],
    /// Property paths that AWS changes in the request itself: they are what they are as soon as they show, and nothing
    /// begins afterwards.
    pub at_once: &'static [&'static str],
    /// Seconds between two looks while waiting: about a tenth of what AWS needs (fact book, table 8.2), up to ten
    /// (section 7.3).
    pub poll_seconds: u64,
    /// Minutes after which waiting for AWS is given up.
    pub limit_minutes: u64,
    /// Seconds during which a look may still show the state from before a change (fact book, section 1.6).
    pub effect_lag_seconds: u64,
    /// Equal good looks wanted after a change before it is believed.
    pub stable_looks: u32,
    /// Seconds that a task usually takes: who runs it again is told.
    pub typical_seconds: u64,
    /// What its calls ask of IAM; [`super::permission`] says how to add to it.
    pub permissions: &'static [Permission],
}

/// What sort of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It is created, changed and deleted.
    Object,
    /// A statement about other objects, awaited like them: there is nothing to delete.
    Condition,
    /// Work that runs once and ends, such as a training job. Its name within the stack ends in a hash of its
    /// inputs ([`crate::base::Id::hashed`]), so it never changes. What has ended cannot be deleted and stays in
    /// AWS as a record; what still runs and is no longer wanted is stopped.
    Task,
}

/// What a kind is asked about before it is planned.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    Change {
        change: &'a Change,
        live: &'a Value,
    },
    Delete {
        live: &'a Value,
        /// The plan's options, such as `unprotect`.
        options: &'a BTreeMap<String, String>,
    },
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub why: &'static str,
    /// What lifts it, where there is more to say than that the spec can be put back.
    pub hint: Option<&'static str>,
}

impl Refusal {
    pub fn because(why: &'static str) -> Refusal {
        Refusal { why, hint: None }
    }
}

/// A kind that refers to nothing, changes in place and is quick.
pub const PLAIN: Rules = Rules {
    nature: Nature::Object,
    after: &[],
    dies_with: None,
    takes_along: None,
    immutable: &[],
    sensitive: &[],
    passing: &[],
    refuses: |_| None,
    foreign: None,
    holds_data: false,
    holds: |_| false,
    loses: |_, _, _| Vec::new(),
    unsettles: |_, _, _| BTreeSet::new(),
    outlives_all: false,
    appears_late: false,
    made_once: false,
    accept: |_, _| {},
    effect: |_, _, _| Effect::None,
    judge: by_difference,
    may_be_ignored: &[],
    at_once: &["tags"],
    poll_seconds: 1,
    limit_minutes: 10,
    effect_lag_seconds: 10,
    stable_looks: 1,
    typical_seconds: 1,
    permissions: &[],
};

impl Rules {
    /// Whether deleting this object loses data that nothing else has.
    pub fn holds_data_of(&self, live: &Live) -> bool {
        self.holds_data || (self.holds)(live)
    }

    /// The reason why this change of the live properties cannot be made in place, if it cannot.
    pub fn forbids(&self, change: &Change, live: &Value) -> Option<&'static str> {
        self.refusal(change, live).map(|refusal| refusal.why)
    }

    /// The same, with what lifts it.
    pub fn refusal(&self, change: &Change, live: &Value) -> Option<Refusal> {
        let immutable = self.immutable.iter().find(|(path, _)| change.concerns(path));
        immutable
            .map(|(_, reason)| Refusal::because(reason))
            .or_else(|| (self.refuses)(Asked::Change { change, live }))
    }
}

/// The rules of all kinds, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog(BTreeMap<&'static str, Rules>);

impl Catalog {
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Rules)> {
        self.0.iter().map(|(name, rules)| (*name, rules))
    }
}

impl FromIterator<(&'static str, Rules)> for Catalog {
    fn from_iter<I: IntoIterator<Item = (&'static str, Rules)>>(kinds: I) -> Catalog {
        Catalog(kinds.into_iter().collect())
    }
}

impl Index<&str> for Catalog {
    type Output = Rules;

    /// # Panics
    /// When there is no such kind: a bug.
    fn index(&self, kind: &str) -> &Rules {
        self.0.get(kind).unwrap_or_else(|| panic!("there is no kind {kind}: is it in `every_kind!`?"))
    }
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
    /// A task is started, for the first time or once more after it has failed.
    Run,
    Delete,
    /// AWS deletes it together with something else; the step waits until it is gone.
    Vanish,
    /// A task that still runs is ended before its time.
    Stop,
}
