//! What Autopilot makes of a table: columns, labels, a model that grows with its steps, and how good it is.

use super::csv;
use super::fit::{Fitting, Table, fit, measure};
use super::learned::{Answer, Column, Learned, Scores};
use std::collections::BTreeMap;

/// "A minimum of 500 rows is required for the training dataset" (CreateAutoMLJobV2, AutoMLJobInputDataConfig).
const ROWS_MIN: usize = 500;
/// Rows that are read.
const ROWS_MAX: usize = 20_000;
/// Values of a column of texts that are told apart.
const VALUES_MAX: usize = 500;
/// Classes: the default limit of multiclass classification.
const CLASSES_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Binary,
    Multiclass,
    Regression,
}

impl Problem {
    pub(super) fn of(name: &str) -> Problem {
        match name {
            "MulticlassClassification" => Problem::Multiclass,
            "Regression" => Problem::Regression,
            _ => Problem::Binary,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Problem::Binary => "BinaryClassification",
            Problem::Multiclass => "MulticlassClassification",
            Problem::Regression => "Regression",
        }
    }

    /// What is optimised unless the request says: "AutoMLJobObjective" of the API reference.
    pub(super) fn objective(self) -> &'static str {
        match self {
            Problem::Binary => "F1",
            Problem::Multiclass => "Accuracy",
            Problem::Regression => "MSE",
        }
    }
}

/// A table that has been analysed.
pub(super) struct Analysed {
    pub(super) problem: Problem,
    pub(super) columns: Vec<Column>,
    pub(super) labels: Vec<String>,
    training: Table,
    validation: Table,
}

/// Header and rows of the files, each of which has the header.
fn read(files: &[(&str, String)]) -> (Vec<String>, Vec<Vec<String>>) {
    let (mut header, mut rows) = (Vec::new(), Vec::new());
    for (_, text) in files {
        let mut lines = csv::rows(text);
        header = lines.next().unwrap_or_default();
        rows.extend(lines.take(ROWS_MAX.saturating_sub(rows.len())));
    }
    (header, rows)
}

/// The kind of a column, from its texts and what was to be learned of each.
fn column(texts: &[&str], targets: &[f64]) -> Column {
    let numbers: Vec<f64> = texts.iter().filter_map(|text| text.trim().parse().ok()).collect();
    if numbers.len() * 10 >= texts.len() * 9 {
        return Column::Number { otherwise: numbers.iter().sum::<f64>() / numbers.len().max(1) as f64 };
    }
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (text, target) in texts.iter().zip(targets) {
        if sums.len() >= VALUES_MAX && !sums.contains_key(*text) {
            continue;
        }
        let sum = sums.entry((*text).to_string()).or_default();
        *sum = (sum.0 + target, sum.1 + 1.0);
    }
    let otherwise = targets.iter().sum::<f64>() / targets.len().max(1) as f64;
    // Rare values say little: they are pulled to the middle.
    let values = sums
        .into_iter()
        .map(|(text, (sum, count))| (text, (sum + 5.0 * otherwise) / (count + 5.0)))
        .collect();
    Column::Text { values, otherwise }
}

/// Analyses the files.
///
/// # Errors
/// The FailureReason. The cases are those of the developer guide ("Autopilot problem types", "datasets"); wording is
/// believed.
pub(super) fn analyse(
    files: &[(&str, String)],
    target: &str,
    problem: Option<Problem>,
) -> Result<Analysed, String> {
    let (header, rows) = read(files);
    let Some(at) = header.iter().position(|name| name.trim() == target) else {
        return Err(format!(
            "ClientError: The target attribute '{target}' is not among the columns of the dataset: {}",
            csv::line(&header)
        ));
    };
    if rows.len() < ROWS_MIN {
        let rows = rows.len();
        return Err(format!(
            "ClientError: The dataset has {rows} rows. A minimum of {ROWS_MIN} rows is required for the training dataset."
        ));
    }
    if let Some(bad) = rows.iter().position(|row| row.len() != header.len()) {
        let (line, has, wants) = (bad + 2, rows[bad].len(), header.len());
        return Err(format!("ClientError: Row {line} of the dataset has {has} columns, its header {wants}."));
    }
    let texts: Vec<&str> = rows.iter().map(|row| row[at].trim()).collect();
    let mut labels: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    labels.sort();
    labels.dedup();
    let numeric = texts.iter().all(|text| text.parse::<f64>().is_ok());
    let problem = problem.unwrap_or(match labels.len() {
        0..=2 => Problem::Binary,
        3..=20 => Problem::Multiclass,
        _ if numeric => Problem::Regression,
        _ => Problem::Multiclass,
    });
    let count = labels.len();
    match problem {
        Problem::Binary if count != 2 => {
            return Err(format!(
                "ClientError: Binary classification needs 2 values of '{target}'; the dataset has {count}."
            ));
        }
        Problem::Multiclass if !(3..=CLASSES_MAX).contains(&count) => {
            return Err(format!(
                "ClientError: Multiclass classification needs 3 to {CLASSES_MAX} values of '{target}'; the dataset has {count}."
            ));
        }
        Problem::Regression if !numeric => {
            return Err(format!("ClientError: Regression needs numbers in '{target}'."));
        }
        _ => {}
    }
    let value = |text: &&str| match problem {
        Problem::Regression => text.parse().unwrap_or_default(),
        _ => labels.iter().position(|label| label == text).unwrap_or_default() as f64,
    };
    let targets: Vec<f64> = texts.iter().map(value).collect();
    let others = || (0..header.len()).filter(|column| *column != at);
    let columns: Vec<Column> = others()
        .map(|other| column(&rows.iter().map(|row| row[other].as_str()).collect::<Vec<_>>(), &targets))
        .collect();
    let (mut training, mut validation) = (Table::default(), Table::default());
    for (n, row) in rows.iter().enumerate() {
        let numbers = others().zip(&columns).map(|(other, column)| column.number(&row[other])).collect();
        // "80% for training and 20% for validation" (DataSplitConfig); every fifth row, so that nothing is drawn.
        let table = if n % 5 == 4 { &mut validation } else { &mut training };
        table.rows.push(numbers);
        table.labels.push(targets[n]);
    }
    Ok(Analysed { problem, columns, labels, training, validation })
}

impl Analysed {
    fn classes(&self) -> usize {
        match self.problem {
            Problem::Regression => 1,
            _ => self.labels.len(),
        }
    }

    /// The `n`-th candidate's model: later ones have taken more steps.
    pub(super) fn scores(&self, n: u64) -> Scores {
        let (answer, logistic) = match self.problem {
            Problem::Regression => (Answer::Number, false),
            _ => (Answer::Selected, true),
        };
        let classes = self.classes();
        let how = Fitting {
            eta: 0.2 + 0.1 * (n % 7) as f64,
            rounds: 5 + 7 * (n % 6),
            lambda: 1.0,
            classes,
            logistic,
        };
        fit(&self.training, how, answer)
    }

    /// A metric of a model by its name in the API, on the rows that it was not fitted on.
    pub(super) fn metric(&self, name: &str, scores: &Scores) -> f64 {
        let value =
            measure(&name.to_ascii_lowercase(), scores, &self.validation, self.classes()).unwrap_or_default();
        (value * 1e5).round() / 1e5
    }

    /// The data processor, which goes before the model and, for classes, after it.
    pub(super) fn processor(&self) -> Learned {
        Learned::Processor { columns: self.columns.clone(), labels: self.labels.clone() }
    }

    /// Everything in one container.
    pub(super) fn ensemble(&self, scores: Scores) -> Learned {
        let mut steps = vec![Learned::Encoder { columns: self.columns.clone() }, Learned::Scores(scores)];
        if self.problem != Problem::Regression {
            steps.push(Learned::Labels { labels: self.labels.clone() });
        }
        Learned::Chain { steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: usize) -> Vec<(&'static str, String)> {
        let row = |n: usize| {
            format!(
                "{},{},{}\n",
                ["KS", "OH", "NJ"][n % 3],
                n % 10,
                if n % 10 > 7 { "True." } else { "False." }
            )
        };
        vec![("p/a.csv", format!("State,Calls,Churn\n{}", (0..rows).map(row).collect::<String>()))]
    }

    #[test]
    fn a_table_is_understood() {
        let analysed = analyse(&text(600), "Churn", None).unwrap();
        assert_eq!((analysed.problem, analysed.columns.len()), (Problem::Binary, 2));
        assert_eq!(analysed.labels, ["False.", "True."]);
        assert!(analysed.metric("AUC", &analysed.scores(5)) > 0.99);
        assert_eq!(analysed.validation.rows.len(), 120);
    }

    #[test]
    fn refusals() {
        let why =
            |rows, target: &str, problem| analyse(&text(rows), target, problem).err().unwrap_or_default();
        assert!(why(499, "Churn", None).contains("has 499 rows"));
        assert!(
            why(600, "churn", None)
                .contains("'churn' is not among the columns of the dataset: State,Calls,Churn")
        );
        assert!(why(600, "Churn", Some(Problem::Regression)).contains("needs numbers"));
        assert!(why(600, "State", Some(Problem::Binary)).contains("has 3"));
    }
}
