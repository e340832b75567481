//! What a simulated job has learned, and what a container answers with it. A job writes it into its `model.tar.gz`, and
//! whoever deploys that archive serves it: nothing else connects the two.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;

/// The file in the archive that holds it.
const FILE: &str = "sandbox-model.json";
/// Bytes of that file that are read at most.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Files of an archive that are looked at.
const FILES_MAX: usize = 1000;

/// Variables of a container.
pub(super) type Environment = BTreeMap<String, String>;

/// One step from a row to an answer; a pipeline has several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Learned {
    /// Texts and numbers in, numbers out.
    Encoder { columns: Vec<Column> },
    /// Numbers in, what the objective says out: XGBoost.
    Scores(Scores),
    /// A class in, its label out.
    Labels { labels: Vec<String> },
    /// One of the two before, as AUTOML_TRANSFORM_MODE says: Autopilot's data processor.
    Processor { columns: Vec<Column>, labels: Vec<String> },
    /// All of that in one container: Autopilot's ensembles.
    Chain { steps: Vec<Learned> },
}

/// How a column becomes a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "column", rename_all = "snake_case")]
pub enum Column {
    Number {
        /// For what is missing or no number.
        otherwise: f64,
    },
    Text {
        values: BTreeMap<String, f64>,
        otherwise: f64,
    },
}

/// A linear score for each class over standardised numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    pub means: Vec<f64>,
    pub scales: Vec<f64>,
    /// Weights and, last, the bias: one line, or one for each of several classes.
    pub classes: Vec<Vec<f64>>,
    pub answer: Answer,
}

/// What comes of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Number,
    Probability,
    /// The number of the class.
    Class,
    Probabilities,
    /// Those of `predicted_label`, `probability`, `probabilities`, `labels` that SAGEMAKER_INFERENCE_OUTPUT names.
    Selected,
}

/// Standardised values beyond this say no more: one outlier must not decide alone.
const REACH: f64 = 4.0;

pub(super) fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score.clamp(-40.0, 40.0)).exp())
}

/// A number as containers print it.
pub(super) fn number(value: f64) -> String {
    format!("{}", (value * 1e9).round() / 1e9)
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

impl Scores {
    /// The score of each class for standardised values.
    pub(super) fn standardised(&self, numbers: &[f64]) -> Vec<f64> {
        let scaled = numbers.iter().zip(&self.means).zip(&self.scales);
        scaled.map(|((value, mean), scale)| ((value - mean) / scale).clamp(-REACH, REACH)).collect()
    }

    fn probabilities(&self, numbers: &[f64]) -> Vec<f64> {
        let values = self.standardised(numbers);
        let scores: Vec<f64> = self.classes.iter().map(|line| score(line, &values)).collect();
        match scores.as_slice() {
            [one] => vec![1.0 - sigmoid(*one), sigmoid(*one)],
            many => {
                let odds: Vec<f64> = many.iter().map(|score| sigmoid(*score)).collect();
                let all: f64 = odds.iter().sum();
                odds.iter().map(|odd| odd / all).collect()
            }
        }
    }

    pub(super) fn score(&self, numbers: &[f64]) -> f64 {
        self.classes.first().map_or(0.0, |line| score(line, &self.standardised(numbers)))
    }

    pub(super) fn probability(&self, numbers: &[f64]) -> f64 {
        sigmoid(self.score(numbers))
    }

    /// The likeliest class and its probability.
    pub(super) fn class(&self, numbers: &[f64]) -> (usize, f64) {
        let best =
            |best: (usize, f64), (class, odd): (usize, f64)| if odd > best.1 { (class, odd) } else { best };
        self.probabilities(numbers).into_iter().enumerate().fold((0, f64::MIN), best)
    }

    fn apply(&self, row: &[String], environment: &Environment) -> Result<Vec<String>, String> {
        let columns = self.means.len();
        if row.len() != columns {
            return Err(format!(
                "Unable to evaluate payload provided: Feature shape mismatch, expected: {columns}, got {}",
                row.len()
            ));
        }
        let mut numbers = Vec::with_capacity(columns);
        for (text, mean) in row.iter().zip(&self.means) {
            // XGBoost takes an empty field for a missing value.
            numbers.push(match text.trim() {
                "" => *mean,
                text => text.parse::<f64>().map_err(|_| {
                    format!(
                        "Loading csv data failed with Exception, please ensure data is in csv format: could not \
                         convert string to float: '{text}'"
                    )
                })?,
            });
        }
        Ok(match self.answer {
            Answer::Number => vec![number(self.score(&numbers))],
            Answer::Probability => vec![number(self.probability(&numbers))],
            Answer::Class => vec![format!("{}.0", self.class(&numbers).0)],
            Answer::Probabilities => vec![list(self.probabilities(&numbers).into_iter().map(number))],
            Answer::Selected => {
                let selected =
                    environment.get("SAGEMAKER_INFERENCE_OUTPUT").map_or("predicted_label", String::as_str);
                let (class, odds) = self.class(&numbers);
                // "The probability of the True class for binary classification. The probability of the winning class
                // for multiclass classification" (developer guide, "Configure inference output").
                let probability = if self.classes.len() == 1 { self.probability(&numbers) } else { odds };
                let value = |key: &str| match key.trim() {
                    "predicted_label" => Ok(class.to_string()),
                    "probability" => Ok(number(probability)),
                    "probabilities" => Ok(list(self.probabilities(&numbers).into_iter().map(number))),
                    "labels" => {
                        Ok(list((0..self.probabilities(&numbers).len()).map(|class| class.to_string())))
                    }
                    other => Err(format!("Unsupported inference output {other}")),
                };
                selected.split(',').map(value).collect::<Result<_, _>>()?
            }
        })
    }
}

pub(super) fn score(line: &[f64], values: &[f64]) -> f64 {
    let bias = line.last().copied().unwrap_or_default();
    line.iter().zip(values).map(|(weight, value)| weight * value).sum::<f64>() + bias
}

/// The columns as numbers.
fn encode(columns: &[Column], row: &[String]) -> Result<Vec<String>, String> {
    if row.len() != columns.len() {
        return Err(format!("Expected {} columns of input, got {}", columns.len(), row.len()));
    }
    Ok(columns.iter().zip(row).map(|(column, text)| column.number(text).to_string()).collect())
}

/// The labels for what a step before them has answered, under the names of SAGEMAKER_INFERENCE_INPUT.
fn decode(labels: &[String], row: &[String], environment: &Environment) -> Result<Vec<String>, String> {
    let setting = |name: &str| environment.get(name).map_or("predicted_label", String::as_str);
    let input: Vec<&str> = setting("SAGEMAKER_INFERENCE_INPUT").split(',').map(str::trim).collect();
    if input.len() != row.len() {
        return Err(format!(
            "Expected {} columns of input ({}), got {}",
            input.len(),
            input.join(","),
            row.len()
        ));
    }
    let value = |key: &str| {
        if key == "labels" {
            return Ok(list(labels.iter().map(|label| format!("'{label}'"))));
        }
        let at = input.iter().position(|name| *name == key);
        let given = at.map(|at| row[at].as_str()).ok_or_else(|| format!("No {key} in the input"))?;
        match key {
            "predicted_label" => {
                let label = given.trim().parse::<usize>().ok().and_then(|class| labels.get(class));
                label.cloned().ok_or_else(|| format!("{given} is no class"))
            }
            _ => Ok(given.to_string()),
        }
    };
    setting("SAGEMAKER_INFERENCE_OUTPUT").split(',').map(|key| value(key.trim())).collect()
}

impl Column {
    pub(super) fn number(&self, text: &str) -> f64 {
        match self {
            Column::Number { otherwise } => {
                text.trim().parse().ok().filter(|n: &f64| n.is_finite()).unwrap_or(*otherwise)
            }
            Column::Text { values, otherwise } => values.get(text).copied().unwrap_or(*otherwise),
        }
    }
}

impl Learned {
    /// What the container answers for one row, or what is wrong with the row.
    pub(super) fn apply(&self, row: &[String], environment: &Environment) -> Result<Vec<String>, String> {
        match self {
            Learned::Scores(scores) => scores.apply(row, environment),
            Learned::Labels { labels } => decode(labels, row, environment),
            Learned::Encoder { columns } => encode(columns, row),
            Learned::Processor { columns, labels } => {
                match environment.get("AUTOML_TRANSFORM_MODE").map(String::as_str) {
                    Some("inverse-label-transform") => decode(labels, row, environment),
                    _ => encode(columns, row),
                }
            }
            Learned::Chain { steps } => {
                let output = environment.get("SAGEMAKER_INFERENCE_OUTPUT").cloned();
                let mut inner = Environment::new();
                if let Some(output) = output {
                    // Between the steps nobody needs the names of the labels.
                    let keys: Vec<&str> =
                        output.split(',').map(str::trim).filter(|key| *key != "labels").collect();
                    inner.insert("SAGEMAKER_INFERENCE_INPUT".into(), keys.join(","));
                    inner.insert("SAGEMAKER_INFERENCE_OUTPUT".into(), output);
                }
                let mut row = row.to_vec();
                for step in steps {
                    let mut environment = inner.clone();
                    if matches!(step, Learned::Scores(_))
                        && let Some(input) = inner.get("SAGEMAKER_INFERENCE_INPUT")
                    {
                        environment.insert("SAGEMAKER_INFERENCE_OUTPUT".into(), input.clone());
                    }
                    row = step.apply(&row, &environment)?;
                }
                Ok(row)
            }
        }
    }

    /// As a `model.tar.gz`: the same bytes for the same content.
    pub(super) fn archive(&self) -> Vec<u8> {
        let content = serde_json::to_vec(self).unwrap_or_default();
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        // Writing into memory cannot fail.
        let _ = archive.append_data(&mut header, FILE, content.as_slice());
        archive.into_inner().and_then(GzEncoder::finish).unwrap_or_default()
    }

    /// What a job of the sandbox put into an archive; of other archives it knows nothing.
    pub(super) fn read(archive: &[u8]) -> Option<Learned> {
        let mut archive = tar::Archive::new(GzDecoder::new(archive));
        for entry in archive.entries().ok()?.take(FILES_MAX) {
            let entry = entry.ok()?;
            if entry.path().ok()?.to_str() == Some(FILE) {
                let mut content = Vec::new();
                entry.take(FILE_BYTES_MAX).read_to_end(&mut content).ok()?;
                return serde_json::from_slice(&content).ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(answer: Answer) -> Scores {
        Scores { means: vec![1.0, 0.0], scales: vec![2.0, 1.0], classes: vec![vec![1.0, -1.0, 0.5]], answer }
    }

    fn apply(learned: &Learned, row: &[&str], environment: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let environment =
            environment.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        learned.apply(&row.iter().map(|field| field.to_string()).collect::<Vec<_>>(), &environment)
    }

    #[test]
    fn an_archive_gives_back_what_was_put_in() {
        let learned = Learned::Scores(scores(Answer::Probability));
        assert_eq!(Learned::read(&learned.archive()), Some(learned.clone()));
        assert_eq!(learned.archive(), learned.archive());
        assert_eq!(Learned::read(b"no archive"), None);
    }

    #[test]
    fn a_score_becomes_what_the_objective_says() {
        let answer = |answer| apply(&Learned::Scores(scores(answer)), &["3", "0"], &[]).unwrap();
        assert_eq!(answer(Answer::Number), ["1.5"]);
        assert_eq!(answer(Answer::Probability), ["0.817574476"]);
        assert_eq!(answer(Answer::Class), ["1.0"]);
        assert_eq!(answer(Answer::Selected), ["1"]);
        let wrong = apply(&Learned::Scores(scores(Answer::Number)), &["3"], &[]).unwrap_err();
        assert!(wrong.contains("expected: 2, got 1"), "{wrong}");
        let text = apply(&Learned::Scores(scores(Answer::Number)), &["3", "KS"], &[]).unwrap_err();
        assert!(text.contains("could not convert string to float: 'KS'"), "{text}");
    }

    #[test]
    fn a_chain_answers_the_columns_that_are_asked_for() {
        let values = BTreeMap::from([("yes".to_string(), 3.0)]);
        let columns = vec![Column::Text { values, otherwise: 0.0 }, Column::Number { otherwise: 0.0 }];
        let labels = Learned::Labels { labels: vec!["False.".into(), "True.".into()] };
        let steps = vec![Learned::Encoder { columns }, Learned::Scores(scores(Answer::Selected)), labels];
        let chain = Learned::Chain { steps };
        assert_eq!(apply(&chain, &["yes", "?"], &[]).unwrap(), ["True."]);
        assert_eq!(apply(&chain, &["no", "2"], &[]).unwrap(), ["False."]);
        let output = [("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label,probability,labels")];
        let answer = apply(&chain, &["yes", "0"], &output).unwrap();
        assert_eq!(answer, ["True.", "0.817574476", "['False.', 'True.']"]);
    }
}
