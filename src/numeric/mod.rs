//! Numbers and what is done with many of them: the precision, eight lanes at a time, products of
//! matrices. Knows nothing of what they mean.

mod eight;
pub mod gemm;
mod lanes;
mod real;

pub use eight::Eight;
pub use lanes::Lanes;
pub use real::Real;
pub(crate) use real::{EXP2, ROUND};
