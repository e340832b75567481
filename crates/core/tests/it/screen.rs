//! A terminal, as far as auroraml needs one: bytes in, what stands on the screen and above it out.
//!
//! It takes what ECMA-48 and xterm call CUU, ED, EL and SGR, carriage return and line feed, and wraps as xterm does: a
//! character in the last column leaves the cursor there until the next one comes. Whatever else is written is a mistake.

/// A screen with what has scrolled off its top.
#[derive(Clone, Debug)]
pub struct Screen {
    width: usize,
    height: usize,
    rows: Vec<Vec<char>>,
    above: Vec<String>,
    column: usize,
    row: usize,
}

impl Screen {
    pub fn new(width: usize, height: usize) -> Screen {
        Screen { width, height, rows: vec![Vec::new()], above: Vec::new(), column: 0, row: 0 }
    }

    /// Writes what a program sends; `\n` also returns, as a terminal's line discipline has it (ONLCR).
    pub fn write(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' => self.column = 0,
                '\n' => {
                    self.column = 0;
                    self.down();
                }
                '\x1b' => {
                    let sequence = rest.strip_prefix('[').unwrap_or_else(|| panic!("not a CSI: {rest:?}"));
                    let end = sequence.find(|c: char| c.is_ascii_alphabetic()).expect("a final byte");
                    self.control(&sequence[..end], &sequence[end..=end]);
                    rest = &sequence[end + 1..];
                }
                c if c.is_control() => panic!("{c:?} is written to a terminal"),
                c => self.put(c),
            }
        }
    }

    fn control(&mut self, parameters: &str, last: &str) {
        match (parameters, last) {
            (_, "m") => {}
            (count, "A") => {
                // It stops at the top: what has scrolled off is out of reach.
                self.row = self.row.saturating_sub(count.parse().unwrap_or(1));
            }
            ("" | "0", "J") => {
                self.rows.truncate(self.row + 1);
                let column = self.column;
                self.rows[self.row].truncate(column);
            }
            ("" | "0", "K") => {
                let column = self.column;
                self.rows[self.row].truncate(column);
            }
            other => panic!("{other:?} is not known here"),
        }
    }

    fn put(&mut self, c: char) {
        if self.column == self.width {
            self.column = 0;
            self.down();
        }
        let row = &mut self.rows[self.row];
        if row.len() <= self.column {
            row.resize(self.column + 1, ' ');
        }
        row[self.column] = c;
        self.column += 1;
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
        if self.row == self.height {
            self.above.push(text(&self.rows.remove(0)));
            self.row -= 1;
        }
    }

    /// What stands on the screen.
    pub fn shown(&self) -> String {
        self.rows.iter().map(|row| format!("{}\n", text(row))).collect()
    }

    /// What has scrolled off, and a line between that and what is shown.
    pub fn all(&self) -> String {
        let above: String = self.above.iter().map(|line| format!("{line}\n")).collect();
        let line =
            format!("{:-^width$}\n", format!(" screen {}x{} ", self.width, self.height), width = self.width);
        format!("{above}{line}{}", self.shown())
    }

    /// What has scrolled off, and what is shown.
    pub fn history(&self) -> String {
        let above: String = self.above.iter().map(|line| format!("{line}\n")).collect();
        format!("{above}{}", self.shown())
    }
}

fn text(row: &[char]) -> String {
    row.iter().collect::<String>().trim_end().to_string()
}

#[test]
fn it_wraps_and_scrolls_as_a_terminal_does() {
    let mut screen = Screen::new(4, 3);
    screen.write("abcd\nefghi\nj\n");
    assert_eq!((screen.above.join("|"), screen.shown()), ("abcd|efgh".into(), "i\nj\n\n".into()));
    screen.write("\x1b[9A\r\x1b[1mX\x1b[0m\x1b[J");
    assert_eq!((screen.above.len(), screen.shown()), (2, "X\n".into()));
}
