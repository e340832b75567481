//! The restart planner, case by case; `restarts.rs` asks it about random clusters.

use crate::members::topology;
use auroraml_core::members::restart::{Expected, Member, Next, Strategy, Topology, forecast, next};
use auroraml_core::members::{Effect, Interruption, Policy, Seconds};

fn line(it: &Interruption) -> String {
    format!("{:?} {}: {}; {}", it.impact, it.members.join(" "), it.what, it.why)
}

/// One look at the members, and what comes next.
#[test]
fn what_restarts_next() {
    type Change = fn(&mut Topology, &mut Policy);
    let status: Change = |topology, _| topology.status = "upgrading".into();
    let cases: &[(Change, &str)] = &[
        (|_, _| {}, "done"),
        (status, "wait: cluster is upgrading"),
        (
            |topology, _| topology.status = "cloning-failed".into(),
            "stuck: the cluster is cloning-failed: repair it",
        ),
        (|topology, _| topology.members[1].status = "rebooting".into(), "wait: shop-2 is rebooting"),
        (
            |topology, _| topology.members[1].status = "storage-full".into(),
            "stuck: shop-2 is storage-full: repair it",
        ),
        (|topology, _| topology.members[1].status = "storage-optimization".into(), "done"),
        (|topology, _| apply(topology, 1), "wait: shop-2 reports applying"),
        (
            |topology, _| topology.members[1].own_parameter_status = "applying".into(),
            "wait: shop-2 reports applying",
        ),
        (
            |topology, policy| {
                apply(topology, 1);
                policy.strategy = Strategy::WriterOnly;
            },
            "done",
        ),
        (
            |topology, policy| {
                apply(topology, 0);
                policy.strategy = Strategy::WriterOnly;
            },
            "wait: shop-1 reports applying",
        ),
        (
            |topology, _| pend(topology, 1),
            "Readers shop-2: restart reader shop-2 (tier 0, db.r6g.large); its parameters are pending-reboot",
        ),
        (
            |topology, _| {
                pend(topology, 1);
                topology.members[1].zone = "us-east-1a".into();
            },
            "Readers shop-2: restart reader shop-2 (tier 0, db.r6g.large, us-east-1a); its parameters are pending-reboot",
        ),
        (
            |topology, _| pend(topology, 0),
            "Failover shop-1 shop-3: fail over from shop-1 to shop-3 (tier 0, db.serverless); the writer's parameters \
            are pending-reboot, and this reader is in-sync",
        ),
        (
            |topology, _| {
                pend(topology, 0);
                topology.members.pop();
            },
            "Failover shop-1 shop-2: fail over from shop-1 to shop-2 (tier 0, db.r6g.large); the writer's parameters \
            are pending-reboot, and this reader is in-sync",
        ),
        (
            |topology, _| {
                pend(topology, 0);
                topology.members[0].class = "db.r6g.2xlarge".into();
            },
            "Failover shop-1 shop-3: fail over from shop-1 to shop-3 (tier 0, db.serverless); the writer's parameters \
            are pending-reboot, and this reader is in-sync; it is smaller than the writer's db.r6g.2xlarge",
        ),
        // Where size leaves a choice, the writer's zone.
        (
            |topology, _| {
                pend(topology, 0);
                topology.members[2].class = "db.r6g.large".into();
                topology.members[1].zone = "us-east-1b".into();
            },
            "Failover shop-1 shop-3: fail over from shop-1 to shop-3 (tier 0, db.r6g.large); the writer's parameters \
            are pending-reboot, and this reader is in-sync",
        ),
        (
            |topology, _| {
                pend(topology, 0);
                topology.engine_version = "5.7.mysql_aurora.2.07.10".into();
            },
            "Restart shop-1 shop-2 shop-3: restart writer shop-1 (tier 0, db.r6g.large); its parameters are \
            pending-reboot; below Aurora MySQL 2.10 every member restarts with the writer",
        ),
        (
            |topology, policy| {
                pend(topology, 0);
                topology.engine_version = "5.7.mysql_aurora.2.07.10".into();
                policy.strategy = Strategy::Failover;
            },
            "Restart shop-1 shop-3 shop-2: fail over from shop-1 to shop-3 (tier 0, db.serverless); the writer's \
            parameters are pending-reboot; below Aurora MySQL 2.10 every member restarts with the writer",
        ),
        (
            |topology, policy| {
                pend(topology, 0);
                topology.engine_version = "8.0.mysql_aurora.3.05.2".into();
                topology.global_cluster = Some("world".into());
                policy.strategy = Strategy::WriterOnly;
            },
            "Restart shop-1: restart writer shop-1 (tier 0, db.r6g.large); its parameters are pending-reboot; below \
            Aurora MySQL 3.06 the instances of all secondary clusters of the global database world restart with it",
        ),
        (
            |_, policy| policy.writer = Some("shop-2".into()),
            "Failover shop-1 shop-2: fail over from shop-1 to shop-2 (tier 0, db.r6g.large); the spec wants it to be \
            the writer",
        ),
        (|_, policy| policy.writer = Some("shop-1".into()), "done"),
        (
            |_, policy| {
                policy.writer = Some("shop-2".into());
                policy.strategy = Strategy::WriterOnly;
            },
            "done",
        ),
    ];
    for (n, (change, expected)) in cases.iter().enumerate() {
        let (mut topology, mut policy) = (topology(), Policy::default());
        change(&mut topology, &mut policy);
        let said = match next(&topology, &policy) {
            Next::Done => "done".into(),
            Next::Wait(why) => format!("wait: {why}"),
            Next::Stuck(why) => format!("stuck: {why}"),
            Next::Act(_, interruption) => line(&interruption),
        };
        assert_eq!(said, *expected, "case {n}");
    }
}

fn apply(topology: &mut Topology, member: usize) {
    topology.members[member].parameter_status = "applying".into();
}

fn pend(topology: &mut Topology, member: usize) {
    topology.members[member].parameter_status = "pending-reboot".into();
}

/// All restarts from here on, each as it leaves the members for the next.
#[test]
fn restarts_follow_from_each_other() {
    let old = "5.7.mysql_aurora.2.07.10";
    let new = "8.0.mysql_aurora.3.10.2";
    let (rolling, failover) = (Strategy::Rolling, Strategy::Failover);
    for (version, strategy, writer, pending, expected) in [
        (new, rolling, None, &[0, 1, 2][..], &["shop-2", "shop-3", "shop-1 shop-3"][..]),
        (new, failover, None, &[0, 1, 2], &["shop-1 shop-3", "shop-2"]),
        (new, failover, None, &[0], &["shop-1 shop-3"]),
        (new, rolling, Some("shop-1"), &[0], &["shop-1 shop-3", "shop-3 shop-1"]),
        (old, rolling, None, &[0, 1, 2], &["shop-1 shop-2 shop-3"]),
        (old, rolling, None, &[1, 2], &["shop-2", "shop-3"]),
        (old, failover, None, &[0, 1, 2], &["shop-1 shop-3 shop-2"]),
    ] {
        let mut topology = topology();
        topology.engine_version = version.into();
        pending.iter().for_each(|member| pend(&mut topology, *member));
        let policy = Policy { strategy, writer: writer.map(String::from), ..Policy::default() };
        let (made, after) = forecast(&topology, &policy, Expected::AsTheyAre);
        let made: Vec<String> = made.iter().map(|it| it.members.join(" ")).collect();
        assert_eq!(made, expected, "{version} {policy:?} {pending:?}");
        assert!(after.members.iter().all(Member::is_in_sync), "{version} {policy:?} {pending:?}");
    }
    // Who waits already, and who will wait once the plan is carried out.
    let mut topology_now = topology();
    pend(&mut topology_now, 1);
    let (made, _) = forecast(&topology_now, &Policy::default(), Expected::Everyone);
    let whys: Vec<(&str, &str)> = made.iter().map(|it| (it.members[0].as_str(), it.why.as_str())).collect();
    let will = "its parameters will be pending-reboot";
    let writer = "the writer's parameters will be pending-reboot, and this reader is in-sync by then";
    let expected = [("shop-2", "its parameters are pending-reboot"), ("shop-3", will), ("shop-1", writer)];
    assert_eq!(whys, expected);
    let seconds = Seconds { usually: 1, at_worst: 2 };
    let it = topology().suffers(Effect::RestartsMember(seconds), Some("shop-2"), "it changes").unwrap();
    assert_eq!(it.seconds, seconds);
}
