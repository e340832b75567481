//! The machine learning wiring of a cluster that others own: role, association and parameter, and nothing
//! else of it (docs/decisions/0004).

use super::aurora::{Wiring, role_parameters};
use super::facts::ExistingFacts;
use super::{Builder, Code};
use crate::base::{Id, Input, counted};
use crate::kinds::{group_attachment, group_parameters};
use crate::members::restart::needs_person;
use crate::spec::{Aurora, ExistingCluster, nearest};

/// Where the role parameters are set.
enum Group {
    /// In the group that the cluster has: it is custom, and no other cluster uses it.
    Theirs,
    /// In one of ours, which starts with the values of this one.
    CopyOf(String),
}

impl Builder<'_> {
    pub(super) fn existing(&mut self, spec: &ExistingCluster) {
        let identifier = spec.existing.to_ascii_lowercase();
        let Some(live) = &self.facts.existing else {
            let region = &self.place.region;
            let hint = match nearest(&identifier, self.facts.clusters.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "correct its name, or `region` (aws rds describe-db-clusters --region {region} lists the clusters there)"
                ),
            };
            let why = format!("DB cluster {identifier} does not exist in {region}");
            return self.problem(Code::ClusterMissing, "aurora.existing", why, hint);
        };
        self.check_wired_before();
        self.check_cloudformation(&identifier, live);
        let abilities = self.abilities(&identifier);
        if abilities.is_empty() {
            // What an earlier spec wanted goes.
            return self.give_back();
        }
        self.check_running(&identifier, live);
        self.check_engine(&identifier, live, &abilities);
        self.check_role_quota(&identifier, live, &abilities);
        self.note_loose_ends(&identifier, live);
        self.note_losers(&identifier, live, &abilities);
        let Some(group) = self.choose_group(&identifier, live, &abilities) else { return };
        let parameters = role_parameters(&abilities);
        let carriers = match group {
            Group::Theirs => {
                let mut apply_types = live.apply_types.clone();
                apply_types.retain(|name, _| parameters.contains_key(name));
                let group = live.parameter_group.as_str().into();
                let props = group_parameters::Props { group, parameters, apply_types: Some(apply_types) };
                vec![self.graph.add(Id::new("group_parameters", "main"), props).id()]
            }
            Group::CopyOf(original) => {
                let version = self.facts.live_engine_version.as_deref().unwrap_or_default();
                let family = (self.engine.family)(version);
                // A default group cannot be copied, and has nothing that a new group lacks.
                let copy_of = Some(original.clone()).filter(|group| !group.starts_with("default."));
                let group = self.parameter_group(family, parameters, copy_of, Some(original));
                let props = group_attachment::Props {
                    cluster: identifier.as_str().into(),
                    parameter_group: Input::of(&group, "name"),
                };
                let attachment = self.graph.add(Id::new("group_attachment", "main"), props).id();
                vec![group, attachment]
            }
        };
        self.associations(&abilities, &Input::from(identifier.as_str()));
        self.sync(&spec.restart, &carriers);
    }

    /// Destroying the wiring of an existing cluster: its members must run their old parameters again before
    /// the roles go.
    pub(super) fn give_back(&mut self) {
        let Some(Aurora::Existing(spec)) = &self.spec.aurora else { return };
        let Some(live) = &self.facts.existing else { return };
        let identifier = spec.existing.to_ascii_lowercase();
        let (ours, prefix) = (self.place.parameter_group(), self.place.role_arn_prefix());
        let attached = live.parameter_group == ours;
        let set = live.role_parameters.values().any(|role| role.starts_with(&prefix));
        // The associations go after the members are in-sync: without any of these there is nothing to give back,
        // and a restart that others have yet to make is theirs.
        if !(attached || set || live.roles.iter().any(|role| role.starts_with(&prefix))) {
            return;
        }
        self.check_running(&identifier, live);
        if attached {
            match &live.original_group {
                None => self.problem_without_tag(&identifier, &ours),
                Some(original) if live.original_group_gone => self.problem(
                    Code::OriginalGroupMissing,
                    format!("cluster {identifier}"),
                    format!("it should get its parameter group {original} back, as the tag auroraml:original-group of {ours} says, but that group does not exist"),
                    format!("create {original} again, or set the tag of {ours} to the group that the cluster should get, then run again"),
                ),
                Some(original) => self.graph.notes.push(format!(
                    "{identifier} gets its parameter group {original} back, and its members must restart once more to use it"
                )),
            }
        } else if set {
            self.graph.notes.push(format!(
                "this stack's roles are removed from {}, which {identifier} keeps",
                live.parameter_group
            ));
        }
        if !attached && set && !live.sharers.is_empty() {
            self.graph.notes.push(format!(
                "{} is now also used by {}: they lose this stack's role parameters too, and their members may report pending-reboot",
                live.parameter_group,
                live.sharers.join(", ")
            ));
        }
        let carriers = ["group_parameters", "group_attachment"].map(|kind| Id::new(kind, "main"));
        self.sync(&spec.restart, &carriers);
    }

    /// Another cluster in the spec: what was set on the one before would stay there, with roles that trust it no longer.
    pub(super) fn check_wired_before(&mut self) {
        let Some(live) = &self.facts.existing else { return };
        let Some(before) = live.wired_before.as_deref() else { return };
        // The same cluster under another name has them already.
        let prefix = self.place.role_arn_prefix();
        if live.roles.iter().any(|role| role.starts_with(&prefix)) {
            return;
        }
        let before = before.rsplit(':').next().unwrap_or(before);
        self.problem(
            Code::ClusterChanged,
            "aurora.existing",
            format!("this stack's roles belong to the cluster {before}, which would lose them"),
            format!("run `auroraml destroy` with `existing: {before}` first, or choose another stack name for the new cluster"),
        );
    }

    fn check_cloudformation(&mut self, identifier: &str, live: &ExistingFacts) {
        let Some((stack, status)) = &live.cloudformation else { return };
        if status.ends_with("_IN_PROGRESS") {
            return self.problem(
                Code::CloudformationBusy,
                format!("cluster {identifier}"),
                format!("it belongs to the CloudFormation stack {stack}, which is {status}"),
                "wait until it has finished, then run the command again",
            );
        }
        // Whoever owns a resource through CloudFormation should hear of it (fact book, trap 66).
        self.graph.notes.push(format!(
            "{identifier} belongs to the CloudFormation stack {stack} ({status}), which will report its parameter group and roles as drift"
        ));
    }

    /// AWS refuses every change of a stopped cluster (fact book, section 1.13).
    fn check_running(&mut self, identifier: &str, live: &ExistingFacts) {
        if live.status == "stopped" {
            self.problem(
                Code::ClusterStopped,
                format!("cluster {identifier}"),
                "it is stopped, and AWS cannot change a stopped cluster",
                format!(
                    "start it (aws rds start-db-cluster --region {} --db-cluster-identifier {identifier}), wait until it is available, then run again",
                    self.place.region
                ),
            );
        } else if needs_person(&live.status) {
            let why = format!(
                "its status is {}, and AWS cannot change it until you have repaired that",
                live.status
            );
            self.problem(
                Code::ClusterUnusable,
                format!("cluster {identifier}"),
                why,
                format!(
                    "find the cause (aws rds describe-events --region {} --source-type db-cluster --source-identifier {identifier}), repair it, then run again",
                    self.place.region
                ),
            );
        }
    }

    fn check_engine(&mut self, identifier: &str, live: &ExistingFacts, abilities: &[Wiring]) {
        let (cluster, facts) = (format!("cluster {identifier}"), self.facts);
        let version = facts.live_engine_version.as_deref().unwrap_or_default();
        let engine = self.engine;
        if live.engine != engine.name {
            return self.problem(
                Code::ClusterEngine,
                cluster,
                format!("its engine is {}, but auroraml needs {}", live.engine, engine.title),
                format!("use an {} cluster in `aurora.existing`", engine.title),
            );
        }
        for ability in abilities.iter().map(|one| one.ability).filter(|one| !(one.available)(version)) {
            self.problem(
                Code::ClusterVersion,
                cluster.clone(),
                format!("it runs {version}, which has no SQL functions for {}", ability.name),
                format!(
                    "upgrade it to {} {} or later{}, or remove `machine_learning.{}`",
                    engine.title, ability.first, ability.first_of_older, ability.name
                ),
            );
        }
        if let Some(global) = &live.global_cluster {
            let others = match (engine.restarts_others)(version) {
                None => "its other clusters are not changed".to_string(),
                Some(why) => format!(
                    "{why} a restart of the primary cluster's writer restarts the members of its secondary clusters as well"
                ),
            };
            self.graph.notes.push(format!(
                "{identifier} is a member of the global database {global}, and only this cluster is changed: {others}"
            ));
        }
    }

    fn check_role_quota(&mut self, identifier: &str, live: &ExistingFacts, abilities: &[Wiring]) {
        let wanted = abilities.iter().map(|one| self.place.role_arn(one.name()));
        let new = wanted.filter(|role| !live.roles.contains(role)).count();
        let prefix = self.place.role_arn_prefix();
        let others = live.roles.iter().filter(|role| !role.starts_with(&prefix)).count();
        if live.roles.len() + new <= live.role_quota {
            return;
        }
        let hint = match others + abilities.len() <= live.role_quota {
            // An association that goes and one that comes have no order between them.
            true => {
                "first apply without the new entries of `machine_learning`, to remove the association that is no longer needed, then with them"
            }
            false => "remove an association that is no longer used, or raise the quota L-E094F43D",
        };
        self.problem(
            Code::ClusterRoleQuota,
            format!("cluster {identifier}"),
            format!(
                "it has {} ({others} from others), needs {new} more, and AWS allows {}",
                counted(live.roles.len(), "IAM role"),
                live.role_quota
            ),
            hint,
        );
    }

    /// Half a wiring of others is left to them, but is said: role, association and parameter are needed all
    /// three (fact book, section 1.8).
    fn note_loose_ends(&mut self, identifier: &str, live: &ExistingFacts) {
        let group = &live.parameter_group;
        // Of a group of ours only what the stack sets is known.
        if *group == self.place.parameter_group() {
            return;
        }
        let prefix = self.place.role_arn_prefix();
        for (parameter, role) in &live.role_parameters {
            if !role.starts_with(&prefix) && !live.roles.contains(role) {
                self.graph.notes.push(format!(
                    "{parameter} in {group} is {role}, which others set but did not associate with {identifier}: SQL that uses it fails"
                ));
            }
        }
        for role in live.roles.iter().filter(|role| !role.starts_with(&prefix)) {
            if !live.role_parameters.values().any(|set| set == role) {
                self.graph.notes.push(format!(
                    "others associated {role} with {identifier}, but no role parameter of {group} is set to it: SQL cannot use it"
                ));
            }
        }
    }

    /// Another stack that has wired the cluster up: a parameter holds one role, so it loses what this stack sets.
    fn note_losers(&mut self, identifier: &str, live: &ExistingFacts, abilities: &[Wiring]) {
        for one in abilities {
            let Some(parameter) = one.ability.wiring.parameter() else { continue };
            let Some(role) = live.role_parameters.get(parameter) else { continue };
            let Some(other) = stack_of(role).filter(|other| *other != self.place.stack) else { continue };
            self.graph.notes.push(format!(
                "the stack {other} loses {parameter} on {identifier}, which holds only one role: SQL then calls {} with this stack's role",
                one.ability.title
            ));
        }
    }

    /// In which group the parameters are set; `None` after a problem. A group once chosen is kept: in place as
    /// long as one of our values is there, the copy as long as it is attached.
    fn choose_group(
        &mut self,
        identifier: &str,
        live: &ExistingFacts,
        abilities: &[Wiring],
    ) -> Option<Group> {
        let (group, ours) = (&live.parameter_group, self.place.parameter_group());
        if *group == ours {
            let Some(original) = &live.original_group else {
                self.problem_without_tag(identifier, &ours);
                return None;
            };
            return Some(Group::CopyOf(original.clone()));
        }
        let prefix = self.place.role_arn_prefix();
        let wanted = |parameter: &String| {
            abilities.iter().any(|one| one.ability.wiring.parameter() == Some(parameter))
        };
        let foreign: Vec<String> = live
            .role_parameters
            .iter()
            .filter(|(parameter, role)| wanted(parameter) && !role.starts_with(&prefix))
            .map(|(parameter, role)| format!("its {parameter} is {role}, set by others"))
            .collect();
        let sharers = live.sharers.join(", ");
        if live.role_parameters.values().any(|role| role.starts_with(&prefix)) {
            if !foreign.is_empty() {
                self.problem(
                    Code::GroupRoles,
                    format!("parameter group {group}"),
                    format!("this stack set roles in it, but {}", foreign.join("; ")),
                    "reset that parameter if it is no longer used",
                );
                return None;
            }
            if !sharers.is_empty() {
                self.graph.notes.push(format!(
                    "{group}, in which this stack's roles are set, is now also used by {sharers}: they get the same values"
                ));
            }
            return Some(Group::Theirs);
        }
        let mut reasons = foreign;
        if !sharers.is_empty() {
            reasons.insert(0, format!("it is shared with {sharers}, which must not change"));
        }
        if group.starts_with("default.") {
            reasons.push("default.* groups cannot be changed".into());
        }
        if reasons.is_empty() {
            self.graph.notes.push(format!(
                "the role parameters are set in {group} itself, a custom group that only {identifier} uses"
            ));
            return Some(Group::Theirs);
        }
        if let Some(original) = live.original_group.as_ref().filter(|original| *original != group) {
            self.problem(
                Code::GroupOutdated,
                format!("parameter group {ours}"),
                format!("it was copied from {original}, but the cluster {identifier} now uses {group}"),
                format!("attach {ours} or {original} to the cluster, or delete {ours} (aws rds delete-db-cluster-parameter-group --region {} --db-cluster-parameter-group-name {ours}), then run again", self.place.region),
            );
            return None;
        }
        self.graph.notes.push(format!(
            "{identifier} gets its own parameter group {ours} with all values of {group}, which is not modified: {}; `auroraml destroy` gives {group} back, and the members restart again for it",
            reasons.join("; ")
        ));
        Some(Group::CopyOf(group.clone()))
    }

    fn problem_without_tag(&mut self, identifier: &str, ours: &str) {
        self.problem(
            Code::GroupUntagged,
            format!("parameter group {ours}"),
            format!(
                "the cluster {identifier} uses it, it has this stack's name, but no tag auroraml:original-group, which says which group to restore"
            ),
            "if it belongs to this stack, set the tag, then run again; if not, choose another stack name",
        );
    }
}

/// The stack that made a role, as its path says: `arn:aws:iam::111122223333:role/auroraml/shop/us-east-1/…`.
fn stack_of(role: &str) -> Option<&str> {
    let (_, path) = role.split_once(":role/auroraml/")?;
    path.split('/').next()
}
