//! What others made and hangs on the stack: it goes with a destroy that sweeps, and no other run knows the kind.
//!
//! Found by what cannot be set from outside (docs/decisions/0018): a model whose role is in the stack's IAM path, what
//! is made of such a model, the log groups of the stack's endpoints and cluster, and what GuardDuty put into its VPC.

mod found;

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::State;
use auroraml_core::base::WHY;
use auroraml_core::kinds::Kind;
use auroraml_core::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};

/// One thing that is left over. Its name says what it is and what it is called: `model/xgboost-2026`.
pub struct Leftover;

/// What a leftover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Endpoint,
    EndpointConfig,
    Model,
    LogGroup,
    /// An endpoint in the VPC that GuardDuty made, and its security group.
    GuardDutyEndpoint,
    GuardDutyGroup,
}

impl What {
    const ALL: [What; 6] = [
        What::Endpoint,
        What::EndpointConfig,
        What::Model,
        What::LogGroup,
        What::GuardDutyEndpoint,
        What::GuardDutyGroup,
    ];

    fn word(self) -> &'static str {
        match self {
            What::Endpoint => "endpoint",
            What::EndpointConfig => "endpoint-config",
            What::Model => "model",
            What::LogGroup => "log-group",
            What::GuardDutyEndpoint => "guardduty-endpoint",
            What::GuardDutyGroup => "guardduty-group",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    pub what: What,
    /// Its name or id at AWS.
    pub name: String,
}

impl Kind for Leftover {
    const NAME: &'static str = "leftover";
    const RULES: Rules = Rules {
        // AWS cleans up after an endpoint with the model's role.
        after: &["role"],
        poll_seconds: 10,
        limit_minutes: 60,
        effect_lag_seconds: 30,
        ..PLAIN
    };
    type Props = Props;
}

/// One that was found, and why it is the stack's.
fn seen(what: What, name: &str, why: impl Into<String>, state: State) -> Seen<Props> {
    Seen {
        name: format!("{}/{name}", what.word()),
        props: Props { what, name: name.into() },
        outputs: [("id".into(), name.into()), (WHY.into(), why.into().into())].into(),
        state,
        owned: true,
    }
}

impl Calls for Leftover {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        // What was found by what hangs on it is found by its own name when that has gone.
        match look.only {
            Some(name) => Ok(Box::pin(found::one(look.aws, name)).await?.into_iter().collect()),
            None => Box::pin(found::all(look)).await,
        }
    }

    async fn create(&self, _: &Aws, name: &str, _: &Props) -> Result<(), Failure> {
        Err(Failure::refused("create", format!("{name} is not the stack's to make (a bug)")))
    }

    async fn update(&self, _: &Aws, name: &str, _: Update<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused("update", format!("{name} is not the stack's to change (a bug)")))
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let Props { what, name } = &deletion.live;
        if let Some(endpoint) = found::user(aws, *what, name).await? {
            // A live endpoint keeps its configuration and goes on writing logs.
            return Err(Failure::busy("delete", format!("the endpoint {endpoint} still uses it")));
        }
        let answer = match what {
            What::Endpoint => {
                let request = aws.sagemaker.delete_endpoint().endpoint_name(name);
                request.send().await.during("DeleteEndpoint").map(|_| ())
            }
            What::EndpointConfig => {
                let request = aws.sagemaker.delete_endpoint_config().endpoint_config_name(name);
                request.send().await.during("DeleteEndpointConfig").map(|_| ())
            }
            What::Model => {
                let request = aws.sagemaker.delete_model().model_name(name);
                request.send().await.during("DeleteModel").map(|_| ())
            }
            What::LogGroup => {
                let request = aws.logs.delete_log_group().log_group_name(name);
                request.send().await.during("DeleteLogGroup").map(|_| ())
            }
            What::GuardDutyEndpoint => {
                let request = aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(name);
                request.send().await.during("DeleteVpcEndpoints").map(|_| ())
            }
            What::GuardDutyGroup => {
                let request = aws.ec2.delete_security_group().group_id(name);
                request.send().await.during("DeleteSecurityGroup").map(|_| ())
            }
        };
        already_ok(answer, Class::NotFound)
    }
}
