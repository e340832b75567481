//! What is not done now: said once, with what ends it.

use crate::cli::{Place, Ran, SPEC, closed_window, in_sandbox, with_orders};

async fn with(restart: &str) -> Place {
    let place = with_orders(2).await;
    place.write(
        "shop.yaml",
        &SPEC.replace("existing: orders", &format!("existing: orders, restart: {restart}")),
    );
    place
}

fn run(place: &Place, args: &[&str]) -> Ran {
    place.run(&in_sandbox(args))
}

/// Members that the spec leaves pending are no drift; what a destroy leaves because of them is counted, and no hint names a
/// way that does not end it.
#[tokio::test(start_paused = true)]
async fn members_that_the_spec_leaves_pending() {
    let place = with("never").await;
    let applied = run(&place, &["apply", "shop.yaml", "--yes"]);
    let why = "error: parameter_sync.main: on hold: `restart: never` leaves orders-1, orders-2 pending-reboot\n  help: change \
               `restart` in the spec, or restart these members yourself; --accept-pending makes this exit with 0\n";
    assert!(applied.code == 7 && applied.err.ends_with(why), "{applied:?}");
    let drift = run(&place, &["drift", "shop.yaml"]);
    assert_eq!(drift.code, 0, "{drift:?}");
    let status = run(&place, &["status", "shop.yaml"]);
    assert!(status.out.contains("pending-reboot"), "it is not hidden: {status:?}");
    let destroyed = run(&place, &["destroy", "shop.yaml", "--yes"]);
    assert_eq!(destroyed.code, 7, "{destroyed:?}");
    assert_eq!(destroyed.err.matches("  help: ").count(), 1, "{destroyed:?}");
    assert!(destroyed.err.contains("more resources can be deleted only after that"), "{destroyed:?}");
    assert!(!destroyed.err.contains("--accept-pending") && !destroyed.err.contains("--now"), "{destroyed:?}");
    let destroyed = run(&place, &["destroy", "shop.yaml", "--yes", "--accept-pending"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    let again = run(&place, &["plan", "shop.yaml", "--destroy", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{again:?}");
}

/// A window says when, and not what: the plan that waits for it says what it will also need.
#[tokio::test(start_paused = true)]
async fn a_window_allows_nothing() {
    let place = with(&format!("{{ window: \"{}\" }}", closed_window())).await;
    let plan = run(&place, &["plan", "shop.yaml"]);
    assert!(plan.out.contains("On hold"), "{}", plan.out);
    assert!(plan.out.contains("Not allowed yet: this will also need --allow failover"), "{}", plan.out);
    let comment = run(&place, &["plan", "shop.yaml", "--format", "markdown"]);
    assert!(comment.out.contains("**Not allowed yet:** this will also need"), "{}", comment.out);
    let applied = run(&place, &["apply", "shop.yaml", "--yes"]);
    let help = "run again when it opens, or add --now to restart members now; --accept-pending";
    assert!(applied.code == 7 && applied.err.contains(help), "{applied:?}");
    let refused = run(&place, &["apply", "shop.yaml", "--yes", "--now"]);
    assert!(refused.code == 6 && refused.err.contains("--allow failover"), "{refused:?}");
    assert!(!refused.err.contains("`window`"), "there is one: {refused:?}");
    let applied = run(&place, &["apply", "shop.yaml", "--yes", "--now", "--allow", "failover"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let plan = run(&place, &["plan", "shop.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan:?}");
}
