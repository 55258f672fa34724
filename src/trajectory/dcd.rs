//! DCD: one header, frames of one size; record markers of 4 or 8 bytes, either byte order.
//!
//! Times: the header holds the first step, the steps from frame to frame and the time step in AKMA
//! units; many writers leave them unset. Cells: six numbers in the order a, γ, b, β, α, c, the
//! angles as degrees or cosines; recent CHARMM stores a symmetric matrix of vectors instead.

use nalgebra::Vector3;

use super::input::{Ended, Input};
use super::times::rounded;
use super::{Contents, Fault, Source, cell};
use crate::structure::{Cell, Frame};
use crate::units::PS_PER_AKMA;

fn cut(_: Ended) -> Fault {
    Fault::header("is cut short: the file ends in its header")
}

/// Reads a record marker: the length of the record, before and behind it.
fn marker(input: &mut Input, wide: bool) -> Result<u64, Ended> {
    if wide {
        input.u64()
    } else {
        input.u32().map(u64::from)
    }
}

/// Finds byte order and marker width from the first record, 84 bytes that start with CORD.
fn wide_markers(input: &mut Input) -> Result<bool, Fault> {
    let start: [u8; 12] = input.bytes().map_err(cut)?;
    let (big, wide) = match start {
        [84, 0, 0, 0, b'C', b'O', b'R', b'D', ..] => (false, false),
        [0, 0, 0, 84, b'C', b'O', b'R', b'D', ..] => (true, false),
        [84, 0, 0, 0, 0, 0, 0, 0, b'C', b'O', b'R', b'D'] => (false, true),
        [0, 0, 0, 0, 0, 0, 0, 84, b'C', b'O', b'R', b'D'] => (true, true),
        _ => {
            return Err(Fault::header(
                "is no DCD trajectory: it does not start with CORD",
            ));
        }
    };
    input.big_endian = big;
    input.go_to(if wide { 8 } else { 4 }).map_err(cut)?;
    Ok(wide)
}

/// Passes over the record of titles, of 80 characters each, and the marker of the one behind it.
/// Some writers count their titles but say another length of the record (MDAnalysis did).
fn behind_title(input: &mut Input, wide: bool) -> Result<(), Fault> {
    let said = marker(input, wide).map_err(cut)?;
    let start = input.position;
    let counted = 4 + 80 * u64::from(input.u32().map_err(cut)?);
    for length in [said, counted] {
        input.go_to(start).map_err(cut)?;
        let ends = input.skip(length).and_then(|()| {
            let again = marker(input, wide)?;
            Ok((again, marker(input, wide)?))
        });
        match ends {
            Ok(ends) if ends == (said, 4) => return Ok(()),
            Err(ended) if length == counted => return Err(cut(ended)),
            _ => {}
        }
    }
    Err(Fault::header(
        "is broken: its header's record lengths disagree",
    ))
}

/// The numbers of the first record that matter.
struct Control {
    /// Frames, as far as the writer has counted: one that was stopped leaves it wrong.
    count: u32,
    start: i32,
    stride: i32,
    fixed: usize,
    delta: f64,
    cell: bool,
    fourth: bool,
    version: u32,
}

fn control(input: &mut Input) -> Result<Control, Ended> {
    input.skip(4)?; // CORD
    let count = input.u32()?;
    let (start, stride) = (input.i32()?, input.i32()?);
    input.skip(20)?;
    let fixed = input.u32()? as usize;
    let delta_at = input.position;
    input.skip(40)?;
    let version = input.u32()?;
    let end = input.position;
    input.go_to(delta_at)?;
    // without a CHARMM version it is the X-PLOR dialect: an 8-byte time step and no cell
    let (delta, cell, fourth) = if version == 0 {
        (input.f64()?, false, false)
    } else {
        (input.real(false)?, input.u32()? != 0, input.u32()? == 1)
    };
    input.go_to(end)?;
    Ok(Control {
        count,
        start,
        stride,
        fixed,
        delta,
        cell,
        fourth,
        version,
    })
}

/// The time step that VMD, mdtraj and ProDy write for none: nobody integrates with 48.9 fs.
const UNSET: f64 = 1.0;
/// Time steps of dynamics, ps: what is shorter or longer was written in another unit than CHARMM's
/// (LAMMPS and ACEMD write fs), or by a program that does not know it.
const TIME_STEPS: std::ops::Range<f64> = 2e-4..UNSET * PS_PER_AKMA;

/// A time, ps, in fs with the digits that tell it apart.
fn femtoseconds(time: f64) -> String {
    match 1e3 * time {
        long if long >= 10.0 => format!("{long:.0}"),
        short if short >= 0.001 => format!("{short:.3}"),
        tiny => format!("{tiny:.0e}"),
    }
}

impl Control {
    /// Times of frames, ps, where the writer has set them.
    fn times(&self, frames: u64) -> Option<Vec<f64>> {
        let step = rounded(self.delta * PS_PER_AKMA);
        // a stride of 1 may mean that the time step is that of the frames (MDAnalysis)
        let is_possible = TIME_STEPS.contains(&step)
            || self.stride == 1 && step >= TIME_STEPS.start && step.is_finite();
        let known = self.delta != UNSET && is_possible && self.stride > 0;
        let time =
            |frame: u64| (f64::from(self.start) + frame as f64 * f64::from(self.stride)) * step;
        known.then(|| (0..frames).map(time).collect())
    }

    fn without_times(&self) -> String {
        let reason = if self.stride <= 0 {
            format!("every {} steps a frame", self.stride)
        } else if self.delta == UNSET {
            "a time step of 1, which VMD and mdtraj write for none".to_owned()
        } else if self.delta > 0.0 && self.delta.is_finite() {
            format!(
                "a time step of {}, {} fs in CHARMM's unit, which no dynamics takes; some \
                 programs write fs",
                rounded(self.delta),
                femtoseconds(PS_PER_AKMA * self.delta)
            )
        } else {
            format!("a time step of {}", self.delta)
        };
        format!("holds no times: its header says {reason}")
    }
}

/// Whether the bytes from `place` on, behind the last of `frames` whole frames, are the start of
/// another: they begin with the marker of a record of `record` bytes, or are zeros where the writer
/// has counted one frame more.
fn ends_in_a_frame(
    input: &mut Input,
    place: u64,
    record: u64,
    wide: bool,
    counted_more: bool,
) -> Result<bool, Ended> {
    let mut marker = match (input.big_endian, wide) {
        (true, true) => record.to_be_bytes().to_vec(),
        (false, true) => record.to_le_bytes().to_vec(),
        (true, false) => (record as u32).to_be_bytes().to_vec(),
        (false, false) => (record as u32).to_le_bytes().to_vec(),
    };
    input.go_to(place)?;
    marker.truncate(input.rest() as usize);
    let mut start = Vec::new();
    input.fill(marker.len() as u64, &mut start)?;
    input.go_to(place)?;
    Ok(start == marker || (counted_more && input.only_zeros_left()))
}

pub(super) struct Dcd {
    input: Input,
    wide: bool,
    control: Control,
    atoms: usize,
    /// Atoms that frames after the first hold, where some are fixed.
    free: Option<Vec<usize>>,
    begin: u64,
    first: u64,
    later: u64,
    /// The record that was read last.
    record: Vec<u8>,
}

impl Dcd {
    pub fn open(mut input: Input) -> Result<(Contents, Self), Fault> {
        let wide = wide_markers(&mut input)?;
        let control = control(&mut input).map_err(cut)?;
        marker(&mut input, wide).map_err(cut)?;
        behind_title(&mut input, wide)?;
        let atoms = input.u32().map_err(cut)? as usize;
        marker(&mut input, wide).map_err(cut)?;
        if atoms == 0 || control.fixed >= atoms {
            return Err(Fault::header(format!(
                "is broken: {atoms} atoms, {} of them fixed",
                control.fixed
            )));
        }
        let free = if control.fixed > 0 {
            Some(free_atoms(&mut input, wide, atoms - control.fixed, atoms)?)
        } else {
            None
        };
        let width = if wide { 16 } else { 8 };
        let size = |atoms: usize| {
            let cell = if control.cell { width + 48 } else { 0 };
            cell + (if control.fourth { 4 } else { 3 }) * (width + 4 * atoms as u64)
        };
        let begin = input.position;
        let first = size(atoms);
        let later = size(atoms - control.fixed);
        let rest = input.size - begin;
        let frames = rest.checked_sub(first).map_or(0, |rest| 1 + rest / later);
        let whole = frames.checked_sub(1).map_or(0, |more| first + more * later);
        let mut notes = Vec::new();
        if rest != whole {
            if frames == 0 {
                return Err(Fault::cut(0));
            }
            let free = atoms - control.fixed;
            let record = if control.cell { 48 } else { 4 * free as u64 };
            let counted_more = u64::from(control.count) > frames;
            if !ends_in_a_frame(&mut input, begin + whole, record, wide, counted_more)
                .map_err(cut)?
            {
                let what = format!(
                    "is none: the last {} bytes of the file are no part of a frame",
                    rest - whole
                );
                return Err(Fault::frame(frames as usize, what));
            }
            notes.push(Fault::cut_note(frames as usize));
        }
        let times = control.times(frames);
        if times.is_none() {
            notes.push(control.without_times());
        }
        let contents = Contents {
            atoms,
            frames: frames as usize,
            times,
            notes,
        };
        Ok((
            contents,
            Dcd {
                input,
                wide,
                control,
                atoms,
                free,
                begin,
                first,
                later,
                record: Vec::new(),
            },
        ))
    }

    fn read_frame(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        let Dcd {
            input,
            wide,
            control,
            atoms,
            free,
            begin,
            first,
            later,
            record: bytes,
        } = self;
        let big_endian = input.big_endian;
        let offset = if index == 0 {
            0
        } else {
            *first + (index as u64 - 1) * *later
        };
        input.go_to(*begin + offset)?;
        frame.cell = None;
        if control.cell {
            record(input, *wide, 48, bytes)?;
            let mut six = [0.0; 6];
            for (value, &bytes) in six.iter_mut().zip(bytes.as_chunks().0) {
                *value = if big_endian {
                    f64::from_be_bytes(bytes)
                } else {
                    f64::from_le_bytes(bytes)
                };
            }
            frame.cell = unit_cell(six, control.version);
        }
        let free = free.as_ref().filter(|_| index > 0);
        let count = free.map_or(*atoms, Vec::len);
        for axis in 0..3 {
            record(input, *wide, 4 * count as u64, bytes)?;
            for (place, &bytes) in bytes.as_chunks().0.iter().enumerate() {
                let value = if big_endian {
                    f32::from_be_bytes(bytes)
                } else {
                    f32::from_le_bytes(bytes)
                };
                frame.positions[free.map_or(place, |free| free[place])][axis] = f64::from(value);
            }
        }
        Ok(())
    }
}

/// Reads a record, which must be `length` bytes, into `bytes`.
fn record(input: &mut Input, wide: bool, length: u64, bytes: &mut Vec<u8>) -> Result<(), String> {
    let before = marker(input, wide)?;
    if before != length {
        return Err(format!(
            "is broken: a record of {before} bytes instead of {length}"
        ));
    }
    input.fill(length, bytes)?;
    let behind = marker(input, wide)?;
    if behind != length {
        Err(format!(
            "is broken: a record of {length} bytes ends with {behind}"
        ))
    } else {
        Ok(())
    }
}

/// The record of free atoms, counted from 1 in the file.
fn free_atoms(
    input: &mut Input,
    wide: bool,
    free: usize,
    atoms: usize,
) -> Result<Vec<usize>, Fault> {
    let mut list = Vec::new();
    marker(input, wide).map_err(cut)?;
    for _ in 0..free {
        let atom = (input.u32().map_err(cut)? as usize).wrapping_sub(1);
        if atom >= atoms {
            return Err(Fault::header(
                "is broken: its list of free atoms holds others than its atoms",
            ));
        }
        list.push(atom);
    }
    marker(input, wide).map_err(cut)?;
    Ok(list)
}

fn unit_cell(six: [f64; 6], version: u32) -> Option<Cell> {
    let [a, gamma, b, beta, alpha, c] = six;
    let angles = [alpha, beta, gamma];
    // CHARMM since version 26 stores a symmetric matrix: xx, xy, yy, xz, yz, zz
    if version > 25 || angles.iter().any(|&angle| !(-1.0..=180.0).contains(&angle)) {
        let row = |x, y, z| Vector3::new(x, y, z);
        return cell::of_vectors(&[
            row(a, gamma, beta),
            row(gamma, b, alpha),
            row(beta, alpha, c),
        ]);
    }
    let cosines = angles.iter().all(|&angle| angle.abs() <= 1.0);
    // 90° − asin is exactly 90° for a cosine of 0
    let degrees = |angle: f64| {
        if cosines {
            90.0 - angle.asin().to_degrees()
        } else {
            angle
        }
    };
    cell::of_edges([a, b, c], angles.map(degrees))
}

impl Source for Dcd {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        frame.step = index as u64;
        frame.velocities = None;
        frame.positions.resize(self.atoms, Vector3::zeros());
        // frames after the first lack the fixed atoms
        if self.free.is_some() && index > 0 {
            self.read_frame(0, frame)?;
        }
        self.read_frame(index, frame)
    }
}
