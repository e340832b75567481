//! Simulated Security Token Service: says who the caller is.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Reply, Xml};

/// Unique id of the account's only user.
pub(super) const USER_ID: &str = "AIDASANDBOX0000000000";

/// The user that every caller is, whatever the credentials.
pub(super) fn user_arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/sandbox")
}

pub(crate) fn handle(call: &Call) -> Reply {
    match call.operation.as_str() {
        "GetCallerIdentity" => {
            let mut xml = Xml::new();
            xml.text("Arn", user_arn());
            xml.text("UserId", USER_ID);
            xml.text("Account", ACCOUNT);
            Ok(xml.into())
        }
        _ => Err(call.unknown()),
    }
}
