//! How several stacks' parts of one command ended.

use super::paint::{BOLD, paint};
use super::plain::{self, code, markdown as escape};

/// One stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name; of a spec that cannot be read, the file.
    pub stack: String,
    pub region: String,
    pub result: String,
    pub exit: u8,
}

/// Characters of a result that are shown.
const RESULT_MAX: usize = 100;

fn short(text: &str) -> String {
    let line = plain::line(text);
    match line.char_indices().nth(RESULT_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// A table for the terminal.
pub fn text(rows: &[Row]) -> String {
    let width = |column: fn(&Row) -> &str, title: &str| {
        let widths = rows.iter().map(|row| plain::line(column(row)).chars().count());
        widths.chain([title.len()]).max().unwrap_or_default()
    };
    let (stack, region) = (width(|row| &row.stack, "stack"), width(|row| &row.region, "region"));
    let mut out = paint(BOLD, format!("{:stack$}  {:region$}  exit  result", "stack", "region"));
    out.push('\n');
    for row in rows {
        let (name, place) = (plain::line(&row.stack), plain::line(&row.region));
        out.push_str(&format!("{name:stack$}  {place:region$}  {:4}  {}\n", row.exit, short(&row.result)));
    }
    out
}

/// The same for a comment on a pull request.
pub fn markdown(rows: &[Row]) -> String {
    let mut out = String::from("| stack | region | exit | result |\n|---|---|---|---|\n");
    for Row { stack, region, result, exit } in rows {
        // A bar would end the cell, also within code.
        let cell = |text: String| text.replace('|', "\\|");
        let (stack, region) = (cell(code(plain::line(stack))), cell(code(plain::line(region))));
        out.push_str(&format!("| {stack} | {region} | {exit} | {} |\n", cell(escape(&short(result)))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |stack: &str, region: &str, result: &str, exit| Row {
            stack: stack.into(),
            region: region.into(),
            result: result.into(),
            exit,
        };
        let rows = [
            row("churn", "us-east-1", "nothing to do", 0),
            row("a-longer-name", "eu-west-1", "1 to create\nand |more|", 2),
            row("specs/broken.yaml", "-", &"x".repeat(200), 1),
        ];
        let plain = anstream_free(&text(&rows));
        let at: Vec<usize> = plain.lines().map(|line| line.find("exit").unwrap_or(0)).collect();
        assert_eq!(at[0], "specs/broken.yaml  us-east-1  ".len(), "{plain}");
        assert!(plain.contains("a-longer-name      eu-west-1     2  1 to create and |more|\n"), "{plain}");
        assert!(plain.lines().all(|line| line.chars().count() < 150), "{plain}");
        assert!(markdown(&rows).contains("&#124;more&#124;"), "{}", markdown(&rows));
        assert_eq!(markdown(&rows).lines().count(), 5);
    }

    fn anstream_free(text: &str) -> String {
        text.replace("\x1b[1m", "").replace("\x1b[0m", "")
    }
}
