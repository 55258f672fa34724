//! Chooses the form that each residue of an incomplete structure is to have.

use super::forms::{Links, beyond, exact, misfit, ranked};
use crate::Result;
use crate::structure::residues::Template;
use crate::structure::{Element, Topology};

/// What the choice of a form depends on, beside the residue's own atoms.
pub(super) struct Choice<'a> {
    pub links: &'a Links,
    /// Bonded neighbours of every atom.
    pub neighbours: &'a [Vec<usize>],
    /// Form of histidines whose hydrogens and name say nothing.
    pub histidine: &'static str,
}

impl Choice<'_> {
    /// The form of a residue; its hydrogens take that form's names (an N-terminal `H` becomes
    /// `H1`).
    ///
    /// A form of which the residue has every atom comes first, names of hydrogens aside; else the
    /// likeliest (see [`ranked`]).
    ///
    /// # Errors
    /// [`crate::Error::Input`] where the residue has heavy atoms that no form at its place in the
    /// chain has, or there is no such form.
    pub fn form_of(&self, topology: &mut Topology, residue: usize) -> Result<&'static Template> {
        let mut forms = ranked(topology, self.links, residue, self.histidine);
        let mut exact = exact(topology, self.links, residue);
        if topology.residues[residue].name == "CYX" && !self.links.bridged[residue] {
            // its sulfur has no hydrogen because it was bridged, not because it is a thiolate
            forms.retain(|form| form.name != "CYM");
            exact = exact.filter(|form| form.name != "CYM");
            topology.residues[residue].name = "CYS".into();
        }
        let whole = |form: &&&'static Template| {
            self.links.fit(residue, form) && self.has_as_many(topology, residue, form)
        };
        let chosen = exact.or_else(|| forms.iter().find(whole).or(forms.first()).copied());
        let form = chosen.ok_or_else(|| misfit(topology, self.links, residue, self.histidine))?;
        self.rename_hydrogens(topology, residue, form);
        // a hydrogen that no form has at this place in a chain is left out, and that is said
        let mut beyond = beyond(topology, residue, form).into_iter();
        let is_heavy = |atom: usize| topology.atoms[atom].element != Element::H;
        if beyond.any(is_heavy) || !self.links.fit(residue, form) {
            return Err(misfit(topology, self.links, residue, self.histidine));
        }
        Ok(form)
    }

    /// Whether a residue has all heavy atoms of a form, and on each as many hydrogens, whatever
    /// their names.
    fn has_as_many(&self, topology: &Topology, residue: usize, form: &'static Template) -> bool {
        let is_hydrogen = |&&atom: &&usize| topology.atoms[atom].element == Element::H;
        form.atoms
            .iter()
            .filter(|(_, element)| *element != Element::H)
            .all(|(name, _)| {
                let atom = topology.atom_named(residue, name);
                atom.is_some_and(|atom| {
                    self.neighbours[atom].iter().filter(is_hydrogen).count()
                        == hydrogens_on(form, name).count()
                })
            })
    }

    /// Gives hydrogens that the form does not know a free name of the form's hydrogens on the same
    /// atom.
    fn rename_hydrogens(&self, topology: &mut Topology, residue: usize, form: &'static Template) {
        for atom in topology.residues[residue].atoms.clone() {
            let entry = &topology.atoms[atom];
            if entry.element != Element::H
                || form.atoms.iter().any(|(known, _)| *known == entry.name)
            {
                continue;
            }
            let Some(&parent) = self.neighbours[atom].first() else {
                continue;
            };
            let is_free = |name: &&str| topology.atom_named(residue, name).is_none();
            let free = hydrogens_on(form, &topology.atoms[parent].name).find(is_free);
            if let Some(free) = free {
                topology.atoms[atom].name = free.to_owned();
            }
        }
    }
}

/// Names of the hydrogens that a form has on its atom `parent`.
fn hydrogens_on<'a>(
    form: &'static Template,
    parent: &'a str,
) -> impl Iterator<Item = &'static str> + use<'a> {
    form.bonds
        .iter()
        .filter_map(move |&[a, b]| match (&form.atoms[a], &form.atoms[b]) {
            ((name, _), (other, Element::H)) if name == parent => Some(other.as_str()),
            ((other, Element::H), (name, _)) if name == parent => Some(other.as_str()),
            _ => None,
        })
}
