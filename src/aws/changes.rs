//! Every request that changes something passes here: it is sent only while the gate is open, and it is written down.

use super::attempts::is_look;
use super::gate::Gate;
use auroraml_clock::Clock;
use auroraml_core::sql::statements::only_asks;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One request that changed something, or tried to. Neither bodies nor secrets are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it was sent, in milliseconds since the Unix epoch.
    #[serde(skip)]
    pub at: u64,
    /// `RDS`, `EC2`, as the SDK calls it.
    pub service: String,
    pub operation: String,
    /// What it was about, as far as the request names it: `DBClusterIdentifier=churn`.
    pub resource: Option<String>,
    /// How often it had been sent with this, from 1.
    pub attempt: u32,
    pub result: Outcome,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// AWS's error code.
    pub code: Option<String>,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// AWS did it.
    Done,
    /// AWS answered with an error.
    Refused,
    /// No answer came: nobody knows whether it was done.
    NoAnswer,
    /// The run did not wait for the answer.
    Abandoned,
}

/// Who writes calls down.
pub type Scribe = Arc<dyn Fn(Call) + Send + Sync>;

/// Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Changes {
    pub gate: Gate,
    clock: Option<Clock>,
    scribe: Arc<Mutex<Option<Scribe>>>,
    sent: Arc<AtomicU64>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Changes {
    pub fn new(clock: &Clock) -> Changes {
        Changes { clock: Some(clock.clone()), ..Changes::default() }
    }

    pub fn write_to(&self, scribe: Scribe) {
        *self.scribe.lock().unwrap_or_else(PoisonError::into_inner) = Some(scribe);
    }

    /// How many requests that change something were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// What is known of a request that is on its way. Dropped without an answer, it was abandoned.
struct OnItsWay {
    call: Mutex<Option<Call>>,
    attempt: u32,
    scribe: Option<Scribe>,
}

impl fmt::Debug for OnItsWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnItsWay").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Storable for OnItsWay {
    type Storer = StoreReplace<OnItsWay>;
}

impl OnItsWay {
    fn end(&self, complete: impl FnOnce(Call) -> Call) {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(call), Some(scribe)) = (call, &self.scribe) {
            scribe(complete(call));
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.end(|call| call);
    }
}

#[dyn_dispatch_hint]
impl Intercept for Changes {
    fn name(&self) -> &'static str {
        "auroraml::aws::changes"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = bag.load::<Metadata>() else { return Ok(()) };
        let (service, operation) = (metadata.service().to_string(), metadata.name().to_string());
        if !changes(&service, &operation, context.request()) {
            return Ok(());
        }
        let attempt = bag.load::<OnItsWay>().map_or(1, |last| last.attempt + 1);
        // The last thing before the connector has it.
        self.gate.check()?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let call = Call {
            at: self.clock.as_ref().map(Clock::now_ms).unwrap_or_default(),
            resource: resource(context.request()),
            service,
            operation,
            attempt,
            result: Outcome::Abandoned,
            status: None,
            code: None,
            request_id: None,
        };
        let scribe = self.scribe.lock().unwrap_or_else(PoisonError::into_inner).clone();
        bag.interceptor_state().store_put(OnItsWay { call: Mutex::new(Some(call)), attempt, scribe });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(sent) = bag.load::<OnItsWay>() {
            sent.end(|call| answered(call, context.response()));
        }
        Ok(())
    }
}

/// Whether the request can change something. A statement that only asks is sent like one that changes something.
fn changes(service: &str, operation: &str, request: &HttpRequest) -> bool {
    if is_look(operation) || service == "STS" {
        return false;
    }
    let statement = || json(request)?.get("sql")?.as_str().map(only_asks);
    !(operation == "ExecuteStatement" && statement().unwrap_or_default())
}

fn json(request: &HttpRequest) -> Option<Value> {
    serde_json::from_slice(request.body().bytes()?).ok()
}

fn answered(call: Call, response: Option<&HttpResponse>) -> Call {
    let Some(response) = response else { return Call { result: Outcome::NoAnswer, ..call } };
    let header = |name: &str| response.headers().get(name).map(String::from);
    let request_id =
        ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"].into_iter().find_map(header);
    let status = response.status().as_u16();
    let code = match response.status().is_success() {
        true => None,
        false => header("x-amzn-errortype").or_else(|| code(response.body().bytes()?)),
    };
    let result = if response.status().is_success() { Outcome::Done } else { Outcome::Refused };
    // `ResourceNotFound:http://…` and `com.amazon.coral#ResourceNotFound` (Smithy's AWS JSON protocols).
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_string()
    });
    Call { result, status: Some(status), code, request_id, ..call }
}

/// The code in an error's document, in XML or JSON.
fn code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    if let Some((_, rest)) = text.split_once("<Code>") {
        return rest.split_once("</Code>").map(|(code, _)| code.to_string());
    }
    let value: Value = serde_json::from_str(text).ok()?;
    ["__type", "code", "Code"].iter().find_map(|key| value[*key].as_str().map(String::from))
}

/// Members of requests that name what they are about, the nearest first. None of them can hold a secret.
const NAMES: &[&str] = &[
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DBClusterParameterGroupName",
    "DBSubnetGroupName",
    "DBClusterSnapshotIdentifier",
    "RoleName",
    "NotebookInstanceName",
    "NotebookInstanceLifecycleConfigName",
    "EndpointName",
    "EndpointConfigName",
    "ModelName",
    "TrainingJobName",
    "HyperParameterTuningJobName",
    "AutoMLJobName",
    "ResourceName",
    "ResourceArn",
    "resourceArn",
    "SecretId",
    "NatGatewayId",
    "VpcEndpointId.1",
    "AllocationId",
    "AssociationId",
    "GroupId",
    "GroupName",
    "SecurityGroupRuleId.1",
    "RouteTableId",
    "SubnetId",
    "InternetGatewayId",
    "NetworkInterfaceId",
    "ResourceId.1",
    "ServiceName",
    "VpcId",
    "CidrBlock",
    "logGroupName",
    "Name",
];

fn resource(request: &HttpRequest) -> Option<String> {
    let body = request.body().bytes().unwrap_or_default();
    if let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) {
        let named = NAMES.iter().find_map(|name| Some((*name, members.get(*name)?.as_str()?)));
        return named.map(|(name, value)| format!("{name}={value}"));
    }
    let is_form = request.headers().get("content-type").is_some_and(|kind| kind.contains("form-urlencoded"));
    if is_form {
        let text = std::str::from_utf8(body).ok()?;
        let value = |name: &str| {
            let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(key, _)| *key == name)?;
            let value = value.replace('+', " ");
            Some(percent_encoding::percent_decode_str(&value).decode_utf8_lossy().into_owned())
        };
        return NAMES.iter().find_map(|name| Some(format!("{name}={}", value(name)?)));
    }
    // S3: the address is the object. What is asked of it, such as a version, is not of interest.
    let rest = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    Some(format!("s3://{}", rest.split('?').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn request(kind: &'static str, uri: &str, body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.headers_mut().insert("content-type", kind);
        request.set_uri(uri).unwrap();
        request
    }

    #[test]
    fn what_a_request_is_about() {
        const FORM: &str = "application/x-www-form-urlencoded";
        let of = |kind, body: &str| resource(&request(kind, "https://rds.us-east-1.amazonaws.com/", body));
        let form =
            "Action=CreateDBInstance&DBClusterIdentifier=a&DBInstanceIdentifier=a-1&MasterUserPassword=x";
        assert_eq!(of(FORM, form).unwrap(), "DBInstanceIdentifier=a-1");
        assert_eq!(of(FORM, "Action=CreateTags&ResourceId.1=vpc-1").unwrap(), "ResourceId.1=vpc-1");
        assert_eq!(of(FORM, "Action=CreateRole&RoleName=a%2Db").unwrap(), "RoleName=a-b");
        assert_eq!(of(FORM, "Action=AllocateAddress"), None);
        let json = r#"{"Name":"auroraml/a","SecretString":"C4nary"}"#;
        assert_eq!(of("application/x-amz-json-1.1", json).unwrap(), "Name=auroraml/a");
        let object =
            request("binary/octet-stream", "https://b.s3.amazonaws.com/k/x.csv?x-id=PutObject", "C4nary");
        assert_eq!(resource(&object).unwrap(), "s3://b.s3.amazonaws.com/k/x.csv");
    }

    #[test]
    fn a_statement_that_only_asks_is_no_change() {
        let sent = |sql: &str| {
            let body = serde_json::json!({ "sql": sql, "secretArn": "arn" }).to_string();
            changes("RDS Data", "ExecuteStatement", &request("application/json", "https://x/Execute", &body))
        };
        assert!(!sent("SELECT 1") && !sent("\n show create table a.b"));
        assert!(sent("CREATE TABLE a (b int)") && sent("SELECT 1\nINTO OUTFILE S3 's3://b/c'"));
        let other = request("application/json", "https://x/", "{}");
        assert!(changes("RDS", "CreateDBCluster", &other) && !changes("RDS", "DescribeDBClusters", &other));
        assert!(!changes("STS", "AssumeRole", &other));
    }

    #[test]
    fn codes_of_every_protocol() {
        for (body, expected) in [
            (
                "<ErrorResponse><Error><Code>DBClusterNotFoundFault</Code></Error></ErrorResponse>",
                "DBClusterNotFoundFault",
            ),
            (r#"{"__type":"com.amazonaws.sagemaker#ResourceInUse","message":"x"}"#, "ResourceInUse"),
            (r#"{"code":"BadRequestException"}"#, "BadRequestException"),
        ] {
            let mut response = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body));
            response.headers_mut().insert("x-amzn-requestid", "id-1");
            let call = Call {
                at: 0,
                service: "x".into(),
                operation: "y".into(),
                resource: None,
                attempt: 1,
                result: Outcome::Abandoned,
                status: None,
                code: None,
                request_id: None,
            };
            let call = answered(call, Some(&response));
            assert_eq!(call.code.as_deref(), Some(expected));
            assert_eq!(
                (call.status, call.result, call.request_id.as_deref()),
                (Some(400), Outcome::Refused, Some("id-1"))
            );
        }
    }
}
