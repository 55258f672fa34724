//! The kernel against its definition, with the whole matrix of scores.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::ops::Batch;

const OP: Attention = Attention {
    heads: 2,
    scalars: 3,
    vectors: 2,
};

fn batch(sizes: &[usize]) -> Batch {
    let ends = sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    let offsets: Vec<usize> = std::iter::once(0).chain(ends).collect();
    Batch {
        kinds: vec![[0; 3]; offsets[sizes.len()]],
        offsets,
        ..Batch::default()
    }
}

/// Inputs between −`size` and `size`.
fn inputs(batch: &Batch, size: f64) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let shapes = OP.signature().inputs;
    let mut draw = |len: usize| (0..len).map(|_| rng.random_range(-size..size)).collect();
    shapes.iter().map(|shape| draw(shape.len(batch))).collect()
}

fn forward<T: Real>(batch: &Batch, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let cast = |values: &Vec<f64>| values.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
    let inputs: Vec<Vec<T>> = inputs.iter().map(cast).collect();
    let shapes = OP.signature().outputs;
    let mut outputs: Vec<Vec<T>> = shapes
        .iter()
        .map(|shape| vec![T::nan(); shape.len(batch)])
        .collect();
    OP.forward(Forward {
        batch,
        inputs: &[&inputs[0], &inputs[1]],
        params: &[],
        outputs: &mut outputs
            .iter_mut()
            .map(Vec::as_mut_slice)
            .collect::<Vec<_>>(),
        over: &[],
    });
    let wide = |values: Vec<T>| values.into_iter().map(T::wide).collect();
    outputs.into_iter().map(wide).collect()
}

/// A number of q (0), k (1) or v (2) of a head: the scalars, then the components of its vectors.
fn number(inputs: &[Vec<f64>], token: usize, part: usize, head: usize, index: usize) -> f64 {
    let column = part * OP.heads + head;
    if index < OP.scalars {
        return inputs[0][token * 3 * OP.heads * OP.scalars + column * OP.scalars + index];
    }
    let (component, channel) = (
        (index - OP.scalars) / OP.vectors,
        (index - OP.scalars) % OP.vectors,
    );
    let row = (token * 3 + component) * 3 * OP.heads * OP.vectors;
    inputs[1][row + column * OP.vectors + channel]
}

/// Scalars, vectors and lse by the equations.
fn definition(batch: &Batch, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let shapes = OP.signature().outputs;
    let mut out: Vec<Vec<f64>> = shapes
        .iter()
        .map(|shape| vec![0.0; shape.len(batch)])
        .collect();
    let width = OP.scalars + 3 * OP.vectors;
    for system in 0..batch.systems() {
        for (i, head) in batch.range(system).flat_map(|i| [(i, 0), (i, 1)]) {
            let score = |j: usize| {
                let product =
                    |index| number(inputs, i, 0, head, index) * number(inputs, j, 1, head, index);
                (0..width).map(product).sum::<f64>() / (width as f64).sqrt()
            };
            let scores: Vec<f64> = batch.range(system).map(score).collect();
            let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = scores.iter().map(|score| (score - highest).exp()).sum();
            out[2][i * OP.heads + head] = highest + total.ln();
            for (j, score) in batch.range(system).zip(&scores) {
                let share = (score - highest).exp() / total;
                for index in 0..width {
                    let value = share * number(inputs, j, 2, head, index);
                    if index < OP.scalars {
                        out[0][(i * OP.heads + head) * OP.scalars + index] += value;
                    } else {
                        let component = (index - OP.scalars) / OP.vectors;
                        let row = (i * 3 + component) * OP.heads + head;
                        out[1][row * OP.vectors + (index - OP.scalars) % OP.vectors] += value;
                    }
                }
            }
        }
    }
    out
}

/// Largest difference of two lists of buffers; NaN fails.
fn assert_near(found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance, "{found} {expected}");
    }
}

#[test]
fn equals_the_definition_around_the_edges_of_blocks() {
    let batch = batch(&[1, 63, 0, 64, 65, 2, 150]);
    let inputs = inputs(&batch, 1.5);
    let expected = definition(&batch, &inputs);
    assert_near(&forward::<f64>(&batch, &inputs), &expected, 1e-13);
    assert_near(&forward::<f32>(&batch, &inputs), &expected, 2e-6);
}

/// Exponentials of the scores themselves would overflow, even in f64.
#[test]
fn large_scores_are_no_trouble() {
    let batch = batch(&[130, 3]);
    let inputs = inputs(&batch, 60.0);
    let expected = definition(&batch, &inputs);
    assert!(expected[2].iter().any(|&lse| lse > 710.0));
    assert_near(&forward::<f64>(&batch, &inputs), &expected, 1e-11);
}

#[test]
fn thread_count_does_not_change_a_bit() {
    let batch = batch(&[200, 7, 90]);
    let inputs = inputs(&batch, 1.0);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| forward::<f32>(&batch, &inputs))
    };
    assert!(run(1) == run(3));
}
