//! MySQL's types: how they are read, written, and what becomes of a value that is put into one.
//!
//! Facts: MySQL 8.0 Reference, chapter 11 "Data Types"; "Server SQL Modes" for what strict mode refuses.

use super::errors::{SqlError, unsupported};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use sqlparser::ast::{BinaryLength, CharacterLength, DataType, EnumMember, ExactNumberInfo};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    TinyInt,
    SmallInt,
    MediumInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal,
    Bit,
    Char,
    Varchar,
    TinyText,
    Text,
    MediumText,
    LongText,
    Binary,
    Varbinary,
    TinyBlob,
    Blob,
    MediumBlob,
    LongBlob,
    Date,
    Time,
    Datetime,
    Timestamp,
    Year,
    Json,
    Enum,
    /// The type of NULL.
    Null,
}

/// A type with its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Type {
    pub kind: Kind,
    /// Characters, bytes, digits, or the display width of a whole number.
    pub length: Option<u64>,
    /// Digits behind the point.
    pub scale: u32,
    pub unsigned: bool,
    /// The members of an ENUM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// The character set that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
}

impl Type {
    pub fn new(kind: Kind) -> Type {
        Type { kind, length: None, scale: 0, unsigned: false, members: Vec::new(), charset: None }
    }

    pub fn sized(kind: Kind, length: u64) -> Type {
        Type { length: Some(length), ..Type::new(kind) }
    }

    pub fn decimal(length: u64, scale: u32) -> Type {
        Type { length: Some(length), scale, ..Type::new(Kind::Decimal) }
    }

    /// As sqlparser read it.
    ///
    /// # Errors
    /// 1235 for types that MySQL has and the sandbox does not.
    pub fn read(found: &DataType) -> Result<Type, SqlError> {
        use DataType as D;
        let plain = |kind: Kind| Type::new(kind);
        let whole = |kind: Kind, width: &Option<u64>, unsigned: bool| {
            let _ = width;
            Type { unsigned, ..Type::new(kind) }
        };
        let text = |kind: Kind, length: &Option<CharacterLength>, default: Option<u64>| {
            let given = match length {
                Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
                _ => default,
            };
            Type { length: given, ..Type::new(kind) }
        };
        let exact = |info: &ExactNumberInfo, unsigned: bool| {
            let (length, scale) = match info {
                ExactNumberInfo::None => (10, 0),
                ExactNumberInfo::Precision(length) => (*length, 0),
                ExactNumberInfo::PrecisionAndScale(length, scale) => {
                    (*length, u32::try_from(*scale).unwrap_or(0))
                }
            };
            Type { unsigned, ..Type::decimal(length, scale) }
        };
        Ok(match found {
            D::TinyInt(Some(1)) => Type::sized(Kind::TinyInt, 1),
            D::Bool | D::Boolean => Type::sized(Kind::TinyInt, 1),
            D::TinyInt(width) => whole(Kind::TinyInt, width, false),
            D::TinyIntUnsigned(width) => whole(Kind::TinyInt, width, true),
            D::SmallInt(width) | D::Int2(width) => whole(Kind::SmallInt, width, false),
            D::SmallIntUnsigned(width) | D::Int2Unsigned(width) => whole(Kind::SmallInt, width, true),
            D::MediumInt(width) => whole(Kind::MediumInt, width, false),
            D::MediumIntUnsigned(width) => whole(Kind::MediumInt, width, true),
            D::Int(width) | D::Integer(width) | D::Int4(width) => whole(Kind::Int, width, false),
            D::IntUnsigned(width) | D::IntegerUnsigned(width) | D::Int4Unsigned(width) => {
                whole(Kind::Int, width, true)
            }
            D::BigInt(width) | D::Int8(width) => whole(Kind::BigInt, width, false),
            D::BigIntUnsigned(width) | D::Int8Unsigned(width) => whole(Kind::BigInt, width, true),
            D::Signed | D::SignedInteger => plain(Kind::BigInt),
            D::Unsigned | D::UnsignedInteger => Type { unsigned: true, ..plain(Kind::BigInt) },
            D::Float(ExactNumberInfo::Precision(25..)) => plain(Kind::Double),
            D::Float(_) | D::Float4 => plain(Kind::Float),
            D::FloatUnsigned(_) => Type { unsigned: true, ..plain(Kind::Float) },
            D::Double(_) | D::DoublePrecision | D::Real | D::Float8 => plain(Kind::Double),
            D::DoubleUnsigned(_) | D::DoublePrecisionUnsigned | D::RealUnsigned => {
                Type { unsigned: true, ..plain(Kind::Double) }
            }
            D::Decimal(info) | D::Dec(info) | D::Numeric(info) => exact(info, false),
            D::DecimalUnsigned(info) | D::DecUnsigned(info) => exact(info, true),
            D::Bit(length) => Type::sized(Kind::Bit, length.unwrap_or(1)),
            D::Char(length) | D::Character(length) => text(Kind::Char, length, Some(1)),
            D::Varchar(length)
            | D::CharVarying(length)
            | D::CharacterVarying(length)
            | D::Nvarchar(length) => text(Kind::Varchar, length, None),
            D::TinyText => plain(Kind::TinyText),
            D::Text => plain(Kind::Text),
            D::MediumText => plain(Kind::MediumText),
            D::LongText => plain(Kind::LongText),
            D::Binary(length) => Type::sized(Kind::Binary, length.unwrap_or(1)),
            D::Varbinary(Some(BinaryLength::IntegerLength { length })) => {
                Type::sized(Kind::Varbinary, *length)
            }
            D::TinyBlob => plain(Kind::TinyBlob),
            D::Blob(_) => plain(Kind::Blob),
            D::MediumBlob => plain(Kind::MediumBlob),
            D::LongBlob => plain(Kind::LongBlob),
            D::Date => plain(Kind::Date),
            D::Time(..) => plain(Kind::Time),
            D::Datetime(digits) => Type { length: *digits, ..plain(Kind::Datetime) },
            D::Timestamp(digits, _) => Type { length: *digits, ..plain(Kind::Timestamp) },
            D::JSON => plain(Kind::Json),
            D::Enum(members, _) => {
                let names = members.iter().map(|member| match member {
                    EnumMember::Name(name) | EnumMember::NamedValue(name, _) => name.clone(),
                });
                Type { members: names.collect(), ..plain(Kind::Enum) }
            }
            D::Custom(name, _) if name.to_string().eq_ignore_ascii_case("year") => plain(Kind::Year),
            other => return Err(unsupported(format!("the type {other}"))),
        })
    }

    pub fn is_whole(&self) -> bool {
        use Kind::*;
        matches!(self.kind, TinyInt | SmallInt | MediumInt | Int | BigInt | Bit | Year)
    }

    pub fn is_number(&self) -> bool {
        self.is_whole() || matches!(self.kind, Kind::Float | Kind::Double | Kind::Decimal)
    }

    pub fn is_text(&self) -> bool {
        use Kind::*;
        matches!(self.kind, Char | Varchar | TinyText | Text | MediumText | LongText | Enum | Json)
    }

    pub fn is_binary(&self) -> bool {
        use Kind::*;
        matches!(self.kind, Binary | Varbinary | TinyBlob | Blob | MediumBlob | LongBlob)
    }

    pub fn is_time(&self) -> bool {
        matches!(self.kind, Kind::Date | Kind::Time | Kind::Datetime | Kind::Timestamp)
    }

    /// Its name without limits, in lower case, as `information_schema.columns.data_type` has it.
    pub fn name(&self) -> &'static str {
        use Kind::*;
        match self.kind {
            TinyInt => "tinyint",
            SmallInt => "smallint",
            MediumInt => "mediumint",
            Int => "int",
            BigInt => "bigint",
            Float => "float",
            Double => "double",
            Decimal => "decimal",
            Bit => "bit",
            Char => "char",
            Varchar => "varchar",
            TinyText => "tinytext",
            Text => "text",
            MediumText => "mediumtext",
            LongText => "longtext",
            Binary => "binary",
            Varbinary => "varbinary",
            TinyBlob => "tinyblob",
            Blob => "blob",
            MediumBlob => "mediumblob",
            LongBlob => "longblob",
            Date => "date",
            Time => "time",
            Datetime => "datetime",
            Timestamp => "timestamp",
            Year => "year",
            Json => "json",
            Enum => "enum",
            Null => "null",
        }
    }

    /// The type that SQLite is told, for the affinity of its column.
    pub fn affinity(&self) -> &'static str {
        match self.kind {
            _ if self.is_whole() => "INTEGER",
            Kind::Float | Kind::Double => "REAL",
            Kind::Decimal => "NUMERIC",
            _ if self.is_binary() => "BLOB",
            _ => "TEXT COLLATE NOCASE",
        }
    }

    /// Characters or bytes that go in.
    pub fn capacity(&self) -> Option<u64> {
        match self.kind {
            Kind::TinyText | Kind::TinyBlob => Some(255),
            Kind::Text | Kind::Blob => Some(65_535),
            Kind::MediumText | Kind::MediumBlob => Some(16_777_215),
            Kind::Char | Kind::Varchar | Kind::Binary | Kind::Varbinary => self.length,
            _ => None,
        }
    }

    pub(super) fn range(&self) -> Option<(i128, i128)> {
        let bits = match self.kind {
            Kind::TinyInt => 8,
            Kind::SmallInt => 16,
            Kind::MediumInt => 24,
            Kind::Int => 32,
            Kind::BigInt => 64,
            Kind::Year => return Some((0, 2155)),
            Kind::Bit => return Some((0, (1 << self.length.unwrap_or(1).min(64)) - 1)),
            _ => return None,
        };
        // SQLite's numbers end at 64 bits with a sign.
        let most = if self.unsigned {
            ((1i128 << bits) - 1).min(i128::from(i64::MAX))
        } else {
            (1 << (bits - 1)) - 1
        };
        Some((if self.unsigned { 0 } else { -(1 << (bits - 1)) }, most))
    }
}

/// As SHOW and information_schema write it; since 8.0.19 without the width of whole numbers, but for `tinyint(1)`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match (self.kind, self.length) {
            (Kind::Decimal, length) => write!(f, "({},{})", length.unwrap_or(10), self.scale)?,
            (Kind::Enum, _) => {
                let names: Vec<String> = self.members.iter().map(|name| format!("'{name}'")).collect();
                write!(f, "({})", names.join(","))?;
            }
            (_, Some(length)) => write!(f, "({length})")?,
            _ => {}
        }
        if self.unsigned { f.write_str(" unsigned") } else { Ok(()) }
    }
}

/// The number at the beginning of a text, and whether all of it was that number.
pub(crate) fn leading_number(text: &str) -> (f64, bool) {
    let text = text.trim();
    let mut end = 0;
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if matches!(bytes.first(), Some(b'+' | b'-')) {
        end = 1;
    }
    let whole = digits(end);
    end += whole;
    let mut any = whole > 0;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if any || fraction > 0 {
            end += 1 + fraction;
            any = true;
        }
    }
    if !any {
        return (0.0, false);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    (text[..end].parse().unwrap_or(0.0), end == text.len())
}

/// A single-precision number, as the shortest decimal that means it.
pub(crate) fn single(number: f64) -> f64 {
    (number as f32).to_string().parse().unwrap_or(number)
}

pub(crate) fn round_half_away(number: f64) -> f64 {
    // What is a hair below the half because it is binary is meant to be the half.
    let nudged = number + number.signum() * number.abs() * f64::EPSILON;
    nudged.round()
}

/// A value as MySQL writes it.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => real(*number),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A floating-point number as MySQL writes it: the shortest that means it, with an exponent where it is long.
pub(crate) fn real(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".into()
    } else if (1e-15..1e15).contains(&size) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}
