//! Operators: MySQL compares texts without regard to case, and a text with a number as numbers.

use super::{Translator, Typed};
use crate::database::errors::{SqlError, unsupported};
use crate::database::types::{Kind, Type};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

/// Two sides as they are compared, and the collation that goes behind.
pub(super) fn comparable(a: &Typed, b: &Typed) -> (String, String, &'static str) {
    let number = |typed: &Typed| format!("my_number({})", typed.sql);
    let plain = |typed: &Typed| format!("({})", typed.sql);
    let (texts, numbers) = ((a.kind.is_text(), b.kind.is_text()), (a.kind.is_number(), b.kind.is_number()));
    match (texts, numbers) {
        ((true, _), (_, true)) => (number(a), plain(b), ""),
        ((_, true), (true, _)) => (plain(a), number(b), ""),
        ((true, true), _) | ((true, false), _) | ((false, true), _) => {
            (plain(a), plain(b), " COLLATE NOCASE")
        }
        _ => (plain(a), plain(b), ""),
    }
}

impl Translator<'_> {
    pub(super) fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Result<Typed, SqlError> {
        use BinaryOperator as B;
        // MySQL's VALUES and row comparisons are not here.
        let a = self.expression(left)?;
        let b = self.expression(right)?;
        let truth = |sql: String| Typed::new(sql, Kind::BigInt);
        let whole = |sign: &str| truth(format!("(({}) {sign} ({}))", a.sql, b.sql));
        let compared = |sign: &str| {
            let (left, right, collation) = comparable(&a, &b);
            truth(format!("({left} {sign} {right}{collation})"))
        };
        Ok(match op {
            B::Eq => compared("="),
            B::NotEq => compared("<>"),
            B::Lt => compared("<"),
            B::LtEq => compared("<="),
            B::Gt => compared(">"),
            B::GtEq => compared(">="),
            B::Spaceship => compared("IS"),
            B::And => truth(format!("(({}) AND ({}))", logical(&a), logical(&b))),
            // `||` is OR unless sql_mode says PIPES_AS_CONCAT.
            B::Or | B::StringConcat => truth(format!("(({}) OR ({}))", logical(&a), logical(&b))),
            B::Xor => truth(format!("((NOT ({})) <> (NOT ({})))", logical(&a), logical(&b))),
            B::BitwiseAnd => whole("&"),
            B::BitwiseOr => whole("|"),
            B::BitwiseXor => truth(format!("((({0}) | ({1})) - (({0}) & ({1})))", a.sql, b.sql)),
            B::PGBitwiseShiftLeft => whole("<<"),
            B::PGBitwiseShiftRight => whole(">>"),
            B::Plus => arithmetic("+", &a, &b),
            B::Minus => arithmetic("-", &a, &b),
            B::Multiply => arithmetic("*", &a, &b),
            B::Divide => {
                let kind = match exact(&a) && exact(&b) {
                    true => Type::decimal(65, a.kind.scale + 4),
                    false => Type::new(Kind::Double),
                };
                Typed::of(format!("(CAST({} AS REAL) / {})", numeric(&a), numeric(&b)), kind)
            }
            B::MyIntegerDivide => truth(format!(
                "CAST(my_truncate(CAST({} AS REAL) / {}, 0) AS INTEGER)",
                numeric(&a),
                numeric(&b)
            )),
            B::Modulo => modulo(&a, &b),
            other => return Err(unsupported(format!("the operator {other}"))),
        })
    }

    pub(super) fn unary(&mut self, op: &UnaryOperator, inner: &Expr) -> Result<Typed, SqlError> {
        let inner = self.expression(inner)?;
        Ok(match op {
            UnaryOperator::Plus => inner,
            UnaryOperator::Minus => {
                let kind = if inner.kind.is_number() { inner.kind.clone() } else { Type::new(Kind::Double) };
                Typed::of(format!("(-{})", numeric(&inner)), kind)
            }
            UnaryOperator::Not | UnaryOperator::BangNot => {
                Typed::new(format!("(NOT ({}))", logical(&inner)), Kind::BigInt)
            }
            UnaryOperator::BitwiseNot => Typed::new(format!("(~({}))", inner.sql), Kind::BigInt),
            other => return Err(unsupported(format!("the operator {other}"))),
        })
    }

    /// `a LIKE b ESCAPE c`
    pub(super) fn like(
        &mut self,
        a: &Expr,
        b: &Expr,
        escape: Option<&Expr>,
        not: bool,
    ) -> Result<Typed, SqlError> {
        let (a, b) = (self.expression(a)?, self.expression(b)?);
        let escape = match escape {
            Some(escape) => self.expression(escape)?.sql,
            None => "'\\'".into(),
        };
        let not = if not { "NOT " } else { "" };
        Ok(Typed::new(format!("({not}my_like({}, {}, {escape}))", a.sql, b.sql), Kind::BigInt))
    }
}

/// As a condition: a text is the number at its beginning.
pub(super) fn logical(typed: &Typed) -> String {
    if typed.kind.is_text() { format!("my_number({})", typed.sql) } else { typed.sql.clone() }
}

pub(super) fn numeric(typed: &Typed) -> String {
    if typed.kind.is_number() || typed.kind.kind == Kind::Null {
        format!("({})", typed.sql)
    } else {
        format!("my_number({})", typed.sql)
    }
}

pub(super) fn exact(typed: &Typed) -> bool {
    typed.kind.is_whole() || matches!(typed.kind.kind, Kind::Decimal | Kind::Null)
}

fn arithmetic(sign: &str, a: &Typed, b: &Typed) -> Typed {
    let sql = format!("({} {sign} {})", numeric(a), numeric(b));
    if !exact(a) || !exact(b) {
        return Typed::new(sql, Kind::Double);
    }
    if a.kind.kind != Kind::Decimal && b.kind.kind != Kind::Decimal {
        return Typed::new(sql, Kind::BigInt);
    }
    let scale = if sign == "*" { a.kind.scale + b.kind.scale } else { a.kind.scale.max(b.kind.scale) };
    Typed::of(sql, Type::decimal(65, scale.min(30)))
}

pub(super) fn modulo(a: &Typed, b: &Typed) -> Typed {
    let kind = match (exact(a) && exact(b), a.kind.kind == Kind::Decimal || b.kind.kind == Kind::Decimal) {
        (true, false) => Type::new(Kind::BigInt),
        (true, true) => Type::decimal(65, a.kind.scale.max(b.kind.scale)),
        _ => Type::new(Kind::Double),
    };
    Typed::of(format!("my_mod({}, {})", numeric(a), numeric(b)), kind)
}
