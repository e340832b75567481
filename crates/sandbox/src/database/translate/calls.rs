//! Stored functions: those with a body are put in where they are called, those of Aurora ask a service.
//!
//! A body without loops is one expression: an IF becomes a CASE, a variable what it was last set to.

use super::operators::logical;
use super::{Translator, Typed, literal, merged};
use crate::database::catalog::{Body, Routine};
use crate::database::errors::{SqlError, no_routine, none_selected, unsupported};
use crate::database::privileges;
use crate::database::reader::Reader;
use crate::database::session::{Ask, Session};
use crate::database::types::{Kind, Type};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;
use std::collections::BTreeMap;

/// A statement within a body.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Declare(Vec<String>, Type, Option<Expr>),
    Set(String, Expr),
    /// Conditions with what follows on each, and what follows on none.
    If(Vec<(Expr, Vec<Step>)>, Vec<Step>),
    Return(Expr),
}

/// Reads a body.
///
/// # Errors
/// 1064, 1320 without a RETURN, 1235 for what the sandbox does not carry out.
pub(crate) fn steps(reader: &mut Reader<'_>) -> Result<Vec<Step>, SqlError> {
    if !reader.is_word("BEGIN") {
        let step = step(reader)?;
        reader.end()?;
        return Ok(vec![step]);
    }
    reader.next();
    let steps = block(reader, &["END"])?;
    reader.expect("END")?;
    reader.end()?;
    Ok(steps)
}

fn block(reader: &mut Reader<'_>, ends: &[&str]) -> Result<Vec<Step>, SqlError> {
    let mut steps = Vec::new();
    while !ends.iter().any(|end| reader.is_word(end)) {
        steps.push(step(reader)?);
        reader.expect_token(&Token::SemiColon)?;
    }
    Ok(steps)
}

fn step(reader: &mut Reader<'_>) -> Result<Step, SqlError> {
    if reader.word("RETURN") {
        return Ok(Step::Return(reader.expression()?));
    }
    if reader.word("DECLARE") {
        let names = reader.list(Reader::identifier)?;
        let kind = reader.data_type()?;
        let default = if reader.word("DEFAULT") { Some(reader.expression()?) } else { None };
        return Ok(Step::Declare(names, kind, default));
    }
    if reader.word("SET") {
        let name = reader.identifier()?;
        if !reader.token(&Token::Eq) {
            reader.expect_token(&Token::Assignment)?;
        }
        return Ok(Step::Set(name, reader.expression()?));
    }
    if reader.word("IF") {
        let mut branches = Vec::new();
        loop {
            let condition = reader.expression()?;
            reader.expect("THEN")?;
            branches.push((condition, block(reader, &["ELSEIF", "ELSE", "END"])?));
            if !reader.word("ELSEIF") {
                break;
            }
        }
        let otherwise = if reader.word("ELSE") { block(reader, &["END"])? } else { Vec::new() };
        reader.expect("END IF")?;
        return Ok(Step::If(branches, otherwise));
    }
    match reader.peek() {
        Token::Word(word) if word.quote_style.is_none() => {
            Err(unsupported(format!("{} in the body of a function", word.value)))
        }
        _ => Err(reader.wrong()),
    }
}

/// Whether a body can return.
pub(crate) fn returns(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Return(_) => true,
        Step::If(branches, otherwise) => {
            branches.iter().any(|(_, steps)| returns(steps)) || returns(otherwise)
        }
        _ => false,
    })
}

impl Translator<'_> {
    pub(super) fn stored_function(
        &mut self,
        database: Option<&str>,
        name: &str,
        given: &[&Expr],
    ) -> Result<Typed, SqlError> {
        let database = database.or(self.session.database.as_deref()).ok_or_else(none_selected)?.to_string();
        let routine = self.catalog.routine(&database, name).ok_or_else(|| no_routine(&database, name))?;
        privileges::routine(self.catalog, &self.session, "EXECUTE", &database, name)?;
        if given.len() != routine.arguments.len() {
            return Err(SqlError::new(
                1318,
                format!(
                    "Incorrect number of arguments for FUNCTION {database}.{}; expected {}, got {}",
                    routine.name,
                    routine.arguments.len(),
                    given.len()
                ),
            ));
        }
        let mut arguments = Vec::with_capacity(given.len());
        for (one, (name, kind)) in given.iter().zip(&routine.arguments) {
            let typed = self.expression(one)?;
            arguments.push((name.to_ascii_lowercase(), self.stored(&typed, kind, name, 1)?));
        }
        match &routine.body {
            Body::SageMaker { endpoint, .. } => {
                privileges::feature(self.catalog, &self.session, "AWS_SAGEMAKER_ACCESS")?;
                self.asked(Ask::Endpoint(endpoint.clone()), routine, &arguments)
            }
            Body::Bedrock { model, .. } => {
                privileges::feature(self.catalog, &self.session, "AWS_BEDROCK_ACCESS")?;
                self.asked(Ask::Bedrock { model: model.clone() }, routine, &arguments)
            }
            Body::Sql(body) => self.inlined(&database, routine, body, arguments),
        }
    }

    fn asked(&mut self, ask: Ask, routine: &Routine, given: &[(String, Typed)]) -> Result<Typed, SqlError> {
        let name = self.ask(ask);
        let arguments: Vec<&str> = given.iter().map(|(_, typed)| typed.sql.as_str()).collect();
        let answer = Typed::new(format!("{name}({})", arguments.join(", ")), Kind::Varchar);
        self.stored(&answer, &routine.returns, &format!("{}()", routine.name), 1)
    }

    fn inlined(
        &mut self,
        database: &str,
        routine: &Routine,
        body: &str,
        arguments: Vec<(String, Typed)>,
    ) -> Result<Typed, SqlError> {
        self.enter()?;
        let steps = steps(&mut Reader::new(body)?)?;
        // MySQL 8.0 Reference, "Stored Object Access Control".
        let mut inside = self.session.clone();
        if !routine.invoker {
            let (user, host) = crate::database::catalog::parts(&routine.definer);
            inside = Session {
                now: inside.now,
                seed: inside.seed,
                ..Session::login(self.catalog, user, host, inside.variables.clone())
            };
        }
        inside.database = Some(database.to_string());
        let outside = std::mem::replace(&mut self.session, inside);
        let frames = std::mem::take(&mut self.frames);
        self.locals.push(arguments.into_iter().collect());
        let kinds: BTreeMap<String, Type> =
            routine.arguments.iter().map(|(name, kind)| (name.to_ascii_lowercase(), kind.clone())).collect();
        let found = self.run(&steps, kinds);
        self.locals.pop();
        self.frames = frames;
        let seed = self.session.seed;
        self.session = Session { seed, ..outside };
        self.leave();
        let found = found?.unwrap_or_else(|| {
            // MySQL: error 1321 at run time, when the end is reached.
            let error = SqlError::new(1321, format!("FUNCTION {} ended without RETURN", routine.name));
            Typed::new(format!("my_fail({})", literal(&error.carried())), Kind::Null)
        });
        self.stored(&found, &routine.returns, &format!("{}()", routine.name), 1)
    }

    /// What steps return; nothing where they come to their end.
    fn run(&mut self, steps: &[Step], mut kinds: BTreeMap<String, Type>) -> Result<Option<Typed>, SqlError> {
        let Some((first, rest)) = steps.split_first() else { return Ok(None) };
        match first {
            Step::Return(expr) => {
                let typed = self.expression(expr)?;
                return self.grown(typed).map(Some);
            }
            Step::Declare(names, kind, default) => {
                let value = match default {
                    Some(expr) => {
                        let typed = self.expression(expr)?;
                        self.stored(&typed, kind, "", 1)?
                    }
                    None => Typed::of("NULL", kind.clone()),
                };
                for name in names {
                    kinds.insert(name.to_ascii_lowercase(), kind.clone());
                    self.assign(name, value.clone());
                }
            }
            Step::Set(name, expr) => {
                let kind = kinds
                    .get(&name.to_ascii_lowercase())
                    .cloned()
                    .ok_or_else(|| SqlError::new(1193, format!("Unknown system variable '{name}'")))?;
                let typed = self.expression(expr)?;
                let typed = self.stored(&typed, &kind, name, 1)?;
                let typed = self.grown(typed)?;
                self.assign(name, typed);
            }
            Step::If(branches, otherwise) => {
                // Each branch goes on with what follows the IF.
                let (mut sql, mut kind, mut any) = ("CASE".to_string(), Type::new(Kind::Null), false);
                let nothing = Typed::new("NULL", Kind::Null);
                for (condition, steps) in branches {
                    let condition = self.expression(condition)?;
                    let before = self.locals.last().cloned();
                    let whole: Vec<Step> = steps.iter().chain(rest).cloned().collect();
                    let found = self.run(&whole, kinds.clone())?;
                    self.restore(before);
                    any |= found.is_some();
                    let found = found.unwrap_or_else(|| nothing.clone());
                    sql.push_str(&format!(" WHEN {} THEN {}", logical(&condition), found.sql));
                    kind = merged(&kind, &found.kind);
                }
                let before = self.locals.last().cloned();
                let whole: Vec<Step> = otherwise.iter().chain(rest).cloned().collect();
                let found = self.run(&whole, kinds)?;
                self.restore(before);
                any |= found.is_some();
                let found = found.unwrap_or(nothing);
                sql.push_str(&format!(" ELSE {} END", found.sql));
                kind = merged(&kind, &found.kind);
                let typed = self.grown(Typed::of(format!("({sql})"), kind))?;
                return Ok(any.then_some(typed));
            }
        }
        self.run(rest, kinds)
    }

    fn assign(&mut self, name: &str, value: Typed) {
        if let Some(locals) = self.locals.last_mut() {
            locals.insert(name.to_ascii_lowercase(), value);
        }
    }

    fn restore(&mut self, before: Option<BTreeMap<String, Typed>>) {
        if let (Some(locals), Some(before)) = (self.locals.last_mut(), before) {
            *locals = before;
        }
    }
}
