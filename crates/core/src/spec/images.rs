//! Where SageMaker's built-in images are: no API of AWS returns it (fact book, section 4.5).

/// Versions of the built-in XGBoost image that a spec may name.
pub const XGBOOST_VERSIONS: [&str; 7] = ["1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5", "3.2-0"];

/// The accounts that hold the image, by region, as of November 2026.
const XGBOOST_ACCOUNTS: [(&str, &str); 17] = [
    ("us-east-1", "683313688378"),
    ("us-east-2", "257758044811"),
    ("us-west-1", "746614075791"),
    ("us-west-2", "246618743249"),
    ("ca-central-1", "341280168497"),
    ("sa-east-1", "737474898029"),
    ("eu-west-1", "141502667606"),
    ("eu-west-2", "764974769150"),
    ("eu-west-3", "659782779980"),
    ("eu-central-1", "492215442770"),
    ("eu-north-1", "662702820516"),
    ("ap-northeast-1", "354813040037"),
    ("ap-northeast-2", "366743142698"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "720646828776"),
    ("ap-southeast-1", "121021644041"),
    ("ap-southeast-2", "783357654285"),
];

/// URI of the built-in XGBoost image, if the region's account is known.
pub fn xgboost_image(region: &str, version: &str) -> Option<String> {
    let (_, account) = XGBOOST_ACCOUNTS.iter().find(|(name, _)| *name == region)?;
    Some(format!("{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:{version}"))
}
