//! Lifecycle configurations of notebook instances: fact book, section 4.2.

use super::answers::{already_exists, arn, invalid, not_found, present, seconds};
use super::input::{Input, constraint};
use super::listing::{self, Row};
use super::state::{LifecycleConfig, SageMaker};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const KIND: &str = "notebook-instance-lifecycle-config";
const NAME: &str = "NotebookInstanceLifecycleConfigName";
/// Characters of base64 in one script.
const CONTENT_MAX: usize = 16_384;

/// The script of one hook: a list of at most one.
fn script(input: Input<'_>, hook: &str) -> Result<Option<String>, Fault> {
    let hooks = input.structures(hook)?;
    if hooks.len() > 1 {
        return Err(constraint(hook, "[…]", "have length less than or equal to 1"));
    }
    let Some(content) = hooks.first().map(|hook| hook.required("Content")).transpose()? else {
        return Ok(None);
    };
    if content.len() > CONTENT_MAX {
        let text = format!("have length less than or equal to {CONTENT_MAX}");
        return Err(constraint(&format!("{hook}.1.member.content"), "…", &text));
    }
    if content.is_empty() || STANDARD.decode(content).is_err() {
        return Err(invalid(format!("{hook}: the content of a script must be encoded in base64")));
    }
    Ok(Some(content.to_string()))
}

fn find<'a>(call: &Call, sagemaker: &'a mut SageMaker) -> Result<&'a mut LifecycleConfig, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.lifecycle_configs.get_mut(&name.to_ascii_lowercase());
    found.ok_or_else(|| not_found(call, KIND, name))
}

pub(super) fn create(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let config = LifecycleConfig {
        name: name.to_string(),
        on_create: script(input, "OnCreate")?,
        on_start: script(input, "OnStart")?,
        created: call.now,
        modified: call.now,
    };
    let tags = input.tags()?;
    let key = name.to_ascii_lowercase();
    if sagemaker.lifecycle_configs.contains_key(&key) {
        return Err(already_exists(call, KIND, name));
    }
    let arn = arn(call, KIND, name);
    sagemaker.tags.insert(arn.clone(), tags);
    sagemaker.lifecycle_configs.insert(key, config);
    Ok(Body::Json(json!({ "NotebookInstanceLifecycleConfigArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let config = find(call, sagemaker)?;
    let hook = |content: &Option<String>| -> Vec<Value> {
        content.iter().map(|content| json!({ "Content": content })).collect()
    };
    Ok(present(json!({
        NAME: config.name,
        "NotebookInstanceLifecycleConfigArn": arn(call, KIND, &config.name),
        "OnCreate": hook(&config.on_create),
        "OnStart": hook(&config.on_start),
        "CreationTime": seconds(config.created),
        "LastModifiedTime": seconds(config.modified),
    })))
}

/// Takes effect at the next start of the notebooks that use it; nothing is run now. A hook that the
/// request does not name keeps its script.
pub(super) fn update(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let input = Input::of(call);
    let (on_create, on_start) = (script(input, "OnCreate")?, script(input, "OnStart")?);
    let config = find(call, sagemaker)?;
    if input.value("OnCreate").is_some() {
        config.on_create = on_create;
    }
    if input.value("OnStart").is_some() {
        config.on_start = on_start;
    }
    config.modified = call.now;
    Ok(Body::Json(json!({})))
}

pub(super) fn delete(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let config = find(call, sagemaker)?.name.clone();
    let used = sagemaker.notebooks.values().any(|notebook| {
        notebook.lifecycle_config.as_ref().is_some_and(|used| used.eq_ignore_ascii_case(&config))
    });
    let arn = arn(call, KIND, &config);
    if used {
        return Err(invalid(format!(
            "Unable to delete Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook Instance \
             Lifecycle Config is in use by a Notebook Instance.)"
        )));
    }
    sagemaker.lifecycle_configs.remove(&config.to_ascii_lowercase());
    sagemaker.tags.remove(&arn);
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let rows = sagemaker
        .lifecycle_configs
        .values()
        .map(|config| Row {
            name: &config.name,
            created: config.created,
            modified: config.modified,
            status: "",
            summary: json!({
                NAME: config.name,
                "NotebookInstanceLifecycleConfigArn": arn(call, KIND, &config.name),
                "CreationTime": seconds(config.created),
                "LastModifiedTime": seconds(config.modified),
            }),
        })
        .collect();
    listing::page(call, "NotebookInstanceLifecycleConfigs", &listing::BY_TIME_ASCENDING, rows)
}
