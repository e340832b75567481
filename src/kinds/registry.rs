//! All kinds that a run knows.

use super::kind::AnyKind;
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::names::STACK_TAG;
use auroraml_core::base::{Id, Live, Observed, TAKEN_OVER};
use auroraml_core::every_kind;
use auroraml_core::kinds::*;
use auroraml_core::resource::Catalog;
use futures_util::future::join_all;

/// The kinds that a run knows: a value, so that two runs may know different ones.
#[derive(Clone)]
pub struct Kinds(Vec<&'static dyn AnyKind>);

macro_rules! all {
    ($($section:literal: $([$task:ident])? $file:ident::$kind:ident,)*) => {
        vec![$(one!($([$task])? $file::$kind)),*]
    };
}

macro_rules! one {
    ($file:ident::$kind:ident) => {
        &$file::$kind as &'static dyn AnyKind
    };
    ([task] $file:ident::$kind:ident) => {
        &crate::kinds::Work($file::$kind) as &'static dyn AnyKind
    };
}

impl Default for Kinds {
    /// Every kind there is, in the order in which a person would build a stack; output follows it.
    fn default() -> Kinds {
        Kinds(every_kind!(all))
    }
}

impl Kinds {
    /// These and another one, which takes the place of its namesake if there is one.
    #[must_use]
    pub fn with(mut self, kind: &'static dyn AnyKind) -> Kinds {
        match self.0.iter_mut().find(|known| known.name() == kind.name()) {
            Some(known) => *known = kind,
            None => self.0.push(kind),
        }
        self
    }

    pub fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|kind| kind.name() == name)
    }

    /// # Panics
    /// When there is no such kind: a bug.
    pub fn get(&self, name: &str) -> &'static dyn AnyKind {
        let found = self.0.iter().find(|kind| kind.name() == name);
        *found.unwrap_or_else(|| panic!("there is no kind {name}: is it in `every_kind!`?"))
    }

    /// The rules of all of them, as the planner wants them.
    pub fn catalog(&self) -> Catalog {
        self.0.iter().map(|kind| (kind.name(), kind.rules())).collect()
    }

    /// Everything of the stack that exists.
    ///
    /// # Errors
    /// The first failure of any kind's observation.
    pub async fn observe_all(&self, look: Look<'_>) -> Result<Observed, Failure> {
        let all = join_all(self.0.iter().map(|kind| kind.observe(look))).await;
        let mut observed = Observed::new();
        for live in all {
            for live in live? {
                let live = taken_over(look.aws, live);
                observed.insert(live.id.clone(), live);
            }
        }
        Ok(observed)
    }

    /// One resource as it was at `as_of` (milliseconds since the Unix epoch) or later, or `None` where it does not
    /// exist.
    ///
    /// # Errors
    /// Those of its kind's observation.
    pub async fn observe_one(&self, aws: &Aws, id: &Id, as_of: u64) -> Result<Option<Live>, Failure> {
        // The executor is about to change something.
        let look = Look { as_of, only: Some(&id.name), ..Look::for_a_change(aws) };
        let found = self.get(id.kind).observe(look).await?.into_iter().find(|live| live.id == *id);
        Ok(found.map(|live| taken_over(aws, live)))
    }
}

/// What the spec takes over by AWS's own name is the stack's before any tag says so; another stack's tag proves the
/// contrary.
fn taken_over(aws: &Aws, mut live: Live) -> Live {
    let Some(taken) = &aws.scope.taken_over else { return live };
    let is_untagged = live.props["tags"].as_object().is_some_and(|tags| !tags.contains_key(STACK_TAG));
    let mut names = ["id", "name"].into_iter().filter_map(|output| live.output(output));
    if is_untagged && names.any(|name| taken.takes(&live.id.to_string(), name)) {
        live.owned = true;
        live.outputs.insert(TAKEN_OVER.into(), taken.stack_name().into());
    }
    live
}

#[cfg(test)]
mod tests {
    use super::super::kind::{Seen, Task, Work};
    use super::*;
    use auroraml_core::kinds::vpc;
    use auroraml_core::resource::{Nature, PLAIN, Rules};

    mod training {
        pub struct Job;
    }

    impl Kind for training::Job {
        const NAME: &'static str = "training";
        const RULES: Rules = Rules { nature: Nature::Task, ..PLAIN };
        type Props = String;
    }

    impl Task for training::Job {
        async fn find(&self, _: Look<'_>) -> Result<Vec<Seen<String>>, Failure> {
            Ok(Vec::new())
        }
        async fn start(&self, _: &Aws, _: &str, _: &String, _: u64) -> Result<(), Failure> {
            Ok(())
        }
        async fn stop(&self, _: &Aws, _: &str, _: u64) -> Result<(), Failure> {
            Ok(())
        }
    }

    /// The list of kinds takes tasks as well, although none of the product's is one yet.
    #[test]
    fn tasks_are_listed_among_the_kinds() {
        let kinds = Kinds(all! { "Network": vpc::Vpc, "Tasks": [task] training::Job, });
        assert_eq!(kinds.get("training").rules().nature, Nature::Task);
        assert_eq!(kinds.get("vpc").rules().nature, Nature::Object);
        assert_eq!(kinds.catalog().iter().count(), 2);
    }

    #[test]
    fn a_namesake_takes_the_place() {
        let kinds = Kinds::default();
        let count = kinds.catalog().iter().count();
        assert_eq!(
            kinds.with(&Work(training::Job)).with(&Work(training::Job)).catalog().iter().count(),
            count + 1
        );
    }
}
