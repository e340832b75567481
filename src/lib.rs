//! auroraml brings an AWS account to what a YAML file says about Aurora machine learning.
//!
//! # Code map
//!
//! Data flows down this list; nothing imports upward, with two exceptions that are named.
//!
//! | module | what it does | may use |
//! |---|---|---|
//! | `cli` | one file per command; the only place that reads arguments, environment and terminal | everything |
//! | [`spec`] | YAML to [`spec::Spec`], every problem with its position | pure crates |
//! | [`model`] | spec to [`model::graph::Graph`]: how Aurora machine learning fits together | pure crates; the kinds' `Props` |
//! | [`plan`] | graph and live state to [`plan::Plan`], a value | pure crates, `model::graph` |
//! | `render` | plans and progress as text, Markdown, JSON | pure crates, `plan` |
//! | [`aws`] | SDK clients, error classes, shared listings; [`aws::SecretText`] | the SDK, `model::names` |
//! | [`kinds`] | one file per kind of cloud object | `aws`, `plan::Rules`, the SDK crate of its service |
//! | [`run`] | carries plans out; waits; events | `kinds` through [`kinds::AnyKind`] |
//! | [`sandbox`] | simulated AWS behind the SDK's HTTP interface | the wire, tokio's time; nothing above |
//! | [`clock`] | the one clock | tokio's time |
//!
//! `tests/it/tidy.rs` reads the `use` lines and keeps this table true. `ARCHITECTURE.md` says why it is so.

pub mod aws;
pub mod cli;
pub mod clock;
pub mod kinds;
pub mod model;
pub mod plan;
pub mod render;
pub mod run;
pub mod sandbox;
pub mod spec;
