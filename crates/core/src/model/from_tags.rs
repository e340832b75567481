//! A destroy without the spec: what it would say of how things go is read from tags. Pure.
//!
//! Whoever may tag could otherwise have auroraml delete what it likes (docs/decisions/0018): tags say how something goes
//! and never that it goes.

use super::{Builder, Code};
use crate::base::names::{EXPIRES_TAG, ON_DESTROY_TAG, Place, RESOURCE_TAG, STACK_TAG};
use crate::base::{Id, Live, Observed};
use crate::resource::Deletion;
use crate::spec::{Aurora, BucketOnDestroy, ClusterOnDestroy, Spec};
use std::collections::BTreeMap;

/// Days for which a secret can be restored, where nobody says otherwise: the spec's default.
const RECOVERY_DAYS: &str = "7";

/// What live objects say in the place of the spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FromTags {
    /// The `on_destroy` of the stack's own cluster, if there is one.
    pub cluster: Option<Option<ClusterOnDestroy>>,
    /// Whether more than tags says that there is such a stack: a role in its IAM path.
    pub proven: bool,
    /// Whether the bucket is to be emptied; none where there is no bucket, or one whose name proves nothing.
    pub bucket: Option<BucketOnDestroy>,
    /// The tags that the stack sets on everything.
    pub tags: BTreeMap<String, String>,
}

impl FromTags {
    /// What is there says this.
    pub fn of(observed: &Observed, place: &Place) -> FromTags {
        let live = |kind, name: &str| observed.get(&Id::new(kind, name)).filter(|live| live.owned);
        let roles: Vec<&Live> =
            observed.values().filter(|live| live.id.kind == "role" && live.owned).collect();
        let says = |live: &Live| live.props["tags"][ON_DESTROY_TAG].as_str().map(String::from);
        let cluster = live("cluster", "main").map(|live| match says(live).as_deref() {
            Some("delete") => Some(ClusterOnDestroy::Delete),
            Some("protect") => Some(ClusterOnDestroy::Protect),
            // The safe one, of what is not understood, too.
            _ => None,
        });
        let bucket = live("bucket", "main").filter(|live| live.props["name"] == place.bucket());
        let bucket = bucket.map(|live| match says(live).as_deref() {
            Some("empty") => BucketOnDestroy::Empty,
            _ => BucketOnDestroy::Keep,
        });
        FromTags { cluster, proven: !roles.is_empty(), bucket, tags: common(&roles, place) }
    }
}

/// What the stack sets on everything: what all of its roles have, which nobody else makes.
fn common(roles: &[&Live], place: &Place) -> BTreeMap<String, String> {
    let tags = |live: &Live| serde_json::from_value::<BTreeMap<String, String>>(live.props["tags"].clone());
    let mut all = roles.iter().filter_map(|live| tags(live).ok());
    let mut common = all.next().unwrap_or_default();
    for other in all {
        common.retain(|key, value| other.get(key) == Some(value));
    }
    common.remove(RESOURCE_TAG);
    common.insert(STACK_TAG.into(), place.stack.clone());
    common
}

/// The tag that says how something goes, where that is not the default.
pub(super) fn cluster_tag(on_destroy: ClusterOnDestroy) -> Option<(String, String)> {
    let value = match on_destroy {
        ClusterOnDestroy::Snapshot => return None,
        ClusterOnDestroy::Delete => "delete",
        ClusterOnDestroy::Protect => "protect",
    };
    Some((ON_DESTROY_TAG.into(), value.into()))
}

pub(super) fn bucket_tag(on_destroy: BucketOnDestroy) -> Option<(String, String)> {
    (on_destroy == BucketOnDestroy::Empty).then(|| (ON_DESTROY_TAG.into(), "empty".into()))
}

impl Builder<'_> {
    /// Nothing is wanted any more, and nobody has the spec.
    pub(super) fn destruction_from_tags(&mut self, told: &FromTags, unprotect: bool) {
        self.graph.destroys = true;
        self.graph.tags.clone_from(&told.tags);
        let text = |key: &str, value: &str| (key.to_string(), value.to_string());
        if let Some(on_destroy) = told.cluster {
            if !told.proven {
                return self.problem(
                    Code::ClusterUnproven,
                    "cluster.main",
                    "only its tags say that it belongs to this stack: there is no role in the stack's path",
                    "destroy it with its spec: auroraml destroy SPEC; if it does not belong to this stack, remove the tags",
                );
            }
            let mut options = BTreeMap::new();
            if on_destroy != Some(ClusterOnDestroy::Delete) {
                options.insert("final_snapshot".into(), self.final_snapshot());
            }
            if unprotect {
                options.extend([text("unprotect", "true")]);
            } else if on_destroy == Some(ClusterOnDestroy::Protect) {
                options.extend([text("protect", "true")]);
            }
            self.graph.deletions.insert(Id::new("cluster", "main"), Deletion::Delete(options));
        }
        let mut say = |kind, name: &str, deletion| {
            self.graph.deletions.insert(Id::new(kind, name), deletion);
        };
        let secret = BTreeMap::from([text("recovery_window_days", RECOVERY_DAYS)]);
        say("secret", "master", Deletion::Delete(secret));
        say("notebook", "main", Deletion::Delete(BTreeMap::new()));
        let bucket = match told.bucket {
            Some(BucketOnDestroy::Empty) => Deletion::Delete([text("empty", "true")].into()),
            _ => Deletion::Keep,
        };
        say("bucket", "main", bucket);
        if matches!(self.spec.aurora, Some(Aurora::Existing(_))) {
            self.give_back();
            self.graph.notes.push(
                "without the spec the database is not checked: functions and grants that the stack created there are kept"
                    .into(),
            );
        }
        self.graph.notes.push(
            "without the spec, endpoints created by a notebook are unknown: the last check lists those with the stack's tags".into(),
        );
    }

    /// Name of the final snapshot: that of the plan that was reviewed, or a new one.
    pub(super) fn final_snapshot(&self) -> String {
        let ours = format!("{}-final-", self.place.stack);
        let reviewed = self.facts.final_snapshot.clone().filter(|name| name.starts_with(&ours));
        reviewed.unwrap_or_else(|| ours + &self.facts.timestamp)
    }
}

/// The spec of a stack of which nothing is at hand but its name, and what live objects say: the cluster of others that
/// it wires up, and the name of its bucket.
///
/// # Errors
/// When AWS has names that no spec can have.
pub fn spec_from_tags(
    stack: &str,
    region: &str,
    existing: Option<&str>,
    bucket: Option<&str>,
) -> Result<Spec, String> {
    let mut text = format!("stack: {}\nregion: {}\n", quoted(stack), quoted(region));
    if let Some(cluster) = existing {
        text.push_str(&format!("aurora: {{ existing: {} }}\n", quoted(cluster)));
    }
    if let Some(bucket) = bucket {
        text.push_str(&format!("bucket: {{ name: {} }}\n", quoted(bucket)));
    }
    crate::spec::parse(text.as_bytes()).map_err(|problems| problems.render("tags", &text))
}

/// A text of YAML, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Milliseconds of an age such as `8h`, as the spec and the tag have it; none of what is no age.
pub fn age_ms(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok())??;
    (number > 0).then(|| u64::from(number) * unit)
}

/// When a stack is past its date (milliseconds since the Unix epoch): its oldest object's creation, and the longest of
/// the ages that its objects bear, since a run that was cut short may have changed some of them. None without an age.
pub fn expires_at<'a>(
    created: u64,
    tags: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> Option<u64> {
    let ages = tags.into_iter().filter_map(|tags| tags.get(EXPIRES_TAG));
    let longest = ages.map(|age| age_ms(age).unwrap_or(u64::MAX)).max()?;
    created.checked_add(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, ms) in [
            ("30m", Some(1_800_000)),
            ("8h", Some(28_800_000)),
            ("2d", Some(172_800_000)),
            ("0d", None),
            ("+5h", None),
            ("h", None),
            ("", None),
            ("5w", None),
            ("5é", None),
        ] {
            assert_eq!(age_ms(text), ms, "{text}");
        }
        let tags = |age: &str| BTreeMap::from([(EXPIRES_TAG.to_string(), age.to_string())]);
        assert_eq!(expires_at(1_000, [&tags("30m"), &tags("1h")]), Some(3_601_000), "the longest");
        assert_eq!(expires_at(1_000, [&BTreeMap::new()]), None);
        assert_eq!(expires_at(1_000, [&tags("30m"), &tags("whenever")]), None, "what is no age never ends");
    }

    #[test]
    fn a_spec_of_nothing_but_names() {
        let spec = spec_from_tags("shop", "us-east-1", Some("Orders"), Some("b-1-2")).unwrap();
        assert_eq!((spec.stack.as_str(), spec.region.as_str()), ("shop", "us-east-1"));
        assert!(matches!(spec.aurora, Some(Aurora::Existing(existing)) if existing.existing == "Orders"));
        assert!(spec_from_tags("shop\nx: y", "us-east-1", None, None).is_err());
    }
}
