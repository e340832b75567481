//! Tables, unloads, functions and grants.

mod functions;
mod tables;

use super::name;
use crate::spec::problem::{list, nearest};
use crate::spec::reader::{Reader, join};
use crate::spec::{Aurora, Columns, Grant, S3Access, Spec};
use crate::sql::roles;
use crate::sql::statements::address;
use crate::sql::{HOST_MAX, NAME_MAX, USER_MAX, is_reserved, is_system_user, plain_name};

/// Tables, unloads, functions or grants of one spec: each is a few statements of every look.
const ENTRIES_MAX: usize = 200;

const SECTIONS: [&str; 4] = ["tables", "unloads", "functions", "grants"];

pub fn sql(spec: &Spec, reader: &mut Reader) {
    let counts = [spec.tables.len(), spec.unloads.len(), spec.functions.len(), spec.grants.len()];
    for (section, count) in SECTIONS.into_iter().zip(counts) {
        if count > ENTRIES_MAX {
            let hint = "use several stacks; the others name the cluster under `aurora.existing`";
            reader.report_key(
                section,
                format!("{count} {section}: one stack has at most {ENTRIES_MAX}"),
                hint,
            );
        }
    }
    existing(spec, reader);
    if let Some(section) =
        SECTIONS.into_iter().zip(counts).find(|(_, count)| *count > 0).map(|(section, _)| section)
    {
        cluster(spec, section, reader);
    }
    tables::tables(spec, reader);
    tables::unloads(spec, reader);
    functions::functions(spec, reader);
    grants(spec, reader);
}

/// What SQL is sent through, and where its objects are.
fn cluster(spec: &Spec, section: &str, reader: &mut Reader) {
    let Some(aurora) = &spec.aurora else {
        if reader.sound("aurora") {
            let hint = format!("add `aurora:` with a cluster, or remove `{section}:`");
            reader.report_key(section, format!("`{section}` needs a cluster with a database"), hint);
        }
        return;
    };
    if let Aurora::Owned(cluster) = aurora
        && !cluster.data_api
        && reader.sound("aurora.data_api")
    {
        let hint = "add `data_api: true` to `aurora` (not with T classes)";
        reader.report_key(section, format!("`{section}` needs the Data API, which is off"), hint);
    }
    if spec.database().is_none() && reader.sound("aurora.database") {
        let hint = "add `database: NAME` to `aurora`";
        reader.report_key(section, format!("`{section}` needs a database, and the spec has none"), hint);
    }
}

fn existing(spec: &Spec, reader: &mut Reader) {
    let Some(Aurora::Existing(cluster)) = &spec.aurora else { return };
    if let Some(database) = &cluster.database {
        let taken = spec.engine().names.reserved_databases.contains(&database.to_lowercase().as_str());
        if taken || !plain_name(database) {
            let message = format!("invalid database name `{database}`");
            let hint = match taken {
                true => "the engine uses it itself: choose another name",
                false => "use 1 to 64 letters, digits and underscores; do not begin with a digit",
            };
            reader.report("aurora.database", message, hint);
        }
    }
    if let Some(secret) = &cluster.secret
        && (secret.is_empty() || secret.len() > 2048 || secret.contains(char::is_whitespace))
    {
        let hint = "write the ARN or name of a secret in Secrets Manager, never a password";
        reader.report("aurora.secret", "this is not the ARN or name of a secret", hint);
    }
}

/// The name of a table or function, and that no other differs from it by case alone.
fn object_name<'s>(
    what: &str,
    path: &str,
    own: &str,
    mut others: impl Iterator<Item = &'s String>,
    reader: &mut Reader,
) {
    if !plain_name(own) {
        let hint = "use 1 to 64 letters, digits and underscores; do not begin with a digit";
        reader.report_key(path, format!("invalid {what} name `{own}`"), hint);
    } else if is_reserved(own) {
        let hint = "choose another name, or write it in backticks wherever it is used";
        reader.warn_key(path, format!("`{own}` is a reserved word of SQL"), hint);
    }
    if let Some(other) = others.find(|other| *other != own && other.eq_ignore_ascii_case(own)) {
        reader.report_key(path, format!("`{own}` and `{other}` differ only in case"), "choose another name");
    }
}

/// The path of the n-th column or argument: in a mapping its key, in a list its number.
fn column_path(path: &str, columns: &Columns, n: usize, reader: &Reader) -> String {
    let key = join(path, &columns.0[n].name);
    if reader.given(&key) { key } else { format!("{path}[{n}]") }
}

/// What is reported of names of columns and arguments.
fn column_names(what: &str, path: &str, columns: &Columns, most: usize, reader: &mut Reader) {
    if columns.0.len() > most {
        reader.report_key(
            path,
            format!("{} {what}s are too many: at most {most} are allowed", columns.0.len()),
            "remove some",
        );
    }
    for (n, column) in columns.0.iter().enumerate() {
        let at = column_path(path, columns, n, reader);
        let name = &column.name;
        if name.is_empty()
            || name.chars().count() > NAME_MAX
            || name.ends_with(' ')
            || name.contains(char::is_control)
        {
            reader.report_key(&at, format!("invalid {what} name `{name}`"), "use 1 to 64 characters");
        }
        if columns.0[..n].iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            reader.report_key(
                &at,
                format!("duplicate {what} `{name}`"),
                "rename one of them: case makes no difference",
            );
        }
    }
}

/// Whether the cluster may use an address in S3; reports what is wrong with it.
fn s3(spec: &Spec, text: &str, path: &str, reader: &mut Reader) {
    let Some((bucket, key)) = address(text) else {
        let hint =
            "write `s3://BUCKET/KEY`, or `s3-REGION://BUCKET/KEY` where the bucket is in another region";
        return reader.report(path, format!("invalid S3 address `{text}`"), hint);
    };
    if let Some(wrong) = name::bucket(bucket) {
        let hint = "write `s3://BUCKET/KEY`";
        return reader.report(path, format!("invalid bucket name `{bucket}`: {wrong}"), hint);
    }
    if key.len() > 900 {
        return reader.report(path, "the key is longer than 900 bytes", "write a shorter one");
    }
    let own = spec.bucket.as_ref().is_some_and(|own| match &own.name {
        Some(name) => name == bucket,
        // The account, which the name holds as well, is not known here.
        None => bucket.starts_with(&format!("{}-sagemaker-", spec.stack)),
    });
    let allowed = match &spec.machine_learning.s3 {
        S3Access::Own(all) => *all && own,
        S3Access::Buckets(named) => own || named.buckets.iter().any(|named| named == bucket),
    };
    if !allowed && reader.sound("machine_learning.s3") && reader.sound("bucket") {
        let hint = format!("add it to `machine_learning`: `s3: {{ buckets: [{bucket}] }}`");
        reader.report(path, format!("the cluster has no access to the bucket `{bucket}`"), hint);
    }
}

/// Reports that something needs `machine_learning.s3`, if it is off.
fn needs_s3(spec: &Spec, path: &str, what: &str, reader: &mut Reader) -> bool {
    let off = spec.machine_learning.s3 == S3Access::Own(false);
    if off && reader.sound("machine_learning.s3") {
        let hint =
            "add `machine_learning: { s3: true }` for the stack's bucket, or `s3: { buckets: [NAME] }`";
        reader.report_key(path, format!("{what} needs `machine_learning.s3`, which is off"), hint);
    }
    !off
}

fn grants(spec: &Spec, reader: &mut Reader) {
    for (user, grant) in &spec.grants {
        let path = join("grants", user);
        who(spec, user, grant, &path, reader);
        if grant.roles.is_empty() && grant.execute.is_empty() {
            reader.report_key(
                &path,
                format!("`{user}` has no grants"),
                "add `roles:` or `execute:`, or remove the user",
            );
        }
        for (n, role) in grant.roles.iter().enumerate() {
            let (at, key) = (join(&path, &format!("roles[{n}]")), role.key());
            if grant.roles[..n].contains(role) {
                reader.report(&at, format!("`{key}` is already in the list"), "remove it");
            }
            let ability = roles::named(key).map_or(key, |role| role.ability);
            if !wired(spec, ability) && reader.sound(&join("machine_learning", ability)) {
                let hint = format!("add `{ability}` to `machine_learning`, or remove the role");
                let message = format!("the role `{key}` has no effect: `machine_learning.{ability}` is off");
                reader.report(&at, message, hint);
            }
        }
        super::network::repeated(&grant.execute, &join(&path, "execute"), reader);
        for (n, function) in grant.execute.iter().enumerate() {
            if !spec.functions.contains_key(function) && !reader.given(&join("functions", function)) {
                let hint = match nearest(function, spec.functions.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add `{function}:` under `functions`, or grant it yourself"),
                };
                let at = join(&path, &format!("execute[{n}]"));
                reader.report(&at, format!("`{function}` is not one of `functions`"), hint);
            }
        }
    }
}

fn who(spec: &Spec, user: &str, grant: &Grant, path: &str, reader: &mut Reader) {
    let control = |text: &str| text.contains(char::is_control);
    if user.is_empty() || user.chars().count() > USER_MAX || user.contains('@') || control(user) {
        let hint = "write only the name, and the host as a field: `analyst: { host: \"%\" }`";
        reader.report_key(path, format!("invalid user name `{user}`"), hint);
    }
    let reserved = spec.engine().names.reserved_usernames;
    if reserved.contains(&user.to_lowercase().as_str()) || is_system_user(user) {
        reader.report_key(path, format!("RDS itself uses the user `{user}`"), "remove it");
    }
    if let Some(Aurora::Owned(cluster)) = &spec.aurora
        && cluster.username == user
    {
        let hint = "remove it: the master user gets all roles under `machine_learning`";
        reader.report_key(path, format!("`{user}` is the master user"), hint);
    }
    let host = &grant.host;
    if host.is_empty()
        || host.chars().count() > HOST_MAX
        || control(host)
        || host.contains(['\'', '"', '`', ' '])
    {
        let message = format!("invalid host `{host}` of a user");
        reader.report(&join(path, "host"), message, "write an address such as `10.0.%`, or `%` for any host");
    }
}

fn wired(spec: &Spec, ability: &str) -> bool {
    let wiring = &spec.machine_learning;
    match ability {
        "bedrock" => wiring.bedrock.is_some(),
        "comprehend" => wiring.comprehend,
        "s3" => wiring.s3 != S3Access::Own(false),
        _ => wiring.sagemaker.is_some(),
    }
}

/// ``did you mean `x`?``, or which there are.
fn meant<'n>(text: &str, what: &str, names: impl Iterator<Item = &'n String> + Clone) -> String {
    match nearest(text, names.clone().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = names.map(String::as_str).collect();
            if names.is_empty() {
                format!("there are no {what}")
            } else {
                format!("there are {}", list(&names))
            }
        }
    }
}
