//! What a stack costs, for people and for programs.

use super::columns;
use super::paint::{BOLD, DIM, paint};
use super::plain::{self, markdown as escape};
use super::wrap::{Form, cut};
use crate::cost::{Bill, Decimal, Estimate, HOURS, Item, Price, PriceTable, TABLE, Usage, When};
use crate::plan::Plan;
use serde_json::{Value, json};

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
            "unknown: there are no built-in prices for {}; see `auroraml cost --help`",
            bill.region
        );
    };
    let after = range(bill.hourly_after, bill.hourly_after_up_to, 3);
    let month = range(bill.monthly_after, bill.monthly_after_up_to, 0);
    let mut parts = vec![match bill.hourly_before == bill.hourly_after {
        true => format!("{after} USD/h, about {month} USD per month"),
        false => {
            let before = bill.hourly_before.rounded(3);
            format!("{before} USD/h now, {after} USD/h after (about {month} USD per month)")
        }
    }];
    if !bill.once_at_most.is_zero() {
        parts.push(format!("at most {} USD once, for training", bill.once_at_most.rounded(2)));
    }
    if !bill.not_priced.is_empty() {
        parts.push(format!("not priced: {}", names(&bill.not_priced)));
    }
    if bill.use_not_counted {
        parts.push("usage not included".into());
    }
    parts.push(format!("prices of {date}, {}", bill.region));
    parts.join("; ")
}

/// What is there costs, in one line; nothing where it costs nothing or nobody knows.
pub fn now(bill: &Bill) -> Option<String> {
    let date = bill.prices_of.as_ref().filter(|_| !bill.hourly_before.is_zero())?;
    let (hour, month) = (bill.hourly_before.rounded(3), bill.monthly_before.rounded(0));
    Some(format!("Cost: {hour} USD/h, about {month} USD per month; prices of {date}, {}\n", bill.region))
}

fn names(names: &[String]) -> String {
    match names.len().checked_sub(NAMES_MAX) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMES_MAX].join(", ")),
    }
}

/// `0.041` or `0.041 to 0.281`.
pub(super) fn range(least: Decimal, most: Decimal, digits: u32) -> String {
    let (least, most) = (least.rounded(digits), most.rounded(digits));
    if least == most { least } else { format!("{least} to {most}") }
}

/// Bars of a chart.
const BARS_MAX: usize = 8;
/// Columns of the longest bar, at least and at most.
const BAR: (usize, usize) = (10, 40);

/// What a stack costs, with what it rests on.
#[derive(Clone, Debug)]
pub struct Report {
    pub stack: String,
    pub region: String,
    /// What is there; none where nobody looked.
    pub before: Option<Estimate>,
    /// What the spec wants.
    pub after: Estimate,
    pub prices: PriceTable,
    pub usage: Usage,
    /// What could not be asked, say.
    pub notes: Vec<String>,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether it can show more than ASCII.
    pub unicode: bool,
}

/// One line of the table.
pub(super) struct Row<'r> {
    pub id: &'r str,
    pub what: &'r str,
    pub guess: bool,
    pub before: Option<(Decimal, Decimal)>,
    pub after: Option<(Decimal, Decimal)>,
}

impl Report {
    /// What the stack costs in a few words.
    pub fn result(&self) -> String {
        let total = self.after.total(When::Running);
        let hour = range(total.hourly(), total.hourly_up_to(), 3);
        let month = range(total.monthly, total.monthly_up_to, 0);
        let without = match total.not_priced.len() {
            0 => String::new(),
            more => format!(", without {more} that have no price"),
        };
        format!("{hour} USD/h, {month} USD per month{without}")
    }

    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        let before = self.before.iter().flat_map(|before| &before.items).map(|item| (item, true));
        for (item, is_before) in self.after.items.iter().map(|item| (item, false)).chain(before) {
            let Some(monthly) = item.monthly(When::Running).filter(|_| item.running) else { continue };
            let at = rows.iter().position(|row| row.id == item.id && row.what == item.what);
            let at = at.unwrap_or_else(|| {
                let (id, what) = (item.id.as_str(), item.what.as_str());
                rows.push(Row { id, what, guess: item.guess, before: None, after: None });
                rows.len() - 1
            });
            match is_before {
                true => rows[at].before = Some(monthly),
                false => rows[at].after = Some(monthly),
            }
        }
        rows.sort_by_key(|row| TABLE.iter().position(|(kind, _)| row.id.split('.').next() == Some(*kind)));
        rows
    }

    /// The table, styled, with a chart where there is a terminal for one.
    pub fn to_text(&self, chart: Option<Chart>) -> String {
        let form = Form { width: chart.map(|chart| chart.width), verbose: false };
        let title = format!(
            "{} in {}: US dollars, on demand, without tax and free tier",
            paint(BOLD, plain::line(&self.stack)),
            plain::line(&self.region)
        );
        let mut out = format!("{}\n", form.wrap(&title, 2));
        out.push_str(&format!("{}\n", form.wrap(&paint(DIM, plain::line(&self.label())), 2)));
        out.push_str(&format!("\n{}", columns::amounts(form, &self.table())));
        for (title, lines) in self.lists() {
            out.push_str(&format!("\n{}\n", form.wrap(&paint(BOLD, title), 0)));
            let line = |line: &String| form.wrap(&format!("  {}", plain::line(line)), 4);
            out.extend(lines.iter().map(|one| format!("{}\n", line(one))));
        }
        if let Some(chart) = chart {
            out.push_str(&self.chart(chart));
        }
        out
    }

    pub(super) fn label(&self) -> String {
        match self.prices.label() {
            label if label.is_empty() => {
                format!("there are no built-in prices for {}: use --prices FILE or --live", self.region)
            }
            label => label,
        }
    }

    /// Whether what is there differs from what is wanted, so that both are shown.
    pub(super) fn differs(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            let amounts = |estimate: &Estimate| estimate.total(When::Running);
            amounts(before) != amounts(&self.after)
        })
    }

    fn table(&self) -> Vec<Vec<String>> {
        let both = self.differs();
        let mut head: Vec<String> = vec![String::new(), String::new()];
        head.extend(
            if both { vec!["now/h", "now/month", "after/h", "after/month"] } else { vec!["hour", "month"] }
                .into_iter()
                .map(String::from),
        );
        let cells = |amount: Option<(Decimal, Decimal)>| match amount {
            Some((least, most)) => {
                [range(least.part(1, HOURS), most.part(1, HOURS), 4), range(least, most, 2)]
            }
            None => ["-".to_string(), "-".to_string()],
        };
        let mut lines = vec![head];
        for row in self.rows() {
            let what = if row.guess { format!("{} (guess)", row.what) } else { row.what.to_string() };
            let mut line = vec![plain::line(row.id), plain::line(&what)];
            if both {
                line.extend(cells(row.before));
            }
            line.extend(cells(row.after.or(if both { None } else { row.before })));
            lines.push(line);
        }
        let total = |estimate: &Estimate| {
            let total = estimate.total(When::Running);
            Some((total.monthly, total.monthly_up_to))
        };
        let mut line = vec!["Total".to_string(), String::new()];
        if let (true, Some(before)) = (both, &self.before) {
            line.extend(cells(total(before)));
        }
        line.extend(cells(total(&self.after)));
        lines.push(line);
        lines
    }

    /// What stands beside the table: once, by use, without a price, after a pause, after a destroy.
    pub(super) fn lists(&self) -> Vec<(String, Vec<String>)> {
        let items = || self.after.items.iter();
        let mut lists = Vec::new();
        let once: Vec<String> = items()
            .filter_map(|item| match &item.price {
                Price::Once { at_most } => {
                    Some(format!("{}, {}: at most {}", item.id, item.what, at_most.rounded(2)))
                }
                _ => None,
            })
            .collect();
        lists.push(("Once".to_string(), once));
        let by_use = items().filter(|item| item.running).filter_map(|item| match &item.price {
            Price::ByUse { unit, per, guess } => {
                let unit = unit.map_or_else(|| "no price".into(), |unit| format!("{unit} per {per}"));
                Some(format!("{}, {}: {unit} ({guess})", item.id, item.what))
            }
            _ => None,
        });
        let title = "By use, not included; estimate with --usage NAME=NUMBER";
        lists.push((title.to_string(), by_use.collect()));
        let mut unknown: Vec<String> = Vec::new();
        let before = self.before.iter().flat_map(|before| &before.items);
        for item in items().chain(before) {
            if let Price::Unknown { why } = &item.price {
                let line = format!("{}, {}: {why}", item.id, item.what);
                if !unknown.contains(&line) {
                    unknown.push(line);
                }
            }
        }
        lists.push(("Not priced, not included".to_string(), unknown));
        for (title, when) in [("After pause", When::Paused), ("After destroy", When::Destroyed)] {
            let total = self.after.total(when);
            let (hour, month) = (total.hourly().rounded(4), total.monthly.rounded(2));
            let left = items().filter(|item| item.costs(when)).map(|item| {
                let amount = match (&item.price, item.monthly(when)) {
                    (_, Some((monthly, _))) => format!("{} per month", monthly.rounded(2)),
                    (Price::ByUse { unit: Some(unit), per, .. }, _) => format!("{unit} per {per}"),
                    _ => "no price".into(),
                };
                format!("{}, {}: {amount}", item.id, item.what)
            });
            let mut left: Vec<String> = left.collect();
            if left.is_empty() {
                left.push("nothing".into());
            }
            lists.push((format!("{title}: {hour} USD/h, {month} USD per month"), left));
        }
        if !self.usage.is_empty() {
            let guesses = self.usage.iter().map(|(name, number)| format!("{name}: {number}"));
            lists.push(("Guessed".to_string(), guesses.collect()));
        }
        let notes = self.after.notes.iter().chain(&self.notes).cloned().collect();
        lists.push(("Notes".to_string(), notes));
        lists.retain(|(_, lines)| !lines.is_empty());
        lists
    }

    /// The largest things of a month as bars.
    fn chart(&self, chart: Chart) -> String {
        let mut rows = self.rows();
        rows.retain(|row| row.after.is_some_and(|(_, most)| !most.is_zero()));
        rows.sort_by_key(|row| std::cmp::Reverse(row.after.map(|(least, most)| (most, least))));
        rows.truncate(BARS_MAX);
        let Some(largest) = rows.first().and_then(|row| row.after).map(|(_, most)| most) else {
            return String::new();
        };
        let label = |row: &Row<'_>| plain::line(&format!("{} {}", row.id, row.what));
        let amount =
            |row: &Row<'_>| row.after.map_or_else(String::new, |(least, most)| range(least, most, 2));
        let amounts = rows.iter().map(|row| amount(row).chars().count()).max().unwrap_or(0);
        // Two columns before, two between each, and what is left for names and bars.
        let room = chart.width.saturating_sub(amounts + 6);
        let names = rows.iter().map(|row| label(row).chars().count()).max().unwrap_or(0);
        let names = names.min(room.saturating_sub(BAR.0));
        let bar = room.saturating_sub(names).min(BAR.1);
        if names < 8 || bar < BAR.0 {
            return String::new();
        }
        let mut out = format!("\n{}\n", paint(BOLD, "Largest per month"));
        for row in &rows {
            let name = cut(&label(row), names);
            let length = |amount: Decimal| largest.share(amount, bar);
            let (least, most) = row.after.map_or((0, 0), |(least, most)| (length(least), length(most)));
            let (full, light) = if chart.unicode { ('█', '░') } else { ('#', '-') };
            let bar: String = (0..most.max(1)).map(|n| if n < least { full } else { light }).collect();
            let bar = if most == 0 { full.to_string() } else { bar };
            let padding = " ".repeat(names - name.chars().count());
            out.push_str(&format!("  {name}{padding}  {bar}  {}\n", amount(row)));
        }
        out
    }

    /// As GitHub's Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out =
            format!("### Cost of stack {} in {}\n\n", plain::code(&self.stack), plain::code(&self.region));
        out.push_str(&format!("**{}**; {}\n\n", self.result(), escape(&self.label())));
        let lines = self.table();
        for (n, line) in lines.iter().enumerate() {
            let cells: Vec<String> = line.iter().map(|cell| escape(cell)).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
            if n == 0 {
                let rules = (0..line.len()).map(|column| if column < 2 { " --- " } else { " ---: " });
                out.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
            }
        }
        for (title, lines) in self.lists() {
            out.push_str(&format!("\n#### {}\n\n", escape(&title)));
            out.extend(lines.iter().map(|line| format!("- {}\n", escape(line))));
        }
        out
    }

    /// As JSON: amounts of money are text.
    pub fn to_json(&self) -> String {
        let document = json!({
            "stack": self.stack,
            "region": self.region,
            "currency": "USD",
            "prices": self.prices,
            "usage": self.usage,
            "before": self.before.as_ref().map(estimate),
            "after": estimate(&self.after),
            "notes": self.after.notes.iter().chain(&self.notes).collect::<Vec<_>>(),
        });
        // Plain data: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        plain::json(&text)
    }
}

fn estimate(estimate: &Estimate) -> Value {
    let total = |when| {
        let total = estimate.total(when);
        json!({
            "hourly": total.hourly(),
            "hourly_up_to": total.hourly_up_to(),
            "monthly": total.monthly,
            "monthly_up_to": total.monthly_up_to,
            "not_priced": total.not_priced,
            "use_not_counted": total.use_not_counted,
        })
    };
    json!({
        "items": estimate.items.iter().map(item).collect::<Vec<_>>(),
        "running": total(When::Running),
        "after_pause": total(When::Paused),
        "after_destroy": total(When::Destroyed),
        "once_at_most": estimate.once(),
    })
}

fn item(item: &Item) -> Value {
    let basis = match &item.price {
        Price::Monthly { .. } if item.guess => "guess",
        Price::Monthly { .. } => "fixed",
        Price::Once { .. } => "once",
        Price::ByUse { .. } => "use",
        Price::Unknown { .. } => "not_priced",
    };
    let mut value = json!({
        "id": item.id,
        "what": item.what,
        "basis": basis,
        "running": item.running,
        "after_pause": item.paused,
        "after_destroy": item.destroyed,
    });
    match &item.price {
        Price::Monthly { usd, up_to } => {
            value["hourly"] = json!(usd.part(1, HOURS));
            value["monthly"] = json!(usd);
            value["monthly_up_to"] = json!(up_to);
        }
        Price::Once { at_most } => value["at_most"] = json!(at_most),
        Price::ByUse { unit, per, guess } => {
            value["unit_price"] = json!(unit);
            value["per"] = json!(per);
            value["guess"] = json!(guess);
        }
        Price::Unknown { why } => value["why"] = json!(why),
    }
    value
}
