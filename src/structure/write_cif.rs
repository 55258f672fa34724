//! Writing mmCIF files: for what a PDB file has no room for, names of chains above all.

use std::io::Write;
use std::path::Path;

use nalgebra::Vector3;

use super::write::{Annotations, untold_bonds};
use super::{Frame, Topology};
use crate::Result;
use crate::files::{file_name, write_atomically};

/// Columns of the atoms' table, in order. The temperature factor comes last, so that it can be set
/// again without a reader of the format.
const COLUMNS: [&str; 17] = [
    "group_PDB",
    "id",
    "type_symbol",
    "label_atom_id",
    "label_alt_id",
    "label_comp_id",
    "label_asym_id",
    "label_entity_id",
    "label_seq_id",
    "pdbx_PDB_ins_code",
    "Cartn_x",
    "Cartn_y",
    "Cartn_z",
    "occupancy",
    "auth_seq_id",
    "auth_asym_id",
    "B_iso_or_equiv",
];

/// Most atoms of a PDB file whose serial numbers are decimal, and most residues of a chain whose
/// numbers fit.
const MOST_ATOMS: usize = 99_999;
const NUMBERS: std::ops::Range<isize> = -999..10_000;

/// Whether a PDB file would change what a structure says: chains with more than one character,
/// residue numbers of more than four, more than 99,999 atoms.
pub fn outgrows_pdb(topology: &Topology) -> bool {
    let long = |id: &String| id.chars().count() > 1;
    topology.len() > MOST_ATOMS
        || topology.chains.iter().any(|chain| long(&chain.id))
        || topology
            .residues
            .iter()
            .any(|residue| !NUMBERS.contains(&residue.number))
}

/// Writes a frame of a topology as an mmCIF file, whole or not at all: the atoms' table, positions
/// in Å with three decimals; disulfides and closed rings (struct_conn), which no reader's templates
/// know; remarks as comments.
///
/// # Errors
/// [`crate::Error::Output`] if the file cannot be written.
///
/// # Panics
/// If the frame has not one position per atom, or there are temperature factors, and not one per
/// atom.
pub fn write_cif(
    path: &Path,
    topology: &Topology,
    frame: &Frame,
    notes: &Annotations,
) -> Result<()> {
    let factors = &notes.temperature_factors;
    assert_eq!(frame.positions.len(), topology.len(), "a position per atom");
    assert!(
        factors.is_empty() || factors.len() == topology.len(),
        "a temperature factor per atom"
    );
    let name: String = file_name(path)
        .trim_end_matches(".cif")
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        })
        .collect();
    write_atomically(path, |out| {
        writeln!(out, "data_{name}\n#")?;
        for remark in notes.remarks.iter().flat_map(|remark| remark.lines()) {
            writeln!(out, "# {remark}")?;
        }
        writeln!(out, "_entry.id {name}\n#\nloop_")?;
        for column in COLUMNS {
            writeln!(out, "_atom_site.{column}")?;
        }
        for residue in 0..topology.residues.len() {
            let names = Names::of(topology, residue);
            for index in topology.residues[residue].atoms.clone() {
                let factor = factors.get(index).copied().unwrap_or(0.0);
                let line = line(topology, &names, index, &frame.positions[index]);
                writeln!(out, "{line} {factor:.2}")?;
            }
        }
        writeln!(out, "#")?;
        write_bonds(out, topology)
    })
}

/// Columns of the bonds' table that each end has.
const END: [&str; 7] = [
    "label_asym_id",
    "label_comp_id",
    "label_seq_id",
    "label_atom_id",
    "auth_asym_id",
    "auth_comp_id",
    "auth_seq_id",
];

fn write_bonds(out: &mut impl Write, topology: &Topology) -> std::io::Result<()> {
    let bonds = untold_bonds(topology);
    if bonds.is_empty() {
        return Ok(());
    }
    writeln!(out, "loop_\n_struct_conn.id\n_struct_conn.conn_type_id")?;
    for partner in [1, 2] {
        for column in END {
            writeln!(out, "_struct_conn.ptnr{partner}_{column}")?;
        }
        writeln!(out, "_struct_conn.pdbx_ptnr{partner}_PDB_ins_code")?;
    }
    for (index, [i, j]) in bonds.into_iter().enumerate() {
        let is_sulfur = |atom: usize| topology.atoms[atom].name == "SG";
        let kind = if is_sulfur(i) && is_sulfur(j) {
            "disulf"
        } else {
            "covale"
        };
        let ends = [i, j].map(|atom| end(topology, atom));
        writeln!(out, "{kind}{} {kind} {}", index + 1, ends.join(" "))?;
    }
    writeln!(out, "#")
}

fn end(topology: &Topology, index: usize) -> String {
    let atom = &topology.atoms[index];
    let names = Names::of(topology, atom.residue);
    let (residue, atom) = (&names.residue, value(&atom.name));
    format!(
        "{} {residue} {} {atom} {} {residue} {} {}",
        names.asym, names.sequence, names.chain, names.number, names.insertion
    )
}

/// What a residue is called.
struct Names {
    residue: String,
    /// Of its chain, no other chain has the same.
    asym: String,
    /// Of its chain, as the user knows it.
    chain: String,
    sequence: usize,
    number: isize,
    insertion: String,
}

impl Names {
    fn of(topology: &Topology, residue: usize) -> Self {
        let place = residue;
        let residue = &topology.residues[place];
        let chain = &topology.chains[residue.chain];
        let number = residue.chain + 1;
        let alike = topology.chains.iter().filter(|other| other.id == chain.id);
        // a chain has a name: that of one without is its number
        let name = if chain.id.is_empty() {
            number.to_string()
        } else {
            chain.id.clone()
        };
        Names {
            residue: value(&residue.name),
            asym: if alike.count() > 1 {
                value(&format!("{name}_{number}"))
            } else {
                value(&name)
            },
            chain: value(&name),
            sequence: place - chain.residues.start + 1,
            number: residue.number,
            insertion: residue.insertion.map_or("?".to_owned(), String::from),
        }
    }
}

fn line(topology: &Topology, names: &Names, index: usize, position: &Vector3<f64>) -> String {
    let atom = &topology.atoms[index];
    let Names {
        residue,
        asym,
        chain,
        sequence,
        number,
        insertion,
    } = names;
    let entity = topology.residues[atom.residue].chain + 1;
    let [x, y, z] = [position.x, position.y, position.z];
    format!(
        "ATOM {} {} {} . {residue} {asym} {entity} {sequence} {insertion} {x:.3} {y:.3} {z:.3} \
         1.00 {number} {chain}",
        index + 1,
        atom.element.symbol(),
        value(&atom.name),
    )
}

/// A value as the format has it: in quotes where it holds a quote or begins as something else.
fn value(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_graphic() && letter != '\'' && letter != '"';
    let special = ['_', '#', '$', '[', ']', ';'];
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with(special) {
        text.to_owned()
    } else if text.contains('"') {
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}
