//! `embed`: sums over systems for the conditioning, over chunks of tokens for the tables.

use super::{Backward, CHUNKS, Forward, LANES, Launch, Shader, named};
use crate::Result;
use crate::engine::gpu::values::Named;
use crate::ops::embed::Embed;

const TABLES: [&str; 3] = ["name", "residue", "chain_place"];

fn sizes(op: &Embed, tokens_of_chunk: usize) -> [Named; 5] {
    let [names, residues, places] = op.tables;
    [
        ("channels", op.channels.into()),
        ("rows_name", names.into()),
        ("rows_residue", residues.into()),
        ("rows_place", places.into()),
        ("tokens_of_chunk", tokens_of_chunk.into()),
    ]
}

impl Shader for Embed {
    fn forward(&self, launch: &Launch<'_>, call: &Forward<'_>) -> Result<()> {
        let bound = [
            named(["e"], call.inputs),
            named(TABLES, call.params),
            named(["f"], call.outputs),
        ]
        .concat();
        let groups = (launch.tokens() * self.channels).div_ceil(LANES);
        launch.run("forward", &sizes(self, 1), &bound, groups);
        Ok(())
    }

    fn backward(&self, launch: &Launch<'_>, call: &Backward<'_>) -> Result<()> {
        let [names, residues, places] = self.tables;
        let rows = names + residues + places;
        let of_chunk = launch.tokens().div_ceil(CHUNKS).max(LANES);
        let chunks = launch.tokens().div_ceil(of_chunk);
        let partial = launch.gpu.buffer(chunks * rows * self.channels)?;
        let bound = [
            named(["d_f"], call.d_outputs),
            named(["d_e"], call.d_inputs),
            vec![("partial", Some(&partial))],
        ]
        .concat();
        let sizes = sizes(self, of_chunk);
        let systems = launch.batch.systems * self.channels;
        launch.run("backward", &sizes, &bound, systems);
        launch.run("backward_tables", &sizes, &bound, chunks);
        let stride = rows * self.channels;
        for (table, first) in call.d_params.iter().zip([0, names, names + residues]) {
            launch.sum(&partial, chunks, stride, first * self.channels, table);
        }
        Ok(())
    }
}
