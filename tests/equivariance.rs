//! Every op turns with its inputs: rotated vectors in, rotated vectors out, scalars as they were,
//! on every engine.

mod support;

#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Cpu, Engine};
use mdsurrogate::ops::{Kernel, Op, Shape, rank2};
use nalgebra::{Matrix3, Rotation3, Vector3};
use support::{Case, case, largest, relative_error};

/// The vectors of a buffer (`[3][width]`, or the last three of `[4][width]`) times a matrix, and
/// its tensors (`[5][width]`) turned by it.
fn turned(buffer: &[f64], shape: &Shape, matrix: &Matrix3<f64>) -> Vec<f64> {
    let mut out = buffer.to_vec();
    if shape.components == 1 || shape.width == 0 {
        return out;
    }
    if shape.components == rank2::NUMBERS {
        for row in out.chunks_exact_mut(shape.row()) {
            for k in 0..shape.width {
                let tensor = std::array::from_fn(|m| row[m * shape.width + k]);
                for (m, x) in rank2::turned(tensor, matrix).into_iter().enumerate() {
                    row[m * shape.width + k] = x;
                }
            }
        }
        return out;
    }
    let skipped = shape.components - 3;
    for row in out.chunks_exact_mut(shape.row()) {
        for k in 0..shape.width {
            let at = |h: usize| (skipped + h) * shape.width + k;
            let vector = matrix * Vector3::from_fn(|h, _| row[at(h)]);
            (0..3).for_each(|h| row[at(h)] = vector[h]);
        }
    }
    out
}

/// Largest relative error of the outputs of a case whose inputs were multiplied by a matrix,
/// against its outputs multiplied by it.
fn error<E: Engine>(case: &Case, engine: &E, matrix: &Matrix3<f64>) -> f64 {
    let signature = case.op.signature();
    let inputs = case.inputs.iter().zip(&signature.inputs);
    let moved = Case {
        op: case.op.clone(),
        batch: case.batch.clone(),
        inputs: inputs
            .map(|(input, shape)| turned(input, shape, matrix))
            .collect(),
        params: case.params.clone(),
        d_outputs: case.d_outputs.clone(),
    };
    let (plain, found) = (case.run(engine).outputs, moved.run(engine).outputs);
    let pairs = plain.iter().zip(&found).zip(&signature.outputs);
    largest(
        pairs.map(|((plain, found), shape)| relative_error(found, &turned(plain, shape, matrix))),
    )
}

fn every_op_turns_with_its_inputs<E: Engine>(engine: &E, tolerance: f64) {
    let rotation = Rotation3::from_euler_angles(0.7, -1.9, 2.4).into_inner();
    for op in Op::examples() {
        let case = case(&op, 6, &[20, 1, 70], 5);
        let error = error(&case, engine, &rotation);
        println!("{:<16} {error:.1e}", op.name());
        // vectors as plain numbers, which do not turn: what it is for
        if op.name() == "view" {
            assert!(error >= 0.1, "{op:?}, {}: {error:e}", engine.name());
            continue;
        }
        assert!(error <= tolerance, "{op:?}, {}: {error:e}", engine.name());
    }
}

#[test]
fn on_the_cpu() {
    every_op_turns_with_its_inputs(&Cpu::<f64>::new(), 1e-12);
    every_op_turns_with_its_inputs(&Cpu::<f32>::new(), 1e-4);
}

#[cfg(feature = "gpu")]
#[test]
fn on_the_gpu() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    every_op_turns_with_its_inputs(&gpu, 1e-4);
}

/// That the comparison sees what it should: a shear is no rotation, and only linear maps (with
/// which it commutes) and ops without vectors are indifferent to it.
#[test]
fn a_shear_is_noticed() {
    let shear = Matrix3::new(1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0);
    let mut noticed = Vec::new();
    for op in Op::examples() {
        let case = case(&op, 6, &[20, 1, 70], 5);
        if error(&case, &Cpu::<f64>::new(), &shear) > 1e-3 {
            noticed.push(op.name());
        }
    }
    for name in [
        "message",
        "near_attention",
        "heights",
        "tuple",
        "gate",
        "invariants",
        "update",
        "attention",
    ] {
        assert!(noticed.contains(&name), "{name} in {noticed:?}");
    }
}
