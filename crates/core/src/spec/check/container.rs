//! Containers of models and training jobs.

use super::name;
use crate::spec::images::{XGBOOST_VERSIONS, xgboost_image};
use crate::spec::problem::list;
use crate::spec::reader::{Reader, join};
use std::collections::BTreeMap;

pub(super) fn container(region: &str, uri: &str, artifact: Option<&str>, path: &str, reader: &mut Reader) {
    image(region, uri, &join(path, "image"), reader);
    if let Some(artifact) = artifact {
        let parts = artifact.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let possible = parts.is_some_and(|(bucket, key)| {
            name::bucket(bucket).is_none() && !key.is_empty() && key.len() <= 1024
        });
        if !possible {
            let message = format!("`{artifact}` is not an S3 object address");
            reader.report(
                &join(path, "artifact"),
                message,
                "write `s3://BUCKET/KEY`, such as `s3://my-models/churn/model.tar.gz`",
            );
        }
    } else if uri.starts_with("xgboost:") && !reader.given(&join(path, "artifact")) {
        // AWS takes such a model, and an article's stack has one that a notebook replaces.
        let hint =
            "add `artifact: \"s3://BUCKET/KEY\"` of a trained model, unless something else deploys one";
        let message = "without `artifact` the built-in XGBoost image has no model: the endpoint costs money but cannot predict";
        reader.warn_key(path, message, hint);
    }
}

pub(super) fn variables(environment: &BTreeMap<String, String>, path: &str, reader: &mut Reader) {
    for (key, value) in environment {
        if !name::variable(key) || key.len() > 1024 || value.chars().count() > 1024 {
            let hint =
                "use letters, digits and underscores in the name, and at most 1024 characters in the value";
            let message = format!("invalid environment variable `{key}`");
            reader.report_key(&join(&join(path, "environment"), key), message, hint);
        }
    }
}

/// Fact book, section 4.5.
pub(super) fn image(region: &str, image: &str, path: &str, reader: &mut Reader) {
    if let Some(version) = image.strip_prefix("xgboost:") {
        if matches!(version, "latest" | "1") {
            let message = format!("`{version}` is XGBoost 0.72 of 2018, which cannot be used here");
            reader.report(path, message, "write a version, such as `xgboost:1.7-1`");
        } else if !XGBOOST_VERSIONS.contains(&version) {
            let release = version.split('-').next().unwrap_or(version);
            let near = XGBOOST_VERSIONS.iter().find(|known| known.split('-').next() == Some(release));
            let hint = match near {
                Some(near) => format!("did you mean `xgboost:{near}`?"),
                None => format!("there are {}", list(&XGBOOST_VERSIONS)),
            };
            reader.report(path, format!("there is no built-in XGBoost image `{version}`"), hint);
        } else if xgboost_image(region, version).is_none() && name::region(region) {
            let message = format!("unknown account of the built-in XGBoost image in {region}");
            reader.report(path, message, "write the full image URI");
        }
    } else if !uri(image) {
        let message = format!("`{image}` is not `xgboost:VERSION` or an image URI");
        let hint = "write `xgboost:1.7-1`, or `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`";
        reader.report(path, message, hint);
    }
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com[.cn]/REPOSITORY[:TAG|@sha256:DIGEST]`
fn uri(image: &str) -> bool {
    let Some((host, repository)) = image.split_once('/') else { return false };
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else { return false };
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"));
    account.len() == 12
        && account.chars().all(|c| c.is_ascii_digit())
        && region.is_some_and(name::region)
        && repository.starts_with(|c: char| c.is_ascii_alphanumeric())
        && repository.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
}
