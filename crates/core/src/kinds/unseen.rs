//! What is in a database that nobody looked into: a plan does not wake a paused cluster in order to look.

use serde_json::Value;

/// Takes what was not looked at for what is wanted: nothing is known to differ.
pub(super) fn accept_unseen(want: &mut Value, live: &Value) {
    if live["unseen"].is_string() {
        want.clone_from(live);
    }
}
