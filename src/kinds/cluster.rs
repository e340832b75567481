//! How AWS is asked for the DB cluster that the stack owns.

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::rds;
use super::rds::{cluster, rests, start, tags, tags_of, update_tags};
use crate::aws::{Aws, Class, During, Failure, Look, SecretText, key_of, owns};
use auroraml_core::base::names::UNFINISHED_TAG;
use auroraml_core::base::{Input, Outputs, State};
use auroraml_core::kinds::cluster::{Cluster, Props, Serverless};
use auroraml_core::kinds::cluster_role;
use aws_sdk_rds::types::{ServerlessV2ScalingConfiguration, builders};
use serde_json::Value;
use std::collections::BTreeMap;

impl Calls for Cluster {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if aws.scope.existing_cluster.is_some() {
            return Ok(Vec::new());
        }
        let found = cluster(look).await?;
        let Some(cluster) = found.as_ref() else { return Ok(Vec::new()) };
        let mut tags = tags_of(cluster.tag_list());
        // `parameter_sync` takes it away, and `cluster_role` has marks of its own.
        tags.retain(|key, _| key != UNFINISHED_TAG && !key.starts_with(cluster_role::MARK));
        let text = |value: Option<&str>| value.unwrap_or_default().to_string();
        let mut security_groups: Vec<Input> = cluster
            .vpc_security_groups()
            .iter()
            // A group on its way out still shows for a while (fact book, appendix B).
            .filter(|group| group.status() != Some("removing"))
            .filter_map(|group| group.vpc_security_group_id())
            .map(Input::from)
            .collect();
        security_groups.sort();
        let mut outputs = Outputs::from([
            ("id".into(), text(cluster.db_cluster_identifier()).into()),
            ("arn".into(), text(cluster.db_cluster_arn()).into()),
            ("endpoint".into(), text(cluster.endpoint()).into()),
            ("reader_endpoint".into(), text(cluster.reader_endpoint()).into()),
            ("status".into(), text(cluster.status()).into()),
        ]);
        if let Some(secret) = cluster.master_user_secret().and_then(|secret| secret.secret_arn()) {
            outputs.insert("secret_arn".into(), secret.into());
        }
        if let Some(at) = cluster.automatic_restart_time() {
            outputs.insert("starts_at".into(), at.to_string().into());
        }
        let serverless = cluster.serverless_v2_scaling_configuration().map(|range| Serverless {
            min: range.min_capacity().unwrap_or_default(),
            max: range.max_capacity().unwrap_or_default(),
            seconds_until_auto_pause: range.seconds_until_auto_pause(),
        });
        let props = Props {
            engine: cluster.engine().map(String::from),
            engine_version: text(cluster.engine_version()),
            engine_prefix: None,
            database: cluster.database_name().map(String::from),
            username: text(cluster.master_username()),
            managed_secret: cluster.master_user_secret().is_some(),
            secret: None,
            parameter_group: text(cluster.db_cluster_parameter_group()).into(),
            subnet_group: text(cluster.db_subnet_group()).into(),
            security_groups,
            port: cluster.port().unwrap_or_default(),
            backup_retention_days: cluster.backup_retention_period().unwrap_or_default(),
            deletion_protection: cluster.deletion_protection().unwrap_or_default(),
            data_api: cluster.http_endpoint_enabled().unwrap_or_default(),
            // Standard storage is shown as "aurora" or not at all.
            storage: cluster.storage_type().filter(|s| !s.is_empty()).unwrap_or("aurora").into(),
            serverless,
            kms_key: key_of(aws, &tags, cluster.kms_key_id()),
            secret_key: cluster
                .master_user_secret()
                .and_then(|secret| key_of(aws, &tags, secret.kms_key_id())),
            // What is on its way is told by its state.
            running: Some(cluster.status() != Some("stopped")),
            tags: tags.clone(),
        };
        Ok(vec![Seen {
            name: "main".into(),
            owned: owns(&aws.place, &tags),
            props,
            outputs,
            state: ready(cluster),
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let mut request = aws
            .rds
            .create_db_cluster()
            .db_cluster_identifier(aws.place.cluster())
            .engine(aws.scope.engine.name)
            .engine_version(&want.engine_version)
            // No silent charges when the version leaves standard support (fact book, section 1.7).
            .engine_lifecycle_support("open-source-rds-extended-support-disabled")
            .set_database_name(want.database.clone())
            .master_username(&want.username)
            .db_cluster_parameter_group_name(want.parameter_group.get())
            .db_subnet_group_name(want.subnet_group.get())
            .set_vpc_security_group_ids(Some(
                want.security_groups.iter().map(|g| g.get().to_string()).collect(),
            ))
            .port(want.port)
            .backup_retention_period(want.backup_retention_days)
            .deletion_protection(want.deletion_protection)
            .enable_http_endpoint(want.data_api)
            .storage_encrypted(true)
            .set_kms_key_id(want.kms_key.clone())
            .set_master_user_secret_kms_key_id(want.secret_key.clone())
            .copy_tags_to_snapshot(true)
            .set_serverless_v2_scaling_configuration(want.serverless.as_ref().map(|s| scaling(s).build()))
            .set_tags(tags(&with_mark(&want.tags)));
        if want.storage != "aurora" {
            request = request.storage_type(&want.storage);
        }
        request = match &want.secret {
            Some(secret) => request.master_user_password(password(aws, secret.get()).await?.reveal()),
            None => request.manage_master_user_password(true),
        };
        already_ok(request.send().await.during("CreateDBCluster"), Class::Exists)
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, arn) = (&update.want, aws.place.cluster_arn(&aws.place.cluster()));
        if update.changed("running") {
            // AWS changes nothing of a stopped cluster (fact book, section 1.13): the rest follows when it runs.
            return run(aws, want.running != Some(false)).await;
        }
        let mut request =
            aws.rds.modify_db_cluster().db_cluster_identifier(aws.place.cluster()).apply_immediately(true);
        let mut needed = false;
        // Only what differs is sent: a repeated value can start a change of its own.
        if update.changed("engine_version") {
            (request, needed) = (request.engine_version(&want.engine_version), true);
        }
        if update.changed("parameter_group") {
            (request, needed) = (request.db_cluster_parameter_group_name(want.parameter_group.get()), true);
        }
        if update.changed("security_groups") {
            let groups = want.security_groups.iter().map(|g| g.get().to_string()).collect();
            (request, needed) = (request.set_vpc_security_group_ids(Some(groups)), true);
        }
        if update.changed("port") {
            (request, needed) = (request.port(want.port), true);
        }
        if update.changed("backup_retention_days") {
            (request, needed) = (request.backup_retention_period(want.backup_retention_days), true);
        }
        if update.changed("deletion_protection") {
            (request, needed) = (request.deletion_protection(want.deletion_protection), true);
        }
        if update.changed("storage") {
            (request, needed) = (request.storage_type(&want.storage), true);
        }
        if let Some(range) = want.serverless.as_ref().filter(|_| update.changed("serverless")) {
            (request, needed) = (request.serverless_v2_scaling_configuration(scaling(range).build()), true);
        }
        if update.changed("data_api") {
            // ModifyDBCluster's flag is for Serverless v1 (fact book, trap 32).
            if want.data_api {
                aws.rds
                    .enable_http_endpoint()
                    .resource_arn(&arn)
                    .send()
                    .await
                    .during("EnableHttpEndpoint")?;
            } else {
                aws.rds
                    .disable_http_endpoint()
                    .resource_arn(&arn)
                    .send()
                    .await
                    .during("DisableHttpEndpoint")?;
            }
        }
        update_tags(aws, &arn, &want.tags, &update.live.tags).await?;
        // Last, because it may restart the members.
        match needed {
            true => request.send().await.during("ModifyDBCluster").map(|_| ()),
            false => Ok(()),
        }
    }

    /// Options: `final_snapshot`, the name of a snapshot to take, without which none is taken; `unprotect`,
    /// which allows deletion protection to be switched off first.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let cluster = aws.place.cluster();
        if deletion.outputs.get("status").is_some_and(|status| status == "stopped") {
            return Err(start(aws, &cluster, "DeleteDBCluster").await);
        }
        if deletion.live.deletion_protection {
            if !deletion.options.contains_key("unprotect") {
                return Err(Failure::refused("DeleteDBCluster", "the cluster has deletion protection"));
            }
            let request =
                aws.rds.modify_db_cluster().db_cluster_identifier(&cluster).deletion_protection(false);
            request.apply_immediately(true).send().await.during("ModifyDBCluster")?;
            return Err(Failure::busy("DeleteDBCluster", "turning deletion protection off"));
        }
        let request = aws.rds.delete_db_cluster().db_cluster_identifier(&cluster);
        let request = match deletion.options.get("final_snapshot") {
            Some(name) => request.skip_final_snapshot(false).final_db_snapshot_identifier(name),
            None => request.skip_final_snapshot(true),
        };
        already_ok(request.send().await.during("DeleteDBCluster"), Class::NotFound)
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        rds::reported(aws, since).await
    }
}

/// Starts or stops it, with all members.
async fn run(aws: &Aws, starts: bool) -> Result<(), Failure> {
    let cluster = aws.place.cluster();
    if starts {
        let request = aws.rds.start_db_cluster().db_cluster_identifier(cluster);
        return request.send().await.during("StartDBCluster").map(|_| ());
    }
    let request = aws.rds.stop_db_cluster().db_cluster_identifier(cluster);
    request.send().await.during("StopDBCluster").map(|_| ())
}

/// A cluster is ready when its managed secret is, too (fact book, section 1.12).
fn ready(cluster: &aws_sdk_rds::types::DbCluster) -> State {
    let secret = cluster.master_user_secret().and_then(|secret| secret.secret_status());
    match (rests(cluster.status().unwrap_or_default()), secret) {
        (State::Ready, Some("creating")) => State::Busy("creating the master user's secret".into()),
        (State::Ready, Some("impaired")) => {
            State::Failed("RDS cannot rotate the master user's secret".into())
        }
        (state, _) => state,
    }
}

/// The tags, and the mark of a cluster that nobody uses yet.
fn with_mark(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.insert(UNFINISHED_TAG.into(), "true".into());
    tags
}

fn scaling(range: &Serverless) -> builders::ServerlessV2ScalingConfigurationBuilder {
    ServerlessV2ScalingConfiguration::builder()
        .min_capacity(range.min)
        .max_capacity(range.max)
        .set_seconds_until_auto_pause(range.seconds_until_auto_pause)
}

/// The password in the stack's own secret, fetched at the moment of use.
async fn password(aws: &Aws, secret: &str) -> Result<SecretText, Failure> {
    let found =
        aws.secretsmanager.get_secret_value().secret_id(secret).send().await.during("GetSecretValue")?;
    let value: Value = serde_json::from_str(found.secret_string().unwrap_or_default()).unwrap_or_default();
    match value["password"].as_str() {
        Some(password) => Ok(SecretText::new(password.into())),
        None => {
            Err(Failure::refused("GetSecretValue", format!("the secret {secret} has no field \"password\"")))
        }
    }
}
