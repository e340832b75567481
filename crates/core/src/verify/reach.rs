//! What the rules of security groups let through on port 443. Pure.

use super::facts::Rule;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;

const HTTPS: i32 = 443;

/// Whether rules let something through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Yes,
    /// To these peers, of which it is not known what they hold.
    Perhaps(String),
    No,
}

impl Reach {
    /// What holds for both.
    pub fn worse(self, other: Reach) -> Reach {
        match (self, other) {
            (Reach::No, _) | (_, Reach::No) => Reach::No,
            (Reach::Perhaps(why), _) | (_, Reach::Perhaps(why)) => Reach::Perhaps(why),
            _ => Reach::Yes,
        }
    }
}

/// Whether any of the rules lets 443 through, by a test of each peer.
pub(super) fn reach<'n>(rules: impl Iterator<Item = &'n Rule>, test: impl Fn(&str) -> Reach) -> Reach {
    let mut perhaps = BTreeSet::new();
    for peer in rules.filter(|rule| https(rule)).flat_map(|rule| &rule.peers) {
        match test(peer) {
            Reach::Yes => return Reach::Yes,
            Reach::Perhaps(peer) => drop(perhaps.insert(peer)),
            Reach::No => {}
        }
    }
    match perhaps.is_empty() {
        true => Reach::No,
        false => Reach::Perhaps(perhaps.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn https(rule: &Rule) -> bool {
    let ports = rule.from_port.unwrap_or(0)..=rule.to_port.unwrap_or(i32::from(u16::MAX));
    rule.protocol == "-1" || matches!(rule.protocol.as_str(), "tcp" | "6") && ports.contains(&HTTPS)
}

/// A peer, for a target somewhere in the internet.
pub(super) fn open_only(peer: &str) -> Reach {
    match peer.parse::<Ipv4Net>() {
        Ok(range) if range.prefix_len() == 0 => Reach::Yes,
        // Services have public addresses.
        Ok(range) if range.network().is_private() => Reach::No,
        Ok(_) => Reach::Perhaps(peer.to_string()),
        Err(_) if peer.starts_with("pl-") => Reach::Perhaps(peer.to_string()),
        Err(_) => Reach::No,
    }
}

/// A peer, for addresses in this range.
pub(super) fn inside(range: &str, peer: &str) -> Reach {
    match (range.parse::<Ipv4Net>(), peer.parse::<Ipv4Net>()) {
        (Ok(range), Ok(peer)) if peer.contains(&range) => Reach::Yes,
        // Some of the addresses.
        (Ok(range), Ok(part)) if range.contains(&part) => Reach::Perhaps(peer.to_string()),
        (_, Err(_)) if peer.starts_with("pl-") => Reach::Perhaps(peer.to_string()),
        _ => Reach::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_protocols() {
        let rule = |protocol: &str, from_port, to_port| Rule {
            protocol: protocol.into(),
            from_port,
            to_port,
            peers: vec!["0.0.0.0/0".into()],
        };
        for open in
            [rule("-1", None, None), rule("tcp", Some(443), Some(443)), rule("6", Some(0), Some(65_535))]
        {
            assert_eq!(reach([&open].into_iter(), open_only), Reach::Yes, "{open:?}");
        }
        for closed in [rule("tcp", Some(3306), Some(3306)), rule("udp", Some(443), Some(443))] {
            assert_eq!(reach([&closed].into_iter(), open_only), Reach::No, "{closed:?}");
        }
    }

    #[test]
    fn one_rule_is_enough_and_a_prefix_list_is_not_looked_into() {
        let rule = |peers: &[&str]| Rule {
            protocol: "tcp".into(),
            from_port: Some(443),
            to_port: Some(443),
            peers: peers.iter().map(|peer| (*peer).to_string()).collect(),
        };
        let (list, all) = (rule(&["pl-1", "10.0.0.0/8"]), rule(&["0.0.0.0/0"]));
        assert_eq!(reach([&list].into_iter(), open_only), Reach::Perhaps("pl-1".into()));
        assert_eq!(reach([&list, &all].into_iter(), open_only), Reach::Yes);
        assert_eq!(inside("10.0.1.0/24", "10.0.1.128/25"), Reach::Perhaps("10.0.1.128/25".into()));
        assert_eq!(Reach::Yes.worse(Reach::Perhaps("x".into())), Reach::Perhaps("x".into()));
    }
}
