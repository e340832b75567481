//! The notebook, the files in it, and what it is told of the stack.

use super::network::Network;
use super::sagemaker::built_in_image;
use super::{Builder, Code};
use crate::base::{Id, Input};
use crate::kinds::{bucket_object, notebook, notebook_config};
use crate::spec::{Aurora, EndpointManager, Notebook, NotebookSubnet};

/// The only platform that AWS still starts (fact book, section 4.1).
const PLATFORM: &str = "notebook-al2023-v1";
/// Characters of a lifecycle script as it is sent (fact book, section 4.2).
const SCRIPT_MAX: usize = 16_384;
/// The version of the built-in XGBoost that the notebooks train with.
const XGBOOST: &str = "1.7-1";

impl Builder<'_> {
    pub(super) fn notebook(&mut self, network: &Network, secret: Option<&Id>) {
        let Some(spec) = &self.spec.notebook else { return };
        let role = self.notebook_role(secret);
        let files = self.files(spec);
        let props = notebook_config::Props {
            on_create: self.copy_script(&files) + &lines(spec.on_create.as_deref()),
            on_start: self.values_script(secret.is_some()) + &lines(spec.on_start.as_deref()),
        };
        for (hook, script) in [("first", &props.on_create), ("every", &props.on_start)] {
            // What is sent is base64, four characters for three bytes.
            let length = script.len().div_ceil(3) * 4;
            if length > SCRIPT_MAX {
                self.problem(
                    Code::NotebookScriptSize,
                    "notebook.files",
                    format!("the script for the {hook} start would have {length} characters, and AWS allows {SCRIPT_MAX}"),
                    "list fewer files, or pack them into one archive",
                );
            }
        }
        let config_name = self.place.notebook_config();
        let config = self
            .graph
            .add(Id::new("notebook_config", "main"), props)
            .predict("name", config_name)
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
            subnet: subnet.clone(),
            security_groups: network.notebook_group.iter().map(|group| Input::of(group, "id")).collect(),
            direct_internet_access: public,
            role,
            lifecycle_config: Input::of(&config, "name"),
            platform: PLATFORM.into(),
            metadata_version: Some("2".into()),
            kms_key: self.spec.kms_key.clone(),
            running: Some(true),
            tags: self.encrypted_tags(&id),
        };
        // Its script runs at the first start and must be able to reach S3.
        self.graph.add(id, props).predict("name", self.place.notebook()).after(&network.ways_out);
    }

    /// Objects that hold the notebook's files: resource, key, file name.
    fn files(&mut self, spec: &Notebook) -> Vec<(Id, String, String)> {
        let files = spec.files.iter().filter_map(|path| {
            let (id, key) = self.file(path, "notebook.files")?;
            let name = id.name.clone();
            Some((id, key, name))
        });
        files.collect()
    }

    /// The object that holds a local file which `field` of the spec names, and its key.
    pub(super) fn file(&mut self, path: &str, field: &str) -> Option<(Id, String)> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let hash = match self.facts.files.get(path) {
            Some(Ok(hash)) => hash.chars().take(8).collect::<String>(),
            Some(Err(why)) => {
                let help = "correct the path, which starts at the spec's folder, or remove it";
                self.problem(Code::FileUnreadable, field, format!("cannot read {path}: {why}"), help);
                return None;
            }
            None => String::new(),
        };
        let key = format!("auroraml/{hash}/{name}");
        let id = Id::new("bucket_object", name);
        // One file may be named twice, for the notebook and for a table.
        if self.graph.resources.get(&id).is_none_or(|known| known.props["path"] != path) {
            let props = bucket_object::Props {
                bucket: Input::of(&Id::new("bucket", "main"), "name"),
                key: key.clone(),
                path: Some(path.to_string()),
            };
            self.graph.add(id.clone(), props);
        }
        Some((id, key))
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
        let endpoint = self.spec.endpoints.iter().next();
        let by = endpoint.map_or("", |(_, endpoint)| match endpoint.managed_by {
            EndpointManager::Stack => "stack",
            EndpointManager::Notebook => "notebook",
        });
        let (cluster, database) = match &self.spec.aurora {
            Some(Aurora::Owned(owned)) => (place.cluster(), owned.database.as_deref()),
            Some(Aurora::Existing(existing)) => (existing.existing.clone(), None),
            None => (String::new(), None),
        };
        let cluster_arn = if cluster.is_empty() { String::new() } else { place.cluster_arn(&cluster) };
        let secret = match &self.spec.aurora {
            // The Data API wants the ARN, which ends in six characters that AWS draws.
            _ if own_secret => format!(
                "SECRET=$(aws secretsmanager describe-secret --region {} --secret-id {1} --query ARN --output text || echo {1})\n",
                place.region,
                quote(&place.secret()),
            ),
            // RDS chooses the name of a secret that it manages.
            Some(Aurora::Owned(_)) => format!(
                "SECRET=$(aws rds describe-db-clusters --region {} --db-cluster-identifier {cluster} --query 'DBClusters[0].MasterUserSecret.SecretArn' --output text || true)\n",
                place.region,
            ),
            _ => "SECRET=\n".into(),
        };
        let values = [
            ("STACK", place.stack.clone()),
            ("ENDPOINT", endpoint.map(|(name, _)| name.clone()).unwrap_or_default()),
            ("MANAGED_BY", by.to_string()),
            ("REGION", place.region.clone()),
            ("DBCLUSTER", cluster_arn),
            ("DATABASE", database.unwrap_or_default().to_string()),
            ("DBSECRET", "$SECRET".to_string()),
            ("S3BUCKET", self.spec.bucket.as_ref().map(|_| self.bucket_name()).unwrap_or_default()),
            ("ROLE", place.role_arn("notebook")),
            ("XGBOOST", built_in_image(&place.region, XGBOOST).unwrap_or_default()),
        ];
        let lines: String = values.iter().map(|(name, value)| format!("{name} = \"{value}\"\n")).collect();
        let file = "/home/ec2-user/SageMaker/cloudformation_values.py";
        format!(
            "#!/bin/bash\nset -eu\n{secret}cat > {file} <<EOF\n{lines}EOF\nchown ec2-user:ec2-user {file}\n"
        )
    }
}

/// Lines of the spec behind the stack's own.
fn lines(given: Option<&str>) -> String {
    given.map_or_else(String::new, |lines| format!("{}\n", lines.trim_end()))
}

/// A word for the shell, whatever is in it.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
