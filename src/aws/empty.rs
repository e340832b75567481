//! Templates that CloudFormation has found to say what a stack says already.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Templates by path, by the id of their stack.
#[derive(Debug, Default)]
pub(crate) struct Empty(Mutex<BTreeMap<String, BTreeMap<String, String>>>);

impl Empty {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn found(&self, id: &str) -> Option<BTreeMap<String, String>> {
        self.lock().get(id).cloned()
    }

    pub fn remember(&self, id: &str, template: BTreeMap<String, String>) {
        self.lock().insert(id.to_owned(), template);
    }

    pub fn forget(&self, id: &str) {
        self.lock().remove(id);
    }
}
