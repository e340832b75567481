//! When a run did what: events in, one bar for each step out.

use super::super::markup::Markup;
use super::super::{disturbance, duration, plain, sign, verb};
use super::ROWS_MAX;
use crate::base::{Id, counted};
use crate::events::{Event, PlannedStep};
use crate::members::Interruption;
use crate::resource::Action;

/// Between two ticks of the axis, in seconds: the first that needs no more than [`TICKS_MAX`].
const TICKS: &[u64] = &[1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400];
const TICKS_MAX: u64 = 6;

/// What a run has done. Times are milliseconds since the Unix epoch, on the run's clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    began: Option<u64>,
    last: u64,
    steps: Vec<Step>,
    interruptions: Vec<(u64, Id, Interruption)>,
    stopping: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    id: Id,
    action: Action,
    /// One for each round that came to it.
    bars: Vec<Bar>,
    /// What it waited for last.
    waits: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Bar {
    from: u64,
    /// Nothing while it goes on.
    until: Option<u64>,
    failed: Option<String>,
}

impl Timeline {
    /// Takes an event in.
    pub fn tell(&mut self, at: u64, event: &Event) {
        self.began.get_or_insert(at);
        self.last = self.last.max(at);
        match &plain::event(event) {
            Event::Planned { steps } => {
                for PlannedStep { id, action, .. } in steps {
                    match self.steps.iter_mut().find(|step| step.id == *id) {
                        Some(step) => step.action = *action,
                        None => self.steps.push(Step {
                            id: id.clone(),
                            action: *action,
                            bars: Vec::new(),
                            waits: None,
                        }),
                    }
                }
            }
            Event::Started { id, action } => {
                if let Some(step) = self.step(id) {
                    step.action = *action;
                    step.bars.push(Bar { from: at, until: None, failed: None });
                }
            }
            Event::Waiting { id, why } => {
                if let Some(step) = self.step(id) {
                    step.waits = Some(why.clone());
                }
            }
            Event::Interrupted { id, interruption } => {
                self.interruptions.push((at, id.clone(), interruption.clone()));
            }
            Event::Finished { id, .. } => self.end(id, at, None),
            Event::Failed { id, why } => self.end(id, at, Some(why.clone())),
            Event::Stopping => {
                self.stopping.get_or_insert(at);
            }
            Event::Acted { .. } | Event::Note { .. } => {}
        }
    }

    /// The run has ended, or somebody looks at it: what still goes on has come so far.
    pub fn reach(&mut self, at: u64) {
        self.last = self.last.max(at);
    }

    fn step(&mut self, id: &Id) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.id == *id)
    }

    fn end(&mut self, id: &Id, at: u64, failed: Option<String>) {
        if let Some(bar) = self.step(id).and_then(|step| step.bars.last_mut()) {
            bar.until = Some(at);
            bar.failed = failed;
        }
    }

    /// In thousandths of the whole.
    fn part(&self, at: u64) -> u64 {
        let began = self.began.unwrap_or(at);
        let whole = self.last.saturating_sub(began).max(1);
        at.saturating_sub(began) * 1_000 / whole
    }

    /// Where it is on the axis, for an attribute of SVG.
    fn place(&self, at: u64) -> String {
        percent(self.part(at))
    }

    fn since(&self, at: u64) -> String {
        duration(at.saturating_sub(self.began.unwrap_or(at)) / 1_000)
    }

    /// As a part of a page.
    pub(super) fn draw(&self) -> Markup {
        let mut out = Markup::default();
        let mut rows: Vec<&Step> = self.steps.iter().filter(|step| !step.bars.is_empty()).collect();
        rows.sort_by_key(|step| step.bars.first().map(|bar| bar.from));
        if rows.is_empty() {
            return out;
        }
        out.leaf("p", &[], self.sentence(&rows));
        out.with("ul", &[("class", &"timeline")], |out| {
            out.with("li", &[("class", &"axis")], |out| {
                out.leaf("span", &[("class", &"what")], "");
                self.axis(out);
                out.leaf("span", &[("class", &"time")], "");
            });
            for row in rows.iter().take(ROWS_MAX) {
                self.row(row, out);
            }
            super::more(rows.len(), out);
        });
        if !self.interruptions.is_empty() {
            out.leaf("h3", &[], "Interruptions that were made");
            out.with("ol", &[("class", &"made")], |out| {
                for (at, id, interruption) in self.interruptions.iter().take(ROWS_MAX) {
                    out.with("li", &[], |out| {
                        out.leaf("b", &[], &interruption.what);
                        let text = format!(" at {}, by {id}: {}", self.since(*at), disturbance(interruption));
                        out.text(text);
                    });
                }
                super::more(self.interruptions.len(), out);
            });
        }
        let waiting: Vec<&Step> = self.steps.iter().filter(|step| step.bars.is_empty()).collect();
        if !waiting.is_empty() {
            out.leaf("h3", &[], "Not begun");
            out.with("ul", &[("class", &"names")], |out| {
                for step in waiting.iter().take(ROWS_MAX) {
                    out.leaf("li", &[], format!("{} {} {}", sign(step.action), verb(step.action), step.id));
                }
                super::more(waiting.len(), out);
            });
        }
        out
    }

    fn sentence(&self, rows: &[&Step]) -> String {
        let mut text = format!("{} in {}", counted(rows.len(), "step"), self.since(self.last));
        match self.interruptions.len() {
            0 => {}
            1 => text.push_str("; 1 interruption, marked by a line"),
            count => text.push_str(&format!("; {count} interruptions, each marked by a line")),
        }
        if let Some(at) = self.stopping {
            text.push_str(&format!("; asked to stop at {}", self.since(at)));
        }
        text + "."
    }

    fn axis(&self, out: &mut Markup) {
        let seconds = self.last.saturating_sub(self.began.unwrap_or(self.last)) / 1_000;
        let tick = TICKS.iter().find(|tick| seconds / **tick <= TICKS_MAX).copied().unwrap_or(seconds.max(1));
        out.with("svg", &[("class", &"track"), ("height", &18), ("aria-hidden", &"true")], |out| {
            let mut at = 0;
            while at <= seconds {
                let part = at * 1_000 / seconds.max(1);
                // A label at the very end would stand outside.
                let class = match part {
                    0 => "first",
                    900.. => "last",
                    _ => "middle",
                };
                let x = percent(part);
                out.leaf("text", &[("x", &x), ("y", &13), ("class", &class)], duration(at));
                at += tick;
            }
        });
    }

    fn row(&self, step: &Step, out: &mut Markup) {
        let last = step.bars.last();
        let failed = last.and_then(|bar| bar.failed.as_ref());
        let state = match last {
            Some(Bar { failed: Some(_), .. }) => "failed",
            Some(Bar { until: Some(_), .. }) => "done",
            _ => "unfinished",
        };
        out.with("li", &[("class", &state)], |out| {
            out.with("span", &[("class", &"what")], |out| {
                out.leaf("span", &[("class", &"sign"), ("aria-hidden", &"true")], sign(step.action));
                out.text(format!(" {} ", verb(step.action)));
                out.leaf("b", &[], &step.id);
            });
            self.track(step, state, out);
            let spent: u64 =
                step.bars.iter().map(|bar| bar.until.unwrap_or(self.last).saturating_sub(bar.from)).sum();
            let text = match state {
                "done" => duration(spent / 1_000),
                "failed" => format!("✗ failed, {}", duration(spent / 1_000)),
                _ => format!("not finished, {}", duration(spent / 1_000)),
            };
            out.leaf("span", &[("class", &"time")], text);
            let told = failed.or(step.waits.as_ref().filter(|_| state == "unfinished"));
            if let Some(told) = told {
                out.leaf("span", &[("class", &"why")], told);
            }
        });
    }

    fn track(&self, step: &Step, state: &'static str, out: &mut Markup) {
        out.with("svg", &[("class", &"track"), ("height", &18), ("aria-hidden", &"true")], |out| {
            for bar in &step.bars {
                let (from, until) = (self.part(bar.from), self.part(bar.until.unwrap_or(self.last)));
                let (x, width) = (percent(from.min(996)), percent(until.saturating_sub(from).max(4)));
                let class = format!("bar {}", if bar.failed.is_some() { "failed" } else { state });
                out.with(
                    "rect",
                    &[
                        ("class", &class),
                        ("x", &x),
                        ("y", &4),
                        ("width", &width),
                        ("height", &10),
                        ("rx", &2),
                    ],
                    |out| {
                        let until = self.since(bar.until.unwrap_or(self.last));
                        out.leaf("title", &[], format!("{}: {} to {until}", step.id, self.since(bar.from)));
                    },
                );
            }
            for (n, (at, id, interruption)) in self.interruptions.iter().enumerate() {
                let (x, own) = (self.place(*at), *id == step.id);
                let class = if own { "cut own" } else { "cut" };
                out.with("rect", &[("class", &class), ("x", &x), ("width", &2), ("height", &18)], |out| {
                    out.leaf("title", &[], format!("{}: {}", self.since(*at), interruption.what));
                });
                if own {
                    // Beside its line, on the side where there is room.
                    let left = self.part(*at) > 500;
                    let (class, shift) = if left { ("flag last", "-4") } else { ("flag", "6") };
                    let label = format!("! {}", n + 1);
                    let attributes: [(&'static str, &dyn std::fmt::Display); 4] =
                        [("x", &x), ("dx", &shift), ("y", &13), ("class", &class)];
                    out.leaf("text", &attributes, label);
                }
            }
        });
    }
}

/// Thousandths as SVG takes them.
fn percent(part: u64) -> String {
    format!("{}.{}%", part / 10, part % 10)
}
