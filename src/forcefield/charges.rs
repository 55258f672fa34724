//! Charge states that a file has by its hydrogens and that ff14SB has no form of.

use super::forms::{Links, beyond};
use crate::structure::residues::Template;
use crate::structure::{Element, Topology};

/// Atoms of side chains whose hydrogens make a charge state, by family.
const SITES: [(&str, &[&str]); 5] = [
    ("LYS", &["NZ"]),
    ("ARG", &["NE", "NH1", "NH2"]),
    ("TYR", &["OH"]),
    ("CYS", &["SG"]),
    ("HIS", &["ND1", "NE2"]),
];
/// Names of residues that say a charge state.
const SAID: [&str; 8] = ["ASH", "GLH", "LYN", "CYM", "CYX", "HID", "HIE", "HIP"];

/// Says, a line a residue, where a residue of the input has another charge than its form: hydrogens
/// that the form does not have, hydrogens that are to be added to a group which has some, or which
/// is the only one without, and names of charge states that the form does not have.
pub(super) fn charge_changes(
    topology: &Topology,
    links: &Links,
    neighbours: &[Vec<usize>],
    forms: &[&'static Template],
) -> Vec<String> {
    let mut lines = Vec::new();
    for (residue, form) in forms.iter().enumerate() {
        if let Some(line) = another_form(topology, residue, form) {
            lines.push(line);
            continue;
        }
        let label = topology.residue_label(residue);
        let is_hydrogen = |&&atom: &&usize| topology.atoms[atom].element == Element::H;
        let have = |heavy: &str| {
            let atom = topology.atom_named(residue, heavy);
            atom.map_or(0, |atom| {
                neighbours[atom].iter().filter(is_hydrogen).count()
            })
        };
        let sum = |sites: &[&str], count: &dyn Fn(&str) -> usize| {
            sites.iter().map(|site| count(site)).sum::<usize>()
        };
        let want = |heavy: &str| hydrogens_on(form, heavy);
        let heavy: Vec<&str> = form
            .atoms
            .iter()
            .filter(|(_, element)| *element != Element::H)
            .map(|(name, _)| name.as_str())
            .collect();
        let starts = links.previous[residue].is_none() && form.family != "ACE";
        let first: &[&str] = if starts { &["N"] } else { &[] };
        let own = SITES.iter().find(|(family, _)| *family == form.family);
        for sites in [first, own.map_or(&[][..], |(_, sites)| *sites)] {
            let (has, wants) = (sum(sites, &have), sum(sites, &want));
            let others: Vec<&str> = heavy
                .iter()
                .copied()
                .filter(|name| !sites.contains(name))
                .collect();
            let all_others = sum(&others, &want);
            let is_only_gap = all_others > 0 && sum(&others, &have) == all_others;
            if has < wants && (has > 0 || is_only_gap) {
                lines.push(format!(
                    "{label}: {has} of {wants} hydrogens on {} in the file; ff14SB has no such \
                     charge state: {} added ({})",
                    sites.join(", "),
                    wants - has,
                    form.name
                ));
            }
        }
    }
    lines
}

/// What is said of a residue that has atoms, or the name of a charge state, which its form lacks.
fn another_form(topology: &Topology, residue: usize, form: &Template) -> Option<String> {
    let label = topology.residue_label(residue);
    let name = topology.residues[residue].name.as_str();
    let beyond = beyond(topology, residue, form);
    if !beyond.is_empty() {
        let names = beyond
            .iter()
            .map(|&atom| topology.atoms[atom].name.as_str());
        return Some(format!(
            "{label}: left out: {}, which ff14SB has in no form of it at this place in a chain: \
             taken as {}",
            names.collect::<Vec<_>>().join(", "),
            form.name
        ));
    }
    let is_another = SAID.contains(&name) && !form.name.ends_with(name);
    is_another.then(|| {
        format!(
            "{label}: ff14SB has no {name} that fits its bonds and hydrogens here: taken as {}",
            form.name
        )
    })
}

/// Number of hydrogens that a form has on one of its atoms.
fn hydrogens_on(form: &Template, heavy: &str) -> usize {
    let is_pair = |&&[a, b]: &&[usize; 2]| {
        let (a, b) = (&form.atoms[a], &form.atoms[b]);
        a.0 == heavy && b.1 == Element::H || b.0 == heavy && a.1 == Element::H
    };
    form.bonds.iter().filter(is_pair).count()
}
