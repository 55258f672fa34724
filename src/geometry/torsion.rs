//! Torsions: which a protein has (IUPAC-IUB, Biochemistry 9 (1970) 3471; side chains as in the 1974
//! and 1983 rules), and their angles.

use std::f64::consts::PI;
use std::fmt;

use nalgebra::Vector3;

use crate::structure::Topology;

/// Which torsion of its residue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// C of the residue before, N, CA, C.
    Phi,
    /// N, CA, C, N of the residue after.
    Psi,
    /// CA, C, N of the residue after, CA of the residue after.
    Omega,
    /// Side chain, χ1 to χ5.
    Chi(u8),
    /// Side chain, of a group that half a turn brings onto itself, so that angles half a turn apart
    /// are one: χ2 of Phe, Tyr and Asp, χ3 of Glu, χ5 of Arg.
    HalfTurn(u8),
}

impl Kind {
    /// Place among the torsions of a residue: φ 0, ψ 1, ω 2, χ1 3, …
    pub fn place(self) -> f64 {
        match self {
            Kind::Phi => 0.0,
            Kind::Psi => 1.0,
            Kind::Omega => 2.0,
            Kind::Chi(number) | Kind::HalfTurn(number) => 2.0 + f64::from(number),
        }
    }

    /// Whether it is one of a side chain.
    pub fn is_side_chain(self) -> bool {
        matches!(self, Kind::Chi(_) | Kind::HalfTurn(_))
    }

    /// How many times it looks the same in a turn: 2 for [`Kind::HalfTurn`], 1 for others.
    pub fn fold(self) -> f64 {
        match self {
            Kind::HalfTurn(_) => 2.0,
            _ => 1.0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Phi => f.write_str("phi"),
            Kind::Psi => f.write_str("psi"),
            Kind::Omega => f.write_str("omega"),
            Kind::Chi(number) | Kind::HalfTurn(number) => write!(f, "chi{number}"),
        }
    }
}

/// One torsion of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torsion {
    /// Which one.
    pub kind: Kind,
    /// Its residue, an index of [`Topology::residues`]; ω belongs to the residue before the peptide
    /// bond.
    pub residue: usize,
    /// Its four atoms, indices of [`Topology::atoms`].
    pub atoms: [usize; 4],
}

impl Torsion {
    /// `A:LYS 27 chi1`.
    pub fn label(&self, topology: &Topology) -> String {
        format!("{} {}", topology.residue_label(self.residue), self.kind)
    }
    /// Its angle in a frame, rad; see [`dihedral`].
    pub fn angle(&self, positions: &[Vector3<f64>]) -> f64 {
        let [a, b, c, d] = self.atoms;
        dihedral(&positions[a], &positions[b], &positions[c], &positions[d])
    }
    /// What its statistics are of, rad in (−π, π]: its angle, of [`Kind::HalfTurn`] twice that, so
    /// that equal shapes are equal numbers and ends of the range meet.
    pub fn phase(&self, positions: &[Vector3<f64>]) -> f64 {
        wrap(self.kind.fold() * self.angle(positions))
    }
}

/// The chain of atoms whose torsions are χ1, χ2, …; empty for residues without (Ala, Gly, unknown
/// ones). The charge states and disulfide forms of force fields are known; χ2 of Asp, χ3 of Glu, …
/// name the first oxygen, as IUPAC has it.
fn side_chain(residue: &str) -> &'static [&'static str] {
    match residue {
        "ARG" => &["N", "CA", "CB", "CG", "CD", "NE", "CZ", "NH1"],
        "ASN" | "ASP" | "ASH" => &["N", "CA", "CB", "CG", "OD1"],
        "CYS" | "CYX" | "CYM" => &["N", "CA", "CB", "SG"],
        "GLN" | "GLU" | "GLH" => &["N", "CA", "CB", "CG", "CD", "OE1"],
        "HIS" | "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP" => &["N", "CA", "CB", "CG", "ND1"],
        "ILE" => &["N", "CA", "CB", "CG1", "CD1"],
        "LEU" | "PHE" | "TYR" | "TRP" => &["N", "CA", "CB", "CG", "CD1"],
        "LYS" | "LYN" => &["N", "CA", "CB", "CG", "CD", "CE", "NZ"],
        "MET" => &["N", "CA", "CB", "CG", "SD", "CE"],
        "MSE" => &["N", "CA", "CB", "CG", "SE", "CE"],
        "PRO" => &["N", "CA", "CB", "CG", "CD"],
        "SER" => &["N", "CA", "CB", "OG"],
        "THR" => &["N", "CA", "CB", "OG1"],
        "VAL" => &["N", "CA", "CB", "CG1"],
        _ => &[],
    }
}

/// The χ that turns a group which half a turn brings onto itself; 0 for residues without. A
/// protonated carboxyl group is none.
fn half_turn(residue: &str) -> u8 {
    match residue {
        "PHE" | "TYR" | "ASP" => 2,
        "GLU" => 3,
        "ARG" => 5,
        _ => 0,
    }
}

/// For every residue the one that its C is bonded to by a peptide bond: bonds decide, so chain
/// breaks and rings come out right.
pub fn next_residues(topology: &Topology) -> Vec<Option<usize>> {
    let mut next = vec![None; topology.residues.len()];
    for &[i, j] in &topology.bonds {
        let (a, b) = (&topology.atoms[i], &topology.atoms[j]);
        match (a.name.as_str(), b.name.as_str()) {
            ("C", "N") if a.residue != b.residue => next[a.residue] = Some(b.residue),
            ("N", "C") if a.residue != b.residue => next[b.residue] = Some(a.residue),
            _ => {}
        }
    }
    next
}

/// All torsions of a topology whose atoms exist: per residue φ, ψ, ω, χ1 to χ5. Hydrogens are not
/// needed.
pub fn torsions(topology: &Topology) -> Vec<Torsion> {
    let next = next_residues(topology);
    let mut before = vec![None; next.len()];
    next.iter()
        .enumerate()
        .filter_map(|(residue, next)| Some((residue, (*next)?)))
        .for_each(|(a, b)| before[b] = Some(a));
    let mut list = Vec::new();
    for residue in 0..topology.residues.len() {
        let atom = |name: &str| find(topology, residue, name);
        let of =
            |other: Option<usize>, name: &str| other.and_then(|other| find(topology, other, name));
        let mut add = |kind, atoms: [Option<usize>; 4]| {
            if let [Some(a), Some(b), Some(c), Some(d)] = atoms {
                list.push(Torsion {
                    kind,
                    residue,
                    atoms: [a, b, c, d],
                });
            }
        };
        add(
            Kind::Phi,
            [of(before[residue], "C"), atom("N"), atom("CA"), atom("C")],
        );
        add(
            Kind::Psi,
            [atom("N"), atom("CA"), atom("C"), of(next[residue], "N")],
        );
        // An acetyl cap has no CA; its CH3 stands there, as force fields and IUPAC have it.
        let alpha = |other: Option<usize>| of(other, "CA").or_else(|| of(other, "CH3"));
        add(
            Kind::Omega,
            [
                alpha(Some(residue)),
                atom("C"),
                of(next[residue], "N"),
                alpha(next[residue]),
            ],
        );
        let names = side_chain(&topology.residues[residue].name);
        for (number, four) in (1..).zip(names.windows(4)) {
            let symmetric = number == half_turn(&topology.residues[residue].name);
            add(
                if symmetric {
                    Kind::HalfTurn(number)
                } else {
                    Kind::Chi(number)
                },
                [0, 1, 2, 3].map(|place| atom(four[place])),
            );
        }
    }
    list
}

/// The atom of that name; CHARMM's `CD` of isoleucine counts as `CD1`.
fn find(topology: &Topology, residue: usize, name: &str) -> Option<usize> {
    let alias = if name == "CD1" && topology.residues[residue].name == "ILE" {
        Some("CD")
    } else {
        None
    };
    topology
        .atom_named(residue, name)
        .or_else(|| topology.atom_named(residue, alias?))
}

/// Dihedral angle of four positions about b–c, rad in (−π, π]; 0 is cis, looking along b → c
/// clockwise is positive (IUPAC).
pub fn dihedral(a: &Vector3<f64>, b: &Vector3<f64>, c: &Vector3<f64>, d: &Vector3<f64>) -> f64 {
    let first = b - a;
    let axis = c - b;
    let last = d - c;
    let (left, right) = (first.cross(&axis), axis.cross(&last));
    let angle = (left.cross(&right).dot(&axis) / axis.norm()).atan2(left.dot(&right));
    if angle <= -PI { PI } else { angle }
}

/// The angle brought into (−π, π], rad.
pub fn wrap(angle: f64) -> f64 {
    let turned = angle - 2.0 * PI * (angle / (2.0 * PI)).round();
    if turned <= -PI { PI } else { turned }
}

/// The series of every torsion over frames: `[torsion][frame]`, rad.
pub fn torsion_series<'a>(
    torsions: &[Torsion],
    frames: impl IntoIterator<Item = &'a [Vector3<f64>]>,
) -> Vec<Vec<f64>> {
    let mut series = vec![Vec::new(); torsions.len()];
    for positions in frames {
        for (torsion, angles) in torsions.iter().zip(&mut series) {
            angles.push(torsion.angle(positions));
        }
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dihedrals_have_the_sign_of_iupac() {
        let point = |angle: f64| Vector3::new(angle.cos(), angle.sin(), 1.0);
        // A positive turn about b → c = +z is clockwise to an eye at b that looks towards c.
        let (a, b, c) = (
            Vector3::new(1.0, 0.0, 0.0),
            Vector3::zeros(),
            Vector3::new(0.0, 0.0, 1.0),
        );
        for degrees in [-179.0, -90.0, -1.0, 0.0, 30.0, 120.0, 180.0] {
            let angle: f64 = f64::to_radians(degrees);
            let got = dihedral(&a, &b, &c, &point(angle));
            assert!(
                (wrap(got - angle)).abs() <= 1e-12,
                "{degrees}: {}",
                got.to_degrees()
            );
        }
        assert_eq!(dihedral(&a, &b, &c, &point(-PI)), PI);
    }

    #[test]
    fn half_a_turn_of_a_symmetric_group_is_no_other_phase() {
        let place = |degrees: f64| {
            let angle = degrees.to_radians();
            [
                [1.0, 0.0, 0.0],
                [0.0; 3],
                [0.0, 0.0, 1.0],
                [angle.cos(), angle.sin(), 1.0],
            ]
            .map(Vector3::from)
        };
        let torsion = |kind| Torsion {
            kind,
            residue: 0,
            atoms: [0, 1, 2, 3],
        };
        for degrees in [-179.0, -100.0, -90.0, -1.0, 0.0, 30.0, 90.0, 120.0, 180.0] {
            let phase = |kind, degrees: f64| torsion(kind).phase(&place(degrees)).to_degrees();
            let [here, there] = [degrees, degrees + 180.0].map(|x| phase(Kind::HalfTurn(2), x));
            let apart = wrap((here - there).to_radians());
            assert!(
                apart.abs() <= 1e-12 && here.abs() <= 180.0,
                "{here} {there}"
            );
            let apart = wrap((phase(Kind::Chi(2), degrees) - degrees).to_radians());
            assert!(apart.abs() <= 1e-12, "{degrees}");
        }
    }

    #[test]
    fn wrapping_stays_in_the_half_open_turn() {
        for (angle, wrapped) in [
            (0.0, 0.0),
            (PI, PI),
            (-PI, PI),
            (3.0 * PI, PI),
            (4.0, 4.0 - 2.0 * PI),
            (-4.0, 2.0 * PI - 4.0),
        ] {
            assert!((wrap(angle) - wrapped).abs() <= 1e-12, "{angle}");
        }
    }
}
