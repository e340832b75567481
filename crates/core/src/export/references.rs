//! References that an exported template does not carry.

use super::Refused;
use crate::spec::{S3Access, Spec, is_reference};

/// Why a spec with such a reference has no template: where a key, a role or a bucket of a template's goes into properties
/// and policies, the writers of those know texts alone.
pub(super) fn refused(spec: &Spec) -> Option<Refused> {
    let key = spec.kms_key.as_deref().map(|key| ("kms_key".to_owned(), key));
    let roles = spec.roles.given().map(|(name, arn)| (format!("roles.{name}"), arn));
    let buckets = match &spec.machine_learning.s3 {
        S3Access::Buckets(named) => named.buckets.as_slice(),
        S3Access::Own(_) => &[],
    };
    let buckets = buckets.iter().map(|name| ("machine_learning.s3.buckets".to_owned(), name.as_str()));
    let mut all = key.into_iter().chain(roles).chain(buckets);
    let (what, text) = all.find(|(_, text)| is_reference(text))?;
    Some(Refused {
        what,
        why: format!("`{text}` is an output of a template, and an exported template cannot refer to it here"),
        hint: "write the name or ARN out in the spec that you export".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_roles_and_buckets_are_named() {
        let of = |text: &str| {
            let text = format!(
                "stack: s\nregion: us-east-1\nbucket: {{}}\nstacks: {{ a: {{ template: a.yaml }} }}\n{text}"
            );
            let spec = crate::spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
            refused(&spec).map(|refused| refused.what)
        };
        assert_eq!(of("kms_key: ${stacks.a.Key}\n"), Some("kms_key".into()));
        assert_eq!(of(""), None);
        let cluster =
            "aurora: { existing: orders }\nmachine_learning: { s3: { buckets: [\"${stacks.a.Data}\"] } }\n";
        assert_eq!(of(cluster), Some("machine_learning.s3.buckets".into()));
    }
}
