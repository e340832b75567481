//! One file per kind of cloud object.
//!
//! A kind says how to look at its objects, create, change and delete them, and what its [`Rules`] are.
//! It takes no decisions: what must change is worked out by `plan`, when by `run`. Adding a kind: write its
//! file, add it to [`KINDS`], use it in `model`, teach the sandbox its calls.
//!
//! **Invariants.** `observe` changes nothing and *lists*: it finds objects by name, path or tag, never by
//! something remembered. Each create is safe to repeat after a look has shown that the object is not there.

use crate::aws::{Aws, Class, During, Failure, Look};
use crate::model::graph::{Id, Live, Observed, Outputs, State};
use crate::plan::{Catalog, Change, Permit, Rules};
use futures_util::future::join_all;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;

pub mod bucket;
pub mod bucket_object;
pub mod cluster;
pub mod cluster_role;
pub mod elastic_ip;
pub mod endpoint;
pub mod endpoint_config;
pub mod group_attachment;
pub mod group_parameters;
pub mod instance;
pub mod internet_gateway;
pub mod model;
pub mod nat_gateway;
pub mod notebook;
pub mod notebook_config;
pub mod parameter_group;
pub mod parameter_sync;
pub mod role;
pub mod route_table;
pub mod secret;
pub mod secret_attachment;
pub mod security_group;
pub mod subnet;
pub mod subnet_group;
pub mod vpc;
pub mod vpc_endpoint;

mod ec2;
mod rds;
mod sagemaker;

/// Every kind there is. The order is that in which a person would build a stack; output follows it.
pub static KINDS: &[&dyn AnyKind] = &[
    &vpc::Vpc,
    &internet_gateway::InternetGateway,
    &subnet::Subnet,
    &elastic_ip::ElasticIp,
    &nat_gateway::NatGateway,
    &route_table::RouteTable,
    &security_group::SecurityGroup,
    &vpc_endpoint::VpcEndpoint,
    &role::Role,
    &bucket::Bucket,
    &bucket_object::BucketObject,
    &secret::Secret,
    &subnet_group::SubnetGroup,
    &parameter_group::ParameterGroup,
    &group_parameters::GroupParameters,
    &cluster::Cluster,
    &group_attachment::GroupAttachment,
    &cluster_role::ClusterRole,
    &instance::Instance,
    &parameter_sync::ParameterSync,
    &secret_attachment::SecretAttachment,
    &model::Model,
    &endpoint_config::EndpointConfig,
    &endpoint::Endpoint,
    &notebook_config::NotebookConfig,
    &notebook::Notebook,
];

/// One observed object, its properties typed.
pub struct Seen<P> {
    /// Name within the stack.
    pub name: String,
    pub props: P,
    pub outputs: Outputs,
    pub state: State,
    pub owned: bool,
}

/// What an update is given.
pub struct Update<'a, P> {
    pub want: P,
    pub live: P,
    pub outputs: &'a Outputs,
    pub changes: &'a [Change],
    /// What may be interrupted.
    pub permit: &'a Permit,
}

impl<P> Update<'_, P> {
    /// Whether this property, or something in it, differs.
    pub fn changed(&self, path: &str) -> bool {
        self.changes.iter().any(|c| c.path == path || c.path.starts_with(&format!("{path}.")))
    }
}

/// What a deletion is given.
pub struct Deletion<'a, P> {
    pub live: P,
    pub outputs: &'a Outputs,
    /// The plan's options, such as `final_snapshot`.
    pub options: &'a BTreeMap<String, String>,
    /// What may be interrupted.
    pub permit: &'a Permit,
}

/// What a kind's file provides. Every async function talks to AWS; nothing else does.
pub trait Kind: Sync + 'static {
    const NAME: &'static str;
    const RULES: Rules;
    /// Desired and live properties. `None` in the desired ones means "whatever it is".
    type Props: Serialize + DeserializeOwned + Send + Sync;

    fn observe(&self, look: Look<'_>)
    -> impl Future<Output = Result<Vec<Seen<Self::Props>>, Failure>> + Send;
    fn create(
        &self,
        aws: &Aws,
        name: &str,
        want: &Self::Props,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Makes the first of the changes that can be made now, or all of them; the executor looks again.
    fn update(
        &self,
        aws: &Aws,
        name: &str,
        update: Update<'_, Self::Props>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    fn delete(
        &self,
        aws: &Aws,
        name: &str,
        deletion: Deletion<'_, Self::Props>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// What AWS reported about it since then (milliseconds since the Unix epoch), for the words of a failure.
    fn reported(&self, _: &Aws, _since: u64) -> impl Future<Output = Vec<String>> + Send {
        std::future::ready(Vec::new())
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A kind with its property type erased.
pub trait AnyKind: Sync {
    fn name(&self) -> &'static str;
    fn rules(&self) -> Rules;
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>>;
    fn create<'a>(&'a self, aws: &'a Aws, name: &'a str, want: Value) -> Answer<'a, ()>;
    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        want: Value,
        changes: &'a [Change],
        permit: &'a Permit,
    ) -> Answer<'a, ()>;
    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        options: &'a BTreeMap<String, String>,
        permit: &'a Permit,
    ) -> Answer<'a, ()>;
    fn reported<'a>(
        &'a self,
        aws: &'a Aws,
        since: u64,
    ) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;
}

fn typed<P: DeserializeOwned>(kind: &'static str, value: Value) -> Result<P, Failure> {
    serde_json::from_value(value).map_err(|e| {
        Failure::refused(
            "properties",
            format!("the properties of a {kind} do not have their shape: {e} (a bug)"),
        )
    })
}

impl<K: Kind> AnyKind for K {
    fn name(&self) -> &'static str {
        K::NAME
    }
    fn rules(&self) -> Rules {
        K::RULES
    }
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>> {
        Box::pin(async move {
            let seen = Kind::observe(self, look).await?;
            seen.into_iter()
                .map(|seen| {
                    let props = serde_json::to_value(seen.props).map_err(|e| {
                        Failure::refused("properties", format!("{} properties: {e} (a bug)", K::NAME))
                    })?;
                    Ok(Live {
                        id: Id::new(K::NAME, seen.name),
                        props,
                        outputs: seen.outputs,
                        state: seen.state,
                        owned: seen.owned,
                    })
                })
                .collect()
        })
    }
    fn create<'a>(&'a self, aws: &'a Aws, name: &'a str, want: Value) -> Answer<'a, ()> {
        Box::pin(async move {
            let want = typed(K::NAME, want)?;
            Kind::create(self, aws, name, &want).await
        })
    }
    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        want: Value,
        changes: &'a [Change],
        permit: &'a Permit,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let update = Update {
                want: typed(K::NAME, want)?,
                live: typed(K::NAME, live.props.clone())?,
                outputs: &live.outputs,
                changes,
                permit,
            };
            Kind::update(self, aws, &live.id.name, update).await
        })
    }
    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        options: &'a BTreeMap<String, String>,
        permit: &'a Permit,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let live_props = typed(K::NAME, live.props.clone())?;
            let deletion = Deletion { live: live_props, outputs: &live.outputs, options, permit };
            Kind::delete(self, aws, &live.id.name, deletion).await
        })
    }
    fn reported<'a>(
        &'a self,
        aws: &'a Aws,
        since: u64,
    ) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>> {
        Box::pin(Kind::reported(self, aws, since))
    }
}

/// # Panics
/// When there is no such kind: a bug.
pub fn get(name: &str) -> &'static dyn AnyKind {
    *KINDS.iter().find(|kind| kind.name() == name).unwrap_or_else(|| panic!("there is no kind {name}"))
}

/// The rules of all kinds, as the planner wants them.
pub fn catalog() -> Catalog {
    KINDS.iter().map(|kind| (kind.name(), kind.rules())).collect()
}

/// Everything of the stack that exists.
///
/// # Errors
/// The first failure of any kind's observation.
pub async fn observe_all(look: Look<'_>) -> Result<Observed, Failure> {
    let all = join_all(KINDS.iter().map(|kind| kind.observe(look))).await;
    let mut observed = Observed::new();
    for live in all {
        for live in live? {
            observed.insert(live.id.clone(), live);
        }
    }
    Ok(observed)
}

/// One resource, or `None` where it does not exist.
///
/// # Errors
/// Those of its kind's observation.
pub async fn observe_one(aws: &Aws, id: &Id, as_of: u64) -> Result<Option<Live>, Failure> {
    let look = Look { aws, as_of, only: Some(&id.name) };
    Ok(get(id.kind).observe(look).await?.into_iter().find(|live| live.id == *id))
}

/// `Ok(None)` instead of "not found".
///
/// # Errors
/// Every other failure.
pub fn absent_ok<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is(Class::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Success where the object is there or gone already, as wanted.
///
/// # Errors
/// Every failure of another class.
pub fn already_ok<T>(result: Result<T, Failure>, class: Class) -> Result<(), Failure> {
    match result {
        Ok(_) => Ok(()),
        Err(failure) if failure.is(class) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// What the model must know of the live cluster, the stack's own or an existing one.
pub struct ClusterFacts {
    /// `aurora-mysql`
    pub engine: String,
    pub engine_version: String,
    pub status: String,
    pub parameter_group: String,
    /// ARNs of all associated roles.
    pub roles: Vec<String>,
    /// Identifier of the global database that the cluster is a member of.
    pub global_cluster: Option<String>,
    /// Name of the CloudFormation stack that made the cluster.
    pub cloudformation_stack: Option<String>,
}

/// # Errors
/// Those of the describe; a missing cluster is `None`.
pub async fn cluster_facts(look: Look<'_>) -> Result<Option<ClusterFacts>, Failure> {
    let found = rds::cluster(look).await?;
    Ok(found.as_ref().as_ref().map(|cluster| ClusterFacts {
        engine: cluster.engine().unwrap_or_default().into(),
        engine_version: cluster.engine_version().unwrap_or_default().into(),
        status: cluster.status().unwrap_or_default().into(),
        parameter_group: cluster.db_cluster_parameter_group().unwrap_or_default().into(),
        global_cluster: cluster.global_cluster_identifier().filter(|id| !id.is_empty()).map(String::from),
        cloudformation_stack: cluster
            .tag_list()
            .iter()
            .find(|tag| tag.key() == Some("aws:cloudformation:stack-name"))
            .and_then(|tag| tag.value().map(String::from)),
        roles: cluster.associated_roles().iter().filter_map(|r| r.role_arn().map(String::from)).collect(),
    }))
}

/// What the model must know of the custom parameter group that others made for the existing cluster.
pub struct GroupFacts {
    /// Roles that are set, by parameter.
    pub roles: BTreeMap<String, String>,
    /// `static` or `dynamic`, by parameter.
    pub apply_types: BTreeMap<String, String>,
    /// The other clusters that use the group, sorted.
    pub other_users: Vec<String>,
}

/// # Errors
/// Those of the describes; a default group and the stack's own are `None`, and nothing is asked of them.
pub async fn group_facts(look: Look<'_>) -> Result<Option<GroupFacts>, Failure> {
    let found = rds::parameters::attached(look).await?;
    let Some(attached) = found.as_ref() else { return Ok(None) };
    Ok(Some(GroupFacts {
        roles: attached.roles(),
        apply_types: rds::parameters::apply_types(&attached.parameters),
        other_users: rds::other_users(look.aws, &attached.group).await?,
    }))
}

/// Whether there is a DB cluster parameter group of this name.
///
/// # Errors
/// Those of the describe.
pub async fn group_exists(aws: &Aws, group: &str) -> Result<bool, Failure> {
    let request = aws.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(group);
    Ok(absent_ok(request.send().await.during("DescribeDBClusterParameterGroups"))?.is_some())
}
