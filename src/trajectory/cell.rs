//! Cells as files store them: three vectors (XTC, TRR, recent CHARMM) or edges and angles.

use nalgebra::Vector3;

use crate::structure::Cell;

/// The cell of three edges and angles; none where an edge is not positive or an angle impossible
/// (how files say "no cell").
pub(super) fn of_edges(lengths: [f64; 3], angles: [f64; 3]) -> Option<Cell> {
    let real = lengths
        .iter()
        .all(|&length| length > 0.0 && length.is_finite())
        && angles.iter().all(|&angle| angle > 0.0 && angle < 180.0);
    // three edges of 1 Å are the PDB's way to say none
    (real && lengths != [1.0; 3]).then_some(Cell { lengths, angles })
}

/// The cell that three row vectors span, Å.
pub(super) fn of_vectors(rows: &[Vector3<f64>; 3]) -> Option<Cell> {
    let angle = |a: &Vector3<f64>, b: &Vector3<f64>| a.angle(b).to_degrees();
    let lengths = [rows[0].norm(), rows[1].norm(), rows[2].norm()];
    of_edges(
        lengths,
        [
            angle(&rows[1], &rows[2]),
            angle(&rows[0], &rows[2]),
            angle(&rows[0], &rows[1]),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_edges_agree() {
        for angles in [
            [90.0; 3],
            [80.0, 95.0, 70.0],
            [109.4712206; 3],
            [91.328, 61.735, 44.407],
        ] {
            let cell = Cell {
                lengths: [35.0, 36.0, 34.0],
                angles,
            };
            let rows = cell.vectors();
            let back = of_vectors(&[
                rows.row(0).transpose(),
                rows.row(1).transpose(),
                rows.row(2).transpose(),
            ])
            .unwrap();
            for (x, y) in back
                .lengths
                .iter()
                .chain(&back.angles)
                .zip(cell.lengths.iter().chain(&cell.angles))
            {
                assert!((x - y).abs() <= 1e-9, "{back:?} {cell:?}");
            }
        }
    }
}
