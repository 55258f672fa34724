//! The helper: reads a file by chemfiles and hands it over on stdout.

use std::io::{BufReader, Write};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;

use chemfiles::{CellShape, Frame, Property, Trajectory};

use super::wire::{Atom, Message, Request, requested, send};

/// What chemfiles warned of and nobody was told yet.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Most warnings that are handed over: one is often said of every atom.
const MOST_WARNINGS: usize = 3;

/// Looks through all frames of a file (`format` in chemfiles' words), then answers what the reader
/// asks for on stdin, until that is closed. What is wrong with the file is a message too.
///
/// # Errors
/// Those of the pipes: the reader is gone.
pub fn serve(path: &Path, format: &str) -> std::io::Result<()> {
    chemfiles::set_warning_callback(|warning| {
        if let Ok(mut warnings) = WARNINGS.lock()
            && warnings.len() < MOST_WARNINGS
            && !warnings.iter().any(|known| known == warning)
        {
            warnings.push(warning.to_owned());
        }
    });
    let mut out = std::io::stdout().lock();
    let Some((mut file, whole)) = scan(path, format, &mut out)? else {
        return Ok(());
    };
    let mut input = BufReader::new(std::io::stdin().lock());
    while let Some(wanted) = requested(&mut input)? {
        let (Request::Positions(index) | Request::Atoms(index)) = wanted;
        let read = if index < whole {
            frame(&mut file, index)
        } else {
            Err("does not exist".to_owned())
        };
        match (read, wanted) {
            (Ok(frame), Request::Positions(_)) => {
                let cell = cell(&frame);
                let numbers: Vec<f64> = frame.positions().iter().flatten().copied().collect();
                send(&mut out, &Message::Positions { cell }, &numbers)?;
            }
            (Ok(frame), Request::Atoms(_)) => {
                send(&mut out, &Message::Atoms(atoms(&frame)), &[])?;
            }
            (Err(what), _) => refuse(&mut out, Some(index), what)?,
        }
    }
    Ok(())
}

fn refuse(out: &mut impl Write, frame: Option<usize>, what: String) -> std::io::Result<()> {
    send(out, &Message::Refused { frame, what }, &[])
}

/// Opens a file and tells of all its frames; gives it back with their number, where there is
/// something to be read.
fn scan(
    path: &Path,
    format: &str,
    out: &mut impl Write,
) -> std::io::Result<Option<(Trajectory, usize)>> {
    let opened = Trajectory::open_with_format(path, 'r', format)
        .map_err(|error| error.to_string())
        .and_then(|mut file| Ok((steps(&mut file)?, file)));
    let (steps, mut file) = match opened {
        Ok(opened) => opened,
        Err(what) => {
            refuse(out, None, what)?;
            return Ok(None);
        }
    };
    let lammps = format.starts_with("LAMMPS");
    let mut whole = 0;
    for index in 0..steps {
        let read = frame(&mut file, index);
        let nameless =
            lammps && index == 0 && read.as_ref().is_ok_and(|read| units(read).is_none());
        if nameless {
            let words = "does not name its units: positions are taken as Å, times are not known";
            send(out, &Message::Note(words.into()), &[])?;
        }
        match read.and_then(|read| tell(&read, lammps)) {
            Ok(message) => send(out, &message, &[])?,
            // the frames before a last one that is cut short are worth having
            Err(what) if index > 0 && index + 1 == steps => {
                let words = format!(
                    "frame {index}, the last, cannot be read ({what}); the {index} frames before \
                     it are"
                );
                send(out, &Message::Note(words), &[])?;
                break;
            }
            Err(what) => {
                refuse(out, Some(index), what)?;
                return Ok(None);
            }
        }
        whole += 1;
    }
    let warnings = WARNINGS.lock().map(|list| list.clone()).unwrap_or_default();
    for warning in warnings {
        send(
            out,
            &Message::Note(format!("chemfiles warns: {warning}")),
            &[],
        )?;
    }
    send(out, &Message::End, &[])?;
    Ok(Some((file, whole)))
}

/// Number of frames. chemfiles' binding panics where the file does not let itself be counted.
fn steps(file: &mut Trajectory) -> Result<usize, String> {
    let counted = catch_unwind(std::panic::AssertUnwindSafe(|| file.nsteps()));
    counted.map_err(|_| match chemfiles::Error::last_error() {
        words if words.is_empty() => "its frames cannot be counted".to_owned(),
        words => words,
    })
}

fn frame(file: &mut Trajectory, index: usize) -> Result<Frame, String> {
    let mut frame = Frame::new();
    file.read_step(index, &mut frame)
        .map_err(|error| error.to_string())?;
    Ok(frame)
}

/// A property, looked for among those that are there: chemfiles warns of one that is not.
fn property(mut all: impl Iterator<Item = (String, Property)>, name: &str) -> Option<Property> {
    all.find_map(|(found, value)| (found == name).then_some(value))
}

fn text(all: impl Iterator<Item = (String, Property)>, name: &str) -> Option<String> {
    match property(all, name) {
        Some(Property::String(text)) => Some(text),
        _ => None,
    }
}

/// LAMMPS' word for the units of a frame, where the file has it.
fn units(frame: &Frame) -> Option<String> {
    text(frame.properties(), "lammps_units")
}

/// What there is to tell of a frame before its positions are asked for. Whatever chemfiles reads is
/// in Å and ps or has no times, but for LAMMPS, which has a choice of units.
fn tell(frame: &Frame, lammps: bool) -> Result<Message, String> {
    let mut time = match property(frame.properties(), "time") {
        Some(Property::Double(time)) => Some(time),
        _ => None,
    };
    if lammps {
        // what the file has are the bounds of the box around the cell, which the library takes for
        // the cell's own edges, also where it makes positions of scaled ones
        if frame.cell().shape() == CellShape::Triclinic {
            return Err("has a triclinic cell, which the library reads wrong of LAMMPS".into());
        }
        let units = units(frame);
        let of_a_unit = match units.as_deref() {
            Some("real") => 1e-3, // fs
            Some("metal") => 1.0, // ps
            Some(other) => {
                return Err(format!(
                    "is in LAMMPS' units `{other}`; `real` and `metal` are read, which have Å"
                ));
            }
            None => f64::NAN,
        };
        time = time
            .map(|time| time * of_a_unit)
            .filter(|time| time.is_finite());
    }
    Ok(Message::Frame {
        atoms: frame.size(),
        time,
        title: text(frame.properties(), "name"),
    })
}

/// Edges (Å) and angles (degrees) of a frame's cell.
fn cell(frame: &Frame) -> Option<[f64; 6]> {
    let cell = frame.cell();
    if cell.shape() == CellShape::Infinite {
        return None;
    }
    let ([a, b, c], [alpha, beta, gamma]) = (cell.lengths(), cell.angles());
    Some([a, b, c, alpha, beta, gamma])
}

/// What a frame's atoms are, as far as the file says.
fn atoms(frame: &Frame) -> Vec<Atom> {
    let topology = frame.topology();
    let mut atoms: Vec<Atom> = (0..frame.size())
        .map(|index| {
            let atom = topology.atom(index);
            let altloc = text(atom.properties(), "altloc").and_then(|text| text.chars().next());
            Atom {
                name: atom.name(),
                altloc: altloc.filter(char::is_ascii_alphanumeric),
                ..Atom::default()
            }
        })
        .collect();
    for index in 0..topology.residues_count() as usize {
        let Some(residue) = topology.residue(index) else {
            continue;
        };
        let text = |name: &str| text(residue.properties(), name);
        let insertion = text("insertion_code").and_then(|code| code.chars().next());
        let named = Atom {
            residue: Some(index),
            residue_name: residue.name(),
            number: residue.id(),
            insertion: insertion.filter(|code| code.is_ascii_alphanumeric()),
            chain: text("chainname").or(text("chainid")).unwrap_or_default(),
            ..Atom::default()
        };
        for place in residue.atoms() {
            let Atom { name, altloc, .. } = std::mem::take(&mut atoms[place]);
            atoms[place] = Atom {
                name,
                altloc,
                ..named.clone()
            };
        }
    }
    atoms
}
