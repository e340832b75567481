//! Simulated Comprehend: the sentiment of short texts, by a small rule on words.
//!
//! Facts: botocore's model of comprehend; Comprehend Developer Guide, "Guidelines and quotas" (5 KB a text, 25 texts a
//! batch). The rule is the sandbox's own; the same text always has the same answer.

use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde_json::{Value, json};

const TEXT_BYTES_MAX: usize = 5_000;
const BATCH_MAX: usize = 25;
pub(crate) const LANGUAGES: [&str; 12] =
    ["en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW"];

const POSITIVE: [&str; 24] = [
    "amazing",
    "appreciate",
    "awesome",
    "best",
    "brilliant",
    "delighted",
    "excellent",
    "fantastic",
    "glad",
    "good",
    "great",
    "happy",
    "helped",
    "helpful",
    "impressed",
    "love",
    "nice",
    "perfect",
    "pleased",
    "resolved",
    "resolving",
    "thank",
    "thanks",
    "wonderful",
];
const NEGATIVE: [&str; 30] = [
    "angry",
    "annoyed",
    "annoying",
    "awful",
    "bad",
    "broken",
    "complain",
    "disappointed",
    "disappointing",
    "dishonest",
    "extra",
    "failed",
    "frustrated",
    "furious",
    "hate",
    "horrible",
    "idiots",
    "morons",
    "overcharged",
    "poor",
    "rude",
    "stinks",
    "stupid",
    "terrible",
    "unacceptable",
    "unhappy",
    "upset",
    "useless",
    "worst",
    "wrong",
];
const NOT: [&str; 8] = ["not", "no", "never", "cannot", "don't", "isn't", "wasn't", "hardly"];

/// What a text sounds like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sentiment {
    pub name: &'static str,
    pub positive: f64,
    pub negative: f64,
    pub neutral: f64,
    pub mixed: f64,
}

impl Sentiment {
    /// How sure it is.
    pub fn confidence(&self) -> f64 {
        self.positive.max(self.negative).max(self.neutral).max(self.mixed)
    }
}

/// The sentiment of a text.
pub(crate) fn sentiment(text: &str) -> Sentiment {
    let lower = text.to_lowercase().replace('’', "'");
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()).collect();
    let (mut good, mut bad) = (0_u32, 0_u32);
    for (at, word) in words.iter().enumerate() {
        let turned = words[at.saturating_sub(3)..at].iter().any(|before| NOT.contains(before));
        match (POSITIVE.contains(word), NEGATIVE.contains(word), turned) {
            (true, _, false) | (_, true, true) => good += 1,
            (_, true, false) | (true, _, true) => bad += 1,
            _ => {}
        }
    }
    // A little of the text itself, so that not all are equally sure.
    let spread = lower.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let doubt = f64::from(spread % 1_000) / 1_000.0;
    let (name, hits) = match (good, bad) {
        (0, 0) => ("NEUTRAL", 1),
        (good, bad) if good > 0 && bad > 0 && good.abs_diff(bad) < 2 => ("MIXED", good + bad),
        (good, bad) if good > bad => ("POSITIVE", good - bad),
        (good, bad) => ("NEGATIVE", bad - good),
    };
    let rest = (0.02 + 0.1 * doubt) / f64::from(1 + hits * hits);
    let share = |of: &str| if of == name { 1.0 - rest } else { rest / 3.0 };
    Sentiment {
        name,
        positive: share("POSITIVE"),
        negative: share("NEGATIVE"),
        neutral: share("NEUTRAL"),
        mixed: share("MIXED"),
    }
}

fn described(text: &str) -> Value {
    let found = sentiment(text);
    json!({
        "Sentiment": found.name,
        "SentimentScore": {
            "Positive": found.positive,
            "Negative": found.negative,
            "Neutral": found.neutral,
            "Mixed": found.mixed,
        },
    })
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidRequestException", text)
}

fn check_language(call: &Call) -> Result<(), Fault> {
    let language = call.json["LanguageCode"].as_str().unwrap_or_default();
    if LANGUAGES.contains(&language) {
        return Ok(());
    }
    Err(Fault::bad(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{language}' at 'languageCode' failed to satisfy constraint: Member must \
             satisfy enum value set: [{}]",
            LANGUAGES.join(", ")
        ),
    ))
}

pub(crate) fn handle(call: &Call) -> Reply {
    match call.operation.as_str() {
        "DetectSentiment" => {
            check_language(call)?;
            let text = call.json["Text"].as_str().unwrap_or_default();
            if text.is_empty() {
                return Err(invalid(
                    "Value '' at 'text' failed to satisfy constraint: Member must have length greater than or equal to 1",
                ));
            }
            if text.len() > TEXT_BYTES_MAX {
                return Err(Fault::bad(
                    "TextSizeLimitExceededException",
                    "Input text size exceeds limit. Max length of request text allowed is 5000 bytes",
                ));
            }
            Ok(described(text).into())
        }
        "BatchDetectSentiment" => {
            check_language(call)?;
            let texts = call.json["TextList"].as_array().filter(|texts| !texts.is_empty());
            let texts = texts.ok_or_else(|| invalid("TextList must have at least one document"))?;
            if texts.len() > BATCH_MAX {
                let text =
                    format!("The number of documents in the request exceeds the limit of {BATCH_MAX}.");
                return Err(Fault::bad("BatchSizeLimitExceededException", text));
            }
            let (mut results, mut errors) = (Vec::new(), Vec::new());
            for (at, text) in texts.iter().enumerate() {
                let text = text.as_str().unwrap_or_default();
                if text.is_empty() {
                    return Err(invalid("TextList: each document must have at least one character"));
                }
                if text.len() > TEXT_BYTES_MAX {
                    let code = "TEXT_SIZE_LIMIT_EXCEEDED";
                    let message =
                        format!("The text has {} bytes; 1 to {TEXT_BYTES_MAX} are allowed.", text.len());
                    errors.push(json!({"Index": at, "ErrorCode": code, "ErrorMessage": message}));
                    continue;
                }
                let mut one = described(text);
                one["Index"] = json!(at);
                results.push(one);
            }
            Ok(json!({"ResultList": results, "ErrorList": errors}).into())
        }
        _ => Err(call.unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_articles_sentences_come_out_as_in_the_article() {
        let positive = sentiment("Thank you very much for resolving the issues with my bill!");
        assert!(positive.name == "POSITIVE" && positive.confidence() > 0.97, "{positive:?}");
        assert_eq!(sentiment("You morons! You charged me extra again!").name, "NEGATIVE");
        assert_eq!(sentiment("How do I dial Morocco?").name, "NEUTRAL");
    }

    #[test]
    fn words_turn_what_follows_them() {
        assert_eq!(sentiment("This is not good").name, "NEGATIVE");
        assert_eq!(sentiment("Your product is bad, but your support is great.").name, "MIXED");
        for text in ["", "good", "bad bad", "x y z"] {
            let found = sentiment(text);
            let sum = found.positive + found.negative + found.neutral + found.mixed;
            assert!((sum - 1.0).abs() < 1e-9 && found.confidence() > 0.9, "{found:?}");
        }
    }
}
