//! `explain`: what a code of preflight means, from the page that explains them all.

use super::exit::{Error, Exit};
use super::printer::Printer;
use auroraml_core::model::Code;
use clap::Args;

/// Explain the code of a preflight problem, such as vpc-quota.
#[derive(Debug, Args)]
pub struct Explain {
    /// The code in brackets in the error message.
    pub code: String,
}

const PAGE: &str = include_str!("../../docs/preflight.md");

pub fn explain(args: &Explain, printer: &Printer) -> Result<Exit, Error> {
    let code = args.code.trim_matches(['[', ']']);
    match section(code) {
        Some(text) => {
            printer.data(&format!("{text}\n"))?;
            Ok(Exit::Done)
        }
        None => {
            let known = Code::ALL.iter().map(|code| code.text());
            let near = known.map(|known| (strsim::jaro_winkler(known, code), known));
            let near = near.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
            let help = match near {
                Some((_, near)) => format!("did you mean `{near}`?"),
                None => "see docs/preflight.md for all codes".into(),
            };
            Err(Error::new(code, "unknown code", help))
        }
    }
}

/// The part of the page under the code's heading.
fn section(code: &str) -> Option<&'static str> {
    let head = format!("\n### {code}\n");
    let at = PAGE.find(&head)? + 1;
    let rest = &PAGE[at..];
    let end = rest[1..].find("\n#").map_or(rest.len(), |end| end + 2);
    Some(rest[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_and_nothing_else_is() {
        for code in Code::ALL {
            let text = section(code.text()).unwrap_or_else(|| panic!("{code}"));
            assert!(text.starts_with(&format!("### {code}\n")) && text.matches("\n#").count() == 0, "{text}");
            assert!(text.contains("Asks: ") && text.ends_with("```"), "{text}");
        }
        assert_eq!(section("vpc"), None);
        assert_eq!(section(""), None);
    }
}
