//! Database engines: what auroraml knows of each, as a value. Pure.
//!
//! Whatever differs between engines is a field here and nowhere an `if`: names, versions, what SQL can call from
//! which version on, how a role reaches the cluster, who restarts with whom. Another engine is another
//! [`Engine`].

mod asked;
mod aurora_mysql;
mod parameters;

pub use asked::{Asked, Refusal};
pub use aurora_mysql::AURORA_MYSQL;
pub use parameters::Parameters;

/// A database engine.
#[derive(Debug)]
pub struct Engine {
    /// AWS's name: `aurora-mysql`.
    pub name: &'static str,
    /// What people call it: `Aurora MySQL`.
    pub title: &'static str,
    /// The engine that it is compatible with, which has defaults and databases of its own: `MySQL`.
    pub compatible_with: &'static str,
    /// Its name in a secret, from which Secrets Manager's rotation and SDKs choose a driver: `mysql`.
    pub in_secret: &'static str,
    /// What a cluster has that a spec says nothing else of.
    pub defaults: Defaults,
    /// Families of instances and their sizes, without `db.`: `r6g`, `large xlarge`. New ones appear more often than this
    /// table does.
    pub classes: &'static [(&'static str, &'static str)],
    /// What users and databases may be called.
    pub names: Names,
    /// Reads a version, or the beginning of one, as a person writes it.
    pub asked: fn(text: &str) -> Result<Asked, Refusal>,
    /// What its DB cluster parameters are called.
    pub parameters: Parameters,
    /// The first version whose cluster pauses at a capacity of 0: `3.08`.
    pub first_that_pauses: &'static str,
    /// The first version with the Data API: `3.07`.
    pub first_with_data_api: &'static str,
    /// Whether AWS offers the Data API for it in this region.
    pub data_api_offered_in: fn(region: &str) -> bool,
    /// What SQL can call, sorted by name.
    pub abilities: &'static [Ability],
    /// Cluster parameters beside those of the abilities whose value is the ARN of a role, in any version.
    pub other_role_parameters: &'static [&'static str],
    /// End of standard support, by version without the engine's own prefix (`YYYY-MM-DD`). What is not listed
    /// counts as supported: new versions appear more often than this table does.
    pub standard_support_ends: &'static [(&'static str, &'static str)],
    /// What stands in versions before the part that counts: `.mysql_aurora.` in `8.0.mysql_aurora.3.10.2`.
    pub version_infix: &'static str,
    /// The parameter group family of a version.
    pub family: fn(version: &str) -> String,
    /// Why members other than the writer restart with it in this version, if they do.
    pub restarts_together: fn(version: &str) -> Option<&'static str>,
    /// Why the members of a global database's other clusters restart with the writer in this version, if they do.
    pub restarts_others: fn(version: &str) -> Option<&'static str>,
}

/// What a cluster has that a spec says nothing else of.
#[derive(Debug)]
pub struct Defaults {
    /// A prefix: `8.0`.
    pub version: &'static str,
    pub port: u16,
    /// Of the master user.
    pub username: &'static str,
}

/// What users and databases may be called.
#[derive(Debug)]
pub struct Names {
    /// Characters.
    pub longest_username: usize,
    /// Users that RDS keeps for itself, in lower case.
    pub reserved_usernames: &'static [&'static str],
    /// Characters.
    pub longest_database: usize,
    /// Databases that are there already, in lower case.
    pub reserved_databases: &'static [&'static str],
}

/// Another service that SQL can call.
#[derive(Debug)]
pub struct Ability {
    /// `sagemaker`: that of the role and of the association within the stack, and the key in the spec.
    pub name: &'static str,
    /// `SageMaker`
    pub title: &'static str,
    pub wiring: Wiring,
    /// Whether SQL has the functions in this version.
    pub available: fn(version: &str) -> bool,
    /// The first version that has them, as people write it: `3.01`.
    pub first: &'static str,
    /// The first of an older major version, in words: ` (of version 2: 2.07 or later)`, or nothing.
    pub first_of_older: &'static str,
}

/// How the cluster learns which role to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// A DB cluster parameter holds its ARN, and the association names no feature.
    Parameter(&'static str),
    /// The association names this feature, and there is no parameter.
    Feature(&'static str),
}

impl Wiring {
    pub fn parameter(self) -> Option<&'static str> {
        match self {
            Wiring::Parameter(name) => Some(name),
            Wiring::Feature(_) => None,
        }
    }
    pub fn feature(self) -> Option<&'static str> {
        match self {
            Wiring::Parameter(_) => None,
            Wiring::Feature(name) => Some(name),
        }
    }
}

/// A version as AWS offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// `8.0.mysql_aurora.3.10.2`
    pub version: String,
    /// `aurora-mysql8.0`
    pub family: String,
}

impl PartialEq for Engine {
    fn eq(&self, other: &Engine) -> bool {
        self.name == other.name
    }
}
impl Eq for Engine {}

impl Engine {
    /// The engine that AWS calls so, if auroraml knows it.
    pub fn named(name: &str) -> Option<&'static Engine> {
        [&AURORA_MYSQL].into_iter().find(|engine| engine.name == name)
    }

    pub fn ability(&self, name: &str) -> Option<&Ability> {
        self.abilities.iter().find(|ability| ability.name == name)
    }

    /// All parameters that hold the ARN of a role, sorted.
    pub fn role_parameters(&self) -> Vec<&'static str> {
        let own = self.abilities.iter().filter_map(|ability| ability.wiring.parameter());
        let mut all: Vec<&'static str> = own.chain(self.other_role_parameters.iter().copied()).collect();
        all.sort_unstable();
        all
    }

    /// The part of a version that counts: `3.10.2` of `8.0.mysql_aurora.3.10.2`.
    fn own_version<'v>(&self, version: &'v str) -> &'v str {
        version.split_once(self.version_infix).map_or(version, |(_, own)| own)
    }

    /// Whether `version` begins with `prefix`, at a point: `3.1` does not match `3.10.2`. The prefix may be that
    /// of the whole version or of the part that counts.
    pub fn matches(&self, prefix: &str, version: &str) -> bool {
        let begins = |text: &str| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.ends_with('.'))
        };
        begins(version) || begins(self.own_version(version))
    }

    /// Whether the version is in standard support on a day given as `YYYY-MM-DD`.
    pub fn supports(&self, version: &str, today: &str) -> bool {
        self.standard_support_ends
            .iter()
            .find(|(known, _)| self.matches(known, self.own_version(version)))
            .is_none_or(|(_, ends)| today <= *ends)
    }

    /// The newest offered version that begins with `prefix` and is in standard support; where none is, the
    /// newest that begins with it.
    pub fn resolve<'o>(&self, prefix: &str, offered: &'o [Offered], today: &str) -> Option<&'o Offered> {
        let candidates = || offered.iter().filter(|o| self.matches(prefix, &o.version));
        candidates()
            .filter(|o| self.supports(&o.version, today))
            .max_by_key(|o| numbers(&o.version))
            .or_else(|| candidates().max_by_key(|o| numbers(&o.version)))
    }
}

/// The numbers in a version, by which versions follow each other.
fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// Whether `b` is a later version than `a`.
pub fn newer(b: &str, a: &str) -> bool {
    numbers(b) > numbers(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_found_by_name() {
        assert_eq!(Engine::named("aurora-mysql"), Some(&AURORA_MYSQL));
        assert_eq!(Engine::named("aurora-postgresql"), None);
    }

    #[test]
    fn abilities_are_sorted_and_wired_in_one_way() {
        let names: Vec<&str> = AURORA_MYSQL.abilities.iter().map(|ability| ability.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for ability in AURORA_MYSQL.abilities {
            assert!(ability.wiring.parameter().is_some() != ability.wiring.feature().is_some());
        }
    }
}
