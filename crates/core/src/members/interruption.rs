//! What a change interrupts, and what a run may interrupt. Pure.

use crate::base::Id;
use crate::spec::Allow;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What a step interrupts or destroys, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    #[default]
    None,
    /// A reader restarts or goes; connections to it drop.
    Readers,
    /// The writer's role moves to a reader; connections to the writer drop.
    Failover,
    /// The writer restarts in place; where AWS does so, all members at once.
    Restart,
    DataLoss,
}

impl From<Allow> for Impact {
    fn from(allow: Allow) -> Impact {
        match allow {
            Allow::None => Impact::None,
            Allow::Readers => Impact::Readers,
            Allow::Failover => Impact::Failover,
            Allow::Restart => Impact::Restart,
        }
    }
}

/// One thing that those who use the database notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Interruption {
    pub impact: Impact,
    /// What happens: `restart reader orders-2`.
    pub what: String,
    pub why: String,
    /// DB instances that restart or go. Of a failover the old writer comes first.
    pub members: Vec<String>,
    /// How long that usually takes, and how long in one case of ten (fact book, section 8.2). Zero: until somebody
    /// ends it.
    pub seconds: Seconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Seconds {
    pub usually: u64,
    pub at_worst: u64,
}

/// What a change of an object does to the members of the cluster, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    None,
    /// The object is a member, and is made.
    MemberComes,
    /// The object is a member, and goes.
    MemberGoes,
    /// The Serverless v2 members wait for a restart afterwards.
    ServerlessPending,
    /// All members wait for a restart afterwards.
    Pending,
    /// The member itself is restarted by AWS.
    RestartsMember(Seconds),
    /// All members are restarted by AWS, at once.
    RestartsAll(Seconds),
    /// All members stop, and serve nobody until the cluster is started again.
    StopsAll,
}

impl Effect {
    /// Whether the change itself interrupts somebody.
    pub fn is_at_once(self) -> bool {
        matches!(
            self,
            Effect::RestartsAll(_) | Effect::RestartsMember(_) | Effect::MemberGoes | Effect::StopsAll
        )
    }
}

/// How often the same interruption is made in one run when it does not have its effect.
const SAME_MAX: usize = 3;

/// What a run may interrupt: what the plan that was agreed to announced, and nothing else. The plans of later
/// rounds, and what is found under way, are held to the first.
#[derive(Debug, Default)]
pub struct Permit {
    announced: Vec<Interruption>,
    /// Members that the run itself makes: nobody uses them yet.
    fresh: BTreeSet<String>,
    /// The cluster is deleted as a whole.
    whole: bool,
    /// When the window closes, in milliseconds since the Unix epoch.
    closes: Option<u64>,
    made: Mutex<Vec<(Id, Interruption)>>,
}

impl Permit {
    /// `closes` in milliseconds since the Unix epoch.
    pub fn new(
        announced: Vec<Interruption>,
        fresh: BTreeSet<String>,
        whole: bool,
        closes: Option<u64>,
    ) -> Permit {
        Permit { announced, fresh, whole, closes, made: Mutex::default() }
    }

    /// Whether this may be done at `now` (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// Why not, in words for the user.
    pub fn check(&self, now: u64, interruption: &Interruption) -> Result<(), String> {
        let is_fresh = |member: &String| self.fresh.contains(member);
        let what = &interruption.what;
        let nobody = interruption.impact == Impact::None;
        if self.whole || nobody || interruption.members.iter().all(is_fresh) {
            return Ok(());
        }
        if self.closes.is_some_and(|closes| now >= closes) {
            return Err(format!(
                "the spec's window has closed: cannot {what} now; run again when it is open"
            ));
        }
        let again = "run again for a new plan";
        let announced: BTreeSet<&String> = self.announced.iter().flat_map(|known| &known.members).collect();
        let unknown =
            interruption.members.iter().find(|member| !announced.contains(member) && !is_fresh(member));
        if let Some(member) = unknown {
            return Err(format!(
                "unplanned: would {what}, but a restart of {member} is not in the plan; {again}"
            ));
        }
        let worst = self.announced.iter().map(|known| known.impact).max().unwrap_or_default();
        if interruption.impact > worst {
            return Err(format!("unplanned: would {what}, which goes beyond the plan; {again}"));
        }
        // What was agreed to one after the other is another thing at once: then nobody serves.
        let at_once = interruption.members.iter().filter(|member| !is_fresh(member)).count();
        let agreed = |known: &Interruption| known.impact >= Impact::Restart && known.members.len() >= at_once;
        if interruption.impact >= Impact::Restart && !self.announced.iter().any(agreed) {
            return Err(format!("unplanned: would {what}, but the plan restarts fewer at a time; {again}"));
        }
        let made = self.made();
        let same = |known: &&(Id, Interruption)| {
            known.1.impact == interruption.impact && known.1.members.first() == interruption.members.first()
        };
        if made.iter().filter(same).count() >= SAME_MAX {
            return Err(format!("AWS accepted it {SAME_MAX} times without effect: {what}"));
        }
        Ok(())
    }

    /// Takes note that AWS has accepted it.
    pub fn made_one(&self, id: &Id, interruption: Interruption) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push((id.clone(), interruption));
    }

    /// Everything that was interrupted so far, in order.
    pub fn made(&self) -> Vec<(Id, Interruption)> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it concerns nobody but members that the run itself has made: nobody uses them yet.
    pub fn is_of_new_members(&self, interruption: &Interruption) -> bool {
        let members = &interruption.members;
        !members.is_empty() && members.iter().all(|member| self.fresh.contains(member))
    }

    /// What the plan announced.
    pub fn announced(&self) -> &[Interruption] {
        &self.announced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restart(impact: Impact, members: &[&str]) -> Interruption {
        let members: Vec<String> = members.iter().map(|name| name.to_string()).collect();
        let seconds = Seconds { usually: 10, at_worst: 60 };
        Interruption { impact, what: format!("restart {members:?}"), why: String::new(), members, seconds }
    }

    fn refusal(permit: &Permit, now: u64, impact: Impact, members: &[&str]) -> Option<&'static str> {
        let whys = ["window", "not in the plan", "goes beyond", "fewer at a time", "without effect"];
        let why = permit.check(now, &restart(impact, members)).err()?;
        Some(whys.into_iter().find(|part| why.contains(part)).unwrap_or_else(|| panic!("{why}")))
    }

    #[test]
    fn what_was_announced_may_be_done() {
        use Impact::{DataLoss, Failover, None as Nothing, Readers, Restart};
        let fresh = || BTreeSet::from(["new".to_string()]);
        let announced = vec![restart(Readers, &["a"]), restart(Failover, &["b", "c"])];
        let permit = Permit::new(announced.clone(), fresh(), false, Some(1_000));
        for (now, impact, members, why) in [
            (0, Readers, &["a"][..], None),
            (999, Failover, &["b", "c"], None),
            (0, Failover, &["a", "new"], None),
            (0, Readers, &["x"], Some("not in the plan")),
            (0, Readers, &["new", "x"], Some("not in the plan")),
            (0, Restart, &["a"], Some("goes beyond")),
            (1_000, Readers, &["a"], Some("window")),
            // What nobody notices needs no leave.
            (2_000, Nothing, &["x"], None),
            (2_000, Restart, &["new"], None),
        ] {
            assert_eq!(refusal(&permit, now, impact, members), why, "{now} {impact:?} {members:?}");
        }
        assert_eq!(permit.announced(), announced);
        let whole = Permit::new(Vec::new(), fresh(), true, Some(1_000));
        assert_eq!(refusal(&whole, 2_000, DataLoss, &["x"]), None, "it goes as a whole");
    }

    #[test]
    fn what_has_no_effect_is_not_done_for_ever() {
        let announced = vec![restart(Impact::Failover, &["a", "b"])];
        let permit = Permit::new(announced, BTreeSet::new(), false, None);
        for time in 0..SAME_MAX {
            assert_eq!(refusal(&permit, 0, Impact::Readers, &["a"]), None, "{time}");
            permit.made_one(&Id::new("parameter_sync", "main"), restart(Impact::Readers, &["a"]));
        }
        assert_eq!(permit.made().len(), SAME_MAX);
        assert_eq!(refusal(&permit, 0, Impact::Readers, &["a"]), Some("without effect"));
        assert_eq!(refusal(&permit, 0, Impact::Readers, &["b"]), None);
        assert_eq!(refusal(&permit, 0, Impact::Failover, &["a", "b"]), None);
    }

    #[test]
    fn effects_that_interrupt_at_once() {
        let seconds = Seconds { usually: 1, at_worst: 2 };
        let at_once = [
            Effect::MemberGoes,
            Effect::RestartsMember(seconds),
            Effect::RestartsAll(seconds),
            Effect::StopsAll,
        ];
        let later = [Effect::None, Effect::MemberComes, Effect::ServerlessPending, Effect::Pending];
        assert!(at_once.into_iter().all(Effect::is_at_once) && !later.into_iter().any(Effect::is_at_once));
        let impacts = [Allow::None, Allow::Readers, Allow::Failover, Allow::Restart].map(Impact::from);
        assert_eq!(impacts, [Impact::None, Impact::Readers, Impact::Failover, Impact::Restart]);
    }

    #[test]
    fn one_after_the_other_is_no_leave_for_all_at_once() {
        let announced = [&["a"][..], &["b"], &["c"]].map(|members| restart(Impact::Restart, members));
        let fresh = BTreeSet::from(["new".to_string()]);
        let permit = Permit::new(announced.to_vec(), fresh.clone(), false, None);
        assert_eq!(permit.check(0, &restart(Impact::Restart, &["b"])), Ok(()));
        assert_eq!(permit.check(0, &restart(Impact::Restart, &["b", "new"])), Ok(()), "nobody uses that one");
        let why = permit.check(0, &restart(Impact::Restart, &["a", "b"])).unwrap_err();
        assert!(why.contains("fewer at a time"), "{why}");
        let all = Permit::new(vec![restart(Impact::Restart, &["a", "b", "c"])], fresh, false, None);
        assert_eq!(all.check(0, &restart(Impact::Restart, &["c", "a"])), Ok(()), "fewer than announced");
    }
}
