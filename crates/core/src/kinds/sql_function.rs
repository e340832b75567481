//! A stored function that calls an endpoint or a foundation model, or is plain SQL. MySQL changes nothing of one but its
//! characteristics: a function that differs is dropped and made anew.

use super::Kind;
use super::sql_database::SQL;
use super::unseen::accept_unseen;
use crate::base::names::STACK_TAG;
use crate::resource::{PLAIN, Rules};
use crate::sql::function::{Calls, Function};
use crate::sql::tokens::same;
use crate::sql::types::SqlType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct SqlFunction;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Props {
    /// Why nobody looked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    pub database: String,
    /// `state varchar(2048), acc_length bigint`: the order matters, and a list would be compared as a set.
    pub arguments: String,
    pub returns: String,
    /// `sagemaker`, `bedrock`, `sql`, or `other` for what auroraml does not write.
    pub calls: String,
    pub endpoint: Option<String>,
    pub max_batch_size: Option<u32>,
    pub model: Option<String>,
    pub content_type: Option<String>,
    pub accept: Option<String>,
    /// 0 for what the parameter `aurora_ml_inference_timeout` says.
    pub timeout_ms: Option<u32>,
    /// The value that it returns, or the whole body of what auroraml does not write.
    pub sql: Option<String>,
    /// The statement that makes it; of a live function nobody asks for it.
    pub statement: Option<String>,
}

/// What follows RETURNS and the like of a function, with the statement that makes it.
impl Props {
    pub fn of(function: &Function, database: &str) -> Props {
        let mut props = Props {
            database: database.into(),
            arguments: function.signature(),
            returns: function.returns.to_string(),
            ..Props::default()
        };
        match &function.calls {
            Calls::Sagemaker { endpoint, max_batch_size } => {
                props.calls = "sagemaker".into();
                props.endpoint = Some(endpoint.clone());
                props.max_batch_size = Some(*max_batch_size);
            }
            Calls::Bedrock { model, content_type, accept, timeout_ms } => {
                props.calls = "bedrock".into();
                props.model = Some(model.clone());
                props.content_type = Some(content_type.clone());
                props.accept = Some(accept.clone());
                props.timeout_ms = Some(timeout_ms.unwrap_or(0));
            }
            Calls::Expression { sql, .. } => {
                props.calls = "sql".into();
                props.sql = Some(sql.clone());
            }
            Calls::Other { sql } => {
                props.calls = "other".into();
                props.sql = Some(sql.clone());
            }
        }
        props
    }
}

/// The comment by which a function of plain SQL is known to be a stack's. Aurora takes none on the others.
pub fn mark(stack: &str) -> String {
    format!("{STACK_TAG}={stack}")
}

impl Kind for SqlFunction {
    const NAME: &'static str = "sql_function";
    const RULES: Rules = Rules {
        after: &[
            "sql_database",
            "cluster",
            "instance",
            "parameter_sync",
            "secret_attachment",
            "cluster_role",
            "endpoint",
        ],
        dies_with: Some("cluster"),
        foreign: Some((
            "a function with this name exists, and nothing says that this stack created it",
            "drop it if it is not needed (DROP FUNCTION), or choose another name; then run again",
        )),
        accept,
        permissions: SQL,
        ..PLAIN
    };
    type Props = Props;
}

/// What means the same is the same, and what one sort of function does not have is no difference.
fn accept(want: &mut Value, live: &Value) {
    accept_unseen(want, live);
    want["statement"] = Value::Null;
    for key in ["sql", "arguments", "returns"] {
        let (Some(wanted), Some(there)) = (want[key].as_str(), live[key].as_str()) else { continue };
        let equal = match key {
            "returns" => SqlType::canonical(wanted) == SqlType::canonical(there),
            _ => same(wanted, there),
        };
        if equal {
            want[key] = live[key].clone();
        }
    }
    let (wanted, there) = (want["endpoint"].as_str(), live["endpoint"].as_str());
    // SageMaker's names differ by more than case (the API reference has both letters in its pattern, and takes one name
    // once): what a person wrote in other letters is the same endpoint.
    if wanted.zip(there).is_some_and(|(wanted, there)| wanted.eq_ignore_ascii_case(there)) {
        want["endpoint"] = live["endpoint"].clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diff;

    fn props(statement: &str) -> Props {
        Props::of(&Function::parse(statement).unwrap(), "d")
    }

    fn changed(want: &str, live: &str) -> Vec<String> {
        let value = |text| serde_json::to_value(props(text)).unwrap();
        let (mut want, live) = (value(want), value(live));
        want["statement"] = "CREATE …".into();
        (SqlFunction::RULES.accept)(&mut want, &live);
        diff(&want, &live).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn functions_are_compared_by_meaning() {
        let sagemaker = "CREATE FUNCTION f(`a` varchar(2048), b bigint) RETURNS float ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT ENDPOINT NAME 'churn'";
        let shown = "CREATE DEFINER=`admin`@`%` FUNCTION `d`.`f`(A varchar(2048) CHARSET latin1, b BIGINT(20)) RETURNS FLOAT\nNOT DETERMINISTIC alias aws_sagemaker_invoke_endpoint endpoint name \"churn\" max_batch_size 10000";
        assert!(changed(sagemaker, shown).is_empty());
        for (other, path) in [
            (sagemaker.replace("bigint", "int"), "arguments"),
            (
                sagemaker.replace("(`a` varchar(2048), b bigint)", "(b bigint, `a` varchar(2048))"),
                "arguments",
            ),
            (sagemaker.replace("float", "double"), "returns"),
            (sagemaker.replace("'churn'", "'other'"), "endpoint"),
            (format!("{sagemaker} MAX_BATCH_SIZE 100"), "max_batch_size"),
        ] {
            assert_eq!(changed(&other, shown), [path], "{other}");
        }
    }

    #[test]
    fn another_sort_of_function_is_a_difference() {
        let plain = "CREATE FUNCTION f(a int) RETURNS int RETURN a + 1";
        let model = "CREATE FUNCTION f(a int) RETURNS int ALIAS AWS_BEDROCK_INVOKE_MODEL MODEL ID 'm'";
        assert!(
            changed(plain, "CREATE FUNCTION f(a INT(11)) RETURNS INTEGER DETERMINISTIC RETURN  A+1")
                .is_empty()
        );
        assert!(changed(plain, model).contains(&"calls".to_owned()));
        assert!(changed(model, plain).contains(&"model".to_owned()));
        assert!(changed(model, &format!("{model} TIMEOUT_MS 5")).contains(&"timeout_ms".to_owned()));
    }
}
