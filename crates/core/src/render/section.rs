//! Which kinds are shown together, in the order in which a person would build a stack.

use crate::kinds::{Kind, SECTIONS};
use crate::plan::Step;
use crate::resource::Action;
use crate::takeover::{Handover, Retention};

/// Title of the section that shows resources of this kind.
pub fn section(kind: &str) -> &'static str {
    match kind {
        Retention::NAME | Handover::NAME => "Hand-over by CloudFormation",
        kind => SECTIONS.iter().find(|(name, _)| *name == kind).map_or("Other", |(_, title)| title),
    }
}

/// Place of a kind in the order of all of them.
pub(super) fn rank(kind: &str) -> usize {
    SECTIONS.iter().position(|(name, _)| *name == kind).unwrap_or(usize::MAX)
}

/// The steps by section: what is built first, then, in the order in which it goes, what is deleted.
pub(super) fn sections<'p>(steps: impl Iterator<Item = &'p Step>) -> Vec<(&'static str, Vec<&'p Step>)> {
    let (gone, mut built): (Vec<&Step>, Vec<&Step>) =
        steps.partition(|step| matches!(step.action, Action::Delete | Action::Vanish | Action::Stop));
    // A stable sort: within a kind the plan's order stays.
    built.sort_by_key(|step| rank(step.id.kind));
    let mut out: Vec<(&'static str, Vec<&Step>)> = Vec::new();
    for step in built {
        let title = section(step.id.kind);
        match out.last_mut() {
            Some((last, steps)) if *last == title => steps.push(step),
            _ => out.push((title, vec![step])),
        }
    }
    if !gone.is_empty() {
        out.push(("To be deleted, in this order", gone));
    }
    out
}
