//! MySQL's own functions.

use super::operators::{exact, logical, modulo, numeric};
use super::{Translator, Typed, literal, merged};
use crate::database::catalog::quoted;
use crate::database::errors::{SqlError, unsupported};
use crate::database::moments;
use crate::database::session::Ask;
use crate::database::types::{Kind, Type};
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

/// The version of MySQL that Aurora MySQL 3 tells; which one, does not matter here.
const MYSQL: &str = "8.0.39";

impl Translator<'_> {
    pub(super) fn function(&mut self, function: &Function) -> Result<Typed, SqlError> {
        let (database, name) = Self::function_name(&function.name)?;
        if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
            return Err(unsupported(format!("a window of {name}")));
        }
        let lower = name.to_ascii_lowercase();
        if database.is_none() {
            if let Some(found) = self.aggregate(&lower, function)? {
                return Ok(found);
            }
            let arguments = arguments(function)?;
            if let Some(found) = self.builtin(&lower, &arguments)? {
                return Ok(found);
            }
        }
        let arguments = arguments(function)?;
        self.stored_function(database.as_deref(), &name, &arguments)
    }

    fn builtin(&mut self, name: &str, given: &[&Expr]) -> Result<Option<Typed>, SqlError> {
        let count = |least: usize, most: usize| {
            let wrong = || {
                SqlError::new(
                    1582,
                    format!("Incorrect parameter count in the call to native function '{name}'"),
                )
            };
            if (least..=most).contains(&given.len()) { Ok(()) } else { Err(wrong()) }
        };
        let many = usize::MAX;
        let limits = match name {
            "if" => (3, 3),
            "concat" | "coalesce" => (1, many),
            "concat_ws" | "greatest" | "least" => (2, many),
            "ifnull" | "nullif" | "mod" | "pow" | "power" | "left" | "right" | "instr" | "repeat" | "div" => {
                (2, 2)
            }
            "locate" => (2, 3),
            "replace" => (3, 3),
            "round" | "log" | "sha2" => (1, 2),
            "truncate" => (2, 2),
            "substring" | "substr" | "mid" => (2, 3),
            "rand" | "now" | "current_timestamp" | "sysdate" | "localtimestamp" | "unix_timestamp" => (0, 1),
            "isnull" | "crc32" | "md5" | "hex" | "abs" | "sign" | "ceil" | "ceiling" | "floor" | "sqrt"
            | "exp" | "ln" | "log2" | "log10" | "length" | "octet_length" | "char_length"
            | "character_length" | "upper" | "ucase" | "lower" | "lcase" | "trim" | "ltrim" | "rtrim"
            | "reverse" | "date" | "year" | "month" | "day" | "dayofmonth" | "hour" | "minute" | "second"
            | "ascii" | "json_valid" | "sleep" | "not" => (1, 1),
            "version" | "aurora_version" | "database" | "schema" | "user" | "current_user"
            | "session_user" | "system_user" | "current_role" | "connection_id" | "curdate"
            | "current_date" | "curtime" | "current_time" | "utc_timestamp" | "pi" | "row_count"
            | "last_insert_id" | "found_rows" => (0, 0),
            "aws_comprehend_detect_sentiment" | "aws_comprehend_detect_sentiment_confidence" => (2, 3),
            _ => return Ok(None),
        };
        count(limits.0, limits.1)?;
        let mut typed = Vec::with_capacity(given.len());
        for one in given {
            typed.push(self.expression(one)?);
        }
        self.called(name, &typed).map(Some)
    }

    fn called(&mut self, name: &str, given: &[Typed]) -> Result<Typed, SqlError> {
        let all =
            |separator: &str| given.iter().map(|one| one.sql.as_str()).collect::<Vec<_>>().join(separator);
        let text = |sql: String| Typed::new(sql, Kind::Varchar);
        let whole = |sql: String| Typed::new(sql, Kind::BigInt);
        let double = |sql: String| Typed::new(sql, Kind::Double);
        let part = |format: &str| {
            Typed::new(format!("CAST(strftime('{format}', {}) AS INTEGER)", given[0].sql), Kind::BigInt)
        };
        Ok(match name {
            "if" => {
                let kind = merged(&given[1].kind, &given[2].kind);
                let sql = format!(
                    "(CASE WHEN {} THEN {} ELSE {} END)",
                    logical(&given[0]),
                    given[1].sql,
                    given[2].sql
                );
                Typed::of(sql, kind)
            }
            "coalesce" | "ifnull" | "greatest" | "least" => {
                let kind = given.iter().fold(Type::new(Kind::Null), |kind, one| merged(&kind, &one.kind));
                let inner = match name {
                    "greatest" => format!("max({})", all(", ")),
                    "least" => format!("min({})", all(", ")),
                    _ if given.len() == 1 => all(""),
                    _ => format!("coalesce({})", all(", ")),
                };
                Typed::of(inner, kind)
            }
            "nullif" => Typed::of(format!("nullif({})", all(", ")), given[0].kind.clone()),
            "concat" => text(format!("my_concat({})", all(", "))),
            "concat_ws" => text(format!("my_concat_ws({})", all(", "))),
            "mod" => modulo(&given[0], &given[1]),
            "pow" | "power" => double(format!("my_pow({})", all(", "))),
            "round" | "truncate" => self.rounded_to(name, given),
            "abs" => {
                let kind =
                    if given[0].kind.is_number() { given[0].kind.clone() } else { Type::new(Kind::Double) };
                Typed::of(format!("abs({})", numeric(&given[0])), kind)
            }
            "sign" => whole(format!("sign({})", numeric(&given[0]))),
            "ceil" | "ceiling" | "floor" => {
                let call = if name == "floor" { "my_floor" } else { "my_ceil" };
                match exact(&given[0]) {
                    true => whole(format!("CAST({call}({}) AS INTEGER)", given[0].sql)),
                    false => double(format!("{call}({})", given[0].sql)),
                }
            }
            "sqrt" | "exp" | "ln" | "log2" | "log10" => double(format!("my_{name}({})", given[0].sql)),
            "log" => match given {
                [one] => double(format!("my_ln({})", one.sql)),
                [base, one, ..] => double(format!("(my_ln({}) / my_ln({}))", one.sql, base.sql)),
                [] => return Err(unsupported(name)),
            },
            "pi" => double("3.141592653589793".into()),
            "rand" => match given.first() {
                Some(seed) => double(format!("my_rand({})", seed.sql)),
                None => {
                    self.session.seed =
                        self.session.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    double(format!("my_rand({})", self.session.seed >> 33))
                }
            },
            "crc32" => whole(format!("my_crc32({})", given[0].sql)),
            "md5" => text(format!("my_md5({})", given[0].sql)),
            "sha2" if given.len() == 1 || matches!(given[1].sql.as_str(), "256" | "0") => {
                text(format!("my_sha2({})", given[0].sql))
            }
            "hex" if given[0].kind.is_whole() => text(format!("printf('%X', {})", given[0].sql)),
            "hex" => text(format!("hex({})", given[0].sql)),
            "isnull" => whole(format!("(({}) IS NULL)", given[0].sql)),
            "length" | "octet_length" => whole(format!("my_bytes({})", given[0].sql)),
            "char_length" | "character_length" => whole(format!("length(CAST({} AS TEXT))", given[0].sql)),
            "upper" | "ucase" => text(format!("upper({})", given[0].sql)),
            "lower" | "lcase" => text(format!("lower({})", given[0].sql)),
            "trim" | "ltrim" | "rtrim" => text(format!("{name}({})", given[0].sql)),
            "replace" => text(format!("replace({})", all(", "))),
            "substring" | "substr" | "mid" => text(format!("substr({})", all(", "))),
            "left" => text(format!("substr({}, 1, max({}, 0))", given[0].sql, given[1].sql)),
            "right" => text(format!(
                "(CASE WHEN {1} <= 0 THEN '' ELSE substr({0}, -min({1}, length({0}))) END)",
                given[0].sql, given[1].sql
            )),
            "instr" => whole(format!("instr(lower({}), lower({}))", given[0].sql, given[1].sql)),
            "locate" if given.len() == 2 => {
                whole(format!("instr(lower({}), lower({}))", given[1].sql, given[0].sql))
            }
            "json_valid" => whole(format!("json_valid({})", given[0].sql)),
            "now" | "current_timestamp" | "sysdate" | "localtimestamp" | "utc_timestamp" => {
                Typed::new(literal(&moments::datetime(self.session.now)), Kind::Datetime)
            }
            "curdate" | "current_date" => Typed::new(literal(&moments::date(self.session.now)), Kind::Date),
            "curtime" | "current_time" => Typed::new(literal(&moments::time(self.session.now)), Kind::Time),
            "unix_timestamp" => match given.first() {
                None => whole((self.session.now / 1_000).to_string()),
                Some(one) => whole(format!("CAST(strftime('%s', {}) AS INTEGER)", one.sql)),
            },
            "date" => Typed::new(format!("date({})", given[0].sql), Kind::Date),
            "year" => part("%Y"),
            "month" => part("%m"),
            "day" | "dayofmonth" => part("%d"),
            "hour" => part("%H"),
            "minute" => part("%M"),
            "second" => part("%S"),
            "version" => text(literal(MYSQL)),
            "aurora_version" => text(literal(self.session.variable("aurora_version").unwrap_or_default())),
            "database" | "schema" => match &self.session.database {
                Some(name) => text(literal(name)),
                None => Typed::new("NULL", Kind::Varchar),
            },
            // The Data API's own machines connect for the user; their addresses are not known here.
            "user" | "session_user" | "system_user" => {
                text(literal(&format!("{}@rdsdataapi", self.session.user)))
            }
            "current_user" => text(literal(&self.session.account())),
            "current_role" => {
                let roles: Vec<String> = self.session.roles.iter().map(|role| quoted(role)).collect();
                text(literal(&if roles.is_empty() { "NONE".to_string() } else { roles.join(",") }))
            }
            "connection_id" => whole("1".into()),
            "row_count" | "found_rows" | "last_insert_id" => whole("0".into()),
            "not" => whole(format!("(NOT ({}))", logical(&given[0]))),
            "aws_comprehend_detect_sentiment" | "aws_comprehend_detect_sentiment_confidence" => {
                self.sentiment(name.ends_with("confidence"), given)?
            }
            _ => return Err(unsupported(format!("the function {name} with these arguments"))),
        })
    }

    fn rounded_to(&mut self, name: &str, given: &[Typed]) -> Typed {
        let digits = given.get(1).map_or("0", |digits| digits.sql.as_str());
        let kind = match &given[0].kind {
            kind if kind.is_whole() => Type::new(Kind::BigInt),
            kind if kind.kind == Kind::Decimal => {
                let wanted = digits.parse::<u32>().unwrap_or(0);
                Type::decimal(65, wanted.min(kind.scale))
            }
            _ => Type::new(Kind::Double),
        };
        Typed::of(format!("my_{name}({}, {digits})", numeric(&given[0])), kind)
    }

    /// Aurora User Guide, "Using Amazon Comprehend with your Aurora MySQL DB cluster".
    fn sentiment(&mut self, confidence: bool, given: &[Typed]) -> Result<Typed, SqlError> {
        crate::database::privileges::feature(self.catalog, &self.session, "AWS_COMPREHEND_ACCESS")?;
        let ask = self.ask(if confidence { Ask::Confidence } else { Ask::Sentiment });
        if let Some(batch) = given.get(2)
            && batch.sql.parse::<u64>().is_ok_and(|batch| batch == 0)
        {
            return Err(SqlError::new(1210, "Incorrect arguments to max_batch_size"));
        }
        let sql = format!("{ask}({}, {})", given[0].sql, given[1].sql);
        Ok(if confidence { Typed::new(sql, Kind::Double) } else { Typed::new(sql, Kind::Varchar) })
    }
}

/// The arguments of a call, each an expression.
pub(super) fn arguments(function: &Function) -> Result<Vec<&Expr>, SqlError> {
    match &function.args {
        FunctionArguments::None => Ok(Vec::new()),
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => {
            list.args
                .iter()
                .map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
                    other => Err(unsupported(other)),
                })
                .collect()
        }
        _ => Err(unsupported(function)),
    }
}
