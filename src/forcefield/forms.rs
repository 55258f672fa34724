//! Which of ff14SB's forms (charge state, terminus, disulfide) the residues of a topology have.

use crate::error::Place;
use crate::structure::Topology;
use crate::structure::residues::{self, Template};
use crate::{Error, Result};

/// How the residues of a topology hang together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Links {
    /// For every residue the one whose C its N is bonded to.
    pub previous: Vec<Option<usize>>,
    /// For every residue the one whose N its C is bonded to.
    pub next: Vec<Option<usize>>,
    /// For every residue whether a disulfide starts there.
    pub bridged: Vec<bool>,
}

impl Links {
    /// Reads the bonds between residues.
    pub fn of(topology: &Topology) -> Self {
        let count = topology.residues.len();
        let mut links = Links { previous: vec![None; count], next: vec![None; count], bridged: vec![false; count] };
        for &[i, j] in &topology.bonds {
            let (a, b) = (&topology.atoms[i], &topology.atoms[j]);
            if a.residue == b.residue {
                continue;
            }
            match (a.name.as_str(), b.name.as_str()) {
                ("C", "N") => (links.next[a.residue], links.previous[b.residue]) = (Some(b.residue), Some(a.residue)),
                ("N", "C") => (links.next[b.residue], links.previous[a.residue]) = (Some(a.residue), Some(b.residue)),
                ("SG", "SG") => [a.residue, b.residue].iter().for_each(|&residue| links.bridged[residue] = true),
                _ => {}
            }
        }
        links
    }

    /// How many of a form's bonds to other residues this residue lacks or has beyond the form's.
    fn mismatch(&self, residue: usize, form: &Template) -> usize {
        let external = |name: &str| form.external.iter().any(|&atom| form.atoms[atom].0 == name);
        let bonds = [("N", self.previous[residue].is_some()), ("C", self.next[residue].is_some()), ("SG", self.bridged[residue])];
        bonds.iter().filter(|(name, bonded)| external(name) != *bonded).count()
    }
}

/// All forms of a residue's family, the likeliest first: most atoms in common (hydrogens tell charge states apart where there
/// are some), then fitting bonds to other residues, then the form that the residue's name says (HIS: HIE), then fewest atoms
/// missing. Empty for a residue without a template.
pub(super) fn ranked(topology: &Topology, links: &Links, residue: usize) -> Vec<&'static Template> {
    let name = &topology.residues[residue].name;
    let Some(family) = residues::family(name) else { return Vec::new() };
    let said = residues::residue_name(name).filter(|&said| said != "HIS").unwrap_or("HIE");
    let atoms = topology.residues[residue].atoms.clone();
    let has = |form: &Template, atom: usize| form.atoms.iter().any(|(name, _)| *name == topology.atoms[atom].name);
    let rank = |form: &&'static Template| {
        let shared = atoms.clone().filter(|&atom| has(form, atom)).count();
        let (extra, missing) = (atoms.len() - shared, form.atoms.len() - shared);
        (extra, links.mismatch(residue, form), !form.name.ends_with(said), missing, form.name.as_str())
    };
    let mut forms: Vec<_> = residues::templates().filter(|form| form.family == family.name).collect();
    forms.sort_by_key(rank);
    forms
}

/// The form that a residue has exactly: the same atoms, hydrogens too, and the same bonds to other residues.
///
/// # Errors
/// [`Error::Input`] naming the residue and what it lacks or has too much, compared with the likeliest form.
pub(super) fn exact(topology: &Topology, links: &Links, residue: usize) -> Result<&'static Template> {
    let forms = ranked(topology, links, residue);
    let atoms = &topology.atoms[topology.residues[residue].atoms.clone()];
    let missing = |form: &'static Template| -> Vec<&'static str> {
        let names = form.atoms.iter().map(|(name, _)| name.as_str());
        names.filter(|name| atoms.iter().all(|atom| atom.name != *name)).collect()
    };
    let fits =
        |form: &&&'static Template| atoms.len() == form.atoms.len() && missing(form).is_empty() && links.mismatch(residue, form) == 0;
    if let Some(form) = forms.iter().find(fits) {
        return Ok(form);
    }
    let name = &topology.residues[residue].name;
    let (what, hint) = match forms.first() {
        None => (format!("ff14SB has no parameters for residue {name}"), "leave it out, or rename it to the residue that it is a form of"),
        Some(form) if !missing(form).is_empty() => {
            let list = missing(form).join(", ");
            (format!("misses {list} (as {})", form.name), "prepare it first: hydrogens are added, and --fix builds missing side chains")
        }
        Some(form) if links.mismatch(residue, form) > 0 => {
            let what = format!("is no form of ff14SB at this place in the chain: {} needs other bonds to its neighbours", form.name);
            (what, "complete its ends (OXT, hydrogens), or give it another charge state")
        }
        Some(form) => {
            let known = |name: &str| form.atoms.iter().any(|(known, _)| known == name);
            let extra: Vec<_> = atoms.iter().map(|atom| atom.name.as_str()).filter(|name| !known(name)).collect();
            (format!("has {} beyond those of {}", extra.join(", "), form.name), "check its charge state and its hydrogens")
        }
    };
    Err(Error::input(Place::atom(topology.residue_label(residue)), what, hint))
}
