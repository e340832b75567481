//! The cluster and what belongs to it.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::super::{PASSWORD, VERSION};
use super::props;
use crate::kinds::{
    cluster, cluster_role, instance, parameter_group, secret, secret_attachment, subnet_group,
};
use crate::resource::Resource;
use crate::spec::{Aurora, Cluster, ClusterOnDestroy};
use serde_json::json;

/// What a random password is without: Aurora takes no `/`, `"`, `@` and spaces (RDS API reference, CreateDBCluster);
/// the others trouble shells.
const EXCLUDED: &str = "\"@/\\'` ";
const PASSWORD_LENGTH: i64 = 32;

fn owned<'a>(context: &Context<'a>) -> Option<&'a Cluster> {
    match &context.spec.aurora {
        Some(Aurora::Owned(cluster)) => Some(cluster),
        _ => None,
    }
}

pub fn secret(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let secret::Props { name: _, username, password_variable, kms_key, tags } = props(resource);
    let (username, has_key) = (username.unwrap_or_default(), kms_key.is_some());
    let generated = || {
        Node::map([
            ("SecretStringTemplate", Some(Node::text(json!({ "username": username }).to_string()))),
            ("GenerateStringKey", Some(Node::text("password"))),
            ("PasswordLength", Some(Node::number(PASSWORD_LENGTH))),
            ("ExcludeCharacters", Some(Node::text(EXCLUDED))),
        ])
    };
    let given = || {
        let fields = json!({ "username": username, "password": format!("${{{PASSWORD}}}") });
        Node::call("Fn::Sub", Node::text(fields.to_string()))
    };
    let secret = context.written(resource, "AWS::SecretsManager::Secret").with([
        (
            "Description",
            Some(Node::text(format!("Master user of the Aurora cluster {}", context.spec.stack))),
        ),
        ("GenerateSecretString", password_variable.is_none().then(generated)),
        ("SecretString", password_variable.is_some().then(given)),
        ("KmsKeyId", kms_key.map(|key| context.text(&key))),
        ("Tags", context.tags(&tags)),
    ]);
    let secret = match has_key {
        true => secret,
        false => {
            secret.skip("CKV_AWS_149", "encrypted with Secrets Manager's own key: the spec has no other")
        }
    };
    vec![secret]
}

pub fn secret_attachment(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    // The fields follow from the target.
    let secret_attachment::Props { secret, fields: _, hash: _ } = props(resource);
    let cluster = crate::base::Id::new("cluster", "main");
    let attachment = context
        .written(resource, "AWS::SecretsManager::SecretTargetAttachment")
        .with([
            ("SecretId", Some(context.input(&secret))),
            ("TargetType", Some(Node::text("AWS::RDS::DBCluster"))),
            ("TargetId", Some(Node::reference(&context.logical(&cluster)))),
        ])
        .comment("Adds the endpoint to the secret: of the cluster, which follows the writer.");
    vec![attachment]
}

pub fn subnet_group(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let subnet_group::Props { subnets, tags } = props(resource);
    let group = context.written(resource, "AWS::RDS::DBSubnetGroup").with([
        (
            "DBSubnetGroupDescription",
            Some(Node::text(format!("Subnets of the Aurora cluster {}", context.spec.stack))),
        ),
        ("SubnetIds", Some(context.inputs(&subnets))),
        ("Tags", context.tags(&tags)),
    ]);
    vec![group]
}

pub fn parameter_group(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let parameter_group::Props { family, parameters, copy_of: _, apply_types: _, tags } = props(resource);
    let parameters = parameters.iter().map(|(name, value)| (name.clone(), context.input(value))).collect();
    let group = context.written(resource, "AWS::RDS::DBClusterParameterGroup").with([
        ("Family", Some(Node::text(family))),
        ("Description", Some(Node::text(format!("Parameters of the Aurora cluster {}", context.spec.stack)))),
        ("Parameters", Some(Node::Map(parameters))),
        ("Tags", context.tags(&tags)),
    ]);
    vec![group]
}

pub fn cluster(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let cluster::Props {
        engine: _,
        engine_version: _,
        engine_prefix: _,
        database,
        username,
        managed_secret,
        secret,
        parameter_group,
        subnet_group,
        security_groups,
        port,
        backup_retention_days,
        deletion_protection,
        data_api,
        storage,
        serverless,
        kms_key,
        secret_key,
        running: _,
        tags,
    } = props(resource);
    let on_destroy = owned(context).map(|cluster| cluster.on_destroy).unwrap_or_default();
    let deletion = match on_destroy {
        ClusterOnDestroy::Delete => "Delete",
        ClusterOnDestroy::Snapshot | ClusterOnDestroy::Protect => "Snapshot",
    };
    // Read by CloudFormation when it makes the cluster; the template never has the value.
    let resolved = |field: &str| {
        let secret = secret.as_ref().map(|_| context.logical(&crate::base::Id::new("secret", "master")))?;
        let text = format!("{{{{resolve:secretsmanager:${{{secret}}}:SecretString:{field}}}}}");
        Some(Node::call("Fn::Sub", Node::text(text)))
    };
    let scaling = serverless.map(|range| {
        let number = |value: f64| serde_json::Number::from_f64(value).map(whole).map(Node::Number);
        Node::map([
            ("MinCapacity", number(range.min)),
            ("MaxCapacity", number(range.max)),
            ("SecondsUntilAutoPause", range.seconds_until_auto_pause.map(Node::number)),
        ])
    });
    let place = crate::base::names::Place::anywhere(&context.spec.stack);
    let identifier = place.with(crate::model::names(context.spec)).cluster();
    let has_key = kms_key.is_some();
    let cluster = context
        .written(resource, "AWS::RDS::DBCluster")
        .policies(deletion, "Snapshot")
        .with([
            // Roles trust it by its name, so that neither waits for the other. RDS keeps names in lower case, and
            // CloudFormation has no function for that.
            ("DBClusterIdentifier", Some(Node::text(identifier))),
            ("Engine", Some(Node::text(context.spec.engine().name))),
            ("EngineVersion", Some(Node::reference(VERSION))),
            ("EngineLifecycleSupport", Some(Node::text("open-source-rds-extended-support-disabled"))),
            ("DatabaseName", database.map(Node::text)),
            ("MasterUsername", Some(resolved("username").unwrap_or_else(|| Node::text(username)))),
            ("MasterUserPassword", resolved("password")),
            ("ManageMasterUserPassword", managed_secret.then_some(Node::Bool(true))),
            ("MasterUserSecret", secret_key.map(|key| Node::map([("KmsKeyId", Some(context.text(&key)))]))),
            ("DBClusterParameterGroupName", Some(context.input(&parameter_group))),
            ("DBSubnetGroupName", Some(context.input(&subnet_group))),
            ("VpcSecurityGroupIds", (!security_groups.is_empty()).then(|| context.inputs(&security_groups))),
            ("Port", Some(Node::number(port))),
            ("BackupRetentionPeriod", Some(Node::number(backup_retention_days))),
            ("DeletionProtection", Some(Node::Bool(deletion_protection))),
            ("EnableHttpEndpoint", Some(Node::Bool(data_api))),
            ("StorageEncrypted", Some(Node::Bool(true))),
            ("KmsKeyId", kms_key.map(|key| context.text(&key))),
            ("StorageType", (storage != "aurora").then(|| Node::text(storage))),
            ("CopyTagsToSnapshot", Some(Node::Bool(true))),
            ("ServerlessV2ScalingConfiguration", scaling),
            ("AssociatedRoles", roles(context)),
            ("Tags", context.tags(&tags)),
        ])
        .skip("CKV_AWS_162", "users log in with the secret, as in the spec");
    let cluster = match has_key {
        true => cluster,
        false => cluster.skip("CKV_AWS_327", "encrypted with RDS's own key: the spec has no other"),
    };
    let cluster = match deletion_protection {
        true => cluster,
        false => cluster.skip("CKV_AWS_139", "the spec allows deleting the cluster"),
    };
    vec![cluster]
}

/// 2 of 2.0, as people write it.
fn whole(number: serde_json::Number) -> serde_json::Number {
    let text = number.to_string();
    text.strip_suffix(".0").and_then(|whole| whole.parse::<i64>().ok()).map_or(number, Into::into)
}

/// The associations, which are part of the cluster.
fn roles(context: &Context<'_>) -> Option<Node> {
    let all = context.ids.keys().filter(|id| id.kind == "cluster_role").map(|id| {
        let cluster_role::Props { cluster: _, role, feature, marked: _ } =
            props(&context.graph.resources[id]);
        Node::map([("RoleArn", Some(context.input(&role))), ("FeatureName", feature.map(Node::text))])
    });
    let all: Vec<Node> = all.collect();
    (!all.is_empty()).then_some(Node::List(all))
}

pub fn instance(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let instance::Props { cluster, class, promotion_tier, auto_minor_version_upgrade, tags } =
        props(resource);
    let instance = context
        .written(resource, "AWS::RDS::DBInstance")
        .with([
            ("DBClusterIdentifier", Some(context.input(&cluster))),
            ("Engine", Some(Node::text(context.spec.engine().name))),
            ("DBInstanceClass", Some(Node::text(class))),
            ("PromotionTier", Some(Node::number(promotion_tier))),
            ("AutoMinorVersionUpgrade", auto_minor_version_upgrade.map(Node::Bool)),
            ("PubliclyAccessible", Some(Node::Bool(false))),
            ("Tags", context.tags(&tags)),
        ])
        .skip("CKV_AWS_157", "a member of an Aurora cluster: the cluster spans several zones")
        .skip("CKV_AWS_118", "the spec has no enhanced monitoring")
        .skip("CKV_AWS_161", "users log in with the secret, as in the spec")
        .skip("CKV_AWS_16", "a member of an Aurora cluster has the cluster's storage, which is encrypted");
    let instance = match auto_minor_version_upgrade {
        Some(true) => instance,
        _ => instance.skip("CKV_AWS_226", "the spec decides when the version changes"),
    };
    vec![instance]
}
