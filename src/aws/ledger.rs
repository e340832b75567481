//! Small objects in a bucket that outlives the stack: leases and audits. Written on a condition, where it matters who was
//! first (S3 User Guide, "How to prevent object overwrites with conditional writes").
//!
//! Its requests pass no gate and are in no audit: they change nothing of a stack.

use super::failure::{Class, During, Failure};
use aws_sdk_s3::config::Region;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of an object that is read: a lease has less than one thousand.
const READ_MAX: i64 = 64 * 1024;

/// A client of its own. It finds out where a bucket is.
#[derive(Debug)]
pub struct Ledger {
    client: aws_sdk_s3::Client,
    /// The region of the bucket that was asked for last, where it is not ours.
    region: Mutex<Option<Region>>,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub struct Entry {
    pub etag: String,
    pub text: String,
    /// How long ago it was written, by S3's own clock, where S3 says what time it is.
    pub age: Option<Duration>,
}

/// On what an object is written.
#[derive(Clone, Copy, Debug)]
pub enum Only<'a> {
    Always,
    /// Where there is none of this key.
    IfAbsent,
    /// Where it is still this one.
    IfUnchanged(&'a str),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// With this tag.
    Done(String),
    /// Another was first.
    Lost,
    /// Another is at it: S3 answers 409 while it decides which of two is first, and asks to try again.
    Contended,
}

impl Ledger {
    pub(super) fn new(config: aws_sdk_s3::Config) -> Ledger {
        Ledger { client: aws_sdk_s3::Client::from_conf(config), region: Mutex::default() }
    }

    /// Reads an object; none where there is none.
    ///
    /// # Errors
    /// What S3 says. Without `s3:ListBucket` it does not say that there is none, but denies (GetObject, "Permissions").
    pub async fn read(&self, bucket: &str, key: &str) -> Result<Option<Entry>, Failure> {
        match self.read_there(bucket, key).await {
            Err((_, Some(region))) => {
                self.remember(region);
                self.read_there(bucket, key).await.map_err(|(failure, _)| failure)
            }
            other => other.map_err(|(failure, _)| failure),
        }
    }

    async fn read_there(&self, bucket: &str, key: &str) -> Result<Option<Entry>, (Failure, Option<String>)> {
        let said = Date::default();
        let request = self.client.get_object().bucket(bucket).key(key).customize().interceptor(said.clone());
        let request = match self.there() {
            Some(there) => request.config_override(there),
            None => request,
        };
        let found = match request.send().await {
            Ok(found) => found,
            Err(error) => {
                let region = elsewhere(&error);
                let failure = Err::<(), _>(error).during("GetObject").err();
                return match failure {
                    Some(failure) if failure.is(Class::NotFound) && failure.code == "NoSuchKey" => Ok(None),
                    Some(failure) => Err((failure, region)),
                    None => Ok(None),
                };
            }
        };
        let plain = |why: &str| (Failure::refused("GetObject", format!("s3://{bucket}/{key} {why}")), None);
        if found.content_length().is_some_and(|length| length > READ_MAX) {
            return Err(plain("too large for a lease"));
        }
        let etag = found.e_tag().unwrap_or_default().to_string();
        let written = found.last_modified().copied();
        let now = *said.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = written.zip(now).map(|(written, now)| {
            Duration::from_secs(u64::try_from(now.secs() - written.secs()).unwrap_or_default())
        });
        let body = found.body.collect().await;
        let body = body.map_err(|error| {
            let failure = Failure::refused("GetObject", format!("the response was cut off: {error}"));
            (Failure { class: Class::Ambiguous, ..failure }, None)
        })?;
        let text = String::from_utf8(body.to_vec()).map_err(|_| plain("is not text"))?;
        Ok(Some(Entry { etag, text, age }))
    }

    /// Writes an object, on a condition.
    ///
    /// # Errors
    /// What S3 says, but for what `Written` has.
    pub async fn write(
        &self,
        bucket: &str,
        key: &str,
        text: &str,
        only: Only<'_>,
    ) -> Result<Written, Failure> {
        match self.write_there(bucket, key, text, only).await {
            Err((_, Some(region))) => {
                self.remember(region);
                self.write_there(bucket, key, text, only).await.map_err(|(failure, _)| failure)
            }
            other => other.map_err(|(failure, _)| failure),
        }
    }

    async fn write_there(
        &self,
        bucket: &str,
        key: &str,
        text: &str,
        only: Only<'_>,
    ) -> Result<Written, (Failure, Option<String>)> {
        let request = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("application/json")
            .body(ByteStream::from(text.as_bytes().to_vec()));
        let request = match only {
            Only::Always => request,
            Only::IfAbsent => request.if_none_match("*"),
            Only::IfUnchanged(etag) => request.if_match(etag),
        };
        let answer = match self.there() {
            Some(there) => request.customize().config_override(there).send().await,
            None => request.send().await,
        };
        let error = match answer {
            Ok(done) => return Ok(Written::Done(done.e_tag().unwrap_or_default().to_string())),
            Err(error) => error,
        };
        let region = elsewhere(&error);
        match Err::<(), _>(error).during("PutObject") {
            Ok(()) => Ok(Written::Lost),
            Err(failure) => match failure.code.as_str() {
                // 412; 404 where it was to be unchanged and is gone; 409 ("Conditional request conflict").
                "PreconditionFailed" => Ok(Written::Lost),
                "NoSuchKey" if matches!(only, Only::IfUnchanged(_)) => Ok(Written::Lost),
                "ConditionalRequestConflict" => Ok(Written::Contended),
                _ => Err((failure, region)),
            },
        }
    }

    fn remember(&self, region: String) {
        *self.region.lock().unwrap_or_else(PoisonError::into_inner) = Some(Region::new(region));
    }

    fn there(&self) -> Option<aws_sdk_s3::config::Builder> {
        let region = self.region.lock().unwrap_or_else(PoisonError::into_inner).clone();
        region.map(|region| aws_sdk_s3::config::Builder::new().region(region))
    }
}

/// The region in which the bucket is, where the answer says that it is in another one.
fn elsewhere<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response()?;
    let is_other = matches!(response.status().as_u16(), 301 | 400);
    response.headers().get("x-amz-bucket-region").filter(|_| is_other).map(String::from)
}

/// What time it is at S3.
#[derive(Clone, Debug, Default)]
struct Date(Arc<Mutex<Option<DateTime>>>);

#[dyn_dispatch_hint]
impl Intercept for Date {
    fn name(&self) -> &'static str {
        "auroraml::aws::ledger"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
