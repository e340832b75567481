//! The bytes of an object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;

/// Bytes that clones of the world share, and that are saved as base64.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content(Arc<Vec<u8>>);

impl Content {
    pub fn new(bytes: Vec<u8>) -> Content {
        Content(Arc::new(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 in lower-case hexadecimal.
    pub(super) fn sha256(&self) -> String {
        Sha256::digest(self.bytes()).iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The entity tag of a single part, with its quotes: its MD5 (fact book, appendix F, item 11).
    pub(super) fn etag(&self) -> String {
        let hash = Md5::digest(self.bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("\"{hash}\"")
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.bytes()))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Content::new).map_err(serde::de::Error::custom)
    }
}
