//! The least that IAM must allow for a spec: made of the permissions that stand with each kind, and of those that are
//! needed beside kinds. Pure.
//!
//! How to add to the table: [`crate::resource::permission`]; what is asked beside kinds: [`beside`]; the names that
//! stand in braces: [`Names`].

mod asked;
pub mod beside;
mod compact;
mod names;
mod statement;
mod trust;

pub use asked::{Asked, of_plan};
pub use names::{Known, Name, Names};
pub use statement::{DOCUMENT_MAX, Statement, document, size, split};
pub use trust::{Host, TrustError, Trusted, trust};

use crate::kinds::catalog;
use crate::model::scope;
use crate::resource::permission::{Permission, Verb};
use crate::spec::{Aurora, Nat, Network, SecretManager, Spec};

/// What somebody comes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Looks: `plan`, `status`, `verify`.
    Plan,
    /// Looks and carries out, what an earlier spec left included.
    Apply,
    /// Looks and takes down.
    Destroy,
    /// Takes down, with what others made and hangs on the stack: `destroy --sweep`.
    Sweep,
    /// Looks and stops what bills by the hour: `pause`. `resume` is `Apply` and `Query`.
    Pause,
    /// Asks the database: `verify --deep`, `verify --query` and `data`.
    Query,
    /// Has CloudFormation hand over: `adopt --release`.
    Release,
}

impl Purpose {
    pub const ALL: [Purpose; 7] = [
        Purpose::Plan,
        Purpose::Apply,
        Purpose::Destroy,
        Purpose::Sweep,
        Purpose::Pause,
        Purpose::Query,
        Purpose::Release,
    ];
}

/// The statements that somebody needs who comes for these, as few as say it.
pub fn needed(spec: &Spec, names: &Names, purposes: &[Purpose]) -> Vec<Statement> {
    compact::statements(Wish::of(spec).permissions(purposes).iter(), names)
}

/// What somebody needs for whatever a spec may have: for roles that are made before their spec, with names that are a
/// template's parameters.
pub fn needed_for_any(names: &Names, purposes: &[Purpose]) -> Vec<Statement> {
    compact::statements(Wish::ANY.permissions(purposes).iter(), names)
}

/// The same without what these others allow already.
pub fn needed_for_any_beyond(names: &Names, purposes: &[Purpose], others: &[Purpose]) -> Vec<Statement> {
    let others = compact::expanded(Wish::ANY.permissions(others).iter(), names);
    compact::without(Wish::ANY.permissions(purposes).iter(), names, &others)
}

/// What CloudFormation stacks of the spec's templates need, whatever they are called: to look at them, or all the rest.
pub fn needed_for_templates(names: &Names, looks: bool) -> Vec<Statement> {
    let rules = catalog();
    let all = rules["stack"].permissions.iter().filter(|one| (one.verb == Verb::Look) == looks);
    compact::statements(all, names)
}

/// Kinds that are a look into the database: no plan needs them, and without a word of the spec nobody looks.
const SQL: [&str; 6] = ["sql_database", "sql_table", "data_load", "data_unload", "sql_function", "sql_grant"];
const JOBS: [&str; 3] = ["training_job", "tuning_job", "autopilot_job"];
/// Kinds that change in a destroy: what an existing cluster had before is given back, and its members restart.
const GIVEN_BACK: [&str; 3] = ["group_parameters", "group_attachment", "parameter_sync"];

/// Kinds of which something goes in a pause.
const PAUSED: [&str; 3] = ["endpoint", "nat_gateway", "elastic_ip"];

/// What there is to be allowed for.
struct Wish<'s> {
    /// None for whatever a spec may have.
    spec: Option<&'s Spec>,
}

impl<'s> Wish<'s> {
    const ANY: Wish<'static> = Wish { spec: None };

    fn of(spec: &'s Spec) -> Wish<'s> {
        Wish { spec: Some(spec) }
    }

    fn wants(&self, kind: &str) -> bool {
        self.spec.is_none_or(|spec| wants(spec, kind))
    }

    /// All that these purposes need.
    fn permissions(&self, purposes: &[Purpose]) -> Vec<Permission> {
        let mut all = Vec::new();
        for purpose in purposes {
            for (kind, rules) in catalog().iter() {
                let needed = rules.permissions.iter().filter(|one| self.needs(*purpose, kind, one.verb));
                all.extend(needed);
            }
            let beside = beside::NEEDS.iter().filter(|need| need.purposes.contains(purpose));
            all.extend(beside.flat_map(|need| need.permissions));
        }
        all
    }

    fn needs(&self, purpose: Purpose, kind: &str, verb: Verb) -> bool {
        // A sweep is a destroy that takes more along.
        let purpose = if purpose == Purpose::Sweep { Purpose::Destroy } else { purpose };
        let existing = self.spec.is_none_or(|spec| matches!(spec.aurora, Some(Aurora::Existing(_))));
        match (purpose, verb) {
            // AWS is asked for them only where the spec has some, of whatever sort, or where nobody has the spec.
            _ if JOBS.contains(&kind)
                && purpose != Purpose::Destroy
                && !JOBS.iter().any(|kind| self.wants(kind)) =>
            {
                false
            }
            _ if SQL.contains(&kind) && !self.wants(kind) => false,
            _ if kind == "stack" && !self.spec.is_some_and(|spec| wants(spec, kind)) => false,
            (Purpose::Query, Verb::Look) => matches!(kind, "cluster" | "instance"),
            (Purpose::Query, _) => false,
            (_, Verb::Look) => true,
            // Of what is taken over nothing but tags is changed.
            (Purpose::Plan | Purpose::Release, _) => false,
            (Purpose::Pause, verb) => verb == Verb::Delete && PAUSED.contains(&kind),
            // What an earlier spec made goes, whether this one knows of it or not.
            (_, Verb::Delete) => true,
            (Purpose::Apply, _) => self.wants(kind),
            // The database of others stays, and what was made in it goes.
            (Purpose::Destroy, _) if SQL.contains(&kind) => existing,
            (Purpose::Destroy | Purpose::Sweep, _) => {
                existing && verb == Verb::Change && GIVEN_BACK.contains(&kind)
            }
        }
    }
}

/// Whether the spec has something of this kind.
pub fn wants(spec: &Spec, kind: &str) -> bool {
    let network = spec.network.as_ref().and_then(Network::owned);
    let owned = match &spec.aurora {
        Some(Aurora::Owned(cluster)) => Some(cluster.as_ref()),
        _ => None,
    };
    let own_secret = owned.is_some_and(|cluster| cluster.secret.managed_by == SecretManager::Stack);
    let endpoints = || scope(spec).endpoints;
    let models = || spec.endpoints.values().filter_map(|endpoint| endpoint.model.as_ref());
    match kind {
        "security_group" => spec.network.is_some(),
        "vpc" | "subnet" | "route_table" => network.is_some(),
        "internet_gateway" => network.is_some_and(|network| !network.public_subnets.is_empty()),
        "elastic_ip" | "nat_gateway" => network.is_some_and(|network| network.nat != Nat::None),
        "vpc_endpoint" => network.is_some_and(|network| !network.endpoints.is_empty()),
        "bucket" => spec.bucket.is_some(),
        "stack" => spec.stacks.is_some(),
        "bucket_object" => !spec.files().is_empty() || spec.bucket.is_some() && !spec.templates().is_empty(),
        "secret" | "secret_attachment" => own_secret,
        "cluster" | "subnet_group" | "instance" => owned.is_some(),
        "parameter_group" | "parameter_sync" => spec.aurora.is_some(),
        "group_parameters" | "group_attachment" => spec.aurora.is_some() && owned.is_none(),
        "cluster_role" => spec.aurora.is_some(),
        "role" => spec.aurora.is_some() || spec.notebook.is_some() || !endpoints().is_empty(),
        "notebook" | "notebook_config" => spec.notebook.is_some(),
        "model" | "endpoint_config" | "endpoint" => !endpoints().is_empty(),
        "training_job" => {
            models().any(|model| model.training.as_ref().is_some_and(|job| job.tuning.is_none()))
        }
        "tuning_job" => models().any(|model| model.training.as_ref().is_some_and(|job| job.tuning.is_some())),
        "autopilot_job" => models().any(|model| model.autopilot.is_some()),
        kind if SQL.contains(&kind) => spec.database().is_some() && spec.has_sql(),
        _ => true,
    }
}
