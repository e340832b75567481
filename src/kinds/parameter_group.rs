//! DB cluster parameter group and the parameters set in it.

use super::rds::parameters::{apply_types, effect, named, reset, set, set_by_user, values};
use super::rds::{list_tags, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::model::names::STACK_TAG;
use crate::plan::{Action, Effect, PLAIN, Rules};
use aws_sdk_rds::types::Parameter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct ParameterGroup;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `aurora-mysql8.0`, `aurora-mysql8.4`.
    pub family: String,
    pub parameters: BTreeMap<String, Input>,
    /// Group whose values the new one starts with; looked at when it is created only.
    pub copy_of: Option<String>,
    /// `static` or `dynamic`, for each parameter that is set or that the spec names: AWS says it, so it is a
    /// live property only and never a wish.
    pub apply_types: Option<BTreeMap<String, String>>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for ParameterGroup {
    const NAME: &'static str = "parameter_group";
    const RULES: Rules = Rules {
        after: &["role"],
        immutable: &[("family", "AWS fixes the family of a parameter group when it is made")],
        accept: |want, live| {
            // Values that came with a copy are as wanted as those that the spec names, the roles of others
            // among them; roles of ours that the spec no longer names are not.
            let path = format!(":role/auroraml/{}/", want["tags"][STACK_TAG].as_str().unwrap_or_default());
            if !want["copy_of"].is_null()
                && let (Some(want), Some(live)) =
                    (want["parameters"].as_object_mut(), live["parameters"].as_object())
            {
                for (name, value) in live {
                    if !value.as_str().is_some_and(|value| value.contains(&path)) {
                        want.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
            want["copy_of"] = Value::Null;
        },
        effect: |action, changes, live| match action {
            Action::Update => effect(action, changes, live),
            // Nothing is attached yet, or any more.
            _ => Effect::None,
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
                parameters: values(&parameters).into_iter().map(|(n, v)| (n, Input::Known(v))).collect(),
                copy_of: None,
                apply_types: Some(apply_types(&parameters)),
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
        let names: Vec<String> = want.parameters.keys().cloned().collect();
        let types = apply_types(&named(aws, &name, &names).await?);
        set(aws, &name, &want.parameters, &types).await
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
        let group = aws.place.cluster();
        let names: Vec<String> = to_set.keys().chain(&to_reset).cloned().collect();
        let types = apply_types(&named(aws, &group, &names).await?);
        set(aws, &group, &to_set, &types).await?;
        reset(aws, &group, &to_reset, &types).await?;
        update_tags(aws, &aws.place.parameter_group_arn(), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request =
            aws.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(aws.place.cluster());
        already_ok(request.send().await.during("DeleteDBClusterParameterGroup"), Class::NotFound)
    }
}

/// Values that were set. AWS may list one that equals the default under another source than `user` (fact
/// book, section 1.2), so those that the spec names and the first list lacks are asked for by name.
async fn live_parameters(aws: &Aws, group: &str) -> Result<Vec<Parameter>, Failure> {
    let mut found = set_by_user(aws, group).await?;
    let listed = |name: &String| found.iter().any(|p| p.parameter_name() == Some(name));
    let missing: Vec<String> = aws.scope.parameters.iter().filter(|name| !listed(name)).cloned().collect();
    found.extend(named(aws, group, &missing).await?);
    Ok(found)
}
