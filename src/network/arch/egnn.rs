//! EGNN (Satorras, Hoogeboom & Welling, "E(n) Equivariant Graph Neural Networks", ICML 2021,
//! equations 3–7), its form with velocities and normalised differences:
//!
//! ```text
//! m_ij = φ_e(h_i, h_j, |y_i − y_j|, a_ij),   a_ij: the same of the condition, relation, template
//! y_i ← y_i + s (Σ_j (y_i − y_j)/(|y_i − y_j| + 0.1 Å) φ_x(h_i)·m_ij + φ_v(h_i) n_i)
//! h_i ← h_i + φ_h(h_i, Σ_j m_ij)
//! ```
//!
//! with s the system's scale and n its noisy displacement or velocity. φ_e is
//! [`crate::ops::message`], whose edges are the nearest neighbours and the template pairs; φ_x is
//! linear in the messages with coefficients from h_i; the candidate's and the condition's
//! differences both count. It has no vector channels: all that it knows of directions is in the
//! moves of a layer, so that it takes no fold.

use serde::{Deserialize, Serialize};

use super::parts::{self, Channels, Local, State};
use super::{Own, check_sizes};
use crate::Result;
use crate::network::program::{Answer, Builder, Interface, Program};
use crate::network::vocabulary::Vocabulary;
use crate::ops::linear::Linear;

/// Sizes of an EGNN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egnn {
    /// Scalar channels of a token.
    pub scalars: usize,
    /// Channels of a message: 8, 16, 32 or 64.
    pub pair: usize,
    /// Layers.
    pub layers: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which they end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token receives messages from, beside its template pairs.
    pub neighbours: usize,
    /// Whether every layer sees the positions that the one before it moved.
    pub refine: bool,
    /// Whether signed template heights are seen: without them mirror images look the same.
    pub templates: bool,
}

impl Default for Egnn {
    fn default() -> Self {
        Egnn {
            scalars: 64,
            pair: 32,
            layers: 4,
            radial: 14,
            reach: 11.0,
            neighbours: 32,
            refine: true,
            templates: true,
        }
    }
}

impl Egnn {
    fn local(&self) -> Local {
        Local {
            pair: self.pair,
            radial: self.radial,
            reach: self.reach,
            templates: self.templates,
        }
    }

    fn layer(&self, b: &mut Builder<'_>, name: &str, state: &mut State) {
        let c = self.scalars;
        let near = parts::messages(b, name, self.local(), c, state);
        let inputs = [vec![(near.norm, c)], near.sums].concat();
        update_scalars(b, name, c, &inputs, state);
        answer_with_motion(b, name, c, state, near.vectors, self.refine);
    }
}

/// f ← f + W' silu(W inputs), of `c` scalars a token (Satorras et al. 2021, equation 6).
pub(super) fn update_scalars(
    b: &mut Builder<'_>,
    name: &str,
    c: usize,
    inputs: &Channels,
    state: &mut State,
) {
    let hidden = Linear::scalars(&parts::widths(inputs), 2 * c).silu();
    let hidden = b.call(&format!("{name}.h_in"), hidden, &parts::slots(inputs))[0];
    let out = Linear::scalars(&[2 * c], c).residual().gain(0.5);
    state.scalars = b.call(&format!("{name}.h_out"), out, &[hidden, state.scalars])[0];
}

/// A layer's share of the answer: its moves, and the way that the token was on.
pub(super) fn answer_with_motion(
    b: &mut Builder<'_>,
    name: &str,
    c: usize,
    state: &mut State,
    mut moves: Channels,
    refine: bool,
) {
    // forces start from the velocity itself: it is no move of theirs
    if b.interface().answer == Answer::Positions {
        moves.push((parts::motion(b), 1));
    }
    parts::answer(b, name, c, state, &moves, refine, None);
}

impl Own for Egnn {
    fn check(&self, interface: &Interface) -> Result<()> {
        parts::refuse_fold(interface, "EGNN")?;
        self.local().check()?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ])
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        let mut builder = Builder::new(interface, self.neighbours);
        let b = &mut builder;
        let mut state = parts::start(b, self.scalars, vocabulary);
        for layer in 0..self.layers {
            self.layer(b, &format!("layer {layer}"), &mut state);
        }
        let answer = parts::finish(b, self.scalars, &state);
        builder.finish(answer)
    }

    fn describe(&self) -> String {
        format!(
            "EGNN, {} layers, {} scalars, {} pair channels, {} neighbours",
            self.layers, self.scalars, self.pair, self.neighbours
        )
    }
}
