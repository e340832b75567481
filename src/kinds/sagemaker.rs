//! What the SageMaker kinds share: tags, and how models and endpoint configurations are listed and named.

pub(super) mod jobs;

use super::kind::absent_ok;
use crate::aws::{Aws, Class, During, Failure, Look, tag_changes, tag_map};
use auroraml_core::base::names::{Place, RESOURCE_TAG, SAGEMAKER_NAME_MAX};
use aws_sdk_sagemaker::types::Tag;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    Some(tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// Tags of an object, as no Describe tells them. Whether it is there, this does not say: [`or_gone`].
pub(super) async fn list_tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pages = aws.sagemaker.list_tags().resource_arn(arn).into_paginator().items().send();
    let tags = pages.collect::<Result<Vec<_>, _>>().await.during("ListTags")?;
    Ok(tag_map(tags.iter().map(|tag| (tag.key(), tag.value()))))
}

/// The tags of an object that a Describe or a List has shown; `None` where it has gone since.
///
/// What ListTags answers for something that is not there is not documented: `Resource does not exist.` was seen, and
/// an empty message (fact book, appendix F, item 6). So its errors decide nothing: `exists`, a Describe, does.
pub(super) async fn or_gone(
    tags: Result<BTreeMap<String, String>, Failure>,
    exists: impl Future<Output = Result<bool, Failure>>,
) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let failure = match tags {
        Ok(tags) => return Ok(Some(tags)),
        Err(failure) => failure,
    };
    match failure.class {
        Class::Throttled | Class::Ambiguous | Class::Denied => Err(failure),
        _ if !exists.await? => Ok(None),
        // Made a moment ago: ListTags does not see it yet.
        _ => Err(Failure { class: Class::Propagating, ..failure }),
    }
}

/// Whether the model is there, and likewise below.
pub(super) async fn model_exists(aws: &Aws, physical: &str) -> Result<bool, Failure> {
    let answer = aws.sagemaker.describe_model().model_name(physical).send().await;
    Ok(absent_ok(answer.during("DescribeModel"))?.is_some())
}

pub(super) async fn config_exists(aws: &Aws, physical: &str) -> Result<bool, Failure> {
    let answer = aws.sagemaker.describe_endpoint_config().endpoint_config_name(physical).send().await;
    Ok(absent_ok(answer.during("DescribeEndpointConfig"))?.is_some())
}

/// Makes the tags of an object what they should be.
pub(super) async fn update_tags(
    aws: &Aws,
    arn: &str,
    want: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let (set, remove) = tag_changes(want, live);
    if !set.is_empty() {
        let request = aws.sagemaker.add_tags().resource_arn(arn).set_tags(tags(&set));
        request.send().await.during("AddTags")?;
    }
    if !remove.is_empty() {
        let request = aws.sagemaker.delete_tags().resource_arn(arn).set_tag_keys(Some(remove));
        request.send().await.during("DeleteTags")?;
    }
    Ok(())
}

/// Names in AWS of what may be this stack's models, or the one that is asked for.
pub(super) async fn models(look: Look<'_>) -> Result<Vec<String>, Failure> {
    if let Some(name) = look.only {
        return Ok(vec![look.aws.place.hashed_name(name)]);
    }
    let aws = look.aws;
    let listed = look
        .shared("ListModels", async {
            let listed = async |part: Option<String>| {
                let request = aws.sagemaker.list_models().set_name_contains(part).max_results(100);
                let pages = request.into_paginator().items().send();
                let found = pages.collect::<Result<Vec<_>, _>>().await.during("ListModels")?;
                Ok::<Vec<_>, Failure>(found.into_iter().filter_map(|model| model.model_name).collect())
            };
            let names = match look.for_all("ListModels", listed(None)).await? {
                Some(all) => all,
                None => Arc::new(listed(Some(aws.place.name(""))).await?),
            };
            Ok(names.iter().filter(|name| is_hashed(&aws.place, name)).cloned().collect::<Vec<_>>())
        })
        .await?;
    Ok(listed.to_vec())
}

/// Names in AWS of what may be this stack's endpoint configurations, or the one that is asked for.
pub(super) async fn configs(look: Look<'_>) -> Result<Vec<String>, Failure> {
    match look.only {
        Some(name) => Ok(vec![look.aws.place.hashed_name(name)]),
        None => Ok(all_configs(look).await?.to_vec()),
    }
}

/// Names in AWS of what may be this stack's endpoint configurations.
pub(super) async fn all_configs(look: Look<'_>) -> Result<Arc<Vec<String>>, Failure> {
    let aws = look.aws;
    look.shared("ListEndpointConfigs", async {
        let listed = async |part: Option<String>| {
            let request = aws.sagemaker.list_endpoint_configs().set_name_contains(part).max_results(100);
            let pages = request.into_paginator().items().send();
            let found = pages.collect::<Result<Vec<_>, _>>().await.during("ListEndpointConfigs")?;
            let names = found.into_iter().filter_map(|config| config.endpoint_config_name);
            Ok::<Vec<_>, Failure>(names.collect())
        };
        let names = match look.for_all("ListEndpointConfigs", listed(None)).await? {
            Some(all) => all,
            None => Arc::new(listed(Some(aws.place.name(""))).await?),
        };
        Ok(names.iter().filter(|name| is_hashed(&aws.place, name)).cloned().collect())
    })
    .await
}

/// Whether a name has the form `<stack>-<endpoint>-<eight hexadecimal digits>`.
pub(super) fn is_hashed(place: &Place, name: &str) -> bool {
    let rest = name.strip_prefix(&place.name("")).unwrap_or_default();
    endpoint_of(rest).is_some()
}

/// Name within the stack of an object with these tags and this name in AWS. A long name is cut off there, and
/// whole in the tag.
pub(super) fn name_of(place: &Place, kind: &str, physical: &str, tags: &BTreeMap<String, String>) -> String {
    let tagged = tags.get(RESOURCE_TAG).and_then(|id| id.strip_prefix(kind)?.strip_prefix('.'));
    match tagged.filter(|name| place.hashed_name(name) == physical) {
        Some(name) => name.to_string(),
        None => physical.strip_prefix(&place.name("")).unwrap_or(physical).to_string(),
    }
}

/// The endpoint in the name within the stack of a model or configuration.
pub(super) fn endpoint_of(name: &str) -> Option<&str> {
    let (endpoint, hash) = name.rsplit_once('-')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_hash && !endpoint.is_empty()).then_some(endpoint)
}

/// Whether something may have been cut out of this name.
pub(super) fn may_be_cut(physical: &str) -> bool {
    physical.chars().count() >= SAGEMAKER_NAME_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_stack_only() {
        let place = Place::new("churn", "us-east-1", "1");
        assert!(is_hashed(&place, "churn-a-b-0123abcd"));
        assert!(!is_hashed(&place, "other-churn-a-0123abcd"));
        assert!(!is_hashed(&place, "churn-0123abcd"));
        assert!(!is_hashed(&place, "churn-a-0123ABCD"));
        assert_eq!(endpoint_of("a-b-0123abcd"), Some("a-b"));
    }

    #[test]
    fn a_cut_name_is_whole_in_the_tag() {
        let place = Place::new("churn", "us-east-1", "1");
        let name = format!("{}-0123abcd", "e".repeat(60));
        let physical = place.hashed_name(&name);
        assert!(may_be_cut(&physical));
        let tags = BTreeMap::from([(RESOURCE_TAG.to_string(), format!("model.{name}"))]);
        assert_eq!(name_of(&place, "model", &physical, &tags), name);
        assert_eq!(name_of(&place, "model", "churn-x-0123abcd", &tags), "x-0123abcd");
    }
}
