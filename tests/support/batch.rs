//! Random batches.

use mdsurrogate::ops::{Batch, Centre, Edges, RELATIONS};
use rand::{Rng, RngExt};

/// Systems of these sizes with `neighbours` random senders a token, some edges with templates, one
/// centre in four tokens.
pub fn batch(rng: &mut impl Rng, sizes: &[usize], neighbours: usize) -> Batch {
    let mut batch = Batch {
        offsets: vec![0],
        centre_offsets: vec![0],
        ..Batch::default()
    };
    batch.edges = Edges {
        start: vec![0],
        ..Edges::default()
    };
    for &size in sizes {
        let first = batch.kinds.len();
        for token in 0..size {
            batch.kinds.push([
                rng.random_range(0..7),
                rng.random_range(0..5),
                rng.random_range(0..4),
            ]);
            let mut senders: Vec<usize> = (0..neighbours)
                .map(|_| rng.random_range(0..size))
                .filter(|&other| other != token)
                .collect();
            senders.sort_unstable();
            senders.dedup();
            for sender in senders {
                batch.edges.sender.push((first + sender) as u32);
                batch
                    .edges
                    .relation
                    .push(rng.random_range(0..RELATIONS as u8));
                batch.edges.template.push(if rng.random_bool(0.3) {
                    rng.random_range(1.2..2.6)
                } else {
                    0.0
                });
            }
            batch.edges.start.push(batch.edges.sender.len() as u32);
        }
        for centre in 0..size / 4 {
            let tokens = [0, 1, 2, 3].map(|k| (first + 4 * centre + k) as u32);
            let (height, area) = (rng.random_range(-0.5..0.5), rng.random_range(3.0..6.0));
            batch.centres.push(Centre {
                tokens,
                height,
                area,
            });
        }
        batch.centre_offsets.push(batch.centres.len());
        batch.offsets.push(first + size);
        batch.scale.push(rng.random_range(0.2..1.0));
    }
    batch
}
