//! Size, shape and fluctuations: RMSD, radius of gyration, RMSF, pairwise RMSD, principal
//! components.

use nalgebra::{DMatrix, Vector3};
use rayon::prelude::*;

use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::fluctuation::Moments;
use crate::compare::gather::Series;
use crate::compare::row::{Looker, Row};
use crate::compare::statistics::{mean, pearson};
use crate::compare::tica::{Projection, pca};
use crate::compare::transport::{wasserstein2, wasserstein2_line};
use crate::geometry::superpose::rmsd;

const SIZES: [Definition; 2] = [
    Definition {
        name: "rmsd",
        label: "RMSD to the start structure",
        unit: "Å",
        source: "Wasserstein-2 distance between the distributions of the RMSD of the trace atoms to the start structure; run and reference: means",
        better: Better::Lower,
        tolerance: 0.02,
    },
    Definition {
        name: "radius_of_gyration",
        label: "Radius of gyration",
        unit: "Å",
        source: "Wasserstein-2 distance between the distributions of the mass-weighted radius of gyration of the heavy atoms; run and reference: means",
        better: Better::Lower,
        tolerance: 0.01,
    },
];

const FLUCTUATIONS: [Definition; 2] = [
    Definition {
        name: "rmsf_r",
        label: "RMSF, Pearson r",
        unit: "",
        source: "Pearson correlation of the root mean square fluctuations of the trace atoms, superposed on the start structure",
        better: Better::Higher,
        tolerance: 0.01,
    },
    Definition {
        name: "rmsf_difference",
        label: "RMSF difference",
        unit: "Å",
        source: "mean absolute difference of the root mean square fluctuations of the trace atoms; run and reference: their means",
        better: Better::Lower,
        tolerance: 0.02,
    },
];

const SPREADS: [Definition; 2] = [
    Definition {
        name: "pairwise_rmsd",
        label: "Pairwise RMSD",
        unit: "Å",
        source: "mean RMSD between frames of one side (AlphaFlow: Jing et al., ICML 2024); compared: its difference",
        better: Better::Lower,
        tolerance: 0.02,
    },
    Definition {
        name: "pca_w2",
        label: "PCA, Wasserstein-2",
        unit: "Å",
        source: "Wasserstein-2 distance of the points in the plane of the first two principal components of the reference's trace atoms, per atom as an RMSD is (AlphaFlow)",
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

/// Distributions and fluctuations of both sides, for the report.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// RMSF of the trace atoms, run and reference, Å.
    pub rmsf: [Vec<f64>; 2],
    /// RMSD to the start structure of every row, run and reference, Å.
    pub rmsd: [Vec<f64>; 2],
    /// Radius of gyration of every row, run and reference, Å.
    pub gyration: [Vec<f64>; 2],
    /// Points in the plane of the first two principal components, run and reference, Å per atom.
    pub plane: [Vec<[f64; 2]>; 2],
    /// Trace atoms of a few frames, superposed, run and reference, Å.
    pub traces: [Vec<Vec<Vector3<f64>>>; 2],
}

/// Frames of [`Shape::traces`].
const TRACES: usize = 10;

/// Rows of a side that are compared pair by pair, evenly spaced, and the RMSD of every pair.
struct Samples {
    rows: Vec<usize>,
    rmsd: DMatrix<f32>,
    points: Vec<[f64; 2]>,
}

impl Samples {
    fn of(series: &Series, plane: &dyn Fn(&Row) -> [f64; 2]) -> Self {
        let count = series.rows.len().min(SAMPLES);
        let rows: Vec<usize> = (0..count)
            .map(|sample| sample * series.rows.len() / count)
            .collect();
        let traces: Vec<Vec<Vector3<f64>>> =
            rows.iter().map(|&row| trace(&series.rows[row])).collect();
        let column = |j: usize| -> Vec<f32> {
            (0..count)
                .map(|i| {
                    if i < j {
                        rmsd(&traces[i], &traces[j]) as f32
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let columns: Vec<Vec<f32>> = (0..count).into_par_iter().map(column).collect();
        let points = rows.iter().map(|&row| plane(&series.rows[row])).collect();
        Samples {
            rows,
            rmsd: DMatrix::from_vec(count, count, columns.concat()),
            points,
        }
    }
    /// Those that lie in a block.
    fn within(&self, block: &Block) -> Vec<usize> {
        let end = block.first + block.range.len();
        (0..self.rows.len())
            .filter(|&sample| (block.first..end).contains(&self.rows[sample]))
            .collect()
    }
    fn mean_rmsd(&self, samples: &[usize]) -> f64 {
        let pairs = samples
            .iter()
            .enumerate()
            .flat_map(|(place, &j)| samples[..place].iter().map(move |&i| (i.min(j), i.max(j))));
        let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), pair| {
            (sum + f64::from(self.rmsd[pair]), count + 1.0)
        });
        sum / count
    }
}

fn trace(row: &Row) -> Vec<Vector3<f64>> {
    row.trace
        .iter()
        .map(|&x| Vector3::from(x).map(f64::from))
        .collect()
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
) -> (Vec<Measure>, Shape) {
    let (mut measures, rmsf) = fluctuations(floors, looker);
    measures.splice(0..0, sizes(floors));
    let plane = plane_of(reference);
    let project = |row: &Row| {
        plane
            .as_ref()
            .map_or([f64::NAN; 2], |plane| plane.place(row))
    };
    measures.extend(spreads(
        floors,
        [
            &Samples::of(run, &project),
            &Samples::of(reference, &project),
        ],
    ));
    let list = |series: &Series, value: &dyn Fn(&Row) -> f32| {
        series
            .rows
            .iter()
            .map(|row| f64::from(value(row)))
            .collect::<Vec<f64>>()
    };
    let both = |value: &dyn Fn(&Row) -> f32| [list(run, value), list(reference, value)];
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
            .map(trace)
            .collect()
    };
    let shape = Shape {
        rmsf,
        rmsd: both(&|row| row.rmsd),
        gyration: both(&|row| row.gyration),
        plane: [scattered(run), scattered(reference)],
        traces: [few(run), few(reference)],
    };
    (measures, shape)
}

fn sizes(floors: &Floors) -> Vec<Measure> {
    type Values = [Vec<f64>; 2];
    let values = |block: &Block| -> Values {
        let rows = block.rows();
        [
            rows.iter().map(|row| row.rmsd.into()).collect(),
            rows.iter().map(|row| row.gyration.into()).collect(),
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
    floors.judge(&SIZES, values, total, distances, |values| {
        values.iter().map(|values| mean(values)).collect()
    })
}

fn fluctuations(floors: &Floors, looker: &Looker) -> (Vec<Measure>, [Vec<f64>; 2]) {
    let moments = |block: &Block| {
        let mut moments = Moments::about(looker.start.clone());
        block.rows().iter().for_each(|row| moments.add(trace(row)));
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
    (
        measures,
        floors.totals(moments, total).map(|sum| sum.rmsf()),
    )
}

fn spreads(floors: &Floors, samples: [&Samples; 2]) -> Vec<Measure> {
    /// Mean pairwise RMSD needs to know whose samples these are.
    type Chosen = (bool, Vec<usize>);
    let side = |of_run: bool| samples[usize::from(!of_run)];
    let chosen = |block: &Block| -> Chosen { (block.of_run, side(block.of_run).within(block)) };
    let total = |parts: &[&Chosen]| -> Chosen {
        (
            parts[0].0,
            parts
                .iter()
                .flat_map(|part| part.1.iter().copied())
                .collect(),
        )
    };
    let number = |(of_run, list): &Chosen| side(*of_run).mean_rmsd(list);
    let points = |(of_run, list): &Chosen, count: usize| -> Vec<[f64; 2]> {
        (0..count)
            .map(|place| side(*of_run).points[list[place * list.len() / count]])
            .collect()
    };
    let distances = |a: &Chosen, b: &Chosen| {
        let count = a.1.len().min(b.1.len()).min(POINTS);
        vec![
            (number(a) - number(b)).abs(),
            wasserstein2(&points(a, count), &points(b, count)),
        ]
    };
    floors.judge(&SPREADS, chosen, total, distances, |list| {
        vec![number(list)]
    })
}

/// The plane of the first two principal components of the reference.
struct Plane {
    projection: Projection,
    every: usize,
}

impl Plane {
    fn coordinates(row: &Row, every: usize) -> impl Iterator<Item = f64> {
        row.trace
            .iter()
            .step_by(every)
            .flatten()
            .map(|&value| f64::from(value))
    }
    fn place(&self, row: &Row) -> [f64; 2] {
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
}

fn plane_of(reference: &Series) -> Option<Plane> {
    let every = reference
        .rows
        .first()?
        .trace
        .len()
        .div_ceil(COMPONENT_ATOMS);
    let rows: Vec<&Row> = reference
        .rows
        .iter()
        .step_by(reference.rows.len().div_ceil(COMPONENT_FRAMES))
        .collect();
    let features = Plane::coordinates(rows[0], every).count();
    let coordinates = rows.iter().flat_map(|row| Plane::coordinates(row, every));
    let projection = pca(
        &DMatrix::from_iterator(features, rows.len(), coordinates),
        2,
    )?;
    Some(Plane { projection, every })
}
