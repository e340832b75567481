//! What is wrong with the layout of a file that is not YAML, in a person's terms: which line, what was expected there, what
//! to do. A YAML parser speaks of tokens and blocks; most of the time a line is indented too far, or not far enough.

use super::node::Place;
use crate::base::counted;

/// What is wrong with a line.
pub struct Wrong {
    pub place: Place,
    pub message: String,
    pub hint: String,
}

/// Lines that are looked at; a longer file is left to the parser.
const LINES_MAX: usize = 20_000;

/// One level of nesting that is open.
struct Level {
    column: usize,
    is_list: bool,
    /// The line that opened it.
    line: usize,
}

/// The first line up to `last` that does not fit those above it; `None` where the layout is fine, or is beyond this.
pub fn explain(source: &str, last: usize) -> Option<Wrong> {
    let mut levels: Vec<Level> = Vec::new();
    // Whether what follows may lie deeper: after `key:` or a lone `-`.
    let mut opens = true;
    let mut text = Text::default();
    for (n, line) in source.lines().enumerate().take(last.min(LINES_MAX)) {
        let column = line.len() - line.trim_start_matches(' ').len();
        let content = line.trim();
        if text.skips(n, line, column) || content.is_empty() || content.starts_with('#') {
            continue;
        }
        if line[column..].starts_with('\t') {
            let message = "this line is indented with a tab";
            return Some(wrong(n, column, 1, message.to_owned(), "use spaces: YAML takes no tabs there"));
        }
        if content.starts_with("---") || content.starts_with("...") || content.starts_with('%') {
            continue;
        }
        if let Some(found) = misplaced(n, column, content, opens, &mut levels) {
            return Some(found);
        }
        let mut rest = content;
        let mut at = column;
        // Each `- ` opens a level where its content begins.
        while let Some(item) = rest.strip_prefix("- ") {
            let inner = item.trim_start();
            at += rest.len() - inner.len();
            rest = inner;
            let is_list = rest == "-" || rest.starts_with("- ");
            if is_list || is_key(rest) {
                levels.push(Level { column: at, is_list, line: n });
            }
        }
        opens = rest == "-" || rest.is_empty() || value(rest).is_some_and(str::is_empty);
        if !is_key(rest) && rest != "-" && !content.starts_with('-') && !opens {
            // Text goes on below a key: what that means is the parser's to say.
            opens = true;
        }
        text.begin(n, line, rest, column);
    }
    None
}

/// The quote, or else the bracket, that is open at `line` and never closed. A parser finds out only where what follows no
/// longer fits.
pub fn unclosed(source: &str, line: usize) -> Option<Wrong> {
    let mut text = Text::default();
    for (n, this) in source.lines().enumerate().take(LINES_MAX) {
        if n + 1 == line && text.quote.is_some() {
            break;
        }
        let column = this.len() - this.trim_start_matches(' ').len();
        let content = this.trim();
        if text.skips(n, this, column) || content.is_empty() || content.starts_with('#') {
            continue;
        }
        text.begin(n, this, item(content), column);
    }
    let open = text.quote.or(text.brackets.first().copied()).filter(|open| open.line < line)?;
    let (what, end) = match open.sign {
        '{' => ("`{`", "`}` where the mapping ends"),
        '[' => ("`[`", "`]` where the list ends"),
        '"' => ("quote", "closing `\"` where the text ends"),
        _ => ("quote", "closing `'` where the text ends"),
    };
    Some(wrong(open.line, open.column, 1, format!("this {what} is not closed"), &format!("add the {end}")))
}

/// What stands after the `- ` of a list's items.
fn item(mut content: &str) -> &str {
    while let Some(inner) = content.strip_prefix("- ") {
        content = inner.trim_start();
    }
    content
}

/// The line above `line` whose key has no `:`, or no space after it: to a parser it is text that goes on in `line`,
/// where the next `:` surprises it.
pub fn no_colon(source: &str, line: usize) -> Option<Wrong> {
    let lines: Vec<&str> = source.lines().take(line.min(LINES_MAX)).collect();
    let (surprise, above) = lines.split_last().filter(|_| lines.len() == line)?;
    // Two of them on one line are another matter.
    if value(surprise.trim()).is_some_and(|rest| rest.contains(": ")) {
        return None;
    }
    let (n, before) = above.iter().enumerate().rfind(|(_, line)| is_text(line))?;
    without_colon(n, before)
}

/// The same of `line` itself: only a key may stand there, or its comment keeps it from being text that goes on.
pub fn no_colon_here(source: &str, line: usize) -> Option<Wrong> {
    let lines: Vec<&str> = source.lines().take(line.min(LINES_MAX)).collect();
    let (this, above) = lines.split_last().filter(|_| lines.len() == line)?;
    let column = |line: &str| line.trim_end().len() - item(line.trim()).len();
    // After text it may go on with that, and so it does where it lies deeper than a key that has a value.
    let goes_on = |before: &&str| match value(item(before.trim())) {
        None => item(before.trim()) != "-",
        Some(given) => !given.is_empty() && column(this) > column(before),
    };
    if above.iter().rfind(|line| is_text(line)).is_some_and(goes_on) {
        return None;
    }
    without_colon(line - 1, this)
}

fn is_text(line: &&str) -> bool {
    !line.trim().is_empty() && !line.trim().starts_with('#')
}

/// What is wrong with a line that should begin with a key.
fn without_colon(n: usize, line: &str) -> Option<Wrong> {
    let content = item(line.split(" #").next().unwrap_or_default().trim());
    if is_key(content) || !content.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let column = line.find(content)?;
    if let Some((key, rest)) = content.split_once(':') {
        let message = format!("there is no space after `{key}:`");
        return Some(wrong(n, column + key.chars().count(), 1, message, &format!("write `{key}: {rest}`")));
    }
    let width = content.chars().count();
    let (key, rest) = content.split_once(' ').unwrap_or((content, ""));
    let hint = match rest.trim() {
        "" => format!("write `{key}:`"),
        rest => format!("write `{key}: {rest}`"),
    };
    Some(wrong(n, column, width, format!("there is no `:` after `{key}`"), &hint))
}

/// Whether the line lies where none may. Otherwise `levels` are those that are open at it.
fn misplaced(n: usize, column: usize, content: &str, opens: bool, levels: &mut Vec<Level>) -> Option<Wrong> {
    let is_item = content == "-" || content.starts_with("- ");
    let top = levels.last().map(|level| level.column);
    if top.is_none_or(|top| column > top) {
        let is_deeper = top.is_some();
        if is_deeper && !opens && (is_item || is_key(content)) {
            let top = levels.last()?;
            let message = format!(
                "this line is indented by {}, and line {} above it by {}",
                spaces(column),
                top.line + 1,
                spaces(top.column)
            );
            let hint = match is_item {
                true => "indent the items of a list alike".to_owned(),
                false => {
                    let beside = match top.column {
                        0 => "do not indent it".to_owned(),
                        column => format!("indent it by {}", spaces(column)),
                    };
                    let line = top.line + 1;
                    format!(
                        "{beside} if it belongs beside line {line}, or end that line with `:` if it belongs below it"
                    )
                }
            };
            return Some(wrong(n, column, content.chars().count(), message, &hint));
        }
        if is_item || is_key(content) {
            levels.push(Level { column, is_list: is_item, line: n });
        }
        return None;
    }
    // An item stands beside items, a key beside keys.
    let alike = levels.iter().filter(|level| level.is_list == is_item);
    let before: Vec<usize> = alike.map(|level| level.column).collect();
    while levels
        .last()
        .is_some_and(|level| level.column > column || level.is_list && !is_item && level.column == column)
    {
        levels.pop();
    }
    if let Some(level) = levels.last_mut().filter(|level| level.column == column) {
        if is_item && !level.is_list {
            // `key:` and its items in one column.
            levels.push(Level { column, is_list: true, line: n });
        } else {
            level.line = n;
        }
        return None;
    }
    let mut possible = before;
    possible.sort_unstable();
    possible.dedup();
    let message = format!("this line is indented by {}, which matches no line above it", spaces(column));
    let hint = match possible.as_slice() {
        [one] => format!("indent it by {}, as the lines that it belongs to", spaces(*one)),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("indent it by {} or {}, as the lines that it belongs to", first.join(", "), spaces(*last))
        }
        [] => return None,
    };
    Some(wrong(n, column, content.chars().count(), message, &hint))
}

fn spaces(count: usize) -> String {
    match count {
        0 => "no spaces".to_owned(),
        count => counted(count, "space"),
    }
}

fn wrong(n: usize, column: usize, width: usize, message: String, hint: &str) -> Wrong {
    Wrong {
        place: Place { line: n + 1, column: column + 1, width: width.max(1) },
        message,
        hint: hint.to_owned(),
    }
}

/// Whether the line begins with a key.
pub fn is_key(content: &str) -> bool {
    value(content).is_some()
}

/// What stands after the key that the line begins with.
fn value(content: &str) -> Option<&str> {
    let quoted = |quote: char| {
        let rest = content.strip_prefix(quote)?;
        rest[rest.find(quote)? + 1..].trim_start().strip_prefix(':')
    };
    let after = match content.chars().next()? {
        '"' => quoted('"')?,
        '\'' => quoted('\'')?,
        '{' | '[' | '#' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' => return None,
        _ => {
            let at = content.match_indices(':').map(|(at, _)| at);
            let at =
                at.into_iter().find(|at| content[at + 1..].chars().next().is_none_or(char::is_whitespace))?;
            &content[at + 1..]
        }
    };
    let after = after.trim();
    Some(if after.starts_with('#') { "" } else { after })
}

/// What reaches over several lines: `|` and `>`, brackets and quotes.
#[derive(Default)]
struct Text {
    /// Lines that lie deeper than this belong to a `|` or `>`.
    block: Option<usize>,
    brackets: Vec<Sign>,
    quote: Option<Sign>,
}

/// A bracket or a quote, and where it stands, from 0.
#[derive(Clone, Copy)]
struct Sign {
    sign: char,
    line: usize,
    column: usize,
}

impl Text {
    /// Whether the line goes on with what was begun above it.
    fn skips(&mut self, n: usize, line: &str, column: usize) -> bool {
        if !self.brackets.is_empty() || self.quote.is_some() {
            self.scan(n, line, line);
            return true;
        }
        match self.block {
            Some(outer) if line.trim().is_empty() || column > outer => true,
            _ => {
                self.block = None;
                false
            }
        }
    }

    /// What line `n` begins that goes on below it; it ends with `content`.
    fn begin(&mut self, n: usize, line: &str, content: &str, column: usize) {
        let given = value(content).unwrap_or(content);
        let is_block = given.starts_with(['|', '>'])
            && given[1..]
                .split(" #")
                .next()
                .is_some_and(|rest| rest.trim().chars().all(|c| c == '+' || c == '-' || c.is_ascii_digit()));
        if is_block {
            self.block = Some(column);
        } else if given.starts_with(['{', '[', '"', '\'']) {
            self.scan(n, line, given);
        }
    }

    /// Reads `text`, with which `line` ends.
    fn scan(&mut self, n: usize, line: &str, text: &str) {
        let start = line.trim_end().chars().count().saturating_sub(text.trim_end().chars().count());
        let mut before = ' ';
        let mut escaped = false;
        let mut rest = text.chars().enumerate().peekable();
        while let Some((at, sign)) = rest.next() {
            let here = Sign { sign, line: n, column: start + at };
            match self.quote.map(|quote| quote.sign) {
                Some(_) if escaped => escaped = false,
                Some('"') if sign == '\\' => escaped = true,
                Some('\'') if sign == '\'' && rest.peek().is_some_and(|(_, next)| *next == sign) => {
                    escaped = true;
                }
                Some(quote) if sign == quote => self.quote = None,
                Some(_) => {}
                None => match sign {
                    '#' if before.is_whitespace() => break,
                    '"' | '\'' if !before.is_alphanumeric() => self.quote = Some(here),
                    '{' | '[' => self.brackets.push(here),
                    '}' | ']' => {
                        self.brackets.pop();
                    }
                    _ => {}
                },
            }
            before = sign;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(source: &str) -> Option<(usize, usize, String)> {
        explain(source, usize::MAX).map(|wrong| (wrong.place.line, wrong.place.column, wrong.message))
    }

    /// What is laid out well is left alone, whatever YAML it uses.
    #[test]
    fn a_good_layout_is_good() {
        for source in [
            "a: 1\nb:\n  c: 2\n  d:\n    - e\n    - f: 1\n      g: 2\nh: 3\n",
            "a:\n- 1\n- b: 2\n  c: 3\nd: 4\n",
            "a: |\n  any: text\n     at all\n  b\nc: >-\n  more\nd: 1\n",
            "a: { b: 1,\n c: [1,\n2] }\nd: 1\n",
            "a: \"text\n  b: that goes on\"\nc: 1\n",
            "a: text\n  that goes on\nb: 1\n",
            "# comment\n\n  # deeper\na:\n\n    b: 1\n  # c\n    d: 2\n",
            "- a\n- - b\n  - c\n-\n  d: 1\n",
            "---\na: 1\n",
            "\"a b\": 1\n'c: d': 2\nurl: http://x:1/y\n",
        ] {
            assert_eq!(said(source), None, "{source}");
        }
    }

    #[test]
    fn a_key_without_its_colon_is_found() {
        for (source, line, expected) in [
            ("stack shop\nregion: us-east-1\n", 2, (1, 1, "no `:` after `stack`", "write `stack: shop`")),
            ("stack:shop\nregion: us-east-1\n", 2, (1, 6, "no space after `stack:`", "write `stack: shop`")),
            ("a: 1\nnetwork\n\n  # c\n  cidr: x\n", 5, (2, 1, "no `:` after `network`", "write `network:`")),
            ("a:\n  - class x\n    tier: 1\n", 3, (2, 5, "no `:` after `class`", "write `class: x`")),
        ] {
            let wrong = no_colon(source, line).expect(source);
            let (at, column, message, hint) = expected;
            assert_eq!((wrong.place.line, wrong.place.column), (at, column), "{source}");
            assert!(
                wrong.message.contains(message) && wrong.hint == hint,
                "{} {}",
                wrong.message,
                wrong.hint
            );
        }
        for (source, line) in [("a: b: c\n", 1), ("a\nb: c: d\n", 2), ("a: 1\nb: 2\n", 2), ("a: 1\n", 7)] {
            assert!(no_colon(source, line).is_none(), "{source}");
        }
    }

    /// Where the line itself is what a parser cannot read.
    #[test]
    fn a_key_without_its_colon_is_found_in_its_own_line() {
        for (source, line, expected) in [
            ("stack:shop  # c\n", 1, Some((6, "write `stack: shop`"))),
            ("# c\nstack shop # c\n", 2, Some((1, "write `stack: shop`"))),
            ("a: 1\nb:\n  - class:x # c\n", 3, Some((10, "write `class: x`"))),
            ("a:\n  - b: 1\n    class:x # c\n", 3, Some((10, "write `class: x`"))),
            ("a: 1\nregion us # c\n", 2, Some((1, "write `region: us`"))),
            ("a: text\n  more # c\n", 2, None),
            ("a: text\n  b\n  c # c\n", 3, None),
            ("a: 1 # c\n", 1, None),
        ] {
            let wrong = no_colon_here(source, line);
            let found = wrong.as_ref().map(|wrong| (wrong.place.column, wrong.hint.as_str()));
            assert_eq!(found, expected, "{source}");
            assert!(wrong.is_none_or(|wrong| wrong.place.line == line), "{source}");
        }
    }

    #[test]
    fn what_is_never_closed_is_found_where_it_opens() {
        for (source, line, expected) in [
            ("a: \"b # c\nd: 1\n", 2, Some((1, 4, "`\"`"))),
            ("a: 'it''s\nd: 1\n", 2, Some((1, 4, "`'`"))),
            ("é: { ü: \"b }\nd: 1\n", 1, Some((1, 9, "`\"`"))),
            ("- - a: { b: 1\nd: { e: 1 } # }\n", 2, Some((1, 8, "`}`"))),
            ("a:\n  - [1,\n    2\nb: [3]\n", 4, Some((2, 5, "`]`"))),
            // Another quote closes it below: the parser says where that goes wrong.
            ("a: \"b\nc: \"d\"\ne: 1\n", 2, Some((1, 4, "`\"`"))),
            ("a: { b: 1 }\nc: [\n 1, 2]\nd: \"e\"\n", 3, None),
            ("a: { b: 1 }\nc: [\n", 1, None),
        ] {
            let wrong = unclosed(source, line);
            let found = wrong.as_ref().map(|wrong| (wrong.place.line, wrong.place.column));
            assert_eq!(found, expected.map(|(line, column, _)| (line, column)), "{source}");
            let hint = wrong.map(|wrong| wrong.hint).unwrap_or_default();
            assert!(hint.contains(expected.map_or("", |(_, _, end)| end)), "{source}{hint}");
        }
    }

    #[test]
    fn a_line_that_is_out_of_place_is_found() {
        for (source, line, column, expected) in [
            ("a: 1\n  b: 2\n", 2, 3, "indented by 2 spaces, and line 1 above it by no spaces"),
            ("a:\n    b: 1\n  c: 2\n", 3, 3, "indented by 2 spaces, which matches no line above it"),
            ("a:\n  - b: 1\n   - c: 2\n", 3, 4, "indented by 3 spaces"),
            ("a:\n\tb: 1\n", 2, 1, "indented with a tab"),
            (
                "a:\n  - b: 1\n    c: 2\n     d: 3\n",
                4,
                6,
                "indented by 5 spaces, and line 3 above it by 4 spaces",
            ),
        ] {
            let (at, character, message) = said(source).expect(source);
            assert!((at, character) == (line, column) && message.contains(expected), "{source}{message}");
        }
    }
}
