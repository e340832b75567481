//! The sandbox as the SDK's HTTP client: no socket in between.

use crate::faults::Break;
use crate::sandbox::{Broken, Sandbox};
use crate::wire::{Request, Response};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

impl Sandbox {
    /// The simulated AWS as the SDK's HTTP client.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl HttpClient for Sandbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Sandbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.clone();
        HttpConnectorFuture::new(async move {
            let request = read(request).await?;
            match sandbox.serve(request).await {
                Ok(response) => answer(response, None),
                Err(broken) => break_off(broken).await,
            }
        })
    }
}

/// The answer as the SDK gets it; its body breaks off after `cut` bytes.
fn answer(response: Response, cut: Option<usize>) -> Result<HttpResponse, ConnectorError> {
    let status =
        response.status.try_into().map_err(|_| ConnectorError::other("not an HTTP status".into(), None))?;
    let body = match cut {
        None => response.body.into(),
        Some(length) => {
            let sent = Bytes::copy_from_slice(response.body.get(..length).unwrap_or_default());
            SdkBody::from_body_1_x(CutBody { sent: Some(sent) })
        }
    };
    let mut answer = HttpResponse::new(status, body);
    for (name, value) in response.headers {
        answer.headers_mut().append(name, value);
    }
    Ok(answer)
}

/// What a client sees of a connection that breaks.
async fn break_off(broken: Broken) -> Result<HttpResponse, ConnectorError> {
    // What was never carried out has no answer; an empty one breaks in the same ways.
    let response = broken.answer.unwrap_or_else(|| Response::new(200, "text/xml", Vec::new()));
    match broken.how {
        Break::Reset => Err(ConnectorError::io("connection reset by the sandbox".into())),
        Break::Incomplete => Err(ConnectorError::other(
            "connection closed before message completed".into(),
            Some(ErrorKind::TransientError),
        )),
        Break::Garbled => Err(ConnectorError::other("invalid HTTP version parsed".into(), None)),
        Break::TimedOut => Err(ConnectorError::timeout("HTTP read timeout".into())),
        Break::Silent => std::future::pending().await,
        Break::Cut => {
            let length = response.body.len() / 2;
            answer(response, Some(length))
        }
        Break::Half => {
            let mut response = response;
            response.body.truncate(response.body.len() / 2);
            answer(response, None)
        }
        Break::Page => answer(Response::new(200, "text/html", PAGE), None),
    }
}

/// What the door of a hotel's network says.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Welcome to Hotel Aurora</title></head>\n<body>Please sign in</body></html>\n";

/// A body that breaks off.
struct CutBody {
    sent: Option<Bytes>,
}

impl Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.sent.take() {
            Some(sent) => Ok(Frame::data(sent)),
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body breaks off")),
        }))
    }
}

async fn read(request: HttpRequest) -> Result<Request, ConnectorError> {
    let uri = request.uri().to_string();
    let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    let (host, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers: BTreeMap<String, String> =
        request.headers().iter().map(|(k, v)| (k.to_ascii_lowercase(), v.to_string())).collect();
    headers.entry("host".into()).or_insert_with(|| host.to_string());
    let (path, query, method) = (path.to_string(), query.to_string(), request.method().to_string());
    let body = request.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes().to_vec();
    Ok(Request { method, path, query, headers, body })
}
