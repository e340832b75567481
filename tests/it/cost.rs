//! `cost`, the cost line of plans, and prices that are asked of AWS's price list.

use crate::cli::Place;
use crate::harness::{Account, copy_files, hosting, spec};
use auroraml::run::prices::ask;
use auroraml_core::cost::Decimal;
use auroraml_sandbox::faults::Faults;
use auroraml_sandbox::random::Mood;
use serde_json::Value;
use std::collections::BTreeSet;

const SANDBOX: [&str; 3] = ["--sandbox=world.json", "--sandbox-speed", "max"];

fn place(text: &str) -> Place {
    let place = Place::new();
    copy_files(&spec(text), place.path("").as_path());
    place.write("churn.yaml", text);
    place
}

/// Whoever asks for prices: no plan does, and no policy for one allows it.
fn administrator() -> Account {
    Account { caller: "AKIDPRICES".into(), ..Account::new(1, Mood::Calm) }
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_string()).collect()
}

fn price(asked: &auroraml::run::prices::Asked, key: &str) -> Option<String> {
    asked.table.price(key).map(|price| price.to_string())
}

/// Before it is there, as it is, as it will be: in a plan, by `cost`, and without AWS.
#[test]
fn a_stack_before_and_after() {
    let place = place(&hosting());
    let run = |args: &[&str]| {
        let ran = place.run(&[args, &SANDBOX].concat());
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.out
    };
    let cost = |args: &[&str]| -> Value {
        serde_json::from_str(&run(&[&["cost", "churn.yaml", "--format", "json"], args].concat())).unwrap()
    };
    let line = |plan: &str| plan.lines().find(|line| line.starts_with("Cost: ")).map(String::from);
    let before = "Cost: 0.000 USD/h now, 0.477 USD/h after (about 348 USD per month); usage not included; prices of 2026-09-03, us-east-1";
    assert_eq!(line(&run(&["plan", "churn.yaml"])).as_deref(), Some(before));
    assert!(run(&["plan", "churn.yaml", "--format", "markdown"]).contains("Cost: 0"));
    let saved: Value = serde_json::from_str(&run(&["plan", "churn.yaml", "--format", "json"])).unwrap();
    assert_eq!(saved["plan"]["cost"]["monthly_after"], "347.85");
    let none = cost(&[]);
    assert_eq!(
        (&none["before"]["running"]["monthly"], &none["after"]["running"]["monthly"]),
        (&"0".into(), &"347.85".into())
    );
    let offline = place.run(&["cost", "churn.yaml", "--format", "json", "--offline"]);
    assert_eq!(offline.code, 0, "{offline:?}");
    let offline: Value = serde_json::from_str(&offline.out).unwrap();
    assert_eq!((&offline["after"]["items"], &offline["before"]), (&none["after"]["items"], &Value::Null));
    run(&["apply", "churn.yaml", "--yes"]);
    let there =
        "Cost: 0.477 USD/h, about 348 USD per month; usage not included; prices of 2026-09-03, us-east-1";
    assert_eq!(line(&run(&["plan", "churn.yaml"])).as_deref(), Some(there));
    let status = run(&["status", "churn.yaml"]);
    assert!(
        status.ends_with("\nCost: 0.477 USD/h, about 348 USD per month; prices of 2026-09-03, us-east-1\n"),
        "{status}"
    );
    let there = cost(&[]);
    assert_eq!(there["before"]["running"], there["after"]["running"]);
    // Two members, an endpoint on a larger instance: what it runs on now is in no spec any more, and is asked for.
    let larger =
        hosting().replace("[{ class: db.r6g.large }]", "[{ class: db.r6g.large }, { class: db.r6g.large }]");
    place.write("churn.yaml", &larger.replace("instance: ml.m5.large", "instance: ml.m5.xlarge"));
    let changed = cost(&[]);
    assert_eq!(changed["before"]["running"]["monthly"], "347.85");
    // 189.80 for the second member, 83.95 for the larger instance.
    assert_eq!(changed["after"]["running"]["monthly"], "621.6");
    assert_eq!(changed["after"]["running"]["not_priced"], serde_json::json!([]));
    let plan = line(&run(&["plan", "churn.yaml"])).unwrap();
    let both = "Cost: 0.477 USD/h now, 0.852 USD/h after (about 622 USD per month); usage not included;";
    assert!(plan.starts_with(both), "{plan}");
    let plan: Value = serde_json::from_str(&run(&["plan", "churn.yaml", "--format", "json"])).unwrap();
    let plan = &plan["plan"]["cost"];
    for (when, planned) in [("before", "monthly_before"), ("after", "monthly_after")] {
        assert_eq!(plan[planned], changed[when]["running"]["monthly"], "{plan}");
    }
    let status = run(&["status", "churn.yaml"]);
    assert!(status.contains("\nCost: 0.477 USD/h, about 348 USD per month; prices"), "{status}");
    // Taken down, nothing costs; what is behind the endpoint follows from the spec.
    place.write("churn.yaml", &hosting());
    let plan = line(&run(&["plan", "churn.yaml", "--destroy"])).unwrap();
    assert!(plan.starts_with("Cost: 0.477 USD/h now, 0.000 USD/h after (about 0 USD per month)"), "{plan}");
}

/// A saved plan rests on what is there and what is wanted, not on what it costs.
#[test]
fn another_price_is_the_same_plan() {
    use auroraml_core::render::json::difference;
    let place = place(&hosting());
    let plan = place.run(&[&["plan", "churn.yaml", "--format", "json"][..], &SANDBOX].concat());
    let saved: Value = serde_json::from_str(&plan.out).unwrap();
    let mut now = saved.clone();
    now["plan"]["cost"]["hourly_after"] = "9".into();
    assert_eq!(difference(&saved, &now), None);
    now["plan"].as_object_mut().unwrap().remove("cost");
    assert_eq!(difference(&saved, &now), None);
}

#[test]
fn prices_and_guesses_are_given() {
    let place = place(&hosting());
    place.write("ours.yaml", "network: { nat_gateway: 1 }\n");
    place.write("theirs.yaml", "region: eu-west-1\nnetwork: { nat_gateway: 5 }\n");
    place.write("guess.yaml", "storage_gib: 100\n");
    let run = |args: &[&str]| place.run(&[&["cost", "churn.yaml", "--offline"], args].concat());
    let ran = run(&["--prices", "ours.yaml", "--usage", "guess.yaml", "--usage", "nat_gb=10"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for text in ["1 price from ours.yaml", "730.00", "storage (guess)", "nat_gb: 10", "After destroy"] {
        assert!(ran.out.contains(text), "{text}: {}", ran.out);
    }
    assert!(!ran.out.contains('█') && !ran.out.contains("Largest"), "a pipe gets no chart");
    let ran = run(&["--prices", "theirs.yaml"]);
    assert!(
        ran.out.contains("are for eu-west-1, and were not used") && !ran.out.contains("3650"),
        "{}",
        ran.out
    );
    place.write("wrong.yaml", "network: { natt: 1 }\n");
    for (args, why) in [
        (["--prices", "wrong.yaml"], "unknown price `network.natt`"),
        (["--prices", "none.yaml"], "there is no such file"),
        (["--usage", "nat=1"], "unknown estimate `nat`"),
        (["--usage", "nat_gb=much"], "much is not a number"),
        (["--usage", "none.yaml"], "there is no such file"),
    ] {
        let ran = run(&args);
        assert!(ran.code == 1 && ran.err.contains(why), "{args:?}: {ran:?}");
    }
}

#[test]
fn several_stacks_have_one_sum() {
    let place = place(&hosting());
    std::fs::create_dir(place.path("all")).unwrap();
    for (name, text) in [
        (
            "one",
            "stack: one\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, public_subnets: [10.0.0.0/24], private_subnets: [10.0.1.0/24, 10.0.2.0/24], nat: single }\n",
        ),
        (
            "two",
            "stack: two\nregion: eu-central-1\nnetwork: { cidr: 10.0.0.0/16, public_subnets: [10.0.0.0/24], private_subnets: [10.0.1.0/24, 10.0.2.0/24], nat: single }\n",
        ),
    ] {
        place.write(&format!("all/{name}.yaml"), text);
    }
    for args in [&["--offline"][..], &SANDBOX] {
        let ran = place.run(&[&["cost", "all"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        // 0.05 and 0.057 an hour.
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("Total: 78.11 USD per month"), "{said}");
    }
}

/// Prices of a region that is built in nowhere, from among products that look alike.
#[tokio::test(start_paused = true)]
async fn the_price_list_is_asked() {
    let account = administrator();
    let text = hosting().replace("region: us-east-1", "region: eu-west-3");
    let stack = account.connect(&spec(&text)).await;
    let all = keys(&[
        "aurora.instance.db.r6g.large",
        "aurora.instance_io_optimized.db.r6g.large",
        "aurora.instance.db.r9z.large",
        "aurora.acu",
        "aurora.storage",
        "aurora.io_million",
        "aurora.backup",
        "network.nat_gateway",
        "network.nat_gb",
        "network.ipv4",
        "network.interface_endpoint",
        "network.interface_endpoint_gb",
        "sagemaker.notebook.ml.t3.medium",
        "sagemaker.endpoint.ml.m5.large",
        "sagemaker.training.ml.m5.large",
        "sagemaker.endpoint.ml.t3.medium",
        "s3.storage",
        "secrets.secret",
        "secrets.calls_10000",
        "comprehend.unit",
    ]);
    let asked = ask(&stack.aws, &all).await;
    // The sandbox's prices are 6 % above those of us-east-1 there.
    for (key, wanted) in [
        ("aurora.instance.db.r6g.large", "0.2756"),
        ("aurora.instance_io_optimized.db.r6g.large", "0.35828"),
        ("aurora.acu", "0.1272"),
        ("aurora.storage", "0.106"),
        ("aurora.io_million", "0.212"),
        ("network.nat_gateway", "0.0477"),
        ("network.ipv4", "0.0053"),
        ("network.interface_endpoint", "0.0106"),
        ("network.interface_endpoint_gb", "0.0106"),
        ("sagemaker.notebook.ml.t3.medium", "0.053"),
        ("sagemaker.endpoint.ml.m5.large", "0.1219"),
        ("sagemaker.training.ml.m5.large", "0.1219"),
        ("s3.storage", "0.02438"),
        ("secrets.secret", "0.424"),
        ("secrets.calls_10000", "0.053"),
    ] {
        assert_eq!(price(&asked, key).as_deref(), Some(wanted), "{key}: {:?}", asked.notes);
    }
    for key in ["aurora.instance.db.r9z.large", "sagemaker.endpoint.ml.t3.medium", "comprehend.unit"] {
        assert_eq!(price(&asked, key), None, "{key}");
        assert!(asked.notes.iter().any(|note| note.contains(key)), "{key}: {:?}", asked.notes);
    }
}

/// Without an answer there is the table, and soon.
#[tokio::test(start_paused = true)]
async fn a_price_list_that_does_not_answer() {
    let account = administrator();
    let stack = account.connect(&spec(&hosting())).await;
    let wanted = keys(&["network.nat_gateway", "aurora.acu"]);
    let mut faults = Faults::seeded(1);
    faults.server_error = 1.0;
    account.sandbox.set_faults(faults);
    let began = stack.aws.clock.now_ms();
    let asked = ask(&stack.aws, &wanted).await;
    assert!(stack.aws.clock.now_ms() - began < 90_000);
    assert!(asked.table.is_empty());
    assert!(
        asked.notes.iter().any(|note| note.contains("could not read AWS's price list")),
        "{:?}",
        asked.notes
    );
    account.sandbox.set_faults(Faults::seeded(1));
    let asked = ask(&stack.aws, &wanted).await;
    assert_eq!(asked.table.price("network.nat_gateway"), Decimal::parse("0.045"));
}

/// The price list's own manners: pages, filters, and what it refuses.
#[tokio::test(start_paused = true)]
async fn the_sandbox_s_price_list() {
    use aws_sdk_pricing::types::{Filter, FilterType};
    let sandbox = crate::support::sandbox(1, Mood::Calm);
    let pricing = aws_sdk_pricing::Client::new(&crate::support::config(&sandbox));
    let filter = |field: &str, value: &str| {
        Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build().unwrap()
    };
    let ask = || pricing.get_products().service_code("AmazonRDS").filters(filter("regionCode", "us-east-1"));
    let whole = ask().send().await.unwrap();
    let all = whole.price_list().len();
    assert!(all > 20 && whole.next_token().is_none(), "{all}");
    let first = ask().max_results(7).send().await.unwrap();
    assert_eq!(first.price_list().len(), 7);
    let pages = ask().max_results(7).into_paginator().send();
    let paged: Vec<_> = pages.try_collect().await.unwrap();
    assert_eq!(paged.iter().map(|page| page.price_list().len()).sum::<usize>(), all);
    let one: Value = serde_json::from_str(&whole.price_list()[0]).unwrap();
    assert!(one["product"]["attributes"]["usagetype"].is_string() && one["terms"]["OnDemand"].is_object());
    for (request, code) in [
        (ask().max_results(101), "InvalidParameterException"),
        (ask().next_token("x"), "InvalidNextTokenException"),
        (ask().format_version("aws_v9"), "InvalidParameterException"),
        (ask().service_code("AmazonNothing"), "NotFoundException"),
    ] {
        let error = request.send().await.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some(code));
    }
    let none = ask().filters(filter("instanceType", "db.none")).send().await.unwrap();
    assert!(none.price_list().is_empty());
}
