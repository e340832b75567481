//! A lease in a file: runs on one machine exclude each other.
//!
//! The lock on the file is the operating system's, so it ends with the process, however that ends; a process that is stopped
//! keeps it. The document beside it says who has it. It is a file of its own because Windows lets nobody read what is locked.

use super::files;
use auroraml_core::lease::Record;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a document that are read.
const READ_MAX: u64 = 64 * 1024;

/// A lock that this process has.
#[derive(Debug)]
pub struct Lock {
    /// Closed, it is free.
    _file: File,
    path: PathBuf,
    record: Record,
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Attempt {
    Done(Box<Lock>),
    /// Another process has it; what is known of it.
    Held(Option<Box<Record>>),
}

impl Lock {
    /// Tries to take it. `taken` writes the new document after the last one.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn take(path: &Path, taken: impl FnOnce(Option<&Record>) -> Record) -> io::Result<Attempt> {
        let mut name = OsString::from(path);
        name.push(".lock");
        let file = files::private().create(true).truncate(false).open(&name)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Held(read(path).map(Box::new))),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let record = taken(read(path).as_ref());
        write(path, &record)?;
        Ok(Attempt::Done(Box::new(Lock { _file: file, path: path.to_path_buf(), record })))
    }

    /// Whether the run before is known to have done all of what it was to do.
    pub fn was_clean(&self) -> bool {
        self.record.clean
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When that cannot be written: the lock is free all the same.
    pub fn release(self, now: &str, clean: Option<bool>) -> io::Result<()> {
        write(&self.path, &self.record.freed(now, clean))
    }
}

/// The document; none where there is none that can be used.
fn read(path: &Path) -> Option<Record> {
    let mut text = String::new();
    File::open(path).ok()?.take(READ_MAX).read_to_string(&mut text).ok()?;
    Record::parse(&text).ok()
}

/// Writes the document as a whole: somebody may read it meanwhile.
fn write(path: &Path, record: &Record) -> io::Result<()> {
    let mut name = OsString::from(path);
    name.push(".new");
    files::private().create(true).truncate(true).open(&name)?.write_all(record.to_text().as_bytes())?;
    fs::rename(&name, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auroraml_core::base::names::Place;
    use auroraml_core::lease::Owner;

    fn take(path: &Path, run: &str) -> Attempt {
        let place = Place::new("a", "us-east-1", "111122223333");
        let owner = Owner { name: "me@here".into(), run: run.into(), command: "apply".into() };
        Lock::take(path, |last| Record::taken(&place, &owner, last, "t0", "t1")).unwrap()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it waits for other processes of this machine")]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let Attempt::Done(first) = take(&path, "1") else { panic!("it is free") };
        assert!(!first.was_clean());
        let Attempt::Held(Some(holder)) = take(&path, "2") else { panic!("it is held") };
        assert_eq!((holder.run.as_str(), holder.fencing), ("1", 1));
        first.release("t2", Some(true)).unwrap();
        let Attempt::Done(second) = take(&path, "3") else { panic!("it was given back") };
        assert!(second.was_clean() && second.record.fencing == 2);
        // As when the process ends.
        drop(second);
        // A process that another test is just starting has the file too, until it runs its program.
        let third = (0..100).find_map(|_| match take(&path, "4") {
            Attempt::Done(lock) => Some(lock),
            _ => {
                std::thread::sleep(std::time::Duration::from_millis(20));
                None
            }
        });
        let third = third.expect("its holder is gone");
        assert!(!third.was_clean() && third.record.fencing == 3);
    }
}
