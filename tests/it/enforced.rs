//! `auroraml policy`, and the sandbox that holds every request to what it printed.

use crate::cli::Place;
use crate::harness::spec_file;
use auroraml_core::policy::DOCUMENT_MAX;
use serde_json::Value;

const ACCOUNT: &str = "111122223333";

/// A place with a spec and the policies for each purpose.
fn with_policies(spec: &str) -> Place {
    let place = Place::new();
    place.write("stack.yaml", &spec_file(spec));
    for purpose in ["plan", "apply", "destroy", "pause"] {
        let ran = place.run(&["policy", "stack.yaml", "--for", purpose, "--account", ACCOUNT]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        place.write(&format!("{purpose}.json"), &ran.out);
    }
    place
}

impl Place {
    fn under(&self, policy: &str, words: &[&str]) -> (i32, String) {
        let file = format!("{policy}.json");
        let more = ["--sandbox", "--sandbox-speed", "max", "--enforce-policy", &file];
        let ran = self.run(&[words, &more].concat());
        (ran.code, format!("{}{}", ran.out, ran.err))
    }
}

/// Planned, looked at and verified under the plan's policy; made and taken down under those for it.
#[test]
fn a_life_under_the_printed_policies() {
    let place = with_policies("lean.yaml");
    for (policy, words) in [
        ("plan", &["plan", "stack.yaml"][..]),
        ("apply", &["apply", "stack.yaml", "--yes"]),
        ("plan", &["plan", "stack.yaml", "--detailed-exitcode"]),
        ("plan", &["status", "stack.yaml"]),
        ("plan", &["verify", "stack.yaml"]),
        ("pause", &["pause", "stack.yaml", "--yes"]),
        ("destroy", &["destroy", "stack.yaml", "--yes", "--unprotect"]),
    ] {
        let (code, told) = place.under(policy, words);
        assert_eq!(code, 0, "{words:?} under {policy}: {told}");
        assert!(!told.contains("not authorized"), "{words:?} under {policy}: {told}");
    }
}

#[test]
fn who_may_only_plan_makes_nothing() {
    let place = with_policies("minimal.yaml");
    let (code, told) = place.under("plan", &["apply", "stack.yaml", "--yes"]);
    assert_ne!(code, 0, "{told}");
    assert!(
        told.contains(
            "not authorized to perform: ec2:CreateTags on resource: arn:aws:ec2:us-east-1:111122223333:vpc/*"
        ),
        "{told}"
    );
    // The next command is bound no more.
    let ran = place.run(&["apply", "stack.yaml", "--yes", "--sandbox", "--sandbox-speed", "max"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn policies_come_in_parts() {
    let place = Place::new();
    place.write("stack.yaml", &spec_file("churn.yaml"));
    let policy = |more: &[&str]| {
        let ran = place.run(&[&["policy", "stack.yaml", "--account", ACCOUNT], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran
    };
    let whole = policy(&[]);
    assert!(
        whole.err.contains("are too many for one managed policy: --split divides it into "),
        "{}",
        whole.err
    );
    assert!(whole.err.contains("permissions_boundary"), "{}", whole.err);
    let statements = |document: &Value| document["Statement"].as_array().unwrap().clone();
    let whole: Value = serde_json::from_str(&whole.out).unwrap();
    let parts: Value = serde_json::from_str(&policy(&["--split"]).out).unwrap();
    let parts = parts.as_array().unwrap();
    assert!(parts.iter().all(|part| part.to_string().len() <= DOCUMENT_MAX));
    assert_eq!(parts.iter().flat_map(statements).collect::<Vec<_>>(), statements(&whole));
    let written = policy(&["--out", "policies"]);
    assert!(written.err.contains("wrote policies/policy-3.json"), "{}", written.err);
    let first: Value = serde_json::from_str(&place.read("policies/policy-1.json")).unwrap();
    assert_eq!(first, parts[0]);
}

#[test]
fn a_trust_policy_is_exact() {
    let place = Place::new();
    place.write("stack.yaml", &spec_file("churn.yaml"));
    let trust = |more: &[&str]| {
        let words = ["policy", "stack.yaml", "--account", ACCOUNT, "--repository", "acme/shop", "--trust"];
        place.run(&[&words, more].concat())
    };
    let github = trust(&["github", "--environment", "production"]);
    assert!(github.out.contains("\"repo:acme/shop:environment:production\""), "{}", github.out);
    let gitlab = trust(&["gitlab", "--branch", "main"]);
    assert!(gitlab.out.contains("\"project_path:acme/shop:ref_type:branch:ref:main\""), "{}", gitlab.out);
    let anybody = trust(&["github"]);
    assert_eq!(anybody.code, 1);
    assert!(anybody.err.contains("anyone who can push"), "{}", anybody.err);
}

/// What the policy can be scoped to and no spec says is asked of AWS.
#[tokio::test(start_paused = true)]
async fn aws_is_asked_for_the_rest() {
    let place = crate::cli::with_orders(2).await;
    let words = ["policy", "shop.yaml", "--sandbox=world.json", "--sandbox-speed", "max"];
    let ran = place.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let restarts = document["Statement"].as_array().unwrap().iter().find(|statement| {
        statement["Action"].to_string().contains("rds:RebootDBInstance") && statement["Condition"].is_null()
    });
    let members = restarts.unwrap()["Resource"].to_string();
    assert!(members.contains(":db:orders-") && !members.contains(":db:orders*"), "{members}");
    assert!(!ran.err.contains("--member"), "{}", ran.err);
}

#[test]
fn a_policy_is_for_a_sandbox_and_must_be_one() {
    let place = Place::new();
    place.write("stack.yaml", &spec_file("minimal.yaml"));
    place.write("none.json", "{\"Version\": \"2012-10-17\"}");
    let real = place.run(&["plan", "stack.yaml", "--enforce-policy", "none.json"]);
    assert_eq!(real.code, 1);
    assert!(real.err.contains("add --sandbox"), "{}", real.err);
    let bad = place.run(&["plan", "stack.yaml", "--sandbox", "--enforce-policy", "none.json"]);
    assert_eq!(bad.code, 1);
    assert!(bad.err.contains("Syntax errors in policy."), "{}", bad.err);
    let gone = place.run(&["plan", "stack.yaml", "--sandbox", "--enforce-policy", "gone.json"]);
    assert!(gone.err.contains("gone.json: cannot be read"), "{}", gone.err);
}
