//! What one call of a network is given: systems and their numbers, on the host.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use nalgebra::Vector3;

use super::program::{Given, Interface, TOLD};
use super::tokens::Tokens;
use crate::ops::{Batch, Centre};
use crate::structure::centroid;

/// Unit of [`Given::Place`], Å.
pub const PLACE: f64 = 8.0;

/// One call of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Systems, edges, centres and scales.
    pub batch: Batch,
    /// Centroid that was taken from each system's positions: a network is translation-equivariant
    /// by construction.
    pub centroids: Vec<Vector3<f64>>,
    /// Flat, a row a token (three numbers a vector) or a system.
    pub given: BTreeMap<Given, Vec<f64>>,
}

impl Inputs {
    /// Systems of molecules at positions (Å, of their tokens), with edges from so many nearest
    /// neighbours. Condition and candidate are the positions less their centroid; all else that
    /// `interface` hands over is zero, and the scale of every system 1.
    ///
    /// # Panics
    /// Where a molecule has not one position a token.
    pub fn at<'a>(
        interface: &Interface,
        neighbours: usize,
        systems: impl IntoIterator<Item = (&'a Tokens, &'a [Vector3<f64>])>,
    ) -> Inputs {
        let mut inputs = Inputs::default();
        let batch = &mut inputs.batch;
        batch.offsets.push(0);
        batch.centre_offsets.push(0);
        batch.edges.start.push(0);
        let mut condition = Vec::new();
        for (tokens, positions) in systems {
            assert_eq!(tokens.len(), positions.len(), "one position a token");
            let first = batch.tokens();
            batch.kinds.extend_from_slice(&tokens.kinds);
            batch.offsets.push(first + tokens.len());
            tokens.edges(positions, neighbours, first, &mut batch.edges);
            let shifted = tokens.centres.iter().map(|centre| Centre {
                tokens: centre.tokens.map(|t| t + first as u32),
                ..*centre
            });
            batch.centres.extend(shifted);
            batch.centre_offsets.push(batch.centres.len());
            batch.scale.push(1.0);
            let middle = centroid(positions);
            inputs.centroids.push(middle);
            for position in positions {
                condition.extend_from_slice((position - middle).as_slice());
            }
        }
        let told = interface.conditioning * inputs.batch.systems();
        for &given in &interface.given {
            let values = match given {
                Given::Condition | Given::Candidate => condition.clone(),
                Given::Place => condition.iter().map(|x| x / PLACE).collect(),
                Given::Noisy | Given::Velocity | Given::Fold => vec![0.0; condition.len()],
                Given::Conditioning => vec![0.0; told],
                Given::Index => index(&inputs.batch),
            };
            inputs.given.insert(given, values);
        }
        inputs
    }

    /// Number of systems.
    pub fn systems(&self) -> usize {
        self.batch.systems()
    }

    /// The vectors of what is given a token; none where it is not handed over.
    pub fn vectors(&self, given: Given) -> Option<Vec<Vector3<f64>>> {
        self.given.get(&given).map(|flat| vectors(flat))
    }

    /// Overwrites what is given the tokens of one system, `factor` times these vectors.
    ///
    /// # Panics
    /// Where there is not one vector a token, or the task does not hand this over.
    pub fn set(&mut self, given: Given, system: usize, vectors: &[Vector3<f64>], factor: f64) {
        let range = self.batch.range(system);
        assert_eq!(range.len(), vectors.len(), "one vector a token");
        let rows = &mut self[given][3 * range.start..3 * range.end];
        for (row, vector) in rows.chunks_exact_mut(3).zip(vectors) {
            for (to, value) in row.iter_mut().zip(vector.iter()) {
                *to = factor * value;
            }
        }
    }

    /// Tells a system a number: sines, then cosines, of `value` at frequencies 0.35, 0.70, … in
    /// place `number` of its conditioning.
    pub fn tell(&mut self, system: usize, number: usize, value: f64) {
        let width = self[Given::Conditioning].len() / self.systems();
        let at = system * width + number * TOLD;
        let out = &mut self[Given::Conditioning][at..at + TOLD];
        let half = TOLD / 2;
        for k in 0..half {
            let angle = value * 0.35 * (k + 1) as f64;
            (out[k], out[half + k]) = (angle.sin(), angle.cos());
        }
    }

    /// The same systems with `step` times a displacement, Å, added to condition, candidate and
    /// place; pairs stay what they are. Its mean over each system is left out, which moves nothing
    /// that a network sees.
    ///
    /// # Panics
    /// Where there is not one displacement a token.
    pub fn displaced(&self, displacement: &[Vector3<f64>], step: f64) -> Inputs {
        assert_eq!(
            displacement.len(),
            self.batch.tokens(),
            "one displacement a token"
        );
        let mut moved = self.clone();
        for system in 0..self.systems() {
            let range = self.batch.range(system);
            let mean = centroid(&displacement[range.clone()]);
            for token in range {
                let shift = step * (displacement[token] - mean);
                for h in 0..3 {
                    let at = token * 3 + h;
                    moved[Given::Condition][at] += shift[h];
                    moved[Given::Candidate][at] += shift[h];
                    moved[Given::Place][at] += shift[h] / PLACE;
                }
            }
        }
        moved
    }
}

impl Index<Given> for Inputs {
    type Output = Vec<f64>;

    /// # Panics
    /// Where the task does not hand this over.
    fn index(&self, given: Given) -> &Vec<f64> {
        let found = self.given.get(&given);
        found.unwrap_or_else(|| panic!("this task hands over no {given:?}"))
    }
}

impl IndexMut<Given> for Inputs {
    /// # Panics
    /// Where the task does not hand this over.
    fn index_mut(&mut self, given: Given) -> &mut Vec<f64> {
        let found = self.given.get_mut(&given);
        found.unwrap_or_else(|| panic!("this task hands over no {given:?}"))
    }
}

/// [`Given::Index`] of every token: sines, then cosines, of its number i in its system, at
/// frequencies from 1 down to 10⁻³·⁵ a token (Vaswani et al., "Attention Is All You Need", NeurIPS
/// 2017, section 3.5).
pub(super) fn index(batch: &Batch) -> Vec<f64> {
    let half = TOLD / 2;
    let frequency = |k: usize| 10f64.powf(-4.0 * k as f64 / half as f64);
    let mut rows = Vec::with_capacity(batch.tokens() * TOLD);
    for system in 0..batch.systems() {
        for number in 0..batch.range(system).len() {
            let angles = (0..half).map(|k| number as f64 * frequency(k));
            rows.extend(angles.clone().map(f64::sin));
            rows.extend(angles.map(f64::cos));
        }
    }
    rows
}

/// Rows of three numbers as vectors.
pub fn vectors(flat: &[f64]) -> Vec<Vector3<f64>> {
    flat.chunks_exact(3)
        .map(Vector3::from_column_slice)
        .collect()
}
