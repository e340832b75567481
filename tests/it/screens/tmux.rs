//! A tmux server of a test's own, with one window in which a script runs.

use crate::cli::Place;
use crate::support::{skipped, stopwatch};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// For a script to end.
const PATIENCE: Duration = Duration::from_secs(240);

/// Whether there is a tmux; where there is none the test says so.
pub fn is_there() -> bool {
    let found = Command::new("tmux").arg("-V").output().is_ok();
    if !found {
        skipped("there is no tmux");
    }
    found
}

/// Columns and lines.
pub type Size = (usize, usize);

/// The server, which ends with it.
pub struct Tmux<'p> {
    place: &'p Place,
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.run(&["kill-server"]);
    }
}

impl Tmux<'_> {
    /// Begins a script, in which `auroraml` is the program under test and `variables` are set.
    pub fn start<'p>(place: &'p Place, size: Size, variables: &[(&str, &str)], script: &str) -> Tmux<'p> {
        let tmux = Tmux { place };
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_auroraml")).parent().unwrap();
        let set: String = variables.iter().map(|(name, value)| format!("export {name}={value}; ")).collect();
        let script = format!(
            "export PATH={}:$PATH HOME={}; {set}{script}; touch ended; sleep 300",
            program.display(),
            place.path("").display()
        );
        let (columns, lines) = (size.0.to_string(), size.1.to_string());
        let args = ["new-session", "-d", "-s", "auroraml", "-x", &columns, "-y", &lines, &script];
        let started = tmux.run(&args).unwrap();
        assert!(started.status.success(), "{started:?}");
        tmux
    }

    fn run(&self, args: &[&str]) -> std::io::Result<Output> {
        let mut command = Command::new("tmux");
        // A socket in the test's own folder: nobody else's server is touched.
        command.arg("-u").arg("-f").arg("/dev/null").arg("-S").arg(self.place.path("tmux.sock")).args(args);
        command.current_dir(self.place.path("")).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("SHELL", "/bin/sh").env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).output()
    }

    fn captured(&self, args: &[&str]) -> String {
        let output = self.run(&[&["capture-pane", "-p", "-t", "auroraml"], args].concat()).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What has scrolled off and what is shown, lines that were wrapped put together again.
    pub fn history(&self) -> String {
        self.captured(&["-J", "-S", "-"])
    }

    /// The same as it stands there.
    pub fn lines(&self) -> String {
        self.captured(&["-S", "-"])
    }

    /// What is shown, lines that were wrapped put together again.
    pub fn shown_whole(&self) -> String {
        self.captured(&["-J"])
    }

    pub fn resize(&self, (width, height): Size) {
        let (columns, lines) = (width.to_string(), height.to_string());
        let resized = self.run(&["resize-window", "-t", "auroraml", "-x", &columns, "-y", &lines]).unwrap();
        assert!(resized.status.success(), "{resized:?}");
    }

    /// Waits until the script has ended; `look` is asked again and again meanwhile.
    #[expect(clippy::disallowed_methods, reason = "another process takes real time")]
    pub fn wait(&self, mut look: impl FnMut(&Tmux<'_>)) {
        let began = stopwatch();
        while !self.place.path("ended").exists() {
            assert!(began.elapsed() < PATIENCE, "{}", self.history());
            std::thread::sleep(Duration::from_millis(100));
            look(self);
        }
    }
}
