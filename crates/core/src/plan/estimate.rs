//! How long a plan takes: what each step usually takes, and the way through them. Pure.
//!
//! Steps wait for each other and run side by side, so neither a sum nor the longest of them is the answer. A few hundred
//! runs are drawn instead, always the same ones: half of them are shorter than what is told as usual, one in ten takes
//! longer than the other figure.

use super::{Plan, Step};
use crate::base::{Change, Id, To};
use crate::members::Seconds;
use crate::resource::Action;
use std::collections::BTreeMap;

/// Runs that are drawn.
const RUNS: usize = 400;
/// Where the drawing begins; any number will do.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// Seconds that a step takes in the quickest tenth of all cases, in half of them, and in all but one tenth.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread(f64, f64, f64);

/// What AWS answers at once: a request, and a look at what came of it.
const QUICK: Spread = Spread(1.0, 2.0, 5.0);

/// Seconds that the steps of a plan take together; none where there is nothing to do.
pub fn estimate(plan: &Plan) -> Option<Seconds> {
    let steps: Vec<(&Step, Vec<Spread>)> = plan.work().map(|step| (step, spreads(step))).collect();
    if steps.is_empty() {
        return None;
    }
    let mut draw = Draw(SEED);
    let mut totals: Vec<f64> = (0..RUNS).map(|_| total(&steps, &mut draw)).collect();
    totals.sort_by(f64::total_cmp);
    // Seconds of a run are few enough for any integer.
    let at = |share: usize| totals.get(RUNS * share / 100).map_or(0, |seconds| seconds.ceil() as u64);
    Some(Seconds { usually: at(50), at_worst: at(90) })
}

/// Seconds until the last step of one run ends.
fn total(steps: &[(&Step, Vec<Spread>)], draw: &mut Draw) -> f64 {
    let mut ends: BTreeMap<&Id, f64> = BTreeMap::new();
    // When the last network interface goes that AWS keeps longer than what it was for.
    let mut released = 0.0f64;
    for (step, spreads) in steps {
        // A plan's steps stand in an order in which they could be carried out one by one.
        let mut begins = step.needs.iter().filter_map(|id| ends.get(id)).copied().fold(0.0, f64::max);
        if step.action == Action::Delete && matches!(step.id.kind, "security_group" | "subnet") {
            begins = begins.max(released);
        }
        let takes: f64 = spreads.iter().map(|spread| draw.seconds(*spread)).sum();
        if let Some(spread) = leaves_interface(step, steps) {
            released = released.max(begins + takes + draw.seconds(spread));
        }
        ends.insert(&step.id, begins + takes);
    }
    ends.values().copied().fold(0.0, f64::max)
}

/// How long AWS keeps the network interface of something that has been deleted, if it does: subnets and security groups
/// cannot go before it (fact book, table 8.2, "ENI release", and appendix E, item 7; for RDS where most cases lie is an
/// estimate). An interface endpoint's own deletion has it in it.
fn leaves_interface(step: &Step, steps: &[(&Step, Vec<Spread>)]) -> Option<Spread> {
    if step.action != Action::Delete {
        return None;
    }
    match step.id.kind {
        "instance" => Some(noticed(Spread(60.0, 180.0, 1200.0))),
        // One outside of the stack's network has no security group of its own.
        "notebook" => {
            let group = Id::new("security_group", "notebook");
            steps.iter().any(|(other, _)| other.id == group).then(|| noticed(Spread(60.0, 600.0, 2400.0)))
        }
        _ => None,
    }
}

/// What a step does one after the other, each with what it takes. The figures are those of the fact book, table 8.2;
/// where that has none it is said.
fn spreads(step: &Step) -> Vec<Spread> {
    if !step.interruptions.is_empty() {
        let restarts = step.interruptions.iter().map(|interruption| {
            let Seconds { usually, at_worst } = interruption.seconds;
            Spread(usually as f64 / 3.0, usually as f64, at_worst as f64)
        });
        // The lag before it shows, and until it is said to be in-sync.
        let shows = Spread(2.0, 15.0, 65.0);
        return restarts.flat_map(|restart| [restart, shows]).collect();
    }
    match step.action {
        Action::NoOp => Vec::new(),
        Action::Create | Action::Run => match step.id.kind {
            "autopilot_job" => searched(step),
            "tuning_job" => tuned(step),
            _ => vec![made(step)],
        },
        Action::Recreate => vec![gone(step), made(step)],
        Action::Update => vec![changed(step)],
        // What is on its way when the plan is made: nobody knows since when.
        Action::Recheck if step.id.kind == "instance" => vec![Spread(30.0, 200.0, 500.0)],
        Action::Recheck => vec![Spread(1.0, 20.0, 90.0)],
        Action::Delete => vec![gone(step)],
        // It goes with its parent, which takes the time.
        Action::Vanish | Action::Stop => vec![QUICK],
    }
}

fn made(step: &Step) -> Spread {
    match step.id.kind {
        "cluster" => Spread(35.0, 45.0, 90.0),
        "cluster_role" => Spread(10.0, 30.0, 90.0),
        // An estimate: what is in the file decides.
        "data_load" | "data_unload" => Spread(3.0, 10.0, 60.0),
        "endpoint" if is_true(step, "serverless") => Spread(60.0, 150.0, 240.0),
        "endpoint" => Spread(180.0, 300.0, 600.0),
        "group_attachment" => Spread(10.0, 40.0, 90.0),
        "instance" => noticed(Spread(330.0, 420.0, 720.0)),
        "nat_gateway" => Spread(95.0, 106.0, 125.0),
        "notebook" => Spread(120.0, 210.0, 330.0),
        // Until members are said to be in-sync, and the looks that make it certain.
        "parameter_sync" => Spread(15.0, 40.0, 90.0),
        // Of a role, until services can use it.
        "role" => Spread(5.0, 12.0, 40.0),
        // What a template makes decides; the stacks of tutorials take a few minutes (an estimate).
        "stack" => Spread(30.0, 180.0, 900.0),
        "training_job" => TRAINING,
        "vpc_endpoint" if !is_true(step, "gateway") => Spread(40.0, 90.0, 180.0),
        _ => QUICK,
    }
}

/// A training job on rows such as those of the examples.
const TRAINING: Spread = Spread(150.0, 210.0, 300.0);
/// An Autopilot job with as many candidates as it likes.
const AUTOPILOT: Spread = Spread(1800.0, 5400.0, 10_800.0);
/// Candidates that an Autopilot job trains side by side (an estimate).
const CANDIDATES_AT_ONCE: u64 = 5;
/// Jobs one after the other that are drawn one by one; more of them are as long as these times their number.
const ROUNDS_MAX: u64 = 40;

/// Training jobs, so many at once.
fn tuned(step: &Step) -> Vec<Spread> {
    let (jobs, parallel) = (number(step, "jobs").unwrap_or(10), number(step, "parallel").unwrap_or(2).max(1));
    rounds(jobs.div_ceil(parallel), TRAINING)
}

/// What looks at the rows, trains candidates and explains the best: table 8.2 has the whole of it, and the parts are an
/// estimate. Nothing goes on for longer than the spec lets it.
fn searched(step: &Step) -> Vec<Spread> {
    let Some(candidates) = number(step, "max_candidates") else { return vec![within(step, AUTOPILOT)] };
    let mut parts = vec![Spread(30.0, 60.0, 120.0), Spread(240.0, 420.0, 700.0)];
    parts.extend(rounds(candidates.div_ceil(CANDIDATES_AT_ONCE), Spread(120.0, 180.0, 300.0)));
    parts.extend([Spread(120.0, 240.0, 420.0), Spread(60.0, 120.0, 240.0)]);
    let sum = |part: fn(&Spread) -> f64| parts.iter().map(part).sum();
    match within(step, Spread(sum(|p| p.0), sum(|p| p.1), sum(|p| p.2))) {
        whole if whole.1 < sum(|p| p.1) => vec![whole],
        _ => parts,
    }
}

/// The same spread so many times.
fn rounds(count: u64, Spread(p10, p50, p90): Spread) -> Vec<Spread> {
    let drawn = count.clamp(1, ROUNDS_MAX);
    let longer = count.max(1) as f64 / drawn as f64;
    (0..drawn).map(|_| Spread(p10 * longer, p50 * longer, p90 * longer)).collect()
}

/// No longer than the spec lets it run.
fn within(step: &Step, Spread(p10, p50, p90): Spread) -> Spread {
    let limit = number(step, "max_runtime_seconds").map_or(f64::MAX, |seconds| seconds as f64);
    Spread(p10.min(limit), p50.min(limit), p90.min(limit))
}

/// With the time until it is looked at again: a tenth of what AWS needs passes between two looks.
fn noticed(Spread(p10, p50, p90): Spread) -> Spread {
    Spread(p10 * 1.05, p50 * 1.08, p90 * 1.1)
}

fn changed(step: &Step) -> Spread {
    let only_tags = step.changes.iter().all(|change| change.concerns("tags"));
    match step.id.kind {
        _ if only_tags && !step.changes.is_empty() => QUICK,
        // Stopped and started: a pause, and what ends it.
        "cluster" if sets(step, "running", false) => Spread(180.0, 400.0, 900.0),
        "cluster" if sets(step, "running", true) => Spread(300.0, 600.0, 1500.0),
        "cluster" | "group_attachment" => Spread(10.0, 40.0, 90.0),
        "endpoint" => Spread(240.0, 420.0, 720.0),
        "instance" => Spread(60.0, 180.0, 600.0),
        "notebook" if sets(step, "running", false) => Spread(60.0, 110.0, 240.0),
        "notebook" if sets(step, "running", true) => Spread(120.0, 210.0, 330.0),
        // Stopped for it, and started again.
        "notebook" => Spread(180.0, 320.0, 570.0),
        "stack" => Spread(30.0, 180.0, 900.0),
        _ => QUICK,
    }
}

fn gone(step: &Step) -> Spread {
    match step.id.kind {
        "cluster" => Spread(30.0, 90.0, 240.0),
        "cluster_role" => Spread(3.0, 10.0, 40.0),
        "endpoint" => Spread(5.0, 20.0, 90.0),
        // The cluster gets its own group back.
        "group_attachment" => Spread(10.0, 40.0, 90.0),
        "instance" => Spread(180.0, 400.0, 600.0),
        "nat_gateway" => Spread(40.0, 60.0, 120.0),
        // Stopped, then deleted.
        "notebook" => Spread(80.0, 170.0, 390.0),
        "stack" => Spread(30.0, 180.0, 900.0),
        "vpc_endpoint" => Spread(60.0, 150.0, 400.0),
        _ => QUICK,
    }
}

fn to(change: &Change) -> &serde_json::Value {
    let (To::Value(value) | To::KnownAfterApply(value)) = &change.to;
    value
}

/// A number that a step sets.
fn number(step: &Step, path: &str) -> Option<u64> {
    step.changes.iter().find(|change| change.path == path).and_then(|change| to(change).as_u64())
}

fn sets(step: &Step, path: &str, value: bool) -> bool {
    step.changes.iter().any(|change| change.path == path && *to(change) == value)
}

fn is_true(step: &Step, path: &str) -> bool {
    sets(step, path, true)
}

/// The same numbers in each process: an estimate that is another one each time could not be compared.
struct Draw(u64);

impl Draw {
    /// In `[0, 1)` (xorshift; Marsaglia 2003).
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Log-linear through the three points and beyond them: times at AWS have a long tail.
    fn seconds(&mut self, Spread(p10, p50, p90): Spread) -> f64 {
        let drawn = self.unit();
        let [low, middle, high] = [p10, p50, p90].map(|seconds| seconds.max(0.05).ln());
        let (from, by, to) = match drawn < 0.5 {
            true => (low, (drawn - 0.1) / 0.4, middle),
            false => (middle, (drawn - 0.5) / 0.4, high),
        };
        (from + by * (to - from)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and name of a step, and of what it waits for.
    type Named<'a> = (&'static str, &'a str, &'a [(&'static str, &'a str)]);

    fn plan(steps: &[Named<'_>]) -> Plan {
        let steps = steps.iter().map(|(kind, name, needs)| Step {
            needs: needs.iter().map(|(kind, name)| Id::new(kind, *name)).collect(),
            ..Step::new(Id::new(kind, *name), Action::Create)
        });
        Plan { steps: steps.collect(), ..Plan::default() }
    }

    #[test]
    fn steps_run_side_by_side_and_one_after_the_other() {
        assert_eq!(estimate(&Plan::default()), None);
        let alone = estimate(&plan(&[("nat_gateway", "a", &[])])).unwrap();
        assert!((104..109).contains(&alone.usually) && (122..130).contains(&alone.at_worst), "{alone:?}");
        let beside = estimate(&plan(&[("nat_gateway", "a", &[]), ("nat_gateway", "b", &[])])).unwrap();
        assert!((alone.usually..alone.usually + 12).contains(&beside.usually), "{beside:?}");
        let behind =
            estimate(&plan(&[("nat_gateway", "a", &[]), ("nat_gateway", "b", &[("nat_gateway", "a")])]))
                .unwrap();
        assert!((205..225).contains(&behind.usually) && behind.at_worst > behind.usually, "{behind:?}");
        assert_eq!(estimate(&plan(&[("nat_gateway", "a", &[])])), Some(alone), "the same each time");
    }

    /// A security group waits for the interfaces that AWS keeps for a while, whatever it needs itself.
    #[test]
    fn what_aws_keeps_is_waited_for() {
        let deleted = |steps: &[Named<'_>]| {
            let mut plan = plan(steps);
            plan.steps.iter_mut().for_each(|step| step.action = Action::Delete);
            estimate(&plan).unwrap()
        };
        let instance = deleted(&[("instance", "1", &[])]);
        let with_group = deleted(&[("instance", "1", &[]), ("security_group", "aurora", &[])]);
        assert!(with_group.usually > instance.usually + 150, "{instance:?} {with_group:?}");
        let notebook = deleted(&[("notebook", "main", &[]), ("subnet", "a", &[])]);
        let inside =
            deleted(&[("notebook", "main", &[]), ("security_group", "notebook", &[]), ("subnet", "a", &[])]);
        assert!(inside.usually > notebook.usually + 500, "{notebook:?} {inside:?}");
        let before = deleted(&[("security_group", "aurora", &[]), ("instance", "1", &[])]);
        assert!(before.usually < instance.usually + 30, "what goes first waits for nothing: {before:?}");
    }
}
