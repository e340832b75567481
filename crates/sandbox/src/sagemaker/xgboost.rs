//! What the built-in XGBoost container makes of a training job: hyperparameters, data, metrics. Facts:
//! aws/sagemaker-xgboost-container, `algorithm_mode/hyperparameter_validation.py` and `data_utils.py`; developer guide,
//! "XGBoost hyperparameters" and "Input/Output interface": CSV has the label in its first column and no header.

use super::csv;
use super::fit::{Fitting, Table, fit, measure};
use super::learned::{Answer, Learned};
use std::collections::BTreeMap;

/// Rows that are read of each channel.
const ROWS_MAX: usize = 20_000;

/// What a job of it ends with.
pub(super) struct Trained {
    pub(super) learned: Learned,
    pub(super) metrics: Vec<(String, f64)>,
    /// Rows that were read.
    pub(super) rows: usize,
}

type Hyperparameters = BTreeMap<String, String>;
type Files<'a> = [(&'a str, String)];

/// Numbers: name, whether whole, least, most, and whether these themselves are out.
const NUMBERS: &[(&str, bool, f64, f64, bool, bool)] = &[
    ("num_round", true, 1.0, f64::INFINITY, false, false),
    ("csv_weights", true, 0.0, 1.0, false, false),
    ("early_stopping_rounds", true, 1.0, f64::INFINITY, false, false),
    ("verbosity", true, 0.0, 3.0, false, false),
    ("nthread", true, 1.0, f64::INFINITY, false, false),
    ("eta", false, 0.0, 1.0, false, false),
    ("gamma", false, 0.0, f64::INFINITY, false, false),
    ("max_depth", true, 0.0, f64::INFINITY, false, false),
    ("min_child_weight", false, 0.0, f64::INFINITY, false, false),
    ("max_delta_step", false, 0.0, f64::INFINITY, false, false),
    ("subsample", false, 0.0, 1.0, true, false),
    ("colsample_bytree", false, 0.0, 1.0, true, false),
    ("colsample_bylevel", false, 0.0, 1.0, true, false),
    ("colsample_bynode", false, 0.0, 1.0, true, false),
    ("lambda", false, 0.0, f64::INFINITY, false, false),
    ("alpha", false, 0.0, f64::INFINITY, false, false),
    ("sketch_eps", false, 0.0, 1.0, true, true),
    ("scale_pos_weight", false, 0.0, f64::INFINITY, true, false),
    ("refresh_leaf", true, 0.0, 1.0, false, false),
    ("max_leaves", true, 0.0, f64::INFINITY, false, false),
    ("max_bin", true, 0.0, f64::INFINITY, false, false),
    ("rate_drop", false, 0.0, 1.0, false, false),
    ("one_drop", true, 0.0, 1.0, false, false),
    ("skip_drop", false, 0.0, 1.0, false, false),
    ("lambda_bias", false, 0.0, 1.0, false, false),
    ("tweedie_variance_power", false, 1.0, 2.0, true, true),
    ("num_class", true, 2.0, f64::INFINITY, false, false),
    ("base_score", false, 0.0, f64::INFINITY, false, false),
    ("_kfold", true, 2.0, f64::INFINITY, false, false),
    ("_num_cv_round", true, 1.0, f64::INFINITY, false, false),
    ("seed", true, -2147483648.0, 2147483647.0, true, true),
    ("num_parallel_tree", true, 1.0, f64::INFINITY, false, false),
    ("prob_buffer_row", true, 1.0, f64::INFINITY, true, false),
    ("learning_rate", false, 0.0, 1.0, false, false),
    ("min_split_loss", false, 0.0, f64::INFINITY, false, false),
    ("reg_lambda", false, 0.0, f64::INFINITY, false, false),
    ("reg_alpha", false, 0.0, f64::INFINITY, false, false),
    ("aft_loss_distribution_scale", false, 0.0, f64::INFINITY, true, false),
];

const WORDS: &[(&str, &[&str])] = &[
    ("booster", &["gbtree", "gblinear", "dart"]),
    ("tree_method", &["auto", "exact", "approx", "hist", "gpu_hist"]),
    ("dsplit", &["row", "col"]),
    ("process_type", &["default", "update"]),
    ("grow_policy", &["depthwise", "lossguide"]),
    ("predictor", &["auto", "cpu_predictor", "gpu_predictor"]),
    ("sample_type", &["uniform", "weighted"]),
    ("normalize_type", &["tree", "forest"]),
    ("single_precision_histogram", &["true", "false"]),
    ("deterministic_histogram", &["true", "false"]),
    ("sampling_method", &["uniform", "gradient_based"]),
    ("save_model_on_termination", &["true", "false"]),
    ("aft_loss_distribution", &["normal", "logistic", "extreme"]),
    ("objective", OBJECTIVES),
];

const OBJECTIVES: &[&str] = &[
    "aft_loss_distribution",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "reg:linear",
    "reg:squarederror",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
];

/// Taken as they are: lists and constraints.
const FREE: &[&str] = &[
    "updater",
    "monotone_constraints",
    "interaction_constraints",
    "eval_metric",
    "_tuning_objective_metric",
];

fn algorithm_error(why: impl std::fmt::Display) -> String {
    format!("AlgorithmError: framework error: UserError: {why}, exit code: 1")
}

fn check(given: &Hyperparameters) -> Result<(), String> {
    for (name, value) in given {
        if let Some((_, whole, least, most, above, below)) =
            NUMBERS.iter().find(|(number, ..)| number == name)
        {
            let number = value.parse::<f64>().ok().filter(|n| !whole || n.fract() == 0.0);
            let number = number
                .ok_or_else(|| algorithm_error(format!("Hyperparameter {name}: could not parse value")))?;
            let inside = (number > *least || number == *least && !above)
                && (number < *most || number == *most && !below);
            if !inside {
                let range = format!(
                    "{}{least}, {most}{}",
                    if *above { '(' } else { '[' },
                    if *below { ')' } else { ']' }
                );
                return Err(algorithm_error(format!(
                    "Hyperparameter {name}: value {value} not in range {range}"
                )));
            }
        } else if let Some((_, words)) = WORDS.iter().find(|(word, _)| word == name) {
            if !words.contains(&value.as_str()) {
                let why = format!("Hyperparameter {name}: value {value} not in range {words:?}");
                return Err(algorithm_error(why));
            }
        } else if !FREE.contains(&name.as_str()) {
            return Err(algorithm_error(format!("Extraneous hyperparameter found: {name}")));
        }
    }
    if !given.contains_key("num_round") {
        return Err(algorithm_error("Missing required hyperparameter: num_round"));
    }
    let objective = objective(given);
    if objective.starts_with("multi:") && !given.contains_key("num_class") {
        return Err(algorithm_error("Require input for parameter 'num_class' for multi-classification"));
    }
    if metrics(given).contains(&"auc") && !objective.starts_with("binary:") && !objective.starts_with("rank:")
    {
        let why = "Metric 'auc' can only be applied for classification and ranking problems.";
        return Err(algorithm_error(why));
    }
    Ok(())
}

fn objective(given: &Hyperparameters) -> &str {
    given.get("objective").map_or("reg:squarederror", String::as_str)
}

/// The metrics that the job reports: those that are asked for, else the objective's own (XGBoost's parameters,
/// `eval_metric`), and the one that is tuned for.
fn metrics(given: &Hyperparameters) -> Vec<&str> {
    let own = match objective(given) {
        objective if objective.starts_with("binary:") => "logloss",
        objective if objective.starts_with("multi:") => "mlogloss",
        _ => "rmse",
    };
    let asked = given.get("eval_metric").map_or(own, String::as_str);
    let mut metrics: Vec<&str> = asked.split(',').map(str::trim).collect();
    let tuned = given.get("_tuning_objective_metric").and_then(|name| name.split(':').nth(1));
    metrics.extend(tuned.filter(|tuned| !metrics.contains(tuned)));
    metrics
}

/// The table of a channel: label first, no header.
fn table(files: &Files<'_>) -> Result<Table, String> {
    let mut table = Table::default();
    for (key, text) in files {
        for row in csv::rows(text).take(ROWS_MAX.saturating_sub(table.rows.len())) {
            let mut numbers = Vec::with_capacity(row.len());
            for field in &row {
                numbers.push(match field.trim() {
                    "" => 0.0,
                    text => text.parse::<f64>().map_err(|_| {
                        let file = key.rsplit('/').next().unwrap_or_default();
                        let start: String = csv::line(&row).chars().take(64).collect();
                        algorithm_error(format!(
                            "Non-numeric value '{text}' found in the header line '{start}...' of file '{file}'. CSV \
                             format require no header line in it. If header line is already removed, XGBoost does not \
                             accept non-numeric value in the data."
                        ))
                    })?,
                });
            }
            let features = numbers.split_off(1);
            if features.is_empty() || !table.rows.is_empty() && features.len() != table.columns() {
                let (has, wants) = (features.len(), table.columns());
                let why = format!(
                    "Failed to load csv data with exception: a row has {has} features, the first has {wants}"
                );
                return Err(algorithm_error(why));
            }
            table.labels.push(numbers[0]);
            table.rows.push(features);
        }
    }
    match table.rows.is_empty() {
        true => Err(algorithm_error("No data in the training channel")),
        false => Ok(table),
    }
}

/// Trains on the files of the channels.
///
/// # Errors
/// The FailureReason.
pub(super) fn train(
    given: &Hyperparameters,
    training: &Files<'_>,
    validation: Option<&Files<'_>>,
) -> Result<Trained, String> {
    check(given)?;
    let objective = objective(given);
    let training = table(training)?;
    let validation = validation.map(table).transpose()?;
    if validation.as_ref().is_some_and(|table| table.columns() != training.columns()) {
        return Err(algorithm_error("Feature shape mismatch between the channels train and validation"));
    }
    if validation.is_none()
        && given.get("_tuning_objective_metric").is_some_and(|name| name.starts_with("validation:"))
    {
        return Err(algorithm_error("The objective metric needs the channel validation"));
    }
    let number =
        |name: &str, otherwise: f64| given.get(name).and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (answer, logistic, classes) = match objective {
        "binary:logistic" | "reg:logistic" => (Answer::Probability, true, 2),
        "binary:logitraw" => (Answer::Number, true, 2),
        "binary:hinge" => (Answer::Class, true, 2),
        "multi:softmax" => (Answer::Class, true, number("num_class", 2.0) as usize),
        "multi:softprob" => (Answer::Probabilities, true, number("num_class", 2.0) as usize),
        "reg:linear" | "reg:squarederror" => (Answer::Number, false, 1),
        other => {
            return Err(format!("AlgorithmError: the sandbox does not train with the objective {other}"));
        }
    };
    let in_range = |label: &f64| match classes {
        1 => true,
        2 => (0.0..=1.0).contains(label),
        many => (0.0..many as f64).contains(label) && label.fract() == 0.0,
    };
    if !training.labels.iter().all(in_range) {
        let why = if classes > 2 {
            "label must be in [0, num_class)."
        } else {
            "label must be in [0,1] for logistic regression"
        };
        return Err(format!("AlgorithmError: framework error: XGBoostError: {why}, exit code: 1"));
    }
    let rounds = number("num_round", 1.0) as u64;
    let how = Fitting {
        eta: number("eta", number("learning_rate", 0.3)),
        rounds,
        lambda: number("lambda", 1.0),
        classes,
        logistic,
    };
    let scores = fit(&training, how, answer);
    let mut found = Vec::new();
    for (set, table) in [("train", Some(&training)), ("validation", validation.as_ref())] {
        let Some(table) = table else { continue };
        for metric in metrics(given) {
            // A metric that the sandbox does not compute is not reported, as one that a container does not print.
            let value = measure(metric, &scores, table, classes);
            found.extend(value.map(|value| (format!("{set}:{metric}"), (value * 1e5).round() / 1e5)));
        }
    }
    let rows = training.rows.len();
    Ok(Trained { learned: Learned::Scores(scores), metrics: found, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train_with(given: &[(&str, &str)], text: &str) -> Result<Trained, String> {
        let given = given.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let files = [("p/part-0.csv", text.to_string())];
        train(&given, &files, Some(&files))
    }

    fn rows() -> String {
        (0..100).map(|n| format!("{},{},{}\n", u8::from(n % 10 > 6), n % 10, n % 3)).collect()
    }

    #[test]
    fn metrics_are_those_that_are_asked_for() {
        let trained = train_with(
            &[("num_round", "20"), ("objective", "binary:logistic"), ("eval_metric", "auc")],
            &rows(),
        );
        let metrics = trained.unwrap().metrics;
        assert_eq!(
            metrics.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["train:auc", "validation:auc"]
        );
        assert!(metrics[0].1 > 0.99, "{metrics:?}");
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let why = |given: &[(&str, &str)], text: &str| train_with(given, text).err().unwrap_or_default();
        for (given, part) in [
            (&[("objective", "binary:logistic")][..], "Missing required hyperparameter: num_round"),
            (
                &[("num_round", "10"), ("objective", "binary:logit")],
                "Hyperparameter objective: value binary:logit",
            ),
            (&[("num_round", "0")], "value 0 not in range [1, inf]"),
            (&[("num_round", "1"), ("eta", "x")], "Hyperparameter eta: could not parse value"),
            (&[("num_round", "1"), ("depth", "3")], "Extraneous hyperparameter found: depth"),
            (&[("num_round", "1"), ("objective", "multi:softmax")], "'num_class'"),
            (&[("num_round", "1"), ("eval_metric", "auc")], "'auc' can only be applied"),
        ] {
            let text = why(given, &rows());
            assert!(text.starts_with("AlgorithmError: ") && text.contains(part), "{text}");
        }
        let good = [("num_round", "1"), ("objective", "binary:logistic")];
        assert!(why(&good, "churn,state\n1,2\n").contains("Non-numeric value 'churn'"));
        assert!(why(&good, "5,2\n").contains("label must be in [0,1]"));
        assert!(why(&good, "1,2\n1,2,3\n").contains("a row has 2 features"));
        assert!(why(&good, "").contains("No data"));
    }
}
