//! Tests of sandbox_secretsmanager.
