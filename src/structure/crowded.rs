//! Atoms that are not bonded and yet nearer than any such atoms are: poor maps, loops of models
//! that lie on each other, alternative locations without a mark, bonds that no template has.

use std::collections::HashMap;

use nalgebra::Vector3;

use super::report::plural;
use super::{Element, Topology};

/// Distances, Å, below which atoms that are not bonded, nor to one atom both, are too near: of two
/// heavy atoms (O–O of the shortest hydrogen bonds is 2.4), of a hydrogen and a heavy atom (1.5 in
/// those), of two hydrogens.
const LEAST: [f64; 3] = [2.0, 1.3, 1.2];

/// What is to be said of such pairs, if there are some.
pub(super) fn crowded(topology: &Topology, positions: &[Vector3<f64>]) -> Option<String> {
    let neighbours = topology.neighbours();
    let is_hydrogen = |atom: usize| topology.atoms[atom].element == Element::H;
    let share = |a: usize, b: usize| {
        let hydrogens = usize::from(is_hydrogen(a)) + usize::from(is_hydrogen(b));
        (positions[a] - positions[b]).norm() / LEAST[hydrogens]
    };
    let is_near_in_bonds = |a: usize, b: usize| {
        neighbours[a].contains(&b) || neighbours[a].iter().any(|at| neighbours[*at].contains(&b))
    };
    let mut cells: HashMap<[i64; 3], Vec<usize>> = HashMap::new();
    let mut count = 0;
    let mut worst: Option<(f64, usize, usize)> = None;
    for (atom, position) in positions.iter().enumerate() {
        let [x, y, z] =
            [position.x, position.y, position.z].map(|value| (value / LEAST[0]).floor() as i64);
        let around = (0..27).map(|n| [x + n / 9 - 1, y + n / 3 % 3 - 1, z + n % 3 - 1]);
        for &other in around.filter_map(|cell| cells.get(&cell)).flatten() {
            let share = share(atom, other);
            if share < 1.0 && !is_near_in_bonds(atom, other) {
                count += 1;
                if worst.is_none_or(|(least, ..)| share < least) {
                    worst = Some((share, other, atom));
                }
            }
        }
        cells.entry([x, y, z]).or_default().push(atom);
    }
    let (_, a, b) = worst?;
    Some(format!(
        "{} too near for atoms that are not bonded, the worst {} – {} with {:.2} Å",
        plural(count, "pair"),
        topology.atom_label(a),
        topology.atom_label(b),
        (positions[a] - positions[b]).norm()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{ReadOptions, read};
    use super::*;

    #[test]
    fn only_what_is_too_near_is_said() {
        let akle = read("data/structures/akle.pdb".as_ref(), &ReadOptions::default()).unwrap();
        let mut positions = akle.frame.positions.clone();
        assert_eq!(crowded(&akle.topology, &positions), None);
        let named = |residue, name| akle.topology.atom_named(residue, name).unwrap();
        let (from, to) = (named(1, "NZ"), named(3, "CD"));
        positions[from] = positions[to] + Vector3::new(0.0, 0.0, 1.5);
        let said = crowded(&akle.topology, &positions).unwrap();
        assert!(
            said.contains("A:LYS 2:NZ – A:GLU 4:CD with 1.50 Å"),
            "{said}"
        );
    }
}
