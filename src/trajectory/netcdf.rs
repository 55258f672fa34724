//! Amber NetCDF trajectories: the classic (version 1), 64-bit offset (version 2) and 64-bit data
//! (version 5) formats of NetCDF.
//!
//! Sources: the NetCDF classic format specification,
//! <https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html>; the AMBER
//! trajectory convention 1.0, <https://ambermd.org/netcdf/nctraj.xhtml>.

use super::input::{Ended, Input};
use super::times::known;
use super::{Contents, Fault, Source, cell};
use crate::structure::Frame;

const DIMENSIONS: u32 = 10;
const VARIABLES: u32 = 11;
const ATTRIBUTES: u32 = 12;
const FLOAT: u32 = 5;
const DOUBLE: u32 = 6;

/// Bytes of one value of a NetCDF type.
fn width(kind: u32) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | FLOAT | 9 => 4,
        DOUBLE | 10 | 11 => 8,
        _ => 1,
    }
}

/// A variable: what it is, where it starts and what a record of it takes.
struct Variable {
    name: Vec<u8>,
    dimensions: Vec<usize>,
    kind: u32,
    /// Its attribute `scale_factor`, by which values are to be multiplied.
    scale: f64,
    size: u64,
    begin: u64,
}

pub(super) struct NetCdf {
    input: Input,
    atoms: usize,
    stride: u64,
    coordinates: Variable,
    velocities: Option<Variable>,
    edges: Option<Variable>,
    angles: Option<Variable>,
}

/// Counts and lengths have 64 bits in this version, 32 in those before.
const WIDE: u8 = 5;

/// Reads a count or a length.
fn count(input: &mut Input, version: u8) -> Result<u64, Ended> {
    if version == WIDE {
        input.u64()
    } else {
        input.u32().map(u64::from)
    }
}

fn name(input: &mut Input, version: u8) -> Result<Vec<u8>, Ended> {
    let length = count(input, version)?;
    let mut bytes = Vec::new();
    input.fill(length, &mut bytes)?;
    input.skip(length.wrapping_neg() % 4)?;
    Ok(bytes)
}

/// The number of entries of a list with this tag; an absent list is two zeros.
fn list(input: &mut Input, version: u8, tag: u32) -> Result<u64, Ended> {
    match (input.u32()?, count(input, version)?) {
        (0, 0) => Ok(0),
        (found, count) if found == tag => Ok(count),
        _ => Err(Ended),
    }
}

/// Reads a list of attributes; the value of `scale_factor`, or 1.
fn attributes(input: &mut Input, version: u8) -> Result<f64, Ended> {
    let mut scale = 1.0;
    for _ in 0..list(input, version, ATTRIBUTES)? {
        let name = name(input, version)?;
        let kind = input.u32()?;
        let values = count(input, version)?;
        let bytes = width(kind)
            .checked_mul(values)
            .and_then(|bytes| bytes.checked_next_multiple_of(4))
            .ok_or(Ended)?;
        let end = input.position.checked_add(bytes).ok_or(Ended)?;
        if name == b"scale_factor" && values == 1 && matches!(kind, FLOAT | DOUBLE) {
            scale = input.real(kind == DOUBLE)?;
        }
        input.go_to(end)?;
    }
    Ok(scale)
}

fn variable(input: &mut Input, version: u8) -> Result<Variable, Ended> {
    let name = name(input, version)?;
    let mut dimensions = Vec::new();
    for _ in 0..count(input, version)? {
        dimensions.push(count(input, version)? as usize);
    }
    let scale = attributes(input, version)?;
    let kind = input.u32()?;
    let size = count(input, version)?;
    let begin = if version == 1 {
        u64::from(input.u32()?)
    } else {
        input.u64()?
    };
    Ok(Variable {
        name,
        dimensions,
        kind,
        scale,
        size,
        begin,
    })
}

/// Number of frames that the header claims; dimensions by name and length (0: the frames);
/// variables.
type Header = (u64, Vec<(Vec<u8>, usize)>, Vec<Variable>);

fn header(input: &mut Input, version: u8) -> Result<Header, Ended> {
    let frames = count(input, version)?;
    let mut dimensions = Vec::new();
    for _ in 0..list(input, version, DIMENSIONS)? {
        let name = name(input, version)?;
        dimensions.push((name, count(input, version)? as usize));
    }
    attributes(input, version)?;
    let mut variables = Vec::new();
    for _ in 0..list(input, version, VARIABLES)? {
        variables.push(variable(input, version)?);
    }
    Ok((frames, dimensions, variables))
}

impl NetCdf {
    pub fn open(mut input: Input) -> Result<(Contents, Self), Fault> {
        let broken = |_| Fault::header("is broken: its header cannot be read");
        let version = match input.bytes().map_err(broken)? {
            [b'C', b'D', b'F', version @ (1 | 2 | WIDE)] => version,
            _ => {
                return Err(Fault::header(
                    "is no Amber NetCDF trajectory (NetCDF 3 is read; NetCDF 4 and HDF5 \
                     are not: `nccopy -k cdf5` makes one of the other)",
                ));
            }
        };
        let (claimed, dimensions, mut variables) = header(&mut input, version).map_err(broken)?;
        let atoms = dimensions
            .iter()
            .find(|(name, _)| name == b"atom")
            .map_or(0, |(_, length)| *length);
        let per_frame = |variable: &Variable| {
            variable
                .dimensions
                .first()
                .is_some_and(|&d| dimensions.get(d).is_some_and(|(_, length)| *length == 0))
        };
        variables.retain(per_frame);
        let sizes = variables.iter().map(|variable| variable.size);
        let stride = sizes.fold(0, u64::saturating_add);
        let begin = variables
            .iter()
            .map(|variable| variable.begin)
            .min()
            .unwrap_or(0);
        // a variable whose values fill fewer bytes than it needs, or which reaches over its record,
        // would read its neighbour
        let mut take = |name: &[u8], numbers: usize| {
            let index = variables
                .iter()
                .position(|variable| variable.name == name)?;
            let variable = variables.swap_remove(index);
            let needs = (numbers as u64).saturating_mul(width(variable.kind));
            let fits = matches!(variable.kind, FLOAT | DOUBLE)
                && variable.size >= needs
                && variable.begin.checked_sub(begin)?.checked_add(needs)? <= stride;
            fits.then_some(variable)
        };
        let all = atoms.saturating_mul(3);
        let Some(coordinates) = take(b"coordinates", all).filter(|_| atoms > 0 && stride > 0)
        else {
            return Err(Fault::header(
                "is no Amber NetCDF trajectory: it has no frames of coordinates",
            ));
        };
        let (velocities, time) = (take(b"velocities", all), take(b"time", 1));
        let (edges, angles) = (take(b"cell_lengths", 3), take(b"cell_angles", 3));
        // the last record of a file may lack its padding, which is at most 3 bytes
        let bytes = input.size.saturating_sub(begin) + 3;
        let there = bytes / stride;
        let streamed = claimed == u64::from(u32::MAX) || claimed == u64::MAX;
        let is_cut = if streamed {
            bytes % stride > 3
        } else {
            there < claimed
        };
        let frames = if streamed { there } else { there.min(claimed) };
        if is_cut && frames == 0 {
            return Err(Fault::cut(0));
        }
        let notes = is_cut.then(|| Fault::cut_note(frames as usize));
        let times = match time {
            Some(time) => known(times(&mut input, &time, stride, frames).map_err(broken)?),
            None => None,
        };
        let contents = Contents {
            atoms,
            frames: frames as usize,
            times,
            notes: notes.into_iter().collect(),
        };
        Ok((
            contents,
            NetCdf {
                input,
                atoms,
                stride,
                coordinates,
                velocities,
                edges,
                angles,
            },
        ))
    }
}

fn times(input: &mut Input, time: &Variable, stride: u64, frames: u64) -> Result<Vec<f64>, Ended> {
    let mut times = Vec::new();
    for frame in 0..frames {
        input.go_to(time.begin + frame * stride)?;
        times.push(input.real(time.kind == DOUBLE)? * time.scale);
    }
    Ok(times)
}

impl Source for NetCdf {
    fn read(&mut self, index: usize, frame: &mut Frame) -> Result<(), String> {
        let NetCdf {
            input,
            atoms,
            stride,
            coordinates,
            velocities,
            edges,
            angles,
        } = self;
        let mut read = |variable: &Variable, count: usize, out: &mut Vec<_>| {
            input.go_to(variable.begin + index as u64 * *stride)?;
            input.vectors(count, variable.kind == DOUBLE, variable.scale, out)
        };
        frame.step = index as u64;
        read(coordinates, *atoms, &mut frame.positions)?;
        frame.velocities = None;
        if let Some(variable) = velocities {
            let mut values = Vec::new();
            read(variable, *atoms, &mut values)?;
            frame.velocities = Some(values);
        }
        frame.cell = None;
        if let (Some(edges), Some(angles)) = (edges, angles) {
            let (mut lengths, mut degrees) = (Vec::new(), Vec::new());
            read(edges, 1, &mut lengths)?;
            read(angles, 1, &mut degrees)?;
            frame.cell = cell::of_edges(lengths[0].into(), degrees[0].into());
        }
        Ok(())
    }
}
