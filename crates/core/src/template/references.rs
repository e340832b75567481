//! What a value refers to.

use serde_json::Value;

/// Something that a function names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `!Ref name` and `${name}`: a parameter, a resource, or a pseudo parameter such as `AWS::Region`.
    Name(String),
    /// `!GetAtt id.attribute` and `${id.attribute}`. The attribute is empty where a function computes it.
    Attribute { id: String, attribute: String },
    /// `!Condition name` and the first argument of `!If`.
    Condition(String),
    /// The first argument of `!FindInMap`, where it is text.
    Map(String),
    /// `!ImportValue name`, where it is text.
    Import(String),
}

impl Reference {
    /// The resource or parameter that is named; of conditions, maps and imports none.
    pub fn id(&self) -> Option<&str> {
        match self {
            Reference::Name(id) | Reference::Attribute { id, .. } => Some(id),
            Reference::Condition(_) | Reference::Map(_) | Reference::Import(_) => None,
        }
    }
}

/// Everything that the value refers to, in its order, each time.
pub fn references(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(value, &mut |function, argument| of(function, argument, &mut found));
    found
}

/// Every function in the value with its argument, outer ones first.
fn walk<'a>(value: &'a Value, look: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::Object(map) => {
            if let Some((name, argument)) = map.iter().next().filter(|_| map.len() == 1)
                && (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
            {
                look(name, argument);
            }
            for part in map.values() {
                walk(part, look);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, look);
            }
        }
        _ => {}
    }
}

fn of(function: &str, argument: &Value, found: &mut Vec<Reference>) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    match function {
        "Ref" => found.extend(text(Some(argument)).map(Reference::Name)),
        "Fn::GetAtt" => {
            let attribute = text(argument.get(1)).unwrap_or_default();
            let id = text(argument.get(0));
            found.extend(id.map(|id| Reference::Attribute { id, attribute }));
        }
        // `Condition` is also an element of IAM policies, whose argument is a map.
        "Condition" => found.extend(text(Some(argument)).map(Reference::Condition)),
        "Fn::If" => found.extend(text(argument.get(0)).map(Reference::Condition)),
        "Fn::FindInMap" => found.extend(text(argument.get(0)).map(Reference::Map)),
        "Fn::ImportValue" => found.extend(text(Some(argument)).map(Reference::Import)),
        "Fn::Sub" => {
            let own = argument.get(1).and_then(Value::as_object);
            let template = argument.as_str().or_else(|| argument.get(0).and_then(Value::as_str));
            for name in variables(template.unwrap_or_default()) {
                if own.is_some_and(|own| own.contains_key(name)) {
                    continue;
                }
                found.push(match name.split_once('.') {
                    Some((id, attribute)) => {
                        Reference::Attribute { id: id.to_owned(), attribute: attribute.to_owned() }
                    }
                    None => Reference::Name(name.to_owned()),
                });
            }
        }
        _ => {}
    }
}

/// The names in `${…}` of a text of `Fn::Sub`. `${!Literal}` is none: it stands for `${Literal}`.
pub fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inside = &rest[start + 2..];
        let Some(end) = inside.find('}') else { break };
        let name = inside[..end].trim();
        if !name.starts_with('!') {
            names.push(name);
        }
        rest = &inside[end + 1..];
    }
    names
}
