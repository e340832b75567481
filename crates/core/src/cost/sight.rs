//! A stack as the kinds' prices see it: desired and live objects in one shape.

use super::kinds::{Cost, TABLE};
use super::{Decimal, Estimate, HOURS, Item, Price, Terms, Variant};
use crate::base::{Id, Live, Observed, State};
use crate::resource::{Deletion, Graph};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// One object, desired or live.
pub struct Object {
    pub id: Id,
    pub props: Value,
    /// Its name at AWS, where it is known.
    pub name: Option<String>,
    /// AWS's word for how it is.
    pub status: Option<String>,
    /// Whether it is there already.
    pub live: bool,
}

/// All of them.
pub struct Sight<'a> {
    pub objects: BTreeMap<Id, Object>,
    pub terms: &'a Terms,
    /// Keys of the prices that were looked for.
    looked_for: RefCell<BTreeSet<String>>,
}

/// Whether an object costs the stack's owner: what is on its way out or was never made does not. An endpoint that others
/// made under the spec's name serves this stack.
fn counts(live: &Live) -> bool {
    let is_ours = live.owned || live.id.kind == "endpoint";
    is_ours && !live.state.is_leaving() && !matches!(live.state, State::Broken(_))
}

fn seen(live: &Live) -> Object {
    let text = |name: &str| live.output(name).filter(|text| !text.is_empty()).map(String::from);
    Object {
        id: live.id.clone(),
        props: live.props.clone(),
        name: text("name"),
        status: text("status"),
        live: true,
    }
}

impl<'a> Sight<'a> {
    pub fn of_live(observed: &Observed, graph: Option<&Graph>, terms: &'a Terms) -> Sight<'a> {
        let mut objects: BTreeMap<Id, Object> =
            observed.values().filter(|live| counts(live)).map(|live| (live.id.clone(), seen(live))).collect();
        // The name of a configuration holds the hash of what it is, and a look reads no more of it.
        for (id, object) in objects.iter_mut().filter(|(id, _)| id.kind == "endpoint_config") {
            if let Some(resource) = graph.and_then(|graph| graph.resources.get(id)) {
                object.props = resource.props.clone();
            }
        }
        Sight { objects, terms, looked_for: RefCell::default() }
    }

    /// `known`: a graph that says what is behind live endpoints, if that of the wanted does not.
    pub fn of_wanted(
        graph: &Graph,
        known: Option<&Graph>,
        observed: &Observed,
        leaving: &BTreeSet<Id>,
        terms: &'a Terms,
    ) -> Sight<'a> {
        let mut sight = Sight::of_live(observed, known.or(Some(graph)), terms);
        sight.objects.retain(|id, _| !leaving.contains(id) && !graph.resources.contains_key(id));
        for (id, resource) in &graph.resources {
            let live = observed.get(id).filter(|live| counts(live));
            let object = Object {
                id: id.clone(),
                props: resource.over(observed.get(id)),
                name: resource.predicted.get("name").cloned(),
                status: None,
                live: live.is_some(),
            };
            sight.objects.insert(id.clone(), object);
        }
        sight
    }

    pub fn estimate(&self) -> Estimate {
        let mut items = Vec::new();
        for (kind, cost) in TABLE {
            let Cost::Priced(price) = cost else { continue };
            for object in self.objects.values().filter(|object| object.id.kind == *kind) {
                items.extend(price(object, self));
            }
        }
        let mut notes = Vec::new();
        let has = |kind: &str| self.objects.keys().any(|id| id.kind == kind);
        if (has("cluster_role") || has("group_attachment")) && !has("cluster") {
            notes.push("the existing cluster's own costs are not included".into());
        }
        Estimate { items, notes, prices: self.looked_for.take() }
    }

    /// The stack's cluster.
    pub fn cluster(&self) -> Option<&Object> {
        self.objects.values().find(|object| object.id.kind == "cluster")
    }

    pub fn is_io_optimized(&self) -> bool {
        self.cluster().is_some_and(|cluster| cluster.props["storage"] == "aurora-iopt1")
    }

    /// Whether somebody has stopped the cluster: then its members cost nothing.
    pub fn is_stopped(&self) -> bool {
        if self.cluster().is_some_and(|cluster| cluster.props["running"] == false) {
            return true;
        }
        let status = self.cluster().and_then(|cluster| cluster.status.as_deref());
        matches!(status, Some("stopped" | "stopping"))
    }

    /// How the object goes, if that is not by being deleted.
    pub fn deletion(&self, id: &Id) -> Option<&Deletion> {
        self.terms.deletions.get(id)
    }

    /// What serves an endpoint, if that is known.
    pub fn variants(&self, endpoint: &Object) -> Option<Vec<Variant>> {
        let config = &endpoint.props["config"];
        let names = |object: &&Object| match config["$ref"].as_str() {
            Some(id) => object.id.to_string() == id,
            None => config.is_string() && object.name.as_deref() == config.as_str(),
        };
        let found = self.objects.values().filter(|object| object.id.kind == "endpoint_config").find(names);
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let told = found.map(|config| Variant {
            instance: config.props["instance"].as_str().map(String::from),
            count: number(&config.props["count"]).unwrap_or(1),
            memory: number(&config.props["memory"]),
        });
        match told {
            Some(variant) if variant.instance.is_some() || variant.memory.is_some() => Some(vec![variant]),
            _ => self.terms.variants.get(config.as_str()?).cloned(),
        }
    }

    /// A price by its key.
    pub fn price(&self, key: &str) -> Option<Decimal> {
        self.looked_for.borrow_mut().insert(key.into());
        self.terms.prices.price(key)
    }

    /// An hour of a member of the cluster.
    pub fn member(&self, class: &str) -> Option<Decimal> {
        let io_optimized = self.is_io_optimized();
        let mut looked_for = self.looked_for.borrow_mut();
        looked_for.insert(format!("aurora.instance.{class}"));
        if io_optimized {
            looked_for.insert(format!("aurora.instance_io_optimized.{class}"));
        }
        self.terms.prices.instance(class, io_optimized)
    }

    /// An hour of a SageMaker instance: `purpose` is `notebook`, `endpoint` or `training`.
    pub fn machine(&self, purpose: &str, instance: &str) -> Option<Decimal> {
        self.looked_for.borrow_mut().insert(format!("sagemaker.{purpose}.{instance}"));
        self.terms.prices.machine(purpose, instance)
    }

    fn item(&self, object: &Object, what: impl Into<String>, price: Price) -> Item {
        let destroyed = matches!(self.deletion(&object.id), Some(Deletion::Keep | Deletion::Offer));
        Item {
            id: object.id.to_string(),
            what: what.into(),
            price,
            guess: false,
            running: true,
            paused: true,
            destroyed,
        }
    }

    /// What costs by the month as long as it is there.
    pub fn monthly(
        &self,
        object: &Object,
        what: impl Into<String>,
        price: Option<Decimal>,
        count: u32,
    ) -> Item {
        let what = what.into();
        let price = match price {
            Some(price) => {
                let usd = price.times(Decimal::whole(count));
                Price::Monthly { usd, up_to: usd }
            }
            None => self.unknown(&what),
        };
        self.item(object, what, price)
    }

    /// What costs by the hour as long as it is there.
    pub fn hourly(
        &self,
        object: &Object,
        what: impl Into<String>,
        price: Option<Decimal>,
        count: u32,
    ) -> Item {
        self.monthly(object, what, price.map(|price| price.times(Decimal::whole(HOURS))), count)
    }

    /// What costs by the hour and ends with a pause, for as many hours a day as it is guessed to run.
    pub fn pausable(
        &self,
        object: &Object,
        what: impl Into<String>,
        price: Option<Decimal>,
        count: u32,
    ) -> Item {
        let hourly = self.hourly(object, what, price, count);
        let item = Item { paused: false, ..hourly };
        match (self.terms.usage.get("hours_a_day"), &item.price) {
            (Some(hours), Price::Monthly { usd, up_to }) => {
                let some = |usd: Decimal| usd.times(hours).part(1, 24);
                let price = Price::Monthly { usd: some(*usd), up_to: some(*up_to) };
                Item { price, guess: true, ..item }
            }
            _ => item,
        }
    }

    /// What costs as much as it is used: `unit` for each of what `guess` guesses.
    pub fn by_use(
        &self,
        object: &Object,
        what: &str,
        unit: Option<Decimal>,
        per: &'static str,
        guess: &'static str,
    ) -> Item {
        let price = Price::ByUse { unit, per, guess };
        let item = self.item(object, what, price);
        match (unit, self.terms.usage.get(guess)) {
            (Some(unit), Some(number)) => {
                let usd = unit.times(number);
                Item { price: Price::Monthly { usd, up_to: usd }, guess: true, ..item }
            }
            (None, Some(_)) => Item { price: self.unknown(what), guess: true, ..item },
            (_, None) => item,
        }
    }

    /// The same of what nobody asks for while the stack is paused.
    pub fn in_use(
        &self,
        object: &Object,
        what: &str,
        unit: Option<Decimal>,
        per: &'static str,
        guess: &'static str,
    ) -> Item {
        Item { paused: false, ..self.by_use(object, what, unit, per, guess) }
    }

    /// What is paid once, at most.
    pub fn once(&self, object: &Object, what: impl Into<String>, at_most: Option<Decimal>) -> Item {
        let what = what.into();
        let price = at_most.map_or_else(|| self.unknown(&what), |at_most| Price::Once { at_most });
        Item { paused: false, destroyed: false, ..self.item(object, what, price) }
    }

    /// What costs and nobody knows how much.
    pub fn not_priced(&self, object: &Object, what: &str, why: &str) -> Item {
        self.item(object, what, Price::Unknown { why: why.into() })
    }

    fn unknown(&self, what: &str) -> Price {
        let region = &self.terms.prices.region;
        let region = if region.is_empty() { "this region" } else { region };
        Price::Unknown { why: format!("no price for {what} in {region}") }
    }
}
