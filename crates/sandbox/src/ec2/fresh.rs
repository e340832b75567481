//! What AWS has put into a region of an account before its owner does anything there: the default VPC (fact book,
//! appendix F, item 10; VPC User Guide, "Default VPC components").

use super::record::{Record, new_id};
use super::state::{Destination, Ec2, InternetGateway, Route, Subnet, Target, Vpc};
use super::zones::zones;
use crate::call::Call;
use crate::random::{Mood, Random};
use crate::wire::{Fault, Reply, Xml};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

impl Ec2 {
    /// Puts in what the region of a fresh account has; the second time nothing. The world's own randomness is not
    /// touched: what a seed gives does not depend on it.
    pub(crate) fn furnish(&mut self, region: &str) {
        if !self.furnished {
            self.furnished = true;
            let seed = region.bytes().fold(0xA5, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
            self.put_default_vpc(region, Record::default(), &mut Random::new(seed, Mood::Calm));
        }
    }

    /// The default VPC, which an account can have once in a region.
    pub(super) fn create_default_vpc(&mut self, call: &Call, random: &mut Random) -> Reply {
        if let Some(vpc) = self.default_vpc() {
            let text = format!("A Default VPC already exists for this account in this region: {vpc}");
            return Err(Fault::bad("DefaultVpcAlreadyExists", text));
        }
        if self.vpcs.len() >= self.quotas.vpcs {
            return Err(Fault::bad("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
        }
        let record = Record { visible_at: call.now, ..Record::default() };
        let id = self.put_default_vpc(&call.region, record, random);
        let mut x = Xml::new();
        if let Some(vpc) = self.vpcs.get(&id) {
            x.element("vpc", |x| vpc.write(x, call.now));
        }
        Ok(x.into())
    }

    /// A /20 in every zone of a /16, all public, with the ordinary group, list and main table.
    fn put_default_vpc(&mut self, region: &str, record: Record, random: &mut Random) -> String {
        let cidr = network(0, 16);
        let vpc = Vpc::default_of_account(record.clone(), cidr, random);
        let id = vpc.id.clone();
        self.put_main_route_table(&vpc, random);
        self.put_default_security_group(&vpc, random);
        self.put_default_access_list(&vpc, random);
        for (index, zone) in zones(region).into_iter().enumerate() {
            let subnet = Subnet {
                id: new_id("subnet", random),
                record: record.clone(),
                vpc: id.clone(),
                cidr: network(index as u8 * 16, 20),
                zone: zone.name,
                zone_id: zone.id,
                map_public_ip: true,
                default_for_zone: true,
                access_list_association: new_id("aclassoc", random),
                available_at: record.visible_at,
            };
            self.subnets.insert(subnet.id.clone(), subnet);
        }
        let gateway = InternetGateway { id: new_id("igw", random), record, vpc: Some(id.clone()) };
        for table in self.route_tables.values_mut().filter(|table| table.vpc == id) {
            table.routes.push(Route {
                destination: Destination::Network(Ipv4Net::default()),
                target: Target::InternetGateway(gateway.id.clone()),
                origin: "CreateRoute".to_string(),
            });
        }
        self.internet_gateways.insert(gateway.id.clone(), gateway);
        self.vpcs.insert(id.clone(), vpc);
        id
    }

    /// The id of the default VPC, if there is one.
    pub fn default_vpc(&self) -> Option<String> {
        self.vpcs.values().find(|vpc| vpc.is_default).map(|vpc| vpc.id.clone())
    }

    /// The subnets of the default VPC that nobody has deleted, with their zones.
    pub fn default_subnets(&self) -> Vec<(String, String)> {
        let own = self.subnets.values().filter(|subnet| subnet.default_for_zone);
        own.map(|subnet| (subnet.id.clone(), subnet.zone.clone())).collect()
    }
}

/// A part of 172.31.0.0/16.
fn network(third: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(172, 31, third, 0), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_furnished_once_and_always_the_same() {
        let mut ec2 = Ec2::default();
        ec2.furnish("us-east-1");
        let vpc = ec2.default_vpc().unwrap();
        assert_eq!(ec2.default_subnets().len(), 6);
        ec2.vpcs.clear();
        ec2.furnish("us-east-1");
        assert_eq!(ec2.default_vpc(), None, "what its owner deleted does not come back");
        let (mut again, mut elsewhere) = (Ec2::default(), Ec2::default());
        again.furnish("us-east-1");
        elsewhere.furnish("eu-west-1");
        assert_eq!(again.default_vpc(), Some(vpc.clone()));
        assert!(elsewhere.default_vpc() != Some(vpc) && elsewhere.default_subnets().len() == 3);
    }
}
