//! The whole network: gradients, parity, symmetry, independence of systems, replicas and threads,
//! and its file.

#[path = "../support/mod.rs"]
mod support;

mod folds;

use std::path::Path;

use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::forcefield::template_geometry;
use mdsurrogate::network::{Architecture, GHyena, Given, Inputs, Network, Tokens};
use mdsurrogate::simulate::{Hydrogens, Jump, Stepper};
use mdsurrogate::structure::{Frame, ReadOptions, Structure, read};
use mdsurrogate::task::{self, JumpInput, Method, Sampler, Task};
use nalgebra::{Rotation3, Vector3};
use rand::RngExt;
use support::{flat, normals, random, relative_error};

fn molecule(name: &str) -> (Structure, Tokens) {
    let path = Path::new("data/structures").join(name);
    let structure = read(&path, &ReadOptions::default()).unwrap();
    let geometry = template_geometry(&structure.topology).unwrap();
    let tokens = Tokens::new(&structure.topology, &geometry).unwrap();
    (structure, tokens)
}

const JUMP: task::Jump = task::Jump {
    lag_time: 20.0,
    sigma_data: 1.0,
    lag_range: None,
    fold: true,
};

const NEIGHBOURS: usize = 32;

fn sizes() -> Architecture {
    Architecture::GHyena(GHyena {
        scalars: 16,
        vectors: 8,
        pair: 8,
        layers: 2,
        neighbours: NEIGHBOURS,
        ..GHyena::default()
    })
}

/// A network whose readout is as large as a trained one's, so that every block counts.
fn model<E: Engine>(engine: E) -> Network<E> {
    let mut network = Task::Jump(JUMP).initial(&sizes(), engine, 5).unwrap();
    let mut grown: Vec<f64> = network.parameters().unwrap();
    let mut at = 0;
    for (name, shape) in network.program().params.clone() {
        let len = shape.size[0] * shape.size[1];
        let factor = if name.contains("readout_weights") {
            30.0
        } else {
            1.0
        };
        grown[at..at + len].iter_mut().for_each(|x| *x *= factor);
        at += len;
    }
    network.set_parameters(&grown).unwrap();
    network
}

fn predict<E: Engine>(network: &Network<E>, inputs: &Inputs) -> Vec<Vector3<f64>> {
    Task::Jump(JUMP).predict(network, inputs).unwrap()
}

/// A condition (the file's positions, a little shaken) and a noisy candidate.
fn positions(
    structure: &Structure,
    tokens: &Tokens,
    sigma: f64,
    seed: u64,
) -> [Vec<Vector3<f64>>; 2] {
    let mut rng = random(seed);
    let mut shake = |from: &[Vector3<f64>], size: f64| {
        let noise = normals(&mut rng, 3 * from.len());
        from.iter()
            .zip(noise.chunks_exact(3))
            .map(|(x, n)| x + size * Vector3::from_column_slice(n))
            .collect::<Vec<_>>()
    };
    let condition = shake(&tokens.positions(&structure.frame.positions), 0.1);
    let noisy = shake(&condition, sigma);
    [condition, noisy]
}

/// A fold: the positions swollen, turned and moved.
fn swollen(positions: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
    let turn = Rotation3::new(Vector3::new(1.0, -2.0, 0.5));
    positions
        .iter()
        .map(|x| 1.05 * (turn * x) + Vector3::new(30.0, 0.0, -7.0))
        .collect()
}

fn inputs(tokens: &Tokens, positions: &[Vec<Vector3<f64>>; 2], sigma: f64) -> Inputs {
    inputs_with_fold(tokens, positions, sigma, Some(&swollen(&positions[0])))
}

fn inputs_with_fold(
    tokens: &Tokens,
    [condition, noisy]: &[Vec<Vector3<f64>>; 2],
    sigma: f64,
    fold: Option<&[Vector3<f64>]>,
) -> Inputs {
    JUMP.inputs(
        NEIGHBOURS,
        &[JumpInput {
            tokens,
            condition,
            noisy,
            sigma,
            condition_noise: 0.05,
            fold,
            lag_time: 20.0,
        }],
    )
}

#[test]
fn systems_of_a_batch_do_not_see_one_another() {
    let (a, a_tokens) = molecule("akle.pdb");
    let (b, b_tokens) = molecule("trpcage.pdb");
    let model = model(Cpu::<f64>::new());
    let (a, b) = (
        positions(&a, &a_tokens, 0.3, 1),
        positions(&b, &b_tokens, 1.0, 2),
    );
    // one with a fold, one without
    let fold = swollen(&b[0]);
    let input = |tokens, [condition, noisy]: &'static [Vec<Vector3<f64>>; 2], sigma| JumpInput {
        tokens,
        condition,
        noisy,
        sigma,
        condition_noise: 0.05,
        fold: None,
        lag_time: 20.0,
    };
    let (a, b): (&'static _, &'static _) = (Box::leak(Box::new(a)), Box::leak(Box::new(b)));
    let both = [
        input(&a_tokens, a, 0.3),
        JumpInput {
            fold: Some(&fold),
            ..input(&b_tokens, b, 1.0)
        },
    ];
    let together = predict(&model, &JUMP.inputs(NEIGHBOURS, &both));
    let apart = [
        inputs_with_fold(&a_tokens, a, 0.3, None),
        inputs(&b_tokens, b, 1.0),
    ];
    let apart = apart.map(|inputs| predict(&model, &inputs)).concat();
    let error = relative_error(&flat(&together), &flat(&apart));
    assert!(error <= 1e-14, "{error:e}");
}

#[test]
fn chains_are_told_apart() {
    let (mut structure, tokens) = molecule("akle.pdb");
    let model = model(Cpu::<f64>::new());
    let positions = positions(&structure, &tokens, 0.3, 1);
    let whole = predict(&model, &inputs(&tokens, &positions, 0.3));
    // The same atoms and bonds, the last residue said to be a chain of its own.
    let topology = &mut structure.topology;
    let last = topology.residues.len() - 1;
    let mut chain = topology.chains[0].clone();
    chain.residues = last..last + 1;
    topology.chains[0].residues.end = last;
    topology.chains.push(chain);
    topology.residues[last].chain = 1;
    let split = Tokens::new(topology, &template_geometry(topology).unwrap()).unwrap();
    let other = predict(&model, &inputs(&split, &positions, 0.3));
    let difference = relative_error(&flat(&whole), &flat(&other));
    assert!(difference > 1e-6, "the chain makes no difference");
}

#[test]
fn replicas_threads_and_resumed_steps_give_the_same_bits() {
    let (structure, _) = molecule("akle.pdb");
    let run = |replicas: usize, first: u64, threads: usize, restart: bool| -> Vec<Frame> {
        let jump = || {
            let (structure, tokens) = molecule("akle.pdb");
            let hydrogens = Hydrogens::new(&structure.topology, &structure.frame.positions);
            let sampler = Sampler {
                levels: 3,
                ..Sampler::default()
            };
            let network = Task::Jump(JUMP).initial(&sizes(), Cpu::<f32>::new(), 5);
            Jump::new(network.unwrap(), JUMP, tokens, hydrogens, sampler, 9, first)
        };
        let mut frames = vec![structure.frame.clone(); replicas];
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut stepper = jump();
        for _ in 0..3 {
            pool.install(|| stepper.step(&mut frames)).unwrap();
            if restart {
                stepper = jump();
            }
        }
        frames
    };
    let all = run(7, 0, 2, false);
    assert!(
        all.iter()
            .flat_map(|frame| &frame.positions)
            .all(|position| position.norm() <= 1e3)
    );
    assert_eq!(all, run(7, 0, 1, true));
    assert_eq!(all[6..], run(1, 6, 1, false)[..]);
    assert_ne!(all[0].positions, all[1].positions);
    assert!((all[0].time - 60.0).abs() <= 1e-9 && all[0].step == 3);
}

#[test]
fn jumps_take_the_lag_times_that_the_network_is_told() {
    let jump = |lag_range: Option<[f64; 2]>| {
        let (structure, tokens) = molecule("akle.pdb");
        let hydrogens = Hydrogens::new(&structure.topology, &structure.frame.positions);
        let task = task::Jump { lag_range, ..JUMP };
        let network = Task::Jump(task).initial(&sizes(), Cpu::<f32>::new(), 5);
        let sampler = Sampler {
            levels: 3,
            ..Sampler::default()
        };
        Jump::new(network.unwrap(), task, tokens, hydrogens, sampler, 9, 0)
    };
    let (structure, _) = molecule("akle.pdb");
    let after = |mut jump: Jump<Cpu<f32>>| {
        let mut frames = vec![structure.frame.clone()];
        jump.step(&mut frames).unwrap();
        frames.remove(0)
    };
    let several = || jump(Some([20.0, 160.0]));
    let (short, long) = (
        after(several()),
        after(several().with_lag_time(160.0).unwrap()),
    );
    assert_eq!((short.time, long.time), (20.0, 160.0));
    assert_ne!(short.positions, long.positions);
    for (jump, lag) in [
        (several(), 10.0),
        (several(), 161.0),
        (several(), f64::NAN),
        (jump(None), 40.0),
    ] {
        let error = jump.with_lag_time(lag).err().unwrap();
        assert!(
            error.exit_code() == 2 && error.hint().contains("20ps"),
            "{error} {}",
            error.hint()
        );
    }
    assert_eq!(
        after(jump(None).with_lag_time(20.0).unwrap()),
        after(jump(None))
    );
}

#[test]
fn hydrogens_keep_their_bond_lengths_and_hands() {
    let (structure, _) = molecule("akle.pdb");
    let topology = &structure.topology;
    let mut positions = structure.frame.positions.clone();
    let hydrogens = Hydrogens::new(topology, &positions);
    hydrogens.place(&mut positions);
    let moved: f64 = positions
        .iter()
        .zip(&structure.frame.positions)
        .map(|(a, b)| (a - b).norm())
        .fold(0.0, f64::max);
    assert!(moved <= 1e-10, "{moved}");
    let mut rng = random(3);
    topology
        .heavy_atoms()
        .iter()
        .for_each(|&atom| positions[atom] += Vector3::from_fn(|_, _| rng.random_range(-0.2..0.2)));
    hydrogens.place(&mut positions);
    for &[i, j] in &topology.bonds {
        if [i, j]
            .iter()
            .any(|&atom| topology.atoms[atom].name.starts_with('H'))
        {
            let length = |positions: &[Vector3<f64>]| (positions[i] - positions[j]).norm();
            let error = (length(&positions) - length(&structure.frame.positions)).abs();
            assert!(
                error <= 1e-10,
                "{}–{}: {error}",
                topology.atom_label(i),
                topology.atom_label(j)
            );
        }
    }
}
