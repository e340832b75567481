//! Templates of CloudFormation as parts of a stack: what is refused before AWS is asked, and what plans say of them.

use crate::{facts_for, golden, place_of, repository};
use auroraml_core::base::{Id, Live, Observed, Outputs, State, outputs, resolve};
use auroraml_core::kinds::catalog;
use auroraml_core::kinds::stack::{ChangeSet, HIDDEN, STATUS};
use auroraml_core::model::facts::Facts;
use auroraml_core::model::{self, Code, Intent, Preflight};
use auroraml_core::plan::{Plan, misnamed, plan};
use auroraml_core::resource::{Action, Graph};
use auroraml_core::spec::{self, Spec};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

fn text() -> String {
    std::fs::read_to_string(repository("tests/data/stacked.yaml")).unwrap()
}

fn read(text: &str) -> Spec {
    spec::parse(text.as_bytes())
        .unwrap_or_else(|problems| panic!("{}", problems.render("stacked.yaml", text)))
}

fn build(spec: &Spec, facts: &Facts, intent: Intent) -> Result<Graph, Vec<Preflight>> {
    model::build(spec, &place_of(spec), facts, intent)
}

/// The facts, with another text of a template.
fn with(spec: &Spec, path: &str, edit: impl Fn(String) -> String) -> Facts {
    let mut facts = facts_for(spec);
    let text = facts.templates[path].clone().unwrap();
    let edited = edit(text.clone());
    assert_ne!(edited, text, "nothing was edited");
    facts.templates.insert(path.into(), Ok(edited));
    facts
}

/// Everything of the graph as AWS shows it once it is there.
fn made(graph: &Graph) -> Observed {
    let mut known: BTreeMap<Id, Outputs> = BTreeMap::new();
    let mut observed = Observed::new();
    for id in graph.order() {
        let resource = &graph.resources[&id];
        let mut props = resolve(&resource.props, &known);
        let mut told = outputs(&resource.predicted, None);
        for name in ["id", "arn", "name", "endpoint", "key", "secret_arn"] {
            told.entry(name.into()).or_insert_with(|| format!("{id}-{name}").into());
        }
        // As it says itself what is the same to it.
        let shown = props.clone();
        (catalog()[id.kind].accept)(&mut props, &shown);
        if id.kind == "stack" {
            told.insert(STATUS.into(), "CREATE_COMPLETE".into());
            for path in resource.props["template"].as_object().unwrap().keys() {
                if let Some(name) = path.strip_prefix("Outputs.").and_then(|rest| rest.split('.').next()) {
                    told.insert(format!("Outputs.{name}"), format!("{name}-1").into());
                }
            }
        }
        known.insert(id.clone(), told.clone());
        let live = Live { id: id.clone(), props, outputs: told, state: State::Ready, owned: true };
        observed.insert(id, live);
    }
    observed
}

/// What a plan says of the steps that do something, without the template of what is made.
fn said(plan: &Plan) -> String {
    let mut out = String::new();
    for step in plan.work() {
        write!(out, "{:?} {}", step.action, step.id).unwrap();
        step.reason.iter().for_each(|reason| write!(out, " ({reason})").unwrap());
        writeln!(out, "{}", if format!("{:?}", step.impact) == "DataLoss" { " ! data loss" } else { "" })
            .unwrap();
        if step.action != Action::Create {
            for change in &step.changes {
                let to = serde_json::to_value(&change.to).unwrap();
                writeln!(out, "    {}: {} -> {to}", change.path, change.from).unwrap();
            }
        }
        if !step.needs.is_empty() && step.action == Action::Delete {
            let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
            writeln!(out, "    after {}", needs.join(", ")).unwrap();
        }
    }
    plan.blocked.iter().for_each(|b| writeln!(out, "blocked {}: {}\n    {}", b.id, b.why, b.hint).unwrap());
    plan.notes.iter().for_each(|note| writeln!(out, "note: {note}").unwrap());
    if out.is_empty() { "nothing\n".into() } else { out }
}

fn refused(spec: &Spec, facts: &Facts) -> Vec<(Code, String, String)> {
    let Err(problems) = build(spec, facts, Intent::Apply) else { panic!("it is possible") };
    problems.into_iter().map(|p| (p.code, format!("{}: {}", p.what, p.why), p.hint)).collect()
}

fn only(spec: &Spec, facts: &Facts) -> (Code, String, String) {
    let all = refused(spec, facts);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

/// Every change of a template, and what the plan says of it.
#[test]
fn plans_say_what_an_update_may_cost() {
    let spec = read(&text());
    let facts = facts_for(&spec);
    let graph = build(&spec, &facts, Intent::Apply).unwrap();
    let observed = made(&graph);
    let mut out = String::from("# What plans say of templates.\n");
    let mut case = |title: &str, graph: &Graph, observed: &Observed| {
        let plan = plan(graph, observed, &catalog());
        writeln!(out, "\n## {title}\n{}", said(&plan).trim_end()).unwrap();
    };
    case("nothing is there", &graph, &Observed::new());
    case("all is as wanted", &graph, &observed);
    let network = |edit: &dyn Fn(String) -> String| {
        build(&spec, &with(&spec, "stacked/network.yaml", edit), Intent::Apply).unwrap()
    };
    let report = |edit: &dyn Fn(String) -> String| {
        build(&spec, &with(&spec, "stacked/report.yaml", edit), Intent::Apply).unwrap()
    };
    case(
        "comments, order and descriptions are nothing",
        &network(&|text| {
            format!("# by hand\n{}", text.replace("A VPC with", "One VPC with").replace("true", "\"true\""))
        }),
        &observed,
    );
    case(
        "a tag of the VPC makes no output another",
        &network(&|text| text.replace("Value: !Ref \"AWS::StackName\"", "Value: net")),
        &observed,
    );
    case(
        "a subnet may be another one afterwards",
        &network(&|text| text.replace("CidrBlock: !Select [0, !Ref Subnets]", "CidrBlock: 10.50.9.0/24")),
        &observed,
    );
    let other_range = read(&text().replace("Range: 10.50.0.0/16", "Range: 10.60.0.0/16"));
    case(
        "another range makes all of it another",
        &build(&other_range, &facts, Intent::Apply).unwrap(),
        &observed,
    );
    let no_secret = |text: String| {
        let (before, rest) = text.split_once("  Secret:\n    Type").unwrap();
        let after = &rest[rest.find("  Role:\n").unwrap()..];
        format!("{before}{after}")
            .replace("Resource: !Ref Secret", "Resource: '*'")
            .replace("  Secret: { Value: !Ref Secret }\n", "")
    };
    case("a secret is taken out", &report(&no_secret), &observed);
    let mut let_go = report(&no_secret);
    let_go.let_go.insert("stack.report".into());
    assert!(misnamed(&let_go, &observed, &catalog()).is_empty());
    case("the same, and a person says so", &let_go, &observed);
    case("a secret is changed", &report(&|text| text.replace("For ${Cluster}", "Of ${Cluster}")), &observed);
    let mut known = report(&|text| text.replace("For ${Cluster}", "Of ${Cluster}"));
    let set = ChangeSet { arn: "arn".into(), losses: Vec::new(), touched: [].into() };
    let resource = known.resources.get_mut(&Id::new("stack", "report")).unwrap();
    resource.props["request"]["change_set"] = json!(set);
    case("a secret is changed, and a change set says that nothing is replaced", &known, &observed);
    case(
        "a role is changed beside a secret",
        &report(&|text| text.replace("PolicyName: read", "PolicyName: see")),
        &observed,
    );
    let kept = text().replace(
        "      Token: { environment_variable: REPORT_TOKEN }",
        "      Token: { environment_variable: OTHER }",
    );
    case("what is secret is not compared", &build(&read(&kept), &facts, Intent::Apply).unwrap(), &observed);
    let one = |cut: &str| {
        let text = text();
        let (before, rest) = text.split_once(cut).unwrap();
        let rest =
            rest.find("\n  report:").map(|at| &rest[at..]).filter(|_| cut != "\n  report:").unwrap_or("\n");
        read(&format!("{before}{rest}"))
    };
    let without = one("\n  report:");
    case("a stack is taken out", &build(&without, &facts, Intent::Apply).unwrap(), &observed);
    let mut let_go = build(&without, &facts, Intent::Apply).unwrap();
    let_go.let_go.insert("stack.report".into());
    case("a stack is taken out, and a person says so", &let_go, &observed);
    for (title, unprotect) in [("all goes", true), ("all goes, and nobody unprotects", false)] {
        case(title, &build(&spec, &facts, Intent::Destroy { unprotect }).unwrap(), &observed);
    }
    for (status, state) in [
        ("ROLLBACK_COMPLETE", State::Broken("ROLLBACK_COMPLETE: it failed".into())),
        ("DELETE_FAILED", State::Broken("DELETE_FAILED: it could not".into())),
        ("UPDATE_ROLLBACK_FAILED", State::Failed("UPDATE_ROLLBACK_FAILED: it could not".into())),
    ] {
        let mut observed = observed.clone();
        let live = observed.get_mut(&Id::new("stack", "report")).unwrap();
        live.state = state;
        live.outputs.insert(STATUS.into(), status.into());
        case(&format!("a stack is {status}"), &graph, &observed);
    }
    golden("tests/data/plans-of-templates.txt", &out);
}

#[test]
fn what_cloudformation_shows_of_a_secret_is_no_difference() {
    let spec = read(&text());
    let graph = build(&spec, &facts_for(&spec), Intent::Apply).unwrap();
    let observed = made(&graph);
    let live = &observed[&Id::new("stack", "report")];
    assert_eq!(live.props["parameters"]["Token"], HIDDEN);
    // A reference as the value of a secret parameter is not compared either.
    let given = text().replace("{ environment_variable: REPORT_TOKEN }", "${secret.arn}");
    let graph = build(&read(&given), &facts_for(&spec), Intent::Apply).unwrap();
    assert!(plan(&graph, &observed, &catalog()).is_empty());
}

#[test]
fn what_a_template_lacks_is_told_before_anything_is_called() {
    let spec = read(&text());
    let facts = facts_for(&spec);
    let mut gone = facts.clone();
    gone.templates.insert("stacked/report.yaml".into(), Err("No such file or directory (os error 2)".into()));
    let (code, what, _) = only(&spec, &gone);
    assert_eq!(code, Code::TemplateUnreadable);
    assert_eq!(
        what,
        "stacks.report.template: cannot read stacked/report.yaml: No such file or directory (os error 2)"
    );
    let broken =
        with(&spec, "stacked/network.yaml", |text| text.replace("Value: !Ref Vpc }", "Value: !Ref Vcp }"));
    let (code, what, _) = only(&spec, &broken);
    assert_eq!(code, Code::TemplateInvalid);
    assert!(what.contains("there is no parameter or resource `Vcp`"), "{what}");

    // Names, values, secrets.
    let cases = [
        (
            "Cluster: ${cluster.arn}",
            "Clustr: ${cluster.arn}",
            "has no parameter `Clustr`",
            "did you mean Cluster?",
        ),
        (
            "Cluster: ${cluster.arn}",
            "Cluster: a, Size: medium",
            "the template does not allow `medium`",
            "it allows small, large",
        ),
        (
            "Token: { environment_variable: REPORT_TOKEN }",
            "Token: hunter2",
            "do not put secrets in a spec",
            "environment_variable",
        ),
        (
            "Cluster: ${cluster.arn}",
            "Cluster: { environment_variable: C }",
            "the template would show it",
            "NoEcho",
        ),
        (
            "      Cluster: ${cluster.arn}\n",
            "",
            "has no default for it, so it needs a value",
            "add `Cluster: VALUE`",
        ),
        (
            "      Token: { environment_variable: REPORT_TOKEN }\n",
            "",
            "needs a value",
            "environment_variable",
        ),
    ];
    for (from, to, why, hint) in cases {
        let to = to.replace(", ", "\n      ");
        let spec = read(&text().replace(from, &to));
        let all = refused(&spec, &facts);
        let found = all.iter().find(|(code, what, help)| {
            *code == Code::TemplateParameter && what.contains(why) && help.contains(hint)
        });
        assert!(found.is_some(), "{to}: {all:?}");
        assert!(all.iter().all(|(_, what, help)| !format!("{what} {help}").contains("hunter2")), "{all:?}");
    }
    let spec = read(&text().replace("[CAPABILITY_IAM]", "[CAPABILITY_AUTO_EXPAND]"));
    let (code, what, hint) = only(&spec, &facts);
    assert_eq!(code, Code::TemplateCapability);
    assert!(what.starts_with("stacks.report.capabilities: CAPABILITY_IAM is missing"), "{what}");
    assert_eq!(hint, "after reading it, add `capabilities: [CAPABILITY_IAM]`");
    assert!(
        build(&read(&text().replace("[CAPABILITY_IAM]", "[CAPABILITY_NAMED_IAM]")), &facts, Intent::Apply)
            .is_ok()
    );

    let spec = read(&text().replace("${stacks.network.VpcId}", "${stacks.network.VpcID}"));
    let (code, _, hint) = only(&spec, &facts);
    assert_eq!((code, hint.as_str()), (Code::TemplateOutput, "did you mean ${stacks.network.VpcId}?"));
}

#[test]
fn size_decides_how_a_template_travels() {
    let spec = read(&text());
    let longer =
        |bytes: usize| with(&spec, "stacked/network.yaml", |text| format!("{text}#{}\n", "x".repeat(bytes)));
    let graph = build(&spec, &longer(60_000), Intent::Apply).unwrap();
    let object = Id::new("bucket_object", "stack-network.template");
    assert!(graph.needs(&Id::new("stack", "network")).contains(&object));
    assert_eq!(graph.resources[&object].props["path"], "stacked/network.yaml");
    let (code, what, _) = only(&spec, &longer(1_100_000));
    assert_eq!(code, Code::TemplateSize);
    assert!(what.contains("CloudFormation allows 1"), "{what}");
    let bare = text()
        .replace("bucket: { on_destroy: empty }\n", "")
        .replace("machine_learning: { s3: true }\n", "")
        .replace("s3://${bucket.name}/report", "nowhere");
    let (code, _, hint) = only(&read(&bare), &longer(60_000));
    assert_eq!(code, Code::TemplateSize);
    assert!(hint.starts_with("add `bucket: {}`"), "{hint}");
}

#[test]
fn what_waits_for_itself_is_refused() {
    let facts = facts_for(&read(&text()));
    let text = text()
        .replace("parameters: { Range: 10.50.0.0/16 }", "parameters: { Range: \"${cluster.endpoint}\" }");
    let (code, what, _) = only(&read(&text), &facts);
    assert_eq!(code, Code::TemplateCycle);
    assert!(what.contains("cluster.main") && what.contains("stack.network"), "{what}");
}

#[test]
fn references_are_checked_where_they_stand() {
    let problems = |from: &str, to: &str| {
        let text = text().replace(from, to);
        let problems = spec::parse(text.as_bytes()).expect_err(to);
        problems.render("s.yaml", &text)
    };
    for (from, to, message) in [
        ("${stacks.network.VpcId}", "${stacks.netwrk.VpcId}", "there is no `netwrk` under `stacks`"),
        ("${stacks.network.VpcId}", "${cluster.arn}", "`${cluster.arn}` cannot be used here"),
        ("${cluster.arn}", "${cluster.color}", "there is nothing with this name to refer to"),
        ("${cluster.arn}", "${notebook.name}", "the spec has no notebook"),
        ("${cluster.arn}", "${endpoints.churn.arn}", "the spec has no endpoint `churn`"),
        ("region: us-east-1", "region: ${stacks.network.Region}", "cannot be used here"),
        ("stacked-monthly-report", "stacked-network", "duplicate name `stacked-network`"),
        ("stacked-monthly-report", "stacked_report", "invalid CloudFormation stack name `stacked_report`"),
        ("purpose: network", "\"aws:purpose\": network", "AWS reserves the prefix `aws:`"),
        ("[CAPABILITY_IAM]", "[CAPABILITY_I_AM]", "invalid value"),
        (
            "environment_variable: REPORT_TOKEN",
            "environment_variable: REPORT-TOKEN",
            "invalid variable name `REPORT-TOKEN`",
        ),
    ] {
        let told = problems(from, to);
        assert!(told.contains(message), "{to}:\n{told}");
    }
}

/// A spec without templates looks for none, and its policy has none of their actions.
#[test]
fn who_has_no_templates_is_asked_nothing() {
    let spec = crate::spec_named("churn.yaml");
    assert_eq!(model::scope(&spec).stacks, None);
    let empty = read("stack: a\nregion: us-east-1\nbucket: {}\nstacks: {}\n");
    assert_eq!(model::scope(&empty).stacks, Some(BTreeMap::new()));
}
