//! No request leaves unencrypted for another machine, unless that machine was named.

use aws_sdk_sts::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use std::error::Error;
use std::fmt;
use std::net::IpAddr;

/// Looks at each request of one client, wherever its address came from: `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_RDS`, a
/// profile's `endpoint_url` or its `services` section.
#[derive(Clone, Debug)]
pub(super) struct Encrypted {
    /// The host to which plain HTTP may go.
    pub allowed: Option<String>,
}

/// A request that was not sent.
#[derive(Debug)]
pub(super) struct Unencrypted {
    host: String,
}

impl fmt::Display for Unencrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unencrypted { host } = self;
        write!(
            f,
            "nothing was sent: the endpoint http://{host} is not encrypted and on another machine, and passwords would \
             cross the network; use https:// (docs/troubleshooting.md describes the exception)"
        )
    }
}
impl Error for Unencrypted {}

impl Encrypted {
    pub(super) fn check(&self, address: &str) -> Result<(), Unencrypted> {
        let Some((_, rest)) =
            address.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))
        else {
            return Ok(());
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = match host.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        // A bucket has a name before the host's own.
        let within = |name: &str| {
            let (host, name) = (host.to_ascii_lowercase(), name.to_ascii_lowercase());
            host == name || host.strip_suffix(&name).is_some_and(|before| before.ends_with('.'))
        };
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || within("localhost");
        match loopback || self.allowed.as_deref().is_some_and(within) {
            true => Ok(()),
            false => Err(Unencrypted { host: host.into() }),
        }
    }
}

impl Intercept for Encrypted {
    fn name(&self) -> &'static str {
        "Encrypted"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_sts::error::BoxError> {
        Ok(self.check(context.request().uri())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let goes = |allowed: Option<&str>, address: &str| {
            Encrypted { allowed: allowed.map(String::from) }.check(address).is_ok()
        };
        for address in [
            "https://rds.us-east-1.amazonaws.com/",
            "http://127.0.0.1:4599/",
            "http://127.8.9.1/",
            "http://[::1]:5000/x",
            "http://localhost:4566/",
            "HTTP://bucket.localhost:4566/key?x",
        ] {
            assert!(goes(None, address), "{address}");
        }
        for address in [
            "http://rds.us-east-1.amazonaws.com/",
            "http://10.0.0.7:4566/",
            "http://localhost.example.com/",
            "http://notlocalhost/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://[2001:db8::1]/",
            "Http://example.com",
            "http:///",
        ] {
            assert!(!goes(None, address), "{address}");
            assert!(!goes(Some("emulator"), address), "{address}");
        }
        assert!(
            goes(Some("emulator"), "http://emulator:4566/") && goes(Some("emulator"), "http://b.emulator/")
        );
        assert!(goes(Some("10.0.0.7"), "http://10.0.0.7:4566/"));
    }
}
