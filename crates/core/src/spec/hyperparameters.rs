//! What is certain of the built-in XGBoost's settings, whatever its version: developer guide, "XGBoost hyperparameters",
//! and the container's own check (aws/sagemaker-xgboost-container, `hyperparameter_validation.py`).

use super::Goal;

/// Numbers: name, whether whole, least, most.
const NUMBERS: &[(&str, bool, f64, f64)] = &[
    ("num_round", true, 1.0, f64::INFINITY),
    ("csv_weights", true, 0.0, 1.0),
    ("early_stopping_rounds", true, 1.0, f64::INFINITY),
    ("verbosity", true, 0.0, 3.0),
    ("nthread", true, 1.0, f64::INFINITY),
    ("eta", false, 0.0, 1.0),
    ("learning_rate", false, 0.0, 1.0),
    ("gamma", false, 0.0, f64::INFINITY),
    ("min_split_loss", false, 0.0, f64::INFINITY),
    ("max_depth", true, 0.0, f64::INFINITY),
    ("min_child_weight", false, 0.0, f64::INFINITY),
    ("max_delta_step", false, 0.0, f64::INFINITY),
    ("subsample", false, 0.0, 1.0),
    ("colsample_bytree", false, 0.0, 1.0),
    ("colsample_bylevel", false, 0.0, 1.0),
    ("colsample_bynode", false, 0.0, 1.0),
    ("lambda", false, 0.0, f64::INFINITY),
    ("reg_lambda", false, 0.0, f64::INFINITY),
    ("alpha", false, 0.0, f64::INFINITY),
    ("reg_alpha", false, 0.0, f64::INFINITY),
    ("sketch_eps", false, 0.0, 1.0),
    ("scale_pos_weight", false, 0.0, f64::INFINITY),
    ("refresh_leaf", true, 0.0, 1.0),
    ("max_leaves", true, 0.0, f64::INFINITY),
    ("max_bin", true, 0.0, f64::INFINITY),
    ("rate_drop", false, 0.0, 1.0),
    ("one_drop", true, 0.0, 1.0),
    ("skip_drop", false, 0.0, 1.0),
    ("lambda_bias", false, 0.0, 1.0),
    ("tweedie_variance_power", false, 1.0, 2.0),
    ("num_class", true, 2.0, f64::INFINITY),
    ("base_score", false, 0.0, f64::INFINITY),
    ("_kfold", true, 2.0, f64::INFINITY),
    ("_num_cv_round", true, 1.0, f64::INFINITY),
    ("seed", true, -2_147_483_648.0, 2_147_483_647.0),
    ("num_parallel_tree", true, 1.0, f64::INFINITY),
    ("prob_buffer_row", true, 1.0, f64::INFINITY),
    ("aft_loss_distribution_scale", false, 0.0, f64::INFINITY),
];

/// Words, where there are some for all versions; without any, texts.
const WORDS: &[(&str, &[&str])] = &[
    ("booster", &["gbtree", "gblinear", "dart"]),
    ("process_type", &["default", "update"]),
    ("grow_policy", &["depthwise", "lossguide"]),
    ("sample_type", &["uniform", "weighted"]),
    ("normalize_type", &["tree", "forest"]),
    ("tree_method", &[]),
    ("dsplit", &[]),
    ("predictor", &[]),
    ("updater", &[]),
    ("monotone_constraints", &[]),
    ("interaction_constraints", &[]),
    ("eval_metric", &[]),
    ("save_model_on_termination", &["true", "false"]),
    ("single_precision_histogram", &["true", "false"]),
    ("deterministic_histogram", &["true", "false"]),
    ("sampling_method", &["uniform", "gradient_based"]),
    ("aft_loss_distribution", &["normal", "logistic", "extreme"]),
    (
        "objective",
        &[
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
            "reg:absoluteerror",
            "reg:tweedie",
            "survival:aft",
            "survival:cox",
        ],
    ),
];

/// Metrics of which more is better (the container's XGB_MAXIMIZE_METRICS), and the others.
const MAXIMIZED: &[&str] = &[
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
];
const MINIMIZED: &[&str] = &[
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
];

/// What is wrong with a setting.
pub enum Wrong {
    /// There is none of this name; the nearest one.
    Unknown(Option<&'static str>),
    Value(String),
}

fn names() -> impl Iterator<Item = &'static str> {
    NUMBERS.iter().map(|(name, ..)| *name).chain(WORDS.iter().map(|(name, _)| *name))
}

/// # Errors
/// What the container would refuse, in any version.
pub fn check(name: &str, value: &str) -> Result<(), Wrong> {
    if let Some((_, whole, least, most)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
        let number = value.parse::<f64>().ok().filter(|number| !whole || number.fract() == 0.0);
        let wanted = match (*whole, most.is_finite()) {
            (true, true) => format!("a whole number from {least} to {most}"),
            (true, false) => format!("a whole number from {least}"),
            (false, true) => format!("a number from {least} to {most}"),
            (false, false) => format!("a number from {least}"),
        };
        return match number {
            Some(number) if (*least..=*most).contains(&number) => Ok(()),
            _ => Err(Wrong::Value(format!("write {wanted}"))),
        };
    }
    match WORDS.iter().find(|(word, _)| *word == name) {
        Some((_, words)) if words.is_empty() || words.contains(&value) => Ok(()),
        Some((_, words)) => Err(Wrong::Value(match super::nearest(value, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", super::problem::list(words)),
        })),
        None => Err(Wrong::Unknown(super::nearest(name, names()))),
    }
}

/// Whether a number of this name is whole; `None` for what is no number.
pub fn is_whole(name: &str) -> Option<bool> {
    NUMBERS.iter().find(|(number, ..)| *number == name).map(|(_, whole, ..)| *whole)
}

/// What is wanted of a metric such as `validation:auc`, if it is one of XGBoost's.
pub fn goal(metric: &str) -> Option<Goal> {
    let name = metric.split(':').nth(1)?;
    let name = name.split('@').next().unwrap_or(name);
    if MAXIMIZED.contains(&name) {
        return Some(Goal::Maximize);
    }
    MINIMIZED.contains(&name).then_some(Goal::Minimize)
}

/// The metric that was meant.
pub fn metric_meant(metric: &str) -> Option<String> {
    let (set, name) = metric.split_once(':').unwrap_or(("validation", metric));
    let near = super::nearest(name, MAXIMIZED.iter().chain(MINIMIZED).copied())?;
    Some(format!("{}:{near}", if set == "train" { "train" } else { "validation" }))
}
