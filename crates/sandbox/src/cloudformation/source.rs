//! What a request says that a stack is to be: template, parameters, tags, capabilities.

use super::parameters;
use super::state::Source;
use super::template::{BYTES_MAX, INLINE_MAX, Template, refused};
use super::work::Services;
use crate::call::Call;
use crate::wire::{Body, Fault, Request};
use std::collections::BTreeMap;

/// The text of the template that a request carries or points to.
pub(super) fn template_text(call: &Call, services: &mut dyn Services) -> Result<Option<String>, Fault> {
    match (call.params.get("TemplateBody"), call.params.get("TemplateURL")) {
        (Some(_), Some(_)) => Err(refused("Either Template URL or Template Body must be specified.")),
        (Some(body), None) if body.len() > INLINE_MAX => Err(refused(format!(
            "1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: Member must have \
             length less than or equal to {INLINE_MAX}"
        ))),
        (Some(body), None) => Ok(Some(body.to_string())),
        (None, Some(url)) => from_s3(call, url, services).map(Some),
        (None, None) => Ok(None),
    }
}

fn from_s3(call: &Call, url: &str, services: &mut dyn Services) -> Result<String, Fault> {
    let bad = || refused("TemplateURL must be a supported URL.");
    let rest = url.strip_prefix("https://").ok_or_else(bad)?;
    let (host, path) = rest.split_once('/').ok_or_else(bad)?;
    if !host.contains("s3") {
        return Err(bad());
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: "GET".into(),
        path: format!("/{path}"),
        query: query.to_string(),
        headers: BTreeMap::from([("host".to_string(), host.to_string())]),
        body: Vec::new(),
    };
    let get = Call {
        service: "s3".into(),
        operation: crate::s3::operation(&request).to_string(),
        request,
        params: Default::default(),
        json: Default::default(),
        ..call.clone()
    };
    match services.call(&get) {
        Ok(Body::Whole(response)) if response.status == 200 => {
            if response.body.len() > BYTES_MAX {
                return Err(refused(format!("Template may not exceed {BYTES_MAX} bytes in size.")));
            }
            String::from_utf8(response.body)
                .map_err(|_| refused("Template format error: the template is no UTF-8."))
        }
        Ok(_) => Err(refused("S3 error: Access Denied")),
        Err(fault) => Err(refused(format!("S3 error: {}", fault.message))),
    }
}

/// What the request says that the stack is to be, over what it is.
pub(super) fn source(
    call: &Call,
    before: Option<&Source>,
    services: &mut dyn Services,
) -> Result<Source, Fault> {
    let previous = call.params.flag("UsePreviousTemplate") == Some(true);
    let template = match (template_text(call, services)?, before) {
        (Some(_), Some(_)) if previous => {
            return Err(refused("Only one of UsePreviousTemplate and a template can be specified."));
        }
        (Some(template), _) => template,
        (None, Some(before)) if previous => before.template.clone(),
        (None, _) => return Err(refused("Either Template URL or Template Body must be specified.")),
    };
    let parsed = Template::parse(&template)?;
    let mut given = BTreeMap::new();
    for parameter in call.params.items("Parameters") {
        let key = parameter.required("ParameterKey")?.to_string();
        let kept = parameter.flag("UsePreviousValue") == Some(true);
        let value = match (parameter.get("ParameterValue"), kept) {
            (Some(_), true) => {
                return Err(refused(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            (Some(value), false) => value.to_string(),
            (None, true) => match before.and_then(|before| before.parameters.get(&key)) {
                Some(value) => value.clone(),
                None => {
                    return Err(refused(format!(
                        "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                    )));
                }
            },
            (None, false) => String::new(),
        };
        given.insert(key, value);
    }
    // boto3 and the CLI send a list without members as an empty text. Without tags, a stack has none ("If you specify an
    // empty value, CloudFormation removes all associated tags", UpdateStack).
    for list in ["Capabilities", "NotificationARNs", "Parameters"] {
        call.params.get(list);
    }
    let has_tags =
        call.params.get("Tags").is_some() || call.params.glance().any(|(name, _)| name.starts_with("Tags."));
    let tags: Vec<(String, String)> = match (has_tags, before) {
        (false, Some(before)) => before.tags.clone(),
        _ => call.params.tags("Tags").into_iter().collect(),
    };
    if tags.len() > 50 {
        return Err(refused("A stack can have at most 50 tags."));
    }
    if let Some((key, _)) = tags.iter().find(|(key, _)| key.to_lowercase().starts_with("aws:")) {
        return Err(refused(format!("Tag keys that begin with aws: are reserved: {key}")));
    }
    let capabilities = call.params.list("Capabilities");
    check_capabilities(&parsed, &capabilities)?;
    let notifications = match (call.params.list("NotificationARNs"), before) {
        (all, Some(before)) if all.is_empty() => before.notifications.clone(),
        (all, _) => all,
    };
    Ok(Source {
        parameters: parameters::settle(&parsed, &given)?,
        template,
        tags,
        capabilities,
        notifications,
        role: call
            .params
            .get("RoleARN")
            .map(str::to_string)
            .or_else(|| before.and_then(|before| before.role.clone())),
    })
}

fn check_capabilities(template: &Template, given: &[String]) -> Result<(), Fault> {
    const KNOWN: &[&str] = &["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"];
    if let Some(other) = given.iter().find(|one| !KNOWN.contains(&one.as_str())) {
        return Err(refused(format!(
            "1 validation error detected: Value '[{other}]' at 'capabilities' failed to satisfy constraint: Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]"
        )));
    }
    let Some((needed, _)) = template.capabilities() else { return Ok(()) };
    let enough = given.iter().any(|one| one == needed || one == "CAPABILITY_NAMED_IAM");
    match enough {
        true => Ok(()),
        false => Err(Fault::bad(
            "InsufficientCapabilitiesException",
            format!("Requires capabilities : [{needed}]"),
        )),
    }
}
