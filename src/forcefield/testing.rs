//! A small molecule of its own for the tests of the energy code.

use nalgebra::Vector3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Angle, Bond, Exception, System, Torsion};

/// A chain of atoms with every kind of term and random parameters in the range of ff14SB's; its own
/// small force field.
pub(super) fn chain(atoms: usize, seed: u64) -> (System, Vec<Vector3<f64>>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut within = |low: f64, high: f64| random.random_range(low..high);
    let mut system = System::default();
    let mut positions: Vec<Vector3<f64>> = Vec::new();
    while positions.len() < atoms {
        let direction = Vector3::new(within(-1.0, 1.0), within(-1.0, 1.0), within(-1.0, 1.0));
        if direction.norm() < 0.1 {
            continue;
        }
        let next = positions.last().copied().unwrap_or_default() + direction.normalize() * 1.5;
        if positions
            .iter()
            .rev()
            .skip(1)
            .all(|other| (other - next).norm() > 2.3)
        {
            positions.push(next);
        }
    }
    for atom in 0..atoms {
        system.masses.push(within(1.0, 16.0));
        system.charges.push(within(-0.8, 0.8));
        system.sigmas.push(within(1.0, 3.5));
        system.epsilons.push(within(0.0, 0.7));
        system.radii.push(within(1.2, 1.8));
        system.screens.push(within(0.72, 0.96));
        if atom >= 1 {
            system.bonds.push(Bond {
                atoms: [atom - 1, atom],
                length: 1.4,
                k: within(1000.0, 3000.0),
            });
            system.exclusions.push([atom - 1, atom]);
        }
        if atom >= 2 {
            system.angles.push(Angle {
                atoms: [atom - 2, atom - 1, atom],
                angle: within(1.8, 2.2),
                k: within(300.0, 600.0),
            });
            system.exclusions.push([atom - 2, atom]);
        }
        if atom >= 3 {
            let [i, j, k, l] = [atom - 3, atom - 2, atom - 1, atom];
            for periodicity in [2, 4, 1] {
                let (phase, k_torsion) = (within(-3.0, 3.0), within(-2.0, 8.0));
                system.torsions.push(Torsion {
                    atoms: [i, j, k, l],
                    periodicity,
                    phase,
                    k: k_torsion,
                    improper: false,
                });
            }
            system.exclusions.push([i, l]);
            system.exceptions.push(Exception {
                atoms: [i, l],
                charge_product: within(-0.3, 0.3),
                sigma: within(1.0, 3.0),
                epsilon: 0.2,
            });
        }
    }
    system.exclusions.sort_unstable();
    (system, positions)
}
