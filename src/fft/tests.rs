//! The long convolutions against their definitions, in every mode.

mod case;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use case::{Case, modes, offsets, products, relative, uniform};

#[test]
fn smooth_lengths() {
    assert_eq!(
        [0, 1, 11, 63, 307, 2461, 31999].map(smooth_length),
        [1, 1, 12, 63, 315, 2500, 32000]
    );
}

#[test]
fn equals_the_definition_at_every_length() {
    for convolution in modes() {
        for terms in Terms::ALL {
            for n in 1..=257 {
                let case = Case::new(terms, convolution, 2, &[n]);
                let expected = case.definition();
                let (wide, narrow) = (
                    relative(&case.forward::<f64>(), &expected),
                    relative(&case.forward::<f32>(), &expected),
                );
                assert!(
                    wide <= 1e-12,
                    "{terms:?} {convolution:?} N = {n}, f64: {wide:e}"
                );
                assert!(
                    narrow <= 1e-5,
                    "{terms:?} {convolution:?} N = {n}, f32: {narrow:e}"
                );
            }
        }
    }
}

#[test]
fn gradients_equal_the_definition() {
    for convolution in modes() {
        for terms in Terms::ALL {
            for n in (1..=24).chain([31, 32, 47, 64, 97, 128, 131, 210, 257]) {
                let case = Case::new(terms, convolution, 3, &[n]);
                let expected = case.definition_of_gradients();
                for (tolerance, found) in [
                    (1e-12, case.backward::<f64>(0.0)),
                    (1e-5, case.backward::<f32>(0.0)),
                ] {
                    for (name, (found, expected)) in
                        ["q", "k", "lambda"].iter().zip(found.iter().zip(&expected))
                    {
                        let error = relative(found, expected);
                        assert!(
                            error <= tolerance,
                            "{terms:?} {convolution:?} N = {n}, d_{name}: {error:e}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_equal_central_differences() {
    for convolution in [Convolution::PAPER, Convolution::WORKING] {
        for terms in Terms::ALL {
            for n in [1, 5, 12, 61, 131] {
                let case = Case::new(terms, convolution, 2, &[n]);
                let gradients = case.backward::<f64>(0.0);
                for (which, gradient) in gradients.iter().enumerate() {
                    let rng = &mut ChaCha8Rng::seed_from_u64(n as u64);
                    let direction = uniform(rng, gradient.len());
                    let at = |step: f64| {
                        let mut case = Case::new(terms, convolution, 2, &[n]);
                        let moved = [&mut case.q, &mut case.k, &mut case.lambda]
                            .into_iter()
                            .nth(which)
                            .unwrap();
                        moved
                            .iter_mut()
                            .zip(&direction)
                            .for_each(|(x, d)| *x += step * d);
                        case.forward::<f64>()
                            .iter()
                            .zip(&case.d_out)
                            .map(|(x, d)| x * d)
                            .sum::<f64>()
                    };
                    let difference = (at(1e-3) - at(-1e-3)) / 2e-3;
                    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                    let size = gradient.iter().map(|g| g.abs()).fold(0.0, f64::max);
                    let error = (difference - along).abs() / along.abs().max(size);
                    assert!(
                        error <= 1e-6,
                        "{terms:?} {convolution:?} N = {n}, input {which}: {error:e}"
                    );
                }
            }
        }
    }
}

#[test]
fn both_methods_equal_the_definition() {
    let channels = 2;
    for convolution in modes() {
        for (method, lengths) in [(Method::Transform, 1..=48), (Method::Direct, 1..=70)] {
            for n in lengths {
                let case = Case {
                    method,
                    ..Case::new(Terms::Geometric, convolution, channels, &[n])
                };
                let error = relative(&case.forward::<f64>(), &case.definition());
                assert!(
                    error <= 1e-12,
                    "{method:?} {convolution:?} N = {n}: {error:e}"
                );
                for (found, expected) in case
                    .backward::<f64>(0.0)
                    .iter()
                    .zip(case.definition_of_gradients())
                {
                    let error = relative(found, &expected);
                    assert!(
                        error <= 1e-12,
                        "{method:?} {convolution:?} N = {n}, gradient: {error:e}"
                    );
                }
            }
        }
    }
}

/// The first values of the linear convolution of two sequences, by the `realfft` crate.
fn by_realfft(a: &[f64], b: &[f64]) -> Vec<f64> {
    let n = 2 * a.len();
    let mut planner = realfft::RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(n);
    let inverse = planner.plan_fft_inverse(n);
    let spectrum = |values: &[f64]| {
        let mut signal = forward.make_input_vec();
        let mut spectrum = forward.make_output_vec();
        signal[..values.len()].copy_from_slice(values);
        forward.process(&mut signal, &mut spectrum).unwrap();
        spectrum
    };
    let mut product: Vec<_> = spectrum(a)
        .iter()
        .zip(spectrum(b))
        .map(|(a, b)| a * b)
        .collect();
    (product[0].im, product[n / 2].im) = (0.0, 0.0);
    let mut out = inverse.make_output_vec();
    inverse.process(&mut product, &mut out).unwrap();
    out[..a.len()].iter().map(|x| x / n as f64).collect()
}

#[test]
fn long_systems_agree_with_another_program() {
    let convolution = Convolution::WORKING;
    for n in [1231, 2500, 4096, 16000] {
        let case = Case::new(Terms::Geometric, convolution, 1, &[n]);
        let part = |values: &[f64], component: usize| {
            values
                .iter()
                .skip(component)
                .step_by(4)
                .copied()
                .collect::<Vec<_>>()
        };
        let unit =
            |component: usize| std::array::from_fn(|c| if c == component { 1.0 } else { 0.0 });
        let l = case.weights(0);
        let scale = convolution.factor(n);
        let mut expected = vec![0.0; 4 * n];
        for (s, t) in (0..16).map(|pair| (pair / 4, pair % 4)) {
            let products = products(unit(s), unit(t));
            let terms = by_realfft(&part(&case.q, s), &part(&case.k, t));
            for (out, term) in expected.chunks_exact_mut(4).zip(terms) {
                (0..4).for_each(|c| {
                    out[c] += scale * term * (0..5).map(|p| l[p] * products[p][c]).sum::<f64>();
                });
            }
        }
        let (wide, narrow) = (
            relative(&case.forward::<f64>(), &expected),
            relative(&case.forward::<f32>(), &expected),
        );
        assert!(wide <= 1e-12, "N = {n}, f64: {wide:e}");
        assert!(narrow <= 1e-5, "N = {n}, f32: {narrow:e}");
    }
}

#[test]
fn backward_adds() {
    for terms in Terms::ALL {
        let case = Case::new(terms, Convolution::WORKING, 9, &[20, 150]);
        for (zero, one) in case
            .backward::<f64>(0.0)
            .iter()
            .zip(&case.backward::<f64>(1.0))
        {
            assert!(relative(one, zero) <= 1e-14);
        }
    }
}

#[test]
fn systems_do_not_mix() {
    for convolution in modes() {
        for terms in Terms::ALL {
            let lengths = [5, 0, 1, 200, 17, 5];
            let case = Case::new(terms, convolution, 11, &lengths);
            let (out, gradients) = (case.forward::<f32>(), case.backward::<f32>(0.0));
            for range in case.systems() {
                let rows = range.start * 44..range.end * 44;
                let part = |values: &[f64]| values[rows.clone()].to_vec();
                let alone = Case {
                    offsets: offsets(&[range.len()]),
                    q: part(&case.q),
                    k: part(&case.k),
                    d_out: part(&case.d_out),
                    ..Case::new(terms, convolution, 11, &[])
                };
                assert_eq!(alone.forward::<f32>(), part(&out));
                let [d_q, d_k, _] = alone.backward::<f32>(0.0);
                assert_eq!([d_q, d_k], [part(&gradients[0]), part(&gradients[1])]);
            }
        }
    }
}

#[test]
fn thread_count_does_not_change_a_bit() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut all = Vec::new();
            for terms in Terms::ALL {
                let case = Case::new(terms, Convolution::WORKING, 19, &[33, 700, 8, 1231]);
                all.push(case.forward::<f32>());
                all.extend(case.backward::<f32>(0.0));
            }
            all
        })
    };
    assert!(run(1) == run(2));
}

/// Rotates every vector by a rotation about a general axis.
fn rotated(values: &[f64], channels: usize) -> Vec<f64> {
    let rotation = nalgebra::Rotation3::from_euler_angles(0.7, -1.9, 2.4);
    let mut out = values.to_vec();
    for (row, from) in out
        .chunks_exact_mut(4 * channels)
        .zip(values.chunks_exact(4 * channels))
    {
        for channel in 0..channels {
            let r =
                rotation * nalgebra::Vector3::from_fn(|h, _| from[(h + 1) * channels + channel]);
            (0..3).for_each(|h| row[(h + 1) * channels + channel] = r[h]);
        }
    }
    out
}

#[test]
fn rotations_commute_and_reflections_do_not() {
    for convolution in modes() {
        for terms in Terms::ALL {
            let case = Case::new(terms, convolution, 3, &[20, 257]);
            let turned = Case {
                q: rotated(&case.q, 3),
                k: rotated(&case.k, 3),
                ..Case::new(terms, convolution, 3, &[20, 257])
            };
            let error = relative(
                &turned.forward::<f64>(),
                &rotated(&case.forward::<f64>(), 3),
            );
            assert!(error <= 1e-12, "{terms:?} {convolution:?}: {error:e}");
            let mirror = |values: &[f64]| -> Vec<f64> {
                values
                    .iter()
                    .enumerate()
                    .map(|(index, &x)| if index / 3 % 4 == 0 { x } else { -x })
                    .collect()
            };
            let mirrored = Case {
                q: mirror(&case.q),
                k: mirror(&case.k),
                ..Case::new(terms, convolution, 3, &[20, 257])
            };
            let error = relative(&mirrored.forward::<f64>(), &mirror(&case.forward::<f64>()));
            if terms == Terms::Scalar {
                assert!(error <= 1e-12);
            } else {
                assert!(error > 0.1);
            }
        }
    }
}

#[test]
fn is_a_quaternion_convolution() {
    let convolution = Convolution {
        scale: Scale::InverseLength,
        ..Convolution::PAPER
    };
    let n = 101;
    let case = Case {
        lambda: vec![1.0, -1.0, 1.0, 1.0, 1.0],
        ..Case::new(Terms::Geometric, convolution, 1, &[n])
    };
    let quaternion = |values: &[f64], token: usize| {
        let [w, i, j, k] = case.tuple(values, token, 0);
        nalgebra::Quaternion::new(w, i, j, k)
    };
    let mut expected = Vec::new();
    for i in 0..n {
        let terms = (0..n).map(|j| quaternion(&case.q, j) * quaternion(&case.k, (n + i - j) % n));
        let sum = terms.fold(
            nalgebra::Quaternion::new(0.0, 0.0, 0.0, 0.0),
            |sum, term| sum + term,
        );
        expected.extend([sum.w, sum.i, sum.j, sum.k].map(|x| x / n as f64));
    }
    let error = relative(&case.forward::<f64>(), &expected);
    assert!(error <= 1e-12, "{error:e}");
}
