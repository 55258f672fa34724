//! `embed`: what a token is and what its system is conditioned on.
//!
//! ```text
//! f_i = A(name_i) + R(residue_i) + P(place_i) + e(system_i)
//! ```

use super::pieces::for_rows;
use super::{Backward, Forward, Init, Kernel, ParamShape, Shape, Signature};
use crate::numeric::Real;

/// Sum of three embedding tables, indexed by `Batch::kinds`, and a row of the system.
///
/// Input: e (`channels` scalars a system). Parameters: `name`, `residue`, `place` (`tables` rows
/// each). Output: `channels` scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// Channels C.
    pub channels: usize,
    /// Rows of the three tables.
    pub tables: [usize; 3],
}

impl Kernel for Embed {
    fn examples() -> Vec<Self> {
        vec![Embed {
            channels: 6,
            tables: [7, 5, 4],
        }]
    }

    fn signature(&self) -> Signature {
        let table = |(name, rows): (&'static str, usize)| ParamShape {
            name,
            size: [rows, self.channels],
            init: Init::Normal {
                gain: (rows as f64).sqrt(),
            },
        };
        Signature {
            inputs: vec![Shape::per_system(self.channels)],
            params: ["name", "residue", "place"]
                .into_iter()
                .zip(self.tables)
                .map(table)
                .collect(),
            outputs: vec![Shape::scalars(self.channels)],
        }
    }

    fn forward<T: Real>(&self, call: Forward<'_, T>) {
        let c = self.channels;
        let systems: Vec<usize> = call.batch.system_of_tokens().collect();
        for_rows(call.outputs[0], c, |first, out| {
            for (token, row) in (first..).zip(out.chunks_exact_mut(c)) {
                row.copy_from_slice(&call.inputs[0][systems[token] * c..][..c]);
                for (table, &kind) in call.params.iter().zip(&call.batch.kinds[token]) {
                    row.iter_mut()
                        .zip(&table[kind as usize * c..][..c])
                        .for_each(|(f, &e)| *f += e);
                }
            }
        });
    }

    fn backward<T: Real>(&self, call: Backward<'_, T>) {
        let c = self.channels;
        let add = |to: &mut [T], row: &[T]| to.iter_mut().zip(row).for_each(|(d, &g)| *d += g);
        for ((row, kinds), system) in call.d_outputs[0]
            .chunks_exact(c)
            .zip(&call.batch.kinds)
            .zip(call.batch.system_of_tokens())
        {
            add(&mut call.d_inputs[0][system * c..][..c], row);
            for (table, &kind) in call.d_params.iter_mut().zip(kinds) {
                add(&mut table[kind as usize * c..][..c], row);
            }
        }
    }
}
