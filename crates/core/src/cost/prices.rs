//! Tables of prices: what is built in, what a file says, what AWS's price list said.

use super::Decimal;
use crate::base::counted;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The format of a table that this version reads.
const FORMAT: u64 = 1;
/// Bytes of a table that are read.
pub const TABLE_MAX: usize = 1 << 20;

/// The tables that come with the program: one file a region.
const EMBEDDED: &[&str] = &[
    include_str!("prices/us-east-1.yaml"),
    include_str!("prices/us-west-2.yaml"),
    include_str!("prices/eu-central-1.yaml"),
    include_str!("prices/ap-northeast-1.yaml"),
    include_str!("prices/ap-northeast-2.yaml"),
];

/// Every price that there can be, with what it is for; one that ends in a dot has a class behind it.
pub const PRICES: &[(&str, &str)] = &[
    ("aurora.instance.", "hour of a member of that class"),
    ("aurora.instance_io_optimized.", "hour of a member of that class with I/O-Optimized storage"),
    ("aurora.io_optimized_percent", "surcharge of I/O-Optimized on a member's price"),
    ("aurora.acu", "hour of an Aurora capacity unit"),
    ("aurora.acu_io_optimized", "the same with I/O-Optimized storage"),
    ("aurora.storage", "GiB of the cluster's data per month"),
    ("aurora.storage_io_optimized", "the same with I/O-Optimized storage"),
    ("aurora.io_million", "million I/O requests"),
    ("aurora.backup", "GiB of backups or snapshots per month"),
    ("aurora.data_api_million", "million requests to the Data API"),
    ("network.nat_gateway", "hour of a NAT gateway"),
    ("network.nat_gb", "GB through a NAT gateway"),
    ("network.ipv4", "hour of a public IPv4 address, used or idle"),
    ("network.interface_endpoint", "hour of an interface endpoint in one zone"),
    ("network.interface_endpoint_gb", "GB through an interface endpoint"),
    ("sagemaker.instance.", "hour of an instance of that type, for any use"),
    ("sagemaker.notebook.", "hour of a notebook instance of that type"),
    ("sagemaker.endpoint.", "hour of an endpoint's instance of that type"),
    ("sagemaker.training.", "hour of a training job's instance of that type"),
    ("sagemaker.volume", "GiB of a notebook's or job's volume per month"),
    ("sagemaker.serverless_gb_second", "second of a serverless endpoint with one GB of memory"),
    ("s3.storage", "GB in S3 Standard per month"),
    ("secrets.secret", "secret per month"),
    ("secrets.calls_10000", "10,000 calls of Secrets Manager"),
    ("comprehend.unit", "unit of 100 characters of a text; three units at least"),
];

/// Prices of one region, in US dollars, and where they come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PriceTable {
    pub region: String,
    /// `2026-09-03`
    pub date: String,
    pub sources: Vec<String>,
    /// What was laid over the built-in table, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    #[serde(skip)]
    prices: BTreeMap<String, Decimal>,
}

impl PriceTable {
    /// The table that comes with the program.
    pub fn embedded(region: &str) -> Option<PriceTable> {
        let name = format!("\nregion: {region}\n");
        let text = EMBEDDED.iter().find(|text| text.contains(&name))?;
        // A test reads all of them.
        PriceTable::parse(text).ok()
    }

    /// A table without any price.
    pub fn empty(region: &str) -> PriceTable {
        PriceTable { region: region.into(), ..PriceTable::default() }
    }

    /// The regions of which there are tables.
    pub fn regions() -> Vec<String> {
        EMBEDDED.iter().filter_map(|text| PriceTable::parse(text).ok()).map(|table| table.region).collect()
    }

    /// Reads a table from YAML or JSON. All of it is optional: a table may be laid over another.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<PriceTable, String> {
        if text.len() > TABLE_MAX {
            return Err(format!("it has more than {TABLE_MAX} bytes"));
        }
        let value: Value =
            serde_saphyr::from_str(text).map_err(|error| format!("not valid YAML or JSON: {error}"))?;
        let Value::Object(mut map) = value else { return Err("not a mapping".into()) };
        let text = |map: &mut Map<String, Value>, key: &str| match map.remove(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(format!("`{key}` must be text")),
        };
        match map.remove("format") {
            None => {}
            Some(format) if format == FORMAT => {}
            Some(format) => return Err(format!("`format` is {format}, but this version reads {FORMAT}")),
        }
        let mut table = PriceTable {
            region: text(&mut map, "region")?,
            date: text(&mut map, "date")?,
            ..PriceTable::default()
        };
        match map.remove("sources") {
            None => {}
            Some(Value::Array(sources)) => {
                table.sources = sources.iter().filter_map(Value::as_str).map(String::from).collect();
            }
            Some(_) => return Err("`sources` must be a list".into()),
        }
        for (service, prices) in &map {
            table.read(service, prices)?;
        }
        Ok(table)
    }

    fn read(&mut self, path: &str, value: &Value) -> Result<(), String> {
        let number = match value {
            Value::Object(map) => {
                return map.iter().try_for_each(|(key, value)| self.read(&format!("{path}.{key}"), value));
            }
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err(format!("`{path}` is not a price")),
        };
        if !is_price(path) {
            return Err(format!("unknown price `{path}`"));
        }
        let price = Decimal::parse(&number).ok_or_else(|| format!("`{path}`: {number} is not a price"))?;
        self.prices.insert(path.into(), price);
        Ok(())
    }

    /// Lays prices over these; `named` says where they come from.
    pub fn lay_over(&mut self, over: &PriceTable, named: &str) {
        let count = over.prices.len();
        self.prices.extend(over.prices.iter().map(|(key, price)| (key.clone(), *price)));
        let date = if over.date.is_empty() { String::new() } else { format!(" of {}", over.date) };
        self.overrides.push(format!("{}{date} from {named}", counted(count, "price")));
    }

    /// Sets one price.
    pub fn set(&mut self, key: &str, price: Decimal) {
        debug_assert!(is_price(key), "there is no price {key}");
        self.prices.insert(key.into(), price);
    }

    pub fn price(&self, key: &str) -> Option<Decimal> {
        self.prices.get(key).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// An hour of a member of the cluster.
    pub fn instance(&self, class: &str, io_optimized: bool) -> Option<Decimal> {
        let standard = self.price(&format!("aurora.instance.{class}"));
        if !io_optimized {
            return standard;
        }
        self.price(&format!("aurora.instance_io_optimized.{class}")).or_else(|| {
            let percent = self.price("aurora.io_optimized_percent")?.times(Decimal::whole(1).part(1, 100));
            Some(standard? + standard?.times(percent))
        })
    }

    /// An hour of a SageMaker instance: `purpose` is `notebook`, `endpoint` or `training`.
    pub fn machine(&self, purpose: &str, instance: &str) -> Option<Decimal> {
        let by = |group: &str| self.price(&format!("sagemaker.{group}.{instance}"));
        by(purpose).or_else(|| by("instance"))
    }

    /// Which prices these are, in words.
    pub fn label(&self) -> String {
        let PriceTable { region, date, overrides, .. } = self;
        let mut parts: Vec<String> = Vec::new();
        if !date.is_empty() {
            parts.push(format!("prices of {date}, {region}"));
        }
        parts.extend(overrides.iter().cloned());
        parts.join("; ")
    }
}

fn is_price(path: &str) -> bool {
    PRICES.iter().any(|(key, _)| match key.strip_suffix('.') {
        Some(_) => path.len() > key.len() && path.starts_with(key),
        None => path == *key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn every_built_in_table_is_read_and_says_where_it_is_from() {
        assert_eq!(PriceTable::regions().len(), EMBEDDED.len());
        for region in PriceTable::regions() {
            let table = PriceTable::embedded(&region).unwrap();
            assert!(!table.is_empty() && table.date.starts_with("20"), "{region}");
            assert!(!table.sources.is_empty(), "{region}");
        }
        assert_eq!(PriceTable::embedded("us-east"), None);
    }

    #[test]
    fn a_file_lies_over_the_table() {
        let mut table = PriceTable::embedded("us-east-1").unwrap();
        let over = "date: 2026-11-01\naurora:\n  instance: { db.r6g.large: 0.2 }\n  io_million: '0.3'\n";
        table.lay_over(&PriceTable::parse(over).unwrap(), "our.yaml");
        assert_eq!(table.instance("db.r6g.large", false), Some(number("0.2")));
        assert_eq!(table.instance("db.r6g.large", true), Some(number("0.26")));
        assert_eq!(table.price("aurora.io_million"), Some(number("0.3")));
        assert_eq!(table.price("network.ipv4"), Some(number("0.005")));
        assert_eq!(table.label(), "prices of 2026-09-03, us-east-1; 2 prices of 2026-11-01 from our.yaml");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, why) in [
            ("[1]", "not a mapping"),
            ("a: [", "not valid YAML"),
            ("format: 2", "`format` is 2"),
            ("region: 5", "`region` must be text"),
            ("network: { natt: 1 }", "unknown price `network.natt`"),
            ("network: { nat_gb: -1 }", "`network.nat_gb`: -1 is not a price"),
            ("network: { nat_gb: [] }", "`network.nat_gb` is not a price"),
            ("aurora: 5", "unknown price `aurora`"),
            ("aurora: { 'instance.': 5 }", "unknown price"),
        ] {
            let error = PriceTable::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(PriceTable::parse("{\"network\": {\"nat_gb\": 0.05}}").is_ok());
    }

    #[test]
    fn an_instance_may_cost_the_same_whatever_it_is_for() {
        let table = PriceTable::embedded("us-east-1").unwrap();
        assert_eq!(table.machine("training", "ml.m5.large"), Some(number("0.115")));
        assert_eq!(table.machine("notebook", "ml.t3.medium"), Some(number("0.05")));
        assert_eq!(table.machine("endpoint", "ml.t3.medium"), None);
    }
}
