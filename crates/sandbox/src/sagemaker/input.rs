//! Reading and checking the members of a request.

use super::answers::invalid;
use crate::call::{Call, Json};
use crate::wire::Fault;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Tags on one resource.
pub(super) const TAGS_MAX: usize = 50;

/// A structure in a request. A member that is null is absent.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a Value, Option<&'a Json>);

impl<'a> Input<'a> {
    /// The request itself, which remembers what is read of it.
    pub(super) fn of(call: &'a Call) -> Input<'a> {
        Input(call.json.whole(), Some(&call.json))
    }

    /// A structure within a request, or of what is stored.
    pub(super) fn within(value: &'a Value) -> Input<'a> {
        Input(value, None)
    }

    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        let value = match self.1 {
            Some(request) => request.get(name),
            None => self.0.get(name),
        };
        value.filter(|value| !value.is_null())
    }

    fn typed<T>(self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, Fault> {
        self.value(name)
            .map(|value| {
                let text = format!("{name} has a value of the wrong type");
                read(value).ok_or_else(|| Fault::bad("SerializationException", text))
            })
            .transpose()
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Fault> {
        self.typed(name, Value::as_str)
    }

    pub(super) fn owned(self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.text(name)?.map(str::to_string))
    }

    pub(super) fn required(self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn flag(self, name: &str) -> Result<bool, Fault> {
        Ok(self.typed(name, Value::as_bool)?.unwrap_or(false))
    }

    pub(super) fn number(self, name: &str) -> Result<Option<f64>, Fault> {
        self.typed(name, Value::as_f64)
    }

    /// A whole number within limits.
    pub(super) fn integer(self, name: &str, limits: RangeInclusive<u64>) -> Result<Option<u64>, Fault> {
        let Some(number) = self.typed(name, Value::as_i64)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(number) if limits.contains(&number) => Ok(Some(number)),
            Ok(number) if number > *limits.end() => {
                Err(constraint(name, number, &format!("have value less than or equal to {}", limits.end())))
            }
            _ => Err(constraint(
                name,
                number,
                &format!("have value greater than or equal to {}", limits.start()),
            )),
        }
    }

    /// One of a set of words.
    pub(super) fn choice(self, name: &str, words: &[&str]) -> Result<Option<&'a str>, Fault> {
        match self.text(name)? {
            Some(word) if !words.contains(&word) => {
                Err(constraint(name, word, &format!("satisfy enum value set: [{}]", words.join(", "))))
            }
            found => Ok(found),
        }
    }

    pub(super) fn structure(self, name: &str) -> Result<Option<Input<'a>>, Fault> {
        self.typed(name, |value| value.is_object().then_some(Input::within(value)))
    }

    pub(super) fn structures(self, name: &str) -> Result<Vec<Input<'a>>, Fault> {
        let read = |value: &'a Value| {
            value.as_array()?.iter().map(|one| one.is_object().then_some(Input::within(one))).collect()
        };
        Ok(self.typed(name, read)?.unwrap_or_default())
    }

    pub(super) fn texts(self, name: &str) -> Result<Vec<String>, Fault> {
        let read =
            |value: &Value| value.as_array()?.iter().map(|one| one.as_str().map(str::to_string)).collect();
        Ok(self.typed(name, read)?.unwrap_or_default())
    }

    /// A resource's name: letters, digits and hyphens, neither first nor last a hyphen, at most 63.
    pub(super) fn name(self, member: &str) -> Result<&'a str, Fault> {
        let name = self.required(member)?;
        if name.len() > 63 {
            return Err(constraint(member, name, "have length less than or equal to 63"));
        }
        let hyphens = name.starts_with('-') || name.ends_with('-');
        if name.is_empty() || hyphens || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            let text = "satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])*";
            return Err(constraint(member, name, text));
        }
        Ok(name)
    }

    /// An instance type, `ml.family.size`.
    pub(super) fn instance_type(self, member: &str) -> Result<Option<&'a str>, Fault> {
        let Some(text) = self.text(member)? else { return Ok(None) };
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["ml", family, size] if !family.is_empty() && !size.is_empty() => Ok(Some(text)),
            _ => Err(constraint(member, text, "satisfy enum value set: [ml.t3.medium, ml.m5.large, …]")),
        }
    }

    /// The member `Tags`, checked.
    pub(super) fn tags(self) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = BTreeMap::new();
        for tag in self.structures("Tags")? {
            let key = tag.required("Key")?;
            let value = tag.required("Value")?;
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(constraint(
                    "tags",
                    key,
                    "have length less than or equal to 128 (256 for values)",
                ));
            }
            if key.to_ascii_lowercase().starts_with("aws:") {
                return Err(invalid("Tag keys that start with aws: are reserved for system use"));
            }
            if tags.insert(key.to_string(), value.to_string()).is_some() {
                return Err(invalid(format!("Duplicate tag key: {key}")));
            }
        }
        if tags.len() > TAGS_MAX {
            return Err(invalid(format!("A resource can have at most {TAGS_MAX} tags")));
        }
        Ok(tags)
    }
}

/// AWS names members in its texts with a small first letter.
fn member(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

pub(super) fn missing(name: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be \
         null",
        member(name)
    ))
}

pub(super) fn constraint(name: &str, value: impl std::fmt::Display, must: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: Member must \
         {must}",
        member(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names() {
        for good in ["a", "Churn-1", "a--b", &"x".repeat(63)] {
            assert!(Input::within(&json!({ "N": good })).name("N").is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a_b", "a.b", &"x".repeat(64)] {
            assert_eq!(
                Input::within(&json!({ "N": bad })).name("N").unwrap_err().code,
                "ValidationException",
                "{bad}"
            );
        }
        let fault = Input::within(&json!({})).name("ModelName").unwrap_err();
        assert!(fault.message.contains("Value null at 'modelName'"), "{}", fault.message);
    }

    #[test]
    fn numbers_have_limits_and_types() {
        let code =
            |value| Input::within(&json!({ "N": value })).integer("N", 5..=10).map_err(|fault| fault.code);
        assert_eq!(code(json!(7)), Ok(Some(7)));
        assert_eq!(code(json!(null)), Ok(None));
        assert_eq!(code(json!(-1)), Err("ValidationException".to_string()));
        assert_eq!(code(json!(11)), Err("ValidationException".to_string()));
        assert_eq!(code(json!("7")), Err("SerializationException".to_string()));
    }
}
