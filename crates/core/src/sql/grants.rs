//! What a user may: the statements that grant it, and what `SHOW GRANTS` says.

use super::quote;
use super::tokens::{Token, tokens};
use std::collections::BTreeSet;

/// What matters here of a user's grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Roles, in upper case.
    pub roles: BTreeSet<String>,
    /// Database and name of each function that may be called.
    pub functions: BTreeSet<(String, String)>,
    /// Databases in which all functions may be called; `*` for all databases.
    pub databases: BTreeSet<String>,
}

impl Granted {
    /// Whether the function may be called.
    pub fn may_call(&self, database: &str, function: &str) -> bool {
        let named = |(of, name): &(String, String)| of == database && name.eq_ignore_ascii_case(function);
        self.databases.contains("*") || self.databases.contains(database) || self.functions.iter().any(named)
    }

    /// What the rows of `SHOW GRANTS` say. Rows about anything else are left out.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn parse<'r>(rows: impl IntoIterator<Item = &'r str>) -> Result<Granted, String> {
        let mut granted = Granted::default();
        for row in rows {
            granted.add(row).map_err(|why| format!("`{row}`: {why}"))?;
        }
        Ok(granted)
    }

    fn add(&mut self, row: &str) -> Result<(), String> {
        let tokens = tokens(row)?;
        let mut rest = match tokens.split_first() {
            Some((first, rest)) if first.is("grant") => rest,
            // `REVOKE … ON …`: partial revokes take away what no function needs.
            Some((first, _)) if first.is("revoke") => return Ok(()),
            _ => return Err("this is not a grant".into()),
        };
        let to = |tokens: &[Token]| tokens.iter().position(|token| token.is("on") || token.is("to"));
        let end = to(rest).ok_or("it has neither ON nor TO")?;
        let (what, after) = rest.split_at(end);
        rest = after;
        if rest[0].is("to") {
            // A role is an account: `` `AWS_SAGEMAKER_ACCESS`@`%` ``.
            for role in what.split(|token| token.is_sign(',')) {
                if let Some(name) = role.first().and_then(Token::name) {
                    self.roles.insert(name.split('@').next().unwrap_or(name).to_uppercase());
                }
            }
            return Ok(());
        }
        let executes = what.split(|token| token.is_sign(',')).any(|privilege| match privilege {
            [one] => one.is("execute") || one.is("all"),
            [one, two] => one.is("all") && two.is("privileges"),
            _ => false,
        });
        if !executes {
            return Ok(());
        }
        match &rest[1..] {
            [function, database, point, name, ..] if function.is("function") && point.is_sign('.') => {
                let names = database.name().zip(name.name()).ok_or("the function has no name")?;
                self.functions.insert((names.0.to_owned(), names.1.to_owned()));
            }
            [Token::Sign('*'), ..] => {
                self.databases.insert("*".into());
            }
            [database, point, Token::Sign('*'), ..] if point.is_sign('.') => {
                // `_` and `%` are wildcards there, and a backslash before them says that they are not.
                let name = database.name().ok_or("the database has no name")?;
                self.databases.insert(name.replace('\\', ""));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Grants roles to a user.
pub fn grant_roles(roles: &[&str], user: &str, host: &str) -> String {
    let names: Vec<String> = roles.iter().map(|role| quote::name(role)).collect();
    format!("GRANT {} TO {}", names.join(", "), quote::account(user, host))
}

/// Takes roles back.
pub fn revoke_roles(roles: &[&str], user: &str, host: &str) -> String {
    let names: Vec<String> = roles.iter().map(|role| quote::name(role)).collect();
    format!("REVOKE {} FROM {}", names.join(", "), quote::account(user, host))
}

/// Makes these the roles that are active when the user connects; no other one is.
pub fn default_roles(roles: &[&str], user: &str, host: &str) -> String {
    let names: Vec<String> = roles.iter().map(|role| quote::name(role)).collect();
    let names = if names.is_empty() { "NONE".to_owned() } else { names.join(", ") };
    format!("SET DEFAULT ROLE {names} TO {}", quote::account(user, host))
}

/// Lets a user call a function.
pub fn grant_execute(database: &str, function: &str, user: &str, host: &str) -> String {
    format!("GRANT EXECUTE ON FUNCTION {} TO {}", quote::of(database, function), quote::account(user, host))
}

/// The contrary.
pub fn revoke_execute(database: &str, function: &str, user: &str, host: &str) -> String {
    format!(
        "REVOKE EXECUTE ON FUNCTION {} FROM {}",
        quote::of(database, function),
        quote::account(user, host)
    )
}

/// Shows what a user may.
pub fn show(user: &str, host: &str) -> String {
    format!("SHOW GRANTS FOR {}", quote::account(user, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mysql_shows_is_read() {
        let granted = Granted::parse([
            "GRANT USAGE ON *.* TO `analyst`@`%`",
            "GRANT SELECT, INSERT ON `telecom`.* TO `analyst`@`%`",
            "GRANT EXECUTE ON FUNCTION `telecom`.`will_churn` TO `analyst`@`%`",
            "GRANT `AWS_COMPREHEND_ACCESS`@`%`,`AWS_SAGEMAKER_ACCESS`@`%` TO `analyst`@`%`",
            "GRANT AWS_LOAD_S3_ACCESS TO 'analyst'@'%' WITH ADMIN OPTION",
        ])
        .unwrap();
        let roles: Vec<&str> = granted.roles.iter().map(String::as_str).collect();
        assert_eq!(roles, ["AWS_COMPREHEND_ACCESS", "AWS_LOAD_S3_ACCESS", "AWS_SAGEMAKER_ACCESS"]);
        assert!(granted.may_call("telecom", "Will_Churn") && !granted.may_call("telecom", "other"));
        assert!(!granted.may_call("other", "will_churn"));
    }

    #[test]
    fn wider_grants_let_call_as_well() {
        let granted = |row| Granted::parse([row]).unwrap();
        assert!(granted("GRANT ALL PRIVILEGES ON *.* TO `a`@`%`").may_call("x", "f"));
        assert!(granted("GRANT SELECT, EXECUTE ON `my\\_db`.* TO `a`@`%`").may_call("my_db", "f"));
        assert!(!granted("GRANT SELECT, ALTER ROUTINE ON *.* TO `a`@`%`").may_call("x", "f"));
        assert!(!granted("REVOKE EXECUTE ON `x`.* FROM `a`@`%`").may_call("x", "f"));
        assert!(!granted("GRANT EXECUTE ON PROCEDURE `x`.`f` TO `a`@`%`").may_call("x", "f"));
        assert!(Granted::parse(["DROP TABLE x"]).is_err());
    }

    #[test]
    fn statements_are_read_back() {
        let made = [
            grant_roles(&["AWS_SAGEMAKER_ACCESS", "AWS_LOAD_S3_ACCESS"], "o'neill", "%"),
            grant_execute("d`b", "f", "o'neill", "%"),
        ];
        let granted = Granted::parse(made.iter().map(String::as_str)).unwrap();
        assert_eq!(granted.roles.len(), 2);
        assert!(granted.may_call("d`b", "f"));
        assert_eq!(default_roles(&[], "a", "%"), "SET DEFAULT ROLE NONE TO 'a'@'%'");
        assert_eq!(default_roles(&["A", "B"], "a", "%"), "SET DEFAULT ROLE `A`, `B` TO 'a'@'%'");
    }
}
