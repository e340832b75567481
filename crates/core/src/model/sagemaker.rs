//! Models, endpoints and the bucket.

use super::Builder;
use super::roles::arn;
use crate::base::{Id, Input, policy};
use crate::kinds::{bucket, endpoint, endpoint_config, model};
use crate::spec::{Endpoint, EndpointManager, Model, xgboost_image};
use serde_json::json;

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
        let managed: Vec<(&String, &Endpoint, &Model)> = self
            .spec
            .endpoints
            .iter()
            .filter(|(_, endpoint)| endpoint.managed_by == EndpointManager::Stack)
            .filter_map(|(name, endpoint)| Some((name, endpoint, endpoint.model.as_ref()?)))
            .collect();
        if managed.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (name, spec, model) in managed {
            found.extend(self.image(name, model).map(|image| (name, spec, model, image)));
        }
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        let images: Vec<String> = found.iter().map(|(.., image)| image.clone()).collect();
        let artifacts: Vec<String> =
            found.iter().filter_map(|(_, _, model, _)| model.artifact.clone()).collect();
        let role = self.model_role(&names, &images, &artifacts);
        for (name, spec, model, image) in found {
            self.endpoint(name, spec, model, image, &role);
        }
    }

    /// The URI of the model's image.
    fn image(&mut self, name: &str, model: &Model) -> Option<String> {
        let Some(version) = model.image.strip_prefix("xgboost:") else { return Some(model.image.clone()) };
        let image = xgboost_image(&self.place.region, version);
        if image.is_none() {
            let why =
                format!("no account is known that holds the image {} in {}", model.image, self.place.region);
            let hint = "give the full image URI instead of xgboost:VERSION";
            self.problem(format!("endpoints.{name}.model.image"), why, hint);
        }
        image
    }

    fn endpoint(&mut self, name: &str, spec: &Endpoint, model: &Model, image: String, role: &Id) {
        if model.artifact.is_none() && model.image.starts_with("xgboost:") {
            self.graph.notes.push(format!(
                "the model of endpoint {name} has no artifact: the endpoint costs money and answers nothing until it has one"
            ));
        }
        // Models and configurations cannot change: what they are is in their names, and a change makes new
        // ones beside the old, which go when the endpoint has moved (fact book, section 4.3).
        let content = json!([name, image, model.artifact, model.environment, self.place.role_arn("model")]);
        let id = Id::hashed("model", name, &content);
        let physical = self.place.hashed_name(&id.name);
        let props = model::Props {
            endpoint: name.into(),
            image,
            artifact: model.artifact.clone(),
            environment: model.environment.clone(),
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
}
