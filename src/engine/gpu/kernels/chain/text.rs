//! The text of a chain's shader beside shaders/chain.wgsl: what it binds, where its rows lie, its
//! steps forward.

use super::layout::{Layout, pitch};
use super::steps::{
    AT, GATE, INPUT, INVARIANTS, KEPT, NORM, OUT, READOUT, READOUT_HEAD, READOUT_TAIL, SAVED, TILE,
    TUPLE, TUPLE_HEAD, UPDATE, UPDATE_HEAD,
};
use crate::engine::gpu::shaders::LANES;
use crate::ops::chain::{Chain, Step};
use crate::ops::gate::Gate;
use crate::ops::linear::Linear;
use crate::ops::tuple::Tuple;
use crate::ops::{Op, Rows, invariants, norm, tuple, update};

/// Rows and columns of a square of a gradient of weights.
pub(super) const SIDE: usize = 32;

/// A chain with all that its text depends on.
pub(super) struct Writer<'a> {
    pub chain: &'a Chain,
    pub layout: &'a Layout,
    /// Tokens of a group.
    pub tile: usize,
}

/// A text with each `$name` replaced; longer names first, where one begins like another.
pub(super) fn filled(text: &str, parts: &[(&str, String)]) -> String {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let replace =
        |text: String, part: &&(&str, String)| text.replace(&format!("${}", part.0), &part.1);
    parts.iter().fold(text.to_owned(), replace)
}

/// A part of a text.
pub(super) fn part(name: &'static str, value: impl ToString) -> (&'static str, String) {
    (name, value.to_string())
}

/// Lines that a lane has of a product: as many as leave work for all lanes.
pub(super) fn lines_of_lane(lines: usize, columns: usize) -> usize {
    let blocks = columns.div_ceil(4);
    let suits = |&&own: &&usize| lines.is_multiple_of(own) && lines / own * blocks >= LANES;
    [4, 2].iter().find(suits).copied().unwrap_or(1)
}

impl Writer<'_> {
    /// The whole text before shaders/chain.wgsl.
    pub fn text(&self) -> String {
        let mut text = self.head();
        for row in 0..self.chain.rows.len() {
            text += &self.row(row);
        }
        for (name, put) in [("steps", "put"), ("again", "keep")] {
            text += &format!("fn {name}(lane: u32) {{\n");
            for step in &self.chain.steps {
                text += &self.step(step).replace("put_", put);
            }
            text += "}\n";
        }
        text + &self.adjoints() + &self.weights()
    }

    /// Sizes, buffers, constants.
    fn head(&self) -> String {
        let params = (0..self.chain.params().len()).map(|k| format!(" p{k}: u32,"));
        let mut text = format!(
            "struct Sizes {{ begin: u32, end: u32, block: u32, tokens_of_chunk: u32, fresh: u32,{} \
             }}\n@group(0) @binding(0) var<uniform> sizes: Sizes;\n",
            params.collect::<String>()
        );
        let mut names = vec![
            ("weights".to_owned(), "read", "f32"),
            ("weights4".to_owned(), "read", "vec4<f32>"),
            ("mean".to_owned(), "read", "f32"),
            ("scratch".to_owned(), "read_write", "f32"),
            ("partial".to_owned(), "read_write", "f32"),
        ];
        for input in 0..self.chain.inputs {
            names.push((format!("x{input}"), "read", "f32"));
            names.push((format!("d_x{input}"), "read_write", "f32"));
        }
        for output in 0..self.chain.outputs.len() {
            names.push((format!("y{output}"), "read_write", "f32"));
            names.push((format!("d_y{output}"), "read", "f32"));
        }
        for (binding, (name, access, of)) in (3..).zip(names) {
            text += &format!(
                "@group(0) @binding({binding}) var<storage, {access}> {name}: array<{of}>;\n"
            );
        }
        let count = match self.chain.of() {
            Rows::Tokens => "token_count()",
            Rows::Systems => "system_count()",
        };
        text += &format!("fn row_count() -> u32 {{ return {count}; }}\n");
        // the squares of two products go through shared memory too
        let words = (self.tile * self.layout.words).max(2 * 16 * (SIDE + 1));
        text + &format!(
            "const TILE = {}u;\nconst SIDE = {SIDE}u;\nvar<workgroup> tile: array<f32, {words}>;\n",
            self.tile
        )
    }

    /// How a row is read and written.
    fn row(&self, row: usize) -> String {
        let shape = self.chain.rows[row];
        let of_tile = |place: Option<usize>| {
            let start = place.map(|place| place * self.tile);
            start.map(|start| format!("tile[{start}u + line * {}u + k]", pitch(shape.width)))
        };
        let output = self.chain.outputs.iter().position(|&out| out == row);
        let scratch = self.layout.scratch[row];
        let parts = [
            part("n", row),
            part("C", format!("{}u", shape.components)),
            part("W", format!("{}u", shape.width)),
            part("B", format!("{}u", 1u64 << (row % 32))),
            part("OUT", output.unwrap_or(0)),
            part("KEPT", format!("{}u", scratch.unwrap_or(0))),
            part(
                "TILE",
                of_tile(self.layout.forward[row]).unwrap_or_default(),
            ),
            part(
                "BACK",
                of_tile(self.layout.backward[row]).unwrap_or_default(),
            ),
        ];
        let text = if row < self.chain.inputs {
            INPUT.to_owned()
        } else {
            let tile = if self.layout.forward[row].is_some() {
                TILE
            } else {
                ""
            };
            let forward = match (tile.is_empty(), output) {
                (true, None) => String::new(),
                (false, None) => "    $TILE = v;\n".to_owned(),
                (true, Some(_)) => OUT.to_owned(),
                (false, Some(_)) => format!("    $TILE = v;\n{OUT}"),
            };
            let stay = if tile.is_empty() {
                ""
            } else {
                "    $TILE = v;\n"
            };
            let keep = if scratch.is_some() { KEPT } else { "" };
            let read = if scratch.is_some() { SAVED } else { "" };
            format!(
                "{AT}{tile}fn put$n(line: u32, k: u32, v: f32) {{\n{forward}}}\n\
                 fn keep$n(line: u32, k: u32, v: f32) {{\n{stay}{keep}}}\n{read}{}",
                self.gradient(row, output.is_some())
            )
        };
        filled(&text, &parts)
    }

    /// How the gradient of a row that a step writes is read and written.
    fn gradient(&self, row: usize, handed: bool) -> String {
        let mut text = String::new();
        let read = self
            .chain
            .steps
            .iter()
            .any(|step| step.inputs.contains(&row));
        let given = if handed { "given$n(line, k)" } else { "0.0" };
        if handed {
            text += "fn given$n(line: u32, k: u32) -> f32 { return d_y$OUT[at$n(line) + k]; }\n";
        }
        if self.layout.backward[row].is_none() {
            return text + &format!("fn d$n(line: u32, k: u32) -> f32 {{ return {given}; }}\n");
        }
        text += &format!("fn set$n(line: u32, k: u32, v: f32) {{ $BACK = v + {given}; }}\n");
        text += "fn add$n(line: u32, k: u32, v: f32) { $BACK += v; }\n";
        text += "fn work$n(line: u32, k: u32, v: f32) { $BACK = v; }\n";
        let own = if read { "$BACK" } else { given };
        text + &format!(
            "fn d$n(line: u32, k: u32) -> f32 {{ return {own}; }}\n\
             fn worked$n(line: u32, k: u32) -> f32 {{ return $BACK; }}\n"
        )
    }

    fn step(&self, step: &Step) -> String {
        let (inputs, outputs) = (&step.inputs, &step.outputs);
        let mut parts = vec![part("T", format!("{}u", self.tile))];
        for (letter, &row) in ["I", "J", "G"].iter().zip(inputs) {
            parts.push((letter, row.to_string()));
        }
        for (letter, &row) in ["Y", "Z"].iter().zip(outputs) {
            parts.push((letter, row.to_string()));
        }
        let text = match &step.op {
            Op::Linear(op) => self.linear(step, op),
            Op::Norm(op) => {
                parts.extend([width(op.channels), epsilon(norm::EPSILON)]);
                NORM.to_owned()
            }
            Op::Invariants(op) => {
                parts.extend([width(op.channels), epsilon(invariants::EPSILON)]);
                INVARIANTS.to_owned()
            }
            Op::Tuple(op) => {
                parts.extend(tuple_parts(op));
                format!("{TUPLE_HEAD}{TUPLE}")
            }
            Op::Gate(op) => {
                parts.extend(gate_parts(op));
                GATE.to_owned()
            }
            Op::Update(op) => {
                parts.extend([width(op.channels), epsilon(update::LIMIT)]);
                format!("{UPDATE_HEAD}{UPDATE}")
            }
            Op::Readout(op) => self.readout(step, &op.vectors),
            other => panic!("{} is no step of a chain", other.name()),
        };
        filled(&format!("{{\n{text}}}\nfence();\n"), &parts)
    }

    /// Sums over the inputs, four columns and some lines a lane.
    fn linear(&self, step: &Step, op: &Linear) -> String {
        let lines = self.tile * op.components;
        let own = lines_of_lane(lines, op.outputs);
        let blocks = op.outputs.div_ceil(4);
        let mut text = String::new();
        for line in 0..own {
            text += &format!("    var sum{line} = vec4<f32>(0.0);\n");
        }
        for (k, &width) in op.inputs.iter().enumerate() {
            // four terms at a time, so that the loop costs little
            let terms = if width.is_multiple_of(4) { 4 } else { 1 };
            text += &format!("    for (var k = 0u; k < {width}u; k += {terms}u) {{\n");
            for term in 0..terms {
                let offset = format!("(k + {term}u) * {}u + column", op.outputs);
                let weight = four(step.params.start + k, &offset, op.outputs);
                text += &format!("        let w{term} = {weight};\n");
            }
            for line in 0..own {
                let row = step.inputs[k];
                for term in 0..terms {
                    text += &format!(
                        "        sum{line} += r{row}(line + {line}u, k + {term}u) * w{term};\n"
                    );
                }
            }
            text += "    }\n";
        }
        if op.bias {
            let bias = four(step.params.end - 1, "column", op.outputs);
            text += &format!("    let b = {bias};\n");
            for line in 0..own {
                text += &format!("    sum{line} += b;\n");
            }
        }
        for line in 0..own {
            for column in 0..4 {
                text += &self.result(step, op, line, column);
            }
        }
        format!(
            "for (var at = lane; at < {}u; at += LANES) {{\n    \
             let line = at / {blocks}u * {own}u;\n    \
             let column = at % {blocks}u * 4u;\n{text}}}\n",
            lines / own * blocks
        )
    }

    /// What becomes of one sum.
    fn result(&self, step: &Step, op: &Linear, line: usize, column: usize) -> String {
        let at = format!("line + {line}u, column + {column}u");
        let sum = format!("sum{line}.{}", ["x", "y", "z", "w"][column]);
        let mut text = String::new();
        let mut value = sum.clone();
        if op.silu {
            text += &format!("put_{}({at}, {sum}); ", step.outputs[1]);
            value = format!("silu({sum})");
        }
        if op.residual {
            value += &format!(" + r{}({at})", step.inputs[op.inputs.len()]);
        }
        text += &format!("put_{}({at}, {value});", step.outputs[0]);
        if !op.outputs.is_multiple_of(4) {
            text = format!("if (column + {column}u < {}u) {{ {text} }}", op.outputs);
        }
        format!("    {text}\n")
    }

    fn readout(&self, step: &Step, vectors: &[usize]) -> String {
        let mut text = READOUT_HEAD.to_owned();
        let mut first = 0;
        for (&row, &width) in step.inputs[2..].iter().zip(vectors) {
            let parts = [
                part("V", row),
                part("K", format!("{width}u")),
                part("FIRST", format!("{first}u")),
            ];
            text += &filled(READOUT, &parts);
            first += width;
        }
        text + READOUT_TAIL
    }
}

/// Four numbers of a parameter from an offset on; where they can, they come as one. Those past the
/// end of a row are others' and are not used.
pub(super) fn four(param: usize, offset: &str, width: usize) -> String {
    if width.is_multiple_of(4) {
        return format!("weights4[(sizes.p{param} + {offset}) / 4u]");
    }
    let one = |k: usize| format!("weights[sizes.p{param} + {offset} + {k}u]");
    format!("vec4<f32>({}, {}, {}, {})", one(0), one(1), one(2), one(3))
}

pub(super) fn width(channels: usize) -> (&'static str, String) {
    part("K", format!("{channels}u"))
}

pub(super) fn epsilon(value: f64) -> (&'static str, String) {
    part("EPSILON", format!("{value:?}"))
}

pub(super) fn tuple_parts(op: &Tuple) -> Vec<(&'static str, String)> {
    vec![
        width(op.channels),
        epsilon(tuple::EPSILON),
        part("SCALAR", format!("{}u", op.scalars.1)),
        part("VECTOR", format!("{}u", op.vectors.1)),
    ]
}

pub(super) fn gate_parts(op: &Gate) -> Vec<(&'static str, String)> {
    vec![width(op.channels), part("GATE", format!("{}u", op.gates.1))]
}
