//! What IAM's simulator says of the caller.

use super::fixtures::{Situation, pair};
use super::quotas::SHOP;
use auroraml_core::model::Code;
use aws_sdk_iam::Client;
use serde_json::json;

/// The account as a role sees it that has these policies.
async fn as_role(path: &str, statements: serde_json::Value) -> Situation {
    let mut situation = Situation::new(SHOP);
    let iam = Client::new(&situation.config());
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole",
    }]});
    let make = iam.create_role().role_name("Deploy").path(path);
    make.assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let put = iam.put_role_policy().role_name("Deploy").policy_name("may");
    put.policy_document(document).send().await.unwrap();
    situation.wait(120).await;
    let sts = aws_sdk_sts::Client::new(&situation.config());
    let role = format!("arn:aws:iam::111122223333:role{path}Deploy");
    let assumed = sts.assume_role().role_arn(role).role_session_name("run-1").send().await.unwrap();
    situation.account.caller = assumed.credentials.unwrap().access_key_id;
    situation
}

const EVERYTHING: &str = "*";

#[tokio::test(start_paused = true)]
async fn what_the_caller_may() {
    let all = || json!({"Effect": "Allow", "Action": EVERYTHING, "Resource": "*"});
    let deny =
        json!({"Effect": "Deny", "Action": "rds:CreateDBCluster", "Resource": "arn:aws:rds:*:*:cluster:*"});
    // The path is not in the ARN of the session.
    let denied = as_role("/teams/data/", json!([all(), deny])).await;
    pair(Code::PermissionDenied, denied, as_role("/", json!([all()])).await).await;
}

/// What may look and nothing else; what depends on something that only the request has; and who may not ask.
#[tokio::test(start_paused = true)]
async fn what_is_not_certain_is_no_problem() {
    let read = json!({
        "Effect": "Allow", "Resource": "*",
        "Action": ["ec2:Describe*", "rds:Describe*", "rds:List*", "iam:Get*", "iam:List*", "iam:Simulate*",
            "sagemaker:List*", "sagemaker:Describe*", "s3:Get*", "s3:List*", "secretsmanager:Describe*",
            "servicequotas:Get*"],
    });
    let half = json!({"Effect": "Allow", "Resource": "*", "Action": ["ec2:*", "rds:CreateDB*Group"]});
    let problems = as_role("/", json!([read, half])).await.problems().await.unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let why = &problems[0].why;
    assert!(why.contains("rds:CreateDBCluster on arn:aws:rds:us-east-1:111122223333:cluster"), "{why}");
    assert!(!why.contains("ec2:CreateVpc") && !why.contains("SubnetGroup on"), "{why}");

    let reader = as_role("/", json!([read])).await;
    let plan = reader.account.plan(&reader.spec).await;
    let note = "arn:aws:sts::111122223333:assumed-role/Deploy/run-1 can read but not change anything in this plan: someone else has to apply it";
    assert!(plan.notes.iter().any(|found| found == note), "{:?}", plan.notes);

    let from = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    });
    let conditional = as_role("/", json!([read, from])).await;
    assert!(conditional.problems().await.is_ok(), "the simulator does not know the address");

    let without = json!({"Effect": "Deny", "Action": "iam:Simulate*", "Resource": "*"});
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let silent = as_role("/", json!([all, without])).await;
    let plan = silent.account.plan(&silent.spec).await;
    let note = "permissions were not checked: the caller is not allowed SimulatePrincipalPolicy for itself";
    assert!(plan.notes.iter().any(|found| found == note), "{:?}", plan.notes);
}
