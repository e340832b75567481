//! Several specs, or a folder of them, in one process: shared connections and listings, a few at a time, one summary.
//!
//! A command that takes several specs flattens [`Several`] into its arguments beside its `spec`, and begins with
//!
//! ```text
//! if let Some(paths) = fleet::sources(&args.spec, &args.several)? {
//!     let fleet = Fleet { paths, parallel: args.several.parallel, shape: Shape::Prose };
//!     return fleet.each(global, printer, async |session, printer| {
//!         // as for one stack, with this session and printer; nothing else may be printed by
//!         Ok(Told { exit, result: "2 to change".into() })
//!     }).await;
//! }
//! ```
//!
//! Without several, everything is as it was: one session, no heading, no summary. A command that needs the sessions twice
//! (a question between plans and work) opens a [`Group`] itself.

use super::args::Global;
use super::exit::{Error, Exit};
use super::files::{self, Source};
use super::hint;
use super::printer::Printer;
use super::session::{Host, Session, parse};
use auroraml_core::base::counted;
use auroraml_core::render::fleet::{Row, markdown, text};
use auroraml_core::spec::Spec;
use clap::Args;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Specs that one command takes.
const SPECS_MAX: usize = 1000;
/// Files of a folder that are looked at.
const ENTRIES_MAX: usize = 10_000;
/// Characters of a comment that GitHub takes (65,536), without room for the summary and a remark.
const COMMENT_MAX: usize = 60_000;

#[derive(Clone, Debug, Args)]
pub struct Several {
    /// More specs, or folders with *.yaml and *.yml files.
    #[arg(value_name = "SPEC")]
    pub more: Vec<PathBuf>,
    /// How many stacks to process at the same time.
    #[arg(long, value_name = "N", default_value_t = PARALLEL, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub parallel: u8,
}

/// Stacks that are worked on at the same time, unless somebody says otherwise.
const PARALLEL: u8 = 4;

impl Default for Several {
    fn default() -> Several {
        Several { more: Vec::new(), parallel: PARALLEL }
    }
}

/// What a command prints on stdout for each stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text for a person: headings and the summary stand there as well.
    Prose,
    /// For one comment: the summary comes first, and what GitHub would not take is left out.
    Markdown,
    /// One JSON document after the other: headings and the summary go to stderr.
    Json,
    /// The same, with `---` between the documents.
    Yaml,
}

/// How a stack's part of a command ended.
pub struct Told {
    pub exit: Exit,
    /// In a few words, for the summary.
    pub result: String,
}

/// The specs that were named, folders replaced by what is in them; `None` where it is one file, as ever.
///
/// # Errors
/// When a spec is not there, a folder cannot be read or holds no specs, or there are too many.
pub fn sources(first: &Path, several: &Several) -> Result<Option<Vec<PathBuf>>, Error> {
    if several.more.is_empty() && !first.is_dir() {
        return Ok(None);
    }
    let mut paths = Vec::new();
    for path in std::iter::once(first).chain(several.more.iter().map(PathBuf::as_path)) {
        match path.is_dir() {
            true => paths.extend(folder(path)?),
            false if path == Path::new(hint::STDIN) || path.exists() => paths.push(path.to_path_buf()),
            // The others are not for a command line that was mistyped.
            false => return Err(files::no_such(path)),
        }
    }
    if paths.iter().filter(|path| path.as_path() == Path::new(hint::STDIN)).count() > 1 {
        return Err(Error::new("-", "stdin is given twice", "use `-` only once"));
    }
    if paths.len() > SPECS_MAX {
        let why = format!("{} specs are too many for one command: at most {SPECS_MAX}", paths.len());
        return Err(Error::new("usage", why, "run the command for fewer specs"));
    }
    Ok(Some(paths))
}

/// The specs in a folder, and not in those below it, sorted by name.
///
/// # Errors
/// When it cannot be read, or holds none.
pub fn folder(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let name = path.display().to_string();
    let unread = |error| Error::new(&name, format!("cannot be read: {error}"), "check its permissions");
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unread)?.take(ENTRIES_MAX) {
        let path = entry.map_err(unread)?.path();
        let is_spec = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_spec && !is_hidden && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(Error::new(
            name,
            "there are no specs in this folder",
            "specs end in .yaml or .yml; `auroraml init` writes one",
        )),
        false => Ok(found),
    }
}

/// Several specs and how they are worked on.
pub struct Fleet {
    pub paths: Vec<PathBuf>,
    pub parallel: u8,
    pub shape: Shape,
}

impl Fleet {
    /// Does `work` for each of the stacks, a few at a time, prints what each says as a whole, and sums up. What happens to
    /// one does not stop the others.
    ///
    /// # Errors
    /// When two of the specs are one stack, the sandbox cannot be used, or stdout cannot be written.
    pub async fn each(
        self,
        global: &Global,
        printer: &Printer,
        work: impl AsyncFn(&mut Session, &Printer) -> Result<Told, Error>,
    ) -> Result<Exit, Error> {
        let group = Group::open(self, global, printer).await?;
        let result = group.each(printer, work).await;
        group.close(result)
    }
}

/// Several stacks with a connection to where they are.
pub struct Group {
    fleet: Fleet,
    host: Host,
    members: Vec<Member>,
}

/// One of the specs.
struct Member {
    name: String,
    /// What is wrong with it has been printed by this printer.
    read: Result<(Source, Spec), Error>,
    printer: Printer,
}

impl Group {
    /// Reads the specs.
    ///
    /// # Errors
    /// When two of them are one stack, or the sandbox cannot be used. A spec that is not good is told of later.
    pub async fn open(fleet: Fleet, global: &Global, printer: &Printer) -> Result<Group, Error> {
        let mut members = Vec::new();
        let mut known: BTreeMap<(String, String), String> = BTreeMap::new();
        for path in &fleet.paths {
            let (name, held) = (path.display().to_string(), printer.held());
            let read = files::read_spec(path).and_then(|source| {
                let spec = parse(&source, global, &held)?;
                Ok((source, spec))
            });
            if let Ok((_, spec)) = &read
                && let Some(first) = known.insert((spec.stack.clone(), spec.region.clone()), name.clone())
            {
                let why = format!("it is the stack {} in {}, like {first}", spec.stack, spec.region);
                return Err(Error::new(name, why, "give each stack only once"));
            }
            members.push(Member { name, read, printer: held });
        }
        let host = Host::open(global, printer).await?;
        Ok(Group { fleet, host, members })
    }

    /// See [`Fleet::each`].
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub async fn each(
        &self,
        printer: &Printer,
        work: impl AsyncFn(&mut Session, &Printer) -> Result<Told, Error>,
    ) -> Result<Exit, Error> {
        let run = async |member: &Member| {
            let said = member.printer.clone();
            let done = match &member.read {
                Ok((source, spec)) => match self.host.among(source, spec.clone()).await {
                    Ok(mut session) => Box::pin(work(&mut session, &said)).await,
                    Err(error) => Err(error),
                },
                Err(error) => Err(Error { exit: error.exit, troubles: error.troubles.clone() }),
            };
            if let Err(error) = &done {
                said.error(error);
            }
            let (stack, region) = match &member.read {
                Ok((_, spec)) => (spec.stack.clone(), spec.region.clone()),
                Err(_) => (member.name.clone(), "-".to_string()),
            };
            let (exit, result) = match done {
                Ok(told) => (told.exit, told.result),
                Err(error) => (error.exit, failed(&error)),
            };
            (said, exit, Row { stack, region, result, exit: exit as u8 })
        };
        let parallel = usize::from(self.fleet.parallel);
        // In the order in which they were named, whichever is done first.
        let mut done = std::pin::pin!(stream::iter(self.members.iter()).map(run).buffered(parallel));
        let (mut rows, mut worst, mut later) = (Vec::new(), Exit::Done, Vec::new());
        while let Some((said, exit, row)) = done.next().await {
            if severity(exit) > severity(worst) {
                worst = exit;
            }
            match self.fleet.shape {
                Shape::Markdown => later.push(said),
                shape => {
                    heading(shape, printer, &row, rows.is_empty())?;
                    said.release(printer)?;
                }
            }
            rows.push(row);
        }
        match self.fleet.shape {
            Shape::Prose => printer.data(&format!("\n{}", text(&rows)))?,
            Shape::Json | Shape::Yaml => printer.talk(&format!("\n{}", text(&rows))),
            Shape::Markdown => {
                printer.data(&markdown(&rows))?;
                let (mut room, mut left_out) = (COMMENT_MAX, 0);
                for said in later {
                    match said.held_data() <= room {
                        true => {
                            room -= said.held_data();
                            printer.data("\n")?;
                            said.release(printer)?;
                        }
                        false => left_out += 1,
                    }
                }
                if left_out > 0 {
                    printer.data(&format!(
                        "\n{} left out here, because GitHub limits the length of comments.\n",
                        counted(left_out, "stack")
                    ))?;
                }
            }
        }
        Ok(worst)
    }

    /// Saves the sandbox, if there is one, and hands the command's result on.
    pub fn close(self, result: Result<Exit, Error>) -> Result<Exit, Error> {
        self.host.close(result)
    }
}

/// What stands above a stack's part.
fn heading(shape: Shape, printer: &Printer, row: &Row, is_first: bool) -> Result<(), Error> {
    let title = format!("==> {} ({})\n", row.stack, row.region);
    let gap = if is_first { "" } else { "\n" };
    match shape {
        Shape::Prose => printer.data(&format!("{gap}{title}"))?,
        Shape::Yaml => {
            printer.talk(&format!("{gap}{title}"));
            printer.data("---\n")?;
        }
        Shape::Json | Shape::Markdown => printer.talk(&format!("{gap}{title}")),
    }
    Ok(())
}

/// A stack's failure in a few words.
fn failed(error: &Error) -> String {
    let why = match error.exit {
        Exit::Stale => "the plan is stale",
        Exit::Preflight => "a preflight check failed",
        Exit::Refused => "refused",
        Exit::Incomplete => "incomplete",
        _ => "failed",
    };
    match error.troubles.first() {
        Some(trouble) => format!("{why}: {}", trouble.why),
        None => why.to_string(),
    }
}

/// Of several exit codes the command's is the worst: what is left half way counts most, then what nobody knows anything of,
/// then what was not begun, then what only has to be done.
fn severity(exit: Exit) -> usize {
    match exit {
        Exit::Done => 0,
        Exit::Changes => 1,
        Exit::Held => 2,
        Exit::Stale => 3,
        Exit::Refused => 4,
        Exit::Preflight => 5,
        Exit::Error => 6,
        Exit::Incomplete => 7,
    }
}

/// File of a stack's plan in the folder that `--out` or `--plan` names.
pub fn plan_file(folder: &Path, session: &Session) -> PathBuf {
    let place = &session.stack.aws.place;
    folder.join(format!("{}.{}.json", place.stack, place.region))
}
