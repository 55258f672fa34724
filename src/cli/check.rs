//! `mdsurrogate check FILE`: what a structure file holds and whether `run` would accept it.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::json;

use super::console::{print, println};
use super::protein::Completion;
use crate::forcefield::{Plan, template_geometry_at};
use crate::network::Tokens;
use crate::session;
use crate::structure::{Report, Structure};
use crate::{Error, Result};

/// Say what a structure file holds and whether `run` would accept it (exit 0) or not (exit 2)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    pub file: PathBuf,
    /// What to read and build, as for `run`
    #[command(flatten)]
    pub completion: Completion,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Prints the report, then gives back the error that `run`, `energy` and `minimize` would stop
/// with.
///
/// # Errors
/// What reading and [`session::Completion::examine`] refuse, and what the network has no place for.
pub fn run(args: Args) -> Result<()> {
    let completion = session::Completion::from(&args.completion);
    let mut found = completion.read(&args.file);
    let verdict = match &mut found {
        Ok(structure) => verdict(&completion, structure),
        Err(_) => Ok(None),
    };
    let report = found.as_ref().ok().map(|structure| &structure.report);
    if args.json {
        let error = found.as_ref().err().or(verdict.as_ref().err());
        println!("{}", as_json(report, error));
    } else if let Some(report) = report {
        let plan = verdict.as_ref().ok().and_then(Option::as_ref);
        print!("{}", as_text(report, args.completion.fix, plan));
    }
    found.and(verdict).map(|_| ())
}

/// What would be added to a structure that all commands can take.
fn verdict(completion: &session::Completion, structure: &mut Structure) -> Result<Option<Plan>> {
    let plan = completion.examine(structure)?;
    let geometry = template_geometry_at(&structure.topology, &structure.frame.positions)?;
    Tokens::new(&structure.topology, &geometry)?;
    Ok(Some(plan))
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

fn as_text(report: &Report, fix: bool, plan: Option<&Plan>) -> String {
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
    renamed(report).into_iter().for_each(&mut line);
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
    verdict_lines(report, plan).into_iter().for_each(line);
    text
}

/// How many names were put right. Files of some programs rename hundreds of hydrogens (HB1, 1HB):
/// residues and heavy atoms say enough, `--json` lists all.
fn renamed(report: &Report) -> Option<String> {
    let is_hydrogen = |name: &str| {
        let atom = name.split_once(':').map_or("", |(_, atom)| atom);
        atom.trim_start_matches(|c: char| c.is_ascii_digit())
            .starts_with(['H', 'D'])
    };
    let telling = report.renamed.iter().filter(|(name, _)| !is_hydrogen(name));
    let names: Vec<String> = telling
        .map(|(name, count)| format!(", {name} ({count})"))
        .collect();
    let count = report.renamed.values().sum::<usize>();
    (count > 0).then(|| format!("renamed: {count} names{}", names.concat()))
}

/// What would be added, and whether the commands accept the structure.
fn verdict_lines(report: &Report, plan: Option<&Plan>) -> Vec<String> {
    let Some(plan) = plan else {
        return vec!["run refuses it".into()];
    };
    let mut lines = Vec::new();
    if plan.hydrogens > 0 {
        lines.push(format!("to be added: {} hydrogens", plan.hydrogens));
    }
    if !plan.built.is_empty() {
        lines.push(format!("to be built: {}", plan.built.join(", ")));
    }
    lines.extend(plan.notes.iter().cloned());
    lines.push(format!(
        "run accepts it: {} residues, {} tokens (the heavy atoms)",
        report.residues,
        report.heavy_atoms + plan.built.len()
    ));
    lines
}
