//! The wells of a torsion: how it is shared among them, and how wide it is within them.
//!
//! Taken from the histogram, so that what is compared is what the report shows. χ has the three
//! rotamers that IUPAC (1970) names by thirds of the turn: g+ about 60°, t about 180°, g− about
//! −60°. φ has a negative and a positive side, ψ a helical (−120° to 60°) and an extended side, ω
//! trans and cis; groups that half a turn brings onto themselves are near ±90° or near 0°.

use crate::geometry::torsion::Kind;

/// Names of the wells of a kind of torsion.
pub fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Phi => &["negative φ", "positive φ"],
        Kind::Psi => &["helical ψ", "extended ψ"],
        Kind::Omega => &["trans", "cis"],
        Kind::Chi(_) => &["g+", "t", "g−"],
        Kind::HalfTurn(_) => &["near ±90°", "near 0°"],
    }
}

/// The well that a phase in (−180°, 180°] belongs to ([`Torsion::phase`]), and the phase counted on
/// where the well runs over ±180°.
///
/// [`Torsion::phase`]: crate::geometry::torsion::Torsion::phase
fn place(kind: Kind, degrees: f64) -> (usize, f64) {
    let over = if degrees < 0.0 {
        degrees + 360.0
    } else {
        degrees
    };
    match kind {
        Kind::Phi if degrees < 0.0 => (0, degrees),
        Kind::Phi => (1, degrees),
        Kind::Psi if (-120.0..60.0).contains(&degrees) => (0, degrees),
        Kind::Psi => (1, over),
        Kind::Omega | Kind::HalfTurn(_) if degrees.abs() > 90.0 => (0, over),
        Kind::Omega | Kind::HalfTurn(_) => (1, degrees),
        Kind::Chi(_) => ((over / 120.0).floor().min(2.0) as usize, over),
    }
}

/// The well that a phase in (−180°, 180°] belongs to, an index into [`names`].
pub fn well_of(kind: Kind, degrees: f64) -> usize {
    place(kind, degrees).0
}

/// How a torsion is spread over its wells.
#[derive(Debug, Clone, PartialEq)]
pub struct Wells {
    /// Share of frames in each.
    pub shares: Vec<f64>,
    /// Root mean square distance of the angle from the mean of its well, degrees.
    pub width: f64,
}

impl Wells {
    /// From a histogram of the phase over (−180°, 180°].
    pub fn of(kind: Kind, counts: &[f64]) -> Self {
        let mut sums = vec![[0.0; 3]; names(kind).len()];
        for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let middle = 360.0 * (bin as f64 + 0.5) / counts.len() as f64 - 180.0;
            let (well, angle) = place(kind, middle);
            let moments = [count, count * angle, count * angle * angle];
            sums[well]
                .iter_mut()
                .zip(moments)
                .for_each(|(sum, value)| *sum += value);
        }
        let all: f64 = sums.iter().map(|sums| sums[0]).sum();
        let squares = sums.iter().filter(|sums| sums[0] > 0.0);
        let squares: f64 = squares
            .map(|[count, sum, square]| square - sum * sum / count)
            .sum();
        Wells {
            shares: sums.iter().map(|sums| sums[0] / all).collect(),
            width: (squares.max(0.0) / all).sqrt() / kind.fold(),
        }
    }

    /// The well whose share differs most, and by how much.
    pub fn moved(&self, other: &Wells) -> (usize, f64) {
        let differences = self
            .shares
            .iter()
            .zip(&other.shares)
            .map(|(a, b)| (a - b).abs());
        let most = differences.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        most.unwrap_or((0, f64::NAN))
    }

    /// |ln(width / width of the other)|.
    pub fn widened(&self, other: &Wells) -> f64 {
        (self.width / other.width).ln().abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_widths_of_known_histograms() {
        // bins of 10°: middles −175, −165, … 175
        let mut counts = [0.0; 36];
        counts[0] = 2.0; // −175: t
        counts[35] = 2.0; // 175: t
        counts[23] = 4.0; // 55: g+
        let wells = Wells::of(Kind::Chi(1), &counts);
        assert_eq!(wells.shares, [0.5, 0.5, 0.0]);
        // in t 5° to either side of 180°, in g+ none
        assert!(
            (wells.width - 12.5f64.sqrt()).abs() <= 1e-12,
            "{}",
            wells.width
        );
        let phi = Wells::of(Kind::Phi, &counts);
        assert_eq!(phi.shares, [0.25, 0.75]);
        let omega = Wells::of(Kind::Omega, &counts);
        assert_eq!(omega.shares, [0.5, 0.5]);
        assert_eq!(Wells::of(Kind::Psi, &counts).shares, [0.5, 0.5]);
        assert_eq!(
            wells
                .moved(&Wells {
                    shares: vec![0.1, 0.6, 0.3],
                    width: 1.0
                })
                .0,
            0
        );
        let twice = Wells {
            width: 2.0 * wells.width,
            ..wells.clone()
        };
        assert!((twice.widened(&wells) - 2f64.ln()).abs() <= 1e-12);
    }
}
