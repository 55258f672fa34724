//! `chain`: token-wise ops one after another, in kernels that are written for each chain.

mod adjoint;
mod layout;
mod steps;
mod text;
mod weights;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::readout::{average, centre};
use super::{Backward, CHUNKS, Forward, LANES, Launch, Shader, named, source};
use crate::Result;
use crate::engine::gpu::buffers::{Buffer, layout as parts_layout};
use crate::engine::gpu::shaders::Source;
use crate::engine::gpu::values::Named;
use crate::ops::chain::{Chain, Step};
use crate::ops::{Op, Rows};
use layout::Layout;
use text::Writer;

/// Most inputs, outputs and parameters of a chain.
const MOST: usize = 20;
const MOST_PARAMS: usize = 48;

/// Tokens of a group, where they fit: the more of them, the less often weights are read.
const TILES: [usize; 3] = [16, 8, 4];

/// Groups that keep a large device busy: below, groups are smaller.
const GROUPS: usize = 256;

/// Words of shared memory that every device has.
const WORDS: usize = 4096;

/// Tokens that backward works on at once, since it keeps all rows of these.
const BLOCK: usize = 1 << 16;

const INPUTS: [&str; MOST] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19",
];
const D_INPUTS: [&str; MOST] = [
    "d_x0", "d_x1", "d_x2", "d_x3", "d_x4", "d_x5", "d_x6", "d_x7", "d_x8", "d_x9", "d_x10",
    "d_x11", "d_x12", "d_x13", "d_x14", "d_x15", "d_x16", "d_x17", "d_x18", "d_x19",
];
const OUTPUTS: [&str; MOST] = [
    "y0", "y1", "y2", "y3", "y4", "y5", "y6", "y7", "y8", "y9", "y10", "y11", "y12", "y13", "y14",
    "y15", "y16", "y17", "y18", "y19",
];
const D_OUTPUTS: [&str; MOST] = [
    "d_y0", "d_y1", "d_y2", "d_y3", "d_y4", "d_y5", "d_y6", "d_y7", "d_y8", "d_y9", "d_y10",
    "d_y11", "d_y12", "d_y13", "d_y14", "d_y15", "d_y16", "d_y17", "d_y18", "d_y19",
];
const PLACES: [&str; MOST_PARAMS] = [
    "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14",
    "p15", "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24", "p25", "p26", "p27",
    "p28", "p29", "p30", "p31", "p32", "p33", "p34", "p35", "p36", "p37", "p38", "p39", "p40",
    "p41", "p42", "p43", "p44", "p45", "p46", "p47",
];

/// What was written for a chain and a number of tokens of a group.
struct Made {
    text: &'static str,
    layout: Layout,
    /// Of the gradients of weights.
    squares: usize,
}

/// Written once: a program has few chains, and their texts are as good as its own.
fn made(chain: &Chain, tile: usize) -> &'static Made {
    static ALL: LazyLock<Mutex<HashMap<(u64, usize), &'static Made>>> =
        LazyLock::new(Mutex::default);
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let layout = Layout::new(chain);
        let writer = Writer {
            chain,
            layout: &layout,
            tile,
        };
        let (text, squares) = (writer.text(), writer.squares());
        let made: &'static Made = Box::leak(Box::new(Made {
            text: Box::leak(text.into_boxed_str()),
            layout,
            squares,
        }));
        made
    };
    all.entry((chain.key, tile)).or_insert_with(make)
}

/// Whether a chain can be compiled where so many buffers can be bound to a kernel.
pub(in crate::engine::gpu) fn fits(chain: &Chain, bindings: usize) -> bool {
    let (inputs, outputs) = (chain.inputs, chain.outputs.len());
    let readouts: Vec<&Step> = chain.steps.iter().filter(|step| is_readout(step)).collect();
    let readable = readouts.iter().all(|step| step.inputs[0] < chain.inputs);
    // beside these: graph, scales, weights twice, means, scratch
    let bound = 2 * inputs + outputs + 6;
    let least = TILES[TILES.len() - 1];
    let words = least * Layout::new(chain).words + LANES;
    chain.is_uniform()
        && inputs <= MOST
        && outputs <= MOST
        && chain.params().len() <= MOST_PARAMS
        && readouts.len() <= 1
        && readable
        && bound <= bindings
        && words <= WORDS
}

fn is_readout(step: &Step) -> bool {
    matches!(step.op, Op::Readout(_))
}

/// A chain's readout: the step, and its place among the chain's outputs.
fn readout(chain: &Chain) -> Option<(&Step, usize)> {
    let step = chain.steps.iter().find(|step| is_readout(step))?;
    let place = chain
        .outputs
        .iter()
        .position(|row| *row == step.outputs[0])?;
    Some((step, place))
}

/// Tokens, or systems where the rows are theirs.
fn rows(chain: &Chain, launch: &Launch<'_>) -> usize {
    match chain.of() {
        Rows::Tokens => launch.tokens(),
        Rows::Systems => launch.batch.systems,
    }
}

/// Tokens of a group on this device.
fn tile(chain: &Chain, launch: &Launch<'_>) -> usize {
    let words = made(chain, TILES[TILES.len() - 1]).layout.words;
    let limits = &launch.gpu.inner.device.limits;
    let room = limits.max_compute_workgroup_storage_size as usize / 4;
    let suits = |&&tile: &&usize| {
        tile * words + LANES <= room && rows(chain, launch).div_ceil(tile) >= GROUPS
    };
    let forced = launch
        .gpu
        .inner
        .tile
        .filter(|tile| tile * words + LANES <= room);
    forced.unwrap_or_else(|| *TILES.iter().find(suits).unwrap_or(&TILES[TILES.len() - 1]))
}

/// Its shader for groups of so many tokens.
fn of_tile(own: Source, made: &Made) -> Source {
    Source {
        generated: made.text,
        ..own
    }
}

/// All parameters in one buffer, and where each begins there.
fn flat(launch: &Launch<'_>, params: &[&Buffer]) -> Result<(Buffer, Vec<usize>)> {
    if let Some(found) = joined(launch, params) {
        return Ok(found);
    }
    let lens: Vec<usize> = params.iter().map(|param| param.len).collect();
    let (starts, all) = parts_layout(&lens);
    let whole = launch.gpu.buffer(all.max(1))?;
    for (param, &start) in params.iter().zip(&starts) {
        launch.gpu.copy(param, &whole, start);
    }
    Ok((whole, starts))
}

/// The memory that all of them lie in, where it is the same, and nothing guards them.
fn joined(launch: &Launch<'_>, buffers: &[&Buffer]) -> Option<(Buffer, Vec<usize>)> {
    let first = buffers.first()?;
    let id = first.memory()?.id;
    let same = |buffer: &&Buffer| buffer.memory().is_some_and(|memory| memory.id == id);
    let starts = buffers.iter().map(|buffer| buffer.start() as usize / 4);
    let together = !launch.gpu.inner.pool.guarded() && buffers.iter().all(same);
    together.then(|| (first.whole(), starts.collect()))
}

/// How backward goes about it.
#[derive(Clone, Copy, Default)]
struct Cut {
    /// Tokens that the scratch has room for.
    block: usize,
    /// Tokens of a partial sum of gradients of weights.
    of_chunk: usize,
    /// A bit for each input whose gradient nobody has written yet.
    fresh: usize,
}

impl Cut {
    fn new(tokens: usize, d_inputs: &[&Buffer]) -> Cut {
        let block = tokens.clamp(1, BLOCK);
        let fresh = |(bit, buffer): (usize, &&Buffer)| usize::from(buffer.take_blank()) << bit;
        Cut {
            block,
            of_chunk: block.div_ceil(CHUNKS).max(LANES),
            fresh: d_inputs.iter().enumerate().map(fresh).sum(),
        }
    }
}

/// What a kernel is told: the tokens that it works on, and where the parameters begin.
fn sizes(tokens: &Range<usize>, cut: Cut, starts: &[usize]) -> Vec<Named> {
    let mut sizes = vec![
        ("begin", tokens.start.into()),
        ("end", tokens.end.into()),
        ("block", cut.block.into()),
        ("tokens_of_chunk", cut.of_chunk.into()),
        ("fresh", cut.fresh.into()),
    ];
    let places = PLACES.iter().zip(starts);
    sizes.extend(places.map(|(&name, &start)| (name, start.into())));
    sizes
}

impl Shader for Chain {
    fn generated(&self) -> &'static str {
        made(self, TILES[TILES.len() - 1]).text
    }

    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let tile = tile(self, launch);
        let (weights, starts) = flat(launch, call.params)?;
        let bound = [
            vec![("weights", Some(&weights)), ("weights4", Some(&weights))],
            named(INPUTS, call.inputs),
            named(OUTPUTS, call.outputs),
        ]
        .concat();
        let tokens = 0..rows(self, launch);
        let groups = tokens.end.div_ceil(tile);
        let own = launch.of(of_tile(launch.source, made(self, tile)));
        own.run(
            "forward",
            &sizes(&tokens, Cut::default(), &starts),
            &bound,
            groups,
        );
        if let Some((step, place)) = readout(self) {
            let y = call.inputs[step.inputs[0]];
            centre(
                &launch.of(source(&step.op)),
                &step.op,
                y,
                call.outputs[place],
            )?;
        }
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let tile = tile(self, launch);
        let made = made(self, tile);
        let (weights, starts) = flat(launch, call.params)?;
        let mean = match readout(self) {
            Some((step, place)) => {
                let of = launch.of(source(&step.op));
                Some(average(&of, &step.op, call.d_outputs[place])?)
            }
            None => None,
        };
        let all = rows(self, launch);
        let cut = Cut::new(all, call.d_inputs);
        let Cut {
            block, of_chunk, ..
        } = cut;
        let chunks = block.div_ceil(of_chunk);
        let stride = made.layout.params.1;
        let scratch = launch
            .gpu
            .buffer((block * made.layout.scratch_words).max(1))?;
        let partial = launch.gpu.buffer((chunks * stride).max(1))?;
        let bound = [
            vec![
                ("weights", Some(&weights)),
                ("weights4", Some(&weights)),
                ("mean", mean.as_ref()),
                ("scratch", Some(&scratch)),
                ("partial", Some(&partial)),
            ],
            named(INPUTS, call.inputs),
            named(D_INPUTS, call.d_inputs),
            named(D_OUTPUTS, call.d_outputs),
        ]
        .concat();
        let own = launch.of(of_tile(launch.source, made));
        for begin in (0..all).step_by(block) {
            let tokens = begin..(begin + block).min(all);
            let chunks = tokens.len().div_ceil(of_chunk);
            let sizes = sizes(&tokens, cut, &starts);
            own.run("backward", &sizes, &bound, tokens.len().div_ceil(tile));
            if made.squares > 0 {
                own.run("backward_weights", &sizes, &bound, chunks * made.squares);
                self.add(launch, made, &partial, chunks, call.d_params);
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn others(&self, own: Source) -> Vec<Source> {
        let fits = |tile: &usize| tile * Layout::new(self).words + LANES <= WORDS;
        let tiles = TILES.into_iter().filter(fits);
        tiles.map(|tile| of_tile(own, made(self, tile))).collect()
    }
}

impl Chain {
    /// Adds up the partial sums of the gradients of the weights: as one where those lie as these.
    fn add(
        &self,
        launch: &Launch<'_>,
        made: &Made,
        partial: &Buffer,
        chunks: usize,
        totals: &[&Buffer],
    ) {
        let (places, stride) = &made.layout.params;
        let first = totals.first().map_or(0, |total| total.start() as usize / 4);
        let whole = joined(launch, totals).filter(|(_, starts)| {
            let alike = |(start, place): (&usize, &usize)| *start == first + place;
            starts.iter().zip(places).all(alike)
        });
        if let Some((whole, _)) = whole {
            let range = first..first + stride;
            return launch.sum_part(partial, [chunks, *stride, 0], &whole, range);
        }
        for (total, &place) in totals.iter().zip(places) {
            launch.sum(partial, chunks, *stride, place, total);
        }
    }
}
