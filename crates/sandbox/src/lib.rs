//! A simulated AWS that lives in memory, behind the SDK's own HTTP interface.
//!
//! Its contract is the fact book's "minimum contract of a realistic fake": the awkward parts of AWS
//! included. It speaks the wire protocols, so that the real SDK, the AWS CLI and boto3 can all talk to
//! it, and it shares no code with the kinds it is there to judge.
//!
//! **Invariants.** Nothing here imports an SDK crate, `kinds`, `model` or `plan`. All state is in
//! [`World`], which can be cloned, saved and restored at any request. All randomness comes from
//! [`random::Random`], all time from the [`Clock`] it is given. Statuses are derived from times when a
//! request arrives; nothing runs in the background.

mod account;
mod answer;
mod call;
pub mod cloudformation;
mod decode;
pub mod ec2;
pub mod faults;
pub mod file;
pub mod iam;
pub mod kms;
pub mod random;
pub mod rds;
pub mod s3;
pub mod sagemaker;
mod sandbox;
mod sdk;
pub mod secretsmanager;
pub mod server;
pub mod servicequotas;
pub mod sts;
pub mod wire;
mod world;

pub use account::{ACCOUNT, BIRTH_MS};
pub use call::Call;
pub use sandbox::{Sandbox, Snapshot};
pub use world::{Entry, Global, Region, World};
