//! Which residues are bonded to each other, and so which are part of the protein: from positions
//! and declared bonds alone, whatever TER, chain letters, record types and order say.

use std::collections::{HashMap, HashSet};

use super::conformers::Candidate;
use super::contacts::{At, Contact, REACH};
use super::models::Model;
use super::residues::residue_name;
use super::whole::Lattice;

/// Longest C–N distance that is still a peptide bond, Å, between residues that follow each other in
/// the file; beyond it the chain is broken.
pub(super) const LONGEST_PEPTIDE_BOND: f64 = 2.0;
/// C–N distance up to which residues that follow each other are bonded, whatever else is near, Å.
const LONGEST_USUAL_PEPTIDE_BOND: f64 = 1.6;
/// The same between residues that do not: ends of chains do touch by accident.
const LONGEST_CLOSING_BOND: f64 = 1.8;
/// The same where a record declares the bond.
const LONGEST_DECLARED_BOND: f64 = 2.5;
/// Longest S–S distance that is a disulfide, Å, where neither records nor names say so.
const LONGEST_DISULFIDE: f64 = 2.5;

/// The bonds between residues with templates.
#[derive(Debug, Default)]
pub(super) struct Bonds {
    /// From C to N.
    pub peptides: Vec<Contact>,
    /// From SG to SG.
    pub disulfides: Vec<Contact>,
    partner: HashMap<At, At>,
}

impl Bonds {
    /// Finds them, the nearest first, each atom once; what was taken on the word of a record or a
    /// name goes to `warnings`.
    pub fn of(
        candidates: &[Candidate],
        contacts: &[Contact],
        lattice: Option<&Lattice>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let peptides = peptides(candidates, contacts);
        let disulfides = disulfides(candidates, contacts, lattice, warnings);
        let both = peptides.iter().chain(&disulfides);
        let partner = both.flat_map(|bond| {
            let [a, b] = bond.ends;
            [(a, b), (b, a)]
        });
        Bonds {
            partner: partner.collect(),
            peptides,
            disulfides,
        }
    }

    /// Whether an atom has a bond to another residue.
    pub fn holds(&self, at: At) -> bool {
        self.partner.contains_key(&at)
    }

    /// The atom of another residue that an atom is bonded to.
    pub fn partner(&self, at: At) -> Option<At> {
        self.partner.get(&at).copied()
    }

    /// Whether these two atoms are bonded.
    pub fn joins(&self, [a, b]: [At; 2]) -> bool {
        self.partner.get(&a) == Some(&b)
    }
}

/// C–N bonds of amino acids and caps: first those between residues that follow each other in the
/// file, then the nearest (loops of models and of poor maps lie on each other).
fn peptides(candidates: &[Candidate], contacts: &[Contact]) -> Vec<Contact> {
    let is = |(residue, site): At, name: &str| {
        let candidate = &candidates[residue];
        let joins = candidate.family.is_some_and(|family| match name {
            "C" => family.continues_chain(),
            _ => family.follows_chain(),
        });
        joins && candidate.sites[site].own == Some(name)
    };
    let follows =
        |[(c, _), (n, _)]: [At; 2]| n == c + 1 && candidates[n].segment == candidates[c].segment;
    let mut all: Vec<Contact> = Vec::new();
    for contact in contacts {
        let [a, b] = contact.ends;
        let ends = match [is(a, "C") && is(b, "N"), is(b, "C") && is(a, "N")] {
            [true, _] => [a, b],
            [_, true] => [b, a],
            _ => continue,
        };
        let limit = match contact.declared {
            Some(_) => LONGEST_DECLARED_BOND,
            None if follows(ends) => LONGEST_PEPTIDE_BOND,
            None => LONGEST_CLOSING_BOND,
        };
        if contact.distance <= limit {
            all.push(Contact { ends, ..*contact });
        }
    }
    all.sort_by_key(|bond| !follows(bond.ends) || bond.distance > LONGEST_USUAL_PEPTIDE_BOND);
    let mut taken: HashSet<At> = HashSet::new();
    all.retain(|bond| {
        let is_free = !bond.ends.iter().any(|end| taken.contains(end));
        taken.extend(bond.ends.iter().filter(|_| is_free));
        is_free
    });
    all
}

/// SG–SG bonds of cysteines: near ones and declared ones first, then those that the names of both
/// residues (CYX) say.
fn disulfides(
    candidates: &[Candidate],
    contacts: &[Contact],
    lattice: Option<&Lattice>,
    warnings: &mut Vec<String>,
) -> Vec<Contact> {
    let is_sulfur = |&(residue, site): &At| {
        let family = candidates[residue].family;
        family.is_some_and(|family| family.name == "CYS")
            && candidates[residue].sites[site].own == Some("SG")
    };
    let mut pairs: Vec<Contact> = contacts
        .iter()
        .filter(|contact| contact.ends.iter().all(is_sulfur))
        .copied()
        .collect();
    if let Some(lattice) = lattice {
        pairs.extend(images(candidates, lattice));
        pairs.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    }
    let is_cyx = |&(residue, _): &At| residue_name(&candidates[residue].name) == Some("CYX");
    let mut found: Vec<Contact> = Vec::new();
    let rules: [&dyn Fn(&Contact) -> bool; 2] = [
        &|pair| {
            pair.distance <= LONGEST_DISULFIDE || pair.declared.is_some() && pair.distance <= REACH
        },
        &|pair| pair.ends.iter().all(is_cyx) && pair.distance <= REACH,
    ];
    for rule in rules {
        for pair in pairs.iter().filter(|pair| rule(pair)) {
            if found
                .iter()
                .any(|known| known.ends.iter().any(|end| pair.ends.contains(end)))
            {
                continue;
            }
            if pair.distance > LONGEST_DISULFIDE {
                let why = pair.declared.map_or("both are named CYX", |_| "declared");
                warnings.push(format!(
                    "disulfide {}: taken, {why}, though it is long (2.05 Å is usual)",
                    pair.label(candidates)
                ));
            }
            found.push(*pair);
        }
    }
    say_not_taken(candidates, &pairs, &found, warnings);
    found
}

/// Says of disulfides that are declared and are none why that is.
fn say_not_taken(
    candidates: &[Candidate],
    pairs: &[Contact],
    found: &[Contact],
    warnings: &mut Vec<String>,
) {
    let is_found = |pair: &Contact| found.iter().any(|known| known.ends == pair.ends);
    let declared = pairs.iter().filter(|pair| pair.declared.is_some());
    for pair in declared.filter(|pair| !is_found(pair)) {
        let why = if pair.distance > REACH {
            "too far apart"
        } else {
            "one of its sulfurs is in another disulfide"
        };
        warnings.push(format!(
            "disulfide {}: declared, but not taken: {why}",
            pair.label(candidates)
        ));
    }
}

/// Pairs of sulfurs over the border of a periodic cell.
fn images(candidates: &[Candidate], lattice: &Lattice) -> Vec<Contact> {
    let sulfurs: Vec<At> = candidates
        .iter()
        .enumerate()
        .filter_map(|(residue, candidate)| Some((residue, candidate.site("SG")?)))
        .collect();
    let at = |(residue, site): At| candidates[residue].sites[site].at;
    let mut found = Vec::new();
    for (index, &a) in sulfurs.iter().enumerate() {
        for &b in &sulfurs[..index] {
            let apart = at(a) - at(b);
            let nearest = lattice.nearest(apart);
            if nearest != apart && nearest.norm() <= LONGEST_DISULFIDE {
                found.push(Contact {
                    ends: [b, a],
                    distance: nearest.norm(),
                    declared: None,
                });
            }
        }
    }
    found
}

/// Leaves out amino acids that are no part of a chain: ligands. mmCIF says which are; in PDB they
/// are HETATM records behind the chain's TER, or one alone with a number beyond the chain's. But
/// what is bonded to a chain is part of it.
pub(super) fn set_ligands_apart(model: &Model, candidates: &mut [Candidate], bonds: &Bonds) {
    let suspects = suspects(model, candidates, bonds);
    let mut group: Vec<usize> = (0..candidates.len()).collect();
    for bond in bonds.peptides.iter().chain(&bonds.disulfides) {
        let [a, b] = bond.ends.map(|(residue, _)| root(&mut group, residue));
        group[a] = b;
    }
    let mut is_chain = vec![false; candidates.len()];
    for (residue, is_suspect) in suspects.iter().enumerate() {
        let root = root(&mut group, residue);
        is_chain[root] |= !is_suspect && candidates[residue].family.is_some();
    }
    for (residue, candidate) in candidates.iter_mut().enumerate() {
        if !is_chain[root(&mut group, residue)] {
            candidate.family = None;
        }
    }
}

fn root(group: &mut [usize], mut at: usize) -> usize {
    while group[at] != at {
        group[at] = group[group[at]];
        at = group[at];
    }
    at
}

/// Which residues the records set apart from chains.
fn suspects(model: &Model, candidates: &[Candidate], bonds: &Bonds) -> Vec<bool> {
    let says_polymer = model.residues.iter().any(|id| id.polymer == Some(true));
    // numbers of the ATOM records of each molecule
    let mut range: Vec<Option<[isize; 2]>> = vec![None; model.segments.len()];
    for candidate in candidates.iter().filter(|candidate| !candidate.hetero) {
        let entry = &mut range[candidate.segment];
        let [low, high] = entry.unwrap_or([candidate.number; 2]);
        *entry = Some([low.min(candidate.number), high.max(candidate.number)]);
    }
    let mut seen = HashSet::new();
    let goes_on: Vec<bool> = model.segments.iter().map(|id| !seen.insert(id)).collect();
    let mut bonded = vec![false; candidates.len()];
    for bond in bonds.peptides.iter().chain(&bonds.disulfides) {
        bond.ends
            .iter()
            .for_each(|&(residue, _)| bonded[residue] = true);
    }
    let suspect = |(residue, candidate): (usize, &Candidate)| {
        let segment = candidate.segment;
        let by_file = says_polymer && candidate.polymer == Some(false);
        let after_chain = !says_polymer && range[segment].is_none() && goes_on[segment];
        let alone = candidate.hetero
            && !bonded[residue]
            && range[segment].is_some_and(|[low, high]| !(low..=high).contains(&candidate.number));
        by_file || after_chain || alone
    };
    candidates.iter().enumerate().map(suspect).collect()
}
