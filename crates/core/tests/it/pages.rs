//! Pages: whatever is written into them stays text, nothing is loaded, and there is an end to their size.

use crate::graphs::{built, examples, fresh};
use auroraml_core::base::{Change, Id, Live, Observed, State, To};
use auroraml_core::cost::{Terms, Usage, live, wanted};
use auroraml_core::events::{Event, PlannedStep};
use auroraml_core::members::restart::{Member, Strategy, Topology};
use auroraml_core::members::{Impact, Interruption, Seconds};
use auroraml_core::model::Intent;
use auroraml_core::plan::{Blocked, LeftAlone, Plan, Step};
use auroraml_core::render::Subject;
use auroraml_core::render::cost::Report;
use auroraml_core::render::graph::Picture;
use auroraml_core::render::html::timeline::Timeline;
use auroraml_core::render::html::{PAGE_MAX, Page, Tone, Trouble};
use auroraml_core::render::status::Stack;
use auroraml_core::resource::{Action, Graph};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

fn minimal() -> Graph {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "minimal").unwrap();
    built(&spec, &fresh(&spec), Intent::Apply).unwrap()
}

fn interruption(text: &str) -> Interruption {
    Interruption {
        impact: Impact::Restart,
        what: text.into(),
        why: text.into(),
        members: vec![text.into()],
        seconds: Seconds { usually: 60, at_worst: 180 },
    }
}

fn plan_with(text: &str) -> Plan {
    let id = || Id::new("instance", text);
    let change =
        |path: &str| Change { path: path.into(), from: json!(text), to: To::Value(json!([text, 1])) };
    let step = |action| Step {
        changes: vec![change("a"), change(&format!("tags.{text}"))],
        reason: Some(text.into()),
        impact: Impact::Restart,
        interruptions: vec![interruption(text)],
        predicted: [(text.to_string(), text.to_string())].into(),
        options: [(text.to_string(), text.to_string())].into(),
        ..Step::new(id(), action)
    };
    Plan {
        steps: vec![
            step(Action::Create),
            step(Action::Update),
            step(Action::Delete),
            Step { held: Some(text.into()), ..step(Action::Update) },
        ],
        blocked: vec![Blocked { id: id(), why: text.into(), hint: text.into() }],
        left_alone: vec![LeftAlone { id: id(), why: text.into(), hint: text.into() }],
        notes: vec![text.into()],
        ..Plan::default()
    }
}

fn subject(text: &str) -> Subject {
    Subject {
        stack: text.into(),
        account: text.into(),
        region: text.into(),
        destroy: false,
        allow: Impact::None,
        allow_is_final: false,
        has_window: false,
    }
}

/// A run: one step done, one that failed, one that goes on, one that never began.
fn timeline(text: &str) -> Timeline {
    let mut timeline = Timeline::default();
    let id = |n: usize| Id::new("instance", format!("{text}{n}"));
    let planned = |n| PlannedStep { id: id(n), action: Action::Create, needs: BTreeSet::new() };
    for (at, event) in [
        (0, Event::Planned { steps: (1..=4).map(planned).collect() }),
        (0, Event::Started { id: id(1), action: Action::Create }),
        (10_000, Event::Interrupted { id: id(1), interruption: interruption(text) }),
        (60_000, Event::Finished { id: id(1), seconds: 60 }),
        (60_000, Event::Started { id: id(2), action: Action::Create }),
        (90_000, Event::Failed { id: id(2), why: text.into() }),
        (90_000, Event::Started { id: id(3), action: Action::Update }),
        (95_000, Event::Waiting { id: id(3), why: text.into() }),
        (100_000, Event::Stopping),
    ] {
        timeline.tell(at, &event);
    }
    timeline.reach(120_000);
    timeline
}

/// A page that says `text` wherever a page can say something.
fn page(text: &str) -> Page {
    let (graph, plan) = (minimal(), plan_with(text));
    let live_one = Live {
        id: Id::new("cluster", text),
        props: json!({ "tags": { text: text }, "class": text }),
        outputs: [("endpoint".to_string(), json!(text))].into(),
        state: State::Busy(text.into()),
        owned: false,
    };
    let observed: Observed = [(live_one.id.clone(), live_one)].into();
    let member = Member { name: text.into(), writer: true, status: text.into(), ..Member::default() };
    let topology = Topology { members: vec![member], ..Topology::default() };
    let terms = Terms::built_in("us-east-1");
    let before = live(&observed, Some(&graph), &terms);
    let after = wanted(&graph, &observed, &BTreeSet::new(), &terms);
    let mut page = Page {
        what: text.into(),
        stack: text.into(),
        account: Some(text.into()),
        region: text.into(),
        made: text.into(),
        version: text.into(),
        timeline: Some(timeline(text)),
        status: Some(Stack::new(&subject(text), &observed, Some(&topology), Strategy::default())),
        picture: Some(Picture::of_plan(text, text, &graph, &plan, false)),
        cost: Some(Report {
            stack: text.into(),
            region: text.into(),
            before: Some(before),
            after,
            prices: terms.prices,
            usage: Usage::default(),
            notes: vec![text.into()],
        }),
        ..Page::default()
    };
    page.tell_plan(&subject(text), &plan);
    page.tone = Tone::Bad;
    page.headline = text.into();
    page.troubles = vec![Trouble { object: Some(text.into()), why: text.into(), help: Some(text.into()) }];
    page
}

/// The elements and attributes of a document, without texts and values.
fn skeleton(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut tag = String::new();
        let mut quoted = false;
        for c in rest.chars() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => break,
                c if !quoted => tag.push(c),
                _ => {}
            }
        }
        found.push(tag);
    }
    found
}

fn ill() -> impl Strategy_<Value = String> {
    let pieces = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "</style>",
        "</title>",
        "\" onload=\"x",
        "' x='",
        "<!--",
        "-->",
        "]]>",
        "<img src=//x.y>",
        "&lt;",
        "&#0;",
        "\u{202e}",
        "\x1b[2J",
        "\n",
        "javascript:x",
        "ü",
        "word",
    ]);
    prop::collection::vec(pieces, 1..6).prop_map(|pieces| format!("x{}", pieces.concat()))
}
use proptest::strategy::Strategy as Strategy_;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_others_wrote_is_only_text(ill in ill()) {
        let (said, harmless) = (page(&ill).to_html(), page("word").to_html());
        prop_assert_eq!(skeleton(&said), skeleton(&harmless));
        prop_assert!(!said.contains(['\x1b', '\u{202e}']), "{}", said);
    }
}

/// Nothing is asked for, whatever the page is of.
#[test]
fn a_page_loads_and_runs_nothing() {
    let html = page("word").to_html();
    assert!(
        html.contains("content=\"default-src &#39;none&#39;")
            || html.contains("content=\"default-src 'none';")
    );
    for word in ["<script", "src=", "url(", "@import", "<link", "<iframe", "<form", "href=\"h", "javascript:"]
    {
        assert!(!html.contains(word), "{word}");
    }
    // Each link leads to a section of the same page.
    for link in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("<section id=\"{}\"", link.trim_start_matches('#'))), "{link}");
    }
    let closes = |html: &str, name: &str| {
        (
            html.matches(&format!("<{name}>")).count() + html.matches(&format!("<{name} ")).count(),
            html.matches(&format!("</{name}>")).count(),
        )
    };
    for name in ["section", "svg", "g", "ul", "ol", "li", "details", "dl", "main", "header"] {
        let (opened, closed) = closes(&html, name);
        assert!(opened == closed && opened > 0, "{name}: {opened} and {closed}");
    }
}

/// Each thing that is there has its section, and what is not there has none.
#[test]
fn a_page_has_a_section_for_each_thing() {
    let mut page = page("word");
    let ids = |page: &Page| {
        let html = page.to_html();
        let ids = html.split("<section id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        ids.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(&page),
        [
            "troubles",
            "connect",
            "timeline",
            "interruptions",
            "picture",
            "steps",
            "remarks",
            "resources",
            "cost"
        ]
    );
    (page.plan, page.timeline, page.picture, page.cost) = (None, None, None, None);
    page.troubles.clear();
    assert_eq!(ids(&page), ["connect", "resources"]);
}

#[test]
fn a_timeline_tells_how_each_step_ended() {
    let mut page = page("word");
    let html = page.to_html();
    for text in [
        "3 steps in 2m 00s; 1 interruption, marked by a line; asked to stop at 1m 40s.",
        ">1m 00s</span>",
        "✗ failed, 30s",
        "not finished, 30s",
        "at 10s, by instance.word1",
        ">Not begun</h3>",
        "+ create instance.word4",
        "! 1</text>",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    // The bar of the second step begins in the middle and takes a quarter.
    assert!(html.contains("class=\"bar failed\" x=\"50.0%\" y=\"4\" width=\"25.0%\""));
    // A later round comes back to it: a second bar, and the sum of both.
    let timeline = page.timeline.as_mut().unwrap();
    let id = Id::new("instance", "word1");
    timeline.tell(121_000, &Event::Started { id: id.clone(), action: Action::Update });
    timeline.tell(126_000, &Event::Finished { id, seconds: 5 });
    let html = page.to_html();
    assert!(html.contains(">1m 05s</span>"), "{html}");
    assert_eq!(html.matches("class=\"bar done\"").count(), 2);
}

#[test]
fn a_page_has_an_end() {
    let mut page = page("word");
    let long = "long ".repeat(400);
    let steps = (0..500).map(|n| {
        let change = |key: usize| Change {
            path: format!("path-{key}"),
            from: json!(null),
            to: To::Value(json!(long)),
        };
        Step {
            changes: (0..20).map(change).collect(),
            ..Step::new(Id::new("role", format!("r{n}")), Action::Create)
        }
    });
    let plan = Plan { steps: steps.collect(), ..Plan::default() };
    page.tell_plan(&subject("word"), &plan);
    page.troubles =
        (0..5_000).map(|n| Trouble { object: None, why: format!("why {n}"), help: None }).collect();
    let html = page.to_html();
    assert!(html.len() <= PAGE_MAX, "{}", html.len());
    assert!(
        html.contains("Left out, because a page has at most 4 MiB: Steps.") && html.ends_with("</html>\n")
    );
    assert!(html.contains("… and 4000 more"));
    assert!(html.contains("<section id=\"cost\""), "what is small is still there");
}
