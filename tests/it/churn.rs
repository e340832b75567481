//! The articles' roads, from nothing to `SELECT will_churn(…)`, each from one spec.

use crate::harness::{Account, spec, spec_file};
use crate::lifecycle::make_foreign_cluster;
use auroraml::aws::Aws;
use auroraml_core::model::Intent;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_rdsdata::types::Field;

/// Whoever asks the database: an application with the cluster's secret.
struct Application {
    aws: std::sync::Arc<Aws>,
    cluster: String,
    secret: String,
    database: String,
}

impl Application {
    async fn of(account: &Account, spec: &Spec, cluster: &str) -> Application {
        let aws = account.administrator(spec).await.aws.clone();
        let found = aws.rds.describe_db_clusters().db_cluster_identifier(cluster).send().await.unwrap();
        let found = &found.db_clusters()[0];
        let managed = found.master_user_secret().and_then(|secret| secret.secret_arn().map(String::from));
        let cluster = found.db_cluster_arn().unwrap().to_string();
        let secret = managed.unwrap_or_else(|| aws.place.secret());
        let database = spec.database().unwrap().to_string();
        Application { cluster, secret, database, aws }
    }

    async fn ask(&self, sql: &str) -> Vec<Vec<Field>> {
        let request =
            self.aws.rdsdata.execute_statement().resource_arn(&self.cluster).secret_arn(&self.secret);
        let answer = request.database(&self.database).sql(sql).send().await;
        answer.unwrap_or_else(|error| panic!("{sql}: {error:?}")).records.unwrap_or_default()
    }
}

fn number(field: &Field) -> f64 {
    field.as_double_value().copied().or_else(|_| field.as_long_value().map(|n| *n as f64)).unwrap()
}

fn text(field: &Field) -> String {
    match field {
        Field::StringValue(text) => text.clone(),
        Field::BlobValue(bytes) => String::from_utf8(bytes.clone().into_inner()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Jobs of each sort that were ever started.
fn jobs(account: &Account) -> Vec<(&'static str, usize)> {
    ["CreateTrainingJob", "CreateHyperParameterTuningJob", "CreateAutoMLJobV2"]
        .map(|operation| {
            let made = |world: &mut auroraml_sandbox::World| {
                world.log.iter().filter(|entry| entry.operation == operation && entry.code.is_none()).count()
            };
            (operation, account.sandbox.with(made))
        })
        .into()
}

const WITH_TREES: &str = "will_churn(int_plan_no(int_plan), acc_length, vmail_msg, day_mins, eve_mins, night_mins, int_mins, int_calls, cust_service_calls)";

/// The second article: training with tuning. The endpoint tells those who leave from those who stay.
#[tokio::test(start_paused = true)]
async fn the_second_article_ends_with_a_prediction() {
    let (account, spec) = (Account::new(7, Mood::Real), spec(&spec_file("churn-xgboost.yaml")));
    account.apply(&spec).await;
    let application = Application::of(&account, &spec, "churn-xgboost").await;
    assert_eq!(number(&application.ask("SELECT COUNT(*) FROM churn").await[0][0]), 5000.0);
    let rows = application.ask(&format!("SELECT churn, AVG({WITH_TREES}) FROM churn GROUP BY churn")).await;
    let risk = |label: &str| number(&rows.iter().find(|row| text(&row[0]) == label).unwrap()[1]);
    assert!(risk("True.") > 1.5 * risk("False."), "{rows:?}");
    let both = format!(
        "SELECT aws_comprehend_detect_sentiment('You morons! You charged me extra again!', 'en'), {WITH_TREES} FROM churn WHERE cust_service_calls > 4 LIMIT 1"
    );
    let both = application.ask(&both).await;
    assert_eq!(text(&both[0][0]), "NEGATIVE");
    assert!((0.0..=1.0).contains(&number(&both[0][1])), "{both:?}");
    assert_eq!(
        jobs(&account),
        [("CreateTrainingJob", 0), ("CreateHyperParameterTuningJob", 1), ("CreateAutoMLJobV2", 0)]
    );
    account.destroy(&spec).await;
}

/// The first article, on a cluster of the stack's own and on one that is there already.
#[tokio::test(start_paused = true)]
async fn the_first_article_ends_with_true_or_false() {
    let own = spec_file("churn-autopilot.yaml");
    let network = own.find("\nnetwork:").unwrap()..own.find("\nbucket:").unwrap();
    let cluster = own.find("\naurora:").unwrap()..own.find("\nmachine_learning:").unwrap();
    let mut existing = own.clone();
    existing.replace_range(cluster, "\naurora: { existing: database-aurora-ml, database: mltest }\n");
    existing.replace_range(network, "");
    for (text_of, cluster) in [(own, "churn-autopilot"), (existing, "database-aurora-ml")] {
        let (account, spec) = (Account::new(7, Mood::Calm), spec(&text_of));
        if cluster == "database-aurora-ml" {
            make_foreign_cluster(&account, &spec.region, cluster, 2).await;
            let aws = account.administrator(&spec).await.aws.clone();
            let arn = aws.place.cluster_arn(cluster);
            aws.rds.enable_http_endpoint().resource_arn(arn).send().await.unwrap();
        }
        account.apply(&spec).await;
        let application = Application::of(&account, &spec, cluster).await;
        let arguments: Vec<&str> = spec.functions["will_churn"].arguments.names().collect();
        let asked =
            format!("SELECT churn, will_churn({}), COUNT(*) FROM churn GROUP BY 1, 2", arguments.join(", "));
        let rows = application.ask(&asked).await;
        assert!(rows.iter().all(|row| ["True.", "False."].contains(&text(&row[1]).as_str())), "{rows:?}");
        let right: f64 =
            rows.iter().filter(|row| text(&row[0]) == text(&row[1])).map(|row| number(&row[2])).sum();
        assert!(right > 4000.0, "{rows:?}");
        assert_eq!(jobs(&account)[2], ("CreateAutoMLJobV2", 1));
        account.destroy(&spec).await;
        if cluster == "database-aurora-ml" {
            // The rows are the user's.
            assert_eq!(number(&application.ask("SELECT COUNT(*) FROM churn").await[0][0]), 5000.0);
        }
    }
}

/// Another setting: another job and another model behind the same name; the function is not touched.
#[tokio::test(start_paused = true)]
async fn another_model_takes_over_behind_the_same_function() {
    let before = spec_file("churn.yaml");
    let after = before.replace("max_depth: \"4\"", "max_depth: \"6\"");
    assert_ne!(before, after);
    let (account, before, after) = (Account::new(7, Mood::Calm), spec(&before), spec(&after));
    account.apply(&before).await;
    let plan = account.plan(&after).await;
    let worked: Vec<(Action, &str)> = plan.work().map(|step| (step.action, step.id.kind)).collect();
    assert!(worked.contains(&(Action::Run, "training_job")), "{worked:?}");
    assert!(worked.contains(&(Action::Update, "endpoint")), "{worked:?}");
    assert!(
        worked.iter().all(|(_, kind)| !kind.starts_with("sql_") && !kind.starts_with("data_")),
        "{worked:?}"
    );
    account.apply(&after).await;
    assert_eq!(jobs(&account)[0], ("CreateTrainingJob", 2));
    // Back again: that job has run, and is not run again.
    account.apply(&before).await;
    assert_eq!(jobs(&account)[0], ("CreateTrainingJob", 2));
    account.assert_settled(&before, Intent::Apply).await;
    account.destroy(&before).await;
}
