//! The notebook.

use super::INDENTED;
use super::fields::fields;
use super::form::choices;
use super::statement::Statement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fields! {
    pub struct Notebook in "notebook" (hint: INDENTED) {
        /// `ml.t3.medium`, …
        instance: String {
            required: "write `instance: ml.t3.medium`",
            changed: "in place: stop, update, start",
            meaning: "`ml.t3.medium`, …; not `ml.p2`, `ml.p3`, `ml.inf1`, `ml.g3`",
        }
        /// GiB, 5 to 16384; can grow, never shrink.
        volume: u32 {
            default: 5,
            type: "GiB, 5–16384",
            changed: "grows in place; smaller: blocked",
            meaning: "",
        }
        /// Local files, relative to the spec, copied into the notebook once; they pass through the bucket.
        files: Vec<String> {
            type: "list of paths",
            changed: "in place; what is in the notebook stays",
            meaning: "relative to the spec and below its folder, links included; copied once through the bucket",
        }
        /// Where the notebook stands; cannot be changed later.
        subnet: NotebookSubnet {
            changed: "blocked: a new notebook would lose its volume",
            meaning: "`public` has direct internet access",
        }
        /// Name of the notebook instance.
        name: Option<String> {
            default_is: "`<stack>-notebook`",
            changed: "blocked: a new notebook would lose its volume",
            meaning: "name of the notebook instance",
        }
        /// Name of the notebook's lifecycle configuration.
        lifecycle_configuration: Option<String> {
            default_is: "`<stack>-notebook`",
            changed: "blocked",
            meaning: "name of the lifecycle configuration",
        }
        /// IAM statements that the notebook's role has beside those that the stack gives it.
        statements: Vec<Statement> {
            changed: "in place",
            meaning: "IAM statements that its role has beside those that the stack gives it, each with `Effect`, `Action` or `NotAction`, `Resource` or `NotResource`, and perhaps `Sid` and `Condition`",
        }
        /// Lines of shell that run once, when the notebook is made, after the stack's own.
        on_create: Option<String> {
            changed: "in place; what ran does not run again",
            meaning: "lines of shell, run as root when the notebook is made, after the stack's own",
        }
        /// Lines of shell that run at each start, after the stack's own.
        on_start: Option<String> {
            changed: "in place; they run at the next start",
            meaning: "lines of shell, run as root at each start, after the stack's own",
        }
    }
}

choices!(NotebookSubnet);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotebookSubnet {
    /// The first private subnet, without direct internet access.
    #[default]
    Private,
    /// The first public subnet, with direct internet access, as in the article.
    Public,
}
