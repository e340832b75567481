//! Who is interrupted, when, and with whose leave: plans of a dozen clusters as a person reads them, and runs
//! of all strategies against the sandbox, undisturbed and among others who work on the same cluster.

use crate::harness::{Account, Recorder, spec, spec_file};
use crate::support::golden_at;
use auroraml::aws::{simulated_config, simulated_config_as};
use auroraml::run::reconcile::{Outcome, PrepareError};
use auroraml_core::engine::AURORA_MYSQL;
use auroraml_core::events::Event;
use auroraml_core::members::Impact;
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::Plan;
use auroraml_core::render::{self, Subject};
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::rds::Rds;
use aws_sdk_rds::Client;
use fastrand::Rng;
use std::sync::Arc;
use std::time::Duration;

const REGION: &str = "us-east-1";

/// `orders`, a cluster of others, and a spec that adds Comprehend to it.
struct Orders {
    account: Account,
    client: Client,
    spec: Spec,
}

/// What `orders` is like.
struct Shape<'a> {
    members: &'a [(&'a str, i32)],
    version: &'a str,
    /// Which group it has: `None` for the default one.
    group: Option<&'a str>,
    restart: &'a str,
}

const LARGE: (&str, i32) = ("db.r6g.large", 1);
const NEW: Shape<'static> =
    Shape { members: &[LARGE, LARGE], version: "8.0.mysql_aurora.3.10.3", group: None, restart: "rolling" };

impl Orders {
    async fn new(seed: u64, mood: Mood, shape: Shape<'_>) -> Orders {
        let account = Account::new(seed, mood);
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let client = Client::new(&simulated_config_as("AKIDSOMEBODYELSE", REGION, http, &clock));
        let orders = Orders { spec: with_restart(shape.restart), account, client };
        orders.region(|rds| rds.lenient = true);
        if let Some(group) = shape.group {
            let family = format!("aurora-mysql{}", &shape.version[..3]);
            let make = orders.client.create_db_cluster_parameter_group().description("theirs");
            make.db_cluster_parameter_group_name(group)
                .db_parameter_group_family(family)
                .send()
                .await
                .unwrap();
        }
        orders.make("orders", &shape).await;
        orders.region(|rds| rds.lenient = false);
        orders
    }

    async fn make(&self, name: &str, shape: &Shape<'_>) {
        let cluster = self.client.create_db_cluster().db_cluster_identifier(name).engine("aurora-mysql");
        let cluster = cluster.engine_version(shape.version).master_username("admin");
        let cluster = cluster.manage_master_user_password(true);
        let cluster = cluster.set_db_cluster_parameter_group_name(shape.group.map(String::from));
        let serverless = shape.members.iter().any(|(class, _)| *class == "db.serverless");
        let range = aws_sdk_rds::types::ServerlessV2ScalingConfiguration::builder().min_capacity(0.0);
        let range = serverless.then(|| range.max_capacity(4.0).build());
        cluster.set_serverless_v2_scaling_configuration(range).send().await.unwrap();
        self.wait(300).await;
        for (n, (class, tier)) in shape.members.iter().enumerate() {
            self.add(name, &format!("{name}-{}", n + 1), class, *tier).await;
            // The first to come up is the writer.
            self.wait(if n == 0 { 1800 } else { 1 }).await;
        }
        self.wait(3600).await;
        // A member that joins can come up pending-reboot.
        for n in 1..=shape.members.len() {
            self.client
                .reboot_db_instance()
                .db_instance_identifier(format!("{name}-{n}"))
                .send()
                .await
                .unwrap();
            self.wait(600).await;
        }
    }

    async fn add(&self, cluster: &str, name: &str, class: &str, tier: i32) {
        let make = self.client.create_db_instance().db_instance_identifier(name).engine("aurora-mysql");
        make.db_cluster_identifier(cluster)
            .db_instance_class(class)
            .promotion_tier(tier)
            .send()
            .await
            .unwrap();
    }

    fn region<T>(&self, change: impl FnOnce(&mut Rds) -> T) -> T {
        self.account.sandbox.with(|world| change(&mut world.regions.entry(REGION.into()).or_default().rds))
    }

    /// AWS calls the role parameters static, as it may (fact book, section 1.3).
    fn make_static(&self) {
        let all = AURORA_MYSQL.abilities.iter().filter_map(|ability| ability.wiring.parameter());
        let types = all.map(|name| (name.to_string(), "static".to_string())).collect();
        self.region(|rds| rds.apply_types = types);
    }

    async fn wait(&self, seconds: u64) {
        self.account.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    fn now(&self) -> u64 {
        self.account.sandbox.clock().now_ms()
    }

    /// Waits for a day and hour of the week.
    async fn wait_until(&self, weekday: jiff::civil::Weekday, hour: i8) {
        loop {
            let now = jiff::Timestamp::from_millisecond(self.now() as i64).unwrap();
            let now = now.to_zoned(jiff::tz::TimeZone::UTC);
            if now.weekday() == weekday && now.hour() == hour {
                return;
            }
            self.wait(1800).await;
        }
    }

    fn subject(&self, destroy: bool, allow: Impact) -> Subject {
        let (stack, account) = ("shop".to_string(), "111122223333".to_string());
        Subject { stack, account, region: REGION.into(), destroy, allow, allow_is_final: false }
    }

    async fn golden(&self, name: &str) {
        Box::pin(self.golden_of(name, Intent::Apply.into(), Impact::Readers)).await;
    }

    async fn golden_of(&self, name: &str, order: Order, allow: Impact) {
        let plan = Box::pin(self.account.prepare(&self.spec, order)).await.unwrap().plan;
        let subject = self.subject(order.intent != Intent::Apply, allow);
        let text = render::text::plan(&subject, &plan);
        let text = anstream::adapter::strip_str(&text).to_string();
        golden_at(&format!("tests/data/plans/{name}.txt"), &text);
        // Who reads the plan in a pull request learns the same.
        let markdown = render::markdown::plan(&subject, &plan);
        let plain = |text: &str| text.replace(['\\', '*'], "");
        for interruption in plan.interruptions() {
            assert!(plain(&markdown).contains(&interruption.what), "{markdown}");
        }
    }

    async fn run(&self, order: impl Into<Order>) -> (Outcome, Arc<Recorder>) {
        let recorder = Arc::new(Recorder::default());
        (Box::pin(self.account.run(&self.spec, order, recorder.clone())).await, recorder)
    }

    async fn pending(&self) -> Vec<String> {
        let found = self.client.describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
        let members = found.db_clusters()[0].db_cluster_members().iter();
        let pending = members.filter(|m| m.db_cluster_parameter_group_status() != Some("in-sync"));
        pending.map(|m| m.db_instance_identifier().unwrap().to_string()).collect()
    }

    /// What interrupted the members of `orders` in this run, without what others did.
    fn ours(&self) -> Vec<String> {
        let all = self.account.interruptions(&self.spec);
        let ours = all.into_iter().filter(|met| met.caller == "AKIDSANDBOX" && met.until > met.at);
        ours.map(|met| format!("{} {}", met.cause, met.member)).collect()
    }
}

fn with_restart(restart: &str) -> Spec {
    spec(&format!(
        "stack: shop\nregion: {REGION}\naurora: {{ existing: orders, restart: {restart} }}\nmachine_learning: {{ comprehend: true }}\n"
    ))
}

fn interruptions(plan: &Plan) -> Vec<String> {
    plan.interruptions().map(|interruption| interruption.what.clone()).collect()
}

const NOW: Order =
    Order { intent: Intent::Apply, now: true, accept_pending: false, reviewed: false, wake: true };
const DESTROY: Intent = Intent::Destroy { unprotect: false };

/// Plans of many clusters, as `auroraml plan` prints them.
#[tokio::test(start_paused = true)]
async fn golden_plans() {
    // On the heap: the SDK's futures are large.
    let calm = |shape| Box::pin(Orders::new(1, Mood::Calm, shape));
    calm(Shape { members: &[LARGE], ..NEW }).await.golden("one-member").await;
    let two = calm(NEW).await;
    two.golden("two-members").await;
    two.golden_of("two-members-allowed", Intent::Apply.into(), Impact::Failover).await;
    let mixed = &[LARGE, ("db.r6g.large", 2), ("db.r6g.xlarge", 0), ("db.r6g.4xlarge", 0)];
    calm(Shape { members: mixed, ..NEW }).await.golden("four-members-of-three-classes").await;
    calm(Shape { group: Some("production"), ..NEW }).await.golden("own-group-dynamic").await;
    let fixed = calm(Shape { group: Some("production"), ..NEW }).await;
    fixed.make_static();
    fixed.golden("own-group-static").await;
    let shared = calm(Shape { group: Some("production"), ..NEW }).await;
    shared.region(|rds| rds.lenient = true);
    shared.make("billing", &Shape { group: Some("production"), ..NEW }).await;
    shared.golden("shared-group").await;
    calm(Shape { restart: "failover", ..NEW }).await.golden("strategy-failover").await;
    calm(Shape { restart: "writer_only", ..NEW }).await.golden("strategy-writer-only").await;
    calm(Shape { restart: "never", ..NEW }).await.golden("strategy-never").await;
    let window = "{ allow: failover, window: \"sun:03:00-sun:05:00\" }";
    let windowed = calm(Shape { restart: window, ..NEW }).await;
    windowed.golden("window-closed").await;
    windowed.golden_of("window-closed-now", NOW, Impact::Failover).await;
    calm(Shape { restart: "{ writer: orders-1 }", ..NEW }).await.golden("writer-brought-back").await;
    let old = Shape { members: &[LARGE, LARGE, LARGE], version: "5.7.mysql_aurora.2.09.3", ..NEW };
    calm(old).await.golden("below-2.10").await;
    let global = calm(Shape { version: "8.0.mysql_aurora.3.05.2", ..NEW }).await;
    let make = global.client.create_global_cluster().global_cluster_identifier("world");
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:orders";
    make.source_db_cluster_identifier(arn).send().await.unwrap();
    global.wait(600).await;
    global.golden("global-database-below-3.06").await;
    calm(Shape { members: &[("db.serverless", 1)], ..NEW }).await.golden("paused-serverless").await;
}

/// The published mistake: the group is attached, and nobody ever rebooted. And a plan for giving it back.
#[tokio::test(start_paused = true)]
async fn golden_plans_of_later_days() {
    let orders = Orders::new(1, Mood::Calm, Shape { restart: "never", ..NEW }).await;
    let (outcome, _) = orders.run(Intent::Apply).await;
    assert!(outcome.is_complete() && outcome.remaining.held().count() == 1, "{:?}", outcome.remaining);
    orders.wait(300).await;
    orders.golden("never-rebooted-and-never-will").await;
    let orders = Orders { spec: with_restart("rolling"), ..orders };
    orders.golden("attached-and-never-rebooted").await;
    orders.account.apply(&orders.spec).await;
    orders.golden("nothing-to-do").await;
    orders.golden_of("given-back", DESTROY.into(), Impact::Failover).await;
}

/// Every strategy in a lively world, with parameters that AWS calls static: what was announced happens.
#[tokio::test(start_paused = true)]
async fn every_strategy() {
    for (seed, strategy, expected) in [
        (21, "rolling", 0),
        (22, "failover", 0),
        (23, "writer_only", 2),
        (24, "never", 3),
        (25, "{ strategy: rolling, writer: orders-1 }", 0),
    ] {
        let members = &[LARGE, ("db.r6g.large", 0), ("db.r6g.large", 2)];
        let shape = Shape { members, restart: strategy, group: Some("production"), ..NEW };
        let orders = Orders::new(seed, Mood::Real, shape).await;
        orders.make_static();
        let before = orders.ours().len();
        let (outcome, recorder) = orders.run(Intent::Apply).await;
        assert!(outcome.is_complete(), "{strategy}: {:#?}\n{}", outcome.reports, recorder.text());
        orders.wait(120).await;
        assert_eq!(orders.pending().await.len(), expected, "{strategy}");
        assert_eq!(outcome.remaining.held().count(), usize::from(expected > 0), "{strategy}");
        let met = orders.ours().split_off(before);
        println!("{strategy}: {met:?}");
        match strategy {
            "never" => assert!(met.is_empty()),
            "writer_only" => assert_eq!(met, ["RebootDBInstance orders-1"]),
            "failover" => assert_eq!(met.iter().filter(|m| m.starts_with("Failover")).count(), 2),
            "rolling" => assert_eq!(met[..2], ["RebootDBInstance orders-3", "RebootDBInstance orders-2"]),
            _ => {
                let found = orders.client.describe_db_clusters().send().await.unwrap();
                let members = found.db_clusters()[0].db_cluster_members();
                let writer = members.iter().find(|m| m.is_cluster_writer() == Some(true)).unwrap();
                assert_eq!(writer.db_instance_identifier(), Some("orders-1"));
            }
        }
        let events = recorder.0.lock().unwrap().clone();
        let told = events.iter().filter(|(_, event)| matches!(event, Event::Interrupted { .. })).count();
        let requests = met.iter().filter(|met| met.starts_with("Reboot")).count()
            + met.iter().filter(|met| met.starts_with("Failover")).count() / 2;
        assert!(told >= requests, "{strategy}: {told} told of {requests}");
        orders.account.assert_settled(&orders.spec, Intent::Apply).await;
    }
}

/// Dynamic parameters in a group that only this cluster has: in-sync without any restart.
#[tokio::test(start_paused = true)]
async fn dynamic_parameters_need_no_restart() {
    let orders = Orders::new(5, Mood::Real, Shape { group: Some("production"), ..NEW }).await;
    assert_eq!(interruptions(&orders.account.plan(&orders.spec).await), Vec::<String>::new());
    orders.account.apply(&orders.spec).await;
    orders.account.destroy(&orders.spec).await;
    assert_eq!(orders.ours(), Vec::<String>::new());
}

/// Outside of its window an interruption is held; in it, or with `--now`, it is made.
#[tokio::test(start_paused = true)]
async fn a_window_holds_interruptions() {
    let restart = "{ window: \"sun:03:00-sun:05:00\" }";
    for now in [false, true] {
        let orders = Orders::new(6, Mood::Real, Shape { restart, ..NEW }).await;
        orders.wait_until(jiff::civil::Weekday::Friday, 12).await;
        let (outcome, _) = orders.run(Intent::Apply).await;
        assert!(outcome.is_complete());
        orders.wait(120).await;
        assert_eq!(orders.pending().await.len(), 2);
        let held: Vec<_> = outcome.remaining.held().map(|step| step.held.clone().unwrap()).collect();
        assert!(held[0].contains("it opens at ") && held[0].contains("T03:00:00Z"), "{held:?}");
        assert_eq!(orders.ours(), Vec::<String>::new());
        if !now {
            orders.wait_until(jiff::civil::Weekday::Sunday, 3).await;
        }
        let (outcome, _) = orders.run(Order { now, ..Intent::Apply.into() }).await;
        assert!(outcome.is_complete() && outcome.remaining.held().next().is_none(), "{:#?}", outcome.reports);
        assert_eq!(orders.pending().await, Vec::<String>::new());
        // Given back outside of the window: the roles stay until members have restarted, unless that is accepted.
        orders.wait_until(jiff::civil::Weekday::Friday, 12).await;
        let (outcome, _) = orders.run(DESTROY).await;
        let held: Vec<String> = outcome.remaining.held().map(|step| step.id.to_string()).collect();
        let roles_and_group =
            ["parameter_sync.main", "cluster_role.comprehend", "parameter_group.main", "role.comprehend"];
        assert_eq!(held, roles_and_group, "{:#?}", outcome.reports);
        let accepting = Order { accept_pending: true, ..DESTROY.into() };
        let (outcome, _) = orders.run(accepting).await;
        assert!(outcome.is_complete());
        assert_eq!(orders.account.traces(&orders.spec), Vec::<String>::new());
    }
}

/// The same where a static parameter changes in a group that is attached: AWS says `applying` first.
#[tokio::test(start_paused = true)]
async fn what_turns_out_to_need_a_restart_is_held() {
    for (seed, restart) in
        (30..36).flat_map(|seed| [(seed, "{ window: \"sun:03:00-sun:05:00\" }"), (seed, "never")])
    {
        let shape = Shape { restart, group: Some("production"), ..NEW };
        let orders = Orders::new(seed, Mood::Real, shape).await;
        orders.make_static();
        orders.wait_until(jiff::civil::Weekday::Friday, 12).await;
        // AWS notices late, so that the plan is made from what was.
        orders.region(|rds| rds.late_ms = 8_000);
        let (outcome, recorder) = orders.run(Intent::Apply).await;
        assert!(outcome.is_complete(), "{restart}: {:#?}\n{}", outcome.reports, recorder.text());
        orders.wait(300).await;
        assert_eq!(orders.pending().await.len(), 2);
        assert_eq!(orders.ours(), Vec::<String>::new());
        let plan = orders.account.plan(&orders.spec).await;
        assert!(plan.is_empty() && plan.held().count() == 1, "{plan:?}");
    }
}

/// A window that opens while the rest is done: nobody has agreed to what it would let through.
#[tokio::test(start_paused = true)]
async fn a_window_that_opens_in_mid_way() {
    let restart = "{ window: \"sun:03:00-sun:05:00\" }";
    let orders = Orders::new(15, Mood::Real, Shape { restart, ..NEW }).await;
    orders.wait_until(jiff::civil::Weekday::Sunday, 2).await;
    while orders.now() / 1000 % 3600 < 3590 {
        orders.wait(1).await;
    }
    let (outcome, recorder) = orders.run(Intent::Apply).await;
    assert!(!outcome.is_complete() && outcome.remaining.interruptions().count() == 2, "{}", recorder.text());
    assert!(outcome.reports.iter().all(|report| report.is_complete()), "{:#?}", outcome.reports);
    assert_eq!(orders.ours(), Vec::<String>::new());
    orders.account.apply(&orders.spec).await;
}

/// A window that closes while members are still pending ends the run; the next window finishes it.
#[tokio::test(start_paused = true)]
async fn a_window_that_closes_in_mid_way() {
    let members = &[LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE];
    let restart = "{ window: \"03:00-03:30\" }";
    let orders = Orders::new(7, Mood::Real, Shape { members, restart, ..NEW }).await;
    orders.wait_until(jiff::civil::Weekday::Friday, 3).await;
    // Not at the start of the window, so that it cannot be enough.
    while orders.now() / 1000 % 3600 < 1200 {
        orders.wait(60).await;
    }
    let (outcome, _) = orders.run(Intent::Apply).await;
    let failed: Vec<String> =
        outcome.reports.iter().flat_map(|r| &r.failed).map(|(_, failure)| failure.to_string()).collect();
    assert!(failed[0].contains("the window of the spec has closed"), "{failed:?}");
    let done = 8 - orders.pending().await.len();
    assert!(done > 0 && done < 8, "{done} members restarted");
    orders.wait_until(jiff::civil::Weekday::Saturday, 3).await;
    let (outcome, _) = orders.run(Intent::Apply).await;
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    assert_eq!(orders.pending().await, Vec::<String>::new());
}

/// A laptop that sleeps through the rest of its window does not wake up and go on.
#[tokio::test(start_paused = true)]
async fn a_window_that_closes_while_the_machine_sleeps() {
    let members = &[LARGE, LARGE, LARGE];
    let restart = "{ allow: failover, window: \"03:00-05:00\" }";
    let orders = Orders::new(7, Mood::Calm, Shape { members, restart, ..NEW }).await;
    orders.wait_until(jiff::civil::Weekday::Friday, 3).await;
    let asleep = async {
        // One member restarts.
        orders.wait(120).await;
        orders.account.sandbox.clock().suspend(Duration::from_secs(6 * 3600));
    };
    let (outcome, _) = tokio::join!(Box::pin(orders.run(Intent::Apply)), asleep).0;
    let failed: Vec<String> =
        outcome.reports.iter().flat_map(|r| &r.failed).map(|(_, failure)| failure.to_string()).collect();
    assert!(failed[0].contains("the window of the spec has closed"), "{failed:?}");
    assert_eq!(orders.ours(), ["RebootDBInstance orders-3"]);
    assert_eq!(orders.pending().await.len(), 2);
}

/// A reader is removed and a static parameter changes: the reader goes first, and is listed first.
#[tokio::test(start_paused = true)]
async fn interruptions_are_listed_as_they_happen() {
    let text = spec_file("production.yaml");
    let account = Account::new(13, Mood::Calm);
    account.apply(&spec(&text)).await;
    let reader = "    - { class: db.r6g.large, promotion_tier: 15 }   # for reports\n";
    let changed = text.replace(reader, "").replace("server_audit_logging: 1", "binlog_format: ROW");
    let plan = account.plan(&spec(&changed)).await;
    crate::harness::assert_in_order(&plan);
    let told = interruptions(&plan);
    assert!(told[0].starts_with("delete reader production-3"), "{told:?}");
    assert!(told[1].starts_with("restart reader production-2"), "{told:?}");
    assert!(told[2].starts_with("fail over from production-1"), "{told:?}");
    let recorder = account.apply(&spec(&changed)).await;
    let events = recorder.0.lock().unwrap().clone();
    let met = events.into_iter().filter_map(|(_, event)| match event {
        Event::Interrupted { interruption, .. } => Some(interruption.what),
        _ => None,
    });
    assert_eq!(met.collect::<Vec<_>>(), told);
}

/// Failovers that AWS accepts and does not make: tried again, then given up with AWS's own words.
#[tokio::test(start_paused = true)]
async fn failovers_that_fail() {
    let orders = Orders::new(8, Mood::Calm, NEW).await;
    orders.region(|rds| rds.failing_failovers = 2);
    orders.account.apply(&orders.spec).await;
    orders.account.destroy(&orders.spec).await;
    orders.region(|rds| rds.failing_failovers = 100);
    let (outcome, _) = orders.run(Intent::Apply).await;
    let failed = outcome.reports[0].failed[0].1.to_string();
    assert!(failed.contains("AWS accepted 3 times to fail over from orders-"), "{failed}");
    assert!(failed.contains("AWS reported: ") && failed.contains("failover failed"), "{failed}");
    orders.region(|rds| rds.failing_failovers = 0);
    orders.account.apply(&orders.spec).await;
}

/// A failover that AWS refuses, in a global database whose other clusters would restart with it: what is announced as
/// a restart is made as soon as AWS lets it, and nothing else in its place; if it never does, that is told in AWS's words.
#[tokio::test(start_paused = true)]
async fn failovers_that_are_refused() {
    let shape = Shape { version: "8.0.mysql_aurora.3.05.2", ..NEW };
    let orders = Orders::new(8, Mood::Calm, shape).await;
    let make = orders.client.create_global_cluster().global_cluster_identifier("world");
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:orders";
    make.source_db_cluster_identifier(arn).send().await.unwrap();
    orders.wait(600).await;
    let plan = orders.account.plan(&orders.spec).await;
    let impacts: Vec<Impact> = plan.interruptions().map(|interruption| interruption.impact).collect();
    assert_eq!(impacts, [Impact::Readers, Impact::Restart]);
    let until = orders.now() + 24 * 3_600_000;
    orders.region(|rds| rds.failovers_refused_until = until);
    let (outcome, recorder) = orders.run(Intent::Apply).await;
    assert!(!outcome.is_complete(), "{}", recorder.text());
    let failed = outcome.reports[0].failed[0].1.to_string();
    assert!(failed.contains("FailoverDBCluster") && failed.contains("cannot fail over"), "{failed}");
    assert!(orders.now() < until, "not for ever");
    // The reader has restarted; the writer was neither failed over nor restarted in place.
    assert_eq!(orders.ours(), ["RebootDBInstance orders-2"]);
    assert_eq!(orders.pending().await, ["orders-1"]);
    // For a while only: it is asked for again.
    let until = orders.now() + 600_000;
    orders.region(|rds| rds.failovers_refused_until = until);
    let (outcome, recorder) = orders.run(Intent::Apply).await;
    assert!(outcome.is_complete() && orders.now() >= until, "{:#?}\n{}", outcome.reports, recorder.text());
    assert_eq!(orders.pending().await, Vec::<String>::new());
    orders.account.assert_settled(&orders.spec, Intent::Apply).await;
}

/// A value that the engine does not take is no reason to restart anybody.
#[tokio::test(start_paused = true)]
async fn failed_to_apply_stops_everything() {
    let orders = Orders::new(9, Mood::Calm, Shape { restart: "never", ..NEW }).await;
    drop(orders.run(Intent::Apply).await);
    let orders = Orders { spec: with_restart("rolling"), ..orders };
    orders.region(|rds| rds.fail_to_apply("orders-2"));
    let (outcome, _) = orders.run(Intent::Apply).await;
    let failed = outcome.reports[0].failed[0].1.to_string();
    assert!(failed.contains("orders-2 reports failed-to-apply"), "{failed}");
    assert_eq!(orders.ours(), Vec::<String>::new());
}

/// Somebody else fails over, reboots, adds, deletes, stops and starts while auroraml is at work. Whatever comes
/// of it, nobody is interrupted unannounced (the harness sees to that), and in the end all are in-sync.
#[tokio::test(start_paused = true)]
async fn others_at_work() {
    let (mut rounds, mut reasons) = (0, Vec::new());
    for seed in 0..40 {
        let members = &[LARGE, ("db.r6g.large", 0), ("db.r6g.xlarge", 1), LARGE];
        let orders = Orders::new(seed, Mood::Real, Shape { members, ..NEW }).await;
        let mut rng = Rng::with_seed(seed);
        for round in 0.. {
            assert!(round < 8, "seed {seed}: no end");
            rounds += 1;
            let others = async {
                if round < 3 {
                    interfere(&orders, &mut rng).await;
                }
            };
            let recorder = Arc::new(Recorder::default());
            let run = Box::pin(orders.account.try_run(&orders.spec, Intent::Apply, recorder.clone()));
            let outcome = match tokio::join!(run, others).0 {
                Ok(outcome) => outcome,
                Err(PrepareError::Preflight(problems)) => {
                    assert!(problems[0].why.contains("stopped"), "seed {seed}: {problems:?}");
                    orders.wait(1200).await;
                    orders.client.start_db_cluster().db_cluster_identifier("orders").send().await.unwrap();
                    orders.wait(3000).await;
                    continue;
                }
                Err(PrepareError::Bug(why)) => panic!("seed {seed}: {why}"),
                Err(PrepareError::Aws(failure)) => panic!("seed {seed}: {failure}"),
            };
            if outcome.is_complete() {
                if round >= 3 {
                    break;
                }
                // What others began just before the end of the run.
                orders.wait(1200).await;
                continue;
            }
            let failed = outcome.reports.iter().flat_map(|report| &report.failed);
            let failed: Vec<String> = failed.map(|(_, failure)| failure.to_string()).collect();
            assert!(!failed.is_empty(), "seed {seed}: {:#?}\n{}", outcome.reports, recorder.text());
            reasons.extend(failed);
            orders.wait(1200).await;
        }
        orders.wait(300).await;
        assert_eq!(orders.pending().await, Vec::<String>::new(), "seed {seed}");
        orders.account.assert_settled(&orders.spec, Intent::Apply).await;
    }
    reasons.sort();
    reasons.dedup();
    println!("{rounds} runs; stopped for: {reasons:#?}");
}

async fn interfere(orders: &Orders, rng: &mut Rng) {
    let client = &orders.client;
    for n in 0..rng.usize(1..4) {
        orders.wait(rng.u64(10..400)).await;
        let name = format!("orders-{}", rng.usize(1..=4));
        let from = orders.now() + 1_000;
        // Whether AWS takes it depends on what is going on.
        match rng.u8(..8) {
            0 => drop(client.reboot_db_instance().db_instance_identifier(&name).send().await),
            1 | 2 => drop(client.failover_db_cluster().db_cluster_identifier("orders").send().await),
            3 => {
                let make =
                    client.create_db_instance().db_instance_identifier(format!("added-{n}-{}", rng.u16(..)));
                let make = make.engine("aurora-mysql").db_cluster_identifier("orders");
                drop(make.db_instance_class("db.r6g.large").send().await);
            }
            4 if n == 0 => drop(client.delete_db_instance().db_instance_identifier(&name).send().await),
            5 => {
                let status = ["backing-up", "maintenance", "upgrading"][rng.usize(..3)];
                orders.region(|rds| rds.impose_on_cluster("orders", status, from, from + 120_000));
            }
            6 => orders.region(|rds| rds.refuse_reboots(&name, from + 180_000)),
            _ => drop(client.stop_db_cluster().db_cluster_identifier("orders").send().await),
        }
    }
}

/// A change of parameters wakes a paused member, which then runs them: the restart that was announced is spared.
#[tokio::test(start_paused = true)]
async fn a_paused_member_needs_no_restart() {
    let members = &[("db.serverless", 1)];
    let shape = Shape { members, group: Some("production"), ..NEW };
    let orders = Orders::new(12, Mood::Real, shape).await;
    orders.make_static();
    orders.wait(7200).await;
    let now = orders.now();
    assert!(orders.region(|rds| rds.is_paused("orders-1", now)));
    let (outcome, recorder) = orders.run(Intent::Apply).await;
    assert!(outcome.is_complete(), "{}", recorder.text());
    assert_eq!(outcome.permit.announced().len(), 1, "it may turn out to be necessary");
    assert!(outcome.permit.made().is_empty() && orders.ours().is_empty(), "{}", recorder.text());
    assert_eq!(orders.pending().await, Vec::<String>::new());
}

/// A cluster of the stack's own: classes, a reader less, the port. One member at a time, readers first.
#[tokio::test(start_paused = true)]
async fn changes_of_a_cluster_that_the_stack_owns() {
    let text = spec_file("production.yaml");
    let account = Account::new(13, Mood::Real);
    account.apply(&spec(&text)).await;
    let classes = text.replace("db.r6g.large", "db.r6g.4xlarge").replace("db.r6g.xlarge", "db.r6g.2xlarge");
    // In a window that is closed nothing of it is done, and nothing waits for it.
    let closed = classes.replace("restart: rolling", "restart: { window: \"sun:03:00-sun:03:30\" }");
    let outcome = account.run(&spec(&closed), Intent::Apply, Arc::new(Recorder::default())).await;
    assert!(outcome.is_complete() && outcome.reports.is_empty(), "{:#?}", outcome.reports);
    assert_eq!(outcome.remaining.held().count(), 3);
    let plan = account.plan(&spec(&classes)).await;
    let told = interruptions(&plan);
    let kinds: Vec<Impact> = plan.interruptions().map(|interruption| interruption.impact).collect();
    assert_eq!(kinds.len(), 3, "{told:?}");
    // The harness sees to it that no two of them are down at once.
    account.apply(&spec(&classes)).await;
    let gone = classes.rfind("    - { class: ").unwrap();
    let end = gone + classes[gone..].find('\n').unwrap() + 1;
    let fewer = format!("{}{}", &classes[..gone], &classes[end..]);
    let plan = account.plan(&spec(&fewer)).await;
    assert!(interruptions(&plan)[0].starts_with("delete "), "{:?}", interruptions(&plan));
    account.apply(&spec(&fewer)).await;
    let port = fewer.replace("aurora:\n", "aurora:\n  port: 3307\n");
    let plan = account.plan(&spec(&port)).await;
    assert_eq!(interruptions(&plan), ["restart all 2 members at once"]);
    assert_eq!(plan.interruptions().next().unwrap().impact, Impact::Restart);
    account.apply(&spec(&port)).await;
    let plan = account.prepare(&spec(&port), Intent::Destroy { unprotect: true }).await.unwrap().plan;
    assert_eq!(interruptions(&plan), Vec::<String>::new(), "a destroy of everything interrupts nobody");
    account.destroy(&spec(&port)).await;
}

/// The kill sweep over a restart of a writer and three readers.
#[tokio::test(start_paused = true)]
async fn killed_while_members_restart() {
    let members = &[LARGE, LARGE, LARGE, LARGE];
    let orders = Orders::new(10, Mood::Real, Shape { members, restart: "never", ..NEW }).await;
    drop(orders.run(Intent::Apply).await);
    orders.wait(300).await;
    assert_eq!(orders.pending().await.len(), 4);
    let spec = with_restart("rolling");
    let world = orders.account.sandbox.world();
    let (points, _) = crate::crash::sweep("restart of four", world, &spec, Intent::Apply).await;
    assert!(points >= 8, "{points} kill points");
}

/// The writer that the spec names is the writer at the end, and stays it: AWS calls the old one the writer for a
/// while after a failover, which here is the very one that is wanted.
#[tokio::test(start_paused = true)]
async fn a_writer_is_brought_back_for_good() {
    // Seed 267 ended too early: AWS showed the new writer only after three equal looks.
    for seed in (40..50).chain([267]) {
        let orders = Orders::new(seed, Mood::Real, Shape { restart: "{ writer: orders-1 }", ..NEW }).await;
        let (outcome, recorder) = orders.run(Intent::Apply).await;
        assert!(outcome.is_complete(), "seed {seed}: {:#?}\n{}", outcome.reports, recorder.text());
        // Not in a second round, which would only be begun if AWS happened to show it in time.
        assert_eq!(outcome.reports.len(), 1, "seed {seed}: {}", recorder.text());
        orders.wait(120).await;
        orders.account.assert_settled(&orders.spec, Intent::Apply).await;
    }
}

/// Another cluster in the spec: the one before would be left with half a wiring.
#[tokio::test(start_paused = true)]
async fn another_existing_cluster_is_blocked() {
    use auroraml::run::reconcile::PrepareError;
    let orders = Orders::new(1, Mood::Calm, NEW).await;
    orders.region(|rds| rds.lenient = true);
    orders.make("billing", &NEW).await;
    let (outcome, recorder) = orders.run(NOW).await;
    assert!(outcome.is_complete(), "{}", recorder.text());
    let text = "stack: shop\nregion: REGION\naurora: { existing: billing }\nmachine_learning: { comprehend: true }\n";
    let text = text.replace("REGION", REGION);
    for intent in [Intent::Apply, DESTROY] {
        let prepared = orders.account.prepare(&spec(&text), intent).await;
        let Err(PrepareError::Preflight(problems)) = prepared else { panic!("{intent:?}: there is a plan") };
        assert_eq!((problems.len(), problems[0].what.as_str()), (1, "aurora.existing"), "{problems:?}");
        assert!(
            problems[0].hint.contains("`auroraml destroy` with `existing: orders` first"),
            "{problems:?}"
        );
    }
    // As the hint says.
    let (outcome, recorder) = orders.run(Order { now: true, ..DESTROY.into() }).await;
    assert!(outcome.is_complete(), "{}", recorder.text());
    let plan = orders.account.plan(&spec(&text)).await;
    assert!(plan.blocked.is_empty() && plan.count(auroraml_core::resource::Action::Create) > 0, "{plan:?}");
}

/// A name that no member has would be a wish that nobody hears.
#[tokio::test(start_paused = true)]
async fn a_writer_that_is_no_member() {
    let orders = Orders::new(14, Mood::Calm, Shape { restart: "{ writer: order-1 }", ..NEW }).await;
    let plan = orders.account.plan(&orders.spec).await;
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
    assert!(plan.blocked[0].hint.contains("name one of orders-1, orders-2"), "{:?}", plan.blocked);
}

/// The clients that the tests use are told apart by what they sign with.
#[tokio::test(start_paused = true)]
async fn who_interrupts_is_known() {
    let orders = Orders::new(11, Mood::Calm, NEW).await;
    let (http, clock) = (orders.account.sandbox.http_client(), orders.account.sandbox.clock());
    let ours = Client::new(&simulated_config(REGION, http, &clock));
    let theirs = orders.account.interruptions(&orders.spec).len();
    ours.reboot_db_instance().db_instance_identifier("orders-2").send().await.unwrap();
    assert_eq!(orders.ours(), ["RebootDBInstance orders-2"]);
    assert_eq!(orders.account.interruptions(&orders.spec).len(), theirs + 1);
}
