//! What all writers share: the graph, the logical ids of its resources, and how text is said.

use super::node::Node;
use super::references;
use super::text::{Named, Names};
use crate::base::names::{Place, unknown};
use crate::base::{self, Id, Input};
use crate::model;
use crate::resource::{Graph, Resource};
use crate::spec::Spec;
use crate::template::Capability;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Tags that auroraml knows its own objects by. What a template makes is not auroraml's.
const OWNERSHIP: &str = "auroraml:";

pub struct Context<'a> {
    pub spec: &'a Spec,
    pub graph: &'a Graph,
    /// Logical ids of the resources that are written.
    pub ids: BTreeMap<Id, String>,
    pub names: Names,
    /// Roles that speak of themselves: their permissions are a resource of their own.
    pub selfish: BTreeSet<Id>,
    /// Outputs of the user's templates that are ids of security groups: `stack.NAME`, and the output.
    pub groups: BTreeSet<(String, String)>,
    /// The condition on which a resource is made, where there is one.
    pub conditions: BTreeMap<Id, String>,
}

/// A resource of the template.
#[derive(Debug, Default)]
pub struct Written {
    pub id: String,
    pub kind: &'static str,
    pub depends: Vec<String>,
    pub condition: Option<String>,
    /// `DeletionPolicy` and `UpdateReplacePolicy`.
    pub policies: Option<(&'static str, &'static str)>,
    pub properties: Vec<(String, Node)>,
    pub comment: Option<String>,
    /// Rules of checkov that do not hold for it, each with the reason.
    pub skips: Vec<(&'static str, &'static str)>,
}

impl<'a> Context<'a> {
    pub fn new(spec: &'a Spec, graph: &'a Graph, written: &BTreeSet<Id>) -> Context<'a> {
        let mut context = Context {
            spec,
            graph,
            ids: BTreeMap::new(),
            names: Names::default(),
            selfish: BTreeSet::new(),
            groups: BTreeSet::new(),
            conditions: BTreeMap::new(),
        };
        let mut taken = BTreeSet::new();
        for id in written {
            let wanted = logical(id, &graph.resources[id]);
            let numbered = (2..).map(|n| format!("{wanted}{n}"));
            // Infinite: one of them is free.
            if let Some(free) =
                std::iter::once(wanted.clone()).chain(numbered).find(|id| taken.insert(id.clone()))
            {
                context.ids.insert(id.clone(), free);
            }
        }
        context.name(&Place::anywhere(&spec.stack).with(model::names(spec)));
        context
    }

    /// The names that CloudFormation chooses, and by what they are known in the template.
    fn name(&mut self, place: &Place) {
        let mut named = Vec::new();
        for (id, logical) in &self.ids {
            let mut add = |find: String, attribute: Option<&str>| {
                let attribute = attribute.map(str::to_owned);
                named.push(Named { find, id: logical.clone(), attribute });
            };
            match id.kind {
                "role" => add(place.own_role_arn(&id.name), Some("Arn")),
                "secret" => {
                    add(place.secret_arn_pattern(), None);
                    add(place.secret(), None);
                }
                "bucket" if !self.has_named_bucket() => add(place.bucket(), None),
                _ => {}
            }
        }
        let mut outputs = BTreeSet::new();
        self.ids.keys().for_each(|id| references::outputs(&self.graph.resources[id].props, &mut outputs));
        for (id, output) in outputs {
            let Some((_, logical)) = self.ids.iter().find(|(known, _)| known.to_string() == id) else {
                continue;
            };
            let find = references::mark(&id, &output);
            named.push(Named { find, id: logical.clone(), attribute: Some(output) });
        }
        // AWS does not offer interface endpoints in every zone.
        let zones_are_chosen = self
            .ids
            .keys()
            .any(|id| id.kind == "vpc_endpoint" && self.graph.resources[id].props["gateway"] == false);
        self.names = Names { named, zones_are_chosen };
        for id in self.ids.keys().filter(|id| id.kind == "role") {
            let own = place.own_role_arn(&id.name);
            let policy = self.graph.resources[id].props.get("policy");
            if policy.is_some_and(|policy| policy.to_string().contains(&own)) {
                self.selfish.insert(id.clone());
            }
        }
    }

    /// Whether the spec says what the bucket is called.
    pub fn has_named_bucket(&self) -> bool {
        self.spec.bucket.as_ref().is_some_and(|bucket| bucket.name.is_some())
    }

    pub fn text(&self, text: &str) -> Node {
        self.names.node(text)
    }

    /// A policy or other plain data.
    pub fn data(&self, value: &Value) -> Node {
        Node::of(value, &|text| self.text(text))
    }

    /// A property that may be an output of another resource.
    pub fn input(&self, input: &Input) -> Node {
        match input {
            Input::Known(text) => self.text(text),
            Input::Output { id, output } => self.output(id, output),
            Input::Joined { parts } => {
                Node::call("Fn::Join", Node::List(vec![Node::text(""), self.inputs(parts)]))
            }
        }
    }

    /// Whether this output is the id of a security group; ranges come from templates only.
    pub fn is_group(&self, id: &str, output: &str) -> bool {
        !id.starts_with("stack.") || self.groups.contains(&(id.to_owned(), output.to_owned()))
    }

    pub fn inputs(&self, inputs: &[Input]) -> Node {
        Node::List(inputs.iter().map(|input| self.input(input)).collect())
    }

    /// What `Ref` and `Fn::GetAtt` of each type give: template reference, "Return values" of each.
    fn output(&self, id: &str, output: &str) -> Node {
        let Some((known, logical)) = self.ids.iter().find(|(known, _)| known.to_string() == id) else {
            // Only what is written refers to what is written: see `exportable`.
            return Node::text("");
        };
        let attribute = match (known.kind, output) {
            ("elastic_ip", _) => Some("AllocationId"),
            ("security_group", _) => Some("GroupId"),
            ("role" | "bucket", "arn") => Some("Arn"),
            ("cluster", "endpoint") => Some("Endpoint.Address"),
            ("cluster", "arn") => Some("DBClusterArn"),
            ("cluster", "secret_arn") => Some("MasterUserSecret.SecretArn"),
            ("notebook", "name") => Some("NotebookInstanceName"),
            // `Outputs.NAME`, as CloudFormation has it too.
            ("stack", output) => Some(output),
            ("model", _) => Some("ModelName"),
            ("endpoint_config", _) => Some("EndpointConfigName"),
            ("notebook_config", _) => Some("NotebookInstanceLifecycleConfigName"),
            _ => None,
        };
        match attribute {
            Some(attribute) => Node::attribute(logical, attribute),
            None => Node::reference(logical),
        }
    }

    /// The tags of the spec, without those by which auroraml knows what is its own.
    pub fn tags(&self, tags: &BTreeMap<String, String>) -> Option<Node> {
        let tags = tags.iter().filter(|(key, _)| !key.starts_with(OWNERSHIP));
        let tags: Vec<Node> = tags
            .map(|(key, value)| {
                Node::map([("Key", Some(Node::text(key))), ("Value", Some(self.text(value)))])
            })
            .collect();
        (!tags.is_empty()).then_some(Node::List(tags))
    }

    /// What whoever creates the stack must acknowledge.
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut needed = BTreeSet::new();
        for id in self.ids.keys() {
            let props = &self.graph.resources[id].props;
            match id.kind {
                "role" => _ = needed.insert(Capability::Iam),
                "stack" => {
                    let given = props["request"]["capabilities"].as_array().into_iter().flatten();
                    let all = [Capability::Iam, Capability::NamedIam, Capability::AutoExpand];
                    needed.extend(given.filter_map(|name| all.into_iter().find(|one| name == one.name())));
                }
                _ => {}
            }
        }
        if needed.contains(&Capability::NamedIam) {
            needed.remove(&Capability::Iam);
        }
        needed.into_iter().collect()
    }

    /// The stacks within the stack: logical id, the template's path, and parameters that the environment gives.
    pub fn stacks(&self) -> Vec<(String, String, Vec<String>)> {
        let stacks = self.ids.iter().filter(|(id, _)| id.kind == "stack");
        let told = stacks.map(|(id, logical)| {
            let request = &self.graph.resources[id].props["request"];
            let secrets = request["environment"].as_object().into_iter().flatten();
            let path = request["path"].as_str().unwrap_or_default().to_string();
            (logical.clone(), path, secrets.map(|(name, _)| name.clone()).collect())
        });
        told.collect()
    }

    /// How many zones whoever creates the stack may choose.
    pub fn chosen_zones(&self) -> u32 {
        let of = |side: &str| {
            let subnets = self.ids.keys().filter(|id| id.kind == "subnet" && id.name.starts_with(side));
            u32::try_from(subnets.count()).unwrap_or(0)
        };
        if self.names.zones_are_chosen { of("private-").max(of("public-")) } else { 0 }
    }

    /// Whether a rule leads to the range of a VPC of others, which somebody must say.
    pub fn needs_range(&self) -> bool {
        let mut written = self.ids.keys().map(|id| &self.graph.resources[id].props);
        written.any(|props| props.to_string().contains(unknown::VPC_RANGE))
    }

    pub fn logical(&self, id: &Id) -> String {
        self.ids.get(id).cloned().unwrap_or_default()
    }

    /// The logical ids that must be there before what comes after this resource.
    pub fn complete(&self, id: &Id) -> Vec<String> {
        let Some(logical) = self.ids.get(id) else { return Vec::new() };
        let resource = &self.graph.resources[id];
        let count = |property: &str| match &resource.props[property] {
            Value::Object(map) => map.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        match id.kind {
            "internet_gateway" => vec![format!("{logical}Attachment")],
            "route_table" => {
                let routes = (1..=count("routes")).map(|n| format!("{logical}Route{n}"));
                routes.chain((1..=count("subnets")).map(|n| format!("{logical}Association{n}"))).collect()
            }
            _ => vec![logical.clone()],
        }
    }

    /// What a resource waits for although no property refers to it.
    pub fn depends(&self, resource: &Resource) -> Vec<String> {
        let mut depends: Vec<String> =
            resource.after.iter().filter(|id| **id != resource.id).flat_map(|id| self.complete(id)).collect();
        // A role whose permissions are a resource of their own may do nothing before that is made.
        let mut used = BTreeSet::new();
        base::references(&resource.props, &mut used);
        for role in self.selfish.iter().filter(|role| used.contains(&role.to_string())) {
            depends.push(format!("{}Policy", self.logical(role)));
        }
        depends.sort();
        depends.dedup();
        depends
    }

    /// A resource of this type, with what all have.
    pub fn written(&self, resource: &Resource, kind: &'static str) -> Written {
        Written {
            id: self.logical(&resource.id),
            kind,
            depends: self.depends(resource),
            condition: self.conditions.get(&resource.id).cloned(),
            ..Written::default()
        }
    }
}

impl Written {
    pub fn with<const N: usize>(mut self, properties: [(&str, Option<Node>); N]) -> Written {
        let there = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.properties.extend(there);
        self
    }

    pub fn skip(mut self, rule: &'static str, why: &'static str) -> Written {
        self.skips.push((rule, why));
        self
    }

    pub fn policies(mut self, deletion: &'static str, replacement: &'static str) -> Written {
        self.policies = Some((deletion, replacement));
        self
    }

    pub fn comment(mut self, text: impl Into<String>) -> Written {
        self.comment = Some(text.into());
        self
    }
}

/// `SubnetPrivate1` of `subnet.private-1`. What has a hash in its name is called after its endpoint.
fn logical(id: &Id, resource: &Resource) -> String {
    let endpoint = resource.props.get("endpoint").and_then(Value::as_str);
    let name = match (id.kind, id.name.as_str(), endpoint) {
        ("bucket", ..) => return "SageMakerBucket".to_owned(),
        ("model" | "endpoint_config", _, Some(endpoint)) => endpoint,
        (_, "main", _) | ("secret_attachment", ..) => "",
        (_, name, _) => name.strip_prefix("nat-").unwrap_or(name),
    };
    format!("{}{}", pascal(id.kind), pascal(name))
}

/// `ModelData` of `model-data`: logical ids have letters and digits only.
pub fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    words.map(capital).collect()
}

/// The names of zones that a graph for a template is built with.
pub fn zones() -> Vec<String> {
    let zone = |n: u32| char::from_u32(u32::from(unknown::ZONE) + n);
    (0..u32::try_from(unknown::ZONES).unwrap_or(0)).filter_map(zone).map(String::from).collect()
}
