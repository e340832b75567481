//! Models: what to run and where its artifacts are. They cannot be changed: fact book, section 4.3.

use super::answers::{already_exists, arn, invalid, not_found, present, seconds};
use super::deployment::missing_artifact;
use super::input::Input;
use super::listing::{self, Row};
use super::reach::{PRINCIPAL, Reach, check_network, check_role};
use super::state::{Model, SageMaker};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::json;

const KIND: &str = "model";
const NAME: &str = "ModelName";
/// What a model is made of, as it is given and given back.
const MEMBERS: &[&str] = &[
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
];

fn find<'a>(call: &Call, sagemaker: &'a SageMaker) -> Result<&'a Model, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.models.get(&name.to_ascii_lowercase());
    found.ok_or_else(|| not_found(call, KIND, name))
}

fn check_container(container: Input<'_>) -> Result<(), Fault> {
    match container.text("Image")? {
        None if container.text("ModelPackageName")?.is_none() => {
            return Err(invalid("Either Image or ModelPackageName must be specified for a container"));
        }
        None => {}
        Some(image) => {
            let access = container.structure("ImageConfig")?.map(|set| set.text("RepositoryAccessMode"));
            let from_vpc = access.transpose()?.flatten() == Some("Vpc");
            if !image.contains(".dkr.ecr.") && !from_vpc {
                return Err(invalid(format!(
                    "Using non-ECR image \"{image}\" without Vpc repository access mode is not supported."
                )));
            }
        }
    }
    if let Some(url) = container.text("ModelDataUrl")?
        && !url.starts_with("s3://")
        && !url.starts_with("https://")
    {
        let text = "satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)";
        return Err(super::input::constraint("ModelDataUrl", url, text));
    }
    Ok(())
}

/// Whether the artifact is there, and the image in a registry of this region.
fn check_contents(call: &Call, reach: &Reach<'_>, container: Input<'_>) -> Result<(), Fault> {
    if let Some(url) = missing_artifact(reach.s3, container.0) {
        return Err(invalid(format!("Could not find model data at {url}.")));
    }
    let image = container.text("Image")?.unwrap_or_default();
    let region = image.split_once(".dkr.ecr.").and_then(|(_, rest)| rest.split('.').next());
    if region.is_some_and(|region| region != call.region) || reach.sagemaker.missing_images.contains(image) {
        return Err(invalid(format!("Requested image {image} not found.")));
    }
    Ok(())
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let tags = input.tags()?;
    let primary = input.structure("PrimaryContainer")?;
    let containers = input.structures("Containers")?;
    match (primary, containers.len()) {
        (Some(_), 1..) => {
            return Err(invalid("Only one of PrimaryContainer and Containers can be specified"));
        }
        (None, 0) => return Err(invalid("Either PrimaryContainer or Containers must be specified")),
        (_, 0..=15) => {}
        _ => return Err(invalid("A model can have at most 15 containers")),
    }
    for container in primary.into_iter().chain(containers) {
        check_container(container)?;
    }
    let definition = call.json.keep(MEMBERS);
    let model = Model { name: name.to_string(), definition, created: call.now };
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.models.contains_key(&key) {
        return Err(already_exists(call, KIND, name));
    }
    if let Some((subnets, groups)) = model.network() {
        check_network(reach.ec2, &subnets, &groups)?;
    }
    if let Some(role) = input.text("ExecutionRoleArn")? {
        check_role(call, reach.iam, role).map_err(|refusal| unusable(call, role, &model, refusal))?;
    }
    // Everything that can be known of the containers is known by now; the rest fails at deployment (fact book,
    // appendix F, item 3).
    for container in primary.into_iter().chain(input.structures("Containers")?) {
        check_contents(call, reach, container)?;
    }
    let arn = arn(call, KIND, name);
    reach.sagemaker.models.insert(key, model);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "ModelArn": arn })))
}

/// A role that cannot be assumed (yet) is met when the model's data is read, when its image is, or as itself, and told
/// accordingly; which comes first differs from call to call. Texts as people met them: philschmid/llm-sagemaker-sample
/// #2, and Terraform's provider (`internal/service/sagemaker`) on the execution role.
fn unusable(call: &Call, role: &str, model: &Model, refusal: Fault) -> Fault {
    let trust = format!(
        "exists and that its trust relationship policy allows the action \"sts:AssumeRole\" for the service \
         principal \"{PRINCIPAL}\"."
    );
    let data = model.definition["PrimaryContainer"]["ModelDataUrl"].as_str();
    match (call.now / 1000 % 3, data) {
        (0, Some(data)) => invalid(format!(
            "Could not access model data at {data}. Please ensure that the role \"{role}\" {trust} Also ensure that \
             the role has \"s3:GetObject\" permissions and that the object is located in {}.",
            call.region
        )),
        (1, _) => invalid(format!(
            "The execution role ARN \"{role}\" is invalid. Please ensure that the role {trust}"
        )),
        _ => refusal,
    }
}

pub(super) fn describe(call: &Call, sagemaker: &SageMaker) -> Reply {
    let model = find(call, sagemaker)?;
    let mut answer = model.definition.clone();
    answer[NAME] = json!(model.name);
    answer["ModelArn"] = json!(arn(call, KIND, &model.name));
    answer["CreationTime"] = seconds(model.created);
    answer["EnableNetworkIsolation"] =
        json!(Input::within(&model.definition).flag("EnableNetworkIsolation")?);
    Ok(present(answer))
}

/// Allowed while endpoints use the model; what breaks is later scaling and replacement: fact book,
/// section 4.3.
pub(super) fn delete(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let name = find(call, sagemaker)?.name.clone();
    sagemaker.models.remove(&name.to_ascii_lowercase());
    sagemaker.tags.remove(&arn(call, KIND, &name));
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let rows = sagemaker
        .models
        .values()
        .map(|model| Row {
            name: &model.name,
            created: model.created,
            modified: model.created,
            status: "",
            summary: json!({
                NAME: model.name,
                "ModelArn": arn(call, KIND, &model.name),
                "CreationTime": seconds(model.created),
            }),
        })
        .collect();
    listing::page(call, "Models", &listing::BY_TIME, rows)
}
