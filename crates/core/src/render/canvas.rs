//! Lines at the bottom of a terminal that are drawn again and again: which bytes replace what was drawn last. Pure.
//!
//! What has scrolled off the top of a screen cannot be taken back, so no more is drawn than half of the screen has room
//! for, and the count of lines to go up is made anew each time: a terminal that has become narrower has wrapped what was
//! drawn.

use super::wrap::visible;

/// What was drawn last.
#[derive(Clone, Debug, Default)]
pub struct Canvas {
    /// Columns of each line.
    drawn: Vec<usize>,
}

/// Columns and lines of a terminal.
pub type Size = (usize, usize);

/// Lines that a view may take of a screen of this height.
pub fn room(height: usize) -> usize {
    // The line below it is the cursor's.
    (height / 2).max(1).min(height.saturating_sub(1).max(1))
}

impl Canvas {
    /// What replaces the lines that were drawn last. None of them may be wider than the terminal.
    pub fn draw(&mut self, lines: &[String], (width, height): Size) -> String {
        let mut out = self.clear((width, height));
        for line in lines.iter().take(room(height)) {
            out.push_str(line);
            out.push_str("\r\n");
            self.drawn.push(visible(line));
        }
        out
    }

    /// What takes the lines away that were drawn last: nothing of them stays.
    pub fn clear(&mut self, (width, height): Size) -> String {
        let rows: usize = self.drawn.iter().map(|columns| columns.div_ceil(width.max(1)).max(1)).sum();
        self.drawn.clear();
        match rows.min(height.saturating_sub(1)) {
            0 => String::new(),
            // To the first line that was drawn (CUU), and erase from there to the end (ED; ECMA-48).
            up => format!("\x1b[{up}A\r\x1b[J"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_terminal_has_wrapped_what_was_drawn() {
        let mut canvas = Canvas::default();
        let lines = ["\x1b[1m".to_string() + &"x".repeat(70) + "\x1b[0m", "y".repeat(20)];
        assert!(canvas.draw(&lines, (80, 24)).starts_with("\x1b[1mxxx"), "nothing to go back to");
        assert!(canvas.draw(&lines[..1], (80, 24)).starts_with("\x1b[2A\r\x1b[J"));
        assert_eq!(canvas.clear((40, 24)), "\x1b[2A\r\x1b[J", "one line has become two");
        assert_eq!(canvas.clear((40, 24)), "");
    }

    #[test]
    fn half_of_the_screen() {
        assert_eq!([0, 1, 2, 3, 5, 24, 30].map(room), [1, 1, 1, 1, 2, 12, 15]);
        let mut canvas = Canvas::default();
        let drawn = canvas.draw(&vec!["x".to_string(); 100], (80, 24));
        assert_eq!(drawn.matches("\r\n").count(), 12);
    }
}
