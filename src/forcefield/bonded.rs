//! Bonds, angles, torsions and the scaled pairs three bonds apart, in f64 always: they cost little
//! and are stiff.

use nalgebra::Vector3;

use super::{Angle, Bond, COULOMB, Exception, System, Torsion, internal};

type Vectors<'a> = &'a [Vector3<f64>];
type Forces<'a> = &'a mut [Vector3<f64>];

/// Fourier terms of one dihedral, Σ k(1 + cos(nφ − φ0)) = `constant` + Σ (`cosine`·cos nφ +
/// `sine`·sin nφ).
#[derive(Debug, Clone)]
pub(super) struct Dihedral {
    pub atoms: [usize; 4],
    pub constant: f64,
    /// (n, k cos φ0, k sin φ0) by ascending n.
    pub terms: Vec<(u32, f64, f64)>,
}

impl Dihedral {
    /// Largest curvature of the energy by φ, kJ/mol/rad²: Σ k n² where all terms bend alike.
    pub fn stiffness(&self) -> f64 {
        let each = |&(n, on_cosine, on_sine): &(u32, f64, f64)| {
            f64::from(n).powi(2) * f64::hypot(on_cosine, on_sine)
        };
        self.terms.iter().map(each).sum()
    }
}

/// The bonded terms of a system, torsions on the same four atoms joined.
#[derive(Debug, Clone)]
pub(super) struct Bonded {
    pub bonds: Vec<Bond>,
    pub angles: Vec<Angle>,
    pub dihedrals: Vec<Dihedral>,
    exceptions: Vec<Exception>,
}

/// Energies of the bonded terms, kJ/mol.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BondedEnergies {
    pub bond: f64,
    pub angle: f64,
    pub torsion: f64,
    /// Lennard-Jones and Coulomb of the exceptions.
    pub exception: f64,
}

impl Bonded {
    pub fn new(system: &System) -> Self {
        Bonded {
            bonds: system.bonds.clone(),
            angles: system.angles.clone(),
            dihedrals: join(&system.torsions),
            exceptions: system.exceptions.clone(),
        }
    }

    /// Energies; forces, kJ/mol/Å, are added to `forces`.
    pub fn add(&self, positions: Vectors, forces: Forces) -> BondedEnergies {
        BondedEnergies {
            bond: self
                .bonds
                .iter()
                .map(|bond| add_bond(bond, positions, forces))
                .sum(),
            angle: self
                .angles
                .iter()
                .map(|angle| add_angle(angle, positions, forces))
                .sum(),
            torsion: self
                .dihedrals
                .iter()
                .map(|dihedral| add_dihedral(dihedral, positions, forces))
                .sum(),
            exception: self
                .exceptions
                .iter()
                .map(|pair| add_exception(pair, positions, forces))
                .sum(),
        }
    }
}

impl Bonded {
    /// Bond, angle and torsion energy of every atom, kJ/mol: each term shared equally by its atoms.
    pub fn by_atom(&self, positions: Vectors) -> Vec<f64> {
        let mut shares = vec![0.0; positions.len()];
        let mut unused = vec![Vector3::zeros(); positions.len()];
        let mut share = |atoms: &[usize], energy: f64| {
            atoms
                .iter()
                .for_each(|&atom| shares[atom] += energy / atoms.len() as f64);
        };
        for bond in &self.bonds {
            share(&bond.atoms, add_bond(bond, positions, &mut unused));
        }
        for angle in &self.angles {
            share(&angle.atoms, add_angle(angle, positions, &mut unused));
        }
        for dihedral in &self.dihedrals {
            share(
                &dihedral.atoms,
                add_dihedral(dihedral, positions, &mut unused),
            );
        }
        shares
    }
}

/// Joins the Fourier terms of the same four atoms; the order of first occurrence is kept.
pub(super) fn join(torsions: &[Torsion]) -> Vec<Dihedral> {
    let mut places = std::collections::HashMap::new();
    let mut dihedrals: Vec<Dihedral> = Vec::new();
    for torsion in torsions.iter().filter(|torsion| torsion.k != 0.0) {
        let place = *places.entry(torsion.atoms).or_insert_with(|| {
            dihedrals.push(Dihedral {
                atoms: torsion.atoms,
                constant: 0.0,
                terms: Vec::new(),
            });
            dihedrals.len() - 1
        });
        let dihedral = &mut dihedrals[place];
        let (sine, cosine) = torsion.phase.sin_cos();
        dihedral.constant += torsion.k;
        dihedral
            .terms
            .push((torsion.periodicity, torsion.k * cosine, torsion.k * sine));
        dihedral.terms.sort_by_key(|term| term.0);
    }
    dihedrals
}

fn add_bond(bond: &Bond, positions: Vectors, forces: Forces) -> f64 {
    let (length, gradient) = internal::length(bond.atoms, positions);
    let stretch = length - bond.length;
    push(&bond.atoms, &gradient, -bond.k * stretch, forces);
    0.5 * bond.k * stretch * stretch
}

fn add_angle(angle: &Angle, positions: Vectors, forces: Forces) -> f64 {
    let (value, gradient) = internal::angle(angle.atoms, positions);
    let bend = value - angle.angle;
    push(&angle.atoms, &gradient, -angle.k * bend, forces);
    0.5 * angle.k * bend * bend
}

/// cos nφ and sin nφ follow from cos φ and sin φ by the addition theorems.
fn add_dihedral(dihedral: &Dihedral, positions: Vectors, forces: Forces) -> f64 {
    let Some(turn) = internal::dihedral(dihedral.atoms, positions) else {
        return dihedral.constant;
    };
    let mut energy = dihedral.constant;
    let mut slope = 0.0;
    let (mut n, mut c, mut s) = (0, 1.0, 0.0);
    for &(periodicity, on_cosine, on_sine) in &dihedral.terms {
        while n < periodicity {
            (c, s) = (
                c * turn.cosine - s * turn.sine,
                s * turn.cosine + c * turn.sine,
            );
            n += 1;
        }
        energy += on_cosine * c + on_sine * s;
        slope += f64::from(n) * (on_sine * c - on_cosine * s);
    }
    push(&dihedral.atoms, &turn.gradient, -slope, forces);
    energy
}

/// Adds the force along an internal coordinate to its atoms.
fn push(atoms: &[usize], gradient: &[Vector3<f64>], force: f64, forces: Forces) {
    for (&atom, on_atom) in atoms.iter().zip(gradient) {
        forces[atom] += on_atom * force;
    }
}

fn add_exception(pair: &Exception, positions: Vectors, forces: Forces) -> f64 {
    let [i, j] = pair.atoms;
    let delta = positions[i] - positions[j];
    let inverse_r2 = 1.0 / delta.norm_squared();
    let u3 = (pair.sigma * pair.sigma * inverse_r2).powi(3);
    let depth = 4.0 * pair.epsilon * u3;
    let electric = COULOMB * pair.charge_product * inverse_r2.sqrt();
    let force = delta * ((depth * (12.0 * u3 - 6.0) + electric) * inverse_r2);
    forces[i] += force;
    forces[j] -= force;
    depth * (u3 - 1.0) + electric
}
