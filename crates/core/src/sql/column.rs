//! Columns of a table, and arguments of a function: a name and a type, and of a column what else MySQL takes there.

use super::quote;
use super::tokens::{Token, tokens};
use super::types::{SqlType, shown};

/// A column as a statement declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub of: SqlType,
    /// What follows the type, in the form of a statement: ` NOT NULL DEFAULT 0`.
    pub attributes: String,
}

impl Column {
    /// From a name and what follows it: `bigint NOT NULL`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(name: &str, text: &str) -> Result<Column, String> {
        let tokens = tokens(text)?;
        let (of, mut rest) = SqlType::first(&tokens)?;
        let mut attributes = String::new();
        while let Some((first, after)) = rest.split_first() {
            let second = after.first();
            let (text, taken) = match (first, second) {
                (Token::Word(word), Some(next)) if word == "not" && next.is("null") => {
                    ("NOT NULL".to_owned(), 2)
                }
                (Token::Word(word), _) if word == "null" => ("NULL".to_owned(), 1),
                (Token::Word(word), _) if word == "auto_increment" => ("AUTO_INCREMENT".to_owned(), 1),
                (Token::Word(word), Some(next)) if word == "primary" && next.is("key") => {
                    ("PRIMARY KEY".to_owned(), 2)
                }
                (Token::Word(word), next) if word == "unique" => {
                    ("UNIQUE".to_owned(), 1 + usize::from(next.is_some_and(|next| next.is("key"))))
                }
                (Token::Word(word), Some(_)) if word == "default" => {
                    let (value, taken) = literal(after)?;
                    (format!("DEFAULT {value}"), taken + 1)
                }
                (Token::Word(word), Some(Token::Text(text))) if word == "comment" => {
                    (format!("COMMENT {}", quote::text(text)), 2)
                }
                (other, _) => {
                    return Err(format!("has something unknown after its type: {}", shown(other)));
                }
            };
            attributes = format!("{attributes} {text}");
            rest = &rest[taken..];
        }
        Ok(Column { name: name.to_owned(), of, attributes })
    }

    /// As a statement has it.
    pub fn declared(&self) -> String {
        format!("{} {}{}", quote::name(&self.name), self.of.declared(), self.attributes)
    }
}

/// A default value, and how many tokens it takes.
fn literal(tokens: &[Token]) -> Result<(String, usize), String> {
    match tokens {
        [Token::Text(text), ..] => Ok((quote::text(text), 1)),
        [Token::Sign('-'), Token::Word(number), ..] if number.starts_with(|c: char| c.is_ascii_digit()) => {
            number_of(number).map(|number| (format!("-{number}"), 2))
        }
        [Token::Word(word), ..] => match word.as_str() {
            "null" | "true" | "false" | "current_timestamp" => Ok((word.to_uppercase(), 1)),
            number => number_of(number).map(|number| (number, 1)),
        },
        _ => Err("has a default that is not a plain value".into()),
    }
}

fn number_of(text: &str) -> Result<String, String> {
    let is_number =
        text.parse::<f64>().is_ok_and(f64::is_finite) && text.starts_with(|c: char| c.is_ascii_digit());
    if is_number {
        Ok(text.to_owned())
    } else {
        Err(format!("has a default that is not a plain value: `{text}`"))
    }
}

/// An argument of a function, such as `` `state` varchar(2048) `` or `state varchar(2048)`, split after its name.
///
/// # Errors
/// When there is no name followed by something.
pub fn split(text: &str) -> Result<(String, String), String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('`')
        && let Some((name, of)) = rest.split_once('`')
    {
        return Ok((name.to_owned(), of.trim().to_owned()));
    }
    match text.split_once(char::is_whitespace) {
        Some((name, of)) => Ok((name.to_owned(), of.trim().to_owned())),
        None => Err("has a name and no type".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_written_from_what_was_understood() {
        for (text, declared) in [
            ("bigint(20)", "`c` bigint"),
            ("varchar(1000) not null", "`c` varchar(1000) NOT NULL"),
            ("bigint AUTO_INCREMENT primary key", "`c` bigint AUTO_INCREMENT PRIMARY KEY"),
            ("varchar(9) default 'it''s'", "`c` varchar(9) DEFAULT 'it''s'"),
            ("int default -1.5", "`c` int DEFAULT -1.5"),
            ("double DEFAULT NULL", "`c` double DEFAULT NULL"),
            ("text charset utf8mb4 unique key", "`c` text CHARACTER SET utf8mb4 UNIQUE"),
            (
                "timestamp default current_timestamp comment 'a'",
                "`c` timestamp DEFAULT CURRENT_TIMESTAMP COMMENT 'a'",
            ),
        ] {
            assert_eq!(Column::parse("c", text).unwrap().declared(), declared, "{text}");
        }
    }

    #[test]
    fn nothing_else_gets_into_a_statement() {
        for text in [
            "int) ENGINE=MyISAM --",
            "int; DROP TABLE x",
            "int default (select 1)",
            "int check (a > 1)",
            "int default x",
            "int generated always as (1)",
            "int default -x",
            "int references t(a)",
        ] {
            assert!(Column::parse("c", text).is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_are_split_after_their_name() {
        assert_eq!(split(" state  varchar(2048) ").unwrap(), ("state".into(), "varchar(2048)".into()));
        assert_eq!(split("`my state` int").unwrap(), ("my state".into(), "int".into()));
        assert!(split("state").is_err());
    }
}
