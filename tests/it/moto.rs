//! moto, an emulator that nobody of this project wrote, as a judge of the whole life of a stack.

use std::process::Command;

/// A python that has moto: `AURORAML_TEST_PYTHON`, or the one on the path.
fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("AURORAML_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).args(["-c", "import moto.server"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(
        found || std::env::var_os("CI").is_none(),
        "CI must have a python with moto (tests/clients/requirements.txt)"
    );
    if !found {
        eprintln!("skipped: there is no python with moto (tests/clients/requirements.txt)");
    }
    found.then_some(python)
}

/// Create, an empty plan, a change, an empty plan, destroy, over an ordinary `AWS_ENDPOINT_URL` and on the real clock;
/// what is there in between is looked up with boto3. The script bounds each command.
#[test]
fn the_churn_stack_lives_on_moto() {
    let Some(python) = python() else { return };
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
