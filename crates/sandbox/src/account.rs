//! Whose account the sandbox plays, and when its time begins.

/// The account that the sandbox plays.
pub const ACCOUNT: &str = "111122223333";
/// 2026-11-20T00:00:00Z in milliseconds since the Unix epoch, where a new world's clock starts.
pub const BIRTH_MS: u64 = 1_795_132_800_000;
