//! How requests travel on a real network: TLS that is checked, and the proxy that the environment names. The judge is
//! Python's `ssl`, in front of the listening sandbox.

use crate::cli::{Place, Ran, with_orders};
use crate::listener::Listening;
use crate::recording::python_with;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

struct Front {
    child: Child,
    tls: String,
    proxy: String,
}

impl Front {
    fn start(python: &std::ffi::OsStr, address: &str, place: &Place) -> Front {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/tls.py");
        let mut command = Command::new(python);
        command.args([script, address]).arg(place.path("")).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (tls, proxy) = line.trim().split_once(' ').expect("two ports");
        Front { child, tls: tls.into(), proxy: format!("http://127.0.0.1:{proxy}") }
    }

    /// A plan by way of `aurora.test`, which only the proxy knows.
    fn plan(&self, place: &Place, environment: &[(&str, &str)]) -> Ran {
        let mut command = place.command(&["plan", "shop.yaml"]);
        command.env("AWS_ENDPOINT_URL", format!("https://aurora.test:{}", self.tls));
        command.env("AWS_ACCESS_KEY_ID", "AKIDSANDBOX").env("AWS_SECRET_ACCESS_KEY", "secret");
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(start_paused = true)]
async fn requests_go_by_checked_tls_and_through_the_proxy() {
    let Some(python) = python_with("cryptography") else { return };
    let place = with_orders(2).await;
    let listening = Listening::start(&place, "127.0.0.1:0");
    let front = Front::start(&python, &listening.address, &place);
    let authority = place.path("ca.pem");
    let trusted = ("SSL_CERT_FILE", authority.to_str().unwrap());
    let proxy = ("HTTPS_PROXY", front.proxy.as_str());

    let planned = front.plan(&place, &[trusted, proxy]);
    assert_eq!(planned.code, 0, "{}{}", planned.out, planned.err);
    assert!(planned.out.contains("to create"), "{}", planned.out);

    // Nobody of the machine's own authorities has signed for aurora.test.
    let refused = front.plan(&place, &[proxy]);
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("certificate"), "{}", refused.err);

    let unresolved = front.plan(&place, &[trusted, proxy, ("NO_PROXY", "aurora.test")]);
    assert_eq!(unresolved.code, 1, "{}{}", unresolved.out, unresolved.err);
    assert!(unresolved.err.contains("failed to lookup"), "{}", unresolved.err);
    listening.stop();
}
