//! What others made and the spec takes over: found as it is, and tagged alone while CloudFormation still has it.

use super::{Builder, Code, Intent};
use crate::base::{Id, Observed, counted};
use crate::kinds::Kind;
use crate::plan::Plan;
use crate::resource::{Action, Deletion, Graph};
use crate::takeover::{
    Fate, Handover, HandoverProps, Order, Origin, Retention, RetentionProps, fate, owns, refusals,
    template_bucket, unnamed,
};
use serde_json::json;
use std::collections::BTreeSet;

/// All of an object stays as it is.
const WHOLE: &str = "*";

/// Ids of the steps of a hand-over.
const STEPS: [&str; 2] = [Retention::NAME, Handover::NAME];

impl Builder<'_> {
    /// Whether CloudFormation still owns what the spec takes over.
    fn origin(&self) -> Option<Origin> {
        self.facts.origin.clone().filter(|origin| owns(self.spec, origin))
    }

    /// Says that nothing but an apply is possible while CloudFormation has the objects.
    pub(super) fn refuse_while_owned(&mut self, intent: Intent) -> bool {
        for owner in &self.facts.second_owners {
            let some: Vec<&str> = owner.resources.iter().take(3).map(String::as_str).collect();
            let more = owner.resources.len() - some.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.problem(
                Code::OwnedByCloudformation,
                "taken_over",
                format!(
                    "the CloudFormation stack {} ({}) also owns {}{more}: with two owners, each changes and deletes what the other has",
                    owner.name,
                    owner.status,
                    some.join(", ")
                ),
                format!(
                    "put `taken_over` with from_stack: {} back into the spec, then let it hand over: auroraml adopt --release {} --spec SPEC",
                    owner.arn, owner.name
                ),
            );
        }
        if !self.facts.second_owners.is_empty() {
            return true;
        }
        let Some(origin) = self.origin().filter(|_| intent != Intent::Apply) else { return false };
        self.problem(
            Code::OwnedByCloudformation,
            "taken_over.from_stack",
            format!(
                "the CloudFormation stack {} ({}) still owns these resources",
                origin.name, origin.status
            ),
            format!("hand them over first: auroraml adopt --release {} --spec SPEC", origin.name),
        );
        true
    }

    /// Brings the graph of an apply to what may be done now.
    pub(super) fn take_over(&mut self) {
        let Some(taken) = self.spec.taken_over.as_ref() else { return };
        for resource in taken.objects.keys() {
            if let Some(resource) = self.resource_mut(resource) {
                resource.found.get_or_insert_default();
            }
        }
        for (resource, properties) in &taken.as_found {
            if properties.iter().any(|property| property == WHOLE) {
                self.leave_whole(resource);
            } else if let Some(resource) = self.resource_mut(resource) {
                resource.found.get_or_insert_default().extend(properties.iter().cloned());
            }
        }
        if let Some(order) = self.facts.release.clone() {
            return match self.facts.origin.clone().filter(Origin::stands) {
                Some(origin) => self.release(&origin, &order),
                None => self.nothing(),
            };
        }
        match self.origin() {
            None => {}
            Some(origin) => {
                self.tags_alone();
                self.graph.notes.push(format!(
                    "the CloudFormation stack {0} ({1}) owns these objects until it hands over: only tags are set now; then: auroraml adopt --release {0} --spec SPEC",
                    origin.name, origin.status
                ));
                self.say_what_stays(&origin, &Order::default());
            }
        }
    }

    fn resource_mut(&mut self, name: &str) -> Option<&mut crate::resource::Resource> {
        self.graph.resources.iter_mut().find(|(id, _)| id.to_string() == name).map(|(_, resource)| resource)
    }

    /// It is no part of the stack, whether it is there or not.
    fn leave_whole(&mut self, name: &str) {
        let Some(id) = self.graph.resources.keys().find(|id| id.to_string() == name).cloned() else { return };
        if self.graph.resources.keys().any(|other| *other != id && self.graph.needs(other).contains(&id)) {
            return self.problem(
                Code::TakenOver,
                format!("taken_over.as_found.{name}"),
                "other parts of the stack need it, so it cannot be left as found entirely",
                "list single properties instead",
            );
        }
        self.graph.resources.remove(&id);
        self.graph.deletions.insert(id, Deletion::Keep);
    }

    /// Nothing is wanted, and nothing goes.
    fn nothing(&mut self) {
        self.graph.resources.clear();
        self.graph.goes = Some(BTreeSet::new());
    }

    /// Of what is taken over the tags, and nothing else: the rest is CloudFormation's to change.
    fn tags_alone(&mut self) {
        let taken = self.spec.taken_over.iter().flat_map(|taken| taken.objects.keys());
        let taken: BTreeSet<String> = taken.cloned().collect();
        self.graph.goes = Some(BTreeSet::new());
        self.graph.resources.retain(|id, resource| {
            let Some(tags) = resource.props.get("tags").filter(|_| taken.contains(&id.to_string())) else {
                return false;
            };
            resource.props = json!({ "tags": tags });
            resource.partial = true;
            resource.found = Some(BTreeSet::new());
            resource.after.clear();
            resource.recheck_after.clear();
            true
        });
    }

    /// What afterwards is nobody's, by name.
    fn say_what_stays(&mut self, origin: &Origin, order: &Order) {
        let notes: Vec<String> = unnamed(self.spec, origin, order)
            .map(|(part, by)| {
                let used = by.map(|by| format!("; used in `{by}`")).unwrap_or_default();
                format!("not taken over: {} ({}) {}{used}", part.logical, part.kind, part.physical)
            })
            .collect();
        self.graph.notes.extend(notes);
    }

    /// Policies first, then the tags, and the stack last: at no point has an object no owner, and as long as it may have
    /// two the first run that looks finds both.
    fn release(&mut self, origin: &Origin, order: &Order) {
        let found = refusals(self.spec, origin, order);
        if !found.is_empty() {
            for one in found {
                self.problem(Code::ReleaseRefused, one.what, one.why, one.hint);
            }
            return;
        }
        self.tags_alone();
        let mut resources: Vec<String> = origin
            .resources
            .iter()
            .filter(|part| part.status != "DELETE_COMPLETE")
            .map(|part| part.logical.clone())
            .collect();
        resources.sort();
        let bucket = template_bucket(self.spec, order);
        let props = RetentionProps {
            stack: origin.arn.clone(),
            resources: resources.clone(),
            retained: true,
            bucket: bucket.clone(),
        };
        let retention = Id::new(Retention::NAME, "main");
        let tagged: Vec<Id> = self.graph.resources.keys().cloned().collect();
        self.graph.add(retention.clone(), props);
        for id in &tagged {
            if let Some(resource) = self.graph.resources.get_mut(id) {
                resource.after.insert(retention.clone());
            }
        }
        let stay = resources.into_iter().filter(|logical| order.leave.contains(logical)).collect();
        let props = HandoverProps { stack: origin.arn.clone(), resources: stay, deleted: Vec::new(), bucket };
        self.graph.add(Id::new(Handover::NAME, "main"), props).after(tagged.iter().chain([&retention]));
        let taken = origin.resources.iter().filter(|part| matches!(fate(self.spec, part), Fate::Taken(_)));
        self.graph.notes.push(format!(
            "this stack takes over {} of the CloudFormation stack {}; nothing is deleted",
            counted(taken.count(), "object"),
            origin.name
        ));
        for logical in &order.leave {
            self.graph.notes.push(format!("{logical} stays in the CloudFormation stack {}", origin.name));
        }
        self.say_what_stays(origin, order);
    }
}

/// Takes out of the graph of a hand-over what is not there, and says so.
pub fn without_missing(graph: &mut Graph, observed: &Observed) {
    let is_there = |id: &Id| observed.contains_key(id) || STEPS.contains(&id.kind);
    let missing: Vec<Id> = graph.resources.keys().filter(|id| !is_there(id)).cloned().collect();
    for id in missing {
        graph.resources.remove(&id);
        graph.resources.values_mut().for_each(|other| _ = other.after.remove(&id));
        graph.notes.push(format!("{id} in `taken_over` no longer exists"));
    }
}

/// What an apply will do after the hand-over, for who reads the plan before it.
pub fn afterwards(later: &Plan) -> Vec<String> {
    let is_more = |step: &&crate::plan::Step| {
        step.action != Action::Recheck
            && (step.action != Action::Update || step.changes.iter().any(|change| !change.concerns("tags")))
    };
    let steps = later.work().filter(is_more).map(|step| {
        let paths: Vec<&str> = step
            .changes
            .iter()
            .filter(|change| !change.concerns("tags"))
            .map(|change| change.path.as_str())
            .collect();
        match step.action {
            Action::Update => {
                format!("after the handover, apply will change {} of {}", paths.join(", "), step.id)
            }
            Action::Create | Action::Recreate | Action::Run => {
                format!("after the handover, apply will create {}", step.id)
            }
            _ => format!("after the handover, apply will delete {}", step.id),
        }
    });
    let blocked = later.blocked.iter().map(|blocked| {
        format!(
            "after the handover, apply will be blocked by {}: {}; {}",
            blocked.id, blocked.why, blocked.hint
        )
    });
    steps.chain(blocked).collect()
}
