//! Commands for a person to type next. Each carries the flags that were given, so that it means the same
//! account, the same sandbox and the same limits as the command that suggests it.

use super::args::{
    AllowArgument, Apply, Arguments, Color, Destroy, Global, Init, Plan, SANDBOX_FILE, SandboxAt, Speed,
    Terms,
};
use super::fleet::Several;
use clap::{CommandFactory, ValueEnum};
use std::path::Path;

/// What a spec from stdin is called.
pub const STDIN: &str = "-";

/// `auroraml`, a command's words, and the global flags that were given, quoted for a shell.
pub fn command(words: impl IntoIterator<Item = String>, global: &Global) -> String {
    let words = words.into_iter().chain(global_flags(global));
    std::iter::once("auroraml".to_string())
        .chain(words.map(|word| quoted(&word)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The flags that were given for every command, but for `--quiet`: it was for that command, and the next one is to be seen.
fn global_flags(global: &Global) -> Vec<String> {
    let Global {
        sandbox,
        sandbox_speed,
        sandbox_seed,
        enforce_policy,
        profile,
        plain_http,
        set,
        color,
        quiet: _,
        verbose,
    } = global;
    let mut flags = Vec::new();
    match sandbox {
        None => {}
        Some(SandboxAt::File(file)) if file == Path::new(SANDBOX_FILE) => flags.push("--sandbox".into()),
        Some(SandboxAt::File(file)) => flags.push(format!("--sandbox={}", file.display())),
        Some(SandboxAt::Listener(address)) => flags.push(format!("--sandbox=http://{address}")),
    }
    match sandbox_speed {
        None => {}
        Some(Speed::Max) => flags.extend(["--sandbox-speed".into(), "max".into()]),
        Some(Speed::Times(times)) => flags.extend(["--sandbox-speed".into(), times.to_string()]),
    }
    // The seed is for a new sandbox, and by now there is one.
    let _ = sandbox_seed;
    for file in enforce_policy {
        flags.extend(path("--enforce-policy", Some(file)));
    }
    if let Some(profile) = profile {
        flags.extend(["--profile".into(), profile.clone()]);
    }
    if let Some(host) = plain_http {
        flags.extend(["--plain-http".into(), host.clone()]);
    }
    for (name, value) in set {
        flags.extend(["--set".into(), format!("{name}={value}")]);
    }
    if *color != Color::Auto {
        flags.extend(["--color".into(), name(color)]);
    }
    if *verbose {
        flags.push("--verbose".into());
    }
    flags
}

/// The flags about interruptions that were given.
pub fn terms(terms: &Terms) -> Vec<String> {
    let Terms { allow, now, accept_pending, delete } = terms;
    let mut flags = Vec::new();
    if let Some(allow) = allow {
        flags.extend(["--allow".into(), name(allow)]);
    }
    if *now {
        flags.push("--now".into());
    }
    if *accept_pending {
        flags.push("--accept-pending".into());
    }
    for id in delete {
        flags.extend(["--delete".into(), id.clone()]);
    }
    flags
}

fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
}

/// The spec, for a line to type next: what came from stdin is there no more.
pub fn spec(path: &Path) -> String {
    if path == Path::new(STDIN) { "SPEC".into() } else { path.display().to_string() }
}

pub fn path(flag: &str, file: Option<&Path>) -> Vec<String> {
    file.map(|file| vec![flag.to_string(), file.display().to_string()]).unwrap_or_default()
}

impl Apply {
    /// The words with which it was typed.
    pub fn words(&self) -> Vec<String> {
        let Apply { spec, several, yes, plan, events, sets, terms: limits, together, page } = self;
        let Several { more, parallel } = several;
        let mut words = vec!["apply".into(), spec.display().to_string()];
        words.extend(more.iter().map(|spec| spec.display().to_string()));
        if *parallel != Several::default().parallel {
            words.extend(["--parallel".into(), parallel.to_string()]);
        }
        words.extend(path("--plan", plan.as_deref()));
        words.extend(path("--events", events.as_deref()));
        words.extend(sets.change_sets.then(|| "--change-sets".into()));
        words.extend(terms(limits));
        words.extend(together.words());
        words.extend(page.words());
        words.extend(yes.then(|| "--yes".into()));
        words
    }
}

impl Destroy {
    /// The words with which it was typed.
    pub fn words(&self) -> Vec<String> {
        let Destroy { spec, without, yes, unprotect, plan, events, terms: limits, together, page } = self;
        let mut words: Vec<String> = vec!["destroy".into()];
        words.extend(without.all_tagged.is_none().then(|| spec.display().to_string()));
        words.extend(without.words());
        words.extend(unprotect.then(|| "--unprotect".into()));
        words.extend(path("--plan", plan.as_deref()));
        words.extend(path("--events", events.as_deref()));
        words.extend(terms(limits));
        words.extend(together.words());
        words.extend(page.words());
        words.extend(yes.then(|| "--yes".into()));
        words
    }
}

impl Plan {
    /// The words that carry the saved plan out.
    pub fn carry_out(&self, saved: &Path) -> Vec<String> {
        let command = if self.destroy { "destroy" } else { "apply" };
        let mut words = vec![command.into(), spec(&self.spec)];
        words.extend(self.unprotect.then(|| "--unprotect".into()));
        words.extend(path("--plan", Some(saved)));
        words.extend(self.sets.change_sets.then(|| "--change-sets".into()));
        words.extend(terms(&self.terms));
        words
    }
}

impl Init {
    /// The words that show what the new spec comes to.
    pub fn plan(&self) -> Vec<String> {
        vec!["plan".into(), self.file.display().to_string()]
    }
}

/// The words that save the plan of an apply or a destroy, and those that carry the saved plan out. `None` of a command that
/// has no such plan, or was given one already.
pub fn reviewed(typed: &[String]) -> Option<[Vec<String>; 2]> {
    let ours = Arguments::command();
    let (name, words) = typed.split_first()?;
    let (own, plan) = (ours.find_subcommand(name)?, ours.find_subcommand("plan")?);
    // No plan says what a sweep takes along, and no command can read stdin twice.
    let has_none = |word: &String| ["--plan", "--all-tagged", "--sweep", STDIN].contains(&word.as_str());
    if !matches!(name.as_str(), "apply" | "destroy") || words.iter().any(has_none) {
        return None;
    }
    let mut look = vec!["plan".to_string()];
    let mut specs: Vec<&String> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(flag) = word.strip_prefix("--") else {
            specs.push(word);
            look.push(word.clone());
            continue;
        };
        let argument = |command: &clap::Command| {
            command.get_arguments().find(|arg| arg.get_long() == Some(flag)).cloned()
        };
        let takes_value = argument(own).is_some_and(|arg| arg.get_action().takes_values());
        let value = if takes_value { rest.next() } else { None };
        // A page is of the run.
        if flag != "html" && argument(plan).is_some() {
            look.push(word.clone());
            look.extend(value.cloned());
        }
    }
    let is_several = specs.len() > 1 || specs.first().is_some_and(|spec| Path::new(spec).is_dir());
    let saved = if is_several { "plans" } else { "plan.json" };
    if name == "destroy" {
        look.push("--destroy".into());
    }
    look.extend(["--out".into(), saved.into()]);
    let carry_out = typed.iter().cloned().chain(["--plan".into(), saved.into()]);
    Some([look, carry_out.collect()])
}

/// What `words` become with another limit.
pub fn allowing(mut words: Vec<String>, allow: AllowArgument) -> Vec<String> {
    if let Some(at) = words.iter().position(|word| word == "--allow") {
        words.drain(at..at + 2);
    }
    words.extend(["--allow".into(), name(&allow)]);
    words
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+~".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Command;
    use clap::Parser;

    /// What a line says when it is typed, and what the hint made of that says when it is typed.
    fn again(line: &str) -> (String, String) {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' ')).expect(line);
        let hint = |arguments: &Arguments| {
            let words = match &arguments.command {
                Command::Apply(apply) => apply.words(),
                Command::Destroy(destroy) => destroy.words(),
                _ => unreachable!("the lines are of these two"),
            };
            command(words, &arguments.global)
        };
        let typed = parse(line);
        let hinted = parse(&hint(&typed));
        // A seed says nothing once the sandbox is there.
        let shown = |arguments: &Arguments| {
            format!("{arguments:?}").replace("sandbox_seed: Some(7)", "sandbox_seed: None")
        };
        (shown(&typed), shown(&hinted))
    }

    #[test]
    fn a_hint_means_what_was_typed() {
        let global = "--sandbox=w.json --sandbox-speed 3.5 --sandbox-seed 7 --profile dev --plain-http emulator --set stage=prod --set class=db.r6g.large --color never --verbose";
        let limits = "--allow failover --now --accept-pending --events e.jsonl --yes";
        for line in [
            format!("auroraml apply s.yaml --plan p.json {limits} {global}"),
            format!("auroraml destroy s.yaml --unprotect {limits} {global}"),
            "auroraml apply s.yaml --sandbox --sandbox-speed max".into(),
            "auroraml apply s.yaml --sandbox=http://127.0.0.1:4599".into(),
            "auroraml destroy s.yaml".into(),
            "auroraml apply s.yaml --change-sets".into(),
            "auroraml apply s.yaml more/ --parallel 8 --set stage=prod".into(),
        ] {
            let (typed, hinted) = again(&line);
            assert_eq!(typed, hinted, "{line}");
        }
    }

    #[test]
    fn no_hint_is_quiet() {
        for flag in ["--quiet", "-q"] {
            let typed = Arguments::try_parse_from(["auroraml", "plan", "s.yaml", "--sandbox", flag]).unwrap();
            assert!(typed.global.quiet);
            let hinted = command(["verify".to_string(), "s.yaml".into()], &typed.global);
            assert_eq!(hinted, "auroraml verify s.yaml --sandbox");
        }
    }

    #[test]
    fn a_limit_takes_the_place_of_another() {
        let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
        let allowed = allowing(words("apply s.yaml --allow none --now"), AllowArgument::Restart);
        assert_eq!(allowed, words("apply s.yaml --now --allow restart"));
    }

    #[test]
    fn a_review_is_of_what_was_typed() {
        let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
        for (typed, plan) in [
            ("apply s.yaml", "plan s.yaml --out plan.json"),
            (
                "apply s.yaml more.yaml --parallel 8 --change-sets --allow failover --now --lease none",
                "plan s.yaml more.yaml --parallel 8 --change-sets --allow failover --now --out plans",
            ),
            (
                "destroy s.yaml --unprotect --delete notebook.main --events e.jsonl --audit a.jsonl --html p.html",
                "plan s.yaml --unprotect --delete notebook.main --destroy --out plan.json",
            ),
        ] {
            let [look, carry_out] = reviewed(&words(typed)).expect(typed);
            assert_eq!(look.join(" "), plan, "{typed}");
            let saved = plan.rsplit(' ').next().unwrap_or_default();
            assert_eq!(carry_out.join(" "), format!("{typed} --plan {saved}"));
            for line in [look, carry_out] {
                let line: Vec<String> = std::iter::once("auroraml".into()).chain(line).collect();
                Arguments::try_parse_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            }
        }
        for line in [
            "apply s.yaml --plan p.json",
            "apply -",
            "destroy s.yaml --sweep",
            "destroy --all-tagged shop --region us-east-1",
            "pause s.yaml",
            "reap --region us-east-1",
        ] {
            assert!(reviewed(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn a_shell_takes_a_hint_as_it_is_meant() {
        for word in ["plain.yaml", "with space", "it's", "$HOME", "", "a;b", "ümlaut"] {
            let line = format!("printf %s {}", quoted(word));
            let out = std::process::Command::new("sh").args(["-c", &line]).output().expect("sh");
            assert_eq!(String::from_utf8_lossy(&out.stdout), word);
        }
    }
}
