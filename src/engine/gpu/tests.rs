//! That the tests of parity would notice: shaders that are wrong on purpose, and memory that does
//! not suffice.

use super::kernels::{Forward, Launch, forward};
use super::*;
use crate::engine::Cpu;
use crate::ops::gate::Gate;
use crate::ops::{Edges, Op};

/// The device, or none with a printed line; with MDSURROGATE_REQUIRE_GPU=1 none is a failure.
fn gpu() -> Option<Gpu> {
    Gpu::guarded(Transforms::Fastest)
        .map_err(|error| {
            let required = std::env::var("MDSURROGATE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "MDSURROGATE_REQUIRE_GPU=1, and {error}");
            eprintln!("skipped on the GPU: {error}");
        })
        .ok()
}

fn batch(tokens: usize) -> Batch {
    let edges = Edges {
        start: vec![0; tokens + 1],
        ..Edges::default()
    };
    Batch {
        offsets: vec![0, tokens],
        kinds: vec![[0; 3]; tokens],
        edges,
        centre_offsets: vec![0, 0],
        scale: vec![1.0],
        ..Batch::default()
    }
}

/// The scalars of `gate` on 7 tokens by this source, or what went wrong.
fn gated(gpu: &Gpu, source: Source) -> Result<Vec<f64>> {
    let values = |len: usize, phase: f64| {
        (0..len)
            .map(|at| (at as f64 * 0.7 + phase).sin())
            .collect::<Vec<_>>()
    };
    let batch = batch(7);
    let inputs = [values(84, 0.1), values(84, 1.3), values(21, 2.9)];
    let inputs = inputs
        .iter()
        .map(|values| gpu.upload(values))
        .collect::<Result<Vec<_>>>()?;
    let outputs = [gpu.scratch(21)?, gpu.scratch(63)?];
    let prepared = gpu.prepare(&batch)?;
    let op = Op::from(Gate {
        channels: 3,
        gates: (3, 0),
    });
    let launch = Launch {
        gpu,
        batch: &prepared,
        source,
    };
    forward(
        &launch,
        &op,
        &Forward {
            inputs: &inputs.iter().collect::<Vec<_>>(),
            params: &[],
            outputs: &outputs.each_ref(),
        },
    )?;
    Ok([gpu.download(&outputs[0])?, gpu.download(&outputs[1])?].concat())
}

/// The same by the oracle.
fn oracle() -> Vec<f64> {
    let engine = Cpu::<f64>::new();
    let values = |len: usize, phase: f64| {
        (0..len)
            .map(|at| (at as f64 * 0.7 + phase).sin())
            .collect::<Vec<_>>()
    };
    let mut slots = vec![
        values(84, 0.1),
        values(84, 1.3),
        values(21, 2.9),
        vec![0.0; 21],
        vec![0.0; 63],
    ];
    let op = Op::from(Gate {
        channels: 3,
        gates: (3, 0),
    });
    let call = Call {
        op,
        inputs: vec![0, 1, 2],
        params: vec![],
        outputs: vec![3, 4],
    };
    engine
        .forward(&call, &engine.prepare(&batch(7)).unwrap(), &[], &mut slots)
        .unwrap();
    slots[3..].concat()
}

fn gate_with(replaced: &str, by: &str) -> Source {
    let source = kernels::source(
        &Gate {
            channels: 3,
            gates: (3, 0),
        }
        .into(),
    );
    source.with(replaced, by)
}

#[test]
fn a_wrong_shader_is_noticed() {
    let Some(gpu) = gpu() else { return };
    let error = |source| {
        let found = gated(&gpu, source).unwrap();
        found
            .iter()
            .zip(oracle())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    };
    assert!(error(gate_with("", "")) <= 2e-6);
    assert!(error(gate_with("cross(p.yzw, q.yzw)", "cross(q.yzw, p.yzw)")) > 1e-2);
}

#[test]
fn writing_past_the_end_is_noticed() {
    let Some(gpu) = gpu() else { return };
    let unbounded = gate_with(
        "    if (at >= token_count() * n) { return; }\n    let token = at / n;\n    let first",
        "    let token = at / n;\n    let first",
    );
    let error = gated(&gpu, unbounded).unwrap_err();
    assert!(
        error.exit_code() == 4 && error.to_string().contains("past the end"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_said() {
    let Some(gpu) = gpu() else { return };
    let error = gpu.zeros(1 << 40).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(
        error.to_string().contains("4194304.0 MiB was asked for") && error.hint().contains("fewer"),
        "{error} {}",
        error.hint()
    );
}
