//! Asks the database itself which role parameters it runs with, through the RDS Data API (fact book, section
//! 1.11).

use crate::aws::{Aws, Class, During, Failure, Sql};
use crate::kinds::absent_ok;
use auroraml_core::spec::{Aurora, SecretManager, Spec};
use auroraml_core::verify::facts::{Cluster, Database};

const SQL: &str = "SHOW GLOBAL VARIABLES LIKE 'aws_default%'";

pub(super) async fn ask(aws: &Aws, spec: &Spec, cluster: &Cluster) -> Database {
    let sql = match open(aws, spec, cluster).await {
        Ok(sql) => sql,
        Err((why, fix)) => return Database::Silent { why, fix },
    };
    match sql.ask(aws, SQL).await {
        Ok(rows) => Database::Values(
            rows.texts().map(|[name, value]| (name.to_string(), value.to_string())).collect(),
        ),
        Err(failure) => Database::Silent { why: failure.to_string(), fix: help(&failure) },
    }
}

/// A way to the database; why there is none, and what makes one.
pub(super) async fn open(aws: &Aws, spec: &Spec, cluster: &Cluster) -> Result<Sql, (String, String)> {
    if !cluster.data_api {
        return Err((
            format!("the Data API of cluster {} is off", cluster.id),
            format!(
                "aws rds enable-http-endpoint --resource-arn {} --region {} (not with T classes)",
                cluster.arn, aws.place.region
            ),
        ));
    }
    match secret(aws, spec, cluster).await {
        Ok(Some(secret_arn)) => Ok(Sql { cluster_arn: cluster.arn.clone(), secret_arn, database: None }),
        Ok(None) => Err((
            "no secret with a database user is known".into(),
            format!(
                "aws rds modify-db-cluster --db-cluster-identifier {} --manage-master-user-password --region {} (the master user gets a new password)",
                cluster.id, aws.place.region
            ),
        )),
        Err(failure) => Err((failure.to_string(), help(&failure))),
    }
}

fn help(failure: &Failure) -> String {
    match failure.class {
        Class::Denied => {
            "allow rds-data:ExecuteStatement on the cluster and secretsmanager:GetSecretValue on the secret"
        }
        _ => "fix the cause, then verify again",
    }
    .into()
}

/// ARN of a secret with a user's name and password: the one that the spec names, that RDS manages, or the stack's own.
async fn secret(aws: &Aws, spec: &Spec, cluster: &Cluster) -> Result<Option<String>, Failure> {
    let named = match &spec.aurora {
        Some(Aurora::Existing(existing)) => existing.secret.clone(),
        Some(Aurora::Owned(owned)) if owned.secret.managed_by == SecretManager::Stack => {
            Some(aws.place.secret())
        }
        _ => None,
    };
    match named {
        Some(arn) if arn.starts_with("arn:") => Ok(Some(arn)),
        Some(name) if cluster.secret.is_none() || matches!(spec.aurora, Some(Aurora::Existing(_))) => {
            let request = aws.secretsmanager.describe_secret().secret_id(name);
            let found = absent_ok(request.send().await.during("DescribeSecret"))?;
            Ok(found.and_then(|found| found.arn))
        }
        _ => Ok(cluster.secret.clone()),
    }
}
