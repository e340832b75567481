//! What is taken over from a CloudFormation stack.

use crate::spec::reader::{Reader, join};
use crate::spec::{Spec, TakenOver};

/// Kinds whose objects can be taken over: all of them can carry tags, or are known by a name that the spec gives.
const KINDS: [&str; 16] = [
    "bucket",
    "cluster",
    "elastic_ip",
    "instance",
    "internet_gateway",
    "nat_gateway",
    "notebook",
    "notebook_config",
    "parameter_group",
    "route_table",
    "secret",
    "security_group",
    "subnet",
    "subnet_group",
    "vpc",
    "vpc_endpoint",
];

/// Objects of one spec: more than its limits allow it to have.
const OBJECTS_MAX: usize = 200;

pub fn taken_over(spec: &Spec, reader: &mut Reader) {
    let Some(taken) = &spec.taken_over else { return };
    from_stack(spec, taken, reader);
    if taken.objects.len() > OBJECTS_MAX {
        let message =
            format!("{} objects are too many: a spec takes over at most {OBJECTS_MAX}", taken.objects.len());
        reader.report("taken_over.objects", message, "split the stack");
    }
    for (resource, object) in &taken.objects {
        let path = join("taken_over.objects", resource);
        let (kind, name) = resource.split_once('.').unwrap_or((resource, ""));
        if !KINDS.contains(&kind) || name.is_empty() {
            let message = format!("`{resource}` cannot be taken over");
            let hint = format!("write KIND.NAME with one of the kinds {}", KINDS.join(", "));
            reader.report_key(&path, message, hint);
        }
        if object.is_empty() || object.len() > 256 || object.chars().any(|c| c.is_control() || c == ' ') {
            reader.report(
                &path,
                format!("invalid object id `{object}`"),
                "write the id or name that AWS shows",
            );
        }
    }
    for (resource, properties) in &taken.as_found {
        let path = join("taken_over.as_found", resource);
        if !resource.contains('.') {
            let hint = "write KIND.NAME, such as `bucket.main`";
            reader.report_key(&path, format!("invalid object name `{resource}`"), hint);
        }
        if properties.iter().any(|property| property == "tags" || property.starts_with("tags.")) {
            let hint = "remove it: tags that the spec does not have are kept anyway";
            reader.report(&path, "tags cannot be left as found: the stack is found by its tags", hint);
        }
    }
}

fn from_stack(spec: &Spec, taken: &TakenOver, reader: &mut Reader) {
    let arn = &taken.from_stack;
    let hint = "write `from_stack: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`, as `aws cloudformation describe-stacks` shows it";
    // Its id, too: another stack may have the name later.
    let region = match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "cloudformation", region, account, stack]
            if partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && stack.strip_prefix("stack/").is_some_and(|rest| {
                    rest.split('/').count() == 2 && rest.split('/').all(|part| !part.is_empty())
                })
                && !arn.chars().any(|c| c.is_control() || c == ' ' || c == '*') =>
        {
            *region
        }
        _ => {
            let message = format!("`{arn}` is not a CloudFormation stack ARN");
            return reader.report("taken_over.from_stack", message, hint);
        }
    };
    if region != spec.region {
        let message = format!("the CloudFormation stack is in {region}, but the spec is for {}", spec.region);
        reader.report("taken_over.from_stack", message, "both must be in the same region");
    }
}
