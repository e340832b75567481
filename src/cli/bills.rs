//! The last look of a destroy: what still bills, and what deletes it.

use super::exit::Error;
use super::printer::Printer;
use super::session::Session;
use auroraml::run::bills::{Left, left};
use auroraml_core::cost::{Decimal, PriceTable};
use auroraml_core::render::plain;

/// Names what still bills. Whoever may not ask is told so: the stack is gone all the same.
pub async fn tell(session: &Session, printer: &Printer) -> Result<(), Error> {
    match left(&session.stack.aws).await {
        Ok(all) => {
            let region = &session.stack.aws.place.region;
            let prices = PriceTable::embedded(region).unwrap_or_else(|| PriceTable::empty(region));
            printer.data(&text(&all, &prices))
        }
        Err(failure) => {
            printer.say(&format!("warning: could not check what still costs money: {failure}\n"));
            Ok(())
        }
    }
}

/// What it costs by the built-in prices; nothing where that goes by a size that nobody has asked for.
fn price(left: &Left, prices: &PriceTable) -> Option<String> {
    let hourly = |key: &str| Some(format!("{} USD per hour", prices.price(key)?));
    match left.kind {
        "nat_gateway" => hourly("network.nat_gateway"),
        "vpc_endpoint" => hourly("network.interface_endpoint").map(|price| format!("{price} and zone")),
        "elastic_ip" => hourly("network.ipv4"),
        "secret" => Some(format!("{} USD per month", prices.price("secrets.secret")?)),
        "snapshot" => {
            let (each, gib) = (prices.price("aurora.backup")?, left.gib.filter(|gib| *gib > 0));
            Some(match gib {
                Some(gib) => format!("at most {} USD per month", each.times(Decimal::whole(gib))),
                None => format!("{each} USD per GiB and month"),
            })
        }
        "bucket" => Some("depends on its contents".into()),
        // By its class: `auroraml cost` knows.
        _ => None,
    }
}

/// Of what others own, such as the cluster that a stack was wired to, nothing is said.
const NOTHING: &str = "Nothing of this stack costs money any more.\n";

fn text(all: &[Left], prices: &PriceTable) -> String {
    if all.is_empty() {
        return NOTHING.into();
    }
    let mut text = String::from("This still costs money:\n");
    for left in all {
        let price = price(left, prices).map(|price| format!(" ({price})")).unwrap_or_default();
        let (what, command) = (plain::line(&left.what), plain::line(&left.command));
        text.push_str(&format!("  {what}{price}\n    {command}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_still_bills_is_told_with_its_price() {
        let prices = PriceTable::embedded("us-east-1").unwrap();
        let left = |kind, gib| Left { what: format!("{kind} x"), command: "aws y".into(), kind, gib };
        assert_eq!(text(&[], &prices), "Nothing of this stack costs money any more.\n");
        for (left, part) in [
            (left("nat_gateway", None), "(0.045 USD per hour)"),
            (left("elastic_ip", None), "(0.005 USD per hour)"),
            (left("snapshot", Some(10)), "(at most 0.21 USD per month)"),
            (left("snapshot", None), "(0.021 USD per GiB and month)"),
            (left("instance", None), "instance x\n    aws y\n"),
        ] {
            let text = text(&[left], &prices);
            assert!(text.starts_with("This still costs money:\n  ") && text.contains(part), "{text}");
        }
    }
}
