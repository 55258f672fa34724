//! Symmetric traceless tensors of rank 2, the channels of degree l = 2, as five numbers each.
//!
//! T = Σ_m t_m E_m with E₀ … E₄ orthonormal (E_m : E_n = δ_mn), in a fixed order:
//!
//! ```text
//! √2 E₀ = xy + yx    √2 E₁ = yz + zy    √2 E₂ = zx + xz
//! √2 E₃ = xx − yy    √6 E₄ = 2 zz − xx − yy
//! ```
//!
//! Five, not the six or nine of a matrix: there are as many as there are degrees of freedom, so
//! that linear maps over channels keep T symmetric and traceless whatever their weights, and inner
//! products and lengths are plain sums over them, as those of vectors are. No two vectors whose
//! product it is stand for one, either: sums of products, which neighbours add up to, are of full
//! rank.

use nalgebra::Matrix3;

use crate::numeric::{Lanes, Real};

/// Numbers of a tensor.
pub const NUMBERS: usize = 5;

/// 1/√2 and 1/√6: what E₀ … E₃ and E₄ are made of.
const UNITS: [f64; 2] = [std::f64::consts::FRAC_1_SQRT_2, 0.408_248_290_463_863];

/// T w = Σ_m t_m E_m w.
#[inline(always)]
pub(super) fn apply<T: Real>(t: [Lanes<T>; NUMBERS], w: [Lanes<T>; 3]) -> [Lanes<T>; 3] {
    let [second, sixth] = UNITS.map(|unit| Lanes::all(T::of(unit)));
    let [xy, yz, zx, d] = [t[0], t[1], t[2], t[3]].map(|t| t * second);
    let e = t[4] * sixth;
    [
        xy * w[1] + zx * w[2] + (d - e) * w[0],
        xy * w[0] + yz * w[2] - (d + e) * w[1],
        yz * w[1] + zx * w[0] + (e + e) * w[2],
    ]
}

/// The numbers v E_m w: those of the symmetric traceless part of v wᵀ.
#[inline(always)]
pub(super) fn product<T: Real>(v: [Lanes<T>; 3], w: [Lanes<T>; 3]) -> [Lanes<T>; NUMBERS] {
    let [second, sixth] = UNITS.map(|unit| Lanes::all(T::of(unit)));
    let [xx, yy, zz] = [v[0] * w[0], v[1] * w[1], v[2] * w[2]];
    [
        second * (v[0] * w[1] + v[1] * w[0]),
        second * (v[1] * w[2] + v[2] * w[1]),
        second * (v[2] * w[0] + v[0] * w[2]),
        second * (xx - yy),
        sixth * (zz + zz - xx - yy),
    ]
}

/// The matrix of a tensor.
pub fn matrix(t: [f64; NUMBERS]) -> Matrix3<f64> {
    let [second, sixth] = UNITS;
    let [xy, yz, zx, d] = [t[0], t[1], t[2], t[3]].map(|t| t * second);
    let e = t[4] * sixth;
    Matrix3::new(d - e, xy, zx, xy, -d - e, yz, zx, yz, 2.0 * e)
}

/// The numbers of the symmetric traceless part of a matrix.
pub fn numbers(matrix: &Matrix3<f64>) -> [f64; NUMBERS] {
    let of = |m: usize| {
        let unit = self::matrix(std::array::from_fn(|k| f64::from(k == m)));
        unit.component_mul(matrix).sum()
    };
    std::array::from_fn(of)
}

/// The tensor with its space turned by a matrix.
pub fn turned(t: [f64; NUMBERS], by: &Matrix3<f64>) -> [f64; NUMBERS] {
    numbers(&(by * matrix(t) * by.transpose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Rotation3, Vector3};

    const T: [f64; NUMBERS] = [0.3, -1.2, 0.7, 2.0, -0.4];

    fn first<const N: usize>(lanes: [Lanes<f64>; N]) -> [f64; N] {
        lanes.map(|lanes| lanes.values()[0])
    }

    #[test]
    fn five_numbers_are_a_symmetric_traceless_matrix_and_keep_its_length() {
        let matrix = matrix(T);
        assert!(matrix.trace().abs() < 1e-15 && matrix == matrix.transpose());
        let square: f64 = T.iter().map(|t| t * t).sum();
        assert!((matrix.norm_squared() - square).abs() < 1e-14);
        let back = numbers(&matrix);
        assert!(T.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-15));
    }

    #[test]
    fn products_are_those_of_matrices() {
        let (v, w) = (Vector3::new(0.2, -1.0, 0.5), Vector3::new(1.5, 0.3, -0.8));
        let lanes = |v: Vector3<f64>| [v.x, v.y, v.z].map(Lanes::all);
        let applied = Vector3::from(first(apply(T.map(Lanes::all), lanes(w))));
        assert!((applied - matrix(T) * w).norm() < 1e-14);
        let found = first(product(lanes(v), lanes(w)));
        let expected = numbers(&(v * w.transpose()));
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-15)
        );
    }

    #[test]
    fn a_turn_of_factors_turns_their_product() {
        let turn = Rotation3::from_euler_angles(0.3, 1.1, -2.0).into_inner();
        let (v, w) = (Vector3::new(0.2, -1.0, 0.5), Vector3::new(1.5, 0.3, -0.8));
        let found = turned(numbers(&(v * w.transpose())), &turn);
        let expected = numbers(&(turn * v * (turn * w).transpose()));
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-14)
        );
    }
}
