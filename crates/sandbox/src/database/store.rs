//! What becomes of a value that is put into a column or a variable.
//!
//! Facts: MySQL 8.0 Reference, "Server SQL Modes", "Out-of-Range and Overflow Handling".

use super::errors::SqlError;
use super::types::{Kind, Type, as_text, leading_number, round_half_away, single};
use rusqlite::types::Value;

/// What a value becomes in a column or a variable of this type.
pub(crate) struct Store<'a> {
    pub column: &'a str,
    /// From 1.
    pub row: u64,
    pub strict: bool,
}

impl Store<'_> {
    fn wrong(&self, what: &str, value: &str) -> SqlError {
        let value: String = value.chars().take(64).collect();
        SqlError::new(
            1366,
            format!("Incorrect {what} value: '{value}' for column '{}' at row {}", self.column, self.row),
        )
    }

    /// # Errors
    /// In strict mode, for what does not go in: 1264, 1265, 1366, 1406.
    pub fn put(&self, kind: &Type, value: Value) -> Result<Value, SqlError> {
        if value == Value::Null {
            return Ok(value);
        }
        if let Some(range) = kind.range() {
            return self.whole(kind, range, &value);
        }
        match kind.kind {
            Kind::Float => Ok(Value::Real(single(self.number("decimal", &value)?))),
            Kind::Double => Ok(Value::Real(self.number("double", &value)?)),
            Kind::Decimal => self.decimal(kind, &value),
            Kind::Enum => self.member(kind, &value),
            Kind::Date | Kind::Time | Kind::Datetime | Kind::Timestamp => self.time(kind, &value),
            Kind::Json => {
                let text = as_text(&value);
                match serde_json::from_str::<serde_json::Value>(&text) {
                    Ok(_) => Ok(Value::Text(text)),
                    Err(_) => Err(SqlError::new(
                        3140,
                        format!(
                            "Invalid JSON text: \"Invalid value.\" at position 0 in value for column '{}'.",
                            self.column
                        ),
                    )),
                }
            }
            _ if kind.is_binary() => self.bytes(kind, value),
            _ => self.text(kind, &value),
        }
    }

    fn number(&self, what: &str, value: &Value) -> Result<f64, SqlError> {
        Ok(match value {
            Value::Integer(number) => *number as f64,
            Value::Real(number) => *number,
            other => {
                let text = as_text(other);
                let (number, whole) = leading_number(&text);
                if !whole && self.strict {
                    return Err(self.wrong(what, &text));
                }
                number
            }
        })
    }

    fn whole(&self, kind: &Type, (least, most): (i128, i128), value: &Value) -> Result<Value, SqlError> {
        let number = match value {
            Value::Integer(number) => i128::from(*number),
            Value::Text(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().unwrap_or(0),
            other => self.number("integer", other)?.round() as i128,
        };
        if (least..=most).contains(&number) {
            return Ok(Value::Integer(i64::try_from(number).unwrap_or(0)));
        }
        if self.strict {
            return Err(self.out_of_range());
        }
        let _ = kind;
        Ok(Value::Integer(i64::try_from(number.clamp(least, most)).unwrap_or(0)))
    }

    fn out_of_range(&self) -> SqlError {
        let text = format!("Out of range value for column '{}' at row {}", self.column, self.row);
        SqlError { state: "22003".into(), ..SqlError::new(1264, text) }
    }

    fn decimal(&self, kind: &Type, value: &Value) -> Result<Value, SqlError> {
        let number = self.number("decimal", value)?;
        let factor = 10f64.powi(i32::try_from(kind.scale).unwrap_or(0));
        let digits = kind.length.unwrap_or(10).saturating_sub(u64::from(kind.scale));
        let limit = 10f64.powi(i32::try_from(digits).unwrap_or(65));
        let rounded = round_half_away(number * factor) / factor;
        if rounded.abs() >= limit {
            if self.strict {
                return Err(self.out_of_range());
            }
            return Ok(Value::Real((limit - 1.0 / factor).copysign(rounded)));
        }
        Ok(Value::Real(rounded))
    }

    fn member(&self, kind: &Type, value: &Value) -> Result<Value, SqlError> {
        let text = as_text(value);
        match kind.members.iter().find(|member| member.eq_ignore_ascii_case(&text)) {
            Some(member) => Ok(Value::Text(member.clone())),
            None if self.strict => Err(self.truncated()),
            None => Ok(Value::Text(String::new())),
        }
    }

    fn truncated(&self) -> SqlError {
        SqlError::new(1265, format!("Data truncated for column '{}' at row {}", self.column, self.row))
    }

    fn text(&self, kind: &Type, value: &Value) -> Result<Value, SqlError> {
        let mut text = as_text(value);
        if kind.kind == Kind::Char {
            text.truncate(text.trim_end_matches(' ').len());
        }
        let Some(capacity) = kind.capacity() else { return Ok(Value::Text(text)) };
        // Bytes are never fewer than characters.
        if text.len() as u64 <= capacity || text.chars().count() as u64 <= capacity {
            return Ok(Value::Text(text));
        }
        if self.strict {
            return Err(self.too_long());
        }
        Ok(Value::Text(text.chars().take(usize::try_from(capacity).unwrap_or(usize::MAX)).collect()))
    }

    fn too_long(&self) -> SqlError {
        let text = format!("Data too long for column '{}' at row {}", self.column, self.row);
        SqlError { state: "22001".into(), ..SqlError::new(1406, text) }
    }

    fn bytes(&self, kind: &Type, value: Value) -> Result<Value, SqlError> {
        let mut bytes = match value {
            Value::Blob(bytes) => bytes,
            other => as_text(&other).into_bytes(),
        };
        let capacity = usize::try_from(kind.capacity().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        if bytes.len() > capacity {
            if self.strict {
                return Err(self.too_long());
            }
            bytes.truncate(capacity);
        }
        Ok(Value::Blob(bytes))
    }

    fn time(&self, kind: &Type, value: &Value) -> Result<Value, SqlError> {
        let text = as_text(value);
        if let Some(found) = super::moments::normal(kind.kind, &text) {
            return Ok(Value::Text(found));
        }
        if self.strict {
            let what = if kind.kind == Kind::Timestamp { "datetime" } else { kind.name() };
            let text =
                format!("Incorrect {what} value: '{text}' for column '{}' at row {}", self.column, self.row);
            return Err(SqlError { state: "22007".into(), ..SqlError::new(1292, text) });
        }
        Ok(Value::Text(super::moments::zero(kind.kind).into()))
    }
}
