//! The names that stand in braces in patterns of resources.

use crate::base::names::Place;
use crate::lease;
use crate::model::{has_jobs, loads, scope, stack_names, unloads};
use crate::resource::permission::When;
use crate::spec::{
    Address, Aurora, BucketOnDestroy, ClusterOnDestroy, EndpointManager, Model, Network, S3Access,
    SecretManager, ServiceEndpoint, Spec, is_reference,
};
use std::collections::{BTreeMap, BTreeSet};

/// A name, or a part of an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub text: String,
    /// The condition of a CloudFormation template under which it is there at all.
    pub given: Option<&'static str>,
}

/// What begins the text of a name that a template's parameter or resource gives.
const REFERENCE: &str = "!Ref ";

impl Name {
    /// Whether it is what a template's parameter or resource gives: whole ARNs.
    pub fn is_reference(&self) -> bool {
        self.text.starts_with(REFERENCE)
    }
    pub fn new(text: impl Into<String>) -> Name {
        Name { text: text.into(), given: None }
    }
    pub fn given(text: impl Into<String>, condition: &'static str) -> Name {
        Name { text: text.into(), given: Some(condition) }
    }
}

/// What no spec says, and AWS or a person may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Id of the stack's VPC: with it, network interfaces that others left in it may be deleted.
    pub vpc: Option<String>,
    /// Identifiers of the members of an existing cluster, with `*` where they differ; without one those that begin with the
    /// cluster's. Of the stack's own cluster those that are not named after the stack.
    pub members: Vec<String>,
    /// The existing cluster's parameter group, and that which it had before.
    pub groups: Vec<String>,
    /// ARNs of roles of others that the stack's cluster uses, of which an earlier spec may have named some; an empty one
    /// where nothing but the mark on the cluster is left.
    pub roles: Vec<String>,
}

/// Every name that a pattern may have in braces.
#[derive(Clone, Debug)]
pub struct Names {
    pub partition: Name,
    pub region: Name,
    pub account: Name,
    pub stack: Name,
    /// ARNs of the permissions boundary; none where the spec names none.
    pub boundary: Vec<Name>,
    /// ARNs of the cluster, for the tag on the secret that RDS manages for it.
    pub cluster_arns: Vec<Name>,
    /// ARN of the VPC, if it is known.
    pub vpc_arns: Vec<Name>,
    pub values: BTreeMap<&'static str, Vec<Name>>,
}

impl Names {
    /// The names of a spec in its place.
    pub fn of(spec: &Spec, place: &Place, known: &Known) -> Names {
        let stack = &place.stack;
        let mut values: BTreeMap<&'static str, Vec<Name>> = BTreeMap::new();
        let mut say = |name: &'static str, texts: Vec<String>| {
            values.insert(name, texts.into_iter().map(Name::new).collect());
        };
        let some = |is: bool, text: &str| if is { vec![text.to_string()] } else { Vec::new() };
        let bucket = spec.bucket.as_ref().and_then(|bucket| bucket.name.clone());
        let bucket = bucket.unwrap_or_else(|| place.bucket());
        let goes = spec.bucket.as_ref().is_some_and(|own| own.on_destroy == BucketOnDestroy::Empty);
        say("bucket", vec![bucket.clone()]);
        say("bucket_that_goes", some(goes, &bucket));
        say("interface", some(known.vpc.is_some(), "*"));
        let is_interface = |service: &ServiceEndpoint| *service != ServiceEndpoint::S3;
        let network = spec.network.as_ref().and_then(Network::owned);
        let interfaces = network.iter().flat_map(|network| &network.endpoints).any(is_interface);
        let of_others = spec.network.iter().filter_map(|network| match network {
            // What a template makes has its id when it is there.
            Network::Existing(of) if is_reference(&of.existing) => Some("*".into()),
            Network::Existing(of) => Some(of.existing.clone()),
            Network::Owned(_) => None,
        });
        say("vpc_of_others", of_others.collect());
        say("hosted_zone", some(interfaces, "*"));

        let (owned, existing) = match &spec.aurora {
            Some(Aurora::Owned(cluster)) => (Some(cluster.as_ref()), None),
            Some(Aurora::Existing(cluster)) => (None, Some(cluster)),
            None => (None, None),
        };
        let manager = owned.map(|cluster| cluster.secret.managed_by);
        let managed = manager == Some(SecretManager::Rds);
        let snapshot = owned.is_some_and(|cluster| cluster.on_destroy != ClusterOnDestroy::Delete);
        let secret = match &place.names.secret {
            // One that is not there yet has no suffix.
            Some(name) => vec![name.clone(), format!("{name}-??????")],
            None => vec![format!("auroraml/{stack}/*")],
        };
        let is_own = manager == Some(SecretManager::Stack);
        say("own_secret", if is_own { secret.clone() } else { Vec::new() });
        say("secret", secret.clone());
        let (account, key) = match spec.kms_key.as_deref().map(|arn| arn.splitn(6, ':').collect::<Vec<_>>()) {
            Some(_) if spec.kms_key.as_deref().is_some_and(is_reference) => {
                (vec!["*".to_string()], vec!["key/*".to_string()])
            }
            Some(parts) if parts.len() == 6 => (vec![parts[4].to_string()], vec![parts[5].to_string()]),
            _ => (Vec::new(), Vec::new()),
        };
        say("encrypted_bucket", some(!key.is_empty(), &bucket));
        say("encrypted_secret", if key.is_empty() { Vec::new() } else { secret.clone() });
        say("key_account", account);
        say("key", key);
        say("own_cluster", vec![place.cluster()]);
        say("own_group", vec![place.parameter_group()]);
        say("subnet_group", vec![place.subnet_group()]);
        let by_stack = format!("{stack}-*");
        let before = known.members.iter().filter(|_| owned.is_some());
        let chosen: BTreeSet<&String> = place.names.instances.values().chain(before).collect();
        let chosen = chosen.into_iter().filter(|name| !name.starts_with(&format!("{stack}-")));
        say("own_member", chosen.cloned().chain([by_stack]).collect());
        // SageMaker's ARNs are in lower case (fact book, section 2.5).
        say("notebook", vec![place.notebook().to_ascii_lowercase()]);
        say("notebook_config", vec![place.notebook_config().to_ascii_lowercase()]);
        say("managed_secret", some(managed, "rds!cluster-*"));
        say("managed_secret_key", some(managed, "*"));
        say("snapshot", some(snapshot, &format!("{stack}-final-*")));
        say("snapshot_of", some(snapshot, &place.cluster()));

        let identifier = existing.map(|cluster| cluster.existing.to_ascii_lowercase());
        let is_custom = |group: &&String| existing.is_some() && !group.starts_with("default.");
        let custom: Vec<String> = known.groups.iter().filter(is_custom).cloned().collect();
        // A copy only reads the group that is copied.
        let sources = if known.groups.is_empty() { some(existing.is_some(), "*") } else { custom.clone() };
        let members = match (&identifier, known.members.is_empty()) {
            (Some(identifier), true) => vec![format!("{identifier}*")],
            (Some(_), false) => known.members.clone(),
            (None, _) => Vec::new(),
        };
        say("existing", identifier.iter().cloned().collect());
        say("any_of_existing", some(existing.is_some(), "*"));
        // Path and name of a role of others.
        let used = |names: &[&str]| -> Vec<String> {
            let given = spec.roles.given().filter(|(name, _)| names.contains(name));
            // What a template makes has its name when it is there.
            let name = |arn: &str| match is_reference(arn) {
                true => Some("*".to_string()),
                false => Some(arn.split_once(":role/")?.1.to_string()),
            };
            given.filter_map(|(_, arn)| name(arn)).collect()
        };
        let before = known.roles.iter().filter_map(|arn| Some(arn.split_once(":role/")?.1.to_string()));
        let mut by_aurora = used(&["sagemaker", "comprehend", "s3", "bedrock"]);
        by_aurora.extend(before);
        say("other_role", if existing.is_some() { vec!["*".into()] } else { by_aurora.clone() });
        let is_marked = !by_aurora.is_empty() || !known.roles.is_empty();
        say("marked_cluster", some(is_marked, &place.cluster()));
        say("used_by_aurora", by_aurora);
        say(
            "used_role",
            used(&["sagemaker", "comprehend", "s3", "bedrock", "notebook", "model", "training"]),
        );
        say("used_by_notebook", used(&["notebook"]));
        say("used_by_models", used(&["model"]));
        say("used_by_jobs", used(&["training"]));
        say("member", members);
        say("group", custom);
        say("default_group", some(existing.is_some(), "default.*"));
        say("copy", some(existing.is_some(), &place.parameter_group()));
        say("source_group", sources);
        let secret = existing.and_then(|cluster| cluster.secret.as_deref());
        say("given_secret", secret.map(secret_pattern).into_iter().collect());
        let by_rds = managed || existing.is_some_and(|cluster| cluster.secret.is_none());
        say("cluster_secret", some(by_rds, "rds!cluster-*"));
        let cluster = identifier.clone().or_else(|| owned.map(|_| place.cluster()));
        say("cluster", cluster.iter().cloned().collect());

        let scope = scope(spec);
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        say("endpoint", lower(&scope.endpoints));
        say("notebook_endpoint", lower(&scope.notebook_endpoints));
        let notebook_model = format!("{stack}-notebook-*");
        say("notebook_model", some(!scope.notebook_endpoints.is_empty(), &notebook_model));
        let mut templates = stack_names(spec).unwrap_or_default();
        // An earlier spec may have named others.
        let own = spec.stacks.iter().map(|_| format!("{stack}-*"));
        templates.retain(|_, name| !name.starts_with(&format!("{stack}-")));
        say("template_stack", own.chain(templates.into_values()).collect());
        let large = spec.bucket.is_some() && !spec.templates().is_empty();
        say("template_bucket", some(large, &bucket));
        let named = match &spec.machine_learning.s3 {
            S3Access::Own(_) => Vec::new(),
            // Data is loaded from what is written out alone.
            S3Access::Buckets(named) => {
                named.buckets.iter().filter(|name| !is_reference(name)).cloned().collect()
            }
        };
        let own = spec.bucket.iter().map(|_| bucket.clone());
        say("data_bucket", own.chain(named).collect());
        let moved = Moved::of(spec, &bucket);
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        say("artifact", list(moved.artifacts));
        say("read_bucket", list(moved.read_buckets));
        say("output_bucket", list(moved.output_buckets));
        say("loaded", list(moved.loaded));
        say("unloaded", list(moved.unloaded));
        say("unloaded_bucket", list(moved.unloaded_buckets));
        let outside = |text: &Option<String>, name: String| {
            let address = text.as_deref().and_then(|text| Address::parse(text).ok());
            address.map(|address| format!("{}/{}", address.bucket, address.key(&name))).into_iter().collect()
        };
        say("lease", outside(&spec.lease, lease::name(place)));
        let audits = format!("{}/{}/{stack}/*", place.account, place.region);
        say("audit", outside(&spec.audit, audits));

        for (name, objects) in taken_over(spec) {
            say(name, objects);
        }
        let arn = |resource: String| {
            let (partition, region, account) = (place.partition(), &place.region, &place.account);
            Name::new(format!("arn:{partition}:ec2:{region}:{account}:{resource}"))
        };
        Names {
            partition: Name::new(place.partition()),
            region: Name::new(&place.region),
            account: Name::new(&place.account),
            stack: Name::new(stack),
            boundary: spec.permissions_boundary.iter().map(Name::new).collect(),
            cluster_arns: cluster.iter().map(|cluster| Name::new(place.cluster_arn(cluster))).collect(),
            vpc_arns: known.vpc.iter().map(|vpc| arn(format!("vpc/{vpc}"))).collect(),
            values,
        }
    }

    /// The ARNs that a pattern stands for: one for each combination of the names in its braces.
    ///
    /// # Panics
    /// When there is no such name: a bug of the table.
    pub fn arns(&self, pattern: &str) -> Vec<Name> {
        if pattern == "*" {
            return vec![Name::new("*")];
        }
        // A template's parameter that is an ARN, or several, stands for itself.
        let inside = pattern.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let own = inside.filter(|(name, _)| self.values.contains_key(*name));
        let own = own.map(|(name, _)| self.values_of(name)).unwrap_or_default();
        let (own, names): (Vec<Name>, Vec<Name>) = own.into_iter().partition(|name| name.is_reference());
        if !own.is_empty() && names.is_empty() {
            return own;
        }
        let whole = match pattern.split_once(':') {
            Some(("arn", _)) => pattern.to_string(),
            Some(("s3", rest)) => format!("arn:{{partition}}:s3:::{rest}"),
            Some(("iam", rest)) => format!("arn:{{partition}}:iam::{{account}}:{rest}"),
            Some((service, rest)) => format!("arn:{{partition}}:{service}:{{region}}:{{account}}:{rest}"),
            None => panic!("{pattern} has no service"),
        };
        let mut found = vec![Name::new("")];
        let mut rest = whole.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or_else(|| panic!("{pattern} is not closed"));
            let values = self.values_of(name);
            let join = |start: &Name, value: &Name| Name {
                text: format!("{}{before}{}", start.text, value.text),
                given: value.given.or(start.given),
            };
            found =
                found.iter().flat_map(|start| values.iter().map(move |value| join(start, value))).collect();
            rest = after;
        }
        found.iter_mut().for_each(|name| name.text.push_str(rest));
        found.retain(|name| !name.text.contains(REFERENCE));
        found.extend(own);
        found
    }

    fn values_of(&self, name: &str) -> Vec<Name> {
        match name {
            "partition" => vec![self.partition.clone()],
            "region" => vec![self.region.clone()],
            "account" => vec![self.account.clone()],
            "stack" => vec![self.stack.clone()],
            name => self.values.get(name).unwrap_or_else(|| panic!("there is no name {name}")).clone(),
        }
    }

    /// Whether a permission with this condition can be given at all.
    pub(super) fn can(&self, when: When) -> bool {
        match when {
            When::InVpc => !self.vpc_arns.is_empty(),
            When::SecretOfCluster => !self.cluster_arns.is_empty(),
            _ => true,
        }
    }
}

/// What the spec takes over, as it stands in ARNs, and the CloudFormation stack that made it.
fn taken_over(spec: &Spec) -> BTreeMap<&'static str, Vec<String>> {
    let names = ["origin", "taken_bucket", "taken_ec2", "taken_rds", "taken_sagemaker", "taken_secret"];
    let mut all: BTreeMap<&'static str, Vec<String>> = names.map(|name| (name, Vec::new())).into();
    let Some(taken) = &spec.taken_over else { return all };
    let mut add = |name, text: String| all.entry(name).or_default().push(text);
    if let Some((_, stack)) = taken.from_stack.split_once(":stack/") {
        add("origin", stack.to_string());
    }
    for (resource, object) in &taken.objects {
        let lower = object.to_ascii_lowercase();
        match resource.split('.').next().unwrap_or_default() {
            "vpc" => add("taken_ec2", format!("vpc/{object}")),
            "subnet" => add("taken_ec2", format!("subnet/{object}")),
            "internet_gateway" => add("taken_ec2", format!("internet-gateway/{object}")),
            "elastic_ip" => add("taken_ec2", format!("elastic-ip/{object}")),
            "nat_gateway" => add("taken_ec2", format!("natgateway/{object}")),
            "route_table" => add("taken_ec2", format!("route-table/{object}")),
            "vpc_endpoint" => add("taken_ec2", format!("vpc-endpoint/{object}")),
            "security_group" => add("taken_ec2", format!("security-group/{object}")),
            "cluster" => add("taken_rds", format!("cluster:{lower}")),
            "instance" => add("taken_rds", format!("db:{lower}")),
            "parameter_group" => add("taken_rds", format!("cluster-pg:{lower}")),
            "subnet_group" => add("taken_rds", format!("subgrp:{lower}")),
            "notebook" => add("taken_sagemaker", format!("notebook-instance/{lower}")),
            "secret" => add("taken_secret", secret_pattern(object)),
            "bucket" => add("taken_bucket", object.clone()),
            _ => {}
        }
    }
    all
}

/// What stands for a secret in a policy: Secrets Manager puts six random characters behind a name.
fn secret_pattern(secret: &str) -> String {
    match secret.split_once(":secret:") {
        Some((_, name)) => name.to_string(),
        None => format!("{secret}-??????"),
    }
}

/// What is read from S3, and written there. Patterns of objects, and names of buckets.
#[derive(Default)]
struct Moved {
    artifacts: BTreeSet<String>,
    read_buckets: BTreeSet<String>,
    output_buckets: BTreeSet<String>,
    loaded: BTreeSet<String>,
    unloaded: BTreeSet<String>,
    unloaded_buckets: BTreeSet<String>,
}

impl Moved {
    fn of(spec: &Spec, own: &str) -> Moved {
        let mut moved = Moved::default();
        let stack = spec.endpoints.values().filter(|endpoint| endpoint.managed_by == EndpointManager::Stack);
        for model in stack.filter_map(|endpoint| endpoint.model.as_ref()) {
            moved.model(model, own);
        }
        if has_jobs(spec) && moved.output_buckets.is_empty() {
            moved.output_buckets.insert(own.to_string());
        }
        for (_, load) in loads(spec) {
            moved.loaded.insert(match path(&load.from) {
                Some(object) => object.to_string(),
                // A local file goes through the stack's bucket.
                None => format!("{own}/auroraml/*"),
            });
        }
        for (_, unload) in unloads(spec) {
            let bucket = unload.bucket.as_deref().unwrap_or(own);
            // `FOLDER/NAME/data`: the name changes with the query, and the policy should not.
            let folder = unload.key.rsplitn(3, '/').nth(2).map(|folder| format!("{folder}/"));
            moved.unloaded.insert(format!("{bucket}/{}*", folder.unwrap_or_default()));
            moved.unloaded_buckets.insert(bucket.to_string());
        }
        moved
    }

    fn model(&mut self, model: &Model, own: &str) {
        let of_containers = model.containers.iter().filter_map(|container| container.artifact.as_deref());
        for object in model.artifact.as_deref().into_iter().chain(of_containers).filter_map(path) {
            self.artifacts.insert(object.to_string());
            self.read_buckets.insert(bucket_of(object));
        }
        let jobs = [
            model.training.as_ref().map(|job| (&job.data, &job.validation, &job.output)),
            model.autopilot.as_ref().map(|job| (&job.data, &job.validation, &job.output)),
        ];
        for (data, validation, output) in jobs.into_iter().flatten() {
            let rows = [Some(data), validation.as_ref()].into_iter().flatten();
            self.read_buckets.extend(rows.filter_map(|rows| path(rows)).map(bucket_of));
            let output = output.as_deref().and_then(path).map_or_else(|| own.to_string(), bucket_of);
            self.output_buckets.insert(output);
        }
    }
}

/// `bucket/key` of an address in S3.
fn path(address: &str) -> Option<&str> {
    address.split_once("://").filter(|(scheme, _)| scheme.starts_with("s3")).map(|(_, path)| path)
}

fn bucket_of(path: &str) -> String {
    path.split('/').next().unwrap_or(path).to_string()
}
