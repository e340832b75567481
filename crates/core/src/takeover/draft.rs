//! From what was seen of a CloudFormation stack's objects to what a spec says of them.

mod network;

use super::findings::{Cluster, Findings};
use super::origin::{Part, is_part, kind_of};
use super::text::{Lines, quoted};
use crate::engine::{AURORA_MYSQL, Engine};
use crate::spec;
use std::collections::{BTreeMap, BTreeSet};

/// A spec of what there is.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The lines of each part, comments included, but for `taken_over`.
    pub(super) parts: Vec<Lines>,
    pub from_stack: String,
    /// What is taken over: AWS's name, by the name within the stack.
    pub objects: BTreeMap<String, String>,
    /// What a reader should know, which no line of the spec says.
    pub notes: Vec<String>,
}

/// The spec of what was seen, under this stack's name.
///
/// # Errors
/// Why there can be none: each with what to do.
pub fn draft(found: &Findings, stack: &str) -> Result<Draft, Vec<String>> {
    let mut drafting = Drafting { found, draft: Draft::default(), problems: Vec::new() };
    drafting.draft.from_stack.clone_from(&found.origin.arn);
    drafting.all(stack);
    match drafting.problems.is_empty() {
        true => Ok(drafting.draft),
        false => Err(drafting.problems),
    }
}

struct Drafting<'f> {
    found: &'f Findings,
    draft: Draft,
    problems: Vec<String>,
}

const ENGINE: &Engine = &AURORA_MYSQL;

impl<'f> Drafting<'f> {
    fn all(&mut self, stack: &str) {
        let found = self.found;
        let mut head = Lines::default();
        head.comment(&format!(
            "Written by `auroraml adopt --from-stack {}`: what that CloudFormation stack created, as it is now.",
            found.origin.name
        ));
        head.comment("Change the stack's name before the first apply, or never. All fields: docs/spec.md");
        head.add(0, &format!("stack: {}", quoted(stack)));
        head.add(0, &format!("region: {}", quoted(&found.region)));
        let tags: Vec<String> =
            found.tags.iter().map(|(key, value)| format!("{}: {}", quoted(key), quoted(value))).collect();
        if !tags.is_empty() {
            head.add(0, &format!("tags: {{ {} }}", tags.join(", ")));
        }
        self.draft.parts.push(head);
        self.one_of("VPCs", found.vpcs.len());
        self.one_of("DB clusters", found.clusters.len());
        self.one_of("buckets", found.buckets.len());
        self.one_of("notebook instances", found.notebooks.len());
        if !self.problems.is_empty() {
            return;
        }
        self.network();
        self.bucket();
        self.cluster();
        self.roles();
        self.notebook();
        self.endpoints();
        self.left();
    }

    fn one_of(&mut self, what: &str, count: usize) {
        if count > 1 {
            self.problems.push(format!(
                "the stack has {count} {what}, but a spec describes only one: split the stack first"
            ));
        }
    }

    fn take(&mut self, resource: impl Into<String>, object: &str) {
        self.draft.objects.insert(resource.into(), object.to_string());
    }

    fn bucket(&mut self) {
        let Some(bucket) = self.found.buckets.first() else { return };
        let mut lines = Lines::default();
        lines.add(0, "bucket:");
        lines.add(1, &format!("name: {}", quoted(&bucket.name)));
        if bucket.versioning {
            lines.add(1, "versioning: true");
        }
        lines.add(1, "on_destroy: keep   # keep | empty");
        lines.comment_in(1, "its ACL and encryption are kept: a spec does not describe them");
        let mut after = Lines::default();
        if let Some(key) = bucket.key.as_deref().filter(|key| key.starts_with("arn:")) {
            after.comment("the key of the bucket, needed to read its objects");
            after.add(0, &format!("kms_key: {}", quoted(key)));
            let dies = self.found.origin.resources.iter().find(|part| part.kind == "AWS::KMS::Key");
            if let Some(part) = dies {
                self.draft.notes.push(format!(
                    "{} encrypts the bucket {}: without it the bucket would be unreadable, so a release keeps it",
                    part.logical, bucket.name
                ));
            }
        }
        self.draft.parts.push(lines);
        if !after.is_empty() {
            self.draft.parts.push(after);
        }
        self.take("bucket.main", &bucket.name);
    }

    fn cluster(&mut self) {
        let found = self.found;
        let Some(cluster) = found.clusters.first() else { return };
        if cluster.engine != ENGINE.name || spec::family(&cluster.version).is_none() {
            self.problems.push(format!(
                "the cluster {} runs {} {}, which auroraml does not manage: upgrade it first, or remove it from the stack",
                cluster.id, cluster.engine, cluster.version
            ));
            return;
        }
        let secret = self.part("AWS::SecretsManager::Secret");
        if secret.is_none() && !cluster.managed_secret {
            self.problems.push(format!(
                "the secret with the password of {} is unknown: it is neither in the stack nor managed by RDS; let RDS manage it (aws rds modify-db-cluster --manage-master-user-password)",
                cluster.id
            ));
            return;
        }
        let mut lines = Lines::default();
        lines.add(0, "aurora:");
        lines.add(1, &format!("identifier: {}", quoted(&cluster.id)));
        lines.add(1, &format!("engine_version: {}", quoted(&cluster.version)));
        lines.add(1, "instances:");
        let mut members = cluster.members.clone();
        members.sort_by_key(|(id, _, _, writes)| (!*writes, id.clone()));
        for (id, class, tier, _) in &members {
            lines.add(
                2,
                &format!(
                    "- {{ identifier: {}, class: {}, promotion_tier: {tier} }}",
                    quoted(id),
                    quoted(class)
                ),
            );
        }
        if let Some((min, max)) = cluster.serverless {
            lines.add(1, &format!("serverless: {{ min: {min}, max: {max} }}"));
        }
        let database = cluster.database.iter().map(|name| ("database", quoted(name)));
        let port = (cluster.port != 3306).then(|| ("port", cluster.port.to_string()));
        let fields = [
            ("username", quoted(&cluster.username)),
            ("subnet_group", quoted(&cluster.subnet_group)),
            ("parameter_group", quoted(&cluster.parameter_group)),
        ];
        for (key, value) in fields.into_iter().chain(database).chain(port) {
            lines.add(1, &format!("{key}: {value}"));
        }
        if let (Some(secret), false) = (secret, cluster.managed_secret) {
            lines.add(1, &format!("secret: {{ managed_by: stack, name: {} }}", quoted(&secret.object)));
            self.draft.objects.insert("secret.master".into(), secret.object.clone());
        }
        let group = found.parameter_groups.iter().find(|(name, _)| *name == cluster.parameter_group);
        let roles: BTreeSet<&str> =
            ENGINE.abilities.iter().filter_map(|ability| ability.wiring.parameter()).collect();
        let set: Vec<String> = group
            .into_iter()
            .flat_map(|(_, set)| set)
            .filter(|(name, _)| !roles.contains(name.as_str()))
            .map(|(name, value)| format!("{name}: {}", quoted(value)))
            .collect();
        if !set.is_empty() {
            lines.add(1, &format!("parameters: {{ {} }}", set.join(", ")));
        }
        let allow = self.allow_from(cluster);
        if !allow.is_empty() {
            lines.add(1, &format!("allow_from: [{}]", allow.join(", ")));
        }
        lines.add(1, &format!("backup_retention_days: {}", cluster.backup_days));
        if cluster.protected {
            lines.add(1, "deletion_protection: true");
        }
        if cluster.data_api {
            lines.add(1, "data_api: true");
        }
        if cluster.io_optimized {
            lines.add(1, "storage: io_optimized");
        }
        if !cluster.encrypted {
            lines.comment_in(
                1,
                "its storage is not encrypted: AWS can encrypt a cluster only when it is created",
            );
        }
        lines.add(1, "on_destroy: snapshot   # delete | snapshot | protect");
        self.draft.parts.push(lines);
        self.take("cluster.main", &cluster.id);
        for (n, (id, ..)) in members.iter().enumerate() {
            self.take(format!("instance.{}", n + 1), id);
        }
        for (resource, kind, name) in [
            ("subnet_group.main", "AWS::RDS::DBSubnetGroup", &cluster.subnet_group),
            ("parameter_group.main", "AWS::RDS::DBClusterParameterGroup", &cluster.parameter_group),
        ] {
            match found
                .origin
                .resources
                .iter()
                .any(|part| part.kind == kind && part.object.eq_ignore_ascii_case(name))
            {
                true => self.take(resource, name),
                false => self.problems.push(format!(
                    "{name} ({kind}) of the cluster {} is not in the stack: others own it",
                    cluster.id
                )),
            }
        }
        if let [group] = cluster.security_groups.as_slice()
            && found.groups.iter().any(|one| one.id == *group)
        {
            self.take("security_group.aurora", group);
        }
        if found
            .origin
            .resources
            .iter()
            .any(|part| part.kind == "AWS::SecretsManager::SecretTargetAttachment")
        {
            self.draft.notes.push(
                "the secret's host, port and engine are what CloudFormation wrote when it attached it, perhaps those of one instance: `taken_over` leaves them; take `secret_attachment.master` out there, and apply writes those of the cluster"
                    .into(),
            );
        }
    }

    /// Who may connect to the cluster, beside the notebook.
    fn allow_from(&self, cluster: &Cluster) -> Vec<String> {
        let own: Vec<&String> =
            self.found.notebooks.iter().flat_map(|notebook| &notebook.security_groups).collect();
        let groups = self.found.groups.iter().filter(|group| cluster.security_groups.contains(&group.id));
        let peers = groups.flat_map(|group| &group.ingress);
        let peers = peers.filter(|(peer, port)| *port == Some(cluster.port) && !own.contains(&peer));
        let peers: BTreeSet<String> = peers.map(|(peer, _)| quoted(peer)).collect();
        peers.into_iter().collect()
    }

    fn part(&self, kind: &str) -> Option<&'f Part> {
        self.found.origin.resources.iter().find(|part| part.kind == kind)
    }

    /// What SQL may call, and with whose permissions.
    fn roles(&mut self) {
        let found = self.found;
        let (mut wiring, mut roles) = (Lines::default(), Lines::default());
        let group = found.clusters.first().and_then(|cluster| {
            found.parameter_groups.iter().find(|(name, _)| *name == cluster.parameter_group)
        });
        for ability in ENGINE.abilities {
            let parameter = ability.wiring.parameter().unwrap_or_default();
            let Some(arn) =
                group.and_then(|(_, set)| set.get(parameter)).filter(|arn| arn.starts_with("arn:"))
            else {
                continue;
            };
            let value = match ability.name {
                "sagemaker" if !found.endpoints.is_empty() => {
                    let names: Vec<String> = found.endpoints.iter().map(|(name, _)| quoted(name)).collect();
                    format!("{{ endpoints: [{}] }}", names.join(", "))
                }
                "comprehend" => "true".into(),
                "s3" if !found.buckets.is_empty() => "true".into(),
                name => {
                    self.draft.notes.push(format!(
                        "the cluster uses {arn} for {name}, but the stack does not say what for: add it to `machine_learning` and `roles`"
                    ));
                    continue;
                }
            };
            wiring.add(1, &format!("{}: {value}", ability.name));
            roles.add(1, &format!("{}: {}", ability.name, quoted(arn)));
        }
        if let Some(notebook) = found.notebooks.first() {
            roles.add(1, &format!("notebook: {}", quoted(&notebook.role)));
        }
        if !wiring.is_empty() {
            self.draft.parts.push(wiring.under("machine_learning:"));
        }
        if !roles.is_empty() {
            let mut all = Lines::default();
            all.comment("used but never changed: a role's name and path are fixed, so the stack cannot take these over");
            all.append(roles.under("roles:"));
            self.draft.parts.push(all);
        }
    }

    fn notebook(&mut self) {
        let found = self.found;
        let Some(notebook) = found.notebooks.first() else { return };
        let public =
            self.draft.objects.iter().find(|(_, id)| **id == notebook.subnet).map(|(name, _)| name.clone());
        let side = match public.as_deref() {
            Some("subnet.public-1") => "public",
            Some("subnet.private-1") | None => "private",
            Some(other) => {
                self.draft.notes.push(format!("the notebook is in {other}: `taken_over` keeps it there"));
                if other.starts_with("subnet.public") { "public" } else { "private" }
            }
        };
        let mut lines = Lines::default();
        lines.add(0, "notebook:");
        lines.add(1, &format!("name: {}", quoted(&notebook.name)));
        if let Some(config) = &notebook.config {
            lines.add(1, &format!("lifecycle_configuration: {}", quoted(config)));
        }
        lines.add(1, &format!("instance: {}", quoted(&notebook.instance)));
        lines.add(1, &format!("volume: {}", notebook.volume));
        lines.add(1, &format!("subnet: {side}"));
        if !notebook.platform.is_empty() {
            lines.comment_in(
                1,
                &format!("its platform is {}; AWS stops starting old ones at some point", notebook.platform),
            );
        }
        self.draft.parts.push(lines);
        self.take("notebook.main", &notebook.name);
        if let Some(config) = &notebook.config {
            self.take("notebook_config.main", config);
        }
        if let [group] = notebook.security_groups.as_slice()
            && found.groups.iter().any(|one| one.id == *group)
        {
            self.take("security_group.notebook", group);
        }
    }

    fn endpoints(&mut self) {
        if self.found.endpoints.is_empty() {
            return;
        }
        let mut lines = Lines::default();
        lines.comment("notebooks change what they serve: the stack only lets the cluster call them.");
        lines.comment(
            "To let the stack manage one, use `model:` and `instance:` instead, under another name.",
        );
        lines.add(0, "endpoints:");
        for (name, config) in &self.found.endpoints {
            lines.add(
                1,
                &format!("{}: {{ managed_by: notebook }}   # serves {}", quoted(name), plain(config)),
            );
        }
        self.draft.parts.push(lines);
    }

    /// What is not taken over, by name: one note for each reason.
    fn left(&mut self) {
        let taken: BTreeSet<&str> = self.draft.objects.values().map(String::as_str).collect();
        let mut left: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for part in &self.found.origin.resources {
            let is_taken = taken.iter().any(|object| object.eq_ignore_ascii_case(&part.object));
            if is_taken || is_part(part) {
                continue;
            }
            let why = match part.kind.as_str() {
                "AWS::IAM::Role" => {
                    "a role keeps its name and path; it is listed in `roles` where it is used"
                }
                "AWS::SageMaker::Endpoint" => "a notebook changes it; it is listed in `endpoints`",
                "AWS::SageMaker::Model" | "AWS::SageMaker::EndpointConfig" => {
                    "SageMaker cannot rename them; they stay with the endpoint"
                }
                "AWS::KMS::Key" => {
                    "auroraml does not manage keys; it is in `kms_key` if it encrypts the bucket"
                }
                kind if kind_of(kind).is_some() => "the spec has nothing for it",
                _ => "auroraml does not support it: `adopt --release` asks what to do with it",
            };
            left.entry(why).or_default().push(format!("{} ({})", part.logical, part.kind));
        }
        for (why, parts) in left {
            self.draft.notes.push(format!("not taken over: {}: {why}", parts.join(", ")));
        }
    }
}

/// One line of a comment, whatever AWS says.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
