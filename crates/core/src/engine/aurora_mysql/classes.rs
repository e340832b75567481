//! Instance classes of Aurora MySQL.

/// Those that AWS's price list has in any region (as cfn-lint 1.58 reads it), newest use first: of two that are as close to
/// a misspelt one, the first is offered.
pub const CLASSES: &[(&str, &str)] = &[
    ("r8g r8a", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("r7g r6g x2g", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("r7i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("r6i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("r6id", "24xlarge 32xlarge"),
    ("t4g t3", "small medium large xlarge 2xlarge"),
    ("r5", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("r4", "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
    ("r3", "large xlarge 2xlarge 4xlarge 8xlarge"),
    ("t2", "small medium"),
];
