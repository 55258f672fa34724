//! What changes in a simulation: one snapshot.

use nalgebra::Vector3;

/// A periodic cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Edge lengths a, b, c, Å.
    pub lengths: [f64; 3],
    /// Angles α, β, γ, degrees as all file formats have them.
    pub angles: [f64; 3],
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
    /// Periodic cell, where there is one.
    pub cell: Option<Cell>,
}

impl Frame {
    /// A frame at step 0, time 0, without velocities and cell.
    pub fn at_rest(positions: Vec<Vector3<f64>>) -> Self {
        Frame { positions, ..Frame::default() }
    }
}

/// Unweighted mean of positions, Å; zero for none.
pub fn centroid(positions: &[Vector3<f64>]) -> Vector3<f64> {
    positions.iter().sum::<Vector3<f64>>() / positions.len().max(1) as f64
}
