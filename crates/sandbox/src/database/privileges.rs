//! Who may do what. Facts: MySQL 8.0 Reference, chapter 8.2 "Access Control and Account Management".

use super::catalog::{Catalog, Grant, Scope};
use super::errors::{SqlError, denied_database, denied_routine, denied_table, needs};
use super::session::Session;
use std::collections::{BTreeMap, BTreeSet};

/// What the master user of an Aurora MySQL 3 cluster has on everything: Aurora User Guide, "Role-based privilege
/// model", the example of SHOW GRANTS.
pub(crate) const MASTER: [&str; 27] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "RELOAD",
    "PROCESS",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "SHOW DATABASES",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "REPLICATION SLAVE",
    "REPLICATION CLIENT",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "CREATE USER",
    "EVENT",
    "TRIGGER",
    "CREATE ROLE",
    "DROP ROLE",
    "ROLE_ADMIN",
];

/// The order in which MySQL tells them.
pub(crate) fn ordered(privileges: &BTreeSet<String>) -> Vec<&str> {
    let mut all: Vec<&str> = privileges.iter().map(String::as_str).collect();
    all.sort_by_key(|name| (MASTER.iter().position(|known| known == name).unwrap_or(usize::MAX), *name));
    all
}

/// Privileges that `ALL` stands for on a database, a table or a function.
pub(crate) fn all_of(scope: &Scope) -> BTreeSet<String> {
    let names: &[&str] = match scope {
        Scope::Everything => &MASTER,
        Scope::Database(_) => &[
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "CREATE",
            "DROP",
            "REFERENCES",
            "INDEX",
            "ALTER",
            "CREATE TEMPORARY TABLES",
            "LOCK TABLES",
            "EXECUTE",
            "CREATE VIEW",
            "SHOW VIEW",
            "CREATE ROUTINE",
            "ALTER ROUTINE",
            "EVENT",
            "TRIGGER",
        ],
        Scope::Table(..) => &[
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "CREATE",
            "DROP",
            "REFERENCES",
            "INDEX",
            "ALTER",
            "CREATE VIEW",
            "SHOW VIEW",
            "TRIGGER",
        ],
        Scope::Function(..) => &["EXECUTE", "ALTER ROUTINE"],
    };
    names.iter().map(|name| (*name).to_string()).collect()
}

fn covers(held: &Scope, asked: &Scope) -> bool {
    match (held, asked) {
        (Scope::Everything, _) => true,
        (
            Scope::Database(held),
            Scope::Database(database) | Scope::Table(database, _) | Scope::Function(database, _),
        ) => {
            // A database's name in a grant is a pattern.
            super::plain::like(
                database.to_lowercase().as_bytes(),
                held.to_lowercase().as_bytes(),
                Some(b'\\'),
            )
        }
        (held, asked) => held == asked,
    }
}

/// The grants that hold for the session: its account's own, and those of its active roles.
fn grants<'c>(catalog: &'c Catalog, session: &Session) -> Vec<&'c Grant> {
    let mut open: Vec<String> = session.roles.iter().cloned().collect();
    open.push(session.account());
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(key) = open.pop() {
        let Some(account) = catalog.accounts.get(&key) else { continue };
        if !seen.insert(key) {
            continue;
        }
        found.extend(&account.grants);
        // A role brings the roles within it; a user's own are active or not by themselves.
        if account.is_role {
            open.extend(account.roles.keys().cloned());
        }
    }
    found
}

/// Whether the session has a privilege there. The system's schemas can be read by all who ask (`mysql` by those who may
/// read everything).
pub(crate) fn has(catalog: &Catalog, session: &Session, privilege: &str, on: &Scope) -> bool {
    grants(catalog, session).iter().any(|grant| covers(&grant.on, on) && grant.privileges.contains(privilege))
}

/// Whether the session has any privilege on a table or function, or in a database: what it has none on is not shown.
pub(crate) fn sees(catalog: &Catalog, session: &Session, on: &Scope) -> bool {
    let inside = |held: &Scope| match (held, on) {
        (Scope::Table(database, _) | Scope::Function(database, _), Scope::Database(asked)) => {
            database == asked
        }
        _ => false,
    };
    grants(catalog, session)
        .iter()
        .any(|grant| !grant.privileges.is_empty() && (covers(&grant.on, on) || inside(&grant.on)))
}

/// # Errors
/// 1142
pub(crate) fn table(
    catalog: &Catalog,
    session: &Session,
    privilege: &str,
    database: &str,
    name: &str,
) -> Result<(), SqlError> {
    if has(catalog, session, privilege, &Scope::Table(database.into(), name.into())) {
        return Ok(());
    }
    Err(denied_table(privilege, &session.user, "rdsdataapi", name))
}

/// # Errors
/// 1044
pub(crate) fn database(
    catalog: &Catalog,
    session: &Session,
    privilege: &str,
    name: &str,
) -> Result<(), SqlError> {
    if has(catalog, session, privilege, &Scope::Database(name.into())) {
        return Ok(());
    }
    Err(denied_database(&session.user, &session.host, name))
}

/// # Errors
/// 1370
pub(crate) fn routine(
    catalog: &Catalog,
    session: &Session,
    privilege: &str,
    database: &str,
    name: &str,
) -> Result<(), SqlError> {
    let on = Scope::Function(database.into(), name.to_ascii_lowercase());
    if has(catalog, session, privilege, &on) {
        return Ok(());
    }
    let command = privilege.to_ascii_lowercase();
    Err(denied_routine(&command, &session.user, &session.host, &format!("{database}.{name}")))
}

/// # Errors
/// 1227
pub(crate) fn global(catalog: &Catalog, session: &Session, privilege: &str) -> Result<(), SqlError> {
    if has(catalog, session, privilege, &Scope::Everything) { Ok(()) } else { Err(needs(privilege)) }
}

/// A feature of Aurora that needs one of its roles.
///
/// # Errors
/// 1227, with the name that the privilege has in version 2: that version 3 still says it is believed.
pub(crate) fn feature(catalog: &Catalog, session: &Session, role: &str) -> Result<(), SqlError> {
    if session.has_role(catalog, role) {
        return Ok(());
    }
    Err(needs(match role {
        "AWS_LOAD_S3_ACCESS" => "LOAD FROM S3",
        "AWS_SELECT_S3_ACCESS" => "SELECT INTO S3",
        "AWS_SAGEMAKER_ACCESS" => "INVOKE SAGEMAKER",
        "AWS_COMPREHEND_ACCESS" => "INVOKE COMPREHEND",
        "AWS_BEDROCK_ACCESS" => "INVOKE BEDROCK",
        other => other,
    }))
}

/// Adds privileges to those that are there.
pub(crate) fn add(grants: &mut Vec<Grant>, on: &Scope, privileges: BTreeSet<String>, grantable: bool) {
    match grants.iter_mut().find(|grant| grant.on == *on) {
        Some(grant) => {
            grant.privileges.extend(privileges);
            grant.grantable |= grantable;
        }
        None => grants.push(Grant { on: on.clone(), privileges, grantable }),
    }
}

/// Takes privileges away; whether there were any on that object.
pub(crate) fn remove(
    grants: &mut Vec<Grant>,
    on: &Scope,
    privileges: &BTreeSet<String>,
    grantable: bool,
) -> bool {
    let Some(at) = grants.iter().position(|grant| grant.on == *on) else { return false };
    grants[at].privileges.retain(|name| !privileges.contains(name));
    if grantable {
        grants[at].grantable = false;
    }
    if grants[at].privileges.is_empty() && !grants[at].grantable {
        grants.remove(at);
    }
    true
}

/// The lines of SHOW GRANTS for an account, with the privileges of `using` roles as well.
pub(crate) fn shown(catalog: &Catalog, key: &str, using: &[String]) -> Vec<String> {
    let Some(account) = catalog.accounts.get(key) else { return Vec::new() };
    let who = super::catalog::quoted(key);
    let mut grants = account.grants.clone();
    for role in using {
        for grant in catalog.accounts.get(role).map(|role| role.grants.as_slice()).unwrap_or_default() {
            add(&mut grants, &grant.on, grant.privileges.clone(), grant.grantable);
        }
    }
    let mut lines = Vec::new();
    let everything = grants.iter().find(|grant| grant.on == Scope::Everything);
    let list = |grant: &Grant| ordered(&grant.privileges).join(", ");
    let option = |grant: &Grant| if grant.grantable { " WITH GRANT OPTION" } else { "" };
    match everything {
        Some(grant) if !grant.privileges.is_empty() => {
            lines.push(format!("GRANT {} ON *.* TO {who}{}", list(grant), option(grant)));
        }
        _ => lines.push(format!("GRANT USAGE ON *.* TO {who}")),
    }
    grants.sort_by(|a, b| a.on.cmp(&b.on));
    for grant in grants.iter().filter(|grant| grant.on != Scope::Everything) {
        let (what, on) = match &grant.on {
            Scope::Database(name) => (None, format!("`{name}`.*")),
            Scope::Table(database, name) => (None, format!("`{database}`.`{name}`")),
            Scope::Function(database, name) => (Some("FUNCTION "), format!("`{database}`.`{name}`")),
            Scope::Everything => continue,
        };
        let privileges = match grant.privileges == all_of(&grant.on) {
            true => "ALL PRIVILEGES".to_string(),
            false if grant.privileges.is_empty() => "USAGE".to_string(),
            false => list(grant),
        };
        lines.push(format!(
            "GRANT {privileges} ON {}{on} TO {who}{}",
            what.unwrap_or_default(),
            option(grant)
        ));
    }
    let mut by_option: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    for (role, admin) in &account.roles {
        by_option.entry(*admin).or_default().push(super::catalog::quoted(role));
    }
    for (admin, roles) in by_option {
        let option = if admin { " WITH ADMIN OPTION" } else { "" };
        lines.push(format!("GRANT {} TO {who}{option}", roles.join(",")));
    }
    lines
}
