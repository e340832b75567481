//! Simulated Price List service: products as AWS describes them, the odd ones among them.
//!
//! The shape is that of products which others have read from AWS and keep in public repositories: `product` and `terms`,
//! `pricePerUnit` as text, several price dimensions where the price has tiers, prefixes of usage types that every region
//! but the first has. Prices are those of us-east-1; another region's are higher by a part of its own, which is the
//! sandbox's and stands for no source.

use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Where the service is (fact book, section 9.2). It has no address elsewhere.
const REGIONS: &[&str] = &["us-east-1", "eu-central-1", "ap-south-1"];

/// Prefixes of usage types. AWS leaves that of the first region away from older services.
const PREFIXES: &[(&str, &str)] = &[
    ("us-east-1", "USE1"),
    ("us-east-2", "USE2"),
    ("us-west-1", "USW1"),
    ("us-west-2", "USW2"),
    ("eu-west-1", "EU"),
    ("eu-west-2", "EUW2"),
    ("eu-west-3", "EUW3"),
    ("eu-central-1", "EUC1"),
    ("eu-north-1", "EUN1"),
    ("ap-south-1", "APS3"),
    ("ap-southeast-1", "APS1"),
    ("ap-southeast-2", "APS2"),
    ("ap-northeast-1", "APN1"),
    ("ap-northeast-2", "APN2"),
];

/// Services, each with whether its usage types have a prefix in the first region too.
const SERVICES: &[(&str, bool)] = &[
    ("AmazonRDS", false),
    ("AmazonEC2", false),
    ("AmazonS3", false),
    ("AmazonVPC", true),
    ("AmazonSageMaker", true),
    ("AWSSecretsManager", true),
];

struct Product {
    family: Option<&'static str>,
    usage: String,
    unit: &'static str,
    /// From which quantity on, and what one costs.
    tiers: Vec<(&'static str, f64)>,
    attributes: Vec<(&'static str, String)>,
}

fn product(family: &'static str, usage: impl Into<String>, unit: &'static str, price: f64) -> Product {
    let family = Some(family).filter(|family| !family.is_empty());
    Product { family, usage: usage.into(), unit, tiers: vec![("0", price)], attributes: Vec::new() }
}

impl Product {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Product {
        self.attributes.push((name, value.into()));
        self
    }
    fn then(mut self, from: &'static str, price: f64) -> Product {
        self.tiers.push((from, price));
        self
    }
}

/// Classes of DB instances with their price by the hour.
const CLASSES: &[(&str, f64)] = &[
    ("db.t3.medium", 0.082),
    ("db.t4g.medium", 0.073),
    ("db.t4g.large", 0.146),
    ("db.r5.large", 0.29),
    ("db.r6g.large", 0.26),
    ("db.r6g.xlarge", 0.519),
    ("db.r7g.large", 0.276),
    ("db.r8g.large", 0.276),
];

fn rds() -> Vec<Product> {
    let mut all = Vec::new();
    for engine in ["Aurora MySQL", "Aurora PostgreSQL"] {
        let of = |product: Product| product.with("databaseEngine", engine);
        for (class, price) in CLASSES {
            let instance = |usage: String, price: f64| {
                let product = of(product("Database Instance", usage, "Hrs", price));
                product.with("instanceType", *class).with("deploymentOption", "Single-AZ")
            };
            // The dearer one comes first, as it happens: who takes the first product takes the wrong one.
            all.push(instance(format!("InstanceUsageIOOptimized:{class}"), price * 1.3));
            all.push(instance(format!("InstanceUsage:{class}"), *price));
        }
        let serverless = [("Aurora:ServerlessV2IOOptimizedUsage", 0.156), ("Aurora:ServerlessV2Usage", 0.12)];
        all.extend(serverless.map(|(usage, price)| of(product("ServerlessV2", usage, "ACU-Hr", price))));
        let storage = [
            ("Aurora:IO-OptimizedStorageUsage", "IO Optimized-Aurora", 0.225),
            ("Aurora:StorageUsage", "General Purpose-Aurora", 0.1),
        ];
        for (usage, volume, price) in storage {
            all.push(of(product("Database Storage", usage, "GB-Mo", price)).with("volumeType", volume));
        }
        all.push(of(product("System Operation", "Aurora:StorageIOUsage", "IOs", 0.000_000_2)));
        all.push(of(product("Storage Snapshot", "Aurora:BackupUsage", "GB-Mo", 0.021)));
        // What it costs to stay with an old version: also by the hour, and of no class.
        all.push(of(product("Database Utilities", "ExtendedSupport:Yr1-Yr2:Aurora", "vCPU-hour", 0.1)));
    }
    let mysql = product("Database Instance", "InstanceUsage:db.r6g.large", "Hrs", 0.225);
    all.push(
        mysql
            .with("databaseEngine", "MySQL")
            .with("instanceType", "db.r6g.large")
            .with("deploymentOption", "Single-AZ"),
    );
    all
}

fn ec2() -> Vec<Product> {
    let nat = |usage: &'static str, what: &'static str, unit: &'static str, price: f64| {
        let product = product("NAT Gateway", usage, unit, price).with("operation", "NatGateway");
        product.with("group", "NGW:NatGateway").with("groupDescription", what)
    };
    vec![
        nat("RegionalNatGateway-Hours", "Hourly charge for Regional NAT Gateways", "Hrs", 0.05),
        nat("NatGateway-Hours", "Hourly charge for NAT Gateways", "Hrs", 0.045),
        nat("NatGateway-Bytes", "Charge for per GB data processed by NatGateways", "GB", 0.045),
        nat(
            "NatGateway-Prvd-Bytes",
            "Charge for per GB data processed by provisioned NatGateways",
            "GB",
            0.0,
        ),
    ]
}

fn vpc() -> Vec<Product> {
    let endpoint =
        |usage: &'static str, unit: &'static str, price: f64| product("VpcEndpoint", usage, unit, price);
    // Public addresses have no product family.
    vec![
        product("", "PublicIPv4:IdleAddress", "Hrs", 0.005),
        product("", "PublicIPv4:InUseAddress", "Hrs", 0.005),
        product("", "PublicIPv4:ContiguousBlock", "Hrs", 0.008),
        endpoint("VpcEndpoint-GWLBE-Hours", "Hrs", 0.01),
        endpoint("VpcEndpoint-Hours", "Hrs", 0.01),
        endpoint("VpcEndpoint-Bytes", "GB", 0.01).then("1048576", 0.006).then("5242880", 0.004),
    ]
}

/// Types of SageMaker instances: as a notebook, and as anything else; nothing where AWS does not offer them as that.
const MACHINES: &[(&str, f64, f64)] = &[
    ("ml.t2.medium", 0.0464, 0.056),
    ("ml.t3.medium", 0.05, 0.0),
    ("ml.t3.large", 0.1, 0.0),
    ("ml.m4.xlarge", 0.24, 0.24),
    ("ml.m5.large", 0.115, 0.115),
    ("ml.m5.xlarge", 0.23, 0.23),
    ("ml.c5.large", 0.102, 0.102),
    ("ml.g4dn.xlarge", 0.736, 0.736),
];

/// What such an instance can be, and how the usage type says it.
const COMPONENTS: &[(&str, &str)] = &[
    ("Studio-Notebook", "Studio_NB"),
    ("Notebook", "Notebk"),
    ("Training", "Train"),
    ("Processing", "Processing"),
    ("Hosting", "Host"),
    ("BatchTransform", "BatchTransform"),
];

fn sagemaker() -> Vec<Product> {
    let mut all = Vec::new();
    for (name, notebook, other) in MACHINES {
        for (component, usage) in COMPONENTS {
            let price = if component.contains("Notebook") { *notebook } else { *other };
            if price > 0.0 {
                let product = product("ML Instance", format!("{usage}:{name}"), "Hrs", price);
                let product = product.with("instanceName", *name).with("component", *component);
                all.push(product.with("instanceType", format!("{name}-{component}")));
            }
        }
    }
    all
}

fn products(service: &str) -> Vec<Product> {
    match service {
        "AmazonRDS" => rds(),
        "AmazonEC2" => ec2(),
        "AmazonVPC" => vpc(),
        "AmazonSageMaker" => sagemaker(),
        "AmazonS3" => {
            let storage = |usage: &'static str, volume: &'static str, price: f64| {
                product("Storage", usage, "GB-Mo", price).with("volumeType", volume)
            };
            vec![
                storage("TimedStorage-ByteHrs", "Standard", 0.023).then("51200", 0.022).then("512000", 0.021),
                storage("TimedStorage-SIA-ByteHrs", "Standard - Infrequent Access", 0.0125),
            ]
        }
        "AWSSecretsManager" => vec![
            product("Secret", "AWSSecretsManager-Secrets", "Secrets", 0.4),
            product("API Request", "AWSSecretsManagerAPIRequest", "API Requests", 0.000_005),
        ],
        _ => Vec::new(),
    }
}

/// How much dearer a region is than the first: up to a fifth.
fn dearer(region: &str) -> f64 {
    let place = PREFIXES.iter().position(|(known, _)| *known == region).unwrap_or(0);
    1.0 + f64::from(u32::try_from(place).unwrap_or(0)) / 100.0
}

/// The product as AWS describes it.
fn document(service: &str, region: &str, prefix: &str, product: &Product) -> Value {
    let has_prefix = SERVICES.iter().any(|(known, always)| *known == service && *always);
    let usage = match region == "us-east-1" && !has_prefix {
        true => product.usage.clone(),
        false => format!("{prefix}-{}", product.usage),
    };
    let digest = Sha256::digest(format!("{service}/{region}/{usage}/{:?}", product.attributes));
    let sku: String = digest.iter().take(8).map(|byte| format!("{byte:02X}")).collect();
    let mut attributes = Map::new();
    for (name, value) in [
        ("regionCode", region),
        ("servicecode", service),
        ("usagetype", &usage),
        ("locationType", "AWS Region"),
    ] {
        attributes.insert(name.into(), value.into());
    }
    attributes
        .extend(product.attributes.iter().map(|(name, value)| (name.to_string(), value.clone().into())));
    let term = format!("{sku}.JRTCKXETXF");
    let ends = product.tiers.iter().skip(1).map(|(from, _)| *from).chain(["Inf"]);
    let dimensions = product.tiers.iter().zip(ends).enumerate().map(|(n, ((from, price), end))| {
        let code = format!("{term}.{n:010}");
        let price = format!("{:.10}", price * dearer(region));
        let dimension = json!({
            "unit": product.unit,
            "beginRange": from,
            "endRange": end,
            "description": format!("${price} per {} of {usage}", product.unit),
            "appliesTo": [],
            "rateCode": code,
            "pricePerUnit": {"USD": price},
        });
        (code, dimension)
    });
    let dimensions: Map<String, Value> = dimensions.collect();
    let mut described = json!({"sku": sku, "attributes": attributes});
    if let Some(family) = product.family {
        described["productFamily"] = family.into();
    }
    let mut terms = json!({"OnDemand": {term.clone(): {
        "priceDimensions": dimensions,
        "sku": sku,
        "effectiveDate": "2026-11-01T00:00:00Z",
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }}});
    if product.family == Some("Database Instance") {
        terms["Reserved"] = json!({format!("{sku}.38NPMPTW36"): {
            "priceDimensions": {format!("{sku}.38NPMPTW36.2TG2D8R56U"): {
                "unit": "Quantity", "pricePerUnit": {"USD": "1000"},
            }},
            "sku": sku,
            "termAttributes": {"LeaseContractLength": "1yr"},
        }});
    }
    json!({
        "product": described,
        "serviceCode": service,
        "terms": terms,
        "version": "20261101000000",
        "publicationDate": "2026-11-01T00:00:00Z",
    })
}

pub(crate) fn handle(call: &Call) -> Reply {
    if !REGIONS.contains(&call.region.as_str()) {
        let text = format!("api.pricing.{}.amazonaws.com has no address", call.region);
        return Err(Fault::new(404, "UnknownEndpoint", text));
    }
    match call.operation.as_str() {
        "GetProducts" => get_products(call),
        _ => Err(call.unknown()),
    }
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterException", text)
}

/// The token of a page is the number of products shown so far: prices do not change meanwhile.
fn get_products(call: &Call) -> Reply {
    let service = call.json["ServiceCode"].as_str().ok_or_else(|| invalid("ServiceCode is required"))?;
    if !SERVICES.iter().any(|(known, _)| *known == service) {
        return Err(Fault::bad("NotFoundException", format!("There is no service {service}")));
    }
    if !matches!(call.json["FormatVersion"].as_str(), None | Some("aws_v1")) {
        return Err(invalid("FormatVersion must be aws_v1"));
    }
    let empty = Vec::new();
    let filters = call.json["Filters"].as_array().unwrap_or(&empty);
    // botocore's model: at most 50.
    if filters.len() > 50 {
        return Err(invalid("there are more than 50 filters"));
    }
    let size = match &call.json["MaxResults"] {
        Value::Null => 100,
        size => size.as_u64().filter(|size| (1..=100).contains(size)).ok_or_else(|| invalid("MaxResults"))?,
    };
    let size = usize::try_from(size).unwrap_or(100);
    let start = match call.json["NextToken"].as_str() {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| Fault::bad("InvalidNextTokenException", "The pagination token is invalid"))?,
    };
    let mut found = Vec::new();
    for (region, prefix) in PREFIXES {
        for product in products(service) {
            let document = document(service, region, prefix, &product);
            if passes(&document, filters)? {
                found.push(Value::String(document.to_string()));
            }
        }
    }
    let page: Vec<Value> = found.iter().skip(start).take(size).cloned().collect();
    let end = start.saturating_add(page.len());
    let mut answer = json!({"FormatVersion": "aws_v1", "PriceList": page});
    if end < found.len() {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(answer.into())
}

/// Whether a product matches all filters (GetProducts, "Filters": only products that match all are returned).
fn passes(document: &Value, filters: &[Value]) -> Result<bool, Fault> {
    for filter in filters {
        let text = |name: &str| {
            let value = filter[name].as_str().filter(|text| (1..=1024).contains(&text.len()));
            value.ok_or_else(|| invalid(format!("{name} of a filter")))
        };
        let (kind, field, wanted) = (text("Type")?, text("Field")?, text("Value")?);
        let product = &document["product"];
        let value = match field {
            "productFamily" => &product["productFamily"],
            "sku" => &product["sku"],
            field => &product["attributes"][field],
        };
        let value = value.as_str();
        let matches = match kind {
            "TERM_MATCH" | "EQUALS" => value == Some(wanted),
            "CONTAINS" => value.is_some_and(|value| value.contains(wanted)),
            "ANY_OF" => value.is_some_and(|value| wanted.split(',').any(|one| one == value)),
            "NONE_OF" => value.is_none_or(|value| wanted.split(',').all(|one| one != value)),
            other => return Err(invalid(format!("there is no filter of type {other}"))),
        };
        if !matches {
            return Ok(false);
        }
    }
    Ok(true)
}
