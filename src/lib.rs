//! auroraml sets up Aurora machine learning in an AWS account from one YAML file.
//!
//! # Code map
//!
//! The pure half is a crate of its own, [`auroraml_core`]; this crate is what talks to AWS. Nothing looks upward.
//!
//! | floor | module | what it does |
//! |---|---|---|
//! | 1 | [`auroraml_core`], [`auroraml_clock`] | spec to plan, verify, render: no AWS; the one clock |
//! | 2 | [`aws`] | SDK clients, error classes, shared listings; [`aws::SecretText`] |
//! | 3 | [`kinds`] | how AWS is asked for each kind of cloud object, one file a kind |
//! | 4 | [`stack`] | one stack: spec, account and region, connection |
//! | 5 | [`run`] | looks, plans, carries plans out; waits |
//! | 5 | [`verify`] | asks AWS for the live wiring, and has it judged |
//!
//! The binary stands above: `src/cli` has one file a command and is the only place that reads arguments,
//! environment and terminal. The simulated AWS, `crates/sandbox`, is known to it and to the tests, and shares
//! nothing with this crate but the clock. `ARCHITECTURE.md` says why it is so.

pub mod aws;
pub mod kinds;
pub mod run;
pub mod stack;
pub mod verify;
