//! Users and roles.
//!
//! Facts: MySQL 8.0 Reference, "Account Management Statements", "Using Roles"; fact book, section 2.3.

use super::catalog::{Account, Catalog, parts};
use super::engine::{Outcome, Run};
use super::errors::{SqlError, needs, unsupported};
use super::grants::unknown;
use super::privileges;
use super::reader::Reader;
use super::schema::catalog;
use crate::s3::sha256;
use sqlparser::tokenizer::Token;
use std::collections::BTreeSet;

/// What a password becomes here.
pub(crate) fn hashed(password: &str) -> String {
    sha256(password.as_bytes())
}

/// `'a'@'b','c'@'d'`
fn listed(keys: &[String]) -> String {
    let names = keys.iter().map(|key| {
        let (user, host) = parts(key);
        format!("'{user}'@'{host}'")
    });
    names.collect::<Vec<_>>().join(",")
}

pub(super) fn create(r: &mut Run<'_>, mut reader: Reader<'_>, role: bool) -> Result<Outcome, SqlError> {
    let lenient = reader.if_not_exists();
    let current = r.session.account();
    let mut made: Vec<(String, Option<String>)> = Vec::new();
    loop {
        let key = reader.account(&current)?;
        let mut password = None;
        if !role && reader.word("IDENTIFIED") {
            password = identified(&mut reader)?;
        }
        made.push((key, password));
        if !reader.token(&Token::Comma) {
            break;
        }
    }
    let mut defaults = BTreeSet::new();
    if !role && reader.words("DEFAULT ROLE") {
        defaults = reader.list(|reader| reader.account(&current))?.into_iter().collect();
    }
    // REQUIRE, WITH, ACCOUNT LOCK: nothing here depends on them.
    while !reader.at_end() {
        reader.next();
    }
    let (privilege, other) =
        if role { ("CREATE ROLE", "CREATE USER") } else { ("CREATE USER", "CREATE USER") };
    if privileges::global(&r.data.catalog, r.session, privilege).is_err() {
        privileges::global(&r.data.catalog, r.session, other)?;
    }
    let there: Vec<String> = made
        .iter()
        .map(|(key, _)| key.clone())
        .filter(|key| r.data.catalog.accounts.contains_key(key))
        .collect();
    if !there.is_empty() && !lenient {
        let what = if role { "ROLE" } else { "USER" };
        return Err(SqlError::new(1396, format!("Operation CREATE {what} failed for {}", listed(&there))));
    }
    for (key, password) in made {
        if !there.contains(&key) {
            let account = Account {
                password: (!role).then(|| hashed(&password.unwrap_or_default())),
                is_role: role,
                roles: defaults.iter().map(|role| (role.clone(), false)).collect(),
                default_roles: defaults.clone(),
                ..Account::default()
            };
            catalog(r).accounts.insert(key, account);
        }
    }
    Ok(Outcome::defined())
}

/// What follows IDENTIFIED: the password, where one is given in the clear.
fn identified(reader: &mut Reader<'_>) -> Result<Option<String>, SqlError> {
    if reader.word("WITH") {
        reader.text()?;
        if reader.word("AS") {
            // A hash, or the plugin for IAM's tokens: no password of that is known.
            reader.string()?;
            return Ok(None);
        }
        if !reader.word("BY") {
            return Ok(None);
        }
    } else {
        reader.expect("BY")?;
    }
    if reader.words("RANDOM PASSWORD") {
        return Err(unsupported("RANDOM PASSWORD"));
    }
    reader.string().map(Some)
}

pub(super) fn alter_user(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let lenient = reader.if_exists();
    let key = reader.account(&r.session.account())?;
    let mut password = None;
    if reader.word("IDENTIFIED") {
        password = identified(&mut reader)?;
    }
    let defaults = if reader.words("DEFAULT ROLE") { Some(roles(&mut reader, r)?) } else { None };
    while !reader.at_end() {
        reader.next();
    }
    if key != r.session.account() {
        privileges::global(&r.data.catalog, r.session, "CREATE USER")?;
    }
    if !r.data.catalog.accounts.contains_key(&key) {
        if lenient {
            return Ok(Outcome::defined());
        }
        return Err(SqlError::new(1396, format!("Operation ALTER USER failed for {}", listed(&[key]))));
    }
    if let Some(account) = catalog(r).accounts.get_mut(&key)
        && let Some(password) = password
    {
        account.password = Some(hashed(&password));
    }
    match defaults {
        Some(which) => set_defaults(r, &[key], &which),
        None => Ok(Outcome::defined()),
    }
}

pub(super) fn drop(r: &mut Run<'_>, mut reader: Reader<'_>, role: bool) -> Result<Outcome, SqlError> {
    let lenient = reader.if_exists();
    let current = r.session.account();
    let keys = reader.list(|reader| reader.account(&current))?;
    reader.end()?;
    if !role || privileges::global(&r.data.catalog, r.session, "DROP ROLE").is_err() {
        privileges::global(&r.data.catalog, r.session, "CREATE USER")?;
    }
    let missing: Vec<String> =
        keys.iter().filter(|key| !r.data.catalog.accounts.contains_key(*key)).cloned().collect();
    if !missing.is_empty() && !lenient {
        let what = if role { "ROLE" } else { "USER" };
        return Err(SqlError::new(1396, format!("Operation DROP {what} failed for {}", listed(&missing))));
    }
    let catalog = catalog(r);
    for key in keys {
        catalog.accounts.remove(&key);
        for account in catalog.accounts.values_mut() {
            account.roles.remove(&key);
            account.default_roles.remove(&key);
        }
    }
    Ok(Outcome::defined())
}

/// Which roles a SET is about.
pub(super) enum Roles {
    None,
    All,
    Default,
    AllExcept(Vec<String>),
    These(Vec<String>),
}

fn roles(reader: &mut Reader<'_>, r: &Run<'_>) -> Result<Roles, SqlError> {
    let current = r.session.account();
    if reader.word("NONE") {
        return Ok(Roles::None);
    }
    if reader.word("DEFAULT") {
        return Ok(Roles::Default);
    }
    if reader.words("ALL EXCEPT") {
        return Ok(Roles::AllExcept(reader.list(|reader| reader.account(&current))?));
    }
    if reader.word("ALL") {
        return Ok(Roles::All);
    }
    Ok(Roles::These(reader.list(|reader| reader.account(&current))?))
}

/// The roles of an account that are meant; 3530 for one that it has not.
fn resolved(catalog: &Catalog, key: &str, which: &Roles) -> Result<BTreeSet<String>, SqlError> {
    let Some(account) = catalog.accounts.get(key) else { return Err(unknown(key)) };
    let granted: BTreeSet<String> = account.roles.keys().cloned().collect();
    Ok(match which {
        Roles::None => BTreeSet::new(),
        Roles::All => granted,
        Roles::Default => account.default_roles.clone(),
        Roles::AllExcept(except) => granted.into_iter().filter(|role| !except.contains(role)).collect(),
        Roles::These(these) => {
            let same = |role: &&String| these.iter().any(|one| one.eq_ignore_ascii_case(role));
            if let Some(missing) =
                these.iter().find(|one| !granted.iter().any(|role| role.eq_ignore_ascii_case(one)))
            {
                let ((role, at), (user, host)) = (parts(missing), parts(key));
                return Err(SqlError::new(
                    3530,
                    format!("`{role}`@`{at}` is not granted to `{user}`@`{host}`"),
                ));
            }
            granted.iter().filter(same).cloned().collect()
        }
    })
}

fn set_defaults(r: &mut Run<'_>, keys: &[String], which: &Roles) -> Result<Outcome, SqlError> {
    for key in keys {
        if *key != r.session.account() {
            privileges::global(&r.data.catalog, r.session, "CREATE USER")?;
        }
        let found = resolved(&r.data.catalog, key, which)?;
        if let Some(account) = catalog(r).accounts.get_mut(key) {
            account.default_roles = found;
        }
    }
    Ok(Outcome::defined())
}

pub(super) fn set(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    if reader.words("DEFAULT ROLE") {
        let which = roles(&mut reader, r)?;
        reader.expect("TO")?;
        let current = r.session.account();
        let keys = reader.list(|reader| reader.account(&current))?;
        reader.end()?;
        return set_defaults(r, &keys, &which);
    }
    if reader.word("ROLE") {
        let which = roles(&mut reader, r)?;
        reader.end()?;
        r.session.roles = resolved(&r.data.catalog, &r.session.account(), &which)?;
        return Ok(Outcome::done(0));
    }
    if reader.word("PASSWORD") {
        return Err(unsupported("SET PASSWORD"));
    }
    if reader.word("GLOBAL") || reader.word("PERSIST") {
        // Aurora: nobody has SYSTEM_VARIABLES_ADMIN; parameter groups are the way.
        return Err(needs("SUPER or SYSTEM_VARIABLES_ADMIN"));
    }
    // Variables of a session end with it, which here is the statement.
    while !reader.at_end() {
        reader.next();
    }
    reader.end()?;
    Ok(Outcome::done(0))
}
