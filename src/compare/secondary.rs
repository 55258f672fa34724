//! Secondary structure from hydrogen bonds (Kabsch & Sander, Biopolymers 22 (1983) 2577), as helix,
//! strand and coil.
//!
//! A hydrogen bond from N–H of one residue to C=O of another has E = 27.9 (1/r_ON + 1/r_CH − 1/r_OH
//! − 1/r_CN) kcal/mol < −0.5; the hydrogen is set 1 Å from N against the C=O before it, so no
//! hydrogens are needed. As in later versions of the program, a donor keeps its two best bonds.
//! Helix: two consecutive n-turns, n = 3, 4, 5. Strand: bridges, with the bulges between them.

use nalgebra::Vector3;

use crate::geometry::neighbours::CellList;
use crate::geometry::torsion::next_residues;
use crate::structure::Topology;

/// Secondary structure of a residue, in three classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// α, 3₁₀ or π helix (DSSP H, G, I).
    Helix,
    /// Strand or single bridge (DSSP E, B).
    Strand,
    /// All else.
    Coil,
}

/// Largest energy of a hydrogen bond, kcal/mol.
const BOND_ENERGY: f64 = -0.5;
/// Cα farther apart than this, Å, have no hydrogen bond.
const REACH: f64 = 9.0;

/// One residue with a whole backbone.
#[derive(Debug, Clone, Copy)]
struct Backbone {
    residue: usize,
    /// N, CA, C, O.
    atoms: [usize; 4],
    /// Whether the next entry of the list is bonded to this one.
    bonded_on: bool,
    proline: bool,
}

/// Finds secondary structure in frames of one topology.
#[derive(Debug, Clone)]
pub struct SecondaryStructure {
    backbones: Vec<Backbone>,
    residues: usize,
}

/// Two stretches of residues paired by bridges; `first` and `last` of each stretch, in sequence
/// order.
#[derive(Debug, Clone, Copy)]
struct Ladder {
    parallel: bool,
    left: (usize, usize),
    right: (usize, usize),
}

impl SecondaryStructure {
    /// For one topology; residues without N, CA, C and O are coil.
    pub fn new(topology: &Topology) -> Self {
        let next = next_residues(topology);
        let backbone = |residue: usize| {
            let atom = |name| topology.atom_named(residue, name);
            let atoms = [
                atom("N")?,
                atom("CA")?,
                atom("C")?,
                atom("O").or_else(|| atom("OXT"))?,
            ];
            Some(Backbone {
                residue,
                atoms,
                bonded_on: false,
                proline: topology.residues[residue].name == "PRO",
            })
        };
        let mut backbones: Vec<Backbone> = (0..next.len()).filter_map(backbone).collect();
        for place in 1..backbones.len() {
            backbones[place - 1].bonded_on =
                next[backbones[place - 1].residue] == Some(backbones[place].residue);
        }
        SecondaryStructure {
            backbones,
            residues: next.len(),
        }
    }

    /// The class of every residue of the topology.
    pub fn assign(&self, positions: &[Vector3<f64>]) -> Vec<Class> {
        let bonds = self.hydrogen_bonds(positions);
        let mut classes = vec![Class::Coil; self.backbones.len()];
        for ladder in self.ladders(&bonds) {
            classes[ladder.left.0..=ladder.left.1].fill(Class::Strand);
            classes[ladder.right.0..=ladder.right.1].fill(Class::Strand);
        }
        self.helices(&bonds, &mut classes);
        let mut all = vec![Class::Coil; self.residues];
        self.backbones
            .iter()
            .zip(classes)
            .for_each(|(backbone, class)| all[backbone.residue] = class);
        all
    }

    /// N and O of every hydrogen bond between backbones.
    pub fn bonded_atoms(&self, positions: &[Vector3<f64>]) -> Vec<[u32; 2]> {
        let mut atoms = Vec::new();
        for (donor, bonds) in self.hydrogen_bonds(positions).iter().enumerate() {
            for &acceptor in bonds.iter().flatten() {
                let nitrogen = self.backbones[donor].atoms[0];
                let oxygen = self.backbones[acceptor].atoms[3];
                atoms.push([nitrogen as u32, oxygen as u32]);
            }
        }
        atoms
    }

    /// For every backbone the two that its N–H is best bonded to.
    fn hydrogen_bonds(&self, positions: &[Vector3<f64>]) -> Vec<[Option<usize>; 2]> {
        let at = |place: usize, atom: usize| positions[self.backbones[place].atoms[atom]];
        let alphas: Vec<Vector3<f64>> = (0..self.backbones.len())
            .map(|place| at(place, 1))
            .collect();
        let cells = CellList::new(&alphas, REACH);
        let bonds_of = |donor: usize| {
            // The first residue of a segment has no C=O before it to place the hydrogen by, and
            // proline has no hydrogen.
            if donor == 0 || !self.backbones[donor - 1].bonded_on || self.backbones[donor].proline {
                return [None, None];
            }
            let nitrogen = at(donor, 0);
            let hydrogen = nitrogen + (at(donor - 1, 2) - at(donor - 1, 3)).normalize();
            let mut best = [(0.0, None); 2];
            cells.around(&alphas[donor], |acceptor, _| {
                if acceptor == donor || acceptor + 1 == donor {
                    return;
                }
                let energy = bond_energy(&nitrogen, &hydrogen, &at(acceptor, 2), &at(acceptor, 3));
                if energy < best[0].0 {
                    best = [(energy, Some(acceptor)), best[0]];
                } else if energy < best[1].0 {
                    best[1] = (energy, Some(acceptor));
                }
            });
            best.map(|(energy, acceptor)| acceptor.filter(|_| energy < BOND_ENERGY))
        };
        (0..self.backbones.len()).map(bonds_of).collect()
    }

    /// Whether the backbones from `from` to `to` follow each other without a break.
    fn unbroken(&self, from: usize, to: usize) -> bool {
        to < self.backbones.len()
            && self.backbones[from..to]
                .iter()
                .all(|backbone| backbone.bonded_on)
    }

    fn ladders(&self, bonds: &[[Option<usize>; 2]]) -> Vec<Ladder> {
        let count = self.backbones.len();
        let bonded = |donor: usize, acceptor: usize| bonds[donor].contains(&Some(acceptor));
        let middle =
            |place: usize| place > 0 && place + 1 < count && self.unbroken(place - 1, place + 1);
        // A bridge needs two bonds around it: whatever pairs one bond could belong to are all that
        // need a look.
        let near = |donor: usize, acceptor: usize| {
            [
                (donor - 1, acceptor),
                (donor - 1, acceptor + 1),
                (donor, acceptor),
            ]
        };
        let listed = bonds.iter().enumerate().flat_map(|(donor, list)| {
            list.iter()
                .flatten()
                .map(move |&acceptor| (donor, acceptor))
        });
        let mut pairs: Vec<(usize, usize)> = listed
            .flat_map(|(d, a)| near(d, a))
            .map(|(i, j)| (i.min(j), i.max(j)))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut ladders: Vec<Ladder> = Vec::new();
        for (i, j) in pairs
            .into_iter()
            .filter(|&(i, j)| i + 3 <= j && middle(i) && middle(j))
        {
            let parallel =
                (bonded(i + 1, j) && bonded(j, i - 1)) || (bonded(j + 1, i) && bonded(i, j - 1));
            let crossed =
                (bonded(i + 1, j - 1) && bonded(j + 1, i - 1)) || (bonded(j, i) && bonded(i, j));
            if parallel || crossed {
                extend(&mut ladders, parallel, i, j);
            }
        }
        self.with_bulges(ladders)
    }

    /// Joins ladders that follow each other with a bulge: at most one more residue on one strand
    /// and four on the other.
    fn with_bulges(&self, mut ladders: Vec<Ladder>) -> Vec<Ladder> {
        ladders.sort_by_key(|ladder| ladder.left.0);
        let mut one = 0;
        while one < ladders.len() {
            let mut other = one + 1;
            while other < ladders.len() {
                let (a, b) = (ladders[one], ladders[other]);
                if self.makes_bulge(&a, &b) {
                    ladders[one].left.1 = b.left.1;
                    ladders[one].right = (a.right.0.min(b.right.0), a.right.1.max(b.right.1));
                    ladders.remove(other);
                } else {
                    other += 1;
                }
            }
            one += 1;
        }
        ladders
    }

    fn makes_bulge(&self, a: &Ladder, b: &Ladder) -> bool {
        let ends = (
            a.left.0.min(b.left.0),
            a.left.1.max(b.left.1),
            a.right.0.min(b.right.0),
            a.right.1.max(b.right.1),
        );
        let overlaps = b.left.0 <= a.left.1 && b.left.1 >= a.left.0;
        if a.parallel != b.parallel || overlaps || b.left.0 - a.left.1 >= 6 {
            return false;
        }
        if !self.unbroken(ends.0, ends.1) || !self.unbroken(ends.2, ends.3) {
            return false;
        }
        let left = b.left.0 - a.left.1;
        let right = if a.parallel {
            b.right.0.checked_sub(a.right.1)
        } else {
            a.right.0.checked_sub(b.right.1)
        };
        right.is_some_and(|right| (right < 6 && left < 3) || right < 3)
    }

    fn helices(&self, bonds: &[[Option<usize>; 2]], classes: &mut [Class]) {
        let count = self.backbones.len();
        let turn = |start: usize, size: usize| {
            self.unbroken(start, start + size) && bonds[start + size].contains(&Some(start))
        };
        // The size of the turns that made each residue helical. An α helix goes before all; a 3₁₀
        // helix takes only what is still free, a π helix also what is α.
        let mut turns = vec![0; count];
        for size in [4, 3, 5] {
            for start in 1..count.saturating_sub(size) {
                let body = start..start + size;
                let free = |place: usize| {
                    classes[place] == Class::Coil
                        || turns[place] == size
                        || (size == 5 && turns[place] == 4)
                };
                if turn(start - 1, size)
                    && turn(start, size)
                    && (size == 4 || body.clone().all(free))
                {
                    classes[body.clone()].fill(Class::Helix);
                    turns[body].fill(size);
                }
            }
        }
    }
}

/// Adds a bridge to the ladder that it continues, or begins one.
fn extend(ladders: &mut Vec<Ladder>, parallel: bool, i: usize, j: usize) {
    let continued = ladders.iter_mut().find(|ladder| {
        let next_to = if parallel {
            ladder.right.1 + 1 == j
        } else {
            ladder.right.0 == j + 1
        };
        ladder.parallel == parallel && ladder.left.1 + 1 == i && next_to
    });
    match continued {
        Some(ladder) => {
            ladder.left.1 = i;
            ladder.right = (ladder.right.0.min(j), ladder.right.1.max(j));
        }
        None => ladders.push(Ladder {
            parallel,
            left: (i, i),
            right: (j, j),
        }),
    }
}

/// Energy of a hydrogen bond N–H···O=C, kcal/mol, to three decimals and no less than −9.9, as DSSP
/// keeps it.
fn bond_energy(n: &Vector3<f64>, h: &Vector3<f64>, c: &Vector3<f64>, o: &Vector3<f64>) -> f64 {
    let (on, ch, oh, cn) = (
        (o - n).norm(),
        (c - h).norm(),
        (o - h).norm(),
        (c - n).norm(),
    );
    if on.min(ch).min(oh).min(cn) < 0.5 {
        return -9.9;
    }
    let energy = 27.9 * (1.0 / on + 1.0 / ch - 1.0 / oh - 1.0 / cn);
    ((energy * 1000.0).round() / 1000.0).max(-9.9)
}
