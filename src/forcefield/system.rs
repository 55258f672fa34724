//! The typed terms of ff14SB + OBC2 for one topology: flat arrays that the energy code walks over.
//!
//! Units: Å, rad, kJ/mol, elementary charges, Da. Atom indices are those of the topology that the
//! system was built for.

/// 1/(4πε₀) in kJ·Å/mol/e², as it stands in OpenMM's `NonbondedForce`: for Coulomb pairs and 1-4
/// pairs.
pub const COULOMB: f64 = 1_389.354_56;
/// 1/(4πε₀) in kJ·Å/mol/e², as it stands in OpenMM's OBC energy: for the solvation term only.
pub const COULOMB_OBC: f64 = 1_389.354_85;
/// Factor on Lennard-Jones between atoms three bonds apart; [`Exception`] holds it already.
pub const SCALE_LJ_14: f64 = 0.5;
/// Factor on Coulomb between atoms three bonds apart (1/1.2); [`Exception`] holds it already.
pub const SCALE_COULOMB_14: f64 = 0.833_333_333_333_333_4;
/// What OBC2 takes off every radius ρ, Å: ρ̃ = ρ − offset.
pub const OBC_OFFSET: f64 = 0.09;

/// Harmonic bond ½k(r − r0)².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bond {
    /// The bonded atoms, ascending.
    pub atoms: [usize; 2],
    /// Equilibrium length r0, Å.
    pub length: f64,
    /// Force constant k, kJ/mol/Å².
    pub k: f64,
}

/// Harmonic angle ½k(θ − θ0)².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Angle {
    /// End, middle, end.
    pub atoms: [usize; 3],
    /// Equilibrium angle θ0, rad.
    pub angle: f64,
    /// Force constant k, kJ/mol/rad².
    pub k: f64,
}

/// One Fourier term of a torsion, k(1 + cos(nφ − φ0)); a torsion of several terms has several
/// entries.
///
/// φ is the IUPAC dihedral of the four atoms in the order given. An improper torsion has the same
/// form, with the centre third.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Torsion {
    /// The four atoms whose dihedral is φ.
    pub atoms: [usize; 4],
    /// Periodicity n.
    pub periodicity: u32,
    /// Phase φ0, rad.
    pub phase: f64,
    /// Height k, kJ/mol.
    pub k: f64,
    /// Whether this is an improper torsion (three bonds meet in `atoms[2]`).
    pub improper: bool,
}

/// A pair three bonds apart: its Lennard-Jones and Coulomb parameters, scaled and combined already.
///
/// E = 4ε((σ/r)¹² − (σ/r)⁶) + [`COULOMB`] · `charge_product` / r.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exception {
    /// The two atoms, ascending.
    pub atoms: [usize; 2],
    /// q_i q_j × [`SCALE_COULOMB_14`], e².
    pub charge_product: f64,
    /// (σ_i + σ_j)/2, Å.
    pub sigma: f64,
    /// √(ε_i ε_j) × [`SCALE_LJ_14`], kJ/mol.
    pub epsilon: f64,
}

/// All terms of the force field for one topology that has all its hydrogens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct System {
    /// Mass of every atom, Da.
    pub masses: Vec<f64>,
    /// Charge of every atom, e.
    pub charges: Vec<f64>,
    /// Lennard-Jones σ of every atom, Å; pairs combine by Lorentz–Berthelot.
    pub sigmas: Vec<f64>,
    /// Lennard-Jones ε of every atom, kJ/mol.
    pub epsilons: Vec<f64>,
    /// Intrinsic Born radius ρ of every atom (mbondi2), Å; the energy takes [`OBC_OFFSET`] off.
    pub radii: Vec<f64>,
    /// OBC screening factor s of every atom, without unit.
    pub screens: Vec<f64>,
    /// Harmonic bonds.
    pub bonds: Vec<Bond>,
    /// Harmonic angles.
    pub angles: Vec<Angle>,
    /// Proper and improper torsions, one entry a Fourier term.
    pub torsions: Vec<Torsion>,
    /// Pairs `[i, j]`, `i < j`, one, two or three bonds apart, sorted, without repeats: left out of
    /// the nonbonded pair sum (they stay in OBC's).
    pub exclusions: Vec<[usize; 2]>,
    /// The pairs of `exclusions` that are three bonds apart and no closer, sorted: their scaled
    /// interaction.
    pub exceptions: Vec<Exception>,
}

impl System {
    /// Number of atoms.
    pub fn len(&self) -> usize {
        self.masses.len()
    }
    /// Whether there is no atom.
    pub fn is_empty(&self) -> bool {
        self.masses.is_empty()
    }
}
