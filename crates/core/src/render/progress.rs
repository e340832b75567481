//! How far a run is: events in, lines for a terminal or a pipe out. Pure; the caller says what time it is.

use super::paint::{BOLD, CYAN, DIM, GREEN, RED, paint};
use super::{duration, plain, sign};
use crate::base::Id;
use crate::events::Event;
use crate::resource::Action;
use std::collections::{BTreeMap, BTreeSet};

/// Characters that names may take in a line before they are no longer aligned.
const NAME_MAX: usize = 40;
/// Lines that are shown whatever the height says.
const HEIGHT_MIN: usize = 4;

/// State of a run. Times are milliseconds since the Unix epoch, on the run's clock.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    rows: Vec<Row>,
    began: Option<u64>,
    stopping: bool,
    note: Option<String>,
}

#[derive(Clone, Debug)]
struct Row {
    id: Id,
    action: Action,
    needs: BTreeSet<Id>,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Pending,
    Running { since: u64, why: Option<String> },
    Done { seconds: u64 },
    Failed { seconds: u64, why: String },
}

impl Progress {
    /// Takes an event in.
    pub fn tell(&mut self, at: u64, event: &Event) {
        let began = *self.began.get_or_insert(at);
        match &plain::event(event) {
            Event::Planned { steps } => {
                self.note = None;
                for step in steps {
                    let row = Row {
                        id: step.id.clone(),
                        action: step.action,
                        needs: step.needs.clone(),
                        stage: Stage::Pending,
                    };
                    // A later round may come back to what an earlier one did.
                    match self.rows.iter_mut().find(|old| old.id == step.id) {
                        Some(old) => *old = row,
                        None => self.rows.push(row),
                    }
                }
            }
            Event::Started { id, .. } => self.set(id, |_| Stage::Running { since: at, why: None }),
            Event::Acted { .. } => {}
            Event::Interrupted { id, interruption } => self.set(id, |stage| Stage::Running {
                since: since(stage).unwrap_or(began),
                why: Some(interruption.what.clone()),
            }),
            Event::Waiting { id, why } => self.set(id, |stage| Stage::Running {
                since: since(stage).unwrap_or(began),
                why: Some(why.clone()),
            }),
            Event::Finished { id, seconds } => self.set(id, |_| Stage::Done { seconds: *seconds }),
            Event::Failed { id, why } => self.set(id, |stage| Stage::Failed {
                seconds: at.saturating_sub(since(stage).unwrap_or(at)) / 1000,
                why: why.clone(),
            }),
            Event::Stopping => self.stopping = true,
            Event::Note { text } => self.note = Some(text.clone()),
        }
    }

    fn set(&mut self, id: &Id, stage: impl FnOnce(&Stage) -> Stage) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.id == *id) {
            row.stage = stage(&row.stage);
        }
    }

    /// What a terminal of this size shows: at most `height` lines, none longer than `width` characters.
    /// What is at work comes before what waits when not everything fits; what is done becomes a number.
    pub fn lines(&self, now: u64, width: usize, height: usize) -> Vec<String> {
        let height = height.max(HEIGHT_MIN);
        let mut lines = vec![paint(BOLD, cut(&self.heading(now), width))];
        if let Some(note) = &self.note {
            lines.push(cut(&format!("  {note}"), width));
        }
        let room = height.saturating_sub(lines.len());
        let name = self.rows.iter().map(|row| row.id.to_string().chars().count()).max().unwrap_or(0);
        let line = |row: &Row| self.line(row, now, width, name.min(NAME_MAX));
        if self.rows.len() <= room {
            lines.extend(self.rows.iter().map(line));
            return lines;
        }
        let mut shown: Vec<&Row> = self.rows.iter().filter(|row| self.rank(row).is_some()).collect();
        shown.sort_by_key(|row| self.rank(row));
        let left_out = shown.len().saturating_sub(room.saturating_sub(1));
        if left_out > 0 {
            // One line says how many are left out.
            shown.truncate(room.saturating_sub(1));
        }
        lines.extend(shown.into_iter().map(line));
        if left_out > 0 {
            lines.push(paint(DIM, cut(&format!("  … and {left_out} more"), width)));
        }
        lines
    }

    /// Order of rows when not all fit; `None` for what is done.
    fn rank(&self, row: &Row) -> Option<(usize, u64)> {
        match row.stage {
            Stage::Failed { .. } => Some((0, 0)),
            Stage::Running { since, .. } => Some((1, since)),
            Stage::Pending => Some((2, self.waits_for(row).len() as u64)),
            Stage::Done { .. } => None,
        }
    }

    fn heading(&self, now: u64) -> String {
        let count = |wanted: fn(&Stage) -> bool| self.rows.iter().filter(|row| wanted(&row.stage)).count();
        let mut text = format!(
            "{} of {} done, {} at work, {} to come",
            count(|stage| matches!(stage, Stage::Done { .. })),
            self.rows.len(),
            count(|stage| matches!(stage, Stage::Running { .. })),
            count(|stage| matches!(stage, Stage::Pending)),
        );
        let failed = count(|stage| matches!(stage, Stage::Failed { .. }));
        if failed > 0 {
            text.push_str(&format!(", {failed} failed"));
        }
        text.push_str(&format!(" · {}", self.elapsed(now)));
        if self.stopping {
            text.push_str(" · stopping: no new step starts");
        }
        text
    }

    fn elapsed(&self, now: u64) -> String {
        duration(now.saturating_sub(self.began.unwrap_or(now)) / 1000)
    }

    /// Steps before this one that are not done.
    fn waits_for<'r>(&'r self, row: &'r Row) -> Vec<&'r Id> {
        let is_done = |id: &Id| {
            self.rows.iter().any(|other| other.id == *id && matches!(other.stage, Stage::Done { .. }))
        };
        row.needs.iter().filter(|id| !is_done(id)).collect()
    }

    fn line(&self, row: &Row, now: u64, width: usize, name: usize) -> String {
        let (mark, style, time, what) = match &row.stage {
            Stage::Pending => ('·', DIM, String::new(), self.pending(row)),
            Stage::Running { since, why } => {
                ('▸', CYAN, duration(now.saturating_sub(*since) / 1000), running(row.action, why.as_deref()))
            }
            Stage::Done { seconds } => ('✓', GREEN, duration(*seconds), done(row.action).to_string()),
            Stage::Failed { seconds, .. } => ('✗', RED, duration(*seconds), "failed".to_string()),
        };
        let id = row.id.to_string();
        let text =
            cut(&format!("{} {id:<name$}  {time:>7}  {what}", sign(row.action)), width.saturating_sub(2));
        format!("{} {}", paint(style, mark), text.trim_end())
    }

    fn pending(&self, row: &Row) -> String {
        let failed = |row: &&Row| matches!(row.stage, Stage::Failed { .. });
        let mut before = self.rows.iter().filter(|other| row.needs.contains(&other.id));
        if let Some(other) = before.find(failed) {
            return format!("held up: {} failed", other.id);
        }
        let waits: Vec<String> = self.waits_for(row).into_iter().map(ToString::to_string).collect();
        match waits.as_slice() {
            [] => "to come".into(),
            [only] => format!("waits for {only}"),
            [one, two] => format!("waits for {one} and {two}"),
            [one, two, rest @ ..] => format!("waits for {one}, {two} and {} more", rest.len()),
        }
    }

    /// The line that a pipe gets for an event, if it gets one. To be asked after [`Progress::tell`].
    pub fn said(&self, at: u64, event: &Event) -> Option<String> {
        let event = &plain::event(event);
        let action = |id: &Id| self.rows.iter().find(|row| row.id == *id).map(|row| row.action);
        let text = match event {
            Event::Planned { steps } => {
                let plural = if steps.len() == 1 { "" } else { "s" };
                format!("{} step{plural} to do", steps.len())
            }
            Event::Started { id, action } => format!("{} {id}: {}", sign(*action), doing(*action)),
            Event::Finished { id, seconds } => {
                let action = action(id)?;
                format!("{} {id}: {} after {}", sign(action), done(action), duration(*seconds))
            }
            // Why it failed is said once, at the end, with what to do about it.
            Event::Failed { id, .. } => {
                let row = self.rows.iter().find(|row| row.id == *id)?;
                let Stage::Failed { seconds, .. } = row.stage else { return None };
                let text = "what does not need it goes on";
                format!("{} {id}: failed after {}; {text}", sign(row.action), duration(seconds))
            }
            Event::Stopping => {
                "stopping: no new step starts, and waits end; once more to exit at once".to_string()
            }
            Event::Note { text } => text.clone(),
            Event::Interrupted { id, interruption } => format!("! {id}: {}", interruption.what),
            Event::Acted { .. } | Event::Waiting { .. } => return None,
        };
        Some(format!("{:>7}  {text}", self.elapsed(at)))
    }

    /// What a pipe gets now and then: a line for everything at work, with what it waits for.
    pub fn heartbeat(&self, now: u64) -> Vec<String> {
        let lines = self.rows.iter().filter_map(|row| match &row.stage {
            Stage::Running { since, why } => Some(format!(
                "{:>7}  {} {}: still {} after {}",
                self.elapsed(now),
                sign(row.action),
                row.id,
                running(row.action, why.as_deref()),
                duration(now.saturating_sub(*since) / 1000)
            )),
            _ => None,
        });
        lines.collect()
    }

    /// What failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&Id, &str)> {
        self.rows.iter().filter_map(|row| match &row.stage {
            Stage::Failed { why, .. } => Some((&row.id, why.as_str())),
            _ => None,
        })
    }

    /// Number of finished steps by what they did.
    pub fn finished(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for row in self.rows.iter().filter(|row| matches!(row.stage, Stage::Done { .. })) {
            *counts.entry(done(row.action)).or_default() += 1;
        }
        counts
    }
}

fn since(stage: &Stage) -> Option<u64> {
    match stage {
        Stage::Running { since, .. } => Some(*since),
        _ => None,
    }
}

fn running(action: Action, why: Option<&str>) -> String {
    match why {
        // AWS's own status often is the same word.
        Some(why) if why != doing(action) => format!("{} ({})", doing(action), why),
        _ => doing(action).to_string(),
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::NoOp => "leaving",
        Action::Recheck => "waiting",
        Action::Update => "updating",
        Action::Create => "creating",
        Action::Recreate => "recreating",
        Action::Delete => "deleting",
        Action::Vanish => "going",
        Action::Run => "running",
        Action::Stop => "stopping",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::NoOp => "left",
        Action::Recheck => "as wanted",
        Action::Update => "updated",
        Action::Create => "created",
        Action::Recreate => "recreated",
        Action::Delete => "deleted",
        Action::Vanish => "gone",
        Action::Run => "done",
        Action::Stop => "stopped",
    }
}

/// At most `width` characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}
