//! Models, endpoints and the bucket.

use super::from_tags;
use super::jobs::{self, Made, Needs};
use super::{Builder, Code};
use crate::base::names::unknown;
use crate::base::{Id, Input, policy};
use crate::kinds::{bucket, endpoint, endpoint_config, model};
use crate::spec::{Endpoint, Model, xgboost_image};
use serde_json::{Value, json};

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
        let mut tags = self.encrypted_tags(&id);
        tags.extend(from_tags::bucket_tag(spec.on_destroy));
        let props = bucket::Props {
            name: name.clone(),
            versioning: spec.versioning,
            public_access_blocked: true,
            policy: tls_only,
            kms_key: self.spec.kms_key.clone(),
            tags,
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
        let found = built_in_image(&self.place.region, version);
        if found.is_none() {
            let why = format!("the account of the image {image} in {} is unknown", self.place.region);
            let hint = "write the full image URI instead of xgboost:VERSION";
            self.problem(Code::ImageRegion, format!("{path}.image"), why, hint);
        }
        found
    }

    fn endpoint(&mut self, name: &str, spec: &Endpoint, made: Made, role: &Input) {
        let built_in = spec.model.as_ref().and_then(|model| model.image.as_deref());
        if made.artifact.is_none() && built_in.is_some_and(|image| image.starts_with("xgboost:")) {
            self.graph.notes.push(format!(
                "the model of endpoint {name} has no artifact: the endpoint costs money but cannot predict until it has one"
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
            role: role.clone(),
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
}

/// URI of the built-in XGBoost image; in any region, its account is the template's to find.
pub(super) fn built_in_image(region: &str, version: &str) -> Option<String> {
    if region != unknown::REGION {
        return xgboost_image(region, version);
    }
    let (account, suffix) = (unknown::REGISTRY, unknown::SUFFIX);
    Some(format!("{account}.dkr.ecr.{region}.{suffix}/sagemaker-xgboost:{version}"))
}
