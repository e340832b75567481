//! The pure half of auroraml: what a stack is, and what has to be done for it. No AWS, no clock, no files.
//!
//! A spec and what was seen of AWS go in, a plan comes out; so everything here is a function of its arguments, and
//! its tests need neither the SDK nor a runtime.
//!
//! # Floors
//!
//! Nothing looks upward; `tests/tidy.rs` of this crate keeps it so.
//!
//! | floor | module | what it is |
//! |---|---|---|
//! | 1 | [`base`] | ids, references, live objects, differences, names, policy documents |
//! | 1 | [`engine`] | what auroraml knows of a database engine, as a value |
//! | 1 | [`sql`] | SQL as text: quoting, types, statements, and what MySQL shows |
//! | 1 | [`template`] | CloudFormation templates as values |
//! | 2 | [`spec`] | YAML to [`spec::Spec`], every problem with its position |
//! | 2 | [`lease`] | who may change a stack now, as a document |
//! | 3 | [`members`] | the members of a cluster: who restarts next, what interrupts them, what is permitted |
//! | 4 | [`resource`] | the graph of desired resources, and the [`resource::Rules`] of a kind |
//! | 5 | [`cost`] | what the graph and what is live costs, by a table of prices |
//! | 6 | [`kinds`] | what each kind is: its properties and rules |
//! | 6 | [`plan`] | graph and live state to [`plan::Plan`], a value |
//! | 6 | [`events`] | what is told while a plan is carried out |
//! | 7 | [`takeover`] | what CloudFormation made: what becomes of it, and the spec that describes it |
//! | 8 | [`model`] | spec to graph: how Aurora machine learning fits together |
//! | 9 | [`drift`] | what is not as the spec says, beyond what a plan asks for |
//! | 9 | [`export`] | spec to a CloudFormation template |
//! | 9 | [`policy`] | spec to the least that IAM must allow |
//! | 9 | [`verify`] | what was seen of live wiring to checks |
//! | 10 | [`render`] | plans, progress, stacks and checks as text, Markdown, JSON |

pub mod base;
pub mod cost;
pub mod drift;
pub mod engine;
pub mod events;
pub mod export;
pub mod kinds;
pub mod lease;
pub mod members;
pub mod model;
pub mod plan;
pub mod policy;
pub mod render;
pub mod resource;
pub mod spec;
pub mod sql;
pub mod takeover;
pub mod template;
pub mod verify;
