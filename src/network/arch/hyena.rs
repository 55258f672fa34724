//! Hyena (Poli et al., "Hyena Hierarchy: Towards Larger Convolutional Language Models", ICML 2023),
//! over plain numbers: NOT EQUIVARIANT, what equivariant architectures
//! are held against.
//!
//! ```text
//! q, k     = short(W f)          a short convolution along the sequence
//! h_t      = MLP(where t stands) the implicit filter, N tokens long
//! u        = h ⊛ k               along the sequence, scaled by 1/√N
//! f ← f + W' (σ(g + 1) ⊙ u ⊙ q)  g linear in f
//! ```
//!
//! Coordinates and answer are taken as [`super::Transformer`] takes them. An operator has one
//! product (order one), where the paper's language models have two. Of the tuples that
//! [`crate::ops::long_conv`] takes, the scalar part alone is read.

use serde::{Deserialize, Serialize};

use super::parts::State;
use super::{Own, check_sizes, plain, refuse};
use crate::Result;
use crate::fft::{Convolution, Terms};
use crate::network::TOLD;
use crate::network::program::{Builder, Interface, Program, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::ops::gate::Gate;
use crate::ops::linear::Linear;
use crate::ops::long_conv::LongConv;
use crate::ops::norm::Norm;
use crate::ops::short_conv::ShortConv;
use crate::ops::view::View;

/// Sizes of a Hyena network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hyena {
    /// Channels of a token.
    pub scalars: usize,
    /// Channels of the long convolution.
    pub channels: usize,
    /// Blocks.
    pub layers: usize,
    /// Tokens to either side that the short convolution sees.
    pub short: usize,
    /// Conventions of the long convolution.
    pub convolution: Convolution,
}

impl Default for Hyena {
    fn default() -> Self {
        Hyena {
            scalars: 128,
            channels: 32,
            layers: 4,
            short: 2,
            convolution: Convolution::WORKING,
        }
    }
}

impl Hyena {
    /// A head of the layer's normalised scalars as tuples, of which the scalar part counts.
    fn head(&self, b: &mut Builder<'_>, name: &str, f: Slot) -> Slot {
        let width = 4 * self.channels;
        let head = Linear::scalars(&[self.scalars], width);
        let head = b.call(name, head, &[f])[0];
        let short = ShortConv {
            components: 1,
            channels: width,
            reach: self.short,
        };
        let head = b.call(&format!("{name}_short"), short, &[head])[0];
        let tuples = View::as_tuples(self.channels);
        b.call(&format!("{name}_tuples"), tuples, &[head])[0]
    }

    /// The implicit filter, likewise.
    fn filter(&self, b: &mut Builder<'_>, name: &str) -> Slot {
        let at = |part: &str| format!("{name}.filter_{part}");
        let wide = 4 * self.channels;
        let index = b.index();
        let hidden = b.call(&at("in"), Linear::scalars(&[TOLD], wide).silu(), &[index])[0];
        let filter = b.call(&at("out"), Linear::scalars(&[wide], wide), &[hidden])[0];
        b.call(&at("tuples"), View::as_tuples(self.channels), &[filter])[0]
    }

    fn mix(&self, b: &mut Builder<'_>, name: &str, state: &mut State) {
        let (c, k) = (self.scalars, self.channels);
        let at = |part: &str| format!("{name}.{part}");
        let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
        let query = self.head(b, &at("query"), f);
        let key = self.head(b, &at("key"), f);
        let gates = b.call(&at("gates"), Linear::scalars(&[c], k), &[f])[0];
        let filter = self.filter(b, name);
        let convolution = LongConv {
            channels: k,
            terms: Terms::Scalar,
            convolution: self.convolution,
        };
        let far = b.call(&at("convolution"), convolution, &[filter, key])[0];
        let gate = Gate {
            channels: k,
            gates: (k, 0),
        };
        let far = b.call(&at("gate"), gate, &[far, query, gates])[0];
        let out = Linear::scalars(&[k], c).residual().gain(0.7);
        state.scalars = b.call(&at("out"), out, &[far, state.scalars])[0];
    }
}

impl Own for Hyena {
    fn check(&self, interface: &Interface) -> Result<()> {
        plain::check(interface, "Hyena")?;
        check_sizes(&[
            ("scalars", self.scalars, 4096),
            ("channels", self.channels, 1024),
            ("layers", self.layers, 64),
        ])?;
        if self.short > 64 {
            return refuse("short", "0 to 64");
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
            "Hyena (not equivariant), {} layers, {} scalars, {} channels of convolution",
            self.layers, self.scalars, self.channels
        )
    }
}
