//! The geometric long convolution (f32, zero-padded, K = 16, one thread): transforms against the
//! double sum, and against nothing but the twelve real transforms per channel that a convolution by
//! the `realfft` crate would begin and end with.
//!
//! `cargo bench --bench convolution`; the thresholds in `mdsurrogate::fft::Method` were read from
//! its first lines.

use std::time::Instant;

use mdsurrogate::fft::{Convolution, LongConvolution, Method, Terms, smooth_length};
use realfft::RealFftPlanner;

const CHANNELS: usize = 16;

/// Fewest microseconds of a call, over at least a fifth of a second and, within two seconds, twenty
/// calls.
fn time(mut call: impl FnMut()) -> f64 {
    let (start, mut best, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while start.elapsed().as_secs_f64() < if calls < 20 { 2.0 } else { 0.2 } {
        let before = Instant::now();
        call();
        best = best.min(before.elapsed().as_secs_f64());
        calls += 1;
    }
    1e6 * best
}

fn values(len: usize, phase: f32) -> Vec<f32> {
    (0..len)
        .map(|index| (index as f32 * 0.731 + phase).sin())
        .collect()
}

/// Microseconds of forward and backward.
fn convolution(tokens: usize, method: Method) -> [f64; 2] {
    let len = tokens * 4 * CHANNELS;
    let [q, k, d_out] = [0.1, 0.7, 2.1].map(|phase| values(len, phase));
    let lambda = values(5 * CHANNELS, 0.3);
    let long = LongConvolution {
        offsets: &[0, tokens],
        channels: CHANNELS,
        terms: Terms::Geometric,
        convolution: Convolution::WORKING,
        method,
        lambda: &lambda,
    };
    let (mut out, mut d_q, mut d_k, mut d_lambda) = (
        vec![0.0; len],
        vec![0.0; len],
        vec![0.0; len],
        vec![0.0; lambda.len()],
    );
    let forward = time(|| long.forward(&q, &k, &mut out));
    [
        forward,
        time(|| long.backward(&q, &k, &d_out, &mut d_q, &mut d_k, &mut d_lambda)),
    ]
}

/// Microseconds of 8 forward and 4 inverse real transforms per channel.
fn realfft(tokens: usize) -> f64 {
    let n = smooth_length(2 * tokens - 1);
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let (mut signal, mut spectrum) = (values(n, 0.4), forward.make_output_vec());
    let mut scratch =
        vec![Default::default(); forward.get_scratch_len().max(inverse.get_scratch_len())];
    let there = time(|| {
        forward
            .process_with_scratch(&mut signal, &mut spectrum, &mut scratch)
            .expect("buffers fit");
    });
    let back = time(|| {
        spectrum.fill(Default::default());
        inverse
            .process_with_scratch(&mut spectrum, &mut signal, &mut scratch)
            .expect("buffers fit");
    });
    CHANNELS as f64 * (8.0 * there + 4.0 * back)
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    println!("microseconds; ratio: double sum or realfft's transforms over ours\n");
    println!(
        "tokens |  transforms forward  backward | double sum forward  ratio  backward  ratio | \
         realfft transforms  ratio"
    );
    for tokens in [24, 32, 40, 44, 48, 64, 154, 1231, 16000] {
        let [forward, backward] = pool.install(|| convolution(tokens, Method::Transform));
        let [f, b] = pool.install(|| convolution(tokens, Method::Direct));
        let direct = format!("{f:18.1} {:6.2} {b:9.1} {:6.2}", f / forward, b / backward);
        let foreign = realfft(tokens);
        println!(
            "{tokens:6} | {forward:20.1} {backward:9.1} | {direct} | {foreign:18.1} {:6.2}",
            foreign / forward
        );
    }
}
