//! What the template grants, beside what the tool calls.

use super::{OTHERS, Template};
use crate::tidy::{code, files};
use serde_json::Value;
use std::collections::BTreeSet;

/// Actions that no call of ours is named after, each with the call that needs it.
const CALLED_OTHERWISE: &[(&str, &str)] = &[
    // The name of these calls does not stand beside `during`.
    ("ec2:DescribeInternetGateways", "ec2:CreateInternetGateway"),
    ("rds:DescribeEngineDefaultClusterParameters", "rds:CreateDBClusterParameterGroup"),
    ("rds:DescribeEngineDefaultParameters", "rds:CreateDBClusterParameterGroup"),
    ("rds:DescribeEvents", "rds:DescribeDBClusters"),
    ("s3:GetBucketNotification", "s3:GetBucketNotificationConfiguration"),
    ("s3:GetEncryptionConfiguration", "s3:GetBucketEncryption"),
    ("s3:GetLifecycleConfiguration", "s3:GetBucketLifecycleConfiguration"),
    ("s3:GetReplicationConfiguration", "s3:GetBucketReplication"),
    ("iam:PassRole", "iam:CreateRole"),
    // AWS makes them on first use of a service, in the caller's name.
    ("iam:CreateServiceLinkedRole", "rds:CreateDBCluster"),
    ("kms:DescribeKey", "rds:CreateDBCluster"),
    ("rds-data:ExecuteStatement", "rdsdata:ExecuteStatement"),
    ("rds:CreateDBClusterSnapshot", "rds:DeleteDBCluster"),
    ("route53:AssociateVPCWithHostedZone", "ec2:CreateVpcEndpoint"),
    ("s3:DeleteObjectVersion", "s3:DeleteObjects"),
    ("s3:GetBucketPublicAccessBlock", "s3:GetPublicAccessBlock"),
    ("s3:GetObject", "s3:HeadObject"),
    ("s3:ListBucket", "s3:ListObjectsV2"),
    ("s3:ListBucketMultipartUploads", "s3:ListMultipartUploads"),
    ("s3:ListBucketVersions", "s3:ListObjectVersions"),
    ("s3:PutEncryptionConfiguration", "s3:PutBucketEncryption"),
    ("kms:CreateGrant", "rds:CreateDBCluster"),
    ("kms:Decrypt", "s3:GetObject"),
    ("kms:GenerateDataKey", "s3:PutObject"),
    ("cloudformation:TagResource", "cloudformation:CreateStack"),
    ("s3:PutBucketPublicAccessBlock", "s3:PutPublicAccessBlock"),
    ("s3:TagResource", "s3:CreateBucket"),
    ("tag:GetResources", "tagging:GetResources"),
];

/// Calls without an action of their own in the template, each with the reason.
const NOT_GRANTED: &[(&str, &str)] = &[
    ("rdsdata:ExecuteStatement", "another name"),
    ("s3:DeleteObjects", "an action for each key"),
    ("s3:GetBucketEncryption", "another name"),
    ("s3:GetBucketLifecycleConfiguration", "another name"),
    ("s3:GetBucketNotificationConfiguration", "another name"),
    ("s3:GetBucketReplication", "another name"),
    ("s3:GetPublicAccessBlock", "another name"),
    ("s3:HeadBucket", "s3:ListBucket"),
    ("s3:HeadObject", "s3:GetObject"),
    ("s3:ListMultipartUploads", "another name"),
    ("s3:ListObjectVersions", "another name"),
    ("s3:ListObjectsV2", "s3:ListBucket"),
    ("s3:PutPublicAccessBlock", "another name"),
    // docs/stop-paying.md says who may.
    ("iam:GetAccountAuthorizationDetails", "many stacks at once; without it each asks for its own"),
    ("iam:SimulatePrincipalPolicy", "preflight, where it may"),
    ("cloudtrail:LookupEvents", "drift says who it was, where it may"),
    ("pricing:GetProducts", "cost --live"),
    ("sagemaker:ListEndpoints", "destroy --sweep"),
    ("logs:DeleteLogGroup", "destroy --sweep"),
    ("logs:DescribeLogGroups", "destroy --sweep"),
    // A person has CloudFormation hand over.
    ("cloudformation:GetStackPolicy", "adopt"),
    ("cloudformation:ListImports", "adopt"),
    ("s3:PutBucketEncryption", "another name"),
    ("tagging:GetResources", "another name"),
    ("sts:GetCallerIdentity", "needs no permission"),
];

/// Every call of the tool as `service:Operation`, read from its source: the client that stands before `during`.
fn calls() -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for (path, text) in files("src", "rs") {
        let text: String = code(&text).collect::<Vec<_>>().join("");
        let mut client = None;
        for (at, _) in text.match_indices(['a', 'd']) {
            let rest = &text[at..];
            let word =
                |rest: &str| -> String { rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect() };
            if let Some(rest) = rest.strip_prefix("aws.").or(rest.strip_prefix("aws_sdk_")) {
                let name = word(rest);
                if CLIENTS.contains(&name.as_str()) {
                    client = Some(name);
                }
            } else if let Some(rest) = rest.strip_prefix("during(\"") {
                let client =
                    client.as_ref().unwrap_or_else(|| panic!("{}: whose call is it?", path.display()));
                calls.insert(format!("{client}:{}", word(rest)));
            }
        }
    }
    calls
}

const CLIENTS: &[&str] = &[
    "cloudformation",
    "cloudtrail",
    "ec2",
    "iam",
    "logs",
    "pricing",
    "rds",
    "rdsdata",
    "s3",
    "sagemaker",
    "secretsmanager",
    "servicequotas",
    "sts",
    "tagging",
];

/// The length of a stack's name is limited, that of a policy as well.
const LONGEST: &str = "customer-insights-europe";

/// The statements are made of the table that `auroraml policy` prints from. What the roles may do is what the tool does:
/// nothing is granted that it never asks for, and nothing that it may have to ask for one day is left out.
#[test]
fn the_roles_may_do_what_the_tool_does() {
    let all = [("ExistingCluster", "c"), ("OtherBuckets", OTHERS), ("OtherRoles", "r"), ("Vpc", "vpc-1")];
    let more = [("Roles", "r"), ("Key", "k"), ("ExistingVpc", "vpc-2"), ("TemplatePolicy", "p")];
    let template = Template::new(&[&all[..], &more, &[("Stack", LONGEST)]].concat(), "ap-southeast-1");
    let mut granted = BTreeSet::new();
    for policy in [
        "Boundary",
        "Reading",
        "ReadingData",
        "Network",
        "Database",
        "Learning",
        "Rest",
        "ReadingTemplates",
        "Templates",
    ] {
        let document = &template.resource(policy)["PolicyDocument"];
        // AWS's limit, without white space.
        assert!(document.to_string().len() <= 6_144, "{policy} is too long: {}", document.to_string().len());
        let of_ours = policy != "Boundary";
        for statement in document["Statement"].as_array().unwrap().iter().filter(|_| of_ours) {
            if statement["Effect"] == "Allow" {
                match &statement["Action"] {
                    Value::Array(many) => {
                        granted.extend(many.iter().map(|one| one.as_str().unwrap().to_string()))
                    }
                    one => drop(granted.insert(one.as_str().unwrap().to_string())),
                }
            }
        }
    }
    let calls = calls();
    assert!(calls.len() > 130, "{calls:?}");
    let covers = |pattern: &str, call: &str| match pattern.split_once('*') {
        Some((before, after)) => call.starts_with(before) && call.ends_with(after),
        None => pattern == call,
    };
    let is_called = |pattern: &&String| {
        let other = CALLED_OTHERWISE.iter().find(|(action, _)| action == pattern);
        let call = other.map_or(pattern.as_str(), |(_, call)| call);
        calls.iter().any(|known| covers(call, known))
    };
    let idle: Vec<&String> = granted.iter().filter(|pattern| !is_called(pattern)).collect();
    assert!(idle.is_empty(), "granted, and never called: {idle:?}");
    let lacking: Vec<&String> = calls
        .iter()
        .filter(|call| !granted.iter().any(|pattern| covers(pattern, call)))
        .filter(|call| !NOT_GRANTED.iter().any(|(known, _)| known == call))
        .collect();
    assert!(lacking.is_empty(), "called, and not granted: {lacking:?}");
}
