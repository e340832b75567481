//! DB cluster parameter group and the parameters set in it.

use super::rds::{list_tags, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::plan::{Action, Change, Effect, PLAIN, Rules};
use aws_sdk_rds::types::{ApplyMethod, Filter, Parameter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct ParameterGroup;

/// Parameters in one Modify or Reset call (fact book, section 1.2).
const PER_CALL: usize = 20;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `aurora-mysql8.0`, `aurora-mysql8.4`.
    pub family: String,
    pub parameters: BTreeMap<String, Input>,
    /// Group whose values the new one starts with; looked at when it is created only.
    pub copy_of: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for ParameterGroup {
    const NAME: &'static str = "parameter_group";
    const RULES: Rules = Rules {
        after: &["role"],
        immutable: &[("family", "AWS fixes the family of a parameter group when it is made")],
        accept: |want, live| {
            // Values that came with a copy are as wanted as those that the spec names; roles of ours that
            // the spec no longer names are not.
            if !want["copy_of"].is_null()
                && let (Some(want), Some(live)) =
                    (want["parameters"].as_object_mut(), live["parameters"].as_object())
            {
                for (name, value) in live {
                    if !(name.starts_with("aws_default_") && name.ends_with("_role")) {
                        want.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
            want["copy_of"] = Value::Null;
        },
        // A dynamic parameter is applied at once, a static one waits for a restart of each member (fact book,
        // section 1.4).
        effect: |action, changes, live| {
            let is_static = |change: &&Change| {
                let name = change.path.strip_prefix("parameters.");
                name.is_some_and(|name| live["apply_types"][name] != "dynamic")
            };
            match action == Action::Update && changes.iter().any(|change| is_static(&change)) {
                true => Effect::Pending,
                false => Effect::None,
            }
        },
        poll_seconds: 3,
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (aws, name) = (look.aws, look.aws.place.cluster());
        let describe = async {
            let request =
                aws.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(&name);
            absent_ok(request.send().await.during("DescribeDBClusterParameterGroups"))
        };
        let arn = aws.place.parameter_group_arn();
        let (found, tags, parameters) =
            tokio::join!(describe, list_tags(aws, &arn), live_parameters(aws, &name));
        let Some(group) =
            found?.and_then(|found| found.db_cluster_parameter_groups.unwrap_or_default().into_iter().next())
        else {
            return Ok(Vec::new());
        };
        let tags = absent_ok(tags)?.unwrap_or_default();
        let parameters = absent_ok(parameters)?.unwrap_or_default();
        Ok(vec![Seen {
            name: "main".into(),
            owned: owns(&aws.place, &tags),
            props: Props {
                family: group.db_parameter_group_family().unwrap_or_default().to_string(),
                parameters,
                copy_of: None,
                tags,
            },
            outputs: [("name".into(), name)].into(),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let (name, description) =
            (aws.place.cluster(), format!("Parameters of the auroraml stack {}", aws.place.stack));
        let made = match &want.copy_of {
            Some(source) => {
                let request = aws
                    .rds
                    .copy_db_cluster_parameter_group()
                    .source_db_cluster_parameter_group_identifier(source)
                    .target_db_cluster_parameter_group_identifier(&name)
                    .target_db_cluster_parameter_group_description(description)
                    .set_tags(tags(&want.tags));
                request.send().await.during("CopyDBClusterParameterGroup").map(|_| ())
            }
            None => {
                let request = aws
                    .rds
                    .create_db_cluster_parameter_group()
                    .db_cluster_parameter_group_name(&name)
                    .db_parameter_group_family(&want.family)
                    .description(description)
                    .set_tags(tags(&want.tags));
                request.send().await.during("CreateDBClusterParameterGroup").map(|_| ())
            }
        };
        already_ok(made, Class::Exists)?;
        set(aws, &want.parameters).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let changed = |name: &String| update.changed(&format!("parameters.{name}"));
        let to_set: BTreeMap<String, Input> = update
            .want
            .parameters
            .iter()
            .filter(|(n, _)| changed(n))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let to_reset: Vec<String> = update
            .live
            .parameters
            .keys()
            .filter(|name| changed(name) && !update.want.parameters.contains_key(*name))
            .cloned()
            .collect();
        set(aws, &to_set).await?;
        let apply_types = apply_types(aws, &to_reset).await?;
        for chunk in to_reset.chunks(PER_CALL) {
            let parameters = chunk
                .iter()
                .map(|name| {
                    Parameter::builder().parameter_name(name).apply_method(method(&apply_types, name)).build()
                })
                .collect();
            aws.rds
                .reset_db_cluster_parameter_group()
                .db_cluster_parameter_group_name(aws.place.cluster())
                .set_parameters(Some(parameters))
                .send()
                .await
                .during("ResetDBClusterParameterGroup")?;
        }
        update_tags(aws, &aws.place.parameter_group_arn(), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request =
            aws.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(aws.place.cluster());
        already_ok(request.send().await.during("DeleteDBClusterParameterGroup"), Class::NotFound)
    }
}

async fn set_by_user(aws: &Aws, group: &str) -> Result<Vec<Parameter>, Failure> {
    aws.rds
        .describe_db_cluster_parameters()
        .db_cluster_parameter_group_name(group)
        .source("user")
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .during("DescribeDBClusterParameters")
}

/// Values that were set. AWS may list one that equals the default under another source than `user` (fact
/// book, section 1.2), so those that the spec names and the first list lacks are asked for by name.
async fn live_parameters(aws: &Aws, group: &str) -> Result<BTreeMap<String, Input>, Failure> {
    let mut found = set_by_user(aws, group).await?;
    let listed = |name: &String| found.iter().any(|p| p.parameter_name() == Some(name));
    let missing: Vec<String> = aws.scope.parameters.iter().filter(|name| !listed(name)).cloned().collect();
    found.extend(named(aws, group, &missing).await?);
    Ok(found
        .into_iter()
        .filter_map(|p| Some((p.parameter_name?, Input::Known(p.parameter_value?.trim().to_string()))))
        .collect())
}

async fn named(aws: &Aws, group: &str, names: &[String]) -> Result<Vec<Parameter>, Failure> {
    let mut found = Vec::new();
    // A filter takes 100 values.
    for chunk in names.chunks(100) {
        let filter = Filter::builder().name("parameter-name").set_values(Some(chunk.to_vec())).build();
        found.extend(
            aws.rds
                .describe_db_cluster_parameters()
                .db_cluster_parameter_group_name(group)
                .filters(filter)
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
                .during("DescribeDBClusterParameters")?,
        );
    }
    Ok(found)
}

/// `static` or `dynamic`, as AWS says: it differs by version and is not to be guessed.
async fn apply_types(aws: &Aws, names: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let found = named(aws, &aws.place.cluster(), names).await?;
    Ok(found.into_iter().filter_map(|p| Some((p.parameter_name?, p.apply_type?))).collect())
}

/// `immediate` is refused for a static parameter (fact book, trap 10).
fn method(apply_types: &BTreeMap<String, String>, name: &str) -> ApplyMethod {
    match apply_types.get(name).map(String::as_str) {
        Some("dynamic") => ApplyMethod::Immediate,
        _ => ApplyMethod::PendingReboot,
    }
}

/// Sets parameters, at most twenty in a call; sorted by name, so that those which depend on each other
/// (`character_set_…`, `collation_…`) travel together whenever they fit.
async fn set(aws: &Aws, parameters: &BTreeMap<String, Input>) -> Result<(), Failure> {
    let names: Vec<String> = parameters.keys().cloned().collect();
    let apply_types = apply_types(aws, &names).await?;
    for chunk in names.chunks(PER_CALL) {
        let entries = chunk
            .iter()
            .map(|name| {
                Parameter::builder()
                    .parameter_name(name)
                    .parameter_value(parameters[name].get())
                    .apply_method(method(&apply_types, name))
                    .build()
            })
            .collect();
        aws.rds
            .modify_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(aws.place.cluster())
            .set_parameters(Some(entries))
            .send()
            .await
            .during("ModifyDBClusterParameterGroup")?;
    }
    Ok(())
}
