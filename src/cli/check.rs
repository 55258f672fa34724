//! `mdsurrogate check FILE`: what a structure file holds and whether `run` would accept it.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::json;

use super::selection::Selection;
use crate::structure::{Report, read};
use crate::{Error, Result};

/// Say what a structure file holds and whether `run` would accept it (exit 0) or not (exit 2)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    pub file: PathBuf,
    /// Part of the file to read
    #[command(flatten)]
    pub selection: Selection,
    /// Accept residues whose side chains are incomplete, as `run --fix` does by building them
    #[arg(long)]
    pub fix: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Prints the report, then gives back the error that `run` would stop with.
///
/// # Errors
/// What [`read`] and [`crate::structure::Structure::require_complete`] refuse.
pub fn run(args: Args) -> Result<()> {
    let found = read(&args.file, &args.selection.into());
    let verdict = match &found {
        Ok(structure) => structure.require_complete(args.fix),
        Err(_) => Ok(()),
    };
    let report = found.as_ref().ok().map(|structure| &structure.report);
    if args.json {
        println!(
            "{}",
            as_json(report, found.as_ref().err().or(verdict.as_ref().err()))
        );
    } else if let Some(report) = report {
        print!("{}", as_text(report, args.fix, verdict.is_ok()));
    }
    found.and(verdict)
}

/// The report with `accepted`, and `error` and `hint` where it is not.
fn as_json(report: Option<&Report>, error: Option<&Error>) -> serde_json::Value {
    let mut object = report.map_or(json!({}), |report| json!(report));
    object["accepted"] = json!(error.is_none());
    if let Some(error) = error {
        object["error"] = json!(error.to_string());
        object["hint"] = json!(error.hint());
    }
    object
}

fn as_text(report: &Report, fix: bool, accepted: bool) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to memory");
    let packed = if report.compressed { ", gzipped" } else { "" };
    line(format!(
        "{}: {}{packed}, model {} of {}",
        report.file.display(),
        report.format,
        report.model,
        report.models
    ));
    for chain in &report.chains {
        let [first, last] = &chain.ends;
        let id = if chain.id.is_empty() {
            "(blank)"
        } else {
            &chain.id
        };
        line(format!(
            "chain {id}: {} residues, {first} to {last}, {} atoms",
            chain.residues, chain.atoms
        ));
    }
    let hydrogens = if report.hydrogens == 0 {
        "no".into()
    } else {
        report.hydrogens.to_string()
    };
    line(format!(
        "{} atoms: {} heavy, {hydrogens} hydrogens; {} bonds",
        report.atoms, report.heavy_atoms, report.bonds
    ));
    for [a, b] in &report.disulfides {
        line(format!("disulfide {a} – {b}"));
    }
    if let Some([a, b, c, alpha, beta, gamma]) = report.cell {
        line(format!("cell {a} × {b} × {c} Å, {alpha}° {beta}° {gamma}°"));
    }
    report.left_out_line().into_iter().for_each(&mut line);
    if !report.renamed.is_empty() {
        // Files of some programs rename hundreds of hydrogens: residues and heavy atoms say enough,
        // --json lists all.
        let telling = report
            .renamed
            .iter()
            .filter(|(name, _)| !name.contains(":H"));
        let names: Vec<String> = telling
            .map(|(name, count)| format!(", {name} ({count})"))
            .collect();
        line(format!(
            "renamed: {} names{}",
            report.renamed.values().sum::<usize>(),
            names.concat()
        ));
    }
    for warning in &report.warnings {
        line(format!("warning: {warning}"));
    }
    for residue in &report.missing {
        let end = if residue.backbone || !fix {
            ""
        } else {
            " (run --fix builds them)"
        };
        line(format!(
            "incomplete: {} misses {}{end}",
            residue.residue,
            residue.atoms.join(", ")
        ));
    }
    let residues = report.residues;
    if accepted {
        line(format!(
            "run accepts it: {residues} residues, {} tokens (the heavy atoms)",
            report.heavy_atoms
        ));
    } else {
        line("run refuses it".into());
    }
    text
}
