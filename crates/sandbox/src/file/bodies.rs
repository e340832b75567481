//! Large bodies, each in a file of its own that is named by its hash and never changes.

use super::{FileError, failed, private};
use crate::s3::Content;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of a body that stays where it is mentioned.
const INLINE_MAX: usize = 4 << 10;

#[derive(Debug)]
pub(super) struct Bodies {
    folder: PathBuf,
    /// The bodies in the folder, and their sizes.
    present: BTreeMap<String, u64>,
}

impl Bodies {
    pub(super) fn open(folder: PathBuf) -> Result<Bodies, FileError> {
        let mut present = BTreeMap::new();
        match fs::read_dir(&folder) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(failed("read", &folder))?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    let size = entry.metadata().map_err(failed("read", &folder))?.len();
                    if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        present.insert(name, size);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read", &folder)(error)),
        }
        Ok(Bodies { folder, present })
    }

    /// Bytes of all that is kept.
    pub(super) fn size(&self) -> u64 {
        self.present.values().sum()
    }

    /// Keeps a body if it is large, and leaves its hash in its place; the hash.
    pub(super) fn put(&mut self, body: &mut Content) -> Result<Option<String>, FileError> {
        if body.bytes().len() <= INLINE_MAX {
            return Ok(None);
        }
        let name = body.sha256().to_string();
        let body = body.set_aside();
        if !self.present.contains_key(&name) {
            self.write(&name, body.bytes())?;
            self.present.insert(name.clone(), body.bytes().len() as u64);
        }
        Ok(Some(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let (path, temporary) = (self.folder.join(name), self.folder.join("new"));
        let write = || {
            make_private(&self.folder)?;
            let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| {
            // Half a body is of no use, and the disk may be full.
            let _ = fs::remove_file(&temporary);
            failed("write", &path)(error)
        })
    }

    /// Brings back what [`Bodies::put`] took away.
    pub(super) fn fill(&self, body: &mut Content) -> Result<(), FileError> {
        if body.is_aside() {
            let path = self.folder.join(body.sha256());
            *body = Content::new(fs::read(&path).map_err(failed("read", &path))?);
        }
        Ok(())
    }

    /// Removes all but `needed`.
    pub(super) fn keep_only(&mut self, needed: &BTreeSet<String>) {
        // What cannot be removed is in nobody's way, and is tried again.
        self.present
            .retain(|name, _| needed.contains(name) || fs::remove_file(self.folder.join(name)).is_err());
        if self.present.is_empty() {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    // Its parent is there: the world's file is in it.
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
