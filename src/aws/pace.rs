//! How fast a process with many stacks may ask: AWS counts the requests of an account, not of a stack.
//!
//! The wait is in the resolution of the request's endpoint, which the SDK awaits before each attempt: its interceptors
//! cannot wait.

use auroraml_clock::Clock;
use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint, SharedEndpointResolver,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Tokens that a bucket holds, and those that come back each second.
#[derive(Clone, Copy, Debug)]
struct Rate {
    size: f64,
    per_second: f64,
}

/// EC2 publishes its rates: 100 and 20 for requests that change nothing (fact book, section 7.1).
const EC2: Rate = Rate { size: 100.0, per_second: 20.0 };
/// RDS, SageMaker and IAM publish none; five a second is what others keep to (fact book, section 7.1).
const UNPUBLISHED: Rate = Rate { size: 50.0, per_second: 5.0 };
/// "The rate of lookup requests is limited to two per second, per account, per Region" (AWS CloudTrail API Reference,
/// LookupEvents).
const LOOKUPS: Rate = Rate { size: 2.0, per_second: 2.0 };

/// The buckets of one account and region.
#[derive(Clone, Debug)]
pub struct Pace {
    pub(super) ec2: Option<Bucket>,
    pub(super) iam: Option<Bucket>,
    pub(super) rds: Option<Bucket>,
    pub(super) sagemaker: Option<Bucket>,
    pub(super) cloudtrail: Option<Bucket>,
}

impl Pace {
    /// What AWS publishes, and a safe guess where it does not.
    pub fn published(clock: &Clock) -> Pace {
        let bucket = |rate| Some(Bucket::new(rate, clock));
        Pace {
            ec2: bucket(EC2),
            iam: bucket(UNPUBLISHED),
            rds: bucket(UNPUBLISHED),
            sagemaker: bucket(UNPUBLISHED),
            cloudtrail: bucket(LOOKUPS),
        }
    }

    /// For one stack: it makes few requests, but for its questions about who did what.
    pub(super) fn alone(clock: &Clock) -> Pace {
        let cloudtrail = Some(Bucket::new(LOOKUPS, clock));
        Pace { ec2: None, iam: None, rds: None, sagemaker: None, cloudtrail }
    }
}

/// A token bucket. Who comes when it is empty takes a token that is not there yet, and waits for it.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    rate: Rate,
    clock: Clock,
    /// Tokens, and when they were counted in milliseconds since the Unix epoch.
    tokens: Arc<Mutex<(f64, u64)>>,
}

impl Bucket {
    fn new(rate: Rate, clock: &Clock) -> Bucket {
        let tokens = Arc::new(Mutex::new((rate.size, clock.now_ms())));
        Bucket { rate, clock: clock.clone(), tokens }
    }

    /// Takes a token, and says how long it is until it is there.
    fn take(&self) -> Duration {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        let passed = now.saturating_sub(tokens.1) as f64 / 1000.0;
        let left = (tokens.0 + passed * self.rate.per_second).min(self.rate.size) - 1.0;
        *tokens = (left, now);
        Duration::from_secs_f64((-left).max(0.0) / self.rate.per_second)
    }

    async fn wait(&self) {
        let time = self.take();
        if !time.is_zero() {
            self.clock.sleep(time).await;
        }
    }

    /// The same resolver, which waits first.
    pub fn before(self, resolver: SharedEndpointResolver) -> SharedEndpointResolver {
        SharedEndpointResolver::new(Paced { bucket: self, resolver })
    }
}

#[derive(Debug)]
struct Paced {
    bucket: Bucket,
    resolver: SharedEndpointResolver,
}

impl ResolveEndpoint for Paced {
    fn resolve_endpoint<'a>(&'a self, params: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(async move {
            self.bucket.wait().await;
            self.resolver.resolve_endpoint(params).await
        })
    }

    fn finalize_params<'a>(
        &'a self,
        params: &'a mut EndpointResolverParams,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        self.resolver.finalize_params(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_as_fast_as_tokens_come() {
        let clock = Clock::starting_at(1_000, 1.0);
        let bucket = Bucket::new(Rate { size: 3.0, per_second: 2.0 }, &clock);
        let began = clock.now_ms();
        futures_util::future::join_all((0..9).map(|_| bucket.wait())).await;
        let passed = clock.now_ms() - began;
        assert!((2_990..=3_050).contains(&passed), "three at once, six at two a second: {passed} ms");
        clock.sleep(Duration::from_secs(60)).await;
        assert!(bucket.take().is_zero() && bucket.take().is_zero() && bucket.take().is_zero());
        assert!(!bucket.take().is_zero(), "no more than its size is saved up");
    }
}
