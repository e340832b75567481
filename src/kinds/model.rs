//! SageMaker model. It cannot change: its name holds the hash of what it is.

use super::sagemaker::{endpoint_of, list_tags, models, name_of, not_yet, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::plan::{PLAIN, Rules};
use aws_sdk_sagemaker::types::ContainerDefinition;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Model;

const FIXED: &str =
    "AWS cannot change a model; auroraml makes a new one for every change, so this one was changed by others";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Image URI.
    pub image: String,
    /// `s3://bucket/key`
    pub artifact: Option<String>,
    pub environment: BTreeMap<String, String>,
    /// ARN of the execution role.
    pub role: Input,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Model {
    const NAME: &'static str = "model";
    const RULES: Rules = Rules {
        after: &["role", "bucket"],
        immutable: &[
            ("endpoint", FIXED),
            ("image", FIXED),
            ("artifact", FIXED),
            ("environment", FIXED),
            ("role", FIXED),
        ],
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let names = models(look).await?;
        let details = join_all(names.iter().map(|name| detail(look.aws, name))).await;
        Ok(details.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let environment = want.environment.clone().into_iter().collect();
        let container = ContainerDefinition::builder()
            .image(&want.image)
            .set_model_data_url(want.artifact.clone())
            .set_environment(Some(environment))
            .build();
        let request = aws
            .sagemaker
            .create_model()
            .model_name(aws.place.hashed_name(name))
            .primary_container(container)
            .execution_role_arn(want.role.get())
            .set_tags(tags(&want.tags));
        already_ok(not_yet(request.send().await.during("CreateModel")), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        update_tags(aws, &arn(aws, &aws.place.hashed_name(name)), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.sagemaker.delete_model().model_name(aws.place.hashed_name(name));
        already_ok(request.send().await.during("DeleteModel"), Class::NotFound)
    }
}

fn arn(aws: &Aws, physical: &str) -> String {
    aws.place.sagemaker_arn("model", physical)
}

async fn detail(aws: &Aws, physical: &str) -> Result<Option<Seen<Props>>, Failure> {
    let describe = async {
        absent_ok(aws.sagemaker.describe_model().model_name(physical).send().await.during("DescribeModel"))
    };
    let arn = arn(aws, physical);
    let (found, tags) = tokio::join!(describe, list_tags(aws, &arn));
    let (Some(found), Some(tags)) = (found?, tags?) else { return Ok(None) };
    let name = name_of(&aws.place, Model::NAME, physical, &tags);
    let container = found.primary_container();
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    Ok(Some(Seen {
        owned: owns(&aws.place, &tags),
        props: Props {
            endpoint: text(endpoint_of(&name)),
            image: text(container.and_then(|container| container.image())),
            artifact: container.and_then(|container| container.model_data_url()).map(String::from),
            environment: container
                .and_then(|container| container.environment())
                .map(|variables| variables.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
                .unwrap_or_default(),
            role: text(found.execution_role_arn()).into(),
            tags,
        },
        outputs: [("name".into(), physical.to_string()), ("arn".into(), text(found.model_arn()))].into(),
        state: State::Ready,
        name,
    }))
}
