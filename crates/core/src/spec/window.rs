//! Times of the week at which the database may be interrupted.

use crate::base::counted;
use std::fmt;

const MINUTES_OF_DAY: u64 = 24 * 60;
const MINUTES_OF_WEEK: u64 = 7 * MINUTES_OF_DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The shortest window that AWS takes for its own maintenance; a restart of a few members needs as much.
const MINUTES_MIN: u64 = 30;

/// A window in UTC, written as AWS writes its own: once a week (`sun:03:00-sun:05:00`, as
/// PreferredMaintenanceWindow) or every day (`03:00-05:00`, as PreferredBackupWindow).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Minutes since Monday, or since midnight if it is open every day.
    start: u64,
    /// Minutes.
    length: u64,
    daily: bool,
}

impl Window {
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Window, String> {
        let text = text.trim().to_ascii_lowercase();
        let (start, end) = text.split_once('-').ok_or("the `-` between start and end is missing")?;
        let (start, end) = (Moment::parse(start)?, Moment::parse(end)?);
        let (start, end, round) = match (start, end) {
            (Moment { day: Some(a), minute: x }, Moment { day: Some(b), minute: y }) => {
                (a * MINUTES_OF_DAY + x, b * MINUTES_OF_DAY + y, MINUTES_OF_WEEK)
            }
            (Moment { day: None, minute: x }, Moment { day: None, minute: y }) => (x, y, MINUTES_OF_DAY),
            _ => return Err("only one side has a day".into()),
        };
        let length = (end + round - start) % round;
        if length < MINUTES_MIN {
            return Err(format!("it has {}, and the minimum is {MINUTES_MIN}", counted(length, "minute")));
        }
        Ok(Window { start, length, daily: round == MINUTES_OF_DAY })
    }

    /// Seconds from now until it closes, if it is open; times are seconds since the Unix epoch.
    pub fn open_for(&self, now: u64) -> Option<u64> {
        let since = self.since_opening(now);
        (since < self.length * 60).then(|| self.length * 60 - since)
    }

    /// When it opens next, in seconds since the Unix epoch.
    pub fn opens_at(&self, now: u64) -> u64 {
        now + self.round() * 60 - self.since_opening(now)
    }

    fn round(&self) -> u64 {
        if self.daily { MINUTES_OF_DAY } else { MINUTES_OF_WEEK }
    }

    /// Seconds since it opened last.
    fn since_opening(&self, now: u64) -> u64 {
        // The Unix epoch was a Thursday.
        let into_week = (now + 3 * MINUTES_OF_DAY * 60) % (MINUTES_OF_WEEK * 60);
        let round = self.round() * 60;
        (into_week % round + round - self.start * 60) % round
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = |minutes: u64| {
            let (day, minute) = (minutes / MINUTES_OF_DAY, minutes % MINUTES_OF_DAY);
            let time = format!("{:02}:{:02}", minute / 60, minute % 60);
            match self.daily {
                true => time,
                false => format!("{}:{time}", DAYS[usize::try_from(day).unwrap_or(0) % 7]),
            }
        };
        write!(f, "{}-{} UTC", moment(self.start), moment((self.start + self.length) % self.round()))
    }
}

/// `sun:03:00` or `03:00`.
struct Moment {
    day: Option<u64>,
    minute: u64,
}

impl Moment {
    fn parse(text: &str) -> Result<Moment, String> {
        let wrong = || format!("`{}` is not a time such as `sun:03:00` or `03:00`", text.trim());
        let parts: Vec<&str> = text.trim().split(':').collect();
        let (day, hours, minutes) = match parts.as_slice() {
            [hours, minutes] => (None, hours, minutes),
            [day, hours, minutes] => {
                let found = DAYS.iter().position(|name| name == day).ok_or_else(wrong)?;
                (Some(found as u64), hours, minutes)
            }
            _ => return Err(wrong()),
        };
        let number = |text: &str, below: u64| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|number| digits && *number < below)
        };
        match (number(hours, 24), number(minutes, 60)) {
            (Some(hours), Some(minutes)) => Ok(Moment { day, minute: hours * 60 + minutes }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 10:00 UTC, a Saturday.
    const SATURDAY: u64 = 1_795_255_200;

    #[test]
    fn once_a_week() {
        let window = Window::parse("sun:03:00-sun:05:00").unwrap();
        assert_eq!(window.open_for(SATURDAY), None);
        assert_eq!(window.opens_at(SATURDAY), SATURDAY + 17 * 3600);
        assert_eq!(window.open_for(SATURDAY + 17 * 3600), Some(7200));
        assert_eq!(window.open_for(SATURDAY + 19 * 3600 - 1), Some(1));
        assert_eq!(window.open_for(SATURDAY + 19 * 3600), None);
        assert_eq!(window.to_string(), "sun:03:00-sun:05:00 UTC");
    }

    #[test]
    fn over_midnight() {
        let window = Window::parse("23:30-00:30").unwrap();
        let midnight = SATURDAY + 14 * 3600;
        assert_eq!(window.open_for(midnight), Some(1800));
        assert_eq!(window.open_for(midnight - 1801), None);
        assert_eq!(window.opens_at(midnight - 1801), midnight - 1800);
        let window = Window::parse("Sat:22:00-Mon:01:00").unwrap();
        assert_eq!(window.open_for(midnight), Some(25 * 3600));
        assert_eq!(window.opens_at(midnight), midnight + 7 * 86_400 - 2 * 3600);
    }

    #[test]
    fn what_is_no_window() {
        for text in ["", "03:00", "3:00-5:00", "03:00-sun:05:00", "son:03:00-son:05:00", "24:00-01:00"] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
        assert!(Window::parse("03:00-03:10").unwrap_err().contains("10 minutes"));
        assert!(Window::parse("03:00-03:00").is_err());
    }
}
