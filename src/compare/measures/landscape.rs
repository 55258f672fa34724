//! Slow components of the reference's torsions: free-energy surfaces, states, and the transitions
//! between them.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::Clock;
use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::{Segment, Series};
use crate::compare::histogram::{bin, jensen_shannon};
use crate::compare::row::{Looker, Row};
use crate::compare::states::{States, transition_matrix};
use crate::compare::tica::{LaggedCovariance, Projection, tica};
use crate::geometry::torsion::Kind;

const DEFINITIONS: [Definition; 4] = [
    Definition {
        name: "tica_jsd",
        label: "Slowest component, JSD",
        unit: "",
        source: "Jensen–Shannon divergence along the first of the time-lagged independent \
                 components (deeptime's definition: reversible, kinetic map) of cos and sin of φ, \
                 ψ, χ of the reference; 100 bins",
        better: Better::Lower,
        tolerance: 0.002,
    },
    Definition {
        name: "tica_plane_jsd",
        label: "Two slowest components, JSD",
        unit: "",
        source: "the same in the plane of the first two components, 50 × 50 bins",
        better: Better::Lower,
        tolerance: 0.005,
    },
    Definition {
        name: "states_jsd",
        label: "State populations, JSD",
        unit: "",
        source: "Jensen–Shannon divergence of the populations of up to 10 k-means states in the \
                 reference's first four slow components",
        better: Better::Lower,
        tolerance: 0.001,
    },
    Definition {
        name: "transitions_jsd",
        label: "Transitions between states, JSD",
        unit: "",
        source: "Jensen–Shannon divergence of the rows of the transition matrix at the lag time, \
                 mean over states weighted by the reference's populations",
        better: Better::Lower,
        tolerance: 0.001,
    },
];

/// Most torsions that slow components are made of: those of largest circular variance in the
/// reference.
const MOST_TORSIONS: usize = 200;
/// Fewest pairs of frames for each feature (a cosine or a sine): components of fewer fit the noise.
const PAIRS_A_FEATURE: usize = 10;
const COMPONENTS: usize = 4;
const STATES: usize = 10;
const LINE_BINS: usize = 100;
/// Bins of the free-energy surfaces along each component.
pub const SURFACE_BINS: usize = 50;
/// Rows that are made into features at a time.
const CHUNK: usize = 4096;
/// Points that k-means is given.
const CLUSTERED: usize = 20_000;

/// Slow components and states of both sides, for the report.
#[derive(Debug, Clone)]
pub struct Landscape {
    /// Lag time, ps.
    pub lag: f64,
    /// Autocorrelation of each component at the lag time.
    pub eigenvalues: Vec<f64>,
    /// Ends of the first two components.
    pub ranges: [(f64, f64); 2],
    /// Counts in the plane of the first two components, run and reference, `SURFACE_BINS`², first
    /// component slowest.
    pub surfaces: [Vec<f64>; 2],
    /// Transition matrices at the lag time, run and reference.
    pub transitions: [DMatrix<f64>; 2],
    /// Populations of the states, run and reference.
    pub populations: [Vec<f64>; 2],
}

/// Components × rows of a side and the state of every row.
struct Projected {
    points: DMatrix<f64>,
    assigned: Vec<usize>,
}

/// Counts along the first component, in the plane, in the states, and of transitions.
struct Sums {
    line: Vec<f64>,
    plane: Vec<f64>,
    states: Vec<f64>,
    transitions: DMatrix<f64>,
}

impl Sums {
    fn empty(states: usize) -> Self {
        Sums {
            line: vec![0.0; LINE_BINS],
            plane: vec![0.0; SURFACE_BINS * SURFACE_BINS],
            states: vec![0.0; states],
            transitions: DMatrix::zeros(states, states),
        }
    }
    fn total(parts: &[&Sums]) -> Self {
        let mut all = Sums::empty(parts[0].states.len());
        for part in parts {
            let lists = [
                (&mut all.line, &part.line),
                (&mut all.plane, &part.plane),
                (&mut all.states, &part.states),
            ];
            lists.into_iter().for_each(|(sum, add)| {
                sum.iter_mut()
                    .zip(add)
                    .for_each(|(sum, value)| *sum += value);
            });
            all.transitions += &part.transitions;
        }
        all
    }
    fn distances(&self, other: &Sums) -> Vec<f64> {
        let transitions = row_divergence(
            &transition_matrix(&self.transitions),
            &transition_matrix(&other.transitions),
            &other.states,
        );
        vec![
            jensen_shannon(&self.line, &other.line),
            jensen_shannon(&self.plane, &other.plane),
            jensen_shannon(&self.states, &other.states),
            transitions,
        ]
    }
}

/// Divergence of the rows of two transition matrices, weighted.
fn row_divergence(left: &DMatrix<f64>, right: &DMatrix<f64>, weights: &[f64]) -> f64 {
    let row = |matrix: &DMatrix<f64>, state: usize| {
        matrix.row(state).iter().copied().collect::<Vec<f64>>()
    };
    let all: f64 = weights.iter().sum();
    weights
        .iter()
        .enumerate()
        .map(|(state, weight)| weight / all * jensen_shannon(&row(left, state), &row(right, state)))
        .sum()
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
    clock: &Clock,
) -> Result<(Vec<Measure>, Landscape), String> {
    let lag = clock.lag * clock.units[1];
    let pairs: usize = reference
        .segments
        .iter()
        .map(|segment| segment.rows.len().saturating_sub(lag))
        .sum();
    let most = MOST_TORSIONS.min(pairs / (2 * PAIRS_A_FEATURE));
    if most < 2 {
        return Err(format!(
            "no slow components: the reference has only {pairs} pairs of frames a lag time apart"
        ));
    }
    let chosen = lively_torsions(reference, looker, most);
    if chosen.is_empty() {
        return Err("no slow components: the atoms compared have no φ, ψ or χ".into());
    }
    let projection = slow_components(reference, &chosen, lag, COMPONENTS).ok_or(
        "no slow components: no torsion moves in the reference, or it is shorter than the lag time",
    )?;
    let points = [run, reference].map(|series| project(series, &chosen, &projection));
    let every = points[1].ncols().div_ceil(CLUSTERED);
    let few: Vec<usize> = (0..points[1].ncols()).step_by(every).collect();
    let states = States::fit(
        &points[1].select_columns(&few),
        STATES.min(few.len() / 10).max(2),
        1,
    );
    let [ours, theirs] = points.map(|points| Projected {
        assigned: states.assign(&points),
        points,
    });
    let range = |component: usize| {
        let row = theirs.points.row(component.min(theirs.points.nrows() - 1));
        (row.min(), row.max() + 1e-9)
    };
    let ranges = [range(0), range(1)];
    let sums = |block: &Block| {
        let side = if block.of_run { &ours } else { &theirs };
        sums_of(block, side, &states, &ranges, clock.lag * block.unit)
    };
    let measures = floors.judge(&DEFINITIONS, sums, Sums::total, Sums::distances, |_| {
        Vec::new()
    });
    let totals = floors.totals(sums, Sums::total);
    let landscape = Landscape {
        lag: clock.lag as f64 * clock.step,
        eigenvalues: projection.values.clone(),
        ranges,
        surfaces: [totals[0].plane.clone(), totals[1].plane.clone()],
        transitions: [&totals[0], &totals[1]].map(|sums| transition_matrix(&sums.transitions)),
        populations: [&totals[0], &totals[1]].map(|sums| {
            let all: f64 = sums.states.iter().sum();
            sums.states.iter().map(|count| count / all).collect()
        }),
    };
    Ok((measures, landscape))
}

fn sums_of(
    block: &Block,
    side: &Projected,
    states: &States,
    ranges: &[(f64, f64); 2],
    lag: usize,
) -> Sums {
    let mut sums = Sums::empty(states.count());
    let second = 1.min(side.points.nrows() - 1);
    for place in block.places() {
        let row = block.start + place;
        let (x, y) = (side.points[(0, row)], side.points[(second, row)]);
        sums.line[bin(x, ranges[0], LINE_BINS)] += 1.0;
        sums.plane
            [bin(x, ranges[0], SURFACE_BINS) * SURFACE_BINS + bin(y, ranges[1], SURFACE_BINS)] +=
            1.0;
        sums.states[side.assigned[row]] += 1.0;
        // Pairs that start in the block may end beyond it, in the same segment.
        if place + lag < block.segment.len() {
            sums.transitions[(side.assigned[row], side.assigned[row + lag])] += 1.0;
        }
    }
    sums
}

/// The torsions that slow components are made of, by index.
pub(crate) fn lively_torsions(reference: &Series, looker: &Looker, most: usize) -> Vec<usize> {
    let variance = |torsion: usize| {
        let (cos, sin) = reference.rows.iter().fold((0.0, 0.0), |(cos, sin), row| {
            let angle = f64::from(row.torsions[torsion]);
            (cos + angle.cos(), sin + angle.sin())
        });
        1.0 - cos.hypot(sin) / reference.rows.len() as f64
    };
    let moving = (0..looker.torsions.len())
        .into_par_iter()
        .filter(|&torsion| looker.torsions[torsion].kind != Kind::Omega);
    let mut ranked: Vec<(f64, usize)> =
        moving.map(|torsion| (variance(torsion), torsion)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<usize> = ranked
        .into_iter()
        .take(most)
        .map(|(_, torsion)| torsion)
        .collect();
    chosen.sort_unstable();
    chosen
}

/// Cosines, then sines, of the chosen torsions: features × rows.
fn features(rows: &[Row], chosen: &[usize]) -> DMatrix<f64> {
    let count = chosen.len();
    let mut features = DMatrix::zeros(2 * count, rows.len());
    for (mut column, row) in features.column_iter_mut().zip(rows) {
        for (place, &torsion) in chosen.iter().enumerate() {
            let (sin, cos) = f64::from(row.torsions[torsion]).sin_cos();
            column[place] = cos;
            column[count + place] = sin;
        }
    }
    features
}

/// Slow components of cos and sin of the chosen torsions, `lag` rows apart.
pub(crate) fn slow_components(
    reference: &Series,
    chosen: &[usize],
    lag: usize,
    components: usize,
) -> Option<Projection> {
    let mut covariance = LaggedCovariance::new(2 * chosen.len());
    for Segment { rows, .. } in &reference.segments {
        for start in rows.clone().step_by(CHUNK) {
            covariance.add(
                &features(
                    &reference.rows[start..(start + CHUNK + lag).min(rows.end)],
                    chosen,
                ),
                lag,
            );
        }
    }
    tica(&covariance, components)
}

/// Components × rows of a side.
pub(crate) fn project(series: &Series, chosen: &[usize], projection: &Projection) -> DMatrix<f64> {
    let chunks: Vec<DMatrix<f64>> = series
        .rows
        .par_chunks(CHUNK)
        .map(|rows| projection.apply(&features(rows, chosen)))
        .collect();
    let values: Vec<f64> = chunks
        .iter()
        .flat_map(|chunk| chunk.iter().copied())
        .collect();
    DMatrix::from_vec(projection.vectors.ncols(), series.rows.len(), values)
}
