//! A-form RNA: where P, C4' and N of a nucleotide are, in a stem and about its C4'.

use nalgebra::{Matrix3, Vector3};

/// The atoms of a nucleotide that are placed; N is N9 of purines and N1 of pyrimidines.
pub const ATOMS: [&str; 3] = ["P", "C4'", "N"];
const C4: usize = 1;

/// Cylindrical coordinates r (Å), φ (°), z (Å) of these atoms in the fibre structure of A-RNA
/// (Arnott, Hukins, Dover, Fuller & Hodgson, J. Mol. Biol. 81, 107, 1973); the twofold axis of the
/// pair lies along φ = 0. The next nucleotide of the strand, from 5' to 3', is turned by −[`TWIST`]
/// and moved by −[`RISE`].
const CYLINDER: [[f64; 3]; 3] = [
    [8.71, 70.5, -3.75],
    [9.68, 46.9, -3.10],
    [7.12, 37.2, -1.39],
];

/// Turn from pair to pair, degrees.
pub const TWIST: f64 = 32.7;
/// Way along the axis from pair to pair, Å.
pub const RISE: f64 = 2.81;

/// Positions of a nucleotide's atoms.
pub type Nucleotide = [Vector3<f64>; 3];

/// Pair number `pair` of a stem that stands on the origin and grows along −z: the nucleotide of the
/// strand that comes first, and its partner.
pub fn pair(pair: usize) -> [Nucleotide; 2] {
    [1.0, -1.0].map(|strand| {
        CYLINDER.map(|[r, phi, z]| {
            let angle = (strand * phi - TWIST * pair as f64).to_radians();
            let along = strand * z - RISE * pair as f64;
            Vector3::new(r * angle.cos(), r * angle.sin(), along)
        })
    })
}

/// C4' of both nucleotides.
pub fn ends(pair: &[Nucleotide; 2]) -> [Vector3<f64>; 2] {
    [pair[0][C4], pair[1][C4]]
}

/// Distance of the C4' of a pair, Å.
pub fn width() -> f64 {
    let [a, b] = ends(&pair(0));
    (b - a).norm()
}

/// Distance of two C4' that follow each other in a strand, Å.
pub fn step() -> f64 {
    (pair(1)[0][C4] - pair(0)[0][C4]).norm()
}

/// Columns: away from the axis, along the strand, and what is square to both.
fn frame(away: Vector3<f64>, along: Vector3<f64>) -> Matrix3<f64> {
    Matrix3::from_columns(&[away, along, away.cross(&along)])
}

/// A nucleotide as it is in a stem, with its C4' here, its outer side `away` and the strand going
/// `along`, two directions at right angles.
pub fn nucleotide(c4: Vector3<f64>, away: Vector3<f64>, along: Vector3<f64>) -> Nucleotide {
    let [own, _] = pair(0);
    let out = Vector3::new(own[C4].x, own[C4].y, 0.0).normalize();
    // the derivative of the screw, which is at right angles to `out`
    let turn = TWIST.to_radians() * own[C4].xy().norm();
    let strand = (out.cross(&Vector3::z()) * turn - RISE * Vector3::z()).normalize();
    let rotation = frame(away, along) * frame(out, strand).transpose();
    own.map(|atom| c4 + rotation * (atom - own[C4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What other sources say of A-RNA: 11 pairs a turn of 30.9 Å, N to N of a pair about 9 Å, P to
    /// P along the strand 5.4 to 6.2 Å, across the pair 17 to 19 Å; right-handed.
    #[test]
    fn a_stem_is_a_form() {
        let distance = |a: Vector3<f64>, b: Vector3<f64>| (a - b).norm();
        let [first, second] = pair(0);
        assert!((distance(first[2], second[2]) - 9.0).abs() <= 0.2);
        assert!((distance(first[0], second[0]) - 18.0).abs() <= 1.0);
        assert!((distance(first[0], pair(1)[0][0]) - 5.8).abs() <= 0.4);
        assert!((11.0 * TWIST - 360.0).abs() <= 1.0 && (11.0 * RISE - 30.9).abs() <= 0.1);
        // C4' of one strand: the triple product of a right-handed screw is positive
        let at = |k: usize| pair(k)[0][C4];
        let ways = [0, 1, 2].map(|k| at(k + 1) - at(k));
        assert!(ways[0].cross(&ways[1]).dot(&ways[2]) > 1.0);
        // the phosphate of the next nucleotide is nearer to this sugar than to the one behind it
        assert!(distance(at(0), pair(1)[0][0]) < distance(at(0), pair(2)[0][0]));
        assert!((distance(at(0), first[0]) - 4.0).abs() <= 0.2);
        assert!((distance(at(0), pair(1)[0][0]) - 4.0).abs() <= 0.4);
    }

    #[test]
    fn a_nucleotide_alone_has_the_shape_that_it_has_in_a_stem() {
        let [own, _] = pair(0);
        let away = Vector3::new(0.6, 0.8, 0.0);
        let moved = nucleotide(Vector3::new(1.0, 2.0, 3.0), away, Vector3::z());
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            let (a, b) = ((own[i] - own[j]).norm(), (moved[i] - moved[j]).norm());
            assert!((a - b).abs() <= 1e-12, "{a} {b}");
        }
        // not its mirror image: where it is in the stem, it stays
        let out = Vector3::new(own[C4].x, own[C4].y, 0.0).normalize();
        let h = 1e-6;
        let turned = |t: f64| {
            let angle = -(TWIST * t).to_radians();
            let turn = nalgebra::Rotation3::from_axis_angle(&Vector3::z_axis(), angle);
            turn * own[C4] - RISE * t * Vector3::z()
        };
        let along = ((turned(h) - turned(-h)) / (2.0 * h)).normalize();
        for (a, b) in nucleotide(own[C4], out, along).iter().zip(&own) {
            assert!((a - b).norm() <= 1e-6, "{a} {b}");
        }
    }
}
