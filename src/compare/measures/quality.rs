//! Bonds, angles, clashes, chirality, validity.

use std::collections::BTreeMap;

use crate::compare::blocks::Block;
use crate::compare::definition::Verdict;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::{Segment, Series};
use crate::compare::row::{Looker, Row};

const DEFINITIONS: [Definition; 5] = [
    Definition {
        name: "bond_deviation",
        label: "Bond deviation",
        unit: "Å",
        source: "RMS deviation of heavy-atom bonds from ff14SB template lengths; compared: its \
                 difference",
        better: Better::Lower,
        tolerance: 0.002,
    },
    Definition {
        name: "angle_deviation",
        label: "Angle deviation (1-3 distance)",
        unit: "Å",
        source: "RMS deviation of heavy-atom 1-3 distances from ff14SB templates; compared: its \
                 difference",
        better: Better::Lower,
        tolerance: 0.005,
    },
    Definition {
        name: "clashes",
        label: "Clashes a frame",
        unit: "",
        source: "heavy pairs more than three bonds apart overlapping by more than 1.5 Å (van der \
                 Waals radii; AlphaFold 2, supplement 1.9.11); compared: difference of means",
        better: Better::Lower,
        tolerance: 0.01,
    },
    Definition {
        name: "chirality",
        label: "Inverted centres a frame",
        unit: "",
        source: "CA, and CB of Ile and Thr, of another hand than in the start structure; compared: \
                 difference of means",
        better: Better::Lower,
        tolerance: 0.001,
    },
    Definition {
        name: "valid_fraction",
        label: "Valid frames",
        unit: "",
        source: "share of frames with every bond within 0.2 Å and 1-3 distance within 0.5 Å of its \
                 template, no contact below 1.5 Å, no inverted centre, no new cis peptide bond; \
                 compared: difference",
        better: Better::Lower,
        tolerance: 0.001,
    },
];

/// Points in time of [`OverTime`].
const WINDOWS: usize = 50;

/// Geometry over the run's time, in windows of equal length.
#[derive(Debug, Clone, Default)]
pub struct OverTime {
    /// Middle of each window, as a share of the trajectory.
    pub middle: Vec<f64>,
    /// Time that the trajectory spans (the longest of replicas), ps, where it is known.
    pub span: Option<f64>,
    /// All replicas, laid over each other: they start together.
    pub all: Trace,
    /// The first replicas, each by itself.
    pub replicas: Vec<Trace>,
}

/// Means in each window; NaN where a replica has ended.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Share of valid frames; NaN without templates.
    pub valid: Vec<f64>,
    /// RMSD to the start structure, Å.
    pub rmsd: Vec<f64>,
    /// Radius of gyration, Å.
    pub gyration: Vec<f64>,
}

/// Most replicas that are shown one by one.
const REPLICAS: usize = 16;

impl OverTime {
    /// Windows over the segments of a side.
    pub fn of(series: &Series) -> Self {
        let lengths = series.segments.iter().map(|segment| segment.rows.len());
        let longest = lengths.max().unwrap_or(0);
        let windows = WINDOWS.min(longest);
        let trace = |segments: &[Segment]| {
            let mut trace = Trace::default();
            for window in 0..windows {
                let rows: Vec<&Row> = segments
                    .iter()
                    .flat_map(|segment| {
                        let rows = &series.rows[segment.rows.clone()];
                        let edge = |edge: usize| (edge * longest / windows).min(rows.len());
                        &rows[edge(window)..edge(window + 1)]
                    })
                    .collect();
                let mean = |value: fn(&Row) -> f32| {
                    rows.iter().map(|row| f64::from(value(row))).sum::<f64>() / rows.len() as f64
                };
                trace.valid.push(mean(|row| row.quality.valid));
                trace.rmsd.push(mean(|row| row.rmsd));
                trace.gyration.push(mean(|row| row.gyration));
            }
            trace
        };
        let each = series.segments.chunks(1).take(REPLICAS).map(trace);
        OverTime {
            middle: (0..windows)
                .map(|window| (window as f64 + 0.5) / windows as f64)
                .collect(),
            span: series
                .time_step()
                .map(|step| step * longest.saturating_sub(1) as f64),
            all: trace(&series.segments),
            replicas: each.collect(),
        }
    }
}

/// Centres of another hand than in the start structure, and in how many frames; most first.
pub(super) fn inverted(series: &Series, looker: &Looker) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::new();
    let centres = series.rows.iter().flat_map(|row| &row.inverted);
    centres.for_each(|&centre| *counts.entry(centre as usize).or_insert(0) += 1);
    let label = |(centre, count)| (looker.topology.atom_label(centre), count);
    let mut found: Vec<(String, usize)> = counts.into_iter().map(label).collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
) -> (Vec<Measure>, OverTime) {
    // frames that are no molecule have no row; as frames that are not valid they count evenly
    let damaged = |block: &Block| {
        let series = if block.of_run { run } else { reference };
        series.damaged as f64 * block.frames() as f64 / series.rows.len() as f64
    };
    let sums = |block: &Block| {
        let none = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, damaged(block)];
        block.rows().fold(none, |sums, row| {
            let q = &row.quality;
            let values = [
                1.0,
                q.bond_square,
                q.angle_square,
                q.clashes,
                q.inverted,
                q.valid,
                0.0,
            ];
            std::array::from_fn(|place| sums[place] + f64::from(values[place]))
        })
    };
    let total = |parts: &[&[f64; 7]]| {
        parts.iter().fold([0.0; 7], |sums, part| {
            std::array::from_fn(|place| sums[place] + part[place])
        })
    };
    let numbers = |[count, bonds, angles, clashes, inverted, valid, damaged]: &[f64; 7]| {
        vec![
            (bonds / count).sqrt(),
            (angles / count).sqrt(),
            clashes / count,
            inverted / count,
            valid / (count + damaged),
        ]
    };
    let distances = |a: &[f64; 7], b: &[f64; 7]| {
        numbers(a)
            .iter()
            .zip(numbers(b))
            .map(|(a, b)| (a - b).abs())
            .collect()
    };
    let mut measures = floors.judge(&DEFINITIONS, sums, total, distances, numbers);
    for measure in &mut measures {
        // Fewer clashes than the reference has are a difference, but none to complain about.
        let better = match measure.name.as_str() {
            "clashes" | "chirality" => measure.run <= measure.reference,
            "valid_fraction" => measure.run >= measure.reference,
            _ => false,
        };
        measure.cap = better.then_some(Verdict::Within);
    }
    if looker.no_template.is_some() {
        measures.retain(|measure| matches!(measure.name.as_str(), "clashes" | "chirality"));
    }
    (measures, OverTime::of(run))
}
