//! From the residues of a model to a [`Structure`]: which are protein, what their atoms are, what
//! holds them together.

use super::build::Assembly;
use super::conformers::{Candidate, candidates, check_altloc};
use super::contacts::{Places, contacts};
use super::models::Model;
use super::perceive::{Bonds, set_ligands_apart};
use super::records::Records;
use super::report::{Report, plural};
use super::residues::residue_name;
use super::source::Source;
use super::unresolved::Found;
use super::{
    Cell, ReadOptions, Structure, caps, formal, identify, order, refuse, sanity, severed, stubs,
};
use crate::error::Place;
use crate::{Error, Result};

/// Builds the structure of one model. `report` says already what file and model it is.
///
/// # Errors
/// [`Error::Usage`] for chains or alternative locations that the model does not have.
/// [`Error::Input`] for a residue without template inside a chain, a bond that ff14SB has not,
/// positions that are no molecule's, or nothing that is protein.
pub(super) fn assemble(
    source: &Source,
    model: &Model,
    records: &Records,
    cell: Option<Cell>,
    options: &ReadOptions,
    mut report: Report,
) -> Result<Structure> {
    let wanted = wanted_segments(source, model, options)?;
    report.waters = model.waters;
    if model.rows.is_empty() {
        return Err(no_protein(source, &report));
    }
    check_altloc(source, model, options)?;
    let mut candidates = candidates(model, options.altloc);
    let warnings = &mut report.warnings;
    name_sites(&mut candidates, &wanted, warnings);
    let lattice = sanity::examine(source, model, &mut candidates, cell)?;
    let places = Places::of(model, &candidates);
    let contacts = contacts(&places, &candidates, &records.declared.bonds);
    let bonds = Bonds::of(&candidates, &contacts, lattice.as_ref(), warnings);
    set_ligands_apart(model, &mut candidates, &bonds);
    let lenient = options.lenient;
    let strangers =
        refuse::unknown_in_chain(source, model, &candidates, &contacts, &bonds, lenient)?;
    let links = refuse::cross_links(
        source,
        model,
        &candidates,
        &contacts,
        &bonds,
        lenient,
        warnings,
    )?;
    report.passed_over = [strangers, links].concat();
    severed::sever(&mut candidates, &contacts, &bonds, warnings);
    Found::new(model, &candidates, &places, &contacts, &bonds).say(&records.declared, warnings);
    settle_states(&mut candidates, &bonds, warnings);

    if options.fix {
        stubs::leave_out(&mut candidates, &bonds, warnings);
    }
    let chains = order::chains(&candidates, &bonds.peptides, warnings);
    records
        .sequences
        .say(&candidates, &chains, &bonds.peptides, warnings);
    if !count_left_out(&candidates, &mut report) {
        return Err(no_protein(source, &report));
    }
    let mut assembly = Assembly::new(model, &candidates, report);
    for chain in chains {
        assembly.push_chain(chain);
    }
    assembly.finish(&bonds, cell, lattice)
}

/// Tells apart what is protein, its caps and its atoms.
fn name_sites(candidates: &mut Vec<Candidate>, wanted: &[bool], warnings: &mut Vec<String>) {
    let mut virtual_sites = 0;
    for candidate in candidates.iter_mut() {
        candidate.wanted = wanted[candidate.segment];
        if candidate.family.is_some() {
            virtual_sites += identify::leave_out_virtual(candidate);
        }
    }
    if virtual_sites > 0 {
        warnings.push(format!(
            "left out: {} that are no atoms (lone pairs, Drude particles, pseudo-atoms)",
            plural(virtual_sites, "site")
        ));
    }
    caps::split(candidates, warnings);
    for candidate in candidates.iter_mut() {
        if candidate.wanted {
            identify::identify(candidate, warnings);
        } else {
            // what is left out by wish is named, but nothing is said of its state
            identify::identify(candidate, &mut Vec::new());
        }
    }
}

/// Counts the residues that are no protein; whether there is any that is.
fn count_left_out(candidates: &[Candidate], report: &mut Report) -> bool {
    let mut is_protein = false;
    for candidate in candidates.iter().filter(|candidate| candidate.wanted) {
        match candidate.family {
            Some(family) => is_protein |= family.is_amino_acid(),
            None => *report.left_out.entry(candidate.name.clone()).or_default() += 1,
        }
    }
    is_protein
}

/// Says what becomes of cysteines that the file has in another state than their bonds: hydrogens on
/// the sulfurs of a disulfide are left out, and CYX without a partner becomes a thiol (where forms
/// are chosen, which knows whether its hydrogen lacks). Then of formal charges.
fn settle_states(candidates: &mut [Candidate], bonds: &Bonds, warnings: &mut Vec<String>) {
    let is_read: Vec<bool> = candidates
        .iter()
        .map(|candidate| candidate.wanted && candidate.family.is_some())
        .collect();
    for (residue, candidate) in candidates.iter_mut().enumerate() {
        let is_cysteine = candidate.family.is_some_and(|family| family.name == "CYS");
        let Some(sulfur) = candidate
            .site("SG")
            .filter(|_| is_cysteine && candidate.wanted)
        else {
            continue;
        };
        let partner = bonds.partner((residue, sulfur));
        let is_bridged = partner.is_some_and(|(other, _)| is_read[other]);
        let label = candidate.label();
        if is_bridged && candidate.site("HG").is_some() {
            candidate.sites.retain(|site| site.own != Some("HG"));
            warnings.push(format!(
                "{label}: HG is left out: its sulfur is in a disulfide"
            ));
        }
        if !is_bridged && residue_name(&candidate.name) == Some("CYX") && candidate.form.is_none() {
            warnings.push(format!(
                "{label}: no sulfur to bridge to is in reach: taken as a thiol (CYS)"
            ));
        }
    }
    formal::settle(candidates, bonds, warnings);
}

fn wanted_segments(source: &Source, model: &Model, options: &ReadOptions) -> Result<Vec<bool>> {
    let Some(chains) = &options.chains else {
        return Ok(vec![true; model.segments.len()]);
    };
    // A blank identifier cannot be typed: `_` stands for it.
    let matches = |id: &String, wanted: &String| id == wanted || (id.is_empty() && wanted == "_");
    if let Some(absent) = chains
        .iter()
        .find(|wanted| !model.segments.iter().any(|id| matches(id, wanted)))
    {
        let mut ids: Vec<&str> = model
            .segments
            .iter()
            .map(|id| if id.is_empty() { "_" } else { id })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let what = format!("{} has no chain `{absent}`", source.path.display());
        return Err(Error::usage(
            what,
            format!("--chains with some of {}", ids.join(",")),
        ));
    }
    Ok(model
        .segments
        .iter()
        .map(|id| chains.iter().any(|wanted| matches(id, wanted)))
        .collect())
}

fn no_protein(source: &Source, report: &Report) -> Error {
    let what = match report.left_out_line() {
        Some(line) => format!("holds no protein ({line})"),
        None => "holds no protein".to_owned(),
    };
    Error::input(
        Place::file(&source.path),
        what,
        "give a file with amino acids; other molecules have no templates",
    )
}
