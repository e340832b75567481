//! Pictures of the example specs: nothing is missing from them, and nothing is drawn over anything.

use crate::golden;
use crate::graphs::{built, examples, fresh};
use auroraml_core::base::{Id, Observed};
use auroraml_core::kinds;
use auroraml_core::model::Intent;
use auroraml_core::plan::{Plan, Step, plan};
use auroraml_core::render::graph::{Mark, Picture};
use auroraml_core::resource::{Action, Graph};
use auroraml_core::spec::Spec;
use std::collections::BTreeSet;

fn graph(spec: &Spec) -> Graph {
    built(spec, &fresh(spec), Intent::Apply).unwrap()
}

fn picture(spec: &Spec) -> Picture {
    Picture::of_wanted(&spec.stack, &spec.region, &graph(spec))
}

#[test]
fn examples_are_drawn_as_they_were_reviewed() {
    for (name, spec) in examples() {
        let picture = picture(&spec);
        golden(&format!("tests/data/pictures/{name}.mmd"), &picture.to_mermaid());
        if ["everything", "production"].contains(&name.as_str()) {
            golden(&format!("tests/data/pictures/{name}.svg"), &picture.to_svg());
        }
    }
}

/// What stands on what is the same in the picture as in the graph, with fewer lines.
#[test]
fn a_picture_says_what_the_graph_says() {
    for (name, spec) in examples() {
        let (graph, picture) = (graph(&spec), picture(&spec));
        let ids: BTreeSet<&Id> = picture.nodes.iter().map(|node| &node.id).collect();
        assert_eq!(ids, graph.resources.keys().collect(), "{name}");
        let mut reach: BTreeSet<(Id, Id)> = BTreeSet::new();
        for id in graph.order() {
            for needed in graph.needs(&id) {
                let more: Vec<_> = reach.iter().filter(|(_, above)| *above == needed).cloned().collect();
                reach.extend(more.into_iter().map(|(below, _)| (below, id.clone())));
                reach.insert((needed, id.clone()));
            }
        }
        let drawn = |without: Option<usize>| {
            let mut found: BTreeSet<(usize, usize)> = BTreeSet::new();
            let edges: Vec<_> = picture
                .edges
                .iter()
                .enumerate()
                .filter(|(n, _)| Some(*n) != without)
                .map(|(_, e)| *e)
                .collect();
            let mut fresh: Vec<(usize, usize)> = edges.clone();
            while let Some((from, to)) = fresh.pop() {
                if found.insert((from, to)) {
                    fresh.extend(edges.iter().filter(|(start, _)| *start == to).map(|(_, end)| (from, *end)));
                }
            }
            let name = |at: usize| picture.nodes[at].id.clone();
            found.into_iter().map(|(from, to)| (name(from), name(to))).collect::<BTreeSet<_>>()
        };
        assert_eq!(drawn(None), reach, "{name}");
        for n in 0..picture.edges.len() {
            assert_ne!(drawn(Some(n)), reach, "{name}: {:?} says nothing", picture.edges[n]);
        }
    }
}

/// Colour is never alone: each box that differs has a sign and a word, and the legend has both.
#[test]
fn what_differs_has_a_word() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "production").unwrap();
    let graph = graph(&spec);
    let mut plan = plan(&graph, &Observed::new(), &kinds::catalog());
    let actions =
        [Action::Update, Action::Recreate, Action::Delete, Action::Run, Action::Recheck, Action::NoOp];
    for (step, action) in plan.steps.iter_mut().zip(actions) {
        step.action = action;
    }
    plan.steps[7].held = Some("the window is closed".into());
    plan.steps.push(Step::new(Id::new("endpoint", "</title><script>alert(1)</script>"), Action::Delete));
    let picture = Picture::of_plan("shop", "us-east-1", &graph, &plan, false);
    let marks: BTreeSet<Option<Mark>> = picture.nodes.iter().map(|node| node.mark).collect();
    assert!(marks.len() >= 7, "{marks:?}");
    let (svg, mermaid) = (picture.to_svg(), picture.to_mermaid());
    for mark in marks.into_iter().flatten() {
        let text = format!("{} {}: {}<", mark.sign(), mark.word(), mark.meaning()).replace('>', "&gt;");
        assert!(svg.contains(text.trim_end_matches("&lt;").trim_end_matches('<')), "{mark:?}: {text}");
        let boxes = picture.nodes.iter().filter(|node| node.mark == Some(mark)).count();
        assert_eq!(mermaid.matches(&format!("]:::{}\n", mark.word())).count(), boxes + 1, "{mark:?}");
    }
    assert!(!svg.contains("<script") && !mermaid.contains("<script"));
    golden("tests/data/pictures/changes.svg", &svg);
    golden("tests/data/pictures/changes.mmd", &mermaid);
}

/// What goes is drawn with what stood on what, and what is not there is not drawn.
#[test]
fn a_destroy_shows_what_goes() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "minimal").unwrap();
    let graph = graph(&spec);
    let names = [Id::new("vpc", "main"), Id::new("cluster", "main")];
    let steps = names.iter().map(|id| Step::new(id.clone(), Action::Delete)).collect();
    let picture = Picture::of_plan("shop", "us-east-1", &graph, &Plan { steps, ..Plan::default() }, true);
    assert_eq!(picture.nodes.iter().map(|node| node.id.clone()).collect::<Vec<_>>(), names);
    assert_eq!(picture.edges, [(0, 1)], "by way of subnets that are gone");
}

#[test]
fn nobody_is_shown_a_thousand_boxes() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "minimal").unwrap();
    let mut picture = picture(&spec);
    let node = picture.nodes[0].clone();
    picture.nodes.extend(std::iter::repeat_n(node, 1_000));
    let svg = picture.to_svg();
    assert!(svg.contains("too many to draw: 400 at most") && svg.len() < 8_000, "{}", svg.len());
}
