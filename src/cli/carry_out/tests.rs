//! What is said at the end of a run, and its exit code, from outcomes made by hand.

use super::*;
use crate::cli::confirm::question;
use auroraml::aws::Failure;
use auroraml_core::base::Live;
use auroraml_core::events::PlannedStep;
use auroraml_core::members::Seconds;
use auroraml_core::plan::{Blocked, LeftAlone, Step};
use std::sync::Arc;

const QUIET: fn() -> Printer = || Printer::new(true);

fn outcome(report: Report, remaining: Plan) -> Outcome {
    Outcome {
        reports: vec![report],
        remaining,
        observed: Observed::new(),
        unreviewed: Vec::new(),
        permit: Arc::default(),
        reached: None,
    }
}

fn remaining(step: Step) -> Plan {
    Plan { steps: vec![step], ..Plan::default() }
}

fn role() -> Id {
    Id::new("role", "s3")
}

fn interruption(what: &str) -> Interruption {
    Interruption {
        impact: Impact::Readers,
        what: what.into(),
        members: vec!["shop-2".into()],
        seconds: Seconds { usually: 60, at_worst: 120 },
        why: "pending-reboot".into(),
    }
}

/// Everything that is wrong, each with what to do about it.
fn said(error: &Error) -> String {
    let line = |trouble: &Trouble| {
        let (object, help) = (trouble.object.as_deref(), trouble.help.as_deref());
        format!("{}: {} ({})\n", object.unwrap_or_default(), trouble.why, help.unwrap_or_default())
    };
    error.troubles.iter().map(line).collect()
}

/// What was asked for is what is done, with a saved plan no more than it says.
#[test]
fn an_order_is_what_was_typed() {
    use crate::cli::args::{Arguments, Command};
    use clap::Parser;
    let order = |line: &str, reviewed: bool| {
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        let Command::Apply(args) = &arguments.command else { unreachable!("the lines are of this one") };
        let request = Request {
            intent: Intent::Apply,
            spec: &args.spec,
            terms: &args.terms,
            yes: args.yes,
            events: None,
            plan: None,
            sweep: false,
            page: None,
            sets: change_sets::Wanted::default(),
            typed: Vec::new(),
            global: &arguments.global,
            together: &args.together,
        };
        request.order(reviewed)
    };
    let plain = Order::from(Intent::Apply);
    assert_eq!(order("auroraml apply s.yaml", false), plain);
    assert_eq!(order("auroraml apply s.yaml", true), Order { reviewed: true, ..plain });
    assert_eq!(order("auroraml apply s.yaml --now", false), Order { now: true, ..plain });
    let accepting = Order { accept_pending: true, ..plain };
    assert_eq!(order("auroraml apply s.yaml --accept-pending", false), accepting);
}

/// However a run stops half way: exit code 7, why, and what to do.
#[test]
fn whatever_is_left_is_an_error_that_says_why() {
    let left = || remaining(Step::new(role(), Action::Create));
    let done = Report::default;
    let failed = Report { failed: vec![(role(), Failure::refused("x", "no"))], ..Report::default() };
    let waits = Report { not_started: vec![role()], ..Report::default() };
    let again = "run the same command again";
    let interrupts =
        remaining(Step { interruptions: vec![interruption("x")], ..Step::new(role(), Action::Update) });
    let unreviewed = Outcome { unreviewed: vec![role()], ..outcome(done(), left()) };
    let blocked = Blocked { id: role(), why: "in the way".into(), hint: "move it".into() };
    let blocked = Plan { blocked: vec![blocked], ..Plan::default() };
    for (outcome, stopped, expected, help) in [
        (outcome(failed, left()), false, "role.s3 (does not exist): no", "fix the cause"),
        (outcome(done(), blocked), false, "role.s3: in the way", "move it"),
        (outcome(waits.clone(), left()), true, "the run was stopped", again),
        (outcome(waits, left()), false, "not everything was done", again),
        (outcome(done(), left()), false, "it still differs from the spec after several rounds", again),
        (
            outcome(done(), interrupts),
            false,
            "unplanned: what is left would interrupt members",
            "to see the new plan",
        ),
        (
            unreviewed,
            false,
            "was not in the reviewed plan and was left alone",
            "save a new plan, review it and apply it",
        ),
    ] {
        let error = incomplete(&outcome, stopped, &QUIET());
        let text = said(&error);
        assert_eq!((error.exit, error.troubles.len()), (Exit::Incomplete, 1), "{text}");
        assert!(text.contains(expected) && text.contains(help), "{expected}: {text}");
    }
}

/// A run whose last look failed is not one before which nothing was changed.
#[test]
fn a_run_whose_end_cannot_be_seen_is_half_way() {
    let mut progress = Progress::default();
    let step = PlannedStep { id: role(), action: Action::Create, needs: Default::default() };
    progress.tell(0, &Event::Planned { steps: vec![step] });
    progress.tell(0, &Event::Failed { id: role(), why: "first".into() });
    let problem = auroraml_core::model::Preflight {
        code: auroraml_core::model::Code::VpcQuota,
        what: "quota".into(),
        why: "it is zero".into(),
        hint: "raise it".into(),
    };
    for (error, expected) in [
        (PrepareError::Aws(Failure::refused("ListRoles", "no")), "AWS: no"),
        (PrepareError::Preflight(vec![problem]), "quota [vpc-quota]: it is zero (raise it)"),
        (PrepareError::Bug("index".into()), "a bug: index (please report it, with the spec)"),
    ] {
        let error = blind(&progress, error);
        let text = said(&error);
        assert_eq!(error.exit, Exit::Incomplete, "{text}");
        assert!(text.starts_with("role.s3: first ()\n") && text.contains(expected), "{text}");
    }
}

#[test]
fn what_is_held_is_done_only_where_that_is_accepted() {
    let held =
        remaining(Step { held: Some("the window is closed".into()), ..Step::new(role(), Action::Update) });
    let order = Order::from(Intent::Apply);
    let error = pending(&held, order).unwrap_err();
    assert_eq!(error.exit, Exit::Incomplete);
    assert!(said(&error).contains("role.s3: on hold: the window is closed"), "{error:?}");
    assert_eq!(pending(&held, Order { accept_pending: true, ..order }).unwrap(), Exit::Done);
    assert_eq!(pending(&Plan::default(), order).unwrap(), Exit::Done);
}

#[test]
fn what_a_destroy_may_not_delete_is_not_nothing() {
    let left = LeftAlone { id: role(), why: "not its tags".into(), hint: "tag it".into() };
    let plan = Plan { left_alone: vec![left], ..Plan::default() };
    let error = left_alone(true, &plan).unwrap_err();
    assert_eq!(error.exit, Exit::Incomplete);
    assert_eq!(said(&error), "role.s3: not deleted: not its tags (tag it)\n");
    assert!(left_alone(false, &plan).is_ok(), "an apply deletes nothing of the kind");
    assert!(left_alone(true, &Plan::default()).is_ok());
}

/// A finished destroy names what AWS keeps: the final snapshot, a secret in its recovery window, what the spec keeps.
#[test]
fn what_stays_after_a_destroy_is_named() {
    let delete = |kind, name: &str, option: &str, value: &str| Step {
        options: [(option.to_string(), value.to_string())].into(),
        ..Step::new(Id::new(kind, name), Action::Delete)
    };
    let plan = Plan {
        steps: vec![
            delete("cluster", "main", "final_snapshot", "shop-final-1"),
            delete("secret", "master", "recovery_window_days", "7"),
            delete("secret", "other", "recovery_window_days", "0"),
        ],
        notes: vec!["endpoint.churn is kept, since the stack did not make it".into()],
        kept: vec![Id::new("bucket", "main"), Id::new("endpoint", "churn")],
        ..Plan::default()
    };
    // 2026-11-20.
    let text = lingering(&plan, 1_795_132_800_000);
    assert_eq!(
        text,
        "\nStill there:\n  bucket.main is kept, as the spec says\n  \
         endpoint.churn is kept, since the stack did not make it\n  \
         the final snapshot shop-final-1 is kept until you delete it\n  \
         secret.master can be restored until 2026-11-27; until then its name is taken\n"
    );
    assert_eq!(lingering(&Plan::default(), 0), "");
}

/// The question says what a yes allows, and which of the two is asked.
#[test]
fn the_question_says_what_it_is_about() {
    assert_eq!(question(true, "shop", None), "Destroy stack shop? Type yes to continue: ");
    let allows = question(false, "shop", Some(Impact::Restart));
    let expected = "Apply this plan to stack shop? It interrupts the writer: restart; yes allows that once.";
    assert!(allows.starts_with(expected), "{allows}");
}

#[test]
fn a_state_is_told_as_it_is() {
    let live = |state| Live {
        id: role(),
        props: Default::default(),
        outputs: Default::default(),
        state,
        owned: true,
    };
    for (state, expected) in
        [(State::Ready, "exists"), (State::Broken("InsufficientCapacity".into()), "InsufficientCapacity")]
    {
        assert_eq!(now(&[(role(), live(state))].into(), &role()), expected);
    }
    assert_eq!(now(&Observed::new(), &role()), "does not exist");
}
