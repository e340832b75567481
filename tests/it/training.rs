//! Models that jobs make: from nothing to an endpoint that answers, and what is told when a job does not end well.

use crate::harness::{Account, Recorder, spec};
use crate::lifecycle::stays;
use auroraml::aws::simulated_config;
use auroraml::run::reconcile::{Outcome, PrepareError};
use auroraml_core::events::Event;
use auroraml_core::model::{Intent, Preflight};
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::wire::Request;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const REGION: &str = "us-east-1";

/// Rows of customers: state, account length, calls, and whether they left. Who calls often leaves; a few do otherwise.
pub fn customers(count: usize) -> Vec<(&'static str, usize, usize, bool)> {
    let customer = |n: usize| {
        let calls = (n * 7 + n / 11) % 10;
        let odd = n.is_multiple_of(23);
        (["KS", "OH", "NJ", "CA"][n % 4], 40 + (n * 13) % 160, calls, (calls > 6) != odd)
    };
    (0..count).map(customer).collect()
}

/// As XGBoost wants them: the label first, numbers, no header.
pub fn numbers(rows: &[(&str, usize, usize, bool)]) -> String {
    rows.iter().map(|(_, length, calls, left)| format!("{},{length},{calls}\n", u8::from(*left))).collect()
}

/// As Autopilot wants them: a header, texts.
fn table(rows: &[(&str, usize, usize, bool)]) -> String {
    let row = |(state, length, calls, left): &(&str, usize, usize, bool)| {
        format!("{state},{length},{calls},{}\n", if *left { "True." } else { "False." })
    };
    format!("State,Length,Calls,Churn\n{}", rows.iter().map(row).collect::<String>())
}

/// Puts an object into a bucket of somebody else in the account, which is made if need be.
pub async fn put(account: &Account, uri: &str, text: &str) {
    let config = simulated_config(REGION, account.sandbox.http_client(), &account.sandbox.clock());
    let s3 = aws_sdk_s3::Client::new(&config);
    let (bucket, key) = uri.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    // In us-east-1 a bucket that is there already is no error.
    s3.create_bucket().bucket(bucket).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(120)).await;
    s3.put_object().bucket(bucket).key(key).body(text.as_bytes().to_vec().into()).send().await.unwrap();
}

/// An account with the rows that the specs of these tests name.
pub async fn with_rows(seed: u64, mood: Mood) -> Account {
    let account = Account::new(seed, mood);
    let rows = customers(900);
    put(&account, "s3://churn-data/train/part-0.csv", &numbers(&rows[..700])).await;
    put(&account, "s3://churn-data/validation/part-0.csv", &numbers(&rows[700..])).await;
    put(&account, "s3://churn-data/with-header/part-0.csv", &table(&rows)).await;
    put(&account, "s3://churn-models/README", "models").await;
    account
}

/// What an endpoint answers, as InvokeEndpoint has it: status and body.
pub async fn invoke(account: &Account, endpoint: &str, csv: &str) -> (u16, String) {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDSANDBOX/20260101/{REGION}/sagemaker/aws4_request, Signature=0"
    );
    let headers = BTreeMap::from([
        ("authorization".to_string(), scope),
        ("content-type".to_string(), "text/csv".to_string()),
        ("host".to_string(), format!("runtime.sagemaker.{REGION}.amazonaws.com")),
    ]);
    let request = Request {
        method: "POST".into(),
        path: format!("/endpoints/{endpoint}/invocations"),
        headers,
        body: csv.as_bytes().to_vec(),
        ..Request::default()
    };
    let answer = account.sandbox.serve(request).await.unwrap();
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// Likewise, as a number for each row.
pub async fn scores(account: &Account, endpoint: &str, csv: &str) -> Vec<f64> {
    let (status, body) = invoke(account, endpoint, csv).await;
    assert_eq!(status, 200, "{body}");
    body.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// How many jobs of each sort were ever started by auroraml: training, tuning, Autopilot.
pub fn jobs(world: &World) -> [usize; 3] {
    let sagemaker = &world.regions[REGION].sagemaker;
    let own = sagemaker.training_jobs.values().filter(|job| job.tuning_job.is_none()).count();
    [own, sagemaker.tuning_jobs.len(), sagemaker.automl_jobs.len()]
}

fn trained() -> Spec {
    spec(&std::fs::read_to_string("tests/data/trained.yaml").unwrap())
}

/// One endpoint whose model a training job makes.
pub fn one(settings: &str) -> Spec {
    spec(&format!(
        "
stack: shop
region: {REGION}
bucket: {{ on_destroy: empty }}
endpoints:
  churn:
    model:
      training:
        image: \"xgboost:1.7-1\"
        data: \"s3://churn-data/train/\"
        hyperparameters: {{ num_round: 30, objective: binary:logistic, eval_metric: auc{settings} }}
    instance: ml.m5.large
"
    ))
}

pub async fn run(account: &Account, spec: &Spec) -> (Outcome, Arc<Recorder>) {
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(spec, Intent::Apply, listener.clone()).await;
    (outcome, listener)
}

/// Why the only step that failed did.
fn why(outcome: &Outcome) -> String {
    let failed = &outcome.reports.last().unwrap().failed;
    assert_eq!(failed.len(), 1, "{failed:?}");
    format!("{}: {}", failed[0].0.kind, failed[0].1)
}

/// What was said while waiting for things of this kind.
fn waits(listener: &Recorder, kind: &str) -> Vec<String> {
    let told = listener.0.lock().unwrap();
    let said = told.iter().filter_map(|(_, event)| match event {
        Event::Waiting { id, why } if id.kind == kind => Some(why.clone()),
        _ => None,
    });
    said.collect()
}

#[tokio::test(start_paused = true)]
async fn every_origin_comes_to_an_endpoint_that_answers() {
    for (seed, mood) in [(1, Mood::Calm), (2, Mood::Real), (3, Mood::Real)] {
        let account = with_rows(seed, mood).await;
        let spec = trained();
        let listener = account.apply(&spec).await;
        assert_eq!(jobs(&account.sandbox.world()), [1, 1, 1]);
        // Who calls often leaves: the answers follow the rows, from the weights that the jobs have learned.
        for endpoint in ["plain", "tuned"] {
            let found = scores(&account, endpoint, "100,9\n100,1\n").await;
            assert!(found[0] > 0.5 && found[1] < 0.3, "{endpoint}: {found:?}");
            let (status, body) = invoke(&account, endpoint, "100\n").await;
            assert_eq!(status, 424, "{body}");
            assert!(body.contains("expected: 2, got 1"), "{body}");
        }
        let labels = invoke(&account, "found", "KS,100,9\nOH,90,1\n").await;
        assert_eq!(labels, (200, "True.\nFalse.\n".into()), "one column, the label");
        let (status, body) = invoke(&account, "pipeline", "1,2,3\n").await;
        assert!(status == 200 && body.trim().parse::<f64>().is_ok(), "{status} {body}");
        // What people see meanwhile.
        let (training, tuning, autopilot) = (
            waits(&listener, "training_job"),
            waits(&listener, "tuning_job"),
            waits(&listener, "autopilot_job"),
        );
        assert!(training.iter().any(|why| why.starts_with("training for ")), "{training:?}");
        assert!(
            tuning.iter().any(|why| why.contains(" of 4 training jobs done, best so far validation:auc 0.")),
            "{tuning:?}"
        );
        assert!(
            autopilot
                .iter()
                .any(|why| why.starts_with("training candidates, ")
                    && why.contains(" done, best so far F1 0.")),
            "{autopilot:?}"
        );
        // Nothing but the records of the jobs is left.
        account.destroy(&spec).await;
        let left: Vec<String> =
            account.traces(&spec).into_iter().filter(|path| !stays(&spec, path)).collect();
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(jobs(&account.sandbox.world()), [1, 1, 1]);
    }
}

/// The best of the jobs that a tuning job has run is the one that is served.
#[tokio::test(start_paused = true)]
async fn the_best_training_job_is_served() {
    let account = with_rows(4, Mood::Calm).await;
    account.apply(&trained()).await;
    let world = account.sandbox.world();
    let sagemaker = &world.regions[REGION].sagemaker;
    let tried: Vec<_> = sagemaker.training_jobs.values().filter(|job| job.tuning_job.is_some()).collect();
    assert_eq!(tried.len(), 4);
    let metric = |job: &auroraml_sandbox::sagemaker::TrainingJob| {
        job.metrics.iter().find(|(name, _)| name == "validation:auc").unwrap().1
    };
    let best = tried.iter().map(|job| metric(job)).fold(0.0, f64::max);
    let served = sagemaker.models.values().find(|model| model.name.contains("-tuned-")).unwrap();
    let artifact = served.definition["PrimaryContainer"]["ModelDataUrl"].as_str().unwrap();
    let job = tried.iter().find(|job| artifact.contains(&format!("/{}/", job.name))).unwrap();
    assert_eq!(metric(job), best);
    assert!(artifact.starts_with("s3://churn-models/tuned/"), "{artifact}");
    // Each was given values within the ranges, and no name is longer than AWS takes.
    for job in tried {
        let given = &job.definition["HyperParameters"];
        let depth: u32 = given["max_depth"].as_str().unwrap().parse().unwrap();
        let eta: f64 = given["eta"].as_str().unwrap().parse().unwrap();
        assert!((3..=8).contains(&depth) && (0.01..=0.3).contains(&eta), "{given}");
        assert!(job.name.len() <= 63);
    }
    assert!(sagemaker.automl_jobs.values().all(|job| job.name.len() <= 32));
}

/// The plan is there before the job has run, and says what it is.
#[tokio::test(start_paused = true)]
async fn the_plan_comes_before_the_job() {
    let account = with_rows(1, Mood::Calm).await;
    let plan = account.plan(&one("")).await;
    let steps: Vec<(&str, Action)> = plan.work().map(|step| (step.id.kind, step.action)).collect();
    assert!(steps.contains(&("training_job", Action::Run)), "{steps:?}");
    assert!(steps.contains(&("model", Action::Create)) && steps.contains(&("endpoint", Action::Create)));
    // What does not change what is learned is no reason for another job.
    account.apply(&one("")).await;
    for (old, new) in [
        ("instance: ml.m5.large", "instance: ml.m5.large\n    count: 2"),
        (
            "        image:",
            "        spot: true\n        max_runtime: 2h\n        instance: ml.m5.xlarge\n        image:",
        ),
    ] {
        let base = format!(
            "stack: shop\nregion: {REGION}\nbucket: {{ on_destroy: empty }}\nendpoints:\n  churn:\n    model:\n      training:\n        image: \"xgboost:1.7-1\"\n        data: \"s3://churn-data/train/\"\n        hyperparameters: {{ num_round: 30, objective: binary:logistic, eval_metric: auc }}\n    instance: ml.m5.large\n"
        );
        let plan = account.plan(&spec(&base.replacen(old, new, 1))).await;
        assert_eq!(plan.count(Action::Run), 0, "{new}");
    }
    assert_eq!(account.plan(&one(", eta: 0.5")).await.count(Action::Run), 1);
}

/// Found before anything is made: a job would find it after minutes.
#[tokio::test(start_paused = true)]
async fn rows_that_are_not_there() {
    let account = Account::new(1, Mood::Calm);
    let before = account.mutations();
    let problem = |found: Result<auroraml::run::reconcile::Prepared, PrepareError>| match found {
        Err(PrepareError::Preflight(problems)) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            let Preflight { what, why, hint, .. } = &problems[0];
            format!("{what}: {why}; {hint}")
        }
        other => panic!("{:?}", other.map(|prepared| prepared.plan)),
    };
    let expected = "training_job.churn-a4950615: there is nothing under s3://churn-data/train/; upload the rows, or \
                    correct `data` and `validation`";
    assert_eq!(problem(account.prepare(&one(""), Intent::Apply).await), expected, "no such bucket");
    assert_eq!(account.mutations(), before);
    put(&account, "s3://churn-data/trains/part-0.csv", "1,2\n").await;
    assert_eq!(problem(account.prepare(&one(""), Intent::Apply).await), expected, "no such object");
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_says_why_and_is_repeated_when_told_so() {
    let account = with_rows(1, Mood::Calm).await;
    put(&account, "s3://churn-data/train/part-0.csv", "Churn,Calls\n1,2\n").await;
    let spec = one("");
    let (outcome, _) = run(&account, &spec).await;
    let text = why(&outcome);
    assert!(
        text.starts_with(
            "training_job: it failed: AlgorithmError: framework error: UserError: Non-numeric value 'Churn' found in \
             the header line 'Churn,Calls...' of file 'part-0.csv'."
        ),
        "{text}"
    );
    assert!(text.ends_with("; running it again starts from the beginning, usually 4 minutes"), "{text}");
    assert_eq!(jobs(&account.sandbox.world()), [1, 0, 0], "it is not repeated by itself");
    let plan = account.plan(&spec).await;
    let step = plan.work().find(|step| step.id.kind == "training_job").unwrap();
    assert_eq!(step.action, Action::Run);
    assert!(step.reason.as_ref().unwrap().contains("Non-numeric value"), "{:?}", step.reason);
    // Better rows under the same address: another attempt, under another name.
    put(&account, "s3://churn-data/train/part-0.csv", &numbers(&customers(300))).await;
    account.apply(&spec).await;
    let world = account.sandbox.world();
    let names: Vec<&String> = world.regions[REGION].sagemaker.training_jobs.keys().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(*names[1], format!("{}-2", names[0]));
    assert_eq!(invoke(&account, "churn", "100,9\n").await.0, 200);
    account.destroy(&spec).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_takes_too_long_says_what_to_change() {
    let account = with_rows(1, Mood::Calm).await;
    let mut spec = one("");
    let model = spec.endpoints.get_mut("churn").unwrap().model.as_mut().unwrap();
    model.training.as_mut().unwrap().max_runtime = "1m".into();
    let (outcome, _) = run(&account, &spec).await;
    let text = why(&outcome);
    let expected = "it failed: AWS stopped it after 1 min, its `max_runtime`: increase that, or use a larger `instance`; ";
    assert!(text.contains(expected), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_tuning_job_of_which_nothing_comes_says_why() {
    let account = with_rows(1, Mood::Calm).await;
    account.sandbox.with(|world| {
        let sagemaker = &mut world.regions.get_mut(REGION).unwrap().sagemaker;
        sagemaker.failing_jobs.insert("tuned".into(), "InternalServerError: try again".into());
    });
    let mut spec = trained();
    spec.endpoints.retain(|name, _| name == "tuned");
    let (outcome, _) = run(&account, &spec).await;
    let text = why(&outcome);
    assert!(
        text.contains("All training jobs failed.")
            && text.contains("The first of them: InternalServerError: try again"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn autopilot_at_its_limit() {
    let mut spec = trained();
    spec.endpoints.retain(|name, _| name == "found");
    let limit = |spec: &mut Spec, time: &str| {
        let model = spec.endpoints.get_mut("found").unwrap().model.as_mut().unwrap();
        model.autopilot.as_mut().unwrap().max_runtime = time.into();
    };
    // Nothing is ready by then.
    let account = with_rows(1, Mood::Calm).await;
    limit(&mut spec, "10m");
    let (outcome, _) = run(&account, &spec).await;
    let text = why(&outcome);
    assert!(
        text.contains("reached MaxAutoMLJobRuntimeInSeconds before any candidate was trained")
            && text.ends_with("usually 90 minutes"),
        "{text}"
    );
    // With more time, which is another job, the best so far is taken.
    limit(&mut spec, "20m");
    account.apply(&spec).await;
    assert_eq!(invoke(&account, "found", "KS,100,9\n").await, (200, "True.\n".into()));
    let world = account.sandbox.world();
    assert_eq!(jobs(&world), [0, 0, 2]);
    let ended = world.regions[REGION].sagemaker.automl_jobs.values();
    let limited = ended.filter(|job| job.ending == auroraml_sandbox::sagemaker::Finish::MaxRuntime);
    assert_eq!(limited.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_nothing() {
    let account = with_rows(1, Mood::Calm).await;
    let spec = one("");
    let quota = "ml.m5.large for training job usage";
    let region = |change: &dyn Fn(&mut auroraml_sandbox::Region)| {
        account.sandbox.with(|world| change(world.regions.entry(REGION.into()).or_default()));
    };
    region(&|region| {
        region.servicequotas.overrides.insert(format!("sagemaker/{quota}"), 0.0);
    });
    let before = account.mutations();
    match account.prepare(&spec, Intent::Apply).await {
        Err(PrepareError::Preflight(problems)) => {
            assert_eq!(problems[0].what, format!("SageMaker quota \"{quota}\""));
            assert_eq!(problems[0].why, "it is 0 in us-east-1, and this stack needs 1");
            assert!(problems[0].hint.contains("L-611FA074"), "{}", problems[0].hint);
        }
        other => panic!("{:?}", other.map(|prepared| prepared.plan)),
    }
    assert_eq!(account.mutations(), before);
    // Where Service Quotas says nothing of it, AWS refuses the job, and the plan is not to blame.
    region(&|region| {
        region.servicequotas.overrides.clear();
        region.sagemaker.instance_limits.insert(quota.into(), 0);
    });
    let (outcome, _) = run(&account, &spec).await;
    let text = why(&outcome);
    assert!(text.contains("ResourceLimitExceeded") && text.contains(quota), "{text}");
    assert_eq!(jobs(&account.sandbox.world()), [0, 0, 0]);
}

/// A run that is killed in the midst of a job leaves it running: the next one takes it up, a destroy ends it.
#[tokio::test(start_paused = true)]
async fn what_runs_is_taken_up_or_stopped() {
    let account = with_rows(1, Mood::Calm).await;
    let spec = one("");
    let killed = tokio::time::timeout(Duration::from_secs(90), run(&account, &spec)).await;
    assert!(killed.is_err());
    assert_eq!(jobs(&account.sandbox.world()), [1, 0, 0]);
    // From here on the time of all three lives is one: each begins where the killed run left off.
    let left = account.sandbox.world();
    let plan = Account::over(left.clone()).plan(&spec).await;
    let step = plan.work().find(|step| step.id.kind == "training_job").unwrap();
    assert_eq!((step.action, step.reason.as_deref()), (Action::Recheck, Some("starting an instance")));
    let resumed = Account::over(left.clone());
    resumed.apply(&spec).await;
    assert_eq!(jobs(&resumed.sandbox.world()), [1, 0, 0], "it was not started twice");
    let ended = Account::over(left);
    let listener = ended.destroy(&spec).await;
    assert!(listener.text().contains("what: \"stop\""), "{}", listener.text());
    let world = ended.sandbox.world();
    let job = world.regions[REGION].sagemaker.training_jobs.values().next().unwrap().clone();
    assert_eq!(job.ending, auroraml_sandbox::sagemaker::Ending::Stopped);
}

/// The same of jobs of every sort, under the policy for a destroy.
#[tokio::test(start_paused = true)]
async fn every_sort_of_job_is_stopped() {
    let account = with_rows(1, Mood::Calm).await;
    let spec = spec(&std::fs::read_to_string("tests/data/trained.yaml").unwrap());
    let killed = tokio::time::timeout(Duration::from_secs(90), run(&account, &spec)).await;
    assert!(killed.is_err());
    account.destroy(&spec).await;
    let world = account.sandbox.world();
    for operation in ["StopTrainingJob", "StopHyperParameterTuningJob", "StopAutoMLJob"] {
        assert!(world.log.iter().any(|entry| entry.operation == operation), "{operation}");
    }
}

/// What stands in the plan of a destroy.
#[tokio::test(start_paused = true)]
async fn a_destroy_says_what_stays() {
    let account = with_rows(1, Mood::Calm).await;
    let spec = one("");
    account.apply(&spec).await;
    let prepared = account.prepare(&spec, Intent::Destroy { unprotect: true }).await.unwrap();
    assert!(
        prepared.plan.notes.iter().any(|note| note.contains("records of finished jobs")),
        "{:?}",
        prepared.plan.notes
    );
    assert_eq!(prepared.plan.count(Action::Stop), 0);
}

/// A destroy empties the bucket, and the models of the jobs with it; AWS keeps the jobs' records. Whoever applies again
/// is told that the jobs are repeated.
#[tokio::test(start_paused = true)]
async fn a_stack_that_was_destroyed_comes_again() {
    let account = with_rows(1, Mood::Calm).await;
    let mut spec = trained();
    spec.endpoints.retain(|name, _| ["plain", "found"].contains(&name.as_str()));
    account.apply(&spec).await;
    account.destroy(&spec).await;
    let plan = account.plan(&spec).await;
    for kind in ["training_job", "autopilot_job"] {
        let step = plan.work().find(|step| step.id.kind == kind).unwrap();
        let reason = step.reason.as_deref().unwrap_or_default();
        assert!(
            step.action == Action::Run
                && reason.contains(
                    "its model is no longer at s3://trained-sagemaker-111122223333-us-east-1/auroraml/jobs/"
                )
                && reason.contains("; running it again starts from the beginning"),
            "{kind}: {reason}"
        );
    }
    account.apply(&spec).await;
    assert_eq!(jobs(&account.sandbox.world()), [2, 0, 2]);
    assert_eq!(invoke(&account, "found", "KS,100,9\n").await, (200, "True.\n".into()));
    // Where the endpoint has its model, a job is not repeated because somebody tidies the bucket.
    account.sandbox.with(|world| {
        let bucket = world.global.s3.buckets.get_mut("trained-sagemaker-111122223333-us-east-1").unwrap();
        bucket.objects.clear();
    });
    assert!(account.plan(&spec).await.is_empty());
}

/// From a table in the database: rows are unloaded, jobs learn from them, and the next plan is empty.
#[tokio::test(start_paused = true)]
async fn jobs_learn_from_what_was_unloaded() {
    let account = with_rows(1, Mood::Calm).await;
    let spec = spec(&std::fs::read_to_string("tests/data/unloaded.yaml").unwrap());
    account.apply(&spec).await;
    assert_eq!(jobs(&account.sandbox.world()), [1, 1, 1]);
    for endpoint in ["plain", "single"] {
        let found = scores(&account, endpoint, "100,9\n100,1\n").await;
        assert!(found[0] > 0.5 && found[1] < 0.3, "{endpoint}: {found:?}");
    }
    assert_eq!(invoke(&account, "found", "KS,100,9\nOH,90,1\n").await, (200, "True.\nFalse.\n".into()));
    // Other rows are another unload, and so other jobs.
    let text = std::fs::read_to_string("tests/data/unloaded.yaml").unwrap();
    let fewer = crate::harness::spec(&text.replace("FROM churn\"", "FROM churn WHERE length > 60\""));
    let plan = account.plan(&fewer).await;
    let again: Vec<&str> =
        plan.work().filter(|step| step.action == Action::Run).map(|step| step.id.kind).collect();
    assert_eq!(again, ["data_unload", "training_job", "tuning_job"]);
    account.destroy(&spec).await;
    let left: Vec<String> = account.traces(&spec).into_iter().filter(|path| !stays(&spec, path)).collect();
    assert_eq!(left, Vec::<String>::new());
}
