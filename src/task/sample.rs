//! Samples of a training: what a network is given, what it should answer, and the loss.

use nalgebra::Vector3;
use rand_chacha::ChaCha8Rng;

use super::Task;
use crate::structure::align::superpose;

/// Two frames of a trajectory one lag time apart, and what else a sample may be made of. Positions
/// in Å, of the tokens, about their centroid.
pub trait Scene {
    /// Number of the system.
    fn system(&self) -> usize;
    /// Time between the two frames, ps.
    fn lag_time(&self) -> f64;
    /// The earlier frame.
    fn now(&self) -> Vec<Vector3<f64>>;
    /// The later frame.
    fn later(&self) -> Vec<Vector3<f64>>;
    /// The force field's forces at the earlier frame, kJ/mol/Å; empty where the task asked for
    /// none.
    fn force(&self) -> Vec<Vector3<f64>>;
    /// Whether the system keeps to a fold.
    fn is_folded(&self) -> bool;
    /// Any frame of the trajectory.
    fn any_frame(&self, rng: &mut ChaCha8Rng) -> Vec<Vector3<f64>>;
    /// Whether the system has frames of rollouts that samples may start from: never in validation.
    fn has_strays(&self) -> bool;
    /// One of them, and where the reference went from the frame nearest to it.
    fn way_back(&self, rng: &mut ChaCha8Rng) -> Option<[Vec<Vector3<f64>>; 2]>;
}

/// Makes samples of a task.
pub trait Objective: Send + Sync {
    /// What the network will answer.
    fn task(&self) -> Task;
    /// A sample of this scene.
    fn sample(&self, scene: &dyn Scene, rng: &mut ChaCha8Rng) -> Sample;
    /// One line: what is trained, and the scale of the answers.
    fn describe(&self) -> String;
}

/// One sample: what the network is given and what it should answer. Positions in Å, about the
/// centroid.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The system.
    pub system: usize,
    /// The positions that are known.
    pub condition: Vec<Vector3<f64>>,
    /// The noisy answer and what is told of it, of tasks that denoise.
    pub denoising: Option<Denoising>,
    /// The right answer.
    pub target: Vec<Vector3<f64>>,
    /// Factor of the squared error.
    pub weight: f64,
}

/// What is given beyond the condition where an answer is denoised.
#[derive(Debug, Clone, PartialEq)]
pub struct Denoising {
    /// The noisy answer.
    pub noisy: Vec<Vector3<f64>>,
    /// Its noise level, Å.
    pub sigma: f64,
    /// Noise level of the condition, Å.
    pub condition_noise: f64,
    /// The fold that the system keeps to.
    pub fold: Option<Vec<Vector3<f64>>>,
    /// Time between condition and answer, ps.
    pub lag_time: f64,
}

impl Sample {
    /// A sample without noise, whose squared error is in units of `scale`².
    pub fn plain(
        system: usize,
        condition: Vec<Vector3<f64>>,
        target: Vec<Vector3<f64>>,
        scale: f64,
    ) -> Sample {
        Sample {
            system,
            condition,
            denoising: None,
            target,
            weight: scale.powi(-2),
        }
    }

    /// weight · mean over atoms and coordinates of (answer − target)², and its gradient with
    /// respect to the answer.
    pub fn loss(&self, answer: &[Vector3<f64>]) -> (f64, Vec<Vector3<f64>>) {
        let scale = self.weight / (3 * self.target.len()) as f64;
        let errors = || answer.iter().zip(&self.target).map(|(a, b)| a - b);
        let loss = scale * errors().map(|e| e.norm_squared()).sum::<f64>();
        (loss, errors().map(|e| 2.0 * scale * e).collect())
    }
}

/// `from` as it is, and `to` moved and turned onto it by the best proper rotation: what is left is
/// internal motion.
pub fn aligned(from: Vec<Vector3<f64>>, to: &[Vector3<f64>]) -> [Vec<Vector3<f64>>; 2] {
    let moved = superpose(to, &from);
    [from, moved]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Rotation3;

    #[test]
    fn tumbling_is_taken_out_and_internal_motion_is_kept() {
        let from: Vec<_> = (0..6)
            .map(|i| Vector3::new((i as f64).sin(), (1.7 * i as f64).cos(), 0.3 * i as f64))
            .collect();
        // a stretch along one axis is no rotation: the distances of the moved frame are those of
        // the original one
        let stretched: Vec<_> = from
            .iter()
            .map(|x| Vector3::new(x.x, 1.1 * x.y, x.z))
            .collect();
        let tumbled: Vec<_> = stretched
            .iter()
            .map(|x| Rotation3::new(Vector3::new(0.3, 2.0, -1.0)) * x + Vector3::new(9.0, 1.0, 0.0))
            .collect();
        let [_, once] = aligned(from.clone(), &stretched);
        let [_, again] = aligned(from, &tumbled);
        for (i, (a, b)) in once.iter().zip(&again).enumerate() {
            assert!((a - b).norm() <= 1e-12, "{i}: {a} {b}");
        }
        let lengths = [&again, &stretched].map(|x| (x[0] - x[5]).norm());
        assert!((lengths[0] - lengths[1]).abs() <= 1e-12);
    }
}
