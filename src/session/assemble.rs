//! From a model and a structure to the stepper that advances it: the one place where the task of a
//! model decides what makes the steps.

use serde_json::{Map, Value};

use super::backend::{Device, device_of};
use super::familiar::{Familiar, beyond_validation};
use super::jumps::Parts;
use super::{OnEngine, Options};
use crate::Result;
use crate::engine::Engine;
use crate::forcefield::TemplateGeometry;
use crate::network::{Header, Network, Tokens};
use crate::simulate::{Hydrogens, Learned, NextFrame, ROOM_TEMPERATURE, Riding, Stepper};
use crate::structure::Structure;
use crate::task::{self, Loaded, Task};

/// A model's steps of a structure.
pub(super) struct ByModel<'a> {
    pub options: &'a Options,
    pub structure: &'a Structure,
    pub geometry: &'a TemplateGeometry,
}

/// What makes the steps, and what is to be known of it.
pub(super) struct Assembled {
    pub stepper: Box<dyn Stepper>,
    /// What a checkpoint must agree on beyond what the stepper says: the model and the device.
    pub identity: Map<String, Value>,
    /// What the user is to know, line by line.
    pub words: Vec<String>,
    /// Temperature of the model, or the usual one where its file says none, K.
    pub temperature: f64,
}

impl OnEngine for ByModel<'_> {
    type Output = Assembled;

    fn on<E: Engine + 'static>(self, engine: E, device: Option<String>) -> Result<Assembled> {
        let on_device = device_of(&engine);
        let Loaded {
            network,
            task,
            header,
        } = self.options.model.load(engine)?;
        let (stepper, mut words) = match task {
            Task::Jump(task) => self.by_jumps((network, on_device), task, &header)?,
            Task::NextFrame(task) => self.by_means(network, task, &header)?,
            Task::Force(task) => self.in_forces(network, task, &header)?,
        };
        let mut identity = Map::from_iter([(
            "model (hash of weights)".to_owned(),
            header.sha256.clone().into(),
        )]);
        // a device makes other bits than the CPU
        if let Some(device) = device {
            words.push(format!("on the GPU {device}"));
            identity.insert("device".to_owned(), device.into());
        }
        Ok(Assembled {
            stepper,
            identity,
            words,
            temperature: header.provenance.temperature.unwrap_or(ROOM_TEMPERATURE),
        })
    }
}

type Steps = (Box<dyn Stepper>, Vec<String>);

impl ByModel<'_> {
    fn by_jumps<E: Engine + 'static>(
        &self,
        (network, device): (Network<E>, Option<Device>),
        task: task::Jump,
        header: &Header,
    ) -> Result<Steps> {
        let options = self.options;
        let (stepper, of_jumps) = options.jumps.stepper(Parts {
            network,
            device,
            task,
            header,
            structure: self.structure,
            geometry: self.geometry,
            seed: options.seed,
            first_replica: options.replicas.first(),
        })?;
        let mut words = self.about_positions(header);
        if let Some([shortest, longest]) = task.lag_range {
            words.push(format!(
                "its jumps may take {shortest} to {longest} ps (--lag)"
            ));
        }
        words.extend(of_jumps);
        let residues = self.structure.topology.residues.len();
        let lag = stepper.time_step();
        words.extend(beyond_validation(&header.provenance, lag, residues));
        Ok((stepper, words))
    }

    /// The mean positions that a model predicts.
    fn by_means<E: Engine + 'static>(
        &self,
        network: Network<E>,
        task: task::NextFrame,
        header: &Header,
    ) -> Result<Steps> {
        let Structure {
            topology, frame, ..
        } = self.structure;
        let tokens = Tokens::new(topology, self.geometry)?;
        let hydrogens = Hydrogens::new(topology, &frame.positions);
        let mut words = self.about_positions(header);
        words.push(format!("warning: {}", NextFrame::<E>::WARNING));
        let stepper = NextFrame::new(network, task, tokens, hydrogens);
        Ok((Box::new(stepper), words))
    }

    /// The dynamics of heavy atoms in a model's forces.
    fn in_forces<E: Engine + 'static>(
        &self,
        network: Network<E>,
        task: task::Force,
        header: &Header,
    ) -> Result<Steps> {
        let Structure {
            topology, frame, ..
        } = self.structure;
        let options = self.options;
        let force = Learned::new(network, task, Tokens::new(topology, self.geometry)?);
        let energies = if force.is_conservative() {
            "potential and total energies are those of the force field with hydrogens that ride, \
             the conserved one is the model's own"
        } else {
            "energies are those of the force field with hydrogens that ride, which the model's \
             forces do not conserve"
        };
        let settings = options
            .dynamics
            .settings(options.seed, options.replicas.first());
        let stepper = Riding::new(force, topology, &frame.positions, settings)?;
        let words = vec![
            options.model.origin(header),
            stepper.describe(),
            energies.to_owned(),
        ];
        Ok((Box::new(stepper), words))
    }

    /// What the user is to know of a model that answers with positions.
    fn about_positions(&self, header: &Header) -> Vec<String> {
        let topology = &self.structure.topology;
        let hydrogens = topology.len() - topology.heavy_atoms().len();
        let known = Familiar::of(&header.provenance, topology).words();
        let mut words = vec![
            self.options.model.origin(header),
            format!("{known}; whole-molecule tumbling is not sampled"),
        ];
        if hydrogens > 0 {
            words.push(format!("{hydrogens} hydrogens ride on their heavy atoms"));
        }
        words
    }
}
