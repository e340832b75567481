//! What a person lets go by name, and no such thing is there.

use super::deletions::awaits_word;
use crate::base::{Live, Observed};
use crate::resource::{Catalog, Graph};
use crate::spec::nearest;

/// A name under `--delete` that was probably meant otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misnamed {
    pub name: String,
    pub why: String,
    pub hint: String,
}

/// The names that let nothing go. What has gone already is none of them: the same command finishes what an earlier run
/// began; but while something else waits for a word, nobody can say that it was not meant.
pub fn misnamed(graph: &Graph, observed: &Observed, catalog: &Catalog) -> Vec<Misnamed> {
    let unwanted = |live: &&Live| !graph.resources.contains_key(&live.id);
    let waiting = observed.values().filter(unwanted).filter(|live| awaits_word(graph, catalog, live));
    let waiting: Vec<String> = waiting.map(|live| live.id.to_string()).collect();
    let others: Vec<&str> =
        waiting.iter().filter(|id| !graph.let_go.contains(*id)).map(String::as_str).collect();
    let judge = |name: &String| {
        let is_said = |live: &Live| (catalog[live.id.kind].holds)(live);
        if observed.values().any(|live| live.id.to_string() == *name && is_said(live)) {
            // What is in it may go with an update, whether the spec has it or not.
            return None;
        }
        let (why, hint) = if graph.resources.keys().any(|id| id.to_string() == *name) {
            ("the spec has it".into(), "remove it from the spec first".to_string())
        } else if observed.keys().any(|id| id.to_string() == *name) {
            return None;
        } else {
            let kind = name.split_once('.').map(|(kind, _)| kind);
            let is_kind = kind.is_some_and(|kind| catalog.iter().any(|(known, _)| known == kind));
            if is_kind && others.is_empty() {
                return None;
            }
            let why = match is_kind {
                true => "there is nothing with that name".into(),
                false => "it is not KIND.NAME of a known kind".to_string(),
            };
            match (nearest(name, others.iter().copied()), others.as_slice()) {
                (Some(near), _) => (why, format!("did you mean --delete {near}?")),
                (None, []) => (why, "remove --delete: nothing needs it".into()),
                (None, others) => (why, format!("you can delete: {}", others.join(", "))),
            }
        };
        Some(Misnamed { name: name.clone(), why, hint })
    };
    graph.let_go.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Id, Outputs, State};
    use crate::kinds::catalog;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn live(kind: &'static str, name: &str) -> Live {
        let (id, outputs) = (Id::new(kind, name), Outputs::new());
        Live { id, props: json!({}), outputs, state: State::Ready, owned: true }
    }

    /// What is said of these names, beside a notebook that the spec no longer has.
    fn told(names: &[&str], has_notebook: bool) -> Vec<String> {
        let let_go: BTreeSet<String> = names.iter().map(|name| name.to_string()).collect();
        let mut graph = Graph { let_go, ..Graph::default() };
        graph.add(Id::new("bucket", "main"), json!({}));
        let lives = [live("bucket", "main"), live("notebook", "main")];
        let observed = lives.into_iter().take(if has_notebook { 2 } else { 1 });
        let observed: Observed = observed.map(|live| (live.id.clone(), live)).collect();
        let wrong = misnamed(&graph, &observed, &catalog());
        wrong.into_iter().map(|wrong| format!("{}: {}; {}", wrong.name, wrong.why, wrong.hint)).collect()
    }

    #[test]
    fn what_names_nothing_is_told() {
        assert_eq!(told(&["notebook.main"], true), [""; 0]);
        assert_eq!(
            told(&["notebok.main"], true),
            ["notebok.main: it is not KIND.NAME of a known kind; did you mean --delete notebook.main?"]
        );
        assert_eq!(
            told(&["notebook.mian"], true),
            ["notebook.mian: there is nothing with that name; did you mean --delete notebook.main?"]
        );
        assert_eq!(
            told(&["endpoint.churn"], true),
            ["endpoint.churn: there is nothing with that name; you can delete: notebook.main"]
        );
        assert_eq!(
            told(&["bucket.main"], true),
            ["bucket.main: the spec has it; remove it from the spec first"]
        );
        assert_eq!(
            told(&["main"], false),
            ["main: it is not KIND.NAME of a known kind; remove --delete: nothing needs it"]
        );
    }

    /// A run that was cut short after it is finished by the same command.
    #[test]
    fn what_has_gone_is_no_slip() {
        assert_eq!(told(&["notebook.main"], false), [""; 0]);
        assert_eq!(told(&["endpoint.gone", "notebook.main"], true), [""; 0]);
    }
}
