//! `mdsurrogate minimize PROTEIN`: removes the clashes of a crystal structure.

use std::path::PathBuf;

use super::console::eprintln;
use super::protein::{Field, Protein, say};
use crate::Result;
use crate::files::refuse_existing;
use crate::forcefield::{Minimizer, System, require_finite};
use crate::structure::{Frame, Structure, require_whole, write_pdb};

/// Complete a protein and relax it in the physical force field
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The protein
    #[command(flatten)]
    pub protein: Protein,
    /// Evaluation
    #[command(flatten)]
    pub field: Field,
    /// The relaxed structure, PDB
    #[arg(short, long, value_name = "OUT.pdb")]
    pub output: PathBuf,
    /// Most steps
    #[arg(long, value_name = "N", default_value_t = Minimizer::default().steps)]
    pub steps: usize,
    /// Root-mean-square force at which it is done, kJ/mol/Å
    #[arg(long, value_name = "FORCE", default_value_t = Minimizer::default().tolerance)]
    pub tolerance: f64,
    /// Replace the output where it exists
    #[arg(long)]
    pub overwrite: bool,
}

/// Minimises and writes.
///
/// # Errors
/// What reading and preparing refuse; [`crate::Error::Input`] where two atoms lie at one place;
/// [`crate::Error::Output`] for the result; [`crate::Error::Guard`] where what came out is no whole
/// molecule: it is written all the same, to be looked at.
pub fn run(args: Args) -> Result<()> {
    refuse_existing([args.output.as_path()], args.overwrite)?;
    let complete = args.protein.load()?;
    say(&complete);
    let Structure {
        topology, frame, ..
    } = complete.structure;
    let mut field = args.field.of(System::build(&topology)?);
    let mut positions = frame.positions.clone();
    let minimizer = Minimizer {
        tolerance: args.tolerance,
        steps: args.steps,
        ..Minimizer::default()
    };
    let done = minimizer.run(&mut field, &mut positions);
    require_finite(&done.before, &topology, &positions, &args.protein.file)?;
    let end = require_whole(&topology, &positions, done.steps as u64);
    let moved = frame
        .positions
        .iter()
        .zip(&positions)
        .map(|(a, b)| (a - b).norm())
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1));
    eprintln!("{:<12}{:>16}{:>16}", "kJ/mol", "before", "after");
    let totals = ("total", done.before.total, done.after.total);
    let terms = done
        .before
        .terms()
        .into_iter()
        .zip(done.after.terms())
        .map(|(before, after)| (before.0, before.1, after.1));
    for (term, before, after) in terms.chain([totals]) {
        eprintln!("{term:<12}{before:>16.3}{after:>16.3}");
    }
    let word = if done.converged && end.is_ok() {
        "done"
    } else {
        "stopped"
    };
    eprintln!(
        "{word} after {} steps, RMS force {:.3} kJ/mol/Å",
        done.steps, done.rms_force
    );
    if let Some((atom, distance)) = moved {
        eprintln!(
            "largest move {distance:.2} Å: {}",
            topology.atom_label(atom)
        );
    }
    let relaxed = Frame {
        positions,
        velocities: None,
        ..frame
    };
    write_pdb(&args.output, &topology, [&relaxed])?;
    end
}
