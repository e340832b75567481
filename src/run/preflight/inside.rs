//! What is in a VPC that is there already and in the way of what the plan adds to it.

use super::{Check, Findings};
use crate::aws::{Aws, During, Failure};
use auroraml_core::base::names::STACK_TAG;
use auroraml_core::base::{Id, Input, counted};
use auroraml_core::kinds::{nat_gateway, notebook, subnet, vpc_endpoint};
use auroraml_core::model::Code;
use aws_sdk_ec2::types::{Filter, Subnet, Tag, VpcAttributeName, VpcEndpoint};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn inside(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let Some(vpc) = of.live_id(&Id::new("vpc", "main")) else { return findings };
    let ranges: Vec<(String, subnet::Props)> = of.created("subnet");
    let interfaces: Vec<(String, vpc_endpoint::Props)> = of
        .created("vpc_endpoint")
        .into_iter()
        .filter(|(_, e): &(_, vpc_endpoint::Props)| !e.gateway)
        .collect();
    let needed = addresses(of, &interfaces);
    let (subnets, dns, endpoints) = tokio::join!(
        subnets(of.aws, vpc, !ranges.is_empty() || !needed.is_empty()),
        dns_support(of.aws, vpc, !interfaces.is_empty()),
        endpoints(of.aws, vpc, &interfaces),
    );
    if let Some(subnets) = findings.take(&format!("the subnets of {vpc}"), subnets) {
        taken(of, &ranges, &subnets, &mut findings);
        full(of, &needed, &subnets, &mut findings);
    }
    // "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames": EC2 API Reference,
    // CreateVpcEndpoint. Host names are the stack's to set.
    if let Some(false) = findings.take(&format!("DNS in {vpc}"), dns) {
        let why = format!("DNS resolution is off in {vpc}, and interface endpoints with private DNS need it");
        let hint = format!(
            "turn it on (aws ec2 modify-vpc-attribute --region {} --vpc-id {vpc} --enable-dns-support), then run again",
            of.region()
        );
        findings.problem(Code::VpcDnsOff, "network.endpoints", why, hint);
    }
    if let Some(there) = findings.take(&format!("the endpoints of {vpc}"), endpoints) {
        for (id, wanted) in &interfaces {
            let Some(other) = there.iter().find(|there| there.service_name() == Some(&wanted.service)) else {
                continue;
            };
            let other = other.vpc_endpoint_id().unwrap_or_default();
            let why = format!(
                "{other} already has the private DNS name of {} in {vpc}, and two endpoints in a VPC cannot share it",
                wanted.service
            );
            let hint = format!(
                "delete {other} if it is no longer used, or remove the service from `network.endpoints` to use the existing one"
            );
            findings.problem(Code::EndpointNameTaken, id, why, hint);
        }
    }
    findings
}

/// "The CIDR block must not overlap with the CIDR block of an existing subnet in the VPC": EC2 API Reference,
/// CreateSubnet.
fn taken(of: Check<'_>, ranges: &[(String, subnet::Props)], there: &[Subnet], findings: &mut Findings) {
    let ours: BTreeSet<&str> = of.observed.values().filter_map(|live| live.output("id")).collect();
    for (id, wanted) in ranges {
        let Ok(range) = wanted.cidr.parse::<ipnet::Ipv4Net>() else { continue };
        let overlaps = |subnet: &&Subnet| {
            let other = subnet.cidr_block().and_then(|cidr| cidr.parse::<ipnet::Ipv4Net>().ok());
            other.is_some_and(|other| other.contains(&range) || range.contains(&other))
        };
        // What a killed run made a moment ago shows before its tags do (fact book, section 5.3): one of this very range
        // without any may be the stack's. Where it is not, its creation is refused.
        let may_be_ours =
            |subnet: &Subnet| subnet.tags().is_empty() && subnet.cidr_block() == Some(wanted.cidr.as_str());
        let is_ours = |subnet: &Subnet| {
            ours.contains(subnet.subnet_id().unwrap_or_default())
                || is_tagged(of.aws, subnet.tags())
                || may_be_ours(subnet)
        };
        let mut foreign = there.iter().filter(|subnet| !is_ours(subnet));
        if let Some(other) = foreign.find(overlaps) {
            let (other, cidr) =
                (other.subnet_id().unwrap_or_default(), other.cidr_block().unwrap_or_default());
            let why = format!(
                "its range {range} overlaps with {cidr} of {other}, which others created in this VPC"
            );
            findings.problem(
                Code::SubnetRangeTaken,
                id,
                why,
                format!("choose another range in `network`, or delete {other} if it is no longer used"),
            );
        }
    }
}

/// How many addresses each live subnet has to give, by its id at AWS.
fn addresses<'a>(
    of: Check<'a>,
    interfaces: &[(String, vpc_endpoint::Props)],
) -> BTreeMap<&'a str, (usize, &'a Id)> {
    let mut needed = BTreeMap::new();
    let mut add = |subnet: &Input| {
        let Input::Output { id, .. } = subnet else { return };
        let Some(known) = of.observed.keys().find(|known| known.to_string() == *id) else { return };
        if let Some(subnet) = of.live_id(known) {
            needed.entry(subnet).or_insert((0, known)).0 += 1;
        }
    };
    interfaces.iter().flat_map(|(_, endpoint)| &endpoint.subnets).for_each(&mut add);
    for (_, nat) in of.created::<nat_gateway::Props>("nat_gateway") {
        add(&nat.subnet);
    }
    for (_, notebook) in of.created::<notebook::Props>("notebook") {
        add(&notebook.subnet);
    }
    needed
}

/// InsufficientFreeAddressesInSubnet: EC2 API Reference, "Error codes".
fn full(of: Check<'_>, needed: &BTreeMap<&str, (usize, &Id)>, there: &[Subnet], findings: &mut Findings) {
    for subnet in there {
        let (Some(id), Some(free)) = (subnet.subnet_id(), subnet.available_ip_address_count()) else {
            continue;
        };
        let Some((needed, resource)) = needed.get(id) else { continue };
        if (free.max(0) as usize) < *needed {
            let why = format!("{id} has {}, and this stack needs {needed}", counted(free, "free address"));
            let hint = format!(
                "free some (aws ec2 describe-network-interfaces --region {} --filters Name=subnet-id,Values={id} shows who uses them), or list fewer `network.endpoints`",
                of.region()
            );
            findings.problem(Code::SubnetFull, resource.to_string(), why, hint);
        }
    }
}

async fn subnets(aws: &Aws, vpc: &str, wanted: bool) -> Result<Vec<Subnet>, Failure> {
    if !wanted {
        return Ok(Vec::new());
    }
    let answer = aws.ec2.describe_subnets().filters(of_vpc(vpc)).send().await;
    Ok(answer.during("DescribeSubnets")?.subnets.unwrap_or_default())
}

/// Whether names are resolved in the VPC; on where it is of no interest.
async fn dns_support(aws: &Aws, vpc: &str, wanted: bool) -> Result<bool, Failure> {
    if !wanted {
        return Ok(true);
    }
    let request = aws.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(VpcAttributeName::EnableDnsSupport);
    let answer = request.send().await.during("DescribeVpcAttribute")?;
    Ok(answer.enable_dns_support().and_then(|support| support.value()).unwrap_or(true))
}

/// The endpoints of others in the VPC that have the private DNS name of one of these services.
async fn endpoints(
    aws: &Aws,
    vpc: &str,
    wanted: &[(String, vpc_endpoint::Props)],
) -> Result<Vec<VpcEndpoint>, Failure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let services = wanted.iter().map(|(_, endpoint)| endpoint.service.clone()).collect();
    let services = Filter::builder().name("service-name").set_values(Some(services)).build();
    let request = aws.ec2.describe_vpc_endpoints().filters(of_vpc(vpc)).filters(services);
    let found = request.send().await.during("DescribeVpcEndpoints")?.vpc_endpoints.unwrap_or_default();
    let is_there = |endpoint: &VpcEndpoint| {
        let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase());
        // A killed run's shows before its tags do, and is not available so soon.
        let may_be_ours = endpoint.tags().is_empty() && state.as_deref() == Some("pending");
        // What is on its way out is waited for.
        matches!(state.as_deref(), Some("available" | "pending" | "pendingacceptance"))
            && !is_tagged(aws, endpoint.tags())
            && !may_be_ours
    };
    Ok(found.into_iter().filter(|e| e.private_dns_enabled() == Some(true) && is_there(e)).collect())
}

fn is_tagged(aws: &Aws, tags: &[Tag]) -> bool {
    tags.iter().any(|tag| tag.key() == Some(STACK_TAG) && tag.value() == Some(&aws.place.stack))
}

fn of_vpc(vpc: &str) -> Filter {
    Filter::builder().name("vpc-id").values(vpc).build()
}
