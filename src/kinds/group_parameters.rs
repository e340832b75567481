//! How AWS is asked for the role parameters in a group that others made.

use super::kind::{Calls, Deletion, Seen, Update};
use super::rds::parameters::{apply_types, attached, named, reset, set, values};
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::group_parameters::{GroupParameters, Props};
use std::collections::BTreeMap;

impl Calls for GroupParameters {
    /// There as soon as one of the values is a role of ours: what others set is none of our business.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let found = attached(look).await?;
        let Some(found) = found.as_ref() else { return Ok(Vec::new()) };
        let prefix = look.aws.place.role_arn_prefix();
        let mut parameters = found.roles();
        parameters.retain(|_, role| role.starts_with(&prefix));
        if parameters.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Seen {
            name: "main".into(),
            props: Props {
                group: found.group.as_str().into(),
                parameters: parameters.into_iter().map(|(name, role)| (name, role.into())).collect(),
                apply_types: Some(apply_types(&found.parameters)),
            },
            outputs: [("name".into(), found.group.as_str().into())].into(),
            state: State::Ready,
            owned: true,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        change(aws, want.group.get(), &want.parameters, &[]).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let Update { want, live, changes, .. } = update;
        let changed =
            |name: &String| changes.iter().any(|change| change.path == format!("parameters.{name}"));
        let mut to_set = want.parameters.clone();
        to_set.retain(|name, _| changed(name));
        let gone = live.parameters.keys().filter(|name| !want.parameters.contains_key(*name));
        let to_reset: Vec<String> = gone.cloned().collect();
        change(aws, want.group.get(), &to_set, &to_reset).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let ours: Vec<String> = deletion.live.parameters.keys().cloned().collect();
        change(aws, deletion.live.group.get(), &BTreeMap::new(), &ours).await
    }
}

/// Sets and resets parameters of a group that others own, unless somebody has set one of them meanwhile.
async fn change(
    aws: &Aws,
    group: &str,
    to_set: &BTreeMap<String, Input>,
    to_reset: &[String],
) -> Result<(), Failure> {
    let names: Vec<String> = to_set.keys().chain(to_reset).cloned().collect();
    let found = named(aws, group, &names).await?;
    let prefix = aws.place.role_arn_prefix();
    let foreign = |(_, role): &(String, String)| !role.is_empty() && !role.starts_with(&prefix);
    if let Some((name, role)) = values(&found).into_iter().find(foreign) {
        return Err(Failure::refused(
            "ModifyDBClusterParameterGroup",
            format!(
                "{name} of the parameter group {group} is now {role}, which does not belong to this stack: nothing was changed; run again for a new plan"
            ),
        ));
    }
    let types = apply_types(&found);
    set(aws, group, to_set, &types).await?;
    reset(aws, group, to_reset, &types).await
}
