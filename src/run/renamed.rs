//! What the spec calls otherwise than AWS: looked for only where something is missing under its name.
//!
//! AWS renames none of it, and what is not found would be made a second time (docs/decisions/0020). The stack's security
//! groups, which are found by their tags alone, tell which names an earlier spec chose.

use crate::aws::{Aws, Class, Failure};
use crate::aws::{During, owns};
use crate::kinds::{absent_ok, rds};
use auroraml_core::base::names::{Names, Place};
use auroraml_core::base::{Id, Live, Observed};
use auroraml_core::model::facts::Renamed;
use auroraml_core::spec::{Aurora, SecretManager, Spec};
use std::collections::BTreeMap;

/// What bears the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Cluster,
    SubnetGroup,
    ParameterGroup,
    Secret,
    Notebook,
    NotebookConfig,
}

/// A name that the spec gives, or that auroraml chooses for it.
struct Named {
    what: What,
    id: Id,
    field: &'static str,
    /// The security group whose tags tell the name.
    told_by: Id,
    name: fn(&Place) -> String,
}

fn named(spec: &Spec) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |what, kind, name, field, group, of| {
        let (id, told_by) = (Id::new(kind, name), Id::new("security_group", group));
        all.push(Named { what, id, field, told_by, name: of });
    };
    if let Some(Aurora::Owned(cluster)) = &spec.aurora {
        add(What::Cluster, "cluster", "main", "aurora.identifier", "aurora", Place::cluster);
        add(What::SubnetGroup, "subnet_group", "main", "aurora.subnet_group", "aurora", Place::subnet_group);
        let group: fn(&Place) -> String = Place::parameter_group;
        add(What::ParameterGroup, "parameter_group", "main", "aurora.parameter_group", "aurora", group);
        if cluster.secret.managed_by == SecretManager::Stack {
            add(What::Secret, "secret", "master", "aurora.secret.name", "aurora", Place::secret);
        }
    }
    if spec.notebook.is_some() {
        add(What::Notebook, "notebook", "main", "notebook.name", "notebook", Place::notebook);
        let config: fn(&Place) -> String = Place::notebook_config;
        let field = "notebook.lifecycle_configuration";
        add(What::NotebookConfig, "notebook_config", "main", field, "notebook", config);
    }
    all
}

/// What is there under another name.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn renamed(aws: &Aws, spec: &Spec, observed: &Observed) -> Result<Vec<Renamed>, Failure> {
    let mut found = members(aws, spec, observed);
    for one in named(spec) {
        let group = observed.get(&one.told_by).filter(|group| group.owned);
        let Some(group) = group.filter(|_| !observed.contains_key(&one.id)) else { continue };
        let before = Place { names: told(group), ..aws.place.clone() };
        let (live, wanted) = ((one.name)(&before), (one.name)(&aws.place));
        if live != wanted && exists(aws, one.what, &live).await? {
            found.push(Renamed { id: one.id, field: one.field.into(), live, wanted });
        }
    }
    Ok(found)
}

/// The names in the tags of a security group.
fn told(group: &Live) -> Names {
    let tags = serde_json::from_value::<BTreeMap<String, String>>(group.props["tags"].clone());
    Names::told(&tags.unwrap_or_default())
}

/// Members, of which AWS lists all that a cluster has.
fn members(aws: &Aws, spec: &Spec, observed: &Observed) -> Vec<Renamed> {
    let Some(Aurora::Owned(cluster)) = &spec.aurora else { return Vec::new() };
    let wanted = (1..=cluster.instances.len().max(1)).filter_map(|n| {
        let id = Id::new("instance", n.to_string());
        let live = observed.get(&id).filter(|live| live.owned)?.output("id")?.to_string();
        let wanted = aws.place.instance(&id.name);
        let field = format!("aurora.instances[{}].identifier", n - 1);
        (live != wanted).then_some(Renamed { id, field, live, wanted })
    });
    wanted.collect()
}

/// Whether there is one of this name that is the stack's. Of what may not be asked nobody knows: then the tags are
/// believed.
async fn exists(aws: &Aws, what: What, name: &str) -> Result<bool, Failure> {
    let found = match what {
        What::Cluster => {
            let request = aws.rds.describe_db_clusters().db_cluster_identifier(name).send().await;
            absent_ok(request.during("DescribeDBClusters")).map(|found| {
                let clusters = found.and_then(|found| found.db_clusters).unwrap_or_default();
                clusters.iter().any(|cluster| owns(&aws.place, &rds::tags_of(cluster.tag_list())))
            })
        }
        What::SubnetGroup | What::ParameterGroup => {
            let arn = match what {
                What::SubnetGroup => aws.place.rds_arn("subgrp", name),
                _ => aws.place.rds_arn("cluster-pg", name),
            };
            absent_ok(rds::list_tags(aws, &arn).await)
                .map(|tags| tags.is_some_and(|tags| owns(&aws.place, &tags)))
        }
        What::Secret => {
            let request = aws.secretsmanager.describe_secret().secret_id(name).send().await;
            absent_ok(request.during("DescribeSecret"))
                .map(|found| found.is_some_and(|found| found.deleted_date().is_none()))
        }
        What::Notebook => {
            let request = aws.sagemaker.describe_notebook_instance().notebook_instance_name(name);
            absent_ok(request.send().await.during("DescribeNotebookInstance")).map(|found| found.is_some())
        }
        What::NotebookConfig => {
            let request = aws
                .sagemaker
                .describe_notebook_instance_lifecycle_config()
                .notebook_instance_lifecycle_config_name(name);
            let answer = request.send().await.during("DescribeNotebookInstanceLifecycleConfig");
            absent_ok(answer).map(|found| found.is_some())
        }
    };
    match found {
        Err(failure) if failure.is(Class::Denied) => Ok(true),
        other => other,
    }
}
