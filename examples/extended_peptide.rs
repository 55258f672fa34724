//! Writes a peptide, by its one-letter sequence, with all atoms in an extended conformation: a
//! start for reference MD.
//!
//! `cargo run --release --example extended_peptide -- AKLE akle.pdb`

use std::fmt::Write as _;

use mdsurrogate::forcefield::{PrepareOptions, Prepared, prepare};
use mdsurrogate::structure::{ReadOptions, read, write_pdb};
use nalgebra::Vector3;

type Point = Vector3<f64>;

const LETTERS: &str = "ARNDCQEGHILKMFPSTWYV";
const NAMES: [&str; 20] = [
    "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE", "LEU", "LYS", "MET",
    "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL",
];
/// φ and ψ of a strand that suits proline's ring too.
const PHI_PSI: [f64; 2] = [-70.0, 140.0];

/// The atom at a bond length (Å) from c, an angle with b and a torsion about b–c with a (degrees).
fn place([a, b, c]: [Point; 3], length: f64, angle: f64, torsion: f64) -> Point {
    let (angle, torsion) = (angle.to_radians(), torsion.to_radians());
    let along = (c - b).normalize();
    let normal = (b - a).cross(&along).normalize();
    c + length
        * (-angle.cos() * along
            + angle.sin() * (torsion.cos() * normal.cross(&along) + torsion.sin() * normal))
}

/// Backbone N, CA, C, O of every residue, with standard bonds and angles (Engh and Huber 1991).
fn backbone(residues: usize) -> Vec<[Point; 4]> {
    let [phi, psi] = PHI_PSI;
    let (n, ca) = (Point::zeros(), Point::new(1.46, 0.0, 0.0));
    let c = ca + 1.525 * Point::new(-(111f64.to_radians().cos()), 111f64.to_radians().sin(), 0.0);
    let mut chain = vec![[n, ca, c]];
    while chain.len() < residues {
        let [n, ca, c] = chain[chain.len() - 1];
        let next = place([n, ca, c], 1.33, 117.0, psi);
        let next_ca = place([ca, c, next], 1.46, 121.5, 180.0);
        chain.push([next, next_ca, place([c, next, next_ca], 1.525, 111.0, phi)]);
    }
    chain
        .into_iter()
        .map(|[n, ca, c]| [n, ca, c, place([n, ca, c], 1.23, 120.5, psi + 180.0)])
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [sequence, output] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: SEQUENCE OUTPUT.pdb")?;
    let mut text = String::new();
    for (number, (letter, atoms)) in sequence.chars().zip(backbone(sequence.len())).enumerate() {
        let name = NAMES[LETTERS
            .find(letter)
            .ok_or_else(|| format!("{letter} is no amino acid"))?];
        for (index, (atom, p)) in ["N", "CA", "C", "O"].iter().zip(&atoms).enumerate() {
            let (serial, number, element) = (4 * number + index + 1, number + 1, &atom[..1]);
            writeln!(
                text,
                "ATOM  {serial:5}  {atom:<3} {name} A{number:4}    {:8.3}{:8.3}{:8.3}  1.00  \
                 0.00          {element:>2}",
                p.x, p.y, p.z
            )?;
        }
    }
    let folder = tempfile::tempdir()?;
    let bare = folder.path().join("backbone.pdb");
    std::fs::write(&bare, text + "END\n")?;
    let structure = read(&bare, &ReadOptions::default())?;
    let Prepared {
        topology, frame, ..
    } = prepare(
        &structure.topology,
        &structure.frame,
        &PrepareOptions {
            fix: true,
            ..Default::default()
        },
    )?;
    write_pdb(std::path::Path::new(&output), &topology, [&frame])?;
    Ok(())
}
