//! Models that are trained: training and tuning jobs, and Autopilot.

use super::fields::fields;
use super::form::{Form, choices, mismatch, scalar};
use super::node::{Node, Value};
use super::reader::Reader;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

fields! {
    /// A training job, or with `tuning` a tuning job, whose best training job is used.
    pub struct Training in "endpoints.model.training" (
        hint: "write `image:`, `data:` and `hyperparameters:` under it"
    ) {
        /// `xgboost:VERSION` for the built-in algorithm, or a full image URI.
        image: String {
            required: "write `image: \"xgboost:1.7-1\"` or an image URI",
            changed: "another job, then another model",
            meaning: "as `image` of the model; the model is served with the same image",
        }
        /// Rows to learn from: one of `unloads`, or `s3://bucket/prefix`.
        data: String {
            required: "write `data: \"s3://BUCKET/PREFIX\"`, or the name of one of `unloads`",
            changed: "as above",
            meaning: "training rows: one of `unloads`, or `s3://bucket/prefix`; for XGBoost, CSV with the label first and no header. New contents at the same address go unnoticed",
        }
        /// Rows to validate with, in the same form.
        validation: Option<String> {
            changed: "as above",
            meaning: "rows to validate the model with, in the same form; needed for metrics `validation:…`",
        }
        /// Settings of the algorithm.
        hyperparameters: BTreeMap<String, String> {
            changed: "as above",
            meaning: "settings of the algorithm; XGBoost requires `num_round`, and usually needs `objective`",
        }
        /// Try several settings and keep the best.
        tuning: Option<Tuning> {
            changed: "as above",
            meaning: "tries several settings and keeps the best",
        }
        /// Instance type of the job.
        instance: String {
            default: "ml.m5.large".to_owned(),
            changed: "for the next job",
            meaning: "instance type of the job; billed by the second while it runs",
        }
        /// GiB of the job's volume.
        volume: u32 {
            default: 10,
            type: "GiB, 1–16384",
            changed: "as above",
            meaning: "",
        }
        /// Whether to use spare capacity.
        spot: bool {
            changed: "as above",
            meaning: "use spare capacity: usually far cheaper, but AWS may interrupt the job, which then starts over",
        }
        /// How long a training job may take: `30m`, `1h`.
        max_runtime: String {
            default: "1h".to_owned(),
            type: "time",
            changed: "as above",
            meaning: "time limit: `30m`, `1h`, `2d`; a job that takes longer is stopped and fails. With `spot` it may first wait as long for capacity",
        }
        /// Where models are stored: `s3://bucket/prefix`.
        output: Option<String> {
            default_is: "`auroraml/jobs` in the stack's bucket",
            changed: "another job, then another model",
            meaning: "`s3://bucket/prefix` where the job stores its model",
        }
    }
}

fields! {
    /// Which settings to try, and what to optimise.
    pub struct Tuning in "endpoints.model.training.tuning" (
        hint: "write `objective:` and `ranges:` under it"
    ) {
        /// The metric to optimise.
        objective: String {
            required: "write `objective: validation:auc`, or another metric of the algorithm",
            changed: "another job, then another model",
            meaning: "metric to optimise: `validation:auc`, `validation:rmse`, …",
        }
        /// Whether a higher or a lower value is better.
        goal: Option<Goal> {
            default_is: "right for each metric of XGBoost",
            changed: "as above",
            meaning: "whether a higher or a lower value is better",
        }
        /// Values to try for each setting.
        ranges: BTreeMap<String, Range> {
            type: "mapping of ranges",
            changed: "as above",
            meaning: "values to try for each setting: `[0.01, 0.3]` is a range, a list of words is a choice",
        }
        /// Total number of training jobs.
        jobs: u32 {
            default: 10,
            type: "1–750",
            changed: "as above",
            meaning: "total number of training jobs; each costs money",
        }
        /// How many training jobs run at the same time.
        parallel: u32 {
            default: 2,
            type: "1–10",
            changed: "for the next job",
            meaning: "how many training jobs run at the same time",
        }
    }
}

fields! {
    /// An Autopilot job for a table, whose best candidate is used.
    pub struct Autopilot in "endpoints.model.autopilot" (hint: "write `data:` and `target:` under it") {
        /// Rows to learn from: one of `unloads`, or `s3://bucket/prefix`.
        data: String {
            required: "write `data: \"s3://BUCKET/PREFIX\"`, or the name of one of `unloads`",
            changed: "another job, then another model",
            meaning: "training rows: one of `unloads` (with `header: true`), or `s3://bucket/prefix`; CSV with a header, at least 500 rows. New contents at the same address go unnoticed",
        }
        /// Rows to validate with, in the same form.
        validation: Option<String> {
            default_is: "a fifth of the rows, by AWS",
            changed: "as above",
            meaning: "rows to validate candidates with, in the same form",
        }
        /// The column to predict.
        target: String {
            required: "write `target: COLUMN`",
            changed: "as above",
            meaning: "column to predict, as the header names it",
        }
        /// Kind of prediction; give it together with `objective`.
        problem: Option<Problem> {
            default_is: "detected by AWS",
            changed: "as above",
            meaning: "kind of prediction; give both this and `objective`, or neither",
        }
        /// The metric to optimise; give it together with `problem`.
        objective: Option<String> {
            default_is: "F1, Accuracy or MSE, by AWS",
            changed: "as above",
            meaning: "the metric that decides: `F1`, `AUC`, `Accuracy`, `BalancedAccuracy`, `Precision`, `Recall`; `F1macro`, `PrecisionMacro`, `RecallMacro`; `MSE`, `RMSE`, `MAE`, `R2`",
        }
        /// How candidates are found.
        mode: AutopilotMode {
            changed: "as above",
            meaning: "how candidates are found; `auto` uses `ensembling` below 100 MB",
        }
        /// Maximum number of candidates.
        max_candidates: Option<u32> {
            type: "1–750",
            default_is: "left to AWS",
            changed: "as above",
            meaning: "maximum number of candidates",
        }
        /// How long the job may take: `1h`.
        max_runtime: String {
            default: "2h".to_owned(),
            type: "time",
            changed: "as above",
            meaning: "time limit: `30m`, `1h`, `2d`; after that the best candidate so far is used, and if there is none, the job fails. Autopilot chooses its own instances, billed by the second",
        }
        /// Where models are stored: `s3://bucket/prefix`.
        output: Option<String> {
            default_is: "`auroraml/jobs` in the stack's bucket",
            changed: "as above",
            meaning: "`s3://bucket/prefix` where the job stores its models",
        }
    }
}

choices!(Goal, Problem, AutopilotMode);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Higher is better.
    Maximize,
    /// Lower is better.
    Minimize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AutopilotProblem")]
pub enum Problem {
    /// One of two values.
    BinaryClassification,
    /// One of several values.
    MulticlassClassification,
    /// A number.
    Regression,
}

impl Problem {
    /// Objectives that AWS takes with it: developer guide, "Autopilot metrics".
    pub fn objectives(self) -> &'static [&'static str] {
        match self {
            Problem::BinaryClassification => {
                &["F1", "AUC", "Accuracy", "BalancedAccuracy", "Precision", "Recall"]
            }
            Problem::MulticlassClassification => {
                &["Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"]
            }
            Problem::Regression => &["MSE", "RMSE", "MAE", "R2"],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutopilotMode {
    /// AWS chooses by the size of the data.
    #[default]
    Auto,
    /// Combines several models: faster.
    Ensembling,
    /// Many settings of one algorithm.
    HyperparameterTuning,
}

/// What is tried of a setting: from and to, or words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Range(pub Vec<String>);

impl Range {
    /// From and to, if these are numbers.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self.0.as_slice() {
            [from, to] => Some((from.parse().ok()?, to.parse().ok()?)),
            _ => None,
        }
    }
}

impl Form for Range {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Range> {
        let texts = match &node.value {
            Value::List(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        match texts {
            Some(texts) => Some(Range(texts)),
            None => mismatch(node, path, reader, "a list", "write `[0.01, 0.3]`, or a list of words"),
        }
    }
    fn in_words() -> String {
        "range".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Range>()
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "From and to, or a list of words.",
            "type": "array",
            "items": { "type": ["string", "number"] },
            "minItems": 1,
        })
    }
}

/// The seconds of a time such as `30m`, `8h` or `2d`.
pub fn seconds(text: &str) -> Option<u32> {
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let number = digits.parse::<u32>().ok().filter(|n| *n > 0 && digits.bytes().all(|b| b.is_ascii_digit()));
    number?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("30m", Some(1800)),
            ("1h", Some(3600)),
            ("2d", Some(172_800)),
            ("0h", None),
            ("+5h", None),
            ("90", None),
            ("", None),
            ("99999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn bounds_are_two_numbers() {
        let range = |texts: &[&str]| Range(texts.iter().map(|text| text.to_string()).collect()).bounds();
        assert_eq!(range(&["0.01", "0.3"]), Some((0.01, 0.3)));
        assert_eq!(range(&["gbtree", "dart"]), None);
        assert_eq!(range(&["1", "2", "3"]), None);
    }
}
