//! A container of a model as it runs behind an endpoint.
//!
//! What a job of the sandbox has trained answers from its weights. Of any other archive the sandbox knows the name
//! alone: its answer is a number that depends on that name and on the row.

use super::learned::{Environment, Learned, number, sigmoid};
use crate::s3::{S3, sha256};
use crate::wire::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A container as it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    environment: Environment,
    holds: Holds,
}

/// What was in the container's archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Holds {
    Trained(Learned),
    /// Something that the sandbox did not make, by its name.
    Other(String),
    /// Nothing, though the image needs a model.
    Nothing,
}

impl Container {
    /// Starts a container of a model: its archive is read now.
    pub(super) fn start(s3: &S3, definition: &Value) -> Container {
        let url = definition["ModelDataUrl"]
            .as_str()
            .or(definition["ModelDataSource"]["S3DataSource"]["S3Uri"].as_str());
        let image = definition["Image"].as_str().unwrap_or_default();
        let archive = url.and_then(|url| url.strip_prefix("s3://")?.split_once('/'));
        let learned = archive.and_then(|(bucket, key)| Learned::read(s3.object(bucket, key)?));
        let holds = match (learned, url) {
            (Some(learned), _) => Holds::Trained(learned),
            (None, Some(url)) => Holds::Other(url.to_string()),
            (None, None) if image.contains("xgboost") => Holds::Nothing,
            (None, None) => Holds::Other(image.to_string()),
        };
        let given = definition["Environment"].as_object().into_iter().flatten();
        let environment =
            given.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_string()))).collect();
        Container { environment, holds }
    }

    pub(super) fn answer(&self, row: Vec<String>, is_last: bool) -> Result<Vec<String>, Fault> {
        match &self.holds {
            Holds::Trained(learned) => learned
                .apply(&row, &self.environment)
                .map_err(|why| model_error("client error (400)", is_last, &why)),
            Holds::Other(name) if is_last => Ok(vec![of_name(name, &row)]),
            Holds::Other(_) => Ok(row),
            Holds::Nothing => {
                let why = "Unable to load the model: /opt/ml/model is empty";
                Err(model_error("server error (500)", is_last, why))
            }
        }
    }
}

/// "Model (owned by the customer in the container) returned 4xx or 5xx": botocore's model of InvokeEndpoint.
pub(super) fn model_error(what: &str, is_last: bool, why: &str) -> Fault {
    let container = if is_last { "primary" } else { "container" };
    Fault::new(424, "ModelError", format!("Received {what} from {container} with message \"{why}\""))
}

/// A probability that depends on every column of the row.
fn of_name(name: &str, row: &[String]) -> String {
    let unit = |text: &str| {
        let hash = u32::from_str_radix(&sha256(text.as_bytes())[..8], 16).unwrap_or_default();
        f64::from(hash) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    let of_column = |(at, text): (usize, &String)| {
        let weight = unit(&format!("{name}#{at}"));
        let value = match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => value / (1.0 + value.abs()),
            _ => unit(text),
        };
        weight * value
    };
    let score: f64 = row.iter().enumerate().map(of_column).sum();
    number(sigmoid(2.0 * score))
}

/// The containers that a variant's model starts with.
pub(super) fn start(s3: &S3, definitions: &[Value]) -> Vec<Container> {
    definitions.iter().map(|definition| Container::start(s3, definition)).collect()
}
