//! The template as a whole.

use super::context::{Context, Written};
use super::lost::Lost;
use super::node::Node;
use super::text::{IMAGES, IMAGES_COLUMN, has_zone, zone};
use super::version::Version;
use super::write::{has_model, writer};
use super::{
    FILES, HAS_FILES, PASSWORD, VERSION, VPC_RANGE, model_data, secret_parameter, template_parameter, yaml,
};
use crate::base::Id;
use crate::kinds::SECTIONS;
use crate::spec::xgboost_accounts;
use serde_json::Value;
use std::collections::BTreeSet;

/// Bytes of a description (quotas: "Template description").
const DESCRIPTION_MAX: usize = 1024;

/// An entry of a section.
struct Entry {
    /// What the entries from here on are about.
    heading: Option<&'static str>,
    comment: Option<String>,
    key: String,
    node: Node,
}

pub struct Document {
    /// Titles, each with items: what stands before one, and its text.
    comments: [(&'static str, Vec<(String, String)>); 2],
    description: String,
    sections: Vec<(&'static str, Vec<Entry>)>,
}

fn plain(key: impl Into<String>, node: Node) -> Entry {
    Entry { heading: None, comment: None, key: key.into(), node }
}

impl Document {
    pub fn new(
        context: &Context<'_>,
        version: Option<&Version>,
        zones: &[String],
        lost: &[Lost],
        steps: &[String],
    ) -> Document {
        let resources = resources(context);
        let sections = [
            ("Parameters", parameters(context, version, zones)),
            ("Mappings", mappings(&resources)),
            ("Conditions", conditions(context)),
            ("Resources", resources),
            ("Outputs", outputs(context)),
        ];
        let numbered = steps.iter().enumerate().map(|(n, step)| (format!("{}. ", n + 1), step.clone()));
        let dashed = lost.iter().map(|lost| ("- ".to_owned(), lost.to_string()));
        let comments =
            [("How to use it:", numbered.collect()), ("What CloudFormation does not do:", dashed.collect())];
        Document {
            comments,
            description: description(context, lost),
            sections: sections.into_iter().filter(|(_, entries)| !entries.is_empty()).collect(),
        }
    }

    pub fn value(&self) -> Value {
        let mut map = serde_json::Map::new();
        map.insert("AWSTemplateFormatVersion".into(), "2010-09-09".into());
        map.insert("Description".into(), self.description.clone().into());
        for (section, entries) in &self.sections {
            let entries = entries.iter().map(|entry| (entry.key.clone(), entry.node.value()));
            map.insert((*section).into(), Value::Object(entries.collect()));
        }
        Value::Object(map)
    }

    pub fn yaml(&self) -> String {
        let mut out = String::new();
        for (title, items) in self.comments.iter().filter(|(_, items)| !items.is_empty()) {
            yaml::comment(&mut out, 0, "", title);
            for (head, text) in items {
                yaml::comment(&mut out, 0, head, text);
            }
            out.push('\n');
        }
        yaml::entry(&mut out, 0, "AWSTemplateFormatVersion", &Node::text("2010-09-09"));
        out.push_str("Description: >-\n");
        for line in yaml::wrapped(&self.description, 106) {
            out.push_str(&format!("  {line}\n"));
        }
        for (section, entries) in &self.sections {
            out.push_str(&format!("\n{section}:\n"));
            for (n, entry) in entries.iter().enumerate() {
                if let Some(heading) = entry.heading {
                    if n > 0 {
                        out.push('\n');
                    }
                    yaml::comment(&mut out, 2, "", heading);
                }
                if let Some(comment) = &entry.comment {
                    yaml::comment(&mut out, 2, "", comment);
                }
                yaml::entry(&mut out, 2, &entry.key, &entry.node);
            }
        }
        out
    }
}

fn description(context: &Context<'_>, lost: &[Lost]) -> String {
    let mut text = format!("Aurora machine learning, from the auroraml spec of {}.", context.spec.stack);
    let what: BTreeSet<&str> = lost.iter().map(|lost| lost.what).collect();
    if !what.is_empty() {
        let what: Vec<&str> = what.into_iter().collect();
        text.push_str(&format!(
            " Not done by CloudFormation, see the comments or docs/cloudformation.md: {}.",
            what.join(", ")
        ));
    }
    text.chars().take(DESCRIPTION_MAX).collect()
}

fn parameters(context: &Context<'_>, version: Option<&Version>, zones: &[String]) -> Vec<Entry> {
    let mut all = Vec::new();
    if let Some(Version { offered, is_open }) = version {
        let default = (!is_open).then(|| Node::text(&offered.version));
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Default", default),
            ("Description", Some(Node::text(format!("Version of {}", context.spec.engine().title)))),
        ]);
        all.push(plain(VERSION, parameter));
    }
    let secrets = context.graph.resources.values().filter(|resource| resource.id.kind == "secret");
    if secrets.into_iter().any(|secret| !secret.props["password_variable"].is_null()) {
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("NoEcho", Some(Node::Bool(true))),
            ("Description", Some(Node::text("Password of the master user"))),
            ("MinLength", Some(Node::number(8))),
            ("MaxLength", Some(Node::number(41))),
            // What Aurora does not take, and what would end the text that it stands in.
            ("AllowedPattern", Some(Node::text(r#"[!#-.0-?A-\[\]-~]+"#))),
        ]);
        all.push(plain(PASSWORD, parameter));
    }
    for (n, given) in (1..=context.chosen_zones()).zip(zones.iter().map(Some).chain(std::iter::repeat(None)))
    {
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Default", Some(Node::text(given.map_or("", String::as_str)))),
            (
                "Description",
                Some(Node::text(format!("Availability zone of the subnets {n}; empty: one of the region's"))),
            ),
        ]);
        all.push(plain(zone(n), parameter));
    }
    for (logical, path, secrets) in context.stacks() {
        let address = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Description", Some(Node::text(format!("Address of {path} in S3, once it is uploaded")))),
            ("AllowedPattern", Some(Node::text("https://.+"))),
        ]);
        all.push(plain(template_parameter(&logical), address));
        for name in secrets {
            let parameter = Node::map([
                ("Type", Some(Node::text("String"))),
                ("NoEcho", Some(Node::Bool(true))),
                ("Description", Some(Node::text(format!("{name} of {path}")))),
            ]);
            all.push(plain(secret_parameter(&logical, &name), parameter));
        }
    }
    if context.needs_range() {
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Description", Some(Node::text("IPv4 range of the VPC, such as 10.0.0.0/16"))),
            ("AllowedPattern", Some(Node::text(r"\d+\.\d+\.\d+\.\d+/\d+"))),
        ]);
        all.push(plain(VPC_RANGE, parameter));
    }
    let conditions: BTreeSet<&String> = context.conditions.values().collect();
    if conditions.contains(&HAS_FILES.to_owned()) {
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Default", Some(Node::text("missing"))),
            ("AllowedValues", Some(Node::List(vec![Node::text("missing"), Node::text("uploaded")]))),
            (
                "Description",
                Some(Node::text("Whether the notebook's files are in the bucket; the notebook is made then")),
            ),
        ]);
        all.push(plain(FILES, parameter));
    }
    for id in trained(context) {
        let parameter = Node::map([
            ("Type", Some(Node::text("String"))),
            ("Default", Some(Node::text(""))),
            (
                "Description",
                Some(Node::text(format!(
                    "Address of the trained model (s3://BUCKET/KEY) of endpoint {}, which is made then",
                    id.name
                ))),
            ),
        ]);
        all.push(plain(model_data(&id.name), parameter));
    }
    all
}

/// Endpoints whose model somebody has to train first.
fn trained<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Id> {
    context.conditions.keys().filter(|id| id.kind == "endpoint")
}

fn conditions(context: &Context<'_>) -> Vec<Entry> {
    let equals = |parameter: &str, text: &str| {
        Node::call("Fn::Equals", Node::List(vec![Node::reference(parameter), Node::text(text)]))
    };
    let mut all = Vec::new();
    if context.conditions.values().any(|condition| condition == HAS_FILES) {
        all.push(plain(HAS_FILES, equals(FILES, "uploaded")));
    }
    for n in 1..=context.chosen_zones() {
        all.push(plain(has_zone(n), Node::call("Fn::Not", Node::List(vec![equals(&zone(n), "")]))));
    }
    for id in trained(context) {
        let empty = equals(&model_data(&id.name), "");
        all.push(plain(has_model(&id.name), Node::call("Fn::Not", Node::List(vec![empty]))));
    }
    all
}

/// The accounts of SageMaker's images, where a resource needs one.
fn mappings(resources: &[Entry]) -> Vec<Entry> {
    if !resources.iter().any(|entry| has_map(&entry.node)) {
        return Vec::new();
    }
    let accounts = xgboost_accounts().iter().map(|(region, account)| {
        ((*region).to_owned(), Node::map([(IMAGES_COLUMN, Some(Node::text(*account)))]))
    });
    vec![Entry {
        comment: Some("Where SageMaker's built-in images are, by region.".into()),
        ..plain(IMAGES, Node::Map(accounts.collect()))
    }]
}

fn has_map(node: &Node) -> bool {
    match node {
        Node::Call("Fn::FindInMap", _) => true,
        Node::Call(_, argument) => has_map(argument),
        Node::List(items) => items.iter().any(has_map),
        Node::Map(entries) => entries.iter().any(|(_, value)| has_map(value)),
        Node::Text(_) | Node::Number(_) | Node::Bool(_) => false,
    }
}

fn resources(context: &Context<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut last = "";
    for (kind, section) in SECTIONS {
        let Some(write) = writer(kind) else { continue };
        for id in context.ids.keys().filter(|id| id.kind == *kind) {
            for written in write(context, &context.graph.resources[id]) {
                let heading = (last != *section).then_some(*section);
                last = section;
                entries.push(entry(written, heading));
            }
        }
    }
    entries
}

fn entry(written: Written, heading: Option<&'static str>) -> Entry {
    let Written { id, kind, mut depends, condition, policies, properties, comment, skips } = written;
    depends.sort();
    depends.dedup();
    let depends = match depends.as_slice() {
        [] => None,
        [one] => Some(Node::text(one)),
        many => Some(Node::List(many.iter().map(Node::text).collect())),
    };
    let skip = |(rule, why): &(&str, &str)| {
        Node::map([("id", Some(Node::text(*rule))), ("comment", Some(Node::text(*why)))])
    };
    let metadata = (!skips.is_empty()).then(|| {
        let skips = Node::map([("skip", Some(Node::List(skips.iter().map(skip).collect())))]);
        Node::map([("checkov", Some(skips))])
    });
    let node = Node::map([
        ("Type", Some(Node::text(kind))),
        ("Condition", condition.map(Node::text)),
        ("DependsOn", depends),
        ("DeletionPolicy", policies.map(|(deletion, _)| Node::text(deletion))),
        ("UpdateReplacePolicy", policies.map(|(_, replacement)| Node::text(replacement))),
        ("Metadata", metadata),
        ("Properties", Some(Node::Map(properties)).filter(|properties| !properties.is_empty())),
    ]);
    Entry { heading, comment, key: id, node }
}

fn outputs(context: &Context<'_>) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut add = |id: &Id, name: String, value: Node, what: &str| {
        let condition = context.conditions.get(id).cloned();
        let output = Node::map([
            ("Condition", condition.map(Node::text)),
            ("Description", Some(Node::text(what))),
            ("Value", Some(value)),
        ]);
        all.push(plain(name, output));
    };
    for (id, logical) in &context.ids {
        let props = &context.graph.resources[id].props;
        match id.kind {
            "cluster" => {
                let at = |attribute| Node::attribute(logical, attribute);
                add(id, "ClusterIdentifier".into(), Node::reference(logical), "Aurora cluster");
                add(id, "ClusterEndpoint".into(), at("Endpoint.Address"), "Host of the writer");
                add(id, "ClusterReaderEndpoint".into(), at("ReadEndpoint.Address"), "Host of the readers");
                if props["managed_secret"] == true {
                    add(
                        id,
                        "SecretArn".into(),
                        at("MasterUserSecret.SecretArn"),
                        "Secret of the master user",
                    );
                }
            }
            "secret" => add(id, "SecretArn".into(), Node::reference(logical), "Secret of the master user"),
            "bucket" => add(id, "BucketName".into(), Node::reference(logical), "Bucket of data and models"),
            "endpoint" => {
                let value = Node::attribute(logical, "EndpointName");
                add(id, format!("{logical}Name"), value, "SageMaker endpoint that SQL calls");
            }
            "notebook" => {
                let value = Node::attribute(logical, "NotebookInstanceName");
                add(id, "NotebookName".into(), value, "SageMaker notebook");
            }
            _ => {}
        }
    }
    all
}
