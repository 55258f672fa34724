//! A network as data: a flat list of op calls over numbered buffers. Backward is that list
//! reversed.

use crate::engine::Call;
use crate::ops::{Kernel, Op, ParamShape, Shape};

/// A flat list of calls; see [`Builder`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// Shape of every buffer.
    pub slots: Vec<Shape>,
    /// Name (`layer 0.message.weight`) and shape of every parameter.
    pub params: Vec<(String, ParamShape)>,
    /// The calls, in order. Every slot is written once.
    pub calls: Vec<Call>,
    /// Name of every call.
    pub names: Vec<String>,
}

impl Program {
    /// For every call the slots that no later call reads and that are not in `keep`: their memory
    /// can be reused.
    pub fn last_uses(&self, keep: &[usize]) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.slots.len()];
        keep.iter().for_each(|&slot| seen[slot] = true);
        let mut dead: Vec<Vec<usize>> = Vec::with_capacity(self.calls.len());
        for call in self.calls.iter().rev() {
            let touched = call.inputs.iter().chain(&call.outputs).copied();
            dead.push(
                touched
                    .filter(|&slot| !std::mem::replace(&mut seen[slot], true))
                    .collect(),
            );
        }
        dead.reverse();
        dead
    }
}

/// Writes a [`Program`] call by call.
#[derive(Debug, Default)]
pub struct Builder {
    program: Program,
}

impl Builder {
    /// A buffer that the host fills.
    pub fn input(&mut self, shape: Shape) -> usize {
        self.program.slots.push(shape);
        self.program.slots.len() - 1
    }

    /// Appends a call; `name` prefixes its parameters. Returns the slots of its outputs.
    ///
    /// # Panics
    /// Where a slot's shape is not the one that the op takes: a bug of the network's definition.
    pub fn call(&mut self, name: &str, op: impl Into<Op>, inputs: &[usize]) -> Vec<usize> {
        let op = op.into();
        let signature = op.signature();
        let given: Vec<Shape> = inputs
            .iter()
            .map(|&slot| self.program.slots[slot])
            .collect();
        assert_eq!(given, signature.inputs, "inputs of {name} ({})", op.name());
        let first = self.program.params.len();
        self.program.params.extend(
            signature
                .params
                .iter()
                .map(|param| (format!("{name}.{}", param.name), *param)),
        );
        let params = (first..self.program.params.len()).collect();
        let outputs: Vec<usize> = signature
            .outputs
            .iter()
            .map(|&shape| self.input(shape))
            .collect();
        self.program.names.push(name.to_owned());
        self.program.calls.push(Call {
            op,
            inputs: inputs.to_vec(),
            params,
            outputs: outputs.clone(),
        });
        outputs
    }

    /// The finished program.
    pub fn finish(self) -> Program {
        self.program
    }
}
