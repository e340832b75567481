//! The planner, condition by condition: small graphs and observed states made by hand, and what the plan says of them.

use auroraml_core::base::names::STACK_TAG;
use auroraml_core::base::{Change, Id, Input, Live, Observed, Outputs, State, To};
use auroraml_core::members::{Effect, Impact, Interruption, Policy, Seconds};
use auroraml_core::plan::{Blocked, Plan, Step, plan};
use auroraml_core::resource::{Action, Asked, Catalog, Graph, Nature, PLAIN, Refusal, Restarts, Rules};
use serde_json::{Value, json};

/// A few kinds, each with what one of the planner's conditions asks for.
pub fn catalog() -> Catalog {
    let refuses = |asked: Asked<'_>| match asked {
        Asked::Delete { live, .. } if live["locked"] == true => Some(Refusal::because("it is locked")),
        Asked::Delete { live, options } if live["bound"] == true && options.contains_key("allowed_by") => {
            Some(Refusal { why: "it goes with its stack", hint: Some("destroy the stack") })
        }
        _ => None,
    };
    let comes = |action, _: &[Change], _: &Value| match action {
        Action::Create => Effect::MemberComes,
        _ => Effect::None,
    };
    [
        ("thing", Rules { immutable: &[("shape", "it keeps its shape")], refuses, ..PLAIN }),
        ("store", Rules { holds_data: true, takes_along: Some("with all in it"), refuses, ..PLAIN }),
        ("user", Rules { after: &["thing", "store"], ..PLAIN }),
        ("host", PLAIN),
        ("guest", Rules { after: &["host", "thing"], dies_with: Some("host"), ..PLAIN }),
        ("member", Rules { effect: comes, ..PLAIN }),
        ("condition", Rules { nature: Nature::Condition, after: &["thing"], ..PLAIN }),
        ("job", Rules { nature: Nature::Task, typical_seconds: 150, ..PLAIN }),
        ("errand", Rules { nature: Nature::Task, typical_seconds: 60, ..PLAIN }),
    ]
    .into_iter()
    .collect()
}

/// `thing.a`
pub fn id(text: &'static str) -> Id {
    let (kind, name) = text.split_once('.').unwrap();
    Id::new(kind, name)
}

pub fn live(text: &'static str, props: Value) -> Live {
    Live { id: id(text), props, outputs: Outputs::new(), state: State::Ready, owned: true }
}

pub fn observed(lives: impl IntoIterator<Item = Live>) -> Observed {
    lives.into_iter().map(|live| (live.id.clone(), live)).collect()
}

/// All that a plan says: a line a step that is no NoOp, then what is in the way, what is left alone and the notes.
pub fn said(plan: &Plan) -> Vec<String> {
    let step = |step: &Step| {
        let mut line = format!("{:?} {}", step.action, step.id);
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        let needs: Vec<String> = step.needs.iter().map(Id::to_string).collect();
        let options: Vec<&str> = step.options.keys().map(String::as_str).collect();
        for (word, list) in
            [(" of ", paths.join(", ")), (" after ", needs.join(", ")), (" with ", options.join(", "))]
        {
            if !list.is_empty() {
                line += &format!("{word}{list}");
            }
        }
        step.reason.iter().for_each(|reason| line += &format!(" ({reason})"));
        step.held.iter().for_each(|why| line += &format!(" [{why}]"));
        if step.impact > Impact::None {
            line += &format!(", {:?}", step.impact);
        }
        for it in &step.interruptions {
            line += &format!(" <{:?} {}>", it.impact, it.members.join(" "));
        }
        line
    };
    let steps = plan.steps.iter().filter(|step| step.action != Action::NoOp).map(step);
    let blocked = plan.blocked.iter().map(|it| format!("blocked {}: {}; {}", it.id, it.why, it.hint));
    let left = plan.left_alone.iter().map(|it| format!("left {}: {}; {}", it.id, it.why, it.hint));
    let notes = plan.notes.iter().map(|note| format!("note: {note}"));
    steps.chain(blocked).chain(left).chain(notes).collect()
}

pub fn planned(graph: &Graph, lives: impl IntoIterator<Item = Live>) -> Vec<String> {
    said(&plan(graph, &observed(lives), &catalog()))
}

/// What is done with an object or a task by its state, by whether it differs, and by whether what it depends on changes.
#[test]
fn states_and_differences_make_the_action() {
    let busy = |status: &str| Some(State::Busy(status.into()));
    let failed = || Some(State::Failed("no room".into()));
    let broken = || Some(State::Broken("no room".into()));
    let again = "it failed (no room); running it again starts from the beginning, usually";
    let (job, errand) =
        (format!("Run job.a ({again} 3 minutes)"), format!("Run errand.a ({again} 1 minute)"));
    for (name, state, size, touched, expected) in [
        ("thing.a", None, 1, false, "Create thing.a of size"),
        ("thing.a", Some(State::Ready), 1, false, ""),
        ("thing.a", Some(State::Ready), 2, false, "Update thing.a of size"),
        ("thing.a", Some(State::Ready), 1, true, "Recheck thing.a after thing.other (thing.other changes)"),
        ("thing.a", Some(State::Ready), 2, true, "Update thing.a of size after thing.other"),
        ("thing.a", busy("modifying"), 1, false, "Recheck thing.a (modifying)"),
        ("thing.a", busy("modifying"), 1, true, "Recheck thing.a after thing.other (modifying)"),
        ("thing.a", busy("modifying"), 2, false, "Update thing.a of size"),
        ("thing.a", busy("deleting"), 1, false, "Create thing.a of size"),
        ("thing.a", failed(), 1, false, "Recheck thing.a (no room)"),
        ("thing.a", failed(), 2, false, "Update thing.a of size"),
        ("thing.a", broken(), 1, false, "Recreate thing.a (no room)"),
        ("thing.a", broken(), 2, false, "Recreate thing.a of size (no room)"),
        ("job.a", None, 1, false, "Run job.a of size"),
        ("job.a", Some(State::Ready), 2, true, ""),
        ("job.a", busy("running"), 2, false, "Recheck job.a (running)"),
        ("job.a", failed(), 2, false, &job),
        ("errand.a", broken(), 1, false, &errand),
    ] {
        let mut graph = Graph::default();
        let other = graph.add(id("thing.other"), json!({"size": 1})).id();
        graph.add(id(name), json!({"size": 1})).recheck_after([&other]);
        let case = format!("{name} {state:?} {size} {touched}");
        let it = state.map(|state| Live { state, ..live(name, json!({"size": size})) });
        let other = live("thing.other", json!({"size": if touched { 2 } else { 1 }}));
        let mut said = planned(&graph, it.into_iter().chain([other]));
        assert!(!touched || said.remove(0) == "Update thing.other of size", "{case}: {said:?}");
        assert_eq!(said.join(" | "), expected, "{case}");
    }
}

#[test]
fn what_has_lost_its_tags_says_so_where_it_changes() {
    let lost = "Update thing.a of size (it lost its tags, but belongs to this stack)";
    for (tags, size, expected) in
        [(json!({}), 2, lost), (json!({}), 1, ""), (json!({STACK_TAG: "shop"}), 2, "Update thing.a of size")]
    {
        let mut graph = Graph::default();
        graph.add(id("thing.a"), json!({"size": 1, "tags": null}));
        let it = live("thing.a", json!({"size": size, "tags": tags}));
        assert_eq!(planned(&graph, [it]).join(" | "), expected);
    }
}

/// What goes with something that is being deleted is made anew with it.
#[test]
fn what_leaves_takes_along_what_dies_with_it() {
    let mut graph = Graph::default();
    let host = graph.add(id("host.a"), json!({"size": 1})).predict("id", "host-1").id();
    graph.add(id("guest.a"), json!({"of": Input::<String>::of(&host, "id")}));
    graph.add(id("thing.a"), json!({"size": 1}));
    for (leaves, expected) in [
        ("host.a", &["Create host.a of size", "Create guest.a of of after host.a"][..]),
        ("guest.a", &["Create guest.a of of"]),
        ("thing.a", &["Create thing.a of size"]),
        ("none", &[]),
    ] {
        let lives = [
            ("host.a", json!({"size": 1})),
            ("guest.a", json!({"of": "host-1"})),
            ("thing.a", json!({"size": 1})),
        ];
        let lives = lives.into_iter().map(|(name, props)| match name == leaves {
            true => Live { state: State::Busy("Deleting".into()), ..live(name, props) },
            false => live(name, props),
        });
        assert_eq!(planned(&graph, lives), expected, "{leaves}");
    }
    let plan = plan(&graph, &Observed::new(), &catalog());
    assert_eq!(plan.steps[0].predicted["id"], "host-1");
    assert_eq!(plan.steps[1].changes[0].to, To::Value("host-1".into()), "{:?}", plan.steps);
}

/// Whose changes are a reason to look at something again.
#[test]
fn changes_that_concern_others() {
    let wanted = json!({"size": 1, "tags": {"a": "1"}});
    let ready = |props| Some(live("thing.a", props));
    let busy = Live { state: State::Busy("modifying".into()), ..live("thing.a", wanted.clone()) };
    for (it, concerns) in [
        (ready(wanted.clone()), false),
        (ready(json!({"size": 1, "tags": {"a": "2"}})), false),
        (ready(json!({"size": 2, "tags": {"a": "1"}})), true),
        (ready(json!({"size": 2, "tags": {"a": "2"}})), true),
        (Some(busy), true),
        (None, true),
    ] {
        let mut graph = Graph { notes: vec!["read this".into()], ..Graph::default() };
        let thing = graph.add(id("thing.a"), wanted.clone()).id();
        graph.add(id("host.b"), json!({})).recheck_after([&thing]);
        let case = format!("{it:?}");
        let said = planned(&graph, it.into_iter().chain([live("host.b", json!({}))]));
        let rechecked = said.contains(&"Recheck host.b after thing.a (thing.a changes)".to_string());
        assert_eq!(rechecked, concerns, "{case}: {said:?}");
        assert_eq!(said.last().unwrap(), "note: read this");
    }
    // What goes, and what only seems to: it is not the stack's, or no object.
    for (it, expected) in [
        (
            live("thing.a", json!({})),
            vec!["Delete thing.a", "Recheck host.b after thing.a (thing.a changes)"],
        ),
        (Live { owned: false, ..live("thing.a", json!({})) }, vec![]),
        (live("condition.a", json!({})), vec![]),
        (live("job.a", json!({})), vec![]),
    ] {
        let mut graph = Graph::default();
        graph.add(id("host.b"), json!({})).recheck_after([&it.id]);
        assert_eq!(planned(&graph, [it, live("host.b", json!({}))]), expected);
    }
}

#[test]
fn what_is_in_the_way() {
    let tag = "tag thing-1 with auroraml:stack = shop and auroraml:resource = thing.a, then run again; otherwise \
        choose another stack name";
    let untagged = format!(
        "an object with this name exists but does not have this stack's tags; if it belongs to this stack, {tag}"
    );
    let others = format!(
        "an object with this name exists and belongs to the stack other; if it belongs to this stack, {tag}"
    );
    let no_data = "it failed, and replacing it would lose data; repair it in the AWS console, then run again";
    let shape = "shape cannot change from 3 to 1: it keeps its shape; restore shape in the spec, or use another stack \
        for the new value";
    let wanted = json!({"size": 1, "shape": 1, "tags": null});
    let broken = || State::Broken("gone".into());
    for (name, owned, state, props, why) in [
        ("thing.a", true, State::Ready, json!({"size": 2, "shape": 1}), None),
        ("thing.a", true, State::Ready, json!({"size": 2, "shape": 3}), Some(shape)),
        ("thing.a", true, broken(), json!({"size": 1, "shape": 3}), None),
        ("store.a", true, broken(), json!({"size": 1, "shape": 1}), Some(no_data)),
        ("store.a", true, State::Ready, json!({"size": 2, "shape": 3}), None),
        ("thing.a", false, State::Ready, json!({"size": 1, "shape": 1}), None),
        ("thing.a", false, State::Ready, json!({"size": 2, "shape": 3}), Some(&*untagged)),
        ("thing.a", false, broken(), json!({"size": 1, "shape": 1}), Some(&*untagged)),
        (
            "thing.a",
            false,
            State::Ready,
            json!({"size": 2, "shape": 1, "tags": {STACK_TAG: "other"}}),
            Some(&*others),
        ),
    ] {
        let mut graph = Graph::default();
        graph.add(id(name), wanted.clone());
        graph.resources.get_mut(&id(name)).unwrap().props["tags"] = match owned {
            true => Value::Null,
            false => json!({STACK_TAG: "shop"}),
        };
        let outputs = Outputs::from([("id".into(), "thing-1".into())]);
        let case = format!("{name} {owned} {state:?} {props}");
        let mut it = Live { owned, state, outputs, ..live(name, props) };
        if why.is_none() && !owned {
            it.props["tags"] = json!({STACK_TAG: "shop"});
        }
        let plan = plan(&graph, &observed([it]), &catalog());
        let blocked: Vec<String> =
            plan.blocked.iter().map(|Blocked { id, why, hint }| format!("{id}: {why}; {hint}")).collect();
        assert_eq!(
            blocked,
            why.map(|why| format!("{name}: {why}")).into_iter().collect::<Vec<_>>(),
            "{case}"
        );
    }
    // Of another object nobody knows the name yet.
    let mut graph = Graph::default();
    let other = graph.add(id("host.a"), json!({})).id();
    graph.add(id("thing.a"), json!({"shape": Input::<String>::of(&other, "id")}));
    let said = planned(&graph, [live("thing.a", json!({"shape": "host-1"}))]);
    let to_another = "shape cannot change from \"host-1\" to another object: it keeps its shape";
    assert!(said.last().unwrap().contains(to_another), "{said:?}");
}

/// Only the first of several reasons to leave a stranger alone is said: whose it is.
#[test]
fn of_a_stranger_nothing_else_is_said() {
    let mut graph = Graph::default();
    graph.add(id("store.a"), json!({"size": 1}));
    let broken = State::Broken("gone".into());
    let it = Live { owned: false, state: broken, ..live("store.a", json!({"size": 1})) };
    assert_eq!(plan(&graph, &observed([it]), &catalog()).blocked.len(), 1);
}

/// What a later round of a run may do is what comes of what was reviewed.
#[test]
fn what_was_reviewed_covers_what_comes_of_it() {
    use Action::{Create, Delete, Recheck, Recreate, Run, Stop, Update, Vanish};
    let step = |action, path: &str| {
        let change = Change { path: path.into(), from: json!(1), to: To::Value(json!(2)) };
        Step { changes: vec![change], ..Step::new(id("thing.a"), action) }
    };
    let of = |steps: Vec<Step>| Plan { steps, ..Plan::default() };
    let goes_beyond = |later: &Step, reviewed: Step| {
        of(vec![Step::new(id("host.a"), Delete), later.clone()])
            .unreviewed(&of(vec![Step::new(id("host.a"), Delete), reviewed]))
            .count()
            > 0
    };
    let [made, gone] = [&[Create, Recreate, Run, Update][..], &[Delete, Vanish, Stop]];
    let all = [Create, Recreate, Run, Update, Delete, Vanish, Stop, Recheck];
    for (reviewed, covers) in [
        (Create, made),
        (Recreate, made),
        (Run, made),
        (Update, &[Update]),
        (Delete, gone),
        (Vanish, gone),
        (Stop, gone),
        (Recheck, &[]),
    ] {
        for later in all {
            let expected = !covers.contains(&later) && later != Recheck;
            assert_eq!(
                goes_beyond(&step(later, "size"), step(reviewed, "size")),
                expected,
                "{reviewed:?} {later:?}"
            );
        }
    }
    for (known, later, beyond) in
        [("tags", "tags.a", false), ("tags.a", "tags", true), ("size", "shape", true)]
    {
        assert_eq!(goes_beyond(&step(Update, later), step(Update, known)), beyond, "{known} {later}");
        assert!(!goes_beyond(&step(Update, later), step(Create, known)));
    }
    let restarts = Step { interruptions: vec![interruption(Impact::Readers, "a")], ..step(Recheck, "size") };
    assert!(!goes_beyond(&step(Update, "size"), restarts.clone()));
    assert!(goes_beyond(&step(Create, "size"), restarts));
    // Nobody reviewed what was held, nor what was not there.
    assert!(goes_beyond(&step(Update, "size"), Step { held: Some("no".into()), ..step(Update, "size") }));
    assert_eq!(of(vec![step(Update, "size")]).unreviewed(&Plan::default()).count(), 1);
}

fn interruption(impact: Impact, member: &str) -> Interruption {
    let seconds = Seconds { usually: 1, at_worst: 2 };
    let (what, why) = (format!("restart {member}"), String::new());
    Interruption { impact, what, why, members: vec![member.into()], seconds }
}

#[test]
fn what_a_plan_comes_to() {
    let step = |name, action| Step::new(id(name), action);
    let held = |name, action| Step { held: Some("not now".into()), ..step(name, action) };
    let blocked = Blocked { id: id("thing.a"), why: String::new(), hint: String::new() };
    let of = |steps: Vec<Step>| Plan { steps, ..Plan::default() };
    assert!(Plan::default().is_empty());
    assert!(of(vec![step("thing.a", Action::NoOp), held("thing.b", Action::Update)]).is_empty());
    assert!(!of(vec![step("thing.a", Action::Recheck)]).is_empty());
    assert!(!Plan { blocked: vec![blocked], ..Plan::default() }.is_empty());

    let mut plan = of(vec![
        step("thing.a", Action::NoOp),
        step("thing.b", Action::Update),
        held("thing.c", Action::Update),
        step("thing.d", Action::Create),
        step("thing.e", Action::Create),
    ]);
    let counts =
        [Action::NoOp, Action::Update, Action::Create, Action::Delete].map(|action| plan.count(action));
    assert_eq!(counts, [0, 1, 2, 0]);
    assert_eq!(plan.held().map(|step| step.id.name.as_str()).collect::<Vec<_>>(), ["c"]);
    for (n, impact) in
        [(1, Impact::Readers), (2, Impact::Restart), (3, Impact::Failover), (4, Impact::Restart)]
    {
        plan.steps[n].interruptions.push(interruption(impact, "m"));
    }
    for (limit, beyond) in
        [(Impact::None, 3), (Impact::Readers, 2), (Impact::Failover, 1), (Impact::Restart, 0)]
    {
        assert_eq!(plan.beyond(limit).count(), beyond, "{limit:?}");
    }
}

/// Members that the run makes are nobody's yet; who goes as a whole needs no leave.
#[test]
fn a_permit_is_made_of_the_plan() {
    let restarts = || Some(Restarts { by: id("condition.a"), policy: Policy::default() });
    let mut graph = Graph { restarts: restarts(), ..Graph::default() };
    for name in ["member.new", "thing.new"] {
        graph.add(id(name), json!({"size": 1})).predict("id", name);
    }
    let mut plan = plan(&graph, &Observed::new(), &catalog());
    plan.steps[1].interruptions.push(interruption(Impact::Readers, "known"));
    let permit = plan.permit(&graph, &catalog(), Some(100));
    let refused = |now: u64, member: &str| permit.check(now, &interruption(Impact::Readers, member)).err();
    assert_eq!(refused(0, "member.new"), None);
    assert_eq!(refused(0, "known"), None);
    assert!(refused(0, "thing.new").unwrap().contains("a restart of thing.new is not in the plan"));
    assert!(refused(100, "known").unwrap().contains("the spec's window has closed"));
    assert_eq!(permit.announced(), plan.interruptions().cloned().collect::<Vec<_>>());
    graph.restarts = None;
    let whole = plan.permit(&graph, &catalog(), Some(100));
    assert_eq!(whole.check(100, &interruption(Impact::Restart, "thing.new")), Ok(()));
}
