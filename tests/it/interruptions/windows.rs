//! When members may be interrupted: windows that open and close, and what is held.

use super::*;

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
    assert!(failed[0].contains("the spec's window has closed"), "{failed:?}");
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
    assert!(failed[0].contains("the spec's window has closed"), "{failed:?}");
    assert_eq!(orders.ours(), ["RebootDBInstance orders-3"]);
    assert_eq!(orders.pending().await.len(), 2);
}
