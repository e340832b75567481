//! Regular expressions of `AllowedPattern`: the part of Java's that templates use. A pattern must match the whole value.

use std::iter::Peekable;
use std::str::Chars;

/// Steps that one match may take: a pattern cannot keep the sandbox busy.
const STEPS_MAX: usize = 200_000;

enum Node {
    Any,
    Start,
    End,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
    Group(Vec<Vec<Node>>),
    Repeat { node: Box<Node>, least: usize, most: usize },
}

/// Whether the whole text matches; nothing for a pattern that is not understood.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let mut chars = pattern.chars().peekable();
    let branches = alternatives(&mut chars, 0)?;
    if chars.next().is_some() {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let mut steps = 0;
    let whole = [Node::Group(branches)];
    let result = run(&whole, &text, 0, &mut steps, &mut |at, _| at == text.len());
    (steps < STEPS_MAX).then_some(result)
}

fn alternatives(chars: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Vec<Vec<Node>>> {
    if depth > 16 {
        return None;
    }
    let mut branches = vec![Vec::new()];
    while let Some(&next) = chars.peek() {
        if next == ')' {
            break;
        }
        chars.next();
        let node = match next {
            '|' => {
                branches.push(Vec::new());
                continue;
            }
            '.' => Node::Any,
            '^' => Node::Start,
            '$' => Node::End,
            '(' => {
                if chars.peek() == Some(&'?') {
                    chars.next();
                    if chars.next() != Some(':') {
                        return None;
                    }
                }
                let inner = alternatives(chars, depth + 1)?;
                (chars.next() == Some(')')).then_some(Node::Group(inner))?
            }
            '[' => class(chars)?,
            '\\' => escaped(chars.next()?)?,
            '*' | '+' | '?' | '{' => return None,
            other => Node::Char(other),
        };
        let node = repeated(node, chars)?;
        branches.last_mut()?.push(node);
    }
    Some(branches)
}

fn repeated(node: Node, chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let (least, most) = match chars.peek() {
        Some('*') => (0, usize::MAX),
        Some('+') => (1, usize::MAX),
        Some('?') => (0, 1),
        Some('{') => {
            let mut inner = String::new();
            chars.next();
            while *chars.peek()? != '}' {
                inner.push(chars.next()?);
            }
            match inner.split_once(',') {
                None => (inner.parse().ok()?, inner.parse().ok()?),
                Some((least, "")) => (least.parse().ok()?, usize::MAX),
                Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
            }
        }
        _ => return Some(node),
    };
    chars.next();
    // Lazy and possessive ones match the same whole texts here, or are left to whoever needs them.
    if chars.peek() == Some(&'?') {
        chars.next();
    }
    Some(Node::Repeat { node: Box::new(node), least, most })
}

fn ranges(letter: char) -> Option<(bool, Vec<(char, char)>)> {
    let word = vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
    let blank = vec![(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')];
    Some(match letter {
        'd' => (false, vec![('0', '9')]),
        'D' => (true, vec![('0', '9')]),
        'w' => (false, word),
        'W' => (true, word),
        's' => (false, blank),
        'S' => (true, blank),
        _ => return None,
    })
}

fn escaped(letter: char) -> Option<Node> {
    match (ranges(letter), letter) {
        (Some((negated, ranges)), _) => Some(Node::Class { negated, ranges }),
        (None, 'n') => Some(Node::Char('\n')),
        (None, 't') => Some(Node::Char('\t')),
        (None, letter) if letter.is_ascii_alphanumeric() => None,
        (None, letter) => Some(Node::Char(letter)),
    }
}

fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Node> {
    let negated = chars.peek() == Some(&'^');
    if negated {
        chars.next();
    }
    let mut all = Vec::new();
    loop {
        let first = match chars.next()? {
            ']' if !all.is_empty() => break,
            '\\' => {
                let letter = chars.next()?;
                match ranges(letter) {
                    Some((false, more)) => {
                        all.extend(more);
                        continue;
                    }
                    Some((true, _)) => return None,
                    None => letter,
                }
            }
            other => other,
        };
        let mut ahead = chars.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                chars.next();
                let last = match chars.next()? {
                    '\\' => chars.next()?,
                    last => last,
                };
                all.push((first, last));
            }
            _ => all.push((first, first)),
        }
    }
    Some(Node::Class { negated, ranges: all })
}

type Then<'a> = &'a mut dyn FnMut(usize, &mut usize) -> bool;

fn run(nodes: &[Node], text: &[char], at: usize, steps: &mut usize, then: Then<'_>) -> bool {
    *steps += 1;
    if *steps >= STEPS_MAX {
        return false;
    }
    let Some((node, rest)) = nodes.split_first() else { return then(at, steps) };
    match node {
        Node::Start => at == 0 && run(rest, text, at, steps, then),
        Node::End => at == text.len() && run(rest, text, at, steps, then),
        Node::Group(branches) => branches
            .iter()
            .any(|branch| run(branch, text, at, steps, &mut |at, steps| run(rest, text, at, steps, then))),
        Node::Repeat { node, least, most } => {
            repeat(node, (*least, *most), text, at, steps, &mut |at, steps| run(rest, text, at, steps, then))
        }
        single => {
            let Some(letter) = text.get(at) else { return false };
            let fits = match single {
                Node::Any => *letter != '\n',
                Node::Char(wanted) => letter == wanted,
                Node::Class { negated, ranges } => {
                    ranges.iter().any(|(low, high)| (low..=high).contains(&letter)) != *negated
                }
                _ => false,
            };
            fits && run(rest, text, at + 1, steps, then)
        }
    }
}

fn repeat(
    node: &Node,
    (least, most): (usize, usize),
    text: &[char],
    at: usize,
    steps: &mut usize,
    then: Then<'_>,
) -> bool {
    if most > 0 {
        let fewer = (least.saturating_sub(1), if most == usize::MAX { most } else { most - 1 });
        let once = std::slice::from_ref(node);
        let more = run(once, text, at, steps, &mut |next, steps| {
            // What matches nothing would go on for ever.
            (next > at || least > 0) && repeat(node, fewer, text, next, steps, then)
        });
        if more {
            return true;
        }
    }
    least == 0 && then(at, steps)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_of_templates() {
        for (pattern, good, bad) in [
            ("[a-zA-Z][a-zA-Z0-9]*", "admin1", "1admin"),
            ("^[a-z]{2,4}$", "abc", "abcde"),
            (r"(\d{1,3})\.(\d{1,3})/(\d{1,2})", "10.0/16", "10-0/16"),
            ("(?:dev|prod)-.+", "dev-x", "test-x"),
            (r"[\w.-]+@[^@\s]+", "a.b@c", "a b@c"),
            ("", "", "x"),
        ] {
            assert_eq!(matches(pattern, good), Some(true), "{pattern}");
            assert_eq!(matches(pattern, bad), Some(false), "{pattern}");
        }
        assert_eq!(matches("(?=x)", "x"), None, "not understood is said");
    }
}
