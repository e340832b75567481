//! The state of an endpoint over time: fact book, section 4.4.

use super::container::Container;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub name: String,
    /// The name of the configuration in force: that of the last deployment that succeeded.
    pub config: String,
    pub variants: Vec<Variant>,
    pub health: Health,
    pub failure: Option<String>,
    /// What is going on, if anything.
    pub deployment: Option<Deployment>,
    /// When AWS works on the endpoint by itself (`SystemUpdating`): start and end.
    pub maintenance: Option<(u64, u64)>,
    /// When the deletion under way ends.
    pub deleting_until: Option<u64>,
    /// Network interfaces in the customer's subnets.
    pub interfaces: Vec<String>,
    /// The DeploymentConfig of the last update that had one.
    pub deployment_config: Option<Value>,
    pub created: u64,
    pub modified: u64,
}

/// How the last deployment left the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    InService,
    Failed,
}

/// A deployment under way. Its outcome is decided when it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// False for the first one.
    pub is_update: bool,
    pub config: String,
    pub variants: Vec<Variant>,
    pub interfaces: Vec<String>,
    pub started: u64,
    /// When an update that fails begins to roll back.
    pub rolls_back_at: Option<u64>,
    pub until: u64,
    pub failure: Option<String>,
}

/// One production variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    pub model: String,
    /// None for serverless variants.
    pub instance_type: Option<String>,
    pub count: u64,
    pub weight: f64,
    pub serverless: Option<Value>,
    /// The images of the model at the time of the deployment.
    pub images: Vec<String>,
    /// The containers of the model at that time, and as they were started.
    #[serde(default)]
    pub containers: Vec<Value>,
    #[serde(default)]
    pub started: Vec<Container>,
}

impl Variant {
    /// From a configuration's variant; images are found out at deployment.
    pub(super) fn of(definition: &Value) -> Variant {
        let text = |name: &str| definition[name].as_str().map(str::to_string);
        Variant {
            name: text("VariantName").unwrap_or_default(),
            model: text("ModelName").unwrap_or_default(),
            instance_type: text("InstanceType"),
            count: definition["InitialInstanceCount"].as_u64().unwrap_or(0),
            weight: definition["InitialVariantWeight"].as_f64().unwrap_or(1.0),
            serverless: definition.get("ServerlessConfig").filter(|value| !value.is_null()).cloned(),
            images: Vec::new(),
            containers: Vec::new(),
            started: Vec::new(),
        }
    }

    /// As DescribeEndpoint shows it; `desired` is what a deployment under way leads to.
    pub(super) fn summary(&self, desired: &Variant, is_live: bool) -> Value {
        let deployed: Vec<Value> = if is_live {
            let image = |image: &String| json!({ "SpecifiedImage": image, "ResolvedImage": image });
            self.images.iter().map(image).collect()
        } else {
            Vec::new()
        };
        let mut summary = json!({
            "VariantName": self.name,
            "DeployedImages": deployed,
            "CurrentWeight": self.weight,
            "DesiredWeight": desired.weight,
        });
        match (&self.serverless, &desired.serverless) {
            (Some(current), Some(desired)) => {
                summary["CurrentServerlessConfig"] = current.clone();
                summary["DesiredServerlessConfig"] = desired.clone();
            }
            _ => {
                summary["CurrentInstanceCount"] = json!(if is_live { self.count } else { 0 });
                summary["DesiredInstanceCount"] = json!(desired.count);
            }
        }
        summary
    }
}

impl Endpoint {
    /// Brings the endpoint to the time `now`; false when it is gone.
    pub(super) fn settle(&mut self, now: u64) -> bool {
        if let Some(done) = self.deployment.take_if(|deployment| now >= deployment.until) {
            self.modified = done.until;
            match (done.failure, done.is_update) {
                (None, _) => {
                    self.config = done.config;
                    self.variants = done.variants;
                    self.interfaces = done.interfaces;
                    self.health = Health::InService;
                    self.failure = None;
                }
                // Back to InService with the old configuration: fact book, trap 49.
                (Some(reason), true) => self.failure = Some(reason),
                (Some(reason), false) => {
                    self.failure = Some(reason);
                    self.health = Health::Failed;
                }
            }
        }
        self.deleting_until.is_none_or(|until| now < until)
    }

    pub(super) fn status(&self, now: u64) -> &'static str {
        if self.deleting_until.is_some() {
            return "Deleting";
        }
        match &self.deployment {
            Some(Deployment { is_update: false, .. }) => "Creating",
            Some(Deployment { rolls_back_at: Some(at), .. }) if now >= *at => "RollingBack",
            Some(_) => "Updating",
            None => match (self.health, self.maintenance) {
                (Health::Failed, _) => "Failed",
                (_, Some((start, end))) if (start..end).contains(&now) => "SystemUpdating",
                (Health::InService, _) => "InService",
            },
        }
    }

    pub(super) fn is_serverless(&self) -> bool {
        self.variants.iter().any(|variant| variant.serverless.is_some())
    }

    /// Everything that runs now, the new fleet of an update under way included.
    pub(super) fn running(&self) -> impl Iterator<Item = &Variant> {
        // A first deployment is already among the endpoint's own variants, and a change of capacity under
        // the same configuration makes no second fleet.
        let new = self.deployment.iter().filter(|new| new.is_update && new.config != self.config);
        self.variants.iter().chain(new.flat_map(|deployment| &deployment.variants))
    }
}
