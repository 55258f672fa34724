//! How fast torsions forget, run beside reference.

use super::Clock;
use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::Series;
use crate::compare::relaxation::integral_to_zero;
use crate::compare::row::Looker;
use crate::compare::statistics::median;
use crate::geometry::torsion::Kind;

const TIMES: &str = "τ integrates the normalised circular autocorrelation to its first zero; run \
                     and reference: median τ, ps";

const DEFINITIONS: [Definition; 2] = [
    Definition {
        name: "decorrelation",
        label: "Torsion decorrelation times (ps), |ln ratio|",
        unit: "",
        source: "median over φ, ψ, χ of |ln(τ run / τ reference)|; τ integrates the normalised \
                 circular autocorrelation to its first zero; run and reference: median τ, ps",
        better: Better::Lower,
        tolerance: 0.05,
    },
    Definition {
        name: "pace",
        label: "Pace of all torsions (ps), |ln ratio|",
        unit: "",
        source: "|median over φ, ψ, χ of ln(τ run / τ reference)|: 0.69 where everything is twice \
                 as slow or as fast; run and reference: median τ, ps",
        better: Better::Lower,
        tolerance: 0.05,
    },
];

const ONE: Definition = Definition {
    name: "decorrelation",
    label: "",
    unit: "",
    source: TIMES,
    better: Better::Lower,
    // a single torsion's time is hardly known better from hundreds of frames
    tolerance: 0.4,
};

/// A torsion that moves less than this (1 − |mean of e^iθ|²) has no decorrelation time worth the
/// name.
const STILL: f64 = 1e-5;

/// Decorrelation times of both sides, for the report.
#[derive(Debug, Clone, Default)]
pub struct Dynamics {
    /// Indices of the torsions in the looker's list.
    pub torsions: Vec<usize>,
    /// Decorrelation time of each, ps, run and reference; NaN where the torsion does not move.
    pub times: [Vec<f64>; 2],
    /// |ln(τ run / τ reference)| of each; run and reference: τ, ps.
    pub each: Vec<Measure>,
}

/// Per torsion Σ cos θ, Σ sin θ, then Σ cos(θ(t + lag) − θ(t)) at every lag; rows, then pairs at
/// every lag.
struct Sums {
    rows: f64,
    pairs: Vec<f64>,
    torsions: Vec<Vec<f64>>,
}

/// Lags in common steps: every one up to 20, then growing by a tenth, to half of the shorter side's
/// longest segment.
fn lags(run: &Series, reference: &Series, clock: &Clock) -> Vec<usize> {
    let longest = |series: &Series, unit: usize| {
        series
            .segments
            .iter()
            .map(|segment| segment.rows.len() / unit)
            .max()
            .unwrap_or(0)
    };
    let most = longest(run, clock.units[0]).min(longest(reference, clock.units[1])) / 2;
    let mut lags = vec![0];
    let next = |last: usize| last + 1.max(last / 10);
    while let Some(lag) = lags
        .last()
        .map(|&last| next(last))
        .filter(|&lag| lag <= most)
    {
        lags.push(lag);
    }
    lags
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
    clock: &Clock,
) -> (Vec<Measure>, Dynamics) {
    let torsions: Vec<usize> = (0..looker.torsions.len())
        .filter(|&index| looker.torsions[index].kind != Kind::Omega)
        .collect();
    if torsions.is_empty() {
        return (Vec::new(), Dynamics::default());
    }
    let lags = lags(run, reference, clock);
    let sums = |block: &Block| sums_of(block, &torsions, &lags);
    let total = |parts: &[&Sums]| add(parts);
    let times = |sums: &Sums| -> Vec<f64> {
        (0..torsions.len())
            .map(|place| time(sums, place, &lags, clock.step))
            .collect()
    };
    let distances = |a: &Sums, b: &Sums| {
        let ratios: Vec<f64> = times(a)
            .iter()
            .zip(times(b))
            .map(|(a, b)| finite_or_nan((a / b).ln()))
            .collect();
        let sizes: Vec<f64> = ratios.iter().map(|ratio| ratio.abs()).collect();
        [vec![median(&sizes), median(&ratios).abs()], sizes].concat()
    };
    let numbers = |sums: &Sums| {
        let each = times(sums);
        [vec![median(&each); 2], each].concat()
    };
    let definitions: Vec<Definition> = DEFINITIONS
        .into_iter()
        .chain(std::iter::repeat_n(ONE, torsions.len()))
        .collect();
    let mut measures = floors.judge(&definitions, sums, total, distances, numbers);
    let each = measures.split_off(DEFINITIONS.len());
    let found = floors.totals(sums, total).map(|sums| times(&sums));
    (
        measures,
        Dynamics {
            times: found,
            torsions,
            each,
        },
    )
}

/// A ratio of times that are 0 is none.
fn finite_or_nan(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

fn sums_of(block: &Block, torsions: &[usize], lags: &[usize]) -> Sums {
    let from = block.range.start;
    // A common time step is a whole number of the block's own steps.
    let ahead: Vec<usize> = lags
        .iter()
        .map(|lag| lag * block.unit / block.step)
        .collect();
    let reachable = (block.segment.len() - from).div_ceil(block.step);
    let counts: Vec<usize> = ahead
        .iter()
        .map(|ahead| reachable.saturating_sub(*ahead).min(block.frames()))
        .collect();
    let rows = block.frames() + ahead.last().copied().unwrap_or(0);
    let of = |&torsion: &usize| -> Vec<f64> {
        let units: Vec<(f64, f64)> = block.segment[from..]
            .iter()
            .step_by(block.step)
            .take(rows)
            .map(|row| f64::from(row.torsions[torsion]).sin_cos())
            .collect();
        let (sin, cos) = units[..block.frames()]
            .iter()
            .fold((0.0, 0.0), |(sin, cos), unit| (sin + unit.0, cos + unit.1));
        let product = |(&ahead, &count): (&usize, &usize)| -> f64 {
            let late = units.iter().skip(ahead);
            units[..count]
                .iter()
                .zip(late)
                .map(|(a, b)| a.0 * b.0 + a.1 * b.1)
                .sum()
        };
        [cos, sin]
            .into_iter()
            .chain(ahead.iter().zip(&counts).map(product))
            .collect()
    };
    Sums {
        rows: block.frames() as f64,
        pairs: counts.iter().map(|&count| count as f64).collect(),
        torsions: torsions.iter().map(of).collect(),
    }
}

fn add(parts: &[&Sums]) -> Sums {
    let zeros = |list: &Vec<f64>| vec![0.0; list.len()];
    let mut all = Sums {
        rows: 0.0,
        pairs: zeros(&parts[0].pairs),
        torsions: parts[0].torsions.iter().map(zeros).collect(),
    };
    let accumulate = |sums: &mut Vec<f64>, values: &[f64]| {
        sums.iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum += value);
    };
    for part in parts {
        all.rows += part.rows;
        accumulate(&mut all.pairs, &part.pairs);
        all.torsions
            .iter_mut()
            .zip(&part.torsions)
            .for_each(|(sums, values)| accumulate(sums, values));
    }
    all
}

/// Decorrelation time of one torsion, ps; where the correlation does not reach zero within the
/// lags, the integral so far.
fn time(sums: &Sums, place: usize, lags: &[usize], step: f64) -> f64 {
    let list = &sums.torsions[place];
    let still = (list[0] * list[0] + list[1] * list[1]) / (sums.rows * sums.rows);
    let known: Vec<usize> = (0..lags.len())
        .filter(|&lag| sums.pairs[lag] > 0.0)
        .collect();
    let times: Vec<f64> = known.iter().map(|&lag| lags[lag] as f64 * step).collect();
    let values: Vec<f64> = known
        .iter()
        .map(|&lag| (list[2 + lag] / sums.pairs[lag] - still) / (1.0 - still))
        .collect();
    if 1.0 - still < STILL {
        f64::NAN
    } else {
        integral_to_zero(&times, &values).0
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::gather::Segment;
    use super::super::super::row::Row;
    use super::*;
    use crate::compare::relaxation::{autocorrelation, decorrelation_time};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A torsion that jumps by ±2π/3 with probability `rate` a frame.
    fn hopping(rate: f64, count: usize, seed: u64) -> Series {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut angle: f64 = 0.0;
        let row = |_| {
            if rng.random_range(0.0..1.0) < rate {
                angle += if rng.random_range(0.0..1.0) < 0.5 {
                    1.0
                } else {
                    -1.0
                } * std::f64::consts::TAU
                    / 3.0;
            }
            Row {
                torsions: vec![crate::geometry::torsion::wrap(angle) as f32],
                ..Row::default()
            }
        };
        let rows: Vec<Row> = (0..count).map(row).collect();
        Series {
            segments: vec![Segment {
                rows: 0..count,
                time_step: Some(1.0),
            }],
            frames: count,
            stride: 1,
            rows,
            ..Series::default()
        }
    }

    #[test]
    fn sums_over_blocks_give_the_time_of_the_whole_series() {
        // Each hop leaves e^iθ to its mean −1/2: C(l) = (1 − 1.5·rate)^l.
        let series = hopping(0.02, 50_000, 1);
        let clock = Clock {
            step: 1.0,
            units: [1, 1],
            lag: 10,
        };
        let lags = lags(&series, &series, &clock);
        let floors = Floors::new(&series, &series, [1, 1]);
        let [_, sums] = floors.totals(|block: &Block| sums_of(block, &[0], &lags), add);
        let found = time(&sums, 0, &lags, clock.step);
        let angles: Vec<f64> = series
            .rows
            .iter()
            .map(|row| row.torsions[0].into())
            .collect();
        let whole = decorrelation_time(&autocorrelation(&[&angles], 5000), 1.0).unwrap();
        assert!((found / whole - 1.0).abs() <= 0.02, "{found} {whole}");
        assert!((found / (1.0 / 0.03 - 0.5) - 1.0).abs() <= 0.1, "{found}");
    }
}
