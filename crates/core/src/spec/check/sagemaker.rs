//! Notebook and endpoints.

use super::container::{container, variables};
use super::{classes, name, network, physical, statements, training};
use crate::spec::reader::{Reader, join};
use crate::spec::{
    Endpoint, EndpointManager, Model, Network, Notebook, NotebookSubnet, ServerlessEndpoint, ServiceEndpoint,
    Spec,
};

/// Families that do not run the only notebook platform that can still be started (fact book, section 4.1).
const NOT_ON_AL2023: [&str; 4] = ["ml.p2.", "ml.p3.", "ml.inf1.", "ml.g3."];

pub fn notebook(spec: &Spec, reader: &mut Reader) {
    let Some(notebook) = &spec.notebook else { return };
    let instance = &notebook.instance;
    let possible = classes::class(instance, &classes::ON_NOTEBOOK, "notebook.instance", reader);
    if possible && NOT_ON_AL2023.iter().any(|family| instance.starts_with(family)) {
        let message = format!("`{instance}` does not run Amazon Linux 2023, which notebooks need");
        reader.report(
            "notebook.instance",
            message,
            "write a type such as `ml.t3.medium` or `ml.g4dn.xlarge`",
        );
    }
    if !(5..=16_384).contains(&notebook.volume) {
        let message = format!("invalid volume size {} GiB", notebook.volume);
        reader.report("notebook.volume", message, "write 5 to 16384");
    }
    files(notebook, spec.bucket.is_some(), reader);
    physical::notebook(notebook, reader);
    statements::statements(&notebook.statements, "notebook.statements", reader);
    scripts(notebook, reader);
    let (wanted, key) = match notebook.subnet {
        NotebookSubnet::Private => ("private", "private_subnets"),
        NotebookSubnet::Public => ("public", "public_subnets"),
    };
    let known = reader.sound("notebook.subnet") && reader.sound(&format!("network.{key}"));
    let (private, public) = spec.network.as_ref().map(Network::subnets).unwrap_or_default();
    let there = match notebook.subnet {
        NotebookSubnet::Private => private > 0,
        NotebookSubnet::Public => public > 0,
    };
    // Without the line the default is meant, and the notebook as a whole is shown.
    let path = if reader.given("notebook.subnet") { "notebook.subnet" } else { "notebook" };
    if known && !there {
        let one = if matches!(spec.network, Some(Network::Existing(_))) { "SUBNET-ID" } else { "CIDR" };
        let hint = format!("add `{key}: [{one}]` to `network`");
        reader.report(path, format!("the notebook needs a {wanted} subnet, and there is none"), hint);
    } else if let (NotebookSubnet::Private, Some(Network::Owned(network))) = (notebook.subnet, &spec.network)
    {
        let who = "the notebook";
        network::path(network, ServiceEndpoint::SagemakerApi, "sagemaker_api", "notebook", who, reader);
        if !notebook.files.is_empty() {
            network::path(network, ServiceEndpoint::S3, "s3", "notebook.files", who, reader);
        }
    }
}

/// Extra lines of the lifecycle scripts. How long the whole may be is seen when it is made.
fn scripts(notebook: &Notebook, reader: &mut Reader) {
    for (key, lines) in [("on_create", &notebook.on_create), ("on_start", &notebook.on_start)] {
        let Some(lines) = lines else { continue };
        let path = join("notebook", key);
        if lines.trim().is_empty() {
            reader.report(&path, "the script is empty", "write the lines after `|`, or remove the key");
        } else if lines.chars().any(|c| c.is_control() && !"\n\t".contains(c)) {
            // A carriage return becomes part of a word in bash.
            let message = "the script has control characters, such as Windows line ends";
            reader.report(&path, message, "save the file with Unix line ends (LF)");
        }
    }
}

fn files(notebook: &Notebook, bucket: bool, reader: &mut Reader) {
    if !notebook.files.is_empty() && !bucket && reader.sound("bucket") {
        let message = "the files are copied through the stack's bucket, but the stack has none";
        reader.report("notebook.files", message, "add `bucket: {}`");
    }
    for (n, file) in notebook.files.iter().enumerate() {
        let path = format!("notebook.files[{n}]");
        if let Some((message, hint)) = not_beside(file) {
            reader.report(&path, message, hint);
        } else if notebook.files[..n].iter().any(|other| base(other) == base(file)) {
            let message =
                format!("duplicate file name `{}`: all files are copied into one folder", base(file));
            reader.report(&path, message, "rename one of them");
        }
    }
}

/// Why a path names no file beside the spec, and what to write.
pub fn not_beside(file: &str) -> Option<(String, &'static str)> {
    let base = base(file);
    if file.starts_with(['/', '~']) || file.contains('\\') || file.split('/').any(|part| part == "..") {
        let hint = "write a path relative to the spec, with `/`, without `..`";
        return Some((format!("`{file}` is not in the spec's folder"), hint));
    }
    let no_file = base.is_empty() || base == "." || file.chars().any(char::is_control);
    no_file.then(|| (format!("`{file}` is not a file"), "write a path such as `notebooks/part_1.ipynb`"))
}

pub fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

pub fn endpoints(spec: &Spec, reader: &mut Reader) {
    for (endpoint_name, endpoint) in &spec.endpoints {
        let path = join("endpoints", endpoint_name);
        if !name::sagemaker(endpoint_name) {
            let hint = "use 1 to 63 letters, digits and hyphens; do not begin or end with a hyphen";
            reader.report(&path, format!("invalid endpoint name `{endpoint_name}`"), hint);
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
            let message = format!("`{key}` cannot be combined with `managed_by: notebook`");
            let hint = "remove it, or write `managed_by: stack`";
            reader.report_key(&inner, message, hint);
        }
    }
}

fn by_stack(spec: &Spec, endpoint: &Endpoint, path: &str, reader: &mut Reader) {
    match &endpoint.model {
        Some(found) => model(spec, found, &join(path, "model"), reader),
        None if reader.given(&join(path, "model")) => {}
        None => {
            let hint = "add `model: { image, artifact }`, or `training:` or `autopilot:` under `model:`, or write `managed_by: notebook` if something else creates it";
            reader.report(path, "the endpoint has no model", hint);
        }
    }
    match (&endpoint.instance, &endpoint.serverless) {
        (Some(_), Some(_)) => {
            let message = "`serverless` cannot be combined with `instance`";
            reader.report_key(&join(path, "serverless"), message, "remove one of the two");
        }
        (None, None) => {
            let hint = "add `instance: ml.m5.large` or `serverless: {}`";
            reader.report(path, "the endpoint has neither `instance` nor `serverless`", hint);
        }
        (Some(instance), None) if instance == "serverless" => {
            reader.report(
                &join(path, "instance"),
                "`serverless` is not an instance type",
                "write `serverless: {}`",
            );
        }
        (Some(instance), None) => {
            classes::class(instance, &classes::ON_ENDPOINT, &join(path, "instance"), reader);
        }
        (None, Some(serverless)) => {
            capacity(serverless, &join(path, "serverless"), reader);
            if reader.given(&join(path, "count")) {
                let hint = "remove it; `max_concurrency` limits concurrent requests";
                reader.report_key(&join(path, "count"), "`count` cannot be combined with `serverless`", hint);
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
        let message = format!("invalid memory size {memory} MB");
        reader.report(&join(path, "memory"), message, "write 1024, 2048, 3072, 4096, 5120 or 6144");
    }
    if !(1..=200).contains(&serverless.max_concurrency) {
        let message = format!("invalid concurrency {}", serverless.max_concurrency);
        reader.report(&join(path, "max_concurrency"), message, "write 1 to 200");
    }
}

/// The ways in which a model comes about.
const WAYS: [&str; 4] = ["image", "containers", "training", "autopilot"];

fn model(spec: &Spec, model: &Model, path: &str, reader: &mut Reader) {
    let given = [
        model.image.is_some(),
        !model.containers.is_empty(),
        model.training.is_some(),
        model.autopilot.is_some(),
    ];
    let broken = WAYS.iter().any(|way| !reader.sound(&join(path, way)));
    let ways: Vec<&str> =
        WAYS.into_iter().zip(given).filter(|(_, given)| *given).map(|(way, _)| way).collect();
    match ways.as_slice() {
        [] if !broken => {
            let hint = "write `image:` and `artifact:`, or `containers:`, `training:` or `autopilot:`";
            reader.report_key(path, "the model has no source", hint);
        }
        [first, second, ..] => {
            let message = format!("`{second}` cannot be combined with `{first}`");
            reader.report_key(&join(path, second), message, "remove one of the two");
        }
        _ => {}
    }
    let beside = |key: &str, goes: bool, why: &str, reader: &mut Reader| {
        let inner = join(path, key);
        if !goes && !ways.is_empty() && reader.given(&inner) {
            reader.report_key(
                &inner,
                format!("`{key}` cannot be combined with `{}`: {why}", ways[0]),
                "remove it",
            );
        }
    };
    let own = model.image.is_some();
    beside("artifact", own, "that says where the model is", reader);
    let goes = own || model.training.is_some();
    beside("environment", goes, "the containers have their own", reader);
    if let Some(found) = &model.image {
        container(&spec.region, found, model.artifact.as_deref(), path, reader);
    }
    variables(&model.environment, path, reader);
    if model.containers.len() > 15 {
        let message = format!("{} containers: a model has at most 15", model.containers.len());
        reader.report(&join(path, "containers"), message, "merge some of them");
    }
    for (n, found) in model.containers.iter().enumerate() {
        let path = format!("{}[{n}]", join(path, "containers"));
        container(&spec.region, &found.image, found.artifact.as_deref(), &path, reader);
        variables(&found.environment, &path, reader);
    }
    if let Some(found) = &model.training {
        training::training(spec, found, &join(path, "training"), reader);
    }
    if let Some(found) = &model.autopilot {
        training::autopilot(spec, found, &join(path, "autopilot"), reader);
    }
}
