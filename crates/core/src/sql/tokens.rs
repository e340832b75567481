//! SQL text as tokens, so that two texts that mean the same compare equal.

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word or number without quotes, in lower case.
    Word(String),
    /// A name in backticks, unquoted.
    Name(String),
    /// A string in single or double quotes, unquoted.
    Text(String),
    Sign(char),
}

impl Token {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(found) if found == word)
    }
    pub fn is_sign(&self, sign: char) -> bool {
        *self == Token::Sign(sign)
    }
    /// A name, quoted or not.
    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Word(text) | Token::Name(text) => Some(text),
            Token::Text(_) | Token::Sign(_) => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match self {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The tokens of a text, comments left out.
///
/// # Errors
/// When a quote or comment is not closed.
pub fn tokens(sql: &str) -> Result<Vec<Token>, String> {
    Ok(placed(sql)?.into_iter().map(|(_, token)| token).collect())
}

/// The same, each with the byte where it begins.
///
/// # Errors
/// When a quote or comment is not closed.
pub fn placed(sql: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut found = Vec::new();
    let mut rest = sql;
    loop {
        rest = rest.trim_start();
        let at = sql.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        if let Some(after) = comment(rest)? {
            rest = after;
            continue;
        }
        let token = match first {
            '`' | '\'' | '"' => {
                let (text, after) = quoted(rest, first)?;
                rest = after;
                if first == '`' { Token::Name(text) } else { Token::Text(text) }
            }
            c if is_word(c) => {
                let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                // A number goes on behind its point; a name after a point is another token.
                let number = word.chars().all(|c| c.is_ascii_digit());
                let (word, after) = match after.strip_prefix('.') {
                    Some(more) if number => {
                        let end = more.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(more.len());
                        rest.split_at(word.len() + 1 + end)
                    }
                    _ => (word, after),
                };
                rest = after;
                Token::Word(word.to_lowercase())
            }
            sign => {
                rest = &rest[sign.len_utf8()..];
                Token::Sign(sign)
            }
        };
        found.push((at, token));
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '@'
}

/// What follows a comment, if one begins here. `/*! … */` is code to MySQL, and nothing that we write.
fn comment(text: &str) -> Result<Option<&str>, String> {
    let line = |text: &'_ str| text.find('\n').map_or(text.len(), |end| end + 1);
    let dashes =
        text.strip_prefix("--").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if dashes || text.starts_with('#') {
        return Ok(Some(&text[line(text)..]));
    }
    match text.strip_prefix("/*") {
        None => Ok(None),
        Some(inner) => inner
            .split_once("*/")
            .map(|(_, after)| Some(after))
            .ok_or_else(|| "a comment is not closed".into()),
    }
}

/// What stands between quotes, and what follows. Backslashes escape in strings, as MySQL has it by default.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
                out.push(quote);
                continue;
            }
            return Ok((out, &text[at + c.len_utf8()..]));
        }
        if c == '\\' && quote != '`' {
            // MySQL 8.0 Reference Manual, 9.1.1 String Literals.
            out.push(match characters.next() {
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, '0')) => '\0',
                Some((_, 'b')) => '\u{8}',
                Some((_, 'Z')) => '\u{1a}',
                Some((_, other)) => other,
                None => break,
            });
            continue;
        }
        out.push(c);
    }
    Err(format!("a {quote} is not closed"))
}

/// Whether two texts are the same but for space, case of words, comments and the way of quoting.
pub fn same(one: &str, other: &str) -> bool {
    match (tokens(one), tokens(other)) {
        (Ok(one), Ok(other)) => {
            let same = |(a, b): (&Token, &Token)| match (a.name(), b.name()) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                _ => a == b,
            };
            one.len() == other.len() && one.iter().zip(&other).all(same)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meaning_is_compared() {
        assert!(same("IF(int_plan = 'no', 1, 0)", "if( `int_plan`='no' ,1,0 ) -- helper\n"));
        assert!(same("a + 1.50", "A\n+ 1.50"));
        assert!(!same("'No'", "'no'"), "strings are compared as they are");
        assert!(!same("a", "'a'"));
        assert!(!same("1.5", "1"));
        assert!(same("'it''s'", "\"it's\""));
        assert!(same("'open", "'open") && !same("'open", "'opens"));
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert!(
            tokens("'a").is_err()
                && tokens("`a").is_err()
                && tokens("/* a").is_err()
                && tokens("'a\\").is_err()
        );
        assert_eq!(tokens("a/* b */c").unwrap().len(), 2);
        assert_eq!(tokens("a -- b\n, db.t").unwrap().len(), 5);
    }
}
