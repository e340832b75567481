//! Aurora MySQL versions, and the instance classes that each can run on (fact book, section 1.1).

use super::context::{Context, page, page_of};
use super::refusals::invalid;
use super::timeline::time;
use crate::account::ACCOUNT;
use crate::ec2::zones::has_class;
use crate::wire::{Fault, Reply, Xml};
use std::sync::LazyLock;

/// Parameter group families, oldest first.
pub(super) const FAMILIES: [&str; 3] = ["aurora-mysql5.7", "aurora-mysql8.0", "aurora-mysql8.4"];

/// Versions with the end of standard support: minor, patches, date. The minor versions and dates of 3.x are the
/// fact book's (section 1.1, as read in October 2026); the patch numbers, and all of 2.12, are our estimate.
const AVAILABLE: &[(&str, std::ops::RangeInclusive<u32>, &str)] = &[
    ("5.7.mysql_aurora.2.12", 4..=5, "2024-10-31"),
    ("8.0.mysql_aurora.3.04", 0..=4, "2026-10-31"),
    ("8.0.mysql_aurora.3.08", 0..=2, "2026-08-31"),
    ("8.0.mysql_aurora.3.09", 0..=0, "2026-08-31"),
    ("8.0.mysql_aurora.3.10", 0..=3, "2028-04-30"),
    ("8.0.mysql_aurora.3.11", 0..=1, "2026-11-13"),
    ("8.0.mysql_aurora.3.12", 0..=0, "2027-02-17"),
    ("8.0.mysql_aurora.3.13", 0..=0, "2027-08-27"),
];
/// The 8.4 versions carry MySQL's own number (fact book, section 1.1).
const AVAILABLE_8_4: &[(&str, &str)] =
    &[("8.4.mysql_aurora.8.4.7", "2027-11-30"), ("8.4.mysql_aurora.8.4.8", "2028-03-31")];
/// Still known to AWS, but nothing can be created with them, unless the sandbox is lenient. Which these are is
/// our estimate.
const DEPRECATED: &[&str] = &[
    "5.7.12",
    "5.7.mysql_aurora.2.07.10",
    "5.7.mysql_aurora.2.09.3",
    "5.7.mysql_aurora.2.10.3",
    "8.0.mysql_aurora.3.02.2",
    "8.0.mysql_aurora.3.03.3",
    "8.0.mysql_aurora.3.05.2",
    "8.0.mysql_aurora.3.06.1",
    "8.0.mysql_aurora.3.07.1",
];
/// What each major version gets when no minor version is named: our estimate.
const DEFAULTS: [&str; 3] = ["5.7.mysql_aurora.2.12.5", "8.0.mysql_aurora.3.10.3", "8.4.mysql_aurora.8.4.8"];
/// What is created when no version is named at all.
const DEFAULT: &str = DEFAULTS[1];

#[derive(Debug)]
pub(super) struct Version {
    pub name: String,
    deprecated: bool,
    /// Day on which standard support ends, `YYYY-MM-DD`.
    support_ends: &'static str,
}

static VERSIONS: LazyLock<Vec<Version>> = LazyLock::new(|| {
    let mut all: Vec<Version> = DEPRECATED
        .iter()
        .map(|name| Version { name: name.to_string(), deprecated: true, support_ends: "2026-01-31" })
        .collect();
    for (minor, patches, support_ends) in AVAILABLE {
        all.extend(patches.clone().map(|patch| Version {
            name: format!("{minor}.{patch}"),
            deprecated: false,
            support_ends,
        }));
    }
    all.extend(AVAILABLE_8_4.iter().map(|(name, support_ends)| Version {
        name: name.to_string(),
        deprecated: false,
        support_ends,
    }));
    all.sort_by_key(Version::order);
    all
});

impl Version {
    /// All numbers of the name, for comparison: `[8, 0, 3, 10, 2]`. The oldest versions have MySQL's number
    /// only, such as `5.7.12`, and come before all others of their major version.
    pub(super) fn order(&self) -> Vec<u32> {
        let numbers = self.name.split(['.', '_']).filter_map(|part| part.parse().ok());
        match self.name.contains("mysql_aurora") {
            true => numbers.collect(),
            false => numbers.take(2).collect(),
        }
    }

    /// Readers go on when the writer restarts: 2.10 and later (fact book, section 1.6).
    pub(super) fn readers_survive(&self) -> bool {
        self.order() >= vec![5, 7, 2, 10]
    }

    /// A reader can pass writes on to the writer: 3.04 and later (Aurora User Guide, "Local write forwarding").
    pub(super) fn forwards_writes(&self) -> bool {
        self.order() >= vec![8, 0, 3, 4]
    }

    /// So do the secondary clusters of a global database: 3.06 and later (fact book, section 1.6).
    pub(super) fn secondaries_survive(&self) -> bool {
        self.order() >= vec![8, 0, 3, 6]
    }

    pub(super) fn family(&self) -> &'static str {
        let index = ["5.7", "8.0", "8.4"].iter().position(|major| self.name.starts_with(major));
        FAMILIES[index.unwrap_or(1)]
    }

    pub(super) fn in_standard_support(&self, now: u64) -> bool {
        time(now).as_str() < self.support_ends
    }

    /// Data API: 3.07 and later (fact book, section 1.11, which leaves 8.4 open; here it has it).
    pub(super) fn has_data_api(&self) -> bool {
        self.order() >= vec![8, 0, 3, 7]
    }

    /// Serverless v2 with a minimum of 0 ACU: 3.08 and later (fact book, section 1.10).
    pub(super) fn can_pause(&self) -> bool {
        self.order() >= vec![8, 0, 3, 8]
    }

    /// The instance classes that this version can run on: our estimate, by the families that AWS offers.
    pub(super) fn classes(&self) -> impl Iterator<Item = String> + use<> {
        let modern = self.order() >= vec![8, 0, 3, 10];
        let serverless = self.order() >= vec![8, 0];
        let sizes = |family: &'static str, sizes: &'static [&'static str]| {
            sizes.iter().map(move |size| format!("db.{family}.{size}"))
        };
        let t: &[&str] = &["medium", "large"];
        let r: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
        let r5: &[&str] =
            &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];
        let r8: &[&str] = &[
            "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
            "48xlarge",
        ];
        serverless
            .then(|| "db.serverless".to_string())
            .into_iter()
            .chain(sizes("t3", t))
            .chain(sizes("t4g", t))
            .chain(sizes("r5", r5))
            .chain(sizes("r6g", r))
            .chain(sizes("r7g", r))
            .chain(modern.then(|| sizes("r8g", r8)).into_iter().flatten())
    }
}

pub(super) fn find(name: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.name == name)
}

/// Whether `wanted` names the version or a part of its name up to a dot.
pub(super) fn is_prefix(wanted: &str, version: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The version that something new gets when `wanted` is asked for: a full name, a major version, or nothing.
/// Deprecated ones only when `lenient`.
pub(super) fn creatable(wanted: &str, lenient: bool) -> Option<&'static Version> {
    let name = match wanted {
        "" => DEFAULT,
        "5.7" | "8.0" | "8.4" => DEFAULTS.into_iter().find(|name| name.starts_with(wanted))?,
        full => full,
    };
    find(name).filter(|version| lenient || !version.deprecated)
}

/// The newest patch of the same minor version, if there is a newer one.
pub(super) fn newest_patch(name: &str) -> Option<String> {
    let (minor, _) = name.rsplit_once('.').filter(|_| name.contains("mysql_aurora"))?;
    let newest = VERSIONS.iter().rev().find(|version| is_prefix(minor, &version.name))?;
    (newest.name != name && !newest.deprecated).then(|| newest.name.clone())
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let wanted = p.get("EngineVersion").unwrap_or_default();
    let family = p.get("DBParameterGroupFamily");
    let filters =
        c.filters(&["db-parameter-group-family", "engine", "engine-mode", "engine-version", "status"])?;
    let include_all = p.flag("IncludeAll").unwrap_or(false) || filters.contains_key("status");
    let default_only = p.flag("DefaultOnly").unwrap_or(false);
    let default = match wanted {
        "" => DEFAULT,
        wanted => DEFAULTS.into_iter().find(|name| is_prefix(wanted, name)).unwrap_or_default(),
    };
    let matches = |version: &&Version| {
        let status = if version.deprecated { "deprecated" } else { "available" };
        p.get("Engine").is_none_or(|engine| engine == "aurora-mysql")
            && (include_all || !version.deprecated)
            && (wanted.is_empty() || is_prefix(wanted, &version.name))
            && family.is_none_or(|family| family == version.family())
            && (!default_only || version.name == default)
            && filters.iter().all(|(name, values)| {
                let actual = match name.as_str() {
                    "db-parameter-group-family" => version.family(),
                    "engine" => "aurora-mysql",
                    "engine-mode" => "provisioned",
                    "engine-version" => &version.name,
                    _ => status,
                };
                values.iter().any(|value| value == actual)
            })
    };
    let all = VERSIONS.iter().enumerate().filter(|(_, version)| matches(version));
    let (found, marker) = page(p, all.map(|(n, version)| (format!("{n:04}"), version)).collect())?;
    let mut xml = Xml::new();
    xml.list("DBEngineVersions", "DBEngineVersion", found, show);
    xml.optional("Marker", marker);
    Ok(xml.into())
}

fn show(x: &mut Xml, version: &Version) {
    let major = &version.name[..3];
    let title = version.name.replace(".mysql_aurora.", " / Aurora MySQL ");
    x.text("Engine", "aurora-mysql");
    x.text("MajorEngineVersion", major);
    x.text("EngineVersion", &version.name);
    x.text("DBParameterGroupFamily", version.family());
    x.text("DBEngineDescription", "Aurora MySQL");
    x.text("DBEngineVersionDescription", format!("Aurora MySQL (compatible with MySQL {title})"));
    let targets = VERSIONS.iter().filter(|to| !to.deprecated && to.order() > version.order());
    x.list("ValidUpgradeTarget", "UpgradeTarget", targets, |x, to| {
        x.text("Engine", "aurora-mysql");
        x.text("EngineVersion", &to.name);
        x.text("AutoUpgrade", false);
        x.text("IsMajorVersionUpgrade", to.family() != version.family());
    });
    x.texts("ExportableLogTypes", "member", ["audit", "error", "general", "instance", "slowquery"]);
    x.text("SupportsLogExportsToCloudwatchLogs", true);
    x.text("SupportsReadReplica", false);
    x.texts("SupportedEngineModes", "member", ["provisioned"]);
    x.element("SupportedFeatureNames", |_| {});
    x.text("Status", if version.deprecated { "deprecated" } else { "available" });
    x.text("SupportsParallelQuery", true);
    x.text("SupportsGlobalDatabases", true);
    x.text("SupportsBabelfish", false);
    x.text("SupportsLocalWriteForwarding", true);
    x.texts("SupportedCACertificateIdentifiers", "member", CERTIFICATES);
    if version.order() >= vec![8, 0] {
        x.element("ServerlessV2FeaturesSupport", |x| {
            x.text("MinCapacity", if version.can_pause() { "0.0" } else { "0.5" });
            x.text("MaxCapacity", "256.0");
        });
    }
    x.text("DBEngineVersionArn", format!("arn:aws:rds::{ACCOUNT}:dbengineversion:{}", version.name));
}

/// The certificate authorities of every region, the default one first (RDS User Guide, "Certificate authorities").
pub(super) const CERTIFICATES: &[&str] = &["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];
/// Until when they are valid; close enough to the real ones, which end in 2061 and 2121.
pub(super) const CERTIFICATES_UNTIL: &str = "2061-05-25T00:00:00Z";

/// DescribeCertificates.
pub(super) fn describe_certificates(c: &mut Context<'_>) -> Reply {
    let wanted = c.params().get("CertificateIdentifier");
    if let Some(name) = wanted.filter(|name| !CERTIFICATES.contains(name)) {
        return Err(Fault::new(404, "CertificateNotFound", format!("Certificate not found: {name}")));
    }
    c.filters(&[])?;
    let found = CERTIFICATES.iter().filter(|name| wanted.is_none_or(|wanted| wanted == **name));
    let (found, marker) = page(c.params(), found.map(|name| (name.to_string(), *name)).collect())?;
    let mut xml = Xml::new();
    xml.text("DefaultCertificateForNewLaunches", CERTIFICATES[0]);
    xml.list("Certificates", "Certificate", found, |x, name| {
        x.text("CertificateIdentifier", name).text("CertificateType", "CA");
        x.text("Thumbprint", name.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
        x.text("ValidFrom", "2021-05-25T00:00:00Z").text("ValidTill", CERTIFICATES_UNTIL);
        x.text("CertificateArn", format!("arn:aws:rds:{}::cert:{name}", c.call.region));
        x.text("CustomerOverride", false);
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// The default option groups: Aurora has no others (RDS User Guide, "Working with option groups").
pub(super) fn describe_option_groups(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let (wanted, engine, major) =
        (p.get("OptionGroupName"), p.get("EngineName"), p.get("MajorEngineVersion"));
    c.filters(&[])?;
    let known =
        FAMILIES.iter().map(|family| (option_group(family), family.trim_start_matches("aurora-mysql")));
    let found = known.filter(|(name, version)| {
        wanted.is_none_or(|wanted| wanted == name)
            && engine.is_none_or(|engine| engine == "aurora-mysql")
            && major.is_none_or(|major| major == *version)
    });
    let found: Vec<_> = found.map(|(name, version)| (name.clone(), (name, version))).collect();
    if let (Some(name), true) = (wanted, found.is_empty()) {
        let text = format!("Specified OptionGroupName: {name} not found.");
        return Err(Fault::new(404, "OptionGroupNotFoundFault", text));
    }
    let (found, marker) = page(p, found)?;
    let mut xml = Xml::new();
    xml.list("OptionGroupsList", "OptionGroup", found, |x, (name, version)| {
        x.text("OptionGroupName", &name);
        x.text("OptionGroupDescription", format!("Default option group for aurora-mysql {version}"));
        x.text("EngineName", "aurora-mysql").text("MajorEngineVersion", version);
        x.element("Options", |_| {});
        x.text("AllowsVpcAndNonVpcInstanceMemberships", true);
        x.text("OptionGroupArn", c.arn("og", &name));
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// The option group of an instance: `default:aurora-mysql-8-0`.
pub(super) fn option_group(family: &str) -> String {
    format!("default:{}", family.replace("aurora-mysql", "aurora-mysql-").replace('.', "-"))
}

pub(super) fn describe_orderable(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    if p.required("Engine")? != "aurora-mysql" {
        return Err(invalid("Invalid DB engine"));
    }
    c.filters(&[])?;
    let version = p.get("EngineVersion");
    let class = p.get("DBInstanceClass");
    // There is no Aurora outside a VPC.
    let outside = p.flag("Vpc") == Some(false);
    let found = VERSIONS
        .iter()
        .filter(|known| !outside && !known.deprecated)
        .filter(|known| version.is_none_or(|wanted| is_prefix(wanted, &known.name)))
        .flat_map(|version| version.classes().map(move |class| (version, class)))
        .filter(|(_, known)| class.is_none_or(|wanted| wanted == known));
    let all = found.enumerate().map(|(n, option)| (format!("{n:06}"), option)).collect();
    // Unlike other listings, this one has pages of a thousand (API reference; Terraform asks with 1000).
    let (options, marker) = page_of(p, all, 1000)?;
    let mut xml = Xml::new();
    xml.list("OrderableDBInstanceOptions", "OrderableDBInstanceOption", options, |x, (version, class)| {
        x.text("Engine", "aurora-mysql");
        x.text("EngineVersion", &version.name);
        x.text("DBInstanceClass", &class);
        x.text("LicenseModel", "general-public-license");
        let zones = c.zones().into_iter().filter(|zone| has_class(zone, &class));
        x.list("AvailabilityZones", "AvailabilityZone", zones, |x, zone| {
            x.text("Name", zone);
        });
        x.text("MultiAZCapable", false);
        x.text("ReadReplicaCapable", false);
        x.text("Vpc", true);
        x.text("SupportsStorageEncryption", true);
        x.text("StorageType", "aurora");
        x.text("SupportsIops", false);
        x.text("SupportsEnhancedMonitoring", true);
        x.text("SupportsIAMDatabaseAuthentication", true);
        x.text("SupportsPerformanceInsights", !class.starts_with("db.t"));
        x.texts("SupportedEngineModes", "member", ["provisioned"]);
        x.text("SupportsGlobalDatabases", !class.starts_with("db.t"));
        x.texts("SupportedNetworkTypes", "member", ["IPV4", "DUAL"]);
        x.text("SupportsClusters", true);
        x.text("SupportsHttpEndpoint", !class.starts_with("db.t") && version.has_data_api());
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let order = |name| find(name).map(Version::order).unwrap_or_default();
        assert_eq!(order("8.0.mysql_aurora.3.10.2"), [8, 0, 3, 10, 2]);
        assert!(order("8.0.mysql_aurora.3.09.0") < order("8.0.mysql_aurora.3.10.0"));
        assert!(order("8.0.mysql_aurora.3.13.0") < order("8.4.mysql_aurora.8.4.7"));
    }

    #[test]
    fn every_default_exists() {
        assert!(DEFAULTS.iter().all(|name| creatable(name, false).is_some()));
        assert_eq!(creatable("8.4", false).map(Version::family), Some("aurora-mysql8.4"));
        assert!(creatable("8.0.mysql_aurora.3.06.1", false).is_none(), "deprecated");
        assert!(creatable("8.0.mysql_aurora.3.06.1", true).is_some(), "lenient");
        assert_eq!(newest_patch("5.7.12"), None);
        assert_eq!(newest_patch("8.0.mysql_aurora.3.10.1").as_deref(), Some("8.0.mysql_aurora.3.10.3"));
        assert_eq!(newest_patch("8.0.mysql_aurora.3.10.3"), None);
    }
}
