//! `mdsurrogate validate`: one table of a model's rollouts against reference MD.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sampling::{Jumps, Parts, Sampling};
use crate::compare::rollout::{Reference, Scores, score};
use crate::compare::validity::Validity;
use crate::engine::Cpu;
use crate::error::Place;
use crate::forcefield::template_geometry_at;
use crate::model::{Model, Tokens};
use crate::simulate::Hydrogens;
use crate::structure::{Frame, ReadOptions, read};
use crate::trajectory::Reader;
use crate::{Error, Result};

/// Roll a model out on a list of molecules and compare with reference MD
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model file
    model: PathBuf,
    /// List of molecules (TOML): [[case]] tables with name, topology, start, reference, chains, jumps
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
    /// Folder of the files named in the list; default: the list's own
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    sampling: Sampling,
    /// Seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object on stdout instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// A molecule to roll out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    topology: PathBuf,
    /// Trajectories that the rollouts start in.
    start: Vec<PathBuf>,
    /// Trajectories that they are judged against.
    reference: Vec<PathBuf>,
    #[serde(default = "chains")]
    chains: usize,
    #[serde(default = "jumps")]
    jumps: usize,
}

fn chains() -> usize {
    64
}

fn jumps() -> usize {
    150
}

/// Runs all cases and prints the table.
///
/// # Errors
/// Those of the files, the model and the engine.
pub fn run(args: Args) -> Result<()> {
    let text = std::fs::read_to_string(&args.cases).map_err(|error| Error::reading(&args.cases, &error))?;
    let hint = "each [[case]] has name, topology, start = [...], reference = [...], and may have chains and jumps";
    let cases: Cases = toml::from_str(&text).map_err(|error| Error::input(Place::file(&args.cases), error.message(), hint))?;
    let folder = args.data.clone().unwrap_or_else(|| args.cases.parent().map(Path::to_owned).unwrap_or_default());
    let mut results = Vec::new();
    for case in &cases.case {
        eprintln!("{}: {} chains × {} jumps", case.name, case.chains, case.jumps);
        let scores = run_case(&args, case, &folder)?;
        if !args.json {
            print_case(&case.name, &scores);
        }
        results.push(serde_json::json!({ "name": case.name, "scores": scores }));
    }
    if args.json {
        println!("{:#}", serde_json::json!({ "model": args.model, "seed": args.seed, "cases": results }));
    }
    Ok(())
}

fn run_case(args: &Args, case: &Case, folder: &Path) -> Result<Scores> {
    let structure = read(&folder.join(&case.topology), &ReadOptions::default())?;
    let topology = &structure.topology;
    let frames = |paths: &[PathBuf]| -> Result<(Vec<_>, f64)> {
        let (mut all, mut step) = (Vec::new(), 0.0);
        for path in paths {
            let mut reader = Reader::open(folder.join(path), Some(topology))?;
            step = reader.time_step().unwrap_or(0.0);
            let mut frame = Frame::default();
            while reader.read(&mut frame)? {
                all.push(frame.positions.clone());
            }
        }
        Ok((all, step))
    };
    let (starts, _) = frames(&case.start)?;
    let (reference, time_step) = frames(&case.reference)?;
    let geometry = template_geometry_at(topology, &structure.frame.positions)?;
    let validity = Validity::new(topology, &geometry).allowing_cis_of(&structure.frame.positions);
    let (model, header) = Model::load(&args.model, Cpu::<f32>::new())?;
    let tokens = Tokens::new(topology, &geometry)?;
    let hydrogens = Hydrogens::new(topology, &structure.frame.positions);
    let parts = Parts { model, header: &header, topology, tokens, hydrogens, seed: args.seed, first_replica: 0 };
    let Jumps { mut stepper, warning, .. } = args.sampling.jumps(parts)?;
    warning.iter().for_each(|warning| eprintln!("{warning}"));
    let reference = Reference { frames: &reference, time_step };
    score(stepper.as_mut(), topology, &validity, &starts, reference, [case.chains, case.jumps])
}

fn print_case(name: &str, s: &Scores) {
    println!("{name}");
    println!("  valid frames            {:8.3} %   by fifths of the rollout {:.4?}", 100.0 * s.valid, s.valid_by_fifth);
    println!(
        "  inverted, clash, bond   {:.2e}, {:.2e}, {:.2e} of frames; worst bond off by {:.2} Å",
        s.inverted, s.clashes, s.bad_bonds, s.worst_bond
    );
    println!("  bonds, RMS deviation    {:8.4} Å   reference {:.4} Å", s.bond_deviation[0], s.bond_deviation[1]);
    println!(
        "  torsion divergence      {:8.4}     floor {:.4}, reference of the same size {:.4}",
        s.torsion_divergence, s.torsion_divergence_floor, s.torsion_divergence_same_size
    );
    let worst = s.torsions.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    worst.iter().for_each(|(torsion, divergence)| println!("    worst torsion         {divergence:8.4}     {torsion}"));
    println!(
        "  decorrelation time      {} × the reference's (median)",
        s.decorrelation_ratio.map_or("n/a".into(), |ratio| format!("{ratio:8.3}"))
    );
    println!("  radius of gyration      {:8.3} Å   reference {:.3} Å", s.radius_of_gyration[0], s.radius_of_gyration[1]);
    println!("  speed                   {:8.1} ns/day, all chains together", s.ns_per_day);
}
