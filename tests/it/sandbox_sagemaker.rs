//! Tests of sandbox_sagemaker.
