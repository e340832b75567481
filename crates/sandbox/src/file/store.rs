//! What is on the disk, taken together: the world, the journal, the bodies.

use super::bodies::Bodies;
use super::journal::{self, Journal, Record};
use super::{FileError, VERSION, beside, failed, private, read};
use crate::call::Call;
use crate::call::is_mutating;
use crate::random::Mood;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Requests, and bytes of them, after which the world is saved: what is opened after a kill is carried out again.
const RECORDS_MAX: usize = 2_000;
const JOURNAL_MAX: u64 = 8 << 20;
/// Bytes of a world after which nothing is added to it: half of what is read.
const WORLD_FULL: u64 = super::FILE_MAX / 2;
/// Bytes of bodies after which nothing is added to them: all are in memory while the sandbox is open.
const BODIES_FULL: u64 = 1 << 30;

/// How the names of operations begin that make something.
const ADDING: &[&str] = &["Create", "Put", "Upload", "Complete", "Copy", "Import"];

#[derive(Serialize)]
struct Saving<'a> {
    version: u64,
    generation: u64,
    world: &'a World,
}

#[derive(Deserialize)]
struct Saved {
    /// How often this world has been saved.
    #[serde(default)]
    generation: u64,
    world: World,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    generation: u64,
    /// Bytes of the world when it was last saved.
    size: u64,
    journal: Journal,
    bodies: Bodies,
    limits: Limits,
}

#[derive(Debug)]
struct Limits {
    records: usize,
    journal: u64,
    world: u64,
    bodies: u64,
}

impl Store {
    /// The world at `path` as it was when the last request was answered, or a new one.
    pub(super) fn open(path: &Path, seed: u64, mood: Mood) -> Result<(Store, World), FileError> {
        let limits =
            Limits { records: RECORDS_MAX, journal: JOURNAL_MAX, world: WORLD_FULL, bodies: BODIES_FULL };
        let bodies = Bodies::open(beside(path, ".objects"))?;
        let journal = beside(path, ".journal");
        let Some(bytes) = read(path)? else {
            // Without its world a journal says nothing, and must not be taken for that of the new one.
            journal::remove(&journal)?;
            let (journal, _) = Journal::open(journal, 0)?;
            let world = World::new(seed, mood);
            let mut store = Store { path: path.into(), generation: 0, size: 0, journal, bodies, limits };
            store.save(&world)?;
            return Ok((store, world));
        };
        let malformed = |source| FileError::Malformed { path: path.to_path_buf(), source };
        // The version first: a newer file may have another shape.
        let Versioned { version } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if version > VERSION {
            return Err(FileError::Newer { path: path.to_path_buf(), found: version });
        }
        let Saved { generation, mut world } = serde_json::from_slice(&bytes).map_err(malformed)?;
        for body in world.contents_mut() {
            bodies.fill(body)?;
        }
        let (journal, records) = Journal::open(journal, generation)?;
        for mut record in records {
            bodies.fill(&mut record.body)?;
            let call = record.call();
            // A bug of a service that ended one request then must not end all of them now: it left the world
            // behind in the same state.
            let _ = catch_unwind(AssertUnwindSafe(|| world.repeat(&call)));
        }
        let size = bytes.len() as u64;
        Ok((Store { path: path.into(), generation, size, journal, bodies, limits }, world))
    }

    /// Writes down a request that is about to be carried out in `world`.
    pub(super) fn keep(&mut self, call: &Call, world: &World) -> Result<(), FileError> {
        if self.journal.records >= self.limits.records || self.journal.length >= self.limits.journal {
            self.save(world)?;
        }
        // What changes or removes something passes: a stack must be destructible when the sandbox is full.
        let adds = is_mutating(call) && ADDING.iter().any(|start| call.operation.starts_with(start));
        if adds && self.is_full(call) && self.journal.records > 0 {
            // Much may have been deleted since it was saved.
            self.save(world)?;
        }
        if adds && self.is_full(call) {
            return Err(FileError::Full(self.path.clone()));
        }
        let mut record = Record::of(call);
        self.bodies.put(&mut record.body)?;
        self.journal.append(&record, self.generation)
    }

    fn is_full(&self, call: &Call) -> bool {
        self.size > self.limits.world
            || self.bodies.size() + call.request.body.len() as u64 > self.limits.bodies
    }

    /// Saves the world, and with it all that the journal says.
    pub(super) fn save(&mut self, world: &World) -> Result<(), FileError> {
        let mut world = world.clone();
        let mut needed = BTreeSet::new();
        for body in world.contents_mut() {
            needed.extend(self.bodies.put(body)?);
        }
        let generation = self.generation + 1;
        let saving = Saving { version: VERSION, generation, world: &world };
        self.size = write(&self.path, &saving).map_err(failed("write", &self.path))?;
        self.generation = generation;
        self.journal.clear();
        self.bodies.keep_only(&needed);
        Ok(())
    }
}

/// Writes the world's file; its size.
fn write(path: &Path, saving: &Saving<'_>) -> io::Result<u64> {
    let temporary = beside(path, ".new");
    let write = || {
        let file = private().write(true).create(true).truncate(true).open(&temporary)?;
        let mut buffer = BufWriter::with_capacity(1 << 20, file);
        serde_json::to_writer(&mut buffer, saving)?;
        buffer.flush()?;
        // Before the rename, or a power cut could leave an empty file under the right name.
        buffer.get_ref().sync_data()?;
        let size = buffer.get_ref().metadata()?.len();
        fs::rename(&temporary, path)?;
        Ok(size)
    };
    write().inspect_err(|_| {
        // The disk may be full.
        let _ = fs::remove_file(&temporary);
    })
}

/// Removes a sandbox, whatever state it is in.
pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    // The world first: without it the others mean nothing.
    fs::remove_file(path).map_err(failed("remove", path))?;
    journal::remove(&beside(path, ".journal"))?;
    let folder = beside(path, ".objects");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::wire::Request;

    /// A request to S3 at a time of its own.
    fn call(at: u64, method: &str, path: &str, body: &[u8]) -> Call {
        let scope = "AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/s3/aws4_request, Signature=0";
        let request = Request {
            method: method.into(),
            path: path.into(),
            headers: [("authorization".to_string(), scope.to_string())].into(),
            body: body.to_vec(),
            ..Request::default()
        };
        decode(request, crate::BIRTH_MS + at)
    }

    /// Keeps a request and carries it out; whether it was kept.
    fn asked(store: &mut Store, world: &mut World, call: &Call) -> Result<(), FileError> {
        store.keep(call, world)?;
        world.repeat(call);
        Ok(())
    }

    fn opened(path: &Path) -> (Store, World) {
        Store::open(path, 1, Mood::Real).unwrap()
    }

    #[test]
    fn the_journal_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let (mut store, mut world) = opened(&path);
        store.limits.records = 4;
        asked(&mut store, &mut world, &call(0, "PUT", "/kept", b"")).unwrap();
        for n in 1..=20_u8 {
            let body = vec![n; usize::from(n) * 1_000];
            asked(&mut store, &mut world, &call(n.into(), "PUT", &format!("/kept/{n}"), &body)).unwrap();
            assert!(store.journal.records <= 4);
            let (_, found) = opened(&path);
            let (found, told) = (serde_json::to_value(found).unwrap(), serde_json::to_value(&world).unwrap());
            assert!(found == told, "the same after {n}");
        }
        assert_eq!(store.generation, 6, "the new world, and one in five requests");
    }

    #[test]
    fn what_could_not_be_read_again_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let (mut store, mut world) = opened(&path);
        store.limits.bodies = 25_000;
        asked(&mut store, &mut world, &call(0, "PUT", "/kept", b"")).unwrap();
        for (n, name) in ["/kept/a", "/kept/b"].into_iter().enumerate() {
            asked(&mut store, &mut world, &call(1, "PUT", name, &[n as u8; 10_000])).unwrap();
        }
        let third = call(2, "PUT", "/kept/c", &[2; 10_000]);
        assert!(matches!(asked(&mut store, &mut world, &third), Err(FileError::Full(_))));
        assert!(
            !world.global.s3.has_object("kept", "c") && !opened(&path).1.global.s3.has_object("kept", "c")
        );
        // Looking and deleting goes on, and makes room.
        asked(&mut store, &mut world, &call(3, "GET", "/kept/a", b"")).unwrap();
        asked(&mut store, &mut world, &call(4, "DELETE", "/kept/a", b"")).unwrap();
        asked(&mut store, &mut world, &third).unwrap();
        let (mut store, mut world) = opened(&path);
        assert!(world.global.s3.has_object("kept", "c") && !world.global.s3.has_object("kept", "a"));
        store.limits.world = 100;
        let small = call(5, "PUT", "/kept/d", b"d");
        assert!(
            matches!(asked(&mut store, &mut world, &small), Err(FileError::Full(_))),
            "of the world itself"
        );
        asked(&mut store, &mut world, &call(6, "DELETE", "/kept/c", b"")).unwrap();
    }
}
