//! Simulated Security Token Service: says who the caller is.

use super::wire::{Reply, Xml};
use super::{ACCOUNT, Call, Global, Region};

pub(super) fn handle(call: &Call, _: &mut Region, _: &mut Global) -> Reply {
    match call.operation.as_str() {
        "GetCallerIdentity" => {
            let mut xml = Xml::new();
            xml.text("Arn", format!("arn:aws:iam::{ACCOUNT}:user/sandbox"));
            xml.text("UserId", "AIDASANDBOX");
            xml.text("Account", ACCOUNT);
            Ok(xml.into())
        }
        _ => Err(call.unknown()),
    }
}
