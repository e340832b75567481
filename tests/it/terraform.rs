//! Terraform and its AWS provider on the listener: the churn stack in their words (`tests/clients/terraform`), made,
//! planned without a difference, changed, and taken down again.
//!
//! The provider comes from a file system mirror: the folder in `AURORAML_TEST_TF_PLUGINS`, or one of the places where
//! Terraform itself looks. Without one the test is skipped: nothing is downloaded.

use crate::sandbox_account::inventory;
use crate::sandbox_server::{configure, serve, signed};
use crate::support::skipped;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// For one run of Terraform. Most of it is the provider's own waiting, which is in real time.
const RUN_TIME: Duration = Duration::from_secs(900);
/// Where Terraform looks for providers by itself (its documentation, "Implied local mirror directories").
const MIRRORS: &[&str] = &["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"];

/// The mirror that has the provider.
fn mirror() -> Option<PathBuf> {
    let named = std::env::var_os("AURORAML_TEST_TF_PLUGINS").map(PathBuf::from);
    let own = std::env::home_dir().map(|home| home.join(".terraform.d/plugins"));
    let places = named.into_iter().chain(own).chain(MIRRORS.iter().map(PathBuf::from));
    let has_provider = |place: &PathBuf| place.join("registry.terraform.io/hashicorp/aws").is_dir();
    places.into_iter().find(has_provider)
}

/// A folder with the configuration, from which Terraform runs.
struct Project {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Project {
    fn new(mirror: &Path, endpoint: String) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/terraform/main.tf");
        std::fs::copy(source, folder.path().join("main.tf")).unwrap();
        let settings = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            mirror.display().to_string()
        );
        std::fs::write(folder.path().join("terraform.rc"), settings).unwrap();
        Project { folder, endpoint }
    }

    /// Runs Terraform until it ends, or until its time is over.
    #[expect(clippy::disallowed_methods, reason = "another process takes real time")]
    fn run(&self, arguments: &[&str]) -> Output {
        let log = |name: &str| std::fs::File::create(self.folder.path().join(name)).unwrap();
        let mut command = Command::new("terraform");
        configure(&mut command);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("terraform.rc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"));
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > RUN_TIME {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("terraform {arguments:?} took longer than {RUN_TIME:?}: {}", self.read("stdout"));
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        println!("terraform {}: {:.0} s", arguments[0], begun.elapsed().as_secs_f64());
        Output { status, stdout: self.read("stdout").into(), stderr: self.read("stderr").into() }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Runs Terraform, which must succeed; what it printed.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "terraform {arguments:?}\n{out}\n{error}");
        // A `check` block that fails is a warning.
        assert!(!out.contains("Check block assertion failed"), "{out}");
        out.into_owned()
    }

    /// Terraform finds nothing to do.
    fn assert_settled(&self, variables: &[&str]) {
        let plan = ["plan", "-input=false", "-no-color", "-detailed-exitcode"];
        let output = self.run(&[&plan, variables].concat());
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "a difference, or an error:\n{out}\n{error}");
    }
}

#[tokio::test]
async fn terraform_makes_changes_and_removes_the_stack() {
    let version = Command::new("terraform").arg("-version").output();
    let Some(mirror) = mirror().filter(|_| version.is_ok_and(|found| found.status.success())) else {
        return skipped("there is no Terraform with its AWS provider (AURORAML_TEST_TF_PLUGINS)");
    };
    let served = serve().await;
    let fresh = {
        let account =
            served.raw(&format!("GET /?Action=DescribeVpcs HTTP/1.1\r\n{}\r\n", signed("ec2"))).await;
        assert!(account.contains("172.31.0.0/16"), "{account}");
        inventory(&served.sandbox.world())
    };
    let endpoint = format!("http://{}", served.address);
    let run = tokio::task::spawn_blocking(move || {
        let project = Project::new(&mirror, endpoint);
        let apply = ["apply", "-input=false", "-no-color", "-auto-approve"];
        let changed = ["-var=owner=somebody", "-var=wait_timeout=700"];
        project.succeed(&["init", "-input=false", "-no-color"]);
        let made = project.succeed(&apply);
        assert!(made.contains("default_subnets = 6"), "the default VPC is seen: {made}");
        project.assert_settled(&[]);
        let updated = project.succeed(&[&apply[..], &changed].concat());
        assert!(updated.contains("0 added, ") && updated.contains(", 0 destroyed"), "{updated}");
        project.assert_settled(&changed);
        project.succeed(&["destroy", "-input=false", "-no-color", "-auto-approve"]);
    });
    run.await.unwrap();
    let unknown = served.sandbox.with(|world| world.unknown.clone());
    assert!(unknown.is_empty(), "wanted and not there: {unknown:?}");
    let left: Vec<String> = inventory(&served.sandbox.world()).difference(&fresh).cloned().collect();
    assert_eq!(left, ["iam/roles/awsserviceroleforrds"], "only what AWS itself makes on first use is left");
    served.stop().await;
}
