//! Is a frame a molecule? Bonds, angles, contacts, chirality and peptide bonds against template
//! geometry.
//!
//! A frame is valid where, over heavy atoms, every bond is within 0.2 Å and every 1-3 distance
//! within 0.5 Å of its template, no two atoms that are not bonded are closer than 1.5 Å, no
//! three-neighbour centre is inverted, and no peptide bond is cis (|ω| < 90°), save those that are
//! so in the structure that the run starts from.

use std::f64::consts::FRAC_PI_2;

use nalgebra::Vector3;

use super::fault::Fault;
pub use super::fault::{ANGLE_LIMIT, BOND_LIMIT, CONTACT_LIMIT};
use super::neighbours::CellList;
use super::torsion::{Kind, torsions};
use crate::forcefield::TemplateGeometry;
use crate::structure::{Element, Topology};

/// Template height, Å, above which a centre has a handedness that can be lost; flatter ones are
/// planar.
pub const HANDED_HEIGHT: f64 = 0.2;

/// What a valid frame of one topology looks like.
#[derive(Debug, Clone)]
pub struct Validity {
    bonds: Vec<(usize, usize, f64)>,
    angles: Vec<(usize, usize, f64)>,
    centres: Vec<([usize; 4], f64)>,
    omegas: Vec<[usize; 4]>,
    heavy: Vec<usize>,
    bonded: Vec<Vec<usize>>,
}

/// What was found in one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Largest deviation of a bond from its template, Å, and its atoms.
    pub worst_bond: f64,
    /// Atoms of the worst bond, where there is a bond.
    pub worst_bond_atoms: Option<[usize; 2]>,
    /// Largest deviation of a 1-3 distance from its template, Å.
    pub worst_angle: f64,
    /// Its atoms (the outer two), where there is one.
    pub worst_angle_atoms: Option<[usize; 2]>,
    /// Sum of squared deviations of the bonds, Å², of which there are [`Validity::bonds`].
    pub bond_squares: f64,
    /// Sum of squared deviations of the 1-3 distances, Å².
    pub angle_squares: f64,
    /// Pairs of heavy atoms, not bonded, closer than [`CONTACT_LIMIT`].
    pub contacts: Vec<[usize; 2]>,
    /// Centre atoms of inverted centres.
    pub inverted: Vec<usize>,
    /// Nitrogens of cis peptide bonds.
    pub cis: Vec<usize>,
    /// Whether a position is not a finite number.
    pub not_finite: bool,
}

impl Findings {
    /// Whether the frame is a molecule; see the module.
    pub fn valid(&self) -> bool {
        let in_shape = self.worst_bond <= BOND_LIMIT && self.worst_angle <= ANGLE_LIMIT;
        in_shape
            && !self.not_finite
            && self.contacts.is_empty()
            && self.inverted.is_empty()
            && self.cis.is_empty()
    }
}

impl Validity {
    /// For a topology and the template geometry that was made for it (same atom indices).
    pub fn new(topology: &Topology, template: &TemplateGeometry) -> Self {
        let bonded = topology.neighbours();
        let is_bond = |i: usize, j: usize| bonded[i].binary_search(&j).is_ok();
        let is_angle = |i: usize, j: usize| {
            !is_bond(i, j)
                && bonded[i]
                    .iter()
                    .any(|middle| bonded[j].binary_search(middle).is_ok())
        };
        Validity {
            bonds: template
                .pairs
                .iter()
                .copied()
                .filter(|&(i, j, _)| is_bond(i, j))
                .collect(),
            angles: template
                .pairs
                .iter()
                .copied()
                .filter(|&(i, j, _)| is_angle(i, j))
                .collect(),
            centres: template
                .centres
                .iter()
                .map(|&(atoms, height, _)| (atoms, height))
                .filter(|(_, h)| h.abs() > HANDED_HEIGHT)
                .collect(),
            omegas: torsions(topology)
                .iter()
                .filter(|torsion| torsion.kind == Kind::Omega)
                .map(|torsion| torsion.atoms)
                .collect(),
            heavy: (0..topology.len())
                .filter(|&atom| topology.atoms[atom].element != Element::H)
                .collect(),
            bonded,
        }
    }

    /// Allows the peptide bonds that are cis in this structure to be so, as some before proline
    /// are.
    pub fn allowing_cis_of(mut self, positions: &[Vector3<f64>]) -> Self {
        self.omegas.retain(|atoms| !is_cis(atoms, positions));
        self
    }

    /// Everything that breaks a limit in a frame of which [`Validity::check`] has found this, in a
    /// fixed order.
    pub fn faults(&self, found: &Findings, positions: &[Vector3<f64>]) -> Vec<Fault> {
        let off = |&(i, j, length): &(usize, usize, f64)| {
            (
                [i, j],
                ((positions[i] - positions[j]).norm() - length).abs(),
            )
        };
        let beyond = |limit| move |&(_, off): &([usize; 2], f64)| off > limit;
        let mut faults = Vec::new();
        if found.worst_bond > BOND_LIMIT {
            let bonds = self.bonds.iter().map(off).filter(beyond(BOND_LIMIT));
            faults.extend(bonds.map(|(atoms, off)| Fault::Bond { atoms, off }));
        }
        if found.worst_angle > ANGLE_LIMIT {
            let angles = self.angles.iter().map(off).filter(beyond(ANGLE_LIMIT));
            faults.extend(angles.map(|(atoms, off)| Fault::Angle { atoms, off }));
        }
        faults.extend(found.contacts.iter().map(|&atoms| Fault::Contact {
            atoms,
            distance: (positions[atoms[0]] - positions[atoms[1]]).norm(),
        }));
        let inverted = found.inverted.iter();
        faults.extend(inverted.map(|&centre| Fault::Inverted { centre }));
        let cis = found.cis.iter();
        faults.extend(cis.map(|&nitrogen| Fault::Cis { nitrogen }));
        faults
    }

    /// How far this structure is off at the place of a fault: what the fault would be there, were
    /// it one; none where that is no part of what is judged.
    pub fn at(&self, fault: &Fault, positions: &[Vector3<f64>]) -> Option<Fault> {
        let distance = |[i, j]: [usize; 2]| (positions[i] - positions[j]).norm();
        let off = |pairs: &[(usize, usize, f64)], atoms: [usize; 2]| {
            let pair = pairs.iter().find(|&&(i, j, _)| [i, j] == atoms);
            pair.map(|(_, _, length)| (distance(atoms) - length).abs())
        };
        match *fault {
            Fault::Bond { atoms, .. } => {
                off(&self.bonds, atoms).map(|off| Fault::Bond { atoms, off })
            }
            Fault::Angle { atoms, .. } => {
                off(&self.angles, atoms).map(|off| Fault::Angle { atoms, off })
            }
            Fault::Contact { atoms, .. } => Some(Fault::Contact {
                atoms,
                distance: distance(atoms),
            }),
            Fault::Inverted { centre } => {
                let found = self.centres.iter().find(|(atoms, _)| atoms[0] == centre)?;
                is_inverted(found, positions).then_some(*fault)
            }
            Fault::Cis { nitrogen } => {
                let found = self.omegas.iter().find(|atoms| atoms[2] == nitrogen)?;
                is_cis(found, positions).then_some(*fault)
            }
        }
    }

    /// Number of bonds that are judged.
    pub fn bonds(&self) -> usize {
        self.bonds.len()
    }
    /// Number of 1-3 distances that are judged.
    pub fn angles(&self) -> usize {
        self.angles.len()
    }

    /// Looks at one frame of that topology.
    pub fn check(&self, positions: &[Vector3<f64>]) -> Findings {
        let mut found = Findings {
            not_finite: positions
                .iter()
                .any(|x| !x.iter().all(|value| value.is_finite())),
            ..Findings::default()
        };
        let (worst, atoms, squares) = deviations(&self.bonds, positions);
        (found.worst_bond, found.worst_bond_atoms, found.bond_squares) = (worst, atoms, squares);
        let (worst, atoms, squares) = deviations(&self.angles, positions);
        (
            found.worst_angle,
            found.worst_angle_atoms,
            found.angle_squares,
        ) = (worst, atoms, squares);
        found.inverted = self
            .centres
            .iter()
            .filter(|centre| is_inverted(centre, positions))
            .map(|(atoms, _)| atoms[0])
            .collect();
        found.cis = self
            .omegas
            .iter()
            .filter(|atoms| is_cis(atoms, positions))
            .map(|atoms| atoms[2])
            .collect();
        found.contacts = close_pairs(positions, &self.heavy, CONTACT_LIMIT, |i, j| {
            self.bonded[i].binary_search(&j).is_err()
        });
        found
    }
}

/// Share of frames that are valid; NaN for none.
pub fn valid_share<'a>(
    validity: &Validity,
    frames: impl IntoIterator<Item = &'a [Vector3<f64>]>,
) -> f64 {
    let (valid, all) = frames.into_iter().fold((0, 0), |(valid, all), x| {
        (valid + u64::from(validity.check(x).valid()), all + 1)
    });
    valid as f64 / all as f64
}

/// Whether a centre has the other hand than its template height says.
fn is_inverted((atoms, height): &([usize; 4], f64), positions: &[Vector3<f64>]) -> bool {
    let [centre, a, b, c] = atoms.map(|atom| positions[atom]);
    (b - a).cross(&(c - a)).dot(&(a - centre)) * height < 0.0
}

fn is_cis([a, b, c, d]: &[usize; 4], positions: &[Vector3<f64>]) -> bool {
    super::torsion::dihedral(
        &positions[*a],
        &positions[*b],
        &positions[*c],
        &positions[*d],
    )
    .abs()
        < FRAC_PI_2
}

/// Largest deviation, its atoms, and the sum of squares.
fn deviations(
    pairs: &[(usize, usize, f64)],
    positions: &[Vector3<f64>],
) -> (f64, Option<[usize; 2]>, f64) {
    let mut worst = (0.0, None, 0.0);
    for &(i, j, length) in pairs {
        let deviation = (positions[i] - positions[j]).norm() - length;
        worst.2 += deviation * deviation;
        if worst.1.is_none() || deviation.abs() > worst.0 {
            (worst.0, worst.1) = (deviation.abs(), Some([i, j]));
        }
    }
    worst
}

/// Pairs i < j of `atoms` closer than `limit`, Å, that `counts` accepts, sorted.
pub fn close_pairs(
    positions: &[Vector3<f64>],
    atoms: &[usize],
    limit: f64,
    counts: impl Fn(usize, usize) -> bool,
) -> Vec<[usize; 2]> {
    let points = super::superpose::pick(positions, atoms);
    let mut pairs = Vec::new();
    CellList::new(&points, limit).pairs(|i, j, _| {
        let pair = [atoms[i].min(atoms[j]), atoms[i].max(atoms[j])];
        if counts(pair[0], pair[1]) {
            pairs.push(pair);
        }
    });
    pairs.sort_unstable();
    pairs
}

/// Van der Waals radius, Å (Bondi, J. Phys. Chem. 68 (1964) 441; as AlphaFold's violation loss has
/// them); 1.7 for elements not listed.
pub fn radius(element: &Element) -> f64 {
    match element {
        Element::H => 1.2,
        Element::N => 1.55,
        Element::O => 1.52,
        Element::S | Element::P => 1.8,
        Element::Se => 1.9,
        _ => 1.7,
    }
}

/// What clashes in a topology: pairs of heavy atoms more than three bonds apart whose van der Waals
/// spheres overlap by more than 1.5 Å, the tolerance of AlphaFold 2's violation loss (Jumper et
/// al., Nature 596 (2021) 583, supplement 1.9.11).
#[derive(Debug, Clone)]
pub struct Clashes {
    heavy: Vec<usize>,
    radii: Vec<f64>,
    near: Vec<Vec<usize>>,
    reach: f64,
}

impl Clashes {
    /// Overlap of two spheres that is still no clash, Å.
    pub const TOLERANCE: f64 = 1.5;

    /// For one topology.
    pub fn new(topology: &Topology) -> Self {
        let heavy: Vec<usize> = topology.heavy_atoms();
        let radii: Vec<f64> = topology
            .atoms
            .iter()
            .map(|atom| radius(&atom.element))
            .collect();
        let near = topology
            .bond_distances(3)
            .into_iter()
            .map(|list| list.into_iter().map(|(atom, _)| atom).collect())
            .collect();
        let reach =
            2.0 * heavy.iter().map(|&atom| radii[atom]).fold(1.0, f64::max) - Self::TOLERANCE;
        Clashes {
            heavy,
            radii,
            near,
            reach,
        }
    }

    /// The clashing pairs of a frame, i < j, sorted.
    pub fn find(&self, positions: &[Vector3<f64>]) -> Vec<[usize; 2]> {
        close_pairs(positions, &self.heavy, self.reach, |i, j| {
            let least = self.radii[i] + self.radii[j] - Self::TOLERANCE;
            (positions[i] - positions[j]).norm_squared() < least * least
                && self.near[i].binary_search(&j).is_err()
        })
    }
}

/// The chiral centres that the twenty amino acids have, by name and without a template: CA, and CB
/// of Ile and Thr. Each is the centre and three neighbours in the order that makes (b − a) × (c −
/// a) · (a − centre) positive in an L amino acid.
pub fn chiral_centres(topology: &Topology) -> Vec<[usize; 4]> {
    let mut centres = Vec::new();
    for (index, residue) in topology.residues.iter().enumerate() {
        let beta: &[&str] = match residue.name.as_str() {
            "ILE" => &["CB", "CA", "CG2", "CG1"],
            "THR" => &["CB", "CA", "CG2", "OG1"],
            _ => &[],
        };
        for names in [&["CA", "N", "C", "CB"][..], beta] {
            let atoms: Vec<usize> = names
                .iter()
                .filter_map(|name| topology.atom_named(index, name))
                .collect();
            centres.extend(<[usize; 4]>::try_from(atoms));
        }
    }
    centres
}

/// Which of these centres are not as an L amino acid has them.
pub fn inverted_centres(centres: &[[usize; 4]], positions: &[Vector3<f64>]) -> Vec<usize> {
    let inverted = |atoms: &&[usize; 4]| {
        let [centre, a, b, c] = atoms.map(|atom| positions[atom]);
        (b - a).cross(&(c - a)).dot(&(a - centre)) <= 0.0
    };
    centres
        .iter()
        .filter(inverted)
        .map(|atoms| atoms[0])
        .collect()
}
