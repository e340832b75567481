//! What a request to SageMaker may touch, and what it asks of other services.

use super::answers::invalid;
use super::state::SageMaker;
use crate::call::Call;
use crate::ec2::Ec2;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::S3;
use crate::wire::Fault;

/// The service principal that roles must trust.
pub(super) const PRINCIPAL: &str = "sagemaker.amazonaws.com";

/// What a request to SageMaker may touch: the service itself, and those that it asks or changes.
pub(crate) struct Reach<'a> {
    pub sagemaker: &'a mut SageMaker,
    pub ec2: &'a mut Ec2,
    pub iam: &'a Iam,
    pub s3: &'a S3,
    pub random: &'a mut Random,
}

/// Refuses a role that SageMaker cannot assume (yet): fact book, trap 35.
pub(super) fn check_role(call: &Call, iam: &Iam, role: &str) -> Result<(), Fault> {
    if iam.assumable(role, PRINCIPAL, call.now) {
        return Ok(());
    }
    Err(invalid(format!(
        "Could not assume role {role}. Please ensure that the role exists and allows principal \
         '{PRINCIPAL}' to assume the role."
    )))
}

/// Refuses subnets and security groups that do not exist.
pub(super) fn check_network(ec2: &Ec2, subnets: &[String], groups: &[String]) -> Result<(), Fault> {
    if let Some(missing) = subnets.iter().find(|subnet| ec2.subnet_zone(subnet).is_none()) {
        return Err(invalid(format!("The subnet ID '{missing}' does not exist")));
    }
    if let Some(missing) = groups.iter().find(|group| !ec2.security_group_exists(group)) {
        return Err(invalid(format!("The security group '{missing}' does not exist")));
    }
    Ok(())
}
