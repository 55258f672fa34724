//! Bonds, angles, torsions and the scaled pairs three bonds apart, in f64 always: they cost little
//! and are stiff.

use nalgebra::Vector3;

use super::{Angle, Bond, COULOMB, Exception, System, Torsion};

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

/// The bonded terms of a system, torsions on the same four atoms joined.
#[derive(Debug, Clone)]
pub(super) struct Bonded {
    bonds: Vec<Bond>,
    angles: Vec<Angle>,
    dihedrals: Vec<Dihedral>,
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
    let [i, j] = bond.atoms;
    let delta = positions[i] - positions[j];
    let r = delta.norm();
    let stretch = r - bond.length;
    let force = delta * (-bond.k * stretch / r.max(f64::MIN_POSITIVE));
    forces[i] += force;
    forces[j] -= force;
    0.5 * bond.k * stretch * stretch
}

/// With u and v from the middle to the ends, θ = atan2(|u × v|, u·v), so that straight angles lose
/// no digits.
fn add_angle(angle: &Angle, positions: Vectors, forces: Forces) -> f64 {
    let [i, j, k] = angle.atoms;
    let (u, v) = (positions[i] - positions[j], positions[k] - positions[j]);
    let normal = u.cross(&v);
    let area = normal.norm();
    let bend = area.atan2(u.dot(&v)) - angle.angle;
    // ∂θ/∂i = (u × n)/(|u|² |n|); where the atoms are in line, the direction is not defined and the
    // force left out
    let slope = if area > 1e-12 {
        -angle.k * bend / area
    } else {
        0.0
    };
    let on_i = u.cross(&normal) * (slope / u.norm_squared());
    let on_k = normal.cross(&v) * (slope / v.norm_squared());
    forces[i] += on_i;
    forces[k] += on_k;
    forces[j] -= on_i + on_k;
    0.5 * angle.k * bend * bend
}

/// Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996): forces without a division by sin φ. cos
/// nφ and sin nφ follow from cos φ and sin φ by the addition theorems.
fn add_dihedral(dihedral: &Dihedral, positions: Vectors, forces: Forces) -> f64 {
    let [i, j, k, l] = dihedral.atoms;
    let f = positions[i] - positions[j];
    let g = positions[j] - positions[k];
    let h = positions[l] - positions[k];
    let (a, b) = (f.cross(&g), h.cross(&g));
    let a2 = a.norm_squared();
    let b2 = b.norm_squared();
    let g1 = g.norm();
    let scale = (a2 * b2).sqrt();
    if scale <= 1e-12 {
        return dihedral.constant; // three atoms in line: φ is not defined
    }
    let cosine = a.dot(&b) / scale;
    let sine = b.cross(&a).dot(&g) / (scale * g1);
    let mut energy = dihedral.constant;
    let mut slope = 0.0;
    let (mut n, mut c, mut s) = (0, 1.0, 0.0);
    for &(periodicity, on_cosine, on_sine) in &dihedral.terms {
        while n < periodicity {
            (c, s) = (c * cosine - s * sine, s * cosine + c * sine);
            n += 1;
        }
        energy += on_cosine * c + on_sine * s;
        slope += f64::from(n) * (on_sine * c - on_cosine * s);
    }
    let on_i = a * (slope * g1 / a2);
    let on_l = b * (-slope * g1 / b2);
    let shift = a * (slope * f.dot(&g) / (a2 * g1)) - b * (slope * h.dot(&g) / (b2 * g1));
    forces[i] += on_i;
    forces[j] -= on_i + shift;
    forces[k] += shift - on_l;
    forces[l] += on_l;
    energy
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
