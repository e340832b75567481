//! What the users that the spec names may call.

use super::{ByName, looked, scope};
use crate::aws::{Aws, Failure, Look, Sql};
use auroraml_core::kinds::sql_grant::MASTER;
use auroraml_core::sql::grants::{Granted, show};
use auroraml_core::sql::quote;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The users of the spec, and the one by whom SQL is sent.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// Names and hosts of those that are there.
    pub there: BTreeSet<(String, String)>,
    /// By the name of the grant.
    pub by_grant: ByName<User>,
}

/// One of them.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub name: String,
    pub host: String,
    pub granted: Granted,
    /// Roles that are active at each login.
    pub active: BTreeSet<String>,
}

/// What they may.
pub async fn users(look: Look<'_>) -> Result<Result<Users, String>, Failure> {
    let found: Arc<Result<Users, String>> = look
        .shared("SQL users", Box::pin(looked(look, |sql| async move { all(look.aws, &sql).await })))
        .await?;
    Ok(found.as_ref().clone())
}

/// `admin@%`: MySQL quotes nothing there.
fn account(text: &str) -> (String, String) {
    let (user, host) = text.rsplit_once('@').unwrap_or((text, "%"));
    (user.to_string(), host.to_string())
}

async fn all(aws: &Aws, sql: &Sql) -> Result<Users, Failure> {
    let scope = scope(aws)?;
    if scope.users.is_empty() && scope.master_roles.is_empty() {
        return Ok(Users::default());
    }
    let session = sql.ask(aws, "SELECT CURRENT_USER(), @@GLOBAL.activate_all_roles_on_login").await?;
    let (current, activates_all) = match session.texts().next() {
        Some([current, all]) => (account(current), matches!(all, "1" | "ON")),
        None => (account(""), false),
    };
    let wanted: Vec<(String, String)> = scope.users.iter().cloned().chain([current.clone()]).collect();
    let pairs = |user: &str, host: &str| {
        let named = wanted
            .iter()
            .map(|(name, at)| format!("({user} = {} AND {host} = {})", quote::text(name), quote::text(at)));
        named.collect::<Vec<_>>().join(" OR ")
    };
    let there = format!("SELECT User, Host FROM mysql.user WHERE {}", pairs("User", "Host"));
    let active = format!(
        "SELECT USER, HOST, DEFAULT_ROLE_USER FROM mysql.default_roles WHERE {}",
        pairs("USER", "HOST")
    );
    let (there, active) = tokio::join!(sql.ask(aws, &there), sql.ask(aws, &active));
    let (there, active) = (there?, active?);
    let mut users = Users {
        there: there.texts().map(|[user, host]| (user.to_string(), host.to_string())).collect(),
        ..Users::default()
    };
    let grants = scope.users.iter().cloned().map(|(user, host)| (user.clone(), user, host));
    for (grant, user, host) in grants.chain([(MASTER.to_string(), current.0.clone(), current.1.clone())]) {
        if grant != MASTER && !users.there.contains(&(user.clone(), host.clone())) {
            continue;
        }
        let rows = sql.ask(aws, &show(&user, &host)).await?;
        let granted = Granted::parse(rows.texts().map(|[row]| row)).map_err(|why| {
            Failure::refused("SHOW GRANTS", format!("cannot read the database's response: {why}"))
        })?;
        let own = active.texts().filter(|[name, at, _]| *name == user && *at == host);
        let active = match activates_all {
            true => granted.roles.clone(),
            false => own.map(|[_, _, role]| role.to_uppercase()).collect(),
        };
        users.by_grant.insert(grant, User { name: user, host, granted, active });
    }
    Ok(users)
}
