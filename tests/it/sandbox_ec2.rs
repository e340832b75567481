//! Tests of sandbox_ec2.
