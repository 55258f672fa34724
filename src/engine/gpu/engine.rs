//! The GPU as an engine: calls become kernels.

use super::buffers::{self, Buffer, Pool};
use super::learner::OnDevice;
use super::{BINDINGS, GROUP, Gpu, MICRO_BATCH, Prepared, kernels};
use crate::Result;
use crate::engine::{Call, Engine, Learned, Learner};
use crate::ops::Batch;
use crate::ops::chain::Chain;

impl Engine for Gpu {
    type Buffer = Buffer;
    type Batch<'a> = Prepared;

    fn name(&self) -> String {
        format!("gpu-f32 ({})", self.inner.device.name)
    }

    fn group(&self) -> usize {
        GROUP
    }

    /// A cache's size, which is what is asked for, would leave the device idle.
    fn micro_batch(&self, asked: usize) -> usize {
        asked.max(MICRO_BATCH)
    }

    fn joins(&self, chain: &Chain) -> bool {
        let limits = &self.inner.device.limits;
        let bindings = limits.max_storage_buffers_per_shader_stage as usize;
        self.inner.joins && kernels::fits(chain, bindings.min(BINDINGS))
    }

    fn learner(
        &self,
        lens: &[usize],
        decays: &[bool],
        state: &Learned,
    ) -> Result<Option<Box<dyn Learner<Buffer>>>> {
        let learner = OnDevice::new(self, lens, decays, state)?;
        Ok(learner.map(|learner| Box::new(learner) as Box<dyn Learner<Buffer>>))
    }

    fn prepare(&self, batch: &Batch) -> Result<Prepared> {
        let scales: Vec<u32> = batch
            .scale
            .iter()
            .map(|&scale| (scale as f32).to_bits())
            .collect();
        let lengths = (0..batch.systems()).map(|system| batch.range(system).len());
        Ok(Prepared {
            laid: self.lay(batch)?,
            scales: self.words(&scales)?,
            tokens: batch.tokens(),
            systems: batch.systems(),
            longest: lengths.max().unwrap_or(0),
        })
    }

    fn zeros(&self, len: usize) -> Result<Buffer> {
        Ok(self.buffer(len)?.blanked())
    }

    fn scratch(&self, len: usize) -> Result<Buffer> {
        self.buffer(len)
    }

    fn upload(&self, values: &[f64]) -> Result<Buffer> {
        self.words(
            &values
                .iter()
                .map(|&value| (value as f32).to_bits())
                .collect::<Vec<_>>(),
        )
    }

    fn upload_parts(&self, values: &[f64], lens: &[usize]) -> Result<Vec<Buffer>> {
        let (starts, all) = buffers::layout(lens);
        let mut rest = values;
        let own = lens.iter().map(|&len| {
            let (own, others) = rest.split_at(len);
            rest = others;
            own
        });
        if self.inner.pool.guarded() {
            return own.map(|own| self.upload(own)).collect();
        }
        let mut whole = vec![0.0; all];
        for (start, own) in starts.into_iter().zip(own) {
            whole[start..start + own.len()].copy_from_slice(own);
        }
        Ok(Pool::parts(&self.upload(&whole)?, lens))
    }

    fn zeros_parts(&self, lens: &[usize]) -> Result<Vec<Buffer>> {
        if self.inner.pool.guarded() {
            return lens.iter().map(|&len| self.zeros(len)).collect();
        }
        let (_, all) = buffers::layout(lens);
        let whole = self.zeros(all)?;
        self.inner.recorder.settle(&self.inner.device, &whole);
        Ok(Pool::parts(&whole, lens))
    }

    fn download(&self, buffer: &Buffer) -> Result<Vec<f64>> {
        let mut all = self.download_all(&[buffer])?;
        Ok(all.pop().unwrap_or_default())
    }

    fn download_all(&self, buffers: &[&Buffer]) -> Result<Vec<Vec<f64>>> {
        let number = |&word: &u32| f64::from(f32::from_bits(word));
        self.read(buffers, |words| words.iter().map(number).collect())
    }

    fn forward(
        &self,
        call: &Call,
        batch: &Prepared,
        params: &[Buffer],
        slots: &mut [Buffer],
    ) -> Result<()> {
        let launch = kernels::Launch {
            gpu: self,
            batch,
            source: kernels::source(&call.op),
        };
        let (inputs, outputs) = (pick(slots, &call.inputs), pick(slots, &call.outputs));
        kernels::forward(
            &launch,
            &call.op,
            &kernels::Forward {
                inputs: &inputs,
                params: &pick(params, &call.params),
                outputs: &outputs,
            },
        )
    }

    fn backward(
        &self,
        call: &Call,
        batch: &Prepared,
        params: &[Buffer],
        slots: &[Buffer],
        d_slots: &mut [Buffer],
        d_params: &mut [Buffer],
    ) -> Result<()> {
        let launch = kernels::Launch {
            gpu: self,
            batch,
            source: kernels::source(&call.op),
        };
        let buffers = kernels::Backward {
            inputs: &pick(slots, &call.inputs),
            params: &pick(params, &call.params),
            outputs: &pick(slots, &call.outputs),
            d_outputs: &pick(d_slots, &call.outputs),
            d_inputs: &pick(d_slots, &call.inputs),
            d_params: &pick(d_params, &call.params),
        };
        kernels::backward(&launch, &call.op, &buffers)
    }
}

fn pick<'a>(buffers: &'a [Buffer], indices: &[usize]) -> Vec<&'a Buffer> {
    indices.iter().map(|&index| &buffers[index]).collect()
}
