//! The kernel against its definition, with matrices for tensors, and thread counts.

use nalgebra::{Matrix3, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::ops::message::Message;
use crate::ops::rank2::{matrix, numbers};
use crate::ops::{Batch, Edges, RELATIONS};

const P: usize = 8;
const HEADS: usize = 2;

fn op(tensors: bool) -> NearAttention {
    NearAttention {
        channels: P,
        heads: HEADS,
        radial: 7,
        reach: 5.0,
        tensors,
    }
}

/// Systems of these sizes; every token but the first of each receives from random others.
fn batch(sizes: &[usize], rng: &mut ChaCha8Rng) -> Batch {
    let mut batch = Batch {
        offsets: vec![0],
        edges: Edges {
            start: vec![0],
            ..Edges::default()
        },
        ..Batch::default()
    };
    for &size in sizes {
        let first = batch.kinds.len();
        for token in first..first + size {
            for sender in (first..first + size).filter(|&sender| sender != token) {
                if token > first && rng.random_bool(0.4) {
                    batch.edges.sender.push(sender as u32);
                    let relation = rng.random_range(0..RELATIONS as u8);
                    batch.edges.relation.push(relation);
                    batch.edges.template.push(0.0);
                }
            }
            batch.edges.start.push(batch.edges.sender.len() as u32);
        }
        batch.kinds.resize(first + size, [0; 3]);
        batch.offsets.push(first + size);
        batch.scale.push(0.5);
    }
    batch
}

fn drawn(shapes: impl Iterator<Item = usize>, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    shapes
        .map(|len| (0..len).map(|_| rng.random_range(-1.0..1.0)).collect())
        .collect()
}

fn refs<T>(buffers: &[Vec<T>]) -> Vec<&[T]> {
    buffers.iter().map(Vec::as_slice).collect()
}

/// Outputs of an op in f64.
fn run<K: Kernel>(
    op: &K,
    batch: &Batch,
    inputs: &[Vec<f64>],
    params: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let lens = op.signature().outputs;
    let mut outputs: Vec<Vec<f64>> = lens
        .iter()
        .map(|shape| vec![f64::NAN; shape.len(batch)])
        .collect();
    op.forward(Forward {
        batch,
        inputs: &refs(inputs),
        params: &refs(params),
        outputs: &mut outputs
            .iter_mut()
            .map(Vec::as_mut_slice)
            .collect::<Vec<_>>(),
        over: &[],
    });
    outputs
}

/// The messages of one edge, by the op `message` on a batch that has no other edge.
fn messages(
    batch: &Batch,
    edge: usize,
    i: usize,
    inputs: &[Vec<f64>],
    params: &[Vec<f64>],
) -> Vec<f64> {
    let start = (0..=batch.tokens()).map(|token| u32::from(token > i));
    let alone = Batch {
        edges: Edges {
            start: start.collect(),
            sender: vec![batch.edges.sender[edge]],
            relation: vec![batch.edges.relation[edge]],
            template: vec![batch.edges.template[edge]],
        },
        ..batch.clone()
    };
    let message = Message {
        channels: P,
        radial: 7,
        reach: 5.0,
    };
    let agg = run(&message, &alone, &inputs[..5], &params[..6]);
    let own = &agg[0][i * P..(i + 1) * P];
    own.iter().map(|sum| sum / (0.35 * 0.5)).collect()
}

/// A channel of a token's values.
fn value(inputs: &[Vec<f64>], token: usize, c: usize) -> (f64, Vector3<f64>, Matrix3<f64>) {
    let tensor = inputs.get(7).map_or_else(Matrix3::zeros, |t| {
        matrix(from_fn(|m| t[(5 * token + m) * P + c]))
    });
    let vector = Vector3::from_fn(|h, _| inputs[6][(3 * token + h) * P + c]);
    (inputs[5][token * P + c], vector, tensor)
}

/// The symmetric traceless part.
fn traceless(m: Matrix3<f64>) -> Matrix3<f64> {
    0.5 * (m + m.transpose()) - m.trace() / 3.0 * Matrix3::identity()
}

/// S, V, M of token i, by the equations.
fn definition(batch: &Batch, i: usize, inputs: &[Vec<f64>], params: &[Vec<f64>]) -> [Vec<f64>; 3] {
    let edges = batch.edges.start[i] as usize..batch.edges.start[i + 1] as usize;
    let position = |token: usize| Vector3::from_column_slice(&inputs[2][3 * token..3 * token + 3]);
    let mut seen = Vec::new();
    for edge in edges {
        let j = batch.edges.sender[edge] as usize;
        let d = position(i) - position(j);
        let u = d / ((d.norm_squared() + 1e-6).sqrt() + 0.1);
        let y = traceless(u * u.transpose());
        let m = messages(batch, edge, i, inputs, params);
        let mut scores = [0.0; HEADS];
        for c in 0..P {
            let (_, v, t) = value(inputs, j, c);
            let a = |row: usize| params[6][row * P + c];
            let weight = a(0) + a(1) * v.dot(&u) + a(2) * t.component_mul(&y).sum();
            scores[c / (P / HEADS)] += m[c] * weight;
        }
        seen.push((j, u, y, m, scores));
    }
    let total: [f64; HEADS] = from_fn(|h| seen.iter().map(|edge| edge.4[h].exp()).sum());
    let [mut s, mut v, mut m] = [3 * P, 9 * P, 15 * P].map(|len| vec![0.0; len]);
    for (j, u, y, message, scores) in seen {
        for c in 0..P {
            let head = c / (P / HEADS);
            let w = scores[head].exp() / total[head] * message[c];
            let (own, vector, tensor) = value(inputs, j, c);
            let scalars = [own, vector.dot(&u), tensor.component_mul(&y).sum()];
            let vectors = [own * u, vector, tensor * u];
            let tensors = [own * y, traceless(vector * u.transpose()), tensor].map(|t| numbers(&t));
            for path in 0..3 {
                s[path * P + c] += w * scalars[path];
                (0..3).for_each(|h| v[(3 * h + path) * P + c] += w * vectors[path][h]);
                (0..5).for_each(|k| m[(3 * k + path) * P + c] += w * tensors[path][k]);
            }
        }
    }
    [s, v, m]
}

#[test]
fn forward_is_the_equations() {
    for tensors in [true, false] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (op, batch) = (op(tensors), batch(&[30, 1, 9], &mut rng));
        let signature = op.signature();
        let inputs = signature.inputs.iter().map(|shape| shape.len(&batch));
        let inputs = drawn(inputs, &mut rng);
        let params = signature.params.iter().map(|p| p.size[0] * p.size[1]);
        let params = drawn(params, &mut rng);
        let found = run(&op, &batch, &inputs, &params);
        for token in 0..batch.tokens() {
            let expected = definition(&batch, token, &inputs, &params);
            for (found, expected) in found.iter().zip(expected) {
                let own = &found[token * expected.len()..][..expected.len()];
                for (a, b) in own.iter().zip(expected) {
                    assert!(
                        (a - b).abs() <= 1e-12 * b.abs().max(1.0),
                        "{token}: {a} {b}"
                    );
                }
            }
        }
    }
}

#[test]
fn thread_count_does_not_change_a_bit() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (op, batch) = (op(true), batch(&[300, 250, 80], &mut rng));
    let signature = op.signature();
    let inputs = drawn(signature.inputs.iter().map(|s| s.len(&batch)), &mut rng);
    let params = signature.params.iter().map(|p| p.size[0] * p.size[1]);
    let params = drawn(params, &mut rng);
    let both = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let outputs = run(&op, &batch, &inputs, &params);
            let zeros = |of: &[Vec<f64>]| -> Vec<Vec<f64>> {
                of.iter().map(|x| vec![0.0; x.len()]).collect()
            };
            let (mut d_inputs, mut d_params) = (zeros(&inputs), zeros(&params));
            op.backward(Backward {
                batch: &batch,
                inputs: &refs(&inputs),
                params: &refs(&params),
                outputs: &refs(&outputs),
                d_outputs: &refs(&outputs),
                d_inputs: &mut d_inputs.iter_mut().map(|d| &mut d[..]).collect::<Vec<_>>(),
                d_params: &mut d_params.iter_mut().map(|d| &mut d[..]).collect::<Vec<_>>(),
            });
            (outputs, d_inputs, d_params)
        })
    };
    assert!(both(1) == both(3));
}
