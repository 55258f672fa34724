//! Long convolutions of tuple sequences on the CPU, by real FFTs: one plan per length and process, spectra per channel.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

use super::{Convolution, Mixing};
use crate::engine::Real;
use crate::ops::Batch;

/// Which parts of the tuples take part: the others are not read, and their outputs are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    /// α.
    pub scalar: bool,
    /// r.
    pub vector: bool,
}

impl Parts {
    fn has(self, component: usize) -> bool {
        if component == 0 { self.scalar } else { self.vector }
    }
}

/// The geometric long convolution of two tuple sequences (see [`crate::ops::geometric_conv`]), or a part of it.
pub(crate) struct LongConvolution<'a, T> {
    /// Where the systems begin.
    pub batch: &'a Batch,
    /// Channels K.
    pub channels: usize,
    /// Padding, mixing and scale.
    pub convolution: Convolution,
    /// What of the tuples is read.
    pub parts: Parts,
    /// λ, 5 × K.
    pub lambda: &'a [T],
}

type Spectrum<T> = [Vec<Complex<T>>; 4];

/// Forward and inverse transform of one length.
struct Plan<T> {
    n: usize,
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
}

/// The plan of length `n`, made once per process.
fn plan<T: Real>(n: usize) -> Arc<Plan<T>> {
    type Plans = Mutex<HashMap<(TypeId, usize), Arc<dyn Any + Send + Sync>>>;
    static PLANS: LazyLock<Plans> = LazyLock::new(Plans::default);
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = plans.entry((TypeId::of::<T>(), n)).or_insert_with(|| {
        let mut planner = RealFftPlanner::<T>::new();
        Arc::new(Plan { n, forward: planner.plan_fft_forward(n), inverse: planner.plan_fft_inverse(n) })
    });
    entry.clone().downcast().expect("plans are stored under the type that they are for")
}

impl<T: Real> Plan<T> {
    /// Spectra of the four components of one channel; those that do not take part stay zero.
    fn spectrum(&self, rows: &[T], channels: usize, channel: usize, parts: Parts) -> Spectrum<T> {
        std::array::from_fn(|component| {
            let mut spectrum = self.forward.make_output_vec();
            if parts.has(component) {
                let mut signal = self.forward.make_input_vec();
                for (value, row) in signal.iter_mut().zip(rows.chunks_exact(4 * channels)) {
                    *value = row[component * channels + channel];
                }
                self.forward.process(&mut signal, &mut spectrum).expect("buffers come from the plan");
            }
            spectrum
        })
    }

    /// Writes or adds the inverse transform (with the factor 1/n and `scale`) of each component into its column of `rows`.
    fn signal(&self, mut spectrum: Spectrum<T>, scale: T, mut put: impl FnMut(usize, usize, T)) {
        let factor = scale / T::of(self.n as f64);
        let mut signal = self.inverse.make_output_vec();
        for (component, bins) in spectrum.iter_mut().enumerate() {
            // A real signal's zero and Nyquist bins are real; rounding may have left an imaginary part.
            bins[0].im = T::zero();
            if self.n.is_multiple_of(2) {
                bins[self.n / 2].im = T::zero();
            }
            self.inverse.process(bins, &mut signal).expect("buffers come from the plan");
            signal.iter().enumerate().for_each(|(token, &value)| put(token, component, factor * value));
        }
    }
}

impl<T: Real> LongConvolution<'_, T> {
    /// λ of one channel, 0 for the terms whose parts are left out.
    fn weights(&self, channel: usize) -> [T; 5] {
        std::array::from_fn(|term| self.lambda[term * self.channels + channel])
    }

    /// The slices of a buffer of tuples, system by system.
    fn split<'b>(&self, mut rows: &'b mut [T]) -> Vec<&'b mut [T]> {
        (0..self.batch.systems())
            .map(|system| {
                let (head, tail) = std::mem::take(&mut rows).split_at_mut(self.batch.range(system).len() * 4 * self.channels);
                rows = tail;
                head
            })
            .collect()
    }

    fn rows<'b>(&self, rows: &'b [T], system: usize) -> &'b [T] {
        let range = self.batch.range(system);
        &rows[range.start * 4 * self.channels..range.end * 4 * self.channels]
    }

    /// Overwrites `out` with the convolution of `q` and `k`.
    pub fn forward(&self, q: &[T], k: &[T], out: &mut [T]) {
        let row = 4 * self.channels;
        self.split(out).into_par_iter().enumerate().for_each(|(system, out)| {
            let tokens = out.len() / row;
            if tokens == 0 {
                return;
            }
            let plan = plan::<T>(self.convolution.length(tokens));
            let scale = T::of(self.convolution.factor(tokens));
            for channel in 0..self.channels {
                let a = plan.spectrum(self.rows(q, system), self.channels, channel, self.parts);
                let b = self.second(plan.spectrum(self.rows(k, system), self.channels, channel, self.parts));
                let product = forward_product(&a, &b, self.weights(channel));
                plan.signal(product, scale, |token, component, value| {
                    if token < tokens {
                        out[token * row + component * self.channels + channel] = value;
                    }
                });
            }
        });
    }

    /// Adds the gradients of `q`, `k` and λ.
    pub fn backward(&self, q: &[T], k: &[T], d_out: &[T], d_q: &mut [T], d_k: &mut [T], d_lambda: &mut [T]) {
        let row = 4 * self.channels;
        let systems: Vec<_> = self.split(d_q).into_iter().zip(self.split(d_k)).collect();
        let sums: Vec<Vec<T>> = systems
            .into_par_iter()
            .enumerate()
            .map(|(system, (d_q, d_k))| {
                let mut d_lambda = vec![T::zero(); 5 * self.channels];
                let tokens = d_q.len() / row;
                if tokens == 0 {
                    return d_lambda;
                }
                let plan = plan::<T>(self.convolution.length(tokens));
                let scale = T::of(self.convolution.factor(tokens));
                for channel in 0..self.channels {
                    let a = plan.spectrum(self.rows(q, system), self.channels, channel, self.parts);
                    let b = self.second(plan.spectrum(self.rows(k, system), self.channels, channel, self.parts));
                    let d = plan.spectrum(self.rows(d_out, system), self.channels, channel, self.parts);
                    let (d_a, d_b, d_weights) = backward_product(&a, &b, &d, self.weights(channel), plan.n);
                    let add = |rows: &mut [T], spectrum| {
                        plan.signal(spectrum, scale, |token, component, value| {
                            if token < tokens {
                                rows[token * row + component * self.channels + channel] += value;
                            }
                        });
                    };
                    add(d_q, d_a);
                    add(d_k, self.second(d_b));
                    for (term, value) in d_weights.into_iter().enumerate() {
                        d_lambda[term * self.channels + channel] = scale / T::of(plan.n as f64) * value;
                    }
                }
                d_lambda
            })
            .collect();
        for sum in sums {
            d_lambda.iter_mut().zip(sum).for_each(|(total, part)| *total += part);
        }
    }

    /// The second factor of the spectral product: conjugated for a correlation.
    fn second(&self, mut spectrum: Spectrum<T>) -> Spectrum<T> {
        if self.convolution.mixing == Mixing::Correlation {
            spectrum.iter_mut().flatten().for_each(|bin| *bin = bin.conj());
        }
        spectrum
    }
}

fn cross<T: Real>(a: [Complex<T>; 4], b: [Complex<T>; 4]) -> [Complex<T>; 3] {
    [a[2] * b[3] - a[3] * b[2], a[3] * b[1] - a[1] * b[3], a[1] * b[2] - a[2] * b[1]]
}

fn dot<T: Real>(a: [Complex<T>; 4], b: [Complex<T>; 4]) -> Complex<T> {
    a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
}

fn bin<T: Real>(spectrum: &Spectrum<T>, f: usize) -> [Complex<T>; 4] {
    std::array::from_fn(|component| spectrum[component][f])
}

fn forward_product<T: Real>(a: &Spectrum<T>, b: &Spectrum<T>, l: [T; 5]) -> Spectrum<T> {
    let mut out = a.clone();
    for f in 0..a[0].len() {
        let (a, b) = (bin(a, f), bin(b, f));
        let c = cross(a, b);
        out[0][f] = a[0] * b[0] * l[0] + dot(a, b) * l[1];
        for h in 0..3 {
            out[h + 1][f] = a[0] * b[h + 1] * l[2] + b[0] * a[h + 1] * l[3] + c[h] * l[4];
        }
    }
    out
}

/// Spectra of the gradients of both factors, and n × the gradient of λ.
fn backward_product<T: Real>(a: &Spectrum<T>, b: &Spectrum<T>, d: &Spectrum<T>, l: [T; 5], n: usize) -> (Spectrum<T>, Spectrum<T>, [T; 5]) {
    let (mut d_a, mut d_b, mut d_l) = (a.clone(), b.clone(), [T::zero(); 5]);
    for f in 0..a[0].len() {
        let (a, b, d) = (bin(a, f), bin(b, f), bin(d, f));
        let (ac, bc) = (a.map(|x| x.conj()), b.map(|x| x.conj()));
        // ⟨d, a × b⟩ = ⟨a, b × d⟩ = ⟨b, d × a⟩
        let (to_a, to_b) = (cross(bc, d), cross(d, ac));
        d_a[0][f] = bc[0] * d[0] * l[0] + dot(bc, d) * l[2];
        d_b[0][f] = ac[0] * d[0] * l[0] + dot(ac, d) * l[3];
        for h in 0..3 {
            d_a[h + 1][f] = bc[h + 1] * d[0] * l[1] + bc[0] * d[h + 1] * l[3] + to_a[h] * l[4];
            d_b[h + 1][f] = ac[h + 1] * d[0] * l[1] + ac[0] * d[h + 1] * l[2] + to_b[h] * l[4];
        }
        // Parseval on half a spectrum: the bins between zero and Nyquist stand for two.
        let weight = if f == 0 || 2 * f == n { T::one() } else { T::of(2.0) };
        let tied = [Complex::from(T::zero()), to_a[0], to_a[1], to_a[2]];
        let terms = [ac[0] * bc[0] * d[0], dot(ac, bc) * d[0], ac[0] * dot(bc, d), bc[0] * dot(ac, d), dot(ac, tied)];
        d_l.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term.re);
    }
    (d_a, d_b, d_l)
}
