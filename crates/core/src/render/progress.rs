//! How far a run is: events in, lines for a terminal or a pipe out. Pure; the caller says what time it is.

use super::paint::{BOLD, CYAN, DIM, GREEN, RED, paint};
use super::wrap::cut;
use super::{SYNC, duration, plain, sign};
use crate::base::{Id, counted};
use crate::events::Event;
use crate::resource::Action;
use std::collections::BTreeSet;

/// Characters that names may take in a line before they are no longer aligned.
const NAME_MAX: usize = 40;
/// Columns of a time, with the gap before it.
const TIME: usize = 9;
/// Columns that must be left for what a step does, with the gap before it.
const TELLS: usize = 12;
/// Steps that the end names, those that took longest.
const LONGEST: usize = 5;
/// Seconds that a step must have taken to be named there.
const LONG: u64 = 10;
/// Steps that a sign of life names.
const NAMED: usize = 3;

/// State of a run. Times are milliseconds since the Unix epoch, on the run's clock.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    rows: Vec<Row>,
    began: Option<u64>,
    stopping: bool,
    note: Option<String>,
    interruptions: Vec<String>,
}

#[derive(Clone, Debug)]
struct Row {
    id: Id,
    action: Action,
    needs: BTreeSet<Id>,
    stage: Stage,
    /// What it was last said to wait for, where lines are printed.
    told: Option<String>,
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
                        told: None,
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
            Event::Interrupted { id, interruption } => {
                self.interruptions.push(interruption.what.clone());
                self.set(id, |stage| Stage::Running {
                    since: since(stage).unwrap_or(began),
                    why: Some(interruption.what.clone()),
                });
            }
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

    /// What a terminal shows in `height` lines (one at least), none longer than `width` characters. What is running comes
    /// before what waits when not everything fits; what is done becomes a number.
    pub fn lines(&self, now: u64, width: usize, height: usize) -> Vec<String> {
        let height = height.max(1);
        let mut lines = vec![paint(BOLD, cut(&self.heading(now, width), width))];
        if let Some(note) = self.note.as_ref().filter(|_| height > 2) {
            lines.push(cut(&format!("  {note}"), width));
        }
        let room = height.saturating_sub(lines.len());
        if room == 0 {
            return lines;
        }
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

    fn heading(&self, now: u64, width: usize) -> String {
        let (numbers, elapsed) = (self.numbers(), self.elapsed(now));
        let mut text = format!("{numbers} · {elapsed}");
        if text.chars().count() > width {
            // What is done and how long it has taken says most.
            let done = numbers.split(',').next().unwrap_or_default();
            text = format!("{done} · {elapsed}");
        }
        if self.stopping {
            text.push_str(" · stopping: no new steps start");
        }
        text
    }

    /// How many steps are done, running and waiting.
    fn numbers(&self) -> String {
        let count = |wanted: fn(&Stage) -> bool| self.rows.iter().filter(|row| wanted(&row.stage)).count();
        let mut text = format!(
            "{}/{} done, {} running, {} waiting",
            count(|stage| matches!(stage, Stage::Done { .. })),
            self.rows.len(),
            count(|stage| matches!(stage, Stage::Running { .. })),
            count(|stage| matches!(stage, Stage::Pending)),
        );
        let failed = count(|stage| matches!(stage, Stage::Failed { .. }));
        if failed > 0 {
            text.push_str(&format!(", {failed} failed"));
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
                ('▸', CYAN, duration(now.saturating_sub(*since) / 1000), running(row, why.as_deref()))
            }
            Stage::Done { seconds } => ('✓', GREEN, duration(*seconds), done(row).to_string()),
            Stage::Failed { seconds, .. } => ('✗', RED, duration(*seconds), "failed".to_string()),
        };
        // Mark, sign, and the time with its gap: these stay whatever the width.
        let room = width.saturating_sub(4 + TIME).max(1);
        let name = name.min(room);
        let id = row.id.to_string();
        let id = if id.chars().count() > room { cut(&id, room) } else { id };
        let mut text = format!("{} {id:<name$}  {time:>7}", sign(row.action));
        // A word that is cut after a few letters says nothing.
        if width.saturating_sub(2 + text.chars().count()) >= TELLS {
            text = format!("{text}  {what}");
        }
        format!("{} {}", paint(style, mark), cut(text.trim_end(), width.saturating_sub(2)).trim_end())
    }

    fn pending(&self, row: &Row) -> String {
        let failed = |row: &&Row| matches!(row.stage, Stage::Failed { .. });
        let mut before = self.rows.iter().filter(|other| row.needs.contains(&other.id));
        if let Some(other) = before.find(failed) {
            return format!("blocked: {} failed", other.id);
        }
        let waits: Vec<String> = self.waits_for(row).into_iter().map(ToString::to_string).collect();
        match waits.as_slice() {
            [] => "waiting".into(),
            [only] => format!("waiting for {only}"),
            [one, two] => format!("waiting for {one} and {two}"),
            [one, two, rest @ ..] => format!("waiting for {one}, {two} and {} more", rest.len()),
        }
    }

    /// The line that a pipe gets for an event, if it gets one. To be asked after [`Progress::tell`].
    pub fn said(&self, at: u64, event: &Event) -> Option<String> {
        let event = &plain::event(event);
        let row = |id: &Id| self.rows.iter().find(|row| row.id == *id);
        let text = match event {
            Event::Planned { steps } => format!("{} to do", counted(steps.len(), "step")),
            Event::Started { id, .. } => format!("{}: {}", name(row(id)?), doing(row(id)?)),
            Event::Finished { id, seconds } => {
                format!("{}: {} after {}", name(row(id)?), done(row(id)?), duration(*seconds))
            }
            // Why it failed is said once, at the end, with what to do about it.
            Event::Failed { id, .. } => {
                let Stage::Failed { seconds, .. } = row(id)?.stage else { return None };
                format!("{}: failed after {}; independent steps continue", name(row(id)?), duration(seconds))
            }
            Event::Stopping => "stopping: no new steps start; interrupt again to exit at once".to_string(),
            Event::Note { text } => text.clone(),
            Event::Interrupted { id, interruption } => format!("! {id}: {}", interruption.what),
            Event::Acted { .. } | Event::Waiting { .. } => return None,
        };
        Some(format!("{:>7}  {text}", self.elapsed(at)))
    }

    /// What a pipe gets now and then: a line for each running step that waits for something else than was last said.
    pub fn changes(&mut self, now: u64) -> Vec<String> {
        let elapsed = self.elapsed(now);
        let mut lines = Vec::new();
        for row in &mut self.rows {
            let Stage::Running { since, why } = &row.stage else { continue };
            if *why == row.told {
                continue;
            }
            row.told.clone_from(why);
            let text = running(row, why.as_deref());
            // What says no more than that it began has been said.
            if text != doing(row) {
                let time = duration(now.saturating_sub(*since) / 1000);
                lines.push(format!("{elapsed:>7}  {}: {text} after {time}", name(row)));
            }
        }
        lines
    }

    /// What a pipe gets when nothing has changed for long: one line with the numbers, and what takes the time.
    pub fn sign_of_life(&self, now: u64) -> Option<String> {
        let mut running: Vec<(u64, &Row)> = self
            .rows
            .iter()
            .filter_map(|row| match row.stage {
                Stage::Running { since, .. } => Some((since, row)),
                _ => None,
            })
            .collect();
        running.sort_by_key(|(since, row)| (*since, row.id.clone()));
        let named = running
            .iter()
            .take(NAMED)
            .map(|(since, row)| format!("{} ({})", row.id, duration(now.saturating_sub(*since) / 1000)));
        let named: Vec<String> = named.collect();
        let more = match running.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!named.is_empty()).then(|| {
            let numbers = self.numbers();
            format!("{:>7}  {numbers}: {}{more}", self.elapsed(now), named.join(", "))
        })
    }

    /// What failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&Id, &str)> {
        self.rows.iter().filter_map(|row| match &row.stage {
            Stage::Failed { why, .. } => Some((&row.id, why.as_str())),
            _ => None,
        })
    }

    /// What interrupted members, of a run that nobody could look at in the end: a line, or nothing.
    pub fn interruptions(&self) -> String {
        match self.interruptions.as_slice() {
            [] => String::new(),
            made => format!("Interruptions: {} made: {}.\n", made.len(), made.join(", ")),
        }
    }

    /// What was done, in numbers: `44 created, 3 run`.
    pub fn tally(&self) -> String {
        let count = |wanted: &[Action]| {
            let done = self.rows.iter().filter(|row| matches!(row.stage, Stage::Done { .. }));
            done.filter(|row| wanted.contains(&row.action)).count()
        };
        let with_parent = match count(&[Action::Vanish]) {
            0 => String::new(),
            1 => " (1 with its parent)".into(),
            vanished => format!(" ({vanished} with their parent)"),
        };
        let counts = [
            (count(&[Action::Create]), "created", ""),
            (count(&[Action::Update]), "updated", ""),
            (count(&[Action::Recreate]), "recreated", ""),
            (count(&[Action::Run]), "run", ""),
            (count(&[Action::Delete, Action::Vanish]), "deleted", with_parent.as_str()),
            (count(&[Action::Stop]), "stopped", ""),
            (count(&[Action::Recheck]), "checked", ""),
        ];
        let counts = counts.iter().filter(|(count, ..)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what, more)| format!("{count} {what}{more}")).collect();
        if counts.is_empty() { "nothing finished".into() } else { counts.join(", ") }
    }

    /// What is said when a run has ended: how, after how many seconds, what was done and what took the time. `remark`
    /// begins with its own punctuation.
    pub fn finish(&self, what: &str, seconds: u64, remark: &str, verbose: bool) -> String {
        let mut out = format!("{what} in {}{remark}: {}.\n", duration(seconds), self.tally());
        let longest = self.durations(verbose);
        // Of a run that was short nobody asks.
        if longest.len() > 1 {
            out.push_str(if verbose { "Times:\n" } else { "Longest steps:\n" });
            out.extend(longest.iter().map(|line| format!("{line}\n")));
        }
        out
    }

    /// How long the finished steps took, longest first: of those that took a while the first few, or each of them.
    pub fn durations(&self, all: bool) -> Vec<String> {
        let mut rows: Vec<(u64, &Row)> = self
            .rows
            .iter()
            .filter_map(|row| match row.stage {
                Stage::Done { seconds } | Stage::Failed { seconds, .. } => Some((seconds, row)),
                _ => None,
            })
            .filter(|(seconds, _)| all || *seconds >= LONG)
            .collect();
        rows.sort_by_key(|(seconds, row)| (std::cmp::Reverse(*seconds), row.id.clone()));
        if !all {
            rows.truncate(LONGEST);
        }
        let line = |(seconds, row): &(u64, &Row)| {
            let what = if matches!(row.stage, Stage::Failed { .. }) { "failed" } else { done(row) };
            format!("{:>7}  {}: {what}", duration(*seconds), name(row))
        };
        rows.iter().map(line).collect()
    }
}

/// Sign and name.
fn name(row: &Row) -> String {
    format!("{} {}", sign(row.action), row.id)
}

fn since(stage: &Stage) -> Option<u64> {
    match stage {
        Stage::Running { since, .. } => Some(*since),
        _ => None,
    }
}

fn running(row: &Row, why: Option<&str>) -> String {
    match why {
        // What happens to the members is said in whole sentences.
        Some(why) if row.id.kind == SYNC => why.to_string(),
        // AWS's own status often is the same word.
        Some(why) if why != doing(row) => format!("{} ({why})", doing(row)),
        _ => doing(row).to_string(),
    }
}

fn doing(row: &Row) -> &'static str {
    match row.action {
        _ if row.id.kind == SYNC => "checking the members",
        Action::NoOp => "leaving",
        Action::Recheck => "waiting",
        Action::Update => "updating",
        Action::Create => "creating",
        Action::Recreate => "recreating",
        Action::Delete | Action::Vanish => "deleting",
        Action::Run => "running",
        Action::Stop => "stopping",
    }
}

fn done(row: &Row) -> &'static str {
    match row.action {
        _ if row.id.kind == SYNC => "in sync",
        Action::NoOp => "left",
        Action::Recheck => "ready",
        Action::Update => "updated",
        Action::Create => "created",
        Action::Recreate => "recreated",
        Action::Delete => "deleted",
        Action::Vanish => "deleted with its parent",
        Action::Run => "done",
        Action::Stop => "stopped",
    }
}
