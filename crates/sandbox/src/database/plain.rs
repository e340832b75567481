//! MySQL's functions that SQLite has not, or has otherwise. All have names that begin with `my_`.

use super::errors::SqlError;
use super::store::Store;
use super::types::{Type, as_text, leading_number, round_half_away};
use crate::s3::sha256;
use md5::{Digest, Md5};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};
use std::sync::{Mutex, PoisonError};

/// The largest random number of MySQL's generator.
const RANDOM_MAX: u64 = 0x3FFF_FFFF;

pub(super) fn register(connection: &Connection) -> Result<(), SqlError> {
    let pure =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    let add = |name: &str, arguments: i32, call: fn(&Context<'_>) -> Result<Value>| {
        connection.create_scalar_function(name, arguments, pure, call)
    };
    add("my_concat", -1, |c| joined(c, 0, ""))?;
    add("my_concat_ws", -1, |c| match c.get_raw(0) {
        ValueRef::Null => Ok(Value::Null),
        _ => {
            let separator = text(c, 0);
            let parts: Vec<String> = (1..c.len()).filter(|at| !null(c, *at)).map(|at| text(c, at)).collect();
            Ok(Value::Text(parts.join(&separator)))
        }
    })?;
    add("my_mod", 2, |c| match (value(c, 0), value(c, 1)) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Integer(_), Value::Integer(0)) => Ok(Value::Null),
        (Value::Integer(a), Value::Integer(b)) => Ok(Value::Integer(a.wrapping_rem(b))),
        (a, b) => {
            let (a, b) = (number(&a), number(&b));
            Ok(if b == 0.0 { Value::Null } else { Value::Real(a % b) })
        }
    })?;
    add("my_number", 1, |c| {
        Ok(match value(c, 0) {
            Value::Text(text) => Value::Real(leading_number(&text).0),
            other => other,
        })
    })?;
    add("my_like", 3, |c| {
        if null(c, 0) || null(c, 1) {
            return Ok(Value::Null);
        }
        let escape = text(c, 2).bytes().next();
        let (subject, pattern) = (text(c, 0).to_lowercase(), text(c, 1).to_lowercase());
        Ok(Value::Integer(i64::from(like(subject.as_bytes(), pattern.as_bytes(), escape))))
    })?;
    add("my_crc32", 1, |c| {
        if null(c, 0) {
            return Ok(Value::Null);
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes(c, 0));
        Ok(Value::Integer(i64::from(crc.sum())))
    })?;
    add("my_md5", 1, |c| {
        let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(if null(c, 0) { Value::Null } else { Value::Text(hex(&Md5::digest(bytes(c, 0)))) })
    })?;
    add("my_sha2", 1, |c| Ok(if null(c, 0) { Value::Null } else { Value::Text(sha256(&bytes(c, 0))) }))?;
    add("my_round", 2, |c| shifted(c, round_half_away))?;
    add("my_truncate", 2, |c| shifted(c, f64::trunc))?;
    add("my_bytes", 1, |c| {
        Ok(if null(c, 0) { Value::Null } else { Value::Integer(bytes(c, 0).len() as i64) })
    })?;
    for (name, call) in [
        ("my_ceil", f64::ceil as fn(f64) -> f64),
        ("my_floor", f64::floor),
        ("my_sqrt", f64::sqrt),
        ("my_exp", f64::exp),
        ("my_ln", f64::ln),
        ("my_log2", f64::log2),
        ("my_log10", f64::log10),
    ] {
        connection.create_scalar_function(name, 1, pure, move |c| real(c, |a, _| call(a)))?;
    }
    add("my_pow", 2, |c| real(c, f64::powf))?;
    // Not among the pure ones: SQLite would work those out before it knows whether anybody asks.
    connection.create_scalar_function("my_store", 5, FunctionFlags::SQLITE_UTF8, stored)?;
    connection.create_scalar_function("my_fail", 1, FunctionFlags::SQLITE_UTF8, |c| -> Result<Value> {
        Err(Error::UserFunctionError(text(c, 0).into()))
    })?;
    connection.create_scalar_function("my_rand", 1, FunctionFlags::SQLITE_UTF8, |c| {
        let state = c.get_or_create_aux(0, |seed| -> Result<_, Error> {
            let seed = seed.as_i64().unwrap_or(0) as u64;
            let first = seed.wrapping_mul(0x10001).wrapping_add(55_555_555) as u32;
            let second = seed.wrapping_mul(0x1000_0001) as u32;
            Ok(Mutex::new((u64::from(first) % RANDOM_MAX, u64::from(second) % RANDOM_MAX)))
        })?;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = (state.0 * 3 + state.1) % RANDOM_MAX;
        state.1 = (state.0 + state.1 + 33) % RANDOM_MAX;
        Ok(state.0 as f64 / RANDOM_MAX as f64)
    })?;
    let flags = FunctionFlags::SQLITE_UTF8;
    for (name, sample, root) in [
        ("my_variance", false, false),
        ("my_stddev", false, true),
        ("my_var_samp", true, false),
        ("my_stddev_samp", true, true),
    ] {
        connection.create_aggregate_function(name, 1, flags, Spread { sample, root })?;
    }
    Ok(())
}

fn value(c: &Context<'_>, at: usize) -> Value {
    // A text that is no UTF-8 does not come from here.
    c.get(at).unwrap_or(Value::Null)
}

fn null(c: &Context<'_>, at: usize) -> bool {
    matches!(c.get_raw(at), ValueRef::Null)
}

fn text(c: &Context<'_>, at: usize) -> String {
    as_text(&value(c, at))
}

fn bytes(c: &Context<'_>, at: usize) -> Vec<u8> {
    match value(c, at) {
        Value::Blob(bytes) => bytes,
        other => as_text(&other).into_bytes(),
    }
}

pub(super) fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        other => leading_number(&as_text(other)).0,
    }
}

fn joined(c: &Context<'_>, from: usize, separator: &str) -> Result<Value> {
    if (from..c.len()).any(|at| null(c, at)) {
        return Ok(Value::Null);
    }
    Ok(Value::Text((from..c.len()).map(|at| text(c, at)).collect::<Vec<_>>().join(separator)))
}

/// One or two numbers in, a number out; NULL for NULL and for what is not defined.
fn real(c: &Context<'_>, call: impl Fn(f64, f64) -> f64) -> Result<Value> {
    if (0..c.len()).any(|at| null(c, at)) {
        return Ok(Value::Null);
    }
    let second = if c.len() > 1 { number(&value(c, 1)) } else { 0.0 };
    let found = call(number(&value(c, 0)), second);
    Ok(if found.is_finite() { Value::Real(found) } else { Value::Null })
}

/// A number cut to so many digits behind the point; a whole number stays one.
fn shifted(c: &Context<'_>, cut: fn(f64) -> f64) -> Result<Value> {
    let (given, digits) = (value(c, 0), value(c, 1));
    if given == Value::Null || digits == Value::Null {
        return Ok(Value::Null);
    }
    let digits = (number(&digits) as i32).clamp(-30, 30);
    if let (Value::Integer(whole), true) = (&given, digits >= 0) {
        return Ok(Value::Integer(*whole));
    }
    let factor = 10f64.powi(digits.abs());
    let found = if digits >= 0 {
        cut(number(&given) * factor) / factor
    } else {
        cut(number(&given) / factor) * factor
    };
    Ok(match given {
        Value::Integer(_) => Value::Integer(found as i64),
        _ => Value::Real(found),
    })
}

/// `my_store(value, type as JSON, column, row, strict)`.
fn stored(c: &Context<'_>) -> Result<Value> {
    let failed = |error: SqlError| Error::UserFunctionError(error.carried().into());
    let kind = c.get_or_create_aux(1, |given| -> Result<Type, Error> {
        let text = given.as_str().unwrap_or_default();
        serde_json::from_str(text).map_err(|error| Error::UserFunctionError(error.into()))
    })?;
    let column = text(c, 2);
    let row = u64::try_from(c.get::<i64>(3)?).unwrap_or(1);
    let strict = c.get::<i64>(4)? != 0;
    Store { column: &column, row, strict }.put(&kind, value(c, 0)).map_err(failed)
}

/// MySQL's LIKE on lower-case texts: `%` any text, `_` any character, the escape takes the next one as it is.
pub(crate) fn like(text: &[u8], pattern: &[u8], escape: Option<u8>) -> bool {
    // Which beginnings of the text the pattern so far stands for, by their length.
    let mut matched = vec![false; text.len() + 1];
    matched[0] = true;
    let mut letters = pattern.iter();
    while let Some(&letter) = letters.next() {
        if letter == b'%' {
            let first = matched.iter().position(|matches| *matches).unwrap_or(matched.len());
            matched[first..].fill(true);
            continue;
        }
        let exact = if Some(letter) == escape { letters.next().copied().unwrap_or(letter) } else { letter };
        let any = letter == b'_';
        for length in (0..matched.len()).rev() {
            matched[length] = length > 0 && matched[length - 1] && (any || text[length - 1] == exact);
        }
    }
    matched[text.len()]
}

/// Variance and standard deviation, by Welford.
struct Spread {
    sample: bool,
    root: bool,
}

impl Aggregate<(f64, f64, f64), Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<(f64, f64, f64)> {
        Ok((0.0, 0.0, 0.0))
    }
    fn step(&self, c: &mut Context<'_>, (count, mean, sum): &mut (f64, f64, f64)) -> Result<()> {
        if !null(c, 0) {
            let given = number(&value(c, 0));
            *count += 1.0;
            let delta = given - *mean;
            *mean += delta / *count;
            *sum += delta * (given - *mean);
        }
        Ok(())
    }
    fn finalize(&self, _: &mut Context<'_>, found: Option<(f64, f64, f64)>) -> Result<Option<f64>> {
        let Some((count, _, sum)) = found else { return Ok(None) };
        let divisor = if self.sample { count - 1.0 } else { count };
        if divisor <= 0.0 {
            return Ok(None);
        }
        let variance = sum / divisor;
        Ok(Some(if self.root { variance.sqrt() } else { variance }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_mysql() {
        let matches = |text: &str, pattern: &str| like(text.as_bytes(), pattern.as_bytes(), Some(b'\\'));
        assert!(matches("aws_default_s3_role", "aws_default%"));
        assert!(matches("aws-default-s3-role", "aws_default%"), "_ is any character");
        assert!(!matches("aws-default-s3-role", r"aws\_default%"));
        assert!(matches("a", "%") && matches("", "%") && !matches("", "_") && matches("abc", "%b_"));
        assert!(!matches("abc", "ab") && !matches("ab", "abc"));
    }

    #[test]
    fn random_numbers_are_those_of_mysql() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let numbers: Vec<f64> = connection
            .prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT my_rand(3) FROM n")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_>>()
            .unwrap();
        // MySQL 8.0 Reference, "Mathematical Functions", the example with RAND(3).
        for (found, documented) in
            numbers.iter().zip([0.9057697559760601, 0.37307905813034536, 0.14808605345719125])
        {
            assert!((found - documented).abs() < 1e-12, "{found}");
        }
    }
}
