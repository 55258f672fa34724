//! From values and their floors to verdicts, all measures together.
//!
//! Of thirty measures that are each within their 97.5 % quantile in 97.5 % of MD runs, one is
//! beyond in nearly every run. Whether a run is like MD is therefore not asked of each measure
//! alone. A measure's excess is (d − m)/(q − m), with m the median and q the 97.5 % quantile of its
//! draws; the largest excess of a draw over all measures has a 95 % quantile c, and a measure
//! farther than m + c·(q − m) is *outside*: of all MD runs like this one, 95 % have no measure
//! there (single-step maxT, Westfall & Young, *Resampling-Based Multiple Testing*, 1993). Draws are
//! the same ones for all measures, so that measures that depend on each other count as often as
//! they should.

use std::collections::BTreeMap;

pub use super::definition::Verdict;
use super::definition::{Better, Measure, finite};
use super::statistics::{median, quantile};

/// Share of MD runs that have nothing outside.
const TOGETHER: f64 = 0.95;
/// Quantile of the draws up to which a value is within.
const ALONE: f64 = 0.975;

/// How far a measure is, with what it lacks to 1 for likenesses.
fn distance(measure: &Measure, value: f64) -> f64 {
    match measure.better {
        Better::Lower => value,
        Better::Higher => 1.0 - value,
    }
}

/// Middle of the draws, and how far the 97.5 % quantile is from it.
fn scale(measure: &Measure) -> Option<(f64, f64)> {
    let draws: Vec<f64> = measure
        .draws
        .iter()
        .map(|&draw| distance(measure, draw))
        .collect();
    let middle = finite(median(&draws))?;
    let spread = quantile(&draws, ALONE) - middle;
    Some((middle, spread.max(0.0)))
}

/// Gives each measure of a family its edge and its verdict. Those without draws keep theirs.
pub fn judge_together<'a>(measures: impl IntoIterator<Item = &'a mut Measure>) {
    judge(measures.into_iter().collect(), TOGETHER);
}

/// The same for a family of many measures of a few kinds (those of one name), of which 95 % of MD
/// runs have nothing outside. Each kind has a factor of its own, and an equal part of the 5 %: a
/// kind with long tails, as decorrelation times have them, would else set the edge of all others
/// (Beran, *Balanced simultaneous confidence sets*, J. Am. Stat. Assoc. 83 (1988) 679).
pub fn judge_by_kind<'a>(measures: impl IntoIterator<Item = &'a mut Measure>) {
    let mut kinds: BTreeMap<String, Vec<&mut Measure>> = BTreeMap::new();
    for measure in measures {
        kinds.entry(measure.name.clone()).or_default().push(measure);
    }
    let share = 1.0 - (1.0 - TOGETHER) / kinds.len().max(1) as f64;
    kinds.into_values().for_each(|kind| judge(kind, share));
}

/// `share` of the draws have nothing outside.
fn judge(mut measures: Vec<&mut Measure>, share: f64) {
    let scales: Vec<Option<(f64, f64)>> = measures.iter().map(|measure| scale(measure)).collect();
    let draws = measures
        .iter()
        .map(|measure| measure.draws.len())
        .max()
        .unwrap_or(0);
    let excess = |draw: usize, measure: &Measure, scale: &Option<(f64, f64)>| {
        let (middle, spread) = (*scale)?;
        let value = distance(measure, *measure.draws.get(draw)?);
        let counts = spread > 0.0 && value > measure.tolerance;
        counts.then(|| (value - middle) / spread)
    };
    let largest: Vec<f64> = (0..draws)
        .map(|draw| {
            let each = measures.iter().zip(&scales);
            each.filter_map(|(measure, scale)| excess(draw, measure, scale))
                .fold(0.0, f64::max)
        })
        .collect();
    let factor = quantile(&largest, share).max(1.0);
    for (measure, scale) in measures.iter_mut().zip(scales) {
        let Some((middle, spread)) = scale else {
            continue;
        };
        let within = (middle + spread).max(measure.tolerance);
        let edge = (middle + factor * spread).max(measure.tolerance);
        measure.edge = finite(distance(measure, edge));
        let cap = measure.cap.unwrap_or(Verdict::Outside);
        measure.verdict = measure.value.map(|value| match distance(measure, value) {
            value if value <= within => Verdict::Within,
            value if value <= edge => Verdict::Near.min(cap),
            _ => cap,
        });
    }
}

/// How far beyond its floor a measure is: 0 at the median of the draws, 1 at the 97.5 % quantile;
/// none without draws.
pub fn excess(measure: &Measure) -> Option<f64> {
    let (middle, spread) = scale(measure)?;
    let beyond = distance(measure, measure.value?) - middle;
    let spread = spread.max(measure.tolerance - middle).max(1e-12);
    Some(beyond / spread)
}

#[cfg(test)]
mod tests {
    use super::super::definition::Definition;
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    const DEFINITION: Definition = Definition {
        name: "a",
        label: "a",
        unit: "",
        source: "",
        better: Better::Lower,
        tolerance: 0.0,
    };

    #[test]
    fn of_many_measures_one_is_outside_in_one_run_of_twenty() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = || {
            let value: f64 = StandardNormal.sample(&mut rng);
            value.abs()
        };
        let nulls: Vec<Vec<f64>> = (0..30)
            .map(|_| (0..200).map(|_| draw()).collect())
            .collect();
        let (mut within, mut unclean) = (0, 0);
        for _ in 0..300 {
            let mut measures: Vec<Measure> = nulls
                .iter()
                .map(|null| Measure::among(&DEFINITION, draw(), null.clone()))
                .collect();
            judge_together(&mut measures);
            let with = |verdict| {
                measures
                    .iter()
                    .filter(|m| m.verdict == Some(verdict))
                    .count()
            };
            within += with(Verdict::Within);
            unclean += usize::from(with(Verdict::Outside) > 0);
        }
        let share = within as f64 / 9000.0;
        assert!((0.955..0.99).contains(&share), "{share}");
        assert!((3..=40).contains(&unclean), "{unclean} of 300");
    }

    #[test]
    fn a_kind_with_long_tails_sets_the_edge_of_its_own_kind_alone() {
        // forty measures of a normal kind, one of which is six deviations off, and three of a kind
        // that one time in fifty is a hundred times as far: together in 6 % of the draws
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut draw = || StandardNormal.sample(&mut rng);
        let mut measures: Vec<Measure> = (0..40)
            .map(|_| (0..200).map(|_| f64::abs(draw())).collect())
            .map(|null| Measure::among(&DEFINITION, 0.5, null))
            .collect();
        measures[7].value = Some(6.0);
        let tails = Definition {
            name: "b",
            ..DEFINITION
        };
        for start in [0, 17, 33] {
            let far = |k: u32| k % 50 == start;
            let value = |k| {
                if far(k) {
                    100.0
                } else {
                    1.0 + 1e-3 * f64::from(k)
                }
            };
            measures.push(Measure::among(&tails, 1.0, (0..200).map(value).collect()));
        }
        let mut together = measures.clone();
        judge_together(&mut together);
        assert_eq!(together[7].verdict, Some(Verdict::Near));
        judge_by_kind(&mut measures);
        assert_eq!(measures[7].verdict, Some(Verdict::Outside));
        let outside = |m: &&Measure| m.verdict == Some(Verdict::Outside);
        assert_eq!(measures.iter().filter(outside).count(), 1);
    }

    #[test]
    fn likenesses_are_judged_by_what_they_lack_and_trifles_are_within() {
        let likeness = Definition {
            better: Better::Higher,
            ..DEFINITION
        };
        let draws = vec![0.9, 0.92, 0.94, 0.96];
        let mut measures = [0.95, 0.5].map(|value| Measure::among(&likeness, value, draws.clone()));
        judge_together(&mut measures);
        assert_eq!(measures[0].verdict, Some(Verdict::Within));
        assert_eq!(measures[1].verdict, Some(Verdict::Outside));
        let trifle = Definition {
            tolerance: 0.1,
            ..DEFINITION
        };
        let mut measures = [0.05, 0.2].map(|value| Measure::among(&trifle, value, vec![0.0; 4]));
        measures[1].cap = Some(Verdict::Within);
        judge_together(&mut measures);
        assert!(
            measures
                .iter()
                .all(|measure| measure.verdict == Some(Verdict::Within))
        );
        assert_eq!(measures[0].edge, Some(0.1));
        assert!((excess(&measures[0]).unwrap() - 0.5).abs() <= 1e-12);
    }
}
