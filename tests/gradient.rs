//! Gradients of every op against central differences in f64, and a wrong gradient that the harness
//! must reject.

mod support;

use mdsurrogate::engine::Cpu;
use mdsurrogate::ops::{Kernel, Op};
use rand::seq::index;
use support::{Case, case, largest, random, relative_error};

/// Numbers of a buffer that are varied: all of those that small examples have, some of the others.
const VARIED: usize = 300;

/// The numbers of a buffer that are varied, ascending.
fn varied(len: usize) -> Vec<usize> {
    let mut picked = index::sample(&mut random(8), len, len.min(VARIED)).into_vec();
    picked.sort_unstable();
    picked
}

/// Relative error of a gradient against central differences of the case's value in the directions
/// that are varied, Richardson-extrapolated (error ∝ h⁴).
fn error(case: &mut Case, gradient: &[f64], buffer: impl Fn(&mut Case) -> &mut Vec<f64>) -> f64 {
    let engine = Cpu::<f64>::new();
    let mut slope = |index: usize, h: f64| {
        let mut at = |x: f64| {
            buffer(case)[index] += x;
            let value = case.value(&engine);
            buffer(case)[index] -= x;
            value
        };
        (at(h) - at(-h)) / (2.0 * h)
    };
    let varied = varied(gradient.len());
    let analytic: Vec<f64> = varied.iter().map(|&index| gradient[index]).collect();
    let numeric: Vec<f64> = varied
        .iter()
        .map(|&index| (4.0 * slope(index, 5e-4) - slope(index, 1e-3)) / 3.0)
        .collect();
    relative_error(&analytic, &numeric)
}

/// The largest relative error over all gradients of a case, each multiplied by `spoil`.
fn worst_error(case: &mut Case, spoil: f64) -> f64 {
    let spoiled = |gradients: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        let times = |gradient: Vec<f64>| gradient.iter().map(|x| x * spoil).collect();
        gradients.into_iter().map(times).collect()
    };
    let outcome = case.run(&Cpu::<f64>::new());
    let mut errors = Vec::new();
    for (k, gradient) in spoiled(outcome.d_inputs).iter().enumerate() {
        errors.push(error(case, gradient, |case| &mut case.inputs[k]));
    }
    for (k, gradient) in spoiled(outcome.d_params).iter().enumerate() {
        errors.push(error(case, gradient, |case| &mut case.params[k]));
    }
    largest(errors)
}

#[test]
fn every_op_has_the_gradient_of_its_forward() {
    for op in Op::examples() {
        let error = worst_error(&mut case(&op, 1, &[5, 1, 9], 4), 1.0);
        println!("{:<16} {error:.1e}", op.name());
        assert!(error <= 1e-6, "{op:?}: {error:e}");
    }
}

#[test]
fn a_wrong_gradient_is_rejected() {
    for op in Op::examples() {
        let error = worst_error(&mut case(&op, 2, &[5, 1, 9], 4), 1.0 + 1e-4);
        assert!(
            error > 1e-6,
            "{op:?} accepted a gradient that is wrong by 1e-4: {error:e}"
        );
    }
}
