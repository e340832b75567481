//! Asks SageMaker about the spec's endpoints.

use super::answers::{said, text};
use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::verify::facts::{Answer, Endpoint};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn endpoints(
    aws: &Aws,
    names: BTreeSet<&String>,
) -> BTreeMap<String, Answer<Option<Endpoint>>> {
    let all = names.into_iter().map(async |name| (name.clone(), said(endpoint(aws, name).await)));
    join_all(all).await.into_iter().collect()
}

async fn endpoint(aws: &Aws, name: &str) -> Result<Option<Endpoint>, Failure> {
    let answer = aws.sagemaker.describe_endpoint().endpoint_name(name).send().await;
    let found = absent_ok(answer.during("DescribeEndpoint"))?;
    Ok(found.map(|found| Endpoint {
        arn: text(found.endpoint_arn()),
        status: found.endpoint_status().map_or_else(String::new, |status| status.as_str().to_string()),
        failure_reason: found.failure_reason().map(String::from),
    }))
}
