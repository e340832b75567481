//! The notebooks of `specs`, executed: on the listening sandbox, with the credentials of the notebook's role, whose
//! policies the sandbox enforces. A permission that is missing fails a cell.

use crate::harness::{Account, Recorder, spec, spec_file};
use crate::recording::{Who, python_with};
use crate::sandbox_server::{configure, serve_world};
use auroraml_core::model::{Intent, Order};
use auroraml_core::spec::Spec;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Simulated seconds in a second: the SDK's time-outs run on the notebook's own clock.
const SPEED: f64 = 100.0;
const HOME: &str = "/home/ec2-user/SageMaker";

/// What the values file says is the shell's as well.
const BY_HAND: &str = r#"
    . ./cloudformation_values.sh
    ask() {
        aws rds-data execute-statement --resource-arn "$DBCLUSTER" --secret-arn "$DBSECRET" --database "$DATABASE" \
            --sql "$1" --query 'records[0][*].[stringValue, doubleValue]' --output text | tr '\n\t' '  ' | sed 's/None//g; s/  */ /g'
        echo
    }
    printf 'by hand: '
    ask "SELECT aws_comprehend_detect_sentiment(message, 'en'), aws_comprehend_detect_sentiment_confidence(message, 'en')
         FROM customer_messages WHERE message LIKE 'Thank%'"
    printf 'by hand: '
    ask "SELECT aws_comprehend_detect_sentiment(m.message, 'en'), will_churn(int_plan_no(c.int_plan), c.acc_length,
                c.vmail_msg, c.day_mins, c.eve_mins, c.night_mins, c.int_mins, c.int_calls, c.cust_service_calls)
         FROM customer_messages m JOIN customers c ON c.phone = m.phone AND c.area_code = m.area_code
         WHERE m.message LIKE 'You%'"
"#;

/// An account in which the stack stands.
fn built(spec: &Spec) -> World {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let account = Account::new(7, Mood::Calm);
        account.apply(spec).await;
        account.sandbox.world()
    })
}

/// What nothing is left of afterwards, and what is: the jobs, which AWS keeps.
fn destroyed(spec: &Spec, world: World) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let account = Account::over(world);
        let mut stack = account.connect(spec).await;
        let offered = spec.endpoints.keys().map(|name| format!("endpoint.{name}"));
        stack.let_go.extend(offered);
        let order: Order = Intent::Destroy { unprotect: true }.into();
        let prepared = auroraml::run::reconcile::prepare(&stack, order).await.unwrap();
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let listener = Arc::new(Recorder::default());
        let outcome = auroraml::run::reconcile::reconcile(&stack, order, prepared, stop, listener.clone())
            .await
            .unwrap();
        assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
        let left = account.sandbox.with(|world| {
            let sagemaker = &world.regions[&spec.region].sagemaker;
            let models = sagemaker.models.keys().cloned();
            models
                .chain(sagemaker.endpoints.keys().cloned())
                .chain(sagemaker.endpoint_configs.keys().cloned())
                .collect::<Vec<_>>()
        });
        assert!(left.is_empty(), "what bills or hangs on it is left: {left:?}");
    });
}

/// The files of the notebook and the scripts that its lifecycle configuration runs, in a folder of this machine.
fn furnish(spec: &Spec, world: &World, folder: &Path) -> String {
    let files = &spec.notebook.as_ref().unwrap().files;
    for file in files {
        let name = Path::new(file).file_name().unwrap();
        fs::copy(Path::new("specs").join(file), folder.join(name)).unwrap();
    }
    let config = world.regions[&spec.region].sagemaker.lifecycle_configs.values().next().unwrap();
    let script = STANDARD.decode(config.on_start.as_ref().unwrap()).unwrap();
    let script = String::from_utf8(script).unwrap();
    assert!(script.contains(HOME), "{script}");
    // Only a notebook instance has this user and this folder.
    script.replace(HOME, folder.to_str().unwrap()).replace("chown ec2-user:ec2-user", "ls")
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_notebooks_run_with_the_rights_of_their_role() {
    let Some(python) = python_with("nbclient, ipykernel, pandas, boto3, awscli") else { return };
    let spec = spec(&spec_file("churn-as-published.yaml"));
    let mut world = built(&spec);
    let folder = tempfile::tempdir().unwrap();
    let script = furnish(&spec, &world, folder.path());
    let key = world
        .notebook_session(&spec.region, "churn-as-published-notebook")
        .expect("the notebook's credentials");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let after = runtime.block_on(async {
        let served = serve_world(world, SPEED, Who::Tool).await;
        let address = format!("http://{}", served.address);
        let path = PathBuf::from(&python).parent().map(Path::to_path_buf);
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::env::join_paths(path.into_iter().chain(std::env::split_paths(&paths))).unwrap();
        let in_notebook = |program: &std::ffi::OsStr| {
            let mut command = Command::new(program);
            configure(&mut command);
            command
                .env("AWS_ACCESS_KEY_ID", &key)
                .env("AWS_SESSION_TOKEN", "session")
                .env("AWS_ENDPOINT_URL", &address)
                .env("POLL_SECONDS", "0.3")
                .env("PATH", &paths);
            command
        };
        let mut start = in_notebook("bash".as_ref());
        let values = "sed 's/ = /=/' cloudformation_values.py > cloudformation_values.sh";
        start.args(["-c", &format!("{script}\ncd {}\n{values}", folder.path().display())]);
        // The articles' queries, as somebody with the AWS CLI asks them.
        let mut by_hand = in_notebook("bash".as_ref());
        by_hand.args(["-euc", BY_HAND]).current_dir(folder.path());
        let mut execute = in_notebook(&python);
        execute.arg("notebooks.py").arg(folder.path()).args(["part_1.ipynb", "part_2.ipynb", "part_3.ipynb"]);
        let told = tokio::task::spawn_blocking(move || {
            run(start);
            run(execute) + &run(by_hand)
        });
        let told = told.await.unwrap();
        println!("{told}");
        assert!(told.contains("by hand: POSITIVE 0."), "{told}");
        assert!(told.contains("by hand: NEGATIVE 0."), "{told}");
        for words in ["best line: ", "POSITIVE", "25 dollars: an unhappy customer", "nothing: neutral"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let world = served.sandbox.world();
        served.stop().await;
        world
    });
    let refused: Vec<_> =
        after.log.iter().filter(|entry| entry.caller == key && entry.code.is_some()).collect();
    assert!(
        refused.iter().all(|entry| !entry.code.as_ref().unwrap().contains("AccessDenied")),
        "{refused:?}"
    );
    destroyed(&spec, after);
}
