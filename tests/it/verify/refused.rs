//! Questions that the caller may not ask.

use super::{Wired, text};
use auroraml::aws::{Connection, SecretText, simulated_config};
use auroraml::stack::Stack;
use auroraml::verify::{Outcome, verify};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::Arc;

/// An account behind which some operations are denied, and the database never resumes if SQL is among them.
#[derive(Clone, Debug)]
struct Denying {
    operations: &'static [&'static str],
    settings: HttpConnectorSettings,
    components: Option<RuntimeComponents>,
    inner: SharedHttpClient,
}

impl HttpClient for Denying {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let (settings, components) = (settings.clone(), Some(components.clone()));
        SharedHttpConnector::new(Denying { settings, components, ..self.clone() })
    }
}

impl HttpConnector for Denying {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_string();
        let asks = |operation: &&&str| {
            body.contains(&format!("Action={operation}&")) || target.ends_with(&format!(".{operation}"))
        };
        if request.uri().ends_with("/Execute") && self.operations.contains(&"ExecuteStatement") {
            let text = r#"{"message":"The Aurora DB instance is resuming."}"#;
            let mut response = HttpResponse::new(400.try_into().unwrap(), text.into());
            response.headers_mut().insert("x-amzn-errortype", "DatabaseResumingException");
            return HttpConnectorFuture::ready(Ok(response));
        }
        if self.operations.iter().find(asks).is_some() {
            // The three protocols in one: XML for those that parse it, JSON where the target names it.
            let text = "User: nobody is not authorized to perform it";
            let answer = match (target.is_empty(), body.contains("Version=2016-11-15")) {
                (false, _) => format!(r#"{{"__type":"AccessDeniedException","message":"{text}"}}"#),
                (_, true) => format!(
                    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>{text}</Message></Error></Errors></Response>"
                ),
                _ => format!(
                    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>{text}</Message></Error></ErrorResponse>"
                ),
            };
            let response = HttpResponse::new(403.try_into().unwrap(), answer.into());
            return HttpConnectorFuture::ready(Ok(response));
        }
        let components = self.components.as_ref().unwrap();
        self.inner.http_connector(&self.settings, components).call(request)
    }
}

async fn connect(wired: &Wired, operations: &'static [&'static str]) -> Stack {
    let sandbox = &wired.hand.account.sandbox;
    let denying = Denying {
        operations,
        settings: HttpConnectorSettings::builder().build(),
        components: None,
        inner: sandbox.http_client(),
    };
    let clock = sandbox.clock();
    let connection = Connection {
        config: simulated_config(&wired.spec.region, SharedHttpClient::new(denying), &clock),
        plain_http: None,
        clock,
        files: Arc::new(|path| std::fs::read(path)),
        passwords: Arc::new(|_| Some(SecretText::new("none".into()))),
    };
    Stack::connect(wired.spec.clone(), connection).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_refused_question_leaves_its_checks_open() {
    let wired = Wired::new().await;
    for (operation, open) in [
        ("DescribeDBInstances", 2),
        ("DescribeDBClusterParameters", 3),
        ("GetRole", 3),
        ("ListRolePolicies", 3),
        ("GetRolePolicy", 3),
        ("ListAttachedRolePolicies", 3),
        ("DescribeEndpoint", 1),
        ("DescribeDBSubnetGroups", 3),
        ("DescribeRouteTables", 3),
        ("DescribeVpcEndpoints", 3),
        ("DescribeSecurityGroups", 3),
        ("DescribeNatGateways", 3),
    ] {
        let stack = connect(&wired, Vec::leak(vec![operation])).await;
        let checks = verify(&stack, false).await.unwrap();
        let not_checked = checks.iter().filter(|check| check.outcome == Outcome::NotChecked);
        let text = text(&wired.spec, &checks);
        assert_eq!(not_checked.count(), open, "{operation}: {text}");
        assert!(text.contains(&format!("{operation} failed: ")), "{text}");
        assert!(text.contains(" 0 failed"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_never_resumes_is_waited_for_two_minutes() {
    let wired = Wired::new().await;
    let stack = connect(&wired, &["ExecuteStatement"]).await;
    let began = stack.aws.clock.now_ms();
    let checks = verify(&stack, true).await.unwrap();
    let waited = (stack.aws.clock.now_ms() - began) / 1000;
    assert!((115..=121).contains(&waited), "{waited} s");
    let database = checks.iter().find(|check| check.check == "database").unwrap();
    assert_eq!(database.outcome, Outcome::NotChecked);
    assert!(database.found.contains("DatabaseResumingException"), "{database:?}");
}

#[tokio::test(start_paused = true)]
async fn without_the_cluster_there_is_nothing_to_follow() {
    let wired = Wired::new().await;
    let stack = connect(&wired, &["DescribeDBClusters"]).await;
    let failure = verify(&stack, true).await.unwrap_err();
    assert_eq!(failure.code, "AccessDenied");
}
