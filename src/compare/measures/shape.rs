//! Size, shape and fluctuations: RMSD, radius of gyration, RMSF, pairwise RMSD, principal
//! components.

use nalgebra::Vector3;

use super::spread::{Plane, Samples, spreads};
use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::fluctuation::Moments;
use crate::compare::gather::Series;
use crate::compare::row::{Looker, Row};
use crate::compare::smooth::Kernel;
use crate::compare::statistics::{deviation, mean, pearson, quantile};
use crate::compare::transport::wasserstein2_line;

const SIZES: [Definition; 2] = [
    Definition {
        name: "rmsd",
        label: "RMSD to the start structure",
        unit: "Å",
        source: "Wasserstein-2 distance between the distributions of the RMSD of the trace atoms \
                 to the start structure; run and reference: means",
        better: Better::Lower,
        tolerance: 0.02,
    },
    Definition {
        name: "radius_of_gyration",
        label: "Radius of gyration",
        unit: "Å",
        source: "Wasserstein-2 distance between the distributions of the mass-weighted radius of \
                 gyration of the heavy atoms; run and reference: means",
        better: Better::Lower,
        tolerance: 0.01,
    },
];

const FLUCTUATIONS: [Definition; 2] = [
    Definition {
        name: "rmsf_r",
        label: "RMSF, Pearson r",
        unit: "",
        source: "Pearson correlation of the root mean square fluctuations of the trace atoms, \
                 superposed on the start structure",
        better: Better::Higher,
        tolerance: 0.01,
    },
    Definition {
        name: "rmsf_difference",
        label: "RMSF difference",
        unit: "Å",
        source: "mean absolute difference of the root mean square fluctuations of the trace atoms; \
                 run and reference: their means",
        better: Better::Lower,
        tolerance: 0.02,
    },
];

/// Distributions and fluctuations of both sides, for the report.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// RMSF of the trace atoms, run and reference, Å.
    pub rmsf: [Vec<f64>; 2],
    /// What MD as long as the run has, between which ends in 95 %.
    pub rmsf_band: Vec<[f64; 2]>,
    /// RMSD to the start structure, Å.
    pub rmsd: Density,
    /// Radius of gyration, Å.
    pub gyration: Density,
    /// Points in the plane of the first two principal components, run and reference, Å per atom.
    pub plane: [Vec<[f64; 2]>; 2],
    /// Trace atoms of a few frames, superposed, run and reference, Å.
    pub traces: [Vec<Vec<Vector3<f64>>>; 2],
}

/// Smoothed densities of one number.
#[derive(Debug, Clone, Default)]
pub struct Density {
    /// Where they are known.
    pub at: Vec<f64>,
    /// Of run and reference.
    pub curves: [Vec<f64>; 2],
    /// Of MD as long as the run: between which ends in 95 %.
    pub band: Vec<[f64; 2]>,
    /// Standard deviation of the Gaussian kernel.
    pub kernel: f64,
}

/// Frames of [`Shape::traces`].
const TRACES: usize = 10;

pub(super) fn judge<'a>(
    floors: &Floors<'a>,
    run: &'a Series,
    reference: &'a Series,
    looker: &Looker,
) -> (Vec<Measure>, Shape) {
    let (mut measures, rmsf, rmsf_band) = fluctuations(floors, looker);
    measures.splice(0..0, sizes(floors, looker.torsions.len()));
    let plane = Plane::of(reference);
    let project = |row: &Row| {
        plane
            .as_ref()
            .map_or([f64::NAN; 2], |plane| plane.place(row))
    };
    let samples = [&Samples::of(run), &Samples::of(reference)];
    measures.extend(spreads(floors, samples, &project));
    let scattered = |series: &Series| {
        series
            .rows
            .iter()
            .step_by(series.rows.len().div_ceil(1500))
            .map(project)
            .collect()
    };
    let few = |series: &Series| {
        series
            .rows
            .iter()
            .step_by(series.rows.len().div_ceil(TRACES))
            .map(Row::trace_positions)
            .collect()
    };
    let shape = Shape {
        rmsf,
        rmsf_band,
        rmsd: density(floors, [run, reference], |row| row.rmsd),
        gyration: density(floors, [run, reference], |row| row.gyration),
        plane: [scattered(run), scattered(reference)],
        traces: [few(run), few(reference)],
    };
    (measures, shape)
}

/// Densities of a number, by a kernel as wide as Scott's rule has it for the frames of the run.
fn density(floors: &Floors, sides: [&Series; 2], value: fn(&Row) -> f32) -> Density {
    let values = sides.map(|series| -> Vec<f64> {
        series
            .rows
            .iter()
            .map(|row| f64::from(value(row)))
            .collect()
    });
    let all = values.concat();
    let range = (quantile(&all, 0.001), quantile(&all, 0.999));
    let width = deviation(&values[1]) * (values[0].len() as f64).powf(-0.2);
    let known = width > 0.0 && range.0 < range.1;
    if !known {
        return Density::default();
    }
    let kernel = Kernel {
        range: (range.0 - 2.0 * width, range.1 + 2.0 * width),
        width,
    };
    let counts = |block: &Block| kernel.counts(block.rows().map(|row| f64::from(value(row))));
    let total = |parts: &[&Vec<f64>]| {
        let mut sum = vec![0.0; parts.first().map_or(0, |part| part.len())];
        for part in parts {
            sum.iter_mut()
                .zip(*part)
                .for_each(|(sum, count)| *sum += count);
        }
        sum
    };
    Density {
        at: kernel.at(),
        curves: values.map(|values| kernel.density(&kernel.counts(values))),
        band: floors.bands(counts, total, |sum| kernel.density(sum)),
        kernel: width,
    }
}

/// Each judged by its own memory, which stands behind those of so many torsions.
fn sizes(floors: &Floors, torsions: usize) -> Vec<Measure> {
    type Values = [Vec<f64>; 2];
    let values = |block: &Block| -> Values {
        [
            block.rows().map(|row| row.rmsd.into()).collect(),
            block.rows().map(|row| row.gyration.into()).collect(),
        ]
    };
    let total = |parts: &[&Values]| -> Values {
        [0, 1].map(|which| {
            let mut all: Vec<f64> = parts
                .iter()
                .flat_map(|part| &part[which])
                .copied()
                .collect();
            all.sort_by(f64::total_cmp);
            all
        })
    };
    let distances = |a: &Values, b: &Values| {
        vec![
            wasserstein2_line(&a[0], &b[0]),
            wasserstein2_line(&a[1], &b[1]),
        ]
    };
    let means = |values: &Values| values.iter().map(|values| mean(values)).collect();
    let judged = |floors: &Floors| floors.judge(&SIZES, values, total, distances, means);
    let mut measures = judged(floors);
    floors.by_own_memory(&mut measures, judged, |place| torsions + place);
    measures
}

/// The measures, the RMSF of run and reference, and that of MD as long as the run.
type Fluctuations = (Vec<Measure>, [Vec<f64>; 2], Vec<[f64; 2]>);

fn fluctuations(floors: &Floors, looker: &Looker) -> Fluctuations {
    let moments = |block: &Block| {
        let mut moments = Moments::about(looker.start.clone());
        block
            .rows()
            .for_each(|row| moments.add(row.trace_positions()));
        moments
    };
    let total = |parts: &[&Moments]| {
        let mut sum = Moments::about(looker.start.clone());
        parts.iter().for_each(|part| sum.merge(part));
        sum
    };
    let distances = |a: &Moments, b: &Moments| {
        let (a, b) = (a.rmsf(), b.rmsf());
        vec![
            pearson(&a, &b),
            a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64,
        ]
    };
    let measures = floors.judge(&FLUCTUATIONS, moments, total, distances, |sum| {
        vec![f64::NAN, mean(&sum.rmsf())]
    });
    let both = floors.totals(moments, total).map(|sum| sum.rmsf());
    (measures, both, floors.bands(moments, total, Moments::rmsf))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::gather::Segment;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// Rows of a torsion and a radius of gyration that forget as `memory` says: a share that is
    /// kept from row to row, of each.
    fn series(memory: [f64; 2], rows: usize, seed: u64) -> Series {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut state = [0.0; 2];
        let mut row = |_| {
            for (value, kept) in state.iter_mut().zip(memory) {
                let kick: f64 = StandardNormal.sample(&mut rng);
                *value = kept * *value + (1.0 - kept * kept).sqrt() * kick;
            }
            Row {
                torsions: vec![(0.3 * state[0]) as f32],
                gyration: (10.0 + state[1]) as f32,
                ..Row::default()
            }
        };
        Series {
            rows: (0..rows).map(&mut row).collect(),
            segments: vec![Segment {
                rows: 0..rows,
                time_step: Some(1.0),
            }],
            frames: rows,
            stride: 1,
            ..Series::default()
        }
    }

    #[test]
    fn a_size_that_forgets_soon_is_judged_by_its_own_memory() {
        // the same noise, once beside a torsion that forgets at once, once beside a slow one
        let judged = |memory: [f64; 2]| {
            let (run, reference) = (series(memory, 200, 1), series(memory, 4000, 2));
            let floors = Floors::new(&run, &reference, [1, 1]);
            sizes(&floors, 1).remove(1)
        };
        let (alone, beside) = (judged([0.0, 0.0]), judged([0.995, 0.0]));
        assert_eq!((alone.high, alone.floor), (beside.high, beside.floor));
        // |N(0, 1/200 + 1/4000)| is above 2.24 deviations in 2.5 %; W2 counts the width's too
        let high = alone.high.unwrap() / (1.0f64 / 200.0 + 1.0 / 4000.0).sqrt();
        assert!((2.0..3.2).contains(&high), "{high}");
        // one that is slow itself is not
        let (fast, slow) = (judged([0.995, 0.0]), judged([0.995, 0.98]));
        assert!(slow.high > fast.high.map(|high| 3.0 * high), "{slow:?}");
    }
}
