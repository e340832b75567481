//! A template as a tree in the order in which people read it, with comments.

use serde_json::{Map, Value};

/// A value of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
    List(Vec<Node>),
    /// In this order.
    Map(Vec<(String, Node)>),
    /// A function by its long name, with its argument.
    Call(&'static str, Box<Node>),
}

/// The order of keys in policies, which is that of AWS's own examples; others follow by name.
const ORDER: &[&str] =
    &["Version", "Statement", "Sid", "Effect", "Principal", "Action", "Resource", "Condition"];

impl Node {
    pub fn text(text: impl Into<String>) -> Node {
        Node::Text(text.into())
    }

    pub fn number(number: impl Into<i64>) -> Node {
        Node::Number(number.into().into())
    }

    pub fn reference(id: &str) -> Node {
        Node::Call("Ref", Box::new(Node::text(id)))
    }

    pub fn attribute(id: &str, attribute: &str) -> Node {
        Node::Call("Fn::GetAtt", Box::new(Node::List(vec![Node::text(id), Node::text(attribute)])))
    }

    pub fn call(function: &'static str, argument: Node) -> Node {
        Node::Call(function, Box::new(argument))
    }

    /// What is there of these, in this order.
    pub fn map<const N: usize>(entries: [(&str, Option<Node>); N]) -> Node {
        let entries = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Node::Map(entries.collect())
    }

    /// Plain data; what text becomes, `of` says.
    pub fn of(value: &Value, of: &impl Fn(&str) -> Node) -> Node {
        match value {
            Value::Null => Node::text(""),
            Value::Bool(value) => Node::Bool(*value),
            Value::Number(number) => Node::Number(number.clone()),
            Value::String(text) => of(text),
            Value::Array(items) => Node::List(items.iter().map(|item| Node::of(item, of)).collect()),
            Value::Object(map) => {
                let rank = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                entries.sort_by_key(|(key, _)| (rank(key), key.as_str()));
                let entries = entries.into_iter().map(|(key, value)| (key.clone(), Node::of(value, of)));
                Node::Map(entries.collect())
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Node::Map(entries) => entries.is_empty(),
            Node::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// As JSON says it.
    pub fn value(&self) -> Value {
        match self {
            Node::Text(text) => Value::String(text.clone()),
            Node::Number(number) => Value::Number(number.clone()),
            Node::Bool(value) => Value::Bool(*value),
            Node::List(items) => items.iter().map(Node::value).collect(),
            Node::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.clone(), value.value())).collect())
            }
            Node::Call(function, argument) => {
                Value::Object(Map::from_iter([((*function).to_owned(), argument.value())]))
            }
        }
    }
}
