//! The kernels against a direct implementation of the equations, central differences, rotations and
//! thread counts.

mod case;

use super::*;
use case::{Buffers, Case, cut, error};

/// B-spline k of degree `degree` on the knots (i − 3)δ by the recursion of Cox and de Boor.
fn cox_de_boor(k: usize, degree: usize, delta: f64, r: f64) -> f64 {
    let knot = |i: usize| (i as f64 - 3.0) * delta;
    if degree == 0 {
        return if knot(k) <= r && r < knot(k + 1) {
            1.0
        } else {
            0.0
        };
    }
    (r - knot(k)) / (knot(k + degree) - knot(k)) * cox_de_boor(k, degree - 1, delta, r)
        + (knot(k + degree + 1) - r) / (knot(k + degree + 1) - knot(k + 1))
            * cox_de_boor(k + 1, degree - 1, delta, r)
}

fn spline(op: &Message, k: usize, r: f64) -> f64 {
    let delta = op.reach / (op.radial - 1) as f64;
    let last = if k + 1 < op.radial {
        k
    } else {
        (r / delta) as usize + 4
    };
    (k..=last).map(|k| cox_de_boor(k, 3, delta, r)).sum()
}

/// The module's equations, edge by edge and channel by channel.
fn reference(case: &Case) -> Buffers {
    let (op, batch, p) = (&case.op, &case.batch, case.op.channels);
    let (mut agg, mut vectors) = (
        vec![0.0; batch.tokens() * p],
        vec![0.0; batch.tokens() * 6 * p],
    );
    let silu = |x: f64| x / (1.0 + (-x).exp());
    for (system, i) in
        (0..batch.systems()).flat_map(|system| batch.range(system).map(move |i| (system, i)))
    {
        for edge in batch.edges.start[i] as usize..batch.edges.start[i + 1] as usize {
            let j = batch.edges.sender[edge] as usize;
            let difference =
                |of: &[f64]| std::array::from_fn::<f64, 3, _>(|h| of[3 * i + h] - of[3 * j + h]);
            let norm = |d: [f64; 3]| (d.iter().map(|d| d * d).sum::<f64>() + 1e-6).sqrt();
            let (d, dc, w) = (
                difference(&case.inputs[2]),
                difference(&case.inputs[3]),
                difference(&case.inputs[4]),
            );
            let (r, rc) = (norm(d), norm(dc));
            let (u, uc) = (d.map(|d| d / (r + 0.1)), dc.map(|d| d / (rc + 0.1)));
            let d0 = batch.edges.template[edge] as f64;
            let mask = if d0 == 0.0 { 0.0 } else { 1.0 };
            let s = batch.scale[system];
            let pre = |e: f64, width: f64| {
                let z = e * s / (width * width + s * s);
                z / (1.0 + (z / 4.0).powi(2)).sqrt()
            };
            let along = |u: [f64; 3]| w.iter().zip(u).map(|(w, u)| w * u).sum::<f64>();
            let t = mask * (r - d0);
            let g = [
                pre(t, 0.03),
                pre(t, 0.1),
                pre(mask * (r - rc), 0.1),
                pre(r - rc, 0.3),
                (r - rc).tanh(),
                2.0 / (r + 0.3),
                along(u),
                along(uc),
                mask * (rc - d0) / 0.1,
            ];
            let param = |index: usize, row: usize, c: usize| case.params[index][row * p + c];
            let mut hidden = vec![0.0; p];
            for (c, hidden) in hidden.iter_mut().enumerate() {
                let mut z = case.inputs[0][i * p + c]
                    + case.inputs[1][j * p + c]
                    + param(0, batch.edges.relation[edge] as usize, c);
                for k in 0..op.radial {
                    z += spline(op, k, r) * param(1, k, c) + spline(op, k, rc) * param(2, k, c);
                }
                *hidden = silu(z + (0..DENSE).map(|m| g[m] * param(3, m, c)).sum::<f64>());
            }
            for c in 0..p {
                let m =
                    silu((0..p).map(|k| hidden[k] * param(4, k, c)).sum::<f64>() + param(5, 0, c));
                agg[i * p + c] += 0.35 * 0.5 * m;
                for h in 0..3 {
                    vectors[(i * 3 + h) * 2 * p + c] += 0.35 * u[h] * m;
                    vectors[(i * 3 + h) * 2 * p + p + c] += 0.35 * uc[h] * m;
                }
            }
        }
    }
    vec![agg, vectors]
}

#[test]
fn forward_is_the_equations() {
    for channels in [8, 16, 32, 64] {
        let case = Case::new(1, channels, &[9, 1, 0, 14, 2], 11);
        let found = case.forward::<f64>(&case.inputs, &case.params);
        let error = error(&found, &reference(&case));
        assert!(error <= 1e-13, "{channels} channels: {error:e}");
    }
}

#[test]
fn splines_sum_to_one_and_end_smoothly() {
    let op = Message {
        channels: 8,
        radial: 7,
        reach: 5.0,
    };
    for step in 0..80 {
        let r = step as f64 * 0.1 + 0.001;
        let sum: f64 = (0..op.radial).map(|k| spline(&op, k, r)).sum();
        assert!((sum - 1.0).abs() <= 1e-14, "{r} {sum}");
    }
    assert!((spline(&op, op.radial - 1, 5.0) - 1.0).abs() <= 1e-14);
    // first and second derivative vanish where the constant begins
    let below = 1.0 - spline(&op, op.radial - 1, 5.0 - 1e-3);
    assert!(below <= 1e-9, "{below:e}");
}

#[test]
fn gradients_are_central_differences() {
    for (seed, channels) in [(2, 8), (3, 16), (4, 32)] {
        let case = Case::new(seed, channels, &[6, 10], 9);
        let projection = case.projection();
        let project = |inputs: &[Vec<f64>], params: &[Vec<f64>]| -> f64 {
            let outputs = case.forward::<f64>(inputs, params);
            outputs
                .iter()
                .flatten()
                .zip(projection.iter().flatten())
                .map(|(a, b)| a * b)
                .sum()
        };
        let (d_inputs, d_params) = case.backward::<f64>(&projection);
        const STEP: f64 = 2e-6;
        let differences = |which: &[Vec<f64>], value: &dyn Fn(&[Vec<f64>]) -> f64| -> Buffers {
            let mut moved = which.to_vec();
            let mut gradient = which.to_vec();
            for buffer in 0..which.len() {
                for k in 0..which[buffer].len() {
                    moved[buffer][k] = which[buffer][k] + STEP;
                    let above = value(&moved);
                    moved[buffer][k] = which[buffer][k] - STEP;
                    gradient[buffer][k] = (above - value(&moved)) / (2.0 * STEP);
                    moved[buffer][k] = which[buffer][k];
                }
            }
            gradient
        };
        let inputs = error(
            &d_inputs,
            &differences(&case.inputs, &|inputs| project(inputs, &case.params)),
        );
        let params = error(
            &d_params,
            &differences(&case.params, &|params| project(&case.inputs, params)),
        );
        assert!(
            inputs <= 1e-6 && params <= 1e-6,
            "{channels} channels: {inputs:e} {params:e}"
        );
    }
}

#[test]
fn single_precision_follows_double() {
    for channels in [8, 32, 64] {
        let case = Case::new(5, channels, &[20, 12], 16);
        let forward = error(
            &case.forward::<f32>(&case.inputs, &case.params),
            &case.forward::<f64>(&case.inputs, &case.params),
        );
        let (inputs, params) = case.backward::<f64>(&case.projection());
        let (inputs32, params32) = case.backward::<f32>(&case.projection());
        let backward = error(&inputs32, &inputs).max(error(&params32, &params));
        assert!(
            forward <= 1e-4 && backward <= 1e-4,
            "{channels} channels: {forward:e} {backward:e}"
        );
    }
}

#[test]
fn atoms_at_one_place_have_finite_gradients() {
    let mut case = Case::new(6, 8, &[5], 4);
    for buffer in [2, 3] {
        case.inputs[buffer].fill(0.7);
    }
    let (d_inputs, d_params) = case.backward::<f64>(&case.projection());
    assert!(
        d_inputs
            .iter()
            .chain(&d_params)
            .flatten()
            .all(|value| value.is_finite())
    );
    let outputs = case.forward::<f64>(&case.inputs, &case.params);
    assert!(error(&outputs[..1], &reference(&case)[..1]) <= 1e-13);
    assert!(
        outputs[1].iter().all(|&value| value == 0.0),
        "no direction, no vector"
    );
}

/// Rotates the rows `[3][width]` of a buffer.
fn rotate(buffer: &[f64], width: usize, matrix: &[[f64; 3]; 3]) -> Vec<f64> {
    let mut rotated = vec![0.0; buffer.len()];
    for (row, out) in buffer.chunks(3 * width).zip(rotated.chunks_mut(3 * width)) {
        for (k, out) in out.iter_mut().enumerate() {
            *out = (0..3)
                .map(|h| matrix[k / width][h] * row[h * width + k % width])
                .sum();
        }
    }
    rotated
}

#[test]
fn rotations_and_translations_pass_through() {
    let case = Case::new(7, 16, &[9, 13], 9);
    // the quaternion (1, 2, 3, 4)/√30
    let matrix = [[-20.0, 4.0, 22.0], [20.0, -10.0, 20.0], [10.0, 28.0, 4.0]]
        .map(|row: [f64; 3]| row.map(|value| value / 30.0));
    let mut moved = case.inputs.clone();
    for buffer in [2, 3, 4] {
        moved[buffer] = rotate(&moved[buffer], 1, &matrix);
        for token in moved[buffer].chunks_mut(3) {
            token[0] += 0.5;
            token[2] -= 1.5;
        }
    }
    let mut expected = case.forward::<f64>(&case.inputs, &case.params);
    expected[1] = rotate(&expected[1], 32, &matrix);
    let error = error(&case.forward::<f64>(&moved, &case.params), &expected);
    assert!(error <= 1e-12, "{error:e}");
}

#[test]
fn thread_count_does_not_change_a_bit() {
    for sizes in [&[2000][..], &[150; 10][..]] {
        let case = Case::new(8, 16, sizes, 32);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                (
                    case.forward::<f32>(&case.inputs, &case.params),
                    case.backward::<f32>(&case.projection()),
                )
            })
        };
        let (one, two, three) = (run(1), run(2), run(3));
        assert!(one.0.iter().flatten().all(|value| value.is_finite()));
        assert!(one == two && two == three);
    }
}

#[test]
fn pieces_add_up_to_what_the_systems_give_alone() {
    // two pieces, cut within the third system; alone, each system is one piece
    let whole = Case::new(9, 8, &[200, 90, 180, 250], 12);
    assert_eq!(partial::pieces(&whole.batch, 16), 2);
    let projection = whole.projection();
    let (d_inputs, d_params) = whole.backward::<f64>(&projection);
    let mut joined: Buffers = vec![vec![]; d_inputs.len()];
    let mut sum: Buffers = d_params.iter().map(|d| vec![0.0; d.len()]).collect();
    for system in 0..whole.batch.systems() {
        let alone = whole.system(system);
        let projection = projection
            .iter()
            .zip([8, 48])
            .map(|(rows, width)| cut(rows, width, &whole.batch.range(system)))
            .collect::<Buffers>();
        let (d_inputs, d_params) = alone.backward::<f64>(&projection);
        joined
            .iter_mut()
            .zip(d_inputs)
            .for_each(|(joined, d)| joined.extend(d));
        sum.iter_mut()
            .flatten()
            .zip(d_params.iter().flatten())
            .for_each(|(sum, d)| *sum += d);
    }
    let error = error(&d_inputs, &joined).max(error(&d_params, &sum));
    assert!(error <= 1e-12, "{error:e}");
}
