//! What is not as the spec says, who did it, and what could not be read. Changes nothing.

use super::reconcile::{PrepareError, Survey, survey};
use crate::aws::{APP, Aws, Class, During, Failure, Inside, Look};
use crate::kinds::beyond;
use crate::stack::Stack;
use auroraml_core::base::{Id, Observed};
use auroraml_core::drift::{Beyond, By, Finding, Unread, judge};
use auroraml_core::model::{Intent, Order};
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Objects whose history is looked up: two a second are all that AWS answers.
const LOOKUPS_MAX: usize = 20;
/// Events of one object that are looked through, in one page of the most that AWS gives.
const EVENTS: i32 = 50;
/// CloudTrail's event history goes back so far ("Working with CloudTrail event history").
const HISTORY_MS: u64 = 90 * 24 * 3_600_000;

/// What a look came to.
pub struct Drift {
    pub findings: Vec<Finding>,
    pub unread: Vec<Unread>,
    /// What limits the answer to who did it.
    pub who: Option<String>,
}

/// Compares all of it. `asks_who`: whether CloudTrail is asked about what differs.
///
/// # Errors
/// When AWS cannot be asked what there is, or the spec cannot be carried out here.
pub async fn drift(stack: &Stack, asks_who: bool) -> Result<Drift, PrepareError> {
    let aws = &stack.aws;
    let began = aws.clock.now_ms();
    // Nobody is woken to be looked at.
    let Survey { observed, planned, .. } =
        survey(stack, Order { wake: false, ..Intent::Apply.into() }).await?;
    let (graph, plan, _) = planned.map_err(PrepareError::Preflight)?;
    let beyond = Box::pin(beyond(stack, began, &observed)).await;
    let mut findings = judge(&graph, &observed, &plan, &stack.kinds.catalog(), &beyond);
    let who = match asks_who && !findings.is_empty() {
        true => Box::pin(blame(aws, &observed, &mut findings)).await,
        false => None,
    };
    Ok(Drift { findings, unread: beyond.unread, who })
}

/// What a plan does not ask for. What has been listed at `since` (milliseconds since the Unix epoch) or later is not asked
/// for again.
pub async fn beyond(stack: &Stack, since: u64, observed: &Observed) -> Beyond {
    let look = Look { aws: &stack.aws, as_of: since, only: None, inside: Inside::default() };
    beyond::gather(look, observed).await
}

/// Adds to each finding who changed its object last, as far as CloudTrail tells; and says what limits that.
async fn blame(aws: &Aws, observed: &Observed, findings: &mut [Finding]) -> Option<String> {
    let mut known: BTreeMap<Id, Option<By>> = BTreeMap::new();
    let (mut lookups, mut left_out) = (0, false);
    for finding in findings.iter_mut() {
        if !known.contains_key(&finding.id) {
            let mut found = None;
            for object in names(&finding.id, observed) {
                if lookups == LOOKUPS_MAX {
                    left_out = true;
                    break;
                }
                lookups += 1;
                match last_change(aws, finding.id.kind, &object).await {
                    Ok(None) => {}
                    Ok(by) => {
                        found = by;
                        break;
                    }
                    Err(failure) if failure.is(Class::Denied) => {
                        return Some("cannot tell who did it: cloudtrail:LookupEvents is not allowed".into());
                    }
                    Err(failure) => return Some(format!("cannot tell who did it: {failure}")),
                }
            }
            known.insert(finding.id.clone(), found);
        }
        finding.by = known.get(&finding.id).cloned().flatten();
    }
    left_out.then(|| format!("who did it is known only for the first {LOOKUPS_MAX} differences"))
}

/// What CloudTrail may know an object by: some requests name it by one, some by another.
fn names(id: &Id, observed: &Observed) -> BTreeSet<String> {
    let live = observed.get(id);
    let names = ["id", "name", "arn"].into_iter().filter_map(|output| live?.output(output));
    names.filter(|name| !name.is_empty()).map(String::from).collect()
}

/// The last change of an object that was not made by auroraml.
async fn last_change(aws: &Aws, kind: &str, object: &str) -> Result<Option<By>, Failure> {
    let key = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(object)
        .build()
        .map_err(|error| Failure::refused("LookupEvents", format!("{error} (a bug)")))?;
    let since = aws.clock.now_ms().saturating_sub(HISTORY_MS);
    let request = aws
        .cloudtrail
        .lookup_events()
        .lookup_attributes(key)
        .start_time(DateTime::from_millis(i64::try_from(since).unwrap_or_default()))
        .max_results(EVENTS);
    // The newest come first.
    let request = request.customize().config_override(place(kind));
    let found = request.send().await.during("LookupEvents")?;
    Ok(found.events().iter().find_map(by))
}

/// Where events of a kind are: those of IAM, which is global, are in us-east-1 ("CloudTrail concepts").
fn place(kind: &str) -> aws_sdk_cloudtrail::config::Builder {
    let mut config = aws_sdk_cloudtrail::config::Builder::new();
    if kind == "role" {
        config.set_region(Some(aws_config::Region::new("us-east-1")));
    }
    config
}

/// Who it was, unless the event changed nothing, or was ours.
fn by(event: &Event) -> Option<By> {
    let record: Value = serde_json::from_str(event.cloud_trail_event()?).ok()?;
    let ours = record["userAgent"].as_str().is_some_and(|agent| agent.contains(&format!("app/{APP}")));
    let reads = event.read_only() == Some("true");
    if ours || reads || record["errorCode"].is_string() {
        return None;
    }
    let identity = &record["userIdentity"];
    // A service that acts for itself has no ARN.
    let who = identity["arn"].as_str().or(identity["invokedBy"].as_str()).or(event.username())?;
    let at = jiff::Timestamp::from_second(event.event_time()?.secs()).ok()?;
    Some(By { event: event.event_name()?.into(), at: at.to_string(), who: who.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ours_reads_and_failures_are_nobodys() {
        let event = |record: Value, read: &str| {
            Event::builder()
                .event_name("ModifyDBCluster")
                .event_time(DateTime::from_secs(1_700_000_000))
                .read_only(read)
                .username("ann")
                .cloud_trail_event(record.to_string())
                .build()
        };
        let ann = "arn:aws:iam::111122223333:user/ann";
        let by_ann = json!({ "userIdentity": { "arn": ann }, "userAgent": "console.amazonaws.com" });
        let found = by(&event(by_ann.clone(), "false")).unwrap();
        assert_eq!((found.who.as_str(), found.at.as_str()), (ann, "2023-11-14T22:13:20Z"));
        assert_eq!(by(&event(by_ann.clone(), "true")), None);
        let mut failed = by_ann.clone();
        failed["errorCode"] = "AccessDenied".into();
        assert_eq!(by(&event(failed, "false")), None);
        let mut ours = by_ann;
        ours["userAgent"] = "aws-sdk-rust/1.3 os/linux lang/rust/1.94 app/auroraml".into();
        assert_eq!(by(&event(ours, "false")), None);
        let service = json!({ "userIdentity": { "type": "AWSService", "invokedBy": "rds.amazonaws.com" } });
        assert_eq!(by(&event(service, "false")).unwrap().who, "rds.amazonaws.com");
    }
}
