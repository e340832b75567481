//! Fitting a small linear model by gradient steps, and how good it is. The same rows give the same weights: nothing is
//! drawn.

use super::learned::{Answer, Scores, score, sigmoid};

/// Rows that are fitted on, evenly spaced among all.
const ROWS_MAX: usize = 800;
/// Steps at most; more rounds would change nothing that a test could see.
const STEPS_MAX: u64 = 40;

/// Rows of numbers, and what is to be learned of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Vec<f64>>,
    pub(super) labels: Vec<f64>,
}

impl Table {
    pub(super) fn columns(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }
}

/// How to fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitting {
    /// Step size, 0 to 1.
    pub(super) eta: f64,
    pub(super) rounds: u64,
    /// Pull to zero.
    pub(super) lambda: f64,
    /// Classes to tell apart: labels are 0, 1, … One of them is a number to hit, or two classes.
    pub(super) classes: usize,
    pub(super) logistic: bool,
}

/// Mean and deviation of each column.
fn standards(rows: &[&Vec<f64>], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let count = rows.len().max(1) as f64;
    let column = |at: usize| rows.iter().map(move |row| row[at]);
    let means: Vec<f64> = (0..columns).map(|at| column(at).sum::<f64>() / count).collect();
    let deviation = |at: usize| {
        let variance = column(at).map(|value| (value - means[at]).powi(2)).sum::<f64>() / count;
        if variance > 1e-12 { variance.sqrt() } else { 1.0 }
    };
    let scales = (0..columns).map(deviation).collect();
    (means, scales)
}

pub(super) fn fit(table: &Table, how: Fitting, answer: Answer) -> Scores {
    let every = table.rows.len().div_ceil(ROWS_MAX).max(1);
    let rows: Vec<&Vec<f64>> = table.rows.iter().step_by(every).collect();
    let labels: Vec<f64> = table.labels.iter().copied().step_by(every).collect();
    let columns = table.columns();
    let (means, scales) = standards(&rows, columns);
    let mut scores = Scores { means, scales, classes: Vec::new(), answer };
    let values: Vec<Vec<f64>> = rows.iter().map(|row| scores.standardised(row)).collect();
    let lines = if how.classes > 2 { how.classes } else { 1 };
    for class in 0..lines {
        let target: Vec<f64> = match lines {
            1 => labels.clone(),
            _ => labels.iter().map(|label| f64::from(*label == class as f64)).collect(),
        };
        scores.classes.push(line(&values, &target, columns, how));
    }
    scores
}

/// One line of weights, and the bias last.
fn line(values: &[Vec<f64>], target: &[f64], columns: usize, how: Fitting) -> Vec<f64> {
    let count = target.len().max(1) as f64;
    let mean = target.iter().sum::<f64>() / count;
    let mut line = vec![0.0; columns + 1];
    line[columns] = match how.logistic {
        true => (mean.clamp(0.001, 0.999) / (1.0 - mean.clamp(0.001, 0.999))).ln(),
        false => mean,
    };
    // Small enough to converge whatever the columns have in common.
    let step = if how.logistic { 4.0 } else { 1.0 } / (columns + 1) as f64 * (0.3 + 0.7 * how.eta);
    for _ in 0..how.rounds.min(STEPS_MAX) {
        let mut slope = vec![0.0; columns + 1];
        for (row, target) in values.iter().zip(target) {
            let score = score(&line, row);
            let miss = if how.logistic { sigmoid(score) } else { score } - target;
            for (slope, value) in slope.iter_mut().zip(row) {
                *slope += miss * value;
            }
            slope[columns] += miss;
        }
        for (at, (weight, slope)) in line.iter_mut().zip(&slope).enumerate() {
            let pull = if at < columns { how.lambda * *weight } else { 0.0 };
            *weight -= step * (slope + pull) / count;
        }
    }
    line
}

/// The share of pairs of a positive and a negative row that the scores put in the right order.
pub(super) fn auc(labels: &[f64], scores: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut ranks, mut at) = (0.0, 0);
    while at < order.len() {
        let tie = order[at..].iter().take_while(|other| scores[**other] == scores[order[at]]).count();
        let rank = at as f64 + (tie as f64 + 1.0) / 2.0;
        ranks += rank * order[at..at + tie].iter().filter(|row| labels[**row] > 0.5).count() as f64;
        at += tie;
    }
    let positive = labels.iter().filter(|label| **label > 0.5).count() as f64;
    let negative = labels.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 {
        return 0.5;
    }
    (ranks - positive * (positive + 1.0) / 2.0) / (positive * negative)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count == 0.0 { 0.0 } else { sum / count }
}

/// A measure of the fit on a table, by its name in lower case, as XGBoost and Autopilot call them.
pub(super) fn measure(name: &str, scores: &Scores, table: &Table, classes: usize) -> Option<f64> {
    let every = table.rows.len().div_ceil(2 * ROWS_MAX).max(1);
    let rows: Vec<&Vec<f64>> = table.rows.iter().step_by(every).collect();
    let labels: Vec<f64> = table.labels.iter().copied().step_by(every).collect();
    let misses = || rows.iter().zip(&labels).map(|(row, label)| scores.score(row) - label);
    let guesses: Vec<f64> = rows.iter().map(|row| scores.class(row).0 as f64).collect();
    // Precision and recall of one class.
    let of_class = |class: usize| {
        let class = class as f64;
        let hits =
            guesses.iter().zip(&labels).filter(|(guess, label)| **guess == class && **label == class).count();
        let guessed = guesses.iter().filter(|guess| **guess == class).count().max(1);
        let real = labels.iter().filter(|label| **label == class).count().max(1);
        (hits as f64 / guessed as f64, hits as f64 / real as f64)
    };
    let f1 = |(precision, recall): (f64, f64)| match precision + recall {
        0.0 => 0.0,
        sum => 2.0 * precision * recall / sum,
    };
    let accuracy = || mean(guesses.iter().zip(&labels).map(|(guess, label)| f64::from(guess == label)));
    let all = 0..classes.max(2);
    Some(match name {
        "auc" | "aucpr" => auc(&labels, &rows.iter().map(|row| scores.score(row)).collect::<Vec<_>>()),
        "logloss" | "mlogloss" => mean(rows.iter().zip(&labels).map(|(row, label)| {
            let right = if *label > 0.5 { scores.probability(row) } else { 1.0 - scores.probability(row) };
            -right.max(1e-15).ln()
        })),
        "error" | "merror" => 1.0 - accuracy(),
        "accuracy" => accuracy(),
        "balancedaccuracy" | "recallmacro" => mean(all.map(|class| of_class(class).1)),
        "f1" => f1(of_class(1)),
        "f1macro" => mean(all.map(|class| f1(of_class(class)))),
        "precision" => of_class(1).0,
        "precisionmacro" => mean(all.map(|class| of_class(class).0)),
        "recall" => of_class(1).1,
        "mse" => mean(misses().map(|miss| miss * miss)),
        "rmse" => mean(misses().map(|miss| miss * miss)).sqrt(),
        "mae" => mean(misses().map(f64::abs)),
        "r2" => {
            let middle = mean(labels.iter().copied());
            let spread = mean(labels.iter().map(|label| (label - middle).powi(2)));
            1.0 - mean(misses().map(|miss| miss * miss)) / spread.max(1e-12)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose label is decided by the first of two columns.
    fn table() -> Table {
        let rows: Vec<Vec<f64>> = (0..400).map(|n| vec![f64::from(n % 20), f64::from(n % 7)]).collect();
        let labels = rows.iter().map(|row| f64::from(row[0] > 12.0)).collect();
        Table { rows, labels }
    }

    fn how(rounds: u64) -> Fitting {
        Fitting { eta: 0.3, rounds, lambda: 1.0, classes: 2, logistic: true }
    }

    #[test]
    fn what_decides_is_found() {
        let table = table();
        let scores = fit(&table, how(40), Answer::Probability);
        assert_eq!(measure("auc", &scores, &table, 2), Some(1.0));
        assert!(scores.probability(&[19.0, 0.0]) > 0.7, "{}", scores.probability(&[19.0, 0.0]));
        assert!(scores.probability(&[2.0, 6.0]) < 0.2, "{}", scores.probability(&[2.0, 6.0]));
        let little = fit(&table, how(1), Answer::Probability);
        let loss = |scores: &Scores| measure("logloss", scores, &table, 2).unwrap();
        assert!(loss(&scores) < loss(&little), "more rounds, less loss");
        assert_eq!(measure("map", &scores, &table, 2), None);
    }

    #[test]
    fn classes_and_numbers() {
        let rows: Vec<Vec<f64>> =
            (0..300).map(|n| vec![f64::from(n % 3 == 0), f64::from(n % 3 == 1)]).collect();
        let labels: Vec<f64> = (0..300).map(|n| f64::from(n % 3)).collect();
        let table = Table { rows, labels };
        let three = fit(&table, Fitting { classes: 3, ..how(40) }, Answer::Class);
        assert_eq!(measure("accuracy", &three, &table, 3), Some(1.0));
        let number = fit(&table, Fitting { classes: 1, logistic: false, ..how(40) }, Answer::Number);
        assert!(measure("r2", &number, &table, 1).unwrap() > 0.9);
    }

    #[test]
    fn ties_count_half() {
        assert_eq!(auc(&[0.0, 1.0, 0.0, 1.0], &[0.1, 0.9, 0.2, 0.8]), 1.0);
        assert_eq!(auc(&[0.0, 1.0], &[0.5, 0.5]), 0.5);
        assert_eq!(auc(&[1.0, 0.0], &[0.1, 0.9]), 0.0);
    }
}
