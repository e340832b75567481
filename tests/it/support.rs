//! What the tests share.

use crate::recording::{Who, recorded};
use auroraml_clock::Clock;
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::{AsyncSleep, Credentials, SharedAsyncSleep, SharedCredentialsProvider, Sleep};
use aws_smithy_async::time::TimeSource;
use std::io::Write;

/// Compares with a file of the repository that `UPDATE=1` writes anew.
pub fn golden_at(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{} is not fresh: run with UPDATE=1", path.display());
}

pub fn golden(name: &str, text: &str) {
    golden_at(&format!("tests/data/render/{name}"), text);
}

/// Says that a judge from outside is missing and its test looked at nothing. cargo shows no word of a test that passes,
/// so it is written into the file that `AURORAML_TEST_SKIPPED` names as well, from which `.ci/run` tells it.
pub fn skipped(why: &str) {
    println!("skipped: {why}");
    let Some(file) = std::env::var_os("AURORAML_TEST_SKIPPED") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    // One write: tests run side by side.
    file.write_all(format!("{why}\n").as_bytes()).unwrap();
}

/// The computer's own time, for tests that measure what it does.
#[expect(clippy::disallowed_methods, reason = "nothing simulated depends on it")]
pub fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// A new sandbox at normal speed, with nothing in it; run it on tokio's paused clock.
pub fn sandbox(seed: u64, mood: Mood) -> Sandbox {
    recorded(Sandbox::new(World::new(seed, mood).bare(), 1.0), Who::Other)
}

/// SDK configuration that talks to the sandbox, on its clock, without retries: what the sandbox answers
/// is what the test sees.
pub fn config(sandbox: &Sandbox) -> SdkConfig {
    let credentials = Credentials::new("AKIDSANDBOX", "secret", None, None, "sandbox");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(ClockSleep(sandbox.clock())))
        .time_source(ClockTime(sandbox.clock()))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .http_client(sandbox.http_client())
        .build()
}

#[derive(Debug)]
struct ClockSleep(Clock);
impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: std::time::Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

#[derive(Debug)]
struct ClockTime(Clock);
impl TimeSource for ClockTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.system_time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_caller_is_known() {
        let sandbox = sandbox(1, Mood::Calm);
        let sts = aws_sdk_sts::Client::new(&config(&sandbox));
        let who = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(who.account(), Some("111122223333"));
    }
}
