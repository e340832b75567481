//! moto, an emulator that nobody of this project wrote, as a judge of the whole life of a stack.

use crate::recording::python_with;
use std::process::Command;

/// Create, an empty plan, a change, an empty plan, destroy, over an ordinary `AWS_ENDPOINT_URL` and on the real clock;
/// what is there in between is looked up with boto3. The script bounds each command.
#[test]
fn the_churn_stack_lives_on_moto() {
    let Some(python) = python_with("moto.server") else { return };
    let output = Command::new(python)
        .args(["tests/clients/moto_life.py", env!("CARGO_BIN_EXE_auroraml"), "specs/churn.yaml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("moto: the whole life"), "{}", text(&output.stdout));
}

/// Every template that `export` wrote is created by moto's CloudFormation, and what is there then is as it says.
#[test]
fn exported_templates_are_created_by_moto() {
    let Some(python) = python_with("moto.server") else { return };
    let output = Command::new(python)
        .arg("tests/clients/moto_stacks.py")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("templates are created"), "{}", text(&output.stdout));
}
