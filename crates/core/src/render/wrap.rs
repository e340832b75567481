//! Text that has to fit: on a terminal of some width, or on one line. Pure.

/// How what people read is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Columns of the terminal; none for a file or a pipe, where a line is as long as it is.
    pub width: Option<usize>,
    /// Every property, tag and policy statement.
    pub verbose: bool,
}

/// Columns that a one-line summary may take where nobody says how wide the reader's screen is.
const WIDE: usize = 120;
/// Columns below which nothing is wrapped: words would stand one below the other.
const NARROW: usize = 30;

impl Form {
    /// Columns for what must not take more than one line.
    pub fn columns(self) -> usize {
        self.width.unwrap_or(WIDE)
    }

    /// The same with fewer columns.
    pub fn narrower(self, by: usize) -> Form {
        Form { width: self.width.map(|width| width.saturating_sub(by)), ..self }
    }

    /// The text with line breaks between words where a terminal would break within them; what follows the first line is
    /// indented by `indent`. A word that is longer than a line stays whole, so that it can be copied.
    pub fn wrap(self, text: &str, indent: usize) -> String {
        let Some(width) = self.width.filter(|width| *width >= NARROW + indent) else {
            return text.to_string();
        };
        let margin = &text[..text.len() - text.trim_start_matches(' ').len()];
        let (mut out, mut column) = (margin.to_string(), margin.len());
        for (n, word) in text.trim_start_matches(' ').split(' ').enumerate() {
            let length = visible(word);
            if n > 0 && column + 1 + length > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else if n > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out
    }

    /// A shell command on as many lines as the terminal needs, broken where a shell goes on reading: before a flag where
    /// that is possible, never within a word. What follows the first line is indented by two more.
    pub fn command(self, text: &str, indent: usize) -> String {
        let (margin, mut out) = (" ".repeat(indent), String::new());
        let width = self.width.filter(|width| *width >= NARROW + indent).unwrap_or(usize::MAX);
        // A space and a backslash end what is not the last line.
        let room = width.saturating_sub(2);
        let mut column = 0;
        for part in parts(text) {
            // A flag may stand above a value that has room of its own, and nowhere else.
            let pieces: Vec<&str> = match part.split_once(' ') {
                Some((flag, value))
                    if indent + 2 + visible(&part) > room && indent + 2 + visible(value) <= room =>
                {
                    vec![flag, value]
                }
                _ => vec![&part],
            };
            for piece in pieces {
                let length = visible(piece);
                if column > 0 && column + 1 + length > room {
                    out.push_str(&format!(" \\\n{margin}  {piece}"));
                    column = indent + 2 + length;
                } else if column > 0 {
                    out.push_str(&format!(" {piece}"));
                    column += 1 + length;
                } else {
                    out.push_str(&format!("{margin}{piece}"));
                    column = indent + length;
                }
            }
        }
        out
    }
}

/// The words of a shell command, each flag together with its value.
fn parts(text: &str) -> Vec<String> {
    let (mut words, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        match c {
            ' ' if !is_quoted && !is_escaped => {
                words.push(String::new());
                continue;
            }
            '\'' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = c == '\\' && !is_quoted && !is_escaped;
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let mut parts: Vec<String> = Vec::new();
    for word in words {
        match parts.last_mut() {
            Some(flag) if flag.starts_with('-') && !flag.contains(' ') && !word.starts_with('-') => {
                flag.push_str(&format!(" {word}"));
            }
            _ => parts.push(word),
        }
    }
    parts
}

/// At most `width` characters, of which the last are kept: names and ARNs differ in their ends.
pub(super) fn cut_front(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width || width == 0 {
        return cut(text, width);
    }
    format!("…{}", text.chars().skip(length + 1 - width).collect::<String>())
}

/// At most `width` characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    // Of a width of nothing nothing is shown.
    if width > 0 {
        out.push('…');
    }
    out
}

/// Characters that a terminal shows: all but those of styles.
pub(super) fn visible(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while let Some(at) = rest.find('\x1b') {
        count += rest[..at].chars().count();
        let style = &rest[at..];
        rest = style.find('m').map_or("", |end| &style[end + 1..]);
    }
    count + rest.chars().count()
}

/// The signs of our own that are not ASCII, each with what stands for it where the locale has nothing else.
const SIGNS: &[(char, &str)] = &[
    ('±', "-/+"),
    ('×', "x"),
    ('·', "-"),
    ('…', "..."),
    ('▸', ">"),
    ('✓', "*"),
    ('✗', "x"),
    ('→', "->"),
    ('–', "-"),
    ('—', "-"),
    ('≈', "about "),
];

/// The text with our own signs in ASCII. What others wrote stays as they wrote it.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match SIGNS.iter().find(|(sign, _)| *sign == c) {
            Some((_, plain)) => out.push_str(plain),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole() {
        let form = Form { width: Some(40), verbose: false };
        let text = form.wrap("  \x1b[31mone\x1b[0m two three four five six seven eight nine ten", 4);
        assert_eq!(text, "  \x1b[31mone\x1b[0m two three four five six seven\n    eight nine ten");
        let long = format!("see {}", "x".repeat(60));
        assert_eq!(form.wrap(&long, 2), format!("see\n  {}", "x".repeat(60)));
        assert_eq!(Form::default().wrap(&long, 2), long, "a pipe has no width");
        assert_eq!(Form { width: Some(10), verbose: false }.wrap(&long, 2), long);
    }

    #[test]
    fn commands_break_where_a_shell_goes_on_reading() {
        let form = Form { width: Some(40), verbose: false };
        let text = r"aws one two --first value --sql 'SELECT 1, 2' -p 'it'\''s a'";
        let expected = r"  aws one two --first value \
    --sql 'SELECT 1, 2' -p 'it'\''s a'";
        assert_eq!(form.command(text, 2), expected);
        assert!(expected.lines().all(|line| visible(line) <= 40));
        assert_eq!(Form::default().command(text, 2), format!("  {text}"), "a pipe has no width");
        let long = format!("aws --arn {} --last 1", "x".repeat(60));
        assert_eq!(form.command(&long, 0), format!("aws \\\n  --arn {} \\\n  --last 1", "x".repeat(60)));
        let tight = format!("aws --arn {} --last 1", "x".repeat(34));
        assert_eq!(form.command(&tight, 0), format!("aws --arn \\\n  {} \\\n  --last 1", "x".repeat(34)));
        assert_eq!(parts(r"a 'b c' d\ e '\' --f g h"), ["a", "'b c'", r"d\ e", r"'\'", "--f g", "h"]);
    }

    #[test]
    fn the_end_of_a_name_can_be_kept() {
        assert_eq!((cut_front("abcdef", 4), cut_front("abc", 3)), ("…def".into(), "abc".to_string()));
        assert_eq!(cut_front("abc", 0), "");
    }

    #[test]
    fn signs_have_a_plain_form() {
        assert_eq!(ascii("± a · b … ✓ ü"), "-/+ a - b ... * ü");
        assert!(SIGNS.iter().all(|(sign, plain)| !sign.is_ascii() && plain.is_ascii()));
        assert_eq!((cut("abcdef", 4), cut("abc", 0)), ("abc…".into(), String::new()));
    }
}
