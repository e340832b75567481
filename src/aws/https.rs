//! How requests leave the machine: HTTPS by rustls, through the proxy that the environment names.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The SDK's own default client (`default_https_client` in aws-smithy-runtime) with ring in the place of aws-lc, whose
/// C takes 40 s of every cold build. Like that one it honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, and trusts the
/// certificates of the machine.
pub(super) fn https() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}
