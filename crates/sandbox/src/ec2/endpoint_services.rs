//! What AWS offers in a region: endpoint services and its own prefix lists.

use super::listing::{Listing, Row, select};
use super::record::Tags;
use super::zones::{has_endpoint, zones};
use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};

/// Services with a gateway endpoint; there is one prefix list for each.
const GATEWAY: &[&str] = &["dynamodb", "s3"];
/// Services with an interface endpoint, of those that a stack for machine learning can want.
const INTERFACE: &[&str] = &[
    "autoscaling",
    "bedrock",
    "bedrock-runtime",
    "cloudformation",
    "comprehend",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "git-codecommit",
    "glue",
    "guardduty-data",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "rds",
    "rds-data",
    "s3",
    "sagemaker.api",
    "sagemaker.featurestore-runtime",
    "sagemaker.runtime",
    "secretsmanager",
    "servicequotas",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
];
/// SageMaker names these two services in its own way.
const SAGEMAKER: &[&str] = &["notebook", "studio"];

/// One endpoint service of a region.
pub(super) struct Service {
    pub name: String,
    pub gateway: bool,
    /// The name that private DNS takes over in the VPC.
    pub private_dns: Option<String>,
}

impl Service {
    /// Whether it has interface endpoints in a zone.
    pub fn is_in(&self, zone: &str) -> bool {
        // com.amazonaws.us-east-1.sagemaker.runtime
        has_endpoint(zone, self.name.splitn(4, '.').nth(3).unwrap_or_default())
    }
}

pub(super) fn services(region: &str) -> Vec<Service> {
    let gateways = GATEWAY.iter().map(|service| Service {
        name: format!("com.amazonaws.{region}.{service}"),
        gateway: true,
        private_dns: None,
    });
    let interfaces = INTERFACE.iter().map(|service| {
        // The host name has the parts in the opposite order: ecr.api is api.ecr.
        let host: Vec<&str> = service.rsplit('.').collect();
        Service {
            name: format!("com.amazonaws.{region}.{service}"),
            gateway: false,
            private_dns: Some(format!("{}.{region}.amazonaws.com", host.join("."))),
        }
    });
    let sagemaker = SAGEMAKER.iter().map(|service| Service {
        name: format!("aws.sagemaker.{region}.{service}"),
        gateway: false,
        private_dns: Some(format!("*.{service}.{region}.sagemaker.aws")),
    });
    let mut all: Vec<Service> = gateways.chain(interfaces).chain(sagemaker).collect();
    all.sort_by(|a, b| (&a.name, a.gateway).cmp(&(&b.name, b.gateway)));
    all
}

/// An AWS-managed prefix list.
pub(super) struct PrefixList {
    pub id: String,
    pub name: String,
    pub cidrs: &'static [&'static str],
}

pub(super) fn prefix_lists(region: &str) -> Vec<PrefixList> {
    let list = |service: &&str| {
        let cidrs: &[&str] = match *service {
            "s3" => &["52.216.0.0/15", "54.231.0.0/16", "3.5.0.0/19"],
            _ => &["52.94.0.0/22", "52.119.224.0/20"],
        };
        let id = prefix_list_id(region, service);
        PrefixList { id, name: format!("com.amazonaws.{region}.{service}"), cidrs }
    };
    let mut all: Vec<PrefixList> = GATEWAY.iter().map(list).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// Each region has its own ids: the well-known ones of us-east-1, a hash (FNV-1a) elsewhere.
fn prefix_list_id(region: &str, service: &str) -> String {
    match (region, service) {
        ("us-east-1", "s3") => "pl-63a5400a".to_string(),
        ("us-east-1", "dynamodb") => "pl-02cd2c6b".to_string(),
        _ => {
            let hash = region
                .bytes()
                .chain(service.bytes())
                .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            format!("pl-{hash:08x}")
        }
    }
}

const SERVICES: Listing = Listing {
    ids: "ServiceName",
    set: "serviceDetailSet",
    filters: &["owner", "service-name", "service-region", "service-type", "supported-ip-address-types"],
    pages: 1..=1000,
};

pub(super) fn describe(call: &Call) -> Reply {
    let region = call.region.as_str();
    let all = services(region);
    let asked = call.params.list("ServiceName");
    if let Some(unknown) = asked.iter().find(|name| !all.iter().any(|service| service.name == **name)) {
        return Err(no_service(unknown));
    }
    let untagged = Tags::new();
    let rows =
        all.into_iter().filter(|service| asked.is_empty() || asked.contains(&service.name)).map(|service| {
            Row {
                // Two services can share a name; the page token needs them apart.
                id: format!("{} {}", service.name, kind(&service)),
                facts: vec![
                    ("owner", "amazon".to_string()),
                    ("service-name", service.name.clone()),
                    ("service-region", region.to_string()),
                    ("service-type", kind(&service).to_string()),
                    ("supported-ip-address-types", "ipv4".to_string()),
                ],
                tags: &untagged,
                item: service,
            }
        });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let (chosen, next) = select(call, &SERVICES, rows)?;
    let mut names: Vec<&String> = chosen.iter().map(|service| &service.name).collect();
    names.dedup();
    let mut x = Xml::new();
    x.texts("serviceNameSet", "item", names);
    x.list(SERVICES.set, "item", &chosen, |x, service| {
        x.text("serviceName", &service.name).text("owner", "amazon").text("serviceRegion", region);
        x.list("serviceType", "item", [kind(service)], |x, kind| {
            x.text("serviceType", kind);
        });
        let all = zones(region).into_iter();
        let offered: Vec<_> = all.filter(|zone| service.gateway || service.is_in(&zone.name)).collect();
        x.texts("availabilityZoneSet", "item", offered.iter().map(|zone| &zone.name));
        x.texts("availabilityZoneIdSet", "item", offered.iter().map(|zone| &zone.id));
        x.optional("privateDnsName", service.private_dns.as_ref());
        x.text("vpcEndpointPolicySupported", true).text("acceptanceRequired", false);
        x.text("managesVpcEndpoints", false);
        x.texts("supportedIpAddressTypeSet", "item", ["ipv4"]);
        x.element("tagSet", |_| {});
    });
    x.optional("nextToken", next);
    Ok(x.into())
}

pub(super) fn no_service(name: &str) -> Fault {
    Fault::bad("InvalidServiceName", format!("The Vpc Endpoint Service '{name}' does not exist"))
}

fn kind(service: &Service) -> &'static str {
    if service.gateway { "Gateway" } else { "Interface" }
}

const PREFIX_LISTS: Listing = Listing {
    ids: "PrefixListId",
    set: "prefixListSet",
    filters: &["owner-id", "prefix-list-id", "prefix-list-name"],
    pages: 1..=1000,
};

pub(super) fn describe_prefix_lists(call: &Call) -> Reply {
    list_prefix_lists(call, |x, list| {
        x.text("prefixListId", &list.id).text("prefixListName", &list.name);
        x.texts("cidrSet", "item", list.cidrs);
    })
}

pub(super) fn describe_managed_prefix_lists(call: &Call) -> Reply {
    list_prefix_lists(call, |x, list| {
        x.text("prefixListId", &list.id).text("prefixListName", &list.name);
        x.text("addressFamily", "IPv4").text("state", "create-complete").text("ownerId", "AWS");
        x.text("prefixListArn", format!("arn:aws:ec2:{}:aws:prefix-list/{}", call.region, list.id));
        x.text("maxEntries", list.cidrs.len()).text("version", 1);
        x.element("tagSet", |_| {});
    })
}

fn list_prefix_lists(call: &Call, mut write: impl FnMut(&mut Xml, &PrefixList)) -> Reply {
    let all = prefix_lists(&call.region);
    let asked = call.params.list("PrefixListId");
    if let Some(unknown) = asked.iter().find(|id| !all.iter().any(|list| list.id == **id)) {
        let text = format!("The prefix list ID '{unknown}' does not exist");
        return Err(Fault::bad("InvalidPrefixListID.NotFound", text));
    }
    let untagged = Tags::new();
    let rows = all.into_iter().filter(|list| asked.is_empty() || asked.contains(&list.id)).map(|list| Row {
        id: list.id.clone(),
        facts: vec![
            ("owner-id", "AWS".to_string()),
            ("prefix-list-id", list.id.clone()),
            ("prefix-list-name", list.name.clone()),
        ],
        tags: &untagged,
        item: list,
    });
    let (chosen, next) = select(call, &PREFIX_LISTS, rows)?;
    let mut x = Xml::new();
    x.list(PREFIX_LISTS.set, "item", chosen, |x, list| write(x, &list));
    x.optional("nextToken", next);
    Ok(x.into())
}
