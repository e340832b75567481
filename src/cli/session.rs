//! One command's connection to AWS, real or simulated.

use super::args::{Global, SANDBOX_FILE, SandboxAt, Speed, Terms};
use super::exit::{Error, Exit, Trouble};
use super::files::{self, Source};
use super::policy;
use super::printer::Printer;
use super::unreachable::no_connection;
use auroraml::aws::{
    Aws, Connection, Pace, PasswordSource, SecretText, real_config, served_config, simulated_config,
};
use auroraml::run::found;
use auroraml::run::reconcile::{PrepareError, Prepared};
use auroraml::stack::Stack;
use auroraml_clock::Clock;
use auroraml_core::base::Observed;
use auroraml_core::model::{self, facts::Facts};
use auroraml_core::plan::{Misnamed, Plan, misnamed};
use auroraml_core::render::Subject;
use auroraml_core::render::basis::{self, Basis, Fields};
use auroraml_core::render::json::Document;
use auroraml_core::spec::{self, Allow, Given, Spec};
use auroraml_sandbox::file::{FileError, FileSandbox};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::remote::clock_at;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Runs a command on a runtime of its own.
pub fn block_on(global: &Global, command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    if global.sandbox.is_none() && (global.sandbox_speed.is_some() || global.sandbox_seed.is_some()) {
        let why = "--sandbox-speed and --sandbox-seed need --sandbox";
        return Err(Error::new("usage", why, "add --sandbox"));
    }
    if !global.enforce_policy.is_empty() && !matches!(global.sandbox, Some(SandboxAt::File(_))) {
        let why = "--enforce-policy needs a sandbox in a file";
        return Err(Error::new("usage", why, "add --sandbox, or give it to `auroraml sandbox --listen`"));
    }
    if let Some(SandboxAt::Listener(address)) = &global.sandbox
        && (global.sandbox_speed.is_some() || global.sandbox_seed.is_some())
    {
        let why = format!("the sandbox at http://{address} already has its speed and seed");
        return Err(Error::new("usage", why, "remove --sandbox-speed and --sandbox-seed"));
    }
    run(global.sandbox.is_some() && global.speed() == Speed::Max, command)
}

/// Runs `command`; when `paused`, time jumps to whatever happens next as soon as nothing else is to do.
pub fn run(paused: bool, command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build();
    match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(command);
            // Somebody may have been asked, and not have answered.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Error::plain(format!("cannot start: {error}"))),
    }
}

/// Where AWS is, for all stacks of a command.
pub struct Host {
    at: At,
    profile: Option<String>,
    plain_http: Option<String>,
    /// How fast the run's clock runs; `None` when it jumps.
    pub speed: Option<f64>,
    /// One connection for each region, where several stacks share them.
    shared: Mutex<BTreeMap<String, Arc<Aws>>>,
}

enum At {
    File(Box<FileSandbox>),
    Listener(SocketAddr, Clock),
    Real,
}

impl Host {
    /// Opens the sandbox, if one is used.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn open(global: &Global, printer: &Printer) -> Result<Host, Error> {
        let (at, speed) = match &global.sandbox {
            Some(SandboxAt::File(file)) => {
                (At::File(Box::new(open_sandbox(file, global, printer)?)), speed(global))
            }
            Some(SandboxAt::Listener(address)) => {
                let clock = find_listener(*address, printer).await?;
                let speed = clock.speed();
                (At::Listener(*address, clock), Some(speed))
            }
            None => (At::Real, Some(1.0)),
        };
        let (profile, plain_http) = (global.profile.clone(), global.plain_http.clone());
        Ok(Host { at, profile, plain_http, speed, shared: Mutex::default() })
    }

    /// The connection to a region, with the files that stand in `folder`.
    async fn connection(&self, region: &str, folder: &Path) -> Connection {
        let (config, clock) = match &self.at {
            At::File(file) => {
                let clock = file.sandbox().clock();
                (simulated_config(region, file.sandbox().http_client(), &clock), clock)
            }
            At::Listener(address, clock) => {
                (served_config(region, &format!("http://{address}"), clock), clock.clone())
            }
            At::Real => (real_config(region, self.profile.as_deref()).await, Clock::real()),
        };
        let plain_http = self.plain_http.clone();
        Connection { config, plain_http, clock, files: files::beside(folder), passwords: passwords() }
    }

    /// The session of one stack, alone.
    async fn alone(self, source: &Source, spec: Spec) -> Result<Session, Error> {
        let connection = self.connection(&spec.region, &source.folder).await;
        let endpoint = connection.config.endpoint_url().map(str::to_string);
        let (spec_sha256, spec_fields) = (digest(source, &spec), fields(source, &spec));
        let stack = Stack::connect(spec, connection)
            .await
            .map_err(|failure| no_connection(&failure, endpoint.as_deref(), self.profile.as_deref()))?;
        Ok(Session { stack, spec_sha256, spec_fields, speed: self.speed, host: Some(self) })
    }

    /// The session of one stack of several: they share the connection to a region, and what is listed there.
    ///
    /// # Errors
    /// When AWS does not know the caller.
    pub async fn among(&self, source: &Source, spec: Spec) -> Result<Session, Error> {
        let base = self.shared(&spec.region).await?;
        let aws = base.of_another(&spec.stack, model::scope(&spec), files::beside(&source.folder));
        let (spec_sha256, spec_fields) = (digest(source, &spec), fields(source, &spec));
        let stack = Stack::over(spec, aws);
        Ok(Session { stack, spec_sha256, spec_fields, speed: self.speed, host: None })
    }

    /// The session of a stack whose spec nobody has.
    ///
    /// # Errors
    /// When AWS does not know the caller, or cannot be asked.
    pub async fn tagged(&self, region: &str, stack: &str) -> Result<Session, Error> {
        let base = self.shared(region).await?;
        let (spec, scope) =
            found::spec_of(&base, stack).await.map_err(|failure| no_plan(PrepareError::Aws(failure)))?;
        let aws = base.of_another(stack, scope, files::beside(Path::new("")));
        let mut stack = Stack::over(spec, aws);
        stack.from_tags = true;
        Ok(Session {
            stack,
            spec_sha256: String::new(),
            spec_fields: Fields::new(),
            speed: self.speed,
            host: None,
        })
    }

    /// The connection to a region that all stacks there share.
    ///
    /// # Errors
    /// When AWS does not know the caller.
    pub async fn shared(&self, region: &str) -> Result<Arc<Aws>, Error> {
        // Held while connecting: who comes meanwhile gets the connection that is on its way.
        let mut shared = self.shared.lock().await;
        if let Some(aws) = shared.get(region) {
            return Ok(aws.clone());
        }
        let connection = self.connection(region, Path::new("")).await;
        let endpoint = connection.config.endpoint_url().map(str::to_string);
        let pace = Pace::published(&connection.clock);
        let aws = Aws::connect_many(connection, pace)
            .await
            .map_err(|failure| no_connection(&failure, endpoint.as_deref(), self.profile.as_deref()))?;
        let aws = Arc::new(aws);
        shared.insert(region.to_string(), aws.clone());
        Ok(aws)
    }

    /// Saves the sandbox, if there is one, and hands the command's result on.
    pub fn close(self, result: Result<Exit, Error>) -> Result<Exit, Error> {
        let At::File(sandbox) = self.at else { return result };
        match (result, sandbox.close()) {
            (Err(error), _) => Err(error),
            (Ok(_), Err(error)) => Err(sandbox_error(&error)),
            (Ok(exit), Ok(())) => Ok(exit),
        }
    }
}

/// A spec, and AWS as its stack sees it.
pub struct Session {
    pub stack: Stack,
    /// SHA-256 of the spec file and of what its variables were, in hexadecimal digits.
    pub spec_sha256: String,
    /// A hash of each field of the spec, by its path.
    pub spec_fields: Fields,
    /// How fast the run's clock runs; `None` when it jumps.
    pub speed: Option<f64>,
    /// Of a stack of several, whoever opened it closes it.
    host: Option<Host>,
}

impl Session {
    /// Reads the spec and connects.
    ///
    /// # Errors
    /// When the spec is not good, the sandbox file cannot be used, or AWS does not know the caller.
    pub async fn open(path: &Path, global: &Global, printer: &Printer) -> Result<Session, Error> {
        let source = files::read_spec(path)?;
        let spec = parse(&source, global, printer)?;
        Host::open(global, printer).await?.alone(&source, spec).await
    }

    /// Takes note of what a person lets go by name.
    pub fn let_go(&mut self, terms: &Terms) {
        self.stack.let_go = terms.delete.iter().cloned().collect();
    }

    /// What was let go by a name that nothing bears was meant otherwise: nobody should find that out after the rest has
    /// been carried out.
    ///
    /// # Errors
    /// When there is such a name.
    pub fn check_let_go(&self, prepared: &Prepared) -> Result<(), Error> {
        let wrong = misnamed(&prepared.graph, &prepared.observed, &self.stack.kinds.catalog());
        let troubles = wrong.into_iter().map(|Misnamed { name, why, hint }| Trouble {
            object: Some(format!("--delete {name}")),
            why: format!("{why}; nothing was changed"),
            help: Some(hint),
        });
        let troubles: Vec<Trouble> = troubles.collect();
        match troubles.is_empty() {
            true => Ok(()),
            false => Err(Error { exit: Exit::Refused, troubles }),
        }
    }

    /// The plan with everything that it rests on, as it is saved.
    pub fn document(&self, subject: &Subject, prepared: &Prepared) -> Document {
        self.resting_on(subject, &prepared.observed, &prepared.facts, &prepared.plan)
    }

    /// A document of this plan and of what was seen.
    pub fn resting_on(&self, subject: &Subject, observed: &Observed, facts: &Facts, plan: &Plan) -> Document {
        let basis = Basis {
            version: env!("CARGO_PKG_VERSION").into(),
            spec_sha256: self.spec_sha256.clone(),
            spec: self.spec_fields.clone(),
            ..Basis::default()
        };
        let catalog = self.stack.kinds.catalog();
        Document::new(subject, &basis.resting_on(observed, facts, &catalog), plan)
    }

    pub fn subject(&self, destroy: bool, terms: &Terms) -> Subject {
        let place = &self.stack.aws.place;
        // Without a word on it, what interrupts no writer is done.
        let spec = self.stack.spec.restart().and_then(|restart| restart.allow);
        let (allow, allow_is_final) = match (spec, terms.allow.map(Allow::from)) {
            (Some(spec), Some(asked)) if asked < spec => (asked, false),
            (Some(spec), _) => (spec, true),
            (None, Some(asked)) => (asked, false),
            (None, None) => (Allow::Readers, false),
        };
        Subject {
            stack: place.stack.clone(),
            account: place.account.clone(),
            region: place.region.clone(),
            destroy,
            allow: allow.into(),
            allow_is_final,
            has_window: self.stack.spec.restart().is_some_and(|restart| restart.window().is_some()),
        }
    }

    /// Whether others share its connection.
    pub fn is_one_of_many(&self) -> bool {
        self.host.is_none()
    }

    /// Saves the sandbox, if there is one, and hands the command's result on.
    pub fn close(self, result: Result<Exit, Error>) -> Result<Exit, Error> {
        match self.host {
            Some(host) => host.close(result),
            None => result,
        }
    }
}

/// SHA-256 of the file, and of what its variables were where it has any.
fn digest(source: &Source, spec: &Spec) -> String {
    let mut digest = Sha256::new_with_prefix(&source.bytes);
    if !spec.variables.is_empty() {
        digest.update(b"\0");
        // Plain data: writing it cannot fail.
        digest.update(serde_json::to_vec(&spec.variables).unwrap_or_default());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash of each field of the file, and of each variable as it is in force.
fn fields(source: &Source, spec: &Spec) -> Fields {
    let mut written = spec::written(&source.bytes);
    for (name, value) in &spec.variables {
        // Plain data: writing it cannot fail.
        written.insert(format!("variables.{name}"), serde_json::to_string(value).unwrap_or_default());
    }
    basis::spec_fields(&written)
}

/// The spec in a file, or its problems, which are printed.
///
/// # Errors
/// When there are any.
pub fn parse(source: &Source, global: &Global, printer: &Printer) -> Result<Spec, Error> {
    let read = variables(global, |given| spec::parse_given(&source.bytes, given))?;
    read.map_err(|problems| {
        printer.say(&problems.render(&source.name, &String::from_utf8_lossy(&source.bytes)));
        Error::said(Exit::Error)
    })
}

/// Does `work` with the values that were given for variables of specs.
///
/// # Errors
/// When a name was given two values.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
pub fn variables<T>(global: &Global, work: impl FnOnce(&Given<'_>) -> T) -> Result<T, Error> {
    let mut set = BTreeMap::new();
    for (name, value) in &global.set {
        if let Some(before) = set.insert(name.clone(), value.clone())
            && before != *value
        {
            let why = "it has two values";
            return Err(Error::new(format!("--set {name}"), why, "give only one"));
        }
    }
    let environment = |name: &str| std::env::var(name).ok();
    Ok(work(&Given { set, environment: Some(&environment) }))
}

/// Reads an environment variable when the password is asked for, and not before.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn passwords() -> PasswordSource {
    Arc::new(|name| std::env::var(name).ok().map(SecretText::new))
}

fn speed(global: &Global) -> Option<f64> {
    match global.speed() {
        Speed::Times(times) => Some(times),
        Speed::Max => None,
    }
}

/// Opens the sandbox in `file`, or makes a new one.
///
/// # Errors
/// When the file cannot be used.
pub fn open_sandbox(file: &Path, global: &Global, printer: &Printer) -> Result<FileSandbox, Error> {
    make_folder(file)?;
    let name = file.display();
    let is_new = !file.exists();
    if let (false, Some(_)) = (is_new, global.sandbox_seed) {
        printer.talk(&format!("note: the sandbox {name} keeps the seed that it was created with\n"));
    }
    let seed = global.sandbox_seed.unwrap_or(1);
    let sandbox = FileSandbox::open(file, speed(global).unwrap_or(1.0), seed, Mood::Real)
        .map_err(|error| sandbox_error(&error))?;
    hold(&sandbox, &global.enforce_policy)?;
    let which = if is_new { "a new sandbox" } else { "the sandbox" };
    let clock = match speed(global) {
        Some(times) => pace(times),
        None => "its clock skips all waiting".into(),
    };
    printer.talk(&format!("Using {which}, {name}: no real AWS account is used, {clock}.\n"));
    Ok(sandbox)
}

/// Holds callers to the policies in these files; to none, where a command before this one did.
fn hold(sandbox: &FileSandbox, policies: &[PathBuf]) -> Result<(), Error> {
    if policies.is_empty() && sandbox.sandbox().with(|world| world.enforced.is_empty()) {
        return Ok(());
    }
    let documents = policy::enforced(policies)?;
    let mut result = Ok(());
    sandbox
        .change(|world| result = world.enforced.everybody(documents))
        .map_err(|error| sandbox_error(&error))?;
    result.map_err(|why| {
        Error::new(
            "--enforce-policy",
            why,
            "give a policy document as `auroraml policy` prints it, or an array of them",
        )
    })
}

/// The clock of the sandbox that somebody serves at `address`.
async fn find_listener(address: SocketAddr, printer: &Printer) -> Result<Clock, Error> {
    let name = format!("http://{address}");
    let clock = clock_at(address).await.map_err(|error| {
        let start = format!("start it: auroraml sandbox --listen {address}");
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Error::new(&name, "nothing listens there", start),
            io::ErrorKind::InvalidData => {
                let help = "use other AWS simulators through AWS_ENDPOINT_URL, without --sandbox";
                Error::new(&name, error.to_string(), help)
            }
            _ => Error::new(&name, format!("does not respond: {error}"), start),
        }
    })?;
    printer.talk(&format!(
        "Using the sandbox at {name}: no real AWS account is used, {}.\n",
        pace(clock.speed())
    ));
    Ok(clock)
}

/// How fast a sandbox's clock runs.
fn pace(times: f64) -> String {
    match times {
        1.0 => "its clock runs in real time".into(),
        times => format!("its clock runs {times} times as fast as real time"),
    }
}

fn make_folder(file: &Path) -> Result<(), Error> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if folder.exists() {
        return Ok(());
    }
    let made = fs::create_dir_all(folder).and_then(|()| match file == Path::new(SANDBOX_FILE) {
        // The simulated passwords in it are nobody's, but a repository is no place for them either.
        true => fs::write(folder.join(".gitignore"), "*\n"),
        false => Ok(()),
    });
    made.map_err(|error| {
        Error::new(
            folder.display().to_string(),
            format!("cannot create it: {error}"),
            "use another file: --sandbox=FILE",
        )
    })
}

/// A sandbox file that cannot be used, its cause included.
pub fn sandbox_error(error: &FileError) -> Error {
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        why.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    let help = match error {
        // Their texts say what to do.
        FileError::InUse(_) | FileError::Newer { .. } => None,
        FileError::Malformed { .. } => Some("use another file: --sandbox=FILE".to_string()),
        _ => Some("use another file: --sandbox=FILE".to_string()),
    };
    Error { exit: Exit::Error, troubles: vec![Trouble { object: None, why, help }] }
}

/// Why there is no plan.
pub fn no_plan(error: PrepareError) -> Error {
    match error {
        PrepareError::Aws(failure) => {
            let help = failure.hint();
            Error::new("AWS", failure.to_string(), help)
        }
        PrepareError::Preflight(problems) => {
            let troubles = problems.into_iter().map(|problem| Trouble {
                object: Some(format!("{} [{}]", problem.what, problem.code)),
                why: problem.why,
                help: Some(problem.hint),
            });
            Error { exit: Exit::Preflight, troubles: troubles.collect() }
        }
        PrepareError::Bug(why) => {
            let help = "please report it, with the spec";
            Error::new("auroraml", format!("this is a bug: {why}"), help)
        }
    }
}
