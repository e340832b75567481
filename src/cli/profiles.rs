//! The names of the profiles in the AWS configuration, for what is said about one that is missing or has half of a key. The SDK
//! alone reads what is in them.

use super::exit::Error;
use super::variable;
use std::env;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Bytes of one file that are looked at.
const READ_MAX: u64 = 1 << 20;
/// Names that one message lists.
const SHOWN_MAX: usize = 6;

/// Sections of the two files (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).
#[derive(Debug, Default, PartialEq)]
pub struct Profiles {
    pub names: Vec<String>,
    /// Sections of the config file that would be profiles if `profile` stood before their name; AWS's tools skip them.
    bare: Vec<String>,
}

/// What is said about a profile that is there and has nothing to sign with.
pub fn without_credentials(name: &str) -> Error {
    let why = format!("profile `{name}` has no credentials: no keys, SSO or role");
    let help = format!(
        "set it up (aws configure sso --profile {name}, or aws configure --profile {name} for keys), choose another with \
         --profile, or try it without AWS: --sandbox"
    );
    Error::new("AWS", why, help)
}

/// The profile that was chosen: by the flag, else by the environment.
pub fn chosen(flag: Option<&str>) -> Option<String> {
    flag.map(str::to_string).or_else(|| variable("AWS_PROFILE"))
}

/// How a person calls one of the files: by the variable's value, where one is set
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>).
fn place(name: &str, usual: &str) -> String {
    variable(name).unwrap_or_else(|| usual.to_string())
}

fn config() -> String {
    place("AWS_CONFIG_FILE", "~/.aws/config")
}

pub fn credentials() -> String {
    place("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
}

fn read(place: &str) -> String {
    let path = match (place.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(place),
    };
    let mut bytes = Vec::new();
    // What cannot be read has no names; why it cannot is the SDK's to say.
    let _ = File::open(path).and_then(|file| file.take(READ_MAX).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Profiles {
    pub fn read() -> Profiles {
        Profiles::of(&read(&config()), &read(&credentials()))
    }

    fn of(config: &str, credentials: &str) -> Profiles {
        let mut all = Profiles::default();
        for section in sections(config) {
            match section.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])) {
                Some(name) => all.names.push(name.trim().trim_matches('"').to_string()),
                None if section == "default" => all.names.push(section.to_string()),
                None => all.bare.push(section.to_string()),
            }
        }
        all.names.extend(sections(credentials).map(str::to_string));
        all.names.sort();
        all.names.dedup();
        all
    }

    /// What is said about a profile that is in neither file, and what to do.
    pub fn without(&self, name: &str) -> (String, String) {
        let why = format!("profile `{name}` not found in {} or {}", config(), credentials());
        let near = super::typed::near(name, self.names.iter().map(String::as_str));
        let help = match near {
            _ if self.bare.iter().any(|bare| bare == name) => {
                format!("write [profile {name}] instead of [{name}] in {}", config())
            }
            Some(near) => format!("did you mean `{near}`?"),
            None if self.names.is_empty() => {
                format!(
                    "create it with `aws configure sso --profile {name}`, or try it without AWS: --sandbox"
                )
            }
            None if self.names.len() > SHOWN_MAX => {
                "`aws configure list-profiles` lists them; choose one with --profile".to_string()
            }
            None => format!("choose one of these with --profile: {}", self.names.join(", ")),
        };
        (why, help)
    }
}

/// What stands in brackets at the beginnings of lines.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| Some(line.trim().strip_prefix('[')?.split_once(']')?.0.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_as_aws_reads_them() {
        let config = "[default]\nregion = us-east-1\n[profile dev]\nsso_session = acme\n [ profile \"stage eu\" ] # ours\n\
                      [sso-session acme]\nsso_region = us-east-1\n[prod]\n; [profile gone]\n[profiles]\n[profile unfinished\n";
        let all = Profiles::of(config, "[dev]\naws_access_key_id = AKIA\n[ops]\n");
        assert_eq!(all.names, ["default", "dev", "ops", "stage eu"]);
        assert_eq!(all.bare, ["sso-session acme", "prod", "profiles"]);
    }

    #[test]
    fn a_missing_profile_is_answered_with_what_there_is() {
        let all = |names: &[&str]| Profiles {
            names: names.iter().map(|name| (*name).to_string()).collect(),
            bare: vec!["prod".into()],
        };
        for (profiles, name, help) in [
            (all(&["dev"]), "devv", "did you mean `dev`?"),
            (all(&["dev"]), "prod", "write [profile prod] instead of [prod]"),
            (all(&["dev", "ops"]), "customer", "choose one of these with --profile: dev, ops"),
            (all(&[]), "customer", "aws configure sso --profile customer"),
            (all(&["a", "b", "c", "d", "e", "f", "g"]), "customer", "aws configure list-profiles"),
        ] {
            let (why, told) = profiles.without(name);
            assert!(why.starts_with(&format!("profile `{name}` not found in ")), "{why}");
            assert!(told.contains(help), "{told}");
        }
    }
}
