//! Why AWS does not know who we are, or cannot be reached, in a person's words. The SDK tells it as a chain of
//! causes in which one phrase matters; the phrases are those of aws-config 1.x.

use super::exit::Error;
use super::profiles::{self, Profiles};
use auroraml::aws::{Class, Failure, last_cause};

/// What is told about the first request that failed. `endpoint`: the URL that takes AWS's place, if one does.
pub fn no_connection(failure: &Failure, endpoint: Option<&str>, profile: Option<&str>) -> Error {
    let message = failure.message.as_str();
    let where_to = endpoint.unwrap_or("AWS");
    if let Some(url) = between(message, "failed to apply endpoint `", "`") {
        let cause = message.rsplit(": ").next().unwrap_or_default();
        let help = "set AWS_ENDPOINT_URL, or endpoint_url in the AWS configuration, to https://HOST";
        return Error::new("AWS", format!("`{url}` is not an endpoint URL: {cause}"), help);
    }
    if failure.code == "NotSent" {
        return no_credentials(message, profile);
    }
    if message.contains("client error (Connect)") {
        let why = format!("cannot connect: {}", last_cause(message));
        let help = match endpoint {
            Some(_) => {
                "start the service there, or unset AWS_ENDPOINT_URL (or endpoint_url in the AWS configuration)"
            }
            None => "check your network, proxy and VPN, then run the command again",
        };
        return Error::new(where_to, why, help);
    }
    if failure.code == "auroraml" {
        return Error::new("AWS", failure.to_string(), "nothing was changed");
    }
    let help = match failure.class {
        Class::Denied => "sign in again (aws sso login), or choose another profile with --profile",
        Class::Ambiguous => "check your network and AWS_ENDPOINT_URL, then run the command again",
        _ => {
            "check your AWS configuration with `aws sts get-caller-identity`, or try it without AWS: --sandbox"
        }
    };
    Error::new("AWS", failure.to_string(), help)
}

/// The request was never sent, because there was nothing to sign it with. `flag`: the profile that `--profile` names.
fn no_credentials(message: &str, flag: Option<&str>) -> Error {
    let (profiles, chosen) = (Profiles::read(), profiles::chosen(flag));
    // The SDK names a profile that is missing, which may be the source of another. Where the files have none at all it goes on
    // without saying so.
    let unknown = || chosen.clone().filter(|name| !profiles.names.contains(name));
    let undefined = between(message, "profile `", "` was not defined").map(str::to_string);
    if let Some(name) = undefined.or_else(unknown) {
        let (why, help) = profiles.without(&name);
        return Error::new("AWS", why, help);
    }
    let (of, sign_in) = match &chosen {
        Some(name) => (format!(" of profile `{name}`"), format!("aws sso login --profile {name}")),
        None => (String::new(), "aws sso login".to_string()),
    };
    if message.contains("SSO token") || message.contains("access token") {
        let why = format!("the SSO session{of} has expired or does not exist");
        return Error::new("AWS", why, format!("sign in: {sign_in}"));
    }
    if let Some(half) = half_of_a_key(message, flag) {
        return half;
    }
    // A profile that names this one for its own keys.
    if let Some(source) = between(message, "profile `", "` did not contain credential information") {
        return profiles::without_credentials(source);
    }
    // Off AWS the last of the chain asks an instance metadata service that is not there; of a profile that the flag names
    // there is no chain.
    let of_the_chain = ["no credentials found in chain", "IMDS", "the credential provider was not enabled"];
    if of_the_chain.iter().any(|part| message.contains(part)) {
        return match &chosen {
            Some(name) => profiles::without_credentials(name),
            None => {
                let help = format!(
                    "sign in ({sign_in}), choose a profile with --profile, or try it without AWS: --sandbox"
                );
                Error::new("AWS", "no AWS credentials found", help)
            }
        };
    }
    let why = format!("cannot load the credentials{of}: {}", last_cause(message));
    Error::new("AWS", why, "check with `aws sts get-caller-identity`, or try it without AWS: --sandbox")
}

/// A key without its secret, or a secret without its key: in a profile, or in the environment, which a profile that was asked
/// for by name has nothing to do with.
fn half_of_a_key(message: &str, flag: Option<&str>) -> Option<Error> {
    if let Some(name) = between(message, "invalid credential source in `", "`: profile missing ") {
        let missing =
            message.rsplit("profile missing ").next().and_then(|rest| rest.split_whitespace().next())?;
        let why = format!("profile `{name}` has no {missing}");
        let help = format!("add it in {}, or run `aws configure --profile {name}`", profiles::credentials());
        return Some(Error::new("AWS", why, help));
    }
    let is_set = |name: &str| super::variable(name).is_some();
    // The SDK takes the second name of the secret as well.
    let has_secret = is_set("AWS_SECRET_ACCESS_KEY") || is_set("SECRET_ACCESS_KEY");
    let (there, missing) = match (is_set("AWS_ACCESS_KEY_ID"), has_secret) {
        _ if flag.is_some() => return None,
        (true, false) => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        (false, true) => ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        _ => return None,
    };
    let why = format!("{there} is set, but {missing} is not");
    Some(Error::new("AWS", why, format!("set {missing}, or choose a profile with --profile")))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}
