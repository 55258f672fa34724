//! Largest and slowest motions: where the run lies in the planes that they span.

use crate::compare::gather::Series;
use crate::compare::measures::{Clock, Plane, lively_torsions, project, slow_components};
use crate::compare::row::Looker;

/// Components that are named.
const COMPONENTS: usize = 5;
/// Frame pairs for each feature that slow components are made of, at least: components of fewer
/// fit the noise.
const PAIRS_A_FEATURE: usize = 10;
const MOST_TORSIONS: usize = 200;
/// Slow components.
const SLOW: usize = 4;

/// Largest motions, by principal component analysis of the trace atoms superposed on the start
/// structure.
#[derive(Debug, Clone)]
pub struct Principal {
    /// First and second component of every row, Å per atom as an RMSD is.
    pub points: Vec<[f64; 2]>,
    /// Share of all variance in each of the first components.
    pub shares: Vec<f64>,
}

/// Slowest motions, by time-lagged independent component analysis of cos and sin of φ, ψ and χ.
#[derive(Debug, Clone)]
pub struct Slow {
    /// Lag time, ps.
    pub lag: f64,
    /// Autocorrelation of each component at the lag time.
    pub eigenvalues: Vec<f64>,
    /// Time that each forgets in, −lag/ln of its autocorrelation, ps; none of one that is not
    /// positive.
    pub times: Vec<Option<f64>>,
    /// First and second component of every row.
    pub points: Vec<[f64; 2]>,
}

pub(super) fn principal(series: &Series) -> Option<Principal> {
    let plane = Plane::of(series)?;
    let values = &plane.variances;
    let all: f64 = values.iter().sum();
    if all <= 0.0 {
        return None;
    }
    let shares = values.iter().take(COMPONENTS).map(|value| value / all);
    Some(Principal {
        shares: shares.collect(),
        points: series.rows.iter().map(|row| plane.place(row)).collect(),
    })
}

/// # Errors
/// Why there are none, in words.
pub(super) fn slow(series: &Series, looker: &Looker, lag: Option<f64>) -> Result<Slow, String> {
    let none = |why: String| format!("no slow components: {why}");
    let clock = Clock::of(series, series, lag)
        .map_err(|why| none(why.replace("the frames of the run", "its frames")))?;
    let pairs: usize = series
        .segments
        .iter()
        .map(|segment| segment.rows.len().saturating_sub(clock.lag))
        .sum();
    let most = MOST_TORSIONS.min(pairs / (2 * PAIRS_A_FEATURE));
    if most < 2 {
        return Err(none(format!(
            "there are only {pairs} pairs of frames a lag time apart"
        )));
    }
    let chosen = lively_torsions(series, looker, most);
    if chosen.is_empty() {
        return Err(none("the molecule has no φ, ψ or χ".into()));
    }
    let projection = slow_components(series, &chosen, clock.lag, SLOW)
        .ok_or_else(|| none("no torsion moves".into()))?;
    let points = project(series, &chosen, &projection);
    let second = 1.min(points.nrows() - 1);
    let place = |row: usize| [points[(0, row)], points[(second, row)]];
    let lag = clock.lag as f64 * clock.step;
    let time = |value: &f64| Some(-lag / value.ln()).filter(|_| *value > 0.0 && *value < 1.0);
    Ok(Slow {
        lag,
        times: projection.values.iter().map(time).collect(),
        eigenvalues: projection.values.clone(),
        points: (0..points.ncols()).map(place).collect(),
    })
}
