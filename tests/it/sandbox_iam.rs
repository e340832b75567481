//! Tests of sandbox_iam.
