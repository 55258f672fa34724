//! TRR: a header a frame, big-endian, then sections of whose sizes the header tells; nm and ps.

use nalgebra::Vector3;

use super::input::{Ended, Input};
use super::scan::{FrameHeader, scan};
use super::{Contents, Fault, Source, cell};
use crate::structure::{Cell, Frame};
use crate::units::ANGSTROM_PER_NM;

const MAGIC: i32 = 1993;

pub(super) struct Trr {
    input: Input,
    offsets: Vec<u64>,
}

struct Header {
    step: i32,
    time: f64,
    atoms: usize,
    double: bool,
    /// Bytes of each section, in the file's order.
    sizes: [usize; 10],
}

const CELL: usize = 2;
const POSITIONS: usize = 7;
const VELOCITIES: usize = 8;
const FORCES: usize = 9;

/// Reads a frame's header; the outer error: the file ended; the inner: what is wrong with it.
fn header(input: &mut Input) -> Result<Result<Header, String>, Ended> {
    let magic = input.i32()?;
    if magic != MAGIC {
        return Ok(Err(format!("it starts with {magic} instead of {MAGIC}")));
    }
    let _length_with_null = input.u32()?;
    let length = u64::from(input.u32()?);
    input.skip(length.next_multiple_of(4))?;
    let mut sizes = [0; 10];
    for size in &mut sizes {
        *size = input.u32()? as usize;
    }
    let atoms = input.u32()? as usize;
    let step = input.i32()?;
    let _nre = input.i32()?;
    let vectors = [POSITIONS, VELOCITIES, FORCES];
    let double = sizes[CELL] == 72
        || vectors
            .iter()
            .any(|&section| atoms > 0 && sizes[section] == 24 * atoms);
    let width = if double { 8 } else { 4 };
    let fits =
        |section: usize, numbers: usize| sizes[section] == 0 || sizes[section] == numbers * width;
    if !(fits(CELL, 9) && vectors.iter().all(|&section| fits(section, 3 * atoms))) {
        return Ok(Err(format!("its sections do not fit {atoms} atoms")));
    }
    let time = input.real(double)?;
    let _lambda = input.real(double)?;
    Ok(Ok(Header {
        step,
        time,
        atoms,
        double,
        sizes,
    }))
}

/// A frame in single precision with what is known: cell (zero where there is none), positions,
/// velocities, forces (kJ/mol/Å here). The error is the first atom with a number that cannot be
/// stored.
pub(super) fn frame_bytes(
    frame: &Frame,
    forces: Option<&[Vector3<f64>]>,
) -> Result<Vec<u8>, usize> {
    const NAME: &[u8; 12] = b"GMX_trn_file";
    let atoms = frame.positions.len();
    let per_nm = 1.0 / ANGSTROM_PER_NM;
    let sections = [
        (Some(&frame.positions[..]), per_nm),
        (frame.velocities.as_deref(), per_nm),
        (forces, ANGSTROM_PER_NM),
    ];
    let mut sizes = [0u32; 10];
    sizes[CELL] = 36;
    for (size, (section, _)) in sizes[POSITIONS..].iter_mut().zip(&sections) {
        *size = section.map_or(0, |section| 12 * section.len() as u32);
    }
    let mut out = Vec::with_capacity(120 + 36 * atoms);
    let mut put = |bytes: [u8; 4]| out.extend(bytes);
    put(MAGIC.to_be_bytes());
    put((NAME.len() as u32 + 1).to_be_bytes());
    put((NAME.len() as u32).to_be_bytes());
    NAME.as_chunks().0.iter().for_each(|&bytes| put(bytes));
    sizes.iter().for_each(|size| put(size.to_be_bytes()));
    put((atoms as u32).to_be_bytes());
    put(i32::try_from(frame.step).unwrap_or(i32::MAX).to_be_bytes());
    put([0; 4]); // nre: no energies
    put((frame.time as f32).to_be_bytes());
    put(0f32.to_be_bytes()); // λ of free-energy methods
    let rows = frame.cell.as_ref().map(Cell::vectors).unwrap_or_default();
    rows.transpose()
        .iter()
        .for_each(|value| put(((value * per_nm) as f32).to_be_bytes()));
    for (section, scale) in sections {
        for (atom, vector) in section.unwrap_or_default().iter().enumerate() {
            let stored = vector.map(|value| (value * scale) as f32);
            if !stored.iter().all(|value| value.is_finite()) {
                return Err(atom);
            }
            stored.iter().for_each(|value| put(value.to_be_bytes()));
        }
    }
    Ok(out)
}

impl FrameHeader for Header {
    const NAME: &str = "TRR";
    fn read(input: &mut Input) -> Result<Result<Self, String>, Ended> {
        header(input)
    }
    fn body(&self) -> u64 {
        self.sizes.iter().map(|&size| size as u64).sum()
    }
    fn atoms(&self) -> usize {
        self.atoms
    }
    fn time(&self) -> f64 {
        self.time
    }
    fn has_positions(&self) -> bool {
        self.sizes[POSITIONS] > 0
    }
}

impl Trr {
    pub fn open(mut input: Input) -> Result<(Contents, Self), Fault> {
        let (contents, offsets) = scan::<Header>(&mut input)?;
        Ok((contents, Trr { input, offsets }))
    }
}

impl Source for Trr {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        let input = &mut self.input;
        input.go_to(self.offsets[index])?;
        let Header {
            step,
            atoms,
            double,
            sizes,
            ..
        } = header(input)??;
        frame.step = u64::try_from(step).unwrap_or(index as u64);
        input.skip(sizes[..CELL].iter().map(|&size| size as u64).sum())?;
        let mut rows = Vec::new();
        if sizes[CELL] > 0 {
            input.vectors(3, double, ANGSTROM_PER_NM, &mut rows)?;
        }
        frame.cell = <[Vector3<f64>; 3]>::try_from(rows)
            .ok()
            .and_then(|rows| cell::of_vectors(&rows));
        input.skip(
            sizes[CELL + 1..POSITIONS]
                .iter()
                .map(|&size| size as u64)
                .sum(),
        )?;
        input.vectors(atoms, double, ANGSTROM_PER_NM, &mut frame.positions)?;
        frame.velocities = None;
        if sizes[VELOCITIES] > 0 {
            let mut velocities = Vec::with_capacity(atoms);
            input.vectors(atoms, double, ANGSTROM_PER_NM, &mut velocities)?;
            frame.velocities = Some(velocities);
        }
        Ok(())
    }
}
