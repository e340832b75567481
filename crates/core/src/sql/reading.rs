//! Whether a statement only reads.
//!
//! Facts: MySQL 8.0 Reference Manual, 15.2.13 (SELECT … INTO), 15.2.20 (WITH before UPDATE and DELETE), 15.8.2 (EXPLAIN
//! ANALYZE runs the statement), 11.7 (what stands in `/*! … */` is carried out).

use super::tokens::tokens;

/// What such statements begin with.
const READING: [&str; 8] = ["select", "with", "show", "describe", "desc", "explain", "table", "values"];

/// What of the statement may change something, `None` if it only reads. A function that it calls may still write: nobody sees
/// that in its text.
pub fn may_change(sql: &str) -> Option<String> {
    let tokens = match tokens(sql) {
        Ok(tokens) => tokens,
        // The database says what is wrong with it, and carries nothing out.
        Err(_) => return None,
    };
    let first = tokens.iter().find(|token| !token.is_sign('('))?;
    if sql.contains("/*!") {
        return Some("/*!".into());
    }
    let Some(verb) = READING.iter().find(|verb| first.is(verb)) else {
        return Some(first.name().unwrap_or("this text").to_uppercase());
    };
    let writing: &[&str] = match *verb {
        "with" | "describe" | "desc" | "explain" => &["into", "update", "delete"],
        _ => &["into"],
    };
    let found = writing.iter().find(|word| tokens.iter().any(|token| token.is(word)));
    found.map(|word| word.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_and_what_does_not() {
        for sql in [
            "SELECT 1",
            "  -- asked by hand\n(select `into`, 'INTO' FROM t) UNION (SELECT 1, 2)",
            "SELECT * FROM t FOR UPDATE",
            "SELECT REPLACE(a, 'DELETE', 'x'), INSERT('abc', 1, 1, 'x') FROM t",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "SHOW CREATE TABLE t",
            "DESC t",
            "EXPLAIN SELECT * FROM t",
            "TABLE t",
            "VALUES ROW(1)",
            "",
            "SELECT 'not closed",
        ] {
            assert_eq!(may_change(sql), None, "{sql}");
        }
        for (sql, what) in [
            ("DELETE FROM t", "DELETE"),
            ("drop table t", "DROP"),
            ("# SELECT\nUPDATE t SET a = 1", "UPDATE"),
            ("SELECT * FROM t INTO OUTFILE S3 's3://b/k'", "INTO"),
            ("TABLE t INTO @x", "INTO"),
            ("WITH x AS (SELECT 1) DELETE FROM t", "DELETE"),
            ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "UPDATE"),
            ("EXPLAIN ANALYZE DELETE t FROM t JOIN u", "DELETE"),
            ("SELECT 1 /*! INTO OUTFILE 'x' */", "/*!"),
            ("/*! DROP TABLE t */ SELECT 1", "/*!"),
            ("CALL p()", "CALL"),
            ("SET GLOBAL x = 1", "SET"),
            ("'text'", "THIS TEXT"),
        ] {
            assert_eq!(may_change(sql).as_deref(), Some(what), "{sql}");
        }
    }
}
