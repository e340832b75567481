//! What a stack costs, for people and for programs.

use crate::cost::{Bill, Decimal};
use crate::plan::Plan;

/// Names that a line has room for.
const NAMES_MAX: usize = 3;

/// What a plan says of the bill; nothing where none of it is carried out.
pub(super) fn shown(plan: &Plan) -> Option<&Bill> {
    plan.cost.as_ref().filter(|_| plan.blocked.is_empty())
}

/// What a plan does to the bill, in one line.
pub fn line(bill: &Bill) -> String {
    let Some(date) = &bill.prices_of else {
        return format!(
            "not known: there are no built-in prices for {}; see `auroraml cost --help`",
            bill.region
        );
    };
    let after = range(bill.hourly_after, bill.hourly_after_up_to, 3);
    let month = range(bill.monthly_after, bill.monthly_after_up_to, 0);
    let mut parts = vec![match bill.hourly_before == bill.hourly_after {
        true => format!("{after} USD/h, about {month} USD a month"),
        false => {
            let before = bill.hourly_before.rounded(3);
            format!("{before} USD/h now, {after} USD/h after (about {month} USD a month)")
        }
    }];
    if !bill.once_at_most.is_zero() {
        parts.push(format!("at most {} USD once, for training", bill.once_at_most.rounded(2)));
    }
    if !bill.not_priced.is_empty() {
        parts.push(format!("not priced: {}", names(&bill.not_priced)));
    }
    if bill.use_not_counted {
        parts.push("use is not counted".into());
    }
    parts.push(format!("prices of {date}, {}", bill.region));
    parts.join("; ")
}

fn names(names: &[String]) -> String {
    match names.len().checked_sub(NAMES_MAX) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMES_MAX].join(", ")),
    }
}

/// `0.041` or `0.041 to 0.281`.
fn range(least: Decimal, most: Decimal, digits: u32) -> String {
    let (least, most) = (least.rounded(digits), most.rounded(digits));
    if least == most { least } else { format!("{least} to {most}") }
}
