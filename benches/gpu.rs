//! The network on the GPU: tokens a second and memory by system size, and every op's share of what its bytes would take.
//!
//! `make bench-gpu`, or `cargo bench --bench gpu -- 1000 30000`: one chain of so many tokens each. Bytes are those that must move: inputs,
//! parameters and outputs once, and the edges of `message`; the card's own bandwidth divided by GB/s is what is left to gain.

use std::time::Instant;

use mdsurrogate::engine::{Engine, Gpu};
use mdsurrogate::model::{CONDITIONING, Config, Inputs, Model, Regime};
use mdsurrogate::ops::{Batch, Edges, Kernel, Op, RELATIONS};
use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Neighbours of a token, as the working model has them.
const NEIGHBOURS: usize = 32;

/// Seconds that each measurement repeats for.
const SECONDS: f64 = 1.0;

/// One chain: tokens 1.5 Å apart along it, messages from those next to them.
fn chain(tokens: usize, rng: &mut ChaCha8Rng) -> Inputs {
    let mut edges = Edges { start: vec![0], ..Edges::default() };
    for token in 0..tokens {
        let first = token.saturating_sub(NEIGHBOURS / 2);
        for sender in (first..tokens.min(first + NEIGHBOURS + 1)).filter(|&sender| sender != token) {
            edges.sender.push(sender as u32);
            edges.relation.push(rng.random_range(0..RELATIONS as u8));
            edges.template.push(if sender.abs_diff(token) <= 2 { 1.5 } else { 0.0 });
        }
        edges.start.push(edges.sender.len() as u32);
    }
    let (offsets, kinds) = (vec![0, tokens], vec![[1, 1, 0]; tokens]);
    let batch = Batch { offsets, kinds, edges, centre_offsets: vec![0, 0], scale: vec![0.4], ..Batch::default() };
    let condition: Vec<f64> = (0..3 * tokens).map(|at| (at / 3) as f64 * 0.9 + rng.random_range(-0.5..0.5)).collect();
    let mut near = |size: f64| condition.iter().map(|x| x + size * rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let (candidate, noisy) = (near(0.3), near(0.0).iter().map(|x| (x * 7.0).sin()).collect());
    let place = condition.iter().map(|x| x / 8.0).collect();
    Inputs { batch, centroids: vec![Vector3::zeros()], condition, candidate, noisy, place, conditioning: vec![0.1; CONDITIONING] }
}

/// Seconds of one call, the mean of as many as fit.
fn time(mut call: impl FnMut(usize)) -> f64 {
    call(1);
    let mut calls = 1;
    loop {
        let start = Instant::now();
        call(calls);
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= SECONDS {
            return seconds / calls as f64;
        }
        calls = (calls as f64 * (1.2 * SECONDS / seconds.max(1e-3)).clamp(1.5, 10.0)).ceil() as usize;
    }
}

/// Bytes that a call must move.
fn bytes(op: &Op, batch: &Batch) -> usize {
    let signature = op.signature();
    let buffers: usize = signature.inputs.iter().chain(&signature.outputs).map(|shape| shape.len(batch)).sum();
    let params: usize = signature.params.iter().map(|param| param.size[0] * param.size[1]).sum();
    let edges = if matches!(op, Op::Message(_)) { 2 * batch.edges.sender.len() } else { 0 };
    4 * (buffers + params + edges)
}

/// Every kind of op once, alone.
fn ops(gpu: &Gpu, model: &Model<Gpu>, inputs: &Inputs) -> mdsurrogate::Result<()> {
    let program = &model.network().program;
    let prepared = gpu.prepare(&inputs.batch)?;
    let mut done = Vec::new();
    for call in &program.calls {
        let signature = call.op.signature();
        if done.contains(&(call.op.name(), signature.clone())) {
            continue;
        }
        let upload = |len: usize| gpu.upload(&(0..len).map(|at| (at as f64).sin()).collect::<Vec<_>>());
        let shapes = signature.inputs.iter().chain(&signature.outputs);
        let mut slots = shapes.map(|shape| upload(shape.len(&inputs.batch))).collect::<Result<Vec<_>, _>>()?;
        let params = signature.params.iter().map(|param| upload(param.size[0] * param.size[1])).collect::<Result<Vec<_>, _>>()?;
        let (ins, outs) = (signature.inputs.len(), signature.outputs.len());
        let (inputs_at, params_at, outputs_at) = ((0..ins).collect(), (0..params.len()).collect(), (ins..ins + outs).collect());
        let alone = mdsurrogate::engine::Call { op: call.op.clone(), inputs: inputs_at, params: params_at, outputs: outputs_at };
        let marker = gpu.zeros(1)?;
        let seconds = time(|calls| {
            for _ in 0..calls {
                gpu.forward(&alone, &prepared, &params, &mut slots).expect("the device serves");
            }
            gpu.download(&marker).expect("the device serves");
        });
        let moved = bytes(&call.op, &inputs.batch);
        println!(
            "  {:<16} {:>9.1} µs {:>9.1} MB {:>8.1} GB/s",
            call.op.name(),
            1e6 * seconds,
            moved as f64 / 1e6,
            moved as f64 / seconds / 1e9
        );
        done.push((call.op.name(), signature));
    }
    Ok(())
}

fn main() -> mdsurrogate::Result<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000, 1_000_000, 2_700_000] } else { sizes };
    let gpu = Gpu::best()?;
    println!("{}", gpu.device());
    let config = Config { regime: Regime::Jump { lag_time: 10.0, sigma_data: 1.0 }, ..Config::default() };
    let model = Model::initial(config, gpu.clone(), 1)?;
    for tokens in sizes {
        let inputs = chain(tokens, &mut ChaCha8Rng::seed_from_u64(1));
        if let Err(error) = model.predict(&inputs) {
            println!("{tokens} tokens: {error}");
            break;
        }
        let seconds = time(|calls| (0..calls).for_each(|_| drop(model.predict(&inputs).expect("the device serves"))));
        let mebibytes = gpu.bytes() >> 20;
        println!("{tokens} tokens: {:.2} ms, {:.0} tokens/s, {mebibytes} MiB", 1e3 * seconds, tokens as f64 / seconds);
        ops(&gpu, &model, &inputs)?;
    }
    Ok(())
}
