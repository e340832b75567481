//! How AWS is asked for the DB subnet group.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok};
use super::rds::{self, list_tags, tags, update_tags};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::subnet_group::{Props, SubnetGroup};

impl Calls for SubnetGroup {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (aws, arn) = (look.aws, look.aws.place.subnet_group_arn());
        // Its tags are not in the listing.
        let known = match look.is_shared() {
            true => Some(rds::subnet_group(look).await?),
            false => None,
        };
        if let Some(None) = known {
            return Ok(Vec::new());
        }
        let describe = async {
            match known {
                Some(known) => Ok(known),
                None => rds::subnet_group(look).await,
            }
        };
        let (found, tags) = tokio::join!(describe, list_tags(aws, &arn));
        let Some(group) = found? else { return Ok(Vec::new()) };
        let tags = absent_ok(tags)?.unwrap_or_default();
        let mut subnets: Vec<Input> =
            group.subnets().iter().filter_map(|s| s.subnet_identifier()).map(Input::from).collect();
        subnets.sort();
        Ok(vec![Seen {
            name: "main".into(),
            owned: owns(&aws.place, &tags),
            props: Props { subnets, tags },
            outputs: [("name".into(), aws.place.subnet_group().into())].into(),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .rds
            .create_db_subnet_group()
            .db_subnet_group_name(aws.place.subnet_group())
            .db_subnet_group_description(format!("Subnets of the auroraml stack {}", aws.place.stack))
            .set_subnet_ids(Some(want.subnets.iter().map(|s| s.get().to_string()).collect()))
            .set_tags(tags(&want.tags));
        already_ok(request.send().await.during("CreateDBSubnetGroup"), Class::Exists)
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        if update.changed("subnets") {
            aws.rds
                .modify_db_subnet_group()
                .db_subnet_group_name(aws.place.subnet_group())
                .set_subnet_ids(Some(update.want.subnets.iter().map(|s| s.get().to_string()).collect()))
                .send()
                .await
                .during("ModifyDBSubnetGroup")?;
        }
        update_tags(aws, &aws.place.subnet_group_arn(), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.rds.delete_db_subnet_group().db_subnet_group_name(aws.place.subnet_group());
        already_ok(request.send().await.during("DeleteDBSubnetGroup"), Class::NotFound)
    }
}
