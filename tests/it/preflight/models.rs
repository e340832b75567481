//! What models and jobs are made from.

use super::fixtures::{Situation, pair};
use crate::harness::{hosting, spec_file};
use auroraml_core::model::Code;
use auroraml_sandbox::s3::Foreign;
use aws_sdk_s3::Client;

const ARCHIVE: &str = "s3://sagemaker-sample-files/models/churn/model.tar.gz";

fn from(archive: &str) -> Situation {
    let churn = hosting();
    assert!(churn.contains(ARCHIVE));
    Situation::new(&churn.replace(ARCHIVE, archive))
}

#[tokio::test(start_paused = true)]
async fn archives() {
    let good = || from(ARCHIVE);
    pair(Code::ArtifactMissing, from("s3://sagemaker-sample-files/models/churn/other.tar.gz"), good()).await;
    let elsewhere = from("s3://sagemaker-sample-files-eu-central-1/models/churn/model.tar.gz");
    pair(Code::ArtifactRegion, elsewhere, good()).await;
    let denying = async |who: &str| {
        let situation = from("s3://models-of-ours/churn.tar.gz");
        let s3 = Client::new(&situation.config());
        s3.create_bucket().bucket("models-of-ours").send().await.unwrap();
        situation.wait(120).await;
        let put = s3.put_object().bucket("models-of-ours").key("churn.tar.gz");
        put.body(b"an archive".to_vec().into()).send().await.unwrap();
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":{{"AWS":"{who}"}},"Action":"s3:Get*","Resource":"arn:aws:s3:::models-of-ours/*"}}]}}"#
        );
        s3.put_bucket_policy().bucket("models-of-ours").policy(policy).send().await.unwrap();
        situation.wait(120).await;
        situation
    };
    let model = "arn:aws:iam::111122223333:role/auroraml/churn/us-east-1/churn-us-east-1-model";
    let other = "arn:aws:iam::111122223333:role/of-somebody-else";
    pair(Code::ArtifactDenied, denying(model).await, denying(other).await).await;
}

#[tokio::test(start_paused = true)]
async fn images() {
    let image = |region: &str| {
        let churn = hosting();
        let uri = format!("683313688378.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1");
        Situation::new(&churn.replace("xgboost:1.7-1", &uri))
    };
    pair(Code::ImageRegion, image("eu-west-1"), image("us-east-1")).await;
}

#[tokio::test(start_paused = true)]
async fn rows() {
    let trained = spec_file("churn.yaml");
    let on = |bucket: &str| {
        let text =
            trained.replace("        data: training\n", &format!("        data: \"s3://{bucket}/rows/\"\n"));
        assert_ne!(text, trained);
        Situation::new(&text)
    };
    let ours = async |key: &str| {
        let situation = on("rows-of-ours");
        let s3 = Client::new(&situation.config());
        s3.create_bucket().bucket("rows-of-ours").send().await.unwrap();
        situation.wait(120).await;
        s3.put_object().bucket("rows-of-ours").key(key).body(b"1,2".to_vec().into()).send().await.unwrap();
        situation
    };
    pair(Code::RowsMissing, ours("other/1.csv").await, ours("rows/1.csv").await).await;
    let elsewhere = on("rows-of-others").world(|world| {
        let keys = ["rows/1.csv".to_string()].into();
        let foreign = Foreign { region: "eu-west-1".into(), readable: true, keys };
        world.global.s3.foreign.insert("rows-of-others".into(), foreign);
    });
    pair(Code::RowsRegion, elsewhere, ours("rows/1.csv").await).await;
}
