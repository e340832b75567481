//! Where the stack's objects may be: whoever may set tags could otherwise have anything deleted.

use super::{filter, held, name_of, vpcs};
use crate::aws::{During, Failure, Look};
use auroraml_core::base::{ELSEWHERE, ONLY_TAGGED, Outputs};
use std::collections::BTreeSet;

/// A look at one resource may decide between VPCs by listings this old, in milliseconds: second VPCs are
/// rare, and each waiting step would list everything for them.
const CHOICE_AGE_MS: u64 = 20_000;

/// Where a tagged object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kinds) enum Ground {
    /// In the stack's own VPC.
    Own,
    /// In the VPC of others that the spec names.
    Lent,
    /// Nowhere: attached to nothing and used by nothing.
    Nowhere,
    /// In a second VPC of the same name that nobody uses.
    Double,
    /// Used by something that is not the stack's.
    Used,
    /// In another VPC.
    Foreign(String),
}

impl Ground {
    /// Whether it is not where an object of its name is meant to be.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Ground::Double | Ground::Foreign(_))
    }

    pub fn is_owned(&self) -> bool {
        !matches!(self, Ground::Used | Ground::Foreign(_))
    }

    /// What the planner must know of it.
    pub fn told(&self) -> Outputs {
        match self {
            Ground::Own => Outputs::new(),
            Ground::Nowhere | Ground::Double | Ground::Lent => [(ONLY_TAGGED.into(), true.into())].into(),
            Ground::Used => [(ELSEWHERE.into(), "use".into())].into(),
            Ground::Foreign(vpc) => [(ELSEWHERE.into(), vpc.as_str().into())].into(),
        }
    }
}

/// Which VPCs are the stack's.
pub(in crate::kinds) struct Territory {
    /// The one that is meant: of several with its tags that one which holds most of the stack's objects, then the one
    /// with the lower id.
    pub own: Option<String>,
    /// The others of them without a network interface, so that nobody uses what is in them.
    doubles: BTreeSet<String>,
    /// That of others which the spec names.
    lent: Option<String>,
    listed: BTreeSet<String>,
}

/// Asks which VPCs are the stack's.
pub(in crate::kinds) async fn territory(look: Look<'_>) -> Result<Territory, Failure> {
    let as_of = match look.only {
        Some(_) => look.as_of.saturating_sub(CHOICE_AGE_MS),
        None => look.as_of,
    };
    Box::pin(choose(Look { as_of, only: None, ..look })).await
}

async fn choose(look: Look<'_>) -> Result<Territory, Failure> {
    let vpcs = vpcs(look).await?;
    let is_main = |vpc: &&aws_sdk_ec2::types::Vpc| {
        name_of(look, "vpc", vpc.vpc_id(), vpc.tags()).as_deref() == Some("main")
    };
    let mut mains: Vec<&str> = vpcs.iter().filter(is_main).filter_map(|vpc| vpc.vpc_id()).collect();
    let mut doubles = BTreeSet::new();
    if mains.len() > 1 {
        let held = held(look).await?;
        mains.sort_by_key(|id| (std::cmp::Reverse(held.get(*id).copied().unwrap_or_default()), *id));
        for double in &mains[1..] {
            if !is_used(look, double).await? {
                doubles.insert((*double).to_string());
            }
        }
    }
    let listed = vpcs.iter().filter_map(|vpc| vpc.vpc_id().map(String::from)).collect();
    let lent = look.aws.scope.vpc.clone();
    Ok(Territory { own: mains.first().map(ToString::to_string), doubles, lent, listed })
}

/// Whether anything in the VPC has a network interface. What a killed create leaves behind never has: whatever needs one
/// is made when the VPC has long been seen.
async fn is_used(look: Look<'_>, vpc: &str) -> Result<bool, Failure> {
    let request = look.aws.ec2.describe_network_interfaces().filters(filter("vpc-id", vpc));
    Ok(!request.send().await.during("DescribeNetworkInterfaces")?.network_interfaces().is_empty())
}

impl Territory {
    /// The same, asked anew where one of these VPCs is too new for what was known.
    pub async fn knowing<'v>(
        self,
        look: Look<'_>,
        vpcs: impl IntoIterator<Item = &'v str>,
    ) -> Result<Territory, Failure> {
        let is_known = |vpc: &str| self.listed.contains(vpc) || self.lent.as_deref() == Some(vpc);
        let is_new = vpcs.into_iter().any(|vpc| !vpc.is_empty() && !is_known(vpc));
        match is_new && look.only.is_some() {
            true => Box::pin(choose(Look { only: None, ..look })).await,
            false => Ok(self),
        }
    }

    /// Where something in this VPC is; in none, if it is empty.
    pub fn ground(&self, vpc: Option<&str>) -> Ground {
        match vpc.unwrap_or_default() {
            "" => Ground::Nowhere,
            vpc if self.own.as_deref() == Some(vpc) => Ground::Own,
            vpc if self.lent.as_deref() == Some(vpc) => Ground::Lent,
            vpc if self.doubles.contains(vpc) => Ground::Double,
            vpc => Ground::Foreign(vpc.into()),
        }
    }
}
