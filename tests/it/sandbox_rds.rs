//! Tests of sandbox_rds.
