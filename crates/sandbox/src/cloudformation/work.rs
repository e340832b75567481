//! How CloudFormation asks the services: the requests that anybody else would send, and what the answers say.

use super::state::{Above, CloudFormation, Resource};
use crate::call::{Call, Json};
use crate::random::Random;
use crate::wire::{Body, Fault, Params, Reply, Request};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::Value;
use std::collections::BTreeMap;

/// The account's services, as CloudFormation reaches them.
pub(crate) trait Services {
    fn call(&mut self, call: &Call) -> Reply;
    /// Sets tags that nobody else can set.
    fn mark(&mut self, region: &str, service: &str, id: &str, tags: &[(String, String)]);
    fn random(&mut self) -> &mut Random;
    /// CloudFormation's own stacks, for those that have others within them.
    fn stacks(&mut self) -> &mut CloudFormation;
}

/// What comes after a step of a resource's creation, change or deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next step, at once.
    Next,
    /// The next step, some time later.
    Pause,
    /// The same step, some time later.
    Later,
    Done,
}

pub(super) type Outcome = Result<Step, Fault>;

/// One resource in the hands of CloudFormation.
pub(super) struct Work<'a> {
    pub services: &'a mut dyn Services,
    pub region: &'a str,
    pub now: u64,
    pub stage: u32,
    /// What it is to be; dynamic references are resolved.
    pub wanted: &'a Value,
    /// What it was, for a change.
    pub before: &'a Value,
    pub resource: &'a mut Resource,
    /// The name that it gets if the template gives it none.
    pub name: String,
    /// Tags of the stack, for everything in it.
    pub stack_tags: &'a [(String, String)],
    /// CloudFormation's own tags on the object.
    pub system_tags: &'a [(String, String)],
    /// The snapshot that is to be left behind.
    pub snapshot: Option<String>,
    /// What a stack within is handed by the one that it is in.
    pub family: Family,
}

/// What a stack hands to those within it.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub parent: Above,
    pub capabilities: Vec<String>,
    /// Whether what fails is taken back.
    pub rolls_back: bool,
    /// The change set that the stack within was shown with.
    pub change_set: Option<String>,
}

/// A text of a property, if it is there.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

impl Work<'_> {
    pub(super) fn property(&self, name: &str) -> Option<String> {
        text(&self.wanted[name])
    }

    pub(super) fn need(&self, name: &str) -> String {
        self.property(name).unwrap_or_default()
    }

    /// Whether a property differs from what it was.
    pub(super) fn is_changed(&self, name: &str) -> bool {
        self.wanted[name] != self.before[name]
    }

    /// The texts of a list.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.wanted[name].as_array().into_iter().flatten().filter_map(text).collect()
    }

    pub(super) fn attribute(&self, name: &str) -> String {
        self.resource.attributes.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, attribute: &str, value: impl Into<String>) {
        self.resource.attributes.insert(attribute.to_string(), value.into());
    }

    /// The tags that the object is to have: the template's go before the stack's.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let own: Vec<(String, String)> = pairs(&self.wanted["Tags"]);
        let stack = self.stack_tags.iter().filter(|(key, _)| !own.iter().any(|(other, _)| other == key));
        own.iter().chain(stack).cloned().collect()
    }

    /// Query requests: EC2, RDS, IAM.
    pub(super) fn query(
        &mut self,
        service: &str,
        operation: &str,
        parameters: Vec<(String, String)>,
    ) -> Result<Tree, Fault> {
        let mut call = self.call(service, operation);
        call.params = Params::of(parameters);
        match self.services.call(&call)? {
            Body::Xml(xml) => Ok(Tree::read(&xml.0)),
            _ => Ok(Tree::default()),
        }
    }

    /// JSON requests: SageMaker, Secrets Manager, KMS, CloudWatch Logs.
    pub(super) fn json(&mut self, service: &str, operation: &str, body: &Value) -> Result<Value, Fault> {
        let mut call = self.call(service, operation);
        call.json = Json::parse(body.to_string().as_bytes());
        match self.services.call(&call)? {
            Body::Json(value) => Ok(value),
            _ => Ok(Value::Null),
        }
    }

    /// Requests to S3, about a bucket.
    pub(super) fn s3(
        &mut self,
        (method, bucket, query): (&str, &str, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(), Fault> {
        let mut call = self.call("s3", "");
        let mut headers: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        headers.insert("host".into(), format!("{bucket}.s3.{}.amazonaws.com", self.region));
        call.request = Request {
            method: method.to_string(),
            path: "/".into(),
            query: query.to_string(),
            headers,
            body: body.into_bytes(),
        };
        call.operation = crate::s3::operation(&call.request).to_string();
        match self.services.call(&call)? {
            Body::Whole(response) if response.status >= 300 => {
                Err(Fault::new(response.status, "PermanentRedirect", "The bucket is in another region"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn call(&self, service: &str, operation: &str) -> Call {
        Call {
            service: service.to_string(),
            operation: operation.to_string(),
            region: self.region.to_string(),
            caller: String::new(),
            now: self.now,
            params: Params::default(),
            json: Json::default(),
            request: Request::default(),
        }
    }

    pub(super) fn draw(&mut self, letters: usize) -> String {
        self.services.random().letters(letters)
    }
}

/// The pairs of a list of `Key` and `Value`.
pub(super) fn pairs(value: &Value) -> Vec<(String, String)> {
    let pair = |tag: &Value| Some((text(&tag["Key"])?, text(&tag["Value"]).unwrap_or_default()));
    value.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// The parameters of a query request.
#[derive(Default)]
pub(super) struct Query(pub Vec<(String, String)>);

impl Query {
    pub(super) fn new(given: &[(&str, &str)]) -> Query {
        Query(given.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect())
    }
    pub(super) fn and(mut self, name: &str, value: impl Into<String>) -> Query {
        self.0.push((name.to_string(), value.into()));
        self
    }
    pub(super) fn maybe(self, name: &str, value: Option<String>) -> Query {
        match value {
            Some(value) => self.and(name, value),
            None => self,
        }
    }
    /// `name.1`, `name.2`, …
    pub(super) fn list(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Query {
        self.0
            .extend(values.into_iter().enumerate().map(|(at, value)| (format!("{name}.{}", at + 1), value)));
        self
    }
    /// `name.1.Key`, `name.1.Value`, …
    pub(super) fn tags(mut self, name: &str, tags: &[(String, String)]) -> Query {
        for (at, (key, value)) in tags.iter().enumerate() {
            self.0.push((format!("{name}.{}.Key", at + 1), key.clone()));
            self.0.push((format!("{name}.{}.Value", at + 1), value.clone()));
        }
        self
    }
    /// EC2's tags at creation.
    pub(super) fn specified(self, kind: &str, tags: &[(String, String)]) -> Query {
        if tags.is_empty() {
            return self;
        }
        self.and("TagSpecification.1.ResourceType", kind).tags("TagSpecification.1.Tag", tags)
    }
}

/// An answer in XML.
#[derive(Debug, Default)]
pub(super) struct Tree {
    name: String,
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    fn read(xml: &str) -> Tree {
        let mut reader = Reader::from_str(xml);
        let mut open = vec![Tree::default()];
        while let Ok(event) = reader.read_event() {
            match event {
                Event::Start(start) => {
                    open.push(Tree { name: start.local_name().as_ref().to_string(), ..Tree::default() })
                }
                Event::Empty(start) => {
                    let tree = Tree { name: start.local_name().as_ref().to_string(), ..Tree::default() };
                    open.last_mut().into_iter().for_each(|last| {
                        last.children.push(Tree { name: tree.name.clone(), ..Tree::default() })
                    });
                }
                Event::End(_) => {
                    if let (Some(done), Some(last)) = (open.pop(), open.last_mut()) {
                        last.children.push(done);
                    }
                }
                Event::Text(text) => {
                    if let Some(last) = open.last_mut() {
                        last.text.push_str(&text.xml10_content());
                    }
                }
                Event::GeneralRef(reference) => {
                    let Some(last) = open.last_mut() else { break };
                    match reference.resolve_char_ref() {
                        Ok(Some(character)) => last.text.push(character),
                        _ => last.text.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        open.into_iter().next().unwrap_or_default()
    }

    /// The first element at the end of a path such as `DBCluster/Status`.
    pub(super) fn at(&self, path: &str) -> Option<&Tree> {
        path.split('/').try_fold(self, |tree, name| tree.children.iter().find(|child| child.name == name))
    }

    pub(super) fn text(&self, path: &str) -> String {
        self.at(path).map(|tree| tree.text.clone()).unwrap_or_default()
    }

    pub(super) fn children(&self, path: &str) -> &[Tree] {
        self.at(path).map(|tree| tree.children.as_slice()).unwrap_or_default()
    }
}
