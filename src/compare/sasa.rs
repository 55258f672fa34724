//! Solvent-accessible surface (Shrake & Rupley, J. Mol. Biol. 79 (1973) 351).

use nalgebra::Vector3;

use crate::geometry::neighbours::CellList;
use crate::geometry::superpose::pick;
use crate::geometry::validity::radius;
use crate::structure::Topology;

/// Radius of the probe: water, Å.
pub const PROBE: f64 = 1.4;
/// Points on each atom's sphere. The error of an atom's area is about 1 % of its sphere.
pub const SPHERE_POINTS: usize = 960;

/// Surfaces of frames of one topology, heavy atoms only: hydrogens, where there are any, count as
/// part of the probe's side.
#[derive(Debug, Clone)]
pub struct Surface {
    heavy: Vec<usize>,
    /// Radius of each heavy atom with the probe's added, Å.
    reach: Vec<f64>,
    points: Vec<Vector3<f64>>,
}

impl Surface {
    /// For one topology, with `points` points on each sphere (a golden spiral, as mdtraj has it).
    pub fn new(topology: &Topology, points: usize) -> Self {
        let heavy = topology.heavy_atoms();
        let reach = heavy
            .iter()
            .map(|&atom| radius(&topology.atoms[atom].element) + PROBE)
            .collect();
        Surface {
            heavy,
            reach,
            points: golden_spiral(points),
        }
    }

    /// Accessible area of every atom of the topology, Å²; 0 for hydrogens.
    pub fn areas(&self, positions: &[Vector3<f64>]) -> Vec<f64> {
        let centres = pick(positions, &self.heavy);
        let largest = self.reach.iter().copied().fold(0.0, f64::max);
        let cells = CellList::new(&centres, 2.0 * largest);
        let mut areas = vec![0.0; positions.len()];
        let mut covering: Vec<(Vector3<f64>, f64)> = Vec::new();
        for (index, (&atom, &reach)) in self.heavy.iter().zip(&self.reach).enumerate() {
            covering.clear();
            cells.around(&centres[index], |other, square| {
                let touch = reach + self.reach[other];
                if other != index && square < touch * touch {
                    covering.push((
                        centres[other] - centres[index],
                        self.reach[other] * self.reach[other],
                    ));
                }
            });
            // Near atoms cover most: trying them first, and the one that covered the last point
            // before all, ends most searches at once.
            covering.sort_by(|a, b| a.0.norm_squared().total_cmp(&b.0.norm_squared()));
            let free = self
                .points
                .iter()
                .filter(|point| !is_covered(&mut covering, &(*point * reach)))
                .count();
            areas[atom] =
                4.0 * std::f64::consts::PI * reach * reach * free as f64 / self.points.len() as f64;
        }
        areas
    }
}

/// Whether a point lies in one of the spheres; the one that it lies in moves to the front.
fn is_covered(spheres: &mut [(Vector3<f64>, f64)], point: &Vector3<f64>) -> bool {
    match spheres
        .iter()
        .position(|(centre, square)| (point - centre).norm_squared() < *square)
    {
        Some(place) => {
            spheres.swap(0, place);
            true
        }
        None => false,
    }
}

/// Points spread evenly over the unit sphere: equal steps along y, the golden angle about it.
fn golden_spiral(count: usize) -> Vec<Vector3<f64>> {
    let turn = std::f64::consts::PI * (3.0 - 5f64.sqrt());
    let point = |index: usize| {
        let y = (2 * index + 1) as f64 / count as f64 - 1.0;
        let ring = (1.0 - y * y).sqrt();
        let angle = turn * index as f64;
        Vector3::new(ring * angle.cos(), y, ring * angle.sin())
    };
    (0..count).map(point).collect()
}

/// Area of every residue's side chain, Å²: its heavy atoms but N, CA, C, O and OXT; for glycine its
/// CA.
pub fn side_chain_areas(topology: &Topology, areas: &[f64]) -> Vec<f64> {
    let counts = |residue: &str, name: &str| match name {
        "N" | "C" | "O" | "OXT" => false,
        "CA" => residue == "GLY",
        _ => true,
    };
    let side_chain = |residue: &crate::structure::Residue| {
        let atoms = residue
            .atoms
            .clone()
            .filter(|&atom| counts(&residue.name, &topology.atoms[atom].name));
        atoms.map(|atom| areas[atom]).sum()
    };
    topology.residues.iter().map(side_chain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{Atom, Chain, Element, Residue};

    #[test]
    fn one_sphere_and_two_that_overlap() {
        let atom = |name: &str| Atom {
            name: name.into(),
            element: Element::C,
            residue: 0,
            serial: 1,
            mass: 12.0,
        };
        let residue = Residue {
            name: "LIG".into(),
            chain: 0,
            number: 1,
            insertion: None,
            atoms: 0..2,
        };
        let chains = vec![Chain {
            id: "A".into(),
            residues: 0..1,
        }];
        let topology = Topology {
            atoms: vec![atom("C1"), atom("C2")],
            residues: vec![residue],
            chains,
            bonds: vec![[0, 1]],
        };
        let surface = Surface::new(&topology, 20_000);
        let sphere = 4.0 * std::f64::consts::PI * 3.1 * 3.1;
        let far = surface.areas(&[Vector3::zeros(), Vector3::new(50.0, 0.0, 0.0)]);
        assert!(
            far.iter().all(|area| (area / sphere - 1.0).abs() <= 1e-12),
            "{far:?}"
        );
        // distance d of equal spheres of radius r: each keeps (1 + d/2r)/2 of its area
        let near = surface.areas(&[Vector3::zeros(), Vector3::new(0.0, 0.9, 1.2)]);
        for area in near {
            assert!(
                (area / sphere - 0.5 * (1.0 + 1.5 / 6.2)).abs() <= 1e-3,
                "{area}"
            );
        }
    }
}
