//! CREATE FUNCTION, DROP FUNCTION.
//!
//! Facts: MySQL 8.0 Reference, "CREATE PROCEDURE and CREATE FUNCTION Statements"; for what ALIAS adds: fact book,
//! section 2.1, and Aurora User Guide, "Using Amazon SageMaker AI with your Aurora MySQL DB cluster", "Using Amazon
//! Bedrock …".

use super::catalog::{Body, Routine};
use super::engine::{Outcome, Run};
use super::errors::{SqlError, no_routine, unsupported};
use super::privileges;
use super::reader::Reader;
use super::schema::{catalog, check_name, home};
use super::translate::{returns, steps};
use super::types::{Kind, Type};
use sqlparser::tokenizer::Token;

/// Aurora User Guide: the default and, believed, the most.
const BATCH_MAX: u64 = 10_000;

pub(super) fn create(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let mut definer = definer(r, &mut reader)?;
    let aggregate = reader.word("AGGREGATE");
    if !reader.word("FUNCTION") {
        // A statement of another kind, if it is one at all.
        Reader::new(r.sql)?.statement()?;
        return Err(unsupported(r.sql));
    }
    let lenient = reader.if_not_exists();
    let (database, name) = reader.name()?;
    if aggregate || reader.is_word("RETURNS") {
        return Err(unsupported("loadable functions"));
    }
    reader.expect_token(&Token::LParen)?;
    let mut arguments: Vec<(String, Type)> = Vec::new();
    let from = reader.rest();
    if !reader.token(&Token::RParen) {
        arguments = reader.list(|reader| Ok((reader.identifier()?, reader.data_type()?)))?;
        reader.expect_token(&Token::RParen)?;
    }
    let behind = reader.rest();
    let written = from[..from.len().saturating_sub(behind.len())].trim_end();
    let written = written.strip_suffix(')').unwrap_or(written).trim();
    // Aurora's grammar has the definer here as well.
    if definer.is_none() {
        definer = self::definer(r, &mut reader)?;
    }
    reader.expect("RETURNS")?;
    let returns_type = reader.data_type()?;
    let mut routine = Routine {
        name: name.clone(),
        definer: definer.unwrap_or_else(|| r.session.account()),
        arguments,
        written: written.to_string(),
        returns: returns_type,
        deterministic: false,
        invoker: false,
        access: "CONTAINS SQL".into(),
        comment: String::new(),
        created: r.session.now,
        body: Body::Sql(String::new()),
    };
    let said = characteristics(&mut reader, &mut routine)?;
    routine.body = if reader.word("ALIAS") {
        alias(&mut reader, &routine, said)?
    } else {
        let body = reader.rest().to_string();
        let found = steps(&mut Reader::new(&body)?)?;
        if !returns(&found) {
            return Err(SqlError::new(
                1320,
                format!("No RETURN found in FUNCTION {}", label(r, &database, &name)),
            ));
        }
        Body::Sql(body)
    };
    check_name(&name)?;
    let database = home(r, database)?;
    privileges::database(&r.data.catalog, r.session, "CREATE ROUTINE", &database)?;
    for (at, (one, _)) in routine.arguments.iter().enumerate() {
        if routine.arguments[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(one)) {
            return Err(SqlError {
                state: "42000".into(),
                ..SqlError::new(1330, format!("Duplicate parameter: {one}"))
            });
        }
    }
    let lower = name.to_ascii_lowercase();
    if r.data.catalog.routine(&database, &name).is_some() {
        if lenient {
            return Ok(Outcome::defined());
        }
        return Err(SqlError::new(1304, format!("FUNCTION {name} already exists")));
    }
    // "automatic_sp_privileges": who makes a function may call and drop it.
    let account = r.session.account();
    let catalog = catalog(r);
    if let Some(schema) = catalog.databases.get_mut(&database) {
        schema.routines.insert(lower.clone(), routine);
    }
    if let Some(account) = catalog.accounts.get_mut(&account) {
        let on = super::catalog::Scope::Function(database, lower);
        let covered = account.grants.iter().any(|grant| {
            grant.on == super::catalog::Scope::Everything && grant.privileges.contains("EXECUTE")
        });
        if !covered {
            let own = ["EXECUTE".to_string(), "ALTER ROUTINE".to_string()];
            privileges::add(&mut account.grants, &on, own.into(), false);
        }
    }
    Ok(Outcome::defined())
}

fn label(r: &Run<'_>, database: &Option<String>, name: &str) -> String {
    match database.as_ref().or(r.session.database.as_ref()) {
        Some(database) => format!("{database}.{name}"),
        None => name.to_string(),
    }
}

fn definer(r: &Run<'_>, reader: &mut Reader<'_>) -> Result<Option<String>, SqlError> {
    if !reader.word("DEFINER") {
        return Ok(None);
    }
    reader.expect_token(&Token::Eq)?;
    let key = reader.account(&r.session.account())?;
    if key != r.session.account()
        && !privileges::has(&r.data.catalog, r.session, "ROLE_ADMIN", &super::catalog::Scope::Everything)
    {
        return Err(super::errors::needs("SUPER or SET_USER_ID"));
    }
    Ok(Some(key))
}

/// Reads them; the first of those that Aurora's functions must not have.
fn characteristics(reader: &mut Reader<'_>, routine: &mut Routine) -> Result<Option<&'static str>, SqlError> {
    let mut said = None;
    loop {
        let access = ["CONTAINS SQL", "NO SQL", "READS SQL DATA", "MODIFIES SQL DATA"]
            .into_iter()
            .find(|access| reader.words(access));
        if let Some(access) = access {
            routine.access = access.into();
            said.get_or_insert(access);
        } else if reader.words("NOT DETERMINISTIC") {
            routine.deterministic = false;
        } else if reader.word("DETERMINISTIC") {
            routine.deterministic = true;
            said.get_or_insert("DETERMINISTIC");
        } else if reader.words("LANGUAGE SQL") {
        } else if reader.words("SQL SECURITY") {
            routine.invoker = reader.word("INVOKER");
            if !routine.invoker {
                reader.expect("DEFINER")?;
            }
        } else if reader.word("COMMENT") {
            routine.comment = reader.string()?;
        } else {
            return Ok(said);
        }
    }
}

fn alias(reader: &mut Reader<'_>, routine: &Routine, said: Option<&str>) -> Result<Body, SqlError> {
    if let Some(said) = said {
        // "You can't use the characteristics …": which error that is, nobody tells.
        return Err(SqlError::new(
            1235,
            format!("This version of MySQL doesn't yet support '{said} in a function with ALIAS'"),
        ));
    }
    let sagemaker = reader.word("AWS_SAGEMAKER_INVOKE_ENDPOINT");
    if !sagemaker && !reader.word("AWS_BEDROCK_INVOKE_MODEL") {
        return Err(reader.wrong());
    }
    check_returns(&routine.returns, sagemaker)?;
    let body = if sagemaker {
        reader.expect("ENDPOINT NAME")?;
        let endpoint = reader.string()?;
        let batch = if reader.word("MAX_BATCH_SIZE") { Some(reader.number()?) } else { None };
        if batch == Some(0) || batch.is_some_and(|batch| batch > BATCH_MAX) {
            return Err(SqlError {
                state: "22003".into(),
                ..SqlError::new(1690, "MAX_BATCH_SIZE value is out of range")
            });
        }
        if endpoint.is_empty() {
            return Err(SqlError::new(1210, "Incorrect arguments to ENDPOINT NAME"));
        }
        Body::SageMaker { endpoint, batch }
    } else {
        reader.expect("MODEL ID")?;
        let model = reader.string()?;
        let (mut content_type, mut accept, mut timeout_ms) = (None, None, None);
        loop {
            if content_type.is_none() && reader.word("CONTENT_TYPE") {
                content_type = Some(reader.string()?);
            } else if accept.is_none() && reader.word("ACCEPT") {
                accept = Some(reader.string()?);
            } else if timeout_ms.is_none() && reader.word("TIMEOUT_MS") {
                timeout_ms = Some(reader.number()?);
            } else {
                break;
            }
        }
        Body::Bedrock { model, content_type, accept, timeout_ms }
    };
    reader.end()?;
    Ok(body)
}

/// "All Aurora machine learning stored functions return numeric types or VARCHAR. You can use any numeric type except
/// BIT." The same page has a Bedrock function that returns TEXT, and says that those don't return JSON.
fn check_returns(kind: &Type, sagemaker: bool) -> Result<(), SqlError> {
    let text = matches!(kind.kind, Kind::Text | Kind::MediumText | Kind::LongText | Kind::TinyText);
    let allowed = kind.is_number() && !matches!(kind.kind, Kind::Bit | Kind::Year)
        || kind.kind == Kind::Varchar
        || text && !sagemaker;
    if allowed {
        return Ok(());
    }
    // The text is believed.
    let what =
        format!("{} as the return type of a machine learning function", kind.name().to_ascii_uppercase());
    Err(SqlError::new(1235, format!("This version of MySQL doesn't yet support '{what}'")))
}

pub(super) fn drop(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let lenient = reader.if_exists();
    let (database, name) = reader.name()?;
    reader.end()?;
    let database =
        database.or_else(|| r.session.database.clone()).ok_or_else(super::errors::none_selected)?;
    if r.data.catalog.routine(&database, &name).is_none() {
        if lenient {
            return Ok(Outcome::defined());
        }
        return Err(no_routine(&database, &name));
    }
    privileges::routine(&r.data.catalog, r.session, "ALTER ROUTINE", &database, &name)?;
    let lower = name.to_ascii_lowercase();
    let catalog = catalog(r);
    if let Some(schema) = catalog.databases.get_mut(&database) {
        schema.routines.remove(&lower);
    }
    // Its grants go with it.
    let on = super::catalog::Scope::Function(database, lower);
    for account in catalog.accounts.values_mut() {
        account.grants.retain(|grant| grant.on != on);
    }
    Ok(Outcome::defined())
}
