//! What a structure lacks, decided before any atom is placed: charge states, termini, missing
//! atoms.

use std::collections::BTreeMap;

use nalgebra::Vector3;

use super::System;
use super::charges::charge_changes;
use super::choice::Choice;
use super::forms::{Links, missing};
use crate::error::Place;
use crate::structure::residues::{BACKBONE, Template};
use crate::structure::{Atom, Element, Frame, Residue, Topology};
use crate::{Error, Result};

/// Form of histidines whose hydrogens and name say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Histidine {
    /// Neutral, hydrogen on Nδ1
    Hid,
    /// Neutral, hydrogen on Nε2
    #[default]
    Hie,
    /// Positive, hydrogens on both
    Hip,
}

impl Histidine {
    fn form(self) -> &'static str {
        match self {
            Histidine::Hid => "HID",
            Histidine::Hie => "HIE",
            Histidine::Hip => "HIP",
        }
    }
}

/// What [`super::prepare()`] may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Whether missing heavy side-chain atoms are built.
    pub fix: bool,
    /// Form of histidines that say nothing themselves.
    pub his: Histidine,
}

/// A structure with all its atoms named and all its parameters known, of which some atoms have no
/// position yet. See [`super::prepare()`].
#[derive(Debug, Clone)]
pub struct Plan {
    /// All atoms with their bonds.
    pub topology: Topology,
    /// Number of hydrogens to be added.
    pub hydrogens: usize,
    /// Heavy atoms to be added, as `A:LYS 27:CG`.
    pub built: Vec<String>,
    /// What was decided that the input does not say, one line each.
    pub notes: Vec<String>,
    /// Charge states that the input has and that are changed, one line a residue.
    pub warnings: Vec<String>,
    pub(super) forms: Vec<&'static Template>,
    /// Position of each atom that the input has, Å.
    pub(super) known: Vec<Option<Vector3<f64>>>,
}

impl Plan {
    /// Picks each residue's form and lists what it lacks.
    ///
    /// # Errors
    /// [`Error::Input`] naming chain, residue and atoms: a heavy atom is missing (with what would
    /// be built) or too many, ff14SB has no such form at that place in a chain, or no
    /// parameter for a bond or angle.
    pub fn of(topology: &Topology, frame: &Frame, options: &PrepareOptions) -> Result<Plan> {
        let mut named = topology.clone();
        let neighbours = topology.neighbours();
        let choice = Choice {
            links: &Links::of(topology),
            neighbours: &neighbours,
            histidine: options.his.form(),
        };
        let mut forms = Vec::with_capacity(topology.residues.len());
        for residue in 0..topology.residues.len() {
            let form = choice.form_of(&mut named, residue)?;
            refuse_incomplete(&named, residue, form, options.fix)?;
            forms.push(form);
        }
        let notes = notes(&named, choice.links, &forms);
        let warnings = charge_changes(&named, choice.links, &neighbours, &forms);
        let is_whole = (0..forms.len()).all(|residue| is_whole(&named, residue, forms[residue]));
        let (topology, known) = if is_whole {
            let known = frame.positions.iter().copied().map(Some).collect();
            (named, known)
        } else {
            completed(&named, &forms, &frame.positions)
        };
        System::build(&topology)?;
        let added = (0..topology.len()).filter(|&atom| known[atom].is_none());
        let is_hydrogen = |atom: &usize| topology.atoms[*atom].element == Element::H;
        let (hydrogens, built): (Vec<usize>, Vec<usize>) = added.partition(is_hydrogen);
        Ok(Plan {
            hydrogens: hydrogens.len(),
            built: built
                .iter()
                .map(|&atom| topology.atom_label(atom))
                .collect(),
            topology,
            notes,
            warnings,
            forms,
            known,
        })
    }
}

/// Whether a residue has just the atoms of its form.
fn is_whole(topology: &Topology, residue: usize, form: &'static Template) -> bool {
    topology.residues[residue].atoms.len() == form.atoms.len()
        && missing(topology, residue, form).is_empty()
}

/// Heavy atoms must be there, but for the terminal oxygen, and for side chains, carbonyl oxygens
/// and caps that may be built.
fn refuse_incomplete(
    topology: &Topology,
    residue: usize,
    form: &'static Template,
    fix: bool,
) -> Result<()> {
    let is_heavy = |name: &&str| {
        form.atoms
            .iter()
            .any(|(known, element)| known == name && *element != Element::H)
    };
    let lost: Vec<_> = missing(topology, residue, form)
        .into_iter()
        .filter(|name| is_heavy(name) && *name != "OXT")
        .collect();
    let is_backbone = |name: &&str| BACKBONE.contains(name);
    let (what, hint) = if lost.iter().any(is_backbone) {
        (
            format!("misses {}", lost.join(", ")),
            "backbone atoms cannot be built: complete the residue, \
             or leave the chain out with --chains"
                .into(),
        )
    } else if !fix && !lost.is_empty() {
        (
            format!("misses {}", lost.join(", ")),
            format!(
                "--fix to build {} from the template of {}",
                lost.join(", "),
                form.name
            ),
        )
    } else {
        return Ok(());
    };
    Err(Error::input(
        Place::atom(topology.residue_label(residue)),
        what,
        hint,
    ))
}

/// What was decided that a reader of the input might not expect.
fn notes(topology: &Topology, links: &Links, forms: &[&'static Template]) -> Vec<String> {
    let mut counts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for (residue, form) in forms.iter().enumerate() {
        let label = topology.residue_label(residue);
        let base = if form.name.len() == 4 {
            &form.name[1..]
        } else {
            &form.name
        };
        if base != topology.residues[residue].name && base != "CYX" {
            counts.entry(base).or_default().push(label.clone());
        }
        let last_of_chain = topology.chains[topology.residues[residue].chain]
            .residues
            .end
            == residue + 1;
        if form.family != "NME"
            && form.family != "NHE"
            && links.next[residue].is_none()
            && !last_of_chain
        {
            lines.push(format!(
                "the chain is broken after {label}: both ends are charged"
            ));
        }
    }
    let states = counts
        .into_iter()
        .map(|(form, labels)| format!("taken as {form}: {}", labels.join(", ")));
    states.chain(lines).collect()
}

/// The topology with all atoms of the forms, and the position of each that the input has.
fn completed(
    topology: &Topology,
    forms: &[&'static Template],
    positions: &[Vector3<f64>],
) -> (Topology, Vec<Option<Vector3<f64>>>) {
    let mut complete = Topology {
        chains: topology.chains.clone(),
        ..Topology::default()
    };
    let mut known = Vec::new();
    let mut place = vec![0; topology.len()];
    for (index, (residue, form)) in topology.residues.iter().zip(forms).enumerate() {
        let start = complete.atoms.len();
        let whole = is_whole(topology, index, form);
        let order: Vec<&str> = match whole {
            true => topology.atoms[residue.atoms.clone()]
                .iter()
                .map(|atom| atom.name.as_str())
                .collect(),
            false => form.atoms.iter().map(|(name, _)| name.as_str()).collect(),
        };
        for name in order {
            let old = topology.atom_named(index, name);
            let serial = complete.atoms.len() + 1;
            complete.atoms.push(match old {
                Some(old) => {
                    place[old] = complete.atoms.len();
                    Atom {
                        serial,
                        ..topology.atoms[old].clone()
                    }
                }
                None => added(form, name, index, serial),
            });
            known.push(old.map(|old| positions[old]));
        }
        complete.residues.push(Residue {
            atoms: start..complete.atoms.len(),
            ..residue.clone()
        });
        let at = |atom: usize| complete.atom_named(index, &form.atoms[atom].0);
        let inside = form
            .bonds
            .iter()
            .filter_map(|&[a, b]| Some([at(a)?, at(b)?]))
            .collect::<Vec<_>>();
        complete.bonds.extend(inside);
    }
    for &[i, j] in &topology.bonds {
        if topology.atoms[i].residue != topology.atoms[j].residue {
            complete.bonds.push([place[i], place[j]]);
        }
    }
    for bond in &mut complete.bonds {
        bond.sort_unstable();
    }
    complete.bonds.sort_unstable();
    (complete, known)
}

/// An atom of a form that the input lacks.
fn added(form: &'static Template, name: &str, residue: usize, serial: usize) -> Atom {
    let known = form.atoms.iter().find(|(known, _)| known == name);
    let element = known.map_or(Element::H, |(_, element)| *element);
    Atom {
        name: name.to_owned(),
        element,
        residue,
        serial,
        mass: element.weight().unwrap_or_default(),
    }
}
