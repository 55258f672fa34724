//! One case: a system of so many tokens, one network, one step.

use std::time::Instant;

use mdsurrogate::Result;
#[cfg(feature = "gpu")]
use mdsurrogate::engine::Gpu;
use mdsurrogate::engine::{self, Cpu};
use mdsurrogate::network::{Given, Inputs, Network, PLACE, PROTEIN};
use mdsurrogate::ops::{Batch, Centre, Edges};
use nalgebra::Vector3;

use super::{Case, Engine, Measured, Step, task};

/// Seconds that calls are repeated for.
const SECONDS: f64 = 2.0;

/// Distance of two tokens that follow each other, Å.
const SPACING: f64 = 1.5;

/// Place number `index` of a walk through a cube of `side` places a side, from neighbour to
/// neighbour.
fn place(index: usize, side: usize) -> Vector3<f64> {
    let there_and_back = |at: usize, turn: bool| if turn { side - 1 - at } else { at };
    let layer = index / (side * side);
    let row = there_and_back(index / side % side, layer % 2 == 1);
    let column = there_and_back(index % side, index / side % 2 == 1);
    SPACING * Vector3::new(column as f64, row as f64, layer as f64)
}

/// Edges to every token from its `neighbours` nearest along the chain.
fn edges(tokens: usize, neighbours: usize) -> Edges {
    // as much as there will be: what grows takes up to twice of it
    let most = tokens * neighbours;
    let mut edges = Edges {
        start: Vec::with_capacity(tokens + 1),
        sender: Vec::with_capacity(most),
        relation: Vec::with_capacity(most),
        template: Vec::with_capacity(most),
    };
    edges.start.push(0);
    for token in 0..tokens {
        let reach = neighbours / 2;
        let seen = token.saturating_sub(reach)..tokens.min(token + reach + 1);
        for sender in seen.filter(|&sender| sender != token) {
            edges.sender.push(sender as u32);
            let bonds = token.abs_diff(sender).min(5) as u8;
            edges.relation.push(5 * (bonds - 1) + 2);
            let is_rigid = bonds <= 2;
            let template = if is_rigid {
                1.5 * f32::from(bonds)
            } else {
                0.0
            };
            edges.template.push(template);
        }
        edges.start.push(edges.sender.len() as u32);
    }
    edges
}

/// A chain of tokens, folded into a cube, each with edges from its `neighbours` nearest along the
/// chain and every third the centre of the three behind it, as in a protein.
fn system(tokens: usize, neighbours: usize) -> Inputs {
    let kind = |token: usize| {
        let row = |rows: usize| (token % rows) as u16;
        [row(30), row(20), 0]
    };
    let mut batch = Batch {
        offsets: vec![0, tokens],
        kinds: (0..tokens).map(kind).collect(),
        edges: edges(tokens, neighbours),
        scale: vec![1.0],
        ..Batch::default()
    };
    let centre = |first: usize| Centre {
        tokens: [0, 1, 2, 3].map(|k| (first + k) as u32),
        height: 0.2,
        area: 4.0,
    };
    batch.centres = (0..tokens.saturating_sub(3))
        .step_by(3)
        .map(centre)
        .collect();
    batch.centre_offsets = vec![0, batch.centres.len()];
    let side = (1..).find(|side| side * side * side >= tokens).unwrap_or(1);
    let middle = Vector3::repeat(SPACING * (side - 1) as f64 / 2.0);
    let positions = (0..tokens).flat_map(|index| {
        let x = place(index, side) - middle;
        // a little off the lattice, so that no two directions are the same
        [0, 1, 2].map(|h| x[h] + 0.2 * ((index * (h + 2)) as f64).sin())
    });
    let positions: Vec<f64> = positions.collect();
    let interface = task().interface();
    let mut inputs = Inputs {
        batch,
        centroids: vec![Vector3::zeros()],
        ..Inputs::default()
    };
    for &given in &interface.given {
        let values = match given {
            Given::Place => positions.iter().map(|x| x / PLACE).collect(),
            Given::Conditioning => vec![0.1; interface.conditioning],
            Given::Velocity => positions.iter().map(|x| x.sin()).collect(),
            _ => positions.clone(),
        };
        inputs.given.insert(given, values);
    }
    inputs
}

/// Seconds of the fastest of some calls, and processor seconds of one in the mean, where the kernel
/// counts them: what is left of a time when the machine does other things too.
fn timed<E: engine::Engine>(
    network: &Network<E>,
    inputs: &Inputs,
    step: Step,
) -> Result<(f64, Option<f64>)> {
    let mut fastest = f64::INFINITY;
    let mut spent = 0.0;
    let mut calls = 0;
    let before = processor_seconds();
    while spent < SECONDS {
        let begin = Instant::now();
        match step {
            Step::Forward => {
                network.answer(inputs)?;
            }
            Step::Training => {
                let activations = network.forward(inputs)?;
                let d_answer = vec![1.0; activations.answer.len()];
                network.backward(inputs, &activations, &d_answer)?;
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        fastest = fastest.min(seconds);
        spent += seconds;
        calls += 1;
    }
    let worked = processor_seconds().zip(before);
    let each = worked.map(|(now, before)| (now - before) / f64::from(calls));
    Ok((fastest, each))
}

/// Starts the threads of this process.
pub(super) fn start_threads(count: usize) {
    // there is one pool a process, and this is its first use
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    let _ = pool.build_global();
}

/// Measures a case in this process.
///
/// # Errors
/// [`Error::Device`] where there is no such engine, or it has not the memory.
pub fn measure(case: &Case) -> Result<Measured> {
    start_threads(case.threads);
    let program = case.architecture.build(&task().interface(), &PROTEIN);
    let inputs = system(case.tokens, program.neighbours);
    match case.engine {
        Engine::Cpu => {
            let network = Network::initial(program, Cpu::<f32>::new(), 1)?;
            let (seconds, processor) = timed(&network, &inputs, case.step)?;
            let bytes = peak_memory();
            Ok(Measured {
                seconds,
                processor,
                bytes,
            })
        }
        #[cfg(feature = "gpu")]
        Engine::Gpu => {
            let gpu = Gpu::best()?;
            let network = Network::initial(program, gpu.clone(), 1)?;
            let (seconds, processor) = timed(&network, &inputs, case.step)?;
            let bytes = gpu.bytes();
            Ok(Measured {
                seconds,
                processor,
                bytes,
            })
        }
        #[cfg(not(feature = "gpu"))]
        Engine::Gpu => Err(no_gpu()),
    }
}

#[cfg(not(feature = "gpu"))]
fn no_gpu() -> mdsurrogate::Error {
    mdsurrogate::Error::usage(
        "this program was built without the GPU engine",
        "build it with the feature gpu",
    )
}

/// The processor, or the GPU.
///
/// # Errors
/// [`Error::Device`] where there is no such engine.
pub fn device(engine: Engine) -> Result<String> {
    match engine {
        Engine::Cpu => Ok(processor()),
        #[cfg(feature = "gpu")]
        Engine::Gpu => Ok(engine::Engine::name(&Gpu::best()?)),
        #[cfg(not(feature = "gpu"))]
        Engine::Gpu => Err(no_gpu()),
    }
}

/// The value of a line `KEY : VALUE` of a file of the kernel.
fn kernel_says(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn processor() -> String {
    kernel_says("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Most memory that this process had, bytes; 0 where the kernel does not say.
pub(super) fn peak_memory() -> u64 {
    status_bytes("VmHWM")
}

/// Memory that this process has, likewise.
pub(super) fn memory() -> u64 {
    status_bytes("VmRSS")
}

fn status_bytes(key: &str) -> u64 {
    let kib = kernel_says("/proc/self/status", key);
    let kib = kib.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kib.unwrap_or(0)
}

/// Processor time of this process so far, to a hundredth of a second.
pub fn processor_seconds() -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // the name, in brackets, may hold spaces; user and system time are the 12th and 13th behind it
    let (_, numbers) = text.rsplit_once(')')?;
    let ticks: Vec<f64> = numbers
        .split_whitespace()
        .skip(11)
        .take(2)
        .map_while(|ticks| ticks.parse().ok())
        .collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places follow each other at one distance, and none is there twice.
    #[test]
    fn a_chain_fills_its_cube_step_by_step() {
        let walk: Vec<Vector3<f64>> = (0..64).map(|index| place(index, 4)).collect();
        for pair in walk.windows(2) {
            let step = (pair[1] - pair[0]).norm();
            assert!((step - SPACING).abs() <= 1e-12, "{pair:?}");
        }
        for (index, a) in walk.iter().enumerate() {
            assert!(walk[index + 1..].iter().all(|b| (a - b).norm() >= 1.0));
        }
    }

    #[test]
    fn every_architecture_is_timed() {
        for model in crate::models::Model::ARCHITECTURES {
            let case = Case {
                tokens: 40,
                model,
                architecture: model.working(&task().interface()).unwrap(),
                step: Step::Training,
                engine: Engine::Cpu,
                threads: 1,
            };
            let program = case.architecture.build(&task().interface(), &PROTEIN);
            let inputs = system(case.tokens, program.neighbours);
            let network = Network::initial(program, Cpu::<f32>::new(), 1).unwrap();
            let answer = network.answer(&inputs).unwrap();
            assert!(answer.len() == 120 && answer.iter().all(|x| x.is_finite()));
        }
    }
}
