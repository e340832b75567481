//! README and docs, as a reader follows them: every command of their shell blocks, as it stands there, the blocks of a
//! page in one shell, in a folder with the specs in it.
//!
//! Three things are not the reader's. `auroraml` and `cargo run --` add what a reader would do: work in the sandbox where
//! the page means AWS, without waiting, and say yes where a person is asked. `aws` asks the same simulated account, which
//! is served for as long as one command takes. Port 4599 is a free one, since tests run side by side.
//!
//! What cannot be run so stands in `table`, with the reason. The output of a `console` block is held against the page as
//! well: `…` on a line of its own stands for lines that are left out, at the end of a line for the rest of it.
//! `UPDATE=1` writes the output anew where it differs, and leaves out what was left out.

mod quoted;
mod table;

use crate::sandbox_server::command_line;
use crate::support::{skipped, stopwatch};
use quoted::Quote;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use table::{Mark, PAGES, Page};

/// The longest that a page may take; alone they take some seconds.
const LIMIT: Duration = Duration::from_secs(400);

/// A fenced block of a page.
struct Block {
    language: String,
    /// Its lines with their numbers, from 1.
    lines: Vec<(usize, String)>,
}

/// A command of a page.
struct Typed {
    line: usize,
    text: String,
    /// What a `console` block shows under it.
    quote: Option<Quote>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(page.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language: language.into(), lines: Vec::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.lines.push((number, line.to_string())),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// The commands of a block; a line that ends with `\` goes on.
fn typed(block: &Block) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut goes_on = false;
    for (line, text) in &block.lines {
        let start = match block.language.as_str() {
            "sh" => Some(text.as_str()).filter(|text| !text.trim().is_empty()),
            "console" => text.strip_prefix("$ "),
            _ => return Vec::new(),
        };
        match (goes_on, start) {
            (true, _) => {
                let last = commands.last_mut().unwrap();
                write!(last.text, "\n{text}").unwrap();
            }
            (false, Some(text)) => {
                let quote = (block.language == "console").then(Quote::default);
                commands.push(Typed { line: *line, text: text.to_string(), quote });
            }
            (false, None) => {
                let Some(last) = commands.last_mut() else { continue };
                last.quote.iter_mut().for_each(|quote| quote.lines.push((*line, text.clone())));
            }
        }
        goes_on = (goes_on || start.is_some()) && text.ends_with('\\');
    }
    commands
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(entry.file_name().unwrap());
        match entry.is_dir() {
            true => copy(&entry, &to),
            false => drop(fs::copy(&entry, &to).unwrap()),
        }
    }
}

/// `auroraml` as a reader has it, who has a simulated account in the place of a real one.
const AURORAML: &str = r#"#!/usr/bin/env bash
set -u
where=(--sandbox --sandbox-speed max) yes=()
case "${1-} " in
  "apply "|"destroy "|"pause "|"resume "|"reap "|"adopt ") yes=(--yes) ;;
esac
for word in "$@"; do
  case "$word" in
    --sandbox=http:*) where=() ;;
    --sandbox|--sandbox=*) where=(--sandbox-speed max) ;;
    --yes|--dry-run|--from-stack) yes=() ;;
  esac
done
[ "${1-}" != sandbox ] || where=()
exec REAL "$@" "${yes[@]}" "${where[@]}"
"#;

/// `cargo run -- …` without compiling.
const CARGO: &str = r#"#!/usr/bin/env bash
[ "$1 $2" = "run --" ] || { echo "the pages only run with cargo: $*" >&2; exit 1; }
shift 2
exec auroraml "$@"
"#;

/// `aws`, on the simulated account of this folder.
const AWS: &str = r#"#!/usr/bin/env bash
set -u
PATH=AWS_PATH
case " $* " in *" --endpoint-url "*) exec aws "$@" ;; esac
served=$(mktemp)
REAL sandbox --listen 127.0.0.1:0 --sandbox --sandbox-speed 100 > "$served" 2> /dev/null &
listener=$!
for _ in $(seq 1 200); do grep -q REGION "$served" && break; sleep 0.05; done
. "$served"
export AWS_REGION="${AWS_DEFAULT_REGION}"
aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
code=$?
kill -INT $listener
wait $listener
exit $code
"#;

/// The n-th block of `yaml` of the page.
const YAML: &str = r#"yaml() { awk -v n="$1" '
  /^```/ { if (inside) { inside = 0; wanted = 0 } else { inside = 1; if ($0 == "```yaml" && ++k == n) wanted = 1 }; next }
  wanted' "$REPOSITORY/$PAGE"; }
"#;

/// A folder with what a reader has: the specs, the templates and the program.
struct Reader {
    folder: tempfile::TempDir,
    path: std::ffi::OsString,
    has_aws: bool,
}

impl Reader {
    fn new() -> Reader {
        let folder = tempfile::tempdir().unwrap();
        for name in ["specs", "templates"] {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &folder.path().join(name));
        }
        let at_hand = command_line();
        let has_aws = at_hand.is_some();
        let path = at_hand.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
        let bin = folder.path().join(".bin");
        fs::create_dir_all(folder.path().join(".said")).unwrap();
        fs::create_dir(&bin).unwrap();
        let real = env!("CARGO_BIN_EXE_auroraml");
        for (name, script) in [("auroraml", AURORAML), ("cargo", CARGO), ("aws", AWS)] {
            let script = script
                .replace("REAL", &format!("'{real}'"))
                .replace("AWS_PATH", &format!("'{}'", path.display()));
            fs::write(bin.join(name), script).unwrap();
            executable(&bin.join(name));
        }
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).unwrap();
        Reader { folder, path, has_aws }
    }

    fn said(&self, line: usize) -> PathBuf {
        self.folder.path().join(".said").join(line.to_string())
    }

    fn bash(&self, page: &str, script: &str) -> Child {
        let mut command = Command::new("bash");
        command.args(["-eu", "-c", script]).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("PAGE", page)
            .env("PATH", &self.path)
            .env("HOME", self.folder.path())
            .env("SAID", self.folder.path().join(".said"))
            .env("REPOSITORY", env!("CARGO_MANIFEST_DIR"))
            .env("LC_ALL", "C.UTF-8")
            .env("AWS_PAGER", "")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1");
        command.spawn().unwrap()
    }
}

#[cfg(unix)]
fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the shell does for one command: it keeps what is printed, and stops the page at another exit code.
fn step(page: &Page, typed: &Typed, used: &mut BTreeSet<&'static str>) -> String {
    let (line, text) = (typed.line, &typed.text);
    let mut told = format!("== {}:{line} $ {text}", page.name);
    let (mut code, mut before, mut runs_beside) = (0, String::new(), false);
    for mark in page.marks.iter().filter(|mark| mark.is_on(text)) {
        used.insert(mark.start());
        match mark {
            Mark::Skipped { why, .. } => {
                return format!("echo {}\n", quote(&format!("{told} (not run: {why})")));
            }
            Mark::Ends { with, why, .. } => {
                code = *with;
                write!(told, " (ends with {with}: {why})").unwrap();
            }
            Mark::After { setup, why, .. } => {
                before = format!("{{ {setup}\n}} > $SAID/before 2>&1 || {{ cat $SAID/before; exit 1; }}\n");
                write!(told, " (before it: {why})").unwrap();
            }
            Mark::Beside { .. } => runs_beside = true,
        }
    }
    let told = quote(&told);
    if runs_beside {
        return format!(
            "echo {told}\n{before}{text} > $SAID/{line} 2>&1 &\nbeside=$! at={line}\n\
             for _ in $(seq 1 400); do grep -q export $SAID/{line} && break; sleep 0.05; done\n"
        );
    }
    format!(
        "echo {told}\n{before}set +e\n{{ {text}\n}} > $SAID/{line} 2>&1 < /dev/null; code=$?\nset -e\ncat $SAID/{line}\n\
         [ $code = {code} ] || {{ echo \"exit code $code, not {code}\"; [ -z \"${{at-}}\" ] || cat $SAID/$at; exit 1; }}\n"
    )
}

/// What our `auroraml` has added to the commands that the real one suggests.
fn added(text: &str) -> &'static str {
    if text.contains(" --sandbox") { " --sandbox-speed max" } else { " --sandbox --sandbox-speed max" }
}

/// For a shell, in single quotes.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The page as a script, and its commands, as far as the AWS CLI is there for them.
fn script(page: &Page, text: &str, has_aws: bool) -> (String, Vec<Typed>) {
    let mut used = BTreeSet::new();
    let mut script = String::from("trap 'kill -INT ${beside-} 2> /dev/null || true' EXIT\n");
    writeln!(script, "{YAML}{}", page.before).unwrap();
    let mut commands = Vec::new();
    for typed in blocks(text).iter().flat_map(typed) {
        let at = format!("{} line {}", page.name, typed.line);
        let sets_up = |mark: &Mark| matches!(mark, Mark::After { setup, .. } if mark.is_on(&typed.text) && setup.contains("aws "));
        if !has_aws && page.marks.iter().any(sets_up) {
            skipped(&format!("there is no AWS CLI: {at} and what follows"));
            return (script, commands);
        }
        if !has_aws && typed.text.starts_with("aws ") {
            skipped(&format!("there is no AWS CLI: {at}"));
            continue;
        }
        script += &step(page, &typed, &mut used);
        commands.push(typed);
    }
    let unused = page.marks.iter().map(Mark::start).filter(|start| !used.contains(start));
    let unused: Vec<&str> = unused.collect();
    assert!(!has_aws || unused.is_empty(), "{} has no such commands any more: {unused:?}", page.name);
    (script, commands)
}

#[expect(clippy::disallowed_methods, reason = "other processes take real time")]
fn finish(mut child: Child, name: &str) {
    let begun = stopwatch();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > LIMIT => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{name} takes longer than {LIMIT:?}");
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    assert!(status.success(), "a command of {name} does not work as it stands there: see above");
}

fn follow(name: &str) {
    let page = PAGES.iter().find(|page| page.name == name).unwrap();
    let text = read(name);
    let reader = Reader::new();
    if !reader.has_aws && page.before.contains("aws ") {
        return skipped(&format!("there is no AWS CLI: {name}"));
    }
    let (script, commands) = script(page, &text, reader.has_aws);
    finish(reader.bash(name, &script.replace("4599", &free_port().to_string())), name);
    let mut wrong = Vec::new();
    for typed in &commands {
        let Some(quote) = &typed.quote else { continue };
        let said = fs::read_to_string(reader.said(typed.line)).unwrap();
        if let Err(anew) = quote.compare(&said.replace(added(&typed.text), "")) {
            println!(
                "{name}:{} shows something else than\n{said}\nsuch as\n{}\n",
                typed.line,
                anew.join("\n")
            );
            wrong.push((typed, anew));
        }
    }
    if std::env::var_os("UPDATE").is_some() && !wrong.is_empty() {
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        for (typed, anew) in wrong.iter().rev() {
            let quoted = typed.quote.as_ref().map_or(0, |quote| quote.lines.len());
            let begin = typed.line + typed.text.lines().count() - 1;
            lines.splice(begin..begin + quoted, anew.iter().cloned());
        }
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), lines.join("\n") + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{name} is not fresh: run with UPDATE=1");
}

/// A test for each page.
macro_rules! pages {
    ($($test:ident $name:literal,)*) => {
        $(#[cfg(unix)]
        #[test]
        fn $test() {
            follow($name);
        })*

        /// Every page is followed, and a command can only stand where it is found.
        #[test]
        fn every_page_is_followed() {
            let followed = BTreeSet::from([$($name),*]);
            let table: BTreeSet<&str> = PAGES.iter().map(|page| page.name).collect();
            assert_eq!(followed, table);
            let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
            let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
            let names = docs.filter(|name| name.ends_with(".md")).chain(["README.md".into()]);
            for name in names {
                let text = read(&name);
                let commands: usize = blocks(&text).iter().map(|block| typed(block).len()).sum();
                assert_eq!(commands > 0, followed.contains(name.as_str()), "{name}: {commands} commands");
                stands_in_a_shell_block(&name, &text);
            }
        }
    };
}

pages! {
    the_readme_works "README.md",
    cloudformation_works "docs/cloudformation.md",
    costs_work "docs/costs.md",
    drift_works "docs/drift.md",
    fleets_work "docs/fleet.md",
    pipelines_work "docs/gitops.md",
    pictures_work "docs/pages.md",
    permissions_work "docs/policy.md",
    restarts_work "docs/restarts.md",
    runs_work "docs/runs.md",
    sql_works "docs/sql.md",
    stopping_to_pay_works "docs/stop-paying.md",
    troubleshooting_works "docs/troubleshooting.md",
    the_tutorial_works "docs/tutorial.md",
    verify_works "docs/verify.md",
}

/// A block has a language, so that no command hides in one without; nothing is indented instead. Shells of macOS pass a
/// comment on as arguments when it is typed, and its `sed` wants a name after `-i`.
fn stands_in_a_shell_block(name: &str, text: &str) {
    let mut in_block = false;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(language) = line.strip_prefix("```") {
            in_block = !in_block;
            assert!(!in_block || !language.is_empty(), "{name}:{number}: a block of which language?");
        } else if !in_block {
            let code = line.strip_prefix("    ").unwrap_or_default().trim_start();
            let is_command =
                ["auroraml ", "cargo ", "aws ", "$ "].iter().any(|start| code.starts_with(start));
            assert!(!is_command, "{name}:{number}: put it in a block");
        }
    }
    for block in blocks(text) {
        for (number, line) in &block.lines {
            let is_command =
                line.starts_with("auroraml ") || line.starts_with("$ ") || line.starts_with("aws ");
            let is_shell = ["sh", "console"].contains(&block.language.as_str());
            assert!(is_shell || !is_command, "{name}:{number}: a command in a block of {}", block.language);
        }
        for typed in typed(&block) {
            assert!(!typed.text.contains(" #"), "{name}:{}: a comment behind a command", typed.line);
            assert!(!typed.text.trim_start().starts_with('#'), "{name}:{}: a comment", typed.line);
            assert!(!typed.text.contains("sed -i "), "{name}:{}: not on macOS", typed.line);
        }
    }
}
