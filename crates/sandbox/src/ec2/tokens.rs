//! Idempotency by `ClientToken` (fact book, section 5.2).

use super::record::invalid;
use super::state::{Ec2, Token};
use crate::call::Call;
use crate::wire::{Fault, Params, Xml};

impl Token {
    pub(super) fn answer(&self) -> Xml {
        Xml(self.answer.clone())
    }
}

impl Ec2 {
    /// What an earlier call with the same token made.
    pub(super) fn replayed(&self, call: &Call) -> Result<Option<Token>, Fault> {
        let Some(key) = key(call) else { return Ok(None) };
        let token = call.params.get("ClientToken").unwrap_or_default();
        if token.len() > 64 || !token.is_ascii() {
            return Err(invalid("The client token must be at most 64 ASCII characters"));
        }
        if self.tokens.contains_key(&key) {
            // All of it is compared.
            call.params.texts();
        }
        match self.tokens.get(&key) {
            Some(earlier) if earlier.parameters != parameters(&call.params) => Err(Fault::bad(
                "IdempotentParameterMismatch",
                format!(
                    "The request uses the same client token '{token}' as a previous, but non-identical request."
                ),
            )),
            earlier => Ok(earlier.cloned()),
        }
    }

    /// Remembers what this call made, if it has a token.
    pub(super) fn remember(&mut self, call: &Call, object: &str, answer: &Xml) {
        if let Some(key) = key(call) {
            let parameters = parameters(&call.params);
            self.tokens
                .insert(key, Token { parameters, object: object.to_string(), answer: answer.0.clone() });
        }
    }
}

fn key(call: &Call) -> Option<String> {
    let token = call.params.get("ClientToken").filter(|token| !token.is_empty())?;
    Some(format!("{} {token}", call.operation))
}

fn parameters(params: &Params) -> String {
    let mut text = String::new();
    for (name, value) in params.glance() {
        if name != "ClientToken" {
            text.push_str(&format!("{name}={value}\n"));
        }
    }
    text
}
