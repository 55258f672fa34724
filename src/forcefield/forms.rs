//! Which of ff14SB's forms (charge state, terminus, disulfide) the residues of a topology have.

use nalgebra::Vector3;

use super::parameters::ResidueParameters;
use crate::Error;
use crate::error::Place;
use crate::structure::Topology;
use crate::structure::residues::{self, Template};

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
        let mut links = Links {
            previous: vec![None; count],
            next: vec![None; count],
            bridged: vec![false; count],
        };
        for &[i, j] in &topology.bonds {
            let (a, b) = (&topology.atoms[i], &topology.atoms[j]);
            if a.residue == b.residue {
                continue;
            }
            match (a.name.as_str(), b.name.as_str()) {
                ("C", "N") => {
                    (links.next[a.residue], links.previous[b.residue]) =
                        (Some(b.residue), Some(a.residue));
                }
                ("N", "C") => {
                    (links.next[b.residue], links.previous[a.residue]) =
                        (Some(a.residue), Some(b.residue));
                }
                ("SG", "SG") => [a.residue, b.residue]
                    .iter()
                    .for_each(|&residue| links.bridged[residue] = true),
                _ => {}
            }
        }
        links
    }

    /// Whether a form has bonds to the same neighbours as this residue.
    pub fn fit(&self, residue: usize, form: &Template) -> bool {
        self.mismatch(residue, form) == 0
    }

    /// Where an atom is in the frame of a residue's form: inside the residue, or in the one before
    /// or after it.
    pub fn place(
        &self,
        topology: &Topology,
        residue: usize,
        form: &ResidueParameters,
        atom: usize,
    ) -> Option<Vector3<f64>> {
        let (name, own) = (
            topology.atoms[atom].name.as_str(),
            topology.atoms[atom].residue,
        );
        if own == residue {
            return form.atoms.get(name).map(|atom| atom.position);
        }
        let side = match own {
            _ if self.previous[residue] == Some(own) => "-",
            _ if self.next[residue] == Some(own) => "+",
            _ => return None,
        };
        // a cap's methyl stands where the chain has its CA
        form.near
            .get(format!("{side}{}", if name == "CH3" { "CA" } else { name }).as_str())
            .copied()
    }

    /// How many of a form's bonds to other residues this residue lacks or has beyond the form's.
    fn mismatch(&self, residue: usize, form: &Template) -> usize {
        let external = |name: &str| form.external.iter().any(|&atom| form.atoms[atom].0 == name);
        let bonds = [
            ("N", self.previous[residue].is_some()),
            ("C", self.next[residue].is_some()),
            ("SG", self.bridged[residue]),
        ];
        bonds
            .iter()
            .filter(|(name, bonded)| external(name) != *bonded)
            .count()
    }
}

/// All forms of a residue's family, the likeliest first: fitting bonds to other residues, then most
/// of the residue's atoms (hydrogens tell charge states apart where there are some), then the form
/// that the residue's name says (HIS: `histidine`), then fewest atoms missing. Empty for a residue
/// without a template.
pub(super) fn ranked(
    topology: &Topology,
    links: &Links,
    residue: usize,
    histidine: &str,
) -> Vec<&'static Template> {
    let name = &topology.residues[residue].name;
    let Some(family) = residues::family(name) else {
        return Vec::new();
    };
    let said = residues::residue_name(name)
        .filter(|&said| said != "HIS")
        .unwrap_or(histidine);
    let atoms = topology.residues[residue].atoms.clone();
    let has = |form: &Template, atom: usize| {
        form.atoms
            .iter()
            .any(|(name, _)| *name == topology.atoms[atom].name)
    };
    let rank = |form: &&'static Template| {
        let shared = atoms.clone().filter(|&atom| has(form, atom)).count();
        let (extra, missing) = (atoms.len() - shared, form.atoms.len() - shared);
        (
            links.mismatch(residue, form),
            extra,
            !form.name.ends_with(said),
            missing,
            form.name.as_str(),
        )
    };
    let mut forms: Vec<_> = residues::templates()
        .filter(|form| form.family == family.name)
        .collect();
    forms.sort_by_key(rank);
    forms
}

/// Names of a form's atoms that a residue lacks, in template order.
pub(super) fn missing(
    topology: &Topology,
    residue: usize,
    form: &'static Template,
) -> Vec<&'static str> {
    let atoms = &topology.atoms[topology.residues[residue].atoms.clone()];
    let names = form.atoms.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| atoms.iter().all(|atom| atom.name != *name))
        .collect()
}

/// The atoms of a residue that a form does not have.
pub(super) fn beyond(topology: &Topology, residue: usize, form: &Template) -> Vec<usize> {
    let is_beyond = |&atom: &usize| {
        let name = &topology.atoms[atom].name;
        form.atoms.iter().all(|(known, _)| known != name)
    };
    topology.residues[residue]
        .atoms
        .clone()
        .filter(is_beyond)
        .collect()
}

/// The form that a residue has exactly: the same atoms, hydrogens too, and the same bonds to other
/// residues.
pub(super) fn exact(
    topology: &Topology,
    links: &Links,
    residue: usize,
) -> Option<&'static Template> {
    let count = topology.residues[residue].atoms.len();
    ranked(topology, links, residue, "HIE")
        .into_iter()
        .find(|form| {
            let whole = form.atoms.len() == count && missing(topology, residue, form).is_empty();
            whole && links.fit(residue, form)
        })
}

/// Why a residue is no form of ff14SB, compared with the likeliest one.
pub(super) fn misfit(topology: &Topology, links: &Links, residue: usize, histidine: &str) -> Error {
    let name = &topology.residues[residue].name;
    let (what, hint) = match ranked(topology, links, residue, histidine).first() {
        None => (
            format!("ff14SB has no parameters for residue {name}"),
            "leave it out, or rename it to the residue that it is a form of",
        ),
        Some(form) if !links.fit(residue, form) => {
            let what = format!(
                "ff14SB has no form of {name} with these bonds to its neighbours; the nearest is \
                 {}",
                form.name
            );
            let external = |name: &str| {
                let mut external = form.external.iter();
                external.any(|&atom| form.atoms[atom].0 == name)
            };
            let lacks = [
                external("N") && links.previous[residue].is_none(),
                external("C") && links.next[residue].is_none(),
            ];
            let is_alone = links.previous[residue].or(links.next[residue]).is_none();
            let hint = match lacks {
                _ if is_alone => {
                    "it is bonded to no other residue: --fix leaves it out; or cap it with ACE \
                     and NME"
                }
                [true, _] => "cap the chain there: put ACE before this residue",
                [false, true] => "cap the chain there: put NME behind this residue",
                [false, false] => "give the residue its usual charge state",
            };
            (what, hint)
        }
        Some(form) => {
            let atoms = &topology.atoms[topology.residues[residue].atoms.clone()];
            let known = |name: &str| form.atoms.iter().any(|(known, _)| known == name);
            let extra: Vec<_> = atoms
                .iter()
                .map(|atom| atom.name.as_str())
                .filter(|name| !known(name))
                .collect();
            if extra.is_empty() {
                let list = missing(topology, residue, form).join(", ");
                (
                    format!("misses {list} (as {})", form.name),
                    "prepare it first: hydrogens are added, and --fix builds missing side chains",
                )
            } else {
                (
                    format!("has {} beyond the atoms of {}", extra.join(", "), form.name),
                    "take these atoms out, or check the charge state",
                )
            }
        }
    };
    Error::input(Place::atom(topology.residue_label(residue)), what, hint)
}
