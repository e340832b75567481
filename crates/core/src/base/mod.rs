//! The ground floor: what every other part is made of. It knows no other part, and no AWS. Pure.

mod change;
mod counted;
mod id;
mod input;
mod live;
pub mod names;
pub mod policy;

pub use change::{Change, To, diff};
pub use counted::counted;
pub use id::Id;
pub use input::{Input, Outputs, Predicted, has_reference, outputs, references, resolve};
pub use live::{ELSEWHERE, Live, MADE_BY, MADE_BY_TAG, ONLY_TAGGED, Observed, State, TAKEN_OVER, WHY};
