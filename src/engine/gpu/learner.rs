//! Clipping, AdamW and the average of the parameters on the device: the gradient stays there, and
//! the host reads its norm.

use super::buffers::{self, Buffer};
use super::recorder::Bound;
use super::shaders::{LANES, Source};
use super::values::Named;
use super::{Gpu, Inner};
use crate::Result;
use crate::engine::{Engine, Learned, Learner, Rates};

const LEARN: Source = Source {
    name: "learn",
    shared: "",
    text: include_str!("../../../shaders/shared/learn.wgsl"),
    generated: "",
    constants: &[],
    variant: [None; 5],
};

/// What the optimiser remembers, laid out as the parameters are.
pub(super) struct OnDevice {
    gpu: Gpu,
    lens: Vec<usize>,
    /// Of each number: whether it is a parameter, and whether it shrinks.
    kinds: Buffer,
    values: Buffer,
    rests: Buffer,
    means: Buffer,
    mean_squares: Buffer,
    averages: Buffer,
    average_rests: Buffer,
}

/// Values as two numbers each, whose sum they are, with nothing between the parts' ends.
fn pairs(values: &[f64], lens: &[usize]) -> [Vec<f64>; 2] {
    let (starts, all) = buffers::layout(lens);
    let mut pairs = [vec![0.0; all], vec![0.0; all]];
    let mut rest = values.iter();
    for (start, &len) in starts.into_iter().zip(lens) {
        for (at, &value) in (start..start + len).zip(rest.by_ref()) {
            pairs[0][at] = f64::from(value as f32);
            pairs[1][at] = value - pairs[0][at];
        }
    }
    pairs
}

impl OnDevice {
    /// Takes a state up; none where buffers are guarded, so that parameters do not lie together.
    pub fn new(
        gpu: &Gpu,
        lens: &[usize],
        decays: &[bool],
        state: &Learned,
    ) -> Result<Option<OnDevice>> {
        if gpu.inner.pool.guarded() {
            return Ok(None);
        }
        let [values, rests] = pairs(&state.values, lens);
        let [averages, average_rests] = pairs(&state.average, lens);
        let [means, _] = pairs(&state.mean, lens);
        let [mean_squares, _] = pairs(&state.square, lens);
        let kinds: Vec<f64> = decays
            .iter()
            .map(|&decays| if decays { 2.0 } else { 1.0 })
            .collect();
        let [kinds, _] = pairs(&kinds, lens);
        let kinds: Vec<u32> = kinds.iter().map(|&kind| kind as u32).collect();
        Ok(Some(OnDevice {
            gpu: gpu.clone(),
            lens: lens.to_vec(),
            kinds: gpu.words(&kinds)?,
            values: gpu.upload(&values)?,
            rests: gpu.upload(&rests)?,
            means: gpu.upload(&means)?,
            mean_squares: gpu.upload(&mean_squares)?,
            averages: gpu.upload(&averages)?,
            average_rests: gpu.upload(&average_rests)?,
        }))
    }

    fn run(&self, entry: &'static str, sizes: &[Named], bound: &[Bound<'_>], groups: usize) {
        let Inner {
            recorder,
            pipelines,
            pool,
            device,
            ..
        } = &*self.gpu.inner;
        let pipeline = pipelines.get(device, LEARN, entry);
        recorder.dispatch(device, pool, &pipeline, sizes, bound, groups);
    }

    /// The sums of two buffers' numbers, parameter by parameter.
    fn joined(&self, [values, rests]: [&[f64]; 2]) -> Vec<f64> {
        let (starts, _) = buffers::layout(&self.lens);
        let parts = starts.into_iter().zip(&self.lens);
        let numbers = parts.flat_map(|(start, len)| start..start + len);
        numbers.map(|at| values[at] + rests[at]).collect()
    }
}

impl Learner<Buffer> for OnDevice {
    fn update(&mut self, params: &[Buffer], d_params: &[Buffer], rates: &Rates) -> Result<f64> {
        let gpu = &self.gpu;
        let (len, of_group) = (self.values.len, self.values.len.div_ceil(LANES));
        let (squares, norm) = (gpu.buffer(LANES)?, gpu.buffer(1)?);
        let gradient = d_params[0].part_of_memory(len);
        let sizes: [Named; 11] = [
            ("len", len.into()),
            ("of_group", of_group.into()),
            ("learning_rate", rates.learning_rate.into()),
            ("beta1", rates.beta1.into()),
            ("beta2", rates.beta2.into()),
            ("epsilon", rates.epsilon.into()),
            ("weight_decay", rates.weight_decay.into()),
            ("bias1", rates.bias1.into()),
            ("bias2", rates.bias2.into()),
            ("clip", rates.clip.into()),
            ("moved", rates.moved.into()),
        ];
        let bound = [
            ("gradient", Some(&gradient)),
            ("kinds", Some(&self.kinds)),
            ("squares", Some(&squares)),
            ("values", Some(&self.values)),
            ("rests", Some(&self.rests)),
            ("means", Some(&self.means)),
            ("mean_squares", Some(&self.mean_squares)),
            ("averages", Some(&self.averages)),
            ("average_rests", Some(&self.average_rests)),
            ("norm", Some(&norm)),
        ];
        self.run("measure", &sizes, &bound, LANES);
        self.run("update", &sizes, &bound, len.div_ceil(LANES));
        gpu.copy(&self.values, &params[0].part_of_memory(len), 0);
        let found = gpu.download(&norm)?;
        Ok(found[0])
    }

    fn learned(&self) -> Result<Learned> {
        let buffers = [
            &self.values,
            &self.rests,
            &self.means,
            &self.mean_squares,
            &self.averages,
            &self.average_rests,
        ];
        let read = self.gpu.download_all(&buffers)?;
        let none = vec![0.0; self.values.len];
        Ok(Learned {
            values: self.joined([&read[0], &read[1]]),
            mean: self.joined([&read[2], &none]),
            square: self.joined([&read[3], &none]),
            average: self.joined([&read[4], &read[5]]),
        })
    }
}
