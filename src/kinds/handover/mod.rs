//! The CloudFormation stack that hands over what it made: every resource is retained, then the stack goes. Only a run of
//! `adopt --release` knows these kinds.
//!
//! What is asked is the template as CloudFormation has it now, never what was sent to it: an update of policies alone was
//! taken for no update for years (docs/decisions/0021).

pub mod stack;
mod upload;

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::takeover::{Handover, HandoverProps, Retention, RetentionProps, retaining, without};
use auroraml_core::template::{LARGEST_INLINE, Template};
use stack::Described;
use upload::Upload;

/// What CloudFormation says to an update that changes nothing (fact book, section 6.3).
const NOTHING_TO_DO: &str = "No updates are to be performed";

/// What a resource is in that CloudFormation has let go of (user guide, "DeletionPolicy attribute").
const SKIPPED: &str = "DELETE_SKIPPED";

/// The state of a stack, and why its last change was undone.
fn state(found: &Described) -> (State, Outputs) {
    let status = found.status.as_str();
    let reason = found.reason.clone().unwrap_or_else(|| "CloudFormation gives no reason".into());
    let undone = Outputs::from([("failure".into(), format!("{status}: {reason}").into())]);
    match status {
        _ if status.ends_with("_IN_PROGRESS") => (State::Busy(status.into()), Outputs::new()),
        "UPDATE_ROLLBACK_FAILED" | "ROLLBACK_FAILED" | "ROLLBACK_COMPLETE" => {
            (State::Failed(format!("the CloudFormation stack {} is {status}: {reason}", found.name)), undone)
        }
        // Both can be asked for once more.
        "DELETE_FAILED" | "UPDATE_ROLLBACK_COMPLETE" => (State::Ready, undone),
        _ => (State::Ready, Outputs::new()),
    }
}

impl Calls for Retention {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<RetentionProps>>, Failure> {
        let Some(taken) = &look.aws.scope.taken_over else { return Ok(Vec::new()) };
        let arn = taken.from_stack.as_str();
        let seen = |resources, retained, (state, outputs)| {
            let props = RetentionProps { stack: arn.into(), resources, retained, bucket: None };
            vec![Seen { name: "main".into(), props, outputs, state, owned: true }]
        };
        let Some(found) = stack::describe(look.aws, arn).await?.filter(|found| !found.is_gone()) else {
            return Ok(seen(Vec::new(), true, (State::Ready, Outputs::new())));
        };
        let (resources, template) =
            tokio::try_join!(stack::resources(look.aws, arn), stack::template(look.aws, arn))?;
        let retained = auroraml_core::takeover::is_retained(&template);
        let mut logical: Vec<String> = resources.into_iter().map(|part| part.logical).collect();
        logical.sort();
        Ok(seen(logical, retained, state(&found)))
    }

    /// The stack is there, or it has nothing to retain.
    async fn create(&self, _: &Aws, name: &str, _: &RetentionProps) -> Result<(), Failure> {
        Err(Failure::refused("create", format!("auroraml does not create {name} (a bug)")))
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, RetentionProps>) -> Result<(), Failure> {
        let (arn, bucket) = (&update.want.stack, update.want.bucket.as_deref());
        let template = retaining(&stack::template(aws, arn).await?, false);
        match send(aws, arn, &template, bucket).await {
            // Where policies alone are no update, metadata of each resource makes it one.
            Err(failure) if failure.message.contains(NOTHING_TO_DO) => {
                let template = retaining(&template, true);
                send(aws, arn, &template, bucket).await
            }
            other => other,
        }
    }

    async fn delete(&self, _: &Aws, name: &str, _: Deletion<'_, RetentionProps>) -> Result<(), Failure> {
        Err(Failure::refused("delete", format!("auroraml does not delete {name} (a bug)")))
    }
}

impl Calls for Handover {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<HandoverProps>>, Failure> {
        let Some(taken) = &look.aws.scope.taken_over else { return Ok(Vec::new()) };
        let arn = taken.from_stack.as_str();
        let seen = |resources, deleted, (state, outputs)| {
            let props = HandoverProps { stack: arn.into(), resources, deleted, bucket: None };
            vec![Seen { name: "main".into(), props, outputs, state, owned: true }]
        };
        let found = stack::describe(look.aws, arn).await?;
        let Some(found) = found else {
            return Ok(seen(Vec::new(), Vec::new(), (State::Ready, Outputs::new())));
        };
        let parts = stack::resources(look.aws, arn).await?;
        let name = |part: &auroraml_core::takeover::Part| part.logical.clone();
        if found.is_gone() {
            let mut deleted: Vec<String> =
                parts.iter().filter(|part| part.status != SKIPPED).map(name).collect();
            deleted.sort();
            return Ok(seen(Vec::new(), deleted, (State::Ready, Outputs::new())));
        }
        let mut logical: Vec<String> = parts.iter().map(name).collect();
        logical.sort();
        let deleted = stack::deleted_by_us(look.aws, arn).await?;
        Ok(seen(logical, deleted, state(&found)))
    }

    async fn create(&self, _: &Aws, name: &str, _: &HandoverProps) -> Result<(), Failure> {
        Err(Failure::refused("create", format!("auroraml does not create {name} (a bug)")))
    }

    /// Deletes the stack, or takes everything out of it but what stays: in both cases only after the template, read just
    /// now, says that all of it is retained.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, HandoverProps>) -> Result<(), Failure> {
        let want = &update.want;
        let template = stack::template(aws, &want.stack).await?;
        if !auroraml_core::takeover::is_retained(&template) {
            let why = "not every resource is marked Retain, because the template has changed since; nothing was deleted";
            return Err(Failure::refused("DeleteStack", why));
        }
        let bucket = want.bucket.as_deref();
        if want.resources.is_empty() {
            // A run that was killed may have left it there.
            if let Some(bucket) = bucket.filter(|_| compact(&template).len() > LARGEST_INLINE) {
                Upload::of(&want.stack, bucket).remove(aws).await?;
            }
            let token = format!("{}{}", stack::TOKEN, aws.clock.now_ms());
            let request =
                aws.cloudformation.delete_stack().stack_name(&want.stack).client_request_token(token);
            return already_ok(request.send().await.during("DeleteStack"), Class::NotFound);
        }
        send(aws, &want.stack, &without(&template, &want.resources), bucket).await
    }

    async fn delete(&self, _: &Aws, name: &str, _: Deletion<'_, HandoverProps>) -> Result<(), Failure> {
        Err(Failure::refused("delete", format!("auroraml does not delete {name} (a bug)")))
    }
}

/// Updates the stack to this template, with every parameter as it is.
async fn send(aws: &Aws, arn: &str, template: &Template, bucket: Option<&str>) -> Result<(), Failure> {
    let Some(found) = stack::describe(aws, arn).await? else {
        return Err(Failure::refused(
            "UpdateStack",
            format!("the CloudFormation stack {arn} no longer exists"),
        ));
    };
    let request = aws
        .cloudformation
        .update_stack()
        .stack_name(arn)
        // The next run knows by it whose update this is, if this one is killed. Never the same twice: CloudFormation
        // takes a second request with it for the first (API reference, UpdateStack, ClientRequestToken).
        .client_request_token(format!("{}{}", stack::TOKEN, aws.clock.now_ms()))
        .set_parameters(Some(stack::previous(&found)))
        .set_capabilities(Some(stack::capabilities(&found, template)));
    let body = compact(template);
    let Some(bucket) = bucket.filter(|_| body.len() > LARGEST_INLINE) else {
        return request.template_body(body).send().await.during("UpdateStack").map(|_| ());
    };
    let upload = Upload::of(arn, bucket);
    upload.put(aws, body).await?;
    let updated = request.template_url(upload.url(aws)).send().await.during("UpdateStack");
    upload.remove(aws).await?;
    updated.map(|_| ())
}

/// As JSON without spaces: CloudFormation counts bytes.
pub(crate) fn compact(template: &Template) -> String {
    template.value().to_string()
}
