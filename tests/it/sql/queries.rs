//! `verify --query`: answers, and of a broken chain the link that is broken.

use super::*;
use auroraml::verify::{Check, Outcome, query};
use auroraml_sandbox::World;

/// Without the endpoint that a notebook has yet to make.
fn text() -> String {
    without_grants().replace("[churn, other]", "[churn]").replace("  other: { managed_by: notebook }\n", "")
}

async fn asked(account: &Account, spec: &Spec, given: Option<&str>) -> Vec<Check> {
    query(&account.connect(spec).await, given).await.unwrap()
}

fn failed(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Failed);
    failed.map(|check| format!("{}: {}", check.check, check.found)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_articles_queries_are_answered() {
    let account = account(20, Mood::Calm).await;
    let spec = spec(&text());
    account.apply(&spec).await;
    let checks = asked(&account, &spec, None).await;
    assert_eq!(failed(&checks), Vec::<String>::new());
    let found = |name: &str| {
        checks
            .iter()
            .find(|check| check.check == name)
            .unwrap_or_else(|| panic!("{name}: {checks:?}"))
            .found
            .clone()
    };
    assert!(
        found("sentiment query").starts_with("sentiment = POSITIVE, confidence = 0."),
        "{}",
        found("sentiment query")
    );
    assert!(found("will_churn query").starts_with("prediction = "), "{}", found("will_churn query"));
    assert!(
        found("query with both").contains("sentiment = ")
            && found("query with both").contains("prediction = ")
    );
    let checks = asked(&account, &spec, Some("SELECT COUNT(*) AS customers FROM churn")).await;
    let own = checks.iter().find(|check| check.check == "query").unwrap();
    assert!(own.found.starts_with(&format!("customers = {ROWS} (")), "{}", own.found);
    let checks = asked(&account, &spec, Some("SELECT nonsense FROM churn")).await;
    assert_eq!(failed(&checks).len(), 1);
    assert!(failed(&checks)[0].contains("nonsense"), "{:?}", failed(&checks));
}

/// Where a link is broken, by plain SDK calls, and the name by which `verify` has to call it.
struct Hands {
    account: Account,
    rds: aws_sdk_rds::Client,
    iam: aws_sdk_iam::Client,
    ec2: aws_sdk_ec2::Client,
    sagemaker: aws_sdk_sagemaker::Client,
}

const ROLE: &str = "sql-us-east-1-sagemaker";

impl Hands {
    fn on(world: &World) -> Hands {
        let account = Account::over(world.clone());
        let clock = account.sandbox.clock();
        let config = simulated_config("us-east-1", account.sandbox.http_client(), &clock);
        Hands {
            rds: aws_sdk_rds::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            sagemaker: aws_sdk_sagemaker::Client::new(&config),
            account,
        }
    }

    fn filter(name: &str, value: &str) -> aws_sdk_ec2::types::Filter {
        aws_sdk_ec2::types::Filter::builder().name(name).values(value).build()
    }

    async fn set(&self, value: &str) {
        let parameter = aws_sdk_rds::types::Parameter::builder()
            .parameter_name("aws_default_sagemaker_role")
            .parameter_value(value)
            .apply_method("immediate".into());
        let modify = self.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("sql");
        modify.parameters(parameter.build()).send().await.unwrap();
    }

    async fn trust(&self, service: &str) {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let update = self.iam.update_assume_role_policy().role_name(ROLE).policy_document(trust);
        update.send().await.unwrap();
    }

    /// Breaks the link; what it is called.
    async fn cut(&self, spec: &Spec, link: usize) -> Option<&'static str> {
        let named = match link {
            0 => {
                send(&self.account, spec, "REVOKE AWS_SAGEMAKER_ACCESS FROM 'admin'@'%'").await;
                "sagemaker grant"
            }
            // Granted, and active in no session.
            1 => {
                send(&self.account, spec, "SET DEFAULT ROLE NONE TO 'admin'@'%'").await;
                "sagemaker grant"
            }
            2 => {
                send(&self.account, spec, "DROP FUNCTION telecom.will_churn").await;
                "function"
            }
            3 => {
                self.sagemaker.delete_endpoint().endpoint_name("churn").send().await.unwrap();
                "endpoint"
            }
            4 => {
                let role = format!("arn:aws:iam::111122223333:role/auroraml/sql/us-east-1/{ROLE}");
                let remove = self.rds.remove_role_from_db_cluster().db_cluster_identifier("sql");
                remove.role_arn(role).send().await.unwrap();
                "sagemaker association"
            }
            5 => {
                let delete = self.iam.delete_role_policy().role_name(ROLE).policy_name("access");
                delete.send().await.unwrap();
                "sagemaker policy"
            }
            // Allowed, but for another endpoint.
            6 => {
                let other = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:InvokeEndpoint","Resource":"arn:aws:sagemaker:us-east-1:111122223333:endpoint/elsewhere"}]}"#;
                let put = self.iam.put_role_policy().role_name(ROLE).policy_name("access");
                put.policy_document(other).send().await.unwrap();
                "sagemaker policy"
            }
            7 => {
                self.trust("lambda.amazonaws.com").await;
                "sagemaker role"
            }
            8 => {
                let delete = self.iam.delete_role_policy().role_name(ROLE).policy_name("access");
                delete.send().await.unwrap();
                self.iam.delete_role().role_name(ROLE).send().await.unwrap();
                "sagemaker role"
            }
            9 => {
                self.set("").await;
                "sagemaker parameter"
            }
            // No way out of the cluster's security group.
            10 => {
                let groups = self.ec2.describe_security_groups();
                let groups = groups.filters(Hands::filter("tag:auroraml:resource", "security_group.aurora"));
                let group = groups.send().await.unwrap().security_groups()[0].clone();
                let revoke = self.ec2.revoke_security_group_egress().set_group_id(group.group_id);
                revoke.set_ip_permissions(group.ip_permissions_egress).send().await.unwrap();
                "sagemaker network"
            }
            // No way out of its subnets.
            11 => {
                let tables = self.ec2.describe_route_tables();
                let tables = tables.filters(Hands::filter("tag:auroraml:resource", "route_table.private"));
                let tables = tables.send().await.unwrap();
                let table = tables.route_tables()[0].route_table_id();
                let delete = self.ec2.delete_route().route_table_id(table.unwrap());
                delete.destination_cidr_block("0.0.0.0/0").send().await.unwrap();
                "sagemaker network"
            }
            _ => return None,
        };
        Some(named)
    }
}

/// Each link alone: exactly that one is named, with what to do, and the database's own words are quoted.
#[tokio::test(start_paused = true)]
async fn the_broken_link_is_named() {
    // Another endpoint is missing all the time, and is not the reason.
    let spec = spec(&without_grants());
    let account = account(21, Mood::Calm).await;
    account.apply(&spec).await;
    // Nor is it of a statement that is wrong by itself.
    let checks = asked(&account, &spec, Some("SELECT * FROM zz")).await;
    let own = checks.iter().find(|check| check.check == "query").unwrap();
    assert!(own.found.contains("rror code: 1146") && !own.found.contains("broken link"), "{own:?}");
    assert_eq!(own.fix.as_deref(), Some("correct the name of the table"));
    assert!(checks.iter().any(|check| check.object == "endpoint other" && check.outcome == Outcome::Failed));
    let world = account.sandbox.world();
    let mut links = 0;
    loop {
        let hands = Hands::on(&world);
        let Some(link) = hands.cut(&spec, links).await else { break };
        hands.account.sandbox.clock().sleep(std::time::Duration::from_secs(900)).await;
        let checks = asked(&hands.account, &spec, None).await;
        let query = checks.iter().find(|check| check.check == "will_churn query").unwrap();
        assert_eq!(query.outcome, Outcome::Failed, "{links} {link}: {query:?}");
        assert!(query.found.contains("rror code: "), "quotes the database: {}", query.found);
        assert!(query.found.contains(&format!("the broken link: {link}")), "{links} {link}: {}", query.found);
        assert!(query.fix.is_some());
        let broken: Vec<&Check> = checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed && !check.check.ends_with(" query"))
            .filter(|check| check.check != "query with both" && check.object != "endpoint other")
            .collect();
        println!("{links} {link}: {}", query.found);
        assert!(broken.iter().any(|check| check.check == link), "{links} {link}: {broken:?}");
        links += 1;
    }
    assert!(links >= 12, "{links}");
}
