//! Dynamics in the forces of a network of the task `force`: heavy atoms move, hydrogens ride.

use nalgebra::{Rotation3, Vector3};
use serde_json::{Map, Value};

use super::{Clock, Constraints, Dynamics, Force, Hydrogens, Motion, Settings, Stepper};
use crate::Result;
use crate::engine::Engine;
use crate::network::{Inputs, Network, Tokens};
use crate::observe::Probe;
use crate::structure::{Element, Frame, Topology, centroid};
use crate::task::{self, Task};

/// The force of a network on the tokens of a molecule. Its frames hold the tokens only.
///
/// The network's forces need not sum to zero, those of a molecule do: their mean is taken off, so
/// that momentum is conserved. They need not be the gradient of an energy either, but in the
/// conservative form: constant-energy dynamics shows by its temperature how far they are from it.
pub struct Learned<E: Engine> {
    network: Network<E>,
    task: task::Force,
    tokens: Tokens,
    /// The model's own energies at the last positions, kJ/mol; none of direct forces.
    energies: Vec<f64>,
}

impl<E: Engine> Learned<E> {
    /// The forces of a network trained for them on `tokens`.
    pub fn new(network: Network<E>, task: task::Force, tokens: Tokens) -> Self {
        Learned {
            network,
            task,
            tokens,
            energies: Vec::new(),
        }
    }

    /// Whether the forces are the gradient of an energy of the model.
    pub fn is_conservative(&self) -> bool {
        self.task.is_conservative()
    }

    fn inputs<'a>(&'a self, systems: impl Iterator<Item = &'a [Vector3<f64>]>) -> Inputs {
        let neighbours = self.network.program().neighbours;
        let systems = systems.map(|positions| (&self.tokens, positions));
        self.task.inputs(neighbours, systems)
    }
}

impl<E: Engine> Force for Learned<E> {
    fn forces(&mut self, replicas: &[Frame], forces: &mut [Vec<Vector3<f64>>]) -> Result<()> {
        let positions = replicas.iter().map(|frame| frame.positions.as_slice());
        let inputs = self.inputs(positions);
        let task = Task::Force(self.task);
        let answer = if self.is_conservative() {
            let evaluation = task.forward(&self.network, &inputs)?;
            self.energies = evaluation.energies;
            evaluation.answer
        } else {
            task.predict(&self.network, &inputs)?
        };
        for (forces, answer) in forces
            .iter_mut()
            .zip(answer.chunks_exact(self.tokens.len()))
        {
            let mean = centroid(answer);
            forces.clear();
            forces.extend(answer.iter().map(|force| force - mean));
        }
        Ok(())
    }

    fn energies(&self) -> Option<&[f64]> {
        self.is_conservative().then_some(&self.energies)
    }

    fn describe(&self) -> String {
        let weights = self.network.parameter_count();
        let engine = self.network.engine().name();
        let form = if self.is_conservative() {
            "conservative "
        } else {
            ""
        };
        format!("{form}forces of a network of {weights} weights on {engine}")
    }
}

/// A stepper whose heavy atoms move in a network's forces, with the masses of the hydrogens that
/// ride on them.
pub struct Riding<E: Engine> {
    dynamics: Dynamics<Learned<E>>,
    hydrogens: Hydrogens,
    masses: Vec<f64>,
}

impl<E: Engine> Riding<E> {
    /// Dynamics of a molecule whose hydrogens keep the places that they have at `positions`.
    ///
    /// # Errors
    /// Those of [`Dynamics::new`].
    pub fn new(
        force: Learned<E>,
        topology: &Topology,
        positions: &[Vector3<f64>],
        settings: Settings,
    ) -> Result<Self> {
        let masses = carried_masses(topology);
        let moving = force
            .tokens
            .atoms
            .iter()
            .map(|&atom| masses[atom])
            .collect();
        let dynamics = Dynamics::new(force, moving, Constraints::default(), settings)?;
        Ok(Riding {
            dynamics,
            hydrogens: Hydrogens::new(topology, positions),
            masses,
        })
    }

    /// Masses of all atoms, Da: heavy atoms with their hydrogens, hydrogens none, as the kinetic
    /// energy counts them.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Degrees of freedom of the kinetic energy.
    pub fn freedom(&self) -> usize {
        self.dynamics.freedom()
    }
}

/// Masses of all atoms, Da, each hydrogen's given to the heavy atom that carries it.
pub fn carried_masses(topology: &Topology) -> Vec<f64> {
    let mut masses: Vec<f64> = topology.atoms.iter().map(|atom| atom.mass).collect();
    let is_hydrogen = |atom: usize| topology.atoms[atom].element == Element::H;
    for &[i, j] in &topology.bonds {
        let (light, heavy) = if is_hydrogen(i) { (i, j) } else { (j, i) };
        if is_hydrogen(light) && !is_hydrogen(heavy) {
            masses[heavy] += std::mem::take(&mut masses[light]);
        }
    }
    masses
}

impl<E: Engine> Stepper for Riding<E> {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        let tokens = &self.dynamics.force().tokens;
        let inner = |frame: &Frame| {
            let velocities = frame
                .velocities
                .as_deref()
                .map(|velocities| tokens.positions(velocities));
            let positions = tokens.positions(&frame.positions);
            Frame {
                positions,
                velocities,
                step: frame.step,
                time: frame.time,
                heat: frame.heat,
                ..Frame::default()
            }
        };
        let mut moving: Vec<Frame> = replicas.iter().map(inner).collect();
        self.dynamics.step(&mut moving)?;
        let atoms = &self.dynamics.force().tokens.atoms;
        for (frame, moved) in replicas.iter_mut().zip(moving) {
            let mut velocities = vec![Vector3::zeros(); frame.positions.len()];
            let moved_velocities = moved.velocities.unwrap_or_default();
            for ((&atom, position), velocity) in
                atoms.iter().zip(moved.positions).zip(moved_velocities)
            {
                frame.positions[atom] = position;
                velocities[atom] = velocity;
            }
            self.hydrogens.place(&mut frame.positions);
            (frame.velocities, frame.step, frame.time) = (Some(velocities), moved.step, moved.time);
            (frame.heat, frame.potential) = (moved.heat, moved.potential);
            frame.kinetic = moved.kinetic;
        }
        Ok(())
    }

    fn clock(&self) -> Clock {
        self.dynamics.clock()
    }

    fn motion(&self) -> Option<Motion> {
        Some(Motion {
            masses: self.masses.clone(),
            freedom: self.dynamics.freedom(),
        })
    }

    fn identity(&self) -> Map<String, Value> {
        self.dynamics.identity()
    }

    fn describe(&self) -> String {
        format!(
            "{} on heavy atoms, hydrogens ride",
            self.dynamics.describe()
        )
    }

    fn reseed(&mut self, attempt: u64) {
        self.dynamics.reseed(attempt);
    }

    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

impl<E: Engine> Probe for Riding<E> {
    /// The forces at the moved frame beside the moved forces, relative to the forces.
    fn equivariance(
        &self,
        frame: &Frame,
        rotation: &Rotation3<f64>,
        translation: &Vector3<f64>,
    ) -> Result<(f64, String)> {
        let force = self.dynamics.force();
        let positions = force.tokens.positions(&frame.positions);
        let moved: Vec<_> = positions
            .iter()
            .map(|position| rotation * position + translation)
            .collect();
        let run = |positions: &[Vector3<f64>]| {
            let inputs = force.inputs([positions].into_iter());
            Task::Force(force.task).forward(&force.network, &inputs)
        };
        let (plain, other) = (run(&positions)?, run(&moved)?);
        let difference: f64 = plain
            .answer
            .iter()
            .zip(&other.answer)
            .map(|(a, b)| (rotation * a - b).norm_squared())
            .sum();
        let size: f64 = plain.answer.iter().map(|force| force.norm_squared()).sum();
        let error = (difference / size).sqrt();
        let (plain, other) = (&plain.activations, &other.activations);
        let ops = force.network.equivariance_errors(plain, other, rotation)?;
        let worst = ops
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(String::new(), |(name, _)| name);
        Ok((if error.is_nan() { f64::INFINITY } else { error }, worst))
    }
}
