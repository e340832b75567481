//! What every Describe does: choose by id and by filter, and hand out page after page.

use super::record::{Object, Tags, invalid, missing};
use super::state::Ec2;
use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What the filters can see of one object, by filter name; a name can have several values.
pub(super) type Facts = Vec<(&'static str, String)>;

/// How one Describe operation lists its objects.
pub(super) struct Listing {
    /// Request parameter with the ids.
    pub ids: &'static str,
    /// Element of the answer around the items.
    pub set: &'static str,
    /// The filters that there are, besides the tag filters.
    pub filters: &'static [&'static str],
    /// What MaxResults can be.
    pub pages: RangeInclusive<usize>,
}

/// One candidate of a listing.
pub(super) struct Row<'a, T> {
    pub id: String,
    pub facts: Facts,
    pub tags: &'a Tags,
    pub item: T,
}

impl Ec2 {
    /// Answers a Describe over `all`.
    pub(super) fn list<'a, T: Object + 'a>(
        &self,
        call: &Call,
        listing: &Listing,
        all: impl IntoIterator<Item = &'a T>,
        facts: impl Fn(&T) -> Facts,
        mut write: impl FnMut(&mut Xml, &T),
    ) -> Reply {
        let asked = call.params.list(listing.ids);
        let all: BTreeMap<&str, &T> = all
            .into_iter()
            .filter(|object| object.record().visible_at <= self.now)
            .map(|object| (object.id(), object))
            .collect();
        if let Some(unknown) = asked.iter().find(|id| !all.contains_key(id.as_str())) {
            return Err(missing::<T>(unknown));
        }
        let rows =
            all.into_values().filter(|object| asked.is_empty() || asked.iter().any(|id| id == object.id()));
        let rows = rows.map(|object| Row {
            id: object.id().to_string(),
            facts: facts(object),
            tags: &object.record().tags,
            item: object,
        });
        let (chosen, next) = select(call, listing, rows)?;
        let mut x = Xml::new();
        x.list(listing.set, "item", chosen, |x, object| write(x, object));
        x.optional("nextToken", next);
        Ok(x.into())
    }
}

/// The rows that the request's filters accept, one page of them, and the token of the next page.
/// The rows must come in the order of their ids.
pub(super) fn select<'a, T: 'a>(
    call: &Call,
    listing: &Listing,
    rows: impl IntoIterator<Item = Row<'a, T>>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let filters = call.params.filters();
    for (name, values) in &filters {
        if !listing.filters.contains(&name.as_str()) && !is_tag_filter(name) {
            return Err(invalid(format!("The filter '{name}' is invalid")));
        }
        if values.is_empty() {
            return Err(invalid(format!("The filter '{name}' must have at least one value")));
        }
    }
    let size = match call.params.get("MaxResults") {
        None => *listing.pages.end(),
        Some(text) => text.parse().ok().filter(|size| listing.pages.contains(size)).ok_or_else(|| {
            invalid(format!(
                "Value ( {text} ) for parameter maxResults is invalid. Expecting a value between {} and {}.",
                listing.pages.start(),
                listing.pages.end()
            ))
        })?,
    };
    let after = match call.params.get("NextToken") {
        None => None,
        Some(token) => Some(
            URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| Fault::bad("InvalidNextToken", format!("The token '{token}' is invalid")))?,
        ),
    };
    let mut chosen = Vec::new();
    let mut last = String::new();
    for row in rows {
        if after.as_ref().is_some_and(|after| row.id <= *after) || !accepted(&filters, &row) {
            continue;
        }
        if chosen.len() == size {
            return Ok((chosen, Some(URL_SAFE_NO_PAD.encode(last))));
        }
        last = row.id;
        chosen.push(row.item);
    }
    Ok((chosen, None))
}

fn is_tag_filter(name: &str) -> bool {
    name.starts_with("tag:") || matches!(name, "tag-key" | "tag-value")
}

/// All filters must match; one value of each is enough.
fn accepted<T>(filters: &BTreeMap<String, Vec<String>>, row: &Row<'_, T>) -> bool {
    filters.iter().all(|(name, patterns)| {
        let matches = |value: &str| patterns.iter().any(|pattern| like(pattern, value));
        match name.as_str() {
            "tag-key" => row.tags.keys().any(|key| matches(key)),
            "tag-value" => row.tags.values().any(|value| matches(value)),
            _ => match name.strip_prefix("tag:") {
                Some(key) => row.tags.get(key).is_some_and(|value| matches(value)),
                None => row.facts.iter().any(|(fact, value)| fact == name && matches(value)),
            },
        }
    })
}

/// Whether a filter's value matches: `*` is any text, `?` any one character.
fn like(pattern: &str, value: &str) -> bool {
    let (pattern, value): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
    // The usual two-pointer match: on a mismatch, let the last star swallow one character more.
    let (mut p, mut v, mut star) = (0, 0, None);
    while v < value.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, v));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == value[v]) {
            (p, v) = (p + 1, v + 1);
        } else if let Some((at, swallowed)) = star {
            star = Some((at, swallowed + 1));
            (p, v) = (at + 1, swallowed + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn wildcards() {
        assert!(like("com.amazonaws.*.s3", "com.amazonaws.us-east-1.s3"));
        assert!(like("*", "") && like("a?c", "abc") && like("a*b*c", "aXbYbZc"));
        assert!(!like("a?c", "ac") && !like("abc", "abcd") && !like("*.s3", "x.s3x"));
    }
}
