//! How users of the database get Aurora's roles and functions, and lose them.

use super::kind::{Calls, Deletion, Seen, Update};
use super::sql::{connect, scope, users};
use crate::aws::{Aws, Failure, Look, Sql};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::sql_grant::{MASTER, Props, SqlGrant};
use auroraml_core::sql::roles::ROLES;
use auroraml_core::sql::{grants, quote};
use std::collections::BTreeSet;

impl Calls for SqlGrant {
    /// Who has nothing of what this is about is not seen: then it is to be made.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        if look.aws.scope.sql.is_none() {
            return Ok(Vec::new());
        }
        let scope = scope(look.aws)?;
        // What the master user has stays: AWS gives some of it, and without the stack's roles it lets nobody do anything.
        let master = (!scope.master_roles.is_empty() && !look.inside.leaves).then(|| MASTER.to_string());
        let names = scope.users.iter().map(|(user, _)| user.clone()).chain(master);
        let found = match users(look).await? {
            Ok(found) => found,
            Err(_) if look.inside.leaves => return Ok(Vec::new()),
            Err(why) => {
                let seen = names.map(|name| {
                    let props = Props {
                        unseen: Some(why.clone()),
                        database: scope.database.clone(),
                        ..Props::default()
                    };
                    Seen { name, props, outputs: Outputs::new(), state: State::Ready, owned: true }
                });
                return Ok(seen.collect());
            }
        };
        let seen = names.filter_map(|name| {
            let user = found.by_grant.get(&name)?;
            let known = |role: &String| ROLES.iter().any(|known| known.name == *role);
            let roles: BTreeSet<String> =
                user.granted.roles.iter().filter(|role| known(role)).cloned().collect();
            let active = user.active.intersection(&roles).cloned().collect();
            let own = |function: &&String| {
                user.granted.functions.iter().any(|(database, name)| {
                    *database == scope.database && name.eq_ignore_ascii_case(function)
                })
            };
            let execute: BTreeSet<String> = scope.functions.iter().filter(own).cloned().collect();
            if roles.is_empty() && execute.is_empty() {
                return None;
            }
            let databases = &user.granted.databases;
            let is_master = name == MASTER;
            let props = Props {
                unseen: None,
                user: (!is_master).then(|| user.name.clone()),
                host: (!is_master).then(|| user.host.clone()),
                roles,
                active,
                execute,
                anywhere: Some(databases.contains("*") || databases.contains(&scope.database)),
                database: scope.database.clone(),
            };
            Some(Seen { name, props, outputs: Outputs::new(), state: State::Ready, owned: true })
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let sql = connect(aws).await?;
        let account = account(&sql, aws, want).await?;
        grant(&sql, aws, &account, want, &Props::default()).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let sql = connect(aws).await?;
        let account = account(&sql, aws, &update.want).await?;
        grant(&sql, aws, &account, &update.want, &update.live).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let sql = connect(aws).await?;
        let live = &deletion.live;
        let nothing = Props { database: live.database.clone(), ..Props::default() };
        let account = account(&sql, aws, live).await?;
        grant(&sql, aws, &account, &nothing, live).await
    }
}

type Account = (String, String);

/// Who it is, and that the database has such a user.
async fn account(sql: &Sql, aws: &Aws, props: &Props) -> Result<Account, Failure> {
    let Some(user) = &props.user else {
        let rows = sql.ask(aws, "SELECT CURRENT_USER()").await?;
        let current = rows.value().unwrap_or_default();
        let (user, host) = current.rsplit_once('@').unwrap_or((current, "%"));
        return Ok((user.to_string(), host.to_string()));
    };
    let host = props.host.clone().unwrap_or_else(|| "%".into());
    let (name, at) = (quote::text(user), quote::text(&host));
    let ask = format!("SELECT User FROM mysql.user WHERE User = {name} AND Host = {at}");
    match sql.ask(aws, &ask).await?.value() {
        Some(_) => Ok((user.clone(), host)),
        None => Err(Failure::refused(
            "GRANT",
            format!(
                "the database has no user {}, and auroraml does not create users: create it (CREATE USER {} IDENTIFIED BY '…'), then run again",
                quote::account(user, &host),
                quote::account(user, &host)
            ),
        )),
    }
}

/// Gives what is missing and takes what is too much, each at once: what is killed in between is seen by the next look.
async fn grant(
    sql: &Sql,
    aws: &Aws,
    (user, host): &Account,
    want: &Props,
    live: &Props,
) -> Result<(), Failure> {
    let names =
        |set: &BTreeSet<String>, other: &BTreeSet<String>| set.difference(other).cloned().collect::<Vec<_>>();
    let (missing, extra) = (names(&want.roles, &live.roles), names(&live.roles, &want.roles));
    fn borrowed(all: &[String]) -> Vec<&str> {
        all.iter().map(String::as_str).collect()
    }
    if !missing.is_empty() {
        sql.change(aws, &grants::grant_roles(&borrowed(&missing), user, host)).await?;
    }
    if !want.active.is_subset(&live.active) {
        // The default roles are set as a whole: those that others have set stay.
        let mut active = default_roles(sql, aws, user, host).await?;
        active.extend(want.active.iter().cloned());
        let active: Vec<&str> =
            active.iter().map(String::as_str).filter(|role| !extra.iter().any(|x| x == role)).collect();
        sql.change(aws, &grants::default_roles(&active, user, host)).await?;
    }
    if !extra.is_empty() {
        sql.change(aws, &grants::revoke_roles(&borrowed(&extra), user, host)).await?;
    }
    for function in names(&want.execute, &live.execute) {
        sql.change(aws, &grants::grant_execute(&want.database, &function, user, host)).await?;
    }
    for function in names(&live.execute, &want.execute) {
        sql.change(aws, &grants::revoke_execute(&live.database, &function, user, host)).await?;
    }
    Ok(())
}

async fn default_roles(sql: &Sql, aws: &Aws, user: &str, host: &str) -> Result<BTreeSet<String>, Failure> {
    let ask = format!(
        "SELECT DEFAULT_ROLE_USER FROM mysql.default_roles WHERE USER = {} AND HOST = {}",
        quote::text(user),
        quote::text(host)
    );
    Ok(sql.ask(aws, &ask).await?.texts().map(|[role]| role.to_string()).collect())
}
