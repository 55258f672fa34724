//! What a structure holds, in numbers and words.

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
    if let Some(first) = report.unknown_atoms.first() {
        warnings.push(format!(
            "{} left out that no template knows, first {first}",
            plural(report.unknown_atoms.len(), "atom")
        ));
    }
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
