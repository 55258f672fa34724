//! Molecular dynamics in the physical force field, as a session.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::backend::Device;
use super::{Backend, Complete, Completion, Dynamics, Replicas, Session, thread_pool};
use crate::forcefield::{
    ForceField, Minimizer, Precision, System, require_finite, template_geometry_at,
};
use crate::geometry::velocities::repartitioned_masses;
use crate::observe::Journal;
use crate::simulate::{Constraints, Dynamics as Stepping, Physical, Settings, Stepper, Stop, heat};
use crate::structure::{Frame, Structure, Topology};
use crate::{Error, Result};

/// Physical time that is run where nothing is said, ps.
const DEFAULT_TIME: f64 = 1000.0;

/// Reference MD: ff14SB with OBC2 implicit water.
#[derive(Debug, Clone)]
pub struct ReferenceOptions {
    /// What is read of the file and built onto it.
    pub completion: Completion,
    /// Where forces are computed and integrated.
    pub backend: Backend,
    /// How it is integrated.
    pub dynamics: Dynamics,
    /// Precision of the pair terms.
    pub precision: Precision,
    /// Distance, Å, beyond which pairs are left out; none: no pair is.
    pub cutoff: Option<f64>,
    /// Mass of hydrogens, Da, taken from the heavy atoms that carry them; 1: their own. At most 4.
    pub hydrogen_mass: f64,
    /// Whether the bonds of hydrogens are held at their lengths.
    pub hold_hydrogens: bool,
    /// Time of heating to the temperature before frame 0, ps; 0: none.
    pub heat: f64,
    /// Whether `PREFIX.trr` is written: positions, velocities and forces of every frame.
    pub forces: bool,
    /// Seed of all random numbers.
    pub seed: u64,
    /// How many runs.
    pub replicas: Replicas,
    /// Threads; none: those of the pool that the caller is in.
    pub threads: Option<usize>,
}

impl Default for ReferenceOptions {
    fn default() -> Self {
        ReferenceOptions {
            completion: Completion::default(),
            // no card has run reference MD yet: who wants it, asks for it (docs/gpu.md)
            backend: Backend::Cpu,
            dynamics: Dynamics::default(),
            precision: Precision::default(),
            cutoff: None,
            hydrogen_mass: 3.0,
            hold_hydrogens: false,
            heat: 20.0,
            forces: false,
            seed: 1,
            replicas: Replicas::default(),
            threads: None,
        }
    }
}

impl ReferenceOptions {
    /// The longest time step, ps, at which dynamics is known to be stable.
    fn longest_step(&self) -> f64 {
        match (self.hold_hydrogens, self.hydrogen_mass >= 3.0) {
            (true, true) => 0.004,
            (false, false) => 0.001,
            _ => 0.002,
        }
    }

    /// What a checkpoint must agree on beyond the integration.
    fn identity(&self) -> Map<String, Value> {
        let precision = match self.precision {
            Precision::F32 => "F32",
            Precision::F64 => "F64",
        };
        Map::from_iter([
            ("hydrogen mass (Da)".to_owned(), json!(self.hydrogen_mass)),
            (
                "bonds of hydrogens held".to_owned(),
                self.hold_hydrogens.into(),
            ),
            ("precision".to_owned(), precision.into()),
            ("cutoff (Å)".to_owned(), json!(self.cutoff)),
            ("heating (ps)".to_owned(), format!("{}ps", self.heat).into()),
            ("forces written".to_owned(), self.forces.into()),
        ])
    }
}

impl Session {
    /// A protein and the force field that moves it. It is minimised and heated before its first
    /// frame.
    ///
    /// # Errors
    /// Those of reading and completing the protein; [`Error::Usage`] for what cannot be integrated.
    pub fn reference(protein: &Path, options: &ReferenceOptions) -> Result<Self> {
        let Complete { structure, notes } = options.completion.load(protein)?;
        let pool = options.threads.map(thread_pool).transpose()?.map(Arc::new);
        if !(1.0..=4.0).contains(&options.hydrogen_mass) {
            let what = format!("--hydrogen-mass: hydrogens of {} Da", options.hydrogen_mass);
            return Err(Error::usage(what, "1 (their own) to 4"));
        }
        let Structure {
            topology, frame, ..
        } = &structure;
        let system = System::build(topology)?;
        let masses = repartitioned_masses(topology, &system.masses, options.hydrogen_mass);
        let constraints = if options.hold_hydrogens {
            Constraints::of_hydrogens(topology, &system, &masses)
        } else {
            Constraints::default()
        };
        let field = ForceField::with_cutoff(system, options.precision, options.cutoff);
        let settings = (options.dynamics).settings(options.seed, options.replicas.first());
        let moving = Moving {
            field: field.clone(),
            masses,
            constraints,
            settings,
        };
        let (stepper, heating) = match options.backend.device()? {
            None => moving.on_the_cpu()?,
            Some(device) => moving.on(&device, options)?,
        };
        let mut words = vec![stepper.describe()];
        let time_step = settings.time_step;
        let longest = options.longest_step();
        if time_step > longest * 1.001 {
            words.push(format!(
                "warning: steps of more than {} fs are unstable with these masses and bonds; watch \
                 the drift",
                longest * 1e3
            ));
        }
        words.extend(notes);
        let start = Prepare {
            field: field.clone(),
            heating,
            topology: topology.clone(),
            file: protein.to_owned(),
            heat: options.heat,
        };
        Ok(Session {
            command: "reference",
            input: protein.to_owned(),
            geometry: template_geometry_at(topology, &frame.positions)?,
            stepper,
            identity: options.identity(),
            words,
            temperature: settings.temperature,
            seed: options.seed,
            replicas: options.replicas,
            default_steps: (DEFAULT_TIME / time_step).round() as u64,
            field: Some(field),
            forces: options.forces,
            start: Some(Box::new(|frames, journal, stop| {
                start.run(frames, journal, stop)
            })),
            begins_there: false,
            start_steps: (options.heat / time_step).round() as u64,
            start_forces: 0,
            structure,
            pool,
        })
    }
}

/// Heats frames over a time, ps.
type Heating = Box<dyn FnMut(&mut [Frame], f64, &Stop) -> Result<()> + Send>;

/// What moves, and how.
struct Moving {
    field: ForceField,
    masses: Vec<f64>,
    constraints: Constraints,
    settings: Settings,
}

impl Moving {
    fn on_the_cpu(self) -> Result<(Box<dyn Stepper>, Heating)> {
        let dynamics = || {
            let physical = Physical::new(self.field.clone());
            let (masses, constraints) = (self.masses.clone(), self.constraints.clone());
            Stepping::new(physical, masses, constraints, self.settings)
        };
        let mut heated = dynamics()?;
        let heating =
            move |frames: &mut [Frame], time, stop: &Stop| heat(&mut heated, frames, time, stop);
        Ok((Box::new(dynamics()?), Box::new(heating)))
    }

    #[cfg(not(feature = "gpu"))]
    fn on(self, device: &Device, _: &ReferenceOptions) -> Result<(Box<dyn Stepper>, Heating)> {
        match *device {}
    }

    /// All replicas at once on a device.
    #[cfg(feature = "gpu")]
    fn on(
        self,
        device: &Device,
        options: &ReferenceOptions,
    ) -> Result<(Box<dyn Stepper>, Heating)> {
        use crate::simulate::gpu::{GpuDynamics, Moved, heat};
        if options.precision == Precision::F64 {
            let what = "--precision f64: a GPU computes the force field in f32";
            return Err(Error::usage(what, "--backend cpu, or --precision f32"));
        }
        let dynamics = || {
            let moved = Moved {
                system: self.field.system(),
                masses: &self.masses,
                constraints: &self.constraints,
                copies: options.replicas.count() as usize,
            };
            GpuDynamics::new(device, &[moved], options.cutoff, self.settings)
        };
        let mut heated = dynamics()?;
        let heating =
            move |frames: &mut [Frame], time, stop: &Stop| heat(&mut heated, frames, time, stop);
        Ok((Box::new(dynamics()?), Box::new(heating)))
    }
}

/// What is done to the input before the first step.
struct Prepare {
    field: ForceField,
    heating: Heating,
    topology: Topology,
    file: std::path::PathBuf,
    /// Time of heating, ps.
    heat: f64,
}

impl Prepare {
    fn run(mut self, mut frames: Vec<Frame>, journal: &Journal, stop: &Stop) -> Result<Vec<Frame>> {
        let relaxed = self.minimised(&frames[0], journal, stop)?;
        frames.fill(relaxed);
        if self.heat > 0.0 {
            (self.heating)(&mut frames, self.heat, stop)?;
            self.require_places(&frames)?;
            journal.say(&format!("heated over {} ps", self.heat));
        }
        Ok(frames)
    }

    /// Refuses frames that the heating has blown up: no guard has looked at them.
    fn require_places(&self, frames: &[Frame]) -> Result<()> {
        let lost = |frame: &Frame| {
            let places = frame.positions.iter();
            places
                .map(|x| x.iter().all(|x| x.is_finite()))
                .position(|is_place| !is_place)
        };
        let Some(atom) = frames.iter().find_map(lost) else {
            return Ok(());
        };
        Err(Error::Guard {
            step: 0,
            what: format!(
                "after {} ps of heating {} is at no finite position",
                self.heat,
                self.topology.atom_label(atom)
            ),
            hint: "a shorter --dt, or a longer --heat of a strained structure".into(),
        })
    }

    /// A frame at a minimum of the energy.
    fn minimised(&mut self, frame: &Frame, journal: &Journal, stop: &Stop) -> Result<Frame> {
        let mut positions = frame.positions.clone();
        let done = Minimizer::default()
            .run_until(&mut self.field, &mut positions, || stop.reason().is_some());
        if stop.reason().is_some() {
            return Err(Stop::interrupted(0));
        }
        require_finite(&done.before, &self.topology, &positions, &self.file)?;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{RunOptions, Span};

    /// The settings in a checkpoint of `reference … --dt 4fs --hold-hydrogens --heat 50ps
    /// --traj-every 20ps`, as the program of before there were sessions wrote it.
    const THEN: &str = r#"{
        "integrator": "Langevin { friction: 1.0 }", "time step (ps)": 0.004,
        "temperature (K)": 300.0, "hydrogen mass (Da)": 3.0, "bonds of hydrogens held": true,
        "precision": "F32", "cutoff (Å)": null, "heating (ps)": "50ps", "forces written": false,
        "command": "reference", "seed": 15929063, "replicas": 1, "replica index": 0,
        "trajectory format": "xtc", "steps from frame to frame": 5000,
        "steps from log row to log row": 5000
    }"#;

    #[test]
    fn a_heating_that_blows_up_is_the_guards_to_report() {
        let folder = tempfile::tempdir().unwrap();
        let protein = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let options = ReferenceOptions {
            dynamics: Dynamics {
                time_step: 0.01,
                ..Dynamics::default()
            },
            heat: 2.0,
            ..ReferenceOptions::default()
        };
        let session = Session::reference(&protein, &options).unwrap();
        let mut run = RunOptions::default();
        run.output.prefix = Some(folder.path().join("md"));
        run.strides.length = Some(Span::Steps(10));
        let error = session.run(&run, &Journal::silent()).unwrap_err();
        let words = error.to_string();
        assert_eq!(error.exit_code(), 3, "{words}");
        assert!(
            words.contains("heating") && words.contains("A:ALA 1:N"),
            "{words}"
        );
    }

    #[test]
    fn checkpoints_of_before_there_were_sessions_are_gone_on_from() {
        let protein = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let options = ReferenceOptions {
            dynamics: Dynamics {
                time_step: 0.004,
                ..Dynamics::default()
            },
            hold_hydrogens: true,
            heat: 50.0,
            seed: 15_929_063,
            ..ReferenceOptions::default()
        };
        let session = Session::reference(&protein, &options).unwrap();
        let mut run = RunOptions::default();
        run.strides.trajectory = Some(Span::Time(20.0));
        let (_, plan) = session.prepare(&run).unwrap();
        let now = session.settings(&run, &plan);
        let mut now = now.as_object().unwrap().clone();
        // a hash of the protein, which is another one here
        now.remove("protein (hash of atoms and positions)").unwrap();
        let then: Map<String, Value> = serde_json::from_str(THEN).unwrap();
        assert_eq!(now.len(), then.len());
        for (name, value) in &then {
            assert_eq!(now.get(name), Some(value), "{name}");
        }
    }
}
