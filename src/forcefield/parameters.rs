//! ff14SB's tables: atom types, bonded parameters, residue templates with charges and relaxed
//! geometry, OBC2 radii.
//!
//! Source: `data/forcefield/ff14sb.json`, made by `scripts/forcefield.py` (Maier et al. 2015, JCTC
//! 11, 3696). Names of residues and atoms, and the bonds between them, are those of
//! [`crate::structure::residues`]. Units: Å, rad, kJ/mol, e, Da.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use nalgebra::Vector3;
use serde::Deserialize;

use crate::structure::Element;

/// One Fourier term of a torsion: periodicity, phase (rad), k (kJ/mol).
pub(super) type Term = (u32, f64, f64);
/// The four atom types of a torsion; an empty one matches every type. Impropers have the centre
/// first.
pub(super) type FourTypes = [&'static str; 4];

/// Mass and Lennard-Jones parameters of an atom type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AtomType {
    /// Mass, Da.
    pub mass: f64,
    /// Lennard-Jones σ, Å.
    pub sigma: f64,
    /// Lennard-Jones ε, kJ/mol.
    pub epsilon: f64,
}

/// One atom of a residue template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TemplateAtom {
    /// Atom type.
    pub kind: &'static str,
    /// Charge, e.
    pub charge: f64,
    /// Position in the template's relaxed geometry, Å.
    pub position: Vector3<f64>,
}

/// A residue's parameters, and its geometry relaxed in bonds, angles and torsions between two caps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ResidueParameters {
    /// Atoms by name.
    pub atoms: HashMap<&'static str, TemplateAtom>,
    /// Places of atoms of the residues before (`-C`, `-O`, `-CA`) and after (`+N`, `+H`, `+CA`), Å.
    pub near: HashMap<&'static str, Vector3<f64>>,
}

/// All tables; see [`parameters`].
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Atom types by name.
    pub types: HashMap<&'static str, AtomType>,
    bonds: HashMap<[&'static str; 2], (f64, f64)>,
    angles: HashMap<[&'static str; 3], (f64, f64)>,
    propers: HashMap<FourTypes, Vec<Term>>,
    /// Improper torsions in the file's order, on which their choice depends.
    pub impropers: Vec<(FourTypes, Vec<Term>)>,
    /// Residue templates by their ff14SB name.
    pub residues: HashMap<&'static str, ResidueParameters>,
    radii: HashMap<&'static str, f64>,
    screens: HashMap<&'static str, f64>,
}

impl Parameters {
    /// Equilibrium length (Å) and force constant (kJ/mol/Å²) of a bond between two types.
    pub fn bond(&self, [a, b]: [&'static str; 2]) -> Option<(f64, f64)> {
        self.bonds
            .get(&[a, b])
            .or_else(|| self.bonds.get(&[b, a]))
            .copied()
    }

    /// Equilibrium angle (rad) and force constant (kJ/mol/rad²) of three types, the middle one
    /// second.
    pub fn angle(&self, [a, b, c]: [&'static str; 3]) -> Option<(f64, f64)> {
        self.angles
            .get(&[a, b, c])
            .or_else(|| self.angles.get(&[c, b, a]))
            .copied()
    }

    /// Fourier terms of a proper torsion; an entry for the four types goes before one for the
    /// middle two. Empty where ff14SB has none.
    pub fn proper(&self, [a, b, c, d]: FourTypes) -> &[Term] {
        let orders = [[a, b, c, d], [d, c, b, a], ["", b, c, ""], ["", c, b, ""]];
        orders
            .iter()
            .find_map(|types| self.propers.get(types))
            .map_or(&[], |terms| terms)
    }

    /// Whether the bond between two types turns: it does not where its own torsion is twofold,
    /// planar (phase π) and high.
    ///
    /// The weakest such bond is TRP's and HIS's C–N at k ≈ 5.9 kJ/mol (barrier 2k); a bond that
    /// turns freely has k ≈ 0.
    pub fn turns(&self, [b, c]: [&'static str; 2]) -> bool {
        const LOWEST: f64 = 5.0;
        let planar = |&(n, phase, k): &Term| {
            n == 2 && (phase - std::f64::consts::PI).abs() < 1e-6 && k >= LOWEST
        };
        !self.proper(["", b, c, ""]).iter().any(planar)
    }

    /// Intrinsic Born radius of an atom, Å (mbondi2: hydrogen depends on the element that it is
    /// bonded to).
    pub fn radius(&self, element: Element, bonded_to: Option<Element>) -> Option<f64> {
        let key = if element == Element::H && bonded_to == Some(Element::N) {
            "H on N"
        } else {
            element.symbol()
        };
        self.radii.get(key).copied()
    }

    /// OBC screening factor of an element.
    pub fn screen(&self, element: Element) -> Option<f64> {
        self.screens.get(element.symbol()).copied()
    }
}

#[derive(Deserialize)]
struct RawResidue {
    #[serde(borrow)]
    atoms: BTreeMap<&'static str, (&'static str, f64, [f64; 3])>,
    #[serde(borrow)]
    near: BTreeMap<&'static str, Option<[f64; 3]>>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(borrow)]
    types: HashMap<&'static str, (&'static str, f64, f64, f64)>,
    #[serde(borrow)]
    bonds: Vec<(&'static str, &'static str, f64, f64)>,
    #[serde(borrow)]
    angles: Vec<(&'static str, &'static str, &'static str, f64, f64)>,
    #[serde(borrow)]
    propers: Vec<(
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Vec<Term>,
    )>,
    #[serde(borrow)]
    impropers: Vec<(
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Vec<Term>,
    )>,
    #[serde(borrow)]
    residues: HashMap<&'static str, RawResidue>,
    #[serde(borrow)]
    radii: HashMap<&'static str, f64>,
    #[serde(borrow)]
    screens: HashMap<&'static str, f64>,
}

static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
    let text: &'static str = include_str!("../../data/forcefield/ff14sb.json");
    let raw: Raw = serde_json::from_str(text).expect("the shipped force field parses");
    let residue = |raw: RawResidue| ResidueParameters {
        atoms: raw
            .atoms
            .into_iter()
            .map(|(name, (kind, charge, x))| {
                (
                    name,
                    TemplateAtom {
                        kind,
                        charge,
                        position: x.into(),
                    },
                )
            })
            .collect(),
        near: raw
            .near
            .into_iter()
            .filter_map(|(name, x)| Some((name, x?.into())))
            .collect(),
    };
    Parameters {
        types: raw
            .types
            .into_iter()
            .map(|(name, (_, mass, sigma, epsilon))| {
                (
                    name,
                    AtomType {
                        mass,
                        sigma,
                        epsilon,
                    },
                )
            })
            .collect(),
        bonds: raw
            .bonds
            .into_iter()
            .map(|(a, b, length, k)| ([a, b], (length, k)))
            .collect(),
        angles: raw
            .angles
            .into_iter()
            .map(|(a, b, c, angle, k)| ([a, b, c], (angle, k)))
            .collect(),
        propers: raw
            .propers
            .into_iter()
            .map(|(a, b, c, d, terms)| ([a, b, c, d], terms))
            .collect(),
        impropers: raw
            .impropers
            .into_iter()
            .map(|(a, b, c, d, terms)| ([a, b, c, d], terms))
            .collect(),
        residues: raw
            .residues
            .into_iter()
            .map(|(name, raw)| (name, residue(raw)))
            .collect(),
        radii: raw.radii,
        screens: raw.screens,
    }
});

/// The tables, parsed once.
pub(super) fn parameters() -> &'static Parameters {
    &PARAMETERS
}
