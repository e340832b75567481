//! A template that is too large for a request goes through a bucket, where CloudFormation reads it with our permissions
//! when it is asked (API reference, UpdateStack, TemplateURL). Afterwards nobody needs it.

use crate::aws::{Aws, Class, During, Failure};
use crate::kinds::{already_ok, template_url};
use auroraml_core::base::names::short_hash;

/// A place for a template.
pub(super) struct Upload<'a> {
    bucket: &'a str,
    key: String,
}

impl<'a> Upload<'a> {
    /// The one place for the template of this CloudFormation stack, so that every run finds what an earlier one left. In the
    /// spec's own bucket it is a file that the stack does not want: the next apply takes it away as well.
    pub fn of(arn: &str, bucket: &'a str) -> Upload<'a> {
        let name = arn.split('/').nth(1).unwrap_or("stack");
        let key = format!("auroraml/{}/{name}.template", short_hash(arn.as_bytes()));
        Upload { bucket, key }
    }

    pub async fn put(&self, aws: &Aws, text: String) -> Result<(), Failure> {
        let request = aws
            .s3
            .put_object()
            .bucket(self.bucket)
            .expected_bucket_owner(&aws.place.account)
            .key(&self.key)
            .body(text.into_bytes().into());
        request.send().await.during("PutObject").map(|_| ())
    }

    pub async fn remove(&self, aws: &Aws) -> Result<(), Failure> {
        let request = aws
            .s3
            .delete_object()
            .bucket(self.bucket)
            .expected_bucket_owner(&aws.place.account)
            .key(&self.key);
        already_ok(request.send().await.during("DeleteObject"), Class::NotFound)
    }

    pub fn url(&self, aws: &Aws) -> String {
        template_url(aws, self.bucket, &self.key)
    }
}
