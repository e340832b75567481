//! The SDK's clients, made in one place, and what all kinds need around them: the clock, names, tags,
//! error classes, shared listings.

mod attempts;
mod changes;
mod codes;
mod empty;
mod failure;
mod gate;
mod https;
pub mod ledger;
mod listing;
mod pace;
mod secret;
pub mod sql;
mod tags;
mod unencrypted;
mod whole;

pub use changes::{Call, Outcome, Scribe};
pub use failure::{Class, During, Failure, last_cause};
pub use gate::Gate;
pub use ledger::Ledger;
pub use listing::{Listings, Together};
pub use pace::Pace;
pub use secret::SecretText;
pub use sql::{Rows, Sent, Sql};
pub use tags::{tag_changes, tag_map};

use attempts::Attempts;
use auroraml_clock::Clock;
use auroraml_core::base::names::{KEY_TAG, Place, STACK_TAG};
use auroraml_core::model::Scope;
use auroraml_core::spec::is_reference;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::{
    AppName, AsyncSleep, Credentials, SharedAsyncSleep, SharedCredentialsProvider, Sleep,
};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use changes::Changes;
use empty::Empty;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// Gives the content of a local file that the spec names.
pub type FileSource = Arc<dyn Fn(&str) -> std::io::Result<Vec<u8>> + Send + Sync>;
/// Gives the value of an environment variable that the spec names for a password.
pub type PasswordSource = Arc<dyn Fn(&str) -> Option<SecretText> + Send + Sync>;

/// Tells a run to start nothing more and to end its waits.
pub type Stop = tokio::sync::watch::Receiver<bool>;

/// One stack's view of one account and region. Holds no state of the process: two can live side by side.
pub struct Aws {
    pub place: Place,
    pub scope: Scope,
    pub clock: Clock,
    pub cloudformation: aws_sdk_cloudformation::Client,
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    pub ec2: aws_sdk_ec2::Client,
    pub iam: aws_sdk_iam::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub pricing: aws_sdk_pricing::Client,
    pub rds: aws_sdk_rds::Client,
    pub rdsdata: aws_sdk_rdsdata::Client,
    pub s3: aws_sdk_s3::Client,
    pub sagemaker: aws_sdk_sagemaker::Client,
    pub secretsmanager: aws_sdk_secretsmanager::Client,
    pub servicequotas: aws_sdk_servicequotas::Client,
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    pub files: FileSource,
    pub passwords: PasswordSource,
    pub(crate) listings: Listings,
    /// ARN of whoever sends the requests.
    pub caller: String,
    /// Where leases and audits are kept.
    pub ledger: Arc<Ledger>,
    /// The endpoint that is used instead of AWS's own, if one is.
    pub endpoint: Option<String>,
    /// What was listed for all stacks of the account and region, where several are looked at.
    together: Option<Arc<Together>>,
    /// Templates that CloudFormation found to say what a stack's own says, by the stack's id.
    pub(crate) empty_updates: Empty,
    /// Whether this stack is being changed: then what was listed for all is too old for it.
    changes: AtomicBool,
    attempts: Attempts,
    passage: Changes,
}

/// What AWS's records call requests of ours, in their user agent.
pub(crate) const APP: &str = "auroraml";

/// Where to connect, and with what.
pub struct Connection {
    pub config: SdkConfig,
    /// A host other than this one to which requests may go by plain HTTP.
    pub plain_http: Option<String>,
    pub clock: Clock,
    pub files: FileSource,
    pub passwords: PasswordSource,
}

/// SDK configuration for a real account: profiles, SSO, OIDC, `AWS_ENDPOINT_URL` and the rest of the
/// ordinary AWS configuration apply.
pub async fn real_config(region: &str, profile: Option<&str>) -> SdkConfig {
    let http = https::https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .region(aws_config::Region::new(region.to_string()))
        .timeout_config(timeouts(1.0));
    if let Some(profile) = profile {
        // As in the AWS CLI: a profile that was asked for by name wins over keys in the environment, which the
        // SDK's own chain would take first. Otherwise `--profile prod` could work in another account.
        let with = ProviderConfig::default().with_http_client(http);
        let credentials = ProfileFileCredentialsProvider::builder().configure(&with);
        let credentials = credentials.profile_name(profile).build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    loader.load().await
}

/// SDK configuration for a simulated account behind `http`, on its clock.
pub fn simulated_config(region: &str, http: SharedHttpClient, clock: &Clock) -> SdkConfig {
    simulated_config_as("AKIDSANDBOX", region, http, clock)
}

/// The same for another caller, known by the access key id: somebody else who works in the same account.
pub fn simulated_config_as(
    access_key: &str,
    region: &str,
    http: SharedHttpClient,
    clock: &Clock,
) -> SdkConfig {
    simulated(access_key, region, clock).into_builder().http_client(http).build()
}

/// SDK configuration for a simulated account that another process serves at `endpoint`, on its clock.
pub fn served_config(region: &str, endpoint: &str, clock: &Clock) -> SdkConfig {
    // The socket and the process behind it do not run faster with the clock.
    let timeouts = timeouts(clock.speed().max(1.0));
    let config = simulated("AKIDSANDBOX", region, clock).into_builder();
    let config = config.endpoint_url(endpoint).http_client(https::https());
    let unhurried = StalledStreamProtectionConfig::disabled();
    config.timeout_config(timeouts).stalled_stream_protection(unhurried).build()
}

fn simulated(access_key: &str, region: &str, clock: &Clock) -> SdkConfig {
    let credentials = Credentials::new(access_key, "sandbox", None, None, "sandbox");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(region.to_string()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // Both from one clock: the SDK's stalled-stream protection reads the time while it sleeps.
        .sleep_impl(SharedAsyncSleep::new(ClockSleep(clock.clone())))
        .time_source(SharedTimeSource::new(ClockTime(clock.clone())))
        .timeout_config(timeouts(1.0))
        .build()
}

/// The longest that a request can take with all its attempts: all pauses between them, and an answer for each.
const ALL_ATTEMPTS_SECONDS: f64 = 1200.0;

/// How much longer an answer of the Data API may take than that of another service.
const STATEMENT_TIMES: f64 = 2.5;

/// Where the Pricing API is.
const PRICING_REGION: &str = "us-east-1";

/// The SDK has no read time-out of its own (fact book, section 7.2). `times` as long for a clock that runs so fast.
fn timeouts(times: f64) -> TimeoutConfig {
    let seconds = |seconds: f64| Duration::from_secs_f64(seconds * times);
    TimeoutConfig::builder()
        // The SDK's own value.
        .connect_timeout(seconds(3.1))
        .operation_attempt_timeout(seconds(30.0))
        .operation_timeout(seconds(ALL_ATTEMPTS_SECONDS))
        .build()
}

impl Aws {
    /// Asks who the caller is and makes the clients.
    ///
    /// # Errors
    /// When there are no usable credentials, or STS does not answer.
    pub async fn connect(connection: Connection, stack: &str, scope: Scope) -> Result<Aws, Failure> {
        let pace = Pace::alone(&connection.clock);
        Aws::make(connection, stack, scope, pace).await
    }

    /// The same for several stacks, each of which gets its view by [`Aws::of_another`]; no faster than `pace` says.
    ///
    /// # Errors
    /// When there are no usable credentials, or STS does not answer.
    pub async fn connect_many(connection: Connection, pace: Pace) -> Result<Aws, Failure> {
        let aws = Aws::make(connection, "", Scope::default(), pace).await?;
        Ok(Aws { together: Some(Arc::default()), ..aws })
    }

    /// Another stack's view of the same account and region, by the same connection.
    pub fn of_another(&self, stack: &str, scope: Scope, files: FileSource) -> Aws {
        Aws {
            place: Place { stack: stack.into(), names: scope.names.clone(), ..self.place.clone() },
            scope,
            clock: self.clock.clone(),
            cloudformation: self.cloudformation.clone(),
            cloudtrail: self.cloudtrail.clone(),
            ec2: self.ec2.clone(),
            iam: self.iam.clone(),
            logs: self.logs.clone(),
            pricing: self.pricing.clone(),
            rds: self.rds.clone(),
            rdsdata: self.rdsdata.clone(),
            s3: self.s3.clone(),
            sagemaker: self.sagemaker.clone(),
            secretsmanager: self.secretsmanager.clone(),
            servicequotas: self.servicequotas.clone(),
            tagging: self.tagging.clone(),
            files,
            passwords: self.passwords.clone(),
            caller: self.caller.clone(),
            listings: Listings::default(),
            together: self.together.clone(),
            ledger: self.ledger.clone(),
            endpoint: self.endpoint.clone(),
            empty_updates: Empty::default(),
            changes: AtomicBool::new(false),
            attempts: self.attempts.clone(),
            passage: self.passage.clone(),
        }
    }

    /// The same view with a gate and an audit of its own, where other stacks share the connection.
    pub fn of_its_own(&self) -> Aws {
        let passage = Changes::new(&self.clock);
        macro_rules! own {
            ($sdk:ident, $client:ident) => {
                $sdk::Client::from_conf(
                    self.$client.config().to_builder().interceptor(passage.clone()).build(),
                )
            };
        }
        Aws {
            cloudformation: own!(aws_sdk_cloudformation, cloudformation),
            ec2: own!(aws_sdk_ec2, ec2),
            iam: own!(aws_sdk_iam, iam),
            logs: own!(aws_sdk_cloudwatchlogs, logs),
            rds: own!(aws_sdk_rds, rds),
            rdsdata: own!(aws_sdk_rdsdata, rdsdata),
            s3: own!(aws_sdk_s3, s3),
            sagemaker: own!(aws_sdk_sagemaker, sagemaker),
            secretsmanager: own!(aws_sdk_secretsmanager, secretsmanager),
            servicequotas: own!(aws_sdk_servicequotas, servicequotas),
            tagging: own!(aws_sdk_resourcegroupstagging, tagging),
            passage,
            ..self.of_another(&self.place.stack, self.scope.clone(), self.files.clone())
        }
    }

    async fn make(connection: Connection, stack: &str, scope: Scope, pace: Pace) -> Result<Aws, Failure> {
        let config = &connection.config;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let (attempts, partition) = (Attempts::default(), Attempts::partition());
        let passage = Changes::new(&connection.clock);
        let encrypted = unencrypted::Encrypted { allowed: connection.plain_http };
        macro_rules! builder {
            ($sdk:ident) => {{
                let mut builder = $sdk::config::Builder::from(config)
                    .interceptor(encrypted.clone())
                    .interceptor(attempts.clone())
                    .interceptor(passage.clone())
                    .retry_partition(partition.clone());
                builder.set_app_name(AppName::new(APP).ok());
                builder
            }};
        }
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(builder!($sdk).build())
            };
        }
        // No faster than AWS lets an account ask.
        macro_rules! paced {
            ($sdk:ident, $bucket:expr) => {{
                use $sdk::config::endpoint::{DefaultResolver, ResolveEndpoint};
                let mut builder = builder!($sdk);
                if let Some(bucket) = $bucket {
                    let resolver = bucket.before(DefaultResolver::new().into_shared_resolver());
                    builder.set_endpoint_resolver(Some(resolver));
                }
                $sdk::Client::from_conf(builder.build())
            }};
        }
        let caller = client!(aws_sdk_sts).get_caller_identity().send().await.during("GetCallerIdentity")?;
        let account = caller.account().unwrap_or_default().to_string();
        let caller = caller.arn().unwrap_or_default().to_string();
        // A lease is renewed, and an audit written, whether or not the stack may be changed.
        let ledger = aws_sdk_s3::config::Builder::from(config)
            .interceptor(encrypted.clone())
            .interceptor(attempts.clone())
            .retry_partition(partition.clone())
            .force_path_style(config.endpoint_url().is_some());
        // The Data API answers after 45 s at the latest, and whoever gives up earlier does not know what became of the
        // statement (fact book, section 1.11: a client waits for 60 s or more).
        let rdsdata = match config.timeout_config() {
            None => builder!(aws_sdk_rdsdata).build(),
            Some(timeouts) => {
                let longer = timeouts.operation_attempt_timeout().map(|time| time.mul_f64(STATEMENT_TIMES));
                let mut timeouts = timeouts.to_builder();
                timeouts.set_operation_attempt_timeout(longer);
                builder!(aws_sdk_rdsdata).timeout_config(timeouts.build()).build()
            }
        };
        // Prices of every region are asked for in one of a few (fact book, section 9.2).
        let pricing = builder!(aws_sdk_pricing).region(aws_config::Region::new(PRICING_REGION)).build();
        // Buckets have host names of their own only at AWS itself, not behind an endpoint URL.
        let s3 = builder!(aws_sdk_s3).force_path_style(config.endpoint_url().is_some()).build();
        Ok(Aws {
            place: Place::new(stack, region, account).with(scope.names.clone()),
            scope,
            clock: connection.clock,
            cloudformation: client!(aws_sdk_cloudformation),
            cloudtrail: paced!(aws_sdk_cloudtrail, pace.cloudtrail),
            ec2: paced!(aws_sdk_ec2, pace.ec2),
            iam: paced!(aws_sdk_iam, pace.iam),
            logs: client!(aws_sdk_cloudwatchlogs),
            pricing: aws_sdk_pricing::Client::from_conf(pricing),
            rds: paced!(aws_sdk_rds, pace.rds),
            rdsdata: aws_sdk_rdsdata::Client::from_conf(rdsdata),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sagemaker: paced!(aws_sdk_sagemaker, pace.sagemaker),
            secretsmanager: client!(aws_sdk_secretsmanager),
            servicequotas: client!(aws_sdk_servicequotas),
            tagging: client!(aws_sdk_resourcegroupstagging),
            files: connection.files,
            passwords: connection.passwords,
            caller,
            listings: Listings::default(),
            ledger: Arc::new(Ledger::new(ledger.build())),
            endpoint: config.endpoint_url().map(str::to_string),
            together: None,
            empty_updates: Empty::default(),
            changes: AtomicBool::new(false),
            attempts,
            passage,
        })
    }

    /// From now on this stack is changed, and requests that do so are not repeated once `stop` is ordered.
    pub(crate) fn heed(&self, stop: Stop) {
        self.changes.store(true, Ordering::Relaxed);
        self.attempts.heed(stop);
    }

    /// Opens and closes the way for requests that change something.
    pub fn gate(&self) -> &Gate {
        &self.passage.gate
    }

    /// From now on every request that changes something is told to `scribe`.
    pub fn write_changes_to(&self, scribe: Scribe) {
        self.passage.write_to(scribe);
    }

    /// How many requests that change something were sent.
    pub fn changes_sent(&self) -> u64 {
        self.passage.sent()
    }

    /// Identifier of the stack's cluster, its own or the existing one. RDS stores identifiers in lower case.
    pub fn cluster(&self) -> String {
        self.scope.existing_cluster.as_deref().map_or_else(|| self.place.cluster(), str::to_ascii_lowercase)
    }
    pub fn bucket(&self) -> String {
        self.scope.bucket.clone().unwrap_or_else(|| self.place.bucket())
    }
}

/// One look at AWS: what is asked for, and how fresh the answer must be.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub aws: &'a Aws,
    /// Answers to requests sent before this time (milliseconds since the Unix epoch) are too old.
    pub as_of: u64,
    /// Details are wanted of this resource only; all are when it is `None`.
    pub only: Option<&'a str>,
    pub inside: Inside,
}

/// How far a look goes into the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Whether it goes there at all.
    pub looks: bool,
    /// Whether a cluster that pauses may be woken for it.
    pub wakes: bool,
    /// Whether the stack goes, so that only what goes with it matters.
    pub leaves: bool,
}

impl<'a> Look<'a> {
    /// A look of whoever is about to change something.
    pub fn for_a_change(aws: &'a Aws) -> Look<'a> {
        let inside = Inside { looks: true, wakes: true, leaves: false };
        Look { aws, as_of: aws.clock.now_ms(), only: None, inside }
    }
    /// Whether details of the resource called `name` are wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_none_or(|only| only == name)
    }
    /// One listing, shared by all who look at the same time.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub async fn shared<T, F>(&self, name: &'static str, fetch: F) -> Result<Arc<T>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>>,
    {
        self.aws.listings.get(name, self.as_of, &self.aws.clock, fetch).await
    }
    /// One listing for all stacks, where several are looked at; `None` where not, and where whoever asks may see only some.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(crate) async fn for_all<T, F>(&self, name: &'static str, fetch: F) -> Result<Option<Arc<T>>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>>,
    {
        match &self.aws.together {
            Some(together) if self.is_shared() => {
                together.get(name, self.as_of, &self.aws.clock, fetch).await
            }
            _ => Ok(None),
        }
    }
    /// Whether listings for all stacks do.
    pub(crate) fn is_shared(&self) -> bool {
        self.aws.together.is_some() && self.only.is_none() && !self.aws.changes.load(Ordering::Relaxed)
    }
}

/// Whether an object with these tags belongs to the stack.
pub fn owns(place: &Place, tags: &BTreeMap<String, String>) -> bool {
    owns_or(place, tags, false)
}

/// The same where something else than its tags may prove that it is the stack's, such as an IAM path that nobody else
/// uses: then one that has lost the stack's tag is taken back. Another stack's tag proves the contrary.
pub fn owns_or(place: &Place, tags: &BTreeMap<String, String>, is_proven: bool) -> bool {
    tags.get(STACK_TAG).map_or(is_proven, |stack| *stack == place.stack)
}

/// The key of an object that has these tags, where the spec or a tag tells of one. AWS gives it as it was given: as an ARN
/// or as an id alone.
pub fn key_of(aws: &Aws, tags: &BTreeMap<String, String>, live: Option<&str>) -> Option<String> {
    // Of one that a template makes, the tag alone has the ARN.
    let told = aws.scope.kms_key.as_ref().filter(|key| !is_reference(key)).or(tags.get(KEY_TAG))?;
    let live = live.filter(|key| !key.is_empty())?;
    let is_same = told.strip_suffix(live).is_some_and(|start| start.ends_with('/'));
    Some(if is_same { told.clone() } else { live.to_string() })
}

#[derive(Debug)]
struct ClockSleep(Clock);
impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

#[derive(Debug)]
struct ClockTime(Clock);
impl TimeSource for ClockTime {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}
