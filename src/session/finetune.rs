//! A model of one protein: reference MD, a short training from a model, validation. Each of the
//! three is a session of its own with files of its own, so that what is done is not done again.

mod configuration;
mod make;

use std::path::{Path, PathBuf};

use configuration::{jumps, write, written};

use super::estimate::{OVERHEAD, seconds_of_forces};
use super::familiar;
use super::files::stem;
use super::train::{TrainOptions, remove};
use super::validate::{Case, CaseList, Validation};
use super::{
    Backend, Completion, Dynamics, ModelSource, Output, ReferenceOptions, Replicas, RunOptions,
    Session, Span, Strides, minutes,
};
use crate::files::{file_name, prefix_meant, refuse_existing, require_folder, with_suffix};
use crate::forcefield::{ForceField, Precision, System};
use crate::structure::Structure;
use crate::task::{Task, jump};
use crate::train::checkpoint;
use crate::train::config::Config;
use crate::{Error, Result};

/// Independent runs of reference MD: what they differ by is the floor that the model is judged
/// beside.
const REPLICAS: u32 = 2;
/// Jumps of the longest lag time that each of them holds at least.
const JUMPS_OF_LONGEST: f64 = 6.0;
/// Time step of the reference MD, ps.
const TIME_STEP: f64 = 0.004;
/// Its heating, ps.
const HEATING: f64 = 20.0;

/// What is to be made, and how.
#[derive(Debug, Clone)]
pub struct FinetuneOptions {
    /// The protein.
    pub protein: PathBuf,
    /// What is read of its file and built onto it.
    pub completion: Completion,
    /// Model to start from.
    pub model: ModelSource,
    /// Where networks run.
    pub backend: Backend,
    /// What the names of all files start with; none: `STEM_tuned`.
    pub prefix: Option<PathBuf>,
    /// Reference MD to train on, ps in all: two independent runs share it.
    pub time: f64,
    /// Minutes of training.
    pub minutes: f64,
    /// Temperature of the reference MD, K.
    pub temperature: f64,
    /// Threads; none: those of the pool that the caller is in.
    pub threads: Option<usize>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Whether it starts over and replaces what is there.
    pub overwrite: bool,
}

/// The three steps, ready to be made: all of them by [`Finetune::make`], or one after the other:
/// [`Finetune::reference`], [`Finetune::training`], [`Finetune::validation`].
pub struct Finetune {
    options: FinetuneOptions,
    files: Files,
    structure: Structure,
    /// The jumps that are trained.
    jump: jump::Settings,
    /// Number of parameters of the model to start from.
    parameters: usize,
}

/// Names of all that is written.
struct Files {
    prefix: PathBuf,
    /// Prefix of the reference MD.
    reference: PathBuf,
    /// The training's configuration.
    training: PathBuf,
    checkpoint: PathBuf,
    model: PathBuf,
    /// The list of the validation.
    cases: PathBuf,
}

impl Files {
    fn new(prefix: Option<&Path>, protein: &Path) -> Self {
        let prefix = prefix.map_or_else(
            || PathBuf::from(format!("{}_tuned", stem(protein))),
            prefix_meant,
        );
        let file = |suffix| with_suffix(&prefix, suffix);
        Files {
            reference: file("_reference"),
            training: file(".toml"),
            checkpoint: file(".ckpt"),
            model: file(".safetensors"),
            cases: file("_cases.toml"),
            prefix,
        }
    }

    /// Topology and trajectories of the reference MD, without folders: they lie beside the lists
    /// that name them.
    fn of_reference(&self) -> (PathBuf, Vec<PathBuf>) {
        let name = |suffix: &str| file_name(&with_suffix(&self.reference, suffix)).into();
        let trajectories = (0..REPLICAS).map(|replica| name(&format!("_r{replica}.xtc")));
        (name(".pdb"), trajectories.collect())
    }
}

impl Finetune {
    /// Reads protein and model.
    ///
    /// # Errors
    /// Those of reading them; [`Error::Usage`] for a model that does not jump, and for times that
    /// are too short.
    pub fn open(options: FinetuneOptions) -> Result<Self> {
        if !(options.minutes > 0.0 && options.minutes.is_finite()) {
            return Err(Error::usage(
                format!("--minutes: {}", options.minutes),
                "a number above 0",
            ));
        }
        let loaded = options.model.examine()?;
        let Task::Jump(known) = loaded.task else {
            return Err(Error::usage(
                "-m: this model makes no jumps",
                "a model trained with [jump], or the built-in one",
            ));
        };
        let lag = known.lag_time;
        let share = options.time / f64::from(REPLICAS);
        if share < 4.0 * lag {
            let what = format!("--time: two runs of {share} ps hold few jumps of {lag} ps");
            let least = 4.0 * lag * f64::from(REPLICAS);
            return Err(Error::usage(what, format!("at least {least}ps")));
        }
        let files = Files::new(options.prefix.as_deref(), &options.protein);
        require_folder(&files.prefix)?;
        let structure = options.completion.load(&options.protein)?.structure;
        let longest = known.lag_range.map_or(lag, |[_, longest]| longest);
        let longest = longest.min(share / JUMPS_OF_LONGEST);
        let residues = structure.topology.residues.len();
        let usual = familiar::usual(&loaded.header.provenance, residues);
        Ok(Finetune {
            jump: jumps([lag, longest], usual, residues),
            structure,
            parameters: loaded.network.parameter_count(),
            files,
            options,
        })
    }

    /// The model that is made.
    pub fn model(&self) -> &Path {
        &self.files.model
    }

    /// Time of each run of reference MD, ps.
    fn share(&self) -> f64 {
        self.options.time / f64::from(REPLICAS)
    }

    /// What will be done and how long it will take, measured on this machine.
    ///
    /// # Errors
    /// Those of the force field, and of starting a thread to measure with.
    pub fn lines(&self) -> Result<Vec<String>> {
        let options = &self.options;
        let field = ForceField::new(System::build(&self.structure.topology)?, Precision::F32);
        let forces = seconds_of_forces(field, &self.structure.frame.positions, false)?;
        let threads = options.threads.unwrap_or_else(rayon::current_num_threads) as f64;
        let runs = f64::from(REPLICAS);
        let steps = (options.time + runs * HEATING) / TIME_STEP;
        let reference = steps * OVERHEAD * forces / threads.min(runs) / 60.0;
        let name = match &options.model {
            ModelSource::BuiltIn => "the built-in model".to_owned(),
            ModelSource::File(file) => file.display().to_string(),
        };
        let mut lines = vec![format!(
            "{}: {} atoms; from {name}, {} parameters",
            options.protein.display(),
            self.structure.topology.len(),
            self.parameters
        )];
        let of_file = self.structure.report.lines();
        lines.extend(of_file.iter().map(|line| format!("  {line}")));
        lines.extend([
            format!(
                "  1. {} ps of reference MD at {} K: about {}",
                options.time,
                options.temperature,
                minutes(reference)
            ),
            format!("  2. training: {}", minutes(options.minutes)),
            "  3. validation: some minutes".to_owned(),
            format!(
                "  about {} in all, less what is done already; Ctrl-C stops, the same command goes \
                 on",
                minutes(reference + options.minutes)
            ),
        ]);
        Ok(lines)
    }

    /// The reference MD.
    ///
    /// # Errors
    /// Those of [`Session::reference`].
    pub fn reference(&self) -> Result<(Session, RunOptions)> {
        let options = &self.options;
        let session = Session::reference(
            &options.protein,
            &ReferenceOptions {
                completion: options.completion.clone(),
                dynamics: Dynamics {
                    time_step: TIME_STEP,
                    temperature: options.temperature,
                    ..Dynamics::default()
                },
                hold_hydrogens: true,
                heat: HEATING,
                seed: options.seed,
                replicas: Replicas::Together(u64::from(REPLICAS)),
                threads: options.threads,
                ..ReferenceOptions::default()
            },
        )?;
        let run = RunOptions {
            output: Output {
                prefix: Some(self.files.reference.clone()),
                overwrite: options.overwrite,
                fresh: options.overwrite,
                ..Output::default()
            },
            strides: Strides {
                length: Some(Span::Time(self.share())),
                ..Strides::default()
            },
            ..RunOptions::default()
        };
        Ok((session, run))
    }

    /// The training. Its configuration file is written for the user; where it is not the one that
    /// is there, that one's checkpoint goes.
    ///
    /// # Errors
    /// [`Error::Output`] where a file cannot be written, or a model is there already.
    pub fn training(&self) -> Result<(Config, TrainOptions)> {
        let (options, files) = (&self.options, &self.files);
        let text = written(&self.configuration())?;
        let before = std::fs::read_to_string(&files.training);
        if options.overwrite || before.is_ok_and(|before| before != text) {
            let old = checkpoint::files(&files.checkpoint);
            old.iter().try_for_each(|file| remove(file))?;
        } else if !files.checkpoint.is_file() {
            refuse_existing([files.model.as_path()], false)?;
        }
        write(&files.training, &text)?;
        let train = TrainOptions {
            prefix: files.prefix.clone(),
            backend: options.backend,
            threads: options.threads,
            overwrite: true,
            ..TrainOptions::default()
        };
        Ok((Config::parse(text, &files.training)?, train))
    }

    /// The validation: rollouts with the model's usual jumps, as long as half of the reference that
    /// was trained on and ten jumps at least. The list is written for the user too.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn validation(&self) -> Result<(Validation, Case)> {
        let (topology, trajectories) = self.files.of_reference();
        let lag = self.jump.usual.map_or(self.jump.lag, |usual| usual.lag);
        let jumps = (self.share() / lag).round().clamp(10.0, 100.0);
        let case = Case {
            name: file_name(&self.files.prefix),
            note: "trained on this reference".to_owned(),
            topology,
            start: trajectories.clone(),
            reference: trajectories,
            chains: 16,
            jumps: jumps as usize,
            flags: None,
        };
        let list = CaseList {
            case: vec![case.clone()],
        };
        write(&self.files.cases, &written(&list)?)?;
        let validation = Validation {
            model: ModelSource::File(self.files.model.clone()),
            backend: self.options.backend,
            folder: (self.files.prefix.parent()).map_or_else(PathBuf::new, Path::to_owned),
            seed: 1,
            ..Validation::default()
        };
        Ok((validation, case))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Settings;

    fn finetune(time: f64, folder: &Path) -> Result<Finetune> {
        let protein = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        Finetune::open(FinetuneOptions {
            protein,
            completion: Completion::default(),
            model: ModelSource::BuiltIn,
            backend: Backend::Cpu,
            prefix: Some(folder.join("own")),
            time,
            minutes: 3.0,
            temperature: 310.0,
            threads: Some(2),
            seed: 7,
            overwrite: false,
        })
    }

    #[test]
    fn each_step_is_told_what_the_one_before_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let finetune = finetune(4000.0, folder.path()).unwrap();
        let (session, run) = finetune.reference().unwrap();
        assert_eq!(session.stepper().time_step(), 0.004);
        assert_eq!(run.strides.length, Some(Span::Time(2000.0)));

        // the file that the user finds is the one that is trained by
        let (config, train) = finetune.training().unwrap();
        let file = folder.path().join("own.toml");
        let read = Config::read(&file).unwrap();
        assert_eq!((read.lags(), config.lags()), (config.lags(), config.lags()));
        assert_eq!(config.lags(), [20.0, 40.0, 80.0, 160.0, 320.0]);
        assert_eq!(
            (
                config.training.minutes,
                config.data.temperature,
                config.training.seed
            ),
            (Some(3.0), Some(310.0), 7)
        );
        let names = ["own_reference_r0.xtc", "own_reference_r1.xtc"].map(PathBuf::from);
        assert_eq!(config.data.systems[0].trajectories, names);
        assert!(config.initial.is_some() && matches!(config.task, Settings::Jump(_)));
        assert_eq!(train.prefix, folder.path().join("own"));

        let (validation, case) = finetune.validation().unwrap();
        // the peptide's usual jumps are of 160 ps, which the reference is long enough to train
        let usual = config.task.usual();
        assert_eq!(usual.len(), 1);
        assert_eq!(
            (usual[0].lag, usual[0].residues, usual[0].stir),
            (160.0, [4, 4], Some(0.3))
        );
        assert_eq!(case.jumps, 13);
        assert_eq!(validation.folder, folder.path());
        let list = CaseList::read(&folder.path().join("own_cases.toml")).unwrap();
        assert_eq!(list.case[0].reference, names);
    }

    #[test]
    fn too_short_a_reference_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let error = finetune(100.0, folder.path()).err().unwrap();
        assert!(
            error.exit_code() == 2 && error.to_string().contains("--time"),
            "{error}"
        );
        assert!(error.hint().contains("160ps"), "{}", error.hint());
    }
}
