//! Spec to [`graph::Graph`]: the only place that knows how Aurora machine learning fits together. Pure.
//!
//! One file for each part of the spec. Properties are the kinds' own; everything that can be computed (names,
//! ARNs, hashes) is, so that the plan shows it and nothing waits for it.

mod aurora;
pub mod engine;
mod existing;
pub mod facts;
pub mod graph;
pub mod names;
mod network;
pub mod policy;
mod roles;
mod sagemaker;

use crate::spec::{Aurora, BucketOnDestroy, ClusterOnDestroy, SecretManager, Spec};
use facts::Facts;
use graph::{Deletion, Graph, Id};
use names::{EXPIRES_TAG, Place, RESOURCE_TAG, ROLE_PARAMETERS, STACK_TAG, Scope};
use std::collections::BTreeMap;

/// What the spec is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Apply,
    Destroy {
        /// Whether deletion protection may be switched off.
        unprotect: bool,
    },
}

/// What is to be done, and on which terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub intent: Intent,
    /// The spec's window does not count.
    pub now: bool,
    /// Members that stay pending are no reason to wait or to hold anything else.
    pub accept_pending: bool,
}

impl From<Intent> for Order {
    fn from(intent: Intent) -> Order {
        Order { intent, now: false, accept_pending: false }
    }
}

/// A reason why the spec cannot be carried out in this account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    pub what: String,
    pub why: String,
    pub hint: String,
}

/// What all parts of the model share.
struct Builder<'a> {
    spec: &'a Spec,
    place: &'a Place,
    facts: &'a Facts,
    graph: Graph,
    problems: Vec<Preflight>,
}

/// The resources that the spec means.
///
/// # Errors
/// Everything that makes it impossible here.
pub fn build(spec: &Spec, place: &Place, facts: &Facts, intent: Intent) -> Result<Graph, Vec<Preflight>> {
    let mut builder = Builder { spec, place, facts, graph: Graph::default(), problems: Vec::new() };
    match intent {
        Intent::Destroy { unprotect } => builder.destruction(unprotect),
        Intent::Apply => {
            let network = builder.network();
            builder.bucket();
            let secret = builder.secret();
            builder.aurora(&network, secret.as_ref());
            builder.endpoints();
            builder.notebook(&network, secret.as_ref());
        }
    }
    if builder.problems.is_empty() { Ok(builder.graph) } else { Err(builder.problems) }
}

impl Builder<'_> {
    /// Tags of a resource: the spec's, and those by which auroraml finds it again.
    fn tags(&self, id: &Id) -> BTreeMap<String, String> {
        let mut tags = self.spec.tags.clone();
        tags.insert(STACK_TAG.into(), self.place.stack.clone());
        tags.insert(RESOURCE_TAG.into(), id.to_string());
        if let Some(age) = &self.spec.expires_after {
            tags.insert(EXPIRES_TAG.into(), age.clone());
        }
        tags
    }

    fn problem(&mut self, what: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Preflight { what: what.into(), why: why.into(), hint: hint.into() });
    }

    /// Name of the stack's bucket.
    fn bucket_name(&self) -> String {
        let given = self.spec.bucket.as_ref().and_then(|bucket| bucket.name.clone());
        given.unwrap_or_else(|| self.place.bucket())
    }

    fn has_own_secret(&self) -> bool {
        matches!(&self.spec.aurora, Some(Aurora::Owned(c)) if c.secret.managed_by == SecretManager::Stack)
    }

    /// Nothing is wanted any more; what must be said is how each thing goes.
    fn destruction(&mut self, unprotect: bool) {
        let mut say = |kind, name: &str, deletion| {
            self.graph.deletions.insert(Id::new(kind, name), deletion);
        };
        let text = |key: &str, value: String| (key.to_string(), value);
        match &self.spec.aurora {
            Some(Aurora::Owned(cluster)) => {
                let mut options = BTreeMap::new();
                if cluster.on_destroy != ClusterOnDestroy::Delete {
                    let name = format!("{}-final-{}", self.place.stack, self.facts.timestamp);
                    options.extend([text("final_snapshot", name)]);
                }
                if unprotect {
                    options.extend([text("unprotect", "true".into())]);
                }
                say("cluster", "main", Deletion::Delete(options));
                let days = cluster.secret.recovery_window_days.to_string();
                say("secret", "master", Deletion::Delete([text("recovery_window_days", days)].into()));
            }
            Some(Aurora::Existing(_)) => self.give_back(),
            None => {}
        }
        let bucket = match self.spec.bucket.as_ref().map(|bucket| bucket.on_destroy) {
            Some(BucketOnDestroy::Empty) => Deletion::Delete([text("empty", "true".into())].into()),
            _ => Deletion::Keep,
        };
        self.graph.deletions.insert(Id::new("bucket", "main"), bucket);
        self.graph.deletions.insert(Id::new("notebook", "main"), Deletion::Delete(BTreeMap::new()));
    }
}

/// One thing that the spec lets SQL call, and what the cluster needs for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ability {
    /// `bedrock`, `comprehend`, `s3` or `sagemaker`.
    pub name: &'static str,
    /// The cluster parameter that holds the role.
    pub parameter: &'static str,
    /// What a role of the stack's own would allow: statements of an IAM policy.
    pub statements: Vec<serde_json::Value>,
}

/// Everything that the spec lets SQL call.
pub fn abilities(spec: &Spec, place: &Place) -> Vec<Ability> {
    // What the roles allow follows from the spec alone.
    let facts = Facts::default();
    let builder = Builder { spec, place, facts: &facts, graph: Graph::default(), problems: Vec::new() };
    let all = names::ROLE_PARAMETERS.iter().filter_map(|(name, parameter)| {
        Some(Ability { name, parameter, statements: builder.aurora_statements(name)? })
    });
    all.collect()
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
        "s3" => wish.s3 != crate::spec::S3Access::Own(false),
        _ => wish.sagemaker.is_some(),
    };
    let roles = ROLE_PARAMETERS.iter().filter(|(ability, _)| wired(ability));
    parameters.extend(roles.map(|(_, parameter)| (*parameter).to_string()));
    Scope {
        existing_cluster,
        parameters,
        endpoints: spec
            .endpoints
            .iter()
            .filter(|(_, endpoint)| endpoint.managed_by == crate::spec::EndpointManager::Stack)
            .map(|(name, _)| name.clone())
            .collect(),
        bucket: spec.bucket.as_ref().and_then(|bucket| bucket.name.clone()),
    }
}
