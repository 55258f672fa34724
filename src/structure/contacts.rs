//! Pairs of atoms of different residues that are near each other, and those that the file declares
//! bonded.

use std::collections::{HashMap, HashSet};

use super::Element;
use super::conformers::Candidate;
use super::declared::{Declared, End, Record};
use super::identify::element_of;
use super::models::Model;

/// Farthest that two atoms can be apart and still be taken for bonded, Å: a disulfide that the file
/// declares.
pub(super) const REACH: f64 = 3.5;

/// Farthest for all other pairs, Å: a metal and what holds it.
pub(super) const NEAR: f64 = 2.8;

/// An atom: its residue among the candidates, its place there.
pub(super) type At = (usize, usize);

/// Two atoms of different residues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contact {
    pub ends: [At; 2],
    /// Å
    pub distance: f64,
    /// The record that declares their bond.
    pub declared: Option<Record>,
}

impl Contact {
    /// `A:LYS 2:NZ – B:ASN 1:CG (1.33 Å, LINK)`
    pub fn label(&self, candidates: &[Candidate]) -> String {
        let [a, b] = self
            .ends
            .map(|(residue, site)| candidates[residue].site_label(site));
        let record = self.declared.map(|record| format!(", {record}"));
        format!(
            "{a} – {b} ({:.2} Å{})",
            self.distance,
            record.unwrap_or_default()
        )
    }
}

/// Contacts of heavy atoms, of which at least one is of a residue with a template, within [`NEAR`],
/// of two sulfurs within [`REACH`], and all that are declared, near or not; the nearest first.
pub(super) fn contacts(
    places: &Places,
    candidates: &[Candidate],
    declared: &[Declared],
) -> Vec<Contact> {
    let records = resolve(places, candidates, declared);
    let mut found = near(candidates);
    for contact in &mut found {
        contact.declared = records.get(&contact.ends).copied();
    }
    let far = |(ends, record): (&[At; 2], &Record)| Contact {
        ends: *ends,
        distance: distance(candidates, *ends),
        declared: Some(*record),
    };
    let far = records.iter().map(far);
    let known: HashSet<[At; 2]> = found.iter().map(|contact| contact.ends).collect();
    found.extend(far.filter(|contact| !known.contains(&contact.ends)));
    found.sort_by(|a, b| {
        let by_distance = a.distance.total_cmp(&b.distance);
        by_distance.then(a.ends.cmp(&b.ends))
    });
    found
}

pub(super) fn distance(candidates: &[Candidate], [a, b]: [At; 2]) -> f64 {
    let at = |(residue, site): At| candidates[residue].sites[site].at;
    (at(a) - at(b)).norm()
}

/// Near pairs by a grid of cells of [`REACH`].
fn near(candidates: &[Candidate]) -> Vec<Contact> {
    let mut cells: HashMap<[i32; 3], Vec<At>> = HashMap::new();
    let mut found = Vec::new();
    let dummies = dummies(candidates);
    // positions are below 1e6 Å: the cell's number fits
    let cell = |(residue, site): At| {
        let at = candidates[residue].sites[site].at / REACH;
        [at.x, at.y, at.z].map(|value| value.floor() as i32)
    };
    let real = |(_, candidate): &(usize, &Candidate)| !dummies.contains(candidate.name.as_str());
    for (residue, candidate) in candidates.iter().enumerate().filter(real) {
        let heavy = |&site: &usize| !candidate.sites[site].is_hydrogen();
        let sites: Vec<usize> = (0..candidate.sites.len()).filter(heavy).collect();
        for &site in &sites {
            let [x, y, z] = cell((residue, site));
            let around = (0..27).map(|n| [x + n / 9 - 1, y + n / 3 % 3 - 1, z + n % 3 - 1]);
            for &other in around.filter_map(|key| cells.get(&key)).flatten() {
                let is_protein = candidate.family.is_some() || candidates[other.0].family.is_some();
                let ends = [other, (residue, site)];
                let distance = distance(candidates, ends);
                let is_sulfurs = [other, (residue, site)]
                    .iter()
                    .all(|&(residue, site)| candidates[residue].sites[site].own == Some("SG"));
                let reach = if is_sulfurs { REACH } else { NEAR };
                if is_protein && distance <= reach {
                    found.push(Contact {
                        ends,
                        distance,
                        declared: None,
                    });
                }
            }
        }
        // after its own search: contacts inside a residue are none
        for site in sites {
            cells
                .entry(cell((residue, site)))
                .or_default()
                .push((residue, site));
        }
    }
    found
}

/// Names of residues that are marks in space, not molecules: DUM (membrane planes of OPM), and what
/// has many residues of one atom each that is no ion (beads of docking programs). They lie inside
/// the protein and are bonded to nothing.
fn dummies(candidates: &[Candidate]) -> HashSet<&str> {
    const MANY: usize = 12;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let ion = |candidate: &Candidate| {
        use Element::{C, H, N, O, P, S};
        element_of(candidate, 0).is_some_and(|element| !matches!(element, C | H | N | O | P | S))
    };
    for candidate in candidates {
        let is_one = candidate.family.is_none() && candidate.sites.len() == 1;
        if candidate.name == "DUM" {
            counts.insert(&candidate.name, MANY);
        } else if is_one && !ion(candidate) {
            *counts.entry(&candidate.name).or_default() += 1;
        }
    }
    let many = counts.into_iter().filter(|(_, count)| *count >= MANY);
    many.map(|(name, _)| name).collect()
}

/// Which atoms records can mean. Numbers that start over name several.
pub(super) struct Places(HashMap<End, Vec<At>>);

impl Places {
    pub fn of(model: &Model, candidates: &[Candidate]) -> Self {
        let mut places: HashMap<End, Vec<At>> = HashMap::new();
        for (residue, candidate) in candidates.iter().enumerate() {
            for (site, entry) in candidate.sites.iter().enumerate() {
                let serial = End::Serial(model.rows[entry.row].serial);
                let named = End::Named {
                    chain: candidate.chain.clone(),
                    number: candidate.number,
                    insertion: candidate.insertion,
                    atom: entry.raw.clone(),
                };
                for end in [serial, named] {
                    places.entry(end).or_default().push((residue, site));
                }
            }
        }
        Places(places)
    }

    /// The atoms that an end can mean.
    pub fn find(&self, end: &End) -> &[At] {
        self.0.get(end).map_or(&[], Vec::as_slice)
    }
}

/// The declared bonds between residues that are there, by their ends, ascending.
fn resolve(
    places: &Places,
    candidates: &[Candidate],
    declared: &[Declared],
) -> HashMap<[At; 2], Record> {
    let here = declared.iter().filter(|bond| !bond.other_copy);
    here.filter_map(|bond| Some((meant(places, candidates, bond)?, bond.record)))
        .collect()
}

/// The two atoms, of different residues, that a record means, ascending. Where numbers that start
/// over name several atoms, serials say nothing, and names mean the nearest.
pub(super) fn meant(places: &Places, candidates: &[Candidate], bond: &Declared) -> Option<[At; 2]> {
    let [a, b] = [0, 1].map(|end| places.find(&bond.ends[end]));
    let is_vague = a.len() > 1 || b.len() > 1;
    if is_vague && bond.record == Record::Conect {
        return None;
    }
    let pairs = a
        .iter()
        .flat_map(|&a| b.iter().map(move |&b| [a.min(b), a.max(b)]));
    let nearest =
        pairs.min_by(|x, y| distance(candidates, *x).total_cmp(&distance(candidates, *y)));
    nearest.filter(|[a, b]| a.0 != b.0)
}
