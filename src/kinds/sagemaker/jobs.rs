//! What the SageMaker jobs share: how they are named, listed and told apart from jobs that they start themselves.
//!
//! A job's name is `<stack>-<endpoint>-<hash>`, that of a later attempt has its number behind it. AWS takes no name
//! twice, so that a start whose answer was lost is met by the next one as a name that is taken.

use super::super::kind::{ATTEMPT, Seen};
use super::{list_tags, models, or_gone};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::base::names::RESOURCE_TAG;
use auroraml_core::base::{Outputs, State};
use aws_sdk_sagemaker::primitives::DateTime;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of a listing, of 100 jobs each, newest first.
pub(in crate::kinds) const PAGES_MAX: usize = 5;
/// Jobs that have ended and are looked at: what is older is met again by its name when it is wanted.
const ENDED_MAX: usize = 40;

/// A job in a listing.
#[derive(Clone, Debug)]
pub(in crate::kinds) struct Listed {
    pub(in crate::kinds) physical: String,
    pub(in crate::kinds) running: bool,
}

/// A job in detail.
pub(in crate::kinds) struct Described<P> {
    pub(in crate::kinds) props: P,
    pub(in crate::kinds) state: State,
    pub(in crate::kinds) outputs: Outputs,
    /// Where the models are that a job which has ended well has left.
    pub(in crate::kinds) artifacts: Vec<String>,
}

/// What is asked for in a listing: all of the stack, or one job and its attempts.
pub(in crate::kinds) fn part_of_name(look: Look<'_>, max: usize) -> String {
    match look.only {
        Some(name) => look.aws.place.job_name(name, 1, max),
        None => look.aws.place.name(""),
    }
}

/// Name in AWS without the number of its attempt, and that number. Training jobs that a tuning job has started have its
/// name, their number and a hash of their own: they are not asked for.
fn attempt(physical: &str) -> Option<(&str, u64)> {
    let is_hash =
        |text: &str| text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_number = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = physical.rsplitn(4, '-');
    let (last, second, third) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    if is_hash(last) {
        // Also where the number of the tuning job's attempt stands between them.
        let fourth = parts.next().and_then(|rest| rest.rsplit('-').next()).unwrap_or_default();
        let started = is_number(second) && (is_hash(third) || is_hash(fourth));
        return (!started).then_some((physical, 1));
    }
    let attempt = last.parse().ok().filter(|n| (2..100).contains(n))?;
    let head = &physical[..physical.len() - last.len() - 1];
    is_hash(second).then_some((head, attempt))
}

/// The latest attempt at each job, of those that run and the newest of those that have ended.
fn latest<'l>(look: Look<'_>, listed: &'l [Listed], max: usize) -> Vec<(&'l Listed, u64)> {
    let only = look.only.map(|name| look.aws.place.job_name(name, 1, max));
    let prefix = look.aws.place.name("");
    let mut found: BTreeMap<&str, (&Listed, u64)> = BTreeMap::new();
    let mut ended = 0;
    for job in listed.iter().filter(|job| job.physical.starts_with(&prefix)) {
        let Some((base, attempt)) = attempt(&job.physical) else { continue };
        if only.as_ref().is_some_and(|only| only != base) {
            continue;
        }
        ended += usize::from(!job.running);
        if !job.running && ended > ENDED_MAX {
            continue;
        }
        let newest = found.entry(base).or_insert((job, attempt));
        if attempt > newest.1 {
            *newest = (job, attempt);
        }
    }
    found.into_values().collect()
}

/// The jobs of this kind, in detail. Their tags tell them from jobs of a like name that others have started: a tuning
/// job gives its tags to its training jobs (CreateHyperParameterTuningJob), but they name it.
pub(in crate::kinds) async fn seen<P, F>(
    look: Look<'_>,
    (kind, resource, max): (&str, &str, usize),
    listed: &[Listed],
    describe: impl Fn(String) -> F,
) -> Result<Vec<Seen<P>>, Failure>
where
    F: Future<Output = Result<Option<Described<P>>, Failure>>,
{
    let aws = look.aws;
    let details = latest(look, listed, max).into_iter().map(|(job, attempt)| {
        let found = describe(job.physical.clone());
        async move {
            let arn = aws.place.sagemaker_arn(resource, &job.physical);
            let (found, tags) = tokio::join!(found, list_tags(aws, &arn));
            let Some(found) = found? else { return Ok(None) };
            let Some(tags) = or_gone(tags, async { Ok(true) }).await? else { return Ok(None) };
            let tagged = tags.get(RESOURCE_TAG).and_then(|id| id.strip_prefix(kind)?.strip_prefix('.'));
            let name = tagged.filter(|name| aws.place.job_name(name, attempt, max) == job.physical);
            let Some(name) = name.filter(|_| owns(&aws.place, &tags)).or(look.only) else { return Ok(None) };
            let state = match found.state {
                State::Ready => lasting(look, name, &found.artifacts).await?,
                other => other,
            };
            let mut outputs = found.outputs;
            outputs.insert(ATTEMPT.into(), attempt.into());
            outputs.insert("name".into(), job.physical.as_str().into());
            outputs.insert("arn".into(), arn.into());
            Ok(Some(Seen { name: name.to_string(), props: found.props, outputs, state, owned: true }))
        }
    });
    let details: Result<Vec<Option<Seen<P>>>, Failure> = join_all(details).await.into_iter().collect();
    Ok(details?.into_iter().flatten().collect())
}

/// A job that has ended well is of use as long as its model is there. Where the endpoint has a model already, the job has
/// served its purpose.
async fn lasting(look: Look<'_>, name: &str, artifacts: &[String]) -> Result<State, Failure> {
    let aws = look.aws;
    let places: BTreeSet<&str> = artifacts.iter().filter_map(|uri| uri.strip_prefix("s3://")).collect();
    let checks = places.into_iter().filter_map(|path| path.split_once('/')).map(|(bucket, key)| async move {
        // Not HeadObject: who plans may list, and reads no objects.
        let request = aws.s3.list_objects_v2().bucket(bucket).prefix(key).max_keys(1);
        match request.send().await.during("ListObjectsV2") {
            Ok(page) if page.contents().is_empty() => Some(format!("s3://{bucket}/{key}")),
            Err(failure) if failure.is(Class::NotFound) => Some(format!("s3://{bucket}/{key}")),
            // Whoever may not look takes it to be there: CreateModel knows.
            _ => None,
        }
    });
    let gone: Vec<String> = join_all(checks).await.into_iter().flatten().collect();
    let Some(first) = gone.first() else { return Ok(State::Ready) };
    let endpoint = name.rsplit_once('-').map_or(name, |(endpoint, _)| endpoint);
    let of_endpoint = |model: &String| {
        let rest = model.strip_prefix(&aws.place.name("")).and_then(|rest| rest.rsplit_once('-'));
        // A long name is cut.
        rest.is_some_and(|(head, _)| endpoint.starts_with(head))
    };
    match models(Look { only: None, ..look }).await?.iter().any(of_endpoint) {
        true => Ok(State::Ready),
        false => Ok(State::Broken(format!("its model is no longer at {first}"))),
    }
}

/// A start whose name is taken has been made: by a run whose answer was lost, or that was killed.
pub(in crate::kinds) fn adopted<T>(answer: Result<T, Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if failure.code == "ResourceInUse" => Ok(()),
        answer => answer.map(drop),
    }
}

/// What has ended by itself in the meantime need not be stopped.
pub(in crate::kinds) fn stopped<T>(answer: Result<T, Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if failure.message.contains("in status") => Ok(()),
        answer => answer.map(drop),
    }
}

/// Whole minutes since a time.
pub(in crate::kinds) fn minutes_since(aws: &Aws, time: Option<&DateTime>) -> u64 {
    let began = time.and_then(|time| time.to_millis().ok()).and_then(|ms| u64::try_from(ms).ok());
    began.map_or(0, |began| aws.clock.now_ms().saturating_sub(began) / 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_a_start_that_was_made() {
        let refused = |code: &str, message: &str| -> Result<(), Failure> {
            Err(Failure::answered("Create", code.into(), message.into()))
        };
        assert_eq!(adopted(refused("ResourceInUse", "names must be unique")), Ok(()));
        assert!(adopted(refused("ResourceLimitExceeded", "")).is_err());
        assert_eq!(stopped(refused("ValidationException", "… the job is in status Completed.")), Ok(()));
        assert!(stopped(refused("ValidationException", "no such job")).is_err());
    }

    #[test]
    fn attempts_are_told_from_other_numbers() {
        assert_eq!(attempt("churn-x-0123abcd"), Some(("churn-x-0123abcd", 1)));
        assert_eq!(attempt("churn-x-0123abcd-2"), Some(("churn-x-0123abcd", 2)));
        assert_eq!(attempt("churn-x-12345678"), Some(("churn-x-12345678", 1)));
        assert_eq!(attempt("churn-x-0123abcd-001"), None, "no attempt: it would be 2 or later");
        assert_eq!(attempt("churn-x-2"), None);
        assert_eq!(attempt("churn-x-0123abcd-001-89abcdef"), None, "a tuning job started it");
        assert_eq!(attempt("churn-x-0123abcd-2-001-89abcdef"), None);
        assert_eq!(
            attempt("churn-001-89abcdef"),
            Some(("churn-001-89abcdef", 1)),
            "an endpoint may be called so"
        );
        assert_eq!(attempt("churn"), None);
    }
}
