//! Column types: read, written in one form, and compared by meaning.

use super::tokens::Token;
use std::fmt;

/// What a type is, as far as Aurora machine learning cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Number,
    /// `BIT`, a number that no SageMaker function may have.
    Bit,
    /// `CHAR` and `VARCHAR`.
    Text,
    /// `TEXT` and its sizes.
    LongText,
    Bytes,
    Time,
    Json,
}

/// A type in the one form in which types are compared: `bigint`, `varchar(2048)`, `decimal(10,0)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlType {
    pub name: &'static str,
    pub family: Family,
    pub sizes: Vec<u32>,
    pub unsigned: bool,
    /// Not compared: Aurora returns utf8mb4, whatever a function declares (User Guide, "Character set requirement").
    pub charset: Option<String>,
}

/// How many sizes a type has: at least, at most, and those that MySQL assumes.
type Sizes = (usize, usize, &'static [u32]);

/// What a type may be called, what it is called here, its sizes. Display widths of whole numbers mean nothing
/// (MySQL 8.0 Reference Manual, 11.1.1).
const TYPES: &[(&str, &str, Family, Sizes)] = &[
    ("tinyint", "tinyint", Family::Number, (0, 1, &[])),
    ("bool", "tinyint", Family::Number, (0, 0, &[])),
    ("boolean", "tinyint", Family::Number, (0, 0, &[])),
    ("smallint", "smallint", Family::Number, (0, 1, &[])),
    ("mediumint", "mediumint", Family::Number, (0, 1, &[])),
    ("int", "int", Family::Number, (0, 1, &[])),
    ("integer", "int", Family::Number, (0, 1, &[])),
    ("bigint", "bigint", Family::Number, (0, 1, &[])),
    ("decimal", "decimal", Family::Number, (0, 2, &[10, 0])),
    ("dec", "decimal", Family::Number, (0, 2, &[10, 0])),
    ("numeric", "decimal", Family::Number, (0, 2, &[10, 0])),
    ("fixed", "decimal", Family::Number, (0, 2, &[10, 0])),
    ("float", "float", Family::Number, (0, 2, &[])),
    ("double", "double", Family::Number, (0, 2, &[])),
    ("real", "double", Family::Number, (0, 2, &[])),
    ("bit", "bit", Family::Bit, (0, 1, &[1])),
    ("char", "char", Family::Text, (0, 1, &[1])),
    ("varchar", "varchar", Family::Text, (1, 1, &[])),
    ("tinytext", "tinytext", Family::LongText, (0, 0, &[])),
    ("text", "text", Family::LongText, (0, 0, &[])),
    ("mediumtext", "mediumtext", Family::LongText, (0, 0, &[])),
    ("longtext", "longtext", Family::LongText, (0, 0, &[])),
    ("binary", "binary", Family::Bytes, (0, 1, &[1])),
    ("varbinary", "varbinary", Family::Bytes, (1, 1, &[])),
    ("tinyblob", "tinyblob", Family::Bytes, (0, 0, &[])),
    ("blob", "blob", Family::Bytes, (0, 0, &[])),
    ("mediumblob", "mediumblob", Family::Bytes, (0, 0, &[])),
    ("longblob", "longblob", Family::Bytes, (0, 0, &[])),
    ("date", "date", Family::Time, (0, 0, &[])),
    ("datetime", "datetime", Family::Time, (0, 1, &[])),
    ("timestamp", "timestamp", Family::Time, (0, 1, &[])),
    ("time", "time", Family::Time, (0, 1, &[])),
    ("year", "year", Family::Time, (0, 1, &[])),
    ("json", "json", Family::Json, (0, 0, &[])),
];

/// What types may be called.
pub fn names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|(name, ..)| *name)
}

impl SqlType {
    /// The type that a whole text names.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the text.
    pub fn parse(text: &str) -> Result<SqlType, String> {
        let tokens = super::tokens::tokens(text)?;
        let (found, rest) = SqlType::first(&tokens)?;
        match rest.first() {
            None => Ok(found),
            Some(token) => Err(format!("does not end after the type: {}", shown(token))),
        }
    }

    /// The type at the beginning of `tokens`, and what follows it.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn first(tokens: &[Token]) -> Result<(SqlType, &[Token]), String> {
        let Some((Token::Word(word), mut rest)) = tokens.split_first() else {
            return Err("names no type".into());
        };
        let known = TYPES.iter().find(|(name, ..)| name == word);
        let Some((called, name, family, (least, most, assumed))) = known else {
            return Err(format!("has an unknown type: `{word}`"));
        };
        if *called == "double" && rest.first().is_some_and(|token| token.is("precision")) {
            rest = &rest[1..];
        }
        let mut sizes = Vec::new();
        if rest.first().is_some_and(|token| token.is_sign('(')) {
            let end = rest.iter().position(|token| token.is_sign(')')).ok_or("has a ( that is not closed")?;
            for part in rest[1..end].split(|token| token.is_sign(',')) {
                let [Token::Word(number)] = part else { return Err("has a size that is no number".into()) };
                sizes.push(number.parse().map_err(|_| format!("has a size that is no number: {number}"))?);
            }
            rest = &rest[end + 1..];
        }
        if sizes.len() < *least {
            return Err(format!("needs a size, such as `{called}(255)`"));
        }
        if sizes.len() > *most {
            return Err(format!("has more sizes than `{called}` takes"));
        }
        match *name {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => sizes.clear(),
            // `float(p)` is a double from 25 on (MySQL 8.0 Reference Manual, 11.1.4).
            "float" if sizes.len() == 1 => sizes.clear(),
            "datetime" | "timestamp" | "time" if sizes == [0] => sizes.clear(),
            _ => sizes.extend(assumed.iter().skip(sizes.len())),
        }
        let mut found = SqlType { name, family: *family, sizes, unsigned: false, charset: None };
        loop {
            let (word, next) = match rest {
                [Token::Word(word), ..] => (word.as_str(), rest.get(1)),
                _ => return Ok((found, rest)),
            };
            rest = match (word, next) {
                ("unsigned", _) => {
                    found.unsigned = true;
                    &rest[1..]
                }
                ("zerofill", _) => {
                    found.unsigned = true;
                    &rest[1..]
                }
                ("signed", _) => &rest[1..],
                ("charset", Some(set)) => {
                    found.charset = Some(charset(set)?);
                    &rest[2..]
                }
                ("character", Some(set)) if set.is("set") && rest.len() > 2 => {
                    found.charset = Some(charset(&rest[2])?);
                    &rest[3..]
                }
                ("collate", Some(_)) => &rest[2..],
                _ => return Ok((found, rest)),
            };
        }
    }

    /// The type that MySQL shows in this text, in the form in which types are compared; as it is where it is another one.
    pub fn canonical(text: &str) -> String {
        SqlType::parse(text).map_or_else(|_| text.trim().to_lowercase(), |known| known.to_string())
    }

    /// Bytes in a row, at most, with the character set utf8mb4 (MySQL 8.0 Reference Manual, 11.7 and 8.4.7).
    pub fn row_bytes(&self) -> u64 {
        let size = u64::from(self.sizes.first().copied().unwrap_or(0));
        match self.name {
            "tinyint" | "year" => 1,
            "smallint" => 2,
            "mediumint" | "date" => 3,
            "int" | "float" => 4,
            "decimal" => size / 2 + 2,
            "bit" => size / 8 + 1,
            "char" => size * 4,
            "varchar" => size * 4 + if size * 4 > 255 { 2 } else { 1 },
            "binary" => size,
            "varbinary" => size + if size > 255 { 2 } else { 1 },
            "tinytext" | "tinyblob" => 9,
            "text" | "blob" => 10,
            "mediumtext" | "mediumblob" => 11,
            "longtext" | "longblob" | "json" => 12,
            _ => 8,
        }
    }

    /// The type with its character set, for a statement.
    pub fn declared(&self) -> String {
        match &self.charset {
            Some(set) => format!("{self} CHARACTER SET {set}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.sizes.is_empty() {
            let sizes: Vec<String> = self.sizes.iter().map(u32::to_string).collect();
            write!(f, "({})", sizes.join(","))?;
        }
        if self.unsigned {
            f.write_str(" unsigned")?;
        }
        Ok(())
    }
}

/// The name of a character set: a plain word, quoted or not.
fn charset(token: &Token) -> Result<String, String> {
    let name = token.name().or(token.text()).filter(|name| super::plain_name(name));
    name.map(str::to_owned)
        .ok_or_else(|| format!("has a character set that has no plain name: {}", shown(token)))
}

/// A token as a person wrote it, nearly.
pub fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("`{word}`"),
        Token::Name(name) => format!("`{name}`"),
        Token::Text(text) => format!("'{text}'"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_by_meaning() {
        for (one, other) in [
            ("bigint(20)", "BIGINT"),
            ("INTEGER", "int"),
            ("bool", "tinyint(1)"),
            ("numeric(10)", "decimal(10,0)"),
            ("decimal", "decimal(10,0)"),
            ("double precision", "REAL"),
            ("varchar(2048) CHARSET latin1", "varchar(2048)"),
            ("varchar(5) character set utf8mb4 collate utf8mb4_bin", "VARCHAR( 5 )"),
            ("char", "char(1)"),
            ("int(10) unsigned zerofill", "int unsigned"),
            ("datetime(0)", "datetime"),
            ("float(10)", "float"),
        ] {
            assert_eq!(SqlType::canonical(one), SqlType::canonical(other), "{one}");
        }
        for (one, other) in
            [("int", "bigint"), ("varchar(5)", "varchar(6)"), ("int", "int unsigned"), ("float", "double")]
        {
            assert_ne!(SqlType::canonical(one), SqlType::canonical(other), "{one}");
        }
        assert_eq!(SqlType::canonical("enum('A','b')"), "enum('a','b')");
    }

    #[test]
    fn what_is_no_type_is_told() {
        for (text, why) in [
            ("", "names no type"),
            ("varchar", "needs a size"),
            ("text(5) x", "more sizes"),
            ("strng(5)", "unknown type: `strng`"),
            ("int, b int", "does not end"),
            ("varchar(x)", "no number"),
            ("varchar(5", "not closed"),
            ("int(1,2)", "more sizes"),
            ("'int'", "names no type"),
        ] {
            let found = SqlType::parse(text).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }

    #[test]
    fn the_form_is_a_fixed_point() {
        for name in names() {
            let sized = if name.starts_with("var") { format!("{name}(7)") } else { name.to_string() };
            let once = SqlType::parse(&sized).unwrap().to_string();
            assert_eq!(SqlType::canonical(&once), once, "{name}");
        }
    }
}
