//! The database of an Aurora cluster: MySQL's language over rows that SQLite keeps, and what Aurora adds to it.
//!
//! sqlparser reads statements, [`translate`] writes them for SQLite with MySQL's types and rules, [`rows`] keeps rows in
//! memory. What MySQL keeps beside its rows (databases, tables, functions, accounts) is a value: [`catalog`]. What a
//! statement asks outside, S3 and the machine learning services, it asks through [`session::Outside`]; the chain of
//! links on that way is not this folder's. A statement that is not modelled is refused with error 1235, never guessed.
//!
//! From the ground up: [`errors`], [`moments`], [`types`], [`store`] (what a value becomes in a column), [`plain`] (functions for SQLite), [`rows`], [`catalog`],
//! [`session`], [`reader`], [`privileges`], [`system`] (its tables), [`translate`], [`lines`] (text files); then the
//! statements: [`schema`], [`write`], [`routines`], [`grants`], [`accounts`], [`show`], [`load`], [`unload`]; on top [`engine`], and
//! [`server`], which keeps transactions.

mod accounts;
mod catalog;
mod cells;
mod engine;
mod errors;
mod grants;
mod lines;
mod load;
mod moments;
mod plain;
mod privileges;
mod reader;
mod routines;
mod rows;
mod schema;
mod server;
mod session;
mod show;
mod store;
mod system;
mod translate;
mod types;
mod unload;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use accounts::hashed;
pub(crate) use engine::{Outcome, Oversize, only_looks};
pub(crate) use errors::{SqlError, login, machine_learning, s3 as s3_error, s3_stream};
pub use server::Server;
pub(crate) use server::{Answer, Asked, Entry};
pub(crate) use session::{Address, Ask, Model, Outside, Parameter, Parameters, Source};
pub(crate) use translate::Output;
pub(crate) use types::{Kind, Type, as_text};
pub(crate) use unload::written;
