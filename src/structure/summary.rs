//! What a structure holds, in numbers and words.

use std::collections::BTreeMap;

use super::models::is_hydrogen;
use super::report::{ChainSummary, Report, plural};
use super::{Element, Residue, Topology};

/// Counts what a topology holds.
pub(super) fn count(report: &mut Report, topology: &Topology) {
    let end = |residue: &Residue| {
        format!(
            "{} {}{}",
            residue.name,
            residue.number,
            residue.insertion.map(String::from).unwrap_or_default()
        )
    };
    report.chains = topology
        .chains
        .iter()
        .map(|chain| {
            let residues = &topology.residues[chain.residues.clone()];
            let atoms = residues.iter().map(|residue| residue.atoms.len()).sum();
            let ends = [residues.first(), residues.last()]
                .map(|residue| residue.map(end).unwrap_or_default());
            ChainSummary {
                id: chain.id.clone(),
                residues: residues.len(),
                atoms,
                ends,
            }
        })
        .collect();
    (report.residues, report.atoms, report.bonds) = (
        topology.residues.len(),
        topology.len(),
        topology.bonds.len(),
    );
    report.hydrogens = topology
        .atoms
        .iter()
        .filter(|atom| atom.element == Element::H)
        .count();
    report.heavy_atoms = report.atoms - report.hydrogens;
}

/// Most residues with atoms that no template knows that are said one by one.
const LISTED: usize = 12;

/// Atoms that no template knows: hydrogens are counted, since they are built anew; of others a line
/// a residue, since it is another one than its name says, or modified.
fn unknown(atoms: &[String]) -> Vec<String> {
    let split = |label: &String| {
        let (residue, name) = label.rsplit_once(':').unwrap_or(("", label.as_str()));
        (residue.to_owned(), name.to_owned())
    };
    let (hydrogens, others): (Vec<&String>, Vec<&String>) = atoms
        .iter()
        .partition(|&label| is_hydrogen(&split(label).1, None));
    let mut lines = Vec::new();
    if let Some(first) = hydrogens.first() {
        let count = plural(hydrogens.len(), "hydrogen");
        lines.push(format!(
            "{count} left out that no template knows, first {first}"
        ));
    }
    let mut residues: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (residue, name) in others.into_iter().map(split) {
        residues.entry(residue).or_default().push(name);
    }
    let more = residues.len().saturating_sub(LISTED);
    for (residue, names) in residues.into_iter().take(LISTED) {
        lines.push(format!(
            "{residue}: left out: {}, which no template of it knows: is it modified?",
            names.join(", ")
        ));
    }
    if more > 0 {
        lines.push(format!("{} like this", plural(more, "more residue")));
    }
    lines
}

/// Puts into words what the report's lists hold.
pub(super) fn warn(report: &mut Report) {
    let mut warnings = Vec::new();
    if report.models > 1 {
        warnings.push(format!(
            "{} models in the file: model {} is read",
            report.models, report.model
        ));
    }
    if report.alternatives > 0 {
        warnings.push(format!(
            "{} with alternative locations: one of each is read",
            plural(report.alternatives, "residue")
        ));
    }
    if report.repeated_atoms > 0 {
        warnings.push(format!(
            "{} repeated exactly: read once",
            plural(report.repeated_atoms, "atom")
        ));
    }
    warnings.extend(unknown(&report.unknown_atoms));
    for gap in &report.breaks {
        let how = gap
            .distance
            .map_or("an end is missing".to_owned(), |distance| {
                format!("C–N {distance:.2} Å")
            });
        warnings.push(format!(
            "chain break between {} and {}: {how}",
            gap.before, gap.after
        ));
    }
    report.warnings.extend(warnings);
}
