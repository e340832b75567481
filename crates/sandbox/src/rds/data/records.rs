//! What the Data API makes of a result. Facts: API reference, Field, ColumnMetadata, ResultSetOptions; Aurora User
//! Guide, "Processing query results in JSON format". Types are those of JDBC. That TINYINT(1) is a boolean value is
//! believed: it is to MySQL's JDBC drivers.

use crate::database::{Kind, Outcome, Output, Type, as_text, written};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::Value as Found;
use serde_json::{Map, Value, json};

pub(super) fn answer(outcome: &Outcome, as_json: bool, metadata: bool, options: &Value) -> Value {
    let mut answer = json!({"numberOfRecordsUpdated": outcome.updated});
    if outcome.columns.is_empty() {
        answer["generatedFields"] = generated(outcome);
        return answer;
    }
    let fields = |row: &Vec<Found>| -> Vec<Value> {
        row.iter().zip(&outcome.columns).map(|(value, column)| field(value, &column.kind, options)).collect()
    };
    if as_json {
        let rows = outcome.rows.iter().map(|row| {
            let pairs = fields(row).into_iter().zip(&outcome.columns);
            Value::Object(
                pairs.map(|(field, column)| (column.label.clone(), plain(field))).collect::<Map<_, _>>(),
            )
        });
        answer["formattedRecords"] = Value::String(Value::Array(rows.collect()).to_string());
    } else {
        answer["records"] = outcome.rows.iter().map(fields).collect();
    }
    if metadata {
        answer["columnMetadata"] = outcome.columns.iter().map(described).collect();
    }
    answer
}

pub(super) fn generated(outcome: &Outcome) -> Value {
    outcome.generated.iter().map(|number| json!({"longValue": number})).collect()
}

/// The value of a field without the name of its type.
fn plain(field: Value) -> Value {
    match field {
        Value::Object(members) if members.contains_key("isNull") => Value::Null,
        Value::Object(members) => members.into_iter().next().map_or(Value::Null, |(_, value)| value),
        other => other,
    }
}

fn field(value: &Found, kind: &Type, options: &Value) -> Value {
    let text = |text: String| json!({"stringValue": text});
    match value {
        Found::Null => json!({"isNull": true}),
        Found::Blob(bytes) => json!({"blobValue": STANDARD.encode(bytes)}),
        value if is_boolean(kind) => json!({"booleanValue": as_text(value) != "0"}),
        value if kind.kind == Kind::Decimal => {
            let digits = as_text(&written(value.clone(), kind));
            if options["decimalReturnType"] != "DOUBLE_OR_LONG" {
                return text(digits);
            }
            match digits.parse::<i64>() {
                Ok(number) => json!({"longValue": number}),
                Err(_) => json!({"doubleValue": digits.parse::<f64>().unwrap_or_default()}),
            }
        }
        value if kind.is_text() || kind.is_time() => text(as_text(value)),
        Found::Integer(number) if kind.is_number() && !kind.is_whole() => {
            json!({"doubleValue": *number as f64})
        }
        Found::Integer(number) if options["longReturnType"] == "STRING" => text(number.to_string()),
        Found::Integer(number) => json!({"longValue": number}),
        Found::Real(number) if kind.is_whole() && number.fract() == 0.0 => {
            json!({"longValue": *number as i64})
        }
        Found::Real(number) => json!({"doubleValue": number}),
        Found::Text(found) => text(found.clone()),
    }
}

fn is_boolean(kind: &Type) -> bool {
    kind.kind == Kind::TinyInt && kind.length == Some(1) || kind.kind == Kind::Bit && kind.length == Some(1)
}

fn described(column: &Output) -> Value {
    let kind = &column.kind;
    // java.sql.Types
    let (number, name) = match kind.kind {
        _ if is_boolean(kind) => (-7, "BIT"),
        Kind::TinyInt => (-6, "TINYINT"),
        Kind::SmallInt => (5, "SMALLINT"),
        Kind::MediumInt => (4, "MEDIUMINT"),
        Kind::Int => (4, "INT"),
        Kind::BigInt => (-5, "BIGINT"),
        Kind::Float => (7, "FLOAT"),
        Kind::Double => (8, "DOUBLE"),
        Kind::Decimal => (3, "DECIMAL"),
        Kind::Bit => (-7, "BIT"),
        Kind::Char => (1, "CHAR"),
        Kind::Enum => (1, "ENUM"),
        Kind::TinyText => (12, "TINYTEXT"),
        Kind::Text | Kind::MediumText | Kind::LongText => (-1, "TEXT"),
        Kind::Json => (-1, "JSON"),
        Kind::Binary => (-2, "BINARY"),
        Kind::Varbinary => (-3, "VARBINARY"),
        Kind::TinyBlob | Kind::Blob | Kind::MediumBlob | Kind::LongBlob => (-4, "BLOB"),
        Kind::Date => (91, "DATE"),
        Kind::Time => (92, "TIME"),
        Kind::Datetime => (93, "DATETIME"),
        Kind::Timestamp => (93, "TIMESTAMP"),
        Kind::Year => (91, "YEAR"),
        Kind::Varchar => (12, "VARCHAR"),
        Kind::Null => (0, "NULL"),
    };
    json!({
        "arrayBaseColumnType": 0,
        "isAutoIncrement": column.numbered,
        "isCaseSensitive": false,
        "isCurrency": false,
        "isSigned": kind.is_number() && !kind.unsigned,
        "label": column.label,
        "name": column.name,
        "nullable": i32::from(column.nullable),
        "precision": kind.length.unwrap_or(0),
        "scale": kind.scale,
        "schemaName": column.schema,
        "tableName": column.table,
        "type": number,
        "typeName": if kind.unsigned { format!("{name} UNSIGNED") } else { name.to_string() },
    })
}
