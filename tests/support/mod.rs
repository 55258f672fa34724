//! What tests of ops and networks share: random batches, cases of ops, engines, and comparing.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part"
)]

mod batch;
mod case;

pub use batch::batch;
pub use case::{Case, Outcome, case};

use mdsurrogate::engine::Cpu;
#[cfg(feature = "gpu")]
use mdsurrogate::engine::{Gpu, gpu::Transforms};
use mdsurrogate::network::{Gradients, Inputs, Network};
use mdsurrogate::task::Task;
use nalgebra::Vector3;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
#[cfg(feature = "gpu")]
use std::sync::LazyLock;

/// The GPU engine with guard words, opened once a way of transforming; none, with a printed line,
/// where there is no device. With MDSURROGATE_REQUIRE_GPU=1 that is a failure.
#[cfg(feature = "gpu")]
pub fn gpu(transforms: Transforms) -> Option<Gpu> {
    static OPENED: [LazyLock<Option<Gpu>>; 4] = [
        LazyLock::new(|| opened(Transforms::Fastest)),
        LazyLock::new(|| opened(Transforms::Wgsl)),
        LazyLock::new(|| opened(Transforms::VkFft)),
        LazyLock::new(|| opened(Transforms::Direct)),
    ];
    OPENED[transforms as usize].clone()
}

#[cfg(feature = "gpu")]
fn opened(transforms: Transforms) -> Option<Gpu> {
    Gpu::guarded(transforms)
        .map_err(|error| {
            let required = std::env::var("MDSURROGATE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "MDSURROGATE_REQUIRE_GPU=1, and {error}");
            // past the harness, which keeps the words of tests that pass
            std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("skipped on the GPU: {error}\n"),
            )
            .unwrap();
        })
        .ok()
}

/// A random generator with a seed.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `len` normal numbers.
pub fn normals(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    (0..len).map(|_| rng.sample(StandardNormal)).collect()
}

/// The numbers of vectors, one after the other.
pub fn flat(vectors: &[Vector3<f64>]) -> Vec<f64> {
    vectors.iter().flat_map(|v| [v.x, v.y, v.z]).collect()
}

/// Asserts that `gradients` are those of Σ d·answer by the parameters, along one random direction
/// of each tensor: to a relative error of `tolerance`, absolute where the slope is below `floor`.
///
/// Central differences, extrapolated once. Rounding asks for long steps and truncation for short
/// ones, where between them depends on the network: the best of three counts, and no wrong
/// gradient meets any of them to six digits.
pub fn assert_slopes(
    task: &Task,
    network: &mut Network<Cpu<f64>>,
    inputs: &Inputs,
    d: &[Vector3<f64>],
    gradients: &Gradients,
    rng: &mut impl Rng,
    [floor, tolerance]: [f64; 2],
) {
    let start = network.parameters().unwrap();
    let mut at = 0;
    for (name, shape) in network.program().params.clone() {
        let range = at..at + shape.size[0] * shape.size[1];
        at = range.end;
        let direction = normals(rng, range.len());
        let mut value = |h: f64| {
            let mut moved = start.clone();
            moved[range.clone()]
                .iter_mut()
                .zip(&direction)
                .for_each(|(x, d)| *x += h * d);
            network.set_parameters(&moved).unwrap();
            task.predict(network, inputs)
                .unwrap()
                .iter()
                .zip(d)
                .map(|(a, d)| a.dot(d))
                .sum::<f64>()
        };
        let mut slope = |h: f64| (value(h) - value(-h)) / (2.0 * h);
        let analytic: f64 = gradients.params[range.clone()]
            .iter()
            .zip(&direction)
            .map(|(g, d)| g * d)
            .sum();
        let mut found = Vec::new();
        let best = [5e-5, 2e-4, 8e-4].iter().any(|h| {
            let numeric = (4.0 * slope(*h) - slope(2.0 * h)) / 3.0;
            let error = (analytic - numeric).abs() / numeric.abs().max(floor);
            found.push([error, numeric]);
            error <= tolerance
        });
        assert!(best, "{name}: {analytic}, (error, numeric) {found:?}");
    }
}

/// The largest error; NaN where any is.
pub fn largest(errors: impl IntoIterator<Item = f64>) -> f64 {
    errors.into_iter().fold(0.0, |worst, error| {
        if error.is_nan() || worst.is_nan() {
            f64::NAN
        } else {
            worst.max(error)
        }
    })
}

/// ‖a − b‖ / ‖b‖ (absolute where b is 0); NaN where any element is.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
    let size = norm(&mut b.iter().copied());
    if size == 0.0 {
        difference
    } else {
        difference / size
    }
}
