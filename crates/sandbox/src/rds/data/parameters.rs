//! Named parameters of a statement. Facts: API reference of the Data API, SqlParameter and Field.

use super::bad;
use crate::database::{Kind, Parameter, Parameters, Type};
use crate::wire::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::Value as Bound;
use serde_json::Value;

/// Parameters of one statement.
const PARAMETERS_MAX: usize = 1_000;

/// # Errors
/// `BadRequestException` for what is no parameter.
pub(super) fn read(given: Option<&Value>) -> Result<Parameters, Fault> {
    let Some(list) = given.and_then(Value::as_array) else { return Ok(Parameters::new()) };
    if list.len() > PARAMETERS_MAX {
        return Err(bad(format!("A statement has at most {PARAMETERS_MAX} parameters")));
    }
    let mut all = Parameters::new();
    for one in list {
        let name = one["name"].as_str().ok_or_else(|| bad("A parameter has no name"))?;
        all.insert(
            name.trim_start_matches(':').to_string(),
            value(name, &one["value"], one["typeHint"].as_str())?,
        );
    }
    Ok(all)
}

fn value(name: &str, field: &Value, hint: Option<&str>) -> Result<Parameter, Fault> {
    let parameter = |value: Bound, kind: Kind| Ok(Parameter { value, kind: Type::new(kind) });
    let Some((member, value)) =
        field.as_object().and_then(|field| field.iter().find(|(_, value)| !value.is_null()))
    else {
        return Err(bad(format!("Parameter {name} has no value")));
    };
    match (member.as_str(), value) {
        ("isNull", Value::Bool(true)) => parameter(Bound::Null, Kind::Null),
        ("booleanValue", Value::Bool(truth)) => parameter(Bound::Integer(i64::from(*truth)), Kind::BigInt),
        ("longValue", Value::Number(number)) => match number.as_i64() {
            Some(number) => parameter(Bound::Integer(number), Kind::BigInt),
            None => Err(bad(format!("Parameter {name} is no long value"))),
        },
        ("doubleValue", value) => match (value.as_f64(), value.as_str()) {
            (Some(number), _) => parameter(Bound::Real(number), Kind::Double),
            _ => Err(bad(format!("Parameter {name} is no number that MySQL has"))),
        },
        ("stringValue", Value::String(text)) => hinted(name, text, hint),
        ("blobValue", Value::String(text)) => match STANDARD.decode(text) {
            Ok(bytes) => parameter(Bound::Blob(bytes), Kind::Blob),
            Err(_) => Err(bad(format!("Parameter {name} is not base64"))),
        },
        // "Array parameters are not supported."
        ("arrayValue", _) => Err(bad("Array parameters are not supported.")),
        _ => Err(bad(format!("Parameter {name} has the value {member}, which is not known"))),
    }
}

fn hinted(name: &str, text: &str, hint: Option<&str>) -> Result<Parameter, Fault> {
    let mut kind = Type::sized(Kind::Varchar, text.chars().count() as u64);
    let mut value = Bound::Text(text.to_string());
    match hint {
        None | Some("UUID") => {}
        Some("DECIMAL") => match text.parse::<f64>() {
            Ok(number) => {
                let scale = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                (value, kind) =
                    (Bound::Real(number), Type::decimal(65, u32::try_from(scale).unwrap_or(30).min(30)));
            }
            Err(_) => return Err(bad(format!("Parameter {name} is no decimal"))),
        },
        Some("DATE") => kind = Type::new(Kind::Date),
        Some("TIME") => kind = Type::new(Kind::Time),
        Some("TIMESTAMP") => kind = Type::new(Kind::Datetime),
        Some("JSON") => kind = Type::new(Kind::Json),
        Some(other) => {
            return Err(bad(format!("Parameter {name} has the type hint {other}, which is not known")));
        }
    }
    Ok(Parameter { value, kind })
}
