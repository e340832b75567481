//! CloudFormation templates as values: read from YAML or JSON, compared, looked into, changed, and written.
//!
//! A [`Template`] is the text's value with every function in its long form: `!Ref a` is `{"Ref": "a"}`. Numbers that
//! JSON would write otherwise are text, as they are to CloudFormation. Nothing is resolved: what a `Ref` comes to is
//! for those to say who know the stack.
//!
//! [`Template::parse`] checks the frame only: sections, resources with a type, references that lead somewhere. What
//! the properties of a type may be, CloudFormation says.

mod check;
mod compare;
mod problem;
mod read;
mod references;
mod short_form;
mod types;
mod view;

pub use compare::{Difference, differences, same};
pub use problem::{Problem, Problems};
pub use read::LARGEST;
pub use references::{Reference, references, variables};
pub use types::SNAPSHOT;
pub use view::{Capability, Output, Parameter, Resource};

use read::Lines;
use serde_json::{Map, Value};

/// Bytes of a template that CloudFormation takes in the request itself (quotas: "Template body size in a request").
pub const LARGEST_INLINE: usize = 51_200;

/// A template, checked as far as it can be without knowing the types of resources.
#[derive(Clone, Debug)]
pub struct Template {
    value: Value,
    lines: Lines,
}

impl Template {
    /// The template that a file or an answer of `GetTemplate` holds, as YAML or JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(text: &str) -> Result<Template, Problems> {
        let (value, lines) = read::read(text)?;
        let template = Template { value, lines };
        match Problems::of(check::problems(&template)) {
            Some(problems) => Err(problems),
            None => Ok(template),
        }
    }

    /// The template with its functions in their long forms.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The line on which the value of this path stands, such as `Resources.Bucket`, where it is known.
    pub fn line(&self, path: &str) -> Option<usize> {
        self.lines.get(path).copied().filter(|line| *line > 0)
    }

    /// As JSON, which CloudFormation takes just as well. What is read of it is the same.
    pub fn to_json(&self) -> String {
        // Keys are text: writing cannot fail.
        serde_json::to_string_pretty(&self.value).unwrap_or_default()
    }

    /// The same with the policy, such as `Retain`, for deletion and for replacement, on every resource; whatever
    /// each had before. To hand resources over both are needed: a replacement deletes too.
    #[must_use]
    pub fn with_policy(&self, policy: &str) -> Template {
        let mut value = self.value.clone();
        let resources = value.get_mut("Resources").and_then(Value::as_object_mut);
        for resource in resources.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
            for attribute in ["DeletionPolicy", "UpdateReplacePolicy"] {
                resource.insert(attribute.to_owned(), Value::String(policy.to_owned()));
            }
        }
        Template { value, lines: self.lines.clone() }
    }

    /// Whether both say the same, in whatever order, with `3306` or `"3306"`.
    pub fn is_same(&self, other: &Template) -> bool {
        same(&self.value, &other.value)
    }

    /// Where the other one differs, by path. Secrets are said to differ and not shown.
    pub fn differences(&self, other: &Template) -> Vec<Difference> {
        let secret = |template: &Template, path: &str| {
            let parameter = path.strip_prefix("Parameters.").and_then(|rest| rest.split('.').next());
            parameter.is_some_and(|name| template.parameters().iter().any(|p| p.name == name && p.no_echo))
        };
        let mut found = differences(&self.value, &other.value);
        for difference in &mut found {
            if secret(self, &difference.path) || secret(other, &difference.path) {
                difference.hide();
            }
        }
        found
    }

    fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let section = self.value.get(name).and_then(Value::as_object);
        section.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }
}
