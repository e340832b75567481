//! Answers as S3 writes them: with and without a document, and the two ways to write a time.

use crate::wire::{self, Body, Fault, Protocol, Response, Xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An answer without a body.
pub(super) fn empty<V: Into<String>>(
    status: u16,
    headers: impl IntoIterator<Item = (&'static str, V)>,
) -> Body {
    let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value.into())).collect();
    Body::Whole(Response { status, headers, body: Vec::new() })
}

/// An answer of status 200 whose document has this root element.
pub(super) fn document(root: &str, content: impl FnOnce(&mut Xml)) -> Body {
    let mut xml = Xml::new();
    content(&mut xml);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{}</{root}>",
        xml.0
    );
    Body::Whole(Response::new(200, "application/xml", text))
}

/// An error that carries headers besides the usual document.
pub(super) fn refusal<V: Into<String>>(
    fault: Fault,
    headers: impl IntoIterator<Item = (&'static str, V)>,
) -> Body {
    let mut response = wire::respond(Protocol::RestXml, "", "sandbox", Err(fault));
    response.headers.extend(headers.into_iter().map(|(name, value)| (name.to_string(), value.into())));
    Body::Whole(response)
}

fn timestamp(ms: u64) -> jiff::Timestamp {
    i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
}

/// As in S3's documents: `2026-11-20T00:00:00.000Z`.
pub(super) fn iso(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// As in HTTP headers: `Fri, 20 Nov 2026 00:00:00 GMT`.
pub(crate) fn http_date(ms: u64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
