//! Lifecycle configuration of the notebook instance.

use super::Kind;
use crate::resource::permission::Permission;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct NotebookConfig;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Shell script, run once.
    pub on_create: String,
    /// Shell script, run at every start.
    pub on_start: String,
}

/// With one newline at the end, however many there are.
pub fn normal(script: &str) -> String {
    let script = script.trim_end_matches(['\r', '\n']);
    if script.is_empty() { String::new() } else { format!("{script}\n") }
}

impl Kind for NotebookConfig {
    const NAME: &'static str = "notebook_config";
    const RULES: Rules = Rules {
        after: &["bucket_object"],
        foreign: Some((
            "a lifecycle configuration with this name exists, but no notebook of this stack uses it",
            "write another name as `notebook.lifecycle_configuration`, or tag the notebook that uses it as this stack's",
        )),
        // People who edit a script in the console put tokens into it.
        sensitive: &["on_create", "on_start"],
        accept: |want, _| {
            for hook in ["on_create", "on_start"] {
                if let Some(script) = want[hook].as_str() {
                    want[hook] = normal(script).into();
                }
            }
        },
        permissions: &[
            Permission::look(
                &["sagemaker:DescribeNotebookInstanceLifecycleConfig"],
                &["sagemaker:notebook-instance-lifecycle-config/{notebook_config}"],
            ),
            // Known by its name alone: auroraml puts no tags on it.
            Permission::create(
                &["sagemaker:CreateNotebookInstanceLifecycleConfig"],
                &["sagemaker:notebook-instance-lifecycle-config/{notebook_config}"],
            ),
            Permission::change(
                &["sagemaker:UpdateNotebookInstanceLifecycleConfig"],
                &["sagemaker:notebook-instance-lifecycle-config/{notebook_config}"],
            ),
            Permission::delete(
                &["sagemaker:DeleteNotebookInstanceLifecycleConfig"],
                &["sagemaker:notebook-instance-lifecycle-config/{notebook_config}"],
            ),
        ],
        ..PLAIN
    };
    type Props = Props;
}
