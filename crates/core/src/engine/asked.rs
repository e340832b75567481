//! A version that somebody asks for, before AWS says which there are.

use super::numbers;

/// A version as a spec writes it: a whole one, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// DB cluster parameter group family: `aurora-mysql8.0`.
    pub family: &'static str,
    /// As many numbers of the engine's own version as are given: 3 and 10 of `3.10`, none of `8.0`.
    pub numbers: Vec<u32>,
}

impl Asked {
    /// Whether it can only be resolved to a version older than `first`, such as `3.07`.
    pub fn older_than(&self, first: &str) -> bool {
        let first = numbers(first);
        self.numbers.get(..first.len()).is_some_and(|given| given < first.as_slice())
    }
}

/// Why a version is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    /// What to write instead.
    pub hint: &'static str,
}
