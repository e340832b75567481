//! Maintenance windows.

const DAY_MS: u64 = 24 * 3_600_000;

/// The next time at or after `now` when a window such as `sun:05:00-sun:05:30` (UTC) opens.
pub(super) fn next_window(window: &str, now: u64) -> u64 {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = days.iter().position(|day| window.starts_with(day)).unwrap_or(6) as u64;
    let number = |range: std::ops::Range<usize>| window.get(range).and_then(|n| n.parse::<u64>().ok());
    let minutes = number(4..6).unwrap_or(5) * 60 + number(7..9).unwrap_or(0);
    // The Unix epoch was a Thursday.
    let today = (now / DAY_MS + 3) % 7;
    let midnight = now / DAY_MS * DAY_MS;
    let opens = midnight + (day + 7 - today) % 7 * DAY_MS + minutes * 60_000;
    if opens < now { opens + 7 * DAY_MS } else { opens }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_open_weekly() {
        // BIRTH_MS is a Friday, midnight.
        let birth = crate::account::BIRTH_MS;
        assert_eq!(next_window("fri:00:00-fri:00:30", birth), birth);
        assert_eq!(next_window("fri:00:00-fri:00:30", birth + 1), birth + 7 * DAY_MS);
        assert_eq!(next_window("sun:05:30-sun:06:00", birth), birth + 2 * DAY_MS + 330 * 60_000);
        assert_eq!(next_window("thu:01:00-thu:01:30", birth), birth + 6 * DAY_MS + 60 * 60_000);
    }
}
