//! What networks that are not equivariant have in common: coordinates as plain numbers in, plain
//! numbers as vectors out.

use super::parts::{self, State, answer, motion};
use crate::network::TOLD;
use crate::network::program::{Answer, Builder, Given, Interface, Program};
use crate::network::vocabulary::Vocabulary;
use crate::ops::linear::Linear;
use crate::ops::norm::Norm;
use crate::ops::view::View;
use crate::{Error, Result};

/// Refuses what such a network has no answer to: energies, which must not change with a rotation,
/// and folds, which are handed over as vectors.
pub(super) fn check(interface: &Interface, name: &str) -> Result<()> {
    parts::refuse_fold(interface, name)?;
    if interface.answer != Answer::Energy {
        return Ok(());
    }
    Err(Error::usage(
        format!("a network of architecture {name} has no energy: a rotation would change it"),
        "use form = \"direct\", or an equivariant architecture",
    ))
}

/// A network of `layers` blocks of `scalars` channels: coordinates in, then for each block what
/// `mix` does between tokens, token-wise layers, and the block's share of the answer.
pub(super) fn program(
    (interface, vocabulary): (&Interface, &Vocabulary),
    (scalars, layers): (usize, usize),
    mix: impl Fn(&mut Builder<'_>, &str, &mut State),
) -> Program {
    let mut builder = Builder::new(interface, 0);
    let b = &mut builder;
    let mut state = parts::start(b, scalars, vocabulary);
    coordinates(b, scalars, &mut state);
    for layer in 0..layers {
        let name = format!("layer {layer}");
        mix(b, &name, &mut state);
        perceptron(b, &name, scalars, &mut state);
        answer_of_numbers(b, &name, scalars, &mut state);
    }
    let answer = parts::finish(b, scalars, &state);
    builder.finish(answer)
}

/// Adds what a token's coordinates and its place in the sequence say, as plain numbers, to the
/// scalars of a network that is not equivariant.
fn coordinates(b: &mut Builder<'_>, channels: usize, state: &mut State) {
    let given = [b.must_have(Given::Place), motion(b)];
    let mut inputs = Vec::new();
    for (name, slot) in ["coordinates", "motion"].into_iter().zip(given) {
        inputs.push(b.call(name, View::of_vectors(1), &[slot])[0]);
    }
    inputs.extend([b.index(), state.scalars]);
    let first = Linear::scalars(&[3, 3, TOLD], channels).residual();
    state.scalars = b.call("first", first, &inputs)[0];
}

/// Token-wise layers on scalars alone.
fn perceptron(b: &mut Builder<'_>, name: &str, c: usize, state: &mut State) {
    let at = |part: &str| format!("{name}.mlp_{part}");
    let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
    let hidden = b.call(&at("in"), Linear::scalars(&[c], 2 * c).silu(), &[f])[0];
    let out = Linear::scalars(&[2 * c], c).residual().gain(0.5);
    state.scalars = b.call(&at("out"), out, &[hidden, state.scalars])[0];
}

/// A block's share of the answer from plain numbers taken for vectors.
fn answer_of_numbers(b: &mut Builder<'_>, name: &str, c: usize, state: &mut State) {
    const VECTORS: usize = 4;
    if matches!(b.interface().answer, Answer::Scalars(_)) {
        return;
    }
    let at = |part: &str| format!("{name}.{part}");
    let f = b.call(&at("answer_norm"), Norm { channels: c }, &[state.scalars])[0];
    let numbers = Linear::scalars(&[c], 3 * VECTORS);
    let numbers = b.call(&at("numbers"), numbers, &[f])[0];
    let vectors = b.call(&at("vectors"), View::as_vectors(VECTORS), &[numbers])[0];
    answer(b, name, c, state, &vec![(vectors, VECTORS)], false, None);
}
