//! GetRandomPassword.

use super::input::{Answer, invalid_parameter, text};
use crate::call::Call;
use crate::random::Random;
use serde_json::{Value, json};

const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A password of the asked length from the types of character that are not excluded, with at least one of
/// each type unless `RequireEachIncludedType` is false.
pub(super) fn generate(call: &Call, random: &mut Random) -> Answer {
    let flag = |name: &str| call.json.get(name).and_then(Value::as_bool);
    let length = match call.json.get("PasswordLength") {
        None | Some(Value::Null) => 32,
        Some(length) => length
            .as_u64()
            .filter(|length| (1..=4096).contains(length))
            .ok_or_else(|| invalid_parameter("PasswordLength must be between 1 and 4096."))?,
    } as usize;
    let excluded = text(call, "ExcludeCharacters").unwrap_or_default();
    let types: Vec<Vec<char>> = [
        ("abcdefghijklmnopqrstuvwxyz", flag("ExcludeLowercase") != Some(true)),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", flag("ExcludeUppercase") != Some(true)),
        ("0123456789", flag("ExcludeNumbers") != Some(true)),
        (PUNCTUATION, flag("ExcludePunctuation") != Some(true)),
        (" ", flag("IncludeSpace") == Some(true)),
    ]
    .into_iter()
    .filter(|(_, included)| *included)
    .map(|(set, _)| set.chars().filter(|c| !excluded.contains(*c)).collect())
    .filter(|set: &Vec<char>| !set.is_empty())
    .collect();
    let all: Vec<char> = types.concat();
    if all.is_empty() {
        return Err(invalid_parameter("No characters are left to make a password of."));
    }
    let each = flag("RequireEachIncludedType") != Some(false);
    if each && length < types.len() {
        return Err(invalid_parameter(
            "The password length is too short for the required types of characters.",
        ));
    }
    let mut below = |n: usize| (random.draw() >> 33) as usize % n;
    let mut password: Vec<char> = (0..length).map(|_| all[below(all.len())]).collect();
    if each {
        // One of each type at the front, then a shuffle.
        for (place, set) in types.iter().enumerate() {
            password[place] = set[below(set.len())];
        }
        for place in (1..length).rev() {
            password.swap(place, below(place + 1));
        }
    }
    Ok(json!({"RandomPassword": password.into_iter().collect::<String>()}))
}
