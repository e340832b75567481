//! The only type that holds a secret.

use zeroize::Zeroizing;

/// A password. It cannot be printed, compared, cloned into a log or serialised; whoever needs the text
/// says so with [`SecretText::reveal`]. Its memory is overwritten when it goes; the SDK keeps copies of its own while
/// a request is on its way.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    pub fn new(text: String) -> SecretText {
        SecretText(Zeroizing::new(text))
    }
    /// The text, for the one request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That the type overwrites its memory is zeroize's promise; that ours is such a type is checked here.
    #[test]
    fn a_secret_is_overwritten_when_it_goes() {
        fn overwritten(_: &impl zeroize::ZeroizeOnDrop) {}
        let secret = SecretText::new("C4nary".into());
        overwritten(&secret.0);
        assert_eq!(secret.reveal(), "C4nary");
    }
}
