//! The spec: what a YAML file says, with defaults filled in and everything checked that needs no AWS.

mod types;
pub use types::*;
