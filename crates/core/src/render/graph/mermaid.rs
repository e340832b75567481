//! A picture as Mermaid's text: what GitHub and many editors draw.

use super::{Group, Mark, Picture};
use std::fmt::Write;

/// Colours that can be read on light and on dark ground: each box brings its own ground with it.
fn style(mark: Mark) -> &'static str {
    match mark {
        Mark::Create | Mark::Run => "fill:#dafbe1,stroke:#1a7f37,color:#1f2328,stroke-width:2px",
        Mark::Change => "fill:#fff8c5,stroke:#9a6700,color:#1f2328,stroke-width:2px",
        Mark::Restart => "fill:#ffe2cc,stroke:#bc4c00,color:#1f2328,stroke-width:3px",
        Mark::Replace => "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px",
        Mark::Delete => "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:2px,stroke-dasharray:6 3",
        Mark::Held => "fill:#eaeef2,stroke:#59636e,color:#1f2328,stroke-width:2px,stroke-dasharray:2 3",
        Mark::Blocked => "fill:#ffebe9,stroke:#82071e,color:#1f2328,stroke-width:4px",
        Mark::Wait => "fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-width:2px",
    }
}

pub(super) fn write(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    // Text that is written into a string cannot fail to be.
    let mut line = |text: &str| {
        let _ = writeln!(out, "  {text}");
    };
    line(&format!("%% {}", picture.sentence()));
    line("%% An arrow goes from what is made first to what needs it.");
    for group in Group::ALL {
        let mut nodes = picture.nodes.iter().enumerate().filter(|(_, node)| node.group == group).peekable();
        if nodes.peek().is_none() {
            continue;
        }
        line(&format!("subgraph {}[\"{}\"]", group.word(), group.title()));
        for (at, node) in nodes {
            let name = escaped(&node.id.to_string());
            line(&match node.mark {
                None => format!("  n{at}[\"{name}\"]"),
                // Without the plan's sign: Mermaid takes `+ create` for a list of Markdown, even if the sign is an entity, and
                // draws "Unsupported markdown: list" in its place (seen with 11.6).
                Some(mark) => format!("  n{at}[\"{word}<br>{name}\"]:::{word}", word = mark.word()),
            });
        }
        line("end");
    }
    for (needed, needs) in &picture.edges {
        line(&format!("n{needed} --> n{needs}"));
    }
    let marks = picture.marks();
    if !marks.is_empty() {
        line("subgraph legend[\"Legend\"]");
        for mark in &marks {
            let word = mark.word();
            line(&format!("  key_{word}[\"{word}: {}\"]:::{word}", mark.meaning()));
        }
        line("end");
    }
    for mark in marks {
        line(&format!("classDef {} {}", mark.word(), style(mark)));
    }
    out
}

/// A text between the quotes of a label. Mermaid has entities of its own, `#35;` for `#`: what is left of the others as
/// they are could end the quotes, begin markup or begin an entity. A backtick at the start would make it Markdown, and so
/// would a number with a dot or a dash make it a list.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | ' ') => out.push(c),
            '-' if !out.is_empty() => out.push(c),
            c => {
                // Writing into a string cannot fail.
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("bucket_object.part_1.ipynb"), "bucket_object.part_1.ipynb");
        assert_eq!(escaped("-"), "#45;");
        let ill = escaped("a\"]; click x <script>`#quot;`");
        assert!(!ill.contains(['"', ']', '<', '`']), "{ill}");
        assert_eq!(ill.matches("#quot").count(), 0, "{ill}");
    }
}
