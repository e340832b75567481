//! CloudFormation templates as resources of the stack: what they are given, and what others take of them.

use super::network::Network;
use super::{Builder, Code};
use crate::base::{Id, Input};
use crate::kinds::bucket_object;
use crate::kinds::stack::{HIDDEN, OUTPUT, Props, Request, TEMPLATE_TAG, flat};
use crate::resource::Deletion;
use crate::spec::{
    self, Aurora, Own, ParameterValue, Piece, Reference, S3Access, Spec, TemplateStack, is_reference, pieces,
    references,
};
use crate::template::{LARGEST, LARGEST_INLINE, Parameter, Template};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the CloudFormation stacks by their names within the stack; none where the spec says nothing of any.
pub fn physical(spec: &Spec) -> Option<BTreeMap<String, String>> {
    let stacks = spec.stacks.as_ref()?.iter();
    let name = |name: &String, stack: &TemplateStack| {
        stack.name.clone().unwrap_or_else(|| format!("{}-{name}", spec.stack))
    };
    Some(stacks.map(|(key, stack)| (key.clone(), name(key, stack))).collect())
}

impl Builder<'_> {
    /// What a value of the spec is that may refer to outputs of templates.
    pub(super) fn input(&self, text: &str) -> Input {
        self.with_own(text, &|_| Input::from(""))
    }

    fn with_own(&self, text: &str, own: &dyn Fn(&Own) -> Input) -> Input {
        let parts: Vec<Input> = pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Input::from(text),
                Piece::Reference(Reference::Output { stack, output }) => {
                    Input::of(&Id::new("stack", stack), &format!("{OUTPUT}{output}"))
                }
                Piece::Reference(Reference::Own(name)) => own(&name),
            })
            .collect();
        together(parts)
    }

    /// What a parameter is given of the stack's own.
    fn own(&self, own: &Own, network: &Network) -> Input {
        let of = |kind, name: &str, output| Input::of(&Id::new(kind, name), output);
        let joined = |subnets: &[Input]| {
            let mut parts = Vec::new();
            for subnet in subnets {
                if !parts.is_empty() {
                    parts.push(Input::from(","));
                }
                parts.push(subnet.clone());
            }
            together(parts)
        };
        match own {
            Own::ClusterArn => match &self.spec.aurora {
                Some(Aurora::Existing(cluster)) => self.place.cluster_arn(&cluster.existing).into(),
                _ => of("cluster", "main", "arn"),
            },
            Own::ClusterIdentifier => match &self.spec.aurora {
                Some(Aurora::Existing(cluster)) => cluster.existing.to_ascii_lowercase().into(),
                _ => of("cluster", "main", "id"),
            },
            Own::ClusterEndpoint => of("cluster", "main", "endpoint"),
            Own::ClusterPort => match &self.spec.aurora {
                Some(Aurora::Owned(cluster)) => cluster.port.to_string().into(),
                _ => "".into(),
            },
            Own::VpcId => match &self.spec.network {
                Some(spec::Network::Existing(network)) => self.input(&network.existing),
                _ => of("vpc", "main", "id"),
            },
            Own::PrivateSubnets => joined(&network.private),
            Own::PublicSubnets => joined(&network.public),
            Own::AuroraGroup => of("security_group", "aurora", "id"),
            Own::NotebookGroup => of("security_group", "notebook", "id"),
            Own::SecretArn => match self.has_own_secret() {
                true => of("secret", "master", "arn"),
                false => of("cluster", "main", "secret_arn"),
            },
            Own::BucketName => of("bucket", "main", "name"),
            Own::BucketArn => of("bucket", "main", "arn"),
            Own::NotebookName => of("notebook", "main", "name"),
            Own::EndpointName(name) => name.as_str().into(),
            Own::EndpointArn(name) => self.place.endpoint_arn(name).into(),
        }
    }

    /// Puts outputs where a property, a tag or a policy holds the name or ARN that the spec refers to: there it is known
    /// only once the template's stack is made.
    fn refer(&mut self) {
        let spec = self.spec;
        let buckets = match &spec.machine_learning.s3 {
            S3Access::Buckets(named) => named.buckets.as_slice(),
            S3Access::Own(_) => &[],
        };
        let given = spec.roles.given().map(|(_, arn)| arn);
        let given = given.chain(spec.kms_key.as_deref()).chain(buckets.iter().map(String::as_str));
        let given: Vec<&str> = given.filter(|text| is_reference(text)).collect();
        if given.is_empty() {
            return;
        }
        let input = |text: &str| {
            let is_held = given.iter().any(|given| text.contains(given));
            is_held.then(|| json!(self.with_own(text, &|_| Input::from(""))))
        };
        let props: Vec<(Id, Value)> = self
            .graph
            .resources
            .values()
            .map(|resource| (resource.id.clone(), referring(&resource.props, &input)))
            .collect();
        for (id, props) in props {
            if let Some(resource) = self.graph.resources.get_mut(&id) {
                resource.props = props;
            }
        }
    }

    /// The CloudFormation stacks that the spec has.
    pub(super) fn stacks(&mut self, network: &Network) {
        self.refer();
        let mut outputs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let spec = self.spec;
        for (name, stack) in spec.stacks.iter().flatten() {
            let Some((text, template)) = self.template(name, stack) else { continue };
            outputs.insert(name, template.outputs().iter().map(|output| output.name.to_owned()).collect());
            self.capabilities(name, stack, &template);
            let (parameters, environment) = self.parameters(name, stack, &template, network);
            let id = Id::new("stack", name.clone());
            let physical = stack.name.clone().unwrap_or_else(|| self.place.name(name));
            let (bucket, key) = match text.len() > LARGEST_INLINE {
                true => match self.uploaded(name, stack, &text) {
                    Some((bucket, key)) => (Some(bucket), Some(key)),
                    None => continue,
                },
                false => (None, None),
            };
            let mut stack_tags = spec.tags.clone();
            stack_tags.extend(stack.tags.clone());
            stack_tags.insert(TEMPLATE_TAG.into(), format!("{}/{name}", self.place.stack));
            let props = Props {
                name: physical.clone(),
                template: flat(&template),
                parameters,
                termination_protection: stack.termination_protection,
                stack_tags,
                request: Some(Request {
                    path: stack.template.clone(),
                    bucket,
                    key,
                    capabilities: stack.capabilities.iter().map(|one| one.name().to_owned()).collect(),
                    environment,
                    change_set: None,
                }),
            };
            self.graph.add(id, props).predict("name", physical);
        }
        self.check_outputs(&outputs);
        if let Some(cycle) = self.graph.cycle() {
            let ids: Vec<String> = cycle.iter().map(ToString::to_string).collect();
            self.problem(
                Code::TemplateCycle,
                "stacks",
                format!("{} refer to each other in a circle", ids.join(", ")),
                "split the template in two, so that the part that is needed first does not need the rest",
            );
        }
    }

    /// The text of a template, and what it says.
    fn template(&mut self, name: &str, stack: &TemplateStack) -> Option<(String, Template)> {
        let at = format!("stacks.{name}.template");
        let path = &stack.template;
        let text = match self.facts.templates.get(path) {
            Some(Ok(text)) => text.clone(),
            Some(Err(why)) => {
                let help = "correct the path; it starts at the spec's folder";
                self.problem(Code::TemplateUnreadable, at, format!("cannot read {path}: {why}"), help);
                return None;
            }
            // Where no file is read, as for a policy, nothing is said of what is in it.
            None => return None,
        };
        if text.len() > LARGEST {
            let why = format!("{path} has {} bytes; CloudFormation allows {LARGEST}", text.len());
            self.problem(Code::TemplateSize, at, why, "split it into several stacks");
            return None;
        }
        match Template::parse(&text) {
            Ok(template) => Some((text, template)),
            Err(problems) => {
                let all = problems.to_string();
                let why = format!(
                    "{path} is not a valid CloudFormation template: {}",
                    all.trim().replace('\n', "; ")
                );
                self.problem(Code::TemplateInvalid, at, why, "correct the template");
                None
            }
        }
    }

    /// Where a template is that is too large for a request.
    fn uploaded(&mut self, name: &str, stack: &TemplateStack, text: &str) -> Option<(String, Input)> {
        if self.spec.bucket.is_none() {
            self.problem(
                Code::TemplateSize,
                format!("stacks.{name}.template"),
                format!(
                    "{} has {} bytes, and CloudFormation allows {LARGEST_INLINE} in a request",
                    stack.template,
                    text.len()
                ),
                "add `bucket: {}`: larger templates are uploaded to the stack's bucket",
            );
            return None;
        }
        let hash = crate::base::names::short_hash(text.as_bytes());
        let id = Id::new("bucket_object", format!("stack-{name}.template"));
        let props = bucket_object::Props {
            bucket: Input::of(&Id::new("bucket", "main"), "name"),
            key: format!("auroraml/{hash}/{}", id.name),
            path: Some(stack.template.clone()),
        };
        self.graph.add(id.clone(), props);
        Some((self.bucket_name(), Input::of(&id, "key")))
    }

    fn capabilities(&mut self, name: &str, stack: &TemplateStack, template: &Template) {
        let given: Vec<&str> = stack.capabilities.iter().map(|one| one.name()).collect();
        // Whoever acknowledges names acknowledges the rest too.
        let is_given = |needed: &str| {
            given.contains(&needed) || needed == "CAPABILITY_IAM" && given.contains(&"CAPABILITY_NAMED_IAM")
        };
        let missing: Vec<&str> =
            template.capabilities().into_iter().map(|one| one.name()).filter(|one| !is_given(one)).collect();
        if !missing.is_empty() {
            let why = match missing.contains(&"CAPABILITY_AUTO_EXPAND") && missing.len() == 1 {
                true => "a macro rewrites the template",
                false => "the template creates IAM resources, which you must acknowledge",
            };
            self.problem(
                Code::TemplateCapability,
                format!("stacks.{name}.capabilities"),
                format!("{} is missing: {why}", missing.join(" and ")),
                format!("after reading it, add `capabilities: [{}]`", missing.join(", ")),
            );
        }
    }

    /// The values of all parameters of a template, and the environment variables that hold some of them.
    fn parameters(
        &mut self,
        name: &str,
        stack: &TemplateStack,
        template: &Template,
        network: &Network,
    ) -> (BTreeMap<String, Input>, BTreeMap<String, String>) {
        let (mut values, mut environment) = (BTreeMap::new(), BTreeMap::new());
        let at = |parameter: &str| format!("stacks.{name}.parameters.{parameter}");
        let known = template.parameters();
        for given in stack.parameters.keys() {
            if !known.iter().any(|parameter| parameter.name == given) {
                let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
                let hint = match crate::spec::nearest(given, names.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None if names.is_empty() => "remove it: the template has no parameters".to_owned(),
                    None => format!("the template has {}", names.join(", ")),
                };
                let why = format!("{} has no parameter `{given}`", stack.template);
                self.problem(Code::TemplateParameter, at(given), why, hint);
            }
        }
        for parameter in known {
            let key = parameter.name.to_owned();
            let wrong = match stack.parameters.get(parameter.name) {
                Some(ParameterValue::Environment(from)) => {
                    environment.insert(key.clone(), from.environment_variable.clone());
                    values.insert(key, HIDDEN.into());
                    (!parameter.no_echo).then(|| {
                        (
                            "it is read from the environment, but the template would show it".to_owned(),
                            "add `NoEcho: true` to the parameter, or write the value into the spec"
                                .to_owned(),
                        )
                    })
                }
                Some(ParameterValue::Text(text)) => {
                    let input = self.with_own(text, &|own| self.own(own, network));
                    values.insert(key, input);
                    match parameter.no_echo && references(text).is_empty() {
                        true => Some((
                            "the template says that it is secret (`NoEcho`): do not put secrets in a spec"
                                .to_owned(),
                            "write `{ environment_variable: NAME }`".to_owned(),
                        )),
                        false => refused(&parameter, text),
                    }
                }
                None => match parameter.default_text() {
                    Some(default) => {
                        values.insert(key, if parameter.no_echo { HIDDEN.into() } else { default.into() });
                        None
                    }
                    None => Some((
                        format!("{} has no default for it, so it needs a value", stack.template),
                        match parameter.no_echo {
                            true => format!("add `{}: {{ environment_variable: NAME }}`", parameter.name),
                            false => format!("add `{}: VALUE` under `parameters`", parameter.name),
                        },
                    )),
                },
            };
            if let Some((why, hint)) = wrong {
                self.problem(Code::TemplateParameter, at(parameter.name), why, hint);
            }
        }
        (values, environment)
    }

    /// Every output that is referred to is one of its template's.
    fn check_outputs(&mut self, outputs: &BTreeMap<&str, BTreeSet<String>>) {
        let mut found = BTreeSet::new();
        for resource in self.graph.resources.values() {
            outputs_of(&resource.props, &mut found);
        }
        for (stack, output) in found {
            let Some(known) = outputs.get(stack.as_str()) else { continue };
            if known.contains(&output) {
                continue;
            }
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = match crate::spec::nearest(&output, names.iter().copied()) {
                Some(near) => format!("did you mean ${{stacks.{stack}.{near}}}?"),
                None if names.is_empty() => "add it to `Outputs` of the template".to_owned(),
                None => format!("its outputs are {}", names.join(", ")),
            };
            let why =
                format!("its template has no output `{output}`, which `${{stacks.{stack}.{output}}}` uses");
            self.problem(Code::TemplateOutput, format!("stacks.{stack}"), why, hint);
        }
    }

    /// How CloudFormation stacks go: those that refer to what is ours before it, all others after it.
    pub(super) fn stacks_go(&mut self, unprotect: bool) {
        let carriers: BTreeSet<String> = self.spec.outputs_used();
        for (name, stack) in self.spec.stacks.iter().flatten() {
            let id = Id::new("stack", name.clone());
            let options = match unprotect {
                true => BTreeMap::from([("unprotect".to_owned(), "true".to_owned())]),
                false => BTreeMap::new(),
            };
            self.graph.deletions.insert(id.clone(), Deletion::Delete(options));
            let given = stack.parameters.values().filter_map(ParameterValue::text).flat_map(references);
            let given: Vec<Reference> = given.collect();
            for reference in &given {
                if let Reference::Output { stack, .. } = reference {
                    let before = self.graph.goes_before.entry(Id::new("stack", stack.clone())).or_default();
                    before.insert(id.clone());
                }
            }
            let has_own = given.iter().any(|reference| matches!(reference, Reference::Own(_)));
            if has_own && !carriers.contains(name) {
                self.graph.goes_first.insert(id);
            }
        }
    }
}

/// One value of these parts.
fn together(mut parts: Vec<Input>) -> Input {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let text = |part: &Input| match part {
        Input::Known(text) => Some(text.clone()),
        _ => None,
    };
    match parts.iter().map(text).collect::<Option<String>>() {
        Some(text) => Input::Known(text),
        None => Input::Joined { parts: parts.into_iter().flat_map(flattened).collect() },
    }
}

/// The parts of a text within a text.
fn flattened(part: Input) -> Vec<Input> {
    match part {
        Input::Joined { parts } => parts,
        part => vec![part],
    }
}

/// The value with what `input` makes of the texts in it.
fn referring(value: &Value, input: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => input(text).unwrap_or_else(|| value.clone()),
        Value::Array(items) => items.iter().map(|item| referring(item, input)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, one)| (name.clone(), referring(one, input))).collect())
        }
        _ => value.clone(),
    }
}

/// Adds every output of a stack that a value refers to, with the stack's name.
fn outputs_of(value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(map) => match (map.get("$ref").and_then(Value::as_str), map.get("output")) {
            (Some(id), Some(Value::String(output))) => {
                if let (Some(stack), Some(output)) = (id.strip_prefix("stack."), output.strip_prefix(OUTPUT))
                {
                    found.insert((stack.to_owned(), output.to_owned()));
                }
            }
            _ => map.values().for_each(|value| outputs_of(value, found)),
        },
        Value::Array(items) => items.iter().for_each(|value| outputs_of(value, found)),
        _ => {}
    }
}

/// Why a template does not take this value, and what to do then. Of a reference nothing is known.
fn refused(parameter: &Parameter<'_>, text: &str) -> Option<(String, String)> {
    if !references(text).is_empty() {
        return None;
    }
    let allowed = parameter.allowed_values();
    let is_list = parameter.kind == "CommaDelimitedList" || parameter.kind.starts_with("List<");
    let is_allowed = |value: &str| allowed.is_empty() || allowed.iter().any(|one| one == value.trim());
    let is_good = match is_list {
        true => text.split(',').all(is_allowed),
        false => is_allowed(text),
    };
    if !is_good {
        let hint = match crate::spec::nearest(text, allowed.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it allows {}", allowed.join(", ")),
        };
        return Some((format!("the template does not allow `{text}`"), hint));
    }
    if parameter.kind == "Number" && text.parse::<f64>().is_err() {
        return Some((format!("`{text}` is not a number"), "write a number".to_owned()));
    }
    None
}
