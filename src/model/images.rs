//! Accounts that hold SageMaker's built-in XGBoost image. Pure data; no AWS API returns it.
//!
//! From the SageMaker Python SDK's own table, as of 2026-11 (fact book, section 4.5).

const ACCOUNTS: &[(&str, &str)] = &[
    ("ap-northeast-1", "354813040037"),
    ("ap-northeast-2", "366743142698"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "720646828776"),
    ("ap-southeast-1", "121021644041"),
    ("ap-southeast-2", "783357654285"),
    ("ca-central-1", "341280168497"),
    ("eu-central-1", "492215442770"),
    ("eu-north-1", "662702820516"),
    ("eu-west-1", "141502667606"),
    ("eu-west-2", "764974769150"),
    ("eu-west-3", "659782779980"),
    ("sa-east-1", "737474898029"),
    ("us-east-1", "683313688378"),
    ("us-east-2", "257758044811"),
    ("us-west-1", "746614075791"),
    ("us-west-2", "246618743249"),
];

/// The image URI that `image` of a spec means: `xgboost:VERSION`, or a URI already.
///
/// # Errors
/// The reason, when the built-in image of this region is not known.
pub fn resolve(image: &str, region: &str) -> Result<String, String> {
    let Some(version) = image.strip_prefix("xgboost:") else { return Ok(image.to_string()) };
    match ACCOUNTS.iter().find(|(name, _)| *name == region) {
        Some((_, account)) => {
            Ok(format!("{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:{version}"))
        }
        None => Err(format!("auroraml does not know which account holds the XGBoost image in {region}")),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn built_in_and_own() {
        assert_eq!(
            resolve("xgboost:1.7-1", "eu-west-1").unwrap(),
            "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"
        );
        assert_eq!(resolve("1.dkr.ecr.x/y:z", "eu-west-1").unwrap(), "1.dkr.ecr.x/y:z");
        assert!(resolve("xgboost:1.7-1", "mars-1").is_err());
    }
}
