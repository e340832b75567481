//! A comment on a pull request: what comes first matters most, and what does not fit any more is counted.

use crate::base::counted;
use std::collections::BTreeMap;

/// Bytes of a comment. GitHub takes 65,536 characters, and whether it counts those or UTF-16 units, there are never more
/// than bytes; a pipeline puts a few lines of its own around it.
const LIMIT: usize = 64_000;
/// Bytes that are kept for the sentence about what is left out.
const RESERVE: usize = 1_000;
/// Characters of a text of others, such as a reason that AWS gives.
const TEXT_MAX: usize = 2_000;
/// Bytes of the details of one step.
const DETAILS_MAX: usize = 12_000;

#[derive(Default)]
pub(super) struct Comment {
    text: String,
    /// Written with the first thing under it.
    heading: String,
    left_out: BTreeMap<&'static str, usize>,
}

impl Comment {
    /// What comes next stands under this.
    pub fn heading(&mut self, text: &str) {
        self.heading = text.to_string();
    }

    /// Adds a whole thing, or counts it under what it is called where there is no room left. What comes after something
    /// that is left out is left out, too: nobody should take the rest for all.
    pub fn add(&mut self, what: &'static str, text: &str) {
        let size = self.text.len() + self.heading.len() + text.len();
        if self.left_out.is_empty() && size <= LIMIT - RESERVE {
            self.text.push_str(&std::mem::take(&mut self.heading));
            self.text.push_str(text);
        } else {
            *self.left_out.entry(what).or_default() += 1;
        }
    }

    pub fn finish(mut self) -> String {
        if !self.left_out.is_empty() {
            let counts = self.left_out.iter().map(|(what, count)| counted(*count, what));
            let counts = counts.collect::<Vec<_>>().join(", ");
            self.text.push_str(&format!(
                "\n**Left out, because a comment has at most 65,536 characters: {counts}.** \
                 `auroraml plan` prints all of it, and so does `--format json`.\n"
            ));
        }
        self.text
    }
}

/// A text of others, not longer than is good for a comment.
pub(super) fn clipped(text: &str) -> String {
    let count = text.chars().count();
    match count > TEXT_MAX {
        true => format!(
            "{}… ({})",
            text.chars().take(TEXT_MAX).collect::<String>(),
            counted(count - TEXT_MAX, "more character")
        ),
        false => text.to_string(),
    }
}

/// The same of lines.
pub(super) fn clipped_lines(lines: &[String]) -> String {
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        let line = clipped(line);
        if text.len() + line.len() > DETAILS_MAX {
            let rest = lines.len() - n;
            text.push_str(&format!("… ({})", counted(rest, "more line")));
            return text;
        }
        text.push_str(&line);
        if n + 1 < lines.len() {
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut comment = Comment::default();
        let large = "x".repeat(30_000);
        for _ in 0..2 {
            comment.heading("#### Large\n");
            comment.add("step", &large);
        }
        comment.heading("#### Small\n");
        for _ in 0..3 {
            comment.add("step", &large);
        }
        comment.add("note", "y");
        let text = comment.finish();
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("at most 65,536 characters: 1 note, 3 steps.**"), "{}", &text[60_000..]);
        assert!(!text.contains("#### Small") && !text.contains('y'.to_string().repeat(2).as_str()));
    }

    #[test]
    fn long_texts_are_clipped() {
        assert_eq!(clipped("abc"), "abc");
        assert!(clipped(&"ä".repeat(TEXT_MAX + 7)).ends_with("ä… (7 more characters)"));
        let lines = |count: usize| vec!["z".repeat(999); count];
        assert_eq!(clipped_lines(&lines(3)).lines().count(), 3);
        assert!(clipped_lines(&lines(20)).ends_with("\n… (8 more lines)"));
    }
}
