//! What `auroraml` says of templates, as a process: of a life, and of what it refuses before anything is called. The golden
//! files are in tests/data/stacks.

use crate::cli::{Place, in_sandbox};
use crate::support::golden_at;
use std::fmt::Write as _;

const SHOP: &str = "stack: shop
region: us-east-1
stacks:
  alarms:
    template: alarms.yaml
    parameters: { Cluster: orders, Endpoint: churn }
  store: { template: store.yaml, termination_protection: true }
";
const STORE: &str = "Resources:
  Data: { Type: 'AWS::S3::Bucket', Properties: { BucketName: shop-data } }
  Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: shop, RetentionInDays: 7 } }
Outputs:
  Data: { Value: !Ref Data }
";
const STACKED: &str = include_str!("../data/stacked.yaml");
const NETWORK: &str = include_str!("../data/stacked/network.yaml");
const REPORT: &str = include_str!("../data/stacked/report.yaml");

/// What a command says and how it ends, without what nobody can foretell: how long it took, and drawn ids.
struct Said(String);

impl Said {
    fn run(&mut self, place: &Place, args: &[&str]) -> i32 {
        let ran = place.run(&in_sandbox(args));
        writeln!(self.0, "$ auroraml {}", args.join(" ")).unwrap();
        let progress = |line: &str| {
            let first = line.split_whitespace().next().unwrap_or_default();
            line.starts_with("  ") && first.ends_with('s') && first.starts_with(|c: char| c.is_ascii_digit())
        };
        let lines = ran.err.lines().chain(ran.out.lines());
        let lines = lines.filter(|line| !line.starts_with("Using ") && !progress(line));
        for line in lines {
            let line = match line
                .split_once(" in ")
                .and_then(|(what, rest)| Some((what, rest.split_once(": ")?.1)))
            {
                Some((what @ ("Done" | "Destroyed" | "Stopped"), rest)) => format!("{what} in TIME: {rest}"),
                _ => line.to_owned(),
            };
            writeln!(self.0, "{line}").unwrap();
        }
        writeln!(self.0, "exit code {}\n", ran.code).unwrap();
        ran.code
    }

    fn is(&self, golden: &str) {
        golden_at(&format!("tests/data/stacks/{golden}.txt"), &self.0);
    }
}

/// Made, looked at, changed as a change set said, destroyed; and on the way refused what would lose data.
#[test]
fn a_life_by_command_line() {
    let place = Place::new();
    place.write("shop.yaml", SHOP);
    place.write("alarms.yaml", include_str!("../../specs/with-cloudformation/alarms.yaml"));
    place.write("store.yaml", STORE);
    let mut said = Said(String::new());
    said.run(&place, &["plan", "shop.yaml"]);
    said.run(&place, &["apply", "shop.yaml", "--yes"]);
    said.run(&place, &["plan", "shop.yaml", "--detailed-exitcode"]);
    // Without a change set nobody knows what an update replaces.
    place.write("store.yaml", &STORE.replace("RetentionInDays: 7", "RetentionInDays: 14"));
    said.run(&place, &["plan", "shop.yaml"]);
    said.run(&place, &["plan", "shop.yaml", "--change-sets", "--out", "plan.json"]);
    assert!(place.read("plan.json").contains(":changeSet/auroraml-"), "the plan names it");
    said.run(&place, &["apply", "shop.yaml", "--plan", "plan.json", "--yes"]);
    said.run(&place, &["plan", "shop.yaml", "--detailed-exitcode"]);
    // What would lose data is not saved, and leaves no change set.
    place.write("store.yaml", &STORE.replace("shop-data", "shop-data-2").replace("Days: 7", "Days: 14"));
    said.run(&place, &["plan", "shop.yaml", "--change-sets", "--out", "other.json"]);
    assert!(!place.path("other.json").exists());
    place.write("store.yaml", &STORE.replace("RetentionInDays: 7", "RetentionInDays: 14"));
    // Taken out of the spec, a stack goes only when a person says so.
    place.write("shop.yaml", SHOP.split("  store:").next().unwrap());
    said.run(&place, &["plan", "shop.yaml"]);
    place.write("shop.yaml", SHOP);
    said.run(&place, &["destroy", "shop.yaml", "--yes"]);
    said.run(&place, &["destroy", "shop.yaml", "--yes", "--unprotect"]);
    said.is("life");
}

/// A plan whose change set somebody has overtaken is stale: nothing is changed.
#[test]
fn a_change_set_that_was_overtaken_is_stale() {
    let place = Place::new();
    place.write("shop.yaml", &SHOP.replace(", termination_protection: true", ""));
    place.write("alarms.yaml", include_str!("../../specs/with-cloudformation/alarms.yaml"));
    place.write("store.yaml", STORE);
    let run = |args: &[&str]| place.run(&in_sandbox(args));
    assert_eq!(run(&["apply", "shop.yaml", "--yes"]).code, 0);
    place.write("store.yaml", &STORE.replace("RetentionInDays: 7", "RetentionInDays: 30"));
    assert_eq!(run(&["plan", "shop.yaml", "--change-sets", "--out", "plan.json"]).code, 0);
    assert_eq!(run(&["apply", "shop.yaml", "--yes", "--change-sets"]).code, 0);
    let ran = run(&["apply", "shop.yaml", "--plan", "plan.json", "--yes"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("the change set of stack.store is"), "{}", ran.err);
}

/// One thing is wrong with the spec or a template of it.
struct Case {
    title: &'static str,
    /// In the file, this text becomes that.
    edit: (&'static str, &'static str, &'static str),
}

const fn case(title: &'static str, edit: (&'static str, &'static str, &'static str)) -> Case {
    Case { title, edit }
}

const SPEC: &str = "stacked.yaml";
const VALUES: &str = "      Cluster: ${cluster.arn}\n";
const REFUSED: &[Case] = &[
    case("a file that is not there", (SPEC, "stacked/network.yaml", "stacked/net.yaml")),
    case("no YAML", ("stacked/network.yaml", "Resources:\n", "Resources: [\n")),
    case("a reference to nothing", ("stacked/network.yaml", "Value: !Ref Vpc }", "Value: !Ref Vcp }")),
    case("a misspelt parameter", (SPEC, "Cluster: ${cluster.arn}", "Clustr: ${cluster.arn}")),
    case(
        "a value that the template does not allow",
        (SPEC, VALUES, "      Cluster: a\n      Size: medium\n"),
    ),
    case("a secret in the spec", (SPEC, "Token: { environment_variable: REPORT_TOKEN }", "Token: hunter2")),
    case(
        "a secret that the template shows",
        (SPEC, "Cluster: ${cluster.arn}", "Cluster: { environment_variable: C }"),
    ),
    case("no value", (SPEC, VALUES, "")),
    case("no secret", (SPEC, "      Token: { environment_variable: REPORT_TOKEN }\n", "")),
    case("IAM resources that nobody acknowledged", (SPEC, "    capabilities: [CAPABILITY_IAM]\n", "")),
    case(
        "a macro that nobody acknowledged",
        ("stacked/network.yaml", "Resources:\n", "Transform: Company::Standards\nResources:\n"),
    ),
    case(
        "a macro within",
        (
            "stacked/report.yaml",
            "      Description: !Sub",
            "      Fn::Transform: { Name: Company::Tags }\n      Description: !Sub",
        ),
    ),
    case("an output that is not there", (SPEC, "${stacks.network.VpcId}", "${stacks.network.VpcID}")),
    case("a stack that is not there", (SPEC, "${stacks.network.VpcId}", "${stacks.netwrk.VpcId}")),
    case("a reference where none is possible", (SPEC, "${stacks.network.VpcId}", "${cluster.arn}")),
    case("a name for two", (SPEC, "stacked-monthly-report", "stacked-network")),
    case("a circle", (SPEC, "Range: 10.50.0.0/16", "Range: \"${cluster.endpoint}\"")),
    case("too long for a request, and no bucket", (SPEC, "bucket: { on_destroy: empty }\n", "")),
    case(
        "longer than CloudFormation allows",
        ("stacked/network.yaml", "Description: A VPC with two private subnets.\n", "LONG"),
    ),
];

/// Everything that a plan refuses before anything is called, and says what to do.
#[test]
fn what_is_refused_of_a_template() {
    let mut said = Said(String::new());
    for Case { title, edit: (file, from, to) } in REFUSED {
        let place = Place::new();
        std::fs::create_dir(place.path("stacked")).unwrap();
        for (name, text) in
            [(SPEC, STACKED), ("stacked/network.yaml", NETWORK), ("stacked/report.yaml", REPORT)]
        {
            let long = |bytes: usize| format!("# {}\n", "x".repeat(bytes));
            let text = match (name == *file, *title) {
                (true, "longer than CloudFormation allows") => format!("{text}{}", long(1_100_000)),
                // What else needs the bucket goes with it.
                (true, "too long for a request, and no bucket") => text
                    .replace(from, to)
                    .replace("machine_learning: { s3: true }\n", "")
                    .replace("s3://${bucket.name}/report", "nowhere"),
                (false, "too long for a request, and no bucket") if name.ends_with("network.yaml") => {
                    format!("{text}{}", long(60_000))
                }
                (true, _) => {
                    assert!(text.contains(from), "{title}: {name} has no {from}");
                    text.replace(from, to)
                }
                _ => text.to_owned(),
            };
            place.write(name, &text);
        }
        writeln!(said.0, "## {title}\n").unwrap();
        assert_ne!(said.run(&place, &["plan", SPEC]), 0, "{title} is accepted");
        assert!(!said.0.contains("hunter2"), "{title}: a secret is shown");
    }
    said.is("refused");
}

/// A variable that is not set is missed when its stack is to be made.
#[test]
fn a_secret_that_is_not_in_the_environment_is_missed() {
    let place = Place::new();
    place.write(
        "shop.yaml",
        "stack: shop\nregion: us-east-1\nstacks:\n  pager: { template: pager.yaml, parameters: { Token: { environment_variable: PAGER_TOKEN } } }\n",
    );
    place.write(
        "pager.yaml",
        "Parameters: { Token: { Type: String, NoEcho: true } }\nResources: { Token: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: !Ref Token } } }\n",
    );
    let mut said = Said(String::new());
    assert_ne!(said.run(&place, &["apply", "shop.yaml", "--yes"]), 0);
    said.is("no-variable");
}

/// Everything of which there is no template.
#[test]
fn what_is_not_exported() {
    let subnets: Vec<String> = (1..=17).map(|n| format!("10.0.{n}.0/24")).collect();
    let many = format!("network: {{ cidr: 10.0.0.0/16, private_subnets: [{}] }}\n", subnets.join(", "));
    let mut said = Said(String::new());
    for (title, text) in [
        ("a cluster of others", "aurora: { existing: orders }\nmachine_learning: { comprehend: true }\n"),
        ("nothing that CloudFormation could create", "endpoints: { churn: { managed_by: notebook } }\n"),
        ("more subnets than zones", &many),
        ("a template that is not there", "bucket: {}\nstacks: { net: { template: net.yaml } }\n"),
        ("a template that is none", "bucket: {}\nstacks: { net: { template: broken.yaml } }\n"),
        ("a parameter without a value", "bucket: {}\nstacks: { net: { template: needy.yaml } }\n"),
    ] {
        let place = Place::new();
        place.write("shop.yaml", &format!("stack: shop\nregion: us-east-1\n{text}"));
        place.write(
            "broken.yaml",
            "Resources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: !Ref Range } } }\n",
        );
        place.write(
            "needy.yaml",
            "Parameters: { Range: { Type: String } }\nResources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: !Ref Range } } }\n",
        );
        writeln!(said.0, "## {title}\n").unwrap();
        let args = ["export", "shop.yaml", "--format", "cloudformation"];
        assert_ne!(said.run(&place, &args), 0, "{title} is exported");
    }
    said.is("not-exported");
}

/// A macro or a parameter of Systems Manager's is CloudFormation's to resolve; this one does not, and says so.
#[test]
fn what_the_sandbox_does_not_resolve_it_refuses() {
    let mut said = Said(String::new());
    for (title, template) in [
        ("a macro", "Transform: Company::Standards\nResources: { Data: { Type: 'AWS::S3::Bucket' } }\n"),
        (
            "a parameter of Systems Manager's",
            "Parameters: { Range: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /net/range } }\nResources: { Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: !Ref Range } } }\n",
        ),
    ] {
        let place = Place::new();
        let spec = "stack: shop\nregion: us-east-1\nstacks: { net: { template: net.yaml, capabilities: [CAPABILITY_AUTO_EXPAND] } }\n";
        place.write("shop.yaml", spec);
        place.write("net.yaml", template);
        writeln!(said.0, "## {title}\n").unwrap();
        assert_eq!(said.run(&place, &["apply", "shop.yaml", "--yes"]), 7, "{title}");
    }
    said.is("not-in-the-sandbox");
}
