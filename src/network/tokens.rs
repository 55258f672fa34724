//! A molecule as the network sees it: its heavy atoms, their identities, bonded relations and
//! template geometry.

use std::cmp::Ordering;
use std::ops::Range;

use nalgebra::Vector3;
use rayon::prelude::*;

use super::nearest::{Nearest, nearest};
use super::vocabulary::PROTEIN;
use crate::forcefield::TemplateGeometry;
use crate::ops::{Centre, Edges};
use crate::structure::align::superpose;
use crate::structure::{Element, Topology};
use crate::{Error, Result, error::Place};

/// The static part of a system: what does not change along a trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens {
    /// Topology index of each token, ascending.
    pub atoms: Vec<usize>,
    /// Rows of the embedding tables of each token.
    pub kinds: Vec<[u16; 3]>,
    /// Three-neighbour centres, in tokens.
    pub centres: Vec<Centre>,
    residue: Vec<usize>,
    chain: Vec<usize>,
    /// Tokens within four bonds of each token, with the bond-graph distance, ascending.
    near: Lists<u8>,
    /// Rigid partners of each token with their template distance, ascending.
    rigid: Lists<f32>,
}

/// Other tokens of each token, each with something about the two.
#[derive(Debug, Clone, PartialEq)]
struct Lists<T> {
    /// First of each token, and the number of all at the end.
    start: Vec<u32>,
    others: Vec<(u32, T)>,
}

impl<T> Lists<T> {
    fn new(lists: Vec<Vec<(usize, T)>>) -> Self {
        let mut all = Lists {
            start: vec![0],
            others: Vec::with_capacity(lists.iter().map(Vec::len).sum()),
        };
        for list in lists {
            let own = list.into_iter();
            all.others
                .extend(own.map(|(other, what)| (other as u32, what)));
            all.start.push(all.others.len() as u32);
        }
        all
    }

    fn of(&self, token: usize) -> &[(u32, T)] {
        &self.others[self.start[token] as usize..self.start[token + 1] as usize]
    }
}

/// What there is about the next token that is `sends`, past those before it.
fn next_of<T: Copy>(list: &mut &[(u32, T)], sends: impl Fn(u32) -> Ordering) -> Option<T> {
    let before = list.iter().take_while(|&&(other, _)| sends(other).is_lt());
    *list = &list[before.count()..];
    let &(other, what) = list.first()?;
    sends(other).is_eq().then_some(what)
}

/// Edges that are written next.
struct Part<'a> {
    sender: &'a mut [u32],
    relation: &'a mut [u8],
    template: &'a mut [f32],
}

impl<'a> Part<'a> {
    /// Takes the first `count` away.
    fn cut(&mut self, count: usize) -> Part<'a> {
        fn own<'b, T>(rest: &mut &'b mut [T], count: usize) -> &'b mut [T] {
            rest.split_off_mut(..count)
                .expect("as many edges as were counted")
        }
        Part {
            sender: own(&mut self.sender, count),
            relation: own(&mut self.relation, count),
            template: own(&mut self.template, count),
        }
    }
}

/// Tokens whose edges one task writes.
const TASK: usize = 512;

impl Tokens {
    /// The heavy atoms of a topology, with its template geometry (see
    /// [`crate::forcefield::template_geometry`]).
    ///
    /// # Errors
    /// [`Error::Input`] naming the first atom or residue that no model can have seen.
    pub fn new(topology: &Topology, geometry: &TemplateGeometry) -> Result<Tokens> {
        let atoms = topology.heavy_atoms();
        if atoms.is_empty() {
            return Err(Error::input(
                Place::default(),
                "no heavy atom to move",
                "give a file that holds a protein",
            ));
        }
        let heavy = topology.select(&atoms);
        let mut token_of = vec![usize::MAX; topology.len()];
        atoms
            .iter()
            .enumerate()
            .for_each(|(token, &atom)| token_of[atom] = token);
        let mut rigid = vec![Vec::new(); atoms.len()];
        for &(i, j, distance) in &geometry.pairs {
            let (i, j) = (token_of[i], token_of[j]);
            rigid[i].push((j, distance as f32));
            rigid[j].push((i, distance as f32));
        }
        rigid
            .iter_mut()
            .for_each(|list| list.sort_unstable_by_key(|&(token, _)| token));
        let centre = |&(atoms, height, area): &([usize; 4], f64, f64)| Centre {
            tokens: atoms.map(|atom| token_of[atom] as u32),
            height: height as f32,
            area: area as f32,
        };
        let residue: Vec<usize> = heavy.atoms.iter().map(|atom| atom.residue).collect();
        Ok(Tokens {
            kinds: (0..heavy.len())
                .map(|token| kind(&heavy, token))
                .collect::<Result<_>>()?,
            centres: geometry.centres.iter().map(centre).collect(),
            chain: residue
                .iter()
                .map(|&residue| heavy.residues[residue].chain)
                .collect(),
            residue,
            near: Lists::new(heavy.bond_distances(4)),
            rigid: Lists::new(rigid),
            atoms,
        })
    }

    /// All atoms of a topology as tokens of these kinds, rows of the tables of any vocabulary,
    /// without template geometry: for molecules that no force field here has templates of.
    ///
    /// # Panics
    /// Where there is not one kind an atom.
    pub fn of_kinds(topology: &Topology, kinds: Vec<[u16; 3]>) -> Tokens {
        assert_eq!(topology.len(), kinds.len(), "one kind an atom");
        let residue: Vec<usize> = topology.atoms.iter().map(|atom| atom.residue).collect();
        let chain = |&residue: &usize| topology.residues[residue].chain;
        Tokens {
            atoms: (0..topology.len()).collect(),
            kinds,
            centres: Vec::new(),
            chain: residue.iter().map(chain).collect(),
            residue,
            near: Lists::new(topology.bond_distances(4)),
            rigid: Lists::new(vec![Vec::new(); topology.len()]),
        }
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.atoms.len()
    }
    /// Whether there is none; [`Tokens::new`] never makes such.
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Positions of the tokens out of those of all atoms.
    pub fn positions(&self, all: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        self.atoms.iter().map(|&atom| all[atom]).collect()
    }

    /// Whether a chain is long enough to keep to a fold: ten residues. Shorter ones the built-in
    /// model knows as free.
    pub fn is_folded(&self) -> bool {
        const SHORTEST: usize = 10;
        let mut residues: Vec<(usize, usize)> = self
            .chain
            .iter()
            .copied()
            .zip(self.residue.iter().copied())
            .collect();
        residues.dedup();
        residues
            .chunk_by(|a, b| a.0 == b.0)
            .any(|chain| chain.len() >= SHORTEST)
    }

    /// The way from every token to its place in the fold, superposed on the backbone: a (1 + |a|²/9
    /// Å²)^(−½), a in Å, for those of the backbone (N, CA, C, O and CB), 0 for side chains, whose
    /// places a fold leaves open.
    ///
    /// # Panics
    /// Where there is not one position a token.
    pub fn away_from_fold(
        &self,
        positions: &[Vector3<f64>],
        fold: &[Vector3<f64>],
    ) -> Vec<Vector3<f64>> {
        const FARTHEST: f64 = 3.0;
        assert!(
            positions.len() == self.len() && fold.len() == self.len(),
            "one position a token"
        );
        let backbone = self.backbone();
        let mut away = vec![Vector3::zeros(); self.len()];
        for (&token, place) in backbone.iter().zip(superpose(
            &picked(fold, &backbone),
            &picked(positions, &backbone),
        )) {
            let a = place - positions[token];
            away[token] = a / (1.0 + a.norm_squared() / (FARTHEST * FARTHEST)).sqrt();
        }
        away
    }

    /// Moves a fold towards where the positions are, superposed on it by the backbone: by this
    /// share of the way. Its places of side chains, which count for nothing, stay.
    ///
    /// # Panics
    /// Where there is not one position a token.
    pub fn draw_fold(&self, fold: &mut [Vector3<f64>], positions: &[Vector3<f64>], share: f64) {
        assert!(
            positions.len() == self.len() && fold.len() == self.len(),
            "one position a token"
        );
        let backbone = self.backbone();
        let now = superpose(&picked(positions, &backbone), &picked(fold, &backbone));
        for (&token, place) in backbone.iter().zip(now) {
            fold[token] += share * (place - fold[token]);
        }
    }

    /// Tokens that make the fold.
    fn backbone(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&token| PROTEIN.is_backbone(self.kinds[token][0]))
            .collect()
    }

    /// Appends the edges of this system at `positions` (of its tokens) to a batch whose next token
    /// is `first`.
    pub(super) fn edges(
        &self,
        positions: &[Vector3<f64>],
        neighbours: usize,
        first: usize,
        edges: &mut Edges,
    ) {
        let lists = nearest(positions, neighbours);
        let begin = edges.sender.len();
        edges.start.reserve_exact(self.len());
        let mut count = begin;
        for token in 0..self.len() {
            let list = lists.of(token);
            let rigid = self.rigid.of(token).iter();
            let more = rigid.filter(|(other, _)| list.binary_search(other).is_err());
            count += list.len() + more.count();
            edges.start.push(count as u32);
        }
        edges.sender.resize(count, 0);
        edges.relation.resize(count, 0);
        edges.template.resize(count, 0.0);
        let start = &edges.start[first..];
        let mut rest = Part {
            sender: &mut edges.sender[begin..],
            relation: &mut edges.relation[begin..],
            template: &mut edges.template[begin..],
        };
        let tasks = (0..self.len()).step_by(TASK).map(|token| {
            let tokens = token..self.len().min(token + TASK);
            let part = rest.cut((start[tokens.end] - start[tokens.start]) as usize);
            (tokens, part)
        });
        let tasks: Vec<(Range<usize>, Part<'_>)> = tasks.collect();
        let write = |(tokens, part)| self.write_edges(&lists, tokens, first, part);
        if tasks.len() == 1 {
            tasks.into_iter().for_each(write);
        } else {
            tasks.into_par_iter().for_each(write);
        }
    }

    /// Writes the edges of some tokens, whose nearest others these are.
    fn write_edges(&self, lists: &Nearest, tokens: Range<usize>, first: usize, part: Part<'_>) {
        let mut edge = 0;
        let mut senders: Vec<u32> = Vec::new();
        for token in tokens {
            senders.clear();
            senders.extend(lists.of(token));
            senders.extend(self.rigid.of(token).iter().map(|&(other, _)| other));
            senders.sort_unstable();
            senders.dedup();
            let (mut near, mut rigid) = (self.near.of(token), self.rigid.of(token));
            for &sender in &senders {
                let sends = |other: u32| other.cmp(&sender);
                let bonds = next_of(&mut near, sends);
                part.sender[edge] = first as u32 + sender;
                part.relation[edge] = self.relation(token, sender as usize, bonds);
                part.template[edge] = next_of(&mut rigid, sends).unwrap_or(0.0);
                edge += 1;
            }
        }
    }

    /// Relation class: 5 · (bond distance − 1, 4 further in the chain, 5 another chain) + (residue
    /// offset clipped to ±2) + 2.
    fn relation(&self, receiver: usize, sender: usize, bonds: Option<u8>) -> u8 {
        let same_chain = self.chain[receiver] == self.chain[sender];
        let offset = (self.residue[sender] as isize - self.residue[receiver] as isize).clamp(-2, 2);
        match (bonds, same_chain) {
            (Some(bonds), _) => 5 * (bonds - 1) + (offset + 2) as u8,
            (None, true) => 20 + (offset + 2) as u8,
            (None, false) => 25 + 2,
        }
    }
}

/// Those of some tokens.
fn picked(of: &[Vector3<f64>], tokens: &[usize]) -> Vec<Vector3<f64>> {
    tokens.iter().map(|&token| of[token]).collect()
}

/// The rows of the embedding tables of a heavy atom.
fn kind(heavy: &Topology, token: usize) -> Result<[u16; 3]> {
    let atom = &heavy.atoms[token];
    let residue = &heavy.residues[atom.residue];
    let unknown =
        |what: String, hint: &str| Error::input(Place::atom(heavy.atom_label(token)), what, hint);
    let name = PROTEIN
        .atom(&atom.name)
        .filter(|_| is_protein(&atom.element));
    let name = name.ok_or_else(|| {
        let what = format!(
            "no model has seen an atom named {} ({})",
            atom.name, atom.element
        );
        unknown(
            what,
            "leave the residue out with --chains, or give it its standard atom names",
        )
    })?;
    let kind = PROTEIN.residue(&residue.name);
    let kind = kind.ok_or_else(|| {
        unknown(
            format!("no model has seen a residue {}", residue.name),
            "only the twenty amino acids and the caps ACE, NME and NH2 can be run",
        )
    })?;
    let chain = &heavy.chains[residue.chain].residues;
    let place =
        usize::from(atom.residue == chain.start) + 2 * usize::from(atom.residue + 1 == chain.end);
    Ok([name, kind, place as u16])
}

fn is_protein(element: &Element) -> bool {
    matches!(
        element,
        Element::C | Element::N | Element::O | Element::S | Element::Se
    )
}
