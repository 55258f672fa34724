//! Contacts, surface and secondary structure.

use rayon::prelude::*;

use super::{count_keys, sum_counts};
use crate::compare::blocks::Block;
use crate::compare::contacts::{Contacts, jaccard};
use crate::compare::floor::{Better, Definition, Floors, Measure};
use crate::compare::gather::Series;
use crate::compare::row::{Looker, ROW_SPHERE_POINTS, Row};
use crate::compare::sasa::{Surface, side_chain_areas};
use crate::compare::secondary::Class;

const CONTACTS: Definition = Definition {
    name: "contacts",
    label: "Contact probabilities, RMS difference",
    unit: "",
    source: "residues three or more apart whose closest heavy atoms are nearer than 4.5 Å; root \
             mean square difference of their probabilities over pairs above 1 % on either side; \
             run and reference: mean number of contacts",
    better: Better::Lower,
    tolerance: 0.01,
};

const WEAK: Definition = Definition {
    name: "weak_contacts_j",
    label: "Weak contacts, Jaccard J",
    unit: "",
    source: "Cα pairs within 8 Å in the start structure that are apart in more than 10 % of \
             frames: Jaccard index of the two sets (AlphaFlow: Jing et al., ICML 2024); run and \
             reference: how many",
    better: Better::Higher,
    tolerance: 0.02,
};

const SURFACES: [Definition; 2] = [
    Definition {
        name: "exposed_j",
        label: "Exposed residues, Jaccard J",
        unit: "",
        source: "residues whose side chain is buried (≤ 2 Å²) in the start structure and exposed \
                 in more than 10 % of frames: Jaccard index of the two sets (after AlphaFlow); run \
                 and reference: how many",
        better: Better::Higher,
        tolerance: 0.02,
    },
    Definition {
        name: "side_chain_area",
        label: "Side-chain surface difference",
        unit: "Å²",
        source: "mean absolute difference of the residues' mean side-chain areas (Shrake–Rupley, \
                 probe 1.4 Å, 240 points, up to 500 frames); run and reference: means",
        better: Better::Lower,
        tolerance: 1.0,
    },
];

const SECONDARY: Definition = Definition {
    name: "secondary_structure",
    label: "Secondary structure difference",
    unit: "",
    source: "helix, strand, coil by hydrogen bonds (Kabsch & Sander 1983): half the summed \
             absolute difference of the three shares, mean over residues; run and reference: share \
             of helix and strand",
    better: Better::Lower,
    tolerance: 0.01,
};

/// A side chain with less accessible area, Å², is buried.
const BURIED: f64 = 2.0;
/// A contact apart, or a residue exposed, in a larger share of frames than this counts.
const OFTEN: f64 = 0.1;
/// A pair in contact in a smaller share of frames on both sides does not count.
const SELDOM: f64 = 0.01;

/// What is known of each residue of both sides, for the report.
#[derive(Debug, Clone, Default)]
pub struct PerResidue {
    /// Share of helix, strand and coil of every residue, run and reference.
    pub secondary: [Vec<[f64; 3]>; 2],
    /// Those shares, one residue's after the other's, in MD as long as the run: between which ends
    /// in 95 %.
    pub secondary_band: Vec<[f64; 2]>,
    /// Residue pairs with their contact probability in run and reference, where either is above 1
    /// %.
    pub contacts: Vec<(usize, usize, [f64; 2])>,
    /// Mean side-chain area of every residue, Å², run and reference; NaN where none was computed.
    pub areas: [Vec<f64>; 2],
}

/// Number of rows, then counts (or sums) of what they hold.
type Sums = (f64, Vec<f64>);

fn add(parts: &[&Sums]) -> Sums {
    let mut all = (0.0, vec![0.0; parts.first().map_or(0, |part| part.1.len())]);
    for part in parts {
        all.0 += part.0;
        all.1
            .iter_mut()
            .zip(&part.1)
            .for_each(|(sum, value)| *sum += value);
    }
    all
}

pub(super) fn judge(
    floors: &Floors,
    run: &Series,
    reference: &Series,
    looker: &Looker,
) -> (Vec<Measure>, PerResidue) {
    let mut found = PerResidue::default();
    let mut measures = contacts(floors, [run, reference], looker, &mut found);
    measures.extend(weak_contacts(floors, looker));
    measures.extend(surfaces(floors, looker, &mut found));
    measures.extend(secondary(floors, looker, &mut found));
    (measures, found)
}

fn contacts(
    floors: &Floors,
    sides: [&Series; 2],
    looker: &Looker,
    found: &mut PerResidue,
) -> Vec<Measure> {
    let pairs = pairs_of(sides);
    if pairs.is_empty() {
        return Vec::new();
    }
    let places = |row: &Row| -> Vec<u32> {
        row.contacts
            .iter()
            .filter_map(|pair| Some(pairs.binary_search(pair).ok()? as u32))
            .collect()
    };
    let counts = |block: &Block| {
        (
            block.frames() as f64,
            count_keys(block.rows().flat_map(places).collect()),
        )
    };
    let total = |parts: &[&(f64, Vec<(u32, u32)>)]| -> Sums {
        (
            parts.iter().map(|part| part.0).sum(),
            sum_counts(parts.iter().map(|part| &part.1), pairs.len()),
        )
    };
    let shares = |a: &Sums, b: &Sums| -> Vec<[f64; 2]> {
        a.1.iter()
            .zip(&b.1)
            .map(|(x, y)| [x / a.0, y / b.0])
            .collect()
    };
    let distances = |a: &Sums, b: &Sums| {
        let squares: Vec<f64> = shares(a, b)
            .iter()
            .filter(|[x, y]| x.max(*y) >= SELDOM)
            .map(|[x, y]| (x - y) * (x - y))
            .collect();
        vec![(squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()]
    };
    let measures = floors.judge(&[CONTACTS], counts, total, distances, |sums| {
        vec![sums.1.iter().sum::<f64>() / sums.0]
    });
    let [ours, theirs] = floors.totals(counts, total);
    let residues = looker.topology.residues.len();
    let listed = pairs
        .iter()
        .zip(shares(&ours, &theirs))
        .filter(|(_, [x, y])| x.max(*y) >= SELDOM);
    found.contacts = listed
        .map(|(&pair, shares)| (pair as usize / residues, pair as usize % residues, shares))
        .collect();
    measures
}

/// Residue pairs in contact in any row, sorted. Chunk by chunk, so that no list holds the contacts
/// of all rows.
fn pairs_of(sides: [&Series; 2]) -> Vec<u32> {
    let distinct = |mut list: Vec<u32>| {
        list.sort_unstable();
        list.dedup();
        list
    };
    let of_chunk = |rows: &[Row]| {
        distinct(
            rows.iter()
                .flat_map(|row| row.contacts.iter().copied())
                .collect(),
        )
    };
    let lists: Vec<Vec<u32>> = sides
        .iter()
        .flat_map(|series| {
            series
                .rows
                .par_chunks(256)
                .map(of_chunk)
                .collect::<Vec<_>>()
        })
        .collect();
    lists
        .into_iter()
        .fold(Vec::new(), |known, list| distinct([known, list].concat()))
}

fn weak_contacts(floors: &Floors, looker: &Looker) -> Vec<Measure> {
    let residues = looker.topology.residues.len() as u32;
    let pairs: Vec<u32> = Contacts::new(&looker.topology)
        .alpha(&looker.structure)
        .into_iter()
        .map(|(i, j)| i * residues + j)
        .collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let counts = |block: &Block| -> Sums {
        let held = |pair: &u32| {
            block
                .rows()
                .filter(|row| row.alpha_contacts.binary_search(pair).is_ok())
                .count() as f64
        };
        (block.frames() as f64, pairs.iter().map(held).collect())
    };
    let weak = |sums: &Sums| -> Vec<usize> {
        (0..pairs.len())
            .filter(|&pair| 1.0 - sums.1[pair] / sums.0 > OFTEN)
            .collect()
    };
    floors.judge(
        &[WEAK],
        counts,
        add,
        |a, b| vec![jaccard(&weak(a), &weak(b))],
        |sums| vec![weak(sums).len() as f64],
    )
}

fn surfaces(floors: &Floors, looker: &Looker, found: &mut PerResidue) -> Vec<Measure> {
    let areas = side_chain_areas(
        &looker.topology,
        &Surface::new(&looker.topology, ROW_SPHERE_POINTS).areas(&looker.structure),
    );
    if areas.iter().all(|&area| area == 0.0) {
        // a backbone has no side chains
        return Vec::new();
    }
    let residues = areas.len();
    let buried: Vec<usize> = (0..residues)
        .filter(|&residue| areas[residue] <= BURIED)
        .collect();
    // Sums of areas, then how often each residue is exposed.
    let sums = |block: &Block| -> Sums {
        let mut sums = (0.0, vec![0.0; 2 * residues]);
        for areas in block.rows().filter_map(|row| row.surface.as_ref()) {
            sums.0 += 1.0;
            for (residue, &area) in areas.iter().enumerate() {
                sums.1[residue] += f64::from(area);
                sums.1[residues + residue] += f64::from(u8::from(f64::from(area) > BURIED));
            }
        }
        sums
    };
    let exposed = |sums: &Sums| -> Vec<usize> {
        buried
            .iter()
            .copied()
            .filter(|&residue| sums.1[residues + residue] / sums.0 > OFTEN)
            .collect()
    };
    let distances = |a: &Sums, b: &Sums| {
        let difference = (0..residues)
            .map(|residue| (a.1[residue] / a.0 - b.1[residue] / b.0).abs())
            .sum::<f64>();
        vec![
            jaccard(&exposed(a), &exposed(b)),
            difference / residues as f64,
        ]
    };
    let mean = |sums: &Sums| sums.1[..residues].iter().sum::<f64>() / sums.0 / residues as f64;
    let mut measures = floors.judge(&SURFACES, sums, add, distances, |sums| {
        vec![exposed(sums).len() as f64, mean(sums)]
    });
    if buried.is_empty() {
        measures.remove(0);
    }
    found.areas = floors.totals(sums, add).map(|sums| {
        sums.1[..residues]
            .iter()
            .map(|area| area / sums.0)
            .collect()
    });
    measures
}

fn secondary(floors: &Floors, looker: &Looker, found: &mut PerResidue) -> Vec<Measure> {
    let residues = looker.topology.residues.len();
    let counts = |block: &Block| -> Sums {
        let mut sums = (block.frames() as f64, vec![0.0; 3 * residues]);
        for row in block.rows() {
            row.secondary
                .iter()
                .enumerate()
                .for_each(|(residue, &class)| sums.1[3 * residue + place(class)] += 1.0);
        }
        sums
    };
    let distances = |a: &Sums, b: &Sums| {
        let difference =
            a.1.iter()
                .zip(&b.1)
                .map(|(x, y)| (x / a.0 - y / b.0).abs())
                .sum::<f64>();
        vec![0.5 * difference / residues as f64]
    };
    let coil =
        |sums: &Sums| sums.1.iter().skip(2).step_by(3).sum::<f64>() / sums.0 / residues as f64;
    let measures = floors.judge(&[SECONDARY], counts, add, distances, |sums| {
        vec![1.0 - coil(sums)]
    });
    found.secondary_band = floors.bands(counts, add, |sums| {
        sums.1.iter().map(|count| count / sums.0).collect()
    });
    found.secondary = floors.totals(counts, add).map(|sums| {
        sums.1
            .chunks(3)
            .map(|share| [0, 1, 2].map(|c| share[c] / sums.0))
            .collect()
    });
    measures
}

fn place(class: Class) -> usize {
    match class {
        Class::Helix => 0,
        Class::Strand => 1,
        Class::Coil => 2,
    }
}
