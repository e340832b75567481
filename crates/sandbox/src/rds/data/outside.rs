//! What is outside the database: S3, SageMaker, Comprehend, Bedrock, and the chain that leads there.

use super::chain::{Links, Service, permitted, role};
use super::{Beyond, variables};
use crate::account::ACCOUNT;
use crate::comprehend::{LANGUAGES, sentiment};
use crate::database::{Address, Ask, Model, Outside, Source, SqlError, as_text, hashed, s3_stream};
use crate::rds::context::Context;
use crate::rds::roles;
use crate::s3::{Bucket, OBJECT_BYTES_MAX};
use crate::sagemaker::{SageMaker, predict};
use rusqlite::types::Value;
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long Aurora waits for a service that does not answer: fact book, section 2.1 (3.05 and later).
const SERVICE_MS: u64 = 30_000;
/// Files of one load.
const FILES_MAX: usize = 10_000;

pub(super) struct Surroundings<'s, 'c> {
    pub c: &'s mut Context<'c>,
    beyond: Beyond<'s>,
    cluster: String,
    member: String,
    /// What was waited for services that did not answer, milliseconds.
    waited: Cell<u64>,
}

impl<'s, 'c> Surroundings<'s, 'c> {
    pub fn new(
        c: &'s mut Context<'c>,
        beyond: Beyond<'s>,
        cluster: &str,
        member: &str,
    ) -> Surroundings<'s, 'c> {
        Surroundings { c, beyond, cluster: cluster.into(), member: member.into(), waited: Cell::new(0) }
    }

    pub fn waited(&self) -> u64 {
        self.waited.get()
    }

    pub fn variables(&self) -> BTreeMap<String, String> {
        let version =
            self.c.rds.clusters.get(&self.cluster).map(|cluster| cluster.settings.engine_version.as_str());
        match self.c.rds.instances.get(&self.member) {
            Some(instance) => variables(instance, version.unwrap_or_default()),
            None => BTreeMap::new(),
        }
    }

    /// When the writer last went down.
    pub fn interrupted(&self) -> Option<u64> {
        let own = self.c.rds.interruptions.iter().filter(|one| one.cluster == self.cluster && one.was_writer);
        own.map(|one| one.at).filter(|at| *at <= self.c.now).max()
    }

    /// The master user's password, hashed, if it is known: that of a managed secret changes with it.
    pub fn known_password(&self) -> Option<String> {
        let cluster = self.c.rds.clusters.get(&self.cluster)?;
        let Some(secret) = &cluster.secret else { return cluster.password.clone() };
        let text = self.c.secrets.current_text(&secret.arn)?;
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value["password"].as_str().map(hashed)
    }

    /// What unseeded random numbers of a statement begin with. Drawn from the time, so that a statement that only looks
    /// leaves the world's chances as they were.
    pub fn seed(&mut self) -> u64 {
        self.c.now.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn role(&self, service: Service) -> Result<String, SqlError> {
        let cluster = self.c.rds.clusters.get(&self.cluster);
        let member = self.c.rds.instances.get(&self.member);
        let arn = member.and_then(|member| member.loaded.get(service.parameter()));
        let associated = cluster.and_then(|cluster| cluster.roles.iter().find(|role| Some(&role.arn) == arn));
        let reaches = self.c.rds.lenient
            || member.is_none_or(|member| {
                member.interface.as_ref().is_none_or(|interface| {
                    let public = member.publicly_accessible;
                    self.c.ec2.reaches(interface, &self.c.call.region, service.network(), public)
                })
            });
        let links = Links {
            role: arn.map(String::as_str),
            association: associated.map_or("", |role| roles::status(self.c, role)),
            iam: &*self.c.iam,
            now: self.c.now,
            reaches,
        };
        let found = role(service, &links);
        if found.is_err() && !reaches {
            self.waited.set(self.waited.get() + SERVICE_MS);
        }
        found
    }

    /// The bucket, if it is in the region that the address says, or else in the cluster's.
    fn bucket(&self, address: &Address) -> Result<&Bucket, SqlError> {
        let region = address.region.as_deref().unwrap_or(&self.c.call.region);
        let bucket = self
            .beyond
            .s3
            .buckets
            .get(&address.bucket)
            .ok_or_else(|| Service::S3.failed("NoSuchBucket: The specified bucket does not exist"))?;
        // Public threads: a bucket of another region than the address says.
        if bucket.region == region { Ok(bucket) } else { Err(s3_stream()) }
    }

    fn may(&self, role: &str, action: &str, resource: &str) -> Result<(), SqlError> {
        permitted(Service::S3, &*self.c.iam, role, action, resource)
    }
}

impl Outside for Surroundings<'_, '_> {
    fn slowness(&self) -> f64 {
        self.c.rds.slow_statements.max(1) as f64
    }

    fn model(&self, ask: &Ask) -> Result<Model, SqlError> {
        let region = &self.c.call.region;
        match ask {
            Ask::Endpoint(endpoint) => {
                let role = self.role(Service::SageMaker)?;
                let arn = format!(
                    "arn:aws:sagemaker:{region}:{ACCOUNT}:endpoint/{}",
                    endpoint.to_ascii_lowercase()
                );
                permitted(Service::SageMaker, &*self.c.iam, &role, "sagemaker:InvokeEndpoint", &arn)?;
                let world = Arc::new((self.beyond.sagemaker.clone(), self.beyond.s3.clone()));
                let (endpoint, now) = (endpoint.clone(), self.c.now);
                Ok(Arc::new(move |row: &[Value]| invoke(&world.0, &world.1, now, &endpoint, row)))
            }
            Ask::Sentiment | Ask::Confidence => {
                let role = self.role(Service::Comprehend)?;
                for action in ["comprehend:DetectSentiment", "comprehend:BatchDetectSentiment"] {
                    permitted(Service::Comprehend, &*self.c.iam, &role, action, "*")?;
                }
                let confidence = *ask == Ask::Confidence;
                Ok(Arc::new(move |row: &[Value]| judged(row, confidence)))
            }
            Ask::Bedrock { model } => {
                let role = self.role(Service::Bedrock)?;
                let arn = format!("arn:aws:bedrock:{region}::foundation-model/{model}");
                permitted(Service::Bedrock, &*self.c.iam, &role, "bedrock:InvokeModel", &arn)?;
                let model = model.clone();
                Ok(Arc::new(move |row: &[Value]| generated(&model, row)))
            }
        }
    }

    fn read(&self, address: &Address, prefix: bool) -> Result<Vec<Source>, SqlError> {
        let role = self.role(Service::S3)?;
        let (bucket_arn, object) = (
            format!("arn:aws:s3:::{}", address.bucket),
            format!("arn:aws:s3:::{}/{}", address.bucket, address.key),
        );
        if prefix {
            self.may(&role, "s3:ListBucket", &bucket_arn)?;
        }
        self.may(&role, "s3:GetObject", &object)?;
        let bucket = self.bucket(address)?;
        let keys: Vec<&String> = match prefix {
            true => bucket
                .objects
                .range(address.key.clone()..)
                .map(|(key, _)| key)
                .take_while(|key| key.starts_with(&address.key))
                .collect(),
            false => bucket.objects.get_key_value(&address.key).map(|(key, _)| key).into_iter().collect(),
        };
        let mut found = Vec::new();
        for key in keys.into_iter().take(FILES_MAX) {
            if let Some(version) = bucket.current(key) {
                // S3 asks KMS in the role's name (Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys").
                if let Some(key) = version.key() {
                    self.may(&role, "kms:Decrypt", key)?;
                }
                let id = if version.id == "null" { String::new() } else { version.id.clone() };
                found.push(Source { key: key.clone(), version: id, content: version.content.clone() });
            }
        }
        if found.is_empty() {
            return Err(Service::S3.failed("NoSuchKey: The specified key does not exist."));
        }
        Ok(found)
    }

    fn exists(&self, address: &Address) -> Result<bool, SqlError> {
        let role = self.role(Service::S3)?;
        self.may(&role, "s3:ListBucket", &format!("arn:aws:s3:::{}", address.bucket))?;
        self.may(
            &role,
            "s3:PutObject",
            &format!("arn:aws:s3:::{}/{}.part_00000", address.bucket, address.key),
        )?;
        let bucket = self.bucket(address)?;
        let part = format!("{}.part_", address.key);
        let mut keys = bucket.objects.range(part.clone()..).take_while(|(key, _)| key.starts_with(&part));
        let manifest = bucket.current(&format!("{}.manifest", address.key));
        Ok(keys.any(|(key, _)| bucket.current(key).is_some()) || manifest.is_some())
    }

    fn clear(&mut self, address: &Address) -> Result<(), SqlError> {
        let role = self.role(Service::S3)?;
        self.may(
            &role,
            "s3:DeleteObject",
            &format!("arn:aws:s3:::{}/{}.part_00000", address.bucket, address.key),
        )?;
        let part = format!("{}.part_", address.key);
        let bucket = self.bucket(address)?;
        let mut keys: Vec<String> =
            bucket.objects.keys().filter(|key| key.starts_with(&part)).cloned().collect();
        keys.push(format!("{}.manifest", address.key));
        for key in keys {
            self.beyond.s3.delete_object(&address.bucket, &key, self.c.now, self.c.random);
        }
        Ok(())
    }

    fn write(&mut self, address: &Address, key: &str, content: Vec<u8>) -> Result<(), SqlError> {
        let role = self.role(Service::S3)?;
        self.may(&role, "s3:PutObject", &format!("arn:aws:s3:::{}/{key}", address.bucket))?;
        if let Some(key) = &self.bucket(address)?.encryption.kms_key {
            self.may(&role, "kms:GenerateDataKey", key)?;
        }
        if content.len() > OBJECT_BYTES_MAX {
            return Err(Service::S3.failed("EntityTooLarge: the sandbox keeps smaller objects"));
        }
        self.beyond.s3.put_object(&address.bucket, key, content, self.c.now, self.c.random);
        Ok(())
    }
}

/// One row to an endpoint, as text with commas.
fn invoke(
    sagemaker: &SageMaker,
    s3: &crate::s3::S3,
    now: u64,
    endpoint: &str,
    row: &[Value],
) -> Result<Value, SqlError> {
    let cells: Vec<String> = row
        .iter()
        .map(|value| match value {
            Value::Null => String::new(),
            Value::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            other => as_text(other),
        })
        .collect();
    let answer = predict(sagemaker, s3, now, endpoint, &cells.join(","))
        .map_err(|fault| Service::SageMaker.failed(format!("{}: {}", fault.code, fault.message)))?;
    let line = answer.lines().next().unwrap_or_default();
    Ok(Value::Text(line.trim().to_string()))
}

fn judged(row: &[Value], confidence: bool) -> Result<Value, SqlError> {
    let [text, language, ..] = row else { return Ok(Value::Null) };
    if *text == Value::Null {
        return Ok(Value::Null);
    }
    if !LANGUAGES.contains(&as_text(language).as_str()) {
        return Err(Service::Comprehend.failed("ValidationException: the language code is not supported"));
    }
    let found = sentiment(&as_text(text));
    Ok(if confidence { Value::Real(found.confidence()) } else { Value::Text(found.name.into()) })
}

/// A model's answer to a request body in JSON. Bedrock's models are not simulated: the answer says so, and depends on
/// the request.
fn generated(model: &str, row: &[Value]) -> Result<Value, SqlError> {
    let body = row.first().map(as_text).unwrap_or_default();
    let request: serde_json::Value = serde_json::from_str(&body).map_err(|_| {
        Service::Bedrock
            .failed("ValidationException: Malformed input request, please reformat your input and try again.")
    })?;
    let words = request.to_string().split_whitespace().count();
    let text = format!("The sandbox's stand-in for {model} has read {words} words.");
    Ok(Value::Text(json!({"outputText": text, "inputTextTokenCount": words}).to_string()))
}
