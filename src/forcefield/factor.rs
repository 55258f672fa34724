//! L D Lᵀ of a sparse symmetric matrix of 3 × 3 blocks, one row of blocks an atom.
//!
//! Atoms are eliminated by ascending number of neighbours (George, Liu, SIAM Review 31, 1 (1989)),
//! which leaves hardly more blocks than the matrix has where its graph is nearly a tree.

use std::collections::BTreeSet;

use nalgebra::{Matrix3, Vector3};

/// A positive definite matrix, and after [`Factor::factorise`] its factors in the same place.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// Place of each atom in the order of elimination.
    places: Vec<usize>,
    /// For each column, its first block below the diagonal; one more at the end.
    first: Vec<usize>,
    /// Row of each block below the diagonal, ascending in its column.
    rows: Vec<usize>,
    /// The matrix; then L.
    below: Vec<Matrix3<f64>>,
    /// Blocks on the diagonal; then D⁻¹.
    diagonal: Vec<Matrix3<f64>>,
}

impl Factor {
    /// A matrix in which the atoms of each group have blocks with one another.
    pub fn new<'a>(atoms: usize, groups: impl Iterator<Item = &'a [usize]>) -> Self {
        let mut near = vec![BTreeSet::new(); atoms];
        for group in groups {
            for &a in group {
                near[a].extend(group.iter().filter(|&&b| b != a));
            }
        }
        let (places, columns) = eliminate(near);
        let mut first = vec![0];
        first.extend(columns.iter().scan(0, |sum, column| {
            *sum += column.len();
            Some(*sum)
        }));
        let rows = columns.concat();
        Factor {
            diagonal: vec![Matrix3::zeros(); places.len()],
            below: vec![Matrix3::zeros(); rows.len()],
            places,
            first,
            rows,
        }
    }

    /// The matrix becomes diagonal, with these values of each atom.
    pub fn reset(&mut self, values: impl Iterator<Item = f64>) {
        self.below.fill(Matrix3::zeros());
        for (&place, value) in self.places.iter().zip(values) {
            self.diagonal[place] = Matrix3::from_diagonal_element(value);
        }
    }

    /// Adds `k` v vᵀ, where v has the values `on` at `atoms`, which are of one group.
    pub fn add(&mut self, atoms: &[usize], on: &[Vector3<f64>], k: f64) {
        for (index, (&a, on_a)) in atoms.iter().zip(on).enumerate() {
            let a = self.places[a];
            self.diagonal[a] += on_a * on_a.transpose() * k;
            for (&b, on_b) in atoms[..index].iter().zip(on) {
                let b = self.places[b];
                let (row, column, block) = if a > b {
                    (a, b, on_a * on_b.transpose())
                } else {
                    (b, a, on_b * on_a.transpose())
                };
                let at = self.block(row, column);
                self.below[at] += block * k;
            }
        }
    }

    /// Where the block of a row and a column is, which must be one of the factor's.
    fn block(&self, row: usize, column: usize) -> usize {
        let (from, to) = (self.first[column], self.first[column + 1]);
        from + self.rows[from..to].partition_point(|&other| other < row)
    }

    /// Puts L and D⁻¹ where the matrix was. What is no number stays none.
    pub fn factorise(&mut self) {
        for column in 0..self.diagonal.len() {
            let pivot = self.diagonal[column];
            let inverse = pivot.try_inverse().unwrap_or(Matrix3::repeat(f64::NAN));
            self.diagonal[column] = inverse;
            let blocks = self.first[column]..self.first[column + 1];
            for at in blocks.clone() {
                self.below[at] *= inverse;
            }
            for a in blocks.clone() {
                let scaled = self.below[a] * pivot;
                for b in blocks.start..a {
                    let product = scaled * self.below[b].transpose();
                    let at = self.block(self.rows[a], self.rows[b]);
                    self.below[at] -= product;
                }
                self.diagonal[self.rows[a]] -= scaled * self.below[a].transpose();
            }
        }
    }

    /// The inverse of the matrix that was factorised, times `values`, of each atom one.
    pub fn solve(&self, values: &mut [Vector3<f64>]) {
        let mut x = vec![Vector3::zeros(); values.len()];
        for (value, &place) in values.iter().zip(&self.places) {
            x[place] = *value;
        }
        for column in 0..x.len() {
            let value = x[column];
            for at in self.first[column]..self.first[column + 1] {
                x[self.rows[at]] -= self.below[at] * value;
            }
        }
        for column in (0..x.len()).rev() {
            let mut value = self.diagonal[column] * x[column];
            for at in self.first[column]..self.first[column + 1] {
                value -= self.below[at].tr_mul(&x[self.rows[at]]);
            }
            x[column] = value;
        }
        for (value, &place) in values.iter_mut().zip(&self.places) {
            *value = x[place];
        }
    }
}

/// The place of each atom in an order of elimination, and of each column the rows below it that are
/// not empty. An atom that goes leaves its neighbours joined.
fn eliminate(mut near: Vec<BTreeSet<usize>>) -> (Vec<usize>, Vec<Vec<usize>>) {
    let degrees = near.iter().map(BTreeSet::len);
    let mut left: BTreeSet<_> = degrees.zip(0..near.len()).collect();
    let mut places = vec![0; near.len()];
    let mut columns = Vec::with_capacity(near.len());
    while let Some((_, atom)) = left.pop_first() {
        places[atom] = columns.len();
        let neighbours = std::mem::take(&mut near[atom]);
        for &a in &neighbours {
            left.remove(&(near[a].len(), a));
            near[a].remove(&atom);
            near[a].extend(neighbours.iter().filter(|&&b| b != a));
            left.insert((near[a].len(), a));
        }
        columns.push(neighbours);
    }
    let sorted = |column: BTreeSet<usize>| {
        let mut rows: Vec<_> = column.into_iter().map(|atom| places[atom]).collect();
        rows.sort_unstable();
        rows
    };
    let columns = columns.into_iter().map(sorted).collect();
    (places, columns)
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn solves_what_a_dense_factorisation_solves() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut vector = || Vector3::from_fn(|_, _| random.random_range(-1.0..1.0));
        // a ring with side chains, and an atom by itself
        let groups = [
            vec![0, 1, 2],
            vec![2, 3],
            vec![3, 4, 0],
            vec![4, 5, 6, 7],
            vec![7, 8],
            vec![6, 9],
        ];
        let mut factor = Factor::new(11, groups.iter().map(Vec::as_slice));
        factor.reset((0..11).map(|atom| 0.5 + 0.1 * f64::from(atom)));
        let mut dense = DMatrix::zeros(33, 33);
        for atom in 0..11 {
            for axis in 0..3 {
                dense[(3 * atom + axis, 3 * atom + axis)] = 0.5 + 0.1 * atom as f64;
            }
        }
        for group in &groups {
            let on: Vec<_> = group.iter().map(|_| vector()).collect();
            factor.add(group, &on, 7.0);
            let mut whole = DVector::zeros(33);
            for (&atom, on_atom) in group.iter().zip(&on) {
                whole.fixed_rows_mut::<3>(3 * atom).copy_from(on_atom);
            }
            dense += &whole * whole.transpose() * 7.0;
        }
        let mut values: Vec<_> = (0..11).map(|_| vector()).collect();
        let right = DVector::from_iterator(33, values.iter().flat_map(|v| v.iter().copied()));
        let exact = dense.cholesky().expect("positive definite").solve(&right);
        factor.factorise();
        factor.solve(&mut values);
        for (atom, value) in values.iter().enumerate() {
            let error = (value - exact.fixed_rows::<3>(3 * atom)).norm();
            assert!(error <= 1e-12, "atom {atom}: {error}");
        }
    }

    #[test]
    fn a_chain_stays_as_sparse_as_it_is() {
        let groups: Vec<_> = (0..97)
            .map(|first| [first, first + 1, first + 2, first + 3])
            .collect();
        let factor = Factor::new(100, groups.iter().map(|group| &group[..]));
        // three neighbours behind each but the last three
        assert_eq!(factor.rows.len(), 3 * 97 + 2 + 1);
    }
}
