//! What a look at AWS must know of a spec. Pure.

use super::sql::{loads, unloads, wired_roles};
use crate::base::names::Names;
use crate::engine::{AURORA_MYSQL, Engine};
use crate::kinds::{data_load, data_unload};
use crate::spec::{Aurora, EndpointManager, Network, OwnNetwork, S3Access, SecretManager, Spec, TakenOver};
use std::collections::BTreeMap;

/// What the spec names and a look at AWS must know: everything else is found by name, path or tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    pub engine: &'static Engine,
    /// A cluster that others own, which this stack wires up.
    pub existing_cluster: Option<String>,
    /// Names of cluster parameters that the spec sets: AWS may list their values as its own defaults
    /// (fact book, trap 12), so they are asked for by name.
    pub parameters: Vec<String>,
    /// Names of the SageMaker endpoints that the stack manages.
    pub endpoints: Vec<String>,
    /// Names of those that others make, and that the cluster may call.
    pub notebook_endpoints: Vec<String>,
    /// Whether the stack has jobs that make models: only then is AWS asked for them.
    pub jobs: bool,
    /// Name of the stack's bucket, where the spec gives one.
    pub bucket: Option<String>,
    /// What the spec says of what is in the database; without that nobody looks into it.
    pub sql: Option<SqlScope>,
    /// Names of the CloudFormation stacks of templates, by name within the stack; without any nobody looks for them.
    pub stacks: Option<BTreeMap<String, String>>,
    /// Range of each subnet by its name: of two of one name, the one with this range is meant.
    pub subnets: BTreeMap<String, String>,
    /// Names that the spec gives in place of those that auroraml chooses.
    pub names: Names,
    /// Id of the VPC of others in which the stack's security groups are.
    pub vpc: Option<String>,
    /// ARN of the key that the spec names.
    pub kms_key: Option<String>,
    /// What the spec takes over from a CloudFormation stack.
    pub taken_over: Option<TakenOver>,
}

/// What the spec says of what is in the database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlScope {
    pub database: String,
    /// ARN or name of the secret with the user that runs SQL; without it that of the master user.
    pub secret: Option<String>,
    /// Whether the master user's secret is the stack's own, and not RDS's.
    pub own_secret: bool,
    /// Names of tables and functions.
    pub tables: Vec<String>,
    pub functions: Vec<String>,
    /// Foundation models that the spec lets SQL call.
    pub models: Vec<String>,
    /// Tasks by name within the stack.
    pub loads: Vec<(String, data_load::Props)>,
    pub unloads: Vec<(String, data_unload::Props)>,
    /// Users and their hosts.
    pub users: Vec<(String, String)>,
    /// Roles that the user that runs SQL is to have.
    pub master_roles: Vec<String>,
}

impl Default for Scope {
    /// Of a spec that names nothing.
    fn default() -> Scope {
        Scope {
            engine: &AURORA_MYSQL,
            existing_cluster: None,
            parameters: Vec::new(),
            endpoints: Vec::new(),
            notebook_endpoints: Vec::new(),
            jobs: false,
            bucket: None,
            sql: None,
            stacks: None,
            subnets: BTreeMap::new(),
            names: Names::default(),
            vpc: None,
            kms_key: None,
            taken_over: None,
        }
    }
}

/// What a look at AWS must know of the spec.
pub fn scope(spec: &Spec) -> Scope {
    let (existing_cluster, mut parameters) = match &spec.aurora {
        Some(Aurora::Existing(existing)) => (Some(existing.existing.clone()), Vec::new()),
        Some(Aurora::Owned(cluster)) => (None, cluster.parameters.keys().cloned().collect()),
        None => (None, Vec::new()),
    };
    let wish = &spec.machine_learning;
    let wired = |ability: &str| match ability {
        "bedrock" => wish.bedrock.is_some(),
        "comprehend" => wish.comprehend,
        "s3" => wish.s3 != S3Access::Own(false),
        _ => wish.sagemaker.is_some(),
    };
    let engine = spec.engine();
    let roles = engine.abilities.iter().filter(|ability| wired(ability.name));
    parameters.extend(roles.filter_map(|ability| ability.wiring.parameter()).map(String::from));
    let endpoints = |manager| {
        let managed = spec.endpoints.iter().filter(move |(_, endpoint)| endpoint.managed_by == manager);
        managed.map(|(name, _)| name.clone()).collect()
    };
    Scope {
        engine,
        existing_cluster,
        parameters,
        endpoints: endpoints(EndpointManager::Stack),
        notebook_endpoints: endpoints(EndpointManager::Notebook),
        jobs: super::jobs::has_jobs(spec),
        bucket: spec.bucket.as_ref().and_then(|bucket| bucket.name.clone()),
        sql: sql(spec),
        stacks: super::stacks::physical(spec),
        subnets: spec.network.as_ref().and_then(Network::owned).into_iter().flat_map(subnets).collect(),
        names: names(spec),
        vpc: match &spec.network {
            Some(Network::Existing(of)) => Some(of.existing.clone()),
            _ => None,
        },
        kms_key: spec.kms_key.clone(),
        taken_over: spec.taken_over.clone(),
    }
}

/// The names that the spec gives. RDS stores its own in lower case.
pub fn names(spec: &Spec) -> Names {
    let lower = |name: &Option<String>| name.as_deref().map(str::to_ascii_lowercase);
    let mut names = Names {
        notebook: spec.notebook.as_ref().and_then(|notebook| notebook.name.clone()),
        notebook_config: spec.notebook.as_ref().and_then(|notebook| notebook.lifecycle_configuration.clone()),
        roles: spec.roles.given().map(|(name, arn)| (name.into(), arn.into())).collect(),
        ..Names::default()
    };
    if let Some(Aurora::Owned(cluster)) = &spec.aurora {
        names.cluster = lower(&cluster.identifier);
        names.subnet_group = lower(&cluster.subnet_group);
        names.parameter_group = lower(&cluster.parameter_group);
        names.secret.clone_from(&cluster.secret.name);
        let members = cluster.instances.iter().enumerate();
        let named = members.filter_map(|(n, one)| Some(((n + 1).to_string(), lower(&one.identifier)?)));
        names.instances = named.collect();
    }
    names
}

fn sql(spec: &Spec) -> Option<SqlScope> {
    spec.database().filter(|_| spec.has_sql())?;
    sql_scope(spec)
}

/// What a spec says of the database, also where that is no more than which one it is; none without a cluster.
pub fn sql_scope(spec: &Spec) -> Option<SqlScope> {
    let database = spec.database().unwrap_or_default();
    let (secret, own_secret) = match spec.aurora.as_ref()? {
        Aurora::Existing(cluster) => (cluster.secret.clone(), false),
        Aurora::Owned(cluster) => (None, cluster.secret.managed_by == SecretManager::Stack),
    };
    Some(SqlScope {
        database: database.into(),
        secret,
        own_secret,
        tables: spec.tables.keys().cloned().collect(),
        functions: spec.functions.keys().cloned().collect(),
        models: spec.machine_learning.bedrock.iter().flat_map(|bedrock| bedrock.models.clone()).collect(),
        loads: loads(spec).into_iter().map(|(id, props)| (id.name, props)).collect(),
        unloads: unloads(spec).into_iter().map(|(id, props)| (id.name, props)).collect(),
        users: spec.grants.iter().map(|(user, grant)| (user.clone(), grant.host.clone())).collect(),
        master_roles: wired_roles(spec).into_iter().collect(),
    })
}

/// The range of each subnet, by the name that the model gives it.
fn subnets(network: &OwnNetwork) -> impl Iterator<Item = (String, String)> {
    let sides = [("public", &network.public_subnets), ("private", &network.private_subnets)];
    sides.into_iter().flat_map(|(side, ranges)| {
        ranges.iter().enumerate().map(move |(n, range)| (format!("{side}-{}", n + 1), range.to_string()))
    })
}
