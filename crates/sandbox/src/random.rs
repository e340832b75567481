//! The sandbox's only randomness, seeded and saved with the world, so that a seed replays.

use serde::{Deserialize, Serialize};

/// How lively the simulated AWS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Mood {
    /// Every duration at its median, nothing rare happens.
    #[default]
    Calm,
    /// Durations are drawn, things are late, rare events happen.
    Real,
    /// Everything is done when the answer arrives, as emulators have it.
    Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    state: u64,
    pub mood: Mood,
}

impl Random {
    pub fn new(seed: u64, mood: Mood) -> Random {
        // The golden-ratio multiplier spreads small seeds over the whole word; xorshift needs non-zero.
        Random { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, mood }
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability; never when calm.
    pub fn chance(&mut self, probability: f64) -> bool {
        let drawn = self.unit();
        self.mood == Mood::Real && drawn < probability
    }

    /// A duration in milliseconds, given its 10th, 50th and 90th percentile in **seconds**
    /// (fact book, section 8.2). Log-linear between the points, the median when calm, none when instant.
    pub fn duration(&mut self, p10: f64, p50: f64, p90: f64) -> u64 {
        let drawn = self.unit();
        let seconds = match self.mood {
            Mood::Instant => 0.0,
            Mood::Calm => p50,
            Mood::Real => {
                // Log-linear through (0.1, p10), (0.5, p50), (0.9, p90), extended to both sides.
                let low = (p10.max(0.05)).ln();
                let middle = (p50.max(0.05)).ln();
                let high = (p90.max(0.05)).ln();
                let exponent = if drawn < 0.5 {
                    low + (drawn - 0.1) / 0.4 * (middle - low)
                } else {
                    middle + (drawn - 0.5) / 0.4 * (high - middle)
                };
                exponent.exp()
            }
        };
        (seconds * 1000.0) as u64
    }

    /// The same, and never outside of these **seconds**, unless everything is instant.
    pub fn duration_within(&mut self, p10: f64, p50: f64, p90: f64, limits: (f64, f64)) -> u64 {
        let drawn = self.duration(p10, p50, p90);
        match self.mood {
            Mood::Instant => 0,
            _ => drawn.clamp((limits.0 * 1000.0) as u64, (limits.1 * 1000.0) as u64),
        }
    }

    /// `length` lower-case hexadecimal digits, as in EC2 ids.
    pub fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b"0123456789abcdef"[(self.draw() >> 40) as usize % 16])).collect()
    }

    /// `length` letters and digits, as in the suffix of a secret's ARN.
    pub fn letters(&mut self, length: usize) -> String {
        let set = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(set[(self.draw() >> 40) as usize % set.len()])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_hit_their_percentiles() {
        let mut random = Random::new(7, Mood::Real);
        let mut drawn: Vec<u64> = (0..20_000).map(|_| random.duration(95.0, 106.0, 125.0)).collect();
        drawn.sort_unstable();
        for (share, seconds) in [(0.1, 95.0), (0.5, 106.0), (0.9, 125.0)] {
            let got = drawn[(20_000.0 * share) as usize] as f64 / 1000.0;
            assert!((got - seconds).abs() < 1.5, "p{share}: {got}");
        }
    }

    #[test]
    fn same_seed_same_draws() {
        let (mut a, mut b) = (Random::new(3, Mood::Real), Random::new(3, Mood::Real));
        assert!((0..100).all(|_| a.draw() == b.draw()));
        assert_eq!(Random::new(3, Mood::Calm).hex(8).len(), 8);
    }
}
