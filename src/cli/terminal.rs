//! What the terminal is like, and how lines on it are drawn again.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

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

/// Columns and lines of the terminal.
pub fn size() -> (usize, usize) {
    asked().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(SIZE)
}

/// What `stty` says of the terminal at stdin or, where stdin is none, of the controlling one. The standard
/// library cannot ask, and a system call of our own would need unsafe code.
fn asked() -> Option<(usize, usize)> {
    let stdin = match io::stdin().is_terminal() {
        true => Stdio::inherit(),
        false => Stdio::from(std::fs::File::open("/dev/tty").ok()?),
    };
    let output = Command::new("stty").arg("size").stdin(stdin).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().map(|number| number.parse::<usize>().ok());
    let (height, width) = (numbers.next()??, numbers.next()??);
    Some((width, height))
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
