//! One test body, every engine: f32 against the f64 oracle, forward and backward.

mod support;

use mdsurrogate::engine::{Cpu, Engine};
use support::{Case, Outcome, all_ops, batch, random, relative_error};

/// Largest relative error over all buffers of an outcome.
fn worst(outcome: &Outcome, oracle: &Outcome) -> f64 {
    let pairs = [(&outcome.outputs, &oracle.outputs), (&outcome.d_inputs, &oracle.d_inputs), (&outcome.d_params, &oracle.d_params)];
    let errors = pairs.iter().flat_map(|(a, b)| a.iter().zip(b.iter())).map(|(a, b)| relative_error(a, b));
    errors.fold(0.0, |worst, error| if error.is_nan() { f64::NAN } else { worst.max(error) })
}

fn agrees_with_the_oracle<E: Engine>(engine: &E, sizes: &[usize], tolerance: f64) {
    for op in all_ops() {
        let mut rng = random(sizes.len() as u64);
        let batch = batch(&mut rng, sizes, 8);
        let case = Case::random(op.clone(), batch, &mut rng);
        let error = worst(&case.run(engine), &case.run(&Cpu::<f64>::new()));
        assert!(error <= tolerance, "{} on {sizes:?}, {}: {error:e}", op.name(), engine.name());
    }
}

#[test]
fn cpu_f32_agrees_with_f64() {
    for sizes in [&[1][..], &[2, 31], &[154], &[1000, 7, 300]] {
        agrees_with_the_oracle(&Cpu::<f32>::new(), sizes, 1e-4);
    }
}
