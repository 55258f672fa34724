//! `dynamics` as a problem: where atoms are some frames later, given where they are and how they
//! move.

use clap::ValueEnum;
use mdsurrogate::network::{Answer, Given, Inputs, Interface, TOLD, Vocabulary};
use mdsurrogate::train::random::{Purpose, generator};
use mdsurrogate::{Error, Result};
use nalgebra::Vector3;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::data::{Atoms, System, alphabet};
use crate::training::{HeldOut, Judged, Problem};

/// Which velocity is given with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Velocity {
    /// To the next frame, as published: it is not known when a frame is predicted
    LookAhead,
    /// From the frame before
    Causal,
}

/// The mean position of every atom a lag later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dynamics {
    /// Name of the trajectory.
    pub system: String,
    /// Hash of the trajectory.
    pub data: String,
    /// Whether it is that of the published numbers.
    pub published: bool,
    /// Atoms that are predicted.
    pub atoms: Atoms,
    /// Frames between a frame and the one that is predicted.
    pub lag: usize,
    /// What velocity is given.
    pub velocity: Velocity,
}

/// A system with what the pairs of its training are like.
pub struct Data {
    /// The system.
    pub system: System,
    /// First frames of the pairs: training, validation, test.
    pub pairs: [std::ops::Range<usize>; 3],
    lag: usize,
    /// Root mean square displacement, over atoms and coordinates, of the training pairs, Å, and of
    /// their frames from the next.
    scale: [f64; 2],
}

impl Data {
    /// The pairs of a system.
    ///
    /// # Errors
    /// [`Error::Usage`] where there are too few frames.
    pub fn new(system: System, lag: usize) -> Result<Data> {
        let pairs = system.split(lag)?;
        let scale = [lag, 1].map(|later| {
            let squares = pairs[0].clone().map(|first| {
                let both = system.frames[first]
                    .iter()
                    .zip(&system.frames[first + later]);
                both.map(|(a, b)| (b - a).norm_squared()).sum::<f64>()
            });
            let count = 3 * system.tokens.len() * pairs[0].len();
            (squares.sum::<f64>() / count as f64).sqrt()
        });
        if scale.iter().any(|scale| *scale <= 0.0) {
            return Err(Error::usage(
                format!("nothing moves in {}", system.name),
                "give a trajectory whose frames differ",
            ));
        }
        Ok(Data {
            system,
            pairs,
            lag,
            scale,
        })
    }

    /// Where the atoms are at a pair's first frame.
    pub fn now(&self, first: usize) -> &[Vector3<f64>] {
        &self.system.frames[first]
    }

    /// Where they are at its second.
    pub fn later(&self, first: usize) -> &[Vector3<f64>] {
        &self.system.frames[first + self.lag]
    }

    /// Displacement of every atom in one frame; zero where it is not known.
    pub fn velocity(&self, first: usize, velocity: Velocity) -> Vec<Vector3<f64>> {
        let [from, to] = match velocity {
            Velocity::LookAhead => [first, first + 1],
            Velocity::Causal => [first.saturating_sub(1), first],
        };
        let both = self.system.frames[from].iter().zip(&self.system.frames[to]);
        both.map(|(a, b)| b - a).collect()
    }
}

/// Refuses a lag of no frames.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_no_lag(lag: usize) -> Result<()> {
    if lag > 0 {
        return Ok(());
    }
    Err(Error::usage(
        "there is no lag of 0 frames",
        "use --lag 1 or more",
    ))
}

impl Problem for Dynamics {
    const NAME: &'static str = "dynamics";
    type Data = Data;
    type Sample = usize;

    fn check(&self) -> Result<()> {
        refuse_no_lag(self.lag)
    }

    fn describe(&self) -> String {
        let velocity = match self.velocity {
            Velocity::LookAhead => "look-ahead",
            Velocity::Causal => "causal",
        };
        let (system, atoms) = (&self.system, self.atoms.title());
        format!("{system}, {atoms}, {velocity} velocity")
    }

    fn kind(&self) -> String {
        format!("{}, {}", self.system, self.atoms.title())
    }

    fn interface(&self) -> Interface {
        Interface::of_moving_tokens(TOLD, Answer::Positions)
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        alphabet()
    }

    fn tokens(&self, data: &Data) -> usize {
        data.system.tokens.len()
    }

    fn epoch(&self, data: &Data) -> u64 {
        data.pairs[0].len() as u64
    }

    fn sample(&self, data: &Data, seed: u64, update: u64, number: u64) -> usize {
        let mut rng = generator(seed, Purpose::Training, update, number);
        rng.random_range(data.pairs[0].clone())
    }

    fn held_out(&self, data: &Data, _: u64, set: HeldOut) -> Vec<usize> {
        let all = match set {
            HeldOut::Validation => &data.pairs[1],
            HeldOut::Test => &data.pairs[2],
        };
        all.clone().collect()
    }

    fn inputs(&self, data: &Data, neighbours: usize, samples: &[usize]) -> Inputs {
        let systems = samples
            .iter()
            .map(|&first| (&data.system.tokens, data.now(first)));
        let mut inputs = Inputs::at(&self.interface(), neighbours, systems);
        let [scale, moved] = data.scale;
        inputs.batch.scale.fill(scale);
        for (system, &first) in samples.iter().enumerate() {
            let velocity = data.velocity(first, self.velocity);
            inputs.set(Given::Velocity, system, &velocity, 1.0 / moved);
        }
        inputs
    }

    fn judge(&self, data: &Data, inputs: &Inputs, samples: &[usize], answer: &[f64]) -> Judged {
        let mut squares = Vec::with_capacity(samples.len());
        let mut gradient = Vec::with_capacity(answer.len());
        for (system, &first) in samples.iter().enumerate() {
            let range = inputs.batch.range(system);
            let (middle, count) = (inputs.centroids[system], 3.0 * range.len() as f64);
            let mut sum = 0.0;
            let rows = answer[3 * range.start..3 * range.end].chunks_exact(3);
            for (row, wanted) in rows.zip(data.later(first)) {
                let error = Vector3::from_column_slice(row) + middle - wanted;
                sum += error.norm_squared();
                gradient.extend((2.0 / count * error).iter());
            }
            squares.push(vec![[sum, count]]);
        }
        Judged { squares, gradient }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Model;
    use crate::training::{Course, Training};
    use mdsurrogate::network::GHyena;
    use std::path::Path;

    fn data(atoms: Atoms) -> Data {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let topology = root.join("data/structures/akle.pdb");
        let trajectory = root.join("tests/data/compare/akle_a.xtc");
        Data::new(System::load(&topology, &trajectory, atoms).unwrap(), 1).unwrap()
    }

    fn dynamics(data: &Data, velocity: Velocity) -> Dynamics {
        Dynamics {
            system: data.system.name.clone(),
            data: data.system.hash.clone(),
            published: false,
            atoms: data.system.atoms,
            lag: 1,
            velocity,
        }
    }

    /// The answer "where it is" has the error of a copy, and its gradient.
    #[test]
    fn a_copy_has_the_displacement_for_its_error() {
        let data = data(Atoms::All);
        let task = dynamics(&data, Velocity::Causal);
        let samples = [3, 40];
        let inputs = task.inputs(&data, 8, &samples);
        let copy = inputs[Given::Candidate].clone();
        let judged = task.judge(&data, &inputs, &samples, &copy);
        for (own, first) in judged.squares.iter().zip(samples) {
            let both = data.now(first).iter().zip(data.later(first));
            let expected: f64 = both.map(|(a, b)| (a - b).norm_squared()).sum();
            assert!((own[0][0] / expected - 1.0).abs() <= 1e-10);
            assert_eq!(own[0][1], 3.0 * 69.0);
        }
        let error = Vector3::from_column_slice(&judged.gradient[..3]);
        let expected = 2.0 / 207.0 * (data.now(3)[0] - data.later(3)[0]);
        assert!((error - expected).norm() <= 1e-12);
    }

    #[test]
    fn velocities_look_ahead_or_back() {
        let data = data(Atoms::Backbone);
        let frames = &data.system.frames;
        let ahead = data.velocity(5, Velocity::LookAhead);
        assert_eq!(ahead[0], frames[6][0] - frames[5][0]);
        assert_eq!(
            data.velocity(5, Velocity::Causal)[0],
            frames[5][0] - frames[4][0]
        );
        assert_eq!(data.velocity(0, Velocity::Causal)[2], Vector3::zeros());
    }

    /// A lag of one frame and a velocity that looks one frame ahead: the answer is given, and every
    /// network that is handed it can say it.
    #[test]
    fn networks_find_an_answer_that_is_given() {
        let data = data(Atoms::Backbone);
        let task = dynamics(&data, Velocity::LookAhead);
        let like = GHyena {
            scalars: 16,
            vectors: 4,
            pair: 8,
            layers: 1,
            neighbours: 8,
            templates: false,
            ..GHyena::default()
        };
        let copy = data.scale[0].powi(2);
        for model in [Model::GHyena, Model::Egnn] {
            let interface = task.interface();
            let course = Course {
                task: task.clone(),
                model,
                architecture: model.for_molecules(&like, &interface, alphabet()).unwrap(),
                batch: 8,
                updates: 300,
                learning_rate: 1e-2,
                seed: 1,
            };
            let mut training = Training::new(course, &data).unwrap();
            for _ in 0..300 {
                training.update().unwrap();
            }
            training.validate().unwrap();
            let error = training.test().unwrap()[0];
            println!("{}: {error:.4} Å², copy {copy:.4} Å²", model.title());
            assert!(error <= 0.2 * copy, "{}: {error} {copy}", model.title());
        }
    }
}
