//! GRANT and REVOKE.
//!
//! Facts: MySQL 8.0 Reference, "GRANT Statement", "REVOKE Statement"; fact book, section 2.3.

use super::catalog::{Catalog, Scope, account, parts};
use super::engine::{Outcome, Run};
use super::errors::{SqlError, needs, no_database, no_routine, no_table, unsupported};
use super::privileges::{self, MASTER, all_of};
use super::reader::Reader;
use super::schema::catalog;
use sqlparser::tokenizer::Token;
use std::collections::BTreeSet;

/// What GRANT and REVOKE are about.
enum What {
    Roles(Vec<String>),
    Privileges(BTreeSet<String>, Scope),
    /// REVOKE ALL PRIVILEGES, GRANT OPTION
    Everything,
}

fn what(reader: &mut Reader<'_>, r: &Run<'_>) -> Result<What, SqlError> {
    let current = r.session.account();
    let mut names: Vec<String> = Vec::new();
    let (mut all, mut option) = (false, false);
    loop {
        if reader.words("ALL PRIVILEGES") || reader.word("ALL") {
            all = true;
        } else if reader.words("GRANT OPTION") {
            option = true;
        } else if reader.word("PROXY") {
            return Err(unsupported("PROXY"));
        } else {
            names.push(one_name(reader, &current)?);
        }
        if !reader.token(&Token::Comma) {
            break;
        }
    }
    if !reader.word("ON") {
        if all && option && names.is_empty() {
            return Ok(What::Everything);
        }
        if all || option {
            return Err(reader.wrong());
        }
        let keys =
            names.iter().map(|name| if name.contains('@') { name.clone() } else { account(name, "%") });
        return Ok(What::Roles(keys.collect()));
    }
    let on = scope(reader, r)?;
    let mut privileges: BTreeSet<String> = names.iter().map(|name| name.to_ascii_uppercase()).collect();
    let known = ["INVOKE SAGEMAKER", "INVOKE COMPREHEND", "LOAD FROM S3", "SELECT INTO S3", "USAGE"];
    for name in &privileges {
        if known[..4].contains(&name.as_str()) {
            // Privileges of version 2, which version 3's grammar no longer has.
            return Err(super::errors::syntax(name, 1));
        }
        if !MASTER.contains(&name.as_str()) && name != "USAGE" && name != "SET_USER_ID" {
            return Err(SqlError::new(
                1149,
                format!(
                    "Illegal GRANT/REVOKE command; '{name}' is no privilege; please consult the manual to see which privileges can be used"
                ),
            ));
        }
        let wrong = match &on {
            Scope::Everything => false,
            scope => name != "USAGE" && !all_of(scope).contains(name),
        };
        if wrong {
            return Err(SqlError {
                state: "HY000".into(),
                ..SqlError::new(1221, "Incorrect usage of DB GRANT and GLOBAL PRIVILEGES")
            });
        }
    }
    privileges.remove("USAGE");
    if all {
        privileges.extend(all_of(&on));
    }
    if option {
        privileges.insert("GRANT OPTION".into());
    }
    Ok(What::Privileges(privileges, on))
}

/// The words of a privilege, or the name of a role.
fn one_name(reader: &mut Reader<'_>, current: &str) -> Result<String, SqlError> {
    let quoted = matches!(reader.peek(), Token::SingleQuotedString(_))
        || matches!(reader.peek(), Token::Word(word) if word.quote_style.is_some());
    if quoted {
        return reader.account(current);
    }
    let mut words = vec![reader.identifier()?];
    loop {
        match reader.peek() {
            Token::LParen => return Err(unsupported("privileges on columns")),
            Token::Word(word) if word.value.starts_with('@') => {
                reader.next();
                let host = word.value[1..].to_string();
                let host = if host.is_empty() { reader.text()? } else { host };
                return Ok(account(&words.join(" "), &host));
            }
            Token::AtSign => {
                reader.next();
                let host = reader.text()?;
                return Ok(account(&words.join(" "), &host));
            }
            Token::Word(word)
                if !["ON", "TO", "FROM"].iter().any(|end| word.value.eq_ignore_ascii_case(end)) =>
            {
                reader.next();
                words.push(word.value);
            }
            _ => return Ok(words.join(" ")),
        }
    }
}

fn scope(reader: &mut Reader<'_>, r: &Run<'_>) -> Result<Scope, SqlError> {
    let function = reader.word("FUNCTION");
    if !function {
        reader.word("TABLE");
    }
    if reader.token(&Token::Mul) {
        if reader.token(&Token::Period) {
            reader.expect_token(&Token::Mul)?;
            return Ok(Scope::Everything);
        }
        let database = r.session.database.clone().ok_or_else(super::errors::none_selected)?;
        return Ok(Scope::Database(database));
    }
    let first = reader.identifier()?;
    if reader.token(&Token::Period) {
        if reader.token(&Token::Mul) {
            return Ok(Scope::Database(first));
        }
        let name = reader.identifier()?;
        return Ok(if function {
            Scope::Function(first, name.to_ascii_lowercase())
        } else {
            Scope::Table(first, name)
        });
    }
    let database = r.session.database.clone().ok_or_else(super::errors::none_selected)?;
    Ok(if function {
        Scope::Function(database, first.to_ascii_lowercase())
    } else {
        Scope::Table(database, first)
    })
}

fn check_object(catalog: &Catalog, on: &Scope) -> Result<(), SqlError> {
    match on {
        Scope::Function(database, name) if catalog.routine(database, name).is_none() => {
            Err(no_routine(database, name))
        }
        Scope::Table(database, name) => match catalog.databases.get(database) {
            None => Err(no_database(database)),
            Some(schema) if !schema.tables.contains_key(name) => Err(no_table(database, name)),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether the session may pass these on.
fn check_option(r: &Run<'_>, privileges: &BTreeSet<String>, on: &Scope) -> Result<(), SqlError> {
    let held = r.data.catalog.accounts.get(&r.session.account());
    let may = held.is_some_and(|account| {
        account.grants.iter().any(|grant| {
            let covers = grant.on == *on || grant.on == Scope::Everything
                || matches!((&grant.on, on), (Scope::Database(a), Scope::Table(b, _) | Scope::Function(b, _)) if a == b);
            grant.grantable && covers && privileges.iter().all(|name| grant.privileges.contains(name) || name == "GRANT OPTION")
        })
    });
    if may {
        return Ok(());
    }
    let (user, host) = (&r.session.user, &r.session.host);
    Err(match on {
        Scope::Everything => {
            SqlError::new(1045, format!("Access denied for user '{user}'@'{host}' (using password: YES)"))
        }
        Scope::Database(name) => super::errors::denied_database(user, host, name),
        Scope::Table(_, name) => super::errors::denied_table("GRANT", user, host, name),
        Scope::Function(database, name) => {
            super::errors::denied_routine("grant", user, host, &format!("{database}.{name}"))
        }
    })
}

/// Roles are granted by who may pass them on.
fn check_admin(r: &Run<'_>, roles: &[String]) -> Result<(), SqlError> {
    if privileges::has(&r.data.catalog, r.session, "ROLE_ADMIN", &Scope::Everything) {
        return Ok(());
    }
    let held = r.data.catalog.accounts.get(&r.session.account());
    match roles.iter().all(|role| held.is_some_and(|account| account.roles.get(role) == Some(&true))) {
        true => Ok(()),
        false => Err(needs("WITH ADMIN, ROLE_ADMIN, SUPER")),
    }
}

pub(super) fn grant(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    let what = what(&mut reader, r)?;
    reader.expect("TO")?;
    let current = r.session.account();
    let keys = reader.list(|reader| reader.account(&current))?;
    let grantable = reader.words("WITH GRANT OPTION");
    let admin = reader.words("WITH ADMIN OPTION");
    reader.end()?;
    for key in &keys {
        if !r.data.catalog.accounts.contains_key(key) {
            return Err(match &what {
                What::Roles(_) => unknown(key),
                _ => SqlError {
                    state: "42000".into(),
                    ..SqlError::new(1410, "You are not allowed to create a user with GRANT")
                },
            });
        }
    }
    match what {
        What::Everything => return Err(reader.wrong()),
        What::Roles(roles) => {
            if let Some(role) = roles.iter().find(|role| !r.data.catalog.accounts.contains_key(*role)) {
                return Err(unknown(role));
            }
            check_admin(r, &roles)?;
            for key in &keys {
                if let Some(account) = catalog(r).accounts.get_mut(key) {
                    for role in &roles {
                        let before = account.roles.get(role).copied().unwrap_or(false);
                        account.roles.insert(role.clone(), before || admin);
                    }
                }
            }
        }
        What::Privileges(privileges, on) => {
            check_object(&r.data.catalog, &on)?;
            check_option(r, &privileges, &on)?;
            for key in &keys {
                if let Some(account) = catalog(r).accounts.get_mut(key)
                    && (grantable || !privileges.is_empty())
                {
                    privileges::add(&mut account.grants, &on, privileges.clone(), grantable);
                }
            }
        }
    }
    Ok(Outcome::defined())
}

pub(super) fn unknown(key: &str) -> SqlError {
    let (user, host) = parts(key);
    SqlError::new(3523, format!("Unknown authorization ID `{user}`@`{host}`"))
}

pub(super) fn revoke(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    reader.next();
    let lenient = reader.if_exists();
    let what = what(&mut reader, r)?;
    reader.expect("FROM")?;
    let current = r.session.account();
    let keys = reader.list(|reader| reader.account(&current))?;
    let quiet = reader.words("IGNORE UNKNOWN USER");
    reader.end()?;
    if let Some(key) = keys.iter().find(|key| !r.data.catalog.accounts.contains_key(*key)) {
        if quiet {
            return Ok(Outcome::defined());
        }
        return Err(match &what {
            What::Roles(_) => unknown(key),
            What::Everything => {
                SqlError::new(1269, "Can't revoke all privileges for one or more of the requested users")
            }
            What::Privileges(..) => no_grant(key),
        });
    }
    match what {
        What::Everything => {
            privileges::global(&r.data.catalog, r.session, "CREATE USER")?;
            for key in &keys {
                if let Some(account) = catalog(r).accounts.get_mut(key) {
                    account.grants.clear();
                }
            }
        }
        What::Roles(roles) => {
            if let Some(role) = roles.iter().find(|role| !r.data.catalog.accounts.contains_key(*role)) {
                if lenient {
                    return Ok(Outcome::defined());
                }
                return Err(unknown(role));
            }
            check_admin(r, &roles)?;
            for key in &keys {
                if let Some(account) = catalog(r).accounts.get_mut(key) {
                    for role in &roles {
                        account.roles.remove(role);
                        account.default_roles.remove(role);
                    }
                }
            }
        }
        What::Privileges(privileges, on) => {
            check_option(r, &privileges, &on)?;
            let option = privileges.contains("GRANT OPTION");
            for key in &keys {
                let Some(account) = catalog(r).accounts.get_mut(key) else { continue };
                let found = privileges::remove(&mut account.grants, &on, &privileges, option);
                if !found && on != Scope::Everything && !lenient {
                    return Err(match &on {
                        Scope::Table(_, name) => {
                            let (user, host) = parts(key);
                            SqlError::new(
                                1147,
                                format!(
                                    "There is no such grant defined for user '{user}' on host '{host}' on table '{name}'"
                                ),
                            )
                        }
                        Scope::Function(_, name) => {
                            let (user, host) = parts(key);
                            SqlError::new(
                                1403,
                                format!(
                                    "There is no such grant defined for user '{user}' on host '{host}' on routine '{name}'"
                                ),
                            )
                        }
                        _ => no_grant(key),
                    });
                }
            }
        }
    }
    Ok(Outcome::defined())
}

fn no_grant(key: &str) -> SqlError {
    let (user, host) = parts(key);
    SqlError::new(1141, format!("There is no such grant defined for user '{user}' on host '{host}'"))
}
