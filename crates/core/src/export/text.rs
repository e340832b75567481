//! Text of the graph, in which private characters and names stand for what only CloudFormation knows, as functions.

use super::node::Node;
use crate::base::names::unknown;

/// The mapping that tells which account holds the built-in images of a region, and its one column.
pub const IMAGES: &str = "BuiltInImages";
pub const IMAGES_COLUMN: &str = "Account";

/// What a text stands for: `find` becomes what `Ref` or `Fn::GetAtt` of `id` gives.
#[derive(Clone, Debug)]
pub struct Named {
    pub find: String,
    pub id: String,
    /// Of `Fn::GetAtt`.
    pub attribute: Option<String>,
}

impl Named {
    fn node(&self) -> Node {
        match &self.attribute {
            Some(attribute) => Node::attribute(&self.id, attribute),
            None => Node::reference(&self.id),
        }
    }

    fn variable(&self) -> String {
        match &self.attribute {
            Some(attribute) => format!("${{{}.{attribute}}}", self.id),
            None => format!("${{{}}}", self.id),
        }
    }
}

/// How the names of a stack are said in its template.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub named: Vec<Named>,
    /// Whether whoever creates the stack may choose the zones.
    pub zones_are_chosen: bool,
}

enum Part {
    Literal(String),
    /// As `${…}`, and alone.
    Variable(String, Node),
    Registry,
    Zone(u32),
}

impl Names {
    /// The text as literal, reference or `Fn::Sub`.
    pub fn node(&self, text: &str) -> Node {
        let parts = self.parts(text);
        match parts.as_slice() {
            [] => Node::text(""),
            [Part::Literal(text)] => Node::text(text.clone()),
            [Part::Variable(_, node)] => node.clone(),
            [Part::Zone(n)] => self.zone(*n),
            parts => sub(parts),
        }
    }

    fn zone(&self, n: u32) -> Node {
        let all = Node::call("Fn::GetAZs", Node::text(""));
        let any = Node::call("Fn::Select", Node::List(vec![Node::number(n), all]));
        if !self.zones_are_chosen {
            return any;
        }
        let n = n.saturating_add(1);
        let chosen = vec![Node::text(has_zone(n)), Node::reference(&zone(n)), any];
        Node::call("Fn::If", Node::List(chosen))
    }

    fn parts(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let named = self.named.iter().filter(|named| rest.starts_with(&named.find));
            let (length, part) = match named.max_by_key(|named| named.find.len()) {
                Some(named) => (named.find.len(), Part::Variable(named.variable(), named.node())),
                None => match pseudo(c) {
                    Some(part) => (c.len_utf8(), part),
                    None => {
                        literal.push(c);
                        rest = &rest[c.len_utf8()..];
                        continue;
                    }
                },
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
            rest = &rest[length..];
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts
    }
}

fn pseudo(c: char) -> Option<Part> {
    let variable = |name: &str| Part::Variable(format!("${{{name}}}"), Node::reference(name));
    let is = |text: &str| text.starts_with(c);
    match c {
        _ if is(unknown::ACCOUNT) => Some(variable("AWS::AccountId")),
        _ if is(unknown::REGION) => Some(variable("AWS::Region")),
        _ if is(unknown::PARTITION) => Some(variable("AWS::Partition")),
        _ if is(unknown::SUFFIX) => Some(variable("AWS::URLSuffix")),
        _ if is(unknown::VPC_RANGE) => Some(variable(super::VPC_RANGE)),
        _ if is(unknown::REGISTRY) => Some(Part::Registry),
        _ => {
            let n = u32::from(c).checked_sub(u32::from(unknown::ZONE))?;
            (usize::try_from(n).ok()? < unknown::ZONES).then_some(Part::Zone(n))
        }
    }
}

fn sub(parts: &[Part]) -> Node {
    let mut text = String::new();
    let mut has_registry = false;
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(&escaped(literal)),
            Part::Variable(variable, _) => text.push_str(variable),
            Part::Registry => {
                has_registry = true;
                text.push_str("${Registry}");
            }
            // Zones stand alone: nothing is named after them.
            Part::Zone(_) => {}
        }
    }
    if !has_registry {
        return Node::call("Fn::Sub", Node::text(text));
    }
    let account = Node::call(
        "Fn::FindInMap",
        Node::List(vec![Node::text(IMAGES), Node::reference("AWS::Region"), Node::text(IMAGES_COLUMN)]),
    );
    let variables = Node::Map(vec![("Registry".to_owned(), account)]);
    Node::call("Fn::Sub", Node::List(vec![Node::text(text), variables]))
}

/// The parameter that holds a zone, counted from 1.
pub fn zone(n: u32) -> String {
    format!("Zone{n}")
}

/// The condition that it is given.
pub fn has_zone(n: u32) -> String {
    format!("HasZone{n}")
}

/// `${` of a text that `Fn::Sub` is to leave alone, such as a shell's (template reference, "`Fn::Sub`": `${!Literal}`).
pub fn escaped(literal: &str) -> String {
    literal.replace("${", "${!")
}
