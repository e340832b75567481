//! Stacks that CloudFormation makes of exported templates: what is there then is what the spec says.
//!
//! A template leaves out what makes an object auroraml's own, tags, paths and names, so that nobody takes one for the
//! other. Here they are put in, and nothing else is changed: whatever a plan of the spec then finds different is a
//! mistake of the template, or was told as lost.
//!
//! The hard cases that the fact book collects (cloudformation.md, "Writing a template from a spec"), each with its test;
//! those of core are in crates/core/tests/it/export.rs:
//!
//! | hard case | test |
//! |---|---|
//! | kinds without a type of CloudFormation's | core `every_resource_is_written_or_told`, `what_is_not_in_it_is_named` |
//! | folded kinds, a route that waits for the attachment | core `a_public_route_waits_for_the_attachment`; every test here |
//! | computed names, lower case; a role trusts the cluster by its name | core `a_role_trusts_the_cluster_by_its_name` |
//! | cycles | core `nothing_waits_for_itself` |
//! | `on_destroy` | core `what_happens_at_the_end_is_what_the_spec_says`, `an_exported_stack_goes_as_the_spec_says` |
//! | passwords | core `a_template_has_no_password` |
//! | resolved facts, zones | `src/cli/export.rs` (`--resolve`), core export's version and zones tests |
//! | hashed names, tags and paths that are ownership | core `nothing_in_it_is_auroramls_own` |
//! | scripts | core `scripts_survive` |
//! | restarts | core `what_is_not_in_it_is_named` |
//! | size, capabilities | core `a_template_is_read_as_it_is_meant` |
//! | templates of the user's | core `templates_become_nested_stacks`, `a_large_template_is_nested_as_well`; `templates_become_stacks_within`, `an_exported_stack_goes_as_the_spec_says` |
//!
//! A stack within a stack is nobody's own: a look leaves out what has a parent, and its name is CloudFormation's. So the
//! stacks within are taken out of the one around them, and the spec calls them as CloudFormation does.

use crate::harness::{Account, beside, spec, spec_file};
use auroraml::aws::Aws;
use auroraml_core::base::Id;
use auroraml_core::base::names::Place;
use auroraml_core::export::{Exported, Given, export};
use auroraml_core::model::Intent;
use auroraml_core::resource::{Action, Graph};
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// A bucket for templates, which is there already.
const TEMPLATES: &str = "templates-of-the-team";
const MODEL: &str = "s3://sagemaker-sample-files/models/churn/model.tar.gz";

fn files(spec: &Spec) -> BTreeMap<String, Result<String, String>> {
    let hash = |path: &str| {
        let bytes = beside(path).unwrap();
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    spec.files().into_iter().map(|path| (path.to_string(), Ok(hash(path)))).collect()
}

fn templates(spec: &Spec) -> BTreeMap<String, Result<String, String>> {
    let text = |path: &str| String::from_utf8(beside(path).unwrap()).unwrap();
    spec.templates().into_iter().map(|path| (path.to_string(), Ok(text(path)))).collect()
}

/// The template of a spec, with what its graph knows of AWS.
fn exported(spec: &Spec, graph: &Graph) -> Exported {
    let given = Given { files: files(spec), templates: templates(spec), ..Given::of(spec, graph) };
    export(spec, &given).unwrap()
}

/// Uploads the templates of the stacks within as the steps say; the parameters that the steps name for them.
async fn nested(exported: &Exported, aws: &Aws) -> Vec<Parameter> {
    let bucket = format!("s3://{TEMPLATES}/");
    let said: Vec<String> = exported.steps.iter().map(|step| step.replace("TEMPLATES", TEMPLATES)).collect();
    for step in said.iter().filter_map(|step| step.strip_prefix("upload a template: aws s3 cp ")) {
        let (path, rest) = step.split_once(' ').unwrap();
        let key = rest.strip_prefix(&bucket).and_then(|rest| rest.split_once(',')).unwrap().0;
        let _ = aws.s3.create_bucket().bucket(TEMPLATES).send().await;
        let put = aws.s3.put_object().bucket(TEMPLATES).key(key).body(beside(path).unwrap().into());
        put.send().await.unwrap();
    }
    let create = said.iter().find(|step| step.starts_with("create the stack: ")).unwrap();
    let given = create.split_once(" --parameter-overrides ").map_or("", |(_, given)| given).split(' ');
    let pairs = given.filter_map(|given| given.split_once('=')).filter(|(name, _)| name.starts_with("Stack"));
    pairs
        .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build())
        .collect()
}

/// The stacks within as if each stood alone, and the spec with the names that CloudFormation has chosen for them.
async fn alone(account: Account, spec: &Spec, exported: &Exported) -> (Account, Spec) {
    let mut named = spec.clone();
    let Some(stacks) = &mut named.stacks else { return (account, named) };
    let mut world = serde_json::to_value(account.sandbox.world()).unwrap();
    let made = world["regions"][&spec.region]["cloudformation"]["made"].as_object_mut().unwrap();
    for (name, stack) in stacks {
        let logical = &exported.ids[&Id::new("stack", name.clone())];
        let of = |id: &&String| id.contains(&format!(":stack/exported-{logical}-"));
        let ids: Vec<String> = made.keys().filter(of).cloned().collect();
        assert_eq!(ids.len(), 1, "{name}: {ids:?}");
        assert!(
            made[&ids[0]].as_object_mut().unwrap().remove("parent").is_some(),
            "{name} is within a stack"
        );
        stack.name = ids[0].split('/').nth(1).map(String::from);
    }
    (Account::over(serde_json::from_value(world).unwrap()), named)
}

/// What a name within the stack begins with, without its hash.
fn stem(id: &Id) -> &str {
    match id.kind {
        "model" | "endpoint_config" => id.name.rsplit_once('-').map_or(&id.name, |(stem, _)| stem),
        _ => &id.name,
    }
}

/// The template with the tags and names that auroraml gives its own.
fn owned(exported: &Exported, graph: &Graph, place: &Place) -> Value {
    let mut template: Value = serde_json::from_str(&exported.json).unwrap();
    for (id, resource) in &graph.resources {
        let same = |(other, _): &(&Id, &String)| other.kind == id.kind && stem(other) == stem(id);
        let Some((_, logical)) = exported.ids.iter().find(same) else { continue };
        if template["Resources"][logical].is_null() {
            continue;
        }
        let properties = &mut template["Resources"][logical]["Properties"];
        let tags = if id.kind == "stack" { "stack_tags" } else { "tags" };
        if let Some(tags) = resource.props[tags].as_object() {
            let value = |value: &Value| match (&value["$ref"], &value["output"]) {
                (Value::String(of), Value::String(output)) => {
                    let (_, logical) = exported.ids.iter().find(|(id, _)| id.to_string() == *of).unwrap();
                    json!({ "Fn::GetAtt": [logical, output] })
                }
                _ => value.clone(),
            };
            let tags = tags.iter().map(|(key, text)| json!({"Key": key, "Value": value(text)}));
            properties["Tags"] = tags.collect();
        }
        let names: &[(&str, String)] = &match id.kind {
            "role" => vec![("RoleName", place.role(&id.name)), ("Path", place.role_path())],
            "bucket" => vec![("BucketName", resource.props["name"].as_str().unwrap().into())],
            "secret" => vec![("Name", place.secret())],
            "subnet_group" => vec![("DBSubnetGroupName", place.cluster())],
            "parameter_group" => vec![("DBClusterParameterGroupName", place.cluster())],
            "instance" => vec![("DBInstanceIdentifier", place.name(&id.name))],
            "model" => vec![("ModelName", place.hashed_name(&id.name))],
            "endpoint_config" => vec![("EndpointConfigName", place.hashed_name(&id.name))],
            "notebook_config" => vec![("NotebookInstanceLifecycleConfigName", place.name("notebook"))],
            _ => vec![],
        };
        for (name, value) in names {
            properties[*name] = value.as_str().into();
        }
    }
    // CloudFormation draws the secret's name: scripts and policies have its ARN where auroraml's have its name.
    for (logical, found, name) in [
        ("NotebookConfig", "${SecretMaster}", place.secret()),
        ("RoleNotebookPolicy", r#"{"Ref":"SecretMaster"}"#, format!("\"{}\"", place.secret_arn_pattern())),
    ] {
        if let Some(resource) = template["Resources"].get_mut(logical) {
            *resource = serde_json::from_str(&resource.to_string().replace(found, &name)).unwrap();
        }
    }
    template
}

/// Waits until nothing is under way with the stack; how it stands then.
async fn rest(account: &Account, aws: &Aws, stack: &str) -> String {
    for _ in 0..600 {
        let answer = aws.cloudformation.describe_stacks().stack_name(stack).send().await.unwrap();
        let status = answer.stacks()[0].stack_status().unwrap().as_str().to_string();
        if !status.ends_with("_IN_PROGRESS") {
            return status;
        }
        account.sandbox.clock().sleep(Duration::from_secs(30)).await;
    }
    panic!("{stack} never ends");
}

async fn events(aws: &Aws, stack: &str) -> String {
    let answer = aws.cloudformation.describe_stack_events().stack_name(stack).send().await.unwrap();
    let failed = answer.stack_events().iter().filter(|event| event.resource_status_reason().is_some());
    failed.map(|event| format!("{event:?}\n")).collect()
}

/// A spec of the folder `specs`, or one that the tests have.
fn read(name: &str) -> Spec {
    match name.starts_with("tests/") {
        true => spec(&std::fs::read_to_string(name).unwrap()),
        false => spec(&spec_file(name)),
    }
}

/// Creates the stack, does what the steps say, updates it; and plans the spec. What differs, one line each.
async fn differences(name: &str) -> Vec<String> {
    let spec = read(name);
    let account = Account::new(5, Mood::Calm);
    let place = Place::new(spec.stack.clone(), spec.region.clone(), "111122223333");
    let graph = account.prepare(&spec, Intent::Apply).await.unwrap().graph;
    let exported = exported(&spec, &graph);
    let template = owned(&exported, &graph, &place);
    let stack = account.administrator(&spec).await;
    let aws = &stack.aws;
    let within = nested(&exported, aws).await;
    let parameters = |uploaded: bool| -> Vec<Parameter> {
        let names = template["Parameters"].as_object().into_iter().flatten().map(|(name, _)| name);
        let chosen = names.filter_map(|name| match name.as_str() {
            "NotebookFiles" if uploaded => Some((name, "uploaded")),
            text if text.ends_with("ModelData") && uploaded => Some((name, MODEL)),
            _ => None,
        });
        chosen
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build())
            .chain(within.clone())
            .collect()
    };
    let create = aws.cloudformation.create_stack().stack_name("exported").template_body(template.to_string());
    let create = create.set_parameters(Some(parameters(false)));
    create.capabilities(Capability::CapabilityNamedIam).send().await.unwrap();
    let status = rest(&account, aws, "exported").await;
    assert_eq!(status, "CREATE_COMPLETE", "{name}: {}", events(aws, "exported").await);
    let files = graph.resources.values().filter(|resource| resource.id.kind == "bucket_object");
    for file in files {
        let path = file.props["path"].as_str().unwrap();
        let bytes = beside(path).unwrap();
        let bucket = graph.resources[&Id::new("bucket", "main")].props["name"].as_str().unwrap();
        let put = aws.s3.put_object().bucket(bucket).key(file.props["key"].as_str().unwrap());
        put.body(bytes.into()).send().await.unwrap();
    }
    if parameters(true) != parameters(false) {
        let update =
            aws.cloudformation.update_stack().stack_name("exported").template_body(template.to_string());
        let update =
            update.set_parameters(Some(parameters(true))).capabilities(Capability::CapabilityNamedIam);
        update.send().await.unwrap();
        let status = rest(&account, aws, "exported").await;
        assert_eq!(status, "UPDATE_COMPLETE", "{name}: {}", events(aws, "exported").await);
    }
    let (account, spec) = alone(account, &spec, &exported).await;
    let plan = account.plan(&spec).await;
    assert!(plan.blocked.is_empty(), "{name}: {:?}", plan.blocked);
    let work = plan.steps.iter().filter(|step| !matches!(step.action, Action::NoOp | Action::Recheck));
    let lines = work.map(|step| {
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        format!("{:?} {}.{} {}", step.action, step.id.kind, stem(&step.id), paths.join(" "))
            .trim_end()
            .to_string()
    });
    lines.collect()
}

/// Differences that are no more than what the template says that CloudFormation does not do.
fn told(line: &str) -> bool {
    let kinds = [
        "sql_",
        "data_",
        "training_job.",
        "tuning_job.",
        "autopilot_job.",
        "role.training",
        "secret_attachment.",
    ];
    let (action, rest) = line.split_once(' ').unwrap();
    match action {
        "Create" | "Run" => kinds.iter().any(|kind| rest.starts_with(kind)),
        // CloudFormation has the fields in the secret, and auroraml also in a tag of it.
        "Update" => {
            // A stack within is protected by the one around it (CloudFormation User Guide, "Protect CloudFormation stacks
            // from being deleted": "For nested stacks, termination protection is set on the root stack").
            if rest.starts_with("stack.") {
                return rest.ends_with(" termination_protection");
            }
            // A tag of the cluster says that auroraml has attached a role of others.
            if rest.starts_with("cluster_role.") {
                return rest.ends_with(" marked");
            }
            let known = ["security_group.endpoints egress", "secret_attachment.", "sql_grant."];
            known.iter().any(|known| rest.starts_with(known))
        }
        _ => false,
    }
}

macro_rules! exports {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                let different = differences($file).await;
                let untold: Vec<&String> = different.iter().filter(|line| !told(line)).collect();
                assert!(untold.is_empty(), "{}: {untold:#?}\nof {different:#?}", $file);
            }
        )*
    };
}

exports! {
    churn_is_made_as_the_spec_says: "churn.yaml",
    the_published_churn_is_made_as_the_spec_says: "churn-as-published.yaml",
    xgboost_is_made_as_the_spec_says: "churn-xgboost.yaml",
    lean_is_made_as_the_spec_says: "lean.yaml",
    minimal_is_made_as_the_spec_says: "minimal.yaml",
    production_is_made_as_the_spec_says: "production.yaml",
    every_field_is_made_as_the_spec_says: "tests/data/everything.yaml",
    hosting_is_made_as_the_spec_says: "tests/data/hosting.yaml",
    rows_and_functions_are_told_and_the_rest_is_made: "tests/data/sql.yaml",
    templates_become_stacks_within: "tests/data/stacked.yaml",
    templates_around_the_cluster_are_made_as_the_spec_says: "with-cloudformation.yaml",
    keys_roles_and_buckets_of_templates_are_made_as_the_spec_says: "tests/data/referring.yaml",
}

/// An endpoint of Autopilot's is not in the template, which says so; nor is what is made for it alone.
#[tokio::test(start_paused = true)]
async fn autopilot_is_made_but_for_its_endpoint() {
    for (name, endpoint, count) in
        [("churn-autopilot.yaml", "churn-autopilot", 4), ("tests/data/unloaded.yaml", "found", 3)]
    {
        let different = differences(name).await;
        let for_the_endpoint =
            ["model", "endpoint_config", "endpoint"].map(|kind| format!("{kind}.{endpoint} "));
        let left_out = |line: &str| {
            let rest = line.strip_prefix("Create ").unwrap_or_default();
            rest.starts_with("role.model ") || for_the_endpoint.iter().any(|what| rest.starts_with(what))
        };
        let untold: Vec<&String> = different.iter().filter(|line| !told(line) && !left_out(line)).collect();
        assert!(untold.is_empty(), "{name}: {untold:#?}\nof {different:#?}");
        assert_eq!(different.iter().filter(|line| left_out(line)).count(), count, "{name}: {different:#?}");
    }
}

/// The template as it is exported, without anything of auroraml's: created, and deleted as it says itself.
async fn deleted(name: &str) -> (Vec<String>, Value) {
    let spec = read(name);
    let account = Account::new(5, Mood::Real);
    let graph = account.prepare(&spec, Intent::Apply).await.unwrap().graph;
    let exported = exported(&spec, &graph);
    let person = account.administrator(&spec).await;
    let aws = &person.aws;
    let create = aws.cloudformation.create_stack().stack_name("exported").template_body(&exported.yaml);
    let create = create.set_parameters(Some(nested(&exported, aws).await));
    let made = create.capabilities(Capability::CapabilityIam).send().await.unwrap();
    let arn = made.stack_id().unwrap().to_string();
    let status = rest(&account, aws, "exported").await;
    assert_eq!(status, "CREATE_COMPLETE", "{name}: {}", events(aws, "exported").await);
    let physical = async |kind: &str| -> Vec<String> {
        let answer = aws.cloudformation.list_stack_resources().stack_name(&arn).send().await.unwrap();
        let of = answer.stack_resource_summaries().iter().filter(|one| one.resource_type() == Some(kind));
        of.filter_map(|one| one.physical_resource_id()).map(String::from).collect()
    };
    let delete = async || -> String {
        aws.cloudformation.delete_stack().stack_name("exported").send().await.unwrap();
        rest(&account, aws, &arn).await
    };
    // The comments say what keeps CloudFormation from deleting it, and what to do.
    let lost: Vec<&str> = exported.lost.iter().map(|lost| lost.what).collect();
    if lost.contains(&"protection") {
        assert_eq!(delete().await, "DELETE_FAILED", "{name}");
        assert!(events(aws, &arn).await.to_lowercase().contains("deletion protection"), "{name}");
        for cluster in physical("AWS::RDS::DBCluster").await {
            let change = aws.rds.modify_db_cluster().db_cluster_identifier(cluster);
            change.deletion_protection(false).apply_immediately(true).send().await.unwrap();
        }
    }
    if lost.contains(&"emptying the bucket") {
        let bucket = physical("AWS::S3::Bucket").await.remove(0);
        let put = aws.s3.put_object().bucket(&bucket).key("rows.csv").body(b"1".to_vec().into());
        put.send().await.unwrap();
        assert_eq!(delete().await, "DELETE_FAILED", "{name}");
        aws.s3.delete_object().bucket(&bucket).key("rows.csv").send().await.unwrap();
    }
    let status = delete().await;
    assert_eq!(status, "DELETE_COMPLETE", "{name}: {}", events(aws, &arn).await);
    let answer = aws.cloudformation.list_stack_resources().stack_name(&arn).send().await.unwrap();
    let kept = answer
        .stack_resource_summaries()
        .iter()
        .filter(|one| one.resource_status().is_some_and(|status| status.as_str() == "DELETE_SKIPPED"));
    let kept = kept.filter_map(|one| one.logical_resource_id()).map(String::from).collect();
    let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
    (kept, world["regions"][&spec.region].clone())
}

/// An exported stack can be deleted, and leaves what the spec says: a kept bucket, a last snapshot.
#[tokio::test(start_paused = true)]
async fn an_exported_stack_goes_as_the_spec_says() {
    for (name, kept, snapshots) in [
        ("churn.yaml", vec![], 0),
        ("production.yaml", vec!["SageMakerBucket"], 1),
        ("tests/data/everything.yaml", vec![], 0),
        ("tests/data/stacked.yaml", vec![], 0),
    ] {
        let (skipped, region) = deleted(name).await;
        assert_eq!(skipped, kept, "{name}");
        let count = |of: &Value| of.as_object().map_or(0, serde_json::Map::len);
        let rds = &region["rds"];
        assert_eq!((count(&rds["clusters"]), count(&rds["instances"])), (0, 0), "{name}");
        assert_eq!(count(&rds["snapshots"]), snapshots, "{name}");
        let made = region["cloudformation"]["made"].as_object().unwrap().values();
        let left: Vec<&Value> =
            made.map(|stack| &stack["status"]).filter(|s| *s != "DELETE_COMPLETE").collect();
        assert!(left.is_empty(), "{name}: {left:?}");
        for kind in ["endpoints", "notebooks"] {
            assert_eq!(count(&region["sagemaker"][kind]), 0, "{name}: {kind}");
        }
    }
}
