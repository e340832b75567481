//! In which availability zones the subnets stand. Not every zone has every interface endpoint or class of DB instances,
//! so zones are chosen from what AWS offers; live subnets keep theirs.

use super::aurora::instances;
use super::facts::Zonal;
use super::network::{endpoint_id, service_in};
use super::{Builder, Code};
use crate::base::{Id, Observed};
use crate::spec::{Aurora, Network, OwnNetwork, ServiceEndpoint, Spec};
use std::collections::BTreeSet;

/// What is to be asked of AWS before zones are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Whether a subnet is to be made.
    pub zones: bool,
    /// What must be offered where the private subnets stand.
    pub offers: BTreeSet<Zonal>,
}

/// What a stack that looks so needs to know of zones: nothing where everything is there.
pub fn questions(spec: &Spec, observed: &Observed) -> Questions {
    let Some(network) = spec.network.as_ref().and_then(Network::owned) else {
        return Questions::default();
    };
    let missing = |side: &str, count: usize| (0..count).any(|n| !observed.contains_key(&subnet(side, n)));
    let private = missing("private", network.private_subnets.len());
    let mut offers = BTreeSet::new();
    for service in network.endpoints.iter().filter(|service| **service != ServiceEndpoint::S3) {
        if private || !observed.contains_key(&endpoint_id(*service)) {
            offers.insert(Zonal::Endpoint(service_in(*service, &spec.region)));
        }
    }
    if let Some(Aurora::Owned(cluster)) = &spec.aurora {
        for (n, instance) in instances(cluster).iter().enumerate() {
            if private || !observed.contains_key(&Id::new("instance", format!("{}", n + 1))) {
                offers.insert(Zonal::Class(instance.class.clone()));
            }
        }
    }
    Questions { zones: private || missing("public", network.public_subnets.len()), offers }
}

fn subnet(side: &str, n: usize) -> Id {
    Id::new("subnet", format!("{side}-{}", n + 1))
}

impl Builder<'_> {
    /// The zone of each pair of subnets, a public and a private one; `None` after a problem.
    pub(super) fn zones(&mut self, network: &OwnNetwork) -> Option<Vec<String>> {
        let facts = self.facts;
        let (private, public) = (network.private_subnets.len(), network.public_subnets.len());
        let live = |n: usize| {
            let of = |side: &str| facts.live_zones.get(&subnet(side, n).name);
            of("private").or_else(|| of("public"))
        };
        let mut zones: Vec<Option<&String>> = (0..private.max(public)).map(live).collect();
        for n in 0..zones.len() {
            if zones[n].is_some() {
                continue;
            }
            // An interface endpoint stands in every private subnet; of the members RDS puts each where its class is.
            let (mut best, mut fewest) = (None, usize::MAX);
            for zone in facts.zones.iter().filter(|zone| !zones.contains(&Some(zone))) {
                let lacking = facts.offers.iter().filter(|offer| !offer.zones.contains(zone));
                let weight = |what: &Zonal| if matches!(what, Zonal::Endpoint(_)) { 1000 } else { 1 };
                let lacks = if n < private { lacking.map(|offer| weight(&offer.what)).sum() } else { 0 };
                if lacks < fewest {
                    (best, fewest) = (Some(zone), lacks);
                }
            }
            if best.is_none() {
                let (region, count) = (&self.place.region, facts.zones.len());
                let why =
                    format!("{region} has {count} availability zones, but the spec needs {}", zones.len());
                self.problem(
                    Code::ZonesTooFew,
                    "network",
                    why,
                    "list fewer subnets, or choose another region",
                );
                return None;
            }
            zones[n] = best;
        }
        let zones: Vec<String> = zones.into_iter().flatten().cloned().collect();
        self.check_offers(&zones[..private]);
        Some(zones)
    }

    /// Whether AWS offers, where the private subnets stand, what is to be there.
    fn check_offers(&mut self, private: &[String]) {
        let region = &self.place.region;
        for offer in &self.facts.offers {
            let list = |zones: &mut dyn Iterator<Item = &String>| {
                zones.map(String::as_str).collect::<Vec<_>>().join(", ")
            };
            let offered = list(&mut offer.zones.iter());
            let (code, what, why, hint) = match &offer.what {
                Zonal::Endpoint(service) if offer.zones.is_empty() => (
                    Code::EndpointServiceRegion,
                    "network.endpoints",
                    format!("{region} has no interface endpoints for {service}"),
                    "remove it from `endpoints`, and write `nat: single`".to_string(),
                ),
                Zonal::Endpoint(service) => {
                    let without = list(&mut private.iter().filter(|zone| !offer.zones.contains(*zone)));
                    if without.is_empty() {
                        continue;
                    }
                    (
                        Code::EndpointServiceZone,
                        "network.endpoints",
                        format!(
                            "{service} has no interface endpoints in {without}, where private subnets are: AWS offers them in {offered}"
                        ),
                        "list fewer private subnets; or remove it from `endpoints`, and use `nat: single`"
                            .to_string(),
                    )
                }
                Zonal::Class(class) if offer.zones.is_empty() => (
                    Code::ClassRegion,
                    "aurora.instances",
                    format!("{region} does not offer {class} for {}", self.engine.title),
                    format!(
                        "choose another class (aws rds describe-orderable-db-instance-options --engine {} lists them)",
                        self.engine.name
                    ),
                ),
                Zonal::Class(_) if private.iter().any(|zone| offer.zones.contains(zone)) => continue,
                Zonal::Class(class) => (
                    Code::ClassZone,
                    "aurora.instances",
                    format!(
                        "{class} is available in {offered}, but the private subnets are in {}",
                        list(&mut private.iter())
                    ),
                    "choose another class, or add another private subnet".to_string(),
                ),
            };
            self.problem(code, what, why, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{Facts, Offer};
    use super::*;
    use crate::base::names::Place;

    fn network(public: usize, private: usize) -> OwnNetwork {
        let ranges = |side: usize, count: usize| {
            (0..count).map(move |n| format!("10.0.{}.0/24", side * 100 + n).parse().unwrap()).collect()
        };
        OwnNetwork {
            public_subnets: ranges(0, public),
            private_subnets: ranges(1, private),
            ..OwnNetwork::new("10.0.0.0/16".parse::<ipnet::Ipv4Net>().unwrap())
        }
    }

    /// The last letters of the zones chosen, or the first problem.
    fn chosen(network: &OwnNetwork, live: &[(&str, &str)], offers: &[(Zonal, &str)]) -> String {
        let letters = |zones: &str| zones.chars().map(|letter| format!("us-east-1{letter}")).collect();
        let facts = Facts {
            zones: "abcd".chars().map(|letter| format!("us-east-1{letter}")).collect(),
            live_zones: live
                .iter()
                .map(|(name, zone)| ((*name).into(), format!("us-east-1{zone}")))
                .collect(),
            offers: offers
                .iter()
                .map(|(what, zones)| Offer { what: what.clone(), zones: letters(zones) })
                .collect(),
            ..Facts::default()
        };
        let spec = Spec::new("a", "us-east-1");
        let place = Place::new("a", "us-east-1", "1");
        let mut builder = Builder::new(&spec, &place, &facts);
        let zones = builder.zones(network);
        match builder.problems.first() {
            Some(problem) => problem.why.clone(),
            None => zones.unwrap().iter().filter_map(|zone| zone.chars().last()).collect(),
        }
    }

    fn endpoint() -> Zonal {
        Zonal::Endpoint("com.amazonaws.us-east-1.sagemaker.runtime".into())
    }

    fn class(name: &str) -> Zonal {
        Zonal::Class(name.into())
    }

    #[test]
    fn zones_are_where_everything_is_offered() {
        assert_eq!(chosen(&network(0, 2), &[], &[]), "ab");
        assert_eq!(chosen(&network(0, 2), &[], &[(endpoint(), "acd")]), "ac");
        assert_eq!(
            chosen(&network(0, 2), &[], &[(endpoint(), "acd"), (class("db.t4g.medium"), "bcd")]),
            "cd"
        );
        // A member finds its zone by itself: only one must have its class.
        assert_eq!(chosen(&network(0, 3), &[], &[(endpoint(), "acd"), (class("db.r8g.large"), "d")]), "dac");
        // Nothing of it stands in a public subnet.
        assert_eq!(chosen(&network(3, 2), &[], &[(endpoint(), "ac")]), "acb");
        assert_eq!(chosen(&network(3, 2), &[], &[(endpoint(), "acd")]), "acb");
    }

    #[test]
    fn live_subnets_stay() {
        let live = [("private-1", "b"), ("public-1", "b")];
        assert_eq!(chosen(&network(2, 2), &live, &[]), "ba");
        assert_eq!(chosen(&network(0, 2), &[("private-2", "a")], &[]), "ba");
        let moved = chosen(&network(0, 2), &[("private-1", "b"), ("private-2", "c")], &[(endpoint(), "acd")]);
        assert!(
            moved.contains("has no interface endpoints in us-east-1b, where private subnets are"),
            "{moved}"
        );
    }

    #[test]
    fn what_is_not_offered_is_a_problem() {
        let too_few = chosen(&network(0, 3), &[], &[(endpoint(), "ac")]);
        assert!(too_few.contains("AWS offers them in us-east-1a, us-east-1c"), "{too_few}");
        assert!(
            chosen(&network(0, 2), &[], &[(endpoint(), "")]).contains("us-east-1 has no interface endpoints")
        );
        assert!(chosen(&network(0, 5), &[], &[]).contains("has 4 availability zones, but the spec needs 5"));
        assert!(chosen(&network(0, 2), &[], &[(class("db.x"), "")]).contains("does not offer db.x"));
        let live = [("private-1", "a"), ("private-2", "b")];
        let elsewhere = chosen(&network(0, 2), &live, &[(class("db.x"), "cd")]);
        assert_eq!(
            elsewhere,
            "db.x is available in us-east-1c, us-east-1d, but the private subnets are in us-east-1a, us-east-1b"
        );
    }
}
