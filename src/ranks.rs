//! Processes that share one job, as MPI starts them: each is a *rank* with a number.
//!
//! Who shares work says so by [`Ranks::share`], which every rank can reckon for itself; what they
//! know together comes by [`Ranks::sum`] and [`Ranks::gather`], which all of them must call, in the
//! same order. The package `mpi/` makes ranks of MPI's processes; everything else is [`Alone`].

use std::ops::Range;

/// The processes of a job, seen from one of them.
pub trait Ranks: Send + Sync {
    /// Number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn count(&self) -> usize;

    /// Number of this process among those of its machine, from 0.
    fn local(&self) -> usize;

    /// The sum of vectors of `len` numbers that all ranks have, the same for all of them: added
    /// one by one in order of ranks, and of each rank's own in the order in which they stand. So
    /// its bits do not depend on how many ranks share the vectors.
    fn sum(&self, len: usize, own: &[Vec<f64>]) -> Vec<f64>;

    /// What each rank says, in order of ranks, at rank 0; none elsewhere. Who waits for it leaves
    /// the processor to others.
    fn gather(&self, own: &str) -> Option<Vec<String>>;

    /// This rank's part of so many pieces: consecutive ones, as many as the others have or one
    /// more; the first ranks have those.
    fn share(&self, pieces: usize) -> Range<usize> {
        let (least, more) = (pieces / self.count(), pieces % self.count());
        let start = self.rank() * least + self.rank().min(more);
        start..start + least + usize::from(self.rank() < more)
    }
}

/// One process that does everything itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn count(&self) -> usize {
        1
    }

    fn local(&self) -> usize {
        0
    }

    fn sum(&self, len: usize, own: &[Vec<f64>]) -> Vec<f64> {
        let mut sum = vec![0.0; len];
        add(&mut sum, own.iter().map(Vec::as_slice), false);
        sum
    }

    fn gather(&self, own: &str) -> Option<Vec<String>> {
        Some(vec![own.to_owned()])
    }
}

/// Adds vectors one by one to a sum that has `begun`; one that has not begins with the first of
/// them, not with zero, which is another number where that is −0.
pub fn add<'a>(sum: &mut [f64], own: impl IntoIterator<Item = &'a [f64]>, begun: bool) {
    let mut own = own.into_iter();
    if !begun && let Some(first) = own.next() {
        sum.copy_from_slice(first);
    }
    for vector in own {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks of which only the shares are asked for.
    struct Of(usize, usize);

    impl Ranks for Of {
        fn rank(&self) -> usize {
            self.0
        }
        fn count(&self) -> usize {
            self.1
        }
        fn local(&self) -> usize {
            self.0
        }
        fn sum(&self, _: usize, _: &[Vec<f64>]) -> Vec<f64> {
            Vec::new()
        }
        fn gather(&self, _: &str) -> Option<Vec<String>> {
            None
        }
    }

    #[test]
    fn shares_follow_each_other_and_are_of_a_size() {
        for (pieces, count) in [(0, 3), (1, 4), (7, 3), (8, 4), (5, 1)] {
            let shares: Vec<_> = (0..count)
                .map(|rank| Of(rank, count).share(pieces))
                .collect();
            let all: Vec<usize> = shares.iter().cloned().flatten().collect();
            assert_eq!(all, (0..pieces).collect::<Vec<_>>());
            let sizes = shares.iter().map(ExactSizeIterator::len);
            let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
            assert!(most - least <= 1, "{shares:?}");
            assert!(pieces == 0 || !shares[0].is_empty());
        }
    }

    #[test]
    fn a_sum_is_made_in_order_wherever_it_is_cut() {
        // from the left each 1e-16 is lost beside 1, from the right both together are not
        let own = [vec![1.0, -0.0], vec![1e-16, -0.0], vec![1e-16, -0.0]];
        let whole = Alone.sum(2, &own);
        assert_eq!(whole[0].to_bits(), 1f64.to_bits());
        assert_eq!(whole[1].to_bits(), (-0f64).to_bits());
        let mut cut = vec![0.0; 2];
        add(&mut cut, own[..1].iter().map(Vec::as_slice), false);
        add(&mut cut, own[1..].iter().map(Vec::as_slice), true);
        let bits = |of: &[f64]| of.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&cut), bits(&whole));
    }
}
