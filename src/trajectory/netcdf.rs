//! Amber NetCDF trajectories: the classic (version 1) and 64-bit offset (version 2) formats of
//! NetCDF.
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
        3 => 2,
        4 | FLOAT => 4,
        DOUBLE => 8,
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

fn name(input: &mut Input) -> Result<Vec<u8>, Ended> {
    let length = u64::from(input.u32()?);
    let mut bytes = Vec::new();
    input.fill(length, &mut bytes)?;
    input.skip(length.next_multiple_of(4) - length)?;
    Ok(bytes)
}

/// The number of entries of a list with this tag; an absent list is two zeros.
fn list(input: &mut Input, tag: u32) -> Result<u32, Ended> {
    match (input.u32()?, input.u32()?) {
        (0, 0) => Ok(0),
        (found, count) if found == tag => Ok(count),
        _ => Err(Ended),
    }
}

/// Reads a list of attributes; the value of `scale_factor`, or 1.
fn attributes(input: &mut Input) -> Result<f64, Ended> {
    let mut scale = 1.0;
    for _ in 0..list(input, ATTRIBUTES)? {
        let name = name(input)?;
        let kind = input.u32()?;
        let count = u64::from(input.u32()?);
        let end = input.position + (width(kind) * count).next_multiple_of(4);
        if name == b"scale_factor" && count == 1 && matches!(kind, FLOAT | DOUBLE) {
            scale = input.real(kind == DOUBLE)?;
        }
        input.go_to(end)?;
    }
    Ok(scale)
}

fn variable(input: &mut Input, version: u8) -> Result<Variable, Ended> {
    let name = name(input)?;
    let mut dimensions = Vec::new();
    for _ in 0..input.u32()? {
        dimensions.push(input.u32()? as usize);
    }
    let scale = attributes(input)?;
    let kind = input.u32()?;
    let size = u64::from(input.u32()?);
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
type Header = (u32, Vec<(Vec<u8>, usize)>, Vec<Variable>);

fn header(input: &mut Input, version: u8) -> Result<Header, Ended> {
    let frames = input.u32()?;
    let mut dimensions = Vec::new();
    for _ in 0..list(input, DIMENSIONS)? {
        dimensions.push((name(input)?, input.u32()? as usize));
    }
    attributes(input)?;
    let mut variables = Vec::new();
    for _ in 0..list(input, VARIABLES)? {
        variables.push(variable(input, version)?);
    }
    Ok((frames, dimensions, variables))
}

impl NetCdf {
    pub fn open(mut input: Input) -> Result<(Contents, Self), Fault> {
        let broken = |_| Fault::header("is broken: its header cannot be read");
        let version = match input.bytes().map_err(broken)? {
            [b'C', b'D', b'F', version @ (1 | 2)] => version,
            _ => {
                return Err(Fault::header(
                    "is no Amber NetCDF trajectory (NetCDF 3 is read; NetCDF 4 and HDF5 are not)",
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
        let stride: u64 = variables.iter().map(|variable| variable.size).sum();
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
            let needs = numbers as u64 * width(variable.kind);
            let fits = matches!(variable.kind, FLOAT | DOUBLE)
                && variable.size >= needs
                && variable.begin.checked_sub(begin)?.checked_add(needs)? <= stride;
            fits.then_some(variable)
        };
        let Some(coordinates) = take(b"coordinates", 3 * atoms).filter(|_| atoms > 0 && stride > 0)
        else {
            return Err(Fault::header(
                "is no Amber NetCDF trajectory: it has no frames of coordinates",
            ));
        };
        let (velocities, time) = (take(b"velocities", 3 * atoms), take(b"time", 1));
        let (edges, angles) = (take(b"cell_lengths", 3), take(b"cell_angles", 3));
        // the last record of a file may lack its padding, which is at most 3 bytes
        let bytes = input.size.saturating_sub(begin) + 3;
        let there = bytes / stride;
        let streamed = claimed == u32::MAX;
        let is_cut = if streamed {
            bytes % stride > 3
        } else {
            there < u64::from(claimed)
        };
        let frames = if streamed {
            there
        } else {
            there.min(u64::from(claimed))
        };
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
