//! What a request asks of KMS in its caller's name, where it names a customer's key or touches what is encrypted with one.
//! A key that AWS manages asks for nothing: its own policy lets everybody in the account who comes through its service.

use super::Demand;
use crate::call::Call;
use crate::s3;
use crate::world::{Global, Region};

pub(super) fn demands(call: &Call, global: &Global, region: &Region) -> Vec<Demand> {
    let of = |key: Option<String>, actions: &[&str]| -> Vec<Demand> {
        let key = key.and_then(|key| region.kms.customers(&key, call.now));
        let actions =
            actions.iter().filter_map(|action| Some(Demand::new(format!("kms:{action}"), key.clone()?)));
        actions.collect()
    };
    let param = |name: &str| call.params.get(name).map(str::to_string);
    let text = |name: &str| call.json[name].as_str().map(str::to_string);
    match (call.service.as_str(), call.operation.as_str()) {
        ("s3", operation) => {
            let (bucket, object) = s3::named(&call.request);
            let Some(found) = global.s3.buckets.get(&bucket) else { return Vec::new() };
            match operation {
                // Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys", "Permissions": of an upload in
                // parts what is there is read again.
                "PutObject" => of(found.encryption.kms_key.clone(), &["GenerateDataKey"]),
                "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
                    of(found.encryption.kms_key.clone(), &["GenerateDataKey", "Decrypt"])
                }
                "GetObject" => {
                    let key = found.current(&object).and_then(|version| version.key().map(str::to_string));
                    of(key, &["Decrypt"])
                }
                _ => Vec::new(),
            }
        }
        // Aurora User Guide, "Encrypting Amazon Aurora resources" (the caller's grant for RDS), and "Password management with
        // Amazon Aurora and AWS Secrets Manager", "Permissions required".
        ("rds", "CreateDBCluster") => {
            let storage = of(param("KmsKeyId"), &["CreateGrant", "DescribeKey"]);
            let secret = of(
                param("MasterUserSecretKmsKeyId"),
                &["CreateGrant", "Decrypt", "GenerateDataKey", "DescribeKey"],
            );
            storage.into_iter().chain(secret).collect()
        }
        // SageMaker Developer Guide, "SageMaker API permissions".
        ("sagemaker", "CreateNotebookInstance") => of(text("KmsKeyId"), &["CreateGrant", "DescribeKey"]),
        // Secrets Manager User Guide, "Secret encryption and decryption", "Permissions for the KMS key".
        ("secretsmanager", "CreateSecret") => of(text("KmsKeyId"), &["GenerateDataKey", "Decrypt"]),
        ("secretsmanager", operation) => {
            let key = text("SecretId").and_then(|id| region.secretsmanager.key_of(&id));
            match operation {
                "GetSecretValue" => of(key, &["Decrypt"]),
                "PutSecretValue" => of(key, &["GenerateDataKey", "Decrypt"]),
                "UpdateSecret" => of(text("KmsKeyId").or(key), &["GenerateDataKey", "Decrypt"]),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
