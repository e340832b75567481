//! What GuardDuty Runtime Monitoring does in a customer's VPC, unasked (fact book, section 5.5).

use super::endpoints::FULL_ACCESS;
use super::record::{Record, Tags, new_id, visible_at};
use super::rules::Asked;
use super::state::{Ec2, Endpoint, Peer, Permission, SecurityGroup};
use crate::call::Call;
use crate::random::Random;

impl Ec2 {
    /// Makes GuardDuty's security group and endpoint in a new VPC.
    pub(super) fn put_guardduty(&mut self, call: &Call, random: &mut Random, vpc: &str) {
        let Some(cidr) = self.vpcs.get(vpc).map(|vpc| vpc.cidr) else { return };
        let tags = Tags::from([("GuardDutyManaged".to_string(), "true".to_string())]);
        let record = Record { visible_at: visible_at(call, random), tags };
        let mut group = SecurityGroup {
            id: new_id("sg", random),
            record: record.clone(),
            vpc: vpc.to_string(),
            name: format!("GuardDutyManagedSecurityGroup-{vpc}"),
            description: format!("Associated with VPC-{vpc} and tagged as GuardDutyManaged"),
            rules: Vec::new(),
        };
        let (protocol, ports) = ("tcp".to_string(), Some((443, 443)));
        let permission = Permission { egress: false, protocol, ports, peer: Peer::Ipv4(cidr) };
        group.add(random, Record::default(), Asked { permission, description: None });
        group.add_default_egress(random);
        let endpoint = Endpoint {
            id: new_id("vpce", random),
            record,
            vpc: vpc.to_string(),
            service: format!("com.amazonaws.{}.guardduty-data", call.region),
            gateway: false,
            created_at: call.now,
            available_at: call.now + random.duration(40.0, 90.0, 180.0),
            deleted_at: None,
            route_tables: Vec::new(),
            subnets: Vec::new(),
            groups: vec![group.id.clone()],
            policy: FULL_ACCESS.to_string(),
            private_dns: Some(format!("guardduty-data.{}.amazonaws.com", call.region)),
        };
        if let Some(vpc) = self.vpcs.get_mut(vpc) {
            vpc.guardduty_endpoint = Some(endpoint.id.clone());
        }
        self.security_groups.insert(group.id.clone(), group);
        self.endpoints.insert(endpoint.id.clone(), endpoint);
    }

    /// Extends GuardDuty's endpoint into a new subnet, if it has none in that zone.
    pub(super) fn extend_guardduty(&mut self, random: &mut Random, vpc: &str, subnet: &str) {
        let Some(id) = self.vpcs.get(vpc).and_then(|vpc| vpc.guardduty_endpoint.clone()) else { return };
        let zone = |id: &str| self.subnets.get(id).map(|subnet| subnet.zone.clone());
        let Some(endpoint) = self.endpoints.get(&id).filter(|endpoint| endpoint.deleted_at.is_none()) else {
            return;
        };
        if endpoint.subnets.iter().any(|other| zone(other) == zone(subnet)) {
            return;
        }
        self.add_subnets(random, &id, &[subnet.to_string()]);
    }
}
