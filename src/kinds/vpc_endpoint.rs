//! How AWS is asked for VPC endpoints.

use super::ec2::{self, Candidate};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Inside, Look, owns};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::vpc_endpoint::{Props, VpcEndpoint};
use aws_sdk_ec2::types::{ResourceType, VpcEndpointType};

impl Calls for VpcEndpoint {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (endpoints, territory) = tokio::try_join!(ec2::endpoints(look), ec2::territory(look))?;
        let territory = territory.knowing(look, endpoints.iter().filter_map(|one| one.vpc_id())).await?;
        let all = endpoints.iter().filter(|endpoint| status(endpoint) != "deleted");
        let all = all.map(|endpoint| Candidate {
            object: endpoint,
            id: endpoint.vpc_endpoint_id(),
            tags: endpoint.tags(),
            ground: territory.ground(endpoint.vpc_id()),
            rank: match status(endpoint).as_str() {
                "available" | "partial" => 0,
                _ if ec2::is_dead(endpoint) => 2,
                _ => 1,
            },
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|endpoint| {
            let object = endpoint.object;
            let gateway = object.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway);
            Seen {
                owned: endpoint.is_owned(),
                outputs: endpoint.outputs(),
                state: state(object),
                props: Props {
                    vpc: object.vpc_id().unwrap_or_default().into(),
                    service: object.service_name().unwrap_or_default().into(),
                    gateway,
                    private_dns: object.private_dns_enabled().filter(|_| !gateway),
                    route_tables: sorted(object.route_table_ids().iter().map(String::as_str)),
                    subnets: sorted(object.subnet_ids().iter().map(String::as_str)),
                    security_groups: sorted(object.groups().iter().filter_map(|group| group.group_id())),
                    tags: endpoint.tags,
                },
                name: endpoint.name,
            }
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let look = Look { aws, as_of: aws.clock.now_ms(), only: None, inside: Inside::default() };
        let dead = ec2::endpoints(look)
            .await?
            .iter()
            .filter(|endpoint| {
                ec2::name_of(look, Self::NAME, endpoint.vpc_endpoint_id(), endpoint.tags()).as_deref()
                    == Some(name)
            })
            .filter(|endpoint| ec2::is_dead(endpoint))
            .count();
        let request = aws
            .ec2
            .create_vpc_endpoint()
            .vpc_id(want.vpc.get())
            .service_name(&want.service)
            .vpc_endpoint_type(match want.gateway {
                true => VpcEndpointType::Gateway,
                false => VpcEndpointType::Interface,
            })
            .set_private_dns_enabled(want.private_dns.filter(|_| !want.gateway))
            .set_route_table_ids(texts(&want.route_tables))
            .set_subnet_ids(texts(&want.subnets))
            .set_security_group_ids(texts(&want.security_groups))
            .client_token(ec2::token(aws, Self::NAME, name, want, dead))
            .tag_specifications(ec2::tagged(ResourceType::VpcEndpoint, &want.tags));
        match just_made(request.send().await.during("CreateVpcEndpoint")) {
            Err(failure) if failure.is(Class::Exists) => routed(aws, want, failure).await,
            other => other.map(|_| ()),
        }
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, id) = (&update.want, &update.live, ec2::id(update.outputs));
        let lists = ["route_tables", "subnets", "security_groups", "private_dns"];
        if lists.iter().any(|path| update.changed(path)) {
            let request = aws
                .ec2
                .modify_vpc_endpoint()
                .vpc_endpoint_id(id)
                .set_private_dns_enabled(want.private_dns.filter(|wanted| Some(*wanted) != live.private_dns))
                .set_add_route_table_ids(missing(&want.route_tables, &live.route_tables))
                .set_remove_route_table_ids(missing(&live.route_tables, &want.route_tables))
                .set_add_subnet_ids(missing(&want.subnets, &live.subnets))
                .set_remove_subnet_ids(missing(&live.subnets, &want.subnets))
                .set_add_security_group_ids(missing(&want.security_groups, &live.security_groups))
                .set_remove_security_group_ids(missing(&live.security_groups, &want.security_groups));
            just_made(request.send().await.during("ModifyVpcEndpoint"))?;
        }
        ec2::update_tags(aws, id, &want.tags, &live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(ec2::id(deletion.outputs));
        let answer = request.send().await.during("DeleteVpcEndpoints")?;
        // The request as a whole succeeds; what failed is in the answer.
        match answer.unsuccessful().first().and_then(|item| item.error()) {
            Some(error) => {
                let text = |value: Option<&str>| value.unwrap_or_default().to_string();
                let (code, message) = (text(error.code()), text(error.message()));
                let failure = Failure::answered("DeleteVpcEndpoints", code, message);
                already_ok::<()>(Err(failure), Class::NotFound)
            }
            None => Ok(()),
        }
    }
}

/// A route table has a route to the service already: of the endpoint itself, made by an earlier run or
/// request and seen soon, or of another.
async fn routed(aws: &Aws, want: &Props, failure: Failure) -> Result<(), Failure> {
    let request = aws
        .ec2
        .describe_vpc_endpoints()
        .filters(ec2::filter("vpc-id", want.vpc.get()))
        .filters(ec2::filter("service-name", &want.service));
    let found = request.send().await.during("DescribeVpcEndpoints")?;
    let taken = |id: &String| want.route_tables.iter().any(|table| table.get() == id);
    let other = found.vpc_endpoints().iter().find(|endpoint| {
        endpoint.route_table_ids().iter().any(taken) && !owns(&aws.place, &ec2::tags_of(endpoint.tags()))
    });
    match other.and_then(|endpoint| endpoint.vpc_endpoint_id()) {
        Some(id) => Err(Failure {
            class: Class::Refused,
            message: format!(
                "the endpoint {id} does not belong to this stack and already routes traffic to {}; delete it, or remove the service from the spec",
                want.service
            ),
            ..failure
        }),
        None => Ok(()),
    }
}

/// In lower case: the service answers so, its documentation has capitals.
fn status(endpoint: &aws_sdk_ec2::types::VpcEndpoint) -> String {
    endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).unwrap_or_default()
}

fn state(endpoint: &aws_sdk_ec2::types::VpcEndpoint) -> State {
    let status = status(endpoint);
    match status.as_str() {
        // In some of its subnets only: what is missing shows as a difference.
        "available" | "partial" => State::Ready,
        "failed" | "rejected" | "expired" => {
            let error = endpoint.last_error().and_then(|error| error.message());
            let why = error.or(endpoint.failure_reason()).unwrap_or("AWS gives no reason");
            State::Broken(format!("{status}: {why}"))
        }
        _ => State::Busy(status),
    }
}

fn sorted<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<Input> {
    let mut ids: Vec<Input> = ids.map(Input::from).collect();
    ids.sort();
    ids
}

fn texts(ids: &[Input]) -> Option<Vec<String>> {
    (!ids.is_empty()).then(|| ids.iter().map(|id| id.get().to_string()).collect())
}

/// The ids of `of` that are not in `from`, if there are any.
fn missing(of: &[Input], from: &[Input]) -> Option<Vec<String>> {
    let missing: Vec<Input> = of.iter().filter(|id| !from.contains(id)).cloned().collect();
    texts(&missing)
}
