//! What all objects of EC2 have in common: an id that becomes visible late, and tags.

use crate::call::Call;
use crate::random::{Mood, Random};
use crate::wire::{Fault, Params, Reply, Xml};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) type Tags = BTreeMap<String, String>;

/// Tags that one resource can have.
const TAGS_MAX: usize = 50;
/// About how long the answer to a create is on its way. The lag of visibility is counted from the answer:
/// counted from the request, the median lag would be over before the caller knows the id.
const ANSWER_MS: u64 = 600;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// From when on other calls know the id, milliseconds since the Unix epoch.
    pub visible_at: u64,
    pub tags: Tags,
}

impl Record {
    /// The record of an object that this call makes, with the tags that it asks for.
    pub(super) fn of(call: &Call, random: &mut Random, resource_type: &str) -> Result<Record, Fault> {
        let tags = tag_specification(&call.params, resource_type)?;
        Ok(Record { visible_at: visible_at(call, random), tags })
    }

    /// The record of what comes along with another object.
    pub(super) fn alongside(other: &Record) -> Record {
        Record { visible_at: other.visible_at, tags: Tags::new() }
    }
}

/// Fact book, section 8.2 (visibility lag) and Appendix E item 7: seconds, rarely up to a minute.
pub(super) fn visible_at(call: &Call, random: &mut Random) -> u64 {
    let mut lag = random.duration(0.0, 0.5, 5.0);
    if random.chance(0.01) {
        lag = 5_000 + (random.unit() * 55_000.0) as u64;
    }
    // The lowest tenth is seen at once: a logarithm cannot say zero.
    if random.mood == Mood::Instant || random.mood == Mood::Real && random.chance(0.1) {
        return call.now;
    }
    call.now + ANSWER_MS + lag
}

/// An object with an id of its own.
pub(super) trait Object {
    /// The error code for an id that is not there.
    const NOT_FOUND: &'static str;
    /// What AWS calls the object in that error's message.
    const NOUN: &'static str;
    fn id(&self) -> &str;
    fn record(&self) -> &Record;
    fn record_mut(&mut self) -> &mut Record;
}

macro_rules! object {
    ($type:ty, $not_found:literal, $noun:literal) => {
        impl crate::ec2::record::Object for $type {
            const NOT_FOUND: &'static str = $not_found;
            const NOUN: &'static str = $noun;
            fn id(&self) -> &str {
                &self.id
            }
            fn record(&self) -> &crate::ec2::record::Record {
                &self.record
            }
            fn record_mut(&mut self) -> &mut crate::ec2::record::Record {
                &mut self.record
            }
        }
    };
}
pub(super) use object;

pub(super) fn missing<T: Object>(id: &str) -> Fault {
    Fault::bad(T::NOT_FOUND, format!("The {} '{id}' does not exist", T::NOUN))
}

pub(super) fn dependency(noun: &str, id: &str) -> Fault {
    Fault::bad("DependencyViolation", format!("The {noun} '{id}' has dependencies and cannot be deleted."))
}

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterValue", message)
}

/// Refuses what the sandbox does not simulate, rather than to make something else than was asked for.
pub(super) fn unsupported(params: &Params, names: &[&str]) -> Result<(), Fault> {
    match names.iter().find(|name| params.get(name).is_some_and(|value| value != "false")) {
        Some(name) => Err(Fault::bad(
            "UnsupportedOperation",
            format!("The sandbox does not simulate the parameter {name}."),
        )),
        None => Ok(()),
    }
}

/// An IPv4 network in its canonical form: AWS clears the host bits itself.
pub(super) fn network(value: &str, parameter: &str) -> Result<Ipv4Net, Fault> {
    value.parse::<Ipv4Net>().map(|network| network.trunc()).map_err(|_| {
        invalid(format!(
            "Value ({value}) for parameter {parameter} is invalid. This is not a valid CIDR block."
        ))
    })
}

/// The tags that a create gives to what it makes.
pub(super) fn tag_specification(params: &Params, resource_type: &str) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for specification in params.items("TagSpecification") {
        let given = specification.get("ResourceType").unwrap_or_default();
        if given != resource_type {
            return Err(invalid(format!(
                "'{given}' is not a valid taggable resource type for this operation."
            )));
        }
        tags.extend(specification.tags("Tag"));
    }
    check_tags(&tags)?;
    Ok(tags)
}

/// The rules of AWS for tags, for the tags that a resource is going to have.
pub(super) fn check_tags(tags: &Tags) -> Result<(), Fault> {
    for (key, value) in tags {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
            )));
        }
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid("Tag key exceeds the maximum length of 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(invalid("Tag value exceeds the maximum length of 256 characters"));
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(Fault::bad(
            "TagLimitExceeded",
            "The maximum number of Tags for a resource has been reached.",
        ));
    }
    Ok(())
}

pub(super) fn write_tags(x: &mut Xml, tags: &Tags) {
    x.list("tagSet", "item", tags, |x, (key, value)| {
        x.text("key", key).text("value", value);
    });
}

/// A time of the wire: ISO 8601, from milliseconds since the Unix epoch.
pub(super) fn timestamp(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// A new id, in the length that EC2 uses.
pub(super) fn new_id(prefix: &str, random: &mut Random) -> String {
    format!("{prefix}-0{}", random.hex(16))
}

/// The answer of most operations that only do something.
pub(super) fn done() -> Reply {
    let mut x = Xml::new();
    x.text("return", true);
    Ok(x.into())
}
