//! HTML and SVG as text. Pure.
//!
//! **Invariant.** Markup is a literal of this program: names of elements, names of attributes and style sheets are
//! `&'static str`. What comes at run time can only get in as text or as the value of an attribute, and both are escaped:
//! no caller can forget to.

use super::plain;
use crate::base::counted;
use std::fmt::{Display, Write};

/// Characters of one text of others, such as a reason that AWS gives.
const TEXT_MAX: usize = 2_000;

/// Name and value of each attribute.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A piece of a document, whose elements are closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// What the program itself says, markup and all.
    pub fn literal(&mut self, text: &'static str) {
        self.0.push_str(text);
    }

    /// A text, on one line and with nothing active in it.
    pub fn text(&mut self, text: impl Display) {
        let text = plain::line(&text.to_string());
        let count = text.chars().count();
        if count <= TEXT_MAX {
            return escape(&text, &mut self.0);
        }
        escape(&text.chars().take(TEXT_MAX).collect::<String>(), &mut self.0);
        self.0.push_str(&format!("… ({})", counted(count - TEXT_MAX, "more character")));
    }

    /// An element with what `content` writes into it.
    pub fn with(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        content: impl FnOnce(&mut Markup),
    ) {
        self.open(name, attributes);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with a text.
    pub fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, text: impl Display) {
        self.with(name, attributes, |inside| inside.text(text));
    }

    /// An element without content.
    pub fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.open(name, attributes);
        self.0.push_str("/>");
    }

    pub fn line_break(&mut self) {
        self.0.push('\n');
    }

    pub fn append(&mut self, other: &Markup) {
        self.0.push_str(&other.0);
    }

    /// Bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    pub fn finish(self) -> String {
        self.0
    }

    fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            // Writing into a string cannot fail.
            let _ = write!(self.0, " {name}=\"");
            escape(&plain::line(&value.to_string()), &mut self.0);
            self.0.push('"');
        }
    }
}

/// As text of an element and as the value of an attribute between double quotes. A single quote as well: whoever copies
/// from here may use those.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text of a document without its elements, with what was escaped read again.
    fn read(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&#39;", '\'')];
            match known.into_iter().find(|(entity, _)| rest.starts_with(entity)) {
                Some((entity, c)) => {
                    out.push(c);
                    rest = &rest[entity.len()..];
                }
                None => {
                    out.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn text_stays_text(ill in "[<>&\"'/=a-z \u{202e}\u{7}\u{e9}-]{0,40}") {
            let mut markup = Markup::default();
            markup.with("p", &[("title", &ill)], |inside| inside.text(&ill));
            let written = markup.finish();
            let inner = written.strip_prefix("<p title=\"").unwrap().strip_suffix("</p>").unwrap();
            let (value, text) = inner.split_once("\">").unwrap();
            for part in [value, text] {
                prop_assert!(!part.contains(['<', '>', '"', '\'']), "{}", written);
                prop_assert_eq!(read(part), plain::line(&ill));
            }
        }
    }

    #[test]
    fn long_texts_are_clipped() {
        let mut markup = Markup::default();
        markup.text("ä".repeat(TEXT_MAX + 7));
        assert!(markup.finish().ends_with("ä… (7 more characters)"));
    }
}
