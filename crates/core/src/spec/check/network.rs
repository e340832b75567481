//! Address ranges, subnets, and the network path of what is in them.

use super::name;
use crate::spec::reader::Reader;
use crate::spec::{ExistingNetwork, Nat, OwnNetwork, ServiceEndpoint, is_reference};
use ipnet::Ipv4Net;

pub fn network(network: &OwnNetwork, reader: &mut Reader) {
    cidr(network.cidr, "network.cidr", reader);
    if !(16..=28).contains(&network.cidr.prefix_len()) {
        let message = format!("{} has the wrong size: a VPC is between /16 and /28", network.cidr);
        let hint = format!("write `{}/16`", network.cidr.addr());
        reader.report("network.cidr", message, hint);
    }
    subnets(network, reader);
    let (public, private) = (network.public_subnets.len(), network.private_subnets.len());
    let known = reader.sound("network.public_subnets") && reader.sound("network.private_subnets");
    if known && network.nat == Nat::Single && public == 0 {
        let hint = "add `public_subnets: [CIDR]`, or use `endpoints` instead of NAT";
        reader.report("network.nat", "a NAT gateway needs a public subnet, and there is none", hint);
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

/// A VPC of others. Ids of AWS: a prefix, and 8 or 17 hexadecimal digits (fact book, section 5).
pub fn existing(network: &ExistingNetwork, reader: &mut Reader) {
    if !name::id(&network.existing, "vpc-") && !is_reference(&network.existing) {
        let message = format!("invalid VPC id `{}`", network.existing);
        reader.report("network.existing", message, "write an id such as `vpc-0123456789abcdef0`");
    }
    let sides = [
        ("network.private_subnets", &network.private_subnets),
        ("network.public_subnets", &network.public_subnets),
    ];
    for (path, ids) in sides {
        repeated(ids, path, reader);
        for (n, id) in ids.iter().enumerate() {
            if !name::id(id, "subnet-") && !is_reference(id) {
                let hint = "write the id of a subnet of that VPC, such as `subnet-0123456789abcdef0`";
                reader.report(&format!("{path}[{n}]"), format!("invalid subnet id `{id}`"), hint);
            }
        }
    }
    for (n, id) in network.public_subnets.iter().enumerate() {
        if network.private_subnets.contains(id) {
            let message = format!("`{id}` is also in `private_subnets`");
            reader.report(
                &format!("network.public_subnets[{n}]"),
                message,
                "remove it from one of the two lists",
            );
        }
    }
}

/// Rules of a security group: at most 60 in each direction (fact book, section 5.6).
pub fn egress(ranges: &[Ipv4Net], reader: &mut Reader) {
    for (n, range) in ranges.iter().enumerate() {
        let path = format!("network.egress[{n}]");
        cidr(*range, &path, reader);
        if ranges[..n].contains(range) {
            reader.report(&path, format!("`{range}` is already in the list"), "remove it");
        }
    }
    if ranges.len() > 60 {
        let message = format!("{} ranges are too many: a security group has at most 60 rules", ranges.len());
        reader.report("network.egress", message, "merge some of them");
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
        let message = format!("{cidr} is not the start of a /{} network", cidr.prefix_len());
        reader.report(path, message, format!("write `{}`", cidr.trunc()));
    }
}

fn subnets(network: &OwnNetwork, reader: &mut Reader) {
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
            let hint = "a subnet is between /16 and /28; AWS reserves 5 addresses of each";
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
                "give each subnet its own range",
            );
        }
    }
}

/// Without NAT, what is in a private subnet reaches a service only through its endpoint
/// (fact book, section 1.15).
pub fn path(
    network: &OwnNetwork,
    endpoint: ServiceEndpoint,
    name: &str,
    path: &str,
    who: &str,
    reader: &mut Reader,
) {
    let known = reader.sound("network.nat") && reader.sound("network.endpoints");
    if known && network.nat == Nat::None && !network.endpoints.contains(&endpoint) {
        let what = path.rsplit('.').next().unwrap_or(path);
        let message = format!("{who} cannot reach {name} from its private subnets, and `{what}` needs it");
        reader.report(path, message, format!("add `{name}` to `network.endpoints`, or write `nat: single`"));
    }
}
