//! How AWS is asked for the lifecycle configuration of the notebook instance.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::State;
use auroraml_core::kinds::notebook::{self, Notebook};
use auroraml_core::kinds::notebook_config::{NotebookConfig, Props, normal};
use aws_sdk_sagemaker::types::NotebookInstanceLifecycleHook;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

impl Calls for NotebookConfig {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let name = look.aws.place.notebook_config();
        let answer = look
            .aws
            .sagemaker
            .describe_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(&name)
            .send()
            .await;
        let Some(found) = absent_ok(answer.during("DescribeNotebookInstanceLifecycleConfig"))? else {
            return Ok(Vec::new());
        };
        let props = Props { on_create: script(found.on_create()), on_start: script(found.on_start()) };
        Ok(vec![Seen {
            name: "main".into(),
            // It has no tags. A name of auroraml's choice belongs to the stack's notebook.
            owned: look.aws.place.names.notebook_config.is_none() || is_ours(look, &name, &props).await?,
            props,
            outputs: [("name".into(), name.into())].into(),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(aws.place.notebook_config())
            .on_create(hook("first", &want.on_create)?)
            .on_start(hook("start", &want.on_start)?);
        already_ok(request.send().await.during("CreateNotebookInstanceLifecycleConfig"), Class::Exists)
    }

    /// Both scripts are sent: what becomes of one that is left out is nowhere said.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .update_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(aws.place.notebook_config())
            .on_create(hook("first", &update.want.on_create)?)
            .on_start(hook("start", &update.want.on_start)?);
        request.send().await.during("UpdateNotebookInstanceLifecycleConfig").map(|_| ())
    }

    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .delete_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(aws.place.notebook_config());
        already_ok(request.send().await.during("DeleteNotebookInstanceLifecycleConfig"), Class::NotFound)
    }
}

/// Whether one of a name that the spec chose is the stack's: it says so itself, or the stack's notebook uses it.
async fn is_ours(look: Look<'_>, name: &str, props: &Props) -> Result<bool, Failure> {
    let says = format!("\nSTACK = \"{}\"\n", look.aws.place.stack);
    if props.on_start.contains(&says) {
        return Ok(true);
    }
    let notebooks = Notebook.observe(look).await?;
    let uses = |one: &Seen<notebook::Props>| one.owned && one.props.lifecycle_config.get() == name;
    Ok(notebooks.iter().any(uses))
}

/// Characters of base64 in one script (fact book, section 4.2).
const CONTENT_MAX: usize = 16_384;

/// The decoded script of a hook; empty where there is none.
fn script(hooks: &[NotebookInstanceLifecycleHook]) -> String {
    let content = hooks.first().and_then(|hook| hook.content()).unwrap_or_default();
    let bytes = STANDARD.decode(content.trim()).unwrap_or_default();
    normal(&String::from_utf8_lossy(&bytes))
}

fn hook(which: &str, script: &str) -> Result<NotebookInstanceLifecycleHook, Failure> {
    let content = STANDARD.encode(script);
    if content.len() > CONTENT_MAX {
        return Err(Failure::refused(
            "CreateNotebookInstanceLifecycleConfig",
            format!(
                "the notebook's {which} script is too long: {} of {CONTENT_MAX} characters in base64; list fewer files under notebook.files, or give them shorter names",
                content.len()
            ),
        ));
    }
    Ok(NotebookInstanceLifecycleHook::builder().content(content).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_compared_without_their_last_newline() {
        assert_eq!(normal("a\nb"), normal("a\nb\r\n\n"));
        assert_eq!(script(&[hook("start", "a\nb").unwrap()]), "a\nb\n");
        assert_eq!(script(&[]), "");
    }

    #[test]
    fn a_script_that_is_too_long_is_refused() {
        assert!(hook("first", &"x".repeat(CONTENT_MAX / 4 * 3)).is_ok());
        let why = hook("first", &"x".repeat(CONTENT_MAX / 4 * 3 + 1)).unwrap_err().to_string();
        assert!(why.contains("16388 of 16384"), "{why}");
    }
}
