//! What a stack costs, as a part of a page: a bar for each thing.

use super::super::cost::{Report, Row, range};
use super::super::markup::Markup;
use super::ROWS_MAX;
use crate::cost::{Decimal, When};
use std::cmp::Reverse;

type Amount = (Decimal, Decimal);

pub(super) fn draw(report: &Report) -> Markup {
    let mut out = Markup::default();
    let both = report.differs();
    let mut rows: Vec<Row<'_>> = report.rows();
    let most = |row: &Row<'_>| row.after.max(row.before).map_or(Decimal::ZERO, |(_, most)| most);
    rows.retain(|row| !most(row).is_zero());
    rows.sort_by_key(|row| Reverse(most(row)));
    let largest = rows.first().map_or(Decimal::ZERO, most);
    out.leaf(
        "p",
        &[],
        format!("{}; {}. US dollars on demand, without tax and free tier.", report.result(), report.label()),
    );
    if both {
        out.leaf("p", &[], "Upper bars: now. Lower bars: after apply.");
    }
    out.with("ul", &[("class", &"money")], |out| {
        for row in rows.iter().take(ROWS_MAX) {
            let guess = if row.guess { " (guess)" } else { "" };
            let before = row.before.filter(|_| both);
            let after = row.after.or(if both { None } else { row.before });
            out.with("li", &[], |out| {
                out.with("span", &[("class", &"what")], |out| {
                    out.leaf("b", &[], row.id);
                    out.text(format!(" {}{guess}", row.what));
                });
                bars(before.filter(|_| both), after, both, largest, out);
                out.leaf("span", &[("class", &"time")], amounts(before, after, both));
            });
        }
        let total = |when: &crate::cost::Estimate| {
            let total = when.total(When::Running);
            (total.monthly, total.monthly_up_to)
        };
        let before = report.before.as_ref().map(total).filter(|_| both);
        out.with("li", &[("class", &"total")], |out| {
            out.leaf("span", &[("class", &"what")], "Total");
            out.leaf("span", &[], "");
            out.leaf("span", &[("class", &"time")], amounts(before, Some(total(&report.after)), both));
        });
        super::more(rows.len(), out);
    });
    for (title, lines) in report.lists() {
        out.leaf("h3", &[], title);
        out.with("ul", &[], |out| {
            lines.iter().take(ROWS_MAX).for_each(|line| out.leaf("li", &[], line));
            super::more(lines.len(), out);
        });
    }
    out
}

/// In a month.
fn amounts(before: Option<Amount>, after: Option<Amount>, both: bool) -> String {
    let text = |amount: Option<Amount>| amount.map_or("0".into(), |(least, most)| range(least, most, 2));
    match both {
        true => format!("{} → {} a month", text(before), text(after)),
        false => format!("{} a month", text(after)),
    }
}

fn bars(before: Option<Amount>, after: Option<Amount>, both: bool, largest: Decimal, out: &mut Markup) {
    out.with("svg", &[("class", &"track"), ("height", &18), ("aria-hidden", &"true")], |out| {
        let mut bar = |class: &'static str, amount: Decimal, y: usize, height: usize| {
            let part = largest.share(amount, 1_000);
            if part > 0 {
                let width = format!("{}.{}%", part / 10, part % 10);
                out.empty("rect", &[("class", &class), ("y", &y), ("width", &width), ("height", &height)]);
            }
        };
        let (y, height) = if both { (10, 6) } else { (4, 10) };
        if let Some((least, most)) = before {
            bar("bar now-up-to", most, 2, 6);
            bar("bar now", least, 2, 6);
        }
        if let Some((least, most)) = after {
            bar("bar up-to", most, y, height);
            bar("bar paid", least, y, height);
        }
    });
}
