//! A model on a list of molecules, judged against reference MD.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::backend::device_of;
use super::jumps::Parts;
use super::{Backend, Jumps, ModelSource, OnEngine};
use crate::compare::gather::gather;
use crate::compare::report::CaseReport;
use crate::compare::rollout::{Outcome, judge, roll_out};
use crate::compare::row::Looker;
use crate::compare::source::{Inputs, Sides, Source, open};
use crate::engine::Engine;
use crate::error::Place;
use crate::forcefield::{TemplateGeometry, template_geometry_at};
use crate::network::Tokens;
use crate::observe::{GeometryGuard, Journal, Observer, Record};
use crate::simulate::Stop;
use crate::structure::{Frame, ReadOptions, Structure, Topology};
use crate::task::Loaded;
use crate::trajectory::{Layout, MoleculeReader};
use crate::{Error, Result};

/// Memory for the rows of a reference, bytes.
const MEMORY: usize = 1 << 29;

/// A list of molecules, as its file (TOML) has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseList {
    /// The molecules.
    pub case: Vec<Case>,
}

/// A molecule to roll out. Paths are relative to the folder of the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What a model card should say of it.
    #[serde(default)]
    pub note: String,
    /// Structure with the atoms of the trajectories.
    pub topology: PathBuf,
    /// Trajectories that the rollouts start in.
    pub start: Vec<PathBuf>,
    /// Trajectories that they are judged against.
    pub reference: Vec<PathBuf>,
    /// Rollouts.
    #[serde(default = "chains")]
    pub chains: usize,
    /// Jumps of each.
    #[serde(default = "jumps")]
    pub jumps: usize,
    /// Flags of its jumps (`--lag 160ps --stir 0.3`); those of the command line come first.
    pub flags: Option<String>,
}

fn chains() -> usize {
    64
}

fn jumps() -> usize {
    150
}

impl CaseList {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file.
    pub fn read(path: &Path) -> Result<CaseList> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
        let hint = "each [[case]] has name, topology, start = [...], reference = [...], and may \
                    have chains, jumps, flags and note";
        toml::from_str(&text)
            .map_err(|error| Error::input(Place::file(path), error.message(), hint))
    }
}

/// How a model is validated.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// The model.
    pub model: ModelSource,
    /// Where its network runs.
    pub backend: Backend,
    /// Folder of the files that cases name.
    pub folder: PathBuf,
    /// Time between frames of reference files that hold no times, ps.
    pub time_step: Option<f64>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Whether jumps to frames that are no molecules are left as they are, to see how many a model
    /// makes, instead of being drawn again as a run does.
    pub keeps_faults: bool,
    /// Asked to, it ends within a jump.
    pub stop: Stop,
}

impl Validation {
    /// Rolls the model out on one molecule, by these jumps, and judges it. What there is to say on
    /// the way goes to `say`.
    ///
    /// # Errors
    /// Those of the files, the model and the engine; [`Error::Usage`] for a model that does not
    /// jump; [`Error::Interrupted`] where `stop` was asked for.
    pub fn run(&self, case: &Case, jumps: &Jumps, say: &mut dyn FnMut(&str)) -> Result<CaseReport> {
        let outcome = self.backend.run(Rollouts {
            validation: self,
            case,
            jumps,
            say,
        })?;
        Ok(CaseReport {
            name: case.name.clone(),
            note: case.remark(),
            outcome,
        })
    }
}

impl Case {
    /// What a card says of it.
    fn remark(&self) -> String {
        let flags = (self.flags.as_ref()).map(|flags| format!("Flags: `{flags}`."));
        let note = Some(self.note.clone()).filter(|note| !note.is_empty());
        let parts: Vec<String> = note.into_iter().chain(flags).collect();
        parts.join(". ")
    }
}

/// The rollouts of one case.
struct Rollouts<'a> {
    validation: &'a Validation,
    case: &'a Case,
    jumps: &'a Jumps,
    say: &'a mut dyn FnMut(&str),
}

impl Rollouts<'_> {
    /// The trajectories that rollouts start in and are held against.
    fn sides(&self) -> Result<Sides> {
        let (case, folder) = (self.case, &self.validation.folder);
        let within = |paths: &[PathBuf]| paths.iter().map(|path| folder.join(path)).collect();
        let top = folder.join(&case.topology);
        let mut sides = open(&Inputs {
            run: within(&case.start),
            reference: within(&case.reference),
            run_top: Some(top.clone()),
            reference_top: Some(top),
            run_is_start: true,
        })?;
        sides.set_time_steps(self.validation.time_step, None);
        Ok(sides)
    }
}

impl OnEngine for Rollouts<'_> {
    type Output = Outcome;

    fn on<E: Engine + 'static>(self, engine: E, _device: Option<String>) -> Result<Outcome> {
        let case = self.case;
        let sides = self.sides()?;
        sides.notes.iter().for_each(|note| (self.say)(note));
        let top = self.validation.folder.join(&case.topology);
        let layout = Layout::load(&top, &ReadOptions::default())?;
        let mut starts = starts(&sides.run, &layout, case.chains)?;
        let picks = layout.atoms_at(&sides.run[0].path, &sides.run[0].picks)?;
        let structure = layout.structure;
        let looker = Looker::new(&sides.topology, &sides.start);
        let reference = gather(&sides.reference, &looker, MEMORY, &|_| ())?;
        let Structure {
            topology, frame, ..
        } = &structure;
        let geometry = template_geometry_at(topology, &frame.positions)?;
        let device = device_of(&engine);
        let Loaded {
            network,
            task,
            header,
        } = self.validation.model.load(engine)?;
        let task = task.jump()?;
        let tokens = Tokens::new(topology, &geometry)?;
        if task.fold && self.jumps.fold.is_kept(&tokens) {
            // as in a run, the fold is that of the frame that it begins with
            for start in &mut starts {
                start.mean = Some(tokens.positions(&start.positions));
            }
        }
        let (mut stepper, words) = self.jumps.stepper(Parts {
            network,
            device,
            task,
            header: &header,
            structure: &structure,
            geometry: &geometry,
            seed: self.validation.seed,
            first_replica: 0,
        })?;
        let warnings = words.iter().filter(|line| line.starts_with("warning"));
        warnings.for_each(|warning| (self.say)(warning));
        stepper.heed(&self.validation.stop);
        stepper.begin(&frame.positions);
        let mut guards = guards(topology, &geometry, &starts);
        let keeps_faults = self.validation.keeps_faults;
        let mut sound = |rollout: usize, frame: &Frame| {
            keeps_faults
                || guards[rollout]
                    .observe(frame, &mut Record::default())
                    .is_ok()
        };
        let (stepper, sound) = (stepper.as_mut(), &mut sound);
        let rollouts = roll_out(stepper, &looker, &picks, starts, case.jumps, sound)?;
        Ok(judge(
            &rollouts,
            &reference,
            &looker,
            [case.chains, case.jumps],
        ))
    }
}

/// The guards of a run, one for each of these starts.
fn guards(
    topology: &Topology,
    geometry: &TemplateGeometry,
    starts: &[Frame],
) -> Vec<GeometryGuard> {
    let guard = |start: &Frame| {
        GeometryGuard::new(topology, geometry, &start.positions, Journal::silent()).of_jumps()
    };
    starts.iter().map(guard).collect()
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

    #[test]
    fn a_case_says_its_note_and_its_flags() {
        let text = "name = \"a\"\nnote = \"unseen\"\ntopology = \"a.pdb\"\nstart = []\n\
                    reference = []\nflags = \"--lag 160ps --stir 0.3\"\n";
        let case: Case = toml::from_str(text).unwrap();
        assert_eq!((case.chains, case.jumps), (64, 150));
        assert_eq!(case.remark(), "unseen. Flags: `--lag 160ps --stir 0.3`.");
    }
}
