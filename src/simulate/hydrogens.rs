//! Hydrogens that ride: each keeps its place in the local frame of the heavy atom that it is bonded
//! to.

use nalgebra::{Matrix3, Vector3};

use crate::structure::{Element, Topology};

/// One hydrogen: the heavy atoms that span its frame, and its coordinates in it, Å.
#[derive(Debug, Clone, PartialEq)]
struct Rider {
    atom: usize,
    /// The heavy atom that carries it, and two more that fix the orientation where there are such.
    frame: [usize; 3],
    local: Vector3<f64>,
}

/// All hydrogens of a topology, with the local coordinates that they have in one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hydrogens {
    riders: Vec<Rider>,
}

impl Hydrogens {
    /// Takes the local coordinates from `positions`. A hydrogen without a bond rides on the heavy
    /// atom nearest to it.
    pub fn new(topology: &Topology, positions: &[Vector3<f64>]) -> Self {
        let neighbours = topology.neighbours();
        let heavy_atoms = topology.heavy_atoms();
        let heavy = |atom: usize| {
            neighbours[atom]
                .iter()
                .copied()
                .filter(|&other| topology.atoms[other].element != Element::H)
        };
        let rider = |atom: usize| {
            let distance = |other: &usize| (positions[*other] - positions[atom]).norm_squared();
            let nearest = || {
                heavy_atoms
                    .iter()
                    .copied()
                    .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            };
            let carrier = heavy(atom).next().or_else(nearest)?;
            let first = heavy(carrier).next().unwrap_or(carrier);
            let second = heavy(carrier)
                .nth(1)
                .or_else(|| heavy(first).find(|&other| other != carrier))
                .unwrap_or(carrier);
            let frame = [carrier, first, second];
            Some(Rider {
                atom,
                frame,
                local: axes(&frame, positions).transpose() * (positions[atom] - positions[carrier]),
            })
        };
        let hydrogens =
            (0..topology.len()).filter(|&atom| topology.atoms[atom].element == Element::H);
        Hydrogens {
            riders: hydrogens.filter_map(rider).collect(),
        }
    }

    /// Takes the local coordinates anew, from these positions of the same molecule.
    pub fn take_from(&mut self, positions: &[Vector3<f64>]) {
        for rider in &mut self.riders {
            let arm = positions[rider.atom] - positions[rider.frame[0]];
            rider.local = axes(&rider.frame, positions).transpose() * arm;
        }
    }

    /// Puts every hydrogen where its local coordinates say.
    pub fn place(&self, positions: &mut [Vector3<f64>]) {
        for rider in &self.riders {
            positions[rider.atom] =
                positions[rider.frame[0]] + axes(&rider.frame, positions) * rider.local;
        }
    }
}

/// Orthonormal axes (columns): along the first bond, in the plane of the second, and normal to
/// both. Right-handed.
fn axes(&[carrier, first, second]: &[usize; 3], positions: &[Vector3<f64>]) -> Matrix3<f64> {
    let origin = positions[carrier];
    let along = (positions[first] - origin)
        .try_normalize(1e-6)
        .unwrap_or_else(Vector3::x);
    let normal = along.cross(&(positions[second] - origin));
    // Collinear or missing second atom: any normal, chosen by the axis least aligned with the bond.
    let normal = normal
        .try_normalize(1e-6)
        .unwrap_or_else(|| along.cross(&Vector3::ith(along.iamin(), 1.0)).normalize());
    Matrix3::from_columns(&[along, normal.cross(&along), normal])
}
