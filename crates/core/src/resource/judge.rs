//! What a look comes to while a step waits for its object: whether to act, to wait, or to be content. Pure.

use crate::base::{Change, Live, State};
use crate::members::Interruption;
use serde_json::Value;

/// What is to be done after a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Live is as wanted, as far as this look tells.
    Done,
    /// Live is as wanted, and no later look will tell otherwise.
    Certain,
    /// The change is to be made now, and interrupts this. What the kind's `effect` says already is not repeated
    /// here.
    Act(Option<Interruption>),
    Wait(String),
    /// The change ought to be made, and is not to be made now.
    Held(String),
}

/// A look at an object, and what the step has done before. All times are milliseconds since the Unix epoch.
pub struct Sight<'s> {
    /// Milliseconds during which a look may still show the state from before a change.
    pub lag: u64,
    pub want: &'s Value,
    pub live: &'s Live,
    /// What must change for `live` to become `want`, what is accepted left out.
    pub changes: &'s [Change],
    pub past: &'s Past,
    pub now: u64,
}

/// What a step has done and seen.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub began: u64,
    /// When the run began, and what the object was like before that.
    pub run_began: u64,
    /// Whether it is known that no earlier run has left anything on its way.
    pub is_quiet: bool,
    pub found: Option<Live>,
    /// Whether an earlier look of this step differed from what is wanted.
    pub differed: bool,
    /// When AWS was last asked to change something, and what it looked like before.
    pub acted: Option<(u64, Option<Live>)>,
    /// What the last update was to change, without what AWS is known to accept and not to make at times.
    pub asked: Vec<Change>,
    /// Requests that AWS accepted.
    pub acts: u32,
    /// When AWS was last seen at work.
    pub busy_at: u64,
    /// What the last change interrupted.
    pub interrupted: Option<Interruption>,
    /// Whether the plan foresees something to do that need not show yet.
    pub foreseen: bool,
    /// Why nothing may be interrupted now, if so.
    pub hold: Option<String>,
}

impl Past {
    /// Whether this may be a look at the state from before our last change: `available` proves nothing right
    /// after a modify or a reboot (fact book, section 1.6). `lag` is in milliseconds.
    pub fn may_be_old(&self, live: &Live, now: u64, lag: u64) -> bool {
        self.acted
            .as_ref()
            .is_some_and(|(at, before)| now.saturating_sub(*at) < lag && before.as_ref() == Some(live))
    }
}

impl Sight<'_> {
    pub fn since(&self, earlier: u64) -> u64 {
        self.now.saturating_sub(earlier)
    }

    /// As [`Past::may_be_old`], or nothing differs but what the last update was to change: some of an update shows
    /// at once (tags), and the rest when AWS begins with it. What was seen at work since has begun.
    pub fn may_be_old(&self) -> bool {
        let past = self.past;
        let unseen =
            past.acted.as_ref().is_some_and(|(at, _)| self.since(*at) < self.lag && past.busy_at <= *at);
        let rest = !self.changes.is_empty() && self.changes.iter().all(|change| past.asked.contains(change));
        past.may_be_old(self.live, self.now, self.lag) || unseen && rest
    }

    /// What there is to wait for before anything can be said.
    pub fn unsettled(&self, may_be_old: bool) -> Option<Verdict> {
        if may_be_old {
            return Some(Verdict::Wait("waiting for AWS to begin".into()));
        }
        match &self.live.state {
            State::Busy(status) => Some(Verdict::Wait(status.clone())),
            _ => None,
        }
    }
}

/// The judgement of every kind that has no other: what differs is changed.
pub fn by_difference(sight: &Sight<'_>) -> Verdict {
    sight.unsettled(sight.may_be_old()).unwrap_or(match sight.changes.is_empty() {
        true => Verdict::Done,
        false => Verdict::Act(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Id, Outputs, To};
    use serde_json::json;

    const NOW: u64 = 1_000_000_000;

    fn live(tag: &str) -> Live {
        Live {
            id: Id::new("cluster", "main"),
            props: json!({"tags": tag, "version": 1}),
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        }
    }

    fn change(path: &str) -> Change {
        Change { path: path.into(), from: json!(1), to: To::Value(json!(2)) }
    }

    /// The judgement ten seconds after an update of tags and version whose tags show.
    fn judged(past: Past, differs: &str) -> Verdict {
        let acted = Some((NOW - 10_000, Some(live("old"))));
        let past = Past { acted, asked: vec![change("tags"), change("version")], ..past };
        let (live, changes) = (live("new"), [change(differs)]);
        by_difference(&Sight {
            lag: 60_000,
            want: &json!({}),
            live: &live,
            changes: &changes,
            past: &past,
            now: NOW,
        })
    }

    #[test]
    fn what_shows_in_part_is_waited_for() {
        assert_eq!(judged(Past::default(), "version"), Verdict::Wait("waiting for AWS to begin".into()));
        assert_eq!(judged(Past::default(), "port"), Verdict::Act(None), "nobody asked for it yet");
        let ended = Past { busy_at: NOW - 5_000, ..Past::default() };
        assert_eq!(judged(ended, "version"), Verdict::Act(None), "AWS finished without changing it");
    }

    /// A look is old while it may show what was there before our last change.
    #[test]
    fn what_may_be_the_state_from_before() {
        const AT: u64 = NOW - 10_000;
        let acted = |before: &str| Some((AT, Some(live(before))));
        for (acted, lag, differs, busy_at, old) in [
            (None, 60_000, &["version"][..], 0, false),
            // What it looked like before.
            (acted("new"), 60_000, &["port"], 0, true),
            (acted("new"), 60_000, &["port"], NOW, true),
            (acted("new"), 10_001, &["port"], 0, true),
            (acted("new"), 10_000, &["port"], 0, false),
            // Something else, of which nothing differs but what was asked for.
            (acted("old"), 60_000, &["version"], 0, true),
            (acted("old"), 60_000, &["version", "tags"], 0, true),
            (acted("old"), 60_000, &["version", "port"], 0, false),
            (acted("old"), 60_000, &[], 0, false),
            (acted("old"), 10_001, &["version"], 0, true),
            (acted("old"), 10_000, &["version"], 0, false),
            (acted("old"), 60_000, &["version"], AT, true),
            (acted("old"), 60_000, &["version"], AT + 1, false),
        ] {
            let case = format!("{acted:?} {lag} {differs:?} {busy_at}");
            let past =
                Past { acted, asked: vec![change("tags"), change("version")], busy_at, ..Past::default() };
            let (live, changes) = (live("new"), differs.iter().map(|path| change(path)).collect::<Vec<_>>());
            let (want, past) = (&json!({}), &past);
            let sight = Sight { lag, want, live: &live, changes: &changes, past, now: NOW };
            assert_eq!(sight.may_be_old(), old, "{case}");
            let verdict = match (old, changes.is_empty()) {
                (true, _) => Verdict::Wait("waiting for AWS to begin".into()),
                (false, true) => Verdict::Done,
                (false, false) => Verdict::Act(None),
            };
            assert_eq!(by_difference(&sight), verdict, "{case}");
            let busy = Live { state: State::Busy("modifying".into()), ..live.clone() };
            let nothing_done = Past::default();
            let sight = Sight { live: &busy, past: &nothing_done, ..sight };
            assert_eq!(by_difference(&sight), Verdict::Wait("modifying".into()), "{case}");
        }
    }
}
