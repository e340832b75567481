//! The sandbox as the SDK's HTTP client: no socket in between.

use crate::sandbox::Sandbox;
use crate::wire::Request;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http_body_util::BodyExt;
use std::collections::BTreeMap;

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
                Some(response) => {
                    let status = response
                        .status
                        .try_into()
                        .map_err(|_| ConnectorError::other("not an HTTP status".into(), None))?;
                    let mut answer = HttpResponse::new(status, response.body.into());
                    for (name, value) in response.headers {
                        answer.headers_mut().append(name, value);
                    }
                    Ok(answer)
                }
                None => Err(ConnectorError::io("connection reset by the sandbox".into())),
            }
        })
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
