//! Asks the database itself which role parameters it runs with, through the RDS Data API (fact book, section
//! 1.11).

use super::answers::text;
use crate::aws::{Aws, Class, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::spec::{Aurora, SecretManager, Spec};
use auroraml_core::verify::facts::{Cluster, Database};
use aws_sdk_rdsdata::types::Field;
use std::collections::BTreeMap;
use std::time::Duration;

const SQL: &str = "SHOW GLOBAL VARIABLES LIKE 'aws_default%'";
/// A paused cluster resumes in about 15 s, after a day's pause in 30 s or more (fact book, section 1.10).
const RESUME_LIMIT: Duration = Duration::from_secs(120);
const RESUME_POLL: Duration = Duration::from_secs(5);

pub(super) async fn ask(aws: &Aws, spec: &Spec, cluster: &Cluster) -> Database {
    let silent = |why: String, fix: String| Database::Silent { why, fix };
    if !cluster.data_api {
        return silent(
            format!("the Data API of cluster {} is off", cluster.id),
            format!("aws rds enable-http-endpoint --resource-arn {} (not with T classes)", cluster.arn),
        );
    }
    let secret = match secret(aws, spec, cluster).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            return silent(
                "there is no secret with a user of the database that is known here".into(),
                format!(
                    "aws rds modify-db-cluster --db-cluster-identifier {} --manage-master-user-password (the master user gets a new password)",
                    cluster.id
                ),
            );
        }
        Err(failure) => return silent(failure.to_string(), help(&failure)),
    };
    match values(aws, &cluster.arn, &secret).await {
        Ok(values) => Database::Values(values),
        Err(failure) => silent(failure.to_string(), help(&failure)),
    }
}

fn help(failure: &Failure) -> String {
    match failure.class {
        Class::Denied => {
            "grant rds-data:ExecuteStatement on the cluster and secretsmanager:GetSecretValue on the secret"
        }
        _ => "correct the cause, then verify again",
    }
    .into()
}

/// ARN of a secret with a user's name and password: the one that RDS manages, or the stack's own.
async fn secret(aws: &Aws, spec: &Spec, cluster: &Cluster) -> Result<Option<String>, Failure> {
    if cluster.secret.is_some() {
        return Ok(cluster.secret.clone());
    }
    match &spec.aurora {
        Some(Aurora::Owned(owned)) if owned.secret.managed_by == SecretManager::Stack => {
            let request = aws.secretsmanager.describe_secret().secret_id(aws.place.secret());
            let found = absent_ok(request.send().await.during("DescribeSecret"))?;
            Ok(found.and_then(|found| found.arn))
        }
        _ => Ok(None),
    }
}

/// The variables by name. Waits until a paused cluster has resumed.
async fn values(aws: &Aws, cluster: &str, secret: &str) -> Result<BTreeMap<String, String>, Failure> {
    let began = aws.clock.now_ms();
    loop {
        let request = aws.rdsdata.execute_statement().resource_arn(cluster).secret_arn(secret).sql(SQL);
        match request.send().await.during("ExecuteStatement") {
            Ok(found) => return Ok(found.records().iter().filter_map(|row| pair(row)).collect()),
            Err(failure) if failure.code == "DatabaseResumingException" => {
                let waited = Duration::from_millis(aws.clock.now_ms().saturating_sub(began));
                if waited + RESUME_POLL > RESUME_LIMIT {
                    return Err(failure);
                }
                aws.clock.sleep(RESUME_POLL).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn pair(row: &[Field]) -> Option<(String, String)> {
    let mut fields = row.iter().map(|field| text(field.as_string_value().ok().map(String::as_str)));
    Some((fields.next()?, fields.next()?))
}
