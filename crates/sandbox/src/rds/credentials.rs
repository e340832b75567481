//! Master passwords that RDS keeps in Secrets Manager: it makes the secret, gives it a new value every seven
//! days, and deletes it with the cluster (fact book, section 1.12).

use super::context::Context;
use super::input::check_password;
use super::refusals::combination;
use super::state::{Cluster, Effect, ManagedSecret};
use crate::secretsmanager::uuid;
use crate::wire::Fault;

const DAY_MS: u64 = 24 * 3_600_000;
const ROTATION_MS: u64 = 7 * DAY_MS;
/// Letters of a password; RDS does not say how long its own are.
const PASSWORD_LENGTH: usize = 28;

/// What a ModifyDBCluster request does to the master password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// The request brings a password; a managed secret is given up.
    Password,
    Manage,
    Rotate,
}

/// Finds out what a modification asks for; changes nothing.
///
/// # Errors
/// `InvalidParameterCombination` and, for the password itself, `InvalidParameterValue`.
pub(super) fn asked(c: &Context<'_>, before: &Cluster, immediately: bool) -> Result<Change, Fault> {
    let p = c.params();
    let managed = p.flag("ManageMasterUserPassword");
    if let Some(password) = p.get("MasterUserPassword") {
        if managed.unwrap_or(before.secret.is_some()) {
            return Err(combination(
                "You can't specify MasterUserPassword for a DB cluster whose master password is managed in \
                 AWS Secrets Manager.",
            ));
        }
        check_password(password)?;
        return Ok(Change::Password);
    }
    if managed == Some(false) && before.secret.is_some() {
        return Err(combination("MasterUserPassword is needed when ManageMasterUserPassword is turned off."));
    }
    if managed == Some(true) && before.secret.is_none() {
        return Ok(Change::Manage);
    }
    if p.flag("RotateMasterUserPassword").unwrap_or(false) {
        if !immediately {
            return Err(combination(
                "You must specify apply immediately when rotating the master user password.",
            ));
        }
        if before.secret.is_none() {
            return Err(combination("The master user password isn't managed in AWS Secrets Manager."));
        }
        return Ok(Change::Rotate);
    }
    Ok(Change::None)
}

/// Carries the change out on `after`; answers whether the database gets another password.
///
/// # Errors
/// `KMSKeyNotAccessibleFault`, before anything has changed.
pub(super) fn change(c: &mut Context<'_>, after: &mut Cluster, change: Change) -> Result<bool, Fault> {
    let now = c.now;
    match change {
        Change::None => return Ok(false),
        Change::Password => {
            if let Some(secret) = after.secret.take() {
                c.secrets.remove_managed(&secret.name);
            }
            after.password = c.params().get("MasterUserPassword").map(crate::database::hashed);
        }
        Change::Manage => {
            after.secret = Some(create(c, now, (&after.id, &after.resource), &after.master_username)?)
        }
        Change::Rotate => {
            if let Some(secret) = &mut after.secret {
                rotate(c, now, secret, &after.master_username);
            }
        }
    }
    after.server.reset_master(&after.master_username);
    Ok(true)
}

/// Makes the secret of the cluster `resource`. It exists at once and becomes active a little after `from`.
///
/// # Errors
/// `KMSKeyNotAccessibleFault`
pub(super) fn create(
    c: &mut Context<'_>,
    from: u64,
    (cluster, resource): (&str, &str),
    username: &str,
) -> Result<ManagedSecret, Fault> {
    let kms_key = key(c, "MasterUserSecretKmsKeyId", "secretsmanager")?;
    let name = format!("rds!cluster-{}", uuid(c.random));
    let arn = put(c, c.now, &name, username);
    // By which policies know the secret: RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager".
    let cluster = c.arn("cluster", cluster);
    c.secrets.tag_managed(&name, "aws:rds:primaryDBClusterArn", &cluster);
    let active_at = from + c.random.duration(5.0, 20.0, 60.0);
    c.at(active_at + ROTATION_MS, resource, Effect::Rotation(arn.clone()));
    Ok(ManagedSecret { name, arn, kms_key, active_at, rotating_until: 0 })
}

/// Gives the secret a new password; answers its ARN.
fn put(c: &mut Context<'_>, at: u64, name: &str, username: &str) -> String {
    let password = c.random.letters(PASSWORD_LENGTH);
    let value = serde_json::json!({"username": username, "password": password}).to_string();
    c.secrets.put_managed("rds", name, value, &c.call.region, c.random, at)
}

fn rotate(c: &mut Context<'_>, at: u64, secret: &mut ManagedSecret, username: &str) {
    put(c, at, &secret.name, username);
    // An estimate: as long as a new secret takes.
    secret.rotating_until = at + c.random.duration(5.0, 20.0, 60.0);
}

/// The weekly rotation, if the cluster still has that secret.
pub(super) fn rotate_when_due(c: &mut Context<'_>, at: u64, resource: &str, arn: &str) {
    let Some(cluster) = c.rds.cluster_of(resource) else { return };
    let username = cluster.master_username.clone();
    let available = cluster.timeline.is_available(at);
    let Some(mut secret) = cluster.secret.clone().filter(|secret| secret.arn == arn) else { return };
    if available {
        rotate(c, at, &mut secret, &username);
        if let Some(cluster) = c.rds.cluster_of(resource) {
            cluster.secret = Some(secret);
            cluster.server.reset_master(&username);
        }
    }
    // A password can only be changed in a database that runs. When RDS tries again is an estimate.
    let next = at + if available { ROTATION_MS } else { DAY_MS };
    c.at(next, resource, Effect::Rotation(arn.to_string()));
}

/// What Describe says of the secret.
pub(super) fn status(secret: &ManagedSecret, now: u64) -> &'static str {
    if now < secret.active_at {
        "creating"
    } else if now < secret.rotating_until {
        "rotating"
    } else {
        "active"
    }
}

/// The ARN of the key that the request names in `parameter`; without a name, of the service's own key.
///
/// # Errors
/// `KMSKeyNotAccessibleFault` when KMS does not know the key or it is not enabled.
pub(super) fn key(c: &mut Context<'_>, parameter: &str, service: &str) -> Result<String, Fault> {
    let Some(given) = c.params().get(parameter) else {
        return Ok(c.kms.managed_key(service, &c.call.region, c.random, c.now));
    };
    let inaccessible = || {
        Fault::bad(
            "KMSKeyNotAccessibleFault",
            format!(
                "The specified KMS key [{given}] does not exist, is not enabled or you do not have permissions to access it."
            ),
        )
    };
    if !c.kms.usable(given, c.now) {
        return Err(inaccessible());
    }
    match given.split_once("alias/aws/") {
        Some((_, service)) => Ok(c.kms.managed_key(service, &c.call.region, c.random, c.now)),
        None => c.kms.key_arn(given, c.now).ok_or_else(inaccessible),
    }
}
