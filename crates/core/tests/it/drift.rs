//! What differs, weighed.

use crate::{graph_of, spec_named};
use auroraml_core::base::Observed;
use auroraml_core::drift::{Beyond, Severity, Sort, judge};
use auroraml_core::kinds::catalog;
use auroraml_core::plan::plan;

/// Nobody has rights by a role or a rule that was never made: what fails without it are calls.
#[test]
fn what_is_missing_is_no_matter_of_security() {
    let (graph, nothing) = (graph_of(&spec_named("churn.yaml")), Observed::new());
    let plan = plan(&graph, &nothing, &catalog());
    let found = judge(&graph, &nothing, &plan, &catalog(), &Beyond::default());
    assert!(found.len() > 20 && found.iter().all(|one| one.sort == Sort::Missing), "{found:?}");
    let of = |kind: &str| found.iter().find(|one| one.id.kind == kind).unwrap().severity;
    assert!(found.iter().all(|one| one.severity != Severity::Security), "{found:?}");
    assert_eq!((of("role"), of("security_group")), (Severity::Wiring, Severity::Wiring));
    assert_eq!((of("instance"), of("bucket")), (Severity::Cost, Severity::Settings));
}
