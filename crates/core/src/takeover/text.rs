//! The text of a spec that is written by us: comments say what no field does.

use super::draft::Draft;
use crate::plan::Plan;
use crate::resource::Action;
use crate::spec::{self, Spec};
use std::collections::BTreeMap;

/// Characters of a line of a comment.
const WIDTH: usize = 110;

/// Lines of YAML, two spaces for each level.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Vec<String>);

impl Lines {
    pub fn add(&mut self, level: usize, text: &str) {
        self.0.push(format!("{}{text}", "  ".repeat(level)));
    }

    pub fn comment(&mut self, text: &str) {
        self.comment_in(0, text);
    }

    /// A comment of as many lines as it needs.
    pub fn comment_in(&mut self, level: usize, text: &str) {
        // What AWS or a tag says may hold anything.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
                self.add(level, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.add(level, &format!("# {line}"));
        }
    }

    pub fn append(&mut self, other: Lines) {
        self.0.extend(other.0);
    }

    /// These lines as the value of a key.
    pub fn under(self, key: &str) -> Lines {
        let mut all = vec![key.to_string()];
        all.extend(self.0);
        Lines(all)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text of YAML, whatever is in it: JSON's strings are YAML's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A spec, and its text.
#[derive(Clone, Debug)]
pub struct Written {
    pub spec: Spec,
    pub text: String,
}

/// The text of a draft. `plan` is what an apply of it would do if CloudFormation had handed over already: what it would
/// change beside tags is kept as it was found, so that nothing changes before a person says so.
///
/// # Errors
/// When our own parser does not take it: what it says.
pub fn written(draft: &Draft, plan: Option<&Plan>) -> Result<Written, String> {
    let mut parts = draft.parts.clone();
    if !draft.notes.is_empty() {
        let mut notes = Lines::default();
        notes.comment("What this file does not describe:");
        for note in &draft.notes {
            notes.comment(&format!("- {note}"));
        }
        parts.insert(1.min(parts.len()), notes);
    }
    parts.push(taken_over(draft, plan));
    let text: Vec<String> =
        parts.iter().filter(|part| !part.is_empty()).map(|part| part.0.join("\n")).collect();
    let text = text.join("\n\n") + "\n";
    match spec::parse(text.as_bytes()) {
        Ok(spec) => Ok(Written { spec, text }),
        Err(problems) => Err(problems.render("the spec of what there is", &text)),
    }
}

fn taken_over(draft: &Draft, plan: Option<&Plan>) -> Lines {
    let mut lines = Lines::default();
    lines.comment(
        "What this stack takes over, by AWS's ids. As long as the CloudFormation stack exists, `apply` sets only tags. Keep this section in the spec afterwards.",
    );
    lines.add(0, "taken_over:");
    lines.add(1, &format!("from_stack: {}", quoted(&draft.from_stack)));
    if !draft.objects.is_empty() {
        lines.add(1, "objects:");
        for (resource, object) in &draft.objects {
            lines.add(2, &format!("{resource}: {}", quoted(object)));
        }
    }
    let kept = plan.map(|plan| as_found(draft, plan)).unwrap_or_default();
    if !kept.is_empty() {
        lines.comment_in(
            1,
            "What is kept as found. Remove a property, and `plan` shows how apply would change it.",
        );
        lines.add(1, "as_found:");
        for (resource, properties) in &kept {
            let all: Vec<String> = properties.iter().map(|property| quoted(property)).collect();
            let why = reason(resource, properties).map(|why| format!("   # {why}")).unwrap_or_default();
            lines.add(2, &format!("{resource}: [{}]{why}", all.join(", ")));
        }
    }
    lines
}

/// The properties that a plan would change, by resource; `*` for what it would make anew beside what is there.
fn as_found(draft: &Draft, plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for step in plan.work() {
        let resource = step.id.to_string();
        match step.action {
            Action::Update | Action::Recreate => {
                let changes = step.changes.iter().filter(|change| !change.concerns("tags"));
                for change in changes {
                    // A list or a whole mapping is kept as one.
                    let top = change.path.split('.').next().unwrap_or_default().to_string();
                    let of = kept.entry(resource.clone()).or_default();
                    if !of.contains(&top) {
                        of.push(top);
                    }
                }
            }
            Action::Create if step.id.kind == "secret_attachment" => {
                kept.insert(resource, vec!["*".into()]);
            }
            _ => {}
        }
    }
    kept.retain(|resource, _| {
        let is_part = ["cluster_role.", "secret_attachment."].iter().any(|kind| resource.starts_with(kind));
        is_part || draft.objects.contains_key(resource)
    });
    kept
}

/// Why something stays as it was found, where that is not plain.
fn reason(resource: &str, properties: &[String]) -> Option<&'static str> {
    let kind = resource.split('.').next().unwrap_or_default();
    let has = |property: &str| properties.iter().any(|one| one == property);
    Some(match kind {
        "bucket" if has("policy") => "without this: unencrypted requests are denied",
        "security_group" if has("egress") => {
            "without this: outbound traffic is limited to what the services need"
        }
        "security_group" if has("description") => "AWS cannot change a description",
        "notebook_config" => "without this: the first apply replaces these scripts",
        "notebook" => "without this: the notebook is stopped for the change and started again",
        "secret_attachment" => {
            "without this: host, port and engine of the cluster are written into the secret"
        }
        "cluster_role" => "without this: apply manages the association, and removes it with the role",
        "cluster" | "instance" => "without this: apply changes the database",
        "parameter_group" => "without this: apply sets what the spec says, and members may need a restart",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stays_a_comment() {
        let mut lines = Lines::default();
        lines.comment_in(1, &format!("a {} \n b: c", "word ".repeat(40)));
        assert!(lines.0.len() > 1 && lines.0.iter().all(|line| line.starts_with("  # ")), "{lines:?}");
        assert_eq!(quoted("a\n\"b"), "\"a\\n\\\"b\"");
    }
}
