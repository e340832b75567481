//! What `verify` found: one line for each check, and the fix under what failed.

use super::paint::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint};
use super::plain;
use crate::verify::{Check, Outcome};

/// Every check as text, styled. Ends with a line of sums.
pub fn text(subject: &super::Subject, checks: &[Check]) -> String {
    let super::Subject { stack, account, region, .. } = subject;
    let name = paint(BOLD, stack);
    let mut out =
        format!("Machine learning wiring of stack {name} in account {account}, region {region}\n\n");
    let width = checks.iter().map(|check| check.check.chars().count()).max().unwrap_or(0);
    for check in checks {
        let (word, style) = match check.outcome {
            Outcome::Ok => ("ok", GREEN),
            Outcome::Failed => ("FAILED", RED),
            Outcome::NotChecked => ("not checked", YELLOW),
            Outcome::Note => ("note", CYAN),
        };
        let padding = " ".repeat("not checked".len() - word.len());
        let line = format!("{:<width$}  {}: {}", check.check, check.object, check.found);
        out.push_str(&format!("{}{padding}  {}\n", paint(style, word), plain::line(line.trim_end())));
        if let Some(fix) = &check.fix {
            let padding = " ".repeat("not checked".len() + 2);
            out.push_str(&format!("{padding}{} {}\n", paint(DIM, "fix:"), plain::line(fix.trim_end())));
        }
    }
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    let (failed, unknown) = (count(Outcome::Failed), count(Outcome::NotChecked));
    let sums = format!("{} ok, {failed} failed, {unknown} not checked.", count(Outcome::Ok));
    out.push_str(&format!("\n{}\n", paint(BOLD, sums)));
    out
}

pub fn to_json(checks: &[Check]) -> String {
    // Plain data: writing it cannot fail.
    let mut text = serde_json::to_string_pretty(checks).unwrap_or_default();
    text.push('\n');
    plain::json(&text)
}

pub fn to_yaml(checks: &[Check]) -> String {
    super::yaml(checks)
}
