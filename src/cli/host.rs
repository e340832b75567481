//! What this machine is called, for people who have to find it.

use std::fs;
use std::process::{Command, Stdio};

/// The machine's name: Linux has it in a file and Windows in a variable; everywhere else `uname` says it (POSIX).
pub fn name() -> Option<String> {
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

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().and_then(|name| told(&name))
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
