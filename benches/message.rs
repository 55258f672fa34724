//! Nanoseconds an edge of the message op on one thread: `cargo bench --bench message`.

use std::time::Instant;

use mdsurrogate::numeric::Real;
use mdsurrogate::ops::message::Message;
use mdsurrogate::ops::{Backward, Batch, Edges, Forward, Kernel, RELATIONS};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Seconds that each measurement repeats for.
const SECONDS: f64 = 0.6;

/// One system of tokens at protein density, each receiving from its `neighbours` nearest.
fn system(tokens: usize, neighbours: usize, rng: &mut ChaCha8Rng) -> (Batch, Vec<f32>) {
    let box_length = (tokens as f64 * 18.0).cbrt();
    let positions: Vec<f32> = (0..3 * tokens)
        .map(|_| rng.random_range(0.0..box_length) as f32)
        .collect();
    let mut edges = Edges {
        start: vec![0],
        ..Edges::default()
    };
    for i in 0..tokens {
        let square = |j: usize| {
            (0..3)
                .map(|h| (positions[3 * i + h] - positions[3 * j + h]).powi(2))
                .sum::<f32>()
        };
        let mut others: Vec<usize> = (0..tokens).filter(|&j| j != i).collect();
        others.sort_by(|&a, &b| square(a).total_cmp(&square(b)));
        others.truncate(neighbours);
        others.sort_unstable();
        for j in others {
            edges.sender.push(j as u32);
            edges.relation.push(rng.random_range(0..RELATIONS as u8));
            edges
                .template
                .push(if rng.random_bool(0.2) { 1.5 } else { 0.0 });
        }
        edges.start.push(edges.sender.len() as u32);
    }
    let batch = Batch {
        offsets: vec![0, tokens],
        kinds: vec![[0; 3]; tokens],
        edges,
        scale: vec![0.4],
        ..Batch::default()
    };
    (batch, positions)
}

/// Nanoseconds a call, the fastest of many.
fn measure(mut call: impl FnMut()) -> f64 {
    call();
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        call();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e9
}

fn slices<T>(buffers: &mut [Vec<T>]) -> Vec<&mut [T]> {
    buffers.iter_mut().map(Vec::as_mut_slice).collect()
}

fn bench<T: Real>(channels: usize, tokens: usize, neighbours: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let op = Message {
        channels,
        radial: 12,
        reach: 10.0,
    };
    let (batch, y) = system(tokens, neighbours, &mut rng);
    let mut draw = |len: usize, size: f64| -> Vec<T> {
        (0..len)
            .map(|_| T::of(size * rng.random_range(-1.0..1.0)))
            .collect()
    };
    let (signature, y) = (
        op.signature(),
        y.iter().map(|&y| T::of(y.into())).collect::<Vec<T>>(),
    );
    let mut inputs: Vec<Vec<T>> = signature
        .inputs
        .iter()
        .map(|shape| draw(shape.len(&batch), 1.0))
        .collect();
    inputs[3] = y
        .iter()
        .zip(draw(y.len(), 0.5))
        .map(|(&y, step)| y + step)
        .collect();
    inputs[2] = y;
    let params: Vec<Vec<T>> = signature
        .params
        .iter()
        .map(|param| draw(param.size[0] * param.size[1], 0.3))
        .collect();
    let mut outputs: Vec<Vec<T>> = signature
        .outputs
        .iter()
        .map(|shape| draw(shape.len(&batch), 1.0))
        .collect();
    let d_outputs = outputs.clone();
    let (mut d_inputs, mut d_params) = (inputs.clone(), params.clone());
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let params: Vec<&[T]> = params.iter().map(Vec::as_slice).collect();
    let forward = measure(|| {
        op.forward(Forward {
            batch: &batch,
            inputs: &inputs,
            params: &params,
            outputs: &mut slices(&mut outputs),
            over: &[],
        });
    });
    let d_outputs: Vec<&[T]> = d_outputs.iter().map(Vec::as_slice).collect();
    let backward = measure(|| {
        let (d_inputs, d_params) = (&mut *slices(&mut d_inputs), &mut *slices(&mut d_params));
        op.backward(Backward {
            batch: &batch,
            inputs: &inputs,
            params: &params,
            outputs: &[],
            d_outputs: &d_outputs,
            d_inputs,
            d_params,
        });
    });
    let edges = batch.edges.sender.len();
    let (forward, backward) = (forward / edges as f64, backward / edges as f64);
    println!(
        "{} P {channels:2}  {tokens:5} tokens  {edges:6} edges  forward {forward:6.1}  backward \
         {backward:6.1} ns/edge",
        T::NAME
    );
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a pool of one thread");
    pool.install(|| {
        bench::<f32>(32, 32, 31);
        bench::<f32>(32, 154, 32);
        bench::<f32>(32, 2000, 32);
        bench::<f32>(64, 154, 32);
        bench::<f32>(16, 154, 32);
        bench::<f64>(32, 154, 32);
    });
}
