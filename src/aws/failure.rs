//! What has become of a request that failed, and how that is told.

use super::codes::classify;
use super::gate::Shut;
use super::unencrypted::Unencrypted;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The object is not there.
    NotFound,
    /// The object is there already.
    Exists,
    /// The object is busy; AWS will accept the request later.
    Busy,
    /// Something just created has not reached the service that was asked.
    Propagating,
    /// Something that still exists refers to the object.
    InUse,
    /// Too many requests, also after the SDK's own retries.
    Throttled,
    /// Nobody knows whether the request took effect.
    Ambiguous,
    Denied,
    /// A quota or a capacity is exhausted.
    Quota,
    /// AWS will not do this, now or later.
    Refused,
}

impl Class {
    /// For how long repeating the request makes sense; zero means never. Budgets: fact book, sections 1.5,
    /// 1.8, 3, 5.5.
    pub fn patience(self) -> Duration {
        let minutes = match self {
            Class::Busy => 60,
            Class::Propagating => 4,
            // Network interfaces of SageMaker and RDS can outlive their owner by 45 minutes.
            Class::InUse => 60,
            Class::Throttled | Class::Ambiguous => 10,
            _ => 0,
        };
        Duration::from_secs(minutes * 60)
    }
}

/// An error of one AWS request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: Class,
    /// The API operation, such as `CreateDBCluster`.
    pub operation: &'static str,
    /// AWS's code, or a word of ours when there was no answer.
    pub code: String,
    pub message: String,
}

impl Failure {
    /// What AWS says about one object of a request that it answers as a whole.
    pub fn answered(operation: &'static str, code: String, message: String) -> Failure {
        Failure { class: classify(&code, &message), operation, code, message }
    }
    /// An error that auroraml itself found.
    pub fn refused(operation: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Refused, operation, code: "auroraml".into(), message: message.into() }
    }
    /// Not now: the loop waits and looks again.
    pub fn busy(operation: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Busy, ..Failure::refused(operation, message) }
    }
    pub fn is(&self, class: Class) -> bool {
        self.class == class
    }
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self.class {
            Class::Denied => "allow the action for the principal that runs auroraml, then run it again",
            Class::Quota => "raise the quota in Service Quotas, or choose another size or region",
            Class::Busy | Class::InUse | Class::Propagating | Class::Throttled | Class::Ambiguous => {
                "run the same command again: it continues from here"
            }
            _ => "fix the cause, then run the same command again: it continues from here",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code == "auroraml" {
            return write!(f, "{}", self.message);
        }
        if self.code == UNREADABLE {
            return write!(f, "{} failed: cannot read the response: {}", self.operation, self.message);
        }
        if self.code == NO_ANSWER {
            let what = match self.message.contains("client error (Connect)") {
                true => "cannot reach AWS",
                false => "no response from AWS",
            };
            return write!(f, "{} failed: {what}: {}", self.operation, last_cause(&self.message));
        }
        if self.code == NOT_SENT {
            return write!(f, "{} was not sent: {}", self.operation, self.message);
        }
        write!(f, "{} failed: {}", self.operation, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}
impl Error for Failure {}

/// Names the operation in an SDK error and classifies it.
pub trait During<T> {
    /// # Errors
    /// The SDK's error as a [`Failure`].
    fn during(self, operation: &'static str) -> Result<T, Failure>;
}

impl<T, E> During<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn during(self, operation: &'static str) -> Result<T, Failure> {
        self.map_err(|error| {
            not_sent(&error, operation).unwrap_or_else(|| match &error {
                SdkError::ServiceError(service) => match service.err().code() {
                    Some(code) => {
                        let status = service.raw().status().as_u16();
                        let message = service.err().message().unwrap_or_default().to_string();
                        // A code that nobody has met, whose status says what it comes to.
                        let class = match (classify(code, &message), by_status(status)) {
                            (Class::Refused, class @ (Class::Ambiguous | Class::Throttled)) => class,
                            (class, _) => class,
                        };
                        Failure { class, operation, code: code.into(), message }
                    }
                    None if service.raw().status().is_success() => {
                        unreadable(operation, &error, service.raw())
                    }
                    None => {
                        let status = service.raw().status().as_u16();
                        let message = match first_line(service.raw()) {
                            Some(line) => format!("the response begins with \"{line}\""),
                            None => String::new(),
                        };
                        Failure {
                            class: by_status(status),
                            operation,
                            code: format!("HTTP {status}"),
                            message,
                        }
                    }
                },
                SdkError::ResponseError(response) => unreadable(operation, &error, response.raw()),
                SdkError::ConstructionFailure(_) => Failure {
                    class: Class::Refused,
                    operation,
                    code: NOT_SENT.into(),
                    message: chain(&error),
                },
                // What the connector itself calls *other* is `io` by now (attempts.rs).
                SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => Failure {
                    class: Class::Refused,
                    operation,
                    code: NOT_SENT.into(),
                    message: chain(&error),
                },
                _ => Failure {
                    class: Class::Ambiguous,
                    operation,
                    code: NO_ANSWER.into(),
                    message: chain(&error),
                },
            })
        })
    }
}

/// Code of a request that was answered by nobody.
const NO_ANSWER: &str = "NoAnswer";
/// Code of a request that never left.
const NOT_SENT: &str = "NotSent";

/// The end of a chain of causes, where the reason is: two links, for the last alone often has no subject. Without the
/// number that the operating system gives it.
pub fn last_cause(message: &str) -> String {
    let links =
        message.trim().split(": ").filter(|link| *link != "an error occurred while loading credentials");
    let links: Vec<&str> = links.collect();
    let told = ["tcp connect error", "dns error", "io error", "dispatch failure"];
    let from = links.len().saturating_sub(2);
    let mut kept: Vec<&str> = links[from..].iter().copied().filter(|link| !told.contains(link)).collect();
    if kept.is_empty() {
        kept = links[from..].to_vec();
    }
    let text = kept.join(": ").split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.split(" (os error ").next().unwrap_or(&text);
    // What the system says begins like a sentence.
    ["Connection refused", "Connection reset", "No route to host", "Network is unreachable"]
        .iter()
        .fold(text.to_string(), |text, said| text.replace(said, &said.to_lowercase()))
}

/// Code of a failure whose answer cannot be read.
const UNREADABLE: &str = "Unreadable";

/// An answer that is not AWS's, or not the whole of it. Whether the request took effect is unknown. Of JSON nothing is
/// shown: it may be half of AWS's own, with a secret in it.
fn unreadable(operation: &'static str, error: &dyn Error, answer: &HttpResponse) -> Failure {
    let kind = answer.headers().get("content-type").map(|kind| format!(", {}", bounded(kind)));
    let (status, kind) = (answer.status().as_u16(), kind.unwrap_or_default());
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let mut message = format!("{} (HTTP {status}{kind})", bounded(&cause.to_string()));
    if let Some(line) = first_line(answer).filter(|line| !line.starts_with(['{', '['])) {
        message += &format!("; it begins with \"{line}\"");
    }
    Failure { class: Class::Ambiguous, operation, code: UNREADABLE.into(), message }
}

/// Characters of a text of unknown origin that are shown.
const SHOWN_MAX: usize = 120;

/// The first line of an answer that has something on it.
fn first_line(answer: &HttpResponse) -> Option<String> {
    let body = answer.body().bytes()?;
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body));
    text.lines().map(bounded).find(|line| !line.is_empty())
}

/// A text without control characters, cut off where it becomes long.
fn bounded(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX + 1).collect();
    let clean = clean.trim();
    match clean.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", clean.get(..end).unwrap_or_default()),
        None => clean.to_string(),
    }
}

/// The failure of a request that was held back for want of encryption.
fn not_sent(error: &(dyn Error + 'static), operation: &'static str) -> Option<Failure> {
    let shut = || cause::<Shut>(error).map(ToString::to_string);
    let why = cause::<Unencrypted>(error).map(ToString::to_string).or_else(shut)?;
    Some(Failure::refused(operation, why))
}

/// The error of this type among the causes of another.
fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    error.downcast_ref().or_else(|| cause(error.source()?))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// An answer without a code: to a HEAD request (fact book, section 6.1), or from something on the way to AWS.
fn by_status(status: u16) -> Class {
    match status {
        404 => Class::NotFound,
        401 | 403 => Class::Denied,
        429 => Class::Throttled,
        500..=599 => Class::Ambiguous,
        _ => Class::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::super::unencrypted::Encrypted;
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    #[test]
    fn answers_without_a_code() {
        for (status, class) in [
            (404, Class::NotFound),
            (401, Class::Denied),
            (403, Class::Denied),
            (429, Class::Throttled),
            (500, Class::Ambiguous),
            (503, Class::Ambiguous),
            (599, Class::Ambiguous),
            (301, Class::Refused),
            (400, Class::Refused),
        ] {
            assert_eq!(by_status(status), class, "{status}");
        }
    }

    fn answered(status: u16, code: Option<&str>, body: &str) -> Failure {
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        let mut error = ErrorMetadata::builder();
        if let Some(code) = code {
            error = error.code(code);
        }
        Err::<(), _>(SdkError::service_error(error.build(), raw)).during("CreateThing").unwrap_err()
    }

    #[test]
    fn each_class_has_its_patience_and_its_advice() {
        let again = "run the same command again: it continues from here";
        let mended = "fix the cause, then run the same command again: it continues from here";
        let granted = "allow the action for the principal that runs auroraml, then run it again";
        let raised = "raise the quota in Service Quotas, or choose another size or region";
        for (class, minutes, hint) in [
            (Class::NotFound, 0, mended),
            (Class::Exists, 0, mended),
            (Class::Busy, 60, again),
            (Class::Propagating, 4, again),
            (Class::InUse, 60, again),
            (Class::Throttled, 10, again),
            (Class::Ambiguous, 10, again),
            (Class::Denied, 0, granted),
            (Class::Quota, 0, raised),
            (Class::Refused, 0, mended),
        ] {
            let failure = Failure { class, ..Failure::refused("CreateThing", "no") };
            assert_eq!(class.patience(), Duration::from_secs(minutes * 60), "{class:?}");
            assert_eq!(failure.hint(), hint, "{class:?}");
        }
        assert_eq!(Failure::busy("CreateThing", "later").class, Class::Busy);
    }

    #[test]
    fn what_was_not_sent_had_no_effect_and_what_broke_off_may_have() {
        type Sent = SdkError<aws_smithy_types::error::ErrorMetadata, HttpResponse>;
        let failed = |error: Sent| Err::<(), _>(error).during("CreateThing").unwrap_err();
        let odd = || std::io::Error::other(std::io::Error::other("no such member"));
        for (error, class, code) in [
            (Sent::construction_failure(odd()), Class::Refused, "NotSent"),
            (Sent::dispatch_failure(ConnectorError::user(odd().into())), Class::Refused, "NotSent"),
            (Sent::dispatch_failure(ConnectorError::other(odd().into(), None)), Class::Refused, "NotSent"),
            (Sent::dispatch_failure(ConnectorError::io(odd().into())), Class::Ambiguous, "NoAnswer"),
            (Sent::dispatch_failure(ConnectorError::timeout(odd().into())), Class::Ambiguous, "NoAnswer"),
            (Sent::timeout_error(odd()), Class::Ambiguous, "NoAnswer"),
        ] {
            let failure = failed(error);
            assert_eq!((failure.class, failure.code.as_str()), (class, code), "{failure}");
            assert!(failure.message.ends_with(": no such member"), "the last cause is told: {failure}");
        }
        let held = Encrypted { allowed: None }.check("http://example.com/").unwrap_err();
        let failure = failed(Sent::construction_failure(held));
        assert_eq!(failure.code, "auroraml");
        assert!(failure.message.starts_with("nothing was sent: "), "{failure}");
    }

    #[test]
    fn codes_that_nobody_has_met() {
        assert_eq!(answered(400, Some("New"), "").class, Class::Refused);
        assert_eq!(answered(500, Some("ServiceFailure"), "").class, Class::Ambiguous);
        assert_eq!(answered(429, Some("New"), "").class, Class::Throttled);
        assert_eq!(
            answered(503, Some("RequestLimitExceeded"), "").class,
            Class::Throttled,
            "the code is first"
        );
        assert_eq!(
            answered(404, Some("New"), "").class,
            Class::Refused,
            "what is not there, AWS says by name"
        );
    }

    #[test]
    fn what_is_not_aws_is_told_with_its_first_line() {
        let page = "\n\n  <html>\u{1b}[31m<title>Sign\u{7} in</title>\u{9b}  \r\nand more";
        let failure = answered(200, None, page);
        assert_eq!(failure.class, Class::Ambiguous, "it may have had its effect");
        let text = failure.to_string();
        assert!(text.starts_with("CreateThing failed: cannot read the response: "), "{text}");
        assert!(text.ends_with("(HTTP 200); it begins with \"<html>[31m<title>Sign in</title>\""), "{text}");
        let text = answered(407, None, "Proxy Authentication Required").to_string();
        assert!(
            text.contains("HTTP 407: the response begins with \"Proxy Authentication Required\""),
            "{text}"
        );
        let long = answered(200, None, &"x".repeat(5000)).to_string();
        assert!(long.ends_with(&format!("\"{}…\"", "x".repeat(120))), "{long}");
        assert_eq!(answered(502, None, "").message, "");
        let half = answered(200, None, r#"{"SecretString":"{\"password\":\"C4naryPass"#).to_string();
        assert!(half.contains("cannot read the response") && !half.contains("C4nary"), "{half}");
    }
}
