//! What the terminal is like, and how lines on it are drawn again.

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

/// Lines at the bottom of the terminal that are drawn again and again.
#[derive(Debug, Default)]
pub struct Canvas {
    drawn: usize,
}

impl Canvas {
    /// Replaces the lines that were drawn last.
    pub fn draw(&mut self, lines: &[String]) {
        let mut text = String::new();
        if self.drawn > 0 {
            // To the first line that was drawn, and clear from there to the end.
            text.push_str(&format!("\x1b[{}A\r\x1b[J", self.drawn));
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines.len();
        let mut stderr = io::stderr().lock();
        // A terminal that has gone away cannot be told anything.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}
