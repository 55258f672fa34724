//! What is kept of a frame: a row of numbers from which all measures follow.

use nalgebra::Vector3;

use super::contacts::Contacts;
use super::hydrogen_bonds::{Bond, HydrogenBonds};
use super::sasa::{Surface, side_chain_areas};
use super::secondary::{Class, SecondaryStructure};
use crate::forcefield::template_geometry;
use crate::geometry::superpose::{Superposition, pick, radius_of_gyration, superpose};
use crate::geometry::torsion::{Torsion, torsions};
use crate::geometry::validity::{Clashes, Validity, chiral_centres, inverted_centres};
use crate::structure::{Cell, Molecules, Topology};

/// Molecules of fewer residues are superposed on all heavy atoms: their Cα are too few to say how
/// they lie.
const FEW_RESIDUES: usize = 10;

/// Sphere points of the surfaces in a comparison, which are averaged over hundreds of frames.
pub const ROW_SPHERE_POINTS: usize = 240;

/// What is kept of one frame. Numbers are f32: files hold no more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// [`Torsion::phase`] of every torsion, rad.
    pub torsions: Vec<f32>,
    /// Trace atoms superposed on the start structure, Å.
    pub trace: Vec<[f32; 3]>,
    /// RMSD of the trace atoms to the start structure, Å.
    pub rmsd: f32,
    /// Mass-weighted radius of gyration of the heavy atoms, Å.
    pub gyration: f32,
    /// Geometry against templates.
    pub quality: Quality,
    /// Residue pairs whose closest heavy atoms are in contact, as `i · residues + j`.
    pub contacts: Vec<u32>,
    /// Residue pairs whose Cα are in contact, likewise.
    pub alpha_contacts: Vec<u32>,
    /// Secondary structure of every residue.
    pub secondary: Vec<Class>,
    /// Chiral centres that have not the handedness of the start structure.
    pub inverted: Vec<u32>,
    /// Accessible area of every residue's side chain, Å², where it was asked for.
    pub surface: Option<Vec<f32>>,
    /// Hydrogen bonds, where they are looked for.
    pub hydrogen_bonds: Vec<Bond>,
}

impl Row {
    /// Trace atoms superposed on the start structure, Å.
    pub fn trace_positions(&self) -> Vec<Vector3<f64>> {
        let positions = self.trace.iter();
        positions
            .map(|&x| Vector3::from(x).map(f64::from))
            .collect()
    }
}

/// Geometry of one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quality {
    /// Mean squared deviation of bonds from their templates, Å²; NaN without templates, like the
    /// next four.
    pub bond_square: f32,
    /// Mean squared deviation of 1-3 distances, Å².
    pub angle_square: f32,
    /// Largest deviation of a bond, Å.
    pub worst_bond: f32,
    /// Whether the frame is valid (1) or not (0).
    pub valid: f32,
    /// Number of clashing pairs.
    pub clashes: f32,
    /// Number of chiral centres that have not the handedness of the start structure.
    pub inverted: f32,
}

/// Looks at frames of one topology and makes rows of them.
#[derive(Debug, Clone)]
pub struct Looker {
    /// The heavy atoms compared.
    pub topology: Topology,
    /// Their torsions.
    pub torsions: Vec<Torsion>,
    /// Atoms by which frames are superposed, and whose fluctuations are compared: Cα, or all heavy
    /// atoms of molecules of few residues.
    pub trace: Vec<usize>,
    /// The start structure, Å.
    pub structure: Vec<Vector3<f64>>,
    /// The trace atoms in it, Å.
    pub start: Vec<Vector3<f64>>,
    /// Why there is no template geometry, where there is none.
    pub no_template: Option<String>,
    /// How hydrogen bonds are told, where they are looked for.
    pub hydrogen_bonds: Option<HydrogenBonds>,
    masses: Vec<f64>,
    validity: Option<Validity>,
    clashes: Clashes,
    centres: Vec<[usize; 4]>,
    contacts: Contacts,
    secondary: SecondaryStructure,
    surface: Surface,
    molecules: Molecules,
}

/// Atoms by which frames are superposed: Cα, or all heavy atoms of molecules of few residues.
pub fn trace_atoms(topology: &Topology) -> Vec<usize> {
    let alphas: Vec<usize> = (0..topology.residues.len())
        .filter_map(|residue| topology.atom_named(residue, "CA"))
        .collect();
    if alphas.len() < FEW_RESIDUES {
        topology.heavy_atoms()
    } else {
        alphas
    }
}

impl Looker {
    /// For the heavy atoms of a topology, superposed on `start` (Å).
    pub fn new(topology: &Topology, start: &[Vector3<f64>]) -> Self {
        let trace = trace_atoms(topology);
        let (validity, no_template) = match template_geometry(topology) {
            Ok(mut template) => {
                template.take_handedness(start);
                let validity = Validity::new(topology, &template).allowing_cis_of(start);
                // a trace of Cα would be valid whatever it does
                if validity.bonds() == 0 {
                    (None, Some("the atoms compared have no bonds".into()))
                } else {
                    (Some(validity), None)
                }
            }
            Err(error) => (None, Some(error.to_string())),
        };
        let mut centres = chiral_centres(topology);
        // A D residue stays one: what counts is what the start structure has.
        let other_hand = inverted_centres(&centres, start);
        centres
            .iter_mut()
            .filter(|centre| other_hand.contains(&centre[0]))
            .for_each(|centre| centre.swap(1, 2));
        Looker {
            torsions: torsions(topology),
            structure: start.to_vec(),
            start: pick(start, &trace),
            trace,
            no_template,
            hydrogen_bonds: None,
            masses: topology.atoms.iter().map(|atom| atom.mass).collect(),
            validity,
            clashes: Clashes::new(topology),
            centres,
            contacts: Contacts::new(topology),
            secondary: SecondaryStructure::new(topology),
            surface: Surface::new(topology, ROW_SPHERE_POINTS),
            molecules: Molecules::new(topology),
            topology: topology.clone(),
        }
    }

    /// The row of a frame (Å), which is made whole first where it has a cell; says whether it was
    /// broken. The frame may be left superposed on the start structure.
    pub fn look(
        &self,
        positions: &mut [Vector3<f64>],
        cell: Option<&Cell>,
        with_surface: bool,
    ) -> (Row, bool) {
        self.look_with(positions, &mut [], cell, with_surface)
    }

    /// The same with the hydrogens of [`Looker::hydrogen_bonds`], Å.
    pub fn look_with(
        &self,
        positions: &mut [Vector3<f64>],
        hydrogens: &mut [Vector3<f64>],
        cell: Option<&Cell>,
        with_surface: bool,
    ) -> (Row, bool) {
        let broken = cell.is_some_and(|cell| {
            self.molecules.make_whole(positions, cell)
                + self.molecules.bring_together(positions, cell)
                > 0
        });
        let trace = pick(positions, &self.trace);
        let fit = superpose(&trace, &self.start);
        let pairs = |list: Vec<(u32, u32)>| {
            list.into_iter()
                .map(|(i, j)| i * self.topology.residues.len() as u32 + j)
                .collect()
        };
        let inverted = inverted_centres(&self.centres, positions);
        let single = |areas: Vec<f64>| areas.into_iter().map(|area| area as f32).collect();
        let mut row = Row {
            torsions: self
                .torsions
                .iter()
                .map(|torsion| torsion.phase(positions) as f32)
                .collect(),
            rmsd: fit.rmsd as f32,
            gyration: radius_of_gyration(positions, &self.masses) as f32,
            quality: self.quality(positions, inverted.len()),
            contacts: pairs(self.contacts.heavy(positions)),
            alpha_contacts: pairs(self.contacts.alpha(positions)),
            secondary: self.secondary.assign(positions),
            inverted: inverted.into_iter().map(|atom| atom as u32).collect(),
            surface: None,
            hydrogen_bonds: match &self.hydrogen_bonds {
                Some(bonds) => bonds.find(positions, hydrogens, cell),
                None => Vec::new(),
            },
            trace: moved(&fit, &trace),
        };
        if with_surface {
            // The points on the spheres do not turn with the molecule: superposed, it meets the
            // same ones however it tumbles.
            fit.apply_all(positions);
            row.surface = Some(single(side_chain_areas(
                &self.topology,
                &self.surface.areas(positions),
            )));
        }
        (row, broken)
    }

    fn quality(&self, positions: &[Vector3<f64>], inverted: usize) -> Quality {
        let mut quality = Quality {
            clashes: self.clashes.find(positions).len() as f32,
            inverted: inverted as f32,
            bond_square: f32::NAN,
            angle_square: f32::NAN,
            worst_bond: f32::NAN,
            valid: f32::NAN,
        };
        if let Some(validity) = &self.validity {
            let found = validity.check(positions);
            quality.bond_square = (found.bond_squares / validity.bonds() as f64) as f32;
            quality.angle_square = (found.angle_squares / validity.angles() as f64) as f32;
            quality.worst_bond = found.worst_bond as f32;
            quality.valid = f32::from(u8::from(found.valid()));
        }
        quality
    }
}

fn moved(fit: &Superposition, positions: &[Vector3<f64>]) -> Vec<[f32; 3]> {
    positions
        .iter()
        .map(|x| fit.apply(x).map(|value| value as f32).into())
        .collect()
}

impl Row {
    /// Memory that a row takes, bytes.
    pub fn size(&self) -> usize {
        let lists = 4 * self.torsions.len()
            + 12 * self.trace.len()
            + 4 * (self.contacts.len() + self.alpha_contacts.len() + self.inverted.len())
            + size_of::<Bond>() * self.hydrogen_bonds.len();
        size_of::<Row>()
            + lists
            + self.secondary.len()
            + self.surface.as_ref().map_or(0, |areas| 4 * areas.len())
    }
}
