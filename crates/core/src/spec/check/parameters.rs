//! Parameters of the DB cluster parameter group.
//!
//! A cluster group has the cluster-level parameters and, as defaults for the members, the instance-level
//! ones (fact book, section 1.2). Names after the AWS guide's reference of Aurora MySQL parameters.

mod names;

use super::Version;
use crate::spec::problem::nearest;
use crate::spec::reader::Reader;
use crate::spec::types::Cluster;
use names::{ANY, FIXED, ONLY_8_0, ONLY_8_4, REPLACED};

/// The parameters that `machine_learning` sets, and its key for each.
const WIRED: [(&str, &str); 4] = [
    ("aws_default_sagemaker_role", "sagemaker: { endpoints: [NAME] }"),
    ("aws_default_comprehend_role", "comprehend: true"),
    ("aws_default_s3_role", "s3: true"),
    ("aws_default_bedrock_role", "bedrock: { models: [MODEL-ID] }"),
];

pub fn parameters(cluster: &Cluster, version: Version, reader: &mut Reader) {
    let family = version.family();
    for name in cluster.parameters.keys() {
        let path = format!("aurora.parameters.{name}");
        if let Some((_, key)) = WIRED.iter().find(|(wired, _)| wired == name) {
            let message = format!("`{name}` belongs to its role and association");
            let hint = format!("write `{key}` under `machine_learning`, which sets all three as one unit");
            reader.report_key(&path, message, hint);
        } else if matches!(name.as_str(), "aurora_load_from_s3_role" | "aurora_select_into_s3_role") {
            let message = format!("`{name}` does not exist in {family}: it is `aws_default_s3_role` there");
            reader.report_key(&path, message, "write `s3: true` under `machine_learning`, which sets it");
        } else if FIXED.contains(&name.as_str()) {
            reader.report_key(
                &path,
                format!("`{name}` cannot be changed on Aurora MySQL"),
                "remove the line",
            );
        } else if !exists(name, version) {
            let message = format!("there is no parameter `{name}` in {family}");
            reader.report_key(&path, message, instead(name, version));
        }
    }
}

fn exists(name: &str, version: Version) -> bool {
    let own = match version {
        Version::Three { .. } => ONLY_8_0,
        Version::EightFour => ONLY_8_4,
    };
    ANY.contains(&name) || own.contains(&name)
}

fn instead(name: &str, version: Version) -> String {
    if let Some((_, new)) = REPLACED.iter().find(|(old, _)| *old == name) {
        return if new.is_empty() {
            "it was removed: remove the line".to_owned()
        } else if exists(new, version) {
            format!("it is `{new}` there")
        } else {
            "remove the line".to_owned()
        };
    }
    let own = match version {
        Version::Three { .. } => ONLY_8_0,
        Version::EightFour => ONLY_8_4,
    };
    match nearest(name, ANY.iter().chain(own).copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see the AWS guide, Aurora MySQL configuration parameters".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_one_list() {
        let lists = [ANY, ONLY_8_0, ONLY_8_4, FIXED];
        let all: Vec<&str> = lists.into_iter().flatten().copied().collect();
        for (n, name) in all.iter().enumerate() {
            assert!(!all[..n].contains(name), "{name} is there twice");
            assert!(
                !REPLACED.iter().any(|(old, _)| old == name && ANY.contains(old)),
                "{name} is also removed"
            );
        }
    }

    #[test]
    fn a_replacement_exists() {
        for (old, new) in REPLACED {
            let known = [ANY, ONLY_8_0, ONLY_8_4].into_iter().flatten().any(|name| name == new);
            assert!(new.is_empty() || known, "{old} -> {new}");
        }
    }
}
