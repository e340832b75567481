//! Where SageMaker's built-in images are: no API of AWS returns it (fact book, section 4.5).

/// Versions of the built-in XGBoost image that a spec may name.
pub const XGBOOST_VERSIONS: [&str; 7] = ["1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5", "3.2-0"];

/// The accounts that hold the image, by region; all versions above have the same. As of 2026-08-21: aws/sagemaker-
/// python-sdk
/// at a24812666d25, `image_uri_config/xgboost.json`, without the isolated partitions, whose registries have other
/// host names.
const XGBOOST_ACCOUNTS: [(&str, &str); 33] = [
    ("af-south-1", "510948584623"),
    ("ap-east-1", "651117190479"),
    ("ap-northeast-1", "354813040037"),
    ("ap-northeast-2", "366743142698"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "720646828776"),
    ("ap-south-2", "628508329040"),
    ("ap-southeast-1", "121021644041"),
    ("ap-southeast-2", "783357654285"),
    ("ap-southeast-3", "951798379941"),
    ("ap-southeast-4", "106583098589"),
    ("ca-central-1", "341280168497"),
    ("ca-west-1", "190319476487"),
    ("cn-north-1", "450853457545"),
    ("cn-northwest-1", "451049120500"),
    ("eu-central-1", "492215442770"),
    ("eu-central-2", "680994064768"),
    ("eu-north-1", "662702820516"),
    ("eu-south-1", "978288397137"),
    ("eu-south-2", "104374241257"),
    ("eu-west-1", "141502667606"),
    ("eu-west-2", "764974769150"),
    ("eu-west-3", "659782779980"),
    ("il-central-1", "898809789911"),
    ("me-central-1", "272398656194"),
    ("me-south-1", "801668240914"),
    ("sa-east-1", "737474898029"),
    ("us-east-1", "683313688378"),
    ("us-east-2", "257758044811"),
    ("us-gov-east-1", "237065988967"),
    ("us-gov-west-1", "414596584902"),
    ("us-west-1", "746614075791"),
    ("us-west-2", "246618743249"),
];

/// The accounts that hold the image, by region.
pub fn xgboost_accounts() -> &'static [(&'static str, &'static str)] {
    &XGBOOST_ACCOUNTS
}

/// URI of the built-in XGBoost image, if the region's account is known.
pub fn xgboost_image(region: &str, version: &str) -> Option<String> {
    let (_, account) = XGBOOST_ACCOUNTS.iter().find(|(name, _)| *name == region)?;
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    Some(format!("{account}.dkr.ecr.{region}.amazonaws.com{china}/sagemaker-xgboost:{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_account() {
        for (region, host) in [
            ("us-east-1", "683313688378.dkr.ecr.us-east-1.amazonaws.com"),
            ("ap-east-1", "651117190479.dkr.ecr.ap-east-1.amazonaws.com"),
            ("me-south-1", "801668240914.dkr.ecr.me-south-1.amazonaws.com"),
            ("us-gov-west-1", "414596584902.dkr.ecr.us-gov-west-1.amazonaws.com"),
            // Registries in China have a domain of their own.
            ("cn-north-1", "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ] {
            let image = xgboost_image(region, "1.7-1");
            assert_eq!(image, Some(format!("{host}/sagemaker-xgboost:1.7-1")), "{region}");
        }
        assert_eq!(xgboost_image("xx-north-1", "1.7-1"), None);
    }

    #[test]
    fn an_account_is_of_one_region() {
        let accounts: std::collections::BTreeSet<&str> = XGBOOST_ACCOUNTS.iter().map(|(_, a)| *a).collect();
        assert_eq!(accounts.len(), XGBOOST_ACCOUNTS.len());
        assert!(accounts.iter().all(|a| a.len() == 12 && a.bytes().all(|b| b.is_ascii_digit())));
        assert!(XGBOOST_ACCOUNTS.is_sorted(), "by region");
    }
}
