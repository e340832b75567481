//! Request throttling: one token bucket for each class of operation (fact book, section 7.1).

use super::state::{Bucket, Ec2};
use crate::call::Call;
use crate::wire::Fault;

/// Class, bucket size, refill per second.
fn class(call: &Call) -> (&'static str, f64, f64) {
    match call.operation.as_str() {
        "CreateTags" | "DeleteTags" => ("tags", 100.0, 10.0),
        "DeleteNetworkInterface" => ("interfaces", 100.0, 5.0),
        "CreateNatGateway" | "DeleteNatGateway" => ("nat gateways", 10.0, 1.0),
        "CreateVpcEndpoint" | "DeleteVpcEndpoints" => ("endpoints", 4.0, 0.3),
        "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress" => ("resource-intensive", 50.0, 5.0),
        "DescribeNetworkInterfaces" | "DescribeSecurityGroups" if unfiltered(call) => {
            ("unfiltered", 50.0, 10.0)
        }
        operation if operation.starts_with("Describe") => ("non-mutating", 100.0, 20.0),
        _ => ("mutating", 50.0, 5.0),
    }
}

fn unfiltered(call: &Call) -> bool {
    !call.params.glance().any(|(name, _)| !matches!(name, "Action" | "Version"))
}

impl Ec2 {
    /// Pays for one request, or refuses it.
    pub(super) fn take_token(&mut self, call: &Call) -> Result<(), Fault> {
        let (name, size, refill) = class(call);
        let bucket = self.buckets.entry(name.to_string()).or_insert(Bucket { tokens: size, at: call.now });
        let seconds = call.now.saturating_sub(bucket.at) as f64 / 1000.0;
        bucket.tokens = (bucket.tokens + seconds * refill).min(size);
        bucket.at = call.now;
        if bucket.tokens < 1.0 {
            return Err(Fault::new(503, "RequestLimitExceeded", "Request limit exceeded."));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}
