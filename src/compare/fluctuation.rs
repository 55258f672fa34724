//! Fluctuations of atoms about their mean positions.

use std::f64::consts::PI;

use nalgebra::Vector3;

use crate::structure::Topology;

/// Sums over frames from which mean positions and fluctuations follow; sums of pieces of a
/// trajectory can be merged.
///
/// Frames must be superposed before they are added. Positions are summed as differences from the
/// first frame seen by [`Moments::about`], so that no digits are lost far from the origin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// What positions are summed relative to, Å.
    pub origin: Vec<Vector3<f64>>,
    /// Number of frames.
    pub frames: f64,
    /// Per atom the sum of x − origin, Å.
    pub sums: Vec<Vector3<f64>>,
    /// Per atom the sum of |x − origin|², Å².
    pub squares: Vec<f64>,
}

impl Moments {
    /// Empty sums, relative to some structure.
    pub fn about(origin: Vec<Vector3<f64>>) -> Self {
        let (sums, squares) = (
            vec![Vector3::zeros(); origin.len()],
            vec![0.0; origin.len()],
        );
        Moments {
            origin,
            frames: 0.0,
            sums,
            squares,
        }
    }

    /// Adds a frame (superposed, same atoms).
    pub fn add(&mut self, positions: impl IntoIterator<Item = Vector3<f64>>) {
        self.frames += 1.0;
        for (((sum, square), origin), position) in self
            .sums
            .iter_mut()
            .zip(&mut self.squares)
            .zip(&self.origin)
            .zip(positions)
        {
            let shift = position - origin;
            *sum += shift;
            *square += shift.norm_squared();
        }
    }

    /// Adds the sums of another piece about the same origin.
    pub fn merge(&mut self, other: &Moments) {
        debug_assert_eq!(self.origin, other.origin);
        self.frames += other.frames;
        self.sums
            .iter_mut()
            .zip(&other.sums)
            .for_each(|(sum, other)| *sum += other);
        self.squares
            .iter_mut()
            .zip(&other.squares)
            .for_each(|(square, other)| *square += other);
    }

    /// Mean positions, Å.
    pub fn mean(&self) -> Vec<Vector3<f64>> {
        self.origin
            .iter()
            .zip(&self.sums)
            .map(|(origin, sum)| origin + sum / self.frames)
            .collect()
    }

    /// Root mean square fluctuation of every atom about its mean position, Å.
    pub fn rmsf(&self) -> Vec<f64> {
        let square = |(sum, square): (&Vector3<f64>, &f64)| {
            square / self.frames - (sum / self.frames).norm_squared()
        };
        self.sums
            .iter()
            .zip(&self.squares)
            .map(|pair| square(pair).max(0.0).sqrt())
            .collect()
    }
}

/// Temperature factor of an atom whose RMSF is this, Å²: 8π²/3·RMSF², as crystallographers have it
/// for motions that are the same in all directions.
pub fn temperature_factor(rmsf: f64) -> f64 {
    8.0 * PI * PI / 3.0 * rmsf * rmsf
}

/// Temperature factor of every atom of a topology, Å²: that of its own RMSF (Å) where it is one of
/// `atoms`, else that of the last of these in its residue; 0 in residues that have none.
pub fn temperature_factors(topology: &Topology, atoms: &[usize], rmsf: &[f64]) -> Vec<f64> {
    let mut of_residue = vec![0.0; topology.residues.len()];
    let mut of_atom = vec![None; topology.len()];
    for (&atom, &value) in atoms.iter().zip(rmsf) {
        let factor = temperature_factor(value);
        of_residue[topology.atoms[atom].residue] = factor;
        of_atom[atom] = Some(factor);
    }
    let known = topology.atoms.iter().zip(of_atom);
    known
        .map(|(atom, own)| own.unwrap_or(of_residue[atom.residue]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_merge_to_the_whole_far_from_the_origin() {
        let at = |x: f64| {
            vec![
                Vector3::new(1e6 + x, 0.0, 0.0),
                Vector3::new(0.0, 2.0 * x, 5.0),
            ]
        };
        let values = [0.5, -0.25, 1.0, 3.0, -2.0];
        let sums = |values: &[f64]| {
            let mut moments = Moments::about(at(0.5));
            values.iter().for_each(|&x| moments.add(at(x)));
            moments
        };
        let mut merged = sums(&values[..2]);
        merged.merge(&sums(&values[2..]));
        // mean .45, mean square 2.8625: s.d. √2.66
        let rmsf = merged.rmsf();
        assert!(
            (rmsf[0] - 2.66f64.sqrt()).abs() <= 1e-9
                && (rmsf[1] - 2.0 * 2.66f64.sqrt()).abs() <= 1e-12,
            "{rmsf:?}"
        );
        assert!((merged.mean()[0].x - 1e6 - 0.45).abs() <= 1e-9);
        assert_eq!(merged, sums(&values));
    }
}
