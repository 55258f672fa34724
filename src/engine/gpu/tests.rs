//! That the tests of parity would notice: shaders that are wrong on purpose, and memory that does
//! not suffice.

use super::kernels::{Forward, Launch, forward};
use super::*;
use crate::engine::{Call, Cpu, Engine};
use crate::ops::chain::Chain;
use crate::ops::gate::Gate;
use crate::ops::{Edges, Kernel, Op};

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

/// Numbers of no pattern, for the inputs and parameters of an op on 7 tokens.
fn numbers(op: &Op) -> [Vec<Vec<f64>>; 2] {
    let values = |(number, len): (usize, usize)| {
        let phase = 0.1 + 1.2 * number as f64;
        (0..len).map(|at| (at as f64 * 0.7 + phase).sin()).collect()
    };
    let signature = op.signature();
    let inputs = signature.inputs.iter().map(|shape| shape.len(&batch(7)));
    let params = signature
        .params
        .iter()
        .map(|param| param.size[0] * param.size[1]);
    [
        inputs.enumerate().map(values).collect(),
        params.enumerate().map(values).collect(),
    ]
}

/// The outputs of an op on 7 tokens by this source, or what went wrong.
fn by_source(gpu: &Gpu, op: &Op, source: Source) -> Result<Vec<f64>> {
    let batch = batch(7);
    let upload = |all: Vec<Vec<f64>>| -> Result<Vec<Buffer>> {
        all.iter().map(|values| gpu.upload(values)).collect()
    };
    let [inputs, params] = numbers(op);
    let (inputs, params) = (upload(inputs)?, upload(params)?);
    let shapes = op.signature().outputs;
    let outputs: Vec<Buffer> = shapes
        .iter()
        .map(|shape| gpu.scratch(shape.len(&batch)))
        .collect::<Result<_>>()?;
    let prepared = gpu.prepare(&batch)?;
    let launch = Launch {
        gpu,
        batch: &prepared,
        source,
    };
    let call = Forward {
        inputs: &inputs.iter().collect::<Vec<_>>(),
        params: &params.iter().collect::<Vec<_>>(),
        outputs: &outputs.iter().collect::<Vec<_>>(),
    };
    forward(&launch, op, &call)?;
    let read = gpu.download_all(&outputs.iter().collect::<Vec<_>>())?;
    Ok(read.concat())
}

/// The same by the oracle.
fn oracle(op: &Op) -> Vec<f64> {
    let engine = Cpu::<f64>::new();
    let [mut slots, params] = numbers(op);
    let (first, shapes) = (slots.len(), op.signature().outputs);
    slots.extend(shapes.iter().map(|shape| vec![0.0; shape.len(&batch(7))]));
    let call = Call {
        op: op.clone(),
        inputs: (0..first).collect(),
        params: (0..params.len()).collect(),
        outputs: (first..slots.len()).collect(),
    };
    engine
        .forward(
            &call,
            &engine.prepare(&batch(7)).unwrap(),
            &params,
            &mut slots,
        )
        .unwrap();
    slots[first..].concat()
}

/// Largest difference from the oracle.
fn error(gpu: &Gpu, op: &Op, source: Source) -> f64 {
    let found = by_source(gpu, op, source).unwrap();
    let pairs = found.iter().zip(oracle(op));
    let errors = pairs.map(|(a, b)| (a - b).abs());
    errors.fold(
        0.0,
        |worst, error| if error >= worst { error } else { worst },
    )
}

fn gate() -> Op {
    Op::from(Gate {
        channels: 3,
        gates: (3, 0),
    })
}

#[test]
fn a_wrong_shader_is_noticed() {
    let Some(gpu) = gpu() else { return };
    let source = kernels::source(&gate());
    assert!(error(&gpu, &gate(), source) <= 2e-6);
    let wrong = source.with("cross(p.yzw, q.yzw)", "cross(q.yzw, p.yzw)");
    assert!(error(&gpu, &gate(), wrong) > 1e-2);
}

/// Steps that do not wait for one another are not looked for: on a device whose lanes run in step
/// nothing would show.
#[test]
fn a_wrong_chain_is_noticed() {
    let Some(gpu) = gpu() else { return };
    let block = Op::from(Chain::examples().remove(0));
    let source = kernels::source(&block);
    let right = error(&gpu, &block, source);
    assert!(right <= 1e-5, "{right:e}");
    for (part, by) in [
        ("cross(p.yzw, q.yzw)", "cross(q.yzw, p.yzw)"),
        ("other < SHARE", "other < 1u"),
    ] {
        let wrong = error(&gpu, &block, source.with(part, by));
        assert!(wrong > 1e-2, "{by}: {wrong:e}");
    }
}

#[test]
fn writing_past_the_end_is_noticed() {
    let Some(gpu) = gpu() else { return };
    let unbounded = kernels::source(&gate()).with(
        "    if (at >= token_count() * n) { return; }\n    let token = at / n;\n    let first",
        "    let token = at / n;\n    let first",
    );
    let error = by_source(&gpu, &gate(), unbounded).unwrap_err();
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
