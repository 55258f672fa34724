//! One test body, every engine: f32 against the f64 oracle, forward and backward.

mod support;

#[cfg(feature = "gpu")]
use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Cpu, Engine};
#[cfg(feature = "gpu")]
use mdsurrogate::ops::chain::Chain;
#[cfg(feature = "gpu")]
use mdsurrogate::ops::long_conv::LongConv;
#[cfg(feature = "gpu")]
use mdsurrogate::ops::message::Message;
use mdsurrogate::ops::{Kernel, Op};
use support::{Case, Outcome, case, largest, relative_error};

/// Largest relative error over all buffers of an outcome.
fn worst(outcome: &Outcome, oracle: &Outcome) -> f64 {
    let pairs = [
        (&outcome.outputs, &oracle.outputs),
        (&outcome.d_inputs, &oracle.d_inputs),
        (&outcome.d_params, &oracle.d_params),
    ];
    largest(
        pairs
            .iter()
            .flat_map(|(a, b)| a.iter().zip(b.iter()))
            .map(|(a, b)| relative_error(a, b)),
    )
}

/// Asserts that an engine agrees with the oracle on a case.
fn assert_agrees<E: Engine>(engine: &E, case: &Case, tolerance: f64) {
    let error = worst(&case.run(engine), &case.run(&Cpu::<f64>::new()));
    let sizes: Vec<usize> = (0..case.batch.systems())
        .map(|system| case.batch.range(system).len())
        .collect();
    println!("{:<16} {sizes:?} {error:.1e}", case.op.name());
    let engine = engine.name();
    assert!(
        error <= tolerance,
        "{:?} on {sizes:?}, {engine}: {error:e}",
        case.op
    );
}

/// Runs every op on these systems; each error must be within `tolerance`.
fn agrees_with_the_oracle<E: Engine>(engine: &E, sizes: &[usize], tolerance: f64) {
    for op in Op::examples() {
        let case = case(&op, sizes.len() as u64, sizes, 8);
        assert_agrees(engine, &case, tolerance);
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
        for op in LongConv::examples() {
            assert_agrees(&gpu, &case(&op.into(), 5, sizes, 0), 1e-5);
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

#[cfg(has_vkfft)]
#[test]
fn vkfft_agrees_with_f64() {
    convolutions_agree(Transforms::VkFft, &SIZES);
}

/// 65,537 is a prime, and a ring of 65,536 tokens takes several passes through shared memory.
#[cfg(has_vkfft)]
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

/// More neighbours than a block of edges has, and none.
#[cfg(feature = "gpu")]
#[test]
fn messages_of_every_width_agree() {
    let Some(gpu) = support::gpu(Transforms::Fastest) else {
        return;
    };
    for op in Message::examples() {
        let case = case(&op.into(), 7, &[40, 1, 70], 37);
        assert_agrees(&gpu, &case, 2e-5);
    }
}

/// Chains whatever number of tokens a group of lanes has, and more tokens than a group.
#[cfg(feature = "gpu")]
#[test]
fn chains_of_every_tile_agree() {
    if support::gpu(Transforms::Fastest).is_none() {
        return;
    }
    for tokens in [4, 8, 16] {
        let gpu = mdsurrogate::engine::Gpu::guarded_tiles(tokens).unwrap();
        for op in Chain::examples() {
            for sizes in [&[1][..], &[2, 31], &[16, 0, 32]] {
                assert_agrees(&gpu, &case(&op.clone().into(), 9, sizes, 0), 2e-5);
            }
        }
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
    let cases: Vec<Case> = Op::examples()
        .iter()
        .map(|op| case(op, 4, &[300, 12, 1100], 6))
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
