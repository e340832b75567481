//! How AWS is asked for the internet gateway.

use super::ec2::{self, Candidate, Held};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::State;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::internet_gateway::{InternetGateway, Props};
use aws_sdk_ec2::types::{AttachmentStatus, ResourceType};

impl Calls for InternetGateway {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (gateways, territory) = tokio::try_join!(ec2::gateways(look), ec2::territory(look))?;
        let territory = territory.knowing(look, gateways.iter().map(attached_to)).await?;
        let all = gateways.iter().map(|gateway| {
            let vpc = attached_to(gateway);
            Candidate {
                object: gateway,
                id: gateway.internet_gateway_id(),
                tags: gateway.tags(),
                ground: territory.ground(Some(vpc)),
                rank: usize::from(vpc.is_empty()),
            }
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|gateway| Seen {
            owned: gateway.is_owned(),
            outputs: gateway.outputs(),
            props: Props { vpc: attached_to(gateway.object).into(), tags: gateway.tags },
            name: gateway.name,
            state: State::Ready,
        });
        Ok(seen.collect())
    }

    /// Makes it only: it can be attached when it is visible, which the next look finds out. An error of an
    /// attachment here would make the loop create a second one.
    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .create_internet_gateway()
            .tag_specifications(ec2::tagged(ResourceType::InternetGateway, &want.tags));
        request.send().await.during("CreateInternetGateway").map(|_| ())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, id) = (&update.want, &update.live, ec2::id(update.outputs));
        if update.changed("vpc") {
            detach(aws, id, live.vpc.get()).await?;
            let request = aws.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(want.vpc.get());
            let answer = just_made(request.send().await.during("AttachInternetGateway"));
            already_ok(answer, Class::Exists)?;
        }
        ec2::update_tags(aws, id, &want.tags, &live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let (id, vpc) = (ec2::id(deletion.outputs), deletion.live.vpc.get());
        detach(aws, id, vpc).await?;
        let request = aws.ec2.delete_internet_gateway().internet_gateway_id(id);
        already_ok(request.send().await.during("DeleteInternetGateway"), Class::NotFound)
    }
}

/// Id of the VPC, or nothing. A gateway on its way out of one is attached to none.
fn attached_to(gateway: &aws_sdk_ec2::types::InternetGateway) -> &str {
    let attached = gateway.attachments().iter().find(|attachment| {
        !matches!(attachment.state(), Some(AttachmentStatus::Detached | AttachmentStatus::Detaching))
    });
    attached.and_then(|attachment| attachment.vpc_id()).unwrap_or_default()
}

/// Fails while anything in the VPC has a public address (fact book, section 5.4).
async fn detach(aws: &Aws, id: &str, vpc: &str) -> Result<(), Failure> {
    if vpc.is_empty() {
        return Ok(());
    }
    let request = aws.ec2.detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc);
    let answer = request.send().await.during("DetachInternetGateway");
    already_ok(ec2::explained(aws, answer, Held::Gateway(vpc)).await, Class::NotFound)
}
