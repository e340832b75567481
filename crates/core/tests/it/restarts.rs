//! The restart planner against a small model of Aurora of its own: random clusters, and others who interfere.
//!
//! The model knows how members restart and what that does to parameters; the planner knows how to ask. What is
//! checked is what a run does: looks, asks [`next`], asks its permit, acts, looks again.

use auroraml_core::base::Id;
use auroraml_core::members::restart::{
    Act, Expected, Member, Next, Policy, Topology, forecast, left_pending, needs_person, next,
};
use auroraml_core::members::{Impact, Interruption, Permit};
use auroraml_core::spec::Strategy;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// CONTRIBUTING.md tells how many.
const CASES: u64 = 12_000;
/// Looks after which a run has to have ended.
const LOOKS_MAX: usize = 600;

/// What a member is on its way to.
#[derive(Clone, Debug)]
struct Underway {
    looks: u32,
    /// It restarts, and runs the current parameters then.
    restarts: bool,
    /// It goes.
    goes: bool,
}

/// A cluster in which time passes from look to look.
struct Aurora {
    rng: Rng,
    topology: Topology,
    underway: BTreeMap<String, Underway>,
    /// Looks until the cluster's own status ends, and the writer that it then has.
    cluster: Option<(u32, Option<String>)>,
    added: usize,
    /// Members that our own last act took down.
    ours_down: BTreeSet<String>,
    writer_interruptions: usize,
    foreign_failovers: usize,
}

impl Aurora {
    fn random(rng: &mut Rng) -> Aurora {
        let count = if rng.u8(..4) == 0 { 1 } else { rng.usize(2..=16) };
        let versions = [
            "5.7.12",
            "5.7.mysql_aurora.2.09.3",
            "5.7.mysql_aurora.2.11.4",
            "8.0.mysql_aurora.3.05.2",
            "8.0.mysql_aurora.3.10.3",
            "8.4.mysql_aurora.8.4.7",
        ];
        let classes = ["db.r6g.large", "db.r6g.xlarge", "db.r6g.16xlarge", "db.t4g.medium", "db.serverless"];
        // A secondary cluster of a global database has no writer.
        let writer = if rng.u8(..20) == 0 { usize::MAX } else { rng.usize(..count) };
        let members: Vec<Member> = (0..count)
            .map(|n| Member {
                name: format!("m{n}"),
                writer: n == writer,
                status: status(rng).into(),
                parameter_status: parameter_status(rng).into(),
                own_parameter_status: if rng.u8(..8) == 0 { parameter_status(rng) } else { "in-sync" }.into(),
                promotion_tier: rng.i32(0..=15),
                class: classes[rng.usize(..classes.len())].into(),
                zone: format!("us-east-1{}", ["a", "b", "c"][rng.usize(..3)]),
            })
            .collect();
        let topology = Topology {
            status: if rng.u8(..12) == 0 { "backing-up" } else { "available" }.into(),
            engine: "aurora-mysql".into(),
            engine_version: versions[rng.usize(..versions.len())].into(),
            global_cluster: (rng.u8(..10) == 0).then(|| "world".into()),
            pauses: rng.bool(),
            failed_over: None,
            unfinished: false,
            members,
        };
        let mut aurora = Aurora {
            rng: rng.fork(),
            cluster: (topology.status != "available").then_some((3, None)),
            topology,
            underway: BTreeMap::new(),
            added: 0,
            ours_down: BTreeSet::new(),
            writer_interruptions: 0,
            foreign_failovers: 0,
        };
        for member in aurora.topology.members.clone() {
            let moves = !matches!(member.status.as_str(), "available" | "storage-optimization")
                && !needs_person(&member.status);
            if moves {
                let restarts = matches!(member.status.as_str(), "rebooting" | "creating");
                let goes = member.status == "deleting";
                aurora.underway.insert(member.name, Underway { looks: 4, restarts, goes });
            }
        }
        aurora
    }

    fn member(&mut self, name: &str) -> Option<&mut Member> {
        self.topology.members.iter_mut().find(|member| member.name == name)
    }

    /// Ten seconds pass.
    fn tick(&mut self) {
        for member in &mut self.topology.members {
            for status in [&mut member.parameter_status, &mut member.own_parameter_status] {
                // What AWS applies by itself it applies soon.
                if status == "applying" && self.rng.bool() {
                    *status = "in-sync".into();
                }
            }
        }
        for (name, mut underway) in std::mem::take(&mut self.underway) {
            underway.looks = underway.looks.saturating_sub(1);
            if underway.looks > 0 {
                self.underway.insert(name, underway);
            } else if underway.goes {
                let was_writer = self.member(&name).is_some_and(|member| member.writer);
                self.topology.members.retain(|member| member.name != name);
                if was_writer && let Some(heir) = self.topology.members.first_mut() {
                    heir.writer = true;
                    self.foreign_failovers += 1;
                }
            } else {
                self.ours_down.remove(&name);
                if let Some(member) = self.member(&name) {
                    member.status = "available".into();
                    if underway.restarts {
                        member.parameter_status = "in-sync".into();
                        member.own_parameter_status = "in-sync".into();
                    }
                }
            }
        }
        if let Some((looks, writer)) = self.cluster.take() {
            if looks > 1 {
                self.cluster = Some((looks - 1, writer));
                return;
            }
            self.topology.status = match self.topology.status.as_str() {
                "stopping" => "stopped".into(),
                _ => "available".into(),
            };
            if let Some(writer) = writer.filter(|name| self.topology.members.iter().any(|m| m.name == *name))
            {
                for member in &mut self.topology.members {
                    member.writer = member.name == writer;
                }
            }
        }
    }

    fn down(&mut self, names: &BTreeSet<String>) {
        let looks = self.rng.u32(2..8);
        for name in names {
            if let Some(member) = self.member(name) {
                member.status = "rebooting".into();
                self.underway.insert(name.clone(), Underway { looks, restarts: true, goes: false });
            }
        }
    }

    /// Who restarts with it: what is written in the user guide, by version.
    fn touched(&self, act: &Act) -> BTreeSet<String> {
        let writer = self.topology.members.iter().find(|m| m.writer).map(|m| m.name.clone());
        let mut names: BTreeSet<String> = match act {
            Act::Reboot(name) => [name.clone()].into(),
            Act::Failover(to) => writer.iter().cloned().chain([to.clone()]).collect(),
        };
        let old = self.topology.engine_version == "5.7.12" || self.topology.engine_version.contains("2.09");
        if old && writer.is_some_and(|writer| names.contains(&writer)) {
            names.extend(self.topology.members.iter().map(|member| member.name.clone()));
        }
        names
    }

    /// AWS accepts a request and carries it out, or, of a failover, may not.
    fn act(&mut self, act: &Act, ours: bool) {
        let names = self.touched(act);
        let of_writer = self.topology.members.iter().any(|m| m.writer && names.contains(&m.name));
        if let Act::Failover(to) = act {
            self.topology.status = "failing-over".into();
            let fails = self.rng.u8(..12) == 0;
            self.cluster = Some((self.rng.u32(1..6), (!fails).then(|| to.clone())));
            if fails {
                return;
            }
            self.foreign_failovers += usize::from(!ours);
        }
        if ours {
            self.ours_down = names.clone();
            self.writer_interruptions += usize::from(of_writer);
        }
        self.down(&names);
    }

    /// Somebody else does something that AWS takes.
    fn interfere(&mut self) {
        if self.topology.members.is_empty() {
            return;
        }
        let all_up = self.topology.members.iter().all(|m| m.status == "available");
        let name = self.topology.members[self.rng.usize(..self.topology.members.len())].name.clone();
        let up = self.topology.status == "available"
            && self.member(&name).is_some_and(|m| m.status == "available");
        let writer = self.topology.members.iter().any(|m| m.writer && m.name == name);
        match self.rng.u8(..7) {
            0 if up => self.act(&Act::Reboot(name), false),
            1 if up && all_up && !writer => self.act(&Act::Failover(name), false),
            2 if self.topology.members.len() < 16 => {
                self.added += 1;
                let name = format!("new{}", self.added);
                let pending = self.rng.u8(..3) == 0;
                self.topology.members.push(Member {
                    name: name.clone(),
                    status: "creating".into(),
                    parameter_status: if pending { "pending-reboot" } else { "in-sync" }.into(),
                    own_parameter_status: "in-sync".into(),
                    class: "db.r6g.large".into(),
                    promotion_tier: 1,
                    ..Member::default()
                });
                self.underway.insert(name, Underway { looks: 8, restarts: false, goes: false });
            }
            3 if up && self.topology.members.len() > 1 => {
                self.member(&name).unwrap().status = "deleting".into();
                self.underway.insert(name, Underway { looks: 5, restarts: false, goes: true });
            }
            4 if up => {
                self.topology.status = "backing-up".into();
                self.cluster = Some((3, None));
            }
            5 if up => {
                self.member(&name).unwrap().status = "backing-up".into();
                self.underway.insert(name, Underway { looks: 3, restarts: false, goes: false });
            }
            6 if up && all_up && self.rng.u8(..4) == 0 => {
                self.topology.status = "stopping".into();
                self.cluster = Some((4, None));
            }
            _ => {}
        }
    }
}

fn status(rng: &mut Rng) -> &'static str {
    match rng.u8(..60) {
        0 => "rebooting",
        1 => "backing-up",
        2 => "creating",
        3 => "deleting",
        4 => "modifying",
        5 => "storage-optimization",
        6 => "incompatible-network",
        _ => "available",
    }
}

fn parameter_status(rng: &mut Rng) -> &'static str {
    match rng.u8(..40) {
        0..20 => "pending-reboot",
        20..22 => "applying",
        22 if rng.bool() => "failed-to-apply",
        23 if rng.bool() => "pending-database-upgrade",
        _ => "in-sync",
    }
}

/// How a run ended.
#[derive(Debug, PartialEq)]
enum End {
    InSync,
    /// The strategy leaves some pending.
    Left,
    Stopped(&'static str),
}

/// Follows a run to its end, and checks all that must hold on the way.
fn run(aurora: &mut Aurora, policy: &Policy, mut interferences: u32) -> End {
    let (announced, _) = forecast(&aurora.topology, policy, Expected::AsTheyAre);
    let permit = Permit::new(announced.clone(), BTreeSet::new(), false, None);
    let had_healthy_reader = aurora.topology.members.iter().any(|m| !m.writer && m.status == "available");
    let id = Id::new("parameter_sync", "main");
    let mut good = 0;
    for _ in 0..LOOKS_MAX {
        let topology = aurora.topology.clone();
        match next(&topology, policy) {
            Next::Done => {
                good += 1;
                if good == 3 {
                    return judge_done(&topology, policy);
                }
            }
            Next::Wait(why) => {
                good = 0;
                let moves = !aurora.underway.is_empty() || aurora.cluster.is_some();
                let applies = topology
                    .members
                    .iter()
                    .any(|m| m.parameter_status == "applying" || m.own_parameter_status == "applying");
                assert!(moves || applies, "waits for what will not come: {why}: {topology:#?}");
            }
            Next::Stuck(why) => return End::Stopped(judge_stuck(&topology, &why)),
            Next::Act(act, interruption) => {
                good = 0;
                if let Err(why) = permit.check(0, &interruption) {
                    return End::Stopped(judge_refused(&announced, &permit, &interruption, &why));
                }
                judge_act(aurora, &act, &interruption, &announced);
                aurora.act(&act, true);
                permit.made_one(&id, interruption);
                let again = usize::from(policy.writer.is_some()) + aurora.foreign_failovers;
                if had_healthy_reader && policy.strategy != Strategy::WriterOnly {
                    assert!(aurora.writer_interruptions <= 1 + again, "{announced:#?}");
                }
            }
        }
        if interferences > 0 && aurora.rng.u8(..6) == 0 {
            interferences -= 1;
            aurora.interfere();
        }
        aurora.tick();
    }
    panic!("no end after {LOOKS_MAX} looks: {:#?}", aurora.topology);
}

fn judge_done(topology: &Topology, policy: &Policy) -> End {
    let left = left_pending(topology, policy.strategy);
    for member in &topology.members {
        let excused = left.contains(&member.name)
            || policy.strategy == Strategy::Never
            || policy.strategy == Strategy::WriterOnly && !member.writer;
        assert!(member.is_in_sync() || excused, "done with {member:?}");
    }
    if policy.strategy != Strategy::Never {
        let writer = topology.members.iter().find(|member| member.writer);
        if let (Some(writer), Some(wanted)) = (writer, &policy.writer) {
            let possible = topology.members.iter().any(|member| member.name == *wanted);
            assert!(writer.name == *wanted || !possible, "the writer was not brought back: {topology:#?}");
        }
    }
    if left.is_empty() { End::InSync } else { End::Left }
}

/// The reason is true.
fn judge_stuck(topology: &Topology, why: &str) -> &'static str {
    let reports = |status: &str| {
        topology.members.iter().any(|m| m.parameter_status == status || m.own_parameter_status == status)
    };
    if why.contains("failed-to-apply") {
        assert!(reports("failed-to-apply"));
        "failed-to-apply"
    } else if why.contains("pending-database-upgrade") {
        assert!(reports("pending-database-upgrade"));
        "upgrade"
    } else if why.contains("stopped") {
        assert_eq!(topology.status, "stopped");
        "stopped"
    } else {
        assert!(why.contains("repair it"), "{why}");
        assert!(topology.members.iter().any(|m| needs_person(&m.status)), "{why}");
        "person"
    }
}

fn judge_refused(
    announced: &[Interruption],
    permit: &Permit,
    wanted: &Interruption,
    why: &str,
) -> &'static str {
    let known: BTreeSet<&String> = announced.iter().flat_map(|known| &known.members).collect();
    if why.contains("not in the plan") {
        assert!(wanted.members.iter().any(|member| !known.contains(member)), "{why}");
        "unannounced member"
    } else if why.contains("goes beyond the plan") {
        assert!(announced.iter().all(|known| known.impact < wanted.impact), "{why}");
        "unannounced impact"
    } else if why.contains("fewer at a time") {
        let is_as_many = |known: &Interruption| {
            known.impact == Impact::Restart && known.members.len() >= wanted.members.len()
        };
        assert!(!announced.iter().any(is_as_many), "{why}");
        "more at once"
    } else {
        assert!(why.contains("without effect"), "{why}");
        assert!(permit.made().iter().filter(|(_, made)| made.members[0] == wanted.members[0]).count() >= 3);
        "no effect"
    }
}

fn judge_act(aurora: &Aurora, act: &Act, interruption: &Interruption, announced: &[Interruption]) {
    let topology = &aurora.topology;
    assert_eq!(topology.status, "available", "{act:?}");
    assert!(aurora.ours_down.is_empty(), "{act:?} while {:?} are down", aurora.ours_down);
    let touched = aurora.touched(act);
    assert_eq!(touched, interruption.members.iter().cloned().collect(), "{act:?} in {topology:#?}");
    // Whoever restarts was announced, and no more than was announced happens.
    let known: BTreeSet<&String> = announced.iter().flat_map(|known| &known.members).collect();
    assert!(touched.iter().all(|member| known.contains(member)), "{act:?}: {announced:#?}");
    assert!(announced.iter().any(|known| known.impact >= interruption.impact), "{act:?}: {announced:#?}");
    // A reader is only taken down while another one, or the writer, serves.
    let serving =
        topology.members.iter().filter(|m| m.status == "available" || m.status == "storage-optimization");
    let others = serving.filter(|m| !touched.contains(&m.name)).count();
    let alone = topology.members.len() == 1
        || matches!(act, Act::Failover(_))
        || interruption.impact == Impact::Restart;
    assert!(others > 0 || alone, "{act:?} leaves nobody: {topology:#?}");
    if let Act::Failover(to) = act {
        let target = topology.members.iter().find(|member| member.name == *to).unwrap();
        let better = topology.members.iter().find(|other| {
            !other.writer && other.is_in_sync() && other.promotion_tier < target.promotion_tier
        });
        let back = interruption.why.contains("the spec wants it");
        assert!(better.is_none() || back, "{better:?} would be better than {target:?}");
    }
    if topology.global_cluster.is_some()
        && !["3.10.3", "8.4.7"].iter().any(|v| topology.engine_version.ends_with(v))
    {
        let of_writer = topology.members.iter().any(|m| m.writer && touched.contains(&m.name));
        assert!(!of_writer || interruption.impact == Impact::Restart && interruption.why.contains("world"));
    }
}

fn policy(rng: &mut Rng, aurora: &Aurora) -> Policy {
    let strategy = match rng.u8(..10) {
        0 => Strategy::Never,
        1 => Strategy::WriterOnly,
        2..5 => Strategy::Failover,
        _ => Strategy::Rolling,
    };
    let name = &aurora.topology.members[rng.usize(..aurora.topology.members.len())].name;
    let pins = matches!(strategy, Strategy::Rolling | Strategy::Failover) && rng.u8(..5) == 0;
    Policy { strategy, writer: pins.then(|| name.clone()), ..Policy::default() }
}

/// Every case ends: in-sync, or with a reason that is true.
#[test]
fn random_clusters_come_to_rest() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let only: Option<u64> = std::env::var_os("SEED").and_then(|text| text.to_str()?.parse().ok());
    for seed in only.map_or(0..CASES, |seed| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| {
            let mut rng = Rng::with_seed(seed);
            let mut aurora = Aurora::random(&mut rng);
            let policy = policy(&mut rng, &aurora);
            let interferences = if rng.bool() { rng.u32(1..6) } else { 0 };
            run(&mut aurora, &policy, interferences)
        });
        match outcome {
            Ok(end) => *ends.entry(format!("{end:?}")).or_default() += 1,
            Err(panic) => {
                println!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{CASES} cases: {ends:#?}");
    // The cases are not all of one sort.
    for end in
        ["InSync", "Left", "Stopped(\"failed-to-apply\")", "Stopped(\"stopped\")", "Stopped(\"person\")"]
    {
        assert!(only.is_some() || ends.get(end).is_some_and(|count| *count > 20), "{end}: {ends:#?}");
    }
}

/// Undisturbed, exactly what was announced happens, in that order.
#[test]
fn a_forecast_comes_true() {
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let mut aurora = Aurora::random(&mut rng);
        let policy = policy(&mut rng, &aurora);
        let calm = |m: &Member| {
            matches!(m.status.as_str(), "available" | "storage-optimization")
                && !m.reports().contains("applying")
        };
        if !aurora.topology.members.iter().all(calm) {
            continue;
        }
        let (announced, _) = forecast(&aurora.topology, &policy, Expected::AsTheyAre);
        let mut made = Vec::new();
        for _ in 0..LOOKS_MAX {
            match next(&aurora.topology, &policy) {
                Next::Done | Next::Stuck(_) => break,
                Next::Wait(_) => {}
                Next::Act(act, interruption) => {
                    // No failover fails here.
                    aurora.act(&act, true);
                    if let (Act::Failover(to), Some((_, writer))) = (&act, &mut aurora.cluster)
                        && writer.is_none()
                    {
                        *writer = Some(to.clone());
                        let names = aurora.touched(&act);
                        aurora.down(&names);
                    }
                    made.push(interruption);
                }
            }
            aurora.tick();
        }
        let stuck = matches!(next(&aurora.topology, &policy), Next::Stuck(_));
        assert!(stuck || made == announced, "seed {seed}: {made:#?}\n{announced:#?}");
    }
}
