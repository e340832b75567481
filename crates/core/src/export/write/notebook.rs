//! The notebook and its scripts.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::props;
use crate::kinds::{notebook, notebook_config};
use crate::resource::Resource;

pub fn config(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let notebook_config::Props { on_create, on_start } = props(resource);
    let hook = |script: &str| {
        let content = Node::call("Fn::Base64", context.text(&notebook_config::normal(script)));
        (!script.is_empty()).then(|| Node::List(vec![Node::map([("Content", Some(content))])]))
    };
    let config = context
        .written(resource, "AWS::SageMaker::NotebookInstanceLifecycleConfig")
        .with([("OnCreate", hook(&on_create)), ("OnStart", hook(&on_start))]);
    vec![config]
}

pub fn notebook(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let notebook::Props {
        instance,
        volume,
        subnet,
        security_groups,
        direct_internet_access,
        role,
        lifecycle_config,
        platform,
        metadata_version,
        kms_key,
        running: _,
        tags,
    } = props(resource);
    let place = crate::base::names::Place::anywhere(&context.spec.stack);
    let name = place.with(crate::model::names(context.spec)).notebook();
    let has_key = kms_key.is_some();
    let metadata = metadata_version
        .map(|version| Node::map([("MinimumInstanceMetadataServiceVersion", Some(Node::text(version)))]));
    let notebook = context.written(resource, "AWS::SageMaker::NotebookInstance").with([
        // Its role lets it ask what it is itself, by this name.
        ("NotebookInstanceName", Some(Node::text(name))),
        ("InstanceType", Some(Node::text(instance))),
        ("VolumeSizeInGB", Some(Node::number(volume))),
        ("SubnetId", Some(context.input(&subnet))),
        ("SecurityGroupIds", Some(context.inputs(&security_groups))),
        (
            "DirectInternetAccess",
            Some(Node::text(if direct_internet_access { "Enabled" } else { "Disabled" })),
        ),
        ("RoleArn", Some(context.input(&role))),
        ("LifecycleConfigName", Some(context.input(&lifecycle_config))),
        ("KmsKeyId", kms_key.map(|key| context.text(&key))),
        ("PlatformIdentifier", Some(Node::text(platform))),
        ("InstanceMetadataServiceConfiguration", metadata),
        ("Tags", context.tags(&tags)),
    ]);
    let notebook = match has_key {
        true => notebook,
        false => notebook
            .skip("CKV_AWS_187", "its volume is encrypted with SageMaker's own key: the spec has no other"),
    };
    let notebook = match direct_internet_access {
        false => notebook,
        true => notebook.skip("CKV_AWS_122", "the spec has it in the public subnet"),
    };
    vec![notebook]
}
