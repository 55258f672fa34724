//! `mdsurrogate energy PROTEIN`: the energy of a structure in the physical force field, by term.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use nalgebra::Vector3;
use serde_json::json;

use super::console::{print, println};
use super::protein::{Field, Protein, say};
use crate::Result;
use crate::files::write_atomically;
use crate::forcefield::{Energies, Strain, System, require_finite, strains};
use crate::structure::{Structure, Topology};

/// Residues that the table of strains shows.
const SHOWN: usize = 10;

/// Say the energy of a protein by term (ff14SB with OBC2 implicit water), where it is strained, and
/// the largest force
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The protein
    #[command(flatten)]
    pub protein: Protein,
    /// Evaluation
    #[command(flatten)]
    pub field: Field,
    /// Write the forces as CSV: serial, fx, fy, fz in kJ/mol/Å
    #[arg(long, value_name = "FILE.csv")]
    pub forces: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Evaluates and prints.
///
/// # Errors
/// What reading and preparing refuse; [`crate::Error::Input`] where two atoms lie at one place;
/// [`crate::Error::Output`] for the forces.
pub fn run(args: Args) -> Result<()> {
    let complete = args.protein.load()?;
    say(&complete);
    let Structure {
        topology, frame, ..
    } = complete.structure;
    let system = System::build(&topology)?;
    let mut forces = vec![Vector3::zeros(); system.len()];
    let energies = args
        .field
        .of(system.clone())
        .energy_forces(&frame.positions, &mut forces);
    require_finite(&energies, &topology, &frame.positions, &args.protein.file)?;
    if let Some(path) = &args.forces {
        write_forces(path, &topology, &forces)?;
    }
    let strains = strains(&topology, &system, &frame.positions);
    let strains = &strains[..strains.len().min(SHOWN)];
    let largest = largest(&forces);
    if args.json {
        println!("{}", as_json(&topology, &energies, strains, largest));
    } else {
        print!("{}", as_text(&topology, &energies, strains, largest));
    }
    Ok(())
}

/// The atom with the largest force, and that force, kJ/mol/Å.
fn largest(forces: &[Vector3<f64>]) -> Option<(usize, f64)> {
    forces
        .iter()
        .map(Vector3::norm)
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

fn write_forces(path: &Path, topology: &Topology, forces: &[Vector3<f64>]) -> Result<()> {
    write_atomically(path, |file| {
        writeln!(file, "serial,fx,fy,fz")?;
        let rows = topology.atoms.iter().zip(forces);
        rows.into_iter().try_for_each(|(atom, force)| {
            writeln!(file, "{},{},{},{}", atom.serial, force.x, force.y, force.z)
        })
    })
}

fn as_json(
    topology: &Topology,
    energies: &Energies,
    strains: &[Strain],
    largest: Option<(usize, f64)>,
) -> serde_json::Value {
    json!({
        "atoms": topology.len(),
        "energy_kj_mol": energies,
        "strain_kj_mol": strains,
        "largest_force": largest.map(|(atom, force)| {
            json!({ "kj_mol_angstrom": force, "atom": topology.atom_label(atom) })
        }),
    })
}

fn as_text(
    topology: &Topology,
    energies: &Energies,
    strains: &[Strain],
    largest: Option<(usize, f64)>,
) -> String {
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("writing to memory");
    line(format!(
        "{} atoms, {} residues",
        topology.len(),
        topology.residues.len()
    ));
    line(format!("{:<12}{:>16}", "term", "kJ/mol"));
    for (term, energy) in energies
        .terms()
        .into_iter()
        .chain([("total", energies.total)])
    {
        line(format!("{term:<12}{energy:>16.3}"));
    }
    line(format!(
        "{:<16}{:>12}{:>12}{:>16}",
        "strain, kJ/mol", "total", "bonded", "Lennard-Jones"
    ));
    for Strain {
        residue,
        bonded,
        lennard_jones,
        total,
    } in strains
    {
        line(format!(
            "{residue:<16}{total:>12.1}{bonded:>12.1}{lennard_jones:>16.1}"
        ));
    }
    if let Some((atom, force)) = largest {
        line(format!(
            "largest force {force:.2} kJ/mol/Å on {}",
            topology.atom_label(atom)
        ));
    }
    text
}
