//! What a resource is called within its stack. Pure.

use super::names::short_hash;
use serde::Serialize;
use std::fmt;

/// A resource's identity within a stack: what kind it is, and its name there (`subnet.private-1`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub kind: &'static str,
    pub name: String,
}

impl Id {
    pub fn new(kind: &'static str, name: impl Into<String>) -> Id {
        Id { kind, name: name.into() }
    }

    /// The identity of what is never changed and is known by what it is made of: an endpoint configuration, a
    /// task. `content` is all of that; a hash of it ends the name, so that another content is another resource.
    pub fn hashed(kind: &'static str, name: &str, content: &serde_json::Value) -> Id {
        Id::new(kind, format!("{name}-{}", short_hash(content.to_string().as_bytes())))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
