//! Torsions: divergence of each from the reference, and of the Ramachandran planes.

use std::f64::consts::PI;

use super::visits::Visits;
use super::{count_keys, count_rows, sum_counts};
use crate::compare::blocks::Block;
use crate::compare::floor::{Better, Definition, Floors, Measure, finite};
use crate::compare::gather::Series;
use crate::compare::histogram::{TORSION_BINS, bin, jensen_shannon};
use crate::compare::row::{Looker, Row};
use crate::compare::smooth::around_turn;
use crate::compare::statistics::mean;
use crate::compare::wells::Wells;
use crate::geometry::torsion::Kind;

const JSD: &str = "Jensen–Shannon divergence of each torsion's histogram, natural logarithm, 100 \
                   bins, mean over torsions (scipy's jensenshannon, squared); angles of groups \
                   that half a turn brings onto themselves modulo 180°";

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
        Kind::is_side_chain,
    ),
    (
        divergence("omega_jsd", "Peptide bonds ω, JSD", JSD, 0.001),
        |kind| kind == Kind::Omega,
    ),
];

/// What is asked of every torsion by itself.
const EACH: [Definition; 3] = [
    divergence("torsion_jsd", "", JSD, 0.001),
    divergence("well_share", "", SHARE, 0.02),
    divergence("torsion_width", "", WIDTH, 0.02),
];

const SHARE: &str = "largest difference of the shares of a torsion's wells (χ: g+, t, g−; φ: \
                     negative, positive; ψ: helical, extended; ω: trans, cis; symmetric groups: \
                     near ±90°, near 0°), mean over φ ψ χ";
const WIDTH: &str = "|ln(σ run / σ reference)|, σ the root mean square distance of a torsion from \
                     the mean of the well that it is in, mean over torsions; run and reference: \
                     mean σ, degrees";

const WELLS: [Definition; 2] = [
    divergence(
        "well_share",
        "Shares of torsion wells, difference",
        SHARE,
        0.005,
    ),
    divergence(
        "torsion_width",
        "Widths of torsion wells (°), |ln ratio|",
        WIDTH,
        0.01,
    ),
];

const RAMACHANDRAN: Definition = divergence(
    "ramachandran_jsd",
    "Ramachandran planes, JSD",
    "Jensen–Shannon divergence of each residue's (φ, ψ) histogram, natural logarithm, 36 × 36 \
     bins, mean over residues",
    0.002,
);

/// Width of the kernel of shown distributions, in bins.
pub const KERNEL: f64 = 1.5;
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
    /// Largest difference of the shares of its wells; run and reference: the share of that well.
    pub share: Measure,
    /// That well, an index into [`crate::compare::wells::names`].
    pub well: usize,
    /// How much wider it is within its wells; run and reference: degrees.
    pub width: Measure,
    /// How much slower it is, where times are known; run and reference: ps.
    pub time: Option<Measure>,
    /// Histograms of run and reference, [`TORSION_BINS`] bins of the phase over (−π, π], counts.
    pub histograms: [Vec<f64>; 2],
    /// Shares of MD as long as the run, smoothed by [`KERNEL`] bins: between which ends in 95 %.
    pub band: Vec<[f64; 2]>,
}

impl TorsionReport {
    /// All that is asked of it.
    pub fn measures(&self) -> impl Iterator<Item = &Measure> {
        [&self.measure, &self.share, &self.width]
            .into_iter()
            .chain(&self.time)
    }

    /// The same, to be judged.
    pub fn measures_mut(&mut self) -> impl Iterator<Item = &mut Measure> {
        [&mut self.measure, &mut self.share, &mut self.width]
            .into_iter()
            .chain(&mut self.time)
    }
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

pub(super) fn judge<'a>(
    floors: &Floors<'a>,
    run: &'a Series,
    reference: &'a Series,
    looker: &Looker,
) -> (Vec<Measure>, Angles) {
    let torsions = &looker.torsions;
    if torsions.is_empty() {
        return (Vec::new(), Angles::default());
    }
    let counts = |block: &Block| count_keys(block.rows().flat_map(bins).collect());
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
    let wells = |counts: &Vec<f64>| -> Vec<Wells> {
        let kinds = torsions.iter().map(|torsion| torsion.kind);
        kinds
            .zip(counts.chunks(TORSION_BINS))
            .map(|(kind, counts)| Wells::of(kind, counts))
            .collect()
    };
    let turning: Vec<usize> = (0..torsions.len())
        .filter(|&index| torsions[index].kind != Kind::Omega)
        .collect();
    let distances = |a: &Vec<f64>, b: &Vec<f64>| -> Vec<f64> {
        let pairs = a.chunks(TORSION_BINS).zip(b.chunks(TORSION_BINS));
        let each: Vec<f64> = pairs.map(|(a, b)| jensen_shannon(a, b)).collect();
        let pairs: Vec<(Wells, Wells)> = wells(a).into_iter().zip(wells(b)).collect();
        let shares: Vec<f64> = pairs.iter().map(|(a, b)| a.moved(b).1).collect();
        let widths: Vec<f64> = pairs.iter().map(|(a, b)| a.widened(b)).collect();
        let of = |members: &[usize], values: &[f64]| {
            let known = members
                .iter()
                .map(|&index| values[index])
                .filter(|value| value.is_finite());
            mean(&known.collect::<Vec<f64>>())
        };
        let all: Vec<usize> = (0..torsions.len()).collect();
        let mut values: Vec<f64> = groups
            .iter()
            .map(|(_, members)| of(members, &each))
            .collect();
        values.extend([of(&turning, &shares), of(&all, &widths)]);
        [values, each, shares, widths].concat()
    };
    let numbers = |counts: &Vec<f64>| -> Vec<f64> {
        let wells = wells(counts);
        let widths: Vec<f64> = wells.iter().map(|wells| wells.width).collect();
        let mut values = vec![f64::NAN; groups.len() + 1];
        values.push(mean(&widths));
        values.extend(std::iter::repeat_n(f64::NAN, 2 * torsions.len()));
        [values, widths].concat()
    };
    let definitions: Vec<Definition> = groups
        .iter()
        .map(|(definition, _)| *definition)
        .chain(WELLS)
        .chain(
            EACH.iter()
                .flat_map(|each| std::iter::repeat_n(*each, torsions.len())),
        )
        .collect();
    let judged = |floors: &Floors| {
        let mut measures = floors.judge(&definitions, counts, total, distances, numbers);
        let each = measures.split_off(groups.len() + WELLS.len());
        (measures, each)
    };
    let (mut measures, mut each) = judged(floors);
    floors.by_own_memory(
        &mut each,
        |floors| judged(floors).1,
        |place| place % torsions.len(),
    );
    let mut each = each.into_iter();
    let sides = [run, reference]
        .map(|series| count_rows(&series.rows, torsions.len() * TORSION_BINS, bins));
    let [ours, theirs] = sides.each_ref().map(wells);
    let bands = floors.bands(counts, total, |counts| {
        let smooth = |counts: &[f64]| {
            let all: f64 = counts.iter().sum();
            let shares: Vec<f64> = counts.iter().map(|count| count / all).collect();
            around_turn(&shares, KERNEL)
        };
        counts.chunks(TORSION_BINS).flat_map(smooth).collect()
    });
    let [jsd, share, width] =
        [(); 3].map(|()| each.by_ref().take(torsions.len()).collect::<Vec<_>>());
    let visits = Visits {
        sides: [run, reference],
        steps: floors.steps(),
        torsions: turning.len(),
    };
    let report = |(index, ((measure, share), width)): (usize, ((Measure, Measure), Measure))| {
        let label = torsions[index].label(&looker.topology);
        let named = |measure: Measure| Measure {
            label: label.clone(),
            ..measure
        };
        let well = ours[index].moved(&theirs[index]).0;
        let histogram =
            |counts: &Vec<f64>| counts[index * TORSION_BINS..(index + 1) * TORSION_BINS].to_vec();
        TorsionReport {
            residue: torsions[index].residue,
            kind: torsions[index].kind,
            measure: named(measure),
            share: Measure {
                cap: visits.cap(index, torsions[index].kind, [&ours[index], &theirs[index]]),
                run: finite(ours[index].shares[well]),
                reference: finite(theirs[index].shares[well]),
                ..named(share)
            },
            well,
            width: named(width),
            time: None,
            histograms: sides.each_ref().map(histogram),
            band: bands
                .iter()
                .skip(index * TORSION_BINS)
                .take(TORSION_BINS)
                .copied()
                .collect(),
            label,
        }
    };
    let torsions = jsd
        .into_iter()
        .zip(share)
        .zip(width)
        .enumerate()
        .map(report)
        .collect();
    let (plane_measure, plane) = ramachandran(floors, run, reference, looker);
    measures.extend(plane_measure);
    (measures, Angles { torsions, plane })
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
    let counts = |block: &Block| count_keys(block.rows().flat_map(keys).collect());
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
