//! The computations of the network: ONE FILE PER OP, with its equation, shapes, CPU forward and CPU
//! backward.
//!
//! # Conventions, the same for every op and every engine
//! - Buffers are flat, row-major. A row belongs to a token (or to a system); a *scalar* row is
//!   `[width]`, a *vector* row is `[3][width]` (component x, y, z, then channel), a *tuple* row is
//!   `[4][width]`: (α, r_x, r_y, r_z), a *tensor* row is `[5][width]`: the numbers of [`rank2`].
//! - Many systems are concatenated: [`Batch::offsets`] says where each begins. No op mixes two
//!   systems.
//! - `forward` overwrites its outputs, which may hold anything before (NaN included).
//! - `backward` **adds** to `d_inputs` and `d_params`; the engine zeroed them once. A gradient is
//!   named `d_` + the name of what it is the gradient of. `backward` gets the inputs *and* outputs
//!   of `forward`; what it needs beyond them it recomputes, so that no op keeps a buffer of edges ×
//!   channels.
//! - Results do not depend on the number of threads: work is cut into pieces whose size depends on
//!   the shapes only, and partial sums are added in the order of the pieces.
//!
//! An op knows its shapes, and what it is tested with:
//!
//! ```
//! use mdsurrogate::ops::{Kernel, Op, linear::Linear};
//!
//! let op = Op::from(Linear::vectors(&[8], 4));
//! let signature = op.signature();
//! assert_eq!(signature.inputs[0].row(), 3 * 8); // component, then channel
//! assert_eq!(signature.outputs[0].row(), 3 * 4);
//! assert_eq!(signature.params[0].size, [8, 4]);
//! assert!(Op::examples().iter().any(|example| example.name() == "linear"));
//! ```

mod batch;
mod pieces;
pub mod rank2;

pub use batch::{Batch, Centre, Edges, RELATIONS};

use crate::numeric::Real;

/// What the rows of a buffer stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rows {
    /// One row a token.
    Tokens,
    /// One row a system.
    Systems,
}

/// Shape of a buffer: rows × components × width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What a row stands for.
    pub rows: Rows,
    /// 1 scalar, 3 vector, 4 tuple, 5 tensor.
    pub components: usize,
    /// Channels.
    pub width: usize,
}

impl Shape {
    /// `width` scalars a token.
    pub const fn scalars(width: usize) -> Self {
        Shape {
            rows: Rows::Tokens,
            components: 1,
            width,
        }
    }
    /// `width` vectors a token.
    pub const fn vectors(width: usize) -> Self {
        Shape {
            rows: Rows::Tokens,
            components: 3,
            width,
        }
    }
    /// `width` tuples (α, r) a token.
    pub const fn tuples(width: usize) -> Self {
        Shape {
            rows: Rows::Tokens,
            components: 4,
            width,
        }
    }
    /// `width` symmetric traceless tensors of rank 2 a token ([`rank2`]).
    pub const fn tensors(width: usize) -> Self {
        Shape {
            rows: Rows::Tokens,
            components: rank2::NUMBERS,
            width,
        }
    }
    /// `width` scalars a system.
    pub const fn per_system(width: usize) -> Self {
        Shape {
            rows: Rows::Systems,
            components: 1,
            width,
        }
    }
    /// Elements in a row.
    pub const fn row(&self) -> usize {
        self.components * self.width
    }
    /// Elements of the buffer for this batch.
    pub fn len(&self, batch: &Batch) -> usize {
        self.row()
            * match self.rows {
                Rows::Tokens => batch.tokens(),
                Rows::Systems => batch.systems(),
            }
    }
}

/// How a parameter is drawn before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Normal, standard deviation `gain`/√rows: the rows are what a product sums over.
    Normal {
        /// Standard deviation of the product of unit inputs.
        gain: f64,
    },
    /// All the same.
    Constant(f64),
}

/// A parameter of an op: a row-major matrix (a vector is 1 × n).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamShape {
    /// Name within the op: `weight`, `bias`.
    pub name: &'static str,
    /// Rows and columns.
    pub size: [usize; 2],
    /// How it is drawn.
    pub init: Init,
}

/// What an op takes and gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signature {
    /// Inputs, in order.
    pub inputs: Vec<Shape>,
    /// Parameters, in order.
    pub params: Vec<ParamShape>,
    /// Outputs, in order.
    pub outputs: Vec<Shape>,
}

/// Everything that a forward kernel sees.
pub struct Forward<'a, T> {
    /// Systems, edges and centres.
    pub batch: &'a Batch,
    /// Inputs in the order of the signature.
    pub inputs: &'a [&'a [T]],
    /// Parameters in the order of the signature.
    pub params: &'a [&'a [T]],
    /// Outputs, to be overwritten whole.
    pub outputs: &'a mut [&'a mut [T]],
    /// Inputs that stand in an output, which is written over them: number of input and output. Such
    /// an input is empty in `inputs`; there are none but those that the op allows
    /// ([`Kernel::over`]).
    pub over: &'a [(usize, usize)],
}

/// Everything that a backward kernel sees.
pub struct Backward<'a, T> {
    /// Systems, edges and centres.
    pub batch: &'a Batch,
    /// Inputs of the forward call.
    pub inputs: &'a [&'a [T]],
    /// Parameters of the forward call.
    pub params: &'a [&'a [T]],
    /// Outputs of the forward call.
    pub outputs: &'a [&'a [T]],
    /// Gradients of the outputs.
    pub d_outputs: &'a [&'a [T]],
    /// Gradients of the inputs: added to.
    pub d_inputs: &'a mut [&'a mut [T]],
    /// Gradients of the parameters: added to.
    pub d_params: &'a mut [&'a mut [T]],
}

/// What an op is made of: all of it is in the op's file.
pub trait Kernel: Sized {
    /// Small cases that between them take every branch of the op's kernels: every test of ops (its
    /// gradient, its rotations, its agreement on every engine, its shaders) is made of them, with
    /// random numbers for inputs and parameters.
    fn examples() -> Vec<Self>;
    /// Shapes of inputs, parameters and outputs.
    fn signature(&self) -> Signature;
    /// Computes the outputs.
    fn forward<T: Real>(&self, call: Forward<'_, T>);
    /// Adds the gradients of inputs and parameters.
    fn backward<T: Real>(&self, call: Backward<'_, T>);
    /// How many of the last outputs are kept for backward alone: no other op may read them, and
    /// their gradients are not looked at.
    fn kept(&self) -> usize {
        0
    }
    /// Whether the kernel of the CPU can write an output over an input of the same shape that
    /// nobody reads any more.
    fn over(&self, _input: usize, _output: usize) -> bool {
        false
    }
    /// Numbers a token that the kernel of the CPU needs beside inputs and outputs, of a long
    /// system.
    fn work(&self) -> usize {
        0
    }
}

/// THE LIST OF OPS, each a type and its file. Hands the list to the macro of this name, here and
/// where the GPU engine has its own side of every op.
macro_rules! ops {
    ($macro:ident) => {
        $macro! {
            Embed = embed,
            Linear = linear,
            Norm = norm,
            Heights = heights,
            Message = message,
            NearAttention = near_attention,
            Tuple = tuple,
            LongConv = long_conv,
            Gate = gate,
            Invariants = invariants,
            Update = update,
            Readout = readout,
            Pool = pool,
            Attention = attention,
            ShortConv = short_conv,
            Mean = mean,
            View = view,
            Chain = chain,
        }
    };
}
#[cfg(feature = "gpu")]
pub(crate) use ops;

macro_rules! declare {
    ($($variant:ident = $module:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// One named computation of the network with its static arguments.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at the type that it holds")]
        pub enum Op { $($variant($module::$variant)),* }

        impl Op {
            /// The op's name: its file in `src/ops`, in `shaders` and among the GPU's kernels.
            pub fn name(&self) -> &'static str {
                match self { $(Op::$variant(_) => stringify!($module)),* }
            }
        }

        impl Kernel for Op {
            /// Those of every op.
            ///
            /// # Panics
            /// Where an op has none: it would go untested.
            fn examples() -> Vec<Op> {
                let mut all = Vec::new();
                $(
                    let examples = $module::$variant::examples();
                    assert!(!examples.is_empty(), "{} has no examples", stringify!($module));
                    all.extend(examples.into_iter().map(Op::from));
                )*
                all
            }
            fn signature(&self) -> Signature {
                match self { $(Op::$variant(op) => op.signature()),* }
            }
            fn forward<T: Real>(&self, call: Forward<'_, T>) {
                match self { $(Op::$variant(op) => op.forward(call)),* }
            }
            fn backward<T: Real>(&self, call: Backward<'_, T>) {
                match self { $(Op::$variant(op) => op.backward(call)),* }
            }
            fn kept(&self) -> usize {
                match self { $(Op::$variant(op) => op.kept()),* }
            }
            fn over(&self, input: usize, output: usize) -> bool {
                match self { $(Op::$variant(op) => op.over(input, output)),* }
            }
            fn work(&self) -> usize {
                match self { $(Op::$variant(op) => op.work()),* }
            }
        }

        $(impl From<$module::$variant> for Op {
            fn from(op: $module::$variant) -> Op { Op::$variant(op) }
        })*
    };
}
ops!(declare);
