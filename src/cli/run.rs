//! `mdsurrogate run`: step a trajectory of a protein with a trained network.

use std::path::{Path, PathBuf};

use serde_json::Map;

use super::backend::{Backend, Chosen, list_devices};
use super::config::with_file;
use super::job::{Engine, Job, JobArgs, Span, set_threads};
use super::motion::Motion;
use super::protein::{Complete, Completion};
use super::sampling::{Jumps, Parts, Sampling};
use crate::engine::{Cpu, Engine as Compute};
use crate::forcefield::{ForceField, Precision, System, TemplateGeometry, template_geometry_at};
use crate::network::{Header, Network, Tokens};
use crate::simulate::{
    Clock, Equilibrated, Equilibration, Hydrogens, Learned, NextFrame, ROOM_TEMPERATURE, Riding,
    Settings, Stepper, Stop,
};
use crate::structure::Structure;
use crate::task::{self, Loaded, Task};
use crate::{Error, Result};

/// Time for which the input is equilibrated where the user does not say.
const EQUILIBRATION: &str = "10ps";
const EQUILIBRATION_PS: f64 = 10.0;

/// Steps that `run` makes where the user does not say.
const DEFAULT_STEPS: u64 = 1000;

/// Step a trajectory of a protein with a trained network
///
/// `mdsurrogate run protein.pdb` makes 1000 steps with the model that is built in. A model of jumps
/// takes those of --relax, --levels, …; a model of forces is integrated as --ensemble, --dt, … say.
/// Stopped by Ctrl-C or --maxh, the same command goes on.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Args {
    /// Protein structure: PDB or mmCIF, plain or gzipped
    #[arg(required_unless_present_any = ["config", "list_devices"])]
    pub protein: Option<PathBuf>,
    /// Model file [default: the one that is built in]
    #[arg(short, long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t)]
    pub backend: Backend,
    /// List the devices that --backend chooses from, and stop
    #[arg(long)]
    pub list_devices: bool,
    /// Stride at which the network's rotation and translation symmetry is measured on the live
    /// frame; 0: never
    #[arg(
        long,
        value_name = "STRIDE",
        default_value = "100",
        help_heading = "Guards"
    )]
    pub check_equivariance_every: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub completion: Completion,
    /// Take the input as it is: add no atoms (without all hydrogens there are no energies), do not
    /// equilibrate it
    #[arg(long, conflicts_with_all = ["fix", "equilibrate"])]
    pub as_is: bool,
    /// Before the first jump, minimise the input and give it this time of dynamics in the force
    /// field at the model's temperature; jumps keep to the fold that it then has. 0ps: neither
    #[arg(long, value_name = "TIME", default_value = EQUILIBRATION, value_parser = super::time)]
    pub equilibrate: f64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub sampling: Sampling,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub motion: Motion,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub job: JobArgs,
}

/// Runs the simulation.
///
/// # Errors
/// Those of reading the protein and the model, and of [`Job::carry_out`].
pub fn run(args: Args) -> Result<()> {
    if args.list_devices {
        list_devices();
        return Ok(());
    }
    let args = match &args.job.config {
        Some(file) => with_file("run", file, std::env::args_os().skip(2).collect())?,
        None => args,
    };
    let hint = "mdsurrogate run protein.pdb";
    let input = args
        .protein
        .as_deref()
        .ok_or_else(|| Error::usage("there is no protein to run", hint))?;
    // before anything takes time
    Stop::on_signals();
    set_threads(&args.job)?;
    let Complete { structure, notes } = args.completion.load_as_far_as_known(input, args.as_is)?;
    let first_replica = args.job.replica_index.unwrap_or(0);
    let motion = Some(args.motion.settings(&args.job)?);
    let (model, seed, sampling) = (args.model.as_deref(), args.job.seed, &args.sampling);
    let motion_flag = args.motion.changed();
    let choice = Choice {
        model,
        backend: args.backend,
        seed,
        first_replica,
        sampling,
        motion,
        motion_flag,
    };
    let mut engine = stepper(&choice, &structure)?;
    engine.words.extend(notes);
    if matches!(engine.stepper.clock(), Clock::Jumps(_)) && !args.as_is {
        equilibrate(&mut engine, &structure, args.equilibrate, seed);
    }
    engine.equivariance_every = match args.check_equivariance_every.as_str() {
        "0" => None,
        text => Some(
            Span::parse("--check-equivariance-every", text)?
                .steps("--check-equivariance-every", engine.stepper.time_step())?,
        ),
    };
    Job {
        command: "run",
        args: &args.job,
        input,
        structure: &structure,
    }
    .carry_out(engine)
}

/// Lets the run begin with the equilibrated input, where the force field knows the molecule.
fn equilibrate(engine: &mut Engine, structure: &Structure, time: f64, seed: u64) {
    if time != EQUILIBRATION_PS {
        // the usual time is not said, as in checkpoints of before there was one
        engine
            .settings
            .insert("equilibration (ps)".into(), time.into());
    }
    if time <= 0.0 {
        return;
    }
    let topology = structure.topology.clone();
    let system = match System::build(&topology) {
        Ok(system) => system,
        Err(error) => {
            engine
                .words
                .push(format!("warning: the input is not equilibrated: {error}"));
            return;
        }
    };
    let temperature = engine.temperature.unwrap_or(ROOM_TEMPERATURE);
    let equilibration = Equilibration {
        time,
        temperature,
        seed,
    };
    engine.words.push(format!(
        "first the input is equilibrated: minimised, then {time} ps of dynamics at {temperature} \
         K (--as-is: not)"
    ));
    engine.begins_there = true;
    engine.start = Some(Box::new(move |mut frames, journal, stop| {
        let field = ForceField::new(system, Precision::F32);
        let Equilibrated {
            frame,
            minimised: [before, after],
            moved,
        } = equilibration.run(&topology, field, &frames[0], stop)?;
        journal.say(&format!(
            "equilibrated: {before:.0} to {after:.0} kJ/mol by minimisation; heavy atoms are \
             {moved:.2} Å (RMSD) from the input"
        ));
        frames.fill(frame);
        Ok(frames)
    }));
}

/// What the user chose to make the steps.
pub(super) struct Choice<'a> {
    /// Model file; none: the one that is built in.
    pub model: Option<&'a Path>,
    /// Where the network runs.
    pub backend: Backend,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Number of the first replica.
    pub first_replica: u64,
    /// Sampler and corrector.
    pub sampling: &'a Sampling,
    /// How a model's forces are integrated; none: such models are refused.
    pub motion: Option<Settings>,
    /// A flag of it that is not at its default.
    pub motion_flag: Option<&'static str>,
}

/// The stepper that the user chose: the only place where model and engine are picked.
pub(super) fn stepper(choice: &Choice<'_>, structure: &Structure) -> Result<Engine> {
    match choice.backend.choose()? {
        Chosen::Cpu => stepper_on(Cpu::<f32>::new(), None, choice, structure),
        #[cfg(feature = "gpu")]
        Chosen::Gpu(gpu) => {
            let device = gpu.device().to_owned();
            stepper_on(gpu, Some(device), choice, structure)
        }
    }
}

/// The stepper on this engine. A device makes other bits than the CPU: its name is part of what a
/// run must go on with.
fn stepper_on<E: Compute + 'static>(
    compute: E,
    device: Option<String>,
    choice: &Choice<'_>,
    structure: &Structure,
) -> Result<Engine> {
    let topology = &structure.topology;
    let path = choice.model.unwrap_or(Path::new("(built in)"));
    let Loaded {
        network,
        task,
        header,
    } = match choice.model {
        Some(path) => task::load(path, compute)?,
        None => task::shipped(compute)?,
    };
    let geometry = template_geometry_at(topology, &structure.frame.positions)?;
    let mut settings = Map::new();
    settings.insert(
        "model (hash of weights)".into(),
        header.sha256.clone().into(),
    );
    let (stepper, mut words) = match (task, choice.motion) {
        (Task::Force(force), Some(motion)) => {
            refuse(choice.sampling.changed(), "jumps", "forces")?;
            let force = Learned::new(network, force, Tokens::new(topology, &geometry)?);
            in_forces(force, &header, path, structure, motion)?
        }
        (Task::NextFrame(task), _) => {
            refuse(choice.sampling.changed(), "jumps", "next frames")?;
            refuse(choice.motion_flag, "forces", "next frames")?;
            by_means(network, task, &header, &geometry, path, structure)?
        }
        (task, _) => {
            refuse(choice.motion_flag, "forces", "jumps")?;
            let jump = task.jump()?;
            by_jumps((network, jump), &header, &geometry, path, structure, choice)?
        }
    };
    settings.extend(stepper.identity());
    if let Some(device) = device {
        words.push(format!("on the GPU {device}"));
        settings.insert("device".into(), device.into());
    }
    Ok(Engine {
        stepper,
        geometry,
        settings,
        words,
        equivariance_every: None,
        default_steps: DEFAULT_STEPS,
        field: None,
        forces: false,
        start: None,
        begins_there: false,
        temperature: header.provenance.temperature,
    })
}

/// Refuses a flag that is for models of `wanted`, where this one is of `is`.
fn refuse(flag: Option<&'static str>, wanted: &str, is: &str) -> Result<()> {
    flag.map_or(Ok(()), |flag| {
        Err(Error::usage(
            format!("{flag} is for models of {wanted}, this one is of {is}"),
            format!("leave {flag} out"),
        ))
    })
}

/// The jumps of a model.
fn by_jumps<E: Compute + 'static>(
    (network, task): (Network<E>, task::Jump),
    header: &Header,
    geometry: &TemplateGeometry,
    path: &Path,
    structure: &Structure,
    choice: &Choice<'_>,
) -> Result<(Box<dyn Stepper>, Vec<String>)> {
    let mut words = words(&path.display().to_string(), header, structure);
    if let Some([shortest, longest]) = task.lag_range {
        let range = format!("its jumps may take {shortest} to {longest} ps (--lag)");
        words.insert(2, range);
    }
    let (seed, first_replica) = (choice.seed, choice.first_replica);
    let Jumps {
        stepper,
        folded,
        warning,
    } = choice.sampling.jumps(Parts {
        network,
        task,
        header,
        structure,
        geometry,
        seed,
        first_replica,
    })?;
    words.extend(
        folded.then(|| "it keeps to the fold of its input; --fold free lets go of it".to_owned()),
    );
    words.extend(warning);
    Ok((stepper, words))
}

/// The mean positions that a model predicts.
fn by_means<E: Compute + 'static>(
    network: Network<E>,
    task: task::NextFrame,
    header: &Header,
    geometry: &TemplateGeometry,
    path: &Path,
    structure: &Structure,
) -> Result<(Box<dyn Stepper>, Vec<String>)> {
    let Structure {
        topology, frame, ..
    } = structure;
    let tokens = Tokens::new(topology, geometry)?;
    let hydrogens = Hydrogens::new(topology, &frame.positions);
    let mut words = words(&path.display().to_string(), header, structure);
    words.push(format!("warning: {}", NextFrame::<E>::WARNING));
    let stepper = NextFrame::new(network, task, tokens, hydrogens);
    Ok((Box::new(stepper), words))
}

/// The dynamics of heavy atoms in a model's forces.
fn in_forces<E: Compute + 'static>(
    force: Learned<E>,
    header: &Header,
    path: &Path,
    structure: &Structure,
    motion: Settings,
) -> Result<(Box<dyn Stepper>, Vec<String>)> {
    let Structure {
        topology, frame, ..
    } = structure;
    let energies = if force.is_conservative() {
        "potential and total energies are those of the force field with hydrogens that ride, the conserved one is the model's own"
    } else {
        "energies are those of the force field with hydrogens that ride, which the model's forces do not conserve"
    };
    let stepper = Riding::new(force, topology, &frame.positions, motion)?;
    let words = vec![
        format!(
            "model {}: trained on {}",
            path.display(),
            header.provenance.summary
        ),
        stepper.describe(),
        energies.to_owned(),
    ];
    Ok((Box::new(stepper), words))
}

/// What the user is to know of the model.
fn words(name: &str, header: &Header, structure: &Structure) -> Vec<String> {
    let topology = &structure.topology;
    let hydrogens = topology.len() - topology.heavy_atoms().len();
    let made = &header.provenance;
    let kelvin = made
        .temperature
        .map_or(String::new(), |kelvin| format!(" at {kelvin} K"));
    let mut words = vec![
        format!("model {name}: trained on {}{kelvin}", made.summary),
        "a protein outside that set is an extrapolation; whole-molecule tumbling is not sampled"
            .to_owned(),
    ];
    if hydrogens > 0 {
        words.push(format!("{hydrogens} hydrogens ride on their heavy atoms"));
    }
    words
}
