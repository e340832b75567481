//! Which kinds are shown together, in the order in which a person would build a stack.

use crate::plan::{Action, Step};

const SECTIONS: &[(&str, &[&str])] = &[
    (
        "Network",
        &[
            "vpc",
            "internet_gateway",
            "subnet",
            "elastic_ip",
            "nat_gateway",
            "route_table",
            "security_group",
            "vpc_endpoint",
        ],
    ),
    ("Bucket", &["bucket", "bucket_object"]),
    ("Roles", &["role"]),
    (
        "Database",
        &[
            "secret",
            "subnet_group",
            "parameter_group",
            "group_parameters",
            "cluster",
            "group_attachment",
            "cluster_role",
            "instance",
            "parameter_sync",
            "secret_attachment",
        ],
    ),
    ("SageMaker endpoints", &["model", "endpoint_config", "endpoint"]),
    ("Notebook", &["notebook_config", "notebook"]),
];

/// Title of the section that shows resources of this kind.
pub fn section(kind: &str) -> &'static str {
    SECTIONS.iter().find(|(_, kinds)| kinds.contains(&kind)).map_or("Other", |(title, _)| title)
}

/// Place of a kind in the order of all of them.
pub(super) fn rank(kind: &str) -> usize {
    let mut kinds = SECTIONS.iter().flat_map(|(_, kinds)| *kinds);
    kinds.position(|other| *other == kind).unwrap_or(usize::MAX)
}

/// The steps by section: what is built first, then, in the order in which it goes, what is deleted.
pub(super) fn sections<'p>(steps: impl Iterator<Item = &'p Step>) -> Vec<(&'static str, Vec<&'p Step>)> {
    let (gone, mut built): (Vec<&Step>, Vec<&Step>) =
        steps.partition(|step| matches!(step.action, Action::Delete | Action::Vanish));
    // A stable sort: within a kind the plan's order stays.
    built.sort_by_key(|step| rank(step.id.kind));
    let mut out: Vec<(&'static str, Vec<&Step>)> = Vec::new();
    for step in built {
        let title = section(step.id.kind);
        match out.last_mut() {
            Some((last, steps)) if *last == title => steps.push(step),
            _ => out.push((title, vec![step])),
        }
    }
    if !gone.is_empty() {
        out.push(("To be deleted, in this order", gone));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_section() {
        for kind in crate::kinds::KINDS {
            assert_ne!(section(kind.name()), "Other", "{} has no section", kind.name());
        }
    }
}
