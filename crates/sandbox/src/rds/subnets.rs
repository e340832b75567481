//! DB subnet groups (fact book, section 1.9).

use super::context::{Context, page};
use super::refusals::invalid;
use super::show;
use super::state::SubnetGroup;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeSet;

fn no_subnet_group(name: &str) -> Fault {
    Fault::new(404, "DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist."))
}

/// Subnets with their zones, and the VPC that they share.
type Placed = (Vec<(String, String)>, Option<String>);

/// The request's subnets with their zones, and the VPC that they share; at least two zones.
fn subnets(c: &Context<'_>) -> Result<Placed, Fault> {
    let given = c.params().list("SubnetIds");
    if given.is_empty() {
        return Err(Fault::bad("MissingParameter", "The request must contain the parameter SubnetIds"));
    }
    let zones = c.zones();
    let mut found = Vec::new();
    let mut vpcs = BTreeSet::new();
    for (index, subnet) in given.into_iter().enumerate() {
        let zone = match c.ec2.subnet_zone(&subnet) {
            Some(zone) => zone,
            None if c.rds.lenient => zones[index % zones.len()].clone(),
            None => {
                let text = format!("Some input subnets in :[{subnet}] are invalid.");
                return Err(Fault::bad("InvalidSubnet", text));
            }
        };
        vpcs.extend(c.ec2.subnet_vpc(&subnet));
        found.push((subnet, zone));
    }
    let covered: BTreeSet<&String> = found.iter().map(|(_, zone)| zone).collect();
    if covered.len() < 2 {
        return Err(Fault::bad(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: \
             1. Add subnets to cover at least 2 AZs.",
        ));
    }
    if vpcs.len() > 1 {
        // The API model says that InvalidSubnet stands for this as well.
        return Err(Fault::bad("InvalidSubnet", "The DB subnet group's subnets are not all in one VPC."));
    }
    Ok((found, vpcs.pop_first()))
}

fn answer(c: &Context<'_>, name: &str) -> Reply {
    let mut xml = Xml::new();
    if let Some(group) = c.rds.subnet_groups.get(name) {
        xml.element("DBSubnetGroup", |x| show::subnet_group(c, x, name, group));
    }
    Ok(xml.into())
}

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let name = c.required_name("DBSubnetGroupName")?;
    let description = c.params().required("DBSubnetGroupDescription")?.to_string();
    // Unlike other names, this one may have periods, underscores and spaces.
    let legal = |l: char| l.is_ascii_alphanumeric() || "-._ ".contains(l);
    if name == "default"
        || name.len() > 255
        || !name.starts_with(|l: char| l.is_ascii_alphabetic())
        || !name.chars().all(legal)
    {
        return Err(invalid(format!("The parameter DBSubnetGroupName is not a valid name: {name}")));
    }
    if c.rds.subnet_groups.contains_key(&name) {
        let text = format!("The DB subnet group '{name}' already exists.");
        return Err(Fault::bad("DBSubnetGroupAlreadyExists", text));
    }
    if c.rds.subnet_groups.len() >= c.rds.quotas.subnet_groups {
        let text = format!("Cannot create more than {} DB subnet groups.", c.rds.quotas.subnet_groups);
        return Err(Fault::bad("DBSubnetGroupQuotaExceeded", text));
    }
    let (subnets, vpc) = subnets(c)?;
    let tags = c.given_tags("subgrp")?;
    c.rds.subnet_groups.insert(name.clone(), SubnetGroup { description, subnets, vpc, tags });
    answer(c, &name)
}

/// The group `default`, which RDS makes of the default VPC's subnets for whoever names none.
pub(super) fn default_group(c: &mut Context<'_>) -> Result<String, Fault> {
    let name = "default".to_string();
    if !c.rds.subnet_groups.contains_key(&name) {
        let (subnets, vpc) = (c.ec2.default_subnets(), c.ec2.default_vpc());
        let zones: BTreeSet<&String> = subnets.iter().map(|(_, zone)| zone).collect();
        if zones.len() < 2 {
            return Err(Fault::bad("InvalidSubnet", "No default subnet detected in VPC."));
        }
        let (description, tags) = ("default".to_string(), Default::default());
        c.rds.subnet_groups.insert(name.clone(), SubnetGroup { description, subnets, vpc, tags });
    }
    Ok(name)
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let wanted = c.name("DBSubnetGroupName");
    if let Some(name) = &wanted
        && !c.rds.subnet_groups.contains_key(name)
    {
        return Err(no_subnet_group(name));
    }
    let all = c
        .rds
        .subnet_groups
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == *name))
        .map(|(name, group)| (name.clone(), (name, group)))
        .collect();
    let (groups, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    xml.list("DBSubnetGroups", "DBSubnetGroup", groups, |x, (name, group)| {
        show::subnet_group(c, x, name, group)
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

pub(super) fn modify(c: &mut Context<'_>) -> Reply {
    let name = c.required_name("DBSubnetGroupName")?;
    let before = c.rds.subnet_groups.get(&name).ok_or_else(|| no_subnet_group(&name))?.clone();
    let (subnets, vpc) = subnets(c)?;
    if vpc != before.vpc {
        // Quoted in hashicorp/terraform-provider-aws#27459.
        return Err(invalid("The new Subnets are not in the same Vpc as the existing subnet group"));
    }
    let used: BTreeSet<&String> = c
        .rds
        .instances
        .values()
        .filter(|instance| {
            c.rds.clusters.get(&instance.cluster).is_some_and(|used| used.subnet_group == name)
        })
        .map(|instance| &instance.zone)
        .collect();
    for (subnet, zone) in before.subnets.iter().filter(|(_, zone)| used.contains(zone)) {
        if !subnets.iter().any(|(_, kept)| kept == zone) {
            return Err(Fault::bad("SubnetAlreadyInUse", format!("The subnet {subnet} is in use.")));
        }
    }
    let description = c.params().get("DBSubnetGroupDescription").map_or(before.description, str::to_string);
    c.rds.subnet_groups.insert(name.clone(), SubnetGroup { description, subnets, vpc, tags: before.tags });
    answer(c, &name)
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let name = c.required_name("DBSubnetGroupName")?;
    if !c.rds.subnet_groups.contains_key(&name) {
        return Err(no_subnet_group(&name));
    }
    if let Some(user) = c.rds.clusters.values().find(|cluster| cluster.subnet_group == name) {
        return Err(Fault::bad(
            "InvalidDBSubnetGroupStateFault",
            format!(
                "Cannot delete the subnet group '{name}' because at least one database cluster: {} is still using it.",
                user.id
            ),
        ));
    }
    c.rds.subnet_groups.remove(&name);
    Ok(Xml::new().into())
}
