//! A transformer (Vaswani et al., "Attention Is All You Need", NeurIPS 2017) that takes coordinates
//! for plain numbers: NOT EQUIVARIANT, what equivariant architectures are held against. Coordinates
//! from the centroid, where a token stands in its system, and what it is; blocks of normalised
//! attention and token-wise layers; its answer is plain numbers taken for vectors.
//!
//! O(N²) time and O(N) memory in tokens ([`crate::ops::attention`] goes by tiles).

use serde::{Deserialize, Serialize};

use super::parts::State;
use super::{Own, check_sizes, plain, refuse};
use crate::Result;
use crate::network::program::{Builder, Interface, Program};
use crate::network::vocabulary::Vocabulary;
use crate::ops::attention::Attention;
use crate::ops::linear::Linear;
use crate::ops::norm::Norm;

/// Sizes of a transformer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transformer {
    /// Channels of a token, shared out among the heads.
    pub scalars: usize,
    /// Heads.
    pub heads: usize,
    /// Blocks.
    pub layers: usize,
}

impl Default for Transformer {
    fn default() -> Self {
        Transformer {
            scalars: 128,
            heads: 4,
            layers: 4,
        }
    }
}

impl Transformer {
    fn mix(&self, b: &mut Builder<'_>, name: &str, state: &mut State) {
        let c = self.scalars;
        let at = |part: &str| format!("{name}.{part}");
        let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
        let heads = b.call(&at("heads"), Linear::scalars(&[c], 3 * c), &[f])[0];
        let attention = Attention {
            heads: self.heads,
            scalars: c / self.heads,
            vectors: 0,
        };
        let none = b.no_vectors();
        let seen = b.call(&at("attention"), attention, &[heads, none])[0];
        let out = Linear::scalars(&[c], c).residual().gain(0.7);
        state.scalars = b.call(&at("out"), out, &[seen, state.scalars])[0];
    }
}

impl Own for Transformer {
    fn check(&self, interface: &Interface) -> Result<()> {
        plain::check(interface, "transformer")?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("heads", self.heads, 256),
            ("layers", self.layers, 64),
        ])?;
        if !self.scalars.is_multiple_of(self.heads) {
            return refuse("heads", "a number that divides `scalars`");
        }
        Ok(())
    }

    fn build(&self, interface: &Interface, vocabulary: &Vocabulary) -> Program {
        plain::program(
            (interface, vocabulary),
            (self.scalars, self.layers),
            |b, name, state| self.mix(b, name, state),
        )
    }

    fn describe(&self) -> String {
        format!(
            "transformer (not equivariant), {} layers, {} scalars, {} heads",
            self.layers, self.scalars, self.heads
        )
    }
}
