//! What a plan does to the bill.

use super::sight::Sight;
use super::{Decimal, Terms, Total, When, live};
use crate::base::{Id, Observed};
use crate::resource::Graph;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// What a stack costs before and after a plan, by the built-in prices. US dollars, as text.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bill {
    pub region: String,
    /// Date of the prices; none where there are none for the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices_of: Option<String>,
    /// An hour, before.
    #[schemars(with = "String")]
    pub hourly_before: Decimal,
    /// An hour, after.
    #[schemars(with = "String")]
    pub hourly_after: Decimal,
    /// An hour, after, where AWS scales something as far as it may.
    #[schemars(with = "String")]
    pub hourly_after_up_to: Decimal,
    /// A month of 730 hours, before.
    #[schemars(with = "String")]
    pub monthly_before: Decimal,
    /// A month of 730 hours, after.
    #[schemars(with = "String")]
    pub monthly_after: Decimal,
    #[schemars(with = "String")]
    pub monthly_after_up_to: Decimal,
    /// What is paid once, at most: for training.
    #[schemars(with = "String")]
    pub once_at_most: Decimal,
    /// What is in none of these numbers because there is no price for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_priced: Vec<String>,
    /// Whether there is something that costs as much as it is used; that is in none of these numbers either.
    pub use_not_counted: bool,
}

/// What a plan does to the bill: `leaving` is what it deletes, and `whole`, if the graph is of something else, what the
/// spec wants when it is applied; the terms are [`Terms::built_in`], with what is behind endpoints. Nothing where nothing costs, before or after.
pub fn bill(
    graph: &Graph,
    whole: Option<&Graph>,
    observed: &Observed,
    leaving: &BTreeSet<Id>,
    terms: &Terms,
) -> Option<Bill> {
    let before = live(observed, whole.or(Some(graph)), terms);
    let after = Sight::of_wanted(graph, whole, observed, leaving, terms).estimate();
    let once_at_most = after.once();
    let (before, after) = (before.total(When::Running), after.total(When::Running));
    if before.is_nothing() && after.is_nothing() && once_at_most.is_zero() {
        return None;
    }
    let Total { monthly, monthly_up_to, .. } = after.clone();
    let not_priced: BTreeSet<&String> = before.not_priced.iter().chain(&after.not_priced).collect();
    Some(Bill {
        region: terms.prices.region.clone(),
        prices_of: Some(terms.prices.date.clone()).filter(|date| !date.is_empty()),
        hourly_before: before.hourly(),
        hourly_after: after.hourly(),
        hourly_after_up_to: after.hourly_up_to(),
        monthly_before: before.monthly,
        monthly_after: monthly,
        monthly_after_up_to: monthly_up_to,
        once_at_most,
        not_priced: not_priced.into_iter().cloned().collect(),
        use_not_counted: before.use_not_counted || after.use_not_counted,
    })
}
