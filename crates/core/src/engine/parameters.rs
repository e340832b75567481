//! What the DB cluster parameters of an engine are called.

/// Names of parameters. A cluster group has the cluster-level parameters and, as defaults for the members, the
/// instance-level ones (fact book, section 1.2).
#[derive(Debug)]
pub struct Parameters {
    pub in_every_family: &'static [&'static str],
    /// By family, those that no other family has.
    pub only_in: &'static [(&'static str, &'static [&'static str])],
    /// Known, but AWS does not let anyone change them.
    pub fixed: &'static [&'static str],
    /// Of older families, and what took their place; empty if nothing did.
    pub replaced: &'static [(&'static str, &'static str)],
    /// Those of older families that held a role, and the ability whose parameter took their place.
    pub replaced_roles: &'static [(&'static str, &'static str)],
}

impl Parameters {
    /// The names that can be set in a family.
    pub fn of(&self, family: &str) -> impl Iterator<Item = &'static str> {
        let own = self.only_in.iter().filter(move |(of, _)| *of == family).flat_map(|(_, names)| *names);
        self.in_every_family.iter().chain(own).copied()
    }

    /// What took the place of a parameter of older families; empty if nothing did.
    pub fn replacement(&self, name: &str) -> Option<&'static str> {
        self.replaced.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
    }

    /// The ability whose parameter took the place of one that held a role in older families.
    pub fn replacing_ability(&self, name: &str) -> Option<&'static str> {
        self.replaced_roles.iter().find(|(old, _)| *old == name).map(|(_, ability)| *ability)
    }
}
