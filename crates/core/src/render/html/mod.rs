//! One page of a plan, a stack, its cost or a run: a file that can be mailed, kept and printed. Pure.
//!
//! It loads nothing and runs nothing: its policy forbids both, whatever a name or a tag in it says. Everything is there
//! as text; colour and bars repeat it.

mod money;
mod stack;
mod steps;
pub mod timeline;

use super::cost::Report;
use super::graph::{self, Picture};
use super::markup::Markup;
use super::status::{Resource, Stack};
use super::{Subject, summary};
use crate::plan::Plan;
use timeline::Timeline;

/// Bytes of a page. What would make it larger is left out, and that is said.
pub const PAGE_MAX: usize = 4 << 20;
/// Rows of one list.
const ROWS_MAX: usize = 1_000;

const STYLE: &str = include_str!("page.css");
/// Nothing is loaded and nothing is run. Styles stand in the page itself.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'\"/>\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
<meta name=\"color-scheme\" content=\"light dark\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n\
<meta name=\"robots\" content=\"noindex\"/>\n";

/// How something went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Good,
    /// It is not as it should be, and nothing failed.
    Attention,
    Bad,
}

impl Tone {
    fn sign(self) -> &'static str {
        match self {
            Tone::Good => "✓",
            Tone::Attention => "!",
            Tone::Bad => "✗",
        }
    }
    fn word(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Attention => "attention",
            Tone::Bad => "bad",
        }
    }
}

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub object: Option<String>,
    pub why: String,
    pub help: Option<String>,
}

/// Everything that a page may tell; it has a section for each thing that is there.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it is of: `Plan`, `Run of apply`.
    pub what: String,
    pub stack: String,
    /// Nothing where AWS was not asked.
    pub account: Option<String>,
    pub region: String,
    /// When it was made, as text, and by which version.
    pub made: String,
    pub version: String,
    pub tone: Tone,
    /// The one sentence that a reader in a hurry reads.
    pub headline: String,
    pub troubles: Vec<Trouble>,
    pub timeline: Option<Timeline>,
    pub status: Option<Stack>,
    /// The plan, and what it is for.
    pub plan: Option<(Subject, Plan)>,
    pub picture: Option<Picture>,
    /// What a run did not do.
    pub left: Option<Picture>,
    pub cost: Option<Report>,
}

/// A part of the page.
struct Section {
    /// What links lead to it by.
    id: &'static str,
    title: &'static str,
    body: Markup,
}

impl Page {
    /// Says what a plan comes to, as far as no run has ended yet.
    pub fn tell_plan(&mut self, subject: &Subject, plan: &Plan) {
        (self.tone, self.headline) = match (plan.blocked.is_empty(), plan.is_empty()) {
            (false, _) => (Tone::Bad, "Blocked: none of this plan is carried out.".into()),
            (true, true) if plan.held().next().is_some() => {
                (Tone::Attention, "Nothing to do now: what differs is held.".into())
            }
            (true, true) => (Tone::Good, "Nothing to do.".into()),
            (true, false) if plan.beyond(subject.allow).next().is_some() => (Tone::Attention, summary(plan)),
            (true, false) => (Tone::Good, summary(plan)),
        };
        self.plan = Some((subject.clone(), plan.clone()));
    }

    /// Says what is there.
    pub fn tell_status(&mut self, stack: Stack) {
        let count = |wanted: fn(&Resource) -> bool| stack.resources.iter().filter(|one| wanted(one)).count();
        let (all, not_ready) = (stack.resources.len(), count(|one| one.state != "ready"));
        (self.tone, self.headline) = match (all, not_ready) {
            (0, _) => (Tone::Attention, "Nothing of this stack exists.".into()),
            (1, 0) => (Tone::Good, "1 resource, ready.".into()),
            (_, 0) => (Tone::Good, format!("{all} resources, all ready.")),
            _ => (Tone::Attention, format!("{not_ready} of {all} resources are not ready.")),
        };
        self.status = Some(stack);
    }

    /// Says how a run ended: the first line of what is said of it, for the page has the rest.
    pub fn tell_end(&mut self, told: &str) {
        self.headline = told.lines().next().unwrap_or_default().into();
    }

    /// Says what it costs.
    pub fn tell_cost(&mut self, cost: Report) {
        self.headline = cost.result();
        self.cost = Some(cost);
    }

    /// The page, never larger than [`PAGE_MAX`].
    pub fn to_html(&self) -> String {
        let sections = self.sections();
        let mut out = Markup::default();
        out.literal(HEAD);
        out.leaf("title", &[], format!("{} · {} · auroraml", self.stack, self.what));
        out.with("style", &[], |style| {
            style.literal(STYLE);
            style.literal(graph::STYLE);
        });
        out.literal("\n</head>\n<body>\n");
        self.header(&sections, &mut out);
        out.literal("<main>\n");
        let mut left_out: Vec<&'static str> = Vec::new();
        for section in &sections {
            // What follows is small; a kilobyte is kept for it.
            if out.size() + section.body.size() + 1_024 > PAGE_MAX {
                left_out.push(section.title);
                continue;
            }
            out.with("section", &[("id", &section.id)], |out| {
                out.leaf("h2", &[], section.title);
                out.append(&section.body);
            });
            out.line_break();
        }
        if !left_out.is_empty() {
            let text = format!("Left out, because a page has at most 4 MiB: {}.", left_out.join(", "));
            out.leaf("p", &[("class", &"notice")], text);
        }
        out.literal("</main>\n<footer>");
        out.text(format!("Made by auroraml {} at {}.", self.version, self.made));
        out.literal("</footer>\n</body>\n</html>\n");
        out.finish()
    }

    fn header(&self, sections: &[Section], out: &mut Markup) {
        out.with("header", &[], |out| {
            out.with("p", &[("class", &"where")], |out| {
                out.text(&self.what);
                out.literal(" · ");
                out.text(&self.region);
                if let Some(account) = &self.account {
                    out.literal(" · account ");
                    out.text(account);
                }
            });
            out.leaf("h1", &[], &self.stack);
            out.with("p", &[("class", &format!("headline {}", self.tone.word()))], |out| {
                out.with("span", &[("class", &"sign"), ("aria-hidden", &"true")], |out| {
                    out.literal(self.tone.sign());
                });
                out.with("span", &[], |out| out.text(&self.headline));
            });
            if sections.len() > 1 {
                out.with("nav", &[("aria-label", &"Sections")], |out| {
                    for section in sections {
                        out.leaf("a", &[("href", &format!("#{}", section.id))], section.title);
                    }
                });
            }
        });
        out.line_break();
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        let mut add = |id, title, body: Markup| {
            if body.size() > 0 {
                sections.push(Section { id, title, body });
            }
        };
        add("troubles", "What went wrong", self.wrong());
        if let Some(status) = &self.status {
            add("connect", "Connect", stack::connect(status));
        }
        if let Some(timeline) = &self.timeline {
            add("timeline", "Timeline", timeline.draw());
        }
        if let Some(left) = &self.left {
            add("left", "What is left to do", drawing(left));
        }
        if let Some((subject, plan)) = &self.plan {
            add("interruptions", "Interruptions", steps::interruptions(subject, plan));
        }
        if let Some(picture) = &self.picture {
            add("picture", "Picture", drawing(picture));
        }
        if let Some((_, plan)) = &self.plan {
            add("steps", "Steps", steps::steps(plan));
            add("remarks", "Remarks", steps::remarks(plan));
        }
        if let Some(status) = &self.status {
            add("resources", "Resources", stack::resources(status));
        }
        if let Some(cost) = &self.cost {
            add("cost", "Cost", money::draw(cost));
        }
        sections
    }

    fn wrong(&self) -> Markup {
        let mut out = Markup::default();
        if self.troubles.is_empty() {
            return out;
        }
        out.with("ul", &[("class", &"plain")], |out| {
            for Trouble { object, why, help } in self.troubles.iter().take(ROWS_MAX) {
                out.with("li", &[], |out| {
                    if let Some(object) = object {
                        out.leaf("b", &[], object);
                        out.literal(": ");
                    }
                    out.text(why);
                    if let Some(help) = help {
                        out.leaf("div", &[("class", &"help")], help);
                    }
                });
            }
            more(self.troubles.len(), out);
        });
        out
    }
}

/// Says how many of a list are not shown.
fn more(count: usize, out: &mut Markup) {
    if let Some(more) = count.checked_sub(ROWS_MAX).filter(|more| *more > 0) {
        out.leaf("li", &[], format!("… and {more} more"));
    }
}

fn drawing(picture: &Picture) -> Markup {
    let mut out = Markup::default();
    if picture.nodes.is_empty() {
        return out;
    }
    out.leaf("p", &[], format!("{}.", picture.sentence()));
    // Whoever cannot point can still scroll.
    let attributes: [(&'static str, &dyn std::fmt::Display); 4] = [
        ("class", &"scroll"),
        ("tabindex", &0),
        ("role", &"region"),
        ("aria-label", &"Picture of the stack"),
    ];
    out.with("div", &attributes, |out| graph::draw(picture, out));
    out
}
