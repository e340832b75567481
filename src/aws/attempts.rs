//! How often the SDK sends a request before its failure is ours to judge.
//!
//! The SDK's own way is three attempts for every kind of failure, and a quota of repetitions that all clients of the
//! process share: with a third of all calls throttled, every other plan of a stack ended in an error. Here the reason
//! decides. What was throttled had no effect and is sent again, whatever it is. What failed in any other way may have
//! had its effect: a look is sent again, and a change is not, because the executor looks before it asks again.

use super::{Stop, whole};
use aws_config::retry::RetryConfig;
use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    FinalizerInterceptorContextMut, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest pause before another attempt. Pauses are drawn between nothing and twice the one before, from one
/// second on: AWS's exponential backoff with full jitter.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Decides after each attempt of every request whether there is another. Clones share the order to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    /// One of each run that changes something by these clients.
    stops: Arc<Mutex<Vec<Stop>>>,
}

impl Attempts {
    /// From now on changes that are throttled are not sent again once `stop` is ordered.
    pub fn heed(&self, stop: Stop) {
        let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody orders anything any more of a run that has ended.
        stops.retain(|stop| stop.has_changed().is_ok());
        stops.push(stop);
    }

    fn is_stopped(&self) -> bool {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        stops.iter().any(|stop| *stop.borrow())
    }

    /// A share of the quota of repetitions that nobody else has, and that never ends: the number of attempts is
    /// what bounds them.
    pub fn partition() -> RetryPartition {
        RetryPartition::custom("auroraml").token_bucket(TokenBucket::unlimited()).build()
    }
}

/// Why an attempt failed, as far as another one is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It had no effect.
    Throttled,
    /// AWS, or something on the way, answered with a passing error.
    Answered,
    /// No answer, or half of one.
    Unanswered,
}

/// How many attempts there are in all.
fn attempts_max(reason: Reason, is_look: bool) -> u32 {
    match (reason, is_look) {
        // Five and a half minutes at most, about half of that on average. Where six of ten calls are throttled, one
        // look in 27,000 needs more.
        (Reason::Throttled, true) => 20,
        // A minute at most: the executor, which hears when it is to stop, goes on from there.
        (Reason::Throttled, false) => 8,
        (Reason::Answered, true) => 8,
        // Soon enough for somebody who waits for the word that there is no network.
        (Reason::Unanswered, true) => 4,
        (Reason::Answered | Reason::Unanswered, false) => 1,
    }
}

/// Whether an operation changes nothing, so that it can be repeated at any time.
pub(super) fn is_look(operation: &str) -> bool {
    ["Describe", "Filter", "Get", "Head", "List", "Lookup", "Simulate"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// Why the attempt failed, if another one makes sense at all. The SDK's classifiers know AWS's codes.
fn reason(context: &InterceptorContext, components: &RuntimeComponents) -> Option<Reason> {
    let mut verdict = RetryAction::NoActionIndicated;
    for classifier in components.retry_classifiers() {
        match classifier.classify_retry_v2(context, &verdict) {
            RetryAction::NoActionIndicated => {}
            next => verdict = next,
        }
    }
    let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) = verdict else { return None };
    let answer = context.response();
    match kind {
        // A quota of Secrets Manager, KMS and CloudFormation, and to the SDK a code for throttling (fact book,
        // trap 67).
        ErrorKind::ThrottlingError if answer.is_some_and(|answer| says(answer.body(), QUOTA)) => None,
        ErrorKind::ThrottlingError => Some(Reason::Throttled),
        _ if answer.is_some_and(|answer| answer.status().as_u16() >= 500) => Some(Reason::Answered),
        _ => Some(Reason::Unanswered),
    }
}

const QUOTA: &[u8] = b"LimitExceededException";

fn says(body: &aws_smithy_types::body::SdkBody, word: &[u8]) -> bool {
    body.bytes().is_some_and(|body| body.windows(word.len()).any(|part| part == word))
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "auroraml::aws::attempts"
    }

    /// An error that comes out of the connector comes after the request went into it. The connector calls some of
    /// them *other* (an answer that ends too early, or that is no HTTP), and so does the SDK what never left, such as
    /// a request without credentials: from here on *other* means the latter. An answer that is not whole is no answer.
    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Err(error)) = context.output_or_error_mut()
            && error.as_connector_error().is_some_and(ConnectorError::is_other)
        {
            let broken = std::mem::replace(error, OrchestratorError::other("taken"));
            *error = OrchestratorError::connector(ConnectorError::io(broken.into()));
        }
        let good = context.response().filter(|answer| answer.status().is_success());
        let fault = good.and_then(|answer| whole::fault(answer.body().bytes()?));
        if let (Some(fault), Some(taken)) = (fault, context.output_or_error_mut())
            && taken.as_ref().err().is_none_or(OrchestratorError::is_operation_error)
        {
            *taken = Err(OrchestratorError::response(fault.into()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_look = bag.load::<Metadata>().is_some_and(|metadata| is_look(metadata.name()));
        let max = match reason(context.inner(), components) {
            // To be said, or the SDK goes by its own default.
            None => 1,
            _ if !is_look && self.is_stopped() => 1,
            Some(reason) => attempts_max(reason, is_look),
        };
        let retry = RetryConfig::standard().with_max_attempts(max).with_max_backoff(PAUSE_MAX);
        bag.interceptor_state().store_put(retry);
        Ok(())
    }
}
