//! Expressions.

use super::operators::{comparable, logical};
use super::{Translator, Typed, literal, merged};
use crate::database::errors::{SqlError, unsupported};
use crate::database::reader::parts_of;
use crate::database::types::{Kind, Type};
use rusqlite::types::Value as Bound;
use sqlparser::ast::{CaseWhen, CeilFloorKind, DateTimeField, Expr, Query, TrimWhereField, Value};

impl Translator<'_> {
    /// # Errors
    /// MySQL's for what does not exist or may not be read; 1235 for what is not here.
    pub fn expression(&mut self, found: &Expr) -> Result<Typed, SqlError> {
        let typed = self.translated(found)?;
        self.grown(typed)
    }

    fn translated(&mut self, found: &Expr) -> Result<Typed, SqlError> {
        let truth = |sql: String| Ok(Typed::new(sql, Kind::BigInt));
        match found {
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => {
                self.variable(&name.value)
            }
            Expr::Identifier(name) if name.quote_style == Some('"') => {
                Ok(Typed::of(literal(&name.value), Type::sized(Kind::Varchar, name.value.len() as u64)))
            }
            Expr::Identifier(name) => self.column(None, &name.value),
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [scope, name] if scope.value.starts_with("@@") => self.variable(&format!("@@{}", name.value)),
                [table, name] => self.column(Some(&table.value), &name.value),
                [_, table, name] => self.column(Some(&table.value), &name.value),
                _ => Err(unsupported(found)),
            },
            Expr::Nested(inner) => {
                let inner = self.expression(inner)?;
                Ok(Typed::of(format!("({})", inner.sql), inner.kind))
            }
            Expr::Value(value) => self.value(&value.value),
            Expr::IsNull(inner) => {
                let inner = self.expression(inner)?;
                truth(format!("(({}) IS NULL)", inner.sql))
            }
            Expr::IsNotNull(inner) => {
                let inner = self.expression(inner)?;
                truth(format!("(({}) IS NOT NULL)", inner.sql))
            }
            Expr::IsTrue(inner) => self.is(inner, "IS TRUE"),
            Expr::IsNotTrue(inner) => self.is(inner, "IS NOT TRUE"),
            Expr::IsFalse(inner) => self.is(inner, "IS FALSE"),
            Expr::IsNotFalse(inner) => self.is(inner, "IS NOT FALSE"),
            Expr::IsUnknown(inner) => self.is(inner, "IS NULL"),
            Expr::IsNotUnknown(inner) => self.is(inner, "IS NOT NULL"),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::InSubquery { expr, subquery, negated } => {
                let a = self.expression(expr)?;
                let inner = self.subquery(subquery)?;
                let not = if *negated { "NOT " } else { "" };
                let collation = if a.kind.is_text() { " COLLATE NOCASE" } else { "" };
                truth(format!("(({}){collation} {not}IN ({}))", a.sql, inner.0))
            }
            Expr::Exists { subquery, negated } => {
                let (sql, _) = self.subquery(subquery)?;
                truth(format!("({}EXISTS ({sql}))", if *negated { "NOT " } else { "" }))
            }
            Expr::Subquery(query) => {
                let (sql, kinds) = self.subquery(query)?;
                match kinds.as_slice() {
                    [kind] => Ok(Typed::of(format!("({sql})"), kind.clone())),
                    _ => Err(SqlError::new(1241, "Operand should contain 1 column(s)")),
                }
            }
            Expr::Between { expr, negated, low, high } => {
                let (a, low, high) = (self.expression(expr)?, self.expression(low)?, self.expression(high)?);
                let (left, least, collation) = comparable(&a, &low);
                let (again, most, other) = comparable(&a, &high);
                let not = if *negated { "NOT " } else { "" };
                truth(format!("({not}({left} >= {least}{collation} AND {again} <= {most}{other}))"))
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::Like { negated, expr, pattern, escape_char, any: false } => {
                self.like(expr, pattern, escape_char.as_deref(), *negated)
            }
            Expr::Cast { expr, data_type, .. } => {
                let inner = self.expression(expr)?;
                self.cast(&inner, &Type::read(data_type)?)
            }
            Expr::Convert { expr, data_type: Some(data_type), .. } => {
                let inner = self.expression(expr)?;
                self.cast(&inner, &Type::read(data_type)?)
            }
            // All texts are utf8mb4 here.
            Expr::Convert { expr, data_type: None, .. } => self.expression(expr),
            Expr::Collate { expr, collation } => {
                let inner = self.expression(expr)?;
                let name = collation.to_string().to_ascii_lowercase();
                let binary = name.ends_with("_bin") || name.ends_with("_cs") || name == "binary";
                let how = if binary { "BINARY" } else { "NOCASE" };
                // A binary collation makes the comparison one of bytes.
                let kind = if binary { Type::new(Kind::Varbinary) } else { inner.kind };
                Ok(Typed::of(format!("({} COLLATE {how})", inner.sql), kind))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Function(function) => self.function(function),
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.rounded("my_ceil", expr)
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                self.rounded("my_floor", expr)
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut parts = vec![self.expression(expr)?.sql];
                for part in [substring_from, substring_for].into_iter().flatten() {
                    parts.push(self.expression(part)?.sql);
                }
                Ok(Typed::new(format!("substr({})", parts.join(", ")), Kind::Varchar))
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "trim",
                };
                let inner = self.expression(expr)?.sql;
                let what = match trim_what {
                    Some(what) => self.expression(what)?.sql,
                    None => "' '".into(),
                };
                Ok(Typed::new(format!("{name}({inner}, {what})"), Kind::Varchar))
            }
            Expr::Position { expr, r#in } => {
                let (what, within) = (self.expression(expr)?, self.expression(r#in)?);
                truth(format!("instr(lower({}), lower({}))", within.sql, what.sql))
            }
            other => Err(unsupported(other)),
        }
    }

    fn is(&mut self, inner: &Expr, test: &str) -> Result<Typed, SqlError> {
        let inner = self.expression(inner)?;
        Ok(Typed::new(format!("(({}) {test})", logical(&inner)), Kind::BigInt))
    }

    fn rounded(&mut self, name: &str, inner: &Expr) -> Result<Typed, SqlError> {
        let inner = self.expression(inner)?;
        Ok(match inner.kind.is_whole() || inner.kind.kind == Kind::Decimal {
            true => Typed::new(format!("CAST({name}({}) AS INTEGER)", inner.sql), Kind::BigInt),
            false => Typed::new(format!("{name}({})", inner.sql), Kind::Double),
        })
    }

    fn value(&mut self, value: &Value) -> Result<Typed, SqlError> {
        let text =
            |text: &str| Typed::of(literal(text), Type::sized(Kind::Varchar, text.chars().count() as u64));
        Ok(match value {
            Value::Number(number, _) => match number.split_once('.') {
                _ if number.contains(['e', 'E']) => Typed::new(number.clone(), Kind::Double),
                Some((_, digits)) => {
                    let scale = u32::try_from(digits.len()).unwrap_or(30).min(30);
                    Typed::of(number.clone(), Type::decimal(65, scale))
                }
                None => Typed::new(number.clone(), Kind::BigInt),
            },
            Value::SingleQuotedString(found)
            | Value::DoubleQuotedString(found)
            | Value::EscapedStringLiteral(found)
            | Value::NationalStringLiteral(found) => text(found),
            Value::HexStringLiteral(hex) => {
                if hex.len() % 2 != 0 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(unsupported(format!("the literal x'{hex}'")));
                }
                Typed::new(format!("x'{hex}'"), Kind::Varbinary)
            }
            Value::Boolean(truth) => Typed::new(if *truth { "1" } else { "0" }, Kind::BigInt),
            Value::Null => Typed::new("NULL", Kind::Null),
            Value::Placeholder(name) => {
                let name = name.trim_start_matches([':', '@']);
                let found = self.parameters.get(name).cloned().ok_or_else(|| {
                    SqlError::new(
                        1210,
                        format!("Incorrect arguments to EXECUTE: there is no parameter {name}"),
                    )
                })?;
                let sql = self.bind(found.value);
                Typed::of(sql, found.kind)
            }
            other => return Err(unsupported(other)),
        })
    }

    /// `@@name`; what a user sets with `@name` ends with the connection and is not kept.
    fn variable(&mut self, name: &str) -> Result<Typed, SqlError> {
        let Some(system) = name.strip_prefix("@@") else { return Ok(Typed::new("NULL", Kind::Null)) };
        let system = system.to_ascii_lowercase();
        let system = system.trim_start_matches("global.").trim_start_matches("session.");
        match self.session.variable(system) {
            Some("ON") => Ok(Typed::new("1", Kind::BigInt)),
            Some("OFF") => Ok(Typed::new("0", Kind::BigInt)),
            Some(value) => {
                let value = value.to_string();
                Ok(match value.parse::<i64>() {
                    Ok(number) => Typed::new(number.to_string(), Kind::BigInt),
                    Err(_) => Typed::new(literal(&value), Kind::Varchar),
                })
            }
            None => Err(SqlError::new(1193, format!("Unknown system variable '{system}'"))),
        }
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> Result<Typed, SqlError> {
        let a = self.expression(expr)?;
        let mut tests = Vec::with_capacity(list.len());
        for one in list {
            let b = self.expression(one)?;
            let (left, right, collation) = comparable(&a, &b);
            tests.push(format!("{left} = {right}{collation}"));
        }
        let not = if negated { "NOT " } else { "" };
        Ok(Typed::new(format!("({not}({}))", tests.join(" OR ")), Kind::BigInt))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Result<Typed, SqlError> {
        let operand = operand.map(|operand| self.expression(operand)).transpose()?;
        let (mut sql, mut kind) = ("CASE".to_string(), Type::new(Kind::Null));
        for CaseWhen { condition, result } in conditions {
            let condition = self.expression(condition)?;
            let result = self.expression(result)?;
            let test = match &operand {
                Some(operand) => {
                    let (left, right, collation) = comparable(operand, &condition);
                    format!("{left} = {right}{collation}")
                }
                None => logical(&condition),
            };
            sql.push_str(&format!(" WHEN {test} THEN {}", result.sql));
            kind = merged(&kind, &result.kind);
        }
        if let Some(otherwise) = otherwise {
            let otherwise = self.expression(otherwise)?;
            sql.push_str(&format!(" ELSE {}", otherwise.sql));
            kind = merged(&kind, &otherwise.kind);
        }
        Ok(Typed::of(format!("({sql} END)"), kind))
    }

    pub(super) fn cast(&mut self, inner: &Typed, kind: &Type) -> Result<Typed, SqlError> {
        // A cast that does not fit warns, it does not fail.
        let described =
            serde_json::to_string(kind).map_err(|error| SqlError::new(1105, error.to_string()))?;
        Ok(Typed::of(format!("my_store({}, {}, '', 1, 0)", inner.sql, literal(&described)), kind.clone()))
    }

    /// A query within an expression, and the types of its columns.
    pub(super) fn subquery(&mut self, query: &Query) -> Result<(String, Vec<Type>), SqlError> {
        let clause = self.clause;
        let found = self.query(query)?;
        self.clause = clause;
        Ok((found.sql, found.columns.into_iter().map(|column| column.kind).collect()))
    }

    /// A number that must be known before the query runs, such as a LIMIT.
    pub(in crate::database) fn count(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Ok(number.clone())
                }
                Value::Placeholder(_) => {
                    let typed = self.value(&value.value)?;
                    match self.binds.last() {
                        Some(Bound::Integer(0..)) => Ok(typed.sql),
                        _ => Err(SqlError::new(1210, "Incorrect arguments to LIMIT")),
                    }
                }
                other => Err(crate::database::errors::syntax(&other.to_string(), 1)),
            },
            other => Err(crate::database::errors::syntax(&other.to_string(), 1)),
        }
    }

    /// The name of a function, in lower case, and the database before it.
    pub(super) fn function_name(
        name: &sqlparser::ast::ObjectName,
    ) -> Result<(Option<String>, String), SqlError> {
        match parts_of(name)?.as_slice() {
            [one] => Ok((None, one.value.clone())),
            [database, one] => Ok((Some(database.value.clone()), one.value.clone())),
            _ => Err(unsupported(name)),
        }
    }
}
