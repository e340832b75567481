//! The parameters of each DB cluster parameter group family, as data: `parameters.txt`.

use super::versions::FAMILIES;
use std::sync::LazyLock;

/// What RDS knows of one parameter in one family.
#[derive(Debug)]
pub(super) struct Parameter {
    /// One letter per family: `a` aurora-mysql5.7, `b` aurora-mysql8.0, `c` aurora-mysql8.4.
    families: &'static str,
    pub name: &'static str,
    /// Listed among the engine's cluster-level defaults; instance-level names exist in the groups only.
    pub cluster_level: bool,
    pub is_static: bool,
    pub data_type: &'static str,
    pub modifiable: bool,
    pub source: &'static str,
    /// Empty when there is none.
    pub default: &'static str,
    /// Comma-separated values and ranges; empty when anything goes.
    pub allowed: &'static str,
    pub description: &'static str,
}

static PARAMETERS: LazyLock<Vec<Parameter>> =
    LazyLock::new(|| include_str!("parameters.txt").lines().filter_map(parse).collect());

fn parse(line: &'static str) -> Option<Parameter> {
    if line.starts_with('#') {
        return None;
    }
    let cells: Vec<&'static str> = line.split('|').map(str::trim).collect();
    let [name, families, level, apply, data_type, modifiable, source, default, allowed, description] =
        cells.try_into().ok()?;
    Some(Parameter {
        families,
        name,
        cluster_level: level == "cluster",
        is_static: apply == "static",
        data_type,
        modifiable: modifiable == "yes",
        source: if source == "system" { "system" } else { "engine-default" },
        default,
        allowed,
        description,
    })
}

/// The parameters of a family, by name.
pub(super) fn of(family: &str) -> impl Iterator<Item = &'static Parameter> + use<> {
    let letter = FAMILIES.iter().position(|known| *known == family).map(|index| ['a', 'b', 'c'][index]);
    let mut found: Vec<&'static Parameter> =
        PARAMETERS.iter().filter(|p| letter.is_some_and(|letter| p.families.contains(letter))).collect();
    found.sort_by_key(|parameter| parameter.name);
    found.into_iter()
}

pub(super) fn find(family: &str, name: &str) -> Option<&'static Parameter> {
    of(family).find(|parameter| parameter.name == name)
}

impl Parameter {
    /// Whether RDS takes the value: one of the list, or within one of its ranges.
    pub(super) fn allows(&self, value: &str) -> bool {
        if self.allowed.is_empty() {
            let whole_number = self.data_type == "integer";
            return !whole_number || value.parse::<i64>().is_ok();
        }
        self.allowed.split(',').any(|allowed| {
            if allowed == value {
                return true;
            }
            // The first character can be a minus sign.
            let range = allowed.get(1..).and_then(|rest| rest.find('-')).map(|at| allowed.split_at(at + 1));
            let Some((low, high)) = range else { return false };
            match (low.parse::<f64>(), high[1..].parse::<f64>(), value.parse::<f64>()) {
                (Ok(low), Ok(high), Ok(value)) => low <= value && value <= high,
                _ => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("parameters.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(PARAMETERS.len(), lines);
        for family in FAMILIES {
            let names: Vec<&str> = of(family).map(|parameter| parameter.name).collect();
            assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{family}: twice the same");
        }
        assert!(of("aurora-mysql8.0").count() > 100 && of("aurora-mysql8.4").count() > 100);
    }

    #[test]
    fn defaults_are_allowed() {
        for parameter in PARAMETERS.iter().filter(|parameter| !parameter.default.is_empty()) {
            let computed =
                parameter.default.starts_with(['{', 'L', 'G']) || parameter.default.starts_with('/');
            assert!(computed || parameter.allows(parameter.default), "{}", parameter.name);
        }
    }

    #[test]
    fn values_are_checked() {
        let timeout = find("aurora-mysql8.0", "wait_timeout").unwrap();
        assert!(timeout.allows("60") && !timeout.allows("0") && !timeout.allows("soon"));
        assert!(find("aurora-mysql8.0", "aurora_load_from_s3_role").is_none());
        assert!(find("aurora-mysql5.7", "aurora_load_from_s3_role").is_some());
    }
}
