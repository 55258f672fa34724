//! `mdsurrogate validate`: a model on a list of molecules, judged against reference MD; and its
//! model card.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::config::as_typed;
use super::sampling::{Fold, Jumps, Parts, Sampling};
use crate::compare::gather::gather;
use crate::compare::report::{CaseReport, aligned, card, leaderboard, measures_of};
use crate::compare::rollout::{Outcome, judge, roll_out};
use crate::compare::row::Looker;
use crate::compare::source::{Inputs, Source, open};
use crate::engine::Cpu;
use crate::error::Place;
use crate::files::{file_name, refuse_existing, write_atomically};
use crate::forcefield::template_geometry_at;
use crate::structure::{Frame, ReadOptions};
use crate::task;
use crate::trajectory::{Layout, MoleculeReader};
use crate::{Error, Result};

/// Roll a model out on a list of molecules and compare with reference MD
///
/// Prints a leaderboard, a row a molecule, and below it every measure of every molecule: beside its
/// floor (the same measure between the halves of the reference), beside reference MD as long as the
/// rollouts, and beside a tenth of the reference.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model file
    model: PathBuf,
    /// List of molecules (TOML): [[case]] tables with name, topology, start, reference, chains,
    /// jumps, flags, note
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
    /// Folder of the files named in the list; default: the list's own
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write a model card (Markdown): what the model was trained on, what was measured, where it
    /// holds and where not
    #[arg(long, value_name = "FILE.md")]
    card: Option<PathBuf>,
    /// Allow a card that exists to be replaced
    #[arg(long)]
    overwrite: bool,
    /// Time between frames of reference files that hold no times
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    time_step: Option<f64>,
    #[command(flatten)]
    sampling: Sampling,
    /// Seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object on stdout instead of the tables
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
    /// What the card should say of it.
    #[serde(default)]
    note: String,
    topology: PathBuf,
    /// Trajectories that the rollouts start in.
    start: Vec<PathBuf>,
    /// Trajectories that they are judged against.
    reference: Vec<PathBuf>,
    #[serde(default = "chains")]
    chains: usize,
    #[serde(default = "jumps")]
    jumps: usize,
    /// Flags of its jumps (`--lag 160ps --stir 0.3`), in place of those of the command line.
    flags: Option<String>,
}

impl Case {
    /// How its jumps are made.
    fn sampling(&self, typed: &Sampling) -> Result<Sampling> {
        let Some(flags) = &self.flags else {
            return Ok(typed.clone());
        };
        let words: Vec<&str> = flags.split_whitespace().collect();
        as_typed("case", &words).map_err(|error| {
            Error::usage(
                format!("case {}: flags: {}", self.name, error.to_string().trim()),
                "--lag 160ps --stir 0.3",
            )
        })
    }

    /// What the card says of it.
    fn remark(&self) -> String {
        let flags = self
            .flags
            .as_ref()
            .map(|flags| format!("Flags: `{flags}`."));
        [
            Some(self.note.clone()).filter(|note| !note.is_empty()),
            flags,
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(". ")
    }
}

fn chains() -> usize {
    64
}

fn jumps() -> usize {
    150
}

/// Memory for the rows of a reference, bytes.
const MEMORY: usize = 1 << 29;

/// Runs all cases, prints the tables and writes the card.
///
/// # Errors
/// Those of the files, the model and the engine.
pub fn run(args: Args) -> Result<()> {
    refuse_existing(args.card.as_deref(), args.overwrite)?;
    super::positive("--time-step", args.time_step)?;
    let text = std::fs::read_to_string(&args.cases)
        .map_err(|error| Error::reading(&args.cases, &error))?;
    let hint = "each [[case]] has name, topology, start = [...], reference = [...], and may have chains, jumps, flags and note";
    let cases: Cases = toml::from_str(&text)
        .map_err(|error| Error::input(Place::file(&args.cases), error.message(), hint))?;
    let folder = args
        .data
        .clone()
        .unwrap_or_else(|| args.cases.parent().map(Path::to_owned).unwrap_or_default());
    let model = task::load(&args.model, Cpu::<f32>::new())?;
    let (header, parameters) = (model.header, model.network.parameter_count());
    let mut reports = Vec::new();
    for case in cases.case {
        eprintln!(
            "{}: {} rollouts × {} jumps",
            case.name, case.chains, case.jumps
        );
        let outcome = run_case(&args, &case, &folder)?;
        let report = CaseReport {
            note: case.remark(),
            name: case.name,
            outcome,
        };
        // a list takes long: what is known is said
        eprint!("{}", aligned(&leaderboard(std::slice::from_ref(&report))));
        reports.push(report);
    }
    if args.json {
        println!(
            "{:#}",
            serde_json::json!({ "model": args.model, "seed": args.seed, "cases": reports })
        );
    } else {
        print!("{}", aligned(&leaderboard(&reports)));
        reports
            .iter()
            .for_each(|report| print!("\n{}\n{}", report.name, aligned(&measures_of(report))));
    }
    if let Some(path) = &args.card {
        let text = card(
            &file_name(&args.model),
            &header,
            parameters,
            &reports,
            &command(&args),
        );
        write_atomically(path, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        })?;
        eprintln!("card: {}", path.display());
    }
    Ok(())
}

/// The command that makes the same numbers, without folders.
fn command(args: &Args) -> String {
    let (model, cases, sampling) = (
        file_name(&args.model),
        file_name(&args.cases),
        &args.sampling,
    );
    let given = |flag: &str, value: Option<String>| {
        value.map_or(String::new(), |value| format!(" {flag} {value}"))
    };
    let lag = given("--lag", sampling.lag.clone());
    let relax = given("--relax", sampling.relax.map(|steps| steps.to_string()));
    let method = given(
        "--method",
        sampling
            .method
            .map(|method| format!("{method:?}").to_lowercase()),
    );
    let fold = given(
        "--fold",
        (sampling.fold != Fold::default()).then(|| format!("{:?}", sampling.fold).to_lowercase()),
    );
    format!(
        "mdsurrogate validate {model} --cases {cases}{lag}{relax}{fold} --levels {} --lowest {}A --stir {}{method} --seed {}",
        sampling.levels, sampling.lowest, sampling.stir, args.seed
    )
}

fn run_case(args: &Args, case: &Case, folder: &Path) -> Result<Outcome> {
    let within = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| folder.join(path))
            .collect::<Vec<_>>()
    };
    let top = folder.join(&case.topology);
    let mut sides = open(&Inputs {
        run: within(&case.start),
        reference: within(&case.reference),
        run_top: Some(top.clone()),
        reference_top: Some(top.clone()),
    })?;
    sides.set_time_steps(args.time_step, None);
    sides.notes.iter().for_each(|note| eprintln!("{note}"));
    let layout = Layout::load(&top, &ReadOptions::default())?;
    let starts = starts(&sides.run, &layout, case.chains)?;
    let picks = layout.atoms_at(&sides.run[0].path, &sides.run[0].picks)?;
    let structure = layout.structure;
    let looker = Looker::new(&sides.topology, &sides.start);
    let reference = gather(&sides.reference, &looker, MEMORY, &|_| ())?;
    let geometry = template_geometry_at(&structure.topology, &structure.frame.positions)?;
    let model = task::load(&args.model, Cpu::<f32>::new())?;
    let parts = Parts {
        task: model.task.jump()?,
        network: model.network,
        header: &model.header,
        structure: &structure,
        geometry: &geometry,
        seed: args.seed,
        first_replica: 0,
    };
    let Jumps {
        mut stepper,
        warning,
        ..
    } = case.sampling(&args.sampling)?.jumps(parts)?;
    warning.iter().for_each(|warning| eprintln!("{warning}"));
    let rollouts = roll_out(stepper.as_mut(), &looker, &picks, starts, case.jumps)?;
    Ok(judge(
        &rollouts,
        &reference,
        &looker,
        [case.chains, case.jumps],
    ))
}

/// Evenly spaced frames of the start trajectories; one that is no molecule gives way to the next.
fn starts(sources: &[Source], layout: &Layout, count: usize) -> Result<Vec<Frame>> {
    let atoms: Vec<usize> = (0..layout.topology().len()).collect();
    let all: usize = sources.iter().map(|source| source.frames).sum();
    let mut frames = Vec::with_capacity(count);
    let mut before = 0;
    for source in sources {
        let mut reader = MoleculeReader::open(layout, &source.path, &atoms, None)?;
        let wanted = (0..count)
            .map(|chain| chain * all / count)
            .filter(|index| (before..before + source.frames).contains(index));
        for index in wanted {
            let mut frame = Frame::default();
            reader.read_sound(index - before, &mut frame)?;
            frames.push(Frame::at_rest(frame.positions));
        }
        before += source.frames;
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(flags: &str) -> Case {
        let text = format!(
            "name = \"a\"\nnote = \"unseen\"\ntopology = \"a.pdb\"\nstart = []\nreference = []\n{flags}"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_case_has_flags_of_its_own() {
        let typed: Sampling = as_typed("validate", &["--relax", "7"]).unwrap();
        assert_eq!(case("").sampling(&typed).unwrap().relax, Some(7));
        let own = case("flags = \"--lag 160ps --stir 0.3\"");
        let sampling = own.sampling(&typed).unwrap();
        assert_eq!(
            (sampling.lag.as_deref(), sampling.stir, sampling.relax),
            (Some("160ps"), 0.3, None)
        );
        assert_eq!(own.remark(), "unseen. Flags: `--lag 160ps --stir 0.3`.");
        let error = case("flags = \"--stirr 0.3\"")
            .sampling(&typed)
            .unwrap_err();
        assert!(
            error.exit_code() == 2
                && error.to_string().contains("case a")
                && error.to_string().contains("--stirr"),
            "{error}"
        );
    }
}
