//! Roles: how many, how named, how large, how bounded.

use super::fixtures::{Situation, pair};
use super::quotas::SHOP;
use auroraml_core::model::Code;

/// With one role for SQL.
fn wired() -> String {
    let shop = SHOP.replace("10.0.2.0/24] }", "10.0.2.0/24], endpoints: [comprehend, sagemaker_runtime] }");
    assert_ne!(shop, SHOP);
    format!("{shop}machine_learning: {{ comprehend: true }}\n")
}

#[tokio::test(start_paused = true)]
async fn roles() {
    let most = |most| Situation::new(&wired()).world(|world| world.global.iam.roles_max = Some(most));
    pair(Code::RoleQuota, most(0), most(1000)).await;
    let with = async |name: &str| {
        let situation = Situation::new(&wired());
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let iam = aws_sdk_iam::Client::new(&situation.config());
        iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
        situation.wait(120).await;
        situation
    };
    // Names of roles ignore case.
    let (taken, free) = (with("Shop-us-east-1-comprehend").await, with("shop-us-east-2-comprehend").await);
    pair(Code::RoleNameTaken, taken, free).await;
    let calling = |count: usize| {
        let names: Vec<String> =
            (0..count).map(|n| format!("an-endpoint-with-quite-a-long-name-{n}")).collect();
        let all: String =
            names.iter().map(|name| format!("  {name}: {{ managed_by: notebook }}\n")).collect();
        let calls = format!("sagemaker: {{ endpoints: [{}] }}", names.join(", "));
        Situation::new(&format!("{}endpoints:\n{all}", wired().replace("comprehend: true", &calls)))
    };
    pair(Code::RolePolicySize, calling(120), calling(80)).await;
    let bounded = |arn: &str| Situation::new(&format!("{}permissions_boundary: {arn}\n", wired()));
    let (missing, there) =
        ("arn:aws:iam::111122223333:policy/Boundary", "arn:aws:iam::aws:policy/AdministratorAccess");
    pair(Code::BoundaryMissing, bounded(missing), bounded(there)).await;
    let using = async |arn: &str| {
        let wired = wired();
        let text = format!("{wired}roles: {{ comprehend: {arn} }}\n");
        let situation = with("orders-comprehend").await;
        Situation { spec: crate::harness::spec(&text), ..situation }
    };
    let (gone, there) = (
        using("arn:aws:iam::111122223333:role/gone").await,
        using("arn:aws:iam::111122223333:role/orders-comprehend").await,
    );
    pair(Code::RoleMissing, gone, there).await;
}
