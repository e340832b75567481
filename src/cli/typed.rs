//! From the words that were typed to the arguments, and what is said to words that are none.
//!
//! **Invariant.** An answer to a mistake never offers more than was typed: nobody who meant to look is told how to delete,
//! interrupt or confirm. That is why clap's own guesses, which go by likeness alone (`deploy` is like `destroy`), are not
//! used.

use super::args::Arguments;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Reads the words, the program's name first.
///
/// # Errors
/// Help and version texts, and what is wrong with the words.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let words = with_sandbox_files(words);
    Arguments::try_parse_from(&words).map_err(|error| advised(error, &words))
}

/// `--sandbox FILE` as `--sandbox=FILE`. The flag may also stand alone, before a spec: what follows it is taken for a
/// sandbox only if it is an address of http or its name ends in `.json`, as no spec's should.
fn with_sandbox_files(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut options = true;
    for word in words {
        match joined.last_mut() {
            Some(last) if options && last == "--sandbox" && is_sandbox(&word) => {
                last.push("=");
                last.push(word);
            }
            _ => {
                options = options && word != "--";
                joined.push(word);
            }
        }
    }
    joined
}

fn is_sandbox(word: &OsStr) -> bool {
    let is_file = Path::new(word).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = word.to_string_lossy();
    !text.starts_with('-') && (is_file || text.contains("://"))
}

/// What to say of a spec that is not there, where the word was typed behind `--sandbox` and looks like no spec.
pub fn sandbox_meant(words: impl IntoIterator<Item = OsString>, spec: &Path) -> Option<String> {
    let is_spec = spec.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let words: Vec<OsString> = words.into_iter().collect();
    let is_behind = words.windows(2).any(|pair| pair[0] == "--sandbox" && pair[1] == spec.as_os_str());
    (is_behind && !is_spec).then(|| format!("did you mean --sandbox={}?", spec.display()))
}

/// What others call our commands: Terraform, CloudFormation, the CDK, kubectl, Pulumi.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["check", "lint", "fmt", "format"], "auroraml validate SPEC"),
    (&["diff", "preview", "changes", "what-if", "refresh", "show-plan"], "auroraml plan SPEC"),
    (&["create", "deploy", "up", "update", "run", "sync", "install", "provision"], "auroraml apply SPEC"),
    (&["create-stack", "update-stack", "create-change-set", "execute-change-set"], "auroraml apply SPEC"),
    (
        &["show", "list", "ls", "get", "describe", "info", "output", "outputs", "state"],
        "auroraml status SPEC",
    ),
    (&["describe-stacks", "list-stacks", "events", "logs"], "auroraml status SPEC"),
    (&["import", "migrate"], "auroraml adopt --from-stack NAME --region REGION --out SPEC"),
    (&["stop"], "auroraml pause SPEC"),
    (&["start"], "auroraml resume SPEC"),
    (&["new", "create-spec", "generate"], "auroraml init FILE"),
    (&["test", "doctor"], "auroraml verify SPEC"),
    (&["detect-stack-drift"], "auroraml drift SPEC"),
    (&["estimate", "price", "prices", "costs", "estimate-template-cost"], "auroraml cost SPEC"),
    (&["synth", "synthesize", "template", "package"], "auroraml export SPEC"),
    (
        &["delete", "remove", "rm", "down", "uninstall", "teardown", "delete-stack"],
        "auroraml plan SPEC --destroy",
    ),
    (&["login", "signin"], "aws sso login"),
    (&["version"], "auroraml --version"),
];

/// What others call our flags, and what is done here instead.
const FLAGS: &[(&str, &str)] = &[
    ("auto-approve", ASKS),
    ("assume-yes", ASKS),
    ("force", ASKS),
    ("y", ASKS),
    ("dry-run", "`auroraml plan SPEC` shows what would change, and changes nothing"),
    ("check", "`auroraml plan SPEC` shows what would change, and changes nothing"),
    ("target", "a run always covers the whole stack: a part that changes alone needs its own spec"),
    ("f", "give the spec without a flag: auroraml COMMAND SPEC"),
    ("file", "give the spec without a flag: auroraml COMMAND SPEC"),
    ("filename", "give the spec without a flag: auroraml COMMAND SPEC"),
    ("spec", "give the spec without a flag: auroraml COMMAND SPEC"),
    ("template-file", "give the spec without a flag: auroraml COMMAND SPEC"),
    ("var", "set a variable of the spec with --set NAME=VALUE"),
    ("var-file", "set a variable of the spec with --set NAME=VALUE"),
    ("parameters", "set a variable of the spec with --set NAME=VALUE"),
    ("region", "the spec names the region: `region: us-east-1`"),
    ("stack", "the spec names the stack: `stack: NAME`"),
    ("stack-name", "the spec names the stack: `stack: NAME`"),
    ("name", "the spec names the stack: `stack: NAME`"),
    ("account", "the credentials determine the account: choose them with --profile NAME"),
    ("o", "choose the output format with --format"),
    ("output", "choose the output format with --format"),
    ("json", "write --format json"),
    ("yaml", "write --format yaml"),
    ("no-color", "write --color never"),
    ("no-colour", "write --color never"),
    ("endpoint-url", "set the variable AWS_ENDPOINT_URL, or use --sandbox=http://ADDRESS:PORT"),
    ("wait", "auroraml always waits until everything is done"),
    ("parallelism", "write --parallel N, for several stacks"),
    (
        "password",
        "do not type passwords: `password_environment_variable` in the spec names a variable that holds one",
    ),
    ("access-key", "credentials come from the AWS configuration: choose them with --profile NAME"),
];

const ASKS: &str = "the command shows its plan and asks; see its help for running without a terminal";

/// Flags that make a command do more: they are never offered to someone who typed something else.
const STRONG: [&str; 20] = [
    "--yes",
    "--now",
    "--allow",
    "--delete",
    "--sweep",
    "--unprotect",
    "--accept-pending",
    "--destroy",
    "--reset",
    "--force",
    "--leave",
    "--release",
    "--again",
    "--overwrite",
    "--unowned",
    "--all-tagged",
    "--nat",
    "--lease",
    "--plain-http",
    "--wake",
];

/// The error with our advice in place of clap's.
fn advised(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let advice = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(typed) = text(&error, ContextKind::InvalidSubcommand) else { return error };
            command(&typed, words)
        }
        ErrorKind::UnknownArgument => {
            let Some(typed) = text(&error, ContextKind::InvalidArg) else { return error };
            // Nobody typed the one letter of `-target` that clap names.
            if let Some(whole) = whole(&typed, words) {
                let name = whole.split('=').next().unwrap_or(whole);
                error.insert(ContextKind::InvalidArg, ContextValue::String(name.to_string()));
            }
            flag(&typed, words)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            // The possible values are listed anyway.
            error.remove(ContextKind::SuggestedValue);
            return error;
        }
        _ => return error,
    };
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::Suggested] {
        error.remove(kind);
    }
    if let Some(advice) = advice {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
    }
    error
}

/// Our command for the word of others.
fn called(typed: &str) -> Option<&'static (&'static [&'static str], &'static str)> {
    COMMANDS.iter().find(|(others, _)| others.iter().any(|other| other.eq_ignore_ascii_case(typed)))
}

/// What was meant by a word in a command's place.
fn command(typed: &str, words: &[OsString]) -> Option<String> {
    let ours = Arguments::command();
    let names: Vec<&str> = ours.get_subcommands().map(clap::Command::get_name).collect();
    if let Some((_, instead)) = called(typed) {
        return Some(format!("try: {instead}"));
    }
    let later = words.iter().skip(1).filter_map(|word| word.to_str()).find(|word| names.contains(word));
    let is_spec = typed.ends_with(".yaml") || typed.ends_with(".yml") || Path::new(typed).exists();
    if let (true, Some(name)) = (is_spec, later) {
        return Some(format!("the command comes first: auroraml {name} {typed}"));
    }
    if is_spec {
        return Some(format!("a command comes first, such as: auroraml plan {typed}"));
    }
    let near = near(typed, names.iter().copied());
    Some(match near {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`auroraml help` lists the commands".to_string(),
    })
}

/// What was meant by a flag.
fn flag(typed: &str, words: &[OsString]) -> Option<String> {
    let ours = Arguments::command();
    let whole = whole(typed, words);
    let word = whole.unwrap_or(typed).split('=').next().unwrap_or_default();
    let name = word.trim_start_matches('-');
    let (place, used) = used(&ours, words);
    let known = place.get_arguments().chain(ours.get_arguments()).filter_map(clap::Arg::get_long);
    let known: Vec<String> = known.map(|long| format!("--{long}")).collect();
    let place_of = |wanted: &str| {
        words.iter().position(|typed| typed.to_str().is_some_and(|text| text.starts_with(wanted)))
    };
    let comes_first = match (used.and_then(place_of), place_of(word)) {
        (Some(command), Some(flag)) => flag < command,
        (command, _) => command.is_none(),
    };
    if comes_first {
        let mut all = ours.get_subcommands().flat_map(clap::Command::get_arguments);
        if all.any(|arg| arg.get_long() == Some(name)) {
            return Some("a command's flags come after the command: auroraml COMMAND SPEC FLAGS".to_string());
        }
    }
    let long = format!("--{name}");
    if whole.is_some() && known.contains(&long) && !STRONG.contains(&long.as_str()) {
        return Some(format!("write it with two hyphens: {long}"));
    }
    if let Some((_, instead)) = FLAGS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        return Some((*instead).to_string());
    }
    if !word.starts_with('-') {
        let path = Path::new(word);
        if let Some(advice) = sandbox_meant(words.iter().cloned(), path).filter(|_| !path.exists()) {
            return Some(advice);
        }
        return Some(match used {
            Some(used) => format!("`auroraml help {used}` shows what it takes"),
            None => "`auroraml help` lists the commands".to_string(),
        });
    }
    let mild = known.iter().map(String::as_str).filter(|flag| !STRONG.contains(flag));
    let near = near(&long, mild);
    Some(match (near, used) {
        (Some(flag), _) => format!("did you mean `{flag}`?"),
        (None, Some(used)) => format!("`auroraml help {used}` lists its flags"),
        (None, None) => "`auroraml help` lists the commands".to_string(),
    })
}

/// The word with one hyphen of which clap tells one letter: the first that it does not know, after flags of ours such as the
/// `v` of `-var`.
fn whole<'w>(typed: &str, words: &'w [OsString]) -> Option<&'w str> {
    let mut letters = typed.strip_prefix('-')?.chars();
    let letter = letters.next().filter(|letter| *letter != '-' && letters.next().is_none())?;
    let flags = Arguments::command();
    let is_ours = |letter: char| flags.get_arguments().any(|arg| arg.get_short() == Some(letter));
    words.iter().filter_map(|word| word.to_str()).find(|word| {
        let cluster =
            word.strip_prefix('-').filter(|rest| rest.chars().count() > 1 && !rest.starts_with('-'));
        cluster.is_some_and(|rest| rest.chars().find(|other| !is_ours(*other)) == Some(letter))
    })
}

/// The command that was typed, and its name.
fn used<'c>(ours: &'c clap::Command, words: &[OsString]) -> (&'c clap::Command, Option<&'c str>) {
    let mut typed = words.iter().skip(1).filter_map(|word| word.to_str());
    match typed.find_map(|word| ours.find_subcommand(word)) {
        Some(command) => (command, Some(command.get_name())),
        None => (ours, None),
    }
}

/// The name that was meant: at most one slip in three letters, and one in all for a command that deletes.
pub fn near<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let typed = typed.to_lowercase();
    let letters = typed.trim_start_matches('-').chars().count();
    let allowed = |name: &str| match name {
        "destroy" => 1,
        "reap" => 0,
        _ => (letters / 3).clamp(1, 3),
    };
    names
        .map(|name| (strsim::damerau_levenshtein(&typed, name), name))
        .filter(|(distance, name)| *distance <= allowed(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, SANDBOX_FILE, SandboxAt};
    use super::*;

    fn read(line: &str) -> Arguments {
        parse(line.split(' ').map(OsString::from)).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The flag alone, before and after the spec, and with a value that is no spec.
    #[test]
    fn a_sandbox_is_told_from_a_spec() {
        let file = |name: &str| Some(SandboxAt::File(name.into()));
        let listener = Some(SandboxAt::Listener("127.0.0.1:4599".parse().unwrap()));
        for (line, sandbox) in [
            ("auroraml plan s.yaml --sandbox", file(SANDBOX_FILE)),
            ("auroraml plan --sandbox s.yaml", file(SANDBOX_FILE)),
            ("auroraml --sandbox plan s.yaml", file(SANDBOX_FILE)),
            ("auroraml plan --sandbox --quiet s.yaml", file(SANDBOX_FILE)),
            ("auroraml plan s.yaml --sandbox w.json", file("w.json")),
            ("auroraml plan --sandbox w.json s.yaml", file("w.json")),
            ("auroraml plan --sandbox a/W.JSON s.yaml", file("a/W.JSON")),
            ("auroraml --sandbox w.json plan s.yaml", file("w.json")),
            ("auroraml plan --sandbox=w s.yaml", file("w")),
            ("auroraml plan --sandbox http://localhost:4599 s.yaml", listener),
            ("auroraml plan --sandbox -- s.yaml", file(SANDBOX_FILE)),
            ("auroraml plan s.yaml", None),
        ] {
            let read = read(line);
            assert_eq!(read.global.sandbox, sandbox, "{line}");
            let Command::Plan(plan) = read.command else { panic!("{line}") };
            assert_eq!(plan.spec, Path::new("s.yaml"), "{line}");
        }
        // A folder or a pipe is a spec as well.
        for line in ["auroraml plan --sandbox specs", "auroraml plan --sandbox -"] {
            assert_eq!(read(line).global.sandbox, file(SANDBOX_FILE), "{line}");
        }
    }

    /// A word behind the flag that is neither a spec nor a file, wherever it ended up.
    #[test]
    fn a_sandbox_of_another_name_is_recognised() {
        for (line, spec, meant) in [
            ("auroraml plan --sandbox sb.db s.yaml", "sb.db", Some("did you mean --sandbox=sb.db?")),
            ("auroraml plan s.yaml --sandbox a/sb", "a/sb", Some("did you mean --sandbox=a/sb?")),
            ("auroraml plan --sandbox missing.yaml", "missing.yaml", None),
            ("auroraml plan --sandbox missing.yml", "missing.yml", None),
            ("auroraml plan s.yaml sb.db --sandbox", "sb.db", None),
        ] {
            let words = line.split(' ').map(OsString::from);
            assert_eq!(sandbox_meant(words, Path::new(spec)).as_deref(), meant, "{line}");
        }
        let line = "auroraml status s.yaml --sandbox sb.db";
        let error = parse(line.split(' ').map(OsString::from)).unwrap_err().to_string();
        assert!(error.contains("did you mean --sandbox=sb.db?"), "{error}");
    }

    /// Whatever is typed, no answer names what is stronger than it.
    #[test]
    fn no_slip_is_answered_with_something_stronger() {
        let strong = |text: &str| {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-'));
            words.filter(|word| STRONG.contains(word) || matches!(*word, "destroy" | "reap")).count()
        };
        let ours = Arguments::command();
        let names: Vec<&str> = ours.get_subcommands().map(clap::Command::get_name).collect();
        let mut slips: Vec<String> =
            COMMANDS.iter().flat_map(|(others, _)| others.iter().map(ToString::to_string)).collect();
        for name in names.iter().filter(|name| !matches!(**name, "destroy" | "reap")) {
            for at in 0..name.len() {
                slips.push(format!("{}{}", &name[..at], &name[at + 1..]));
                slips.push(format!("{}x{}", &name[..at], &name[at + 1..]));
            }
        }
        let mut count = 0;
        for slip in slips {
            for line in [format!("auroraml {slip} s.yaml"), format!("auroraml plan s.yaml --{slip}")] {
                let Err(error) = parse(line.split(' ').map(OsString::from)) else { continue };
                let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) else {
                    continue;
                };
                let tips: String = tips.iter().map(ToString::to_string).collect();
                // To look at what a deletion would do deletes nothing.
                let harmless = tips.replace("plan SPEC --destroy", "");
                assert_eq!(strong(&harmless), 0, "{line}: {tips}");
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn slips_are_understood() {
        for (line, expected) in [
            ("auroraml aply s.yaml", "did you mean `apply`?"),
            ("auroraml destory s.yaml", "did you mean `destroy`?"),
            ("auroraml deploy s.yaml", "try: auroraml apply SPEC"),
            ("auroraml delete s.yaml", "try: auroraml plan SPEC --destroy"),
            ("auroraml churn.yaml plan", "the command comes first: auroraml plan churn.yaml"),
            ("auroraml apply s.yaml --auto-approve", ASKS),
            ("auroraml apply s.yaml -auto-approve", ASKS),
            ("auroraml plan -out=p.json s.yaml", "write it with two hyphens: --out"),
            ("auroraml apply -f s.yaml", "give the spec without a flag"),
            ("auroraml plan s.yaml -var stage=prod", "unexpected argument '-var' found"),
            ("auroraml plan s.yaml -var stage=prod", "set a variable of the spec with --set NAME=VALUE"),
            (
                "auroraml plan s.yaml -var-file=prod.tfvars",
                "set a variable of the spec with --set NAME=VALUE",
            ),
            ("auroraml plan s.yaml -vx", "unexpected argument '-vx' found"),
            ("auroraml plan s.yaml -detailed-exitcode", "write it with two hyphens: --detailed-exitcode"),
            ("auroraml fmt s.yaml", "try: auroraml validate SPEC"),
            ("auroraml delete-stack s.yaml", "try: auroraml plan SPEC --destroy"),
            ("auroraml apply s.yaml --dry-run", "`auroraml plan SPEC` shows"),
            ("auroraml plan s.yaml --formt json", "did you mean `--format`?"),
            ("auroraml --detailed-exitcode plan s.yaml", "a command's flags come after"),
            ("auroraml plan s.yaml --banana", "`auroraml help plan` lists its flags"),
        ] {
            let error = parse(line.split(' ').map(OsString::from)).unwrap_err();
            assert!(error.to_string().contains(expected), "{line}: {error}");
        }
    }
}
