//! A sandbox kept in a file, so that one command sees what the command before it did.
//!
//! **Three things on the disk.** `FILE` is the world as it was at one moment. `FILE.journal` holds the requests since
//! then: a world is a value and a request's effect depends on nothing but it and the time, so carrying them out again
//! gives the same world. `FILE.objects` holds large bodies under their hash. [`FileSandbox::close`] brings the world
//! up to date and leaves no journal.
//!
//! **Invariants.** Every request is in the journal before it is carried out, those that only look too: what they were
//! told may rest on a clock that would otherwise stand earlier after a kill. What cannot be written down is refused.
//! The file is always whole: it is written beside its place and renamed. One process at a time has it. It is
//! readable by its owner only, because the sandbox's secrets are in it.

mod bodies;
mod journal;
mod store;

use crate::random::Mood;
use crate::sandbox::Sandbox;
use crate::wire::Fault;
use crate::world::World;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// The format that this version writes, and the newest that it reads. Version 1 had object bodies in it.
const VERSION: u64 = 2;
/// Bytes of a world and of a journal that are read.
const FILE_MAX: u64 = 512 << 20;

/// Why a sandbox file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot {what} the sandbox file {}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the sandbox file {} is in use by another process; wait until it ends", .0.display())]
    InUse(PathBuf),
    #[error("the sandbox file {} has {size} bytes, more than the {FILE_MAX} that are read", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error("the sandbox {} is full: only requests that look, change or delete are accepted", .0.display())]
    Full(PathBuf),
    #[error(
        "the sandbox file {} has version {found}, and this auroraml reads up to {VERSION}: use a newer auroraml or another file",
        path.display()
    )]
    Newer { path: PathBuf, found: u64 },
    #[error("{} is not a sandbox file, or is damaged", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
}

impl FileError {
    /// The answer to a request that could not be written down.
    fn fault(&self) -> Fault {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(inner) = source {
            text.push_str(&format!(": {inner}"));
            source = inner.source();
        }
        // Of the codes that no SDK repeats: another try would meet the same disk.
        Fault::new(507, "SandboxNotSaved", text)
    }
}

/// A sandbox whose every request is on the disk before it is answered. Dropping it frees the file for others;
/// [`FileSandbox::close`] also saves what time it is there.
#[derive(Debug)]
pub struct FileSandbox {
    sandbox: Sandbox,
    store: Arc<Mutex<Store>>,
    path: PathBuf,
    _lock: Lock,
}

impl FileSandbox {
    /// Opens the world in `path`, its clock where it stood and running at `speed` times tokio's clock; or
    /// makes a new one from `seed` and `mood`, which an existing world does not heed.
    ///
    /// # Errors
    /// [`FileError`], which names the path.
    pub fn open(path: &Path, speed: f64, seed: u64, mood: Mood) -> Result<FileSandbox, FileError> {
        // Renaming onto a symbolic link would replace the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        not_of_others(&path)?;
        let lock = lock(&path)?;
        let (store, world) = Store::open(&path, seed, mood)?;
        let store = Arc::new(Mutex::new(store));
        let sandbox = Sandbox::new(world, speed);
        let keeping = Arc::clone(&store);
        sandbox.set_keeper(Some(Box::new(move |call, world| {
            let mut store = keeping.lock().unwrap_or_else(PoisonError::into_inner);
            store.keep(call, world).map_err(|error| error.fault())
        })));
        Ok(FileSandbox { sandbox, store, path, _lock: lock })
    }

    /// Removes the sandbox in `path`, a damaged one too; whether there was one.
    ///
    /// # Errors
    /// [`FileError::InUse`]; [`FileError::Malformed`] if it is something else, and then not ours to delete.
    pub fn reset(path: &Path) -> Result<bool, FileError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        if !not_of_others(&path)? {
            return Ok(false);
        }
        let _lock = lock(&path)?;
        store::remove(&path)?;
        Ok(true)
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the world directly and saves it: no request says so, and the journal alone would not know.
    ///
    /// # Errors
    /// [`FileError::Io`] when it cannot be written.
    pub fn change(&self, change: impl FnOnce(&mut World)) -> Result<(), FileError> {
        self.sandbox.with(change);
        self.store.lock().unwrap_or_else(PoisonError::into_inner).save(&self.sandbox.world())
    }

    /// Saves everything, the present time included, and frees the file.
    ///
    /// # Errors
    /// [`FileError::Io`] when it cannot be written.
    pub fn close(self) -> Result<(), FileError> {
        // A handle that lives on must not write into a file that is another process's by then.
        self.sandbox.set_keeper(None);
        self.store.lock().unwrap_or_else(PoisonError::into_inner).save(&self.sandbox.world())
    }
}

impl Drop for FileSandbox {
    fn drop(&mut self) {
        self.sandbox.set_keeper(None);
    }
}

#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that another thread is about to start has the file open as well, until it
        // becomes another program.
        let _ = self.0.unlock();
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |source| FileError::Io { what, path: path.to_path_buf(), source }
}

/// The lock is a file of its own, because the world's file is replaced when it is saved. It is left behind:
/// to remove it would let two processes lock two different files of the same name.
fn lock(path: &Path) -> Result<Lock, FileError> {
    let name = beside(path, ".lock");
    let file =
        private().write(true).create(true).truncate(false).open(&name).map_err(failed("lock", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(FileError::InUse(path.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(failed("lock", path)(source)),
    }
}

/// Options that make new files readable by their owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Refuses a file that is something else: it does not begin as a sandbox, something is in it, and it was not locked as
/// a sandbox before. A damaged one passes. Whether there is a file at all.
fn not_of_others(path: &Path) -> Result<bool, FileError> {
    let mut start = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(11).read_to_end(&mut start).map_err(failed("read", path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("open", path)(error)),
    };
    if start.is_empty() || start == br#"{"version":"# || beside(path, ".lock").exists() {
        return Ok(true);
    }
    let source = serde::de::Error::custom("it does not begin as one");
    Err(FileError::Malformed { path: path.to_path_buf(), source })
}

/// What is in a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let size = file.metadata().map_err(failed("open", path))?.len();
    if size > FILE_MAX {
        return Err(FileError::TooLarge { path: path.to_path_buf(), size });
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(Some(bytes))
}
