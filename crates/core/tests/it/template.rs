//! Templates as values: what is read, what is refused, what differs.

use auroraml_core::template::{
    Capability, LARGEST, Reference, Template, differences, references, same, variables,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn refused(text: &str) -> String {
    Template::parse(text).map(|template| template.value().clone()).unwrap_err().to_string()
}

/// A resource of a template, with this behind `Value:`.
fn value(text: &str) -> Value {
    let template =
        parse(&format!("Resources:\n  A:\n    Type: T::T::T\n    Properties:\n      Value: {text}\n"));
    template.value()["Resources"]["A"]["Properties"]["Value"].clone()
}

#[test]
fn short_forms_become_long_ones() {
    for (short, long) in [
        ("!Ref A", json!({"Ref": "A"})),
        ("!GetAtt A.Arn", json!({"Fn::GetAtt": ["A", "Arn"]})),
        ("!GetAtt A.Outputs.Name", json!({"Fn::GetAtt": ["A", "Outputs.Name"]})),
        ("!GetAtt [A, Arn]", json!({"Fn::GetAtt": ["A", "Arn"]})),
        ("{Fn::GetAtt: A.Arn}", json!({"Fn::GetAtt": ["A", "Arn"]})),
        ("!Sub 'x-${A}'", json!({"Fn::Sub": "x-${A}"})),
        ("!Sub ['${v}', {v: !Ref A}]", json!({"Fn::Sub": ["${v}", {"v": {"Ref": "A"}}]})),
        ("!Join ['', [a, !Ref A]]", json!({"Fn::Join": ["", ["a", {"Ref": "A"}]]})),
        ("!Select [0, !GetAZs '']", json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]})),
        (
            "!Select [0, Fn::GetAZs: !Ref AWS::Region]",
            json!({"Fn::Select": [0, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]}),
        ),
        ("!GetAZs", json!({"Fn::GetAZs": ""})),
        ("!Base64 text", json!({"Fn::Base64": "text"})),
        ("!ImportValue name", json!({"Fn::ImportValue": "name"})),
        ("!Split [',', 'a,b']", json!({"Fn::Split": [",", "a,b"]})),
        ("!Cidr [10.0.0.0/16, 4, 8]", json!({"Fn::Cidr": ["10.0.0.0/16", 4, 8]})),
        ("!!str 12", json!("12")),
    ] {
        assert_eq!(value(short), long, "{short}");
    }
}

/// What YAML takes for a number, and JSON would write otherwise, is another text to CloudFormation.
#[test]
fn numbers_keep_their_text() {
    for (written, read) in [
        ("3306", json!(3306)),
        ("1.5", json!(1.5)),
        ("-1", json!(-1)),
        ("3.10", json!("3.10")),
        ("8.0", json!(8.0)),
        ("012345678901", json!("012345678901")),
        ("0x1F", json!("0x1F")),
        ("1e3", json!("1e3")),
        ("1_000", json!("1_000")),
        ("2012-10-17", json!("2012-10-17")),
        ("123456789012345678901234567890", json!("123456789012345678901234567890")),
        ("8.0.mysql_aurora.3.08.2", json!("8.0.mysql_aurora.3.08.2")),
        ("true", json!(true)),
        ("yes", json!("yes")),
        ("off", json!("off")),
    ] {
        assert_eq!(value(written), read, "{written}");
    }
    let template = parse("Mappings: {Images: {012345678901: {a: b}}}\nResources: {A: {Type: T}}");
    assert_eq!(template.value()["Mappings"]["Images"]["012345678901"]["a"], "b");
}

#[test]
fn json_is_read_too() {
    let text = "{\n\t\"Resources\": {\n\t\t\"A\": {\"Type\": \"T\", \"Properties\": {\"Url\": \"https:\\/\\/x\", \"Face\": \"\\ud83d\\ude00\"}}\n\t}\n}";
    let template = parse(text);
    assert_eq!(template.value()["Resources"]["A"]["Properties"], json!({"Url": "https://x", "Face": "😀"}));
    let said = refused("{\"Resources\": {\n\"A\" {}}}");
    assert!(said.starts_with("line 2: not JSON: expected `:`"), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, wanted) in [
        ("Resources:\n  A:\n    Type: T\n  A:\n    Type: T\n", "line 4: Resources.A: duplicate key `A`"),
        (
            "Resources:\n  A:\n    Type: !Reef T\n",
            "line 3: Resources.A.Type: `!Reef` is not a CloudFormation function",
        ),
        (
            "Resources:\n  A:\n    Properties: {}\n",
            "line 2: Resources.A.Type: a resource needs a type, such as `AWS::S3::Bucket`",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Bucket: x\n",
            "line 4: Resources.A.Bucket: `Bucket` is not allowed in a resource; `Properties` is missing",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    DependsOn: B\n",
            "line 4: Resources.A.DependsOn: there is no resource `B`",
        ),
        (
            "Resources:\n  A-1:\n    Type: T\n",
            "line 2: Resources.A-1: a logical id can have only letters and digits",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Properties:\n      X: !Ref B\n",
            "line 2: Resources.A: there is no parameter or resource `B`",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Properties:\n      X: !Sub '${B.Arn}'\n",
            "line 2: Resources.A: there is no resource `B`",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Condition: Big\n",
            "line 2: Resources.A: there is no condition `Big`",
        ),
        (
            "Resources:\n  A:\n    Type: T\n    Properties:\n      X:\n",
            "line 5: Resources.A.Properties.X: the value is missing, and CloudFormation does not allow null",
        ),
        (
            "Resources:\n  A: {Type: T}\nOutputs:\n  O: {Description: x}\n",
            "line 4: Outputs.O.Value: an output needs a value",
        ),
        (
            "Resources:\n  A: {Type: T}\nParameters:\n  P: {Default: x}\n",
            "line 4: Parameters.P.Type: a parameter needs a type, such as `String`",
        ),
        (
            "Ressources:\n  A: {Type: T}\n",
            "`Resources` is missing\nline 1: Ressources: `Ressources` is not a section of a template",
        ),
        ("Resources: {}\n", "line 1: Resources: add at least one resource"),
        ("- a\n", "a template must be a map with `Resources`"),
        (
            "a: &x 1\nb: *x\n",
            "line 2: CloudFormation does not support aliases (`*name`): write the value out",
        ),
    ] {
        assert_eq!(refused(text), wanted, "{text}");
    }
}

#[test]
fn limits_hold() {
    let large = format!("# {}\nResources: {{A: {{Type: T}}}}", "x".repeat(LARGEST));
    assert!(refused(&large).contains("larger than 1048576 bytes"));
    let deep =
        format!("Resources: {{A: {{Type: T, Properties: {{X: {}1{}}}}}}}", "[".repeat(80), "]".repeat(80));
    assert_eq!(refused(&deep), "line 1: nested deeper than 64 levels");
    let deep = format!("{{\"Resources\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(refused(&deep).contains("nested deeper than 64 levels"), "{}", refused(&deep));
    let many: String = (0..501).map(|n| format!("  R{n}: {{Type: T}}\n")).collect();
    assert_eq!(
        refused(&format!("Resources:\n{many}")),
        "line 1: Resources: 501 entries; CloudFormation allows 500"
    );
    let values = "[1,1,1,1,1,1,1,1,1,1],".repeat(20_000);
    assert!(
        refused(&format!("Resources: {{A: {{Type: T, Properties: {{X: [{values}]}}}}}}"))
            .contains("more than 100000 values")
    );
}

const EXAMPLE: &str = "
Parameters:
  Password: {Type: String, NoEcho: true, Default: hunter2}
  Class: {Type: String, Default: db.r5.large, AllowedValues: [db.r5.large, db.r6g.large]}
  Port: {Type: Number, Default: 3306}
Conditions:
  Big: !Equals [!Ref Class, db.r6g.large]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
  Cluster:
    Type: AWS::RDS::DBCluster
    DependsOn: [Bucket, Role]
    Properties: {Port: !Ref Port, MasterUserPassword: !Ref Password}
  Member:
    Type: AWS::RDS::DBInstance
    Condition: Big
    Properties: {DBClusterIdentifier: !Ref Cluster, DBInstanceClass: !Ref Class}
  Role:
    Type: AWS::IAM::Role
    DependsOn: Bucket
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: 's3:*', Resource: !Sub '${Bucket.Arn}/*', Condition: {Bool: {'aws:SecureTransport': true}}}
Outputs:
  Name:
    Value: !Ref Bucket
    Description: where
    Export: {Name: !Sub '${AWS::StackName}-bucket'}
";

#[test]
fn a_template_tells_what_it_has() {
    let template = parse(EXAMPLE);
    let cluster = template.resource("Cluster").unwrap();
    assert_eq!((cluster.kind, cluster.depends_on()), ("AWS::RDS::DBCluster", vec!["Bucket", "Role"]));
    assert_eq!(template.resource("Role").unwrap().depends_on(), ["Bucket"]);
    assert_eq!(template.resource("Bucket").unwrap().deletion_policy(), Some("Retain"));
    assert_eq!(template.resource("Bucket").unwrap().update_replace_policy(), None);
    assert_eq!(template.resource("Member").unwrap().condition(), Some("Big"));
    let bearing: Vec<&str> = template.resources().iter().filter(|r| r.bears_data()).map(|r| r.id).collect();
    assert_eq!(bearing, ["Bucket", "Cluster"]);
    let parameters = template.parameters();
    let of = |name: &str| *parameters.iter().find(|parameter| parameter.name == name).unwrap();
    assert!(of("Password").no_echo && !of("Class").no_echo);
    assert_eq!(of("Class").allowed_values(), ["db.r5.large", "db.r6g.large"]);
    assert_eq!(of("Port").default_text().as_deref(), Some("3306"));
    let outputs = template.outputs();
    assert_eq!((outputs[0].name, outputs[0].description), ("Name", Some("where")));
    assert_eq!(outputs[0].export, Some(&json!({"Fn::Sub": "${AWS::StackName}-bucket"})));
    assert_eq!(template.line("Resources.Cluster"), Some(12));
    assert_eq!(template.line("Resources.Nothing"), None);
}

#[test]
fn capabilities_are_the_least_that_will_do() {
    let template =
        |resources: &str| parse(&format!("Resources:\n  A: {{Type: AWS::S3::Bucket}}\n{resources}"));
    let role = "  R: {Type: AWS::IAM::Role}\n";
    let named = "  N: {Type: AWS::IAM::Role, Properties: {RoleName: x}}\n";
    let policy = "  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: x}}\n";
    let macros = "Transform: AWS::LanguageExtensions\n";
    assert_eq!(template("").capabilities(), []);
    assert_eq!(template(role).capabilities(), [Capability::Iam]);
    assert_eq!(template(policy).capabilities(), [Capability::Iam]);
    assert_eq!(template(&format!("{role}{named}")).capabilities(), [Capability::NamedIam]);
    assert_eq!(template(macros).capabilities(), [Capability::AutoExpand]);
    assert_eq!(
        template("Transform: [AWS::Serverless-2016-10-31]\n").capabilities(),
        [Capability::Iam, Capability::AutoExpand]
    );
    let inside =
        "  X: {Type: T, Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a}}}}\n";
    assert_eq!(template(inside).transforms(), ["AWS::Include"]);
    // Beside what it processes, and several of them.
    let beside = "  X: {Type: T, Properties: {Name: a, Fn::Transform: [{Name: Tags}, {Name: Names}]}, Fn::Transform: {Name: AWS::Include}}\n";
    let both = template(beside);
    let mut found = both.transforms();
    found.sort_unstable();
    assert_eq!(found, ["AWS::Include", "Names", "Tags"]);
    assert_eq!(template(inside).capabilities()[0].to_string(), "CAPABILITY_AUTO_EXPAND");
}

#[test]
fn policies_are_set_on_every_resource_and_nothing_else_changes() {
    let before = parse(EXAMPLE);
    let after = parse(&before.with_policy("Retain").to_json());
    for resource in after.resources() {
        assert_eq!(resource.deletion_policy(), Some("Retain"), "{}", resource.id);
        assert_eq!(resource.update_replace_policy(), Some("Retain"), "{}", resource.id);
    }
    let paths: Vec<String> = before.differences(&after).into_iter().map(|d| d.path).collect();
    assert_eq!(paths.len(), 7, "{paths:?}");
    assert!(
        paths.iter().all(|path| path.ends_with("DeletionPolicy") || path.ends_with("UpdateReplacePolicy"))
    );
}

#[test]
fn references_are_found_wherever_they_stand() {
    let value = json!({
        "a": {"Ref": "One"},
        "b": {"Fn::Sub": ["${Two.Arn} ${own} ${!Shell} ${AWS::Region}", {"own": {"Fn::GetAtt": ["Three", "Id"]}}]},
        "c": {"Fn::If": ["Big", {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "x"]}, {"Fn::ImportValue": "other"}]},
        "Condition": {"StringEquals": {"a": "b"}},
    });
    let attribute =
        |id: &str, attribute: &str| Reference::Attribute { id: id.into(), attribute: attribute.into() };
    let name = |name: &str| Reference::Name(name.into());
    let wanted = [
        name("One"),
        attribute("Two", "Arn"),
        name("AWS::Region"),
        attribute("Three", "Id"),
        Reference::Condition("Big".into()),
        Reference::Map("Map".into()),
        name("AWS::Region"),
        Reference::Import("other".into()),
    ];
    assert_eq!(references(&value), wanted);
    assert_eq!(variables("${A}-${!B}-${ C }-${D"), ["A", "C"]);
}

#[test]
fn what_says_the_same_is_the_same() {
    let same_texts = [
        ("{a: 3306, b: true}", "{b: 'true', a: '3306'}"),
        ("!GetAtt A.Arn", "{Fn::GetAtt: [A, Arn]}"),
        ("!Sub '${A}'", "{Fn::Sub: '${A}'}"),
    ];
    for (left, right) in same_texts {
        assert!(same(&value(left), &value(right)), "{left} {right}");
        assert_eq!(differences(&value(left), &value(right)), []);
    }
    let other_texts = [
        ("[a, b]", "[b, a]"),
        ("3.10", "3.1"),
        ("{a: 1}", "{a: 1, b: 1}"),
        ("'True'", "true"),
        ("[]", "{}"),
        ("''", "[]"),
    ];
    for (left, right) in other_texts {
        assert!(!same(&value(left), &value(right)), "{left} {right}");
        assert!(!differences(&value(left), &value(right)).is_empty(), "{left} {right}");
    }
}

#[test]
fn differences_have_their_paths_and_no_secrets() {
    let before = parse(EXAMPLE);
    let changed = EXAMPLE
        .replace("hunter2", "hunter3")
        .replace("!Ref Port,", "3307,")
        .replace("Description: where", "Description: there")
        .replace("[db.r5.large, db.r6g.large]", "[db.r5.large]")
        .replace("    DeletionPolicy: Retain\n", "");
    let found = before.differences(&parse(&changed));
    let paths: Vec<&str> = found.iter().map(|difference| difference.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "Parameters.Password.Default",
            "Parameters.Class.AllowedValues",
            "Resources.Bucket.DeletionPolicy",
            "Resources.Cluster.Properties.Port",
            "Outputs.Name.Description",
        ]
    );
    assert!(found[0].is_secret && found[0].before.is_none() && found[0].after.is_none());
    assert!(!format!("{found:?}").contains("hunter"));
    assert_eq!((found[2].before.clone(), found[2].after.clone()), (Some(json!("Retain")), None));
    // A function is shown as a whole.
    assert_eq!(
        (found[3].before.clone(), found[3].after.clone()),
        (Some(json!({"Ref": "Port"})), Some(json!(3307)))
    );
}

/// Values as a template may have them: text of all sorts, numbers, functions, lists and maps.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        "[ -~]{0,12}".prop_map(Value::String),
        "\\PC{0,8}".prop_map(Value::String),
        "(true|yes|no|null|~|1e3|3\\.10|0x1F|012|2012-10-17|#a|- a|a: b|\\$\\{a\\}|!Ref a|<<|a\nb\n\n c\n)"
            .prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::Bool),
        "[A-Za-z]{1,6}".prop_map(|name| json!({"Ref": format!("AWS::{name}")})),
        "[ -~]{0,12}".prop_map(|text| json!({"Fn::Base64": text})),
        "[ -#%-~]{0,12}".prop_map(|text| json!({"Fn::Sub": format!("{text}${{AWS::Region}}")})),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let key = prop_oneof!["[A-Za-z][A-Za-z0-9]{0,8}", "[ -~]{2,8}"].prop_filter("a function", |key| {
            !key.starts_with("Fn::") && !["Ref", "Condition", "<<"].contains(&key.as_str())
        });
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(key, inner.clone(), 0..4).prop_map(|map| map.into_iter().collect()),
            inner.prop_map(|value| json!({"Fn::Join": ["", [value]]})),
        ]
    })
}

fn templates() -> impl Strategy<Value = Value> {
    let resource = ("[A-Z][A-Za-z]{2,8}", values(), any::<bool>()).prop_map(|(kind, value, keeps)| {
        let mut resource = json!({"Type": format!("AWS::Test::{kind}"), "Properties": {"Value": value}});
        if keeps {
            resource["DeletionPolicy"] = json!("Retain");
        }
        resource
    });
    prop::collection::btree_map("[A-Z][A-Za-z0-9]{0,8}", resource, 1..4)
        .prop_map(|resources| json!({"Resources": Value::from_iter(resources)}))
}

/// YAML with short forms, in flow style; text in JSON's quotes, which are YAML's too.
fn short(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            if let (1, Some((name, argument))) = (map.len(), map.iter().next())
                && (name == "Ref" || name.starts_with("Fn::"))
            {
                return format!("!{} {}", name.trim_start_matches("Fn::"), short(argument));
            }
            let entries =
                map.iter().map(|(key, value)| format!("{}: {}", Value::String(key.clone()), short(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(short).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}

proptest! {
    /// What is written, as JSON, as YAML, with functions in either form, is read as the same.
    #[test]
    fn what_is_written_is_read_as_the_same(value in templates()) {
        let read = parse(&value.to_string());
        prop_assert_eq!(read.value(), &value);
        let (json, yaml) = (parse(&read.to_json()), parse(&short(&value)));
        prop_assert_eq!(json.value(), &value);
        prop_assert_eq!(yaml.value(), &value);
        prop_assert!(read.differences(&yaml).is_empty());
        prop_assert!(read.is_same(&yaml));
    }

    #[test]
    fn policies_change_nothing_but_policies(value in templates()) {
        let read = parse(&value.to_string());
        let kept = parse(&read.with_policy("Retain").to_json());
        let mut taken = kept.value().clone();
        for (id, resource) in taken["Resources"].as_object_mut().unwrap() {
            let resource = resource.as_object_mut().unwrap();
            prop_assert_eq!(resource.remove("DeletionPolicy"), Some(json!("Retain")));
            prop_assert_eq!(resource.remove("UpdateReplacePolicy"), Some(json!("Retain")));
            if let Some(own) = value["Resources"][id].get("DeletionPolicy") {
                resource.insert("DeletionPolicy".into(), own.clone());
            }
        }
        prop_assert!(same(&taken, &value));
    }

    /// There is a difference exactly where two are not the same, and it is where it says.
    #[test]
    fn there_is_a_difference_where_two_are_not_the_same(left in values(), right in values()) {
        prop_assert_eq!(differences(&left, &right).is_empty(), same(&left, &right));
        prop_assert_eq!(differences(&left, &left), vec![]);
        prop_assert_eq!(differences(&left, &right).len(), differences(&right, &left).len());
    }

    /// Nothing that anybody writes makes it panic.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", yaml in "[!&*a:\\-{}\\[\\],'\"\n #|>]{0,60}") {
        let _ = Template::parse(&text);
        let _ = Template::parse(&yaml);
        let _ = Template::parse(&format!("Resources:\n  A:\n    Type: {yaml}"));
    }
}
