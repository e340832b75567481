//! The refusals that many operations share, and the rules for names and tags.

use crate::wire::Fault;
use std::collections::BTreeMap;

/// Tags per resource: AWS's usual limit, not in the fact book.
const TAGS_MAX: usize = 50;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterValue", message)
}

pub(super) fn combination(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterCombination", message)
}

pub(super) fn cluster_state(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidDBClusterStateFault", message)
}

pub(super) fn instance_state(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidDBInstanceState", message)
}

pub(super) fn no_cluster(id: &str) -> Fault {
    Fault::new(404, "DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

pub(super) fn no_instance(id: &str) -> Fault {
    Fault::new(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

/// The rule for names: letters, digits and hyphens, a letter first, no hyphen last, no two in a row.
pub(super) fn check_name(parameter: &str, name: &str, longest: usize) -> Result<(), Fault> {
    let fine = name.len() <= longest
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        && !name.ends_with('-')
        && !name.contains("--");
    if fine {
        return Ok(());
    }
    Err(invalid(format!(
        "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must \
         contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two \
         consecutive hyphens."
    )))
}

/// The rules for tags: no reserved key, no overlong key or value, not too many.
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    for (key, value) in tags {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Invalid tag key {key}: the prefix aws: is reserved.")));
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("Invalid length of tag {key}.")));
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A resource can have at most {TAGS_MAX} tags.")));
    }
    Ok(())
}
