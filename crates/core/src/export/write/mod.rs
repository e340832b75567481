//! How each kind is said in a template: one writer for each.

mod bucket;
mod database;
mod network;
mod notebook;
mod role;
mod sagemaker;
mod security_group;
mod stack;

pub use sagemaker::has_model;

use super::context::{Context, Written};
use super::references;
use crate::resource::Resource;
use serde::de::DeserializeOwned;

type Writer = fn(&Context<'_>, &Resource) -> Vec<Written>;

/// The writer of a kind; none for what CloudFormation has no resource type for.
pub fn writer(kind: &str) -> Option<Writer> {
    let writer: Writer = match kind {
        "stack" => stack::write,
        "vpc" => network::vpc,
        "internet_gateway" => network::internet_gateway,
        "subnet" => network::subnet,
        "elastic_ip" => network::elastic_ip,
        "nat_gateway" => network::nat_gateway,
        "route_table" => network::route_table,
        "vpc_endpoint" => network::vpc_endpoint,
        "security_group" => security_group::write,
        "bucket" => bucket::write,
        "role" => role::write,
        "secret" => database::secret,
        "secret_attachment" => database::secret_attachment,
        "subnet_group" => database::subnet_group,
        "parameter_group" => database::parameter_group,
        "cluster" => database::cluster,
        "instance" => database::instance,
        // Said with the cluster.
        "cluster_role" => |_, _| Vec::new(),
        "model" => sagemaker::model,
        "endpoint_config" => sagemaker::endpoint_config,
        "endpoint" => sagemaker::endpoint,
        "notebook_config" => notebook::config,
        "notebook" => notebook::notebook,
        _ => return None,
    };
    Some(writer)
}

/// The properties of a resource. The model made them of the same type, but for outputs where that has texts.
///
/// # Panics
/// When they are of another kind: a bug of the table above.
fn props<P: DeserializeOwned>(resource: &Resource) -> P {
    serde_json::from_value(references::marked(&resource.props))
        .unwrap_or_else(|error| panic!("{}: {error}", resource.id))
}
