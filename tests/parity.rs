//! One test body, every engine: f32 against the f64 oracle, forward and backward.

mod support;

#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Cpu, Engine};
use support::{Case, Outcome, all_ops, batch, random, relative_error};

/// Largest relative error over all buffers of an outcome.
fn worst(outcome: &Outcome, oracle: &Outcome) -> f64 {
    let pairs = [
        (&outcome.outputs, &oracle.outputs),
        (&outcome.d_inputs, &oracle.d_inputs),
        (&outcome.d_params, &oracle.d_params),
    ];
    let errors = pairs
        .iter()
        .flat_map(|(a, b)| a.iter().zip(b.iter()))
        .map(|(a, b)| relative_error(a, b));
    errors.fold(0.0, |worst, error| {
        if error.is_nan() {
            f64::NAN
        } else {
            worst.max(error)
        }
    })
}

/// Runs every op on these systems; each error must be within `tolerance`.
fn agrees_with_the_oracle<E: Engine>(engine: &E, sizes: &[usize], tolerance: f64) {
    for op in all_ops() {
        let mut rng = random(sizes.len() as u64);
        let batch = batch(&mut rng, sizes, 8);
        let case = Case::random(op.clone(), batch, &mut rng);
        let error = worst(&case.run(engine), &case.run(&Cpu::<f64>::new()));
        println!("{:<16} {sizes:?} {error:.1e}", op.name());
        assert!(
            error <= tolerance,
            "{op:?} on {sizes:?}, {}: {error:e}",
            engine.name()
        );
    }
}

#[test]
fn cpu_f32_agrees_with_f64() {
    for sizes in [&[1][..], &[2, 31], &[154], &[1000, 7, 300]] {
        agrees_with_the_oracle(&Cpu::<f32>::new(), sizes, 1e-4);
    }
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_agrees_with_f64() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    for sizes in [&[1][..], &[2, 31], &[154], &[1000, 7, 300], &[257, 0, 256]] {
        agrees_with_the_oracle(&gpu, sizes, 2e-5);
    }
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_agrees_with_f64_on_thousands_of_tokens() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    agrees_with_the_oracle(&gpu, &[4096], 2e-5);
}

/// Long convolutions in every mode by one way of transforming.
#[cfg(feature = "gpu")]
fn convolutions_agree(transforms: Transforms, all_sizes: &[&[usize]]) {
    let Some(gpu) = support::gpu(transforms) else {
        return;
    };
    for sizes in all_sizes {
        for op in support::long_convolutions(2) {
            let mut rng = random(5);
            let batch = batch(&mut rng, sizes, 0);
            let case = Case::random(op.clone(), batch, &mut rng);
            let error = worst(&case.run(&gpu), &case.run(&Cpu::<f64>::new()));
            println!("{transforms:?} {:<16} {sizes:?} {error:.1e}", op.name());
            assert!(
                error <= 1e-5,
                "{transforms:?}: {op:?} on {sizes:?}: {error:e}"
            );
        }
    }
}

/// Chains and rings, of smooth lengths (which VkFFT transforms as they are) and others, alike and
/// not.
#[cfg(feature = "gpu")]
const SIZES: [&[usize]; 7] = [
    &[1],
    &[2, 31],
    &[154, 154],
    &[1000],
    &[997, 1, 1000, 1000],
    &[64, 0, 64],
    &[4096],
];

#[cfg(feature = "gpu")]
#[test]
fn transforms_in_wgsl_agree_with_f64() {
    convolutions_agree(Transforms::Wgsl, &SIZES);
}

#[cfg(feature = "gpu")]
#[test]
fn double_sums_agree_with_f64() {
    convolutions_agree(Transforms::Direct, &SIZES[..6]);
}

#[cfg(all(feature = "vkfft", target_os = "linux"))]
#[test]
fn vkfft_agrees_with_f64() {
    convolutions_agree(Transforms::VkFft, &SIZES);
}

/// 65,537 is a prime, and a ring of 65,536 tokens takes several passes through shared memory.
#[cfg(all(feature = "vkfft", target_os = "linux"))]
#[test]
fn vkfft_agrees_with_f64_on_65537_tokens() {
    convolutions_agree(Transforms::VkFft, &[&[65_537], &[65_536]]);
}

/// Minutes on a software device: `cargo test --release --test parity -- --ignored`.
#[cfg(feature = "gpu")]
#[test]
#[ignore = "minutes on a software device"]
fn the_gpu_agrees_with_f64_on_65537_tokens() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    agrees_with_the_oracle(&gpu, &[65_537], 2e-5);
}

#[cfg(feature = "gpu")]
#[test]
fn messages_of_every_width_agree() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    for channels in [16, 32, 64] {
        let mut rng = random(channels as u64);
        let batch = batch(&mut rng, &[40, 1, 70], 37);
        let op = mdsurrogate::ops::message::Message {
            channels,
            radial: 14,
            reach: 11.0,
        };
        let case = Case::random(op.into(), batch, &mut rng);
        let error = worst(&case.run(&gpu), &case.run(&Cpu::<f64>::new()));
        assert!(error <= 2e-5, "{channels}: {error:e}");
    }
}

/// What one evaluation leaves in memory, the next one must not see: the same bits every time, in
/// whatever company.
#[cfg(feature = "gpu")]
#[test]
fn the_gpu_gives_the_same_bits_again() {
    if support::gpu(Transforms::Fastest).is_none() {
        return;
    }
    let gpu = mdsurrogate::engine::Gpu::best().unwrap();
    let cases: Vec<Case> = all_ops()
        .into_iter()
        .map(|op| {
            let mut rng = random(4);
            let batch = batch(&mut rng, &[300, 12, 1100], 6);
            Case::random(op, batch, &mut rng)
        })
        .collect();
    let all = || {
        cases
            .iter()
            .map(|case| case.run(&gpu))
            .map(|o| (o.outputs, o.d_inputs, o.d_params))
            .collect::<Vec<_>>()
    };
    assert!(all() == all());
    let held = gpu.bytes();
    all();
    assert_eq!(gpu.bytes(), held, "a third round needs no more memory");
}
