//! What is in the database, and what is moved between it and S3.

use super::{Builder, Code};
use crate::base::Id;
use crate::engine::newer;
use crate::kinds::{data_load, data_unload, sql_database, sql_function, sql_grant, sql_table};
use crate::spec::{Aurora, LineEnd, S3Access, Spec, SqlFunction, SqlTable};
use crate::sql::column::Column;
use crate::sql::function::{Calls, DEFAULT_BATCH, Function};
use crate::sql::roles;
use crate::sql::statements::{address, select};
use crate::sql::tokens::tokens;
use crate::sql::types::SqlType;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Where unloads go in the stack's bucket.
const FOLDER: &str = "unloads";

/// The roles of everything that the spec lets SQL call, as Aurora names them.
pub fn wired_roles(spec: &Spec) -> BTreeSet<String> {
    let wish = &spec.machine_learning;
    let wired = |ability: &str| match ability {
        "bedrock" => wish.bedrock.is_some(),
        "comprehend" => wish.comprehend,
        "s3" => wish.s3 != S3Access::Own(false),
        _ => wish.sagemaker.is_some(),
    };
    roles::ROLES.iter().filter(|role| wired(role.ability)).map(|role| role.name.to_string()).collect()
}

/// The columns of a table; those that cannot be read are no part of a checked spec.
fn columns(table: &SqlTable) -> Vec<Column> {
    table.columns.0.iter().filter_map(|column| Column::parse(&column.name, &column.of).ok()).collect()
}

/// The loads of a spec: known by all that they are.
pub fn loads(spec: &Spec) -> Vec<(Id, data_load::Props)> {
    let Some(database) = spec.database() else { return Vec::new() };
    let all = spec.tables.iter().filter_map(|(name, table)| {
        let load = table.load.as_ref()?;
        let props = data_load::Props {
            database: database.into(),
            table: name.clone(),
            from: load.from.clone(),
            header: load.header,
            separator: load.separator.clone(),
            quote: load.quote.clone(),
            line_end: LineEnd::text(load.line_end).into(),
            append: load.append,
            columns: table.columns.names().map(String::from).collect(),
        };
        let content = json!([
            props.database,
            props.table,
            props.from,
            props.header,
            props.separator,
            props.quote,
            props.line_end
        ]);
        Some((Id::hashed("data_load", name, &content), props))
    });
    all.collect()
}

/// The unloads of a spec: known by all that they are, and by the loads of the tables that they read.
pub fn unloads(spec: &Spec) -> Vec<(Id, data_unload::Props)> {
    spec.unloads.keys().filter_map(|name| unload(spec, name)).collect()
}

/// What an unload of that name writes.
pub fn unload_of(spec: &Spec, name: &str) -> Option<data_unload::Props> {
    unload(spec, name).map(|(_, props)| props)
}

/// One of them.
fn unload(spec: &Spec, name: &str) -> Option<(Id, data_unload::Props)> {
    let (database, unload) = (spec.database()?, spec.unloads.get(name)?);
    let query = match (&unload.query, &unload.table) {
        (Some(query), _) => query.clone(),
        (None, Some(table)) => {
            let columns =
                spec.tables.get(table).map(|table| table.columns.names().map(String::from).collect());
            let columns: Vec<String> = columns.unwrap_or_default();
            select(database, table, &columns)
        }
        (None, None) => return None,
    };
    let read = read_by(spec, &query);
    // What the table has been given, and not how it was read: a job learns from this, and is not free.
    let all = loads(spec).into_iter();
    let loaded: Vec<String> =
        all.filter(|(_, load)| read.contains(&load.table)).map(|(_, load)| load.from).collect();
    let content = json!([database, query, unload.header, unload.to, loaded]);
    let id = Id::hashed("data_unload", name, &content);
    let (scheme, bucket, folder) = match &unload.to {
        None => ("s3".to_owned(), None, FOLDER.to_owned()),
        Some(to) => {
            let whole = format!("{}/", to.trim_end_matches('/'));
            // A bucket alone is a folder, too.
            let (bucket, key) = match address(&whole) {
                Some((bucket, key)) => (bucket.to_owned(), key.trim_end_matches('/').to_owned()),
                None => (whole.split_once("://")?.1.trim_end_matches('/').to_owned(), String::new()),
            };
            (to.split_once("://")?.0.to_owned(), Some(bucket), key)
        }
    };
    let key = format!("{}/{}/data", folder.trim_end_matches('/'), id.name);
    let key = key.trim_start_matches('/').to_owned();
    Some((
        id,
        data_unload::Props { database: database.into(), query, header: unload.header, bucket, key, scheme },
    ))
}

/// The tables of the spec that a query may read: those whose names are in it.
fn read_by(spec: &Spec, query: &str) -> BTreeSet<String> {
    let words = tokens(query).unwrap_or_default();
    let named = |table: &String| {
        words.iter().any(|word| word.name().is_some_and(|name| name.eq_ignore_ascii_case(table)))
    };
    spec.tables.keys().filter(|table| named(table)).cloned().collect()
}

/// A function as the spec has it. Only one that cannot be read is none.
fn function(name: &str, spec: &SqlFunction, stack: &str) -> Option<Function> {
    let argument = |(name, of): (&str, &str)| Some((name.to_owned(), SqlType::parse(of).ok()?));
    let arguments =
        spec.arguments.0.iter().map(|one| argument((&one.name, &one.of))).collect::<Option<Vec<_>>>()?;
    let mut returns = SqlType::parse(&spec.returns).ok()?;
    let calls = match (&spec.endpoint, &spec.bedrock, &spec.sql) {
        (Some(endpoint), _, _) => {
            // AWS asks for it (User Guide, "Character set requirement for SageMaker AI functions that return strings").
            if returns.name == "varchar" && returns.charset.is_none() {
                returns.charset = Some("utf8mb4".into());
            }
            let max_batch_size = spec.max_batch_size.unwrap_or(DEFAULT_BATCH);
            Calls::Sagemaker { endpoint: endpoint.clone(), max_batch_size }
        }
        (_, Some(model), _) => Calls::Bedrock {
            model: model.clone(),
            content_type: spec.content_type.clone(),
            accept: spec.accept.clone(),
            timeout_ms: spec.timeout_ms,
        },
        (_, _, Some(sql)) => {
            Calls::Expression { sql: sql.trim().to_owned(), comment: sql_function::mark(stack) }
        }
        (None, None, None) => return None,
    };
    Some(Function { name: name.to_owned(), arguments, returns, calls })
}

impl Builder<'_> {
    /// The unload of that name, and what its data files begin with.
    pub(super) fn unload(&self, name: &str) -> Option<(Id, String)> {
        let (id, props) = unload(self.spec, name)?;
        let uri = props.uri(&self.bucket_name());
        Some((id, uri))
    }

    /// Everything that is made with SQL. Comes last: it refers to much of the rest.
    pub(super) fn sql(&mut self) {
        if !self.spec.has_sql() {
            return;
        }
        let Some(database) = self.spec.database().map(String::from) else { return };
        if !self.check_database() {
            return;
        }
        if let Some(facts) = &self.facts.sql {
            self.graph.notes.extend(facts.notes.iter().cloned());
        }
        // The cluster answers, and its members have what they are to run with.
        let kinds = ["cluster", "instance", "parameter_sync", "secret_attachment", "cluster_role"];
        let before: Vec<Id> =
            self.graph.resources.keys().filter(|id| kinds.contains(&id.kind)).cloned().collect();
        let props = sql_database::Props { unseen: None, name: database.clone() };
        let home = self.graph.add(Id::new("sql_database", database.clone()), props).after(&before).id();
        let before: Vec<Id> = before.into_iter().chain([home]).collect();
        let master = self.master(&database, &before);
        let tables = self.tables(&database, &before);
        self.moves(&before, &tables, master.as_ref());
        let functions = self.functions(&database, &before);
        self.grants(&database, &before, &functions);
    }

    /// Whether SQL can be sent to an existing cluster at all; that of the stack is checked in the spec.
    fn check_database(&mut self) -> bool {
        let Some(Aurora::Existing(cluster)) = &self.spec.aurora else { return true };
        let identifier = cluster.existing.to_ascii_lowercase();
        let what = format!("cluster {identifier}");
        let Some(facts) = &self.facts.sql else { return self.facts.existing.is_some() };
        let version = self.facts.live_engine_version.as_deref().unwrap_or_default();
        let first = self.engine.first_with_data_api;
        let (_, own) = version.split_once(self.engine.version_infix).unwrap_or(("", version));
        if newer(first, own) && !version.is_empty() {
            let why = format!("it runs {version}, but SQL needs the Data API of {first} or later");
            self.problem(
                Code::DataApiVersion,
                what,
                why,
                format!("upgrade it to {first} or later, or remove what needs SQL"),
            );
        } else if !facts.data_api {
            let arn = self.place.cluster_arn(&identifier);
            let hint = format!(
                "turn it on (aws rds enable-http-endpoint --region {} --resource-arn {arn}; not possible with T classes), then run again",
                self.place.region
            );
            self.problem(Code::DataApiOff, what, "its Data API is off, which SQL needs", hint);
        } else if !facts.secret {
            let hint = "add `secret: ARN` to `aurora`: a secret with `username` and `password` of a database user; or let RDS manage the master user's password";
            self.problem(Code::DatabaseSecretMissing, what, "no secret with a database user is known", hint);
        } else {
            return true;
        }
        false
    }

    /// The user by whom SQL is sent: AWS promises it the roles for S3, and is silent on the others (fact book, section 2.3).
    fn master(&mut self, database: &str, before: &[Id]) -> Option<Id> {
        let roles = wired_roles(self.spec);
        if roles.is_empty() {
            return None;
        }
        let props = sql_grant::Props {
            active: roles.clone(),
            roles,
            database: database.into(),
            ..sql_grant::Props::default()
        };
        Some(self.graph.add(Id::new("sql_grant", sql_grant::MASTER), props).after(before).id())
    }

    fn tables(&mut self, database: &str, before: &[Id]) -> BTreeMap<String, Id> {
        let mut ids = BTreeMap::new();
        for (name, table) in &self.spec.tables {
            let columns = columns(table);
            let props = sql_table::Props {
                unseen: None,
                database: database.into(),
                columns: columns
                    .iter()
                    .map(|column| (column.name.to_lowercase(), column.of.to_string()))
                    .collect(),
                declared: Some(columns.iter().map(Column::declared).collect()),
            };
            let id = self.graph.add(Id::new("sql_table", name.clone()), props).after(before).id();
            ids.insert(name.clone(), id);
        }
        ids
    }

    fn moves(&mut self, before: &[Id], tables: &BTreeMap<String, Id>, master: Option<&Id>) {
        let bucket = Id::new("bucket", "main");
        let bucket = self.graph.resources.contains_key(&bucket).then_some(bucket);
        let mut loaded: BTreeMap<String, Id> = BTreeMap::new();
        for (id, mut props) in loads(self.spec) {
            let table = props.table.clone();
            let file = match props.is_local() {
                true => {
                    let found = self.file(&props.from, &format!("tables.{table}.load.from"));
                    let Some((file, key)) = found else { continue };
                    props.from = format!("s3://{}/{key}", self.bucket_name());
                    Some(file)
                }
                false => None,
            };
            let added = self
                .graph
                .add(id, props)
                .after(before)
                .after(tables.get(&table))
                .after(master)
                .after(bucket.as_ref())
                .after(file.as_ref());
            loaded.insert(table, added.id());
        }
        let own = self.bucket_name();
        for (id, props) in unloads(self.spec) {
            let (read, uri) = (read_by(self.spec, &props.query), props.uri(&own));
            let props =
                data_unload::Props { bucket: Some(props.bucket.unwrap_or_else(|| own.clone())), ..props };
            let needed = read.iter().flat_map(|table| tables.get(table).into_iter().chain(loaded.get(table)));
            let added =
                self.graph.add(id, props).after(before).after(needed).after(master).after(bucket.as_ref());
            added.predict(data_unload::URI, uri);
        }
    }

    fn functions(&mut self, database: &str, before: &[Id]) -> BTreeMap<String, Id> {
        let mut ids = BTreeMap::new();
        for (name, spec) in &self.spec.functions {
            let Some(function) = function(name, spec, &self.place.stack) else { continue };
            let statement = Some(function.create(database));
            let props = sql_function::Props { statement, ..sql_function::Props::of(&function, database) };
            // A query that calls it should find the endpoint.
            let endpoint = spec.endpoint.as_ref().map(|endpoint| Id::new("endpoint", endpoint.clone()));
            let endpoint = endpoint.filter(|id| self.graph.resources.contains_key(id));
            // One that calls another can be made before it: MySQL looks for that when it is called.
            let added = self.graph.add(Id::new("sql_function", name.clone()), props);
            ids.insert(name.clone(), added.after(before).after(endpoint.as_ref()).id());
        }
        ids
    }

    fn grants(&mut self, database: &str, before: &[Id], functions: &BTreeMap<String, Id>) {
        for (user, grant) in &self.spec.grants {
            let named =
                |role: &crate::spec::SqlRole| roles::named(role.key()).map(|role| role.name.to_string());
            let roles: BTreeSet<String> = grant.roles.iter().filter_map(named).collect();
            let props = sql_grant::Props {
                unseen: None,
                user: Some(user.clone()),
                host: Some(grant.host.clone()),
                active: roles.clone(),
                roles,
                execute: grant.execute.iter().cloned().collect(),
                anywhere: None,
                database: database.into(),
            };
            // With a function that is dropped goes what was granted on it.
            let called = grant.execute.iter().filter_map(|name| functions.get(name));
            self.graph.add(Id::new("sql_grant", user.clone()), props).after(before).recheck_after(called);
        }
    }

    /// What is said of the database where the stack goes and the cluster stays.
    pub(super) fn sql_stays(&mut self) {
        let Some(Aurora::Existing(cluster)) = &self.spec.aurora else { return };
        if let (true, Some(database)) = (self.spec.has_sql(), &cluster.database) {
            let identifier = cluster.existing.to_ascii_lowercase();
            self.graph.notes.push(format!(
                "in the database {database} of {identifier}, functions and grants are deleted; tables, rows, files in S3 and the master user's roles are kept"
            ));
            if let Some(facts) = &self.facts.sql {
                self.graph.notes.extend(facts.notes.iter().cloned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    const SPEC: &str = "
stack: churn
region: us-east-1
aurora: { existing: shop, database: mltest }
machine_learning: { s3: { buckets: [models] } }
tables:
  churn: { columns: { state: varchar(2), Calls: bigint }, load: { from: \"s3://models/churn.csv\" } }
  other: { columns: { a: int } }
unloads:
  training: { table: churn, to: \"s3://models\" }
  some: { query: \"SELECT * FROM other -- churn\", to: \"s3-us-west-2://models/x/\" }
";

    fn read(text: &str) -> Spec {
        spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn an_unload_has_a_folder_of_its_own() {
        let all: BTreeMap<String, data_unload::Props> =
            unloads(&read(SPEC)).into_iter().map(|(id, props)| (id.name, props)).collect();
        let (name, training) = all.iter().find(|(name, _)| name.starts_with("training-")).unwrap();
        assert_eq!(training.query, "SELECT `state`, `Calls` FROM `mltest`.`churn`");
        assert_eq!(training.address("own"), format!("s3://models/{name}/data"));
        assert_eq!(training.uri("own"), format!("s3://models/{name}/data.part_"));
        let (name, some) = all.iter().find(|(name, _)| name.starts_with("some-")).unwrap();
        assert_eq!(some.address("own"), format!("s3-us-west-2://models/x/{name}/data"));
        assert_eq!(some.uri("own"), format!("s3://models/x/{name}/data.part_"));
    }

    /// Another file in the table is other training data; another file elsewhere is not.
    #[test]
    fn what_is_loaded_is_part_of_what_is_unloaded() {
        let names = |text: &str| unloads(&read(text)).into_iter().map(|(id, _)| id.name).collect::<Vec<_>>();
        let (one, other) = (names(SPEC), names(&SPEC.replace("churn.csv", "churn2.csv")));
        let training = |all: &[String]| all.iter().find(|name| name.starts_with("training-")).cloned();
        let some = |all: &[String]| all.iter().find(|name| name.starts_with("some-")).cloned();
        assert_ne!(training(&one), training(&other));
        assert_eq!(some(&one), some(&other));
        assert_ne!(loads(&read(SPEC))[0].0, loads(&read(&SPEC.replace("churn.csv", "churn2.csv")))[0].0);
    }
}
