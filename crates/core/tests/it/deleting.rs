//! What goes, what stays and what is left alone, case by case; and in which order.

use crate::planning::{catalog, id, live, observed, planned, said};
use auroraml_core::base::names::{RESOURCE_TAG, STACK_TAG};
use auroraml_core::base::{ELSEWHERE, Live, ONLY_TAGGED, State};
use auroraml_core::plan::{misnamed, plan};
use auroraml_core::resource::{Deletion, Graph};
use serde_json::{Value, json};

const TAGS: [(&str, &str); 2] = [(STACK_TAG, "shop"), ("team", "data")];

fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| (key.to_string(), Value::from(*value))).collect()
}

/// A graph without resources, whose stack sets [`TAGS`].
fn tagged() -> Graph {
    let tags = TAGS.map(|(key, value)| (key.to_string(), value.to_string()));
    Graph { tags: tags.into(), ..Graph::default() }
}

fn offered(name: &'static str) -> Graph {
    Graph { deletions: [(id(name), Deletion::Offer)].into(), ..tagged() }
}

fn naming(mut graph: Graph, name: &str) -> Graph {
    graph.let_go.insert(name.into());
    graph
}

fn with_outputs<const N: usize>(live: Live, outputs: [(&str, &str); N]) -> Live {
    let outputs = outputs.map(|(name, text)| (name.to_string(), Value::from(text))).into();
    Live { outputs, ..live }
}

fn strange(live: Live) -> Live {
    Live { owned: false, ..live }
}

/// What is done with something that the spec does not have.
#[test]
fn what_the_spec_does_not_have() {
    let graph = tagged;
    let thing = || live("thing.a", json!({}));
    let store = || live("store.a", json!({}));
    let only_tagged = |it: Live| with_outputs(it, [(ONLY_TAGGED, "")]);
    let busy = |name| Live { state: State::Busy("InProgress".into()), ..live(name, json!({})) };
    let as_made = |mut it: Live, id: &str| {
        it.props["tags"] = tags(&[&TAGS[..], &[(RESOURCE_TAG, id)]].concat());
        only_tagged(it)
    };
    let keeping = |name| Graph { deletions: [(id(name), Deletion::Keep)].into(), ..graph() };
    let options = |name: &str| [(name.to_string(), "yes".to_string())].into();
    let snapshot = |name| Graph {
        deletions: [(id(name), Deletion::Delete(options("final_snapshot")))].into(),
        ..graph()
    };
    let destroying = || Graph { destroys: true, ..graph() };
    let nothing_but_tags = "left thing.a: only its tags say that it belongs to this stack, and the spec does not \
        have it; to delete it, add --delete thing.a; if it does not belong to this stack, remove the tags";
    let in_another = "left thing.a: it has this stack's tags, but is in vpc-2, which does not belong to the stack; \
        remove the tags, or delete it yourself";
    let bears_the_name = |which: &str| {
        format!(
            "left thing.a: it has this stack's name but not its tags, and may cost money until it is deleted; \
            if it belongs to this stack, tag{which} with auroraml:stack = the stack's name and auroraml:resource = \
            thing.a, then run again; if not, leave it to its owner"
        )
    };
    let offer = "note: thing.a is kept, because the stack did not create it, and costs money until it is deleted; \
        to delete it too, add --delete thing.a";
    let no_longer = "blocked store.a: the spec no longer has it, but deleting it would lose data; restore it in the \
        spec, or";
    let may_go = &*format!("{no_longer} add --delete store.a to delete it with its data");
    let whole_stack = &*format!("{no_longer} delete the whole stack with `auroraml destroy`");
    let gone = "Delete thing.a";
    let named = "Delete thing.a with allowed_by";
    let data_goes = |with: &str| format!("Delete store.a with {with} (with all in it), DataLoss");
    let cases: Vec<(Graph, Live, &str)> = vec![
        (graph(), thing(), gone),
        (graph(), strange(thing()), ""),
        (graph(), only_tagged(thing()), nothing_but_tags),
        (graph(), as_made(thing(), "thing.a"), gone),
        (graph(), as_made(live("thing.a#2", json!({})), "thing.a"), "Delete thing.a#2"),
        (graph(), as_made(thing(), "thing.b"), nothing_but_tags),
        (naming(graph(), "thing.a"), only_tagged(thing()), named),
        (naming(graph(), "thing.b"), only_tagged(thing()), nothing_but_tags),
        (naming(graph(), "thing.a"), thing(), named),
        (naming(graph(), "thing.a"), strange(thing()), ""),
        (graph(), with_outputs(strange(thing()), [(ELSEWHERE, "vpc-2")]), in_another),
        (destroying(), with_outputs(strange(thing()), [(ELSEWHERE, "vpc-2")]), in_another),
        (destroying(), strange(thing()), &bears_the_name("")),
        (
            destroying(),
            with_outputs(strange(thing()), [("id", "t-1"), ("name", "t")]),
            &bears_the_name(" t-1"),
        ),
        (destroying(), with_outputs(strange(thing()), [("name", "t")]), &bears_the_name(" t")),
        (destroying(), only_tagged(thing()), nothing_but_tags),
        (offered("thing.a"), strange(thing()), offer),
        (offered("thing.a"), thing(), "Delete thing.a with allowed_by (the stack did not create it; what was created only for it is deleted with it)"),
        (
            naming(offered("thing.a"), "thing.a"),
            strange(thing()),
            "Delete thing.a with allowed_by (the stack did not create it; what was created only for it is deleted with it)",
        ),
        (keeping("thing.a"), thing(), "note: thing.a is kept, as the spec says"),
        (keeping("thing.a"), strange(thing()), "note: thing.a is kept, as the spec says"),
        (snapshot("thing.a"), thing(), "Delete thing.a with final_snapshot"),
        (
            graph(),
            live("thing.a", json!({"locked": true})),
            "Delete thing.a | blocked thing.a: it is locked; restore it in the spec",
        ),
        (graph(), store(), may_go),
        (graph(), live("store.a", json!({"bound": true})), whole_stack),
        (naming(graph(), "store.a"), store(), &data_goes("allowed_by")),
        (
            naming(graph(), "store.a"),
            live("store.a", json!({"bound": true})),
            &format!(
                "{} | blocked store.a: it goes with its stack; destroy the stack",
                data_goes("allowed_by")
            ),
        ),
        (snapshot("store.a"), store(), &data_goes("final_snapshot")),
        (graph(), live("condition.a", json!({})), ""),
        (graph(), live("job.a", json!({})), ""),
        (graph(), busy("job.a"), "Stop job.a (it still runs, and the spec does not have it)"),
        (graph(), strange(busy("job.a")), ""),
        (graph(), busy("thing.a"), gone),
    ]
    .into_iter()
    .map(|(graph, it, expected)| (graph, it, &*expected.to_string().leak()))
    .collect();
    for (graph, it, expected) in cases {
        let case = format!("{it:?} {:?} {:?}", graph.deletions, graph.let_go);
        let plan = plan(&graph, &observed([it.clone()]), &catalog());
        assert_eq!(said(&plan).join(" | "), expected, "{case}");
        let kept = match graph.deletions.get(&it.id) {
            Some(Deletion::Keep) => it.owned,
            Some(Deletion::Offer) => expected == offer,
            _ => false,
        };
        assert_eq!(plan.kept.contains(&it.id), kept, "{case}");
    }
}

/// What was made by a run that was killed carries the tags that a create sets, and no others.
#[test]
fn what_a_killed_run_left_has_just_our_tags() {
    let all = || -> Vec<(&str, &str)> { TAGS.into_iter().chain([(RESOURCE_TAG, "thing.a")]).collect() };
    for (pairs, goes) in [
        (all(), true),
        (all().into_iter().chain([("Name", "whatever")]).collect(), true),
        (TAGS.to_vec(), true),
        (all().into_iter().chain([("owner", "me")]).collect(), false),
        (all().into_iter().skip(1).collect(), false),
        (vec![(STACK_TAG, "shop"), ("team", "web"), (RESOURCE_TAG, "thing.a")], false),
        (vec![(STACK_TAG, "other"), ("team", "data"), (RESOURCE_TAG, "thing.a")], false),
        (vec![(STACK_TAG, "shop"), ("team", "data"), (RESOURCE_TAG, "thing.b")], false),
    ] {
        let it = with_outputs(live("thing.a", json!({"tags": tags(&pairs)})), [(ONLY_TAGGED, "")]);
        assert_eq!(planned(&tagged(), [it.clone()]) == ["Delete thing.a"], goes, "{pairs:?}");
        // Without tags of its own a stack knows nothing again.
        assert!(!planned(&Graph::default(), [it]).contains(&"Delete thing.a".to_string()));
    }
    let bare = with_outputs(live("thing.a", json!({"tags": {}})), [(ONLY_TAGGED, "")]);
    assert!(!planned(&Graph::default(), [bare]).contains(&"Delete thing.a".to_string()));
}

/// A name that lets nothing go is a slip while something else waits for a word.
#[test]
fn what_waits_for_a_word() {
    let only_tagged = |it: Live| with_outputs(it, [(ONLY_TAGGED, "")]);
    let mut made = only_tagged(live("thing.a", json!({})));
    made.props["tags"] = tags(&TAGS);
    let keeping = Graph { deletions: [(id("store.a"), Deletion::Keep)].into(), ..tagged() };
    for (graph, it, waits) in [
        (tagged(), live("store.a", json!({})), true),
        (tagged(), live("store.a", json!({"bound": true})), false),
        (tagged(), strange(live("store.a", json!({}))), false),
        (keeping, live("store.a", json!({})), false),
        (tagged(), live("thing.a", json!({})), false),
        (tagged(), only_tagged(live("thing.a", json!({}))), true),
        (tagged(), strange(only_tagged(live("thing.a", json!({})))), false),
        (tagged(), made, false),
        (offered("thing.a"), strange(live("thing.a", json!({}))), true),
        (offered("thing.a"), live("thing.a", json!({})), false),
    ] {
        let case = format!("{it:?} {:?}", graph.deletions);
        let said = misnamed(&naming(graph, "host.a"), &observed([it]), &catalog());
        assert_eq!(said.len(), usize::from(waits), "{case}: {said:?}");
    }
}

/// Who goes before whom; what AWS deletes with something else is only awaited.
#[test]
fn what_goes_goes_in_order() {
    let keeping = |name| Graph { deletions: [(id(name), Deletion::Keep)].into(), ..Graph::default() };
    let guest_stays = || {
        let mut graph = Graph::default();
        graph.add(id("guest.b"), json!({"size": 1}));
        graph
    };
    let host_stays = || {
        let mut graph = Graph::default();
        graph.add(id("host.b"), json!({"size": 1}));
        graph
    };
    let waits_for_thing = || {
        let mut graph = Graph::default();
        graph.add(id("user.b"), json!({"size": 1})).recheck_after([&id("thing.a")]);
        graph
    };
    for (graph, there, expected) in [
        (Graph::default(), &["thing.a", "user.a"][..], &["Delete user.a", "Delete thing.a after user.a"][..]),
        (Graph::default(), &["guest.a", "host.a"], &["Delete host.a", "Vanish guest.a after host.a"]),
        (Graph::default(), &["guest.a"], &["Delete guest.a"]),
        // What waits for something else of its own waits for the parent alone.
        (
            Graph::default(),
            &["guest.a", "host.a", "member.a"],
            &["Delete host.a", "Vanish guest.a after host.a", "Delete member.a"],
        ),
        // Also what goes by itself with its parent is gone before what it refers to.
        (
            Graph::default(),
            &["guest.a", "host.a", "thing.a"],
            &["Delete host.a", "Vanish guest.a after host.a", "Delete thing.a after guest.a"],
        ),
        (
            keeping("host.a"),
            &["guest.a", "host.a", "thing.a"],
            &["Delete thing.a", "note: host.a is kept, as the spec says"],
        ),
        (
            guest_stays(),
            &["guest.a", "host.a"],
            &["Create guest.b of size", "Delete host.a after guest.b", "Vanish guest.a after host.a"],
        ),
        (host_stays(), &["guest.a"], &["Create host.b of size", "Delete guest.a"]),
        (waits_for_thing(), &["thing.a"], &["Delete thing.a", "Create user.b of size after thing.a"]),
    ] {
        let lives = there.iter().map(|name| live(name, json!({})));
        assert_eq!(planned(&graph, lives), expected, "{there:?}");
    }
}
