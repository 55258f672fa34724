//! Gradients of every op against central differences in f64, and a wrong gradient that the harness
//! must reject.

mod support;

use mdsurrogate::engine::Cpu;
use mdsurrogate::ops::Op;
use support::{Case, all_ops, batch, random, relative_error};

/// Central differences of the case's value in every direction of one buffer,
/// Richardson-extrapolated (error ∝ h⁴).
fn differences(case: &mut Case, buffer: impl Fn(&mut Case) -> &mut Vec<f64>) -> Vec<f64> {
    let engine = Cpu::<f64>::new();
    let len = buffer(case).len();
    let mut slope = |index: usize, h: f64| {
        let mut at = |x: f64| {
            buffer(case)[index] += x;
            let value = case.value(&engine);
            buffer(case)[index] -= x;
            value
        };
        (at(h) - at(-h)) / (2.0 * h)
    };
    (0..len)
        .map(|index| (4.0 * slope(index, 5e-4) - slope(index, 1e-3)) / 3.0)
        .collect()
}

/// The largest relative error over all gradients of a case, each buffer's against its own
/// differences.
fn worst_error(case: &mut Case, spoil: f64) -> f64 {
    let outcome = case.run(&Cpu::<f64>::new());
    let mut worst = 0.0f64;
    let mut compare = |analytic: &[f64], numeric: &[f64]| {
        let spoiled: Vec<f64> = analytic.iter().map(|x| x * spoil).collect();
        let error = relative_error(&spoiled, numeric);
        worst = if error.is_nan() {
            f64::NAN
        } else {
            worst.max(error)
        };
    };
    for k in 0..case.inputs.len() {
        compare(
            &outcome.d_inputs[k],
            &differences(case, |case| &mut case.inputs[k]),
        );
    }
    for k in 0..case.params.len() {
        compare(
            &outcome.d_params[k],
            &differences(case, |case| &mut case.params[k]),
        );
    }
    worst
}

fn case(op: Op, seed: u64) -> Case {
    let mut rng = random(seed);
    let batch = batch(&mut rng, &[5, 1, 9], 4);
    Case::random(op, batch, &mut rng)
}

#[test]
fn every_op_has_the_gradient_of_its_forward() {
    for op in all_ops() {
        let error = worst_error(&mut case(op.clone(), 1), 1.0);
        println!("{:<16} {error:.1e}", op.name());
        assert!(error <= 1e-6, "{op:?}: {error:e}");
    }
}

#[test]
fn a_wrong_gradient_is_rejected() {
    for op in all_ops() {
        let error = worst_error(&mut case(op.clone(), 2), 1.0 + 1e-4);
        assert!(
            error > 1e-6,
            "{op:?} accepted a gradient that is wrong by 1e-4: {error:e}"
        );
    }
}
