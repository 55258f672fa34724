//! All pair terms of a system in one precision: three sweeps over the same tiles.

use nalgebra::Vector3;

use super::born::{BornForces, BornIntegrals, born_radius, integral_at};
use super::lanes::{Block, LANES, PairReal};
use super::nonbonded::PairForces;
use super::tiles::Tiles;
use super::{COULOMB, COULOMB_OBC, OBC_OFFSET, System};
use crate::structure::centroid;

/// 1/ε of the protein − 1/ε of water.
pub(super) const DIELECTRIC: f64 = 1.0 - 1.0 / 78.5;
/// Surface tension of the surface term × 4π, kJ/mol/Å² (Schaefer, Bartels, Karplus, J. Mol. Biol.
/// 284, 835 (1998), as OpenMM has it).
pub(super) const SURFACE: f64 = 0.283_919_551;
/// Radius of the water probe, Å.
pub(super) const PROBE: f64 = 1.4;

/// Share of the cutoff at which pair energies begin to be switched off.
pub(super) const SWITCH: f64 = 0.9;

/// Energies of the pair terms, kJ/mol.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairEnergies {
    /// Lennard-Jones and Coulomb of all pairs that are not excluded.
    pub nonbonded: f64,
    /// Generalised Born, pairs and single atoms.
    pub obc2: f64,
    /// Surface term.
    pub surface: f64,
}

/// The pair terms of a system, with the buffers that evaluating them needs.
#[derive(Debug, Clone)]
pub(super) struct Pairs<T> {
    tiles: Tiles<T>,
    blocks: Vec<Block<T>>,
    charges: Vec<f64>,
    /// ρ̃, Å.
    radii: Vec<f64>,
    /// Cutoff, Å, where there is one.
    cutoff: Option<f64>,
    /// Sweep results of every atom: Born integrals, then B·∂E/∂B.
    scalars: Vec<f64>,
    /// Born radii, Å, and ∂B/∂I, Å².
    born: Vec<(f64, f64)>,
}

impl<T: PairReal> Pairs<T> {
    /// `cutoff`, Å: where the pair energies end and beyond which Born radii see nothing.
    pub fn new(system: &System, cutoff: Option<f64>) -> Self {
        let tiles = Tiles::new(system.len(), &system.exclusions, cutoff);
        let mut blocks: Vec<Block<T>> = (0..tiles.blocks()).map(Block::nowhere).collect();
        let radii: Vec<f64> = system
            .radii
            .iter()
            .map(|radius| radius - OBC_OFFSET)
            .collect();
        for atom in 0..system.len() {
            let block = &mut blocks[atom / LANES];
            let lane = atom % LANES;
            let screened = radii[atom] * system.screens[atom];
            block.charge[lane] = T::of(system.charges[atom]);
            block.half_sigma[lane] = T::of(0.5 * system.sigmas[atom]);
            block.root_epsilon[lane] = T::of(2.0 * system.epsilons[atom].sqrt());
            block.radius[lane] = T::of(radii[atom]);
            block.screened[lane] = T::of(screened);
            block.edge[lane] = T::of(cutoff.map_or(0.0, |cutoff| integral_at(cutoff, screened)));
        }
        let atoms = system.len();
        let charges = system.charges.clone();
        let (scalars, born) = (vec![0.0; atoms], vec![(0.0, 0.0); atoms]);
        Pairs {
            tiles,
            blocks,
            charges,
            radii,
            cutoff,
            scalars,
            born,
        }
    }

    /// Energies; forces, kJ/mol/Å, are added to `forces`.
    pub fn add(&mut self, positions: &[Vector3<f64>], forces: &mut [Vector3<f64>]) -> PairEnergies {
        // one entry into the thread pool for all sweeps instead of one a sweep
        if self.tiles.is_shared() {
            rayon::scope(|_| self.sweep(positions, forces))
        } else {
            self.sweep(positions, forces)
        }
    }

    /// The three sweeps.
    fn sweep(&mut self, positions: &[Vector3<f64>], forces: &mut [Vector3<f64>]) -> PairEnergies {
        self.place(positions);
        self.tiles.find_near(&self.blocks);
        self.tiles.clear();
        let (own, surface) = match self.cutoff {
            None => self.sweep_all::<false>(f64::INFINITY),
            Some(cutoff) => self.sweep_all::<true>(cutoff),
        };
        let [nonbonded, pairs] = self.tiles.add_forces(forces);
        PairEnergies {
            nonbonded,
            obc2: pairs + own,
            surface,
        }
    }

    /// The same up to `cutoff`, Å, but for the energies of pairs.
    fn sweep_all<const CUT: bool>(&mut self, cutoff: f64) -> (f64, f64) {
        let end = cutoff * cutoff;
        let cutoff = T::of(end);
        self.tiles
            .sweep(&BornIntegrals::<T, CUT> { cutoff }, &self.blocks);
        self.tiles.take_scalars(&mut self.scalars);
        self.find_radii();
        let (coulomb, solvation) = (T::of(COULOMB), T::of(COULOMB_OBC * DIELECTRIC));
        let steepness = T::of(1.0 / (end - end * SWITCH * SWITCH));
        self.tiles.sweep(
            &PairForces::<T, CUT> {
                coulomb,
                solvation,
                end: cutoff,
                steepness,
            },
            &self.blocks,
        );
        self.tiles.take_scalars(&mut self.scalars);
        let single = self.add_atoms();
        self.tiles
            .sweep(&BornForces::<T, CUT> { cutoff }, &self.blocks);
        single
    }

    /// Positions relative to the centre, so that rounding to `T` does not depend on where the
    /// molecule is.
    fn place(&mut self, positions: &[Vector3<f64>]) {
        let centre = centroid(positions);
        for (block, chunk) in self.blocks.iter_mut().zip(positions.chunks(LANES)) {
            for (lane, position) in chunk.iter().enumerate() {
                let place = position - centre;
                block.x[lane] = T::of(place.x);
                block.y[lane] = T::of(place.y);
                block.z[lane] = T::of(place.z);
            }
        }
    }

    /// Born radii from the Born integrals in `scalars`.
    fn find_radii(&mut self) {
        for (atom, (&integral, &radius)) in self.scalars.iter().zip(&self.radii).enumerate() {
            self.born[atom] = born_radius(radius, integral);
            let block = &mut self.blocks[atom / LANES];
            let lane = atom % LANES;
            block.born[lane] = T::of(self.born[atom].0);
            block.inverse_born[lane] = T::of(1.0 / self.born[atom].0);
        }
    }

    /// Energies of the single atoms, (generalised Born, surface), and ∂E/∂I of every atom from
    /// B·∂E/∂B of its pairs in `scalars`.
    fn add_atoms(&mut self) -> (f64, f64) {
        let (mut own, mut surface) = (0.0, 0.0);
        for (atom, &(born, d_born)) in self.born.iter().enumerate() {
            let charge = self.charges[atom];
            let solvation = -0.5 * COULOMB_OBC * DIELECTRIC * charge * charge / born;
            let radius = self.radii[atom] + OBC_OFFSET;
            let area = SURFACE * (radius + PROBE).powi(2) * (radius / born).powi(6);
            own += solvation;
            surface += area;
            let slope = (self.scalars[atom] - solvation - 6.0 * area) / born;
            self.blocks[atom / LANES].d_integral[atom % LANES] = T::of(slope * d_born);
        }
        (own, surface)
    }
}
