//! Tags of resources that exist.

use super::listing::{Listing, Row, select};
use super::record::{Object, Tags, check_tags, done, missing};
use super::state::{Ec2, RouteTable, Rule};
use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeMap;

const LISTING: Listing = Listing {
    ids: "",
    set: "tagSet",
    filters: &["key", "resource-id", "resource-type", "value"],
    pages: 5..=1000,
};

/// Prefix of the ids, and the resource's type.
const TYPES: &[(&str, &str)] = &[
    ("acl", "network-acl"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("igw", "internet-gateway"),
    ("nat", "natgateway"),
    ("rtb", "route-table"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("subnet", "subnet"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
];

fn resource_type(id: &str) -> Option<&'static str> {
    let (prefix, _) = id.split_once('-')?;
    TYPES.iter().find(|(known, _)| *known == prefix).map(|(_, resource_type)| *resource_type)
}

impl Ec2 {
    /// Tags that nobody but AWS can set.
    pub(crate) fn mark(&mut self, id: &str, tags: &[(String, String)]) {
        // Whoever marks has just made it, and need not see it yet.
        fn of<T: Object>(all: &mut BTreeMap<String, T>, id: &str, tags: &[(String, String)]) {
            if let Some(found) = all.get_mut(id) {
                found.record_mut().tags.extend(tags.iter().cloned());
            }
        }
        match resource_type(id) {
            Some("elastic-ip") => of(&mut self.addresses, id, tags),
            Some("internet-gateway") => of(&mut self.internet_gateways, id, tags),
            Some("natgateway") => of(&mut self.nat_gateways, id, tags),
            Some("route-table") => of(&mut self.route_tables, id, tags),
            Some("security-group") => of(&mut self.security_groups, id, tags),
            Some("subnet") => of(&mut self.subnets, id, tags),
            Some("vpc") => of(&mut self.vpcs, id, tags),
            Some("vpc-endpoint") => of(&mut self.endpoints, id, tags),
            _ => {}
        }
    }

    /// Type and tags of a visible resource.
    pub(crate) fn tags_of(&mut self, id: &str) -> Option<(&'static str, Tags)> {
        Some((resource_type(id)?, self.tags_mut(id).ok()?.clone()))
    }

    /// Type, id and tags of everything that has tags.
    pub(crate) fn tagged(&self) -> Vec<(&'static str, String, Tags)> {
        fn of<T: Object>(all: &BTreeMap<String, T>) -> impl Iterator<Item = (String, Tags)> {
            all.iter().map(|(id, object)| (id.clone(), object.record().tags.clone()))
        }
        let rules = self.security_groups.values().flat_map(|group| &group.rules);
        let rules = rules.map(|rule| (rule.id.clone(), rule.record.tags.clone()));
        let all = of(&self.access_lists)
            .chain(of(&self.addresses))
            .chain(of(&self.interfaces))
            .chain(of(&self.internet_gateways))
            .chain(of(&self.nat_gateways))
            .chain(of(&self.route_tables))
            .chain(of(&self.security_groups))
            .chain(rules)
            .chain(of(&self.subnets))
            .chain(of(&self.vpcs))
            .chain(of(&self.endpoints));
        all.filter_map(|(id, tags)| Some((resource_type(&id)?, id, tags))).collect()
    }

    /// The route table and the subnet that an association joins.
    pub(crate) fn associated(&self, association: &str) -> Vec<String> {
        let joins =
            |table: &RouteTable| Some([table.id.clone(), table.associations.get(association)?.clone()]);
        self.route_tables.values().find_map(joins).into_iter().flatten().collect()
    }

    /// The VPC that a network interface is in.
    pub(crate) fn vpc_of_interface(&self, id: &str) -> Option<&str> {
        self.interfaces.get(id).map(|interface| interface.vpc.as_str())
    }

    /// The tags of a visible resource of any type.
    fn tags_mut(&mut self, id: &str) -> Result<&mut Tags, Fault> {
        fn of<'a, T: Object>(
            all: &'a mut BTreeMap<String, T>,
            id: &str,
            now: u64,
        ) -> Result<&'a mut Tags, Fault> {
            let found = all.get_mut(id).map(Object::record_mut).filter(|record| record.visible_at <= now);
            found.map(|record| &mut record.tags).ok_or_else(|| missing::<T>(id))
        }
        let now = self.now;
        match resource_type(id) {
            Some("network-acl") => of(&mut self.access_lists, id, now),
            Some("elastic-ip") => of(&mut self.addresses, id, now),
            Some("network-interface") => of(&mut self.interfaces, id, now),
            Some("internet-gateway") => of(&mut self.internet_gateways, id, now),
            Some("natgateway") => of(&mut self.nat_gateways, id, now),
            Some("route-table") => of(&mut self.route_tables, id, now),
            Some("security-group") => of(&mut self.security_groups, id, now),
            Some("security-group-rule") => {
                let groups = self.security_groups.values_mut().filter(|group| group.record.visible_at <= now);
                let mut rules = groups.flat_map(|group| &mut group.rules);
                let rule = rules.find(|rule| rule.id == id);
                rule.map(|rule| &mut rule.record.tags).ok_or_else(|| missing::<Rule>(id))
            }
            Some("subnet") => of(&mut self.subnets, id, now),
            Some("vpc") => of(&mut self.vpcs, id, now),
            Some("vpc-endpoint") => of(&mut self.endpoints, id, now),
            _ => Err(Fault::bad("InvalidID", format!("The ID '{id}' is not valid"))),
        }
    }

    /// All resources or none.
    pub(super) fn create_tags(&mut self, call: &Call) -> Reply {
        call.params.required("ResourceId.1")?;
        call.params.required("Tag.1.Key")?;
        let (ids, new) = (call.params.list("ResourceId"), call.params.tags("Tag"));
        check_tags(&new)?;
        for id in &ids {
            let mut all = self.tags_mut(id)?.clone();
            all.extend(new.clone());
            // "You can't modify or delete" those of the system (EC2 User Guide, "Tag restrictions").
            check_tags(&all.into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect())?;
        }
        for id in &ids {
            self.tags_mut(id)?.extend(new.clone());
        }
        done()
    }

    /// Without tags, all of them; with a value, only if it is that value; never an error for a tag that
    /// is not there.
    pub(super) fn delete_tags(&mut self, call: &Call) -> Reply {
        call.params.required("ResourceId.1")?;
        let ids = call.params.list("ResourceId");
        for id in &ids {
            self.tags_mut(id)?;
        }
        let old = call.params.items("Tag");
        for id in &ids {
            let tags = self.tags_mut(id)?;
            if old.is_empty() {
                tags.retain(|key, _| key.starts_with("aws:"));
            }
            for tag in &old {
                let key = tag.required("Key")?;
                if tag.get("Value").is_none_or(|value| tags.get(key).is_some_and(|has| has == value)) {
                    tags.remove(key);
                }
            }
        }
        done()
    }

    pub(super) fn describe_tags(&self, call: &Call) -> Reply {
        fn of<'a, T: Object + 'a>(
            all: impl IntoIterator<Item = &'a T>,
            now: u64,
        ) -> impl Iterator<Item = (&'a str, &'a Tags)> {
            let seen = all.into_iter().filter(move |object| object.record().visible_at <= now);
            seen.map(|object| (object.id(), &object.record().tags))
        }
        let now = self.now;
        let groups = self.security_groups.values().filter(|group| group.record.visible_at <= now);
        let mut all: Vec<(&str, &Tags)> = of(self.vpcs.values(), now)
            .chain(of(self.subnets.values(), now))
            .chain(of(self.internet_gateways.values(), now))
            .chain(of(self.addresses.values(), now))
            .chain(of(self.nat_gateways.values(), now))
            .chain(of(self.route_tables.values(), now))
            .chain(of(self.security_groups.values(), now))
            .chain(of(groups.flat_map(|group| &group.rules), now))
            .chain(of(self.endpoints.values(), now))
            .chain(of(self.interfaces.values(), now))
            .chain(of(self.access_lists.values(), now))
            .collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        let each = all.into_iter().flat_map(|(id, tags)| tags.iter().map(move |tag| (id, tags, tag)));
        let rows = each.map(|(id, tags, (key, value))| {
            let resource_type = resource_type(id).unwrap_or_default();
            Row {
                // A space sorts before everything in an id, so that the order is that of the ids.
                id: format!("{id} {key}"),
                facts: vec![
                    ("key", key.clone()),
                    ("resource-id", id.to_string()),
                    ("resource-type", resource_type.to_string()),
                    ("value", value.clone()),
                ],
                tags,
                item: (id, resource_type, key, value),
            }
        });
        let (chosen, next) = select(call, &LISTING, rows)?;
        let mut x = Xml::new();
        x.list(LISTING.set, "item", chosen, |x, (id, resource_type, key, value)| {
            x.text("resourceId", id).text("resourceType", resource_type);
            x.text("key", key).text("value", value);
        });
        x.optional("nextToken", next);
        Ok(x.into())
    }
}
