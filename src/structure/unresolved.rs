//! Bonds that a file declares and of which nothing comes here: each is said, so that no record is
//! ignored in silence. Records of what is left out anyway (waters, ligands) are not.

use std::collections::{BTreeMap, HashMap};

use super::conformers::Candidate;
use super::contacts::{At, Contact, Places, meant};
use super::declared::{Declared, DeclaredBonds, End, Record};
use super::models::{Model, ResidueId};
use super::perceive::Bonds;
use super::report::plural;
use super::severed::is_cut;

/// Most records that are said one by one: SSBOND, LINK, struct_conn. Files hold thousands of
/// CONECT, which are counted.
const LISTED: usize = 12;

/// Why nothing comes of a declared bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// The atom of this end is not there, or at another alternative location.
    Absent,
    /// A serial number that several atoms have.
    Vague,
    /// To another copy of the crystal.
    OtherCopy,
    /// Both atoms are in one residue, which has no such bond.
    Inside,
    /// Both atoms are there, in different residues.
    NotTaken,
}

/// A declared bond of which nothing comes: the end that is at fault, the atoms where both are
/// known.
struct Nothing {
    why: Why,
    end: usize,
    ends: [At; 2],
}

/// What was read of a model, and the bonds that were found.
pub(super) struct Found<'a> {
    model: &'a Model,
    candidates: &'a [Candidate],
    places: &'a Places,
    contacts: HashMap<[At; 2], &'a Contact>,
    bonds: &'a Bonds,
}

impl<'a> Found<'a> {
    pub fn new(
        model: &'a Model,
        candidates: &'a [Candidate],
        places: &'a Places,
        contacts: &'a [Contact],
        bonds: &'a Bonds,
    ) -> Self {
        let declared = contacts
            .iter()
            .filter(|contact| contact.declared.is_some())
            .map(|contact| (contact.ends, contact));
        Found {
            model,
            candidates,
            places,
            contacts: declared.collect(),
            bonds,
        }
    }

    /// Adds to `warnings` the declared bonds of which nothing came, and the records that cannot be
    /// read.
    pub fn say(&self, declared: &DeclaredBonds, warnings: &mut Vec<String>) {
        let mut listed = 0;
        let mut counted: BTreeMap<Why, (usize, String)> = BTreeMap::new();
        for bond in &declared.bonds {
            let Some(nothing) = self.nothing(bond) else {
                continue;
            };
            let text = || {
                let text = self.text(bond, &nothing);
                format!("{} in line {}: {text}", bond.record, bond.line)
            };
            if bond.record == Record::Conect {
                let entry = counted.entry(nothing.why);
                entry.or_insert_with(|| (0, text())).0 += 1;
            } else {
                listed += 1;
                if listed <= LISTED {
                    warnings.push(text());
                }
            }
        }
        if listed > LISTED {
            let records = plural(listed - LISTED, "more record");
            warnings.push(format!("nothing comes of {records} of declared bonds"));
        }
        for (count, first) in counted.into_values() {
            match count {
                1 => warnings.push(first),
                _ => warnings.push(format!("{count} bonds of CONECT records, first {first}")),
            }
        }
        let mut unread: BTreeMap<Record, Vec<usize>> = BTreeMap::new();
        for &(record, line) in &declared.unread {
            unread.entry(record).or_default().push(line);
        }
        for (record, lines) in unread {
            warnings.push(format!(
                "{} not read, first line {}: the columns do not say which atoms are meant",
                plural(lines.len(), &format!("{record} record")),
                lines[0]
            ));
        }
    }

    /// Whether nothing comes of a bond, where that is not said elsewhere.
    fn nothing(&self, bond: &Declared) -> Option<Nothing> {
        let sites = [0, 1].map(|end| self.places.find(&bond.ends[end]));
        let is_missing = |&end: &usize| sites[end].is_empty() && !self.is_water(&bond.ends[end]);
        if let Some(end) = [0, 1].into_iter().find(is_missing) {
            let (why, ends) = (Why::Absent, [(0, 0); 2]);
            return Some(Nothing { why, end, ends });
        }
        // to water, or between what is left out
        let is_part = |sites: &[At]| sites.iter().any(|&at| self.is_part(at));
        let [Some(&a), Some(&b)] = sites.map(<[At]>::first) else {
            return None;
        };
        if !sites.iter().any(|one| is_part(one)) {
            return None;
        }
        let vague = sites.iter().position(|one| one.len() > 1);
        let (why, ends) = match meant(self.places, self.candidates, bond) {
            _ if bond.other_copy => (Why::OtherCopy, [a, b]),
            Some(ends) if self.is_silent(ends) => (Why::NotTaken, ends),
            Some(_) => return None,
            None if vague.is_some() && bond.record == Record::Conect => (Why::Vague, [a, b]),
            None if self.is_strange(a, b) => (Why::Inside, [a, b]),
            None => return None,
        };
        let end = vague.unwrap_or(0);
        Some(Nothing { why, end, ends })
    }

    fn is_part(&self, (residue, _): At) -> bool {
        let candidate = &self.candidates[residue];
        candidate.family.is_some() && candidate.wanted
    }

    fn is_water(&self, end: &End) -> bool {
        match end {
            End::Serial(serial) => self.model.water_serials.contains(serial),
            End::Named {
                chain,
                number,
                insertion,
                ..
            } => {
                let water = (chain.clone(), *number, *insertion);
                self.model.water_residues.contains(&water)
            }
        }
    }

    fn own(&self, (residue, site): At) -> Option<&'static str> {
        self.candidates[residue].sites[site].own
    }

    /// Of a bond between residues: whether it is none of the topology, and was not cut or refused
    /// with a word.
    fn is_silent(&self, ends: [At; 2]) -> bool {
        let Some(contact) = self.contacts.get(&ends) else {
            return false;
        };
        if self.bonds.joins(ends) || is_cut(self.candidates, contact, self.bonds) {
            return false;
        }
        let parts = ends.iter().all(|&end| self.is_part(end));
        let sulfurs = ends.iter().all(|&end| self.own(end) == Some("SG"));
        // of these perception speaks: disulfides, and records that name both atoms
        !(parts && (sulfurs || contact.declared != Some(Record::Conect)))
    }

    /// Whether two atoms of one residue are bonded in no form of it.
    fn is_strange(&self, a: At, b: At) -> bool {
        if a == b {
            return true;
        }
        let residue = &self.candidates[a.0];
        let (Some(family), Some(first), Some(second)) = (residue.family, self.own(a), self.own(b))
        else {
            return false;
        };
        // hydrogens and OXT are those of a form, which is not known yet
        let is_formed = |(_, site): At| {
            residue.sites[site].is_hydrogen() || residue.sites[site].own == Some("OXT")
        };
        let is_bond = |(x, y): &(String, String)| {
            let bond = (x.as_str(), y.as_str());
            bond == (first, second) || bond == (second, first)
        };
        !is_formed(a) && !is_formed(b) && !family.bonds.iter().any(is_bond)
    }

    fn text(&self, bond: &Declared, nothing: &Nothing) -> String {
        let [a, b] = nothing.ends;
        let label = |(residue, site): At| self.candidates[residue].site_label(site);
        match nothing.why {
            Why::Absent => self.absent(&bond.ends[nothing.end]),
            Why::Vague => {
                let end = &bond.ends[nothing.end];
                format!("{end} names {} atoms", self.places.find(end).len())
            }
            Why::OtherCopy if [a, b].map(|end| self.own(end)) == [Some("SG"); 2] => format!(
                "disulfide {} – {}: not taken: its partner is in another copy of the crystal; \
                 both are thiols here",
                self.candidates[a.0].label(),
                self.candidates[b.0].label()
            ),
            Why::OtherCopy => format!(
                "{} – {}: not taken: it is to another copy of the crystal",
                label(a),
                label(b)
            ),
            Why::Inside if a == b => format!("{} – itself: not taken", label(a)),
            Why::Inside => format!(
                "{} – {}: declared, but not taken: the residue has no such bond",
                label(a),
                label(b)
            ),
            Why::NotTaken => self.contacts.get(&nothing.ends).map_or_else(
                || format!("{} – {}", label(a), label(b)),
                |contact| {
                    let bond = contact.label(self.candidates);
                    format!("{bond}: declared, but not taken as a bond")
                },
            ),
        }
    }

    /// What the file has in place of an end that was not found.
    fn absent(&self, end: &End) -> String {
        let model = self.model;
        match end {
            End::Serial(serial) if model.rows.iter().any(|row| row.serial == *serial) => {
                format!("{end} is at an alternative location that is not read")
            }
            End::Serial(_) => format!("no atom has {end}"),
            End::Named {
                chain,
                number,
                insertion,
                atom,
            } => {
                let mut chained = self.candidates.iter().filter(|one| one.chain == *chain);
                let numbered = chained.clone().find(|one| one.number == *number);
                let place = (*number, *insertion);
                let exact = chained
                    .clone()
                    .find(|one| (one.number, one.insertion) == place);
                match (exact, numbered) {
                    (Some(residue), _) => self.absent_atom(residue, atom),
                    (None, Some(other)) => {
                        format!("no residue is {end}, but there is {}", other.label())
                    }
                    _ if chained.next().is_some() => format!("no residue is {end}"),
                    _ => format!("no residue is {end}: there is no chain `{chain}`"),
                }
            }
        }
    }

    fn absent_atom(&self, residue: &Candidate, atom: &str) -> String {
        let label = residue.label();
        let model = self.model;
        let is_same = |id: &&ResidueId| {
            (id.number, id.insertion) == (residue.number, residue.insertion)
                && model.segments[id.segment] == residue.chain
        };
        let ids = model.residues.iter().filter(is_same);
        if ids
            .flat_map(|id| &id.rows)
            .any(|&row| model.rows[row].name == atom)
        {
            format!("{label}:{atom} is at an alternative location that is not read")
        } else {
            format!("{label} has no atom {atom}")
        }
    }
}
