//! The notebook.

use super::INDENTED;
use super::fields::fields;
use super::form::choices;
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
