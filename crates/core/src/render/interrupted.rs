//! What a plan announced beside what happened: who was interrupted, and who was spared. Pure.

use super::wrap::Form;
use crate::members::{Interruption, Permit};

/// What the end of a run says of interruptions; nothing where there is nothing to say. A run that has not `finished` names those
/// that it made: whoever stopped it must know who was interrupted.
pub fn interrupted(form: Form, permit: &Permit, finished: bool) -> String {
    let (announced, made) = (permit.announced(), permit.made());
    // Nobody uses a member that the run itself has made.
    let (early, made): (Vec<Interruption>, Vec<Interruption>) =
        made.into_iter().map(|(_, done)| done).partition(|done| permit.is_of_new_members(done));
    let mut out = String::new();
    if !early.is_empty() {
        let mut members: Vec<&str> =
            early.iter().flat_map(|done| &done.members).map(String::as_str).collect();
        members.sort_unstable();
        members.dedup();
        let text = format!("Restarted before first use: {}.", members.join(", "));
        out.push_str(&format!("{}\n", form.wrap(&text, 2)));
    }
    if announced.is_empty() && made.is_empty() {
        return out;
    }
    let mut text = format!("Interruptions: {} announced, {} made", announced.len(), made.len());
    if !finished && !made.is_empty() {
        let names: Vec<&str> = made.iter().map(|done| done.what.as_str()).collect();
        text.push_str(&format!(": {}", names.join(", ")));
    }
    let mut add = |what: &str, list: Vec<&str>| {
        if !list.is_empty() {
            text.push_str(&format!("; {what}: {}", list.join(", ")));
        }
    };
    let happened = |wanted: &&Interruption| made.iter().any(|done| done.what == wanted.what);
    let spared = announced.iter().filter(|wanted| !happened(wanted)).map(|wanted| wanted.what.as_str());
    if !finished {
        add("not made", spared.collect());
        out.push_str(&format!("{}\n", form.wrap(&format!("{text}."), 2)));
        return out;
    }
    add("not needed, or done differently", spared.collect());
    let instead = made.iter().filter(|done| !announced.iter().any(|wanted| wanted.what == done.what));
    add("instead", instead.map(|done| done.what.as_str()).collect());
    out.push_str(&format!("{}\n", form.wrap(&format!("{text}."), 2)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Id;
    use crate::members::{Impact, Seconds};

    fn interruption(what: &str) -> Interruption {
        Interruption {
            impact: Impact::Restart,
            what: what.into(),
            why: String::new(),
            members: what.split(' ').next_back().map(String::from).into_iter().collect(),
            seconds: Seconds { usually: 1, at_worst: 2 },
        }
    }

    /// How many of the announced interruptions were made, which were not necessary, and what took their place.
    #[test]
    fn what_was_announced_is_compared_with_what_was_made() {
        let told = |announced: &[&str], made: &[&str], finished: bool| {
            let announced = announced.iter().map(|what| interruption(what)).collect();
            let permit = Permit::new(announced, ["new".to_string()].into(), false, None);
            made.iter().for_each(|what| {
                permit.made_one(&Id::new("parameter_sync", "main"), interruption(what));
            });
            interrupted(Form::default(), &permit, finished)
        };
        let said = |announced: &[&str], made: &[&str]| told(announced, made, true);
        assert_eq!(said(&[], &[]), "");
        assert_eq!(said(&["restart a"], &["restart a"]), "Interruptions: 1 announced, 1 made.\n");
        assert_eq!(
            said(&["restart a", "restart b"], &["restart b"]),
            "Interruptions: 2 announced, 1 made; not needed, or done differently: restart a.\n"
        );
        assert_eq!(
            said(&["fail over to a"], &["fail over to b"]),
            "Interruptions: 1 announced, 1 made; not needed, or done differently: fail over to a; instead: fail over \
             to b.\n"
        );
        assert_eq!(said(&[], &["restart new", "restart new"]), "Restarted before first use: new.\n");
        let stopped = |made: &[&str]| told(&["restart a", "restart b"], made, false);
        assert_eq!(
            stopped(&["restart b"]),
            "Interruptions: 2 announced, 1 made: restart b; not made: restart a.\n"
        );
        assert_eq!(stopped(&[]), "Interruptions: 2 announced, 0 made; not made: restart a, restart b.\n");
        assert_eq!(told(&[], &[], false), "");
    }
}
