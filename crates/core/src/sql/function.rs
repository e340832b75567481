//! Stored functions: the statement that makes one, and what `SHOW CREATE FUNCTION` says of it.

use super::quote;
use super::tokens::{Token, placed};
use super::types::{SqlType, shown};
use std::fmt::Write;

/// Rows that Aurora sends to an endpoint at once, where a function does not say it (User Guide, "Using SageMaker AI with
/// your Aurora MySQL DB cluster").
pub const DEFAULT_BATCH: u32 = 10_000;
/// What Aurora sends and expects where a Bedrock function does not say it (the same, "Using Amazon Bedrock").
pub const DEFAULT_CONTENT: &str = "application/json";

/// What a function does when it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calls {
    Sagemaker {
        endpoint: String,
        max_batch_size: u32,
    },
    Bedrock {
        model: String,
        content_type: String,
        accept: String,
        /// Milliseconds; by default what the parameter `aurora_ml_inference_timeout` says.
        timeout_ms: Option<u32>,
    },
    /// Plain SQL: the value that it returns.
    Expression {
        sql: String,
        comment: String,
    },
    /// Something that auroraml does not write, such as `BEGIN … END`.
    Other {
        sql: String,
    },
}

/// A stored function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Names and types.
    pub arguments: Vec<(String, SqlType)>,
    pub returns: SqlType,
    pub calls: Calls,
}

impl Function {
    /// The arguments in the form in which they are compared and shown: `state varchar(2048), acc_length bigint`.
    pub fn signature(&self) -> String {
        let all: Vec<String> =
            self.arguments.iter().map(|(name, of)| format!("{} {of}", name.to_lowercase())).collect();
        all.join(", ")
    }

    /// The statement that makes it.
    pub fn create(&self, database: &str) -> String {
        let declared = |(name, of): &(String, SqlType)| format!("{} {}", quote::name(name), of.declared());
        let arguments: Vec<String> = self.arguments.iter().map(declared).collect();
        let mut sql =
            format!("CREATE FUNCTION {}({})", quote::of(database, &self.name), arguments.join(", "));
        // Writing to a string cannot fail.
        let _ = write!(sql, "\nRETURNS {}", self.returns.declared());
        let _ = match &self.calls {
            Calls::Sagemaker { endpoint, max_batch_size } => {
                let _ = write!(
                    sql,
                    "\nALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT\nENDPOINT NAME {}",
                    quote::text(endpoint)
                );
                match *max_batch_size {
                    DEFAULT_BATCH => Ok(()),
                    size => write!(sql, "\nMAX_BATCH_SIZE {size}"),
                }
            }
            Calls::Bedrock { model, content_type, accept, timeout_ms } => {
                let _ = write!(
                    sql,
                    "\nALIAS AWS_BEDROCK_INVOKE_MODEL\nMODEL ID {}\nCONTENT_TYPE {}\nACCEPT {}",
                    quote::text(model),
                    quote::text(content_type),
                    quote::text(accept)
                );
                timeout_ms.map_or(Ok(()), |timeout| write!(sql, "\nTIMEOUT_MS {timeout}"))
            }
            // Without these MySQL refuses it where the binary log is on (MySQL 8.0 Reference Manual, 25.7, error 1418).
            Calls::Expression { sql: value, comment } => write!(
                sql,
                "\nDETERMINISTIC\nNO SQL\nSQL SECURITY INVOKER\nCOMMENT {}\nRETURN {value}",
                quote::text(comment)
            ),
            Calls::Other { sql: body } => write!(sql, "\n{body}"),
        };
        sql
    }

    /// What `SHOW CREATE FUNCTION` says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn parse(statement: &str) -> Result<Function, String> {
        Reader { statement, tokens: placed(statement)?, at: 0 }.function()
    }
}

/// The statement that drops a function, if it is there.
pub fn drop(database: &str, name: &str) -> String {
    format!("DROP FUNCTION IF EXISTS {}", quote::of(database, name))
}

/// The statement that shows one.
pub fn show(database: &str, name: &str) -> String {
    format!("SHOW CREATE FUNCTION {}", quote::of(database, name))
}

struct Reader<'s> {
    statement: &'s str,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("the statement ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: char) -> bool {
        let is = self.peek().is_some_and(|token| token.is_sign(sign));
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, words: &[&str]) -> Result<(), String> {
        for word in words {
            if !self.take(word) {
                let found = self.peek().map_or("nothing".to_owned(), shown);
                return Err(format!("there is {found} where {} was expected", word.to_uppercase()));
            }
        }
        Ok(())
    }

    fn text(&mut self) -> Result<String, String> {
        let token = self.next()?;
        token
            .text()
            .map(str::to_owned)
            .ok_or_else(|| format!("there is {} where a string was expected", shown(&token)))
    }

    fn number(&mut self) -> Result<u32, String> {
        let token = self.next()?;
        let number = match &token {
            Token::Word(word) => word.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| format!("there is {} where a number was expected", shown(&token)))
    }

    fn name(&mut self) -> Result<String, String> {
        let token = self.next()?;
        // A name without quotes is in lower case as a token, and may not be in the statement.
        let (at, _) = self.tokens[self.at - 1];
        match &token {
            Token::Word(word) => Ok(self.statement[at..].chars().take(word.chars().count()).collect()),
            Token::Name(name) => Ok(name.clone()),
            _ => Err(format!("there is {} where a name was expected", shown(&token))),
        }
    }

    fn of(&mut self) -> Result<SqlType, String> {
        let rest: Vec<Token> = self.tokens[self.at..].iter().map(|(_, token)| token.clone()).collect();
        let (of, after) = SqlType::first(&rest).map_err(|why| format!("something {why}"))?;
        self.at += rest.len() - after.len();
        Ok(of)
    }

    fn function(mut self) -> Result<Function, String> {
        self.expect(&["create"])?;
        self.definer()?;
        self.expect(&["function"])?;
        if self.take("if") {
            self.expect(&["not", "exists"])?;
        }
        let mut name = self.name()?;
        if self.sign('.') {
            name = self.name()?;
        }
        let arguments = self.arguments()?;
        self.definer()?;
        self.expect(&["returns"])?;
        let returns = self.of()?;
        let mut comment = String::new();
        while let Some(Token::Word(word)) = self.peek() {
            match word.clone().as_str() {
                "deterministic" => self.at += 1,
                "not" => self.expect(&["not", "deterministic"])?,
                "language" => self.expect(&["language", "sql"])?,
                "contains" => self.expect(&["contains", "sql"])?,
                "no" => self.expect(&["no", "sql"])?,
                "reads" => self.expect(&["reads", "sql", "data"])?,
                "modifies" => self.expect(&["modifies", "sql", "data"])?,
                "sql" => {
                    self.expect(&["sql", "security"])?;
                    self.next()?;
                }
                "comment" => {
                    self.at += 1;
                    comment = self.text()?;
                }
                _ => break,
            }
        }
        let calls = self.calls(comment)?;
        Ok(Function { name, arguments, returns, calls })
    }

    /// `` DEFINER=`admin`@`%` ``
    fn definer(&mut self) -> Result<(), String> {
        if self.take("definer") {
            if !self.sign('=') {
                return Err("there is no = after DEFINER".into());
            }
            self.next()?;
            // `@` is a word of its own between two names in quotes.
            while matches!(self.peek(), Some(Token::Word(word)) if word.starts_with('@')) {
                let alone = self.next()?.is("@");
                if alone {
                    self.next()?;
                }
            }
        }
        Ok(())
    }

    fn arguments(&mut self) -> Result<Vec<(String, SqlType)>, String> {
        if !self.sign('(') {
            return Err("there are no arguments".into());
        }
        let mut all = Vec::new();
        while !self.sign(')') {
            let name = self.name()?;
            all.push((name, self.of()?));
            if !self.sign(',') && !self.peek().is_some_and(|token| token.is_sign(')')) {
                return Err("the arguments are not closed".into());
            }
        }
        Ok(all)
    }

    fn calls(&mut self, comment: String) -> Result<Calls, String> {
        let begins = self.tokens.get(self.at).map_or(self.statement.len(), |(at, _)| *at);
        if self.take("return") {
            let begins = self.tokens.get(self.at).map_or(self.statement.len(), |(at, _)| *at);
            return Ok(Calls::Expression { sql: self.statement[begins..].trim_end().to_owned(), comment });
        }
        if !self.take("alias") {
            return Ok(Calls::Other { sql: self.statement[begins..].trim_end().to_owned() });
        }
        let alias = self.name()?.to_lowercase();
        match alias.as_str() {
            "aws_sagemaker_invoke_endpoint" => {
                self.expect(&["endpoint", "name"])?;
                let endpoint = self.text()?;
                let max_batch_size = if self.take("max_batch_size") { self.number()? } else { DEFAULT_BATCH };
                self.end()?;
                Ok(Calls::Sagemaker { endpoint, max_batch_size })
            }
            "aws_bedrock_invoke_model" => {
                self.expect(&["model", "id"])?;
                let model = self.text()?;
                let (mut content_type, mut accept, mut timeout_ms) =
                    (DEFAULT_CONTENT.into(), DEFAULT_CONTENT.into(), None);
                loop {
                    if self.take("content_type") {
                        content_type = self.text()?;
                    } else if self.take("accept") {
                        accept = self.text()?;
                    } else if self.take("timeout_ms") {
                        timeout_ms = Some(self.number()?);
                    } else {
                        break;
                    }
                }
                self.end()?;
                Ok(Calls::Bedrock { model, content_type, accept, timeout_ms })
            }
            // Lambda, for instance.
            _ => Ok(Calls::Other { sql: self.statement[begins..].trim_end().to_owned() }),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.sign(';');
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(format!("there is {} after the end", shown(token))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::tokens::same;

    fn of(text: &str) -> SqlType {
        SqlType::parse(text).unwrap()
    }

    fn function(calls: Calls) -> Function {
        let arguments = vec![("state".into(), of("varchar(2048)")), ("acc`length".into(), of("bigint"))];
        Function { name: "will_churn".into(), arguments, returns: of("float"), calls }
    }

    #[test]
    fn what_is_made_is_read_back() {
        let hostile = "it's \\ `x`";
        for calls in [
            Calls::Sagemaker { endpoint: "churn".into(), max_batch_size: DEFAULT_BATCH },
            Calls::Sagemaker { endpoint: hostile.into(), max_batch_size: 100 },
            Calls::Bedrock {
                model: "amazon.titan-text-lite-v1".into(),
                content_type: DEFAULT_CONTENT.into(),
                accept: "text/plain".into(),
                timeout_ms: Some(5_000),
            },
            Calls::Expression { sql: "IF(state = 'no', 1, 0)".into(), comment: hostile.into() },
        ] {
            let made = function(calls);
            assert_eq!(Function::parse(&made.create("telecom")).unwrap(), made, "{}", made.create("telecom"));
        }
    }

    /// As the first article's client shows it.
    #[test]
    fn what_aurora_shows_is_read() {
        let shown = "CREATE DEFINER=`admin`@`%` FUNCTION `will_churn`(\nstate varchar(2048),\nacc_length bigint(20)\n) RETURNS varchar(2048) CHARSET latin1\n    alias aws_sagemaker_invoke_endpoint\n    endpoint name 'canvas-1'";
        let found = Function::parse(shown).unwrap();
        assert_eq!(found.signature(), "state varchar(2048), acc_length bigint");
        assert_eq!(found.returns.to_string(), "varchar(2048)");
        assert_eq!(
            found.calls,
            Calls::Sagemaker { endpoint: "canvas-1".into(), max_batch_size: DEFAULT_BATCH }
        );
        let plain = "CREATE DEFINER=admin@localhost FUNCTION `IntPlanNo`(IntPlan varchar(10)) RETURNS tinyint(1)\n    DETERMINISTIC\n    COMMENT 'x'\nRETURN if(IntPlan='no',1,0)";
        let found = Function::parse(plain).unwrap();
        assert_eq!((found.name.as_str(), found.signature().as_str()), ("IntPlanNo", "intplan varchar(10)"));
        let Calls::Expression { sql, comment } = found.calls else { panic!() };
        assert!(same(&sql, "IF(IntPlan = 'no', 1, 0)") && comment == "x");
        let block = "CREATE FUNCTION f() RETURNS int\nREADS SQL DATA\nBEGIN RETURN 1; END";
        assert_eq!(Function::parse(block).unwrap().calls, Calls::Other { sql: "BEGIN RETURN 1; END".into() });
        let lambda = "CREATE FUNCTION f(a int) RETURNS int ALIAS AWS_LAMBDA_INVOKE 'x'";
        assert!(matches!(Function::parse(lambda).unwrap().calls, Calls::Other { .. }));
    }

    #[test]
    fn what_is_no_function_is_told() {
        for text in [
            "",
            "CREATE",
            "CREATE PROCEDURE p()",
            "CREATE FUNCTION f",
            "CREATE FUNCTION f(a",
            "CREATE FUNCTION f(a int",
            "CREATE FUNCTION f(a int) RETURNS",
            "CREATE FUNCTION f() RETURNS int ALIAS",
            "CREATE FUNCTION f(a int b int) RETURNS int",
            "CREATE FUNCTION f() RETURNS int ALIAS aws_sagemaker_invoke_endpoint ENDPOINT NAME x",
            "CREATE FUNCTION f() RETURNS int ALIAS aws_sagemaker_invoke_endpoint ENDPOINT NAME 'x' MORE",
        ] {
            assert!(Function::parse(text).is_err(), "{text}");
        }
    }
}
