//! How far frames of one side are from each other, and where they lie in the plane of the largest
//! motions.

use nalgebra::{DMatrix, Vector3};
use rayon::prelude::*;

use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::Series;
use crate::compare::row::Row;
use crate::compare::tica::{Projection, pca};
use crate::compare::transport::wasserstein2;
use crate::geometry::superpose::rmsd;

const SPREADS: [Definition; 2] = [
    Definition {
        name: "pairwise_rmsd",
        label: "Pairwise RMSD",
        unit: "Å",
        source: "mean RMSD between frames of one side (AlphaFlow: Jing et al., ICML 2024); \
                 compared: its difference",
        better: Better::Lower,
        tolerance: 0.02,
    },
    Definition {
        name: "pca_w2",
        label: "PCA, Wasserstein-2",
        unit: "Å",
        source: "Wasserstein-2 distance of the points in the plane of the first two principal \
                 components of the reference's trace atoms, per atom as an RMSD is (AlphaFlow)",
        better: Better::Lower,
        tolerance: 0.02,
    },
];

/// Frames of a side that are compared pair by pair.
const SAMPLES: usize = 400;
/// Points of a side that are carried onto the other's.
const POINTS: usize = 200;
/// Trace atoms, and frames of the reference, that principal components are made of.
const COMPONENT_ATOMS: usize = 300;
const COMPONENT_FRAMES: usize = 5000;

/// Rows of a side that are compared pair by pair, evenly spaced, and the RMSD of every pair.
pub(super) struct Samples {
    rows: Vec<usize>,
    rmsd: DMatrix<f32>,
}

impl Samples {
    pub(super) fn of(series: &Series) -> Self {
        let count = series.rows.len().min(SAMPLES);
        let rows: Vec<usize> = (0..count)
            .map(|sample| sample * series.rows.len() / count)
            .collect();
        let traces: Vec<Vec<Vector3<f64>>> = rows
            .iter()
            .map(|&row| series.rows[row].trace_positions())
            .collect();
        let column = |j: usize| -> Vec<f32> {
            let below = (0..j).map(|i| rmsd(&traces[i], &traces[j]) as f32);
            below.chain(std::iter::repeat(0.0)).take(count).collect()
        };
        let columns: Vec<Vec<f32>> = (0..count).into_par_iter().map(column).collect();
        Samples {
            rows,
            rmsd: DMatrix::from_vec(count, count, columns.concat()),
        }
    }
    /// Those that lie in a block.
    fn within(&self, block: &Block) -> Vec<usize> {
        let rows = block.start + block.range.start..block.start + block.range.end;
        (0..self.rows.len())
            .filter(|&sample| rows.contains(&self.rows[sample]))
            .collect()
    }
    /// Mean over pairs of different samples.
    fn mean_rmsd(&self, samples: &[usize]) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (place, &j) in samples.iter().enumerate() {
            for &i in samples[..place].iter().filter(|&&i| i != j) {
                sum += f64::from(self.rmsd[(i.min(j), i.max(j))]);
                count += 1.0;
            }
        }
        sum / count
    }
}

/// At most `count` of a list, evenly spaced.
fn thinned<T: Copy>(list: &[T], count: usize) -> Vec<T> {
    let count = count.min(list.len());
    (0..count)
        .map(|place| list[place * list.len() / count])
        .collect()
}

/// Samples and points of some frames.
struct Spread {
    of_run: bool,
    samples: Vec<usize>,
    points: Vec<[f64; 2]>,
}

pub(super) fn spreads(
    floors: &Floors,
    samples: [&Samples; 2],
    plane: &(dyn Fn(&Row) -> [f64; 2] + Sync),
) -> Vec<Measure> {
    let side = |of_run: bool| samples[usize::from(!of_run)];
    let spread = |block: &Block| Spread {
        of_run: block.of_run,
        samples: side(block.of_run).within(block),
        points: block.rows().map(plane).collect(),
    };
    let total = |parts: &[&Spread]| Spread {
        of_run: parts[0].of_run,
        samples: parts
            .iter()
            .flat_map(|part| &part.samples)
            .copied()
            .collect(),
        points: parts
            .iter()
            .flat_map(|part| &part.points)
            .copied()
            .collect(),
    };
    let number = |some: &Spread| side(some.of_run).mean_rmsd(&some.samples);
    let distances = |run: &Spread, reference: &Spread| {
        // a drawn run has no more samples than the run
        let few = thinned(&run.samples, samples[0].rows.len());
        let count = run.points.len().min(reference.points.len()).min(POINTS);
        vec![
            (side(run.of_run).mean_rmsd(&few) - number(reference)).abs(),
            wasserstein2(
                &thinned(&run.points, count),
                &thinned(&reference.points, count),
            ),
        ]
    };
    floors.judge(&SPREADS, spread, total, distances, |some| {
        vec![number(some)]
    })
}

/// The plane of the first two principal components of a side.
pub(crate) struct Plane {
    /// Its first two components.
    projection: Projection,
    every: usize,
    /// Variance along every component, Å², largest first.
    pub variances: Vec<f64>,
}

impl Plane {
    fn coordinates(row: &Row, every: usize) -> impl Iterator<Item = f64> {
        row.trace
            .iter()
            .step_by(every)
            .flatten()
            .map(|&value| f64::from(value))
    }
    /// Where a row lies in it, Å per atom.
    pub(crate) fn place(&self, row: &Row) -> [f64; 2] {
        let features = DMatrix::from_iterator(
            self.projection.mean.len(),
            1,
            Plane::coordinates(row, self.every),
        );
        let found = self.projection.apply(&features);
        let atoms = (self.projection.mean.len() as f64 / 3.0).sqrt();
        [
            found[0] / atoms,
            found.get(1).map_or(0.0, |second| second / atoms),
        ]
    }

    /// Of the rows of a side; `None` where it has none.
    pub(crate) fn of(series: &Series) -> Option<Plane> {
        let every = series.rows.first()?.trace.len().div_ceil(COMPONENT_ATOMS);
        let rows: Vec<&Row> = series
            .rows
            .iter()
            .step_by(series.rows.len().div_ceil(COMPONENT_FRAMES))
            .collect();
        let features = Plane::coordinates(rows[0], every).count();
        let coordinates = rows.iter().flat_map(|row| Plane::coordinates(row, every));
        let features = DMatrix::from_iterator(features, rows.len(), coordinates);
        let all = pca(&features, usize::MAX)?;
        let kept = all.values.len().min(2);
        Some(Plane {
            projection: Projection {
                mean: all.mean,
                vectors: all.vectors.columns(0, kept).into_owned(),
                values: all.values[..kept].to_vec(),
            },
            every,
            variances: all.values,
        })
    }
}
