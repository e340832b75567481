//! Text with commas, as training jobs and endpoints read it: RFC 4180, LF or CRLF, quotes doubled within quotes.

/// The rows, one after the other; empty lines are none. A quote that nobody closes ends with the text.
pub(super) struct Rows<'a>(&'a str);

pub(super) fn rows(text: &str) -> Rows<'_> {
    Rows(text)
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        self.0 = self.0.trim_start_matches(['\r', '\n']);
        if self.0.is_empty() {
            return None;
        }
        let (mut row, mut field, mut quoted) = (Vec::new(), String::new(), false);
        let mut characters = self.0.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' if quoted && characters.peek().is_some_and(|(_, next)| *next == '"') => {
                    characters.next();
                    field.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut field)),
                '\n' if !quoted => {
                    self.0 = &self.0[at..];
                    row.push(field.trim_end_matches('\r').to_string());
                    return Some(row);
                }
                other => field.push(other),
            }
        }
        self.0 = "";
        row.push(field.trim_end_matches('\r').to_string());
        Some(row)
    }
}

/// One line of these fields, those in quotes that need them.
pub(super) fn line(fields: &[String]) -> String {
    let quoted = |field: &String| match field.contains([',', '"', '\n']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_quotes_and_without() {
        let read: Vec<Vec<String>> = rows("a,b\r\n\n\"x, \"\"y\"\"\n2\",\n1,2").collect();
        assert_eq!(read, [["a", "b"], ["x, \"y\"\n2", ""], ["1", "2"]]);
        assert_eq!(rows("").count(), 0);
        assert_eq!(line(&read[1]), "\"x, \"\"y\"\"\n2\",");
    }
}
