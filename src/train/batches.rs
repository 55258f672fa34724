//! Samples that are worked on together.

use std::ops::Range;

use nalgebra::Vector3;

use crate::task::Sample;

/// Cuts samples, in order, into runs of at most `tokens` tokens, at least one sample each.
pub(super) fn micro_batches(samples: &[Sample], tokens: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut filled = 0;
    for (index, sample) in samples.iter().enumerate() {
        let size = sample.target.len();
        match ranges.last_mut().filter(|_| filled + size <= tokens) {
            Some(range) => {
                range.end += 1;
                filled += size;
            }
            None => {
                ranges.push(index..index + 1);
                filled = size;
            }
        }
    }
    ranges
}

/// The loss of each sample and the gradient of their sum, for answers concatenated as the samples
/// are.
pub(super) fn losses(samples: &[Sample], answer: &[Vector3<f64>]) -> (Vec<f64>, Vec<Vector3<f64>>) {
    let mut rest = answer;
    let each = samples.iter().map(|sample| {
        let (own, others) = rest.split_at(sample.target.len());
        rest = others;
        sample.loss(own)
    });
    let (losses, gradients): (Vec<f64>, Vec<Vec<Vector3<f64>>>) = each.unzip();
    (losses, gradients.concat())
}
