//! What a template does not have, what CloudFormation does otherwise, and what a person does instead.

use super::context::{Context, pascal};
use super::graph::{Selection, TRAINING, has_files};
use super::text::zone;
use super::version::Version;
use super::{FILES, Given, PASSWORD, VERSION, VPC_RANGE, model_data, secret_parameter, template_parameter};
use crate::base::{Id, counted};
use crate::resource::Graph;
use crate::spec::{Aurora, BucketOnDestroy, Cluster, ClusterOnDestroy, EndpointManager, SecretManager, Spec};
use crate::template::Capability;
use std::fmt;

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// In a few words, for the template's description.
    pub what: &'static str,
    /// What that means, and what to do.
    pub why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Kinds that have a sentence of their own below.
const TOLD: &[&str] = &[
    "parameter_sync",
    "bucket_object",
    "sql_database",
    "sql_table",
    "sql_function",
    "sql_grant",
    "data_load",
    "data_unload",
    "training_job",
    "tuning_job",
    "autopilot_job",
];

/// Everything that is lost, in the order of its weight.
pub fn lost(spec: &Spec, graph: &Graph, selection: &Selection) -> Vec<Lost> {
    let mut lost = Vec::new();
    let mut add = |what, why: String| lost.push(Lost { what, why });
    let of = |kinds: &[&str]| -> Vec<String> {
        let ids = graph.resources.keys().filter(|id| kinds.contains(&id.kind));
        ids.map(|id| id.name.clone()).collect()
    };
    let cluster = match &spec.aurora {
        Some(Aurora::Owned(cluster)) => Some(&**cluster),
        _ => None,
    };
    if cluster.is_some() {
        add(
            "restarts",
            "after a change of parameters CloudFormation restarts all waiting members at once, or none, and says nothing of members that are not in-sync. Restart the readers first, then fail over, then restart the former writer. The spec's restart policy is lost.".into(),
        );
    }
    let files = of(&["bucket_object"]);
    if !files.is_empty() {
        add(
            "file uploads",
            format!("CloudFormation does not upload files. Upload them yourself: {}.", files.join(", ")),
        );
    }
    let jobs = of(&TRAINING);
    if !jobs.is_empty() {
        add(
            "training",
            format!(
                "CloudFormation does not run training or tuning jobs ({}). Train the model elsewhere and pass its address; the endpoint is created then.",
                jobs.join(", ")
            ),
        );
    }
    let autopilot = of(&["autopilot_job"]);
    if !autopilot.is_empty() {
        add(
            "Autopilot",
            format!(
                "CloudFormation does not run Autopilot jobs ({}), which choose the containers of a model.",
                autopilot.join(", ")
            ),
        );
    }
    // Model and configuration are of use to their endpoint only.
    let others = selection.without.iter().filter(|(id, _)| !["model", "endpoint_config"].contains(&id.kind));
    for (id, other) in others {
        let what = other.kind.replace('_', " ");
        add(
            "left out",
            format!("{id} is not in the template: it needs the {what}, which CloudFormation cannot create."),
        );
    }
    let sql = [("database", "sql_database"), ("table", "sql_table"), ("function", "sql_function")];
    let sql =
        sql.iter().flat_map(|(word, kind)| of(&[kind]).into_iter().map(move |name| format!("{word} {name}")));
    let moves = [("load", "data_load"), ("unload", "data_unload")];
    let moves = moves.iter().flat_map(|(word, kind)| {
        let names = graph.resources.keys().filter(|id| id.kind == *kind);
        // Behind the name stands a hash.
        names.map(move |id| {
            format!("{word} {}", id.name.rsplit_once('-').map_or(id.name.as_str(), |(name, _)| name))
        })
    });
    let sql: Vec<String> = sql.chain(moves).collect();
    if !sql.is_empty() {
        add(
            "SQL",
            format!(
                "CloudFormation does not run SQL. Create these yourself, with the grants that SQL needs to call AWS: {}.",
                sql.join(", ")
            ),
        );
    }
    let others = graph.resources.keys().filter(|id| super::write::writer(id.kind).is_none());
    for id in others.filter(|id| !TOLD.contains(&id.kind)) {
        add("left out", format!("{id} is not in the template, because CloudFormation cannot describe it."));
    }
    notebooks_and_endings(spec, cluster, &mut lost);
    if selection.ids.contains(&Id::new("security_group", "endpoints")) {
        lost.push(Lost {
            what: "outbound rules",
            why: "CloudFormation adds a rule that allows everything to a security group without outbound rules. That of the interface endpoints has one that leads nowhere instead.".into(),
        });
    }
    lost
}

/// AWS offers interface endpoints in some zones only, and a template cannot ask in which.
pub fn zones(context: &Context<'_>, given: &Given) -> Option<Lost> {
    let count = context.chosen_zones();
    if count == 0 || !given.zones.is_empty() {
        return None;
    }
    Some(Lost {
        what: "the choice of zones",
        why: format!(
            "AWS does not offer interface endpoints in every availability zone, and CloudFormation takes the first ones. `auroraml export --resolve` asks which will do; or set the parameters {} to {}.",
            zone(1),
            zone(count)
        ),
    })
}

fn notebooks_and_endings(spec: &Spec, cluster: Option<&Cluster>, lost: &mut Vec<Lost>) {
    let mut add = |what, why: String| lost.push(Lost { what, why });
    let theirs =
        spec.endpoints.iter().filter(|(_, endpoint)| endpoint.managed_by == EndpointManager::Notebook);
    let theirs: Vec<&str> = theirs.map(|(name, _)| name.as_str()).collect();
    if !theirs.is_empty() {
        add(
            "endpoints of others",
            format!("{} is created elsewhere and kept when the stack is deleted.", theirs.join(", ")),
        );
    }
    if let Some(cluster) = cluster {
        match cluster.on_destroy {
            ClusterOnDestroy::Delete => {}
            ClusterOnDestroy::Snapshot => add(
                "the snapshot's name",
                "CloudFormation takes a final snapshot of the cluster and chooses its name.".into(),
            ),
            ClusterOnDestroy::Protect => add(
                "protection",
                "the stack cannot be deleted until deletion protection is turned off. CloudFormation then takes a final snapshot and chooses its name.".into(),
            ),
        }
        if cluster.secret.managed_by == SecretManager::Stack {
            add(
                "the secret's recovery window",
                format!(
                    "CloudFormation has no property for the spec's {}.",
                    counted(cluster.secret.recovery_window_days, "day")
                ),
            );
        }
    }
    if spec.bucket.as_ref().is_some_and(|bucket| bucket.on_destroy == BucketOnDestroy::Empty) {
        add(
            "emptying the bucket",
            "CloudFormation does not delete a bucket that has objects. Empty it before you delete the stack."
                .into(),
        );
    }
    let stacks: Vec<&str> = spec.stacks.iter().flatten().map(|(name, _)| name.as_str()).collect();
    if !stacks.is_empty() {
        add(
            "stacks of your templates",
            match stacks.as_slice() {
                [one] => format!(
                    "{one} becomes a nested stack. CloudFormation chooses its name, and the stack around it protects it. The one that runs now is auroraml's until `destroy`."
                ),
                many => format!(
                    "{} become nested stacks. CloudFormation chooses their names, and the stack around them protects them. Those that run now are auroraml's until `destroy`.",
                    many.join(", ")
                ),
            },
        );
    }
    if spec.taken_over.is_some() {
        add(
            "what was taken over",
            "the template creates new objects. Those that the spec took over stay with auroraml, and equal names clash.".into(),
        );
    }
    if let Some(age) = &spec.expires_after {
        add("the expiry", format!("nothing deletes the stack after {age}."));
    }
}

/// What a person does, in this order.
pub fn steps(spec: &Spec, context: &Context<'_>, version: Option<&Version>) -> Vec<String> {
    let mut steps = Vec::new();
    let mut overrides = Vec::new();
    if version.is_some_and(|version| version.is_open) {
        overrides.push(format!("{VERSION}=VERSION"));
    }
    if context
        .graph
        .resources
        .values()
        .any(|resource| resource.id.kind == "secret" && !resource.props["password_variable"].is_null())
    {
        overrides.push(format!("{PASSWORD}=PASSWORD"));
    }
    if context.needs_range() {
        overrides.push(format!("{VPC_RANGE}=RANGE"));
    }
    for (logical, path, secrets) in context.stacks() {
        let name = path.rsplit('/').next().unwrap_or(&path);
        steps.push(format!(
            "upload a template: aws s3 cp {path} s3://TEMPLATES/{logical}-{name}, into a bucket that is there already"
        ));
        let address = format!("https://TEMPLATES.s3.{}.amazonaws.com/{logical}-{name}", spec.region);
        overrides.push(format!("{}={address}", template_parameter(&logical)));
        overrides.extend(secrets.iter().map(|name| format!("{}=VALUE", secret_parameter(&logical, name))));
    }
    let deploy = |overrides: &[String]| {
        let more = match overrides.is_empty() {
            true => String::new(),
            false => format!(" --parameter-overrides {}", overrides.join(" ")),
        };
        let capabilities = match context.capabilities() {
            none if none.is_empty() => String::new(),
            some => {
                let names: Vec<&str> = some.into_iter().map(Capability::name).collect();
                format!(" --capabilities {}", names.join(" "))
            }
        };
        format!(
            "aws cloudformation deploy --template-file FILE --stack-name {} --region {}{capabilities}{more}",
            spec.stack, spec.region
        )
    };
    steps.push(format!("create the stack: {}", deploy(&overrides)));
    let mut later = Vec::new();
    let bucket = match spec.bucket.as_ref().and_then(|bucket| bucket.name.as_deref()) {
        Some(name) => name.to_owned(),
        None => "BUCKET".to_owned(),
    };
    let files: Vec<&Id> = context.graph.resources.keys().filter(|id| id.kind == "bucket_object").collect();
    for id in files {
        let props = &context.graph.resources[id].props;
        let (path, key) =
            (props["path"].as_str().unwrap_or_default(), props["key"].as_str().unwrap_or_default());
        steps.push(format!("upload: aws s3 cp {path} s3://{bucket}/{key}"));
    }
    if has_files(spec) {
        later.push(format!("{FILES}=uploaded"));
    }
    for (id, condition) in &context.conditions {
        if id.kind == "endpoint" {
            steps.push(format!(
                "train the model of {} into the stack's bucket under auroraml/jobs/, unless the spec says another place",
                id.name
            ));
            debug_assert_eq!(*condition, format!("Has{}Model", pascal(&id.name)));
            later.push(format!("{}=s3://{bucket}/KEY", model_data(&id.name)));
        }
    }
    if !later.is_empty() {
        steps.push(format!("update the stack: {}", deploy(&[overrides, later].concat())));
    }
    steps
}
