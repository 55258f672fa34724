//! XTC frames: a header, big-endian, then compressed coordinates in nm; times in ps. Large files of
//! GROMACS 2023 included.

use nalgebra::Vector3;

use super::input::{Ended, Input};
use super::scan::{FrameHeader, scan};
use super::xtc_codec::{Bounds, decode, encode};
use super::{Contents, Fault, Source, cell};
use crate::structure::{Cell, Frame};
use crate::units::ANGSTROM_PER_NM;

const MAGIC: i32 = 1995;
/// Frames of so many atoms that their bytes are counted in 64 bits.
const MAGIC_LARGE: i32 = 2023;
/// Up to so many atoms are stored as they are.
const UNCOMPRESSED: usize = 9;
/// Integers per nm that are written: 0.01 Å apart.
const PRECISION: f32 = 1000.0;

pub(super) struct Xtc {
    input: Input,
    offsets: Vec<u64>,
    bytes: Vec<u8>,
}

struct Header {
    atoms: usize,
    step: i32,
    time: f32,
    rows: Vec<Vector3<f64>>,
    /// Integers per nm, bounds and bytes of compressed coordinates.
    compressed: Option<(f32, Bounds, u64)>,
}

/// Reads a frame's header; the outer error: the file ended; the inner: what is wrong with it.
fn header(input: &mut Input) -> Result<Result<Header, String>, Ended> {
    let magic = input.i32()?;
    if magic != MAGIC && magic != MAGIC_LARGE {
        return Ok(Err(format!("it starts with {magic} instead of {MAGIC}")));
    }
    let atoms = input.u32()? as usize;
    let step = input.i32()?;
    let time = input.f32()?;
    let mut rows = Vec::new();
    input.vectors(3, false, ANGSTROM_PER_NM, &mut rows)?;
    let again = input.u32()? as usize;
    if again != atoms {
        return Ok(Err(format!(
            "its header says {atoms} atoms, its coordinates {again}"
        )));
    }
    if atoms <= UNCOMPRESSED {
        return Ok(Ok(Header {
            atoms,
            step,
            time,
            rows,
            compressed: None,
        }));
    }
    let precision = input.f32()?;
    let low = [input.i32()?, input.i32()?, input.i32()?];
    let high = [input.i32()?, input.i32()?, input.i32()?];
    let bounds = Bounds {
        low,
        high,
        small: input.u32()? as usize,
    };
    if !(bounds.possible() && precision > 0.0 && precision.is_finite()) {
        return Ok(Err("its coordinates have an impossible range".to_owned()));
    }
    let bytes = if magic == MAGIC {
        u64::from(input.u32()?)
    } else {
        input.u64()?
    };
    Ok(Ok(Header {
        atoms,
        step,
        time,
        rows,
        compressed: Some((precision, bounds, bytes)),
    }))
}

impl FrameHeader for Header {
    const NAME: &str = "XTC";
    fn read(input: &mut Input) -> Result<Result<Self, String>, Ended> {
        header(input)
    }
    fn body(&self) -> u64 {
        self.compressed
            .map_or(12 * self.atoms as u64, |(_, _, bytes)| {
                bytes.saturating_add(3) & !3
            })
    }
    fn atoms(&self) -> usize {
        self.atoms
    }
    fn time(&self) -> f64 {
        f64::from(self.time)
    }
    fn has_positions(&self) -> bool {
        true
    }
}

impl Xtc {
    pub fn open(mut input: Input) -> Result<(Contents, Self), Fault> {
        let (contents, offsets) = scan::<Header>(&mut input)?;
        let bytes = Vec::new();
        Ok((
            contents,
            Xtc {
                input,
                offsets,
                bytes,
            },
        ))
    }
}

impl Source for Xtc {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        let input = &mut self.input;
        input.go_to(self.offsets[index])?;
        let Header {
            atoms,
            step,
            rows,
            compressed,
            ..
        } = header(input)??;
        frame.step = u64::try_from(step).unwrap_or(index as u64);
        frame.velocities = None;
        frame.cell = <[Vector3<f64>; 3]>::try_from(rows)
            .ok()
            .and_then(|rows| cell::of_vectors(&rows));
        let Some((precision, bounds, size)) = compressed else {
            return Ok(input.vectors(atoms, false, ANGSTROM_PER_NM, &mut frame.positions)?);
        };
        input.fill(size, &mut self.bytes)?;
        let points = decode(&self.bytes, &bounds, atoms)
            .ok_or("is broken: its compressed coordinates cannot be unpacked")?;
        let scale = ANGSTROM_PER_NM / f64::from(precision);
        frame.positions.clear();
        frame.positions.extend(
            points
                .iter()
                .map(|point| Vector3::from_fn(|axis, _| f64::from(point[axis]) * scale)),
        );
        Ok(())
    }
}

/// One frame as bytes of an XTC file.
///
/// # Errors
/// The first atom whose position cannot be stored: not a number, or more than 10 µm from the
/// origin.
pub(super) fn frame_bytes(frame: &Frame) -> Result<Vec<u8>, usize> {
    let mut out = Vec::new();
    let atoms = frame.positions.len();
    let mut put = |bytes: [u8; 4]| out.extend(bytes);
    put(MAGIC.to_be_bytes());
    put((atoms as u32).to_be_bytes());
    put((frame.step as i32).to_be_bytes());
    put((frame.time as f32).to_be_bytes());
    let rows = frame.cell.as_ref().map(Cell::vectors).unwrap_or_default();
    rows.transpose()
        .iter()
        .for_each(|value| put(((value / ANGSTROM_PER_NM) as f32).to_be_bytes()));
    put((atoms as u32).to_be_bytes());
    let scale = f64::from(PRECISION) / ANGSTROM_PER_NM;
    let mut points = Vec::with_capacity(atoms);
    for (atom, position) in frame.positions.iter().enumerate() {
        let point = position.map(|x| (x * scale).round());
        if !point.iter().all(|x| x.abs() <= 1e9) {
            return Err(atom);
        }
        points.push([point.x as i32, point.y as i32, point.z as i32]);
    }
    if atoms <= UNCOMPRESSED {
        frame
            .positions
            .iter()
            .flat_map(|position| position.iter())
            .for_each(|x| put(((x / ANGSTROM_PER_NM) as f32).to_be_bytes()));
        return Ok(out);
    }
    let (bounds, bytes) = encode(&points);
    put(PRECISION.to_be_bytes());
    bounds
        .low
        .iter()
        .chain(&bounds.high)
        .for_each(|value| put(value.to_be_bytes()));
    put((bounds.small as u32).to_be_bytes());
    put((bytes.len() as u32).to_be_bytes());
    out.extend(&bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    Ok(out)
}
