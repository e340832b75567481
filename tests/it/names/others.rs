//! What others own and the stack uses: a destroy from tags does not touch it, and jobs run with a role of others.

use super::*;
use crate::from_tags;
use crate::training::{one, run, scores, with_rows};

/// `destroy --all-tagged` of a stack in a VPC of others touches nothing of the network.
#[tokio::test(start_paused = true)]
async fn a_network_of_others_stays_when_all_that_is_tagged_goes() {
    for mood in [Mood::Calm, Mood::Real] {
        let account = Account::new(13, mood);
        let (ground, vpc, private, public) = ground(&account).await;
        let shop = spec(&format!(
            "stack: shop\nregion: us-east-1\nnetwork:\n  existing: {vpc}\n  private_subnets: [{}]\n  public_subnets: [{public}]\nbucket: {{ on_destroy: empty }}\naurora: {{ instances: [{{ class: db.r6g.large }}], on_destroy: delete }}\nmachine_learning: {{ comprehend: true }}\nnotebook: {{ instance: ml.t3.medium }}\n",
            private.join(", ")
        ));
        account.apply(&shop).await;
        let plan = from_tags::destroy(&account, &shop).await;
        let network = ["vpc", "subnet", "internet_gateway", "nat_gateway", "elastic_ip", "route_table"];
        let touched: Vec<String> = plan
            .work()
            .filter(|step| network.contains(&step.id.kind))
            .map(|step| step.id.to_string())
            .collect();
        assert_eq!(touched, Vec::<String>::new());
        // Without the spec nobody knows that the stack may be in that VPC: its groups are named, and stay.
        let named: Vec<&str> = plan.left_alone.iter().map(|one| one.id.kind).collect();
        assert_eq!(
            named.iter().filter(|kind| **kind == "security_group").count(),
            2,
            "{:#?}",
            plan.left_alone
        );
        let left = account.traces(&shop);
        assert!(left.iter().all(|path| path.contains("/security_groups/")) && left.len() == 2, "{left:?}");
        // With the spec they go, and the owner of the network finds it as it was.
        account.destroy(&shop).await;
        assert_eq!(account.traces(&shop), Vec::<String>::new());
        account.assert_settled(&ground, Intent::Apply).await;
        account.destroy(&ground).await;
    }
}

/// Jobs run with the role of others from the beginning to the end of a stack, and the role stays.
#[tokio::test(start_paused = true)]
async fn jobs_run_with_a_role_of_others() {
    for mood in [Mood::Calm, Mood::Real] {
        let account = with_rows(3, mood).await;
        let plain = one("");
        let arn = "arn:aws:iam::111122223333:role/learners";
        let mut used = plain.clone();
        used.roles.training = Some(arn.into());
        let stack = account.administrator(&plain).await;
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","ecr:*","logs:*","cloudwatch:*"],"Resource":"*"}]}"#;
        let make = stack.aws.iam.create_role().role_name("learners").assume_role_policy_document(trust);
        make.send().await.unwrap();
        let put =
            stack.aws.iam.put_role_policy().role_name("learners").policy_name("all").policy_document(allow);
        put.send().await.unwrap();
        account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;
        let (outcome, listener) = run(&account, &used).await;
        assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
        account.assert_settled(&used, Intent::Apply).await;
        // Who calls often leaves.
        let answers = scores(&account, "churn", "100,9\n100,1\n").await;
        assert!(answers[0] > answers[1], "{answers:?}");
        let made = |account: &Account| -> Vec<String> {
            let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
            keys(&world["global"]["iam"]["roles"]).into_iter().map(String::from).collect()
        };
        assert!(!made(&account).iter().any(|name| name.ends_with("-training")), "{:?}", made(&account));
        let jobs = region(&account)["sagemaker"].to_string();
        assert!(jobs.contains(&format!("\"RoleArn\":\"{arn}\"")), "{jobs}");
        account.destroy(&used).await;
        assert_eq!(made(&account), ["learners"], "it is theirs");
    }
}
