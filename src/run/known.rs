//! What a policy can be scoped to and no spec says: asked of AWS, where it may be asked.

use crate::aws::{Failure, Look};
use crate::kinds::rds;
use crate::stack::Stack;
use auroraml_core::base::names::ORIGINAL_GROUP_TAG;
use auroraml_core::members::Topology;
use auroraml_core::policy::Known;
use auroraml_core::spec::Aurora;

/// The stack's VPC; of an existing cluster its members and its parameter group, of its own the roles of others.
///
/// # Errors
/// The first question that was refused.
pub async fn known(stack: &Stack) -> Result<Known, Failure> {
    let look = Look::for_a_change(&stack.aws);
    let mut known = Known::default();
    if stack.spec.network.is_some() {
        let vpcs = stack.kinds.get("vpc").observe(look).await?;
        let own = vpcs.iter().find(|live| live.id.name == "main");
        known.vpc = own.and_then(|live| live.output("id")).map(String::from);
    }
    if matches!(stack.spec.aurora, Some(Aurora::Existing(_))) {
        known.groups.extend(rds::cluster_facts(look).await?.map(|facts| facts.parameter_group));
        // Ours has a tag with the name of the one that the cluster gets back.
        let groups = stack.kinds.get("parameter_group").observe(look).await?;
        let original = groups.iter().find_map(|live| live.props["tags"][ORIGINAL_GROUP_TAG].as_str());
        known.groups.extend(original.map(String::from));
        known.groups.retain(|group| *group != stack.aws.place.parameter_group());
        let conditions = stack.kinds.get("parameter_sync").observe(look).await?;
        if let Some(topology) = conditions.iter().find_map(Topology::told_by) {
            known.members = topology.members.into_iter().map(|member| member.name).collect();
        }
    }
    if matches!(stack.spec.aurora, Some(Aurora::Owned(_))) {
        // Roles of others whose associations are the stack's to take away.
        let associations = stack.kinds.get("cluster_role").observe(look).await?;
        let of_others = associations.iter().filter(|live| live.props["marked"] == true);
        known.roles.extend(of_others.filter_map(|live| live.props["role"].as_str()).map(String::from));
        // Members whose identifiers an earlier spec chose.
        let members = stack.kinds.get("instance").observe(look).await?;
        let by_stack = stack.aws.place.name("");
        let ids = members.iter().filter(|live| live.owned).filter_map(|live| live.output("id"));
        known.members.extend(ids.filter(|id| !id.starts_with(&by_stack)).map(String::from));
    }
    Ok(known)
}
