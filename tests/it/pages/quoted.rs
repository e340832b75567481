//! Output as a page quotes it.

/// The lines under a command, with their numbers.
#[derive(Default)]
pub struct Quote {
    pub lines: Vec<(usize, String)>,
}

const GAP: &str = "…";

impl Quote {
    /// Whether a command said this; if not, what the page should show instead.
    pub fn compare(&self, said: &str) -> Result<(), Vec<String>> {
        let said: Vec<&str> =
            said.lines().map(str::trim_end).filter(|line| !is_of_the_sandbox(line)).collect();
        let said = match said.iter().position(|line| !line.is_empty()) {
            Some(first) => &said[first..],
            None => &[],
        };
        let end = said.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let said = &said[..end];
        let anew = self.anew(said);
        let is_same = anew.iter().eq(self.lines.iter().map(|(_, line)| line));
        if is_same { Ok(()) } else { Err(anew) }
    }

    /// The same lines as they are now: each of which something is left is the most similar of those that follow.
    fn anew(&self, said: &[&str]) -> Vec<String> {
        if !self.lines.iter().any(|(_, line)| line == GAP) {
            let cut = |n: usize, line: &str| match self.lines.get(n) {
                Some((_, quoted)) if fits(quoted, line) => quoted.clone(),
                _ => line.to_string(),
            };
            return said.iter().enumerate().map(|(n, line)| cut(n, line)).collect();
        }
        let mut anew: Vec<String> = Vec::new();
        let mut at = 0;
        for (_, quoted) in self.lines.iter().filter(|(_, line)| line != GAP) {
            let rest = said.iter().enumerate().skip(at);
            let exact = rest.clone().find(|(_, line)| fits(quoted, line)).map(|(n, _)| (n, quoted.clone()));
            let similar = || {
                let best = rest
                    .map(|(n, line)| (likeness(quoted, line), n))
                    .max_by_key(|(like, n)| (*like, said.len() - n))?;
                (best.0 >= 50).then(|| (best.1, shortened(quoted, said[best.1])))
            };
            let Some((n, line)) = exact.or_else(similar) else { continue };
            if n > at {
                anew.push(GAP.into());
            }
            anew.push(line);
            at = n + 1;
        }
        if at < said.len() {
            anew.push(GAP.into());
        }
        anew
    }
}

/// The sandbox says where it is; on AWS nobody does.
fn is_of_the_sandbox(line: &str) -> bool {
    line.starts_with("Using the sandbox, ") || line.starts_with("Using a new sandbox, ")
}

/// Whether a line is the quoted one, of which `…` leaves out something.
fn fits(quoted: &str, line: &str) -> bool {
    let mut parts = quoted.split(GAP);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A line without what its quoted form leaves out, as many words before and after that as there are in the quoted form.
fn shortened(quoted: &str, line: &str) -> String {
    let Some((before, after)) = quoted.split_once(GAP) else { return line.to_string() };
    let after = after.rsplit(GAP).next().unwrap_or_default();
    let is_word = |text: &str| text.split_whitespace().count();
    let (first, last) = (is_word(before), is_word(after));
    let starts: Vec<usize> = line
        .char_indices()
        .filter(|(at, c)| !c.is_whitespace() && !line[..*at].ends_with(|c: char| !c.is_whitespace()))
        .map(|(at, _)| at)
        .collect();
    if starts.len() < first + last {
        return line.to_string();
    }
    let end = starts.get(first).copied().unwrap_or(line.len());
    let begin = match last {
        0 => line.len(),
        _ => starts[starts.len() - last],
    };
    format!("{}{GAP}{}", &line[..end], if last == 0 { String::new() } else { format!(" {}", &line[begin..]) })
}

/// How many words of a hundred two lines share.
fn likeness(one: &str, other: &str) -> usize {
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    let (one, mut other) = (words(one), words(other));
    let most = one.len().max(other.len()).max(1);
    let mut shared = 0;
    for word in one {
        if let Some(n) = other.iter().position(|other| *other == word) {
            other.swap_remove(n);
            shared += 1;
        }
    }
    shared * 100 / most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(text: &str) -> Quote {
        Quote { lines: (1..).zip(text.lines()).map(|(n, line)| (n, line.to_string())).collect() }
    }

    #[test]
    fn what_is_left_out_is_not_compared() {
        let said =
            "Using the sandbox, x: y\n\nA plan of five\n  one\n  two\n\n  three and a half\nend 7m 01s\n";
        assert!(quote("A plan of five\n…\n  three and a …\nend 7m 01s").compare(said).is_ok());
        assert!(quote("A plan of five\n  one\n…").compare(said).is_ok());
        let whole = "A plan of five\n  one\n  two\n\n  three and a half\nend 7m 01s";
        assert!(quote(whole).compare(said).is_ok());
    }

    #[test]
    fn what_differs_is_written_anew() {
        let said = "A plan of six\n  one\n  two\nend\n";
        let anew = |text: &str| quote(text).compare(said).unwrap_err();
        assert_eq!(anew("A plan of five\n…\nend"), ["A plan of six", "…", "end"]);
        assert_eq!(anew("A plan of five"), ["A plan of six", "  one", "  two", "end"]);
        let long =
            quote("…\ndone after … in all\n…").compare("x\nall done after 3m 1s in all\ny").unwrap_err();
        assert_eq!(long, ["…", "all done … in all", "…"]);
        // Lines that follow one another do so.
        assert_eq!(anew("A plan of six\n  two\n…"), ["A plan of six", "…", "  two", "…"]);
        assert_eq!(anew("…\nnothing of the kind\nend"), ["…", "end"]);
    }
}
