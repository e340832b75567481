//! One route: where it goes, through what, and whether it still leads there.

use super::state::{Destination, Ec2, Route, Target};
use crate::wire::Xml;
use std::fmt;

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

impl Ec2 {
    /// The state of a route in a table of `vpc`. One whose target is gone leads nowhere, but stays (fact book, section 5.4).
    pub(super) fn route_state(&self, vpc: &str, route: &Route) -> &'static str {
        let leads = match &route.target {
            Target::Local => true,
            Target::InternetGateway(id) => {
                self.internet_gateways.get(id).is_some_and(|gateway| gateway.vpc.as_deref() == Some(vpc))
            }
            Target::NatGateway(id) => {
                self.nat_gateways.get(id).is_some_and(|gateway| gateway.exists(self.now))
            }
            Target::Endpoint(id) => self.endpoints.contains_key(id),
        };
        if leads { "active" } else { "blackhole" }
    }
}
