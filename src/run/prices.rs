//! Asks AWS's price list for prices, and what is behind endpoints: what a bill needs beside the plan.
//!
//! Prices of all regions are asked for in one ([`crate::aws::Aws::pricing`]). An answer is a list of JSON documents in
//! strings; a query is loose, because usage types have a prefix of the region that is not written down anywhere, so
//! what it brings is sifted by the end of the usage type.

use crate::aws::{Aws, During, Failure};
use auroraml_core::base::Observed;
use auroraml_core::cost::{Decimal, PriceTable, Variant, Variants};
use auroraml_core::resource::Graph;
use aws_sdk_pricing::types::{Filter, FilterType};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Queries under way at once.
const AT_ONCE: usize = 4;
/// Pages of one query, of a hundred products each.
const PAGES_MAX: usize = 10;

/// Milliseconds in which all of it must be answered: there is a table without it.
const ASK_MS: u64 = 60_000;
const TOO_LONG: &str = "it did not respond within a minute";

/// What AWS said.
#[derive(Debug)]
pub struct Asked {
    pub table: PriceTable,
    /// Prices that were asked for and not found, and what could not be asked.
    pub notes: Vec<String>,
}

/// One question to the price list, and the prices that its answer may hold.
#[derive(Debug, PartialEq)]
struct Query {
    service: &'static str,
    filters: Vec<(&'static str, String)>,
    wanted: Vec<Wanted>,
}

#[derive(Debug, PartialEq)]
struct Wanted {
    /// Key of the price.
    key: String,
    /// End of the usage type.
    usage: String,
    /// How many of AWS's unit are one of ours.
    times: u32,
}

fn query(service: &'static str, filters: &[(&'static str, &str)], wanted: &[(&str, &str, u32)]) -> Query {
    Query {
        service,
        filters: filters.iter().map(|(field, value)| (*field, (*value).to_string())).collect(),
        wanted: wanted
            .iter()
            .map(|(key, usage, times)| Wanted { key: (*key).into(), usage: (*usage).into(), times: *times })
            .collect(),
    }
}

const AURORA: (&str, &str) = ("databaseEngine", "Aurora MySQL");

/// What is asked for these prices, and the prices that nobody knows how to ask for.
fn queries(keys: &BTreeSet<String>) -> (Vec<Query>, Vec<String>) {
    let mut all = vec![
        query(
            "AmazonRDS",
            &[AURORA, ("productFamily", "ServerlessV2")],
            &[
                ("aurora.acu", "Aurora:ServerlessV2Usage", 1),
                ("aurora.acu_io_optimized", "Aurora:ServerlessV2IOOptimizedUsage", 1),
            ],
        ),
        query(
            "AmazonRDS",
            &[AURORA, ("productFamily", "Database Storage")],
            &[
                ("aurora.storage", "Aurora:StorageUsage", 1),
                ("aurora.storage_io_optimized", "Aurora:IO-OptimizedStorageUsage", 1),
            ],
        ),
        query(
            "AmazonRDS",
            &[AURORA, ("productFamily", "System Operation")],
            &[("aurora.io_million", "Aurora:StorageIOUsage", 1_000_000)],
        ),
        query(
            "AmazonRDS",
            &[AURORA, ("productFamily", "Storage Snapshot")],
            &[("aurora.backup", "Aurora:BackupUsage", 1)],
        ),
        query(
            "AmazonEC2",
            &[("productFamily", "NAT Gateway")],
            &[("network.nat_gateway", "NatGateway-Hours", 1), ("network.nat_gb", "NatGateway-Bytes", 1)],
        ),
        query("AmazonVPC", &[], &[("network.ipv4", "PublicIPv4:InUseAddress", 1)]),
        query(
            "AmazonVPC",
            &[("productFamily", "VpcEndpoint")],
            &[
                ("network.interface_endpoint", "VpcEndpoint-Hours", 1),
                ("network.interface_endpoint_gb", "VpcEndpoint-Bytes", 1),
            ],
        ),
        query(
            "AmazonS3",
            &[("productFamily", "Storage"), ("volumeType", "Standard")],
            &[("s3.storage", "TimedStorage-ByteHrs", 1)],
        ),
        query(
            "AWSSecretsManager",
            &[],
            &[
                ("secrets.secret", "AWSSecretsManager-Secrets", 1),
                ("secrets.calls_10000", "AWSSecretsManagerAPIRequest", 10_000),
            ],
        ),
    ];
    let mut machines: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    let mut members: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for key in keys {
        for (group, usage) in [("notebook", "Notebk"), ("endpoint", "Host"), ("training", "Train")] {
            if let Some(instance) = key.strip_prefix("sagemaker.").and_then(|rest| rest.strip_prefix(group))
                && let Some(instance) = instance.strip_prefix('.')
            {
                machines.entry(instance).or_default().push((key, format!("{usage}:{instance}")));
            }
        }
        for (group, usage) in [
            ("aurora.instance.", "InstanceUsage"),
            ("aurora.instance_io_optimized.", "InstanceUsageIOOptimized"),
        ] {
            if let Some(class) = key.strip_prefix(group) {
                members.entry(class).or_default().push((key, format!("{usage}:{class}")));
            }
        }
    }
    let borrowed = |wanted: &[(&str, String)]| -> Vec<Wanted> {
        let wanted = wanted.iter();
        wanted.map(|(key, usage)| Wanted { key: (*key).into(), usage: usage.clone(), times: 1 }).collect()
    };
    all.extend(members.iter().map(|(class, wanted)| Query {
        wanted: borrowed(wanted),
        ..query("AmazonRDS", &[AURORA, ("instanceType", class), ("deploymentOption", "Single-AZ")], &[])
    }));
    all.extend(machines.iter().map(|(instance, wanted)| Query {
        wanted: borrowed(wanted),
        ..query("AmazonSageMaker", &[("instanceName", instance)], &[])
    }));
    for query in &mut all {
        query.wanted.retain(|wanted| keys.contains(&wanted.key));
    }
    all.retain(|query| !query.wanted.is_empty());
    let known: BTreeSet<&String> = all.iter().flat_map(|query| &query.wanted).map(|w| &w.key).collect();
    // What follows from another price is not looked for.
    let unknown = keys.iter().filter(|key| !known.contains(key) && *key != "aurora.io_optimized_percent");
    let unknown = unknown.cloned().collect();
    (all, unknown)
}

/// The prices of a region, by their keys, as far as AWS names them. What cannot be asked is told, and no error.
pub async fn ask(aws: &Aws, keys: &BTreeSet<String>) -> Asked {
    let region = &aws.place.region;
    let (queries, unknown) = queries(keys);
    let mut asked = Asked { table: PriceTable::empty(region), notes: Vec::new() };
    let until = aws.clock.now_ms() + ASK_MS;
    let answers = stream::iter(queries)
        .map(|query| async {
            let left = until.saturating_sub(aws.clock.now_ms());
            let answer = tokio::select! {
                answer = Box::pin(products(aws, region, &query)) => answer.map_err(|failure| failure.to_string()),
                () = aws.clock.sleep(Duration::from_millis(left)) => Err(TOO_LONG.to_string()),
            };
            (query, answer)
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut missing = Vec::new();
    let mut failures = BTreeSet::new();
    for (query, answer) in answers {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => {
                failures.insert(why);
                continue;
            }
        };
        for wanted in &query.wanted {
            match price_in(&answer, wanted) {
                Some(price) => asked.table.set(&wanted.key, price),
                None => missing.push(wanted.key.clone()),
            }
        }
    }
    asked.notes.extend(failures.into_iter().map(|why| format!("could not read AWS's price list: {why}")));
    if !missing.is_empty() {
        asked.notes.push(format!("AWS's price list has no single price for {}", missing.join(", ")));
    }
    if !unknown.is_empty() {
        asked.notes.push(format!("not looked up in AWS's price list: {}", unknown.join(", ")));
    }
    asked
}

/// What is behind the live endpoints of which the graph does not say it, and why that is not known of some.
pub async fn behind_endpoints(aws: &Aws, observed: &Observed, graph: &Graph) -> (Variants, Vec<String>) {
    let wanted: BTreeSet<&str> = graph
        .resources
        .values()
        .filter_map(|resource| resource.predicted.get("name"))
        .map(String::as_str)
        .collect();
    let configs = observed.values().filter(|live| live.id.kind == "endpoint");
    let configs = configs.filter_map(|live| live.props["config"].as_str());
    let configs: BTreeSet<&str> = configs.filter(|config| !wanted.contains(config)).collect();
    let (mut variants, mut notes) = (Variants::new(), Vec::new());
    for config in configs {
        let request = aws.sagemaker.describe_endpoint_config().endpoint_config_name(config);
        match Box::pin(request.send()).await.during("DescribeEndpointConfig") {
            Ok(found) => {
                let found = found.production_variants().iter().map(|variant| Variant {
                    instance: variant.instance_type().map(|instance| instance.as_str().to_string()),
                    count: variant.initial_instance_count().and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
                    memory: variant
                        .serverless_config()
                        .and_then(|config| config.memory_size_in_mb())
                        .and_then(|memory| u32::try_from(memory).ok()),
                });
                variants.insert(config.to_string(), found.collect());
            }
            Err(failure) => notes.push(format!("could not look up what an endpoint runs on: {failure}")),
        }
    }
    (variants, notes)
}

/// The products that a query finds.
async fn products(aws: &Aws, region: &str, query: &Query) -> Result<Vec<Value>, Failure> {
    let filter = |field: &str, value: &str| {
        Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build()
    };
    let filters = [filter("regionCode", region)].into_iter();
    let filters = filters.chain(query.filters.iter().map(|(field, value)| filter(field, value)));
    // The type, the field and the value are there, which is all that can be wrong with a filter.
    let filters = filters.collect::<Result<Vec<_>, _>>().unwrap_or_default();
    let request = aws.pricing.get_products().service_code(query.service).set_filters(Some(filters));
    let mut pages = request.max_results(100).into_paginator().send();
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let page = page.during("GetProducts")?;
        found.extend(page.price_list().iter().filter_map(|text| serde_json::from_str(text).ok()));
    }
    Ok(found)
}

/// The price of a product with that usage type. Several products that cost different amounts are no price.
fn price_in(products: &[Value], wanted: &Wanted) -> Option<Decimal> {
    let prices: BTreeSet<Decimal> =
        products.iter().filter(|product| is_of(product, &wanted.usage)).filter_map(on_demand).collect();
    let mut prices = prices.into_iter();
    match (prices.next(), prices.next()) {
        (Some(price), None) => Some(price.part(wanted.times, 1)),
        _ => None,
    }
}

/// Whether the product's usage type is that one, with or without the prefix of a region.
fn is_of(product: &Value, usage: &str) -> bool {
    let found = product["product"]["attributes"]["usagetype"].as_str().unwrap_or_default();
    found == usage || found.strip_suffix(usage).is_some_and(|prefix| prefix.ends_with('-'))
}

/// What the first of it costs on demand.
fn on_demand(product: &Value) -> Option<Decimal> {
    let terms = product["terms"]["OnDemand"].as_object()?.values();
    let dimensions =
        terms.filter_map(|term| term["priceDimensions"].as_object()).flat_map(|all| all.values());
    let starts = |dimension: &&Value| matches!(dimension["beginRange"].as_str(), None | Some("0"));
    let prices: BTreeSet<Decimal> = dimensions
        .filter(starts)
        .filter_map(|dimension| Decimal::parse(dimension["pricePerUnit"]["USD"].as_str()?))
        .collect();
    match (prices.len(), prices.into_iter().next()) {
        (1, Some(price)) if !price.is_zero() => Some(price),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn product(usage: &str, dimensions: Value) -> Value {
        json!({"product": {"attributes": {"usagetype": usage}}, "terms": {"OnDemand": {"a": {"priceDimensions": dimensions}}}})
    }

    fn costs(price: &str) -> Value {
        json!({"d": {"beginRange": "0", "pricePerUnit": {"USD": price}}})
    }

    #[test]
    fn the_price_is_that_of_exactly_the_usage_type() {
        let products = [
            product("EUC1-RegionalNatGateway-Hours", costs("0.05")),
            product("EUC1-NatGateway-Hours", costs("0.0520000000")),
            product("NatGateway-Bytes", costs("0.045")),
        ];
        let find = |usage: &str, times| {
            let wanted = Wanted { key: String::new(), usage: usage.into(), times };
            price_in(&products, &wanted).map(|price| price.to_string())
        };
        assert_eq!(find("NatGateway-Hours", 1).as_deref(), Some("0.052"));
        assert_eq!(find("NatGateway-Bytes", 1000).as_deref(), Some("45"));
        assert_eq!(find("Hours", 1), None);
    }

    #[test]
    fn of_odd_products_there_is_no_price() {
        let tiers = json!({
            "b": {"beginRange": "51200", "pricePerUnit": {"USD": "0.022"}},
            "a": {"beginRange": "0", "pricePerUnit": {"USD": "0.023"}},
        });
        assert_eq!(on_demand(&product("x", tiers)).map(|p| p.to_string()).as_deref(), Some("0.023"));
        for odd in [
            json!({}),
            costs("0.0000000000"),
            costs("-1"),
            json!({"d": {"pricePerUnit": {"CNY": "1"}}}),
            json!({"d": {"pricePerUnit": {"USD": 1}}}),
            json!({"d": {"pricePerUnit": {"USD": "1"}}, "e": {"pricePerUnit": {"USD": "2"}}}),
            json!([1]),
        ] {
            assert_eq!(on_demand(&product("x", odd.clone())), None, "{odd}");
        }
        assert_eq!(on_demand(&json!({"terms": {"Reserved": {}}})), None);
        assert_eq!(on_demand(&json!("text")), None);
        // Two that say the same are one; two that do not are none.
        let wanted = Wanted { key: String::new(), usage: "x".into(), times: 1 };
        let two = |other: &str| price_in(&[product("x", costs("1")), product("A-x", costs(other))], &wanted);
        assert_eq!((two("1.000").is_some(), two("2").is_some()), (true, false));
    }

    #[test]
    fn only_what_is_needed_is_asked() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_string()).collect();
        let (none, unknown) = queries(&keys(&[]));
        assert!(none.is_empty() && unknown.is_empty());
        let (some, unknown) = queries(&keys(&[
            "network.nat_gateway",
            "sagemaker.notebook.ml.t3.medium",
            "sagemaker.training.ml.t3.medium",
            "aurora.instance.db.r6g.large",
            "comprehend.unit",
        ]));
        assert_eq!(unknown, ["comprehend.unit"]);
        let wanted: Vec<usize> = some.iter().map(|query| query.wanted.len()).collect();
        assert_eq!(wanted, [1, 1, 2], "{some:?}");
    }
}
