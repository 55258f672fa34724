//! What architectures have in common: how a network begins, messages between neighbours, token-wise
//! layers, and how a block moves the answer.

use crate::network::program::{Answer, Builder, Given, Slot};
use crate::network::vocabulary::Vocabulary;
use crate::network::{Interface, TOLD};
use crate::ops::embed::Embed;
use crate::ops::heights::Heights;
use crate::ops::invariants::Invariants;
use crate::ops::linear::Linear;
use crate::ops::message::Message;
use crate::ops::norm::Norm;
use crate::ops::pool::Pool;
use crate::ops::readout::Readout;
use crate::ops::short_conv::ShortConv;
use crate::ops::update::Update;
use crate::{Result, network::arch::refuse};

/// Slots that a block reads and replaces.
pub(super) struct State {
    pub scalars: Slot,
    /// Positions whose geometry the pair ops see.
    pub geometry: Slot,
    pub answer: Slot,
    /// Energy of every token so far, of networks that answer with one.
    pub energy: Option<Slot>,
    /// What the last block's share of the answer is a sum of.
    pub moves: Channels,
}

/// Slots with their number of channels, inputs of one op.
pub(super) type Channels = Vec<(Slot, usize)>;

pub(super) fn slots(vectors: &Channels) -> Vec<Slot> {
    vectors.iter().map(|&(slot, _)| slot).collect()
}

pub(super) fn widths(vectors: &Channels) -> Vec<usize> {
    vectors.iter().map(|&(_, width)| width).collect()
}

/// Sizes of messages between neighbours.
#[derive(Clone, Copy)]
pub(super) struct Local {
    /// Channels P of a message.
    pub pair: usize,
    /// B-splines of the distance.
    pub radial: usize,
    /// Distance at which they end, Å.
    pub reach: f64,
    /// Whether template heights are seen.
    pub templates: bool,
}

impl Local {
    /// Refuses what the op cannot run.
    pub fn check(&self) -> Result<()> {
        if ![8, 16, 32, 64].contains(&self.pair) {
            return refuse("pair", "8, 16, 32 or 64");
        }
        if !(4..=256).contains(&self.radial) {
            return refuse("radial", "4 to 256");
        }
        if !(self.reach > 0.0 && self.reach <= 1000.0) {
            return refuse("reach", "a distance above 0, in Å");
        }
        Ok(())
    }
}

/// Channels of a message and nearest neighbours in words.
pub(super) fn describe_near(local: Option<(usize, usize)>) -> String {
    match local {
        Some((pair, neighbours)) => format!("{pair} pair channels, {neighbours} neighbours"),
        None => "no messages".to_owned(),
    }
}

/// n, whichever of the two a task hands over.
pub(super) fn motion(b: &mut Builder<'_>) -> Slot {
    let noisy = b.given(Given::Noisy);
    noisy.unwrap_or_else(|| b.must_have(Given::Velocity))
}

/// Embedding of the tokens, with what the system is told; of tokens that are nothing but vectors,
/// of where they stand. `channels` scalars.
fn embedding(b: &mut Builder<'_>, channels: usize, vocabulary: &Vocabulary) -> Slot {
    let Some(conditioning) = b.given(Given::Conditioning) else {
        let index = b.index();
        return b.call("index", Linear::scalars(&[TOLD], channels), &[index])[0];
    };
    let told = b.interface().conditioning;
    let first = Linear::scalars(&[told], channels).per_system().silu();
    let hidden = b.call("conditioning.0", first, &[conditioning])[0];
    let second = Linear::scalars(&[channels], channels).per_system();
    let system = b.call("conditioning.1", second, &[hidden])[0];
    let embed = Embed {
        channels,
        tables: vocabulary.tables(),
    };
    b.call("embed", embed, &[system])[0]
}

/// What the first block begins with; `channels` scalars.
pub(super) fn start(b: &mut Builder<'_>, channels: usize, vocabulary: &Vocabulary) -> State {
    let candidate = b.must_have(Given::Candidate);
    let scalars = embedding(b, channels, vocabulary);
    // forces are no positions, beside which they would lose digits: they start from n, which the
    // host knows
    let answer = match b.interface().answer {
        Answer::Vectors => motion(b),
        _ => candidate,
    };
    State {
        scalars,
        geometry: candidate,
        answer,
        energy: None,
        moves: Vec::new(),
    }
}

/// The first K vectors: sums of all vectors that a token is given.
pub(super) fn first_vectors(b: &mut Builder<'_>, k: usize) -> Slot {
    let mut given = vec![motion(b), b.must_have(Given::Place)];
    given.extend(b.given(Given::Fold));
    let first = Linear::vectors(&vec![1; given.len()], k);
    b.call("vectors", first, &given)[0]
}

/// What a block knows of the neighbourhood of every token.
pub(super) struct Near {
    /// The layer's scalars, normalised.
    pub norm: Slot,
    /// Sums of messages, P scalars; nothing without messages.
    pub sums: Channels,
    /// Their directions and, with templates, the normals of the heights.
    pub vectors: Channels,
}

/// Template heights, where these are seen, and the scalars' norm.
pub(super) fn heights(
    b: &mut Builder<'_>,
    name: &str,
    templates: bool,
    channels: usize,
    state: &mut State,
) -> Near {
    let normals = templates.then(|| {
        let outputs = b.call(&format!("{name}.heights"), Heights, &[state.geometry]);
        let into = Linear::scalars(&[6], channels).unbiased().residual();
        let parts = [outputs[0], state.scalars];
        state.scalars = b.call(&format!("{name}.heights_in"), into, &parts)[0];
        (outputs[1], 2)
    });
    let norm = Norm { channels };
    Near {
        norm: b.call(&format!("{name}.norm"), norm, &[state.scalars])[0],
        sums: Vec::new(),
        vectors: normals.into_iter().collect(),
    }
}

/// Messages between neighbours, behind template heights where these are seen.
pub(super) fn messages(
    b: &mut Builder<'_>,
    name: &str,
    local: Local,
    channels: usize,
    state: &mut State,
) -> Near {
    let p = local.pair;
    let near = heights(b, name, local.templates, channels, state);
    let side = Linear::scalars(&[channels], p).unbiased();
    let receiver = b.call(&format!("{name}.receiver"), side.clone(), &[near.norm])[0];
    let sender = b.call(&format!("{name}.sender"), side, &[near.norm])[0];
    let message = Message {
        channels: p,
        radial: local.radial,
        reach: local.reach,
    };
    let condition = b.must_have(Given::Condition);
    let motion = motion(b);
    let parts = [receiver, sender, state.geometry, condition, motion];
    let messages = b.call(&format!("{name}.message"), message, &parts);
    Near {
        sums: vec![(messages[0], p)],
        vectors: [vec![(messages[1], 2 * p)], near.vectors].concat(),
        ..near
    }
}

/// Sizes of a token: C scalars and K vectors.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub c: usize,
    pub k: usize,
}

/// Scalars and vectors of the heads of a long-range op: `scalars` and `vectors` of them.
pub(super) fn heads(
    b: &mut Builder<'_>,
    name: &str,
    Sizes { c, k }: Sizes,
    near: &Near,
    vectors: Slot,
    [scalar_heads, vector_heads]: [usize; 2],
) -> (Slot, Slot) {
    let at = |part: &str| format!("{name}.heads_{part}");
    let inputs = [vec![(near.norm, c)], near.sums.clone()].concat();
    let hidden = Linear::scalars(&widths(&inputs), c).silu();
    let hidden = b.call(&at("in"), hidden, &slots(&inputs))[0];
    let scalars = Linear::scalars(&[c], scalar_heads);
    let scalars = b.call(&at("scalars"), scalars, &[hidden])[0];
    let inputs = [vec![(vectors, k)], near.vectors.clone()].concat();
    let heads = Linear::vectors(&widths(&inputs), vector_heads);
    (scalars, b.call(&at("vectors"), heads, &slots(&inputs))[0])
}

/// Heads, each channel convolved with the tokens up to `reach` away along the sequence; 0 leaves
/// them as they are.
pub(super) fn along_sequence(
    b: &mut Builder<'_>,
    name: &str,
    reach: usize,
    (scalars, vectors): (Slot, Slot),
    [scalar_heads, vector_heads]: [usize; 2],
) -> (Slot, Slot) {
    if reach == 0 {
        return (scalars, vectors);
    }
    let mut along = |part: &str, components, channels, slot| {
        let convolution = ShortConv {
            components,
            channels,
            reach,
        };
        b.call(&format!("{name}.short_{part}"), convolution, &[slot])[0]
    };
    let scalars = along("scalars", 1, scalar_heads, scalars);
    let vectors = along("vectors", 3, vector_heads, vectors);
    (scalars, vectors)
}

/// Takes what is near and what came from far (scalars, vectors) into the running channels.
pub(super) fn mix_in(
    b: &mut Builder<'_>,
    name: &str,
    Sizes { c, k }: Sizes,
    near: &Near,
    far: Option<[(Slot, usize); 2]>,
    state: &mut State,
    vectors: &mut Slot,
) {
    let mut from = [near.sums.clone(), near.vectors.clone()];
    for (from, far) in from.iter_mut().zip(far.into_iter().flatten()) {
        from.insert(0, far);
    }
    let out = Linear::scalars(&widths(&from[0]), c).unbiased();
    let inputs = [slots(&from[0]), vec![state.scalars]].concat();
    let out = out.residual().gain(0.7);
    state.scalars = b.call(&format!("{name}.scalars_out"), out, &inputs)[0];
    let out = Linear::vectors(&widths(&from[1]), k).residual().gain(0.7);
    let inputs = [slots(&from[1]), vec![*vectors]].concat();
    *vectors = b.call(&format!("{name}.vectors_out"), out, &inputs)[0];
}

/// Token-wise layers on C scalars and K vectors, which open and turn each other.
pub(super) fn token_wise(
    b: &mut Builder<'_>,
    name: &str,
    Sizes { c, k }: Sizes,
    state: &mut State,
    vectors: &mut Slot,
) {
    let at = |part: &str| format!("{name}.mlp_{part}");
    let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
    let lengths = Invariants::of_vectors(k);
    let lengths = b.call(&format!("{name}.lengths"), lengths, &[*vectors])[0];
    let hidden = Linear::scalars(&[c, k], 2 * c).silu();
    let hidden = b.call(&at("in"), hidden, &[f, lengths])[0];
    let out = Linear::scalars(&[2 * c], c).residual().gain(0.5);
    state.scalars = b.call(&at("out"), out, &[hidden, state.scalars])[0];
    let gates = Linear::scalars(&[2 * c], k).gain(0.5);
    let gates = b.call(&at("gates"), gates, &[hidden])[0];
    let turned = Linear::vectors(&[k], k).gain(0.5);
    let turned = b.call(&at("vectors"), turned, &[*vectors])[0];
    let update = Update::of_vectors(k);
    *vectors = b.call(
        &format!("{name}.update"),
        update,
        &[*vectors, turned, gates],
    )[0];
}

/// A block's share of the answer: a sum of `moves` whose weights are those of each token's scalars,
/// or of the energy, from the scalars and the lengths of `moves[0]` where there are `lengths`.
pub(super) fn answer(
    b: &mut Builder<'_>,
    name: &str,
    c: usize,
    state: &mut State,
    moves: &Channels,
    refine: bool,
    lengths: Option<(Slot, usize)>,
) {
    match b.interface().answer {
        Answer::Energy => return energy(b, name, c, state, lengths),
        // of the last block alone: there is nothing that the others could move
        Answer::Vector => return state.moves.clone_from(moves),
        // of the last scalars alone (`finish`)
        Answer::Scalars(_) => return,
        Answer::Positions | Answer::Vectors => {}
    }
    let at = |part: &str| format!("{name}.readout{part}");
    let f = b.call(&at("_norm"), Norm { channels: c }, &[state.scalars])[0];
    let hidden = b.call(&at("_in"), Linear::scalars(&[c], c).silu(), &[f])[0];
    let widths = widths(moves);
    let weights = Linear::scalars(&[c], widths.iter().sum()).gain(0.01);
    let weights = b.call(&at("_weights"), weights, &[hidden])[0];
    let parts = [vec![state.answer, weights], slots(moves)].concat();
    state.answer = b.call(&at(""), Readout { vectors: widths }, &parts)[0];
    // forces are no displacements: the layers go on seeing the molecule where it is
    if refine && b.interface().answer == Answer::Positions {
        state.geometry = state.answer;
    }
}

/// A block's share of the energy of every token.
fn energy(
    b: &mut Builder<'_>,
    name: &str,
    c: usize,
    state: &mut State,
    vectors: Option<(Slot, usize)>,
) {
    let at = |part: &str| format!("{name}.energy_{part}");
    let f = b.call(&at("norm"), Norm { channels: c }, &[state.scalars])[0];
    let mut parts = vec![(f, c)];
    if let Some((vectors, k)) = vectors {
        let lengths = b.call(&at("lengths"), Invariants::of_vectors(k), &[vectors])[0];
        parts.push((lengths, k));
    }
    let hidden = Linear::scalars(&widths(&parts), c).silu();
    let hidden = b.call(&at("in"), hidden, &slots(&parts))[0];
    // no bias: a constant has no force, and nothing would train it
    let out = Linear::scalars(&[c], 1).unbiased().gain(0.1);
    let own = match state.energy {
        Some(before) => b.call(&at("out"), out.residual(), &[hidden, before]),
        None => b.call(&at("out"), out, &[hidden]),
    };
    state.energy = Some(own[0]);
}

/// The slot of the whole network's answer, of `c` scalars a token.
pub(super) fn finish(b: &mut Builder<'_>, c: usize, state: &State) -> Slot {
    if let Some(energy) = state.energy {
        return b.call("energy", Pool, &[energy])[0];
    }
    if let Answer::Scalars(count) = b.interface().answer {
        let f = b.call("answer_norm", Norm { channels: c }, &[state.scalars])[0];
        let hidden = b.call("answer_in", Linear::scalars(&[c], c).silu(), &[f])[0];
        return b.call("answer", Linear::scalars(&[c], count), &[hidden])[0];
    }
    if state.moves.is_empty() {
        return state.answer;
    }
    let sum = Linear::vectors(&widths(&state.moves), 1);
    b.call("answer", sum, &slots(&state.moves))[0]
}

/// Refuses a fold, of an architecture that has no use for one.
pub(super) fn refuse_fold(interface: &Interface, name: &str) -> Result<()> {
    if interface.gives(Given::Fold) {
        return Err(crate::Error::usage(
            format!("a network of architecture {name} takes no fold"),
            "set `fold = false`, or use architecture = \"g-hyena\"",
        ));
    }
    Ok(())
}
