//! Notebook and endpoints.

use super::{name, network};
use crate::spec::images::{XGBOOST_VERSIONS, xgboost_image};
use crate::spec::problem::list;
use crate::spec::reader::{Reader, join};
use crate::spec::{
    Endpoint, EndpointManager, Model, Notebook, NotebookSubnet, ServerlessEndpoint, ServiceEndpoint, Spec,
};

/// Families that do not run the only notebook platform that can still be started (fact book, section 4.1).
const NOT_ON_AL2023: [&str; 4] = ["ml.p2.", "ml.p3.", "ml.inf1.", "ml.g3."];

pub fn notebook(spec: &Spec, reader: &mut Reader) {
    let Some(notebook) = &spec.notebook else { return };
    let instance = &notebook.instance;
    if !name::instance(instance, "ml") {
        let message = format!("`{instance}` is not a SageMaker instance type");
        reader.report("notebook.instance", message, "write a type such as `ml.t3.medium`");
    } else if NOT_ON_AL2023.iter().any(|family| instance.starts_with(family)) {
        let message =
            format!("{instance} does not run Amazon Linux 2023, the only platform notebooks still start on");
        reader.report(
            "notebook.instance",
            message,
            "write a type such as `ml.t3.medium` or `ml.g4dn.xlarge`",
        );
    }
    if !(5..=16_384).contains(&notebook.volume) {
        let message = format!("a volume of {} GiB is not possible", notebook.volume);
        reader.report("notebook.volume", message, "write 5 to 16384");
    }
    files(notebook, spec.bucket.is_some(), reader);
    let (wanted, key) = match notebook.subnet {
        NotebookSubnet::Private => ("private", "private_subnets"),
        NotebookSubnet::Public => ("public", "public_subnets"),
    };
    let known = reader.sound("notebook.subnet") && reader.sound(&format!("network.{key}"));
    let there = spec.network.as_ref().is_some_and(|network| match notebook.subnet {
        NotebookSubnet::Private => !network.private_subnets.is_empty(),
        NotebookSubnet::Public => !network.public_subnets.is_empty(),
    });
    // Without the line the default is meant, and the notebook as a whole is shown.
    let path = if reader.given("notebook.subnet") { "notebook.subnet" } else { "notebook" };
    if known && !there {
        let hint = format!("add `{key}: [CIDR]` to `network`");
        reader.report(path, format!("the notebook needs a {wanted} subnet, and there is none"), hint);
    } else if let (NotebookSubnet::Private, Some(network)) = (notebook.subnet, &spec.network) {
        let who = "the notebook";
        network::path(network, ServiceEndpoint::SagemakerApi, "sagemaker_api", "notebook", who, reader);
        if !notebook.files.is_empty() {
            network::path(network, ServiceEndpoint::S3, "s3", "notebook.files", who, reader);
        }
    }
}

fn files(notebook: &Notebook, bucket: bool, reader: &mut Reader) {
    if !notebook.files.is_empty() && !bucket && reader.sound("bucket") {
        let message = "the files pass through the stack's bucket, and it has none";
        reader.report("notebook.files", message, "add `bucket: {}`");
    }
    for (n, file) in notebook.files.iter().enumerate() {
        let path = format!("notebook.files[{n}]");
        if let Some((message, hint)) = not_beside(file) {
            reader.report(&path, message, hint);
        } else if notebook.files[..n].iter().any(|other| base(other) == base(file)) {
            let message = format!("a second file `{}`: all are copied into one folder", base(file));
            reader.report(&path, message, "rename one of them");
        }
    }
}

/// Why a path names no file beside the spec, and what to write.
pub fn not_beside(file: &str) -> Option<(String, &'static str)> {
    let base = base(file);
    if file.starts_with(['/', '~']) || file.contains('\\') || file.split('/').any(|part| part == "..") {
        let hint = "write a path relative to the spec, with `/`, without `..`";
        return Some((format!("`{file}` does not lie beside the spec"), hint));
    }
    let no_file = base.is_empty() || base == "." || file.chars().any(char::is_control);
    no_file.then(|| (format!("`{file}` names no file"), "write a path such as `notebooks/part_1.ipynb`"))
}

pub fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

pub fn endpoints(spec: &Spec, reader: &mut Reader) {
    for (endpoint_name, endpoint) in &spec.endpoints {
        let path = join("endpoints", endpoint_name);
        if !name::sagemaker(endpoint_name) {
            let hint = "1 to 63 letters, digits and hyphens, first and last no hyphen";
            reader.report(
                &path,
                format!("`{endpoint_name}` is not possible as the name of an endpoint"),
                hint,
            );
        }
        match endpoint.managed_by {
            EndpointManager::Notebook => by_notebook(&path, reader),
            EndpointManager::Stack => by_stack(spec, endpoint, &path, reader),
        }
    }
}

fn by_notebook(path: &str, reader: &mut Reader) {
    for key in ["model", "instance", "count", "serverless"] {
        let inner = join(path, key);
        if reader.given(&inner) {
            let message = format!("`{key}` does not go with `managed_by: notebook`");
            let hint = "remove it: the notebook decides; or write `managed_by: stack`";
            reader.report_key(&inner, message, hint);
        }
    }
}

fn by_stack(spec: &Spec, endpoint: &Endpoint, path: &str, reader: &mut Reader) {
    match &endpoint.model {
        Some(found) => model(&spec.region, found, &join(path, "model"), reader),
        None if reader.given(&join(path, "model")) => {}
        None => {
            let hint = "add `model: { image, artifact }`, or write `managed_by: notebook` if something else creates it";
            reader.report(path, "an endpoint that the stack manages needs a model", hint);
        }
    }
    match (&endpoint.instance, &endpoint.serverless) {
        (Some(_), Some(_)) => {
            let message = "an endpoint has either `instance` or `serverless`, not both";
            reader.report_key(&join(path, "serverless"), message, "remove one of the two");
        }
        (None, None) => {
            let hint = "add `instance: ml.m5.large` or `serverless: {}`";
            reader.report(path, "nothing says what the endpoint runs on", hint);
        }
        (Some(instance), None) if instance == "serverless" => {
            reader.report(
                &join(path, "instance"),
                "`serverless` is not an instance type",
                "write `serverless: {}`",
            );
        }
        (Some(instance), None) if !name::instance(instance, "ml") => {
            let message = format!("`{instance}` is not a SageMaker instance type");
            reader.report(&join(path, "instance"), message, "write a type such as `ml.m5.large`");
        }
        (Some(_), None) => {}
        (None, Some(serverless)) => {
            capacity(serverless, &join(path, "serverless"), reader);
            if reader.given(&join(path, "count")) {
                let hint = "remove it; `max_concurrency` limits what runs at once";
                reader.report_key(
                    &join(path, "count"),
                    "a serverless endpoint has no instances to count",
                    hint,
                );
            }
        }
    }
    if endpoint.count == 0 {
        reader.report(&join(path, "count"), "an endpoint needs at least one instance", "write `count: 1`");
    }
}

/// Fact book, section 4.3.
fn capacity(serverless: &ServerlessEndpoint, path: &str, reader: &mut Reader) {
    let memory = serverless.memory;
    if !(1024..=6144).contains(&memory) || !memory.is_multiple_of(1024) {
        let message = format!("{memory} MB of memory are not possible");
        reader.report(&join(path, "memory"), message, "write 1024, 2048, 3072, 4096, 5120 or 6144");
    }
    if !(1..=200).contains(&serverless.max_concurrency) {
        let message = format!("{} requests at once are not possible", serverless.max_concurrency);
        reader.report(&join(path, "max_concurrency"), message, "write 1 to 200");
    }
}

fn model(region: &str, model: &Model, path: &str, reader: &mut Reader) {
    image(region, &model.image, &join(path, "image"), reader);
    if let Some(artifact) = &model.artifact {
        let parts = artifact.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let possible = parts.is_some_and(|(bucket, key)| {
            name::bucket(bucket).is_none() && !key.is_empty() && key.len() <= 1024
        });
        if !possible {
            let message = format!("`{artifact}` is not the address of an object in S3");
            reader.report(
                &join(path, "artifact"),
                message,
                "write `s3://BUCKET/KEY`, such as `s3://my-models/churn/model.tar.gz`",
            );
        }
    } else if model.image.starts_with("xgboost:") && !reader.given(&join(path, "artifact")) {
        // AWS takes such a model, and an article's stack has one that a notebook replaces.
        let hint =
            "add `artifact: \"s3://BUCKET/KEY\"` of a trained model, unless something else deploys one";
        let message = "without `artifact` the built-in XGBoost image has no model: the endpoint costs money and answers nothing";
        reader.warn_key(path, message, hint);
    }
    for (key, value) in &model.environment {
        if !name::variable(key) || key.len() > 1024 || value.chars().count() > 1024 {
            let hint = "a name of letters, digits and underscores, a value of at most 1024 characters";
            let message = format!("`{key}` is not possible as an environment variable");
            reader.report_key(&join(&join(path, "environment"), key), message, hint);
        }
    }
}

/// Fact book, section 4.5.
fn image(region: &str, image: &str, path: &str, reader: &mut Reader) {
    if let Some(version) = image.strip_prefix("xgboost:") {
        if matches!(version, "latest" | "1") {
            let message = format!("`{version}` is the tag of XGBoost 0.72 of 2018, in other accounts");
            reader.report(path, message, "write a version, such as `xgboost:1.7-1`");
        } else if !XGBOOST_VERSIONS.contains(&version) {
            let release = version.split('-').next().unwrap_or(version);
            let near = XGBOOST_VERSIONS.iter().find(|known| known.split('-').next() == Some(release));
            let hint = match near {
                Some(near) => format!("did you mean `xgboost:{near}`?"),
                None => format!("there are {}", list(&XGBOOST_VERSIONS)),
            };
            reader.report(path, format!("there is no built-in XGBoost image `{version}`"), hint);
        } else if xgboost_image(region, version).is_none() && name::region(region) {
            let message = format!("the account of the built-in XGBoost image in {region} is not known");
            reader.report(path, message, "write the full image URI");
        }
    } else if !uri(image) {
        let message = format!("`{image}` is neither `xgboost:VERSION` nor an image URI");
        let hint = "write `xgboost:1.7-1`, or `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`";
        reader.report(path, message, hint);
    }
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com[.cn]/REPOSITORY[:TAG|@sha256:DIGEST]`
fn uri(image: &str) -> bool {
    let Some((host, repository)) = image.split_once('/') else { return false };
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else { return false };
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"));
    account.len() == 12
        && account.chars().all(|c| c.is_ascii_digit())
        && region.is_some_and(name::region)
        && repository.starts_with(|c: char| c.is_ascii_alphanumeric())
        && repository.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
}
