//! Functions of many rows.

use super::operators::numeric;
use super::{Translator, Typed, literal};
use crate::database::errors::{SqlError, unsupported};
use crate::database::types::{Kind, Type};
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, OrderBySort, Value,
};

impl Translator<'_> {
    /// The function, if it is one of many rows.
    pub(super) fn aggregate(&mut self, name: &str, function: &Function) -> Result<Option<Typed>, SqlError> {
        let known = [
            "count",
            "sum",
            "avg",
            "min",
            "max",
            "group_concat",
            "std",
            "stddev",
            "stddev_pop",
            "stddev_samp",
            "variance",
            "var_pop",
            "var_samp",
        ];
        if !known.contains(&name) {
            return Ok(None);
        }
        let FunctionArguments::List(list) = &function.args else { return Err(unsupported(function)) };
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let word = if distinct { "DISTINCT " } else { "" };
        if let ("count", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) = (name, list.args.as_slice()) {
            return Ok(Some(Typed::new("count(*)", Kind::BigInt)));
        }
        let mut given = Vec::new();
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => given.push(self.expression(expr)?),
                other => return Err(unsupported(other)),
            }
        }
        if name == "group_concat" {
            return self.concatenated(&given, &list.clauses, distinct).map(Some);
        }
        let [one] = given.as_slice() else { return Err(unsupported(function)) };
        let decimals = |more: u32| match one.kind.kind {
            Kind::Decimal => Type::decimal(65, (one.kind.scale + more).min(30)),
            _ if one.kind.is_whole() => Type::decimal(65, more),
            _ => Type::new(Kind::Double),
        };
        Ok(Some(match name {
            "count" => Typed::new(format!("count({word}{})", one.sql), Kind::BigInt),
            "sum" => Typed::of(format!("sum({word}{})", numeric(one)), decimals(0)),
            "avg" => Typed::of(format!("avg({word}{})", numeric(one)), decimals(4)),
            "min" | "max" => Typed::of(format!("{name}({})", one.sql), one.kind.clone()),
            "stddev_samp" => Typed::new(format!("my_stddev_samp({word}{})", one.sql), Kind::Double),
            "var_samp" => Typed::new(format!("my_var_samp({word}{})", one.sql), Kind::Double),
            "variance" | "var_pop" => Typed::new(format!("my_variance({word}{})", one.sql), Kind::Double),
            _ => Typed::new(format!("my_stddev({word}{})", one.sql), Kind::Double),
        }))
    }

    fn concatenated(
        &mut self,
        given: &[Typed],
        clauses: &[FunctionArgumentClause],
        distinct: bool,
    ) -> Result<Typed, SqlError> {
        let (mut separator, mut order) = (",".to_string(), String::new());
        for clause in clauses {
            match clause {
                FunctionArgumentClause::Separator(value) => match &value.value {
                    Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                        separator = text.clone()
                    }
                    other => return Err(unsupported(other)),
                },
                FunctionArgumentClause::OrderBy(by) => {
                    let mut parts = Vec::new();
                    for one in by {
                        let expr: &Expr = &one.expr;
                        let down = if one.options.sort == Some(OrderBySort::Desc) { " DESC" } else { "" };
                        parts.push(format!("{}{down}", self.expression(expr)?.sql));
                    }
                    order = format!(" ORDER BY {}", parts.join(", "));
                }
                other => return Err(unsupported(other)),
            }
        }
        let one = match given {
            [one] => one.sql.clone(),
            many => {
                let parts: Vec<&str> = many.iter().map(|one| one.sql.as_str()).collect();
                format!("my_concat({})", parts.join(", "))
            }
        };
        // SQLite has no separator of its own where values are distinct.
        if distinct {
            if separator != "," {
                return Err(unsupported("GROUP_CONCAT(DISTINCT … SEPARATOR …)"));
            }
            return Ok(Typed::new(format!("group_concat(DISTINCT {one}{order})"), Kind::Text));
        }
        Ok(Typed::new(format!("group_concat({one}, {}{order})", literal(&separator)), Kind::Text))
    }
}
