//! Every measure beside its floor: what MD as long as the run, with as many frames, would give.
//!
//! A measure is a distance between two sets of frames (for r and J: a likeness). Even true MD is
//! not at distance 0 from the reference, for both are finite. The floor is what it would be at:
//! [`super::resample`] draws runs like this one, and references like this one, from the reference,
//! and the measure between the two is computed for each draw. The floor is the median of the draws,
//! its interval their 2.5 % and 97.5 % quantiles.

use rayon::prelude::*;

use super::blocks::Block;
pub(super) use super::definition::finite;
pub use super::definition::{Better, Definition, Measure};
use super::gather::Series;
use super::resample::{LONGEST, MEMORIES, Resampling, SHORTEST};
use super::statistics::{deviation, interval, median};

/// Stretches, as shares of the reference, that measures of one quantity are judged by where it
/// forgets soon enough; the last that is long enough counts.
const SHORTER: [f64; 2] = [0.1, SHORTEST];

/// Both sides, and what the reference gives in their place.
#[derive(Debug)]
pub struct Floors<'a> {
    /// How runs and references are drawn.
    pub resampling: Resampling<'a>,
    /// Rows in a common time step, of the run and of the reference.
    units: [usize; 2],
    /// The same by the stretches of [`SHORTER`] that are shorter than these, longest first.
    shorter: Vec<Floors<'a>>,
}

/// Summaries of pieces: of the cells, of each window and of the run's blocks.
struct Summaries<B> {
    cells: Vec<B>,
    windows: Vec<Vec<B>>,
    run: Vec<B>,
}

impl<'a> Floors<'a> {
    /// Prepares both sides; `units` are rows per common time step of the run and of the reference.
    pub fn new(run: &'a Series, reference: &'a Series, units: [usize; 2]) -> Self {
        let mut floors = Floors {
            resampling: Resampling::new(run, reference, units),
            units,
            shorter: Vec::new(),
        };
        let shorter = SHORTER.iter();
        floors.shorter = shorter
            .filter_map(|&share| floors.by_share(run, reference, share))
            .collect();
        floors
    }

    /// The same by stretches of this share of the reference; none where they are no shorter.
    fn by_share(&self, run: &'a Series, reference: &'a Series, share: f64) -> Option<Self> {
        let rows = share * reference.rows.len() as f64;
        (self.known() && rows.ceil() < self.resampling.stretch as f64).then(|| Floors {
            resampling: Resampling::of_stretches(
                run,
                reference,
                self.units,
                self.resampling.memories.clone(),
                rows,
            ),
            units: self.units,
            shorter: Vec::new(),
        })
    }

    /// Whether the stretches are long beside the memory of a quantity: see [`super::memory`].
    fn outlasts(&self, quantity: usize) -> bool {
        let memory = self.resampling.memories[quantity];
        MEMORIES * memory <= self.resampling.stretch as f64
    }

    /// Judges measures of a single quantity again (`judged`), by shorter stretches, where what each
    /// is a measure of (`quantity` of its place) forgets sooner than the slowest motion: there are
    /// more of them, so its spread is known better.
    pub(super) fn by_own_memory(
        &self,
        measures: &mut [Measure],
        judged: impl Fn(&Floors) -> Vec<Measure>,
        quantity: impl Fn(usize) -> usize,
    ) {
        for floors in &self.shorter {
            for (place, (measure, quick)) in measures.iter_mut().zip(judged(floors)).enumerate() {
                if floors.outlasts(quantity(place)) {
                    *measure = quick;
                }
            }
        }
    }

    /// Rows of the run and of the reference that are as far apart as frames of a drawn run.
    pub fn steps(&self) -> [usize; 2] {
        let ([ours, theirs], step) = (self.units, self.resampling.step);
        [(step * ours / theirs).max(1), step]
    }

    /// Whether the reference is long enough to have a floor.
    pub fn known(&self) -> bool {
        !self.resampling.draws.is_empty()
    }

    /// The totals of the run and of the reference.
    pub fn totals<B: Send + Sync, S>(
        &self,
        summarise: impl Fn(&Block) -> B + Sync,
        total: impl Fn(&[&B]) -> S,
    ) -> [S; 2] {
        [&self.resampling.run, &self.resampling.cells].map(|blocks| {
            let parts: Vec<B> = blocks.par_iter().map(&summarise).collect();
            total(&parts.iter().collect::<Vec<_>>())
        })
    }

    /// Computes measures and their floors: `summarise` reduces a block, `total` merges the
    /// summaries of blocks, `distances` compares the total of the run, or of a drawn one, with that
    /// of the reference, a value for each definition. `numbers` are what is compared, for measures
    /// that compare single numbers (else empty).
    pub fn judge<B: Send + Sync, S: Send + Sync>(
        &self,
        definitions: &[Definition],
        summarise: impl Fn(&Block) -> B + Sync,
        total: impl Fn(&[&B]) -> S + Sync,
        distances: impl Fn(&S, &S) -> Vec<f64> + Sync,
        numbers: impl Fn(&S) -> Vec<f64> + Sync,
    ) -> Vec<Measure> {
        let known = &self.resampling;
        let parts = self.summaries(&summarise);
        let some =
            |list: &[usize]| total(&list.iter().map(|&i| &parts.cells[i]).collect::<Vec<_>>());
        let whole = total(&parts.cells.iter().collect::<Vec<_>>());
        let ours = total(&parts.run.iter().collect::<Vec<_>>());
        let drawn = known.draws.par_iter().map(|draw| {
            let run: Vec<&B> = draw
                .run
                .iter()
                .flat_map(|&window| &parts.windows[window])
                .collect();
            let reference = some(&draw.reference);
            (distances(&total(&run), &reference), numbers(&reference))
        });
        let (draws, in_draws): (Vec<Vec<f64>>, Vec<Vec<f64>>) = drawn.unzip();
        let tenths = known.tenths.par_iter();
        let tenths: Vec<Vec<f64>> = tenths
            .map(|[piece, rest]| distances(&some(piece), &some(rest)))
            .collect();
        let values = distances(&ours, &whole);
        let (in_run, in_reference) = (numbers(&ours), numbers(&whole));
        let of_runs: Vec<Vec<f64>> = if in_run.is_empty() {
            Vec::new()
        } else {
            let drawn = |draw: &Vec<usize>| {
                numbers(&total(
                    &draw.iter().map(|&i| &parts.run[i]).collect::<Vec<_>>(),
                ))
            };
            known.run_draws.par_iter().map(drawn).collect()
        };
        let measure = |(index, definition): (usize, &Definition)| Measure {
            tenth: finite(median(&column(&tenths, index))),
            run: in_run.get(index).copied().and_then(finite),
            run_error: finite(deviation(&column(&of_runs, index))),
            reference: in_reference.get(index).copied().and_then(finite),
            reference_error: finite(deviation(&column(&in_draws, index))),
            ..Measure::among(
                definition,
                values[index],
                self.widened(definition, column(&draws, index)),
            )
        };
        definitions.iter().enumerate().map(measure).collect()
    }

    /// Between which ends 95 % of drawn runs have each number of a curve: what MD as long as the
    /// run looks like. Empty without draws.
    pub fn bands<B: Send + Sync, S>(
        &self,
        summarise: impl Fn(&Block) -> B + Sync,
        total: impl Fn(&[&B]) -> S + Sync,
        curve: impl Fn(&S) -> Vec<f64> + Sync,
    ) -> Vec<[f64; 2]> {
        let known = &self.resampling;
        let windows = self.of_windows(&summarise);
        let curves = known.draws.par_iter().map(|draw| {
            let run: Vec<&B> = draw
                .run
                .iter()
                .flat_map(|&window| &windows[window])
                .collect();
            curve(&total(&run))
        });
        let curves: Vec<Vec<f64>> = curves.collect();
        let width = curves.first().map_or(0, Vec::len);
        let ends = |place: usize| {
            let (low, high) = interval(&column(&curves, place));
            [low, high]
        };
        (0..width).into_par_iter().map(ends).collect()
    }

    /// That the reference is too short to tell much by, where it is.
    pub fn weakness(&self, reference: &Series) -> Option<String> {
        let known = &self.resampling;
        let rows = reference.rows.len();
        let memory = known.memories.iter().copied().fold(1.0, f64::max);
        let few = self.known() && MEMORIES * memory > LONGEST * rows as f64;
        few.then(|| {
            let slowest = match reference.time_step() {
                Some(step) => format!("{:.0} ps", memory * step),
                None => format!("{memory:.0} frames"),
            };
            format!(
                "the reference is short: its slowest motion takes {slowest} to decorrelate, and \
                 all of it is {:.0} times as long; only what is far off can be told from MD",
                rows as f64 / memory
            )
        })
    }

    /// Draws with those farther than their median set farther: see [`super::resample`].
    fn widened(&self, definition: &Definition, draws: Vec<f64>) -> Vec<f64> {
        let middle = median(&draws);
        let factor = self.resampling.widening;
        let widen = |draw: f64| {
            let farther = match definition.better {
                Better::Lower => draw > middle,
                Better::Higher => draw < middle,
            };
            if farther {
                definition.bounded(middle + factor * (draw - middle))
            } else {
                draw
            }
        };
        draws.into_iter().map(widen).collect()
    }

    fn of_windows<B: Send + Sync>(&self, summarise: &(impl Fn(&Block) -> B + Sync)) -> Vec<Vec<B>> {
        let window = |blocks: &Vec<Block>| blocks.iter().map(summarise).collect();
        self.resampling.windows.par_iter().map(window).collect()
    }

    fn summaries<B: Send + Sync>(&self, summarise: &(impl Fn(&Block) -> B + Sync)) -> Summaries<B> {
        let known = &self.resampling;
        Summaries {
            cells: known.cells.par_iter().map(summarise).collect(),
            windows: self.of_windows(summarise),
            run: known.run.par_iter().map(summarise).collect(),
        }
    }
}

/// What every row of a table has at `index`, where it reaches so far.
fn column(table: &[Vec<f64>], index: usize) -> Vec<f64> {
    table
        .iter()
        .filter_map(|row| row.get(index).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::gather::Segment;
    use super::super::row::Row;
    use super::super::verdict::{Verdict, judge_together};
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    const MEAN: Definition = Definition {
        name: "mean",
        label: "mean",
        unit: "Å",
        source: "",
        better: Better::Lower,
        tolerance: 0.0,
    };

    /// Rows whose Rg is an autoregression of variance 1 about `mean`, one number in `every` kept.
    fn noise(mean: f64, phi: f64, lengths: &[usize], every: usize, seed: u64) -> Series {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut series = Series {
            stride: 1,
            ..Series::default()
        };
        for &length in lengths {
            let start = series.rows.len();
            let mut state: f64 = StandardNormal.sample(&mut rng);
            for _ in 0..length {
                for _ in 0..every {
                    let kick: f64 = StandardNormal.sample(&mut rng);
                    state = phi * state + (1.0 - phi * phi).sqrt() * kick;
                }
                let gyration = (mean + state) as f32;
                series.rows.push(Row {
                    gyration,
                    ..Row::default()
                });
            }
            let rows = start..start + length;
            series.segments.push(Segment {
                rows,
                time_step: Some(every as f64),
            });
        }
        series.frames = series.rows.len();
        series
    }

    fn judge_mean(run: &Series, reference: &Series, units: [usize; 2]) -> Measure {
        let sum = |block: &Block| {
            let values = block.rows().map(|row| f64::from(row.gyration));
            (values.sum::<f64>(), block.frames() as f64)
        };
        let total = |parts: &[&(f64, f64)]| {
            let sums = parts.iter().map(|part| part.0).sum::<f64>();
            sums / parts.iter().map(|part| part.1).sum::<f64>()
        };
        let floors = Floors::new(run, reference, units);
        let distances = |a: &f64, b: &f64| vec![(a - b).abs()];
        let mut found = floors.judge(&[MEAN], sum, total, distances, |&mean| vec![mean]);
        judge_together(&mut found);
        found.remove(0)
    }

    #[test]
    fn the_interval_is_that_of_the_difference_of_two_means() {
        let reference = noise(10.0, 0.0, &[20_000], 1, 1);
        let measure = judge_mean(&noise(10.0, 0.0, &[1000], 1, 2), &reference, [1, 1]);
        // |difference of two means| is below 2.24 s.d. in 97.5 %, below 0.6745 s.d. in half
        let deviation = (1.0f64 / 1000.0 + 1.0 / 20_000.0).sqrt();
        let (high, floor) = (measure.high.unwrap(), measure.floor.unwrap());
        assert!(
            (high / (2.24 * deviation) - 1.0).abs() <= 0.35,
            "{high} {deviation}"
        );
        assert!(
            (floor / (0.6745 * deviation) - 1.0).abs() <= 0.35,
            "{floor} {deviation}"
        );
        let errors = [
            (measure.run_error, 1000.0),
            (measure.reference_error, 20_000.0),
        ];
        for (error, frames) in errors {
            let ratio = error.unwrap() * f64::sqrt(frames);
            assert!((0.6..1.5).contains(&ratio), "{ratio}");
        }
        let far = judge_mean(&noise(10.5, 0.0, &[1000], 1, 3), &reference, [1, 1]);
        assert_eq!(far.verdict, Some(Verdict::Outside));
    }

    #[test]
    fn runs_like_the_reference_are_within_as_often_as_they_should() {
        // memories of 20 steps; four replicas of 50 frames 10 steps apart, 8,000 steps of reference
        let mut within = 0;
        for seed in 0..60 {
            let reference = noise(0.0, 0.95, &[8000], 1, 1000 + seed);
            let run = noise(0.0, 0.95, &[50; 4], 10, seed);
            let measure = judge_mean(&run, &reference, [1, 10]);
            within += usize::from(measure.verdict == Some(Verdict::Within));
        }
        // 97.5 % of 60 is 58.5; fewer than 54 come about once in 400 times
        assert!(within >= 54, "{within} of 60");
    }

    #[test]
    fn a_reference_of_few_memories_says_so_and_divergences_end_at_ln_2() {
        let run = noise(0.0, 0.0, &[50], 1, 7);
        // memories of 200 steps in 2000, and of 1 step
        for (phi, weak) in [(0.995, true), (0.0, false)] {
            let reference = noise(0.0, phi, &[2000], 1, 9);
            let floors = Floors::new(&run, &reference, [1, 1]);
            let told = floors.weakness(&reference);
            assert_eq!(told.is_some(), weak, "{phi}: {told:?}");
            // stretches of a twentieth are too short for it, or what is taken anyway
            let shorter = floors.by_share(&run, &reference, 0.05);
            assert_eq!(shorter.is_some(), weak);
            assert!(shorter.is_none_or(|floors| !floors.outlasts(1)) && floors.outlasts(1) != weak);
        }
        let jsd = Definition {
            name: "a_jsd",
            ..MEAN
        };
        assert_eq!((jsd.bounded(0.9), MEAN.bounded(0.9)), (2f64.ln(), 0.9));
    }

    #[test]
    fn a_reference_too_short_has_no_floor_and_no_verdict() {
        let (run, reference) = (noise(0.0, 0.0, &[50], 1, 7), noise(0.0, 0.0, &[3], 1, 8));
        let measure = judge_mean(&run, &reference, [1, 1]);
        assert!(measure.value.is_some() && measure.floor.is_none() && measure.verdict.is_none());
    }
}
