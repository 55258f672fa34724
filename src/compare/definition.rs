//! What a measure is, its value beside its floor, and the words for how they compare.

use serde::Serialize;

use super::statistics::{interval, median};

/// Which way is good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Better {
    /// A distance: 0 is the same.
    #[default]
    Lower,
    /// A likeness: 1 is the same.
    Higher,
}

/// How a measure compares with its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No farther from the reference than 97.5 % of MD runs.
    Within,
    /// Farther, but one of so many measures may be.
    Near,
    /// Farther than any measure of 95 % of MD runs.
    Outside,
}

impl Verdict {
    /// The verdict as a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Within => "within",
            Verdict::Near => "near",
            Verdict::Outside => "outside",
        }
    }
}

/// What a measure is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// Its name in files: `torsion_jsd`.
    pub name: &'static str,
    /// Its name in the report.
    pub label: &'static str,
    /// Unit of its value; empty for none.
    pub unit: &'static str,
    /// Definition and source, in a sentence.
    pub source: &'static str,
    /// Which way is good.
    pub better: Better,
    /// Differences smaller than this are of no concern, whatever the floor.
    pub tolerance: f64,
}

impl Definition {
    /// A value, or what it can be at most: draws are set farther than they are, and a divergence
    /// beyond ln 2 would be none.
    pub(super) fn bounded(&self, value: f64) -> f64 {
        match (self.better, self.name) {
            (Better::Higher, "rmsf_r") => value.max(-1.0),
            (Better::Higher, _) => value.max(0.0),
            (_, name) if name.ends_with("_jsd") => value.min(std::f64::consts::LN_2),
            (_, "well_share" | "contacts" | "valid_fraction" | "secondary_structure") => {
                value.min(1.0)
            }
            _ => value,
        }
    }
}

/// A measure's value beside its floor.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Measure {
    /// See [`Definition::name`].
    pub name: String,
    /// See [`Definition::label`].
    pub label: String,
    /// See [`Definition::unit`].
    pub unit: String,
    /// The measure between run and reference; none where it cannot be computed.
    pub value: Option<f64>,
    /// What MD of the run's length gives: the median of the draws.
    pub floor: Option<f64>,
    /// 2.5 % quantile of the draws.
    pub low: Option<f64>,
    /// 97.5 % quantile of the draws.
    pub high: Option<f64>,
    /// How far a measure may be so that 95 % of MD runs have none of their measures farther: see
    /// [`super::verdict::judge_together`]. For a likeness, how low it may be.
    pub edge: Option<f64>,
    /// How it compares.
    pub verdict: Option<Verdict>,
    /// The measure for tenths of the reference against the rest of it: what MD gives for a tenth of
    /// the cost.
    pub tenth: Option<f64>,
    /// For measures that compare one number: what it is in the run.
    pub run: Option<f64>,
    /// Its standard error, from the run's own blocks.
    pub run_error: Option<f64>,
    /// The number in the reference.
    pub reference: Option<f64>,
    /// Its standard error.
    pub reference_error: Option<f64>,
    /// See [`Definition::tolerance`].
    pub tolerance: f64,
    /// See [`Definition::source`].
    pub source: String,
    /// The draws.
    #[serde(skip)]
    pub draws: Vec<f64>,
    /// See [`Definition::better`].
    #[serde(skip)]
    pub better: Better,
    /// The worst that it may be called: within where the run differs to the good side (fewer
    /// clashes than the reference has).
    #[serde(skip)]
    pub cap: Option<Verdict>,
}

impl Measure {
    /// A measure with its value and nothing to hold it against.
    pub fn bare(definition: &Definition, value: f64) -> Self {
        Measure {
            name: definition.name.into(),
            label: definition.label.into(),
            unit: definition.unit.into(),
            source: definition.source.into(),
            value: finite(value),
            tolerance: definition.tolerance,
            better: definition.better,
            ..Measure::default()
        }
    }

    /// A measure with its value among the draws.
    pub fn among(definition: &Definition, value: f64, draws: Vec<f64>) -> Self {
        let (low, high) = interval(&draws);
        Measure {
            floor: finite(median(&draws)),
            low: finite(low),
            high: finite(high),
            draws,
            ..Measure::bare(definition, value)
        }
    }
}

pub(super) fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}
