//! The cluster, its members, and the machine learning wiring: role, association and parameter as one unit.

use super::network::Network;
use super::roles::AURORA;
use super::{Builder, Code, engine_version, from_tags};
use crate::base::names::ORIGINAL_GROUP_TAG;
use crate::base::{Id, Input};
use crate::engine;
use crate::kinds::{
    cluster, cluster_role, instance, parameter_group, parameter_sync, secret, secret_attachment, subnet_group,
};
use crate::members::Policy;
use crate::resource::Restarts;
use crate::spec::{Aurora, Cluster, Instance, Restart, Storage};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One way in which SQL calls another service: role, association and parameter as one unit.
pub(super) struct Wiring {
    pub ability: &'static engine::Ability,
    /// The role's ARN.
    pub role: Input,
    /// Whether the role is one of others.
    pub of_others: Option<String>,
}

impl Wiring {
    /// That of the stack's own role and of its association.
    pub fn name(&self) -> &'static str {
        self.ability.name
    }
}

/// The parameters that name roles, where the engine has them.
pub(super) fn role_parameters(abilities: &[Wiring]) -> BTreeMap<String, Input> {
    let named = abilities
        .iter()
        .filter_map(|one| Some((one.ability.wiring.parameter()?.to_string(), one.role.clone())));
    named.collect()
}

/// The members of a cluster; one that scales by itself where the spec names none.
pub(super) fn instances(spec: &Cluster) -> Cow<'_, [Instance]> {
    match spec.instances.is_empty() {
        true => vec![Instance::new("db.serverless")].into(),
        false => spec.instances.as_slice().into(),
    }
}

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
            kms_key: self.spec.kms_key.clone(),
            tags: self.encrypted_tags(&id),
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
    pub(super) fn abilities(&mut self, cluster: &str) -> Vec<Wiring> {
        let source = self.place.cluster_arn(cluster);
        let mut abilities = Vec::new();
        for ability in self.engine.abilities {
            if let Some(statements) = self.aurora_statements(ability.name) {
                let role = self.role(ability.name, AURORA, Some(&source), statements);
                let of_others = self.place.names.roles.get(ability.name).cloned();
                abilities.push(Wiring { ability, role, of_others });
            }
        }
        abilities
    }

    pub(super) fn associations(&mut self, abilities: &[Wiring], cluster: &Input) {
        for one in abilities {
            let feature = one.ability.wiring.feature().map(String::from);
            let marked = one.of_others.is_some().then_some(true);
            let props =
                cluster_role::Props { cluster: cluster.clone(), role: one.role.clone(), feature, marked };
            let name = match &one.of_others {
                Some(arn) => cluster_role::name_of_others(arn),
                None => one.name().to_string(),
            };
            self.graph.add(Id::new("cluster_role", name), props);
        }
    }

    fn owned(&mut self, spec: &Cluster, network: &Network, secret: Option<&Id>) {
        let Some(version) = engine_version(spec, self.engine, self.facts) else {
            let newest: BTreeSet<&str> =
                self.facts.engine_versions.iter().map(|o| o.version.as_str()).collect();
            return self.problem(
                Code::EngineVersionUnavailable,
                "aurora.engine_version",
                format!(
                    "no {} version on offer in {} begins with {}",
                    self.engine.title, self.place.region, spec.engine_version
                ),
                format!("choose one of {}", newest.into_iter().collect::<Vec<_>>().join(", ")),
            );
        };
        let abilities = self.abilities(&self.place.cluster());
        let id = Id::new("subnet_group", "main");
        let props = subnet_group::Props { subnets: network.private.clone(), tags: self.tags(&id) };
        let subnet_group = self.graph.add(id, props).predict("name", self.place.subnet_group()).id();
        let mut parameters: BTreeMap<String, Input> =
            spec.parameters.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        parameters.extend(role_parameters(&abilities));
        let group = self.parameter_group((self.engine.family)(&version), parameters, None, None);
        let cluster = self.cluster(spec, version, network, secret, &subnet_group, &group);
        self.associations(&abilities, &Input::of(&cluster, "id"));
        let members = self.members(spec, &cluster);
        self.sync(&spec.restart, members.iter().chain([&group, &cluster]));
        if let Some(secret) = secret {
            let fields = [
                ("engine", Input::from(self.engine.in_secret)),
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
        let mut tags = self.encrypted_tags(&id);
        tags.extend(from_tags::cluster_tag(spec.on_destroy));
        let protect = spec.on_destroy == crate::spec::ClusterOnDestroy::Protect;
        let props = cluster::Props {
            engine: None,
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
            kms_key: self.spec.kms_key.clone(),
            secret_key: self.spec.kms_key.clone().filter(|_| secret.is_none()),
            running: None,
            tags,
        };
        let arn = self.place.cluster_arn(&self.place.cluster());
        self.graph.add(id, props).predict("id", self.place.cluster()).predict("arn", arn).id()
    }

    fn members(&mut self, spec: &Cluster, cluster: &Id) -> Vec<Id> {
        let instances = instances(spec);
        // The first instance to become available is the writer (fact book, section 1.7). Where all are alike
        // it does not matter which one that is, and they are made at the same time.
        let alike = instances.iter().all(|i| i.class == instances[0].class);
        let mut ids: Vec<Id> = Vec::new();
        for (n, instance) in instances.iter().enumerate() {
            let id = Id::new("instance", format!("{}", n + 1));
            let identifier = self.place.instance(&id.name);
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

    pub(super) fn parameter_group(
        &mut self,
        family: String,
        parameters: BTreeMap<String, Input>,
        copy_of: Option<String>,
        original: Option<String>,
    ) -> Id {
        let id = Id::new("parameter_group", "main");
        let mut tags = self.tags(&id);
        tags.extend(original.map(|group| (ORIGINAL_GROUP_TAG.to_string(), group)));
        let props = parameter_group::Props { family, parameters, copy_of, apply_types: None, tags };
        self.graph.add(id, props).predict("name", self.place.parameter_group()).id()
    }

    pub(super) fn sync<'i>(&mut self, restart: &Restart, after: impl IntoIterator<Item = &'i Id>) {
        let cluster = match &self.spec.aurora {
            Some(Aurora::Existing(existing)) => existing.existing.to_ascii_lowercase(),
            _ => self.place.cluster(),
        };
        let writer = restart.writer.as_ref().map(|name| name.to_ascii_lowercase());
        let policy = Policy { strategy: restart.strategy, writer: writer.clone(), ..Policy::default() };
        let props = parameter_sync::Props {
            cluster: cluster.into(),
            strategy: Some(restart.strategy),
            writer,
            pending: Vec::new(),
            finished: true,
            topology: None,
        };
        let by = self.graph.add(Id::new("parameter_sync", "main"), props).recheck_after(after).id();
        self.graph.restarts = Some(Restarts { by, policy });
    }
}
