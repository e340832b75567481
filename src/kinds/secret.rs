//! How AWS is asked for the stack's own secret.
//!
//! **Invariant.** What the secret holds is in [`SecretText`] or in a request, nowhere else: no property, output
//! or message has it.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, SecretText, key_of, owns_or, tag_changes, tag_map};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::secret::{Props, Secret};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::Tag;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Calls for Secret {
    /// A secret in its recovery window is absent, though its name is taken (fact book, section 6.2).
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let found = live(look).await?;
        let Some(found) = found.as_ref() else { return Ok(Vec::new()) };
        let mut tags = tags_of(found.tags());
        tags.remove(FIELDS_TAG);
        let (name, arn) = (found.name().unwrap_or_default(), found.arn().unwrap_or_default());
        Ok(vec![Seen {
            name: "master".into(),
            owned: is_ours(look.aws, &tags),
            props: Props {
                name: name.into(),
                username: None,
                password_variable: None,
                kms_key: key_of(look.aws, &tags, found.kms_key_id()),
                tags,
            },
            outputs: Outputs::from([("arn".into(), arn.into()), ("name".into(), name.into())]),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let reserved = describe(aws, &want.name).await?.filter(|found| found.deleted_date().is_some());
        if let Some(reserved) = reserved
            && restore(aws, want, &reserved).await?
        {
            return Ok(());
        }
        let value = with_password(aws, want, Map::new()).await?;
        let request = aws
            .secretsmanager
            .create_secret()
            .name(&want.name)
            .description(format!("Master user of the auroraml stack {}", aws.place.stack))
            .secret_string(value.reveal())
            .set_kms_key_id(want.kms_key.clone())
            .set_tags(Some(tags(&want.tags)));
        already_ok(request.send().await.during("CreateSecret"), Class::Exists)
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        if update.changed("kms_key") {
            // An empty one is AWS's own (botocore's model, UpdateSecret).
            let key = update.want.kms_key.clone().unwrap_or_default();
            let request = aws.secretsmanager.update_secret().secret_id(&update.want.name).kms_key_id(key);
            request.send().await.during("UpdateSecret")?;
        }
        update_tags(aws, &update.want.name, &update.want.tags, &update.live.tags).await
    }

    /// Option: `recovery_window_days`, 7 to 30, or 0 for a deletion that cannot be taken back.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.secretsmanager.delete_secret().secret_id(&deletion.live.name);
        let request = match deletion.options.get("recovery_window_days").map(|days| days.parse::<i64>()) {
            Some(Ok(0)) => request.force_delete_without_recovery(true),
            Some(Ok(days)) => request.recovery_window_in_days(days),
            Some(Err(_)) => {
                return Err(Failure::refused("DeleteSecret", "recovery_window_days is not a number (a bug)"));
            }
            // AWS's own default, thirty days.
            None => request,
        };
        already_ok(request.send().await.during("DeleteSecret"), Class::NotFound)
    }
}

/// Tag that holds the connection fields in the secret, which `secret_attachment` keeps.
pub(super) const FIELDS_TAG: &str = "auroraml:fields";

/// Characters of a random password; Aurora takes 8 to 41.
const PASSWORD_LENGTH: i64 = 32;

/// What Aurora refuses (`/`, `"`, `@`), and what is awkward in shells, URLs and quoted texts.
const PASSWORD_EXCLUDES: &str = "\"@/\\'` ";

/// Whether the secret of the stack's name is the stack's: `auroraml/` begins the names of auroraml's secrets only. A name
/// that the spec chose proves nothing.
pub(super) fn is_ours(aws: &Aws, tags: &BTreeMap<String, String>) -> bool {
    owns_or(&aws.place, tags, aws.place.names.secret.is_none())
}

/// The stack's secret, unless it is on its way out.
pub(super) async fn live(look: Look<'_>) -> Result<Arc<Option<DescribeSecretOutput>>, Failure> {
    look.shared("DescribeSecret", async {
        let found = describe(look.aws, &look.aws.place.secret()).await?;
        Ok(found.filter(|found| found.deleted_date().is_none()))
    })
    .await
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<DescribeSecretOutput>, Failure> {
    absent_ok(aws.secretsmanager.describe_secret().secret_id(name).send().await.during("DescribeSecret"))
}

/// Takes the deletion of a secret back. The password that it has is kept: a cluster or a person may still use
/// it. False when it has gone meanwhile.
async fn restore(aws: &Aws, want: &Props, reserved: &DescribeSecretOutput) -> Result<bool, Failure> {
    let live = tags_of(reserved.tags());
    if !is_ours(aws, &live) {
        return Err(Failure::refused(
            "RestoreSecret",
            format!(
                "a secret {} is scheduled for deletion and is tagged as another stack's; choose another stack name, or delete it for good (aws secretsmanager delete-secret --force-delete-without-recovery)",
                want.name
            ),
        ));
    }
    let request = aws.secretsmanager.restore_secret().secret_id(&want.name);
    if absent_ok(request.send().await.during("RestoreSecret"))?.is_none() {
        return Ok(false);
    }
    let value = read(aws, &want.name).await?;
    if value.get("password").and_then(Value::as_str).is_none_or(str::is_empty) {
        let value = with_password(aws, want, value).await?;
        put(aws, &want.name, &value).await?;
    }
    let live = live.into_iter().filter(|(key, _)| key != FIELDS_TAG).collect();
    update_tags(aws, &want.name, &want.tags, &live).await?;
    Ok(true)
}

/// The fields in a secret; none where it has no value.
pub(super) async fn read(aws: &Aws, secret: &str) -> Result<Map<String, Value>, Failure> {
    let request = aws.secretsmanager.get_secret_value().secret_id(secret);
    let found = absent_ok(request.send().await.during("GetSecretValue"))?;
    let Some(text) = found.and_then(|found| found.secret_string).map(SecretText::new) else {
        return Ok(Map::new());
    };
    // The parser's own message could quote the secret.
    serde_json::from_str(text.reveal()).map_err(|_| {
        let why = format!("the value of the secret {secret} is not a JSON object; others have changed it");
        Failure::refused("GetSecretValue", why)
    })
}

pub(super) async fn put(aws: &Aws, secret: &str, value: &SecretText) -> Result<(), Failure> {
    let request = aws.secretsmanager.put_secret_value().secret_id(secret).secret_string(value.reveal());
    request.send().await.during("PutSecretValue").map(|_| ())
}

/// The fields with user name and password in them, as the text of a secret.
async fn with_password(
    aws: &Aws,
    want: &Props,
    mut fields: Map<String, Value>,
) -> Result<SecretText, Failure> {
    let password = match &want.password_variable {
        Some(variable) => given(aws, variable)?,
        None => random(aws).await?,
    };
    fields.insert("username".into(), json!(want.username.as_deref().unwrap_or_default()));
    fields.insert("password".into(), json!(password.reveal()));
    Ok(SecretText::new(Value::Object(fields).to_string()))
}

/// The password in an environment variable, if Aurora takes it: better now than when the cluster is made.
fn given(aws: &Aws, variable: &str) -> Result<SecretText, Failure> {
    let refuse = |why: &str| Failure::refused("CreateSecret", format!("{variable} {why}"));
    let password = (aws.passwords)(variable)
        .ok_or_else(|| refuse("is not set: put the master user's password into that environment variable"))?;
    let text = password.reveal();
    let is_allowed = |c: char| matches!(c, ' '..='~') && !"/\"@".contains(c);
    if !(8..=41).contains(&text.chars().count()) || !text.chars().all(is_allowed) {
        return Err(refuse(
            "does not contain a password that Aurora accepts: 8 to 41 printable ASCII characters other than / \" @",
        ));
    }
    Ok(password)
}

async fn random(aws: &Aws) -> Result<SecretText, Failure> {
    let request = aws
        .secretsmanager
        .get_random_password()
        .password_length(PASSWORD_LENGTH)
        .exclude_characters(PASSWORD_EXCLUDES)
        .include_space(false);
    let answer = request.send().await.during("GetRandomPassword")?;
    match answer.random_password {
        Some(password) if !password.is_empty() => Ok(SecretText::new(password)),
        _ => Err(Failure::refused("GetRandomPassword", "Secrets Manager gave no password")),
    }
}

pub(super) fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tag_map(tags.iter().map(|tag| (tag.key(), tag.value())))
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Makes the tags of a secret what they should be.
pub(super) async fn update_tags(
    aws: &Aws,
    secret: &str,
    want: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let (set, remove) = tag_changes(want, live);
    if !set.is_empty() {
        let request = aws.secretsmanager.tag_resource().secret_id(secret).set_tags(Some(tags(&set)));
        request.send().await.during("TagResource")?;
    }
    if !remove.is_empty() {
        let request = aws.secretsmanager.untag_resource().secret_id(secret).set_tag_keys(Some(remove));
        request.send().await.during("UntagResource")?;
    }
    Ok(())
}
