//! Availability zones.

use super::listing::{Listing, Row, select};
use super::record::{Tags, invalid};
use crate::call::Call;
use crate::wire::{Reply, Xml};

/// What a zone lacks, by its id: services without interface endpoints, families of DB instance classes. Every region
/// has such gaps; use1-az3 is the zone of which most are told (terraform-aws-modules/terraform-aws-vpc, issues 462
/// and 785). Which ones are chosen here is the sandbox's own.
const LACKING: &[(&str, &[&str], &[&str])] = &[(
    "use1-az3",
    &["bedrock-runtime", "comprehend", "rds-data", "sagemaker.api", "sagemaker.runtime"],
    &["r8g", "t4g"],
)];

fn lacking(zone: &str) -> Option<&'static (&'static str, &'static [&'static str], &'static [&'static str])> {
    let region = zone.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let id = zones(region).into_iter().find(|known| known.name == zone)?.id;
    LACKING.iter().find(|(lacks, _, _)| *lacks == id)
}

/// Whether a service, such as `sagemaker.runtime`, has interface endpoints in a zone.
pub(super) fn has_endpoint(zone: &str, service: &str) -> bool {
    lacking(zone).is_none_or(|(_, services, _)| !services.contains(&service))
}

/// Whether a class, such as `db.t4g.medium`, can be had in a zone.
pub(crate) fn has_class(zone: &str, class: &str) -> bool {
    let family = class.split('.').nth(1).unwrap_or_default();
    lacking(zone).is_none_or(|(_, _, families)| !families.contains(&family))
}

pub(crate) struct Zone {
    pub name: String,
    /// The same place has the same id in every account.
    pub id: String,
}

/// The zones of a region, by name. Their letters are one account's own: they do not follow the ids.
pub(crate) fn zones(region: &str) -> Vec<Zone> {
    let letters = match region {
        "us-east-1" => "abcdef",
        "us-west-2" | "ap-northeast-2" => "abcd",
        "ap-northeast-1" => "acd",
        "ca-central-1" => "abd",
        _ => "abc",
    };
    let count = letters.len();
    let prefix = short_name(region);
    let zone = |(index, letter)| Zone {
        name: format!("{region}{letter}"),
        id: format!("{prefix}-az{}", (index + 1) % count + 1),
    };
    letters.chars().enumerate().map(zone).collect()
}

/// `use1` of `us-east-1`, `apse2` of `ap-southeast-2`.
fn short_name(region: &str) -> String {
    let parts: Vec<&str> = region.split('-').collect();
    let last = parts.len() - 1;
    let shorten = |(index, part): (usize, &&str)| match *part {
        country if index == 0 => country.to_string(),
        number if index == last => number.to_string(),
        direction => ["north", "south", "east", "west", "central", "gov"]
            .iter()
            .fold(direction.to_string(), |text, word| text.replace(word, &word[..1])),
    };
    parts.iter().enumerate().map(shorten).collect()
}

const LISTING: Listing = Listing {
    ids: "ZoneName",
    set: "availabilityZoneInfo",
    filters: &["region-name", "state", "zone-id", "zone-name", "zone-type", "opt-in-status", "group-name"],
    pages: 1..=1000,
};

pub(super) fn describe(call: &Call) -> Reply {
    let region = call.region.as_str();
    let all = zones(region);
    let (names, ids) = (call.params.list("ZoneName"), call.params.list("ZoneId"));
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|zone| zone.name == **name)) {
        return Err(invalid(format!("Invalid availability zone: [{unknown}]")));
    }
    if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|zone| zone.id == **id)) {
        return Err(invalid(format!("Invalid availability zone-id: [{unknown}]")));
    }
    let untagged = Tags::new();
    let rows = all
        .into_iter()
        .filter(|zone| names.is_empty() || names.contains(&zone.name))
        .filter(|zone| ids.is_empty() || ids.contains(&zone.id))
        .map(|zone| Row {
            id: zone.name.clone(),
            facts: vec![
                ("region-name", region.to_string()),
                ("state", "available".to_string()),
                ("zone-id", zone.id.clone()),
                ("zone-name", zone.name.clone()),
                ("zone-type", "availability-zone".to_string()),
                ("opt-in-status", "opt-in-not-required".to_string()),
                ("group-name", format!("{region}-zg-1")),
            ],
            tags: &untagged,
            item: zone,
        });
    let (chosen, _) = select(call, &LISTING, rows)?;
    let mut x = Xml::new();
    x.list(LISTING.set, "item", chosen, |x, zone| {
        x.text("optInStatus", "opt-in-not-required").text("regionName", region);
        x.text("zoneName", &zone.name).text("zoneId", &zone.id);
        x.text("groupName", format!("{region}-zg-1")).text("networkBorderGroup", region);
        x.text("zoneType", "availability-zone").text("zoneState", "available");
        x.element("messageSet", |_| {});
    });
    Ok(x.into())
}

/// The regions that every account has; the others are opted into (EC2 User Guide, "Available Regions").
const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

const REGION_LISTING: Listing = Listing {
    ids: "RegionName",
    set: "regionInfo",
    filters: &["endpoint", "opt-in-status", "region-name"],
    pages: 1..=1000,
};

/// DescribeRegions. `AllRegions` adds those that the account has not opted into, and the sandbox knows none.
pub(super) fn describe_regions(call: &Call) -> Reply {
    call.params.flag("AllRegions");
    let asked = call.params.list("RegionName");
    if let Some(unknown) = asked.iter().find(|name| !REGIONS.contains(&name.as_str())) {
        return Err(invalid(format!("Invalid region: [{unknown}]")));
    }
    let endpoint = |region: &str| format!("ec2.{region}.amazonaws.com");
    let untagged = Tags::new();
    let chosen = REGIONS.iter().filter(|region| asked.is_empty() || asked.iter().any(|name| name == *region));
    let rows = chosen.map(|region| Row {
        id: region.to_string(),
        facts: vec![
            ("endpoint", endpoint(region)),
            ("opt-in-status", "opt-in-not-required".to_string()),
            ("region-name", region.to_string()),
        ],
        tags: &untagged,
        item: region,
    });
    let (chosen, _) = select(call, &REGION_LISTING, rows)?;
    let mut x = Xml::new();
    x.list(REGION_LISTING.set, "item", chosen, |x, region| {
        x.text("regionName", region).text("regionEndpoint", endpoint(region));
        x.text("optInStatus", "opt-in-not-required");
    });
    Ok(x.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names() {
        let names = ["us-east-1", "eu-central-1", "ap-southeast-2", "ap-northeast-1", "us-gov-west-1"];
        assert_eq!(names.map(short_name), ["use1", "euc1", "apse2", "apne1", "usgw1"]);
    }

    #[test]
    fn a_zone_id_is_used_once() {
        let ids: std::collections::BTreeSet<String> =
            zones("us-east-1").into_iter().map(|zone| zone.id).collect();
        assert_eq!(ids.len(), 6);
    }
}
