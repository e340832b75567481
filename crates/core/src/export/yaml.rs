//! The tree as YAML that people like to read: short forms of functions, scripts as blocks, short lists in one line.
//! PyYAML, which speaks YAML 1.1 as CloudFormation does, reads it as it is meant.

use super::node::Node;
use serde_json::Value;

/// Columns of a line.
const WIDTH: usize = 110;

/// Writes an entry of a map, at this indentation.
pub fn entry(out: &mut String, indent: usize, key: &str, value: &Node) {
    out.push_str(&" ".repeat(indent));
    out.push_str(&scalar(key, false));
    out.push(':');
    after(out, indent, key.len() + 1, value);
}

/// Writes a comment, at this indentation; `head` stands before its first line, and others are indented by as much.
pub fn comment(out: &mut String, indent: usize, head: &str, text: &str) {
    // What would end the line, or hide it.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for (n, line) in wrapped(&text, WIDTH - indent - 2 - head.len()).iter().enumerate() {
        let head = if n == 0 { head.to_owned() } else { " ".repeat(head.len()) };
        out.push_str(&format!("{}# {head}{line}\n", " ".repeat(indent)));
    }
}

/// The text in lines of at most so many characters, where it has spaces.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writes what follows a key or a dash, up to the end of its last line.
fn after(out: &mut String, indent: usize, used: usize, value: &Node) {
    // An attribute has no other form that everybody reads.
    let is_attribute = matches!(value, Node::Call("Fn::GetAtt", _));
    if let Some(line) =
        inline(value, false).filter(|line| is_attribute || indent + used + 1 + line.len() <= WIDTH)
    {
        out.push(' ');
        out.push_str(&line);
        out.push('\n');
        return;
    }
    match value {
        Node::Text(text) => {
            out.push(' ');
            block(out, indent + 2, text);
        }
        Node::Call(function, argument) => match (short(function), argument.as_ref()) {
            // Two tags cannot stand on one value.
            (_, Node::Call(..)) | (None, _) => {
                out.push('\n');
                entry(out, indent + 2, function, argument);
            }
            (Some(short), argument) => {
                out.push(' ');
                out.push_str(&short);
                after(out, indent, used + short.len() + 1, argument);
            }
        },
        Node::List(items) => {
            out.push('\n');
            for item in items {
                dash(out, indent + 2, item);
            }
        }
        Node::Map(entries) => {
            out.push('\n');
            for (key, value) in entries {
                entry(out, indent + 2, key, value);
            }
        }
        other => {
            out.push(' ');
            out.push_str(&inline(other, false).unwrap_or_default());
            out.push('\n');
        }
    }
}

fn dash(out: &mut String, indent: usize, item: &Node) {
    let space = " ".repeat(indent);
    match item {
        // The first entry stands behind the dash.
        Node::Map(entries)
            if !entries.is_empty()
                && inline(item, false).is_none_or(|line| indent + 2 + line.len() > WIDTH) =>
        {
            let mut inner = String::new();
            for (key, value) in entries {
                entry(&mut inner, indent + 2, key, value);
            }
            out.push_str(&format!("{space}- {}", inner.trim_start_matches(' ')));
        }
        _ => {
            out.push_str(&format!("{space}-"));
            after(out, indent, 1, item);
        }
    }
}

/// A value in one line, where it can stand in one: within brackets if `flow`.
fn inline(node: &Node, flow: bool) -> Option<String> {
    match node {
        Node::Text(text) if text.contains('\n') && !flow => None,
        Node::Text(text) => Some(scalar(text, flow)),
        Node::Number(number) => Some(number.to_string()),
        Node::Bool(value) => Some(value.to_string()),
        Node::Call("Fn::GetAtt", argument) => match argument.as_ref() {
            Node::List(parts) => match parts.as_slice() {
                [Node::Text(id), Node::Text(attribute)] => Some(format!("!GetAtt {id}.{attribute}")),
                _ => None,
            },
            _ => None,
        },
        Node::Call(function, argument) => {
            let short = short(function)?;
            match argument.as_ref() {
                Node::Call(..) => None,
                argument => Some(format!("{short} {}", inline(argument, flow)?)),
            }
        }
        Node::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| inline(item, true)).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Node::Map(entries) => {
            let is_simple = |value: &Node| !matches!(value, Node::Map(_) | Node::List(_));
            if !flow && entries.len() > 1 && entries.iter().any(|(_, value)| !is_simple(value)) {
                return None;
            }
            let entry = |(key, value): &(String, Node)| {
                Some(format!("{}: {}", scalar(key, true), inline(value, true)?))
            };
            let entries: Option<Vec<String>> = entries.iter().map(entry).collect();
            let entries = entries?.join(", ");
            Some(if entries.is_empty() { "{}".to_owned() } else { format!("{{ {entries} }}") })
        }
    }
}

/// `!Sub` for `Fn::Sub`.
fn short(function: &str) -> Option<String> {
    match function {
        "Ref" | "Condition" => Some(format!("!{function}")),
        "Fn::Transform" | "Fn::ForEach" => None,
        function => Some(format!("!{}", function.strip_prefix("Fn::")?)),
    }
}

/// Text as a block, each line as it is.
fn block(out: &mut String, indent: usize, text: &str) {
    let is_plain =
        |c: char| c == '\n' || (!c.is_control() && c != '\u{feff}' && c != '\u{2028}' && c != '\u{2029}');
    let body = text.trim_end_matches('\n');
    if !text.contains('\n') {
        out.push_str(&scalar(text, false));
        out.push('\n');
        return;
    }
    // A block cannot begin with spaces without saying so, nor hold other control characters.
    if body.is_empty() || body.starts_with([' ', '\n']) || !text.chars().all(is_plain) {
        out.push_str(&quoted(text));
        out.push('\n');
        return;
    }
    let ending = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    out.push_str(&format!("|{ending}\n"));
    for line in body.split('\n') {
        if line.is_empty() {
            out.push('\n');
        } else {
            out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
    }
    out.push_str(&"\n".repeat((text.len() - body.len()).saturating_sub(1)));
}

/// A scalar, in quotes where it would be taken for something else.
fn scalar(text: &str, flow: bool) -> String {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '/';
    let inner = |c: char| c.is_ascii_alphanumeric() || "_./:@+=-".contains(c) || (!flow && c == ' ');
    let is_plain = text.starts_with(starts)
        && text.chars().all(inner)
        && !text.contains(": ")
        && !text.ends_with([':', ' ']);
    // Words that YAML 1.1 takes for truth values, or for nothing.
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_word = words.contains(&text.to_ascii_lowercase().as_str());
    let is_range = !text.is_empty()
        && text.split_once('/').is_some_and(|(ip, bits)| {
            ip.split('.').count() == 4
                && bits.chars().all(|c| c.is_ascii_digit())
                && ip.chars().all(|c| c.is_ascii_digit() || c == '.')
        });
    if (is_plain && !is_word) || is_range {
        return text.to_owned();
    }
    if text.chars().all(|c| (' '..='~').contains(&c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    quoted(text)
}

/// In double quotes, with JSON's escapes, which are YAML's too.
fn quoted(text: &str) -> String {
    let text = Value::String(text.to_owned()).to_string();
    // Breaks of lines to YAML, and not to JSON.
    let escape = |c: char| match c {
        '\u{7f}' | '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
