//! The cluster, its members, and the machine learning wiring: role, association and parameter as one unit.

use super::graph::{Id, Input};
use super::network::Network;
use super::roles::{AURORA, arn};
use super::{Builder, engine, names};
use crate::kinds::{
    cluster, cluster_role, group_attachment, instance, parameter_group, parameter_sync, secret,
    secret_attachment, subnet_group,
};
use crate::plan::restart::Policy;
use crate::spec::{Aurora, Cluster, ExistingCluster, Instance, Restart, Storage};
use std::collections::{BTreeMap, BTreeSet};

/// Role name and cluster parameter of each ability (fact book, section 1.3).
pub(super) const ROLE_PARAMETERS: &[(&str, &str)] = &[
    ("bedrock", "aws_default_bedrock_role"),
    ("comprehend", "aws_default_comprehend_role"),
    ("s3", "aws_default_s3_role"),
    ("sagemaker", "aws_default_sagemaker_role"),
];

/// IAM roles that a cluster can have (fact book, section 1.8).
const ROLES_PER_CLUSTER: usize = 5;

impl Builder<'_> {
    pub(super) fn secret(&mut self) -> Option<Id> {
        let Some(Aurora::Owned(spec)) = &self.spec.aurora else { return None };
        if !self.has_own_secret() {
            return None;
        }
        let id = Id::new("secret", "master");
        let props = secret::Props {
            name: self.place.secret(),
            username: Some(spec.username.clone()),
            password_variable: spec.secret.password_environment_variable.clone(),
            tags: self.tags(&id),
        };
        Some(self.graph.add(id, props).id())
    }

    pub(super) fn aurora(&mut self, network: &Network, secret: Option<&Id>) {
        match &self.spec.aurora {
            Some(Aurora::Owned(spec)) => self.owned(spec, network, secret),
            Some(Aurora::Existing(spec)) => self.existing(spec),
            None => {}
        }
    }

    /// The roles of all abilities, for the cluster with this identifier.
    fn abilities(&mut self, cluster: &str) -> Vec<(&'static str, &'static str, Id)> {
        let source = self.place.cluster_arn(cluster);
        let mut roles = Vec::new();
        for (name, parameter) in ROLE_PARAMETERS {
            if let Some(statements) = self.aurora_statements(name) {
                roles.push((*name, *parameter, self.role(name, AURORA, Some(&source), statements)));
            }
        }
        roles
    }

    fn associations(&mut self, roles: &[(&str, &str, Id)], cluster: &Input) {
        for (name, _, role) in roles {
            let props = cluster_role::Props { cluster: cluster.clone(), role: arn(role) };
            self.graph.add(Id::new("cluster_role", *name), props);
        }
    }

    fn owned(&mut self, spec: &Cluster, network: &Network, secret: Option<&Id>) {
        let version = match &self.facts.live_engine_version {
            Some(live) if engine::matches(&spec.engine_version, live) => live.clone(),
            _ => {
                match engine::resolve(&spec.engine_version, &self.facts.engine_versions, &self.facts.today) {
                    Some(offered) => offered.version.clone(),
                    None => {
                        let newest: BTreeSet<&str> =
                            self.facts.engine_versions.iter().map(|o| o.version.as_str()).collect();
                        return self.problem(
                            "aurora.engine_version",
                            format!(
                                "no Aurora MySQL version on offer in {} begins with {}",
                                self.place.region, spec.engine_version
                            ),
                            format!("choose one of {}", newest.into_iter().collect::<Vec<_>>().join(", ")),
                        );
                    }
                }
            }
        };
        let roles = self.abilities(&self.place.cluster());
        let id = Id::new("subnet_group", "main");
        let props = subnet_group::Props {
            subnets: network.private.iter().map(|subnet| Input::of(subnet, "id")).collect(),
            tags: self.tags(&id),
        };
        let subnet_group = self.graph.add(id, props).predict("name", self.place.cluster()).id();
        let mut parameters: BTreeMap<String, Input> =
            spec.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        parameters.extend(roles.iter().map(|(_, parameter, role)| ((*parameter).to_string(), arn(role))));
        let group = self.parameter_group(engine::family(&version), parameters, None, None);
        let cluster = self.cluster(spec, version, network, secret, &subnet_group, &group);
        self.associations(&roles, &Input::of(&cluster, "id"));
        let members = self.members(spec, &cluster);
        self.sync(&spec.restart, members.iter().chain([&group, &cluster]));
        if let Some(secret) = secret {
            let fields = [
                ("engine", Input::from("mysql")),
                ("host", Input::of(&cluster, "endpoint")),
                ("port", Input::from(spec.port.to_string())),
                ("dbname", Input::from(spec.database.clone().unwrap_or_default())),
                ("dbClusterIdentifier", Input::of(&cluster, "id")),
                // A secret restored from its recovery window may have the name of an earlier master user.
                ("username", Input::from(spec.username.as_str())),
            ];
            let props = secret_attachment::Props {
                secret: Input::of(secret, "arn"),
                fields: fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
                hash: None,
            };
            self.graph.add(Id::new("secret_attachment", "master"), props);
        }
    }

    fn cluster(
        &mut self,
        spec: &Cluster,
        version: String,
        network: &Network,
        secret: Option<&Id>,
        subnet_group: &Id,
        group: &Id,
    ) -> Id {
        let id = Id::new("cluster", "main");
        let protect = spec.on_destroy == crate::spec::ClusterOnDestroy::Protect;
        let props = cluster::Props {
            engine_version: version,
            engine_prefix: Some(spec.engine_version.clone()),
            database: spec.database.clone(),
            username: spec.username.clone(),
            managed_secret: secret.is_none(),
            secret: secret.map(|secret| Input::of(secret, "arn")),
            parameter_group: Input::of(group, "name"),
            subnet_group: Input::of(subnet_group, "name"),
            security_groups: network.aurora_group.iter().map(|group| Input::of(group, "id")).collect(),
            port: spec.port.into(),
            backup_retention_days: spec.backup_retention_days.into(),
            deletion_protection: spec.deletion_protection.unwrap_or(protect),
            data_api: spec.data_api,
            storage: match spec.storage {
                Storage::Standard => "aurora".into(),
                Storage::IoOptimized => "aurora-iopt1".into(),
            },
            serverless: spec.serverless.as_ref().map(|range| cluster::Serverless {
                min: range.min,
                max: range.max,
                seconds_until_auto_pause: range.seconds_until_auto_pause.and_then(|s| i32::try_from(s).ok()),
            }),
            tags: self.tags(&id),
        };
        let arn = self.place.cluster_arn(&self.place.cluster());
        self.graph.add(id, props).predict("id", self.place.cluster()).predict("arn", arn).id()
    }

    fn members(&mut self, spec: &Cluster, cluster: &Id) -> Vec<Id> {
        let serverless = [Instance { class: "db.serverless".into(), promotion_tier: 1 }];
        let instances = if spec.instances.is_empty() { &serverless[..] } else { &spec.instances[..] };
        // The first instance to become available is the writer (fact book, section 1.7). Where all are alike
        // it does not matter which one that is, and they are made at the same time.
        let alike = instances.iter().all(|i| i.class == instances[0].class);
        let mut ids: Vec<Id> = Vec::new();
        for (n, instance) in instances.iter().enumerate() {
            let id = Id::new("instance", format!("{}", n + 1));
            let identifier = self.place.name(&id.name);
            let props = instance::Props {
                cluster: Input::of(cluster, "id"),
                class: instance.class.clone(),
                promotion_tier: instance.promotion_tier.into(),
                auto_minor_version_upgrade: spec.auto_minor_version_upgrade,
                tags: self.tags(&id),
            };
            let first = ids.first().filter(|_| !alike).cloned();
            let added = self.graph.add(id, props).after(first.as_ref());
            ids.push(added.predict("id", identifier).id());
        }
        ids
    }

    fn parameter_group(
        &mut self,
        family: String,
        parameters: BTreeMap<String, Input>,
        copy_of: Option<String>,
        original: Option<String>,
    ) -> Id {
        let id = Id::new("parameter_group", "main");
        let mut tags = self.tags(&id);
        tags.extend(original.map(|group| (names::ORIGINAL_GROUP_TAG.to_string(), group)));
        let props = parameter_group::Props { family, parameters, copy_of, tags };
        self.graph.add(id, props).predict("name", self.place.cluster()).id()
    }

    pub(super) fn sync<'i>(&mut self, restart: &Restart, after: impl IntoIterator<Item = &'i Id>) {
        let cluster = match &self.spec.aurora {
            Some(Aurora::Existing(existing)) => existing.existing.to_ascii_lowercase(),
            _ => self.place.cluster(),
        };
        let writer = restart.writer.as_ref().map(|name| name.to_ascii_lowercase());
        self.graph.policy =
            Policy { strategy: restart.strategy, writer: writer.clone(), ..Policy::default() };
        let props = parameter_sync::Props {
            cluster: cluster.into(),
            strategy: Some(restart.strategy),
            writer,
            pending: Vec::new(),
            topology: None,
        };
        self.graph.add(Id::new("parameter_sync", "main"), props).recheck_after(after);
    }

    /// A cluster that others own gets a parameter group of ours, with the values of its own carried over, so
    /// that nothing of theirs is changed and everything can be given back.
    fn existing(&mut self, spec: &ExistingCluster) {
        let identifier = spec.existing.to_ascii_lowercase();
        let Some(live) = &self.facts.existing else {
            return self.problem(
                "aurora.existing",
                format!("there is no DB cluster {identifier} in {}", self.place.region),
                "check its name and the region (aws rds describe-db-clusters), or leave out `existing` to have one created",
            );
        };
        if let Some((stack, status)) = &live.cloudformation {
            if status.ends_with("_IN_PROGRESS") {
                return self.problem(
                    format!("cluster {identifier}"),
                    format!("it belongs to the CloudFormation stack {stack}, which is {status}"),
                    "wait until CloudFormation has finished, then run again",
                );
            }
            // Whoever owns a resource through CloudFormation should hear of it (fact book, trap 66).
            self.graph.notes.push(format!(
                "{identifier} belongs to the CloudFormation stack {stack} ({status}), which will see its parameter group and roles as drift"
            ));
        }
        let version = self.facts.live_engine_version.clone().unwrap_or_default();
        let ours = live.parameter_group == self.place.cluster();
        let original = match &live.original_group {
            Some(original) => original.clone(),
            None if ours => format!("default.{}", engine::family(&version)),
            None => live.parameter_group.clone(),
        };
        let foreign = live.foreign_roles;
        let roles = self.abilities(&identifier);
        if foreign + roles.len() > ROLES_PER_CLUSTER {
            return self.problem(
                format!("cluster {identifier}"),
                format!(
                    "it has {foreign} IAM roles of others, {} more are needed, and AWS allows {ROLES_PER_CLUSTER}",
                    roles.len()
                ),
                "remove an association that is no longer used, or raise the quota L-E094F43D",
            );
        }
        let parameters =
            roles.iter().map(|(_, parameter, role)| ((*parameter).to_string(), arn(role))).collect();
        // A default group cannot be copied, and has nothing that a new group lacks.
        let copy_of = Some(original.clone()).filter(|group| !group.starts_with("default."));
        let group = self.parameter_group(engine::family(&version), parameters, copy_of, Some(original));
        self.associations(&roles, &Input::from(identifier.as_str()));
        let props = group_attachment::Props {
            cluster: identifier.into(),
            parameter_group: Input::of(&group, "name"),
        };
        let attachment = self.graph.add(Id::new("group_attachment", "main"), props).id();
        self.sync(&spec.restart, [&group, &attachment]);
    }

    /// Destroying the wiring of an existing cluster: its members must run their old parameters again before
    /// the roles go.
    pub(super) fn give_back(&mut self) {
        if let (Some(Aurora::Existing(spec)), true) = (&self.spec.aurora, self.facts.existing.is_some()) {
            self.sync(&spec.restart, [&Id::new("group_attachment", "main")]);
        }
    }
}
