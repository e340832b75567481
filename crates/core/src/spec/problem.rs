//! What is wrong with a spec, where, and what to write instead.

use super::node::Place;
use std::fmt::Write;

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 if the spec was not read from a file.
    pub line: usize,
    /// Column in characters, from 1; 0 likewise.
    pub column: usize,
    /// How many characters are underlined, at least 1; 0 likewise.
    pub width: usize,
    /// Where in the spec, such as `aurora.instances[0].class`; empty for the whole file.
    pub path: String,
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Whether the spec is good all the same: AWS has the last word on it.
    pub is_warning: bool,
}

impl Problem {
    /// Line and column, or else the path.
    fn position(&self) -> String {
        match self.line {
            0 => self.path.clone(),
            line => format!("{line}:{}", self.column),
        }
    }

    /// What stands before the message.
    fn kind(&self) -> &'static str {
        if self.is_warning { "warning: " } else { "" }
    }
}

/// Everything that is wrong with a spec, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// Characters of a source line that are shown: what is longer is cut around the problem.
const WINDOW: usize = 120;

impl Problems {
    /// Only a problem at one place, such as a line that cannot be read.
    pub(super) fn at(place: Place, message: String, hint: String) -> Problems {
        let Place { line, column, width } = place;
        let hint = Some(hint);
        Problems(vec![Problem { line, column, width, path: String::new(), message, hint, is_warning: false }])
    }

    /// Only a problem of the file as a whole, such as its size.
    pub(super) fn of_file(line: usize, column: usize, message: &str, hint: Option<&str>) -> Problems {
        Problems(vec![Problem {
            line,
            column,
            width: 1,
            path: String::new(),
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
            is_warning: false,
        }])
    }

    /// Whether there are only warnings, or nothing at all.
    pub fn is_good(&self) -> bool {
        self.0.iter().all(|problem| problem.is_warning)
    }

    /// For each problem `FILE:LINE:COL: message`, the source line underlined, and what to write instead.
    pub fn render(&self, file: &str, source: &str) -> String {
        let lines: Vec<&str> = source.lines().collect();
        // What stands where a password was expected may be one: such a line is never repeated.
        let secret = |problem: &Problem| {
            problem.path.ends_with(".password") || problem.path.ends_with(".password_environment_variable")
        };
        // Nor is a line that speaks of a password, wherever someone put it.
        let speaks =
            |line: &str| line.to_lowercase().replace("password_environment_variable", "").contains("passw");
        let spoken = lines.iter().enumerate().filter(|(_, line)| speaks(line)).map(|(n, _)| n + 1);
        let hidden = self.0.iter().filter(|p| secret(p)).map(|p| p.line).chain(spoken);
        let hidden: Vec<usize> = hidden.chain(environment(&lines)).collect();
        let mut out = String::new();
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{file}:{}: {}{}", problem.position(), problem.kind(), problem.message);
            if let Some(line) = shown_line(&lines, problem.line, &hidden) {
                let (shown, pad, width) = window(line, problem.column.saturating_sub(1), problem.width);
                let number = problem.line;
                let _ = writeln!(out, "{number:>5} | {shown}");
                let _ = writeln!(out, "      | {}{}", " ".repeat(pad), "^".repeat(width));
            }
            // Of a line that cannot be read the hint may be that line as it should be.
            let repeats = |hint: &&String| problem.path.is_empty() && hint.starts_with("write `");
            let is_hidden = hidden.contains(&problem.line);
            if let Some(hint) = problem.hint.as_ref().filter(|hint| !(is_hidden && repeats(hint))) {
                let _ = writeln!(out, "  help: {hint}");
            }
        }
        out
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{}: {}{}", problem.position(), problem.kind(), problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Numbers of the lines that hold variables of a container, which may be secrets: those of a mapping `environment`,
/// whatever is wrong with the rest of the file.
fn environment(lines: &[&str]) -> Vec<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    let (mut within, mut open) = (None::<usize>, 0_isize);
    for (n, line) in lines.iter().enumerate() {
        let begins = line.match_indices("environment").any(|(at, word)| {
            let rest = line[at + word.len()..].trim_start_matches(['"', '\'']).trim_start();
            // A tag of this name has text.
            let value = rest.strip_prefix(':').map(str::trim_start);
            value.is_some_and(|value| {
                value.is_empty() || value.starts_with(['{', '#', '&', '*', '!', '|', '>'])
            })
        });
        let below = within.is_some_and(|outer| open > 0 || line.trim().is_empty() || indent(line) > outer);
        if !below {
            (within, open) = (begins.then(|| indent(line)), 0);
        }
        if begins || below {
            found.push(n + 1);
            let count = |wanted: char| line.chars().filter(|c| *c == wanted).count() as isize;
            open += count('{') - count('}');
        }
    }
    found
}

/// Line `number` from 1, unless it is empty or hidden.
fn shown_line<'s>(lines: &[&'s str], number: usize, hidden: &[usize]) -> Option<&'s str> {
    let line = lines.get(number.checked_sub(1)?)?;
    (!line.trim().is_empty() && !hidden.contains(&number)).then_some(*line)
}

/// The part of `line` to show, and from where (in characters) and how far to underline it.
fn window(line: &str, start: usize, width: usize) -> (String, usize, usize) {
    // Control characters would move the terminal's cursor away from the underline.
    let characters: Vec<char> =
        line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let start = start.min(characters.len());
    let width = width.clamp(1, (characters.len() - start).max(1));
    if characters.len() <= WINDOW {
        return (characters.into_iter().collect(), start, width);
    }
    let from = start.saturating_sub(WINDOW / 3);
    let to = (from + WINDOW).min(characters.len());
    let before = if from > 0 { "…" } else { "" };
    let after = if to < characters.len() { "…" } else { "" };
    let shown: String = characters[from..to].iter().collect();
    let pad = start - from + before.chars().count();
    (format!("{before}{shown}{after}"), pad, width.min(to.saturating_sub(start)).max(1))
}

/// The name that was probably meant, or `None` if none is close.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let text = text.to_lowercase().replace('-', "_");
    let allowed = (text.chars().count() / 3).clamp(1, 4);
    names
        .into_iter()
        .map(|name| {
            let same = name.to_lowercase().replace('-', "_");
            let start = same.starts_with(&text) && text.len() >= 3;
            // Of two that are as near, the one that begins like it.
            let common = text.chars().zip(same.chars()).take_while(|(a, b)| a == b).count();
            let distance = if start { 1 } else { strsim::damerau_levenshtein(&text, &same) };
            (distance, std::cmp::Reverse(common), name)
        })
        .filter(|(distance, ..)| *distance <= allowed)
        .min_by_key(|(distance, common, _)| (*distance, *common))
        .map(|(.., name)| name)
}

/// ``did you mean `x`?``, or the list of what is possible.
pub(super) fn meant(text: &str, what: &str, names: &[&str]) -> String {
    match nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "there are none".to_owned(),
        None => format!("{what}: {}", list(names)),
    }
}

/// `a`, `b` and `c`, each in backticks.
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
