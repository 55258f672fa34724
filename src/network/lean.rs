//! The same program for evaluations that nothing is kept of, in little memory: what can be computed
//! anew from what is kept anyway is not kept while an op runs that sees other tokens; token-wise
//! calls that follow one another become one, by tiles; and results go in the place of what nobody
//! reads any more. Its numbers are those of the program, bit by bit.

use super::program::{Program, Slot};
use crate::engine::Call;
use crate::ops::chain::Chain;
use crate::ops::{Kernel, Op, Rows, Shape};

impl Program {
    /// The same program for evaluations: not for backward, which it keeps nothing for.
    pub fn lean(&self) -> Program {
        let mut lean = anew(self).fused(Chain::is_uniform);
        write_over(&mut lean);
        lean
    }

    /// For every call the numbers a token that are held while it runs: slots, and what the op needs
    /// beside them of a long system on the CPU. What is one number a system is not counted.
    pub fn held(&self) -> Vec<usize> {
        let numbers = |slot: usize| match self.slots[slot].rows {
            Rows::Tokens => self.slots[slot].row(),
            Rows::Systems => 0,
        };
        let slots = self.live(numbers);
        let works = self.calls.iter().map(|call| call.op.work());
        slots
            .iter()
            .zip(works)
            .map(|(slots, work)| slots + work)
            .collect()
    }

    /// For every call the size of all slots that are held while it runs, from that of each.
    pub(super) fn live(&self, size: impl Fn(usize) -> usize) -> Vec<usize> {
        let given = self.given.iter().map(|(_, slot)| size(slot.index()));
        let mut live: usize = given.sum();
        let mut sizes = Vec::with_capacity(self.calls.len());
        for (call, dead) in self.calls.iter().zip(self.last_uses()) {
            let new = call
                .outputs
                .iter()
                .filter(|slot| !call.inputs.contains(slot));
            live += new.map(|&slot| size(slot)).sum::<usize>();
            sizes.push(live);
            live -= dead.iter().map(|&slot| size(slot)).sum::<usize>();
        }
        sizes
    }

    /// For every slot the number of calls up to the last that reads it.
    fn reads(&self) -> Vec<usize> {
        let mut last = vec![0; self.slots.len()];
        for (at, call) in self.calls.iter().enumerate() {
            call.inputs.iter().for_each(|&slot| last[slot] = at + 1);
        }
        last[self.answer.index()] = usize::MAX;
        last
    }
}

/// A program on its way.
struct Writer<'a> {
    from: &'a Program,
    /// The call that writes each slot; none of what is given.
    writer: Vec<Option<usize>>,
    /// See [`Program::reads`].
    last: Vec<usize>,
    /// Where the numbers of each slot are, if they are anywhere.
    now: Vec<Option<usize>>,
    /// Whether a slot of this number has been written.
    written: Vec<bool>,
    slots: Vec<Shape>,
    calls: Vec<Call>,
    names: Vec<String>,
}

/// The program that computes token-wise results again behind an op that sees other tokens, rather
/// than keeping them, where all that they are made of is kept anyway.
fn anew(program: &Program) -> Program {
    let mut writer = vec![None; program.slots.len()];
    for (at, call) in program.calls.iter().enumerate() {
        call.outputs
            .iter()
            .for_each(|&slot| writer[slot] = Some(at));
    }
    let given = writer.iter().enumerate();
    let mut new = Writer {
        from: program,
        now: given
            .map(|(slot, writer)| writer.is_none().then_some(slot))
            .collect(),
        writer,
        last: program.reads(),
        written: vec![false; program.slots.len()],
        slots: program.slots.clone(),
        calls: Vec::new(),
        names: Vec::new(),
    };
    for at in 0..program.calls.len() {
        new.take_over(at);
    }
    let answer = new.now[program.answer.index()].expect("an answer is never left out");
    let mut program = Program {
        slots: new.slots,
        calls: new.calls,
        names: new.names,
        answer: Slot::number(answer),
        ..program.clone()
    };
    drop_unread(&mut program);
    tell_columns(&mut program);
    program
}

/// Tells linear maps which of their columns anybody reads: heads are computed where they are read,
/// some of them here and some there.
fn tell_columns(program: &mut Program) {
    let mut read: Vec<Option<[usize; 2]>> = vec![None; program.slots.len()];
    for call in &program.calls {
        for (input, &slot) in call.inputs.iter().enumerate() {
            let [first, end] = columns(&call.op, input, program.slots[slot].width);
            let known = read[slot].unwrap_or([first, end]);
            read[slot] = Some([known[0].min(first), known[1].max(end)]);
        }
    }
    for call in &mut program.calls {
        let slot = call.outputs[0];
        if let Op::Linear(linear) = &mut call.op
            && let Some(own) = read[slot].filter(|own| *own != [0, linear.outputs])
            && !linear.silu
            && slot != program.answer.index()
        {
            linear.read = Some(own);
        }
    }
}

/// The channels that an op reads of an input of so many.
fn columns(op: &Op, input: usize, width: usize) -> [usize; 2] {
    let from = |first: usize, count: usize| [first, first + count];
    match op {
        Op::Tuple(tuple) if input == 0 => from(tuple.scalars.1, tuple.channels),
        Op::Tuple(tuple) => from(tuple.vectors.1, tuple.channels),
        Op::Gate(gate) if input == 2 => from(gate.gates.1, gate.channels),
        _ => [0, width],
    }
}

impl Writer<'_> {
    /// Takes the next call over. Behind one that sees other tokens is left out what can be.
    fn take_over(&mut self, at: usize) {
        if is_by_tokens(&self.from.calls[at]) {
            return self.emit(at);
        }
        let lost = self.can_be_left_out(at);
        for slot in 0..self.now.len() {
            if self.is_alive(slot, at) && self.written_before(slot, at) && !lost.contains(&slot) {
                self.make(slot);
            }
        }
        self.emit(at);
        for slot in 0..self.now.len() {
            if !self.is_alive(slot, at) || lost.contains(&slot) {
                self.now[slot] = None;
            }
        }
    }

    fn is_alive(&self, slot: usize, at: usize) -> bool {
        self.last[slot] > at + 1
    }

    fn written_before(&self, slot: usize, at: usize) -> bool {
        self.writer[slot].is_none_or(|writer| writer < at)
    }

    /// Slots that live on behind a call and can be computed from the others that do, the newest
    /// first.
    fn can_be_left_out(&self, at: usize) -> Vec<usize> {
        let alive =
            |slot| self.is_alive(slot, at) && self.writer[slot].is_none_or(|writer| writer <= at);
        let mut kept: Vec<bool> = (0..self.now.len()).map(alive).collect();
        let mut lost = Vec::new();
        for slot in (0..kept.len()).rev() {
            if kept[slot] && slot != self.from.answer.index() {
                kept[slot] = false;
                kept[slot] = !self.can_be_made(slot, &kept);
                lost.extend((!kept[slot]).then_some(slot));
            }
        }
        lost
    }

    /// Whether a slot can be computed by token-wise calls from these.
    fn can_be_made(&self, slot: usize, kept: &[bool]) -> bool {
        // slots are numbered in the order in which they are written
        let mut can = kept.to_vec();
        for slot in 0..=slot {
            if let Some(writer) = self.writer[slot].filter(|_| !kept[slot]) {
                let call = &self.from.calls[writer];
                let all = call.inputs.iter().all(|&input| can[input]);
                can[slot] = all && is_by_tokens(call) && !matches!(call.op, Op::Readout(_));
            }
        }
        can[slot]
    }

    /// Sees to it that the numbers of a slot are there; where.
    fn make(&mut self, slot: usize) -> usize {
        if self.now[slot].is_none() {
            self.emit(self.writer[slot].expect("what is given is never left out"));
        }
        self.now[slot].expect("made")
    }

    /// Appends a call of the program, behind those that its inputs need.
    fn emit(&mut self, at: usize) {
        let call = &self.from.calls[at];
        let inputs = call.inputs.iter().map(|&slot| self.make(slot)).collect();
        for &slot in &call.outputs {
            let mut number = slot;
            if self.written[slot] {
                number = self.slots.len();
                self.slots.push(self.slots[slot]);
            }
            self.written[slot] = true;
            self.now[slot] = Some(number);
        }
        let outputs = call.outputs.iter().filter_map(|&slot| self.now[slot]);
        self.calls.push(Call {
            inputs,
            outputs: outputs.collect(),
            ..call.clone()
        });
        self.names.push(self.from.names[at].clone());
    }
}

/// Whether a call sees one token at a time.
fn is_by_tokens(call: &Call) -> bool {
    let of_tokens = |shape: &Shape| shape.rows == Rows::Tokens;
    Chain::takes(&call.op) && call.op.signature().outputs.iter().all(of_tokens)
}

/// Leaves calls out whose results nobody reads.
fn drop_unread(program: &mut Program) {
    let mut read = vec![false; program.slots.len()];
    read[program.answer.index()] = true;
    let calls = std::mem::take(&mut program.calls);
    let names = std::mem::take(&mut program.names);
    for (call, name) in calls.into_iter().zip(names).rev() {
        if call.outputs.iter().any(|&slot| read[slot]) {
            call.inputs.iter().for_each(|&slot| read[slot] = true);
            program.calls.push(call);
            program.names.push(name);
        }
    }
    program.calls.reverse();
    program.names.reverse();
}

/// Puts outputs in the place of inputs that are not read any more, where the op can do that.
fn write_over(program: &mut Program) {
    for at in 0..program.calls.len() {
        for output in 0..program.calls[at].outputs.len() {
            let Some(place) = place_of(program, at, output) else {
                continue;
            };
            let old = std::mem::replace(&mut program.calls[at].outputs[output], place);
            let later = program.calls[at + 1..].iter_mut();
            let slots = later.flat_map(|call| call.inputs.iter_mut().chain(&mut call.outputs));
            slots
                .filter(|slot| **slot == old)
                .for_each(|slot| *slot = place);
            if program.answer.index() == old {
                program.answer = Slot::number(place);
            }
        }
    }
}

/// The slot of an input that an output of a call can be written over.
fn place_of(program: &Program, at: usize, output: usize) -> Option<usize> {
    let call = &program.calls[at];
    let last = program.reads();
    let shape = program.slots[call.outputs[output]];
    let free = |&(_, &slot): &(usize, &usize)| {
        let times = call.inputs.iter().filter(|&&other| other == slot).count();
        program.slots[slot] == shape
            && shape.row() > 0
            && last[slot] == at + 1
            && times == 1
            && !call.outputs.contains(&slot)
    };
    let mut inputs = call.inputs.iter().enumerate().filter(free);
    let found = inputs.find(|&(input, _)| call.op.over(input, output));
    found.map(|(_, &slot)| slot)
}
