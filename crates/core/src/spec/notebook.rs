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
            meaning: "instance type: `ml.t3.medium`, …; not `ml.p2`, `ml.p3`, `ml.inf1`, `ml.g3`",
        }
        /// GiB, 5 to 16384; can grow, never shrink.
        volume: u32 {
            default: 5,
            type: "GiB, 5–16384",
            changed: "grows in place; smaller: blocked",
            meaning: "",
        }
        /// Local files, relative to the spec; copied into the notebook once, through the bucket.
        files: Vec<String> {
            type: "list of paths",
            changed: "in place; what is in the notebook stays",
            meaning: "files in the spec's folder or below it, where links must lead too; copied once, through the bucket",
        }
        /// Where the notebook is; cannot be changed later.
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
        /// More IAM statements for the notebook's role.
        statements: Vec<Statement> {
            changed: "in place",
            meaning: "more IAM statements for its role, each with `Effect`, `Action` or `NotAction`, `Resource` or `NotResource`, and optionally `Sid` and `Condition`",
        }
        /// Shell script, run once when the notebook is created, after the stack's own.
        on_create: Option<String> {
            changed: "in place; does not run again",
            meaning: "shell script, run as root when the notebook is created, after the stack's own script",
        }
        /// Shell script, run at each start after the stack's own.
        on_start: Option<String> {
            changed: "in place; runs at the next start",
            meaning: "shell script, run as root at each start, after the stack's own script",
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
