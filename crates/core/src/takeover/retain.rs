//! The template of a stack that hands over.

use crate::template::{Template, references};
use serde_json::{Value, json};

/// Key in the metadata of resources. A policy was no update by itself for years, and counted with one of the same resource
/// (coverage-roadmap #1543): metadata is one that changes no object.
const MARK: &str = "Auroraml";

const RETAIN: &str = "Retain";

/// Whether every resource stays whatever becomes of the stack.
pub fn is_retained(template: &Template) -> bool {
    let resources = template.resources();
    let is = |policy: Option<&str>| policy == Some(RETAIN);
    resources.iter().all(|one| is(one.deletion_policy()) && is(one.update_replace_policy()))
}

/// The same template with every resource retained; with a mark on each, if an update would be none without it.
pub fn retaining(template: &Template, marked: bool) -> Template {
    let retained = template.with_policy(RETAIN);
    if !marked {
        return retained;
    }
    let mut value = retained.value().clone();
    let resources = value["Resources"].as_object_mut().into_iter().flat_map(|all| all.values_mut());
    for resource in resources.filter_map(Value::as_object_mut) {
        let metadata = resource.entry("Metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(MARK.into(), "hands over".into());
        }
    }
    parsed(&value).unwrap_or(retained)
}

/// The template with these resources alone, and the outputs that they still can have.
pub fn without(template: &Template, stay: &[String]) -> Template {
    let mut value = template.value().clone();
    if let Some(resources) = value["Resources"].as_object_mut() {
        resources.retain(|id, _| stay.contains(id));
    }
    let gone: Vec<&str> = template
        .resources()
        .iter()
        .map(|one| one.id)
        .filter(|id| !stay.iter().any(|kept| kept == id))
        .collect();
    if let Some(outputs) = value.get_mut("Outputs").and_then(Value::as_object_mut) {
        outputs.retain(|_, output| !refers(output, &gone));
        if outputs.is_empty()
            && let Some(all) = value.as_object_mut()
        {
            all.remove("Outputs");
        }
    }
    parsed(&value).unwrap_or_else(|| template.clone())
}

/// Of the resources that stay, those that refer to what goes: which, and to what.
pub fn torn(template: &Template, stay: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for one in template.resources().iter().filter(|one| stay.iter().any(|id| id == one.id)) {
        let others = template.resources();
        let gone = others.iter().map(|other| other.id).filter(|id| !stay.iter().any(|kept| kept == id));
        for other in gone {
            if refers(one.all, &[other]) || one.depends_on().contains(&other) {
                found.push((one.id.to_string(), other.to_string()));
            }
        }
    }
    found
}

/// Whether the template is too large for a request, once it is retained: how large.
pub fn bytes(template: &Template) -> usize {
    retaining(template, true).value().to_string().len()
}

fn refers(value: &Value, ids: &[&str]) -> bool {
    references(value).iter().any(|reference| reference.id().is_some_and(|id| ids.contains(&id)))
}

fn parsed(value: &Value) -> Option<Template> {
    Template::parse(&value.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Resources:\n  Key: { Type: AWS::KMS::Key }\n  Alias: { Type: AWS::KMS::Alias, Properties: { AliasName: alias/blog, TargetKeyId: !Ref Key } }\n  Bucket: { Type: AWS::S3::Bucket, DeletionPolicy: Retain }\nOutputs:\n  Name: { Value: !Ref Bucket }\n  Id: { Value: !Ref Key }\n";

    #[test]
    fn both_policies_are_wanted() {
        let template = Template::parse(TEXT).unwrap();
        assert!(!is_retained(&template));
        assert!(is_retained(&retaining(&template, false)));
        let marked = retaining(&template, true);
        assert!(is_retained(&marked));
        assert!(marked.resources().iter().all(|one| one.all["Metadata"][MARK].is_string()));
        let half = TEXT.replace("Type: AWS::KMS::Key ", "Type: AWS::KMS::Key, DeletionPolicy: Retain ");
        assert!(!is_retained(&Template::parse(&half).unwrap()));
        assert!(bytes(&template) > 100);
    }

    #[test]
    fn what_stays_stays_whole() {
        let template = Template::parse(TEXT).unwrap();
        let stay = ["Key".to_string(), "Alias".to_string()];
        let left = without(&template, &stay);
        let ids: Vec<&str> = left.resources().iter().map(|one| one.id).collect();
        assert_eq!(ids, ["Key", "Alias"]);
        assert_eq!(left.outputs().iter().map(|one| one.name).collect::<Vec<_>>(), ["Id"]);
        assert_eq!(torn(&template, &stay), []);
        assert_eq!(torn(&template, &stay[1..]), [("Alias".to_string(), "Key".to_string())]);
    }
}
