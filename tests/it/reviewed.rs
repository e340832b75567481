//! A plan that was reviewed is carried out, and nothing else.

use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::aws::simulated_config_as;
use auroraml_core::model::{Intent, Order};
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

/// While a notebook changes, somebody takes a policy away that the plan does not touch.
#[tokio::test(start_paused = true)]
async fn later_rounds_do_only_what_was_reviewed() {
    let text = spec_file("churn.yaml");
    let changed = spec(&text.replace("ml.t3.medium", "ml.t3.large"));
    for reviewed in [true, false] {
        let account = Account::new(1, Mood::Calm);
        account.apply(&spec(&text)).await;
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let config = simulated_config_as("AKIDSOMEBODYELSE", &changed.region, http, &clock);
        let iam = aws_sdk_iam::Client::new(&config);
        let somebody = async {
            clock.sleep(Duration::from_secs(60)).await;
            let found = iam.list_roles().path_prefix("/auroraml/").send().await.unwrap();
            let role = found.roles().iter().find(|role| role.role_name().ends_with("comprehend")).unwrap();
            let name = role.role_name();
            let policies = iam.list_role_policies().role_name(name).send().await.unwrap();
            for policy in policies.policy_names() {
                iam.delete_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
            }
        };
        let order = Order { reviewed, ..Intent::Apply.into() };
        let recorder = Arc::new(Recorder::default());
        let run = Box::pin(account.run(&changed, order, recorder.clone()));
        let (outcome, ()) = tokio::join!(run, somebody);
        let left: Vec<String> = outcome.remaining.work().map(|step| step.id.to_string()).collect();
        let unreviewed: Vec<String> = outcome.unreviewed.iter().map(ToString::to_string).collect();
        if reviewed {
            assert!(!outcome.is_complete() && outcome.reports.len() == 1, "{}", recorder.text());
            assert_eq!((left, unreviewed), (vec!["role.comprehend".into()], vec!["role.comprehend".into()]));
        } else {
            assert!(outcome.is_complete() && outcome.reports.len() == 2, "{}", recorder.text());
            let told = recorder.text().matches("not everything is as wanted yet: going on").count();
            assert_eq!(told, 1, "of the round that is to come\n{}", recorder.text());
        }
        // The next plan has it.
        account.apply(&changed).await;
    }
}
