//! Names and strings in a statement: the only place that quotes them.

/// A name in backticks, whatever is in it.
pub fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `` `database`.`name` ``
pub fn of(database: &str, own: &str) -> String {
    format!("{}.{}", name(database), name(own))
}

/// A string. Quotes are doubled and so are backslashes: with the SQL mode `NO_BACKSLASH_ESCAPES` the string then has two
/// of them, and never ends before its end in either mode.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A string whose line ends and tabs are to be read by people: `'\n'`.
pub fn escaped(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\\' => out += "\\\\",
            '\'' => out += "''",
            c => out.push(c),
        }
    }
    out + "'"
}

/// `'user'@'host'`
pub fn account(user: &str, host: &str) -> String {
    format!("{}@{}", text(user), text(host))
}

/// A pattern for LIKE that stands for texts with `part` in them. The escape character is `|`, which the statement has to
/// say: backslashes mean something else in either SQL mode.
pub fn containing(part: &str) -> String {
    let part = part.replace('|', "||").replace('%', "|%").replace('_', "|_");
    format!("{} ESCAPE '|'", text(&format!("%{part}%")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tokens::{Token, tokens};

    #[test]
    fn nothing_ends_a_quote_early() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(of("d", "t"), "`d`.`t`");
        assert_eq!(text(r"it's a \ path"), r"'it''s a \\ path'");
        assert_eq!(escaped("\r\n"), r"'\r\n'");
        assert_eq!(account("o'neill", "%"), "'o''neill'@'%'");
        assert_eq!(containing("a_b%|"), "'%a|_b|%||%' ESCAPE '|'");
    }

    #[test]
    fn what_is_quoted_is_one_token() {
        for hostile in ["', '", "` `", "\\' OR 1=1 -- ", "\\\\'", "'';DROP TABLE x", "a\n--", "é'\u{0}"] {
            assert_eq!(tokens(&text(hostile)).unwrap(), [Token::Text(hostile.into())], "{hostile}");
            assert_eq!(tokens(&name(hostile)).unwrap(), [Token::Name(hostile.into())], "{hostile}");
            assert_eq!(tokens(&escaped(hostile)).unwrap(), [Token::Text(hostile.into())], "{hostile}");
        }
    }
}
