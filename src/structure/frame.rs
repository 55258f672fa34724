//! What changes in a simulation: one snapshot.

use nalgebra::{Matrix3, Vector3};

/// A periodic cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Edge lengths a, b, c, Å.
    pub lengths: [f64; 3],
    /// Angles α, β, γ, degrees as all file formats have them.
    pub angles: [f64; 3],
}

impl Cell {
    /// Row vectors a, b, c, Å: a along x, b in the xy plane.
    pub fn vectors(&self) -> Matrix3<f64> {
        let [a, b, c] = self.lengths;
        // a right angle must give an exact zero, which cos(π/2) is not
        let cos = |degrees: f64| {
            if degrees == 90.0 {
                0.0
            } else {
                degrees.to_radians().cos()
            }
        };
        let [alpha, beta, gamma] = self.angles.map(cos);
        let sin = (1.0 - gamma * gamma).sqrt();
        let (x, y) = (c * beta, c * (alpha - beta * gamma) / sin);
        Matrix3::new(
            a,
            0.0,
            0.0,
            b * gamma,
            b * sin,
            0.0,
            x,
            y,
            (c * c - x * x - y * y).max(0.0).sqrt(),
        )
    }
}

/// One snapshot of a trajectory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// Step that made it; 0 is the input.
    pub step: u64,
    /// Physical time, ps.
    pub time: f64,
    /// Positions, Å, in the topology's atom order.
    pub positions: Vec<Vector3<f64>>,
    /// Velocities, Å/ps, where they exist.
    pub velocities: Option<Vec<Vector3<f64>>>,
    /// Heat that thermostats have given since step 0, kJ/mol: total energy − heat is conserved.
    pub heat: f64,
    /// Potential energy in the forces that made the step, kJ/mol, where they are those of a model's
    /// own energy.
    pub potential: Option<f64>,
    /// Kinetic energy, kJ/mol, that is right on average at any time step: the mean of those half a
    /// step before and after the frame, where the dynamics that made it knows them.
    pub kinetic: Option<f64>,
    /// Periodic cell, where there is one.
    pub cell: Option<Cell>,
    /// Running mean that the frames before have left, Å, of steps that keep to one: part of what
    /// the next frame depends on.
    pub mean: Option<Vec<Vector3<f64>>>,
}

impl Frame {
    /// Whether all positions are finite numbers.
    pub fn is_finite(&self) -> bool {
        let mut numbers = self.positions.iter().flat_map(|position| position.iter());
        numbers.all(|value| value.is_finite())
    }

    /// A frame at step 0, time 0, without velocities and cell.
    pub fn at_rest(positions: Vec<Vector3<f64>>) -> Self {
        Frame {
            positions,
            ..Frame::default()
        }
    }
}

/// Unweighted mean of positions, Å; zero for none.
pub fn centroid(positions: &[Vector3<f64>]) -> Vector3<f64> {
    positions.iter().sum::<Vector3<f64>>() / positions.len().max(1) as f64
}
