//! Bonded terms by atom, as `shaders/forcefield/bonded.wgsl` reads them.

use super::super::System;
use super::super::bonded::{Dihedral, join};
use super::super::{Angle, Bond, COULOMB, Exception};

/// The terms of some molecules by atom.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// For each atom where its bonds, angles, dihedrals and pairs begin, and where they end.
    pub starts: Vec<u32>,
    pub words: Vec<u32>,
}

/// Largest periodicity of a torsion of these molecules, at least 1.
pub(super) fn periods<'a>(systems: impl IntoIterator<Item = &'a System>) -> usize {
    let torsions = systems.into_iter().flat_map(|system| &system.torsions);
    torsions
        .map(|torsion| torsion.periodicity as usize)
        .fold(1, usize::max)
}

impl Terms {
    /// Adds the atoms of a molecule whose torsions have periodicities up to `periods`.
    pub fn add(&mut self, system: &System, periods: usize) {
        let dihedrals = join(&system.torsions);
        let atoms = system.len();
        let bonds = by_atom(atoms, &system.bonds, |bond| &bond.atoms);
        let angles = by_atom(atoms, &system.angles, |angle| &angle.atoms);
        let turns = by_atom(atoms, &dihedrals, |dihedral| &dihedral.atoms);
        let pairs = by_atom(atoms, &system.exceptions, |pair| &pair.atoms);
        for atom in 0..atoms {
            self.begin();
            bonds[atom]
                .iter()
                .for_each(|&(bond, seat)| self.bond(bond, seat));
            self.begin();
            angles[atom]
                .iter()
                .for_each(|&(angle, seat)| self.angle(angle, seat));
            self.begin();
            for &(dihedral, seat) in &turns[atom] {
                self.dihedral(dihedral, seat, periods);
            }
            self.begin();
            pairs[atom]
                .iter()
                .for_each(|&(pair, seat)| self.pair(pair, seat));
            self.begin();
        }
    }

    /// The next terms begin here.
    fn begin(&mut self) {
        self.starts.push(self.words.len() as u32);
    }

    fn atoms(&mut self, atoms: &[usize]) {
        self.words.extend(atoms.iter().map(|&atom| atom as u32));
    }

    fn numbers(&mut self, numbers: &[f64]) {
        let bits = numbers.iter().map(|&number| (number as f32).to_bits());
        self.words.extend(bits);
    }

    fn bond(&mut self, bond: &Bond, seat: usize) {
        self.atoms(&[bond.atoms[1 - seat]]);
        self.numbers(&[bond.length, bond.k]);
    }

    fn angle(&mut self, angle: &Angle, seat: usize) {
        self.atoms(&angle.atoms);
        self.words.push(seat as u32);
        self.numbers(&[angle.angle.cos(), angle.angle.sin(), angle.k]);
    }

    fn dihedral(&mut self, dihedral: &Dihedral, seat: usize, periods: usize) {
        self.atoms(&dihedral.atoms);
        self.words.push(seat as u32);
        // a term of periodicity 0 is a constant
        let mut constant = dihedral.constant;
        let mut waves = vec![[0.0; 2]; periods];
        for &(periodicity, cosine, sine) in &dihedral.terms {
            match periodicity as usize {
                0 => constant += cosine,
                n => {
                    waves[n - 1][0] += cosine;
                    waves[n - 1][1] += sine;
                }
            }
        }
        self.numbers(&[constant]);
        self.numbers(waves.as_flattened());
    }

    fn pair(&mut self, pair: &Exception, seat: usize) {
        self.atoms(&[pair.atoms[1 - seat]]);
        self.numbers(&[COULOMB * pair.charge_product, pair.sigma, pair.epsilon]);
    }
}

/// For each of `count` atoms the terms that it is in, and its place among their atoms.
fn by_atom<'a, T>(
    count: usize,
    terms: &'a [T],
    atoms: impl Fn(&'a T) -> &'a [usize],
) -> Vec<Vec<(&'a T, usize)>> {
    let mut lists = vec![Vec::new(); count];
    for term in terms {
        for (seat, &atom) in atoms(term).iter().enumerate() {
            lists[atom].push((term, seat));
        }
    }
    lists
}
