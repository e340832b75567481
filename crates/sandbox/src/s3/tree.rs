//! The XML documents that S3 is sent, as a tree.

use crate::wire::Fault;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// Elements nested deeper than this are in no document of S3.
const DEPTH_MAX: usize = 16;

/// One element; attributes and namespaces are of no interest.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) name: String,
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    /// Parses a document whose root must be called `root`.
    ///
    /// # Errors
    /// `MalformedXML`, as S3 says.
    pub(super) fn parse(body: &[u8], root: &str) -> Result<Tree, Fault> {
        read(body).filter(|tree| tree.name == root).ok_or_else(malformed)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Tree> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Tree> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child, if there is one that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of a child exactly as it came: a key may begin or end with a blank.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// The tags of a `<TagSet>` or `<Tags>` in this element, checked.
    pub(super) fn tags(&self, set: &str, max: usize) -> Result<BTreeMap<String, String>, Fault> {
        self.tags_beside(set, max, &BTreeMap::new())
    }

    /// The same, where tags that are there already may come again.
    pub(super) fn tags_beside(
        &self,
        set: &str,
        max: usize,
        there: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = BTreeMap::new();
        for tag in self.child(set).into_iter().flat_map(|set| set.all("Tag")) {
            let key = tag.raw("Key").filter(|key| !key.is_empty()).ok_or_else(malformed)?;
            let value = tag.raw("Value").unwrap_or_default();
            if there.get(key).is_none_or(|same| same != value) {
                check_tag(key, value)?;
            }
            if tags.insert(key.to_string(), value.to_string()).is_some() {
                return Err(Fault::bad("InvalidTag", "Cannot provide multiple Tags with the same key"));
            }
        }
        if tags.len() > max + there.len() {
            return Err(Fault::bad("BadRequest", format!("Object tags cannot be greater than {max}")));
        }
        Ok(tags)
    }
}

pub(super) fn check_tag(key: &str, value: &str) -> Result<(), Fault> {
    if key.starts_with("aws:") {
        return Err(Fault::bad("InvalidTag", "System tags cannot be added/updated by requester"));
    }
    if key.chars().count() > 128 {
        return Err(Fault::bad("InvalidTag", "The TagKey you have provided is invalid"));
    }
    if value.chars().count() > 256 {
        return Err(Fault::bad("InvalidTag", "The TagValue you have provided is invalid"));
    }
    Ok(())
}

pub(super) fn malformed() -> Fault {
    Fault::bad(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

fn read(body: &[u8]) -> Option<Tree> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    // The first element of the stack stands for the document and holds the root.
    let mut open = vec![Tree::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(named(&start)),
            Event::Empty(start) => open.last_mut()?.children.push(named(&start)),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let last = open.last_mut()?;
                match reference.resolve_char_ref().ok()? {
                    Some(character) => last.text.push(character),
                    None => last.text.push_str(resolve_predefined_entity(&reference)?),
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if open.len() > DEPTH_MAX {
            return None;
        }
    }
    let mut document = open.pop().filter(|_| open.is_empty())?;
    document.children.pop()
}

fn named(start: &BytesStart<'_>) -> Tree {
    Tree { name: start.local_name().as_ref().to_string(), ..Tree::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_unescaped_and_namespaces_ignored() {
        let body = b"<?xml version=\"1.0\"?><D xmlns=\"x\"><K>a &lt;b&#62; &amp;</K><E/><T>true</T></D>";
        let tree = Tree::parse(body, "D").unwrap();
        assert_eq!(tree.raw("K"), Some("a <b> &"));
        assert_eq!(tree.text("E"), None);
        assert!(tree.flag("T"));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(100);
        for body in ["", "<a>", "<a></b>", "<b/>", "text", &deep] {
            assert_eq!(Tree::parse(body.as_bytes(), "a").unwrap_err().code, "MalformedXML", "{body}");
        }
    }
}
