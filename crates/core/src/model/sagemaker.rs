//! Models, endpoints, the notebook, the bucket and the files in it.

use super::Builder;
use super::jobs::{self, Made, Needs};
use super::network::Network;
use super::roles::arn;
use crate::base::{Id, Input, policy};
use crate::kinds::{bucket, bucket_object, endpoint, endpoint_config, model, notebook, notebook_config};
use crate::spec::{Aurora, Endpoint, Model, Notebook, NotebookSubnet, xgboost_image};
use serde_json::{Value, json};

/// The only platform that AWS still starts (fact book, section 4.1).
const PLATFORM: &str = "notebook-al2023-v1";
/// Characters of a lifecycle script as it is sent (fact book, section 4.2).
const SCRIPT_MAX: usize = 16_384;

impl Builder<'_> {
    pub(super) fn bucket(&mut self) {
        let Some(spec) = &self.spec.bucket else { return };
        let (id, name) = (Id::new("bucket", "main"), self.bucket_name());
        let arn = self.place.bucket_arn(&name);
        let tls_only = policy::document(vec![json!({
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn.clone(), format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        })]);
        let props = bucket::Props {
            name: name.clone(),
            versioning: spec.versioning,
            public_access_blocked: true,
            policy: tls_only,
            tags: self.tags(&id),
        };
        self.graph.add(id, props).predict("name", name).predict("arn", arn);
    }

    pub(super) fn endpoints(&mut self) {
        let managed: Vec<(&String, &Endpoint, &Model)> = jobs::managed(self.spec).collect();
        if managed.is_empty() {
            return;
        }
        let (mut found, mut needs) = (Vec::new(), Needs::default());
        for (name, spec, model) in managed {
            let Some(more) = self.needs(name, model) else { continue };
            needs.images.extend(more.images);
            needs.objects.extend(more.objects);
            needs.any_image |= more.any_image;
            found.push((name, spec, model));
        }
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        let role = self.model_role(&names, &needs);
        self.job_role();
        for (name, spec, model) in found {
            if let Some(made) = self.made(name, model) {
                self.endpoint(name, spec, made, &role);
            }
        }
    }

    /// The URI of an image; `path` is where it stands.
    pub(super) fn image(&mut self, path: &str, image: &str) -> Option<String> {
        let Some(version) = image.strip_prefix("xgboost:") else { return Some(image.to_string()) };
        let found = xgboost_image(&self.place.region, version);
        if found.is_none() {
            let why = format!("no account is known that holds the image {image} in {}", self.place.region);
            let hint = "give the full image URI instead of xgboost:VERSION";
            self.problem(format!("{path}.image"), why, hint);
        }
        found
    }

    fn endpoint(&mut self, name: &str, spec: &Endpoint, made: Made, role: &Id) {
        let built_in = spec.model.as_ref().and_then(|model| model.image.as_deref());
        if made.artifact.is_none() && built_in.is_some_and(|image| image.starts_with("xgboost:")) {
            self.graph.notes.push(format!(
                "the model of endpoint {name} has no artifact: the endpoint costs money and answers nothing until it has one"
            ));
        }
        // Models and configurations cannot change: what they are is in their names, and a change makes new
        // ones beside the old, which go when the endpoint has moved (fact book, section 4.3).
        let mut content = vec![json!(name)];
        content.extend(made.content);
        content.push(json!(self.place.role_arn("model")));
        let id = Id::hashed("model", name, &Value::Array(content));
        let physical = self.place.hashed_name(&id.name);
        let props = model::Props {
            endpoint: name.into(),
            image: made.image,
            artifact: made.artifact,
            environment: made.environment,
            containers: made.containers,
            role: arn(role),
            tags: self.tags(&id),
        };
        let model = self.graph.add(id, props).predict("name", &physical).id();
        let serverless = spec.serverless.as_ref();
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let (memory, concurrency) =
            (serverless.map(|s| number(s.memory)), serverless.map(|s| number(s.max_concurrency)));
        let count = spec.instance.as_ref().map(|_| number(spec.count));
        let content = json!([name, physical, spec.instance, count, memory, concurrency]);
        let id = Id::hashed("endpoint_config", name, &content);
        let physical = self.place.hashed_name(&id.name);
        let props = endpoint_config::Props {
            endpoint: name.into(),
            model: Input::of(&model, "name"),
            instance: spec.instance.clone(),
            count,
            memory,
            max_concurrency: concurrency,
            tags: self.tags(&id),
        };
        let config = self.graph.add(id, props).predict("name", physical).id();
        let id = Id::new("endpoint", name);
        let props = endpoint::Props {
            config: Input::of(&config, "name"),
            serverless: Some(serverless.is_some()),
            tags: self.tags(&id),
        };
        self.graph.add(id, props).predict("arn", self.place.endpoint_arn(name));
    }

    pub(super) fn notebook(&mut self, network: &Network, secret: Option<&Id>) {
        let Some(spec) = &self.spec.notebook else { return };
        let role = self.notebook_role(secret);
        let files = self.files(spec);
        let props = notebook_config::Props {
            on_create: self.copy_script(&files),
            on_start: self.values_script(secret.is_some()),
        };
        for (hook, script) in [("first", &props.on_create), ("every", &props.on_start)] {
            // What is sent is base64, four characters for three bytes.
            let length = script.len().div_ceil(3) * 4;
            if length > SCRIPT_MAX {
                self.problem(
                    "notebook.files",
                    format!("the script of the {hook} start would have {length} characters, and AWS takes {SCRIPT_MAX}"),
                    "list fewer files, or put them into one archive",
                );
            }
        }
        let name = self.place.name("notebook");
        let config = self
            .graph
            .add(Id::new("notebook_config", "main"), props)
            .predict("name", &name)
            .after(files.iter().map(|(id, _, _)| id))
            .id();
        let (subnets, public) = match spec.subnet {
            NotebookSubnet::Private => (&network.private, false),
            NotebookSubnet::Public => (&network.public, true),
        };
        let Some(subnet) = subnets.first() else { return };
        let id = Id::new("notebook", "main");
        let props = notebook::Props {
            instance: spec.instance.clone(),
            volume: i32::try_from(spec.volume).unwrap_or(i32::MAX),
            subnet: Input::of(subnet, "id"),
            security_groups: network.notebook_group.iter().map(|group| Input::of(group, "id")).collect(),
            direct_internet_access: public,
            role: arn(&role),
            lifecycle_config: Input::of(&config, "name"),
            platform: PLATFORM.into(),
            metadata_version: Some("2".into()),
            running: Some(true),
            tags: self.tags(&id),
        };
        // Its script runs at the first start and must be able to reach S3.
        self.graph.add(id, props).predict("name", name).after(&network.ways_out);
    }

    /// Objects that hold the notebook's files: resource, key, file name.
    fn files(&mut self, spec: &Notebook) -> Vec<(Id, String, String)> {
        let mut objects = Vec::new();
        for path in &spec.files {
            let name = path.rsplit('/').next().unwrap_or(path).to_string();
            let hash = match self.facts.files.get(path) {
                Some(Ok(hash)) => hash.chars().take(8).collect::<String>(),
                Some(Err(why)) => {
                    let help = "correct the path, which starts from the folder of the spec, or take it out";
                    self.problem("notebook.files", format!("{path} cannot be read: {why}"), help);
                    continue;
                }
                None => String::new(),
            };
            let key = format!("auroraml/{hash}/{name}");
            let id = Id::new("bucket_object", name.clone());
            let props = bucket_object::Props {
                bucket: Input::of(&Id::new("bucket", "main"), "name"),
                key: key.clone(),
                path: Some(path.clone()),
            };
            objects.push((self.graph.add(id, props).id(), key, name));
        }
        objects
    }

    /// Copies each file once: what a person edits in the notebook is never overwritten.
    fn copy_script(&self, files: &[(Id, String, String)]) -> String {
        let mut script = String::from("#!/bin/bash\nset -eu\ncd /home/ec2-user/SageMaker\n");
        for (_, key, name) in files {
            let source = format!("s3://{}/{key}", self.bucket_name());
            script.push_str(&format!("[ -e {0} ] || aws s3 cp {1} {0}\n", quote(name), quote(&source)));
        }
        script.push_str("chown -R ec2-user:ec2-user .\n");
        script
    }

    /// Writes the file from which the notebooks read where everything is, under the name that it has in the
    /// article and that the notebooks import. Written anew at each start, so that
    /// it follows the stack.
    fn values_script(&self, own_secret: bool) -> String {
        let place = self.place;
        let endpoint = self.spec.endpoints.keys().next().cloned().unwrap_or_default();
        let bucket = self.spec.bucket.as_ref().map(|_| self.bucket_name()).unwrap_or_default();
        let secret = match (&self.spec.aurora, own_secret) {
            (_, true) => format!("SECRET={}\n", quote(&place.secret())),
            // RDS chooses the name of a secret that it manages.
            (Some(Aurora::Owned(_)), false) => format!(
                "SECRET=$(aws rds describe-db-clusters --region {} --db-cluster-identifier {} --query 'DBClusters[0].MasterUserSecret.SecretArn' --output text || true)\n",
                place.region,
                place.cluster()
            ),
            _ => "SECRET=\n".into(),
        };
        format!(
            "#!/bin/bash\nset -eu\n{secret}cat > /home/ec2-user/SageMaker/cloudformation_values.py <<EOF\nSTACK = \"{}\"\nENDPOINT = \"{endpoint}\"\nREGION = \"{}\"\nDBSECRET = \"$SECRET\"\nS3BUCKET = \"{bucket}\"\nEOF\nchown ec2-user:ec2-user /home/ec2-user/SageMaker/cloudformation_values.py\n",
            place.stack, place.region
        )
    }
}

/// A word for the shell, whatever is in it.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
