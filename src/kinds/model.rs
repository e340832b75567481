//! How AWS is asked for SageMaker models.

use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use super::sagemaker::{
    endpoint_of, is_hashed, list_tags, model_exists, models, name_of, or_gone, tags, update_tags,
};
use crate::aws::{Aws, Class, During, Failure, Look, owns_or};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::model::{Model, Props};
use aws_sdk_sagemaker::types::ContainerDefinition;
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Characters from which on a value may be a secret: shorter ones are found in words.
const SECRET_MIN: usize = 5;

impl Calls for Model {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let names = models(look).await?;
        let details = join_all(names.iter().map(|name| detail(look, name))).await;
        Ok(details.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_model()
            .model_name(aws.place.hashed_name(name))
            .execution_role_arn(want.role.get())
            .set_tags(tags(&want.tags));
        let container = |image: &str, artifact: Option<&str>, environment: &BTreeMap<String, String>| {
            ContainerDefinition::builder()
                .image(image)
                .set_model_data_url(artifact.map(String::from))
                .set_environment(Some(environment.clone().into_iter().collect()))
                .build()
        };
        let containers = want.containers.as_ref().map(Input::known);
        let request = match (containers, &want.image) {
            (Some(many), _) => {
                let many =
                    many.iter().map(|one| container(&one.image, one.artifact.as_deref(), &one.environment));
                request.set_containers(Some(many.collect()))
            }
            (None, image) => {
                let artifact = want.artifact.as_ref().map(Input::get);
                let image = image.as_deref().unwrap_or_default();
                request.primary_container(container(image, artifact, &want.environment))
            }
        };
        let environments = containers.into_iter().flatten().map(|one| &one.environment);
        let answer = request
            .send()
            .await
            .during("CreateModel")
            .map_err(|failure| environments.chain([&want.environment]).fold(failure, unsaid));
        already_ok(just_made(answer), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        update_tags(aws, &arn(aws, &aws.place.hashed_name(name)), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.sagemaker.delete_model().model_name(aws.place.hashed_name(name));
        already_ok(request.send().await.during("DeleteModel"), Class::NotFound)
    }
}

/// AWS repeats what it does not accept, and a variable may hold a secret.
fn unsaid(mut failure: Failure, environment: &BTreeMap<String, String>) -> Failure {
    for value in environment.values().filter(|value| value.chars().count() >= SECRET_MIN) {
        failure.message = failure.message.replace(value.as_str(), "(sensitive)");
    }
    failure
}

fn arn(aws: &Aws, physical: &str) -> String {
    aws.place.sagemaker_arn("model", physical)
}

async fn detail(look: Look<'_>, physical: &str) -> Result<Option<Seen<Props>>, Failure> {
    let aws = look.aws;
    // A listing says what is there; one that is asked for by its name may not be.
    if look.only.is_some() && !model_exists(aws, physical).await? {
        return Ok(None);
    }
    let arn = arn(aws, physical);
    let tags = list_tags(aws, &arn).await;
    let Some(tags) = or_gone(tags, model_exists(aws, physical)).await? else { return Ok(None) };
    let name = name_of(&aws.place, Model::NAME, physical, &tags);
    Ok(Some(Seen {
        // The name holds the hash of what it is.
        owned: owns_or(&aws.place, &tags, is_hashed(&aws.place, physical)),
        props: Props {
            endpoint: endpoint_of(&name).unwrap_or_default().into(),
            image: None,
            artifact: None,
            containers: None,
            environment: BTreeMap::new(),
            role: "".into(),
            tags,
        },
        outputs: [("name".into(), physical.into()), ("arn".into(), arn.into())].into(),
        state: State::Ready,
        name,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_repeats_of_the_environment_is_not_told() {
        let text = "Value '{TOKEN=hunter2-and-more, N=1}' at 'primaryContainer.environment' failed to satisfy constraint";
        let environment =
            [("TOKEN", "hunter2-and-more"), ("N", "1")].map(|(k, v)| (k.into(), v.into())).into();
        let failure = unsaid(Failure::refused("CreateModel", text), &environment);
        assert!(failure.message.contains("{TOKEN=(sensitive), N=1}"), "{}", failure.message);
    }
}
