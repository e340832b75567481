//! The requests since the world was saved, one JSON object a line.
//!
//! Written without waiting for the disk: that a process is killed takes nothing away, and after a power cut the
//! world is at worst as it was some seconds earlier.

use super::{FileError, failed, private, read};
use crate::call::Call;
use crate::decode::decode;
use crate::s3::Content;
use crate::wire::Request;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One request.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// Milliseconds since the Unix epoch.
    at: u64,
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    pub(super) body: Content,
}

impl Record {
    pub(super) fn of(call: &Call) -> Record {
        let Request { method, path, query, headers, body } = call.request.clone();
        let body = Content::new(body);
        let mut record = Record { at: call.now, method, path, query, headers, body };
        // Whoever comes with real credentials leaves no token of theirs here.
        record.headers.remove("x-amz-security-token");
        record
    }

    pub(super) fn call(self) -> Call {
        let Record { at, method, path, query, headers, body } = self;
        decode(Request { method, path, query, headers, body: body.bytes().to_vec() }, at)
    }
}

/// The first line: which world the requests follow on. A journal that was left behind by a kill in the middle of
/// saving follows on an older one.
#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
}

#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of whole lines.
    pub(super) length: u64,
    pub(super) records: usize,
}

impl Journal {
    /// The journal of the world of `generation`, and what is in it.
    pub(super) fn open(path: PathBuf, generation: u64) -> Result<(Journal, Vec<Record>), FileError> {
        let journal = Journal { path, file: None, length: 0, records: 0 };
        let Some(bytes) = read(&journal.path)? else { return Ok((journal, Vec::new())) };
        // A kill can leave half a line at the end: nobody was answered then.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
        let Some(head) = lines.next() else { return Ok((journal, Vec::new())) };
        let malformed = |source| FileError::Malformed { path: journal.path.clone(), source };
        let Head { generation: found } = serde_json::from_slice(head).map_err(malformed)?;
        if found != generation {
            return Ok((journal, Vec::new()));
        }
        let records: Vec<Record> =
            lines.map(|line| serde_json::from_slice(line).map_err(malformed)).collect::<Result<_, _>>()?;
        let file = private().write(true).open(&journal.path).map_err(failed("open", &journal.path))?;
        let (length, count) = (whole as u64, records.len());
        Ok((Journal { file: Some(file), length, records: count, ..journal }, records))
    }

    /// Writes one request down. What an earlier failure left half written is written over.
    pub(super) fn append(&mut self, record: &Record, generation: u64) -> Result<(), FileError> {
        self.write(record, generation).map_err(failed("write", &self.path))?;
        self.records += 1;
        Ok(())
    }

    fn write(&mut self, record: &Record, generation: u64) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                serde_json::to_writer(&mut lines, &Head { generation })?;
                lines.push(b'\n');
                self.length = 0;
                private().write(true).create(true).truncate(true).open(&self.path)?
            }
        };
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
        let written = file.seek(SeekFrom::Start(self.length)).and_then(|_| file.write_all(&lines));
        // Where not even the first lines could be written the next try begins anew.
        if written.is_ok() || self.length > 0 {
            self.file = Some(file);
        }
        written?;
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Forgets everything: the world holds it now.
    pub(super) fn clear(&mut self) {
        (self.file, self.length, self.records) = (None, 0, 0);
        // A journal that stays is known to be old.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the journal of a world that is no more.
pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
