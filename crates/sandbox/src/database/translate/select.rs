//! Queries.

use super::{Frame, Output, Query, Source, Translator, Typed, is_system, quote};
use crate::database::errors::{SqlError, no_database, unsupported};
use crate::database::reader::two;
use crate::database::types::Type;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, OrderByExpr, OrderByKind,
    OrderBySort, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    TableFactor, TableWithJoins, Value,
};
use std::collections::BTreeSet;

impl Translator<'_> {
    /// # Errors
    /// MySQL's for what does not exist or may not be read; 1235 for what is not here.
    pub fn query(&mut self, query: &sqlparser::ast::Query) -> Result<Query, SqlError> {
        if query.fetch.is_some() || query.for_clause.is_some() || !query.pipe_operators.is_empty() {
            return Err(unsupported(query));
        }
        let named = self.named.len();
        let mut with = String::new();
        if let Some(clause) = &query.with {
            let mut parts = Vec::new();
            for cte in &clause.cte_tables {
                let mut inner = self.query(&cte.query)?;
                for (column, name) in inner.columns.iter_mut().zip(&cte.alias.columns) {
                    column.label = name.name.value.clone();
                }
                let labels: Vec<String> = inner.columns.iter().map(|column| quote(&column.label)).collect();
                let name = cte.alias.name.value.clone();
                parts.push(format!("{} ({}) AS ({})", quote(&name), labels.join(", "), inner.sql));
                self.named.push((name, inner.columns));
            }
            if clause.recursive {
                return Err(unsupported("WITH RECURSIVE"));
            }
            with = format!("WITH {} ", parts.join(", "));
        }
        self.frames.push(Frame::default());
        let found = self.body(&query.body, query);
        self.frames.pop();
        self.named.truncate(named);
        let mut found = found?;
        found.sql = format!("{with}{}", found.sql);
        Ok(found)
    }

    fn body(&mut self, body: &SetExpr, query: &sqlparser::ast::Query) -> Result<Query, SqlError> {
        let mut found = self.set(body)?;
        if let Some(order) = &query.order_by {
            let OrderByKind::Expressions(by) = &order.kind else { return Err(unsupported(order)) };
            found.sql.push_str(&self.ordered(by)?);
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                if let Some(limit) = limit {
                    found.sql.push_str(&format!(" LIMIT {}", self.count(limit)?));
                }
                if let Some(offset) = offset {
                    found.sql.push_str(&format!(" OFFSET {}", self.count(&offset.value)?));
                }
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                found.sql.push_str(&format!(" LIMIT {} OFFSET {}", self.count(limit)?, self.count(offset)?));
            }
            Some(other) => return Err(unsupported(other)),
        }
        Ok(found)
    }

    pub(in crate::database) fn ordered(&mut self, by: &[OrderByExpr]) -> Result<String, SqlError> {
        self.clause = "order clause";
        let mut parts = Vec::with_capacity(by.len());
        for one in by {
            let down = if one.options.sort == Some(OrderBySort::Desc) { " DESC" } else { "" };
            parts.push(format!("{}{down}", self.labelled(&one.expr, true)?));
        }
        Ok(format!(" ORDER BY {}", parts.join(", ")))
    }

    /// An expression that may be the name of a column of the result, or its number.
    fn labelled(&mut self, expr: &Expr, position: bool) -> Result<String, SqlError> {
        if let Expr::Value(value) = expr
            && let Value::Number(number, _) = &value.value
        {
            return Ok(number.clone());
        }
        if let Expr::Identifier(name) = expr
            && let Some(frame) = self.frames.last()
            && let Some(at) =
                frame.labels.iter().position(|(label, _)| label.eq_ignore_ascii_case(&name.value))
        {
            return Ok(if position { (at + 1).to_string() } else { format!("({})", frame.labels[at].1.sql) });
        }
        let typed = self.expression(expr)?;
        Ok(if typed.kind.is_text() {
            format!("({}) COLLATE NOCASE", typed.sql)
        } else {
            format!("({})", typed.sql)
        })
    }

    fn set(&mut self, body: &SetExpr) -> Result<Query, SqlError> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => {
                let inner = self.query(query)?;
                Ok(Query { sql: format!("SELECT * FROM ({})", inner.sql), columns: inner.columns })
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let word = match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
                    (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
                    (SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
                    (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
                    _ => return Err(unsupported(op)),
                };
                let left = self.set(left)?;
                let frame = self.frames.pop().unwrap_or_default();
                self.frames.push(Frame::default());
                let right = self.set(right);
                self.frames.pop();
                self.frames.push(Frame { sources: Vec::new(), ..frame });
                let right = right?;
                if left.columns.len() != right.columns.len() {
                    let text = "The used SELECT statements have a different number of columns";
                    return Err(SqlError { state: "21000".into(), ..SqlError::new(1222, text) });
                }
                let columns = left
                    .columns
                    .into_iter()
                    .zip(right.columns)
                    .map(|(a, b)| Output { kind: super::merged(&a.kind, &b.kind), ..a })
                    .collect();
                Ok(Query { sql: format!("{} {word} {}", left.sql, right.sql), columns })
            }
            SetExpr::Values(values) => {
                let (mut rows, mut kinds): (Vec<String>, Vec<Type>) = (Vec::new(), Vec::new());
                for row in &values.rows {
                    let mut cells = Vec::new();
                    for (at, cell) in row.content.iter().enumerate() {
                        let typed = self.expression(cell)?;
                        match kinds.get_mut(at) {
                            Some(kind) => *kind = super::merged(kind, &typed.kind),
                            None => kinds.push(typed.kind.clone()),
                        }
                        cells.push(typed.sql);
                    }
                    rows.push(format!("({})", cells.join(", ")));
                }
                let columns = kinds
                    .into_iter()
                    .enumerate()
                    .map(|(at, kind)| Output::plain(&format!("column_{at}"), kind));
                Ok(Query { sql: format!("VALUES {}", rows.join(", ")), columns: columns.collect() })
            }
            other => Err(unsupported(other)),
        }
    }

    fn select(&mut self, select: &Select) -> Result<Query, SqlError> {
        let odd = select.top.is_some()
            || select.into.is_some()
            || select.prewhere.is_some()
            || select.qualify.is_some()
            || !select.lateral_views.is_empty()
            || !select.connect_by.is_empty()
            || !select.named_window.is_empty();
        if odd {
            return Err(unsupported(select));
        }
        let from = self.from(&select.from)?;
        self.clause = "field list";
        let (mut items, mut columns) = (Vec::new(), Vec::new());
        for item in &select.projection {
            for (typed, column) in self.item(item)? {
                items.push(format!("{} AS {}", typed.sql, quote(&column.label)));
                if let Some(frame) = self.frames.last_mut() {
                    frame.labels.push((column.label.clone(), typed));
                }
                columns.push(column);
            }
        }
        let mut sql = String::from("SELECT ");
        match &select.distinct {
            Some(Distinct::Distinct) => sql.push_str("DISTINCT "),
            None | Some(Distinct::All) => {}
            Some(other) => return Err(unsupported(other)),
        }
        sql.push_str(&items.join(", "));
        if !from.is_empty() {
            sql.push_str(&format!(" FROM {from}"));
        }
        if let Some(condition) = &select.selection {
            self.clause = "where clause";
            let condition = self.expression(condition)?;
            sql.push_str(&format!(" WHERE {}", super::operators::logical(&condition)));
        }
        match &select.group_by {
            GroupByExpr::Expressions(by, with) if with.is_empty() => {
                self.clause = "group statement";
                let mut parts = Vec::new();
                for one in by {
                    parts.push(self.labelled(one, false)?);
                }
                if !parts.is_empty() {
                    sql.push_str(&format!(" GROUP BY {}", parts.join(", ")));
                }
            }
            other => return Err(unsupported(other)),
        }
        if let Some(having) = &select.having {
            self.clause = "having clause";
            // Names of the result come before those of the tables.
            let labels: Vec<(String, Typed)> =
                self.frames.last().map(|frame| frame.labels.clone()).unwrap_or_default();
            let known =
                labels.into_iter().map(|(label, typed)| (label.to_ascii_lowercase(), typed)).collect();
            self.locals.push(known);
            let condition = self.expression(having);
            self.locals.pop();
            sql.push_str(&format!(" HAVING {}", super::operators::logical(&condition?)));
        }
        Ok(Query { sql, columns })
    }

    fn item(&mut self, item: &SelectItem) -> Result<Vec<(Typed, Output)>, SqlError> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let typed = self.expression(expr)?;
                let (name, label) = match expr {
                    Expr::Identifier(name) => (name.value.clone(), name.value.clone()),
                    Expr::CompoundIdentifier(names) => {
                        let last = names.last().map(|name| name.value.clone()).unwrap_or_default();
                        (last.clone(), last)
                    }
                    // The column of a text is called by the text.
                    Expr::Value(value) => match &value.value {
                        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                            (text.clone(), text.clone())
                        }
                        Value::Placeholder(_) => ("?".into(), "?".into()),
                        other => (other.to_string(), other.to_string()),
                    },
                    other => (other.to_string(), other.to_string()),
                };
                let column = self.described(expr, &name, label, &typed);
                Ok(vec![(typed, column)])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let typed = self.expression(expr)?;
                let column = self.described(expr, &alias.value, alias.value.clone(), &typed);
                Ok(vec![(typed, column)])
            }
            SelectItem::Wildcard(_) => {
                let sources = self.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
                if sources.is_empty() {
                    return Err(SqlError { state: "HY000".into(), ..SqlError::new(1096, "No tables used") });
                }
                Ok(sources.iter().flat_map(|source| all_of(source, true)).collect())
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let (_, table) = two(name)?;
                let source = self
                    .frames
                    .last()
                    .and_then(|frame| {
                        frame.sources.iter().find(|source| source.alias.eq_ignore_ascii_case(&table))
                    })
                    .ok_or_else(|| SqlError {
                        state: "42S02".into(),
                        ..SqlError::new(1051, format!("Unknown table '{table}'"))
                    })?;
                Ok(all_of(source, false))
            }
            other => Err(unsupported(other)),
        }
    }

    fn described(&self, expr: &Expr, name: &str, label: String, typed: &Typed) -> Output {
        let column = match expr {
            Expr::Identifier(name) => Some((None, name.value.as_str())),
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [.., table, name] => Some((Some(table.value.as_str()), name.value.as_str())),
                _ => None,
            },
            _ => None,
        };
        let found = column.and_then(|(table, name)| {
            let sources = self.frames.last()?.sources.iter();
            sources
                .filter(|source| table.is_none_or(|table| source.alias.eq_ignore_ascii_case(table)))
                .find_map(|source| {
                    source.columns.iter().find(|column| column.label.eq_ignore_ascii_case(name))
                })
        });
        match found {
            Some(column) => Output { label, ..column.clone() },
            None => Output { name: name.to_string(), ..Output::plain(&label, typed.kind.clone()) },
        }
    }

    fn from(&mut self, from: &[TableWithJoins]) -> Result<String, SqlError> {
        let mut sql = Vec::new();
        for TableWithJoins { relation, joins } in from {
            let mut one = self.relation(relation)?;
            for Join { relation, join_operator, .. } in joins {
                use JoinOperator as J;
                let (word, constraint) = match join_operator {
                    J::Join(on) | J::Inner(on) | J::StraightJoin(on) => ("JOIN", on),
                    J::CrossJoin(on) => ("JOIN", on),
                    J::Left(on) | J::LeftOuter(on) => ("LEFT JOIN", on),
                    J::Right(on) | J::RightOuter(on) => ("RIGHT JOIN", on),
                    other => return Err(unsupported(format!("{other:?}"))),
                };
                let right = self.relation(relation)?;
                let on = match constraint {
                    JoinConstraint::None => String::new(),
                    JoinConstraint::On(condition) => {
                        self.clause = "on clause";
                        format!(" ON {}", super::operators::logical(&self.expression(condition)?))
                    }
                    JoinConstraint::Using(names) => {
                        let mut parts = Vec::new();
                        for name in names {
                            parts.push(self.joined(&two(name)?.1)?);
                        }
                        format!(" ON {}", parts.join(" AND "))
                    }
                    JoinConstraint::Natural => return Err(unsupported("NATURAL JOIN")),
                };
                one = format!("{one} {word} {right}{on}");
            }
            sql.push(one);
        }
        Ok(sql.join(", "))
    }

    /// A column that the newest source shares with one before it.
    fn joined(&mut self, name: &str) -> Result<String, SqlError> {
        self.clause = "from clause";
        let newest = self.frames.last_mut().and_then(|frame| frame.sources.pop());
        let left = self.column(None, name);
        let Some(mut source) = newest else { return left.map(|left| left.sql) };
        let alias = source.alias.clone();
        source.joined.insert(name.to_ascii_lowercase());
        if let Some(frame) = self.frames.last_mut() {
            frame.sources.push(source);
        }
        let right = self.column(Some(&alias), name)?;
        Ok(format!("{} = {}", left?.sql, right.sql))
    }

    fn relation(&mut self, factor: &TableFactor) -> Result<String, SqlError> {
        let (sql, source) = match factor {
            TableFactor::Table { name, alias, args: None, version: None, .. } => {
                let (database, name) = two(name)?;
                let alias = alias.as_ref().map_or_else(|| name.clone(), |alias| alias.name.value.clone());
                let known = self.named.iter().rev().find(|(known, _)| database.is_none() && *known == name);
                if let Some((known, columns)) = known {
                    let source =
                        Source { alias: alias.clone(), columns: columns.clone(), joined: BTreeSet::new() };
                    (format!("{} AS {}", quote(known), quote(&alias)), source)
                } else {
                    self.named_table(database.as_deref(), &name, &alias)?
                }
            }
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), .. } => {
                let mut inner = self.query(subquery)?;
                for (column, name) in inner.columns.iter_mut().zip(&alias.columns) {
                    column.label = name.name.value.clone();
                }
                let name = alias.name.value.clone();
                let sql = format!("({}) AS {}", inner.sql, quote(&name));
                (sql, Source { alias: name, columns: inner.columns, joined: BTreeSet::new() })
            }
            TableFactor::Derived { alias: None, .. } => {
                return Err(SqlError {
                    state: "42000".into(),
                    ..SqlError::new(1248, "Every derived table must have its own alias")
                });
            }
            other => return Err(unsupported(other)),
        };
        if let Some(frame) = self.frames.last_mut() {
            if frame.sources.iter().any(|known| known.alias == source.alias) {
                return Err(SqlError::new(1066, format!("Not unique table/alias: '{}'", source.alias)));
            }
            frame.sources.push(source);
        }
        Ok(sql)
    }

    fn named_table(
        &mut self,
        database: Option<&str>,
        name: &str,
        alias: &str,
    ) -> Result<(String, Source), SqlError> {
        let home = match database {
            // What has no name of its own has no database either.
            None if name.eq_ignore_ascii_case("dual") => {
                return Ok((
                    format!("(SELECT 1) AS {}", quote(alias)),
                    Source { alias: alias.into(), columns: Vec::new(), joined: BTreeSet::new() },
                ));
            }
            given => self.database(given)?,
        };
        if is_system(&home) {
            return self.system_table(&home.to_ascii_lowercase(), name, alias);
        }
        if !self.catalog.databases.contains_key(&home) {
            return Err(no_database(&home));
        }
        self.source(Some(&home), name, alias, "SELECT")
    }

    fn system_table(
        &mut self,
        database: &str,
        name: &str,
        alias: &str,
    ) -> Result<(String, Source), SqlError> {
        let lower = name.to_ascii_lowercase();
        let columns = crate::database::system::columns(database, &lower)
            .ok_or_else(|| crate::database::errors::no_table(database, name))?;
        if database == "mysql" {
            crate::database::privileges::table(self.catalog, &self.session, "SELECT", "mysql", &lower)?;
        }
        self.system.insert((database.to_string(), lower.clone()));
        let columns = columns.iter().map(|(label, kind)| Output {
            schema: database.into(),
            table: lower.clone(),
            ..Output::plain(label, Type::new(*kind))
        });
        let source = Source { alias: alias.into(), columns: columns.collect(), joined: BTreeSet::new() };
        let physical = quote(&format!("{database}.{lower}"));
        Ok((format!("temp.{physical} AS {}", quote(alias)), source))
    }
}

/// The columns of a source, as `*` names them.
fn all_of(source: &Source, merged: bool) -> Vec<(Typed, Output)> {
    let shown = source
        .columns
        .iter()
        .filter(|column| !merged || !source.joined.contains(&column.label.to_ascii_lowercase()));
    shown
        .map(|column| {
            let sql = format!("{}.{}", quote(&source.alias), quote(&column.label));
            (Typed::of(sql, column.kind.clone()), column.clone())
        })
        .collect()
}
