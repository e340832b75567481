//! Connection fields (host, port, …) in the stack's secret, as clients expect them.
//!
//! A plan must not read the secret. So the fields are also in a tag of it, which is set after them: a run that
//! is killed in between sees a difference and writes both again.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::Permission;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub struct SecretAttachment;

/// Characters in the value of a tag.
const TAG_MAX: usize = 256;

/// What begins a tag that holds the hash of fields which do not fit.
const HASHED: &str = "sha256:";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// ARN of the secret.
    pub secret: Input,
    /// Fields beside the password: `engine`, `host`, `port`, `dbname`, `dbClusterIdentifier`, `username`. An empty
    /// one is left out of the secret.
    pub fields: BTreeMap<String, Input>,
    /// Instead of live fields: their hash, where they are too long for a tag.
    #[serde(default)]
    pub hash: Option<String>,
}

/// The fields as the value of a tag: `name=value` separated by spaces, which tags of every service allow (JSON's
/// brackets and quotes they do not), or a hash.
pub fn encode(fields: &BTreeMap<String, String>) -> String {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:/".contains(c));
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = pairs.join(" ");
    if text.len() <= TAG_MAX && fields.iter().all(|(name, value)| is_plain(name) && is_plain(value)) {
        return text;
    }
    let digest = Sha256::digest(json!(fields).to_string());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HASHED}{digits}")
}

/// The fields as text.
///
/// # Panics
/// When one is not known yet: a bug of the executor.
pub fn texts(fields: &BTreeMap<String, Input>) -> BTreeMap<String, String> {
    fields.iter().map(|(name, value)| (name.clone(), value.get().to_string())).collect()
}

/// Fields or their hash. What others wrote into the tag gives fields that nobody wants, which are written anew.
pub fn decode(tag: &str) -> (BTreeMap<String, Input>, Option<String>) {
    if tag.starts_with(HASHED) {
        return (BTreeMap::new(), Some(tag.to_string()));
    }
    let pairs = tag.split(' ').filter_map(|pair| pair.split_once('='));
    (pairs.map(|(name, value)| (name.to_string(), value.into())).collect(), None)
}

/// Fields whose hash is that of the live ones are as wanted.
fn accept(want: &mut Value, live: &Value) {
    want["hash"] = Value::Null;
    let Some(hash) = live["hash"].as_str() else { return };
    let fields: Result<BTreeMap<String, String>, _> = serde_json::from_value(want["fields"].clone());
    if fields.is_ok_and(|fields| encode(&fields) == hash) {
        want["fields"] = live["fields"].clone();
    }
}

impl Kind for SecretAttachment {
    const NAME: &'static str = "secret_attachment";
    // Not after the cluster: that would have the cluster outlive the secret, which in turn outlives the cluster.
    // What is written refers to the cluster, and so comes after it.
    const RULES: Rules = Rules {
        after: &["secret"],
        dies_with: Some("secret"),
        accept,
        permissions: &[
            Permission::look(&["secretsmanager:DescribeSecret"], &["secretsmanager:secret:{secret}"]),
            Permission::create(
                &[
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:TagResource",
                ],
                &["secretsmanager:secret:{secret}"],
            ),
            Permission::change(
                &[
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:TagResource",
                ],
                &["secretsmanager:secret:{secret}"],
            ),
            Permission::delete(
                &[
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UntagResource",
                ],
                &["secretsmanager:secret:{secret}"],
            ),
            // With a key of one's own (Secrets Manager User Guide, "Secret encryption and decryption").
            Permission::create(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::change(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::delete(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(host: &str) -> BTreeMap<String, String> {
        [("host", host), ("port", "3306"), ("dbname", "")].map(|(k, v)| (k.into(), v.into())).into()
    }

    #[test]
    fn a_tag_says_what_the_fields_are() {
        let short = fields("churn.cluster-x.us-east-1.rds.amazonaws.com");
        let tag = encode(&short);
        assert_eq!(tag, "dbname= host=churn.cluster-x.us-east-1.rds.amazonaws.com port=3306");
        assert_eq!(texts(&decode(&tag).0), short);
    }

    #[test]
    fn what_does_not_fit_is_hashed_and_still_compared() {
        for host in ["h".repeat(300), "a b".to_string()] {
            let long = fields(&host);
            let tag = encode(&long);
            assert!(tag.len() <= TAG_MAX && tag.starts_with(HASHED), "{tag}");
            let (none, hash) = decode(&tag);
            let live = json!({"fields": none, "hash": hash});
            let mut want = json!({"fields": long, "hash": null});
            accept(&mut want, &live);
            assert_eq!(want["fields"], live["fields"]);
            let mut want = json!({"fields": fields("other"), "hash": null});
            accept(&mut want, &live);
            assert_eq!(want["fields"]["host"], "other");
        }
    }
}
