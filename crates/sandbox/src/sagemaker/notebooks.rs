//! Notebook instances and their seven states: fact book, section 4.1.

use super::answers::{already_exists, arn, invalid, not_found, present, seconds};
use super::input::{Input, constraint, missing};
use super::listing::{self, Row};
use super::notebook::{Notebook, Status};
use super::reach::{Reach, check_network, check_role};
use super::state::SageMaker;
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::json;

const KIND: &str = "notebook-instance";
const NAME: &str = "NotebookInstanceName";
const PLATFORM_DEFAULT: &str = "notebook-al2023-v1";
const PLATFORMS: &[&str] =
    &["notebook-al1-v1", "notebook-al2-v1", "notebook-al2-v2", "notebook-al2-v3", PLATFORM_DEFAULT];
/// Instance families that Amazon Linux 2023 does not support: fact book, section 4.1.
const FAMILIES_REFUSED: &[&str] = &["p2", "p3", "inf1", "g3"];
const SWITCH: &[&str] = &["Enabled", "Disabled"];

fn find<'a>(call: &Call, sagemaker: &'a mut SageMaker) -> Result<&'a mut Notebook, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.notebooks.get_mut(&name.to_ascii_lowercase());
    found.ok_or_else(|| not_found(call, KIND, name))
}

/// Refuses platforms that have ended (fact book, section 4.1: no create and no restart of Amazon Linux 2
/// since 2026-07-01), and instances that the current one does not support.
fn check_platform(platform: &str, instance_type: &str) -> Result<(), Fault> {
    if platform != PLATFORM_DEFAULT {
        return Err(invalid(format!(
            "The platform identifier {platform} has reached its end of support. Use {PLATFORM_DEFAULT}."
        )));
    }
    let family = instance_type.split('.').nth(1).unwrap_or_default();
    if FAMILIES_REFUSED.contains(&family) {
        return Err(invalid(format!("{instance_type} is not supported on platform {platform}")));
    }
    Ok(())
}

fn check_limit(sagemaker: &SageMaker, instance_type: &str) -> Result<(), Fault> {
    let used = sagemaker
        .notebooks
        .values()
        .filter(|notebook| notebook.instance_type == instance_type && notebook.uses_instance())
        .count() as u64;
    sagemaker.check_limit(&format!("{instance_type} for notebook instance usage"), used, 1)
}

fn check_lifecycle_config(call: &Call, sagemaker: &SageMaker, name: &str) -> Result<(), Fault> {
    if sagemaker.lifecycle_configs.contains_key(&name.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(not_found(call, "notebook-instance-lifecycle-config", name))
}

/// What will be wrong at the end of a creation or a start.
fn failure(call: &Call, sagemaker: &SageMaker, notebook: &str, config: Option<&str>) -> Option<String> {
    let config = config.filter(|config| sagemaker.failing_lifecycle_configs.contains(*config))?;
    Some(format!(
        "Notebook Instance Lifecycle Config '{}' for Notebook Instance '{}' took longer than 5 minutes. \
         Please check your CloudWatch logs for more details if your Notebook Instance has Internet access.",
        arn(call, "notebook-instance-lifecycle-config", config),
        arn(call, KIND, notebook)
    ))
}

fn metadata_version(input: Input<'_>) -> Result<Option<String>, Fault> {
    let Some(set) = input.structure("InstanceMetadataServiceConfiguration")? else { return Ok(None) };
    Ok(set.choice("MinimumInstanceMetadataServiceVersion", &["1", "2"])?.map(str::to_string))
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let instance_type = input.instance_type("InstanceType")?;
    let instance_type = instance_type.ok_or_else(|| missing("InstanceType"))?;
    let role = input.required("RoleArn")?;
    let platform = input.choice("PlatformIdentifier", PLATFORMS)?.unwrap_or(PLATFORM_DEFAULT);
    let volume_gb = input.integer("VolumeSizeInGB", 5..=16_384)?.unwrap_or(5);
    let lifecycle_config = input.owned("LifecycleConfigName")?;
    let subnet = input.owned("SubnetId")?;
    let security_groups = input.texts("SecurityGroupIds")?;
    let direct_internet_access = input.choice("DirectInternetAccess", SWITCH)?.unwrap_or("Enabled");
    let tags = input.tags()?;
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.notebooks.contains_key(&key) {
        return Err(already_exists(call, KIND, name));
    }
    if security_groups.len() > 5 {
        return Err(constraint("SecurityGroupIds", "[…]", "have length less than or equal to 5"));
    }
    if subnet.is_none() && !security_groups.is_empty() {
        return Err(invalid("SecurityGroupIds can only be specified together with SubnetId"));
    }
    if subnet.is_none() && direct_internet_access == "Disabled" {
        return Err(invalid("DirectInternetAccess can only be disabled when SubnetId is specified"));
    }
    check_platform(platform, instance_type)?;
    if let Some(config) = &lifecycle_config {
        check_lifecycle_config(call, reach.sagemaker, config)?;
    }
    check_network(reach.ec2, subnet.as_slice(), &security_groups)?;
    check_role(call, reach.iam, role)?;
    check_limit(reach.sagemaker, instance_type)?;

    let network_interface = subnet.as_ref().map(|subnet| {
        let id = format!("eni-{}", reach.random.hex(17));
        let description = format!("[Do not delete] Network Interface for SageMaker notebook instance {name}");
        reach.ec2.add_interface(&id, subnet, &security_groups, &description, "amazon-sagemaker");
        id
    });
    let until = call.now + reach.random.duration(120.0, 210.0, 330.0);
    let failure = failure(call, reach.sagemaker, name, lifecycle_config.as_deref());
    let notebook = Notebook {
        name: name.to_string(),
        status: Status::Pending { until, failure },
        failure: None,
        instance_type: instance_type.to_string(),
        role: role.to_string(),
        subnet,
        security_groups,
        network_interface,
        kms_key: input.owned("KmsKeyId")?,
        lifecycle_config,
        direct_internet_access: direct_internet_access.to_string(),
        volume_gb,
        default_repository: input.owned("DefaultCodeRepository")?,
        additional_repositories: input.texts("AdditionalCodeRepositories")?,
        root_access: input.choice("RootAccess", SWITCH)?.unwrap_or("Enabled").to_string(),
        platform: platform.to_string(),
        ip_address_type: input.choice("IpAddressType", &["ipv4", "dualstack"])?.unwrap_or("ipv4").to_string(),
        // Both versions, says botocore's model.
        metadata_version: metadata_version(input)?.unwrap_or_else(|| "1".into()),
        created: call.now,
        modified: call.now,
    };
    let arn = arn(call, KIND, name);
    reach.sagemaker.notebooks.insert(key, notebook);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "NotebookInstanceArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let notebook = find(call, sagemaker)?;
    let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    Ok(present(json!({
        NAME: notebook.name,
        "NotebookInstanceArn": arn(call, KIND, &notebook.name),
        "NotebookInstanceStatus": notebook.status.name(),
        "FailureReason": notebook.failure,
        "Url": notebook.url(&call.region),
        "InstanceType": notebook.instance_type,
        "IpAddressType": notebook.ip_address_type,
        "SubnetId": notebook.subnet,
        "SecurityGroups": some(&notebook.security_groups),
        "RoleArn": notebook.role,
        "KmsKeyId": notebook.kms_key,
        "NetworkInterfaceId": notebook.network_interface,
        "LastModifiedTime": seconds(notebook.modified),
        "CreationTime": seconds(notebook.created),
        "NotebookInstanceLifecycleConfigName": notebook.lifecycle_config,
        "DirectInternetAccess": notebook.direct_internet_access,
        "VolumeSizeInGB": notebook.volume_gb,
        "DefaultCodeRepository": notebook.default_repository,
        "AdditionalCodeRepositories": some(&notebook.additional_repositories),
        "RootAccess": notebook.root_access,
        "PlatformIdentifier": notebook.platform,
        "InstanceMetadataServiceConfiguration": {
            "MinimumInstanceMetadataServiceVersion": notebook.metadata_version,
        },
    })))
}

pub(super) fn update(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let mut new = find(call, reach.sagemaker)?.clone();
    new.check(call, &["Stopped"], "Updating")?;
    if let Some(instance_type) = input.instance_type("InstanceType")? {
        new.instance_type = instance_type.to_string();
    }
    if let Some(platform) = input.choice("PlatformIdentifier", PLATFORMS)? {
        new.platform = platform.to_string();
    }
    // A notebook whose platform has ended can still be changed, but not to such a platform.
    if input.value("PlatformIdentifier").is_some() || new.platform == PLATFORM_DEFAULT {
        check_platform(&new.platform, &new.instance_type)?;
    }
    if let Some(role) = input.owned("RoleArn")? {
        check_role(call, reach.iam, &role)?;
        new.role = role;
    }
    match (input.owned("LifecycleConfigName")?, input.flag("DisassociateLifecycleConfig")?) {
        (Some(_), true) => {
            let text = "LifecycleConfigName and DisassociateLifecycleConfig cannot both be specified";
            return Err(invalid(text));
        }
        (Some(config), false) => {
            check_lifecycle_config(call, reach.sagemaker, &config)?;
            new.lifecycle_config = Some(config);
        }
        (None, true) => new.lifecycle_config = None,
        (None, false) => {}
    }
    if let Some(volume_gb) = input.integer("VolumeSizeInGB", 5..=16_384)? {
        if volume_gb < new.volume_gb {
            return Err(invalid(format!(
                "The volume size of a notebook instance cannot be decreased (from {} GB to {volume_gb} GB)",
                new.volume_gb
            )));
        }
        new.volume_gb = volume_gb;
    }
    if let Some(repository) = input.owned("DefaultCodeRepository")? {
        new.default_repository = Some(repository);
    }
    if input.flag("DisassociateDefaultCodeRepository")? {
        new.default_repository = None;
    }
    if input.value("AdditionalCodeRepositories").is_some() {
        new.additional_repositories = input.texts("AdditionalCodeRepositories")?;
    }
    if input.flag("DisassociateAdditionalCodeRepositories")? {
        new.additional_repositories.clear();
    }
    if let Some(root_access) = input.choice("RootAccess", SWITCH)? {
        new.root_access = root_access.to_string();
    }
    if let Some(kind) = input.choice("IpAddressType", &["ipv4", "dualstack"])? {
        new.ip_address_type = kind.to_string();
    }
    if let Some(version) = metadata_version(input)? {
        new.metadata_version = version;
    }
    // No measurement and no row in the fact book, section 8.2: believed to be well under a minute.
    new.status = Status::Updating { until: call.now + reach.random.duration(5.0, 15.0, 60.0) };
    new.modified = call.now;
    *find(call, reach.sagemaker)? = new;
    Ok(Body::Json(json!({})))
}

pub(super) fn start(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let notebook = find(call, reach.sagemaker)?;
    notebook.check(call, &["Stopped"], "Pending")?;
    check_platform(&notebook.platform, &notebook.instance_type)?;
    let Notebook { name, instance_type, lifecycle_config, .. } = notebook.clone();
    check_limit(reach.sagemaker, &instance_type)?;
    let until = call.now + reach.random.duration(120.0, 210.0, 330.0);
    // "Start sometimes has no effect: status stays Stopped": fact book, section 4.1.
    if reach.random.chance(0.02) {
        return Ok(Body::Json(json!({})));
    }
    let failure = failure(call, reach.sagemaker, &name, lifecycle_config.as_deref());
    let notebook = find(call, reach.sagemaker)?;
    notebook.status = Status::Pending { until, failure };
    notebook.modified = call.now;
    Ok(Body::Json(json!({})))
}

pub(super) fn stop(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let notebook = find(call, reach.sagemaker)?;
    notebook.check(call, &["InService"], "Stopping")?;
    notebook.status = Status::Stopping { until: call.now + reach.random.duration(60.0, 110.0, 240.0) };
    notebook.modified = call.now;
    Ok(Body::Json(json!({})))
}

pub(super) fn delete(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let notebook = find(call, reach.sagemaker)?;
    notebook.check(call, &["Stopped", "Failed"], "Deleting")?;
    let until = call.now + reach.random.duration(20.0, 60.0, 150.0);
    notebook.status = Status::Deleting { until };
    notebook.modified = call.now;
    if let Some(interface) = notebook.network_interface.clone() {
        let lag = reach.random.duration(60.0, 600.0, 2400.0);
        reach.ec2.release_interface(&interface, until + lag);
    }
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let config_part = Input::of(call).text("NotebookInstanceLifecycleConfigNameContains")?;
    let rows = sagemaker
        .notebooks
        .values()
        .filter(|notebook| {
            config_part.is_none_or(|part| {
                notebook.lifecycle_config.as_ref().is_some_and(|config| config.contains(part))
            })
        })
        .map(|notebook| {
            let mut summary = json!({
                NAME: notebook.name,
                "NotebookInstanceArn": arn(call, KIND, &notebook.name),
                "NotebookInstanceStatus": notebook.status.name(),
                "Url": notebook.url(&call.region),
                "InstanceType": notebook.instance_type,
                "CreationTime": seconds(notebook.created),
                "LastModifiedTime": seconds(notebook.modified),
            });
            if let Some(config) = &notebook.lifecycle_config {
                summary["NotebookInstanceLifecycleConfigName"] = json!(config);
            }
            Row {
                name: &notebook.name,
                created: notebook.created,
                modified: notebook.modified,
                status: notebook.status.name(),
                summary,
            }
        })
        .collect();
    listing::page(call, "NotebookInstances", &listing::BY_NAME, rows)
}

pub(super) fn presigned_url(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let notebook = find(call, reach.sagemaker)?;
    if notebook.status != Status::InService {
        let text = format!("Cannot connect to a notebook instance in status {}", notebook.status.name());
        return Err(invalid(text));
    }
    let url = format!("https://{}?authToken={}", notebook.url(&call.region), reach.random.letters(64));
    Ok(Body::Json(json!({ "AuthorizedUrl": url })))
}
