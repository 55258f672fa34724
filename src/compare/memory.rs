//! How long a trajectory remembers: decorrelation times of what it is resampled by.

use rayon::prelude::*;

use super::gather::Series;
use super::relaxation::{autocorrelation_of, integral_to_zero};
use super::row::Row;

/// Rows that memories are measured on, about.
const ROWS: usize = 5000;

/// Decorrelation times of every torsion (as e^iθ), then of the RMSD and of the radius of gyration,
/// in rows; 0 of what does not move.
pub fn memories(series: &Series) -> Vec<f64> {
    let Some(first) = series.rows.first() else {
        return Vec::new();
    };
    let torsions = first.torsions.len();
    let every = series.rows.len().div_ceil(ROWS);
    let longest = series.segments.iter().map(|segment| segment.rows.len());
    let reach = longest.max().unwrap_or(0) / every / 2;
    let value = |row: &Row, quantity: usize| match quantity.checked_sub(torsions) {
        None => {
            let (sin, cos) = f64::from(row.torsions[quantity]).sin_cos();
            [cos, sin]
        }
        Some(0) => [f64::from(row.rmsd), 0.0],
        Some(_) => [f64::from(row.gyration), 0.0],
    };
    let time = |quantity: usize| {
        let of = |part: &super::gather::Segment| -> Vec<[f64; 2]> {
            let rows = series.rows[part.rows.clone()].iter().step_by(every);
            rows.map(|row| value(row, quantity)).collect()
        };
        let segments: Vec<Vec<[f64; 2]>> = series.segments.iter().map(of).collect();
        let views: Vec<&[[f64; 2]]> = segments.iter().map(Vec::as_slice).collect();
        let correlation = autocorrelation_of(&views, reach);
        let lags: Vec<f64> = (0..correlation.len()).map(|lag| lag as f64).collect();
        let moves = correlation.iter().any(|&value| value < 1.0);
        let time = moves.then(|| integral_to_zero(&lags, &correlation).0);
        time.unwrap_or(0.0) * every as f64
    };
    (0..torsions + 2).into_par_iter().map(time).collect()
}
