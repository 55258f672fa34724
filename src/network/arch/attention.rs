//! Equivariant attention in the style of vector neurons (Assaad et al., "VN-Transformer", TMLR
//! 2023): every token looks at every other, by scalars and by inner products of vectors
//! ([`crate::ops::attention`]); around it are the messages, token-wise layers and readout that
//! G-Hyena has, so that the two differ in how far tokens reach each other alone.
//!
//! O(N²) time and O(N) memory in tokens.

use serde::{Deserialize, Serialize};

use super::parts::{self, Local, Sizes, State};
use super::{Own, check_sizes, refuse};
use crate::Result;
use crate::network::program::{Builder, Interface, Program, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::ops;

/// Sizes of a network of attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attention {
    /// Scalar channels of a token, shared out among the heads.
    pub scalars: usize,
    /// Vector channels of a token, likewise.
    pub vectors: usize,
    /// Heads.
    pub heads: usize,
    /// Blocks.
    pub layers: usize,
    /// Whether neighbours exchange messages besides; without, `pair`, `radial`, `reach` and
    /// `neighbours` do nothing.
    pub local: bool,
    /// Tokens to either side along the sequence that a short convolution mixes into q, k and v; 0:
    /// none.
    pub short: usize,
    /// Channels of a message: 8, 16, 32 or 64.
    pub pair: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which they end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token receives messages from, beside its template pairs.
    pub neighbours: usize,
    /// Whether every block sees the positions that the one before it moved.
    pub refine: bool,
    /// Whether template distances and signed heights are seen.
    pub templates: bool,
}

impl Default for Attention {
    fn default() -> Self {
        Attention {
            scalars: 64,
            vectors: 16,
            heads: 4,
            layers: 4,
            local: true,
            short: 0,
            pair: 32,
            radial: 14,
            reach: 11.0,
            neighbours: 32,
            refine: true,
            templates: true,
        }
    }
}

impl Attention {
    fn sizes(&self) -> Sizes {
        Sizes {
            c: self.scalars,
            k: self.vectors,
        }
    }

    fn local(&self) -> Local {
        Local {
            pair: self.pair,
            radial: self.radial,
            reach: self.reach,
            templates: self.templates,
        }
    }

    fn block(&self, b: &mut Builder<'_>, name: &str, state: &mut State, vectors: &mut Slot) {
        let Sizes { c, k } = self.sizes();
        let near = if self.local {
            parts::messages(b, name, self.local(), c, state)
        } else {
            parts::heights(b, name, self.templates, c, state)
        };
        let widths = [3 * c, 3 * k];
        let heads = parts::heads(b, name, self.sizes(), &near, *vectors, widths);
        let (q, r) = parts::along_sequence(b, name, self.short, heads, widths);
        let attention = ops::attention::Attention {
            heads: self.heads,
            scalars: c / self.heads,
            vectors: k / self.heads,
        };
        let seen = b.call(&format!("{name}.attention"), attention, &[q, r]);
        let far = Some([(seen[0], c), (seen[1], k)]);
        parts::mix_in(b, name, self.sizes(), &near, far, state, vectors);
        parts::token_wise(b, name, self.sizes(), state, vectors);
        let own = (*vectors, k);
        let moves = [vec![own], near.vectors].concat();
        parts::answer(b, name, c, state, &moves, self.refine, Some(own));
    }
}

impl Own for Attention {
    fn check(&self, _interface: &Interface) -> Result<()> {
        self.local().check()?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("vectors", self.vectors, 1024),
            ("heads", self.heads, 256),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ])?;
        if !self.scalars.is_multiple_of(self.heads) || !self.vectors.is_multiple_of(self.heads) {
            return refuse("heads", "a number that divides `scalars` and `vectors`");
        }
        if self.short > 64 {
            return refuse("short", "0 to 64");
        }
        Ok(())
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        let neighbours = if self.local { self.neighbours } else { 0 };
        let mut builder = Builder::new(interface, neighbours);
        let b = &mut builder;
        let mut state = parts::start(b, self.scalars, vocabulary);
        let mut vectors = parts::first_vectors(b, self.vectors);
        for layer in 0..self.layers {
            self.block(b, &format!("layer {layer}"), &mut state, &mut vectors);
        }
        let answer = parts::finish(b, self.scalars, &state);
        builder.finish(answer)
    }

    fn describe(&self) -> String {
        let local = parts::describe_near(self.local.then_some((self.pair, self.neighbours)));
        format!(
            "attention, {} layers, {} scalars, {} vectors, {} heads, {local}",
            self.layers, self.scalars, self.vectors, self.heads
        )
    }
}
