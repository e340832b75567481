//! What the terminal is like, and how lines on it are drawn again.

use auroraml_core::render::Form;
use auroraml_core::render::canvas::Canvas;
use std::io::{self, IsTerminal, Write};

/// Columns and lines where the terminal does not say.
const SIZE: (usize, usize) = (80, 24);

/// Whether stderr can be drawn on: a terminal that understands cursor movements.
pub fn can_draw() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Whether a person can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether stdout is a terminal, so that what is printed there is seen as it is.
pub fn is_shown() -> bool {
    io::stdout().is_terminal()
}

/// Whether the locale says that more than ASCII can be shown: the first of these that is set (POSIX, "Internationalization
/// Variables").
pub fn is_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
    let locale = set.map(|value| value.to_string_lossy().to_lowercase()).find(|value| !value.is_empty());
    locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
}

/// Columns and lines of the terminal that stderr is.
pub fn size() -> (usize, usize) {
    match terminal_size::terminal_size_of(io::stderr()) {
        Some((terminal_size::Width(width), terminal_size::Height(height))) if width > 0 && height > 0 => {
            (width.into(), height.into())
        }
        _ => SIZE,
    }
}

/// Columns of the terminal that stdout is, if it is one.
fn columns() -> Option<usize> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
    (width > 0).then_some(width.into())
}

/// How what is printed on stdout is laid out.
pub fn form(verbose: bool) -> Form {
    Form { width: columns().filter(|_| is_shown()).map(within), verbose }
}

/// Columns that may be filled: in ASCII three dots stand for the one sign that ends a line.
fn within(width: usize) -> usize {
    if is_unicode() { width } else { width.saturating_sub(2) }
}

/// How what is said on stderr is laid out.
pub fn talk_form(verbose: bool) -> Form {
    Form { width: io::stderr().is_terminal().then(|| within(size().0)), verbose }
}

/// The lines of a view of a run, drawn on stderr again and again.
#[derive(Debug, Default)]
pub struct Drawn {
    canvas: Canvas,
}

impl Drawn {
    /// Replaces the lines that were drawn last.
    pub fn draw(&mut self, lines: &[String], size: (usize, usize)) {
        send(&self.canvas.draw(lines, size));
    }

    /// Takes the lines away that were drawn last.
    pub fn clear(&mut self) {
        send(&self.canvas.clear(size()));
    }
}

fn send(text: &str) {
    let mut stderr = io::stderr().lock();
    // A terminal that has gone away cannot be told anything.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
