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
    fn signs_have_a_plain_form() {
        assert_eq!(ascii("± a · b … ✓ ü"), "-/+ a - b ... * ü");
        assert!(SIGNS.iter().all(|(sign, plain)| !sign.is_ascii() && plain.is_ascii()));
        assert_eq!((cut("abcdef", 4), cut("abc", 0)), ("abc…".into(), String::new()));
    }
}
