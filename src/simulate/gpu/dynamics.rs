//! Many systems of dynamics on one device: velocity Verlet, and Langevin as BAOAB.

use super::binding::bind;
use super::clusters::Clusters;
use crate::Result;
use crate::engine::Gpu;
use crate::engine::gpu::{Bound, Buffer, Dispatch};
use crate::forcefield::gpu::GpuForceField;
use crate::forcefield::{Energies, System};
use crate::geometry::noise;
use crate::geometry::velocities::{kinetic_energy, maxwell_boltzmann, stop_centre};
use crate::simulate::{Constraints, Settings};
use crate::structure::Frame;
use crate::units::ACCELERATION;

/// Words of a system's state: see `shaders/dynamics/step.wgsl`.
const STATE_WORDS: usize = 8;
/// Steps of one submission, and ordered pairs in all of them: half a second of a small card, so
/// that no driver takes it for hung.
const MOST_STEPS: f64 = 256.0;
const MOST_PAIRS: f64 = 1e10;

/// A molecule that is to move, and how many of it.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Its force field.
    pub system: &'a System,
    /// Masses of its dynamics, Da.
    pub masses: &'a [f64],
    /// Bonds that are held.
    pub constraints: &'a Constraints,
    /// Systems of it.
    pub copies: usize,
}

/// What dynamics needs of a molecule on the host.
struct Molecule {
    masses: Vec<f64>,
    constraints: Constraints,
}

/// Dynamics of many systems on one device, f32 but for positions, which are two f32 each.
///
/// Constraints and integrators are those of [`crate::simulate::Dynamics`]; noise has the same
/// generator, keyed alike, but takes its words atom by atom, so that its numbers are others.
pub struct GpuDynamics {
    field: GpuForceField,
    molecules: Vec<Molecule>,
    /// Molecule of each system.
    molecule_of: Vec<usize>,
    settings: Settings,
    attempt: u64,
    velocities: Buffer,
    masses: Buffer,
    cluster_ranges: Buffer,
    clusters: Buffer,
    states: Buffer,
    depart: Dispatch,
    arrive: Dispatch,
}

impl GpuDynamics {
    /// Dynamics of these molecules with `cutoff`, Å, where there is one.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] for an integrator that is the CPU's alone,
    /// [`crate::Error::Device`] where the device or its memory fails.
    ///
    /// # Panics
    /// Where a molecule has no atom, or there is none.
    pub fn new(
        gpu: &Gpu,
        moved: &[Moved<'_>],
        cutoff: Option<f64>,
        settings: Settings,
    ) -> Result<Self> {
        let systems: Vec<_> = moved
            .iter()
            .map(|moved| (moved.system, moved.copies))
            .collect();
        let field = GpuForceField::new(gpu, &systems, cutoff)?;
        let mut masses = Vec::new();
        let mut clusters = Clusters::default();
        let mut molecule_of = Vec::new();
        for (index, moved) in moved.iter().enumerate() {
            let pairs = moved.masses.iter().flat_map(|&mass| [1.0 / mass, mass]);
            masses.extend(pairs.map(|mass| (mass as f32).to_bits()));
            clusters.add(moved.system.len(), moved.constraints, moved.copies);
            molecule_of.extend(std::iter::repeat_n(index, moved.copies));
        }
        let velocities = gpu.cleared(4 * field.rows())?;
        let masses = gpu.holding(&masses)?;
        let cluster_ranges = gpu.holding(&clusters.ranges)?;
        let clusters = gpu.holding(&clusters.words)?;
        let states = gpu.cleared(STATE_WORDS * molecule_of.len())?;
        let own: [Bound<'_>; 5] = [
            ("velocities", Some(&velocities)),
            ("masses", Some(&masses)),
            ("cluster_ranges", Some(&cluster_ranges)),
            ("clusters", Some(&clusters)),
            ("states", Some(&states)),
        ];
        let [depart, arrive] = bind(gpu, &field, &own, settings)?;
        let molecules = moved.iter().map(|moved| Molecule {
            masses: moved.masses.to_vec(),
            constraints: moved.constraints.clone(),
        });
        Ok(GpuDynamics {
            molecules: molecules.collect(),
            field,
            molecule_of,
            settings,
            attempt: 0,
            velocities,
            masses,
            cluster_ranges,
            clusters,
            states,
            depart,
            arrive,
        })
    }

    /// What it was made with, or goes on with.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Goes on with other settings.
    ///
    /// # Errors
    /// Those of [`GpuDynamics::new`].
    pub fn set(&mut self, settings: Settings) -> Result<()> {
        let own: [Bound<'_>; 5] = [
            ("velocities", Some(&self.velocities)),
            ("masses", Some(&self.masses)),
            ("cluster_ranges", Some(&self.cluster_ranges)),
            ("clusters", Some(&self.clusters)),
            ("states", Some(&self.states)),
        ];
        [self.depart, self.arrive] = bind(self.field.gpu(), &self.field, &own, settings)?;
        self.settings = settings;
        Ok(())
    }

    /// From now on the first system is the replica of this number.
    pub(super) fn number_from(&mut self, first_replica: u64) {
        self.settings.first_replica = first_replica;
    }

    /// Changes the random numbers of all later steps.
    pub(super) fn number_attempt(&mut self, attempt: u64) {
        self.attempt = attempt;
    }

    /// Masses of a system's atoms, Da.
    pub fn masses(&self, system: usize) -> &[f64] {
        &self.molecules[self.molecule_of[system]].masses
    }

    /// Bonds of a system that are held.
    pub fn held(&self, system: usize) -> usize {
        self.molecules[self.molecule_of[system]].constraints.len()
    }

    /// Degrees of freedom of a system's kinetic energy.
    pub fn freedom(&self, system: usize) -> usize {
        let molecule = &self.molecules[self.molecule_of[system]];
        let stopped = if self.settings.stop_centre { 3 } else { 0 };
        (3 * molecule.masses.len()).saturating_sub(molecule.constraints.len() + stopped)
    }

    /// Dispatches of a step, whatever the number of systems.
    pub fn dispatches(&self) -> usize {
        self.field.dispatches() + 2
    }

    /// The device's name.
    pub fn device(&self) -> &str {
        self.field.gpu().device()
    }

    /// Makes `steps` steps of every frame, one frame a system: up, so many steps, and down again.
    /// Frames without velocities are given some at the temperature. Fewer frames than systems are
    /// those of the first ones.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    ///
    /// # Panics
    /// Where there are more frames than systems, or not one position an atom.
    pub fn make(&mut self, frames: &mut [Frame], steps: u64) -> Result<()> {
        let systems = self.field.len();
        if (1..systems).contains(&frames.len()) {
            let mut all = frames.to_vec();
            all.resize(systems, frames[0].clone());
            self.make(&mut all, steps)?;
            frames.clone_from_slice(&all[..frames.len()]);
            return Ok(());
        }
        for (replica, frame) in (self.settings.first_replica..).zip(frames.iter_mut()) {
            self.begin(replica, frame);
        }
        self.upload(frames, self.attempt);
        let gpu = self.field.gpu();
        let force: Vec<&Dispatch> = self.field.evaluation().iter().collect();
        gpu.repeat(&force, 1);
        let step = self.kernels();
        let most = (MOST_PAIRS / self.field.pairs()).clamp(1.0, MOST_STEPS) as usize;
        let mut ahead = steps as usize;
        while ahead > 0 {
            let now = ahead.min(most);
            gpu.repeat(&step, now);
            gpu.send();
            ahead -= now;
        }
        self.download(frames)?;
        for frame in frames {
            frame.step += steps;
            frame.time += self.settings.time_step * steps as f64;
        }
        Ok(())
    }

    /// Seconds that the host takes to record and submit so many steps, apart from the device, which
    /// is left nothing to do.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub fn recording_time(&self, steps: usize) -> Result<f64> {
        let gpu = self.field.gpu();
        self.field.run_only(&vec![false; self.field.len()]);
        let step = self.kernels();
        let start = std::time::Instant::now();
        gpu.repeat(&step, steps);
        gpu.send();
        let seconds = start.elapsed().as_secs_f64();
        self.field.run_only(&vec![true; self.field.len()]);
        self.field.running()?;
        Ok(seconds)
    }

    /// The kernels of a step that begins with forces, in their order.
    pub(super) fn kernels(&self) -> Vec<&Dispatch> {
        let mut step = vec![&self.depart];
        step.extend(self.field.evaluation());
        step.push(&self.arrive);
        step
    }

    /// The force fields of the systems.
    pub(super) fn field(&self) -> &GpuForceField {
        &self.field
    }

    /// The same, to be placed anew.
    pub(super) fn field_mut(&mut self) -> &mut GpuForceField {
        &mut self.field
    }

    /// The energies of the systems where they are.
    ///
    /// # Errors
    /// [`crate::Error::Device`] where the device or its memory fails.
    pub fn energies(&self) -> Result<Vec<Energies>> {
        self.field.add_up()
    }

    /// Puts frames that have velocities on the device, one a system, which take the random numbers
    /// of this attempt.
    pub(super) fn upload(&mut self, frames: &[Frame], attempt: u64) {
        assert_eq!(frames.len(), self.molecule_of.len(), "one frame a system");
        let mut velocities = Vec::with_capacity(4 * self.field.rows());
        let mut states = Vec::with_capacity(STATE_WORDS * frames.len());
        for (replica, frame) in (self.settings.first_replica..).zip(frames) {
            let of_atoms = frame.velocities.as_deref().unwrap_or_default();
            assert_eq!(
                of_atoms.len(),
                frame.positions.len(),
                "one velocity an atom"
            );
            for velocity in of_atoms {
                velocities.extend([velocity.x, velocity.y, velocity.z, 0.0].map(bits));
            }
            states.push(frame.step as u32);
            states.extend([attempt, attempt >> 32, replica, replica >> 32].map(|word| word as u32));
            states.extend([0; 3]);
        }
        let positions: Vec<_> = frames.iter().map(|frame| &frame.positions[..]).collect();
        self.field.place(&positions);
        let gpu = self.field.gpu();
        gpu.overwrite(&self.velocities, 0, &velocities);
        gpu.overwrite(&self.states, 0, &states);
    }

    /// The molecule of a replica.
    fn molecule(&self, replica: u64) -> &Molecule {
        let system = (replica - self.settings.first_replica) as usize;
        &self.molecules[self.molecule_of[system]]
    }

    /// Holds the bonds of a frame that no step has made, and draws its velocities, as
    /// [`crate::simulate::Dynamics`] does.
    fn begin(&self, replica: u64, frame: &mut Frame) {
        if frame.velocities.is_none() {
            self.start(replica, (self.attempt, frame.step), 1.0, frame);
        }
    }

    /// Holds the bonds of a frame and draws its velocities, at `heat` times the temperature, with
    /// the random numbers of an attempt and a step.
    pub(super) fn start(
        &self,
        replica: u64,
        (attempt, step): (u64, u64),
        heat: f64,
        frame: &mut Frame,
    ) {
        let Molecule {
            masses,
            constraints,
        } = self.molecule(replica);
        let Settings {
            temperature, seed, ..
        } = self.settings;
        let before = frame.positions.clone();
        constraints.hold_lengths(&before, &mut frame.positions);
        let mut random = noise::generator(seed, attempt, replica, step);
        let mut drawn = maxwell_boltzmann(masses, heat * temperature, &mut random);
        constraints.stop_stretching(&frame.positions, &mut drawn);
        if self.settings.stop_centre {
            stop_centre(masses, &mut drawn);
        }
        frame.velocities = Some(drawn);
    }

    /// Takes positions, velocities, kinetic energy and heat of every frame from the device.
    pub(super) fn download(&self, frames: &mut [Frame]) -> Result<()> {
        let gpu = self.field.gpu();
        let positions = self.field.positions()?;
        let forces = self.field.forces()?;
        let velocities = self.field.vectors(&gpu.fetched(&self.velocities)?);
        let states = gpu.fetched(&self.states)?;
        let each = positions.into_iter().zip(velocities).zip(&forces);
        for (((frame, each), state), replica) in (frames.iter_mut().zip(each))
            .zip(states.chunks(STATE_WORDS))
            .zip(self.settings.first_replica..)
        {
            let ((positions, velocities), force) = each;
            let Molecule {
                masses,
                constraints,
            } = self.molecule(replica);
            let scale = 0.5 * self.settings.time_step * ACCELERATION;
            let pushes = force.iter().zip(masses);
            let mut kick: Vec<_> = pushes.map(|(force, mass)| force * (scale / mass)).collect();
            constraints.stop_stretching(&positions, &mut kick);
            // that of the half steps: see `Dynamics::half_step_kinetic`
            let kinetic = kinetic_energy(masses, &velocities) + kinetic_energy(masses, &kick);
            frame.kinetic = Some(kinetic);
            frame.heat += number(state[5]) + number(state[6]);
            frame.positions = positions;
            frame.velocities = Some(velocities);
            frame.potential = None;
        }
        Ok(())
    }
}

fn bits(number: f64) -> u32 {
    (number as f32).to_bits()
}

fn number(word: u32) -> f64 {
    f32::from_bits(word).into()
}
