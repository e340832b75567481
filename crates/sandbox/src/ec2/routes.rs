//! Operations on the routes of a route table.

use super::endpoint_services;
use super::record::{done, invalid, missing, network, unsupported};
use super::state::{Destination, Ec2, Route, RouteTable, Target};
use crate::call::Call;
use crate::wire::{Fault, Reply};

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
