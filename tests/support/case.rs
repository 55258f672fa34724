//! A case of an op with random numbers, and running it on an engine.

use mdsurrogate::engine::{Call, Engine};
use mdsurrogate::ops::{Batch, Init, Kernel, Op, ParamShape, Shape};
use rand::Rng;

use super::{batch, normals, random};

/// An op with a batch, inputs, parameters, and the gradient that its outputs are given.
pub struct Case {
    pub op: Op,
    pub batch: Batch,
    pub inputs: Vec<Vec<f64>>,
    pub params: Vec<Vec<f64>>,
    pub d_outputs: Vec<Vec<f64>>,
}

/// A random case of an op for systems of these sizes, with `neighbours` random senders a token.
pub fn case(op: &Op, seed: u64, sizes: &[usize], neighbours: usize) -> Case {
    let mut rng = random(seed);
    let batch = batch(&mut rng, sizes, neighbours);
    Case::random(op.clone(), batch, &mut rng)
}

/// What an engine made of a case.
pub struct Outcome {
    pub outputs: Vec<Vec<f64>>,
    pub d_inputs: Vec<Vec<f64>>,
    pub d_params: Vec<Vec<f64>>,
}

impl Case {
    /// Random inputs for an op; positions (1-channel vectors of pair ops) spread like atoms.
    pub fn random(op: Op, batch: Batch, rng: &mut impl Rng) -> Case {
        let signature = op.signature();
        let spread = if matches!(op, Op::Message(_) | Op::NearAttention(_) | Op::Heights(_)) {
            1.5
        } else {
            1.0
        };
        let input = |shape: &Shape, rng: &mut _| {
            let scale = if shape.components == 3 { spread } else { 1.0 };
            normals(rng, shape.len(&batch))
                .into_iter()
                .map(|x| x * scale)
                .collect()
        };
        let inputs = signature
            .inputs
            .iter()
            .map(|shape| input(shape, rng))
            .collect();
        let param = |shape: &ParamShape, rng: &mut _| {
            let gain = match shape.init {
                Init::Normal { gain } => gain / (shape.size[0] as f64).sqrt(),
                Init::Constant(_) => 0.5,
            };
            normals(rng, shape.size[0] * shape.size[1])
                .into_iter()
                .map(|x| x * gain)
                .collect()
        };
        let params = signature
            .params
            .iter()
            .map(|shape| param(shape, rng))
            .collect();
        let d_outputs = signature
            .outputs
            .iter()
            .map(|shape| normals(rng, shape.len(&batch)))
            .collect::<Vec<_>>();
        // nothing reads what is kept for backward alone
        let read = signature.outputs.len() - op.kept();
        let d_outputs = d_outputs
            .into_iter()
            .enumerate()
            .map(|(k, d)| if k < read { d } else { vec![0.0; d.len()] });
        Case {
            d_outputs: d_outputs.collect(),
            op,
            batch,
            inputs,
            params,
        }
    }

    fn call(&self) -> Call {
        let (inputs, outputs) = (self.inputs.len(), self.d_outputs.len());
        Call {
            op: self.op.clone(),
            inputs: (0..inputs).collect(),
            params: (0..self.params.len()).collect(),
            outputs: (inputs..inputs + outputs).collect(),
        }
    }

    /// Runs forward and backward, from outputs full of NaN.
    pub fn run<E: Engine>(&self, engine: &E) -> Outcome {
        let upload = |values: &Vec<f64>| engine.upload(values).unwrap();
        let call = self.call();
        let params: Vec<_> = self.params.iter().map(upload).collect();
        let dirty = self
            .d_outputs
            .iter()
            .map(|d| engine.upload(&vec![f64::NAN; d.len()]).unwrap());
        let mut slots: Vec<_> = self.inputs.iter().map(upload).chain(dirty).collect();
        let batch = engine.prepare(&self.batch).unwrap();
        engine.forward(&call, &batch, &params, &mut slots).unwrap();
        let zeros = |values: &Vec<f64>| engine.zeros(values.len()).unwrap();
        let mut d_slots: Vec<_> = self
            .inputs
            .iter()
            .map(zeros)
            .chain(self.d_outputs.iter().map(upload))
            .collect();
        let mut d_params: Vec<_> = self.params.iter().map(zeros).collect();
        engine
            .backward(&call, &batch, &params, &slots, &mut d_slots, &mut d_params)
            .unwrap();
        let download = |buffers: &[E::Buffer]| {
            buffers
                .iter()
                .map(|buffer| engine.download(buffer).unwrap())
                .collect::<Vec<_>>()
        };
        let count = self.inputs.len();
        Outcome {
            outputs: download(&slots[count..]),
            d_inputs: download(&d_slots[..count]),
            d_params: download(&d_params),
        }
    }

    /// Σ outputs · d_outputs: the scalar whose gradients `run` computes.
    pub fn value<E: Engine>(&self, engine: &E) -> f64 {
        let upload = |values: &Vec<f64>| engine.upload(values).unwrap();
        let params: Vec<_> = self.params.iter().map(upload).collect();
        let mut slots: Vec<_> = self
            .inputs
            .iter()
            .chain(&self.d_outputs)
            .map(upload)
            .collect();
        engine
            .forward(
                &self.call(),
                &engine.prepare(&self.batch).unwrap(),
                &params,
                &mut slots,
            )
            .unwrap();
        let output = |(slot, d): (&E::Buffer, &Vec<f64>)| {
            engine
                .download(slot)
                .unwrap()
                .iter()
                .zip(d)
                .map(|(&y, &d)| if d == 0.0 { 0.0 } else { y * d })
                .sum::<f64>()
        };
        slots[self.inputs.len()..]
            .iter()
            .zip(&self.d_outputs)
            .map(output)
            .sum()
    }
}
