//! The graph that a template is written from, and which of its resources CloudFormation can have.

use super::context::zones;
use super::version::Version;
use super::write::writer;
use super::{Given, HAS_FILES, Refused, write};
use crate::base::names::{Place, unknown};
use crate::base::{self, Id};
use crate::kinds::stack::OUTPUT;
use crate::model::facts::{Facts, NetworkFacts};
use crate::model::{self, Intent};
use crate::resource::Graph;
use crate::spec::{Network, Spec};
use crate::template::{Reference, Template, references};
use std::collections::{BTreeMap, BTreeSet};

pub fn build(spec: &Spec, given: &Given, version: Option<&Version>) -> Result<Graph, Vec<Refused>> {
    let subnets = match &spec.network {
        Some(Network::Owned(network)) => network.private_subnets.len().max(network.public_subnets.len()),
        Some(Network::Existing(_)) | None => 0,
    };
    let mut refused = Vec::new();
    if subnets > unknown::ZONES {
        refused.push(Refused {
            what: "network".into(),
            why: format!("{subnets} subnets of one kind are more than any region has zones"),
            hint: "list fewer".into(),
        });
    }
    // Text of the spec that has one of the characters by which the template is written would be said wrongly.
    if format!("{spec:?}").contains("\\u{e0") {
        refused.push(Refused {
            what: "the spec".into(),
            why: "it has private characters of Unicode (U+E000 to U+E0FF)".into(),
            hint: "remove them".into(),
        });
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let facts = Facts {
        zones: zones(),
        engine_versions: version.map(|version| version.offered.clone()).into_iter().collect(),
        network: network(spec),
        files: given.files.clone(),
        templates: given.templates.clone(),
        today: given.today.clone(),
        ..Facts::default()
    };
    let place = Place::anywhere(&spec.stack).with(model::names(spec));
    let mut graph = model::build(spec, &place, &facts, Intent::Apply)
        .map_err(|problems| problems.into_iter().map(Refused::from).collect::<Vec<_>>())?;
    // The template of a nested stack has an address whatever its size: the stack's bucket is not there yet.
    let uploads: Vec<Id> = graph
        .resources
        .values()
        .filter_map(|stack| stack.props["request"]["key"]["$ref"].as_str())
        .filter_map(|upload| graph.resources.keys().find(|id| id.to_string() == upload).cloned())
        .collect();
    for upload in uploads {
        graph.resources.remove(&upload);
        graph.resources.values_mut().for_each(|other| _ = other.after.remove(&upload));
    }
    Ok(graph)
}

/// Outputs of the user's templates that are ids of security groups.
pub fn groups(spec: &Spec, given: &Given) -> BTreeSet<(String, String)> {
    let mut groups = BTreeSet::new();
    for (name, stack) in spec.stacks.iter().flatten() {
        let Some(Ok(text)) = given.templates.get(&stack.template) else { continue };
        let Ok(template) = Template::parse(text) else { continue };
        let is_group = |id: &str| {
            template.resource(id).is_some_and(|resource| resource.kind == "AWS::EC2::SecurityGroup")
        };
        for output in template.outputs() {
            if references(output.value).iter().filter_map(Reference::id).any(is_group) {
                groups.insert((format!("stack.{name}"), format!("{OUTPUT}{}", output.name)));
            }
        }
    }
    groups
}

/// What nobody asks AWS of a VPC of others: its subnets are taken to be there, each in a zone of its own.
fn network(spec: &Spec) -> Option<NetworkFacts> {
    let Some(Network::Existing(of)) = &spec.network else { return None };
    let ids = of.private_subnets.iter().chain(&of.public_subnets).enumerate();
    let subnets = ids.map(|(n, id)| (id.clone(), (of.existing.clone(), n.to_string()))).collect();
    Some(NetworkFacts { ranges: vec![unknown::VPC_RANGE.into()], subnets })
}

/// What of a graph is in the template.
pub struct Selection {
    pub ids: BTreeSet<Id>,
    /// What is left out, with what CloudFormation cannot make of which it is made.
    pub without: BTreeMap<Id, Id>,
    /// Roles that only what is left out would use.
    pub unused: BTreeSet<Id>,
}

/// The kinds of jobs that leave one file, whose address a person can give.
pub const TRAINING: [&str; 2] = ["training_job", "tuning_job"];

pub fn written(graph: &Graph) -> Selection {
    let mut selection = Selection { ids: BTreeSet::new(), without: BTreeMap::new(), unused: BTreeSet::new() };
    for id in graph.order() {
        if writer(id.kind).is_none() {
            continue;
        }
        let mut missing = needed(graph, &id).into_iter().filter(|other| !selection.ids.contains(other));
        let given = |other: &Id| id.kind == "model" && TRAINING.contains(&other.kind);
        match missing.find(|other| !given(other)) {
            Some(other) => {
                let root = selection.without.get(&other).unwrap_or(&other).clone();
                selection.without.insert(id, root);
            }
            None => {
                selection.ids.insert(id);
            }
        }
    }
    let used: BTreeSet<Id> = selection.ids.iter().flat_map(|id| needed(graph, id)).collect();
    let unused = selection.ids.iter().filter(|id| id.kind == "role" && !used.contains(*id));
    selection.unused = unused.cloned().collect();
    selection.ids.retain(|id| !selection.unused.contains(id));
    selection
}

/// What the properties of a resource refer to.
fn needed(graph: &Graph, id: &Id) -> Vec<Id> {
    let mut names = BTreeSet::new();
    base::references(&graph.resources[id].props, &mut names);
    graph.resources.keys().filter(|other| names.contains(&other.to_string())).cloned().collect()
}

/// What is made only when somebody has done what CloudFormation cannot: trained a model, uploaded files.
pub fn conditions(spec: &Spec, graph: &Graph, written: &BTreeSet<Id>) -> BTreeMap<Id, String> {
    let mut conditions = BTreeMap::new();
    for id in graph.order().into_iter().filter(|id| written.contains(id)) {
        let needs = needed(graph, &id);
        let job = needs.iter().any(|other| TRAINING.contains(&other.kind));
        let condition = match id.kind {
            "model" if job => {
                let endpoint = graph.resources[&id].props["endpoint"].as_str().unwrap_or_default();
                Some(write::has_model(endpoint))
            }
            // Its scripts fail where there is nothing to copy.
            "notebook" if has_files(spec) => Some(HAS_FILES.to_owned()),
            "endpoint_config" | "endpoint" => needs.iter().find_map(|other| conditions.get(other).cloned()),
            _ => None,
        };
        if let Some(condition) = condition {
            conditions.insert(id, condition);
        }
    }
    conditions
}

pub fn has_files(spec: &Spec) -> bool {
    spec.notebook.as_ref().is_some_and(|notebook| !notebook.files.is_empty())
}
