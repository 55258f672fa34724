//! `view`: the numbers of a token read as something else: the components of K vectors as 3 K
//! scalars (x of all channels, then y, then z), scalars as vectors or tuples. A copy, by which a
//! network that is not equivariant takes coordinates for plain numbers: a rotation of the input is
//! none of the output.

use super::{Backward, Forward, Kernel, Shape, Signature};
use crate::numeric::Real;

/// A row of one shape as a row of another, of equally many numbers. Input: of the one. Output: of
/// the other.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What is read.
    pub from: Shape,
    /// What it is read as.
    pub to: Shape,
}

impl View {
    /// The components of `channels` vectors as scalars.
    pub fn of_vectors(channels: usize) -> View {
        View {
            from: Shape::vectors(channels),
            to: Shape::scalars(3 * channels),
        }
    }
    /// Scalars as the components of `channels` vectors.
    pub fn as_vectors(channels: usize) -> View {
        View {
            from: Shape::scalars(3 * channels),
            to: Shape::vectors(channels),
        }
    }
    /// Scalars as the components of `channels` tuples.
    pub fn as_tuples(channels: usize) -> View {
        View {
            from: Shape::scalars(4 * channels),
            to: Shape::tuples(channels),
        }
    }
}

impl Kernel for View {
    fn examples() -> Vec<Self> {
        vec![View::of_vectors(3), View::as_vectors(2), View::as_tuples(2)]
    }

    fn signature(&self) -> Signature {
        Signature {
            inputs: vec![self.from],
            params: vec![],
            outputs: vec![self.to],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        call.outputs[0].copy_from_slice(call.inputs[0]);
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let pairs = call.d_inputs[0].iter_mut().zip(call.d_outputs[0]);
        pairs.for_each(|(d_x, &d_y)| *d_x += d_y);
    }
}
