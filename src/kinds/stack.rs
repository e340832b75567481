//! How CloudFormation is asked for the stacks that run templates.

pub mod change_set;
mod inside;
mod request;

pub(crate) use request::template_url;

use super::kind::{Calls, Deletion, Seen, Update, absent_ok};
use crate::aws::{Aws, During, Failure, Look, tag_map};
use auroraml_core::base::{Input, ONLY_TAGGED, Outputs, State};
use auroraml_core::kinds::stack::{OUTPUT, Props, STATUS, Stack, Status, TEMPLATE_TAG, flat, status};
use auroraml_core::spec::{Piece, Reference, pieces};
use auroraml_core::template::Template;
use aws_sdk_cloudformation::types::{Stack as Described, StackStatus, TemplateStage};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Output in which the executor finds why AWS undid or gave up what it was asked for.
const FAILURE: &str = "failure";
/// Pages of the listing of all stacks: more stacks than that no account has (quotas: 2,000).
const PAGES_MAX: usize = 60;

impl Calls for Stack {
    /// The stacks of the spec by their names, and those of an earlier spec whose names begin with the stack's.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let Some(names) = &aws.scope.stacks else { return Ok(Vec::new()) };
        let one = look.only.and_then(|only| names.get(only));
        let listed = match one {
            Some(physical) => described(aws, physical).await?.into_iter().collect(),
            None => look.shared("DescribeStacks", every_stack(aws, names)).await?.to_vec(),
        };
        let mut found: BTreeMap<String, &Described> = BTreeMap::new();
        for stack in listed.iter().filter(|stack| stack.parent_id().is_none()) {
            let physical = stack.stack_name().unwrap_or_default();
            let by_name = names.iter().find(|(_, name)| *name == physical).map(|(name, _)| name.clone());
            let Some(name) = tagged(aws, stack).or_else(|| by_name.clone()) else { continue };
            // Of two that carry one tag the one is meant that has the name.
            let name = match by_name == Some(name.clone()) || names.get(&name).is_none() {
                true => name,
                false => format!("{name}#{physical}"),
            };
            found.insert(name, stack);
        }
        let wanted = found.into_iter().filter(|(name, _)| look.wants(name));
        let seen = join_all(wanted.map(async |(name, stack)| seen(look, name, stack).await)).await;
        seen.into_iter().filter_map(Result::transpose).collect()
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        request::create(aws, want).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let id = id_of(update.outputs);
        if update.outputs.get(STATUS).is_some_and(|status| status == Status::ReviewInProgress.word()) {
            return match request::change_set(&update.want) {
                Some(set) => request::execute(aws, &set).await,
                // A change set that nobody executes: nothing is in the stack, and it is made in its place.
                None => request::delete(aws, id).await,
            };
        }
        if update.changed("termination_protection") {
            request::protect(aws, id, update.want.termination_protection).await?;
        }
        if !["template", "parameters", "stack_tags"].iter().any(|path| update.changed(path)) {
            return Ok(());
        }
        match request::change_set(&update.want) {
            Some(set) => request::execute(aws, &set).await,
            None => request::update(aws, id, &update.want, &update.live).await,
        }
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let id = id_of(deletion.outputs);
        if deletion.live.termination_protection {
            request::protect(aws, id, false).await?;
        }
        request::delete(aws, id).await
    }
}

fn id_of(outputs: &Outputs) -> &str {
    outputs.get("id").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// The stack of this name or id, if there is one.
pub(super) async fn described(aws: &Aws, name: &str) -> Result<Option<Described>, Failure> {
    let answer = aws.cloudformation.describe_stacks().stack_name(name).send().await.during("DescribeStacks");
    let stacks = absent_ok(answer)?.and_then(|answer| answer.stacks).unwrap_or_default();
    // By its id a stack is found that was deleted.
    Ok(stacks.into_iter().next().filter(|stack| {
        stack.stack_status().is_none_or(|status| status.as_str() != Status::DeleteComplete.word())
    }))
}

/// The stacks of the spec, and those that have a name as the stack's own have.
async fn every_stack(aws: &Aws, names: &BTreeMap<String, String>) -> Result<Vec<Described>, Failure> {
    let statuses = Status::ALL.iter().filter(|status| **status != Status::DeleteComplete);
    let statuses = statuses.map(|status| StackStatus::from(status.word())).collect();
    let request = aws.cloudformation.list_stacks().set_stack_status_filter(Some(statuses));
    let mut pages = request.into_paginator().send();
    let prefix = aws.place.name("");
    let mut found = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let page = page.during("ListStacks")?;
        let own = page.stack_summaries().iter().filter(|stack| stack.parent_id().is_none());
        let names = own.filter_map(|stack| stack.stack_name());
        found.extend(names.filter(|name| name.starts_with(&prefix)).map(String::from));
    }
    found.extend(names.values().cloned());
    let all = join_all(found.iter().map(|name| described(aws, name))).await;
    all.into_iter().filter_map(Result::transpose).collect()
}

fn tags(stack: &Described) -> BTreeMap<String, String> {
    tag_map(stack.tags().iter().map(|tag| (tag.key(), tag.value())))
}

/// The name within the stack that its tag says, if it is one of ours.
fn tagged(aws: &Aws, stack: &Described) -> Option<String> {
    let tags = tags(stack);
    let (owner, name) = tags.get(TEMPLATE_TAG)?.split_once('/')?;
    (owner == aws.place.stack && !name.is_empty()).then(|| name.to_owned())
}

/// A value of the spec with the outputs of templates in it as they are now; none where one is not there yet.
pub(crate) async fn filled(aws: &Aws, text: &str) -> Result<Option<String>, Failure> {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Reference(Reference::Output { stack, output }) => {
                let Some(physical) = aws.scope.stacks.as_ref().and_then(|names| names.get(&stack)) else {
                    return Ok(None);
                };
                let found = described(aws, physical).await?;
                let outputs = found.iter().flat_map(|stack| stack.outputs());
                let mut outputs = outputs.filter(|one| one.output_key() == Some(output.as_str()));
                match outputs.next().and_then(|one| one.output_value()) {
                    Some(value) => out.push_str(value),
                    None => return Ok(None),
                }
            }
            Piece::Reference(Reference::Own(_)) => return Ok(None),
        }
    }
    Ok(Some(out))
}

async fn seen(look: Look<'_>, name: String, stack: &Described) -> Result<Option<Seen<Props>>, Failure> {
    let aws = look.aws;
    let physical = stack.stack_name().unwrap_or_default().to_owned();
    let id = stack.stack_id().unwrap_or(&physical).to_owned();
    let word = stack.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default();
    let status = status(&word);
    // Within a step only: a plan says what is wanted, and asks no more than it must.
    let closely = look.only.is_some();
    let is_busy = status.is_some_and(Status::is_busy);
    let is_empty = status == Some(Status::ReviewInProgress);
    let template = match is_empty || is_busy && closely {
        true => BTreeMap::new(),
        false => match template(aws, &id).await? {
            Some(template) => template,
            None => return Ok(None),
        },
    };
    let asks_why = status.is_some_and(Status::has_cause)
        && (closely || !matches!(status, Some(status) if status.state("", None, None) == State::Ready));
    let cause = if asks_why { inside::cause(aws, &id).await? } else { None };
    let progress = if is_busy && closely { inside::progress(aws, &id).await? } else { None };
    let state = match status {
        Some(status) => status.state(&physical, cause.as_deref(), progress.as_deref()),
        None => State::Busy(word.clone()),
    };
    let mut outputs = Outputs::from([
        ("id".into(), id.as_str().into()),
        ("arn".into(), id.as_str().into()),
        ("name".into(), physical.as_str().into()),
        (STATUS.into(), word.into()),
    ]);
    for output in stack.outputs() {
        if let (Some(key), Some(value)) = (output.output_key(), output.output_value()) {
            outputs.insert(format!("{OUTPUT}{key}"), value.into());
        }
    }
    if let (true, Some(status)) = (closely, status) {
        let why = cause.as_deref().unwrap_or("CloudFormation does not say why");
        match (status, &state) {
            (Status::UpdateRollbackComplete, _) => {
                outputs.insert(FAILURE.into(), format!("the update was undone: {why}").into());
            }
            (Status::DeleteFailed, State::Broken(text)) => {
                outputs.insert(FAILURE.into(), text.as_str().into());
            }
            _ => {}
        }
    }
    let is_tagged = tagged(aws, stack).is_some();
    let own_name = name.split('#').next().unwrap_or_default();
    let is_named = physical == aws.place.name(own_name)
        || aws.scope.stacks.iter().flatten().any(|(key, given)| *key == name && *given == physical);
    if is_tagged && !is_named {
        outputs.insert(ONLY_TAGGED.into(), "".into());
    }
    let parameters = stack.parameters().iter().filter_map(|parameter| {
        Some((parameter.parameter_key()?.to_owned(), Input::from(parameter.parameter_value()?)))
    });
    let props = Props {
        name: physical,
        template,
        parameters: parameters.collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        stack_tags: tags(stack),
        request: None,
    };
    // A change set that nobody executed has left a name, and nothing else; it has no tags yet.
    let owned = is_tagged || is_named && is_empty;
    Ok(Some(Seen { name, props, outputs, state, owned }))
}

/// What the template says that was submitted last; none where the stack went meanwhile.
async fn template(aws: &Aws, id: &str) -> Result<Option<BTreeMap<String, String>>, Failure> {
    if let Some(same) = aws.empty_updates.found(id) {
        return Ok(Some(same));
    }
    let request = aws.cloudformation.get_template().stack_name(id).template_stage(TemplateStage::Original);
    let Some(answer) = absent_ok(request.send().await.during("GetTemplate"))? else { return Ok(None) };
    let text = answer.template_body().unwrap_or_default();
    let template = Template::parse(text).map_err(|problems| {
        let why =
            format!("the template of {id} cannot be read: {}", problems.to_string().replace('\n', "; "));
        Failure::refused("GetTemplate", why)
    })?;
    Ok(Some(flat(&template)))
}
