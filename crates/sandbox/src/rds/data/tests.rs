//! The whole way from a request to the services behind the database, and each of its links broken alone.

mod many;

use crate::decode::decode;
use crate::random::Mood;
use crate::wire::Request;
use crate::world::World;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

const CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:c";
const ROLE: &str = "arn:aws:iam::111122223333:role/aurora";
const MINUTE: u64 = 60_000;

#[derive(Clone)]
struct Cloud {
    world: World,
    now: u64,
    secret: String,
}

impl Cloud {
    fn send(&mut self, service: &str, method: &str, path: &str, target: &str, body: String) -> (u16, String) {
        self.now += 1_000;
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/{service}/aws4_request, Signature=0"
        );
        let mut headers = vec![("authorization".to_string(), scope)];
        if !target.is_empty() {
            headers.push(("x-amz-target".into(), format!("X.{target}")));
        }
        let request = Request {
            method: method.into(),
            path: path.into(),
            headers: headers.into_iter().collect(),
            body: body.into_bytes(),
            ..Request::default()
        };
        let answer = self.world.answer(&decode(request, self.now));
        self.now += std::mem::take(&mut self.world.took_ms);
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// A query request that must succeed.
    fn query(&mut self, service: &str, action: &str, members: &[(&str, &str)]) -> String {
        let pairs = members
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        let body = format!("Action={action}&{}", pairs.collect::<Vec<_>>().join("&"));
        let (status, answer) = self.send(service, "POST", "/", "", body);
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    fn json(&mut self, service: &str, target: &str, body: Value) -> Value {
        let (status, answer) = self.send(service, "POST", "/", target, body.to_string());
        assert_eq!(status, 200, "{target}: {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    fn data(&mut self, path: &str, more: Value) -> (u16, Value) {
        let mut body = json!({"resourceArn": CLUSTER, "secretArn": self.secret, "database": "shop"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        if path.starts_with("/Commit") || path.starts_with("/Rollback") {
            body.as_object_mut().unwrap().remove("database");
        }
        let (status, answer) = self.send("rds-data", "POST", path, "", body.to_string());
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    fn ok(&mut self, sql: &str) -> Value {
        let (status, answer) = self.data("/Execute", json!({"sql": sql}));
        assert_eq!(status, 200, "{sql}: {answer}");
        answer
    }

    fn no(&mut self, sql: &str) -> String {
        let (status, answer) = self.data("/Execute", json!({"sql": sql}));
        assert_ne!(status, 200, "{sql}: {answer}");
        answer["message"].as_str().unwrap_or_default().to_string()
    }

    fn policy(&mut self, name: &str, statement: Value) {
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        self.query(
            "iam",
            "PutRolePolicy",
            &[("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", &document)],
        );
    }

    fn trust(service: &str) -> String {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
        }]})
        .to_string()
    }

    fn wait(&mut self, minutes: u64) {
        self.now += minutes * MINUTE;
    }

    /// A cluster whose chain is whole, a table with two rows, an endpoint in service.
    fn new() -> Cloud {
        let world = World::new(1, Mood::Calm);
        let mut c = Cloud { now: world.now, world, secret: String::new() };
        for (name, service) in [("aurora", "rds.amazonaws.com"), ("model", "sagemaker.amazonaws.com")] {
            let trust = Cloud::trust(service);
            c.query("iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]);
        }
        c.policy("aurora", Cloud::allowed());
        c.policy("model", json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        c.wait(5);
        c.query(
            "rds",
            "CreateDBClusterParameterGroup",
            &[
                ("DBClusterParameterGroupName", "g"),
                ("DBParameterGroupFamily", "aurora-mysql8.0"),
                ("Description", "d"),
            ],
        );
        c.wait(10);
        for service in ["s3", "sagemaker", "comprehend", "bedrock"] {
            c.parameter(&format!("aws_default_{service}_role"), ROLE);
        }
        c.query(
            "rds",
            "CreateDBCluster",
            &[
                ("DBClusterIdentifier", "c"),
                ("Engine", "aurora-mysql"),
                ("MasterUsername", "admin"),
                ("MasterUserPassword", "correct horse"),
                ("DatabaseName", "shop"),
                ("DBClusterParameterGroupName", "g"),
                ("EnableHttpEndpoint", "true"),
            ],
        );
        c.wait(5);
        c.query(
            "rds",
            "CreateDBInstance",
            &[
                ("DBInstanceIdentifier", "c-0"),
                ("DBClusterIdentifier", "c"),
                ("Engine", "aurora-mysql"),
                ("DBInstanceClass", "db.r6g.large"),
                ("PubliclyAccessible", "true"),
            ],
        );
        c.query("rds", "AddRoleToDBCluster", &[("DBClusterIdentifier", "c"), ("RoleArn", ROLE)]);
        let secret = json!({"Name": "s", "SecretString": r#"{"username":"admin","password":"correct horse"}"#, "ClientRequestToken": "0123456789012345678901234567890123"});
        c.secret = c.json("secretsmanager", "CreateSecret", secret)["ARN"].as_str().unwrap().into();
        assert_eq!(c.send("s3", "PUT", "/data-bucket", "", String::new()).0, 200);
        assert_eq!(c.send("s3", "PUT", "/data-bucket/in.csv", "", "1,no\n2,yes\n".into()).0, 200);
        c.json("sagemaker", "CreateModel", json!({"ModelName": "m", "ExecutionRoleArn": ROLE.replace("aurora", "model"), "PrimaryContainer": {
            "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "ModelDataUrl": "s3://sagemaker-sample-files/models/churn/model.tar.gz",
        }}));
        c.json("sagemaker", "CreateEndpointConfig", json!({"EndpointConfigName": "churn", "ProductionVariants": [{
            "VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0,
        }]}));
        c.wait(1);
        c.json(
            "sagemaker",
            "CreateEndpoint",
            json!({"EndpointName": "churn", "EndpointConfigName": "churn"}),
        );
        c.wait(60);
        for sql in [
            "CREATE TABLE t (id bigint, plan varchar(10))",
            "CREATE FUNCTION will_churn(id bigint, mins double) RETURNS double ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT ENDPOINT NAME 'churn'",
            "CREATE FUNCTION ask(body text) RETURNS text ALIAS AWS_BEDROCK_INVOKE_MODEL MODEL ID 'm'",
            "GRANT AWS_SAGEMAKER_ACCESS, AWS_COMPREHEND_ACCESS, AWS_BEDROCK_ACCESS TO admin",
            "SET DEFAULT ROLE ALL TO admin",
        ] {
            c.ok(sql);
        }
        c
    }

    fn allowed() -> Value {
        json!([{"Effect": "Allow", "Action": ["s3:*", "sagemaker:InvokeEndpoint", "comprehend:*", "bedrock:InvokeModel"], "Resource": "*"}])
    }

    fn parameter(&mut self, name: &str, value: &str) {
        self.query(
            "rds",
            "ModifyDBClusterParameterGroup",
            &[
                ("DBClusterParameterGroupName", "g"),
                ("Parameters.Parameter.1.ParameterName", name),
                ("Parameters.Parameter.1.ParameterValue", value),
                ("Parameters.Parameter.1.ApplyMethod", "immediate"),
            ],
        );
    }
}

const LOAD: &str =
    "LOAD DATA FROM S3 's3-us-east-1://data-bucket/in.csv' INTO TABLE t FIELDS TERMINATED BY ','";
const UNLOAD: &str = "SELECT * FROM t INTO OUTFILE S3 's3://data-bucket/out' FORMAT CSV HEADER";
const PREDICT: &str = "SELECT will_churn(1, 2.5)";
const SENTIMENT: &str =
    "SELECT aws_comprehend_detect_sentiment('You morons! You charged me extra again!', 'en')";
const ASK: &str = "SELECT ask('{\"prompt\": \"x\"}')";

#[test]
fn a_whole_chain_answers() {
    let mut c = Cloud::new();
    assert_eq!(c.ok(LOAD)["numberOfRecordsUpdated"], 2);
    assert_eq!(c.ok("SELECT COUNT(*) FROM t")["records"], json!([[{"longValue": 2}]]));
    assert_eq!(c.ok(UNLOAD)["numberOfRecordsUpdated"], 3);
    let object = c.world.global.s3.object("data-bucket", "out.part_00000").unwrap();
    assert_eq!(object, b"id,plan\n1,no\n2,yes\n");
    assert!(c.no(UNLOAD).contains("already exists"));
    let answer = c.ok(PREDICT)["records"][0][0]["doubleValue"].clone();
    assert!(answer.as_f64().is_some_and(|found| (0.0..=1.0).contains(&found)), "{answer}");
    assert_eq!(c.ok(SENTIMENT)["records"][0][0]["stringValue"], "NEGATIVE");
    assert!(c.ok(ASK)["records"][0][0]["stringValue"].as_str().unwrap().contains("outputText"));
    let saved = serde_json::to_string(&c.world).unwrap();
    let mut again = Cloud { world: serde_json::from_str(&saved).unwrap(), ..c.clone() };
    assert_eq!(again.ok("SELECT plan FROM t ORDER BY id")["records"][1][0]["stringValue"], "yes");
}

#[test]
fn each_link_breaks_alone() {
    let whole = Cloud::new();
    type Break = fn(&mut Cloud);
    let all = [LOAD, UNLOAD, PREDICT, SENTIMENT, ASK];
    let credentials = "Missing Credentials: Cannot instantiate";
    let links: Vec<(&str, Break, &[&str], &str)> = vec![
        ("the S3 parameter", |c| c.parameter("aws_default_s3_role", ""), &[LOAD, UNLOAD], credentials),
        (
            "the SageMaker parameter",
            |c| c.parameter("aws_default_sagemaker_role", ""),
            &[PREDICT],
            credentials,
        ),
        (
            "the Comprehend parameter",
            |c| c.parameter("aws_default_comprehend_role", ""),
            &[SENTIMENT],
            credentials,
        ),
        (
            "the association",
            |c| {
                c.query("rds", "RemoveRoleFromDBCluster", &[("DBClusterIdentifier", "c"), ("RoleArn", ROLE)]);
            },
            &all,
            credentials,
        ),
        (
            "the role",
            |c| {
                c.query("iam", "DeleteRolePolicy", &[("RoleName", "aurora"), ("PolicyName", "p")]);
                c.query("iam", "DeleteRole", &[("RoleName", "aurora")]);
            },
            &all,
            credentials,
        ),
        (
            "its trust",
            |c| {
                let trust = Cloud::trust("ec2.amazonaws.com");
                c.query(
                    "iam",
                    "UpdateAssumeRolePolicy",
                    &[("RoleName", "aurora"), ("PolicyDocument", &trust)],
                );
            },
            &all,
            credentials,
        ),
        (
            "its policy for the endpoint",
            |c| {
                c.policy("aurora", json!([{"Effect": "Allow", "Action": ["s3:*", "comprehend:*", "bedrock:*"], "Resource": "*"}]));
            },
            &[PREDICT],
            "is not authorized to perform: sagemaker:InvokeEndpoint",
        ),
        (
            "its policy for reading",
            |c| {
                c.policy("aurora", json!([{"Effect": "Allow", "Action": ["s3:PutObject", "s3:ListBucket", "sagemaker:*", "comprehend:*", "bedrock:*"], "Resource": "*"}]));
            },
            &[LOAD],
            "Unable to initialize S3Stream",
        ),
        (
            "its policy for writing",
            |c| {
                c.policy("aurora", json!([{"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket", "sagemaker:*", "comprehend:*", "bedrock:*"], "Resource": "*"}]));
            },
            &[UNLOAD],
            "Access Denied",
        ),
        (
            "the network",
            |c| {
                let found = c.query("ec2", "DescribeRouteTables", &[]);
                let id = found
                    .split("<routeTableId>")
                    .nth(1)
                    .and_then(|rest| rest.split('<').next())
                    .unwrap()
                    .to_string();
                c.query(
                    "ec2",
                    "DeleteRoute",
                    &[("RouteTableId", &id), ("DestinationCidrBlock", "0.0.0.0/0")],
                );
            },
            &all,
            "Network Connection",
        ),
        (
            "the grant",
            |c| {
                c.ok("REVOKE AWS_SAGEMAKER_ACCESS FROM admin");
            },
            &[PREDICT],
            "INVOKE SAGEMAKER",
        ),
        (
            "the active role",
            |c| {
                c.ok("SET DEFAULT ROLE NONE TO admin");
            },
            &all,
            "Access denied; you need (at least one of) the",
        ),
        (
            "the endpoint",
            |c| {
                c.json("sagemaker", "DeleteEndpoint", json!({"EndpointName": "churn"}));
            },
            &[PREDICT],
            "Endpoint churn of account 111122223333 not found.",
        ),
        (
            "the object",
            |c| {
                assert_eq!(c.send("s3", "DELETE", "/data-bucket/in.csv", "", String::new()).0, 204);
            },
            &[LOAD],
            "NoSuchKey",
        ),
    ];
    assert!(links.len() >= 10);
    for (what, breaks, broken, text) in links {
        let mut c = whole.clone();
        breaks(&mut c);
        c.wait(30);
        for sql in all {
            let began = c.now;
            if broken.contains(&sql) {
                let error = c.no(sql);
                assert!(error.contains(text), "{what}: {sql}: {error}");
                assert_eq!(c.now - began >= 30_000, text == "Network Connection", "{what}: {sql}");
            } else {
                c.ok(sql);
            }
        }
    }
}

#[test]
fn the_parameter_counts_when_the_member_runs_with_it() {
    let mut c = Cloud::new();
    c.query(
        "rds",
        "ModifyDBClusterParameterGroup",
        &[
            ("DBClusterParameterGroupName", "g"),
            ("Parameters.Parameter.1.ParameterName", "aws_default_s3_role"),
            ("Parameters.Parameter.1.ParameterValue", ""),
            ("Parameters.Parameter.1.ApplyMethod", "pending-reboot"),
        ],
    );
    c.wait(10);
    c.ok(LOAD);
    c.query("rds", "RebootDBInstance", &[("DBInstanceIdentifier", "c-0")]);
    c.wait(10);
    assert!(c.no(LOAD).contains("Missing Credentials"));
}

#[test]
fn who_comes_is_in_the_secret() {
    let mut c = Cloud::new();
    let put = |c: &mut Cloud, user: &str, password: &str| {
        let text = json!({"username": user, "password": password}).to_string();
        let id = c.secret.clone();
        c.json("secretsmanager", "PutSecretValue", json!({"SecretId": id, "SecretString": text, "ClientRequestToken": format!("{user}{password}01234567890123456789012345678901")}));
    };
    c.ok("CREATE USER analyst IDENTIFIED BY 'hunter2hunter2'");
    put(&mut c, "analyst", "wrong");
    assert!(c.no("SELECT 1").contains("Access denied for user 'analyst'"), "the password");
    put(&mut c, "analyst", "hunter2hunter2");
    assert_eq!(c.ok("SELECT CURRENT_USER()")["records"][0][0]["stringValue"], "analyst@%");
    assert!(c.no("SELECT * FROM t").contains("Error code: 1142; SQLState: 42000"));
    put(&mut c, "admin", "wrong");
    assert!(c.no("SELECT 1").contains("Error code: 1045"));
}

#[test]
fn transactions_and_batches_go_over_the_wire() {
    let mut c = Cloud::new();
    let (status, begun) = c.data("/BeginTransaction", json!({}));
    assert_eq!(status, 200, "{begun}");
    let id = begun["transactionId"].clone();
    let sets = json!([[{"name": "id", "value": {"longValue": 1}}, {"name": "plan", "value": {"stringValue": "no"}}],
                      [{"name": "id", "value": {"longValue": 2}}, {"name": "plan", "value": {"isNull": true}}]]);
    let (status, done) = c.data(
        "/BatchExecute",
        json!({"sql": "INSERT INTO t VALUES (:id, :plan)", "parameterSets": sets, "transactionId": id}),
    );
    assert_eq!((status, done["updateResults"].as_array().map(Vec::len)), (200, Some(2)), "{done}");
    assert_eq!(c.ok("SELECT COUNT(*) FROM t")["records"][0][0]["longValue"], 0);
    assert_eq!(
        c.data("/CommitTransaction", json!({"transactionId": id})).1["transactionStatus"],
        "Transaction Committed"
    );
    assert_eq!(c.data("/RollbackTransaction", json!({"transactionId": id})).0, 404);
    let (_, answer) = c.data(
        "/Execute",
        json!({
            "sql": "SELECT id, plan, id / 3 AS third FROM t WHERE id >= :least",
            "parameters": [{"name": "least", "value": {"longValue": 1}}],
            "formatRecordsAs": "JSON",
            "includeResultMetadata": true,
        }),
    );
    assert_eq!(
        answer["formattedRecords"],
        r#"[{"id":1,"plan":"no","third":"0.3333"},{"id":2,"plan":null,"third":"0.6667"}]"#
    );
    assert_eq!(answer["columnMetadata"][0]["typeName"], "BIGINT");
    let (status, refused) = c.data("/Execute", json!({"sql": "SELECT 1", "unheardOf": 1}));
    assert_eq!(status, 400, "{refused}");
    c.ok("CREATE TABLE big (a longtext)");
    c.ok(&format!("INSERT INTO big VALUES ('{}')", "x".repeat(60_000)));
    for _ in 0..5 {
        c.ok("INSERT INTO big SELECT a FROM big");
    }
    assert!(c.no("SELECT a FROM big").contains("exceeded size limit"));
    assert!(c.no("SELECT CONCAT(a, a) FROM big LIMIT 1").contains("Packet for query is too large"));
}

#[test]
fn a_long_statement_is_told_so_and_goes_on_if_asked() {
    let mut c = Cloud::new();
    c.world.regions.get_mut("us-east-1").unwrap().rds.slow_statements = 200;
    let (status, answer) = c.data("/Execute", json!({"sql": LOAD}));
    assert_eq!((status, answer["message"].as_str()), (400, Some("Request timed out")));
    c.wait(5);
    assert_eq!(c.ok("SELECT COUNT(*) FROM t")["records"][0][0]["longValue"], 0);
    let (began, (status, _)) =
        (c.now, c.data("/Execute", json!({"sql": LOAD, "continueAfterTimeout": true})));
    assert_eq!((status, c.now - began), (400, 46_000));
    c.wait(5);
    assert_eq!(c.ok("SELECT COUNT(*) FROM t")["records"][0][0]["longValue"], 2);
}
