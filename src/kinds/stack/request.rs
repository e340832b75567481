//! The requests that change a CloudFormation stack, and what is sent with them.

use crate::aws::{Aws, Class, During, Failure};
use crate::kinds::already_ok;
use auroraml_core::base::Input;
use auroraml_core::kinds::stack::{ChangeSet, HIDDEN, Props, Request, flat};
use auroraml_core::template::Template;
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Tag};
use std::collections::BTreeMap;

/// A template as a request has it: itself, or the address in the stack's bucket of one that is too large.
enum Text {
    Body(String),
    Url(String),
}

pub(super) async fn create(aws: &Aws, want: &Props) -> Result<(), Failure> {
    if let Some(set) = change_set(want) {
        return execute(aws, &set).await;
    }
    let request = aws
        .cloudformation
        .create_stack()
        .stack_name(&want.name)
        .set_parameters(parameters(aws, "CreateStack", want, None)?)
        .set_tags(Some(tags(want)))
        .set_capabilities(capabilities(want))
        .enable_termination_protection(want.termination_protection)
        // What is undone is undone as a whole, or it would be in the way of the next try under its name.
        .retain_except_on_create(true);
    let request = match text(aws, "CreateStack", want)? {
        Text::Body(body) => request.template_body(body),
        Text::Url(url) => request.template_url(url),
    };
    already_ok(request.send().await.during("CreateStack"), Class::Exists)
}

pub(super) async fn update(aws: &Aws, id: &str, want: &Props, live: &Props) -> Result<(), Failure> {
    let request = aws
        .cloudformation
        .update_stack()
        .stack_name(id)
        .set_parameters(parameters(aws, "UpdateStack", want, Some(live))?)
        .set_tags(Some(tags(want)))
        .set_capabilities(capabilities(want));
    let request = match text(aws, "UpdateStack", want)? {
        Text::Body(body) => request.template_body(body),
        Text::Url(url) => request.template_url(url),
    };
    match request.send().await.during("UpdateStack") {
        Ok(_) => {
            aws.empty_updates.forget(id);
            Ok(())
        }
        // What differs means nothing to CloudFormation, such as a mapping that nobody uses (fact book, section 6.3).
        Err(failure) if is_empty(&failure.message) => {
            aws.empty_updates.remember(id, want.template.clone());
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Whether CloudFormation says that nothing changes: it has two sentences for it (fact book, section 6.3).
pub(super) fn is_empty(message: &str) -> bool {
    message.contains("No updates are to be performed") || message.contains("didn't contain changes")
}

pub(super) async fn protect(aws: &Aws, id: &str, on: bool) -> Result<(), Failure> {
    let request = aws.cloudformation.update_termination_protection().stack_name(id);
    let request = request.enable_termination_protection(on);
    request.send().await.during("UpdateTerminationProtection").map(|_| ())
}

pub(super) async fn delete(aws: &Aws, id: &str) -> Result<(), Failure> {
    aws.cloudformation.delete_stack().stack_name(id).send().await.during("DeleteStack").map(|_| ())
}

/// The change set that was reviewed, if one was.
pub(super) fn change_set(want: &Props) -> Option<ChangeSet> {
    want.request.as_ref().and_then(|request| request.change_set.clone())
}

pub(super) async fn execute(aws: &Aws, set: &ChangeSet) -> Result<(), Failure> {
    let request = aws.cloudformation.execute_change_set().change_set_name(&set.arn);
    request.send().await.during("ExecuteChangeSet").map(|_| ())
}

/// Asks for a change set of this name and returns its ARN.
pub(super) async fn ask(
    aws: &Aws,
    name: &str,
    want: &Props,
    live: Option<&Props>,
) -> Result<String, Failure> {
    let kind = if live.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
    let request = aws
        .cloudformation
        .create_change_set()
        .stack_name(&want.name)
        .change_set_name(name)
        .change_set_type(kind)
        .include_nested_stacks(true)
        .set_parameters(parameters(aws, "CreateChangeSet", want, live)?)
        .set_tags(Some(tags(want)))
        .set_capabilities(capabilities(want));
    let request = match text(aws, "CreateChangeSet", want)? {
        Text::Body(body) => request.template_body(body),
        Text::Url(url) => request.template_url(url),
    };
    let answer = request.send().await.during("CreateChangeSet")?;
    Ok(answer.id.unwrap_or_default())
}

fn sent(want: &Props) -> Request {
    want.request.clone().unwrap_or_default()
}

/// The address of a template in a bucket of the stack's region.
pub(crate) fn template_url(aws: &Aws, bucket: &str, key: &str) -> String {
    let suffix = if aws.place.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{bucket}.s3.{}.{suffix}/{key}", aws.place.region)
}

/// The template as it is now, if it is still the one that was planned.
fn text(aws: &Aws, operation: &'static str, want: &Props) -> Result<Text, Failure> {
    let request = sent(want);
    let refuse = |why: String| Failure::refused(operation, why);
    let path = &request.path;
    let content = (aws.files)(path).map_err(|error| refuse(format!("cannot read {path}: {error}")))?;
    let body = String::from_utf8(content).map_err(|_| refuse(format!("{path} is not UTF-8 text")))?;
    let template = Template::parse(&body).map_err(|problems| refuse(format!("{path}: {problems}")))?;
    if flat(&template) != want.template {
        return Err(refuse(format!("{path} was changed after the plan was made; run again")));
    }
    Ok(match (&request.bucket, &request.key) {
        (Some(bucket), Some(Input::Known(key))) => Text::Url(template_url(aws, bucket, key)),
        _ => Text::Body(body),
    })
}

/// The values of all parameters. What CloudFormation keeps secret is not sent back: it keeps it.
fn parameters(
    aws: &Aws,
    operation: &'static str,
    want: &Props,
    live: Option<&Props>,
) -> Result<Option<Vec<Parameter>>, Failure> {
    let environment = sent(want).environment;
    let no_live = BTreeMap::new();
    let live = live.map_or(&no_live, |live| &live.parameters);
    let mut all = Vec::new();
    for (name, value) in &want.parameters {
        let parameter = Parameter::builder().parameter_key(name);
        if live.get(name).is_some_and(|live| live.get() == HIDDEN) {
            all.push(parameter.use_previous_value(true).build());
            continue;
        }
        match (environment.get(name), value.get()) {
            (Some(variable), _) => {
                let secret = (aws.passwords)(variable).ok_or_else(|| {
                    let why = format!("{variable} is not set: put the value of the parameter {name} into that environment variable");
                    Failure::refused(operation, why)
                })?;
                all.push(parameter.parameter_value(secret.reveal()).build());
            }
            // The template's own default.
            (None, HIDDEN) => {}
            (None, text) => all.push(parameter.parameter_value(text).build()),
        }
    }
    Ok(Some(all).filter(|all| !all.is_empty()))
}

fn tags(want: &Props) -> Vec<Tag> {
    want.stack_tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn capabilities(want: &Props) -> Option<Vec<Capability>> {
    let given: Vec<Capability> = sent(want).capabilities.iter().map(|name| name.as_str().into()).collect();
    Some(given).filter(|given| !given.is_empty())
}
