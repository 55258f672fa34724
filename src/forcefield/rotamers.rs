//! Turns a side chain that was built from its template so that it meets no other atom.

use nalgebra::{Rotation3, Unit, Vector3};

use super::parameters::parameters;
use super::place::Placer;
use crate::structure::Element;

/// Heavy atoms closer than this repel each other here, Å; hydrogens count 0.8 Å less.
const CONTACT: f64 = 3.6;
/// Only atoms this close to the first turning bond can be met, Å: the longest side chain and a
/// contact.
const REACH: f64 = 13.0;

/// A bond that turns, and what turns with it.
struct Turn {
    axis: [usize; 2],
    moved: Vec<usize>,
    /// Angles tried, as parts of a full turn.
    parts: usize,
}

/// The torsions of a side chain's built atoms.
pub(super) struct Rotamers {
    turns: Vec<Turn>,
    moved: Vec<usize>,
    /// Other atoms with their positions (Å), and contact distances to them.
    others: Vec<(usize, Vector3<f64>, f64)>,
    /// Atoms within three bonds of each moved one: their distance depends on one torsion at most
    /// and is no clash.
    near: Vec<Vec<usize>>,
}

impl Rotamers {
    /// Finds the torsions that move atoms of `built` (heavy, of one residue) and nothing else.
    pub fn new(placer: &Placer<'_>, built: &[usize]) -> Self {
        let residue = placer.topology.residue_of(built[0]).atoms.clone();
        let mut turns = Vec::new();
        for b in residue.clone() {
            for &c in placer.neighbours[b]
                .iter()
                .filter(|&&c| residue.contains(&c))
            {
                turns.extend(turn(placer, built, b, c));
            }
        }
        let mut moved: Vec<usize> = turns
            .iter()
            .flat_map(|turn| turn.moved.iter().copied())
            .collect();
        moved.sort_unstable();
        moved.dedup();
        // those nearer the backbone first: they move more
        turns.sort_by_key(|turn| std::cmp::Reverse(turn.moved.len()));
        let centre = placer.known[built[0]].unwrap_or_default();
        let contact = |atom: usize| {
            if placer.topology.atoms[atom].element == Element::H {
                CONTACT - 0.8
            } else {
                CONTACT
            }
        };
        let others = placer
            .known
            .iter()
            .enumerate()
            .filter_map(|(atom, at)| Some((atom, (*at)?, contact(atom))));
        let others = others
            .filter(|(_, at, _)| (at - centre).norm() < REACH)
            .collect();
        let near = moved
            .iter()
            .map(|&atom| within_three(&placer.neighbours, atom))
            .collect();
        Rotamers {
            turns,
            moved,
            others,
            near,
        }
    }

    /// Turns the moved atoms in `known` to the combination with the least overlap, the template's
    /// own first among equals.
    pub fn choose(&self, known: &mut [Option<Vector3<f64>>]) {
        let start: Vec<_> = known.to_vec();
        let combinations: usize = self.turns.iter().map(|turn| turn.parts).product();
        let mut best = (self.overlap(&start), start.clone());
        for combination in 1..combinations {
            let mut trial = start.clone();
            let mut rest = combination;
            for turn in &self.turns {
                turn.apply(rest % turn.parts, &mut trial);
                rest /= turn.parts;
            }
            let overlap = self.overlap(&trial);
            if overlap < best.0 - 1e-9 {
                best = (overlap, trial);
            }
        }
        known.copy_from_slice(&best.1);
    }

    /// Sum of squared overlaps of the moved atoms with others and with each other, Å².
    fn overlap(&self, known: &[Option<Vector3<f64>>]) -> f64 {
        let mut sum = 0.0;
        for (&atom, near) in self.moved.iter().zip(&self.near) {
            let Some(here) = known[atom] else { continue };
            for &(other, place, contact) in self
                .others
                .iter()
                .filter(|(other, ..)| !near.contains(other))
            {
                let there = if self.moved.contains(&other) {
                    known[other].unwrap_or(place)
                } else {
                    place
                };
                sum += (contact - (here - there).norm()).max(0.0).powi(2);
            }
        }
        sum
    }
}

impl Turn {
    /// Turns by `part` parts of a full turn.
    fn apply(&self, part: usize, known: &mut [Option<Vector3<f64>>]) {
        let [Some(from), Some(to)] = self.axis.map(|atom| known[atom]) else {
            return;
        };
        let angle = std::f64::consts::TAU * part as f64 / self.parts as f64;
        let rotation = Rotation3::from_axis_angle(&Unit::new_normalize(to - from), angle);
        for &atom in &self.moved {
            known[atom] = known[atom].map(|at| to + rotation * (at - to));
        }
    }
}

/// The turn about b–c, if it moves built atoms only and the bond turns.
fn turn(placer: &Placer<'_>, built: &[usize], b: usize, c: usize) -> Option<Turn> {
    let atoms = &placer.topology.atoms;
    let mut moved = vec![c];
    let mut next = 0;
    while next < moved.len() {
        for &other in &placer.neighbours[moved[next]] {
            let beyond = other != b || moved[next] != c;
            if beyond && placer.known[other].is_some() && !moved.contains(&other) {
                moved.push(other);
            }
        }
        next += 1;
    }
    moved.remove(0);
    let is_ring = moved.contains(&b);
    let kinds = [b, c].map(|atom| placer.kind(atom));
    if moved.is_empty()
        || is_ring
        || !moved.iter().all(|atom| built.contains(atom))
        || !parameters().turns(kinds)
    {
        return None;
    }
    // staggered on a tetrahedral end; a planar end may stand anywhere
    let tetrahedral = placer.neighbours[c].len() == 4 && atoms[c].element == Element::C;
    Some(Turn {
        axis: [b, c],
        moved,
        parts: if tetrahedral { 3 } else { 6 },
    })
}

/// Atoms within three bonds of `atom`, itself too.
fn within_three(neighbours: &[Vec<usize>], atom: usize) -> Vec<usize> {
    let mut found = vec![atom];
    for _ in 0..3 {
        let shell: Vec<usize> = found
            .iter()
            .flat_map(|&at| neighbours[at].iter().copied())
            .collect();
        found.extend(shell);
        found.sort_unstable();
        found.dedup();
    }
    found
}
