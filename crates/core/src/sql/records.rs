//! Counts the records of CSV as it arrives, with nothing kept of it.

/// Counts records of RFC 4180: a line end within quotes ends none.
#[derive(Clone, Debug, Default)]
pub struct Records {
    ended: u64,
    quoted: bool,
    begun: bool,
}

impl Records {
    pub fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                // Two quotes within quotes are one: out and in again.
                b'"' => (self.quoted, self.begun) = (!self.quoted, true),
                b'\n' if !self.quoted => {
                    self.ended += 1;
                    self.begun = false;
                }
                b'\r' if !self.quoted => {}
                _ => self.begun = true,
            }
        }
    }

    /// How many there were; the last one needs no line end.
    pub fn count(&self) -> u64 {
        self.ended + u64::from(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_however_they_arrive() {
        let csv = b"a,b\r\n\"x\ny\",2\n\"say \"\"hi\"\"\n\",3";
        for size in 1..=csv.len() {
            let mut records = Records::default();
            csv.chunks(size).for_each(|part| records.take(part));
            assert_eq!(records.count(), 3, "{size}");
        }
        assert_eq!(Records::default().count(), 0);
        let mut one = Records::default();
        one.take(b"1\n");
        assert_eq!(one.count(), 1);
    }
}
