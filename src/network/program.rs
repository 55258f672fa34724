//! A network as data: a flat list of op calls over numbered buffers. Backward is that list
//! reversed.

use crate::engine::Call;
use crate::ops::{Kernel, Op, ParamShape, Shape};

/// Scalars that tell a system the logarithm of one number: sine and cosine at 8 frequencies.
pub const TOLD: usize = 16;

/// What a task may hand to a network. An architecture takes what it can use, and says so
/// ([`super::Architecture::check`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    /// y: positions that the answer starts from and whose geometry the network sees, Å (1 vector a
    /// token).
    Candidate,
    /// x: the positions that are known, Å (1 vector a token).
    Condition,
    /// x in units that keep the first layer's vectors of order one (1 vector a token).
    Place,
    /// n: the noisy displacement of the candidate from the condition, of order one (1 vector a
    /// token).
    Noisy,
    /// n: the displacement since the frame before, of order one, zero where it is not known (1
    /// vector a token).
    Velocity,
    /// Where the fold is from x, of order one (1 vector a token).
    Fold,
    /// What a whole system is told, as sines and cosines ([`Interface::conditioning`] scalars a
    /// system).
    Conditioning,
    /// Where a token stands in its system, as sines and cosines ([`TOLD`] scalars a token).
    /// No task's business: a network that asks for it computes it ([`Builder::index`]).
    Index,
}

/// What a network answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Positions: the candidate, moved (1 vector a token).
    Positions,
    /// Vectors that are no displacements of the candidate, added to [`Given::Velocity`] (1 vector a
    /// token).
    Vectors,
    /// One scalar a system that does not change when it is turned or moved.
    Energy,
    /// One vector a system, the mean of what its tokens answer (1 vector a token).
    Vector,
    /// So many scalars a token that do not change when its system is turned or moved.
    Scalars(usize),
}

/// What a task hands to a network, and what it wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What is handed over.
    pub given: Vec<Given>,
    /// Width of [`Given::Conditioning`].
    pub conditioning: usize,
    /// What is wanted.
    pub answer: Answer,
}

impl Interface {
    /// That of a network which sees where tokens are and how they are on their way, and is told
    /// `conditioning` numbers.
    pub fn of_moving_tokens(conditioning: usize, answer: Answer) -> Interface {
        Interface {
            given: vec![
                Given::Candidate,
                Given::Condition,
                Given::Velocity,
                Given::Place,
                Given::Conditioning,
            ],
            conditioning,
            answer,
        }
    }

    /// Whether this is handed over.
    pub fn gives(&self, given: Given) -> bool {
        self.given.contains(&given)
    }

    fn shape(&self, given: Given) -> Shape {
        match given {
            Given::Conditioning => Shape::per_system(self.conditioning),
            Given::Index => Shape::scalars(TOLD),
            _ => Shape::vectors(1),
        }
    }
}

/// A buffer of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// The one of this number.
    pub(super) fn number(number: usize) -> Slot {
        Slot(number as u32)
    }

    /// Its number, as calls name it.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A flat list of calls; see [`Builder`].
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Shape of every buffer.
    pub slots: Vec<Shape>,
    /// Name (`layer 0.message.weight`) and shape of every parameter.
    pub params: Vec<(String, ParamShape)>,
    /// The calls, in order. Every slot is written once.
    pub calls: Vec<Call>,
    /// Name of every call.
    pub names: Vec<String>,
    /// The buffers that the host fills.
    pub given: Vec<(Given, Slot)>,
    /// The buffer that the host reads.
    pub answer: Slot,
    /// Nearest neighbours that every token of a batch must have edges from, beside its template
    /// pairs.
    pub neighbours: usize,
}

impl Program {
    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.parameter_lens().iter().sum()
    }

    /// Number of every parameter's numbers.
    pub fn parameter_lens(&self) -> Vec<usize> {
        let sizes = self.params.iter().map(|(_, shape)| shape.size);
        sizes.map(|[rows, columns]| rows * columns).collect()
    }

    /// The buffer of what is given; none where this program takes no such thing.
    pub fn slot_of(&self, given: Given) -> Option<Slot> {
        let found = self.given.iter().find(|(other, _)| *other == given);
        found.map(|&(_, slot)| slot)
    }

    /// For every call the slots that no later call reads, the answer's excepted: their memory can
    /// be reused.
    pub fn last_uses(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.slots.len()];
        seen[self.answer.index()] = true;
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
#[derive(Debug)]
pub struct Builder<'a> {
    interface: &'a Interface,
    slots: Vec<Shape>,
    params: Vec<(String, ParamShape)>,
    calls: Vec<Call>,
    names: Vec<String>,
    given: Vec<(Given, Slot)>,
    neighbours: usize,
}

impl<'a> Builder<'a> {
    /// An empty program for batches with edges from so many nearest neighbours.
    pub fn new(interface: &'a Interface, neighbours: usize) -> Self {
        Builder {
            interface,
            neighbours,
            slots: Vec::new(),
            params: Vec::new(),
            calls: Vec::new(),
            names: Vec::new(),
            given: Vec::new(),
        }
    }

    /// What the program is for.
    pub fn interface(&self) -> &'a Interface {
        self.interface
    }

    /// The buffer that the host fills with this; none where the task does not hand it over.
    pub fn given(&mut self, given: Given) -> Option<Slot> {
        self.interface.gives(given).then(|| self.filled(given))
    }

    /// Where every token stands in its system ([`Given::Index`]), whatever the task.
    pub fn index(&mut self) -> Slot {
        self.filled(Given::Index)
    }

    fn filled(&mut self, given: Given) -> Slot {
        let known = self.given.iter().find(|(other, _)| *other == given);
        if let Some(&(_, slot)) = known {
            return slot;
        }
        let slot = self.slot(self.interface.shape(given));
        self.given.push((given, slot));
        slot
    }

    /// Vectors of no channel, for ops that take vectors of a network that has none.
    pub fn no_vectors(&mut self) -> Slot {
        self.slot(Shape::vectors(0))
    }

    /// Likewise, of what every task hands over.
    ///
    /// # Panics
    /// Where the task does not: a bug of that task.
    pub fn must_have(&mut self, given: Given) -> Slot {
        self.given(given)
            .unwrap_or_else(|| panic!("every task hands over {given:?}"))
    }

    fn slot(&mut self, shape: Shape) -> Slot {
        self.slots.push(shape);
        Slot(self.slots.len() as u32 - 1)
    }

    /// Appends a call; `name` prefixes its parameters. Returns the slots of its outputs.
    ///
    /// # Panics
    /// Where a slot's shape is not the one that the op takes: a bug of the network's definition.
    pub fn call(&mut self, name: &str, op: impl Into<Op>, inputs: &[Slot]) -> Vec<Slot> {
        let op = op.into();
        let signature = op.signature();
        let shapes: Vec<Shape> = inputs.iter().map(|slot| self.slots[slot.index()]).collect();
        assert_eq!(shapes, signature.inputs, "inputs of {name} ({})", op.name());
        let first = self.params.len();
        let own = signature.params.iter();
        self.params
            .extend(own.map(|param| (format!("{name}.{}", param.name), *param)));
        let outputs: Vec<Slot> = signature
            .outputs
            .iter()
            .map(|&shape| self.slot(shape))
            .collect();
        self.names.push(name.to_owned());
        self.calls.push(Call {
            op,
            inputs: inputs.iter().map(|slot| slot.index()).collect(),
            params: (first..self.params.len()).collect(),
            outputs: outputs.iter().map(|slot| slot.index()).collect(),
        });
        outputs
    }

    /// The finished program, whose answer is in this buffer.
    pub fn finish(self, answer: Slot) -> Program {
        Program {
            slots: self.slots,
            params: self.params,
            calls: self.calls,
            names: self.names,
            given: self.given,
            answer,
            neighbours: self.neighbours,
        }
    }
}
