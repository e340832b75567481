//! What a person needs to use a stack: where the database is, how to get in, which pages to open. Pure.
//!
//! How to get a password is told, and never the password: nothing here has read one.

use super::{Subject, plain};
use crate::base::{Live, Observed};
use crate::model::facts::Reached;
use serde::Serialize;

/// How a stack is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Access {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// Pages to open in a browser.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Page>,
}

/// How clients reach the database.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Database {
    pub host: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reader_host: String,
    pub port: i64,
    pub user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// ARN of the secret with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The command that prints the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_password: Option<String>,
    /// The command that opens a session.
    pub mysql: String,
    /// The command that sends a statement by the RDS Data API, where the cluster takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_api: Option<String>,
    /// Whether it has no public address; not said of a cluster without members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// From where its port can be reached.
    pub reachable_from: Vec<String>,
}

/// A page in a browser.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    pub what: String,
    pub address: String,
}

/// What is known of a stack that is to be used.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    pub subject: &'k Subject,
    pub observed: &'k Observed,
    /// The cluster of others that the stack uses.
    pub existing: Option<&'k Reached>,
    /// The secret that the spec names for SQL.
    pub secret: Option<&'k str>,
    /// Flags of the AWS CLI with which it means the same account: `--profile dev`.
    pub flags: &'k [String],
}

impl Access {
    pub fn of(known: Known<'_>) -> Access {
        let Known { observed, existing, .. } = known;
        let own = observed.values().find(|live| live.id.kind == "cluster" && live.owned);
        let database = match (own, existing) {
            (Some(cluster), _) => known.own(cluster),
            (None, Some(reached)) => known.of_others(reached),
            (None, None) => None,
        };
        Access { database, pages: known.pages() }
    }
}

impl Known<'_> {
    fn own(self, cluster: &Live) -> Option<Database> {
        let props = &cluster.props;
        let text = |name: &str| props[name].as_str().filter(|text| !text.is_empty()).map(plain::line);
        let secret = self.observed.values().find(|live| live.id.kind == "secret");
        let secret = cluster.output("secret_arn").or(secret.and_then(|secret| secret.output("arn")));
        let host = cluster.output("endpoint").filter(|host| !host.is_empty())?;
        self.database(
            Database {
                host: plain::line(host),
                reader_host: plain::line(cluster.output("reader_endpoint").unwrap_or_default()),
                port: props["port"].as_i64().unwrap_or_default(),
                user: text("username").unwrap_or_default(),
                database: text("database"),
                secret: secret.map(plain::line),
                // What auroraml makes has none; what is changed afterwards is drift.
                private: Some(true),
                reachable_from: self.peers(cluster),
                ..Database::default()
            },
            (props["data_api"] == true).then(|| cluster.output("arn")).flatten(),
        )
    }

    fn of_others(self, reached: &Reached) -> Option<Database> {
        if reached.host.is_empty() {
            return None;
        }
        let groups =
            reached.security_groups.iter().map(|group| format!("whatever security group {group} lets in"));
        let secret = self.secret.or(reached.secret.as_deref());
        self.database(
            Database {
                host: plain::line(&reached.host),
                reader_host: plain::line(&reached.reader_host),
                port: reached.port.into(),
                user: plain::line(&reached.user),
                database: reached.database.as_deref().map(plain::line),
                secret: secret.map(plain::line),
                private: reached.private,
                reachable_from: groups.map(|group| plain::line(&group)).collect(),
                ..Database::default()
            },
            reached.data_api.then_some(reached.arn.as_str()),
        )
    }

    /// With the commands. `sql_over_https`: ARN of a cluster that takes it.
    fn database(self, known: Database, sql_over_https: Option<&str>) -> Option<Database> {
        let Database { host, port, user, database, secret, .. } = &known;
        let aws = |words: &[&str]| {
            let flags = self.flags.iter().map(String::as_str);
            let words = words.iter().copied().chain(["--region", &self.subject.region]).chain(flags);
            format!("aws {}", words.map(quoted).collect::<Vec<_>>().join(" "))
        };
        let get_password = secret.as_ref().map(|secret| {
            let words =
                ["secretsmanager", "get-secret-value", "--secret-id", secret, "--query", "SecretString"];
            aws(&[&words[..], &["--output", "text"]].concat())
        });
        // It asks for the password: one on the command line could be read by whoever lists processes.
        let port_text = port.to_string();
        let mut mysql = vec!["mysql", "-h", host, "-P", &port_text, "-u", user, "-p"];
        mysql.extend(database.as_deref());
        let mysql = mysql.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
        // The Data API takes no secret by its name (RDS Data API reference, ExecuteStatement, secretArn).
        let arn_of_secret = secret.as_deref().filter(|secret| secret.starts_with("arn:"));
        let data_api = sql_over_https.zip(arn_of_secret).map(|(arn, secret)| {
            let mut words =
                vec!["rds-data", "execute-statement", "--resource-arn", arn, "--secret-arn", secret];
            if let Some(database) = database {
                words.extend(["--database", database]);
            }
            words.extend(["--sql", "SELECT VERSION()"]);
            aws(&words)
        });
        let mut reachable_from = known.reachable_from.clone();
        if sql_over_https.is_some() {
            reachable_from.push("anywhere, through the Data API, with AWS credentials".into());
        }
        Some(Database { get_password, mysql, data_api, reachable_from, ..known })
    }

    /// Who is let in by the groups of the stack's cluster.
    fn peers(self, cluster: &Live) -> Vec<String> {
        let port = &cluster.props["port"];
        let groups: Vec<&Live> =
            self.observed.values().filter(|live| live.id.kind == "security_group").collect();
        let of_id = |id: &str| groups.iter().find(|group| group.output("id") == Some(id));
        let mut peers = Vec::new();
        for id in
            cluster.props["security_groups"].as_array().into_iter().flatten().filter_map(|id| id.as_str())
        {
            let Some(group) = of_id(id) else {
                peers.push(format!("whatever security group {id} lets in"));
                continue;
            };
            for rule in group.props["ingress"].as_array().into_iter().flatten() {
                let covers = rule["from_port"].is_null()
                    || rule["from_port"].as_i64() <= port.as_i64()
                        && port.as_i64() <= rule["to_port"].as_i64();
                let Some(peer) = rule["peer"].as_str().filter(|_| covers) else { continue };
                peers.push(match of_id(peer).map(|group| group.id.name.as_str()) {
                    Some("notebook") => "the notebook".to_string(),
                    Some(name) => format!("the stack's security group {name}"),
                    None if peer.starts_with("sg-") => format!("security group {peer}"),
                    None => peer.to_string(),
                });
            }
        }
        peers.sort();
        peers.dedup();
        peers.iter().map(|peer| plain::line(peer)).collect()
    }

    /// Pages of the AWS console, and the notebook's own. Their addresses are those to which the console's own menus
    /// lead; each region has a host of its own ("AWS Management Console endpoints", AWS General Reference).
    fn pages(self) -> Vec<Page> {
        let region = &self.subject.region;
        let host = match region.as_str() {
            region if region.starts_with("cn-") => "console.amazonaws.cn".to_string(),
            region if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com".to_string(),
            region => format!("{region}.console.aws.amazon.com"),
        };
        let console =
            |service: &str, rest: &str| format!("https://{host}/{service}/home?region={region}#{rest}");
        let mut pages = Vec::new();
        let mut add = |what: &str, address: String| {
            pages.push(Page { what: what.into(), address: plain::line(&address) });
        };
        let of_kind = |kind: &'static str| self.observed.values().filter(move |live| live.id.kind == kind);
        for notebook in of_kind("notebook") {
            if let Some(url) = notebook.output("url").filter(|url| !url.is_empty()) {
                add("notebook", url.into());
            }
            if let Some(name) = notebook.output("name") {
                add("notebook in the console", console("sagemaker", &format!("/notebook-instances/{name}")));
            }
        }
        let existing =
            self.existing.and_then(|reached| reached.arn.rsplit(':').next()).filter(|id| !id.is_empty());
        let own = of_kind("cluster").find_map(|cluster| cluster.output("id"));
        if let Some(id) = own.or(existing) {
            add("cluster in the console", console("rds", &format!("database:id={id};is-cluster=true")));
        }
        for endpoint in of_kind("endpoint") {
            let name = endpoint.output("name").unwrap_or(&endpoint.id.name);
            add("endpoint in the console", console("sagemaker", &format!("/endpoints/{name}")));
        }
        pages
    }
}

/// A word as a shell reads it as one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
