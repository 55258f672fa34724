//! Token-wise calls that follow one another become one call each, for engines that gain by it: the
//! same network, of fewer and larger calls.

use std::collections::BTreeMap;

use super::program::Program;
use crate::engine::Call;
use crate::ops::chain::Chain;
use crate::ops::{Op, Shape};

/// Calls in their new order: alone, or several as one.
type Group = Vec<usize>;

impl Program {
    /// The same program with token-wise calls joined as far as `joins` allows.
    pub fn fused(&self, joins: impl Fn(&Chain) -> bool) -> Program {
        fused(self, joins)
    }
}

fn fused(program: &Program, joins: impl Fn(&Chain) -> bool) -> Program {
    let mut groups: Vec<Group> = Vec::new();
    let mut open: Group = Vec::new();
    for (index, call) in program.calls.iter().enumerate() {
        let reads = |group: &Group, last: bool| {
            let written = group
                .iter()
                .filter(|&&at| !last || is_last(&program.calls[at].op));
            let mut written = written.flat_map(|&at| &program.calls[at].outputs);
            written.any(|slot| call.inputs.contains(slot))
        };
        if !Chain::takes(&call.op) {
            // what does not read of the open group can as well go before it
            if reads(&open, false) {
                groups.push(std::mem::take(&mut open));
            }
            groups.push(vec![index]);
            continue;
        }
        let longer = [&open[..], &[index]].concat();
        if reads(&open, true) || !joins(&chain(program, &longer).0) {
            groups.push(std::mem::take(&mut open));
            open.push(index);
        } else {
            open = longer;
        }
    }
    groups.push(open);
    let mut joined = Program {
        calls: Vec::new(),
        names: Vec::new(),
        ..program.clone()
    };
    for group in groups.iter().filter(|group| !group.is_empty()) {
        let names: Vec<&str> = group.iter().map(|&at| &program.names[at][..]).collect();
        joined.names.push(names.join(", "));
        joined.calls.push(match &group[..] {
            [alone] => program.calls[*alone].clone(),
            several => chain(program, several).1,
        });
    }
    joined
}

/// Whether nothing of a chain may read what this op writes.
fn is_last(op: &Op) -> bool {
    matches!(op, Op::Readout(_))
}

/// These calls as a chain, and the call of that.
fn chain(program: &Program, group: &[usize]) -> (Chain, Call) {
    let calls: Vec<&Call> = group.iter().map(|&at| &program.calls[at]).collect();
    let written: Vec<usize> = calls
        .iter()
        .flat_map(|call| &call.outputs)
        .copied()
        .collect();
    let mut inputs: Vec<usize> = Vec::new();
    for &slot in calls.iter().flat_map(|call| &call.inputs) {
        if !written.contains(&slot) && !inputs.contains(&slot) {
            inputs.push(slot);
        }
    }
    let slots = [&inputs[..], &written[..]].concat();
    let numbers: BTreeMap<usize, usize> = slots.iter().enumerate().map(|(k, &s)| (s, k)).collect();
    let outside = program.calls.iter().enumerate();
    let outside = outside.filter(|(at, _)| !group.contains(at));
    let read: Vec<usize> = outside
        .flat_map(|(_, call)| &call.inputs)
        .copied()
        .collect();
    let handed = |slot: &&usize| read.contains(slot) || **slot == program.answer.index();
    let outputs: Vec<usize> = written.iter().filter(handed).copied().collect();
    let step = |call: &&Call| {
        let rows = call.inputs.iter().map(|slot| numbers[slot]).collect();
        (call.op.clone(), rows)
    };
    let shapes: Vec<Shape> = inputs.iter().map(|&slot| program.slots[slot]).collect();
    let handed_out = outputs.iter().map(|slot| numbers[slot]).collect();
    let chain = Chain::new(shapes, calls.iter().map(step).collect(), handed_out);
    let call = Call {
        op: chain.clone().into(),
        inputs,
        params: calls
            .iter()
            .flat_map(|call| &call.params)
            .copied()
            .collect(),
        outputs,
    };
    (chain, call)
}
