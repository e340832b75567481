//! templates/pipeline-role.yaml: its statements are made of the table of actions.

use crate::{golden, repository};
use auroraml_core::policy::{
    Name, Names, Purpose, Statement, needed_for_any, needed_for_any_beyond, needed_for_templates,
};
use std::collections::BTreeMap;
use std::fmt::Write;

const PATH: &str = "templates/pipeline-role.yaml";
const ARN: &str = "arn:${AWS::Partition}:SERVICE:${AWS::Region}:${AWS::AccountId}:";

/// The names of a spec that is not written yet: parameters of the template.
fn names() -> Names {
    let of = |service: &str, rest: &str| ARN.replace("SERVICE", service) + rest;
    let existing = |text: &str| Name::given(text, "HasExistingCluster");
    let always = |text: &str| vec![Name::new(text)];
    let own = "${Stack}-sagemaker-${AWS::AccountId}-${AWS::Region}";
    let others = || Name::given("!Ref OtherBuckets", "HasOtherBuckets");
    let roles = || vec![Name::given("!Ref Roles", "HasRoles")];
    let buckets = |end: &str| {
        vec![Name::new(format!("{own}{end}")), Name::given(format!("${{Bucket}}{end}"), "HasBucket")]
    };
    let with_others = |end: &str| [buckets(end), vec![others()]].concat();
    let values: BTreeMap<&'static str, Vec<Name>> = [
        ("bucket", buckets("")),
        ("bucket_that_goes", buckets("")),
        ("interface", vec![Name::given("*", "HasVpc")]),
        ("hosted_zone", always("*")),
        ("own_cluster", always("${Stack}")),
        ("own_group", always("${Stack}")),
        ("subnet_group", always("${Stack}")),
        ("own_member", always("${Stack}-*")),
        ("notebook", always("${Stack}-notebook")),
        ("notebook_config", always("${Stack}-notebook")),
        ("secret", always("auroraml/${Stack}/*")),
        ("vpc_of_others", vec![Name::given("${ExistingVpc}", "HasExistingVpc")]),
        ("encrypted_bucket", vec![Name::given(own, "HasKey"), Name::given("${Bucket}", "HasBucketAndKey")]),
        ("encrypted_secret", vec![Name::given("auroraml/${Stack}/*", "HasKey")]),
        ("key_account", always("${AWS::AccountId}")),
        ("key", vec![Name::given("key/${Key}", "HasKey")]),
        ("marked_cluster", vec![Name::given("${Stack}", "HasRoles")]),
        ("used_role", roles()),
        ("used_by_aurora", roles()),
        ("used_by_notebook", roles()),
        ("used_by_models", roles()),
        ("used_by_jobs", roles()),
        ("template_stack", always("${Stack}-*")),
        ("template_bucket", buckets("")),
        ("own_secret", always("auroraml/${Stack}/*")),
        ("managed_secret", always("rds!cluster-*")),
        ("managed_secret_key", always("*")),
        ("cluster_secret", always("rds!cluster-*")),
        ("snapshot", always("${Stack}-final-*")),
        ("snapshot_of", always("${Stack}")),
        ("existing", vec![existing("${ExistingCluster}")]),
        ("any_of_existing", vec![existing("*")]),
        // A person has CloudFormation hand over, once: no pipeline does.
        ("origin", Vec::new()),
        ("taken_bucket", Vec::new()),
        ("taken_ec2", Vec::new()),
        ("taken_rds", Vec::new()),
        ("taken_sagemaker", Vec::new()),
        ("taken_secret", Vec::new()),
        ("other_role", [vec![Name::given("!Ref OtherRoles", "HasOtherRoles")], roles()].concat()),
        ("member", vec![existing("${ExistingMembers}")]),
        ("group", vec![existing("${ExistingGroup}")]),
        ("source_group", vec![existing("${ExistingGroup}")]),
        ("default_group", vec![existing("default.*")]),
        ("copy", vec![existing("${Stack}")]),
        ("given_secret", vec![Name::given("!Ref ExistingSecret", "HasExistingSecret")]),
        ("cluster", vec![Name::new("${Stack}"), existing("${ExistingCluster}")]),
        // Endpoints have names of the spec's choice, and the stack's tag.
        ("endpoint", always("*")),
        // What a notebook made is deleted by a person.
        ("notebook_endpoint", Vec::new()),
        ("notebook_model", Vec::new()),
        ("artifact", vec![others()]),
        ("read_bucket", vec![others()]),
        ("output_bucket", with_others("")),
        ("loaded", with_others("/*")),
        ("unloaded", with_others("/*")),
        ("unloaded_bucket", with_others("")),
        ("data_bucket", with_others("")),
        ("lease", vec![Name::given("!Ref Records", "HasRecords")]),
        ("audit", vec![Name::given("!Ref Records", "HasRecords")]),
    ]
    .into();
    Names {
        partition: Name::new("${AWS::Partition}"),
        region: Name::new("${AWS::Region}"),
        account: Name::new("${AWS::AccountId}"),
        stack: Name::new("${Stack}"),
        boundary: always("!Ref Boundary"),
        cluster_arns: vec![
            Name::new(of("rds", "cluster:${Stack}")),
            existing(&of("rds", "cluster:${ExistingCluster}")),
        ],
        vpc_arns: vec![Name::given(of("ec2", "vpc/${Vpc}"), "HasVpc")],
        values,
    }
}

/// The policies of the template, each with its statements.
fn policies() -> Vec<(&'static str, Vec<Statement>)> {
    let names = names();
    let reading = needed_for_any(&names, &[Purpose::Plan]);
    let all = [Purpose::Apply, Purpose::Destroy, Purpose::Pause, Purpose::Query];
    let changing = needed_for_any_beyond(&names, &all, &[Purpose::Plan]);
    let of = |all: &[Statement], services: &[&str], within: bool| -> Vec<Statement> {
        let chosen = all.iter().filter(|one| services.contains(&one.service()) == within);
        chosen.cloned().collect()
    };
    let named: [&[&str]; 3] = [&["ec2", "route53"], &["rds", "kms"], &["sagemaker"]];
    // AWS limits what one policy can have.
    let data = ["s3", "sagemaker", "secretsmanager", "servicequotas"];
    vec![
        ("Reading", of(&reading, &data, false)),
        ("ReadingData", of(&reading, &data, true)),
        ("Network", of(&changing, named[0], true)),
        ("Database", of(&changing, named[1], true)),
        ("Learning", of(&changing, named[2], true)),
        ("Rest", of(&changing, &named.concat(), false)),
        ("ReadingTemplates", needed_for_templates(&names, true)),
        ("Templates", needed_for_templates(&names, false)),
    ]
}

fn value(name: &Name) -> String {
    let plain = match &name.text {
        text if name.is_reference() => text.clone(),
        text if text.contains("${") => format!("!Sub \"{text}\""),
        text => format!("\"{text}\""),
    };
    match name.given {
        Some(condition) => format!("!If [{condition}, {plain}, !Ref AWS::NoValue]"),
        None => plain,
    }
}

/// One value, or a list of them.
fn values(out: &mut String, space: &str, key: &str, all: &[Name]) {
    match all {
        [one] if one.given.is_none() => writeln!(out, "{space}{key}: {}", value(one)).unwrap(),
        all => {
            writeln!(out, "{space}{key}:").unwrap();
            all.iter().for_each(|one| writeln!(out, "{space}  - {}", value(one)).unwrap());
        }
    }
}

fn write(out: &mut String, statement: &Statement) {
    // A parameter that is a list is a statement's only resource.
    let (lists, plain): (Vec<Name>, Vec<Name>) =
        statement.resources.iter().cloned().partition(Name::is_reference);
    let mut parts: Vec<Vec<Name>> = lists.into_iter().map(|list| vec![list]).collect();
    if !plain.is_empty() {
        parts.insert(0, plain);
    }
    for (n, mut resources) in parts.into_iter().enumerate() {
        // A statement of which nothing is left is none: it rests on what all its resources rest on.
        let rests_on =
            |one: &Name| one.given.map(|given| if given == "HasBucketAndKey" { "HasKey" } else { given });
        let given =
            rests_on(&resources[0]).filter(|given| resources.iter().all(|one| rests_on(one) == Some(*given)));
        let mut space = " ".repeat(10);
        if let Some(given) = given {
            writeln!(out, "{space}- !If\n{space}  - {given}").unwrap();
            space += "  ";
            resources.iter_mut().for_each(|one| one.given = one.given.filter(|own| *own != given));
        }
        let sid = if n == 0 { statement.sid.clone() } else { format!("{}Others{n}", statement.sid) };
        writeln!(out, "{space}- Sid: {sid}\n{space}  Effect: Allow").unwrap();
        let inner = format!("{space}  ");
        let actions: Vec<Name> = statement.actions.iter().map(|action| Name::new(*action)).collect();
        values(out, &inner, "Action", &actions);
        values(out, &inner, "Resource", &resources);
        if !statement.conditions.is_empty() {
            writeln!(out, "{inner}Condition:").unwrap();
        }
        let mut last = "";
        for ((operator, key), all) in &statement.conditions {
            if *operator != last {
                writeln!(out, "{inner}  \"{operator}\":").unwrap();
                last = operator;
            }
            // What the whole statement rests on need not be asked again.
            let all: Vec<Name> = all
                .iter()
                .map(|one| Name { given: one.given.filter(|one| Some(*one) != given), ..one.clone() })
                .collect();
            values(out, &format!("{inner}    "), &format!("\"{key}\""), &all);
        }
        if given.is_some() {
            writeln!(out, "{}- !Ref AWS::NoValue", " ".repeat(12)).unwrap();
        }
    }
}

#[test]
fn the_template_is_made_of_the_table() {
    let before = std::fs::read_to_string(repository(PATH)).unwrap();
    let mut text = before.clone();
    for (name, statements) in policies() {
        let begin = format!("(UPDATE=1 cargo test -p auroraml-core): {name}\n");
        let at = text.find(&begin).unwrap_or_else(|| panic!("{name} has no place in {PATH}")) + begin.len();
        let end = at + text[at..].find("          # End of what is made.\n").unwrap();
        let mut made = String::new();
        statements.iter().for_each(|statement| write(&mut made, statement));
        text.replace_range(at..end, &made);
    }
    golden(PATH, &text);
}
