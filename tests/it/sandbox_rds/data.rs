//! The Data API, asked by raw HTTP.

use super::*;
use auroraml_sandbox::wire::Request;
use serde_json::{Value, json};

const CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:c";
const ASK: &str = "SHOW GLOBAL VARIABLES LIKE 'aws_default%'";

impl Fixture {
    /// Error code (empty for none) and body of the answer to ExecuteStatement.
    async fn execute(&self, body: Value) -> (String, Value) {
        let scope = "AKID/20261120/us-east-1/rds-data/aws4_request";
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let request = Request {
            method: "POST".into(),
            path: "/Execute".into(),
            headers: [("authorization".to_string(), signature)].into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let answer = self.sandbox.serve(request).await.unwrap();
        let code = answer.headers.iter().find(|(name, _)| name == "x-amzn-ErrorType");
        let code = code.map(|(_, code)| code.clone()).unwrap_or_default();
        assert_eq!(code.is_empty(), answer.status == 200, "{code} {}", answer.status);
        (code, serde_json::from_slice(&answer.body).unwrap())
    }

    async fn secret(&self) -> String {
        let secrets = aws_sdk_secretsmanager::Client::new(&config(&self.sandbox));
        let text = r#"{"username":"admin","password":"correct horse"}"#;
        let made = secrets.create_secret().name("s").secret_string(text).send().await.unwrap();
        made.arn().unwrap().to_string()
    }

    /// The code of a refused question.
    async fn ask(&self, secret: &str, sql: &str) -> String {
        self.execute(json!({"resourceArn": CLUSTER, "secretArn": secret, "sql": sql})).await.0
    }

    /// `name=value` of the variables that are not empty.
    async fn variables(&self, secret: &str, sql: &str) -> Vec<String> {
        let (code, body) =
            self.execute(json!({"resourceArn": CLUSTER, "secretArn": secret, "sql": sql})).await;
        assert_eq!(code, "", "{body}");
        let records = body["records"].as_array().unwrap().iter();
        let text = |record: &Value, n: usize| record[n]["stringValue"].as_str().unwrap().to_string();
        let all = records.map(|record| (text(record, 0), text(record, 1)));
        all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}")).collect()
    }

    async fn enable(&self) {
        self.rds.enable_http_endpoint().resource_arn(CLUSTER).send().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_database_tells_what_the_writer_really_runs_with() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    let secret = f.secret().await;
    assert_eq!(f.ask(&secret, ASK).await, "HttpEndpointNotEnabledException");
    f.enable().await;
    assert_eq!(f.variables(&secret, ASK).await, [""; 0]);
    f.set("g", "aws_default_s3_role", ROLE, ApplyMethod::PendingReboot).await;
    f.set("g", "aws_default_sagemaker_role", ROLE, ApplyMethod::Immediate).await;
    f.wait(10).await;
    let sagemaker = format!("aws_default_sagemaker_role={ROLE}");
    assert_eq!(f.variables(&secret, ASK).await, [sagemaker.as_str()], "the other one waits for a restart");
    f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
    f.wait(120).await;
    assert_eq!(f.variables(&secret, ASK).await, [sagemaker.as_str()], "the writer answers, not the reader");
    f.rds.failover_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(10).await;
    assert_eq!(f.ask(&secret, ASK).await, "DatabaseUnavailableException");
    f.wait(90).await;
    let s3 = format!("aws_default_s3_role={ROLE}");
    assert_eq!(f.variables(&secret, ASK).await, [s3.as_str(), sagemaker.as_str()]);
    let flag = f.variables(&secret, "show global variables like 'activate\\_all%'").await;
    assert_eq!(flag, ["activate_all_roles_on_login=OFF"]);
    let (_, body) = f
        .execute(
            json!({"resourceArn": CLUSTER, "secretArn": secret, "sql": ASK, "includeResultMetadata": true}),
        )
        .await;
    assert_eq!(body["columnMetadata"][1]["name"], "Value");
    let called = f.sandbox.with(|world| world.log.last().cloned()).unwrap();
    assert_eq!((called.operation.as_str(), called.mutating), ("ExecuteStatement", false));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_has_a_code() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.enable().await;
    let secret = f.secret().await;
    let code = async |member: &str, value: Value| {
        let mut body = json!({"resourceArn": CLUSTER, "secretArn": secret, "sql": ASK});
        body[member] = value;
        f.execute(body).await.0
    };
    assert_eq!(code("continueAfterTimeout", json!(true)).await, "");
    assert_eq!(code("resourceArn", Value::Null).await, "BadRequestException");
    assert_eq!(code("resourceArn", json!(format!("{CLUSTER}x"))).await, "BadRequestException");
    assert_eq!(code("resourceArn", json!(CLUSTER.replace("east", "west"))).await, "BadRequestException");
    assert_eq!(code("secretArn", json!("nowhere")).await, "BadRequestException");
    assert_eq!(code("sql", json!("SELECT FROM")).await, "DatabaseErrorException");
    assert_eq!(code("sql", json!("SELECT 1")).await, "");
    assert_eq!(code("database", json!("nowhere")).await, "DatabaseErrorException");
    assert_eq!(code("database", json!("mysql")).await, "");
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&f.sandbox));
    secrets.create_secret().name("other").secret_string("text").send().await.unwrap();
    assert_eq!(code("secretArn", json!("other")).await, "InvalidSecretException");
    f.rds.stop_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(500).await;
    assert_eq!(f.ask(&secret, ASK).await, "InvalidResourceStateException");
}

#[tokio::test(start_paused = true)]
async fn t_classes_have_no_data_api() {
    let f = lenient(1, Mood::Calm);
    f.new_cluster("c").enable_http_endpoint(true).send().await.unwrap();
    f.wait(60).await;
    let secret = f.secret().await;
    assert_eq!(f.ask(&secret, ASK).await, "DatabaseNotFoundException", "no member");
    f.new_instance("c", "c-0").db_instance_class("db.t4g.medium").send().await.unwrap();
    f.wait(500).await;
    assert_eq!(f.ask(&secret, ASK).await, "BadRequestException");
}

#[tokio::test(start_paused = true)]
async fn a_question_wakes_the_writer_and_those_that_sleep_with_it() {
    let f = lenient(1, Mood::Calm);
    let range = ServerlessV2ScalingConfiguration::builder().min_capacity(0.0).max_capacity(4.0).build();
    let make = f.new_cluster("c").serverless_v2_scaling_configuration(range).enable_http_endpoint(true);
    make.send().await.unwrap();
    f.wait(60).await;
    for (n, tier) in [1, 1, 5].into_iter().enumerate() {
        let make = f.new_instance("c", &format!("c-{n}")).db_instance_class("db.serverless");
        make.promotion_tier(tier).send().await.unwrap();
        f.wait(1).await;
    }
    let secret = f.secret().await;
    f.wait(800).await;
    assert_eq!(f.instance_status("c-0").await, "available");
    let paused = || {
        let now = f.sandbox.clock().now_ms();
        f.sandbox
            .with(|world| ["c-0", "c-1", "c-2"].map(|id| world.regions["us-east-1"].rds.is_paused(id, now)))
    };
    assert_eq!(paused(), [true; 3]);
    assert_eq!(f.ask(&secret, ASK).await, "DatabaseResumingException");
    assert_eq!(paused(), [false, false, true]);
    f.wait(10).await;
    assert_eq!(f.ask(&secret, ASK).await, "DatabaseResumingException");
    f.wait(6).await;
    assert_eq!(f.ask(&secret, ASK).await, "");
    f.wait(290).await;
    assert_eq!(f.ask(&secret, ASK).await, "", "a question keeps it awake");
    f.wait(290).await;
    assert_eq!(paused(), [false, false, true]);
    f.wait(20).await;
    assert_eq!(paused(), [true; 3], "and no longer than any other connection");
    assert!(f.sandbox.with(|world| world.regions["us-east-1"].rds.interruptions().is_empty()));
}

/// Through the SDK, so that AWS's own models judge what is asked and answered.
#[tokio::test(start_paused = true)]
async fn the_sdk_understands_transactions_batches_and_results() {
    use aws_sdk_rdsdata::types::{Field, RecordsFormatType, SqlParameter};
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.enable().await;
    let (secret, client) = (f.secret().await, aws_sdk_rdsdata::Client::new(&config(&f.sandbox)));
    let run = |sql: &str| client.execute_statement().resource_arn(CLUSTER).secret_arn(&secret).sql(sql);
    run("CREATE DATABASE shop").send().await.unwrap();
    let table = "CREATE TABLE t (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(20), share decimal(6,2), yes tinyint(1), at datetime, raw blob)";
    run(table).database("shop").send().await.unwrap();
    let begun = client.begin_transaction().resource_arn(CLUSTER).secret_arn(&secret).database("shop");
    let id = begun.send().await.unwrap().transaction_id.unwrap();
    let named = |name: &str, value: Field| SqlParameter::builder().name(name).value(value).build();
    let set = |name: &str| {
        vec![named("name", Field::StringValue(name.into())), named("yes", Field::BooleanValue(true))]
    };
    let batch =
        client.batch_execute_statement().resource_arn(CLUSTER).secret_arn(&secret).transaction_id(&id);
    let batch =
        batch.sql("INSERT INTO t (name, share, yes, at, raw) VALUES (:name, 1.5, :yes, NOW(), x'00ff')");
    let done = batch.parameter_sets(set("a")).parameter_sets(set("b")).send().await.unwrap();
    assert_eq!(done.update_results()[1].generated_fields(), [Field::LongValue(2)]);
    let end = client.commit_transaction().resource_arn(CLUSTER).secret_arn(&secret).transaction_id(&id);
    assert_eq!(end.send().await.unwrap().transaction_status(), Some("Transaction Committed"));
    let found = run("SELECT * FROM t WHERE id = :id").database("shop").include_result_metadata(true);
    let found = found.parameters(named("id", Field::LongValue(2))).send().await.unwrap();
    let row = &found.records()[0];
    assert_eq!(
        row[..4],
        [
            Field::LongValue(2),
            Field::StringValue("b".into()),
            Field::StringValue("1.50".into()),
            Field::BooleanValue(true),
        ]
    );
    assert_eq!(row[5].as_blob_value().unwrap().as_ref(), [0, 255]);
    assert_eq!(found.column_metadata()[2].type_name(), Some("DECIMAL"));
    let found = run("SELECT name FROM shop.t ORDER BY id")
        .format_records_as(RecordsFormatType::Json)
        .send()
        .await
        .unwrap();
    assert_eq!(found.formatted_records(), Some(r#"[{"name":"a"},{"name":"b"}]"#));
    let refused = run("SELECT * FROM shop.nowhere").send().await.unwrap_err().into_service_error();
    assert!(
        refused.to_string().contains("DatabaseError") || refused.is_database_error_exception(),
        "{refused}"
    );
    let gone = client.rollback_transaction().resource_arn(CLUSTER).secret_arn(&secret).transaction_id(&id);
    assert!(gone.send().await.unwrap_err().into_service_error().is_transaction_not_found_exception());
    let snapshot =
        f.rds.create_db_cluster_snapshot().db_cluster_identifier("c").db_cluster_snapshot_identifier("s");
    snapshot.send().await.unwrap();
    run("DROP TABLE shop.t").send().await.unwrap();
    let world = serde_json::to_value(f.sandbox.world()).unwrap();
    let rows = |found: &Value| !found["server"]["data"]["rows"].is_null();
    let rds = &world["regions"]["us-east-1"]["rds"];
    assert!(
        !rows(&rds["clusters"]["c"]) && rows(&rds["snapshots"]["s"]["cluster"]),
        "the snapshot keeps its rows"
    );
}

#[tokio::test(start_paused = true)]
async fn comprehend_answers_over_its_own_interface() {
    let f = lenient(1, Mood::Calm);
    let ask = async |operation: &str, body: Value| {
        let scope = "AKID/20261120/us-east-1/comprehend/aws4_request";
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            headers: [
                ("authorization".to_string(), signature),
                ("x-amz-target".to_string(), format!("Comprehend_20171127.{operation}")),
            ]
            .into(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let answer = f.sandbox.serve(request).await.unwrap();
        (answer.status, serde_json::from_slice::<Value>(&answer.body).unwrap())
    };
    let (status, found) = ask(
        "DetectSentiment",
        json!({"Text": "Thank you very much for resolving the issues with my bill!", "LanguageCode": "en"}),
    )
    .await;
    assert_eq!((status, found["Sentiment"].as_str()), (200, Some("POSITIVE")));
    assert!(found["SentimentScore"]["Positive"].as_f64().unwrap() > 0.97);
    let long = "x".repeat(5_001);
    let texts = json!(["You morons! You charged me extra again!", long, "How do I dial Morocco?"]);
    let (_, found) = ask("BatchDetectSentiment", json!({"TextList": texts, "LanguageCode": "en"})).await;
    assert_eq!(found["ResultList"][0]["Sentiment"], "NEGATIVE");
    assert_eq!(
        (&found["ResultList"][1]["Index"], &found["ResultList"][1]["Sentiment"]),
        (&json!(2), &json!("NEUTRAL"))
    );
    assert_eq!(found["ErrorList"][0]["Index"], 1);
    let (status, refused) = ask("DetectSentiment", json!({"Text": "x", "LanguageCode": "xx"})).await;
    assert_eq!((status, refused["__type"].as_str()), (400, Some("ValidationException")));
}
