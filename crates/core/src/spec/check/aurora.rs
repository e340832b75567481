//! The cluster.

use super::{classes, name, parameters, physical};
use crate::base::counted;
use crate::engine::{Asked, Engine};
use crate::spec::problem::nearest;
use crate::spec::reader::Reader;
use crate::spec::{
    Allow, Aurora, Cluster, ClusterOnDestroy, Instance, Network, Restart, SecretManager, Serverless, Spec,
    Strategy, Window, is_reference,
};

pub fn aurora(spec: &Spec, reader: &mut Reader) {
    match &spec.aurora {
        None => {}
        Some(Aurora::Existing(cluster)) if !name::cluster(&cluster.existing) => {
            let message = format!("invalid cluster identifier `{}`", cluster.existing);
            let hint = "use 1 to 63 letters, digits and single hyphens; begin with a letter; not an ARN or a host name";
            reader.report("aurora.existing", message, hint);
        }
        Some(Aurora::Existing(cluster)) => restart(&cluster.restart, None, reader),
        Some(Aurora::Owned(cluster)) => {
            owned(spec, cluster, reader);
            let members = physical::members(&spec.stack, cluster);
            restart(&cluster.restart, Some(members), reader);
        }
    }
}

/// `members` are those of a cluster that the stack owns.
fn restart(restart: &Restart, members: Option<Vec<String>>, reader: &mut Reader) {
    if let Some(Err(why)) = restart.window.as_deref().map(Window::parse) {
        let hint =
            "write `sun:03:00-sun:05:00` for once a week, or `03:00-05:00` for every day; times are UTC";
        reader.report("aurora.restart.window", format!("invalid window: {why}"), hint);
    }
    let strategy = restart.strategy;
    if let Some(writer) = &restart.writer {
        let path = "aurora.restart.writer";
        if matches!(strategy, Strategy::Never | Strategy::WriterOnly) {
            let hint = "write `strategy: rolling` or `strategy: failover`, or remove `writer`";
            reader.report(path, "this strategy never fails over, so it cannot bring a writer back", hint);
        } else if let Some(members) =
            members.filter(|members| !members.contains(&writer.to_ascii_lowercase()))
        {
            let hint = match nearest(writer, members.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the members are {}", members.join(", ")),
            };
            reader.report(path, format!("the cluster will have no member `{writer}`"), hint);
        }
    }
    if let Some(allow) = restart.allow {
        let needed = match strategy {
            Strategy::Never => Allow::None,
            Strategy::WriterOnly => Allow::Restart,
            // How far these must go depends on the cluster: one of a single member is restarted.
            Strategy::Rolling | Strategy::Failover => allow,
        };
        if allow < needed {
            let hint = "write `allow: restart`, or another strategy";
            reader.report(
                "aurora.restart.allow",
                "`writer_only` restarts the writer, which `allow` forbids",
                hint,
            );
        }
    }
}

fn owned(spec: &Spec, cluster: &Cluster, reader: &mut Reader) {
    let engine = spec.engine();
    subnets(spec, reader);
    members(cluster, engine, reader);
    physical::cluster(spec, cluster, reader);
    names(cluster, engine, reader);
    secret(cluster, reader);
    if !(1..=35).contains(&cluster.backup_retention_days) {
        let message =
            format!("invalid backup retention of {}", counted(cluster.backup_retention_days, "day"));
        reader.report("aurora.backup_retention_days", message, "write 1 to 35");
    }
    if cluster.port < 1150 {
        let message = format!("invalid port {}", cluster.port);
        let (who, own) = (engine.compatible_with, engine.defaults.port);
        reader.report("aurora.port", message, format!("write 1150 to 65535; {who}'s own is {own}"));
    }
    if cluster.on_destroy == ClusterOnDestroy::Protect && cluster.deletion_protection == Some(false) {
        let hint = "remove the line, or write `on_destroy: snapshot`";
        reader.report(
            "aurora.deletion_protection",
            "`on_destroy: protect` turns deletion protection on",
            hint,
        );
    }
    match (engine.asked)(&cluster.engine_version) {
        Err(refusal) => reader.report("aurora.engine_version", refusal.message, refusal.hint),
        Ok(version) => {
            parameters::parameters(cluster, engine, version.family, reader);
            allow_from(cluster, reader);
            features(spec, cluster, &version, reader);
        }
    }
}

/// A DB subnet group needs two zones (fact book, section 1.7).
fn subnets(spec: &Spec, reader: &mut Reader) {
    let hint = "add `private_subnets: [CIDR, CIDR]`; each is put into its own zone";
    match &spec.network {
        None if reader.sound("network") => {
            let message = "the cluster needs a network, and the spec has none";
            let hint =
                "add `network:` with `cidr` and two `private_subnets`, or use `existing: CLUSTER-IDENTIFIER`";
            reader.report("aurora", message, hint);
        }
        Some(network) if network.subnets().0 < 2 => {
            let hint = match network {
                Network::Owned(_) => hint,
                Network::Existing(_) => {
                    "name subnets in at least two zones: `private_subnets: [SUBNET-ID, SUBNET-ID]`"
                }
            };
            let message = format!(
                "a cluster needs private subnets in at least two zones, but there {}",
                match network.subnets().0 {
                    1 => "is one",
                    _ => "are none",
                }
            );
            reader.report("network.private_subnets", message, hint);
        }
        _ => {}
    }
}

/// Who may connect: `10.0.0.0/8` or `sg-0123456789abcdef0`.
fn allow_from(cluster: &Cluster, reader: &mut Reader) {
    super::network::repeated(&cluster.allow_from, "aurora.allow_from", reader);
    for (n, peer) in cluster.allow_from.iter().enumerate() {
        if is_reference(peer) {
            continue;
        }
        let path = format!("aurora.allow_from[{n}]");
        let group = peer
            .strip_prefix("sg-")
            .is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit()));
        match peer.parse::<ipnet::Ipv4Net>() {
            Ok(range) if range.trunc() != range => {
                let message = format!("{range} is not the start of a /{} network", range.prefix_len());
                reader.report(&path, message, format!("write `{}`", range.trunc()));
            }
            Ok(_) => {}
            Err(_) if group => {}
            Err(_) => {
                let hint = "write a range such as `10.0.0.0/16`, or the id of a security group such as `sg-0123456789abcdef0`";
                reader.report(&path, format!("`{peer}` is not an IPv4 range or a security group id"), hint);
            }
        }
    }
}

fn members(cluster: &Cluster, engine: &Engine, reader: &mut Reader) {
    let count = cluster.instances.len();
    if count == 0 && cluster.serverless.is_none() {
        let hint = "add `instances: [{ class: db.r6g.large }]` or `serverless: { min: 0, max: 4 }`";
        reader.report("aurora", "the cluster has no instances", hint);
    }
    if count > 16 {
        let message =
            format!("{count} instances are too many: a cluster has one writer and up to 15 readers");
        reader.report("aurora.instances", message, "remove some");
    }
    let runs = classes::Runs {
        prefix: "db",
        title: "DB instance class",
        what: engine.title,
        known: engine.classes,
        example: "write a class such as `db.r6g.large`, or `db.serverless`",
    };
    let serverless = |instance: &Instance| instance.class == "db.serverless";
    for (n, instance) in cluster.instances.iter().enumerate() {
        let path = format!("aurora.instances[{n}]");
        let class = &instance.class;
        if !serverless(instance) && !classes::class(class, &runs, &format!("{path}.class"), reader) {
            // Nothing else can be said of it.
        } else if cluster.data_api && class.starts_with("db.t") {
            let message = format!("the Data API does not work with T classes such as `{class}`");
            let hint = "use a class such as `db.r6g.large` or `db.serverless`, or remove `data_api: true`";
            reader.report(&format!("{path}.class"), message, hint);
        } else if serverless(instance) && cluster.serverless.is_none() && reader.sound("aurora.serverless") {
            let hint = "add `serverless: { min: 0, max: 4 }` to `aurora`";
            reader.report(&format!("{path}.class"), "`db.serverless` needs a capacity range", hint);
        }
        if instance.promotion_tier > 15 {
            let message = format!("invalid promotion tier {}", instance.promotion_tier);
            reader.report(&format!("{path}.promotion_tier"), message, "write 0 (first) to 15 (last)");
        }
    }
    if let Some(range) = &cluster.serverless {
        if count > 0 && !cluster.instances.iter().any(serverless) && reader.sound("aurora.instances") {
            let message = "`serverless` has no effect: no member has the class `db.serverless`";
            let hint = "write `{ class: db.serverless }` under `instances`, or remove `serverless`";
            reader.report("aurora.serverless", message, hint);
        }
        capacity(range, reader);
    }
    if cluster.restart.strategy == Strategy::Failover && count < 2 && reader.sound("aurora.instances") {
        let message = "a failover needs at least two members, but the cluster has one";
        reader.report("aurora.restart", message, "write `restart: rolling`, or add a reader");
    }
}

/// Fact book, section 1.10.
fn capacity(range: &Serverless, reader: &mut Reader) {
    let step = |units: f64| (units * 2.0).fract() == 0.0;
    if !(0.0..=256.0).contains(&range.min) || !step(range.min) {
        let message = format!("invalid minimum capacity {}", range.min);
        reader.report(
            "aurora.serverless.min",
            message,
            "write 0 to 256 Aurora capacity units in steps of 0.5",
        );
    }
    if !(1.0..=256.0).contains(&range.max) || !step(range.max) {
        let message = format!("invalid maximum capacity {}", range.max);
        reader.report(
            "aurora.serverless.max",
            message,
            "write 1 to 256 Aurora capacity units in steps of 0.5",
        );
    } else if range.min > range.max && reader.sound("aurora.serverless") {
        let message = format!("the minimum capacity {} is above the maximum {}", range.min, range.max);
        reader.report("aurora.serverless.min", message, "swap `min` and `max`");
    }
    if let Some(seconds) = range.seconds_until_auto_pause {
        let path = "aurora.serverless.seconds_until_auto_pause";
        if range.min > 0.0 {
            let hint = "write `min: 0`, or remove this line";
            reader.report(path, "a cluster pauses only with `min: 0`", hint);
        } else if !(300..=86_400).contains(&seconds) {
            reader.report(
                path,
                format!("invalid pause time of {}", counted(seconds, "second")),
                "write 300 to 86400",
            );
        }
    }
}

fn names(cluster: &Cluster, engine: &Engine, reader: &mut Reader) {
    let user = cluster.username.as_str();
    let longest = engine.names.longest_username;
    let possible = (1..=longest).contains(&user.len())
        && user.starts_with(|c: char| c.is_ascii_alphabetic())
        && user.chars().all(|c| c.is_ascii_alphanumeric());
    if !possible {
        let message = format!("invalid master user name `{user}`");
        let hint = format!("use 1 to {longest} letters and digits; begin with a letter");
        reader.report("aurora.username", message, hint);
    } else if engine.names.reserved_usernames.contains(&user.to_lowercase().as_str()) {
        let hint = format!("choose another, such as `{}`", engine.defaults.username);
        reader.report("aurora.username", format!("`{user}` is reserved by RDS"), hint);
    }
    if let Some(database) = &cluster.database {
        let longest = engine.names.longest_database;
        let possible = (1..=longest).contains(&database.len())
            && database.starts_with(|c: char| c.is_ascii_alphabetic())
            && database.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !possible {
            let message = format!("invalid database name `{database}`");
            let hint = format!("use 1 to {longest} letters, digits and underscores; begin with a letter");
            reader.report("aurora.database", message, hint);
        } else if engine.names.reserved_databases.contains(&database.to_lowercase().as_str()) {
            let message = format!("`{database}` is reserved by {}", engine.compatible_with);
            reader.report("aurora.database", message, "choose another name");
        }
    }
}

fn secret(cluster: &Cluster, reader: &mut Reader) {
    let secret = &cluster.secret;
    if secret.managed_by == SecretManager::Rds && reader.sound("aurora.secret.managed_by") {
        for key in ["name", "password_environment_variable", "recovery_window_days"] {
            let path = format!("aurora.secret.{key}");
            if reader.given(&path) {
                let message = format!("`{key}` cannot be combined with a secret that RDS manages");
                reader.report_key(&path, message, "add `managed_by: stack`, or remove the line");
            }
        }
        return;
    }
    if let Some(given) = &secret.name
        && let Some(wrong) = name::secret(given)
    {
        let message = format!("invalid secret name `{given}`: {wrong}");
        reader.report("aurora.secret.name", message, "use 1 to 256 letters, digits and / _ + = . @ -");
    }
    if let Some(variable) = &secret.password_environment_variable
        && !name::variable(variable)
    {
        let message = "this is not the name of an environment variable";
        let hint = "write the variable's name, such as `CHURN_PASSWORD`, never the password itself";
        reader.report("aurora.secret.password_environment_variable", message, hint);
    }
    let days = secret.recovery_window_days;
    if days != 0 && !(7..=30).contains(&days) {
        let message = format!("invalid recovery window of {}", counted(days, "day"));
        reader.report(
            "aurora.secret.recovery_window_days",
            message,
            "write 7 to 30, or 0 to delete it immediately",
        );
    }
}

/// Features that came with a minor version, where the spec names an older one.
fn features(spec: &Spec, cluster: &Cluster, version: &Asked, reader: &mut Reader) {
    let engine = spec.engine();
    let pauses = cluster.serverless.as_ref().is_some_and(|range| range.min == 0.0);
    let mut needs = vec![
        (
            "aurora.serverless.min",
            pauses && reader.given("aurora.serverless.min"),
            engine.first_that_pauses,
            "`min: 0`",
        ),
        ("aurora.data_api", cluster.data_api, engine.first_with_data_api, "the Data API"),
    ];
    if let Some(bedrock) = engine.ability("bedrock") {
        let wanted = spec.machine_learning.bedrock.is_some();
        needs.push(("machine_learning.bedrock", wanted, bedrock.first, bedrock.title));
    }
    for (path, wanted, first, what) in needs {
        if wanted && version.older_than(first) {
            let message = format!("{what} needs {} {first} or newer", engine.title);
            let hint = format!("write `engine_version: \"{}\"` for the newest", engine.defaults.version);
            reader.report(path, message, hint);
        }
    }
    if cluster.data_api && !(engine.data_api_offered_in)(&spec.region) {
        let message = format!("the Data API is not offered in {}", spec.region);
        reader.report("aurora.data_api", message, "remove the line, or choose another region");
    }
}
