//! Dates and times as MySQL reads and writes them, in UTC.

use super::types::Kind;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// `2026-11-22 04:20:00` of milliseconds since the Unix epoch.
pub(crate) fn datetime(ms: u64) -> String {
    civil(ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(crate) fn date(ms: u64) -> String {
    civil(ms).strftime("%Y-%m-%d").to_string()
}

pub(crate) fn time(ms: u64) -> String {
    civil(ms).strftime("%H:%M:%S").to_string()
}

fn civil(ms: u64) -> DateTime {
    let at = Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).datetime()
}

/// The text in the type's own form, if it is a moment.
pub(crate) fn normal(kind: Kind, text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('Z');
    match kind {
        Kind::Date => {
            let day = text.split([' ', 'T']).next()?;
            day.parse::<Date>().ok().map(|date| date.to_string())
        }
        Kind::Time => {
            let clock = text.rsplit([' ', 'T']).next()?;
            clock.parse::<Time>().ok().map(|time| time.strftime("%H:%M:%S").to_string())
        }
        _ => {
            let moment = match text.parse::<DateTime>() {
                Ok(moment) => moment,
                Err(_) => text.parse::<Date>().ok()?.to_datetime(Time::midnight()),
            };
            Some(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
    }
}

/// What stands for a moment that is none.
pub(crate) fn zero(kind: Kind) -> &'static str {
    match kind {
        Kind::Date => "0000-00-00",
        Kind::Time => "00:00:00",
        _ => "0000-00-00 00:00:00",
    }
}
