//! Frames where rollouts of a model strayed, and the way back from them to the reference ensemble.
//!
//! A model that is trained on frames of MD alone has never seen what its own small errors lead to:
//! its rollouts drift out of what it knows, and nothing calls them back. So it is also trained on
//! jumps that start from frames of its rollouts (as DAgger does: Ross, Gordon & Bagnell 2011,
//! AISTATS, algorithm 3.1). What MD would do from there is not known, but near the reference
//! ensemble it stays in it: such a jump ends where MD went from the reference frame that is
//! nearest.

use nalgebra::Vector3;
use rand::RngExt;
use rayon::prelude::*;

use super::pairs::Segment;
use crate::geometry::superpose::rmsd;

/// A frame of a rollout, and the frame of the reference nearest to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stray {
    /// The rollout.
    pub rollout: usize,
    /// Its frame.
    pub frame: usize,
    /// The reference trajectory.
    pub segment: usize,
    /// Its frame nearest to the rollout's.
    pub nearest: usize,
    /// The RMSD of the two after superposition, Å.
    pub rmsd: f64,
}

/// The strays of a system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Strays {
    strays: Vec<Stray>,
    /// Number of frames, from the first, that are not held out, of every reference trajectory.
    frames: Vec<usize>,
}

impl Strays {
    /// Seeks, for every frame of `rollouts`, the nearest of the first `frames[k]` frames of every
    /// `segments[k]`; those that are farther than `within` (Å) from all are left out.
    pub fn new(
        rollouts: &[Segment],
        segments: &[Segment],
        frames: Vec<usize>,
        within: f64,
    ) -> Self {
        let all: Vec<[usize; 2]> = rollouts
            .iter()
            .enumerate()
            .flat_map(|(k, rollout)| (0..rollout.len()).map(move |f| [k, f]))
            .collect();
        let nearest = |&[rollout, frame]: &[usize; 2]| {
            let position = rollouts[rollout].frame(frame);
            let candidates = frames
                .iter()
                .enumerate()
                .flat_map(|(segment, &count)| (0..count).map(move |nearest| (segment, nearest)));
            let measured = candidates.map(|(segment, nearest)| {
                let rmsd = rmsd(&position, &segments[segment].frame(nearest));
                Stray {
                    rollout,
                    frame,
                    segment,
                    nearest,
                    rmsd,
                }
            });
            measured
                .min_by(|a, b| a.rmsd.total_cmp(&b.rmsd))
                .filter(|stray| stray.rmsd <= within)
        };
        let strays = all.par_iter().filter_map(nearest).collect();
        Strays { strays, frames }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.strays.is_empty()
    }

    /// How far every stray is from the reference (Å), in their order.
    pub fn rmsds(&self) -> impl Iterator<Item = f64> {
        self.strays.iter().map(|stray| stray.rmsd)
    }

    /// Draws a stray and where the reference went from the frame nearest to it: the frame `lag`
    /// frames after that one or before it, since equilibrium has no direction of time. `None` where
    /// the reference is too short.
    ///
    /// # Panics
    /// Where there is no stray.
    pub fn draw(
        &self,
        rollouts: &[Segment],
        segments: &[Segment],
        lag: usize,
        rng: &mut impl rand::Rng,
    ) -> Option<[Vec<Vector3<f64>>; 2]> {
        let stray = self.strays[rng.random_range(0..self.strays.len())];
        let after = stray
            .nearest
            .checked_add(lag)
            .filter(|&frame| frame < self.frames[stray.segment]);
        let before = stray.nearest.checked_sub(lag);
        let (preferred, other) = if rng.random::<bool>() {
            (after, before)
        } else {
            (before, after)
        };
        let target = preferred.or(other)?;
        Some([
            rollouts[stray.rollout].frame(stray.frame),
            segments[stray.segment].frame(target),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::random::{Purpose, generator};
    use nalgebra::Rotation3;

    /// Five points whose shape is one number: the distance of the last from the others.
    fn shape(length: f64) -> Vec<Vector3<f64>> {
        let corners = [
            [0.0, 0.0, 0.0],
            [3.0, 0.0, 0.0],
            [0.0, 4.0, 0.0],
            [0.0, 0.0, 5.0],
            [length, length, length],
        ];
        corners.into_iter().map(Vector3::from).collect()
    }

    fn segment(frames: &[Vec<Vector3<f64>>]) -> Segment {
        let positions = frames
            .iter()
            .flatten()
            .flat_map(|x| x.iter().map(|&x| x as f32))
            .collect();
        Segment {
            file: "a.xtc".into(),
            tokens: 5,
            time_step: 1.0,
            positions,
            forces: vec![],
        }
    }

    /// A reference of ten frames, the last two held out, and a rollout of the shapes `lengths`,
    /// tumbled.
    fn strays(lengths: &[f64], within: f64) -> ([Vec<Segment>; 2], Strays) {
        let reference = segment(&(0..10).map(|k| shape(6.0 + k as f64)).collect::<Vec<_>>());
        let turn = Rotation3::new(Vector3::new(2.0, -0.5, 1.0));
        let rollout = segment(
            &lengths
                .iter()
                .map(|&length| shape(length).iter().map(|x| turn * x).collect())
                .collect::<Vec<_>>(),
        );
        let (segments, rollouts) = (vec![reference], vec![rollout]);
        let strays = Strays::new(&rollouts, &segments, vec![8], within);
        ([rollouts, segments], strays)
    }

    #[test]
    fn the_nearest_reference_frame_is_found_among_those_not_held_out() {
        let (_, found) = strays(&[9.2, 6.0, 15.0], 10.0);
        let nearest: Vec<_> = found
            .strays
            .iter()
            .map(|stray| (stray.frame, stray.nearest))
            .collect();
        assert_eq!(nearest, [(0, 3), (1, 0), (2, 7)]);
        // one of five points 0.2 √3 away before the superposition, which can only make it less
        let rmsd = found.strays[0].rmsd;
        assert!(rmsd > 0.0 && rmsd <= 0.2 * (3.0f64 / 5.0).sqrt(), "{rmsd}");
        assert!(found.strays[1].rmsd <= 1e-6);
        let (_, found) = strays(&[9.2, 6.0, 15.0], 0.5);
        assert_eq!(found.rmsds().count(), 2);
    }

    #[test]
    fn the_way_back_ends_a_lag_from_the_nearest_frame_and_never_in_what_is_held_out() {
        let ([rollouts, segments], found) = strays(&[9.2], 10.0);
        let ends = |lag: usize| -> Vec<f64> {
            let draw = |number| {
                found.draw(
                    &rollouts,
                    &segments,
                    lag,
                    &mut generator(1, Purpose::Training, 0, number),
                )
            };
            let mut ends: Vec<f64> = (0..50)
                .filter_map(|number| Some(draw(number)?[1][4].x))
                .collect();
            ends.sort_by(f64::total_cmp);
            ends.dedup();
            ends
        };
        assert_eq!(ends(2), [7.0, 11.0]);
        assert_eq!(ends(4), [13.0]); // 4 frames before frame 3 there is none
        assert_eq!(ends(5), [0.0; 0]); // frame 8 is held out
        assert!(strays(&[99.0], 1.0).1.is_empty());
    }
}
