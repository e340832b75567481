//! The bytes of an object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

/// Bytes that clones of the world share. They are saved as base64, or, [set aside](Content::set_aside), as their
/// hash alone: whoever keeps the world keeps them elsewhere then, and brings them back.
#[derive(Clone, Default)]
pub struct Content(Arc<Bytes>);

#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    /// Computed when somebody asks for it.
    sha256: OnceLock<String>,
    is_aside: bool,
}

/// How a content is saved.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Saved {
    Base64(String),
    Aside { sha256: String },
}

impl Content {
    pub fn new(bytes: Vec<u8>) -> Content {
        Content(Arc::new(Bytes { bytes, ..Bytes::default() }))
    }

    /// None while the content is aside.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        self.0.sha256.get_or_init(|| sha256(&self.0.bytes))
    }

    /// Whether only the hash is here.
    pub fn is_aside(&self) -> bool {
        self.0.is_aside
    }

    /// Leaves the hash here, and hands out the content.
    pub fn set_aside(&mut self) -> Content {
        let aside = Content::aside(self.sha256().to_string());
        std::mem::replace(self, aside)
    }

    fn aside(sha256: String) -> Content {
        Content(Arc::new(Bytes { bytes: Vec::new(), sha256: OnceLock::from(sha256), is_aside: true }))
    }

    /// The entity tag of a single part, with its quotes: its MD5 (fact book, appendix F, item 11).
    pub(crate) fn etag(&self) -> String {
        let hash = Md5::digest(self.bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("\"{hash}\"")
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        self.0.is_aside == other.0.is_aside && self.sha256() == other.sha256()
    }
}

impl Eq for Content {}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.bytes.len())
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_aside() {
            true => Saved::Aside { sha256: self.sha256().to_string() },
            false => Saved::Base64(STANDARD.encode(self.bytes())),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        match Saved::deserialize(deserializer)? {
            Saved::Base64(text) => STANDARD.decode(text).map(Content::new).map_err(serde::de::Error::custom),
            Saved::Aside { sha256 } => Ok(Content::aside(sha256)),
        }
    }
}
