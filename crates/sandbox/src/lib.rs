//! A simulated AWS: enough of it to build, check and tear down an Aurora machine learning setup without an
//! account, in memory, in a file or on a port.
//!
//! It speaks the wire protocols, so the real SDK, the AWS CLI and boto3 can all talk to it. Its contract is the
//! fact book's "minimum contract of a realistic fake": the awkward parts of AWS are included.
//!
//! **A second opinion.** The sandbox judges what auroraml does, so it must not share auroraml's mistakes. It knows
//! the wire, and it does not know the product: it imports no SDK client, no spec, no plan and no kind, and it reads
//! requests and writes answers with code of its own. The one thing that both share is [`auroraml_clock`], because
//! a test that waits must wait for the same time on both sides. Whoever finds the same rule written here and in
//! the product has found the point of this crate, not a duplication.
//!
//! **Invariants.** All state is in [`World`], which can be cloned, saved and restored at any request. All randomness
//! comes from [`random::Random`], all time from the [clock](auroraml_clock::Clock) that a [`Sandbox`] owns.
//! Statuses are derived from times when a request arrives; nothing runs in the background. The log holds no
//! payload, so no secret can be in it.
//!
//! **Map**, from the ground up. A module imports only from lines above its own, and no two files import each other
//! in a circle.
//!
//! | modules | what they are |
//! |---|---|
//! | `account`, [`random`], [`wire`] | the account number and the birthday of a world; the only randomness; the wire protocols |
//! | `call`, [`faults`] | one request, decoded; what tests can let go wrong on the way |
//! | [`sts`], [`logs`], [`cloudwatch`], [`servicequotas`], [`kms`], [`s3`], [`ec2`] | services that need no other service |
//! | [`iam`], [`cloudtrail`], [`secretsmanager`] | services that ask one of those: IAM and [`cloudtrail`] need STS, Secrets Manager needs KMS |
//! | `comprehend` | the sentiment of texts |
//! | `pricing` | AWS's price list |
//! | `database` | MySQL's language, and the rows of a cluster |
//! | [`sagemaker`], [`rds`] | services that use several others; each has a `Reach`, which says whom. RDS's Data API asks SageMaker's endpoints |
//! | [`tagging`] | everything that has tags, late |
//! | [`cloudformation`] | stacks, made by whatever services `answer` reaches for it |
//! | `world` | the state of all of them, and the log |
//! | `decode`, `authorize`, `answer` | which operation a request asks for; whether its role may, or whoever is held to a policy (`enforced`); which service answers it |
//! | `sandbox` | the handle: a world, a clock, injected faults, snapshots |
//! | `sdk`, [`mod@file`], [`remote`], [`server`] | the ways in: as the SDK's HTTP client, as a file, as a port and who finds it there |
//!
//! A service is handed its own state and that of the services it uses, never the whole [`World`]: `answer` deals
//! them out, and is the only place that knows all services.

mod account;
mod answer;
mod authorize;
mod call;
pub mod cloudformation;
pub mod cloudtrail;
pub mod cloudwatch;
mod comprehend;
mod database;
mod decode;
pub mod ec2;
mod enforced;
pub mod faults;
pub mod file;
pub mod iam;
pub mod kms;
pub mod logs;
mod pricing;
pub mod random;
pub mod rds;
pub mod remote;
pub mod s3;
pub mod sagemaker;
mod sandbox;
mod sdk;
pub mod secretsmanager;
pub mod server;
pub mod servicequotas;
pub mod sts;
pub mod tagging;
pub mod wire;
mod world;

pub use account::{ACCOUNT, BIRTH_MS};
pub use call::Call;
pub use enforced::Enforced;
pub use sandbox::{Broken, Exchange, Sandbox, Snapshot};
pub use world::{Entry, Global, Region, World};
