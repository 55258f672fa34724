//! The text of a chain's steps backward.

use super::steps::{TUPLE_HEAD, UPDATE_HEAD};
use super::text::{Writer, epsilon, filled, gate_parts, lines_of_lane, part, tuple_parts, width};
use crate::ops::chain::Step;
use crate::ops::linear::Linear;
use crate::ops::{Op, invariants, norm, update};

/// Which gradients have begun.
struct Begun {
    rows: Vec<bool>,
    /// Text that begins those of which a step has only a part.
    text: String,
}

impl Writer<'_> {
    /// The steps in reverse.
    pub fn adjoints(&self) -> String {
        let mut begun = vec![false; self.chain.rows.len()];
        let mut text = "fn adjoints(lane: u32) {\n".to_owned();
        for (at, step) in self.chain.steps.iter().enumerate().rev() {
            let mut state = Begun {
                rows: begun.clone(),
                text: String::new(),
            };
            self.begin_parts(step, &mut state);
            let own = self.adjoint(at, step, &state.rows);
            text += &format!("{}{{\n{own}}}\nfence();\n", state.text);
            step.inputs.iter().for_each(|&row| begun[row] = true);
        }
        text + "}\n"
    }

    /// Begins the gradients of rows of which the step sees some channels only.
    fn begin_parts(&self, step: &Step, state: &mut Begun) {
        let parts = match &step.op {
            Op::Tuple(_) => &step.inputs[..2],
            Op::Gate(_) => &step.inputs[2..],
            _ => &[],
        };
        for &row in parts.iter().filter(|&&row| !state.rows[row]) {
            let shape = self.chain.rows[row];
            state.text += &format!(
                "for (var at = lane; at < {}u; at += LANES) {{\n    \
                 set{row}(at / {w}u, at % {w}u, 0.0);\n}}\n\
                 fence();\n",
                self.tile * shape.row(),
                w = shape.width,
            );
        }
        let mut rows = state.rows.clone();
        parts.iter().for_each(|&row| rows[row] = true);
        state.rows = rows;
    }

    fn adjoint(&self, at: usize, step: &Step, begun: &[bool]) -> String {
        let to = |row: usize| format!("{}{row}", if begun[row] { "add" } else { "set" });
        let mut parts = vec![part("T", format!("{}u", self.tile))];
        for (letter, &row) in ["I", "J", "G"].iter().zip(&step.inputs) {
            parts.push((letter, row.to_string()));
        }
        for (letter, &row) in ["TO_I", "TO_J", "TO_G"].iter().zip(&step.inputs) {
            parts.push((letter, to(row)));
        }
        for (letter, &row) in ["Y", "Z"].iter().zip(&step.outputs) {
            parts.push((letter, row.to_string()));
        }
        let text = match &step.op {
            Op::Linear(op) => self.d_linear(at, step, op, to),
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
                TUPLE_HEAD.replace("r$", "s$") + TUPLE
            }
            Op::Gate(op) => {
                parts.extend(gate_parts(op));
                GATE.to_owned()
            }
            Op::Update(op) => {
                parts.extend([width(op.channels), epsilon(update::LIMIT)]);
                UPDATE_HEAD.replace("r$", "s$") + UPDATE
            }
            Op::Readout(op) => {
                let mut text = READOUT_HEAD.to_owned();
                let mut first = 0;
                for (&row, &width) in step.inputs[2..].iter().zip(&op.vectors) {
                    let parts = [
                        part("V", row),
                        part("TO_V", to(row)),
                        part("K", format!("{width}u")),
                        part("FIRST", format!("{first}u")),
                    ];
                    text += &filled(READOUT, &parts);
                    first += width;
                }
                text
            }
            other => panic!("{} is no step of a chain", other.name()),
        };
        filled(&text, &parts)
    }

    /// The gradient of the product, then that of each input.
    fn d_linear(
        &self,
        at: usize,
        step: &Step,
        op: &Linear,
        to: impl Fn(usize) -> String,
    ) -> String {
        let place = self.layout.d_pre[at].expect("a linear map's gradient is kept");
        let residual = match op.residual {
            true => format!("    {}(line, k, d);\n", to(step.inputs[op.inputs.len()])),
            false => String::new(),
        };
        let slope = match op.silu {
            true => format!(" * silu_slope(s{}(line, k))", step.outputs[1]),
            false => String::new(),
        };
        let parts = [
            part(
                "COUNT",
                format!("{}u", self.tile * op.components * op.outputs),
            ),
            part("N", format!("{}u", op.outputs)),
            part("C", format!("{}u", op.components)),
            part("Y", step.outputs[0]),
            part("RESIDUAL", residual),
            part("SLOPE", slope),
            part("PLACE", format!("{place}u")),
        ];
        let mut text = filled(D_LINEAR, &parts);
        for (k, (&row, &width)) in step.inputs.iter().zip(&op.inputs).enumerate() {
            text += &self.d_input(step, op, (k, width), &to(row));
        }
        text
    }

    /// d Wᵀ of one input, four columns and some lines a lane.
    fn d_input(&self, step: &Step, op: &Linear, (k, width): (usize, usize), to: &str) -> String {
        let (lines, n) = (self.tile * op.components, op.outputs);
        let own = lines_of_lane(lines, width);
        let blocks = width.div_ceil(4);
        let (param, y) = (step.params.start + k, step.outputs[0]);
        let mut text = String::new();
        for line in 0..own {
            text += &format!("    var sum{line} = vec4<f32>(0.0);\n");
        }
        let together = n.is_multiple_of(4);
        let stride = if together { 4 } else { 1 };
        text += &format!("    for (var n = 0u; n < {n}u; n += {stride}u) {{\n");
        let weight = |column: usize| format!("sizes.p{param} + (column + {column}u) * {n}u + n");
        if together {
            for column in 0..4 {
                text += &format!(
                    "        let w{column} = weights4[({}) / 4u];\n",
                    weight(column)
                );
            }
        } else {
            let four: Vec<String> = (0..4).map(|c| format!("weights[{}]", weight(c))).collect();
            text += &format!("        let w = vec4<f32>({});\n", four.join(", "));
        }
        for line in 0..own {
            let d = |k: usize| format!("worked{y}(line + {line}u, n + {k}u)");
            text += &match together {
                true => format!(
                    "        let d{line} = vec4<f32>({}, {}, {}, {});\n        sum{line} += \
                     vec4<f32>(dot(d{line}, w0), dot(d{line}, w1), dot(d{line}, w2), \
                     dot(d{line}, w3));\n",
                    d(0),
                    d(1),
                    d(2),
                    d(3)
                ),
                false => format!("        sum{line} += {} * w;\n", d(0)),
            };
        }
        text += "    }\n";
        for line in 0..own {
            for (column, part) in ["x", "y", "z", "w"].iter().enumerate() {
                let bounded = match width.is_multiple_of(4) {
                    true => String::new(),
                    false => format!("if (column + {column}u < {width}u) "),
                };
                text += &format!(
                    "    {bounded}{{ {to}(line + {line}u, column + {column}u, \
                     sum{line}.{part}); }}\n"
                );
            }
        }
        format!(
            "for (var at = lane; at < {}u; at += LANES) {{\n    \
             let line = at / {blocks}u * {own}u;\n    \
             let column = at % {blocks}u * 4u;\n{text}}}\n",
            lines / own * blocks
        )
    }
}

const D_LINEAR: &str = "
for (var at = lane; at < $COUNT; at += LANES) {
    let line = at / $N;
    let k = at % $N;
    let d = d$Y(line, k);
$RESIDUAL    let own = d$SLOPE;
    work$Y(line, k, own);
    if (line < live * $C) {
        scratch[$PLACE * sizes.block + ((first - sizes.begin) * $C + line) * $N + k] = own;
    }
}
fence();
";
const NORM: &str = "
let t = lane / SHARE;
var own = 0.0;
for (var k = lane % SHARE; k < $K; k += SHARE) { own += s$I(t, k); }
let mean = sum_of_token(lane, own) / f32($K);
own = 0.0;
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let off = s$I(t, k) - mean;
    own += off * off;
}
let inverse = inverseSqrt(sum_of_token(lane, own) / f32($K) + $EPSILON);
var plain = 0.0;
var along = 0.0;
for (var k = lane % SHARE; k < $K; k += SHARE) {
    plain += d$Y(t, k);
    along += d$Y(t, k) * (s$I(t, k) - mean) * inverse;
}
let d_mean = sum_of_token(lane, plain) / f32($K);
let d_along = sum_of_token(lane, along) / f32($K);
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let y = (s$I(t, k) - mean) * inverse;
    $TO_I(t, k, (d$Y(t, k) - d_mean - y * d_along) * inverse);
}
";
const INVARIANTS: &str = "
for (var at = lane; at < $T * $K; at += LANES) {
    let t = at / $K;
    let k = at % $K;
    let v = vec3<f32>(s$I(3u * t, k), s$I(3u * t + 1u, k), s$I(3u * t + 2u, k));
    let length = sqrt(dot(v, v) + $EPSILON);
    let slope = d$Y(t, k) / (length * (1.0 + length) * (1.0 + length));
    $TO_I(3u * t, k, slope * v.x);
    $TO_I(3u * t + 1u, k, slope * v.y);
    $TO_I(3u * t + 2u, k, slope * v.z);
}
";
const TUPLE: &str = "
var pull = 0.0;
for (var at = lane % SHARE; at < 4u * $K; at += SHARE) {
    let h = at / $K;
    let k = at % $K;
    var v = 0.0;
    if (h == 0u) { v = s$I(t, $SCALAR + k); } else { v = s$J(3u * t + h - 1u, $VECTOR + k); }
    pull += v * inverse * d$Y(4u * t + h, k);
}
let along = sum_of_token(lane, pull) / f32($K);
for (var at = lane % SHARE; at < 4u * $K; at += SHARE) {
    let h = at / $K;
    let k = at % $K;
    let d_z = d$Y(4u * t + h, k);
    if (h == 0u) {
        let y = s$I(t, $SCALAR + k) * inverse;
        $TO_I(t, $SCALAR + k, (d_z - y * along) * inverse);
    } else {
        let y = s$J(3u * t + h - 1u, $VECTOR + k) * inverse;
        $TO_J(3u * t + h - 1u, $VECTOR + k, (d_z - y * along) * inverse);
    }
}
";
// d·(r × s) = r·(s × d) = s·(d × r): the adjoints are products again
const GATE: &str = "
for (var at = lane; at < $T * $K; at += LANES) {
    let t = at / $K;
    let k = at % $K;
    let l = 4u * t;
    let u = vec4<f32>(s$I(l, k), s$I(l + 1u, k), s$I(l + 2u, k), s$I(l + 3u, k));
    let v = vec4<f32>(s$J(l, k), s$J(l + 1u, k), s$J(l + 2u, k), s$J(l + 3u, k));
    let open = sigmoid(s$G(t, $GATE + k) + 1.0);
    let d = vec4<f32>(
        d$Y(t, k), d$Z(3u * t, k), d$Z(3u * t + 1u, k), d$Z(3u * t + 2u, k),
    );
    let d_open = product(v, d);
    let d_factor = product(d, u * open);
    for (var h = 0u; h < 4u; h += 1u) {
        $TO_I(l + h, k, d_open[h] * open);
        $TO_J(l + h, k, d_factor[h]);
    }
    $TO_G(t, $GATE + k, dot(d_open, u) * open * (1.0 - open));
}
";
const UPDATE: &str = "
var pull = 0.0;
for (var at = lane % SHARE; at < 3u * $K; at += SHARE) {
    let l = 3u * t + at / $K;
    let k = at % $K;
    pull += (s$I(l, k) + sigmoid(s$G(t, k)) * s$J(l, k)) * d$Y(l, k);
}
let along = sum_of_token(lane, pull) * limit * limit * limit / (f32($K) * $EPSILON);
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let open = sigmoid(s$G(t, k));
    var d_open = 0.0;
    for (var l = 3u * t; l < 3u * t + 3u; l += 1u) {
        let w = s$I(l, k) + open * s$J(l, k);
        let d_w = d$Y(l, k) * limit - w * along;
        $TO_I(l, k, d_w);
        $TO_J(l, k, d_w * open);
        d_open += d_w * s$J(l, k);
    }
    $TO_G(t, k, d_open * open * (1.0 - open));
}
";
const READOUT_HEAD: &str = "
let t = lane / SHARE;
let system = system_of(first + min(t, live - 1u));
let given = vec3<f32>(d$Y(3u * t, 0u), d$Y(3u * t + 1u, 0u), d$Y(3u * t + 2u, 0u));
let means = vec3<f32>(mean[3u * system], mean[3u * system + 1u], mean[3u * system + 2u]);
let d = scales[system] * (given - means);
if (lane % SHARE == 0u) {
    $TO_I(3u * t, 0u, given.x);
    $TO_I(3u * t + 1u, 0u, given.y);
    $TO_I(3u * t + 2u, 0u, given.z);
}
";
const READOUT: &str = "
for (var k = lane % SHARE; k < $K; k += SHARE) {
    let v = vec3<f32>(s$V(3u * t, k), s$V(3u * t + 1u, k), s$V(3u * t + 2u, k));
    let w = s$J(t, $FIRST + k);
    $TO_V(3u * t, k, d.x * w);
    $TO_V(3u * t + 1u, k, d.y * w);
    $TO_V(3u * t + 2u, k, d.z * w);
    $TO_J(t, $FIRST + k, dot(d, v));
}
";
