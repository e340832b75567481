//! A sandbox kept in a file, so that one command sees what the command before it did.
//!
//! **Invariants.** The file is always whole: it is written beside its place and renamed. One process at a
//! time has it. It is readable by its owner only, because the sandbox's secrets are in it.

use crate::random::Mood;
use crate::sandbox::Sandbox;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The format that this version writes, and the newest that it reads.
const VERSION: u64 = 1;
/// Bytes of a file that are read.
const FILE_MAX: u64 = 256 << 20;

/// Why a sandbox file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot {what} the sandbox file {}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the sandbox file {} is in use by another process; wait until it ends", .0.display())]
    InUse(PathBuf),
    #[error("the sandbox file {} has {size} bytes, more than the {FILE_MAX} that are read", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error(
        "the sandbox file {} has version {found}, and this auroraml reads up to {VERSION}: use a newer auroraml or another file",
        path.display()
    )]
    Newer { path: PathBuf, found: u64 },
    #[error("{} is not a sandbox file", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
}

#[derive(Serialize)]
struct Saving<'a> {
    version: u64,
    world: &'a World,
}

#[derive(Deserialize)]
struct Saved {
    world: World,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// A sandbox that is saved after every request that changes it. Dropping it frees the file for others;
/// [`FileSandbox::close`] also saves what time it is there.
#[derive(Debug)]
pub struct FileSandbox {
    sandbox: Sandbox,
    path: PathBuf,
    /// The last failure to save, if nothing was saved since.
    failure: Arc<Mutex<Option<FileError>>>,
    /// Held for its lock.
    _lock: File,
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
        let lock = lock(&path)?;
        let world = match read(&path)? {
            Some(world) => world,
            None => {
                let world = World::new(seed, mood);
                save(&path, &world)?;
                world
            }
        };
        let sandbox = Sandbox::new(world, speed);
        let failure: Arc<Mutex<Option<FileError>>> = Arc::default();
        let (target, told) = (path.clone(), Arc::clone(&failure));
        sandbox.set_observer(move |world| {
            let failed = save(&target, world).err();
            *told.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        });
        Ok(FileSandbox { sandbox, path, failure, _lock: lock })
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the last change could not be saved, if so; asking forgets it.
    pub fn failure(&self) -> Option<FileError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Saves everything, the present time included, and frees the file.
    ///
    /// # Errors
    /// [`FileError::Io`] when it cannot be written.
    pub fn close(self) -> Result<(), FileError> {
        let saved = save(&self.path, &self.sandbox.world());
        // A handle that lives on must not write into a file that is another process's by then.
        self.sandbox.set_observer(|_| {});
        saved
    }
}

impl Drop for FileSandbox {
    fn drop(&mut self) {
        self.sandbox.set_observer(|_| {});
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

/// The lock is a file of its own, because the world's file is replaced at every save. It is left behind:
/// to remove it would let two processes lock two different files of the same name.
fn lock(path: &Path) -> Result<File, FileError> {
    let name = beside(path, ".lock");
    let file =
        private().write(true).create(true).truncate(false).open(&name).map_err(failed("lock", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
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

/// The world in the file; `None` if there is no file.
fn read(path: &Path) -> Result<Option<World>, FileError> {
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
    let malformed = |source| FileError::Malformed { path: path.to_path_buf(), source };
    // The version first: a newer file may have another shape.
    let Versioned { version } = serde_json::from_slice(&bytes).map_err(malformed)?;
    if version > VERSION {
        return Err(FileError::Newer { path: path.to_path_buf(), found: version });
    }
    let Saved { world } = serde_json::from_slice(&bytes).map_err(malformed)?;
    Ok(Some(world))
}

fn save(path: &Path, world: &World) -> Result<(), FileError> {
    let temporary = beside(path, ".new");
    let write = || {
        let bytes = serde_json::to_vec(&Saving { version: VERSION, world }).map_err(io::Error::other)?;
        let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(&bytes)?;
        // Before the rename, or a power cut could leave an empty file under the right name.
        file.sync_data()?;
        fs::rename(&temporary, path)
    };
    write().map_err(failed("write", path))
}
