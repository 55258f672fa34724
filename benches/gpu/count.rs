//! What an op must move and compute: the floor that a measurement is held against, and a prediction
//! for cards that are not here.

use mdsurrogate::engine::gpu::LONGEST_DIRECT;
use mdsurrogate::fft::{Convolution, Padding, Terms, smooth_length};
use mdsurrogate::ops::{Batch, Kernel, Op};

/// Longest transform along a strided axis in one pass: 48 KiB of shared memory hold as many complex
/// numbers of four columns (32 bytes side by side, the least that a card loads).
const ONE_PASS: usize = 1024;

/// Operations on an output number of an op that only maps numbers: roots and exponentials count as
/// several.
const MAP: f64 = 10.0;

/// Complex products of the five terms of a long convolution: α α, r·r, α r, r α, r × r.
const PRODUCTS: f64 = 1.0 + 3.0 + 3.0 + 3.0 + 6.0;

/// A card, as its maker describes it.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Bytes a second of its memory.
    pub bandwidth: f64,
    /// f32 operations a second.
    pub speed: f64,
}

/// Of one call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Bytes to and from the device's memory, everything once: caches hold what is read again.
    pub bytes: f64,
    /// Additions and multiplications.
    pub flops: f64,
}

impl Cost {
    /// Seconds that a card needs at least, moving and computing at once.
    pub fn least(&self, card: Card) -> f64 {
        (self.bytes / card.bandwidth).max(self.flops / card.speed)
    }

    pub fn plus(&self, other: Cost) -> Cost {
        Cost {
            bytes: self.bytes + other.bytes,
            flops: self.flops + other.flops,
        }
    }
}

/// Forward.
pub fn cost(op: &Op, batch: &Batch) -> Cost {
    let signature = op.signature();
    let buffers: usize = signature
        .inputs
        .iter()
        .chain(&signature.outputs)
        .map(|shape| shape.len(batch))
        .sum();
    let params: usize = signature
        .params
        .iter()
        .map(|param| param.size[0] * param.size[1])
        .sum();
    let outputs: usize = signature.outputs.iter().map(|shape| shape.len(batch)).sum();
    let (bytes, edges) = (
        4.0 * (buffers + params) as f64,
        batch.edges.sender.len() as f64,
    );
    let mapped = Cost {
        bytes,
        flops: MAP * outputs as f64,
    };
    match op {
        Op::Linear(linear) => {
            let products = signature.outputs[0].len(batch) * linear.inputs.iter().sum::<usize>();
            mapped.plus(Cost {
                bytes: 0.0,
                flops: 2.0 * products as f64,
            })
        }
        Op::Message(message) => {
            let p = message.channels as f64;
            // the product with W, eight rows of splines, nine dense features, two silus, seven
            // sums; about 100 for the geometry
            let of_edge = 2.0 * p * p + 2.0 * (8.0 + 9.0) * p + 2.0 * MAP * p + 14.0 * p + 100.0;
            // a word for sender and relation, and the template
            mapped.plus(Cost {
                bytes: 8.0 * edges,
                flops: edges * of_edge,
            })
        }
        // what goes from step to step stays where it is
        Op::Chain(chain) => {
            let steps = chain.steps.iter().map(|step| cost(&step.op, batch).flops);
            Cost {
                bytes,
                flops: steps.sum(),
            }
        }
        Op::LongConv(op) => {
            let products = match op.terms {
                Terms::Geometric => PRODUCTS,
                Terms::Scalar => 1.0,
                Terms::Vector => 6.0,
            };
            Cost { bytes, flops: 0.0 }.plus(convolution(
                op.channels,
                op.convolution,
                batch,
                products,
            ))
        }
        Op::Attention(op) => {
            let width = (op.scalars + 3 * op.vectors) as f64;
            // two products a pair, and an exponential
            let of_pair = op.heads as f64 * (4.0 * width + MAP);
            let pairs = (0..batch.systems()).map(|system| batch.range(system).len().pow(2));
            mapped.plus(Cost {
                bytes: 0.0,
                flops: of_pair * pairs.sum::<usize>() as f64,
            })
        }
        _ => mapped,
    }
}

/// Operations, and bytes beside inputs and outputs.
fn convolution(channels: usize, convolution: Convolution, batch: &Batch, products: f64) -> Cost {
    let k = channels as f64;
    let ring = convolution.padding == Padding::Circular;
    let of_system = |system| {
        let tokens = batch.range(system).len();
        let n = tokens as f64;
        if tokens <= LONGEST_DIRECT {
            let pairs = if ring { n * n } else { n * (n + 1.0) / 2.0 };
            return Cost {
                bytes: 0.0,
                flops: 2.0 * products * k * pairs,
            };
        }
        let length = smooth_length(2 * tokens - 1);
        let passes = if length <= ONE_PASS {
            1.0
        } else {
            2.0 + f64::from(length > ONE_PASS * ONE_PASS)
        };
        let l = length as f64;
        // of a signal: two complex numbers a channel
        let signal = 16.0 * l * k;
        // q and k written and transformed, both read and the product written, that transformed, and
        // read
        let moved = signal * (2.0 + 4.0 * passes + 3.0 + 2.0 * passes + 1.0);
        // three signals of two complex transforms a channel; half as many frequencies as numbers, 8
        // operations a complex product
        Cost {
            bytes: moved,
            flops: k * l * (3.0 * 2.0 * 5.0 * l.log2() + 4.0 * products),
        }
    };
    (0..batch.systems())
        .map(of_system)
        .fold(Cost::default(), |sum, cost| sum.plus(cost))
}
