//! `readout`: sums over the channels of a token, then means over systems.

use super::{Backward, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::buffers::Buffer;
use crate::engine::gpu::values::Named;
use crate::ops::Op;
use crate::ops::readout::Readout;

const VECTORS: [&str; 4] = ["v0", "v1", "v2", "v3"];
const D_VECTORS: [&str; 4] = ["d_v0", "d_v1", "d_v2", "d_v3"];

fn sizes(op: &Readout, parts: usize) -> [Named; 5] {
    assert!(
        op.vectors.len() <= VECTORS.len(),
        "readout of more than {} vector inputs",
        VECTORS.len()
    );
    let width = |k: usize| op.vectors.get(k).copied().unwrap_or(0).into();
    [
        ("width0", width(0)),
        ("width1", width(1)),
        ("width2", width(2)),
        ("width3", width(3)),
        ("parts", parts.into()),
    ]
}

/// Systems of up to so many tokens have their mean taken out by one group each; longer ones by all.
const ONE_GROUP: usize = 4096;

/// Sums that the mean of a long system is made of.
const PARTS: usize = 64;

fn parts(launch: &Launch<'_>) -> usize {
    if launch.batch.longest <= ONE_GROUP {
        1
    } else {
        PARTS
    }
}

/// Finishes Δ in `out`: y + s (Δ − mean of Δ over the system).
pub(super) fn centre(launch: &Launch<'_>, op: &Op, y: &Buffer, out: &Buffer) -> Result<()> {
    let Op::Readout(op) = op else {
        panic!("{} is no readout", op.name())
    };
    let parts = parts(launch);
    let sizes = sizes(op, parts);
    if parts == 1 {
        let bound = [("y", Some(y)), ("out", Some(out))];
        launch.run("settle", &sizes, &bound, launch.batch.systems);
        return Ok(());
    }
    let mean = average(launch, &op.clone().into(), out)?;
    let bound = [("y", Some(y)), ("out", Some(out)), ("mean", Some(&mean))];
    let groups = (3 * launch.tokens()).div_ceil(LANES);
    launch.run("centre", &sizes, &bound, groups);
    Ok(())
}

/// Means over systems of rows of three.
pub(super) fn average(launch: &Launch<'_>, op: &Op, rows: &Buffer) -> Result<Buffer> {
    let Op::Readout(op) = op else {
        panic!("{} is no readout", op.name())
    };
    let parts = parts(launch);
    let sums = averages(launch, op, rows)?;
    if parts == 1 {
        return Ok(sums);
    }
    let means = 3 * launch.batch.systems;
    let mean = launch.gpu.buffer(means)?;
    let bound = [("rows", Some(&sums)), ("mean", Some(&mean))];
    launch.run("join", &sizes(op, parts), &bound, means.div_ceil(LANES));
    Ok(mean)
}

/// The parts of the means over systems, one after the other for each.
fn averages(launch: &Launch<'_>, op: &Readout, rows: &Buffer) -> Result<Buffer> {
    let parts = parts(launch);
    let sums = 3 * launch.batch.systems * parts;
    let mean = launch.gpu.buffer(sums)?;
    let bound = [("rows", Some(rows)), ("mean", Some(&mean))];
    launch.run("average", &sizes(op, parts), &bound, sums);
    Ok(mean)
}

impl Shader for Readout {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["w"], &call.inputs[1..2]),
            named(VECTORS, &call.inputs[2..]),
            named(["out"], call.outputs),
        ]
        .concat();
        launch.run("forward", &sizes(self, 1), &bound, launch.tokens());
        centre(
            launch,
            &self.clone().into(),
            call.inputs[0],
            call.outputs[0],
        )
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let sizes = sizes(self, 1);
        let mean = average(launch, &self.clone().into(), call.d_outputs[0])?;
        let bound = [
            named(["y", "w"], &call.inputs[..2]),
            named(VECTORS, &call.inputs[2..]),
            named(["d_out"], call.d_outputs),
            named(["d_y", "d_w"], &call.d_inputs[..2]),
            named(D_VECTORS, &call.d_inputs[2..]),
            vec![("mean", Some(&mean))],
        ]
        .concat();
        let weights: usize = self.vectors.iter().sum();
        let groups = (launch.tokens() * weights).div_ceil(LANES);
        launch.run("backward", &sizes, &bound, groups);
        Ok(())
    }
}
