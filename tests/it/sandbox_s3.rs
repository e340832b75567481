//! Tests of sandbox_s3.
