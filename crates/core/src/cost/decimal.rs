//! Numbers with nine digits behind the point: amounts of money, prices and quantities. No floating point, so that a sum
//! is the sum of its parts.

use serde::{Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// Digits behind the point: a second of serverless inference costs a few millionths of a dollar.
const DIGITS: u32 = 9;
const ONE: i128 = 10_i128.pow(DIGITS);
/// Digits that are read of a number.
const DIGITS_READ: usize = 30;

/// A number from zero to about nine thousand million, in thousand-millionths. What goes beyond stays at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    pub const ZERO: Decimal = Decimal(0);

    pub fn whole(number: u32) -> Decimal {
        Decimal::of(i128::from(number) * ONE)
    }

    fn of(parts: i128) -> Decimal {
        Decimal(parts.max(0).try_into().unwrap_or(i64::MAX))
    }

    /// Reads `0.26`, `12` or `3.5e-7`. What stands behind the ninth digit is rounded; nothing is below zero.
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{part}");
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || digits.len() > DIGITS_READ || exponent.abs() > 30 {
            return None;
        }
        let digits: i128 = digits.parse().ok()?;
        let places = i32::try_from(DIGITS).ok()? + exponent - i32::try_from(part.len()).ok()?;
        let factor = 10_i128.checked_pow(places.unsigned_abs());
        let parts = match (places >= 0, factor) {
            (true, factor) => digits.checked_mul(factor?)?,
            (false, Some(factor)) => (digits + factor / 2) / factor,
            (false, None) => 0,
        };
        i64::try_from(parts).ok().map(Decimal)
    }

    /// The product, rounded.
    #[must_use]
    pub fn times(self, other: Decimal) -> Decimal {
        Decimal::of((i128::from(self.0) * i128::from(other.0) + ONE / 2) / ONE)
    }

    /// A part of it, rounded; of a whole of nothing, nothing.
    #[must_use]
    pub fn part(self, number: u32, of: u32) -> Decimal {
        match i128::from(of) {
            0 => Decimal::ZERO,
            of => Decimal::of((i128::from(self.0) * i128::from(number) + of / 2) / of),
        }
    }

    /// How many of `columns` another number takes if this one takes all, rounded.
    pub fn share(self, of: Decimal, columns: usize) -> usize {
        let columns = i128::try_from(columns).unwrap_or(0);
        match i128::from(self.0) {
            0 => 0,
            whole => usize::try_from((i128::from(of.0) * columns + whole / 2) / whole).unwrap_or(0),
        }
    }

    pub fn is_zero(self) -> bool {
        self == Decimal::ZERO
    }

    /// With so many digits behind the point, rounded, at most nine.
    pub fn rounded(self, digits: u32) -> String {
        let digits = digits.min(DIGITS);
        let unit = 10_i128.pow(DIGITS - digits);
        let parts = (i128::from(self.0) + unit / 2) / unit;
        let one = 10_i128.pow(digits);
        match digits {
            0 => parts.to_string(),
            digits => format!("{}.{:0width$}", parts / one, parts % one, width = digits as usize),
        }
    }
}

impl Add for Decimal {
    type Output = Decimal;
    fn add(self, other: Decimal) -> Decimal {
        Decimal(self.0.saturating_add(other.0))
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Decimal>>(numbers: I) -> Decimal {
        numbers.fold(Decimal::ZERO, Add::add)
    }
}

/// All of it, without zeros at the end.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.rounded(DIGITS);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// As text: a number of JSON is a floating point number to most who read it.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written() {
        for (text, written) in [
            ("0.26", "0.26"),
            ("12", "12"),
            (".5", "0.5"),
            ("0.2600000000", "0.26"),
            ("3.5e-7", "0.00000035"),
            ("0.0000166667", "0.000016667"),
            ("0.0000000004", "0"),
            ("1e3", "1000"),
            ("9000000000", "9000000000"),
        ] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(written), "{text}");
        }
        for text in ["", ".", "-1", "1,5", "0x1", "1e", "NaN", "1e40", "10000000000", "1.2.3"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let most = Decimal(i64::MAX);
        assert_eq!(most + most, most);
        assert_eq!(most.times(most), most);
        assert_eq!(Decimal::whole(1).part(1, 0), Decimal::ZERO);
    }

    #[test]
    fn what_is_shown_is_rounded() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(number("0.4764").rounded(3), "0.476");
        assert_eq!(number("0.4765").rounded(3), "0.477");
        assert_eq!(number("346.75").rounded(0), "347");
        assert_eq!(number("0.26").times(Decimal::whole(730)).rounded(2), "189.80");
    }
}
