//! Histograms and the divergence between two of them.

use std::f64::consts::PI;

/// Bins of a torsion histogram over (−π, π].
pub const TORSION_BINS: usize = 100;

/// Counts over equal bins of an interval; what lies outside is counted in the nearest bin, so
/// nothing is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Lower and upper end.
    pub range: (f64, f64),
    /// Count of each bin.
    pub counts: Vec<f64>,
}

impl Histogram {
    /// An empty histogram of `bins` bins over `range`.
    pub fn new(range: (f64, f64), bins: usize) -> Self {
        Histogram {
            range,
            counts: vec![0.0; bins],
        }
    }
    /// An empty histogram of a torsion: [`TORSION_BINS`] bins over (−π, π].
    pub fn of_torsion() -> Self {
        Histogram::new((-PI, PI), TORSION_BINS)
    }
    /// The bin that a value belongs to.
    pub fn bin(&self, value: f64) -> usize {
        bin(value, self.range, self.counts.len())
    }
    /// Counts a value; a value that is no number is left out.
    pub fn add(&mut self, value: f64) {
        if !value.is_nan() {
            let bin = self.bin(value);
            self.counts[bin] += 1.0;
        }
    }
    /// Counts values, and returns itself.
    pub fn fill(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        values.into_iter().for_each(|value| self.add(value));
        self
    }
    /// Middle of a bin.
    pub fn middle(&self, bin: usize) -> f64 {
        self.range.0 + (bin as f64 + 0.5) * self.width()
    }
    /// Width of a bin.
    pub fn width(&self) -> f64 {
        (self.range.1 - self.range.0) / self.counts.len() as f64
    }
}

/// The one of `bins` equal bins of `range` that a value belongs to, or the nearest one.
pub fn bin(value: f64, range: (f64, f64), bins: usize) -> usize {
    let place = (value - range.0) / (range.1 - range.0) * bins as f64;
    (place.max(0.0) as usize).min(bins - 1)
}

/// Jensen–Shannon divergence of two sets of counts, natural logarithm: 0 for equal shapes, ln 2
/// where they do not overlap (Lin, IEEE Trans. Inf. Theory 37 (1991) 145). The square of
/// `scipy.spatial.distance.jensenshannon`. NaN where one is empty.
///
/// # Panics
/// Where the lengths differ.
pub fn jensen_shannon(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len(), "histograms of different shape");
    let (total_left, total_right): (f64, f64) = (left.iter().sum(), right.iter().sum());
    if total_left <= 0.0 || total_right <= 0.0 {
        return f64::NAN;
    }
    let part = |share: f64, mean: f64| {
        if share > 0.0 {
            share * (share / mean).ln()
        } else {
            0.0
        }
    };
    let divergence: f64 = left
        .iter()
        .zip(right)
        .map(|(p, q)| (p / total_left, q / total_right))
        .map(|(p, q)| 0.5 * (part(p, 0.5 * (p + q)) + part(q, 0.5 * (p + q))))
        .sum();
    divergence.max(0.0)
}

/// Jensen–Shannon divergence of every torsion between two sets of series `[torsion][frame]` (rad),
/// [`TORSION_BINS`] bins.
///
/// # Panics
/// Where the numbers of torsions differ.
pub fn torsion_divergences(left: &[Vec<f64>], right: &[Vec<f64>]) -> Vec<f64> {
    assert_eq!(left.len(), right.len(), "torsions of different topologies");
    let counts = |series: &[f64]| Histogram::of_torsion().fill(series.iter().copied()).counts;
    left.iter()
        .zip(right)
        .map(|(left, right)| jensen_shannon(&counts(left), &counts(right)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_below_and_the_last_one_at_both_ends() {
        let counts = Histogram::new((0.0, 1.0), 4)
            .fill([0.0, 0.25, 0.49, 0.999, 1.0, 2.0, -1.0, f64::NAN])
            .counts;
        assert_eq!(counts, [2.0, 2.0, 0.0, 3.0]);
    }

    #[test]
    fn divergence_of_known_distributions() {
        assert_eq!(jensen_shannon(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), 0.0);
        assert!((jensen_shannon(&[1.0, 0.0], &[0.0, 5.0]) - 2f64.ln()).abs() <= 1e-15);
        // scipy 1.17: jensenshannon([.1, .2, .7], [.3, .3, .4])² = 0.05191225923810343
        let value = jensen_shannon(&[1.0, 2.0, 7.0], &[3.0, 3.0, 4.0]);
        assert!((value - 0.051_912_259_238_103_43).abs() <= 1e-15, "{value}");
        assert!(jensen_shannon(&[0.0], &[1.0]).is_nan());
    }
}
