//! auroraml as a process that is watched while it runs.

use std::io::Read;
use std::process::{Child, Command, Stdio};

/// A process that does not outlive its test.
pub struct Process(Child);

impl Process {
    /// What it writes to stdout is not kept.
    pub fn start(command: &mut Command) -> Process {
        Process(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// What it says until it has said this.
    pub fn says_until(&mut self, words: &str) -> String {
        let stderr = self.0.stderr.as_mut().unwrap();
        let (mut said, mut byte) = (Vec::new(), [0]);
        while !String::from_utf8_lossy(&said).contains(words) {
            assert!(stderr.read(&mut byte).unwrap() > 0, "{}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        String::from_utf8(said).unwrap()
    }

    /// Its exit code, and what it said since it was last asked.
    pub fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.0.wait().unwrap().code().unwrap_or(-1), said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
