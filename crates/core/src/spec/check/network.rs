//! Address ranges, subnets, and the network path of what is in them.

use crate::spec::reader::Reader;
use crate::spec::{Nat, Network, ServiceEndpoint};
use ipnet::Ipv4Net;

pub fn network(network: &Network, reader: &mut Reader) {
    cidr(network.cidr, "network.cidr", reader);
    if !(16..=28).contains(&network.cidr.prefix_len()) {
        let message = format!("{}: a VPC has between /16 and /28", network.cidr);
        let hint = format!("write `{}/16`", network.cidr.addr());
        reader.report("network.cidr", message, hint);
    }
    subnets(network, reader);
    let (public, private) = (network.public_subnets.len(), network.private_subnets.len());
    let known = reader.sound("network.public_subnets") && reader.sound("network.private_subnets");
    if known && network.nat == Nat::Single && public == 0 {
        let hint = "add `public_subnets: [CIDR]`, or use `endpoints` instead of NAT";
        reader.report("network.nat", "a NAT gateway stands in a public subnet, and there is none", hint);
    }
    if known && network.nat == Nat::PerZone && public < private.max(1) {
        let message = format!(
            "`per_zone` needs a public subnet for each private one: there are {public} public and {private} private"
        );
        reader.report("network.nat", message, "add public subnets, or write `nat: single`");
    }
    for (n, endpoint) in network.endpoints.iter().enumerate() {
        if network.endpoints[..n].contains(endpoint) {
            reader.report(
                &format!("network.endpoints[{n}]"),
                "this endpoint is already in the list",
                "remove it",
            );
        }
    }
}

/// Reports the items that are in the list twice.
pub fn repeated(items: &[String], path: &str, reader: &mut Reader) {
    for (n, item) in items.iter().enumerate() {
        if items[..n].contains(item) {
            reader.report(&format!("{path}[{n}]"), format!("`{item}` is already in the list"), "remove it");
        }
    }
}

fn cidr(cidr: Ipv4Net, path: &str, reader: &mut Reader) {
    if cidr.trunc() != cidr {
        let message = format!("{cidr} has bits set beyond its prefix of {} bits", cidr.prefix_len());
        reader.report(path, message, format!("write `{}`", cidr.trunc()));
    }
}

fn subnets(network: &Network, reader: &mut Reader) {
    let public = network.public_subnets.iter().enumerate();
    let private = network.private_subnets.iter().enumerate();
    let all: Vec<(String, Ipv4Net)> = public
        .map(|(n, cidr)| (format!("network.public_subnets[{n}]"), *cidr))
        .chain(private.map(|(n, cidr)| (format!("network.private_subnets[{n}]"), *cidr)))
        .collect();
    let vpc = network.cidr;
    for (n, (path, subnet)) in all.iter().enumerate() {
        cidr(*subnet, path, reader);
        if !(16..=28).contains(&subnet.prefix_len()) {
            let hint = "a subnet has between /16 and /28; AWS keeps 5 addresses of each for itself";
            let size = if subnet.prefix_len() > 28 { "small" } else { "large" };
            reader.report(path, format!("{subnet} is too {size}"), hint);
        } else if reader.sound("network.cidr") && !vpc.contains(subnet) {
            let message = format!("{subnet} is outside the VPC {vpc}");
            let hint = format!("addresses of the VPC run from {} to {}", vpc.network(), vpc.broadcast());
            reader.report(path, message, hint);
        }
        let overlaps = |other: &Ipv4Net| other.contains(subnet) || subnet.contains(other);
        if let Some((other, with)) = all[..n].iter().find(|(_, with)| overlaps(with)) {
            let other = other.trim_start_matches("network.");
            reader.report(
                path,
                format!("{subnet} overlaps {with} of `{other}`"),
                "give each subnet addresses of its own",
            );
        }
    }
}

/// Without NAT, what is in a private subnet reaches a service only through its endpoint
/// (fact book, section 1.15).
pub fn path(
    network: &Network,
    endpoint: ServiceEndpoint,
    name: &str,
    path: &str,
    who: &str,
    reader: &mut Reader,
) {
    let known = reader.sound("network.nat") && reader.sound("network.endpoints");
    if known && network.nat == Nat::None && !network.endpoints.contains(&endpoint) {
        let what = path.rsplit('.').next().unwrap_or(path);
        let message = format!("{who} in its private subnets has no way to {name}, which `{what}` needs");
        reader.report(path, message, format!("add `{name}` to `network.endpoints`, or write `nat: single`"));
    }
}
