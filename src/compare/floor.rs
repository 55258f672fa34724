//! Every measure beside its floor: how far the reference is from itself.
//!
//! A measure is a distance between two sets of frames. Its floor is the same distance between the
//! halves of the reference (between halves of its replicas, where there are several). The interval
//! comes from a block bootstrap by half-samples: the reference is cut into about 20 blocks, which
//! are dealt at random into two halves, [`DEALS`] times; `low` and `high` are the 2.5 % and 97.5 %
//! quantiles of the distance between them. (Drawing with replacement would put copies of a block on
//! both or one side and so misjudge divergences, whose floor is mostly the noise of few frames.)
//! `high` is never below the floor itself, which slow motions raise.

use rayon::prelude::*;
use serde::Serialize;

use super::blocks::{Block, Piece, cut, dealt, halves, pieces};
use super::gather::Series;
use super::statistics::{interval, median};

/// How often the blocks are dealt into halves.
pub const DEALS: usize = 100;

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A distance: 0 is the same.
    Lower,
    /// A likeness: 1 is the same.
    Higher,
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

/// How a measure compares with its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No farther from the reference than the reference is from itself.
    Within,
    /// Up to twice as far.
    Near,
    /// Farther.
    Outside,
}

/// A measure's value beside its floor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// See [`Definition::name`].
    pub name: String,
    /// See [`Definition::label`].
    pub label: String,
    /// See [`Definition::unit`].
    pub unit: String,
    /// The measure between run and reference; none where it cannot be computed.
    pub value: Option<f64>,
    /// The measure between the halves of the reference.
    pub floor: Option<f64>,
    /// Lower end of the floor's interval.
    pub low: Option<f64>,
    /// Upper end of the floor's interval.
    pub high: Option<f64>,
    /// How they compare.
    pub verdict: Option<Verdict>,
    /// The measure for pieces of the reference as long as the run, against the rest of it; where
    /// the run is shorter than half of the reference.
    pub same_length: Option<f64>,
    /// The measure for tenths of the reference against the rest of it: what MD gives for a tenth of
    /// the cost.
    pub tenth: Option<f64>,
    /// For measures that compare one number: what it is in the run.
    pub run: Option<f64>,
    /// And in the reference.
    pub reference: Option<f64>,
    /// See [`Definition::tolerance`].
    pub tolerance: f64,
    /// See [`Definition::source`].
    pub source: String,
    /// Why a number is missing, where one is.
    pub note: Option<String>,
}

/// Both sides cut into blocks, with the ways to deal them.
#[derive(Debug)]
pub struct Floors<'a> {
    run: Vec<Block<'a>>,
    reference: Vec<Block<'a>>,
    /// Halves of the reference, then the deals: indices of blocks.
    splits: Vec<[Vec<usize>; 2]>,
    /// Pieces as long as the run.
    pieces: Vec<Piece<'a>>,
    /// Tenths.
    tenths: Vec<Piece<'a>>,
}

impl<'a> Floors<'a> {
    /// Cuts both sides; `units` are rows per common time step of the run and of the reference.
    pub fn new(run: &'a Series, reference: &'a Series, units: [usize; 2]) -> Self {
        let blocks = cut(reference, units[1], false);
        let mut splits = Vec::new();
        if blocks.len() >= 4 {
            splits.push(halves(&blocks, reference.replicas() > 1));
            splits.extend((0..DEALS).map(|deal| dealt(blocks.len(), deal)));
        }
        let share = match (run.time(), reference.time()) {
            (Some(run), Some(reference)) => run / reference,
            _ => run.rows.len() as f64 / reference.rows.len() as f64,
        };
        let pieces = |share: f64| {
            if splits.is_empty() {
                Vec::new()
            } else {
                pieces(reference, units[1], blocks.len(), share)
            }
        };
        let (pieces, tenths) = (pieces(share), pieces(0.1));
        Floors {
            run: cut(run, units[0], true),
            reference: blocks,
            splits,
            pieces,
            tenths,
        }
    }

    /// Whether the reference is long enough to have a floor.
    pub fn known(&self) -> bool {
        !self.splits.is_empty()
    }

    /// The totals of the run and of the reference.
    pub fn totals<B: Send + Sync, S>(
        &self,
        summarise: impl Fn(&Block) -> B + Sync,
        total: impl Fn(&[&B]) -> S,
    ) -> [S; 2] {
        [&self.run, &self.reference].map(|blocks| {
            let parts: Vec<B> = blocks.par_iter().map(&summarise).collect();
            total(&parts.iter().collect::<Vec<_>>())
        })
    }

    /// Computes measures and their floors: `summarise` reduces a block, `total` merges the
    /// summaries of blocks, `distances` compares two totals, a value for each definition. `numbers`
    /// are what is compared, for measures that compare single numbers (else empty).
    pub fn judge<B: Send + Sync, S: Send + Sync>(
        &self,
        definitions: &[Definition],
        summarise: impl Fn(&Block) -> B + Sync,
        total: impl Fn(&[&B]) -> S + Sync,
        distances: impl Fn(&S, &S) -> Vec<f64> + Sync,
        numbers: impl Fn(&S) -> Vec<f64>,
    ) -> Vec<Measure> {
        let run: Vec<B> = self.run.par_iter().map(&summarise).collect();
        let reference: Vec<B> = self.reference.par_iter().map(&summarise).collect();
        let whole = total(&reference.iter().collect::<Vec<_>>());
        let ours = total(&run.iter().collect::<Vec<_>>());
        let between = |[left, right]: &[Vec<usize>; 2]| {
            let side = |blocks: &[usize]| {
                total(
                    &blocks
                        .iter()
                        .map(|&block| &reference[block])
                        .collect::<Vec<_>>(),
                )
            };
            distances(&side(left), &side(right))
        };
        let floors: Vec<Vec<f64>> = self.splits.par_iter().map(between).collect();
        let of_piece = |piece: &Piece| match piece {
            Piece::Blocks(split) => between(split),
            Piece::Short(block) => distances(&total(&[&summarise(block)]), &whole),
        };
        let pieces: Vec<Vec<f64>> = self.pieces.par_iter().map(of_piece).collect();
        let tenths: Vec<Vec<f64>> = self.tenths.par_iter().map(of_piece).collect();
        let (values, in_run, in_reference) =
            (distances(&ours, &whole), numbers(&ours), numbers(&whole));
        let column = |table: &[Vec<f64>], index: usize| {
            table.iter().map(|row| row[index]).collect::<Vec<f64>>()
        };
        let measure = |(index, definition): (usize, &Definition)| {
            let mut measure = settle(definition, values[index], &column(&floors, index));
            measure.same_length = finite(median(&column(&pieces, index)));
            measure.tenth = finite(median(&column(&tenths, index)));
            measure.run = in_run.get(index).copied().and_then(finite);
            measure.reference = in_reference.get(index).copied().and_then(finite);
            measure
        };
        definitions.iter().enumerate().map(measure).collect()
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// A measure from its value, and the floor (first) with the values of the deals.
pub fn settle(definition: &Definition, value: f64, floors: &[f64]) -> Measure {
    let floor = floors.first().copied().and_then(finite);
    let (low, high) = if floors.len() > 1 {
        interval(&floors[1..])
    } else {
        (f64::NAN, f64::NAN)
    };
    let (low, high) = match floor {
        Some(floor) => (finite(low.min(floor)), finite(high.max(floor))),
        None => (None, None),
    };
    let mut measure = Measure {
        name: definition.name.into(),
        label: definition.label.into(),
        unit: definition.unit.into(),
        value: finite(value),
        floor,
        low,
        high,
        verdict: None,
        same_length: None,
        tenth: None,
        run: None,
        reference: None,
        tolerance: definition.tolerance,
        source: definition.source.into(),
        note: None,
    };
    // A likeness is judged by how much it lacks.
    let edge = match definition.better {
        Better::Lower => measure.high,
        Better::Higher => measure.low.map(|low| 1.0 - low),
    };
    let lack = match definition.better {
        Better::Lower => measure.value,
        Better::Higher => measure.value.map(|value| 1.0 - value),
    };
    measure.verdict = lack.zip(edge).map(|(lack, edge)| {
        let edge = edge.max(definition.tolerance);
        match lack {
            lack if lack <= edge => Verdict::Within,
            lack if lack <= 2.0 * edge => Verdict::Near,
            _ => Verdict::Outside,
        }
    });
    measure
}

#[cfg(test)]
mod tests {
    use super::super::gather::Segment;
    use super::super::row::Row;
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

    /// Rows whose Rg is white noise about `mean`.
    fn noise(mean: f64, lengths: &[usize], seed: u64) -> Series {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut series = Series {
            stride: 1,
            ..Series::default()
        };
        for &length in lengths {
            let start = series.rows.len();
            let value = |_| Row {
                gyration: (mean + Distribution::<f64>::sample(&StandardNormal, &mut rng)) as f32,
                ..Row::default()
            };
            series.rows.extend((0..length).map(value));
            series.segments.push(Segment {
                rows: start..start + length,
                time_step: Some(1.0),
            });
        }
        series.frames = series.rows.len();
        series
    }

    fn judge_mean(run: &Series, reference: &Series) -> Measure {
        let sum = |block: &Block| {
            (
                block
                    .rows()
                    .iter()
                    .map(|row| f64::from(row.gyration))
                    .sum::<f64>(),
                block.rows().len() as f64,
            )
        };
        let total = |parts: &[&(f64, f64)]| {
            parts.iter().map(|part| part.0).sum::<f64>()
                / parts.iter().map(|part| part.1).sum::<f64>()
        };
        let floors = Floors::new(run, reference, [1, 1]);
        floors
            .judge(
                &[MEAN],
                sum,
                total,
                |a, b| vec![(a - b).abs()],
                |&mean| vec![mean],
            )
            .remove(0)
    }

    #[test]
    fn the_interval_is_that_of_the_difference_of_two_half_means() {
        let reference = noise(10.0, &[20_000], 1);
        let measure = judge_mean(&noise(10.0, &[20_000], 2), &reference);
        // The difference of the means of two halves of n = 10,000 has s.d. √(2/n); its absolute
        // value is below 2.24 s.d. in 97.5 %.
        let expected = 2.24 * (2.0f64 / 10_000.0).sqrt();
        let high = measure.high.unwrap();
        assert!((high / expected - 1.0).abs() <= 0.35, "{high} {expected}");
        assert_eq!(measure.verdict, Some(Verdict::Within));
        assert!(
            (measure.run.unwrap() - 10.0).abs() <= 0.05
                && (measure.reference.unwrap() - 10.0).abs() <= 0.05
        );
        assert_eq!(measure.same_length, None);
        assert_eq!(
            judge_mean(&noise(10.0 + 1.5 * high, &[20_000], 3), &reference).verdict,
            Some(Verdict::Near)
        );
        assert_eq!(
            judge_mean(&noise(10.5, &[20_000], 3), &reference).verdict,
            Some(Verdict::Outside)
        );
    }

    #[test]
    fn a_short_run_stands_beside_pieces_of_its_length() {
        let reference = noise(0.0, &[20_000], 4);
        let measure = judge_mean(&noise(0.0, &[1000], 5), &reference);
        // median |difference| of means of 1,000 and 19,000: .6745 s.d.
        let expected = 0.6745 * (1.0f64 / 1000.0 + 1.0 / 19_000.0).sqrt();
        let found = measure.same_length.unwrap();
        assert!(
            found / expected >= 0.5 && found / expected <= 1.7,
            "{found} {expected}"
        );
        let (tenth, expected) = (
            measure.tenth.unwrap(),
            0.6745 * (1.0f64 / 2000.0 + 1.0 / 18_000.0).sqrt(),
        );
        // overlapping windows: about ten independent ones
        assert!(
            tenth / expected >= 0.3 && tenth / expected <= 2.2,
            "{tenth} {expected}"
        );
        // much shorter than a block
        let found = judge_mean(&noise(0.0, &[50], 5), &reference)
            .same_length
            .unwrap();
        let expected = 0.6745 / 50f64.sqrt();
        assert!(
            found / expected >= 0.5 && found / expected <= 1.7,
            "{found} {expected}"
        );
    }

    #[test]
    fn replicas_are_halved_as_wholes_and_blocks_never_span_them() {
        let series = noise(0.0, &[1000, 1000, 2000, 100], 6);
        let blocks = cut(&series, 1, false);
        assert_eq!(
            blocks.iter().map(|block| block.range.len()).sum::<usize>(),
            4100
        );
        let [left, right] = halves(&blocks, true);
        let rows = |side: &[usize]| {
            side.iter()
                .map(|&block| blocks[block].range.len())
                .sum::<usize>()
        };
        assert_eq!((rows(&left), rows(&right)), (2000, 2100));
        let [left, right] = halves(&cut(&noise(0.0, &[4000], 6), 1, false), false);
        assert_eq!((left.len(), right.len()), (10, 10));
        let [left, right] = dealt(21, 3);
        assert_eq!((left.len(), right.len()), (10, 11));
        assert!(left.iter().all(|block| !right.contains(block)));
    }

    #[test]
    fn a_reference_too_short_has_no_floor_and_no_verdict() {
        let measure = judge_mean(&noise(0.0, &[50], 7), &noise(0.0, &[3], 8));
        assert!(measure.value.is_some() && measure.floor.is_none() && measure.verdict.is_none());
    }
}
