//! How AWS is asked for SageMaker endpoints.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use super::sagemaker::{
    all_configs, config_exists, endpoint_of, is_hashed, list_tags, may_be_cut, name_of, or_gone, tags,
    update_tags,
};
use crate::aws::{Aws, Class, During, Failure, Look, owns_or};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::endpoint::{Endpoint, Props};
use auroraml_core::kinds::endpoint_config::EndpointConfig;
use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;
use aws_sdk_sagemaker::types::EndpointStatus;
use futures_util::future::{Either, join_all, select};
use std::collections::BTreeSet;
use std::pin::pin;

impl Calls for Endpoint {
    /// Endpoints that the spec names, and those of the stack's live configurations: an endpoint that the spec
    /// no longer has is found by its configuration.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if let Some(name) = look.only {
            return Ok(detail(aws, name).await?.into_iter().collect());
        }
        let named = join_all(aws.scope.endpoints.iter().map(|name| detail(aws, name)));
        let others = async {
            let names = of_configs(look).await?;
            let scope = &aws.scope;
            let known =
                |name: &String| scope.endpoints.contains(name) || scope.notebook_endpoints.contains(name);
            let others = names.iter().filter(|name| !known(name));
            join_all(others.map(|name| detail(aws, name))).await.into_iter().collect::<Result<Vec<_>, _>>()
        };
        // Those that others make: most are not there, and of those one request is enough to know.
        let theirs = join_all(aws.scope.notebook_endpoints.iter().map(|name| async {
            match describe(aws, name).await? {
                Some(_) => detail(aws, name).await,
                None => Ok(None),
            }
        }));
        let (named, others, theirs) = tokio::join!(named, others, theirs);
        let named = named.into_iter().chain(theirs).collect::<Result<Vec<_>, _>>()?;
        // Another stack's endpoint may have the name that a cut-off or foreign configuration suggests.
        let others = others?.into_iter().flatten().filter(|seen| seen.owned);
        Ok(named.into_iter().flatten().chain(others).collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_endpoint()
            .endpoint_name(name)
            .endpoint_config_name(want.config.get())
            .set_tags(tags(&want.tags));
        already_ok(just_made(request.send().await.during("CreateEndpoint")), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        if update.changed("config") || update.changed("serverless") {
            // Counts and weights are the configuration's, so those of the old variants are not retained.
            let request = aws
                .sagemaker
                .update_endpoint()
                .endpoint_name(name)
                .endpoint_config_name(update.want.config.get());
            just_made(request.send().await.during("UpdateEndpoint"))?;
        }
        update_tags(aws, &aws.place.endpoint_arn(name), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        // Only what a person has named: the stack's own configurations and models are resources of their own.
        let along = match deletion.options.contains_key("allowed_by") {
            true => made_by_notebook(aws, name, deletion.live.config.get()).await?,
            false => None,
        };
        let request = aws.sagemaker.delete_endpoint().endpoint_name(name);
        already_ok(request.send().await.during("DeleteEndpoint"), Class::NotFound)?;
        // The endpoint comes first, because AWS wants no configuration deleted that is in use. A run that is killed in
        // between leaves a configuration and a model, which cost nothing.
        let Some((config, models)) = along else { return Ok(()) };
        let request = aws.sagemaker.delete_endpoint_config().endpoint_config_name(config);
        already_ok(request.send().await.during("DeleteEndpointConfig"), Class::NotFound)?;
        for model in models {
            let request = aws.sagemaker.delete_model().model_name(model);
            already_ok(request.send().await.during("DeleteModel"), Class::NotFound)?;
        }
        Ok(())
    }
}

/// The configuration of an endpoint that a notebook made, and the models in it, as far as their names say that they
/// were made for it: the SageMaker SDK names the configuration after the endpoint, at times with the date behind it,
/// and the stack's notebook names models after itself (its role may delete no others).
async fn made_by_notebook(
    aws: &Aws,
    endpoint: &str,
    config: &str,
) -> Result<Option<(String, Vec<String>)>, Failure> {
    let dated = config.strip_prefix(endpoint).is_some_and(|rest| rest.is_empty() || rest.starts_with("-20"));
    if !dated {
        return Ok(None);
    }
    let request = aws.sagemaker.describe_endpoint_config().endpoint_config_name(config);
    let Some(found) = absent_ok(request.send().await.during("DescribeEndpointConfig"))? else {
        return Ok(None);
    };
    let prefix = aws.place.name("notebook-");
    let models = found.production_variants().iter().filter_map(|variant| variant.model_name());
    let models = models.filter(|name| name.starts_with(&prefix)).map(String::from).collect();
    Ok(Some((config.to_string(), models)))
}

/// Names of the endpoints for which the stack's configurations were made.
pub(super) async fn of_configs(look: Look<'_>) -> Result<BTreeSet<String>, Failure> {
    let aws = look.aws;
    let configs = all_configs(look).await?;
    let names = configs.iter().map(|physical| async move {
        let tags = match may_be_cut(physical) {
            true => {
                let arn = aws.place.sagemaker_arn("endpoint-config", physical);
                or_gone(list_tags(aws, &arn).await, config_exists(aws, physical)).await?
            }
            false => None,
        };
        let name = name_of(&aws.place, EndpointConfig::NAME, physical, &tags.unwrap_or_default());
        Ok(endpoint_of(&name).map(String::from))
    });
    let names: Result<Vec<Option<String>>, Failure> = join_all(names).await.into_iter().collect();
    Ok(names?.into_iter().flatten().collect())
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<DescribeEndpointOutput>, Failure> {
    let request = aws.sagemaker.describe_endpoint().endpoint_name(name);
    absent_ok(request.send().await.during("DescribeEndpoint"))
}

async fn detail(aws: &Aws, name: &str) -> Result<Option<Seen<Props>>, Failure> {
    let arn = aws.place.endpoint_arn(name);
    // Side by side, to save a round; but nobody waits for the tags of what is not there.
    let (found, tags) = match select(pin!(describe(aws, name)), pin!(list_tags(aws, &arn))).await {
        Either::Left((found, tags)) => {
            let Some(found) = found? else { return Ok(None) };
            (found, tags.await)
        }
        Either::Right((tags, found)) => {
            let Some(found) = found.await? else { return Ok(None) };
            (found, tags)
        }
    };
    let still = async { Ok(describe(aws, name).await?.is_some()) };
    let Some(tags) = or_gone(tags, still).await? else { return Ok(None) };
    let status = found.endpoint_status().map(EndpointStatus::as_str).unwrap_or_default();
    let reason = found.failure_reason().filter(|reason| !reason.is_empty());
    let variants = found.production_variants();
    let mut outputs = Outputs::from([("name".into(), name.into()), ("arn".into(), arn.into())]);
    if let ("InService", Some(reason)) = (status, reason) {
        // A failed update ends with the old configuration in service (fact book, trap 49).
        let why = format!("AWS rolled the endpoint's last update back: {reason}");
        outputs.insert("failure".into(), why.into());
    }
    Ok(Some(Seen {
        name: name.to_string(),
        // It serves a configuration of this stack's, made for it.
        owned: owns_or(&aws.place, &tags, serves_ours(aws, name, found.endpoint_config_name())),
        props: Props {
            config: found.endpoint_config_name().unwrap_or_default().into(),
            serverless: Some(variants.iter().any(|variant| variant.current_serverless_config().is_some())),
            tags,
        },
        outputs,
        state: state(status, reason.unwrap_or("AWS gives no reason"), name),
    }))
}

/// Whether that configuration has the name that this stack's for this endpoint have.
fn serves_ours(aws: &Aws, endpoint: &str, config: Option<&str>) -> bool {
    let Some(config) = config.filter(|config| is_hashed(&aws.place, config)) else { return false };
    config
        .rsplit_once('-')
        .is_some_and(|(_, hash)| aws.place.hashed_name(&format!("{endpoint}-{hash}")) == config)
}

/// Statuses by what they mean for us (fact book, section 4.4).
fn state(status: &str, reason: &str, name: &str) -> State {
    match status {
        "InService" => State::Ready,
        // Nothing but a deletion is possible, and an endpoint holds nothing.
        "Failed" | "UpdateRollbackFailed" => State::Broken(reason.into()),
        "OutOfService" => State::Failed(format!(
            "it is out of service ({reason}); delete it (aws sagemaker delete-endpoint --endpoint-name {name}), then run again"
        )),
        other => State::Busy(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_replaced_and_nothing_else() {
        assert!(matches!(state("Failed", "x", "e"), State::Broken(_)));
        assert!(matches!(state("UpdateRollbackFailed", "x", "e"), State::Broken(_)));
        assert!(matches!(state("SystemUpdating", "x", "e"), State::Busy(_)));
        assert!(matches!(state("OutOfService", "x", "e"), State::Failed(_)));
    }
}
