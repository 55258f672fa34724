//! The working network's forward evaluation and training step, for benches/network_jax.py to
//! compare with JAX.
//!
//! `cargo bench --bench network -- THREADS TOKENS:NEIGHBOURS[:BATCH] …` prints a line of JSON for
//! each case: milliseconds (the fastest of many calls), processor milliseconds a call (the mean),
//! and the peak memory so far, MiB.

use std::time::Instant;

use mdsurrogate::engine::Cpu;
use mdsurrogate::network::{Architecture, Given, Inputs, Network, TOLD};
use mdsurrogate::ops::{Batch, Centre, RELATIONS};
use mdsurrogate::task::{Jump, Task};
use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Seconds that each measurement repeats for.
const SECONDS: f64 = 2.0;

/// Tokens of a micro-batch, as the trainer cuts them.
const MICRO_BATCH: usize = 128;

/// `count` systems of `n` tokens, each receiving from the `neighbours` after it on a ring: random,
/// but the sizes that JAX gets.
fn systems(n: usize, neighbours: usize, count: usize, rng: &mut ChaCha8Rng) -> Inputs {
    let mut batch = Batch {
        offsets: vec![0],
        centre_offsets: vec![0],
        ..Batch::default()
    };
    batch.edges.start.push(0);
    for first in (0..count).map(|system| system * n) {
        for token in 0..n {
            batch.kinds.push([
                rng.random_range(0..4),
                rng.random_range(0..4),
                rng.random_range(0..4),
            ]);
            let mut senders: Vec<usize> = (1..=neighbours)
                .map(|step| first + (token + step) % n)
                .collect();
            senders.sort_unstable();
            batch
                .edges
                .sender
                .extend(senders.iter().map(|&sender| sender as u32));
            batch
                .edges
                .relation
                .extend(senders.iter().map(|_| rng.random_range(0..RELATIONS as u8)));
            batch.edges.template.extend(
                senders
                    .iter()
                    .map(|_| if rng.random_bool(0.2) { 1.5 } else { 0.0 }),
            );
            batch.edges.start.push(batch.edges.sender.len() as u32);
        }
        let tokens = |centre: usize| [0, 1, 2, 3].map(|k| (first + (3 * centre + k) % n) as u32);
        batch.centres.extend((0..n / 3).map(|centre| Centre {
            tokens: tokens(centre),
            height: 0.4,
            area: 5.0,
        }));
        batch.centre_offsets.push(batch.centres.len());
        batch.offsets.push(first + n);
        batch.scale.push(0.4);
    }
    let mut draw = |len: usize, size: f64| {
        (0..len)
            .map(|_| size * rng.random_range(-1.7..1.7))
            .collect::<Vec<f64>>()
    };
    let candidate = draw(3 * n * count, 5.0);
    let condition: Vec<f64> = candidate
        .iter()
        .zip(draw(candidate.len(), 0.3))
        .map(|(y, step)| y + step)
        .collect();
    let (noisy, conditioning) = (draw(candidate.len(), 1.0), draw(2 * TOLD * count, 1.0));
    let place: Vec<f64> = condition.iter().map(|x| x / 8.0).collect();
    Inputs {
        batch,
        centroids: vec![Vector3::zeros(); count],
        given: [
            (Given::Condition, condition),
            (Given::Candidate, candidate),
            (Given::Noisy, noisy),
            (Given::Place, place),
            (Given::Conditioning, conditioning),
        ]
        .into(),
    }
}

/// Fastest call and processor time of the mean call, both in ms.
fn measure(mut call: impl FnMut()) -> (f64, f64) {
    call();
    let (begin, before, mut calls, mut best) =
        (Instant::now(), processor_seconds(), 0, f64::INFINITY);
    while begin.elapsed().as_secs_f64() < SECONDS || calls < 3 {
        let start = Instant::now();
        call();
        best = best.min(start.elapsed().as_secs_f64());
        calls += 1;
    }
    (
        1e3 * best,
        1e3 * (processor_seconds() - before) / calls as f64,
    )
}

/// Processor time of this process so far, of all its threads, in Linux' ticks of 10 ms; NaN
/// elsewhere.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the name, in parentheses, may hold spaces
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |field: usize| {
        fields
            .get(field)
            .and_then(|ticks| ticks.parse::<f64>().ok())
            .unwrap_or(f64::NAN)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// Peak memory of this process, MiB; NaN where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}

fn bench(task: &Task, network: &Network<Cpu<f32>>, case: &str) {
    let sizes: Vec<usize> = case
        .split(':')
        .map(|size| size.parse().expect("TOKENS:NEIGHBOURS[:BATCH]"))
        .collect();
    let (n, neighbours, count) = (sizes[0], sizes[1], sizes.get(2).copied().unwrap_or(1));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let share = (MICRO_BATCH / n).clamp(1, count);
    let batches: Vec<Inputs> = (0..count)
        .step_by(share)
        .map(|first| systems(n, neighbours, share.min(count - first), &mut rng))
        .collect();
    let (forward, forward_cpu) = measure(|| {
        batches
            .par_iter()
            .for_each(|inputs| drop(task.predict(network, inputs).expect("an answer")));
    });
    let (train, train_cpu) = measure(|| {
        let gradients = batches.par_iter().map(|inputs| {
            let evaluation = task.forward(network, inputs).expect("an answer");
            let d_answer: Vec<Vector3<f64>> = evaluation
                .answer
                .iter()
                .map(|y| y * (2.0 / (3 * n * count) as f64))
                .collect();
            task.backward(network, inputs, &evaluation, &d_answer)
                .expect("gradients")
                .params
        });
        let add = |mut sum: Vec<f64>, part: Vec<f64>| {
            sum.iter_mut().zip(part).for_each(|(sum, g)| *sum += g);
            sum
        };
        assert!(
            gradients
                .reduce_with(add)
                .is_some_and(|sum| sum.iter().all(|g| g.is_finite()))
        );
    });
    let row = serde_json::json!({
        "tokens": n, "batch": count, "forward_ms": forward, "forward_cpu_ms": forward_cpu,
        "train_ms": train, "train_cpu_ms": train_cpu,
        "peak_mib": peak_mib(),
    });
    println!("{row}");
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let [threads, cases @ ..] = &words[..] else {
        println!(
            "nothing to time: give THREADS TOKENS:NEIGHBOURS[:BATCH] …, or run \
             benches/network_jax.py compare"
        );
        return;
    };
    let threads = threads.parse().expect("a number of threads");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool of threads");
    let task = Task::Jump(Jump {
        lag_time: 20.0,
        sigma_data: 1.0,
        lag_range: None,
        fold: false,
    });
    let network = task
        .initial(&Architecture::default(), Cpu::<f32>::new(), 1)
        .expect("the working network");
    pool.install(|| cases.iter().for_each(|case| bench(&task, &network, case)));
}
