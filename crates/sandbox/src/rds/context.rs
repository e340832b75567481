//! One request together with all that it may touch, and what every operation does with it.

use super::global_databases::GlobalDatabases;
use super::refusals::{check_tags, invalid};
use super::state::{Effect, Event, Origin, Rds, Timed};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::ec2::Ec2;
use crate::ec2::zones::zones;
use crate::iam::Iam;
use crate::kms::Kms;
use crate::random::Random;
use crate::secretsmanager::SecretsManager;
use crate::wire::{Fault, Params};
use std::collections::BTreeMap;

/// What a request to RDS may touch: the service itself, and those that it asks or changes.
pub(crate) struct Reach<'a> {
    pub rds: &'a mut Rds,
    pub ec2: &'a mut Ec2,
    pub iam: &'a mut Iam,
    pub secrets: &'a mut SecretsManager,
    pub kms: &'a mut Kms,
    pub random: &'a mut Random,
    pub globals: &'a mut GlobalDatabases,
}

/// One request together with all that it may touch.
pub(super) struct Context<'a> {
    pub(super) call: &'a Call,
    pub(super) now: u64,
    pub(super) rds: &'a mut Rds,
    pub(super) ec2: &'a mut Ec2,
    pub(super) iam: &'a mut Iam,
    pub(super) secrets: &'a mut SecretsManager,
    pub(super) kms: &'a mut Kms,
    pub(super) random: &'a mut Random,
    pub(super) globals: &'a mut GlobalDatabases,
    /// Why things happen now.
    pub(super) origin: Origin,
}

impl<'a> Context<'a> {
    pub(super) fn new(call: &'a Call, reach: Reach<'a>) -> Context<'a> {
        let Reach { rds, ec2, iam, secrets, kms, random, globals } = reach;
        let origin = Origin { cause: call.operation.clone(), caller: call.caller.clone() };
        Context { call, now: call.now, rds, ec2, iam, secrets, kms, random, globals, origin }
    }

    /// The request's parameters; they outlive any borrow of the context itself.
    pub(super) fn params(&self) -> &'a Params {
        &self.call.params
    }

    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:{kind}:{name}", self.call.region)
    }

    /// The name that a parameter gives, in lower case, and freed of an ARN around it: RDS lower-cases all
    /// identifiers (fact book, section 1.7), and takes the ARN in most places (not in the book).
    pub(super) fn name(&self, parameter: &str) -> Option<String> {
        let given = self.params().get(parameter).filter(|given| !given.is_empty())?;
        Some(given.rsplit(':').next().unwrap_or(given).to_ascii_lowercase())
    }

    pub(super) fn required_name(&self, parameter: &str) -> Result<String, Fault> {
        self.params().required(parameter)?;
        Ok(self.name(parameter).unwrap_or_default())
    }

    /// Availability zones of the region, as the sandbox has them.
    pub(super) fn zones(&self) -> Vec<String> {
        zones(&self.call.region).into_iter().map(|zone| zone.name).collect()
    }

    /// Draws how long it takes until a change that was accepted shows: 1 to 20 s (fact book, table 8.2).
    pub(super) fn lag(&mut self) -> u64 {
        self.random.duration_within(1.0, 5.0, 20.0, (1.0, 20.0))
    }

    pub(super) fn at(&mut self, at: u64, subject: &str, effect: Effect) {
        self.rds.effects.push(Timed { at, subject: subject.to_string(), effect });
    }

    /// Notes something for DescribeEvents. A time in the future is allowed.
    pub(super) fn event(&mut self, at: u64, kind: &str, id: &str, category: &str, message: &str) {
        let arn_kind = if kind == "db-instance" { "db" } else { "cluster" };
        let arn = self.arn(arn_kind, id);
        self.rds.events.push(Event {
            at,
            kind: kind.into(),
            id: id.into(),
            arn,
            category: category.into(),
            message: message.into(),
        });
    }

    /// Notes that a member does not serve between two times.
    pub(super) fn interrupt(&mut self, member: &str, at: u64, until: u64) {
        self.rds.interrupt(member, at, until, &self.origin);
    }

    /// The tags that a create call carries: `Tags`, and `TagSpecifications` for this kind of resource.
    pub(super) fn given_tags(&self, resource_type: &str) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = self.params().tags("Tags");
        for specification in self.params().items("TagSpecifications") {
            if specification.get("ResourceType") == Some(resource_type) {
                tags.extend(specification.tags("Tags"));
            }
        }
        check_tags(&tags)?;
        Ok(tags)
    }

    /// The values of one filter, in lower case and freed of ARNs; every filter must be among `known`.
    pub(super) fn filters(&self, known: &[&str]) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let mut filters = self.params().filters();
        for (name, values) in &mut filters {
            if !known.contains(&name.as_str()) {
                return Err(invalid(format!("Unrecognized filter name: {name}")));
            }
            for value in values {
                *value = value.rsplit(':').next().unwrap_or(value).to_ascii_lowercase();
            }
        }
        Ok(filters)
    }
}

/// One page of `all`, which is sorted by its keys, and the marker of the next page.
///
/// # Errors
/// `InvalidParameterValue` when MaxRecords is not 20 to 100.
pub(super) fn page<T>(params: &Params, all: Vec<(String, T)>) -> Result<(Vec<T>, Option<String>), Fault> {
    page_of(params, all, 100)
}

/// The same, for pages of at most `longest`.
pub(super) fn page_of<T>(
    params: &Params,
    all: Vec<(String, T)>,
    longest: usize,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match params.get("MaxRecords") {
        None => 100,
        Some(text) => {
            text.parse::<usize>().ok().filter(|size| (20..=longest).contains(size)).ok_or_else(|| {
                invalid(format!("Invalid value {text} for MaxRecords. Must be between 20 and {longest}"))
            })?
        }
    };
    let after = params.get("Marker").filter(|marker| !marker.is_empty());
    let mut rest =
        all.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).peekable();
    let mut taken = Vec::new();
    let mut last = None;
    while let Some((key, value)) = rest.next_if(|_| taken.len() < size) {
        taken.push(value);
        last = Some(key);
    }
    Ok((taken, rest.peek().and(last)))
}
