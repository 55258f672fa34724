//! Every architecture for every task that it serves: gradients, engines, symmetry, company.

mod models;
mod scalars;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{Architecture, Inputs, Network, Tokens};
use mdsurrogate::structure::{ReadOptions, read};
use mdsurrogate::task::{Form, JumpInput, Task};
use models::{all, equivariant, plain};
use nalgebra::{Rotation3, Vector3};
use support::{assert_slopes, flat, normals, random, relative_error};

type Positions = Vec<Vector3<f64>>;

/// A molecule at positions that are those of its file, a little shaken, and noisy ones.
struct Molecule {
    tokens: Tokens,
    condition: Positions,
    noisy: Positions,
}

/// Noise of the candidate of jumps, Å.
const SIGMA: f64 = 0.4;

fn molecule(name: &str, seed: u64) -> Molecule {
    let path = Path::new("data/structures").join(name);
    let structure = read(&path, &ReadOptions::default()).unwrap();
    let geometry = template_geometry(&structure.topology).unwrap();
    let tokens = Tokens::new(&structure.topology, &geometry).unwrap();
    let mut rng = random(seed);
    let mut shake = |from: &Positions, size: f64| -> Positions {
        let noise = normals(&mut rng, 3 * from.len());
        let noise = noise.chunks_exact(3).map(Vector3::from_column_slice);
        from.iter().zip(noise).map(|(x, n)| x + size * n).collect()
    };
    let condition = shake(&tokens.positions(&structure.frame.positions), 0.1);
    let noisy = shake(&condition, SIGMA);
    Molecule {
        tokens,
        condition,
        noisy,
    }
}

impl Molecule {
    fn moved(&self, rotation: &Rotation3<f64>, translation: &Vector3<f64>) -> Molecule {
        let moved = |points: &Positions| -> Positions {
            points.iter().map(|p| rotation * p + translation).collect()
        };
        Molecule {
            tokens: self.tokens.clone(),
            condition: moved(&self.condition),
            noisy: moved(&self.noisy),
        }
    }
}

/// One call for these molecules; jumps of 40 ps, whose fold is the condition itself, swollen.
fn inputs<E: Engine>(task: &Task, network: &Network<E>, molecules: &[&Molecule]) -> Inputs {
    let neighbours = network.program().neighbours;
    let plain = || {
        molecules
            .iter()
            .map(|m| (&m.tokens, m.condition.as_slice()))
    };
    let folds: Vec<Positions> = molecules
        .iter()
        .map(|m| m.condition.iter().map(|x| 1.05 * x).collect())
        .collect();
    match task {
        Task::Jump(jump) => {
            let systems = molecules.iter().zip(&folds).map(|(m, fold)| JumpInput {
                tokens: &m.tokens,
                condition: &m.condition,
                noisy: &m.noisy,
                sigma: SIGMA,
                condition_noise: 0.05,
                fold: Some(fold),
                lag_time: 40.0,
            });
            jump.inputs(neighbours, &systems.collect::<Vec<_>>())
        }
        Task::NextFrame(task) => task.inputs(neighbours, plain()),
        Task::Force(task) => task.inputs(neighbours, plain()),
    }
}

/// A network whose every block counts for as much as a trained one's.
fn network<E: Engine>(architecture: &Architecture, task: &Task, engine: E) -> Network<E> {
    let mut network = task.initial(architecture, engine, 5).unwrap();
    let mut values = network.parameters().unwrap();
    let mut at = 0;
    for (name, shape) in network.program().params.clone() {
        let len = shape.size[0] * shape.size[1];
        let factor = match () {
            () if name.contains("readout_weights") => 30.0,
            () if name.contains("energy_out") => 10.0,
            () => 1.0,
        };
        values[at..at + len].iter_mut().for_each(|x| *x *= factor);
        at += len;
    }
    network.set_parameters(&values).unwrap();
    network
}

fn name(architecture: &Architecture, task: &Task) -> String {
    format!("{} for {task}", architecture.name())
}

/// Directions along which answers are looked at, one vector a token.
fn directions(tokens: usize, seed: u64) -> Positions {
    normals(&mut random(seed), 3 * tokens)
        .chunks_exact(3)
        .map(Vector3::from_column_slice)
        .collect()
}

#[test]
fn the_network_has_the_gradient_of_its_answer() {
    let akle = molecule("akle.pdb", 1);
    for (architecture, task) in all() {
        println!("{}", name(&architecture, &task));
        let mut network = network(&architecture, &task, Cpu::<f64>::new());
        let inputs = inputs(&task, &network, &[&akle]);
        let d = directions(akle.tokens.len(), 2);
        let (gradients, bounds) = match task {
            // a step of training has its own truncation: tests/conservative.rs
            Task::Force(force) if force.is_conservative() => (
                force
                    .backward_of_forces(&network, &inputs, &d, 1e-5)
                    .unwrap(),
                [1.0, 1e-4],
            ),
            _ => {
                let evaluation = task.forward(&network, &inputs).unwrap();
                let gradients = task.backward(&network, &inputs, &evaluation, &d);
                (gradients.unwrap(), [1e-3, 1e-6])
            }
        };
        let rng = &mut random(3);
        assert_slopes(&task, &mut network, &inputs, &d, &gradients, rng, bounds);
    }
}

/// Answer, alone and with backward, and gradients of an engine in f32 against the oracle's.
fn answers_as<E: Engine>(architecture: &Architecture, task: &Task, engine: E, bound: f64) {
    let oracle = network(architecture, task, Cpu::<f64>::new());
    let quick = network(architecture, task, engine);
    let (a, b) = (molecule("trpcage.pdb", 3), molecule("akle.pdb", 4));
    let inputs = inputs(task, &oracle, &[&a, &b]);
    let found = task.forward(&quick, &inputs).unwrap();
    let expected = task.forward(&oracle, &inputs).unwrap();
    assert_eq!(task.predict(&quick, &inputs).unwrap(), found.answer);
    let d: Positions = expected.answer.iter().map(|v| v / v.norm()).collect();
    let gradients = [
        task.backward(&quick, &inputs, &found, &d).unwrap().params,
        task.backward(&oracle, &inputs, &expected, &d)
            .unwrap()
            .params,
    ];
    let answer = relative_error(&flat(&found.answer), &flat(&expected.answer));
    let gradient = relative_error(&gradients[0], &gradients[1]);
    println!(
        "{}, {}: answer {answer:.1e}, gradient {gradient:.1e}",
        name(architecture, task),
        quick.engine().name()
    );
    assert!(
        answer <= 1e-4 && gradient <= bound,
        "{answer:e} {gradient:e}"
    );
}

#[test]
fn f32_and_the_gpu_answer_as_f64() {
    for (architecture, task) in all() {
        // differences along the gradient of an energy: rounding counts for more
        let conservative = matches!(task, Task::Force(force) if force.is_conservative());
        let bound = if conservative { 2e-3 } else { 1e-4 };
        answers_as(&architecture, &task, Cpu::<f32>::new(), bound);
        #[cfg(feature = "gpu")]
        if let Some(gpu) = support::gpu(Transforms::Fastest) {
            answers_as(&architecture, &task, gpu, bound);
        }
    }
}

/// What a turned and moved molecule is answered beside the turned and moved answer: relative to
/// the displacement, or to the forces.
fn equivariance<E: Engine>(architecture: &Architecture, task: &Task, engine: E) -> f64 {
    let network = network(architecture, task, engine);
    let plain = molecule("trpcage.pdb", 7);
    let rotation = Rotation3::new(Vector3::new(0.4, -1.1, 2.0));
    let translation = Vector3::new(5.0, -20.0, 1.0);
    let other = plain.moved(&rotation, &translation);
    let answer = |m: &Molecule| {
        task.predict(&network, &inputs(task, &network, &[m]))
            .unwrap()
    };
    let (found, expected) = (answer(&other), answer(&plain));
    let (from, to): (Positions, Positions) = match task {
        Task::Force(_) => (found, expected),
        _ => (
            found
                .iter()
                .zip(&other.condition)
                .map(|(a, x)| a - x)
                .collect(),
            expected
                .iter()
                .zip(&plain.condition)
                .map(|(a, x)| a - x)
                .collect(),
        ),
    };
    let turned: Positions = to.iter().map(|v| rotation * v).collect();
    relative_error(&flat(&from), &flat(&turned))
}

#[test]
fn rotations_and_translations_move_the_answer_along() {
    for (architecture, task) in equivariant() {
        let oracle = equivariance(&architecture, &task, Cpu::<f64>::new());
        let quick = equivariance(&architecture, &task, Cpu::<f32>::new());
        let name = name(&architecture, &task);
        println!("{name}: f64 {oracle:.1e}, f32 {quick:.1e}");
        assert!(oracle <= 1e-10, "{name} f64: {oracle:e}");
        assert!(quick <= 1e-4, "{name} f32: {quick:e}");
        #[cfg(feature = "gpu")]
        if let Some(gpu) = support::gpu(Transforms::Fastest) {
            let gpu = equivariance(&architecture, &task, gpu);
            println!("{name}: GPU {gpu:.1e}");
            assert!(gpu <= 1e-4, "{name} on the GPU: {gpu:e}");
        }
    }
}

/// What coordinates as plain numbers come to: answers that a rotation does not turn.
#[test]
fn networks_of_plain_numbers_are_not_equivariant() {
    for (architecture, task) in plain() {
        let error = equivariance(&architecture, &task, Cpu::<f64>::new());
        let name = name(&architecture, &task);
        println!("{name}: {error:.1e}");
        assert!(error >= 0.1, "{name}: {error:e}");
        // an energy would not be one
        let conservative = models::force(Form::Conservative);
        assert!(conservative.program(&architecture).is_err(), "{name}");
    }
}

#[test]
fn systems_of_a_batch_do_not_see_one_another() {
    let (a, b) = (molecule("akle.pdb", 1), molecule("trpcage.pdb", 2));
    for (architecture, task) in all() {
        let network = network(&architecture, &task, Cpu::<f64>::new());
        let answer = |of: &[&Molecule]| {
            task.predict(&network, &inputs(&task, &network, of))
                .unwrap()
        };
        let together = answer(&[&a, &b, &a]);
        let apart = [answer(&[&a]), answer(&[&b]), answer(&[&a])].concat();
        let error = relative_error(&flat(&together), &flat(&apart));
        assert!(error <= 1e-12, "{} {error:e}", name(&architecture, &task));
    }
}
