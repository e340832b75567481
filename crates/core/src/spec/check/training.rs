//! Models that are trained.

use super::container::image;
use super::{classes, name};
use crate::base::counted;
use crate::spec::hyperparameters::{self, Wrong};
use crate::spec::problem::{list, nearest};
use crate::spec::reader::{Reader, join};
use crate::spec::{Autopilot, Range, Spec, Training, Tuning, seconds};

/// The longest time that AWS takes (botocore's model and "Quotas" of the developer guide): 28 days.
const RUNTIME_MAX: u32 = 28 * 86_400;
/// Training and processing of a candidate take longer than this: less can have no result.
const AUTOPILOT_MIN: u32 = 600;

/// `s3://bucket`, `s3://bucket/prefix`.
fn is_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("s3://") else { return false };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    name::bucket(bucket).is_none() && key.len() <= 1024
}

/// Rows: one of the unloads, or an address.
fn data(spec: &Spec, given: &str, header: bool, path: &str, reader: &mut Reader) {
    if given.starts_with("s3://") {
        if !is_address(given) {
            let message = format!("invalid S3 address `{given}`");
            reader.report(path, message, "write `s3://BUCKET/PREFIX`, such as `s3://my-data/churn/`");
        }
        return;
    }
    let Some(unload) = spec.unloads.get(given) else {
        let hint = match nearest(given, spec.unloads.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `s3://BUCKET/PREFIX`, or add it to `unloads`".to_owned(),
        };
        reader.report(path, format!("`{given}` is not an S3 address or a name from `unloads`"), hint);
        return;
    };
    let (wanted, why) = match header {
        true => ("true", "Autopilot needs a header to find the columns"),
        false => ("false", "XGBoost would read a header as a row"),
    };
    if unload.header != header {
        let message = format!(
            "`unloads.{given}` is written {} a header: {why}",
            if header { "without" } else { "with" }
        );
        reader.report(path, message, format!("write `header: {wanted}` there, or add a second unload"));
    }
}

/// Models are written to the stack's bucket, or where the spec says.
fn output(spec: &Spec, given: Option<&str>, path: &str, reader: &mut Reader) {
    let inner = join(path, "output");
    match given {
        Some(address) if !is_address(address) => {
            let message = format!("invalid S3 address `{address}`");
            reader.report(&inner, message, "write `s3://BUCKET/PREFIX`");
        }
        None if spec.bucket.is_none() && reader.sound("bucket") && !reader.given(&inner) => {
            let message = "the job has nowhere to save its model: the stack has no bucket";
            reader.report_key(path, message, "add `bucket: {}`, or `output: \"s3://BUCKET/PREFIX\"` here");
        }
        _ => {}
    }
}

fn runtime(text: &str, least: u32, path: &str, reader: &mut Reader) {
    let path = join(path, "max_runtime");
    match seconds(text) {
        None => {
            let hint = "write a whole number of minutes, hours or days: `30m`, `1h` or `2d`";
            reader.report(&path, format!("invalid time `{text}`"), hint);
        }
        Some(found) if found > RUNTIME_MAX => {
            reader.report(
                &path,
                format!("`{text}` is longer than AWS allows for a job"),
                "write at most `28d`",
            );
        }
        Some(found) if found < least => {
            let hint = format!("write at least `{}m`", least / 60);
            reader.report(&path, format!("`{text}` is too short to train a candidate"), hint);
        }
        Some(_) => {}
    }
}

pub fn training(spec: &Spec, training: &Training, path: &str, reader: &mut Reader) {
    image(&spec.region, &training.image, &join(path, "image"), reader);
    let is_xgboost = training.image.starts_with("xgboost:") || training.image.contains("/sagemaker-xgboost:");
    let header = false;
    if is_xgboost || !training.data.starts_with("s3://") {
        data(spec, &training.data, header, &join(path, "data"), reader);
    }
    if let Some(validation) = &training.validation {
        data(spec, validation, header, &join(path, "validation"), reader);
    }
    let instance = &training.instance;
    let possible = classes::class(instance, &classes::ON_TRAINING, &join(path, "instance"), reader);
    if possible && instance.starts_with("ml.t") {
        // "ml.t2" and "ml.t3" are no TrainingInstanceType of botocore's model, but for ml.t3 as of 2023.
        let message = format!("`{instance}` is small for a training job");
        reader.warn_key(&join(path, "instance"), message, "write a type such as `ml.m5.large`");
    }
    if !(1..=16_384).contains(&training.volume) {
        let message = format!("invalid volume size {} GiB", training.volume);
        reader.report(&join(path, "volume"), message, "write 1 to 16384");
    }
    runtime(&training.max_runtime, 60, path, reader);
    output(spec, training.output.as_deref(), path, reader);
    settings(training, is_xgboost, path, reader);
    if let Some(tuning) = &training.tuning {
        tune(training, tuning, is_xgboost, &join(path, "tuning"), reader);
    }
}

/// Hyperparameters; of an image that is not XGBoost's nothing is known.
fn settings(training: &Training, is_xgboost: bool, path: &str, reader: &mut Reader) {
    let path = join(path, "hyperparameters");
    if training.hyperparameters.len() > 100 {
        reader.report(&path, "a job has at most 100 hyperparameters", "remove some");
    }
    if !is_xgboost {
        return;
    }
    for (name, value) in &training.hyperparameters {
        setting(name, value, &join(&path, name), reader);
    }
    let given = |name: &str| {
        let tuned = training.tuning.as_ref().is_some_and(|tuning| tuning.ranges.contains_key(name));
        tuned || training.hyperparameters.contains_key(name)
    };
    if !given("num_round") && reader.sound(&path) {
        let hint = "add `num_round: 100` to `hyperparameters`";
        let at = if reader.given(&path) {
            path.clone()
        } else {
            path.trim_end_matches(".hyperparameters").to_owned()
        };
        reader.report_key(&at, "XGBoost needs `num_round`, the number of rounds", hint);
    }
    let objective = training.hyperparameters.get("objective").map_or("", String::as_str);
    if objective.starts_with("multi:") && !given("num_class") {
        let message = format!("`{objective}` needs `num_class`, the number of classes");
        reader.report(&join(&path, "objective"), message, "add for example `num_class: 3`");
    }
    let metrics = training.hyperparameters.get("eval_metric").map_or("", String::as_str);
    let is_auc = metrics.split(',').any(|metric| metric.trim() == "auc");
    if is_auc && !objective.starts_with("binary:") && !objective.starts_with("rank:") {
        let message = "`auc` works only with two classes and with ranks";
        reader.report(
            &join(&path, "eval_metric"),
            message,
            "add `objective: binary:logistic`, or use another metric",
        );
    }
}

fn setting(name: &str, value: &str, path: &str, reader: &mut Reader) {
    match hyperparameters::check(name, value) {
        Ok(()) => {}
        Err(Wrong::Value(hint)) => {
            reader.report(path, format!("invalid value `{value}` for XGBoost's `{name}`"), hint);
        }
        Err(Wrong::Unknown(Some(near))) => {
            let message = format!("XGBoost has no hyperparameter `{name}`");
            reader.report_key(path, message, format!("did you mean `{near}`?"));
        }
        Err(Wrong::Unknown(None)) => {
            let message = format!("unknown XGBoost hyperparameter `{name}`");
            reader.warn_key(path, message, "the training job fails if the image does not know it");
        }
    }
}

fn tune(training: &Training, tuning: &Tuning, is_xgboost: bool, path: &str, reader: &mut Reader) {
    if !(1..=750).contains(&tuning.jobs) {
        reader.report(
            &join(path, "jobs"),
            format!("invalid number of jobs {}", tuning.jobs),
            "write 1 to 750",
        );
    }
    if !(1..=10).contains(&tuning.parallel) {
        let message = format!("invalid number of parallel jobs {}", tuning.parallel);
        reader.report(&join(path, "parallel"), message, "write 1 to 10");
    } else if tuning.parallel > tuning.jobs {
        let message = format!("`parallel: {}` is more than `jobs: {}`", tuning.parallel, tuning.jobs);
        reader.report(&join(path, "parallel"), message, format!("write at most `parallel: {}`", tuning.jobs));
    }
    objective(training, tuning, is_xgboost, path, reader);
    let ranges = join(path, "ranges");
    if tuning.ranges.is_empty() || tuning.ranges.len() > 30 {
        let message = format!("{}: a tuning job needs 1 to 30", counted(tuning.ranges.len(), "range"));
        reader.report(&ranges, message, "write `ranges: { eta: [0.01, 0.3], max_depth: [3, 8] }`");
    }
    for (name, range) in &tuning.ranges {
        let path = join(&ranges, name);
        if training.hyperparameters.contains_key(name) {
            let message = format!("`{name}` is both fixed under `hyperparameters` and tuned here");
            reader.report_key(&path, message, "remove one of the two");
        }
        one_range(name, range, is_xgboost, &path, reader);
    }
}

fn objective(training: &Training, tuning: &Tuning, is_xgboost: bool, path: &str, reader: &mut Reader) {
    let inner = join(path, "objective");
    let metric = &tuning.objective;
    if is_xgboost && hyperparameters::goal(metric).is_none() {
        let hint = match hyperparameters::metric_meant(metric) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `validation:auc`, `validation:rmse` or another metric of XGBoost".to_owned(),
        };
        reader.report(&inner, format!("XGBoost has no metric `{metric}`"), hint);
    } else if !is_xgboost && tuning.goal.is_none() {
        let message = format!("the goal for `{metric}` is missing");
        reader.report(&inner, message, "add `goal: maximize` or `goal: minimize`");
    }
    if metric.starts_with("validation:") && training.validation.is_none() && is_xgboost {
        let hint = "add `validation:` beside `data:`";
        reader.report(&inner, format!("`{metric}` needs validation data"), hint);
    }
}

fn one_range(name: &str, range: &Range, is_xgboost: bool, path: &str, reader: &mut Reader) {
    match range.bounds() {
        Some((from, to)) if from >= to => {
            let message = format!("the range of `{name}` is the wrong way round: {from} to {to}");
            reader.report(path, message, format!("write `[{to}, {from}]`"));
        }
        Some(_) if is_xgboost => {
            for bound in &range.0 {
                let found = hyperparameters::check(name, bound);
                setting(name, bound, path, reader);
                if found.is_err() {
                    break;
                }
            }
        }
        None if range.0.is_empty() || is_xgboost && hyperparameters::is_whole(name).is_some() => {
            let message = format!("the range of `{name}` needs two ends");
            reader.report(path, message, format!("write for example `{name}: [0.1, 0.5]`"));
        }
        None if is_xgboost => range.0.iter().for_each(|word| setting(name, word, path, reader)),
        _ => {}
    }
}

pub fn autopilot(spec: &Spec, autopilot: &Autopilot, path: &str, reader: &mut Reader) {
    data(spec, &autopilot.data, true, &join(path, "data"), reader);
    if let Some(validation) = &autopilot.validation {
        data(spec, validation, true, &join(path, "validation"), reader);
    }
    if autopilot.target.trim().is_empty() {
        reader.report(
            &join(path, "target"),
            "the target is empty",
            "write the name of the column to predict",
        );
    }
    let objective = join(path, "objective");
    match (autopilot.problem, autopilot.objective.as_deref()) {
        (Some(problem), Some(metric)) if !problem.objectives().contains(&metric) => {
            let hint = match nearest(metric, problem.objectives().iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", list(problem.objectives())),
            };
            reader.report(
                &objective,
                format!("`{metric}` cannot be combined with this kind of problem"),
                hint,
            );
        }
        (Some(problem), None) => {
            let hint = format!("add `objective: {}`, or remove `problem`", problem.objectives()[0]);
            reader.report(&join(path, "problem"), "`problem` and `objective` must be given together", hint);
        }
        (None, Some(_)) => {
            let hint = "add `problem: binary_classification`, or remove `objective`";
            reader.report(&objective, "`problem` and `objective` must be given together", hint);
        }
        _ => {}
    }
    if let Some(count) = autopilot.max_candidates
        && !(1..=750).contains(&count)
    {
        reader.report(
            &join(path, "max_candidates"),
            format!("invalid number of candidates {count}"),
            "write 1 to 750",
        );
    }
    runtime(&autopilot.max_runtime, AUTOPILOT_MIN, path, reader);
    output(spec, autopilot.output.as_deref(), path, reader);
}
