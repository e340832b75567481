//! The one integration crate: real SDK, real executor, simulated AWS, simulated clock.

mod adoption;
mod bench;
mod canary;
mod changes;
mod chaos;
mod cli;
mod crash;
mod figures;
mod harness;
mod kinds_ec2;
mod kinds_sagemaker;
mod kinds_storage;
mod lifecycle;
mod preflight;
mod render;
mod sandbox_ec2;
mod sandbox_iam;
mod sandbox_rds;
mod sandbox_s3;
mod sandbox_sagemaker;
mod sandbox_secretsmanager;
mod sandbox_server;
mod support;
mod tidy;
mod validate;
