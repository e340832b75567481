//! Text files as LOAD DATA reads them and SELECT … INTO OUTFILE writes them.
//!
//! Facts: MySQL 8.0 Reference, "LOAD DATA Statement", "Field and Line Handling"; for `FORMAT CSV`: Aurora User Guide,
//! "Exporting data to Amazon S3 for SageMaker AI model training" (RFC 4180).

use super::errors::{SqlError, unsupported};
use super::reader::Reader;
use super::types::as_text;
use rusqlite::types::Value;

#[derive(Clone, Debug)]
pub(super) struct Format {
    fields: Vec<u8>,
    enclosed: Option<u8>,
    optionally: bool,
    escaped: Option<u8>,
    starting: Vec<u8>,
    lines: Vec<u8>,
    /// RFC 4180: quotes where they are needed, and doubled within.
    csv: bool,
}

impl Default for Format {
    fn default() -> Format {
        Format {
            fields: b"\t".to_vec(),
            enclosed: None,
            optionally: false,
            escaped: Some(b'\\'),
            starting: Vec::new(),
            lines: b"\n".to_vec(),
            csv: false,
        }
    }
}

/// A field of a file: bytes, or NULL.
pub(super) type Field = Option<Vec<u8>>;

impl Format {
    pub fn csv() -> Format {
        Format {
            fields: b",".to_vec(),
            enclosed: Some(b'"'),
            optionally: true,
            escaped: None,
            csv: true,
            ..Format::default()
        }
    }

    /// `FIELDS …`, `LINES …`
    pub fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), SqlError> {
        let one = |reader: &mut Reader<'_>| -> Result<Option<u8>, SqlError> {
            let text = reader.string()?;
            match text.as_bytes() {
                [] => Ok(None),
                [byte] => Ok(Some(*byte)),
                _ => Err(SqlError {
                    state: "42000".into(),
                    ..SqlError::new(
                        1083,
                        "Field separator argument is not what is expected; check the manual",
                    )
                }),
            }
        };
        if reader.word("FIELDS") || reader.word("COLUMNS") {
            loop {
                if reader.words("TERMINATED BY") {
                    self.fields = reader.string()?.into_bytes();
                } else if reader.words("OPTIONALLY ENCLOSED BY") {
                    (self.enclosed, self.optionally) = (one(reader)?, true);
                } else if reader.words("ENCLOSED BY") {
                    self.enclosed = one(reader)?;
                } else if reader.words("ESCAPED BY") {
                    self.escaped = one(reader)?;
                } else {
                    break;
                }
            }
        }
        if reader.word("LINES") {
            loop {
                if reader.words("TERMINATED BY") {
                    self.lines = reader.string()?.into_bytes();
                } else if reader.words("STARTING BY") {
                    self.starting = reader.string()?.into_bytes();
                } else {
                    break;
                }
            }
        }
        if self.fields.is_empty() || self.lines.is_empty() {
            return Err(unsupported("fixed-size rows"));
        }
        Ok(())
    }

    /// The next line's fields, and where the line after it begins. `None` at the end.
    pub fn line(&self, bytes: &[u8], mut at: usize) -> Option<(Vec<Field>, usize)> {
        if !self.starting.is_empty() {
            at += find(bytes.get(at..)?, &self.starting)? + self.starting.len();
        }
        if at >= bytes.len() {
            return None;
        }
        let mut fields = Vec::new();
        loop {
            let (field, end, next) = self.field(bytes, at);
            fields.push(field);
            if end {
                return Some((fields, next));
            }
            at = next;
        }
    }

    /// One field, whether the line ends behind it, and where it goes on.
    fn field(&self, bytes: &[u8], from: usize) -> (Field, bool, usize) {
        let mut value = Vec::new();
        let mut at = from;
        let quote = self.enclosed.filter(|quote| bytes.get(at) == Some(quote));
        let (mut open, mut null) = (quote.is_some(), false);
        if open {
            at += 1;
        }
        while at < bytes.len() {
            let byte = bytes[at];
            if Some(byte) == self.escaped && at + 1 < bytes.len() {
                let next = bytes[at + 1];
                null |= next == b'N' && value.is_empty() && quote.is_none();
                value.push(match next {
                    b'0' => 0,
                    b'b' => 8,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'Z' => 26,
                    other => other,
                });
                at += 2;
                continue;
            }
            if open {
                if Some(byte) == quote {
                    if bytes.get(at + 1) == quote.as_ref() {
                        value.push(byte);
                        at += 2;
                        continue;
                    }
                    // A quote ends the field only where a terminator follows.
                    let rest = &bytes[at + 1..];
                    if rest.is_empty() || rest.starts_with(&self.fields) || rest.starts_with(&self.lines) {
                        open = false;
                        at += 1;
                        continue;
                    }
                }
                value.push(byte);
                at += 1;
                continue;
            }
            let rest = &bytes[at..];
            if rest.starts_with(&self.fields) {
                return (self.finished(value, null, quote), false, at + self.fields.len());
            }
            if rest.starts_with(&self.lines) {
                return (self.finished(value, null, quote), true, at + self.lines.len());
            }
            value.push(byte);
            at += 1;
        }
        (self.finished(value, null, quote), true, at)
    }

    fn finished(&self, value: Vec<u8>, null: bool, quote: Option<u8>) -> Field {
        let word = self.enclosed.is_some() && quote.is_none() && value == b"NULL";
        if (null && value == b"N") || word { None } else { Some(value) }
    }

    /// Writes one line.
    pub fn write(&self, to: &mut Vec<u8>, row: &[Value], texts: &[bool]) {
        to.extend_from_slice(&self.starting);
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                to.extend_from_slice(&self.fields);
            }
            self.put(to, value, texts.get(at).copied().unwrap_or(true));
        }
        to.extend_from_slice(&self.lines);
    }

    fn put(&self, to: &mut Vec<u8>, value: &Value, text: bool) {
        if *value == Value::Null {
            match self.escaped {
                // What a CSV has for NULL is believed.
                _ if self.csv => {}
                Some(escape) => to.extend_from_slice(&[escape, b'N']),
                None => to.extend_from_slice(b"NULL"),
            }
            return;
        }
        let bytes = match value {
            Value::Blob(bytes) => bytes.clone(),
            other => as_text(other).into_bytes(),
        };
        if self.csv {
            let needs = bytes.iter().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'));
            if !needs {
                to.extend_from_slice(&bytes);
                return;
            }
            to.push(b'"');
            for byte in bytes {
                if byte == b'"' {
                    to.push(b'"');
                }
                to.push(byte);
            }
            to.push(b'"');
            return;
        }
        let quote = self.enclosed.filter(|_| text || !self.optionally);
        to.extend(quote);
        for byte in bytes {
            let special = byte == 0
                || Some(byte) == self.escaped
                || Some(byte) == self.enclosed
                || quote.is_none()
                    && (self.fields.first() == Some(&byte) || self.lines.first() == Some(&byte));
            if let (true, Some(escape)) = (special, self.escaped) {
                to.push(escape);
            }
            to.push(if byte == 0 && self.escaped.is_some() { b'0' } else { byte });
        }
        to.extend(quote);
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(format: &Format, text: &str) -> Vec<Vec<Option<String>>> {
        let (mut at, mut lines) = (0, Vec::new());
        while let Some((fields, next)) = format.line(text.as_bytes(), at) {
            lines.push(
                fields
                    .into_iter()
                    .map(|field| field.map(|bytes| String::from_utf8(bytes).unwrap()))
                    .collect(),
            );
            at = next;
        }
        lines
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_string())).collect()
    }

    #[test]
    fn files_are_read_as_mysql_reads_them() {
        assert_eq!(
            fields(&Format::default(), "a\tb\\tc\n\\N\t\nlast"),
            [some(&["a", "b\tc"]), vec![None, Some(String::new())], some(&["last"]),]
        );
        let csv = Format { escaped: Some(b'\\'), ..Format::csv() };
        assert_eq!(
            fields(&csv, "\"a,\"\"b\",2\nNULL,\"NULL\"\n"),
            [some(&["a,\"b", "2"]), vec![None, Some("NULL".into())],]
        );
        let windows = Format { lines: b"\r\n".to_vec(), ..Format::csv() };
        assert_eq!(fields(&windows, "a,b\r\nc,d\r\n"), [some(&["a", "b"]), some(&["c", "d"])]);
        let begun = Format { starting: b">>".to_vec(), ..Format::default() };
        assert_eq!(fields(&begun, "x>>a\tb\nnone\n>>c\n"), [some(&["a", "b"]), some(&["c"])]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let row = [Value::Text("a,\"b\"\n\t\\".into()), Value::Null, Value::Real(1.5), Value::Integer(-3)];
        for format in
            [Format::default(), Format { enclosed: Some(b'"'), fields: b",".to_vec(), ..Format::default() }]
        {
            let mut bytes = Vec::new();
            format.write(&mut bytes, &row, &[true, false, false, false]);
            let (found, next) = format.line(&bytes, 0).unwrap();
            assert_eq!(next, bytes.len());
            let texts: Vec<Option<String>> =
                found.into_iter().map(|field| field.map(|bytes| String::from_utf8(bytes).unwrap())).collect();
            assert_eq!(
                texts,
                [Some("a,\"b\"\n\t\\".to_string()), None, Some("1.5".into()), Some("-3".into())]
            );
        }
        let mut bytes = Vec::new();
        Format::csv().write(&mut bytes, &row, &[]);
        assert_eq!(String::from_utf8(bytes).unwrap(), "\"a,\"\"b\"\"\n\t\\\",,1.5,-3\n");
    }
}
