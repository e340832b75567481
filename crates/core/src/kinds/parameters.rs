//! What the kinds that set parameters share.

use crate::base::{Change, To};
use crate::members::Effect;
use crate::resource::Action;
use serde_json::Value;

/// What a change of parameters in a group that is attached does to the members: a dynamic one is applied at
/// once, a static one waits for a restart of each of them (fact book, section 1.4). What AWS says of each stands
/// in `apply_types`, live or, before the first value is set, desired.
pub(super) fn effect(action: Action, changes: &[Change], live: &Value) -> Effect {
    let said = |name: &str| {
        let desired = changes.iter().find(|change| change.path.strip_prefix("apply_types.") == Some(name));
        match (&live["apply_types"][name], desired.map(|change| &change.to)) {
            (Value::Null, Some(To::Value(desired))) => desired.clone(),
            (live, _) => live.clone(),
        }
    };
    let names: Vec<&str> = match action {
        Action::Create | Action::Update | Action::Recreate => {
            changes.iter().filter_map(|change| change.path.strip_prefix("parameters.")).collect()
        }
        Action::Delete => {
            live["parameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
        }
        Action::NoOp | Action::Recheck | Action::Vanish | Action::Run | Action::Stop => Vec::new(),
    };
    match names.iter().all(|name| said(name) == "dynamic") {
        true => Effect::None,
        false => Effect::Pending,
    }
}
