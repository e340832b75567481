//! The one way to the terminal: data to stdout, talk to stderr.

use super::exit::Error;
use anstyle::{AnsiColor, Style};
use auroraml_core::render::plain;
use std::io::{self, Write};

const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Prints. Styles are taken out again where the stream is no terminal or the user wants none.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    quiet: bool,
}

impl Printer {
    pub fn new(quiet: bool) -> Printer {
        Printer { quiet }
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What the command was asked for. A reader that has seen enough and left is no failure.
    ///
    /// # Errors
    /// When stdout cannot be written for another reason, such as a full disk.
    pub fn data(&self, text: &str) -> Result<(), Error> {
        let mut stdout = anstream::stdout().lock();
        match stdout.write_all(plain::styled(text).as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::plain(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// What a person should know, unless they want quiet.
    pub fn talk(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// What must be said, also to those who want quiet.
    pub fn say(&self, text: &str) {
        let mut stderr = anstream::stderr().lock();
        // Where stderr is closed nobody can be told so.
        let _ = stderr.write_all(plain::styled(text).as_bytes()).and_then(|()| stderr.flush());
    }

    /// Every trouble: `error: OBJECT: why`, and what to do about it.
    pub fn error(&self, error: &Error) {
        for trouble in &error.troubles {
            let object = trouble.object.as_ref().map(|object| plain::line(&format!("{object}: ")));
            let (object, why) = (object.unwrap_or_default(), plain::line(&trouble.why));
            let mut text = format!("{RED}error:{RED:#} {object}{why}\n");
            if let Some(help) = &trouble.help {
                text.push_str(&format!("  {CYAN}help:{CYAN:#} {}\n", plain::line(help)));
            }
            self.say(&text);
        }
    }
}
