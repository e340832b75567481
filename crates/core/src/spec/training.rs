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
    /// A training job, or, with `tuning`, a tuning job of which the best training job is taken.
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
            meaning: "one of `unloads`, or `s3://bucket/prefix`; for XGBoost CSV with the label first and without a header. What changes under the same address is not noticed",
        }
        /// Rows to validate with, likewise.
        validation: Option<String> {
            changed: "as above",
            meaning: "rows that are held against the model, likewise; metrics `validation:…` need them",
        }
        /// Settings of the algorithm.
        hyperparameters: BTreeMap<String, String> {
            changed: "as above",
            meaning: "settings of the algorithm; XGBoost needs `num_round`, and wants `objective`",
        }
        /// Try several settings, and take the best.
        tuning: Option<Tuning> {
            changed: "as above",
            meaning: "tries several settings, and takes the best",
        }
        /// Instance that the job runs on.
        instance: String {
            default: "ml.m5.large".to_owned(),
            changed: "for the next job",
            meaning: "what a job runs on; it is paid by the second while it does",
        }
        /// GiB of the job's volume.
        volume: u32 {
            default: 10,
            type: "GiB, 1–16384",
            changed: "as above",
            meaning: "",
        }
        /// Whether spare capacity is used.
        spot: bool {
            changed: "as above",
            meaning: "spare capacity: usually far cheaper; AWS may interrupt the job, which then begins anew",
        }
        /// How long a training job may take: `30m`, `1h`.
        max_runtime: String {
            default: "1h".to_owned(),
            type: "time",
            changed: "as above",
            meaning: "`30m`, `1h`, `2d`: a training job that takes longer is stopped, and has failed. With `spot` it may wait as long again for capacity",
        }
        /// Where models are written: `s3://bucket/prefix`.
        output: Option<String> {
            default_is: "`auroraml/jobs` in the stack's bucket",
            changed: "another job, then another model",
            meaning: "`s3://bucket/prefix` under which the job leaves its model",
        }
    }
}

fields! {
    /// Which settings are tried, and what the best is.
    pub struct Tuning in "endpoints.model.training.tuning" (
        hint: "write `objective:` and `ranges:` under it"
    ) {
        /// The metric that decides.
        objective: String {
            required: "write `objective: validation:auc`, or another metric of the algorithm",
            changed: "another job, then another model",
            meaning: "the metric that decides: `validation:auc`, `validation:rmse`, …",
        }
        /// Whether more of it is better.
        goal: Option<Goal> {
            default_is: "as the metric is meant, where it is XGBoost's",
            changed: "as above",
            meaning: "whether more or less of it is better",
        }
        /// What is tried of each setting.
        ranges: BTreeMap<String, Range> {
            type: "mapping of ranges",
            changed: "as above",
            meaning: "what is tried of each setting: `[0.01, 0.3]` from and to, or a list of words",
        }
        /// Training jobs in all.
        jobs: u32 {
            default: 10,
            type: "1–750",
            changed: "as above",
            meaning: "training jobs in all; each is paid",
        }
        /// Training jobs at the same time.
        parallel: u32 {
            default: 2,
            type: "1–10",
            changed: "for the next job",
            meaning: "training jobs at the same time",
        }
    }
}

fields! {
    /// An Autopilot job for a table, of which the best candidate is taken.
    pub struct Autopilot in "endpoints.model.autopilot" (hint: "write `data:` and `target:` under it") {
        /// Rows to learn from: one of `unloads`, or `s3://bucket/prefix`.
        data: String {
            required: "write `data: \"s3://BUCKET/PREFIX\"`, or the name of one of `unloads`",
            changed: "another job, then another model",
            meaning: "one of `unloads` (with `header: true`), or `s3://bucket/prefix`: CSV with a header, at least 500 rows. What changes under the same address is not noticed",
        }
        /// Rows to validate with, likewise.
        validation: Option<String> {
            default_is: "a fifth of the rows, by AWS",
            changed: "as above",
            meaning: "rows that are held against candidates, likewise",
        }
        /// The column that is to be predicted.
        target: String {
            required: "write `target: COLUMN`",
            changed: "as above",
            meaning: "the column that is to be predicted, as the header has it",
        }
        /// What sort of prediction it is; together with `objective`.
        problem: Option<Problem> {
            default_is: "found out by AWS",
            changed: "as above",
            meaning: "what sort of prediction it is; with `objective`, or neither",
        }
        /// The metric that decides; together with `problem`.
        objective: Option<String> {
            default_is: "F1, Accuracy or MSE, by AWS",
            changed: "as above",
            meaning: "the metric that decides: `F1`, `AUC`, `Accuracy`, `BalancedAccuracy`, `Precision`, `Recall`; `F1macro`, `PrecisionMacro`, `RecallMacro`; `MSE`, `RMSE`, `MAE`, `R2`",
        }
        /// How candidates are found.
        mode: AutopilotMode {
            changed: "as above",
            meaning: "how candidates are found; `auto` takes `ensembling` below 100 MB",
        }
        /// Candidates at most.
        max_candidates: Option<u32> {
            type: "1–750",
            default_is: "left to AWS",
            changed: "as above",
            meaning: "candidates at most",
        }
        /// How long the job may take: `1h`.
        max_runtime: String {
            default: "2h".to_owned(),
            type: "time",
            changed: "as above",
            meaning: "`30m`, `1h`, `2d`: then the best candidate so far is taken; without one the job has failed. Autopilot chooses its instances by itself, and they are paid by the second",
        }
        /// Where models are written: `s3://bucket/prefix`.
        output: Option<String> {
            default_is: "`auroraml/jobs` in the stack's bucket",
            changed: "as above",
            meaning: "`s3://bucket/prefix` under which the job leaves its models",
        }
    }
}

choices!(Goal, Problem, AutopilotMode);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// More is better.
    Maximize,
    /// Less is better.
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
    /// Several models as one: quicker.
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
