//! Writing PDB files that VMD, PyMOL, MDAnalysis and mdtraj read as they are meant.

use std::io::Write;
use std::path::Path;

use super::{Cell, Frame, Topology};
use crate::files::write_atomically;
use crate::{Error, Result};

/// Chain identifiers where those of the topology have more than PDB's one character.
const IDENTIFIERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What a file of a structure says beside atoms and positions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Lines of words: where the structure comes from.
    pub remarks: Vec<String>,
    /// Temperature factor of every atom, Å²; none: 0 for all.
    pub temperature_factors: Vec<f64>,
}

/// Writes frames of a topology as a PDB file, whole or not at all; several frames become models 1,
/// 2, ….
///
/// Positions in Å with three decimals (fewer beyond ±9999 Å); CRYST1 only if the first frame has a
/// cell; TER after each chain; elements in their columns; CONECT for disulfides and closed rings,
/// which no reader's templates know, among the first 99,999 records. Serials beyond 99,999 are
/// hybrid-36 numbers, residue numbers beyond 9999 start over. What stood at `path` is replaced: see
/// [`crate::files::refuse_existing`].
///
/// # Errors
/// [`Error::Output`] if the file cannot be written, or a position is not finite or has no room in
/// its columns.
///
/// # Panics
/// If a frame has not one position per atom.
pub fn write_pdb<'a>(
    path: &Path,
    topology: &Topology,
    frames: impl IntoIterator<Item = &'a Frame>,
) -> Result<()> {
    write_pdb_with(path, topology, frames, &Annotations::default())
}

/// The same with words (REMARK records, cut into lines of 68 columns) and temperature factors
/// (999.99 at most).
///
/// # Errors
/// Those of [`write_pdb`].
///
/// # Panics
/// If a frame has not one position per atom, or there are temperature factors, and not one per
/// atom.
pub fn write_pdb_with<'a>(
    path: &Path,
    topology: &Topology,
    frames: impl IntoIterator<Item = &'a Frame>,
    notes: &Annotations,
) -> Result<()> {
    let factors = &notes.temperature_factors;
    assert!(
        factors.is_empty() || factors.len() == topology.len(),
        "a temperature factor per atom"
    );
    let frames: Vec<&Frame> = frames.into_iter().collect();
    frames.iter().for_each(|frame| {
        assert_eq!(
            frame.positions.len(),
            topology.len(),
            "a frame has a position per atom"
        );
    });
    if let Some((frame, atom)) = frames
        .iter()
        .find_map(|frame| Some((frame, unprintable(frame)?)))
    {
        let [x, y, z] = frame.positions[atom].into();
        let what = format!(
            "position {x} {y} {z} of {} at step {} does not fit a PDB file",
            topology.atom_label(atom),
            frame.step
        );
        return Err(Error::output(
            path,
            what,
            "the trajectory left its physical range: see the run's log for the first guard that \
             tripped",
        ));
    }
    let chains = chain_identifiers(topology);
    write_atomically(path, |out| {
        write_remarks(out, &notes.remarks)?;
        if let Some(cell) = frames.first().and_then(|frame| frame.cell) {
            write_cell(out, &cell)?;
        }
        for (index, frame) in frames.iter().enumerate() {
            if frames.len() > 1 {
                writeln!(out, "MODEL     {:>4}", index + 1)?;
            }
            write_atoms(out, topology, &chains, frame, factors)?;
            if frames.len() > 1 {
                writeln!(out, "ENDMDL")?;
            }
        }
        write_bonds(out, topology)?;
        writeln!(out, "END")
    })
}

/// What a trajectory of models writes of a frame: its time, where it is known, as GROMACS has it in
/// a title, and a model.
///
/// # Errors
/// The first atom whose position has no room in its columns.
pub(crate) fn model_text(
    topology: &Topology,
    frame: &Frame,
    number: u64,
) -> std::result::Result<Vec<u8>, usize> {
    if let Some(atom) = unprintable(frame) {
        return Err(atom);
    }
    let mut text = Vec::new();
    let chains = chain_identifiers(topology);
    let mut write = || -> std::io::Result<()> {
        if frame.time.is_finite() {
            let (time, step) = (frame.time, frame.step);
            writeln!(text, "TITLE     mdsurrogate t= {time:.5} step= {step}")?;
        }
        if let Some(cell) = &frame.cell {
            write_cell(&mut text, cell)?;
        }
        writeln!(text, "MODEL     {number:>4}")?;
        write_atoms(&mut text, topology, &chains, frame, &[])?;
        writeln!(text, "ENDMDL")
    };
    write().expect("memory can be written to");
    Ok(text)
}

/// The first atom whose position cannot be printed into eight columns.
fn unprintable(frame: &Frame) -> Option<usize> {
    frame.positions.iter().position(|position| {
        !position
            .iter()
            .all(|&value| value > -999_999.0 && value < 9_999_999.0)
    })
}

/// Columns of a remark's words.
const WORDS: usize = 68;

/// REMARK 6 to 99 are free text. Characters beyond ASCII, which the format cannot hold, become `?`.
fn write_remarks(out: &mut impl Write, remarks: &[String]) -> std::io::Result<()> {
    for remark in remarks {
        let plain = |letter: char| {
            if letter.is_ascii_graphic() || letter == ' ' {
                letter
            } else {
                '?'
            }
        };
        let letters: Vec<char> = remark.chars().map(plain).collect();
        for line in letters.chunks(WORDS) {
            let words: String = line.iter().collect();
            writeln!(out, "REMARK   6 {}", words.trim_end())?;
        }
    }
    Ok(())
}

fn write_cell(out: &mut impl Write, cell: &Cell) -> std::io::Result<()> {
    let ([a, b, c], [alpha, beta, gamma]) = (cell.lengths, cell.angles);
    writeln!(
        out,
        "CRYST1{a:9.3}{b:9.3}{c:9.3}{alpha:7.2}{beta:7.2}{gamma:7.2} P 1           1"
    )
}

fn write_atoms(
    out: &mut impl Write,
    topology: &Topology,
    chains: &[char],
    frame: &Frame,
    factors: &[f64],
) -> std::io::Result<()> {
    let mut records = 0;
    for (chain, id) in topology.chains.iter().zip(chains) {
        for residue in &topology.residues[chain.residues.clone()] {
            let place = format!(
                "{:<4}{id}{:>4}{}",
                format!("{:>3}", residue.name),
                residue_number(residue.number),
                residue.insertion.unwrap_or(' ')
            );
            for index in residue.atoms.clone() {
                records += 1;
                let symbol = topology.atoms[index].element.symbol().to_ascii_uppercase();
                let name = padded_name(&topology.atoms[index].name, &symbol);
                let [x, y, z] = frame.positions[index].map(coordinate).into();
                let factor = factors.get(index).map_or(0.0, |&factor| factor.min(999.99));
                writeln!(
                    out,
                    "ATOM  {:>5} {name} {place}   {x}{y}{z}  1.00{factor:6.2}          {symbol:>2}",
                    serial(records)
                )?;
            }
        }
        if let Some(last) = topology.residues[chain.residues.clone()].last() {
            records += 1;
            let insertion = last.insertion.unwrap_or(' ');
            writeln!(
                out,
                "TER   {:>5}      {:>3} {id}{:>4}{insertion}",
                serial(records),
                last.name,
                residue_number(last.number)
            )?;
        }
    }
    Ok(())
}

/// Four columns: the element's symbol ends in the second, unless the name fills all.
fn padded_name(name: &str, symbol: &str) -> String {
    if name.len() < 4 && symbol.len() == 1 {
        format!(" {name:<3}")
    } else {
        format!("{name:<4}")
    }
}

/// Eight columns, with as many decimals as fit, three at most.
fn coordinate(value: f64) -> String {
    let fitting = (0..=3)
        .rev()
        .map(|decimals| format!("{value:8.decimals$}"))
        .find(|text| text.len() == 8);
    fitting.expect("positions are checked to fit")
}

/// Five columns: decimal up to 99,999, then hybrid-36 (`A0000` is 100,000;
/// cctbx.sourceforge.net/hybrid_36).
fn serial(number: usize) -> String {
    let Some(mut rest) = number.checked_sub(100_000) else {
        return number.to_string();
    };
    let half = 26 * 36_usize.pow(4);
    let is_lower = rest / half % 2 == 1;
    rest = rest % half + 10 * 36_usize.pow(4);
    let digits = (0..5).rev().map(|place| {
        char::from_digit((rest / 36_usize.pow(place) % 36) as u32, 36).expect("below 36")
    });
    if is_lower {
        digits.collect()
    } else {
        digits.map(|digit| digit.to_ascii_uppercase()).collect()
    }
}

/// Four columns hold −999 to 9999; numbers beyond start over.
fn residue_number(number: isize) -> isize {
    if (-999..10_000).contains(&number) {
        number
    } else {
        number.rem_euclid(10_000)
    }
}

/// One character a chain: its own where it has just one, else the next that no chain has.
fn chain_identifiers(topology: &Topology) -> Vec<char> {
    let single = |id: &str| {
        let mut characters = id.chars();
        match (characters.next(), characters.next()) {
            (None, _) => Some(' '),
            (Some(id), None) => Some(id).filter(char::is_ascii),
            _ => None,
        }
    };
    let taken: Vec<char> = topology
        .chains
        .iter()
        .filter_map(|chain| single(&chain.id))
        .collect();
    let free: Vec<char> = IDENTIFIERS
        .iter()
        .map(|&id| char::from(id))
        .filter(|id| !taken.contains(id))
        .collect();
    let mut next = free.iter().cycle();
    topology
        .chains
        .iter()
        .map(|chain| {
            single(&chain.id)
                .or_else(|| next.next().copied())
                .unwrap_or(' ')
        })
        .collect()
}

/// Bonds that no reader knows from templates and order: disulfides, and C–N bonds of residues that
/// do not follow each other in a chain (rings, branches over chains).
pub(super) fn untold_bonds(topology: &Topology) -> Vec<[usize; 2]> {
    let is_known = |[i, j]: [usize; 2]| {
        let (a, b) = (topology.residue_of(i), topology.residue_of(j));
        let [c, n] = if topology.atoms[i].name == "C" {
            [i, j]
        } else {
            [j, i]
        };
        let follows = topology.atoms[n].residue == topology.atoms[c].residue + 1;
        topology.atoms[i].residue == topology.atoms[j].residue
            || follows && a.chain == b.chain && topology.atoms[c].name == "C"
    };
    let bonds = topology.bonds.iter().copied();
    bonds.filter(|bond| !is_known(*bond)).collect()
}

fn write_bonds(out: &mut impl Write, topology: &Topology) -> std::io::Result<()> {
    // Each chain before an atom took one serial for its TER.
    let record_of = |atom: usize| atom + 1 + topology.residue_of(atom).chain;
    for [i, j] in untold_bonds(topology) {
        if record_of(i.max(j)) > 99_999 {
            continue; // MDAnalysis refuses files whose CONECT holds hybrid-36 numbers
        }
        writeln!(out, "CONECT{:>5}{:>5}", record_of(i), record_of(j))?;
        writeln!(out, "CONECT{:>5}{:>5}", record_of(j), record_of(i))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Chain;

    #[test]
    fn serials_go_on_as_hybrid36() {
        for (number, text) in [
            (1, "1"),
            (99_999, "99999"),
            (100_000, "A0000"),
            (43_770_015, "ZZZZZ"),
            (43_770_016, "a0000"),
            (87_440_031, "zzzzz"),
        ] {
            assert_eq!(serial(number), text);
        }
    }

    #[test]
    fn coordinates_keep_eight_columns() {
        for (value, text) in [
            (1.2345, "   1.234"),
            (-999.9994, "-999.999"),
            (-1000.0, "-1000.00"),
            (99_999.96, "99999.96"),
            (9_999_998.0, " 9999998"),
        ] {
            assert_eq!(coordinate(value), text);
        }
    }

    #[test]
    fn chains_share_no_identifier() {
        let chain = |id: &str| Chain {
            id: id.into(),
            residues: 0..0,
        };
        let topology = Topology {
            chains: ["A", "AA", "", "AB", "B"].map(chain).into(),
            ..Topology::default()
        };
        assert_eq!(chain_identifiers(&topology), ['A', 'C', ' ', 'D', 'B']);
    }

    #[test]
    fn names_stand_under_their_element() {
        assert_eq!(padded_name("CA", "C"), " CA ");
        assert_eq!(padded_name("HD11", "H"), "HD11");
        assert_eq!(padded_name("SE", "SE"), "SE  ");
    }
}
