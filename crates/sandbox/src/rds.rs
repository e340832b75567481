//! Simulated RDS: Aurora MySQL clusters, their members, and the DB cluster parameter groups that they run
//! with.
//!
//! **How time works.** Nothing runs in the background. A request first carries out every [`state::Effect`] whose
//! time has come, in order of time ([`settle`]); statuses are read off [`timeline::Timeline`]s. A change is accepted
//! first, becomes visible some seconds later, and ends later still (fact book, appendix E, item 1).
//!
//! **What runs where.** A member is `pending-reboot` from the moment that something changed which only a
//! restart picks up, until some time after a restart that began *after* that change.
//!
//! **Figures.** Durations are those of the fact book's table 8.2. What is not there is our estimate: upgrades,
//! changes of class, removal of a role, promotion after the writer's deletion, rotation of a password, work
//! behind an `available` status; and so are all probabilities.
//!
//! **Others.** RDS asks EC2 for subnets and security groups and puts network interfaces there, asks IAM
//! whether it can assume a role, keeps managed master passwords in Secrets Manager, and uses keys of KMS.
//!
//! **Rooms**, from the ground up; each imports only what stands before it in this list. The ground: [`timeline`]
//! (statuses and moments), [`windows`] (maintenance windows), [`state`] (what exists), [`global_databases`] (what
//! exists of those), [`interruptions`] (who was hit by a restart), [`refusals`] (errors and rules that many
//! share), [`context`] (one request and what it may touch). Then the tables: [`versions`], [`parameters`]. Then
//! the operations and what they share: [`input`] (what requests carry), [`tags`], [`roles`], [`credentials`]
//! (managed master passwords), [`watching`] (monitoring, insights, certificates), [`show`] (XML), [`subnets`], [`snapshots`], [`global`] (global databases),
//! [`restarts`] (reboot, failover, stop, start), [`pause`] (Serverless v2), [`groups`] and their [`values`],
//! [`clusters`], [`instances`], [`modify`]. On top: [`settle`] (what time does), [`hooks`]
//! for tests, [`data`] (the Data API), and this file, which only says who answers what.

mod clusters;
mod context;
mod credentials;
mod data;
mod global;
mod global_databases;
mod groups;
mod hooks;
mod input;
mod instances;
mod interruptions;
mod modify;
mod parameters;
mod pause;
mod quotas;
mod refusals;
mod restarts;
mod roles;
mod settle;
mod show;
mod snapshots;
mod state;
mod subnets;
mod tags;
mod timeline;
mod values;
mod versions;
mod watching;
mod windows;

use crate::call::Call;
use crate::wire::Reply;
use context::Context;
pub(crate) use context::Reach;
pub(crate) use data::{Beyond, changes as data_changes, handle as handle_data, operation as data_operation};
pub use global_databases::GlobalDatabases;
use groups::Level;
pub use state::{Interruption, Rds};

/// Lets time pass until the call, for services that show what RDS does by itself.
pub(crate) fn settle(call: &Call, reach: Reach<'_>) {
    settle::settle(&mut Context::new(call, reach));
}

pub(crate) fn handle(call: &Call, reach: Reach<'_>) -> Reply {
    let c = &mut Context::new(call, reach);
    if c.rds.suffix.is_empty() {
        c.rds.suffix = format!("c{}", c.random.letters(11).to_ascii_lowercase());
    }
    settle::settle(c);
    match call.operation.as_str() {
        "CreateDBCluster" => clusters::create(c),
        "DescribeDBClusters" => clusters::describe(c),
        "DeleteDBCluster" => clusters::delete(c),
        "EnableHttpEndpoint" => clusters::http_endpoint(c, true),
        "DisableHttpEndpoint" => clusters::http_endpoint(c, false),
        "ModifyDBCluster" => modify::cluster(c),
        "ModifyDBInstance" => modify::instance(c),
        "CreateDBInstance" => instances::create(c),
        "DescribeDBInstances" => instances::describe(c),
        "DeleteDBInstance" => instances::delete(c),
        "RebootDBInstance" => restarts::reboot(c),
        "RebootDBCluster" => restarts::reboot_cluster(c),
        "FailoverDBCluster" => restarts::failover(c),
        "StopDBCluster" => restarts::stop(c),
        "StartDBCluster" => restarts::start(c),
        "AddRoleToDBCluster" => roles::add(c),
        "RemoveRoleFromDBCluster" => roles::remove(c),
        "CreateDBClusterParameterGroup" => groups::create(c, Level::Cluster),
        "CopyDBClusterParameterGroup" => groups::copy(c, Level::Cluster),
        "DescribeDBClusterParameterGroups" => groups::describe(c, Level::Cluster),
        "ModifyDBClusterParameterGroup" => values::modify(c, Level::Cluster),
        "ResetDBClusterParameterGroup" => values::reset(c, Level::Cluster),
        "DeleteDBClusterParameterGroup" => groups::delete(c, Level::Cluster),
        "DescribeDBClusterParameters" => values::describe_parameters(c, Level::Cluster),
        "DescribeEngineDefaultClusterParameters" => values::describe_defaults(c, Level::Cluster),
        "DescribeEngineDefaultParameters" => values::describe_defaults(c, Level::Instance),
        "CreateDBParameterGroup" => groups::create(c, Level::Instance),
        "CopyDBParameterGroup" => groups::copy(c, Level::Instance),
        "DescribeDBParameterGroups" => groups::describe(c, Level::Instance),
        "ModifyDBParameterGroup" => values::modify(c, Level::Instance),
        "ResetDBParameterGroup" => values::reset(c, Level::Instance),
        "DeleteDBParameterGroup" => groups::delete(c, Level::Instance),
        "DescribeDBParameters" => values::describe_parameters(c, Level::Instance),
        "CreateDBSubnetGroup" => subnets::create(c),
        "DescribeDBSubnetGroups" => subnets::describe(c),
        "ModifyDBSubnetGroup" => subnets::modify(c),
        "DeleteDBSubnetGroup" => subnets::delete(c),
        "AddTagsToResource" => tags::add(c),
        "RemoveTagsFromResource" => tags::remove(c),
        "ListTagsForResource" => tags::list(c),
        "DescribeAccountAttributes" => quotas::describe(c),
        "DescribeDBEngineVersions" => versions::describe(c),
        "DescribeOrderableDBInstanceOptions" => versions::describe_orderable(c),
        "DescribeEvents" => snapshots::describe_events(c),
        "DescribeCertificates" => versions::describe_certificates(c),
        "DescribeOptionGroups" => versions::describe_option_groups(c),
        "CreateDBClusterSnapshot" => snapshots::create(c),
        "DescribeDBClusterSnapshots" => snapshots::describe(c),
        "DeleteDBClusterSnapshot" => snapshots::delete(c),
        "DescribePendingMaintenanceActions" => snapshots::describe_maintenance(c),
        "CreateGlobalCluster" => global::create(c),
        "DescribeGlobalClusters" => global::describe(c),
        "RemoveFromGlobalCluster" => global::remove(c),
        "DeleteGlobalCluster" => global::delete(c),
        _ => Err(call.unknown()),
    }
}
