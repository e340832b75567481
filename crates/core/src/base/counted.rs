//! A number with what it counts.

use std::fmt::Display;

/// `1 file`, `2 files`: the thing is named as one, `entry` and `address` included.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, thing: &str) -> String {
    if count == N::from(1) {
        return format!("{count} {thing}");
    }
    let plural = match thing.strip_suffix('y') {
        Some(stem) if !thing.ends_with(['a', 'e', 'o']) && !stem.ends_with(['a', 'e', 'o', 'u']) => {
            format!("{stem}ies")
        }
        _ if thing.ends_with(['s', 'x']) || thing.ends_with("ch") => format!("{thing}es"),
        _ => format!("{thing}s"),
    };
    format!("{count} {plural}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_not_many() {
        for (text, expected) in [
            (counted(1_u8, "file"), "1 file"),
            (counted(0_usize, "file"), "0 files"),
            (counted(2_i64, "object version"), "2 object versions"),
            (counted(21_u64, "row"), "21 rows"),
            (counted(2_u32, "entry"), "2 entries"),
            (counted(2_u32, "day"), "2 days"),
            (counted(3_u32, "free address"), "3 free addresses"),
            (counted(1.0_f64, "time"), "1 time"),
            (counted(0.5_f64, "time"), "0.5 times"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
