//! Stack policies: who set one is told what it says. It is kept and not carried out: an update that it would deny is not
//! denied here.

use super::requests::no_stack;
use super::state::CloudFormation;
use super::template::refused;
use crate::call::Call;
use crate::wire::{Reply, Xml};
use serde_json::Value;

/// Bytes of a stack policy (API Reference, SetStackPolicy).
const BYTES_MAX: usize = 16_384;

impl CloudFormation {
    pub(super) fn set_policy(&mut self, call: &Call) -> Reply {
        let body = call.params.required("StackPolicyBody").map_err(|_| {
            refused("Either StackPolicyURL or StackPolicyBody must be specified; a URL is not modelled.")
        })?;
        let policy: Option<Value> = serde_json::from_str(body).ok();
        if body.len() > BYTES_MAX || policy.is_none_or(|policy| !policy["Statement"].is_array()) {
            return Err(refused("Error validating stack policy: Malformed policy"));
        }
        let body = body.to_string();
        let stack = self.named_mut(call)?;
        if stack.deleted.is_some() {
            return Err(no_stack(&stack.id));
        }
        stack.policy = Some(body);
        Ok(Xml::new().into())
    }

    /// Without one, an answer without a body (API Reference, GetStackPolicy).
    pub(super) fn get_policy(&self, call: &Call) -> Reply {
        let stack = self.named(call)?;
        let mut xml = Xml::new();
        xml.optional("StackPolicyBody", stack.policy.as_ref());
        Ok(xml.into())
    }
}
