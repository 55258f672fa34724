//! The text of the gradients of a chain's weights: products xᵀ d of all its linear maps, cut into
//! squares.

use super::text::{SIDE, Writer};
use crate::ops::Op;
use crate::ops::chain::Step;
use crate::ops::linear::Linear;

/// Rows of xᵀ: the inputs' widths, and one of ones where there is a bias.
fn height(op: &Linear) -> usize {
    op.inputs.iter().sum::<usize>() + usize::from(op.bias)
}

impl Writer<'_> {
    fn products(&self) -> Vec<(usize, &Step, &Linear)> {
        let mut products = Vec::new();
        for (at, step) in self.chain.steps.iter().enumerate() {
            if let Op::Linear(op) = &step.op {
                products.push((at, step, op));
            }
        }
        products
    }

    /// Squares of all products.
    pub fn squares(&self) -> usize {
        let of = |(_, _, op): &(usize, &Step, &Linear)| {
            height(op).div_ceil(SIDE) * op.outputs.div_ceil(SIDE)
        };
        self.products().iter().map(of).sum()
    }

    /// Which square a number is, and where products find their numbers and put their results.
    pub fn weights(&self) -> String {
        let mut squares = String::new();
        let (mut shapes, mut lefts) = (String::new(), String::new());
        let (mut rights, mut places) = (String::new(), String::new());
        for (which, (at, step, op)) in self.products().into_iter().enumerate() {
            let down = height(op).div_ceil(SIDE);
            let count = down * op.outputs.div_ceil(SIDE);
            squares += &format!(
                "if (at < {count}u) {{ return vec3<u32>({which}u, at % {down}u, at / {down}u); }}\n\
                 at -= {count}u;\n"
            );
            let (n, c) = (op.outputs, op.components);
            shapes += &format!(
                "case {which}u: {{ return vec3<u32>({}u, {n}u, {c}u); }}\n",
                height(op)
            );
            lefts += &format!("case {which}u: {{\n{}}}\n", self.left(step, op));
            let d_pre = self.layout.d_pre[at].expect("a linear map's gradient is kept");
            rights += &format!(
                "case {which}u: {{ return scratch[{d_pre}u * sizes.block + row * {n}u + column]; \
                 }}\n"
            );
            places += &format!("case {which}u: {{\n{}}}\n", self.place(step, op));
        }
        let none = "default: { return 0.0; }";
        format!(
            "const SQUARES = {}u;\nconst STRIDE = {}u;\n\
             fn square_of(number: u32) -> vec3<u32> {{\nvar at = number;\n{squares}\
             return vec3<u32>(0u, 0u, 0u);\n}}\n\
             fn shape_of(which: u32) -> vec3<u32> {{\nswitch which {{\n{shapes}\
             default: {{ return vec3<u32>(0u, 0u, 1u); }}\n}}\n}}\n\
             fn left_of(which: u32, row: u32, number: u32) -> f32 {{\nvar k = number;\n\
             switch which {{\n{lefts}{none}\n}}\n}}\n\
             fn right_of(which: u32, row: u32, column: u32) -> f32 {{\nswitch which {{\n\
             {rights}{none}\n}}\n}}\n\
             fn place_of(which: u32, number: u32) -> u32 {{\nvar k = number;\nswitch which {{\n\
             {places}default: {{ return 0u; }}\n}}\n}}\n",
            self.squares().max(1),
            self.layout.params.1,
        )
    }

    /// Element k of the joint input of a line; past its end is 1, as the bias sees it.
    fn left(&self, step: &Step, op: &Linear) -> String {
        let mut text = String::new();
        for (&row, &width) in step.inputs.iter().zip(&op.inputs) {
            let c = op.components;
            let found = match self.layout.scratch[row] {
                Some(place) => format!("scratch[{place}u * sizes.block + row * {width}u + k]"),
                None => format!("x{row}[(sizes.begin * {c}u + row) * {width}u + k]"),
            };
            text += &format!("if (k < {width}u) {{ return {found}; }}\nk -= {width}u;\n");
        }
        text + "return 1.0;\n"
    }

    /// Where line k of a product's weights begins among the partial sums.
    fn place(&self, step: &Step, op: &Linear) -> String {
        let (starts, _) = &self.layout.params;
        let mut text = String::new();
        let n = op.outputs;
        for (param, &width) in step.params.clone().zip(&op.inputs) {
            let start = starts[param];
            text +=
                &format!("if (k < {width}u) {{ return {start}u + k * {n}u; }}\nk -= {width}u;\n");
        }
        let bias = if op.bias {
            starts[step.params.end - 1]
        } else {
            0
        };
        text + &format!("return {bias}u;\n")
    }
}
