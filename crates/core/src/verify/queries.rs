//! The queries by which a person sees that all of it works together, as both articles end: the sentiment of a sentence, a
//! prediction for one row, and both in one statement. Pure.

use super::checks::{Check, Outcome};
use crate::base::counted;
use crate::spec::{Spec, SqlFunction};
use crate::sql::types::{Family, SqlType};
use crate::sql::{error_number, quote};

/// A sentence whose sentiment nobody doubts.
const SENTENCE: &str = "Thank you, the support team was wonderful!";
/// Rows of an answer that are shown.
const SHOWN_MAX: usize = 20;

/// One statement, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What it is called among the checks.
    pub name: String,
    pub sql: String,
    /// Abilities that it uses: `sagemaker`, `comprehend`. None known for a query that a person gave.
    pub uses: Vec<&'static str>,
    /// The endpoint that it calls, as the checks name it: `endpoint churn`.
    pub endpoint: Option<String>,
}

/// The queries that a spec lends itself to. `filled` are the tables of the spec that have rows.
pub fn queries(spec: &Spec, filled: &[String]) -> Vec<Query> {
    let mut all = Vec::new();
    let sentence = quote::text(SENTENCE);
    let sentiment = format!(
        "aws_comprehend_detect_sentiment({sentence}, 'en') AS sentiment, aws_comprehend_detect_sentiment_confidence({sentence}, 'en') AS confidence"
    );
    if spec.machine_learning.comprehend {
        let sql = format!("SELECT {sentiment}");
        all.push(Query { name: "sentiment query".into(), sql, uses: vec!["comprehend"], endpoint: None });
    }
    let Some(database) = spec.database() else { return all };
    let mut first = None;
    for (name, function) in spec.functions.iter().filter(|(_, function)| function.endpoint.is_some()) {
        let (call, from) = call(spec, database, name, function, filled);
        let call = format!("{call} AS prediction");
        all.push(Query {
            name: format!("{name} query"),
            sql: format!("SELECT {call}{from}"),
            uses: vec!["sagemaker"],
            endpoint: function.endpoint.as_ref().map(|endpoint| format!("endpoint {endpoint}")),
        });
        first.get_or_insert((call, from, all[all.len() - 1].endpoint.clone()));
    }
    if let (true, Some((call, from, endpoint))) = (spec.machine_learning.comprehend, first) {
        let sql = format!("SELECT {sentiment}, {call}{from}");
        all.push(Query {
            name: "query with both".into(),
            sql,
            uses: vec!["comprehend", "sagemaker"],
            endpoint,
        });
    }
    all
}

/// The call of a function for one row of a table that has its arguments as columns, or else with sample values.
fn call(
    spec: &Spec,
    database: &str,
    name: &str,
    function: &SqlFunction,
    filled: &[String],
) -> (String, String) {
    let arguments = &function.arguments;
    let function = quote::of(database, name);
    let fits = |table: &&String| {
        let columns = spec.tables.get(*table).map(|table| &table.columns);
        let has =
            |name: &str| columns.is_some_and(|all| all.names().any(|own| own.eq_ignore_ascii_case(name)));
        arguments.names().all(has)
    };
    match filled.iter().find(fits) {
        Some(table) => {
            let columns: Vec<String> = arguments.names().map(quote::name).collect();
            let columns = columns.join(", ");
            let from =
                format!("\nFROM (SELECT {columns} FROM {} LIMIT 1) AS one", quote::of(database, table));
            (format!("{function}({columns})"), from)
        }
        None => {
            let sample = |of: &str| match SqlType::parse(of).map(|of| of.family) {
                Ok(Family::Number) => "0",
                _ => "'no'",
            };
            let values: Vec<&str> = arguments.0.iter().map(|argument| sample(&argument.of)).collect();
            (format!("{function}({})", values.join(", ")), String::new())
        }
    }
}

/// What the database said to a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    Rows { columns: Vec<String>, rows: Vec<Vec<Option<String>>>, milliseconds: u64 },
    Failed { error: String },
}

/// Services that SQL calls, as checks begin with them and as errors name them.
const SERVICES: [&str; 4] = ["sagemaker", "comprehend", "s3", "bedrock"];

/// Where the error of a statement came from, as far as it says so.
enum Origin {
    /// A service that SQL calls, or the way there; which one, where the error names it.
    Service(Option<&'static str>),
    /// A privilege that the user does not have; for which service, where the error names it.
    Privilege(Option<&'static str>),
    /// A function that is not there.
    Function,
    /// The statement: what it names is not there, or it is no SQL.
    Statement(u32),
    /// Not the database: the Data API, or the way to it.
    Unknown,
}

impl Origin {
    fn of(error: &str) -> Origin {
        let text = error.to_ascii_lowercase();
        let named = SERVICES.into_iter().filter_map(|service| Some((text.find(service)?, service)));
        let named = named.min().map(|(_, service)| service);
        match error_number(error) {
            None => Origin::Unknown,
            // Aurora's own: of S3, SageMaker, Lambda (1871 to 1873) in version 2, from 63985 in version 3; and what the User
            // Guide quotes of S3.
            Some(1871..=1873 | 63_000..) => Origin::Service(named),
            Some(_) if text.contains("api returned error") || text.contains("s3stream") => {
                Origin::Service(named)
            }
            // ER_SPECIFIC_ACCESS_DENIED_ERROR: "you need … the INVOKE SAGEMAKER privilege(s)".
            Some(1227) => Origin::Privilege(named),
            // ER_SP_DOES_NOT_EXIST.
            Some(1305) => Origin::Function,
            Some(number) => Origin::Statement(number),
        }
    }

    /// Whether a broken link can be why.
    fn is_in(&self, link: &Check, error: &str) -> bool {
        let of_link = SERVICES.into_iter().find(|service| link.check.starts_with(service));
        let is_of = |named: &Option<&str>| named.is_none() || of_link.is_none() || of_link == *named;
        let (is_grant, is_function) = (link.check.ends_with(" grant"), link.check == "function");
        match self {
            Origin::Service(named) if link.check == "endpoint" => {
                matches!(named, None | Some("sagemaker"))
            }
            Origin::Service(named) => !is_grant && !is_function && is_of(named),
            Origin::Privilege(named) => is_grant && is_of(named),
            Origin::Function => {
                is_function && error.to_ascii_lowercase().contains(&link.object.to_ascii_lowercase())
            }
            Origin::Statement(_) => false,
            Origin::Unknown => true,
        }
    }

    /// What to do where no link is broken. Of our own queries nobody can correct the statement.
    fn fix(&self, is_ours: bool) -> &'static str {
        match self {
            Origin::Statement(1146) if !is_ours => "correct the name of the table",
            Origin::Statement(1054) if !is_ours => "correct the name of the column",
            Origin::Function if !is_ours => "correct the name of the function",
            // Denied: to a database, a table, a column, a routine.
            Origin::Statement(1044 | 1142 | 1143 | 1370) | Origin::Privilege(_) if !is_ours => {
                "grant the user what it needs, or correct the statement"
            }
            Origin::Statement(_) if !is_ours => "correct the statement",
            _ => "fix the error from the database, then verify again",
        }
    }
}

/// What a query came to. Of one that failed, the link of the chain that is broken is named, if the error can have come from
/// one.
pub fn judge_query(query: &Query, answered: &Answered, checks: &[Check]) -> Check {
    let (outcome, found, fix) = match answered {
        Answered::Rows { columns, rows, milliseconds } => {
            let shown: Vec<String> = rows.iter().take(SHOWN_MAX).map(|row| shown(columns, row)).collect();
            let more = rows.len().saturating_sub(SHOWN_MAX);
            let more = if more > 0 { format!("; and {}", counted(more, "more row")) } else { String::new() };
            let what = if rows.is_empty() { "no rows".to_owned() } else { shown.join("; ") };
            (Outcome::Ok, format!("{what}{more} ({milliseconds} ms)"), None)
        }
        Answered::Failed { error } => {
            let origin = Origin::of(error);
            let is_ours = !query.uses.is_empty();
            let of_it = |check: &&Check| {
                let ability = SERVICES.into_iter().find(|one| check.check.starts_with(one));
                let concerns = match (ability, check.check.as_str()) {
                    // Of a query that a person gave nobody knows what it needs, but for the endpoint that the error names.
                    (_, "endpoint") if !is_ours => {
                        let name = check.object.trim_start_matches("endpoint ");
                        error
                            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                            .any(|word| word == name)
                    }
                    _ if !is_ours => true,
                    (Some(ability), _) => query.uses.contains(&ability),
                    (None, "endpoint") => query.endpoint.as_ref() == Some(&check.object),
                    (None, _) => true,
                };
                // Our own statements are right: what they name and is not there the spec has yet to make.
                let is_to_be_made =
                    is_ours && check.check == "function" && matches!(origin, Origin::Statement(_));
                concerns && (is_to_be_made || origin.is_in(check, error))
            };
            let broken = checks.iter().filter(|check| check.outcome == Outcome::Failed).find(of_it);
            let (why, fix) = match broken {
                Some(link) => (
                    format!("; the broken link: {} ({}: {})", link.check, link.object, link.found),
                    link.fix.clone(),
                ),
                None => (String::new(), Some(origin.fix(is_ours).to_owned())),
            };
            (Outcome::Failed, format!("{error}{why}"), fix)
        }
    };
    let object = query.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    Check { check: query.name.clone(), object, outcome, found, fix }
}

fn shown(columns: &[String], row: &[Option<String>]) -> String {
    let value = |(n, value): (usize, &Option<String>)| {
        let value = value.as_deref().unwrap_or("NULL");
        match columns.get(n) {
            Some(column) => format!("{column} = {value}"),
            None => value.to_owned(),
        }
    };
    row.iter().enumerate().map(value).collect::<Vec<_>>().join(", ")
}

/// Whether the user that runs SQL has the roles of everything that the spec lets SQL call, and they are active in its
/// session.
pub fn judge_roles(
    user: &str,
    wanted: &[(String, &str)],
    granted: &[String],
    active: &[String],
) -> Vec<Check> {
    let has = |all: &[String], role: &str| all.iter().any(|own| own.eq_ignore_ascii_case(role));
    let judged = wanted.iter().map(|(role, ability)| {
        let (outcome, found, fix) = match (has(granted, role), has(active, role)) {
            (_, true) => (Outcome::Ok, format!("{role} is active"), None),
            (false, false) => (
                Outcome::Failed,
                format!("{role} is not granted"),
                Some(format!("GRANT {role} TO {user}; or add it to the spec, and run `auroraml apply`")),
            ),
            (true, false) => (
                Outcome::Failed,
                format!("{role} is granted but not active at login"),
                Some(format!(
                    "SET DEFAULT ROLE ALL TO {user}; or add it to the spec, and run `auroraml apply`"
                )),
            ),
        };
        Check { check: format!("{ability} grant"), object: format!("user {user}"), outcome, found, fix }
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    fn spec(more: &str) -> Spec {
        let text = format!(
            "
stack: churn
region: us-east-1
aurora: {{ existing: shop, database: mltest }}
machine_learning: {{ comprehend: true, sagemaker: {{ endpoints: [churn] }} }}
endpoints: {{ churn: {{ managed_by: notebook }} }}
functions: {{ will_churn: {{ endpoint: churn, arguments: [state varchar(2), calls bigint], returns: float }} }}
{more}"
        );
        spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn the_articles_queries_are_asked() {
        let all = queries(&spec(""), &[]);
        let names: Vec<&str> = all.iter().map(|query| query.name.as_str()).collect();
        assert_eq!(names, ["sentiment query", "will_churn query", "query with both"]);
        assert_eq!(all[1].sql, "SELECT `mltest`.`will_churn`('no', 0) AS prediction");
        let tables = "tables: { churn: { columns: { State: varchar(2), calls: bigint, more: int } }, other: { columns: { a: int } } }";
        let all = queries(&spec(tables), &["other".into(), "churn".into()]);
        assert_eq!(
            all[1].sql,
            "SELECT `mltest`.`will_churn`(`state`, `calls`) AS prediction\nFROM (SELECT `state`, `calls` FROM `mltest`.`churn` LIMIT 1) AS one"
        );
        assert!(all[2].sql.contains("aws_comprehend_detect_sentiment(") && all[2].sql.contains("will_churn"));
    }

    #[test]
    fn the_broken_link_is_named() {
        let failed = |name: &str| Check {
            check: name.into(),
            object: "role x".into(),
            outcome: Outcome::Failed,
            found: "it is gone".into(),
            fix: Some("make it".into()),
        };
        let all = queries(&spec(""), &[]);
        let error = Answered::Failed { error: "Database error code: 1873".into() };
        let checks = [failed("comprehend role"), failed("sagemaker role")];
        let judged = judge_query(&all[1], &error, &checks);
        assert_eq!(judged.outcome, Outcome::Failed);
        assert!(judged.found.contains("1873") && judged.found.contains("sagemaker role"), "{}", judged.found);
        assert_eq!(judged.fix.as_deref(), Some("make it"));
        let judged = judge_query(&all[1], &error, &[failed("comprehend role")]);
        assert!(!judged.found.contains("broken link"), "{}", judged.found);
        let rows = Answered::Rows {
            columns: vec!["prediction".into()],
            rows: vec![vec![Some("0.7".into())]],
            milliseconds: 83,
        };
        assert_eq!(judge_query(&all[1], &rows, &[]).found, "prediction = 0.7 (83 ms)");
    }

    /// What is wrong with the statement of a person is no link's fault, whatever else is broken.
    #[test]
    fn only_a_link_that_can_be_why_is_named() {
        let given = Query { name: "query".into(), sql: "SELECT 1".into(), uses: vec![], endpoint: None };
        let link = |check: &str, object: &str| Check {
            check: check.into(),
            object: object.into(),
            outcome: Outcome::Failed,
            found: "it is gone".into(),
            fix: Some("make it".into()),
        };
        let checks = [
            link("endpoint", "endpoint other"),
            link("endpoint", "endpoint churn"),
            link("s3 policy", "role s3"),
            link("sagemaker policy", "role sagemaker"),
            link("comprehend grant", "user admin"),
            link("sagemaker grant", "user admin"),
            link("function", "shop.will_churn"),
        ];
        let statement = "correct the statement";
        for (error, broken, fix) in [
            ("Table 'shop.zz' doesn't exist; Error code: 1146", None, "correct the name of the table"),
            ("Unknown column 'zz'; Error code: 1054", None, "correct the name of the column"),
            ("You have an error in your SQL syntax; Error code: 1064", None, statement),
            (
                "SELECT command denied to user; Error code: 1142",
                None,
                "grant the user what it needs, or correct the statement",
            ),
            ("FUNCTION shop.zz does not exist; Error code: 1305", None, "correct the name of the function"),
            ("FUNCTION shop.Will_Churn does not exist; Error code: 1305", Some("function"), "make it"),
            (
                "you need the INVOKE SAGEMAKER privilege(s); Error code: 1227",
                Some("sagemaker grant"),
                "make it",
            ),
            (
                "S3 API returned error: Access Denied sagemaker-data; Error code: 63985",
                Some("s3 policy"),
                "make it",
            ),
            ("Internal error: Unable to initialize S3Stream; Error code: 1815", Some("s3 policy"), "make it"),
            (
                "SageMaker API returned error: Network Connection; Error code: 1871",
                Some("sagemaker policy"),
                "make it",
            ),
            (
                "SageMaker API returned error: Endpoint churn not found; Error code: 1871",
                Some("endpoint (endpoint churn"),
                "make it",
            ),
            (
                "Comprehend API returned error: AccessDenied; Error code: 1871",
                None,
                "fix the error from the database, then verify again",
            ),
            ("ExecuteStatement failed: HttpEndpoint is not enabled", Some("s3 policy"), "make it"),
        ] {
            let answered = Answered::Failed { error: error.into() };
            let judged = judge_query(&given, &answered, &checks);
            let told = judged.found.split_once("; the broken link: ").map(|(_, link)| link);
            assert_eq!(told.is_some(), broken.is_some(), "{error}: {told:?}");
            assert!(told.unwrap_or_default().starts_with(broken.unwrap_or_default()), "{error}: {told:?}");
            assert_eq!(judged.fix.as_deref(), Some(fix), "{error}");
        }
    }

    #[test]
    fn a_role_must_be_active() {
        let wanted = [("AWS_SAGEMAKER_ACCESS".to_owned(), "sagemaker")];
        let role = ["AWS_SAGEMAKER_ACCESS".to_owned()];
        let outcome = |granted: &[String], active: &[String]| {
            let checks = judge_roles("'admin'@'%'", &wanted, granted, active);
            (checks[0].outcome, checks[0].found.clone())
        };
        assert_eq!(outcome(&role, &role).0, Outcome::Ok);
        assert_eq!(
            outcome(&role, &[]),
            (Outcome::Failed, "AWS_SAGEMAKER_ACCESS is granted but not active at login".into())
        );
        assert_eq!(outcome(&[], &[]).1, "AWS_SAGEMAKER_ACCESS is not granted");
    }
}
