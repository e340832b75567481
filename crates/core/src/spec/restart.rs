//! What a spec says about restarts of the cluster's members.

use super::window::Window;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How members get the restart that they wait for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Who restarts, and in which order.
    #[serde(default)]
    pub strategy: Strategy,
    /// The worst that an apply or destroy may interrupt; more is refused. Without it `--allow` decides.
    #[serde(default)]
    pub allow: Option<Allow>,
    /// When the database may be interrupted, in UTC: `sun:03:00-sun:05:00` once a week, or `03:00-05:00` every
    /// day. Outside of it interruptions are held, unless `--now` is given.
    #[serde(default)]
    pub window: Option<String>,
    /// Identifier of the member that is to be the writer, also after a failover: it costs a second one.
    #[serde(default)]
    pub writer: Option<String>,
}

impl Restart {
    /// The window, of a spec that was checked.
    pub fn window(&self) -> Option<Window> {
        self.window.as_deref().and_then(|text| Window::parse(text).ok())
    }
}

/// The two ways to write `restart`: for the JSON Schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RestartForms {
    Strategy(Strategy),
    Mapping(Restart),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Readers one at a time, then a failover to one of them.
    #[default]
    Rolling,
    /// A failover first, then what is still pending.
    Failover,
    /// Reboot the writer in place; readers are left pending.
    WriterOnly,
    /// Leave members pending.
    Never,
}

/// The worst that may be interrupted, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allow {
    /// Nothing.
    None,
    /// Readers, one at a time.
    Readers,
    /// The writer, by moving its role to a reader.
    Failover,
    /// The writer, by restarting it; where AWS does so, all members at once.
    Restart,
}
