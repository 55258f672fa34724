//! Places missing atoms at the ideal geometry of their residue's template.

use nalgebra::{Rotation3, UnitQuaternion, Vector3};

use super::forms::Links;
use super::parameters::{ResidueParameters, parameters};
use crate::error::Place;
use crate::structure::align::best_rotation;
use crate::structure::residues::Template;
use crate::structure::{Element, Topology, centroid};
use crate::{Error, Result};

/// A topology with all its atoms, of which some have no position yet.
pub(super) struct Placer<'a> {
    pub topology: &'a Topology,
    links: &'a Links,
    forms: Vec<&'static ResidueParameters>,
    pub neighbours: Vec<Vec<usize>>,
    pub known: Vec<Option<Vector3<f64>>>,
}

impl<'a> Placer<'a> {
    pub fn new(
        topology: &'a Topology,
        links: &'a Links,
        forms: &[&'static Template],
        known: Vec<Option<Vector3<f64>>>,
    ) -> Self {
        let forms = forms
            .iter()
            .map(|form| &parameters().residues[form.name.as_str()])
            .collect();
        Placer {
            topology,
            links,
            forms,
            neighbours: topology.neighbours(),
            known,
        }
    }

    /// Type of an atom.
    pub fn kind(&self, atom: usize) -> &'static str {
        let atom = &self.topology.atoms[atom];
        self.forms[atom.residue].atoms[atom.name.as_str()].kind
    }

    /// Places a residue's unknown atoms of some elements, those with known neighbours first;
    /// returns them.
    ///
    /// # Errors
    /// [`Error::Input`] naming an atom to which no chain of bonds leads from known ones.
    pub fn place_all(
        &mut self,
        residue: usize,
        wanted: impl Fn(Element) -> bool,
    ) -> Result<Vec<usize>> {
        let atoms = self.topology.residues[residue].atoms.clone();
        let mut left: Vec<usize> = atoms
            .filter(|&atom| self.known[atom].is_none() && wanted(self.topology.atoms[atom].element))
            .collect();
        let mut placed = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let next = left
                .iter()
                .enumerate()
                .find_map(|(at, &atom)| Some((at, atom, self.ideal(residue, atom)?)));
            let (at, atom, position) = next.ok_or_else(|| {
                let label = self.topology.atom_label(left[0]);
                Error::input(
                    Place::atom(label),
                    "cannot be placed: its neighbours are missing too",
                    "complete the residue's backbone",
                )
            })?;
            self.known[atom] = Some(position);
            placed.push(left.remove(at));
        }
        Ok(placed)
    }

    /// Where the template puts an atom, seen from its known neighbours; `None` if there are too
    /// few.
    fn ideal(&self, residue: usize, atom: usize) -> Option<Vector3<f64>> {
        let template = |atom: usize| {
            self.links
                .place(self.topology, residue, self.forms[residue], atom)
        };
        let own = template(atom)?;
        let anchors = |of: usize, but: usize| -> Vec<(Vector3<f64>, Vector3<f64>)> {
            let near = self.neighbours[of].iter().filter(|&&other| other != but);
            near.filter_map(|&other| Some((template(other)?, self.known[other]?)))
                .collect()
        };
        let bonded: Vec<usize> = self.neighbours[atom]
            .iter()
            .copied()
            .filter(|&other| self.known[other].is_some())
            .collect();
        let &parent = bonded.first()?;
        if bonded.len() > 1 {
            // closes a ring: fit what is around both ends
            let around = bonded
                .iter()
                .flat_map(|&end| anchors(end, atom))
                .chain(anchors(atom, atom));
            let (from, to): (Vec<_>, Vec<_>) = around.unzip();
            return Some(best_rotation(&from, &to) * (own - centroid(&from)) + centroid(&to));
        }
        let from = template(parent)?;
        let to = self.known[parent]?;
        // directions from the parent: where the template has them, and where they are
        let directions =
            |anchors: Vec<(Vector3<f64>, Vector3<f64>)>| -> Vec<(Vector3<f64>, Vector3<f64>)> {
                anchors
                    .into_iter()
                    .map(|(there, here)| ((there - from).normalize(), (here - to).normalize()))
                    .collect()
            };
        let mut direct = directions(anchors(parent, atom));
        let mut own = own - from;
        let rotation = match direct.as_slice() {
            [] => return None,
            &[bond] => {
                // one bond leads to the parent: the bond gives the direction, what is at its far
                // end the torsion
                let through = self.neighbours[parent]
                    .iter()
                    .find(|&&other| other != atom && self.known[other].is_some())?;
                direct.extend(directions(anchors(*through, parent)));
                let turn = rotation(&direct);
                // not Rotation3's: it takes acos of what rounding lifts above 1
                let align = UnitQuaternion::rotation_between(&(turn * bond.0), &bond.1)
                    .unwrap_or_else(UnitQuaternion::identity);
                align.to_rotation_matrix() * turn
            }
            _ => {
                if handedness(&direct) < 0.0 {
                    // a D residue, or prochiral names exchanged: the template's mirror image
                    own = -own;
                    direct.iter_mut().for_each(|(there, _)| *there = -*there);
                }
                rotation(&direct)
            }
        };
        Some(to + rotation * own)
    }
}

/// Positive where three directions have the same sense of rotation in the template and in the
/// structure; 0 for fewer.
fn handedness(directions: &[(Vector3<f64>, Vector3<f64>)]) -> f64 {
    let &[a, b, c, ..] = directions else {
        return 0.0;
    };
    a.0.cross(&b.0).dot(&c.0) * a.1.cross(&b.1).dot(&c.1)
}

/// The rotation that takes template directions best into actual ones.
fn rotation(directions: &[(Vector3<f64>, Vector3<f64>)]) -> Rotation3<f64> {
    let (mut there, mut here): (Vec<_>, Vec<_>) = directions.iter().copied().unzip();
    // the centre itself keeps opposite directions from cancelling
    there.push(Vector3::zeros());
    here.push(Vector3::zeros());
    best_rotation(&there, &here)
}
