//! What keeps a member from being restarted or spares it: failovers that AWS refuses or does not make, values that it
//! does not take, a pause; and the writer that the spec names.

use super::*;

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
    assert!(failed.contains("AWS accepted it 3 times without effect: fail over from orders-"), "{failed}");
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

/// A name that no member has would be a wish that nobody hears.
#[tokio::test(start_paused = true)]
async fn a_writer_that_is_no_member() {
    let orders = Orders::new(14, Mood::Calm, Shape { restart: "{ writer: order-1 }", ..NEW }).await;
    let plan = orders.account.plan(&orders.spec).await;
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
    assert!(plan.blocked[0].hint.contains("use one of orders-1, orders-2"), "{:?}", plan.blocked);
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
