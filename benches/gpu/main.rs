//! The network on the GPU: tokens a second and memory by system size, every op beside what its
//! bytes and operations would take, and which way of computing long convolutions is faster at which
//! length.
//!
//! `make bench-gpu`, or
//! `cargo bench --bench gpu -- [--card GB/S:TFLOP/S] [--count | --host] [--unjoined]
//! [TOKENS | CHAINSxTOKENS …]`:
//! `--card` describes the card, for the column of least times; `--count` only counts, without any
//! device; `--host` prints alone what an evaluation and a training step ask of host and device;
//! `--unjoined` runs every call of the network by its own kernels.

mod count;
mod dynamics;
mod host;
mod lengths;

use std::time::Instant;

use count::{Card, Cost, cost};
use mdsurrogate::engine::{Call, Engine, Gpu, gpu};
use mdsurrogate::network::{Architecture, Given, Inputs, TOLD};
use mdsurrogate::ops::{Batch, Edges, Kernel, RELATIONS};
use mdsurrogate::task::{Jump, Task};
use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Neighbours of a token, as the working model has them.
const NEIGHBOURS: usize = 32;

/// Seconds that each measurement repeats for.
const SECONDS: f64 = 1.0;

/// Chains of so many tokens.
#[derive(Debug, Clone, Copy)]
struct Size {
    chains: usize,
    tokens: usize,
}

/// Chains: tokens 1.5 Å apart along each, messages from those next to them.
fn chains(size: Size, rng: &mut ChaCha8Rng) -> Inputs {
    let mut edges = Edges {
        start: vec![0],
        ..Edges::default()
    };
    let tokens = size.chains * size.tokens;
    for token in 0..tokens {
        let chain = token / size.tokens * size.tokens;
        let first = token.saturating_sub(NEIGHBOURS / 2).max(chain);
        let end = (first + NEIGHBOURS + 1).min(chain + size.tokens);
        for sender in (first..end).filter(|&sender| sender != token) {
            edges.sender.push(sender as u32);
            edges.relation.push(rng.random_range(0..RELATIONS as u8));
            edges.template.push(if sender.abs_diff(token) <= 2 {
                1.5
            } else {
                0.0
            });
        }
        edges.start.push(edges.sender.len() as u32);
    }
    let batch = Batch {
        offsets: (0..=size.chains).map(|k| k * size.tokens).collect(),
        kinds: vec![[1, 1, 0]; tokens],
        edges,
        centre_offsets: vec![0; size.chains + 1],
        scale: vec![0.4; size.chains],
        ..Batch::default()
    };
    let condition: Vec<f64> = (0..3 * tokens)
        .map(|at| (at / 3) as f64 * 0.9 + rng.random_range(-0.5..0.5))
        .collect();
    let mut near = |size: f64| {
        condition
            .iter()
            .map(|x| x + size * rng.random_range(-1.0..1.0))
            .collect::<Vec<f64>>()
    };
    let (candidate, noisy) = (
        near(0.3),
        near(0.0).iter().map(|x| (x * 7.0).sin()).collect(),
    );
    let place = condition.iter().map(|x| x / 8.0).collect();
    Inputs {
        batch,
        centroids: vec![Vector3::zeros(); size.chains],
        given: [
            (Given::Condition, condition),
            (Given::Candidate, candidate),
            (Given::Noisy, noisy),
            (Given::Place, place),
            (Given::Conditioning, vec![0.1; 2 * TOLD * size.chains]),
        ]
        .into(),
    }
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
        calls =
            (calls as f64 * (1.2 * SECONDS / seconds.max(1e-3)).clamp(1.5, 10.0)).ceil() as usize;
    }
}

/// Seconds of a call alone.
fn seconds(gpu: &Gpu, call: &Call, batch: &Batch) -> mdsurrogate::Result<f64> {
    let (prepared, signature) = (gpu.prepare(batch)?, call.op.signature());
    let upload = |len: usize| gpu.upload(&(0..len).map(|at| (at as f64).sin()).collect::<Vec<_>>());
    let shapes = signature.inputs.iter().chain(&signature.outputs);
    let mut slots = shapes
        .map(|shape| upload(shape.len(batch)))
        .collect::<Result<Vec<_>, _>>()?;
    let params = signature
        .params
        .iter()
        .map(|param| upload(param.size[0] * param.size[1]))
        .collect::<Result<Vec<_>, _>>()?;
    let (ins, outs) = (signature.inputs.len(), signature.outputs.len());
    let (inputs, outputs) = ((0..ins).collect(), (ins..ins + outs).collect());
    let alone = Call {
        op: call.op.clone(),
        inputs,
        params: (0..params.len()).collect(),
        outputs,
    };
    let marker = gpu.zeros(1)?;
    Ok(time(|calls| {
        for _ in 0..calls {
            gpu.forward(&alone, &prepared, &params, &mut slots)
                .expect("the device serves");
        }
        gpu.download(&marker).expect("the device serves");
    }))
}

/// All calls of one kind of op.
#[derive(Default)]
struct Row {
    name: &'static str,
    calls: usize,
    cost: Cost,
    least: f64,
    seconds: f64,
}

/// A row for each kind of op, forward, and one for all; without a device: what is counted.
fn ops(gpu: Option<&Gpu>, calls: &[Call], batch: &Batch, card: Card) -> mdsurrogate::Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    let mut timed = Vec::new();
    for call in calls {
        let signature = call.op.signature();
        let seconds = match (
            gpu,
            timed
                .iter()
                .find(|(op, _)| *op == (call.op.name(), signature.clone())),
        ) {
            (None, _) => f64::NAN,
            (_, Some((_, seconds))) => *seconds,
            (Some(gpu), None) => seconds(gpu, call, batch)?,
        };
        timed.push(((call.op.name(), signature), seconds));
        let at = rows
            .iter()
            .position(|row| row.name == call.op.name())
            .unwrap_or_else(|| {
                rows.push(Row {
                    name: call.op.name(),
                    ..Row::default()
                });
                rows.len() - 1
            });
        let (row, cost) = (&mut rows[at], cost(&call.op, batch));
        (row.calls, row.cost) = (row.calls + 1, row.cost.plus(cost));
        (row.least, row.seconds) = (row.least + cost.least(card), row.seconds + seconds);
    }
    rows.sort_by(|a, b| b.least.total_cmp(&a.least));
    let all = rows.iter().fold(
        Row {
            name: "all",
            ..Row::default()
        },
        |all, row| Row {
            calls: all.calls + row.calls,
            cost: all.cost.plus(row.cost),
            least: all.least + row.least,
            seconds: all.seconds + row.seconds,
            ..all
        },
    );
    println!(
        "| op | calls | MB | Mflop | least, us | us | GB/s | Gflop/s | share of the least |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    for Row {
        name,
        calls,
        cost,
        least,
        seconds,
    } in rows.iter().chain([&all])
    {
        let counted = format!(
            "{name} | {calls} | {:.2} | {:.1} | {:.1}",
            cost.bytes / 1e6,
            cost.flops / 1e6,
            1e6 * least
        );
        let (speed, flops) = (cost.bytes / seconds / 1e9, cost.flops / seconds / 1e9);
        match gpu {
            Some(_) => println!(
                "| {counted} | {:.0} | {speed:.1} | {flops:.1} | {:.3} |",
                1e6 * seconds,
                least / seconds
            ),
            None => println!("| {counted} | | | | |"),
        }
    }
    Ok(())
}

/// What was asked for.
struct Asked {
    card: Card,
    count: bool,
    host: bool,
    unjoined: bool,
    sizes: Vec<Size>,
}

/// What is measured where nothing was asked for: what users run, then as far as the memory goes.
const DEFAULT: [Size; 8] = [
    Size::of(1, 154),
    Size::of(64, 32),
    Size::of(64, 154),
    Size::of(16, 1_231),
    Size::of(1, 10_000),
    Size::of(1, 100_000),
    Size::of(1, 1_000_000),
    Size::of(1, 2_700_000),
];

impl Size {
    const fn of(chains: usize, tokens: usize) -> Size {
        Size { chains, tokens }
    }
}

/// `154` or `64x154`.
fn size(word: &str) -> Option<Size> {
    let (chains, tokens) = word.split_once('x').unwrap_or(("1", word));
    Some(Size::of(chains.parse().ok()?, tokens.parse().ok()?))
}

fn asked() -> Asked {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let card = words
        .iter()
        .position(|word| word == "--card")
        .and_then(|at| words.get(at + 1));
    let parts = card
        .and_then(|card| card.split_once(':'))
        .and_then(|(a, b)| Some((a.parse::<f64>().ok()?, b.parse::<f64>().ok()?)));
    let (bandwidth, speed) = parts.unwrap_or((1000.0, 20.0));
    let sizes: Vec<Size> = words.iter().filter_map(|word| size(word)).collect();
    let sizes = if sizes.is_empty() {
        DEFAULT.to_vec()
    } else {
        sizes
    };
    Asked {
        card: Card {
            bandwidth: 1e9 * bandwidth,
            speed: 1e12 * speed,
        },
        count: words.iter().any(|word| word == "--count"),
        host: words.iter().any(|word| word == "--host"),
        unjoined: words.iter().any(|word| word == "--unjoined"),
        sizes,
    }
}

fn main() -> mdsurrogate::Result<()> {
    let asked = asked();
    let card = asked.card;
    println!(
        "least: of a card that moves {:.0} GB/s and computes {:.1} Tflop/s (--card)",
        card.bandwidth / 1e9,
        card.speed / 1e12
    );
    let task = Task::Jump(Jump {
        lag_time: 10.0,
        sigma_data: 1.0,
        lag_range: None,
        fold: false,
    });
    let architecture = Architecture::default();
    let program = task.program(&architecture)?;
    let joined = program.fused(gpu::joins);
    if asked.count {
        dynamics::report(None, card)?;
        for size in asked.sizes {
            println!("\n{} x {} tokens, counted", size.chains, size.tokens);
            let inputs = chains(size, &mut ChaCha8Rng::seed_from_u64(1));
            println!("every call by its own kernels");
            ops(None, &program.calls, &inputs.batch, card)?;
            println!("\ntoken-wise calls joined");
            ops(None, &joined.calls, &inputs.batch, card)?;
        }
        return Ok(());
    }
    let gpu = Gpu::joined(!asked.unjoined)?;
    println!("{}", gpu.device());
    if !asked.host {
        dynamics::report(Some(&gpu), card)?;
        lengths::compare()?;
    }
    let network = task.initial(&architecture, gpu.clone(), 1)?;
    for size in asked.sizes {
        let inputs = chains(size, &mut ChaCha8Rng::seed_from_u64(1));
        println!("\n{} x {} tokens", size.chains, size.tokens);
        if let Err(error) = task.predict(&network, &inputs) {
            println!("{error}");
            break;
        }
        host::table(&gpu, &task, &network, &inputs);
        println!("{} MiB held", gpu.bytes() >> 20);
        if !asked.host {
            let calls = if asked.unjoined {
                &program.calls
            } else {
                &joined.calls
            };
            ops(Some(&gpu), calls, &inputs.batch, card)?;
        }
    }
    Ok(())
}
