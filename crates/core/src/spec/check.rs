//! What AWS would refuse, or accept and then not work, as far as that can be known without AWS.

mod aurora;
mod classes;
mod container;
mod name;
mod network;
mod parameters;
mod physical;
mod reach;
mod sagemaker;
mod sql;
mod stacks;
mod statements;
mod taken_over;
mod training;

pub(super) use name::bucket as bucket_name;
pub(super) use stacks::values as output_values;

use super::problem::nearest;
use super::reader::{Reader, join};
use super::{
    Address, Aurora, BedrockAccess, Network, S3Access, S3Buckets, ServiceEndpoint, Spec, is_reference,
};
use std::collections::BTreeMap;

/// How the value of a secret parameter is given.
const SECRET_VARIABLES_HINT: &str = "write the name of an environment variable: letters, digits and `_`";

/// Regions without Aurora machine learning (fact book, section 1.1).
pub const WITHOUT_MACHINE_LEARNING: [&str; 6] =
    ["af-south-1", "ap-east-2", "ap-southeast-6", "ap-southeast-7", "eu-south-1", "mx-central-1"];

/// Commercial regions, to guess what was meant; a region that is not here is accepted.
const REGIONS: [&str; 22] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "me-central-1",
    "il-central-1",
];

/// Reports everything that is wrong with `spec`.
pub fn check(spec: &Spec, reader: &mut Reader) {
    stack(spec, reader);
    region(spec, reader);
    tags(spec, reader);
    permissions_boundary(spec, reader);
    expires_after(spec, reader);
    match &spec.network {
        Some(Network::Owned(own)) => network::network(own, reader),
        Some(Network::Existing(of)) => network::existing(of, reader),
        None => {}
    }
    if let Some(network) = &spec.network {
        network::egress(network.egress(), reader);
    }
    bucket(spec, reader);
    physical::roles(spec, reader);
    physical::key(spec, reader);
    outside(spec, reader);
    aurora::aurora(spec, reader);
    machine_learning(spec, reader);
    sagemaker::notebook(spec, reader);
    sagemaker::endpoints(spec, reader);
    sql::sql(spec, reader);
    stacks::stacks(spec, reader);
    taken_over::taken_over(spec, reader);
    // Of a spec that cannot be carried out yet it would only distract.
    if reader.is_good() {
        reach::reach(spec, reader);
    }
}

fn stack(spec: &Spec, reader: &mut Reader) {
    let mut characters = spec.stack.chars();
    let possible = characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && spec.stack.len() <= 24
        && !spec.stack.ends_with('-')
        && !spec.stack.contains("--");
    if !possible {
        let hint = "use 1 to 24 lower-case letters, digits and single hyphens; begin with a letter";
        reader.report("stack", format!("invalid stack name `{}`", spec.stack), hint);
    }
}

fn region(spec: &Spec, reader: &mut Reader) {
    let region = spec.region.as_str();
    if !name::region(region) {
        let hint = match nearest(region, REGIONS) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "write a region such as `us-east-1`".to_owned(),
        };
        reader.report("region", format!("`{region}` is not an AWS region"), hint);
    } else if WITHOUT_MACHINE_LEARNING.contains(&region) {
        let hint = "choose another region: cluster and endpoints must be in the same one";
        reader.report("region", format!("Aurora machine learning is not offered in {region}"), hint);
    }
}

fn permissions_boundary(spec: &Spec, reader: &mut Reader) {
    let Some(arn) = &spec.permissions_boundary else { return };
    let is_account = |account: &str| {
        account == "aws" || account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())
    };
    let possible = match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, policy] => {
            let named = policy
                .strip_prefix("policy/")
                .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace));
            partition.starts_with("aws") && is_account(account) && named
        }
        _ => false,
    };
    if !possible {
        let hint = "write `permissions_boundary: arn:aws:iam::123456789012:policy/NAME`";
        reader.report("permissions_boundary", format!("`{arn}` is not an IAM policy ARN"), hint);
    }
}

/// Limits of AWS tags, less those that auroraml itself puts on everything.
fn tags(spec: &Spec, reader: &mut Reader) {
    if spec.tags.len() > 40 {
        let message =
            format!("{} tags are too many: AWS allows 50, and auroraml uses some of them", spec.tags.len());
        reader.report("tags", message, "use at most 40");
    }
    tag_map(&spec.tags, "tags", reader);
}

/// Tags that may be put on what AWS has.
fn tag_map(tags: &BTreeMap<String, String>, at: &str, reader: &mut Reader) {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    for (key, value) in tags {
        let path = join(at, key);
        let lower = key.to_lowercase();
        if lower.starts_with("aws:") {
            reader.report_key(
                &path,
                format!("invalid tag key `{key}`: AWS reserves the prefix `aws:`"),
                "choose another key",
            );
        } else if lower.starts_with("auroraml:") {
            let message =
                format!("invalid tag key `{key}`: auroraml marks its own resources with `auroraml:`");
            reader.report_key(&path, message, "choose another key");
        } else if key.is_empty() || key.chars().count() > 128 || !allowed(key) {
            let hint = "use 1 to 128 letters, digits, spaces and _ . : / = + - @";
            reader.report_key(&path, format!("invalid tag key `{key}`"), hint);
        }
        if value.chars().count() > 256 || !allowed(value) {
            let hint = "use at most 256 letters, digits, spaces and _ . : / = + - @";
            reader.report(&path, format!("invalid value of tag `{key}`"), hint);
        }
    }
}

fn expires_after(spec: &Spec, reader: &mut Reader) {
    let Some(age) = &spec.expires_after else { return };
    let number = age.strip_suffix(['m', 'h', 'd']).and_then(|digits| digits.parse::<u16>().ok());
    // `+5h` parses as a number, too.
    if number.is_none_or(|number| number == 0) || !age.starts_with(|c: char| c.is_ascii_digit()) {
        let hint = "write a whole number of minutes, hours or days: `30m`, `8h` or `2d`";
        reader.report("expires_after", format!("invalid age `{age}`"), hint);
    }
}

fn bucket(spec: &Spec, reader: &mut Reader) {
    if let Some(name) = spec.bucket.as_ref().and_then(|bucket| bucket.name.as_deref())
        && let Some(wrong) = name::bucket(name)
    {
        let hint = "use 3 to 63 lower-case letters, digits and hyphens, or leave the name out";
        reader.report("bucket.name", format!("invalid bucket name `{name}`: {wrong}"), hint);
    }
}

/// What runs leave outside of the stack: it must not go with it.
fn outside(spec: &Spec, reader: &mut Reader) {
    for (path, given) in [("lease", &spec.lease), ("audit", &spec.audit)] {
        let Some(given) = given else { continue };
        let own = spec.bucket.as_ref().and_then(|bucket| bucket.name.as_deref());
        match Address::parse(given) {
            Err(wrong) => {
                reader.report(
                    path,
                    format!("invalid S3 address `{given}`: {wrong}"),
                    format!("write `{path}: s3://BUCKET/PREFIX`, such as `s3://acme-operations/auroraml`"),
                );
            }
            Ok(address) if own == Some(&*address.bucket) => {
                let message =
                    format!("`{given}` is in the stack's own bucket, which is deleted with the stack");
                reader.report(path, message, "use another bucket");
            }
            Ok(_) => {}
        }
    }
}

/// Each entry needs a cluster, what it names, and a network path from the cluster.
fn machine_learning(spec: &Spec, reader: &mut Reader) {
    let wiring = &spec.machine_learning;
    let s3 = wiring.s3 != S3Access::Own(false);
    if reader.given("machine_learning") && spec.aurora.is_none() && reader.sound("aurora") {
        let hint = "add `aurora:` with a cluster, or remove `machine_learning:`";
        reader.report("machine_learning", "`machine_learning` needs a cluster", hint);
    }
    if let Some(sagemaker) = &wiring.sagemaker {
        let path = "machine_learning.sagemaker.endpoints";
        if sagemaker.endpoints.is_empty() {
            reader.report(path, "the list of endpoints is empty", "add at least one name from `endpoints`");
        }
        network::repeated(&sagemaker.endpoints, path, reader);
        for (n, name) in sagemaker.endpoints.iter().enumerate() {
            if !reader.given(&join("endpoints", name)) && !spec.endpoints.contains_key(name) {
                let hint = match nearest(name, spec.endpoints.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "add `{name}:` under `endpoints`, with `managed_by: notebook` if something else creates it"
                    ),
                };
                reader.report(
                    &format!("{path}[{n}]"),
                    format!("`{name}` is not declared in `endpoints`"),
                    hint,
                );
            }
        }
    }
    if wiring.s3 == S3Access::Own(true) && spec.bucket.is_none() && reader.sound("bucket") {
        let hint = "add `bucket: {}`, or name existing buckets: `s3: { buckets: [NAME] }`";
        reader.report(
            "machine_learning.s3",
            "`s3: true` uses the stack's own bucket, but the stack has none",
            hint,
        );
    }
    if let S3Access::Buckets(S3Buckets { buckets }) = &wiring.s3 {
        let path = "machine_learning.s3.buckets";
        if buckets.is_empty() {
            reader.report(
                path,
                "the list of buckets is empty",
                "add at least one name, or write `s3: true` for the stack's own bucket",
            );
        }
        network::repeated(buckets, path, reader);
        for (n, name) in buckets.iter().enumerate() {
            if is_reference(name) {
                continue;
            }
            if let Some(wrong) = name::bucket(name) {
                let message = format!("invalid bucket name `{name}`: {wrong}");
                reader.report(&format!("{path}[{n}]"), message, "write the bucket's name, without `s3://`");
            }
        }
    }
    if let Some(bedrock) = &wiring.bedrock {
        bedrock_models(bedrock, reader);
    }
    let owned = matches!(spec.aurora, Some(Aurora::Owned(_)));
    // Of a network of others only a look can tell.
    if let (true, Some(network)) = (owned, spec.network.as_ref().and_then(Network::owned)) {
        let needs = [
            ("sagemaker", wiring.sagemaker.is_some(), ServiceEndpoint::SagemakerRuntime, "sagemaker_runtime"),
            ("comprehend", wiring.comprehend, ServiceEndpoint::Comprehend, "comprehend"),
            ("s3", s3, ServiceEndpoint::S3, "s3"),
            ("bedrock", wiring.bedrock.is_some(), ServiceEndpoint::BedrockRuntime, "bedrock_runtime"),
        ];
        for (key, wanted, endpoint, name) in needs {
            if wanted {
                network::path(network, endpoint, name, &join("machine_learning", key), "the cluster", reader);
            }
        }
    }
}

fn bedrock_models(bedrock: &BedrockAccess, reader: &mut Reader) {
    let path = "machine_learning.bedrock.models";
    if bedrock.models.is_empty() {
        reader.report(
            path,
            "the list of models is empty",
            "add at least one, such as `amazon.titan-text-lite-v1`",
        );
    }
    network::repeated(&bedrock.models, path, reader);
    for (n, model) in bedrock.models.iter().enumerate() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        if !model.contains('.') || model.starts_with("arn:") || !model.chars().all(allowed) {
            let hint = "write an id such as `amazon.titan-text-lite-v1`";
            reader.report(&format!("{path}[{n}]"), format!("`{model}` is not a foundation model id"), hint);
        }
    }
}
