//! A statement, word by word: sqlparser's tokens, and what sqlparser has no grammar for.

use super::catalog::account;
use super::errors::{SqlError, syntax, unsupported};
use super::types::Type;
use sqlparser::ast::{Expr, Ident, ObjectName, Query, Statement};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

static DIALECT: MySqlDialect = MySqlDialect {};
/// How deep expressions may be nested.
const DEPTH_MAX: usize = 100;

pub(crate) struct Reader<'s> {
    sql: &'s str,
    parser: Parser<'static>,
}

/// Splits a statement into its tokens.
pub(crate) fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    let mut all = Tokenizer::new(&DIALECT, sql)
        .tokenize_with_location()
        .map_err(|error| syntax(rest_of(sql, error.location), error.location.line.max(1)))?;
    // MOD between two operands is `%`, which sqlparser does not know of MySQL.
    for at in 1..all.len() {
        // `!` is a NOT that binds closer; what it is put before is mostly one operand.
        if all[at].token == Token::ExclamationMark {
            all[at].token = Token::make_keyword("NOT");
        }
        let called = all.get(at + 1).is_some_and(|next| next.token == Token::LParen);
        let is_mod = matches!(&all[at].token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("mod"));
        if is_mod && !called {
            all[at].token = Token::Mod;
        }
    }
    Ok(all)
}

/// The text from a place on.
fn rest_of(sql: &str, at: Location) -> &str {
    if at.line == 0 {
        return "";
    }
    let mut offset = 0;
    for line in sql.split_inclusive('\n').take(usize::try_from(at.line - 1).unwrap_or(0)) {
        offset += line.len();
    }
    let rest = sql.get(offset..).unwrap_or("");
    let skip = usize::try_from(at.column.saturating_sub(1)).unwrap_or(0);
    rest.char_indices().nth(skip).map_or("", |(at, _)| &rest[at..])
}

impl<'s> Reader<'s> {
    /// # Errors
    /// 1064 for what cannot be split into words.
    pub fn new(sql: &'s str) -> Result<Reader<'s>, SqlError> {
        Ok(Reader::of(sql, tokens(sql)?))
    }

    pub fn of(sql: &'s str, tokens: Vec<TokenWithSpan>) -> Reader<'s> {
        let parser = Parser::new(&DIALECT).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
        Reader { sql, parser }
    }

    /// How many tokens are left.
    pub fn remaining(&self) -> usize {
        (0..).take_while(|at| self.parser.peek_nth_token_ref(*at).token != Token::EOF).count()
    }

    pub fn peek(&self) -> Token {
        self.parser.peek_token().token
    }

    pub fn next(&mut self) -> Token {
        self.parser.next_token().token
    }

    /// The syntax error of the next token.
    pub fn wrong(&self) -> SqlError {
        let at = self.parser.peek_token().span.start;
        let near = match self.peek() {
            Token::EOF => "",
            _ => rest_of(self.sql, at),
        };
        syntax(near, if at.line == 0 { self.sql.lines().count().max(1) as u64 } else { at.line })
    }

    fn failed(&self, error: ParserError) -> SqlError {
        match error {
            ParserError::RecursionLimitExceeded => {
                SqlError::new(1436, "Thread stack overrun: the statement is nested too deeply")
            }
            ParserError::TokenizerError(_) | ParserError::ParserError(_) => {
                // The place is at the end of sqlparser's text; without one it is the end of the statement.
                let text = error.to_string();
                let number = |word: &str| {
                    let from = text.rfind(word)? + word.len();
                    let digits: String = text[from..].chars().take_while(char::is_ascii_digit).collect();
                    digits.parse::<u64>().ok()
                };
                match (number("Line: "), number("Column: ")) {
                    (Some(line), Some(column)) => syntax(rest_of(self.sql, Location { line, column }), line),
                    _ => self.wrong(),
                }
            }
        }
    }

    /// Whether the next token is this word, which is taken then.
    pub fn word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        if is {
            self.next();
        }
        is
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    /// All of these words, or none of them.
    pub fn words(&mut self, words: &str) -> bool {
        let all: Vec<&str> = words.split(' ').collect();
        let matches = all.iter().enumerate().all(|(at, word)| {
            matches!(self.parser.peek_nth_token(at).token,
                Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
        });
        if matches {
            for _ in all {
                self.next();
            }
        }
        matches
    }

    pub fn expect(&mut self, words: &str) -> Result<(), SqlError> {
        for word in words.split(' ') {
            if !self.word(word) {
                return Err(self.wrong());
            }
        }
        Ok(())
    }

    pub fn token(&mut self, token: &Token) -> bool {
        self.parser.consume_token(token)
    }

    pub fn expect_token(&mut self, token: &Token) -> Result<(), SqlError> {
        if self.token(token) { Ok(()) } else { Err(self.wrong()) }
    }

    /// The end of the statement.
    pub fn end(&mut self) -> Result<(), SqlError> {
        while self.token(&Token::SemiColon) {}
        if self.peek() == Token::EOF { Ok(()) } else { Err(self.wrong()) }
    }

    pub fn at_end(&self) -> bool {
        matches!(self.peek(), Token::EOF | Token::SemiColon)
    }

    /// The statement's text from the next token on.
    pub fn rest(&self) -> &'s str {
        match self.peek() {
            Token::EOF => "",
            _ => rest_of(self.sql, self.parser.peek_token().span.start)
                .trim_end()
                .trim_end_matches(';')
                .trim_end(),
        }
    }

    pub fn identifier(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Token::Word(word) => {
                self.next();
                Ok(word.value)
            }
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => Err(self.wrong()),
            _ => Err(self.wrong()),
        }
    }

    /// `[database.]name`
    pub fn name(&mut self) -> Result<(Option<String>, String), SqlError> {
        let first = self.identifier()?;
        if self.token(&Token::Period) {
            return Ok((Some(first), self.identifier()?));
        }
        // `.name` can be glued to what is before it.
        Ok((None, first))
    }

    pub fn string(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Token::SingleQuotedString(text)
            | Token::DoubleQuotedString(text)
            | Token::EscapedStringLiteral(text) => {
                self.next();
                Ok(text)
            }
            _ => Err(self.wrong()),
        }
    }

    pub fn number(&mut self) -> Result<u64, SqlError> {
        match self.peek() {
            Token::Number(text, _) => match text.parse() {
                Ok(number) => {
                    self.next();
                    Ok(number)
                }
                Err(_) => Err(self.wrong()),
            },
            _ => Err(self.wrong()),
        }
    }

    /// `user`, `'user'@'host'`, `CURRENT_USER`: an account's key.
    pub fn account(&mut self, current: &str) -> Result<String, SqlError> {
        if self.word("CURRENT_USER") {
            if self.token(&Token::LParen) {
                self.expect_token(&Token::RParen)?;
            }
            return Ok(current.into());
        }
        let user = self.text()?;
        // `@host` can be one token with its sign.
        if let Token::Word(word) = self.peek()
            && word.quote_style.is_none()
            && word.value.starts_with('@')
        {
            self.next();
            let host = &word.value[1..];
            let host = if host.is_empty() { self.text()? } else { self.dotted(host)? };
            return Ok(account(&user, &host));
        }
        if let Some((user, host)) = user.clone().split_once('@') {
            let host = if host.is_empty() { self.text()? } else { self.dotted(host)? };
            return Ok(account(user, &host));
        }
        if self.token(&Token::AtSign) {
            let host = if self.token(&Token::Mod) { "%".to_string() } else { self.text()? };
            return Ok(account(&user, &host));
        }
        Ok(account(&user, "%"))
    }

    /// The parts of a host's name after its first.
    fn dotted(&mut self, first: &str) -> Result<String, SqlError> {
        let mut host = first.to_string();
        while self.token(&Token::Period) {
            host = format!("{host}.{}", self.identifier()?);
        }
        Ok(host)
    }

    /// An identifier or a string.
    pub fn text(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Token::Word(_) => self.identifier(),
            _ => self.string(),
        }
    }

    pub fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut all = vec![one(self)?];
        while self.token(&Token::Comma) {
            all.push(one(self)?);
        }
        Ok(all)
    }

    pub fn expression(&mut self) -> Result<Expr, SqlError> {
        self.parser.parse_expr().map_err(|error| self.failed(error))
    }

    pub fn query(&mut self) -> Result<Box<Query>, SqlError> {
        self.parser.parse_query().map_err(|error| self.failed(error))
    }

    pub fn statement(&mut self) -> Result<Statement, SqlError> {
        self.parser.parse_statement().map_err(|error| self.failed(error))
    }

    /// A type with its attributes.
    pub fn data_type(&mut self) -> Result<Type, SqlError> {
        let found = self.parser.parse_data_type().map_err(|error| self.failed(error))?;
        let mut kind = Type::read(&found)?;
        loop {
            if self.word("UNSIGNED") {
                kind.unsigned = true;
            } else if self.word("SIGNED") || self.word("ZEROFILL") {
            } else if self.word("CHARSET") || self.words("CHARACTER SET") {
                kind.charset = Some(self.text()?.to_ascii_lowercase());
            } else if self.word("COLLATE") {
                self.text()?;
            } else {
                return Ok(kind);
            }
        }
    }

    /// `[IF] EXISTS` or `IF NOT EXISTS`
    pub fn if_exists(&mut self) -> bool {
        self.words("IF EXISTS")
    }

    pub fn if_not_exists(&mut self) -> bool {
        self.words("IF NOT EXISTS")
    }
}

/// The parts of a name, none of them a function.
pub(crate) fn parts_of(name: &ObjectName) -> Result<Vec<&Ident>, SqlError> {
    name.0.iter().map(|part| part.as_ident().ok_or_else(|| unsupported(format!("the name {name}")))).collect()
}

/// Database and name.
pub(crate) fn two(name: &ObjectName) -> Result<(Option<String>, String), SqlError> {
    match parts_of(name)?.as_slice() {
        [one] => Ok((None, one.value.clone())),
        [database, one] => Ok((Some(database.value.clone()), one.value.clone())),
        _ => Err(syntax(&name.to_string(), 1)),
    }
}
