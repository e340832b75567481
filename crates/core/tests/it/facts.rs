//! What the model says of an account that is not as the spec needs it, from facts made by hand.

use auroraml_core::base::names::Place;
use auroraml_core::model::facts::{ExistingFacts, Facts};
use auroraml_core::model::{self, Intent, Preflight};
use auroraml_core::spec;

const DESTROY: Intent = Intent::Destroy { unprotect: false };
const ROLE: &str = "arn:aws:iam::111122223333:role/auroraml/shop/us-east-1/shop-us-east-1-comprehend";

/// The notes, or the problems.
fn told(text: &str, facts: &Facts, intent: Intent) -> Result<String, Vec<Preflight>> {
    let spec =
        spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render("spec", text)));
    let place = Place::new(spec.stack.clone(), spec.region.clone(), "111122223333")
        .with(auroraml_core::model::names(&spec));
    model::build(&spec, &place, facts, intent).map(|graph| graph.notes.join("\n"))
}

const ORDERS: &str =
    "stack: shop\nregion: us-east-1\naurora: { existing: orders }\nmachine_learning: { comprehend: true }\n";

/// `orders`, in whose own group the stack has set its role.
fn wired() -> ExistingFacts {
    ExistingFacts {
        engine: "aurora-mysql".into(),
        status: "available".into(),
        parameter_group: "production".into(),
        role_parameters: [("aws_default_comprehend_role".to_string(), ROLE.to_string())].into(),
        roles: vec![ROLE.into()],
        role_quota: 5,
        ..ExistingFacts::default()
    }
}

fn facts(existing: ExistingFacts) -> Facts {
    let live_engine_version = Some("8.0.mysql_aurora.3.10.2".into());
    Facts { live_engine_version, existing: Some(existing), ..Facts::default() }
}

/// Another cluster has come to use the group since: what is set in it, and what is taken out, is that one's as well.
#[test]
fn who_else_uses_the_group_is_said() {
    let alone = facts(wired());
    let shared = facts(ExistingFacts { sharers: vec!["billing".into()], ..wired() });
    for (intent, expected) in [
        (Intent::Apply, "is now also used by billing: they get the same values"),
        (DESTROY, "is now also used by billing: they lose this stack's role parameters too"),
    ] {
        let notes = told(ORDERS, &shared, intent).unwrap();
        assert!(notes.contains(expected), "{notes}");
        assert!(!told(ORDERS, &alone, intent).unwrap().contains("billing"));
    }
}

#[test]
fn who_made_the_cluster_hears_of_it() {
    let made = |status: &str| {
        facts(ExistingFacts { cloudformation: Some(("network".into(), status.into())), ..wired() })
    };
    let notes = told(ORDERS, &made("UPDATE_COMPLETE"), Intent::Apply).unwrap();
    let drift = "belongs to the CloudFormation stack network (UPDATE_COMPLETE), which will report its parameter group and roles as drift";
    assert!(notes.contains(drift), "{notes}");
    let problems = told(ORDERS, &made("UPDATE_IN_PROGRESS"), Intent::Apply).unwrap_err();
    assert!(problems[0].hint.contains("wait until it has finished"), "{problems:?}");
}

/// The roles are those of another cluster, which would be left with half a wiring. Under another name it is the same.
#[test]
fn another_cluster_is_another_stack() {
    let before = Some("arn:aws:rds:us-east-1:111122223333:cluster:billing".to_string());
    let other = ExistingFacts {
        wired_before: before.clone(),
        role_parameters: Default::default(),
        roles: Vec::new(),
        ..wired()
    };
    for intent in [Intent::Apply, DESTROY] {
        let problems = told(ORDERS, &facts(other.clone()), intent).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].hint.contains("with `existing: billing` first"), "{problems:?}");
        let renamed = facts(ExistingFacts { wired_before: before.clone(), ..wired() });
        assert!(told(ORDERS, &renamed, intent).is_ok());
    }
}

/// Each private subnet stands in a zone of its own.
#[test]
fn more_subnets_than_zones_are_a_problem() {
    let text = "stack: net\nregion: us-east-1\n\
                network: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24] }\n";
    let zones = |count: usize| Facts {
        zones: ["us-east-1a", "us-east-1b", "us-east-1c"][..count]
            .iter()
            .map(|zone| zone.to_string())
            .collect(),
        ..Facts::default()
    };
    assert!(told(text, &zones(3), Intent::Apply).is_ok());
    let problems = told(text, &zones(2), Intent::Apply).unwrap_err();
    assert_eq!(problems[0].why, "us-east-1 has 2 availability zones, but the spec needs 3");
}
