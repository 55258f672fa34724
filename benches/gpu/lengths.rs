//! Which way of computing a long convolution is faster at which length: many systems of one length,
//! as a batch of molecules is.

use std::time::Instant;

use mdsurrogate::engine::gpu::Transforms;
use mdsurrogate::engine::{Call, Engine, Gpu};
use mdsurrogate::fft::{Convolution, Terms};
use mdsurrogate::ops::long_conv::LongConv;
use mdsurrogate::ops::{Batch, Edges, Kernel};

/// Those of peptides to large proteins (heavy atoms), and between.
const LENGTHS: [usize; 12] = [32, 64, 96, 128, 154, 192, 256, 384, 512, 602, 1024, 1231];

/// Tokens of all systems together, about.
const TOKENS: usize = 4096;

/// Seconds of one measurement; the fastest of `ROUNDS` counts, in which the ways take turns.
const SECONDS: f64 = 0.1;
const ROUNDS: usize = 3;

/// Channels, as the working model has them.
const CHANNELS: usize = 16;

/// A convolution on a device, forward or forward and backward.
struct Case {
    gpu: Gpu,
    call: Call,
    batch: <Gpu as Engine>::Batch<'static>,
    params: Vec<<Gpu as Engine>::Buffer>,
    slots: Vec<<Gpu as Engine>::Buffer>,
    d_slots: Vec<<Gpu as Engine>::Buffer>,
    d_params: Vec<<Gpu as Engine>::Buffer>,
}

impl Case {
    fn new(gpu: &Gpu, tokens: usize) -> mdsurrogate::Result<Case> {
        let systems = (TOKENS / tokens).max(1);
        let all = systems * tokens;
        let edges = Edges {
            start: vec![0; all + 1],
            ..Edges::default()
        };
        let offsets = (0..=systems).map(|system| system * tokens).collect();
        let (kinds, centre_offsets, scale) =
            (vec![[0; 3]; all], vec![0; systems + 1], vec![1.0; systems]);
        let batch = Batch {
            offsets,
            kinds,
            edges,
            centre_offsets,
            scale,
            ..Batch::default()
        };
        let op = LongConv {
            channels: CHANNELS,
            terms: Terms::Geometric,
            convolution: Convolution::WORKING,
        };
        let signature = op.signature();
        let upload = |len: usize| {
            gpu.upload(
                &(0..len)
                    .map(|at| (0.7 * at as f64).sin())
                    .collect::<Vec<_>>(),
            )
        };
        let buffers = || {
            (0..3)
                .map(|_| upload(4 * CHANNELS * all))
                .collect::<Result<Vec<_>, _>>()
        };
        let params = || {
            signature
                .params
                .iter()
                .map(|param| upload(param.size[0] * param.size[1]))
                .collect::<Result<Vec<_>, _>>()
        };
        let call = Call {
            op: op.into(),
            inputs: vec![0, 1],
            params: vec![0],
            outputs: vec![2],
        };
        Ok(Case {
            batch: gpu.prepare(&batch)?,
            call,
            params: params()?,
            slots: buffers()?,
            d_slots: buffers()?,
            d_params: params()?,
            gpu: gpu.clone(),
        })
    }

    /// Seconds a call, of so many.
    fn time(&mut self, backward: bool, calls: usize) -> mdsurrogate::Result<f64> {
        let start = Instant::now();
        for _ in 0..calls {
            if backward {
                self.gpu.backward(
                    &self.call,
                    &self.batch,
                    &self.params,
                    &self.slots,
                    &mut self.d_slots,
                    &mut self.d_params,
                )?;
            } else {
                self.gpu
                    .forward(&self.call, &self.batch, &self.params, &mut self.slots)?;
            }
        }
        // the host waits for all of it; five numbers a channel
        self.gpu.download(&self.d_params[0])?;
        Ok(start.elapsed().as_secs_f64() / calls as f64)
    }
}

/// The fastest way, where there is one that served.
fn best<'a>(seconds: &[f64], names: &[&'a str]) -> &'a str {
    let order = seconds.iter().zip(names).min_by(|a, b| a.0.total_cmp(b.0));
    order.map_or("none", |(_, name)| name)
}

/// Prints a row a length.
///
/// # Errors
/// Where the device fails.
pub fn compare() -> mdsurrogate::Result<()> {
    let ways = [
        ("sum", Transforms::Direct),
        ("own", Transforms::Wgsl),
        ("VkFFT", Transforms::VkFft),
    ];
    // VkFFT is not everywhere
    let open = |(name, way): (&'static str, Transforms)| Gpu::with(way).map(|gpu| (name, gpu)).ok();
    let ways: Vec<(&str, Gpu)> = ways.into_iter().filter_map(open).collect();
    let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
    println!(
        "\ngeometric convolution, {CHANNELS} channels, about {TOKENS} tokens at once: \
         microseconds by {}",
        names.join(", ")
    );
    println!(
        "| tokens | systems | forward | fastest | backward | fastest |\n|---|---|---|---|---|---|"
    );
    for tokens in LENGTHS {
        let mut cases = ways
            .iter()
            .map(|(_, gpu)| Case::new(gpu, tokens))
            .collect::<Result<Vec<_>, _>>()?;
        let mut cells = Vec::new();
        for backward in [false, true] {
            // compiles and warms up, then says how many calls fill a measurement
            let first =
                |case: &mut Case| case.time(backward, 1).and_then(|_| case.time(backward, 1));
            let once = cases.iter_mut().map(first).collect::<Result<Vec<_>, _>>()?;
            let mut fastest = vec![f64::INFINITY; cases.len()];
            for _ in 0..ROUNDS {
                for (way, case) in cases.iter_mut().enumerate() {
                    let calls = (SECONDS / once[way]).clamp(1.0, 500.0) as usize;
                    fastest[way] = fastest[way].min(case.time(backward, calls)?);
                }
            }
            let times: Vec<String> = fastest
                .iter()
                .map(|seconds| format!("{:.0}", 1e6 * seconds))
                .collect();
            cells.push(format!(
                "{} | {}",
                times.join(" / "),
                best(&fastest, &names)
            ));
        }
        println!(
            "| {tokens} | {} | {} |",
            (TOKENS / tokens).max(1),
            cells.join(" | ")
        );
    }
    Ok(())
}
