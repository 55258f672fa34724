//! What is known of nucleotides without a network: the mean of what was measured, and ridge
//! regression on the letters of the sequence and its loops around each.

use mdsurrogate::Result;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::data::{Data, Measured, RNA};
use super::task::Rna;
use crate::ridge::{Sums, answer};

/// Nucleotides to either side that the regression sees.
const REACH: usize = 7;

/// Decays that are tried, and chosen among by the validation fold.
const DECAYS: [f64; 6] = [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];

/// A method without a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The mean of every column over the training folds.
    Mean,
    /// Ridge regression on a window.
    Ridge,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 2] = [Method::Mean, Method::Ridge];

    /// Its name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Method::Mean => "mean of the training folds",
            Method::Ridge => "ridge on the letters of 7 nucleotides to either side",
        }
    }

    /// The inputs of a nucleotide that are not zero, by number.
    fn inputs(self, measured: &Measured, at: usize) -> Vec<(usize, f64)> {
        let mut inputs = vec![(0, 1.0)];
        if self == Method::Mean {
            return inputs;
        }
        let [bases, loops] = [RNA.residues.len(), RNA.places.len()];
        for offset in 0..=2 * REACH {
            let place = (at + offset).checked_sub(REACH);
            if let Some([base, kind]) = place.and_then(|place| measured.letters.get(place)) {
                let first = 1 + offset * (bases + loops);
                inputs.push((first + usize::from(*base), 1.0));
                inputs.push((first + bases + usize::from(*kind), 1.0));
            }
        }
        inputs
    }

    fn width(self) -> usize {
        match self {
            Method::Mean => 1,
            Method::Ridge => 1 + (2 * REACH + 1) * (RNA.residues.len() + RNA.places.len()),
        }
    }

    /// Mean squared error of every column on the fold that is tested on.
    ///
    /// # Errors
    /// [`mdsurrogate::Error::Usage`] where no fold is left to train on.
    pub fn test(self, task: &Rna, data: &Data) -> Result<Vec<f64>> {
        let columns = task.columns.len();
        let training = data.of_folds(|fold| task.is_trained_on(fold));
        // columns may be measured at different nucleotides
        let sums_of = |column: usize| {
            let mut sums = Sums::new(self.width(), 1);
            for_all(data, &training, column, |measured, at, value| {
                sums.add(&self.inputs(measured, at), &[value]);
            });
            sums
        };
        let error = |weights: &DMatrix<f64>, numbers: &[usize], column: usize| {
            let mut sum = (0.0, 0.0);
            for_all(data, numbers, column, |measured, at, value| {
                let found = answer(weights, &self.inputs(measured, at))[0];
                sum = (sum.0 + (found - value).powi(2), sum.1 + 1.0);
            });
            sum.0 / sum.1
        };
        let validation = data.of_folds(|fold| fold == task.validated_on());
        let test = data.of_folds(|fold| fold == task.fold);
        let decays = match self {
            Method::Mean => &[0.0][..],
            Method::Ridge => &DECAYS[..],
        };
        let best = |column: usize| {
            let sums = sums_of(column);
            let all = decays.iter().filter_map(|&decay| sums.solve(decay));
            let judged = all.map(|weights| (error(&weights, &validation, column), weights));
            let best = judged.min_by(|a, b| a.0.total_cmp(&b.0));
            let (_, weights) = best.ok_or_else(|| {
                mdsurrogate::Error::usage(
                    "nothing was measured in the folds that are trained on",
                    "give more data",
                )
            })?;
            Ok(error(&weights, &test, column))
        };
        (0..columns).map(best).collect()
    }
}

/// Calls `each` with everything that was measured of a column of these RNAs.
fn for_all<'a>(
    data: &'a Data,
    numbers: &[usize],
    column: usize,
    mut each: impl FnMut(&'a Measured, usize, f64),
) {
    for &number in numbers {
        let measured = &data.all[number];
        for (at, row) in measured.targets.iter().enumerate() {
            if row[column].is_finite() {
                each(measured, at, row[column]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rna::task::View;
    use std::path::Path;

    /// The numbers of a Python script of a few lines: the mean, and the error of the mean.
    #[test]
    fn the_mean_is_what_python_says_and_ridge_is_better() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let data = Data::load(&folder.join("openvaccine_small.jsonl.gz"), None).unwrap();
        let task = Rna {
            data: data.hash.clone(),
            columns: data.columns.clone(),
            fold: 0,
            view: View::Sequence,
        };
        let mean = Method::Mean.test(&task, &data).unwrap();
        for (found, expected) in mean.iter().zip(MEAN) {
            assert!((found - expected).abs() <= 1e-9, "{found} {expected}");
        }
        let ridge = Method::Ridge.test(&task, &data).unwrap();
        println!("mean {mean:.4?}, ridge {ridge:.4?}");
        for (ridge, mean) in ridge.iter().zip(&mean) {
            assert!(ridge <= &(0.9 * mean), "{ridge} {mean}");
        }
    }

    /// Of reactivity, deg_Mg_pH10 and deg_Mg_50C.
    const MEAN: [f64; 3] = [0.24310334325680022, 0.3191714319932689, 0.26077364963194727];
}
