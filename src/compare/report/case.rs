//! What came out of one molecule that a model was tried on.

use serde::Serialize;

use super::table::{floor, number, title};
use crate::compare::floor::Measure;
use crate::compare::rollout::Outcome;
use crate::compare::verdict::Verdict;

/// One molecule that a model was tried on.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// Its name in the list of cases.
    pub name: String,
    /// What is to be known of it: where the reference comes from, whether the model has seen it.
    pub note: String,
    /// What came out.
    pub outcome: Outcome,
}

impl CaseReport {
    pub(super) fn measure(&self, name: &str) -> Option<&Measure> {
        self.outcome
            .measures
            .iter()
            .find(|measure| measure.name == name)
    }

    /// Titles of the measures with a verdict.
    pub(super) fn with(&self, verdict: Verdict) -> Vec<&str> {
        self.outcome
            .measures
            .iter()
            .filter(|measure| measure.verdict == Some(verdict))
            .map(|measure| measure.label.as_str())
            .collect()
    }

    /// Number of measures with a verdict.
    pub(super) fn judged(&self) -> usize {
        let measures = self.outcome.measures.iter();
        measures.filter(|measure| measure.verdict.is_some()).count()
    }

    /// Share of valid frames; none where no frame was judged.
    pub(super) fn valid(&self) -> Option<f64> {
        let fifths = &self.outcome.valid_by_fifth;
        let share = fifths.iter().sum::<f64>() / fifths.len() as f64;
        Some(share).filter(|share| share.is_finite())
    }

    /// Jumps that were drawn again as a share of all.
    pub(super) fn redrawn(&self) -> f64 {
        let Outcome {
            redrawn,
            chains,
            jumps,
            ..
        } = self.outcome;
        redrawn as f64 / (chains * jumps) as f64
    }
}

/// All measures of a case: a row a measure.
pub fn measures_of(case: &CaseReport) -> Vec<Vec<String>> {
    let heads = [
        "measure",
        "model",
        "MD",
        "value",
        "floor (95 %)",
        "MD, a tenth",
        "verdict",
    ]
    .map(str::to_owned);
    let row = |m: &Measure| {
        let verdict = m.verdict.map_or("", Verdict::word).to_owned();
        let [run, reference, value, tenth] = [m.run, m.reference, m.value, m.tenth].map(number);
        vec![title(m), run, reference, value, floor(m), tenth, verdict]
    };
    std::iter::once(heads.to_vec())
        .chain(case.outcome.measures.iter().map(row))
        .collect()
}
