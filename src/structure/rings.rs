//! Bonds that run through rings: a molecule that no minimisation and no dynamics can put right.

use std::ops::Range;

use nalgebra::Vector3;

use super::residues::family;
use super::{Element, Topology};

/// Rings of side chains, in order around the ring.
const RINGS: [(&str, &[&str]); 7] = [
    ("PHE", &["CG", "CD1", "CE1", "CZ", "CE2", "CD2"]),
    ("TYR", &["CG", "CD1", "CE1", "CZ", "CE2", "CD2"]),
    ("TRP", &["CG", "CD1", "NE1", "CE2", "CD2"]),
    ("TRP", &["CD2", "CE2", "CZ2", "CH2", "CZ3", "CE3"]),
    ("HIS", &["CG", "ND1", "CE1", "NE2", "CD2"]),
    ("PRO", &["N", "CA", "CB", "CG", "CD"]),
    ("HYP", &["N", "CA", "CB", "CG", "CD"]),
];

/// Farthest that a bond's middle can be from the middle of a ring that it runs through, Å: half a
/// stretched bond, and the ring's radius.
const REACH: f64 = 4.0;

/// Longest side of a ring that is still one, Å: atoms across a ring are 2.2 Å apart and more.
const LONGEST_SIDE: f64 = 2.1;
/// Atoms of a ring that are no neighbours and nearer than this, Å, are bonded.
const NEAREST_ACROSS: f64 = 1.8;

/// The rings of a topology and the bonds that could run through them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rings {
    /// Atoms of every ring, in order.
    rings: Vec<Vec<usize>>,
    /// Bonds of heavy atoms.
    bonds: Vec<[usize; 2]>,
}

/// A bond through a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pierced {
    /// The bond's two atoms.
    pub bond: [usize; 2],
    /// Atoms of the ring, in order around it.
    pub ring: Vec<usize>,
}

impl Pierced {
    /// `the bond A:LYS 2:CG–CD runs through the ring of A:PHE 4`
    pub fn describe(&self, topology: &Topology) -> String {
        let [a, b] = self.bond;
        let other = if topology.atoms[a].residue == topology.atoms[b].residue {
            topology.atoms[b].name.clone()
        } else {
            topology.atom_label(b)
        };
        format!(
            "the bond {}–{other} runs through the ring of {}",
            topology.atom_label(a),
            topology.residue_label(topology.atoms[self.ring[0]].residue)
        )
    }
}

impl Rings {
    /// The rings of side chains that are complete, by the names of their atoms.
    pub fn of(topology: &Topology) -> Self {
        let mut rings = Vec::new();
        for (index, residue) in topology.residues.iter().enumerate() {
            let Some(family) = family(&residue.name) else {
                continue;
            };
            for (_, names) in RINGS.iter().filter(|(name, _)| *name == family.name) {
                let atoms = names.iter().map(|name| topology.atom_named(index, name));
                rings.extend(atoms.collect::<Option<Vec<usize>>>());
            }
        }
        let is_heavy = |atom: &usize| topology.atoms[*atom].element != Element::H;
        let bonds = topology.bonds.iter().copied();
        Rings {
            rings,
            bonds: bonds.filter(|bond| bond.iter().all(is_heavy)).collect(),
        }
    }

    /// A side, with its length, of a ring whose names are exchanged: it is longer than
    /// [`LONGEST_SIDE`], while atoms that are no neighbours in the ring are as near as bonded ones.
    /// (Without those the ring is only badly placed: 4hhb has one.)
    pub(super) fn exchanged(&self, positions: &[Vector3<f64>]) -> Option<([usize; 2], f64)> {
        let length = |[a, b]: [usize; 2]| (positions[a] - positions[b]).norm();
        self.rings.iter().find_map(|ring| {
            let size = ring.len();
            let pairs = (0..size).flat_map(|a| (0..a).map(move |b| [b, a]));
            let (sides, across): (Vec<_>, Vec<_>) =
                pairs.partition(|[b, a]| a - b == 1 || a - b == size - 1);
            let of = |[b, a]: [usize; 2]| [ring[b], ring[a]];
            let longest = sides
                .into_iter()
                .map(|side| (of(side), length(of(side))))
                .max_by(|a, b| a.1.total_cmp(&b.1))?;
            let is_near = |&pair: &[usize; 2]| length(of(pair)) < NEAREST_ACROSS;
            (longest.1 > LONGEST_SIDE && across.iter().any(is_near)).then_some(longest)
        })
    }

    /// All bonds that run through a ring at `positions`, Å. A ring counts as the fan of triangles
    /// between its middle and its sides, so that it need not be flat.
    pub fn pierced(&self, positions: &[Vector3<f64>]) -> Vec<Pierced> {
        let middle = |atoms: &[usize]| {
            let sum: Vector3<f64> = atoms.iter().map(|&atom| positions[atom]).sum();
            sum / atoms.len() as f64
        };
        // bonds sorted by the x of their middles: a ring looks at a slab of them only
        let mut bonds: Vec<(f64, [usize; 2])> = self
            .bonds
            .iter()
            .map(|&bond| (middle(&bond).x, bond))
            .collect();
        bonds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut found = Vec::new();
        for ring in &self.rings {
            let centre = middle(ring);
            let slab: Range<usize> = bonds.partition_point(|(x, _)| *x < centre.x - REACH)
                ..bonds.partition_point(|(x, _)| *x <= centre.x + REACH);
            for &(_, bond) in bonds.get(slab).unwrap_or_default() {
                let is_own = bond.iter().any(|atom| ring.contains(atom));
                if is_own || (middle(&bond) - centre).norm() > REACH {
                    continue;
                }
                let [from, to] = bond.map(|atom| positions[atom]);
                let side = |at: usize| {
                    let corners = [ring[at], ring[(at + 1) % ring.len()]];
                    let [a, b] = corners.map(|atom| positions[atom]);
                    crosses(from, to, [centre, a, b])
                };
                if (0..ring.len()).any(side) {
                    found.push(Pierced {
                        bond,
                        ring: ring.clone(),
                    });
                }
            }
        }
        found
    }
}

/// Whether a segment meets a triangle (Möller and Trumbore 1997, J. Graphics Tools 2, 21).
fn crosses(from: Vector3<f64>, to: Vector3<f64>, [a, b, c]: [Vector3<f64>; 3]) -> bool {
    let direction = to - from;
    let u = b - a;
    let v = c - a;
    let normal = direction.cross(&v);
    let determinant = u.dot(&normal);
    if determinant.abs() < 1e-12 {
        return false; // in the triangle's plane
    }
    let offset = from - a;
    let along_u = offset.dot(&normal) / determinant;
    let across = offset.cross(&u);
    let along_v = direction.dot(&across) / determinant;
    let way = v.dot(&across) / determinant;
    along_u >= 0.0 && along_v >= 0.0 && along_u + along_v <= 1.0 && (0.0..=1.0).contains(&way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_meet_triangles_inside_only() {
        let triangle = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].map(Vector3::from);
        for (x, y, low, high, meets) in [
            (0.2, 0.2, -1.0, 1.0, true),
            (0.6, 0.6, -1.0, 1.0, false),
            (-0.1, 0.2, -1.0, 1.0, false),
            (0.2, 0.2, 0.1, 1.0, false),
            (0.2, 0.2, 1.0, -1.0, true),
        ] {
            let ends = [Vector3::new(x, y, low), Vector3::new(x, y, high)];
            assert_eq!(
                crosses(ends[0], ends[1], triangle),
                meets,
                "{x} {y} {low} {high}"
            );
        }
        let flat = [Vector3::new(-1.0, 0.2, 0.0), Vector3::new(1.0, 0.2, 0.0)];
        assert!(!crosses(flat[0], flat[1], triangle));
    }
}
