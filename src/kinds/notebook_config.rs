//! Lifecycle configuration of the notebook instance.

use serde::{Deserialize, Serialize};

pub struct NotebookConfig;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Shell script, run once.
    pub on_create: String,
    /// Shell script, run at every start.
    pub on_start: String,
}
