//! Bonds, angles, clashes, chirality, validity.

use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure, Verdict};
use crate::compare::gather::Series;
use crate::compare::row::{Looker, Row};

const DEFINITIONS: [Definition; 5] = [
    Definition {
        name: "bond_deviation",
        label: "Bond deviation",
        unit: "Å",
        source: "RMS deviation of heavy-atom bonds from ff14SB template lengths; compared: its difference",
        better: Better::Lower,
        tolerance: 0.002,
    },
    Definition {
        name: "angle_deviation",
        label: "Angle deviation (1-3 distance)",
        unit: "Å",
        source: "RMS deviation of heavy-atom 1-3 distances from ff14SB templates; compared: its difference",
        better: Better::Lower,
        tolerance: 0.005,
    },
    Definition {
        name: "clashes",
        label: "Clashes a frame",
        unit: "",
        source: "heavy pairs more than three bonds apart overlapping by more than 1.5 Å (van der Waals radii; AlphaFold 2, supplement 1.9.11); compared: difference of means",
        better: Better::Lower,
        tolerance: 0.01,
    },
    Definition {
        name: "chirality",
        label: "Inverted centres a frame",
        unit: "",
        source: "CA, and CB of Ile and Thr, of another hand than in the start structure; compared: difference of means",
        better: Better::Lower,
        tolerance: 0.001,
    },
    Definition {
        name: "valid_fraction",
        label: "Valid frames",
        unit: "",
        source: "share of frames with every bond within 0.2 Å and 1-3 distance within 0.5 Å of its template, no contact below 1.5 Å, no inverted centre, no new cis peptide bond; compared: difference",
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
    /// Share of valid frames of the run; NaN without templates.
    pub valid: Vec<f64>,
    /// Largest bond deviation in the window, Å; NaN without templates.
    pub worst_bond: Vec<f64>,
    /// Mean RMSD to the start structure, Å.
    pub rmsd: Vec<f64>,
    /// Mean radius of gyration, Å.
    pub gyration: Vec<f64>,
}

impl OverTime {
    /// Windows over the segments of a side, laid over each other: segments are replicas that start
    /// together.
    pub fn of(series: &Series) -> Self {
        let longest = series
            .segments
            .iter()
            .map(|segment| segment.rows.len())
            .max()
            .unwrap_or(0);
        let windows = WINDOWS.min(longest);
        let mut over_time = OverTime {
            span: series
                .time_step()
                .map(|step| step * longest.saturating_sub(1) as f64),
            ..OverTime::default()
        };
        for window in 0..windows {
            let rows = || {
                series.segments.iter().flat_map(move |segment| {
                    let part = |edge: usize| {
                        segment.rows.start + (edge * longest / windows).min(segment.rows.len())
                    };
                    &series.rows[part(window)..part(window + 1)]
                })
            };
            let count = rows().count() as f64;
            let mean = |value: &dyn Fn(&Row) -> f32| {
                rows().map(|row| f64::from(value(row))).sum::<f64>() / count
            };
            over_time
                .middle
                .push((window as f64 + 0.5) / windows as f64);
            over_time.valid.push(mean(&|row| row.quality.valid));
            over_time.worst_bond.push(
                rows()
                    .map(|row| f64::from(row.quality.worst_bond))
                    .fold(f64::NAN, f64::max),
            );
            over_time.rmsd.push(mean(&|row| row.rmsd));
            over_time.gyration.push(mean(&|row| row.gyration));
        }
        over_time
    }
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
        series.damaged as f64 * block.range.len() as f64 / series.rows.len() as f64
    };
    let sums = |block: &Block| {
        let none = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, damaged(block)];
        block.rows().iter().fold(none, |sums, row| {
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
        let cleaner = match measure.name.as_str() {
            "clashes" | "chirality" => measure.run <= measure.reference,
            "valid_fraction" => measure.run >= measure.reference,
            _ => false,
        };
        // Fewer clashes than the reference has are a difference, but none to complain about.
        if cleaner && measure.verdict.is_some() {
            measure.verdict = Some(Verdict::Within);
        }
    }
    if looker.no_template.is_some() {
        measures.retain(|measure| matches!(measure.name.as_str(), "clashes" | "chirality"));
    }
    (measures, OverTime::of(run))
}
