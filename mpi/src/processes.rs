//! The processes that MPI started, as ranks.

use std::thread;
use std::time::Duration;

use mdsurrogate::ranks::{Ranks, add};
use mpi::point_to_point::{Destination, MatchedReceiveVec, Source};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::Root;

/// Numbers that go from process to process at once: while one adds its own to these, the one before
/// it works on the next.
const CHUNK: usize = 1 << 14;
/// How often rank 0 looks for what others have to say, which may come hours after it is done
/// itself. MPI's own waiting would keep a core busy.
const PATIENCE: Duration = Duration::from_millis(20);
/// What sums and words are marked with.
const SUM: i32 = 1;
const WORDS: i32 = 2;

/// All processes, seen from this one. It holds no handle of MPI's: the world is a constant.
pub struct Processes {
    rank: usize,
    count: usize,
    local: usize,
}

impl Processes {
    /// Those of a world.
    pub fn new(world: &SimpleCommunicator) -> Self {
        Processes {
            rank: world.rank() as usize,
            count: world.size() as usize,
            local: world.split_shared(world.rank()).rank() as usize,
        }
    }
}

impl Ranks for Processes {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn local(&self) -> usize {
        self.local
    }

    /// A chain: each process adds to what those before it have, piece by piece, and the last tells
    /// all. A tree would take fewer steps, but add in another order for every number of processes.
    fn sum(&self, len: usize, own: &[Vec<f64>]) -> Vec<f64> {
        let world = SimpleCommunicator::world();
        let process = |rank: usize| world.process_at_rank(rank as i32);
        let mut sum = vec![0.0; len];
        for start in (0..len).step_by(CHUNK) {
            let range = start..len.min(start + CHUNK);
            let piece = &mut sum[range.clone()];
            let is_first = self.rank == 0;
            if !is_first {
                process(self.rank - 1).receive_into_with_tag(piece, SUM);
            }
            add(
                piece,
                own.iter().map(|vector| &vector[range.clone()]),
                !is_first,
            );
            if self.rank + 1 < self.count {
                process(self.rank + 1).send_with_tag(piece, SUM);
            }
        }
        process(self.count - 1).broadcast_into(&mut sum[..]);
        sum
    }

    fn gather(&self, own: &str) -> Option<Vec<String>> {
        let world = SimpleCommunicator::world();
        if self.rank > 0 {
            world
                .process_at_rank(0)
                .send_with_tag(own.as_bytes(), WORDS);
            return None;
        }
        let mut all = vec![own.to_owned()];
        for rank in 1..self.count {
            let process = world.process_at_rank(rank as i32);
            let message = loop {
                match process.immediate_matched_probe_with_tag(WORDS) {
                    Some(message) => break message,
                    None => thread::sleep(PATIENCE),
                }
            };
            let (words, _) = message.matched_receive_vec::<u8>();
            all.push(String::from_utf8_lossy(&words).into_owned());
        }
        Some(all)
    }
}
