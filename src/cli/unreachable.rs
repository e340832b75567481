//! Why AWS does not know who we are, or cannot be reached, in a person's words. The SDK tells it as a chain of
//! causes in which one phrase matters; the phrases are those of aws-config 1.x.

use super::exit::Error;
use auroraml::aws::{Class, Failure};

/// What is told about the first request that failed. `endpoint`: the URL that takes AWS's place, if one does.
pub fn no_connection(failure: &Failure, endpoint: Option<&str>, profile: Option<&str>) -> Error {
    let message = failure.message.as_str();
    let where_to = endpoint.unwrap_or("AWS");
    if let Some(url) = between(message, "failed to apply endpoint `", "`") {
        let cause = message.rsplit(": ").next().unwrap_or_default();
        let help = "correct AWS_ENDPOINT_URL, or endpoint_url in the AWS configuration: https://HOST";
        return Error::new("AWS", format!("`{url}` is not an endpoint URL: {cause}"), help);
    }
    if failure.code == "NotSent" {
        return no_credentials(message, profile);
    }
    if message.contains("client error (Connect)") {
        let why = format!("cannot be reached: {}", last_cause(message));
        let help = match endpoint {
            Some(_) => {
                "start what listens there, or unset AWS_ENDPOINT_URL (endpoint_url in the AWS configuration)"
            }
            None => "check the network, and whether a proxy or a VPN is needed; then run it again",
        };
        return Error::new(where_to, why, help);
    }
    if failure.code == "auroraml" {
        return Error::new("AWS", failure.to_string(), "nothing was changed");
    }
    let help = match failure.class {
        Class::Denied => "sign in again (aws sso login), or use another --profile",
        Class::Ambiguous => "check the network and AWS_ENDPOINT_URL, then run it again",
        _ => "check the AWS configuration (aws sts get-caller-identity), or try it with --sandbox",
    };
    Error::new("AWS", failure.to_string(), help)
}

/// The request was never sent, because there was nothing to sign it with.
fn no_credentials(message: &str, profile: Option<&str>) -> Error {
    // The chain's own list names the profile that it was told to use, by the flag or by the environment.
    if let Some(name) = between(message, "profile `", "` was not defined") {
        let why = format!("there is no profile {name} in the AWS configuration");
        return Error::new("AWS", why, "see `aws configure list-profiles`, and give one with --profile");
    }
    let of = profile.map(|name| format!(" of the profile {name}")).unwrap_or_default();
    let sign_in = match profile {
        Some(name) => format!("sign in: aws sso login --profile {name}"),
        None => "sign in: aws sso login".to_string(),
    };
    if message.contains("SSO token") || message.contains("access token") {
        return Error::new("AWS", format!("the sign-in{of} is missing or has ended"), sign_in);
    }
    // Off AWS the last of the chain asks an instance metadata service that is not there.
    if message.contains("no credentials found in chain") || message.contains("IMDS") {
        let help = "sign in (aws sso login), set AWS_PROFILE or --profile, or try it with --sandbox";
        return Error::new("AWS", "there are no credentials", help);
    }
    let why = format!("the credentials{of} cannot be loaded: {}", last_cause(message));
    Error::new("AWS", why, "see what `aws sts get-caller-identity` says, or try it with --sandbox")
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

/// The end of a chain of causes, where the reason is: two links, for the last alone often has no subject.
fn last_cause(message: &str) -> String {
    let links =
        message.trim().split(": ").filter(|link| *link != "an error occurred while loading credentials");
    let links: Vec<&str> = links.collect();
    let from = links.len().saturating_sub(2);
    links[from..].join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}
