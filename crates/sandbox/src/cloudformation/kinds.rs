//! The resource types that the sandbox's CloudFormation can carry: their properties and what an update of each needs,
//! and their attributes. From "Update requires" and "Return values" of each type's page in the CloudFormation User Guide.
//! A property that is in neither list is refused: what is accepted is carried out.

mod basic;
mod managed;

/// One resource type.
#[derive(Debug)]
pub(super) struct Kind {
    pub name: &'static str,
    /// Properties without which nothing is made.
    pub required: &'static [&'static str],
    /// "Update requires: Replacement".
    pub replace: &'static [&'static str],
    /// "Update requires: No interruption" or "Some interruptions".
    pub update: &'static [&'static str],
    /// What GetAtt gives.
    pub attributes: &'static [&'static str],
    /// The property with which a template gives the object a name of its own.
    pub named_by: Option<&'static str>,
    /// The identifiers by which an import finds the object.
    pub identified_by: &'static [&'static str],
}

impl Kind {
    pub(super) fn has(&self, property: &str) -> bool {
        self.replace.contains(&property) || self.update.contains(&property)
    }

    /// "DeletionPolicy attribute": which types take snapshots, of those that are here.
    pub(super) fn has_snapshots(&self) -> bool {
        matches!(self.name, "AWS::RDS::DBCluster" | "AWS::RDS::DBInstance")
    }

    /// Whether GetAtt gives this attribute.
    pub(super) fn gives(&self, attribute: &str) -> bool {
        self.attributes.contains(&attribute) || self.name == STACK && attribute.starts_with("Outputs.")
    }

    pub(super) fn is_tagged(&self) -> bool {
        self.update.contains(&"Tags")
    }
}

/// A stack within a stack.
pub(super) const STACK: &str = "AWS::CloudFormation::Stack";

pub(super) fn find(name: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.name == name)
}

fn all() -> impl Iterator<Item = &'static Kind> {
    basic::KINDS.iter().chain(managed::KINDS)
}

#[cfg(test)]
mod tests {
    use super::{Kind, all};

    #[test]
    fn every_type_is_there_once_and_needs_what_it_has() {
        let kinds: Vec<&Kind> = all().collect();
        for (at, kind) in kinds.iter().enumerate() {
            assert!(kinds[..at].iter().all(|other| other.name != kind.name), "{} twice", kind.name);
            for property in kind.required.iter().chain(&kind.named_by) {
                assert!(kind.has(property), "{} {property}", kind.name);
            }
            assert!(kind.replace.iter().all(|name| !kind.update.contains(name)), "{}", kind.name);
        }
    }
}
