//! What all List operations have in common: filters, order, pages.

use super::answers::{invalid, present};
use super::input::{Input, constraint};
use crate::call::Call;
use crate::wire::{Fault, Reply};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Rows in one page when the request does not say: "This value defaults to 10" (ListEndpoints).
const PAGE_DEFAULT: u64 = 10;

/// How an operation sorts when the request does not say.
pub(super) struct Order {
    by: &'static str,
    descending: bool,
}

/// Newest first: models, endpoint configurations, endpoints, jobs.
pub(super) const BY_TIME: Order = Order { by: "CreationTime", descending: true };
/// Oldest first: lifecycle configurations, whose documentation names no order.
pub(super) const BY_TIME_ASCENDING: Order = Order { by: "CreationTime", descending: false };
/// By name: notebook instances.
pub(super) const BY_NAME: Order = Order { by: "Name", descending: false };

/// One resource in a listing.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    /// Milliseconds since the Unix epoch.
    pub(super) created: u64,
    /// Milliseconds since the Unix epoch.
    pub(super) modified: u64,
    /// Empty for what has no status.
    pub(super) status: &'a str,
    pub(super) summary: Value,
}

/// The page of `rows` that the call asks for, under the member `member`.
pub(super) fn page(call: &Call, member: &str, order: &Order, mut rows: Vec<Row<'_>>) -> Reply {
    let input = Input::of(call);
    let max = input.integer("MaxResults", 1..=100)?.unwrap_or(PAGE_DEFAULT) as usize;
    let by =
        input.choice("SortBy", &["Name", "CreationTime", "LastModifiedTime", "Status"])?.unwrap_or(order.by);
    let descending = input
        .choice("SortOrder", &["Ascending", "Descending"])?
        .map_or(order.descending, |o| o == "Descending");
    let name_part = input.text("NameContains")?.unwrap_or_default().to_ascii_lowercase();
    let status = input.text("StatusEquals")?;
    let after = input.text("NextToken")?.map(decode).transpose()?;
    let mut bounds = Vec::new();
    for (name, is_modified, is_upper) in [
        ("CreationTimeAfter", false, false),
        ("CreationTimeBefore", false, true),
        ("LastModifiedTimeAfter", true, false),
        ("LastModifiedTimeBefore", true, true),
    ] {
        if let Some(seconds) = input.number(name)? {
            bounds.push((is_modified, is_upper, seconds * 1000.0));
        }
    }
    rows.retain(|row| {
        let in_bounds = bounds.iter().all(|&(is_modified, is_upper, bound)| {
            let time = if is_modified { row.modified } else { row.created } as f64;
            if is_upper { time < bound } else { time > bound }
        });
        in_bounds
            && row.name.to_ascii_lowercase().contains(&name_part)
            && status.is_none_or(|status| row.status == status)
    });
    // Times have a fixed width, so that texts sort as the times do; the name makes keys unique.
    let key = |row: &Row<'_>| match by {
        "Name" => row.name.to_string(),
        "Status" => format!("{} {}", row.status, row.name),
        "LastModifiedTime" => format!("{:020} {}", row.modified, row.name),
        _ => format!("{:020} {}", row.created, row.name),
    };
    let mut rows: Vec<(String, Value)> = rows.into_iter().map(|row| (key(&row), row.summary)).collect();
    rows.sort_by(|(a, _), (b, _)| if descending { b.cmp(a) } else { a.cmp(b) });
    if let Some(after) = after {
        rows.retain(|(key, _)| if descending { *key < after } else { *key > after });
    }
    let next = (rows.len() > max).then(|| URL_SAFE_NO_PAD.encode(&rows[max - 1].0));
    let page: Vec<Value> = rows.into_iter().take(max).map(|(_, summary)| summary).collect();
    Ok(present(json!({ member: page, "NextToken": next })))
}

fn decode(token: &str) -> Result<String, Fault> {
    if token.len() > 8192 {
        return Err(constraint("NextToken", token.len(), "have length less than or equal to 8192"));
    }
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| invalid("Invalid NextToken"))
}
