//! Who runs a command, and on which machine, for people who have to find them.

use super::variable;
use std::fs;
use std::process::{Command, Stdio};

/// `ana@runner-7, process 412, https://…`
pub fn who() -> String {
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let user = first(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".into());
    let host = name().unwrap_or_else(|| "unknown host".into());
    // A pipeline's job is easier to find than its runner.
    let github = (variable("GITHUB_SERVER_URL"), variable("GITHUB_REPOSITORY"), variable("GITHUB_RUN_ID"));
    let job = match github {
        (Some(server), Some(repository), Some(run)) => {
            Some(format!("{server}/{repository}/actions/runs/{run}"))
        }
        _ => first(&["CI_JOB_URL", "CODEBUILD_BUILD_ID", "BUILD_URL"]),
    };
    let job = job.map(|job| format!(", {job}")).unwrap_or_default();
    format!("{user}@{host}, process {}{job}", std::process::id())
}

/// The machine's name: Linux has it in a file and Windows in a variable; everywhere else `uname` says it (POSIX).
fn name() -> Option<String> {
    of_kernel().or_else(|| variable("COMPUTERNAME")).or_else(of_uname).or_else(|| variable("HOSTNAME"))
}

fn of_kernel() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/hostname").ok().and_then(|name| told(&name))
}

/// It asks the kernel and ends at once.
fn of_uname() -> Option<String> {
    let mut uname = Command::new("uname");
    let output = uname.arg("-n").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    told(&String::from_utf8_lossy(&output.stdout))
}

fn told(name: &str) -> Option<String> {
    Some(name.trim().to_string()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the kernel's file is, the other way says the same.
    #[test]
    #[cfg(unix)]
    fn uname_says_what_the_kernel_says() {
        let said = of_uname().expect("POSIX has it");
        assert_eq!(of_kernel().unwrap_or_else(|| said.clone()), said);
        assert_eq!(name(), Some(said));
        assert_eq!((told(" \n"), told("a\n")), (None, Some("a".to_string())));
    }
}
