//! Simulated Security Token Service: says who the caller is, and lets it become a role for a while.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::iam::Iam;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};

/// Unique id of the account's only user.
pub(super) const USER_ID: &str = "AIDASANDBOX0000000000";

/// The user that every caller is, unless its credentials are those of a role's session.
pub(crate) fn user_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/sandbox")
}

pub(crate) fn handle(call: &Call, iam: &mut Iam, random: &mut Random) -> Reply {
    match call.operation.as_str() {
        "GetCallerIdentity" => {
            let arn = iam.session_arn(&call.caller).unwrap_or_else(user_arn);
            let id = iam.session_id(&call.caller).unwrap_or_else(|| USER_ID.into());
            let mut xml = Xml::new();
            xml.text("Arn", arn).text("UserId", id).text("Account", ACCOUNT);
            Ok(xml.into())
        }
        "AssumeRole" => assume_role(call, iam, random),
        _ => Err(call.unknown()),
    }
}

fn assume_role(call: &Call, iam: &mut Iam, random: &mut Random) -> Reply {
    let need = |name: &str| {
        call.params.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Fault::bad(
                "ValidationError",
                format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"),
            )
        })
    };
    let (role, name) = (need("RoleArn")?, need("RoleSessionName")?);
    let good = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(good) {
        return Err(Fault::bad(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
            ),
        ));
    }
    let seconds = match call.params.get("DurationSeconds") {
        None => 3600,
        Some(text) => text.parse::<u64>().ok().filter(|seconds| *seconds >= 900).ok_or_else(|| {
            Fault::bad("ValidationError", format!("DurationSeconds {text}: from 900 to the role's maximum"))
        })?,
    };
    let external = call.params.get("ExternalId");
    let denied = || {
        let caller = iam.session_arn(&call.caller).unwrap_or_else(user_arn);
        let text = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        Fault::new(403, "AccessDenied", text)
    };
    let longest = iam.assumable_by_user(role, &user_arn(), external, call.now).ok_or_else(denied)?;
    if seconds > longest {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Fault::bad("ValidationError", text));
    }
    let key = iam.open_session(role, name, random).unwrap_or_default();
    let mut xml = Xml::new();
    xml.element("Credentials", |x| {
        x.text("AccessKeyId", &key);
        x.text("SecretAccessKey", random.letters(40)).text("SessionToken", random.letters(100));
        x.text("Expiration", crate::iam::date(call.now + seconds * 1000));
    });
    xml.element("AssumedRoleUser", |x| {
        x.text("AssumedRoleId", iam.session_id(&key).unwrap_or_default());
        x.text("Arn", iam.session_arn(&key).unwrap_or_default());
    });
    Ok(xml.into())
}
