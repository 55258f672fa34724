//! The conservative form of the task `force`: its forces are the gradient of its energy, on every
//! engine.

mod support;

use std::path::Path;

use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{Architecture, GHyena, Gradients, Inputs, Network, Provenance, Tokens};
use mdsurrogate::structure::{ReadOptions, read};
use mdsurrogate::task::{Evaluation, FORCE_STEP, Force, Form, Task, load, save};
use nalgebra::{Rotation3, Vector3};
use support::{assert_slopes, flat, normals, random, relative_error};

/// Tokens of a molecule and their positions, a little shaken.
fn molecule(name: &str, seed: u64) -> (Tokens, Vec<Vector3<f64>>) {
    let structure = read(
        &Path::new("data/structures").join(name),
        &ReadOptions::default(),
    )
    .unwrap();
    let tokens = Tokens::new(
        &structure.topology,
        &template_geometry(&structure.topology).unwrap(),
    )
    .unwrap();
    let mut rng = random(seed);
    let shaken = tokens.positions(&structure.frame.positions);
    let shaken = shaken
        .iter()
        .map(|x| x + 0.05 * Vector3::from_vec(normals(&mut rng, 3)))
        .collect();
    (tokens, shaken)
}

fn architecture() -> Architecture {
    Architecture::GHyena(GHyena {
        scalars: 16,
        vectors: 8,
        pair: 8,
        layers: 2,
        ..GHyena::default()
    })
}

fn force() -> Force {
    Force::new(90.0, Form::Conservative)
}

const NEIGHBOURS: usize = 32;

/// A network whose energy is as large as a trained one's.
fn model<E: Engine>(engine: E) -> Network<E> {
    let mut network = Task::Force(force())
        .initial(&architecture(), engine, 5)
        .unwrap();
    let mut values = network.parameters().unwrap();
    let mut at = 0;
    for (name, shape) in network.program().params.clone() {
        let len = shape.size[0] * shape.size[1];
        let factor = if name.contains("energy_out") {
            10.0
        } else {
            1.0
        };
        values[at..at + len].iter_mut().for_each(|x| *x *= factor);
        at += len;
    }
    network.set_parameters(&values).unwrap();
    network
}

fn inputs(systems: &[(&Tokens, &[Vector3<f64>])]) -> Inputs {
    force().inputs(NEIGHBOURS, systems.iter().copied())
}

fn forward<E: Engine>(network: &Network<E>, inputs: &Inputs) -> Evaluation<E> {
    Task::Force(force()).forward(network, inputs).unwrap()
}

fn energy<E: Engine>(model: &Network<E>, tokens: &Tokens, positions: &[Vector3<f64>]) -> f64 {
    force()
        .energies(model, &inputs(&[(tokens, positions)]))
        .unwrap()[0]
}

#[test]
fn forces_are_the_gradient_of_the_energy() {
    let (tokens, positions) = molecule("akle.pdb", 1);
    let model = model(Cpu::<f64>::new());
    let forces = forward(&model, &inputs(&[(&tokens, &positions)])).answer;
    let mut numeric = Vec::new();
    for token in 0..tokens.len() {
        for axis in 0..3 {
            let at = |h: f64| {
                let mut moved = positions.clone();
                moved[token][axis] += h;
                energy(&model, &tokens, &moved)
            };
            let slope = |h: f64| (at(h) - at(-h)) / (2.0 * h);
            numeric.push(-(4.0 * slope(1e-4) - slope(2e-4)) / 3.0);
        }
    }
    let error = relative_error(&flat(&forces), &numeric);
    let rms =
        (forces.iter().map(|f| f.norm_squared()).sum::<f64>() / (3 * forces.len()) as f64).sqrt();
    println!("forces of {rms:.1} kJ/mol/Å, {error:.1e} from differences");
    assert!(rms >= 1.0 && error <= 1e-6, "{rms} {error:e}");
}

#[test]
fn no_force_and_no_torque_on_the_whole_and_turned_forces_turn() {
    let (tokens, positions) = molecule("trpcage.pdb", 2);
    let model = model(Cpu::<f64>::new());
    let plain = forward(&model, &inputs(&[(&tokens, &positions)]));
    let size: f64 = plain.answer.iter().map(|force| force.norm()).sum();
    let force: Vector3<f64> = plain.answer.iter().sum();
    let torque: Vector3<f64> = positions
        .iter()
        .zip(&plain.answer)
        .map(|(x, force)| x.cross(force))
        .sum();
    let arm: f64 = positions
        .iter()
        .zip(&plain.answer)
        .map(|(x, force)| x.norm() * force.norm())
        .sum();
    println!(
        "net force {:.1e}, net torque {:.1e}",
        force.norm() / size,
        torque.norm() / arm
    );
    assert!(
        force.norm() <= 1e-10 * size && torque.norm() <= 1e-10 * arm,
        "{} {}",
        force.norm() / size,
        torque.norm() / arm
    );

    let rotation = Rotation3::new(Vector3::new(0.4, -1.1, 2.0));
    let moved: Vec<_> = positions
        .iter()
        .map(|x| rotation * x + Vector3::new(5.0, -2.0, 1.0))
        .collect();
    let other = forward(&model, &inputs(&[(&tokens, &moved)]));
    let turned: Vec<_> = plain.answer.iter().map(|force| rotation * force).collect();
    let error = relative_error(&flat(&other.answer), &flat(&turned));
    let change = (other.energies[0] - plain.energies[0]).abs();
    assert!(
        error <= 1e-10 && change <= 1e-10 * plain.energies[0].abs().max(size),
        "{error:e} {change:e}"
    );
}

#[test]
fn energies_do_not_depend_on_their_company() {
    let (a, b) = (molecule("akle.pdb", 1), molecule("trpcage.pdb", 2));
    let model = model(Cpu::<f64>::new());
    let together = forward(&model, &inputs(&[(&a.0, &a.1), (&b.0, &b.1), (&a.0, &a.1)]));
    let alone =
        [&a, &b].map(|(tokens, positions)| forward(&model, &inputs(&[(tokens, positions)])));
    assert_eq!(together.energies.len(), 3);
    for (energy, expected) in together
        .energies
        .iter()
        .zip([&alone[0], &alone[1], &alone[0]])
    {
        assert!(
            (energy - expected.energies[0]).abs() <= 1e-12 * expected.energies[0].abs(),
            "{energy} {}",
            expected.energies[0]
        );
    }
    let forces = [&alone[0].answer[..], &alone[1].answer, &alone[0].answer].concat();
    let error = relative_error(&flat(&together.answer), &flat(&forces));
    assert!(error <= 1e-12, "{error:e}");
}

/// Gradient of Σ d·F by the parameters, along one random direction of each tensor.
#[test]
fn the_loss_of_forces_has_its_gradient() {
    let (tokens, positions) = molecule("akle.pdb", 3);
    let mut model = model(Cpu::<f64>::new());
    let inputs = inputs(&[(&tokens, &positions)]);
    let mut rng = random(7);
    let d: Vec<Vector3<f64>> = normals(&mut rng, 3 * tokens.len())
        .chunks_exact(3)
        .map(Vector3::from_column_slice)
        .collect();
    // the truncation falls with h²: here none of it is left, and f64 has digits enough
    let gradients = force()
        .backward_of_forces(&model, &inputs, &d, 1e-5)
        .unwrap();
    let task = Task::Force(force());
    assert_slopes(
        &task,
        &mut model,
        &inputs,
        &d,
        &gradients,
        &mut rng,
        [1.0, 1e-4],
    );
}

/// Errors of the parameters' gradient at the step of training, from truncation (f64) and with the
/// rounding of f32.
#[test]
fn the_step_of_training_is_small_and_large_enough() {
    let (a, b) = (molecule("akle.pdb", 1), molecule("trpcage.pdb", 2));
    let inputs = inputs(&[(&a.0, &a.1), (&b.0, &b.1)]);
    let d: Vec<Vector3<f64>> = normals(&mut random(7), 3 * inputs.batch.tokens())
        .chunks_exact(3)
        .map(Vector3::from_column_slice)
        .collect();
    let (oracle, quick) = (model(Cpu::<f64>::new()), model(Cpu::<f32>::new()));
    let exact = force()
        .backward_of_forces(&oracle, &inputs, &d, 1e-5)
        .unwrap()
        .params;
    for step in [0.0002, 0.0005, FORCE_STEP, 0.002, 0.005, 0.02] {
        let errors = [
            force().backward_of_forces(&oracle, &inputs, &d, step),
            force().backward_of_forces(&quick, &inputs, &d, step),
        ];
        let [truncation, all] =
            errors.map(|gradients| relative_error(&gradients.unwrap().params, &exact));
        println!("step {step} Å: truncation {truncation:.1e}, in f32 {all:.1e}");
        assert!(
            step != FORCE_STEP || (truncation <= 2e-3 && all <= 3e-3),
            "{truncation:e} {all:e}"
        );
    }
}

/// Energies, forces and gradients of an engine in f32 against the oracle's.
fn answers_as<E: Engine>(quick: &Network<E>) {
    let (a, b) = (molecule("akle.pdb", 1), molecule("trpcage.pdb", 2));
    let inputs = inputs(&[(&a.0, &a.1), (&b.0, &b.1)]);
    let oracle = model(Cpu::<f64>::new());
    let (found, expected) = (forward(quick, &inputs), forward(&oracle, &inputs));
    let energies = relative_error(&found.energies, &expected.energies);
    let forces = relative_error(&flat(&found.answer), &flat(&expected.answer));
    assert_eq!(force().energies(quick, &inputs).unwrap(), found.energies);
    let d: Vec<Vector3<f64>> = expected
        .answer
        .iter()
        .map(|force| force / force.norm())
        .collect();
    let gradient = |gradients: Gradients| gradients.params;
    let task = Task::Force(force());
    let found = gradient(task.backward(quick, &inputs, &found, &d).unwrap());
    let gradients = relative_error(
        &found,
        &gradient(task.backward(&oracle, &inputs, &expected, &d).unwrap()),
    );
    println!(
        "{}: energies {energies:.1e}, forces {forces:.1e}, gradients {gradients:.1e}",
        quick.engine().name()
    );
    assert!(
        energies <= 1e-5 && forces <= 1e-4 && gradients <= 2e-3,
        "{energies:e} {forces:e} {gradients:e}"
    );
}

#[test]
fn f32_answers_as_f64() {
    answers_as(&model(Cpu::<f32>::new()));
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_answers_as_f64() {
    if let Some(gpu) = support::gpu(mdsurrogate::engine::gpu::Transforms::Fastest) {
        answers_as(&model(gpu));
    }
}

#[test]
fn a_header_without_a_form_is_one_of_direct_forces_in_their_own_unit() {
    let old: Task = serde_json::from_str(r#"{"kind":"force","scale":88.0}"#).unwrap();
    let expected = Force {
        scale: 88.0,
        form: Form::Direct,
        deviation: None,
    };
    assert_eq!(old, Task::Force(expected));
    let (tokens, positions) = molecule("akle.pdb", 1);
    let inputs = expected.inputs(NEIGHBOURS, [(&tokens, positions.as_slice())]);
    assert_eq!(inputs.batch.scale, [88.0]);
    assert_eq!(
        serde_json::to_string(&old).unwrap(),
        r#"{"kind":"force","scale":88.0,"form":"direct"}"#
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let saved = model(Cpu::<f32>::new());
    let task = Task::Force(force());
    let made = Provenance::default();
    save(&path, &saved, &architecture(), &task, &made).unwrap();
    let loaded = load(&path, Cpu::<f32>::new()).unwrap();
    assert_eq!(loaded.task, task);
    assert_eq!(loaded.header.architecture, architecture());
    let loaded = loaded.network;
    assert!(energy(&loaded, &tokens, &positions) == energy(&saved, &tokens, &positions));
}
