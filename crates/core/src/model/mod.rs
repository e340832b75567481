//! Spec to [`Graph`]: the only place that knows how Aurora machine learning fits together. Pure.
//!
//! One file for each part of the spec. Properties are the kinds' own; everything that can be computed (names,
//! ARNs, hashes) is, so that the plan shows it and nothing waits for it.

mod aurora;
mod codes;
mod existing;
pub mod facts;
mod from_tags;
mod jobs;
mod network;
mod notebook;
mod pause;
mod roles;
mod sagemaker;
mod scope;
mod sql;
mod stacks;
mod takeover;
mod zones;

pub use codes::Code;
pub use from_tags::{FromTags, expires_at, spec_from_tags};
pub use jobs::has_jobs;
pub use pause::is_paused;
pub use scope::{Scope, SqlScope, names, scope, sql_scope};
pub use sql::{loads, unload_of, unloads, wired_roles};
pub use stacks::physical as stack_names;
pub use takeover::{afterwards, without_missing};
pub use zones::{Questions, questions};

use crate::base::Id;
use crate::base::names::{EXPIRES_TAG, KEY_TAG, Place, RESOURCE_TAG, STACK_TAG};
use crate::engine::{Engine, Wiring};
use crate::resource::{Deletion, Graph};
use crate::spec::{Aurora, BucketOnDestroy, Cluster, ClusterOnDestroy, EndpointManager, SecretManager, Spec};
use facts::{Facts, Renamed};
use std::collections::BTreeMap;

/// What the spec is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Apply,
    Destroy {
        /// Whether deletion protection may be switched off.
        unprotect: bool,
    },
    /// What bills by the hour stops, or goes as far as it comes back without loss.
    Pause {
        /// With the NAT gateways and their addresses.
        nat: bool,
    },
}

impl Intent {
    /// Whether the stack is taken down.
    pub fn destroys(self) -> bool {
        matches!(self, Intent::Destroy { .. })
    }
}

/// What is to be done, and on which terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub intent: Intent,
    /// The spec's window does not count.
    pub now: bool,
    /// Members that stay pending are no reason to wait or to hold anything else.
    pub accept_pending: bool,
    /// The plan was reviewed: what is not in it is not done.
    pub reviewed: bool,
    /// A cluster that pauses is woken, if need be, to look at what is in its database.
    pub wake: bool,
}

impl From<Intent> for Order {
    fn from(intent: Intent) -> Order {
        Order { intent, now: false, accept_pending: false, reviewed: false, wake: true }
    }
}

/// A reason why the spec cannot be carried out in this account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    pub code: Code,
    pub what: String,
    pub why: String,
    pub hint: String,
}

/// What all parts of the model share.
struct Builder<'a> {
    spec: &'a Spec,
    place: &'a Place,
    facts: &'a Facts,
    engine: &'static Engine,
    graph: Graph,
    problems: Vec<Preflight>,
}

/// The resources that the spec means.
///
/// # Errors
/// Everything that makes it impossible here.
pub fn build(spec: &Spec, place: &Place, facts: &Facts, intent: Intent) -> Result<Graph, Vec<Preflight>> {
    let mut builder = Builder::new(spec, place, facts);
    builder.graph.tags = builder.common_tags();
    if builder.refuse_while_owned(intent) {
        return Err(builder.problems);
    }
    builder.renamed();
    match intent {
        Intent::Destroy { unprotect } => match facts.from_tags.as_ref() {
            Some(told) => builder.destruction_from_tags(told, unprotect),
            None => builder.destruction(unprotect),
        },
        Intent::Pause { nat } => builder.pause(nat),
        Intent::Apply => {
            builder.graph.notes.clone_from(&facts.notes);
            let network = builder.network();
            builder.bucket();
            let secret = builder.secret();
            builder.aurora(&network, secret.as_ref());
            builder.endpoints();
            builder.notebook(&network, secret.as_ref());
            builder.sql();
            builder.stacks(&network);
            builder.take_over();
        }
    }
    if builder.problems.is_empty() { Ok(builder.graph) } else { Err(builder.problems) }
}

impl<'a> Builder<'a> {
    fn new(spec: &'a Spec, place: &'a Place, facts: &'a Facts) -> Builder<'a> {
        let engine = spec.engine();
        Builder { spec, place, facts, engine, graph: Graph::default(), problems: Vec::new() }
    }
}

impl Builder<'_> {
    /// Tags of a resource: the spec's, and those by which auroraml finds it again.
    fn tags(&self, id: &Id) -> BTreeMap<String, String> {
        let mut tags = self.common_tags();
        tags.insert(RESOURCE_TAG.into(), id.to_string());
        tags
    }

    /// Of what is encrypted with the key that the spec names, if it names one.
    fn encrypted_tags(&self, id: &Id) -> BTreeMap<String, String> {
        let mut tags = self.tags(id);
        tags.extend(self.spec.kms_key.iter().map(|key| (KEY_TAG.to_string(), key.clone())));
        tags
    }

    fn common_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.spec.tags.clone();
        tags.insert(STACK_TAG.into(), self.place.stack.clone());
        if let Some(age) = &self.spec.expires_after {
            tags.insert(EXPIRES_TAG.into(), age.clone());
        }
        tags
    }

    fn problem(
        &mut self,
        code: Code,
        what: impl Into<String>,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(Preflight { code, what: what.into(), why: why.into(), hint: hint.into() });
    }

    /// AWS renames none of them, and another name would silently make another object beside the one that is there.
    fn renamed(&mut self) {
        for found in &self.facts.renamed {
            let Renamed { id, field, live, wanted } = found;
            self.problem(
                Code::NameChanged,
                id.to_string(),
                format!("it is named {live}, but the spec now says {wanted}: auroraml does not rename it"),
                format!("write `{field}: {live}`; for a new one, choose another stack name"),
            );
        }
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
        self.graph.destroys = true;
        let snapshot = self.final_snapshot();
        let mut say = |kind, name: &str, deletion| {
            self.graph.deletions.insert(Id::new(kind, name), deletion);
        };
        let text = |key: &str, value: String| (key.to_string(), value);
        match &self.spec.aurora {
            Some(Aurora::Owned(cluster)) => {
                let mut options = BTreeMap::new();
                if cluster.on_destroy != ClusterOnDestroy::Delete {
                    options.extend([text("final_snapshot", snapshot.clone())]);
                }
                if unprotect {
                    options.extend([text("unprotect", "true".into())]);
                } else if cluster.on_destroy == ClusterOnDestroy::Protect {
                    options.extend([text("protect", "true".into())]);
                }
                say("cluster", "main", Deletion::Delete(options));
                let days = cluster.secret.recovery_window_days.to_string();
                say("secret", "master", Deletion::Delete([text("recovery_window_days", days)].into()));
            }
            Some(Aurora::Existing(_)) => {
                self.check_wired_before();
                self.give_back();
                self.sql_stays();
            }
            None => {}
        }
        let bucket = match self.spec.bucket.as_ref().map(|bucket| bucket.on_destroy) {
            Some(BucketOnDestroy::Empty) => Deletion::Delete([text("empty", "true".into())].into()),
            _ => Deletion::Keep,
        };
        self.graph.deletions.insert(Id::new("bucket", "main"), bucket);
        self.stacks_go(unprotect);
        self.graph.deletions.insert(Id::new("notebook", "main"), Deletion::Delete(BTreeMap::new()));
        if jobs::has_jobs(self.spec) {
            self.graph.notes.push(
                "AWS keeps the records of finished jobs: they cost nothing, but their names stay in use"
                    .into(),
            );
        }
        for (name, endpoint) in &self.spec.endpoints {
            if endpoint.managed_by == EndpointManager::Notebook {
                self.graph.deletions.insert(Id::new("endpoint", name.clone()), Deletion::Offer);
            }
        }
    }
}

/// The version that the stack's cluster has, or gets.
pub fn engine_version(spec: &Cluster, engine: &Engine, facts: &Facts) -> Option<String> {
    match &facts.live_engine_version {
        Some(live) if engine.matches(&spec.engine_version, live) => Some(live.clone()),
        _ => engine
            .resolve(&spec.engine_version, &facts.engine_versions, &facts.today)
            .map(|offered| offered.version.clone()),
    }
}

/// One thing that the spec lets SQL call, and what the cluster needs for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ability {
    /// `bedrock`, `comprehend`, `s3` or `sagemaker`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How the cluster learns which role to use.
    pub wiring: Wiring,
    /// What a role of the stack's own would allow: statements of an IAM policy.
    pub statements: Vec<serde_json::Value>,
}

/// Everything that the spec lets SQL call.
pub fn abilities(spec: &Spec, place: &Place) -> Vec<Ability> {
    // What the roles allow follows from the spec alone.
    let facts = Facts::default();
    let builder = Builder::new(spec, place, &facts);
    let all = builder.engine.abilities.iter().filter_map(|ability| {
        let statements = builder.aurora_statements(ability.name)?;
        Some(Ability { name: ability.name, title: ability.title, wiring: ability.wiring, statements })
    });
    all.collect()
}
