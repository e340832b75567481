//! How AWS is asked for each kind of cloud object. One file a kind.
//!
//! What a kind is, its properties and rules, stands in [`auroraml_core::kinds`] under the same name. Here it says
//! how to look at its objects, create, change and delete them. It takes no decisions: what must change is worked
//! out by `plan`, when by `run`. Adding a kind: CONTRIBUTING.md.
//!
//! **Invariants.** `observe` changes nothing and *lists*: it finds objects by name, path or tag, never by
//! something remembered. Each create is safe to repeat after a look has shown that the object is not there.

mod autopilot_job;
pub(crate) mod beyond;
mod bucket;
mod bucket_object;
mod cluster;
mod cluster_role;
mod data_load;
mod data_unload;
mod ec2;
mod elastic_ip;
mod endpoint;
mod endpoint_config;
mod group_attachment;
mod group_parameters;
pub mod handover;
mod instance;
mod internet_gateway;
mod kind;
mod model;
mod nat_gateway;
mod notebook;
mod notebook_config;
mod parameter_group;
mod parameter_sync;
pub mod rds;
mod registry;
mod role;
mod route_table;
mod sagemaker;
mod secret;
mod secret_attachment;
mod security_group;
pub mod sql;
mod sql_database;
mod sql_function;
mod sql_grant;
mod sql_table;
mod stack;
mod subnet;
mod subnet_group;
pub mod swept;
mod training_job;
mod tuning_job;
mod vpc;
mod vpc_endpoint;

pub use kind::{ATTEMPT, AnyKind, Calls, Deletion, Seen, Task, Update, Work, absent_ok, already_ok};
pub use registry::Kinds;
pub use stack::change_set;
pub(crate) use stack::{filled, template_url};
