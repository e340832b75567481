//! Why AWS does not know who we are, or cannot be reached, in a person's words. The SDK tells it as a chain of
//! causes in which one phrase matters; the phrases are those of aws-config 1.x.

use super::exit::Error;
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

/// The request was never sent, because there was nothing to sign it with.
fn no_credentials(message: &str, profile: Option<&str>) -> Error {
    // The chain's own list names the profile that it was told to use, by the flag or by the environment.
    if let Some(name) = between(message, "profile `", "` was not defined") {
        let why = format!("the AWS configuration has no profile {name}");
        return Error::new(
            "AWS",
            why,
            "list them with `aws configure list-profiles`, and choose one with --profile",
        );
    }
    let of = profile.map(|name| format!(" of the profile {name}")).unwrap_or_default();
    let sign_in = match profile {
        Some(name) => format!("sign in: aws sso login --profile {name}"),
        None => "sign in: aws sso login".to_string(),
    };
    if message.contains("SSO token") || message.contains("access token") {
        return Error::new("AWS", format!("the SSO session{of} has expired or does not exist"), sign_in);
    }
    // Off AWS the last of the chain asks an instance metadata service that is not there.
    if message.contains("no credentials found in chain") || message.contains("IMDS") {
        let help =
            "sign in (aws sso login), choose a profile with --profile, or try it without AWS: --sandbox";
        return Error::new("AWS", "no AWS credentials found", help);
    }
    let why = format!("cannot load the credentials{of}: {}", last_cause(message));
    Error::new("AWS", why, "check with `aws sts get-caller-identity`, or try it without AWS: --sandbox")
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}
