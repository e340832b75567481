//! SageMaker model. It cannot change: its name holds the hash of what it is.

use super::sagemaker::{endpoint_of, list_tags, models, name_of, not_yet, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::plan::{PLAIN, Rules};
use aws_sdk_sagemaker::types::ContainerDefinition;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Model;

/// What the hash in the name stands for. AWS changes none of it, so an object of the name *is* as wanted and
/// a look need not ask for more than its tags.
const IN_THE_NAME: [&str; 5] = ["endpoint", "image", "artifact", "environment", "role"];

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
        accept: |want, live| {
            for property in IN_THE_NAME {
                want[property] = live[property].clone();
            }
        },
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
    let arn = arn(aws, physical);
    let Some(tags) = list_tags(aws, &arn).await? else { return Ok(None) };
    let name = name_of(&aws.place, Model::NAME, physical, &tags);
    Ok(Some(Seen {
        owned: owns(&aws.place, &tags),
        props: Props {
            endpoint: endpoint_of(&name).unwrap_or_default().into(),
            image: String::new(),
            artifact: None,
            environment: BTreeMap::new(),
            role: "".into(),
            tags,
        },
        outputs: [("name".into(), physical.to_string()), ("arn".into(), arn)].into(),
        state: State::Ready,
        name,
    }))
}
