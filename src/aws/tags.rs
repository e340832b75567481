//! Tags, as AWS returns them and as they are changed.

use auroraml_core::base::MADE_BY_TAG;
use std::collections::BTreeMap;

/// Tags as AWS returns them, without those that only AWS may set (fact book, trap 69), but for the one that tells which
/// stack of CloudFormation made the object.
pub fn tag_map<'t>(
    tags: impl IntoIterator<Item = (Option<&'t str>, Option<&'t str>)>,
) -> BTreeMap<String, String> {
    tags.into_iter()
        .filter_map(|(key, value)| Some((key?.to_string(), value.unwrap_or_default().to_string())))
        .filter(|(key, _)| !key.starts_with("aws:") || key == MADE_BY_TAG)
        .collect()
}

/// What must be set and what must be removed for `live` tags to become `want`.
pub fn tag_changes(
    want: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Vec<String>) {
    let set = want.iter().filter(|(k, v)| live.get(*k) != Some(v)).map(|(k, v)| (k.clone(), v.clone()));
    let remove = live.keys().filter(|k| !want.contains_key(*k) && !k.starts_with("aws:")).cloned();
    (set.collect(), remove.collect())
}
