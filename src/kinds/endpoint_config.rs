//! How AWS is asked for SageMaker endpoint configurations.

use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use super::sagemaker::{
    config_exists, configs, endpoint_of, is_hashed, list_tags, name_of, or_gone, tags, update_tags,
};
use crate::aws::{Aws, Class, During, Failure, Look, owns_or};
use auroraml_core::base::State;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::endpoint_config::{EndpointConfig, Props};
use aws_sdk_sagemaker::types::{ProductionVariant, ProductionVariantServerlessConfig};
use futures_util::future::join_all;

impl Calls for EndpointConfig {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let names = configs(look).await?;
        let details = join_all(names.iter().map(|name| detail(look, name))).await;
        Ok(details.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let variant = ProductionVariant::builder().variant_name(VARIANT).model_name(want.model.get());
        let variant = match &want.instance {
            Some(instance) => variant
                .instance_type(instance.as_str().into())
                .set_initial_instance_count(want.count)
                .initial_variant_weight(1.0),
            None => variant.serverless_config(
                ProductionVariantServerlessConfig::builder()
                    .set_memory_size_in_mb(want.memory)
                    .set_max_concurrency(want.max_concurrency)
                    .build(),
            ),
        };
        let request = aws
            .sagemaker
            .create_endpoint_config()
            .endpoint_config_name(aws.place.hashed_name(name))
            .production_variants(variant.build())
            .set_tags(tags(&want.tags));
        already_ok(just_made(request.send().await.during("CreateEndpointConfig")), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        update_tags(aws, &arn(aws, &aws.place.hashed_name(name)), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request =
            aws.sagemaker.delete_endpoint_config().endpoint_config_name(aws.place.hashed_name(name));
        already_ok(request.send().await.during("DeleteEndpointConfig"), Class::NotFound)
    }
}

/// Name of the one variant, as SageMaker's own SDK calls it.
pub(super) const VARIANT: &str = "AllTraffic";

fn arn(aws: &Aws, physical: &str) -> String {
    aws.place.sagemaker_arn("endpoint-config", physical)
}

async fn detail(look: Look<'_>, physical: &str) -> Result<Option<Seen<Props>>, Failure> {
    let aws = look.aws;
    // A listing says what is there; one that is asked for by its name may not be.
    if look.only.is_some() && !config_exists(aws, physical).await? {
        return Ok(None);
    }
    let arn = arn(aws, physical);
    let tags = list_tags(aws, &arn).await;
    let Some(tags) = or_gone(tags, config_exists(aws, physical)).await? else { return Ok(None) };
    let name = name_of(&aws.place, EndpointConfig::NAME, physical, &tags);
    Ok(Some(Seen {
        // The name holds the hash of what it is.
        owned: owns_or(&aws.place, &tags, is_hashed(&aws.place, physical)),
        props: Props {
            endpoint: endpoint_of(&name).unwrap_or_default().into(),
            model: "".into(),
            instance: None,
            count: None,
            memory: None,
            max_concurrency: None,
            tags,
        },
        outputs: [("name".into(), physical.into()), ("arn".into(), arn.into())].into(),
        state: State::Ready,
        name,
    }))
}
