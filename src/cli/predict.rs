//! `mdsurrogate predict`: the frame after a structure, or after every frame of a trajectory, and
//! how far it is from the true one.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::backend::Backend;
use super::console::{eprintln, println};
use super::sampling::Sampling;
use super::selection::Selection;
use crate::error::Place;
use crate::files::{prefix_meant, refuse_existing, require_folder, with_suffix};
use crate::geometry::superpose::{pick, superpose};
use crate::session::{Options, Session};
use crate::simulate::Clock;
use crate::structure::residues::family;
use crate::structure::{Frame, Structure, Topology, read, write_pdb};
use crate::trajectory::damage::summary;
use crate::trajectory::{DamagedFrame, Format, Layout, MoleculeReader, Writer};
use crate::{Error, Result};

/// Predict the next frame of a structure, or of every frame of a trajectory
///
/// Where the true next frames are known (--truth, or a trajectory whose frames are a whole part of
/// the model's lag time apart), the error of the prediction stands beside that of the copy
/// baseline, which predicts that nothing moves.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Structure (PDB, mmCIF) or trajectory (XTC, DCD, TRR, NetCDF, with --top)
    pub input: PathBuf,
    /// Structure whose atoms the trajectory has
    #[arg(long, value_name = "FILE")]
    pub top: Option<PathBuf>,
    /// True next frames: a structure, or a trajectory with one frame for each of the input's
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Model file [default: the one that is built in]
    #[arg(short, long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t)]
    pub backend: Backend,
    /// Predictions go to PREFIX_next.pdb, those of a trajectory to PREFIX_next.xtc [default: the
    /// input's stem]
    #[arg(short, long, value_name = "PREFIX")]
    pub output: Option<PathBuf>,
    /// Time between frames of the trajectory, instead of what the file says
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub time_step: Option<f64>,
    /// Take every Nth frame of the trajectory
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub every: u64,
    /// Seed of the random numbers of models that sample
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub sampling: Sampling,
    /// Part of the structure file to read
    #[command(flatten)]
    pub selection: Selection,
    /// Allow output files that exist to be replaced
    #[arg(long)]
    pub overwrite: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Frames in one call of the stepper.
const BATCH: usize = 64;

/// Sums over frames of errors over the heavy atoms.
#[derive(Debug, Default)]
struct Errors {
    frames: u64,
    /// Mean squared displacement from the true frame, Å², of the prediction and of the copy.
    squares: [f64; 2],
    /// RMSD to the true frame after the best superposition, Å, of the prediction and of the copy.
    rmsd: [f64; 2],
}

/// Predicts and prints.
///
/// # Errors
/// Those of reading structure, trajectory and model, of the engine and of writing.
pub fn run(args: Args) -> Result<()> {
    let is_structure = args.top.is_none();
    let top = args.top.as_deref().unwrap_or(&args.input);
    if is_structure && Format::of_file(&args.input).is_ok_and(|format| !format.names_atoms()) {
        return Err(Error::usage(
            format!(
                "{} is a trajectory: its atoms are not known",
                args.input.display()
            ),
            "--top protein.pdb",
        ));
    }
    super::positive("--time-step", args.time_step)?;
    let layout = Layout::load(top, &args.selection.clone().into())?;
    let structure = &layout.structure;
    structure.require_complete(false)?;
    let options = Options {
        model: args.model.clone().into(),
        backend: args.backend.into(),
        jumps: (&args.sampling).into(),
        seed: args.seed,
        ..Options::default()
    };
    let session = Session::of(structure.clone(), &options)?;
    if matches!(session.stepper().clock(), Clock::Dynamics(_)) {
        let what = "this model answers with forces, not with a later frame";
        return Err(Error::usage(what, "mdsurrogate run integrates them"));
    }
    // on stderr, which --json leaves to words
    let of_file = structure.report.lines();
    of_file.iter().for_each(|line| eprintln!("{line}"));
    if !args.json {
        (session.words())
            .iter()
            .for_each(|line| eprintln!("{line}"));
    }
    let mut task = Task {
        args: &args,
        layout: &layout,
        structure,
        heavy: structure.topology.heavy_atoms(),
        session,
        errors: Errors::default(),
        left_out: 0,
    };
    let out = if is_structure {
        task.one()?
    } else {
        task.all()?
    };
    task.print(&out);
    Ok(())
}

struct Task<'a> {
    args: &'a Args,
    layout: &'a Layout,
    structure: &'a Structure,
    heavy: Vec<usize>,
    session: Session,
    errors: Errors,
    /// Frames of the input that are no molecule.
    left_out: usize,
}

/// In what the heavy atoms of a structure differ, which are to be those of `ours` in that order,
/// from them.
fn other_molecule(ours: &Topology, theirs: &Topology) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!(
            "holds {} atoms, the input {}",
            theirs.len(),
            ours.len()
        ));
    }
    let kind = |topology: &Topology, atom: usize| {
        let residue = &topology.residue_of(atom).name;
        let family = family(residue).map_or(residue.clone(), |family| family.name.clone());
        (family, topology.atoms[atom].name.clone())
    };
    let heavy = ours.heavy_atoms();
    let atom = heavy
        .into_iter()
        .find(|&atom| kind(ours, atom) != kind(theirs, atom))?;
    Some(format!(
        "holds {} where the input holds {}",
        theirs.atom_label(atom),
        ours.atom_label(atom)
    ))
}

impl Task<'_> {
    /// The output's name.
    fn output(&self, ending: &str) -> Result<PathBuf> {
        let stem = || {
            PathBuf::from(
                self.args
                    .input
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .split('.')
                    .next()
                    .unwrap_or("out"),
            )
        };
        let prefix = (self.args.output.as_deref()).map_or_else(stem, prefix_meant);
        let path = with_suffix(&prefix, ending);
        require_folder(&path)?;
        refuse_existing([path.as_path()], self.args.overwrite)?;
        Ok(path)
    }

    /// The frame after a structure.
    fn one(&mut self) -> Result<PathBuf> {
        let path = self.output("_next.pdb")?;
        let truth = match &self.args.truth {
            Some(path) => Some(read(path, &self.args.selection.clone().into())?),
            None => None,
        };
        let mut next = [self.structure.frame.clone()];
        self.session.step(&mut next)?;
        if let Some(truth) = truth {
            if let Some(what) = other_molecule(&self.structure.topology, &truth.topology) {
                return Err(Error::input(
                    Place::file(&truth.report.file),
                    what,
                    "the same molecule, its atoms in the same order, one lag time later",
                ));
            }
            self.judge(&self.structure.frame, &next[0], &truth.frame);
        }
        write_pdb(&path, &self.structure.topology, &next)?;
        Ok(path)
    }

    /// The frames after those of a trajectory.
    fn all(&mut self) -> Result<PathBuf> {
        let topology = &self.structure.topology;
        let mut input = self.open(&self.args.input)?;
        let lag = self.session.stepper().time_step();
        let mut truth = self.truth(&input, lag)?;
        let every = self.args.every as usize;
        let path = self.output("_next.xtc")?;
        let interval = input.file().time_step().unwrap_or(lag) * every as f64;
        let mut writer = Writer::create(&path, topology.len(), interval)?;
        let indices: Vec<usize> = (0..input.file().len()).step_by(every).collect();
        let mut damaged = Vec::new();
        for batch in indices.chunks(BATCH) {
            let before = sound_frames(&mut input, batch, lag, &mut damaged)?;
            let mut frames: Vec<Frame> = before.iter().map(|(_, frame)| frame.clone()).collect();
            if frames.is_empty() {
                continue;
            }
            self.session.step(&mut frames)?;
            for ((index, before), next) in before.iter().zip(&frames) {
                let mut after = Frame::default();
                if let Some((reader, shift)) = truth
                    .as_mut()
                    .filter(|(reader, shift)| index + shift < reader.file().len())
                    && reader.read_at(index + *shift, &mut after)?.is_none()
                {
                    self.judge(before, next, &after);
                }
                writer.write(next)?;
            }
        }
        self.left_out = damaged.len();
        if damaged.len() == indices.len() {
            return Err(Error::input(
                Place::file(&self.args.input).at_frame(damaged[0].frame),
                format!("{}; no frame is a molecule", damaged[0].what),
                "check that --top is the structure of this trajectory",
            ));
        }
        writer.finish()?;
        let name = self.args.input.display();
        if let Some(line) = summary(&damaged, indices.len()) {
            eprintln!("{name}: {line}");
        }
        if input.made_whole() {
            eprintln!("{name}: molecules broken over the periodic cell were made whole");
        }
        Ok(path)
    }

    /// Opens a trajectory of the structure's atoms, and says what there is to say of the file.
    fn open(&self, path: &Path) -> Result<MoleculeReader> {
        let atoms: Vec<usize> = (0..self.structure.topology.len()).collect();
        let reader = MoleculeReader::open(self.layout, path, &atoms, self.args.time_step)?;
        for note in reader.file().notes() {
            eprintln!("{}: {note}", path.display());
        }
        Ok(reader)
    }

    /// The true frames, and how many frames later they come: in a file of their own, or later in
    /// the input.
    fn truth(&self, input: &MoleculeReader, lag: f64) -> Result<Option<(MoleculeReader, usize)>> {
        if let Some(path) = &self.args.truth {
            let truth = self.open(path)?;
            let (frames, wanted) = (truth.file().len(), input.file().len());
            if frames != wanted {
                return Err(Error::input(
                    Place::file(path),
                    format!("holds {frames} frames, the input {wanted}"),
                    "give one true next frame for each frame of the input, --every or not",
                ));
            }
            return Ok(Some((truth, 0)));
        }
        let Some(shift) = input
            .file()
            .time_step()
            .map(|step| lag / step)
            .filter(|shift| (shift - shift.round()).abs() <= 1e-4 * shift)
        else {
            return Ok(None);
        };
        let atoms: Vec<usize> = (0..self.structure.topology.len()).collect();
        let again = MoleculeReader::open(self.layout, input.file().path(), &atoms, None)?;
        Ok(Some((again, shift.round() as usize)))
    }

    /// Adds the errors of one prediction and of the copy. The true frame is first superposed onto
    /// the input: the model does not sample how the whole molecule turns.
    fn judge(&mut self, before: &Frame, next: &Frame, truth: &Frame) {
        let [before, next, truth] =
            [before, next, truth].map(|frame| pick(&frame.positions, &self.heavy));
        let mut moved = truth.clone();
        superpose(&truth, &before).apply_all(&mut moved);
        for (kind, guess) in [&next, &before].into_iter().enumerate() {
            let square: f64 = guess
                .iter()
                .zip(&moved)
                .map(|(a, b)| (a - b).norm_squared())
                .sum();
            self.errors.squares[kind] += square / guess.len() as f64;
            self.errors.rmsd[kind] += superpose(guess, &truth).rmsd;
        }
        self.errors.frames += 1;
    }

    fn print(&self, out: &Path) {
        let lag = self.session.stepper().time_step();
        let frames = self.errors.frames;
        let mean = |sums: [f64; 2]| sums.map(|sum| (frames > 0).then(|| sum / frames as f64));
        let (mse, rmsd) = (mean(self.errors.squares), mean(self.errors.rmsd));
        if self.args.json {
            let of =
                |kind: usize| json!({ "mse_angstrom2": mse[kind], "rmsd_angstrom": rmsd[kind] });
            println!(
                "{}",
                json!({
                    "file": out, "lag_ps": lag, "frames_judged": frames,
                    "frames_left_out": self.left_out, "prediction": of(0), "copy": of(1),
                })
            );
            return;
        }
        println!(
            "{}: {lag} ps after {}",
            out.display(),
            self.args.input.display()
        );
        if frames == 0 {
            println!("no true frames to compare with (--truth FILE)");
            return;
        }
        let noun = if frames == 1 { "frame" } else { "frames" };
        println!("{frames} {noun} against the true ones, heavy atoms:");
        println!("  {:<12}{:>12}{:>12}", "", "MSE, Å²", "RMSD, Å");
        for (kind, name) in ["prediction", "copy"].into_iter().enumerate() {
            println!(
                "  {name:<12}{:>12.4}{:>12.4}",
                mse[kind].unwrap_or(f64::NAN),
                rmsd[kind].unwrap_or(f64::NAN)
            );
        }
    }
}

/// The frames of a batch that are molecules, with their indices; the others are added to `damaged`.
fn sound_frames(
    input: &mut MoleculeReader,
    batch: &[usize],
    lag: f64,
    damaged: &mut Vec<DamagedFrame>,
) -> Result<Vec<(usize, Frame)>> {
    let mut frames = Vec::with_capacity(batch.len());
    for &index in batch {
        let mut frame = Frame::default();
        if let Some(damage) = input.read_at(index, &mut frame)? {
            damaged.push(DamagedFrame {
                frame: input.file().number(index),
                what: damage.describe(input.topology()),
            });
            continue;
        }
        // a frame's random numbers are its own, whatever the file calls its step
        frame.step = index as u64;
        frame.time = Some(frame.time)
            .filter(|time| time.is_finite())
            .unwrap_or(index as f64 * lag);
        frames.push((index, frame));
    }
    Ok(frames)
}
