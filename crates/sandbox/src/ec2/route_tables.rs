//! Route tables and what they are associated with.

use super::listing::Listing;
use super::record::{self, Record, done, invalid, missing, new_id, unsupported, write_tags};
use super::state::{Destination, Ec2, Route, RouteTable, Target, Vpc};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeMap;

const LISTING: Listing = Listing {
    ids: "RouteTableId",
    set: "routeTableSet",
    filters: &[
        "association.main",
        "association.route-table-association-id",
        "association.route-table-id",
        "association.subnet-id",
        "owner-id",
        "route-table-id",
        "route.destination-cidr-block",
        "route.destination-prefix-list-id",
        "route.gateway-id",
        "route.nat-gateway-id",
        "route.origin",
        "route.state",
        "vpc-id",
    ],
    pages: 5..=100,
};

impl RouteTable {
    fn new(vpc: &Vpc, record: Record, random: &mut Random) -> RouteTable {
        let local = Route {
            destination: Destination::Network(vpc.cidr),
            target: Target::Local,
            origin: "CreateRouteTable".to_string(),
        };
        RouteTable {
            id: new_id("rtb", random),
            record,
            vpc: vpc.id.clone(),
            main: None,
            associations: BTreeMap::new(),
            routes: vec![local],
        }
    }
}

impl Ec2 {
    pub(super) fn put_main_route_table(&mut self, vpc: &Vpc, random: &mut Random) {
        let mut table = RouteTable::new(vpc, Record::alongside(&vpc.record), random);
        table.main = Some(new_id("rtbassoc", random));
        self.route_tables.insert(table.id.clone(), table);
    }

    pub(super) fn create_route_table(&mut self, call: &Call, random: &mut Random) -> Reply {
        if let Some(earlier) = self.replayed(call)? {
            let same = self.route_tables.get(&earlier.object);
            return Ok(same
                .map_or_else(|| earlier.answer(), |table| self.route_table_created(call, table))
                .into());
        }
        let record = Record::of(call, random, "route-table")?;
        let vpc = self.find(&self.vpcs, call.params.required("VpcId")?)?;
        let table = RouteTable::new(vpc, record, random);
        let x = self.route_table_created(call, &table);
        self.remember(call, &table.id, &x);
        self.route_tables.insert(table.id.clone(), table);
        Ok(x.into())
    }

    fn route_table_created(&self, call: &Call, table: &RouteTable) -> Xml {
        let mut x = Xml::new();
        x.element("routeTable", |x| self.write_route_table(x, table));
        x.optional("clientToken", call.params.get("ClientToken"));
        x
    }

    fn write_route_table(&self, x: &mut Xml, table: &RouteTable) {
        x.text("routeTableId", &table.id).text("vpcId", &table.vpc).text("ownerId", ACCOUNT);
        x.list("routeSet", "item", &table.routes, |x, route| {
            route.write(x, self.route_state(&table.vpc, route))
        });
        let main = table.main.iter().map(|id| (id, None));
        let subnets = table.associations.iter().map(|(id, subnet)| (id, Some(subnet)));
        x.list("associationSet", "item", main.chain(subnets), |x, (id, subnet)| {
            x.text("routeTableAssociationId", id).text("routeTableId", &table.id);
            x.text("main", subnet.is_none()).optional("subnetId", subnet);
            write_association_state(x);
        });
        x.element("propagatingVgwSet", |_| {});
        write_tags(x, &table.record.tags);
    }

    pub(super) fn describe_route_tables(&self, call: &Call) -> Reply {
        let facts = |table: &RouteTable| {
            let mut facts = vec![
                ("owner-id", ACCOUNT.to_string()),
                ("route-table-id", table.id.clone()),
                ("vpc-id", table.vpc.clone()),
            ];
            if let Some(main) = &table.main {
                facts.push(("association.main", "true".to_string()));
                facts.push(("association.route-table-association-id", main.clone()));
                facts.push(("association.route-table-id", table.id.clone()));
            }
            for (association, subnet) in &table.associations {
                facts.push(("association.main", "false".to_string()));
                facts.push(("association.route-table-association-id", association.clone()));
                facts.push(("association.route-table-id", table.id.clone()));
                facts.push(("association.subnet-id", subnet.clone()));
            }
            for route in &table.routes {
                facts.push(match &route.destination {
                    Destination::Network(cidr) => ("route.destination-cidr-block", cidr.to_string()),
                    Destination::PrefixList(id) => ("route.destination-prefix-list-id", id.clone()),
                });
                facts.push(match &route.target {
                    Target::Local => ("route.gateway-id", "local".to_string()),
                    Target::InternetGateway(id) | Target::Endpoint(id) => ("route.gateway-id", id.clone()),
                    Target::NatGateway(id) => ("route.nat-gateway-id", id.clone()),
                });
                facts.push(("route.origin", route.origin.clone()));
                facts.push(("route.state", self.route_state(&table.vpc, route).to_string()));
            }
            facts
        };
        let all = self.route_tables.values();
        self.list(call, &LISTING, all, facts, |x, table| self.write_route_table(x, table))
    }

    pub(super) fn delete_route_table(&mut self, call: &Call) -> Reply {
        let id = call.params.required("RouteTableId")?;
        let table = self.find(&self.route_tables, id)?;
        if table.main.is_some() || !table.associations.is_empty() {
            return Err(record::dependency("routeTable", id));
        }
        self.route_tables.remove(id);
        for endpoint in self.endpoints.values_mut() {
            endpoint.route_tables.retain(|table| table != id);
        }
        done()
    }

    pub(super) fn associate_route_table(&mut self, call: &Call, random: &mut Random) -> Reply {
        unsupported(&call.params, &["GatewayId", "PublicIpv4Pool"])?;
        let id = call.params.required("RouteTableId")?;
        let subnet = call.params.required("SubnetId")?;
        let table = self.find(&self.route_tables, id)?;
        if table.vpc != self.find(&self.subnets, subnet)?.vpc {
            return Err(invalid(format!(
                "route table {id} and subnet {subnet} belong to different networks"
            )));
        }
        let existing = self
            .route_tables
            .values()
            .flat_map(|table| {
                table.associations.iter().map(move |(association, subnet)| (table, association, subnet))
            })
            .find(|(_, _, associated)| *associated == subnet);
        let association = match existing {
            // The same association again is no conflict, it is the one that is there.
            Some((holder, association, _)) if holder.id == id => association.clone(),
            Some(_) => {
                return Err(Fault::bad(
                    "Resource.AlreadyAssociated",
                    format!(
                        "the specified association for route table {id} conflicts with an existing association"
                    ),
                ));
            }
            None => new_id("rtbassoc", random),
        };
        if let Some(table) = self.route_tables.get_mut(id) {
            table.associations.insert(association.clone(), subnet.to_string());
        }
        let mut x = Xml::new();
        x.text("associationId", association);
        write_association_state(&mut x);
        Ok(x.into())
    }

    pub(super) fn disassociate_route_table(&mut self, call: &Call) -> Reply {
        let id = call.params.required("AssociationId")?;
        if self.route_tables.values().any(|table| table.main.as_deref() == Some(id)) {
            return Err(invalid(format!("cannot disassociate the main route table association {id}")));
        }
        let mut tables = self.route_tables.values_mut();
        match tables.find_map(|table| table.associations.remove(id)) {
            Some(_) => done(),
            None => Err(no_association(id)),
        }
    }

    /// Moves a subnet to another table, or makes another table the main one.
    pub(super) fn replace_route_table_association(&mut self, call: &Call, random: &mut Random) -> Reply {
        let id = call.params.required("AssociationId")?;
        let to = call.params.required("RouteTableId")?;
        let vpc = self.find(&self.route_tables, to)?.vpc.clone();
        let from = self
            .route_tables
            .values_mut()
            .find(|table| table.main.as_deref() == Some(id) || table.associations.contains_key(id))
            .ok_or_else(|| no_association(id))?;
        if from.vpc != vpc {
            return Err(invalid(format!(
                "route table {to} and association {id} belong to different networks"
            )));
        }
        let subnet = from.associations.remove(id);
        if subnet.is_none() {
            from.main = None;
        }
        let association = new_id("rtbassoc", random);
        let table = self.route_tables.get_mut(to).ok_or_else(|| missing::<RouteTable>(to))?;
        match subnet {
            Some(subnet) => {
                table.associations.insert(association.clone(), subnet);
            }
            None => table.main = Some(association.clone()),
        }
        let mut x = Xml::new();
        x.text("newAssociationId", association);
        write_association_state(&mut x);
        Ok(x.into())
    }
}

fn write_association_state(x: &mut Xml) {
    x.element("associationState", |x| {
        x.text("state", "associated");
    });
}

fn no_association(id: &str) -> Fault {
    Fault::bad("InvalidAssociationID.NotFound", format!("The association ID '{id}' does not exist"))
}
