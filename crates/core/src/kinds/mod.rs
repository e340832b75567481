//! What each kind of cloud object is: its properties, desired and live, and its [`Rules`]. One file a kind. Pure.
//!
//! How AWS is asked for one stands in the `kinds` of the crate above, under the same name. Adding a kind:
//! CONTRIBUTING.md.

use crate::resource::{Catalog, Rules};
use serde::{Serialize, de::DeserializeOwned};

pub mod autopilot_job;
pub mod bucket;
pub mod bucket_object;
pub mod cluster;
pub mod cluster_role;
pub mod data_load;
pub mod data_unload;
pub mod elastic_ip;
pub mod endpoint;
pub mod endpoint_config;
pub mod group_attachment;
pub mod group_parameters;
pub mod instance;
pub mod internet_gateway;
pub mod model;
pub mod nat_gateway;
pub mod notebook;
pub mod notebook_config;
pub mod parameter_group;
pub mod parameter_sync;
pub mod role;
pub mod route_table;
pub mod secret;
pub mod secret_attachment;
pub mod security_group;
pub mod sql_database;
pub mod sql_function;
pub mod sql_grant;
pub mod sql_table;
pub mod stack;
pub mod subnet;
pub mod subnet_group;
pub mod training_job;
pub mod tuning_job;
pub mod vpc;
pub mod vpc_endpoint;

mod parameters;
mod unseen;

/// What a kind's file provides.
pub trait Kind: Sync + 'static {
    const NAME: &'static str;
    const RULES: Rules;
    /// Desired and live properties. `None` in the desired ones means "whatever it is".
    type Props: Serialize + DeserializeOwned + Send + Sync;
}

/// Hands every kind there is to a macro, each after the title of the section that shows it, a task with `[task]` before
/// it. The order is that in which a person would build a stack; output follows it.
#[macro_export]
macro_rules! every_kind {
    ($take:ident) => {
        $take! {
            "CloudFormation stacks": stack::Stack,
            "Network": vpc::Vpc,
            "Network": internet_gateway::InternetGateway,
            "Network": subnet::Subnet,
            "Network": elastic_ip::ElasticIp,
            "Network": nat_gateway::NatGateway,
            "Network": route_table::RouteTable,
            "Network": security_group::SecurityGroup,
            "Network": vpc_endpoint::VpcEndpoint,
            "Bucket": bucket::Bucket,
            "Bucket": bucket_object::BucketObject,
            "Roles": role::Role,
            "Database": secret::Secret,
            "Database": subnet_group::SubnetGroup,
            "Database": parameter_group::ParameterGroup,
            "Database": group_parameters::GroupParameters,
            "Database": cluster::Cluster,
            "Database": group_attachment::GroupAttachment,
            "Database": cluster_role::ClusterRole,
            "Database": instance::Instance,
            "Database": parameter_sync::ParameterSync,
            "Database": secret_attachment::SecretAttachment,
            "Tables and data": sql_database::SqlDatabase,
            "Tables and data": sql_table::SqlTable,
            "Tables and data": [task] data_load::DataLoad,
            "Tables and data": [task] data_unload::DataUnload,
            "Models": [task] training_job::TrainingJob,
            "Models": [task] tuning_job::TuningJob,
            "Models": [task] autopilot_job::AutopilotJob,
            "SageMaker endpoints": model::Model,
            "SageMaker endpoints": endpoint_config::EndpointConfig,
            "SageMaker endpoints": endpoint::Endpoint,
            "SQL": sql_function::SqlFunction,
            "SQL": sql_grant::SqlGrant,
            "Notebook": notebook_config::NotebookConfig,
            "Notebook": notebook::Notebook,
        }
    };
}

macro_rules! sections {
    ($($section:literal: $([$task:ident])? $file:ident::$kind:ident,)*) => {
        &[$(($file::$kind::NAME, $section)),*]
    };
}

/// The title of the section that shows each kind, in the order of all kinds.
pub const SECTIONS: &[(&str, &str)] = every_kind!(sections);

macro_rules! rules {
    ($($section:literal: $([$task:ident])? $file:ident::$kind:ident,)*) => {
        [$(($file::$kind::NAME, $file::$kind::RULES)),*]
    };
}

/// The rules of all kinds, as the planner wants them.
pub fn catalog() -> Catalog {
    every_kind!(rules).into_iter().collect()
}
