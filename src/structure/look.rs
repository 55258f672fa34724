//! A look at the geometry of a structure: what a user should know before believing its energy.

use nalgebra::Vector3;

use super::crowded::crowded;
use super::report::{Report, plural};
use super::residues::family;
use super::rings::Rings;
use super::severed::radius;
use super::{Element, Topology};
use crate::error::Place;
use crate::{Error, Result};

/// Shares of the sum of covalent radii that lengths of bonds are within.
const USUAL: std::ops::Range<f64> = 0.7..1.3;
/// Least height of a tetrahedral centre over the plane of its neighbours, as the triple product of
/// its bonds, Å³: ideal ones have 2.5, planar ones 0.
const FLAT: f64 = 0.7;
/// Most residues of one kind that a warning lists.
const LISTED: usize = 12;

/// Tetrahedral centres beside CA that have one hand in nature: residue, centre, and three
/// neighbours in the sense that makes the triple product of the bonds to them positive.
const CENTRES: [(&str, &str, [&str; 3], &str); 3] = [
    ("THR", "CB", ["CA", "OG1", "CG2"], "allo-threonine"),
    ("ILE", "CB", ["CA", "CG1", "CG2"], "allo-isoleucine"),
    ("HYP", "CG", ["CB", "CD", "OD1"], "cis-4-hydroxyproline"),
];

/// Adds to the report's warnings what the positions (Å) say: bonds of unusual length, centres of
/// the other hand, cis peptide bonds, bonds through rings.
///
/// # Errors
/// [`Error::Input`] for a ring whose atoms are not beside each other: their names are exchanged.
pub(super) fn look(
    topology: &Topology,
    positions: &[Vector3<f64>],
    report: &mut Report,
) -> Result<()> {
    let rings = Rings::of(topology);
    if let Some(([a, b], length)) = rings.exchanged(positions) {
        let what = format!(
            "is {length:.2} Å from {}, its neighbour in the ring: are names of ring atoms \
             exchanged?",
            topology.atoms[b].name
        );
        return Err(Error::input(
            Place::atom(topology.atom_label(a)).in_file(&report.file),
            what,
            "give the ring's atoms their right names, or delete them: --fix builds side chains",
        ));
    }
    unusual_bonds(topology, positions, report);
    report.warnings.extend(crowded(topology, positions));
    let hands = [
        (
            "D residues",
            "their CA is of the other hand",
            inverted_ca(topology, positions),
        ),
        (
            "side chains of the other hand",
            "kept so",
            inverted_side_chains(topology, positions),
        ),
        ("cis peptide bonds", "kept so", cis(topology, positions)),
    ];
    for (kind, why, found) in hands {
        if !found.is_empty() {
            report
                .warnings
                .push(format!("{kind} ({why}): {}", listed(&found)));
        }
    }
    let pierced = rings.pierced(positions);
    report.pierced = pierced.iter().map(|one| one.describe(topology)).collect();
    report.warnings.extend(report.pierced.clone());
    Ok(())
}

fn listed(found: &[String]) -> String {
    let mut text = found[..found.len().min(LISTED)].join(", ");
    if found.len() > LISTED {
        text += &format!(" and {} more", found.len() - LISTED);
    }
    text
}

/// Disulfides apart, of which perception speaks.
fn unusual_bonds(topology: &Topology, positions: &[Vector3<f64>], report: &mut Report) {
    let share = |&[i, j]: &[usize; 2]| {
        let usual: f64 = [i, j]
            .map(|atom| radius(topology.atoms[atom].element))
            .iter()
            .sum();
        (positions[i] - positions[j]).norm() / usual
    };
    let unusual: Vec<&[usize; 2]> = topology
        .bonds
        .iter()
        .filter(|[i, j]| topology.atoms[*i].name != "SG" || topology.atoms[*j].name != "SG")
        .filter(|bond| !USUAL.contains(&share(bond)))
        .collect();
    // farthest from the usual by its factor, long or short
    let worst = unusual
        .iter()
        .max_by(|a, b| share(a).ln().abs().total_cmp(&share(b).ln().abs()));
    if let Some(&&[i, j]) = worst {
        report.warnings.push(format!(
            "{} of unusual length, the worst {}–{} with {:.2} Å",
            plural(unusual.len(), "bond"),
            topology.atom_label(i),
            topology.atom_label(j),
            (positions[i] - positions[j]).norm()
        ));
    }
}

/// The triple product of the bonds from a centre to three neighbours, Å³, where all are there.
fn hand(
    topology: &Topology,
    positions: &[Vector3<f64>],
    residue: usize,
    centre: &str,
    neighbours: [&str; 3],
) -> Option<f64> {
    let at = |name: &str| Some(positions[topology.atom_named(residue, name)?]);
    let from = at(centre)?;
    let [a, b, c] = neighbours.map(|name| at(name).map(|to| to - from));
    Some(a?.cross(&b?).dot(&c?))
}

fn inverted_ca(topology: &Topology, positions: &[Vector3<f64>]) -> Vec<String> {
    let is_inverted = |&residue: &usize| {
        hand(topology, positions, residue, "CA", ["N", "C", "CB"]).is_some_and(|hand| hand < -FLAT)
    };
    let residues = (0..topology.residues.len()).filter(is_inverted);
    residues
        .map(|residue| topology.residue_label(residue))
        .collect()
}

fn inverted_side_chains(topology: &Topology, positions: &[Vector3<f64>]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, residue) in topology.residues.iter().enumerate() {
        let name = family(&residue.name).map_or("", |family| family.name.as_str());
        // the mirror image of the whole residue has both centres of the other hand: no allo form
        let is_mirror = hand(topology, positions, index, "CA", ["N", "C", "CB"])
            .is_some_and(|hand| hand < -FLAT);
        for (_, centre, neighbours, what) in CENTRES.iter().filter(|centre| centre.0 == name) {
            let hand = hand(topology, positions, index, centre, *neighbours);
            let hand = hand.map(|hand| if is_mirror { -hand } else { hand });
            if hand.is_some_and(|hand| hand < -FLAT) {
                let label = topology.residue_label(index);
                found.push(format!("{label}:{centre} ({what})"));
            }
        }
    }
    found
}

/// Peptide bonds whose ω (CA–C–N–CA) is nearer to 0° than to 180°.
fn cis(topology: &Topology, positions: &[Vector3<f64>]) -> Vec<String> {
    let mut found = Vec::new();
    for &[i, j] in &topology.bonds {
        let (a, b) = (&topology.atoms[i], &topology.atoms[j]);
        let (c, n) = match (a.name.as_str(), b.name.as_str()) {
            _ if a.residue == b.residue => continue,
            ("C", "N") => (i, j),
            ("N", "C") => (j, i),
            _ => continue,
        };
        let (before, after) = (topology.atoms[c].residue, topology.atoms[n].residue);
        let ends = [(before, "CA"), (after, "CA")].map(|(residue, name)| {
            let carbon = topology.atom_named(residue, name);
            carbon.or_else(|| topology.atom_named(residue, "CH3"))
        });
        let [Some(first), Some(last)] = ends else {
            continue;
        };
        // the outer atoms are on one side of the bond where their distances to it, at right angles,
        // point the same way
        let axis = (positions[n] - positions[c]).normalize();
        let across = |from: usize, to: usize| {
            let bond = positions[to] - positions[from];
            bond - axis * bond.dot(&axis)
        };
        if across(c, first).dot(&across(n, last)) > 0.0 {
            found.push(format!(
                "{} – {}",
                topology.residue_label(before),
                topology.residue_label(after)
            ));
        }
    }
    found
}

/// Longest bond that a relaxed structure may have, as a share of the sum of covalent radii.
const LONGEST_RELAXED: f64 = 1.5;

/// Refuses to call a structure relaxed whose molecule is not whole: a bond through a ring, or a
/// bond that is stretched beyond what any energy minimum of a whole molecule has.
///
/// # Errors
/// [`Error::Guard`] at `step` naming the atoms.
pub fn require_whole(topology: &Topology, positions: &[Vector3<f64>], step: u64) -> Result<()> {
    let guard = |what: String| Error::Guard {
        step,
        what,
        hint: "rebuild the side chain: delete its atoms beyond CB and give --fix".into(),
    };
    if let Some(pierced) = Rings::of(topology).pierced(positions).first() {
        return Err(guard(pierced.describe(topology)));
    }
    let is_long = |&&[i, j]: &&[usize; 2]| {
        let usual = radius(topology.atoms[i].element) + radius(topology.atoms[j].element);
        let length = (positions[i] - positions[j]).norm();
        let is_heavy = [i, j]
            .iter()
            .all(|&atom| topology.atoms[atom].element != Element::H);
        is_heavy && (length.is_nan() || length > LONGEST_RELAXED * usual)
    };
    match topology.bonds.iter().find(is_long) {
        Some(&[i, j]) => Err(guard(format!(
            "the bond {}–{} is {:.2} Å long",
            topology.atom_label(i),
            topology.atom_label(j),
            (positions[i] - positions[j]).norm()
        ))),
        None => Ok(()),
    }
}
