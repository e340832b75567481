//! The one way to the terminal: data to stdout, talk to stderr.

use super::exit::Error;
use super::terminal;
use anstyle::{AnsiColor, Style};
use auroraml_core::render::{self, Form, plain};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

const RED: Style = AnsiColor::Red.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Prints. Styles are taken out again where the stream is no terminal or the user wants none.
#[derive(Clone, Debug)]
pub struct Printer {
    quiet: bool,
    /// What is kept back until it is released, if anything is.
    held: Option<Arc<Mutex<Held>>>,
}

/// Bytes that are kept back of one stack; what is more is left out, and that is said.
const HELD_MAX: usize = 16 << 20;

#[derive(Debug, Default)]
struct Held {
    said: Vec<Said>,
    bytes: usize,
}

#[derive(Debug)]
enum Said {
    Data(String),
    Talk(String),
}

impl Printer {
    pub fn new(quiet: bool) -> Printer {
        Printer { quiet, held: None }
    }

    /// One that keeps everything back, so that what several stacks print does not mix.
    pub fn held(&self) -> Printer {
        Printer { quiet: self.quiet, held: Some(Arc::default()) }
    }

    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Prints by `to` what was kept back.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn release(&self, to: &Printer) -> Result<(), Error> {
        let Some(held) = &self.held else { return Ok(()) };
        let held = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
        for said in held.said {
            match said {
                Said::Data(text) => to.data(&text)?,
                Said::Talk(text) => to.say(&text),
            }
        }
        if held.bytes > HELD_MAX {
            to.say("warning: some output was left out, because there was too much\n");
        }
        Ok(())
    }

    /// Bytes of data that are kept back.
    pub fn held_data(&self) -> usize {
        let Some(held) = &self.held else { return 0 };
        let held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let data = held.said.iter().map(|said| if let Said::Data(text) = said { text.len() } else { 0 });
        data.sum()
    }

    /// Keeps it back, if that is what this printer does.
    fn keeps(&self, said: impl FnOnce() -> Said) -> bool {
        let Some(held) = &self.held else { return false };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said();
        let (Said::Data(text) | Said::Talk(text)) = &said;
        held.bytes = held.bytes.saturating_add(text.len());
        if held.bytes <= HELD_MAX {
            held.said.push(said);
        }
        true
    }

    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What the command was asked for. A reader that has seen enough and left is no failure.
    ///
    /// # Errors
    /// When stdout cannot be written for another reason, such as a full disk.
    pub fn data(&self, text: &str) -> Result<(), Error> {
        if self.keeps(|| Said::Data(text.to_string())) {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        match stdout.write_all(plain::styled(text).as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::plain(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// As [`Printer::data`], of sentences: in ASCII where the locale has nothing else.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn text(&self, text: &str) -> Result<(), Error> {
        match terminal::is_unicode() {
            true => self.data(text),
            false => self.data(&render::ascii(text)),
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
        if self.keeps(|| Said::Talk(text.to_string())) {
            return;
        }
        let text = sentences(terminal::talk_form(false), &plain::styled(text));
        let text = if terminal::is_unicode() { text } else { render::ascii(&text) };
        let mut stderr = anstream::stderr().lock();
        // Where stderr is closed nobody can be told so.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Every trouble: `error: OBJECT: why`, and what to do about it.
    pub fn error(&self, error: &Error) {
        let form = terminal::talk_form(false);
        for trouble in &error.troubles {
            let object = trouble.object.as_ref().map(|object| plain::line(&format!("{object}: ")));
            let (object, why) = (object.unwrap_or_default(), plain::line(&trouble.why));
            let mut text = form.wrap(&format!("{RED}error:{RED:#} {object}{why}"), 2) + "\n";
            if let Some(help) = &trouble.help {
                text.push_str(&helped(form, &plain::line(help)));
            }
            self.say(&text);
        }
    }
}

/// Sentences with their words whole. What is indented is laid out already.
fn sentences(form: Form, text: &str) -> String {
    let wrapped = |line: &str| match line.starts_with(' ') {
        true => line.to_string(),
        false => form.wrap(line, 2),
    };
    text.split('\n').map(wrapped).collect::<Vec<_>>().join("\n")
}

/// Help on as many lines as the terminal needs. A command at its end stands on lines of its own: it is there to be copied.
fn helped(form: Form, help: &str) -> String {
    let line = |help: &str| form.wrap(&format!("  {CYAN}help:{CYAN:#} {help}"), 4);
    let whole = line(help);
    match help.rsplit_once(": auroraml ") {
        Some((text, words)) if whole.contains('\n') && !words.contains([';', ',', '`']) => {
            format!("{}\n{}\n", line(&format!("{text}:")), form.command(&format!("auroraml {words}"), 4))
        }
        _ => format!("{whole}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        let form = Form { width: Some(40), verbose: false };
        let text = "Using a new sandbox, sandbox.json: no real AWS account.\n\n    what is laid out stays as it is laid out\n";
        let expected = "Using a new sandbox, sandbox.json: no\n  real AWS account.\n\n    what is laid out stays as it is laid out\n";
        assert_eq!(sentences(form, text), expected);
        assert_eq!(sentences(Form::default(), text), text);
    }

    #[test]
    fn a_command_can_be_copied() {
        let help = |width, help: &str| {
            let form = Form { width, verbose: false };
            anstream::adapter::strip_str(&helped(form, help)).to_string()
        };
        let long = "Restart members later. To allow it now: auroraml apply shop.yaml --allow failover";
        assert_eq!(help(None, long), format!("  help: {long}\n"));
        assert_eq!(
            help(Some(50), long),
            "  help: Restart members later. To allow it now:\n    auroraml apply shop.yaml --allow failover\n"
        );
        assert_eq!(help(Some(50), "run: auroraml plan"), "  help: run: auroraml plan\n");
        let other = "first run this: auroraml plan, and then what it says; it takes long";
        assert_eq!(
            help(Some(50), other),
            "  help: first run this: auroraml plan, and then\n    what it says; it takes long\n"
        );
    }
}
