//! Routes of a route table.

use super::record::{invalid, missing, network, unsupported};
use super::route_tables::RouteTable;
use super::{Ec2, done, endpoint_services};
use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    pub(super) destination: Destination,
    pub(super) target: Target,
    pub(super) origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    Network(Ipv4Net),
    PrefixList(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    Local,
    InternetGateway(String),
    NatGateway(String),
    /// A gateway endpoint; the route comes and goes with it.
    Endpoint(String),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Network(cidr) => cidr.fmt(f),
            Destination::PrefixList(id) => id.fmt(f),
        }
    }
}

impl Route {
    pub(super) fn write(&self, x: &mut Xml, state: &str) {
        match &self.destination {
            Destination::Network(cidr) => x.text("destinationCidrBlock", cidr),
            Destination::PrefixList(id) => x.text("destinationPrefixListId", id),
        };
        match &self.target {
            Target::Local => x.text("gatewayId", "local"),
            Target::InternetGateway(id) | Target::Endpoint(id) => x.text("gatewayId", id),
            Target::NatGateway(id) => x.text("natGatewayId", id),
        };
        x.text("origin", &self.origin).text("state", state);
    }
}

/// Targets that EC2 has and the sandbox does not.
const OTHER_TARGETS: &[&str] = &[
    "CarrierGatewayId",
    "CoreNetworkArn",
    "DestinationIpv6CidrBlock",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "LocalGatewayId",
    "LocalTarget",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
];

impl Ec2 {
    /// A route whose target is gone leads nowhere, but stays (fact book, section 5.4).
    pub(super) fn route_state(&self, table: &RouteTable, route: &Route) -> &'static str {
        let leads = match &route.target {
            Target::Local => true,
            Target::InternetGateway(id) => self
                .internet_gateways
                .get(id)
                .is_some_and(|gateway| gateway.vpc.as_deref() == Some(table.vpc.as_str())),
            Target::NatGateway(id) => {
                self.nat_gateways.get(id).is_some_and(|gateway| gateway.exists(self.now))
            }
            Target::Endpoint(id) => self.endpoints.contains_key(id),
        };
        if leads { "active" } else { "blackhole" }
    }

    fn destination(call: &Call) -> Result<Destination, Fault> {
        match (call.params.get("DestinationCidrBlock"), call.params.get("DestinationPrefixListId")) {
            (Some(cidr), None) => Ok(Destination::Network(network(cidr, "destinationCidrBlock")?)),
            (None, Some(id)) => Ok(Destination::PrefixList(id.to_string())),
            (None, None) => Err(Fault::bad(
                "MissingParameter",
                "The request must contain the parameter destinationCidrBlock or destinationPrefixListId",
            )),
            (Some(_), Some(_)) => Err(Fault::bad(
                "InvalidParameterCombination",
                "Exactly one of destinationCidrBlock and destinationPrefixListId must be specified",
            )),
        }
    }

    fn target(&self, call: &Call, table: &RouteTable) -> Result<Target, Fault> {
        match (call.params.get("GatewayId"), call.params.get("NatGatewayId")) {
            (Some(id), None) if id.starts_with("vpce-") => Err(invalid(format!(
                "The gateway ID '{id}' is an endpoint: its routes are made by ModifyVpcEndpoint"
            ))),
            (Some(id), None) => {
                // CreateRoute has a code of its own for a gateway that is not there.
                let gateway = self.visible(&self.internet_gateways, id).ok_or_else(|| {
                    let text = format!("The gateway ID '{id}' does not exist");
                    Fault::bad("InvalidGatewayID.NotFound", text)
                })?;
                if gateway.vpc.as_deref() != Some(table.vpc.as_str()) {
                    return Err(invalid(format!(
                        "route table {} and network gateway {id} belong to different networks",
                        table.id
                    )));
                }
                Ok(Target::InternetGateway(id.to_string()))
            }
            (None, Some(id)) => {
                // A gateway that is not available yet is refused too: whoever does not wait for it
                // (fact book, section 5.1) must not get away with it here.
                let gateway = self.visible(&self.nat_gateways, id);
                gateway.filter(|gateway| gateway.state(self.now) == "available").ok_or_else(|| {
                    let text = format!("The natGateway ID '{id}' does not exist");
                    Fault::bad("InvalidNatGatewayID.NotFound", text)
                })?;
                Ok(Target::NatGateway(id.to_string()))
            }
            (None, None) => Err(Fault::bad(
                "MissingParameter",
                "The request must contain exactly one of gatewayId, natGatewayId",
            )),
            (Some(_), Some(_)) => Err(Fault::bad(
                "InvalidParameterCombination",
                "The request must contain exactly one of gatewayId, natGatewayId",
            )),
        }
    }

    pub(super) fn create_route(&mut self, call: &Call) -> Reply {
        unsupported(&call.params, OTHER_TARGETS)?;
        let id = call.params.required("RouteTableId")?;
        let table = self.find(&self.route_tables, id)?;
        let destination = Ec2::destination(call)?;
        let target = self.target(call, table)?;
        if table.routes.iter().any(|route| route.destination == destination) {
            let text = format!("The route identified by {destination} already exists.");
            return Err(Fault::bad("RouteAlreadyExists", text));
        }
        if let Destination::PrefixList(list) = &destination
            && !endpoint_services::prefix_lists(&call.region).iter().any(|known| known.id == *list)
        {
            let text = format!("The prefix list ID '{list}' does not exist");
            return Err(Fault::bad("InvalidPrefixListID.NotFound", text));
        }
        if let Some(table) = self.route_tables.get_mut(id) {
            table.routes.push(Route { destination, target, origin: "CreateRoute".to_string() });
        }
        done()
    }

    pub(super) fn replace_route(&mut self, call: &Call) -> Reply {
        unsupported(&call.params, OTHER_TARGETS)?;
        let id = call.params.required("RouteTableId")?;
        let table = self.find(&self.route_tables, id)?;
        let destination = Ec2::destination(call)?;
        let target = self.target(call, table)?;
        let table = self.route_tables.get_mut(id).ok_or_else(|| missing::<RouteTable>(id))?;
        match table.routes.iter_mut().find(|route| route.destination == destination) {
            None => Err(invalid(format!(
                "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
            ))),
            Some(route) if matches!(route.target, Target::Local | Target::Endpoint(_)) => {
                Err(invalid(format!("cannot replace the route {destination} in route table {id}")))
            }
            Some(route) => {
                route.target = target;
                done()
            }
        }
    }

    pub(super) fn delete_route(&mut self, call: &Call) -> Reply {
        let id = call.params.required("RouteTableId")?;
        let table = self.find(&self.route_tables, id)?;
        let destination = Ec2::destination(call)?;
        match table.routes.iter().find(|route| route.destination == destination) {
            None => {
                let text = format!("no route with destination-cidr-block {destination} in route table {id}");
                return Err(Fault::bad("InvalidRoute.NotFound", text));
            }
            Some(route) if route.target == Target::Local => {
                return Err(invalid(format!("cannot remove local route {destination} in route table {id}")));
            }
            Some(route) if matches!(route.target, Target::Endpoint(_)) => {
                return Err(invalid(format!(
                    "cannot remove VPC endpoint route {destination} in route table {id}"
                )));
            }
            Some(_) => {}
        }
        if let Some(table) = self.route_tables.get_mut(id) {
            table.routes.retain(|route| route.destination != destination);
        }
        done()
    }
}
