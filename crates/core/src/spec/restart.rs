//! What a spec says about restarts of the cluster's members.

use super::fields::{Part, fields};
use super::form::{Form, choice, choices};
use super::node::{Node, Value};
use super::reader::Reader;
use super::window::Window;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

fields! {
    /// How members that wait for a restart get it.
    pub struct Restart in "aurora.restart" (
        hint: "write `restart: rolling`, or `restart: { strategy: rolling, window: \"sun:03:00-sun:05:00\" }`",
        form: by_hand
    ) {
        /// Who restarts, and in which order.
        strategy: Strategy {
            changed: "in place",
            meaning: "as above",
        }
        /// Worst interruption that apply and destroy may cause; anything worse is refused. Without it `--allow`
        /// decides.
        allow: Option<Allow> {
            default_is: "left to `--allow`",
            changed: "in place",
            meaning: "worst interruption that `apply` and `destroy` may cause; anything worse is refused (exit 6), even with `--allow`. Without both: `readers`",
        }
        /// When the database may be interrupted, in UTC: `sun:03:00-sun:05:00` once a week, or `03:00-05:00` every
        /// day. Outside of it interruptions are held, unless `--now` is given.
        window: Option<String> {
            default_is: "always open",
            changed: "in place",
            meaning: "when members may be interrupted, in UTC: `sun:03:00-sun:05:00` once a week, or `03:00-05:00` every day; at least 30 minutes. At other times interruptions are put on hold, unless you give `--now`",
        }
        /// Identifier of the preferred writer. After a failover, another one brings it back.
        writer: Option<String> {
            default_is: "any member",
            changed: "in place",
            meaning: "identifier of the preferred writer: after a failover, also by AWS, the next `apply` fails over to it again",
        }
    }
}

impl Form for Restart {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Restart> {
        if matches!(node.value, Value::Map(_)) {
            return super::fields::read(node, path, reader);
        }
        let strategy = choice(node, path, reader)?;
        Some(Restart { strategy, ..Restart::default() })
    }
    fn in_words() -> String {
        "a strategy or a mapping".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<RestartForms>()
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        self.given_fields(path, found);
    }
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
enum RestartForms {
    Strategy(Strategy),
    Mapping(Restart),
}

choices!(Strategy, Allow);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Readers one at a time, then a failover to one of them.
    #[default]
    Rolling,
    /// A failover first, then what is still pending.
    Failover,
    /// Reboot the writer in place; readers stay pending.
    WriterOnly,
    /// Leave members pending.
    Never,
}

/// Worst interruption to allow, mildest first.
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
