//! Wells that the reference has hardly ever been in.
//!
//! Draws from a reference that never visits a well never visit it either, and any run that does
//! would be outside, as 100 ns of MD would beside 20 ns. What there is to go by is how often a well
//! is entered. If run and reference enter it at the same rate, the share of all entries that falls
//! into the run is that of its frames, whatever the rate: of n entries the run has a binomial
//! number (the conditional test of two Poisson rates; Przyborowski & Wilenski, Biometrika 31 (1940)
//! 313). Entries are counted at one spacing of frames on both sides, since those that are left
//! between two frames are not seen.

use crate::compare::definition::Verdict;
use crate::compare::gather::Series;
use crate::compare::wells::{Wells, well_of};
use crate::geometry::torsion::Kind;

/// Entries up to which a well of the reference is rare: draws of more vary as they should.
const FEW: usize = 3;
/// A run that is more in such wells than this has left the reference, however it came there.
const MOST: f64 = 0.05;
/// Chance below which more entries than the reference has are farther than MD goes, and, among all
/// torsions, outside.
const ALONE: f64 = 0.025;
const TOGETHER: f64 = 0.05;

/// Both sides, every so many rows of which are as far apart in time.
pub(super) struct Visits<'a> {
    /// Run and reference.
    pub sides: [&'a Series; 2],
    /// Rows of each from one counted frame to the next.
    pub steps: [usize; 2],
    /// Torsions that are judged together.
    pub torsions: usize,
}

impl Visits<'_> {
    /// The worst verdict on the shares of a torsion that its rare wells allow, where it is they
    /// that differ.
    pub fn cap(
        &self,
        torsion: usize,
        kind: Kind,
        [run, reference]: [&Wells; 2],
    ) -> Option<Verdict> {
        let entries = |well: usize| [0, 1].map(|side| self.entries(side, torsion, kind, well));
        let gain = |well: usize| run.shares[well] - reference.shares[well];
        let rare: Vec<(usize, [usize; 2])> = (0..run.shares.len())
            .filter(|&well| gain(well) > 0.0)
            .map(|well| (well, entries(well)))
            .filter(|(_, [_, theirs])| *theirs <= FEW)
            .collect();
        let gained: f64 = rare.iter().map(|(well, _)| gain(*well)).sum();
        let moved = run.moved(reference).1;
        if rare.is_empty() || gained < 0.5 * moved || moved > MOST {
            return None;
        }
        let [ours, theirs] = [0, 1].map(|side| rare.iter().map(|(_, n)| n[side]).sum::<usize>());
        let frames = [0, 1].map(|side| self.frames(side));
        let share = frames[0] as f64 / (frames[0] + frames[1]) as f64;
        match chance(ours, ours + theirs, share) {
            chance if chance >= ALONE => Some(Verdict::Within),
            chance if chance * self.torsions as f64 >= TOGETHER => Some(Verdict::Near),
            _ => None,
        }
    }

    fn frames(&self, side: usize) -> usize {
        let segments = self.sides[side].segments.iter();
        segments
            .map(|segment| segment.rows.len().div_ceil(self.steps[side]))
            .sum()
    }

    /// How often a well is entered, or begun in.
    fn entries(&self, side: usize, torsion: usize, kind: Kind, well: usize) -> usize {
        let series = self.sides[side];
        let mut count = 0;
        for segment in &series.segments {
            let rows = series.rows[segment.rows.clone()].iter();
            let mut before = false;
            for row in rows.step_by(self.steps[side]) {
                let degrees = f64::from(row.torsions[torsion]).to_degrees();
                let inside = well_of(kind, degrees) == well;
                count += usize::from(inside && !before);
                before = inside;
            }
        }
        count
    }
}

/// Chance of `some` or more of `all` where each is counted with probability `share`.
fn chance(some: usize, all: usize, share: f64) -> f64 {
    let mut term = (1.0 - share).powi(all as i32);
    let mut below = 0.0;
    for k in 0..some {
        below += term;
        term *= (all - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::gather::Segment;
    use super::super::super::row::Row;
    use super::*;

    #[test]
    fn chances_are_those_of_the_binomial_distribution() {
        // scipy.stats.binom.sf(some − 1, all, share)
        let cases = [
            (8, 8, 0.762, 0.762f64.powi(8)),
            (0, 5, 0.3, 1.0),
            (3, 10, 0.2, 0.322_200_473_6),
            (9, 12, 0.5, 0.072_998_046_875),
        ];
        for (some, all, share, exact) in cases {
            let found = chance(some, all, share);
            assert!((found - exact).abs() <= 1e-9, "{some} of {all}: {found}");
        }
    }

    /// φ = 60° where the letter is +, else −60°.
    fn series(letters: &str) -> Series {
        let row = |letter: char| Row {
            torsions: vec![if letter == '+' { 1.0 } else { -1.0 }],
            ..Row::default()
        };
        let rows: Vec<Row> = letters.chars().map(row).collect();
        Series {
            segments: vec![Segment {
                rows: 0..rows.len(),
                time_step: Some(1.0),
            }],
            rows,
            ..Series::default()
        }
    }

    fn cap(run: &str, reference: &str) -> Option<Verdict> {
        let sides = [series(run), series(reference)];
        let visits = Visits {
            sides: sides.each_ref(),
            steps: [1, 2],
            torsions: 10,
        };
        let wells = [run, reference].map(|letters| {
            let positive = letters.matches('+').count() as f64 / letters.len() as f64;
            Wells {
                shares: vec![1.0 - positive, positive],
                width: 1.0,
            }
        });
        visits.cap(0, Kind::Phi, wells.each_ref())
    }

    #[test]
    fn a_visit_to_where_the_reference_never_was_is_no_fault_and_many_are() {
        let never = "-".repeat(400);
        // one visit of four frames in 100, beside 200 without: one chance in three
        let once = format!("{}++++{}", "-".repeat(48), "-".repeat(48));
        assert_eq!(cap(&once, &never), Some(Verdict::Within));
        // four visits: one in 81; of ten torsions one may be so
        let often = "+-------------------------".repeat(4);
        assert_eq!(cap(&often, &never), Some(Verdict::Near));
        // every visit counts, but at a spacing of two frames on the side of the reference
        let missed = format!("-+{}", never);
        assert_eq!(cap(&once, &missed), Some(Verdict::Within));
        // more than one frame in twenty is no visit
        let stays = format!("{}{}", "-".repeat(90), "+".repeat(10));
        assert_eq!(cap(&stays, &never), None);
        // a well that the reference knows is judged by its draws
        let known = "+---------".repeat(40);
        assert_eq!(cap(&once, &known), None);
    }
}
