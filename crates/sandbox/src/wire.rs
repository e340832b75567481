//! The wire protocols of AWS, server side: what a request says and what an answer looks like.
//!
//! Query (RDS, IAM, STS), EC2 query, JSON 1.1 (SageMaker, Secrets Manager, KMS, Service Quotas), REST-JSON
//! (RDS Data API) and REST-XML (S3). Nothing here knows what an operation means.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One HTTP request, its body read whole.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    /// Path without the query, percent-encoded as it came.
    pub path: String,
    /// Query string without the `?`.
    pub query: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Without the body and the header values: a panic must not print a password.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// One HTTP answer.
#[derive(Clone, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Without the body, which may hold a secret.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }
}

/// An error as AWS would send it: HTTP status, wire code, message.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Fault {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Fault {
        Fault { status, code: code.into(), message: message.into() }
    }
    /// Status 400, the commonest.
    pub fn bad(code: &str, message: impl Into<String>) -> Fault {
        Fault::new(400, code, message)
    }
}

/// What an operation answers when it succeeds; the dispatcher adds the protocol's envelope.
#[derive(Clone)]
pub enum Body {
    /// Content of `<OperationResult>` (query) or of `<OperationResponse>` (EC2).
    Xml(Xml),
    Json(Value),
    /// A complete answer (S3).
    Whole(Response),
}

pub type Reply = Result<Body, Fault>;

impl From<Xml> for Body {
    fn from(xml: Xml) -> Body {
        Body::Xml(xml)
    }
}
impl From<Value> for Body {
    fn from(value: Value) -> Body {
        Body::Json(value)
    }
}

/// The five dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Query,
    Ec2,
    Json,
    RestJson,
    RestXml,
}

/// Puts the protocol's envelope around an answer.
pub fn respond(protocol: Protocol, operation: &str, request_id: &str, reply: Reply) -> Response {
    match (protocol, reply) {
        (_, Ok(Body::Whole(response))) => response,
        (Protocol::Query, Ok(Body::Xml(xml))) => Response::new(
            200,
            "text/xml",
            format!(
                "<{operation}Response><{operation}Result>{}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>",
                xml.0
            ),
        ),
        (_, Ok(Body::Xml(xml))) => Response::new(
            200,
            "text/xml;charset=UTF-8",
            format!(
                "<{operation}Response><requestId>{request_id}</requestId>{}</{operation}Response>",
                xml.0
            ),
        ),
        (Protocol::RestJson, Ok(Body::Json(value))) => {
            Response::new(200, "application/json", value.to_string())
        }
        (_, Ok(Body::Json(value))) => Response::new(200, "application/x-amz-json-1.1", value.to_string()),
        (Protocol::Query, Err(fault)) => {
            let mut xml = Xml::new();
            xml.element("ErrorResponse", |x| {
                x.element("Error", |x| {
                    x.text("Type", if fault.status < 500 { "Sender" } else { "Receiver" });
                    x.text("Code", &fault.code);
                    x.text("Message", &fault.message);
                });
                x.text("RequestId", request_id);
            });
            Response::new(fault.status, "text/xml", xml.0)
        }
        (Protocol::Ec2, Err(fault)) => {
            let mut xml = Xml::new();
            xml.element("Response", |x| {
                x.element("Errors", |x| {
                    x.element("Error", |x| {
                        x.text("Code", &fault.code);
                        x.text("Message", &fault.message);
                    });
                });
                x.text("RequestID", request_id);
            });
            Response::new(fault.status, "text/xml;charset=UTF-8", xml.0)
        }
        (Protocol::RestXml, Err(fault)) => {
            let mut xml = Xml::new();
            xml.element("Error", |x| {
                x.text("Code", &fault.code);
                x.text("Message", &fault.message);
                x.text("RequestId", request_id);
            });
            Response::new(fault.status, "application/xml", xml.0)
        }
        (Protocol::RestJson, Err(fault)) => {
            let body = json!({"message": fault.message}).to_string();
            let mut response = Response::new(fault.status, "application/json", body);
            response.headers.push(("x-amzn-ErrorType".into(), fault.code));
            response
        }
        (Protocol::Json, Err(fault)) => Response::new(
            fault.status,
            "application/x-amz-json-1.1",
            json!({"__type": fault.code, "message": fault.message}).to_string(),
        ),
    }
}

/// XML under construction; every text is escaped.
#[derive(Clone, Debug, Default)]
pub struct Xml(pub String);

impl Xml {
    pub fn new() -> Xml {
        Xml::default()
    }
    pub fn text(&mut self, name: &str, value: impl Display) -> &mut Xml {
        self.0.push_str(&format!("<{name}>{}</{name}>", quick_xml::escape::escape(value.to_string())));
        self
    }
    /// Nothing at all when there is no value.
    pub fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Xml {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Xml)) -> &mut Xml {
        self.0.push_str(&format!("<{name}>"));
        content(self);
        self.0.push_str(&format!("</{name}>"));
        self
    }
    /// `<name><item>…</item><item>…</item></name>`
    pub fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        values: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Xml, T),
    ) -> &mut Xml {
        self.element(name, |x| {
            for value in values {
                x.element(item, |x| each(x, value));
            }
        })
    }
    /// `<name><item>text</item>…</name>`
    pub fn texts(
        &mut self,
        name: &str,
        item: &str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> &mut Xml {
        self.element(name, |x| {
            for value in values {
                x.text(item, value);
            }
        })
    }
}

/// The parameters of a query request: a form body, flat, as it came. Each remembers whether anybody has read it,
/// whatever part of the request it was read through.
#[derive(Clone, Default)]
pub struct Params(BTreeMap<String, Parameter>);

#[derive(Clone, Default)]
struct Parameter {
    text: String,
    read: Arc<AtomicBool>,
}

impl Parameter {
    fn read(&self) -> &str {
        self.read.store(true, Ordering::Relaxed);
        &self.text
    }
}

/// Names only: `MasterUserPassword` is among the values.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Params {
    /// Parameters that are no part of any form.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Params {
        let new = |(name, text)| (name, Parameter { text, ..Parameter::default() });
        Params(pairs.into_iter().map(new).collect())
    }

    /// Parses `application/x-www-form-urlencoded`. Bad escapes are kept as they are.
    pub fn parse(form: &str) -> Params {
        let decode = |s: &str| {
            percent_encoding::percent_decode_str(&s.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        Params(
            form.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decode(key), Parameter { text: decode(value), ..Parameter::default() }))
                .collect(),
        )
    }
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Parameter::read)
    }
    /// Without those whose names begin so.
    pub fn without(mut self, prefix: &str) -> Params {
        self.0.retain(|name, _| !name.starts_with(prefix));
        self
    }
    /// With another name for one of them.
    pub fn renamed(mut self, from: &str, to: &str) -> Params {
        if let Some(value) = self.0.remove(from) {
            self.0.insert(to.to_string(), value);
        }
        self
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Names and values, without reading them.
    pub fn glance(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.text.as_str()))
    }
    /// The same, of which nobody has read anything.
    pub fn unread_copy(&self) -> Params {
        let copy = |(name, value): (&String, &Parameter)| {
            (name.clone(), Parameter { text: value.text.clone(), ..Parameter::default() })
        };
        Params(self.0.iter().map(copy).collect())
    }
    /// The first parameter that nobody has read.
    pub fn unread(&self) -> Option<&str> {
        let unread = self.0.iter().find(|(_, value)| !value.read.load(Ordering::Relaxed));
        unread.map(|(name, _)| name.as_str())
    }
    /// All of it, read.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, value)| (name.clone(), value.read().to_string())).collect()
    }
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|v| v.eq_ignore_ascii_case("true"))
    }
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(|v| v.parse().ok())
    }
    /// The value, or AWS's answer to a request that lacks it.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).filter(|v| !v.is_empty()).ok_or_else(|| {
            Fault::bad("MissingParameter", format!("The request must contain the parameter {name}"))
        })
    }
    /// The members of a list of structures: `prefix.1.x`, `prefix.member.1.x`, `prefix.Tag.1.x`, …
    pub fn items(&self, prefix: &str) -> Vec<Params> {
        let mut found: BTreeMap<usize, Params> = BTreeMap::new();
        let start = format!("{prefix}.");
        for (key, value) in &self.0 {
            let Some(rest) = key.strip_prefix(&start) else { continue };
            let mut parts = rest.splitn(2, '.');
            let first = parts.next().unwrap_or_default();
            let (index, field) = match first.parse::<usize>() {
                Ok(index) => (index, parts.next().unwrap_or_default()),
                Err(_) => {
                    let mut parts = parts.next().unwrap_or_default().splitn(2, '.');
                    match parts.next().unwrap_or_default().parse::<usize>() {
                        Ok(index) => (index, parts.next().unwrap_or_default()),
                        Err(_) => continue,
                    }
                }
            };
            found.entry(index).or_default().0.insert(field.to_string(), value.clone());
        }
        found.into_values().collect()
    }
    /// The members of a list of strings.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        self.items(prefix).into_iter().filter_map(|item| item.get("").map(str::to_string)).collect()
    }
    /// The fields of a nested structure: `prefix.x`.
    pub fn nested(&self, prefix: &str) -> Params {
        let start = format!("{prefix}.");
        Params(
            self.0
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(&start)?.to_string(), value.clone())))
                .collect(),
        )
    }
    /// Filters as `name -> accepted values`: `Filter.1.Name`, `Filter.1.Value.1` (EC2) or
    /// `Filters.Filter.1.Name`, `Filters.Filter.1.Values.Value.1` (RDS).
    pub fn filters(&self) -> BTreeMap<String, Vec<String>> {
        let mut items = self.items("Filter");
        items.extend(self.items("Filters"));
        items
            .into_iter()
            .filter_map(|item| {
                let mut values = item.list("Value");
                values.extend(item.list("Values"));
                Some((item.get("Name")?.to_string(), values))
            })
            .collect()
    }
    /// Key and value of each tag under `prefix` (`Tags`, `Tag`, …).
    pub fn tags(&self, prefix: &str) -> BTreeMap<String, String> {
        self.items(prefix)
            .into_iter()
            .filter_map(|t| Some((t.get("Key")?.to_string(), t.get("Value").unwrap_or_default().to_string())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_found_under_every_member_name() {
        let p = Params::parse("T.1=a&T.2=b&U.member.1=c&V.Tag.1.Key=k&V.Tag.1.Value=v%20w&W.10=j&W.9=i");
        assert_eq!(p.list("T"), ["a", "b"]);
        assert_eq!(p.list("U"), ["c"]);
        assert_eq!(p.tags("V")["k"], "v w");
        assert_eq!(p.list("W"), ["i", "j"], "by number, not by text");
    }

    #[test]
    fn both_filter_styles() {
        let p = Params::parse("Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b");
        assert_eq!(p.filters()["vpc-id"], ["a", "b"]);
        let p = Params::parse("Filters.Filter.1.Name=x&Filters.Filter.1.Values.Value.1=a");
        assert_eq!(p.filters()["x"], ["a"]);
    }

    #[test]
    fn texts_are_escaped() {
        let mut x = Xml::new();
        x.text("a", "<&>");
        assert_eq!(x.0, "<a>&lt;&amp;&gt;</a>");
    }
}
