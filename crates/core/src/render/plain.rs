//! Text that somebody else wrote, made harmless. Pure.
//!
//! Names, tags, failure reasons and messages come from AWS, and whoever may set a tag there writes them. A terminal obeys
//! escape sequences, turns text round for bidirectional marks and believes line breaks; GitHub takes Markdown, HTML,
//! links and mentions for what they are. None of that reaches a reader: this is the only place that sees to it.

use crate::base::Id;
use crate::cost::Bill;
use crate::events::{Event, PlannedStep};
use crate::members::Interruption;
use crate::plan::{Blocked, LeftAlone, Plan, Step};
use std::collections::BTreeMap;

/// What stands for a character that may not be shown.
const REPLACED: char = '\u{fffd}';

/// Characters that do something to the text around them, or that nobody sees: controls (C1 too: a terminal takes U+009B
/// for ESC [), bidirectional marks (Unicode TR 36, section 3.3; TR 9), line and paragraph separators, invisible ones
/// and the tag characters.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, with nothing active in it. Leading spaces stay: they indent.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if is_active(c) => out.push(REPLACED),
            c => out.push(c),
        }
    }
    out
}

/// What is printed as a whole: lines, and of the escape sequences those that set a style, which auroraml itself writes.
pub fn styled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = style(rest) {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        out.push(if is_active(c) && c != '\n' && c != '\t' { REPLACED } else { c });
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Bytes of the style (SGR) sequence that the text begins with.
fn style(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some("\x1b[".len() + end + 1)
}

/// JSON with nothing active in it. What serde leaves as it is can only stand within a string, where `\u` means the same.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_active(c) && c != '\n' => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// The text as words of Markdown and of HTML alike: no markup, link, mention or reference of its own.
///
/// By entities, because a backslash means nothing within the HTML of a `<summary>`, and an entity "cannot be used in
/// place of symbols indicating structure" (CommonMark, section 2.5). GitHub looks for links, mentions and issues after
/// that, in the text that is left: a zero-width space breaks them (Renovate does the same, `sanitizeMarkdown`).
pub fn markdown(text: &str) -> String {
    const BREAK: &str = "&#8203;";
    let text = line(text);
    let chars: Vec<char> = text.chars().collect();
    let is = |at: usize, wanted: fn(char) -> bool| chars.get(at).is_some_and(|c| wanted(*c));
    let numbered = chars.iter().position(|c| !c.is_ascii_digit()).filter(|first| *first > 0);
    let mut out = String::with_capacity(text.len());
    for (at, &c) in chars.iter().enumerate() {
        let starts = chars[..at].iter().all(|c| *c == ' ');
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Within a word it is no emphasis (CommonMark, section 6.2), and names have many.
            '_' if at > 0 && is(at - 1, char::is_alphanumeric) && is(at + 1, char::is_alphanumeric) => {
                out.push(c)
            }
            '*' | '_' | '`' | '|' | '[' | ']' | '\\' | '~' | '!' | '$' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            // A heading, a list or a line under a heading.
            '#' | '-' | '+' | '=' if starts => out.push_str(&format!("&#{};", u32::from(c))),
            '.' | ')' if numbered == Some(at) => out.push_str(&format!("&#{};", u32::from(c))),
            '@' | '#' if is(at + 1, char::is_alphanumeric) => {
                out.push(c);
                out.push_str(BREAK);
            }
            ':' if is(at + 1, |c| c == '/') => {
                out.push(c);
                out.push_str(BREAK);
            }
            '.' if at >= 3 && chars[at - 3..at].iter().all(|c| c.eq_ignore_ascii_case(&'w')) => {
                out.push_str(BREAK);
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The text as a code span of Markdown.
pub fn code(text: impl ToString) -> String {
    let text = line(&text.to_string());
    match text.contains('`') {
        false if text.trim().is_empty() => "` `".into(),
        false => format!("`{text}`"),
        // Nothing within a span is markup but the fence, which must be longer than any in it.
        true => {
            let fence = fence(&text, "`");
            format!("{fence} {text} {fence}")
        }
    }
}

/// A fence of backticks, at least `shortest`, that is longer than any in the text.
pub fn fence(text: &str, shortest: &str) -> String {
    let mut fence = shortest.to_string();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}

/// A plan all of whose texts are lines.
pub(super) fn plan(plan: &Plan) -> Plan {
    Plan {
        steps: plan.steps.iter().map(step).collect(),
        blocked: plan
            .blocked
            .iter()
            .map(|Blocked { id, why, hint }| Blocked { id: self::id(id), why: line(why), hint: line(hint) })
            .collect(),
        left_alone: plan
            .left_alone
            .iter()
            .map(|LeftAlone { id, why, hint }| LeftAlone {
                id: self::id(id),
                why: line(why),
                hint: line(hint),
            })
            .collect(),
        notes: plan.notes.iter().map(|note| line(note)).collect(),
        // By auroraml's own names, but for those of things.
        cost: plan
            .cost
            .clone()
            .map(|cost| Bill { not_priced: cost.not_priced.iter().map(|name| line(name)).collect(), ..cost }),
        kept: plan.kept.iter().map(id).collect(),
    }
}

/// A step all of whose texts are lines, but for the values of its changes: what shows these shows lines.
fn step(step: &Step) -> Step {
    let texts = |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| (line(k), line(v))).collect();
    Step {
        id: id(&step.id),
        reason: step.reason.as_deref().map(line),
        interruptions: step.interruptions.iter().map(interruption).collect(),
        held: step.held.as_deref().map(line),
        predicted: texts(&step.predicted),
        needs: step.needs.iter().map(id).collect(),
        options: texts(&step.options),
        ..step.clone()
    }
}

/// An event all of whose texts are lines.
pub(super) fn event(event: &Event) -> Event {
    match event {
        Event::Planned { steps } => Event::Planned {
            steps: steps
                .iter()
                .map(|PlannedStep { id, action, needs }| PlannedStep {
                    id: self::id(id),
                    action: *action,
                    needs: needs.iter().map(self::id).collect(),
                })
                .collect(),
        },
        Event::Started { id, action } => Event::Started { id: self::id(id), action: *action },
        Event::Acted { id, what } => Event::Acted { id: self::id(id), what },
        Event::Interrupted { id, interruption } => {
            Event::Interrupted { id: self::id(id), interruption: self::interruption(interruption) }
        }
        Event::Waiting { id, why } => Event::Waiting { id: self::id(id), why: line(why) },
        Event::Finished { id, seconds } => Event::Finished { id: self::id(id), seconds: *seconds },
        Event::Failed { id, why } => Event::Failed { id: self::id(id), why: line(why) },
        Event::Stopping => Event::Stopping,
        Event::Note { text } => Event::Note { text: line(text) },
    }
}

fn id(id: &Id) -> Id {
    Id::new(id.kind, line(&id.name))
}

fn interruption(interruption: &Interruption) -> Interruption {
    Interruption {
        what: line(&interruption.what),
        why: line(&interruption.why),
        members: interruption.members.iter().map(|member| line(member)).collect(),
        ..interruption.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Form, Subject, markdown as render, progress::Progress, text};
    use super::*;
    use crate::base::{Change, To};
    use crate::cost::Decimal;
    use crate::members::{Impact, Seconds};
    use crate::resource::Action;
    use proptest::prelude::*;
    use serde_json::json;

    /// What an ill-meaning tag, name or message may hold, in any order.
    fn ill() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "\x1b[2J",
            "\x1b]8;;http://x\x07",
            "\u{9b}31m",
            "\u{202e}",
            "\u{2066}",
            "\u{e0041}",
            "\n",
            "\r",
            "\t",
            "\0",
            "\u{2028}",
            "<img src=x>",
            "</details>",
            "&lt;",
            "[a](http://x.y)",
            "![",
            "`",
            "```",
            "~~~",
            "**",
            "_",
            "|",
            "@octocat",
            "#12",
            "# ",
            "- ",
            "1. ",
            "> ",
            "https://x.y",
            "www.x.y",
            "a@b.c",
            "\\",
            "$$",
            "word",
            " ",
            "ü",
        ]);
        prop_oneof![prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), any::<String>(),]
    }

    fn subject() -> Subject {
        Subject {
            stack: "churn".into(),
            account: "111122223333".into(),
            region: "us-east-1".into(),
            destroy: false,
            allow: Impact::None,
            allow_is_final: false,
            has_window: false,
        }
    }

    fn bill(ill: &str) -> Bill {
        let none = Decimal::ZERO;
        Bill {
            region: "us-east-1".into(),
            prices_of: Some("2026-09-03".into()),
            hourly_before: none,
            hourly_after: none,
            hourly_after_up_to: none,
            monthly_before: none,
            monthly_after: none,
            monthly_after_up_to: none,
            once_at_most: none,
            not_priced: vec![ill.into()],
            use_not_counted: true,
        }
    }

    /// A plan that says `ill` wherever a plan can say something.
    fn full_of(ill: &str) -> Plan {
        let texts = || [(ill.to_string(), ill.to_string())].into();
        let id = || Id::new("subnet", ill);
        let interruption = Interruption {
            impact: Impact::Restart,
            what: ill.into(),
            why: ill.into(),
            members: vec![ill.into()],
            seconds: Seconds { usually: 1, at_worst: 2 },
        };
        let change = |path: &str| Change {
            path: path.into(),
            from: json!(ill),
            to: To::Value(json!([ill, { ill: ill }])),
        };
        let step = |action| Step {
            changes: vec![
                change("a"),
                change(ill),
                change(&format!("tags.{ill}")),
                change("policy.Statement"),
            ],
            reason: Some(ill.into()),
            impact: Impact::DataLoss,
            interruptions: vec![interruption.clone()],
            predicted: texts(),
            options: texts(),
            ..Step::new(id(), action)
        };
        Plan {
            left_alone: vec![LeftAlone { id: Id::new("subnet", ill), why: ill.into(), hint: ill.into() }],
            steps: vec![
                step(Action::Create),
                step(Action::Update),
                step(Action::Delete),
                Step { held: Some(ill.into()), ..step(Action::Update) },
            ],
            blocked: vec![Blocked { id: id(), why: ill.into(), hint: ill.into() }],
            notes: vec![ill.into()],
            cost: Some(bill(ill)),
            kept: vec![id()],
        }
    }

    /// Everything active but line breaks, after our own styles have been taken out.
    fn active(text: &str) -> Vec<char> {
        let mut plain = text.to_string();
        for style in ["\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[0m"] {
            plain = plain.replace(style, "");
        }
        plain.chars().filter(|c| is_active(*c) && *c != '\n').collect()
    }

    proptest! {
        #[test]
        fn nothing_active_reaches_a_terminal(ill in ill()) {
            let plan = full_of(&ill);
            let form = Form { width: None, verbose: true };
            let (said, harmless) =
                (text::plan_in(form, &subject(), &plan), text::plan_in(form, &subject(), &full_of("word")));
            prop_assert_eq!(active(&said), vec![], "{:?}", said);
            prop_assert_eq!(active(&text::plan(&subject(), &plan)), vec![]);
            // No line of its own either; a value of several lines is shown by its size.
            prop_assert!(said.lines().count() <= harmless.lines().count() + 8, "{}", said);
            let mut progress = Progress::default();
            let planned = PlannedStep { id: Id::new("subnet", &*ill), action: Action::Create, needs: [].into() };
            let id = || Id::new("subnet", &*ill);
            for event in [
                Event::Planned { steps: vec![planned] },
                Event::Started { id: id(), action: Action::Create },
                Event::Waiting { id: id(), why: ill.clone() },
                Event::Note { text: ill.clone() },
                Event::Failed { id: id(), why: ill.clone() },
            ] {
                progress.tell(0, &event);
                let mut lines = progress.lines(1, 400, 10);
                lines.extend(progress.said(1, &event));
                lines.extend(progress.changes(1));
                lines.extend(progress.sign_of_life(1));
                lines.extend(progress.durations(true));
                for line in lines {
                    prop_assert!(active(&line).is_empty() && !line.contains('\n'), "{:?}", line);
                }
            }
            prop_assert!(!styled(&ill).replace("\x1b[", "").contains('\x1b'));
        }

        #[test]
        fn markdown_has_no_markup_of_others(ill in ill()) {
            let said = render::plan(&subject(), &full_of(&ill));
            prop_assert_eq!(active(&said), vec![], "{:?}", said);
            let said = markdown(&ill);
            let signs = ['<', '>', '*', '`', '[', ']', '\\', '|', '~', '\n'];
            prop_assert!(!said.contains(signs), "{:?}", said);
            let inner = |at: usize| {
                let beside = [said[..at].chars().next_back(), said[at + 1..].chars().next()];
                beside.iter().all(|c| c.is_some_and(char::is_alphanumeric))
            };
            prop_assert!(said.match_indices('_').all(|(at, _)| inner(at)), "{:?}", said);
            let said = said.replace("&#", "&");
            for wrong in ["://", "www.", "@o", "@b", "#1"] {
                prop_assert!(!said.to_lowercase().contains(wrong), "{:?} has {:?}", said, wrong);
            }
            let first = said.trim_start().chars().next();
            prop_assert!(!matches!(first, Some('#' | '-' | '+' | '=')), "{:?}", said);
        }

        #[test]
        fn json_means_the_same(ill in ill()) {
            let value = json!({ ill.clone(): [ill.clone()] });
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let harmless = json(&text);
                prop_assert_eq!(active(&harmless), vec![]);
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&harmless).unwrap(), value.clone());
            }
        }
    }

    /// In which place text of others stands decides what is markup there.
    #[test]
    fn each_place_in_markdown_is_closed() {
        let said = render::plan(&subject(), &full_of("x</code></summary><b>`y` @octocat ```"));
        for line in said.lines().filter(|line| line.starts_with("<details>")) {
            assert_eq!(line.matches("<summary>").count(), 1, "{line}");
            assert_eq!(line.matches("</summary>").count(), 1, "{line}");
            assert!(!line.contains("<b>"), "{line}");
        }
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a"), "`a`");
        assert_eq!(
            markdown("1. see @octocat, #12 and https://x"),
            "1&#46; see @&#8203;octocat, #&#8203;12 and https:&#8203;//x"
        );
    }
}
