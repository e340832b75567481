//! Who is interrupted, when, and with whose leave: plans of a dozen clusters as a person reads them, and runs
//! of all strategies against the sandbox, undisturbed and among others who work on the same cluster.

mod failovers;
mod windows;

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
        Subject {
            stack,
            account,
            region: REGION.into(),
            destroy,
            allow,
            allow_is_final: false,
            has_window: false,
        }
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
        let ours = all.into_iter().filter(|met| met.caller.starts_with("AKIDSANDBOX") && met.until > met.at);
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
