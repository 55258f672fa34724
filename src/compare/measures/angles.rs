//! Torsions: divergence of each from the reference, and of the Ramachandran planes.

use std::f64::consts::PI;

use super::{count_keys, count_rows, sum_counts};
use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::Series;
use crate::compare::histogram::{TORSION_BINS, bin, jensen_shannon};
use crate::compare::row::{Looker, Row};
use crate::geometry::torsion::Kind;

const JSD: &str = "Jensen–Shannon divergence of each torsion's histogram, natural logarithm, 100 bins, mean over torsions (scipy's jensenshannon, squared)";

const fn divergence(
    name: &'static str,
    label: &'static str,
    source: &'static str,
    tolerance: f64,
) -> Definition {
    Definition {
        name,
        label,
        unit: "",
        source,
        better: Better::Lower,
        tolerance,
    }
}

/// A measure and the torsions that it is about.
type Group = (Definition, fn(Kind) -> bool);

const GROUPS: [Group; 4] = [
    (
        divergence("torsion_jsd", "Torsions φ ψ χ, JSD", JSD, 0.001),
        |kind| kind != Kind::Omega,
    ),
    (
        divergence("backbone_jsd", "Backbone φ ψ, JSD", JSD, 0.001),
        |kind| matches!(kind, Kind::Phi | Kind::Psi),
    ),
    (
        divergence("side_chain_jsd", "Side chains χ, JSD", JSD, 0.001),
        |kind| matches!(kind, Kind::Chi(_)),
    ),
    (
        divergence("omega_jsd", "Peptide bonds ω, JSD", JSD, 0.001),
        |kind| kind == Kind::Omega,
    ),
];

const ONE: Definition = divergence("torsion_jsd", "", JSD, 0.001);

const RAMACHANDRAN: Definition = divergence(
    "ramachandran_jsd",
    "Ramachandran planes, JSD",
    "Jensen–Shannon divergence of each residue's (φ, ψ) histogram, natural logarithm, 36 × 36 bins, mean over residues",
    0.002,
);

/// Bins of a Ramachandran plane along φ and along ψ.
pub const PLANE_BINS: usize = 36;
const TURN: (f64, f64) = (-PI, PI);

/// One torsion of the report.
#[derive(Debug, Clone)]
pub struct TorsionReport {
    /// `A:LYS 27 chi1`
    pub label: String,
    /// Its residue in the topology.
    pub residue: usize,
    /// Which torsion.
    pub kind: Kind,
    /// Its divergence beside its floor.
    pub measure: Measure,
    /// Histograms of run and reference, [`TORSION_BINS`] bins over (−π, π], counts.
    pub histograms: [Vec<f64>; 2],
}

/// Torsions of both sides, for the report.
#[derive(Debug, Clone, Default)]
pub struct Angles {
    /// Every torsion.
    pub torsions: Vec<TorsionReport>,
    /// Ramachandran counts over all residues, run and reference, [`PLANE_BINS`]², φ slowest.
    pub plane: [Vec<f64>; 2],
}

fn bins(row: &Row) -> Vec<u32> {
    let key = |(torsion, &angle): (usize, &f32)| {
        (torsion * TORSION_BINS + bin(angle.into(), TURN, TORSION_BINS)) as u32
    };
    row.torsions.iter().enumerate().map(key).collect()
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
) -> (Vec<Measure>, Angles) {
    let torsions = &looker.torsions;
    let counts = |block: &Block| count_keys(block.rows().iter().flat_map(bins).collect());
    let total = |parts: &[&Vec<(u32, u32)>]| {
        sum_counts(parts.iter().copied(), torsions.len() * TORSION_BINS)
    };
    // First the means over groups that exist, then every torsion.
    let groups: Vec<(Definition, Vec<usize>)> = GROUPS
        .iter()
        .map(|(definition, belongs)| {
            (
                *definition,
                (0..torsions.len())
                    .filter(|&index| belongs(torsions[index].kind))
                    .collect(),
            )
        })
        .filter(|(_, members): &(_, Vec<usize>)| !members.is_empty())
        .collect();
    let distances = |a: &Vec<f64>, b: &Vec<f64>| -> Vec<f64> {
        let each: Vec<f64> = a
            .chunks(TORSION_BINS)
            .zip(b.chunks(TORSION_BINS))
            .map(|(a, b)| jensen_shannon(a, b))
            .collect();
        let mean = |members: &[usize]| {
            members.iter().map(|&index| each[index]).sum::<f64>() / members.len() as f64
        };
        groups
            .iter()
            .map(|(_, members)| mean(members))
            .chain(each.iter().copied())
            .collect()
    };
    let definitions: Vec<Definition> = groups
        .iter()
        .map(|(definition, _)| *definition)
        .chain(std::iter::repeat_n(ONE, torsions.len()))
        .collect();
    let mut measures = floors.judge(&definitions, counts, total, distances, |_| Vec::new());
    let each = measures.split_off(groups.len());
    let [ours, theirs] = [run, reference]
        .map(|series| count_rows(&series.rows, torsions.len() * TORSION_BINS, bins));
    let report = |(index, mut measure): (usize, Measure)| {
        let label = torsions[index].label(&looker.topology);
        measure.label.clone_from(&label);
        let histogram =
            |counts: &[f64]| counts[index * TORSION_BINS..(index + 1) * TORSION_BINS].to_vec();
        let histograms = [histogram(&ours), histogram(&theirs)];
        TorsionReport {
            label,
            residue: torsions[index].residue,
            kind: torsions[index].kind,
            measure,
            histograms,
        }
    };
    let (plane_measure, plane) = ramachandran(floors, run, reference, looker);
    measures.extend(plane_measure);
    (
        measures,
        Angles {
            torsions: each.into_iter().enumerate().map(report).collect(),
            plane,
        },
    )
}

/// The Ramachandran planes of residues that have both φ and ψ; nothing where none has.
fn ramachandran(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
) -> (Option<Measure>, [Vec<f64>; 2]) {
    let place = |residue: usize, kind: Kind| {
        looker
            .torsions
            .iter()
            .position(|torsion| torsion.residue == residue && torsion.kind == kind)
    };
    let residues = 0..looker.topology.residues.len();
    let pairs: Vec<(usize, usize)> = residues
        .filter_map(|residue| Some((place(residue, Kind::Phi)?, place(residue, Kind::Psi)?)))
        .collect();
    if pairs.is_empty() {
        return (None, [Vec::new(), Vec::new()]);
    }
    let size = PLANE_BINS * PLANE_BINS;
    let keys = |row: &Row| -> Vec<u32> {
        let place = |torsion: usize| bin(row.torsions[torsion].into(), TURN, PLANE_BINS);
        pairs
            .iter()
            .enumerate()
            .map(|(plane, &(phi, psi))| {
                (plane * size + place(phi) * PLANE_BINS + place(psi)) as u32
            })
            .collect()
    };
    let counts = |block: &Block| count_keys(block.rows().iter().flat_map(keys).collect());
    let total = |parts: &[&Vec<(u32, u32)>]| sum_counts(parts.iter().copied(), pairs.len() * size);
    let distances = |a: &Vec<f64>, b: &Vec<f64>| {
        vec![
            a.chunks(size)
                .zip(b.chunks(size))
                .map(|(a, b)| jensen_shannon(a, b))
                .sum::<f64>()
                / pairs.len() as f64,
        ]
    };
    let measure = floors
        .judge(&[RAMACHANDRAN], counts, total, distances, |_| Vec::new())
        .pop();
    let plane = [run, reference].map(|series| {
        let all = count_rows(&series.rows, pairs.len() * size, keys);
        (0..size)
            .map(|bin| all.iter().skip(bin).step_by(size).sum())
            .collect()
    });
    (measure, plane)
}
