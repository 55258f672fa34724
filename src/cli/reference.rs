//! `mdsurrogate reference PROTEIN`: molecular dynamics in the physical force field.

use serde_json::{Map, Value, json};

use super::config::with_file;
use super::energy::require_finite;
use super::job::{Engine, Job, JobArgs, quantity, set_threads};
use super::motion::Motion;
use super::protein::{Complete, Field, Protein};
use crate::forcefield::{ForceField, Minimizer, System, template_geometry_at};
use crate::geometry::velocities::repartitioned_masses;
use crate::observe::Journal;
use crate::simulate::{Constraints, Dynamics, Physical, Stepper, Stop, heat};
use crate::structure::{Frame, Structure, Topology};
use crate::units::Dimension;
use crate::{Error, Result};

/// Physical time that is run where the user does not say, ps.
const DEFAULT_TIME: f64 = 1000.0;

/// Run reference MD of a protein: ff14SB with OBC2 implicit water
///
/// The protein is completed, minimised and heated; frame 0 is the state after that. Stopped by
/// Ctrl-C or --maxh, the same command goes on.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub protein: Protein,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub field: Field,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub motion: Motion,
    /// Mass of hydrogens, Da, taken from the heavy atoms that carry them; 1: their own
    #[arg(
        long,
        value_name = "MASS",
        default_value_t = 3.0,
        help_heading = "Dynamics"
    )]
    pub hydrogen_mass: f64,
    /// Hold the bonds of hydrogens at their lengths
    #[arg(long, help_heading = "Dynamics")]
    pub hold_hydrogens: bool,
    /// Time of heating to the temperature before frame 0; 0ps: none
    #[arg(
        long,
        value_name = "TIME",
        default_value = "20ps",
        help_heading = "Dynamics"
    )]
    pub heat: String,
    /// Also write PREFIX.trr: positions, velocities and forces of every frame of the trajectory
    #[arg(long, help_heading = "Output")]
    pub forces: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment would become help text")]
    pub job: JobArgs,
}

/// Runs the dynamics.
///
/// # Errors
/// Those of [`Protein::load`] and [`Job::carry_out`], [`Error::Usage`] for settings that cannot be
/// integrated.
pub fn run(args: Args) -> Result<()> {
    let args = match &args.job.config {
        Some(file) => with_file("reference", file, std::env::args_os().skip(2).collect())?,
        None => args,
    };
    // before anything takes time
    Stop::on_signals();
    set_threads(&args.job)?;
    let Complete { structure, notes } = args.protein.load()?;
    let system = System::build(&structure.topology)?;
    let mut engine = engine(&args, &structure, system)?;
    engine.words.extend(notes);
    Job {
        command: "reference",
        args: &args.job,
        input: &args.protein.file,
        structure: &structure,
    }
    .carry_out(engine)
}

/// The longest time step, ps, at which dynamics is known to be stable.
fn longest_step(args: &Args) -> f64 {
    match (args.hold_hydrogens, args.hydrogen_mass >= 3.0) {
        (true, true) => 0.004,
        (false, false) => 0.001,
        _ => 0.002,
    }
}

/// The dynamics and what the run needs to know of it.
fn engine(args: &Args, structure: &Structure, system: System) -> Result<Engine> {
    let Structure {
        topology, frame, ..
    } = structure;
    if !(1.0..=4.0).contains(&args.hydrogen_mass) {
        let what = format!("--hydrogen-mass: hydrogens of {} Da", args.hydrogen_mass);
        return Err(Error::usage(what, "1 (their own) to 4"));
    }
    let settings = args.motion.settings(&args.job)?;
    let masses = repartitioned_masses(topology, &system.masses, args.hydrogen_mass);
    let constraints = if args.hold_hydrogens {
        Constraints::of_hydrogens(topology, &system, &masses)
    } else {
        Constraints::default()
    };
    let field = args.field.of(system);
    let dynamics = || {
        Dynamics::new(
            Physical::new(field.clone()),
            masses.clone(),
            constraints.clone(),
            settings,
        )
    };
    let stepper = dynamics()?;
    let mut words = vec![stepper.describe()];
    if settings.time_step > longest_step(args) * 1.001 {
        let longest = longest_step(args) * 1e3;
        words.push(format!("warning: steps of more than {longest} fs are unstable with these masses and bonds; watch the drift"));
    }
    let heating = quantity("--heat", &args.heat, Dimension::Time)?;
    let (file, topology_too, field_too) =
        (args.protein.file.clone(), topology.clone(), field.clone());
    let mut heater = dynamics()?;
    let start = move |mut frames: Vec<Frame>, journal: &Journal, stop: &Stop| {
        let relaxed = minimised(field_too, &topology_too, &frames[0], &file, journal, stop)?;
        frames.fill(relaxed);
        if heating > 0.0 {
            heat(&mut heater, &mut frames, heating, stop)?;
            journal.say(&format!("heated over {heating} ps"));
        }
        Ok(frames)
    };
    Ok(Engine {
        geometry: template_geometry_at(topology, &frame.positions)?,
        settings: fixed(args, &stepper),
        words,
        equivariance_every: None,
        default_steps: (DEFAULT_TIME / settings.time_step).round() as u64,
        start: Some(Box::new(start)),
        begins_there: false,
        temperature: Some(settings.temperature),
        forces: args.forces,
        field: Some(field),
        stepper: Box::new(stepper),
    })
}

/// A frame at a minimum of the energy.
fn minimised(
    mut field: ForceField,
    topology: &Topology,
    frame: &Frame,
    file: &std::path::Path,
    journal: &Journal,
    stop: &Stop,
) -> Result<Frame> {
    let mut positions = frame.positions.clone();
    let done =
        Minimizer::default().run_until(&mut field, &mut positions, || stop.reason().is_some());
    if stop.reason().is_some() {
        return Err(Stop::interrupted(0));
    }
    require_finite(&done.before, topology, &positions, file)?;
    let (before, after) = (done.before.total, done.after.total);
    journal.say(&format!(
        "minimised: {before:.0} to {after:.0} kJ/mol in {} steps, RMS force {:.2} kJ/mol/Å",
        done.steps, done.rms_force
    ));
    Ok(Frame {
        positions,
        velocities: None,
        ..frame.clone()
    })
}

/// What must be the same for a checkpoint to be gone on from.
fn fixed(args: &Args, stepper: &dyn Stepper) -> Map<String, Value> {
    let mut fixed = stepper.identity();
    let mut put = |name: &str, value: Value| fixed.insert(name.to_owned(), value);
    put("hydrogen mass (Da)", json!(args.hydrogen_mass));
    put("bonds of hydrogens held", args.hold_hydrogens.into());
    put("precision", format!("{:?}", args.field.precision).into());
    put("cutoff (Å)", json!(args.field.cutoff));
    put("heating (ps)", args.heat.clone().into());
    put("forces written", args.forces.into());
    fixed
}
