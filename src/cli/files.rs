//! Files that the user names: specs, saved plans, notebooks.

use super::exit::Error;
use super::typed;
use auroraml::aws::FileSource;
use auroraml_core::spec;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Bytes of a file that a spec names.
const FILE_MAX: u64 = 8 << 20;
/// Bytes of a saved plan.
const PLAN_MAX: u64 = 16 << 20;
/// Files of a folder that are looked at for the one that was meant.
const ENTRIES_MAX: usize = 500;
/// Files that a message lists where nobody knows which was meant.
const LISTED_MAX: usize = 3;

/// A spec as it was read.
#[derive(Debug)]
pub struct Source {
    /// What to call it in messages.
    pub name: String,
    pub bytes: Vec<u8>,
    /// What the paths in it start from.
    pub folder: PathBuf,
}

/// Reads a spec, or as much of it as shows that it is too large.
///
/// # Errors
/// When it cannot be read; with files that may have been meant.
pub fn read_spec(path: &Path) -> Result<Source, Error> {
    let limit = spec::MAX_SIZE as u64 + 1;
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        return match io::stdin().lock().take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(Source { name: "stdin".into(), bytes, folder: PathBuf::from(".") }),
            Err(error) => Err(Error::new("stdin", format!("cannot be read: {error}"), "use a file instead")),
        };
    }
    let name = path.display().to_string();
    // A pipe is as good as a file: `auroraml plan <(…)`.
    match File::open(path).and_then(|file| take(file, limit)) {
        Ok(bytes) => {
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            Ok(Source { name, bytes, folder })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(no_such(path)),
        Err(_) if path.is_dir() => {
            let help = "give one spec in it; validate, plan and apply take a whole folder";
            Err(Error::new(name, "it is a folder", help))
        }
        Err(error) => Err(Error::new(name, unread(&error), "check the name and its permissions")),
    }
}

/// A spec that is not there, with what may have been meant.
pub fn no_such(path: &Path) -> Error {
    let help = typed::sandbox_meant(std::env::args_os(), path).unwrap_or_else(|| suggestion(path));
    Error::new(path.display().to_string(), "there is no such file", help)
}

/// Why a file cannot be read or written, without the number that the operating system gives it.
pub fn unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => format!("cannot be read: {error}"),
    }
}

/// What is in a file.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // A named pipe could make us wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    take(File::open(path)?, limit)
}

fn take(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Specs near the one that is missing.
fn suggestion(path: &Path) -> String {
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folders = [parent.unwrap_or(Path::new(".")), Path::new("."), Path::new("specs")];
    let mut found: Vec<(usize, String)> = Vec::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.take(ENTRIES_MAX).flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".yaml") || name.ends_with(".yml") {
                let shown = if folder == Path::new(".") { PathBuf::from(&name) } else { folder.join(&name) };
                found.push((strsim::damerau_levenshtein(&wanted, &name), shown.display().to_string()));
            }
        }
    }
    found.sort();
    // A slip of the finger means one file; otherwise nobody knows, and there are a few to choose from.
    match found.first() {
        Some((distance, name)) if *distance <= 2 => format!("did you mean {name}?"),
        _ => listed(found.into_iter().map(|(_, name)| name).collect()),
    }
}

/// Which specs there are, and that there are more than are listed.
fn listed(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        names.truncate(LISTED_MAX);
        names.push(format!("{more} more"));
    }
    match names.as_slice() {
        [] => "create a spec: auroraml init".into(),
        [only] => format!("did you mean {only}?"),
        [others @ .., last] => format!("there are {} and {last}", others.join(", ")),
    }
}

/// Gives the files that a spec in `folder` names: those below it, and not too large.
pub fn beside(folder: &Path) -> FileSource {
    let folder = folder.to_path_buf();
    Arc::new(move |path| {
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why.to_string()));
        let below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(path).components().all(below) {
            return refuse("paths must be relative to the spec and stay in its folder");
        }
        // A link is followed only where it stays below the folder: a spec comes by pull request, and what it names is
        // copied to where others read it.
        let root = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })?;
        let file = fs::canonicalize(root.join(path))?;
        if !file.starts_with(&root) {
            return refuse("it is a link that leaves the spec's folder");
        }
        let bytes = read(&file, FILE_MAX + 1)?;
        if bytes.len() as u64 > FILE_MAX {
            return refuse(&format!("it has more than {FILE_MAX} bytes"));
        }
        Ok(bytes)
    })
}

/// A plan as it was saved.
#[derive(Clone, Debug)]
pub struct SavedPlan {
    pub plan: Value,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A saved plan.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read_plan(path: &Path) -> Result<SavedPlan, Error> {
    let name = path.display().to_string();
    let help = "save one with: auroraml plan SPEC --out FILE";
    let bytes = read(path, PLAN_MAX).map_err(|error| Error::new(&name, unread(&error), help))?;
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(plan) if plan["format"].is_u64() && plan["plan"]["steps"].is_array() => {
            Ok(SavedPlan { plan, sha256: sha256(&bytes) })
        }
        _ => Err(Error::new(name, "not a saved plan", help)),
    }
}

/// Makes a folder that only its owner can read, unless it is there.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    let refuse = |error| {
        Error::new(path.display().to_string(), format!("cannot create it: {error}"), "choose another folder")
    };
    builder.create(path).map_err(refuse)
}

/// A small text file that an argument names.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read_text(path: &Path, limit: usize) -> Result<String, Error> {
    let name = path.display().to_string();
    let wrong = |why: String| Error::new(&name, why, "check its name and contents");
    let bytes = read(path, limit as u64 + 1).map_err(|error| wrong(unread(&error)))?;
    if bytes.len() > limit {
        return Err(wrong(format!("it has more than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8 text".into()))
}

/// Options to write a file that, if it is new, only its owner can read: plans and events name everything that a stack is
/// made of.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Writes a file as a whole, readable by its owner only, or leaves the one that was there.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let write = || {
        // One that is left from a run that was killed, or a link that somebody laid there.
        if let Err(error) = fs::remove_file(&temporary)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        private().create_new(true).open(&temporary)?.write_all(text.as_bytes())?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        Error::new(path.display().to_string(), format!("cannot be written: {error}"), "choose another folder")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_to_choose_from_are_listed_by_name() {
        let told = |names: &[&str]| listed(names.iter().map(|name| (*name).to_string()).collect());
        assert_eq!(told(&[]), "create a spec: auroraml init");
        assert_eq!(told(&["a.yaml"]), "did you mean a.yaml?");
        assert_eq!(told(&["b.yaml", "a.yaml", "b.yaml"]), "there are a.yaml and b.yaml");
        assert_eq!(told(&["c.yaml", "b.yaml", "a.yaml"]), "there are a.yaml, b.yaml and c.yaml");
        let five = ["m_b.yaml", "tab.yaml", "m_a.yaml", "z.yaml", "b.yaml"];
        assert_eq!(told(&five), "there are b.yaml, m_a.yaml, m_b.yaml and 2 more");
    }

    #[test]
    fn files_outside_of_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "text").unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        let source = beside(folder.path());
        assert_eq!(source("a.txt").unwrap(), b"text");
        assert_eq!(source("./a.txt").unwrap(), b"text");
        for path in ["../a.txt", "inner/../a.txt", "/etc/hostname"] {
            let error = source(path).expect_err(path);
            assert!(error.to_string().contains("stay in its folder"), "{path}: {error}");
        }
        assert!(source("inner").expect_err("a folder").to_string().contains("regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_leave_the_folder_are_refused() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("key"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "text").unwrap();
        symlink("a.txt", folder.path().join("inside")).unwrap();
        symlink(outside.path().join("key"), folder.path().join("key")).unwrap();
        symlink(outside.path(), folder.path().join("inner")).unwrap();
        let source = beside(folder.path());
        assert_eq!(source("inside").unwrap(), b"text");
        for path in ["key", "inner/key"] {
            let error = source(path).expect_err(path);
            assert!(error.to_string().contains("leaves the spec's folder"), "{path}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_its_owner_s_alone() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (plan, other) = (folder.path().join("plan.json"), folder.path().join("other"));
        fs::write(&other, "not ours").unwrap();
        symlink(&other, folder.path().join("plan.json.new")).unwrap();
        // Whatever the mode of the file that was there.
        fs::write(&plan, "old").unwrap();
        for text in ["one", "two"] {
            write(&plan, text).unwrap();
            assert_eq!(fs::read_to_string(&plan).unwrap(), text);
            assert_eq!(fs::metadata(&plan).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), "not ours");
    }

    /// A plan that cannot be written anew is still the one that was there.
    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write(&path, "old").unwrap();
        // In the way of the file that would be written first.
        fs::create_dir(folder.path().join("plan.json.new")).unwrap();
        let error = write(&path, "new").unwrap_err();
        assert!(error.troubles[0].why.contains("cannot be written"), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    #[test]
    fn a_large_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("large")).unwrap();
        file.set_len(FILE_MAX).unwrap();
        let source = beside(folder.path());
        assert_eq!(source("large").unwrap().len() as u64, FILE_MAX);
        file.set_len(FILE_MAX + 1).unwrap();
        assert!(source("large").is_err());
    }
}
