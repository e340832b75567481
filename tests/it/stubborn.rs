//! A value that AWS accepts and then reports otherwise is not sent for ever.

use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::aws::{Aws, Failure, Look};
use auroraml::kinds::{Calls, Deletion, Seen, Update};
use auroraml::run::reconcile::{prepare, reconcile};
use auroraml_core::kinds::{Kind, notebook};
use auroraml_core::model::Intent;
use auroraml_core::resource::Rules;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;

/// A notebook instance whose type AWS takes and does not change.
struct Stubborn;

impl Kind for Stubborn {
    const NAME: &'static str = notebook::Notebook::NAME;
    const RULES: Rules = notebook::Notebook::RULES;
    type Props = notebook::Props;
}

impl Calls for Stubborn {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<notebook::Props>>, Failure> {
        notebook::Notebook.observe(look).await
    }
    async fn create(&self, aws: &Aws, name: &str, want: &notebook::Props) -> Result<(), Failure> {
        Calls::create(&notebook::Notebook, aws, name, want).await
    }
    async fn update(
        &self,
        aws: &Aws,
        name: &str,
        update: Update<'_, notebook::Props>,
    ) -> Result<(), Failure> {
        let want = notebook::Props { instance: update.live.instance.clone(), ..update.want.clone() };
        Calls::update(&notebook::Notebook, aws, name, Update { want, ..update }).await
    }
    async fn delete(
        &self,
        aws: &Aws,
        name: &str,
        deletion: Deletion<'_, notebook::Props>,
    ) -> Result<(), Failure> {
        Calls::delete(&notebook::Notebook, aws, name, deletion).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_accepts_and_reports_otherwise_is_told_after_two_tries() {
    let text = spec_file("churn.yaml");
    for mood in [Mood::Calm, Mood::Instant] {
        let account = Account::new(1, mood);
        account.apply(&spec(&text)).await;
        let asked = |operation: &str| {
            account.sandbox.with(|world| world.log.iter().filter(|e| e.operation == operation).count())
        };
        let (stops, updates) = (asked("StopNotebookInstance"), asked("UpdateNotebookInstance"));
        let mut stack = account.connect(&spec(&text.replace("ml.t3.medium", "ml.t3.large"))).await;
        stack.kinds = stack.kinds.with(&Stubborn);
        let prepared = prepare(&stack, Intent::Apply).await.unwrap();
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let recorder = Arc::new(Recorder::default());
        let outcome = reconcile(&stack, Intent::Apply, prepared, stop, recorder.clone()).await.unwrap();
        assert_eq!(outcome.reports.len(), 1, "the same would fail again\n{}", recorder.text());
        let failed = outcome.reports[0].failed[0].1.to_string();
        assert!(failed.contains("AWS accepted the change 2 times"), "{failed}\n{}", recorder.text());
        let differs = "instance: asked for \"ml.t3.large\", AWS says \"ml.t3.medium\"";
        assert!(failed.contains(differs), "{failed}");
        assert_eq!(asked("UpdateNotebookInstance") - updates, 2, "{}", recorder.text());
        assert_eq!(asked("StopNotebookInstance") - stops, 1, "{}", recorder.text());
    }
}
