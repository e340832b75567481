//! Templates of specs: what stands in them, that they are read as they are meant, and what they must never have.

use crate::graphs::examples;
use crate::{facts_for, golden, spec_named};
use auroraml_core::export::{Exported, Given, export};
use auroraml_core::spec::{self, Aurora, Spec};
use auroraml_core::template::{LARGEST_INLINE, Reference, Template, references};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn given(spec: &Spec) -> Given {
    let files = spec.files().into_iter().map(|path| (path.to_string(), Ok("0123456789abcdef".to_string())));
    let templates = facts_for(spec).templates;
    Given { files: files.collect(), today: "2026-11-20".into(), templates, ..Given::default() }
}

fn exported(spec: &Spec) -> Exported {
    export(spec, &given(spec)).unwrap_or_else(|refused| panic!("{}: {refused:?}", spec.stack))
}

/// The specs of the repository that have a template.
fn exportable() -> Vec<(String, Spec)> {
    let all = examples().into_iter();
    let has_one = |spec: &Spec| !matches!(spec.aurora, Some(Aurora::Existing(_)));
    all.filter(|(_, spec)| has_one(spec)).collect()
}

/// Templates of the user's are stacks within the stack: what refers to their outputs does so still.
#[test]
fn templates_become_nested_stacks() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "stacked").unwrap();
    let exported = exported(&spec);
    let template = parsed(&exported);
    let cluster_group = &resource(&template, "SecurityGroupAurora")["Properties"];
    assert_eq!(cluster_group["VpcId"], json!({"Fn::GetAtt": ["StackNetwork", "Outputs.VpcId"]}));
    // An output that is a range, and not a group.
    let rule = &cluster_group["SecurityGroupIngress"][0];
    assert_eq!(rule["CidrIp"], json!({"Fn::GetAtt": ["StackNetwork", "Outputs.Range"]}));
    let report = &resource(&template, "StackReport")["Properties"];
    assert_eq!(report["TemplateURL"], json!({"Ref": "StackReportTemplate"}));
    assert_eq!(report["Parameters"]["Cluster"], json!({"Fn::GetAtt": ["Cluster", "DBClusterArn"]}));
    assert_eq!(report["Parameters"]["Token"], json!({"Ref": "StackReportToken"}));
    assert_eq!(report["Parameters"]["Size"], "small");
    let parameters = template.parameters();
    let token = parameters.iter().find(|parameter| parameter.name == "StackReportToken").unwrap();
    assert!(token.no_echo && token.default.is_none());
    let steps = exported.steps.join("\n");
    for said in
        ["aws s3 cp stacked/network.yaml s3://TEMPLATES/", "StackNetworkTemplate=https://TEMPLATES.s3."]
    {
        assert!(steps.contains(said), "{steps}");
    }
    assert!(
        exported.lost.iter().any(|lost| lost.to_string().contains("network, report become nested stacks"))
    );
}

/// A template that is too large for a request is uploaded like the others: not into a bucket that is not there yet.
#[test]
fn a_large_template_is_nested_as_well() {
    let (_, spec) = examples().into_iter().find(|(name, _)| name == "stacked").unwrap();
    let mut given = given(&spec);
    let large =
        given.templates["stacked/network.yaml"].clone().unwrap() + &format!("\n# {}\n", "x".repeat(60_000));
    given.templates.insert("stacked/network.yaml".into(), Ok(large));
    let exported = export(&spec, &given).unwrap();
    assert_eq!(exported.yaml, self::exported(&spec).yaml);
}

fn parsed(exported: &Exported) -> Template {
    Template::parse(&exported.yaml).unwrap_or_else(|problems| panic!("{problems}\n{}", exported.yaml))
}

#[test]
fn each_example_has_its_template() {
    for (name, spec) in exportable() {
        golden(&format!("tests/data/export/{name}.yaml"), &exported(&spec).yaml);
    }
}

/// YAML and JSON say the same, and are small enough to be sent as they are.
#[test]
fn a_template_is_read_as_it_is_meant() {
    for (name, spec) in exportable() {
        let exported = exported(&spec);
        let (yaml, json) = (parsed(&exported), Template::parse(&exported.json).unwrap());
        assert_eq!(yaml.differences(&json), [], "{name}");
        assert!(exported.yaml.len() < LARGEST_INLINE, "{name}: {}", exported.yaml.len());
        assert_eq!(yaml.capabilities(), exported.capabilities, "{name}");
        assert_eq!(yaml.resources().len(), exported.resources, "{name}");
        let description = yaml.value()["Description"].as_str().unwrap();
        assert!(description.len() <= 1024 && description.contains(&spec.stack), "{description}");
    }
}

/// Nothing of it could be taken for auroraml's own, nothing stands for something else any more.
#[test]
fn nothing_in_it_is_auroramls_own() {
    for (name, spec) in exportable() {
        let exported = exported(&spec);
        let template = parsed(&exported);
        let text = template.value().to_string();
        assert!(!text.chars().any(|c| ('\u{e000}'..'\u{f8ff}').contains(&c)), "{name}");
        assert!(!text.contains("auroraml:stack") && !text.contains("auroraml:resource"), "{name}");
        assert!(!text.contains("RoleName"), "{name}");
        for resource in template.resources() {
            // By path, or by a name that auroraml chooses, it would be known again.
            let properties = resource.properties.to_string();
            assert!(
                !properties.contains("role/auroraml/") && resource.properties.get("Path").is_none(),
                "{properties}"
            );
            let chosen = [
                "BucketName",
                "ModelName",
                "EndpointConfigName",
                "NotebookInstanceLifecycleConfigName",
                "Name",
            ];
            let own = chosen.iter().filter(|key| resource.properties[**key].is_string());
            let own: Vec<_> =
                own.filter(|key| !(resource.kind == "AWS::S3::Bucket" && **key == "BucketName")).collect();
            assert!(own.is_empty(), "{name}: {} {own:?}", resource.id);
        }
    }
}

/// What a resource waits for, by its references and by what it says.
fn needs(template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let resources = template.resources();
    let ids: BTreeSet<&str> = resources.iter().map(|resource| resource.id).collect();
    let of = |resource: &auroraml_core::template::Resource<'_>| {
        let found = references(resource.properties);
        let named = found.iter().filter_map(Reference::id).chain(resource.depends_on());
        let named: BTreeSet<String> = named.filter(|id| ids.contains(id)).map(str::to_string).collect();
        (resource.id.to_string(), named)
    };
    resources.iter().map(of).collect()
}

#[test]
fn nothing_waits_for_itself() {
    for (name, spec) in exportable() {
        let mut needs = needs(&parsed(&exported(&spec)));
        while !needs.is_empty() {
            let free = needs.iter().find(|(_, needed)| needed.is_empty()).map(|(id, _)| id.clone());
            let free = free.unwrap_or_else(|| panic!("{name}: a cycle among {needs:?}"));
            needs.remove(&free);
            for needed in needs.values_mut() {
                needed.remove(&free);
            }
        }
    }
}

fn resource<'t>(template: &'t Template, id: &str) -> &'t Value {
    template.resource(id).unwrap_or_else(|| panic!("there is no {id}")).all
}

/// What the article's template forgot.
#[test]
fn a_public_route_waits_for_the_attachment() {
    let template = parsed(&exported(&spec_named("churn.yaml")));
    let route = resource(&template, "RouteTablePublicRoute1");
    assert_eq!(route["DependsOn"], "InternetGatewayAttachment");
    assert_eq!(route["Properties"]["GatewayId"], json!({"Ref": "InternetGateway"}));
    for waits in ["ElasticIp1", "NatGateway1"] {
        assert_eq!(resource(&template, waits)["DependsOn"], "InternetGatewayAttachment", "{waits}");
    }
    assert_eq!(
        resource(&template, "RouteTablePrivateRoute1")["Properties"]["NatGatewayId"],
        json!({"Ref": "NatGateway1"})
    );
    let notebook = resource(&template, "Notebook")["DependsOn"].to_string();
    for needed in
        ["RouteTablePrivateRoute1", "RouteTablePrivateAssociation1", "VpcEndpointS3", "RoleNotebookPolicy"]
    {
        assert!(notebook.contains(needed), "{notebook}");
    }
}

#[test]
fn a_role_trusts_the_cluster_by_its_name() {
    let template = parsed(&exported(&spec_named("churn.yaml")));
    let trust =
        &resource(&template, "RoleSagemaker")["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Condition"]["StringEquals"]["aws:SourceAccount"], json!({"Ref": "AWS::AccountId"}));
    assert_eq!(
        trust["Condition"]["ArnLike"]["aws:SourceArn"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:churn"})
    );
    let cluster = &resource(&template, "Cluster")["Properties"];
    assert_eq!(cluster["DBClusterIdentifier"], "churn");
    assert!(cluster["AssociatedRoles"].to_string().contains("RoleSagemaker"));
    let attachment = &resource(&template, "SecretAttachment")["Properties"];
    assert_eq!(attachment["TargetType"], "AWS::RDS::DBCluster");
    assert_eq!(attachment["TargetId"], json!({"Ref": "Cluster"}));
}

#[test]
fn a_template_has_no_password() {
    let spec = |secret: &str| {
        let text = format!(
            "stack: s\nregion: us-east-1\nnetwork: {{cidr: 10.0.0.0/24, private_subnets: [10.0.0.0/26, 10.0.0.64/26]}}\naurora: {{instances: [{{class: db.r6g.large}}], secret: {{{secret}}}}}\n"
        );
        spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render("s", &text)))
    };
    let managed = parsed(&exported(&spec("managed_by: rds")));
    assert_eq!(resource(&managed, "Cluster")["Properties"]["ManageMasterUserPassword"], true);
    assert!(managed.resource("SecretMaster").is_none() && managed.parameters().len() == 1);
    let own = parsed(&exported(&spec("managed_by: stack")));
    let password = json!({"Fn::Sub": "{{resolve:secretsmanager:${SecretMaster}:SecretString:password}}"});
    assert_eq!(resource(&own, "Cluster")["Properties"]["MasterUserPassword"], password);
    assert_eq!(
        resource(&own, "SecretMaster")["Properties"]["GenerateSecretString"]["GenerateStringKey"],
        "password"
    );
    let given = parsed(&exported(&spec("managed_by: stack, password_environment_variable: PASSWORD")));
    let parameters = given.parameters();
    let parameter = parameters.iter().find(|parameter| parameter.name == "MasterUserPassword").unwrap();
    assert!(parameter.no_echo && parameter.default.is_none());
    assert_eq!(
        resource(&given, "SecretMaster")["Properties"]["SecretString"],
        json!({"Fn::Sub": "{\"username\":\"admin\",\"password\":\"${MasterUserPassword}\"}"})
    );
    assert_eq!(resource(&given, "Cluster")["Properties"]["MasterUserPassword"], password);
}

#[test]
fn what_happens_at_the_end_is_what_the_spec_says() {
    let policies = |cluster: &str, bucket: &str| {
        let text = format!(
            "stack: s\nregion: us-east-1\nbucket: {{on_destroy: {bucket}}}\nnetwork: {{cidr: 10.0.0.0/24, private_subnets: [10.0.0.0/26, 10.0.0.64/26]}}\naurora: {{instances: [{{class: db.r6g.large}}], on_destroy: {cluster}}}\n"
        );
        let exported = exported(&spec::parse(text.as_bytes()).unwrap());
        let template = parsed(&exported);
        let of = |id: &str| resource(&template, id)["DeletionPolicy"].as_str().unwrap().to_string();
        let protected = resource(&template, "Cluster")["Properties"]["DeletionProtection"].as_bool().unwrap();
        let replaced =
            |id: &str| resource(&template, id)["UpdateReplacePolicy"].as_str().unwrap().to_string();
        assert_eq!((replaced("Cluster"), replaced("SageMakerBucket")), ("Snapshot".into(), "Retain".into()));
        let lost: Vec<&str> = exported.lost.iter().map(|lost| lost.what).collect();
        (of("Cluster"), of("SageMakerBucket"), protected, lost.join(", "))
    };
    let (cluster, bucket, protected, lost) = policies("delete", "empty");
    assert_eq!((cluster.as_str(), bucket.as_str(), protected), ("Delete", "Delete", false));
    assert!(lost.contains("emptying the bucket"), "{lost}");
    let (cluster, bucket, protected, lost) = policies("snapshot", "keep");
    assert_eq!((cluster.as_str(), bucket.as_str(), protected), ("Snapshot", "Retain", false));
    assert!(lost.contains("the snapshot's name"), "{lost}");
    let (cluster, _, protected, lost) = policies("protect", "keep");
    assert_eq!((cluster.as_str(), protected), ("Snapshot", true));
    assert!(lost.contains("protection"), "{lost}");
}

/// What `Fn::Sub` makes of its text, as the template reference says: `${Name}` is a value and `${!Name}` is `${Name}`.
fn substituted(text: &str, value: &impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let inside = &rest[start + 2..];
        let end = inside.find('}').unwrap_or_else(|| panic!("unclosed in {text}"));
        match inside.strip_prefix('!') {
            Some(literal) => out.push_str(&format!("${{{}}}", &literal[..end - 1])),
            None => out.push_str(&value(&inside[..end])),
        }
        rest = &inside[end + 1..];
    }
    out + rest
}

/// Scripts come out as auroraml itself would send them, whatever the shell's own variables look like.
#[test]
fn scripts_survive() {
    let spec = spec_named("churn.yaml");
    let template = parsed(&exported(&spec));
    let value = |name: &str| match name {
        "AWS::AccountId" => "111122223333".to_string(),
        "AWS::Region" => spec.region.clone(),
        "AWS::Partition" => "aws".to_string(),
        "AWS::URLSuffix" => "amazonaws.com".to_string(),
        "SageMakerBucket" => "churn-sagemaker-111122223333-us-east-1".to_string(),
        "SecretMaster" => "auroraml/churn/master".to_string(),
        "RoleNotebook.Arn" => {
            "arn:aws:iam::111122223333:role/auroraml/churn/us-east-1/churn-us-east-1-notebook".into()
        }
        "Registry" => "683313688378".to_string(),
        other => panic!("{other} is not known"),
    };
    let mut facts = facts_for(&spec);
    facts.files = given(&spec).files;
    let place = crate::place_of(&spec);
    let graph =
        auroraml_core::model::build(&spec, &place, &facts, auroraml_core::model::Intent::Apply).unwrap();
    let wanted = graph.resources.values().find(|resource| resource.id.kind == "notebook_config").unwrap();
    let config = &resource(&template, "NotebookConfig")["Properties"];
    for (hook, wanted) in [("OnCreate", &wanted.props["on_create"]), ("OnStart", &wanted.props["on_start"])] {
        let said = &config[hook][0]["Content"]["Fn::Base64"]["Fn::Sub"];
        let text = said.as_str().or_else(|| said[0].as_str()).unwrap();
        assert_eq!(substituted(text, &value), wanted.as_str().unwrap(), "{hook}");
    }
}

#[test]
fn what_is_not_in_it_is_named() {
    let lost = |name: &str| {
        let exported = exported(&spec_named(name));
        let text: String = exported.lost.iter().map(|lost| format!("{lost}\n")).collect();
        // In the template as on the terminal.
        let comments: String =
            exported.yaml.lines().filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ");
        let comments = comments.split_whitespace().collect::<Vec<_>>().join(" ");
        for lost in &exported.lost {
            assert!(comments.contains(&lost.to_string()), "{lost}\n{comments}");
        }
        text
    };
    let churn = lost("churn.yaml");
    for said in [
        "training: ",
        "file uploads: ",
        "SQL: ",
        "will_churn",
        "the expiry: nothing deletes the stack after 8h",
        "restarts: ",
    ] {
        assert!(churn.contains(said), "{said} is not in {churn}");
    }
    let autopilot = lost("churn-autopilot.yaml");
    assert!(
        autopilot.contains("Autopilot: ")
            && autopilot.contains("endpoint.churn-autopilot is not in the template"),
        "{autopilot}"
    );
    assert!(lost("minimal.yaml").contains("endpoints of others: churn is created elsewhere"));
}

/// Nothing of the graph is forgotten: it is written, or it is told.
#[test]
fn every_resource_is_written_or_told() {
    for (name, spec) in exportable() {
        let exported = exported(&spec);
        let told: String = exported.lost.iter().map(|lost| format!("{lost}\n")).collect();
        let graph = crate::graph_of(&spec);
        let count = |kind: &str| graph.resources.keys().filter(|id| id.kind == kind).count();
        let template = parsed(&exported);
        let written =
            |kind: &str| template.resources().iter().filter(|resource| resource.kind == kind).count();
        for (kind, of) in [
            ("vpc", "AWS::EC2::VPC"),
            ("subnet", "AWS::EC2::Subnet"),
            ("nat_gateway", "AWS::EC2::NatGateway"),
            ("security_group", "AWS::EC2::SecurityGroup"),
            ("vpc_endpoint", "AWS::EC2::VPCEndpoint"),
            ("bucket", "AWS::S3::Bucket"),
            ("cluster", "AWS::RDS::DBCluster"),
            ("instance", "AWS::RDS::DBInstance"),
            ("secret", "AWS::SecretsManager::Secret"),
            ("notebook", "AWS::SageMaker::NotebookInstance"),
        ] {
            assert_eq!(count(kind), written(of), "{name}: {kind}");
        }
        for id in graph.resources.keys() {
            let is_told = |text: &str| told.contains(text);
            let good = match id.kind {
                "endpoint" => written("AWS::SageMaker::Endpoint") > 0 || is_told(&id.to_string()),
                "sql_table" | "sql_function" | "bucket_object" => is_told(&id.name),
                "data_load" | "data_unload" => is_told(id.name.rsplit_once('-').unwrap().0),
                "training_job" | "tuning_job" => is_told("training: "),
                "parameter_sync" => is_told("restarts: "),
                _ => true,
            };
            assert!(good, "{name}: {id} is neither written nor told\n{told}");
        }
    }
}

#[test]
fn a_cluster_of_others_is_refused() {
    let spec = spec_named("existing-cluster.yaml");
    let refused = export(&spec, &given(&spec)).unwrap_err();
    assert_eq!(refused[0].what, "aurora.existing");
    assert!(refused[0].why.starts_with("the cluster database-aurora-ml belongs to others"), "{refused:?}");
}

#[test]
fn a_version_is_whole_or_asked_for() {
    let version = |asked: &str| {
        let text = format!(
            "stack: s\nregion: us-east-1\nnetwork: {{cidr: 10.0.0.0/24, private_subnets: [10.0.0.0/26, 10.0.0.64/26]}}\naurora: {{instances: [{{class: db.r6g.large}}], engine_version: \"{asked}\"}}\n"
        );
        let exported = exported(&spec::parse(text.as_bytes()).unwrap());
        let template = parsed(&exported);
        let family =
            resource(&template, "ParameterGroup")["Properties"]["Family"].as_str().unwrap().to_string();
        let default = template.parameters()[0].default_text();
        assert_eq!(
            exported.steps[0].contains("EngineVersion=VERSION"),
            default.is_none(),
            "{}",
            exported.steps[0]
        );
        (default, family)
    };
    let whole = |version: &str, family: &str| (Some(version.to_string()), format!("aurora-mysql{family}"));
    assert_eq!(version("8.0"), whole("8.0.mysql_aurora.3.10.2", "8.0"));
    assert_eq!(version("3.10"), whole("8.0.mysql_aurora.3.10.2", "8.0"));
    assert_eq!(version("8.4"), whole("8.4.mysql_aurora.8.4.7", "8.4"));
    assert_eq!(version("3.08.2"), whole("8.0.mysql_aurora.3.08.2", "8.0"));
    assert_eq!(version("8.0.mysql_aurora.3.11.1"), whole("8.0.mysql_aurora.3.11.1", "8.0"));
    assert_eq!(version("3.11"), (None, "aurora-mysql8.0".to_string()));
}
