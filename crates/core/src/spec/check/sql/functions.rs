//! Functions.

use super::{column_names, column_path, meant, object_name};
use crate::spec::problem::nearest;
use crate::spec::reader::{Reader, join};
use crate::spec::{Spec, SqlFunction};
use crate::sql::BUILT_IN;
use crate::sql::tokens::tokens;
use crate::sql::types::{self, Family, SqlType};

/// More than any model takes; the database has no limit of its own.
const ARGUMENTS_MAX: usize = 1000;
/// Bytes of an expression.
const EXPRESSION_MAX: usize = 16 * 1024;

/// What a function calls: that decides which types it may have.
#[derive(Clone, Copy, PartialEq)]
enum Calls {
    Endpoint,
    Bedrock,
    Sql,
}

pub fn functions(spec: &Spec, reader: &mut Reader) {
    for (name, function) in &spec.functions {
        let path = join("functions", name);
        object_name("function", &path, name, spec.functions.keys(), reader);
        if BUILT_IN.iter().any(|built_in| name.eq_ignore_ascii_case(built_in)) {
            reader.report_key(
                &path,
                format!("Aurora already has a function `{name}`"),
                "choose another name",
            );
        }
        let Some(calls) = which(function, &path, reader) else { continue };
        fields(calls, &path, reader);
        match calls {
            Calls::Endpoint => endpoint(spec, function, &path, reader),
            Calls::Bedrock => bedrock(spec, function, &path, reader),
            Calls::Sql => expression(function, &path, reader),
        }
        arguments(calls, function, &path, reader);
        returns(calls, function, &path, reader);
    }
}

/// Exactly one of the three.
fn which(function: &SqlFunction, path: &str, reader: &mut Reader) -> Option<Calls> {
    let given = [
        ("endpoint", function.endpoint.is_some(), Calls::Endpoint),
        ("bedrock", function.bedrock.is_some(), Calls::Bedrock),
        ("sql", function.sql.is_some(), Calls::Sql),
    ];
    let given: Vec<(&str, Calls)> =
        given.into_iter().filter(|(_, is, _)| *is).map(|(key, _, is)| (key, is)).collect();
    match given.as_slice() {
        [(_, calls)] => Some(*calls),
        [] => {
            let misread = ["endpoint", "bedrock", "sql"].iter().any(|key| reader.given(&join(path, key)));
            if !misread {
                let hint = "add `endpoint: NAME`, `bedrock: MODEL-ID`, or `sql: \"EXPRESSION\"`";
                reader.report_key(path, "the function has no `endpoint`, `bedrock` or `sql`", hint);
            }
            None
        }
        [(first, _), (second, _), ..] => {
            let message = format!("`{second}` cannot be combined with `{first}`");
            reader.report_key(&join(path, second), message, "remove one, or write two functions");
            None
        }
    }
}

/// Keys that mean nothing beside what the function does.
fn fields(calls: Calls, path: &str, reader: &mut Reader) {
    let only = [
        ("max_batch_size", Calls::Endpoint, "`endpoint`"),
        ("content_type", Calls::Bedrock, "`bedrock`"),
        ("accept", Calls::Bedrock, "`bedrock`"),
        ("timeout_ms", Calls::Bedrock, "`bedrock`"),
    ];
    for (key, with, word) in only {
        let at = join(path, key);
        if calls != with && reader.given(&at) {
            reader.report_key(&at, format!("`{key}` can be used only with {word}"), "remove it");
        }
    }
}

fn endpoint(spec: &Spec, function: &SqlFunction, path: &str, reader: &mut Reader) {
    let Some(endpoint) = &function.endpoint else { return };
    let at = join(path, "endpoint");
    if !spec.endpoints.contains_key(endpoint) {
        if !reader.given(&join("endpoints", endpoint)) {
            let hint = match nearest(endpoint, spec.endpoints.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "add `{endpoint}:` under `endpoints`, with `managed_by: notebook` if something else creates it"
                ),
            };
            reader.report(&at, format!("`{endpoint}` is not declared in `endpoints`"), hint);
        }
    } else if reader.sound("machine_learning.sagemaker") {
        let allowed =
            spec.machine_learning.sagemaker.as_ref().is_some_and(|all| all.endpoints.contains(endpoint));
        if !allowed {
            let hint = format!("add it: `machine_learning: {{ sagemaker: {{ endpoints: [{endpoint}] }} }}`");
            reader.report(&at, format!("the cluster has no access to the endpoint `{endpoint}`"), hint);
        }
    }
    if function.max_batch_size == Some(0) {
        let hint = "write 1 or more; the default is 10000";
        reader.report(&join(path, "max_batch_size"), "`max_batch_size` must be at least 1", hint);
    }
}

fn bedrock(spec: &Spec, function: &SqlFunction, path: &str, reader: &mut Reader) {
    let Some(model) = &function.bedrock else { return };
    if reader.sound("machine_learning.bedrock") {
        let models = spec.machine_learning.bedrock.iter().flat_map(|bedrock| &bedrock.models);
        if !models.clone().any(|allowed| allowed == model) {
            let hint = match nearest(model, models.map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it: `machine_learning: {{ bedrock: {{ models: [{model}] }} }}`"),
            };
            reader.report(
                &join(path, "bedrock"),
                format!("the cluster has no access to the model `{model}`"),
                hint,
            );
        }
    }
    for (key, value) in [("content_type", &function.content_type), ("accept", &function.accept)] {
        let mime = value.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
        if !mime || value.len() > 256 || value.contains(|c: char| c.is_control() || c == '\'') {
            let hint = "write a type such as `application/json`";
            reader.report(&join(path, key), format!("`{value}` is not a MIME type"), hint);
        }
    }
    if function.timeout_ms == Some(0) {
        reader.report(
            &join(path, "timeout_ms"),
            "`timeout_ms` must be at least 1",
            "write for example 1000, which is one second",
        );
    }
}

/// What stands after RETURN. What it means, only the database knows; here it is one expression and nothing behind it.
fn expression(function: &SqlFunction, path: &str, reader: &mut Reader) {
    let Some(sql) = &function.sql else { return };
    let at = join(path, "sql");
    let hint = "write the value that it returns, such as `IF(int_plan = 'no', 1, 0)`";
    let found = match tokens(sql) {
        Err(why) => return reader.report(&at, format!("invalid expression: {why}"), hint),
        Ok(found) => found,
    };
    let mut depth = 0_i32;
    let balanced = found.iter().all(|token| {
        depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
        depth >= 0
    });
    if found.is_empty() {
        reader.report(&at, "the expression is empty", hint);
    } else if !balanced || depth != 0 {
        reader.report(&at, "the parentheses do not match", hint);
    } else if found.iter().any(|token| token.is_sign(';')) {
        reader.report(&at, "an expression cannot contain `;`", hint);
    } else if found[0].is("return") || found[0].is("begin") {
        reader.report(&at, "this is a statement, not an expression", hint);
    } else if found[0].is("select") {
        reader.report(&at, "this is a statement, not an expression", "put the query in parentheses");
    } else if sql.len() > EXPRESSION_MAX {
        let message =
            format!("the expression has {} bytes, and at most {EXPRESSION_MAX} are allowed", sql.len());
        reader.report(&at, message, "create the function yourself");
    }
}

fn arguments(calls: Calls, function: &SqlFunction, path: &str, reader: &mut Reader) {
    let columns = &function.arguments;
    let path = join(path, "arguments");
    column_names("argument", &path, columns, ARGUMENTS_MAX, reader);
    if calls == Calls::Endpoint && columns.0.is_empty() {
        let hint = "add `arguments: [state varchar(2), calls bigint]`, in the order that the model expects";
        reader.report(&path, "the function has no arguments", hint);
    }
    if calls == Calls::Bedrock && columns.0.len() != 1 {
        let message =
            format!("a Bedrock function takes one argument, the request body, not {}", columns.0.len());
        reader.report_key(&path, message, "write `arguments: [request_body text]`");
    }
    for (n, column) in columns.0.iter().enumerate() {
        let at = column_path(&path, columns, n, reader);
        let Some(of) = known_type(&column.name, &column.of, &at, reader) else { continue };
        let taken = match calls {
            Calls::Endpoint => matches!(of.family, Family::Number | Family::Text),
            Calls::Bedrock => matches!(of.family, Family::Text | Family::LongText),
            Calls::Sql => true,
        };
        if !taken {
            let hint = instead(calls, &of);
            reader.report(
                &at,
                format!("the argument `{}` cannot be {of}: {}", column.name, why(calls)),
                hint,
            );
        }
    }
}

/// A type that can be read; else what is wrong is reported.
pub fn known_type(name: &str, text: &str, at: &str, reader: &mut Reader) -> Option<SqlType> {
    match SqlType::parse(text) {
        Ok(of) => Some(of),
        Err(why) => {
            reader.report(at, format!("`{name}` {why}"), suggest(text));
            None
        }
    }
}

/// The type that was probably meant.
pub fn suggest(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    let word = word.to_lowercase();
    if types::names().any(|name| name == word) {
        return "write a type such as `bigint`, `double` or `varchar(255)`".to_owned();
    }
    // What other databases and languages call it.
    let other = match word.as_str() {
        "string" | "str" | "varchar2" | "nvarchar" => Some("varchar(255)"),
        "long" | "int64" | "bigserial" | "serial" | "number" => Some("bigint"),
        "float64" | "float8" => Some("double"),
        "float32" | "float4" => Some("float"),
        "int32" | "int4" => Some("int"),
        _ => nearest(&word, types::names()),
    };
    match other {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a type such as `bigint`, `double` or `varchar(255)`".to_owned(),
    }
}

fn returns(calls: Calls, function: &SqlFunction, path: &str, reader: &mut Reader) {
    let at = join(path, "returns");
    if !reader.given(&at) {
        return;
    }
    let of = match SqlType::parse(&function.returns) {
        Ok(of) => of,
        Err(why) => {
            let message = format!("`{}` {why}", function.returns);
            return reader.report(&at, message, suggest(&function.returns));
        }
    };
    let taken = match calls {
        Calls::Endpoint => of.family == Family::Number || of.name == "varchar",
        Calls::Bedrock => matches!(of.family, Family::Text | Family::LongText),
        Calls::Sql => true,
    };
    if !taken {
        reader.report(&at, format!("the function cannot return {of}: {}", why(calls)), instead(calls, &of));
    }
}

/// User Guide, "Using SageMaker AI with your … DB cluster" and "Using Amazon Bedrock …".
fn why(calls: Calls) -> &'static str {
    match calls {
        Calls::Bedrock => "Bedrock takes and returns text",
        Calls::Endpoint | Calls::Sql => "Aurora sends SageMaker only numbers (not BIT) and VARCHAR",
    }
}

fn instead(calls: Calls, of: &SqlType) -> &'static str {
    match (calls, of.family) {
        (Calls::Bedrock, _) => "write `text`; convert the result with `CAST(… AS JSON)`",
        (_, Family::Bit) => "write `tinyint`",
        (_, Family::Time) => "write `varchar(32)`, and convert it in the query: `DATE_FORMAT(…)`",
        (_, Family::Text) => "write `varchar(…)`",
        _ => "write `varchar(2048)`, or a number such as `double`",
    }
}

/// Names that are not in the spec, for tables as well.
pub fn unknown<'n>(
    text: &str,
    at: &str,
    section: &str,
    names: impl Iterator<Item = &'n String> + Clone,
    reader: &mut Reader,
) {
    reader.report(at, format!("`{text}` is not one of `{section}`"), meant(text, section, names));
}
