//! Atoms, residues, chains and bonds of a [`Structure`] from the residues that are part of it.

use std::collections::HashSet;

use nalgebra::Vector3;

use super::atom_records::AtomRecords;
use super::conformers::{Candidate, Site};
use super::look::look;
use super::models::Model;
use super::order::Ordered;
use super::perceive::{Bonds, LONGEST_PEPTIDE_BOND};
use super::report::{Break, MissingAtoms, Report, plural};
use super::residues::{BACKBONE, Family, family, residue_name};
use super::summary::{count, warn};
use super::whole::{Lattice, Molecules};
use super::{Atom, Cell, Chain, Frame, Residue, Structure, Topology};
use crate::error::Place;
use crate::{Error, Result};

/// A structure as it is put together.
pub(super) struct Assembly<'a> {
    model: &'a Model,
    candidates: &'a [Candidate],
    topology: Topology,
    positions: Vec<Vector3<f64>>,
    /// Rows of the atoms in the model.
    rows: Vec<usize>,
    /// Residue of the topology of every candidate.
    places: Vec<Option<usize>>,
    /// Atoms that their residue names twice, at different places.
    twice: Vec<String>,
    /// The first of them that is the CA of another residue, and how far it is away, Å.
    other_residue: Option<(String, f64)>,
    report: Report,
}

/// Distance, Å, from which a second CA in a residue is another residue's: those that follow each
/// other are 2.9 (cis) and 3.8 apart, alternative places of one less than that.
const TWO_RESIDUES: f64 = 2.5;

/// Farthest that two CA that follow each other are apart, Å.
const NEXT_CA: f64 = 3.8;

/// Whether two molecules of one chain identifier, one behind the other, are one chain with residues
/// missing between them, where TER or another record sets them apart: the first has no terminal
/// oxygen, the second goes on with a number so much higher that the residues between bridge the
/// distance (Å).
fn is_gap(topology: &Topology, [before, after]: [usize; 2], distance: Option<f64>) -> bool {
    let [first, second] = [before, after].map(|residue| &topology.residues[residue]);
    let same = topology.chains[first.chain].id == topology.chains[second.chain].id;
    let steps = second.number.saturating_sub(first.number);
    let reach = NEXT_CA * steps as f64 + LONGEST_PEPTIDE_BOND;
    same && steps > 0
        && topology.atom_named(before, "OXT").is_none()
        && distance.is_none_or(|distance| distance <= reach)
}

impl<'a> Assembly<'a> {
    pub fn new(model: &'a Model, candidates: &'a [Candidate], report: Report) -> Self {
        Assembly {
            model,
            candidates,
            topology: Topology::default(),
            positions: Vec::new(),
            rows: Vec::new(),
            places: vec![None; candidates.len()],
            twice: Vec::new(),
            other_residue: None,
            report,
        }
    }

    /// Appends a chain.
    pub fn push_chain(&mut self, chain: Ordered) {
        let start = self.topology.residues.len();
        self.topology.chains.push(Chain {
            id: chain.id,
            residues: start..start,
        });
        let candidates = self.candidates;
        for residue in chain.residues {
            if let Some(family) = candidates[residue].family {
                self.places[residue] = Some(self.topology.residues.len());
                self.push(&candidates[residue], family);
            }
        }
    }

    fn push(&mut self, candidate: &Candidate, family: &Family) {
        let index = self.topology.residues.len();
        let read_as = residue_name(&candidate.name).unwrap_or(&family.name);
        let start = self.topology.atoms.len();
        let label = candidate.label();
        if read_as != candidate.name {
            self.note_renamed(format!("{} → {read_as}", candidate.name));
        }
        self.report.alternatives += usize::from(candidate.has_alternatives);
        if !candidate.also.is_empty() {
            self.report.warnings.push(format!(
                "{label}: alternative locations of it are another residue ({}): not read",
                candidate.also.join(", ")
            ));
        }
        for site in &candidate.sites {
            self.push_atom(site, family, index, start, &label);
        }
        let chain = self.topology.chains.len() - 1;
        self.topology.residues.push(Residue {
            name: candidate.form.unwrap_or(read_as).to_owned(),
            chain,
            number: candidate.number,
            insertion: candidate.insertion,
            atoms: start..self.topology.atoms.len(),
        });
        self.topology.chains[chain].residues.end = self.topology.residues.len();
        let has = |atom: &String| {
            let mut atoms = self.topology.atoms[start..].iter();
            atoms.any(|known| known.name == *atom)
        };
        let atoms: Vec<String> = family
            .heavy
            .iter()
            .filter(|atom| !has(atom))
            .cloned()
            .collect();
        if !atoms.is_empty() {
            let is_backbone = |atom: &String| BACKBONE.contains(&atom.as_str());
            self.report.missing.push(MissingAtoms {
                residue: label,
                backbone: atoms.iter().any(is_backbone),
                atoms,
            });
        }
    }

    fn push_atom(
        &mut self,
        site: &Site,
        family: &Family,
        residue: usize,
        start: usize,
        label: &str,
    ) {
        let raw = site.raw.as_str();
        let Some(name) = site.own else {
            self.report.unknown_atoms.push(format!("{label}:{raw}"));
            return;
        };
        let same = |&known: &usize| self.topology.atoms[known].name == name;
        if let Some(known) = (start..self.topology.atoms.len()).find(same) {
            if self.positions[known] == site.at {
                self.report.repeated_atoms += 1;
            } else {
                let apart = (self.positions[known] - site.at).norm();
                if name == "CA" && apart > TWO_RESIDUES && self.other_residue.is_none() {
                    self.other_residue = Some((format!("{label}:CA"), apart));
                }
                self.twice.push(format!("{label}:{raw}"));
            }
            return;
        }
        // the H of a first nitrogen, and selenium, are said elsewhere
        if name != raw && raw != "H" && raw != "SE" {
            self.note_renamed(format!("{}:{raw} → {name}", family.name));
        }
        let element = family.elements[name];
        self.topology.atoms.push(Atom {
            name: name.to_owned(),
            element,
            residue,
            serial: self.model.rows[site.row].serial,
            mass: element.weight().expect("templates hold common elements"),
        });
        self.positions.push(site.at);
        self.rows.push(site.row);
    }

    fn note_renamed(&mut self, what: String) {
        *self.report.renamed.entry(what).or_default() += 1;
    }

    /// Bonds inside residues from templates, those between them as they were perceived.
    fn bond(&mut self, bonds: &Bonds) {
        let candidates = self.candidates;
        let topology = &mut self.topology;
        let mut found = Vec::new();
        for (index, residue) in topology.residues.iter().enumerate() {
            let template = family(&residue.name).map_or(&[][..], |family| &family.bonds);
            found.extend(template.iter().filter_map(|(a, b)| {
                Some([
                    topology.atom_named(index, a)?,
                    topology.atom_named(index, b)?,
                ])
            }));
        }
        let place = |(residue, site): (usize, usize)| {
            topology.atom_named(self.places[residue]?, candidates[residue].sites[site].own?)
        };
        let between = |ends: [(usize, usize); 2]| Some([place(ends[0])?, place(ends[1])?]);
        let peptides = bonds.peptides.iter().filter_map(|bond| between(bond.ends));
        found.extend(peptides);
        let residue = |atom: usize| topology.residue_label(topology.atoms[atom].residue);
        let disulfides = bonds
            .disulfides
            .iter()
            .filter_map(|bond| between(bond.ends));
        let mut disulfides: Vec<[usize; 2]> =
            disulfides.map(|[i, j]| [i.min(j), i.max(j)]).collect();
        disulfides.sort_unstable();
        self.report.disulfides = disulfides.iter().map(|bond| bond.map(residue)).collect();
        found.extend(disulfides);
        found.iter_mut().for_each(|bond| bond.sort_unstable());
        found.sort_unstable();
        found.dedup();
        topology.bonds = found;
    }

    /// Where residues that follow each other in a chain have no bond, and which bonds join others.
    fn follow(&mut self) {
        let topology = &self.topology;
        let mut links: Vec<[usize; 2]> = Vec::new();
        for &[i, j] in &topology.bonds {
            let (a, b) = (&topology.atoms[i], &topology.atoms[j]);
            if a.residue != b.residue {
                let is_carbon = a.name == "C";
                let ends = if is_carbon { [i, j] } else { [j, i] };
                links.extend((a.name.len() == 1).then_some(ends));
            }
        }
        let residue = |atom: usize| topology.atoms[atom].residue;
        let follows = |&&[c, n]: &&[usize; 2]| {
            residue(n) == residue(c) + 1
                && topology.residue_of(n).chain == topology.residue_of(c).chain
        };
        for &[c, n] in links.iter().filter(|link| !follows(link)) {
            let length = (self.positions[c] - self.positions[n]).norm();
            self.report.warnings.push(format!(
                "{} – {}: bonded ({length:.2} Å), though the second does not follow \
                 the first in its chain",
                topology.atom_label(c),
                topology.atom_label(n)
            ));
        }
        let joined: HashSet<usize> = links
            .iter()
            .filter(follows)
            .map(|&[c, _]| residue(c))
            .collect();
        let is = |residue: usize, joins: fn(&Family) -> bool| {
            family(&topology.residues[residue].name).is_some_and(joins)
        };
        for after in 1..topology.residues.len() {
            let before = after - 1;
            // what a cap ends is no break
            let is_open = is(before, Family::continues_chain) && is(after, Family::follows_chain);
            if joined.contains(&before) || !is_open {
                continue;
            }
            let ends = [(before, "C"), (after, "N")]
                .map(|(residue, name)| topology.atom_named(residue, name));
            let distance = match ends {
                [Some(c), Some(n)] => Some((self.positions[c] - self.positions[n]).norm()),
                _ => None,
            };
            let chains = [before, after].map(|residue| topology.residues[residue].chain);
            if chains[0] == chains[1] || is_gap(topology, [before, after], distance) {
                self.report.breaks.push(Break {
                    before: topology.residue_label(before),
                    after: topology.residue_label(after),
                    distance,
                });
            }
        }
    }

    /// Atoms of occupancy 0: they were placed, not seen. Where all have it, the program that wrote
    /// the file does not use the column.
    fn guessed(&self) -> Option<String> {
        let occupancy = |atom: usize| self.model.rows[self.rows[atom]].occupancy;
        let heavy = self.topology.heavy_atoms();
        let unseen = heavy.iter().filter(|&&atom| occupancy(atom) == 0.0);
        let count = unseen.clone().count();
        let first = unseen.copied().next().filter(|_| count < heavy.len())?;
        Some(format!(
            "{} of occupancy 0, first {}: placed by whoever made the model, not seen",
            plural(count, "heavy atom"),
            self.topology.atom_label(first)
        ))
    }

    /// Which of the file's records were read.
    fn records(&self) -> AtomRecords {
        let record = |row: usize| self.model.rows[row].record;
        let mut records = AtomRecords::new(self.model.records, &self.model.water_records);
        for (candidate, place) in self.candidates.iter().zip(&self.places) {
            let own = candidate.sites.iter().map(|site| record(site.row));
            records.add_residue(&own.collect::<Vec<_>>(), place.is_some());
        }
        records.set_atoms(self.rows.iter().copied().map(record).collect());
        records
    }

    /// Makes molecules whole that are broken over a cell's border.
    fn make_whole(&mut self, cell: &Cell) {
        let whole = Molecules::new(&self.topology);
        whole.make_whole(&mut self.positions, cell);
        let read = self.rows.iter().map(|&row| &self.model.rows[row].position);
        let moved = read.zip(&self.positions).filter(|(a, b)| a != b).count();
        self.report.warnings.push(format!(
            "molecules broken over the cell's border were made whole: {} moved",
            plural(moved, "atom")
        ));
    }

    /// Bonds the atoms, and looks at what came out.
    ///
    /// # Errors
    /// Those of [`look`].
    pub fn finish(
        mut self,
        bonds: &Bonds,
        cell: Option<Cell>,
        lattice: Option<Lattice>,
    ) -> Result<Structure> {
        self.bond(bonds);
        // a crystal's cell is no periodic box: only molecules broken over its border show that it
        // is
        let cell_of_box = cell.filter(|_| lattice.is_some());
        if let Some(cell) = &cell_of_box {
            self.make_whole(cell);
        }
        if let Some((atom, apart)) = self.other_residue {
            let what = format!(
                "stands twice in its residue, {apart:.2} Å apart: residues that follow each other \
                 share a number"
            );
            let hint = "give every residue a number of its own";
            let place = Place::atom(atom).in_file(&self.report.file);
            return Err(Error::input(place, what, hint));
        }
        self.follow();
        let guessed = self.guessed();
        let records = self.records();
        let report = &mut self.report;
        count(report, &self.topology);
        report.cell = cell.map(|cell| {
            let [a, b, c] = cell.lengths;
            let [alpha, beta, gamma] = cell.angles;
            [a, b, c, alpha, beta, gamma]
        });
        if let Some(first) = self.twice.first() {
            let atoms = plural(self.twice.len(), "atom");
            report.warnings.push(format!(
                "{atoms} named twice in a residue, at different places, first {first}: \
                     the first of each is read"
            ));
        }
        report.warnings.extend(guessed);
        report.records = records;
        warn(report);
        look(&self.topology, &self.positions, report)?;
        Ok(Structure {
            topology: self.topology,
            frame: Frame {
                cell: cell_of_box,
                ..Frame::at_rest(self.positions)
            },
            report: self.report,
        })
    }
}
