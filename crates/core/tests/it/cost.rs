//! What stacks cost: by hand, by the articles, by kind, and that sums are sums.

use crate::{facts_for, graph_of, place_of, repository, spec_named};
use auroraml_core::base::{Id, Live, Observed, Outputs, State};
use auroraml_core::cost::{
    Cost, Decimal, Estimate, Item, Price, PriceTable, TABLE, Terms, Usage, Variant, When, bill, live,
    snapshot, wanted,
};
use auroraml_core::kinds::SECTIONS;
use auroraml_core::model::{self, Intent};
use auroraml_core::render::cost::{Chart, Report};
use auroraml_core::resource::Graph;
use auroraml_core::spec::{self, Spec};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn number(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn estimate(graph: &Graph, terms: &Terms) -> Estimate {
    wanted(graph, &Observed::new(), &BTreeSet::new(), terms)
}

/// How the things of a spec go.
fn deletions(spec: &Spec) -> auroraml_core::resource::Deletions {
    let intent = Intent::Destroy { unprotect: true };
    let built = model::build(spec, &place_of(spec), &facts_for(spec), intent);
    built.unwrap_or_else(|problems| panic!("{problems:?}")).deletions
}

fn items<'e>(estimate: &'e Estimate, kind: &str) -> Vec<&'e Item> {
    estimate.items.iter().filter(|item| item.id.split('.').next() == Some(kind)).collect()
}

/// What items that run come to in an hour.
fn hourly(estimate: &Estimate, kinds: &[&str]) -> Decimal {
    let of = |kind: &&str| {
        items(estimate, kind).into_iter().filter_map(|i| i.hourly(When::Running)).map(|(usd, _)| usd).sum()
    };
    kinds.iter().map(of).sum()
}

/// The graph as it would be seen once it is made.
fn made(graph: &Graph) -> Observed {
    let seen = |id: &Id| {
        let resource = &graph.resources[id];
        let outputs: Outputs =
            resource.predicted.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        let mut props = resource.props.clone();
        if id.kind == "endpoint" {
            let config = props["config"]["$ref"].as_str().unwrap().split_once('.').unwrap().1.to_string();
            props["config"] =
                graph.resources[&Id::new("endpoint_config", config)].predicted["name"].as_str().into();
        }
        if id.kind == "endpoint_config" {
            // A look reads the tags alone.
            props["instance"] = Value::Null;
            props["count"] = Value::Null;
            props["memory"] = Value::Null;
        }
        Live { id: id.clone(), props, outputs, state: State::Ready, owned: true }
    };
    graph.resources.keys().map(|id| (id.clone(), seen(id))).collect()
}

/// Fact book, section 9.1: "r6g.large 0.260 + NAT 0.045 + IPv4 0.005 + ml.t3.medium 0.05 + hosting ml.m5.large 0.115 =
/// 0.475 per h".
#[test]
fn the_worked_example() {
    let graph = graph_of(&spec_named("churn.yaml"));
    let estimate = estimate(&graph, &Terms::built_in("us-east-1"));
    let of = |kind: &str, what: &str| {
        let found = items(&estimate, kind).into_iter().find(|item| item.what == what);
        found.unwrap_or_else(|| panic!("{kind} {what}")).hourly(When::Running).unwrap().0
    };
    let parts = [
        of("instance", "db.r6g.large"),
        of("nat_gateway", "NAT gateway"),
        of("elastic_ip", "public IPv4 address"),
        of("notebook", "ml.t3.medium"),
        of("endpoint", "ml.m5.large"),
    ];
    assert_eq!(parts.into_iter().sum::<Decimal>(), number("0.475"));
    // With what the example leaves out: a secret (0.40 a month) and five GiB of volume (0.70 a month).
    let total = estimate.total(When::Running);
    assert_eq!(total.monthly, number("347.85"));
    assert_eq!(total.hourly().rounded(3), "0.477");
    assert!(total.use_not_counted && total.not_priced.is_empty(), "{total:?}");
    assert_eq!(total.monthly, total.monthly_up_to);
    // The training job: ml.m5.large at 0.115 an hour, one hour at most.
    assert_eq!(estimate.once(), number("0.115"));
}

/// Fact book, section 9.1, the lean shape: two interface endpoints in two zones, a paused database, a stopped notebook,
/// serverless inference: 0.04 an hour.
#[test]
fn the_lean_example() {
    let source = std::fs::read_to_string(repository("specs/lean.yaml")).unwrap();
    let source = source
        .replace("endpoints: [s3, sagemaker_runtime]", "endpoints: [s3, sagemaker_runtime, secretsmanager]");
    let spec = spec::parse(source.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut graph = graph_of(&spec);
    let notebook = json!({"instance": "ml.t3.medium", "volume": 0, "running": false, "tags": {}});
    graph.add(Id::new("notebook", "main"), notebook);
    let terms = Terms { deletions: deletions(&spec), ..Terms::built_in("us-east-1") };
    let estimate = estimate(&graph, &terms);
    let without = ["instance", "endpoint", "notebook", "vpc_endpoint", "bucket"];
    assert_eq!(hourly(&estimate, &without), number("0.04"));
    let total = estimate.total(When::Running);
    assert_eq!(total.hourly().rounded(2), "0.04");
    // Two capacity units at most, at 0.12 an hour.
    assert_eq!(
        (total.hourly_up_to().rounded(2), total.hourly().rounded(4)),
        ("0.28".into(), "0.0405".into())
    );
    // The bucket is kept and a snapshot is taken: as much as there is in them.
    let left: Vec<&Item> = estimate.items.iter().filter(|item| item.costs(When::Destroyed)).collect();
    let left: Vec<(&str, &str)> = left.iter().map(|item| (item.id.as_str(), item.what.as_str())).collect();
    assert_eq!(left, [("cluster.main", "final snapshot"), ("bucket.main", "S3 Standard")]);
    assert_eq!(estimate.total(When::Destroyed).monthly, Decimal::ZERO);
}

/// The second article: "$1.00 as a one-time charge plus $1.15 per hour to run". See docs/decisions/0017.
#[test]
fn the_article_of_2020_within_a_tenth() {
    let table = std::fs::read_to_string(repository("tests/data/prices-2020.yaml")).unwrap();
    let prices = PriceTable::parse(&table).unwrap();
    let graph = graph_of(&spec_named("churn-as-published.yaml"));
    // The endpoint is the notebook's: first ml.m4.xlarge, after part 2 of the notebooks ml.m4.2xlarge.
    let with = |instance: &str| {
        let endpoint = Live {
            id: Id::new("endpoint", "churn-as-published-SageMaker-Endpoint"),
            props: json!({"config": "by-notebook", "serverless": false, "tags": {}}),
            outputs: Outputs::new(),
            state: State::Ready,
            owned: false,
        };
        let variant = Variant { instance: Some(instance.into()), count: 1, memory: None };
        let terms = Terms {
            prices: prices.clone(),
            variants: BTreeMap::from([("by-notebook".to_string(), vec![variant])]),
            ..Terms::default()
        };
        let observed = Observed::from([(endpoint.id.clone(), endpoint)]);
        wanted(&graph, &observed, &BTreeSet::new(), &terms).total(When::Running)
    };
    // As CloudFormation leaves it: database 0.29, notebook 0.28, endpoint 0.28, NAT 0.045; the secret and a volume.
    let made = with("ml.m4.xlarge");
    assert_eq!(made.hourly().rounded(3), "0.897");
    // As the article leaves it, having deployed the better model to a larger instance.
    let used = with("ml.m4.2xlarge");
    assert_eq!(used.hourly().rounded(3), "1.177");
    assert!(used.not_priced.is_empty(), "{used:?}");
    let published = number("1.15");
    assert!(used.hourly() < published + published.part(1, 10) && used.hourly() > published.part(9, 10));
    // Once: two tuning jobs of half an hour, three instances at a time.
    let once = prices.machine("training", "ml.m4.xlarge").unwrap().part(2 * 3, 2);
    assert!(once < number("1.1") && once > number("0.8"), "{once}");
}

/// A kind that nobody spoke of would cost nothing without a word.
#[test]
fn every_kind_has_a_price_or_a_reason() {
    let told: Vec<&str> = TABLE.iter().map(|(kind, _)| *kind).collect();
    let once: BTreeSet<&str> = told.iter().copied().collect();
    assert_eq!(told.len(), once.len(), "twice: {told:?}");
    let known: BTreeSet<&str> = SECTIONS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(once, known);
    for (kind, cost) in TABLE {
        assert!(!matches!(cost, Cost::Free(why) if why.len() < 10), "{kind}");
    }
}

#[test]
fn a_plan_says_what_it_does_to_the_bill() {
    let graph = graph_of(&spec_named("churn.yaml"));
    let (none, terms) = (BTreeSet::new(), Terms::built_in("us-east-1"));
    let comes = bill(&graph, None, &Observed::new(), &none, &terms).unwrap();
    assert_eq!(comes.hourly_before, Decimal::ZERO);
    assert_eq!(
        (comes.hourly_after.rounded(3), comes.monthly_after.rounded(2)),
        ("0.477".into(), "347.85".into())
    );
    assert_eq!((comes.prices_of.as_deref(), comes.use_not_counted), (Some("2026-09-03"), true));
    assert_eq!(comes.once_at_most, number("0.115"));
    // Once it is there, nothing changes, and the job is not paid again.
    let observed = made(&graph);
    let there = bill(&graph, None, &observed, &none, &terms).unwrap();
    assert_eq!((there.hourly_before, there.once_at_most), (there.hourly_after, Decimal::ZERO));
    assert_eq!(there.hourly_before, comes.hourly_after);
    assert!(there.not_priced.is_empty(), "{there:?}");
    // And when it all goes, nothing is left.
    let gone = Graph { destroys: true, ..Graph::default() };
    let leaving: BTreeSet<Id> = observed.keys().cloned().collect();
    let goes = bill(&gone, None, &observed, &leaving, &terms).unwrap();
    assert_eq!(goes.hourly_after, Decimal::ZERO);
    // Nobody reads what is behind an endpoint that goes: that is said, and not counted as nothing.
    assert_eq!(goes.not_priced, ["endpoint.churn"]);
    // Unless the spec says it.
    let known = bill(&gone, Some(&graph), &observed, &leaving, &terms).unwrap();
    assert_eq!((known.hourly_before, known.not_priced), (comes.hourly_after, Vec::new()));
    // Or somebody has asked.
    let config = observed[&Id::new("endpoint", "churn")].props["config"].as_str().unwrap().to_string();
    let variant = Variant { instance: Some("ml.m5.large".into()), count: 1, memory: None };
    let asked = Terms { variants: [(config, vec![variant])].into(), ..Terms::built_in("us-east-1") };
    let known = bill(&gone, None, &observed, &leaving, &asked).unwrap();
    assert_eq!((known.hourly_before, known.not_priced), (comes.hourly_after, Vec::new()));
    assert_eq!(bill(&gone, None, &Observed::new(), &none, &terms), None);
    // What stays although it is not wanted goes on costing.
    let kept: BTreeSet<Id> = leaving.into_iter().filter(|id| id.kind != "nat_gateway").collect();
    let goes = bill(&gone, None, &observed, &kept, &terms).unwrap();
    assert_eq!(goes.hourly_after, number("0.045"));
}

#[test]
fn a_region_without_prices_has_none() {
    let graph = graph_of(&spec_named("churn.yaml"));
    let found =
        bill(&graph, None, &Observed::new(), &BTreeSet::new(), &Terms::built_in("eu-west-3")).unwrap();
    assert_eq!((found.prices_of, found.monthly_after), (None, Decimal::ZERO));
    let without = [
        "elastic_ip.nat-1",
        "endpoint.churn",
        "instance.1",
        "nat_gateway.nat-1",
        "notebook.main",
        "secret.master",
        "training_job.",
    ];
    assert_eq!(found.not_priced.len(), without.len(), "{:?}", found.not_priced);
    for (found, wanted) in found.not_priced.iter().zip(without) {
        assert!(found.starts_with(wanted), "{found} {wanted}");
    }
}

#[test]
fn what_is_stopped_or_paused_costs_less() {
    let spec = spec_named("churn.yaml");
    let graph = graph_of(&spec);
    let terms = Terms { deletions: deletions(&spec), ..Terms::built_in("us-east-1") };
    let mut observed = made(&graph);
    let running = live(&observed, Some(&graph), &terms);
    // What ends with a pause: the member, the notebook, the endpoint. NAT gateway, address, secret and volume stay.
    let paused = running.total(When::Paused);
    assert_eq!(paused.hourly().rounded(4), "0.0515");
    let ends: BTreeSet<&str> = running
        .items
        .iter()
        .filter(|i| i.running && !i.paused)
        .map(|i| i.id.split('.').next().unwrap())
        .collect();
    let wanted = ["cluster", "cluster_role", "endpoint", "instance", "nat_gateway", "notebook", "secret"];
    assert_eq!(ends, wanted.into());
    // The same of one that is paused.
    let set = |observed: &mut Observed, kind: &str, change: &dyn Fn(&mut Live)| {
        observed.values_mut().filter(|live| live.id.kind == kind).for_each(change);
    };
    set(&mut observed, "cluster", &|live| drop(live.outputs.insert("status".into(), "stopped".into())));
    set(&mut observed, "notebook", &|live| live.props["running"] = false.into());
    observed.retain(|id, _| id.kind != "endpoint");
    assert_eq!(live(&observed, Some(&graph), &terms).total(When::Running).monthly, paused.monthly);
    // What is being deleted, or failed to come, costs nothing.
    set(&mut observed, "nat_gateway", &|live| live.state = State::Broken("failed".into()));
    set(&mut observed, "elastic_ip", &|live| live.state = State::Busy("deleting".into()));
    assert_eq!(live(&observed, Some(&graph), &terms).total(When::Running).hourly().rounded(4), "0.0015");
}

#[test]
fn use_is_guessed_and_called_so() {
    let spec = spec_named("churn.yaml");
    let graph = graph_of(&spec);
    let mut usage = Usage::default();
    usage.read("{hours_a_day: 12, storage_gib: 10, nat_gb: 100, bucket_gb: 5, io_million: 2, sentiment_units: 300}").unwrap();
    let terms = Terms { usage, ..Terms::built_in("us-east-1") };
    let estimate = estimate(&graph, &terms);
    let guessed = |id: &str, what: &str| {
        let item = estimate.items.iter().find(|item| item.id == id && item.what == what).unwrap();
        assert!(item.guess, "{item:?}");
        item.monthly(When::Running).unwrap().0
    };
    assert_eq!(guessed("instance.1", "db.r6g.large"), number("94.9"));
    assert_eq!(guessed("cluster.main", "storage"), number("1"));
    assert_eq!(guessed("cluster.main", "I/O"), number("0.4"));
    assert_eq!(guessed("nat_gateway.nat-1", "data through it"), number("4.5"));
    assert_eq!(guessed("bucket.main", "S3 Standard"), number("0.115"));
    assert_eq!(guessed("cluster_role.comprehend", "Comprehend"), number("0.03"));
    let nat = estimate.items.iter().find(|item| item.what == "NAT gateway").unwrap();
    assert!(!nat.guess, "a pause leaves the NAT gateway");
}

#[test]
fn capacity_is_a_range_until_somebody_guesses_it() {
    let graph = graph_of(&spec_named("lean.yaml"));
    let mut terms = Terms::built_in("us-east-1");
    let of = |terms: &Terms| items(&estimate(&graph, terms), "instance")[0].hourly(When::Running).unwrap();
    assert_eq!(of(&terms), (Decimal::ZERO, number("0.24")));
    terms.usage.set("acu", "0.5").unwrap();
    assert_eq!(of(&terms), (number("0.06"), number("0.06")));
    // Nobody has more than the range allows.
    terms.usage.set("acu", "100").unwrap();
    assert_eq!(of(&terms), (number("0.24"), number("0.24")));
}

#[test]
fn io_optimized_members_cost_more_and_their_requests_nothing() {
    let graph = graph_of(&spec_named("production.yaml"));
    let mut graph = graph;
    let estimate_of = |graph: &Graph| estimate(graph, &Terms::built_in("us-east-1"));
    let standard = hourly(&estimate_of(&graph), &["instance"]);
    let cluster = graph.resources.get_mut(&Id::new("cluster", "main")).unwrap();
    let is_standard = cluster.props["storage"] == "aurora";
    cluster.props["storage"] = if is_standard { "aurora-iopt1" } else { "aurora" }.into();
    let other = hourly(&estimate_of(&graph), &["instance"]);
    let (low, high) = if is_standard { (standard, other) } else { (other, standard) };
    assert_eq!(high, low.part(13, 10));
    let requests = |graph: &Graph| {
        items(&estimate_of(graph), "cluster").iter().filter(|item| item.what == "I/O").count()
    };
    assert_eq!(requests(&graph), usize::from(!is_standard));
}

#[test]
fn the_line_of_a_plan() {
    let of = |name: &str, observed: &Observed, region: &str| {
        let found =
            bill(&graph_of(&spec_named(name)), None, observed, &BTreeSet::new(), &Terms::built_in(region));
        auroraml_core::render::cost::line(&found.unwrap())
    };
    let none = Observed::new();
    assert_eq!(
        of("churn.yaml", &none, "us-east-1"),
        "0.000 USD/h now, 0.477 USD/h after (about 348 USD per month); at most 0.12 USD once, for training; usage not included; prices of 2026-09-03, us-east-1"
    );
    assert_eq!(
        of("lean.yaml", &none, "us-east-1"),
        "0.000 USD/h now, 0.021 to 0.261 USD/h after (about 15 to 190 USD per month); usage not included; prices of 2026-09-03, us-east-1"
    );
    assert_eq!(
        of("churn.yaml", &made(&graph_of(&spec_named("churn.yaml"))), "us-east-1"),
        "0.477 USD/h, about 348 USD per month; usage not included; prices of 2026-09-03, us-east-1"
    );
    assert_eq!(
        of("churn.yaml", &none, "eu-central-1"),
        "0.000 USD/h now, 0.196 USD/h after (about 143 USD per month); not priced: instance.1, notebook.main, training_job.churn-a7a502da; usage not included; prices of 2026-09-03, eu-central-1"
    );
    assert_eq!(
        of("churn.yaml", &none, "eu-west-3"),
        "unknown: there are no built-in prices for eu-west-3; see `auroraml cost --help`"
    );
}

#[test]
fn a_snapshot_that_is_kept_costs() {
    let prices = PriceTable::embedded("us-east-1").unwrap();
    let known = snapshot("churn-final", Some(10), &prices);
    assert_eq!(known.monthly(When::Destroyed), Some((number("0.21"), number("0.21"))));
    assert!(known.guess, "AWS bills what is in it, which is less than what was allocated");
    // Without its size there is the price of a GiB, and without a price nothing is counted.
    let unit = |prices: &PriceTable| match snapshot("churn-final", None, prices).price {
        Price::ByUse { unit, .. } => unit,
        other => panic!("{other:?}"),
    };
    assert_eq!((unit(&prices), unit(&PriceTable::empty("x"))), (Some(number("0.021")), None));
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// What `cost` prints of a stack that is there and gets a second member and a guess, and of one that is not there.
#[test]
fn what_is_printed() {
    let spec = spec_named("churn.yaml");
    let graph = graph_of(&spec);
    let observed = made(&graph);
    let mut terms = Terms { deletions: deletions(&spec), ..Terms::built_in("us-east-1") };
    terms.usage.set("storage_gib", "20").unwrap();
    terms.usage.set("nat_gb", "50").unwrap();
    let mut larger = graph_of(&spec);
    let mut member = larger.resources[&Id::new("instance", "1")].clone();
    member.id = Id::new("instance", "2");
    member.props["class"] = "db.r6g.xlarge".into();
    larger.resources.insert(member.id.clone(), member);
    let report = Report {
        stack: "churn".into(),
        region: "us-east-1".into(),
        before: Some(live(&observed, Some(&graph), &terms)),
        after: wanted(&larger, &observed, &BTreeSet::new(), &terms),
        prices: terms.prices.clone(),
        usage: terms.usage.clone(),
        notes: Vec::new(),
    };
    let golden = |name: &str, text: &str| crate::golden(&format!("tests/data/render/{name}"), text);
    let chart = |width, unicode| Some(Chart { width, unicode });
    golden("cost.txt", &plain(&report.to_text(None)));
    golden("cost-terminal.txt", &plain(&report.to_text(chart(100, true))));
    golden("cost.md", &report.to_markdown());
    golden("cost.json", &report.to_json());
    let document: Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(document["before"]["running"]["monthly"], "352.1");
    let spec = spec_named("lean.yaml");
    let terms = Terms { deletions: deletions(&spec), ..Terms::built_in("eu-central-1") };
    let lean = Report {
        stack: "lean".into(),
        region: "eu-central-1".into(),
        before: None,
        after: estimate(&graph_of(&spec), &terms),
        prices: terms.prices,
        usage: Usage::default(),
        notes: vec!["offline: what exists now is unknown".into()],
    };
    golden("cost-lean.txt", &plain(&lean.to_text(chart(60, false))));
    golden("cost-80.txt", &plain(&report.to_text(chart(80, true))));
    golden("cost-72.txt", &plain(&report.to_text(chart(72, true))));
    // However narrow a terminal is, no line of the chart is wider; and none at all where words have some room.
    let mut both = lean.clone();
    both.before = Some(Estimate::default());
    for (report, width) in [&report, &lean, &both].into_iter().flat_map(|it| (0..140).map(move |n| (it, n))) {
        let text = plain(&report.to_text(chart(width, true)));
        let drawn = text.split_once("\nLargest per month\n").map_or("", |(_, drawn)| drawn);
        let fits = |text: &str| text.lines().all(|line| line.chars().count() <= width);
        assert!(fits(drawn) && (width < 40 || fits(&text)), "{width}: {text}");
        // What is longer than a line goes on at a word.
        let words: BTreeSet<String> =
            plain(&report.to_text(None)).split_whitespace().map(String::from).collect();
        let table = text.split_once("\nLargest").map_or(text.as_str(), |(table, _)| table);
        let is_whole = |word: &str| {
            let word = word.trim_end_matches([',', ':', ';']);
            word == "/month" || words.iter().any(|known| known.trim_end_matches([',', ':', ';']) == word)
        };
        assert!(table.split_whitespace().all(is_whole), "{width}: {text}");
    }
}

proptest! {
    /// A sum is the sum of its parts; what is paused costs no more than what runs; what has no price is in no sum; and a
    /// price that is raised lowers nothing.
    #[test]
    fn sums_are_sums(seed in 0u64..1000, drop in 0usize..8, hours in 0u32..25) {
        let names = ["churn.yaml", "lean.yaml", "production.yaml", "churn-xgboost.yaml"];
        let spec = spec_named(names[usize::try_from(seed).unwrap() % names.len()]);
        let graph = graph_of(&spec);
        let mut terms = Terms { deletions: deletions(&spec), ..Terms::built_in("us-east-1") };
        if drop % 2 == 0 {
            terms.usage.set("hours_a_day", &hours.to_string()).unwrap();
            terms.usage.set("storage_gib", "20").unwrap();
        }
        let all = estimate(&graph, &terms);
        for when in [When::Running, When::Paused, When::Destroyed] {
            let parts: Decimal = all.items.iter().filter_map(|item| item.monthly(when)).map(|(usd, _)| usd).sum();
            let most: Decimal = all.items.iter().filter_map(|item| item.monthly(when)).map(|(_, most)| most).sum();
            let total = all.total(when);
            prop_assert_eq!((total.monthly, total.monthly_up_to), (parts, most));
            prop_assert!(parts <= most);
        }
        prop_assert!(all.total(When::Paused).monthly <= all.total(When::Running).monthly);
        // Without its price, a thing is named, and the sum is smaller by just that thing.
        let priced: Vec<&str> = vec!["network.nat_gateway", "network.ipv4", "network.interface_endpoint", "secrets.secret"];
        let key = priced[drop % priced.len()];
        let mut dear = terms.clone();
        dear.prices.set(key, terms.prices.price(key).unwrap() + Decimal::whole(1));
        prop_assert!(estimate(&graph, &dear).total(When::Running).monthly >= all.total(When::Running).monthly);
        let poor = Terms { prices: PriceTable::empty("us-east-1"), ..terms };
        let without = estimate(&graph, &poor);
        let total = without.total(When::Running);
        prop_assert_eq!(total.monthly, Decimal::ZERO);
        prop_assert!(!total.not_priced.is_empty());
        let unknown = |item: &&Item| matches!(item.price, Price::Unknown { .. });
        for item in without.items.iter().filter(unknown) {
            prop_assert_eq!(item.monthly(When::Running), None);
            prop_assert!(item.destroyed || item.running && total.not_priced.contains(&item.id), "{:?}", item);
        }
    }
}
