//! The only type that holds a secret.

/// A password. It cannot be printed, compared, cloned into a log or serialised; whoever needs the text
/// says so with [`SecretText::reveal`].
pub struct SecretText(String);

impl SecretText {
    pub fn new(text: String) -> SecretText {
        SecretText(text)
    }
    /// The text, for the one request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        // Best effort: the SDK keeps copies of its own while a request is on its way.
        let length = self.0.len();
        self.0.clear();
        self.0.extend(std::iter::repeat_n('\0', length));
    }
}
