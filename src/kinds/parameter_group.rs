//! How AWS is asked for the DB cluster parameter group.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok};
use super::rds::parameters::{apply_types, named, reset, set, set_by_user, values};
use super::rds::{self, list_tags, tags, update_tags};
use super::role;
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::base::{Input, State};
use auroraml_core::engine::Ability;
use auroraml_core::kinds::parameter_group::{ParameterGroup, Props};
use aws_sdk_rds::types::Parameter;
use std::collections::{BTreeMap, BTreeSet};

impl Calls for ParameterGroup {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (aws, name) = (look.aws, look.aws.place.parameter_group());
        let arn = aws.place.parameter_group_arn();
        // Neither tags nor values are in the listing.
        let known = match look.is_shared() {
            true => Some(rds::parameter_group(look).await?),
            false => None,
        };
        if let Some(None) = known {
            return Ok(Vec::new());
        }
        let describe = async {
            match known {
                Some(known) => Ok(known),
                None => rds::parameter_group(look).await,
            }
        };
        let (found, tags, parameters) =
            tokio::join!(describe, list_tags(aws, &arn), live_parameters(look, &name));
        let Some(group) = found? else { return Ok(Vec::new()) };
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
            outputs: [("name".into(), name.into())].into(),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let (name, description) =
            (aws.place.parameter_group(), format!("Parameters of the auroraml stack {}", aws.place.stack));
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
        let group = aws.place.parameter_group();
        let names: Vec<String> = to_set.keys().chain(&to_reset).cloned().collect();
        let types = apply_types(&named(aws, &group, &names).await?);
        set(aws, &group, &to_set, &types).await?;
        reset(aws, &group, &to_reset, &types).await?;
        update_tags(aws, &aws.place.parameter_group_arn(), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws
            .rds
            .delete_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(aws.place.parameter_group());
        already_ok(request.send().await.during("DeleteDBClusterParameterGroup"), Class::NotFound)
    }
}

/// Values that were set. AWS may list one under another source than `user` (fact book, section 1.2), so those that
/// the first list lacks are asked for by name: what the spec names, and what holds a role of this stack that the spec
/// no longer wants.
async fn live_parameters(look: Look<'_>, group: &str) -> Result<Vec<Parameter>, Failure> {
    let aws = look.aws;
    let (found, roles) = tokio::join!(set_by_user(aws, group), role::of_the_stack(look));
    let (mut found, roles) = (found?, roles?);
    let has_role = |ability: &&Ability| {
        let name = aws.place.role(ability.name);
        roles.iter().any(|role| role.name == name)
    };
    let abilities = aws.scope.engine.abilities.iter().filter(has_role);
    let of_roles = abilities.filter_map(|ability| Some(ability.wiring.parameter()?.to_string()));
    let wanted: BTreeSet<String> = aws.scope.parameters.iter().cloned().chain(of_roles).collect();
    let listed = |name: &String| found.iter().any(|p| p.parameter_name() == Some(name));
    let missing: Vec<String> = wanted.into_iter().filter(|name| !listed(name)).collect();
    found.extend(named(aws, group, &missing).await?);
    Ok(found)
}
