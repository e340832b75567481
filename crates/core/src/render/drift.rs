//! What `drift` found: as text, as JSON with a schema, and for a comment on a pull request.

use super::paint::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint};
use super::plain::{self, code, markdown as escape};
use super::section::rank;
use super::{Subject, section};
use crate::drift::{By, Finding, Severity, Sort, Unread};
use schemars::JsonSchema;
use serde::Serialize;

/// The format that this version writes.
pub const FORMAT: u64 = 1;

/// Characters of a comment that GitHub takes, less those of what says that something is left out.
const COMMENT_MAX: usize = 65_000;

/// What `drift` found in one stack. No secret can be in it: of what may hold one, it has a hash.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this format.
    pub format: u64,
    pub stack: String,
    pub account: String,
    pub region: String,
    /// Whether everything is as the spec says, as far as it could be read.
    pub in_sync: bool,
    /// The worst first.
    pub findings: Vec<Finding>,
    /// What could not be read: nothing is known of it.
    pub unread: Vec<Unread>,
    /// What limits the answer to who did it, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

impl Document {
    pub fn new(
        subject: &Subject,
        findings: Vec<Finding>,
        unread: Vec<Unread>,
        who: Option<String>,
    ) -> Document {
        Document {
            format: FORMAT,
            stack: subject.stack.clone(),
            account: subject.account.clone(),
            region: subject.region.clone(),
            in_sync: findings.is_empty(),
            findings,
            unread,
            who,
        }
    }

    pub fn to_json(&self) -> String {
        // Plain data: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        plain::json(&text)
    }

    /// In a few words.
    pub fn summary(&self) -> String {
        let count = |severity| self.findings.iter().filter(|one| one.severity == severity).count();
        let counts: Vec<String> = Severity::ALL
            .into_iter()
            .filter(|severity| count(*severity) > 0)
            .map(|severity| format!("{} {}", count(severity), severity.word()))
            .collect();
        let unread = match self.unread.len() {
            0 => String::new(),
            count => format!("; {count} could not be read"),
        };
        match counts.is_empty() {
            true => format!("no drift{unread}"),
            false => format!("drift: {}{unread}", counts.join(", ")),
        }
    }

    pub fn to_text(&self) -> String {
        let name = paint(BOLD, plain::line(&self.stack));
        let mut out =
            format!("Drift of stack {name} in account {}, region {}\n\n", self.account, self.region);
        for severity in Severity::ALL {
            let of = self.findings.iter().filter(|finding| finding.severity == severity);
            for finding in of {
                out.push_str(&entry(finding));
            }
        }
        if !self.findings.is_empty() {
            out.push('\n');
        }
        for Unread { what, why } in &self.unread {
            let line = plain::line(&format!("{what}: {why}"));
            out.push_str(&format!("{} {line}\n", paint(YELLOW, "could not be read:")));
        }
        if let Some(who) = &self.who {
            out.push_str(&format!("{} {}\n", paint(CYAN, "note:"), plain::line(who)));
        }
        if !self.unread.is_empty() || self.who.is_some() {
            out.push('\n');
        }
        let style = if self.findings.is_empty() { GREEN } else { BOLD };
        out.push_str(&format!("{}\n", paint(style, sentence(&self.summary()))));
        out
    }

    pub fn to_markdown(&self) -> String {
        let mut out = format!(
            "### Drift of stack {} in {} (account {})\n\n**{}**\n",
            code(&self.stack),
            code(&self.region),
            self.account,
            escape(&sentence(&self.summary()))
        );
        let mut left_out = 0;
        for severity in Severity::ALL {
            let mut of: Vec<&Finding> = self.findings.iter().filter(|one| one.severity == severity).collect();
            of.sort_by_key(|finding| rank(finding.id.kind));
            if of.is_empty() {
                continue;
            }
            out.push_str(&format!("\n#### {}\n\n", sentence(severity.word()).trim_end_matches('.')));
            for finding in of {
                let who =
                    finding.by.as_ref().map(|by| format!("\n  - {}", escape(&told(by)))).unwrap_or_default();
                let line = format!("- {}: {}{who}\n", code(&finding.id), escape(&finding.what));
                match out.chars().count() + line.chars().count() <= COMMENT_MAX {
                    true => out.push_str(&line),
                    false => left_out += 1,
                }
            }
        }
        if left_out > 0 {
            out.push_str(&format!(
                "\n{left_out} more are left out here, because GitHub limits the length of comments.\n"
            ));
        }
        let notes = self.unread.iter().map(|Unread { what, why }| format!("{what} could not be read: {why}"));
        for note in notes.chain(self.who.clone()) {
            let line = format!("\n> {}\n", escape(&note));
            if out.chars().count() + line.chars().count() <= COMMENT_MAX {
                out.push_str(&line);
            }
        }
        out
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn entry(finding: &Finding) -> String {
    let style = match finding.severity {
        Severity::Security => RED,
        Severity::Wiring | Severity::Cost => YELLOW,
        Severity::Settings | Severity::Tags => CYAN,
    };
    let sign = match finding.sort {
        Sort::Missing => '-',
        Sort::Failed => '!',
        Sort::Changed => '~',
        Sort::Foreign => '+',
    };
    let word = format!("{:<8}", finding.severity.word());
    let id = paint(BOLD, plain::line(&finding.id.to_string()));
    let object = match &finding.object {
        Some(object) => paint(DIM, plain::line(&format!(" ({object}, {})", section(finding.id.kind)))),
        None => String::new(),
    };
    let mut out = format!(
        "  {} {sign} {id}{object}\n             {}\n",
        paint(style, word),
        plain::line(&finding.what)
    );
    if let Some(by) = &finding.by {
        out.push_str(&format!("             {}\n", paint(DIM, plain::line(&told(by)))));
    }
    out
}

fn told(by: &By) -> String {
    format!("last changed by {} ({}, {})", by.who, by.event, by.at)
}

/// The JSON Schema of a [`Document`].
pub fn schema() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Document>().to_value();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
