//! Simulated CloudFormation: stacks that somebody else made, to be looked at.

use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CloudFormation {
    /// Status of each stack by its name, such as `UPDATE_COMPLETE`; set by tests.
    pub stacks: BTreeMap<String, String>,
}

pub(crate) fn handle(call: &Call, cloudformation: &CloudFormation) -> Reply {
    match call.operation.as_str() {
        "DescribeStacks" => describe(call, cloudformation),
        _ => Err(call.unknown()),
    }
}

fn describe(call: &Call, cloudformation: &CloudFormation) -> Reply {
    let wanted = call.params.get("StackName");
    let found: Vec<_> =
        cloudformation.stacks.iter().filter(|(name, _)| wanted.is_none_or(|w| w == *name)).collect();
    if let (Some(name), true) = (wanted, found.is_empty()) {
        // Code and text: fact book, section 6.3.
        return Err(Fault::bad("ValidationError", format!("Stack with id {name} does not exist")));
    }
    let mut xml = Xml::new();
    xml.list("Stacks", "member", found, |x, (name, status)| {
        x.text("StackName", name);
        x.text("StackStatus", status);
        x.text("CreationTime", "2026-01-01T00:00:00Z");
    });
    Ok(xml.into())
}
