//! SageMaker endpoint configuration. It cannot change: its name holds the hash of what it is.

use super::sagemaker::{configs, endpoint_of, list_tags, name_of, not_yet, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::plan::{PLAIN, Rules};
use aws_sdk_sagemaker::types::{ProductionVariant, ProductionVariantServerlessConfig};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct EndpointConfig;

/// Name of the one variant, as SageMaker's own SDK calls it.
const VARIANT: &str = "AllTraffic";
const FIXED: &str = "AWS cannot change an endpoint configuration; auroraml makes a new one for every change, so this one was changed by others";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Name of the model.
    pub model: Input,
    /// `ml.m5.large`; none for serverless.
    pub instance: Option<String>,
    pub count: Option<i32>,
    /// MB, of a serverless variant.
    pub memory: Option<i32>,
    pub max_concurrency: Option<i32>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for EndpointConfig {
    const NAME: &'static str = "endpoint_config";
    const RULES: Rules = Rules {
        after: &["model"],
        immutable: &[
            ("endpoint", FIXED),
            ("model", FIXED),
            ("instance", FIXED),
            ("count", FIXED),
            ("memory", FIXED),
            ("max_concurrency", FIXED),
        ],
        // An endpoint that still uses it may take that long to go.
        limit_minutes: 60,
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let names = configs(look).await?;
        let details = join_all(names.iter().map(|name| detail(look.aws, name))).await;
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
        already_ok(not_yet(request.send().await.during("CreateEndpointConfig")), Class::Exists)
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

fn arn(aws: &Aws, physical: &str) -> String {
    aws.place.sagemaker_arn("endpoint-config", physical)
}

async fn detail(aws: &Aws, physical: &str) -> Result<Option<Seen<Props>>, Failure> {
    let describe = async {
        let request = aws.sagemaker.describe_endpoint_config().endpoint_config_name(physical);
        absent_ok(request.send().await.during("DescribeEndpointConfig"))
    };
    let arn = arn(aws, physical);
    let (found, tags) = tokio::join!(describe, list_tags(aws, &arn));
    let (Some(found), Some(tags)) = (found?, tags?) else { return Ok(None) };
    let name = name_of(&aws.place, EndpointConfig::NAME, physical, &tags);
    let variant = found.production_variants().first();
    let serverless = variant.and_then(|variant| variant.serverless_config());
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    Ok(Some(Seen {
        owned: owns(&aws.place, &tags),
        props: Props {
            endpoint: text(endpoint_of(&name)),
            model: text(variant.and_then(|variant| variant.model_name())).into(),
            instance: variant.and_then(|v| v.instance_type()).map(|kind| kind.as_str().to_string()),
            count: variant.and_then(|variant| variant.initial_instance_count()),
            memory: serverless.and_then(|serverless| serverless.memory_size_in_mb()),
            max_concurrency: serverless.and_then(|serverless| serverless.max_concurrency()),
            tags,
        },
        outputs: [("name".into(), physical.to_string()), ("arn".into(), text(found.endpoint_config_arn()))]
            .into(),
        state: State::Ready,
        name,
    }))
}
