//! The keys of the spec and how they are read. The types say what they mean.

use super::node::{Node, Value};
use super::reader::{Fields, Read, Reader, choice, mismatch};
use super::restart::{Allow, Restart, Strategy};
use super::types::*;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// Enums whose names are the values.
macro_rules! read_choice {
    ($($name:ty),*) => {
        $(impl Read for $name {
            fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<$name> {
                choice(node, path, reader)
            }
        })*
    };
}

read_choice!(
    Nat,
    ServiceEndpoint,
    BucketOnDestroy,
    SecretManager,
    Strategy,
    Allow,
    ClusterOnDestroy,
    Storage,
    NotebookSubnet,
    EndpointManager
);

const INDENTED: &str = "write `key: value`, one a line, indented";

fn nothing_special(_: &str) -> Option<(String, String)> {
    None
}

/// Keys of the design that a later version will have.
fn later(key: &str) -> Option<(String, String)> {
    let hint = match key {
        "functions" => "create the SQL functions with a MySQL client, as the notebooks in specs/notebooks do",
        "training" | "autopilot" => {
            "train in the notebook and give `model: { image, artifact }`, or let the notebook deploy with \
             `managed_by: notebook`"
        }
        _ => return None,
    };
    Some((format!("`{key}` is not available in this version"), hint.to_owned()))
}

/// The spec of the tree; what could not be read is replaced by a stand-in and reported.
pub fn spec(root: &Node, reader: &mut Reader) -> Option<Spec> {
    let start = "a spec begins with `stack: NAME` and `region: REGION`; `auroraml init` writes one";
    if matches!(root.value, Value::Null) {
        reader.refuse("", "the file is empty".to_owned(), Some(start.to_owned()));
        return None;
    }
    let mut f = Fields::new(root, "", reader, start)?;
    let spec = Spec {
        stack: f.required("stack", String::new(), "write `stack: NAME`, such as `stack: churn`", reader),
        region: f.required(
            "region",
            String::new(),
            "write `region: us-east-1` or another AWS region",
            reader,
        ),
        tags: f.or("tags", BTreeMap::new(), reader),
        expires_after: f.optional("expires_after", reader),
        network: f.optional("network", reader),
        bucket: f.optional("bucket", reader),
        aurora: f.optional("aurora", reader),
        machine_learning: f.or("machine_learning", MachineLearning::default(), reader),
        notebook: f.optional("notebook", reader),
        endpoints: f.or("endpoints", BTreeMap::new(), reader),
    };
    f.finish(reader, later);
    Some(spec)
}

impl Read for Network {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Network> {
        let mut f = Fields::new(node, path, reader, INDENTED)?;
        let network = Network {
            cidr: f.required("cidr", Ipv4Net::default(), "write `cidr: 10.0.0.0/16`", reader),
            public_subnets: f.or("public_subnets", Vec::new(), reader),
            private_subnets: f.or("private_subnets", Vec::new(), reader),
            nat: f.or("nat", Nat::default(), reader),
            endpoints: f.or("endpoints", Vec::new(), reader),
        };
        f.finish(reader, nothing_special);
        Some(network)
    }
}

impl Read for Bucket {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Bucket> {
        let mut f = Fields::new(node, path, reader, "write `bucket: {}` for one with all defaults")?;
        let bucket = Bucket {
            name: f.optional("name", reader),
            versioning: f.or("versioning", false, reader),
            on_destroy: f.or("on_destroy", BucketOnDestroy::default(), reader),
        };
        f.finish(reader, nothing_special);
        Some(bucket)
    }
}

/// The keys of a cluster that the stack owns, beside `restart`.
const OWNED_KEYS: [&str; 15] = [
    "engine_version",
    "instances",
    "serverless",
    "database",
    "username",
    "secret",
    "data_api",
    "allow_from",
    "parameters",
    "on_destroy",
    "deletion_protection",
    "backup_retention_days",
    "auto_minor_version_upgrade",
    "port",
    "storage",
];

impl Read for Aurora {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Aurora> {
        if reader.given(&format!("{path}.existing")) {
            return ExistingCluster::read(node, path, reader).map(Aurora::Existing);
        }
        Box::<Cluster>::read(node, path, reader).map(Aurora::Owned)
    }
}

impl Read for ExistingCluster {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<ExistingCluster> {
        let mut f = Fields::new(node, path, reader, INDENTED)?;
        let hint = "write `existing: CLUSTER-IDENTIFIER`";
        let cluster = ExistingCluster {
            existing: f.required("existing", String::new(), hint, reader),
            restart: f.or("restart", Restart::default(), reader),
        };
        f.finish(reader, |key| {
            OWNED_KEYS.contains(&key).then(|| {
                (
                    format!("`{key}` does not go with `existing`: of that cluster only the machine learning wiring is changed"),
                    format!("remove `{key}`, or remove `existing` to have the stack create a cluster of its own"),
                )
            })
        });
        Some(cluster)
    }
}

impl Read for Cluster {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Cluster> {
        let hint = "write `instances: [{ class: db.r6g.large }]` under it, or `existing: CLUSTER-IDENTIFIER`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let cluster = Cluster {
            engine_version: f.or("engine_version", default_engine_version(), reader),
            instances: f.or("instances", Vec::new(), reader),
            serverless: f.optional("serverless", reader),
            database: f.optional("database", reader),
            username: f.or("username", default_username(), reader),
            secret: f.or("secret", Secret::default(), reader),
            data_api: f.or("data_api", false, reader),
            allow_from: f.or("allow_from", Vec::new(), reader),
            parameters: f.or("parameters", BTreeMap::new(), reader),
            restart: f.or("restart", Restart::default(), reader),
            on_destroy: f.or("on_destroy", ClusterOnDestroy::default(), reader),
            deletion_protection: f.optional("deletion_protection", reader),
            backup_retention_days: f.or("backup_retention_days", default_backup_retention_days(), reader),
            auto_minor_version_upgrade: f.optional("auto_minor_version_upgrade", reader),
            port: f.or("port", default_port(), reader),
            storage: f.or("storage", Storage::default(), reader),
        };
        f.finish(reader, |key| match key {
            "password" => Some((
                "a password does not belong into a file".to_owned(),
                "leave it out: RDS makes and keeps one; or write `secret: { managed_by: stack, \
                 password_environment_variable: NAME }`"
                    .to_owned(),
            )),
            _ => None,
        });
        Some(cluster)
    }
}

impl Read for Instance {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Instance> {
        let mut f = Fields::new(node, path, reader, "write `{ class: db.r6g.large }`")?;
        let instance = Instance {
            class: f.required("class", String::new(), "write `class: db.r6g.large`", reader),
            promotion_tier: f.or("promotion_tier", default_promotion_tier(), reader),
        };
        f.finish(reader, nothing_special);
        Some(instance)
    }
}

impl Read for Serverless {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Serverless> {
        let hint = "write `serverless: { min: 0, max: 4 }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let serverless = Serverless {
            min: f.required("min", 0.0, hint, reader),
            max: f.required("max", 1.0, hint, reader),
            seconds_until_auto_pause: f.optional("seconds_until_auto_pause", reader),
        };
        f.finish(reader, nothing_special);
        Some(serverless)
    }
}

impl Read for Secret {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Secret> {
        let hint = "write `secret: { managed_by: stack }`, or leave it out";
        let mut f = Fields::new(node, path, reader, hint)?;
        let secret = Secret {
            managed_by: f.or("managed_by", SecretManager::default(), reader),
            password_environment_variable: f.optional("password_environment_variable", reader),
            recovery_window_days: f.or("recovery_window_days", default_recovery_window_days(), reader),
        };
        f.finish(reader, nothing_special);
        Some(secret)
    }
}

impl Read for MachineLearning {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<MachineLearning> {
        let mut f = Fields::new(node, path, reader, INDENTED)?;
        let machine_learning = MachineLearning {
            sagemaker: f.optional("sagemaker", reader),
            comprehend: f.or("comprehend", false, reader),
            s3: f.or("s3", S3Access::default(), reader),
            bedrock: f.optional("bedrock", reader),
        };
        f.finish(reader, nothing_special);
        Some(machine_learning)
    }
}

impl Read for SagemakerAccess {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<SagemakerAccess> {
        let hint = "write `sagemaker: { endpoints: [NAME] }` with names from `endpoints`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let access = SagemakerAccess { endpoints: f.required("endpoints", Vec::new(), hint, reader) };
        f.finish(reader, nothing_special);
        Some(access)
    }
}

impl Read for Restart {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Restart> {
        if !matches!(node.value, Value::Map(_)) {
            let strategy = choice(node, path, reader)?;
            return Some(Restart { strategy, ..Restart::default() });
        }
        let hint =
            "write `restart: rolling`, or `restart: { strategy: rolling, window: \"sun:03:00-sun:05:00\" }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let restart = Restart {
            strategy: f.or("strategy", Strategy::default(), reader),
            allow: f.optional("allow", reader),
            window: f.optional("window", reader),
            writer: f.optional("writer", reader),
        };
        f.finish(reader, nothing_special);
        Some(restart)
    }
}

impl Read for S3Access {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<S3Access> {
        let hint = "write `s3: true` for the stack's own bucket, or `s3: { buckets: [NAME] }`";
        match &node.value {
            Value::Bool(own) => Some(S3Access::Own(*own)),
            Value::Map(_) => {
                let mut f = Fields::new(node, path, reader, hint)?;
                let buckets = S3Buckets { buckets: f.required("buckets", Vec::new(), hint, reader) };
                f.finish(reader, nothing_special);
                Some(S3Access::Buckets(buckets))
            }
            _ => mismatch(node, path, reader, "a boolean or a mapping", hint),
        }
    }
}

impl Read for BedrockAccess {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<BedrockAccess> {
        let hint = "write `bedrock: { models: [MODEL-ID] }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let access = BedrockAccess { models: f.required("models", Vec::new(), hint, reader) };
        f.finish(reader, nothing_special);
        Some(access)
    }
}

impl Read for Notebook {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Notebook> {
        let mut f = Fields::new(node, path, reader, INDENTED)?;
        let notebook = Notebook {
            instance: f.required("instance", String::new(), "write `instance: ml.t3.medium`", reader),
            volume: f.or("volume", default_volume(), reader),
            files: f.or("files", Vec::new(), reader),
            subnet: f.or("subnet", NotebookSubnet::default(), reader),
        };
        f.finish(reader, nothing_special);
        Some(notebook)
    }
}

impl Read for Endpoint {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Endpoint> {
        let hint = "write `model:` and `instance:` under it, or `{ managed_by: notebook }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let endpoint = Endpoint {
            managed_by: f.or("managed_by", EndpointManager::default(), reader),
            model: f.optional("model", reader),
            instance: f.optional("instance", reader),
            count: f.or("count", default_count(), reader),
            serverless: f.optional("serverless", reader),
        };
        f.finish(reader, later);
        Some(endpoint)
    }
}

impl Read for Model {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Model> {
        let hint = "write `model: { image: \"xgboost:1.7-1\", artifact: \"s3://BUCKET/KEY\" }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let model = Model {
            image: f.required(
                "image",
                String::new(),
                "write `image: \"xgboost:1.7-1\"` or an image URI",
                reader,
            ),
            artifact: f.optional("artifact", reader),
            environment: f.or("environment", BTreeMap::new(), reader),
        };
        f.finish(reader, later);
        Some(model)
    }
}

impl Read for ServerlessEndpoint {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<ServerlessEndpoint> {
        let hint =
            "write `serverless: {}` for 2048 MB, or `serverless: { memory: 4096, max_concurrency: 10 }`";
        let mut f = Fields::new(node, path, reader, hint)?;
        let serverless = ServerlessEndpoint {
            memory: f.or("memory", default_memory(), reader),
            max_concurrency: f.or("max_concurrency", default_max_concurrency(), reader),
        };
        f.finish(reader, nothing_special);
        Some(serverless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message for a key that does not go with `existing` knows every key of a cluster.
    #[test]
    fn the_keys_of_an_owned_cluster_are_all_known() {
        let schema = schemars::schema_for!(Cluster).to_value();
        let mut keys: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut known: Vec<&str> = OWNED_KEYS.iter().copied().chain(["restart"]).collect();
        keys.sort_unstable();
        known.sort_unstable();
        assert_eq!(keys, known);
    }
}
