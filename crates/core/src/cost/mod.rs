//! What a stack costs: wanted, live, while it is paused, after it is destroyed. Pure.
//!
//! **Invariants.** A sum is the sum of its parts, in thousand-millionths of a dollar and a month of 730 hours. What has no
//! price is said and never counted as nothing. What depends on use is not counted unless somebody guesses the use, and
//! then it is called a guess.
//!
//! What each kind costs stands in one table, `kinds.rs`; a kind that nobody spoke of is a test that fails.

mod bill;
mod decimal;
mod kinds;
mod prices;
mod sight;
mod usage;

pub use bill::{Bill, bill};
pub use decimal::Decimal;
pub use kinds::{Cost, TABLE};
pub use prices::{PRICES, PriceTable, TABLE_MAX};
pub use usage::{GUESSES, Usage};

use crate::base::{Id, Observed};
use crate::resource::{Deletions, Graph};
use serde::Serialize;
use sight::Sight;
use std::collections::{BTreeMap, BTreeSet};

/// Hours of a month, as AWS's own calculator has it.
pub const HOURS: u32 = 730;

/// One thing that costs, or may.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// `nat_gateway.nat-1`
    pub id: String,
    /// What of it: `db.r6g.large`, `volume, 5 GiB`.
    pub what: String,
    pub price: Price,
    /// Whether somebody guessed how much of it there is.
    pub guess: bool,
    /// Whether it costs while the stack runs, while it is paused, and once it is destroyed.
    pub running: bool,
    pub paused: bool,
    pub destroyed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Price {
    /// In a month; where AWS scales it, from `usd` to `up_to`.
    Monthly { usd: Decimal, up_to: Decimal },
    /// Once, and no more than that.
    Once { at_most: Decimal },
    /// As much as it is used. `unit` is the price of one `per`, where the table has it; `guess` gives the number.
    ByUse { unit: Option<Decimal>, per: &'static str, guess: &'static str },
    /// There is no price for it: why.
    Unknown { why: String },
}

/// When a stack costs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Running,
    Paused,
    Destroyed,
}

impl Item {
    pub fn costs(&self, when: When) -> bool {
        match when {
            When::Running => self.running,
            When::Paused => self.paused,
            When::Destroyed => self.destroyed,
        }
    }

    /// What it costs in a month, at least and at most; nothing where that is not known or not counted.
    pub fn monthly(&self, when: When) -> Option<(Decimal, Decimal)> {
        match self.price {
            Price::Monthly { .. } if !self.costs(when) => Some((Decimal::ZERO, Decimal::ZERO)),
            Price::Monthly { usd, up_to } => Some((usd, up_to)),
            _ => None,
        }
    }

    /// What it costs in an hour.
    pub fn hourly(&self, when: When) -> Option<(Decimal, Decimal)> {
        self.monthly(when).map(|(usd, up_to)| (usd.part(1, HOURS), up_to.part(1, HOURS)))
    }
}

/// What is known of the bill beside the stack itself.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub prices: PriceTable,
    pub usage: Usage,
    /// How each thing goes on a destroy, where the kind's default is not what the spec says.
    pub deletions: Deletions,
    /// What is behind live endpoints, by the name of their configuration, where no graph says it.
    pub variants: Variants,
}

impl Terms {
    /// By the prices that are built in for the region; without any, nothing has a price.
    pub fn built_in(region: &str) -> Terms {
        let prices = PriceTable::embedded(region).unwrap_or_else(|| PriceTable::empty(region));
        Terms { prices, ..Terms::default() }
    }
}

/// What serves an endpoint, by the name of its configuration.
pub type Variants = BTreeMap<String, Vec<Variant>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// `ml.m5.large`; none of a serverless one.
    pub instance: Option<String>,
    pub count: u32,
    /// MB, of a serverless one.
    pub memory: Option<u32>,
}

/// What a stack costs, thing by thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    pub items: Vec<Item>,
    /// What a reader should know beside the items.
    pub notes: Vec<String>,
    /// Keys of the prices that it depends on.
    pub prices: BTreeSet<String>,
}

/// A sum, and what it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Total {
    /// In a month, at least.
    pub monthly: Decimal,
    /// And at most, where AWS scales something.
    pub monthly_up_to: Decimal,
    /// What is not in it because there is no price for it.
    pub not_priced: Vec<String>,
    /// Whether there is something that costs as much as it is used, and nobody guessed how much that is.
    pub use_not_counted: bool,
}

impl Total {
    pub fn hourly(&self) -> Decimal {
        self.monthly.part(1, HOURS)
    }
    pub fn hourly_up_to(&self) -> Decimal {
        self.monthly_up_to.part(1, HOURS)
    }
    /// Whether it costs nothing, and is known to.
    pub fn is_nothing(&self) -> bool {
        self.monthly_up_to.is_zero() && self.not_priced.is_empty()
    }
}

impl Estimate {
    pub fn total(&self, when: When) -> Total {
        let items = || self.items.iter().filter(|item| item.costs(when));
        let monthly = || items().filter_map(|item| item.monthly(when));
        let not_priced: BTreeSet<String> = items()
            .filter(|item| matches!(item.price, Price::Unknown { .. }))
            .map(|item| item.id.clone())
            .collect();
        Total {
            monthly: monthly().map(|(usd, _)| usd).sum(),
            monthly_up_to: monthly().map(|(_, up_to)| up_to).sum(),
            not_priced: not_priced.into_iter().collect(),
            use_not_counted: items().any(|item| matches!(item.price, Price::ByUse { .. })),
        }
    }

    /// What is paid once, at most.
    pub fn once(&self) -> Decimal {
        let once = self.items.iter().map(|item| match item.price {
            Price::Once { at_most } if item.running => at_most,
            _ => Decimal::ZERO,
        });
        once.sum()
    }
}

/// What the stack costs that the graph wants, where this is there already; with what the graph does not have and what
/// stays all the same. `leaving`: what goes.
pub fn wanted(graph: &Graph, observed: &Observed, leaving: &BTreeSet<Id>, terms: &Terms) -> Estimate {
    Sight::of_wanted(graph, None, observed, leaving, terms).estimate()
}

/// What the live objects cost. The graph, where there is one, says what is behind an endpoint that is as wanted.
pub fn live(observed: &Observed, graph: Option<&Graph>, terms: &Terms) -> Estimate {
    Sight::of_live(observed, graph, terms).estimate()
}

/// What a snapshot of a cluster costs that is kept, by the GiB of it that are known.
pub fn snapshot(name: &str, gib: Option<u32>, prices: &PriceTable) -> Item {
    let unit = prices.price("aurora.backup");
    let price = match (unit, gib) {
        (Some(unit), Some(gib)) => {
            let usd = unit.times(Decimal::whole(gib));
            Price::Monthly { usd, up_to: usd }
        }
        (unit, _) => Price::ByUse { unit, per: "GiB per month", guess: "storage_gib" },
    };
    let what = gib.map_or_else(|| "snapshot".into(), |gib| format!("snapshot, {gib} GiB at most"));
    let item =
        Item { id: name.into(), what, price, guess: false, running: true, paused: true, destroyed: true };
    Item { guess: matches!(item.price, Price::Monthly { .. }), ..item }
}
