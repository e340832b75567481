//! What each kind costs, or why it costs nothing.

use super::sight::{Object, Sight};
use super::{Decimal, Item, Price};
use crate::base::counted;
use crate::resource::Deletion;
use serde_json::Value;

/// What an object of a kind costs.
#[derive(Clone, Copy)]
pub enum Cost {
    /// Nothing, and why.
    Free(&'static str),
    Priced(fn(&Object, &Sight<'_>) -> Vec<Item>),
}

const CONFIGURATION: &str = "a setting, which is free";
const NETWORK: &str = "networks are free; only traffic costs money";
const ROWS: &str = "part of the cluster's storage";

/// Every kind, in the order in which a bill is read: the database first.
pub const TABLE: &[(&str, Cost)] = &[
    ("cluster", Cost::Priced(cluster)),
    ("instance", Cost::Priced(instance)),
    ("secret", Cost::Priced(secret)),
    ("subnet_group", Cost::Free(CONFIGURATION)),
    ("parameter_group", Cost::Free(CONFIGURATION)),
    ("group_parameters", Cost::Free(CONFIGURATION)),
    ("group_attachment", Cost::Free(CONFIGURATION)),
    ("parameter_sync", Cost::Free("part of the cluster")),
    ("secret_attachment", Cost::Free("part of the secret")),
    ("cluster_role", Cost::Priced(cluster_role)),
    ("endpoint", Cost::Priced(endpoint)),
    ("endpoint_config", Cost::Free("only the endpoint that uses it costs money")),
    ("model", Cost::Free("only the endpoint that uses it costs money")),
    ("notebook", Cost::Priced(notebook)),
    ("notebook_config", Cost::Free(CONFIGURATION)),
    ("nat_gateway", Cost::Priced(nat_gateway)),
    ("elastic_ip", Cost::Priced(elastic_ip)),
    ("vpc_endpoint", Cost::Priced(vpc_endpoint)),
    ("vpc", Cost::Free(NETWORK)),
    ("internet_gateway", Cost::Free(NETWORK)),
    ("subnet", Cost::Free(NETWORK)),
    ("route_table", Cost::Free(NETWORK)),
    ("security_group", Cost::Free(NETWORK)),
    ("bucket", Cost::Priced(bucket)),
    ("bucket_object", Cost::Free("part of the bucket")),
    ("role", Cost::Free("IAM is free")),
    ("stack", Cost::Priced(stack)),
    ("training_job", Cost::Priced(training_job)),
    ("tuning_job", Cost::Priced(tuning_job)),
    ("autopilot_job", Cost::Priced(autopilot_job)),
    ("sql_database", Cost::Free(ROWS)),
    ("sql_table", Cost::Free(ROWS)),
    ("sql_function", Cost::Free("only what it calls costs money")),
    ("sql_grant", Cost::Free(ROWS)),
    ("data_load", Cost::Free("part of the cluster's I/O and storage")),
    ("data_unload", Cost::Free("part of the cluster's I/O and of the bucket")),
];

fn text<'v>(props: &'v Value, name: &str) -> &'v str {
    props[name].as_str().unwrap_or_default()
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// Storage and what is done with it. Members are kinds of their own.
fn cluster(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let io_optimized = sight.is_io_optimized();
    let storage = if io_optimized { "aurora.storage_io_optimized" } else { "aurora.storage" };
    let mut items =
        vec![sight.by_use(object, "storage", sight.price(storage), "GiB per month", "storage_gib")];
    if !io_optimized {
        let price = sight.price("aurora.io_million");
        items.push(sight.in_use(object, "I/O", price, "million requests", "io_million"));
    }
    // As much as the cluster holds is free as long as the cluster is there.
    let backup = sight.price("aurora.backup");
    let beyond = "backups beyond the cluster's size";
    items.push(sight.by_use(object, beyond, backup, "GiB per month", "backup_gib"));
    if object.props["data_api"] == true {
        let million = Decimal::whole(1).part(1, 1_000_000);
        let price = sight.price("aurora.data_api_million").map(|price| price.times(million));
        items.push(sight.in_use(object, "Data API", price, "request", "data_api_requests"));
    }
    if object.props["managed_secret"] == true {
        let price = sight.price("secrets.secret");
        items.push(sight.monthly(object, "secret of the master user", price, 1));
    }
    for item in &mut items {
        item.destroyed = false;
    }
    if let Some(Deletion::Delete(options)) = sight.deletion(&object.id)
        && options.contains_key("final_snapshot")
    {
        let snapshot = sight.by_use(object, "final snapshot", backup, "GiB per month", "storage_gib");
        items.push(Item { running: false, paused: false, destroyed: true, ..snapshot });
    }
    items
}

/// A member, by its class or by the capacity that it has.
fn instance(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    if sight.is_stopped() {
        return Vec::new();
    }
    let class = text(&object.props, "class");
    let io_optimized = sight.is_io_optimized();
    if class != "db.serverless" {
        let price = sight.member(class);
        return vec![sight.pausable(object, class, price, 1)];
    }
    let range = sight.cluster().map(|cluster| &cluster.props["serverless"]).filter(|range| range.is_object());
    // Capacity comes in halves, as a floating point number.
    let capacity = |name: &str| range.and_then(|range| Decimal::parse(&range[name].to_string()));
    let (Some(min), Some(max)) = (capacity("min"), capacity("max")) else {
        return vec![sight.not_priced(object, class, "its capacity is unknown")];
    };
    let key = if io_optimized { "aurora.acu_io_optimized" } else { "aurora.acu" };
    let price = sight.price(key);
    if let Some(guess) = sight.terms.usage.get("acu") {
        let capacity = guess.clamp(min, max);
        let what = format!("{capacity} ACU of {min} to {max}");
        let item = sight.pausable(object, what, price.map(|price| price.times(capacity)), 1);
        return vec![Item { guess: true, ..item }];
    }
    let what = match min.is_zero() {
        true => format!("0 to {max} ACU, nothing while it is paused"),
        false => format!("{min} to {max} ACU"),
    };
    let least = sight.pausable(object, what.clone(), price.map(|price| price.times(min)), 1);
    let most = sight.pausable(object, what, price.map(|price| price.times(max)), 1);
    match (&least.price, &most.price) {
        (Price::Monthly { usd, .. }, Price::Monthly { up_to, .. }) => {
            vec![Item { price: Price::Monthly { usd: *usd, up_to: *up_to }, ..least }]
        }
        _ => vec![least],
    }
}

/// One that is scheduled for deletion costs nothing (Secrets Manager's user guide, "Delete a secret").
fn secret(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let calls = sight.price("secrets.calls_10000").map(|price| price.part(1, 10_000));
    let kept = sight.monthly(object, "secret", sight.price("secrets.secret"), 1);
    vec![kept, sight.in_use(object, "reads", calls, "read", "secret_calls")]
}

/// What the cluster may call costs by the call.
fn cluster_role(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let item = match object.id.name.as_str() {
        "comprehend" => {
            let price = sight.price("comprehend.unit");
            sight.by_use(object, "Comprehend", price, "unit of 100 characters", "sentiment_units")
        }
        _ => return Vec::new(),
    };
    vec![Item { paused: false, destroyed: false, ..item }]
}

/// On instances it costs from the first minute; serverless, by what it computes.
fn endpoint(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let Some(variants) = sight.variants(object) else {
        if object.props["serverless"] == true {
            return vec![serverless(object, sight, None)];
        }
        let item = sight.not_priced(object, "instances", "its configuration was not read");
        return vec![Item { paused: false, ..item }];
    };
    let items = variants.iter().map(|variant| match &variant.instance {
        None => serverless(object, sight, variant.memory),
        Some(instance) => {
            let what = match variant.count {
                1 => instance.clone(),
                count => format!("{count} × {instance}"),
            };
            let price = sight.machine("endpoint", instance);
            match price {
                Some(_) => sight.pausable(object, what, price, variant.count),
                None => sight.pausable(object, instance.clone(), None, variant.count),
            }
        }
    });
    items.collect()
}

/// Nothing while nobody asks.
fn serverless(object: &Object, sight: &Sight<'_>, memory: Option<u32>) -> Item {
    let milliseconds = sight.terms.usage.get("prediction_ms").unwrap_or(Decimal::whole(100));
    let price = match memory {
        Some(memory) => sight
            .price("sagemaker.serverless_gb_second")
            .map(|price| price.times(milliseconds.part(1, 1000)).times(Decimal::whole(memory).part(1, 1024))),
        None => None,
    };
    let what = match memory {
        Some(memory) => format!("serverless, {memory} MB"),
        None => "serverless".into(),
    };
    let item = sight.by_use(object, &what, price, "prediction", "predictions");
    Item { paused: false, ..item }
}

/// The volume costs whether the notebook runs or not (fact book, section 9.1).
fn notebook(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let (class, volume) = (text(&object.props, "instance"), number(&object.props["volume"]));
    let mut items = Vec::new();
    if object.props["running"] != false {
        items.push(sight.pausable(object, class, sight.machine("notebook", class), 1));
    }
    let what = format!("volume, {volume} GiB");
    items.push(match sight.price("sagemaker.volume") {
        price @ Some(_) => sight.monthly(object, what, price, volume),
        None => sight.monthly(object, "SageMaker volumes", None, volume),
    });
    items
}

fn nat_gateway(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    let hour = sight.hourly(object, "NAT gateway", sight.price("network.nat_gateway"), 1);
    vec![hour, sight.in_use(object, "data through it", sight.price("network.nat_gb"), "GB", "nat_gb")]
}

/// In use or idle, every public address costs the same (fact book, section 9.1).
fn elastic_ip(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    vec![sight.hourly(object, "public IPv4 address", sight.price("network.ipv4"), 1)]
}

/// A gateway endpoint is free; an interface endpoint costs in each of its zones.
fn vpc_endpoint(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    if object.props["gateway"] == true {
        return Vec::new();
    }
    let zones = object.props["subnets"].as_array().map_or(0, Vec::len);
    let zones = u32::try_from(zones).unwrap_or(u32::MAX);
    let service = text(&object.props, "service").splitn(4, '.').nth(3).unwrap_or_default();
    let what = format!("interface endpoint of {service} in {}", counted(zones, "zone"));
    let hour = match sight.price("network.interface_endpoint") {
        price @ Some(_) => sight.hourly(object, what, price, zones),
        None => sight.hourly(object, "interface endpoints", None, zones),
    };
    let data = sight.price("network.interface_endpoint_gb");
    vec![hour, sight.in_use(object, "data through it", data, "GB", "endpoint_gb")]
}

fn bucket(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    vec![sight.by_use(object, "S3 Standard", sight.price("s3.storage"), "GB per month", "bucket_gb")]
}

/// What a job of instances costs if it runs for as long as it may.
fn job(object: &Object, sight: &Sight<'_>, training: &Value, jobs: u32) -> Vec<Item> {
    // It has run, or runs: what is not paid of it yet nobody knows.
    if object.live {
        return Vec::new();
    }
    let (class, seconds) = (text(training, "instance"), number(&training["max_runtime_seconds"]));
    let price = sight.machine("training", class);
    let at_most = price.map(|price| price.times(Decimal::whole(seconds).part(1, 3600)).part(jobs, 1));
    let hours = Decimal::whole(seconds).part(1, 3600).rounded(2);
    let hours = hours.trim_end_matches('0').trim_end_matches('.');
    let what = match jobs {
        1 => format!("{class} for at most {hours} h"),
        jobs => format!("{jobs} × {class} for at most {hours} h each"),
    };
    let what = if at_most.is_some() { what } else { class.to_string() };
    vec![sight.once(object, what, at_most)]
}

fn training_job(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    job(object, sight, &object.props, 1)
}

fn tuning_job(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    job(object, sight, &object.props["training"], number(&object.props["jobs"]))
}

/// AWS chooses the instances, and how many.
fn autopilot_job(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    if object.live {
        return Vec::new();
    }
    let hours = Decimal::whole(number(&object.props["max_runtime_seconds"])).part(1, 3600).rounded(1);
    let why = format!("AWS chooses the instances; at most {} h", hours.trim_end_matches(".0"));
    let item = sight.not_priced(object, "Autopilot job, once", &why);
    vec![Item { paused: false, destroyed: false, ..item }]
}

/// What a template makes is CloudFormation's to know.
fn stack(object: &Object, sight: &Sight<'_>) -> Vec<Item> {
    vec![sight.not_priced(object, "contents", "prices of what its template creates are not looked up")]
}
