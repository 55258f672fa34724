//! The equivariance monitor: does the live network still turn with the molecule?
//!
//! The frame is rotated and moved at random, the network asked again, and the two answers compared
//! in memory (never from a file, whose coordinates are rounded).

use nalgebra::{Quaternion, Rotation3, UnitQuaternion, Vector3};
use rand::RngExt;
use rand_distr::StandardNormal;
use serde_json::{Value, json};

use super::{Journal, Record};
use crate::geometry::noise;
use crate::structure::Frame;
use crate::{Error, Result};

/// Relative error of the network's answer under rotation and translation of its input.
pub const ERROR: &str = "Equivariance error";

/// A network that can be asked how well it turns with its input.
pub trait Probe {
    /// Compares the answer for the frame rotated, then moved, with the answer for the frame,
    /// rotated and moved, the random numbers that the answer depends on moved along. Returns the
    /// relative error (RMS difference over RMS displacement) and the name of the op with the
    /// largest error of its own.
    ///
    /// # Errors
    /// [`Error::Device`] where the engine fails.
    fn equivariance(
        &self,
        frame: &Frame,
        rotation: &Rotation3<f64>,
        translation: &Vector3<f64>,
    ) -> Result<(f64, String)>;
}

/// Asks a [`Probe`] at a stride, warns above [`EquivarianceMonitor::WARN`] and stops above
/// [`EquivarianceMonitor::STOP`].
pub struct EquivarianceMonitor {
    seed: u64,
    journal: Journal,
    checks: u64,
    worst: Option<(f64, String)>,
}

/// Stream of the random numbers, apart from those of all replicas.
const STREAM: u64 = u64::MAX - 1;
/// Translations are drawn with this standard deviation a component, Å: far enough to show what
/// depends on the origin.
const SHIFT: f64 = 30.0;

impl EquivarianceMonitor {
    /// Relative error that is warned of: rounding of f32 stays below it (1.2e-5 for the 602 tokens
    /// of ubiquitin, and it grows with the coordinates).
    pub const WARN: f64 = 5e-5;
    /// Relative error that stops the run: a defect of an op, not rounding.
    pub const STOP: f64 = 1e-3;

    /// A monitor whose rotations follow from `seed` and the step.
    pub fn new(seed: u64, journal: Journal) -> Self {
        EquivarianceMonitor {
            seed,
            journal,
            checks: 0,
            worst: None,
        }
    }

    /// Measures at this frame.
    ///
    /// # Errors
    /// [`Error::Guard`] above [`EquivarianceMonitor::STOP`] (or where the error is no number),
    /// naming the op with the largest error.
    pub fn check(&mut self, probe: &dyn Probe, frame: &Frame, record: &mut Record) -> Result<()> {
        let (rotation, translation) = random_motion(self.seed, frame.step);
        let (error, op) = probe.equivariance(frame, &rotation, &translation)?;
        record.put(ERROR, Some(error));
        self.checks += 1;
        if self
            .worst
            .as_ref()
            .is_none_or(|(worst, _)| error.is_nan() || error > *worst)
        {
            self.worst = Some((error, op.clone()));
        }
        if error.is_nan() || error > Self::STOP {
            let what = format!(
                "the network does not turn with the molecule: relative error {error:.1e} (limit \
                 {:.0e}), largest in op `{op}`",
                Self::STOP
            );
            let hint = "this is a defect of the program or the model file, not of the protein: \
                        report it with the model's name";
            return Err(Error::Guard {
                step: frame.step,
                what,
                hint: hint.to_owned(),
            });
        }
        if error > Self::WARN {
            let what = format!(
                "equivariance error {error:.1e} is above {:.0e}, largest in op `{op}`",
                Self::WARN
            );
            self.journal.warn(frame.step, "equivariance", &what);
        }
        Ok(())
    }

    /// What the summary says.
    pub fn results(&self) -> Value {
        let (error, op) = self.worst.clone().unzip();
        json!({ "checks": self.checks, "largest_error": error, "op": op })
    }
}

/// A rotation drawn uniformly from all proper ones, and a translation, Å.
fn random_motion(seed: u64, step: u64) -> (Rotation3<f64>, Vector3<f64>) {
    let mut random = noise::generator(seed, 0, STREAM, step);
    let mut normal = || random.sample::<f64, _>(StandardNormal);
    // four normal numbers point in a uniform direction in four dimensions: a uniform unit
    // quaternion
    let quaternion = Quaternion::new(normal(), normal(), normal(), normal());
    let rotation = UnitQuaternion::from_quaternion(quaternion).to_rotation_matrix();
    (rotation, SHIFT * Vector3::new(normal(), normal(), normal()))
}
