//! What an update does to what is in a stack: whose data goes or may go, and which outputs may become others. Pure.
//!
//! What CloudFormation replaces depends on the properties of hundreds of types; only a change set tells. Without one
//! nothing is guessed: what changes itself, or refers to what changes, may be replaced.

use super::{OUTPUT, Status, change_set_of, is_of_template, status_of, template_of};
use crate::base::{Change, Live};
use crate::template::{Resource, variables};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Texts<'t> = BTreeMap<&'t str, &'t str>;

/// Whether CloudFormation replaces a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    Yes,
    /// It depends on what it cannot tell before.
    Maybe,
}

/// Whether deleting the stack deletes data. A stack that never came up has none.
pub fn holds(live: &Live) -> bool {
    let is_empty = matches!(
        status_of(live),
        Some(Status::RollbackComplete | Status::RollbackFailed | Status::ReviewInProgress)
    );
    let template = template_of(&live.props);
    !is_empty && data(&template).iter().any(|id| !is_retained(&template, id, "DeletionPolicy"))
}

/// The data that this update deletes or may delete, as sentences.
pub fn loses(want: &Value, changes: &[Change], live: &Live) -> Vec<String> {
    if let Some(set) = change_set_of(want) {
        return set.losses;
    }
    let (template, wanted) = (template_of(&live.props), template_of(want));
    let affected = affected(changes, &template);
    let mut found = Vec::new();
    for id in data(&template) {
        let (kind, to) = (kind(&template, id), kind(&wanted, id));
        let goes =
            to != kind && changes.iter().any(|change| change.path == format!("template.Resources.{id}.Type"));
        if goes && !is_retained(&template, id, "DeletionPolicy") {
            found.push(at_stake(id, kind, None));
        } else if !goes
            && affected.contains(id)
            && !(is_retained(&template, id, "UpdateReplacePolicy")
                && is_retained(&wanted, id, "UpdateReplacePolicy"))
        {
            found.push(format!("{id} ({kind}) may be replaced and lose its data: check with --change-sets"));
        }
    }
    found
}

/// What is said of a resource with data that a change set removes or replaces.
pub fn at_stake(id: &str, kind: &str, replaced: Option<Replaced>) -> String {
    let what = match replaced {
        None => "is deleted, and its data with it",
        Some(Replaced::Yes) => "is replaced and loses its data",
        Some(Replaced::Maybe) => "may be replaced and lose its data",
    };
    format!("{id} ({kind}) {what}")
}

/// The outputs of the stack that these changes may make others.
pub fn unsettles(want: &Value, changes: &[Change], live: &Live) -> BTreeSet<String> {
    let changes: Vec<Change> = changes.iter().filter(|change| is_of_template(change)).cloned().collect();
    if changes.is_empty() {
        return BTreeSet::new();
    }
    let (template, wanted) = (template_of(&live.props), template_of(want));
    let affected = match change_set_of(want) {
        Some(set) => set.touched,
        None => affected(&changes, &template),
    };
    let names = template.keys().chain(wanted.keys()).filter_map(|path| part(path, "Outputs"));
    let names: BTreeSet<&str> = names.collect();
    let may_change = |name: &&str| {
        let own = format!("template.Outputs.{name}");
        let is_written_anew = changes.iter().any(|change| change.concerns(&own));
        is_written_anew || mentions(&template, &format!("Outputs.{name}"), &affected)
    };
    names.into_iter().filter(may_change).map(|name| format!("{OUTPUT}{name}")).collect()
}

/// Logical ids of the resources with data.
fn data<'t>(template: &Texts<'t>) -> BTreeSet<&'t str> {
    let ids: BTreeSet<&str> = template.keys().filter_map(|path| part(path, "Resources")).collect();
    let bears = |id: &&str| bears_data(template, id, kind(template, id));
    ids.into_iter().filter(bears).collect()
}

fn bears_data(template: &Texts<'_>, id: &str, kind: &str) -> bool {
    // A member of a cluster has no data of its own.
    let cluster = format!("Resources.{id}.Properties.DBClusterIdentifier");
    let own = template.range(cluster.as_str()..).next();
    let properties = match own.is_some_and(|(path, _)| path.starts_with(&cluster)) {
        true => json!({ "DBClusterIdentifier": "" }),
        false => json!({}),
    };
    Resource { id, kind, properties: &properties, all: &Value::Null }.bears_data()
}

/// Whether a resource of this type holds data; `template` is where it stands.
pub fn is_data(template: &BTreeMap<String, String>, id: &str, kind: &str) -> bool {
    let texts = template.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    bears_data(&texts.collect(), id, kind)
}

fn kind<'t>(template: &Texts<'t>, id: &str) -> &'t str {
    template.get(format!("Resources.{id}.Type").as_str()).copied().unwrap_or_default()
}

/// Whether it stays when it is taken out, or replaced.
fn is_retained(template: &Texts<'_>, id: &str, policy: &str) -> bool {
    let policy = template.get(format!("Resources.{id}.{policy}").as_str());
    policy.is_some_and(|policy| matches!(*policy, "Retain" | "RetainExceptOnCreate"))
}

/// The name that a path has in this section.
fn part<'p>(path: &'p str, section: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(section)?.strip_prefix('.')?;
    rest.split(['.', '[']).next()
}

/// What changes, and what refers to it: logical ids, and the names of parameters, conditions and mappings.
fn affected(changes: &[Change], template: &Texts<'_>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = changes.iter().filter_map(changed).collect();
    let names: BTreeSet<(&str, &str)> = template
        .keys()
        .flat_map(|path| {
            ["Resources", "Conditions"]
                .into_iter()
                .filter_map(|section| Some((section, part(path, section)?)))
        })
        .collect();
    if changes.iter().any(|change| change.concerns("template.Transform")) {
        found.extend(names.iter().map(|(_, name)| (*name).to_owned()));
    }
    loop {
        let before = found.len();
        for (section, name) in &names {
            if !found.contains(*name) && mentions(template, &format!("{section}.{name}"), &found) {
                found.insert((*name).to_owned());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The name of what a change is of, where it may become another by it.
fn changed(change: &Change) -> Option<String> {
    if let Some(rest) = change.path.strip_prefix("parameters.") {
        return Some(rest.split('.').next().unwrap_or(rest).to_owned());
    }
    let path = change.path.strip_prefix("template.")?;
    if let Some(name) = part(path, "Resources") {
        let rest =
            path.strip_prefix("Resources.").and_then(|rest| rest.strip_prefix(name)).unwrap_or_default();
        // Attributes and tags make nothing another (template reference, "Resource attribute reference").
        let stays =
            [".DeletionPolicy", ".UpdateReplacePolicy", ".DependsOn", ".Metadata", ".Properties.Tags"];
        return (!stays.iter().any(|part| rest.starts_with(part))).then(|| name.to_owned());
    }
    let sections = ["Conditions", "Mappings", "Parameters"];
    sections.into_iter().find_map(|section| part(path, section)).map(String::from)
}

/// Whether what stands under this path refers to one of these.
fn mentions(template: &Texts<'_>, path: &str, names: &BTreeSet<String>) -> bool {
    let below = format!("{path}.");
    let own = template.range(path..).take_while(|(key, _)| key.starts_with(path));
    let mut own =
        own.filter(|(key, _)| **key == path || key.starts_with(&below) || key[path.len()..].starts_with('['));
    own.any(|(key, text)| {
        let is_name = |name: &str| names.contains(name.split('.').next().unwrap_or(name));
        if let Some(name) = text.strip_prefix("!Ref ").or_else(|| text.strip_prefix("!GetAtt ")) {
            return is_name(name);
        }
        let end = key.rsplit('.').next().unwrap_or(key);
        match end {
            "Fn::Sub" | "Fn::Sub[0]" => variables(text).into_iter().any(is_name),
            "Condition" | "Fn::If[0]" | "Fn::FindInMap[0]" => is_name(text),
            _ => false,
        }
    })
}
